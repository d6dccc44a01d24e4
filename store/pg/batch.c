/*
 * store/pg/batch.c - rows and their versions in PostgreSQL: read by their keys,
 * written over what is there.  That nobody else has written between the two is
 * the part's head (store/pg/head.h), not a condition here.
 */
#include "store/pg/batch.h"

#include "store/pg/batch_priv.h"
#include "store/pg/names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct batch {
	struct store_batch face;
	struct store_pg *pg;
};

static struct store_pg *
pg_of(struct store_batch *face)
{
	return ((struct batch *)face)->pg;
}

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "postgres: merge: out of memory");
}

/* ---- by part ---- */

/* The parts of these rows; -1 for those that are to be passed over.  NULL without memory. */
static int *
parts_of(struct store_pg *pg, struct store_row **rows, size_t count, bool changed)
{
	int *parts = calloc(count + 1, sizeof *parts);
	int scope = -1, part = -1;

	for (size_t i = 0; parts != NULL && i < count; i++) {
		if (rows[i]->scope != scope) {
			const char *name = store_pg_scope_of(pg, rows[i]->scope);

			assert(name != NULL); /* whoever made the number has registered it */
			scope = rows[i]->scope;
			part = store_pg_part_of(pg, name);
		}
		parts[i] = rows[i]->changed || !changed ? part : -1;
	}
	return parts;
}

typedef int part_work(struct store_batch *face, const struct store_pg_some *some, struct arena *a,
                      struct err *err);

/* Call `work` for the rows of each part, in the order they have; for the changed ones alone if so.
 */
static int
by_part(struct store_batch *face, const struct store_pg_some *all, bool changed, part_work *work,
        struct arena *a, struct err *err)
{
	int *parts = parts_of(pg_of(face), all->rows, all->count, changed);
	struct store_pg_some some = { .rows = calloc(all->count + 1, sizeof(struct store_row *)) };
	int rc = parts == NULL || some.rows == NULL ? no_memory(err) : 0;

	for (size_t i = 0; rc == 0 && i < all->count; i++) {
		if (parts[i] < 0)
			continue;
		some.part = parts[i];
		some.count = 0;
		for (size_t j = i; j < all->count; j++)
			if (parts[j] == some.part) {
				some.rows[some.count++] = all->rows[j];
				parts[j] = -1;
			}
		rc = work(face, &some, a, err);
	}
	free(some.rows);
	free(parts);
	return rc;
}

/* ---- get ---- */

/* Rows from `from` on that one statement looks for: they are of one table. */
static size_t
asked_at_once(const struct store_pg_some *some, size_t from)
{
	size_t n = 1;

	while (from + n < some->count && n < STORE_PG_BATCH &&
	       some->rows[from + n]->table == some->rows[from]->table)
		n++;
	return n;
}

static int
cmp_key(const void *key, const void *item)
{
	return store_row_cmp(key, *(struct store_row *const *)item);
}

/* One row of the answer, to the one that asked for its key. */
static int
take_answer(struct store_batch *face, const struct store_pg_call *c, int at,
            const struct store_pg_some *asked, struct arena *a, struct err *err)
{
	struct store_row found = { .table = asked->rows[0]->table };
	struct store_row **place;

	found.key = store_pg_get_bytes(c, at, 0, &found.key_len);
	place = bsearch(&found, asked->rows, asked->count, sizeof(struct store_row *), cmp_key);
	if (place == NULL)
		return err_set(err, ERR_CORRUPT, "postgres: a row that nobody asked for");
	return store_pg_read_row(pg_of(face), c, at, *place, a, err);
}

/*
 * One look into the key's index for each.  LIMIT keeps the planner to that: for "key = ANY", as
 * long as it has no statistics, it reads all rows of part and table instead.
 */
static int
get_some(struct store_batch *face, const struct store_pg_some *asked, struct arena *a,
         struct err *err)
{
	struct store_pg_call c = store_pg_call(
	        pg_of(face),
	        "SELECT r.key, r.scope, r.cl, r.stamp, r.site, r.schema, r.term, r.cells"
	        " FROM unnest($3::bytea[]) AS w(key) CROSS JOIN LATERAL"
	        " (SELECT key, scope, cl, stamp, site, schema, term, cells FROM yz_row"
	        " WHERE part = $1 AND tbl = $2 AND yz_row.key = w.key LIMIT 1) AS r");
	struct buf *keys;
	int rc, found;

	store_pg_put_int4(&c, asked->part);
	store_pg_put_int4(&c, asked->rows[0]->table);
	keys = store_pg_put_array(&c, STORE_PG_BYTEA, asked->count);
	for (size_t i = 0; i < asked->count; i++)
		store_pg_item_bytes(keys, asked->rows[i]->key, asked->rows[i]->key_len);
	rc = found = store_pg_ask(&c, err);
	for (int at = 0; rc >= 0 && at < found; at++)
		rc = take_answer(face, &c, at, asked, a, err);
	store_pg_call_end(&c);
	return rc < 0 ? rc : 0;
}

static int
get_part(struct store_batch *face, const struct store_pg_some *some, struct arena *a,
         struct err *err)
{
	int rc = 0;

	for (size_t i = 0, n; rc == 0 && i < some->count; i += n) {
		struct store_pg_some asked = { some->rows + i, 0, some->part };

		n = asked.count = asked_at_once(some, i);
		rc = get_some(face, &asked, a, err);
	}
	return rc;
}

static int
get_rows(struct store_batch *face, struct store_row **rows, size_t count, struct arena *a,
         struct err *err)
{
	const struct store_pg_some all = { rows, count, 0 };

	return by_part(face, &all, false, get_part, a, err);
}

/* ---- put ---- */

static int
put_part(struct store_batch *face, const struct store_pg_some *some, struct arena *a,
         struct err *err)
{
	(void)a;
	assert(store_pg_head(pg_of(face), some->part) != NULL);
	return store_pg_write_rows(face, pg_of(face), some, err);
}

static int
put_rows(struct store_batch *face, struct store_row **rows, size_t count, struct err *err)
{
	const struct store_pg_some all = { rows, count, 0 };

	return by_part(face, &all, true, put_part, NULL, err);
}

/* ---- the rest of the face ---- */

static const struct store_site *
site_name(struct store_batch *face, int site)
{
	const struct store_site *name = store_pg_site_of(pg_of(face), site);

	assert(name != NULL);
	return name;
}

static int
site_cmp(struct store_batch *face, int site_a, int site_b)
{
	const struct store_site *left = site_name(face, site_a), *right = site_name(face, site_b);
	int order = memcmp(left->node, right->node, STORE_NODE_ID);

	return order != 0 ? order : memcmp(left->epoch, right->epoch, STORE_EPOCH);
}

static const struct store_table *
table(struct store_batch *face, int id)
{
	const struct store_table *t = store_pg_table_of(pg_of(face), id);

	assert(t != NULL);
	return t;
}

static const struct store_schema *
schema(struct store_batch *face, int id)
{
	return store_pg_schema_of(pg_of(face), id);
}

struct store_batch *
store_pg_batch_new(struct store_pg *pg)
{
	struct batch *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->pg = pg;
	b->face = (struct store_batch){
		.get = get_rows,
		.put = put_rows,
		.site_cmp = site_cmp,
		.site_name = site_name,
		.table = table,
		.schema = schema,
	};
	return &b->face;
}

void
store_pg_batch_free(struct store_batch *face)
{
	free(face);
}
