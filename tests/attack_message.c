/*
 * tests/attack_message.c - a request as an enrolled node could send it, and the
 * same with one thing wrong: what isn't well-formed is refused as a whole, and
 * what is, but lies, moves nothing (tests/DESIGN.md, "Attacks").
 */
#include "sync/exchange/message.h"
#include "tests/parcels.h"
#include "tests/suites.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F2", NULL };

static struct world w;
static struct world_peer *const node = &w.nodes[0];
static struct buf request; /* of `node`, with two rows */
static struct err err;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

static void
open_world(void)
{
	struct node_event ev = { .type = NODE_EV_SYNC };
	struct node_effects fx = { 0 };

	world_open(&w, 13, facilities);
	world_sql(&w.nodes[1], "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'a')");
	ck_assert(world_sync(&w, 1));
	world_sql(node, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'one'), "
	                "(x'03', 'F1', 'three')");
	must(node_step(&node->node, &ev, &fx, &err));
	ck_assert(fx.send);
	request = fx.request;
	fx.request = (struct buf){ 0 };
	node_effects_clear(&fx);
}

static void
close_world(void)
{
	buf_free(&request);
	world_close(&w);
}

static bool
may_read_own(void *ctx, const uint8_t id[STORE_NODE_ID], const char *scope)
{
	(void)ctx;
	(void)id;
	return strcmp(scope, "f/F1") == 0;
}

/* The hub's status for these bytes; its reply goes to `reply` if that isn't NULL. */
static int
ask(const uint8_t *bytes, size_t len, struct buf *reply)
{
	struct hub_request rq = { .bytes = bytes, .len = len, .may_read = may_read_own };
	struct hub_effects fx;
	int status;

	memcpy(rq.peer, node->node.r.self.node, STORE_NODE_ID);
	must(hub_step(&w.hub.node, &rq, &fx, &err));
	status = fx.status;
	if (reply != NULL)
		*reply = fx.reply;
	else
		buf_free(&fx.reply);
	return status;
}

/* Everything the hub has but how many receipts it wrote, when it last looked for columns, in which
 * life the node said that it came, and what the hub tells of itself because a node holds receipts
 * that it hasn't given. */
static char *
dump_hub(void)
{
	static const char *const sql[] = {
		"SELECT * FROM note ORDER BY id",
		"SELECT * FROM yz_stream ORDER BY 1",
		"SELECT * FROM yz_segment ORDER BY 1",
		"SELECT * FROM yz_clock ORDER BY 1, 2",
		"SELECT * FROM yz_digest ORDER BY 1",
		"SELECT * FROM yz_site ORDER BY 1",
		"SELECT * FROM yz_schema ORDER BY 1",
		"SELECT * FROM yz_conflict ORDER BY 1",
		"SELECT * FROM yz_quarantine ORDER BY 1",
		("SELECT * FROM yz_meta WHERE name NOT IN ('receipts', 'settled', 'life_word', "
		 "'life_told')"
		 " AND name NOT LIKE 'life %' ORDER BY 1"),
	};
	struct buf out = { 0 };

	for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++) {
		char *rows = world_dump(&w.hub, sql[i]);

		buf_printf(&out, "%s\n%s", sql[i], rows);
		free(rows);
	}
	buf_u8(&out, 0);
	return (char *)out.bytes;
}

static char *before;

static void
remember(void)
{
	ck_assert_int_eq(ask((const uint8_t *)"", 0, NULL),
	                 400); /* what the hub writes at its first */
	before = dump_hub();
}

static void
expect_unchanged(const char *what)
{
	char *now = dump_hub();

	ck_assert_msg(strcmp(now, before) == 0, "%s moved something", what);
	free(now);
}

/* ---------------------------------------------------------------- bytes */

START_TEST(a03_a_cut_request_is_refused)
{
	remember();
	for (size_t len = 0; len < request.len; len++)
		ck_assert_int_eq(ask(request.bytes, len, NULL), 400);
	expect_unchanged("a prefix");
	buf_u8(&request, 0);
	ck_assert_int_eq(ask(request.bytes, request.len, NULL), 400);
	expect_unchanged("a byte too many");
	free(before);
}
END_TEST

/* Part 1 is proven by the request's signature (node/http/reqsig.h), not here; its segments by their
 * own.
 */
START_TEST(a03_a_turned_bit_brings_no_row)
{
	int refused = 0;

	remember();
	for (size_t i = 0; i < request.len; i++) {
		int status;

		request.bytes[i] ^= (uint8_t)(1 << i % 8);
		status = ask(request.bytes, request.len, NULL);
		request.bytes[i] ^= (uint8_t)(1 << i % 8);
		ck_assert_msg(status == 200 || status == 400 || status == 403, "byte %zu: %d", i,
		              status);
		refused += status != 200;
		if (world_int(&w.hub, "SELECT count(*) FROM note") == 1)
			continue;
		/* the rows came all the same: nothing that was turned says what they are */
		ck_assert_int_eq(status, 200);
		ck_assert_int_eq(world_int(&w.hub,
		                           "SELECT count(*) FROM note WHERE facility_id = 'F1' AND "
		                           "text IN ('one', 'three')"),
		                 2);
		close_world();
		open_world();
		free(before);
		remember();
	}
	ck_assert_int_gt(refused, 0);
	expect_unchanged("a turned bit");
	free(before);
	ck_assert_int_eq(ask(request.bytes, request.len, NULL), 200);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 3);
}
END_TEST

/* ---------------------------------------------------------------- numbers and names */

/* A message of ours, with room for one thing that is wrong. */
struct lie {
	struct sync_message m;
	struct sync_view_site site;
	const char *scope;
	struct sync_view_stream stream;
	struct sync_view_digest digest;
	struct sync_view_segment segment;
};

static void
make_lie(struct lie *lie)
{
	*lie = (struct lie){ .scope = "f/F1" };
	memcpy(lie->m.self.node, node->node.r.self.node, STORE_NODE_ID);
	memcpy(lie->m.self.epoch, node->node.r.self.epoch, STORE_EPOCH);
	lie->site.site = lie->m.self;
	lie->m.now_ms = w.wall_ms;
	lie->m.sites = &lie->site;
	lie->m.scopes = &lie->scope;
	lie->m.streams = &lie->stream;
	lie->m.digests = &lie->digest;
	lie->m.segments = &lie->segment;
	lie->m.site_count = lie->m.scope_count = lie->m.stream_count = 1;
	lie->m.digest_count = lie->m.segment_count = 1;
	lie->segment.bytes = (const uint8_t *)"not a segment";
	lie->segment.len = 13;
}

static void
expect_status(const struct lie *lie, int want, const char *what)
{
	struct buf bytes = { 0 }, reply = { 0 };
	int status;

	sync_message_write_part1(&bytes, &lie->m);
	sync_message_write_part2(&bytes, &lie->m);
	must(buf_check(&bytes, &err));
	status = ask(bytes.bytes, bytes.len, &reply);
	ck_assert_msg(status == want, "%s: %d", what, status);
	/* not a word of the other facility's */
	ck_assert_ptr_null(memmem(reply.bytes, reply.len, "f/F2", 4));
	buf_free(&bytes);
	buf_free(&reply);
	expect_unchanged(what);
}

START_TEST(a07_places_beyond_the_end_are_a_gap)
{
	static const uint64_t places[] = { 1, 1000, INT64_MAX, (uint64_t)INT64_MAX + 1,
		                           UINT64_MAX };
	struct lie lie;

	remember();
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		make_lie(&lie);
		lie.segment.n = places[i];
		expect_status(&lie, 200, "records from far away");
		lie.stream.n = places[i];
		expect_status(&lie, 200, "a stream that is that long");
		lie.digest.rows = places[i];
		lie.m.counter = places[i];
		expect_status(&lie, 200, "so many rows, so many receipts");
	}
	free(before);
}
END_TEST

START_TEST(a12_counts_and_places_are_checked_before_memory_is_taken)
{
	static const uint64_t counts[] = { 0xffffffff, (uint64_t)1 << 32, INT64_MAX, UINT64_MAX };
	static const uint8_t head[1 + 1 + 24 + 8 + 1 + 1] = { 1 };

	remember();
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		for (int zeros = 0; zeros < 6; zeros++) {
			struct buf bytes = { 0 };

			/* sites, scopes, streams, digests, notes, then segments: none, until that
			 * many */
			buf_put(&bytes, head, sizeof head);
			memcpy(bytes.bytes + 2, node->node.r.self.node, STORE_NODE_ID);
			for (int k = 0; k < zeros; k++)
				buf_u8(&bytes, 0);
			buf_varint(&bytes, counts[i]);
			buf_put(&bytes, head, sizeof head);
			ck_assert_int_eq(ask(bytes.bytes, bytes.len, NULL), 400);
			buf_free(&bytes);
		}
	expect_unchanged("a count");
	free(before);
}
END_TEST

START_TEST(a12_indexes_stay_inside)
{
	struct lie lie;

	remember();
	make_lie(&lie);
	lie.stream.site = 1;
	expect_status(&lie, 400, "a site that isn't named");
	make_lie(&lie);
	lie.stream.scope = UINT32_MAX;
	expect_status(&lie, 400, "a scope that isn't named");
	make_lie(&lie);
	lie.digest.scope = 1;
	expect_status(&lie, 400, "a digest of none");
	make_lie(&lie);
	lie.segment.stream = 1;
	expect_status(&lie, 400, "a segment of none");
	free(before);
}
END_TEST

/* Sums, and rows said again, are for those who may read the scope. */
START_TEST(a13_questions_about_another_scope)
{
	for (int anew = 0; anew < 2; anew++) {
		struct sync_view_question q = { .anew = anew == 1, .range = store_range_all() };
		struct buf bytes = { 0 }, reply = { 0 };
		struct sync_message m;
		struct arena a = { 0 };
		struct lie lie;

		remember();
		make_lie(&lie);
		lie.m.digest_count = lie.m.segment_count = lie.m.stream_count = 0;
		lie.scope = "f/F2";
		lie.m.questions = &q;
		lie.m.question_count = 1;
		sync_message_write_part1(&bytes, &lie.m);
		sync_message_write_part2(&bytes, &lie.m);
		ck_assert_int_eq(ask(bytes.bytes, bytes.len, &reply), 200);
		must(sync_message_read(reply.bytes, reply.len, true, &a, &m, &err));
		ck_assert_uint_eq(m.answer_count, 0);
		expect_unchanged("a question about another's rows");
		arena_free(&a);
		buf_free(&bytes);
		buf_free(&reply);
		free(before);
	}
}
END_TEST

START_TEST(a13_a15_names_of_scopes)
{
	static const struct {
		const char *scope;
		int status;
	} cases[] = {
		{ "", 200 },
		{ "f/", 200 },
		{ "f/../F2", 200 },
		{ "f/F2", 200 },
		{ "hub", 200 },
		{ "../../etc/passwd", 200 },
		{ "f/F1' OR '1'='1", 200 },
		{ "\x1b[2J\n\xff\xfe", 200 },
		{ "0123456789012345678901234567890123456789012345678901234567890123", 200 },
		{ "01234567890123456789012345678901234567890123456789012345678901234", 400 },
	};
	struct lie lie;

	remember();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		make_lie(&lie);
		lie.scope = cases[i].scope;
		expect_status(&lie, cases[i].status, cases[i].scope);
	}
	free(before);
}
END_TEST

START_TEST(a28_another_node_is_not_spoken_for)
{
	struct lie lie;

	remember();
	make_lie(&lie);
	memcpy(lie.m.self.node, w.nodes[1].node.r.self.node, STORE_NODE_ID);
	expect_status(&lie, 403, "the other node as sender");
	memcpy(lie.m.self.node, w.hub.node.r.self.node, STORE_NODE_ID);
	expect_status(&lie, 403, "the hub as sender");
	/* asking for the other's stream by its name brings nothing of it */
	make_lie(&lie);
	memcpy(lie.site.site.node, w.nodes[1].node.r.self.node, STORE_NODE_ID);
	memcpy(lie.site.site.epoch, w.nodes[1].node.r.self.epoch, STORE_EPOCH);
	lie.m.segment_count = 0;
	expect_status(&lie, 200, "another's stream in our scope");
	free(before);
}
END_TEST

/* ---------------------------------------------------------------- answers */

/* Whoever answers 503 in the hub's place may say Retry-After too, and nobody has signed it. */
START_TEST(a17_an_unsigned_wish_to_wait_is_kept_short)
{
	struct node_event ev = { .type = NODE_EV_LOST,
		                 .words = "the hub answered 503",
		                 .retry_after_ms = INT64_C(86400000) };
	struct node_effects fx = { 0 };

	must(node_step(&node->node, &ev, &fx, &err));
	ck_assert(fx.met && !fx.meeting.ok);
	ck_assert_int_ge(node->node.next_sync_mono_ms - w.mono_ms, NODE_BACKOFF_MAX_MS);
	ck_assert_int_le(node->node.next_sync_mono_ms - w.mono_ms,
	                 (int64_t)2 * NODE_BACKOFF_MAX_MS);
	node_effects_clear(&fx);
}
END_TEST

/* A hub that is there and says when it is our turn hasn't failed us, however often it says so. */
START_TEST(who_is_told_when_to_come_comes_then)
{
	struct node_event ev = { .type = NODE_EV_LOST,
		                 .words = "the hub answered 503",
		                 .retry_after_ms = 10000 };
	struct node_effects fx = { 0 };

	for (int i = 0; i < 24; i++) {
		must(node_step(&node->node, &ev, &fx, &err));
		ck_assert_int_ge(node->node.next_sync_mono_ms - w.mono_ms, 10000);
		ck_assert_int_lt(node->node.next_sync_mono_ms - w.mono_ms,
		                 10000 + 10000 / 4 + NODE_BACKOFF_MIN_MS);
		node_effects_clear(&fx);
	}
}
END_TEST

/* ---------------------------------------------------------------- a line for small things only */

/* One meeting on a line on which whatever is larger than `most` vanishes; true if it went well. */
static bool
meet_small(size_t most, size_t *largest)
{
	struct node_event ev = { .type = NODE_EV_SYNC };
	struct node_effects fx = { 0 };
	struct buf reply = { 0 };
	bool ok;

	do {
		must(node_step(&node->node, &ev, &fx, &err));
		buf_free(&reply);
		if (!fx.send)
			break;
		*largest = fx.request.len > *largest ? fx.request.len : *largest;
		ev = (struct node_event){ .type = NODE_EV_LOST,
			                  .words = "timeout",
			                  .stalled = true };
		if (fx.request.len <= most && ask(fx.request.bytes, fx.request.len, &reply) == 200)
			ev = (struct node_event){ .type = NODE_EV_REPLY,
				                  .bytes = reply.bytes,
				                  .len = reply.len };
	} while (fx.send);
	ok = fx.met && fx.meeting.ok;
	node_effects_clear(&fx);
	return ok;
}

/* So many rows, each a unit of its own that nobody has fetched. */
static void
write_and_seal(int count)
{
	struct node_event tick = { .type = NODE_EV_TICK };
	struct node_effects fx = { 0 };

	for (int i = 0; i < count; i++) {
		world_wait(&w, NODE_SYNC_MS);
		world_sql(
		        node,
		        "INSERT INTO note(facility_id, text) VALUES ('F1', hex(randomblob(200)))");
		node->node.next_sync_mono_ms = w.mono_ms + 1; /* only seal */
		must(node_step(&node->node, &tick, &fx, &err));
	}
	node_effects_clear(&fx);
}

/* F40: a line whose packets vanish by size, or that stalls under more than a little. */
START_TEST(f40_a_push_that_stalls_is_made_small)
{
	struct node_event lost = { .type = NODE_EV_LOST, .words = "timeout", .stalled = true };
	struct node_effects fx = { 0 };
	size_t largest = 0;

	must(node_step(&node->node, &lost, &fx, &err)); /* what open_world() had begun */
	node_effects_clear(&fx);
	write_and_seal(60);
	ck_assert(!meet_small(8192, &largest));
	ck_assert_uint_gt(largest, 8192);
	largest = 0;
	ck_assert(meet_small(8192, &largest));
	ck_assert_uint_le(largest, 8192);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE facility_id = 'F1'"),
	                 62);
	/* and a line that is good again carries much at once */
	largest = 0;
	for (int i = 0; i < 60; i++)
		world_sql(
		        node,
		        "INSERT INTO note(facility_id, text) VALUES ('F1', hex(randomblob(200)))");
	ck_assert(meet_small(1 << 20, &largest));
	ck_assert_uint_gt(largest, 8192);
}
END_TEST

/* While nobody knows whether there is a line a try packs little; once there is one, all goes up. */
START_TEST(f32_a_try_on_a_dead_line_is_small)
{
	struct node_event lost = { .type = NODE_EV_LOST, .words = "no route" };
	struct node_event ask = { .type = NODE_EV_SYNC };
	struct node_effects fx = { 0 };
	struct node_met met;

	must(node_step(&node->node, &lost, &fx, &err)); /* what open_world() had begun */
	write_and_seal(60);
	for (int i = 0; i < 4; i++) {
		must(node_step(&node->node, &ask, &fx, &err));
		ck_assert(fx.send);
		if (i > 0) {
			ck_assert_uint_lt(fx.request.len, 8192);
			world_sql(node, "INSERT INTO note(facility_id, text) VALUES ('F1', 'x')");
		}
		must(node_step(&node->node, &lost, &fx, &err));
	}
	node_effects_clear(&fx);
	world_meet(&w, 0, &met);
	ck_assert(met.ok);
	ck_assert_int_le(met.round_trips, 3);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE facility_id = 'F1'"),
	                 world_int(node, "SELECT count(*) FROM note"));
}
END_TEST

Suite *
suite_attack_message(void)
{
	Suite *suite = suite_create("attack/message");
	TCase *tc = tcase_create("requests");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, a03_a_cut_request_is_refused);
	tcase_add_test(tc, a03_a_turned_bit_brings_no_row);
	tcase_add_test(tc, a07_places_beyond_the_end_are_a_gap);
	tcase_add_test(tc, a12_counts_and_places_are_checked_before_memory_is_taken);
	tcase_add_test(tc, a12_indexes_stay_inside);
	tcase_add_test(tc, a13_questions_about_another_scope);
	tcase_add_test(tc, a13_a15_names_of_scopes);
	tcase_add_test(tc, a28_another_node_is_not_spoken_for);
	tcase_add_test(tc, a17_an_unsigned_wish_to_wait_is_kept_short);
	tcase_add_test(tc, who_is_told_when_to_come_comes_then);
	tcase_add_test(tc, f40_a_push_that_stalls_is_made_small);
	tcase_add_test(tc, f32_a_try_on_a_dead_line_is_small);
	suite_add_tcase(suite, tc);
	return suite;
}
