/* tests/node_feed.c - the hub's changes: lines, cursors, pages, and GET /v1/changes. */
#include "tests/hub_help.h"
#include "tests/suites.h"
#include "tests/world.h"

#include "node/hub/api_changes.h"
#include "node/hub/feed.h"
#include "node/hub/feed_row.h"
#include "node/hub/hub_schema.h"
#include "node/metrics.h"
#include "store/track.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct token all = { .scope = "all" };
static struct buf page;
static char next[FEED_CURSOR];
static uint64_t unit_no;

static void
track(const char *sql, const char *table, const char *scope, const char *column)
{
	struct store_track_spec spec = { .table = table, .scope = scope, .scope_column = column };

	ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
	ck_assert_int_eq(store_db_exec(hub_db, sql, &hub_err), 0);
	ck_assert_msg(store_track_table(hub_db, &spec, true, &hub_err) == 0, "%s", hub_err.msg);
	ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
}

static void
begin(void)
{
	hub_open();
	track("CREATE TABLE note(facility_id TEXT NOT NULL, no INTEGER NOT NULL, text TEXT, weight "
	      "REAL, photo BLOB, pin_hash BLOB, PRIMARY KEY(facility_id, no)) WITHOUT ROWID",
	      "note", "f/", "facility_id");
	track("CREATE TABLE code(id INTEGER NOT NULL PRIMARY KEY, facility_id TEXT, text TEXT)",
	      "code", "all", NULL);
	track("CREATE TABLE desk(id INTEGER NOT NULL PRIMARY KEY, facility_id TEXT, text TEXT)",
	      "desk", "hub", NULL);
	unit_no = 0;
}

static void
end(void)
{
	buf_free(&page);
	hub_close();
}

/* ---------------------------------------------------------------- units made by hand */

struct row {
	const char *table;
	const char *facility; /* of a note; else the scope follows from the table */
	int64_t no;
	const char *text; /* NULL: the row is deleted */
	const char *to;   /* the facility that it goes to with this unit, or NULL */
};

/* All that a row's change needs to point to. */
struct made {
	struct store_row row;
	struct store_cell cells[8];
	struct buf key;
};

static void
add_cell(struct made *m, const char *name, struct store_value v)
{
	const struct store_schema *s = store_catalog_table(hub_db, m->row.table)->local;
	int at = store_schema_find(s, name);

	ck_assert_int_ge(at, 0);
	m->cells[m->row.cell_count++] =
	        (struct store_cell){ .column = s->columns[at].id, .stamp = 1, .value = v };
}

static void
make_row(struct made *m, const struct row *in)
{
	const struct store_table *table = store_catalog_table_by_name(hub_db, in->table);
	struct store_value no = store_value_int(in->no);
	char scope[80] = "all";

	*m = (struct made){ .row = { .table = table->id, .cells = m->cells } };
	m->row.cl = in->text == NULL ? 2 : 1;
	m->row.stamp = 1;
	m->row.schema = table->local->id;
	m->row.changed = true;
	m->row.known = true;
	if (strcmp(in->table, "note") == 0) {
		struct store_value facility = store_value_text(in->facility);

		store_value_write(&m->key, &facility);
		snprintf(scope, sizeof scope, "f/%s", in->to != NULL ? in->to : in->facility);
	} else if (strcmp(in->table, "desk") == 0) {
		snprintf(scope, sizeof scope, "hub");
	}
	store_value_write(&m->key, &no);
	m->row.key = m->key.bytes;
	m->row.key_len = m->key.len;
	ck_assert_int_eq(store_catalog_scope(hub_db, scope, &m->row.scope, &hub_err), 0);
	if (in->text != NULL)
		add_cell(m, "text", store_value_text(in->text));
}

/* One merged unit of these rows, at the hub's time, in a transaction of its own. */
static void
merge(const struct row *in, size_t count)
{
	static const uint8_t node[STORE_NODE_ID] = { 0xaa }, epoch[STORE_EPOCH] = { 0xbb };
	struct made made[16];
	struct store_row *rows[16];
	struct sync_unit unit = { .rows = rows, .count = count, .first = ++unit_no };

	ck_assert_uint_le(count, 16);
	ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
	for (size_t i = 0; i < count; i++) {
		make_row(&made[i], &in[i]);
		rows[i] = &made[i].row;
	}
	unit.scope = count > 0 ? rows[0]->scope : 0;
	if (count > 0 && in->to != NULL) {
		char left[80];

		snprintf(left, sizeof left, "f/%s", in->facility);
		ck_assert_int_eq(store_catalog_scope(hub_db, left, &unit.left, &hub_err), 0);
	}
	ck_assert_int_eq(store_catalog_site(hub_db, node, epoch, &unit.site, &hub_err), 0);
	ck_assert_msg(feed_append(hub_db, &unit, hub.now_ms, &hub_err) == 0, "%s", hub_err.msg);
	ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
	for (size_t i = 0; i < count; i++)
		buf_free(&made[i].key);
}

static void
merge_one(const char *table, const char *facility, int64_t no, const char *text)
{
	struct row row = { table, facility, no, text, NULL };

	merge(&row, 1);
}

/* `units` units of 1, 2, 3, 1, 2, 3 ... notes of F1. */
static void
fill(int units)
{
	int64_t no = 1;

	for (int u = 0; u < units; u++) {
		struct row rows[3];
		size_t count = (size_t)u % 3 + 1;

		for (size_t i = 0; i < count; i++)
			rows[i] = (struct row){ "note", "F1", no++, "text", NULL };
		merge(rows, count);
	}
}

/* ---------------------------------------------------------------- pages */

static int
read_as(const struct token *token, const char *since, int64_t limit)
{
	struct feed_query query = { .since = since, .limit = limit, .token = token };

	struct feed_end page_end = { 0 };
	int rc;

	buf_clear(&page);
	rc = feed_page(hub_db, &query, &page, &page_end, &hub_err);
	memcpy(next, page_end.next, sizeof next);
	return rc;
}

static void
read_page(const char *since, int64_t limit)
{
	ck_assert_msg(read_as(&all, since, limit) == 0, "%s", hub_err.msg);
}

static int
count_lines(void)
{
	int count = -1; /* the last one is {"next"...} */

	for (size_t i = 0; i < page.len; i++)
		count += page.bytes[i] == '\n';
	return count;
}

static bool
more(void)
{
	return strstr(buf_str(&page), "\"more\":true}\n") != NULL;
}

static bool
has(const char *text)
{
	return strstr(buf_str(&page), text) != NULL;
}

START_TEST(a_line_is_what_the_contract_says)
{
	static const char expected[] =
	        ",\"op\":\"upsert\",\"at\":\"2026-03-02T08:00:00.000Z\",\"facility\":\"F1\","
	        "\"site\":\"30313233343536373839616263646566-4142434445464748\","
	        "\"table\":\"note\",\"key\":[\"F1\",7],\"after\":{\"facility_id\":\"F1\","
	        "\"no\":7,\"text\":\"饭\",\"weight\":2.5,\"photo\":\"01ff\"}}\n{\"next\":";
	struct made m;
	struct row in = { "note", "F1", 7, "饭", NULL };
	struct sync_unit unit = { .first = 1 };
	struct store_row *rows[] = { &m.row };
	const char *line;

	ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
	make_row(&m, &in);
	add_cell(&m, "weight", store_value_real(2.5));
	add_cell(&m, "photo", store_value_blob("\x01\xff", 2));
	add_cell(&m, "pin_hash", store_value_blob("secret", 6));
	unit.rows = rows;
	unit.count = 1;
	unit.scope = m.row.scope;
	ck_assert_int_eq(store_catalog_site(hub_db, (const uint8_t *)"0123456789abcdef",
	                                    (const uint8_t *)"ABCDEFGH", &unit.site, &hub_err),
	                 0);
	ck_assert_int_eq(feed_append(hub_db, &unit, hub.now_ms, &hub_err), 0);
	ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
	buf_free(&m.key);
	read_page(NULL, 10);
	line = strstr(buf_str(&page), ",\"op\"");
	ck_assert_ptr_nonnull(line);
	ck_assert_msg(strncmp(line, expected, sizeof expected - 1) == 0, "%s", line);
	ck_assert_mem_eq(page.bytes, "{\"seq\":\"", 8);
	ck_assert_mem_eq(page.bytes + 8, next, FEED_CURSOR - 1);
}
END_TEST

START_TEST(a_deleted_row_has_no_after)
{
	merge_one("code", NULL, 5, "x");
	merge_one("code", NULL, 5, NULL);
	merge_one("code", NULL, 5, "y");
	read_page(NULL, 10);
	ck_assert_int_eq(count_lines(), 3);
	ck_assert(has("\"op\":\"delete\""));
	ck_assert(has("\"facility\":null"));
	ck_assert(has("\"key\":5,\"after\":null}"));
}
END_TEST

START_TEST(rows_that_are_as_they_were_are_not_told)
{
	merge_one("note", "F1", 1, NULL); /* it was never told of */
	merge_one("note", "F1", 1, "x");
	merge_one("note", "F1", 1, "x");
	merge_one("note", "F1", 1, NULL);
	merge_one("note", "F1", 1, NULL);
	read_page(NULL, 10);
	ck_assert_int_eq(count_lines(), 2);
}
END_TEST

START_TEST(the_hubs_own_scope_is_not_told)
{
	merge_one("desk", NULL, 1, "CANARY");
	read_page(NULL, 10);
	ck_assert_int_eq(count_lines(), 0);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_feed"), 0);
}
END_TEST

/* The rows of a table that this hub knows of from a peer only. */
static void
merge_strange(const char *table)
{
	const struct store_table *like = store_catalog_table_by_name(hub_db, "code");
	struct row in = { "code", NULL, 1, "CANARY", NULL };
	struct made m;
	struct store_row *rows[] = { &m.row };
	struct sync_unit unit = { .rows = rows, .count = 1, .first = ++unit_no };
	struct store_schema strange = *like->local;
	const struct store_schema *known;
	struct buf def = { 0 };

	strange.table = table;
	store_schema_write(&def, &strange);
	ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
	ck_assert_int_eq(store_catalog_learn(hub_db, def.bytes, def.len, &known, &hub_err), 0);
	make_row(&m, &in);
	m.row.table = known->table_id;
	m.row.schema = known->id;
	unit.scope = m.row.scope;
	ck_assert_int_eq(store_catalog_site(hub_db, (const uint8_t *)"0123456789abcdef",
	                                    (const uint8_t *)"ABCDEFGH", &unit.site, &hub_err),
	                 0);
	ck_assert_int_eq(feed_append(hub_db, &unit, hub.now_ms, &hub_err), 0);
	ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
	buf_free(&m.key);
	buf_free(&def);
}

START_TEST(tables_that_stay_in_their_file_are_not_told)
{
	static const char *const tables[] = { "local_pin", "LOCAL_pin", "hub_token", "yz_share" };

	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		merge_strange(tables[i]);
	read_page(NULL, 10);
	ck_assert_int_eq(count_lines(), 0);
	merge_strange("locality"); /* another's, and of no such name */
	read_page(NULL, 10);
	ck_assert_int_eq(count_lines(), 1);
	/* a line of an earlier program */
	ck_assert_int_eq(store_db_exec(hub_db,
	                               "UPDATE hub_feed SET tbl = (SELECT id FROM yz_table WHERE"
	                               " name = 'local_pin')",
	                               &hub_err),
	                 0);
	read_page(NULL, 10);
	ck_assert_int_eq(count_lines(), 0);
	ck_assert(!has("CANARY"));
}
END_TEST

START_TEST(text_that_is_not_utf8_is_named)
{
	merge_one("note", "F1", 1, "a\xff");
	read_page(NULL, 10);
	ck_assert(has("\"text\":\"a\xef\xbf\xbd\",\"_bad_utf8\":[\"text\"]}}"));
}
END_TEST

START_TEST(an_empty_feed_gives_a_cursor_that_holds)
{
	char since[FEED_CURSOR];

	read_page("", 10);
	ck_assert_int_eq(count_lines(), 0);
	ck_assert(!more());
	memcpy(since, next, sizeof since);
	merge_one("note", "F1", 1, "x");
	read_page(since, 10);
	ck_assert_int_eq(count_lines(), 1);
	read_page(next, 10);
	ck_assert_int_eq(count_lines(), 0);
}
END_TEST

START_TEST(a_page_ends_only_at_a_units_end)
{
	/* units of 1, 2, 3, 1, 2, 3, 1: ends after 1, 3, 6, 7, 9, 12, 13 lines */
	static const int expected[] = { 0, 1, 3, 3, 6, 6, 6, 7, 9, 9, 12, 12, 12, 13, 13 };

	fill(7);
	read_page(NULL, _i);
	ck_assert_int_eq(count_lines(), expected[_i]);
	ck_assert(more() == (expected[_i] < 13));
}
END_TEST

START_TEST(pages_of_any_size_make_the_same_feed)
{
	struct buf whole = { 0 }, sum = { 0 };
	char since[FEED_CURSOR] = "";

	fill(20);
	read_page(NULL, FEED_LIMIT_MAX);
	buf_put(&whole, page.bytes, page.len);
	for (bool again = true; again;) {
		const char *tail;

		read_page(since, _i);
		again = more();
		tail = strstr(buf_str(&page), "{\"next\"");
		ck_assert_ptr_nonnull(tail);
		buf_put(&sum, page.bytes,
		        again ? (size_t)(tail - (const char *)page.bytes) : page.len);
		memcpy(since, next, sizeof since);
	}
	ck_assert_str_eq(buf_str(&sum), buf_str(&whole));
	buf_free(&sum);
	buf_free(&whole);
}
END_TEST

START_TEST(every_page_replays_byte_for_byte)
{
	struct buf first = { 0 };
	char since[FEED_CURSOR] = "", then[FEED_CURSOR];

	fill(9);
	for (int i = 0; i < 4; i++) {
		read_page(since, 3);
		ck_assert(more());
		buf_clear(&first);
		buf_put(&first, page.bytes, page.len);
		memcpy(then, next, sizeof then);
		/* the rows move on; what was told doesn't */
		hub.now_ms += 1000;
		merge_one("note", "F1", 1, i % 2 == 0 ? "changed" : "again");
		merge_one("note", "F1", 2, i % 2 == 0 ? NULL : "back");
		read_page(since, 3);
		ck_assert_str_eq(buf_str(&page), buf_str(&first));
		memcpy(since, then, sizeof since);
	}
	buf_free(&first);
}
END_TEST

START_TEST(every_seq_is_a_valid_since)
{
	struct buf whole = { 0 };
	int line = 0;

	fill(6);
	read_page(NULL, 100);
	buf_put(&whole, page.bytes, page.len);
	for (const char *at = buf_str(&whole); strncmp(at, "{\"seq\":\"", 8) == 0;) {
		char since[FEED_CURSOR];

		memcpy(since, at + 8, FEED_CURSOR - 1);
		since[FEED_CURSOR - 1] = 0;
		at = strchr(at, '\n') + 1;
		read_page(since, 100);
		ck_assert_str_eq(buf_str(&page), at);
		line++;
	}
	ck_assert_int_eq(line, 12);
	buf_free(&whole);
}
END_TEST

START_TEST(a_token_never_sees_another_facilitys_rows)
{
	struct token f2 = { .scope = "f/F2" }, codes = { .scope = "all", .tables = ",code," };
	char since[FEED_CURSOR] = "";
	int lines = 0;

	for (int i = 0; i < 30; i++) {
		merge_one("note", i % 3 == 0 ? "F1" : "F2x", i, "CANARY");
		merge_one("code", NULL, i, "public");
		if (i % 10 == 0)
			merge_one("note", "F2", i, "ours");
	}
	for (bool again = true; again;) {
		ck_assert_int_eq(read_as(&f2, since, 1), 0);
		ck_assert(!has("CANARY"));
		ck_assert(!has("F1"));
		ck_assert(!has("F2x"));
		ck_assert(!has("public"));
		lines += count_lines();
		again = more();
		memcpy(since, next, sizeof since);
	}
	ck_assert_int_eq(lines, 3);
	ck_assert_int_eq(read_as(&codes, NULL, 1000), 0);
	ck_assert_int_eq(count_lines(), 30);
	ck_assert(!has("CANARY"));
}
END_TEST

START_TEST(cursors_that_do_not_fit_are_told_apart)
{
	char cursor[FEED_CURSOR];

	fill(3);
	read_page(NULL, 3);
	ck_assert_int_eq(read_as(&all, next, 1), 0);
	read_page(NULL, 3);
	memcpy(cursor, next, sizeof cursor);
	for (size_t i = 0; i < FEED_CURSOR - 1; i++) {
		char was = cursor[i];

		cursor[i] = was == '0' ? '1' : '0';
		ck_assert_msg(read_as(&all, cursor, 1) == ERR_NOTFOUND, "digit %zu", i);
		cursor[i] = 'x';
		ck_assert_int_eq(read_as(&all, cursor, 1), ERR_INVALID);
		cursor[i] = was;
	}
	cursor[FEED_CURSOR - 2] = 0;
	ck_assert_int_eq(read_as(&all, cursor, 1), ERR_INVALID);
	ck_assert_int_eq(read_as(&all, "7", 1), ERR_INVALID);
}
END_TEST

START_TEST(a_line_after_another_past_is_another_line)
{
	char cursor[FEED_CURSOR];

	merge_one("note", "F1", 1, "this");
	merge_one("note", "F1", 2, "same");
	read_page(NULL, 2);
	memcpy(cursor, next, sizeof cursor);
	ck_assert_int_eq(store_db_exec(hub_db, "DELETE FROM hub_feed", &hub_err), 0);
	unit_no = 0;
	merge_one("note", "F1", 1, "that");
	merge_one("note", "F1", 2, "same");
	ck_assert_int_eq(read_as(&all, cursor, 1), ERR_NOTFOUND);
}
END_TEST

START_TEST(a_cursor_of_another_life_is_gone)
{
	char cursor[FEED_CURSOR];

	fill(3);
	read_page(NULL, 100);
	memcpy(cursor, next, sizeof cursor);
	if (_i == 0) {
		ck_assert_int_eq(store_meta_set(hub_db, "epoch", "NEWEPOCH", 8, &hub_err), 0);
	} else {
		/* restored without noticing: the same numbers, other lines */
		ck_assert_int_eq(
		        store_db_exec(hub_db, "DELETE FROM hub_feed WHERE seq > 3", &hub_err), 0);
		ck_assert_int_eq(read_as(&all, cursor, 1), ERR_NOTFOUND);
		for (int i = 0; i < 5; i++)
			merge_one("note", "F9", i, "other");
	}
	ck_assert_int_eq(read_as(&all, cursor, 1), ERR_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(hub_err.msg, "fetch /v1/snapshot.sqlite.zst"));
	ck_assert_int_eq(read_as(&all, "", 1), 0);
}
END_TEST

START_TEST(members_are_left_out_of_a_row)
{
	static const char *const names[] = { "name", "note", NULL };
	static const struct {
		const char *row, *left;
	} cases[] = {
		{ "{\"id\":\"01\",\"name\":\"a\",\"sex\":1}", "{\"id\":\"01\",\"sex\":1}" },
		{ "{\"name\":\"a\"}", "{}" },
		{ "{}", "{}" },
		{ "null", "null" },
		{ "", "" }, /* erased */
		{ "{\"name\":\"\\\",\\\"id\\\":\",\"id\":\"\\\\\",\"note\":null}",
		  "{\"id\":\"\\\\\"}" },
		{ "{\"a\":\"name\",\"b\":\"{\\\"name\\\":1}\",\"name\":[1,{\"x\":\"]\"}],\"c\":-1."
		  "5e3}",
		  "{\"a\":\"name\",\"b\":\"{\\\"name\\\":1}\",\"c\":-1.5e3}" },
		{ "{\"names\":1,\"nam\":2,\"_bad_utf8\":[\"name\"]}",
		  "{\"names\":1,\"nam\":2,\"_bad_utf8\":[\"name\"]}" },
	};
	struct buf out = { 0 };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		buf_clear(&out);
		feed_row_without(&out, cases[i].row, names);
		ck_assert_str_eq(buf_str(&out), cases[i].left);
	}
	buf_free(&out);
}
END_TEST

START_TEST(names_are_for_tokens_that_were_given_them)
{
	struct token personal = { .scope = "all", .personal = true };
	char with[FEED_CURSOR];

	track("CREATE TABLE child(id INTEGER NOT NULL PRIMARY KEY, name TEXT, text TEXT)", "child",
	      "all", NULL);
	for (int i = 0; i < 2; i++) {
		struct made m;
		struct row in = { "child", NULL, 1 + i, "kept", NULL };
		struct store_row *rows[] = { &m.row };
		struct sync_unit unit = { .rows = rows, .count = 1, .first = ++unit_no };

		ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
		make_row(&m, &in);
		add_cell(&m, "name", store_value_text("小明"));
		/* cells stand in the order of their columns */
		m.cells[2] = m.cells[0];
		m.cells[0] = m.cells[1];
		m.cells[1] = m.cells[2];
		unit.scope = m.row.scope;
		ck_assert_int_eq(store_catalog_site(hub_db, (const uint8_t *)"0123456789abcdef",
		                                    (const uint8_t *)"ABCDEFGH", &unit.site,
		                                    &hub_err),
		                 0);
		ck_assert_int_eq(feed_append(hub_db, &unit, hub.now_ms, &hub_err), 0);
		ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
		buf_free(&m.key);
	}
	ck_assert_int_eq(read_as(&personal, NULL, 10), 0);
	ck_assert(has("\"after\":{\"id\":1,\"name\":\"小明\",\"text\":\"kept\"}"));
	memcpy(with, next, sizeof with);
	ck_assert_int_eq(read_as(&all, NULL, 10), 0);
	ck_assert(has("\"after\":{\"id\":1,\"text\":\"kept\"}"));
	ck_assert(!has("小明"));
	ck_assert_str_eq(next, with); /* the same lines, with the same cursors */
}
END_TEST

/* ---------------------------------------------------------------- behind a real hub */

static struct world world;

static int
listen_to(void *ctx, const struct sync_unit *unit, struct err *err)
{
	const struct world_peer *hub_peer = ctx;

	return feed_append(hub_peer->merge, unit, world.wall_ms, err);
}

static void
world_begin(void)
{
	static const char *const facilities[] = { "F1", "F2", NULL };

	world_open(&world, 7, facilities);
	ck_assert_int_eq(hub_schema_migrate(world.hub.merge, &hub_err), 0);
	world.hub.node.r.applied = listen_to;
	hub_db = world.hub.local;
}

static void
world_end(void)
{
	buf_free(&page);
	world_close(&world);
}

START_TEST(what_facilities_write_is_told_once_and_whole)
{
	struct token f2 = { .scope = "f/F2" };
	char since[FEED_CURSOR];

	world_sql(&world.nodes[0], "INSERT INTO note(id, facility_id, text, a, b) VALUES "
	                           "(x'01', 'F1', 'CANARY', 1, 2), (x'02', 'F1', 'second', 3, 4)");
	world_sql(&world.nodes[1], "INSERT INTO note(id, facility_id, text) VALUES "
	                           "(x'03', 'F2', 'ours')");
	world_settle(&world, 8);
	read_page(NULL, 100);
	ck_assert_int_eq(count_lines(), 3);
	ck_assert(has("\"table\":\"note\",\"key\":\"01\",\"after\":{\"id\":\"01\","
	              "\"facility_id\":\"F1\",\"text\":\"CANARY\",\"rank\":"));
	ck_assert_int_eq(read_as(&f2, NULL, 100), 0);
	ck_assert_int_eq(count_lines(), 1);
	ck_assert(!has("CANARY"));
	memcpy(since, next, sizeof since);

	/* one cell is written: the line has the whole row, with what the hub wrote meanwhile */
	world_sql(&world.hub, "UPDATE note SET text = 'by the hub' WHERE id = x'01'");
	world_sql(&world.nodes[0], "UPDATE note SET a = 9, b = 8 WHERE id = x'01'");
	world_sql(&world.nodes[0], "DELETE FROM note WHERE id = x'02'");
	world_settle(&world, 8);
	read_page(since, 100);
	ck_assert_int_eq(count_lines(), 3);
	ck_assert(has("\"text\":\"by the hub\""));
	ck_assert(has("\"a\":9,\"b\":8}}"));
	ck_assert(has("\"op\":\"delete\""));
	ck_assert(has("\"key\":\"02\",\"after\":null}"));
	memcpy(since, next, sizeof since);
	world_settle(&world, 8);
	read_page(since, 100);
	ck_assert_int_eq(count_lines(), 0);
}
END_TEST

/* ---------------------------------------------------------------- over HTTP */

static struct http_response response;
static char bearer[80];

static void
http_begin(void)
{
	struct token_terms terms = { .scope = "f/F1" };
	char text[TOKEN_TEXT], id[TOKEN_ID];

	begin();
	fill(6);
	merge_one("note", "F2", 1, "CANARY");
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err), 0);
	snprintf(bearer, sizeof bearer, "Bearer %s", text);
}

static void
http_end(void)
{
	buf_free(&response.fields);
	buf_free(&response.body);
	end();
}

static void
get(const char *query, const char *authorization)
{
	struct changes_request request = { .query = query, .authorization = authorization };

	buf_free(&response.fields);
	buf_free(&response.body);
	response = (struct http_response){ 0 };
	api_changes_get(hub_db, &request, hub.now_ms, &response);
}

static const char *
field(const char *name)
{
	return hub_field(&response, name);
}

START_TEST(changes_are_given_to_who_has_a_token)
{
	get("limit=2", bearer);
	ck_assert_int_eq(response.status, 200);
	ck_assert_str_eq(response.type, "application/x-ndjson");
	ck_assert_ptr_nonnull(strstr(buf_str(&response.body), "\"more\":true"));
	ck_assert_ptr_nonnull(strstr(field("Link"), "&limit=2>; rel=\"next\""));
	get("", bearer);
	ck_assert_ptr_nonnull(strstr(buf_str(&response.body), "\"more\":false"));
	ck_assert_ptr_null(strstr(buf_str(&response.body), "CANARY"));
	get("feed=normal&since=&scope=f%2FF1", bearer);
	ck_assert_int_eq(response.status, 200);
	ck_assert_ptr_nonnull(strstr(field("Link"), "&scope=f%2FF1>"));
}
END_TEST

START_TEST(errors_are_problems_that_say_what_to_do)
{
	static const struct {
		const char *query;
		int status;
		const char *says;
	} cases[] = {
		{ "limit=0", 400, "limit=0: a number from 1 to 10000" },
		{ "limit=10001", 400, "limit=10001" },
		{ "limit=99999999999999999999", 400, "limit=9999" },
		{ "limit=-1", 400, "limit=-1" },
		{ "limit=", 400, "limit=:" },
		{ "limit=1e3", 400, "limit=1e3" },
		{ "feed=continuous", 400,
		  "feed=continuous isn't offered here; normal, longpoll and eventsource are" },
		{ "timeout=0", 400, "timeout=0: a number from 1 to 50000" },
		{ "timeout=50001", 400, "timeout=50001" },
		{ "feed=eventsource&since=12", 400, "isn't a cursor" },
		{ "feed=", 400, "feed=" },
		{ "since=12", 400, "isn't a cursor" },
		{ "since="
		  "00000000000000000000000000000000000000000000000000000000000000000000",
		  400, "since" },
		{ "since=000000000000000000000000000000000000000000000000", 410,
		  "fetch /v1/snapshot.sqlite.zst and read on from its Yz-Cursor" },
		{ "scope=f%2FF2", 403, "this token reads f/F1, not f/F2" },
		{ "scope=all", 403, "not all" },
		{ "token=1", 400, "no parameter token" },
		{ "limit=%zz", 400, "" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		get(cases[i].query, bearer);
		ck_assert_msg(response.status == cases[i].status, "%s: %d", cases[i].query,
		              response.status);
		ck_assert_str_eq(response.type, "application/problem+json");
		ck_assert_msg(strstr(buf_str(&response.body), cases[i].says) != NULL, "%s: %s",
		              cases[i].query, buf_str(&response.body));
		ck_assert_ptr_null(strstr(buf_str(&response.body), "CANARY"));
		if (cases[i].status == 410)
			ck_assert_str_eq(field("Link"),
			                 "</v1/snapshot.sqlite.zst>; rel=\"alternate\"");
		else
			ck_assert_str_eq(field("Link"), "");
	}
}
END_TEST

/* A page as server-sent events: the same lines, each with its own cursor as its id. */
START_TEST(events_are_the_lines_with_their_cursors)
{
	struct changes_request request = { .query = "feed=eventsource&limit=2",
		                           .authorization = bearer };
	char id[FEED_CURSOR];
	const char *at, *line;
	int events = 0;

	get("limit=10", bearer);
	buf_clear(&page);
	buf_put(&page, response.body.bytes, response.body.len);
	line = buf_str(&page);
	for (int rounds = 0; rounds < 10; rounds++) {
		buf_free(&response.fields);
		buf_free(&response.body);
		response = (struct http_response){ 0 };
		api_changes_get(hub_db, &request, hub.now_ms, &response);
		ck_assert_str_eq(response.type, "text/event-stream");
		at = buf_str(&response.body);
		for (; strncmp(at, "id: ", 4) == 0; events++) {
			size_t len = strcspn(line, "\n") + 1;

			memcpy(id, at + 4, FEED_CURSOR - 1);
			id[FEED_CURSOR - 1] = 0;
			at += 4 + FEED_CURSOR - 1;
			ck_assert_int_eq(strncmp(at, "\ndata: {\"seq\":\"", 15), 0);
			ck_assert_int_eq(strncmp(at + 15, id, FEED_CURSOR - 1), 0);
			ck_assert_int_eq(strncmp(at + 7, line, len), 0);
			ck_assert_int_eq(at[7 + len], '\n');
			at += 7 + len + 1;
			line += len;
		}
		request.last_event_id = id;
		if (*at == ':')
			break;
	}
	ck_assert_int_eq(strncmp(line, "{\"next\"", 7), 0); /* all of them */
	ck_assert_int_gt(events, 2);                        /* more than one page had */
	ck_assert_int_eq(strncmp(at, ":\nid: ", 6), 0);     /* a comment, and where it is */
	ck_assert_int_eq(strncmp(at + 6 + FEED_CURSOR - 1, "\n\n", 3), 0);
}
END_TEST

START_TEST(without_a_valid_token_the_answer_is_401)
{
	static const char *const headers[] = {
		NULL,      "",           "Bearer",
		"Bearer ", "Basic YTpi", "Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	};

	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		get("", headers[i]);
		ck_assert_int_eq(response.status, 401);
		ck_assert_str_eq(field("WWW-Authenticate"), "Bearer");
		ck_assert_ptr_null(strstr(buf_str(&response.body), "seq"));
	}
	bearer[0] = 'b'; /* the scheme's case doesn't matter */
	get("", bearer);
	ck_assert_int_eq(response.status, 200);
}
END_TEST

START_TEST(metrics_and_health_are_text_without_names)
{
	struct metrics m = { 0 };

	metrics_http(&m, 204);
	metrics_http(&m, 503);
	metrics_http(&m, 503);
	metrics_http(&m, 100);
	metrics_add(&m, METRIC_RECEIVED, 40);
	buf_clear(&page);
	ck_assert_msg(metrics_write(&page, &m, hub_db, true, &hub_err) == 0, "%s", hub_err.msg);
	ck_assert(has("\nyizhan_http_responses_total{class=\"2xx\"} 1\n"));
	ck_assert(has("\nyizhan_http_responses_total{class=\"5xx\"} 2\n"));
	ck_assert(has("\nyizhan_changes_received_total 40\n"));
	ck_assert(has("\nyizhan_hub_feed_lines 13\n"));
	ck_assert(has("\nyizhan_conflicts_open 0\n"));
	ck_assert(!has("F1"));
	buf_clear(&page);
	ck_assert_int_eq(metrics_write(&page, &m, hub_db, false, &hub_err), 0);
	ck_assert(!has("yizhan_hub_"));
	buf_clear(&page);
	ck_assert_int_eq(metrics_health(&page, hub_db, true, &hub_err), 0);
	ck_assert_str_eq(buf_str(&page), "{\"status\":\"ok\",\"role\":\"hub\"}\n");
}
END_TEST

/* ---------------------------------------------------------------- each row once */

static int
add_latest(void *ctx, const struct feed_latest *row, struct err *err)
{
	struct buf *out = ctx;

	(void)err;
	buf_printf(out, "%s %s %s\n", row->table, row->key, row->gone ? "gone" : row->after);
	return 0;
}

static const char *
latest_as(const struct token *token, const char *scope, const char *since)
{
	struct feed_query query = { .since = since, .token = token, .scope = scope };

	buf_clear(&page);
	ck_assert_msg(feed_latest(hub_db, &query, add_latest, &page, &hub_err) == 0, "%s",
	              hub_err.msg);
	return buf_str(&page);
}

START_TEST(of_each_row_the_last_line_since_a_cursor)
{
	static const struct token f1 = { .scope = "f/F1" };
	static const struct token few = { .scope = "all", .tables = ",code," };
	char since[FEED_CURSOR];

	merge_one("note", "F1", 1, "old");
	merge_one("note", "F1", 2, "old");
	merge_one("code", NULL, 5, "old");
	ck_assert_int_eq(feed_cursor(hub_db, since, &hub_err), 0);
	ck_assert_str_eq(latest_as(&all, NULL, since), "");
	merge_one("note", "F1", 1, "new");
	merge_one("note", "F1", 1, "newer");
	merge_one("note", "F2", 9, "CANARY");
	merge_one("desk", NULL, 1, "CANARY");
	merge_one("note", "F1", 2, NULL);
	merge_one("note", "F1", 3, "here");
	merge_one("note", "F1", 3, NULL);
	merge_one("note", "F1", 3, "again");
	ck_assert_str_eq(latest_as(&f1, NULL, since),
	                 "note [\"F1\",1] {\"facility_id\":\"F1\",\"no\":1,\"text\":\"newer\"}\n"
	                 "note [\"F1\",2] gone\n"
	                 "note [\"F1\",3] {\"facility_id\":\"F1\",\"no\":3,\"text\":\"again\"}\n");
	ck_assert_str_eq(latest_as(&all, "f/F2", since),
	                 "note [\"F2\",9] {\"facility_id\":\"F2\",\"no\":9,\"text\":\"CANARY\"}\n");
	ck_assert_str_eq(latest_as(&few, NULL, since), "");
	ck_assert_str_eq(latest_as(&few, NULL, NULL), "code 5 {\"id\":5,\"text\":\"old\"}\n");
	ck_assert_str_eq(latest_as(&all, "f/F3", NULL), "");
}
END_TEST

/* Who reads the scope that a row has left reads that it is gone; who reads all, where it is. */
START_TEST(a_row_that_moved_is_gone_for_who_reads_its_old_scope)
{
	static const struct token f1 = { .scope = "f/F1" }, f2 = { .scope = "f/F2" };
	struct row moved = { "note", "F1", 1, "text", "F2" };
	char since[FEED_CURSOR];

	merge_one("note", "F1", 1, "text");
	ck_assert_int_eq(feed_cursor(hub_db, since, &hub_err), 0);
	merge(&moved, 1);
	ck_assert_str_eq(latest_as(&f1, NULL, since), "note [\"F1\",1] gone\n");
	ck_assert_str_eq(latest_as(&f2, NULL, since),
	                 "note [\"F1\",1] {\"facility_id\":\"F1\",\"no\":1,\"text\":\"text\"}\n");
	ck_assert_str_eq(latest_as(&all, NULL, since),
	                 "note [\"F1\",1] {\"facility_id\":\"F1\",\"no\":1,\"text\":\"text\"}\n");
	ck_assert_str_eq(latest_as(&all, "f/F1", since), "note [\"F1\",1] gone\n");
}
END_TEST

Suite *
suite_node_feed(void)
{
	Suite *s = suite_create("node/feed");
	TCase *t = tcase_create("feed");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_line_is_what_the_contract_says);
	tcase_add_test(t, a_deleted_row_has_no_after);
	tcase_add_test(t, rows_that_are_as_they_were_are_not_told);
	tcase_add_test(t, the_hubs_own_scope_is_not_told);
	tcase_add_test(t, tables_that_stay_in_their_file_are_not_told);
	tcase_add_test(t, text_that_is_not_utf8_is_named);
	tcase_add_test(t, an_empty_feed_gives_a_cursor_that_holds);
	tcase_add_loop_test(t, a_page_ends_only_at_a_units_end, 1, 15);
	tcase_add_loop_test(t, pages_of_any_size_make_the_same_feed, 1, 8);
	tcase_add_test(t, every_page_replays_byte_for_byte);
	tcase_add_test(t, every_seq_is_a_valid_since);
	tcase_add_test(t, a_token_never_sees_another_facilitys_rows);
	tcase_add_test(t, cursors_that_do_not_fit_are_told_apart);
	tcase_add_test(t, a_line_after_another_past_is_another_line);
	tcase_add_loop_test(t, a_cursor_of_another_life_is_gone, 0, 2);
	tcase_add_test(t, members_are_left_out_of_a_row);
	tcase_add_test(t, names_are_for_tokens_that_were_given_them);
	suite_add_tcase(s, t);

	t = tcase_create("world");
	tcase_add_checked_fixture(t, world_begin, world_end);
	tcase_add_test(t, what_facilities_write_is_told_once_and_whole);
	suite_add_tcase(s, t);

	t = tcase_create("http");
	tcase_add_checked_fixture(t, http_begin, http_end);
	tcase_add_test(t, of_each_row_the_last_line_since_a_cursor);
	tcase_add_test(t, a_row_that_moved_is_gone_for_who_reads_its_old_scope);
	tcase_add_test(t, changes_are_given_to_who_has_a_token);
	tcase_add_test(t, errors_are_problems_that_say_what_to_do);
	tcase_add_test(t, events_are_the_lines_with_their_cursors);
	tcase_add_test(t, without_a_valid_token_the_answer_is_401);
	tcase_add_test(t, metrics_and_health_are_text_without_names);
	suite_add_tcase(s, t);
	return s;
}
