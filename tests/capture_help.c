#include "tests/capture_help.h"

#include "store/base/text.h"
#include "store/batch.h"
#include "store/stmt.h"

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct store_db *capture_local, *capture_merge;
struct err capture_err;

static char dir[64];

const char *
capture_path(const char *name)
{
	static char path[4][128];
	static unsigned turn;
	char *out = path[turn++ % 4];

	snprintf(out, sizeof path[0], "%s/%s", dir, name);
	return out;
}

/* The call must succeed; its error's words else. */
static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%d: %s", rc, capture_err.msg);
}

void
capture_open(void)
{
	snprintf(dir, sizeof dir, "/tmp/yizhan-capture-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	must(store_db_create(capture_path("x.db"), env_real(), &capture_err));
	must(store_db_open(capture_path("x.db"), STORE_LOCAL, env_real(), &capture_local,
	                   &capture_err));
	must(store_db_open(capture_path("x.db"), STORE_MERGE, env_real(), &capture_merge,
	                   &capture_err));
	/* What is on disk after a power cut is not what is tried here. */
	must(store_db_exec(capture_local, "PRAGMA synchronous=OFF", &capture_err));
	must(store_db_exec(capture_merge, "PRAGMA synchronous=OFF", &capture_err));
}

void
capture_close(void)
{
	static const char *const names[] = {
		"x.db", "x.db-wal", "x.db-shm", "sql", "answer", "y.db"
	};

	store_db_close(capture_merge);
	store_db_close(capture_local);
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(capture_path(names[i]));
	rmdir(dir);
}

void
capture_exec(const char *sql)
{
	must(store_db_exec(capture_local, sql, &capture_err));
}

static void
put_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void
get_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "r");
	size_t len;

	ck_assert_msg(file != NULL, "the foreign writer left no answer");
	len = fread(buf_grow(out, 512), 1, 512, file);
	out->len = len;
	fclose(file);
}

static void
write_foreign(const char *sql, struct buf *words)
{
	int status = -1;
	pid_t child;

	ck_assert_msg(access("/usr/bin/python3", X_OK) == 0,
	              "/usr/bin/python3 is missing: no foreign writer was tried");
	put_file(capture_path("sql"), sql);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		execl("/usr/bin/python3", "python3", "-S", "tests/foreign_writer.py",
		      capture_path("x.db"), capture_path("sql"), capture_path("answer"),
		      (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(status == 0, "the foreign writer ended with %d", status);
	get_file(capture_path("answer"), words);
}

void
capture_write(bool foreign, const char *sql, struct buf *words)
{
	if (foreign) {
		write_foreign(sql, words);
		return;
	}
	if (store_db_exec(capture_local, sql, &capture_err) < 0)
		buf_printf(words, "%s", capture_err.msg);
}

int
capture_try_track(const struct store_track_spec *spec, bool is_hub)
{
	int rc;

	must(store_db_begin(capture_merge, &capture_err));
	rc = store_track_table(capture_merge, spec, is_hub, &capture_err);
	if (rc == 0)
		must(store_db_commit(capture_merge, &capture_err));
	else
		store_db_rollback(capture_merge);
	return rc;
}

/* A row as its log says it is, stamped anew in every cell. */
static struct store_row *
sealed_row(struct store_batch *batch, const struct store_log_row *log, struct arena *a)
{
	struct store_row *row = arena_take(a, 1, sizeof *row);
	unsigned count = log->schema->column_count;

	ck_assert_ptr_nonnull(row);
	row->table = log->schema->table_id;
	row->key = log->key;
	row->key_len = log->key_len;
	must(store_catalog_scope(capture_merge, "all", &row->scope, &capture_err));
	must(batch->get(batch, &row, 1, a, &capture_err));
	row->cl += log->present != (row->cl % 2 == 1);
	row->stamp = STORE_STAMP(log->at_ms, log->seq);
	row->site = 1;
	row->schema = log->present ? log->schema->id : 0;
	row->cells = arena_take(a, count, sizeof *row->cells);
	ck_assert_ptr_nonnull(row->cells);
	row->cell_count = 0;
	for (unsigned i = 0; log->present && i < count; i++)
		if (log->schema->columns[i].key == 0)
			row->cells[row->cell_count++] =
			        (struct store_cell){ .column = log->schema->columns[i].id,
				                     .site = 1,
				                     .stamp = row->stamp,
				                     .value = log->values[i] };
	row->changed = true;
	row->in_table = log->present;
	return row;
}

void
capture_seal(void)
{
	static const uint8_t node[STORE_NODE_ID] = { 1 }, epoch[STORE_EPOCH] = { 1 };
	struct store_batch *batch = store_batch_sqlite_new(capture_merge);
	struct store_log_taken log;
	struct arena a = { 0 };
	int site;

	must(store_db_begin(capture_merge, &capture_err));
	must(store_catalog_site(capture_merge, node, epoch, &site, &capture_err));
	ck_assert_int_eq(site, 1);
	must(store_log_take(capture_merge, 0, &a, &log, &capture_err));
	for (size_t i = 0; i < log.count; i++) {
		struct store_row *row = sealed_row(batch, &log.rows[i], &a);

		must(batch->put(batch, &row, 1, &capture_err));
	}
	must(store_db_commit(capture_merge, &capture_err));
	store_batch_sqlite_free(batch);
	arena_free(&a);
}

void
capture_track(const struct store_track_spec *spec, bool is_hub)
{
	must(capture_try_track(spec, is_hub));
	capture_seal();
}

void
capture_refresh(void)
{
	must(store_db_begin(capture_merge, &capture_err));
	must(store_track_refresh(capture_merge, false, &capture_err));
	must(store_db_commit(capture_merge, &capture_err));
}

static void
put_value(struct buf *out, const struct store_value *v)
{
	char *hex;

	switch (v->type) {
	case STORE_INT:
		buf_printf(out, "%" PRId64, v->num.i);
		return;
	case STORE_REAL:
		buf_printf(out, "%#.17g", v->num.r);
		return;
	case STORE_TEXT:
		buf_printf(out, "'%.*s'", (int)v->len, (const char *)v->bytes);
		return;
	case STORE_BLOB:
		hex = calloc(2, v->len + 1);
		ck_assert_ptr_nonnull(hex);
		text_hex(hex, v->bytes, v->len);
		buf_printf(out, "x'%s'", hex);
		free(hex);
		return;
	case STORE_NULL:
		break;
	}
	buf_printf(out, "NULL");
}

static void
put_row(struct buf *out, const struct store_log_row *row)
{
	struct rd key = rd_from(row->key, row->key_len);

	buf_printf(out, "%s ", row->schema->table);
	for (unsigned k = 0; k < row->schema->key_count; k++) {
		struct store_value v = store_value_read(&key);

		buf_printf(out, "%s", k > 0 ? "/" : "");
		put_value(out, &v);
	}
	ck_assert(rd_done(&key));
	buf_printf(out, row->inserted ? " insert" : row->present ? " update" : " delete");
	if (row->inserted && !row->present)
		buf_printf(out, " gone");
	for (unsigned i = 0; row->present && i < row->schema->column_count; i++) {
		if ((row->mask >> i & 1) == 0)
			continue;
		buf_printf(out, " %s=", row->schema->columns[i].name);
		put_value(out, &row->values[i]);
	}
	for (size_t i = 0; i < row->kept_count; i++) {
		buf_printf(out, " kept %s=", row->schema->columns[row->kept[i].column].name);
		put_value(out, &row->kept[i].value);
	}
	buf_printf(out, "\n");
}

void
capture_take(size_t max, bool *more, struct buf *out)
{
	struct store_log_taken log;
	struct arena a = { 0 };

	must(store_db_begin(capture_merge, &capture_err));
	must(store_log_take(capture_merge, max, &a, &log, &capture_err));
	*more = log.more;
	for (size_t i = 0; i < log.count; i++) {
		ck_assert_msg(i == 0 || log.rows[i].seq > log.rows[i - 1].seq, "rows out of order");
		ck_assert_int_gt(log.rows[i].at_ms, 1577836800000); /* 2020 */
		put_row(out, &log.rows[i]);
	}
	must(store_db_commit(capture_merge, &capture_err));
	arena_free(&a);
}

int64_t
capture_int(const char *sql)
{
	int64_t value;

	must(store_stmt_int(capture_local, sql, -1, &value, &capture_err));
	return value;
}
