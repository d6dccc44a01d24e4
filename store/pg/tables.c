/*
 * store/pg/tables.c - what a hub keeps in the big engine.
 *
 *   yz_meta       small facts: format, facility_parts
 *   yz_part_head  one row a part (store/pg/head.h)
 *   yz_site, yz_scope, yz_schema   names and their numbers, all in the last part (names.h)
 *   yz_row        a row's clock and cells in one (batch.h)
 *   yz_digest     per scope: sum of terms, live rows
 *   yz_feed       lines in the order of their commits (feed.h)
 *
 * No sequence, no trigger, no key without its part, no type but int4, int8, text and bytea: what
 * store/DESIGN.md lists under "PostgreSQL", which tests/sqlsubset holds this folder to.
 */
#include "store/pg/tables.h"

#include "store/base/hash.h"
#include "store/pg/call_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each may be run again.  A later format appends to them. */
static const char *const steps[] = {
	"CREATE TABLE IF NOT EXISTS yz_meta(part int NOT NULL, name text NOT NULL,"
	" value int8 NOT NULL, PRIMARY KEY (part, name))",
	"CREATE TABLE IF NOT EXISTS yz_part_head(part int NOT NULL, next int8 NOT NULL,"
	" feed_hash bytea NOT NULL, last_stamp int8 NOT NULL, hub_n int8 NOT NULL,"
	" hub_head bytea NOT NULL, epoch bytea NOT NULL, PRIMARY KEY (part))",
	"CREATE TABLE IF NOT EXISTS yz_site(part int NOT NULL, id int NOT NULL, node bytea NOT "
	"NULL,"
	" epoch bytea NOT NULL, PRIMARY KEY (part, id))",
	"CREATE INDEX IF NOT EXISTS yz_site_name ON yz_site(part, node, epoch)",
	"CREATE TABLE IF NOT EXISTS yz_scope(part int NOT NULL, id int NOT NULL, name text NOT "
	"NULL,"
	" PRIMARY KEY (part, id))",
	"CREATE INDEX IF NOT EXISTS yz_scope_name ON yz_scope(part, name)",
	"CREATE TABLE IF NOT EXISTS yz_schema(part int NOT NULL, id int NOT NULL, def bytea NOT "
	"NULL,"
	" PRIMARY KEY (part, id))",
	"CREATE TABLE IF NOT EXISTS yz_row(part int NOT NULL, tbl int NOT NULL, key bytea NOT NULL,"
	" scope int NOT NULL, cl int8 NOT NULL, stamp int8 NOT NULL, site int NOT NULL,"
	" schema int NOT NULL, term bytea NOT NULL, cells bytea NOT NULL,"
	" PRIMARY KEY (part, tbl, key))",
	"CREATE TABLE IF NOT EXISTS yz_digest(part int NOT NULL, scope int NOT NULL,"
	" sum bytea NOT NULL, live int8 NOT NULL, PRIMARY KEY (part, scope))",
	"CREATE TABLE IF NOT EXISTS yz_feed(part int NOT NULL, n int8 NOT NULL, scope int NOT NULL,"
	" unit bytea NOT NULL, line bytea NOT NULL, hash bytea NOT NULL, PRIMARY KEY (part, n))",
};

/* Facts about all parts are kept with the first. */
enum { META_PART = 0 };

static int
make_tables(struct store_pg *pg, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < sizeof steps / sizeof steps[0]; i++) {
		struct store_pg_call c = store_pg_call(pg, steps[i]);

		rc = store_pg_run(&c, err);
	}
	return rc < 0 ? rc : 0;
}

static int
put_fact(struct store_pg *pg, const char *name, int64_t value, struct err *err)
{
	struct store_pg_call c =
	        store_pg_call(pg, "INSERT INTO yz_meta(part, name, value) VALUES ($1, $2, $3)"
	                          " ON CONFLICT (part, name) DO NOTHING");
	int rc;

	store_pg_put_int4(&c, META_PART);
	store_pg_put_text(&c, name);
	store_pg_put_int8(&c, value);
	rc = store_pg_run(&c, err);
	return rc < 0 ? rc : 0;
}

/* -1 if it isn't there. */
static int
get_fact(struct store_pg *pg, const char *name, int64_t *value, struct err *err)
{
	struct store_pg_call c =
	        store_pg_call(pg, "SELECT value FROM yz_meta WHERE part = $1 AND name = $2");
	int rc;

	store_pg_put_int4(&c, META_PART);
	store_pg_put_text(&c, name);
	rc = store_pg_ask(&c, err);
	*value = rc > 0 ? store_pg_get_int8(&c, 0, 0) : -1;
	store_pg_call_end(&c);
	return rc < 0 ? rc : 0;
}

/* Whoever comes second finds them there, with the first one's epochs. */
static int
make_head(struct store_pg *pg, int part, struct err *err)
{
	static const uint8_t zero[STORE_PG_CHAIN];
	struct store_pg_call c = store_pg_call(
	        pg, "INSERT INTO yz_part_head(part, next, feed_hash, last_stamp, hub_n, hub_head,"
	            " epoch) VALUES ($1, 1, $2, 0, 0, $3, $4) ON CONFLICT (part) DO NOTHING");
	uint8_t epoch[STORE_EPOCH];
	int rc;

	hash_random(epoch, sizeof epoch);
	store_pg_put_int4(&c, part);
	store_pg_put_bytes(&c, zero, STORE_PG_FEED_HASH);
	store_pg_put_bytes(&c, zero, STORE_PG_CHAIN);
	store_pg_put_bytes(&c, epoch, sizeof epoch);
	rc = store_pg_run(&c, err);
	return rc < 0 ? rc : 0;
}

/*
 * Two processes that make one table at the same moment: IF NOT EXISTS doesn't help the later, whose
 * entry in the engine's own catalogue is refused as a second one, or whose table as there already.
 */
static int
make_all(struct store_pg *pg, int facility_parts, struct err *err)
{
	int rc = make_tables(pg, err);

	for (int tries = 0; (rc == ERR_CORRUPT || rc == ERR_BUSY) && tries < 16; tries++)
		rc = make_tables(pg, err);
	if (rc == 0)
		rc = put_fact(pg, "facility_parts", facility_parts, err);
	for (int part = 0; rc == 0 && part < facility_parts + 2; part++)
		rc = make_head(pg, part, err);
	if (rc == 0)
		rc = put_fact(pg, "format", STORE_PG_FORMAT, err);
	return rc;
}

int
store_pg_make(struct store_pg *pg, int facility_parts, struct err *err)
{
	int rc;

	if (facility_parts < 1 || facility_parts > STORE_PG_PARTS_MAX - 2)
		return err_set(err, ERR_INVALID, "postgres: %d parts, not 1 to %d", facility_parts,
		               STORE_PG_PARTS_MAX - 2);
	rc = make_all(pg, facility_parts, err);
	if (rc == 0)
		rc = store_pg_ready(pg, err);
	if (rc == 0 && pg->facility_parts != facility_parts)
		rc = err_set(
		        err, ERR_INVALID,
		        "postgres: the tables were made for %d parts, not %d, and that can't be "
		        "changed",
		        pg->facility_parts, facility_parts);
	return rc;
}

static int
check_format(int64_t format, int64_t parts, struct err *err)
{
	if (format < 0)
		return err_set(err, ERR_NOTFOUND, "postgres: the tables were not made to the end");
	if (format != STORE_PG_FORMAT)
		return err_set(err, ERR_INVALID,
		               "postgres: the tables have format %lld; this program knows %d: use "
		               "the version that made them",
		               (long long)format, STORE_PG_FORMAT);
	if (parts < 1 || parts > STORE_PG_PARTS_MAX - 2)
		return err_set(err, ERR_CORRUPT, "postgres: yz_meta says there are %lld parts",
		               (long long)parts);
	return 0;
}

int
store_pg_ready(struct store_pg *pg, struct err *err)
{
	int64_t format, parts = -1;
	int rc = get_fact(pg, "format", &format, err);

	if (rc == ERR_CORRUPT)
		return err_set(err, ERR_NOTFOUND, "postgres: there are no tables of a hub here");
	if (rc == 0)
		rc = get_fact(pg, "facility_parts", &parts, err);
	if (rc == 0)
		rc = check_format(format, parts, err);
	if (rc == 0)
		pg->facility_parts = (int)parts;
	return rc;
}
