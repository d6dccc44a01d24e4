/*
 * tests/sim_alter.c - schema files at one node of a world: columns renamed and
 * dropped at one and alive at the others, a table that goes and comes back, and a
 * month in which two nodes two versions apart write and meet.
 */
#include "tests/suites.h"
#include "tests/world.h"

#include "store/alter.h"
#include "store/inbox.h"
#include "store/print.h"
#include "store/settle.h"
#include "store/stmt.h"
#include "store/track.h"
#include "store/verdict.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F1", NULL };

static struct world w;
static struct err err;

static void
open_world(void)
{
	world_open(&w, 47, facilities);
}

static void
close_world(void)
{
	world_close(&w);
}

/* "-- yizhan track TABLE", as the facility's own tables are. */
static int
obey(void *ctx, struct store_db *db, const char *words, struct err *e)
{
	struct store_track_spec spec = { .scope = "f/", .scope_column = "facility_id" };
	char table[32] = "";

	(void)ctx;
	ck_assert_int_eq(sscanf(words, "track %31s", table), 1);
	spec.table = table;
	return store_track_table(db, &spec, false, e);
}

/* Apply a schema file at a node; the changes that it has to send are none. */
static void
alter(struct world_peer *p, const char *sql)
{
	struct store_alter_file file = { .sql = sql, .is_hub = p == &w.hub, .obey = obey };
	struct store_alter told = { 0 };
	int rc = store_db_begin(p->merge, &err);

	if (rc == 0)
		rc = store_alter_run(p->merge, &file, &told, &err);
	ck_assert_msg(rc == 0, "%s: %s", sql, rc < 0 ? err.msg : "");
	for (const struct store_alter_table *t = told.tables; t != NULL; t = t->next)
		ck_assert_int_eq(t->changes, 0);
	store_alter_free(&told);
	ck_assert_int_eq(store_db_commit(p->merge, &err), 0);
}

static void
settle(void)
{
	char hub[33], other[33];

	world_settle(&w, 2);
	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(world_digest(&w.nodes[i], "f/F1", other),
		                 world_digest(&w.hub, "f/F1", hub));
}

/* What a query says, a line per row, its values between bars. */
static void
expect(struct world_peer *p, const char *sql, const char *wanted)
{
	struct store_stmt s = store_stmt_new(p->local, sql);
	struct buf got = { 0 };
	int rc;

	while ((rc = store_stmt_step(&s, &err)) == 1) {
		for (int i = 0; i < store_stmt_columns(&s); i++) {
			struct store_value v = store_stmt_get_value(&s);

			buf_printf(&got, i == 0 ? "" : "|");
			store_print_text(&got, &v);
		}
		buf_printf(&got, "\n");
	}
	store_stmt_end(&s);
	ck_assert_msg(rc == 0, "%s: %s", sql, rc < 0 ? err.msg : "");
	ck_assert_str_eq(buf_str(&got), wanted);
	buf_free(&got);
}

START_TEST(a_column_renamed_at_one_node_is_one_column)
{
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text, top) VALUES "
	                       "(x'01', 'F1', 'first', 3), (x'02', 'F1', 'second', 3)");
	settle();
	alter(&w.nodes[0], "ALTER TABLE note RENAME COLUMN text TO remark;"
	                   "ALTER TABLE note RENAME COLUMN top TO highest");
	world_sql(&w.nodes[0], "UPDATE note SET remark = 'of the renamed' WHERE id = x'01'");
	world_wait(&w, 1000);
	world_sql(&w.nodes[1], "UPDATE note SET text = 'of the other', top = 9 WHERE id = x'02'");
	settle();
	expect(&w.nodes[0], "SELECT hex(id), remark, highest FROM note ORDER BY id",
	       "01|of the renamed|3\n02|of the other|9\n");
	expect(&w.nodes[1], "SELECT hex(id), text, top FROM note ORDER BY id",
	       "01|of the renamed|3\n02|of the other|9\n");
	/* the other follows, to another name, and the first goes back */
	alter(&w.nodes[1], "ALTER TABLE note RENAME COLUMN text TO words");
	alter(&w.nodes[0], "ALTER TABLE note RENAME COLUMN remark TO text");
	world_sql(&w.nodes[1], "UPDATE note SET words = 'last' WHERE id = x'02'");
	settle();
	expect(&w.nodes[0], "SELECT text FROM note ORDER BY id", "of the renamed\nlast\n");
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_extra"), 0);
}
END_TEST

/* What lost is right, says a person here. */
static void
decide(struct world_peer *p)
{
	struct store_verdict v = { .take = STORE_TAKE_OTHER, .by = "test" };
	struct store_conflict *list;
	struct arena a = { 0 };
	size_t count;

	ck_assert_int_eq(store_db_begin(p->local, &err), 0);
	ck_assert_int_eq(store_inbox_list(p->local, true, &a, &list, &count, &err), 0);
	ck_assert_uint_eq(count, 1);
	v.conflict = &list[0];
	ck_assert_msg(store_verdict_give(p->local, &v, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(store_db_commit(p->local, &err), 0);
	arena_free(&a);
}

START_TEST(a_renamed_column_can_be_in_conflict)
{
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'first')");
	settle();
	alter(&w.nodes[0], "ALTER TABLE note RENAME COLUMN text TO \"what's \"\"said\"\"\"");
	world_sql(&w.nodes[0], "UPDATE note SET \"what's \"\"said\"\"\" = 'here'");
	world_wait(&w, 1000);
	world_sql(&w.nodes[1], "UPDATE note SET text = 'there'");
	settle();
	expect(&w.nodes[0], "SELECT \"what's \"\"said\"\"\" FROM note", "there\n");
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_conflict"
		                                        " WHERE state = 'open' AND other = 'here'"),
		                 1);
	decide(&w.nodes[0]);
	settle();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(world_int(&w.nodes[i],
		                           "SELECT count(*) FROM yz_conflict WHERE state = 'open'"),
		                 0);
	expect(&w.nodes[1], "SELECT text FROM note", "here\n");
}
END_TEST

START_TEST(a_column_dropped_at_one_node_lives_on_at_the_others)
{
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text, a, b) VALUES "
	                       "(x'01', 'F1', 'first', 1, 1), (x'02', 'F1', 'second', 2, 2)");
	settle();
	alter(&w.nodes[0], "ALTER TABLE note DROP COLUMN text; ALTER TABLE note DROP COLUMN a");
	settle();
	world_sql(&w.nodes[0], "UPDATE note SET rank = 7; "
	                       "INSERT INTO note(id, facility_id, b) VALUES (x'03', 'F1', 3)");
	world_wait(&w, 1000);
	world_sql(&w.nodes[1], "UPDATE note SET text = 'changed' WHERE id = x'02'; "
	                       "UPDATE note SET a = 8, b = 8 WHERE id = x'01'");
	settle();
	expect(&w.nodes[1], "SELECT hex(id), text, rank, a, b FROM note ORDER BY id",
	       "01|first|7|8|8\n02|changed|7|2|2\n03||0||3\n");
	expect(&w.nodes[0], "SELECT hex(id), rank, b FROM note ORDER BY id",
	       "01|7|8\n02|7|2\n03|0|3\n");
	world_sql(&w.nodes[1], "DELETE FROM note WHERE id = x'02'");
	settle();
	ck_assert_int_eq(world_int(&w.nodes[0],
	                           "SELECT count(*) FROM yz_extra WHERE key IN "
	                           "(SELECT key FROM yz_extra WHERE value = 'changed')"),
	                 0);
	/* and back: what the others have written meanwhile is there, with what was there before */
	alter(&w.nodes[0], "ALTER TABLE note ADD COLUMN text TEXT");
	settle();
	expect(&w.nodes[0], "SELECT hex(id), text FROM note ORDER BY id", "01|first\n03|\n");
}
END_TEST

/* How many rows a change of the catalogue makes it try to put into their tables. */
static int64_t
rows_tried(struct world_peer *p)
{
	struct store_batch *b = store_batch_sqlite_new(p->merge);
	int64_t tried = -1;

	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	ck_assert_int_eq(store_settle(p->merge, b, &tried, &err), 0);
	store_db_rollback(p->merge);
	store_batch_sqlite_free(b);
	return tried;
}

START_TEST(a_dropped_table_comes_back_with_its_rows)
{
	static const char made[] =
	        "CREATE TABLE daily(child TEXT NOT NULL, day INTEGER NOT NULL, "
	        "facility_id TEXT NOT NULL, text TEXT, mood INTEGER, PRIMARY KEY(child, day)) "
	        "WITHOUT ROWID;\n-- yizhan track daily";

	world_sql(&w.nodes[0], "INSERT INTO daily VALUES ('c', 1, 'F1', 'one', 1), "
	                       "('c', 2, 'F1', 'two', 2), ('d', 1, 'F1', 'gone', 0)");
	settle();
	alter(&w.nodes[0], "DROP TABLE daily");
	ck_assert_int_eq(rows_tried(&w.nodes[0]), 0);
	settle();
	world_wait(&w, 1000);
	world_sql(&w.nodes[1], "UPDATE daily SET text = 'changed' WHERE child = 'c' AND day = 2; "
	                       "DELETE FROM daily WHERE child = 'd'; "
	                       "INSERT INTO daily VALUES ('e', 1, 'F1', 'new', 3)");
	settle();
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM daily"), 3);
	alter(&w.nodes[0], made);
	ck_assert_int_eq(rows_tried(&w.nodes[0]), 3);
	settle();
	expect(&w.nodes[0], "SELECT child, day, text, mood FROM daily ORDER BY child, day",
	       "c|1|one|1\nc|2|changed|2\ne|1|new|3\n");
}
END_TEST

Suite *
suite_sim_alter(void)
{
	Suite *suite = suite_create("sim/alter");
	TCase *tc = tcase_create("one_altered");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, a_column_renamed_at_one_node_is_one_column);
	tcase_add_test(tc, a_renamed_column_can_be_in_conflict);
	tcase_add_test(tc, a_column_dropped_at_one_node_lives_on_at_the_others);
	tcase_add_test(tc, a_dropped_table_comes_back_with_its_rows);
	suite_add_tcase(suite, tc);
	return suite;
}
