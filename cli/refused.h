/* cli/refused.h - what an entry of the quarantine is about, for who is shown it. */
#ifndef CLI_REFUSED_H
#define CLI_REFUSED_H

#include "store/base/json.h"
#include "sync/merge/refused.h"

/* The members `changes` (null if nothing is kept of it) and `why` (then). */
void refused_json(struct json *j, const struct sync_refused *r);

/* A table of what was written, cell by cell, on standard output; or the sentence why there is none,
 * in `out`. */
MUST_CHECK int refused_print(const struct sync_refused *r, struct buf *out, struct err *err);

#endif /* CLI_REFUSED_H */
