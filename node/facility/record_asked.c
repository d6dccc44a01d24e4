/*
 * node/facility/record_asked.c - answers to rows that count what the platform says in them
 * (node/hub/asked.h): a right to fetch a child, a bought course.
 *
 * review_no keeps what the answer is to.  The platform may have changed its mind meanwhile, here or
 * on the way: then the numbers differ, and the row waits for another answer.
 */
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"

struct asked_answer {
	struct record_answer is;
	int64_t ask_no;
};

static const struct asked_rows {
	const char *what;
	const char *there, *number, *write;
} rights = { "adult",
	     "SELECT 1 FROM pickup_auth WHERE id = ? AND facility_id = ? AND ask_no IS NOT NULL",
	     "SELECT ask_no FROM pickup_auth WHERE id = ?",
	     "UPDATE pickup_auth SET review = ?, review_note = ?, reviewed_at = ?,"
	     " review_no = ask_no WHERE id = ?" },
  orders = { "order",
	     "SELECT 1 FROM course_order WHERE id = ? AND facility_id = ? AND ask_no IS NOT NULL",
	     "SELECT ask_no FROM course_order WHERE id = ?",
	     "UPDATE course_order SET review = ?, review_note = ?, reviewed_at = ?,"
	     " review_no = ask_no WHERE id = ?" };

/* Does it still say what the person has seen? */
static int
check_seen(struct facility *f, const struct asked_rows *of, const struct asked_answer *a,
           struct err *err)
{
	struct store_stmt s = store_stmt_new(f->db, of->number);
	int64_t now = 0;
	int rc;

	record_put_id(&s, a->is.id);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		now = store_stmt_get_int(&s);
	store_stmt_end(&s);
	if (rc == 1 && a->ask_no != 0 && a->ask_no != now)
		return err_set(err, ERR_INVALID,
		               "ask_no: the platform has changed it since: look at it again");
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
	record_put_id(&s, a->is.id);
	return store_stmt_run(&s, err);
}

int
facility_pickup_review(struct facility *f, const struct facility_pickup_review *in, struct err *err)
{
	struct asked_answer a = { { in->at, in->review, in->note, in->adult }, in->ask_no };

	return answer(f, &rights, &a, err);
}

int
facility_order_review(struct facility *f, const struct facility_order_review *in, struct err *err)
{
	struct asked_answer a = { { in->at, in->review, in->note, in->order }, in->ask_no };

	return answer(f, &orders, &a, err);
}

/* ERR_INVALID unless it was accepted as it is; *done: it was held before. */
static int
check_held(struct facility *f, const uint8_t *order, bool *done, struct err *err)
{
	struct store_stmt s = store_stmt_new(f->db, "SELECT review IS ? AND review_no IS ask_no,"
	                                            " done_at IS NOT NULL FROM course_order"
	                                            " WHERE id = ?");
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
