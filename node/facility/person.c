#include "node/facility/person.h"
#include "store/inspect.h"
#include "store/stmt.h"

int
facility_person_name(struct store_db *db, const struct store_value *id, struct buf *out,
                     struct err *err)
{
	struct store_stmt s;
	int rc = id->type != STORE_BLOB ? 0 : store_inspect_has_column(db, "staff", "name", err);

	if (rc <= 0)
		return rc;
	s = store_stmt_new(db, "SELECT name FROM staff WHERE id = ?");
	store_stmt_put_value(&s, id);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		buf_printf(out, "%s", store_stmt_get_text(&s));
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}
