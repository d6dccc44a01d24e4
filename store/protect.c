/*
 * store/protect.c - an SQLite authorizer: asked while a statement is compiled,
 * about each table it would write.
 *
 * Of ALTER it hears the table and not what is altered, and adding a column is
 * everybody's right: so what drops and renames is known by its first words, as it
 * is in a schema file.
 *
 * Triggers are asked about as well, with their name.  Ours, yz_<table>_..., write
 * the log; nobody else can make one of such a name here, so a person's trigger
 * has no more rights than the person.
 */
#include "store/protect.h"
#include "store/base/text.h"
#include "store/db_priv.h"
#include "store/ddl_priv.h"
#include "store/stmt.h"

#include <string.h>
#include <strings.h>

static bool
is_engines(const char *name)
{
	return name != NULL &&
	       (strncasecmp(name, "yz_", 3) == 0 || strncasecmp(name, "hub_", 4) == 0);
}

/* The table, or the trigger of our kind of name, that the action would change; NULL if it changes
 * none. */
static const char *
changed_by(int action, const char *first, const char *second)
{
	switch (action) {
	case SQLITE_INSERT:
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
		return strcasecmp(first, "yz_verdict") == 0 ? NULL : first;
	case SQLITE_CREATE_TABLE:
	case SQLITE_CREATE_TEMP_TABLE:
	case SQLITE_CREATE_VIEW:
	case SQLITE_CREATE_TEMP_VIEW:
	case SQLITE_CREATE_VTABLE:
	case SQLITE_DROP_TABLE:
	case SQLITE_DROP_VIEW:
		return first;
	case SQLITE_CREATE_TRIGGER:
	case SQLITE_CREATE_TEMP_TRIGGER:
		return is_engines(first) ? first : second;
	case SQLITE_CREATE_INDEX:
	case SQLITE_CREATE_TEMP_INDEX:
	case SQLITE_DROP_INDEX:
	case SQLITE_ALTER_TABLE:
		return second;
	default:
		return NULL;
	}
}

/* The authorizer; `trigger` is the one whose body this is, NULL for the statement itself. */
static int
/* NOLINTNEXTLINE(readability-function-size): the library's parameters */
may(void *ctx, int action, const char *first, const char *second, const char *schema,
    const char *trigger)
{
	struct store_db *db = ctx;
	const char *changed = changed_by(action, first, second);

	(void)schema;
	if (!is_engines(changed) || is_engines(trigger))
		return SQLITE_OK;
	text_copy(db->refused, sizeof db->refused, changed);
	return SQLITE_DENY;
}

void
store_protect_engine(struct store_db *db)
{
	sqlite3_set_authorizer(db->handle, may, db);
	/* no writable_schema, which would be a way around */
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
}

/* ---- what others count on ---- */

static int
is_tracked(struct store_db *db, const char *table, bool *yes, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT 1 FROM yz_table WHERE schema IS NOT NULL"
	                                         " AND name = ? COLLATE NOCASE");
	int rc;

	store_stmt_put_text(&s, table);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	*yes = rc == 1;
	return rc < 0 ? rc : 0;
}

int
store_protect_check(struct store_db *db, const char *sql, bool (*is_fixed)(const char *name),
                    struct err *err)
{
	bool tracked = false;
	struct store_ddl d;
	const char *name;
	int rc;

	store_ddl_read(sql, &d);
	if (!store_ddl_takes_away(d.act))
		return 0;
	name = d.table[0] != 0 ? d.table : d.object;
	if (d.act == STORE_DDL_DROP_OTHER && is_engines(name))
		return err_set(err, ERR_INVALID,
		               "%s is yizhan's own and stays; nothing was written, change your own "
		               "tables",
		               name);
	if (is_fixed != NULL && is_fixed(name))
		return err_set(err, ERR_INVALID,
		               "the program itself uses %s, and what it has keeps its names; "
		               "nothing was written, columns may be added",
		               name);
	rc = d.act == STORE_DDL_DROP_OTHER ? 0 : is_tracked(db, name, &tracked, err);
	if (rc < 0 || !tracked)
		return rc;
	return err_set(err, ERR_INVALID,
	               "%s is tracked, and what it holds is not of this file alone; nothing was "
	               "written, drop and rename with yizhan schema apply FILE",
	               name);
}
