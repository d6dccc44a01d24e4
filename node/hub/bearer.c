#include "node/hub/bearer.h"
#include "node/hub/token_use.h"

#include <strings.h>

int
bearer_check(struct store_db *db, const char *authorization, int64_t now_ms, struct token *token,
             struct http_response *response)
{
	static const char scheme[] = "Bearer ";
	struct err err;
	int rc = 0;

	if (authorization != NULL && strncasecmp(authorization, scheme, sizeof scheme - 1) == 0)
		rc = token_check(db, authorization + sizeof scheme - 1, now_ms, token, &err);
	if (rc == 1) {
		token_use_note(token->id, now_ms);
		return 0;
	}
	if (rc < 0) {
		http_problem_body(response, http_status_of(rc), err.msg);
		return rc;
	}
	http_problem_body(response, 401,
	                  "a valid token is needed: Authorization: Bearer, made at the hub with "
	                  "`yizhan token new`");
	http_field(response, "WWW-Authenticate", "Bearer");
	return ERR_DENIED;
}
