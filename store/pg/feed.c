/* store/pg/feed.c - appending lines under a part's head, and reading them. */
#include "store/pg/feed.h"

#include "store/base/hash.h"
#include "store/pg/call_priv.h"

#include <assert.h>
#include <string.h>

void
store_pg_feed_hash(uint8_t out[STORE_PG_FEED_HASH], const uint8_t before[STORE_PG_FEED_HASH],
                   const void *line, size_t len)
{
	uint8_t all[HASH_16];
	struct hash h;

	hash_start(&h, sizeof all);
	hash_add(&h, before, STORE_PG_FEED_HASH);
	hash_add(&h, line, len);
	hash_end(&h, all);
	memcpy(out, all, STORE_PG_FEED_HASH);
}

/* Some megabytes a statement, whatever the lines are. */
enum { LINES = 1000, BYTES = 4 << 20 };

static size_t
fitting(const struct store_pg_line *lines, size_t count)
{
	size_t n = 0, bytes = 0;

	while (n < count && n < LINES && (n == 0 || bytes + lines[n].len <= BYTES))
		bytes += lines[n++].len;
	return n;
}

static int
insert(struct store_pg *pg, int part, const struct store_pg_line *lines, size_t count,
       struct err *err)
{
	struct store_pg_call c = store_pg_call(
	        pg, "INSERT INTO yz_feed(part, n, scope, unit, line, hash)"
	            " SELECT $1, u.n, u.scope, u.unit, u.line, u.hash"
	            " FROM unnest($2::int8[], $3::int4[], $4::bytea[], $5::bytea[], $6::bytea[])"
	            " AS u(n, scope, unit, line, hash)");
	struct buf *n, *scope, *unit, *line, *hash;
	int rc;

	store_pg_put_int4(&c, part);
	n = store_pg_put_array(&c, STORE_PG_INT8, count);
	scope = store_pg_put_array(&c, STORE_PG_INT4, count);
	unit = store_pg_put_array(&c, STORE_PG_BYTEA, count);
	line = store_pg_put_array(&c, STORE_PG_BYTEA, count);
	hash = store_pg_put_array(&c, STORE_PG_BYTEA, count);
	for (size_t i = 0; i < count; i++) {
		store_pg_item_int8(n, lines[i].n);
		store_pg_item_int4(scope, lines[i].scope);
		store_pg_item_bytes(unit, lines[i].unit, STORE_PG_UNIT);
		store_pg_item_bytes(line, lines[i].bytes, lines[i].len);
		store_pg_item_bytes(hash, lines[i].hash, STORE_PG_FEED_HASH);
	}
	rc = store_pg_run(&c, err);
	return rc < 0 ? rc : 0;
}

int
store_pg_feed_append(struct store_pg *pg, int part, struct store_pg_line *lines, size_t count,
                     struct err *err)
{
	struct store_pg_head *head = store_pg_head(pg, part);
	int rc = 0;

	assert(head != NULL);
	for (size_t i = 0; i < count; i++) {
		lines[i].n = head->next++;
		store_pg_feed_hash(head->feed_hash, head->feed_hash, lines[i].bytes, lines[i].len);
		memcpy(lines[i].hash, head->feed_hash, STORE_PG_FEED_HASH);
	}
	for (size_t i = 0, n; rc == 0 && i < count; i += n) {
		n = fitting(lines + i, count - i);
		rc = insert(pg, part, lines + i, n, err);
	}
	return rc;
}

static int
take_line(const struct store_pg_call *c, int row, int64_t n, struct store_pg_line *line,
          struct arena *a, struct err *err)
{
	const uint8_t *bytes = store_pg_get_bytes(c, row, 3, &line->len);
	int rc;

	line->n = store_pg_get_int8(c, row, 0);
	if (line->n != n)
		return err_set(err, ERR_CORRUPT, "postgres: the feed has no line %lld",
		               (long long)n);
	line->scope = store_pg_get_int4(c, row, 1);
	line->bytes = arena_copy(a, bytes, line->len);
	if (line->bytes == NULL)
		return err_set(err, ERR_NOMEM, "postgres: feed: out of memory");
	rc = store_pg_get_exactly(c, row, 2, line->unit, STORE_PG_UNIT, err);
	if (rc == 0)
		rc = store_pg_get_exactly(c, row, 4, line->hash, STORE_PG_FEED_HASH, err);
	return rc;
}

int
store_pg_feed_read(struct store_pg *pg, struct store_pg_page *page, struct arena *a,
                   struct err *err)
{
	struct store_pg_call c =
	        store_pg_call(pg, "SELECT n, scope, unit, line, hash FROM yz_feed"
	                          " WHERE part = $1 AND n > $2 ORDER BY n LIMIT $3");
	int rc, rows;

	page->count = 0;
	store_pg_put_int4(&c, page->part);
	store_pg_put_int8(&c, page->after);
	store_pg_put_int8(&c, page->limit);
	rc = rows = store_pg_ask(&c, err);
	page->lines = arena_take(a, rows > 0 ? (size_t)rows : 0, sizeof *page->lines);
	if (rc >= 0 && page->lines == NULL)
		rc = err_set(err, ERR_NOMEM, "postgres: feed: out of memory");
	for (int row = 0; rc >= 0 && row < rows; row++)
		rc = take_line(&c, row, page->after + 1 + row, &page->lines[row], a, err);
	store_pg_call_end(&c);
	if (rc < 0)
		return rc;
	page->count = (size_t)rows;
	return 0;
}
