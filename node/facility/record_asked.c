/*
 * node/facility/record_asked.c - answers to a right to fetch a child that the platform asks for,
 * and to a bought course.
 *
 * The platform may have changed its mind since somebody looked at it: who says which wording she
 * has seen isn't taken to have answered another one (answer.h).
 */
#include "node/facility/answer.h"
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"

#include <string.h>

struct asked_answer {
	struct record_answer is;
	const char *wording; /* that was seen; NULL: the present one */
};

static const struct asked_rows {
	enum request_kind kind;
	const char *what;
	const char *there, *write;
} rights = { REQUEST_PICKUP, "adult",
	     "SELECT 1 FROM pickup_auth WHERE id = ? AND facility_id = ? AND asked IS NOT NULL",
	     "UPDATE pickup_auth SET review = ?, review_note = ?, reviewed_at = ?,"
	     " review_of = " ANSWER_OF " WHERE id = ?" },
  orders = { REQUEST_ORDER, "order", "SELECT 1 FROM course_order WHERE id = ? AND facility_id = ?",
	     "UPDATE course_order SET review = ?, review_note = ?, reviewed_at = ?,"
	     " review_of = " ANSWER_OF " WHERE id = ?" };

/* Does it still say what the person has seen? */
static int
check_seen(struct facility *f, const struct asked_rows *of, const struct asked_answer *a,
           struct err *err)
{
	struct answer is;
	int rc = answer_read(f->db, of->kind, a->is.id, f->id, &is, err);

	if (rc == 1 && a->wording != NULL && strcmp(a->wording, is.wording) != 0)
		return err_set(err, ERR_INVALID,
		               "wording: the platform has changed it since: look at it again");
	return rc < 0 ? rc : 0;
}

static int
answer(struct facility *f, const struct asked_rows *of, const struct asked_answer *a,
       struct err *err)
{
	struct store_stmt s;
	int rc = record_answer(f, &a->is, of->what, of->there, err);

	if (rc == 0)
		rc = check_seen(f, of, a, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, of->write);
	store_stmt_put_int(&s, a->is.review);
	store_stmt_put_text(&s, a->is.note);
	store_stmt_put_int(&s, a->is.at);
	store_stmt_put_int(&s, a->is.at);
	record_put_id(&s, a->is.id);
	return store_stmt_run(&s, err);
}

int
facility_pickup_review(struct facility *f, const struct facility_pickup_review *in, struct err *err)
{
	struct asked_answer a = { { in->at, in->review, in->note, in->adult }, in->wording };

	return answer(f, &rights, &a, err);
}

int
facility_order_review(struct facility *f, const struct facility_order_review *in, struct err *err)
{
	struct asked_answer a = { { in->at, in->review, in->note, in->order }, in->wording };

	return answer(f, &orders, &a, err);
}

/* ERR_INVALID unless it was accepted as it is; *done: it was held before. */
static int
check_held(struct facility *f, const uint8_t *order, bool *done, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(f->db, "SELECT t.review IS ? AND " ANSWER_HOLDS(
	                                      "t") ", t.done_at IS NOT NULL"
	                                           " FROM course_order t WHERE t.id = ?");
	bool accepted = false;
	int rc;

	*done = false;
	store_stmt_put_int(&s, LEAVE_ACCEPTED);
	record_put_id(&s, order);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		accepted = store_stmt_get_int(&s) != 0;
		*done = store_stmt_get_int(&s) != 0;
	}
	store_stmt_end(&s);
	if (rc >= 0 && !accepted)
		return err_set(err, ERR_INVALID, "order: isn't accepted: accept it first");
	return rc < 0 ? rc : 0;
}

int
facility_order_done(struct facility *f, const struct facility_order_done *in, struct err *err)
{
	struct record_answer a = { .at = in->at, .review = LEAVE_ACCEPTED, .id = in->order };
	struct store_stmt s;
	bool done = false;
	int rc = record_answer(f, &a, orders.what, orders.there, err);

	if (rc == 0)
		rc = check_held(f, in->order, &done, err);
	if (rc < 0 || done)
		return rc;
	s = store_stmt_new(f->db, "UPDATE course_order SET done_at = ? WHERE id = ?");
	store_stmt_put_int(&s, in->at);
	record_put_id(&s, in->order);
	return store_stmt_run(&s, err);
}
