/*
 * node/facility/public.h - what everybody may know of a facility: the hub keeps
 * facility_public (scope `all`), a row for each facility whose own row it has.
 *
 * It follows from `facility`, which the facility and the district write; nobody writes it by hand
 * for long.  A facility whose row is gone, or hasn't come back to a hub that was put back, keeps
 * the row that it has here: that it is there no more is said by its `status`.
 */
#ifndef NODE_FACILITY_PUBLIC_H
#define NODE_FACILITY_PUBLIC_H

#include "store/db.h"

#include <stdbool.h>

/* Is there something for facility_public_keep() to write?  Needs no transaction. */
MUST_CHECK int facility_public_stale(struct store_db *db, bool *yes, struct err *err);

/* Write what differs, and nothing else, on a LOCAL connection of a hub.  In a transaction. */
MUST_CHECK int facility_public_keep(struct store_db *db, struct err *err);

#endif /* NODE_FACILITY_PUBLIC_H */
