#include "node/facility/action.h"
#include "node/facility/date.h"

#include "store/base/text.h"
#include "store/stmt.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { EXCEPTIONS_MAX = 200 };

#define NO_TIME INT64_MIN /* `at` until the line gives one */

enum field_kind { FIELD_ID, FIELD_INT, FIELD_TEXT, FIELD_EXCEPTIONS, FIELD_WAS };

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
	int64_t missing; /* what an integer is when it isn't given */
};

#define ID(type, member)                                                                           \
	{                                                                                          \
#member, FIELD_ID, offsetof(struct facility_##type, member), 0                     \
	}
#define INT(type, member)                                                                          \
	{                                                                                          \
#member, FIELD_INT, offsetof(struct facility_##type, member), 0                    \
	}
#define TEXT(type, member)                                                                         \
	{                                                                                          \
#member, FIELD_TEXT, offsetof(struct facility_##type, member), 0                   \
	}
#define FINDINGS(type)                                                                             \
	{ "temp_dc", FIELD_INT, offsetof(struct facility_##type, found.temp_dc), 0 },              \
	        { "touch", FIELD_INT, offsetof(struct facility_##type, found.touch), 0 },          \
	        { "look_bits", FIELD_INT, offsetof(struct facility_##type, found.look_bits), 0 },  \
	        { "ask_bits", FIELD_INT, offsetof(struct facility_##type, found.ask_bits), 0 },    \
	        { "check_bits", FIELD_INT, offsetof(struct facility_##type, found.check_bits),     \
		  0 },                                                                             \
	        { "symptom_bits", FIELD_INT, offsetof(struct facility_##type, found.symptom_bits), \
		  0 },                                                                             \
	        { "card", FIELD_INT, offsetof(struct facility_##type, found.card), 0 },            \
	        { "action", FIELD_INT, offsetof(struct facility_##type, found.action), 0 },        \
	{                                                                                          \
		"note", FIELD_TEXT, offsetof(struct facility_##type, found.note), 0                \
	}
#define WAS(type)                                                                                  \
	{                                                                                          \
		"was", FIELD_WAS, offsetof(struct facility_##type, was), 0                         \
	}
#define BATCH                                                                                      \
	{ "class", FIELD_ID, offsetof(struct facility_batch, class_id), 0 },                       \
	{                                                                                          \
		"exceptions", FIELD_EXCEPTIONS, 0, 0                                               \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL, FIELD_INT, 0, 0                                                              \
	}

static const struct field arrival[] = { INT(arrival, at), ID(arrival, child), INT(arrival, method),
	                                FINDINGS(arrival), END };
static const struct field pickup[] = { INT(pickup, at),    ID(pickup, child),   ID(pickup, adult),
	                               TEXT(pickup, code), INT(pickup, method), END };
static const struct field strike[] = { INT(strike, at), ID(strike, event), END };
static const struct field absence[] = { INT(absence, at),
	                                ID(absence, child),
	                                INT(absence, from),
	                                INT(absence, to),
	                                INT(absence, reason),
	                                TEXT(absence, disease),
	                                INT(absence, symptom_bits),
	                                TEXT(absence, informed_by),
	                                TEXT(absence, hospital),
	                                WAS(absence),
	                                END };
static const struct field followup[] = { INT(followup, at),        ID(followup, absence),
	                                 INT(followup, method),    TEXT(followup, result),
	                                 INT(followup, next_date), END };
static const struct field check[] = { INT(check, at),      ID(check, child), INT(check, slot),
	                              ID(check, replaces), FINDINGS(check),  END };
static const struct field sick[] = {
	INT(case, at),           ID(case, child),      TEXT(case, disease),
	INT(case, symptom_bits), INT(case, confirmed), INT(case, isolated_at),
	INT(case, notified_at),  TEXT(case, note),     END
};
static const struct field medication[] = {
	INT(medication, at),    ID(medication, child),      TEXT(medication, drug),
	TEXT(medication, dose), INT(medication, time_bits), INT(medication, from),
	INT(medication, to),    ID(medication, signature),  END
};
static const struct field given[] = { INT(medication_given, at),
	                              ID(medication_given, request),
	                              { "slot", FIELD_INT,
	                                offsetof(struct facility_medication_given, slot), -1 },
	                              TEXT(medication_given, dose),
	                              ID(medication_given, witness),
	                              TEXT(medication_given, reaction),
	                              END };
static const struct field growth[] = { INT(growth, at),       ID(growth, child),
	                               INT(growth, weight_g), INT(growth, length_mm),
	                               INT(growth, head_mm),  INT(growth, posture),
	                               ID(growth, replaces),  END };
static const struct field meal[] = { INT(batch, at), INT(batch, meal), INT(batch, level), BATCH,
	                             END };
static const struct field batch[] = { INT(batch, at), BATCH, END };
static const struct field care[] = { INT(care, at),
	                             ID(care, child),
	                             INT(care, kind),
	                             INT(care, amount),
	                             INT(care, code),
	                             TEXT(care, note),
	                             END };
static const struct field menu[] = { INT(menu, at),         INT(menu, meal),
	                             TEXT(menu, dish),      INT(menu, per_child_g),
	                             TEXT(menu, allergens), END };
static const struct field sample[] = { INT(sample, at),      INT(sample, meal),
	                               TEXT(sample, dish),   INT(sample, weight_g),
	                               ID(sample, replaces), END };
static const struct field cleaning[] = {
	INT(cleaning, at),
	{ "class", FIELD_ID, offsetof(struct facility_cleaning, class_id), 0 },
	INT(cleaning, area),
	INT(cleaning, object),
	INT(cleaning, method),
	INT(cleaning, conc_mg_l),
	INT(cleaning, minutes),
	END
};
static const struct field handover[] = {
	INT(handover, at),
	{ "class", FIELD_ID, offsetof(struct facility_handover, class_id), 0 },
	ID(handover, from),
	ID(handover, to),
	TEXT(handover, items),
	END
};
static const struct field incident[] = { INT(incident, at),          INT(incident, kind),
	                                 INT(incident, severity),    ID(incident, child),
	                                 TEXT(incident, place),      TEXT(incident, text),
	                                 INT(incident, notified_at), END };
static const struct field report[] = { INT(report, at),      ID(report, child),
	                               INT(report, mood),    TEXT(report, meals),
	                               INT(report, nap_min), TEXT(report, activity),
	                               TEXT(report, note),   INT(report, publish),
	                               WAS(report),          END };
static const struct field clocking[] = { INT(clock, at), ID(clock, staff), INT(clock, kind),
	                                 INT(clock, method), END };
static const struct field visit[] = { INT(visit, at),        INT(visit, kind),
	                              ID(visit, child),      TEXT(visit, child_name),
	                              INT(visit, month_age), TEXT(visit, adult_name),
	                              ID(visit, session),    END };
static const struct field visit_end[] = { INT(visit_end, at), ID(visit_end, visit), END };
static const struct field session[] = { INT(session, at),
	                                INT(session, kind),
	                                TEXT(session, title),
	                                INT(session, minutes),
	                                INT(session, cap),
	                                TEXT(session, place),
	                                END };
static const struct field book[] = { INT(book, at),
	                             INT(book, kind),
	                             TEXT(book, resource),
	                             TEXT(book, period),
	                             ID(book, session),
	                             ID(book, child),
	                             TEXT(book, guardian_name),
	                             TEXT(book, phone),
	                             INT(book, wanted_at),
	                             TEXT(book, note),
	                             END };
static const struct field book_cancel[] = { INT(book_cancel, at), ID(book_cancel, booking), END };
static const struct field pickup_code[] = { INT(pickup_code, at),     ID(pickup_code, child),
	                                    TEXT(pickup_code, name),  TEXT(pickup_code, relation),
	                                    TEXT(pickup_code, phone), TEXT(pickup_code, code),
	                                    INT(pickup_code, to),     END };
static const struct field leave[] = { INT(leave, at),     ID(leave, child),
	                              INT(leave, from),   INT(leave, to),
	                              INT(leave, type),   TEXT(leave, reason),
	                              INT(leave, source), END };
static const struct field leave_review[] = { INT(leave_review, at), ID(leave_review, leave),
	                                     INT(leave_review, review), TEXT(leave_review, note),
	                                     END };
static const struct field staff_check[] = {
	INT(staff_check, at),      ID(staff_check, staff),
	INT(staff_check, temp_dc), INT(staff_check, symptom_bits),
	INT(staff_check, unfit),   TEXT(staff_check, note),
	ID(staff_check, replaces), END
};
static const struct field house_check[] = { INT(house_check, at),      INT(house_check, kind),
	                                    INT(house_check, result),  TEXT(house_check, findings),
	                                    ID(house_check, replaces), END };

/* How each is done: the one door's function of that name, with its member of the action. */
#define DOES(function, member)                                                                     \
	static int do_##function(struct facility *f, const struct facility_action *a,              \
	                         struct err *err)                                                  \
	{                                                                                          \
		return facility_##function(f, &a->as.member, err);                                 \
	}
DOES(arrival, arrival)
DOES(pickup, pickup)
DOES(strike, strike)
DOES(absence, absence)
DOES(followup, followup)
DOES(check, check)
DOES(case, sick)
DOES(medication, medication)
DOES(medication_given, given)
DOES(growth, growth)
DOES(meal_batch, batch)
DOES(nap_start, batch)
DOES(nap_end, batch)
DOES(nap_round, batch)
DOES(care, care)
DOES(menu, menu)
DOES(sample, sample)
DOES(cleaning, cleaning)
DOES(handover, handover)
DOES(incident, incident)
DOES(report, report)
DOES(clock, clock)
DOES(visit, visit)
DOES(visit_end, visit_end)
DOES(session, session)
DOES(book, book)
DOES(book_cancel, book_cancel)
DOES(pickup_code, pickup_code)
DOES(leave, leave)
DOES(leave_review, leave_review)
DOES(staff_check, staff_check)
DOES(house_check, house_check)

static const struct record {
	const char *name;
	const struct field *fields;
	int (*does)(struct facility *f, const struct facility_action *a, struct err *err);
} records[DO_COUNT] = {
	[DO_ARRIVAL] = { "arrival", arrival, do_arrival },
	[DO_PICKUP] = { "pickup", pickup, do_pickup },
	[DO_STRIKE] = { "strike", strike, do_strike },
	[DO_ABSENCE] = { "absence", absence, do_absence },
	[DO_FOLLOWUP] = { "followup", followup, do_followup },
	[DO_CHECK] = { "check", check, do_check },
	[DO_CASE] = { "case", sick, do_case },
	[DO_MEDICATION] = { "medication", medication, do_medication },
	[DO_MEDICATION_GIVEN] = { "medication_given", given, do_medication_given },
	[DO_GROWTH] = { "growth", growth, do_growth },
	[DO_MEAL] = { "meal", meal, do_meal_batch },
	[DO_NAP_START] = { "nap_start", batch, do_nap_start },
	[DO_NAP_END] = { "nap_end", batch, do_nap_end },
	[DO_NAP_ROUND] = { "nap_round", batch, do_nap_round },
	[DO_CARE] = { "care", care, do_care },
	[DO_MENU] = { "menu", menu, do_menu },
	[DO_SAMPLE] = { "sample", sample, do_sample },
	[DO_CLEANING] = { "cleaning", cleaning, do_cleaning },
	[DO_HANDOVER] = { "handover", handover, do_handover },
	[DO_INCIDENT] = { "incident", incident, do_incident },
	[DO_REPORT] = { "report", report, do_report },
	[DO_CLOCK] = { "clock", clocking, do_clock },
	[DO_VISIT] = { "visit", visit, do_visit },
	[DO_VISIT_END] = { "visit_end", visit_end, do_visit_end },
	[DO_SESSION] = { "session", session, do_session },
	[DO_BOOK] = { "book", book, do_book },
	[DO_BOOK_CANCEL] = { "book_cancel", book_cancel, do_book_cancel },
	[DO_PICKUP_CODE] = { "pickup_code", pickup_code, do_pickup_code },
	[DO_LEAVE] = { "leave", leave, do_leave },
	[DO_LEAVE_REVIEW] = { "leave_review", leave_review, do_leave_review },
	[DO_STAFF_CHECK] = { "staff_check", staff_check, do_staff_check },
	[DO_HOUSE_CHECK] = { "house_check", house_check, do_house_check },
};

const char *
facility_do_name(enum facility_do what)
{
	assert(what < DO_COUNT);
	return records[what].name;
}

/* ------------------------------------------------------------------ doing */

int
facility_do(struct facility *f, const struct facility_action *action, struct err *err)
{
	const uint8_t *by = f->by;
	int rc;

	assert(action->what < DO_COUNT);
	if (action->by != NULL)
		f->by = action->by;
	rc = records[action->what].does(f, action, err);
	f->by = by;
	if (rc == 0 && action->keep != NULL)
		memcpy(action->keep, f->last_id, STORE_ID);
	return rc;
}

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
read_int(struct store_stmt *s, const char *type, const struct field *f, int64_t *out,
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
read_field(struct store_stmt *s, const char *type, const struct field *f, struct arena *a,
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
	const struct field *f = records[out->what].fields;
	char type[16];

	text_copy(type, sizeof type, store_stmt_get_text(s));
	while (f->name != NULL && strcmp(f->name, name) != 0)
		f++;
	if (f->name == NULL || (shown && f->kind == FIELD_WAS))
		return err_set(err, ERR_INVALID, "%s%s: %s has no such member", shown ? "was." : "",
		               name, records[out->what].name);
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
			if (strcmp(records[out->what].name, name) == 0)
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
	for (const struct field *f = records[a->what].fields; f->name != NULL; f++)
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

	buf_printf(out, "\"do\":\"%s\"", records[action->what].name);
	for (const struct field *f = records[action->what].fields; f->name != NULL; f++) {
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
