/*
 * node/hub/offers_snapshot.c - GET /v1/snapshot.sqlite.zst.
 *
 * A range is given only of a snapshot that the reader has named, by `name` or in
 * If-Range: without that, two parts could be of two snapshots.  Such a request
 * gets all of it, as RFC 9110 allows.
 */
#include "node/http/form.h"
#include "node/http/range.h"
#include "node/http/reqsig.h"
#include "node/hub/bearer.h"
#include "node/hub/export_log.h"
#include "node/hub/offers.h"
#include "store/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The etag of "\"...\"", or "" if it is no strong one of ours. */
static void
unquote(char out[KEPT_ETAG], const char *text)
{
	out[0] = 0;
	if (text == NULL || strlen(text) != KEPT_ETAG + 1 || text[0] != '"' ||
	    text[KEPT_ETAG] != '"')
		return;
	memcpy(out, text + 1, KEPT_ETAG - 1);
	out[KEPT_ETAG - 1] = 0;
	if (!kept_is_etag(out))
		out[0] = 0;
}

/* form_take: the `name` of a snapshot, KEPT_ETAG bytes. */
static int
take_parameter(void *ctx, const char *name, const char *value, struct err *err)
{
	if (strcmp(name, "name") != 0)
		return err_set(err, ERR_INVALID,
		               "there is no parameter %.40s: name, or none at all", name);
	if (!kept_is_etag(value))
		return err_set(err, ERR_INVALID,
		               "name: this isn't the name of a snapshot; take it from the "
		               "ETag of the answer that you go on with");
	memcpy(ctx, value, KEPT_ETAG);
	return 0;
}

/* The one that is asked for: by name, the one that If-Range goes on with, or a fresh one. */
static int
choose(struct offers *o, const struct token *token, const char *name, char resumed[KEPT_ETAG],
       struct kept *snap, struct err *err)
{
	int rc;

	if (name[0] != 0) {
		rc = snapshot_find(&o->snapshots, token, name, snap, err);
		if (rc == 0)
			rc = err_set(err, ERR_NOTFOUND,
			             "name: this snapshot is no longer kept; begin again at "
			             "/v1/snapshot.sqlite.zst");
		return rc < 0 ? rc : 0;
	}
	if (resumed[0] != 0) {
		rc = snapshot_find(&o->snapshots, token, resumed, snap, err);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	return snapshot_get(&o->snapshots, token, snap, err);
}

static void
tell(const struct offers *o, struct http_response *response, const struct kept *snap)
{
	uint8_t signature[STORE_SIGNATURE];
	char digest[REQSIG_DIGEST_SIZE], signed_by[2 * STORE_SIGNATURE + 1];

	reqsig_digest_text(digest, snap->sha256);
	snapshot_sign(snap, o->key, signature);
	text_hex(signed_by, signature, sizeof signature);
	http_field(response, "Repr-Digest", "%s", digest);
	http_field(response, "Yz-Signature", "%s", signed_by);
	response->type = "application/zstd";
	http_field(response, "ETag", "\"%s\"", snap->etag);
	http_field(response, "Accept-Ranges", "bytes");
	http_field(response, "Content-Location", "/v1/snapshot.sqlite.zst?name=%s", snap->etag);
	http_field(response, "Content-Disposition", "attachment; filename=\"snapshot.sqlite.zst\"");
	http_field(response, "Yz-Cursor", "%s", snap->cursor);
	http_field(response, "Link", "</v1/changes?since=%s>; rel=\"next\"", snap->cursor);
}

/* Who asks, and how. */
struct asking {
	struct offers *o;
	const struct http_request *request;
	const struct offers_headers *headers;
	struct token token;
	bool named; /* the snapshot was named by who asks, so a range is of this one */
};

/* It goes out, all of it or a part: noted first. */
static void
give(const struct asking *by, struct kept *snap, struct http_response *response)
{
	struct offers *o = by->o;
	struct export_entry entry = {
		.token = &by->token,
		.peer = by->request->peer,
		.scope = by->token.scope,
		.tables = by->token.tables,
		.bytes = response->file.len,
	};
	char what[16 + KEPT_ETAG];
	struct err err;

	snprintf(what, sizeof what, "snapshot %s", snap->etag);
	entry.what = what;
	if (strcmp(by->request->method, "HEAD") != 0 &&
	    export_log_add(o->log, &entry, env_wall_ms(o->snapshots.env), &err) < 0) {
		response->file = (struct http_file){ 0 };
		http_problem_body(response, 503,
		                  "it could not be noted that this leaves, so nothing does");
		return;
	}
	metrics_add(o->metrics, METRIC_EXPORTS, 1);
	tell(o, response, snap);
	response->file.fd = snap->fd;
	snap->fd = -1;
}

static void
answer(const struct asking *by, struct kept *snap, struct http_response *response)
{
	char known[KEPT_ETAG];

	unquote(known, by->headers->if_none_match);
	if (strcmp(known, snap->etag) == 0) {
		response->status = 304;
		http_field(response, "ETag", "\"%s\"", snap->etag);
		return;
	}
	if (range_answer(by->named ? by->headers->range : NULL, snap->len, response))
		give(by, snap, response);
}

void
offers_snapshot(struct offers *o, const struct http_request *request,
                const struct offers_headers *headers, struct http_response *response)
{
	struct kept snap = { .fd = -1 };
	char name[KEPT_ETAG] = "", resumed[KEPT_ETAG];
	struct asking by = { .o = o, .request = request, .headers = headers };
	struct err err;
	int rc;

	http_field(response, "Cache-Control", "no-store");
	if (bearer_check(o->snapshots.db, headers->authorization, env_wall_ms(o->snapshots.env),
	                 &by.token, response) < 0)
		return;
	unquote(resumed, headers->if_range);
	rc = form_each(request->query, take_parameter, name, &err);
	if (rc >= 0)
		rc = choose(o, &by.token, name, resumed, &snap, &err);
	if (rc == ERR_INVALID || rc == ERR_NOTFOUND) {
		http_problem_body(response, http_status_of(rc), err.msg);
		return;
	}
	if (rc < 0) {
		offers_sorry(response, &err);
		return;
	}
	/* with an If-Range that names another one the range is not for this one */
	by.named = headers->if_range != NULL ? strcmp(resumed, snap.etag) == 0 : name[0] != 0;
	answer(&by, &snap, response);
	if (snap.fd >= 0)
		close(snap.fd);
}
