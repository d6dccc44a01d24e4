/* store/pg/head.c - parts, and their heads while a transaction holds them. */
#include "store/base/hash.h"
#include "store/base/rd.h"
#include "store/pg/call_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int
store_pg_parts(const struct store_pg *pg)
{
	return pg->facility_parts + 2;
}

int
store_pg_part_of(const struct store_pg *pg, const char *scope)
{
	uint8_t hash[HASH_16];
	struct rd r;

	if (strncmp(scope, "s/", 2) == 0)
		return pg->facility_parts;
	if (strncmp(scope, "f/", 2) != 0)
		return pg->facility_parts + 1;
	hash_once(hash, sizeof hash, scope, strlen(scope));
	r = rd_from(hash, sizeof hash);
	return (int)(rd_u64(&r) % (uint64_t)pg->facility_parts);
}

/* ---- taking ---- */

/* The UPDATE changes nothing: it is the lock, and gives what the last holder has left. */
static int
take_one(struct store_pg *pg, int part, struct err *err)
{
	struct store_pg_call c =
	        store_pg_call(pg, "UPDATE yz_part_head SET next = next WHERE part = $1"
	                          " RETURNING next, feed_hash, last_stamp, hub_n, hub_head, epoch");
	struct store_pg_head *head = &pg->heads[pg->head_count];
	int rc;

	*head = (struct store_pg_head){ .part = part };
	store_pg_put_int4(&c, part);
	rc = store_pg_ask(&c, err);
	if (rc == 0)
		rc = err_set(err, ERR_CORRUPT,
		             "postgres: yz_part_head has no part %d: the tables were changed",
		             part);
	if (rc > 0) {
		head->next = store_pg_get_int8(&c, 0, 0);
		head->last_stamp = store_pg_get_int8(&c, 0, 2);
		head->hub_n = store_pg_get_int8(&c, 0, 3);
		rc = store_pg_get_exactly(&c, 0, 1, head->feed_hash, STORE_PG_FEED_HASH, err);
	}
	if (rc == 0)
		rc = store_pg_get_exactly(&c, 0, 4, head->hub_head, STORE_PG_CHAIN, err);
	if (rc == 0)
		rc = store_pg_get_exactly(&c, 0, 5, head->epoch, STORE_EPOCH, err);
	store_pg_call_end(&c);
	pg->head_count += rc == 0;
	return rc;
}

/* The least of `parts` above `after`; -1 if there is none. */
static int
next_part(const int *parts, int count, int after)
{
	int least = -1;

	for (int i = 0; i < count; i++)
		if (parts[i] > after && (least < 0 || parts[i] < least))
			least = parts[i];
	return least;
}

int
store_pg_take(struct store_pg *pg, const int *parts, int count, struct err *err)
{
	struct store_pg_head *heads =
	        realloc(pg->heads, (size_t)(count > 0 ? count : 1) * sizeof *heads);
	int rc;

	assert(!pg->in_transaction && pg->facility_parts > 0);
	if (heads == NULL)
		return err_set(err, ERR_NOMEM, "postgres: out of memory");
	pg->heads = heads;
	rc = store_pg_begin(pg, err);
	for (int part = -1; rc == 0 && (part = next_part(parts, count, part)) >= 0;)
		rc = take_one(pg, part, err);
	if (rc < 0)
		store_pg_rollback(pg);
	return rc;
}

struct store_pg_head *
store_pg_head(struct store_pg *pg, int part)
{
	for (int i = 0; i < pg->head_count; i++)
		if (pg->heads[i].part == part)
			return &pg->heads[i];
	return NULL;
}

/* ---- leaving ---- */

static int
write_head(struct store_pg *pg, const struct store_pg_head *head, struct err *err)
{
	struct store_pg_call c = store_pg_call(
	        pg, "UPDATE yz_part_head SET next = $2, feed_hash = $3, last_stamp = $4,"
	            " hub_n = $5, hub_head = $6 WHERE part = $1");
	int rc;

	store_pg_put_int4(&c, head->part);
	store_pg_put_int8(&c, head->next);
	store_pg_put_bytes(&c, head->feed_hash, STORE_PG_FEED_HASH);
	store_pg_put_int8(&c, head->last_stamp);
	store_pg_put_int8(&c, head->hub_n);
	store_pg_put_bytes(&c, head->hub_head, STORE_PG_CHAIN);
	rc = store_pg_run(&c, err);
	return rc < 0 ? rc : 0;
}

int
store_pg_leave(struct store_pg *pg, struct err *err)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < pg->head_count; i++)
		rc = write_head(pg, &pg->heads[i], err);
	if (rc == 0)
		return store_pg_commit(pg, err);
	store_pg_rollback(pg);
	return rc;
}

void
store_pg_undo(struct store_pg *pg)
{
	store_pg_rollback(pg);
}

/* ---- and again ---- */

static int
try_once(struct store_pg *pg, const struct store_pg_work *work, struct err *err)
{
	int rc = store_pg_take(pg, work->parts, work->part_count, err);

	if (rc == 0)
		rc = work->work(pg, work->ctx, err);
	if (rc == 0)
		return store_pg_leave(pg, err);
	store_pg_rollback(pg);
	return rc;
}

/* Two that got in each other's way shouldn't meet again at once: 10, 20, 40 ... 640 ms, and
 * some chance in it. */
static void
wait_a_little(int tried)
{
	uint8_t chance;
	int64_t ms = (int64_t)10 << (tried < 6 ? tried : 6);
	struct timespec pause;

	hash_random(&chance, sizeof chance);
	ms = ms / 2 + ms * chance / 512;
	pause = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	nanosleep(&pause, NULL);
}

int
store_pg_do(struct store_pg *pg, const struct store_pg_work *work, struct err *err)
{
	int rc = ERR_BUSY;

	for (int tried = 0; rc == ERR_BUSY && tried < work->tries; tried++) {
		rc = 0;
		if (tried > 0)
			wait_a_little(tried - 1);
		if (PQstatus(pg->conn) != CONNECTION_OK)
			rc = store_pg_renew(pg, err);
		if (rc == 0)
			rc = try_once(pg, work, err);
	}
	return rc;
}
