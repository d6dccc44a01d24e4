/*
 * node/facility/record_house.c - what is recorded of the house and not of one
 * enrolled child: kitchen, cleaning, hand-over, staff, visits and sessions.
 */
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"

#include <string.h>

int
facility_menu(struct facility *f, const struct facility_menu *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_range("meal", in->meal, MEAL_BREAKFAST, MEAL_SUPPER, err);
	if (rc == 0)
		rc = record_text("dish", in->dish, true, err);
	if (rc == 0)
		rc = record_range("per_child_g", in->per_child_g, 0, 2000, err);
	if (rc == 0)
		rc = record_text("allergens", in->allergens, false, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "INSERT INTO menu_item(id, facility_id, biz_date, meal, dish, "
	                          "per_child_g, allergens,"
	                          " recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	store_stmt_put_int(&s, date);
	store_stmt_put_int(&s, in->meal);
	store_stmt_put_text(&s, in->dish);
	record_put_some(&s, in->per_child_g);
	store_stmt_put_text(&s, in->allergens);
	return record_finish(&s, f, err);
}

/* A sample's disposal repeats the sample, so that the row speaks for itself. */
static int
dispose(struct facility *f, const struct facility_sample *in, struct err *err)
{
	struct store_stmt s;
	int rc;

	rc = record_exists(f, "SELECT 1 FROM food_sample WHERE id = ? AND facility_id = ?",
	                   "replaces", in->replaces, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "INSERT INTO food_sample(id, facility_id, disposed_at, recorded_by, biz_date, "
	        "meal, dish,"
	        " weight_g, stored_at, replaces_id)"
	        " SELECT ?, ?, ?, ?, biz_date, meal, dish, weight_g, stored_at, id FROM food_sample"
	        " WHERE id = ?");
	record_put_new(&s, f);
	store_stmt_put_int(&s, in->at);
	record_put_id(&s, f->by);
	record_put_id(&s, in->replaces);
	return store_stmt_run(&s, err);
}

int
facility_sample(struct facility *f, const struct facility_sample *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0 && in->replaces != NULL)
		return dispose(f, in, err);
	if (rc == 0)
		rc = record_range("meal", in->meal, MEAL_BREAKFAST, MEAL_SUPPER, err);
	if (rc == 0)
		rc = record_text("dish", in->dish, true, err);
	if (rc == 0)
		rc = record_range("weight_g", in->weight_g, 1, 5000, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "INSERT INTO food_sample(id, facility_id, biz_date, meal, dish, "
	                          "weight_g, stored_at,"
	                          " recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	store_stmt_put_int(&s, date);
	store_stmt_put_int(&s, in->meal);
	store_stmt_put_text(&s, in->dish);
	store_stmt_put_int(&s, in->weight_g);
	store_stmt_put_int(&s, in->at);
	return record_finish(&s, f, err);
}

int
facility_cleaning(struct facility *f, const struct facility_cleaning *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_range("area", in->area, AREA_PLAY, AREA_COMMON, err);
	if (rc == 0)
		rc = record_range("object", in->object, OBJECT_AIR, OBJECT_FLOORS, err);
	if (rc == 0)
		rc = record_range("method", in->method, CLEAN_AIRING, CLEAN_STEAM, err);
	if (rc == 0)
		rc = record_range("conc_mg_l", in->conc_mg_l, 0, 100000, err);
	if (rc == 0)
		rc = record_range("minutes", in->minutes, 0, 1440, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "INSERT INTO disinfection_log(id, facility_id, biz_date, class_id, area, object, "
	        "method,"
	        " conc_mg_l, minutes, at, recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	store_stmt_put_int(&s, date);
	record_put_id(&s, in->class_id);
	store_stmt_put_int(&s, in->area);
	store_stmt_put_int(&s, in->object);
	store_stmt_put_int(&s, in->method);
	record_put_some(&s, in->conc_mg_l);
	record_put_some(&s, in->minutes);
	store_stmt_put_int(&s, in->at);
	return record_finish(&s, f, err);
}

/* 在册 实到 请假 缺勤 of a class. */
struct counts {
	int64_t enrolled, present, leave, absent;
};

static int
count_class(struct facility *f, const uint8_t *class_id, int date, struct counts *out,
            struct err *err)
{
	struct store_stmt s;
	int rc;

	s = store_stmt_new(
	        f->db,
	        "SELECT count(*), coalesce(sum(state IS 1), 0),"
	        " coalesce(sum(state IS NULL AND reason IN (1, 2)), 0),"
	        " coalesce(sum(state IS NULL AND reason NOT IN (1, 2)), 0) FROM ("
	        " SELECT " RECORD_STATE " AS state, coalesce((SELECT b.reason FROM absence_case b"
	        "  WHERE b.enrollment_id = e.id AND b.date_from <= ? AND b.date_to >= ? LIMIT 1), "
	        "0)"
	        "  AS reason"
	        " FROM enrollment e WHERE e.facility_id = ? AND e.class_id = ? AND e.status = 3)");
	record_put_day(&s, f, date);
	store_stmt_put_int(&s, date);
	store_stmt_put_int(&s, date);
	store_stmt_put_text(&s, f->id);
	record_put_id(&s, class_id);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		out->enrolled = store_stmt_get_int(&s);
		out->present = store_stmt_get_int(&s);
		out->leave = store_stmt_get_int(&s);
		out->absent = store_stmt_get_int(&s);
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
facility_handover(struct facility *f, const struct facility_handover *in, struct err *err)
{
	struct counts n = { 0 };
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_exists(f, "SELECT 1 FROM class_group WHERE id = ? AND facility_id = ?",
		                   "class", in->class_id, err);
	if (rc == 0)
		rc = record_text("items", in->items, false, err);
	if (rc == 0)
		rc = count_class(f, in->class_id, date, &n, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "INSERT INTO handover(id, facility_id, class_id, at, biz_date, "
	                          "from_staff, to_staff,"
	                          " enrolled_n, present_n, leave_n, absent_n, items, recorded_by)"
	                          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, in->class_id);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_int(&s, date);
	record_put_id(&s, in->from);
	record_put_id(&s, in->to);
	store_stmt_put_int(&s, n.enrolled);
	store_stmt_put_int(&s, n.present);
	store_stmt_put_int(&s, n.leave);
	store_stmt_put_int(&s, n.absent);
	store_stmt_put_text(&s, in->items);
	return record_finish(&s, f, err);
}

int
facility_clock(struct facility *f, const struct facility_clock *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_exists(f, "SELECT 1 FROM staff WHERE id = ? AND facility_id = ?",
		                   "staff", in->staff, err);
	if (rc == 0)
		rc = record_range("kind", in->kind, CLOCK_IN, CLOCK_OUT, err);
	if (rc == 0)
		rc = record_range("method", in->method, 0, METHOD_PARENT_CODE, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "INSERT INTO staff_attendance(id, facility_id, staff_id, kind, at, biz_date, "
	        "method,"
	        " class_id, recorded_by)"
	        " VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT class_id FROM staff WHERE id = ?), ?)");
	record_put_new(&s, f);
	record_put_id(&s, in->staff);
	store_stmt_put_int(&s, in->kind);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_int(&s, date);
	store_stmt_put_int(&s, in->method == 0 ? METHOD_HAND : in->method);
	record_put_id(&s, in->staff);
	return record_finish(&s, f, err);
}

int
facility_visit(struct facility *f, const struct facility_visit *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_range("kind", in->kind, VISIT_PLAY, VISIT_SESSION, err);
	if (rc == 0)
		rc = record_text("child_name", in->child_name, in->child == NULL, err);
	if (rc == 0)
		rc = record_range("month_age", in->month_age, 0, 84, err);
	if (rc == 0)
		rc = record_text("adult_name", in->adult_name, false, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "INSERT INTO drop_in_visit(id, facility_id, kind, child_id, child_name, month_age,"
	        " adult_name, biz_date, in_at, session_id, recorded_by)"
	        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	store_stmt_put_int(&s, in->kind);
	record_put_id(&s, in->child);
	store_stmt_put_text(&s, in->child_name);
	record_put_some(&s, in->month_age);
	store_stmt_put_text(&s, in->adult_name);
	store_stmt_put_int(&s, date);
	store_stmt_put_int(&s, in->at);
	record_put_id(&s, in->session);
	return record_finish(&s, f, err);
}

int
facility_visit_end(struct facility *f, const struct facility_visit_end *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_exists(f,
		                   "SELECT 1 FROM drop_in_visit WHERE id = ? AND facility_id = ?",
		                   "visit", in->visit, err);
	if (rc < 0)
		return rc;
	memcpy(f->last_id, in->visit, STORE_ID);
	s = store_stmt_new(f->db, "UPDATE drop_in_visit SET out_at = ? WHERE id = ?");
	store_stmt_put_int(&s, in->at);
	record_put_id(&s, in->visit);
	return store_stmt_run(&s, err);
}

int
facility_session(struct facility *f, const struct facility_session *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_range("kind", in->kind, 1, 4, err);
	if (rc == 0)
		rc = record_text("title", in->title, true, err);
	if (rc == 0)
		rc = record_range("minutes", in->minutes, 1, 1440, err);
	if (rc == 0)
		rc = record_range("cap", in->cap, 1, 500, err);
	if (rc == 0)
		rc = record_text("place", in->place, false, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "INSERT INTO session_event(id, facility_id, kind, title, "
	                          "starts_at, ends_at, place, cap,"
	                          " recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	store_stmt_put_int(&s, in->kind);
	store_stmt_put_text(&s, in->title);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_int(&s, in->at + in->minutes * DATE_MINUTE_MS);
	store_stmt_put_text(&s, in->place);
	store_stmt_put_int(&s, in->cap);
	return record_finish(&s, f, err);
}
