/* tests/pg_help.h - a hub's tables in PostgreSQL, made anew for each test, and what is asked of
 * them. */
#ifndef TESTS_PG_HELP_H
#define TESTS_PG_HELP_H

#include "tests/pg_cluster.h"

#include <check.h>
#include <stdint.h>

enum { PG_PARTS = 8 };

extern struct err pg_err;
extern char pg_conninfo[2048];
extern struct store_pg *pg_hub;
extern PGconn *pg_own; /* past our code */

/* A checked fixture. */
void pg_begin(void);
void pg_end(void);

/* It must have gone well; pg_err says why not. */
void pg_must(int rc);

/* It must have failed with that code and these words, in one line. */
void pg_refused(int rc, int code, const char *words);

/* The first value of a query past our code. */
int64_t pg_number(const char *sql);

#endif /* TESTS_PG_HELP_H */
