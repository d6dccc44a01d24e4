/*
 * node/metrics.h - what a monitor wants to know: counters of this process and a
 * few facts of its database, as Prometheus text.  The names stand in
 * node/DESIGN.md.
 *
 * Nothing in it speaks of a person, a facility or a row.
 */
#ifndef NODE_METRICS_H
#define NODE_METRICS_H

#include "store/base/buf.h"
#include "store/db.h"

#include <stdatomic.h>

enum metric {
	METRIC_HTTP_2XX,
	METRIC_HTTP_3XX,
	METRIC_HTTP_4XX,
	METRIC_HTTP_5XX,
	METRIC_EXCHANGES_OK,
	METRIC_EXCHANGES_FAILED,
	METRIC_SENT,
	METRIC_RECEIVED,
	METRIC_REJECTED,
	METRIC_FEED_PAGES,
	METRIC_EXPORTS,
	METRIC_RECORDS_STORED,
	METRIC_RECORDS_REFUSED,
	METRIC_COUNT,
};

/* Zeroed: all counters at nought.  Any thread may add. */
struct metrics {
	atomic_ullong values[METRIC_COUNT];
};

/* Count `n` more. */
void metrics_add(struct metrics *m, enum metric which, uint64_t n);

/* Count an HTTP answer. */
void metrics_http(struct metrics *m, int status);

/* Append all of it, text format 0.0.4. `db` may be a reading connection. */
MUST_CHECK int metrics_write(struct buf *out, const struct metrics *m, struct store_db *db,
                             bool is_hub, struct err *err);

/* The two lines before a metric's values. */
void metrics_head(struct buf *out, const char *name, const char *type, const char *help);

/* Append the room on the disk of that folder; nothing if it can't be told. */
void metrics_disk(struct buf *out, const char *dir);

/* Append the answer to GET /healthz: {"status":"ok","role"} if the database can be read. */
MUST_CHECK int metrics_health(struct buf *out, struct store_db *db, bool is_hub, struct err *err);

#endif /* NODE_METRICS_H */
