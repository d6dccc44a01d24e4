#include "node/facility/agreed.h"
#include "node/facility/answer.h"
#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/record_priv.h"

#include "store/stmt.h"

#include <stdio.h>
#include <string.h>

enum { SLOT_FROM_MIN = 6 * 60, SLOT_MIN = 15 };

#define DAY_MS INT64_C(86400000)

#define KIND_OF(lang)                                                                              \
	"coalesce((SELECT name_" lang " FROM code_set WHERE set_code = 'booking.kind'"             \
	" AND code = CAST(b.kind AS TEXT) ORDER BY version DESC LIMIT 1), b.kind, '')"
#define KIND_ZH KIND_OF("zh")
#define KIND_EN KIND_OF("en")
#define DRUG "trim(coalesce(m.drug, '') || ' ' || coalesce(m.dose_text, ''))"
#define COURSE                                                                                     \
	"coalesce((SELECT title FROM course WHERE course_code = o.course_code"                     \
	" ORDER BY version DESC LIMIT 1), o.course_code, '') ||"                                   \
	" CASE WHEN o.places > 1 THEN ' × ' || o.places ELSE '' END"

/* When a booking is for, and the day of the seat that it has, if that names one. */
#define WANTED "coalesce(b.wanted_at, s.starts_at)"
#define SEAT_DAY                                                                                   \
	"coalesce((SELECT length(u.period) <> 10 OR replace(u.period, '-', '') = CAST(?2 AS TEXT)" \
	" FROM seat_unit u WHERE u.grant_id = b.seat_grant_id AND u.no = b.seat_no), 1)"

/* Parameters: the facility, the day, its first ms, the next day's.  One that nobody has dated is
 * for every day until it is said to be done. */
#define FOR_TODAY                                                                                  \
	"SELECT 0 AS kind, m.id AS id, coalesce(c.name, '') AS who, " DRUG ", " DRUG ", '',"       \
	" 0 AS at, coalesce(m.time_bits, 0) AS due, coalesce((SELECT sum(1 << g.slot)"             \
	" FROM medication_given g WHERE g.request_id = m.id AND g.biz_date = ?2"                   \
	" AND g.slot BETWEEN 0 AND 63), 0), coalesce(m.wording, '') AS wording"                    \
	" FROM medication_request m"                                                               \
	" LEFT JOIN child c ON c.id = m.child_id WHERE m.facility_id = ?1"                         \
	" AND (m.review = 1 OR (m.review IS NULL AND m.accepted_at IS NOT NULL)) "                 \
	"AND " ANSWER_HOLDS(                                                                       \
	        "m") ""                                                                            \
	             " AND coalesce(m.date_from, ?2) <= ?2 AND coalesce(m.date_to, m.date_from, "  \
	             "?2) >= ?2"                                                                   \
	             " UNION ALL SELECT 1, b.id, coalesce(c.name, b.guardian_name, ''), " KIND_ZH  \
	             ", " KIND_EN ", coalesce(b.note, ''), coalesce(" WANTED                       \
	             ", 0), 0, 0, coalesce(b.wording, '') FROM booking b"                          \
	             " LEFT JOIN session_event s ON s.id = b.session_id LEFT JOIN child c ON "     \
	             "c.id = b.child_id"                                                           \
	             " WHERE b.facility_id = ?1 AND b.state = 2 AND " ANSWER_BOOKING_HOLDS(        \
	                     "b") " AND CASE WHEN " WANTED " IS NULL"                              \
	                          " THEN " SEAT_DAY " ELSE " WANTED " >= ?3 AND " WANTED           \
	                          " < ?4 END"                                                      \
	                          " UNION ALL SELECT 2, o.id, coalesce(c.name, o.buyer_name, "     \
	                          "''), " COURSE ", " COURSE ","                                   \
	                          " coalesce(o.note, ''), 0, 0, 0, coalesce(o.wording, '')"        \
	                          " FROM course_order o LEFT JOIN "                                \
	                          "child c ON c.id = "                                             \
	                          "o.child_id"                                                     \
	                          " WHERE o.facility_id = ?1 AND coalesce(o.state, 1) = 1 AND "    \
	                          "o.done_at IS NULL"                                              \
	                          " AND o.review = 1 AND " ANSWER_HOLDS(                           \
	                                  "o") " AND coalesce(o.from_date, ?2) <= ?2"
_Static_assert(AGREED_MEDICINE == 0 && AGREED_BOOKING == 1 && AGREED_COURSE == 2,
               "as in FOR_TODAY");
_Static_assert(LEAVE_ACCEPTED == 1 && BOOKING_CONFIRMED == 2 && COURSE_BOUGHT == 1, "so, too");

static void
put_day(struct store_stmt *s, const struct facility *f, int date)
{
	int64_t from = date_ms(date, 0, f->offset_min);

	store_stmt_put_text(s, f->id);
	store_stmt_put_int(s, date);
	store_stmt_put_int(s, from);
	store_stmt_put_int(s, from + DAY_MS);
}

static void
read_one(struct store_stmt *s, struct arena *a, struct agreed *one)
{
	const uint8_t *id;
	size_t len;

	one->kind = (enum agreed_kind)store_stmt_get_int(s);
	id = store_stmt_get_blob(s, &len);
	memset(one->id, 0, STORE_ID);
	memcpy(one->id, id, len < STORE_ID ? len : STORE_ID);
	one->who = store_stmt_copy_text(s, a);
	one->what_zh = store_stmt_copy_text(s, a);
	one->what_en = store_stmt_copy_text(s, a);
	one->words = store_stmt_copy_text(s, a);
	one->at = store_stmt_get_int(s);
	one->due = (uint64_t)store_stmt_get_int(s);
	one->given = (uint64_t)store_stmt_get_int(s);
	one->wording = store_stmt_copy_text(s, a);
}

int
facility_agreed(struct facility *f, int date, struct arena *a, struct agreed_list *out,
                struct err *err)
{
	struct store_stmt s;
	int rc = 0;

	*out = (struct agreed_list){ .list = arena_take(a, AGREED_LISTED, sizeof *out->list) };
	if (out->list == NULL)
		return err_set(err, ERR_NOMEM, "what was accepted: out of memory");
	s = store_stmt_new(f->db, "SELECT * FROM (" FOR_TODAY ") ORDER BY kind, at, who, id"
	                          " LIMIT ?5");
	put_day(&s, f, date);
	store_stmt_put_int(&s, AGREED_LISTED + 1);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		out->more = out->count == AGREED_LISTED;
		if (out->more)
			break;
		read_one(&s, a, &out->list[out->count++]);
	}
	store_stmt_end(&s);
	if (rc >= 0 && a->spent)
		rc = err_set(err, ERR_NOMEM, "what was accepted: out of memory");
	return rc < 0 ? rc : 0;
}

void
facility_agreed_time(int slot, char out[8])
{
	int minute = SLOT_FROM_MIN + SLOT_MIN * slot;

	snprintf(out, 8, "%02d:%02d", minute / 60 % 24, minute % 60);
}

/* ------------------------------------------------------------------ it was done */

/* By the word: of which kind it is said, and whether it was said already (id, day, slot). */
static const struct saying {
	enum agreed_kind kind;
	const char *already;
} sayings[AGREED_SAYINGS] = {
	[AGREED_GIVEN] = { AGREED_MEDICINE, "SELECT 1 FROM medication_given WHERE request_id = ?1"
	                                    " AND biz_date = ?2 AND slot = ?3" },
	[AGREED_CAME] = { AGREED_BOOKING, "SELECT 1 FROM booking WHERE id = ?1 AND state = 3" },
	[AGREED_MISSED] = { AGREED_BOOKING, "SELECT 1 FROM booking WHERE id = ?1 AND state = 5" },
	[AGREED_DONE] = { AGREED_COURSE, "SELECT 1 FROM course_order WHERE id = ?1"
	                                 " AND done_at IS NOT NULL" },
};
_Static_assert(BOOKING_CAME == 3 && BOOKING_MISSED == 5, "as in the statements");

static int
slot_of(const struct facility *f, const struct agreed_word *word)
{
	int minute = date_minute(word->at, f->offset_min);

	return word->slot >= 0 ? word->slot : (minute - SLOT_FROM_MIN) / SLOT_MIN;
}

/* 1: it was said so already. */
static int
look_said(struct facility *f, const struct agreed_word *word, int date, struct err *err)
{
	struct store_stmt s = store_stmt_new(f->db, sayings[word->said].already);
	int rc;

	store_stmt_put_blob(&s, word->id, STORE_ID);
	if (word->said == AGREED_GIVEN) {
		store_stmt_put_int(&s, date);
		store_stmt_put_int(&s, slot_of(f, word));
	}
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	return rc;
}

/* Is it for today, as the person saw it?  `dose` is of the arena: what the request for medicine
 * says. */
static int
find(struct facility *f, const struct agreed_word *word, int date, struct arena *a,
     const char **dose, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        f->db, "SELECT (SELECT dose_text FROM medication_request WHERE id = t.id)"
	               " FROM (" FOR_TODAY ") t WHERE t.id = ?5 AND t.kind = ?6"
	               " AND (?7 < 0 OR t.due = 0 OR (t.due >> ?7) & 1)"
	               " AND coalesce(?8, t.wording) = t.wording");
	int rc;

	*dose = NULL;
	put_day(&s, f, date);
	store_stmt_put_blob(&s, word->id, STORE_ID);
	store_stmt_put_int(&s, sayings[word->said].kind);
	store_stmt_put_int(&s, word->slot);
	if (word->wording == NULL)
		store_stmt_put_null(&s);
	else
		store_stmt_put_text(&s, word->wording);
	rc = store_stmt_step(&s, err);
	if (rc == 1 && !store_stmt_null(&s))
		*dose = store_stmt_copy_text(&s, a);
	store_stmt_end(&s);
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "there is nothing of this id for today");
	return rc < 0 ? rc : 0;
}

static int
write_it(struct facility *f, const struct agreed_word *word, const char *dose, struct err *err)
{
	struct facility_medication_given given = {
		.at = word->at, .request = word->id, .slot = slot_of(f, word), .dose = dose
	};
	struct facility_book_review booking = { .at = word->at,
		                                .booking = word->id,
		                                .state = word->said == AGREED_CAME
		                                                 ? BOOKING_CAME
		                                                 : BOOKING_MISSED };
	struct facility_order_done done = { .at = word->at, .order = word->id };

	if (word->said == AGREED_GIVEN)
		return facility_medication_given(f, &given, err);
	if (word->said == AGREED_DONE)
		return facility_order_done(f, &done, err);
	return facility_book_review(f, &booking, err);
}

int
facility_agreed_say(struct facility *f, const struct agreed_word *word, struct err *err)
{
	struct arena a = { 0 };
	const char *dose = NULL;
	int date, rc = record_at(f, word->at, &date, err);

	if (rc == 0 && word->date != 0 && word->date != date)
		rc = err_set(err, ERR_NOTFOUND, "what was seen was for another day");
	if (rc == 0)
		rc = look_said(f, word, date, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = find(f, word, date, &a, &dose, err);
	if (rc == 0)
		rc = write_it(f, word, dose, err);
	arena_free(&a);
	return rc;
}
