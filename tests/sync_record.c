/* tests/sync_record.c - the bytes that are hashed are these, for ever. */
#include "tests/golden.h"
#include "tests/suites.h"
#include "tests/sync_vectors.h"

#include <check.h>

START_TEST(record_bytes_are_golden)
{
	struct vectors v;
	struct buf out = { 0 };

	vectors_make(&v);
	sync_record_write(&out, &v.records[_i]);
	golden_check(vector_names[_i], out.bytes, out.len);
	buf_free(&out);
	vectors_free(&v);
}
END_TEST

START_TEST(a_change_is_written_from_its_values)
{
	struct vectors v;
	struct buf out = { 0 };
	struct rd r;
	struct store_value id, number;

	vectors_make(&v);
	sync_record_write(&out, &v.records[VECTOR_UPDATE]);
	r = rd_from(out.bytes, out.len);
	ck_assert_uint_eq(rd_u8(&r), STORE_UPDATE);
	ck_assert_uint_eq(rd_varint(&r), 1);
	ck_assert_uint_eq(rd_varint(&r), 0);
	ck_assert_uint_eq(rd_varint(&r), 1);
	ck_assert_int_eq(rd_zigzag(&r), v.records[VECTOR_UPDATE].change.stamp);
	id = store_value_read(&r);
	ck_assert_uint_eq(id.len, 16);
	ck_assert_uint_eq(rd_varint(&r), v.records[VECTOR_UPDATE].change.mask);
	number = store_value_read(&r);
	ck_assert_int_eq(number.num.i, -5);
	ck_assert(store_value_read(&r).type == STORE_NULL);
	ck_assert(rd_done(&r));
	buf_free(&out);
	vectors_free(&v);
}
END_TEST

Suite *
suite_sync_record(void)
{
	Suite *suite = suite_create("sync/record");
	TCase *tcase = tcase_create("record");

	tcase_add_loop_test(tcase, record_bytes_are_golden, 0, VECTOR_REDACTED);
	tcase_add_test(tcase, a_change_is_written_from_its_values);
	suite_add_tcase(suite, tcase);
	return suite;
}
