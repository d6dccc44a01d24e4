/*
 * node/facility/batch.h - POST /api/v1/batch: lines of JSON in, a line of JSON
 * out for each.
 *
 *   {"do":"arrival","key":"tablet-1/0815/7","child":"<32 hex>","at":1772410500000,"temp_dc":366}
 *   {"key":"tablet-1/0815/7","state":"stored","id":"<32 hex>","reason":null}
 *
 * state: stored; duplicate (this key was stored before: nothing is written again); refused, with
 * the reason. "by" may name the member of staff who records.  A key is up to 100 characters, chosen
 * by the sender, and must be there: without it a repeated request would count twice.
 */
#ifndef NODE_FACILITY_BATCH_H
#define NODE_FACILITY_BATCH_H

#include "node/facility/record.h"
#include "node/lines.h"

#include "store/base/buf.h"

/*
 * Do all lines in one transaction of its own; a refused line leaves the others alone.  Appends the
 * answers. Negative only if nothing was stored: the body is too large, or the database failed.
 */
MUST_CHECK int facility_batch_post(struct facility *f, const void *body, size_t len,
                                   struct buf *out, struct lines_counts *counts, struct err *err);

#endif /* NODE_FACILITY_BATCH_H */
