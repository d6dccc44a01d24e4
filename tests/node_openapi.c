/* tests/node_openapi.c - /openapi.json and the table of routes say the same. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/hub/openapi.h"
#include "node/serve.h"
#include "store/stmt.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* One whole number by SQL about the document, ?1, and two texts. */
static int64_t
asked(const char *sql, const char *a, const char *b)
{
	struct store_stmt s = store_stmt_new(hub_db, sql);
	int64_t value;

	store_stmt_put_text(&s, openapi_text());
	if (a != NULL)
		store_stmt_put_text(&s, a);
	if (b != NULL)
		store_stmt_put_text(&s, b);
	ck_assert_msg(store_stmt_step(&s, &hub_err) == 1, "%s", hub_err.msg);
	value = store_stmt_get_int(&s);
	store_stmt_end(&s);
	return value;
}

START_TEST(it_is_json_with_a_version)
{
	ck_assert_int_eq(asked("SELECT json_valid(?1) AND json_extract(?1, '$.openapi') = '3.1.0'",
	                       NULL, NULL),
	                 1);
}
END_TEST

/* Every route is in it, for those who serve it, and nothing else. */
START_TEST(every_route_is_in_it_and_nothing_else)
{
	static const char count[] =
	        "SELECT count(*) FROM json_each(?1, '$.paths') p, json_each(p.value) m";
	static const char has[] =
	        "SELECT count(*) FROM json_each(?1, '$.paths') p, json_each(p.value) m,"
	        " json_each(m.value, '$.x-served-by') s"
	        " WHERE p.key || ' ' || m.key = ?2 AND s.value = ?3";
	const struct serve_place *places;
	size_t n;

	places = serve_places(&n);
	ck_assert_int_eq(asked(count, NULL, NULL), (int64_t)n);
	for (size_t i = 0; i < n; i++) {
		char name[128];
		size_t len = strlen(places[i].path) + 1;

		snprintf(name, sizeof name, "%s %s", places[i].path, places[i].method);
		for (char *c = name + len; *c != 0; c++)
			*c = (char)tolower((unsigned char)*c);
		ck_assert_msg(asked(has, name, "hub") == places[i].at_hub, "%s at a hub", name);
		ck_assert_msg(asked(has, name, "node") == places[i].at_node, "%s at a node", name);
	}
}
END_TEST

START_TEST(what_it_points_to_is_there)
{
	/* json_tree gives each "$ref"; "#/a/b" is the path $.a.b */
	ck_assert_int_eq(asked("SELECT count(*) FROM json_tree(?1) WHERE key = '$ref' AND "
	                       "json_type(?1, '$' || replace(substr(value, 2), '/', '.')) IS NULL",
	                       NULL, NULL),
	                 0);
	ck_assert_int_gt(asked("SELECT count(*) FROM json_tree(?1) WHERE key = '$ref'", NULL, NULL),
	                 10);
	/* an operation that takes a token says that it may be refused */
	ck_assert_int_eq(asked("SELECT count(*) FROM json_each(?1, '$.paths') p, json_each(p.value)"
	                       " m WHERE json_array_length(m.value, '$.security') > 0 AND "
	                       "json_type(m.value, '$.responses.401') IS NULL",
	                       NULL, NULL),
	                 0);
	/* every operation has a name of its own, a summary and an answer */
	ck_assert_int_eq(asked("SELECT count(*) - count(DISTINCT m.value ->> '$.operationId') + "
	                       "sum(m.value ->> '$.summary' IS NULL) + "
	                       "sum(json_type(m.value, '$.security') IS NOT 'array') FROM "
	                       "json_each(?1, '$.paths') p, json_each(p.value) m",
	                       NULL, NULL),
	                 0);
}
END_TEST

Suite *
suite_node_openapi(void)
{
	Suite *s = suite_create("node/openapi");
	TCase *t = tcase_create("openapi");

	tcase_add_checked_fixture(t, hub_open, hub_close);
	tcase_add_test(t, it_is_json_with_a_version);
	tcase_add_test(t, every_route_is_in_it_and_nothing_else);
	tcase_add_test(t, what_it_points_to_is_there);
	suite_add_tcase(s, t);
	return s;
}
