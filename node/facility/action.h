/*
 * node/facility/action.h - one record to be written, as a value: what
 * POST /api/v1/batch reads from a line of JSON and what the simulated day plans.
 *
 * A table names every record of record.h and its fields, so that reading,
 * writing and doing an action need no code per record.
 */
#ifndef NODE_FACILITY_ACTION_H
#define NODE_FACILITY_ACTION_H

#include "node/facility/record.h"

#include "store/base/arena.h"
#include "store/base/buf.h"

enum facility_do {
	DO_ARRIVAL,
	DO_PICKUP,
	DO_STRIKE,
	DO_ABSENCE,
	DO_FOLLOWUP,
	DO_CHECK,
	DO_CASE,
	DO_MEDICATION,
	DO_MEDICATION_GIVEN,
	DO_GROWTH,
	DO_MEAL,
	DO_NAP_START,
	DO_NAP_END,
	DO_NAP_ROUND,
	DO_CARE,
	DO_MENU,
	DO_SAMPLE,
	DO_CLEANING,
	DO_HANDOVER,
	DO_INCIDENT,
	DO_REPORT,
	DO_CLOCK,
	DO_VISIT,
	DO_VISIT_END,
	DO_SESSION,
	DO_BOOK,
	DO_BOOK_CANCEL,
	DO_PICKUP_CODE,
	DO_LEAVE,
	DO_LEAVE_REVIEW,
	DO_MEDICATION_REVIEW,
	DO_BOOK_REVIEW,
	DO_STAFF_CHECK,
	DO_HOUSE_CHECK,
	DO_CASE_CLOSE,
	DO_PICKUP_REVIEW,
	DO_ORDER_REVIEW,
	DO_ORDER_DONE,
	DO_COUNT,
};

struct facility_action {
	enum facility_do what;
	const uint8_t *by; /* staff id of who records; NULL: as the facility says */
	uint8_t *keep;     /* gets the id of the row, for a later action that names it; NULL: nobody
	                      needs it */
	union {
		int64_t at; /* the first member of each */
		struct facility_arrival arrival;
		struct facility_pickup pickup;
		struct facility_strike strike;
		struct facility_absence absence;
		struct facility_followup followup;
		struct facility_check check;
		struct facility_case sick;
		struct facility_case_close case_close;
		struct facility_medication medication;
		struct facility_medication_given given;
		struct facility_growth growth;
		struct facility_batch batch;
		struct facility_care care;
		struct facility_menu menu;
		struct facility_sample sample;
		struct facility_cleaning cleaning;
		struct facility_handover handover;
		struct facility_incident incident;
		struct facility_report report;
		struct facility_clock clock;
		struct facility_visit visit;
		struct facility_visit_end visit_end;
		struct facility_session session;
		struct facility_book book;
		struct facility_book_cancel book_cancel;
		struct facility_pickup_code pickup_code;
		struct facility_leave leave;
		struct facility_leave_review leave_review;
		struct facility_medication_review medication_review;
		struct facility_book_review book_review;
		struct facility_staff_check staff_check;
		struct facility_house_check house_check;
		struct facility_pickup_review pickup_review;
		struct facility_order_review order_review;
		struct facility_order_done order_done;
	} as;
};

/* Do it, inside the caller's transaction; errors as in record.h. */
MUST_CHECK int facility_do(struct facility *f, const struct facility_action *action,
                           struct err *err);

/* "arrival", "meal" ...: the value of "do". */
const char *facility_do_name(enum facility_do what);

/*
 * Read one JSON object.  "do" chooses the record, "at" is ms or RFC 3339, ids are 32 hex digits; a
 * member that the record doesn't have is an error naming it, but for those listed in `others`
 * (NULL-terminated), which are passed over.  What the action points to lives in `a`.
 */
MUST_CHECK int facility_action_read(struct store_db *db, const char *json,
                                    const char *const *others, struct arena *a,
                                    struct facility_action *out, struct err *err);

/* Append the action's members as JSON, `"do":"arrival","at":...`, without the braces around them.
 */
void facility_action_write(struct buf *out, const struct facility_action *action);

#endif /* NODE_FACILITY_ACTION_H */
