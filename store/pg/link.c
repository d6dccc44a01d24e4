/* store/pg/link.c - connecting, transactions, and what a failure means. */
#include "store/pg/link_priv.h"

#include <stdlib.h>
#include <string.h>

/* Messages come in lines, the first says what; words for a person are one sentence. */
static int
say(struct err *err, int code, const char *message)
{
	int len = (int)strcspn(message, "\n");

	return err_set(err, code, "postgres: %.*s", len, len > 0 ? message : "no answer");
}

/*
 * SQLSTATEs by their beginning, the first that fits.  Insufficient privilege and a missing
 * table are the world's doing as much as a changed one is.
 */
static const struct {
	const char *state;
	int code;
} meanings[] = {
	{ "40001", ERR_BUSY },    /* serialisation failure */
	{ "40P01", ERR_BUSY },    /* deadlock */
	{ "57P0", ERR_BUSY },     /* the server stops, or somebody ended this connection */
	{ "08", ERR_BUSY },       /* the connection */
	{ "53100", ERR_FULL },    /* disk */
	{ "53200", ERR_NOMEM },   /* memory */
	{ "53300", ERR_BUSY },    /* connections */
	{ "42P07", ERR_BUSY },    /* somebody has just made that table */
	{ "42710", ERR_BUSY },    /* or the type of its rows */
	{ "42P01", ERR_CORRUPT }, /* no such table */
	{ "42703", ERR_CORRUPT }, /* no such column */
	{ "42804", ERR_CORRUPT }, /* another type */
	{ "23", ERR_CORRUPT },    /* a constraint: what we write keeps ours */
	{ "42501", ERR_DENIED },  /* rights */
};

int
store_pg_failed(struct store_pg *pg, const PGresult *result, struct err *err)
{
	const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *words =
	        result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (PQstatus(pg->conn) != CONNECTION_OK)
		return say(err, ERR_BUSY, words != NULL ? words : PQerrorMessage(pg->conn));
	for (size_t i = 0; state != NULL && i < sizeof meanings / sizeof meanings[0]; i++)
		if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) == 0)
			return say(err, meanings[i].code, words != NULL ? words : state);
	return say(err, ERR_IO, words != NULL ? words : PQerrorMessage(pg->conn));
}

/* That a table is there already is no news. */
static void
hear_nothing(void *ctx, const PGresult *notice)
{
	(void)ctx;
	(void)notice;
}

static int
run(struct store_pg *pg, const char *sql, struct err *err)
{
	PGresult *result = PQexec(pg->conn, sql);
	int rc = PQresultStatus(result) == PGRES_COMMAND_OK ? 0 : store_pg_failed(pg, result, err);

	PQclear(result);
	return rc;
}

/* What was answered must be on the server's disk. */
static int
greet(struct store_pg *pg, struct err *err)
{
	if (PQstatus(pg->conn) != CONNECTION_OK)
		return say(err, ERR_BUSY, PQerrorMessage(pg->conn));
	PQsetNoticeReceiver(pg->conn, hear_nothing, NULL);
	return run(pg, "SET synchronous_commit = on", err);
}

int
store_pg_open(const char *conninfo, struct store_pg **out, struct err *err)
{
	struct store_pg *pg;
	PQconninfoOption *options;
	int rc;

	*out = NULL;
	options = PQconninfoParse(conninfo, NULL);
	if (options == NULL) /* libpq's own sentence would repeat a part of it */
		return err_set(err, ERR_INVALID,
		               "postgres: the conninfo isn't one, such as \"host=... dbname=...\"");
	PQconninfoFree(options);
	pg = calloc(1, sizeof *pg);
	if (pg == NULL)
		return err_set(err, ERR_NOMEM, "postgres: out of memory");
	pg->conn = PQconnectdb(conninfo);
	rc = greet(pg, err);
	if (rc < 0) {
		store_pg_close(pg);
		return rc;
	}
	*out = pg;
	return 0;
}

void
store_pg_close(struct store_pg *pg)
{
	if (pg == NULL)
		return;
	PQfinish(pg->conn);
	store_catalog_cache_free(&pg->names);
	free(pg->heads);
	free(pg);
}

int
store_pg_renew(struct store_pg *pg, struct err *err)
{
	pg->in_transaction = false;
	pg->head_count = 0;
	PQreset(pg->conn);
	return greet(pg, err);
}

int
store_pg_begin(struct store_pg *pg, struct err *err)
{
	int rc = run(pg, "BEGIN ISOLATION LEVEL READ COMMITTED", err);

	pg->in_transaction = rc == 0;
	return rc;
}

/* COMMIT in a failed transaction is a ROLLBACK that calls itself a success. */
int
store_pg_commit(struct store_pg *pg, struct err *err)
{
	bool whole = PQtransactionStatus(pg->conn) == PQTRANS_INTRANS;
	int rc;

	if (!whole && PQstatus(pg->conn) == CONNECTION_OK) {
		store_pg_rollback(pg);
		return err_set(err, ERR_IO, "postgres: the transaction had failed before");
	}
	rc = run(pg, "COMMIT", err);
	pg->in_transaction = false;
	pg->head_count = 0;
	return rc;
}

void
store_pg_rollback(struct store_pg *pg)
{
	struct err err;

	if (pg->in_transaction && PQstatus(pg->conn) == CONNECTION_OK)
		(void)!run(pg, "ROLLBACK", &err); /* if it fails, the server does it */
	pg->in_transaction = false;
	pg->head_count = 0;
}
