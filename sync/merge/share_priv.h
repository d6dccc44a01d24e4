/*
 * sync/merge/share_priv.h - what is to be passed on, gathered, and then written scope by
 * scope.
 */
#ifndef SYNC_SHARE_PRIV_H
#define SYNC_SHARE_PRIV_H

#include "sync/merge/share.h"

struct sync_share_plan {
	const struct sync_share_unit *unit;
	struct sync_share_item {
		int scope;
		struct store_row *row;
		bool whole; /* all of the row, not only what the unit did */
	} * list;
	size_t count, cap;
};

/* A scope is to hear of a row; of one it hears whole nothing more is said. */
MUST_CHECK int sync_share_plan_add(struct sync_share_plan *plan, int scope, struct store_row *row,
                                   bool whole, struct err *err);

/* Write all of it as relays. */
MUST_CHECK int sync_share_plan_run(struct sync_share_plan *plan, struct err *err);

#endif /* SYNC_SHARE_PRIV_H */
