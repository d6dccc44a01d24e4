/*
 * node/facility/alias.h - one person who was registered twice.
 *
 * Two nodes that register a child before they have met make two rows of child with one id_hash (the
 * facility's key, node/id_key.h).  Neither is ever deleted or merged into the other: ten other
 * tables name them.  They are linked by an event, child_alias(alias_id, child_id): the first of the
 * two is the second, who has the lowest id of all of them.  Its key is all of it, so that several
 * nodes that find the same write one row, in any order, and nobody has lost against anybody.
 *
 * Whose id_hash was made by another key (before the node was enrolled) is found once the
 * number has been imported again.
 */
#ifndef NODE_FACILITY_ALIAS_H
#define NODE_FACILITY_ALIAS_H

#include "store/base/arena.h"
#include "store/id.h"

#include <stdbool.h>

/* Are there registrations of one person that nobody has linked? */
MUST_CHECK int alias_unlinked(struct store_db *db, bool *yes, struct err *err);

/* Link them; on a STORE_LOCAL connection, in the caller's transaction.  Those of a child who has
 * left the facility (store/share.h) are let be: what is written of her goes nowhere. */
MUST_CHECK int alias_link(struct store_db *db, struct err *err);

struct alias {
	const char *facility;
	uint8_t child[STORE_ID], alias[STORE_ID];
	const char *name, *alias_name; /* as they stand in the two rows */
	int64_t birth_date;            /* 0: not told */
};

/* All that are linked, by facility and child; they live in `a`. */
MUST_CHECK int alias_list(struct store_db *db, struct arena *a, struct alias **list, size_t *count,
                          struct err *err);

#endif /* NODE_FACILITY_ALIAS_H */
