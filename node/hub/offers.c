#include "node/hub/offers.h"

#include "node/log.h"

#include <string.h>

int
offers_open(struct offers *o, struct station *st, const atomic_bool *stop, struct err *err)
{
	char path[IDENTITY_PATH_MAX];
	int rc = identity_path(path, st->dir, "yizhan.db", err);

	*o = (struct offers){ .snapshots = { .dir = st->dir, .env = st->env, .stop = stop },
		              .key = &st->key,
		              .metrics = &st->metrics };
	if (rc == 0)
		rc = store_db_open(path, STORE_READ, st->env, &o->snapshots.db, err);
	if (rc == 0)
		rc = store_db_open(path, STORE_LOCAL, st->env, &o->log, err);
	return rc;
}

void
offers_close(struct offers *o)
{
	store_db_close(o->snapshots.db);
	store_db_close(o->log);
	o->snapshots.db = o->log = NULL;
}

void
offers_tick(struct offers *o, int64_t mono_ms)
{
	struct err err;

	if (mono_ms < o->tidy_ms)
		return;
	o->tidy_ms = mono_ms + OFFERS_TIDY_MS;
	if (kept_tidy(&o->snapshots, NULL, &err) < 0)
		log_line(LOG_LEVEL_WARN, "export: %s", err.msg);
}

void
offers_sorry(struct http_response *response, const struct err *err)
{
	log_line(LOG_LEVEL_WARN, "export: %s", err->msg);
	if (err->code == ERR_FULL) {
		http_problem_body(response, 507, err->msg);
		return;
	}
	http_problem_body(response, 503, "it could not be made now; try again later");
	http_field(response, "Retry-After", "60");
}

void
offers_serve(struct offers *o, struct http_exchange *x)
{
	const struct http_request *request = http_request(x);
	struct offers_headers headers = {
		.authorization = http_header(x, "Authorization"),
		.range = http_header(x, "Range"),
		.if_range = http_header(x, "If-Range"),
		.if_none_match = http_header(x, "If-None-Match"),
	};
	struct http_response response = { 0 };

	if (strcmp(request->path, "/v1/export") == 0)
		offers_export(o, request, &headers, &response);
	else if (strcmp(request->path, "/v1/export.ndjson.zst") == 0)
		offers_export_file(o, request, &headers, &response);
	else
		offers_snapshot(o, request, &headers, &response);
	http_answer(x, &response);
}
