/*
 * node/facility/tables.c - how each table of schema.sql merges and who sees it.
 *
 * kind: an EVENT table is only added to, so two replicas' rows simply add up; in a RECORD table
 * cells merge and the later writer wins.
 *
 * scope: f/<facility_id> is seen by the facility and its hub; s/<subdistrict_code> by the
 * facilities of that street, "all" by everybody, and both the hub alone writes.
 *
 * max: only ever goes up, whoever writes: a revoked pick-up stays revoked.
 *
 * hub_only: the district's columns; a facility that writes one is told so at once.
 *
 * urgent: goes to the hub at once, not at the next meeting: what happened to a child, who may no
 * longer fetch her, a case of something that spreads.
 *
 * groups: columns that mean something only together and therefore win together.
 *
 * What a (table, column) name means here is for ever: another rule or group is another name.
 */
#include "node/facility/schema.h"

#include <string.h>

static const char *const groups_absence_case[] = { "reason, disease_code, symptom_bits", NULL };
static const char *const groups_allergy[] = { "reaction, severity, active", NULL };
static const char *const groups_booking[] = { "seat_grant_id, seat_no", NULL };
static const char *const groups_daily_report[] = { "state, published_at", NULL };
static const char *const groups_enrollment[] = { "seat_grant_id, seat_no", NULL };
static const char *const groups_facility[] = { "lat_e6, lon_e6", "open_min, close_min", NULL };
static const char *const groups_growth_measurement[] = {
	"measured_date, at, weight_g, length_mm, posture, head_mm, method", NULL
};
static const char *const groups_immunization[] = { "given_date, lot, site, source, verified_by",
	                                           NULL };
static const char *const groups_leave_request[] = { "date_from, date_to, type, reason",
	                                            "review, review_note, reviewed_at", NULL };
static const char *const groups_meal_intake[] = { "level, at", NULL };
static const char *const groups_medication_given[] = { "at, dose, given_by, witness, reaction",
	                                               NULL };
static const char *const groups_medication_request[] = {
	"drug, dose_text, time_bits, date_from, date_to", "accepted_by, accepted_at",
	"review, review_note, reviewed_at", NULL
};
static const char *const groups_answer[] = { "review, review_note, reviewed_at, review_of", NULL };
static const char *const groups_session_event[] = { "starts_at, ends_at", NULL };

const struct store_track_spec facility_tables[] = {
	{ .table = "absence_case",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .groups = groups_absence_case },
	{ .table = "absence_followup",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "allergy",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .groups = groups_allergy },
	{ .table = "allergy_word",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .max = "ended" },
	{ .table = "announcement",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "attendance_event",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "booking",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .groups = groups_booking },
	{ .table = "care_event",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "child", .kind = STORE_RECORD, .scope = "f/", .scope_column = "facility_id" },
	{ .table = "child_alias",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "class_assignment",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "class_group",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "code_set",
	  .kind = STORE_RECORD,
	  .scope = "all",
	  .hub_only = "name_zh, name_en, sort, source" },
	{ .table = "consent", .kind = STORE_EVENT, .scope = "f/", .scope_column = "facility_id" },
	{ .table = "course",
	  .kind = STORE_RECORD,
	  .scope = "all",
	  .hub_only = "title, domain, from_month, to_month, content, source" },
	{ .table = "course_order",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .hub_only = "course_code, child_id, buyer_name, phone, places, from_date, to_date, "
	              "amount_fen, state, at, note, wording",
	  .groups = groups_answer },
	{ .table = "daily_report",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .groups = groups_daily_report },
	{ .table = "device", .kind = STORE_RECORD, .scope = "f/", .scope_column = "facility_id" },
	{ .table = "device_event",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "disinfection_log",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "district_announcement",
	  .kind = STORE_RECORD,
	  .scope = "all",
	  .hub_only = "title, content, audience, at, valid_to, recorded_by" },
	{ .table = "drop_in_visit",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "enrollment",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .groups = groups_enrollment },
	{ .table = "enrollment_step",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .max = "ended" },
	{ .table = "evaluation",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .hub_only = "year, standard, score_e1, grade, detail, recorded_by" },
	{ .table = "facility",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .hub_only = "filing_no, uscc, subdistrict_code, is_inclusive",
	  .groups = groups_facility },
	{ .table = "facility_doc",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "facility_public",
	  .kind = STORE_RECORD,
	  .scope = "all",
	  .hub_only = "kind, name, subdistrict_code, lat_e6, lon_e6, is_inclusive, open_min, "
	              "close_min, phone, address, intro, status, recorded_by" },
	{ .table = "fee_item",
	  .kind = STORE_RECORD,
	  .scope = "all",
	  .hub_only = "name_zh, name_en, unit, amount_fen, source" },
	{ .table = "feedback", .kind = STORE_EVENT, .scope = "f/", .scope_column = "facility_id" },
	{ .table = "food_sample",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "growth_comment",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .hub_only = "child_id, month_age, text, author, at, recorded_by" },
	{ .table = "growth_measurement",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .groups = groups_growth_measurement },
	{ .table = "growth_ref",
	  .kind = STORE_RECORD,
	  .scope = "all",
	  .hub_only = "l_e4, m_e4, s_e5, sd3neg_e1, sd2neg_e1, sd1neg_e1, sd0_e1, sd1_e1, sd2_e1, "
	              "sd3_e1, source" },
	{ .table = "guardian", .kind = STORE_RECORD, .scope = "f/", .scope_column = "facility_id" },
	{ .table = "handover", .kind = STORE_EVENT, .scope = "f/", .scope_column = "facility_id" },
	{ .table = "health_check",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "health_exam",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "house_check",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "immunization",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .groups = groups_immunization },
	{ .table = "incident",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .urgent = true },
	{ .table = "indicator_def",
	  .kind = STORE_RECORD,
	  .scope = "all",
	  .hub_only = "name_zh, name_en, unit, target_e2, formula, source" },
	{ .table = "inspection",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .hub_only = "kind, inspected_date, inspector, result, findings, due_date, closed, "
	              "recorded_by" },
	{ .table = "leave_request",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .groups = groups_leave_request },
	{ .table = "meal_intake",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .groups = groups_meal_intake },
	{ .table = "medication_given",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .groups = groups_medication_given },
	{ .table = "medication_request",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .groups = groups_medication_request },
	{ .table = "menu_item",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "nap_check", .kind = STORE_EVENT, .scope = "f/", .scope_column = "facility_id" },
	{ .table = "nap_session",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "norm_param",
	  .kind = STORE_RECORD,
	  .scope = "all",
	  .hub_only = "value, unit, name_zh, name_en, source" },
	{ .table = "pickup_auth",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .max = "revoked",
	  .hub_only = "asked",
	  .groups = groups_answer,
	  .urgent = true },
	{ .table = "population",
	  .kind = STORE_RECORD,
	  .scope = "all",
	  .hub_only = "name_zh, residents, under3, source" },
	{ .table = "receipt", .kind = STORE_RECORD, .scope = "f/", .scope_column = "facility_id" },
	{ .table = "seat_ask",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .hub_only = "most",
	  .urgent = true },
	{ .table = "seat_override",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .hub_only = "grant_id, no, holder, reason, by_name, at, recorded_by" },
	{ .table = "seat_quota",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .hub_only = "resource, period, cap, recorded_by" },
	{ .table = "seat_unit",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .hub_only = "resource, period, holder, recall" },
	{ .table = "session_event",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .groups = groups_session_event },
	{ .table = "staff", .kind = STORE_RECORD, .scope = "f/", .scope_column = "facility_id" },
	{ .table = "staff_attendance",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "staff_cert",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "staff_check",
	  .kind = STORE_EVENT,
	  .scope = "f/",
	  .scope_column = "facility_id" },
	{ .table = "subsidy_rate",
	  .kind = STORE_RECORD,
	  .scope = "all",
	  .hub_only = "name_zh, class_kind, service_type, inclusive_only, min_days, per_month_fen, "
	              "per_day_fen, source" },
	{ .table = "subsidy_statement",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .hub_only = "period, kind, child_days, amount_fen, state, recorded_by" },
	{ .table = "symptom_case",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id",
	  .urgent = true },
	{ .table = "symptom_notice",
	  .kind = STORE_RECORD,
	  .scope = "s/",
	  .scope_column = "subdistrict_code",
	  .hub_only = "cases, confirmed, closed, recorded_by" },
	{ .table = "vaccine_schedule",
	  .kind = STORE_RECORD,
	  .scope = "all",
	  .hub_only = "name_zh, min_age_days, before_age_days, note, source" },
	{ .table = "week_plan",
	  .kind = STORE_RECORD,
	  .scope = "f/",
	  .scope_column = "facility_id" },
};

const size_t facility_table_count = sizeof facility_tables / sizeof facility_tables[0];

const char *const facility_seeded[] = { "code_set",   "growth_ref",       "indicator_def",
	                                "norm_param", "vaccine_schedule", NULL };

const struct store_track_spec *
facility_table(const char *table)
{
	for (size_t i = 0; i < facility_table_count; i++)
		if (strcmp(facility_tables[i].table, table) == 0)
			return &facility_tables[i];
	return NULL;
}

int
facility_track(struct store_db *db, bool is_hub, struct err *err)
{
	for (size_t i = 0; i < facility_table_count; i++) {
		int rc = store_track_table(db, &facility_tables[i], is_hub, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}
