/*
 * node/facility/seats_platform.c - bookings that the platform writes take seats that
 * the hub holds (node/facility/seats.h): while a facility is off line, neither can
 * give away what is the other's.
 */
#include "node/facility/seats_priv.h"

#include <string.h>

struct wish {
	uint8_t grant[SEATS_GRANT];
	bool names_grant, stands, has_unit;
	int64_t no; /* 0: any */
};

/* What the booking says. */
static int
read_wish(struct store_db *db, const uint8_t *booking, struct wish *w, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT b.seat_grant_id, ifnull(b.seat_no, 0), " SEATS_STANDS
	            ", u.used_by IS b.id FROM booking b LEFT JOIN seat_unit u ON"
	            " u.grant_id = b.seat_grant_id AND u.no = b.seat_no WHERE b.id = ?");
	const uint8_t *id;
	size_t len;
	int rc;

	*w = (struct wish){ 0 };
	store_stmt_put_blob(&s, booking, STORE_ID);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		id = store_stmt_get_blob(&s, &len);
		w->names_grant = len == SEATS_GRANT;
		if (w->names_grant)
			memcpy(w->grant, id, SEATS_GRANT);
		w->no = store_stmt_get_int(&s);
		w->stands = store_stmt_get_int(&s) != 0;
		w->has_unit = store_stmt_get_int(&s) != 0;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* A unit of the hub's own and of the booking's facility that no other booking has. */
static int
find_own(struct store_db *db, const uint8_t *booking, const struct wish *w, struct seats_unit *unit,
         struct err *err)
{
	uint8_t self[SEATS_HOLDER];
	struct store_stmt s;
	int rc = seats_self(db, self, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "SELECT u.no FROM seat_unit u JOIN booking w ON w.id = ?1"
	                       " AND w.facility_id = u.facility_id WHERE u.grant_id = ?2"
	                       " AND u.holder = ?3 AND u.returned IS NULL AND ?4 IN (0, u.no)"
	                       " AND u.used_by IS NULL AND NOT EXISTS (SELECT 1 FROM booking b"
	                       " WHERE b.seat_grant_id = u.grant_id AND b.seat_no = u.no"
	                       " AND b.id <> ?1 AND " SEATS_STANDS ") ORDER BY u.no LIMIT 1");
	store_stmt_put_blob(&s, booking, STORE_ID);
	store_stmt_put_blob(&s, w->grant, SEATS_GRANT);
	store_stmt_put_blob(&s, self, sizeof self);
	store_stmt_put_int(&s, w->no);
	memcpy(unit->grant, w->grant, SEATS_GRANT);
	rc = store_stmt_step(&s, err);
	unit->no = rc == 1 ? store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	if (rc == 0)
		rc = err_set(err, ERR_DENIED, "row: the hub has no such seat left");
	return rc < 0 ? rc : 0;
}

int
seats_confirm(struct store_db *db, const uint8_t booking[STORE_ID], struct err *err)
{
	struct seats_unit unit;
	struct store_stmt s;
	struct wish w;
	int rc = read_wish(db, booking, &w, err);

	if (rc < 0 || (w.stands && w.has_unit))
		return rc;
	rc = seats_leave(db, booking, err); /* another that it named before */
	if (rc < 0 || !w.stands || !w.names_grant)
		return rc;
	rc = find_own(db, booking, &w, &unit, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "UPDATE booking SET seat_no = ? WHERE id = ?");
	store_stmt_put_int(&s, unit.no);
	store_stmt_put_blob(&s, booking, STORE_ID);
	rc = store_stmt_run(&s, err);
	return rc == 0 ? seats_use(db, &unit, booking, err) : rc;
}
