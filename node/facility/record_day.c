/*
 * node/facility/record_day.c - the day's round: meals, naps, care, kitchen,
 * cleaning, hand-over, reports, staff and visits.
 *
 * What is said of a whole class ("all ate") is written for every child who is
 * present in it, so that each child's day stands on its own.  A second tap
 * corrects the first: meals and naps are keyed by child and day.
 */
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"

#include "store/base/text.h"

#include <string.h>

/* ------------------------------------------------------------------ batches */

/* The exception made for `child`, or NULL. */
static const struct facility_exception *
exception_of(const struct facility_batch *in, const uint8_t *child)
{
	for (size_t i = 0; i < in->exception_count; i++)
		if (memcmp(in->exceptions[i].child, child, STORE_ID) == 0)
			return &in->exceptions[i];
	return NULL;
}

/* Every exception names a child who is present, and its code is in 0..max. */
static int
check_exceptions(struct facility *f, const struct facility_batch *in, int date, int64_t max,
                 struct err *err)
{
	struct record_child who = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < in->exception_count; i++) {
		const struct facility_exception *e = &in->exceptions[i];

		rc = record_child(f, e->child, date, &who, err);
		if (rc == 0 && who.state != ATTEND_IN)
			rc = err_set(err, ERR_INVALID, "%s is not here now", who.name);
		if (rc == 0)
			rc = record_range("code", e->code, 0, max, err);
		if (rc == 0)
			rc = record_text("note", e->note, false, err);
	}
	return rc;
}

/* The checks of every batch, then the children present. */
static int
start_batch(struct facility *f, const struct facility_batch *in, int64_t max_code,
            struct record_group *group, struct err *err)
{
	int rc = record_at(f, in->at, &group->date, err);

	if (rc == 0 && in->class_id != NULL)
		rc = record_exists(f, "SELECT 1 FROM class_group WHERE id = ? AND facility_id = ?",
		                   "class", in->class_id, err);
	if (rc == 0)
		rc = check_exceptions(f, in, group->date, max_code, err);
	return rc < 0 ? rc : record_present(f, in->class_id, group, err);
}

static int
put_intake(struct facility *f, const struct facility_batch *in, const struct record_child *who,
           int date, struct err *err)
{
	const struct facility_exception *e = exception_of(in, who->child);
	int64_t level = e != NULL ? e->code : in->level == 0 ? EAT_ALL : in->level;
	struct store_stmt s;

	s = store_stmt_new(
	        f->db,
	        "INSERT INTO meal_intake(enrollment_id, biz_date, meal, facility_id, level, at, "
	        "note,"
	        " recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
	        " ON CONFLICT(enrollment_id, biz_date, meal) DO UPDATE SET level = excluded.level,"
	        " at = excluded.at, note = excluded.note, recorded_by = excluded.recorded_by"
	        " WHERE level IS NOT excluded.level OR note IS NOT excluded.note");
	record_put_id(&s, who->enrollment);
	store_stmt_put_int(&s, date);
	store_stmt_put_int(&s, in->meal);
	store_stmt_put_text(&s, f->id);
	store_stmt_put_int(&s, level);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_text(&s, e == NULL ? NULL : e->note);
	return record_finish(&s, f, err);
}

int
facility_meal_batch(struct facility *f, const struct facility_batch *in, struct err *err)
{
	struct record_group group = { 0 };
	int rc = record_range("meal", in->meal, MEAL_BREAKFAST, MEAL_SUPPER, err);

	if (rc == 0)
		rc = record_range("level", in->level, 0, EAT_NONE, err);
	if (rc == 0)
		rc = start_batch(f, in, EAT_NONE, &group, err);
	for (size_t i = 0; rc == 0 && i < group.count; i++)
		rc = put_intake(f, in, &group.list[i], group.date, err);
	arena_free(&group.arena);
	return rc;
}

int
facility_nap_start(struct facility *f, const struct facility_batch *in, struct err *err)
{
	struct record_group group = { 0 };
	int rc = start_batch(f, in, 0, &group, err);

	for (size_t i = 0; rc == 0 && i < group.count; i++) {
		struct store_stmt s;

		if (exception_of(in, group.list[i].child) != NULL)
			continue; /* does not lie down */
		s = store_stmt_new(
		        f->db,
		        "INSERT INTO nap_session(enrollment_id, biz_date, facility_id, start_at,"
		        " recorded_by) VALUES (?, ?, ?, ?, ?)"
		        " ON CONFLICT(enrollment_id, biz_date) DO UPDATE SET"
		        " start_at = excluded.start_at WHERE start_at IS NOT excluded.start_at");
		record_put_id(&s, group.list[i].enrollment);
		store_stmt_put_int(&s, group.date);
		store_stmt_put_text(&s, f->id);
		store_stmt_put_int(&s, in->at);
		rc = record_finish(&s, f, err);
	}
	arena_free(&group.arena);
	return rc;
}

int
facility_nap_end(struct facility *f, const struct facility_batch *in, struct err *err)
{
	struct record_group group = { 0 };
	int rc = start_batch(f, in, 3, &group, err);

	for (size_t i = 0; rc == 0 && i < group.count; i++) {
		const struct facility_exception *e = exception_of(in, group.list[i].child);
		struct store_stmt s;

		s = store_stmt_new(f->db, "UPDATE nap_session SET end_at = ?, quality = ?, note = "
		                          "? WHERE enrollment_id = ?"
		                          " AND biz_date = ? AND end_at IS NULL");
		store_stmt_put_int(&s, in->at);
		store_stmt_put_int(&s, e == NULL || e->code == 0 ? 1 : e->code);
		store_stmt_put_text(&s, e == NULL ? NULL : e->note);
		record_put_id(&s, group.list[i].enrollment);
		store_stmt_put_int(&s, group.date);
		rc = store_stmt_run(&s, err);
	}
	arena_free(&group.arena);
	return rc;
}

/* One row of a round: the class's (who NULL) or what was seen of one child. */
static int
put_round(struct facility *f, const struct facility_batch *in, const struct facility_exception *e,
          const uint8_t *round, struct err *err)
{
	struct record_child who = { 0 };
	int date = date_of(in->at, f->offset_min);
	struct store_stmt s;
	int rc = 0;

	if (e != NULL)
		rc = record_child(f, e->child, date, &who, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "INSERT INTO nap_check(id, facility_id, class_id, enrollment_id, round_id, at, "
	        "biz_date,"
	        " checker, code, note, recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, in->class_id);
	record_put_id(&s, e == NULL ? NULL : who.enrollment);
	record_put_id(&s, round);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_int(&s, date);
	record_put_id(&s, f->by);
	store_stmt_put_int(&s, e == NULL ? 0 : e->code);
	store_stmt_put_text(&s, e == NULL ? NULL : e->note);
	return record_finish(&s, f, err);
}

int
facility_nap_round(struct facility *f, const struct facility_batch *in, struct err *err)
{
	uint8_t round[STORE_ID];
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_exists(f, "SELECT 1 FROM class_group WHERE id = ? AND facility_id = ?",
		                   "class", in->class_id, err);
	if (rc == 0)
		rc = check_exceptions(f, in, date, 9, err);
	if (rc == 0)
		rc = put_round(f, in, NULL, NULL, err);
	memcpy(round, f->last_id, sizeof round);
	for (size_t i = 0; rc == 0 && i < in->exception_count; i++)
		rc = put_round(f, in, &in->exceptions[i], round, err);
	memcpy(f->last_id, round, sizeof round);
	return rc;
}

/* ------------------------------------------------------------------ one child */

int
facility_care(struct facility *f, const struct facility_care *in, struct err *err)
{
	struct record_child who = { 0 };
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_range("kind", in->kind, CARE_MILK, CARE_OUTDOORS, err);
	if (rc == 0)
		rc = record_range("amount", in->amount, 0, 5000, err);
	if (rc == 0)
		rc = record_text("note", in->note, false, err);
	if (rc == 0)
		rc = record_child(f, in->child, date, &who, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "INSERT INTO care_event(id, facility_id, enrollment_id, kind, "
	                          "at, biz_date, amount, code,"
	                          " note, recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, who.enrollment);
	store_stmt_put_int(&s, in->kind);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_int(&s, date);
	record_put_some(&s, in->amount);
	record_put_some(&s, in->code);
	store_stmt_put_text(&s, in->note);
	return record_finish(&s, f, err);
}

static int
check_report(const struct facility_report *in, struct err *err)
{
	int rc = record_range("mood", in->mood, 0, 4, err);

	if (rc == 0)
		rc = record_range("nap_min", in->nap_min, 0, 600, err);
	if (rc == 0)
		rc = record_range("publish", in->publish, 0, 1, err);
	if (rc == 0)
		rc = record_text("meals", in->meals, false, err);
	if (rc == 0)
		rc = record_text("activity", in->activity, false, err);
	if (rc == 0)
		rc = record_text("note", in->note, false, err);
	return rc;
}

#define FIELD(member, text)                                                                        \
	{                                                                                          \
#member, text, offsetof(struct facility_report, member)                            \
	}
static const struct record_field report_fields[] = { FIELD(mood, false),    FIELD(meals, true),
	                                             FIELD(nap_min, false), FIELD(activity, true),
	                                             FIELD(note, true),     { NULL, false, 0 } };
#undef FIELD

/* The form was opened some time ago: what moved since stays. */
static int
settle_report(struct facility *f, struct facility_report *in, int date, struct arena *a,
              struct err *err)
{
	struct record_form form = { .f = f,
		                    .arena = a,
		                    .table = "daily_report",
		                    .fields = report_fields,
		                    .record = in,
		                    .was = in->was };
	struct store_value child = store_value_blob(in->child, STORE_ID);
	struct store_value day = store_value_int(date);
	struct store_stmt s;

	if (in->was == NULL)
		return 0;
	store_value_write(&form.key, &child);
	store_value_write(&form.key, &day);
	s = store_stmt_new(f->db, "SELECT mood, meals, nap_min, activity, note FROM daily_report"
	                          " WHERE child_id = ? AND biz_date = ?");
	record_put_id(&s, in->child);
	store_stmt_put_int(&s, date);
	return record_form_settle(&form, &s, err);
}

static int
put_report(struct facility *f, const struct facility_report *in, int date, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        f->db,
	        "INSERT INTO daily_report(child_id, biz_date, facility_id, mood, meals, nap_min, "
	        "activity,"
	        " note, state, published_at, recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	        " ON CONFLICT(child_id, biz_date) DO UPDATE SET mood = coalesce(excluded.mood, "
	        "mood),"
	        " meals = coalesce(excluded.meals, meals), nap_min = coalesce(excluded.nap_min, "
	        "nap_min),"
	        " activity = coalesce(excluded.activity, activity), note = coalesce(excluded.note, "
	        "note),"
	        " state = max(excluded.state, state),"
	        " published_at = coalesce(published_at, excluded.published_at)");

	memcpy(f->last_id, in->child, STORE_ID);
	record_put_id(&s, in->child);
	store_stmt_put_int(&s, date);
	store_stmt_put_text(&s, f->id);
	record_put_some(&s, in->mood);
	store_stmt_put_text(&s, in->meals);
	record_put_some(&s, in->nap_min);
	store_stmt_put_text(&s, in->activity);
	store_stmt_put_text(&s, in->note);
	store_stmt_put_int(&s, in->publish);
	record_put_some(&s, in->publish == 1 ? in->at : 0);
	return record_finish(&s, f, err);
}

int
facility_report(struct facility *f, const struct facility_report *in, struct err *err)
{
	struct facility_report report = *in;
	struct record_child who = { 0 };
	struct arena a = { 0 };
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = check_report(in, err);
	if (rc == 0)
		rc = record_child(f, in->child, date, &who, err);
	if (rc == 0)
		rc = settle_report(f, &report, date, &a, err);
	if (rc == 0)
		rc = put_report(f, &report, date, err);
	arena_free(&a);
	return rc;
}

int
facility_incident(struct facility *f, const struct facility_incident *in, struct err *err)
{
	struct record_child who = { 0 };
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_range("kind", in->kind, 1, 4, err);
	if (rc == 0)
		rc = record_range("severity", in->severity, 1, 4, err);
	if (rc == 0)
		rc = record_text("text", in->text, true, err);
	if (rc == 0)
		rc = record_text("place", in->place, false, err);
	if (rc == 0 && in->child != NULL)
		rc = record_child(f, in->child, date, &who, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "INSERT INTO incident(id, facility_id, kind, severity, at, "
	                          "biz_date, place, child_id,"
	                          " class_id, text, guardian_notified_at, recorded_by)"
	                          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	store_stmt_put_int(&s, in->kind);
	store_stmt_put_int(&s, in->severity);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_int(&s, date);
	store_stmt_put_text(&s, in->place);
	record_put_id(&s, in->child);
	record_put_id(&s, who.has_class ? who.class_id : NULL);
	store_stmt_put_text(&s, in->text);
	record_put_some(&s, in->notified_at);
	return record_finish(&s, f, err);
}
