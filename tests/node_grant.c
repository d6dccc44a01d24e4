/* tests/node_grant.c - the hub's signed document. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/grant.h"

#include <check.h>
#include <string.h>

static struct buf doc;
static struct grant grant, back;

static void
make(void)
{
	struct sync_key node = hub_node_key(1);

	hub_open();
	buf_clear(&doc);
	ck_assert_int_eq(grant_of_facility(&grant, "F-1", "330106", &hub_err), 0);
	memcpy(grant.node_key, node.public_key, sizeof grant.node_key);
	sync_node_id(grant.node, grant.node_key);
	grant.version = 7;
	grant.issued_ms = HUB_START_MS;
	grant_write(&doc, &grant, &hub_key);
	ck_assert_uint_le(doc.len, GRANT_MAX);
}

static void
end(void)
{
	buf_free(&doc);
	hub_close();
}

START_TEST(a_grant_reads_back)
{
	ck_assert_int_eq(grant_read(doc.bytes, doc.len, hub_key.public_key, &back, &hub_err), 0);
	ck_assert_str_eq(back.facility, "F-1");
	ck_assert_mem_eq(back.node, grant.node, STORE_NODE_ID);
	ck_assert_mem_eq(back.node_key, grant.node_key, SYNC_PUBLIC_KEY);
	ck_assert_int_eq(back.version, 7);
	ck_assert_int_eq(back.issued_ms, HUB_START_MS);
	ck_assert_uint_eq(back.read.count, 3);
	ck_assert_uint_eq(back.write.count, 1);
	ck_assert(grant_has(&back.read, "all"));
	ck_assert(grant_has(&back.read, "f/F-1"));
	ck_assert(grant_has(&back.read, "s/330106"));
	ck_assert(grant_has(&back.write, "f/F-1"));
	ck_assert(!grant_has(&back.write, "all"));
	ck_assert(!grant_has(&back.read, "f/F"));
	ck_assert(!grant_has(&back.read, "hub"));
}
END_TEST

START_TEST(every_changed_byte_and_every_cut_is_refused)
{
	for (size_t i = 0; i < doc.len; i++) {
		doc.bytes[i] ^= 1;
		ck_assert_int_lt(
		        grant_read(doc.bytes, doc.len, hub_key.public_key, &back, &hub_err), 0);
		doc.bytes[i] ^= 1;
		ck_assert_int_lt(grant_read(doc.bytes, i, hub_key.public_key, &back, &hub_err), 0);
	}
	buf_u8(&doc, 0);
	ck_assert_int_lt(grant_read(doc.bytes, doc.len, hub_key.public_key, &back, &hub_err), 0);
}
END_TEST

START_TEST(another_hubs_grant_is_refused)
{
	struct sync_key foe = hub_node_key(9);

	ck_assert_int_eq(grant_read(doc.bytes, doc.len, foe.public_key, &back, &hub_err),
	                 ERR_DENIED);
}
END_TEST

START_TEST(a_grant_names_the_hub_that_signed_it)
{
	size_t len = doc.len - STORE_SIGNATURE;

	doc.bytes[len - 1] ^= 1;
	sync_sign(&hub_key, doc.bytes, len, doc.bytes + len);
	ck_assert_int_eq(grant_read(doc.bytes, doc.len, hub_key.public_key, &back, &hub_err),
	                 ERR_DENIED);
}
END_TEST

START_TEST(facility_ids_that_could_be_something_else_are_refused)
{
	static const char *const bad[] = { "",    ".",    "..",       "../x", "a/b",     "a\\b",
		                           "a b", "a\nb", "\x1b[31m", "\xff", "成长驿站" };
	char longest[GRANT_FACILITY + 2];
	static const char *const good[] = { "F1", "330106-007", "a-b_c" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(grant_facility_check(bad[i], &hub_err) == ERR_INVALID, "%s", bad[i]);
	memset(longest, 'x', sizeof longest);
	longest[GRANT_FACILITY + 1] = 0;
	ck_assert_int_eq(grant_facility_check(longest, &hub_err), ERR_INVALID);
	longest[GRANT_FACILITY] = 0;
	ck_assert_int_eq(grant_facility_check(longest, &hub_err), 0);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		ck_assert_int_eq(grant_facility_check(good[i], &hub_err), 0);
	ck_assert_int_eq(grant_of_facility(&grant, "F1", "a/b", &hub_err), ERR_INVALID);
}
END_TEST

Suite *
suite_node_grant(void)
{
	Suite *s = suite_create("node/grant");
	TCase *t = tcase_create("grant");

	tcase_add_checked_fixture(t, make, end);
	tcase_add_test(t, a_grant_reads_back);
	tcase_add_test(t, every_changed_byte_and_every_cut_is_refused);
	tcase_add_test(t, another_hubs_grant_is_refused);
	tcase_add_test(t, a_grant_names_the_hub_that_signed_it);
	tcase_add_test(t, facility_ids_that_could_be_something_else_are_refused);
	suite_add_tcase(s, t);
	return s;
}
