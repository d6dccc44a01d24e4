/*
 * node/facility/record_health.c - checks, sickness, medicine, growth.
 *
 * Medicine is keyed by (request, day, slot), so that a dose recorded on two
 * tablets is one row: counted once, and the pair of writers is a conflict that
 * somebody looks at.
 */
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"

#include "store/base/text.h"

#include <string.h>

enum { TEMP_MIN_DC = 300, TEMP_MAX_DC = 450, SLOTS = 64, SLOT_FROM_MIN = 6 * 60, SLOT_MIN = 15 };

int
record_findings(const struct facility_findings *in, struct err *err)
{
	int rc = in->temp_dc == 0
	                 ? 0
	                 : record_range("temp_dc", in->temp_dc, TEMP_MIN_DC, TEMP_MAX_DC, err);

	if (rc == 0)
		rc = record_range("touch", in->touch, TOUCH_NONE, TOUCH_GLANDS, err);
	if (rc == 0)
		rc = record_range("look_bits", in->look_bits, 0, LOOK_ALL, err);
	if (rc == 0)
		rc = record_range("ask_bits", in->ask_bits, 0, ASK_ALL, err);
	if (rc == 0)
		rc = record_range("check_bits", in->check_bits, 0, CHECK_ALL, err);
	if (rc == 0)
		rc = record_range("symptom_bits", in->symptom_bits, 0, SYMPTOM_ALL, err);
	if (rc == 0)
		rc = record_range("card", in->card, 0, CARD_RED, err);
	if (rc == 0)
		rc = record_range("action", in->action, 0, ACTION_HOSPITAL, err);
	if (rc == 0)
		rc = record_text("note", in->note, false, err);
	return rc;
}

/* The card that the findings ask for: red with medicine, yellow when unwell, else green. */
static int64_t
card_of(const struct facility_findings *in)
{
	if (in->card != 0)
		return in->card;
	if ((in->check_bits & CHECK_MEDICINE) != 0)
		return CARD_RED;
	return in->look_bits != 0 || in->symptom_bits != 0 || in->touch > TOUCH_NORMAL ? CARD_YELLOW
	                                                                               : CARD_GREEN;
}

int
record_put_check(struct facility *f, const struct record_child *who,
                 const struct record_check *when, const struct facility_findings *in,
                 struct err *err)
{
	struct store_stmt s;

	s = store_stmt_new(
	        f->db, "INSERT INTO health_check(id, facility_id, enrollment_id, biz_date, slot, "
	               "at, temp_dc,"
	               " touch, look_bits, ask_bits, check_bits, symptom_bits, card, action, note, "
	               "replaces_id,"
	               " recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, who->enrollment);
	store_stmt_put_int(&s, when->date);
	store_stmt_put_int(&s, when->slot);
	store_stmt_put_int(&s, when->at);
	record_put_some(&s, in->temp_dc);
	store_stmt_put_int(&s, in->touch);
	store_stmt_put_int(&s, in->look_bits);
	store_stmt_put_int(&s, in->ask_bits);
	store_stmt_put_int(&s, in->check_bits);
	store_stmt_put_int(&s, in->symptom_bits);
	store_stmt_put_int(&s, card_of(in));
	store_stmt_put_int(&s, in->action == 0 ? ACTION_JOIN : in->action);
	store_stmt_put_text(&s, in->note);
	record_put_id(&s, when->replaces);
	return record_finish(&s, f, err);
}

int
facility_check(struct facility *f, const struct facility_check *in, struct err *err)
{
	struct record_check when = { .at = in->at, .slot = in->slot, .replaces = in->replaces };
	struct record_child who = { 0 };
	int rc;

	rc = record_at(f, in->at, &when.date, err);
	if (rc == 0)
		rc = record_range("slot", in->slot, SLOT_MORNING, SLOT_LEAVING, err);
	if (rc == 0)
		rc = record_findings(&in->found, err);
	if (rc == 0 && in->replaces != NULL)
		rc = record_exists(f, "SELECT 1 FROM health_check WHERE id = ? AND facility_id = ?",
		                   "replaces", in->replaces, err);
	if (rc == 0)
		rc = record_child(f, in->child, when.date, &who, err);
	return rc < 0 ? rc : record_put_check(f, &who, &when, &in->found, err);
}

int
facility_case(struct facility *f, const struct facility_case *in, struct err *err)
{
	struct record_child who = { 0 };
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_text("disease", in->disease, in->symptom_bits == 0, err);
	if (rc == 0)
		rc = record_range("symptom_bits", in->symptom_bits, 0, SYMPTOM_ALL, err);
	if (rc == 0)
		rc = record_range("confirmed", in->confirmed, 0, 3, err);
	if (rc == 0)
		rc = record_text("note", in->note, false, err);
	if (rc == 0)
		rc = record_child(f, in->child, date, &who, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "INSERT INTO symptom_case(id, facility_id, child_id, class_id, onset_date, "
	        "disease_code,"
	        " symptom_bits, confirmed, isolated_at, guardian_notified_at, note, recorded_by)"
	        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, who.child);
	record_put_id(&s, who.has_class ? who.class_id : NULL);
	store_stmt_put_int(&s, date);
	store_stmt_put_text(&s, in->disease);
	store_stmt_put_int(&s, in->symptom_bits);
	store_stmt_put_int(&s, in->confirmed == 0 ? 1 : in->confirmed);
	record_put_some(&s, in->isolated_at);
	record_put_some(&s, in->notified_at);
	store_stmt_put_text(&s, in->note);
	return record_finish(&s, f, err);
}

/* A slip of the id mustn't let another child's examination be the right to come back. */
static int
is_of_child(struct facility *f, const struct facility_case_close *in, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(f->db, "SELECT 1 FROM symptom_case c JOIN health_exam e ON "
	                              "e.child_id = c.child_id OR EXISTS"
	                              " (SELECT 1 FROM child_alias a WHERE (a.alias_id = "
	                              "e.child_id AND a.child_id = c.child_id)"
	                              "  OR (a.alias_id = c.child_id AND a.child_id = e.child_id)) "
	                              "WHERE c.id = ? AND e.id = ?");
	int rc;

	record_put_id(&s, in->sick);
	record_put_id(&s, in->certificate);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	if (rc == 0)
		return err_set(err, ERR_INVALID, "certificate: is an examination of another child");
	return rc < 0 ? rc : 0;
}

int
facility_case_close(struct facility *f, const struct facility_case_close *in, struct err *err)
{
	const struct record_ref sick = { "symptom_case", "case", in->sick };
	const struct record_ref exam = { "health_exam", "certificate", in->certificate };
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_seen(f, &sick, err);
	if (rc == 0 && in->certificate != NULL)
		rc = record_seen(f, &exam, err);
	if (rc == 0 && in->certificate != NULL)
		rc = is_of_child(f, in, err);
	if (rc < 0)
		return rc;
	memcpy(f->last_id, in->sick, STORE_ID);
	s = store_stmt_new(f->db, "UPDATE symptom_case SET closed = 1, return_cert_id = coalesce(?,"
	                          " return_cert_id) WHERE id = ?");
	record_put_id(&s, in->certificate);
	record_put_id(&s, in->sick);
	return store_stmt_run(&s, err);
}

int
facility_medication(struct facility *f, const struct facility_medication *in, struct err *err)
{
	struct record_child who = { 0 };
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_text("drug", in->drug, true, err);
	if (rc == 0)
		rc = record_text("dose", in->dose, true, err);
	if (rc == 0)
		rc = record_date("from", in->from, err);
	if (rc == 0)
		rc = record_date("to", in->to, err);
	if (rc == 0)
		rc = record_child(f, in->child, date, &who, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "INSERT INTO medication_request(id, facility_id, child_id, drug, dose_text, "
	        "time_bits,"
	        " date_from, date_to, guardian_sign_id, at, accepted_by, accepted_at, recorded_by)"
	        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, who.child);
	store_stmt_put_text(&s, in->drug);
	store_stmt_put_text(&s, in->dose);
	store_stmt_put_int(&s, in->time_bits);
	store_stmt_put_int(&s, in->from == 0 ? date : in->from);
	store_stmt_put_int(&s, in->to == 0 ? date : in->to);
	record_put_id(&s, in->signature);
	store_stmt_put_int(&s, in->at);
	record_put_id(&s, f->by);
	store_stmt_put_int(&s, in->at);
	return record_finish(&s, f, err);
}

int
facility_medication_given(struct facility *f, const struct facility_medication_given *in,
                          struct err *err)
{
	int64_t slot = in->slot;
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0 && slot == -1)
		slot = (date_minute(in->at, f->offset_min) - SLOT_FROM_MIN) / SLOT_MIN;
	if (rc == 0)
		rc = record_range("slot", slot, 0, SLOTS - 1, err);
	if (rc == 0)
		rc = record_text("dose", in->dose, false, err);
	if (rc == 0)
		rc = record_text("reaction", in->reaction, false, err);
	if (rc == 0)
		rc = record_exists(
		        f, "SELECT 1 FROM medication_request WHERE id = ? AND facility_id = ?",
		        "request", in->request, err);
	if (rc == 0)
		rc = record_medication_open(f, in->request, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db,
	                   "INSERT INTO medication_given(request_id, biz_date, slot, facility_id, "
	                   "at, dose, given_by,"
	                   " witness, reaction, recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	                   " ON CONFLICT(request_id, biz_date, slot) DO NOTHING");
	memcpy(f->last_id, in->request, STORE_ID);
	record_put_id(&s, in->request);
	store_stmt_put_int(&s, date);
	store_stmt_put_int(&s, slot);
	store_stmt_put_text(&s, f->id);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_text(&s, in->dose);
	record_put_id(&s, f->by);
	record_put_id(&s, in->witness);
	store_stmt_put_text(&s, in->reaction);
	rc = record_finish(&s, f, err);
	if (rc == 0 && store_stmt_changes(f->db) == 0)
		rc = err_set(
		        err, ERR_INVALID,
		        "slot: %lld of this medicine was given already today: do not give it again",
		        (long long)slot);
	return rc;
}

/* Wide limits: they catch a slipped decimal point, not an unusual child. */
static int
check_growth(const struct facility_growth *in, struct err *err)
{
	int rc = 0;

	if (in->weight_g == 0 && in->length_mm == 0 && in->head_mm == 0)
		rc = err_set(err, ERR_INVALID,
		             "growth: one of weight_g, length_mm and head_mm is needed");
	if (rc == 0 && in->weight_g != 0)
		rc = record_range("weight_g", in->weight_g, 500, 60000, err);
	if (rc == 0 && in->length_mm != 0)
		rc = record_range("length_mm", in->length_mm, 250, 1500, err);
	if (rc == 0 && in->head_mm != 0)
		rc = record_range("head_mm", in->head_mm, 200, 650, err);
	if (rc == 0)
		rc = record_range("posture", in->posture, 0, 2, err);
	return rc;
}

int
facility_growth(struct facility *f, const struct facility_growth *in, struct err *err)
{
	struct record_child who = { 0 };
	int64_t posture = in->posture;
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = check_growth(in, err);
	if (rc == 0 && in->replaces != NULL)
		rc = record_exists(
		        f, "SELECT 1 FROM growth_measurement WHERE id = ? AND facility_id = ?",
		        "replaces", in->replaces, err);
	if (rc == 0)
		rc = record_child(f, in->child, date, &who, err);
	if (rc < 0)
		return rc;
	if (posture == 0 && in->length_mm != 0)
		posture = date_months(who.birth_date, date) < 24 ? 1 : 2;
	s = store_stmt_new(f->db, "INSERT INTO growth_measurement(id, facility_id, child_id, "
	                          "measured_date, at, weight_g,"
	                          " length_mm, head_mm, posture, method, replaces_id, recorded_by)"
	                          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, who.child);
	store_stmt_put_int(&s, date);
	store_stmt_put_int(&s, in->at);
	record_put_some(&s, in->weight_g);
	record_put_some(&s, in->length_mm);
	record_put_some(&s, in->head_mm);
	record_put_some(&s, posture);
	record_put_id(&s, in->replaces);
	return record_finish(&s, f, err);
}
