/* node/serve_facility.c - what a facility's node does at its own paths (node/serve.h). */
#include "node/facility/batch.h"
#include "node/facility/page.h"
#include "node/http/form.h"
#include "node/log.h"
#include "node/serve_priv.h"

#include <string.h>

enum page_lang
serve_language(struct http_exchange *x)
{
	const struct http_request *rq = http_request(x);
	char asked[16];
	struct err err;
	bool given =
	        form_get(form_from(rq->query, strlen(rq->query)), "lang", asked, sizeof asked,
	                 &err) == 1 ||
	        form_get(form_from(rq->body, rq->body_len), "lang", asked, sizeof asked, &err) == 1;

	return page_lang_choose(given ? asked : NULL, http_header(x, "Accept-Language"));
}

static int
page_status(int rc)
{
	return rc == ERR_NOTFOUND ? 404 : http_status_of(rc);
}

/* The page as the database is now, with why the last tap wasn't saved, if it wasn't. */
static void
answer_page(const struct reader *r, struct store_db *db, struct http_exchange *x, int status,
            const char *notice)
{
	struct http_response response = { .status = status, .type = "text/html; charset=utf-8" };
	struct page_view view = { .lang = serve_language(x),
		                  .now_ms = env_wall_ms(r->station->env),
		                  .token = r->form_token,
		                  .notice = notice };
	struct node_status stands;
	struct arena a = { 0 };
	struct facility f;
	struct err err;
	int rc = facility_open(&f, db, NULL, &err);

	if (rc == 0)
		rc = node_status_read(db, r->station->dir, &a, &stands, &err);
	view.status = &stands;
	if (rc == 0)
		rc = page_today(&f, &view, &response.body, &err);
	arena_free(&a);
	if (rc < 0) {
		buf_free(&response.body);
		log_line(LOG_LEVEL_ERROR, "the page: %s", err.msg);
		http_problem(x, 500, "the page could not be made; the records are safe");
		return;
	}
	if (status == 507)
		http_field(&response, "Retry-After", "%d", ROOM_AGAIN_S);
	http_field(&response, "Content-Security-Policy", "%s", page_policy);
	http_field(&response, "Cache-Control", "no-store");
	http_field(&response, "X-Content-Type-Options", "nosniff");
	http_field(&response, "Referrer-Policy", "no-referrer");
	http_answer(x, &response);
}

/*
 * The page shows every child and its forms write: without a sign-in that is for this machine, as
 * the JSON lines are.  The token in the forms doesn't help, who may see the page has it.
 */
static bool
refuse_elsewhere(struct http_exchange *x)
{
	struct http_response response = { .status = 403, .type = "text/html; charset=utf-8" };

	if (http_request(x)->loopback)
		return false;
	page_elsewhere(serve_language(x), &response.body);
	http_field(&response, "Content-Security-Policy", "%s", page_policy);
	http_field(&response, "Cache-Control", "no-store");
	http_answer(x, &response);
	return true;
}

void
serve_page(struct reader *r, struct http_exchange *x)
{
	if (!refuse_elsewhere(x))
		answer_page(r, r->db, x, 200, NULL);
}

void
serve_style(struct http_exchange *x)
{
	struct http_response response = { .status = 200, .type = "text/css; charset=utf-8" };

	buf_printf(&response.body, "%s", page_css());
	http_field(&response, "X-Content-Type-Options", "nosniff");
	http_answer(x, &response);
}

bool
serve_from_elsewhere(struct http_exchange *x)
{
	const char *site = http_header(x, "Sec-Fetch-Site");
	const char *origin = http_header(x, "Origin"), *host = http_header(x, "Host");

	if (site != NULL)
		return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
	if (origin == NULL)
		return false;
	if (strncmp(origin, "http://", 7) == 0)
		return strcmp(origin + 7, host) != 0;
	return strncmp(origin, "https://", 8) != 0 || strcmp(origin + 8, host) != 0;
}

void
serve_tap_full(struct station *st, const struct reader *r, struct http_exchange *x)
{
	if (!refuse_elsewhere(x))
		answer_page(r, st->local, x, 507, page_word(serve_language(x), W_DISK_FULL));
}

int
serve_tap(struct station *st, const struct reader *r, struct http_exchange *x, bool *wrote,
          struct err *err)
{
	struct page_view view = { .lang = serve_language(x),
		                  .now_ms = env_wall_ms(st->env),
		                  .token = r->form_token };
	struct http_response response = { .status = 303 };
	const struct http_request *rq = http_request(x);
	struct facility f;
	int rc;

	if (serve_from_elsewhere(x)) {
		http_problem(x, 403, "the form came from another site");
		return 0;
	}
	if (refuse_elsewhere(x))
		return 0;
	rc = facility_open(&f, st->local, NULL, err);
	if (rc == 0)
		rc = page_tap(&f, &view, rq->body, rq->body_len, err);
	if (rc == ERR_FULL) {
		serve_tap_full(st, r, x);
		return rc;
	}
	if (rc < 0) {
		answer_page(r, st->local, x, page_status(rc), err->msg);
		return rc == ERR_IO || rc == ERR_CORRUPT ? rc : 0;
	}
	*wrote = true;
	http_field(&response, "Location", "/?lang=%s", view.lang == PAGE_EN ? "en" : "zh");
	http_answer(x, &response);
	return 0;
}

int
serve_batch(struct station *st, struct http_exchange *x, bool *wrote, struct err *err)
{
	const struct http_request *rq = http_request(x);
	struct http_response response = { .status = 200, .type = "application/x-ndjson" };
	struct lines_counts counts = { 0 };
	struct facility f;
	int rc;

	/* a page that is open on this machine reaches the loopback too */
	if (serve_from_elsewhere(x)) {
		http_problem(x, 403, "the records came from another site's page");
		return 0;
	}
	if (!rq->loopback) {
		http_problem(x, 403,
		             "records are taken from this machine only until staff can sign in");
		return 0;
	}
	rc = facility_open(&f, st->local, NULL, err);
	f.tries = &st->code_tries;
	if (rc == 0)
		rc = facility_batch_post(&f, rq->body, rq->body_len, &response.body, &counts, err);
	if (rc < 0) {
		buf_free(&response.body);
		http_problem(x,
		             rc == ERR_FULL                            ? 507
		             : rc == ERR_INVALID || rc == ERR_NOTFOUND ? 400
		                                                       : 503,
		             rc == ERR_FULL ? room_words : err->msg);
		return rc == ERR_IO || rc == ERR_CORRUPT || rc == ERR_FULL ? rc : 0;
	}
	*wrote = counts.stored > 0;
	http_answer(x, &response);
	return 0;
}
