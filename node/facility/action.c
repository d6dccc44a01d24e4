#include "node/facility/action.h"
#include "node/facility/action_priv.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define ID(type, member)                                                                           \
	{                                                                                          \
#member, FIELD_ID, offsetof(struct facility_##type, member), 0                     \
	}
#define INT(type, member)                                                                          \
	{                                                                                          \
#member, FIELD_INT, offsetof(struct facility_##type, member), 0                    \
	}
#define TEXT(type, member)                                                                         \
	{                                                                                          \
#member, FIELD_TEXT, offsetof(struct facility_##type, member), 0                   \
	}
#define FINDINGS(type)                                                                             \
	{ "temp_dc", FIELD_INT, offsetof(struct facility_##type, found.temp_dc), 0 },              \
	        { "touch", FIELD_INT, offsetof(struct facility_##type, found.touch), 0 },          \
	        { "look_bits", FIELD_INT, offsetof(struct facility_##type, found.look_bits), 0 },  \
	        { "ask_bits", FIELD_INT, offsetof(struct facility_##type, found.ask_bits), 0 },    \
	        { "check_bits", FIELD_INT, offsetof(struct facility_##type, found.check_bits),     \
		  0 },                                                                             \
	        { "symptom_bits", FIELD_INT, offsetof(struct facility_##type, found.symptom_bits), \
		  0 },                                                                             \
	        { "card", FIELD_INT, offsetof(struct facility_##type, found.card), 0 },            \
	        { "action", FIELD_INT, offsetof(struct facility_##type, found.action), 0 },        \
	{                                                                                          \
		"note", FIELD_TEXT, offsetof(struct facility_##type, found.note), 0                \
	}
#define WAS(type)                                                                                  \
	{                                                                                          \
		"was", FIELD_WAS, offsetof(struct facility_##type, was), 0                         \
	}
#define BATCH                                                                                      \
	{ "class", FIELD_ID, offsetof(struct facility_batch, class_id), 0 },                       \
	{                                                                                          \
		"exceptions", FIELD_EXCEPTIONS, 0, 0                                               \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL, FIELD_INT, 0, 0                                                              \
	}

static const struct action_field arrival[] = { INT(arrival, at), ID(arrival, child),
	                                       INT(arrival, method), FINDINGS(arrival), END };
static const struct action_field pickup[] = { INT(pickup, at),     ID(pickup, child),
	                                      ID(pickup, adult),   TEXT(pickup, code),
	                                      INT(pickup, method), END };
static const struct action_field strike[] = { INT(strike, at), ID(strike, event), END };
static const struct action_field absence[] = { INT(absence, at),
	                                       ID(absence, child),
	                                       INT(absence, from),
	                                       INT(absence, to),
	                                       INT(absence, reason),
	                                       TEXT(absence, disease),
	                                       INT(absence, symptom_bits),
	                                       TEXT(absence, informed_by),
	                                       TEXT(absence, hospital),
	                                       WAS(absence),
	                                       END };
static const struct action_field followup[] = { INT(followup, at),        ID(followup, absence),
	                                        INT(followup, method),    TEXT(followup, result),
	                                        INT(followup, next_date), END };
static const struct action_field check[] = { INT(check, at),   ID(check, child),
	                                     INT(check, slot), ID(check, replaces),
	                                     FINDINGS(check),  END };
static const struct action_field sick[] = {
	INT(case, at),           ID(case, child),      TEXT(case, disease),
	INT(case, symptom_bits), INT(case, confirmed), INT(case, isolated_at),
	INT(case, notified_at),  TEXT(case, note),     END
};
static const struct action_field case_close[] = { INT(case_close, at),
	                                          { "case", FIELD_ID,
	                                            offsetof(struct facility_case_close, sick), 0 },
	                                          ID(case_close, certificate),
	                                          END };
static const struct action_field medication[] = {
	INT(medication, at),    ID(medication, child),      TEXT(medication, drug),
	TEXT(medication, dose), INT(medication, time_bits), INT(medication, from),
	INT(medication, to),    ID(medication, signature),  END
};
static const struct action_field given[] = {
	INT(medication_given, at),
	ID(medication_given, request),
	{ "slot", FIELD_INT, offsetof(struct facility_medication_given, slot), -1 },
	TEXT(medication_given, dose),
	ID(medication_given, witness),
	TEXT(medication_given, reaction),
	END
};
static const struct action_field growth[] = { INT(growth, at),       ID(growth, child),
	                                      INT(growth, weight_g), INT(growth, length_mm),
	                                      INT(growth, head_mm),  INT(growth, posture),
	                                      ID(growth, replaces),  END };
static const struct action_field meal[] = { INT(batch, at), INT(batch, meal), INT(batch, level),
	                                    BATCH, END };
static const struct action_field batch[] = { INT(batch, at), BATCH, END };
static const struct action_field care[] = { INT(care, at),
	                                    ID(care, child),
	                                    INT(care, kind),
	                                    INT(care, amount),
	                                    INT(care, code),
	                                    TEXT(care, note),
	                                    END };
static const struct action_field menu[] = { INT(menu, at),         INT(menu, meal),
	                                    TEXT(menu, dish),      INT(menu, per_child_g),
	                                    TEXT(menu, allergens), END };
static const struct action_field sample[] = { INT(sample, at),      INT(sample, meal),
	                                      TEXT(sample, dish),   INT(sample, weight_g),
	                                      ID(sample, replaces), END };
static const struct action_field cleaning[] = {
	INT(cleaning, at),
	{ "class", FIELD_ID, offsetof(struct facility_cleaning, class_id), 0 },
	INT(cleaning, area),
	INT(cleaning, object),
	INT(cleaning, method),
	INT(cleaning, conc_mg_l),
	INT(cleaning, minutes),
	END
};
static const struct action_field handover[] = {
	INT(handover, at),
	{ "class", FIELD_ID, offsetof(struct facility_handover, class_id), 0 },
	ID(handover, from),
	ID(handover, to),
	TEXT(handover, items),
	END
};
static const struct action_field incident[] = { INT(incident, at),          INT(incident, kind),
	                                        INT(incident, severity),    ID(incident, child),
	                                        TEXT(incident, place),      TEXT(incident, text),
	                                        INT(incident, notified_at), END };
static const struct action_field report[] = { INT(report, at),      ID(report, child),
	                                      INT(report, mood),    TEXT(report, meals),
	                                      INT(report, nap_min), TEXT(report, activity),
	                                      TEXT(report, note),   INT(report, publish),
	                                      WAS(report),          END };
static const struct action_field clocking[] = { INT(clock, at), ID(clock, staff), INT(clock, kind),
	                                        INT(clock, method), END };
static const struct action_field visit[] = { INT(visit, at),        INT(visit, kind),
	                                     ID(visit, child),      TEXT(visit, child_name),
	                                     INT(visit, month_age), TEXT(visit, adult_name),
	                                     ID(visit, session),    END };
static const struct action_field visit_end[] = { INT(visit_end, at), ID(visit_end, visit), END };
static const struct action_field session[] = { INT(session, at),
	                                       INT(session, kind),
	                                       TEXT(session, title),
	                                       INT(session, minutes),
	                                       INT(session, cap),
	                                       TEXT(session, place),
	                                       END };
static const struct action_field book[] = { INT(book, at),
	                                    INT(book, kind),
	                                    TEXT(book, resource),
	                                    TEXT(book, period),
	                                    ID(book, session),
	                                    ID(book, child),
	                                    TEXT(book, guardian_name),
	                                    TEXT(book, phone),
	                                    INT(book, wanted_at),
	                                    TEXT(book, note),
	                                    END };
static const struct action_field book_cancel[] = { INT(book_cancel, at), ID(book_cancel, booking),
	                                           TEXT(book_cancel, note), END };
static const struct action_field pickup_code[] = {
	INT(pickup_code, at),     ID(pickup_code, child),
	TEXT(pickup_code, name),  TEXT(pickup_code, relation),
	TEXT(pickup_code, phone), TEXT(pickup_code, code),
	INT(pickup_code, to),     END
};
static const struct action_field leave[] = { INT(leave, at),     ID(leave, child),
	                                     INT(leave, from),   INT(leave, to),
	                                     INT(leave, type),   TEXT(leave, reason),
	                                     INT(leave, source), END };
static const struct action_field leave_review[] = { INT(leave_review, at), ID(leave_review, leave),
	                                            INT(leave_review, review),
	                                            TEXT(leave_review, note), END };
static const struct action_field medication_review[] = { INT(medication_review, at),
	                                                 ID(medication_review, request),
	                                                 INT(medication_review, review),
	                                                 TEXT(medication_review, note), END };
static const struct action_field book_review[] = { INT(book_review, at), ID(book_review, booking),
	                                           INT(book_review, state), TEXT(book_review, note),
	                                           END };
static const struct action_field staff_check[] = {
	INT(staff_check, at),      ID(staff_check, staff),
	INT(staff_check, temp_dc), INT(staff_check, symptom_bits),
	INT(staff_check, unfit),   TEXT(staff_check, note),
	ID(staff_check, replaces), END
};
static const struct action_field house_check[] = {
	INT(house_check, at),        INT(house_check, kind),    INT(house_check, result),
	TEXT(house_check, findings), ID(house_check, replaces), END
};

static const struct action_field pickup_review[] = {
	INT(pickup_review, at),    ID(pickup_review, adult),     INT(pickup_review, review),
	TEXT(pickup_review, note), TEXT(pickup_review, wording), END
};
static const struct action_field order_review[] = {
	INT(order_review, at),    ID(order_review, order),     INT(order_review, review),
	TEXT(order_review, note), TEXT(order_review, wording), END
};
static const struct action_field order_done[] = { INT(order_done, at), ID(order_done, order), END };

/* How each is done: the one door's function of that name, with its member of the action. */
#define DOES(function, member)                                                                     \
	static int do_##function(struct facility *f, const struct facility_action *a,              \
	                         struct err *err)                                                  \
	{                                                                                          \
		return facility_##function(f, &a->as.member, err);                                 \
	}
DOES(arrival, arrival)
DOES(pickup, pickup)
DOES(strike, strike)
DOES(absence, absence)
DOES(followup, followup)
DOES(check, check)
DOES(case, sick)
DOES(case_close, case_close)
DOES(medication, medication)
DOES(medication_given, given)
DOES(growth, growth)
DOES(meal_batch, batch)
DOES(nap_start, batch)
DOES(nap_end, batch)
DOES(nap_round, batch)
DOES(care, care)
DOES(menu, menu)
DOES(sample, sample)
DOES(cleaning, cleaning)
DOES(handover, handover)
DOES(incident, incident)
DOES(report, report)
DOES(clock, clock)
DOES(visit, visit)
DOES(visit_end, visit_end)
DOES(session, session)
DOES(book, book)
DOES(book_cancel, book_cancel)
DOES(pickup_code, pickup_code)
DOES(leave, leave)
DOES(leave_review, leave_review)
DOES(medication_review, medication_review)
DOES(book_review, book_review)
DOES(staff_check, staff_check)
DOES(house_check, house_check)
DOES(pickup_review, pickup_review)
DOES(order_review, order_review)
DOES(order_done, order_done)

const struct action_record action_records[DO_COUNT] = {
	[DO_ARRIVAL] = { "arrival", arrival, do_arrival },
	[DO_PICKUP] = { "pickup", pickup, do_pickup },
	[DO_STRIKE] = { "strike", strike, do_strike },
	[DO_ABSENCE] = { "absence", absence, do_absence },
	[DO_FOLLOWUP] = { "followup", followup, do_followup },
	[DO_CHECK] = { "check", check, do_check },
	[DO_CASE] = { "case", sick, do_case },
	[DO_MEDICATION] = { "medication", medication, do_medication },
	[DO_MEDICATION_GIVEN] = { "medication_given", given, do_medication_given },
	[DO_GROWTH] = { "growth", growth, do_growth },
	[DO_MEAL] = { "meal", meal, do_meal_batch },
	[DO_NAP_START] = { "nap_start", batch, do_nap_start },
	[DO_NAP_END] = { "nap_end", batch, do_nap_end },
	[DO_NAP_ROUND] = { "nap_round", batch, do_nap_round },
	[DO_CARE] = { "care", care, do_care },
	[DO_MENU] = { "menu", menu, do_menu },
	[DO_SAMPLE] = { "sample", sample, do_sample },
	[DO_CLEANING] = { "cleaning", cleaning, do_cleaning },
	[DO_HANDOVER] = { "handover", handover, do_handover },
	[DO_INCIDENT] = { "incident", incident, do_incident },
	[DO_REPORT] = { "report", report, do_report },
	[DO_CLOCK] = { "clock", clocking, do_clock },
	[DO_VISIT] = { "visit", visit, do_visit },
	[DO_VISIT_END] = { "visit_end", visit_end, do_visit_end },
	[DO_SESSION] = { "session", session, do_session },
	[DO_BOOK] = { "book", book, do_book },
	[DO_BOOK_CANCEL] = { "book_cancel", book_cancel, do_book_cancel },
	[DO_PICKUP_CODE] = { "pickup_code", pickup_code, do_pickup_code },
	[DO_LEAVE] = { "leave", leave, do_leave },
	[DO_LEAVE_REVIEW] = { "leave_review", leave_review, do_leave_review },
	[DO_MEDICATION_REVIEW] = { "medication_review", medication_review, do_medication_review },
	[DO_BOOK_REVIEW] = { "book_review", book_review, do_book_review },
	[DO_STAFF_CHECK] = { "staff_check", staff_check, do_staff_check },
	[DO_HOUSE_CHECK] = { "house_check", house_check, do_house_check },
	[DO_CASE_CLOSE] = { "case_close", case_close, do_case_close },
	[DO_PICKUP_REVIEW] = { "pickup_review", pickup_review, do_pickup_review },
	[DO_ORDER_REVIEW] = { "order_review", order_review, do_order_review },
	[DO_ORDER_DONE] = { "order_done", order_done, do_order_done },
};

const char *
facility_do_name(enum facility_do what)
{
	assert(what < DO_COUNT);
	return action_records[what].name;
}

/* ------------------------------------------------------------------ doing */

int
facility_do(struct facility *f, const struct facility_action *action, struct err *err)
{
	const uint8_t *by = f->by;
	int rc;

	assert(action->what < DO_COUNT);
	if (action->by != NULL)
		f->by = action->by;
	rc = action_records[action->what].does(f, action, err);
	f->by = by;
	if (rc == 0 && action->keep != NULL)
		memcpy(action->keep, f->last_id, STORE_ID);
	return rc;
}
