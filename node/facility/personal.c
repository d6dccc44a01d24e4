#include "node/facility/personal.h"

#include <stddef.h>
#include <string.h>

/* Tables that the facility made itself are not here: what is in them is for it to say. */
static const struct {
	const char *table;
	const char *columns[7];
} personal[] = {
	{ "absence_case", { "hospital", "informed_by", "note" } },
	{ "absence_followup", { "result" } },
	{ "allergy", { "reaction" } },
	{ "allergy_word", { "reaction" } },
	{ "booking", { "guardian_name", "phone", "note", "review_note" } },
	{ "care_event", { "note" } },
	{ "child", { "name", "birth_date", "id_hash", "note" } },
	{ "course_order", { "buyer_name", "phone", "note", "review_note" } },
	{ "daily_report", { "activity", "meals", "note" } },
	{ "drop_in_visit", { "child_name", "adult_name", "note" } },
	{ "enrollment", { "checklist" } },
	{ "evaluation", { "detail" } },
	{ "feedback", { "text" } },
	{ "growth_comment", { "author", "text" } },
	{ "guardian", { "name", "phone", "id_hash" } },
	{ "handover", { "items" } },
	{ "health_check", { "note" } },
	{ "health_exam", { "provider", "result", "note" } },
	{ "house_check", { "findings" } },
	{ "incident", { "place", "text" } },
	{ "inspection", { "inspector", "findings" } },
	{ "leave_request", { "reason", "review_note" } },
	{ "meal_intake", { "note" } },
	{ "medication_given", { "dose", "reaction" } },
	{ "medication_request", { "drug", "dose_text", "review_note" } },
	{ "nap_check", { "note" } },
	{ "nap_session", { "note" } },
	{ "pickup_auth", { "name", "phone", "photo_id", "review_note" } },
	{ "staff", { "name", "phone" } },
	{ "staff_cert", { "no", "result" } },
	{ "staff_check", { "temp_dc", "symptom_bits", "note" } },
	{ "symptom_case", { "hospital", "note" } },
};

const char *const *
facility_personal(const char *table)
{
	for (size_t i = 0; i < sizeof personal / sizeof personal[0]; i++)
		if (strcmp(personal[i].table, table) == 0)
			return personal[i].columns;
	return NULL;
}
