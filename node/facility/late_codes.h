/*
 * node/facility/late_codes.h - names of codes that came after the seeds: the hub writes them, like
 * any row of a catalogue, and they go to all.
 *
 * They are no seeds.  Those come with the program and aren't sent, so one that an upgrade brought
 * would make the rows of a new file and of an older program's differ, at equal records.
 */
#ifndef NODE_FACILITY_LATE_CODES_H
#define NODE_FACILITY_LATE_CODES_H

#include "store/db.h"

#include <stdbool.h>

/* Is one of them without a name, of whatever version?  Needs no transaction. */
MUST_CHECK int facility_late_codes_stale(struct store_db *db, bool *yes, struct err *err);

/* Name those, on a LOCAL connection of a hub.  In a transaction. */
MUST_CHECK int facility_late_codes_keep(struct store_db *db, struct err *err);

#endif /* NODE_FACILITY_LATE_CODES_H */
