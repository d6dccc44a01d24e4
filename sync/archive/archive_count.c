/*
 * sync/archive/archive_count.c - the line a person reads: "41 attendance, 49 health
 * checks, 6 growth", most first.
 *
 * It is decoration: where a segment can't be opened the records are counted and
 * not named, and the proof goes on.
 */
#include "sync/archive/archive_priv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES_MAX = 256, NAMED_MAX = 6 };

struct tally {
	const char *table; /* NULL: erased since */
	uint64_t count;
};

struct count {
	struct tally tables[TABLES_MAX];
	size_t used;
	uint64_t others; /* not named */
};

static void
add(struct count *c, const char *table)
{
	size_t i = 0;

	while (i < c->used && c->tables[i].table != table &&
	       (table == NULL || c->tables[i].table == NULL ||
	        strcmp(c->tables[i].table, table) != 0))
		i++;
	if (i == TABLES_MAX) {
		c->others++;
		return;
	}
	c->used += i == c->used;
	c->tables[i].table = table;
	c->tables[i].count++;
}

static void
add_records(struct count *c, const struct sync_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (records[i].type == SYNC_CHANGE)
			add(c, records[i].change.schema->table);
		else if (records[i].type == SYNC_REDACTED)
			add(c, NULL);
}

/* Count the records *n .. end of one segment and go behind it. */
static int
count_segment(struct count *c, struct sync_archive_schemas *of, uint64_t *n, uint64_t end,
              struct err *err)
{
	struct sync_codec_schemas schemas = sync_archive_schemas_of(of);
	struct arena stored = { 0 }, opened = { .limit = SYNC_ARENA_MAX };
	struct sync_record *records;
	struct store_segment seg;
	size_t count;
	uint64_t last;
	int rc;

	rc = store_segment_at(of->db, of->stream, *n, &stored, &seg, err);
	if (rc < 0)
		goto out;
	last = seg.last < end ? seg.last : end;
	if (seg.first <= *n &&
	    sync_segment_open(&seg, &schemas, &opened, &records, &count, err) == 0)
		add_records(c, records + (*n - seg.first), (size_t)(last + 1 - *n));
	else
		c->others += last + 1 - *n;
	*n = last + 1;
out:
	arena_free(&opened);
	arena_free(&stored);
	return rc;
}

static int
most_first(const void *a, const void *b)
{
	const struct tally *left = a, *right = b;

	if (left->count != right->count)
		return left->count < right->count ? 1 : -1;
	if (left->table == NULL || right->table == NULL)
		return (left->table == NULL) - (right->table == NULL);
	return strcmp(left->table, right->table);
}

static const char *
label_of(const struct sync_archive_job *job, const char *table)
{
	const char *label = NULL;

	if (table == NULL)
		return "erased";
	if (job->label != NULL)
		label = job->label(job->label_ctx, table);
	return label != NULL ? label : table;
}

static void
put_line(struct buf *out, const struct sync_archive_job *job, const struct count *c)
{
	size_t named = c->used < NAMED_MAX ? c->used : NAMED_MAX;
	uint64_t others = c->others;

	for (size_t i = 0; i < named; i++)
		buf_printf(out, "%s%llu %s", i == 0 ? "" : ", ",
		           (unsigned long long)c->tables[i].count,
		           label_of(job, c->tables[i].table));
	for (size_t i = named; i < c->used; i++)
		others += c->tables[i].count;
	if (named == 0)
		buf_printf(out, "%llu records", (unsigned long long)others);
	else if (others > 0)
		buf_printf(out, ", %llu others", (unsigned long long)others);
}

int
sync_archive_count(struct store_db *db, const struct sync_archive_job *job, const int *streams,
                   const struct sync_archive_entry *entry, struct buf *out, struct err *err)
{
	struct count *c = calloc(1, sizeof *c);
	size_t start = out->len;
	int rc = 0;

	if (c == NULL)
		return err_set(err, ERR_NOMEM, "archive: out of memory");
	for (size_t i = 0; i < entry->bound_count && rc == 0; i++) {
		struct sync_archive_schemas of = { .db = db, .stream = streams[i] };
		uint64_t n = entry->bounds[i].before + 1, end = entry->bounds[i].n;

		while (n <= end && rc == 0)
			rc = count_segment(c, &of, &n, end, err);
	}
	qsort(c->tables, c->used, sizeof *c->tables, most_first);
	put_line(out, job, c);
	free(c);
	for (size_t i = start; i < out->len; i++)
		if (iscntrl(out->bytes[i]))
			out->bytes[i] = ' ';
	return rc < 0 ? rc : buf_check(out, err);
}
