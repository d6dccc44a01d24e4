#include "tests/pg_help.h"

#include "store/pg/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct err pg_err;
char pg_conninfo[2048];
struct store_pg *pg_hub;
PGconn *pg_own;

void
pg_must(int rc)
{
	ck_assert_msg(rc >= 0, "%d: %s", rc, pg_err.msg);
}

void
pg_begin(void)
{
	pg_cluster_drop("pg");
	snprintf(pg_conninfo, sizeof pg_conninfo, "%s", pg_cluster_namespace("pg"));
	pg_own = pg_cluster_connect(pg_conninfo);
	pg_must(store_pg_open(pg_conninfo, &pg_hub, &pg_err));
	pg_must(store_pg_make(pg_hub, PG_PARTS, &pg_err));
}

void
pg_end(void)
{
	store_pg_close(pg_hub);
	PQfinish(pg_own);
}

int64_t
pg_number(const char *sql)
{
	PGresult *result = PQexec(pg_own, sql);
	int64_t value;

	ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQerrorMessage(pg_own));
	value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return value;
}

void
pg_refused(int rc, int code, const char *words)
{
	ck_assert_msg(rc == code, "%d, not %d: %s", rc, code, pg_err.msg);
	ck_assert_msg(strstr(pg_err.msg, words) != NULL, "\"%s\" says nothing of \"%s\"",
	              pg_err.msg, words);
	ck_assert_ptr_null(strchr(pg_err.msg, '\n'));
}
