#include "node/facility/answer.h"
#include "node/facility/codes.h"

#include "store/base/text.h"
#include "store/stmt.h"

#include <string.h>

_Static_assert(BOOKING_CONFIRMED == 2, "as in ANSWER_BOOKING_HOLDS");

static const struct {
	const char *table, *read;
} tables[REQUEST_KINDS] = {
	[REQUEST_LEAVE] = { "leave_request",
	                    "SELECT coalesce(t.review, 0), " ANSWER_HOLDS(
	                            "t") ", coalesce(t.wording, '') FROM leave_request t"
	                                 " WHERE t.id = ?1 AND coalesce(?2, t.facility_id)"
	                                 " = t.facility_id" },
	/* an older program accepted without a review */
	[REQUEST_MEDICINE] = { "medication_request",
	                       "SELECT coalesce(t.review, t.accepted_at IS NOT "
	                       "NULL), " ANSWER_HOLDS(
	                               "t") ", coalesce(t.wording, '') FROM medication_request t"
	                                    " WHERE t.id = ?1 AND coalesce(?2, t.facility_id)"
	                                    " = t.facility_id" },
	[REQUEST_BOOKING] = { "booking", "SELECT t.state, " ANSWER_BOOKING_HOLDS(
	                                         "t") ", coalesce(t.wording, '') FROM booking t"
	                                              " WHERE t.id = ?1 AND coalesce(?2,"
	                                              " t.facility_id) = t.facility_id" },
	[REQUEST_PICKUP] = { "pickup_auth",
	                     "SELECT coalesce(t.review, 0), " ANSWER_HOLDS(
	                             "t") ", coalesce(t.wording, '') FROM pickup_auth t"
	                                  " WHERE t.id = ?1 AND coalesce(?2, t.facility_id)"
	                                  " = t.facility_id" },
	[REQUEST_ORDER] = { "course_order",
	                    "SELECT coalesce(t.review, 0), " ANSWER_HOLDS(
	                            "t") ", coalesce(t.wording, '') FROM course_order t"
	                                 " WHERE t.id = ?1 AND coalesce(?2, t.facility_id)"
	                                 " = t.facility_id" },
};

enum request_kind
answer_kind(const char *table)
{
	for (int i = 0; i < REQUEST_KINDS; i++)
		if (strcmp(tables[i].table, table) == 0)
			return (enum request_kind)i;
	return REQUEST_KINDS;
}

int
answer_read(struct store_db *db, enum request_kind kind, const uint8_t id[STORE_ID],
            const char *facility, struct answer *out, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, tables[kind].read);
	int rc;

	store_stmt_put_blob(&s, id, STORE_ID);
	if (facility == NULL)
		store_stmt_put_null(&s);
	else
		store_stmt_put_text(&s, facility);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		out->code = store_stmt_get_int(&s);
		out->holds = store_stmt_get_int(&s) != 0;
		text_copy(out->wording, sizeof out->wording, store_stmt_get_text(&s));
	}
	store_stmt_end(&s);
	return rc;
}

bool
answer_waits(enum request_kind kind, const struct answer *is)
{
	if (kind != REQUEST_BOOKING)
		return is->code == 0 || !is->holds;
	/* whether they came was never asked for */
	return is->code == BOOKING_WAITING || (is->code == BOOKING_CONFIRMED && !is->holds);
}
