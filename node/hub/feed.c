/*
 * node/hub/feed.c - lines and pages (what of a row is told: node/hub/feed_row.h).
 *
 * hub_feed keeps the parts of a line, with the catalogue's numbers for names
 * that repeat; the line is put together at each reading, always in the same way.
 * Whether a row is as it was is seen by its last line here: versions alone move
 * often (two sites write the same value), and that is nothing to tell.
 */
#include "node/hub/feed.h"

#include "node/facility/personal.h"
#include "node/hub/feed_row.h"
#include "node/hub/hub_schema.h"
#include "store/base/hash.h"
#include "store/base/json.h"
#include "store/base/mutant.h"
#include "store/base/text.h"

#include <stdio.h>
#include <string.h>

enum { HASH = 8, UNIT_ID = 17 };
enum { UPSERT = 1, DELETE = 2 }; /* on disk */

struct mark {
	int64_t seq;
	uint8_t hash[HASH];
};

struct line {
	const char *unit;
	int op;
	int64_t at_ms;
	const char *facility; /* NULL if the scope is no facility's */
	int site;
	const char *table;
	const char *key;        /* JSON */
	const char *after;      /* JSON; "null" */
	int scope_no, table_no; /* the catalogue's numbers; not told */
};

/* ---------------------------------------------------------------- a line */

static void
put_raw(struct json *j, const char *name, const char *json)
{
	json_name(j, name);
	buf_put(j->out, json, strlen(json));
	j->follows = true;
}

/* All of a line but its beginning, {"seq":"..." */
static void
put_line(struct buf *out, struct store_db *db, const struct line *line)
{
	const struct store_site *site = store_catalog_site_of(db, line->site);
	char name[2 * (STORE_NODE_ID + STORE_EPOCH) + 2];
	struct json j = { .out = out, .follows = true };

	text_hex(name, site->node, STORE_NODE_ID);
	name[(size_t)2 * STORE_NODE_ID] = '-';
	text_hex(name + (size_t)2 * STORE_NODE_ID + 1, site->epoch, STORE_EPOCH);
	json_name(&j, "unit");
	json_text(&j, line->unit);
	json_name(&j, "op");
	json_text(&j, line->op == UPSERT ? "upsert" : "delete");
	json_name(&j, "at");
	json_time(&j, line->at_ms);
	json_name(&j, "facility");
	json_text(&j, line->facility);
	json_name(&j, "site");
	json_text(&j, name);
	json_name(&j, "table");
	json_text(&j, line->table);
	put_raw(&j, "key", line->key);
	put_raw(&j, "after", line->after);
	buf_put(out, "}\n", 2);
}

static int
next_hash(struct store_db *db, struct mark *mark, const struct line *line, struct err *err)
{
	struct buf bytes = { 0 };
	uint8_t all[HASH_16];
	int rc;

	buf_put(&bytes, mark->hash, HASH);
	put_line(&bytes, db, line);
	rc = buf_check(&bytes, err);
	if (rc == 0)
		hash_once(all, sizeof all, bytes.bytes, bytes.len);
	if (rc == 0)
		memcpy(mark->hash, all, HASH);
	buf_free(&bytes);
	return rc;
}

/* ---------------------------------------------------------------- writing */

/* What a unit's lines have in common, and where the feed ends. */
struct appending {
	struct store_db *db;
	char unit[UNIT_ID];
	int64_t at_ms;
	int site;
	struct mark end;
};

static int
last_mark(struct store_db *db, struct mark *mark, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT seq, hash FROM hub_feed ORDER BY seq DESC LIMIT 1");
	int rc;

	memset(mark, 0, sizeof *mark);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		const uint8_t *hash;
		size_t len;

		mark->seq = store_stmt_get_int(&s);
		hash = store_stmt_get_blob(&s, &len);
		if (len == HASH)
			memcpy(mark->hash, hash, HASH);
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* Is this what the row's last line said?  1, or 0; a row never told of counts as deleted. */
static int
is_told(struct store_db *db, const struct line *line, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT op, scope, after FROM hub_feed WHERE tbl = ? AND key = ?"
	                           " ORDER BY seq DESC LIMIT 1");
	int rc;

	store_stmt_put_int(&s, line->table_no);
	store_stmt_put_text(&s, line->key);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		rc = store_stmt_get_int(&s) == line->op &&
		     (line->op == DELETE || (store_stmt_get_int(&s) == line->scope_no &&
		                             strcmp(store_stmt_get_text(&s), line->after) == 0));
	else if (rc == 0)
		rc = line->op == DELETE;
	store_stmt_end(&s);
	return rc;
}

static int
insert(struct appending *ap, const struct line *line, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        ap->db, "INSERT INTO hub_feed(seq, unit, op, at_ms, scope, facility, site, tbl,"
	                " key, after, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	store_stmt_put_int(&s, ap->end.seq);
	store_stmt_put_text(&s, line->unit);
	store_stmt_put_int(&s, line->op);
	store_stmt_put_int(&s, line->at_ms);
	store_stmt_put_int(&s, line->scope_no);
	if (line->facility == NULL)
		store_stmt_put_null(&s);
	else
		store_stmt_put_text(&s, line->facility);
	store_stmt_put_int(&s, line->site);
	store_stmt_put_int(&s, line->table_no);
	store_stmt_put_text(&s, line->key);
	store_stmt_put_text(&s, line->after);
	store_stmt_put_blob(&s, ap->end.hash, HASH);
	return store_stmt_run(&s, err);
}

static int
append_line(struct appending *ap, const struct store_row *row, struct line *line, struct err *err)
{
	const char *scope = store_catalog_scope_of(ap->db, line->scope_no);
	int rc = 0;

	/* a row that the clock had never heard of can't have been told of */
	if (row->known || line->op == DELETE)
		rc = is_told(ap->db, line, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	line->unit = ap->unit;
	line->at_ms = ap->at_ms;
	line->site = ap->site;
	line->facility = strncmp(scope, "f/", 2) == 0 ? scope + 2 : NULL;
	ap->end.seq++;
	rc = next_hash(ap->db, &ap->end, line, err);
	return rc == 0 ? insert(ap, line, err) : rc;
}

/* What the row is in that scope: `op`, and all of it unless that is DELETE. */
static int
append_row(struct appending *ap, const struct store_row *row, int scope, int op, struct err *err)
{
	const struct store_table *table = store_catalog_table(ap->db, row->table);
	const struct store_schema *s = table->local;
	struct buf key = { 0 }, after = { 0 };
	struct line line = {
		.op = op, .table = table->name, .scope_no = scope, .table_no = row->table
	};
	int rc;

	if (s == NULL && row->schema != 0)
		s = store_catalog_schema(ap->db, row->schema);
	if (store_schema_stays(table->name) ||
	    strcmp(store_catalog_scope_of(ap->db, scope), "hub") == 0)
		return 0;
	feed_row_key(&key, row);
	if (line.op == UPSERT && s != NULL)
		feed_row_after(&after, s, table, row);
	else
		buf_printf(&after, "null");
	line.key = buf_str(&key);
	line.after = buf_str(&after);
	rc = buf_check(&key, err);
	if (rc == 0)
		rc = buf_check(&after, err);
	if (rc == 0)
		rc = append_line(ap, row, &line, err);
	buf_free(&key);
	buf_free(&after);
	return rc;
}

/* One name for all lines of a unit, the same at every hub: hash of site, scope, first record. */
static void
name_unit(struct appending *ap, const struct sync_unit *unit)
{
	const struct store_site *site = store_catalog_site_of(ap->db, unit->site);
	const char *scope = store_catalog_scope_of(ap->db, unit->scope);
	uint8_t first[8], all[HASH_16];
	struct hash h;

	for (int i = 0; i < 8; i++)
		first[i] = (uint8_t)(unit->first >> (56 - 8 * i));
	hash_start(&h, sizeof all);
	hash_add(&h, site->node, STORE_NODE_ID);
	hash_add(&h, site->epoch, STORE_EPOCH);
	hash_add(&h, first, sizeof first);
	hash_add(&h, scope, strlen(scope));
	hash_end(&h, all);
	text_hex(ap->unit, all, (UNIT_ID - 1) / 2);
}

int
feed_append(struct store_db *db, const struct sync_unit *unit, int64_t at_ms, struct err *err)
{
	struct appending ap = { .db = db, .at_ms = at_ms, .site = unit->site };
	int rc;

	rc = last_mark(db, &ap.end, err);
	if (rc < 0)
		return rc;
	name_unit(&ap, unit);
	for (size_t i = 0; rc == 0 && i < unit->count; i++) {
		const struct store_row *row = unit->rows[i];

		if (unit->left != 0) /* who reads that scope has it no more */
			rc = append_row(&ap, row, unit->left, DELETE, err);
		if (rc == 0)
			rc = append_row(&ap, row, row->scope,
			                store_row_is_live(row) ? UPSERT : DELETE, err);
	}
	return rc < 0 ? err_wrap(err, "feed") : 0;
}

int
feed_last(struct store_db *db, int64_t *seq, struct err *err)
{
	struct mark mark;
	int rc = last_mark(db, &mark, err);

	*seq = mark.seq;
	return rc;
}

/* ---------------------------------------------------------------- cursors */

static void
cursor_text(char out[FEED_CURSOR], const uint8_t epoch[STORE_EPOCH], const struct mark *mark)
{
	uint8_t bytes[STORE_EPOCH + 8 + HASH];

	memcpy(bytes, epoch, STORE_EPOCH);
	for (int i = 0; i < 8; i++)
		bytes[STORE_EPOCH + i] = (uint8_t)((uint64_t)mark->seq >> (56 - 8 * i));
	memcpy(bytes + STORE_EPOCH + 8, mark->hash, HASH);
	text_hex(out, bytes, sizeof bytes);
}

/* Does the feed have this line, with this hash?  1 or 0. */
static int
is_ours(struct store_db *db, const struct mark *mark, struct err *err)
{
	static const uint8_t zero[HASH];
	struct store_stmt s;
	int rc;

	if (MUT(113))
		return 1;
	if (mark->seq == 0)
		return memcmp(mark->hash, zero, HASH) == 0;
	s = store_stmt_new(db, "SELECT hash FROM hub_feed WHERE seq = ?");
	store_stmt_put_int(&s, mark->seq);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		size_t len;
		const uint8_t *hash = store_stmt_get_blob(&s, &len);

		rc = len == HASH && memcmp(hash, mark->hash, HASH) == 0;
	}
	store_stmt_end(&s);
	return rc;
}

static int
read_cursor(struct store_db *db, const char *text, const uint8_t epoch[STORE_EPOCH],
            struct mark *mark, struct err *err)
{
	uint8_t bytes[STORE_EPOCH + 8 + HASH] = { 0 };
	struct rd r = rd_from(bytes + STORE_EPOCH, 8);
	int rc = 0;

	memset(mark, 0, sizeof *mark);
	if (text == NULL || text[0] == 0)
		return 0;
	if (!text_unhex(bytes, sizeof bytes, text))
		return err_set(err, ERR_INVALID,
		               "since: this isn't a cursor; take it from a line's seq or a "
		               "page's next");
	mark->seq = (int64_t)rd_u64(&r);
	memcpy(mark->hash, bytes + STORE_EPOCH + 8, HASH);
	if (memcmp(bytes, epoch, STORE_EPOCH) == 0 && mark->seq >= 0)
		rc = is_ours(db, mark, err);
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND,
		               "since: this cursor is of another life of this hub's feed; fetch "
		               "/v1/snapshot.sqlite.zst and read on from its Yz-Cursor");
	return rc < 0 ? rc : 0;
}

int
feed_seek(struct store_db *db, const char *cursor, int64_t *seq, struct err *err)
{
	struct store_site self;
	struct mark mark = { 0 };
	int rc = store_meta_self(db, &self, err);

	if (rc == 0)
		rc = read_cursor(db, cursor, self.epoch, &mark, err);
	*seq = mark.seq;
	return rc;
}

/* ---------------------------------------------------------------- pages */

struct paging {
	struct store_db *db;
	const struct feed_query *query;
	struct buf *out;
	uint8_t epoch[STORE_EPOCH];
	size_t from; /* where the page begins in out */
	struct mark at;
	char unit[UNIT_ID];
	int64_t lines, scanned;
	bool more;
	struct buf narrow; /* a row without its personal columns */
};

bool
feed_shows(const struct token *token, const char *only, const char *scope, const char *table)
{
	/* an earlier program may have told of what stays */
	return !store_schema_stays(table) && token_reads_scope(token, scope) &&
	       token_reads_table(token, table) && (only == NULL || strcmp(only, scope) == 0);
}

static bool
is_full(const struct paging *p)
{
	return p->lines >= p->query->limit || p->scanned >= FEED_SCAN_MAX ||
	       p->out->len - p->from >= FEED_PAGE_BYTES;
}

/* The row as a token without the right to personal columns reads it. */
static void
leave_out_personal(struct paging *p, struct line *line)
{
	const char *const *names = facility_personal(line->table);

	if (names == NULL)
		return;
	buf_clear(&p->narrow);
	feed_row_without(&p->narrow, line->after, names);
	p->out->bad |= p->narrow.bad;
	line->after = buf_str(&p->narrow);
}

/* Take one row of hub_feed; false, with nothing taken, if the page ends before it. */
static bool
take_row(struct paging *p, struct store_stmt *s)
{
	char cursor[FEED_CURSOR];
	struct mark mark = { .seq = store_stmt_get_int(s) };
	struct line line = { .unit = store_stmt_get_text(s) };
	const struct store_table *table;
	const char *scope;
	const uint8_t *hash;
	size_t len;

	if (strcmp(line.unit, p->unit) != 0 && is_full(p))
		return false;
	line.op = (int)store_stmt_get_int(s);
	line.at_ms = store_stmt_get_int(s);
	scope = store_catalog_scope_of(p->db, (int)store_stmt_get_int(s));
	line.facility = store_stmt_get_text(s);
	if (line.facility[0] == 0)
		line.facility = NULL;
	line.site = (int)store_stmt_get_int(s);
	table = store_catalog_table(p->db, (int)store_stmt_get_int(s));
	line.table = table->name;
	line.key = store_stmt_get_text(s);
	line.after = store_stmt_get_text(s);
	hash = store_stmt_get_blob(s, &len);
	if (len == HASH)
		memcpy(mark.hash, hash, HASH);
	p->at = mark;
	p->scanned++;
	text_copy(p->unit, sizeof p->unit, line.unit);
	if (!feed_shows(p->query->token, p->query->scope, scope, line.table))
		return true;
	if (!p->query->token->personal)
		leave_out_personal(p, &line);
	p->lines++;
	cursor_text(cursor, p->epoch, &mark);
	if (p->query->form == FEED_EVENTS)
		buf_printf(p->out, "id: %s\ndata: ", cursor);
	buf_put(p->out, "{\"seq\":\"", 8);
	buf_put(p->out, cursor, FEED_CURSOR - 1);
	buf_u8(p->out, '"');
	put_line(p->out, p->db, &line); /* JSON has no line breaks but the one at its end */
	if (p->query->form == FEED_EVENTS)
		buf_u8(p->out, '\n');
	return true;
}

static int
read_rows(struct paging *p, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        p->db, "SELECT seq, unit, op, at_ms, scope, facility, site, tbl, key, after, hash"
	               " FROM hub_feed WHERE seq > ? ORDER BY seq");
	int rc = 0;

	store_stmt_put_int(&s, p->at.seq);
	while (!p->more && (rc = store_stmt_step(&s, err)) == 1)
		p->more = !take_row(p, &s);
	store_stmt_end(&s);
	return p->more || rc >= 0 ? 0 : rc;
}

static void
put_end(struct paging *p, const struct feed_end *end)
{
	if (p->query->form == FEED_NDJSON)
		buf_printf(p->out, "{\"next\":\"%s\",\"more\":%s}\n", end->next,
		           end->more ? "true" : "false");
	else if (end->lines == 0)
		buf_printf(p->out, ":\nid: %s\n\n", end->next);
}

static int
read_page(struct paging *p, struct feed_end *end, struct err *err)
{
	struct store_site self;
	int rc;

	rc = store_meta_self(p->db, &self, err);
	if (rc < 0)
		return rc;
	memcpy(p->epoch, self.epoch, STORE_EPOCH);
	rc = read_cursor(p->db, p->query->since, p->epoch, &p->at, err);
	if (rc == 0)
		rc = read_rows(p, err);
	if (rc < 0)
		return rc;
	*end = (struct feed_end){ .lines = p->lines, .more = p->more };
	cursor_text(end->next, p->epoch, &p->at);
	put_end(p, end);
	return buf_check(p->out, err);
}

int
feed_page(struct store_db *db, const struct feed_query *query, struct buf *out,
          struct feed_end *end, struct err *err)
{
	struct paging p = { .db = db, .query = query, .out = out, .from = out->len };
	struct hub_work work;
	int rc;

	rc = hub_work_begin(&work, db, err);
	if (rc < 0)
		return rc;
	rc = hub_work_end(&work, read_page(&p, end, err), err);
	buf_free(&p.narrow);
	return rc;
}

int
feed_cursor(struct store_db *db, char cursor[FEED_CURSOR], struct err *err)
{
	struct store_site self;
	struct mark mark;
	int rc = store_meta_self(db, &self, err);

	if (rc == 0)
		rc = last_mark(db, &mark, err);
	if (rc == 0)
		cursor_text(cursor, self.epoch, &mark);
	return rc;
}

int
feed_scopes(struct store_db *db, int64_t *seq, void (*tell)(void *ctx, const char *scope),
            void *ctx, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT max(seq), scope FROM hub_feed WHERE seq > ? GROUP BY scope");
	struct hub_work work;
	int rc = hub_work_begin(&work, db, err);

	if (rc < 0) {
		store_stmt_end(&s);
		return rc;
	}
	store_stmt_put_int(&s, *seq);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		int64_t newest = store_stmt_get_int(&s);

		tell(ctx, store_catalog_scope_of(db, (int)store_stmt_get_int(&s)));
		*seq = newest > *seq ? newest : *seq;
	}
	store_stmt_end(&s);
	return hub_work_end(&work, rc, err);
}
