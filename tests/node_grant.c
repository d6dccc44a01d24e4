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

/* A grant that the hub's key signs, with what no hub would write. */
struct forged {
	const char *what;
	const char *facility;
	size_t facility_len;
	const char *scope;
	size_t scope_len;
	uint64_t scopes; /* as it says */
	uint64_t roles, version, issued;
	const char *behind;
};

#define S64 "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
static const struct forged forged[] = {
	{ "nothing wrong", "F1", 2, "all", 3, 1, 1, 7, 7, "" },
	{ "an ID of 49 characters", S64, GRANT_FACILITY + 1, "all", 3, 1, 1, 7, 7, "" },
	{ "a zero in the ID", "F\0001", 3, "all", 3, 1, 1, 7, 7, "" },
	{ "an ID that is a way out", "../x", 4, "all", 3, 1, 1, 7, 7, "" },
	{ "a scope of 65 bytes", "F1", 2, S64 "s", 65, 1, 1, 7, 7, "" },
	{ "a zero in a scope", "F1", 2, "al\0l", 4, 1, 1, 7, 7, "" },
	{ "nine scopes", "F1", 2, "all", 3, GRANT_SCOPES + 1, 1, 7, 7, "" },
	{ "more scopes than follow", "F1", 2, "all", 3, 8, 1, 7, 7, "" },
	{ "roles of 33 bits", "F1", 2, "all", 3, 1, (uint64_t)1 << 32, 7, 7, "" },
	{ "a version of 64 bits", "F1", 2, "all", 3, 1, 1, (uint64_t)1 << 63, 7, "" },
	{ "a time of 64 bits", "F1", 2, "all", 3, 1, 1, 7, (uint64_t)1 << 63, "" },
	{ "a byte behind it", "F1", 2, "all", 3, 1, 1, 7, 7, "x" },
};

static void
forge(struct buf *out, const struct forged *f)
{
	static const uint8_t zeros[SYNC_PUBLIC_KEY + STORE_NODE_ID];

	buf_put(out, "yizhan-grant-1", 14);
	buf_put(out, zeros, sizeof zeros);
	buf_lenbytes(out, f->facility, f->facility_len);
	buf_varint(out, f->scopes);
	buf_lenbytes(out, f->scope, f->scope_len);
	for (uint64_t i = 1; f->scopes > GRANT_SCOPES && i < f->scopes; i++)
		buf_lenbytes(out, f->scope, f->scope_len);
	buf_varint(out, 0);
	buf_varint(out, f->roles);
	buf_varint(out, f->version);
	buf_varint(out, f->issued);
	buf_put(out, hub_key.public_key, SYNC_PUBLIC_KEY);
	buf_put(out, f->behind, strlen(f->behind));
}

static int
read_signed(struct buf *out)
{
	uint8_t signature[STORE_SIGNATURE];

	sync_sign(&hub_key, out->bytes, out->len, signature);
	buf_put(out, signature, sizeof signature);
	return grant_read(out->bytes, out->len, hub_key.public_key, &back, &hub_err);
}

START_TEST(a_malformed_grant_is_refused_though_signed)
{
	struct buf out = { 0 };

	forge(&out, &forged[_i]);
	ck_assert_msg(read_signed(&out) == (_i == 0 ? 0 : ERR_CORRUPT), "%s: %s", forged[_i].what,
	              hub_err.msg);
	buf_free(&out);
}
END_TEST

START_TEST(a_grant_over_2048_bytes_is_refused)
{
	static const uint8_t zeros[GRANT_MAX];
	struct buf out = { 0 };

	forge(&out, &forged[0]);
	buf_put(&out, zeros, GRANT_MAX - out.len - STORE_SIGNATURE + 1);
	ck_assert_int_eq(read_signed(&out), ERR_CORRUPT);
	ck_assert_uint_eq(out.len, GRANT_MAX + 1);
	buf_free(&out);
}
END_TEST

START_TEST(a_subdistrict_is_held_to_the_same)
{
	ck_assert_int_eq(grant_of_facility(&back, "F1", "../s", &hub_err), ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(hub_err.msg, "subdistrict"));
	ck_assert_int_eq(grant_of_facility(&back, "../f", "S1", &hub_err), ERR_INVALID);
	ck_assert_ptr_null(strstr(hub_err.msg, "subdistrict"));
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
	tcase_add_loop_test(t, a_malformed_grant_is_refused_though_signed, 0,
	                    sizeof forged / sizeof forged[0]);
	tcase_add_test(t, a_grant_over_2048_bytes_is_refused);
	tcase_add_test(t, a_subdistrict_is_held_to_the_same);
	tcase_add_test(t, facility_ids_that_could_be_something_else_are_refused);
	suite_add_tcase(s, t);
	return s;
}
