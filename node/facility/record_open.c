/*
 * node/facility/record_open.c - before the first child and after the last one:
 * the staff's health, the rounds through the house; and the leave that parents
 * ask for meanwhile.
 */
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"

enum { TEMP_MIN_DC = 300, TEMP_MAX_DC = 450 };

static int
check_own_health(const struct facility_staff_check *in, struct err *err)
{
	int rc = 0;

	if (in->temp_dc != 0)
		rc = record_range("temp_dc", in->temp_dc, TEMP_MIN_DC, TEMP_MAX_DC, err);
	if (rc == 0)
		rc = record_range("symptom_bits", in->symptom_bits, 0, SYMPTOM_ALL, err);
	if (rc == 0)
		rc = record_range("unfit", in->unfit, 0, 1, err);
	if (rc == 0)
		rc = record_text("note", in->note, false, err);
	if (rc == 0 && in->unfit == 1 && in->symptom_bits == 0 && in->temp_dc == 0 &&
	    in->note == NULL)
		rc = err_set(err, ERR_INVALID,
		             "unfit: say why, with symptom_bits, temp_dc or a note");
	return rc;
}

int
facility_staff_check(struct facility *f, const struct facility_staff_check *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_exists(f, "SELECT 1 FROM staff WHERE id = ? AND facility_id = ?",
		                   "staff", in->staff, err);
	if (rc == 0)
		rc = check_own_health(in, err);
	if (rc == 0 && in->replaces != NULL)
		rc = record_exists(f, "SELECT 1 FROM staff_check WHERE id = ? AND facility_id = ?",
		                   "replaces", in->replaces, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "INSERT INTO staff_check(id, facility_id, staff_id, at, biz_date,"
	                          " temp_dc, symptom_bits, fit, note, replaces_id, recorded_by)"
	                          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, in->staff);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_int(&s, date);
	record_put_some(&s, in->temp_dc);
	store_stmt_put_int(&s, in->symptom_bits);
	store_stmt_put_int(&s, in->unfit == 0);
	store_stmt_put_text(&s, in->note);
	record_put_id(&s, in->replaces);
	return record_finish(&s, f, err);
}

static int
count_present(struct facility *f, int date, int64_t *count, struct err *err)
{
	struct record_group group = { .date = date };
	int rc = record_present(f, NULL, &group, err);

	*count = (int64_t)group.count;
	arena_free(&group.arena);
	return rc;
}

int
facility_house_check(struct facility *f, const struct facility_house_check *in, struct err *err)
{
	int64_t result = in->result == 0 ? CHECK_PASSED : in->result, present = 0;
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_range("kind", in->kind, HOUSE_OPENING, HOUSE_CLOSING, err);
	if (rc == 0)
		rc = record_range("result", result, CHECK_PASSED, CHECK_FAILED, err);
	if (rc == 0)
		rc = record_text("findings", in->findings, result != CHECK_PASSED, err);
	if (rc == 0 && in->replaces != NULL)
		rc = record_exists(f, "SELECT 1 FROM house_check WHERE id = ? AND facility_id = ?",
		                   "replaces", in->replaces, err);
	if (rc == 0)
		rc = count_present(f, date, &present, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "INSERT INTO house_check(id, facility_id, kind, at, biz_date,"
	                          " result, findings, present_n, replaces_id, recorded_by)"
	                          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	store_stmt_put_int(&s, in->kind);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_int(&s, date);
	store_stmt_put_int(&s, result);
	store_stmt_put_text(&s, in->findings);
	store_stmt_put_int(&s, present);
	record_put_id(&s, in->replaces);
	return record_finish(&s, f, err);
}

/* ------------------------------------------------------------------ leave */

int
facility_leave(struct facility *f, const struct facility_leave *in, struct err *err)
{
	struct record_child who = { 0 };
	int64_t from, to, source = in->source == 0 ? LEAVE_DOOR : in->source;
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_date("from", in->from, err);
	if (rc == 0)
		rc = record_date("to", in->to, err);
	if (rc == 0)
		rc = record_range("type", in->type, LEAVE_ILL, LEAVE_PRIVATE, err);
	if (rc == 0)
		rc = record_range("source", source, LEAVE_TELEPHONE, LEAVE_DOOR, err);
	if (rc == 0)
		rc = record_text("reason", in->reason, false, err);
	if (rc == 0)
		rc = record_child(f, in->child, date, &who, err);
	if (rc < 0)
		return rc;
	from = in->from == 0 ? date : in->from;
	to = in->to == 0 ? from : in->to;
	if (to < from)
		return err_set(err, ERR_INVALID, "to: %lld is before from: %lld", (long long)to,
		               (long long)from);
	s = store_stmt_new(f->db, "INSERT INTO leave_request(id, facility_id, enrollment_id,"
	                          " date_from, date_to, type, reason, source, at, recorded_by)"
	                          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, who.enrollment);
	store_stmt_put_int(&s, from);
	store_stmt_put_int(&s, to);
	store_stmt_put_int(&s, in->type);
	store_stmt_put_text(&s, in->reason);
	store_stmt_put_int(&s, source);
	store_stmt_put_int(&s, in->at);
	return record_finish(&s, f, err);
}
