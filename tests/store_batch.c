/* tests/store_batch.c - terms speak of everything in a row and of nothing else; digests add up. */
#include "tests/merge_world.h"
#include "tests/pg_cluster.h"
#include "tests/suites.h"

#include "store/base/hash.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void
term_of(const char *writes, int numbering, int key, uint8_t term[STORE_TERM])
{
	struct write list[WORLD_WRITES];
	struct replica *r = replica_new(numbering);
	struct store_row row;

	replica_deliver(r, list, world_read(writes, list), NULL, NULL);
	row = replica_row(r, key);
	memcpy(term, row.term, STORE_TERM);
	replica_free(r);
}

static void
put_site(struct buf *out, uint8_t node, uint8_t epoch)
{
	uint8_t name[STORE_NODE_ID + STORE_EPOCH] = { 0 };

	name[0] = node;
	name[STORE_NODE_ID] = epoch;
	buf_put(out, name, sizeof name);
}

static void
put_text(struct buf *out, const char *text)
{
	buf_u8(out, (uint8_t)strlen(text));
	buf_put(out, text, strlen(text));
}

/* The names of a row of "growth" and which of its cells have a version of their own ('1'). */
static void
put_names(struct buf *out, const char *const *cells, const char *own, int count)
{
	buf_put(out, "yizhan-term-2", 13);
	put_text(out, "growth");
	for (int i = 0; i < count; i++) {
		put_text(out, cells[i]);
		buf_u8(out, own[i] == '1');
	}
}

static void
term_by_hand(struct buf *row, struct buf *names, uint8_t term[STORE_TERM])
{
	uint8_t salt[16];

	hash_once(salt, sizeof salt, names->bytes, names->len);
	hash_once_salted(term, STORE_TERM, row->bytes, row->len, salt);
	buf_free(row);
	buf_free(names);
}

/* The byte table of store/DESIGN.md by hand: the world's sites 1 and 3 are (1, 5) and (7, 0). */
START_TEST(term_is_the_byte_table)
{
	static const uint8_t key[17] = { 5 };
	uint8_t want[STORE_TERM], got[STORE_TERM];
	struct store_value mood = store_value_text("sad"), height = store_value_int(-70);
	struct buf b = { 0 }, names = { 0 };

	put_names(&names, (const char *const[]){ "height", "mood", "revoked", "weight" }, "1001",
	          4);
	buf_u64(&b, 10);
	put_site(&b, 1, 5);
	buf_u8(&b, 1); /* cl */
	buf_u8(&b, sizeof key);
	buf_put(&b, key, sizeof key);
	buf_u64(&b, 11); /* height has another version than the row's */
	put_site(&b, 7, 0);
	store_value_write(&b, &height);
	store_value_write(&b, &mood);
	buf_u8(&b, 0);   /* revoked: NULL */
	buf_u64(&b, 11); /* weight, again */
	put_site(&b, 7, 0);
	buf_u8(&b, 0);
	term_by_hand(&b, &names, want);
	for (int numbering = 0; numbering < WORLD_NUMBERINGS; numbering++) {
		term_of("I1 @10 mood=sad; U1 s3 @11 height=-70 weight=NULL", numbering, 0, got);
		ck_assert_mem_eq(got, want, STORE_TERM);
	}
}
END_TEST

/* Every two of these rows differ in one thing. */
static const char *const different[] = {
	"I1 @10 mood=1",
	"I1 @10 mood=1.0",
	"I1 @10 mood=one",
	"I1 @10 mood=NULL",
	"I1 @10 mood=2",
	"I1 @11 mood=1",
	"I1 s2 @10 mood=1",
	"I1 v2 @10 mood=1",
	"I3 @10 mood=1",
	"I1 @10 mood=1 revoked=1",
	"I1 @10 mood=1 height=1",
	"I1 @10 mood=1 weight=1",
	"I1 @10; U1 @11 mood=1",
	"I1 @10; U1 s2 @11 mood=1",
	"U1 @10 mood=1",
	"U1 @11 mood=1",
	"D2 @10",
	"D2 @11",
	"D4 @10",
};

enum { DIFFERENT = sizeof different / sizeof different[0] };

START_TEST(terms_of_different_rows_differ)
{
	uint8_t terms[DIFFERENT + 1][STORE_TERM];

	for (int i = 0; i < DIFFERENT; i++)
		term_of(different[i], i % WORLD_NUMBERINGS, 0, terms[i]);
	term_of("I1 k1 @10 mood=1", 0, 1, terms[DIFFERENT]);
	for (int i = 0; i <= DIFFERENT; i++)
		for (int k = 0; k < i; k++)
			ck_assert_msg(memcmp(terms[i], terms[k], STORE_TERM) != 0,
			              "cases %d and %d", i, k);
}
END_TEST

/* Nothing of it depends on where a long value meets the end of the gathering buffer. */
START_TEST(long_values_are_hashed_whole)
{
	static const size_t lens[] = { 800, 950, 1000, 1023, 1024, 1025, 2048, 70000 };
	struct replica *r = replica_new(0);
	struct store_batch *b = replica_batch(r);
	uint8_t *bytes = calloc(1, 70000), want[STORE_TERM], got[STORE_TERM];
	struct store_value long_one = store_value_blob(bytes, lens[_i]);
	struct store_cell cells[] = { { .column = 3, .site = 1, .stamp = 9, .value = long_one },
		                      { .column = 4, .site = 1, .stamp = 9, .value = long_one } };
	struct store_row row = { .table = 1,
		                 .key = bytes,
		                 .key_len = 1,
		                 .cl = 1,
		                 .stamp = 9,
		                 .site = 1,
		                 .cell_count = 2,
		                 .cells = cells };
	struct buf all = { 0 }, names = { 0 };

	bytes[lens[_i] - 1] = 7;
	put_names(&names, (const char *const[]){ "mood", "note" }, "00", 2);
	buf_u64(&all, 9);
	put_site(&all, 1, 5);
	buf_u8(&all, 1);
	buf_u8(&all, 1);
	buf_u8(&all, bytes[0]);
	store_value_write(&all, &long_one);
	store_value_write(&all, &long_one);
	term_by_hand(&all, &names, want);
	store_row_term(b, &row, got);
	ck_assert_mem_eq(got, want, STORE_TERM);
	free(bytes);
	replica_free(r);
}
END_TEST

START_TEST(unknown_row_adds_nothing)
{
	static const uint8_t zero[STORE_TERM];
	struct store_row row = { .table = 1 };
	uint8_t term[STORE_TERM] = { 1 };

	store_row_term(NULL, &row, term);
	ck_assert_mem_eq(term, zero, STORE_TERM);
}
END_TEST

/* Sixteen bytes, given as the first and the last. */
static const struct sum_case {
	const char *name;
	uint8_t sum[2], add[2], sub[2], want[2];
	uint8_t between; /* what all the bytes between are, before and after */
	uint8_t want_between;
} sum_cases[] = {
	{ "add", { 0, 1 }, { 0, 2 }, { 0, 0 }, { 0, 3 }, 0, 0 },
	{ "take", { 0, 5 }, { 0, 0 }, { 0, 2 }, { 0, 3 }, 0, 0 },
	{ "carry through", { 0, 0xff }, { 0, 1 }, { 0, 0 }, { 1, 0 }, 0xff, 0 },
	{ "carry out", { 0xff, 0xff }, { 0, 1 }, { 0, 0 }, { 0, 0 }, 0xff, 0 },
	{ "borrow through", { 1, 0 }, { 0, 0 }, { 0, 1 }, { 0, 0xff }, 0, 0xff },
	{ "borrow below nothing", { 0, 0 }, { 0, 0 }, { 0, 1 }, { 0xff, 0xff }, 0, 0xff },
	{ "replace", { 9, 9 }, { 3, 3 }, { 9, 9 }, { 3, 3 }, 0, 0 },
	{ "most and least", { 0xff, 0xff }, { 0xff, 0xff }, { 0, 0 }, { 0xff, 0xfe }, 0xff, 0xff },
};

enum { SUM_CASES = sizeof sum_cases / sizeof sum_cases[0] };

START_TEST(sums_carry_and_borrow)
{
	const struct sum_case *c = &sum_cases[_i];
	uint8_t sum[STORE_TERM], add[STORE_TERM] = { 0 }, sub[STORE_TERM] = { 0 };
	uint8_t want[STORE_TERM];

	memset(sum, c->between, sizeof sum);
	memset(want, c->want_between, sizeof want);
	if (c->add[0] == 0xff)
		memset(add, 0xff, sizeof add);
	sum[0] = c->sum[0];
	add[0] = c->add[0];
	sub[0] = c->sub[0];
	want[0] = c->want[0];
	sum[STORE_TERM - 1] = c->sum[1];
	add[STORE_TERM - 1] = c->add[1];
	sub[STORE_TERM - 1] = c->sub[1];
	want[STORE_TERM - 1] = c->want[1];
	store_digest_move(sum, add, sub);
	ck_assert_msg(memcmp(sum, want, STORE_TERM) == 0, "%s", c->name);
}
END_TEST

/* The same, with replicas in PostgreSQL. */
static void
in_postgres(void)
{
	world_engine(WORLD_POSTGRES);
}

static void
in_memory(void)
{
	world_engine(WORLD_MEMORY);
}

/* The memory batch keeps one entry per row, column and versions, as every batch must. */
Suite *
suite_store_batch(void)
{
	Suite *suite = suite_create("store/batch");
	TCase *tcase = tcase_create("batch");

	tcase_add_test(tcase, term_is_the_byte_table);
	tcase_add_test(tcase, terms_of_different_rows_differ);
	tcase_add_loop_test(tcase, long_values_are_hashed_whole, 0, 8);
	tcase_add_test(tcase, unknown_row_adds_nothing);
	tcase_add_loop_test(tcase, sums_carry_and_borrow, 0, SUM_CASES);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("terms in postgres");
	tcase_set_timeout(tcase, 60);
	tcase_set_tags(tcase, "postgres");
	tcase_add_unchecked_fixture(tcase, pg_cluster_begin, NULL);
	tcase_add_checked_fixture(tcase, in_postgres, in_memory);
	tcase_add_test(tcase, term_is_the_byte_table);
	tcase_add_test(tcase, terms_of_different_rows_differ);
	suite_add_tcase(suite, tcase);
	return suite;
}
