/*
 * node/hub/record_rules.h - what a line of POST /v1/records may say in a table of the facility's,
 * beside what the table itself and the token have to say (records.h).
 *
 *   values    ids have 16 bytes, dates are days, times are of this century, codes are in the
 *             catalogue; a child, an enrolment, a session are the facility's, if the hub has its
 *             roster; a time ends after it begins
 *   answers   are the facility's to give: the platform writes none, and doesn't change what was
 *             asked once it is answered (node/facility/answer.h).  A right to fetch a child that
 *             the platform makes or words anew is marked `asked`: staff's own need no answer
 *   guardians are the facility's: whoever is to fetch a child is asked for in pickup_auth
 *   bookings  wait (1) or are cancelled (4); one that takes seats of the hub is confirmed by that
 *             (2).  What was cancelled or declined, or is over, stays so
 *
 * Else a request would be told "stored" that nobody is ever asked, or an answer that nobody gave.
 */
#ifndef NODE_RECORD_RULES_H
#define NODE_RECORD_RULES_H

#include "store/keyed.h"
#include "store/schema.h"

/* A row to be made or changed; its columns are named as this file's tables have them. */
struct record_line {
	struct store_db *db;
	const struct store_schema *schema;
	struct store_named_row row;
};

/* Does a row of this table ask the facility for something?  Then it isn't made again under a key
 * whose row was deleted: an answer to that one may be on its way. */
bool record_rules_asks(const char *table);

/* Before it is written: 1 if it asks the facility for something that the row didn't ask for, else
 * 0; ERR_INVALID, with a sentence that begins with the column. */
MUST_CHECK int record_rules_check(const struct record_line *line, struct err *err);

/* Once it is written: what only the whole row can tell, likewise, and that it `asks`. */
MUST_CHECK int record_rules_written(const struct record_line *line, bool asks, struct err *err);

#endif /* NODE_RECORD_RULES_H */
