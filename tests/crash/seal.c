/* tests/crash/seal.c - scenarios of the step from the log to records. */
#include "tests/crash/crash.h"

#include "store/stmt.h"

#include <stdio.h>
#include <string.h>

/* ---- seal ---- */

static int
seal_step(struct scene *s, int no, struct err *err)
{
	struct machine *m = &s->m[s->scenario->victim];

	return no % 2 == 1 ? scene_seal(m, err) : scene_sql(m, s->scenario->sql[no / 2], err);
}

/* What was written, and is it sealed?  By the marks and the log. */
static int
seal_seen(struct scene *s)
{
	struct machine *m = &s->m[s->scenario->victim];
	int marks = (int)scene_int(m, "SELECT count(*) FROM mark");
	int log = (int)scene_int(m, "SELECT count(*) FROM yz_log");

	return marks == 0 && log > 0 ? -1 : 2 * marks - (log > 0);
}

static const char *const seal_small[] = {
	"INSERT INTO note(id, facility_id, text) VALUES (x'11', 'F1', 'a'), (x'12', 'F1', 'b');"
	"INSERT INTO mark VALUES (1)",
	"UPDATE note SET text = 'c'; INSERT INTO mark VALUES (2)",
};

static const char *const seal_scopes[] = {
	"INSERT INTO note(id, facility_id, text) VALUES (x'11', 'F1', 'a'), (x'12', 'F2', 'b'),"
	" (x'13', 'F3', 'c'); INSERT INTO mark VALUES (1)",
	"UPDATE note SET rank = 5; DELETE FROM note WHERE id = x'12'; INSERT INTO mark VALUES (2)",
};

/* Random text doesn't compress: each row is most of a segment. */
static const char *const seal_large[] = {
	"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 4)"
	" INSERT INTO note(id, facility_id, text) SELECT randomblob(16), 'F1',"
	" hex(randomblob(300000)) FROM c; INSERT INTO mark VALUES (1)",
};

static const char *const seal_empty[] = {
	"INSERT INTO note(id, facility_id, text) VALUES (x'11', 'F1', 'a');"
	"DELETE FROM note WHERE id = x'11'; UPDATE note SET text = text;"
	"INSERT INTO mark VALUES (1)",
	"INSERT INTO note(id, facility_id, text) VALUES (x'12', 'F1', 'a');"
	"DELETE FROM note WHERE id = x'12'; INSERT INTO mark VALUES (2)",
};

static const char *const seal_foreign[] = {
	"INSERT INTO note(id, facility_id, text) VALUES (x'11', 'F1', 'a'), (x'12', 'F9', 'b');"
	"INSERT INTO mark VALUES (1)",
};

static void
prepare_hub(struct scene *s)
{
	struct err err;

	scene_add(s, HUB, "");
	crash_must(store_db_exec(s->m[HUB].local, "CREATE TABLE mark(n)", &err), &err, "mark");
}

static void
several_parts(struct scene *s)
{
	struct machine *m = &s->m[NODE];

	scene_sealed(s);
	s->recovered += scene_int(m, "SELECT count(*) FROM yz_segment") > 2;
}

static void
kept_aside(struct scene *s)
{
	scene_sealed(s);
	if (scene_int(&s->m[NODE], "SELECT count(*) FROM yz_quarantine") != 1)
		crash_fail("the row of another facility is not listed once");
	s->recovered++;
}

const struct scenario scenarios_seal[] = {
	{ .name = "seal-small",
	  .victim = NODE,
	  .steps = 4,
	  .prepare = scene_six,
	  .sql = seal_small,
	  .step = seal_step,
	  .seen = seal_seen,
	  .finish = scene_sealed },
	{ .name = "seal-scopes",
	  .victim = HUB,
	  .steps = 4,
	  .prepare = prepare_hub,
	  .sql = seal_scopes,
	  .step = seal_step,
	  .seen = seal_seen,
	  .finish = scene_sealed },
	{ .name = "seal-large",
	  .recovers = "one seal made several segments",
	  .victim = NODE,
	  .slow = true,
	  .steps = 2,
	  .prepare = scene_six,
	  .sql = seal_large,
	  .step = seal_step,
	  .seen = seal_seen,
	  .finish = several_parts },
	{ .name = "seal-empty",
	  .victim = NODE,
	  .steps = 4,
	  .prepare = scene_six,
	  .sql = seal_empty,
	  .step = seal_step,
	  .seen = seal_seen,
	  .finish = scene_sealed },
	{ .name = "seal-not-ours",
	  .recovers = "a row of another facility was listed",
	  .victim = NODE,
	  .steps = 2,
	  .prepare = scene_six,
	  .sql = seal_foreign,
	  .step = seal_step,
	  .seen = seal_seen,
	  .finish = kept_aside },
	{ 0 },
};
