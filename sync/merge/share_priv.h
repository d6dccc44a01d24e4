/*
 * sync/merge/share_priv.h - rows of one root while they are moved about; what is to be passed on,
 * gathered, and then written scope by scope.
 */
#ifndef SYNC_SHARE_PRIV_H
#define SYNC_SHARE_PRIV_H

#include "store/share.h"
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

/* A scope is to hear of a row.  Said twice it is done once, and of a row that it hears whole
 * nothing more is said: that is looked for when all are there, for there may be very many. */
MUST_CHECK int sync_share_plan_add(struct sync_share_plan *plan, int scope, struct store_row *row,
                                   bool whole, struct err *err);

/* Write all of it as relays. */
MUST_CHECK int sync_share_plan_run(struct sync_share_plan *plan, struct err *err);

/* One root while its rows are moved about. */
struct sync_sharing {
	struct sync_replica *r;
	struct arena *arena;
	struct sync_share_plan *plan; /* what is to be passed on; at a node nothing is */
	struct store_root root;       /* no key: a dead row's, that isn't known */
	struct store_share *group;
	size_t group_count;
	bool homecoming; /* rows become that scope's that their columns name */
	int site;        /* whose write moves them, and its stamp */
	int64_t stamp;
};

/* What a list says of a scope; NULL if nothing. */
const struct store_share *sync_share_in(const struct store_share *list, size_t count, int scope);

/* At the hub: the row counts in each scope of its root's that hasn't left.  Those it is new to get
 * it whole, unless it is new everywhere. */
MUST_CHECK int sync_share_join(struct sync_sharing *sh, struct store_row *row, bool is_new,
                               struct err *err);

/* At the hub: the dead row counts in this scope, too, which hears that it is dead. */
MUST_CHECK int sync_share_count(struct sync_sharing *sh, struct store_row *row, int scope,
                                struct err *err);

/* Make another scope the row's own.  `counted`: it counts there already. */
MUST_CHECK int sync_share_move(struct sync_sharing *sh, struct store_row *row, int to, bool counted,
                               struct err *err);

/* At the hub: a row that counts in the scope that its columns name is that one's own again. */
MUST_CHECK int sync_share_go_home(struct sync_sharing *sh, struct store_row *row, struct err *err);

/* The row leaves that scope: at the hub it counts there no more, at a node it is put aside. */
MUST_CHECK int sync_share_leave(struct sync_sharing *sh, struct store_row *row,
                                const struct store_share *left, struct err *err);

/* The root with all its rows comes to a scope, or goes from it. */
MUST_CHECK int sync_share_carry_out(struct sync_sharing *sh, const struct store_share *what,
                                    struct err *err);

#endif /* SYNC_SHARE_PRIV_H */
