/*
 * tests/fuzz/external.c - any bytes as a department's table: refused, and what
 * stood stands, or a delivery with as many rows as were counted, which is the same
 * when it comes again.
 *
 * Input: the file.
 */
#include "node/hub/external.h"
#include "node/facility/schema.h"
#include "node/facility/views.h"
#include "node/hub/hub_schema.h"
#include "store/stmt.h"
#include "tests/fuzz/help.h"

#include <string.h>

static struct store_db *db;

static int64_t
count(const char *sql)
{
	struct err err;
	int64_t n = -1;

	HOLDS(store_stmt_int(db, sql, -1, &n, &err) == 0);
	return n;
}

static int
take(const void *bytes, size_t len, struct external_done *done)
{
	struct external_file file = { .name = "t",
		                      .source = "s",
		                      .date = 20260301,
		                      .personal = true,
		                      .bytes = bytes,
		                      .len = len };
	struct err err;
	int rc = external_import(db, &file, done, &err);

	HOLDS(rc == 0 || rc == ERR_INVALID);
	HOLDS(!store_db_in_transaction(db));
	return rc;
}

static void
open_hub(void)
{
	struct external_done done;
	struct err err;

	HOLDS(store_db_open(":memory:", STORE_LOCAL, env_real(), &db, &err) == 0);
	HOLDS(store_db_begin(db, &err) == 0);
	HOLDS(hub_schema_migrate(db, &err) == 0);
	HOLDS(facility_schema_create(db, &err) == 0);
	HOLDS(facility_views_make(db, true, &err) == 0);
	HOLDS(store_db_commit(db, &err) == 0);
	HOLDS(take("stands\n1\n", 9, &done) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct external_done done, again;
	int64_t before;

	if (db == NULL)
		open_hub();
	before = count("SELECT max(no) FROM external_delivery");
	if (take(data, size, &done) < 0) {
		HOLDS(count("SELECT max(no) FROM external_delivery") == before);
	} else if (!done.same) {
		HOLDS(done.no == before + 1 && done.replaces == before);
		HOLDS(count("SELECT count(*) FROM external_t") == done.rows);
		HOLDS(count("SELECT rows FROM external_delivery WHERE replaced_ms IS NULL") ==
		      done.rows);
		HOLDS(count("SELECT count(*) FROM pragma_table_info('external_t')") ==
		      done.columns + 1);
		HOLDS(take(data, size, &again) == 0 && again.same);
	}
	HOLDS(count("SELECT count(*) FROM external_t") ==
	      count("SELECT count(*) FROM v1_external_t"));
	HOLDS(count("SELECT count(*) FROM external_delivery WHERE replaced_ms IS NULL") == 1);
	return 0;
}
