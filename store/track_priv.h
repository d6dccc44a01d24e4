/*
 * store/track_priv.h - the steps of tracking that store/alter.c takes one by one.
 */
#ifndef STORE_TRACK_PRIV_H
#define STORE_TRACK_PRIV_H

#include "store/shape_priv.h"

/* Whose triggers are meant, and whether to make them. */
struct store_triggered {
	const struct store_schema *schema;
	bool is_hub, make;
};

/* Do the triggers of `by` stand, and did they all the time since we made them?  If not and
 * by->make, drop what is there and make them. */
MUST_CHECK int store_track_triggers(struct store_db *db, const struct store_shape *shape,
                                    const struct store_triggered *by, bool *stood, struct err *err);

/* Drop our triggers on `table`; NULL: those on any table that isn't tracked. */
MUST_CHECK int store_track_drop_triggers(struct store_db *db, const char *table, struct err *err);

/* Put the mark (track_triggers.c) above the triggers that `table` has just got, unless another
 * table's are above it, too: those are still to be looked at.  NULL: all have been. */
MUST_CHECK int store_track_mark(struct store_db *db, const char *table, struct err *err);

/* Make the triggers of a tracked table that was altered in this transaction, in which they stood:
 * so there is nothing that they haven't seen. */
MUST_CHECK int store_track_dress(struct store_db *db, const char *table, bool is_hub,
                                 struct err *err);

/* Register a schema built from a shape. */
MUST_CHECK int store_track_learn(struct store_db *db, const struct store_schema *built,
                                 const struct store_schema **schema, struct err *err);

#endif /* STORE_TRACK_PRIV_H */
