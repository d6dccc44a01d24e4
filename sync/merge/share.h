/*
 * sync/merge/share.h - rows that several scopes see: the hub passes on what each side
 * writes, and both sides count the same rows (store/share.h says what is kept).
 *
 *      f/A                          hub                          f/B
 *   node A ── its own stream ──▶ merge ── relay, in the hub's ──▶ node B
 *          ◀── relay, in the     what won   stream of f/B     ◀── its own stream
 *              hub's stream of f/A
 *
 * Each side writes in its own scope's stream.  The hub passes on what won at the hub, with the
 * stamps and sites that it has, into the row's other scopes; never what came as a relay, and never
 * back: so what one write costs is one change per further scope.  What the hub writes itself goes
 * into all of the row's scopes at once.
 *
 * A hub that was put back hears of rows from whoever comes first: by their writer's stream, or by
 * what it had passed on itself (sync/exchange/back.c).  So there a row counts in every scope by
 * whose stream it came, whichever is first, and in every scope of its root's; and what came back as
 * a relay is passed on to those who may not have had it.
 *
 * A scope may leave.  What its nodes wrote before they heard so is taken all the same and passed
 * on, but nothing that they wrote after they told the hub that they have it (sync/merge/told.h);
 * from there on the row is another scope's, here and there:
 *
 *   the hub       the row no longer counts in that scope; if it was its own, another becomes that
 *   their nodes   the row goes to the scope "left", where nobody writes
 */
#ifndef SYNC_SHARE_H
#define SYNC_SHARE_H

#include "sync/replica.h"

/* A row that a unit, or a seal, has just changed and put; or, at the hub, one of another scope of
 * which the unit said nothing new. */
struct sync_share_row {
	struct store_row *row;
	bool differs;    /* from what it was before; a row may also be deleted once more */
	bool is_new;     /* nobody here had heard of it */
	bool is_deleted; /* the last that the unit did to it */
};

struct sync_share_unit {
	struct sync_replica *r;
	struct arena *arena;
	int scope, site; /* of the stream */
	int stream;      /* and its number, and that of the unit's first record; 0: not told */
	uint64_t n;
	bool is_relay;       /* the hub passes all of it on */
	int64_t from, to;    /* stamps of its changes */
	const uint8_t *seen; /* what its writer had seen */
	size_t seen_len;
	struct sync_share_row *rows;
	size_t count;
};

/* Do several scopes see the row, and a unit of that scope, which had seen that, may change it?  `c`
 * is its change (NULL: not known). */
MUST_CHECK int sync_share_admits(const struct sync_share_unit *unit, const struct store_row *row,
                                 const struct store_change *c, bool *yes, struct err *err);

/* At the hub, before a row is put that it had known once: its scope is the one that its columns
 * name, where that sees it, and not that of whose stream it came back in. */
MUST_CHECK int sync_share_home(struct sync_replica *r, struct store_row *row, struct err *err);

/* After a unit of somebody else's was merged and put: new rows of what is shared get their scopes,
 * and at the hub what won is passed on.  With nothing in the log. */
MUST_CHECK int sync_share_merged(const struct sync_share_unit *unit, struct err *err);

/* At the hub: a scope hears again of those of the rows (table and key set, distinct, in the order
 * of store_row_sort) that count there.  With nothing in the log. */
MUST_CHECK int sync_share_again(struct sync_replica *r, int scope, struct store_row **rows,
                                size_t count, struct err *err);

/* At the hub, after rows written here were put: the same, but that nothing is passed on of rows
 * that are new, because a seal writes them into all of their scopes. */
MUST_CHECK int sync_share_sealed(const struct sync_share_unit *unit, struct err *err);

/* At a node: the scope of a row that was written here anew, *scope otherwise.  What hangs on
 * somebody who has left that scope stays here. */
struct store_log_row;
MUST_CHECK int sync_share_scope(struct sync_replica *r, const struct store_log_row *row, int *scope,
                                struct err *err);

/* Carry out what yz_share says and hasn't been carried out here.  With nothing in the log. */
MUST_CHECK int sync_share_settle(struct sync_replica *r, struct err *err);

#endif /* SYNC_SHARE_H */
