/* node/doctor_schema.c - tables, views and triggers that somebody has taken away (node/doctor.h).
 */
#include "node/doctor_priv.h"
#include "node/facility/schema.h"
#include "node/facility/schema_mend.h"
#include "store/lost.h"
#include "store/settle.h"
#include "store/track.h"

#include <stdio.h>
#include <string.h>

struct looking {
	struct doctor *d;
	bool found;
};

static void
tell_lost(void *ctx, const struct store_lost *lost)
{
	struct looking *l = ctx;
	char waits[80] = "", todo[512];

	l->found = true;
	if (lost->waiting > 0)
		snprintf(waits, sizeof waits, ", and %lld %s for it", (long long)lost->waiting,
		         lost->waiting == 1 ? "row waits" : "rows wait");
	if (lost->gone && facility_table(lost->table) != NULL)
		snprintf(todo, sizeof todo,
		         "yizhan doctor --fix makes it anew, with what its records say");
	else
		snprintf(todo, sizeof todo,
		         "make it as it was with yizhan schema apply, -- yizhan track %.128s, then "
		         "yizhan doctor --fix; or say there DROP TABLE IF EXISTS %.128s",
		         lost->table, lost->table);
	doctor_say(l->d, "tables", DOCTOR_ILL, todo, "%s is not tracked any more: %.200s%s",
	           lost->table, lost->why, waits);
}

/* A tracked table that is gone has been told already; and what is of a table goes with it. */
static bool
is_told(const struct facility_fault *f)
{
	return f->is_without_table ||
	       (strcmp(f->type, "table") == 0 && facility_table(f->name) != NULL);
}

static int
look_at_program(struct looking *l, struct store_db *db, bool is_hub, struct err *err)
{
	struct facility_fault *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = facility_schema_faults(db, is_hub, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		l->found = true;
		if (!is_told(&list[i]))
			doctor_say(l->d, "tables", DOCTOR_ILL,
			           "yizhan doctor --fix, or the next start of yizhan run",
			           "the program's %s %s is %s", list[i].type, list[i].name,
			           list[i].is_there ? "not as it made it" : "gone");
	}
	arena_free(&a);
	return rc;
}

int
doctor_check_schema(struct doctor *d, struct store_db *db, bool is_hub, struct err *err)
{
	struct looking l = { .d = d };
	int rc = store_lost_list(db, tell_lost, &l, err);

	if (rc == 0)
		rc = look_at_program(&l, db, is_hub, err);
	if (rc == 0 && !l.found)
		doctor_say(d, "tables", DOCTOR_WELL, "",
		           "all that is tracked and all that the program uses is there");
	return rc;
}

/* ---- making them anew ---- */

static void
put_name(struct buf *names, const char *name)
{
	buf_printf(names, "%s%s", names->len == 0 ? "" : ", ", name);
}

static int
name_faults(struct store_db *db, bool is_hub, struct buf *names, struct err *err)
{
	struct facility_fault *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = facility_schema_faults(db, is_hub, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		put_name(names, list[i].name);
	arena_free(&a);
	return rc;
}

/* What has come in meanwhile takes its place; what else the records say, mend_rows does. */
static int
settle(struct store_db *db, struct err *err)
{
	struct store_batch *b = store_batch_sqlite_new(db);
	int64_t moved;
	int rc = b == NULL ? err_set(err, ERR_NOMEM, "out of memory")
	                   : store_settle(db, b, &moved, err);

	store_batch_sqlite_free(b);
	return rc;
}

static int
mend(struct store_db *db, bool is_hub, struct buf *names, struct err *err)
{
	int rc = store_db_begin(db, err);

	if (rc == 0)
		rc = store_track_refresh(db, is_hub, err);
	if (rc == 0)
		rc = name_faults(db, is_hub, names, err);
	if (rc == 0 && names->len > 0)
		rc = facility_schema_mend(db, is_hub, true, err);
	if (rc == 0)
		rc = settle(db, err);
	return rc == 0 ? store_db_commit(db, err) : rc;
}

void
doctor_mend_schema(struct doctor *d, struct store_db *db, bool is_hub)
{
	struct buf names = { 0 };
	struct err err;

	if (mend(db, is_hub, &names, &err) < 0) {
		store_db_rollback(db);
		doctor_say(d, "tables", DOCTOR_ILL, "ask for help with this sentence",
		           "they could not be made anew: %s", err.msg);
	} else if (names.len > 0) {
		doctor_say(d, "tables", DOCTOR_MENDED, "", "made anew: %.400s", buf_str(&names));
	}
	buf_free(&names);
}
