/*
 * store/base/hash_many.c - eight BLAKE2b side by side.
 *
 * Every change is hashed four times on its way in (salt, leaf, head, term), each
 * time a block or two: with one message at a time that is more than a fifth of a
 * merge.  A block's twelve rounds are a chain of additions and rotations in
 * which each step waits for the one before, so a core that can do eight alike
 * at once mostly waits; salts, leaves and terms don't depend on each other, so
 * they can fill the other lanes.  Lanes whose message is over keep their state
 * while the others go on.
 *
 * It is plain C with the compilers' vector types, built for two instruction
 * sets and chosen at run time; where neither is there libsodium does it, one by
 * one.  RFC 7693 has the tables and the names used here.
 */
#include "store/base/hash.h"

#include <assert.h>
#include <string.h>

#ifdef __x86_64__

enum { LANES = 8, BLOCK = 128, WORDS = 16, ROUNDS = 12 };

typedef uint64_t lanes __attribute__((vector_size(LANES * sizeof(uint64_t))));

/* One block of each message. */
struct blocks {
	lanes h[8];
	union {
		lanes vector[WORDS];
		uint64_t word[WORDS][LANES];
	} m;
	lanes bytes_so_far, last; /* all ones in lanes where it is the last block */
	lanes active;             /* all ones in lanes that have a block */
};

static const uint64_t iv[8] = { 0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
	                        0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
	                        0x1f83d9abfb41bd6b, 0x5be0cd19137e2179 };

static const uint8_t sigma[10][WORDS] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

#define INLINE static inline __attribute__((always_inline)) void

/* v[d] = (v[d] ^ v[a]) >>> bits */
#define TURN(v, d, a, bits) ((v)[d] ^= (v)[a], (v)[d] = (v)[d] >> (bits) | (v)[d] << (64 - (bits)))

INLINE
mix(lanes *v, const int at[4], const lanes *x, const lanes *y)
{
	v[at[0]] += v[at[1]] + *x;
	TURN(v, at[3], at[0], 32);
	v[at[2]] += v[at[3]];
	TURN(v, at[1], at[2], 24);
	v[at[0]] += v[at[1]] + *y;
	TURN(v, at[3], at[0], 16);
	v[at[2]] += v[at[3]];
	TURN(v, at[1], at[2], 63);
}

INLINE
compress(struct blocks *b)
{
	static const int at[8][4] = { { 0, 4, 8, 12 },  { 1, 5, 9, 13 },  { 2, 6, 10, 14 },
		                      { 3, 7, 11, 15 }, { 0, 5, 10, 15 }, { 1, 6, 11, 12 },
		                      { 2, 7, 8, 13 },  { 3, 4, 9, 14 } };
	lanes v[16];

	for (int i = 0; i < 8; i++) {
		v[i] = b->h[i];
		v[i + 8] = (lanes){ 0 } + iv[i];
	}
	v[12] ^= b->bytes_so_far;
	v[14] ^= b->last;
	for (int round = 0; round < ROUNDS; round++) {
		const uint8_t *s = sigma[round % 10];

#pragma GCC unroll 8
		for (int i = 0; i < 8; i++)
			mix(v, at[i], &b->m.vector[s[2 * i]], &b->m.vector[s[2 * i + 1]]);
	}
	for (int i = 0; i < 8; i++)
		b->h[i] ^= (v[i] ^ v[i + 8]) & b->active;
}

__attribute__((target("avx512f"))) static void
compress_avx512(struct blocks *b)
{
	compress(b);
}

__attribute__((target("avx2"))) static void
compress_avx2(struct blocks *b)
{
	compress(b);
}

/* Load block `no` of a message into its lane; false if the message is over. */
static bool
load(struct blocks *b, unsigned lane, const struct hash_job *job, size_t no)
{
	size_t at = no * BLOCK, left = job->len > at ? job->len - at : 0;
	uint64_t words[WORDS] = { 0 };

	b->active[lane] = left > 0 || no == 0 ? ~(uint64_t)0 : 0;
	if (b->active[lane] == 0)
		return false;
	b->last[lane] = left <= BLOCK ? ~(uint64_t)0 : 0;
	b->bytes_so_far[lane] = left <= BLOCK ? job->len : at + BLOCK;
	if (left > 0)
		memcpy(words, (const uint8_t *)job->bytes + at, left < BLOCK ? left : BLOCK);
	for (int i = 0; i < WORDS; i++)
		b->m.word[i][lane] = words[i]; /* this machine is little endian too */
	return true;
}

static void
hash_eight(void (*run)(struct blocks *), const struct hash_job *jobs, size_t out_len)
{
	struct blocks b = { 0 };
	bool more = true;

	for (int i = 0; i < 8; i++)
		b.h[i] = (lanes){ 0 } + iv[i];
	b.h[0] ^= 0x01010000 ^ out_len; /* no key, fanout and depth 1 */
	for (size_t no = 0; more; no++) {
		more = false;
		for (unsigned lane = 0; lane < LANES; lane++)
			more = load(&b, lane, &jobs[lane], no) || more;
		if (more)
			run(&b);
	}
	for (unsigned lane = 0; lane < LANES; lane++) {
		uint64_t words[8];

		for (int i = 0; i < 8; i++)
			words[i] = b.h[i][lane];
		memcpy(jobs[lane].out, words, out_len);
	}
}

/* As many of the jobs as fill all lanes; how many. */
static size_t
hash_eights(const struct hash_job *jobs, size_t count, size_t out_len)
{
	void (*run)(struct blocks *) = __builtin_cpu_supports("avx512f") ? compress_avx512
	                               : __builtin_cpu_supports("avx2")  ? compress_avx2
	                                                                 : NULL;
	size_t done = 0;

	for (; run != NULL && count - done >= LANES; done += LANES)
		hash_eight(run, jobs + done, out_len);
	return done;
}

#else

static size_t
hash_eights(const struct hash_job *jobs, size_t count, size_t out_len)
{
	(void)jobs;
	(void)count;
	(void)out_len;
	return 0;
}

#endif

void
hash_many(const struct hash_job *jobs, size_t count, size_t out_len)
{
	assert(out_len == 16 || out_len == 32 || out_len == 64);
	for (size_t i = hash_eights(jobs, count, out_len); i < count; i++)
		hash_once(jobs[i].out, out_len, jobs[i].bytes, jobs[i].len);
}
