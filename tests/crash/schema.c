/* tests/crash/schema.c - scenarios of changing tables: the engine's by its migrations, the node's
 * by another program and by a schema file. */
#include "tests/crash/crash.h"

#include "node/hub/hub_schema.h"
#include "store/alter.h"
#include "store/stmt.h"

#include <stdio.h>

/* ---- migrations ---- */

/* A file as the step before the first left it. */
static void
prepare_old(struct scene *s)
{
	struct machine *m = &s->m[NODE];
	struct store_db *db = NULL;
	struct store_stmt st;
	struct buf sql = { 0 };
	struct err err;

	snprintf(m->facility, sizeof m->facility, "F1");
	m->there = true;
	crash_must(machine_make(m, &err), &err, "make");
	crash_must(store_db_open("y.db", STORE_MERGE, &m->env, &db, &err), &err, "open");
	st = store_stmt_new(db, "SELECT 'DROP TABLE ' || name || ';' FROM sqlite_master"
	                        " WHERE type = 'table' AND name <> 'yz_meta'");
	while (store_stmt_step(&st, &err) == 1)
		buf_printf(&sql, "%s", store_stmt_get_text(&st));
	store_stmt_end(&st);
	buf_printf(&sql, "UPDATE yz_meta SET value = 0 WHERE name = 'format'");
	crash_must(store_db_exec(db, buf_str(&sql), &err), &err, "drop");
	buf_free(&sql);
	store_db_close(db);
}

static int
migrate_step(struct scene *s, int no, struct err *err)
{
	int rc;

	if (no == 0)
		machine_close(&s->m[NODE]);
	rc = no == 0 ? machine_open(&s->m[NODE], err)
	             : scene_sql(&s->m[NODE], "CREATE TABLE mark(n)", err);
	s->note = rc == 0 ? no + 1 : s->note;
	return rc;
}

/* Before it is opened to write, which would migrate it: is the step there, whole? */
static void
look_at_format(struct scene *s, const char *sql)
{
	struct machine *m = &s->m[s->scenario->victim];
	struct store_db *db = NULL;
	int64_t seen;
	struct err err;

	crash_must(store_db_open("y.db", STORE_READ, &m->env, &db, &err), &err, "open to read");
	crash_must(store_stmt_int(db, sql, -1, &seen, &err), &err, sql);
	store_db_close(db);
	s->note = (int)seen;
	s->recovered += seen == 0;
}

static void
migrate_restart(struct scene *s)
{
	look_at_format(s, "SELECT CASE (SELECT value FROM yz_meta WHERE name = 'format') > 0"
	                  " WHEN tables >= 15 AND indexes >= 5 THEN (tables > 0) + marks"
	                  " ELSE -1 END FROM (SELECT"
	                  " (SELECT count(*) FROM sqlite_master WHERE type = 'table'"
	                  "  AND name LIKE 'yz_%' AND name <> 'yz_meta') tables,"
	                  " (SELECT count(*) FROM sqlite_master WHERE type = 'table'"
	                  "  AND name = 'mark') marks,"
	                  " (SELECT count(*) FROM sqlite_master WHERE type = 'index'"
	                  "  AND name LIKE 'yz_%') indexes)");
}

static int
migrate_seen(struct scene *s)
{
	return s->note;
}

/* The hub's tables. */
static void
prepare_old_hub(struct scene *s)
{
	struct store_stmt st;
	struct buf sql = { 0 };
	struct err err;

	scene_add(s, HUB, "");
	st = store_stmt_new(s->m[HUB].merge,
	                    "SELECT 'DROP TABLE ' || name || ';' FROM sqlite_master"
	                    " WHERE type = 'table' AND (name LIKE 'hub_%' OR name LIKE "
	                    "'external_delivery%')");
	while (store_stmt_step(&st, &err) == 1)
		buf_printf(&sql, "%s", store_stmt_get_text(&st));
	store_stmt_end(&st);
	buf_printf(&sql, "DELETE FROM yz_meta WHERE name = 'hub_format'");
	crash_must(store_db_exec(s->m[HUB].merge, buf_str(&sql), &err), &err, "drop");
	buf_free(&sql);
}

static int
migrate_hub_step(struct scene *s, int no, struct err *err)
{
	int rc;

	if (no == 0)
		machine_close(&s->m[HUB]);
	rc = no == 0 ? machine_open(&s->m[HUB], err)
	             : scene_sql(&s->m[HUB], "CREATE TABLE mark(n)", err);
	s->note = rc == 0 ? no + 1 : s->note;
	return rc;
}

static void
migrate_hub_restart(struct scene *s)
{
	look_at_format(s, "SELECT CASE WHEN tables = 0 AND format = 0 THEN 0"
	                  " WHEN tables >= 5 AND format = 1 THEN 1 + marks ELSE -1 END FROM (SELECT"
	                  " (SELECT count(*) FROM sqlite_master WHERE type = 'table'"
	                  "  AND name LIKE 'hub_%') tables,"
	                  " (SELECT count(*) FROM sqlite_master WHERE type = 'table'"
	                  "  AND name = 'mark') marks,"
	                  " (SELECT count(*) FROM yz_meta WHERE name = 'hub_format') format)");
}

/* A file of format 1: step 2 laid conflicts otherwise, step 3 gave columns a name for here,
 * step 4 keeps what is stamped far ahead, step 5 rows that several see, step 6 where rows differ,
 * step 7 which refused changes were overwritten. */
static const char to_format_1[] =
        "DROP INDEX yz_quarantine_row; DROP INDEX yz_quarantine_moved;"
        "ALTER TABLE yz_quarantine DROP COLUMN moved;"
        "DROP TABLE yz_rift; DROP TABLE yz_share; DROP TABLE yz_group;"
        "DROP TABLE yz_member; DROP TABLE yz_held;"
        "ALTER TABLE yz_column DROP COLUMN here;"
        "ALTER TABLE yz_quarantine DROP COLUMN dropped_ms;"
        "ALTER TABLE yz_quarantine DROP COLUMN dropped_by;"
        "DROP TABLE yz_conflict;"
        "CREATE TABLE yz_conflict(id BLOB PRIMARY KEY, scope INTEGER NOT NULL, tbl INTEGER NOT "
        "NULL, key BLOB NOT NULL, col INTEGER NOT NULL, shown_stamp INTEGER NOT NULL,"
        " shown_site INTEGER NOT NULL, shown, other_stamp INTEGER NOT NULL,"
        " other_site INTEGER NOT NULL, other, at_ms INTEGER NOT NULL, state TEXT NOT NULL)"
        " WITHOUT ROWID;"
        "INSERT INTO yz_conflict VALUES (x'c1', 1, 1, x'0401', 3, 10, 1, 'shown', 5, 1, 'lost', 7,"
        " 'open');"
        "INSERT INTO yz_quarantine(scope, stream, n, tbl, key, reason, since_ms, tries)"
        " VALUES (1, 1, 2, 1, x'0401', 'refused', 7, 1);"
        "UPDATE yz_meta SET value = 1 WHERE name = 'format'";

static void
prepare_format_1(struct scene *s)
{
	struct err err;

	scene_six(s);
	crash_must(store_db_exec(s->m[NODE].local, "DROP TABLE mark", &err), &err, "drop");
	crash_must(store_db_exec(s->m[NODE].merge, to_format_1, &err), &err, "back to format 1");
}

/* A cut between the steps leaves those before it whole, and nothing of those behind it; the
 * conflict is there once in all, and what was refused. */
static void
migrate_data_restart(struct scene *s)
{
	look_at_format(
	        s, "SELECT CASE WHEN lost <> 1 OR refused <> 1 THEN -1"
	           " WHEN cl < here OR here < held OR held < share OR share < rift OR rift < moved"
	           " THEN -1 WHEN format < 7 THEN CASE format"
	           " WHEN 1 + cl + here + held + share + rift + moved THEN 0 ELSE -1 END"
	           " WHEN moved = 1 THEN 1 + marks ELSE -1 END FROM (SELECT"
	           " (SELECT value FROM yz_meta WHERE name = 'format') format,"
	           " (SELECT count(*) FROM yz_conflict WHERE other = 'lost') lost,"
	           " (SELECT count(*) FROM yz_quarantine WHERE reason = 'refused') refused,"
	           " (SELECT count(*) FROM pragma_table_info('yz_conflict')"
	           "  WHERE name = 'cl') cl,"
	           " (SELECT count(*) FROM pragma_table_info('yz_column')"
	           "  WHERE name = 'here') here,"
	           " (SELECT count(*) FROM sqlite_master WHERE name = 'yz_held') held,"
	           " (SELECT count(*) = 4 FROM sqlite_master WHERE name IN ('yz_share', 'yz_group',"
	           "  'yz_member', 'yz_member_root')) share,"
	           " (SELECT count(*) = 2 FROM sqlite_master WHERE name IN ('yz_rift',"
	           "  'yz_rift_open')) rift,"
	           " (SELECT count(*) FROM pragma_table_info('yz_quarantine')"
	           "  WHERE name = 'moved') moved,"
	           " (SELECT count(*) FROM sqlite_master WHERE name = 'mark') marks)");
}

/* ---- the node's own tables ---- */

/* Somebody adds a column; the triggers follow, and what is written after is captured. */
static int
schema_step(struct scene *s, int no, struct err *err)
{
	struct machine *m = &s->m[NODE];
	int rc;

	if (no == 0)
		return scene_sql(m, "ALTER TABLE note ADD COLUMN extra TEXT", err);
	if (no == 2)
		return scene_sql(m, "UPDATE note SET extra = 'z' WHERE id = x'01'", err);
	rc = scene_tick(m, err);
	return rc == 0 ? scene_sql(m, "UPDATE note SET extra = 'y' WHERE id = x'01'", err) : rc;
}

static int
schema_seen(struct scene *s)
{
	struct machine *m = &s->m[NODE];

	if (scene_int(m, "SELECT count(*) FROM pragma_table_info('note') WHERE name = 'extra'") ==
	    0)
		return 0;
	return (int)scene_int(m, "SELECT CASE extra WHEN 'y' THEN 2 WHEN 'z' THEN 3 ELSE 1 END"
	                         " FROM note WHERE id = x'01'");
}

static void
schema_finish(struct scene *s)
{
	struct machine *m = &s->m[NODE];
	struct err err;

	crash_must(scene_seal(m, &err), &err, "seal");
	if (scene_int(m, "SELECT count(*) FROM yz_column WHERE name = 'extra'") != 1)
		crash_fail("the new column is not known");
}

/* A schema file: a column more, one called otherwise, one less. */
static int
apply_file(struct machine *m, struct err *err)
{
	struct store_alter_file file = { .sql = "ALTER TABLE note ADD COLUMN extra TEXT;"
		                                "ALTER TABLE note RENAME COLUMN rank TO place;"
		                                "ALTER TABLE note DROP COLUMN text" };
	struct store_alter told;
	int rc = store_db_begin(m->merge, err);

	if (rc < 0)
		return rc;
	rc = store_alter_run(m->merge, &file, &told, err);
	store_alter_free(&told);
	if (rc == 0)
		rc = store_db_commit(m->merge, err);
	if (rc < 0)
		store_db_rollback(m->merge);
	return rc;
}

static int
file_step(struct scene *s, int no, struct err *err)
{
	struct machine *m = &s->m[NODE];

	return no == 0 ? apply_file(m, err)
	               : scene_sql(m, "UPDATE note SET place = 5, extra = 'y' WHERE id = x'01'",
	                           err);
}

/* The columns, their names, the cells that left and the triggers: all or nothing. */
static int
file_seen(struct scene *s)
{
	struct machine *m = &s->m[NODE];
	int64_t whole = scene_int(
	        m, "SELECT CASE WHEN now = 'text,rank' AND renamed = 0 AND beside = 0 THEN 0"
	           " WHEN now = 'place,extra' AND renamed = 1 AND beside = 6 AND captured THEN 1"
	           " ELSE -1 END FROM (SELECT"
	           " (SELECT group_concat(name) FROM pragma_table_info('note')"
	           "  WHERE name IN ('text', 'rank', 'place', 'extra')) now,"
	           " (SELECT count(*) FROM yz_column WHERE here = 'place') renamed,"
	           " (SELECT count(*) FROM yz_extra) beside,"
	           " (SELECT count(*) FROM sqlite_master WHERE name = 'yz_note_au'"
	           "  AND sql LIKE '%\"place\"%\"extra\"%') captured)");

	if (whole != 1)
		return (int)whole;
	return 1 + (int)scene_int(m, "SELECT count(*) FROM note WHERE place = 5 AND extra = 'y'");
}

const struct scenario scenarios_schema[] = {
	{ .name = "migrate-1",
	  .recovers = "a migration that was cut was done again",
	  .victim = NODE,
	  .steps = 2,
	  .prepare = prepare_old,
	  .step = migrate_step,
	  .seen = migrate_seen,
	  .restart = migrate_restart,
	  .cold = true },
	{ .name = "migrate-2",
	  .recovers = "a migration that was cut was done again",
	  .victim = NODE,
	  .steps = 2,
	  .prepare = prepare_format_1,
	  .step = migrate_step,
	  .seen = migrate_seen,
	  .restart = migrate_data_restart,
	  .cold = true },
	{ .name = "migrate-hub-1",
	  .recovers = "a migration that was cut was done again",
	  .victim = HUB,
	  .steps = 2,
	  .prepare = prepare_old_hub,
	  .step = migrate_hub_step,
	  .seen = migrate_seen,
	  .restart = migrate_hub_restart,
	  .cold = true },
	{ .name = "new-column",
	  .victim = NODE,
	  .steps = 3,
	  .prepare = scene_six,
	  .step = schema_step,
	  .seen = schema_seen,
	  .finish = schema_finish },
	{ .name = "schema-file",
	  .victim = NODE,
	  .steps = 2,
	  .prepare = scene_six,
	  .step = file_step,
	  .seen = file_seen,
	  .finish = scene_sealed },
	{ 0 },
};
