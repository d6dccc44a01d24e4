/* tests/crash/store.c - scenarios of one file: making, opening, capturing. */
#include "tests/crash/crash.h"

#include "store/stmt.h"
#include "store/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

static void
prepare_nothing(struct scene *s)
{
	snprintf(s->m[NODE].facility, sizeof s->m[NODE].facility, "F1");
}

static int
make_step(struct scene *s, int no, struct err *err)
{
	int rc = machine_make(&s->m[NODE], err);

	(void)no;
	s->m[NODE].there = rc == 0;
	return rc;
}

/* As init does it: what isn't finished is deleted and begun anew. */
static void
make_restart(struct scene *s)
{
	static const char *const files[] = { "y.db", "y.db-wal", "y.db-journal" };
	struct machine *m = &s->m[NODE];
	struct err err;

	m->there = machine_open(m, &err) == 0;
	if (m->there)
		return;
	machine_close(m);
	s->recovered++;
	for (int i = 0; i < 3; i++)
		disk_remove(m->disk, files[i]);
}

static int
make_seen(struct scene *s)
{
	return s->m[NODE].there;
}

/* ---- opening ---- */

static void
prepare_node(struct scene *s)
{
	scene_add(s, NODE, "F1");
}

static const char twenty[] =
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 20)"
        " INSERT INTO note(id, facility_id, text) SELECT randomblob(16), 'F1', hex(randomblob(300))"
        " FROM c";

static void
prepare_cut_node(struct scene *s)
{
	struct err err;

	scene_add(s, NODE, "F1");
	for (int i = 0; i < 3; i++)
		crash_must(scene_sql(&s->m[NODE], twenty, &err), &err, "write");
	scene_cut(&s->m[NODE]);
}

static int
open_step(struct scene *s, int no, struct err *err)
{
	struct machine *m = &s->m[NODE];
	int left, rc;

	if (no == 1)
		return scene_sql(m, "UPDATE note SET rank = 7", err);
	machine_close(m);
	rc = machine_open(m, err);
	if (rc == 0)
		rc = scene_sql(m, "UPDATE note SET rank = 6", err);
	return rc == 0 ? store_db_checkpoint(m->merge, 0, &left, err) : rc;
}

static int
open_seen(struct scene *s)
{
	int seen = (int)scene_int(&s->m[NODE],
	                          "SELECT CASE WHEN count(*) = 60 AND min(rank) = max(rank)"
	                          " THEN max(0, max(rank) - 5) ELSE -1 END FROM note");

	s->recovered += seen >= 0; /* 60 rows out of the log of a cut machine */
	return seen;
}

/* ---- checkpoints ---- */

static int
checkpoint_step(struct scene *s, int no, struct err *err)
{
	static const int pages[] = { 0, 1, 0 };
	struct machine *m = &s->m[NODE];
	int left, rc;

	if (no == 3)
		return scene_sql(m, twenty, err);
	rc = scene_sql(m, twenty, err);
	return rc == 0 ? store_db_checkpoint(m->merge, pages[no], &left, err) : rc;
}

/* ---- capture: rows and their log entries, whole transactions ---- */

static const char *const inserts[] = {
	"INSERT INTO note(id, facility_id, text) VALUES (x'11', 'F1', 'a'), (x'12', 'F1', 'b')",
	"INSERT INTO note(id, facility_id, text) VALUES (x'13', 'F1', 'c'); "
	"INSERT INTO daily VALUES ('c1', 20260302, 'F1', 'ate', 1)",
	"INSERT INTO note(id, facility_id, text) VALUES (x'14', 'F1', 'd'), (x'15', 'F1', 'e')",
};

static const char *const updates[] = {
	"UPDATE note SET rank = 1, text = 'u' WHERE id < x'03'",
	"UPDATE note SET rank = 2, a = 8, b = 9 WHERE id < x'03'",
	"UPDATE note SET rank = 3, top = top + 1 WHERE id < x'03'",
};

static const char *const deletes[] = {
	"DELETE FROM note WHERE id <= x'02'",
	"DELETE FROM note WHERE id <= x'04'",
	"DELETE FROM note WHERE id <= x'06'",
};

static const char *const replaces[] = {
	"INSERT OR REPLACE INTO note(id, facility_id, text, rank, top) VALUES"
	" (x'01', 'F1', 'r', 1, 9), (x'02', 'F1', 'r', 1, 9)",
	"INSERT OR REPLACE INTO note(id, facility_id, text, rank, top) VALUES"
	" (x'01', 'F1', 'r', 2, 9), (x'02', 'F1', 'r', 2, 9)",
};

static const char *const keys[] = {
	"UPDATE note SET id = x'21' WHERE id = x'01'; UPDATE note SET id = x'22' WHERE id = x'02'",
	"UPDATE note SET id = x'31' WHERE id = x'21'; UPDATE note SET id = x'32' WHERE id = x'22'",
};

static const char *const bulks[] = {
	"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 400)"
	" INSERT INTO daily SELECT 'c' || i, 1, 'F1', 'bulk', i FROM c",
	"UPDATE daily SET mood = mood + 1000, text = text || day",
	"DELETE FROM daily",
	"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 400)"
	" INSERT INTO daily SELECT 'd' || i, 1, 'F1', 'bulk', i FROM c",
};

#define LOG "(SELECT count(*) FROM yz_log)"
#define LOG_ROWS "(SELECT count(*) FROM (SELECT DISTINCT k1 FROM yz_log))"

/* ---- the disk fills up, by its size, and has room again ---- */

static int
full_step(struct scene *s, int no, struct err *err)
{
	struct disk_device small = { .quota = 400000 }, large = { 0 };
	struct machine *m = &s->m[NODE];
	struct err full = { 0 };
	int64_t rest = 6;
	int rc = 0, left;

	(void)no;
	disk_set_device(m->disk, &small);
	while (rc == 0)
		rc = scene_sql(m, twenty, &full);
	disk_set_device(m->disk, &large);
	rc = store_stmt_int(m->local, "SELECT count(*) % 20 FROM note", -1, &rest, err);
	if (rc == 0 && rest != 6)
		crash_fail("a write that found no room left something");
	s->recovered += strstr(full.msg, "full") != NULL;
	if (rc == 0)
		rc = store_db_checkpoint(m->merge, 0, &left, err);
	return rc == 0 ? scene_sql(m, "INSERT INTO mark VALUES (1)", err) : rc;
}

/* ---- a table out of a file: three rows, then the three changed and a fourth ---- */

static int
import_rows(struct store_db *db, int no, struct err *err)
{
	static const char *const columns[] = { "child", "day", "facility_id", "text" };
	static const char *const texts[] = { "a", "b" };
	struct store_transfer *t = NULL;
	int64_t added, changed;
	int rc = store_transfer_open(db, "daily", columns, 4, &t, err);

	for (int day = 1; rc == 0 && day <= 3 + no; day++) {
		const struct store_value row[] = { store_value_text("c"), store_value_int(day),
			                           store_value_text("F1"),
			                           store_value_text(texts[no]) };

		rc = store_transfer_row(t, row, err);
	}
	if (rc == 0)
		rc = store_transfer_counts(t, &added, &changed, err);
	if (rc == 0 && (added != (no == 0 ? 3 : 1) || changed != (no == 0 ? 0 : 3)))
		crash_fail("%lld added, %lld changed", (long long)added, (long long)changed);
	store_transfer_close(t);
	return rc;
}

static int
import_step(struct scene *s, int no, struct err *err)
{
	struct store_db *db = s->m[NODE].local;
	int rc = store_db_begin(db, err);

	if (rc == 0)
		rc = import_rows(db, no, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	store_db_rollback(db);
	return rc;
}

const struct scenario scenarios_store[] = {
	{ .name = "create",
	  .recovers = "a file that was begun was deleted and made anew",
	  .victim = NODE,
	  .steps = 1,
	  .prepare = prepare_nothing,
	  .step = make_step,
	  .seen = make_seen,
	  .restart = make_restart },
	{ .name = "open-after-cut",
	  .recovers = "rows came out of the log of a cut machine",
	  .victim = NODE,
	  .steps = 2,
	  .prepare = prepare_cut_node,
	  .step = open_step,
	  .seen = open_seen,
	  .cold = true },
	{ .name = "checkpoint",
	  .victim = NODE,
	  .steps = 4,
	  .prepare = prepare_node,
	  .step = checkpoint_step,
	  .probe = "SELECT CASE WHEN count(*) % 20 = 0 AND count(*) = " LOG
	           " THEN count(*) / 20 ELSE -1 END FROM note" },
	{ .name = "capture-insert",
	  .victim = NODE,
	  .steps = 3,
	  .prepare = prepare_node,
	  .sql = inserts,
	  .probe = "SELECT CASE WHEN n % 2 = 0 AND n = " LOG " THEN n / 2 ELSE -1 END FROM"
	           " (SELECT (SELECT count(*) FROM note) + (SELECT count(*) FROM daily) n)",
	  .finish = scene_sealed },
	{ .name = "capture-update",
	  .victim = NODE,
	  .steps = 3,
	  .prepare = scene_six,
	  .sql = updates,
	  .probe = "SELECT CASE WHEN min(rank) = max(rank) AND " LOG " = 2 * max(rank)"
	           " THEN max(rank) ELSE -1 END FROM note WHERE id < x'03'",
	  .finish = scene_sealed },
	{ .name = "capture-delete",
	  .victim = NODE,
	  .steps = 3,
	  .prepare = scene_six,
	  .sql = deletes,
	  .probe = "SELECT CASE WHEN n % 2 = 0 AND " LOG_ROWS " = n THEN n / 2 ELSE -1 END FROM"
	           " (SELECT 6 - count(*) n FROM note)",
	  .finish = scene_sealed },
	{ .name = "capture-replace",
	  .victim = NODE,
	  .steps = 2,
	  .prepare = scene_six,
	  .sql = replaces,
	  .probe = "SELECT CASE WHEN min(rank) = max(rank) AND " LOG_ROWS " = 2 * (max(rank) > 0)"
	           " THEN max(rank) ELSE -1 END FROM note WHERE id < x'03'",
	  .finish = scene_sealed },
	{ .name = "capture-key",
	  .victim = NODE,
	  .steps = 2,
	  .prepare = scene_six,
	  .sql = keys,
	  .probe = "SELECT CASE WHEN count(*) = 2 AND min(unicode(hex(id))) = max(unicode(hex(id)))"
	           " AND " LOG_ROWS " = 2 * (unicode(hex(id)) - 48) * (unicode(hex(id)) > 49) +"
	           " 0 THEN max(0, unicode(hex(id)) - 49) ELSE -1 END FROM note"
	           " WHERE id NOT IN (x'03', x'04', x'05', x'06')",
	  .finish = scene_sealed },
	{ .name = "capture-bulk",
	  .victim = NODE,
	  .steps = 4,
	  .prepare = prepare_node,
	  .sql = bulks,
	  .probe =
	          "SELECT CASE WHEN n = 0 AND l = 0 THEN 0 WHEN n = 400 AND l = 400 THEN 1"
	          " WHEN n = 400 AND l = 800 AND m > 400 THEN 2 WHEN n = 0 AND l = 1200 THEN 3"
	          " WHEN n = 400 AND l = 1600 THEN 4 ELSE -1 END FROM (SELECT count(*) n, max(mood)"
	          " m, " LOG " l FROM daily)",
	  .finish = scene_sealed },
	{ .name = "import-table",
	  .victim = NODE,
	  .steps = 2,
	  .prepare = prepare_node,
	  .step = import_step,
	  .probe = "SELECT CASE WHEN n = 0 AND l = 0 THEN 0 WHEN n = 3 AND l = 3 AND most = 'a'"
	           " THEN 1 WHEN n = 4 AND l = 7 AND least = 'b' THEN 2 ELSE -1 END FROM (SELECT"
	           " count(*) n, min(text) least, max(text) most, " LOG " l FROM daily)",
	  .finish = scene_sealed },
	{ .name = "full-and-resume",
	  .recovers = "a write found no room",
	  .victim = NODE,
	  .slow = true,
	  .steps = 1,
	  .prepare = scene_six,
	  .step = full_step,
	  .probe = "SELECT count(*) FROM mark",
	  .finish = scene_sealed },
	{ 0 },
};
