/* tests/share_world.c - a world with shared children (tests/share_world.h). */
#include "tests/share_world.h"

#include "store/share.h"
#include "store/stmt.h"
#include "store/track.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "A", "B", "C", "B", NULL };

static struct err err;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

/* ---- the tables ---- */

static const char schema_sql[] =
        "CREATE TABLE child(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL, name TEXT,"
        " note TEXT) WITHOUT ROWID;"
        "CREATE TABLE growth(id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)), facility_id"
        " TEXT NOT NULL, child_id BLOB, grams INTEGER) WITHOUT ROWID;"
        "CREATE TABLE allergy(child_id BLOB NOT NULL, code INTEGER NOT NULL, facility_id TEXT NOT"
        " NULL, note TEXT, PRIMARY KEY(child_id, code)) WITHOUT ROWID;";

static void
make_tables(struct world *w, struct world_peer *p)
{
	static const struct store_track_spec specs[] = {
		{ .table = "child", .scope = "f/", .scope_column = "facility_id" },
		{ .table = "growth",
		  .kind = STORE_EVENT,
		  .scope = "f/",
		  .scope_column = "facility_id" },
		{ .table = "allergy", .scope = "f/", .scope_column = "facility_id" },
		{ .table = "yz_share",
		  .scope = "",
		  .scope_column = "scope",
		  .hub_only = "at,ended,by" },
	};

	must(store_db_exec(p->local, schema_sql, &err));
	must(store_db_begin(p->merge, &err));
	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
		must(store_track_table(p->merge, &specs[i], p == &w->hub, &err));
	must(store_db_commit(p->merge, &err));
}

void
share_world_open(struct world *w)
{
	world_open(w, 31, facilities);
	w->hold_sums = true;
	make_tables(w, &w->hub);
	for (int i = 0; i < w->node_count; i++)
		make_tables(w, &w->nodes[i]);
}

/* ---- what the hub says ---- */

void
share_world_say(struct world *w, int child, const char *scope, bool ends)
{
	uint8_t id = (uint8_t)child;
	struct store_value v = { .type = STORE_BLOB, .bytes = &id, .len = 1 };
	struct buf key = { 0 };
	struct store_share_line line = { .table = "child", .scope = scope, .by = "a test" };

	store_value_write(&key, &v);
	line.key = key.bytes;
	line.key_len = key.len;
	line.at_ms = w->wall_ms;
	line.ended_ms = ends ? w->wall_ms : 0;
	must(store_db_begin(w->hub.local, &err));
	must(store_share_say(w->hub.local, &line, &err));
	must(store_db_commit(w->hub.local, &err));
	buf_free(&key);
}

/* Child 1 of A, with a measurement and an allergy. */
void
share_world_make_child(struct world *w)
{
	world_sql(&w->nodes[SHARE_A], "INSERT INTO child VALUES (x'01', 'A', 'Wu', 'quiet')");
	world_sql(&w->nodes[SHARE_A], "INSERT INTO growth(id, facility_id, child_id, grams) VALUES"
	                              " (x'a1', 'A', x'01', 9000)");
	world_sql(&w->nodes[SHARE_A], "INSERT INTO allergy VALUES (x'01', 7, 'A', 'nuts')");
	world_settle(w, 1);
}

/* ---- what has left ---- */

void
share_world_expect_refused(struct world_peer *p, const char *sql)
{
	struct err why = { 0 };

	ck_assert_msg(store_db_exec(p->local, sql, &why) < 0, "%s: not refused", sql);
	ck_assert_msg(strstr(why.msg, "has left") != NULL, "%s: %s", sql, why.msg);
}

/* Without the guards, and then with them again. */
void
share_world_write_past(struct world_peer *p, const char *sql)
{
	struct store_stmt s = store_stmt_new(
	        p->local, "SELECT 'DROP TRIGGER ' || name || ';', sql || ';' FROM sqlite_schema"
	                  " WHERE type = 'trigger' AND name GLOB 'yz_*_l[iud]'");
	struct buf drop = { 0 }, make = { 0 };
	int rc;

	while ((rc = store_stmt_step(&s, &err)) == 1) {
		buf_printf(&drop, "%s", store_stmt_get_text(&s));
		buf_printf(&make, "%s", store_stmt_get_text(&s));
	}
	store_stmt_end(&s);
	must(rc);
	ck_assert_uint_gt(drop.len, 0);
	world_sql(p, buf_str(&drop));
	world_sql(p, sql);
	world_sql(p, buf_str(&make));
	buf_free(&drop);
	buf_free(&make);
}

/* ---- looking ---- */

static const char *const everything[] = {
	"SELECT * FROM child WHERE id = x'01'",
	"SELECT * FROM growth WHERE child_id = x'01' ORDER BY id",
	"SELECT * FROM allergy WHERE child_id = x'01' ORDER BY code",
};

void
share_world_expect_same_child(struct world_peer *x, struct world_peer *y)
{
	for (size_t i = 0; i < sizeof everything / sizeof everything[0]; i++) {
		char *left = world_dump(x, everything[i]), *right = world_dump(y, everything[i]);

		ck_assert_msg(strcmp(left, right) == 0, "%s:\n%s\n%s", everything[i], left, right);
		free(left);
		free(right);
	}
}

void
share_world_expect_digest(struct world *w, int node, const char *scope)
{
	char here[33] = "", there[33] = "";

	world_digest(&w->nodes[node], scope, here);
	world_digest(&w->hub, scope, there);
	ck_assert_msg(strcmp(here, there) == 0, "%s: node %d has %s, the hub %s", scope, node, here,
	              there);
}

/* Every node counts what the hub counts for it, and nothing was kept aside or is in doubt. */
void
share_world_expect_level(struct world *w)
{
	static const char *const scopes[] = { "f/A", "f/B", "f/C", "f/B" };

	for (int i = 0; i < 4; i++) {
		share_world_expect_digest(w, i, scopes[i]);
		/* But for what was written here and may not leave, or was put back here: about who
		 * has left, or a row that was taken away and entered again as one's own. */
		ck_assert_int_eq(world_int(&w->nodes[i], "SELECT count(*) FROM yz_quarantine WHERE"
		                                         " stream <> 0"),
		                 0);
	}
	ck_assert_int_eq(world_int(&w->hub, "SELECT count(*) FROM yz_quarantine"), 0);
}

int64_t
share_world_conflicts(struct world_peer *p)
{
	return world_int(p, "SELECT count(*) FROM yz_conflict WHERE state = 'open'");
}

int64_t
share_world_hub_records(struct world *w, const char *scope)
{
	char sql[200];

	snprintf(sql, sizeof sql,
	         "SELECT coalesce(sum(n), 0) FROM yz_stream s JOIN yz_scope c ON c.id = s.scope"
	         " WHERE c.name = '%s' AND s.site = %d",
	         scope, w->hub.node.r.self.id);
	return world_int(&w->hub, sql);
}

void
share_world_write(struct world *w, int node, int step, bool older)
{
	static const char *const forms[] = {
		"UPDATE child SET note = '%d' WHERE id = x'0%d'",
		"UPDATE child SET name = '%d' WHERE id = x'0%d'",
		"UPDATE allergy SET note = '%d' WHERE child_id = x'0%d'",
	};
	char sql[200];
	int child = 1 + (int)world_draw(w, 3);

	snprintf(sql, sizeof sql, "SELECT count(*) FROM child WHERE id = x'0%d'", child);
	if (world_int(&w->nodes[node], sql) == 0)
		return;
	switch (world_draw(w, 6)) {
	case 0:
		snprintf(sql, sizeof sql,
		         "INSERT INTO growth(id, facility_id, child_id, grams) VALUES (x'%02x', "
		         "'%c', x'0%d', %d)",
		         (unsigned)step, *facilities[node], child, step);
		break;
	case 1:
		snprintf(sql, sizeof sql,
		         "INSERT OR IGNORE INTO allergy VALUES (x'0%d', %u, '%c', '%d')", child,
		         world_draw(w, 3), *facilities[node], step);
		break;
	case 2:
		snprintf(sql, sizeof sql,
		         "DELETE FROM allergy WHERE child_id = x'0%d' AND code = %u", child,
		         world_draw(w, 3));
		break;
	default:
		snprintf(sql, sizeof sql, forms[world_draw(w, 3)], step, child);
	}
	if (store_db_exec(w->nodes[node].local, sql, &err) == 0)
		return;
	ck_assert_msg(strstr(err.msg, "has left") != NULL, "%s: %s", sql, err.msg);
	if (older)
		share_world_write_past(&w->nodes[node], sql);
}
