/*
 * tests/store_capture.c - whoever writes a tracked table, the log folds to what
 * happened.
 *
 * Every case is run twice: through our own SQLite, and by Debian's Python with
 * the older SQLite of the distribution.  A third of them is what a plain IS NOT,
 * a logged value or a missing trigger would get wrong.
 */
#include "tests/capture_help.h"
#include "tests/suites.h"

#include <check.h>
#include <string.h>

/* ---- the tables that the cases write to ---- */

static const char plain[] =
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b TEXT COLLATE NOCASE, c REAL, d BLOB);"
        "INSERT INTO t VALUES(1, 1, 'x', 0.0, x'6162'), (2, 2, 'y', NULL, NULL);";
static const struct store_track_spec track_t = { .table = "t", .scope = "all" };

static const char composite[] =
        "CREATE TABLE t(who TEXT, day INTEGER, a, PRIMARY KEY(day, who)) WITHOUT ROWID;"
        "INSERT INTO t VALUES('ann', 1, 'p'), ('bob', 1, 'q');";

static const char ids[] =
        "CREATE TABLE t(id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)), a TEXT);"
        "INSERT INTO t VALUES(x'000102030405060708090a0b0c0d0e0f', 'p');";

static const char family[] =
        "CREATE TABLE p(id INTEGER PRIMARY KEY, a);"
        "CREATE TABLE t(id INTEGER PRIMARY KEY,"
        " p REFERENCES p(id) ON DELETE CASCADE ON UPDATE CASCADE,"
        " q REFERENCES p(id) ON DELETE SET NULL);"
        "INSERT INTO p VALUES(1, 'a'), (2, 'b'); INSERT INTO t VALUES(10, 1, 2), (11, 2, 1);";
static const struct store_track_spec track_p = { .table = "p", .scope = "all" };

static const char events[] =
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(1, 1);";
static const struct store_track_spec track_events = { .table = "t",
	                                              .kind = STORE_EVENT,
	                                              .scope = "all" };

static const char growing[] = "CREATE TABLE t(id INTEGER PRIMARY KEY, a, m, n INTEGER DEFAULT 3);"
                              "INSERT INTO t VALUES(1, 'p', 5, 7), (2, 'q', NULL, 1);";
static const struct store_track_spec track_max = { .table = "t", .scope = "all", .max = "m, n" };

static const char scoped[] = "CREATE TABLE t(id INTEGER PRIMARY KEY, f TEXT, a);"
                             "INSERT INTO t VALUES(1, 'F1', 'p');";
static const struct store_track_spec track_scoped = { .table = "t",
	                                              .scope = "f/",
	                                              .scope_column = "f" };

static const char hubs[] = "CREATE TABLE t(id INTEGER PRIMARY KEY, a, w TEXT DEFAULT 'no', v);"
                           "INSERT INTO t VALUES(1, 'p', 'yes', 5);";
static const struct store_track_spec track_hub = { .table = "t",
	                                           .scope = "all",
	                                           .hub_only = "w,v" };

static const char hostile[] =
        "CREATE TABLE \"a \"\"b\"\" 'c'; -- \xe6\x89\x98 SELECT\"(\"order\" INTEGER,"
        " \"it's \"\"q\"\" [x]\" TEXT, \"\xe8\x82\xb2 %s\" DEFAULT 'it''s', \"scope;\" TEXT, own,"
        " PRIMARY KEY(\"order\", \"it's \"\"q\"\" [x]\")) WITHOUT ROWID;";
static const struct store_track_spec track_hostile = {
	.table = "a \"b\" 'c'; -- \xe6\x89\x98 SELECT",
	.scope = "f/",
	.scope_column = "scope;",
	.max = "\xe8\x82\xb2 %s",
	.hub_only = "\xe8\x82\xb2 %s"
};

static const char theirs[] = "CREATE TABLE t(id INTEGER PRIMARY KEY, f TEXT, a);";
static const char their_row[] =
        "CREATE TABLE t(id INTEGER PRIMARY KEY, f TEXT, a); INSERT INTO t VALUES(1, 'F1', 5);";
static const struct store_track_spec track_theirs = {
	.table = "t", .scope = "f/", .scope_column = "f", .hub_only = "a"
};

static const char computed[] =
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, twice AS (a * 2) STORED, b);"
        "INSERT INTO t(id, a) VALUES(1, 1);";

/* ---- the cases ---- */

static const struct capture_case {
	const char *name;
	const char *setup;
	const struct store_track_spec *track;
	const char *sql;
	const char *want;   /* the folded log */
	const char *refuse; /* part of the words of the error; NULL: it succeeds */
	bool refresh;       /* the schema was changed */
	bool is_hub;
} cases[] = {
	{ "insert", plain, &track_t, "INSERT INTO t(id, a) VALUES(3, 'n')",
	  .want = "t 3 insert\n" },
	{ "insert of many", plain, &track_t, "INSERT INTO t(a) VALUES(1), (2), (3)",
	  .want = "t 3 insert\nt 4 insert\nt 5 insert\n" },
	{ "update of one cell", plain, &track_t, "UPDATE t SET a = 9 WHERE id = 1",
	  .want = "t 1 update a=9\n" },
	{ "update of two cells", plain, &track_t, "UPDATE t SET c = 2, a = 9, b = b WHERE id = 1",
	  .want = "t 1 update a=9 c=2.0000000000000000\n" },
	{ "two updates of one row", plain, &track_t,
	  "UPDATE t SET a = 9 WHERE id = 1; UPDATE t SET a = 8, d = NULL WHERE id = 1",
	  .want = "t 1 update a=8 d=NULL\n" },
	{ "delete", plain, &track_t, "DELETE FROM t WHERE id = 1", .want = "t 1 delete\n" },
	{ "delete of all", plain, &track_t, "DELETE FROM t", .want = "t 1 delete\nt 2 delete\n" },
	{ "update that changes nothing", plain, &track_t, "UPDATE t SET a = a, b = b, c = c, d = d",
	  .want = "" },
	{ "1 to 1.0", plain, &track_t, "UPDATE t SET a = 1.0 WHERE id = 1",
	  .want = "t 1 update a=1.0000000000000000\n" },
	{ "case in a NOCASE column", plain, &track_t, "UPDATE t SET b = 'X' WHERE id = 1",
	  .want = "t 1 update b='X'\n" },
	{ "a number in a TEXT column is a text", plain, &track_t,
	  "UPDATE t SET b = 1 WHERE id = 1; DELETE FROM yz_log; UPDATE t SET b = '1' WHERE id = 1",
	  .want = "" },
	{ "1 to 1.0 in a TEXT column", plain, &track_t,
	  "UPDATE t SET b = 1 WHERE id = 1; DELETE FROM yz_log; UPDATE t SET b = 1.0 WHERE id = 1",
	  .want = "t 1 update b='1.0'\n" },
	{ "text to blob of the same bytes in a TEXT column", plain, &track_t,
	  "UPDATE t SET b = CAST(b AS BLOB) WHERE id = 1", .want = "t 1 update b=x'78'\n" },
	{ "NULL to a value", plain, &track_t, "UPDATE t SET d = x'00' WHERE id = 2",
	  .want = "t 2 update d=x'00'\n" },
	{ "a value to NULL", plain, &track_t, "UPDATE t SET a = NULL WHERE id = 1",
	  .want = "t 1 update a=NULL\n" },
	{ "blob to text of the same bytes", plain, &track_t, "UPDATE t SET d = 'ab' WHERE id = 1",
	  .want = "t 1 update d='ab'\n" },
	{ "0.0 to -0.0 is no change", plain, &track_t, "UPDATE t SET c = -0.0 WHERE id = 1",
	  .want = "" },
	{ "infinity", plain, &track_t, "UPDATE t SET c = 9e999 WHERE id = 1",
	  .want = "t 1 update c=inf\n" },
	{ "integers that one double can't tell apart", plain, &track_t,
	  "UPDATE t SET a = 9007199254740992; UPDATE t SET a = 9007199254740993 WHERE id = 1",
	  .want = "t 2 update a=9007199254740992\nt 1 update a=9007199254740993\n" },
	{ "the greatest integer to the real near it", plain, &track_t,
	  "UPDATE t SET a = 9223372036854775807 WHERE id = 1;"
	  "UPDATE t SET a = 9223372036854775807.0 WHERE id = 1",
	  .want = "t 1 update a=9.2233720368547758e+18\n" },
	{ "text that differs after a NUL", plain, &track_t,
	  "UPDATE t SET b = 'a' || char(0) || 'b' WHERE id = 1; DELETE FROM yz_log;"
	  "UPDATE t SET b = 'a' || char(0) || 'c' WHERE id = 1",
	  .want = "t 1 update b='a'\n" },
	{ "empty text to empty blob", plain, &track_t,
	  "UPDATE t SET d = '' WHERE id = 1; DELETE FROM yz_log; UPDATE t SET d = x'' WHERE id = 1",
	  .want = "t 1 update d=x''\n" },

	{ "insert or replace is an insert over what was", plain, &track_t,
	  "INSERT OR REPLACE INTO t(id, a) VALUES(1, 5)", .want = "t 1 insert\n" },
	{ "replace with recursive triggers", plain, &track_t,
	  "PRAGMA recursive_triggers=ON; REPLACE INTO t(id, a) VALUES(1, 5);"
	  "PRAGMA recursive_triggers=OFF",
	  .want = "t 1 insert\n" },
	{ "insert or ignore of what is there", plain, &track_t,
	  "INSERT OR IGNORE INTO t(id, a) VALUES(1, 5)", .want = "" },
	{ "upsert that updates", plain, &track_t,
	  "INSERT INTO t(id, a) VALUES(1, 5), (3, 6) ON CONFLICT(id) DO UPDATE SET a = excluded.a",
	  .want = "t 1 update a=5\nt 3 insert\n" },
	{ "upsert that changes nothing", plain, &track_t,
	  "INSERT INTO t(id, a) VALUES(1, 1) ON CONFLICT(id) DO UPDATE SET a = excluded.a",
	  .want = "" },
	{ "delete and insert", plain, &track_t,
	  "DELETE FROM t WHERE id = 1; INSERT INTO t(id, a) VALUES(1, 5)", .want = "t 1 insert\n" },
	{ "insert and delete", plain, &track_t,
	  "INSERT INTO t(id) VALUES(3); DELETE FROM t WHERE id = 3", .want = "t 3 insert gone\n" },
	{ "update and delete", plain, &track_t, "UPDATE t SET a = 5; DELETE FROM t WHERE id = 1",
	  .want = "t 2 update a=5\nt 1 delete\n" },
	{ "changed key", plain, &track_t, "UPDATE t SET id = 7 WHERE id = 1",
	  .want = "t 1 delete\nt 7 insert\n" },
	{ "changed key by the name of the rowid", plain, &track_t,
	  "UPDATE t SET rowid = 7, a = 3 WHERE id = 1", .want = "t 1 delete\nt 7 insert\n" },
	{ "key there and back", plain, &track_t,
	  "UPDATE t SET id = 7 WHERE id = 1; UPDATE t SET id = 1 WHERE id = 7",
	  .want = "t 7 insert gone\nt 1 insert\n" },
	{ "changed key over another row", plain, &track_t,
	  "UPDATE OR REPLACE t SET id = 2 WHERE id = 1", .want = "t 1 delete\nt 2 insert\n" },
	{ "composite key", composite, &track_t,
	  "UPDATE t SET a = 'r' WHERE who = 'ann'; INSERT INTO t VALUES('cyd', 2, NULL);"
	  "DELETE FROM t WHERE who = 'bob'",
	  .want = "t 1/'ann' update a='r'\nt 2/'cyd' insert\nt 1/'bob' delete\n" },
	{ "one part of a composite key", composite, &track_t,
	  "UPDATE t SET day = 2 WHERE who = 'ann'",
	  .want = "t 1/'ann' delete\nt 2/'ann' insert\n" },
	{ "blob key of a rowid table", ids, &track_t,
	  "UPDATE t SET a = 'q'; INSERT INTO t VALUES('k', 1)",
	  .want = "t x'000102030405060708090a0b0c0d0e0f' update a='q'\nt 'k' insert\n" },
	{ "key of a real number", ids, &track_t, "INSERT INTO t VALUES(1.0, 'p')", "",
	  .refuse = "t.id can't be a real number" },
	{ "key made a real number", ids, &track_t, "UPDATE t SET id = 1.5", "",
	  .refuse = "t.id can't be a real number" },
	{ "computed columns are nobody's cells", computed, &track_t, "UPDATE t SET a = 4, b = 1",
	  .want = "t 1 update a=4 b=1\n" },

	{ "cascading delete and set null", family, &track_t,
	  "PRAGMA foreign_keys=ON; DELETE FROM p WHERE id = 1",
	  .want = "t 11 update q=NULL\nt 10 delete\n" },
	{ "cascading update", family, &track_t,
	  "PRAGMA foreign_keys=ON; UPDATE t SET q = NULL; DELETE FROM yz_log;"
	  "UPDATE p SET id = 5 WHERE id = 1",
	  .want = "t 10 update p=5\n" },
	{ "two tables", family, &track_p, "UPDATE p SET a = 'c' WHERE id = 2",
	  .want = "p 2 update a='c'\n" },
	{ "newer trigger that changes the new row", plain, &track_t,
	  "CREATE TRIGGER app AFTER INSERT ON t BEGIN UPDATE t SET c = 5 WHERE id = NEW.id; END;"
	  "INSERT INTO t(id, c) VALUES(3, 1); DROP TRIGGER app",
	  .want = "t 3 insert c=5.0000000000000000\n" },
	{ "newer trigger that takes an update back", plain, &track_t,
	  "CREATE TRIGGER app AFTER UPDATE OF a ON t WHEN NEW.a = 9 BEGIN"
	  " UPDATE t SET a = OLD.a WHERE id = NEW.id; END;"
	  "UPDATE t SET a = 9 WHERE id = 1; DROP TRIGGER app",
	  .want = "t 1 update a=1\n" },
	{ "newer trigger that deletes the new row", plain, &track_t,
	  "CREATE TRIGGER app AFTER INSERT ON t BEGIN DELETE FROM t WHERE id = NEW.id; END;"
	  "INSERT INTO t(id, c) VALUES(3, 1); DROP TRIGGER app",
	  .want = "t 3 insert gone\n" },
	{ "trigger that writes another row", plain, &track_t,
	  "CREATE TRIGGER app AFTER DELETE ON t BEGIN UPDATE t SET a = a + 1; END;"
	  "DELETE FROM t WHERE id = 1; DROP TRIGGER app",
	  .want = "t 2 update a=3\nt 1 delete\n" },
	{ "savepoint rolled back", plain, &track_t,
	  "BEGIN; UPDATE t SET a = 5 WHERE id = 1; SAVEPOINT s; UPDATE t SET a = 6; DELETE FROM t;"
	  "ROLLBACK TO s; COMMIT",
	  .want = "t 1 update a=5\n" },
	{ "transaction rolled back", plain, &track_t, "BEGIN; DELETE FROM t; ROLLBACK",
	  .want = "" },
	{ "statement that fails half-way", plain, &track_t, "INSERT INTO t(id) VALUES(3), (4), (1)",
	  "", .refuse = "UNIQUE" },
	{ "or fail keeps what went before", plain, &track_t,
	  "INSERT OR FAIL INTO t(id) VALUES(3), (4), (1), (5)", "t 3 insert\nt 4 insert\n",
	  .refuse = "UNIQUE" },

	{ "added column, default only", plain, &track_t,
	  "ALTER TABLE t ADD COLUMN e INTEGER DEFAULT 4", "", .refresh = true },
	{ "added column, written before the triggers knew", plain, &track_t,
	  "ALTER TABLE t ADD COLUMN e INTEGER DEFAULT 4; ALTER TABLE t ADD COLUMN f TEXT;"
	  "UPDATE t SET e = 5 WHERE id = 1; UPDATE t SET e = 4, f = 'z' WHERE id = 2",
	  "t 1 update e=5\nt 2 update f='z'\n", .refresh = true },
	{ "added column of a new row", plain, &track_t,
	  "ALTER TABLE t ADD COLUMN e INTEGER DEFAULT 4; INSERT INTO t(id, e) VALUES(3, 1);"
	  "UPDATE t SET a = 7 WHERE id = 1",
	  "t 1 update a=7\nt 3 insert e=1\n", .refresh = true },
	{ "renamed column is another column", plain, &track_t,
	  "UPDATE t SET a = 9 WHERE id = 1; ALTER TABLE t RENAME COLUMN a TO z",
	  "t 1 update z=9\nt 2 update z=2\n", .refresh = true },
	{ "renamed table is another table", plain, &track_t,
	  "UPDATE t SET a = 9 WHERE id = 1; ALTER TABLE t RENAME TO t2; UPDATE t2 SET a = 8", "",
	  .refresh = true },
	{ "dropped table", plain, &track_t, "UPDATE t SET a = 9 WHERE id = 1; DROP TABLE t", "",
	  .refresh = true },
	/* Row 1 waited for its seal while the triggers were away, so all of it counts as written.
	 */
	{ "rebuilt table with its columns in another order", plain, &track_t,
	  "UPDATE t SET b = 'new' WHERE id = 1; CREATE TABLE u(d BLOB, c REAL, id INTEGER PRIMARY "
	  "KEY,"
	  " b TEXT COLLATE NOCASE, a); INSERT INTO u SELECT d, c, id, b, a FROM t; DROP TABLE t;"
	  "ALTER TABLE u RENAME TO t",
	  "t 1 update d=x'6162' c=0.0000000000000000 b='new' a=1\n", .refresh = true },

	{ "event inserted", events, &track_events, "INSERT INTO t VALUES(2, 1)",
	  .want = "t 2 insert\n" },
	{ "event updated", events, &track_events, "UPDATE t SET a = 2", "",
	  .refuse = "corrections are new rows" },
	{ "event deleted", events, &track_events, "DELETE FROM t", "",
	  .refuse = "corrections are new rows" },
	{ "event upserted", events, &track_events,
	  "INSERT INTO t VALUES(1, 1) ON CONFLICT DO UPDATE SET a = 3", "",
	  .refuse = "corrections are new rows" },

	{ "event replaced, which the seal undoes", events, &track_events,
	  "REPLACE INTO t VALUES(1, 3)", .want = "t 1 insert\n" },
	{ "event replaced with recursive triggers", events, &track_events,
	  "PRAGMA recursive_triggers=ON; REPLACE INTO t VALUES(1, 3)", "",
	  .refuse = "corrections are new rows" },

	{ "max column raised", growing, &track_max, "UPDATE t SET m = 6 WHERE id = 1",
	  .want = "t 1 update m=6\n" },
	{ "max column set", growing, &track_max, "UPDATE t SET m = -1 WHERE id = 2",
	  .want = "t 2 update m=-1\n" },
	{ "max column above a number is text", growing, &track_max,
	  "UPDATE t SET m = 'a' WHERE id = 1", .want = "t 1 update m='a'\n" },
	{ "max column lowered", growing, &track_max, "UPDATE t SET m = 4 WHERE id = 1", "",
	  .refuse = "t.m only grows" },
	{ "max column unset", growing, &track_max, "UPDATE t SET m = NULL WHERE id = 1", "",
	  .refuse = "t.m only grows" },
	{ "second max column lowered", growing, &track_max, "UPDATE t SET n = 1", "",
	  .refuse = "t.n only grows" },
	{ "max column from 5.0 to 5", growing, &track_max,
	  "UPDATE t SET m = 5.0 WHERE id = 1; UPDATE t SET m = 5 WHERE id = 1",
	  "t 1 update m=5.0000000000000000\n", .refuse = "t.m only grows" },
	{ "max column lowered by replace", growing, &track_max,
	  "REPLACE INTO t(id, m, n) VALUES(1, 4, 8)", "", .refuse = "t.m only grows" },
	{ "max column lowered by an upsert", growing, &track_max,
	  "INSERT INTO t(id, m, n) VALUES(1, 9, 6) ON CONFLICT DO UPDATE SET n = excluded.n", "",
	  .refuse = "t.n only grows" },
	{ "max column raised by replace", growing, &track_max,
	  "REPLACE INTO t(id, m, n) VALUES(1, 6, 8)", .want = "t 1 insert kept m=5 kept n=7\n" },
	{ "max column left out of a replace stays", growing, &track_max,
	  "REPLACE INTO t(id, a, n) VALUES(1, 'z', 9)", .want = "t 1 insert kept m=5 kept n=7\n" },
	{ "max column left out of an upsert", growing, &track_max,
	  "INSERT INTO t(id, a, n) VALUES(1, 'z', 7) ON CONFLICT DO UPDATE SET a = excluded.a",
	  .want = "t 1 update a='z' kept m=5 kept n=7\n" },
	{ "upsert beside max columns that changes nothing", growing, &track_max,
	  "INSERT INTO t(id, n) VALUES(1, 7) ON CONFLICT DO NOTHING", .want = "" },
	{ "max columns of a deleted row", growing, &track_max, "DELETE FROM t",
	  .want = "t 1 delete kept m=5 kept n=7\nt 2 delete kept n=1\n" },
	{ "max column after delete and insert", growing, &track_max,
	  "DELETE FROM t WHERE id = 1; INSERT INTO t(id, m) VALUES(1, 2)",
	  .want = "t 1 insert kept m=5 kept n=7\n" },
	{ "max column of several lives", growing, &track_max,
	  "DELETE FROM t WHERE id = 1; INSERT INTO t(id, m) VALUES(1, 9);"
	  "DELETE FROM t WHERE id = 1; INSERT INTO t(id, m) VALUES(1, 2); DELETE FROM t WHERE id = "
	  "1",
	  .want = "t 1 insert gone kept m=9 kept n=7\n" },
	{ "max column under a changed key", growing, &track_max, "UPDATE t SET id = 7 WHERE id = 1",
	  .want = "t 1 delete kept m=5 kept n=7\nt 7 insert\n" },
	{ "max column under a key that another row has", growing, &track_max,
	  "UPDATE OR REPLACE t SET id = 1, m = 9 WHERE id = 2", "", .refuse = "t.n only grows" },
	{ "max column raised under a key that another row has", growing, &track_max,
	  "UPDATE OR REPLACE t SET id = 2 WHERE id = 1",
	  .want = "t 1 delete kept m=5 kept n=7\nt 2 insert kept n=1\n" },

	{ "scope column left alone", scoped, &track_scoped, "UPDATE t SET a = 'q', f = 'F1'",
	  .want = "t 1 update a='q'\n" },
	{ "scope column changed", scoped, &track_scoped, "UPDATE t SET f = 'F2'", "",
	  .refuse = "t.f says who may see the row and can't change" },
	{ "scope column unset", scoped, &track_scoped, "UPDATE t SET f = NULL", "",
	  .refuse = "insert a new row instead" },
	/* no trigger sees the row that goes: it is the seal that says so (sync/seal/seal_undo.c) */
	{ "scope column changed by a replace", scoped, &track_scoped,
	  "REPLACE INTO t VALUES(1, 'F2', 'q')", .want = "t 1 insert\n" },
	{ "scope column changed by a delete and an insert", scoped, &track_scoped,
	  "DELETE FROM t; INSERT INTO t VALUES(1, 'F2', 'q')", .want = "t 1 insert\n" },

	{ "hub column inserted", hubs, &track_hub, "INSERT INTO t(id, w) VALUES(2, 'yes')", "",
	  .refuse = "t.w is written by the hub only" },
	{ "hub column without default inserted", hubs, &track_hub,
	  "INSERT INTO t(id, v) VALUES(2, 1)", "", .refuse = "t.v is written by the hub only" },
	{ "hub column left out", hubs, &track_hub, "INSERT INTO t(id, a) VALUES(2, 'q')",
	  .want = "t 2 insert\n" },
	{ "hub column given its default or NULL", hubs, &track_hub,
	  "INSERT INTO t(id, w, v) VALUES(2, 'no', NULL), (3, NULL, NULL)",
	  .want = "t 2 insert\nt 3 insert\n" },
	{ "hub column updated", hubs, &track_hub, "UPDATE t SET v = 6", "",
	  .refuse = "t.v is written by the hub only" },
	{ "hub column updated to what it is", hubs, &track_hub,
	  "UPDATE t SET v = 5, w = 'yes', a = 1", .want = "t 1 update a=1\n" },
	{ "hub column at the hub", hubs, &track_hub,
	  "INSERT INTO t(id, w) VALUES(2, 'yes'); UPDATE t SET v = 6 WHERE id = 1",
	  "t 2 insert\nt 1 update v=6\n", .is_hub = true },

	{ "a table whose rows are the hub's, at the hub", theirs, &track_theirs,
	  "INSERT INTO t VALUES(1, 'F1', 5); UPDATE t SET a = 6; DELETE FROM t",
	  .want = "t 1 insert gone\n", .is_hub = true },
	{ "a row of the hub's inserted elsewhere", theirs, &track_theirs,
	  "INSERT INTO t(id, f) VALUES(1, 'F1')", "",
	  .refuse = "t has rows that only the hub writes" },
	{ "a row of the hub's deleted elsewhere", their_row, &track_theirs, "DELETE FROM t", "",
	  .refuse = "t has rows that only the hub writes" },
	{ "a row of the hub's gets another key elsewhere", their_row, &track_theirs,
	  "UPDATE t SET id = 2", "", .refuse = "t has rows that only the hub writes" },

	{ "hostile names", hostile, &track_hostile,
	  "INSERT INTO \"a \"\"b\"\" 'c'; -- \xe6\x89\x98 SELECT\" VALUES(1, 'k', 'it''s', 'F1', "
	  "0);"
	  "DELETE FROM \"a \"\"b\"\" 'c'; -- \xe6\x89\x98 SELECT\"",
	  .want = "a \"b\" 'c'; -- \xe6\x89\x98 SELECT 1/'k' insert gone kept \xe8\x82\xb2 "
	          "%s='it's'\n" },
	{ "hostile names in refusals", hostile, &track_hostile,
	  "INSERT INTO \"a \"\"b\"\" 'c'; -- \xe6\x89\x98 SELECT\" VALUES(1, 'k', 'it', 'F1', 0)",
	  "", .refuse = "SELECT.\xe8\x82\xb2 %s is written by the hub only" },
};

enum { CASES = sizeof cases / sizeof cases[0] };

START_TEST(log_folds_to_what_happened)
{
	const struct capture_case *c = &cases[_i / 2];
	bool foreign = _i % 2 == 1, more;
	struct buf words = { 0 }, got = { 0 };

	capture_exec(c->setup);
	capture_track(c->track, c->is_hub);
	capture_write(foreign, c->sql, &words);
	if (c->refuse == NULL)
		ck_assert_msg(words.len == 0, "%s: %s", c->name, buf_str(&words));
	else
		ck_assert_msg(strstr(buf_str(&words), c->refuse) != NULL, "%s: '%s'", c->name,
		              buf_str(&words));
	if (c->refresh)
		capture_refresh();
	capture_take(0, &more, &got);
	ck_assert(!more);
	ck_assert_msg(strcmp(buf_str(&got), c->want) == 0, "%s (%s):\n%swanted:\n%s", c->name,
	              foreign ? "foreign" : "own", buf_str(&got), c->want);
	buf_free(&words);
	buf_free(&got);
}
END_TEST

/* ---- folding ---- */

/* Take with these limits one after the other: the pieces are prefixes of the log. */
static const struct take_case {
	const char *name;
	const char *sql;
	size_t max;
	const char *want[3];
} take_cases[] = {
	{ "one at a time",
	  "UPDATE t SET a = 8; UPDATE t SET a = 9 WHERE id = 1",
	  1,
	  { "t 1 update a=9\n", "t 2 update a=8\n", "t 1 update a=9\n" } },
	{ "more than there is", "UPDATE t SET a = 8 WHERE id = 1", 5, { "t 1 update a=8\n" } },
	{ "as many as there are", "UPDATE t SET a = 8", 2, { "t 1 update a=8\nt 2 update a=8\n" } },
	{ "nothing", "SELECT 1", 5, { "" } },
	{ "order of the last entries",
	  "UPDATE t SET a = 8; UPDATE t SET a = 9 WHERE id = 1; UPDATE t SET c = 1 WHERE id = 2",
	  3,
	  { "t 2 update a=8\nt 1 update a=9\n", "t 2 update c=1.0000000000000000\n" } },
};

enum { TAKE_CASES = sizeof take_cases / sizeof take_cases[0] };

START_TEST(take_gives_prefixes_of_the_log)
{
	const struct take_case *c = &take_cases[_i];
	bool more = true;

	capture_exec(plain);
	capture_track(&track_t, false);
	capture_exec(c->sql);
	for (unsigned i = 0; i < 3 && more; i++) {
		struct buf got = { 0 };

		capture_take(c->max, &more, &got);
		ck_assert_msg(c->want[i] != NULL, "%s: a piece too many", c->name);
		ck_assert_msg(strcmp(buf_str(&got), c->want[i]) == 0, "%s, piece %u:\n%s", c->name,
		              i, buf_str(&got));
		ck_assert_msg(more == (i < 2 && c->want[i + 1] != NULL), "%s: more", c->name);
		buf_free(&got);
	}
	ck_assert(!more);
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_log"), 0);
}
END_TEST

START_TEST(kept_values_stay_with_their_delete)
{
	struct buf got = { 0 };
	bool more;

	capture_exec(growing);
	capture_track(&track_max, false);
	capture_exec("DELETE FROM t WHERE id = 1; UPDATE t SET a = 'z'");
	capture_take(1, &more, &got);
	ck_assert_str_eq(buf_str(&got), "t 1 delete kept m=5 kept n=7\n");
	ck_assert(more);
	buf_free(&got);
}
END_TEST

START_TEST(kept_values_stay_with_their_replace)
{
	struct buf got = { 0 };
	bool more;

	capture_exec(growing);
	capture_track(&track_max, false);
	capture_exec("REPLACE INTO t(id, m, n) VALUES(1, 5, 7); UPDATE t SET a = 'z' WHERE id = 2");
	capture_take(1, &more, &got);
	ck_assert_str_eq(buf_str(&got), "t 1 insert kept m=5 kept n=7\n");
	ck_assert(more);
	buf_free(&got);
}
END_TEST

START_TEST(a_raised_value_stands_in_the_row)
{
	struct buf got = { 0 };
	bool more;

	capture_exec(growing);
	capture_track(&track_max, false);
	capture_exec("DELETE FROM t WHERE id = 1; INSERT INTO t(id, m) VALUES(1, 2)");
	capture_take(0, &more, &got);
	ck_assert_int_eq(capture_int("SELECT m * 10 + n FROM t WHERE id = 1"), 57);
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_log"), 0);
	buf_free(&got);
}
END_TEST

START_TEST(entries_nobody_can_read_fall_away)
{
	struct buf got = { 0 };
	bool more;

	capture_exec(plain);
	capture_track(&track_t, false);
	capture_exec("INSERT INTO yz_log(at_ms, tv, op, mask, k1) VALUES(1, 99, 1, 0, 1),"
	             "(1, 1, 77, 0, 1), (1, 1, 4, 1, 1), (1, 1, 4, 500, 1), (NULL, NULL, NULL, "
	             "NULL, NULL);"
	             "UPDATE t SET a = 3 WHERE id = 2");
	capture_take(0, &more, &got);
	ck_assert_str_eq(buf_str(&got), "t 2 update a=3\n");
	buf_free(&got);
}
END_TEST

START_TEST(equal_keys_of_two_tables_are_two_rows)
{
	struct buf got = { 0 };
	bool more;

	capture_exec(plain);
	capture_exec("CREATE TABLE p(id INTEGER PRIMARY KEY, a)");
	capture_track(&track_t, false);
	capture_track(&track_p, false);
	capture_exec("UPDATE t SET a = 5 WHERE id = 1; INSERT INTO p VALUES(1, 6)");
	capture_take(0, &more, &got);
	ck_assert_str_eq(buf_str(&got), "t 1 update a=5\np 1 insert\n");
	buf_free(&got);
}
END_TEST

START_TEST(old_entries_mean_columns_by_name)
{
	struct buf got = { 0 };
	bool more;

	capture_exec(plain);
	capture_track(&track_t, false);
	capture_exec("DROP TABLE t; CREATE TABLE t(b TEXT, id INTEGER PRIMARY KEY, a, new);"
	             "INSERT INTO t VALUES('bb', 1, 'aa', 'nn')");
	capture_refresh();
	capture_seal();
	/* In schema 1 column 1 was a, 2 was b, 4 was d. */
	capture_exec("INSERT INTO yz_log(at_ms, tv, op, mask, k1)"
	             " VALUES(1600000000000, 1, 2, 1 << 2, 1), (1600000000000, 1, 2, 1 << 4, 1)");
	capture_take(0, &more, &got);
	ck_assert_str_eq(buf_str(&got), "t 1 update b='bb'\n");
	buf_free(&got);
}
END_TEST

START_TEST(old_entries_of_another_key_fall_away)
{
	struct buf got = { 0 };
	bool more;

	capture_exec(plain);
	capture_track(&track_t, false);
	capture_exec("DROP TABLE t; CREATE TABLE t(id INTEGER, a INTEGER PRIMARY KEY, b)");
	capture_refresh();
	capture_track(&track_t, false);
	capture_exec(
	        "INSERT INTO yz_log(at_ms, tv, op, mask, k1) VALUES(1600000000000, 1, 2, 4, 1);"
	        "INSERT INTO t VALUES(3, 4, 5)");
	capture_take(0, &more, &got);
	ck_assert_str_eq(buf_str(&got), "t 4 insert\n");
	buf_free(&got);
}
END_TEST

START_TEST(thousands_of_rows_fold_each_to_its_own)
{
	struct buf got = { 0 };
	unsigned lines = 0;
	bool more;

	capture_exec("CREATE TABLE t(id BLOB NOT NULL PRIMARY KEY, a) WITHOUT ROWID");
	capture_track(&track_t, false);
	capture_exec(
	        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
	        " INSERT INTO t SELECT randomblob(16), i FROM n; UPDATE t SET a = a + 1 WHERE a % "
	        "2");
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_log"), 7500);
	capture_take(0, &more, &got);
	for (size_t i = 0; i < got.len; i++)
		lines += got.bytes[i] == '\n';
	ck_assert_uint_eq(lines, 5000);
	buf_free(&got);
}
END_TEST

START_TEST(waiting_counts_entries_and_tells_the_oldest)
{
	int64_t count, oldest;

	capture_exec(plain);
	capture_track(&track_t, false);
	ck_assert_int_eq(store_log_waiting(capture_local, &count, &oldest, &capture_err), 0);
	ck_assert_int_eq(count, 0);
	ck_assert_int_eq(oldest, 0);
	capture_exec("UPDATE t SET a = 7; UPDATE yz_log SET at_ms = 5 + seq");
	ck_assert_int_eq(store_log_waiting(capture_local, &count, &oldest, &capture_err), 0);
	ck_assert_int_eq(count, 2);
	ck_assert_int_eq(oldest, 6);
}
END_TEST

Suite *
suite_store_capture(void)
{
	Suite *suite = suite_create("store/capture");
	TCase *tcase = tcase_create("capture");

	tcase_add_checked_fixture(tcase, capture_open, capture_close);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, log_folds_to_what_happened, 0, CASES * 2);
	tcase_add_loop_test(tcase, take_gives_prefixes_of_the_log, 0, TAKE_CASES);
	tcase_add_test(tcase, kept_values_stay_with_their_delete);
	tcase_add_test(tcase, kept_values_stay_with_their_replace);
	tcase_add_test(tcase, a_raised_value_stands_in_the_row);
	tcase_add_test(tcase, entries_nobody_can_read_fall_away);
	tcase_add_test(tcase, equal_keys_of_two_tables_are_two_rows);
	tcase_add_test(tcase, old_entries_mean_columns_by_name);
	tcase_add_test(tcase, old_entries_of_another_key_fall_away);
	tcase_add_test(tcase, thousands_of_rows_fold_each_to_its_own);
	tcase_add_test(tcase, waiting_counts_entries_and_tells_the_oldest);
	suite_add_tcase(suite, tcase);
	return suite;
}
