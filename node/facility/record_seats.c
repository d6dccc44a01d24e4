/* node/facility/record_seats.c - bookings, against the seats that this file holds. */
#include "node/facility/answer.h"
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"
#include "node/facility/seats.h"

#include "store/base/text.h"

#include <string.h>

static int
check_book(const struct facility *f, const struct facility_book *in, struct err *err)
{
	int date, rc = record_at(f, in->at, &date, err);

	if (rc == 0 && in->kind != 0)
		rc = record_range("kind", in->kind, BOOK_TOUR, BOOK_STAFF_EXAM, err);
	if (rc == 0 && in->wanted_at != 0 && record_at(f, in->wanted_at, &date, err) < 0)
		rc = err_wrap(err, "wanted_at");
	if (rc == 0)
		rc = record_text("guardian_name", in->guardian_name, in->child == NULL, err);
	if (rc == 0)
		rc = record_text("phone", in->phone, false, err);
	return rc == 0 ? record_text("note", in->note, false, err) : rc;
}

/* What the booking is about must be here. */
static int
check_refs(struct facility *f, const struct facility_book *in, struct err *err)
{
	const struct record_ref child = { "child", "child", in->child };
	int rc = 0;

	if (in->session != NULL)
		rc = record_exists(f,
		                   "SELECT 1 FROM session_event WHERE id = ? AND facility_id = ?",
		                   "session", in->session, err);
	return rc == 0 && in->child != NULL ? record_seen(f, &child, err) : rc;
}

static int
put_booking(struct facility *f, const struct facility_book *in, const struct seats_unit *unit,
            struct err *err)
{
	int kind = in->session != NULL ? BOOK_SESSION : BOOK_DROP_IN;
	struct store_stmt s = store_stmt_new(
	        f->db, "INSERT INTO booking(id, facility_id, kind, session_id, child_id,"
	               " guardian_name, phone, wanted_at, seat_grant_id, seat_no, state, at, note,"
	               " recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	record_put_new(&s, f);
	store_stmt_put_int(&s, in->kind == 0 ? kind : in->kind);
	record_put_id(&s, in->session);
	record_put_id(&s, in->child);
	store_stmt_put_text(&s, in->guardian_name);
	store_stmt_put_text(&s, in->phone);
	record_put_some(&s, in->wanted_at);
	store_stmt_put_blob(&s, unit->grant, SEATS_GRANT);
	store_stmt_put_int(&s, unit->no);
	store_stmt_put_int(&s, BOOKING_CONFIRMED);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_text(&s, in->note);
	return record_finish(&s, f, err);
}

int
facility_book(struct facility *f, const struct facility_book *in, struct err *err)
{
	struct seats_kind kind = { .facility = f->id,
		                   .resource = in->resource == NULL ? "" : in->resource,
		                   .period = in->period == NULL ? "" : in->period };
	char session[2 * STORE_ID + 1];
	struct seats_unit unit;
	int rc = check_book(f, in, err);

	if (in->resource == NULL && in->session != NULL) {
		text_hex(session, in->session, STORE_ID);
		kind.resource = session;
	}
	if (rc == 0)
		rc = seats_check(&kind, err);
	if (rc == 0)
		rc = check_refs(f, in, err);
	if (rc == 0)
		rc = seats_find(f->db, &kind, &unit, err);
	if (rc == 0)
		rc = put_booking(f, in, &unit, err);
	return rc == 0 ? seats_use(f->db, &unit, f->last_id, err) : rc;
}

/* What the facility has declined stays so: who booked had nothing to cancel any more. */
static int
check_cancel(struct facility *f, const struct facility_book_cancel *in, struct err *err)
{
	struct answer is = { 0 };
	int rc = answer_read(f->db, REQUEST_BOOKING, in->booking, NULL, &is, err);

	if (rc == 1 && is.code == BOOKING_DECLINED)
		return err_set(err, ERR_INVALID,
		               "booking: was declined: nothing is to be cancelled");
	return rc < 0 ? rc : 0;
}

int
facility_book_cancel(struct facility *f, const struct facility_book_cancel *in, struct err *err)
{
	struct store_stmt s;
	int date, rc = record_at(f, in->at, &date, err);

	if (rc == 0)
		rc = record_exists(f, "SELECT 1 FROM booking WHERE id = ? AND facility_id = ?",
		                   "booking", in->booking, err);
	if (rc == 0)
		rc = record_text("note", in->note, false, err);
	if (rc == 0)
		rc = check_cancel(f, in, err);
	if (rc < 0)
		return rc;
	memcpy(f->last_id, in->booking, STORE_ID);
	s = store_stmt_new(f->db, "UPDATE booking SET state = ?, review_note = coalesce(?,"
	                          " review_note) WHERE id = ?");
	store_stmt_put_int(&s, BOOKING_CANCELLED);
	store_stmt_put_text(&s, in->note);
	record_put_id(&s, in->booking);
	rc = store_stmt_run(&s, err);
	return rc == 0 ? seats_leave(f->db, in->booking, err) : rc;
}
