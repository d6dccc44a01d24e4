/* node/station_tables.c - what a meeting means for the facility's tables (node/station.h). */
#include "node/facility/alias.h"
#include "node/facility/public.h"
#include "node/facility/seats.h"
#include "node/facility/word.h"
#include "node/hub/token_use.h"
#include "node/log.h"
#include "node/station.h"

static int
settle_seats(struct station *st, const uint8_t *came, struct err *err)
{
	return st->is_hub ? seats_answer(st->local, came, err) : seats_settle(st->local, err);
}

static int
settle(struct station *st, const uint8_t *came, struct err *err)
{
	bool seats, twins = false, words = false;
	int rc = st->is_hub ? seats_asked(st->local, came, &seats, err)
	                    : seats_unsettled(st->local, &seats, err);

	/* the hub is told who is one person: it has no roster of its own */
	if (rc == 0 && !st->is_hub)
		rc = alias_unlinked(st->local, &twins, err);
	/* nor whose word stands: any node of the facility tells it */
	if (rc == 0 && !st->is_hub)
		rc = word_unsettled(st->local, &words, err);
	if (rc < 0 || (!seats && !twins && !words))
		return rc;
	rc = store_db_begin(st->local, err);
	if (rc == 0 && seats)
		rc = settle_seats(st, came, err);
	if (rc == 0 && twins)
		rc = alias_link(st->local, err);
	if (rc == 0 && words)
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

static int
publish(struct station *st, struct err *err)
{
	bool yes = false;
	int rc = facility_public_stale(st->local, &yes, err);

	if (rc < 0 || !yes)
		return rc;
	rc = store_db_begin(st->local, err);
	if (rc == 0)
		rc = facility_public_keep(st->local, err);
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
	bool good = publish(st, &err) == 0;

	if (!good && !st->unpublished)
		log_line(LOG_LEVEL_WARN, "facility_public: %s", err.msg);
	st->unpublished = !good;
}

void
station_note_uses(struct station *st, bool leaving)
{
	struct err err;

	if (token_use_keep(st->merge, env_mono_ms(st->env), leaving, &err) < 0)
		log_line(LOG_LEVEL_WARN, "last uses of tokens: %s", err.msg);
}
