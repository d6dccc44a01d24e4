/*
 * store/shape.c - what a table is like, and whether its replicas can agree.
 *
 * SQLite's own pragmas are asked, never the text of CREATE TABLE: whoever made
 * the table, they tell what it is now.
 *
 * Two kinds of checks.  Without the first there is nothing to capture (no key,
 * no table, too many columns): asked again at every look.  The second say that
 * two devices could write what can't be brought together (a UNIQUE column
 * besides the key): asked when a person tracks the table, because later a
 * refusal would stop the sync for a mistake that may not matter for weeks.
 */
#include "store/catalog_priv.h"
#include "store/db_priv.h"
#include "store/shape_priv.h"
#include "store/stmt.h"

#include <ctype.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "track: out of memory");
}

/* ---- defaults ---- */

/* 'text', x'00' and the like: the quoted part goes to the end. */
static bool
is_quoted(const char *text, char quote)
{
	if (*text++ != quote)
		return false;
	for (; *text != 0; text++)
		if (*text == quote && *++text != quote)
			return *text == 0;
	return false;
}

static bool
is_number(const char *text)
{
	text += *text == '-' || *text == '+';
	return isdigit((unsigned char)*text) != 0 &&
	       text[strspn(text, "0123456789abcdefABCDEFxX.+-_")] == 0;
}

static bool
is_word(const char *text)
{
	return sqlite3_stricmp(text, "null") == 0 || sqlite3_stricmp(text, "true") == 0 ||
	       sqlite3_stricmp(text, "false") == 0;
}

/* The default as a literal that stands in any SQL, NULL if it isn't a constant. */
static const char *
fallback_of(const char *text, struct arena *a)
{
	char *copy;

	if (is_number(text) || is_word(text) || is_quoted(text, '\'') ||
	    ((*text == 'x' || *text == 'X') && is_quoted(text + 1, '\'')))
		return arena_copy(a, text, strlen(text));
	/* "abc" is text to DEFAULT and a column's name elsewhere. */
	if (!is_quoted(text, '"') || strchr(text, '\'') != NULL || strstr(text, "\"\"") != NULL)
		return NULL;
	copy = arena_copy(a, text, strlen(text));
	if (copy != NULL)
		copy[0] = copy[strlen(copy) - 1] = '\'';
	return copy;
}

/* ---- reading ---- */

static int
read_column(struct store_stmt *s, struct arena *a, struct store_shape_column *c, struct err *err)
{
	const char *text = store_stmt_get_text(s);

	c->name = arena_copy(a, text, strlen(text));
	text = store_stmt_get_text(s);
	c->type = arena_copy(a, text, strlen(text));
	c->not_null = store_stmt_get_int(s) != 0;
	c->key = (unsigned)store_stmt_get_int(s);
	if (store_stmt_null(s))
		c->fallback = "NULL";
	else
		c->fallback = fallback_of(store_stmt_get_text(s), a);
	return c->name == NULL || c->type == NULL ? no_memory(err) : 0;
}

static int
read_columns(struct store_db *db, struct store_shape *shape, struct arena *a, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT name, upper(type), \"notnull\", pk, dflt_value"
	                           " FROM pragma_table_xinfo(?, 'main') WHERE hidden = 0"
	                           " ORDER BY cid");
	int rc;

	shape->columns = arena_take(a, STORE_COLUMNS_MAX, sizeof *shape->columns);
	if (shape->columns == NULL) {
		store_stmt_end(&s);
		return no_memory(err);
	}
	store_stmt_put_text(&s, shape->table);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		if (shape->count == STORE_COLUMNS_MAX)
			rc = err_set(err, ERR_INVALID,
			             "table %s has more than %d columns: split it into two tables "
			             "of the same key",
			             shape->table, STORE_COLUMNS_MAX);
		else
			rc = read_column(&s, a, &shape->columns[shape->count++], err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	return rc;
}

/* Columns that were renamed here travel by the name they had first (store_catalog_set_here). */
static int
name_travellers(struct store_db *db, struct store_shape *shape, struct arena *a, struct err *err)
{
	const struct store_table *t;

	if (store_catalog_of(db, err) == NULL)
		return err->code;
	t = store_catalog_table_by_name(db, shape->table);
	for (unsigned i = 0; i < shape->count; i++) {
		struct store_shape_column *c = &shape->columns[i];

		c->travels = c->name;
		for (unsigned k = 0; t != NULL && k < t->column_count; k++)
			if (t->here[k] != t->names[k] && strcmp(t->here[k], c->name) == 0)
				c->travels = arena_copy(a, t->names[k], strlen(t->names[k]));
		if (c->travels == NULL)
			return no_memory(err);
	}
	return 0;
}

static bool
is_sqlites(const char *table)
{
	return sqlite3_strnicmp(table, "sqlite_", 7) == 0;
}

static int
belongs(const char *table, struct err *err)
{
	return err_set(err, ERR_INVALID, "%s belongs to the engine and can't be tracked", table);
}

/*
 * Its name, kind and whether it is WITHOUT ROWID, which is when its own name is that of an index.
 * pragma_table_list would tell all three; but it first works out the columns of every view of the
 * file, and while there is one that names what isn't there any more it begins again with that one
 * as often as there are tables.  So it is asked only for what a virtual table may have made.
 */
static const char one_table[] =
        "SELECT name, CASE WHEN type = 'view' THEN 'view' WHEN rootpage = 0 THEN 'virtual'"
        " WHEN EXISTS(SELECT 1 FROM main.sqlite_schema v WHERE v.type = 'table' AND v.rootpage = 0"
        " AND lower(substr(m.name, 1, length(v.name) + 1)) = lower(v.name || '_'))"
        " THEN (SELECT l.type FROM pragma_table_list l WHERE l.schema = 'main' AND l.name = m.name)"
        " ELSE 'table' END, EXISTS(SELECT 1 FROM pragma_index_info(m.name, 'main'))"
        " FROM main.sqlite_schema m WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE";

int
store_shape_read(struct store_db *db, const char *table, struct arena *a, struct store_shape **out,
                 struct err *err)
{
	struct store_shape *shape = arena_take(a, 1, sizeof *shape);
	struct store_stmt s;
	const char *text;
	int rc;

	if (shape == NULL)
		return no_memory(err);
	s = store_stmt_new(db, one_table);
	store_stmt_put_text(&s, table);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		text = store_stmt_get_text(&s);
		shape->table = arena_copy(a, text, strlen(text));
		text = store_stmt_get_text(&s);
		shape->kind = arena_copy(a, text, strlen(text));
		shape->without_rowid = store_stmt_get_int(&s) != 0;
	}
	store_stmt_end(&s);
	if (rc < 0)
		return rc;
	if (rc == 0 && is_sqlites(table))
		return belongs(table, err);
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "there is no table %s", table);
	if (shape->table == NULL || shape->kind == NULL)
		return no_memory(err);
	*out = shape;
	rc = read_columns(db, shape, a, err);
	return rc < 0 ? rc : name_travellers(db, shape, a, err);
}

/* ---- can it be captured ---- */

/* The engine's own tables that travel like any other. */
static bool
is_ours_to_sync(const char *table)
{
	return strcmp(table, "yz_verdict") == 0 || strcmp(table, "yz_share") == 0 ||
	       strcmp(table, "yz_erased") == 0;
}

static int
check_table(const struct store_shape *shape, struct err *err)
{
	const char *t = shape->table;

	if (strcmp(shape->kind, "table") != 0)
		return err_set(err, ERR_INVALID,
		               "%s is a %s%s: only ordinary tables can be tracked", t, shape->kind,
		               strcmp(shape->kind, "view") == 0 ? "" : " table");
	if ((sqlite3_strnicmp(t, "yz_", 3) == 0 && !is_ours_to_sync(t)) || is_sqlites(t))
		return belongs(t, err);
	if (store_schema_stays(t) && !is_ours_to_sync(t))
		return err_set(
		        err, ERR_INVALID,
		        "%s stays where it is: a name with local_ or hub_ before it is of "
		        "what never travels, such as PINs and tokens; keep what is to travel "
		        "in a table with another name",
		        t);
	if (strlen(t) > STORE_NAME_MAX)
		return err_set(err, ERR_INVALID, "the name of table %.60s... is over %d bytes", t,
		               STORE_NAME_MAX);
	return 0;
}

static int
check_lengths(const struct store_shape *shape, struct err *err)
{
	for (unsigned i = 0; i < shape->count; i++) {
		const struct store_shape_column *c = &shape->columns[i];

		if (strlen(c->name) > STORE_NAME_MAX || strlen(c->type) > STORE_NAME_MAX)
			return err_set(err, ERR_INVALID,
			               "%s.%.60s: the name or type is over %d bytes", shape->table,
			               c->name, STORE_NAME_MAX);
		if (c->name[0] == 0)
			return err_set(err, ERR_INVALID, "table %s has a column without a name",
			               shape->table);
	}
	return 0;
}

static int
check_collation(struct store_db *db, const char *table, const char *column, struct err *err)
{
	const char *collation = "BINARY";
	int status = sqlite3_table_column_metadata(db->handle, "main", table, column, NULL,
	                                           &collation, NULL, NULL, NULL);

	if (status != SQLITE_OK)
		return store_db_fail(db, err, status);
	if (sqlite3_stricmp(collation, "BINARY") == 0)
		return 0;
	return err_set(
	        err, ERR_INVALID,
	        "key column %s.%s has collation %s: keys that differ only by it would be one "
	        "row here and two elsewhere; declare it without COLLATE",
	        table, column, collation);
}

/* Is this key column the rowid?  It can't be NULL, whatever the declaration says. */
static bool
is_rowid(const struct store_shape *shape, const struct store_shape_column *c, unsigned keys)
{
	return keys == 1 && !shape->without_rowid && strcmp(c->type, "INTEGER") == 0;
}

static int
check_key_column(struct store_db *db, const struct store_shape *shape,
                 const struct store_shape_column *c, unsigned keys, struct err *err)
{
	if (c->type[0] == 0 || strcmp(c->type, "ANY") == 0)
		return err_set(err, ERR_INVALID,
		               "key column %s.%s has no type: 1 and '1' would be two rows; declare "
		               "INTEGER, TEXT or BLOB",
		               shape->table, c->name);
	if (!c->not_null && !is_rowid(shape, c, keys))
		return err_set(err, ERR_INVALID,
		               "key column %s.%s may be NULL, and rows with it could never meet: "
		               "declare it NOT NULL",
		               shape->table, c->name);
	return check_collation(db, shape->table, c->name, err);
}

static int
check_key(struct store_db *db, const struct store_shape *shape, struct err *err)
{
	unsigned keys = 0;
	int rc = 0;

	for (unsigned i = 0; i < shape->count; i++)
		keys += shape->columns[i].key > 0;
	if (keys == 0)
		return err_set(err, ERR_INVALID,
		               "table %s has no PRIMARY KEY: nothing says which rows are the same",
		               shape->table);
	if (keys > STORE_KEYS_MAX)
		return err_set(err, ERR_INVALID,
		               "table %s has %u key columns; at most %d can be tracked: give it an "
		               "id of its own",
		               shape->table, keys, STORE_KEYS_MAX);
	for (unsigned i = 0; rc == 0 && i < shape->count; i++)
		if (shape->columns[i].key > 0)
			rc = check_key_column(db, shape, &shape->columns[i], keys, err);
	return rc;
}

/* PRIMARY KEY(name COLLATE NOCASE): the key's own collation, which the column doesn't show. */
static int
check_key_index(struct store_db *db, const struct store_shape *shape, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT x.name, x.coll FROM pragma_index_list(?, 'main') AS l,"
	                           " pragma_index_xinfo(l.name, 'main') AS x"
	                           " WHERE l.origin = 'pk' AND x.\"key\" AND x.coll <> 'BINARY'");
	int rc;

	store_stmt_put_text(&s, shape->table);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		const char *column = store_stmt_get_text(&s);
		const char *collation = store_stmt_get_text(&s);

		rc = err_set(err, ERR_INVALID,
		             "the key of table %s compares %s by %s: keys that differ only by it "
		             "would be one row here and two elsewhere; declare it without COLLATE",
		             shape->table, column, collation);
	}
	store_stmt_end(&s);
	return rc;
}

/* Somebody has made a column of the name by which a renamed one travels. */
static int
check_travellers(const struct store_shape *shape, struct err *err)
{
	for (unsigned i = 0; i < shape->count; i++)
		for (unsigned k = 0; k < shape->count; k++)
			if (i != k &&
			    strcmp(shape->columns[i].name, shape->columns[k].travels) == 0)
				return err_set(err, ERR_INVALID,
				               "table %s: the column %s travels as %s, so no other "
				               "can be called that; take another name",
				               shape->table, shape->columns[k].name,
				               shape->columns[i].name);
	return 0;
}

int
store_shape_check(struct store_db *db, const struct store_shape *shape, struct err *err)
{
	int rc = check_table(shape, err);

	if (rc == 0)
		rc = check_lengths(shape, err);
	if (rc == 0)
		rc = check_travellers(shape, err);
	if (rc == 0)
		rc = check_key(db, shape, err);
	if (rc == 0)
		rc = check_key_index(db, shape, err);
	return rc;
}

/* ---- would replicas agree ---- */

static int
check_encoding(struct store_db *db, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "PRAGMA encoding");
	int rc = store_stmt_step(&s, err);

	if (rc == 1) {
		const char *encoding = store_stmt_get_text(&s);

		rc = strcmp(encoding, "UTF-8") == 0
		             ? 0
		             : err_set(err, ERR_INVALID,
		                       "this database keeps text as %s, and yizhan syncs bytes: "
		                       "copy "
		                       "it into a file with PRAGMA encoding='UTF-8'",
		                       encoding);
	}
	store_stmt_end(&s);
	return rc;
}

static int
check_unique(struct store_db *db, const struct store_shape *shape, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT l.name, (SELECT group_concat(coalesce(i.name, 'an expression'), ', ')"
	            " FROM pragma_index_info(l.name, 'main') AS i)"
	            " FROM pragma_index_list(?, 'main') AS l"
	            " WHERE l.\"unique\" AND l.origin <> 'pk'");
	int rc;

	store_stmt_put_text(&s, shape->table);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		const char *index = store_stmt_get_text(&s);
		const char *columns = store_stmt_get_text(&s);

		rc = err_set(
		        err, ERR_INVALID,
		        "table %s has a UNIQUE index (%s) on %s besides its key: two devices can "
		        "each write one; put the columns in the key, or drop the index",
		        shape->table, index, columns);
	}
	store_stmt_end(&s);
	return rc;
}

static int
check_event(struct store_db *db, const struct store_shape *shape, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT \"from\", \"table\" FROM pragma_foreign_key_list(?, 'main')");
	int rc;

	store_stmt_put_text(&s, shape->table);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		const char *column = store_stmt_get_text(&s);
		const char *parent = store_stmt_get_text(&s);

		rc = err_set(
		        err, ERR_INVALID,
		        "event table %s.%s has a foreign key to %s: an event must not wait for, "
		        "or go with, another row; declare it without REFERENCES",
		        shape->table, column, parent);
	}
	store_stmt_end(&s);
	return rc;
}

int
store_shape_check_rules(struct store_db *db, const struct store_shape *shape,
                        const struct store_track_spec *spec, struct err *err)
{
	int rc = check_encoding(db, err);

	if (rc == 0)
		rc = check_unique(db, shape, err);
	if (rc == 0 && spec->kind == STORE_EVENT)
		rc = check_event(db, shape, err);
	return rc;
}
