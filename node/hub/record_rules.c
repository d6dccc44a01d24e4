#include "node/hub/record_rules.h"

#include "node/facility/answer.h"
#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/schema.h"
#include "store/base/text.h"
#include "store/stmt.h"

#include <stdio.h>
#include <string.h>

static bool
is_in(const char *const *names, const char *name)
{
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool
ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len >= n && strcmp(name + len - n, end) == 0;
}

/* ---- values ---- */

static bool
is_id(const char *name, const char *type)
{
	return strcmp(type, "BLOB") == 0 && (strcmp(name, "id") == 0 || ends_with(name, "_id") ||
	                                     strcmp(name, "recorded_by") == 0);
}

static int
check_id(const struct record_line *l, size_t i, struct err *err)
{
	const char *name = l->row.columns[i];

	if (l->row.values[i].len == STORE_ID)
		return 0;
	return err_set(err, ERR_INVALID, "%.60s: is no id of %d bytes, %d hex digits", name,
	               (int)STORE_ID, 2 * STORE_ID);
}

static bool
is_date(const char *name, const char *type)
{
	static const char *const names[] = { "date_from",  "date_to",  "from_date", "to_date",
		                             "valid_from", "valid_to", NULL };

	return strcmp(type, "INTEGER") == 0 && (ends_with(name, "_date") || is_in(names, name));
}

/* Who writes a year with two digits has asked for what is over. */
static int
check_date(const struct record_line *l, size_t i, struct err *err)
{
	int64_t date = l->row.values[i].num.i;

	if (date >= 19000101 && date <= 21001231 && date_valid((int)date))
		return 0;
	return err_set(err, ERR_INVALID, "%.60s: is no day as YYYYMMDD", l->row.columns[i]);
}

static bool
is_time(const char *name, const char *type)
{
	return strcmp(type, "INTEGER") == 0 && (strcmp(name, "at") == 0 || ends_with(name, "_at"));
}

/* Seconds would be a day in 1970, which is over. */
static int
check_time(const struct record_line *l, size_t i, struct err *err)
{
	int64_t at = l->row.values[i].num.i;

	if (at >= date_ms(20000101, 0, 0) && at < date_ms(21000101, 0, 0))
		return 0;
	return err_set(err, ERR_INVALID, "%.60s: is no time of this century in ms since 1970",
	               l->row.columns[i]);
}

/* Small integers that the catalogue names; a set that it doesn't have says nothing. */
static bool
is_code(const char *name, const char *type)
{
	return strcmp(type, "INTEGER") == 0 && !ends_with(name, "_bits");
}

static int
check_code(const struct record_line *l, size_t i, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        l->db, "SELECT 1 WHERE EXISTS (SELECT 1 FROM code_set WHERE set_code = ?1) AND NOT"
	               " EXISTS (SELECT 1 FROM code_set WHERE set_code = ?1"
	               " AND code = CAST(?2 AS TEXT))");
	char set[2 * STORE_NAME_MAX + 2];
	int rc;

	snprintf(set, sizeof set, "%s.%s", l->row.table, l->row.columns[i]);
	store_stmt_put_text(&s, set);
	store_stmt_put_int(&s, l->row.values[i].num.i);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	return rc == 1 ? err_set(err, ERR_INVALID, "%.60s: is no code of %.120s in code_set",
	                         l->row.columns[i], set)
	               : rc;
}

/* What a column of any table names.  ?1 the id, ?2 the facility; a child that is shared with the
 * facility may be another's by its column. */
#define OTHERS "EXISTS (SELECT 1 FROM yz_share WHERE scope = 'f/' || ?2)"
static const struct {
	const char *column, *what, *missing;
} references[] = {
	{ "child_id", "child",
	  "SELECT 1 WHERE EXISTS (SELECT 1 FROM child WHERE facility_id = ?2) AND NOT EXISTS"
	  " (SELECT 1 FROM child WHERE id = ?1 AND (facility_id = ?2 OR " OTHERS "))" },
	{ "enrollment_id", "enrolment",
	  "SELECT 1 WHERE EXISTS (SELECT 1 FROM enrollment WHERE facility_id = ?2) AND NOT EXISTS"
	  " (SELECT 1 FROM enrollment WHERE id = ?1 AND (facility_id = ?2 OR " OTHERS "))" },
	{ "session_id", "session",
	  "SELECT 1 WHERE EXISTS (SELECT 1 FROM session_event WHERE facility_id = ?2) AND NOT"
	  " EXISTS (SELECT 1 FROM session_event WHERE id = ?1 AND facility_id = ?2)" },
};

static const struct store_value *
value_of(const struct record_line *l, const char *column)
{
	for (size_t i = 0; i < l->row.count; i++)
		if (strcmp(l->row.columns[i], column) == 0)
			return &l->row.values[i];
	return NULL;
}

static int
check_reference(const struct record_line *l, size_t i, size_t ref, struct err *err)
{
	const struct store_value *id = &l->row.values[i], *of = value_of(l, "facility_id");
	struct store_stmt s;
	int rc;

	if (of == NULL || of->type != STORE_TEXT)
		return 0;
	s = store_stmt_new(l->db, references[ref].missing);
	store_stmt_put_value(&s, id);
	store_stmt_put_value(&s, of);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	return rc == 1 ? err_set(err, ERR_INVALID, "%.60s: the facility has no such %s",
	                         l->row.columns[i], references[ref].what)
	               : rc;
}

/* The one table of what values have to be. */
static const struct {
	bool (*is)(const char *name, const char *type);
	int (*check)(const struct record_line *l, size_t i, struct err *err);
} checks[] = {
	{ is_id, check_id },
	{ is_date, check_date },
	{ is_time, check_time },
	{ is_code, check_code },
};

static int
check_value(const struct record_line *l, size_t i, struct err *err)
{
	const char *name = l->row.columns[i];
	int at = store_schema_find_here(l->schema, name), rc = 0;
	const char *type = at < 0 ? "" : l->schema->columns[at].type;

	if (l->row.values[i].type == STORE_NULL)
		return 0;
	for (size_t c = 0; rc == 0 && c < sizeof checks / sizeof checks[0]; c++)
		if (checks[c].is(name, type))
			rc = checks[c].check(l, i, err);
	for (size_t c = 0; rc == 0 && c < sizeof references / sizeof references[0]; c++)
		if (strcmp(references[c].column, name) == 0)
			rc = check_reference(l, i, c, err);
	return rc;
}

/* ---- answers ---- */

/* By enum request_kind: what the facility alone says, and what it was asked. */
static const struct {
	const char *const *says, *const *asked;
} words[REQUEST_KINDS] = {
	[REQUEST_LEAVE] = { (const char *const[]){ "review", "review_note", "reviewed_at",
	                                           "review_of", "wording", NULL },
	                    (const char *const[]){ "enrollment_id", "date_from", "date_to", "type",
	                                           "reason", "source", "at", NULL } },
	[REQUEST_MEDICINE] = { (const char *const[]){ "review", "review_note", "reviewed_at",
	                                              "review_of", "wording", "accepted_by",
	                                              "accepted_at", NULL },
	                       (const char *const[]){ "child_id", "drug", "dose_text", "time_bits",
	                                              "date_from", "date_to", "guardian_sign_id",
	                                              "at", NULL } },
	[REQUEST_BOOKING] = { (const char *const[]){ "review_note", "review_of", "wording", NULL },
	                      (const char *const[]){ "kind", "session_id", "child_id", "wanted_at",
	                                             "seat_grant_id", "seat_no", "at", NULL } },
	[REQUEST_PICKUP] = { (const char *const[]){ "asked", "review", "review_note", "reviewed_at",
	                                            "review_of", "wording", NULL },
	                     (const char *const[]){ "child_id", "name", "relation", "phone",
	                                            "photo_id", "valid_from", "valid_to", "kind",
	                                            NULL } },
	[REQUEST_ORDER] = { (const char *const[]){ "review", "review_note", "reviewed_at",
	                                           "review_of", "wording", "done_at", NULL },
	                    (const char *const[]){ "course_code", "child_id", "buyer_name", "phone",
	                                           "places", "from_date", "to_date", "note",
	                                           NULL } },
};

bool
record_rules_asks(const char *table)
{
	return answer_kind(table) != REQUEST_KINDS;
}

static int
check_source(const struct store_value *v, struct err *err)
{
	if (v->type == STORE_NULL || v->num.i == LEAVE_APP)
		return 0;
	return err_set(
	        err, ERR_INVALID,
	        "source: is %d, the parents' app; staff write what they take themselves, and "
	        "nobody is asked about that",
	        LEAVE_APP);
}

/* The state of a booking that is to be another than it was; a new one's was BOOKING_WAITING. */
static int
check_state(const struct record_line *l, int64_t was, int64_t state, struct err *err)
{
	const struct store_value *grant = value_of(l, "seat_grant_id");
	bool seats = grant != NULL && grant->type == STORE_BLOB;

	if (was != BOOKING_WAITING && was != BOOKING_CONFIRMED)
		return err_set(err, ERR_INVALID,
		               "state: this booking was cancelled or declined, or is over; make a "
		               "new one");
	if (state == BOOKING_CANCELLED || (state == BOOKING_WAITING && was == BOOKING_WAITING) ||
	    (state == BOOKING_CONFIRMED && was == BOOKING_WAITING && seats))
		return 0;
	return err_set(
	        err, ERR_INVALID,
	        "state: is %d or %d here, or %d with the seat_grant_id of seats that the hub "
	        "holds; the others are the facility's answer",
	        BOOKING_WAITING, BOOKING_CANCELLED, BOOKING_CONFIRMED);
}

/* A column that is to be another than it was, of a request that is so. */
static int
check_change(const struct record_line *l, enum request_kind kind, const struct answer *is, size_t i,
             struct err *err)
{
	const char *name = l->row.columns[i];

	if (is_in(words[kind].says, name))
		return err_set(err, ERR_INVALID,
		               "%.60s: is the facility's answer, which it alone gives", name);
	if (is_in(words[kind].asked, name) && !answer_waits(kind, is))
		return err_set(
		        err, ERR_INVALID,
		        "%.60s: this request is answered; delete or cancel it, and make a new "
		        "one",
		        name);
	if (kind == REQUEST_LEAVE && strcmp(name, "source") == 0)
		return check_source(&l->row.values[i], err);
	if (kind == REQUEST_BOOKING && strcmp(name, "state") == 0)
		return check_state(l, is->code, l->row.values[i].num.i, err);
	return 0;
}

/* 1: the line asks for something, or for something else than before. */
static int
check_answer(const struct record_line *l, enum request_kind kind, struct err *err)
{
	struct answer is = { .code = kind == REQUEST_BOOKING ? BOOKING_WAITING : 0, .holds = true };
	const struct store_value *id = value_of(l, "id");
	uint64_t changed = 0;
	int rc = store_keyed_changes(l->db, &l->row, &changed, err);
	bool asks = rc == 0; /* it is new */

	if (rc == 1 && id != NULL && id->type == STORE_BLOB && id->len == STORE_ID)
		rc = answer_read(l->db, kind, id->bytes, NULL, &is, err);
	for (size_t i = 0; rc >= 0 && i < l->row.count; i++)
		if ((changed >> i & 1) != 0) {
			rc = check_change(l, kind, &is, i, err);
			asks |= is_in(words[kind].asked, l->row.columns[i]);
		}
	return rc < 0 ? rc : asks;
}

int
record_rules_check(const struct record_line *line, struct err *err)
{
	enum request_kind kind = answer_kind(line->row.table);
	int rc = 0;

	if (facility_table(line->row.table) == NULL)
		return 0;
	/* a guardian may fetch her child at once, and nobody would be asked */
	if (strcmp(line->row.table, "guardian") == 0)
		return err_set(
		        err, ERR_INVALID,
		        "table: guardians are the facility's to write; ask with pickup_auth");
	for (size_t i = 0; rc == 0 && i < line->row.count; i++)
		rc = check_value(line, i, err);
	return rc == 0 && kind != REQUEST_KINDS ? check_answer(line, kind, err) : rc;
}

/* ---- the whole row ---- */

static const struct {
	const char *table, *wrong, *says;
} rows[] = {
	{ "leave_request", "SELECT 1 FROM leave_request WHERE id = ? AND date_to < date_from",
	  "date_to: is before date_from" },
	{ "medication_request",
	  "SELECT 1 FROM medication_request WHERE id = ? AND date_to < date_from",
	  "date_to: is before date_from" },
	{ "pickup_auth", "SELECT 1 FROM pickup_auth WHERE id = ? AND valid_to < valid_from",
	  "valid_to: is before valid_from" },
	{ "course_order", "SELECT 1 FROM course_order WHERE id = ? AND to_date < from_date",
	  "to_date: is before from_date" },
};

static int
check_row(const struct record_line *line, const struct store_value *id, struct err *err)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct store_stmt s;
		int rc;

		if (strcmp(rows[i].table, line->row.table) != 0)
			continue;
		s = store_stmt_new(line->db, rows[i].wrong);
		store_stmt_put_value(&s, id);
		rc = store_stmt_step(&s, err);
		store_stmt_end(&s);
		if (rc != 0)
			return rc < 0 ? rc : err_set(err, ERR_INVALID, "%s", rows[i].says);
	}
	return 0;
}

int
record_rules_written(const struct record_line *line, bool asks, struct err *err)
{
	const struct store_value *id = value_of(line, "id");
	struct store_stmt s;
	int rc;

	if (id == NULL)
		return 0;
	rc = check_row(line, id, err);
	if (rc < 0 || !asks || answer_kind(line->row.table) != REQUEST_PICKUP)
		return rc;
	s = store_stmt_new(line->db, "UPDATE pickup_auth SET asked = 1 WHERE id = ?"
	                             " AND asked IS NULL");
	store_stmt_put_value(&s, id);
	return store_stmt_run(&s, err);
}
