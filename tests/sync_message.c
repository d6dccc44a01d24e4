/* tests/sync_message.c - the two messages: read as they were written, or refused. */
#include "tests/suites.h"

#include "sync/exchange/message.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum {
	FORMAT_AT = 0,
	FLAGS_AT = 1,
	SITES_AT = 2 + 24 + 8 + 1 + 1, /* behind a clock and a counter of 0 */
	HAS_KEY_AT = SITES_AT + 1 + 24,
};

/* A message with one of each; its parts are the test's to bend. */
struct made {
	struct sync_view_site sites[2];
	const char *scopes[2];
	struct sync_view_stream streams[2];
	struct sync_view_digest digest;
	struct sync_view_note note;
	struct sync_view_segment segment;
	struct sync_message m;
};

static struct made made;
static struct arena arena;
static struct err err;

static void
make(void)
{
	made = (struct made){
		.sites = { { .site = { { 1 }, { 2 } } },
		           { .site = { { 3 }, { 4 } }, .has_key = true } },
		.scopes = { "all", "f/F1" },
		.streams = { { .n = 5 }, { .site = 1, .scope = 1, .n = 300 } },
		.digest = { .scope = 1, .rows = 9 },
		.note = { .stream = 1, .n = 4, .reason = "why" },
		.segment = { .stream = 1, .n = 300, .bytes = (const uint8_t *)"bytes", .len = 5 }
	};
	made.m = (struct sync_message){ .sites = made.sites,
		                        .site_count = 2,
		                        .scopes = made.scopes,
		                        .scope_count = 2,
		                        .streams = made.streams,
		                        .stream_count = 2,
		                        .digests = &made.digest,
		                        .digest_count = 1,
		                        .notes = &made.note,
		                        .note_count = 1,
		                        .segments = &made.segment,
		                        .segment_count = 1 };
}

static void
drop(void)
{
	arena_free(&arena);
}

static void
write(struct buf *out, bool is_reply)
{
	buf_clear(out);
	sync_message_write_part1(out, &made.m);
	if (is_reply)
		buf_put(out, made.m.signature, STORE_SIGNATURE);
	sync_message_write_part2(out, &made.m);
	ck_assert_int_eq(buf_check(out, &err), 0);
}

static int
read(const uint8_t *bytes, size_t len, bool is_reply)
{
	struct sync_message m;

	arena_free(&arena);
	return sync_message_read(bytes, len, is_reply, &arena, &m, &err);
}

START_TEST(it_is_read_as_it_was_written)
{
	struct buf out = { 0 };
	struct sync_message m;

	made.m.more = true;
	made.m.now_ms = 1772438400000;
	made.m.counter = 77;
	write(&out, _i == 1);
	ck_assert_int_eq(sync_message_read(out.bytes, out.len, _i == 1, &arena, &m, &err), 0);
	ck_assert(m.more);
	ck_assert_int_eq(m.now_ms, 1772438400000);
	ck_assert_uint_eq(m.counter, 77);
	ck_assert(!m.sites[0].has_key);
	ck_assert(m.sites[1].has_key);
	ck_assert_str_eq(m.scopes[1], "f/F1");
	ck_assert_uint_eq(m.streams[1].n, 300);
	ck_assert_uint_eq(m.digests[0].rows, 9);
	ck_assert_str_eq(m.notes[0].reason, "why");
	ck_assert_uint_eq(m.segments[0].len, 5);
	ck_assert_mem_eq(m.segments[0].bytes, "bytes", 5);
	buf_free(&out);
}
END_TEST

START_TEST(a_piece_of_it_is_refused)
{
	struct buf out = { 0 };

	write(&out, _i == 1);
	for (size_t len = 0; len < out.len; len++)
		ck_assert_int_eq(read(out.bytes, len, _i == 1), ERR_CORRUPT);
	buf_u8(&out, 0);
	ck_assert_int_eq(read(out.bytes, out.len, _i == 1), ERR_CORRUPT);
	buf_free(&out);
}
END_TEST

static const struct {
	size_t at;
	uint8_t byte;
} bent_bytes[] = {
	{ FORMAT_AT, 0 }, { FORMAT_AT, 2 },  { FLAGS_AT, 2 },
	{ FLAGS_AT, 3 },  { HAS_KEY_AT, 2 }, { SITES_AT, 0x7f },
};

START_TEST(a_byte_that_means_nothing_is_refused)
{
	struct buf out = { 0 };

	write(&out, false);
	out.bytes[bent_bytes[_i].at] = bent_bytes[_i].byte;
	ck_assert_int_eq(read(out.bytes, out.len, false), ERR_CORRUPT);
	buf_free(&out);
}
END_TEST

/* What a message may not say, by what is wrong with it. */
static void
bend(int which)
{
	static char long_name[STORE_SCOPE_MAX + 2];
	static char long_reason[257];

	memset(long_name, 's', sizeof long_name - 1);
	memset(long_reason, 'r', sizeof long_reason - 1);
	switch (which) {
	case 0:
		made.streams[0].site = 2;
		break;
	case 1:
		made.streams[1].scope = 2;
		break;
	case 2:
		made.digest.scope = 2;
		break;
	case 3:
		made.note.stream = 2;
		break;
	case 4:
		made.segment.stream = 2;
		break;
	case 5:
		made.scopes[1] = long_name;
		break;
	default:
		made.note.reason = long_reason;
	}
}

START_TEST(what_points_nowhere_or_is_too_long_is_refused)
{
	struct buf out = { 0 };

	write(&out, false);
	ck_assert_int_eq(read(out.bytes, out.len, false), 0);
	bend(_i);
	write(&out, false);
	ck_assert_int_eq(read(out.bytes, out.len, false), ERR_CORRUPT);
	buf_free(&out);
}
END_TEST

/* A difference to our own clock is taken of it. */
START_TEST(a_clock_that_no_stamp_could_hold_is_refused)
{
	static const struct {
		int64_t ms;
		int rc;
	} cases[] = { { 0, 0 },
		      { ((int64_t)1 << 48) - 1, 0 },
		      { (int64_t)1 << 48, ERR_CORRUPT },
		      { INT64_MAX, ERR_CORRUPT },
		      { -1, ERR_CORRUPT },
		      { INT64_MIN, ERR_CORRUPT } };
	struct buf out = { 0 };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		made.m.now_ms = cases[i].ms;
		write(&out, false);
		ck_assert_int_eq(read(out.bytes, out.len, false), cases[i].rc);
	}
	buf_free(&out);
}
END_TEST

START_TEST(a_zero_in_a_name_is_refused)
{
	struct buf out = { 0 };
	uint8_t *name;

	write(&out, false);
	name = memmem(out.bytes, out.len, "f/F1", 4);
	ck_assert_ptr_nonnull(name);
	name[2] = 0;
	ck_assert_int_eq(read(out.bytes, out.len, false), ERR_CORRUPT);
	buf_free(&out);
}
END_TEST

/* As many scopes as bytes would allow, but more than anybody has. */
START_TEST(too_many_things_are_refused)
{
	struct buf out = { 0 };
	static const uint8_t zeros[SYNC_MESSAGE_STREAMS + 16];

	made.m.site_count = 0;
	write(&out, false);
	out.len = SITES_AT + 1; /* no sites; what follows is the test's */
	buf_varint(&out, SYNC_MESSAGE_STREAMS + 1);
	buf_put(&out, zeros, sizeof zeros);
	ck_assert_int_eq(read(out.bytes, out.len, false), ERR_CORRUPT);
	out.len = SITES_AT + 1;
	buf_varint(&out, SYNC_MESSAGE_STREAMS);
	buf_put(&out, zeros, SYNC_MESSAGE_STREAMS + 4); /* no streams, digests, notes, segments */
	ck_assert_msg(read(out.bytes, out.len, false) == 0, "%s", err.msg);
	buf_free(&out);
}
END_TEST

START_TEST(a_message_over_the_limit_is_not_looked_at)
{
	uint8_t *bytes = calloc(1, SYNC_MESSAGE_MAX + 1);

	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(read(bytes, SYNC_MESSAGE_MAX + 1, false), ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(err.msg, "is over"));
	free(bytes);
}
END_TEST

/* What is left out when there is none: questions of a request, answers of a reply. */
static void
ask_two(struct sync_view_question two[2])
{
	two[0] = (struct sync_view_question){
		.scope = 1, .range = { { "", NULL, 0 }, { "note", (const uint8_t *)"k", 1 } }
	};
	two[1] = (struct sync_view_question){
		.anew = true, .range = { { "note", (const uint8_t *)"k", 1 }, { "", NULL, 0 } }
	};
	made.m.questions = two;
	made.m.question_count = 2;
}

START_TEST(questions_are_read_as_they_were_written)
{
	struct sync_view_question two[2];
	struct buf out = { 0 };
	struct sync_message m;
	size_t without;

	write(&out, false);
	without = out.len;
	ask_two(two);
	write(&out, false);
	ck_assert_int_eq(sync_message_read(out.bytes, out.len, false, &arena, &m, &err), 0);
	ck_assert_uint_eq(m.question_count, 2);
	ck_assert(m.questions[0].scope == 1 && !m.questions[0].anew);
	ck_assert_str_eq(m.questions[0].range.from.table, "");
	ck_assert_str_eq(m.questions[0].range.until.table, "note");
	ck_assert_mem_eq(m.questions[0].range.until.key, "k", 1);
	ck_assert(m.questions[1].anew);
	ck_assert_uint_eq(m.questions[1].range.until.key_len, 0);
	for (size_t len = without + 1; len < out.len; len++)
		ck_assert_int_eq(read(out.bytes, len, false), ERR_CORRUPT);
	/* a reply has none */
	ck_assert_int_eq(read(out.bytes, out.len, true), ERR_CORRUPT);
	out.bytes[without + 2] = 2; /* neither a sum nor anew */
	ck_assert_int_eq(read(out.bytes, out.len, false), ERR_CORRUPT);
	out.bytes[without + 2] = 0;
	out.bytes[without + 1] = 2; /* a scope that isn't named */
	ck_assert_int_eq(read(out.bytes, out.len, false), ERR_CORRUPT);
	buf_free(&out);
}
END_TEST

START_TEST(answers_are_read_as_they_were_written)
{
	struct sync_view_answer list[SYNC_MESSAGE_QUESTIONS + 1] = { { .rows = 7, .sum = { 9 } } };
	struct buf out = { 0 };
	struct sync_message m;

	made.m.answers = list;
	made.m.answer_count = SYNC_MESSAGE_QUESTIONS;
	write(&out, true);
	ck_assert_int_eq(sync_message_read(out.bytes, out.len, true, &arena, &m, &err), 0);
	ck_assert_uint_eq(m.answer_count, SYNC_MESSAGE_QUESTIONS);
	ck_assert(m.answers[0].rows == 7 && m.answers[0].sum[0] == 9);
	made.m.answer_count++;
	write(&out, true);
	ck_assert_int_eq(read(out.bytes, out.len, true), ERR_CORRUPT);
	buf_free(&out);
}
END_TEST

START_TEST(a_receipt_is_for_one_request_by_one_key)
{
	static const uint8_t asked[HASH_32] = { 1 }, other[HASH_32] = { 2 };
	uint8_t seed[SYNC_SEED_KEY] = { 5 };
	struct sync_key hub, node;
	struct buf out = { 0 };
	struct sync_message m;

	sync_key_from_seed(&hub, seed);
	seed[0] = 6;
	sync_key_from_seed(&node, seed);
	write(&out, true);
	ck_assert_int_eq(sync_message_read(out.bytes, out.len, true, &arena, &m, &err), 0);
	ck_assert(!sync_message_proven(&m, asked, hub.public_key));
	sync_message_sign(&hub, asked, m.part1, m.part1_len, m.signature);
	ck_assert(sync_message_proven(&m, asked, hub.public_key));
	ck_assert(!sync_message_proven(&m, other, hub.public_key));
	ck_assert(!sync_message_proven(&m, asked, node.public_key));
	for (size_t i = 0; i < m.part1_len; i++) {
		out.bytes[i] ^= 1;
		ck_assert(!sync_message_proven(&m, asked, hub.public_key));
		out.bytes[i] ^= 1;
	}
	buf_free(&out);
}
END_TEST

Suite *
suite_sync_message(void)
{
	Suite *suite = suite_create("sync/message");
	TCase *tcase = tcase_create("message");

	tcase_add_checked_fixture(tcase, make, drop);
	tcase_add_loop_test(tcase, it_is_read_as_it_was_written, 0, 2);
	tcase_add_loop_test(tcase, a_piece_of_it_is_refused, 0, 2);
	tcase_add_loop_test(tcase, a_byte_that_means_nothing_is_refused, 0,
	                    sizeof bent_bytes / sizeof bent_bytes[0]);
	tcase_add_loop_test(tcase, what_points_nowhere_or_is_too_long_is_refused, 0, 7);
	tcase_add_test(tcase, a_clock_that_no_stamp_could_hold_is_refused);
	tcase_add_test(tcase, a_zero_in_a_name_is_refused);
	tcase_add_test(tcase, too_many_things_are_refused);
	tcase_add_test(tcase, a_message_over_the_limit_is_not_looked_at);
	tcase_add_test(tcase, questions_are_read_as_they_were_written);
	tcase_add_test(tcase, answers_are_read_as_they_were_written);
	tcase_add_test(tcase, a_receipt_is_for_one_request_by_one_key);
	suite_add_tcase(suite, tcase);
	return suite;
}
