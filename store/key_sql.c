/* store/key_sql.c - yz_key(): the canonical key of a row, for queries that join a person's table
 * with what the engine keeps of its rows. */
#include "store/base/buf.h"
#include "store/db_priv.h"
#include "store/value.h"

static struct store_value
value_of(sqlite3_value *v)
{
	switch (sqlite3_value_type(v)) {
	case SQLITE_INTEGER:
		return store_value_int(sqlite3_value_int64(v));
	case SQLITE_FLOAT:
		return store_value_real(sqlite3_value_double(v));
	case SQLITE_TEXT:
		return (struct store_value){ .type = STORE_TEXT,
			                     .bytes = sqlite3_value_text(v),
			                     .len = (size_t)sqlite3_value_bytes(v) };
	case SQLITE_BLOB:
		return store_value_blob(sqlite3_value_blob(v), (size_t)sqlite3_value_bytes(v));
	default:
		return store_value_null();
	}
}

static void
sql_yz_key(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct buf key = { 0 };

	for (int i = 0; i < argc; i++) {
		struct store_value v = value_of(argv[i]);

		store_value_write(&key, &v);
	}
	if (key.bad)
		sqlite3_result_error_nomem(ctx);
	else
		sqlite3_result_blob(ctx, key.bytes, (int)key.len, SQLITE_TRANSIENT);
	buf_free(&key);
}

int
store_key_sql_register(struct store_db *db)
{
	return sqlite3_create_function(db->handle, "yz_key", -1,
	                               SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC, NULL,
	                               sql_yz_key, NULL, NULL);
}
