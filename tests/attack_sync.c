/*
 * tests/attack_sync.c - attacks by a node that is enrolled, with its own valid
 * key, against rows and files of others (tests/DESIGN.md, "Attacks").  Each test
 * names its row and asserts the refusal and that nothing else changed.
 */
#include "store/stmt.h"
#include "store/track.h"
#include "sync/codec/segment.h"
#include "sync/merge/law_priv.h"
#include "tests/memory.h"
#include "tests/parcels.h"
#include "tests/suites.h"
#include "tests/sync_vectors.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F2", NULL };

static struct world w;
static struct world_peer *const thief = &w.nodes[0], *const victim = &w.nodes[1];
static struct err err;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

static void
open_world(void)
{
	world_open(&w, 11, facilities);
}

static void
close_world(void)
{
	world_close(&w);
}

/* ---------------------------------------------------------------- rows of another facility */

static char f2_before[33];

/* What F2 has, at home and at the hub. */
static void
remember_f2(void)
{
	char home[33];

	ck_assert(world_sync(&w, 1));
	world_digest(&w.hub, "f/F2", f2_before);
	ck_assert_str_eq(world_digest(victim, "f/F2", home), f2_before);
}

static void
expect_f2_unchanged(const char *what)
{
	char now[33];

	ck_assert_msg(strcmp(world_digest(&w.hub, "f/F2", now), f2_before) == 0, "%s: at the hub",
	              what);
	ck_assert(world_sync(&w, 1));
	ck_assert_msg(strcmp(world_digest(victim, "f/F2", now), f2_before) == 0, "%s: at home",
	              what);
	ck_assert_msg(strcmp(world_digest(&w.hub, "f/F2", now), f2_before) == 0,
	              "%s: at the hub, later", what);
}

static int64_t
quarantined(struct world_peer *p)
{
	return world_int(p, "SELECT count(*) FROM yz_quarantine");
}

START_TEST(a01_scope_of_another_facility)
{
	thief->node.r.may_write = NULL; /* it doesn't ask itself */
	world_sql(victim, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'ours')");
	remember_f2();
	world_sql(thief, "INSERT INTO note(id, facility_id, text) VALUES (x'03', 'F2', 'new')");
	world_sql(thief, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'other')");
	world_sql(thief, "INSERT INTO daily VALUES ('c', 1, 'F2', 'x', 1)");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(quarantined(&w.hub), 1); /* the unit, as one */
	expect_f2_unchanged("a record in its stream");
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 1);
	ck_assert_int_eq(world_int(victim, "SELECT count(*) FROM note WHERE text = 'ours'"), 1);
}
END_TEST

/* What a street's facilities share; only the hub writes it. */
static void
track_street(struct world_peer *p, bool is_hub)
{
	struct store_track_spec spec = {
		.table = "told", .scope = "s/", .scope_column = "street", .hub_only = "cases"
	};

	world_sql(p, "CREATE TABLE told(street TEXT NOT NULL, facility_id TEXT NOT NULL, cases,"
	             " PRIMARY KEY(street, facility_id)) WITHOUT ROWID");
	must(store_db_begin(p->merge, &err));
	must(store_track_table(p->merge, &spec, is_hub, &err));
	must(store_db_commit(p->merge, &err));
}

START_TEST(a01_scope_of_a_street)
{
	char before[33], now[33];

	w.spoiled = true; /* what the thief made up is its own alone */
	track_street(&w.hub, true);
	track_street(thief, false);
	track_street(victim, false);
	world_sql(&w.hub, "INSERT INTO told VALUES ('330105', 'F2', 1)");
	remember_f2();
	ck_assert(world_sync(&w, 0));
	world_digest(&w.hub, "s/330105", before);
	thief->node.r.may_write = NULL; /* it doesn't ask itself, nor do its triggers */
	world_sql(thief, "DROP TRIGGER yz_told_bi");
	world_sql(thief, "INSERT OR REPLACE INTO told VALUES ('330105', 'F2', 5),"
	                 " ('330105', 'F1', 5), ('S2', 'F1', 5)");
	ck_assert_int_eq(world_int(thief, "SELECT count(*) FROM told WHERE cases = 5"), 3);
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(quarantined(&w.hub), 2); /* a unit of each street */
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM told WHERE cases = 5"), 0);
	ck_assert_str_eq(world_digest(&w.hub, "s/330105", now), before);
	expect_f2_unchanged("a record in a street's stream");
	ck_assert_int_eq(world_int(victim, "SELECT count(*) FROM told WHERE cases = 5"), 0);
}
END_TEST

/* The thief's own word for which rows are its own: all of them. */
static void
claim_all_notes(void)
{
	struct store_track_spec mine = { .table = "note", .scope = "f/F1", .max = "top" };

	must(store_db_begin(thief->merge, &err));
	must(store_track_stop(thief->merge, "note", &err));
	must(store_track_table(thief->merge, &mine, false, &err));
	must(store_db_commit(thief->merge, &err));
}

/* What the thief writes about F2's row 02 in a segment that is otherwise honest. */
static const struct theft {
	const char *what;
	const char *sql[3];
} thefts[] = {
	{ "a row of F2",
	  { "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'stolen')" } },
	{ "F2's row as F1's",
	  { "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'stolen')" } },
	{ "an edit of it",
	  { "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'stolen')",
	    "UPDATE note SET text = 'again', top = 9 WHERE id = x'02'" } },
	{ "an edit as F1's",
	  { "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'stolen')",
	    "UPDATE note SET text = 'again', top = 9 WHERE id = x'02'" } },
	{ "its death",
	  { "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'stolen')",
	    "DELETE FROM note WHERE id = x'02'" } },
	{ "its death as F1's",
	  { "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'stolen')",
	    "DELETE FROM note WHERE id = x'02'" } },
	{ "many lives of it",
	  { "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'stolen')",
	    "DELETE FROM note WHERE id = x'02'",
	    "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'born again')" } },
};

enum { THEFTS = sizeof thefts / sizeof thefts[0] };

START_TEST(a02_row_of_another_facility_in_an_honest_segment)
{
	const struct theft *t = &thefts[_i];

	w.spoiled = true; /* what the thief made up is its own alone */
	world_sql(victim, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'ours')");
	remember_f2();
	world_sync(&w, 0);
	claim_all_notes();
	for (size_t i = 0; i < 3 && t->sql[i] != NULL; i++) {
		world_wait(&w, 1000);
		world_sql(thief, t->sql[i]);
		world_sql(thief, "INSERT INTO note(facility_id, text) VALUES ('F1', 'honest')");
		ck_assert(world_sync(&w, 0));
		expect_f2_unchanged(t->what);
	}
	ck_assert_int_ge(quarantined(&w.hub), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE id = x'02' AND "
	                                   "facility_id = 'F2' AND text = 'ours' AND top = 0"),
	                 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'honest'"),
	                 world_int(thief, "SELECT count(*) FROM note WHERE text = 'honest'"));
}
END_TEST

/* A table whose key says whose its rows are, so that it can be guessed: the row of a facility. */
static void
track_place(struct world_peer *p, const char *scope, const char *column)
{
	struct store_track_spec spec = { .table = "place", .scope = scope, .scope_column = column };

	world_sql(p, "CREATE TABLE place(facility_id TEXT NOT NULL PRIMARY KEY, name TEXT) WITHOUT "
	             "ROWID");
	must(store_db_begin(p->merge, &err));
	must(store_track_table(p->merge, &spec, p == &w.hub, &err));
	must(store_db_commit(p->merge, &err));
}

START_TEST(a02_row_of_another_facility_before_it_has_come)
{
	track_place(&w.hub, "f/", "facility_id");
	track_place(victim, "f/", "facility_id");
	track_place(thief, "f/F1", NULL);
	world_sql(thief, "INSERT INTO place VALUES ('F2', 'mine')");
	ck_assert(world_sync(&w, 0));
	world_sql(thief, "UPDATE place SET name = 'squatted'");
	ck_assert(world_sync(&w, 0));
	world_sql(thief, "DELETE FROM place");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(quarantined(&w.hub), 3);
	world_sql(victim, "INSERT INTO place VALUES ('F2', 'ours')");
	remember_f2();
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM place WHERE name = 'ours'"), 1);
	ck_assert_int_eq(quarantined(&w.hub), 3);
}
END_TEST

/* It says nothing of whose the row is, or nothing that can be a facility. */
static const struct theft unsaid[] = {
	{ "a facility of bytes",
	  { "INSERT INTO note(id, facility_id, text) VALUES (x'05', x'4631', 'x')",
	    "UPDATE note SET text = 'y' WHERE id = x'05'" } },
	{ "no facility",
	  { "DROP TABLE note; CREATE TABLE note(id BLOB NOT NULL PRIMARY KEY, text TEXT) WITHOUT "
	    "ROWID",
	    "INSERT INTO note VALUES (x'05', 'x')", "UPDATE note SET text = 'y'" } },
};

enum { UNSAID = sizeof unsaid / sizeof unsaid[0] };

START_TEST(a02_row_that_does_not_say_whose_it_is)
{
	struct store_track_spec mine = { .table = "note",
		                         .scope = "f/F1",
		                         .max = _i == 0 ? "top" : NULL };

	w.spoiled = true; /* what the thief made up is its own alone */
	world_sql(victim, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'ours')");
	remember_f2();
	world_sync(&w, 0);
	must(store_db_begin(thief->merge, &err));
	must(store_track_stop(thief->merge, "note", &err));
	must(store_db_commit(thief->merge, &err));
	world_sql(thief, unsaid[_i].sql[0]);
	must(store_db_begin(thief->merge, &err));
	must(store_track_table(thief->merge, &mine, false, &err));
	must(store_db_commit(thief->merge, &err));
	for (size_t i = 0; i < 3 && unsaid[_i].sql[i] != NULL; i++) {
		if (i > 0)
			world_sql(thief, unsaid[_i].sql[i]);
		ck_assert(world_sync(&w, 0));
		expect_f2_unchanged(unsaid[_i].what);
		ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE id = x'05'"),
		                 0);
	}
	ck_assert_int_ge(quarantined(&w.hub), 1);
}
END_TEST

/* ---------------------------------------------------------------- segments made by hand */

static struct vectors forged;

/* The first records of somebody's, whatever they are, as their own honest signature covers them.
 * The last of them is redacted if so said. */
static struct parcel
forge_by(const struct world_peer *by, size_t count, bool redacted)
{
	struct sync_codec_schemas schemas = vectors_resolver(&forged);
	uint64_t last = count;
	struct sync_segment_which which = { &last, 1 };
	struct sync_segment_at at = { .seed = { 7 } };
	struct store_segment seg;
	struct sync_site self;
	struct parcel parcel = { .first = 1, .last = count };

	memcpy(self.node, by->node.r.self.node, STORE_NODE_ID);
	memcpy(self.epoch, by->node.r.self.epoch, STORE_EPOCH);
	must(sync_segment_build(&at, forged.records, count, &forged.arena, &seg, &err));
	seg.is_signed = true;
	memcpy(seg.key, by->key.public_key, SYNC_PUBLIC_KEY);
	sync_sign_head(&by->key, &self, "f/F1", count, seg.head, seg.signature);
	if (redacted)
		must(sync_segment_redact(&seg, &which, &schemas, &forged.arena, &seg, &err));
	sync_segment_write(&parcel.bytes, &seg, &self, "f/F1");
	must(buf_check(&parcel.bytes, &err));
	return parcel;
}

static struct parcel
forge(size_t count)
{
	return forge_by(thief, count, false);
}

/* An opening and three changes of a row that says it is F1's, of this table. */
static void
make_forged(const char *table)
{
	vectors_make(&forged);
	forged.schema.table = table;
	forged.columns[5].hub_only = false;
	must(store_schema_finish(&forged.schema, &err));
	buf_clear(&forged.definition);
	store_schema_write(&forged.definition, &forged.schema);
	forged.definitions[0].bytes = forged.definition.bytes;
	forged.definitions[0].len = forged.definition.len;
	forged.values[1] = store_value_text("F1");
	forged.plain.seen_count = 0;
}

#define SCHEMA_SQL "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2"

#define META_SQL "SELECT name, value FROM yz_meta WHERE name IN ('node', 'epoch') ORDER BY 1"

START_TEST(a14_names_come_from_the_catalogue_only)
{
	static const char *const tables[] = {
		"x\"; DROP TABLE note; --",
		"x'; DROP TABLE note; --",
		"sqlite_schema",
		"sqlite_master",
		"sqlite_sequence",
		"yz_meta",
		"yz_clock",
		"yz_extra",
		"hub_token",
		"main.note",
		"note; --",
		"pragma_table_info",
	};
	char *schema, *now, *meta, *meta_now;
	struct sync_ingested got;
	struct parcel parcel;

	world_sql(&w.hub, "CREATE TABLE hub_token(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT, "
	                  "weight_g INTEGER, posture TEXT, score REAL, revoked INTEGER)");
	schema = world_dump(&w.hub, SCHEMA_SQL);
	meta = world_dump(&w.hub, META_SQL);
	make_forged(tables[_i]);
	parcel = forge(3);
	got = parcel_deliver(&w.hub, &parcel, true);
	ck_assert_msg(got.outcome == SYNC_STORED || got.outcome == SYNC_REFUSED, "%s: %d %s",
	              tables[_i], (int)got.outcome, got.reason);
	now = world_dump(&w.hub, SCHEMA_SQL);
	ck_assert_msg(strcmp(now, schema) == 0, "%s changed the schema", tables[_i]);
	meta_now = world_dump(&w.hub, META_SQL);
	ck_assert_msg(strcmp(meta_now, meta) == 0, "%s changed yz_meta", tables[_i]);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM hub_token"), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 0);
	if (got.outcome == SYNC_STORED) /* kept for whoever knows such a table */
		ck_assert_int_ge(world_int(&w.hub, "SELECT count(*) FROM yz_extra"), 1);
	buf_free(&parcel.bytes);
	vectors_free(&forged);
	free(schema);
	free(now);
	free(meta);
	free(meta_now);
}
END_TEST

/* A facility speaks for itself: passing on what others wrote is the hub's. */
START_TEST(a02_words_put_into_the_hubs_mouth)
{
	struct sync_ingested got;
	struct parcel parcel;

	make_forged("golden");
	memcpy(forged.origins[0].node, w.hub.node.r.self.node, STORE_NODE_ID);
	memcpy(forged.origins[0].epoch, w.hub.node.r.self.epoch, STORE_EPOCH);
	forged.plain.kind = SYNC_RELAY;
	forged.plain.origin_count = 1;
	forged.plain.origins = forged.origins;
	parcel = forge(4);
	got = parcel_deliver(&w.hub, &parcel, true);
	ck_assert_int_eq(got.outcome, SYNC_STORED);
	ck_assert_int_eq(got.changes, 0);
	ck_assert_int_eq(quarantined(&w.hub), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_clock"), 0);
	buf_free(&parcel.bytes);
	vectors_free(&forged);
}
END_TEST

/* Three rows of F1's segment, of which the middle one alone says that it is F1's: what the others
 * say begins with the same bytes. */
START_TEST(a02_row_that_says_it_with_half_a_word)
{
	static const char *const said[] = { "", "F1", "" };
	static struct store_value values[3][sizeof forged.values / sizeof forged.values[0]];
	static uint8_t ids[3] = { 1, 2, 3 };
	struct sync_ingested got;
	struct parcel parcel;

	make_forged("golden");
	for (size_t i = 0; i < 3; i++) {
		struct sync_record *rec = &forged.records[VECTOR_INSERT + i];

		*rec = forged.records[VECTOR_INSERT];
		memcpy(values[i], forged.values, sizeof values[i]);
		values[i][0] = store_value_blob(&ids[i], 1);
		values[i][1] = store_value_text(said[i]);
		rec->change.values = values[i];
	}
	parcel = forge(4);
	got = parcel_deliver(&w.hub, &parcel, true);
	ck_assert_int_eq(got.outcome, SYNC_STORED);
	ck_assert_int_eq(got.changes, 1);
	ck_assert_int_eq(got.kept_aside, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine WHERE reason LIKE"
	                                   " '%own scope is not the one%'"),
	                 2);
	buf_free(&parcel.bytes);
	vectors_free(&forged);
}
END_TEST

/* The bytes that have just said it, but not all of them. */
START_TEST(a02_half_of_the_bytes_that_said_it)
{
	const struct store_site *site;
	const struct store_schema *note = store_catalog_table_by_name(w.hub.merge, "note")->local;
	struct store_value values[STORE_COLUMNS_MAX] = { store_value_blob("1", 1) };
	struct store_change c = { .schema = note,
		                  .op = STORE_INSERT,
		                  .cl = 1,
		                  .stamp = 1,
		                  .mask = note->cells,
		                  .values = values };
	struct sync_opening opening = { .kind = SYNC_PLAIN };
	struct store_stream stream = { 0 };
	struct sync_apply u = {
		.r = &w.hub.node.r, .stream = &stream, .opening = &opening, .first = 1
	};
	struct sync_law law = { .u = &u };
	struct store_row row = { .table = note->table_id };
	static const struct {
		size_t len;
		bool ours;
	} said[] = { { 2, true }, { 1, false }, { 2, true }, { 3, false } };

	must(store_db_begin(w.hub.merge, &err));
	must(store_catalog_site(w.hub.merge, thief->node.r.self.node, thief->node.r.self.epoch,
	                        &stream.site, &err));
	must(store_catalog_scope(w.hub.merge, "f/F1", &stream.scope, &err));
	site = store_catalog_site_of(w.hub.merge, stream.site);
	ck_assert_mem_eq(site->node, thief->node.r.self.node, STORE_NODE_ID);
	row.scope = stream.scope;
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
		static const char facility[] = "F12";
		const char *reason;

		values[note->scope_column] = (struct store_value){
			.type = STORE_TEXT, .bytes = (const uint8_t *)facility, .len = said[i].len
		};
		c.mask = note->cells;
		must(sync_law_judge(&law, &c, &row, &reason, &err));
		ck_assert_msg((reason == NULL) == said[i].ours, "%zu bytes", said[i].len);
		ck_assert((c.mask != 0) == said[i].ours);
	}
	store_db_rollback(w.hub.merge);
}
END_TEST

/* What the hub passes on of two sites, in no order, one record redacted and one origin silent: what
 * was said is taken, and each is known to have written so far. */
START_TEST(a_relay_in_any_order_is_taken)
{
	static const int64_t stamps[] = { 5000, 3000, 2000 };
	static const uint8_t origins[] = { 0, 0, 1 };
	bool hit = true;
	struct sync_ingested got;
	struct parcel parcel;

	make_forged("golden");
	for (size_t i = 0; i < 3; i++) {
		struct sync_record *rec = &forged.records[VECTOR_INSERT + i];

		*rec = forged.records[VECTOR_INSERT];
		rec->change.stamp = stamps[i];
		rec->origin = origins[i];
	}
	forged.records[VECTOR_INSERT + 3] = forged.records[VECTOR_INSERT];
	forged.plain.kind = SYNC_RELAY;
	forged.plain.changes = 4;
	forged.plain.seen_count = 1;
	forged.plain.origin_count = 3;
	forged.plain.origins =
	        (struct sync_site[]){ forged.origins[0], forged.origins[1], forged.seen[0].site };
	parcel = forge_by(&w.hub, 5, true);
	for (unsigned good = 0; hit; good++) { /* or nothing of it is, without memory */
		struct rd bytes = rd_from(parcel.bytes.bytes, parcel.bytes.len);
		int rc;

		must(sync_ingest_begin(&thief->node.r, &err));
		(void)store_catalog_table_by_name(thief->merge, "note"); /* loaded */
		memory_arm(good);
		rc = sync_ingest_full(&thief->node.r, &bytes, true, &got, &err);
		hit = memory_disarm();
		sync_ingest_abort(&thief->node.r);
		ck_assert_msg(hit || rc == 0, "after %u: %s", good, err.msg);
		ck_assert(rc < 0 || got.changes == 3);
	}
	got = parcel_deliver(thief, &parcel, true);
	ck_assert_msg(got.outcome == SYNC_STORED, "%s", got.reason);
	ck_assert_int_eq(got.changes, 3);
	ck_assert_int_eq(got.kept_aside, 0);
	ck_assert_int_eq(world_int(thief, "SELECT count(*) FROM yz_stream WHERE n = 0 AND"
	                                  " last_stamp = 5000"),
	                 1);
	ck_assert_int_eq(world_int(thief, "SELECT count(*) FROM yz_stream WHERE n = 0 AND"
	                                  " last_stamp = 2000"),
	                 1);
	ck_assert_int_eq(world_int(thief, "SELECT count(*) FROM yz_stream WHERE n = 0"), 2);
	buf_free(&parcel.bytes);
	vectors_free(&forged);
}
END_TEST

/* The rest of a unit counts. */
START_TEST(a_redacted_change_is_left_out)
{
	struct sync_ingested got;
	struct parcel parcel;

	make_forged("golden");
	parcel = forge_by(thief, 4, true);
	got = parcel_deliver(&w.hub, &parcel, true);
	ck_assert_msg(got.outcome == SYNC_STORED, "%s", got.reason);
	ck_assert_int_eq(got.changes, 2);
	ck_assert_int_eq(got.kept_aside, 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_clock WHERE cl = 1"), 1);
	buf_free(&parcel.bytes);
	vectors_free(&forged);
}
END_TEST

/* An edit in a life in which the row is dead. */
START_TEST(a02_change_that_contradicts_itself)
{
	struct sync_ingested got;
	struct parcel parcel;

	make_forged("golden");
	forged.records[VECTOR_UPDATE].change.cl = 2;
	parcel = forge(4);
	got = parcel_deliver(&w.hub, &parcel, true);
	ck_assert_int_eq(got.outcome, SYNC_STORED);
	ck_assert_int_eq(got.changes, 2);
	ck_assert_int_eq(got.kept_aside, 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine WHERE n = 3 AND"
	                                   " reason LIKE 'the change contradicts itself%'"),
	                 1);
	buf_free(&parcel.bytes);
	vectors_free(&forged);
}
END_TEST

Suite *
suite_attack_sync(void)
{
	Suite *suite = suite_create("attack/sync");
	TCase *tc = tcase_create("rows");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, a01_scope_of_another_facility);
	tcase_add_test(tc, a01_scope_of_a_street);
	tcase_add_loop_test(tc, a02_row_of_another_facility_in_an_honest_segment, 0, THEFTS);
	tcase_add_test(tc, a02_row_of_another_facility_before_it_has_come);
	tcase_add_loop_test(tc, a02_row_that_does_not_say_whose_it_is, 0, UNSAID);
	tcase_add_test(tc, a02_row_that_says_it_with_half_a_word);
	tcase_add_test(tc, a02_half_of_the_bytes_that_said_it);
	tcase_add_test(tc, a_relay_in_any_order_is_taken);
	tcase_add_test(tc, a_redacted_change_is_left_out);
	tcase_add_test(tc, a02_change_that_contradicts_itself);
	tcase_add_test(tc, a02_words_put_into_the_hubs_mouth);
	tcase_add_loop_test(tc, a14_names_come_from_the_catalogue_only, 0, 12);
	suite_add_tcase(suite, tc);
	return suite;
}
