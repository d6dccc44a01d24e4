#include "store/print.h"
#include "store/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DASH = 2 * STORE_NODE_ID }; /* where a site's '-' stands */

/* ---- writing ---- */

bool
store_print_json(struct json *j, const struct store_value *v)
{
	switch (v->type) {
	case STORE_INT:
		json_int(j, v->num.i);
		return true;
	case STORE_REAL:
		json_real(j, v->num.r);
		return true;
	case STORE_TEXT:
		return json_bytes(j, v->bytes, v->len);
	case STORE_BLOB:
		json_hex(j, v->bytes, v->len);
		return true;
	case STORE_NULL:
		break;
	}
	json_null(j);
	return true;
}

void
store_print_text(struct buf *out, const struct store_value *v)
{
	switch (v->type) {
	case STORE_INT:
		buf_printf(out, "%" PRId64, v->num.i);
		return;
	case STORE_REAL:
		json_real_text(out, v->num.r);
		return;
	case STORE_TEXT:
		buf_put(out, v->bytes, v->len);
		return;
	case STORE_BLOB:
		buf_hex(out, v->bytes, v->len);
		return;
	case STORE_NULL:
		return;
	}
}

void
store_print_row_json(struct json *j, struct store_stmt *s)
{
	int count = store_stmt_columns(s);
	struct buf bad = { 0 };
	struct json bad_json = json_to(&bad);

	json_object(j);
	for (int i = 0; i < count; i++) {
		struct store_value v = store_stmt_get_value(s);

		json_name(j, store_stmt_column_name(s, i));
		if (!store_print_json(j, &v))
			json_text(&bad_json, store_stmt_column_name(s, i));
	}
	if (bad.len > 0) {
		json_name(j, "_bad_utf8");
		json_array(j);
		buf_put(j->out, bad.bytes, bad.len);
		json_end_array(j);
	}
	json_end_object(j);
	buf_free(&bad);
}

void
store_print_key_json(struct json *j, const uint8_t *key, size_t len)
{
	struct rd r = rd_from(key, len);
	struct store_value v = store_value_read(&r);

	if (rd_done(&r)) {
		store_print_json(j, &v);
		return;
	}
	json_array(j);
	store_print_json(j, &v);
	while (!r.bad && r.left > 0) {
		v = store_value_read(&r);
		store_print_json(j, &v);
	}
	json_end_array(j);
}

void
store_print_key_text(struct buf *out, const uint8_t *key, size_t len)
{
	struct rd r = rd_from(key, len);
	bool first = true;

	while (!r.bad && r.left > 0) {
		struct store_value v = store_value_read(&r);

		if (!first)
			buf_u8(out, '/');
		store_print_text(out, &v);
		first = false;
	}
}

void
store_print_site(char out[STORE_PRINT_SITE], const struct store_site *site)
{
	text_hex(out, site->node, STORE_NODE_ID);
	out[DASH] = '-';
	text_hex(out + DASH + 1, site->epoch, STORE_EPOCH);
}

/* ---- reading ---- */

/* What SQLite makes of a declared type (its "column affinity" rules, in their order). */
enum affinity { AS_INTEGER, AS_TEXT, AS_BLOB, AS_REAL, AS_NUMERIC };

static enum affinity
affinity_of(const char *type)
{
	if (strcasestr(type, "INT") != NULL)
		return AS_INTEGER;
	if (strcasestr(type, "CHAR") != NULL || strcasestr(type, "CLOB") != NULL ||
	    strcasestr(type, "TEXT") != NULL)
		return AS_TEXT;
	if (type[0] == 0 || strcasestr(type, "BLOB") != NULL)
		return AS_BLOB;
	if (strcasestr(type, "REAL") != NULL || strcasestr(type, "FLOA") != NULL ||
	    strcasestr(type, "DOUB") != NULL)
		return AS_REAL;
	return AS_NUMERIC;
}

static bool
read_int(const char *text, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == 0;
}

static bool
read_real(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && *end == 0 && isfinite(*value);
}

static int
parse_number(enum affinity as, const char *text, struct store_value *out, struct err *err)
{
	int64_t i;
	double r;

	if (as != AS_REAL && read_int(text, &i)) {
		*out = store_value_int(i);
		return 0;
	}
	if (as != AS_INTEGER && read_real(text, &r)) {
		*out = store_value_real(r);
		return 0;
	}
	return err_set(err, ERR_INVALID, "\"%.60s\" is not a%s number", text,
	               as == AS_INTEGER ? " whole" : "");
}

static int
parse_blob(const char *text, struct arena *a, struct store_value *out, struct err *err)
{
	size_t len = strlen(text) / 2;
	uint8_t *bytes = arena_take(a, len, 1);

	if (bytes == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for a blob");
	if (!text_unhex(bytes, len, text))
		return err_set(err, ERR_INVALID, "\"%.60s\" is not hex digits, two for each byte",
		               text);
	*out = store_value_blob(bytes, len);
	return 0;
}

int
store_print_parse_value(const char *type, const char *text, struct arena *a,
                        struct store_value *out, struct err *err)
{
	enum affinity as = affinity_of(type);

	switch (as) {
	case AS_TEXT:
		*out = store_value_text(text);
		return 0;
	case AS_BLOB:
		return parse_blob(text, a, out, err);
	case AS_INTEGER:
	case AS_REAL:
	case AS_NUMERIC:
		break;
	}
	return parse_number(as, text, out, err);
}

/* The part of the key that is the next column's, copied; `last` takes all. */
static const char *
next_part(const char **text, bool last, struct arena *a)
{
	size_t len = last ? strlen(*text) : strcspn(*text, "/");
	const char *part = arena_copy(a, *text, len);

	*text += len;
	if (!last && **text == '/')
		(*text)++;
	return part;
}

static int
parse_parts(const struct store_schema *schema, const char *text, struct arena *a,
            struct store_value *values, struct err *err)
{
	const char *all = text;
	int rc;

	for (unsigned i = 0; i < schema->key_count; i++) {
		const struct store_column *col = &schema->columns[schema->keys[i]];
		const char *part = next_part(&text, i + 1 == schema->key_count, a);

		if (part == NULL)
			return err_set(err, ERR_NOMEM, "out of memory for a key");
		rc = store_print_parse_value(col->type, part, a, &values[schema->keys[i]], err);
		if (rc < 0) {
			err_wrap(err, "key \"%.60s\": table %s: column %s", all, schema->table,
			         col->name);
			return rc;
		}
	}
	return 0;
}

int
store_print_parse_key(const struct store_schema *schema, const char *text, struct buf *key,
                      struct err *err)
{
	struct store_value values[STORE_COLUMNS_MAX];
	struct arena a = { .limit = STORE_VALUE_MAX };
	unsigned slashes = 0;
	int rc;

	for (const char *c = text; *c != 0; c++)
		slashes += *c == '/';
	if (slashes + 1 < schema->key_count)
		return err_set(err, ERR_INVALID,
		               "key \"%.60s\": table %s has %u key columns; write them as a/b",
		               text, schema->table, schema->key_count);
	rc = parse_parts(schema, text, &a, values, err);
	if (rc == 0) {
		store_schema_key(schema, values, key);
		rc = buf_check(key, err);
	}
	arena_free(&a);
	return rc;
}
