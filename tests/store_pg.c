/* tests/store_pg.c - the big hub's engine: what is made, numbered, counted and refused. */
#include "tests/pg_cluster.h"
#include "tests/suites.h"

#include "store/pg/batch.h"
#include "store/pg/feed.h"
#include "store/pg/names.h"
#include "store/pg/tables.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 8, MANY = 2500 };

static struct err err;
static char conninfo[2048];
static struct store_pg *pg;
static PGconn *own; /* past our code */

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%d: %s", rc, err.msg);
}

static void
setup(void)
{
	pg_cluster_drop("pg");
	snprintf(conninfo, sizeof conninfo, "%s", pg_cluster_namespace("pg"));
	own = pg_cluster_connect(conninfo);
	must(store_pg_open(conninfo, &pg, &err));
	must(store_pg_make(pg, PARTS, &err));
}

static void
teardown(void)
{
	store_pg_close(pg);
	PQfinish(own);
}

/* The first value of a query past our code. */
static int64_t
number(const char *sql)
{
	PGresult *result = PQexec(own, sql);
	int64_t value;

	ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQerrorMessage(own));
	value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return value;
}

static void
refused(int rc, int code, const char *words)
{
	ck_assert_msg(rc == code, "%d, not %d: %s", rc, code, err.msg);
	ck_assert_msg(strstr(err.msg, words) != NULL, "\"%s\" says nothing of \"%s\"", err.msg,
	              words);
	ck_assert_ptr_null(strchr(err.msg, '\n'));
}

/* ---- making and finding ---- */

START_TEST(what_is_made_is_ready_and_stays)
{
	struct store_pg *second;
	uint8_t epoch[STORE_EPOCH];
	const int first = 0;

	must(store_pg_take(pg, &first, 1, &err));
	memcpy(epoch, store_pg_head(pg, 0)->epoch, STORE_EPOCH);
	must(store_pg_leave(pg, &err));
	must(store_pg_open(conninfo, &second, &err));
	must(store_pg_make(second, PARTS, &err));
	must(store_pg_ready(second, &err));
	ck_assert_int_eq(store_pg_parts(second), PARTS + 2);
	must(store_pg_take(second, &first, 1, &err));
	ck_assert_mem_eq(store_pg_head(second, 0)->epoch, epoch, STORE_EPOCH);
	store_pg_undo(second);
	refused(store_pg_make(second, PARTS + 1, &err), ERR_INVALID, "8 parts, not 9");
	store_pg_close(second);
}
END_TEST

START_TEST(parts_are_spread_and_stay)
{
	int used[PARTS + 2] = { 0 };

	for (int i = 0; i < 400; i++) {
		char scope[STORE_SCOPE_MAX];

		snprintf(scope, sizeof scope, "f/F%d", i);
		used[store_pg_part_of(pg, scope)]++;
	}
	for (int part = 0; part < PARTS; part++)
		ck_assert_int_gt(used[part], 400 / PARTS / 2);
	ck_assert_int_eq(used[PARTS] + used[PARTS + 1], 0);
	ck_assert_int_eq(store_pg_part_of(pg, "s/310115"), PARTS);
	ck_assert_int_eq(store_pg_part_of(pg, "all"), PARTS + 1);
	ck_assert_int_eq(store_pg_part_of(pg, "hub"), PARTS + 1);
	/* a hub's rows would be looked for elsewhere if it moved */
	ck_assert_int_eq(store_pg_part_of(pg, "f/F1"), 6);
}
END_TEST

START_TEST(what_is_wrong_is_said_in_a_sentence)
{
	struct store_pg *other;
	const int part = 0, none = 999;

	refused(store_pg_open("host", &other, &err), ERR_INVALID, "the conninfo isn't one");
	refused(store_pg_open("host=/nowhere/at/all user=u password=sesame", &other, &err),
	        ERR_BUSY, "/nowhere/at/all");
	ck_assert_ptr_null(strstr(err.msg, "sesame"));
	refused(store_pg_take(pg, &none, 1, &err), ERR_CORRUPT, "has no part 999");
	pg_cluster_exec(own, "ALTER TABLE yz_part_head RENAME COLUMN hub_n TO hub_m");
	refused(store_pg_take(pg, &part, 1, &err), ERR_CORRUPT, "hub_n");
	pg_cluster_exec(own, "ALTER TABLE yz_part_head RENAME COLUMN hub_m TO hub_n;"
	                     "UPDATE yz_part_head SET epoch = 'short'");
	refused(store_pg_take(pg, &part, 1, &err), ERR_CORRUPT, "column epoch holds 5 bytes");
	pg_cluster_exec(own, "UPDATE yz_meta SET value = 2 WHERE name = 'format'");
	refused(store_pg_ready(pg, &err), ERR_INVALID, "format 2; this program knows 1");
	pg_cluster_exec(own, "DELETE FROM yz_meta WHERE name = 'format'");
	refused(store_pg_ready(pg, &err), ERR_NOTFOUND, "not made to the end");
	pg_cluster_exec(own, "DROP TABLE yz_meta");
	refused(store_pg_ready(pg, &err), ERR_NOTFOUND, "no tables of a hub");
}
END_TEST

/* ---- names ---- */

static const struct store_schema *
learn(struct store_pg *by, const char *table, int columns)
{
	static const char *const names[] = { "id", "text", "n", "later", "latest" };
	struct store_column list[5];
	struct store_schema schema = { .table = table,
		                       .scope_prefix = "f/",
		                       .scope_column = 1,
		                       .column_count = (unsigned)columns,
		                       .columns = list };
	const struct store_schema *known;
	struct buf def = { 0 };

	for (int i = 0; i < columns; i++)
		list[i] = (struct store_column){ .name = names[i],
			                         .type = i == 1 ? "TEXT" : "INTEGER",
			                         .key = i == 0 };
	must(store_schema_finish(&schema, &err));
	store_schema_write(&def, &schema);
	must(store_pg_learn(by, def.bytes, def.len, &known, &err));
	buf_free(&def);
	return known;
}

START_TEST(processes_share_their_numbers)
{
	const uint8_t node[STORE_NODE_ID] = { 1 }, epoch[STORE_EPOCH] = { 2 };
	const struct store_schema *mine, *theirs;
	struct store_pg *second;
	int a, b, site_a, site_b;

	must(store_pg_open(conninfo, &second, &err));
	must(store_pg_ready(second, &err));
	must(store_pg_scope(pg, "f/A", &a, &err));
	must(store_pg_scope(second, "f/B", &b, &err));
	ck_assert_int_eq(a, 1);
	ck_assert_int_eq(b, 2);
	must(store_pg_scope(second, "f/A", &a, &err));
	ck_assert_int_eq(a, 1);
	must(store_pg_site(pg, node, epoch, &site_a, &err));
	must(store_pg_site(second, node, epoch, &site_b, &err));
	ck_assert_int_eq(site_a, site_b);
	ck_assert_int_eq(number("SELECT count(*) FROM yz_site"), 1);
	learn(pg, "meal", 4);
	learn(second, "nap", 5);
	mine = learn(pg, "nap", 3);
	theirs = learn(second, "nap", 3);
	ck_assert_int_eq(mine->id, 3);
	ck_assert_int_eq(theirs->id, 3);
	ck_assert_int_eq(mine->table_id, theirs->table_id);
	ck_assert_int_eq(mine->columns[2].id, theirs->columns[2].id);
	ck_assert_str_eq(store_pg_scope_of(pg, 2), "f/B");
	ck_assert_ptr_null(store_pg_scope_of(pg, 3));
	store_pg_close(second);
}
END_TEST

/* ---- rows ---- */

static struct store_row rows[MANY];
static struct store_row *list[MANY];
static struct store_cell cells[MANY][2];
static uint8_t keys[MANY][16];

/* Rows of two scopes by turns, numbered so that their keys rise. */
static void
make_rows(const struct store_schema *schema, const int scopes[2], int site)
{
	for (size_t i = 0; i < MANY; i++) {
		struct store_value id = store_value_int((int64_t)i + 1000);
		struct buf key = { 0 };

		store_value_write(&key, &id);
		memcpy(keys[i], key.bytes, key.len);
		rows[i] = (struct store_row){ .table = schema->table_id,
			                      .scope = scopes[i % 2],
			                      .key = keys[i],
			                      .key_len = key.len };
		list[i] = &rows[i];
		buf_free(&key);
		cells[i][0] = (struct store_cell){ schema->columns[1].id, site, 10,
			                           store_value_text("a word") };
		cells[i][1] = (struct store_cell){ schema->columns[2].id, site, 10 + (i % 3 == 0),
			                           store_value_int((int64_t)i) };
	}
	store_row_sort(list, MANY);
}

static void
fill_row(struct store_row *row, size_t i, const struct store_schema *schema, int site)
{
	row->cl = 1;
	row->stamp = 10;
	row->site = site;
	row->schema = schema->id;
	row->cell_count = 2;
	row->cells = cells[i];
	row->changed = row->write_row = true;
}

static void
open_parts(const int scopes[2])
{
	int parts[2];

	for (int i = 0; i < 2; i++)
		parts[i] = store_pg_part_of(pg, store_pg_scope_of(pg, scopes[i]));
	must(store_pg_take(pg, parts, 2, &err));
}

/* More than a statement takes, of two parts; known to another process, that has never heard of
 * any name. */
START_TEST(many_rows_of_two_parts)
{
	const uint8_t node[STORE_NODE_ID] = { 9 }, epoch[STORE_EPOCH] = { 9 };
	const struct store_schema *schema = learn(pg, "care", 3);
	struct store_batch *batch;
	struct store_pg *second;
	struct arena a = { 0 };
	uint8_t sum[STORE_TERM];
	int64_t live;
	int scopes[2], site;

	must(store_pg_scope(pg, "f/F1", &scopes[0], &err));
	must(store_pg_scope(pg, "f/F2", &scopes[1], &err));
	ck_assert_int_ne(store_pg_part_of(pg, "f/F1"), store_pg_part_of(pg, "f/F2"));
	must(store_pg_site(pg, node, epoch, &site, &err));
	must(store_pg_open(conninfo, &second, &err));
	must(store_pg_ready(second, &err));
	must(store_pg_scope(second, "f/F1", &scopes[0], &err));

	make_rows(schema, scopes, site);
	batch = store_pg_batch_new(pg);
	open_parts(scopes);
	must(batch->get(batch, list, MANY, &a, &err));
	for (size_t i = 0; i < MANY; i++) {
		ck_assert(!rows[i].known);
		fill_row(&rows[i], i, schema, site);
	}
	must(batch->put(batch, list, MANY, &err));
	must(store_pg_leave(pg, &err));
	store_pg_batch_free(batch);

	batch = store_pg_batch_new(second);
	make_rows(schema, scopes, site);
	must(store_pg_refresh(second, &err));
	must(batch->get(batch, list, MANY, &a, &err));
	for (size_t i = 0; i < MANY; i++) {
		ck_assert_int_eq(rows[i].cl, 1);
		ck_assert_int_eq(rows[i].cell_count, 2);
		ck_assert_int_eq(rows[i].cells[1].value.num.i, (int64_t)i);
		ck_assert_int_eq(rows[i].cells[1].stamp, 10 + (i % 3 == 0));
	}
	for (int i = 0; i < 2; i++) {
		must(store_pg_digest(second, scopes[i], sum, &live, &err));
		ck_assert_int_eq(live, MANY / 2);
		must(store_pg_verify(second, batch, scopes[i], &err));
	}
	arena_free(&a);
	store_pg_batch_free(batch);
	store_pg_close(second);
}
END_TEST

/* What a hand at the tables does, and how it comes out. */
static const struct damage_case {
	const char *sql, *words;
	bool get; /* a merge that reads the row notices, too */
} damage_cases[] = {
	{ "UPDATE yz_row SET cells = substr(cells, 1, 4)", "cut off", true },
	{ "UPDATE yz_row SET cells = '\\xffff01'", "cut off", true },
	{ "UPDATE yz_row SET cells = ''", "changed past the hub", false },
	{ "UPDATE yz_row SET site = 77", "no such site", true },
	{ "UPDATE yz_row SET schema = 77", "no such schema", true },
	{ "UPDATE yz_row SET cl = 0", "no clock", true },
	{ "UPDATE yz_row SET term = 'x'", "column term holds 1 bytes", true },
	{ "UPDATE yz_row SET stamp = stamp + 1", "changed past the hub", false },
	{ "DELETE FROM yz_row", "not the sum", false },
	{ "UPDATE yz_digest SET live = 7", "not the sum", false },
	{ "UPDATE yz_digest SET sum = 'y'", "column sum holds 1 bytes", false },
};

enum { DAMAGE_CASES = sizeof damage_cases / sizeof damage_cases[0] };

START_TEST(a_hand_at_the_tables_is_noticed)
{
	const struct damage_case *c = &damage_cases[_i];
	const uint8_t node[STORE_NODE_ID] = { 9 }, epoch[STORE_EPOCH] = { 9 };
	const struct store_schema *schema = learn(pg, "care", 3);
	struct store_batch *batch = store_pg_batch_new(pg);
	struct arena a = { 0 };
	int scopes[2], site;

	must(store_pg_scope(pg, "f/F1", &scopes[0], &err));
	scopes[1] = scopes[0];
	must(store_pg_site(pg, node, epoch, &site, &err));
	make_rows(schema, scopes, site);
	fill_row(list[0], 0, schema, site);
	open_parts(scopes);
	must(batch->put(batch, list, 1, &err));
	must(store_pg_leave(pg, &err));
	must(store_pg_verify(pg, batch, scopes[0], &err));
	pg_cluster_exec(own, c->sql);
	refused(store_pg_verify(pg, batch, scopes[0], &err), ERR_CORRUPT, c->words);
	make_rows(schema, scopes, site);
	if (c->get)
		refused(batch->get(batch, list, 1, &a, &err), ERR_CORRUPT, c->words);
	arena_free(&a);
	store_pg_batch_free(batch);
}
END_TEST

/* ---- what is undone, and what is tried again ---- */

static void
append(int part, const char *text, size_t count)
{
	struct store_pg_line lines[8];

	for (size_t i = 0; i < count; i++)
		lines[i] = (struct store_pg_line){ .scope = 1,
			                           .bytes = (const uint8_t *)text,
			                           .len = strlen(text) };
	must(store_pg_feed_append(pg, part, lines, count, &err));
}

START_TEST(what_is_undone_gives_no_number)
{
	const int part = 3;
	struct store_pg_page page = { .part = part, .after = 1, .limit = 100 };
	struct arena a = { 0 };

	must(store_pg_take(pg, &part, 1, &err));
	append(part, "first", 2);
	store_pg_head(pg, part)->last_stamp = 77;
	store_pg_head(pg, part)->hub_n = 5;
	must(store_pg_leave(pg, &err));
	must(store_pg_take(pg, &part, 1, &err));
	append(part, "undone", 3);
	store_pg_undo(pg);
	must(store_pg_take(pg, &part, 1, &err));
	ck_assert_int_eq(store_pg_head(pg, part)->next, 3);
	ck_assert_int_eq(store_pg_head(pg, part)->last_stamp, 77);
	ck_assert_int_eq(store_pg_head(pg, part)->hub_n, 5);
	ck_assert_ptr_null(store_pg_head(pg, part + 1));
	append(part, "second", 1);
	must(store_pg_leave(pg, &err));
	must(store_pg_feed_read(pg, &page, &a, &err));
	ck_assert_uint_eq(page.count, 2);
	ck_assert_int_eq(page.lines[1].n, 3);
	ck_assert_mem_eq(page.lines[1].bytes, "second", 6);
	pg_cluster_exec(own, "DELETE FROM yz_feed WHERE n = 2");
	refused(store_pg_feed_read(pg, &page, &a, &err), ERR_CORRUPT, "no line 2");
	arena_free(&a);
}
END_TEST

struct interrupted {
	int calls, cuts;
	int part;
};

/* The server ends our connection, as one that restarts does, in the middle. */
static int
append_and_be_cut(struct store_pg *by, void *ctx, struct err *failure)
{
	struct interrupted *i = ctx;
	struct store_pg_line line = { .scope = 1, .bytes = (const uint8_t *)"x", .len = 1 };
	int rc;

	i->calls++;
	rc = store_pg_feed_append(by, i->part, &line, 1, failure);
	if (rc == 0 && i->calls <= i->cuts)
		pg_cluster_exec(own, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		                     " WHERE pid <> pg_backend_pid() AND state LIKE 'idle in%'"
		                     " AND query LIKE '%yz_feed%'");
	return rc;
}

START_TEST(work_goes_on_after_a_cut_connection)
{
	struct interrupted i = { .cuts = 2, .part = 1 };
	struct store_pg_work work = {
		.parts = &i.part, .part_count = 1, .tries = 5, .work = append_and_be_cut, .ctx = &i
	};

	must(store_pg_do(pg, &work, &err));
	ck_assert_int_eq(i.calls, 3);
	ck_assert_int_eq(number("SELECT count(*) FROM yz_feed"), 1);
	ck_assert_int_eq(number("SELECT next FROM yz_part_head WHERE part = 1"), 2);
	i = (struct interrupted){ .cuts = 9, .part = 1 };
	work.tries = 2;
	ck_assert_int_eq(store_pg_do(pg, &work, &err), ERR_BUSY);
	ck_assert_int_eq(i.calls, 2);
}
END_TEST

Suite *
suite_store_pg(void)
{
	Suite *suite = suite_create("store/pg");
	TCase *tcase = tcase_create("pg");

	tcase_set_timeout(tcase, 30);
	tcase_add_unchecked_fixture(tcase, pg_cluster_begin, NULL);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_is_made_is_ready_and_stays);
	tcase_add_test(tcase, parts_are_spread_and_stay);
	tcase_add_test(tcase, what_is_wrong_is_said_in_a_sentence);
	tcase_add_test(tcase, processes_share_their_numbers);
	tcase_add_test(tcase, many_rows_of_two_parts);
	tcase_add_loop_test(tcase, a_hand_at_the_tables_is_noticed, 0, DAMAGE_CASES);
	tcase_add_test(tcase, what_is_undone_gives_no_number);
	tcase_add_test(tcase, work_goes_on_after_a_cut_connection);
	suite_add_tcase(suite, tcase);
	return suite;
}
