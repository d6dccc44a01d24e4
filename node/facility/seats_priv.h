/* node/facility/seats_priv.h - SQL that the seats_*.c share. */
#ifndef NODE_FACILITY_SEATS_PRIV_H
#define NODE_FACILITY_SEATS_PRIV_H

#include "node/facility/seats.h"

#include "store/stmt.h"

/* The booking stands: it waits, is confirmed, or they came. */
#define SEATS_STANDS(b) b ".state IN (1, 2, 3)"

/* No booking has unit u. */
#define SEATS_FREE(u)                                                                              \
	"(" u ".used_by IS NULL AND NOT EXISTS (SELECT 1 FROM booking b"                           \
	" WHERE b.seat_grant_id = " u ".grant_id AND b.seat_no = " u ".no"                         \
	" AND " SEATS_STANDS("b") "))"

/* Unit u is the holder's, a parameter, who hasn't given it back. */
#define SEATS_HELD(u, holder) "(" u ".holder = " holder " AND " u ".returned IS NULL)"

/* "no such place to be had": the same words wherever a booking is refused. */
int seats_none_left(struct err *err);

/* Does the query with the one parameter, this file's own site, give a row? */
MUST_CHECK int seats_any(struct store_db *db, const char *sql, bool *yes, struct err *err);

#endif /* NODE_FACILITY_SEATS_PRIV_H */
