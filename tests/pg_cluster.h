/*
 * tests/pg_cluster.h - a PostgreSQL to test against: the one whose conninfo is in
 * YIZHAN_TEST_PG (Citus, YugabyteDB, whatever speaks the protocol), else one of
 * our own in a temporary directory, which ends with the program.
 *
 * Nothing needs more than one namespace of a database, and nothing assumes that
 * there is a single server behind it.
 */
#ifndef TESTS_PG_CLUSTER_H
#define TESTS_PG_CLUSTER_H

#include "store/pg/link.h"

#include <postgresql/libpq-fe.h>

/* Have a server; for an unchecked fixture, so that it is there once for all tests.  Says what is
 * missing and ends the program if there can't be one. */
void pg_cluster_begin(void);

/*
 * The conninfo of an empty namespace of this name, made if it isn't there; the process's id is
 * in it, so that programs don't meet in a server they share.  Borrowed until the next call.
 */
const char *pg_cluster_namespace(const char *name);

/* Drop it, with all that is in it. */
void pg_cluster_drop(const char *name);

/* A connection of the test's own, past our code; and a statement on it, which must succeed. */
PGconn *pg_cluster_connect(const char *conninfo);
void pg_cluster_exec(PGconn *conn, const char *sql);

#endif /* TESTS_PG_CLUSTER_H */
