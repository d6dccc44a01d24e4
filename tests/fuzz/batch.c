/*
 * tests/fuzz/batch.c - any bytes as the body of POST /api/v1/batch: refused as a
 * whole, or an answer for each line; and what was stored is stored once.
 *
 * Input: lines of JSON.
 */
#include "node/facility/batch.h"
#include "tests/fuzz/house.h"

#include <string.h>

/* Post it; as many answers as were counted. */
static struct lines_counts
post(struct facility *f, const uint8_t *data, size_t size)
{
	struct lines_counts n = { 0 };
	struct buf out = { 0 };
	struct err err = { 0 };
	int64_t lines = 0;
	int rc = facility_batch_post(f, data, size, &out, &n, &err);

	HOLDS(rc == 0 || rc == ERR_INVALID);
	HOLDS(rc == 0 || err.msg[0] != 0);
	HOLDS(!store_db_in_transaction(f->db));
	for (size_t i = 0; i < out.len; i++)
		lines += out.bytes[i] == '\n';
	HOLDS(rc < 0 || lines == n.stored + n.duplicate + n.refused);
	if (rc < 0)
		n = (struct lines_counts){ 0 };
	buf_free(&out);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct facility *f = house();
	int64_t before = house_rows(f);
	struct lines_counts first = post(f, data, size), second;

	HOLDS(first.stored > 0 || house_rows(f) == before);
	if (first.stored > 0) {
		int64_t keys = house_int(f, "SELECT count(*) FROM local_batch_key");

		HOLDS(keys == first.stored);
		second = post(f, data, size);
		HOLDS(second.duplicate >= first.stored + first.duplicate);
		HOLDS(house_int(f, "SELECT count(*) FROM local_batch_key") == keys + second.stored);
		house_leave();
	}
	return 0;
}
