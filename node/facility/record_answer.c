/*
 * node/facility/record_answer.c - the facility's answers to what parents have asked for, at the
 * door or through the platform; the hub's feed tells them on.
 */
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"

#include <string.h>

int
record_answer(struct facility *f, const struct record_answer *a, const char *what,
              const char *there, struct err *err)
{
	int date, rc = record_at(f, a->at, &date, err);

	if (rc == 0)
		rc = record_range("review", a->review, LEAVE_ACCEPTED, LEAVE_DECLINED, err);
	if (rc == 0)
		rc = record_text("note", a->note, false, err);
	if (rc == 0)
		rc = record_exists(f, there, what, a->id, err);
	if (rc == 0)
		memcpy(f->last_id, a->id, STORE_ID);
	return rc;
}

int
facility_leave_review(struct facility *f, const struct facility_leave_review *in, struct err *err)
{
	struct record_answer answer = { in->at, in->review, in->note, in->leave };
	struct store_stmt s;
	int rc = record_answer(f, &answer, "leave",
	                       "SELECT 1 FROM leave_request WHERE id = ? AND facility_id = ?", err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db,
	                   "UPDATE leave_request SET review = ?, review_note = ?,"
	                   " reviewed_at = ?, recorded_by = coalesce(?, recorded_by) WHERE id = ?");
	store_stmt_put_int(&s, in->review);
	store_stmt_put_text(&s, in->note);
	store_stmt_put_int(&s, in->at);
	record_put_id(&s, f->by);
	record_put_id(&s, in->leave);
	return store_stmt_run(&s, err);
}

int
facility_medication_review(struct facility *f, const struct facility_medication_review *in,
                           struct err *err)
{
	bool accepted = in->review == LEAVE_ACCEPTED;
	struct record_answer answer = { in->at, in->review, in->note, in->request };
	struct store_stmt s;
	int rc = record_answer(f, &answer, "request",
	                       "SELECT 1 FROM medication_request WHERE id = ? AND facility_id = ?",
	                       err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "UPDATE medication_request SET review = ?, review_note = ?,"
	                          " reviewed_at = ?, accepted_by = ?, accepted_at = ?"
	                          " WHERE id = ?");
	store_stmt_put_int(&s, in->review);
	store_stmt_put_text(&s, in->note);
	store_stmt_put_int(&s, in->at);
	record_put_id(&s, accepted ? f->by : NULL);
	record_put_some(&s, accepted ? in->at : 0);
	record_put_id(&s, in->request);
	return store_stmt_run(&s, err);
}

int
record_medication_open(struct facility *f, const uint8_t *request, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        f->db, "SELECT 1 FROM medication_request WHERE id = ? AND review = ?");
	int rc;

	record_put_id(&s, request);
	store_stmt_put_int(&s, LEAVE_DECLINED);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	if (rc == 1)
		return err_set(err, ERR_INVALID,
		               "request: was declined: give nothing, or accept it first");
	return rc;
}

/* A booking that was cancelled has given its seat away; so that is said by cancelling, and for
 * ever. */
static int
check_booking(struct facility *f, const struct facility_book_review *in, struct err *err)
{
	struct store_stmt s;
	int64_t state = 0;
	int rc;

	s = store_stmt_new(f->db, "SELECT state FROM booking WHERE id = ?");
	record_put_id(&s, in->booking);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		state = store_stmt_get_int(&s);
	store_stmt_end(&s);
	if (rc >= 0 && state == BOOKING_CANCELLED)
		return err_set(err, ERR_INVALID, "booking: was cancelled: make a new one");
	return rc < 0 ? rc : 0;
}

int
facility_book_review(struct facility *f, const struct facility_book_review *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_range("state", in->state, BOOKING_CONFIRMED, BOOKING_MISSED, err);
	if (rc == 0 && in->state == BOOKING_CANCELLED)
		rc = err_set(err, ERR_INVALID, "state: 4 is said with book_cancel");
	if (rc == 0)
		rc = record_text("note", in->note, false, err);
	if (rc == 0)
		rc = record_exists(f, "SELECT 1 FROM booking WHERE id = ? AND facility_id = ?",
		                   "booking", in->booking, err);
	if (rc == 0)
		rc = check_booking(f, in, err);
	if (rc < 0)
		return rc;
	memcpy(f->last_id, in->booking, STORE_ID);
	s = store_stmt_new(f->db, "UPDATE booking SET state = ?, review_note = coalesce(?,"
	                          " review_note) WHERE id = ?");
	store_stmt_put_int(&s, in->state);
	store_stmt_put_text(&s, in->note);
	record_put_id(&s, in->booking);
	return store_stmt_run(&s, err);
}
