/*
 * tests/sim_month.c - a station's month with three versions of the schema: one node
 * has the first, the hub the second, the other node the third.
 *
 * Both nodes write simulated days and the cells of their version, meet through the
 * hub each evening, and hold the same in all that they have in common.  At the end
 * the oldest catches up by two versions, and has all.
 */
#include "tests/suites.h"
#include "tests/world.h"

#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/day.h"
#include "node/facility/roster.h"
#include "node/facility/schema.h"
#include "node/role.h"
#include "store/alter.h"
#include "store/base/file.h"
#include "store/stmt.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAYS = 30, FIRST_DAY = 20260302, DAY_MS = 86400000, OLD = 0, NEW = 1 };

static const char *const facilities[] = { "F1", "F1", NULL };

/* The second version has a table and a column more, the third columns of old and new tables, one
 * of them with a default, and another name for one of the second's. */
static const char second[] =
        "CREATE TABLE visit(id INTEGER NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL, note TEXT);"
        "\n-- yizhan track visit\n"
        "ALTER TABLE child ADD COLUMN shoe TEXT;";
static const char third[] = "ALTER TABLE visit RENAME COLUMN note TO remark;"
                            "ALTER TABLE visit ADD COLUMN mood TEXT;"
                            "ALTER TABLE child ADD COLUMN hat TEXT NOT NULL DEFAULT 'none';"
                            "ALTER TABLE care_event ADD COLUMN place TEXT;";

static struct world w;
static struct err err;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

static void
make_tables(struct world_peer *p)
{
	must(store_db_begin(p->merge, &err));
	must(facility_schema_create(p->merge, &err));
	must(facility_track(p->merge, p == &w.hub, &err));
	must(node_role_set(p->merge, p == &w.hub ? NULL : "F1", &err));
	must(store_db_commit(p->merge, &err));
}

static void
open_world(void)
{
	world_open(&w, 53, facilities);
	make_tables(&w.hub);
	for (int i = 0; i < w.node_count; i++)
		make_tables(&w.nodes[i]);
}

static void
close_world(void)
{
	world_close(&w);
}

static int
obey(void *ctx, struct store_db *db, const char *words, struct err *e)
{
	struct store_track_spec spec = { .scope = "f/", .scope_column = "facility_id" };
	char table[32] = "";

	ck_assert_int_eq(sscanf(words, "track %31s", table), 1);
	spec.table = table;
	return store_track_table(db, &spec, ctx == &w.hub, e);
}

/* Apply a schema file: nothing that is there already is a change. */
static void
alter(struct world_peer *p, const char *sql)
{
	struct store_alter_file file = {
		.sql = sql, .is_hub = p == &w.hub, .obey = obey, .ctx = p
	};
	int64_t waited = world_int(p, "SELECT count(*) FROM yz_log");
	struct store_alter told;

	must(store_db_begin(p->merge, &err));
	must(store_alter_run(p->merge, &file, &told, &err));
	store_alter_free(&told);
	must(store_db_commit(p->merge, &err));
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_log"), waited);
}

/* ---- what is written ---- */

static void
enter_roster(struct world_peer *p)
{
	struct roster_options opt = { .at = date_ms(FIRST_DAY, 420, 480) };
	struct roster_counts n;
	struct buf text = { 0 };
	struct facility f;

	must(store_db_begin(p->local, &err));
	must(facility_create(p->local, "F1", "驿站", KIND_STATION, &err));
	must(store_db_commit(p->local, &err));
	must(facility_open(&f, p->local, NULL, &err));
	must(file_read("packaging/rosters/station-1.csv", 1 << 20, &text, &err));
	must(roster_import(&f, text.bytes, text.len, &opt, &n, &err));
	buf_free(&text);
}

/* The whole day's taps; the other node writes the same tables, so some may come too late. */
static void
write_day(struct world_peer *p, int date, uint64_t seed)
{
	struct facility_action *list;
	struct arena a = { 0 };
	struct facility f;
	size_t count;

	must(facility_open(&f, p->local, NULL, &err));
	must(facility_day_plan(&f, date, seed, &a, &list, &count, &err));
	must(store_db_begin(p->local, &err));
	for (size_t i = 0; i < count; i++)
		must(facility_do(&f, &list[i], &err));
	must(store_db_commit(p->local, &err));
	arena_free(&a);
}

/* Cells of columns that only the newer ones have, and edits by the old one of the same rows. */
static void
write_versions(int day)
{
	char sql[512];

	snprintf(sql, sizeof sql,
	         "UPDATE child SET hat = 'hat %d', shoe = 'shoe %d' WHERE id IN "
	         "(SELECT id FROM child ORDER BY id LIMIT 2 OFFSET %d);"
	         "INSERT INTO care_event(facility_id, kind, place) VALUES ('F1', 1, 'garden %d');"
	         "INSERT INTO visit VALUES (%d, 'F1', 'visit %d', 'glad')",
	         day, day, day % 7, day, day, day);
	world_sql(&w.nodes[NEW], sql);
	snprintf(sql, sizeof sql,
	         "UPDATE child SET note = 'day %d' WHERE id IN "
	         "(SELECT id FROM child ORDER BY id LIMIT 2 OFFSET %d)",
	         day, day % 5);
	world_sql(&w.nodes[OLD], sql);
	snprintf(sql, sizeof sql,
	         "UPDATE visit SET note = 'seen at the hub' WHERE id = %d; "
	         "DELETE FROM visit WHERE id = %d",
	         day - 1, day - 9);
	world_sql(&w.hub, sql);
}

/* ---- what must hold ---- */

static void
same_of(struct world_peer *a, struct world_peer *b, const char *sql_a, const char *sql_b)
{
	char *got_a = world_dump(a, sql_a), *got_b = world_dump(b, sql_b);

	ck_assert_msg(strcmp(got_a, got_b) == 0, "%s", sql_a);
	free(got_a);
	free(got_b);
}

static void
nothing_is_lost_or_blocked_at(struct world_peer *p)
{
	char hub[33], here[33];

	ck_assert_str_eq(world_digest(p, "f/F1", here), world_digest(&w.hub, "f/F1", hub));
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_log"), 0);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_quarantine"), 0);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_meta WHERE name LIKE 'untracked%'"),
	                 0);
}

static void
nothing_is_lost_or_blocked(void)
{
	nothing_is_lost_or_blocked_at(&w.hub);
	nothing_is_lost_or_blocked_at(&w.nodes[OLD]);
	nothing_is_lost_or_blocked_at(&w.nodes[NEW]);
}

/* Everything but what only the newer versions have: the facility's tables, column by column. */
static void
the_first_version_is_everywhere(void)
{
	for (size_t i = 0; i < facility_table_count; i++) {
		const char *table = facility_tables[i].table;
		struct store_stmt s = store_stmt_new(
		        w.nodes[OLD].local, "SELECT group_concat('\"' || name || '\"') FROM "
		                            "pragma_table_info(?)");
		struct buf sql = { 0 };

		store_stmt_put_text(&s, table);
		ck_assert_int_eq(store_stmt_step(&s, &err), 1);
		buf_printf(&sql, "SELECT %s FROM %s ORDER BY 1, 2, 3", store_stmt_get_text(&s),
		           table);
		store_stmt_end(&s);
		same_of(&w.nodes[OLD], &w.hub, buf_str(&sql), buf_str(&sql));
		same_of(&w.nodes[OLD], &w.nodes[NEW], buf_str(&sql), buf_str(&sql));
		buf_free(&sql);
	}
}

static void
the_newest_has_it_all(struct world_peer *p)
{
	static const char garden[] = "SELECT count(*) FROM care_event WHERE place LIKE 'garden%'";

	ck_assert_int_eq(world_int(p, garden), DAYS - 1);
	same_of(&w.nodes[NEW], p, "SELECT id, hat, shoe FROM child ORDER BY id",
	        "SELECT id, hat, shoe FROM child ORDER BY id");
	same_of(&w.nodes[NEW], p, "SELECT id, remark, mood FROM visit ORDER BY id",
	        "SELECT id, remark, mood FROM visit ORDER BY id");
}

START_TEST(nothing_is_lost_or_blocked_in_a_month_two_versions_apart)
{
	int64_t records;

	enter_roster(&w.nodes[OLD]);
	write_day(&w.nodes[OLD], FIRST_DAY, 1);
	world_settle(&w, 2);
	records = world_int(&w.hub, "SELECT sum(n) FROM yz_stream");
	alter(&w.hub, second);
	alter(&w.nodes[NEW], second);
	alter(&w.nodes[NEW], third);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT sum(n) FROM yz_stream"), records);
	nothing_is_lost_or_blocked();
	for (int day = 1; day < DAYS; day++) {
		world_wait(&w, DAY_MS);
		write_day(&w.nodes[day % 2], date_add(FIRST_DAY, day), (uint64_t)day);
		write_versions(day);
		world_settle(&w, 2);
		nothing_is_lost_or_blocked();
	}
	the_first_version_is_everywhere();
	same_of(&w.nodes[NEW], &w.hub, "SELECT id, remark FROM visit ORDER BY id",
	        "SELECT id, note FROM visit ORDER BY id");
	same_of(&w.nodes[NEW], &w.hub, "SELECT id, shoe FROM child ORDER BY id",
	        "SELECT id, shoe FROM child ORDER BY id");
	ck_assert_int_gt(world_int(&w.nodes[OLD], "SELECT count(*) FROM yz_extra"), DAYS);
	/* two versions at once */
	records = world_int(&w.hub, "SELECT sum(n) FROM yz_stream");
	alter(&w.nodes[OLD], second);
	alter(&w.nodes[OLD], third);
	alter(&w.hub, third);
	world_settle(&w, 2);
	nothing_is_lost_or_blocked();
	the_newest_has_it_all(&w.nodes[OLD]);
	the_newest_has_it_all(&w.hub);
	ck_assert_int_eq(world_int(&w.hub, "SELECT sum(n) FROM yz_stream"), records);
	ck_assert_int_eq(world_int(&w.nodes[OLD], "SELECT count(*) FROM yz_extra"), 0);
}
END_TEST

Suite *
suite_sim_month(void)
{
	Suite *suite = suite_create("sim/month");
	TCase *tc = tcase_create("three_versions");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, nothing_is_lost_or_blocked_in_a_month_two_versions_apart);
	suite_add_tcase(suite, tc);
	return suite;
}
