/*
 * tests/fuzz/near.c - any query at GET /v1/facilities: a problem, or facilities
 * that are as near as was asked, the nearest first.
 *
 * Input: the query.
 */
#include "node/hub/near.h"
#include "node/facility/schema.h"
#include "node/hub/api_facilities.h"
#include "node/hub/hub_schema.h"
#include "node/hub/token.h"
#include "store/stmt.h"
#include "tests/fuzz/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct store_db *db;
static char bearer[TOKEN_TEXT + 8];

static void
open_hub(void)
{
	struct token_terms terms = { .scope = "f/F1" };
	char text[TOKEN_TEXT], id[TOKEN_ID];
	struct err err;

	HOLDS(store_db_open(":memory:", STORE_LOCAL, env_real(), &db, &err) == 0);
	HOLDS(store_db_begin(db, &err) == 0);
	HOLDS(hub_schema_migrate(db, &err) == 0);
	HOLDS(facility_schema_create(db, &err) == 0);
	HOLDS(store_db_exec(
	              db,
	              "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i "
	              "< 400) INSERT INTO facility_public(facility_id, lat_e6, lon_e6) SELECT "
	              "'F' || i, (i * 450001) - 90000000, (i * 7919117) % 360000000 - 180000000"
	              " FROM n",
	              &err) == 0);
	HOLDS(token_new(db, &terms, 1, text, id, &err) == 0);
	HOLDS(store_db_commit(db, &err) == 0);
	snprintf(bearer, sizeof bearer, "Bearer %s", text);
}

/* Facilities that are farther than asked for, or nearer than the one before. */
static const char too_far[] = "SELECT count(*) FROM (SELECT value ->> '$.distance_m' AS d,"
                              " lag(value ->> '$.distance_m', 1, 0) OVER (ORDER BY key) AS before,"
                              " ?1 ->> '$.within_km' AS km FROM json_each(?1, '$.facilities'))"
                              " WHERE d > km * 1000 + 1 OR d < before";
static const char how_many[] = "SELECT json_array_length(?, '$.facilities')";

/* The member of the answer, a number of it all, by SQL. */
static int64_t
of_answer(const char *body, const char *sql)
{
	struct store_stmt s = store_stmt_new(db, sql);
	struct err err;
	int64_t value;

	store_stmt_put_text(&s, body);
	HOLDS(store_stmt_step(&s, &err) == 1);
	value = store_stmt_get_int(&s);
	store_stmt_end(&s);
	return value;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request request = { .method = "GET", .path = "/v1/facilities" };
	struct http_response response = { 0 };
	const char *body;
	char *query;

	if (db == NULL)
		open_hub();
	query = help_text(data, size);
	request.query = query;
	api_facilities_get(db, &request, bearer, 2, &response);
	body = buf_str(&response.body);
	HOLDS(response.status == 200 || response.status == 400);
	HOLDS(of_answer(body, "SELECT json_valid(?)") == 1);
	if (response.status == 200) {
		HOLDS(of_answer(body, too_far) == 0);
		HOLDS(of_answer(body, how_many) <= NEAR_LIMIT_MAX);
	}
	buf_free(&response.body);
	buf_free(&response.fields);
	free(query);
	return 0;
}
