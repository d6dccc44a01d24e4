/*
 * node/hub/fleet_metrics.h - the fleet for a monitor: how many nodes stand how.
 *
 * Numbers only: /metrics is open, and which facility it is says /fleet.
 */
#ifndef NODE_FLEET_METRICS_H
#define NODE_FLEET_METRICS_H

#include "store/base/buf.h"
#include "store/db.h"

/* Append it, Prometheus text format 0.0.4. */
MUST_CHECK int fleet_metrics(struct buf *out, struct store_db *db, int64_t now_ms, struct err *err);

#endif /* NODE_FLEET_METRICS_H */
