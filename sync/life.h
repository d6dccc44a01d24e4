/*
 * sync/life.h - the lives of a database file, and what is told of them.
 *
 * A life (epoch) ends when the file turns out to be another one than it was: put
 * back from a backup, copied and used twice.  Whoever finds that out begins a new
 * one, by itself; a wrong new one costs nothing.
 *
 * The epochs of a file rise from life to life.  So the same change, written again
 * in a later life with its stamp (sync/seal/remint.h), is the greater version of the
 * two on every replica.
 *
 * What happened is told for a week.  A life is called "restored" until it shows
 * that the one before goes on somewhere: then it is "cloned".  One that began
 * because the file is a copy isn't called anything, as it may have been carried to
 * a new machine, until it shows that the one before had come further than the copy:
 *
 *   at a node   the hub brings records of it that the copy hasn't got
 *   at a hub    a node holds a receipt that the copy hasn't given yet
 */
#ifndef SYNC_LIFE_H
#define SYNC_LIFE_H

#include "sync/codec/record.h"
#include "sync/replica.h"

enum sync_life_word {
	SYNC_LIFE_QUIET = 0,    /* nothing to tell */
	SYNC_LIFE_RESTORED = 1, /* the file was put back to an older state */
	SYNC_LIFE_CLONED = 2,   /* two copies of it are in use */
	SYNC_LIFE_COPIED = 3,   /* a copy, of now or of then; told as QUIET */
};

enum { SYNC_LIFE_TOLD_MS = 7 * 86400000 };

/* Begin a new life in the file, in a transaction: r->self is another site after it.  If the
 * transaction fails the caller puts r->self back. */
MUST_CHECK int sync_life_begin(struct sync_replica *r, enum sync_life_word why, struct err *err);

/* The life before goes on somewhere (in a transaction). */
MUST_CHECK int sync_life_is_cloned(struct sync_replica *r, struct err *err);

/* The life before had come further than this file did (in a transaction).  Nothing, unless this one
 * began with a copy. */
MUST_CHECK int sync_life_is_restored(struct sync_replica *r, struct err *err);

/* When the present life began; 0: it is the first one of the file. */
MUST_CHECK int sync_life_began(struct store_db *db, int64_t *at_ms, struct err *err);

/* What there is to tell of this file at `now_ms`, and of its hub. */
struct sync_life_told {
	enum sync_life_word word;
	bool hub_went_back; /* the hub has forgotten what it had acknowledged */
};
MUST_CHECK int sync_life_tell(struct store_db *db, int64_t now_ms, struct sync_life_told *out,
                              struct err *err);

/* The hub has forgotten records that it had acknowledged (in a transaction). */
MUST_CHECK int sync_life_hub_went_back(struct sync_replica *r, struct err *err);

/*
 * At the hub, in a transaction: a node says that it holds a receipt of this number.  If it isn't
 * given yet this file was put back, whether or not it noticed; what it gives next comes after that
 * one.  The node's word counts for no more than to be told.
 */
MUST_CHECK int sync_life_receipt(struct sync_replica *r, uint64_t number, struct err *err);

/* At the hub, in a transaction: the number of the next receipt. */
MUST_CHECK int sync_life_next_receipt(struct store_db *db, uint64_t *number, struct err *err);

/* At the hub, in a transaction: the node has come in this life. */
MUST_CHECK int sync_life_met(struct sync_replica *r, const struct sync_site *peer, struct err *err);

/* At the hub: what there is to tell of a node. */
MUST_CHECK int sync_life_of(struct store_db *db, const uint8_t node[STORE_NODE_ID], int64_t now_ms,
                            enum sync_life_word *word, struct err *err);

/* At the hub: the life in which the node last came.  1, or 0 if it never did. */
MUST_CHECK int sync_life_epoch(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                               uint8_t epoch[STORE_EPOCH], struct err *err);

/* "restored", "cloned"; NULL for SYNC_LIFE_QUIET. */
const char *sync_life_name(enum sync_life_word word);

#endif /* SYNC_LIFE_H */
