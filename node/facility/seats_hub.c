/*
 * node/facility/seats_hub.c - the hub gives seats out and gets them back
 * (node/facility/seats.h).
 *
 * What isn't granted is held by the hub itself, as a holder like any other: so
 * there is one rule for who may book, and a hub that was put back has none of the
 * units that its file still shows as its own: it may have granted them since.
 */
#include "node/facility/seats_priv.h"

#include "store/base/mutant.h"
#include "store/base/text.h"
#include "sync/life.h"

#include <string.h>

#define EPOCH_KEY "seats_epoch" /* yz_meta: the later life in which seats are given out */

/* ---- which life ---- */

/* May this hub give out seats?  In its first life, and in a later one after seats_resume(). */
static int
may_give(struct store_db *db, bool *yes, struct err *err)
{
	struct store_site self;
	struct buf epoch = { 0 };
	int64_t began;
	int rc = sync_life_began(db, &began, err);

	*yes = rc == 0 && (began == 0 || MUT(46));
	if (rc < 0 || *yes)
		return rc;
	rc = store_meta_self(db, &self, err);
	if (rc == 0)
		rc = store_meta_get(db, EPOCH_KEY, &epoch, err);
	*yes = rc == 0 && epoch.len == STORE_EPOCH &&
	       memcmp(epoch.bytes, self.epoch, STORE_EPOCH) == 0;
	buf_free(&epoch);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
seats_paused(struct store_db *db, bool *yes, struct err *err)
{
	bool may = false;
	int64_t quotas = 0;
	int rc = may_give(db, &may, err);

	if (rc == 0 && !may)
		rc = store_stmt_int(db, "SELECT count(*) FROM seat_quota", 0, &quotas, err);
	*yes = quotas > 0;
	return rc;
}

/* The same, as a refusal; then who we are. */
static int
begin(struct store_db *db, uint8_t self[SEATS_HOLDER], struct err *err)
{
	bool yes;
	int rc = may_give(db, &yes, err);

	if (rc == 0 && !yes)
		rc = err_set(
		        err, ERR_DENIED,
		        "this hub was put back or copied, so it doesn't know what it has given "
		        "out since; let every node sync, then: yizhan seats resume --override "
		        "REASON");
	return rc == 0 ? seats_self(db, self, err) : rc;
}

/* ---- capacity ---- */

static int
put_quota(struct store_db *db, const struct seats_grant *in, const uint8_t *grant, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT INTO seat_quota(id, facility_id, resource, period, cap)"
	            " VALUES (?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET cap = excluded.cap");

	store_stmt_put_blob(&s, grant, SEATS_GRANT);
	store_stmt_put_text(&s, in->kind.facility);
	store_stmt_put_text(&s, in->kind.resource);
	store_stmt_put_text(&s, in->kind.period);
	store_stmt_put_int(&s, in->cap);
	return store_stmt_run(&s, err);
}

/* Units 1..cap that aren't there, held by the hub. */
static int
put_units(struct store_db *db, const struct seats_grant *in, const uint8_t *grant,
          const uint8_t *self, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT INTO seat_unit(grant_id, no, facility_id, resource, period, holder)"
	            " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
	            " SELECT ?2, i, ?3, ?4, ?5, ?6 FROM n WHERE i <= ?1 ON CONFLICT DO NOTHING");

	store_stmt_put_int(&s, in->cap);
	store_stmt_put_blob(&s, grant, SEATS_GRANT);
	store_stmt_put_text(&s, in->kind.facility);
	store_stmt_put_text(&s, in->kind.resource);
	store_stmt_put_text(&s, in->kind.period);
	store_stmt_put_blob(&s, self, SEATS_HOLDER);
	return store_stmt_run(&s, err);
}

/* How many seats of the grant there are; -1: none was ever given out.  A hub that was put back
 * hears from the nodes of more than it remembers. */
static int
get_cap(struct store_db *db, const uint8_t *grant, int64_t *cap, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db,
	        "SELECT max(cap, ifnull((SELECT max(no) FROM seat_unit WHERE grant_id = id), 0))"
	        " FROM seat_quota WHERE id = ?");
	int rc;

	store_stmt_put_blob(&s, grant, SEATS_GRANT);
	rc = store_stmt_step(&s, err);
	*cap = rc == 1 ? store_stmt_get_int(&s) : -1;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

static int
set_cap(struct store_db *db, const struct seats_grant *in, const uint8_t *self, struct err *err)
{
	uint8_t grant[SEATS_GRANT];
	int64_t have;
	int rc;

	seats_grant_id(&in->kind, grant);
	rc = get_cap(db, grant, &have, err);
	if (rc < 0)
		return rc;
	if (in->cap < 0 && have < 0)
		return err_set(
		        err, ERR_NOTFOUND,
		        "how many seats of %.64s facility %.64s has isn't known; say it with "
		        "--cap N",
		        in->kind.resource, in->kind.facility);
	if (in->cap < 0)
		return 0;
	if (in->cap < have)
		return err_set(err, ERR_INVALID,
		               "there are %lld seats of %.64s already and the number only grows; "
		               "take back those that nobody shall have",
		               (long long)have, in->kind.resource);
	rc = put_quota(db, in, grant, err);
	return rc == 0 ? put_units(db, in, grant, self, err) : rc;
}

/* ---- giving ---- */

#define RETURNED SEATS_MOVING " AND u.returned IS NOT NULL AND " SEATS_FREE

/* What was given back is the hub's again. */
static int
collect(struct store_db *db, const uint8_t *self, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "UPDATE seat_unit SET holder = ?, returned = NULL, recall = NULL"
	                           " WHERE (grant_id, no) IN (" RETURNED ")");

	store_stmt_put_blob(&s, self, SEATS_HOLDER);
	return store_stmt_run(&s, err);
}

/* So many of the hub's own go to the holder, as far as there are. */
static int
give(struct store_db *db, const uint8_t *self, const struct seats_grant *in, const uint8_t *grant,
     struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE seat_unit SET holder = ?1, recall = NULL WHERE grant_id = ?2 AND no IN"
	            " (SELECT u.no FROM seat_unit u WHERE u.grant_id = ?2"
	            " AND u.holder = ?3 AND u.returned IS NULL AND " SEATS_FREE
	            " ORDER BY u.no LIMIT ?4)");

	store_stmt_put_blob(&s, in->holder, SEATS_HOLDER);
	store_stmt_put_blob(&s, grant, SEATS_GRANT);
	store_stmt_put_blob(&s, self, SEATS_HOLDER);
	store_stmt_put_int(&s, in->units);
	return store_stmt_run(&s, err);
}

/* An administrator who grants allows the holder as many as it asks for. */
static int
allow(struct store_db *db, const uint8_t *grant, const uint8_t *holder, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE seat_ask SET most = NULL WHERE grant_id = ? AND holder = ?");

	store_stmt_put_blob(&s, grant, SEATS_GRANT);
	store_stmt_put_blob(&s, holder, SEATS_HOLDER);
	return store_stmt_run(&s, err);
}

int
seats_grant(struct store_db *db, const struct seats_grant *in, struct err *err)
{
	uint8_t self[SEATS_HOLDER], grant[SEATS_GRANT];
	int rc = seats_check(&in->kind, err);

	if (rc == 0 && (in->cap > SEATS_MAX || in->units < 0 || in->units > SEATS_MAX))
		rc = err_set(err, ERR_INVALID, "there are 0 to %d seats of a kind", SEATS_MAX);
	if (rc == 0)
		rc = begin(db, self, err);
	if (rc == 0)
		rc = collect(db, self, err);
	if (rc == 0)
		rc = set_cap(db, in, self, err);
	if (rc < 0 || in->units == 0)
		return rc;
	seats_grant_id(&in->kind, grant);
	rc = give(db, self, in, grant, err);
	if (rc == 0 && store_stmt_changes(db) < in->units)
		return err_set(err, ERR_DENIED,
		               "the hub has only %lld free seats of %.64s left; take some back, or "
		               "raise --cap",
		               (long long)store_stmt_changes(db), in->kind.resource);
	return rc == 0 ? allow(db, grant, in->holder, err) : rc;
}

/* ---- answering who asks ---- */

/* ?1: the hub, ?2: the holder who has come.  The grant, and how many it lacks. */
#define ASKED                                                                                      \
	"SELECT a.grant_id, min(a.wanted, ifnull(a.most, a.wanted)) - (SELECT count(*)"            \
	" FROM seat_unit u WHERE u.grant_id = a.grant_id AND u.holder = ?2"                        \
	" AND u.returned IS NULL AND u.recall IS NULL AND " SEATS_FREE ") AS lacks"                \
	" FROM seat_ask a WHERE a.holder = ?2 AND lacks > 0 AND EXISTS (SELECT 1"                  \
	" FROM seat_unit u WHERE u.grant_id = a.grant_id AND u.holder = ?1"                        \
	" AND u.returned IS NULL AND " SEATS_FREE ") ORDER BY a.grant_id LIMIT 1"

/* The node in its present life; 0 if it never came, or this hub may not give. */
static int
comer(struct store_db *db, const uint8_t node[STORE_NODE_ID], uint8_t self[SEATS_HOLDER],
      uint8_t holder[SEATS_HOLDER], struct err *err)
{
	bool yes;
	int rc = may_give(db, &yes, err);

	if (rc < 0 || !yes)
		return rc;
	rc = seats_self(db, self, err);
	memcpy(holder, node, STORE_NODE_ID);
	return rc == 0 ? sync_life_epoch(db, node, holder + STORE_NODE_ID, err) : rc;
}

/* 1, and what the holder lacks of one grant, of which the hub has some; or 0. */
static int
next_asked(struct store_db *db, const uint8_t *self, const uint8_t *holder,
           uint8_t grant[SEATS_GRANT], int64_t *lacks, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, ASKED);
	const uint8_t *id;
	size_t len;
	int rc;

	store_stmt_put_blob(&s, self, SEATS_HOLDER);
	store_stmt_put_blob(&s, holder, SEATS_HOLDER);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		id = store_stmt_get_blob(&s, &len);
		rc = len == SEATS_GRANT;
		if (rc == 1)
			memcpy(grant, id, SEATS_GRANT);
		*lacks = store_stmt_get_int(&s);
	}
	store_stmt_end(&s);
	return rc;
}

int
seats_asked(struct store_db *db, const uint8_t node[STORE_NODE_ID], bool *yes, struct err *err)
{
	uint8_t self[SEATS_HOLDER], holder[SEATS_HOLDER], grant[SEATS_GRANT];
	int64_t some, lacks;
	int rc = comer(db, node, self, holder, err);

	*yes = false;
	if (rc <= 0)
		return rc;
	rc = store_stmt_int(db, "SELECT count(*) FROM (" RETURNED " LIMIT 1)", 0, &some, err);
	if (rc == 0 && some == 0)
		rc = next_asked(db, self, holder, grant, &lacks, err);
	*yes = rc == 1 || some == 1;
	return rc < 0 ? rc : 0;
}

int
seats_answer(struct store_db *db, const uint8_t node[STORE_NODE_ID], struct err *err)
{
	uint8_t self[SEATS_HOLDER], holder[SEATS_HOLDER], grant[SEATS_GRANT];
	struct seats_grant in = { .holder = holder };
	int rc = comer(db, node, self, holder, err);

	if (rc <= 0)
		return rc;
	rc = collect(db, self, err);
	while (rc == 0 && (rc = next_asked(db, self, holder, grant, &in.units, err)) == 1)
		rc = give(db, self, &in, grant, err);
	return rc;
}

/* ---- taking back ---- */

/* Row u's holder (?2: not the hub as it is) whose hex digits begin with ?3 and ?4; of a grant or
 * (?1 NULL) of all. */
#define THEIRS                                                                                     \
	"(?1 IS NULL OR u.grant_id = ?1) AND u.holder <> ?2"                                       \
	" AND substr(lower(hex(u.holder)), 1, length(?3)) = ?3"                                    \
	" AND substr(lower(hex(u.holder)), 33, length(?4)) = ?4"

struct taking {
	const uint8_t *grant; /* NULL: all */
	const uint8_t *self;
	const struct seats_take_back *in;
};

static void
put_theirs(struct store_stmt *s, const struct taking *t)
{
	if (t->grant == NULL)
		store_stmt_put_null(s);
	else
		store_stmt_put_blob(s, t->grant, SEATS_GRANT);
	store_stmt_put_blob(s, t->self, SEATS_HOLDER);
	store_stmt_put_text(s, t->in->node);
	store_stmt_put_text(s, t->in->epoch);
}

/* The holders' own word gives them back, when they hear of it. */
static int
ask_back(struct store_db *db, const struct taking *t, int64_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE seat_unit SET recall = 1 WHERE recall IS NULL AND (grant_id, no) IN"
	            " (SELECT grant_id, no FROM (SELECT u.grant_id, u.no, row_number() OVER"
	            " (PARTITION BY u.grant_id, u.holder ORDER BY u.no) AS place FROM seat_unit u"
	            " WHERE " THEIRS " AND u.returned IS NULL AND " SEATS_FREE ")"
	            " WHERE place > ?5)");
	int rc;

	put_theirs(&s, t);
	store_stmt_put_int(&s, t->in->leave);
	rc = store_stmt_run(&s, err);
	*count = rc == 0 ? store_stmt_changes(db) : 0;
	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "UPDATE seat_ask AS u SET most = ?5 WHERE " THEIRS);
	put_theirs(&s, t);
	store_stmt_put_int(&s, t->in->leave);
	return store_stmt_run(&s, err);
}

/* Nobody asks the holder: it may book them still, until it hears of it. */
static int
take(struct store_db *db, const struct taking *t, int64_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db,
	        "INSERT INTO seat_override(id, facility_id, grant_id, no, holder, reason,"
	        " by_name, at) SELECT yz_id(), u.facility_id, u.grant_id, u.no, u.holder, ?5, ?6,"
	        " ?7 FROM seat_unit u WHERE " THEIRS);
	int rc;

	put_theirs(&s, t);
	store_stmt_put_text(&s, t->in->reason);
	store_stmt_put_text(&s, t->in->by);
	store_stmt_put_int(&s, t->in->at);
	rc = store_stmt_run(&s, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(db,
	                   "UPDATE seat_unit AS u SET holder = ?2, returned = NULL, recall = NULL"
	                   " WHERE " THEIRS);
	put_theirs(&s, t);
	rc = store_stmt_run(&s, err);
	*count = rc == 0 ? store_stmt_changes(db) : 0;
	return rc;
}

int
seats_take_back(struct store_db *db, const struct seats_take_back *in, int64_t *count,
                struct err *err)
{
	uint8_t self[SEATS_HOLDER], grant[SEATS_GRANT];
	struct taking t = { .grant = grant, .self = self, .in = in };
	int64_t cap;
	int rc = seats_check(&in->kind, err);

	*count = 0;
	if (rc == 0 && (in->leave < 0 || in->leave > SEATS_MAX))
		rc = err_set(err, ERR_INVALID, "a holder can be left 0 to %d seats", SEATS_MAX);
	if (rc == 0)
		rc = begin(db, self, err);
	if (rc < 0)
		return rc;
	seats_grant_id(&in->kind, grant);
	rc = get_cap(db, grant, &cap, err);
	if (rc == 0 && cap < 0)
		rc = err_set(
		        err, ERR_NOTFOUND,
		        "no seats of %.64s were given out to facility %.64s; yizhan seats list "
		        "shows what was",
		        in->kind.resource, in->kind.facility);
	if (rc < 0)
		return rc;
	return in->reason == NULL ? ask_back(db, &t, count, err) : take(db, &t, count, err);
}

int
seats_resume(struct store_db *db, const struct seats_take_back *why, bool *waited, int64_t *count,
             struct err *err)
{
	uint8_t self[SEATS_HOLDER];
	char node[2 * STORE_NODE_ID + 1];
	struct seats_take_back in = *why;
	struct taking t = { .self = self, .in = &in };
	bool gives;
	int rc = may_give(db, &gives, err);

	*waited = !gives;
	if (rc == 0)
		rc = seats_self(db, self, err);
	if (rc < 0)
		return rc;
	text_hex(node, self, STORE_NODE_ID);
	in.node = node;
	in.epoch = "";
	rc = take(db, &t, count, err);
	if (rc < 0 || gives)
		return rc;
	return store_meta_set(db, EPOCH_KEY, self + STORE_NODE_ID, STORE_EPOCH, err);
}
