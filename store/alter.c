/*
 * store/alter.c - run a schema file, statement by statement.
 *
 * Before anything else the schema is looked at as it stands (store_track_refresh),
 * so that what other programs did before is captured as theirs.  The triggers then
 * stand, and nobody else writes until the transaction ends: so triggers that have
 * to go for a statement are made anew behind it without a scan of the table.
 * At the end the schema is looked at once more.
 */
#include "store/alter_priv.h"
#include "store/ddl_priv.h"
#include "store/leave_priv.h"
#include "store/lost_priv.h"
#include "store/stmt.h"
#include "store/track_priv.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "schema: out of memory");
}

static int
refresh(struct store_altering *x, struct err *err)
{
	return store_track_refresh(x->db, x->file->is_hub, err);
}

/* ---- what a statement must not do ---- */

static bool
is_engines(const char *name)
{
	return strncasecmp(name, "yz_", 3) == 0 || strncasecmp(name, "hub_", 4) == 0;
}

static bool
is_fixed(const struct store_altering *x, const struct store_ddl *d)
{
	return x->file->is_fixed != NULL &&
	       x->file->is_fixed(d->table[0] != 0 ? d->table : d->object);
}

static int
check_statement(struct store_altering *x, const struct store_ddl *d, struct err *err)
{
	const char *const names[] = { d->table, d->object, d->to };
	if (d->act == STORE_DDL_NONE)
		return err_set(
		        err, ERR_INVALID,
		        "a schema file holds CREATE, ALTER and DROP of the node's own tables, "
		        "views, indexes and triggers; run anything else with yizhan sql");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (is_engines(names[i]))
			return err_set(err, ERR_INVALID,
			               "%s is yizhan's own, or would look like it; change your own "
			               "tables",
			               names[i]);
	if (store_ddl_takes_away(d->act) && is_fixed(x, d))
		return err_set(err, ERR_INVALID,
		               "the program itself uses %s: what it has keeps its names; columns "
		               "may be added",
		               d->table[0] != 0 ? d->table : d->object);
	return 0;
}

/* A table's unsealed entries name rows whose values are read when they are sealed. */
static int
check_sealed(struct store_altering *x, const struct store_touched *t, struct err *err)
{
	int64_t waiting;
	int rc = store_alter_logged(x, t, &waiting, err);

	if (rc < 0 || waiting == 0)
		return rc;
	return err_set(err, ERR_INVALID,
	               "of %s changes aren't sealed yet (%lld), and what is dropped could not be "
	               "sent any more; run yizhan sync, then this again",
	               t->face.table, (long long)waiting);
}

/* ---- drops ---- */

static int
column_of(const struct store_schema *s, const char *here, struct err *err)
{
	for (unsigned i = 0; i < s->column_count; i++)
		if (strcasecmp(s->columns[i].here, here) == 0)
			return (int)i;
	return err_set(err, ERR_INVALID, "table %s has no column %s", s->table, here);
}

/* `s` without its column `at`, registered; memory for building it from `a`. */
static int
schema_without(struct store_db *db, const struct store_schema *s, int at, struct arena *a,
               const struct store_schema **out, struct err *err)
{
	struct store_schema *less = arena_copy(a, s, sizeof *s);
	int rc;

	if (less == NULL)
		return no_memory(err);
	less->columns = arena_take(a, s->column_count, sizeof *less->columns);
	if (less->columns == NULL)
		return no_memory(err);
	less->column_count = 0;
	for (unsigned i = 0; i < s->column_count; i++)
		if ((int)i != at)
			less->columns[less->column_count++] = s->columns[i];
	if (less->scope_column > at)
		less->scope_column--;
	rc = store_schema_finish(less, err);
	return rc < 0 ? rc : store_track_learn(db, less, out, err);
}

static int
before_drop_column(struct store_altering *x, struct store_touched *t, const char *column,
                   struct err *err)
{
	const struct store_schema *from = store_alter_local(x, t), *to = NULL;
	struct arena a = { 0 };
	int at = column_of(from, column, err), rc;

	if (at < 0)
		return at;
	if (from->columns[at].key > 0 || at == from->scope_column)
		return err_set(
		        err, ERR_INVALID,
		        "%s.%s says which row it is, or who may see it, and can't be dropped; "
		        "make a new table",
		        t->face.table, from->columns[at].here);
	rc = check_sealed(x, t, err);
	if (rc == 0)
		rc = schema_without(x->db, from, at, &a, &to, err);
	if (rc == 0)
		rc = store_leave(x->db, from, to, &t->face.kept, err);
	if (rc == 0) /* SQLite drops no column that a trigger names */
		rc = store_track_drop_triggers(x->db, t->face.table, err);
	arena_free(&a);
	return rc;
}

static int
before_drop_table(struct store_altering *x, struct store_touched *t, struct err *err)
{
	int rc = check_sealed(x, t, err);

	t->leaves = true;
	return rc == 0 ? store_leave(x->db, store_alter_local(x, t), NULL, &t->face.kept, err) : rc;
}

/* ---- renaming ---- */

/* The number of a column that may be called `to` here. */
static int
before_rename_column(struct store_altering *x, struct store_touched *t, const struct store_ddl *d,
                     struct err *err)
{
	const struct store_table *known = store_catalog_table_by_name(x->db, t->face.table);
	int at = column_of(known->local, d->column, err), id;

	if (at < 0)
		return at;
	id = known->local->columns[at].id;
	for (unsigned i = 0; i < known->column_count; i++)
		if ((int)i + 1 != id && strcasecmp(known->names[i], d->to) == 0)
			return err_set(
			        err, ERR_INVALID,
			        "%s.%s is, or was, another column's name, here or elsewhere; "
			        "take one that nobody has used",
			        t->face.table, known->names[i]);
	return id;
}

/* A column that is renamed twice in a file is renamed once. */
static int
note_renamed(struct store_altering *x, struct store_touched *t, const struct store_ddl *d,
             const char *travels, struct err *err)
{
	for (struct store_alter_name *n = t->face.renamed; n != NULL; n = n->next)
		if (strcasecmp(n->name, d->column) == 0) {
			n->name = store_alter_keep(x, d->to);
			return n->name == NULL ? no_memory(err) : 0;
		}
	return store_alter_add(
	        x, &t->face.renamed,
	        (struct store_alter_name){ .name = d->to, .from = d->column, .travels = travels },
	        err);
}

static int
after_rename_column(struct store_altering *x, struct store_touched *t, const struct store_ddl *d,
                    int column, struct err *err)
{
	const struct store_table *known = store_catalog_table_by_name(x->db, t->face.table);
	const char *travels = known->names[column - 1];
	int rc = note_renamed(x, t, d, travels, err);

	if (rc == 0)
		rc = store_catalog_set_here(x->db, known->id, column,
		                            strcmp(travels, d->to) == 0 ? NULL : d->to, err);
	return rc == 0 ? store_track_dress(x->db, t->face.table, x->file->is_hub, err) : rc;
}

/* ---- one statement ---- */

static int
execute(struct store_altering *x, const char *sql, const char **tail, struct err *err)
{
	struct store_stmt s = store_stmt_first(x->db, sql, tail);
	int rc = store_ddl_holds_words(sql, *tail)
	                 ? err_set(err, ERR_INVALID,
	                           "\"-- yizhan\" stands within a statement, where it says nothing")
	                 : 0;

	while (rc == 0 && (rc = store_stmt_step(&s, err)) == 1)
		;
	store_stmt_end(&s);
	return rc;
}

/* What has to be done before; *column is the number of a column that is renamed. */
static int
before(struct store_altering *x, struct store_touched *t, const struct store_ddl *d, int *column,
       struct err *err)
{
	if (store_alter_local(x, t) == NULL)
		return 0;
	switch (d->act) {
	case STORE_DDL_RENAME_TABLE:
		return err_set(err, ERR_INVALID,
		               "%s is tracked: its name is what it travels by; make a new table",
		               t->face.table);
	case STORE_DDL_DROP_TABLE:
		return before_drop_table(x, t, err);
	case STORE_DDL_DROP_COLUMN:
		return before_drop_column(x, t, d->column, err);
	case STORE_DDL_RENAME_COLUMN:
		*column = before_rename_column(x, t, d, err);
		return *column < 0 ? *column : 0;
	case STORE_DDL_NONE:
	case STORE_DDL_CREATE_TABLE:
	case STORE_DDL_ADD_COLUMN:
	case STORE_DDL_UNIQUE_INDEX:
	case STORE_DDL_DROP_OTHER:
	case STORE_DDL_OTHER:
		break;
	}
	return 0;
}

static int
check_index(struct store_altering *x, const struct store_touched *t, struct err *err)
{
	const struct store_schema *local = store_alter_local(x, t);
	struct store_shape *shape = NULL;
	struct arena a = { 0 };
	int rc = local == NULL ? 0 : store_shape_read(x->db, t->face.table, &a, &shape, err);

	if (rc == 0 && local != NULL)
		rc = store_shape_check_rules(
		        x->db, shape, &(struct store_track_spec){ .kind = local->kind }, err);
	arena_free(&a);
	return rc;
}

static int
after(struct store_altering *x, struct store_touched *t, const struct store_ddl *d, int column,
      struct err *err)
{
	if (d->act == STORE_DDL_UNIQUE_INDEX)
		return check_index(x, t, err);
	if (d->act == STORE_DDL_DROP_TABLE) /* who says so knows that it is gone */
		return store_lost_forget(x->db, t->face.table, err);
	if (store_alter_local(x, t) == NULL)
		return 0;
	if (d->act == STORE_DDL_DROP_COLUMN)
		return store_track_dress(x->db, t->face.table, x->file->is_hub, err);
	return column > 0 ? after_rename_column(x, t, d, column, err) : 0;
}

static int
run_statement(struct store_altering *x, const char *sql, const char **tail, struct err *err)
{
	bool about_old,
	        apart; /* about columns that the file itself may have added; about no table */
	struct store_touched *t = NULL;
	struct store_ddl d;
	int column = 0, rc;

	store_ddl_read(sql, &d);
	about_old = d.act == STORE_DDL_RENAME_COLUMN || d.act == STORE_DDL_DROP_COLUMN;
	apart = d.act == STORE_DDL_OTHER || d.act == STORE_DDL_DROP_OTHER;
	rc = check_statement(x, &d, err);
	if (rc == 0 && about_old)
		rc = refresh(x, err);
	if (rc == 0 && !apart)
		rc = store_alter_touch(x, d.table, &t, err);
	x->out->others += apart || d.act == STORE_DDL_UNIQUE_INDEX;
	if (rc == 0 && t != NULL)
		rc = before(x, t, &d, &column, err);
	if (rc == 0)
		rc = execute(x, sql, tail, err);
	return rc == 0 && t != NULL ? after(x, t, &d, column, err) : rc;
}

static int
run_words(struct store_altering *x, const char *words, size_t len, struct err *err)
{
	struct buf line = { 0 };
	int rc;

	buf_put(&line, words, len);
	rc = buf_check(&line, err);
	if (rc == 0)
		rc = x->file->obey(x->file->ctx, x->db, buf_str(&line), err);
	buf_free(&line);
	return rc;
}

/* An error says where in the file. */
static int
say_where(struct store_altering *x, const char *at, struct err *err)
{
	int line = 1;

	for (const char *p = x->file->sql; p < at; p++)
		line += *p == '\n';
	return err_wrap(err, "line %d", line);
}

static int
run_all(struct store_altering *x, struct err *err)
{
	const char *at = x->file->sql, *begin, *words;
	size_t len;
	int rc = 0;

	while (rc == 0) {
		int said = store_ddl_skip(&at, &words, &len);

		begin = said == 1 ? words : at;
		if (said == 1)
			rc = run_words(x, words, len, err);
		else if (*at == 0)
			return 0;
		else if (*at == ';')
			at++;
		else
			rc = run_statement(x, at, &at, err);
	}
	return say_where(x, begin, err);
}

int
store_alter_run(struct store_db *db, const struct store_alter_file *file, struct store_alter *out,
                struct err *err)
{
	struct store_altering x = { .db = db, .file = file, .out = out };
	int rc;

	assert(store_db_in_transaction(db));
	*out = (struct store_alter){ 0 };
	rc = refresh(&x, err);
	if (rc == 0)
		rc = store_stmt_int(db, "SELECT max(id) FROM yz_schema", 0, &x.last_schema, err);
	if (rc == 0)
		rc = run_all(&x, err);
	if (rc == 0)
		rc = refresh(&x, err);
	for (struct store_alter_table **at = &out->tables; rc == 0 && *at != NULL;) {
		rc = store_alter_look(&x, (struct store_touched *)*at, err);
		if ((*at)->is_new && (*at)->is_gone) /* it never was */
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
	return rc;
}

void
store_alter_free(struct store_alter *alter)
{
	arena_free(&alter->arena);
}
