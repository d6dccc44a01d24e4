/*
 * node/facility/record_attend.c - coming, going and staying away.
 *
 * A child's state on a day is not stored: it follows from the attendance events
 * that no later row strikes out, the last one by time.  So two tablets that were
 * both off line and both saw her come leave two rows and one state.
 */
#include "node/facility/codes.h"
#include "node/facility/record.h"
#include "node/facility/record_priv.h"

#include "store/base/text.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ coming and going */

static int
put_attendance(struct facility *f, const struct record_child *who, const struct facility_pickup *in,
               int64_t temp_dc, struct err *err)
{
	int kind = who->state == ATTEND_IN ? ATTEND_OUT : ATTEND_IN;
	struct store_stmt s;

	s = store_stmt_new(
	        f->db,
	        "INSERT INTO attendance_event(id, facility_id, enrollment_id, biz_date, kind, at,"
	        " by_adult_id, temp_dc, method, class_id, recorded_by)"
	        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, who->enrollment);
	store_stmt_put_int(&s, date_of(in->at, f->offset_min));
	store_stmt_put_int(&s, kind);
	store_stmt_put_int(&s, in->at);
	record_put_id(&s, in->adult);
	record_put_some(&s, temp_dc);
	store_stmt_put_int(&s, in->method == 0 ? METHOD_HAND : in->method);
	record_put_id(&s, who->has_class ? who->class_id : NULL);
	return record_finish(&s, f, err);
}

int
facility_arrival(struct facility *f, const struct facility_arrival *in, struct err *err)
{
	const struct facility_pickup coming = { .at = in->at,
		                                .child = in->child,
		                                .method = in->method };
	struct record_check when = { .at = in->at, .slot = SLOT_MORNING };
	struct record_child who = { 0 };
	uint8_t event[STORE_ID];
	int rc;

	rc = record_at(f, in->at, &when.date, err);
	if (rc == 0)
		rc = record_range("method", in->method, 0, METHOD_PARENT_CODE, err);
	if (rc == 0)
		rc = record_findings(&in->found, err);
	if (rc == 0)
		rc = record_child(f, in->child, when.date, &who, err);
	if (rc == 0 && who.state == ATTEND_IN)
		rc = err_set(err, ERR_INVALID, "%s has arrived already today", who.name);
	if (rc == 0)
		rc = put_attendance(f, &who, &coming, in->found.temp_dc, err);
	if (rc < 0)
		return rc;
	memcpy(event, f->last_id, sizeof event);
	rc = record_put_check(f, &who, &when, &in->found, err);
	memcpy(f->last_id, event, sizeof event);
	return rc;
}

int
facility_pickup(struct facility *f, const struct facility_pickup *in, struct err *err)
{
	struct facility_pickup going = *in;
	struct record_child who = { 0 };
	uint8_t adult[STORE_ID];
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_range("method", in->method, 0, METHOD_PARENT_CODE, err);
	if (rc == 0)
		rc = record_child(f, in->child, date, &who, err);
	if (rc == 0 && who.state != ATTEND_IN)
		rc = err_set(err, ERR_INVALID,
		             who.state == ATTEND_OUT ? "%s has left already"
		                                     : "%s is not here today",
		             who.name);
	if (rc == 0 && in->code != NULL) {
		rc = record_adult_by_code(f, &who, in, adult, err);
		going.adult = adult;
		going.method = in->method == 0 ? METHOD_PARENT_CODE : in->method;
	} else if (rc == 0 && in->adult != NULL) {
		rc = record_adult(f, &who, in->adult, date, err);
	}
	return rc < 0 ? rc : put_attendance(f, &who, &going, 0, err);
}

int
facility_strike(struct facility *f, const struct facility_strike *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_exists(
		        f, "SELECT 1 FROM attendance_event WHERE id = ? AND facility_id = ?",
		        "event", in->event, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "INSERT INTO attendance_event(id, facility_id, kind, at, replaces_id, "
	        "enrollment_id,"
	        " biz_date, class_id, recorded_by)"
	        " SELECT ?, ?, 3, ?, id, enrollment_id, biz_date, class_id, ? FROM attendance_event"
	        " WHERE id = ?");
	record_put_new(&s, f);
	store_stmt_put_int(&s, in->at);
	record_put_id(&s, f->by);
	record_put_id(&s, in->event);
	return store_stmt_run(&s, err);
}

/* ------------------------------------------------------------------ staying away */

static int
check_absence(const struct facility_absence *in, struct err *err)
{
	int rc = record_date("from", in->from, err);

	if (rc == 0)
		rc = record_date("to", in->to, err);
	if (rc == 0)
		rc = record_range("reason", in->reason, ABSENT_ILL, ABSENT_OTHER, err);
	if (rc == 0)
		rc = record_text("disease", in->disease,
		                 in->reason == ABSENT_ILL && in->symptom_bits == 0, err);
	if (rc == 0)
		rc = record_range("symptom_bits", in->symptom_bits, 0, SYMPTOM_ALL, err);
	if (rc == 0)
		rc = record_text("informed_by", in->informed_by, false, err);
	if (rc == 0)
		rc = record_text("hospital", in->hospital, false, err);
	return rc;
}

/* The child's absence that covers `from`; f->last_id if there is one. */
static int
find_absence(struct facility *f, const struct record_child *who, int64_t from, bool *found,
             struct err *err)
{
	struct store_stmt s;
	size_t len;
	int rc;

	s = store_stmt_new(f->db, "SELECT id FROM absence_case WHERE enrollment_id = ? AND "
	                          "date_from <= ? AND date_to >= ?"
	                          " ORDER BY id LIMIT 1");
	record_put_id(&s, who->enrollment);
	store_stmt_put_int(&s, from);
	store_stmt_put_int(&s, from);
	rc = store_stmt_step(&s, err);
	*found = rc == 1;
	if (rc == 1) {
		const uint8_t *id = store_stmt_get_blob(&s, &len);

		memcpy(f->last_id, id, len < STORE_ID ? len : STORE_ID);
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* The columns of an absence that come from outside, then those that end both statements. */
static void
put_absence_cells(struct store_stmt *s, const struct facility_absence *in, int64_t from, int64_t to)
{
	store_stmt_put_int(s, from);
	store_stmt_put_int(s, to);
	store_stmt_put_int(s, in->reason);
	store_stmt_put_text(s, in->disease);
	record_put_some(s, in->symptom_bits);
	store_stmt_put_text(s, in->informed_by);
	store_stmt_put_text(s, in->hospital);
}

static const struct record_field absence_fields[] = {
	{ "reason", false, offsetof(struct facility_absence, reason) },
	{ "disease_code", true, offsetof(struct facility_absence, disease) },
	{ "symptom_bits", false, offsetof(struct facility_absence, symptom_bits) },
	{ "informed_by", true, offsetof(struct facility_absence, informed_by) },
	{ "hospital", true, offsetof(struct facility_absence, hospital) },
	{ NULL, false, 0 }
};

/* The form was opened some time ago: what moved since stays. */
static int
settle_absence(struct facility *f, struct facility_absence *in, struct arena *a, struct err *err)
{
	struct record_form form = { .f = f,
		                    .arena = a,
		                    .table = "absence_case",
		                    .fields = absence_fields,
		                    .record = in,
		                    .was = in->was };
	struct store_value id = store_value_blob(f->last_id, STORE_ID);
	struct store_stmt s;

	if (in->was == NULL)
		return 0;
	store_value_write(&form.key, &id);
	s = store_stmt_new(f->db, "SELECT reason, disease_code, symptom_bits, informed_by, hospital"
	                          " FROM absence_case WHERE id = ?");
	store_stmt_put_blob(&s, f->last_id, STORE_ID);
	return record_form_settle(&form, &s, err);
}

/* Correct the one in f->last_id. */
static int
correct_absence(struct facility *f, const struct facility_absence *in, int64_t from, int64_t to,
                struct err *err)
{
	struct facility_absence absence = *in;
	struct arena a = { 0 };
	struct store_stmt s;
	int rc = settle_absence(f, &absence, &a, err);

	if (rc == 0) {
		s = store_stmt_new(
		        f->db, "UPDATE absence_case SET date_from = min(date_from, ?), date_to = "
		               "?, reason = ?,"
		               " disease_code = ?, symptom_bits = ?, informed_by = ?, hospital = ?,"
		               " recorded_by = ? WHERE id = ?");
		put_absence_cells(&s, &absence, from, to);
		record_put_id(&s, f->by);
		store_stmt_put_blob(&s, f->last_id, STORE_ID);
		rc = store_stmt_run(&s, err);
	}
	arena_free(&a);
	return rc;
}

int
facility_absence(struct facility *f, const struct facility_absence *in, struct err *err)
{
	struct record_child who = { 0 };
	struct store_stmt s;
	int64_t from, to;
	bool found = false;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = check_absence(in, err);
	if (rc == 0)
		rc = record_child(f, in->child, date, &who, err);
	from = in->from == 0 ? date : in->from;
	to = in->to == 0 ? from : in->to;
	if (rc == 0 && to < from)
		rc = err_set(err, ERR_INVALID, "to: %lld is before from: %lld", (long long)to,
		             (long long)from);
	if (rc == 0)
		rc = find_absence(f, &who, from, &found, err);
	if (rc < 0)
		return rc;
	if (found)
		return correct_absence(f, in, from, to, err);
	s = store_stmt_new(f->db, "INSERT INTO absence_case(id, facility_id, enrollment_id, "
	                          "date_from, date_to, reason,"
	                          " disease_code, symptom_bits, informed_by, hospital, recorded_by)"
	                          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, who.enrollment);
	put_absence_cells(&s, in, from, to);
	return record_finish(&s, f, err);
}

int
facility_followup(struct facility *f, const struct facility_followup *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_exists(f, "SELECT 1 FROM absence_case WHERE id = ? AND facility_id = ?",
		                   "absence", in->absence, err);
	if (rc == 0)
		rc = record_range("method", in->method, 0, 3, err);
	if (rc == 0)
		rc = record_text("result", in->result, false, err);
	if (rc == 0)
		rc = record_date("next_date", in->next_date, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "INSERT INTO absence_followup(id, facility_id, absence_id, at, "
	                          "method, result, next_date,"
	                          " recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, in->absence);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_int(&s, in->method == 0 ? 1 : in->method);
	store_stmt_put_text(&s, in->result);
	record_put_some(&s, in->next_date);
	return record_finish(&s, f, err);
}
