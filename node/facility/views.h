/*
 * node/facility/views.h - the v1_* views: the contract of whoever reads the database from outside.
 *
 * They are the same in a facility's file, in the hub's and in a snapshot, but for
 * those of views_district.sql, which look at all facilities and at what the hub
 * knows of their nodes: the hub's and its snapshots' only.  A view's SQL has each
 * personal column on a line of its own, marked; without these lines it is what
 * stands in a snapshot whose token doesn't read them.
 */
#ifndef NODE_FACILITY_VIEWS_H
#define NODE_FACILITY_VIEWS_H

#include "store/base/arena.h"
#include "store/db.h"

#include <stddef.h>

struct facility_view {
	const char *name;
	const char *about;    /* the comment above it: lines, without their dashes */
	const char *sql;      /* CREATE VIEW, without what ends it */
	const char *personal; /* its personal columns with blanks between them; "" if none */
	bool all_personal;    /* nothing is left of it without them */
	bool is_hubs;         /* views_district.sql's */
};

/* Which of them, and how. */
struct facility_views_ask {
	bool is_hub;   /* the hub's, too */
	bool personal; /* with personal columns; else without, and views that are all personal
	                  aren't there */
};

/* The views in the order in which they can be made; they live in `a`.  ERR_NOMEM. */
MUST_CHECK int facility_views_list(struct facility_views_ask ask, struct arena *a,
                                   struct facility_view **list, size_t *count, struct err *err);

/* Is this the name of one of them? */
bool facility_views_owns(const char *name);

/* Make them as this program has them, if they aren't so yet.  In a transaction. */
MUST_CHECK int facility_views_make(struct store_db *db, bool is_hub, struct err *err);

/* Were they made as this program has them?  (Somebody may have taken one away since.) */
MUST_CHECK int facility_views_are_made(struct store_db *db, bool is_hub, bool *yes,
                                       struct err *err);

/* Take them away until they are made again: tables can't be changed under a view that reads them.
 * In a transaction. */
MUST_CHECK int facility_views_drop(struct store_db *db, struct err *err);

#endif /* NODE_FACILITY_VIEWS_H */
