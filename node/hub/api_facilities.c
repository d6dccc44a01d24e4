#include "node/hub/api_facilities.h"

#include "node/http/form.h"
#include "node/hub/bearer.h"
#include "node/hub/near.h"
#include "store/base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 50 };

struct asked {
	struct near_query near;
	bool has_near;
	size_t limit;
};

static int
read_limit(const char *text, size_t *limit, struct err *err)
{
	char *end;

	*limit = strtoul(text, &end, 10);
	if (strspn(text, "0123456789") != strlen(text) || *limit < 1 || *limit > NEAR_LIMIT_MAX)
		return err_set(err, ERR_INVALID, "limit=%.20s: a number from 1 to %d", text,
		               NEAR_LIMIT_MAX);
	return 0;
}

static int
take_parameter(void *ctx, const char *name, const char *value, struct err *err)
{
	struct asked *asked = ctx;

	if (strcmp(name, "near") == 0) {
		asked->has_near = true;
		return near_read_place(value, &asked->near.from, err);
	}
	if (strcmp(name, "within") == 0)
		return near_read_km(value, &asked->near.km, err);
	if (strcmp(name, "limit") == 0)
		return read_limit(value, &asked->limit, err);
	return err_set(err, ERR_INVALID, "there is no parameter %.40s: near, within, limit", name);
}

static int
read_query(const char *query, struct asked *asked, struct err *err)
{
	int rc;

	*asked = (struct asked){ .near.km = 5, .limit = LIMIT };
	rc = form_each(query, take_parameter, asked, err);
	if (rc == 0 && !asked->has_near)
		rc = err_set(err, ERR_INVALID, "near: is needed, /v1/facilities?near=30.31,120.15");
	return rc;
}

/* ---- the answer ---- */

static void
put_text(struct json *j, const char *name, const char *text)
{
	json_name(j, name);
	json_text(j, text); /* NULL: null */
}

static void
put_int(struct json *j, const char *name, int64_t value)
{
	json_name(j, name);
	if (value == NEAR_NOT_TOLD)
		json_null(j);
	else
		json_int(j, value);
}

static void
put_place(struct json *j, struct near_place place)
{
	json_name(j, "lat");
	json_real(j, place.lat);
	json_name(j, "lon");
	json_real(j, place.lon);
}

static void
put_facility(struct json *j, const struct near_facility *f)
{
	json_object(j);
	put_text(j, "facility_id", f->facility_id);
	put_text(j, "name", f->name);
	put_int(j, "kind", f->kind);
	put_text(j, "subdistrict_code", f->subdistrict_code);
	put_place(j, f->place);
	put_int(j, "distance_m", (int64_t)llround(f->metres));
	put_int(j, "is_inclusive", f->is_inclusive);
	put_int(j, "open_min", f->open_min);
	put_int(j, "close_min", f->close_min);
	put_text(j, "phone", f->phone);
	put_text(j, "address", f->address);
	put_text(j, "intro", f->intro);
	json_end_object(j);
}

static int
find_and_tell(struct store_db *db, const struct asked *asked, struct buf *out, struct err *err)
{
	struct near_found found;
	struct arena a = { 0 };
	struct json j = json_to(out);
	int rc = near_find(db, &asked->near, &a, &found, err);

	if (rc == 0) {
		json_object(&j);
		json_name(&j, "near");
		json_object(&j);
		put_place(&j, asked->near.from);
		json_end_object(&j);
		json_name(&j, "within_km");
		json_real(&j, asked->near.km);
		json_name(&j, "facilities");
		json_array(&j);
		for (size_t i = 0; i < found.count && i < asked->limit; i++)
			put_facility(&j, &found.list[i]);
		json_end_array(&j);
		json_name(&j, "more");
		json_bool(&j, found.count > asked->limit);
		json_end_object(&j);
		buf_u8(out, '\n');
	}
	arena_free(&a);
	return rc;
}

void
api_facilities_get(struct store_db *db, const struct http_request *request,
                   const char *authorization, int64_t now_ms, struct http_response *response)
{
	struct token token;
	struct asked asked;
	struct err err;
	int rc;

	http_field(response, "Cache-Control", "no-store");
	if (bearer_check(db, authorization, now_ms, &token, response) < 0)
		return;
	rc = read_query(request->query, &asked, &err);
	if (rc >= 0 && !token_reads_table(&token, "facility_public"))
		rc = err_set(&err, ERR_DENIED, "this token doesn't read facility_public");
	if (rc >= 0)
		rc = find_and_tell(db, &asked, &response->body, &err);
	if (rc < 0) {
		buf_clear(&response->body);
		http_problem_body(response, http_status_of(rc), err.msg);
		return;
	}
	response->status = 200;
	response->type = "application/json";
}
