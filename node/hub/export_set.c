#include "node/hub/export_set.h"

#include "node/hub/extract.h"
#include "node/hub/spool.h"
#include "node/room.h"
#include "store/base/hash.h"
#include "store/base/rd.h"
#include "store/base/text.h"
#include "store/table_text.h"
#include "sync/codec/pack_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRAILER = 8, INDEX_MAX = 16 << 20 };

/* Those that differ by what is asked for are only found by name, so they must not be taken for one
 * of all rows; and they are each token's own, so that who asks often throws out only its own. */
enum kind { KIND_ALL, KIND_SOME, KINDS };

static int
terms_of(const struct kept_place *of, const struct token *token, enum kind kind,
         char terms[KEPT_TERMS], struct err *err)
{
	char name[32 + TOKEN_ID];

	snprintf(name, sizeof name,
	         kind == KIND_ALL ? "yizhan-export-1" : "yizhan-export-some-1 %s", token->id);
	return kept_terms(of, token, name, terms, err);
}

/* ---- making one ---- */

struct making {
	const struct kept_place *of;
	const struct export_ask *ask;
	struct kept *made;
	struct buf index;
	uint64_t parts;
	struct arena arena;
	/* with a cursor: what is being written of a table */
	const char *table;
	struct spool rows, gone;
};

/* What was spooled becomes the next part; nothing if it is no row. */
static int
add_part(struct making *m, const char *table, bool gone, struct spool *sp, struct err *err)
{
	struct sync_pack_file pack = { .from = sp->fd, .to = m->made->fd, .stop = m->of->stop };
	int rc = spool_flush(sp, true, err);

	if (rc < 0 || sp->rows == 0)
		return rc;
	rc = room_for(m->of->dir, "an export", (int64_t)sp->len, err); /* packed it is less */
	if (rc == 0)
		rc = sync_pack_file(&pack, err);
	if (rc < 0)
		return rc;
	m->parts++;
	buf_lenbytes(&m->index, table, strlen(table));
	buf_u8(&m->index, gone);
	buf_varint(&m->index, sp->rows);
	buf_varint(&m->index, m->made->len);
	buf_varint(&m->index, pack.len);
	buf_put(&m->index, pack.sha256, sizeof pack.sha256);
	m->made->len += pack.len;
	return buf_check(&m->index, err);
}

/* spool_rows() */
static int
put_row(void *ctx, struct store_stmt *s, struct buf *out, struct err *err)
{
	(void)ctx;
	(void)err; /* a row that doesn't fit into memory is told by the buffer */
	store_table_row(out, s, STORE_TABLE_NDJSON);
	return 0;
}

static int
add_table(struct making *m, const struct store_table *table, struct err *err)
{
	struct store_stmt s;
	struct extract x;
	struct spool sp;
	int rc;

	if (!extract_of(m->ask->token, table, m->ask->scope, &x))
		return 0;
	rc = spool_open(&sp, m->of, err);
	if (rc == 0)
		rc = store_transfer_select(m->of->db, &x.part, &s, err);
	if (rc == 0) {
		rc = spool_rows(&sp, &s, put_row, NULL, err);
		store_stmt_end(&s);
	}
	if (rc == 0)
		rc = add_part(m, table->name, false, &sp, err);
	spool_close(&sp);
	return rc;
}

struct named {
	const struct store_table *table;
};

static int
by_name(const void *a, const void *b)
{
	const struct named *one = a, *two = b;

	return strcmp(one->table->name, two->table->name);
}

static int
add_tables(struct making *m, struct err *err)
{
	int count = store_catalog_table_count(m->of->db), rc = 0;
	struct named *all = arena_take(&m->arena, (size_t)count, sizeof *all);

	if (all == NULL)
		return err_set(err, ERR_NOMEM, "export: out of memory");
	for (int i = 0; i < count; i++)
		all[i].table = store_catalog_table(m->of->db, i + 1);
	qsort(all, (size_t)count, sizeof *all, by_name);
	for (int i = 0; rc == 0 && i < count; i++)
		rc = add_table(m, all[i].table, err);
	return rc;
}

/* ---- what has changed ---- */

static int
end_table(struct making *m, struct err *err)
{
	int rc = m->table == NULL ? 0 : add_part(m, m->table, false, &m->rows, err);

	if (rc == 0 && m->table != NULL)
		rc = add_part(m, m->table, true, &m->gone, err);
	spool_close(&m->rows);
	spool_close(&m->gone);
	m->table = NULL;
	return rc;
}

static int
begin_table(struct making *m, const char *table, struct err *err)
{
	int rc = end_table(m, err);

	m->table = table; /* the catalogue's */
	if (rc == 0)
		rc = spool_open(&m->rows, m->of, err);
	return rc == 0 ? spool_open(&m->gone, m->of, err) : rc;
}

/* feed_latest() */
static int
add_change(void *ctx, const struct feed_latest *row, struct err *err)
{
	struct making *m = ctx;
	struct spool *sp;
	int rc = 0;

	if (m->table == NULL || strcmp(m->table, row->table) != 0)
		rc = begin_table(m, row->table, err);
	if (rc < 0)
		return rc;
	sp = row->gone ? &m->gone : &m->rows;
	if (row->gone)
		buf_printf(&sp->out, "{\"key\":%s}\n", row->key);
	else
		buf_printf(&sp->out, "%s\n", row->after);
	sp->rows++;
	if (m->of->stop != NULL && atomic_load(m->of->stop))
		return err_set(err, ERR_BUSY, "export: stopping");
	return spool_flush(sp, false, err);
}

static int
add_changes(struct making *m, struct err *err)
{
	struct feed_query query = { .since = m->ask->since,
		                    .token = m->ask->token,
		                    .scope = m->ask->scope };
	int rc = feed_latest(m->of->db, &query, add_change, m, err);

	if (rc == 0)
		return end_table(m, err);
	spool_close(&m->rows);
	spool_close(&m->gone);
	return rc;
}

/* ---- the file ---- */

/* Everything in one transaction: cursor and rows are of the same moment. */
static int
add_all(struct making *m, struct err *err)
{
	int rc = store_db_begin(m->of->db, err);

	if (rc < 0)
		return rc;
	rc = feed_cursor(m->of->db, m->made->cursor, err);
	if (rc == 0)
		rc = m->ask->since != NULL ? add_changes(m, err) : add_tables(m, err);
	store_db_rollback(m->of->db);
	return rc;
}

static int
write_index(struct making *m, struct err *err)
{
	struct buf whole = { 0 };
	uint8_t etag[HASH_16];
	struct hash h;
	int rc;

	buf_varint(&whole, m->parts);
	buf_put(&whole, m->index.bytes, m->index.len);
	hash_sha256(m->made->sha256, whole.bytes, whole.len);
	hash_start(&h, sizeof etag);
	hash_add(&h, m->made->cursor, strlen(m->made->cursor));
	hash_add(&h, whole.bytes, whole.len);
	hash_end(&h, etag);
	text_hex(m->made->etag, etag, sizeof etag);
	buf_u64(&whole, whole.len);
	rc = buf_check(&whole, err);
	errno = ENOSPC; /* what a short write says without a word */
	if (rc == 0 && write(m->made->fd, whole.bytes, whole.len) != (ssize_t)whole.len)
		rc = err_set(err, err_of_system(errno), "export: %s", strerror(errno));
	m->made->len += whole.len;
	buf_free(&whole);
	return rc;
}

static int
make(const struct kept_place *of, const struct export_ask *ask, const char *terms,
     struct kept *made, struct err *err)
{
	struct making m = {
		.of = of, .ask = ask, .made = made, .rows = { .fd = -1 }, .gone = { .fd = -1 }
	};
	char folder[KEPT_FOLDER], path[KEPT_PATH];
	int rc = kept_folder(of, folder, sizeof folder, err);

	*made = (struct kept){ .made_ms = env_wall_ms(of->env), .fd = -1 };
	if (rc < 0)
		return rc;
	kept_path(path, folder, "new-export.zst");
	made->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (made->fd < 0)
		return err_set(err, err_of_system(errno), "%s: %s", path, strerror(errno));
	rc = add_all(&m, err);
	if (rc == 0)
		rc = write_index(&m, err);
	if (rc == 0 && m.parts > 0)
		rc = kept_keep(of, terms, path, made, err);
	if (rc < 0 || m.parts == 0)
		unlink(path); /* nobody asks for a part of nothing */
	buf_free(&m.index);
	arena_free(&m.arena);
	return rc;
}

/* ---- reading one ---- */

static int
no_export(struct err *err)
{
	return err_set(err, ERR_CORRUPT, "export: a kept file isn't as it was written");
}

static void
read_part(struct rd *r, struct arena *a, struct export_part *p)
{
	size_t len;
	const uint8_t *name = rd_lenbytes(r, &len), *sum;

	p->table = name == NULL ? NULL : arena_copy(a, name, len);
	p->gone = rd_u8(r) != 0;
	p->rows = rd_varint(r);
	p->offset = rd_varint(r);
	p->len = rd_varint(r);
	sum = rd_bytes(r, sizeof p->sha256);
	if (sum != NULL)
		memcpy(p->sha256, sum, sizeof p->sha256);
}

static int
read_parts(struct export_set *set, const uint8_t *index, size_t len, struct err *err)
{
	struct rd r = rd_from(index, len);
	uint8_t sum[KEPT_SHA256];
	uint64_t count = rd_varint(&r);

	hash_sha256(sum, index, len);
	if (memcmp(sum, set->file.sha256, sizeof sum) != 0 || count > len)
		return no_export(err);
	set->parts = arena_take(&set->arena, (size_t)count, sizeof *set->parts);
	for (; set->parts != NULL && !r.bad && set->count < count; set->count++)
		read_part(&r, &set->arena, &set->parts[set->count]);
	if (set->arena.spent)
		return err_set(err, ERR_NOMEM, "export: out of memory");
	return rd_done(&r) ? 0 : no_export(err);
}

static int
read_index(struct export_set *set, struct err *err)
{
	const struct kept *file = &set->file;
	uint8_t trailer[TRAILER] = { 0 }, *index;
	struct rd r = rd_from(trailer, sizeof trailer);
	uint64_t len;

	if (file->len < TRAILER ||
	    pread(file->fd, trailer, TRAILER, (off_t)(file->len - TRAILER)) != TRAILER)
		return no_export(err);
	len = rd_u64(&r);
	if (len > INDEX_MAX || len > file->len - TRAILER)
		return no_export(err);
	index = arena_take(&set->arena, (size_t)len, 1);
	if (index == NULL)
		return err_set(err, ERR_NOMEM, "export: out of memory");
	if (pread(file->fd, index, (size_t)len, (off_t)(file->len - TRAILER - len)) != (ssize_t)len)
		return no_export(err);
	return read_parts(set, index, (size_t)len, err);
}

/* ---- giving one out ---- */

int
export_set_get(const struct kept_place *of, const struct export_ask *ask, struct export_set *set,
               struct err *err)
{
	enum kind kind = ask->since == NULL && ask->scope == NULL ? KIND_ALL : KIND_SOME;
	char terms[KEPT_TERMS];
	int rc;

	*set = (struct export_set){ .file = { .fd = -1 } };
	rc = terms_of(of, ask->token, kind, terms, err);
	if (rc == 0 && kind == KIND_ALL)
		rc = kept_find(of, terms, NULL, &set->file, err);
	if (rc == 1) {
		rc = read_index(set, err);
		if (rc != ERR_CORRUPT)
			return rc;
		export_set_close(set); /* a new one takes its place */
		*set = (struct export_set){ .file = { .fd = -1 } };
		rc = 0;
	}
	if (rc == 0)
		rc = kept_tidy(of, terms, err);
	if (rc == 0)
		rc = make(of, ask, terms, &set->file, err);
	return rc < 0 ? rc : read_index(set, err);
}

int
export_set_find(const struct kept_place *of, const struct token *token, const char *etag,
                struct export_set *set, struct err *err)
{
	char terms[KEPT_TERMS];
	int rc = 0;

	*set = (struct export_set){ .file = { .fd = -1 } };
	for (int kind = 0; rc == 0 && kind < KINDS; kind++) {
		rc = terms_of(of, token, (enum kind)kind, terms, err);
		if (rc == 0)
			rc = kept_find(of, terms, etag, &set->file, err);
	}
	if (rc == 1 && read_index(set, err) < 0)
		rc = err->code;
	return rc;
}

const struct export_part *
export_set_part(const struct export_set *set, const char *table, bool gone)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->parts[i].gone == gone && strcmp(set->parts[i].table, table) == 0)
			return &set->parts[i];
	return NULL;
}

void
export_set_close(struct export_set *set)
{
	if (set->file.fd >= 0)
		close(set->file.fd);
	set->file.fd = -1;
	arena_free(&set->arena);
}
