/* tests/store_db.c - which SQLite we run with. */
#include "tests/suites.h"

#include "store/db.h"

#include <string.h>

static const struct version_case {
	int version, rc;
	const char *said; /* how it is called in the sentence */
} version_cases[] = {
	{ 3040001, ERR_INVALID, "SQLite 3.40.1 can lose commits" },
	{ 3051002, ERR_INVALID, "SQLite 3.51.2 can lose commits" },
	{ 3051003, 0, NULL },
	{ 3053002, 0, NULL },
};

enum { VERSION_CASES = sizeof version_cases / sizeof version_cases[0] };

START_TEST(sqlite_with_the_wal_reset_bug_is_refused)
{
	const struct version_case *c = &version_cases[_i];
	struct err err = { 0 };

	ck_assert_int_eq(store_db_check_version(c->version, &err), c->rc);
	if (c->said != NULL)
		ck_assert_msg(strstr(err.msg, c->said) == err.msg, "%s", err.msg);
}
END_TEST

Suite *
suite_store_db(void)
{
	Suite *suite = suite_create("store/db");
	TCase *tcase = tcase_create("db");

	tcase_add_loop_test(tcase, sqlite_with_the_wal_reset_bug_is_refused, 0, VERSION_CASES);
	suite_add_tcase(suite, tcase);
	return suite;
}
