#include "node/role.h"

#include <stdio.h>
#include <string.h>

int
node_role_get(struct store_db *db, struct node_role *role, struct err *err)
{
	struct buf text = { 0 };
	int rc = store_meta_get(db, "facility", &text, err);

	*role = (struct node_role){ .is_hub = rc == ERR_NOTFOUND };
	if (rc == ERR_NOTFOUND)
		rc = 0;
	if (rc == 0 && !role->is_hub && text.len + 3 > sizeof role->scope)
		rc = err_set(err, ERR_CORRUPT, "the facility's ID in this database is too long");
	if (rc == 0 && !role->is_hub) {
		memcpy(role->facility, text.bytes, text.len);
		memcpy(role->scope, "f/", 2);
		memcpy(role->scope + 2, text.bytes, text.len);
	} else if (rc == 0) {
		memcpy(role->scope, "hub", 4);
	}
	buf_free(&text);
	return rc;
}

int
node_role_set(struct store_db *db, const char *facility, struct err *err)
{
	if (facility == NULL)
		return 0;
	return store_meta_set(db, "facility", facility, strlen(facility), err);
}
