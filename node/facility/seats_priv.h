/* node/facility/seats_priv.h - SQL that the seats_*.c share. */
#ifndef NODE_FACILITY_SEATS_PRIV_H
#define NODE_FACILITY_SEATS_PRIV_H

#include "node/facility/seats.h"

#include "store/stmt.h"

/* Booking b stands: it waits, is confirmed, or they came. */
#define SEATS_STANDS "b.state IN (1, 2, 3)"

/* No booking has unit u. */
#define SEATS_FREE                                                                                 \
	"(u.used_by IS NULL AND NOT EXISTS (SELECT 1 FROM booking b"                               \
	" WHERE b.seat_grant_id = u.grant_id AND b.seat_no = u.no AND " SEATS_STANDS "))"

/* Units u on their way between a holder and the hub, in the words of the index seat_unit_moving. */
#define SEATS_MOVING                                                                               \
	"SELECT u.grant_id, u.no FROM seat_unit u"                                                 \
	" WHERE (u.returned IS NOT NULL OR u.recall IS NOT NULL)"

#endif /* NODE_FACILITY_SEATS_PRIV_H */
