/* A record as one line of JSON, read and written by the table of action.c. */
#include "node/facility/action_priv.h"
#include "node/facility/date.h"

#include "store/base/text.h"
#include "store/stmt.h"

#include <stdio.h>
#include <string.h>

enum { EXCEPTIONS_MAX = 200 };

#define NO_TIME INT64_MIN /* `at` until the line gives one */

/* ------------------------------------------------------------------ reading */

/* RFC 3339, "Z" or an offset, to ms. */
static bool
read_time(const char *text, int64_t *at)
{
	unsigned y, mo, d, h, mi, s, ms = 0, oh = 0, om = 0;
	int used = 0, more = 0, east = 0;
	char sign;

	if (sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u%n", &y, &mo, &d, &h, &mi, &s, &used) != 6)
		return false;
	text += used;
	if (text[0] == '.') {
		if (sscanf(text, ".%3u%n", &ms, &used) != 1 || used != 4)
			return false;
		text += used;
	}
	if (strcmp(text, "Z") != 0) {
		if (sscanf(text, "%c%2u:%2u%n", &sign, &oh, &om, &more) != 3 || text[more] != 0 ||
		    (sign != '+' && sign != '-'))
			return false;
		east = (int)(oh * 60 + om) * (sign == '+' ? 1 : -1);
	}
	if (mo > 12 || d > 31 || !date_valid((int)(y * 10000 + mo * 100 + d)) || h > 23 ||
	    mi > 59 || s > 60)
		return false;
	*at = date_ms((int)(y * 10000 + mo * 100 + d), (int)(h * 60 + mi), east) +
	      (int64_t)s * 1000 + ms;
	return true;
}

static int
read_id(const char *name, const char *hex, struct arena *a, const uint8_t **out, struct err *err)
{
	uint8_t *id = arena_take(a, STORE_ID, 1);

	if (id == NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	if (!text_unhex(id, STORE_ID, hex))
		return err_set(err, ERR_INVALID, "%s: '%.40s' is not an id of 32 hex digits", name,
		               hex);
	*out = id;
	return 0;
}

/* [{"child":"..","code":4,"note":".."}, ...] */
static int
read_exceptions(struct store_db *db, const char *json, struct arena *a, struct facility_batch *out,
                struct err *err)
{
	struct facility_exception *list = arena_take(a, EXCEPTIONS_MAX, sizeof *list);
	struct store_stmt s;
	int rc;

	if (list == NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	s = store_stmt_new(db, "SELECT type = 'object', json_extract(value, '$.child'), "
	                       "json_extract(value, '$.code'),"
	                       " json_extract(value, '$.note') FROM"
	                       " (SELECT type, CASE type WHEN 'object' THEN value ELSE '{}' END AS "
	                       "value FROM json_each(?))");
	store_stmt_put_text(&s, json);
	out->exceptions = list;
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct facility_exception *e = &list[out->exception_count];

		if (out->exception_count++ == EXCEPTIONS_MAX)
			rc = err_set(err, ERR_INVALID, "exceptions: more than %d", EXCEPTIONS_MAX);
		else if (store_stmt_get_int(&s) == 0)
			rc = err_set(err, ERR_INVALID,
			             "exceptions: each is an object with child, code, note");
		else
			rc = read_id("exceptions.child", store_stmt_get_text(&s), a, &e->child,
			             err);
		if (rc < 0)
			break;
		e->code = store_stmt_get_int(&s);
		if (!store_stmt_null(&s)) {
			const char *note = store_stmt_get_text(&s);

			e->note = arena_copy(a, note, strlen(note));
		}
	}
	store_stmt_end(&s);
	return rc;
}

/* An integer; `at` may also be a time as people write it. */
static int
read_int(struct store_stmt *s, const char *type, const struct action_field *f, int64_t *out,
         struct err *err)
{
	bool is_time = strcmp(f->name, "at") == 0;

	if (strcmp(type, "integer") == 0 || strcmp(type, "true") == 0 ||
	    strcmp(type, "false") == 0) {
		*out = store_stmt_get_int(s);
		return 0;
	}
	if (!is_time)
		return err_set(err, ERR_INVALID, "%s: is not an integer", f->name);
	if (strcmp(type, "text") == 0 && read_time(store_stmt_get_text(s), out))
		return 0;
	return err_set(err, ERR_INVALID, "at: is neither ms since 1970 nor a time as in RFC 3339");
}

static int read_was(struct store_db *db, const char *json, struct arena *a,
                    struct facility_action *out, struct err *err);

/* One member of the object: its value stands next in `s`, after its type. */
static int
read_field(struct store_stmt *s, const char *type, const struct action_field *f, struct arena *a,
           struct facility_action *out, struct err *err)
{
	static const char *const types[] = { [FIELD_ID] = "text",
		                             [FIELD_TEXT] = "text",
		                             [FIELD_EXCEPTIONS] = "array",
		                             [FIELD_WAS] = "object" };
	static const char *const words[] = { [FIELD_ID] = "a string",
		                             [FIELD_TEXT] = "a string",
		                             [FIELD_EXCEPTIONS] = "a list",
		                             [FIELD_WAS] = "an object of what was shown" };
	void *to = (char *)&out->as + f->offset;
	const char *text;

	if (strcmp(type, "null") == 0)
		return 0;
	if (f->kind == FIELD_INT)
		return read_int(s, type, f, to, err);
	if (strcmp(type, types[f->kind]) != 0)
		return err_set(err, ERR_INVALID, "%s: is not %s", f->name, words[f->kind]);
	text = store_stmt_get_text(s);
	if (f->kind == FIELD_WAS)
		return read_was(s->db, text, a, out, err);
	if (f->kind == FIELD_EXCEPTIONS)
		return read_exceptions(s->db, text, a, &out->as.batch, err);
	if (f->kind == FIELD_ID)
		return read_id(f->name, text, a, to, err);
	text = arena_copy(a, text, strlen(text));
	*(const char **)to = text;
	return text == NULL ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

/* The same by its name; `shown`: inside of "was", where there is no other. */
static int
read_member(struct store_stmt *s, const char *name, bool shown, struct arena *a,
            struct facility_action *out, struct err *err)
{
	const struct action_field *f = action_records[out->what].fields;
	char type[16];

	text_copy(type, sizeof type, store_stmt_get_text(s));
	while (f->name != NULL && strcmp(f->name, name) != 0)
		f++;
	if (f->name == NULL || (shown && f->kind == FIELD_WAS))
		return err_set(err, ERR_INVALID, "%s%s: %s has no such member", shown ? "was." : "",
		               name, action_records[out->what].name);
	return read_field(s, type, f, a, out, err);
}

/* What a form had shown: the same members once more. */
static int
read_was(struct store_db *db, const char *json, struct arena *a, struct facility_action *out,
         struct err *err)
{
	struct facility_action *shown = arena_take(a, 1, sizeof *shown);
	struct store_stmt s;
	int rc;

	if (shown == NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	shown->what = out->what;
	s = store_stmt_new(db, "SELECT key, type, value FROM json_each(?)");
	store_stmt_put_text(&s, json);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		char name[32];

		text_copy(name, sizeof name, store_stmt_get_text(&s));
		rc = read_member(&s, name, true, a, shown, err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	if (out->what == DO_ABSENCE)
		out->as.absence.was = &shown->as.absence;
	else
		out->as.report.was = &shown->as.report;
	return rc;
}

static bool
in_list(const char *const *list, const char *name)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static int
read_what(struct store_db *db, const char *json, struct facility_action *out, struct err *err)
{
	struct store_stmt s;
	int rc;

	s = store_stmt_new(
	        db, "SELECT CASE WHEN json_valid(?1) THEN json_type(?1) = 'object' ELSE 0 END,"
	            " CASE WHEN json_valid(?1) THEN json_extract(?1, '$.do') END");
	store_stmt_put_text(&s, json);
	rc = store_stmt_step(&s, err);
	if (rc == 1 && store_stmt_get_int(&s) == 0) {
		rc = err_set(err, ERR_INVALID, "the line is not a JSON object");
	} else if (rc == 1) {
		const char *name = store_stmt_get_text(&s);

		for (out->what = 0; out->what < DO_COUNT; out->what++)
			if (strcmp(action_records[out->what].name, name) == 0)
				break;
		rc = 0;
		if (out->what == DO_COUNT)
			rc = err_set(err, ERR_INVALID, "do: '%.40s' is no record that can be made",
			             name);
	}
	store_stmt_end(&s);
	return rc;
}

/* What its members are until the line gives them. */
static void
set_missing(struct facility_action *a)
{
	for (const struct action_field *f = action_records[a->what].fields; f->name != NULL; f++)
		if (f->missing != 0)
			*(int64_t *)(void *)((char *)&a->as + f->offset) = f->missing;
	a->as.at = NO_TIME;
}

/* The one member that every record needs, and that nobody can guess. */
static int
check_given(const struct facility_action *a, struct err *err)
{
	if (a->as.at != NO_TIME)
		return 0;
	return err_set(err, ERR_INVALID,
	               "at: is needed, as ms since 1970 or a time as in RFC 3339");
}

int
facility_action_read(struct store_db *db, const char *json, const char *const *others,
                     struct arena *a, struct facility_action *out, struct err *err)
{
	struct store_stmt s;
	int rc;

	memset(out, 0, sizeof *out);
	rc = read_what(db, json, out, err);
	if (rc < 0)
		return rc;
	set_missing(out);
	s = store_stmt_new(db, "SELECT key, type, value FROM json_each(?)");
	store_stmt_put_text(&s, json);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		char name[32];

		text_copy(name, sizeof name, store_stmt_get_text(&s));
		if (strcmp(name, "do") == 0 || in_list(others, name))
			continue;
		rc = read_member(&s, name, false, a, out, err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	return rc == 0 ? check_given(out, err) : rc;
}

/* ------------------------------------------------------------------ writing */

static void
write_text(struct buf *out, const char *text)
{
	buf_u8(out, '"');
	for (; *text != 0; text++) {
		if ((unsigned char)*text < ' ')
			buf_printf(out, "\\u%04x", (unsigned)*text);
		else if (*text == '"' || *text == '\\')
			buf_printf(out, "\\%c", *text);
		else
			buf_u8(out, (uint8_t)*text);
	}
	buf_u8(out, '"');
}

static void
write_id(struct buf *out, const uint8_t *id)
{
	char hex[2 * STORE_ID + 1];

	text_hex(hex, id, STORE_ID);
	buf_printf(out, "\"%s\"", hex);
}

static void
write_exceptions(struct buf *out, const struct facility_batch *b)
{
	for (size_t i = 0; i < b->exception_count; i++) {
		buf_printf(out, "%s{\"child\":", i == 0 ? ",\"exceptions\":[" : ",");
		write_id(out, b->exceptions[i].child);
		buf_printf(out, ",\"code\":%lld", (long long)b->exceptions[i].code);
		if (b->exceptions[i].note != NULL) {
			buf_printf(out, ",\"note\":");
			write_text(out, b->exceptions[i].note);
		}
		buf_printf(out, i + 1 == b->exception_count ? "}]" : "}");
	}
}

void
facility_action_write(struct buf *out, const struct facility_action *action)
{
	const char *base = (const char *)&action->as;

	buf_printf(out, "\"do\":\"%s\"", action_records[action->what].name);
	for (const struct action_field *f = action_records[action->what].fields; f->name != NULL;
	     f++) {
		const void *at = base + f->offset;

		if (f->kind == FIELD_WAS)
			continue; /* only forms know it */
		if (f->kind == FIELD_EXCEPTIONS) {
			write_exceptions(out, &action->as.batch);
		} else if (f->kind == FIELD_INT && *(const int64_t *)at != f->missing) {
			buf_printf(out, ",\"%s\":%lld", f->name, (long long)*(const int64_t *)at);
		} else if (f->kind != FIELD_INT && *(const void *const *)at != NULL) {
			buf_printf(out, ",\"%s\":", f->name);
			if (f->kind == FIELD_ID)
				write_id(out, *(const uint8_t *const *)at);
			else
				write_text(out, *(const char *const *)at);
		}
	}
}
