/* tests/facility_fhir.c - rows as FHIR resources: each said as it is, and whatever is in a row,
 * JSON that R4 knows. */
#include "tests/facility_help.h"
#include "tests/suites.h"

#include "node/facility/fhir.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define CHILD "01010101010101010101010101010101"
#define MANAGED                                                                                    \
	"\"managingOrganization\":{\"identifier\":{\"system\":\"urn:yizhan:facility\",\"value\":"  \
	"\"F1\"}}}\n"

static struct facility house;
static struct store_db *db;
static struct err err;
static struct buf out;
static int64_t now_ms;

static void
begin(void)
{
	db = help_open(&house);
	now_ms = 1772442000000; /* 2026-03-02 09:00, in Greenwich */
}

static void
end(void)
{
	buf_free(&out);
	store_db_close(db);
}

static void
run(const char *sql)
{
	ck_assert_msg(store_db_exec(db, sql, &err) == 0, "%s\n%s", sql, err.msg);
}

/* What `columns` of the rows of one source of that type make, in its order. */
static void
tell_source(struct fhir *f, const struct fhir_source *source, const char *columns)
{
	char sql[300];
	int used =
	        snprintf(sql, sizeof sql, "SELECT %s FROM %s ORDER BY 1", columns, source->table);
	struct store_stmt s;
	int rc;

	if (source->order[0] != NULL)
		used = snprintf(sql, sizeof sql, "SELECT %s FROM %s ORDER BY ", columns,
		                source->table);
	for (int i = 0; i < FHIR_ORDER && source->order[i] != NULL; i++)
		used += snprintf(sql + used, sizeof sql - (size_t)used, "%s%s", i > 0 ? ", " : "",
		                 source->order[i]);
	f->source = source;
	s = store_stmt_new(db, sql);
	while ((rc = store_stmt_step(&s, &err)) == 1)
		ck_assert_msg(facility_fhir_row(f, &s, &out, &err) == 0, "%s", err.msg);
	ck_assert_msg(rc == 0, "%s: %s", sql, err.msg);
	store_stmt_end(&s);
	facility_fhir_end(f, &out);
}

static const char *
told(const char *type, const char *columns)
{
	struct fhir f = { .db = db, .now_ms = now_ms, .type = facility_fhir_type(type) };

	ck_assert_ptr_nonnull(f.type);
	buf_clear(&out);
	for (int i = 0; i < FHIR_SOURCES && f.type->sources[i].table != NULL; i++)
		tell_source(&f, &f.type->sources[i], columns);
	return buf_str(&out);
}

/* How often `text` is in what was told. */
static int
times(const char *text)
{
	int n = 0;

	for (const char *at = buf_str(&out); (at = strstr(at, text)) != NULL; at += strlen(text))
		n++;
	return n;
}

/* ---------------------------------------------------------------- types */

START_TEST(the_list_names_each_type_and_no_other)
{
	static const char *const none[] = { "", "patient", "Claim", "Patient,", "Practitioner" };
	char list[200];
	int count = 0;

	snprintf(list, sizeof list, "%s", facility_fhir_types());
	for (char *name = strtok(list, ", "); name != NULL; name = strtok(NULL, ", "), count++) {
		ck_assert_ptr_nonnull(facility_fhir_type(name));
		ck_assert_str_eq(facility_fhir_type(name)->name, name);
	}
	ck_assert_int_eq(count, 4);
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		ck_assert_ptr_null(facility_fhir_type(none[i]));
}
END_TEST

/* ---------------------------------------------------------------- Patient */

START_TEST(a_child_is_a_patient)
{
	run("INSERT INTO child(id, facility_id, name, sex, birth_date) VALUES"
	    " (x'" CHILD "', 'F1', '王小明', 1, 20240229)");
	ck_assert_str_eq(told("Patient", "*"),
	                 "{\"resourceType\":\"Patient\",\"id\":\"" CHILD
	                 "\",\"name\":[{\"text\":\"王小明\"}],\"gender\":\"male\",\"birthDate\":"
	                 "\"2024-02-29\"," MANAGED);
	/* columns that the reader may not have aren't among the row's */
	ck_assert_str_eq(told("Patient", "id, facility_id, sex"),
	                 "{\"resourceType\":\"Patient\",\"id\":\"" CHILD
	                 "\",\"gender\":\"male\"," MANAGED);
}
END_TEST

START_TEST(what_is_not_known_of_a_child_is_not_said)
{
	run("INSERT INTO child(id, facility_id, name, sex, birth_date) VALUES"
	    " (x'" CHILD "', 'F1', '', NULL, 20230229)");
	ck_assert_str_eq(told("Patient", "*"), "{\"resourceType\":\"Patient\",\"id\":\"" CHILD
	                                       "\",\"gender\":\"unknown\"," MANAGED);
	run("UPDATE child SET sex = 2, birth_date = -20240101");
	told("Patient", "*");
	ck_assert_int_eq(times("\"gender\":\"female\""), 1);
	ck_assert_int_eq(times("birthDate"), 0);
	run("UPDATE child SET birth_date = 9223372036854775807");
	told("Patient", "*");
	ck_assert_int_eq(times("birthDate"), 0);
}
END_TEST

/* ---------------------------------------------------------------- Observation */

static void
measure(int id, const char *facility, int weight_g, int replaces)
{
	char sql[400];

	snprintf(
	        sql, sizeof sql,
	        "INSERT INTO growth_measurement(id, facility_id, child_id, measured_date, weight_g,"
	        " replaces_id) VALUES (x'%032x', '%s', x'" CHILD
	        "', 20260301, %d, nullif(x'%032x', x'%032x'))",
	        (unsigned)id, facility, weight_g, (unsigned)replaces, 0u);
	run(sql);
}

START_TEST(a_measurement_is_an_observation_a_measure)
{
	run("INSERT INTO growth_measurement(id, facility_id, child_id, measured_date, at, weight_g,"
	    " length_mm, posture, head_mm) VALUES (x'02020202020202020202020202020202', 'F1',"
	    " x'" CHILD "', 20260301, NULL, 11250, 865, 1, 470)");
	told("Observation", "*");
	ck_assert_int_eq(times("\n"), 3);
	ck_assert_int_eq(
	        times("{\"resourceType\":\"Observation\",\"id\":\"02020202020202020202020202020202-"
	              "weight\",\"status\":\"final\",\"category\":[{\"coding\":[{\"system\":\"http:"
	              "//terminology.hl7.org/CodeSystem/observation-category\",\"code\":\"vital-"
	              "signs\"}]}],\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":"
	              "\"29463-7\",\"display\":\"Body weight\"}]},\"subject\":{\"reference\":"
	              "\"Patient/" CHILD "\"},\"effectiveDateTime\":\"2026-03-01\","
	              "\"valueQuantity\":{\"value\":11.25,\"unit\":\"kg\",\"system\":"
	              "\"http://unitsofmeasure.org\",\"code\":\"kg\"}}\n"),
	        1);
	ck_assert_int_eq(times("8306-3"), 1); /* lying */
	ck_assert_int_eq(times("\"value\":86.5,\"unit\":\"cm\""), 1);
	ck_assert_int_eq(times("\"value\":47"), 1);
}
END_TEST

START_TEST(what_was_not_measured_is_no_observation)
{
	run("INSERT INTO growth_measurement(id, facility_id, child_id, at, weight_g, length_mm,"
	    " posture, head_mm) VALUES (x'02020202020202020202020202020202', 'F1', x'" CHILD
	    "', 1772352000000, 0, 865, 2, -1)");
	told("Observation", "*");
	ck_assert_int_eq(times("\n"), 1);
	ck_assert_int_eq(times("8302-2"), 1); /* standing */
	ck_assert_int_eq(times("\"effectiveDateTime\":\"2026-03-01T08:00:00.000Z\""), 1);
}
END_TEST

/* Its own facility's row alone takes a row's place: another's, whose writer knows the id, doesn't.
 */
START_TEST(only_its_facility_replaces_a_row)
{
	measure(1, "F1", 11100, 0);
	measure(2, "F2", 99100, 1);
	told("Observation", "*");
	ck_assert_int_eq(times("\"value\":11.1,"), 1);
	ck_assert_int_eq(times("\"value\":99.1,"), 1);
	measure(3, "F1", 12100, 1);
	told("Observation", "*");
	ck_assert_int_eq(times("\"value\":11.1,"), 0);
	ck_assert_int_eq(times("\"value\":12.1,"), 1);
	ck_assert_int_eq(times("\n"), 2);
}
END_TEST

START_TEST(a_temperature_is_of_the_child_that_is_enrolled_there)
{
	run("INSERT INTO enrollment(id, facility_id, child_id) VALUES (x'e1', 'F1', x'" CHILD "');"
	    "INSERT INTO health_check(id, facility_id, enrollment_id, at, temp_dc) VALUES"
	    " (x'00000000000000000000000000000001', 'F1', x'e1', 1772352000000, 366),"
	    " (x'00000000000000000000000000000002', 'F2', x'e1', 1772352000000, 371),"
	    " (x'00000000000000000000000000000003', 'F1', x'e1', 1772352000000, NULL);"
	    "INSERT INTO attendance_event(id, facility_id, enrollment_id, kind, at, temp_dc) VALUES"
	    " (x'00000000000000000000000000000004', 'F1', x'e1', 1, 1772352000000, 365),"
	    " (x'00000000000000000000000000000005', 'F1', x'e2', 1, 1772352000000, 372);"
	    "INSERT INTO attendance_event(id, facility_id, enrollment_id, kind, at, replaces_id)"
	    " VALUES (x'00000000000000000000000000000006', 'F2', x'e1', 3, 1,"
	    " x'00000000000000000000000000000004');"
	    "INSERT INTO health_check(id, facility_id, enrollment_id, at, temp_dc, replaces_id)"
	    " VALUES (x'00000000000000000000000000000007', 'F2', x'e1', 1, 0,"
	    " x'00000000000000000000000000000001')");
	told("Observation", "*");
	ck_assert_int_eq(times("\n"), 4);
	ck_assert_int_eq(times("8310-5"), 4);
	/* neither another facility's check nor an enrolment that isn't known names her */
	ck_assert_int_eq(times("Patient/" CHILD), 2);
	ck_assert_int_eq(times("\"value\":36.6,\"unit\":\"Cel\""), 1);
	ck_assert_int_eq(times("\"value\":36.5,\"unit\":\"Cel\""), 1);
}
END_TEST

/* ---------------------------------------------------------------- Immunization */

/* The id that the only line told has. */
static void
take_id(char id[33])
{
	const char *at = strstr(buf_str(&out), "\"id\":\"");

	ck_assert_ptr_nonnull(at);
	memcpy(id, at + 6, 32);
	id[32] = 0;
}

START_TEST(a_dose_keeps_its_id_when_it_is_corrected)
{
	char first[33], again[33];

	run("INSERT INTO immunization(child_id, vaccine_code, dose_no, facility_id, given_date, "
	    "lot)"
	    " VALUES (x'" CHILD "', 'MMR', 1, 'F1', 20260105, 'L1')");
	told("Immunization", "*");
	take_id(first);
	ck_assert_int_eq(times("\"vaccineCode\":{\"coding\":[{\"system\":\"urn:yizhan:vaccine\","
	                       "\"code\":\"MMR\"}]},\"patient\":{\"reference\":\"Patient/" CHILD
	                       "\"},\"occurrenceDateTime\":\"2026-01-05\",\"lotNumber\":\"L1\","
	                       "\"protocolApplied\":[{\"doseNumberPositiveInt\":1}]}"),
	                 1);
	run("UPDATE immunization SET given_date = NULL, lot = ''");
	told("Immunization", "*");
	take_id(again);
	ck_assert_str_eq(first, again);
	ck_assert_int_eq(times("\"occurrenceString\":\"unknown\""), 1);
	ck_assert_int_eq(times("lotNumber"), 0);
	run("DELETE FROM immunization;"
	    "INSERT INTO immunization(child_id, vaccine_code, dose_no, facility_id) VALUES"
	    " (x'" CHILD "', 'MMR', 2, 'F1')");
	told("Immunization", "*");
	take_id(again);
	ck_assert_str_ne(first, again);
}
END_TEST

/* ---------------------------------------------------------------- Encounter */

static void
event(int id, const char *facility, int kind, const char *at, int replaces)
{
	char sql[400];

	snprintf(sql, sizeof sql,
	         "INSERT INTO attendance_event(id, facility_id, enrollment_id, kind, at,"
	         " replaces_id) VALUES (x'%032x', '%s', x'e1', %d, unixepoch('%s') * 1000,"
	         " nullif(x'%032x', x'%032x'))",
	         (unsigned)id, facility, kind, at, (unsigned)replaces, 0u);
	run(sql);
}

START_TEST(a_day_is_from_the_first_in_to_the_last_out)
{
	run("INSERT INTO enrollment(id, facility_id, child_id) VALUES (x'e1', 'F1', x'" CHILD "')");
	event(1, "F1", 1, "2026-03-02 00:30", 0);
	event(2, "F1", 2, "2026-03-02 04:00", 0);
	told("Encounter", "*");
	ck_assert_int_eq(times("\n"), 1);
	ck_assert_int_eq(times("\"status\":\"finished\",\"class\":{\"system\":\"http://terminology."
	                       "hl7.org/CodeSystem/v3-ActCode\",\"code\":\"FLD\",\"display\":"
	                       "\"field\"},\"type\":[{\"text\":\"childcare attendance\"}],"
	                       "\"subject\":{\"reference\":\"Patient/" CHILD "\"},\"period\":{"
	                       "\"start\":\"2026-03-02T00:30:00.000Z\",\"end\":"
	                       "\"2026-03-02T04:00:00.000Z\"}"),
	                 1);
	/* she is back, and is still there */
	event(3, "F1", 1, "2026-03-02 05:00", 0);
	told("Encounter", "*");
	ck_assert_int_eq(times("\n"), 1);
	ck_assert_int_eq(times("\"status\":\"in-progress\""), 1);
	ck_assert_int_eq(times("\"period\":{\"start\":\"2026-03-02T00:30:00.000Z\"}"), 1);
	now_ms += 86400000; /* nobody has said that she left */
	told("Encounter", "*");
	ck_assert_int_eq(times("\"status\":\"unknown\""), 1);
	event(4, "F1", 2, "2026-03-02 09:00", 0);
	told("Encounter", "*");
	ck_assert_int_eq(times("\"end\":\"2026-03-02T09:00:00.000Z\""), 1);
}
END_TEST

/* Without a date it is that of the time in China: these two are of Monday and Tuesday there. */
START_TEST(days_part_at_midnight_in_china)
{
	char first[33], again[33];

	event(1, "F1", 1, "2026-03-02 15:59", 0);
	told("Encounter", "*");
	take_id(first);
	event(2, "F1", 1, "2026-03-02 16:01", 0);
	told("Encounter", "*");
	ck_assert_int_eq(times("\n"), 2);
	ck_assert_int_eq(times("\"subject\""), 0); /* her enrolment isn't known */
	told("Encounter", "id, facility_id, enrollment_id, kind, at, 20260302 AS biz_date");
	ck_assert_int_eq(times("\n"), 1);
	take_id(again);
	ck_assert_str_eq(first, again);
}
END_TEST

START_TEST(an_event_that_was_struck_out_is_not_of_the_day)
{
	event(1, "F1", 1, "2026-03-02 00:30", 0);
	event(2, "F1", 1, "2026-03-02 01:00", 0);
	event(3, "F1", 3, "2026-03-02 01:00", 1);
	told("Encounter", "*");
	ck_assert_int_eq(times("\"start\":\"2026-03-02T01:00:00.000Z\""), 1);
	/* another facility strikes out nothing, and its events are a day of its own */
	event(4, "F2", 3, "2026-03-02 01:00", 2);
	event(5, "F2", 2, "2026-03-02 02:00", 0);
	told("Encounter", "*");
	ck_assert_int_eq(times("\n"), 2);
	ck_assert_int_eq(times("\"period\":{\"start\":\"2026-03-02T01:00:00.000Z\"}"), 1);
	ck_assert_int_eq(times("\"period\":{\"end\":\"2026-03-02T02:00:00.000Z\"}"), 1);
	ck_assert_int_eq(times("\"value\":\"F2\""), 1);
}
END_TEST

/* ---------------------------------------------------------------- whatever is in a row */

/* What a facility's node sends isn't held to the tables' checks: any kind of value in any column.
 */
static const char *const odd[] = {
	"NULL",
	"9223372036854775807",
	"-9223372036854775807",
	"1e300",
	"'\"\\\n}'",
	"x'ff00'",
	"''",
	"0",
};

START_TEST(whatever_is_in_a_row_it_is_json)
{
	static const char *const selects[][2] = {
		{ "Patient",
		  "%s AS id, %s AS name, %s AS sex, %s AS birth_date, %s AS facility_id" },
		{ "Observation", "%s AS id, %s AS child_id, %s AS at, %s AS measured_date,"
		                 " %s AS weight_g, 366 AS temp_dc, 1 AS enrollment_id" },
		{ "Immunization",
		  "%s AS child_id, %s AS vaccine_code, %s AS dose_no, %s AS given_date,"
		  " %s AS lot" },
		{ "Encounter", "%s AS at, %s AS biz_date, %s AS facility_id, %s AS enrollment_id,"
		               " %s AS id, 1 AS kind" },
	};
	const char *v = odd[_i % 8], *other = odd[_i / 8 % 8];
	char columns[400], sql[] = "SELECT json_valid(?), ? GLOB '*:\"\"*'";
	struct store_stmt s;

	run("INSERT INTO child(id, facility_id) VALUES (x'01', 'F1');"
	    "INSERT INTO growth_measurement(id, facility_id) VALUES (x'01', 'F1');"
	    "INSERT INTO health_check(id, facility_id) VALUES (x'01', 'F1');"
	    "INSERT INTO attendance_event(id, facility_id) VALUES (x'01', 'F1');"
	    "INSERT INTO immunization(child_id, vaccine_code, dose_no, facility_id) VALUES"
	    " (x'01', 'a', 1, 'F1')");
	for (size_t i = 0; i < sizeof selects / sizeof selects[0]; i++) {
		const char *rest;

		// NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): the four above
		snprintf(columns, sizeof columns, selects[i][1], v, other, v, other, v);
		for (const char *line = told(selects[i][0], columns); *line != 0; line = rest + 1) {
			rest = strchr(line, '\n');
			ck_assert_ptr_nonnull(rest);
			s = store_stmt_new(db, sql);
			for (int k = 0; k < 2; k++)
				store_stmt_put_value(
				        &s, &(struct store_value){ .type = STORE_TEXT,
				                                   .bytes = (const uint8_t *)line,
				                                   .len = (size_t)(rest - line) });
			ck_assert_int_eq(store_stmt_step(&s, &err), 1);
			ck_assert_msg(store_stmt_get_int(&s) == 1, "%s", line);
			ck_assert_msg(store_stmt_get_int(&s) == 0, "an empty text: %s", line);
			store_stmt_end(&s);
		}
	}
}
END_TEST

Suite *
suite_facility_fhir(void)
{
	Suite *s = suite_create("node/facility/fhir");
	TCase *t = tcase_create("fhir");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, the_list_names_each_type_and_no_other);
	tcase_add_test(t, a_child_is_a_patient);
	tcase_add_test(t, what_is_not_known_of_a_child_is_not_said);
	tcase_add_test(t, a_measurement_is_an_observation_a_measure);
	tcase_add_test(t, what_was_not_measured_is_no_observation);
	tcase_add_test(t, only_its_facility_replaces_a_row);
	tcase_add_test(t, a_temperature_is_of_the_child_that_is_enrolled_there);
	tcase_add_test(t, a_dose_keeps_its_id_when_it_is_corrected);
	tcase_add_test(t, a_day_is_from_the_first_in_to_the_last_out);
	tcase_add_test(t, days_part_at_midnight_in_china);
	tcase_add_test(t, an_event_that_was_struck_out_is_not_of_the_day);
	tcase_add_loop_test(t, whatever_is_in_a_row_it_is_json, 0, 64);
	suite_add_tcase(s, t);
	return s;
}
