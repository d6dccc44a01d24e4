/*
 * tests/store_bulk.c - many new rows in one put: all of them, or those that the
 * engine takes, whatever the others are like.
 */
#include "store/digest.h"
#include "store/stmt.h"
#include "store/track.h"
#include "tests/suites.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* TOGETHER: canonical integers beyond 63 have two bytes, which do not rise with them. */
enum { ROWS_MAX = 300, ODD = 7, TOGETHER = 60 };

struct bulk {
	struct store_db *db;
	struct store_batch *batch;
	const struct store_schema *schema;
	int site, scope;
	uint8_t keys[ROWS_MAX][16];
	char texts[ROWS_MAX][32];
	struct store_cell cells[ROWS_MAX][2];
	struct store_row rows[ROWS_MAX], *list[ROWS_MAX];
};

static void
must(int rc, const struct err *err)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err->msg : "");
}

static void
open_bulk(struct bulk *k)
{
	static const uint8_t node[STORE_NODE_ID] = { 1 }, epoch[STORE_EPOCH] = { 2 };
	static const struct store_track_spec spec = { .table = "note", .scope = "all" };
	struct err err;

	must(store_db_open(":memory:", STORE_MERGE, env_real(), &k->db, &err), &err);
	must(store_db_exec(k->db,
	                   "CREATE TABLE note(id INTEGER NOT NULL, text TEXT NOT NULL, n INTEGER,"
	                   " PRIMARY KEY(id)) WITHOUT ROWID",
	                   &err),
	     &err);
	must(store_db_begin(k->db, &err), &err);
	must(store_track_table(k->db, &spec, false, &err), &err);
	must(store_catalog_site(k->db, node, epoch, &k->site, &err), &err);
	must(store_catalog_scope(k->db, "all", &k->scope, &err), &err);
	k->batch = store_batch_sqlite_new(k->db);
	k->schema = store_catalog_table_by_name(k->db, "note")->local;
}

/* Row i as merge leaves it: new, alive, text and n written by its insert. */
static void
make_row(struct bulk *k, size_t i)
{
	struct store_value id = store_value_int((int64_t)i);
	struct store_row *row = &k->rows[i];
	struct buf key = { 0 };

	store_value_write(&key, &id);
	memcpy(k->keys[i], key.bytes, key.len);
	snprintf(k->texts[i], sizeof k->texts[i], "text %zu", i);
	*row = (struct store_row){
		.table = k->schema->table_id,
		.scope = k->scope,
		.key = k->keys[i],
		.key_len = key.len,
		.cl = 1,
		.stamp = 100 + (int64_t)i,
		.site = k->site,
		.schema = k->schema->id,
		.cell_count = 2,
		.cells = k->cells[i],
		.changed = true,
		.write_row = true,
	};
	for (unsigned c = 0; c < 2; c++)
		row->cells[c] = (struct store_cell){ .column = k->schema->columns[c + 1].id,
			                             .site = k->site,
			                             .stamp = row->stamp };
	row->cells[0].value = store_value_text(k->texts[i]);
	row->cells[1].value = store_value_int((int64_t)i);
	k->list[i] = row;
	buf_free(&key);
}

static void
close_bulk(struct bulk *k)
{
	store_batch_sqlite_free(k->batch);
	store_db_close(k->db);
}

static void
holds(struct bulk *k, const char *sql, int64_t want)
{
	struct err err;
	int64_t got;

	must(store_stmt_int(k->db, sql, -1, &got, &err), &err);
	ck_assert_msg(got == want, "%s: %lld, not %lld", sql, (long long)got, (long long)want);
}

/* What is odd about row ODD, and what becomes of it. */
static const struct odd_case {
	const char *name;
	struct store_value text; /* NULL type: not allowed */
	const char *there;       /* SQL before the put */
	int64_t other_stamp;     /* of its second cell; 0: the row's */
	int in_table, extras, excs;
} odd_cases[] = {
	{ "nothing",
	  { .type = STORE_TEXT, .bytes = (const uint8_t *)"ok", .len = 2 },
	  "",
	  0,
	  1,
	  0,
	  0 },
	{ "refused by NOT NULL", { .type = STORE_NULL }, "", 0, 0, 2, 0 },
	{ "there already without a clock",
	  { .type = STORE_TEXT, .bytes = (const uint8_t *)"ok", .len = 2 },
	  "INSERT INTO note VALUES (7, 'foreign', 1)",
	  0,
	  1,
	  0,
	  0 },
	{ "a number that the column would turn into text",
	  { .type = STORE_INT, .num.i = 5 },
	  "",
	  0,
	  0,
	  2,
	  0 },
	{ "a cell of another version",
	  { .type = STORE_TEXT, .bytes = (const uint8_t *)"ok", .len = 2 },
	  "",
	  900,
	  1,
	  0,
	  1 },
};

static const size_t counts[] = { 8, 127, 128, 129, 300 };

START_TEST(one_odd_row_among_many)
{
	const struct odd_case *odd = &odd_cases[_i % (int)(sizeof odd_cases / sizeof odd_cases[0])];
	size_t count = counts[_i / (int)(sizeof odd_cases / sizeof odd_cases[0])];
	struct store_digest_verify verify = { .deep = true };
	const struct store_refusal *refused;
	static struct bulk k;
	struct err err;

	open_bulk(&k);
	must(odd->there[0] == 0 ? 0 : store_db_exec(k.db, odd->there, &err), &err);
	for (size_t i = 0; i < count; i++)
		make_row(&k, i);
	k.cells[ODD][0].value = odd->text;
	if (odd->other_stamp > 0)
		k.cells[ODD][1].stamp = odd->other_stamp;
	must(k.batch->put(k.batch, k.list, count, &err), &err);

	ck_assert_uint_eq(store_batch_sqlite_refused(k.batch, &refused), odd->in_table ? 0 : 1);
	if (!odd->in_table)
		ck_assert_ptr_eq(refused[0].row, &k.rows[ODD]);
	holds(&k, "SELECT count(*) FROM note", (int64_t)count - !odd->in_table);
	holds(&k, "SELECT count(*) FROM note WHERE id = 7 AND text = 'ok' AND n = 7",
	      odd->in_table);
	holds(&k, "SELECT count(*) FROM note WHERE id <> 7 AND text = 'text ' || id AND n = id",
	      (int64_t)count - 1);
	holds(&k, "SELECT count(*) FROM yz_extra", odd->extras);
	holds(&k, "SELECT count(*) FROM yz_clock WHERE exc IS NOT NULL", odd->excs);
	must(store_digest_verify(k.db, &verify, &err), &err);
	ck_assert_int_eq(verify.faults, 0);
	ck_assert_int_eq(verify.rows, (int64_t)count);
	close_bulk(&k);
}
END_TEST

/* ---- versions that lie together ---- */

static void
put_rows(struct bulk *k, size_t from, size_t count)
{
	struct err err;

	for (size_t i = 0; i < count; i++)
		make_row(k, from + i);
	must(k->batch->put(k->batch, k->list + from, count, &err), &err);
}

/* Read row i again as a merge does, and write its second cell at `stamp`. */
static void
change_row(struct bulk *k, size_t i, int64_t stamp)
{
	struct store_row row = { .table = k->schema->table_id,
		                 .scope = k->scope,
		                 .key = k->keys[i],
		                 .key_len = k->rows[i].key_len };
	struct store_row *list[] = { &row };
	struct arena a = { 0 };
	struct err err;

	must(k->batch->get(k->batch, list, 1, &a, &err), &err);
	ck_assert_int_eq(row.cl, 1);
	ck_assert_int_eq(row.cell_count, 2);
	row.cells[1].stamp = stamp;
	row.cells[1].value = store_value_int(-(int64_t)i);
	row.changed = row.write_row = true;
	must(k->batch->put(k->batch, list, 1, &err), &err);
	arena_free(&a);
}

static void
expect_sound(struct bulk *k, int64_t rows)
{
	struct store_digest_verify verify = { .deep = true };
	struct err err;

	must(store_digest_verify(k->db, &verify, &err), &err);
	ck_assert_int_eq(verify.faults, 0);
	ck_assert_int_eq(verify.rows, rows);
}

START_TEST(rows_made_together_have_their_versions_together)
{
	static struct bulk k;

	open_bulk(&k);
	put_rows(&k, 0, TOGETHER);
	holds(&k, "SELECT count(*) FROM yz_clock", 0);
	holds(&k, "SELECT count(*) BETWEEN 2 AND 3 FROM yz_clock_run", 1);
	holds(&k,
	      "SELECT max(length(body) + length(first) + length(last)) < 1000 FROM yz_clock_run",
	      1);
	expect_sound(&k, TOGETHER);
	put_rows(&k, TOGETHER, 3); /* too few */
	holds(&k, "SELECT count(*) FROM yz_clock", 3);
	expect_sound(&k, TOGETHER + 3);
	close_bulk(&k);
}
END_TEST

/* Nothing is known of the keys between, which may still come. */
START_TEST(a_row_between_the_keys_of_a_run_is_new)
{
	static struct bulk k;
	struct store_row *list[20];
	struct arena a = { 0 };
	struct err err;

	open_bulk(&k);
	for (size_t odd = 0; odd < 2; odd++) {
		for (size_t i = 0; i < 20; i++) {
			make_row(&k, 2 * i + odd);
			list[i] = &k.rows[2 * i + odd];
		}
		must(k.batch->get(k.batch, list, 20, &a, &err), &err);
		for (size_t i = 0; i < 20; i++)
			ck_assert(!list[i]->known);
		must(k.batch->put(k.batch, list, 20, &err), &err);
	}
	arena_free(&a);
	holds(&k, "SELECT count(*) FROM yz_clock_run", 1);
	holds(&k, "SELECT count(*) FROM yz_clock", 20);
	holds(&k, "SELECT count(*) FROM note", 40);
	expect_sound(&k, 40);
	close_bulk(&k);
}
END_TEST

/* The first, the last, one in the middle, then all that are left. */
START_TEST(a_row_that_is_written_again_leaves_its_run)
{
	static const size_t some[] = { 0, 29, 15, 15 };
	static struct bulk k;

	open_bulk(&k);
	put_rows(&k, 0, 30);
	holds(&k, "SELECT count(*) FROM yz_clock_run", 1);
	for (size_t i = 0; i < 4; i++)
		change_row(&k, some[i], 1000 + (int64_t)i);
	holds(&k, "SELECT count(*) FROM yz_clock", 3);
	holds(&k, "SELECT n FROM note WHERE id = 15", -15);
	holds(&k, "SELECT n FROM note WHERE id = 16", 16);
	expect_sound(&k, 30);
	for (size_t i = 0; i < 30; i++)
		change_row(&k, i, 2000 + (int64_t)i);
	holds(&k, "SELECT count(*) FROM yz_clock", 30);
	holds(&k, "SELECT count(*) FROM yz_clock_run", 0);
	expect_sound(&k, 30);
	close_bulk(&k);
}
END_TEST

START_TEST(a_damaged_run_is_an_error_not_a_new_row)
{
	static const char *const damages[] = {
		"UPDATE yz_clock_run SET body = substr(body, 1, length(body) - 1)",
		"UPDATE yz_clock_run SET body = x''",
		"UPDATE yz_clock_run SET body = x'ff' || substr(body, 2)",
	};
	static struct bulk k;
	struct store_row *list[1];
	struct arena a = { 0 };
	struct err err;

	open_bulk(&k);
	put_rows(&k, 0, 20);
	must(store_db_exec(k.db, damages[_i], &err), &err);
	k.rows[19].known = false;
	list[0] = &k.rows[19];
	ck_assert_int_eq(k.batch->get(k.batch, list, 1, &a, &err), ERR_CORRUPT);
	arena_free(&a);
	close_bulk(&k);
}
END_TEST

/* Another program's table of this name had two key columns: such rows wait in yz_extra. */
START_TEST(a_key_of_another_form_is_refused_and_blocks_nothing)
{
	static struct bulk k;
	const struct store_refusal *refused;
	struct store_value part = store_value_int(1);
	struct buf key = { 0 };
	struct err err;

	open_bulk(&k);
	for (size_t i = 0; i < 9; i++)
		make_row(&k, i);
	store_value_write(&key, &part);
	store_value_write(&key, &part);
	memcpy(k.keys[3], key.bytes, key.len);
	k.rows[3].key_len = key.len;
	buf_free(&key);
	must(k.batch->put(k.batch, k.list, 9, &err), &err);
	ck_assert_uint_eq(store_batch_sqlite_refused(k.batch, &refused), 1);
	ck_assert_ptr_nonnull(strstr(refused[0].reason, "another number of columns"));
	holds(&k, "SELECT count(*) FROM note", 8);
	holds(&k, "SELECT count(*) FROM yz_extra", 2);
	expect_sound(&k, 9);
	change_row(&k, 3, 5000); /* and it goes on so */
	holds(&k, "SELECT count(*) FROM note", 8);
	expect_sound(&k, 9);
	close_bulk(&k);
}
END_TEST

Suite *
suite_store_bulk(void)
{
	Suite *suite = suite_create("store/bulk");
	TCase *tcase = tcase_create("bulk");
	int cases =
	        (int)(sizeof odd_cases / sizeof odd_cases[0] * (sizeof counts / sizeof counts[0]));

	tcase_add_loop_test(tcase, one_odd_row_among_many, 0, cases);
	tcase_add_test(tcase, rows_made_together_have_their_versions_together);
	tcase_add_test(tcase, a_row_between_the_keys_of_a_run_is_new);
	tcase_add_test(tcase, a_row_that_is_written_again_leaves_its_run);
	tcase_add_test(tcase, a_key_of_another_form_is_refused_and_blocks_nothing);
	tcase_add_loop_test(tcase, a_damaged_run_is_an_error_not_a_new_row, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}
