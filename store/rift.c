#include "store/rift.h"
#include "store/print.h"
#include "store/stmt.h"

#include <string.h>

enum { WEEK_MS = 7 * 86400000 };

static int64_t
now_ms(const struct store_db *db)
{
	return env_wall_ms(store_db_env(db));
}

static void
put_place(struct store_stmt *s, const struct store_place *place)
{
	store_stmt_put_text(s, place->table);
	store_stmt_put_blob(s, place->key, place->key_len);
}

/* What is known of a range that still differs is what the latest look has found. */
static int
drop_same(struct store_db *db, const struct store_rift *rift, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "DELETE FROM yz_rift WHERE scope = ? AND from_tbl = ? AND from_key IS ? AND"
	            " until_tbl = ? AND until_key IS ? AND mended_ms IS NULL");

	store_stmt_put_int(&s, rift->scope);
	put_place(&s, &rift->range.from);
	put_place(&s, &rift->range.until);
	return store_stmt_run(&s, err);
}

static int
insert(struct store_db *db, const struct store_rift *rift, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db,
	        "INSERT INTO yz_rift(scope, from_tbl, from_key, until_tbl, until_key, rows_here,"
	        " rows_there, cause, between_sum, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	store_stmt_put_int(&s, rift->scope);
	put_place(&s, &rift->range.from);
	put_place(&s, &rift->range.until);
	store_stmt_put_int(&s, rift->rows_here);
	store_stmt_put_int(&s, rift->rows_there);
	store_stmt_put_text(&s, rift->cause);
	store_stmt_put_blob(&s, rift->between, STORE_TERM);
	store_stmt_put_int(&s, now_ms(db));
	return store_stmt_run(&s, err);
}

int
store_rift_add(struct store_db *db, const struct store_rift *rift, struct err *err)
{
	int rc = drop_same(db, rift, err);

	return rc == 0 ? insert(db, rift, err) : rc;
}

int
store_rift_close(struct store_db *db, int scope, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE yz_rift SET mended_ms = ? WHERE scope = ? AND mended_ms IS NULL");

	store_stmt_put_int(&s, now_ms(db));
	store_stmt_put_int(&s, scope);
	return store_stmt_run(&s, err);
}

int
store_rift_known(struct store_db *db, int scope, const uint8_t between[STORE_TERM], bool *known,
                 struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT 1 FROM yz_rift WHERE scope = ?"
	                                         " AND between_sum = ? AND mended_ms IS NULL"
	                                         " AND at_ms > ? LIMIT 1");
	int rc;

	store_stmt_put_int(&s, scope);
	store_stmt_put_blob(&s, between, STORE_TERM);
	store_stmt_put_int(&s, now_ms(db) - WEEK_MS);
	rc = store_stmt_step(&s, err);
	*known = rc == 1;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* ---- reading ---- */

static bool
get_place(struct store_stmt *s, struct arena *a, struct store_place *place)
{
	const char *table = store_stmt_get_text(s);
	const uint8_t *key;

	place->table = arena_copy(a, table, strlen(table));
	key = store_stmt_get_blob(s, &place->key_len);
	place->key = arena_copy(a, key, place->key_len);
	return place->table != NULL && place->key != NULL;
}

static int
get_rift(struct store_stmt *s, struct arena *a, struct store_rift *out, struct err *err)
{
	const char *cause;
	bool good;

	*out = (struct store_rift){ .scope = (int)store_stmt_get_int(s) };
	good = get_place(s, a, &out->range.from) && get_place(s, a, &out->range.until);
	out->rows_here = store_stmt_get_int(s);
	out->rows_there = store_stmt_get_int(s);
	cause = store_stmt_get_text(s);
	out->cause = arena_copy(a, cause, strlen(cause));
	out->at_ms = store_stmt_get_int(s);
	out->mended_ms = store_stmt_get_int(s);
	return good && out->cause != NULL ? 0 : err_set(err, ERR_NOMEM, "rifts: out of memory");
}

int
store_rift_list(struct store_db *db, struct store_rifts *rifts, struct err *err)
{
	struct store_stmt s;
	int rc = 0;

	rifts->count = 0;
	rifts->list = arena_take(rifts->arena, rifts->most, sizeof *rifts->list);
	if (rifts->list == NULL)
		return err_set(err, ERR_NOMEM, "rifts: out of memory");
	s = store_stmt_new(db, "SELECT scope, from_tbl, from_key, until_tbl, until_key, rows_here,"
	                       " rows_there, cause, at_ms, mended_ms FROM yz_rift"
	                       " WHERE NOT ? OR mended_ms IS NULL ORDER BY id DESC LIMIT ?");
	store_stmt_put_int(&s, rifts->open);
	store_stmt_put_int(&s, (int64_t)rifts->most);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		rc = get_rift(&s, rifts->arena, &rifts->list[rifts->count], err);
		if (rc < 0)
			break;
		rifts->count++;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

static void
print_place(struct buf *out, const struct store_place *place, const char *at_end)
{
	if (place->table[0] == 0) {
		buf_printf(out, "%s", at_end);
		return;
	}
	buf_printf(out, "%s ", place->table);
	store_print_key_text(out, place->key, place->key_len);
}

void
store_rift_where(struct buf *out, const struct store_range *range)
{
	if (range->from.table[0] == 0 && range->until.table[0] == 0) {
		buf_printf(out, "all tables");
		return;
	}
	buf_printf(out, "from ");
	print_place(out, &range->from, "the first row");
	buf_printf(out, " to before ");
	print_place(out, &range->until, "the end");
}
