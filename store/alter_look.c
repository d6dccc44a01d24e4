/* store/alter_look.c - the tables that a schema file names, before it has run and after. */
#include "store/alter_priv.h"
#include "store/columns_priv.h"
#include "store/lost_priv.h"
#include "store/stmt.h"

#include <string.h>
#include <strings.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "schema: out of memory");
}

const char *
store_alter_keep(struct store_altering *x, const char *text)
{
	return arena_copy(&x->out->arena, text, strlen(text));
}

/* How the table is tracked now; NULL if it isn't. */
const struct store_schema *
store_alter_local(struct store_altering *x, const struct store_touched *t)
{
	const struct store_table *known = store_catalog_table_by_name(x->db, t->face.table);

	return known == NULL ? NULL : known->local;
}

/* ---- the tables that the file names ---- */

/* Entries that wait for the next seal. */
int
store_alter_logged(struct store_altering *x, const struct store_touched *t, int64_t *count,
                   struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        x->db, "SELECT count(*) FROM yz_log WHERE tv IN (SELECT s.id FROM yz_schema AS s"
	               " JOIN yz_table AS t ON t.id = s.tbl WHERE t.name = ?)");
	int rc;

	store_stmt_put_text(&s, t->face.table);
	rc = store_stmt_step(&s, err);
	*count = rc == 1 ? store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* The table's name as it was declared: 1, or 0 if there is none. */
static int
declared_name(struct store_altering *x, const char *name, const char **declared, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(x->db, "SELECT name FROM sqlite_schema WHERE type = 'table'"
	                              " AND name = ? COLLATE NOCASE");
	int rc;

	*declared = NULL;
	store_stmt_put_text(&s, name);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		*declared = store_alter_keep(x, store_stmt_get_text(&s));
	store_stmt_end(&s);
	if (rc == 1 && *declared == NULL)
		rc = no_memory(err);
	return rc;
}

static int
look_before(struct store_altering *x, struct store_touched *t, struct err *err)
{
	const struct store_schema *local;
	int rc = t->face.is_new ? 0
	                        : store_columns_read(x->db, t->face.table, &x->out->arena,
	                                             &t->before, err);

	if (rc == 0)
		rc = store_alter_logged(x, t, &t->logged, err);
	local = rc < 0 ? NULL : store_alter_local(x, t);
	t->face.tracked = local != NULL;
	t->was_id = local == NULL ? 0 : local->id;
	return rc;
}

/* The table of this name, noted as it is before the file has changed it. */
int
store_alter_touch(struct store_altering *x, const char *name, struct store_touched **out,
                  struct err *err)
{
	struct store_alter_table **at = &x->out->tables;
	const char *declared;
	struct store_touched *t;
	int rc;

	for (; *at != NULL; at = &(*at)->next)
		if (strcasecmp((*at)->table, name) == 0) {
			*out = (struct store_touched *)*at;
			return 0;
		}
	rc = declared_name(x, name, &declared, err);
	t = arena_take(&x->out->arena, 1, sizeof *t);
	if (rc < 0)
		return rc;
	if (t == NULL)
		return no_memory(err);
	t->face.is_new = rc == 0;
	t->face.table = rc == 0 ? store_alter_keep(x, name) : declared;
	if (t->face.table == NULL)
		return no_memory(err);
	*at = &t->face;
	*out = t;
	return look_before(x, t, err);
}

int
store_alter_add(struct store_altering *x, struct store_alter_name **list,
                struct store_alter_name name, struct err *err)
{
	struct store_alter_name *kept = arena_copy(&x->out->arena, &name, sizeof name);

	while (*list != NULL)
		list = &(*list)->next;
	if (kept == NULL)
		return no_memory(err);
	kept->next = NULL;
	kept->name = store_alter_keep(x, name.name);
	kept->from = name.from == NULL ? NULL : store_alter_keep(x, name.from);
	kept->travels = name.travels == NULL ? NULL : store_alter_keep(x, name.travels);
	*list = kept;
	return kept->name == NULL || x->out->arena.spent ? no_memory(err) : 0;
}

/* ---- what came of it ---- */

static bool
has_column(const struct store_columns *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcasecmp(list->list[i].name, name) == 0)
			return true;
	return false;
}

static bool
is_renamed(const struct store_touched *t, const char *name, bool from)
{
	for (const struct store_alter_name *n = t->face.renamed; n != NULL; n = n->next)
		if (strcasecmp(from ? n->from : n->name, name) == 0)
			return true;
	return false;
}

static int
compare_columns(struct store_altering *x, struct store_touched *t, const struct store_columns *now,
                struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < now->count; i++)
		if (!has_column(&t->before, now->list[i].name) &&
		    !is_renamed(t, now->list[i].name, false))
			rc = store_alter_add(x, &t->face.added,
			                     (struct store_alter_name){ .name = now->list[i].name },
			                     err);
	for (size_t i = 0; rc == 0 && i < t->before.count; i++)
		if (!has_column(now, t->before.list[i].name) &&
		    !is_renamed(t, t->before.list[i].name, true))
			rc = store_alter_add(
			        x, &t->face.dropped,
			        (struct store_alter_name){ .name = t->before.list[i].name }, err);
	return rc;
}

/* Rows of which cells that wait beside the table will find their place in it. */
static int
count_waiting(struct store_altering *x, struct store_touched *t, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        x->db, "SELECT count(DISTINCT e.key) FROM yz_table AS t"
	               " JOIN yz_extra AS e ON e.tbl = t.id"
	               " JOIN yz_column AS c ON c.tbl = e.tbl AND c.id = e.col"
	               " JOIN pragma_table_info(?1) AS i ON i.name = ifnull(c.here, c.name)"
	               " WHERE t.name = ?1");
	int rc;

	store_stmt_put_text(&s, t->face.table);
	rc = store_stmt_step(&s, err);
	t->face.waiting = rc == 1 ? store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

static bool
same_meaning(const struct store_column *a, const struct store_column *b)
{
	return strcmp(a->type, b->type) == 0 && a->rule == b->rule &&
	       (a->group != 0) == (b->group != 0) && (a->key != 0) == (b->key != 0);
}

/* The column's meaning here against the one that it has in `other`. */
static int
check_against(const struct store_schema *now, unsigned i, const struct store_schema *other,
              struct err *err)
{
	int at = store_schema_find(other, now->columns[i].name);

	if (at < 0 || same_meaning(&now->columns[i], &other->columns[at]))
		return 0;
	return err_set(err, ERR_INVALID,
	               "%s.%s has another type, rule or group elsewhere, or had it here before: "
	               "another meaning is another column name",
	               now->table, now->columns[i].here);
}

/* A column that is new here may be old elsewhere, or have been here long ago. */
static int
check_new_column(struct store_altering *x, const struct store_schema *now, unsigned i,
                 struct err *err)
{
	int rc = 0;

	for (int id = 1; rc == 0 && id <= x->last_schema; id++) {
		const struct store_schema *other = store_catalog_schema(x->db, id);

		if (other != NULL && other->table_id == now->table_id)
			rc = check_against(now, i, other, err);
	}
	return rc;
}

static int
check_meaning(struct store_altering *x, const struct store_touched *t, struct err *err)
{
	const struct store_schema *now = store_alter_local(x, t);
	const struct store_schema *was =
	        t->was_id == 0 ? NULL : store_catalog_schema(x->db, t->was_id);
	int rc = 0;

	for (unsigned i = 0; now != NULL && rc == 0 && i < now->column_count; i++)
		rc = was != NULL && store_schema_find(was, now->columns[i].name) >= 0
		             ? check_against(now, i, was, err)
		             : check_new_column(x, now, i, err);
	return rc;
}

/* Altered so that it can't be tracked any more. */
static int
say_lost(struct store_altering *x, const struct store_touched *t, struct err *err)
{
	struct buf why = { 0 };
	int rc = store_lost_why(x->db, t->face.table, &why, err);

	if (rc == 0)
		rc = err_set(err, ERR_INVALID, "%s could not be tracked any more: %s",
		             t->face.table, buf_str(&why));
	buf_free(&why);
	return rc;
}

int
store_alter_look(struct store_altering *x, struct store_touched *t, struct err *err)
{
	struct store_columns now = { 0 };
	int64_t logged = 0;
	int rc = store_columns_read(x->db, t->face.table, &x->out->arena, &now, err);

	if (rc == ERR_NOTFOUND) {
		t->face.is_gone = true;
		return 0;
	}
	if (rc == 0 && t->was_id != 0 && !t->leaves && store_alter_local(x, t) == NULL)
		return say_lost(x, t, err);
	t->face.tracked = store_alter_local(x, t) != NULL;
	if (rc == 0)
		rc = check_meaning(x, t, err);
	if (rc == 0 && !t->face.is_new)
		rc = compare_columns(x, t, &now, err);
	if (rc == 0)
		rc = count_waiting(x, t, err);
	if (rc == 0)
		rc = store_alter_logged(x, t, &logged, err);
	t->face.changes = rc < 0 ? 0 : logged - t->logged;
	return rc;
}
