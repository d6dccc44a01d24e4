#include "node/serve.h"
#include "node/facility/page.h"
#include "node/http/form.h"
#include "node/hub/api_enrol.h"
#include "node/hub/api_facilities.h"
#include "node/hub/fleet_metrics.h"
#include "node/hub/follow.h"
#include "node/hub/openapi.h"
#include "node/log.h"
#include "node/metrics.h"
#include "node/serve_priv.h"
#include "store/base/hash.h"
#include "store/base/text.h"

#include <stdio.h>
#include <string.h>

int
reader_open(struct reader *r, struct station *st, const uint8_t secret[32], struct err *err)
{
	char path[IDENTITY_PATH_MAX];
	uint8_t token[16];
	int rc = identity_path(path, st->dir, "yizhan.db", err);

	*r = (struct reader){ .station = st, .secret = secret };
	hash_keyed(token, sizeof token, "form", 4, secret);
	text_hex(r->form_token, token, sizeof token);
	if (rc == 0)
		rc = store_db_open(path, STORE_READ, st->env, &r->db, err);
	return rc == 0 ? rights_open(&r->rights, r->db, st->is_hub, st->key.public_key, err) : rc;
}

void
reader_close(struct reader *r)
{
	store_db_close(r->db);
	r->db = NULL;
}

/* ---- where things are ---- */

static const struct serve_place places[] = {
	{ "POST", "/v1/sync", true, false, SERVE_WRITE, HTTP_SYNC_MAX },
	{ "POST", "/v1/enrol", true, false, SERVE_WRITE, 16384 },
	{ "GET", "/v1/watch", true, false, SERVE_READ, 0 },
	{ "GET", "/v1/changes", true, false, SERVE_READ, 0 },
	{ "GET", "/v1/facilities", true, false, SERVE_READ, 0 },
	{ "GET", "/v1/snapshot.sqlite.zst", true, false, SERVE_OFFERS, 0 },
	{ "GET", "/v1/export", true, false, SERVE_OFFERS, 0 },
	{ "GET", "/v1/export.ndjson.zst", true, false, SERVE_OFFERS, 0 },
	{ "POST", "/v1/records", true, false, SERVE_WRITE, HTTP_BODY_MAX },
	{ "GET", "/snippets", true, false, SERVE_READ, 0 },
	{ "GET", "/fleet", true, false, SERVE_READ, 0 },
	{ "GET", "/fleet.css", true, false, SERVE_READ, 0 },
	{ "GET", "/fleet/signin", true, false, SERVE_READ, 0 },
	{ "POST", "/fleet/enter", true, false, SERVE_WRITE, 4096 },
	{ "POST", "/fleet/leave", true, false, SERVE_WRITE, 4096 },
	{ "GET", "/metrics", true, true, SERVE_READ, 0 },
	{ "GET", "/healthz", true, true, SERVE_READ, 0 },
	{ "GET", "/openapi.json", true, true, SERVE_READ, 0 },
	{ "GET", "/", false, true, SERVE_READ, 0 },
	{ "GET", "/app.css", false, true, SERVE_READ, 0 },
	{ "POST", "/tap", false, true, SERVE_WRITE, 16384 },
	{ "POST", "/api/v1/batch", false, true, SERVE_WRITE, HTTP_BODY_MAX },
};

const struct serve_place *
serve_places(size_t *count)
{
	*count = sizeof places / sizeof places[0];
	return places;
}

static const struct serve_place *
find_place(bool is_hub, const char *path)
{
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (strcmp(places[i].path, path) == 0 &&
		    (is_hub ? places[i].at_hub : places[i].at_node))
			return &places[i];
	return NULL;
}

struct http_route
serve_route(bool is_hub, const char *method, const char *path,
            struct queue *const lanes[SERVE_LANES])
{
	const struct serve_place *place = find_place(is_hub, path);
	bool reads = place != NULL && strcmp(place->method, "GET") == 0;

	if (place == NULL)
		return (struct http_route){ 0 };
	/* HEAD is GET, and the server library leaves the body away */
	if (strcmp(place->method, method) != 0 && !(reads && strcmp(method, "HEAD") == 0))
		return (struct http_route){ .allow = reads ? "GET, HEAD" : "POST" };
	return (struct http_route){ .lane = lanes[place->lane], .body_max = place->body_max };
}

/* ---- reading ---- */

static void
serve_health(struct reader *r, struct http_exchange *x)
{
	struct http_response response = { .status = 200, .type = "application/json" };
	struct err err;

	if (metrics_health(&response.body, r->db, r->station->is_hub, &err) < 0) {
		buf_free(&response.body);
		http_problem(x, 503, "the database could not be read");
		return;
	}
	http_answer(x, &response);
}

static int
write_metrics(struct reader *r, struct buf *out, struct err *err)
{
	bool is_hub = r->station->is_hub;
	int rc = metrics_write(out, &r->station->metrics, r->db, is_hub, err);

	if (rc == 0)
		metrics_disk(out, r->station->dir);
	if (rc == 0 && is_hub)
		rc = fleet_metrics(out, r->db, env_wall_ms(r->station->env), err);
	return rc;
}

static void
serve_facilities(struct reader *r, struct http_exchange *x)
{
	struct http_response response = { 0 };

	api_facilities_get(r->db, http_request(x), http_header(x, "Authorization"),
	                   env_wall_ms(r->station->env), &response);
	http_answer(x, &response);
}

static void
serve_metrics(struct reader *r, struct http_exchange *x)
{
	struct http_response response = { .status = 200,
		                          .type = "text/plain; version=0.0.4; charset=utf-8" };
	struct err err;

	if (write_metrics(r, &response.body, &err) < 0) {
		buf_free(&response.body);
		log_line(LOG_LEVEL_ERROR, "/metrics: %s", err.msg);
		http_problem(x, 500, "the database could not be read");
		return;
	}
	http_answer(x, &response);
}

static void
serve_openapi(struct http_exchange *x)
{
	struct http_response response = { .status = 200, .type = "application/json" };

	buf_printf(&response.body, "%s", openapi_text());
	http_answer(x, &response);
}

static void
serve_snippets(struct http_exchange *x)
{
	struct http_response response = { .status = 200, .type = "text/html; charset=utf-8" };

	buf_printf(&response.body, "%s", openapi_snippets());
	http_field(&response, "Content-Security-Policy", "%s", page_policy);
	http_field(&response, "X-Content-Type-Options", "nosniff");
	http_answer(x, &response);
}

void
serve_read(struct reader *r, struct http_exchange *x)
{
	const char *path = http_request(x)->path;

	if (http_stream_state(x) != NULL)
		follow_again(r->follow, x);
	else if (strcmp(path, "/healthz") == 0)
		serve_health(r, x);
	else if (strcmp(path, "/v1/watch") == 0)
		serve_watch(r, x);
	else if (strcmp(path, "/v1/changes") == 0)
		follow_serve(r->follow, x);
	else if (strcmp(path, "/v1/facilities") == 0)
		serve_facilities(r, x);
	else if (strcmp(path, "/metrics") == 0)
		serve_metrics(r, x);
	else if (strcmp(path, "/openapi.json") == 0)
		serve_openapi(x);
	else if (strcmp(path, "/snippets") == 0)
		serve_snippets(x);
	else if (strcmp(path, "/fleet") == 0)
		serve_fleet(r, x);
	else if (strcmp(path, "/fleet.css") == 0)
		serve_fleet_style(x);
	else if (strcmp(path, "/fleet/signin") == 0)
		serve_sign_in(r, x);
	else if (strcmp(path, "/app.css") == 0)
		serve_style(x);
	else
		serve_page(r, x);
}

/* ---- writing ---- */

/* Nothing is tried: what room there is, is for what was acknowledged before. */
static void
serve_full(struct station *st, const struct reader *r, struct http_exchange *x)
{
	if (strcmp(http_request(x)->path, "/tap") == 0)
		serve_tap_full(st, r, x);
	else
		http_problem(x, 507, room_words);
}

static int
serve_enrol(struct station *st, struct http_exchange *x)
{
	struct enrol_hub hub = { .db = st->merge, .key = &st->key, .now_ms = env_wall_ms(st->env) };
	struct http_response response = { 0 };

	api_enrol_post(&hub, http_request(x), &response);
	http_answer(x, &response);
	return 0;
}

int
serve_write(struct station *st, const struct reader *r, struct http_exchange *x, bool *wrote,
            struct err *err)
{
	const char *path = http_request(x)->path;

	*wrote = false;
	if (st->room.full) {
		serve_full(st, r, x);
		return 0;
	}
	if (strcmp(path, "/v1/sync") == 0)
		return serve_sync(st, r, x, err);
	if (strcmp(path, "/v1/enrol") == 0)
		return serve_enrol(st, x);
	if (strcmp(path, "/v1/records") == 0)
		return serve_records(st, x, wrote, err);
	if (strcmp(path, "/fleet/enter") == 0)
		return serve_enter(st, r, x, err);
	if (strcmp(path, "/fleet/leave") == 0)
		return serve_leave(st, r, x, err);
	if (strcmp(path, "/tap") == 0)
		return serve_tap(st, r, x, wrote, err);
	return serve_batch(st, x, wrote, err);
}
