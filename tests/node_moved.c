/*
 * tests/node_moved.c - a row that goes to another facility: feed, export and
 * records take it for that facility's, and no longer for the one that had it.
 */
#include "tests/suites.h"
#include "tests/world.h"

#include "node/hub/extract.h"
#include "node/hub/feed.h"
#include "node/hub/hub_schema.h"
#include "node/hub/records.h"
#include "store/share.h"
#include "store/table_text.h"
#include "store/track.h"
#include "sync/history.h"

#include <stdio.h>
#include <string.h>

enum { F1, F2 };

static const struct token tokens[] = {
	{ .id = "1", .scope = "f/F1", .writes = ",note,remark," },
	{ .id = "2", .scope = "f/F2", .writes = ",note,remark," },
};

static const uint8_t note_01[] = { 4, 1, 1 }; /* its key: a blob of one byte, 01 */

static struct world w;
static struct err err;
static struct buf text;
static char cursor[FEED_CURSOR];

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

static int
listen_to(void *ctx, const struct sync_unit *unit, struct err *why)
{
	const struct world_peer *hub_peer = ctx;

	return feed_append(hub_peer->merge, unit, w.wall_ms, why);
}

/* ---- the world ---- */

static void
make_tables(struct world_peer *p)
{
	static const struct store_track_spec specs[] = {
		{ .table = "remark", .scope = "f/", .scope_column = "facility_id" },
		{ .table = "yz_share",
		  .scope = "",
		  .scope_column = "scope",
		  .hub_only = "at,ended,by" },
	};

	must(store_db_exec(p->local,
	                   "CREATE TABLE remark(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT NOT"
	                   " NULL, note_id BLOB, text TEXT) WITHOUT ROWID",
	                   &err));
	must(store_db_begin(p->merge, &err));
	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
		must(store_track_table(p->merge, &specs[i], p == &w.hub, &err));
	must(store_db_commit(p->merge, &err));
}

/* Notes 01 and 02 of F1; 01 with a remark. */
static void
open_world(void)
{
	static const char *const facilities[] = { "F1", "F2", NULL };

	world_open(&w, 7, facilities);
	must(hub_schema_migrate(w.hub.merge, &err));
	w.hub.node.r.applied = listen_to;
	make_tables(&w.hub);
	make_tables(&w.nodes[F1]);
	make_tables(&w.nodes[F2]);
	world_sql(&w.hub,
	          "INSERT INTO hub_node(node, node_key, facility, label, version, doc,"
	          " since_ms) VALUES (x'01', x'', 'F1', '', 1, x'', 0), (x'02', x'', 'F2', '', 1,"
	          " x'', 0)");
	world_sql(&w.nodes[F1], "INSERT INTO note(id, facility_id, text) VALUES"
	                        " (x'01', 'F1', 'goes'), (x'02', 'F1', 'stays');"
	                        "INSERT INTO remark VALUES (x'11', 'F1', x'01', 'hangs on it')");
	world_settle(&w, 3);
}

static void
close_world(void)
{
	buf_free(&text);
	world_close(&w);
}

static void
say(const char *scope, bool ends)
{
	struct store_share_line line = { .table = "note",
		                         .key = note_01,
		                         .key_len = sizeof note_01,
		                         .scope = scope,
		                         .at_ms = w.wall_ms,
		                         .ended_ms = ends ? w.wall_ms : 0,
		                         .by = "a test" };

	must(store_db_begin(w.hub.local, &err));
	must(store_share_say(w.hub.local, &line, &err));
	must(store_db_commit(w.hub.local, &err));
}

static void
move_to_f2(void)
{
	say("f/F2", false);
	say("f/F1", true);
	world_settle(&w, 3);
}

/* ---- reading and writing from outside ---- */

/* The feed's lines for a facility since the cursor, which moves to its end. */
static const char *
feed(int facility)
{
	struct feed_query query = { .since = cursor, .limit = 100, .token = &tokens[facility] };
	char next[FEED_CURSOR];

	buf_clear(&text);
	must(feed_page(w.hub.local, &query, &text, next, &err));
	return buf_str(&text);
}

static int
count(const char *in, const char *what)
{
	int n = 0;

	for (; (in = strstr(in, what)) != NULL; in++)
		n++;
	return n;
}

/* The ids of a table's rows that a facility's token reads, each with a blank behind it. */
static const char *export(int facility, const char *table)
{
	const struct store_table *t = store_catalog_table_by_name(w.hub.local, table);
	struct store_stmt s;
	struct extract x;

	ck_assert(extract_of(&tokens[facility], t, NULL, &x));
	must(store_transfer_select(w.hub.local, &x.part, &s, &err));
	buf_clear(&text);
	while (store_stmt_step(&s, &err) == 1) {
		size_t len;
		const uint8_t *id = store_stmt_get_blob(&s, &len);

		ck_assert_uint_eq(len, 1);
		buf_printf(&text, "%02x ", id[0]);
	}
	store_stmt_end(&s);
	return buf_str(&text);
}

/* What becomes of a line for note 01, whose facility_id is F1. */
static const char *
post(int facility, const char *op, const char *more)
{
	struct records by = { .db = w.hub.local, .token = &tokens[facility] };
	struct lines_counts counts = { 0 };
	static int key;
	char line[200];

	snprintf(line, sizeof line,
	         "{\"key\":\"%d\",\"table\":\"note\",\"op\":\"%s\",\"row\":{\"id\":\"01\","
	         "\"facility_id\":\"F1\"%s}}\n",
	         ++key, op, more);
	buf_clear(&text);
	must(records_take(&by, line, strlen(line), &text, &counts, &err));
	return buf_str(&text);
}

/* ---- claims ---- */

START_TEST(what_moved_is_read_where_it_went)
{
	ck_assert_str_eq(export(F1, "note"), "01 02 ");
	ck_assert_str_eq(export(F2, "note"), "");
	move_to_f2();
	ck_assert_str_eq(export(F1, "note"), "02 ");
	ck_assert_str_eq(export(F1, "remark"), "");
	ck_assert_str_eq(export(F2, "note"), "01 ");
	ck_assert_str_eq(export(F2, "remark"), "11 ");
}
END_TEST

START_TEST(a_second_facility_that_sees_it_takes_nothing_away)
{
	must(feed_end(w.hub.local, cursor, &err));
	say("f/F2", false);
	world_settle(&w, 3);
	ck_assert_str_eq(export(F1, "note"), "01 02 ");
	ck_assert_str_eq(export(F2, "note"), "");
	ck_assert_int_eq(count(feed(F1), "\"op\""), 0);
	ck_assert_int_eq(count(feed(F2), "\"op\""), 0);
}
END_TEST

START_TEST(the_feed_tells_who_lost_it_and_who_has_it)
{
	must(feed_end(w.hub.local, cursor, &err));
	move_to_f2();
	ck_assert_int_eq(count(feed(F1), "\"op\":\"delete\""), 2);
	ck_assert_int_eq(count(feed(F1), "\"op\":\"upsert\""), 0);
	ck_assert_int_eq(count(feed(F2), "\"op\":\"upsert\""), 2);
	ck_assert_int_eq(count(feed(F2), "\"op\":\"delete\""), 0);
	ck_assert_int_eq(count(feed(F2), "\"text\":\"goes\""), 1);
	ck_assert_int_eq(count(feed(F2), "\"text\":\"hangs on it\""), 1);

	/* and from there on it is like any row */
	must(feed_end(w.hub.local, cursor, &err));
	world_sql(&w.nodes[F2], "UPDATE note SET text = 'new' WHERE id = x'01'");
	world_settle(&w, 3);
	ck_assert_int_eq(count(feed(F1), "\"op\""), 0);
	ck_assert_int_eq(count(feed(F2), "\"text\":\"new\""), 1);
}
END_TEST

/* What was written before its facility heard of the move leaves it when it comes. */
START_TEST(what_comes_late_goes_after_the_rest)
{
	must(feed_end(w.hub.local, cursor, &err));
	world_sql(&w.nodes[F1], "INSERT INTO remark VALUES (x'12', 'F1', x'01', 'late')");
	say("f/F2", false);
	say("f/F1", true);
	ck_assert(world_sync(&w, F2)); /* the hub carries it out */
	world_settle(&w, 3);
	ck_assert_str_eq(export(F1, "remark"), "");
	ck_assert_str_eq(export(F2, "remark"), "11 12 ");
	ck_assert_int_eq(count(feed(F1), "\"key\":\"12\",\"after\":null"), 1);
	ck_assert_int_eq(count(feed(F2), "\"text\":\"late\""), 1);
}
END_TEST

START_TEST(what_comes_back_is_the_firsts_again)
{
	move_to_f2();
	must(feed_end(w.hub.local, cursor, &err));
	say("f/F1", false);
	world_settle(&w, 3);
	ck_assert_str_eq(export(F2, "note"), "01 "); /* F1 sees it; it is F2's */
	say("f/F2", true);
	world_settle(&w, 3);
	ck_assert_str_eq(export(F1, "note"), "01 02 ");
	ck_assert_str_eq(export(F2, "note"), "");
	ck_assert_int_eq(count(feed(F1), "\"op\":\"upsert\""), 2);
	ck_assert_int_eq(count(feed(F2), "\"op\":\"delete\""), 2);
}
END_TEST

START_TEST(what_moved_is_written_where_it_went)
{
	ck_assert_ptr_nonnull(strstr(post(F2, "upsert", ""), "writes in f/F2, not in f/F1"));
	move_to_f2();
	ck_assert_ptr_nonnull(strstr(post(F1, "upsert", ",\"text\":\"F1\""),
	                             "refused\",\"reason\":\"row: this key can't be used"));
	ck_assert_ptr_nonnull(
	        strstr(post(F1, "delete", ""), "refused\",\"reason\":\"row: there is none"));
	ck_assert_ptr_nonnull(strstr(post(F2, "upsert", ",\"text\":\"by F2\""), "stored"));
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.nodes[F2], "SELECT text = 'by F2' FROM note"), 1);
	ck_assert_int_eq(world_int(&w.nodes[F1], "SELECT text = 'goes' FROM note WHERE id = x'01'"),
	                 1);
	ck_assert_ptr_nonnull(strstr(post(F2, "delete", ""), "stored"));
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.nodes[F2], "SELECT count(*) FROM note"), 0);
	/* the key is F2's for ever, and its column can't say so */
	ck_assert_ptr_nonnull(strstr(post(F1, "upsert", ""), "this key can't be used"));
}
END_TEST

/* The texts of note 01 in its history at a peer. */
static const char *
story(struct world_peer *p)
{
	struct sync_history_list list;
	struct sync_history *h;
	int table = store_catalog_table_by_name(p->merge, "note")->id;

	must(sync_history_begin(p->merge, p == &w.hub, &h, &err));
	must(sync_history_row(h, table, note_01, sizeof note_01, &list, &err));
	buf_clear(&text);
	for (size_t i = 0; i < list.count; i++) {
		const struct store_change *c = &list.entries[i].change;
		int at = store_schema_find(c->schema, "text");

		buf_printf(&text, "%.*s ", (int)c->values[at].len,
		           (const char *)c->values[at].bytes);
	}
	sync_history_end(h);
	return buf_str(&text);
}

START_TEST(its_history_goes_back_before_the_move)
{
	world_sql(&w.nodes[F1], "UPDATE note SET text = 'went' WHERE id = x'01'");
	world_settle(&w, 3);
	move_to_f2();
	world_wait(&w, 1000);
	world_sql(&w.nodes[F2], "UPDATE note SET text = 'there' WHERE id = x'01'");
	world_settle(&w, 3);
	ck_assert_str_eq(story(&w.hub), "goes went there ");
	ck_assert_str_eq(story(&w.nodes[F1]), "goes went "); /* what it keeps */
}
END_TEST

Suite *
suite_node_moved(void)
{
	Suite *suite = suite_create("node/moved");
	TCase *tc = tcase_create("moved");

	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, what_moved_is_read_where_it_went);
	tcase_add_test(tc, a_second_facility_that_sees_it_takes_nothing_away);
	tcase_add_test(tc, the_feed_tells_who_lost_it_and_who_has_it);
	tcase_add_test(tc, what_comes_late_goes_after_the_rest);
	tcase_add_test(tc, what_comes_back_is_the_firsts_again);
	tcase_add_test(tc, what_moved_is_written_where_it_went);
	tcase_add_test(tc, its_history_goes_back_before_the_move);
	suite_add_tcase(suite, tc);
	return suite;
}
