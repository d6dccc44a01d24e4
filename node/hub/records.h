/*
 * node/hub/records.h - the platform writes too: lines of POST /v1/records.
 *
 *   {"key":"app/leave/4711","table":"leave_request","op":"upsert",
 *    "row":{"id":"<32 hex>","facility_id":"F1","reason":"发热"}}
 *   {"key":"app/leave/4711","state":"stored","reason":null}
 *
 * op: upsert, which makes the row or changes the columns that are named; delete,
 * for which `row` has the key.  Values as the feed gives them: blobs in hex.
 *
 * A token writes the tables that it was made for, in its scope, and only for
 * facilities that a node is enrolled for: what is stored goes down to them like
 * any other row of the hub, whenever they come.  A booking that names a grant of seats
 * (seat_grant_id) gets one that the hub holds, or is refused (node/facility/seats.h).  A row of
 * another facility, and one that was moved to it, is neither changed nor told of.
 */
#ifndef NODE_RECORDS_H
#define NODE_RECORDS_H

#include "node/hub/token.h"
#include "node/lines.h"

/* Who writes, and where. */
struct records {
	struct store_db *db; /* STORE_LOCAL */
	const struct token *token;
};

/* Take all lines (node/lines.h). */
MUST_CHECK int records_take(struct records *by, const void *body, size_t len, struct buf *out,
                            struct lines_counts *counts, struct err *err);

#endif /* NODE_RECORDS_H */
