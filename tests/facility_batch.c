/* tests/facility_batch.c - lines of JSON in, an answer for each, a key counts once. */
#include "tests/suites.h"

#include "node/facility/action.h"
#include "node/facility/batch.h"
#include "node/facility/codes.h"
#include "tests/facility_help.h"
#include "tests/fault.h"

#include <check.h>
#include <string.h>

#define CHILD1 "\"child\":\"01010101010101010101010101010101\""

static struct store_db *
open_closed(struct facility *f)
{
	struct store_db *db = help_small(f);
	struct err err = { 0 };

	ck_assert_int_eq(store_db_commit(db, &err), 0);
	return db;
}

static struct lines_counts
post(struct facility *f, const char *body, struct buf *out)
{
	struct lines_counts n;
	struct err err = { 0 };
	int rc;

	buf_clear(out);
	rc = facility_batch_post(f, body, strlen(body), out, &n, &err);
	ck_assert_msg(rc == 0, "%s", err.msg);
	return n;
}

START_TEST(stored_then_duplicate)
{
	static const char body[] = "{\"do\":\"arrival\",\"key\":\"t1/1\"," CHILD1
	                           ",\"at\":\"2026-03-02T08:15:00+08:00\",\"temp_dc\":366}\n"
	                           "{\"do\":\"care\",\"key\":\"t1/2\"," CHILD1
	                           ",\"at\":1772414100000,\"kind\":2,\"amount\":80}\r\n";
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct buf out = { 0 };
	struct lines_counts n = post(&f, body, &out);

	ck_assert_int_eq(n.stored, 2);
	ck_assert_ptr_nonnull(
	        strstr(buf_str(&out), "{\"key\":\"t1/1\",\"state\":\"stored\",\"id\":\""));
	ck_assert_int_eq(help_int(db, "SELECT at FROM attendance_event"), help_at(8, 15));
	n = post(&f, body, &out);
	ck_assert_int_eq(n.duplicate, 2);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM attendance_event"), 1);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM care_event"), 1);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM local_batch_key k JOIN care_event c ON "
	                              "c.id = k.row_id"),
	                 1);
	buf_free(&out);
	store_db_close(db);
}
END_TEST

START_TEST(a_refused_line_leaves_the_others_alone)
{
	static const char body[] =
	        "{\"do\":\"care\",\"key\":\"a\"," CHILD1 ",\"at\":1772414100000,\"kind\":2}\n"
	        "{\"do\":\"care\",\"key\":\"b\"," CHILD1 ",\"at\":1772414100000,\"kind\":99}\n"
	        "\n"
	        "{\"do\":\"care\",\"key\":\"c\"," CHILD1 ",\"at\":1772414100000,\"kind\":3}";
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct buf out = { 0 };
	struct lines_counts n = post(&f, body, &out);

	ck_assert_int_eq(n.stored, 2);
	ck_assert_int_eq(n.refused, 1);
	ck_assert_ptr_nonnull(strstr(buf_str(&out),
	                             "{\"key\":\"b\",\"state\":\"refused\",\"id\":null,\"reason\":"
	                             "\"kind: 99 is not in 1 to 8\"}"));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM care_event"), 2);
	/* refused is not remembered: corrected, the same key is taken */
	n = post(&f, "{\"do\":\"care\",\"key\":\"b\"," CHILD1 ",\"at\":1772414100000,\"kind\":4}",
	         &out);
	ck_assert_int_eq(n.stored, 1);
	buf_free(&out);
	store_db_close(db);
}
END_TEST

#define CARE "{\"do\":\"care\",\"key\":\"k\"," CHILD1 ","

static const struct refused_case {
	const char *line;
	const char *says;
} refused_cases[] = {
	{ "hello", "the line is not a JSON object" },
	{ "[1]", "the line is not a JSON object" },
	{ "{\"key\":\"k\"}", "do: '' is no record" },
	{ "{\"do\":\"erase\",\"key\":\"k\"}", "do: 'erase' is no record" },
	{ "{\"do\":\"care\"," CHILD1 ",\"at\":1772414100000,\"kind\":2}", "key: is needed" },
	{ CARE "\"at\":1772414100000,\"kind\":2,\"colour\":3}", "colour: care has no such member" },
	{ CARE "\"kind\":2}", "at: is needed" },
	{ CARE "\"at\":null,\"kind\":2}", "at: is needed" },
	{ CARE "\"at\":0,\"kind\":2}", "at: 0 is not a time of this century" },
	{ CARE "\"at\":\"yesterday\",\"kind\":2}", "at: is neither ms" },
	{ CARE "\"at\":\"2026-02-30T08:00:00Z\",\"kind\":2}", "at: is neither ms" },
	{ CARE "\"at\":1772414100000,\"kind\":2.5}", "kind: is not an integer" },
	{ CARE "\"at\":1772414100000,\"kind\":2,\"note\":7}", "note: is not a string" },
	{ "{\"do\":\"care\",\"key\":\"k\",\"child\":\"12\",\"at\":1772414100000,\"kind\":2}",
	  "child: '12' is not an id" },
	{ "{\"do\":\"meal\",\"key\":\"k\",\"meal\":3,\"at\":1772414100000,\"exceptions\":3}",
	  "exceptions: is not a list" },
	{ "{\"do\":\"meal\",\"key\":\"k\",\"meal\":3,\"at\":1772414100000,\"exceptions\":[3]}",
	  "exceptions: each is an object" },
	{ "{\"do\":\"report\",\"key\":\"k\"," CHILD1 ",\"at\":1772414100000,\"was\":3}",
	  "was: is not an object of what was shown" },
	{ "{\"do\":\"report\",\"key\":\"k\"," CHILD1 ",\"at\":1772414100000,\"was\":{\"was\":{}}}",
	  "was.was: report has no such member" },
	{ CARE "\"at\":1772414100000,\"kind\":2,\"was\":{}}", "was: care has no such member" },
	{ CARE "\"at\":1772414100000,\"kind\":2,\"by\":\"07070707070707070707070707070707\"}",
	  "is nobody of the staff" },
};

START_TEST(a_line_is_refused_with_its_reason)
{
	const struct refused_case *c = &refused_cases[_i];
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct buf out = { 0 };
	struct lines_counts n = post(&f, c->line, &out);

	ck_assert_msg(n.refused == 1 && n.stored == 0, "%s", c->line);
	ck_assert_msg(strstr(buf_str(&out), c->says) != NULL, "'%s' is not in %s", c->says,
	              buf_str(&out));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM local_batch_key"), 0);
	buf_free(&out);
	store_db_close(db);
}
END_TEST

#define FORM(name, sent, was)                                                                      \
	"{\"do\":\"" name "\",\"key\":\"form\"," CHILD1 ",\"at\":1772414100000," sent              \
	",\"was\":{" was "}}"

/* A form was opened, then somebody else wrote, then it was sent. */
static const struct form_case {
	const char *name, *before, *moved, *form;
	const char *row; /* counts 1 if the row is as it should be */
	int conflicts;
} form_cases[] = {
	{ "what the person left alone stays as it is by now",
	  "{\"do\":\"report\",\"key\":\"a\"," CHILD1 ",\"at\":1772414100000,\"mood\":2,"
	  "\"note\":\"was\"}",
	  "UPDATE daily_report SET mood = 3, note = 'hub'",
	  FORM("report", "\"mood\":2,\"note\":\"was\",\"activity\":\"walk\"",
	       "\"mood\":2,\"note\":\"was\""),
	  "SELECT count(*) FROM daily_report WHERE mood = 3 AND note = 'hub' AND activity = 'walk'",
	  0 },
	{ "what both wrote is a conflict",
	  "{\"do\":\"report\",\"key\":\"a\"," CHILD1 ",\"at\":1772414100000,\"mood\":2,"
	  "\"note\":\"was\"}",
	  "UPDATE daily_report SET mood = 3, note = 'hub'",
	  FORM("report", "\"mood\":4,\"note\":\"mine\"", "\"mood\":2,\"note\":\"was\""),
	  "SELECT count(*) FROM daily_report WHERE mood = 3 AND note = 'hub'", 2 },
	{ "the same twice is none",
	  "{\"do\":\"report\",\"key\":\"a\"," CHILD1 ",\"at\":1772414100000,\"note\":\"was\"}",
	  "UPDATE daily_report SET note = 'same'",
	  FORM("report", "\"note\":\"same\"", "\"note\":\"was\""),
	  "SELECT count(*) FROM daily_report WHERE note = 'same'", 0 },
	{ "nobody else wrote",
	  "{\"do\":\"report\",\"key\":\"a\"," CHILD1 ",\"at\":1772414100000,\"note\":\"was\"}",
	  "SELECT 1", FORM("report", "\"note\":\"new\"", "\"note\":\"was\""),
	  "SELECT count(*) FROM daily_report WHERE note = 'new'", 0 },
	{ "there was no row",
	  "{\"do\":\"care\",\"key\":\"a\"," CHILD1 ",\"at\":1772414100000,\"kind\":2}", "SELECT 1",
	  FORM("report", "\"note\":\"new\"", ""),
	  "SELECT count(*) FROM daily_report WHERE note = 'new'", 0 },
	{ "an absence",
	  "{\"do\":\"absence\",\"key\":\"a\"," CHILD1
	  ",\"at\":1772414100000,\"reason\":2,\"informed_by\":\"mother\"}",
	  "UPDATE absence_case SET hospital = 'first', informed_by = 'father'",
	  FORM("absence", "\"reason\":2,\"informed_by\":\"mother\",\"hospital\":\"second\"",
	       "\"reason\":2,\"informed_by\":\"mother\""),
	  "SELECT count(*) FROM absence_case WHERE hospital = 'first' AND informed_by = 'father'",
	  1 },
};

START_TEST(a_form_writes_only_what_was_changed_in_it)
{
	const struct form_case *c = &form_cases[_i];
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct buf out = { 0 };
	struct err err = { 0 };

	ck_assert_int_eq(store_db_exec(db,
	                               "INSERT INTO yz_meta(name, value) VALUES"
	                               " ('node', zeroblob(16)), ('epoch', zeroblob(8))",
	                               &err),
	                 0);
	ck_assert_int_eq(post(&f, c->before, &out).stored, 1);
	ck_assert_int_eq(store_db_exec(db, c->moved, &err), 0);
	ck_assert_msg(post(&f, c->form, &out).stored == 1, "%s: %s", c->name, buf_str(&out));
	ck_assert_msg(help_int(db, c->row) == 1, "%s", c->name);
	ck_assert_msg(help_int(db, "SELECT count(*) FROM yz_conflict WHERE state = 'open'") ==
	                      c->conflicts,
	              "%s", c->name);
	buf_free(&out);
	store_db_close(db);
}
END_TEST

START_TEST(too_much_is_refused_as_a_whole)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct lines_counts n;
	struct buf body = { 0 }, out = { 0 };
	struct err err = { 0 };

	for (int i = 0; i <= LINES_MAX; i++)
		buf_printf(&body, "{}\n");
	ck_assert_int_eq(facility_batch_post(&f, body.bytes, body.len, &out, &n, &err),
	                 ERR_INVALID);
	help_says(&err, "at most 5000 lines");
	ck_assert(!store_db_in_transaction(db));
	buf_free(&body);
	buf_free(&out);
	store_db_close(db);
}
END_TEST

START_TEST(without_memory_it_is_all_or_nothing)
{
	static const char body[] =
	        "{\"do\":\"arrival\",\"key\":\"a\"," CHILD1 ",\"at\":1772414100000}\n"
	        "{\"do\":\"meal\",\"key\":\"b\",\"at\":1772424100000,\"meal\":3}\n";
	struct facility f;
	struct store_db *db;
	unsigned good = 0;
	bool again = true;

	fault_install();
	db = open_closed(&f);
	while (again) {
		struct buf out = { 0 };
		struct lines_counts n;
		struct err err = { 0 };
		int rc;

		fault_arm(good++);
		rc = facility_batch_post(&f, body, sizeof body - 1, &out, &n, &err);
		again = fault_disarm();
		ck_assert(!store_db_in_transaction(db));
		ck_assert_int_eq(help_int(db, "SELECT count(*) FROM meal_intake"),
		                 rc == 0 && n.stored + n.duplicate == 2);
		buf_free(&out);
		if (rc == 0)
			break;
		ck_assert_msg(rc == ERR_NOMEM, "%d: %s", rc, err.msg);
	}
	ck_assert_uint_gt(good, 10);
	store_db_close(db);
}
END_TEST

START_TEST(an_action_written_reads_the_same)
{
	struct facility_exception e = { .child = help_id(2), .code = 4, .note = "不\"饿\"\n" };
	struct facility_action in[] = {
		{ .what = DO_MEAL,
		  .as.batch = { .at = 1, .meal = 3, .exceptions = &e, .exception_count = 1 } },
		{ .what = DO_ARRIVAL,
		  .as.arrival = { .at = 2,
		                  .child = help_id(1),
		                  .found = { .touch = 1, .note = "咳" } } },
		{ .what = DO_MEDICATION_GIVEN,
		  .as.given = { .at = 3, .request = help_id(9), .slot = 0 } },
		{ .what = DO_CASE_CLOSE,
		  .as.case_close = { .at = 5, .sick = help_id(8), .certificate = help_id(9) } },
		{ .what = DO_HANDOVER,
		  .as.handover = { .at = 4, .class_id = help_id(0xc1), .items = "\\ok" } },
	};
	struct facility f;
	struct store_db *db = open_closed(&f);

	for (size_t i = 0; i < sizeof in / sizeof in[0]; i++) {
		struct buf one = { 0 }, two = { 0 };
		struct facility_action back;
		struct arena a = { 0 };
		struct err err = { 0 };

		buf_u8(&one, '{');
		facility_action_write(&one, &in[i]);
		buf_u8(&one, '}');
		ck_assert_msg(facility_action_read(db, buf_str(&one), NULL, &a, &back, &err) == 0,
		              "%s", err.msg);
		buf_u8(&two, '{');
		facility_action_write(&two, &back);
		buf_u8(&two, '}');
		ck_assert_str_eq(buf_str(&one), buf_str(&two));
		arena_free(&a);
		buf_free(&one);
		buf_free(&two);
	}
	store_db_close(db);
}
END_TEST

Suite *
suite_facility_batch(void)
{
	Suite *suite = suite_create("node/facility/batch");
	TCase *tcase = tcase_create("batch");

	tcase_add_test(tcase, stored_then_duplicate);
	tcase_add_test(tcase, a_refused_line_leaves_the_others_alone);
	tcase_add_loop_test(tcase, a_line_is_refused_with_its_reason, 0,
	                    sizeof refused_cases / sizeof refused_cases[0]);
	tcase_add_loop_test(tcase, a_form_writes_only_what_was_changed_in_it, 0,
	                    sizeof form_cases / sizeof form_cases[0]);
	tcase_add_test(tcase, too_much_is_refused_as_a_whole);
	tcase_add_test(tcase, without_memory_it_is_all_or_nothing);
	tcase_add_test(tcase, an_action_written_reads_the_same);
	suite_add_tcase(suite, tcase);
	return suite;
}
