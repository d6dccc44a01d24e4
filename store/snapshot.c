/*
 * store/snapshot.c - two connections, one row at a time.
 *
 * Not VACUUM INTO, which copies every table and column there is; not ATTACH,
 * which would need a connection to the one file that may write.  The new file
 * has no journal and isn't synced: if the process dies it is thrown away.
 */
#include "store/snapshot.h"

#include "store/columns_priv.h"
#include "store/db_priv.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_EVERY = 1024 /* rows, between two looks at `stop` */ };

struct store_snapshot {
	struct store_db *from;
	sqlite3 *to;
	const atomic_bool *stop;
};

static int
fail(struct store_snapshot *snap, int status, struct err *err)
{
	int code = store_db_code(status);

	/* the file is ours alone: whatever else is wrong with it, it can't be made */
	return err_set(err, code == ERR_NOMEM || code == ERR_FULL ? code : ERR_IO, "snapshot: %s",
	               snap->to == NULL ? sqlite3_errstr(status) : sqlite3_errmsg(snap->to));
}

static int
exec(struct store_snapshot *snap, const char *sql, struct err *err)
{
	int status = sqlite3_exec(snap->to, sql, NULL, NULL, NULL);

	return status == SQLITE_OK ? 0 : fail(snap, status, err);
}

int
store_snapshot_open(struct store_db *from, const char *path, const atomic_bool *stop,
                    struct store_snapshot **out, struct err *err)
{
	struct store_snapshot *snap = calloc(1, sizeof *snap);
	int status, rc;

	*out = NULL;
	if (snap == NULL)
		return err_set(err, ERR_NOMEM, "snapshot: out of memory");
	snap->from = from;
	snap->stop = stop;
	status = sqlite3_open_v2(path, &snap->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	rc = status == SQLITE_OK ? 0 : fail(snap, status, err);
	if (rc == 0)
		rc = exec(snap,
		          "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
		          "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-8192; BEGIN;"
		          "CREATE TABLE yz_snapshot(name TEXT NOT NULL PRIMARY KEY, value TEXT)"
		          " WITHOUT ROWID",
		          err);
	if (rc < 0) {
		store_snapshot_close(snap);
		return rc;
	}
	*out = snap;
	return 0;
}

/* The declared type, as far as it is plain words: it only has to give the same affinity. */
static void
put_type(struct buf *sql, const char *type)
{
	buf_u8(sql, ' ');
	for (; *type == ' ' || *type == '_' || (*type >= '0' && *type <= '9') ||
	       (*type >= 'A' && *type <= 'Z') || (*type >= 'a' && *type <= 'z');
	     type++)
		buf_u8(sql, (uint8_t)*type);
}

static const struct store_column_info *
find(const struct store_columns *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->list[i].name, name) == 0)
			return &c->list[i];
	return NULL;
}

/* The columns that the query gives, as a table with the same key. */
static int
make_table(struct store_snapshot *snap, const char *table, const struct store_columns *c,
           const struct store_stmt *s, struct err *err)
{
	struct buf sql = { 0 };
	int rc;

	buf_printf(&sql, "CREATE TABLE ");
	store_columns_put_name(&sql, table);
	for (int i = 0; i < store_stmt_columns(s); i++) {
		const char *name = store_stmt_column_name(s, i);
		const struct store_column_info *column = find(c, name);

		buf_printf(&sql, "%s", i == 0 ? "(" : ", ");
		store_columns_put_name(&sql, name);
		put_type(&sql, column == NULL ? "" : column->type);
		if (column != NULL && column->key > 0)
			buf_printf(&sql, " NOT NULL");
	}
	if (store_columns_put_key(&sql, ", PRIMARY KEY(", c) > 0)
		buf_printf(&sql, ")) WITHOUT ROWID");
	else
		buf_printf(&sql, ")");
	rc = buf_check(&sql, err);
	if (rc == 0)
		rc = exec(snap, buf_str(&sql), err);
	buf_free(&sql);
	return rc;
}

static int
prepare_insert(struct store_snapshot *snap, const char *table, int columns, sqlite3_stmt **insert,
               struct err *err)
{
	struct buf sql = { 0 };
	int status, rc;

	buf_printf(&sql, "INSERT INTO ");
	store_columns_put_name(&sql, table);
	for (int i = 0; i < columns; i++)
		buf_printf(&sql, "%s?", i == 0 ? " VALUES(" : ", ");
	buf_printf(&sql, ")");
	rc = buf_check(&sql, err);
	if (rc == 0) {
		status = sqlite3_prepare_v2(snap->to, buf_str(&sql), -1, insert, NULL);
		rc = status == SQLITE_OK ? 0 : fail(snap, status, err);
	}
	buf_free(&sql);
	return rc;
}

static int
copy_row(struct store_snapshot *snap, const struct store_stmt *s, sqlite3_stmt *insert,
         struct err *err)
{
	int columns = store_stmt_columns(s), status = SQLITE_OK;

	for (int i = 0; status == SQLITE_OK && i < columns; i++)
		status = sqlite3_bind_value(insert, i + 1, sqlite3_column_value(s->handle, i));
	if (status == SQLITE_OK) {
		sqlite3_step(insert);
		status = sqlite3_reset(insert); /* tells what the step came to */
	}
	return status == SQLITE_OK ? 0 : fail(snap, status, err);
}

static int
copy_rows(struct store_snapshot *snap, struct store_stmt *s, sqlite3_stmt *insert, struct err *err)
{
	int rc = 0;

	for (unsigned n = 0; rc == 0; n++) {
		if (n % LOOK_EVERY == 0 && snap->stop != NULL && atomic_load(snap->stop))
			return err_set(err, ERR_BUSY, "snapshot: stopping");
		rc = store_stmt_step(s, err);
		if (rc != 1)
			return rc;
		rc = copy_row(snap, s, insert, err);
	}
	return rc;
}

/* The table's indexes, as they were made; one of a column that isn't copied, or by a function that
 * isn't SQLite's, isn't made. */
static int
copy_indexes(struct store_snapshot *snap, const char *table, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(snap->from, "SELECT sql FROM sqlite_master WHERE type = 'index' "
	                                   "AND tbl_name = ? AND sql IS NOT NULL ORDER BY name");
	int rc;

	store_stmt_put_text(&s, table);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		int status = sqlite3_exec(snap->to, store_stmt_get_text(&s), NULL, NULL, NULL);

		if (status != SQLITE_OK && status != SQLITE_ERROR) {
			rc = fail(snap, status, err);
			break;
		}
	}
	store_stmt_end(&s);
	return rc;
}

int
store_snapshot_add(struct store_snapshot *snap, const struct store_part *part, struct err *err)
{
	sqlite3_stmt *insert = NULL;
	struct store_columns c;
	struct store_stmt s = { 0 };
	struct arena a = { 0 };
	int rc = store_columns_read(snap->from, part->table, &a, &c, err);

	if (rc == 0)
		rc = store_transfer_select(snap->from, part, &s, err);
	if (rc < 0) {
		arena_free(&a);
		return rc;
	}
	/* what doesn't compile is told at the first step */
	if (s.status == SQLITE_OK)
		rc = make_table(snap, part->table, &c, &s, err);
	if (rc == 0 && s.status == SQLITE_OK)
		rc = prepare_insert(snap, part->table, store_stmt_columns(&s), &insert, err);
	if (rc == 0)
		rc = copy_rows(snap, &s, insert, err);
	sqlite3_finalize(insert);
	store_stmt_end(&s);
	if (rc == 0)
		rc = copy_indexes(snap, part->table, err);
	arena_free(&a);
	return rc;
}

/* Does all that the view reads exist?  SQLite looks only when it is asked for. */
static int
can_be_read(struct store_snapshot *snap, const char *name, bool *can, struct err *err)
{
	struct buf sql = { 0 };
	sqlite3_stmt *try = NULL;
	int status, rc;

	buf_printf(&sql, "SELECT * FROM ");
	store_columns_put_name(&sql, name);
	rc = buf_check(&sql, err);
	if (rc == 0) {
		status = sqlite3_prepare_v2(snap->to, buf_str(&sql), -1, &try, NULL);
		*can = status == SQLITE_OK;
		rc = *can || status == SQLITE_ERROR ? 0 : fail(snap, status, err);
	}
	sqlite3_finalize(try);
	buf_free(&sql);
	return rc;
}

int
store_snapshot_view(struct store_snapshot *snap, const char *name, const char *sql, struct err *err)
{
	struct buf drop = { 0 };
	bool can = false;
	int rc = exec(snap, sql, err);

	if (rc == 0)
		rc = can_be_read(snap, name, &can, err);
	if (rc < 0 || can)
		return rc < 0 ? rc : 1;
	buf_printf(&drop, "DROP VIEW ");
	store_columns_put_name(&drop, name);
	rc = buf_check(&drop, err);
	if (rc == 0)
		rc = exec(snap, buf_str(&drop), err);
	buf_free(&drop);
	return rc;
}

int
store_snapshot_note(struct store_snapshot *snap, const char *name, const char *value,
                    struct err *err)
{
	sqlite3_stmt *insert = NULL;
	int status = sqlite3_prepare_v2(snap->to, "INSERT INTO yz_snapshot VALUES(?, ?)", -1,
	                                &insert, NULL);

	if (status == SQLITE_OK)
		status = sqlite3_bind_text(insert, 1, name, -1, SQLITE_STATIC);
	if (status == SQLITE_OK)
		status = sqlite3_bind_text(insert, 2, value, -1, SQLITE_STATIC);
	if (status == SQLITE_OK) {
		sqlite3_step(insert);
		status = sqlite3_reset(insert);
	}
	sqlite3_finalize(insert);
	return status == SQLITE_OK ? 0 : fail(snap, status, err);
}

int
store_snapshot_finish(struct store_snapshot *snap, struct err *err)
{
	return exec(snap, "COMMIT", err);
}

void
store_snapshot_close(struct store_snapshot *snap)
{
	if (snap == NULL)
		return;
	sqlite3_close(snap->to);
	free(snap);
}
