/*
 * node/hub/asked.h - what the platform asks of a facility in rows that count what was said: a
 * right to fetch a child, a bought course (pickup_auth, course_order).
 *
 * ask_no is 1 in a row that the platform makes, and one more each time it changes what the row
 * says; the facility's answer names the number that it is to.  So whoever has been accepted isn't
 * somebody else afterwards, also if the answer and the change were made without knowing of each
 * other.  Once the hub has the answer, what was said stays.
 */
#ifndef NODE_HUB_ASKED_H
#define NODE_HUB_ASKED_H

#include "store/base/buf.h"
#include "store/transfer.h"

/* What the row said before it is written; of another table it is nothing.  Plain. */
struct asked {
	int table; /* of those above; -1: another */
	struct buf said;
	bool answered;
};

/*
 * Look at the row that `row`, a line of the platform, is about.  End it, whatever is answered.
 * ERR_INVALID if the line writes what only the facility, or the hub itself, says.
 */
MUST_CHECK int asked_before(struct asked *asked, struct store_db *db,
                            const struct store_named_row *row, struct err *err);

/* It is written: count.  ERR_INVALID, and the caller undoes the line, if it changes what the
 * facility has answered. */
MUST_CHECK int asked_after(const struct asked *asked, struct store_db *db,
                           const struct store_named_row *row, struct err *err);

void asked_end(struct asked *asked);

#endif /* NODE_HUB_ASKED_H */
