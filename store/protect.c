/*
 * store/protect.c - an SQLite authorizer: asked while a statement is compiled,
 * about each table it would write.
 *
 * Triggers are asked about as well, with their name.  Ours, yz_<table>_..., write
 * the log; nobody else can make one of such a name here, so a person's trigger
 * has no more rights than the person.
 */
#include "store/protect.h"
#include "store/base/text.h"
#include "store/db_priv.h"

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
