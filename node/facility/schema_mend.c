/* node/facility/schema_mend.c - what somebody took from the program's own schema. */
#include "node/facility/schema_mend.h"
#include "node/facility/schema.h"
#include "node/facility/views.h"

#include "store/stmt.h"

#include <string.h>

#define SETTLED_KEY "facility_settled"

/* ---- what ought to be, and what is ---- */

/* A database as facility_schema_create leaves a new one. */
static int
open_model(const struct env *env, bool is_hub, struct store_db **db, struct err *err)
{
	int rc = store_db_open(":memory:", STORE_MERGE, env, db, err);

	if (rc == 0)
		rc = store_db_begin(*db, err);
	if (rc == 0)
		rc = facility_schema_create(*db, err);
	if (rc == 0)
		rc = facility_views_make(*db, is_hub, err);
	return rc == 0 ? store_db_commit(*db, err) : rc;
}

static bool
is_text(const struct facility_fault *f)
{
	return strcmp(f->type, "trigger") == 0 || strcmp(f->type, "view") == 0;
}

/* Is it in `db`, and the same?  Tables have more columns where somebody has added some. */
static int
look_for(struct store_db *db, struct facility_fault *f, bool *well, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT sql FROM sqlite_schema WHERE type = ? AND name = ? COLLATE NOCASE");
	int rc;

	store_stmt_put_text(&s, f->type);
	store_stmt_put_text(&s, f->name);
	rc = store_stmt_step(&s, err);
	f->is_there = rc == 1;
	*well = rc == 1 && (!is_text(f) || strcmp(store_stmt_get_text(&s), f->sql) == 0);
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

static int
take_fault(struct store_stmt *s, struct arena *a, struct facility_fault *f, struct err *err)
{
	f->type = store_stmt_copy_text(s, a);
	f->name = store_stmt_copy_text(s, a);
	f->table = store_stmt_copy_text(s, a);
	f->sql = store_stmt_copy_text(s, a);
	if (f->type == NULL || f->name == NULL || f->table == NULL || f->sql == NULL)
		return err_set(err, ERR_NOMEM, "facility schema: out of memory");
	return 0;
}

static bool
is_without_table(const struct facility_fault *list, size_t count, const struct facility_fault *f)
{
	for (size_t i = 0; i < count; i++)
		if (&list[i] != f && strcmp(list[i].type, "table") == 0 &&
		    strcmp(list[i].name, f->table) == 0)
			return true;
	return false;
}

static int
compare(struct store_db *db, struct store_db *model, struct arena *a, struct facility_fault **list,
        size_t *count, struct err *err)
{
	struct store_stmt s;
	int64_t all;
	int rc = store_stmt_int(model, "SELECT count(*) FROM sqlite_schema", 0, &all, err);

	if (rc < 0)
		return rc;
	*list = arena_take(a, (size_t)all, sizeof **list);
	if (*list == NULL)
		return err_set(err, ERR_NOMEM, "facility schema: out of memory");
	s = store_stmt_new(model, "SELECT type, name, tbl_name, sql FROM sqlite_schema"
	                          " WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'yz\\_%' ESCAPE"
	                          " '\\' ORDER BY rowid");
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct facility_fault *f = &(*list)[*count];
		bool well = false;

		rc = take_fault(&s, a, f, err);
		if (rc == 0)
			rc = look_for(db, f, &well, err);
		if (rc < 0)
			break;
		f->is_without_table = is_without_table(*list, *count, f);
		*count += !well;
	}
	store_stmt_end(&s);
	return rc;
}

int
facility_schema_faults(struct store_db *db, bool is_hub, struct arena *a,
                       struct facility_fault **list, size_t *count, struct err *err)
{
	struct store_db *model = NULL;
	bool current = false;
	int rc = facility_schema_is_current(db, is_hub, &current, err);

	*list = NULL;
	*count = 0;
	if (rc < 0 || !current)
		return rc;
	rc = open_model(store_db_env(db), is_hub, &model, err);
	if (rc == 0)
		rc = compare(db, model, a, list, count, err);
	store_db_close(model);
	return rc;
}

/* ---- making it so ---- */

static int
drop(struct store_db *db, const struct facility_fault *f, struct err *err)
{
	struct buf sql = { 0 };
	int rc;

	buf_printf(&sql, "DROP %s %s", f->type, f->name);
	rc = buf_check(&sql, err);
	if (rc == 0)
		rc = store_db_exec(db, buf_str(&sql), err);
	buf_free(&sql);
	return rc;
}

static int
make(struct store_db *db, const struct facility_fault *f, bool is_hub, struct err *err)
{
	const struct store_track_spec *spec = facility_table(f->name);
	int rc = f->is_there ? drop(db, f, err) : 0;

	if (rc == 0)
		rc = store_db_exec(db, f->sql, err);
	if (rc == 0 && strcmp(f->type, "table") == 0 && spec != NULL)
		rc = store_track_table(db, spec, is_hub, err);
	return rc < 0 ? err_wrap(err, "%s", f->name) : 0;
}

static bool
is_seeded(const char *table)
{
	for (size_t i = 0; facility_seeded[i] != NULL; i++)
		if (strcmp(facility_seeded[i], table) == 0)
			return true;
	return false;
}

int
facility_schema_mend(struct store_db *db, bool is_hub, bool tables, struct err *err)
{
	struct facility_fault *list = NULL;
	struct arena a = { 0 };
	bool seeds = false;
	size_t count = 0;
	int rc = facility_schema_faults(db, is_hub, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (!tables && (list[i].is_without_table || strcmp(list[i].type, "table") == 0))
			continue;
		rc = make(db, &list[i], is_hub, err);
		seeds |= strcmp(list[i].type, "table") == 0 && is_seeded(list[i].name);
	}
	if (rc == 0 && seeds)
		rc = facility_seed(db, err);
	arena_free(&a);
	return rc < 0 ? err_wrap(err, "facility schema") : 0;
}

int
facility_schema_settle(struct store_db *db, bool is_hub, struct err *err)
{
	int64_t now = 0, settled = -1;
	int rc = store_stmt_int(db, "PRAGMA schema_version", 0, &now, err);

	if (rc == 0)
		rc = store_meta_get_int(db, SETTLED_KEY, -1, &settled, err);
	if (rc < 0 || now == settled)
		return rc;
	rc = facility_schema_mend(db, is_hub, false, err);
	if (rc == 0)
		rc = store_stmt_int(db, "PRAGMA schema_version", 0, &now, err);
	return rc == 0 ? store_meta_set_int(db, SETTLED_KEY, now, err) : rc;
}
