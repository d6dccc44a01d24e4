/*
 * tests/fuzz/roster.c - any bytes as a roster: refused with a sentence, or a dry
 * run that leaves the database as it was.
 *
 * Input: the bytes of the file.
 */
#include "node/facility/roster.h"
#include "node/facility/schema.h"
#include "store/stmt.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int rc)
{
	if (rc < 0)
		abort();
}

/* One empty facility for the whole run. */
static struct facility *
the_facility(void)
{
	static struct facility f;
	struct store_db *db;
	struct err err;

	if (f.db != NULL)
		return &f;
	must(store_db_open(":memory:", STORE_LOCAL, env_real(), &db, &err));
	must(store_db_begin(db, &err));
	must(facility_schema_create(db, &err));
	must(facility_seed(db, &err));
	must(facility_create(db, "F1", "F1", 1, &err));
	must(store_db_commit(db, &err));
	must(facility_open(&f, db, NULL, &err));
	return &f;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct roster_options opt = { .at = 1772410500000, .dry_run = true };
	struct facility *f = the_facility();
	struct roster_counts n;
	struct err err = { 0 };
	int64_t rows = 0;
	int rc = roster_import(f, data, size, &opt, &n, &err);

	if (rc == 0 && n.added + n.changed + n.same != n.children + n.staff)
		abort();
	if (rc < 0 && (rc != ERR_INVALID || err.msg[0] == 0))
		abort();
	must(store_stmt_int(f->db, "SELECT count(*) FROM child", 0, &rows, &err));
	if (rows != 0 || store_db_in_transaction(f->db))
		abort();
	return 0;
}
