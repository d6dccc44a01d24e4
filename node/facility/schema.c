#include "node/facility/schema.h"
#include "node/facility/assets_priv.h"

#include "store/stmt.h"

#include <string.h>
#include <strings.h>

/* The line before the one at `at`; NULL if that is the first. */
static const char *
line_before(const char *start, const char *at)
{
	if (at == start)
		return NULL;
	for (at--; at > start && at[-1] != '\n';)
		at--;
	return at;
}

/* SQLite keeps what stands within a CREATE and drops what stands before it. */
void
facility_schema_heading(struct buf *out, const char *table)
{
	static const char comment[] = "--";
	const char *start = facility_asset_schema, *at = start, *from;
	struct buf create = { 0 };

	if (table == NULL) {
		while (strncmp(at, comment, 2) == 0)
			at = strchr(at, '\n') + 1;
		buf_put(out, start, (size_t)(at - start));
		return;
	}
	buf_printf(&create, "\nCREATE TABLE %s(", table);
	at = create.bad ? NULL : strstr(start, buf_str(&create));
	buf_free(&create);
	if (at == NULL)
		return;
	at++;
	from = at;
	for (const char *line = at; (line = line_before(start, line)) != NULL;) {
		if (strncmp(line, comment, 2) != 0)
			break;
		from = line;
	}
	buf_put(out, from, (size_t)(at - from));
}

/* Does `text` say, somewhere, `what` and then this name, whole? */
static bool
says(const char *text, const char *what, const char *name)
{
	size_t what_len = strlen(what), name_len = strlen(name);

	while ((text = strstr(text, what)) != NULL) {
		text += what_len;
		if (strncasecmp(text, name, name_len) == 0 &&
		    strchr("( \n", text[name_len]) != NULL)
			return true;
	}
	return false;
}

bool
facility_owns(const char *name)
{
	return says(facility_asset_schema, "CREATE TABLE ", name) ||
	       says(facility_asset_views, "CREATE VIEW ", name);
}

int
facility_schema_create(struct store_db *db, struct err *err)
{
	int64_t there;
	int rc;

	rc = store_stmt_int(
	        db, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'facility'",
	        0, &there, err);
	if (rc < 0 || there > 0)
		return rc;
	rc = store_db_exec(db, facility_asset_schema, err);
	if (rc == 0)
		rc = store_db_exec(db, facility_asset_views, err);
	return rc < 0 ? err_wrap(err, "facility schema") : 0;
}

int
facility_seed(struct store_db *db, struct err *err)
{
	static const char *const seeds[] = { facility_asset_codes, facility_asset_norms,
		                             facility_asset_vaccines, facility_asset_growth };

	for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
		int rc = store_db_exec(db, seeds[i], err);

		if (rc < 0)
			return err_wrap(err, "catalogue seeds");
	}
	return 0;
}
