/* node/facility/seats.c - what every holder of seats does with its own (node/facility/seats.h). */
#include "node/facility/seats_priv.h"

#include "store/base/hash.h"
#include "store/base/text.h"

#include <assert.h>
#include <string.h>

static int
check_text(const char *what, const char *text, bool needed, struct err *err)
{
	size_t len = strlen(text), bad;

	if (len == 0 && needed)
		return err_set(err, ERR_INVALID, "%s: is needed", what);
	if (len > SEATS_TEXT_MAX)
		return err_set(err, ERR_INVALID, "%s: %zu bytes are too many, %d is the limit",
		               what, len, SEATS_TEXT_MAX);
	if (!text_is_utf8(text, len, &bad))
		return err_set(err, ERR_INVALID, "%s: is not UTF-8", what);
	return 0;
}

int
seats_check(const struct seats_kind *kind, struct err *err)
{
	int rc = check_text("facility", kind->facility, true, err);

	if (rc == 0)
		rc = check_text("resource", kind->resource, true, err);
	return rc == 0 ? check_text("period", kind->period, false, err) : rc;
}

/* The texts with a zero behind each, so that no two kinds are the same bytes. */
void
seats_grant_id(const struct seats_kind *kind, uint8_t id[SEATS_GRANT])
{
	const char *const texts[] = { "yizhan-seats-1", kind->facility, kind->resource,
		                      kind->period };
	char bytes[4 * (SEATS_TEXT_MAX + 1)];
	size_t len = 0;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		size_t n = strlen(texts[i]) + 1;

		assert(n <= SEATS_TEXT_MAX + 1); /* by seats_check() */
		memcpy(bytes + len, texts[i], n);
		len += n;
	}
	hash_once(id, SEATS_GRANT, bytes, len);
}

int
seats_self(struct store_db *db, uint8_t holder[SEATS_HOLDER], struct err *err)
{
	struct store_site self;
	int rc = store_meta_self(db, &self, err);

	if (rc < 0)
		return rc;
	memcpy(holder, self.node, STORE_NODE_ID);
	memcpy(holder + STORE_NODE_ID, self.epoch, STORE_EPOCH);
	return 0;
}

/* ---- using a unit ---- */

/* What the hub asks for goes last: it may still get it. */
int
seats_find(struct store_db *db, const struct seats_kind *kind, struct seats_unit *unit,
           struct err *err)
{
	uint8_t self[SEATS_HOLDER];
	struct store_stmt s;
	int rc = seats_self(db, self, err);

	if (rc < 0)
		return rc;
	seats_grant_id(kind, unit->grant);
	s = store_stmt_new(db, "SELECT u.no FROM seat_unit u WHERE u.grant_id = ?1"
	                       " AND u.holder = ?2 AND u.returned IS NULL AND " SEATS_FREE
	                       " ORDER BY u.recall IS NOT NULL, u.no LIMIT 1");
	store_stmt_put_blob(&s, unit->grant, SEATS_GRANT);
	store_stmt_put_blob(&s, self, sizeof self);
	rc = store_stmt_step(&s, err);
	unit->no = rc == 1 ? store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	return rc == 1  ? 0
	       : rc < 0 ? rc
	                : err_set(err, ERR_DENIED, "no seats left here; ask the hub for more");
}

int
seats_use(struct store_db *db, const struct seats_unit *unit, const uint8_t booking[STORE_ID],
          struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE seat_unit SET used_by = ? WHERE grant_id = ? AND no = ?");

	store_stmt_put_blob(&s, booking, STORE_ID);
	store_stmt_put_blob(&s, unit->grant, SEATS_GRANT);
	store_stmt_put_int(&s, unit->no);
	return store_stmt_run(&s, err);
}

/* Whoever lost a conflict about the unit still names it: the place isn't free because the winner
 * has gone. */
int
seats_leave(struct store_db *db, const uint8_t booking[STORE_ID], struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE seat_unit SET used_by = (SELECT b.id FROM booking b"
	            " WHERE b.seat_grant_id = seat_unit.grant_id AND b.seat_no = seat_unit.no"
	            " AND b.id <> ?1 AND " SEATS_STANDS " ORDER BY b.id LIMIT 1)"
	            " WHERE used_by = ?1");

	store_stmt_put_blob(&s, booking, STORE_ID);
	return store_stmt_run(&s, err);
}

/* ---- asking and giving back ---- */

int
seats_ask(struct store_db *db, const struct seats_ask *in, struct err *err)
{
	uint8_t self[SEATS_HOLDER], grant[SEATS_GRANT];
	struct store_stmt s;
	int rc = seats_check(&in->kind, err);

	if (rc == 0 && (in->wanted < 0 || in->wanted > SEATS_MAX))
		rc = err_set(err, ERR_INVALID, "ask for 0 to %d seats", SEATS_MAX);
	if (rc == 0)
		rc = seats_self(db, self, err);
	if (rc < 0)
		return rc;
	seats_grant_id(&in->kind, grant);
	s = store_stmt_new(db,
	                   "INSERT INTO seat_ask(grant_id, holder, facility_id, wanted, asked_at)"
	                   " SELECT id, ?2, facility_id, ?3, ?4 FROM seat_quota WHERE id = ?1"
	                   " ON CONFLICT(grant_id, holder) DO UPDATE SET wanted = ?3,"
	                   " asked_at = ?4");
	store_stmt_put_blob(&s, grant, sizeof grant);
	store_stmt_put_blob(&s, self, sizeof self);
	store_stmt_put_int(&s, in->wanted);
	store_stmt_put_int(&s, in->at);
	rc = store_stmt_run(&s, err);
	if (rc == 0 && store_stmt_changes(db) == 0)
		rc = err_set(err, ERR_NOTFOUND,
		             "the hub gives out no seats of %.64s%s%.64s here; its administrator "
		             "says how many there are with yizhan seats grant",
		             in->kind.resource, in->kind.period[0] == 0 ? "" : " for ",
		             in->kind.period);
	return rc;
}

/* Who gives back doesn't want them again with the next meeting. */
static int
want_less(struct store_db *db, const uint8_t *grant, const uint8_t *self, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE seat_ask SET wanted = min(wanted, (SELECT count(*) FROM seat_unit u"
	            " WHERE u.grant_id = ?1 AND u.holder = ?2 AND u.returned IS NULL"
	            " AND " SEATS_FREE ")) WHERE grant_id = ?1 AND holder = ?2");

	store_stmt_put_blob(&s, grant, SEATS_GRANT);
	store_stmt_put_blob(&s, self, SEATS_HOLDER);
	return store_stmt_run(&s, err);
}

int
seats_give_back(struct store_db *db, const struct seats_kind *kind, int64_t most, int64_t *back,
                struct err *err)
{
	uint8_t self[SEATS_HOLDER], grant[SEATS_GRANT];
	struct store_stmt s;
	int rc = seats_check(kind, err);

	if (rc == 0)
		rc = seats_self(db, self, err);
	if (rc < 0)
		return rc;
	seats_grant_id(kind, grant);
	s = store_stmt_new(db, "UPDATE seat_unit SET returned = 1 WHERE grant_id = ?1 AND no IN"
	                       " (SELECT u.no FROM seat_unit u WHERE u.grant_id = ?1"
	                       " AND u.holder = ?2 AND u.returned IS NULL AND " SEATS_FREE
	                       " ORDER BY u.recall IS NULL, u.no DESC LIMIT ?3)");
	store_stmt_put_blob(&s, grant, sizeof grant);
	store_stmt_put_blob(&s, self, sizeof self);
	store_stmt_put_int(&s, most);
	rc = store_stmt_run(&s, err);
	*back = rc == 0 ? store_stmt_changes(db) : 0;
	return rc == 0 ? want_less(db, grant, self, err) : rc;
}

#define UNSETTLED                                                                                  \
	SEATS_MOVING " AND u.recall IS NOT NULL AND u.returned IS NULL AND u.holder = ?1"          \
	             " AND " SEATS_FREE

int
seats_unsettled(struct store_db *db, bool *yes, struct err *err)
{
	uint8_t self[SEATS_HOLDER];
	struct store_stmt s;
	int rc = seats_self(db, self, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(db, UNSETTLED " LIMIT 1");
	store_stmt_put_blob(&s, self, sizeof self);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	*yes = rc == 1;
	return rc < 0 ? rc : 0;
}

int
seats_settle(struct store_db *db, struct err *err)
{
	uint8_t self[SEATS_HOLDER];
	struct store_stmt s;
	int rc = seats_self(db, self, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "UPDATE seat_unit SET returned = 1"
	                       " WHERE (grant_id, no) IN (" UNSETTLED ")");
	store_stmt_put_blob(&s, self, sizeof self);
	return store_stmt_run(&s, err);
}
