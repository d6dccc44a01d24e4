/* node/station_tables.c - what a meeting means for the facility's tables (node/station.h). */
#include "node/facility/alias.h"
#include "node/facility/date.h"
#include "node/facility/late_codes.h"
#include "node/facility/public.h"
#include "node/facility/seats.h"
#include "node/facility/street.h"
#include "node/facility/word.h"
#include "node/hub/street.h"
#include "node/hub/token_use.h"
#include "node/log.h"
#include "node/station.h"

static int
settle_seats(struct station *st, const uint8_t *came, struct err *err)
{
	return st->is_hub ? seats_answer(st->local, came, err) : seats_settle(st->local, err);
}

/* What there is to do after a meeting. */
struct work {
	bool seats, twins, words;
};

static int
find_work(struct station *st, const uint8_t *came, struct work *w, struct err *err)
{
	int rc;

	*w = (struct work){ 0 };
	if (st->is_hub)
		return seats_asked(st->local, came, &w->seats, err);
	/* the hub is told who is one person, and whose word stands: it has no roster of its own */
	rc = seats_unsettled(st->local, &w->seats, err);
	if (rc == 0)
		rc = alias_unlinked(st->local, &w->twins, err);
	return rc == 0 ? word_unsettled(st->local, &w->words, err) : rc;
}

static int
settle(struct station *st, const uint8_t *came, struct err *err)
{
	struct work w;
	int rc = find_work(st, came, &w, err);

	if (rc < 0 || (!w.seats && !w.twins && !w.words))
		return rc;
	rc = store_db_begin(st->local, err);
	if (rc == 0 && w.seats)
		rc = settle_seats(st, came, err);
	if (rc == 0 && w.twins)
		rc = alias_link(st->local, err);
	if (rc == 0 && w.words)
		rc = word_settle(st->local, err);
	if (rc == 0)
		rc = store_db_commit(st->local, err);
	if (rc < 0)
		store_db_rollback(st->local);
	return rc;
}

void
station_met(struct station *st, const uint8_t came[STORE_NODE_ID])
{
	struct err err;

	if (settle(st, came, &err) < 0)
		log_line(LOG_LEVEL_WARN, "after a meeting: %s", err.msg);
}

/* What the hub makes of what has come, in this order: a facility's street decides who is told. */
static int
streets_stale(struct station *st, bool *yes, struct err *err)
{
	return hub_street_stale(st->local, yes, err);
}

static int
streets_keep(struct station *st, struct err *err)
{
	return hub_street_keep(st->local, &st->key, err);
}

static int
public_stale(struct station *st, bool *yes, struct err *err)
{
	return facility_public_stale(st->local, yes, err);
}

static int
public_keep(struct station *st, struct err *err)
{
	return facility_public_keep(st->local, err);
}

/* China has one time zone (node/facility/date.h). */
static int
today(struct station *st)
{
	return date_of(env_wall_ms(st->env), 8 * 60);
}

static int
notices_stale(struct station *st, bool *yes, struct err *err)
{
	return facility_street_stale(st->local, today(st), yes, err);
}

static int
notices_keep(struct station *st, struct err *err)
{
	return facility_street_keep(st->local, today(st), err);
}

static int
codes_stale(struct station *st, bool *yes, struct err *err)
{
	return facility_late_codes_stale(st->local, yes, err);
}

static int
codes_keep(struct station *st, struct err *err)
{
	return facility_late_codes_keep(st->local, err);
}

static const struct derived {
	const char *name;
	int (*stale)(struct station *st, bool *yes, struct err *err);
	int (*keep)(struct station *st, struct err *err);
} derived[STATION_DERIVED] = {
	{ "streets of grants", streets_stale, streets_keep },
	{ "facility_public", public_stale, public_keep },
	{ "symptom_notice", notices_stale, notices_keep },
	{ "code_set", codes_stale, codes_keep },
};

static int
publish(struct station *st, const struct derived *what, struct err *err)
{
	bool yes = false;
	int rc = what->stale(st, &yes, err);

	if (rc < 0 || !yes)
		return rc;
	rc = store_db_begin(st->local, err);
	if (rc == 0)
		rc = what->keep(st, err);
	if (rc == 0)
		rc = store_db_commit(st->local, err);
	if (rc < 0)
		store_db_rollback(st->local);
	return rc;
}

void
station_publish(struct station *st)
{
	struct err err;

	for (int i = 0; i < STATION_DERIVED; i++) {
		bool good = publish(st, &derived[i], &err) == 0;

		if (!good && !st->unpublished[i])
			log_line(LOG_LEVEL_WARN, "%s: %s", derived[i].name, err.msg);
		st->unpublished[i] = !good;
	}
}

void
station_note_uses(struct station *st, bool leaving)
{
	struct err err;

	if (token_use_keep(st->merge, env_mono_ms(st->env), leaving, &err) < 0)
		log_line(LOG_LEVEL_WARN, "last uses of tokens: %s", err.msg);
}
