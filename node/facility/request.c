#include "node/facility/request.h"
#include "node/facility/answer.h"
#include "node/facility/codes.h"
#include "node/facility/date.h"

#include "store/stmt.h"

#include <string.h>

/* The newest name of a code, or the code. */
#define NAME_OF(lang, set, code)                                                                   \
	"coalesce((SELECT name_" lang " FROM code_set WHERE set_code = '" set                      \
	"' AND code = CAST(" code " AS TEXT) ORDER BY version DESC LIMIT 1), " code ", '')"
#define LEAVE_ZH NAME_OF("zh", "leave_request.type", "l.type")
#define LEAVE_EN NAME_OF("en", "leave_request.type", "l.type")
#define BOOKING_ZH NAME_OF("zh", "booking.kind", "b.kind")
#define BOOKING_EN NAME_OF("en", "booking.kind", "b.kind")
#define DRUG "trim(coalesce(m.drug, '') || ' ' || coalesce(m.dose_text, ''))"

/* Who may fetch her, "外婆 (grandmother) 130", of a right; what was bought, "亲子阅读 × 2". */
#define RIGHT                                                                                      \
	"p.name || CASE coalesce(p.relation, '') WHEN '' THEN '' ELSE ' (' || p.relation || ')' "  \
	"END || CASE coalesce(p.phone, '') WHEN '' THEN '' ELSE ' ' || p.phone END"
#define COURSE                                                                                     \
	"coalesce((SELECT title FROM course WHERE course_code = o.course_code"                     \
	" ORDER BY version DESC LIMIT 1), o.course_code, '') ||"                                   \
	" CASE WHEN o.places > 1 THEN ' × ' || o.places ELSE '' END"

/* Parameters: the facility, the day, its first ms.  Numbers of codes.h and request.h. */
#define WAITING                                                                                    \
	"SELECT 0 AS kind, l.id AS id, coalesce(c.name, ''), " LEAVE_ZH ", " LEAVE_EN ","          \
	" coalesce(l.reason, ''), coalesce(l.date_from, 0) AS since,"                              \
	" coalesce(l.date_to, l.date_from, 0), coalesce(l.wording, '') FROM leave_request l"       \
	" LEFT JOIN enrollment e ON e.id = l.enrollment_id LEFT JOIN child c ON c.id = e.child_id" \
	" WHERE l.facility_id = ?1 AND (l.review IS NULL OR NOT " ANSWER_HOLDS(                    \
	        "l") ")"                                                                           \
	             " AND coalesce(l.source, 1) = 1 AND coalesce(l.date_to, l.date_from, ?2) >= " \
	             "?2"                                                                          \
	             " UNION ALL SELECT 1, m.id, coalesce(c.name, ''), " DRUG ", " DRUG ", '',"    \
	             " coalesce(m.date_from, 0), coalesce(m.date_to, m.date_from, 0), "            \
	             "coalesce(m.wording, '')"                                                     \
	             " FROM medication_request m LEFT JOIN child c ON c.id = m.child_id"           \
	             " WHERE m.facility_id = ?1 AND ((m.review IS NULL AND m.accepted_at IS NULL)" \
	             " OR NOT " ANSWER_HOLDS(                                                      \
	                     "m") ") AND coalesce(m.date_to, m.date_from, ?2) >= ?2"               \
	                          " UNION ALL SELECT 2, b.id, coalesce(c.name, b.guardian_name, "  \
	                          "''), " BOOKING_ZH ","                                           \
	                          " " BOOKING_EN                                                   \
	                          ", coalesce(b.note, ''), coalesce(b.wanted_at, 0), 0,"           \
	                          " coalesce(b.wording, '') FROM booking b LEFT JOIN child c ON "  \
	                          "c.id = b.child_id"                                              \
	                          " WHERE b.facility_id = ?1 AND (b.state = 1 OR (b.state = 2"     \
	                          " AND NOT " ANSWER_BOOKING_HOLDS(                                \
	                                  "b") ")) AND coalesce(b.wanted_at, ?3) >= ?3"            \
	                                       " UNION ALL SELECT 3, p.id, coalesce(c.name, "      \
	                                       "''), " RIGHT ", " RIGHT ", '',"                    \
	                                       " coalesce(p.valid_from, 0), coalesce(p.valid_to, " \
	                                       "0), coalesce(p.wording, '')"                       \
	                                       " FROM pickup_auth p LEFT JOIN child c ON c.id = "  \
	                                       "p.child_id"                                        \
	                                       " WHERE p.facility_id = ?1 AND p.revoked = 0 AND "  \
	                                       "p.asked IS NOT NULL"                               \
	                                       " AND (p.review IS NULL OR NOT " ANSWER_HOLDS(      \
	                                               "p") ")"                                    \
	                                                    " AND coalesce(p.valid_to, ?2) >= ?2"  \
	                                                    " UNION ALL SELECT 4, o.id, "          \
	                                                    "coalesce(c.name, o.buyer_name, "      \
	                                                    "''), " COURSE ", " COURSE ","         \
	                                                    " coalesce(o.note, ''), "              \
	                                                    "coalesce(o.from_date, 0), "           \
	                                                    "coalesce(o.to_date, 0),"              \
	                                                    " coalesce(o.wording, '') FROM "       \
	                                                    "course_order o LEFT JOIN child c ON " \
	                                                    "c.id = o.child_id"                    \
	                                                    " WHERE o.facility_id = ?1 AND "       \
	                                                    "coalesce(o.state, 1) = 1"             \
	                                                    " AND (o.review IS NULL OR "           \
	                                                    "NOT " ANSWER_HOLDS(                   \
	                                                            "o") ")"                       \
	                                                                 " AND "                   \
	                                                                 "coalesce(o.to_date, "    \
	                                                                 "?2) >= ?2"
_Static_assert(LEAVE_APP == 1 && BOOKING_WAITING == 1 && BOOKING_CONFIRMED == 2, "as in WAITING");
_Static_assert(REQUEST_PICKUP == 3 && REQUEST_ORDER == 4 && COURSE_BOUGHT == 1, "so, too");
_Static_assert(REQUEST_LEAVE == 0 && REQUEST_MEDICINE == 1 && REQUEST_BOOKING == 2, "so, too");

static void
put_day(struct store_stmt *s, const struct facility *f, int date)
{
	store_stmt_put_text(s, f->id);
	store_stmt_put_int(s, date);
	store_stmt_put_int(s, date_ms(date, 0, f->offset_min));
}

static void
read_one(struct store_stmt *s, const struct facility *f, struct arena *a, struct request *r)
{
	const uint8_t *id;
	size_t len;

	r->kind = (enum request_kind)store_stmt_get_int(s);
	id = store_stmt_get_blob(s, &len);
	memset(r->id, 0, STORE_ID);
	memcpy(r->id, id, len < STORE_ID ? len : STORE_ID);
	r->who = store_stmt_copy_text(s, a);
	r->what_zh = store_stmt_copy_text(s, a);
	r->what_en = store_stmt_copy_text(s, a);
	r->words = store_stmt_copy_text(s, a);
	r->from = store_stmt_get_int(s);
	r->to = store_stmt_get_int(s);
	r->wording = store_stmt_copy_text(s, a);
	if (r->kind == REQUEST_BOOKING)
		r->from = r->to = r->from > 0 && r->from < date_ms(99991231, 0, 0)
		                          ? date_of(r->from, f->offset_min)
		                          : 0;
}

static int
count_waiting(struct facility *f, int date, int64_t *waiting, struct err *err)
{
	struct store_stmt s = store_stmt_new(f->db, "SELECT count(*) FROM (" WAITING ")");
	int rc;

	put_day(&s, f, date);
	rc = store_stmt_step(&s, err);
	*waiting = rc == 1 ? store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
facility_requests(struct facility *f, int date, struct arena *a, struct requests *out,
                  struct err *err)
{
	struct store_stmt s;
	int rc = count_waiting(f, date, &out->waiting, err);

	out->count = 0;
	out->list = arena_take(a, REQUESTS_LISTED, sizeof *out->list);
	if (rc == 0 && out->list == NULL)
		rc = err_set(err, ERR_NOMEM, "requests: out of memory");
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "SELECT * FROM (" WAITING
	                          ") ORDER BY kind NOT IN (1, 3), kind, since, id LIMIT ?4");
	put_day(&s, f, date);
	store_stmt_put_int(&s, REQUESTS_LISTED);
	while (out->count < REQUESTS_LISTED && (rc = store_stmt_step(&s, err)) == 1)
		read_one(&s, f, a, &out->list[out->count++]);
	store_stmt_end(&s);
	if (rc >= 0 && a->spent)
		rc = err_set(err, ERR_NOMEM, "requests: out of memory");
	return rc < 0 ? rc : 0;
}

/* ------------------------------------------------------------------ the answer */

static int
look(struct facility *f, const struct request_answer *in, struct answer *is, struct err *err)
{
	int rc = answer_read(f->db, in->kind, in->id, f->id, is, err);

	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "request: there is none of this id here");
	if (rc == 1 && in->wording != NULL && strcmp(in->wording, is->wording) != 0)
		return err_set(err, ERR_DENIED, "request: was changed meanwhile");
	return rc < 0 ? rc : 0;
}

/* Does the answer that holds say yes? */
static bool
accepted(enum request_kind kind, int64_t code)
{
	if (kind == REQUEST_BOOKING)
		return code != BOOKING_CANCELLED && code != BOOKING_DECLINED;
	return code == LEAVE_ACCEPTED;
}

static int
answer_booking(struct facility *f, const struct request_answer *in, const char *note,
               struct err *err)
{
	struct facility_book_review review = {
		.at = in->at,
		.booking = in->id,
		.state = in->accepts ? BOOKING_CONFIRMED : BOOKING_DECLINED,
		.note = note,
	};

	return facility_book_review(f, &review, err);
}

static int
do_answer(struct facility *f, const struct request_answer *in, struct err *err)
{
	const char *note = in->note == NULL || in->note[0] == 0 ? NULL : in->note;
	int review = in->accepts ? LEAVE_ACCEPTED : LEAVE_DECLINED;
	struct facility_leave_review leave = {
		.at = in->at, .leave = in->id, .review = review, .note = note
	};
	struct facility_medication_review medicine = {
		.at = in->at, .request = in->id, .review = review, .note = note
	};
	struct facility_pickup_review right = {
		.at = in->at, .adult = in->id, .review = review, .note = note
	};
	struct facility_order_review order = {
		.at = in->at, .order = in->id, .review = review, .note = note
	};

	switch (in->kind) {
	case REQUEST_LEAVE:
		return facility_leave_review(f, &leave, err);
	case REQUEST_MEDICINE:
		return facility_medication_review(f, &medicine, err);
	case REQUEST_PICKUP:
		return facility_pickup_review(f, &right, err);
	case REQUEST_ORDER:
		return facility_order_review(f, &order, err);
	case REQUEST_BOOKING:
	case REQUEST_KINDS:
		break;
	}
	return answer_booking(f, in, note, err);
}

int
facility_request_answer(struct facility *f, const struct request_answer *in, struct err *err)
{
	struct answer is;
	int rc = look(f, in, &is, err);

	if (rc < 0)
		return rc;
	if (answer_waits(in->kind, &is))
		return do_answer(f, in, err);
	if (accepted(in->kind, is.code) == in->accepts)
		return 0;
	return err_set(err, ERR_BUSY, "request: was answered otherwise meanwhile");
}
