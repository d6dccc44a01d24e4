/* store/archive.c - the rows of yz_archive (store/archive.h). */
#include "store/archive.h"
#include "store/stmt.h"

int
store_archive_put(struct store_db *db, const struct store_archive_row *row, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT OR IGNORE INTO yz_archive(branch, no, at_ms, bounds,"
	                           " commit_id) VALUES (?, ?, ?, ?, ?)");
	int rc;

	store_stmt_put_text(&s, row->branch);
	store_stmt_put_int(&s, row->no);
	store_stmt_put_int(&s, row->at_ms);
	store_stmt_put_blob(&s, row->bounds, row->bounds_len);
	store_stmt_put_text(&s, row->commit);
	rc = store_stmt_run(&s, err);
	if (rc == 0 && store_stmt_changes(db) == 0)
		return err_set(err, ERR_INVALID, "%s has a commit number %lld already", row->branch,
		               (long long)row->no);
	return rc;
}

static int
get_row(struct store_stmt *s, struct arena *a, struct store_archive_row *row, struct err *err)
{
	const uint8_t *bytes;

	row->branch = store_stmt_copy_text(s, a);
	row->no = store_stmt_get_int(s);
	row->at_ms = store_stmt_get_int(s);
	bytes = store_stmt_get_blob(s, &row->bounds_len);
	row->bounds = arena_copy(a, bytes, row->bounds_len);
	row->commit = store_stmt_copy_text(s, a);
	if (row->branch == NULL || row->bounds == NULL || row->commit == NULL)
		return err_set(err, ERR_NOMEM, "archive: out of memory");
	return 0;
}

static int
count_rows(struct store_db *db, const char *branch, size_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT count(*) FROM yz_archive WHERE branch = coalesce(?, branch)");
	int rc;

	if (branch == NULL)
		store_stmt_put_null(&s);
	else
		store_stmt_put_text(&s, branch);
	rc = store_stmt_step(&s, err);
	*count = rc == 1 ? (size_t)store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_archive_list(struct store_db *db, const char *branch, struct arena *a,
                   struct store_archive_row **rows, size_t *count, struct err *err)
{
	struct store_stmt s;
	size_t room;
	int rc;

	*count = 0;
	if ((rc = count_rows(db, branch, &room, err)) < 0)
		return rc;
	*rows = arena_take(a, room, sizeof **rows);
	if (*rows == NULL)
		return err_set(err, ERR_NOMEM, "archive: out of memory");
	s = store_stmt_new(db, "SELECT branch, no, at_ms, bounds, commit_id FROM yz_archive"
	                       " WHERE branch = coalesce(?, branch) ORDER BY branch, no LIMIT ?");
	if (branch == NULL)
		store_stmt_put_null(&s);
	else
		store_stmt_put_text(&s, branch);
	store_stmt_put_int(&s, (int64_t)room); /* another process may have added one since */
	while ((rc = store_stmt_step(&s, err)) == 1) {
		rc = get_row(&s, a, &(*rows)[(*count)++], err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	return rc;
}
