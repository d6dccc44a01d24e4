#include "node/hub/export_log.h"

#include "node/hub/hub_schema.h"
#include "store/base/json.h"

int
export_log_add(struct store_db *db, const struct export_entry *entry, int64_t now_ms,
               struct err *err)
{
	struct hub_work work;
	struct store_stmt s;
	int rc = hub_work_begin(&work, db, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "INSERT INTO hub_export(at_ms, token, peer, what, scope, tables,"
	                       " personal, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	store_stmt_put_int(&s, now_ms);
	store_stmt_put_text(&s, entry->token->id);
	store_stmt_put_text(&s, entry->peer == NULL ? "" : entry->peer);
	store_stmt_put_text(&s, entry->what);
	store_stmt_put_text(&s, entry->scope);
	store_stmt_put_text(&s, entry->tables);
	store_stmt_put_int(&s, entry->token->personal);
	store_stmt_put_int(&s, (int64_t)entry->bytes);
	return hub_work_end(&work, store_stmt_run(&s, err), err);
}

static void
put_text(struct json *j, const char *name, struct store_stmt *s)
{
	json_name(j, name);
	json_text(j, store_stmt_get_text(s));
}

static void
put_entry(struct json *j, struct store_stmt *s)
{
	json_object(j);
	json_name(j, "at");
	json_time(j, store_stmt_get_int(s));
	put_text(j, "token", s);
	put_text(j, "peer", s);
	put_text(j, "what", s);
	put_text(j, "scope", s);
	put_text(j, "tables", s);
	json_name(j, "personal");
	json_bool(j, store_stmt_get_int(s) != 0);
	json_name(j, "bytes");
	json_int(j, store_stmt_get_int(s));
	json_end_object(j);
}

int
export_log_json(struct store_db *db, int64_t limit, struct buf *out, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT at_ms, token, peer, what, scope, tables, personal, bytes"
	                           " FROM hub_export ORDER BY no DESC LIMIT ?");
	struct json j = json_to(out);
	int rc;

	store_stmt_put_int(&s, limit);
	json_array(&j);
	while ((rc = store_stmt_step(&s, err)) == 1)
		put_entry(&j, &s);
	json_end_array(&j);
	buf_u8(out, '\n');
	store_stmt_end(&s);
	return rc < 0 ? rc : buf_check(out, err);
}
