/* tests/node_near.c - GET /v1/facilities: distances, order, and what may be asked. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/facility/schema.h"
#include "node/hub/api_facilities.h"
#include "node/hub/near.h"
#include "node/hub/token.h"
#include "store/stmt.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct http_response response;
static char f1[80], narrow[80];

static void
give_token(char bearer[80], struct token_terms terms)
{
	char text[TOKEN_TEXT], id[TOKEN_ID];

	ck_assert_msg(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err) == 0, "%s",
	              hub_err.msg);
	snprintf(bearer, 80, "Bearer %s", text);
}

/* Around 30.3 N 120.15 E: F2 there, F1 one kilometre north, F3 three east; others that are closed,
 * or nowhere. */
static void
begin(void)
{
	hub_open();
	ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
	ck_assert_int_eq(facility_schema_create(hub_db, &hub_err), 0);
	ck_assert_int_eq(facility_track(hub_db, true, &hub_err), 0);
	ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
	ck_assert_msg(store_db_exec(hub_db,
	                            "INSERT INTO facility_public(facility_id, name, lat_e6, "
	                            "lon_e6, status, phone)"
	                            " VALUES ('F1', '北', 30308993, 120150000, 1, '0571'),"
	                            " ('F2', '这里', 30300000, 120150000, 1, NULL),"
	                            " ('F3', '东', 30300000, 120181248, NULL, NULL),"
	                            " ('F4', 'closed', 30300000, 120150000, 2, NULL),"
	                            " ('F5', 'nowhere', NULL, 120150000, 1, NULL),"
	                            " ('F6', 'nowhere', 30300000, NULL, 1, NULL),"
	                            " ('F7', 'impossible', 30300000, 920150000, 1, NULL),"
	                            " ('F8', 'far', 40300000, 120150000, 1, NULL)",
	                            &hub_err) == 0,
	              "%s", hub_err.msg);
	give_token(f1, (struct token_terms){ .scope = "f/F1" });
	give_token(narrow, (struct token_terms){ .scope = "all", .tables = "child" });
}

static void
drop_response(void)
{
	buf_free(&response.fields);
	buf_free(&response.body);
	response = (struct http_response){ 0 };
}

static void
end(void)
{
	drop_response();
	hub_close();
}

static const char *
ask(const char *bearer, const char *query)
{
	struct http_request request = { .method = "GET", .path = "/v1/facilities", .query = query };

	drop_response();
	api_facilities_get(hub_db, &request, bearer, hub.now_ms, &response);
	return buf_str(&response.body);
}

/* Of each facility what `member` is, with commas. */
static const char *
each(const char *member)
{
	static char got[512];
	struct store_stmt s = store_stmt_new(hub_db, "SELECT group_concat(value ->> ?2) FROM"
	                                             " json_each(?1, '$.facilities')");

	store_stmt_put_text(&s, buf_str(&response.body));
	store_stmt_put_text(&s, member);
	ck_assert_msg(store_stmt_step(&s, &hub_err) == 1, "%s", hub_err.msg);
	snprintf(got, sizeof got, "%s", store_stmt_get_text(&s));
	store_stmt_end(&s);
	return got;
}

/* A degree of a meridian is 111 195 m of the mean sphere, a quarter of it 10 007 557 m; from Paris
 * to Washington it is 55.44855 degrees (J. Meeus, Astronomical Algorithms, example 11.c). */
START_TEST(distances_are_those_of_the_mean_sphere)
{
	struct near_place pole = { 90, 0 }, equator = { 0, 77 }, a = { 10, 20 }, b = { 11, 20 };
	struct near_place paris = { 48.836389, 2.337222 }, washington = { 38.921389, -77.065556 };
	struct near_place west = { 0, -179.5 }, east = { 0, 179.5 };

	ck_assert_double_eq_tol(near_metres(a, b), 111195.08, 0.05);
	ck_assert_double_eq_tol(near_metres(pole, equator), 10007557.2, 1);
	ck_assert_double_eq_tol(near_metres(paris, washington), 55.44855 * 111195.08, 5);
	ck_assert_double_eq_tol(near_metres(east, west), 111195.08,
	                        0.05); /* across the date line */
	ck_assert_double_eq_tol(
	        near_metres((struct near_place){ 0, 0 }, (struct near_place){ 0, 180 }), 20015115,
	        1);
	ck_assert_double_eq_tol(near_metres(a, a), 0, 0.001);
}
END_TEST

START_TEST(the_nearest_comes_first)
{
	ask(f1, "near=30.3,120.15");
	ck_assert_int_eq(response.status, 200);
	ck_assert_str_eq(each("$.facility_id"), "F2,F1,F3");
	ck_assert_str_eq(each("$.distance_m"), "0,1000,3000");
	ck_assert_str_eq(each("$.phone"), "0571"); /* the others' is null */
	ck_assert_ptr_nonnull(strstr(buf_str(&response.body), "\"within_km\":5"));
	ask(f1, "near=30.3,120.15&within=2.5");
	ck_assert_str_eq(each("$.facility_id"), "F2,F1");
	ask(f1, "near=30.3,120.15&within=2.5&limit=1");
	ck_assert_str_eq(each("$.facility_id"), "F2");
	ck_assert_ptr_nonnull(strstr(buf_str(&response.body), "\"more\":true"));
	ask(f1, "near=-30.3,-120.15&within=100");
	ck_assert_str_eq(each("$.facility_id"), "");
	ck_assert_ptr_nonnull(strstr(buf_str(&response.body), "\"more\":false"));
	/* near a pole and the date line nothing is lost */
	ck_assert_int_eq(store_db_exec(hub_db,
	                               "UPDATE facility_public SET lat_e6 = 89900000, lon_e6 = "
	                               "-60000000 WHERE facility_id = 'F1'",
	                               &hub_err),
	                 0);
	ask(f1, "near=89.9,120&within=100");
	ck_assert_str_eq(each("$.facility_id"), "F1");
}
END_TEST

static const struct wrong {
	const char *query, *says;
} wrong[] = {
	{ "", "near: is needed" },
	{ "within=5", "near: is needed" },
	{ "near=", "near=: latitude and longitude in degrees" },
	{ "near=30.3", "latitude and longitude in degrees" },
	{ "near=30.3,", "latitude and longitude in degrees" },
	{ "near=30.3,120.15,1", "latitude and longitude in degrees" },
	{ "near=nan,nan", "latitude and longitude in degrees" },
	{ "near=0x1,1", "latitude and longitude in degrees" },
	{ "near=1e1,1", "latitude and longitude in degrees" },
	{ "near=1-1,1", "latitude and longitude in degrees" },
	{ "near=30.3333333333333333,1", "latitude and longitude in degrees" },
	{ "near=120.15,30.3", "there is no such place; latitude goes from -90 to 90" },
	{ "near=30.3,180.1", "there is no such place" },
	{ "near=30.3,120&within=0", "within=0: kilometres, more than 0 and up to 100" },
	{ "near=30.3,120&within=-1", "kilometres, more than 0" },
	{ "near=30.3,120&within=100.1", "kilometres, more than 0" },
	{ "near=30.3,120&within=", "kilometres, more than 0" },
	{ "near=30.3,120&within=inf", "kilometres, more than 0" },
	{ "near=30.3,120&limit=0", "limit=0: a number from 1 to 200" },
	{ "near=30.3,120&limit=201", "a number from 1 to 200" },
	{ "near=30.3,120&limit=99999999999999999999999", "a number from 1 to 200" },
	{ "near=30.3,120&limit=-1", "a number from 1 to 200" },
	{ "near=30.3,120&limit=", "a number from 1 to 200" },
	{ "near=30.3,120&sort=1", "there is no parameter sort" },
	{ "near=%ff,1", "" },
};

START_TEST(wrong_questions_are_problems)
{
	const char *body = ask(f1, wrong[_i].query);

	ck_assert_msg(response.status == 400, "%s: %d", wrong[_i].query, response.status);
	ck_assert_msg(strstr(body, wrong[_i].says) != NULL, "%s: %s", wrong[_i].query, body);
	ck_assert_str_eq(response.type, "application/problem+json");
}
END_TEST

START_TEST(who_may_ask)
{
	ask(NULL, "near=30.3,120.15");
	ck_assert_int_eq(response.status, 401);
	ask("Bearer nobody", "near=30.3,120.15");
	ck_assert_int_eq(response.status, 401);
	ask(narrow, "near=30.3,120.15");
	ck_assert_int_eq(response.status, 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&response.body), "doesn't read facility_public"));
}
END_TEST

Suite *
suite_node_near(void)
{
	Suite *suite = suite_create("node/near");
	TCase *tcase = tcase_create("near");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, distances_are_those_of_the_mean_sphere);
	tcase_add_test(tcase, the_nearest_comes_first);
	tcase_add_loop_test(tcase, wrong_questions_are_problems, 0, sizeof wrong / sizeof wrong[0]);
	tcase_add_test(tcase, who_may_ask);
	suite_add_tcase(suite, tcase);
	return suite;
}
