/* tests/store_pg.c - the big hub's engine: what is made, numbered, counted and refused. */
#include "tests/pg_help.h"
#include "tests/suites.h"

#include "store/pg/batch.h"
#include "store/pg/head.h"
#include "store/pg/names.h"
#include "store/pg/tables.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 2500 };

/* ---- making and finding ---- */

START_TEST(what_is_made_is_ready_and_stays)
{
	struct store_pg *second;
	uint8_t epoch[STORE_EPOCH];
	const int first = 0;

	pg_must(store_pg_take(pg_hub, &first, 1, &pg_err));
	memcpy(epoch, store_pg_head(pg_hub, 0)->epoch, STORE_EPOCH);
	pg_must(store_pg_leave(pg_hub, &pg_err));
	pg_must(store_pg_open(pg_conninfo, &second, &pg_err));
	pg_must(store_pg_make(second, PG_PARTS, &pg_err));
	pg_must(store_pg_ready(second, &pg_err));
	ck_assert_int_eq(store_pg_parts(second), PG_PARTS + 2);
	pg_must(store_pg_take(second, &first, 1, &pg_err));
	ck_assert_mem_eq(store_pg_head(second, 0)->epoch, epoch, STORE_EPOCH);
	store_pg_undo(second);
	pg_refused(store_pg_make(second, PG_PARTS + 1, &pg_err), ERR_INVALID, "8 parts, not 9");
	store_pg_close(second);
}
END_TEST

/* Four hubs that start at once on an empty database; each ends with 0. */
static void
be_a_hub(void)
{
	struct store_pg *mine;

	if (store_pg_open(pg_conninfo, &mine, &pg_err) < 0 ||
	    store_pg_make(mine, PG_PARTS, &pg_err) < 0) {
		fprintf(stderr, "%s\n", pg_err.msg);
		_exit(1);
	}
	store_pg_close(mine);
	_exit(0);
}

START_TEST(several_may_make_the_tables_at_once)
{
	pid_t pids[4];
	int status;

	pg_cluster_drop("pg");
	pg_cluster_namespace("pg");
	for (size_t i = 0; i < 4; i++)
		if ((pids[i] = fork()) == 0)
			be_a_hub();
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(pg_number("SELECT count(*) FROM yz_part_head"), PG_PARTS + 2);
}
END_TEST

START_TEST(parts_are_spread_and_stay)
{
	int used[PG_PARTS + 2] = { 0 };

	for (int i = 0; i < 400; i++) {
		char scope[STORE_SCOPE_MAX];

		snprintf(scope, sizeof scope, "f/F%d", i);
		used[store_pg_part_of(pg_hub, scope)]++;
	}
	for (int part = 0; part < PG_PARTS; part++)
		ck_assert_int_gt(used[part], 400 / PG_PARTS / 2);
	ck_assert_int_eq(used[PG_PARTS] + used[PG_PARTS + 1], 0);
	ck_assert_int_eq(store_pg_part_of(pg_hub, "s/310115"), PG_PARTS);
	ck_assert_int_eq(store_pg_part_of(pg_hub, "all"), PG_PARTS + 1);
	ck_assert_int_eq(store_pg_part_of(pg_hub, "hub"), PG_PARTS + 1);
	/* a hub's rows would be looked for elsewhere if it moved */
	ck_assert_int_eq(store_pg_part_of(pg_hub, "f/F1"), 6);
}
END_TEST

START_TEST(what_is_wrong_is_said_in_a_sentence)
{
	struct store_pg *other;
	const int part = 0, none = 999;

	pg_refused(store_pg_open("host", &other, &pg_err), ERR_INVALID, "the conninfo isn't one");
	pg_refused(store_pg_open("host=/nowhere/at/all user=u password=sesame", &other, &pg_err),
	           ERR_BUSY, "/nowhere/at/all");
	ck_assert_ptr_null(strstr(pg_err.msg, "sesame"));
	pg_refused(store_pg_take(pg_hub, &none, 1, &pg_err), ERR_CORRUPT, "has no part 999");
	pg_cluster_exec(pg_own, "ALTER TABLE yz_part_head RENAME COLUMN hub_n TO hub_m");
	pg_refused(store_pg_take(pg_hub, &part, 1, &pg_err), ERR_CORRUPT, "hub_n");
	pg_cluster_exec(pg_own, "ALTER TABLE yz_part_head RENAME COLUMN hub_m TO hub_n;"
	                        "UPDATE yz_part_head SET epoch = 'short'");
	pg_refused(store_pg_take(pg_hub, &part, 1, &pg_err), ERR_CORRUPT,
	           "column epoch holds 5 bytes");
	pg_cluster_exec(pg_own, "UPDATE yz_meta SET value = 2 WHERE name = 'format'");
	pg_refused(store_pg_ready(pg_hub, &pg_err), ERR_INVALID, "format 2; this program knows 1");
	pg_cluster_exec(pg_own, "DELETE FROM yz_meta WHERE name = 'format'");
	pg_refused(store_pg_ready(pg_hub, &pg_err), ERR_NOTFOUND, "not made to the end");
	pg_cluster_exec(pg_own, "DROP TABLE yz_meta");
	pg_refused(store_pg_ready(pg_hub, &pg_err), ERR_NOTFOUND, "no tables of a hub");
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
	pg_must(store_schema_finish(&schema, &pg_err));
	store_schema_write(&def, &schema);
	pg_must(store_pg_learn(by, def.bytes, def.len, &known, &pg_err));
	buf_free(&def);
	return known;
}

START_TEST(processes_share_their_numbers)
{
	const uint8_t node[STORE_NODE_ID] = { 1 }, epoch[STORE_EPOCH] = { 2 };
	const struct store_schema *mine, *theirs;
	struct store_pg *second;
	int a, b, site_a, site_b;

	pg_must(store_pg_open(pg_conninfo, &second, &pg_err));
	pg_must(store_pg_ready(second, &pg_err));
	pg_must(store_pg_scope(pg_hub, "f/A", &a, &pg_err));
	pg_must(store_pg_scope(second, "f/B", &b, &pg_err));
	ck_assert_int_eq(a, 1);
	ck_assert_int_eq(b, 2);
	pg_must(store_pg_scope(second, "f/A", &a, &pg_err));
	ck_assert_int_eq(a, 1);
	pg_must(store_pg_site(pg_hub, node, epoch, &site_a, &pg_err));
	pg_must(store_pg_site(second, node, epoch, &site_b, &pg_err));
	ck_assert_int_eq(site_a, site_b);
	ck_assert_int_eq(pg_number("SELECT count(*) FROM yz_site"), 1);
	learn(pg_hub, "meal", 4);
	learn(second, "nap", 5);
	mine = learn(pg_hub, "nap", 3);
	theirs = learn(second, "nap", 3);
	ck_assert_int_eq(mine->id, 3);
	ck_assert_int_eq(theirs->id, 3);
	ck_assert_int_eq(mine->table_id, theirs->table_id);
	ck_assert_int_eq(mine->columns[2].id, theirs->columns[2].id);
	ck_assert_str_eq(store_pg_scope_of(pg_hub, 2), "f/B");
	ck_assert_ptr_null(store_pg_scope_of(pg_hub, 3));
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
		parts[i] = store_pg_part_of(pg_hub, store_pg_scope_of(pg_hub, scopes[i]));
	pg_must(store_pg_take(pg_hub, parts, 2, &pg_err));
}

/* More than a statement takes, of two parts; known to another process, that has never heard of
 * any name. */
START_TEST(many_rows_of_two_parts)
{
	const uint8_t node[STORE_NODE_ID] = { 9 }, epoch[STORE_EPOCH] = { 9 };
	const struct store_schema *schema = learn(pg_hub, "care", 3);
	struct store_batch *batch;
	struct store_pg *second;
	struct arena a = { 0 };
	uint8_t sum[STORE_TERM];
	int64_t live;
	int scopes[2], site;

	pg_must(store_pg_scope(pg_hub, "f/F1", &scopes[0], &pg_err));
	pg_must(store_pg_scope(pg_hub, "f/F2", &scopes[1], &pg_err));
	ck_assert_int_ne(store_pg_part_of(pg_hub, "f/F1"), store_pg_part_of(pg_hub, "f/F2"));
	pg_must(store_pg_site(pg_hub, node, epoch, &site, &pg_err));
	pg_must(store_pg_open(pg_conninfo, &second, &pg_err));
	pg_must(store_pg_ready(second, &pg_err));
	pg_must(store_pg_scope(second, "f/F1", &scopes[0], &pg_err));

	make_rows(schema, scopes, site);
	batch = store_pg_batch_new(pg_hub);
	open_parts(scopes);
	pg_must(batch->get(batch, list, MANY, &a, &pg_err));
	for (size_t i = 0; i < MANY; i++) {
		ck_assert(!rows[i].known);
		fill_row(&rows[i], i, schema, site);
	}
	pg_must(batch->put(batch, list, MANY, &pg_err));
	pg_must(store_pg_leave(pg_hub, &pg_err));
	store_pg_batch_free(batch);

	batch = store_pg_batch_new(second);
	make_rows(schema, scopes, site);
	pg_must(store_pg_refresh(second, &pg_err));
	pg_must(batch->get(batch, list, MANY, &a, &pg_err));
	for (size_t i = 0; i < MANY; i++) {
		ck_assert_int_eq(rows[i].cl, 1);
		ck_assert_int_eq(rows[i].cell_count, 2);
		ck_assert_int_eq(rows[i].cells[1].value.num.i, (int64_t)i);
		ck_assert_int_eq(rows[i].cells[1].stamp, 10 + (i % 3 == 0));
	}
	for (int i = 0; i < 2; i++) {
		pg_must(store_pg_digest(second, scopes[i], sum, &live, &pg_err));
		ck_assert_int_eq(live, MANY / 2);
		pg_must(store_pg_verify(second, batch, scopes[i], &pg_err));
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
	const struct store_schema *schema = learn(pg_hub, "care", 3);
	struct store_batch *batch = store_pg_batch_new(pg_hub);
	struct arena a = { 0 };
	int scopes[2], site;

	pg_must(store_pg_scope(pg_hub, "f/F1", &scopes[0], &pg_err));
	scopes[1] = scopes[0];
	pg_must(store_pg_site(pg_hub, node, epoch, &site, &pg_err));
	make_rows(schema, scopes, site);
	fill_row(list[0], 0, schema, site);
	open_parts(scopes);
	pg_must(batch->put(batch, list, 1, &pg_err));
	pg_must(store_pg_leave(pg_hub, &pg_err));
	pg_must(store_pg_verify(pg_hub, batch, scopes[0], &pg_err));
	pg_cluster_exec(pg_own, c->sql);
	pg_refused(store_pg_verify(pg_hub, batch, scopes[0], &pg_err), ERR_CORRUPT, c->words);
	make_rows(schema, scopes, site);
	if (c->get)
		pg_refused(batch->get(batch, list, 1, &a, &pg_err), ERR_CORRUPT, c->words);
	arena_free(&a);
	store_pg_batch_free(batch);
}
END_TEST

Suite *
suite_store_pg(void)
{
	Suite *suite = suite_create("store/pg");
	TCase *tcase = tcase_create("pg");

	tcase_set_timeout(tcase, 30);
	tcase_set_tags(tcase, "postgres");
	tcase_add_unchecked_fixture(tcase, pg_cluster_begin, NULL);
	tcase_add_checked_fixture(tcase, pg_begin, pg_end);
	tcase_add_test(tcase, what_is_made_is_ready_and_stays);
	tcase_add_loop_test(tcase, several_may_make_the_tables_at_once, 0, 5);
	tcase_add_test(tcase, parts_are_spread_and_stay);
	tcase_add_test(tcase, what_is_wrong_is_said_in_a_sentence);
	tcase_add_test(tcase, processes_share_their_numbers);
	tcase_add_test(tcase, many_rows_of_two_parts);
	tcase_add_loop_test(tcase, a_hand_at_the_tables_is_noticed, 0, DAMAGE_CASES);
	suite_add_tcase(suite, tcase);
	return suite;
}
