/* node/serve_facility.c - what a facility's node does at its own paths (node/serve.h). */
#include "node/facility/batch.h"
#include "node/serve_priv.h"

int
serve_batch(struct station *st, struct http_exchange *x, bool *wrote, struct err *err)
{
	const struct http_request *rq = http_request(x);
	struct http_response response = { .status = 200, .type = "application/x-ndjson" };
	struct batch_counts counts = { 0 };
	struct facility f;
	int rc;

	if (!rq->loopback) {
		http_problem(x, 403, "records are taken from this machine only until staff can sign in");
		return 0;
	}
	rc = facility_open(&f, st->local, NULL, err);
	if (rc == 0)
		rc = facility_batch_post(&f, rq->body, rq->body_len, &response.body, &counts, err);
	if (rc < 0) {
		buf_free(&response.body);
		http_problem(x, rc == ERR_INVALID || rc == ERR_NOTFOUND ? 400 : 503, err->msg);
		return rc == ERR_IO || rc == ERR_CORRUPT ? rc : 0;
	}
	*wrote = counts.stored > 0;
	http_answer(x, &response);
	return 0;
}
