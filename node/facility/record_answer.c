/*
 * node/facility/record_answer.c - the facility's answers to what parents have asked for, at the
 * door or through the platform; the hub's feed tells them on.
 */
#include "node/facility/answer.h"
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"
#include "node/facility/seats.h"

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
	s = store_stmt_new(f->db, "UPDATE leave_request SET review = ?, review_note = ?,"
	                          " reviewed_at = ?, review_of = " ANSWER_OF
	                          ", recorded_by = coalesce(?, recorded_by) WHERE id = ?");
	store_stmt_put_int(&s, in->review);
	store_stmt_put_text(&s, in->note);
	store_stmt_put_int(&s, in->at);
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
	                          " reviewed_at = ?, review_of = " ANSWER_OF
	                          ", accepted_by = ?, accepted_at = ?"
	                          " WHERE id = ?");
	store_stmt_put_int(&s, in->review);
	store_stmt_put_text(&s, in->note);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_int(&s, in->at);
	record_put_id(&s, accepted ? f->by : NULL);
	record_put_some(&s, accepted ? in->at : 0);
	record_put_id(&s, in->request);
	return store_stmt_run(&s, err);
}

int
record_medication_open(struct facility *f, const uint8_t *request, struct err *err)
{
	struct answer is;
	int rc = answer_read(f->db, REQUEST_MEDICINE, request, NULL, &is, err);

	if (rc == 1 && is.code != 0 && !is.holds)
		return err_set(err, ERR_INVALID,
		               "request: was changed since it was answered: read it, and answer "
		               "again");
	if (rc == 1 && is.code == LEAVE_DECLINED)
		return err_set(err, ERR_INVALID,
		               "request: was declined: give nothing, or accept it first");
	return rc < 0 ? rc : 0;
}

/* A booking that was cancelled or declined has given its seat away, for ever. */
int
record_booking_open(struct facility *f, const uint8_t *booking, struct err *err)
{
	struct answer is = { 0 };
	int rc = answer_read(f->db, REQUEST_BOOKING, booking, NULL, &is, err);

	if (rc == 1 && is.code == BOOKING_CANCELLED)
		return err_set(err, ERR_INVALID, "booking: was cancelled: make a new one");
	if (rc == 1 && is.code == BOOKING_DECLINED)
		return err_set(err, ERR_INVALID, "booking: was declined: make a new one");
	return rc < 0 ? rc : 0;
}

static int
check_book_review(struct facility *f, const struct facility_book_review *in, struct err *err)
{
	int date, rc = record_at(f, in->at, &date, err);

	if (rc == 0)
		rc = record_range("state", in->state, BOOKING_CONFIRMED, BOOKING_DECLINED, err);
	if (rc == 0 && in->state == BOOKING_CANCELLED)
		rc = err_set(err, ERR_INVALID, "state: 4 is said with book_cancel");
	if (rc == 0)
		rc = record_text("note", in->note, false, err);
	if (rc == 0)
		rc = record_exists(f, "SELECT 1 FROM booking WHERE id = ? AND facility_id = ?",
		                   "booking", in->booking, err);
	return rc == 0 ? record_booking_open(f, in->booking, err) : rc;
}

int
facility_book_review(struct facility *f, const struct facility_book_review *in, struct err *err)
{
	struct store_stmt s;
	int rc = check_book_review(f, in, err);

	if (rc < 0)
		return rc;
	memcpy(f->last_id, in->booking, STORE_ID);
	s = store_stmt_new(f->db, "UPDATE booking SET state = ?, review_note = coalesce(?,"
	                          " review_note), review_of = " ANSWER_BOOKING_OF " WHERE id = ?");
	store_stmt_put_int(&s, in->state);
	store_stmt_put_text(&s, in->note);
	record_put_id(&s, in->booking);
	rc = store_stmt_run(&s, err);
	return rc == 0 && in->state == BOOKING_DECLINED ? seats_leave(f->db, in->booking, err) : rc;
}
