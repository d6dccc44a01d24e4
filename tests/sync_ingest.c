/*
 * tests/sync_ingest.c - segments at the door: what isn't proven changes nothing,
 * what is proven is stored, and only what its writer may write is applied.
 */
#include "store/base/text.h"
#include "store/stmt.h"
#include "store/track.h"
#include "sync/codec/codec.h"
#include "sync/exchange/outgoing.h"
#include "sync/seal/seal.h"
#include "tests/parcels.h"
#include "tests/suites.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F2", NULL };

static struct world w;
static struct world_peer fresh;
static struct parcels parcels;
static struct err err;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

/* Seal and sign what a peer wrote. */
static void
seal(struct world_peer *p)
{
	struct sync_sealed sealed;

	must(store_db_begin(p->merge, &err));
	must(sync_seal(&p->node.r, &sealed, &err));
	must(sync_seal_sign(&p->node.r, &p->key, &err));
	must(store_db_commit(p->merge, &err));
}

static void
open_world(void)
{
	world_open(&w, 5, facilities);
	world_open_fresh(&w, &fresh, "fresh");
	seal(&fresh); /* the first one notes what the schema is */
}

static void
close_world(void)
{
	parcels_free(&parcels);
	world_close_fresh(&fresh);
	world_close(&w);
}

static void
write_and_seal(struct world_peer *p, const char *sql)
{
	world_sql(p, sql);
	world_wait(&w, 1000);
	seal(p);
}

static void
pack(struct world_peer *p, enum parcels_how how)
{
	parcels_free(&parcels);
	parcels_pack(&w, p, how, &parcels);
}

/* What nobody may see a trace of. */
static void
expect_refused_without_trace(const struct parcel *parcel, const char *what, const char *reason)
{
	char *before = parcels_dump_file(&fresh), *after;
	struct sync_ingested got = parcel_deliver(&fresh, parcel, true);

	ck_assert_msg(got.outcome == SYNC_REFUSED, "%s: outcome %d", what, (int)got.outcome);
	ck_assert_msg(reason == NULL || strstr(got.reason, reason) != NULL, "%s: %s", what,
	              got.reason);
	after = parcels_dump_file(&fresh);
	ck_assert_msg(strcmp(before, after) == 0, "%s left something behind", what);
	free(before);
	free(after);
}

static struct parcel
copy_of(const struct parcel *parcel, size_t len)
{
	struct parcel copy = { .first = parcel->first, .last = parcel->last };

	buf_put(&copy.bytes, parcel->bytes.bytes, len);
	must(buf_check(&copy.bytes, &err));
	return copy;
}

static const char two_rows[] =
        "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'one'), (x'02', 'F1', 'two')";

START_TEST(truncated_is_refused)
{
	write_and_seal(&w.nodes[0], two_rows);
	pack(&w.nodes[0], PARCELS_WHOLE);
	for (size_t len = 0; len < parcels.items[0].bytes.len; len++) {
		struct parcel cut = copy_of(&parcels.items[0], len);

		expect_refused_without_trace(&cut, "truncated", NULL);
		buf_free(&cut.bytes);
	}
	ck_assert_int_eq(parcel_deliver(&fresh, &parcels.items[0], false).outcome, SYNC_STORED);
}
END_TEST

START_TEST(flipped_bit_is_refused)
{
	write_and_seal(&w.nodes[0], two_rows);
	pack(&w.nodes[0], PARCELS_WHOLE);
	for (size_t i = 0; i < parcels.items[0].bytes.len; i++) {
		struct parcel bent = copy_of(&parcels.items[0], parcels.items[0].bytes.len);

		bent.bytes.bytes[i] ^= (uint8_t)(1U << i % 8);
		expect_refused_without_trace(&bent, "bit flipped", NULL);
		buf_free(&bent.bytes);
	}
}
END_TEST

/* ---- the short form, which has no checksum of its own ---- */

static struct sync_ingest_from
stream_of(struct world_peer *p, const char *scope)
{
	struct sync_ingest_from from = { .scope = scope };

	memcpy(from.site.node, p->node.r.self.node, STORE_NODE_ID);
	memcpy(from.site.epoch, p->node.r.self.epoch, STORE_EPOCH);
	return from;
}

/* One segment; `keep`, or see what would happen. */
static struct sync_ingested
push(const struct sync_ingest_from *from, const uint8_t *bytes, size_t len, bool keep)
{
	struct rd r = rd_from(bytes, len);
	struct sync_ingested got;

	must(sync_ingest_begin(&fresh.node.r, &err));
	must(sync_ingest_short(&fresh.node.r, from, &r, &got, &err));
	if (keep)
		must(sync_ingest_end(&fresh.node.r, &err));
	else
		sync_ingest_abort(&fresh.node.r);
	return got;
}

/* The short form of the only stream of a peer, without its length. */
static const uint8_t *
short_form(struct world_peer *p, struct buf *out, size_t *len)
{
	struct store_stream *list;
	struct arena a = { 0 };
	size_t count;
	struct rd r;
	uint64_t to;

	must(store_stream_list(p->merge, 0, &a, &list, &count, &err));
	ck_assert_uint_eq(count, 1);
	must(sync_outgoing_next(p->merge, &list[0], 0, out, &to, &err));
	arena_free(&a);
	r = rd_from(out->bytes, out->len);
	return rd_lenbytes(&r, len);
}

START_TEST(short_form_is_held_to_the_same)
{
	struct sync_ingest_from from = stream_of(&w.nodes[0], "f/F1");
	struct buf out = { 0 };
	char *before = parcels_dump_file(&fresh), *after;
	const uint8_t *bytes;
	uint8_t bent[4096];
	size_t len, harmless = 0;

	write_and_seal(&w.nodes[0], two_rows);
	bytes = short_form(&w.nodes[0], &out, &len);
	ck_assert_uint_lt(len, sizeof bent);
	for (size_t i = 0; i < len * 8; i++) {
		memcpy(bent, bytes, len);
		bent[i / 8] ^= (uint8_t)(1U << i % 8);
		if (push(&from, bent, len, false).outcome == SYNC_REFUSED)
			ck_assert_int_eq(push(&from, bent, len, true).outcome, SYNC_REFUSED);
		else
			harmless++;
	}
	/* zstd lets some bits of a frame mean nothing; the records are proven, not their packing */
	ck_assert_uint_le(harmless, 16);
	for (size_t i = 0; i < len; i++)
		ck_assert_int_eq(push(&from, bytes, i, true).outcome, SYNC_REFUSED);
	after = parcels_dump_file(&fresh);
	ck_assert_msg(strcmp(after, before) == 0, "something was left behind");
	ck_assert_int_eq(push(&from, bytes, len, true).outcome, SYNC_STORED);
	free(before);
	free(after);
	buf_free(&out);
}
END_TEST

START_TEST(oversized_counts_are_refused)
{
	struct {
		const char *what;
		uint64_t more, seeds, raw, stored;
	} cases[] = {
		{ "records", (uint64_t)1 << 40, 19, 100, 10 },
		{ "records by one", SYNC_RECORDS_MAX, 19, 100, 10 },
		{ "records that turn around", UINT64_MAX, 19, 100, 10 },
		{ "seeds", 1, (uint64_t)1 << 40, 100, 10 },
		{ "raw bytes", 1, 19, SYNC_RAW_MAX + 1, 10 },
		{ "raw bytes in 64 bits", 1, 19, (uint64_t)1 << 32, 10 },
		{ "stored bytes", 1, 19, 100, SYNC_STORED_MAX + 1 },
		{ "stored bytes that aren't there", 1, 19, 100, 60000 },
	};
	struct sync_ingest_from from = stream_of(&w.nodes[0], "f/F1");
	char *before = parcels_dump_file(&fresh), *after;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf b = { 0 };
		uint8_t zero[SYNC_STORED_MAX + 1] = { 0 };

		buf_u8(&b, 1);
		buf_varint(&b, cases[i].more);
		buf_put(&b, zero, STORE_SIGNATURE);
		buf_varint(&b, cases[i].seeds);
		buf_put(&b, zero, 19);
		buf_varint(&b, cases[i].raw);
		buf_varint(&b, cases[i].stored);
		buf_put(&b, zero, cases[i].stored == 60000 ? 10 : cases[i].stored);
		ck_assert_msg(push(&from, b.bytes, b.len, true).outcome == SYNC_REFUSED, "%s",
		              cases[i].what);
		buf_free(&b);
	}
	after = parcels_dump_file(&fresh);
	ck_assert_msg(strcmp(after, before) == 0, "something was left behind");
	free(before);
	free(after);
}
END_TEST

/* ---- whose, and where ---- */

static bool
key_of_the_other(void *ctx, const struct store_site *site, uint8_t key[SYNC_PUBLIC_KEY])
{
	(void)ctx;
	(void)site;
	memcpy(key, w.nodes[1].key.public_key, SYNC_PUBLIC_KEY);
	return true;
}

START_TEST(signed_by_another_key_is_refused)
{
	write_and_seal(&w.nodes[0], two_rows);
	pack(&w.nodes[0], PARCELS_WHOLE);
	fresh.node.r.key_of = key_of_the_other;
	expect_refused_without_trace(&parcels.items[0], "another key",
	                             "not signed by the site's key");
	fresh.node.r.key_of = NULL;
	expect_refused_without_trace(&parcels.items[0], "no key known",
	                             "not signed by the site's key");
}
END_TEST

START_TEST(key_that_is_kept_is_the_one_that_proved_it)
{
	struct sync_ingest_from from = stream_of(&w.nodes[0], "f/F1");
	struct store_segment seg;
	struct arena a = { 0 };
	struct buf out = { 0 };
	const uint8_t *bytes;
	size_t len;

	write_and_seal(&w.nodes[0], two_rows);
	bytes = short_form(&w.nodes[0], &out, &len);
	ck_assert_int_eq(push(&from, bytes, len, true).outcome, SYNC_STORED);
	must(store_segment_at(fresh.merge, 1, 1, &a, &seg, &err));
	ck_assert_mem_eq(seg.key, w.nodes[0].key.public_key, SYNC_PUBLIC_KEY);
	arena_free(&a);
	buf_free(&out);
}
END_TEST

START_TEST(gap_known_and_overlap)
{
	struct parcels rolled = { .count = 0 };
	struct sync_ingested got;

	write_and_seal(&w.nodes[0], two_rows);
	write_and_seal(&w.nodes[0], "UPDATE note SET text = 'three'");
	write_and_seal(&w.nodes[0], "UPDATE note SET rank = 4");
	pack(&w.nodes[0], PARCELS_WHOLE);
	ck_assert_uint_eq(parcels.count, 3);
	ck_assert_int_eq(parcel_deliver(&fresh, &parcels.items[1], false).outcome, SYNC_GAP);
	ck_assert_int_eq(world_int(&fresh, "SELECT count(*) FROM yz_stream"), 0);
	ck_assert_int_eq(parcel_deliver(&fresh, &parcels.items[0], false).outcome, SYNC_STORED);
	got = parcel_deliver(&fresh, &parcels.items[0], false);
	ck_assert_int_eq(got.outcome, SYNC_KNOWN);
	ck_assert_uint_eq(got.n, parcels.items[0].last);
	/* the day's roll-up comes to one who has its morning */
	parcels_pack(&w, &w.nodes[0], PARCELS_ROLLED, &rolled);
	got = parcel_deliver(&fresh, &rolled.items[0], false);
	ck_assert_int_eq(got.outcome, SYNC_STORED);
	ck_assert_int_eq(got.changes, 4);
	ck_assert_int_eq(
	        world_int(&fresh, "SELECT count(*) FROM note WHERE text = 'three' AND rank = 4"),
	        2);
	ck_assert_int_eq(parcel_deliver(&fresh, &parcels.items[1], false).outcome, SYNC_KNOWN);
	ck_assert_int_eq(world_int(&fresh, "SELECT sum(last - first + 1) FROM yz_segment"),
	                 (int64_t)parcels.items[2].last);
	parcels_free(&rolled);
}
END_TEST

/* A second life of node 0's file that nobody knows of: same key, same epoch, other records. */
static void
open_twin(struct world_peer *twin)
{
	world_open_fresh(&w, twin, "twin");
	node_close(&twin->node);
	twin->key = w.nodes[0].key;
	must(store_meta_set(twin->merge, "node", w.nodes[0].node.r.self.node, STORE_NODE_ID, &err));
	must(store_meta_set(twin->merge, "epoch", w.nodes[0].node.r.self.epoch, STORE_EPOCH, &err));
	must(node_open(&twin->node, twin->merge, &twin->key, false, &err));
}

START_TEST(fork_is_told_from_known)
{
	struct world_peer twin;
	struct parcels other = { .count = 0 };
	char *before, *after;

	open_twin(&twin);
	write_and_seal(&w.nodes[0], two_rows);
	write_and_seal(&w.nodes[0], "UPDATE note SET rank = 4");
	write_and_seal(&twin, "INSERT INTO note(id, facility_id, text) VALUES (x'03', 'F1', "
	                      "'mine'), (x'04', 'F1', 'x')");
	write_and_seal(&twin, "UPDATE note SET rank = 5");
	write_and_seal(&twin, "UPDATE note SET rank = 6");
	pack(&w.nodes[0], PARCELS_WHOLE);
	parcels_pack(&w, &twin, PARCELS_WHOLE, &other);
	for (size_t i = 0; i < parcels.count; i++)
		ck_assert_int_eq(parcel_deliver(&fresh, &parcels.items[i], false).outcome,
		                 SYNC_STORED);
	before = parcels_dump_file(&fresh);
	for (size_t i = 0; i < other.count; i++)
		ck_assert_msg(parcel_deliver(&fresh, &other.items[i], false).outcome == SYNC_FORK,
		              "segment %zu", i);
	parcels_free(&other);
	parcels_pack(&w, &twin, PARCELS_ROLLED, &other);
	ck_assert_int_eq(parcel_deliver(&fresh, &other.items[0], false).outcome, SYNC_FORK);
	after = parcels_dump_file(&fresh);
	ck_assert_msg(strcmp(after, before) == 0, "something was left behind");
	free(before);
	free(after);
	parcels_free(&other);
	world_close_fresh(&twin);
}
END_TEST

START_TEST(unit_waits_for_what_it_has_seen)
{
	struct world_peer reader;
	char *before, *after;
	size_t later = 0;

	/* the hub answers what node 0 wrote */
	world_sql(&w.nodes[0], two_rows);
	ck_assert(world_sync(&w, 0));
	write_and_seal(&w.hub, "UPDATE note SET text = 'seen'");
	pack(&w.hub, PARCELS_WHOLE);
	ck_assert_uint_eq(parcels.count, 2);
	world_open_fresh(&w, &reader, "reader");
	if (parcel_deliver(&reader, &parcels.items[0], false).outcome == SYNC_WAITS)
		later = 0;
	else
		later = 1;
	world_close_fresh(&reader);
	before = parcels_dump_file(&fresh);
	ck_assert_int_eq(parcel_deliver(&fresh, &parcels.items[later], false).outcome, SYNC_WAITS);
	after = parcels_dump_file(&fresh);
	ck_assert_msg(strcmp(after, before) == 0, "something was left behind");
	ck_assert_int_eq(parcel_deliver(&fresh, &parcels.items[1 - later], false).outcome,
	                 SYNC_STORED);
	ck_assert_int_eq(parcel_deliver(&fresh, &parcels.items[later], false).outcome, SYNC_STORED);
	ck_assert_int_eq(world_int(&fresh, "SELECT count(*) FROM note WHERE text = 'seen'"), 2);
	free(before);
	free(after);
}
END_TEST

/* ---- rights ---- */

START_TEST(another_facilitys_scope_is_stored_not_applied)
{
	struct world_peer *thief = &w.nodes[0];

	thief->node.r.may_write = NULL; /* it doesn't ask itself */
	world_sql(thief,
	          "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'not mine')");
	world_sql(thief, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'mine')");
	ck_assert(world_sync(&w, 0));
	world_sql(thief, "UPDATE note SET text = text || '!'");
	ck_assert(world_sync(&w, 0));
	/* stored and acknowledged */
	ck_assert_int_eq(world_int(thief, "SELECT sum(n) FROM yz_ack"),
	                 world_int(thief, "SELECT sum(n) FROM yz_stream"));
	ck_assert_int_eq(world_int(&w.hub, "SELECT sum(n) FROM yz_stream"),
	                 world_int(thief, "SELECT sum(n) FROM yz_stream"));
	/* not applied, listed, and the rest goes on */
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE facility_id = 'F2'"),
	                 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'mine!'"), 1);
	ck_assert_int_eq(
	        world_int(&w.hub,
	                  "SELECT count(*) FROM yz_quarantine WHERE reason LIKE '%no right%'"),
	        2);
}
END_TEST

/* The writer's own word for a row's scope is worth nothing: it could call anything its own. */
START_TEST(row_of_another_facility_in_an_honest_scope_is_not_applied)
{
	struct store_track_spec mine = { .table = "note", .scope = "f/F1", .max = "top" };
	struct world_peer *thief = &w.nodes[0];

	world_sql(thief, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'mine')");
	ck_assert(world_sync(&w, 0));
	must(store_db_begin(thief->merge, &err));
	w.spoiled = true; /* the thief's rows are its own alone */
	must(store_track_stop(thief->merge, "note", &err));
	must(store_track_table(thief->merge, &mine, false, &err));
	must(store_db_commit(thief->merge, &err));
	world_sql(thief,
	          "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'not mine')");
	world_sql(thief,
	          "INSERT INTO note(id, facility_id, text) VALUES (x'03', 'F1', 'mine too')");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE facility_id = 'F2'"),
	                 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE facility_id = 'F1'"),
	                 2);
	ck_assert_int_eq(
	        world_int(&w.hub, "SELECT count(*) FROM yz_quarantine WHERE key = x'040102'"), 1);
}
END_TEST

Suite *
suite_sync_ingest(void)
{
	Suite *suite = suite_create("sync/ingest");
	TCase *tc = tcase_create("door");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, truncated_is_refused);
	tcase_add_test(tc, flipped_bit_is_refused);
	tcase_add_test(tc, short_form_is_held_to_the_same);
	tcase_add_test(tc, oversized_counts_are_refused);
	tcase_add_test(tc, signed_by_another_key_is_refused);
	tcase_add_test(tc, key_that_is_kept_is_the_one_that_proved_it);
	tcase_add_test(tc, gap_known_and_overlap);
	tcase_add_test(tc, fork_is_told_from_known);
	tcase_add_test(tc, unit_waits_for_what_it_has_seen);
	tcase_add_test(tc, another_facilitys_scope_is_stored_not_applied);
	tcase_add_test(tc, row_of_another_facility_in_an_honest_scope_is_not_applied);
	suite_add_tcase(suite, tc);
	return suite;
}
