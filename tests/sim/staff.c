/*
 * tests/sim/staff.c - the facility's day, and edits.
 *
 * What was committed is acknowledged (acks.h) if nobody ever deletes such rows.
 * What a rule refuses is no failure: she was fetched already.
 */
#include "tests/sim/staff.h"
#include "node/facility/codes.h"
#include "node/facility/day.h"
#include "store/base/text.h"
#include "store/stmt.h"
#include "store/verdict.h"
#include "tests/sim/mould.h"
#include "tests/sim/rand.h"
#include "tests/sim/share.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

enum { POOL = 12, BULK_MAX = 700, SQL_MAX = 1200 };

/* Either of the two tablets; the second one's connection is made when it is first used. */
static struct store_db *
tablet(struct sim_peer *p, uint64_t draw)
{
	char path[128];
	struct err err;

	if ((draw & 1) == 0)
		return p->st.local;
	snprintf(path, sizeof path, "%s/yizhan.db", p->dir);
	if (p->tablet == NULL && store_db_open(path, STORE_LOCAL, &p->env, &p->tablet, &err) < 0)
		return p->st.local; /* its disk fails: the one that is open will say so */
	return p->tablet;
}

/* True if it was committed.  A refusal by a rule is none of ours. */
static bool
committed(struct sim_peer *p, int rc, const struct err *err, const char *doing)
{
	if (rc == ERR_INVALID || rc == ERR_NOTFOUND || rc == ERR_DENIED) {
		sim_count(p->sim, SIM_DID_REFUSE_TAP);
		return false;
	}
	if (rc < 0 && p->disk_fails && !disk_is_off(p->disk))
		return false; /* "the disk is full": she is told so, the node goes on */
	return sim_peer_bears(p, rc, err, doing) && rc >= 0;
}

/* ---- the day ---- */

static int
date_of(int64_t now)
{
	return 20260302 + (int)((now - SIM_START_MS) / SIM_DAY_MS);
}

static void
plan_day(struct sim_peer *p, const struct sim_event *e)
{
	struct sim_day *day = &p->day;
	struct facility f;
	struct err err;
	int rc;

	if (p->no > SIM_PLACES)
		return; /* the first device of the facility has the roster */
	arena_free(&day->arena);
	*day = (struct sim_day){ .event = e->id };
	rc = facility_open(&f, p->st.local, NULL, &err);
	if (rc == 0)
		rc = facility_day_plan(&f, date_of(p->sim->now),
		                       sim_rand(p->sim->plan->seed, p->no, SIM_USE_DAY, e->id),
		                       &day->arena, &day->list, &day->count, &err);
	if (!sim_peer_bears(p, rc, &err, "plan a day"))
		day->count = 0;
}

int64_t
sim_staff_next(const struct sim_peer *p)
{
	return p->day.at < p->day.count ? p->day.list[p->day.at].as.at : INT64_MAX;
}

/* The table of the row that an action is about; NULL if it has no id, or there are several. */
static const char *
table_of(enum facility_do what)
{
	static const char *const tables[DO_COUNT] = {
		[DO_ARRIVAL] = "attendance_event",
		[DO_PICKUP] = "attendance_event",
		[DO_ABSENCE] = "absence_case",
		[DO_FOLLOWUP] = "absence_followup",
		[DO_CHECK] = "health_check",
		[DO_CASE] = "symptom_case",
		[DO_MEDICATION] = "medication_request",
		[DO_GROWTH] = "growth_measurement",
		[DO_CARE] = "care_event",
		[DO_MENU] = "menu_item",
		[DO_CLEANING] = "disinfection_log",
		[DO_HANDOVER] = "handover",
		[DO_INCIDENT] = "incident",
		[DO_CLOCK] = "staff_attendance",
		[DO_VISIT] = "drop_in_visit",
		[DO_SESSION] = "session_event",
	};

	return tables[what];
}

/* Are the tables that such an action writes there? */
static bool
has_tables(const struct sim *s, enum facility_do what)
{
	const char *table = table_of(what);

	return s->plan->whole || (table != NULL && sim_mould_has(table));
}

void
sim_staff_act(struct sim_peer *p)
{
	struct sim *s = p->sim;
	size_t i = p->day.at++;
	const struct facility_action *action = &p->day.list[i];
	uint64_t x = sim_rand(s->plan->seed, p->no, SIM_USE_DAY, (uint64_t)p->day.event << 20 | i);
	const char *table = table_of(action->what);
	struct facility f;
	struct err err;
	int rc;

	if (!sim_peer_awake(p) || s->healed || !sim_rand_happens(&x, s->plan->share) ||
	    !has_tables(s, action->what))
		return;
	rc = facility_open(&f, tablet(p, x), NULL, &err);
	if (rc == 0)
		rc = facility_day_do(&f, action, &err);
	sim_tell(s, "peer %u: %s %s", p->no, facility_do_name(action->what), rc == 0 ? "ok" : "no");
	if (committed(p, rc, &err, "record an action") && table != NULL)
		sim_acks_add(s, p, table, f.last_id);
}

/* Strike out an arrival of today, or write a child's report once more. */
static void
correct(struct sim_peer *p, uint64_t *x)
{
	struct store_db *db = tablet(p, sim_rand_next(x));
	struct facility_strike strike = { .at = p->sim->now };
	struct store_stmt q = store_stmt_new(
	        db, "SELECT id FROM attendance_event WHERE kind < 9 ORDER BY id LIMIT 1 OFFSET ?");
	uint8_t id[STORE_ID];
	struct facility f;
	struct err err;
	size_t len = 0;
	int rc;

	store_stmt_put_int(&q, sim_rand_below(x, 40));
	rc = store_stmt_step(&q, &err);
	if (rc == 1) {
		const uint8_t *bytes = store_stmt_get_blob(&q, &len);

		if (len == STORE_ID)
			memcpy(id, bytes, STORE_ID);
	}
	store_stmt_end(&q);
	if (rc < 0 || len != STORE_ID) {
		committed(p, rc < 0 ? rc : 0, &err, "look for an arrival");
		return;
	}
	strike.event = id;
	rc = facility_open(&f, db, NULL, &err);
	if (rc == 0)
		rc = store_db_begin(db, &err);
	if (rc == 0)
		rc = facility_strike(&f, &strike, &err);
	if (rc == 0)
		rc = store_db_commit(db, &err);
	if (rc < 0)
		store_db_rollback(db);
	committed(p, rc, &err, "strike out");
}

/* ---- edits ---- */

/* What people and programs write into a cell, as SQL. */
static const char *
literal(uint64_t *x, char room[64])
{
	static const char *const odd[] = {
		"''",
		"NULL",
		"'=1+1'",
		"'\xf0\x9f\x8d\x9a 粥'",
		"CAST(x'610062' AS TEXT)",
		"x'00ff'",
		"9223372036854775807",
		"-9223372036854775808",
		"-0.0",
		"1e308",
		"0.30000000000000004",
		"0.1",
		"'O''Neil'",
		"1.0",
		"'\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d'",
		"printf('%2000s', 'x')",
	};

	if (sim_rand_happens(x, 250))
		return odd[sim_rand_below(x, sizeof odd / sizeof odd[0])];
	snprintf(room, 64, "'t%u'", sim_rand_below(x, 1000));
	return room;
}

static void
key_of(const struct sim_peer *of, unsigned number, char hex[33])
{
	snprintf(hex, 33, "%02x%028x%02x", of->place, 0, number);
}

/* The statement of an edit of `of`'s facility's rows. */
static void
write_sql(char sql[SQL_MAX], enum sim_kind kind, const struct sim_peer *of, uint64_t *x)
{
	char key[33], room[64];
	unsigned number = sim_rand_below(x, 100);
	const char *value = literal(x, room);

	key_of(of, sim_rand_below(x, POOL), key);
	if (kind == SIM_GROUP)
		snprintf(sql, SQL_MAX, "UPDATE note SET %s = %u WHERE id = x'%s'",
		         number % 3 == 0   ? "a"
		         : number % 3 == 1 ? "b"
		                           : "a = 7, b",
		         number, key);
	else if (kind == SIM_RAISE)
		snprintf(sql, SQL_MAX,
		         "UPDATE note SET top = max(coalesce(top, 0), %u) WHERE id = x'%s'", number,
		         key);
	else if (kind == SIM_DELETE)
		snprintf(sql, SQL_MAX, "DELETE FROM note WHERE id = x'%s'", key);
	else if (kind == SIM_DAILY)
		snprintf(sql, SQL_MAX,
		         "INSERT INTO daily(child, day, facility_id, text, mood) VALUES"
		         " ('%s-%u', 1, '%s', %s, %u)"
		         " ON CONFLICT DO UPDATE SET text = excluded.text, mood = %u",
		         of->facility, number % POOL, of->facility, value, number, number);
	else if (number % 3 == 0)
		snprintf(sql, SQL_MAX,
		         "INSERT INTO note(id, facility_id, text, rank) SELECT x'%s', '%s', %s, %u"
		         " WHERE NOT EXISTS (SELECT 1 FROM note WHERE id = x'%s')",
		         key, of->facility, value, number, key);
	else
		snprintf(sql, SQL_MAX, "UPDATE note SET %s = %s WHERE id = x'%s'",
		         number % 3 == 1 ? "text" : "rank", value, key);
}

static void
edit(struct sim_peer *p, enum sim_kind kind, const struct sim_peer *of, uint64_t *x)
{
	struct store_db *db = tablet(p, sim_rand_next(x));
	char sql[SQL_MAX], key[33];
	struct err err;
	int rc;

	if (kind == SIM_CHILD && !sim_share_edit(p, db, x, sql, sizeof sql))
		return;
	if (kind != SIM_CHILD)
		write_sql(sql, kind, of, x);
	if (kind == SIM_EDIT && p->has_column && sim_rand_happens(x, 300)) {
		key_of(of, sim_rand_below(x, POOL), key);
		snprintf(sql, SQL_MAX, "UPDATE note SET mood = 'm%u' WHERE id = x'%s'",
		         sim_rand_below(x, 100), key);
	}
	rc = store_db_exec(db, sql, &err);
	sim_tell(p->sim, "peer %u: %s %d", p->no, sql, rc);
	committed(p, rc, &err, "edit");
}

/* Rows of which each is written once, in one transaction; `text` is SQL. */
static void
fresh(struct sim_peer *p, const struct sim_event *e, unsigned count, const char *text, uint64_t *x)
{
	struct store_db *db = tablet(p, sim_rand_next(x));
	char sql[SQL_MAX], hex[33];
	uint8_t id[STORE_ID];
	struct err err;
	int rc;

	snprintf(sql, sizeof sql,
	         "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
	         " INSERT INTO note(id, facility_id, text, rank)"
	         " SELECT unhex(printf('ff%%02x%016llx%%012x', %u, i)), '%s', %s, i FROM n",
	         count - 1, (unsigned long long)e->id, p->no, p->facility, text);
	rc = store_db_exec(db, sql, &err);
	sim_tell(p->sim, "peer %u: %u fresh %d", p->no, count, rc);
	if (!committed(p, rc, &err, "add notes"))
		return;
	for (unsigned i = 0; i < count; i++) {
		snprintf(hex, sizeof hex, "ff%02x%016llx%012x", p->no, (unsigned long long)e->id,
		         i);
		if (text_unhex(id, sizeof id, hex))
			sim_acks_add(p->sim, p, "note", id);
	}
}

/* A person decides the newest open conflict. */
static void
resolve(struct sim_peer *p, uint64_t *x)
{
	struct store_verdict verdict = { .by = "sim" };
	struct store_conflict *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	struct err err;
	int rc = store_db_begin(p->st.local, &err);

	if (rc == 0)
		rc = store_inbox_list(p->st.local, true, &a, &list, &count, &err);
	if (rc == 0 && count > 0) {
		verdict.conflict = &list[sim_rand_below(x, (uint32_t)count)];
		verdict.take = verdict.conflict->column != 0 && sim_rand_happens(x, 500)
		                       ? STORE_TAKE_OTHER
		                       : STORE_TAKE_SHOWN;
		rc = store_verdict_give(p->st.local, &verdict, &err);
	}
	if (rc == 0)
		rc = store_db_commit(p->st.local, &err);
	if (rc < 0)
		store_db_rollback(p->st.local);
	arena_free(&a);
	sim_tell(p->sim, "peer %u: resolve %zu %d", p->no, count, rc);
	if (committed(p, rc, &err, "resolve") && count > 0)
		sim_count(p->sim, SIM_RESOLVE);
}

/* The next version's column, by whatever tool. */
static void
add_column(struct sim_peer *p)
{
	struct err err;
	int rc;

	if (p->has_column)
		return;
	rc = store_db_exec(p->st.local, "ALTER TABLE note ADD COLUMN mood TEXT", &err);
	if (committed(p, rc, &err, "add a column"))
		p->has_column = true;
}

/* Somebody reads for long: no checkpoint gets past it. */
static void
toggle_reader(struct sim_peer *p)
{
	char path[128];
	struct err err;
	int rc;

	if (p->reader != NULL) {
		store_db_close(p->reader);
		p->reader = NULL;
		return;
	}
	snprintf(path, sizeof path, "%s/yizhan.db", p->dir);
	rc = store_db_open(path, STORE_READ, &p->env, &p->reader, &err);
	if (rc == 0)
		rc = store_db_begin(p->reader, &err);
	if (rc == 0)
		rc = store_db_exec(p->reader, "SELECT count(*) FROM note", &err);
	committed(p, rc, &err, "read");
}

/* The hub edits what is the facility's of node `p`. */
static void
at_hub(struct sim *s, const struct sim_peer *p, uint64_t *x)
{
	static const enum sim_kind kinds[] = { SIM_EDIT, SIM_GROUP, SIM_RAISE, SIM_DAILY };

	if (sim_peer_awake(&s->peers[0]))
		edit(&s->peers[0], kinds[sim_rand_below(x, 4)], p, x);
}

static const struct sim_peer *
whose(struct sim *s, const struct sim_peer *p, uint64_t *x)
{
	if (!p->is_hub)
		return p;
	for (unsigned i = sim_rand_below(x, SIM_PLACES), n = 0; n < SIM_PLACES; n++, i++)
		if (s->peers[1 + i % SIM_PLACES].exists)
			return &s->peers[1 + i % SIM_PLACES];
	return &s->peers[1];
}

static void
both(struct sim *s, struct sim_peer *p, const struct sim_event *e)
{
	uint64_t x = sim_rand(s->plan->seed, p->no, SIM_USE_EVENT, e->id), y = x;

	/* the same draws, so the same cell; what is written differs by who writes it */
	if (sim_peer_awake(&s->peers[0]))
		edit(&s->peers[0], SIM_EDIT, p, &x);
	s->now++;
	if (p->open)
		edit(p, SIM_GROUP, p, &y);
	y = sim_rand(s->plan->seed, p->no, SIM_USE_EVENT, e->id);
	if (p->open)
		edit(p, SIM_EDIT, p, &y);
}

void
sim_staff_do(struct sim *s, const struct sim_event *e)
{
	struct sim_peer *p = &s->peers[e->peer];
	uint64_t x = sim_rand(s->plan->seed, e->peer, SIM_USE_EVENT, e->id);

	if (e->kind != SIM_RESOLVE)
		sim_count(s, e->kind);
	switch ((int)e->kind) {
	case SIM_DAY:
		plan_day(p, e);
		break;
	case SIM_FRESH:
		fresh(p, e, 1, "'f' || i", &x);
		break;
	case SIM_BULK:
		fresh(p, e, 100 + sim_rand_below(&x, BULK_MAX), "'f' || i", &x);
		break;
	case SIM_HEAVY:
		/* photographs, say: more than goes into one message */
		fresh(p, e, 900, "randomblob(8000)", &x);
		break;
	case SIM_CORRECT:
		correct(p, &x);
		break;
	case SIM_AT_HUB:
		at_hub(s, p, &x);
		break;
	case SIM_BOTH:
		both(s, p, e);
		break;
	case SIM_RESOLVE:
		resolve(p, &x);
		break;
	case SIM_COLUMN:
		add_column(p);
		break;
	case SIM_SHARE:
		sim_share_say(s, &x);
		break;
	case SIM_READER:
		toggle_reader(p);
		break;
	default:
		edit(p, e->kind, whose(s, p, &x), &x);
	}
}
