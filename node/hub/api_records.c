#include "node/hub/api_records.h"

#include "node/hub/bearer.h"
#include "node/hub/records.h"
#include "node/room.h"

int
api_records_post(struct store_db *db, const struct http_request *request, const char *authorization,
                 struct http_response *response, struct lines_counts *counts, struct err *err)
{
	struct token token;
	struct records by = { .db = db, .token = &token };
	int rc;

	*counts = (struct lines_counts){ 0 };
	http_field(response, "Cache-Control", "no-store");
	if (bearer_check(db, authorization, env_wall_ms(store_db_env(db)), &token, response) < 0)
		return 0;
	if (token.writes[0] == 0) {
		http_problem_body(response, 403,
		                  "this token only reads; one that writes is made with --write");
		return 0;
	}
	if (request->query[0] != 0) {
		http_problem_body(response, 400, "this path takes no parameters");
		return 0;
	}
	response->status = 200;
	response->type = "application/x-ndjson";
	rc = records_take(&by, request->body, request->body_len, &response->body, counts, err);
	if (rc == ERR_INVALID) {
		http_problem_body(response, 400, err->msg);
		return 0;
	}
	if (rc == ERR_FULL)
		http_problem_body(response, 507, room_words);
	else if (rc < 0)
		http_problem_body(response, 503,
		                  "nothing was stored; send it again with the same keys");
	return rc == ERR_IO || rc == ERR_CORRUPT || rc == ERR_FULL ? rc : 0;
}
