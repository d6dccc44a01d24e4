#include "node/facility/schema.h"
#include "node/facility/assets_priv.h"

#include "store/stmt.h"

#include <string.h>
#include <strings.h>

void
facility_schema_text(struct buf *out)
{
	buf_put(out, facility_asset_schema, strlen(facility_asset_schema));
	buf_u8(out, '\n');
	buf_put(out, facility_asset_views, strlen(facility_asset_views));
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
