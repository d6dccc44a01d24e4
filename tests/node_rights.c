/* tests/node_rights.c - who may read and write what, at the hub and at a node. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/enrol_node.h"
#include "node/hub/hub_key.h"
#include "node/hub/hub_node.h"
#include "node/hub/hub_schema.h"
#include "node/rights.h"
#include "node/rotation.h"
#include "sync/life.h"
#include "sync/seal/rotate.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct rights rights;
static struct store_site self, one, two, stranger;

static void
at_hub(void)
{
	hub_open();
	sync_node_id(self.node, hub_key.public_key);
	one = hub_enrol("F1", 1);
	two = hub_enrol("F2", 2);
	stranger = (struct store_site){ .node = "a stranger" };
	ck_assert_int_eq(rights_open(&rights, hub_db, true, hub_key.public_key, &hub_err), 0);
}

START_TEST(at_the_hub_a_node_has_what_its_grant_says)
{
	static const struct {
		const char *scope;
		bool read, write;
	} cases[] = { { "f/F1", true, true },  { "all", true, false }, { "f/F2", false, false },
		      { "hub", false, false }, { "f/", false, false }, { "f/F11", false, false },
		      { "s/1", false, false }, { "", false, false },   { "F1", false, false } };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *scope = cases[i].scope;

		ck_assert_msg(rights_may_read(&rights, one.node, scope) == cases[i].read, "%s",
		              scope);
		ck_assert_msg(rights_may_write(&rights, &one, scope) == cases[i].write, "%s",
		              scope);
		ck_assert(rights_may_write(&rights, &self, scope));
		ck_assert(!rights_may_write(&rights, &stranger, scope));
		ck_assert(!rights_may_read(&rights, stranger.node, scope));
	}
}
END_TEST

START_TEST(at_the_hub_keys_are_those_that_were_enrolled)
{
	struct sync_key key = hub_node_key(1);
	uint8_t found[SYNC_PUBLIC_KEY], node[STORE_NODE_ID];

	ck_assert(rights_key_of(&rights, &one, found));
	ck_assert_mem_eq(found, key.public_key, sizeof found);
	ck_assert(rights_key_of(&rights, &self, found));
	ck_assert_mem_eq(found, hub_key.public_key, sizeof found);
	ck_assert(!rights_key_of(&rights, &stranger, found));
	ck_assert_int_eq(rights_node_of(&rights, key.public_key, node, &hub_err), 1);
	ck_assert_mem_eq(node, one.node, sizeof node);
	key = hub_node_key(7);
	ck_assert_int_eq(rights_node_of(&rights, key.public_key, node, &hub_err), 0);
}
END_TEST

START_TEST(a_revoked_node_has_no_rights_but_its_past_can_be_checked)
{
	struct sync_key key = hub_node_key(1);
	uint8_t found[SYNC_PUBLIC_KEY], node[STORE_NODE_ID];

	ck_assert_int_eq(hub_node_revoke(hub_db, one.node, hub.now_ms, &hub_err), 0);
	ck_assert(!rights_may_read(&rights, one.node, "f/F1"));
	ck_assert(!rights_may_read(&rights, one.node, "all"));
	ck_assert(!rights_may_write(&rights, &one, "f/F1"));
	ck_assert(rights_may_write(&rights, &two, "f/F2"));
	ck_assert(rights_key_of(&rights, &one, found));
	ck_assert_int_eq(rights_node_of(&rights, key.public_key, node, &hub_err), ERR_DENIED);
	/* what it sends all the same is kept beside, of where it might write */
	ck_assert(rights_is_revoked(&rights, key.public_key, node));
	ck_assert_mem_eq(node, one.node, sizeof node);
	ck_assert(rights_might_write(&rights, &one, "f/F1"));
	ck_assert(!rights_might_write(&rights, &one, "f/F2"));
	ck_assert(!rights_might_write(&rights, &two, "f/F2"));
	ck_assert(!rights_might_write(&rights, &stranger, "f/F1"));
	key = hub_node_key(2);
	ck_assert(!rights_is_revoked(&rights, key.public_key, node));
	key = hub_node_key(7);
	ck_assert(!rights_is_revoked(&rights, key.public_key, node));
	/* a key whose node isn't there any more is nobody's */
	ck_assert_int_eq(store_db_exec(hub_db, "DELETE FROM hub_node", &hub_err), 0);
	key = hub_node_key(1);
	ck_assert(!rights_is_revoked(&rights, key.public_key, node));
}
END_TEST

/* A hub that was put back believes a node about its earlier lives. */
START_TEST(at_the_hub_a_life_has_the_key_that_its_node_told)
{
	struct sync_key told = hub_node_key(5), enrolled = hub_node_key(1);
	uint8_t found[SYNC_PUBLIC_KEY];
	struct store_site life = one;

	memset(life.epoch, 5, STORE_EPOCH);
	ck_assert_int_eq(store_catalog_site(hub_db, life.node, life.epoch, &life.id, &hub_err), 0);
	ck_assert(rights_key_of(&rights, &life, found));
	ck_assert_mem_eq(found, enrolled.public_key, sizeof found);
	ck_assert_int_eq(store_catalog_set_site_key(hub_db, life.id, told.public_key, &hub_err), 0);
	ck_assert(rights_key_of(&rights, &life, found));
	ck_assert_mem_eq(found, told.public_key, sizeof found);
	ck_assert_uint_eq(rights_key_until(&rights, &self, "hub"), UINT64_MAX);
}
END_TEST

/* As a disk may damage it; nothing in it counts then. */
START_TEST(a_damaged_grant_at_the_hub_gives_no_rights)
{
	ck_assert_int_eq(store_db_exec(hub_db, "UPDATE hub_node SET doc = x'00'", &hub_err), 0);
	ck_assert(!rights_may_read(&rights, one.node, "f/F1"));
	ck_assert(!rights_may_write(&rights, &one, "f/F1"));
}
END_TEST

START_TEST(without_its_tables_nobody_has_rights)
{
	ck_assert_int_eq(store_db_exec(hub_db, "DROP TABLE hub_node", &hub_err), 0);
	ck_assert(!rights_may_read(&rights, one.node, "f/F1"));
	ck_assert(!rights_may_write(&rights, &one, "f/F1"));
}
END_TEST

/* ---------------------------------------------------------------- at a node */

static struct store_db *node_db;
static struct sync_key node_key;

static void
at_node(void)
{
	at_hub();
	node_db = hub_other("F1");
	node_key = hub_node_key(1);
}

static void
node_end(void)
{
	store_db_close(node_db);
	hub_close();
}

static void
store_grant(void)
{
	struct enrol_news news = { .granted = true };
	struct hub_node found;
	struct arena a = { 0 };

	ck_assert_int_eq(hub_node_find(hub_db, one.node, &a, &found, &hub_err), 1);
	memcpy(news.doc, found.doc, found.doc_len);
	news.doc_len = found.doc_len;
	memcpy(news.hub_key, hub_key.public_key, SYNC_PUBLIC_KEY);
	ck_assert_int_eq(
	        grant_read(news.doc, news.doc_len, hub_key.public_key, &news.grant, &hub_err), 0);
	ck_assert_int_eq(enrol_node_keep(node_db, "https://hub", &news, &hub_err), 0);
	arena_free(&a);
}

START_TEST(a_node_takes_from_the_hub_and_its_own_facility)
{
	struct sync_key other = hub_node_key(2);
	uint8_t found[SYNC_PUBLIC_KEY];

	store_grant();
	ck_assert_int_eq(rights_open(&rights, node_db, false, node_key.public_key, &hub_err), 0);
	ck_assert(rights_may_write(&rights, &one, "f/F1"));
	ck_assert(!rights_may_write(&rights, &one, "f/F2"));
	ck_assert(!rights_may_write(&rights, &one, "all"));
	ck_assert(rights_may_read(&rights, one.node, "all"));
	ck_assert(!rights_may_read(&rights, one.node, "f/F2"));
	ck_assert(!rights_may_read(&rights, two.node, "f/F1"));
	ck_assert(rights_may_write(&rights, &self, "f/F1"));
	ck_assert(rights_may_write(&rights, &self, "all"));
	ck_assert(rights_may_write(&rights, &stranger,
	                           "f/F1")); /* the second PC, by way of the hub */
	ck_assert(!rights_may_write(&rights, &stranger, "all"));
	ck_assert(!rights_may_write(&rights, &two, "f/F2"));
	ck_assert(rights_may_read(&rights, one.node, "all"));
	ck_assert(!rights_may_read(&rights, one.node, "f/F2"));
	ck_assert(rights_key_of(&rights, &self, found));
	ck_assert_mem_eq(found, hub_key.public_key, sizeof found);
	ck_assert_int_eq(store_catalog_site(node_db, two.node, two.epoch, &two.id, &hub_err), 0);
	ck_assert(!rights_key_of(&rights, &two, found));
	ck_assert_int_eq(store_catalog_set_site_key(node_db, two.id, other.public_key, &hub_err),
	                 0);
	ck_assert(rights_key_of(&rights, &two, found));
	ck_assert_mem_eq(found, other.public_key, sizeof found);
}
END_TEST

START_TEST(a_hub_that_is_taken_for_a_node_has_no_facility_of_its_own)
{
	ck_assert_int_eq(rights_open(&rights, hub_db, false, node_key.public_key, &hub_err), 0);
	ck_assert(!rights_may_write(&rights, &self, "f/F1"));
	ck_assert(!rights_may_read(&rights, self.node, "f/F1"));
}
END_TEST

START_TEST(a_node_that_is_not_enrolled_writes_its_own_facility)
{
	uint8_t found[SYNC_PUBLIC_KEY];

	ck_assert_int_eq(rights_open(&rights, node_db, false, node_key.public_key, &hub_err), 0);
	ck_assert(rights_may_write(&rights, &one, "f/F1"));
	ck_assert(!rights_may_write(&rights, &one, "f/F2"));
	ck_assert(!rights_may_write(&rights, &one, ""));
	ck_assert(!rights_may_write(&rights, &self, "f/F1"));
	ck_assert(!rights_may_read(&rights, one.node, "f/F1"));
	ck_assert(rights_key_of(&rights, &one, found));
	ck_assert(!rights_key_of(&rights, &self, found));
}
END_TEST

/* A node keeps its id when its key is replaced, and its earlier lives their keys. */
START_TEST(a_node_goes_on_under_another_key)
{
	struct sync_key first = hub_node_key(3), now = hub_node_key(4);
	uint8_t found[SYNC_PUBLIC_KEY];
	struct store_site own, life;

	ck_assert_int_eq(store_meta_self(node_db, &own, &hub_err), 0);
	ck_assert_int_eq(
	        store_meta_set(node_db, SYNC_META_KEY, now.public_key, SYNC_PUBLIC_KEY, &hub_err),
	        0);
	ck_assert_int_eq(rights_open(&rights, node_db, false, now.public_key, &hub_err), 0);
	ck_assert(rights_may_write(&rights, &own, "f/F1"));
	ck_assert(rights_key_of(&rights, &own, found));
	ck_assert_mem_eq(found, now.public_key, sizeof found);
	life = own;
	memset(life.epoch, 3, STORE_EPOCH);
	ck_assert_int_eq(store_catalog_site(node_db, life.node, life.epoch, &life.id, &hub_err), 0);
	ck_assert_int_eq(store_catalog_set_site_key(node_db, life.id, first.public_key, &hub_err),
	                 0);
	ck_assert(rights_key_of(&rights, &life, found));
	ck_assert_mem_eq(found, first.public_key, sizeof found);
	ck_assert_uint_eq(rights_key_until(&rights, &life, "f/F1"), UINT64_MAX);
	ck_assert(!rights_might_write(&rights, &life, "f/F1"));
	/* what isn't a key, or whose nobody says, opens nothing */
	ck_assert_int_eq(
	        store_db_exec(node_db, "DELETE FROM yz_meta WHERE name = 'node'", &hub_err), 0);
	ck_assert_int_lt(rights_open(&rights, node_db, false, now.public_key, &hub_err), 0);
	ck_assert_int_eq(store_meta_set(node_db, SYNC_META_KEY, "short", 5, &hub_err), 0);
	ck_assert_int_eq(rights_open(&rights, node_db, false, now.public_key, &hub_err),
	                 ERR_CORRUPT);
}
END_TEST

START_TEST(a_stored_grant_that_was_tampered_with_is_no_grant)
{
	store_grant();
	ck_assert_int_eq(store_db_exec(node_db,
	                               "UPDATE yz_remote SET grant_doc = CAST(replace(grant_doc, "
	                               "'F1', 'F2') AS BLOB)",
	                               &hub_err),
	                 0);
	ck_assert_int_lt(rights_open(&rights, node_db, false, node_key.public_key, &hub_err), 0);
	ck_assert(!rights_may_write(&rights, &two, "f/F2"));
}
END_TEST

/* ---- a key that is replaced ---- */

/* Append what leads node 1 from key `from` to key `to`, its stream of life `epoch` being good up to
 * record n. */
static void
put_rotation(struct buf *chain, uint8_t from, uint8_t to, uint8_t epoch, uint64_t n)
{
	struct sync_key old_key = hub_node_key(from), new_key = hub_node_key(to);
	struct rotation doc = { .at_ms = hub.now_ms, .count = 1 };
	struct buf bytes = { 0 };

	memcpy(doc.node, one.node, STORE_NODE_ID);
	memset(doc.streams[0].epoch, epoch, STORE_EPOCH);
	snprintf(doc.streams[0].scope, sizeof doc.streams[0].scope, "f/F1");
	doc.streams[0].n = n;
	rotation_write(&bytes, &doc, &old_key, &new_key);
	rotation_chain_add(chain, &bytes);
	buf_free(&bytes);
}

static int
rotate(uint8_t from, uint8_t to)
{
	struct buf chain = { 0 };
	int rc;

	put_rotation(&chain, from, to, from, UINT64_C(10) * from);
	rc = hub_key_rotate(hub_db, chain.bytes, chain.len, hub.now_ms, &hub_err);
	buf_free(&chain);
	return rc;
}

static int
who(uint8_t key_no)
{
	struct sync_key key = hub_node_key(key_no);
	uint8_t node[STORE_NODE_ID];
	int rc = rights_node_of(&rights, key.public_key, node, &hub_err);

	if (rc == 1)
		ck_assert_mem_eq(node, one.node, sizeof node);
	return rc;
}

static void
expect_key(uint8_t epoch, uint8_t key_no)
{
	struct sync_key key = hub_node_key(key_no);
	struct store_site site = one;
	uint8_t found[SYNC_PUBLIC_KEY];

	memset(site.epoch, epoch, STORE_EPOCH);
	site.id = 0;
	ck_assert(rights_key_of(&rights, &site, found));
	ck_assert_mem_eq(found, key.public_key, sizeof found);
}

static uint64_t
until(uint8_t epoch, const char *scope)
{
	struct store_site site = one;

	memset(site.epoch, epoch, STORE_EPOCH);
	return rights_key_until(&rights, &site, scope);
}

START_TEST(a_replaced_key_opens_nothing_and_is_good_for_what_it_delivered)
{
	ck_assert_uint_eq(until(1, "f/F1"), UINT64_MAX);
	ck_assert_int_eq(rotate(1, 11), 0);
	ck_assert_int_eq(who(11), 1);
	ck_assert_int_eq(who(1), ERR_DENIED);
	expect_key(1, 1);
	expect_key(9, 11);
	ck_assert_uint_eq(until(1, "f/F1"), 10);
	ck_assert_uint_eq(until(1, "f/F9"), 0);
	ck_assert_uint_eq(until(9, "f/F1"), UINT64_MAX);
	ck_assert(rights_may_write(&rights, &one, "f/F1"));
	ck_assert_int_eq(rotate(11, 12), 0);
	ck_assert_int_eq(who(12), 1);
	ck_assert_int_eq(who(11), ERR_DENIED);
	expect_key(1, 1);
	expect_key(11, 11);
	expect_key(9, 12);
}
END_TEST

/* The node comes in a life, and this is what is told of it then. */
static enum sync_life_word
come_in(uint8_t epoch)
{
	struct sync_replica r = { .db = hub_db, .is_hub = true };
	struct sync_site peer = { { 0 }, { 0 } };
	enum sync_life_word word;

	r.key_of = rights_key_of;
	r.ctx = &rights;
	memcpy(peer.node, one.node, STORE_NODE_ID);
	memset(peer.epoch, epoch, STORE_EPOCH);
	ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
	ck_assert_msg(sync_life_met(&r, &peer, &hub_err) == 0, "%s", hub_err.msg);
	ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
	ck_assert_int_eq(sync_life_of(hub_db, one.node, sync_replica_now_ms(&r), &word, &hub_err),
	                 0);
	return word;
}

/* Nothing was written between: the hub has no stream of these lives. */
START_TEST(who_rotates_again_and_again_was_not_put_back)
{
	ck_assert_int_eq(come_in(101), SYNC_LIFE_QUIET);
	for (uint8_t key = 11; key < 14; key++) {
		ck_assert_int_eq(rotate(key == 11 ? 1 : key - 1, key), 0);
		expect_key((uint8_t)(key + 90), key == 11 ? 1 : key - 1);
		ck_assert_uint_eq(until((uint8_t)(key + 90), "f/F1"), 0);
		ck_assert_int_eq(come_in((uint8_t)(key + 91)), SYNC_LIFE_QUIET);
		expect_key((uint8_t)(key + 91), key);
		ck_assert_uint_eq(until((uint8_t)(key + 91), "f/F1"), UINT64_MAX);
	}
	ck_assert_int_eq(come_in(150), SYNC_LIFE_RESTORED); /* under the same key */
}
END_TEST

START_TEST(what_is_shown_again_changes_nothing)
{
	struct buf chain = { 0 };

	put_rotation(&chain, 1, 11, 1, 10);
	put_rotation(&chain, 11, 12, 11, 20);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
		        hub_key_rotate(hub_db, chain.bytes, chain.len, hub.now_ms, &hub_err), 0);
	ck_assert_int_eq(who(12), 1);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_key"), 2);
	/* cut off within a document, nothing of it is taken */
	put_rotation(&chain, 12, 13, 12, 30);
	ck_assert_int_eq(hub_key_rotate(hub_db, chain.bytes, chain.len - 1, hub.now_ms, &hub_err),
	                 ERR_CORRUPT);
	ck_assert_int_eq(who(12), 1);
	buf_free(&chain);
}
END_TEST

/* A hub of before sixty rotations is shown them as the node's link does. */
START_TEST(a_long_chain_is_followed_in_pieces)
{
	struct buf chain = { 0 };
	size_t from, pieces = 0;

	for (uint8_t key = 100; key < 160; key++)
		put_rotation(&chain, key == 100 ? 1 : key, (uint8_t)(key + 1), key, key);
	from = rotation_chain_shown(&chain);
	ck_assert_int_eq(
	        hub_key_rotate(hub_db, chain.bytes + from, chain.len - from, hub.now_ms, &hub_err),
	        ERR_DENIED);
	ck_assert_int_eq(who(1), 1);
	from = 0;
	while (from < chain.len) {
		size_t to = rotation_chain_piece(&chain, from);

		ck_assert_int_eq(who(160), 0);
		ck_assert_int_eq(
		        hub_key_rotate(hub_db, chain.bytes + from, to - from, hub.now_ms, &hub_err),
		        0);
		from = to;
		pieces++;
	}
	ck_assert_uint_gt(pieces, 2);
	ck_assert_int_eq(who(160), 1);
	ck_assert_int_eq(who(1), ERR_DENIED);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_key"), 60);
	buf_free(&chain);
}
END_TEST

START_TEST(a08_a_copy_of_an_old_key_rotates_nothing)
{
	ck_assert_int_eq(rotate(1, 11), 0);
	ck_assert_int_eq(rotate(1, 66), ERR_DENIED);
	ck_assert_int_eq(who(66), 0);
	ck_assert_int_eq(who(11), 1);
	ck_assert_int_eq(rotate(66, 67), ERR_DENIED);
	/* an administrator lets it, once */
	ck_assert_int_eq(hub_key_allow(hub_db, one.node, &hub_err), 0);
	ck_assert_int_eq(rotate(1, 12), 0);
	ck_assert_int_eq(who(12), 1);
	ck_assert_int_eq(who(11), ERR_DENIED);
	ck_assert_int_eq(rotate(1, 66), ERR_DENIED);
	ck_assert_int_eq(rotate(11, 66), ERR_DENIED);
	ck_assert_int_eq(hub_key_allow(hub_db, stranger.node, &hub_err), ERR_NOTFOUND);
}
END_TEST

START_TEST(nobody_rotates_to_a_key_of_somebody_else)
{
	ck_assert_int_eq(rotate(1, 2), ERR_DENIED);
	ck_assert_int_eq(who(1), 1);
	ck_assert_int_eq(rotate(1, 11), 0);
	ck_assert_int_eq(rotate(11, 1), ERR_DENIED); /* nor back to an old one */
	ck_assert_int_eq(who(11), 1);
}
END_TEST

START_TEST(a_revoked_node_rotates_nothing)
{
	ck_assert_int_eq(hub_node_revoke(hub_db, one.node, hub.now_ms, &hub_err), 0);
	ck_assert_int_eq(rotate(1, 11), ERR_DENIED);
	ck_assert_int_eq(who(11), 0);
	ck_assert_int_eq(hub_key_allow(hub_db, one.node, &hub_err), ERR_NOTFOUND);
}
END_TEST

Suite *
suite_node_rights(void)
{
	Suite *s = suite_create("node/rights");
	TCase *t = tcase_create("hub");

	tcase_add_checked_fixture(t, at_hub, hub_close);
	tcase_add_test(t, at_the_hub_a_node_has_what_its_grant_says);
	tcase_add_test(t, at_the_hub_keys_are_those_that_were_enrolled);
	tcase_add_test(t, a_revoked_node_has_no_rights_but_its_past_can_be_checked);
	tcase_add_test(t, at_the_hub_a_life_has_the_key_that_its_node_told);
	tcase_add_test(t, a_replaced_key_opens_nothing_and_is_good_for_what_it_delivered);
	tcase_add_test(t, who_rotates_again_and_again_was_not_put_back);
	tcase_add_test(t, what_is_shown_again_changes_nothing);
	tcase_add_test(t, a_long_chain_is_followed_in_pieces);
	tcase_add_test(t, a08_a_copy_of_an_old_key_rotates_nothing);
	tcase_add_test(t, nobody_rotates_to_a_key_of_somebody_else);
	tcase_add_test(t, a_revoked_node_rotates_nothing);
	tcase_add_test(t, a_damaged_grant_at_the_hub_gives_no_rights);
	tcase_add_test(t, without_its_tables_nobody_has_rights);
	suite_add_tcase(s, t);

	t = tcase_create("node");
	tcase_add_checked_fixture(t, at_node, node_end);
	tcase_add_test(t, a_node_takes_from_the_hub_and_its_own_facility);
	tcase_add_test(t, a_hub_that_is_taken_for_a_node_has_no_facility_of_its_own);
	tcase_add_test(t, a_node_that_is_not_enrolled_writes_its_own_facility);
	tcase_add_test(t, a_node_goes_on_under_another_key);
	tcase_add_test(t, a_stored_grant_that_was_tampered_with_is_no_grant);
	suite_add_tcase(s, t);
	return s;
}
