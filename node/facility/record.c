/*
 * node/facility/record.c - the facility itself, the checks all records share,
 * and the records of coming, going and staying away.
 *
 * A child's state on a day is not stored: it follows from the attendance events
 * that no later row strikes out, the last one by time.  So two tablets that were
 * both off line and both saw her come leave two rows and one state.
 */
#include "node/facility/record.h"
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"

#include "store/base/text.h"
#include "store/catalog.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 4000 };

/* ------------------------------------------------------------------ the facility */

static int
check_facility_id(const char *id, struct err *err)
{
	size_t len = strlen(id);

	if (len == 0 || len > FACILITY_ID_MAX)
		return err_set(err, ERR_INVALID,
		               "facility id '%.20s...' must have 1 to %d characters", id,
		               FACILITY_ID_MAX);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)id[i] <= ' ' || id[i] == '/')
			return err_set(err, ERR_INVALID,
			               "facility id '%s' may hold no blank and no '/'", id);
	return 0;
}

int
facility_claim(struct store_db *db, const char *id, struct err *err)
{
	int rc = check_facility_id(id, err);

	return rc < 0 ? rc : store_meta_set(db, "facility", id, strlen(id), err);
}

int
facility_create(struct store_db *db, const char *id, const char *name, int kind, struct err *err)
{
	struct store_stmt s;
	int rc;

	rc = facility_claim(db, id, err);
	if (rc == 0)
		rc = record_range("kind", kind, KIND_NURSERY, KIND_KINDERGARTEN, err);
	if (rc == 0)
		rc = record_text("name", name, false, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "INSERT INTO facility(facility_id, kind, name) VALUES (?1, ?2, ?3)"
	                       " ON CONFLICT(facility_id) DO UPDATE SET kind = ?2, name = ?3"
	                       " WHERE kind IS NOT ?2 OR name IS NOT ?3");
	store_stmt_put_text(&s, id);
	store_stmt_put_int(&s, kind);
	store_stmt_put_text(&s, name == NULL ? "" : name);
	return store_stmt_run(&s, err);
}

static int
own_id(struct facility *f, struct err *err)
{
	struct buf id = { 0 };
	int rc = store_meta_get(f->db, "facility", &id, err);

	if (rc == ERR_NOTFOUND)
		rc = err_set(err, ERR_NOTFOUND,
		             "this is not a facility's database: it has no facility of its own");
	if (rc == 0)
		text_copy(f->id, sizeof f->id, buf_str(&id));
	buf_free(&id);
	return rc;
}

int
facility_open(struct facility *f, struct store_db *db, const char *id, struct err *err)
{
	char timezone[64];
	struct store_stmt s;
	int rc;

	*f = (struct facility){ .db = db };
	if (id == NULL)
		rc = own_id(f, err);
	else
		rc = check_facility_id(id, err);
	if (rc < 0)
		return rc;
	if (id != NULL)
		text_copy(f->id, sizeof f->id, id);
	s = store_stmt_new(db, "SELECT name, kind, timezone FROM facility WHERE facility_id = ?");
	store_stmt_put_text(&s, f->id);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		text_copy(f->name, sizeof f->name, store_stmt_get_text(&s));
		f->kind = (int)store_stmt_get_int(&s);
		text_copy(timezone, sizeof timezone, store_stmt_get_text(&s));
		rc = date_offset(timezone, &f->offset_min, err);
	} else if (rc == 0 && id == NULL) {
		f->kind = KIND_NURSERY;
		rc = date_offset("Asia/Shanghai", &f->offset_min, err);
	} else if (rc == 0) {
		rc = err_set(err, ERR_NOTFOUND, "facility '%s' is not in this database", f->id);
	}
	store_stmt_end(&s);
	if (f->name[0] == 0)
		text_copy(f->name, sizeof f->name, f->id);
	return rc;
}

/* ------------------------------------------------------------------ what all records share */

void
record_put_day(struct store_stmt *s, const struct facility *f, int date)
{
	store_stmt_put_int(s, date);
	store_stmt_put_int(s, date_ms(date, 0, f->offset_min));
	store_stmt_put_int(s, date_ms(date, 24 * 60, f->offset_min));
}

void
record_put_id(struct store_stmt *s, const uint8_t *id)
{
	if (id == NULL)
		store_stmt_put_null(s);
	else
		store_stmt_put_blob(s, id, STORE_ID);
}

void
record_put_some(struct store_stmt *s, int64_t value)
{
	if (value == 0)
		store_stmt_put_null(s);
	else
		store_stmt_put_int(s, value);
}

void
record_put_new(struct store_stmt *s, struct facility *f)
{
	assert(store_db_in_transaction(f->db));
	store_id_next(f->db, f->last_id);
	store_stmt_put_blob(s, f->last_id, STORE_ID);
	store_stmt_put_text(s, f->id);
}

int
record_finish(struct store_stmt *s, struct facility *f, struct err *err)
{
	record_put_id(s, f->by);
	return store_stmt_run(s, err);
}

int
record_at(const struct facility *f, int64_t at, int *date, struct err *err)
{
	*date = 0;
	if (at < date_ms(20000101, 0, 0) || at >= date_ms(21000101, 0, 0))
		return err_set(err, ERR_INVALID,
		               "at: %lld is not a time of this century, in ms since 1970",
		               (long long)at);
	*date = date_of(at, f->offset_min);
	return 0;
}

int
record_range(const char *what, int64_t value, int64_t low, int64_t high, struct err *err)
{
	if (value >= low && value <= high)
		return 0;
	return err_set(err, ERR_INVALID, "%s: %lld is not in %lld to %lld", what, (long long)value,
	               (long long)low, (long long)high);
}

int
record_date(const char *what, int64_t date, struct err *err)
{
	if (date == 0 || (date > 0 && date < 30000000 && date_valid((int)date)))
		return 0;
	return err_set(err, ERR_INVALID, "%s: %lld is not a date like 20260302", what,
	               (long long)date);
}

int
record_text(const char *what, const char *text, bool needed, struct err *err)
{
	size_t len = text == NULL ? 0 : strlen(text);

	if (len == 0 && needed)
		return err_set(err, ERR_INVALID, "%s: is needed", what);
	if (len > TEXT_MAX)
		return err_set(err, ERR_INVALID, "%s: %zu bytes are too many, %d is the limit",
		               what, len, TEXT_MAX);
	if (len > 0 && !text_is_utf8(text, len, NULL))
		return err_set(err, ERR_INVALID, "%s: is not UTF-8", what);
	return 0;
}

/* A row of: enrollment, child, class, state, name, birth date. */
static void
read_child(struct store_stmt *s, struct record_child *out)
{
	uint8_t *const ids[] = { out->enrollment, out->child, out->class_id };
	size_t len = 0;

	for (size_t i = 0; i < 3; i++) {
		const uint8_t *id = store_stmt_get_blob(s, &len);

		memset(ids[i], 0, STORE_ID);
		memcpy(ids[i], id, len < STORE_ID ? len : STORE_ID);
	}
	out->has_class = len == STORE_ID;
	out->state = (int)store_stmt_get_int(s);
	text_copy(out->name, sizeof out->name, store_stmt_get_text(s));
	out->birth_date = (int)store_stmt_get_int(s);
}

int
record_child(struct facility *f, const uint8_t *child, int date, struct record_child *out,
             struct err *err)
{
	char hex[2 * STORE_ID + 1];
	struct store_stmt s;
	int rc;

	if (child == NULL)
		return err_set(err, ERR_INVALID, "child: is needed");
	s = store_stmt_new(f->db, "SELECT e.id, e.child_id, e.class_id, " RECORD_STATE
	                          ", c.name, c.birth_date"
	                          " FROM enrollment e JOIN child c ON c.id = e.child_id"
	                          " WHERE e.child_id = ? AND e.facility_id = ? AND e.status = 3"
	                          " ORDER BY e.start_date DESC, e.id LIMIT 1");
	record_put_day(&s, f, date);
	record_put_id(&s, child);
	store_stmt_put_text(&s, f->id);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		read_child(&s, out);
		rc = 0;
	} else if (rc == 0) {
		text_hex(hex, child, STORE_ID);
		rc = err_set(err, ERR_NOTFOUND, "child: %s is not enrolled at %s", hex, f->id);
	}
	store_stmt_end(&s);
	return rc;
}

int
record_present(struct facility *f, const uint8_t *class_id, struct record_group *group,
               struct err *err)
{
	struct store_stmt s;
	int64_t most;
	int rc;

	group->count = 0;
	rc = store_stmt_int(f->db, "SELECT count(*) FROM enrollment WHERE status = 3", 0, &most,
	                    err);
	if (rc < 0)
		return rc;
	group->list = arena_take(&group->arena, (size_t)most + 1, sizeof *group->list);
	if (group->list == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for %lld children", (long long)most);
	s = store_stmt_new(
	        f->db, "SELECT e.id, e.child_id, e.class_id, " RECORD_STATE ", c.name, c.birth_date"
	               " FROM enrollment e JOIN child c ON c.id = e.child_id"
	               " WHERE e.facility_id = ? AND e.status = 3 AND (? IS NULL OR e.class_id = ?)"
	               " ORDER BY c.name, c.birth_date, e.id");
	record_put_day(&s, f, group->date);
	store_stmt_put_text(&s, f->id);
	record_put_id(&s, class_id);
	record_put_id(&s, class_id);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		read_child(&s, &group->list[group->count]);
		group->count +=
		        group->list[group->count].state == ATTEND_IN && group->count < (size_t)most;
	}
	store_stmt_end(&s);
	return rc;
}

int
record_exists(struct facility *f, const char *sql, const char *what, const uint8_t *id,
              struct err *err)
{
	char hex[2 * STORE_ID + 1];
	struct store_stmt s;
	int rc;

	if (id == NULL)
		return err_set(err, ERR_INVALID, "%s: is needed", what);
	s = store_stmt_new(f->db, sql);
	record_put_id(&s, id);
	store_stmt_put_text(&s, f->id);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	text_hex(hex, id, STORE_ID);
	return err_set(err, ERR_NOTFOUND, "%s: there is no %s at %s", what, hex, f->id);
}

/* ------------------------------------------------------------------ coming and going */

static int
put_attendance(struct facility *f, const struct record_child *who, const struct facility_pickup *in,
               int64_t temp_dc, struct err *err)
{
	int kind = who->state == ATTEND_IN ? ATTEND_OUT : ATTEND_IN;
	struct store_stmt s;

	s = store_stmt_new(
	        f->db,
	        "INSERT INTO attendance_event(id, facility_id, enrollment_id, biz_date, kind, at,"
	        " by_adult_id, temp_dc, method, class_id, recorded_by)"
	        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, who->enrollment);
	store_stmt_put_int(&s, date_of(in->at, f->offset_min));
	store_stmt_put_int(&s, kind);
	store_stmt_put_int(&s, in->at);
	record_put_id(&s, in->adult);
	record_put_some(&s, temp_dc);
	store_stmt_put_int(&s, in->method == 0 ? METHOD_HAND : in->method);
	record_put_id(&s, who->has_class ? who->class_id : NULL);
	return record_finish(&s, f, err);
}

int
facility_arrival(struct facility *f, const struct facility_arrival *in, struct err *err)
{
	const struct facility_pickup coming = { .at = in->at,
		                                .child = in->child,
		                                .method = in->method };
	struct record_check when = { .at = in->at, .slot = SLOT_MORNING };
	struct record_child who = { 0 };
	uint8_t event[STORE_ID];
	int rc;

	rc = record_at(f, in->at, &when.date, err);
	if (rc == 0)
		rc = record_range("method", in->method, 0, METHOD_PARENT_CODE, err);
	if (rc == 0)
		rc = record_findings(&in->found, err);
	if (rc == 0)
		rc = record_child(f, in->child, when.date, &who, err);
	if (rc == 0 && who.state == ATTEND_IN)
		rc = err_set(err, ERR_INVALID, "%s has arrived already today", who.name);
	if (rc == 0)
		rc = put_attendance(f, &who, &coming, in->found.temp_dc, err);
	if (rc < 0)
		return rc;
	memcpy(event, f->last_id, sizeof event);
	rc = record_put_check(f, &who, &when, &in->found, err);
	memcpy(f->last_id, event, sizeof event);
	return rc;
}

int
facility_pickup(struct facility *f, const struct facility_pickup *in, struct err *err)
{
	struct facility_pickup going = *in;
	struct record_child who = { 0 };
	uint8_t adult[STORE_ID];
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_range("method", in->method, 0, METHOD_PARENT_CODE, err);
	if (rc == 0)
		rc = record_child(f, in->child, date, &who, err);
	if (rc == 0 && who.state != ATTEND_IN)
		rc = err_set(err, ERR_INVALID,
		             who.state == ATTEND_OUT ? "%s has left already"
		                                     : "%s is not here today",
		             who.name);
	if (rc == 0 && in->code != NULL) {
		rc = record_adult_by_code(f, &who, in, adult, err);
		going.adult = adult;
		going.method = in->method == 0 ? METHOD_PARENT_CODE : in->method;
	} else if (rc == 0 && in->adult != NULL) {
		rc = record_adult(f, &who, in->adult, date, err);
	}
	return rc < 0 ? rc : put_attendance(f, &who, &going, 0, err);
}

int
facility_strike(struct facility *f, const struct facility_strike *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_exists(
		        f, "SELECT 1 FROM attendance_event WHERE id = ? AND facility_id = ?",
		        "event", in->event, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "INSERT INTO attendance_event(id, facility_id, kind, at, replaces_id, "
	        "enrollment_id,"
	        " biz_date, class_id, recorded_by)"
	        " SELECT ?, ?, 3, ?, id, enrollment_id, biz_date, class_id, ? FROM attendance_event"
	        " WHERE id = ?");
	record_put_new(&s, f);
	store_stmt_put_int(&s, in->at);
	record_put_id(&s, f->by);
	record_put_id(&s, in->event);
	return store_stmt_run(&s, err);
}

/* ------------------------------------------------------------------ staying away */

static int
check_absence(const struct facility_absence *in, struct err *err)
{
	int rc = record_date("from", in->from, err);

	if (rc == 0)
		rc = record_date("to", in->to, err);
	if (rc == 0)
		rc = record_range("reason", in->reason, ABSENT_ILL, ABSENT_OTHER, err);
	if (rc == 0)
		rc = record_text("disease", in->disease,
		                 in->reason == ABSENT_ILL && in->symptom_bits == 0, err);
	if (rc == 0)
		rc = record_range("symptom_bits", in->symptom_bits, 0, SYMPTOM_ALL, err);
	if (rc == 0)
		rc = record_text("informed_by", in->informed_by, false, err);
	if (rc == 0)
		rc = record_text("hospital", in->hospital, false, err);
	return rc;
}

/* The child's absence that covers `from`; f->last_id if there is one. */
static int
find_absence(struct facility *f, const struct record_child *who, int64_t from, bool *found,
             struct err *err)
{
	struct store_stmt s;
	size_t len;
	int rc;

	s = store_stmt_new(f->db, "SELECT id FROM absence_case WHERE enrollment_id = ? AND "
	                          "date_from <= ? AND date_to >= ?"
	                          " ORDER BY id LIMIT 1");
	record_put_id(&s, who->enrollment);
	store_stmt_put_int(&s, from);
	store_stmt_put_int(&s, from);
	rc = store_stmt_step(&s, err);
	*found = rc == 1;
	if (rc == 1) {
		const uint8_t *id = store_stmt_get_blob(&s, &len);

		memcpy(f->last_id, id, len < STORE_ID ? len : STORE_ID);
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* The columns of an absence that come from outside, then those that end both statements. */
static void
put_absence_cells(struct store_stmt *s, const struct facility_absence *in, int64_t from, int64_t to)
{
	store_stmt_put_int(s, from);
	store_stmt_put_int(s, to);
	store_stmt_put_int(s, in->reason);
	store_stmt_put_text(s, in->disease);
	record_put_some(s, in->symptom_bits);
	store_stmt_put_text(s, in->informed_by);
	store_stmt_put_text(s, in->hospital);
}

static const struct record_field absence_fields[] = {
	{ "reason", false, offsetof(struct facility_absence, reason) },
	{ "disease_code", true, offsetof(struct facility_absence, disease) },
	{ "symptom_bits", false, offsetof(struct facility_absence, symptom_bits) },
	{ "informed_by", true, offsetof(struct facility_absence, informed_by) },
	{ "hospital", true, offsetof(struct facility_absence, hospital) },
	{ NULL, false, 0 }
};

/* The form was opened some time ago: what moved since stays. */
static int
settle_absence(struct facility *f, struct facility_absence *in, struct arena *a, struct err *err)
{
	struct record_form form = { .f = f,
		                    .arena = a,
		                    .table = "absence_case",
		                    .fields = absence_fields,
		                    .record = in,
		                    .was = in->was };
	struct store_value id = store_value_blob(f->last_id, STORE_ID);
	struct store_stmt s;

	if (in->was == NULL)
		return 0;
	store_value_write(&form.key, &id);
	s = store_stmt_new(f->db, "SELECT reason, disease_code, symptom_bits, informed_by, hospital"
	                          " FROM absence_case WHERE id = ?");
	store_stmt_put_blob(&s, f->last_id, STORE_ID);
	return record_form_settle(&form, &s, err);
}

/* Correct the one in f->last_id. */
static int
correct_absence(struct facility *f, const struct facility_absence *in, int64_t from, int64_t to,
                struct err *err)
{
	struct facility_absence absence = *in;
	struct arena a = { 0 };
	struct store_stmt s;
	int rc = settle_absence(f, &absence, &a, err);

	if (rc == 0) {
		s = store_stmt_new(
		        f->db, "UPDATE absence_case SET date_from = min(date_from, ?), date_to = "
		               "?, reason = ?,"
		               " disease_code = ?, symptom_bits = ?, informed_by = ?, hospital = ?,"
		               " recorded_by = ? WHERE id = ?");
		put_absence_cells(&s, &absence, from, to);
		record_put_id(&s, f->by);
		store_stmt_put_blob(&s, f->last_id, STORE_ID);
		rc = store_stmt_run(&s, err);
	}
	arena_free(&a);
	return rc;
}

int
facility_absence(struct facility *f, const struct facility_absence *in, struct err *err)
{
	struct record_child who = { 0 };
	struct store_stmt s;
	int64_t from, to;
	bool found = false;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = check_absence(in, err);
	if (rc == 0)
		rc = record_child(f, in->child, date, &who, err);
	from = in->from == 0 ? date : in->from;
	to = in->to == 0 ? from : in->to;
	if (rc == 0 && to < from)
		rc = err_set(err, ERR_INVALID, "to: %lld is before from: %lld", (long long)to,
		             (long long)from);
	if (rc == 0)
		rc = find_absence(f, &who, from, &found, err);
	if (rc < 0)
		return rc;
	if (found)
		return correct_absence(f, in, from, to, err);
	s = store_stmt_new(f->db, "INSERT INTO absence_case(id, facility_id, enrollment_id, "
	                          "date_from, date_to, reason,"
	                          " disease_code, symptom_bits, informed_by, hospital, recorded_by)"
	                          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, who.enrollment);
	put_absence_cells(&s, in, from, to);
	return record_finish(&s, f, err);
}

int
facility_followup(struct facility *f, const struct facility_followup *in, struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_exists(f, "SELECT 1 FROM absence_case WHERE id = ? AND facility_id = ?",
		                   "absence", in->absence, err);
	if (rc == 0)
		rc = record_range("method", in->method, 0, 3, err);
	if (rc == 0)
		rc = record_text("result", in->result, false, err);
	if (rc == 0)
		rc = record_date("next_date", in->next_date, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "INSERT INTO absence_followup(id, facility_id, absence_id, at, "
	                          "method, result, next_date,"
	                          " recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	record_put_id(&s, in->absence);
	store_stmt_put_int(&s, in->at);
	store_stmt_put_int(&s, in->method == 0 ? 1 : in->method);
	store_stmt_put_text(&s, in->result);
	record_put_some(&s, in->next_date);
	return record_finish(&s, f, err);
}
