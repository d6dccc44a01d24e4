/*
 * store/pg/link.h - one connection to a big hub's engine: PostgreSQL, or what
 * speaks its protocol and this subset of its SQL (store/DESIGN.md).
 *
 * Every transaction is explicit and READ COMMITTED.  A failure that another try
 * may cure (the connection is gone, a deadlock, a serialisation failure, a
 * server that stops) is ERR_BUSY; the transaction is over then, and so is what
 * it has done, unless the failure came while it was being committed: that may
 * have happened or not.  So whoever tries again must look first whether it is
 * done (store_pg_work in store/pg/head.h).
 *
 * ERR_CORRUPT: the tables aren't ours any more; ERR_FULL: the server's disk is
 * spent; ERR_IO: everything else.  No message has the conninfo in it, which may
 * hold a password.
 */
#ifndef STORE_PG_LINK_H
#define STORE_PG_LINK_H

#include "store/base/err.h"

#include <stdbool.h>

struct store_pg;

/* Connect by a libpq conninfo; the tables are looked at by store_pg_ready (store/pg/tables.h).
 * ERR_BUSY if the server isn't there.  Owned by the caller. */
MUST_CHECK int store_pg_open(const char *conninfo, struct store_pg **pg, struct err *err);
void store_pg_close(struct store_pg *pg);

/* Connect anew, after ERR_BUSY; what was known of names and parts stays. */
MUST_CHECK int store_pg_renew(struct store_pg *pg, struct err *err);

#endif /* STORE_PG_LINK_H */
