/*
 * node/hub/street.h - which street's shared rows (scope s/<subdistrict_code>) a node may read.
 *
 * `enrol new --street` says it first.  From then on it is the facility's own row that says it,
 * which only the district writes: where that names a street, its nodes are granted that one, and
 * the old one no more; where it names none, it is given the one of the enrolment.  A grant is
 * signed anew at the hub, where rights are asked (node/rights.h); a node that shows its older one
 * loses nothing.
 */
#ifndef NODE_HUB_STREET_H
#define NODE_HUB_STREET_H

#include "store/db.h"
#include "sync/codec/sign.h"

/* Is there something for hub_street_keep() to write?  Needs no transaction. */
MUST_CHECK int hub_street_stale(struct store_db *db, bool *yes, struct err *err);

/* Write what differs, on a LOCAL connection of a hub that signs with `key`.  In a transaction. */
MUST_CHECK int hub_street_keep(struct store_db *db, const struct sync_key *key, struct err *err);

#endif /* NODE_HUB_STREET_H */
