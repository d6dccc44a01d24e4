#include "sync/codec/chain.h"
#include "store/base/hash.h"

#include <assert.h>
#include <string.h>

_Static_assert((int)STORE_SEED == HASH_16 && (int)STORE_HEAD == HASH_32,
               "salts and heads are hashes");
_Static_assert(SYNC_SALTS == 4 * (int)STORE_SEED, "four salts are one hash");

static void
four_salts(const uint8_t seed[STORE_SEED], uint64_t four, uint8_t salts[SYNC_SALTS])
{
	uint8_t bytes[STORE_SEED + 8];

	memcpy(bytes, seed, STORE_SEED);
	for (unsigned i = 0; i < 8; i++)
		bytes[STORE_SEED + i] = (uint8_t)(four >> (56 - 8 * i));
	hash_once(salts, SYNC_SALTS, bytes, sizeof bytes);
}

void
sync_chain_salt(const uint8_t seed[STORE_SEED], uint64_t n, uint8_t salt[STORE_SEED])
{
	uint8_t salts[SYNC_SALTS];

	four_salts(seed, n / 4, salts);
	memcpy(salt, salts + n % 4 * STORE_SEED, STORE_SEED);
}

void
sync_chain_leaf(const uint8_t salt[STORE_SEED], const void *record, size_t len,
                uint8_t leaf[STORE_HEAD])
{
	hash_once_salted(leaf, STORE_HEAD, record, len, salt);
}

void
sync_chain_step(uint8_t head[STORE_HEAD], const uint8_t leaf[STORE_HEAD])
{
	uint8_t bytes[2 * STORE_HEAD];

	memcpy(bytes, head, STORE_HEAD);
	memcpy(bytes + STORE_HEAD, leaf, STORE_HEAD);
	hash_once(head, STORE_HEAD, bytes, sizeof bytes);
}

/* ---- seeds ---- */

struct sync_seeds
sync_seeds_from(const uint8_t *bytes, size_t len, uint64_t first, uint64_t last)
{
	struct sync_seeds s = { .heads = rd_from(bytes, len), .first = first, .last = last };

	s.run.last = first - 1;
	s.runs = rd_varint(&s.heads);
	s.data = s.heads;
	for (uint64_t i = 0; i < s.runs && !s.data.bad; i++) {
		rd_varint(&s.data);
		rd_u8(&s.data);
	}
	s.bad = s.data.bad || s.runs == 0 || first < 1 || last < first;
	return s;
}

/* Reads a run's head and looks at the one after it, which says where this one ends. */
bool
sync_seeds_next(struct sync_seeds *s)
{
	uint64_t span = s->last - s->first, from, to = span;
	uint8_t form;

	if (s->bad || s->runs == 0)
		return false;
	from = rd_varint(&s->heads);
	form = rd_u8(&s->heads);
	if (--s->runs > 0) {
		struct rd ahead = s->heads;

		to = rd_varint(&ahead) - 1;
	}
	s->bad = from != s->run.last + 1 - s->first || to < from || to > span ||
	         form > SYNC_SEEDS_SALTS;
	if (s->bad)
		return false;
	s->run.first = s->first + from;
	s->run.last = s->first + to;
	s->run.form = form == SYNC_SEEDS_DAY ? SYNC_SEEDS_DAY : SYNC_SEEDS_SALTS;
	if (to - from >= SIZE_MAX / STORE_SEED)
		s->bad = true;
	else
		s->run.bytes = rd_bytes(&s->data, form == SYNC_SEEDS_DAY
		                                          ? STORE_SEED
		                                          : (size_t)(to - from + 1) * STORE_SEED);
	s->bad = s->bad || s->data.bad || (s->runs == 0 && s->data.left > 0);
	return !s->bad;
}

bool
sync_seeds_salt(struct sync_seeds *s, uint64_t n, uint8_t salt[STORE_SEED])
{
	assert(n >= s->first && n <= s->last);
	if (n > s->run.last && !sync_seeds_next(s))
		return false;
	if (s->run.form == SYNC_SEEDS_SALTS) {
		memcpy(salt, s->run.bytes + (n - s->run.first) * STORE_SEED, STORE_SEED);
		return true;
	}
	if (n == s->run.first || n % 4 == 0)
		four_salts(s->run.bytes, n / 4, s->salts);
	memcpy(salt, s->salts + n % 4 * STORE_SEED, STORE_SEED);
	return true;
}

/* Seeds bytes in the making. */
struct joined {
	struct buf heads, data;
	uint64_t runs, from;
	enum sync_seeds_form form; /* of the last run */
	uint8_t seed[STORE_SEED];  /* of it, if it is a day's */
};

static void
join_run(struct joined *j, const struct sync_seeds_run *run, uint64_t first, uint64_t last)
{
	bool day = run->form == SYNC_SEEDS_DAY;
	bool goes_on = j->runs > 0 && j->form == run->form &&
	               (!day || memcmp(j->seed, run->bytes, STORE_SEED) == 0);

	if (!goes_on) {
		buf_varint(&j->heads, first - j->from);
		buf_u8(&j->heads, (uint8_t)run->form);
		j->runs++;
		j->form = run->form;
	}
	if (!day) {
		buf_put(&j->data, run->bytes + (first - run->first) * STORE_SEED,
		        (size_t)(last - first + 1) * STORE_SEED);
	} else if (!goes_on) {
		memcpy(j->seed, run->bytes, STORE_SEED);
		buf_put(&j->data, run->bytes, STORE_SEED);
	}
}

static int
join_part(struct joined *j, const struct sync_seeds_part *part, uint64_t to, struct err *err)
{
	struct sync_seeds s = sync_seeds_from(part->bytes, part->len, part->first, part->last);

	while (sync_seeds_next(&s)) {
		uint64_t first = s.run.first > j->from ? s.run.first : j->from;
		uint64_t last = s.run.last < to ? s.run.last : to;

		if (first <= last)
			join_run(j, &s.run, first, last);
	}
	return s.bad ? err_set(err, ERR_CORRUPT,
	                       "seeds of records %llu to %llu are not well-formed",
	                       (unsigned long long)part->first, (unsigned long long)part->last)
	             : 0;
}

void
sync_seeds_write_one(struct buf *out, const uint8_t seed[STORE_SEED])
{
	static const uint8_t one_run_from_0[] = { 1, 0, SYNC_SEEDS_DAY };

	buf_put(out, one_run_from_0, sizeof one_run_from_0);
	buf_put(out, seed, STORE_SEED);
}

int
sync_seeds_join(struct buf *out, const struct sync_seeds_part *parts, size_t count, uint64_t from,
                uint64_t to, struct err *err)
{
	struct joined j = { .from = from };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = join_part(&j, &parts[i], to, err);
	if (rc == 0) {
		buf_varint(out, j.runs);
		buf_put(out, j.heads.bytes, j.heads.len);
		buf_put(out, j.data.bytes, j.data.len);
		out->bad = out->bad || j.heads.bad || j.data.bad;
		rc = buf_check(out, err);
	}
	buf_free(&j.heads);
	buf_free(&j.data);
	return rc;
}
