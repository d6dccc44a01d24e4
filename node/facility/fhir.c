#include "node/facility/fhir.h"
#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/fhir_priv.h"
#include "store/base/hash.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 32, CHINA_MIN = 480 };

static const int64_t last_ms = 253402300799999; /* of the year 9999 */

static const struct fhir_type types[] = {
	{ "Patient", { { .table = "child" } } },
	{ "Observation",
	  { { .table = "growth_measurement" },
	    { .table = "health_check", .needs = "enrollment" },
	    { .table = "attendance_event", .needs = "enrollment" } } },
	{ "Immunization", { { .table = "immunization" } } },
	{ "Encounter",
	  { { .table = "attendance_event",
	      .needs = "enrollment",
	      .order = { "facility_id", "enrollment_id", "at" } } } },
};

const struct fhir_type *
facility_fhir_type(const char *name)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

const char *
facility_fhir_types(void)
{
	return "Patient, Observation, Immunization, Encounter";
}

/* ---------------------------------------------------------------- a row */

struct row {
	struct store_stmt *s;
	struct store_value values[COLUMNS];
	int count;
};

static void
take_row(struct row *row, struct store_stmt *s)
{
	row->s = s;
	row->count = store_stmt_columns(s);
	if (row->count > COLUMNS) /* the facility's own, behind ours */
		row->count = COLUMNS;
	for (int i = 0; i < row->count; i++)
		row->values[i] = store_stmt_get_value(s);
}

/* The column's value; NULL if it is that, or isn't there. */
static struct store_value
column(const struct row *row, const char *name)
{
	for (int i = 0; i < row->count; i++)
		if (strcmp(store_stmt_column_name(row->s, i), name) == 0)
			return row->values[i];
	return store_value_null();
}

/* A whole number, or 0. */
static int64_t
number(const struct row *row, const char *name)
{
	struct store_value v = column(row, name);

	return v.type == STORE_INT ? v.num.i : 0;
}

/* 16 bytes that name it: those of an id of ours, a hash of any other value's; false for NULL. */
static bool
name_of(uint8_t id[FHIR_ID], const struct store_value *v)
{
	struct buf whole = { 0 };

	if (v->type == STORE_NULL)
		return false;
	if (v->type == STORE_BLOB && v->len == FHIR_ID) {
		memcpy(id, v->bytes, FHIR_ID);
		return true;
	}
	store_value_write(&whole, v);
	hash_once(id, FHIR_ID, whole.bytes, whole.len);
	buf_free(&whole);
	return true;
}

#define REPLACED(table) "SELECT 1 FROM " table " WHERE replaces_id = ? AND facility_id = ?"

/* Does a later row of the same facility replace this one?  1 or 0. */
static int
is_replaced(struct fhir *f, const struct row *row, const char *sql, struct err *err)
{
	struct store_value id = column(row, "id"), facility = column(row, "facility_id");
	struct store_stmt s = store_stmt_new(f->db, sql);
	int rc;

	store_stmt_put_value(&s, &id);
	store_stmt_put_value(&s, &facility);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	return rc;
}

/* Whose enrolment is it?  1 and her, 0 if that isn't known at this facility. */
static int
child_of(struct fhir *f, const struct row *row, uint8_t child[FHIR_ID], struct err *err)
{
	struct store_value enrollment = column(row, "enrollment_id");
	struct store_value facility = column(row, "facility_id"), found;
	struct store_stmt s = store_stmt_new(
	        f->db, "SELECT child_id FROM enrollment WHERE id = ? AND facility_id = ?");
	int rc;

	store_stmt_put_value(&s, &enrollment);
	store_stmt_put_value(&s, &facility);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		found = store_stmt_get_value(&s);
		rc = name_of(child, &found);
	}
	store_stmt_end(&s);
	return rc;
}

/* A facility's ID, cut if somebody made it longer than one can be. */
static void
facility_of(const struct row *row, char *out, size_t size)
{
	struct store_value v = column(row, "facility_id");
	size_t len = v.type == STORE_TEXT ? v.len : 0;

	len = len < size ? len : size - 1;
	memcpy(out, len == 0 ? (const void *)"" : v.bytes, len);
	out[len] = 0;
}

/* ---------------------------------------------------------------- Patient */

static void
put_child(const struct row *row, struct buf *out)
{
	struct store_value id = column(row, "id"), name = column(row, "name");
	int64_t sex = number(row, "sex");
	char facility[80];
	uint8_t child[FHIR_ID];
	struct json j = fhir_begin(out, "Patient");

	facility_of(row, facility, sizeof facility);
	if (name_of(child, &id))
		fhir_put_id(&j, child, NULL);
	if (name.type == STORE_TEXT && name.len > 0) {
		json_name(&j, "name");
		json_array(&j);
		json_object(&j);
		fhir_put_column(&j, "text", &name);
		json_end_object(&j);
		json_end_array(&j);
	}
	fhir_put_text(&j, "gender",
	              sex == SEX_MALE     ? "male"
	              : sex == SEX_FEMALE ? "female"
	                                  : "unknown");
	fhir_put_date(&j, "birthDate", number(row, "birth_date"));
	fhir_put_facility(&j, "managingOrganization", facility);
	fhir_end(&j);
}

/* ---------------------------------------------------------------- Observation */

/* What is measured, and in which of our units. */
struct measure {
	const char *ending; /* of the id */
	const char *code, *display;
	const char *unit;
	int64_t parts; /* ours of one unit */
};

static const struct measure weight = { "weight", "29463-7", "Body weight", "kg", 1000 };
static const struct measure lying = { "length", "8306-3", "Body height --lying", "cm", 10 };
static const struct measure standing = { "length", "8302-2", "Body height", "cm", 10 };
static const struct measure head = { "head", "9843-4", "Head Occipital-frontal circumference", "cm",
	                             10 };
static const struct measure temperature = { "temperature", "8310-5", "Body temperature", "Cel",
	                                    10 };

/* What several observations of a row have in common. */
struct observed {
	uint8_t id[FHIR_ID], child[FHIR_ID];
	bool has_child;
	int64_t at_ms, date; /* 0: not known */
};

static void
put_quantity(struct json *j, const struct measure *m, int64_t value)
{
	json_name(j, "valueQuantity");
	json_object(j);
	json_name(j, "value");
	json_real(j, (double)value / (double)m->parts);
	fhir_put_text(j, "unit", m->unit);
	fhir_put_text(j, "system", "http://unitsofmeasure.org");
	fhir_put_text(j, "code", m->unit);
	json_end_object(j);
}

static void
put_observation(struct buf *out, const struct observed *o, const struct measure *m, int64_t value)
{
	struct json j;

	if (value <= 0)
		return; /* not measured */
	j = fhir_begin(out, "Observation");
	fhir_put_id(&j, o->id, m->ending);
	fhir_put_text(&j, "status", "final");
	json_name(&j, "category");
	json_array(&j);
	fhir_put_concept(&j, "http://terminology.hl7.org/CodeSystem/observation-category",
	                 "vital-signs", NULL);
	json_end_array(&j);
	json_name(&j, "code");
	fhir_put_concept(&j, "http://loinc.org", m->code, m->display);
	if (o->has_child)
		fhir_put_patient(&j, "subject", o->child);
	if (o->at_ms > 0)
		fhir_put_moment(&j, "effectiveDateTime", o->at_ms);
	else
		fhir_put_date(&j, "effectiveDateTime", o->date);
	put_quantity(&j, m, value);
	fhir_end(&j);
}

/* The growth of a child: up to three. */
static int
put_growth(struct fhir *f, const struct row *row, struct buf *out, struct err *err)
{
	struct store_value id = column(row, "id"), child = column(row, "child_id");
	struct observed o = { .at_ms = number(row, "at"), .date = number(row, "measured_date") };
	int rc = is_replaced(f, row, REPLACED("growth_measurement"), err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	o.has_child = name_of(o.child, &child);
	if (!name_of(o.id, &id))
		return 0;
	put_observation(out, &o, &weight, number(row, "weight_g"));
	put_observation(out, &o, number(row, "posture") == 1 ? &lying : &standing,
	                number(row, "length_mm"));
	put_observation(out, &o, &head, number(row, "head_mm"));
	return 0;
}

/* The temperature of a check or at the door. */
static int
put_temperature(struct fhir *f, const struct row *row, struct buf *out, struct err *err)
{
	static const char check[] = REPLACED("health_check");
	static const char door[] = REPLACED("attendance_event");
	bool is_check = strcmp(f->source->table, "health_check") == 0;
	struct store_value id = column(row, "id");
	struct observed o = { .at_ms = number(row, "at"), .date = number(row, "biz_date") };
	int rc;

	if (number(row, "temp_dc") <= 0 || !name_of(o.id, &id))
		return 0;
	rc = is_replaced(f, row, is_check ? check : door, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = child_of(f, row, o.child, err);
	if (rc < 0)
		return rc;
	o.has_child = rc == 1;
	put_observation(out, &o, &temperature, number(row, "temp_dc"));
	return 0;
}

/* ---------------------------------------------------------------- Immunization */

static void
put_dose(struct json *j, int64_t dose)
{
	if (dose <= 0 || dose > INT32_MAX) /* positiveInt */
		return;
	json_name(j, "protocolApplied");
	json_array(j);
	json_object(j);
	json_name(j, "doseNumberPositiveInt");
	json_int(j, dose);
	json_end_object(j);
	json_end_array(j);
}

static void
put_immunization(const struct row *row, struct buf *out)
{
	struct store_value child = column(row, "child_id"), code = column(row, "vaccine_code");
	struct store_value dose = column(row, "dose_no"), lot = column(row, "lot");
	int64_t given = number(row, "given_date");
	uint8_t id[FHIR_ID], patient[FHIR_ID];
	struct buf key = { 0 };
	struct json j = fhir_begin(out, "Immunization");

	store_value_write(&key, &child);
	store_value_write(&key, &code);
	store_value_write(&key, &dose);
	hash_once(id, sizeof id, key.bytes, key.len);
	buf_free(&key);
	fhir_put_id(&j, id, NULL);
	fhir_put_text(&j, "status", "completed");
	json_name(&j, "vaccineCode");
	json_object(&j);
	json_name(&j, "coding");
	json_array(&j);
	json_object(&j);
	fhir_put_text(&j, "system", "urn:yizhan:vaccine");
	if (code.type == STORE_TEXT && code.len > 0)
		fhir_put_column(&j, "code", &code);
	else
		fhir_put_text(&j, "code", "unknown");
	json_end_object(&j);
	json_end_array(&j);
	json_end_object(&j);
	if (name_of(patient, &child))
		fhir_put_patient(&j, "patient", patient);
	if (given > 0 && given <= 99999999 && date_valid((int)given))
		fhir_put_date(&j, "occurrenceDateTime", given);
	else
		fhir_put_text(&j, "occurrenceString", "unknown");
	if (lot.type == STORE_TEXT && lot.len > 0)
		fhir_put_column(&j, "lotNumber", &lot);
	put_dose(&j, dose.type == STORE_INT ? dose.num.i : 0);
	fhir_end(&j);
}

/* ---------------------------------------------------------------- Encounter */

static void
put_period(struct json *j, const struct fhir_visit *v)
{
	if (v->in_ms <= 0 && v->out_ms <= 0)
		return; /* an object of FHIR isn't empty */
	json_name(j, "period");
	json_object(j);
	if (v->in_ms > 0)
		fhir_put_moment(j, "start", v->in_ms);
	if (v->out_ms > 0)
		fhir_put_moment(j, "end", v->out_ms);
	json_end_object(j);
}

void
facility_fhir_end(struct fhir *f, struct buf *out)
{
	const struct fhir_visit *v = &f->visit;
	struct json j;

	if (!v->open)
		return;
	j = fhir_begin(out, "Encounter");
	fhir_put_id(&j, v->id, NULL);
	fhir_put_text(&j, "status",
	              v->out_ms > 0                         ? "finished"
	              : v->in_ms >= f->now_ms - DATE_DAY_MS ? "in-progress"
	                                                    : "unknown");
	json_name(&j, "class"); /* neither at a provider of care nor at home */
	fhir_put_coding(&j, "http://terminology.hl7.org/CodeSystem/v3-ActCode", "FLD", "field");
	json_name(&j, "type");
	json_array(&j);
	json_object(&j);
	fhir_put_text(&j, "text", "childcare attendance");
	json_end_object(&j);
	json_end_array(&j);
	if (v->has_subject)
		fhir_put_patient(&j, "subject", v->subject);
	put_period(&j, v);
	fhir_put_facility(&j, "serviceProvider", v->facility);
	fhir_end(&j);
	f->visit.open = false;
}

/* The name of a child's day at a facility. */
static void
visit_id(const struct row *row, uint8_t id[FHIR_ID])
{
	struct store_value facility = column(row, "facility_id");
	struct store_value enrollment = column(row, "enrollment_id");
	struct store_value date = column(row, "biz_date");
	int64_t at = number(row, "at");
	struct buf key = { 0 };

	if (date.type != STORE_INT && at >= 0 && at <= last_ms)
		date = store_value_int(date_of(at, CHINA_MIN));
	store_value_write(&key, &facility);
	store_value_write(&key, &enrollment);
	store_value_write(&key, &date);
	hash_once(id, FHIR_ID, key.bytes, key.len);
	buf_free(&key);
}

/* An event belongs to the day under way, or ends it and begins the next. */
static int
take_event(struct fhir *f, const struct row *row, struct buf *out, struct err *err)
{
	int64_t kind = number(row, "kind"), at = number(row, "at");
	struct fhir_visit next = { .open = true };
	int rc;

	if (kind != ATTEND_IN && kind != ATTEND_OUT)
		return 0;
	rc = is_replaced(f, row, REPLACED("attendance_event"), err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	visit_id(row, next.id);
	if (!f->visit.open || memcmp(f->visit.id, next.id, FHIR_ID) != 0) {
		facility_fhir_end(f, out);
		rc = child_of(f, row, next.subject, err);
		if (rc < 0)
			return rc;
		next.has_subject = rc == 1;
		facility_of(row, next.facility, sizeof next.facility);
		f->visit = next;
	}
	if (kind == ATTEND_IN) {
		f->visit.in_ms = f->visit.in_ms == 0 ? at : f->visit.in_ms;
		f->visit.out_ms = 0; /* she is back */
	} else {
		f->visit.out_ms = at;
	}
	return 0;
}

/* ---------------------------------------------------------------- all of them */

int
facility_fhir_row(struct fhir *f, struct store_stmt *s, struct buf *out, struct err *err)
{
	struct row row;

	take_row(&row, s);
	if (strcmp(f->type->name, "Encounter") == 0)
		return take_event(f, &row, out, err);
	if (strcmp(f->source->table, "growth_measurement") == 0)
		return put_growth(f, &row, out, err);
	if (strcmp(f->type->name, "Observation") == 0)
		return put_temperature(f, &row, out, err);
	if (strcmp(f->type->name, "Immunization") == 0)
		put_immunization(&row, out);
	else
		put_child(&row, out);
	return 0;
}
