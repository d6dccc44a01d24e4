/*
 * store/pg/call.c - statements, with parameters and answers in binary: numbers
 * most significant byte first; an array is
 *
 *   4 one dimension · 4 no NULLs · 4 type · 4 items · 4 first index · per item: 4 length, bytes
 */
#include "store/pg/call_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void
put_32(struct buf *b, uint32_t value)
{
	const uint8_t bytes[] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16),
		                  (uint8_t)(value >> 8), (uint8_t)value };

	buf_put(b, bytes, sizeof bytes);
}

struct store_pg_call
store_pg_call(struct store_pg *pg, const char *sql)
{
	return (struct store_pg_call){ .pg = pg, .sql = sql };
}

static struct buf *
next_param(struct store_pg_call *c, Oid type)
{
	assert(c->count < STORE_PG_PARAMS);
	c->types[c->count] = type;
	return &c->params[c->count++];
}

void
store_pg_put_int4(struct store_pg_call *c, int value)
{
	put_32(next_param(c, STORE_PG_INT4), (uint32_t)value);
}

void
store_pg_put_int8(struct store_pg_call *c, int64_t value)
{
	buf_u64(next_param(c, STORE_PG_INT8), (uint64_t)value);
}

void
store_pg_put_bytes(struct store_pg_call *c, const void *bytes, size_t len)
{
	buf_put(next_param(c, STORE_PG_BYTEA), bytes, len);
}

void
store_pg_put_text(struct store_pg_call *c, const char *text)
{
	buf_put(next_param(c, STORE_PG_TEXT), text, strlen(text));
}

/* The array's type has a number of its own. */
static Oid
array_of(enum store_pg_type type)
{
	switch (type) {
	case STORE_PG_BYTEA:
		return 1001;
	case STORE_PG_INT8:
		return 1016;
	case STORE_PG_INT4:
		return 1007;
	case STORE_PG_TEXT:
		return 1009;
	}
	abort();
}

struct buf *
store_pg_put_array(struct store_pg_call *c, enum store_pg_type type, size_t count)
{
	struct buf *array = next_param(c, array_of(type));

	put_32(array, 1);
	put_32(array, 0);
	put_32(array, (uint32_t)type);
	put_32(array, (uint32_t)count);
	put_32(array, 1);
	return array;
}

void
store_pg_item_int4(struct buf *array, int value)
{
	put_32(array, 4);
	put_32(array, (uint32_t)value);
}

void
store_pg_item_int8(struct buf *array, int64_t value)
{
	put_32(array, 8);
	buf_u64(array, (uint64_t)value);
}

void
store_pg_item_bytes(struct buf *array, const void *bytes, size_t len)
{
	put_32(array, (uint32_t)len);
	buf_put(array, bytes, len);
}

/* ---- running ---- */

/* The library takes lengths as int, and no message of ours comes near it. */
static int
send(struct store_pg_call *c, struct err *err)
{
	static const char nothing[1];
	const char *values[STORE_PG_PARAMS];
	int lengths[STORE_PG_PARAMS], formats[STORE_PG_PARAMS];
	int rc = 0;

	for (int i = 0; rc == 0 && i < c->count; i++) {
		rc = buf_check(&c->params[i], err);
		if (rc == 0 && c->params[i].len > INT32_MAX)
			rc = err_set(err, ERR_INVALID, "postgres: a parameter of 2 GiB");
		values[i] = c->params[i].len == 0 ? nothing : (const char *)c->params[i].bytes;
		lengths[i] = (int)c->params[i].len;
		formats[i] = 1;
	}
	if (rc < 0)
		return rc;
	c->result =
	        PQexecParams(c->pg->conn, c->sql, c->count, c->types, values, lengths, formats, 1);
	if (PQresultStatus(c->result) != PGRES_COMMAND_OK &&
	    PQresultStatus(c->result) != PGRES_TUPLES_OK)
		return store_pg_failed(c->pg, c->result, err);
	return 0;
}

int
store_pg_run(struct store_pg_call *c, struct err *err)
{
	int rc = send(c, err);

	if (rc == 0)
		rc = (int)strtol(PQcmdTuples(c->result), NULL, 10);
	store_pg_call_end(c);
	return rc;
}

int
store_pg_ask(struct store_pg_call *c, struct err *err)
{
	int rc = send(c, err);

	return rc < 0 ? rc : PQntuples(c->result);
}

void
store_pg_call_end(struct store_pg_call *c)
{
	PQclear(c->result);
	c->result = NULL;
	for (int i = 0; i < c->count; i++)
		buf_free(&c->params[i]);
	c->count = 0;
}

/* ---- answers ---- */

/* The bytes of a value of that type, NULL if it isn't. */
static const uint8_t *
value_at(const struct store_pg_call *c, int row, int column, enum store_pg_type type)
{
	if (PQgetisnull(c->result, row, column) || PQftype(c->result, column) != (Oid)type)
		return NULL;
	return (const uint8_t *)PQgetvalue(c->result, row, column);
}

static uint64_t
read_number(const uint8_t *at, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; at != NULL && i < len; i++)
		value = value << 8 | at[i];
	return value;
}

int
store_pg_get_int4(const struct store_pg_call *c, int row, int column)
{
	return (int)(uint32_t)read_number(value_at(c, row, column, STORE_PG_INT4), 4);
}

int64_t
store_pg_get_int8(const struct store_pg_call *c, int row, int column)
{
	return (int64_t)read_number(value_at(c, row, column, STORE_PG_INT8), 8);
}

const uint8_t *
store_pg_get_bytes(const struct store_pg_call *c, int row, int column, size_t *len)
{
	const uint8_t *bytes = value_at(c, row, column, STORE_PG_BYTEA);

	*len = bytes == NULL ? 0 : (size_t)PQgetlength(c->result, row, column);
	return bytes;
}

const char *
store_pg_get_text(const struct store_pg_call *c, int row, int column)
{
	const uint8_t *text = value_at(c, row, column, STORE_PG_TEXT);

	return text == NULL ? "" : (const char *)text;
}

int
store_pg_get_exactly(const struct store_pg_call *c, int row, int column, void *out, size_t len,
                     struct err *err)
{
	size_t got;
	const uint8_t *bytes = store_pg_get_bytes(c, row, column, &got);

	if (bytes == NULL || got != len)
		return err_set(err, ERR_CORRUPT,
		               "postgres: column %s holds %zu bytes, not %zu: somebody else has "
		               "written here",
		               PQfname(c->result, column), got, len);
	memcpy(out, bytes, len);
	return 0;
}
