/*
 * store/pg/tables.h - the hub's tables in the big engine: made, and looked at.
 */
#ifndef STORE_PG_TABLES_H
#define STORE_PG_TABLES_H

#include "store/pg/link.h"

enum { STORE_PG_FORMAT = 1 };

/*
 * Make what isn't there yet, for so many facility parts (1 to STORE_PG_PARTS_MAX - 2), one
 * statement at a time; a second process may do the same at once, and one that was killed is gone on
 * from. Then as store_pg_ready.  ERR_INVALID if the tables are there with another number of parts.
 */
MUST_CHECK int store_pg_make(struct store_pg *pg, int facility_parts, struct err *err);

/* The tables must be there, in our format.  ERR_NOTFOUND: nothing has been made yet; ERR_INVALID:
 * another version's. */
MUST_CHECK int store_pg_ready(struct store_pg *pg, struct err *err);

#endif /* STORE_PG_TABLES_H */
