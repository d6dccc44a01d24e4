/*
 * tests/fuzz/salts.c - any bytes as the seeds of a segment: refused, or the same
 * salts after they were cut anew.
 *
 * Input: records (1 byte), where to cut (1 byte), seeds bytes.
 */
#include "sync/codec/chain.h"
#include "tests/fuzz/help.h"

#include <string.h>

enum { FIRST = 1000 };

/* The salts of FIRST..last; false if the bytes are wrong. */
static bool
salts_of(const uint8_t *bytes, size_t len, uint64_t first, uint64_t last, struct buf *out)
{
	struct sync_seeds seeds = sync_seeds_from(bytes, len, first, last);

	for (uint64_t n = first; n <= last; n++) {
		uint8_t salt[STORE_SEED];

		if (!sync_seeds_salt(&seeds, n, salt))
			return false;
		buf_put(out, salt, sizeof salt);
	}
	return true;
}

/* The salts of from..last out of one segment, by joining. */
static void
check_cut(const struct sync_seeds_part *part, uint64_t from, const struct buf *want)
{
	struct buf cut = { 0 }, got = { 0 };
	struct err err;
	size_t skip = (size_t)(from - part->first) * STORE_SEED;
	int rc = sync_seeds_join(&cut, part, 1, from, part->last, &err);

	HOLDS(rc == 0);
	HOLDS(salts_of(cut.bytes, cut.len, from, part->last, &got));
	HOLDS(help_same(&got, want->bytes + skip, want->len - skip));
	buf_free(&cut);
	buf_free(&got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sync_seeds_part part = { .first = FIRST };
	struct buf salts = { 0 };
	uint64_t from;

	if (size < 2)
		return 0;
	part.last = FIRST + data[0];
	part.bytes = data + 2;
	part.len = size - 2;
	from = FIRST + data[1] % (data[0] + 1U);
	if (salts_of(part.bytes, part.len, part.first, part.last, &salts)) {
		struct sync_seeds seeds =
		        sync_seeds_from(part.bytes, part.len, part.first, part.last);

		while (sync_seeds_next(&seeds))
			HOLDS(seeds.run.first >= FIRST && seeds.run.last <= part.last);
		if (!seeds.bad)
			check_cut(&part, from, &salts);
	}
	buf_free(&salts);
	return 0;
}
