/*
 * node/hub/offers_set.c - GET /v1/export without a table: the manifest of all of them, in the shape
 * of FHIR's bulk export; and GET /v1/export.ndjson.zst, the files that it lists.
 */
#include "node/http/form.h"
#include "node/http/range.h"
#include "node/http/reqsig.h"
#include "node/hub/bearer.h"
#include "node/hub/export_log.h"
#include "node/hub/export_set.h"
#include "node/hub/offers.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <inttypes.h>
#include <string.h>

/* ---- the manifest ---- */

static void
put_url(struct json *j, const struct export_set *set, const struct export_part *part)
{
	struct buf url = { 0 };

	buf_printf(&url, "/v1/export.ndjson.zst?name=%s&table=", set->file.etag);
	form_put(&url, part->table);
	buf_printf(&url, part->gone ? "&op=delete" : "");
	json_member_text(j, "url", buf_str(&url));
	j->out->bad |= url.bad;
	buf_free(&url);
}

/* Those of its parts that are, or aren't, keys of what is gone. */
static void
put_parts(struct json *j, const char *name, const struct export_set *set, bool gone)
{
	json_name(j, name);
	json_array(j);
	for (size_t i = 0; i < set->count; i++) {
		const struct export_part *part = &set->parts[i];

		if (part->gone != gone)
			continue;
		json_object(j);
		json_member_text(j, "type", part->table);
		put_url(j, set, part);
		json_member_int(j, "count", true, (int64_t)part->rows);
		json_member_int(j, "bytes", true, (int64_t)part->len);
		json_name(j, "sha256");
		json_hex(j, part->sha256, sizeof part->sha256);
		json_end_object(j);
	}
	json_end_array(j);
}

static void
put_manifest(struct buf *out, const struct export_set *set, const struct export_ask *ask,
             const char *query)
{
	struct json j = json_to(out);
	struct buf request = { 0 };

	buf_printf(&request, "/v1/export%s%s", query[0] == 0 ? "" : "?", query);
	json_object(&j);
	json_member_time(&j, "transactionTime", set->file.made_ms);
	json_member_text(&j, "request", buf_str(&request));
	json_member_bool(&j, "requiresAccessToken", true, true);
	put_parts(&j, "output", set, false);
	put_parts(&j, "deleted", set, true);
	json_name(&j, "error");
	json_array(&j);
	json_end_array(&j);
	json_name(&j, "extension");
	json_object(&j);
	json_member_text(&j, "cursor", set->file.cursor);
	json_member_text(&j, "since", ask->since);
	json_member_text(&j, "scope", ask->scope != NULL ? ask->scope : ask->token->scope);
	json_member_bool(&j, "personal", true, ask->token->personal);
	json_member_time(&j, "expires", set->file.made_ms + KEPT_KEEP_MS);
	json_end_object(&j);
	json_end_object(&j);
	buf_u8(out, '\n');
	out->bad |= request.bad;
	buf_free(&request);
}

void
offers_manifest(struct offers *o, const struct export_ask *ask, const char *query,
                struct http_response *response)
{
	struct export_set set;
	struct err err;
	int rc = export_set_get(&o->snapshots, ask, &set, &err);

	if (rc == 0)
		put_manifest(&response->body, &set, ask, query);
	if (rc == 0)
		rc = buf_check(&response->body, &err);
	if (rc == 0) {
		response->status = 200;
		response->type = "application/json";
		http_field(response, "Yz-Cursor", "%s", set.file.cursor);
		http_field(response, "Link", "</v1/changes?since=%s>; rel=\"next\"",
		           set.file.cursor);
	} else if (rc == ERR_INVALID || rc == ERR_NOTFOUND) {
		http_problem_body(response, http_status_of(rc), err.msg);
		if (rc == ERR_NOTFOUND)
			http_field(response, "Link",
			           "</v1/snapshot.sqlite.zst>; rel=\"alternate\"");
	} else {
		offers_sorry(response, &err);
	}
	export_set_close(&set);
}

/* ---- a file ---- */

struct asked {
	char name[KEPT_ETAG];
	char table[STORE_NAME_MAX + 1];
	bool gone;
};

static int
take_parameter(void *ctx, const char *name, const char *value, struct err *err)
{
	struct asked *asked = ctx;

	if (strcmp(name, "table") == 0)
		return form_copy(asked->table, sizeof asked->table, name, value, err);
	if (strcmp(name, "name") == 0 && kept_is_etag(value)) {
		text_copy(asked->name, sizeof asked->name, value);
		return 0;
	}
	if (strcmp(name, "op") == 0 && strcmp(value, "delete") == 0) {
		asked->gone = true;
		return 0;
	}
	return err_set(err, ERR_INVALID,
	               "%.40s: only name, table and op=delete are parameters here; take the url of "
	               "a file as the manifest, GET /v1/export, gives it",
	               name);
}

static int
find(struct offers *o, const struct token *token, const struct asked *asked, struct export_set *set,
     struct err *err)
{
	int rc;

	if (asked->name[0] == 0 || asked->table[0] == 0)
		return err_set(err, ERR_INVALID,
		               "name and table are needed; take the url of a file from the "
		               "manifest, GET /v1/export");
	rc = export_set_find(&o->snapshots, token, asked->name, set, err);
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND,
		               "name: this export is no longer kept; ask for the manifest again, "
		               "GET /v1/export");
	return rc < 0 ? rc : 0;
}

/* Who asks, and for which part. */
struct giving {
	struct offers *o;
	const struct http_request *request;
	const struct token *token;
	const struct export_part *part;
};

static int
note(const struct giving *g, uint64_t bytes, struct err *err)
{
	struct export_entry entry = { .token = g->token,
		                      .peer = g->request->peer,
		                      .what = g->part->gone ? "export ndjson.zst, deleted"
		                                            : "export ndjson.zst",
		                      .scope = g->token->scope,
		                      .tables = g->part->table,
		                      .bytes = bytes };

	if (strcmp(g->request->method, "HEAD") == 0)
		return 0;
	return export_log_add(g->o->log, &entry, env_wall_ms(g->o->snapshots.env), err);
}

static void
tell(struct http_response *response, const struct export_part *part, const char *cursor)
{
	char digest[REQSIG_DIGEST_SIZE];

	reqsig_digest_text(digest, part->sha256);
	response->type = "application/zstd";
	http_field(response, "Repr-Digest", "%s", digest);
	http_field(response, "Accept-Ranges", "bytes");
	/* a table's name may hold anything, a header may not */
	http_field(response, "Content-Disposition", "attachment; filename=\"export.ndjson.zst\"");
	http_field(response, "Yz-Cursor", "%s", cursor);
}

/* It goes out, all of it or a part: noted first. */
static void
give(const struct giving *g, const struct offers_headers *headers, struct export_set *set,
     struct http_response *response)
{
	const struct export_part *part = g->part;
	char etag[2 * KEPT_SHA256 + 1];
	bool other; /* than the range is for */
	struct err err;

	text_hex(etag, part->sha256, sizeof part->sha256);
	http_field(response, "ETag", "\"%s\"", etag);
	if (headers->if_none_match != NULL && strstr(headers->if_none_match, etag) != NULL) {
		response->status = 304;
		return;
	}
	other = headers->if_range != NULL && strstr(headers->if_range, etag) == NULL;
	if (!range_answer(other ? NULL : headers->range, part->len, response))
		return;
	response->file.offset += part->offset;
	if (note(g, response->file.len, &err) < 0) {
		response->file = (struct http_file){ 0 };
		http_problem_body(response, 503,
		                  "it could not be noted that this leaves, so nothing does");
		return;
	}
	metrics_add(g->o->metrics, METRIC_EXPORTS, 1);
	tell(response, part, set->file.cursor);
	response->file.fd = set->file.fd;
	set->file.fd = -1;
}

void
offers_export_file(struct offers *o, const struct http_request *request,
                   const struct offers_headers *headers, struct http_response *response)
{
	struct export_set set = { .file = { .fd = -1 } };
	struct asked asked = { .name = "" };
	struct token token;
	struct giving g = { .o = o, .request = request, .token = &token };
	struct err err;
	int rc;

	http_field(response, "Cache-Control", "no-store");
	if (bearer_check(o->snapshots.db, headers->authorization, env_wall_ms(o->snapshots.env),
	                 &token, response) < 0)
		return;
	rc = form_each(request->query, take_parameter, &asked, &err);
	if (rc >= 0)
		rc = find(o, &token, &asked, &set, &err);
	if (rc == 0)
		g.part = export_set_part(&set, asked.table, asked.gone);
	if (rc == 0 && g.part != NULL)
		give(&g, headers, &set, response);
	else if (rc == 0)
		http_problem_body(response, 404, "this export has no such file; see its manifest");
	else if (rc == ERR_INVALID || rc == ERR_NOTFOUND)
		http_problem_body(response, http_status_of(rc), err.msg);
	else
		offers_sorry(response, &err);
	export_set_close(&set);
}
