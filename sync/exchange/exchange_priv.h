/*
 * sync/exchange/exchange_priv.h - building a message out of one database: names once,
 * views, segments up to a size.
 */
#ifndef SYNC_EXCHANGE_PRIV_H
#define SYNC_EXCHANGE_PRIV_H

#include "sync/exchange/exchange.h"
#include "sync/exchange/message.h"
#include "sync/replica.h"

enum {
	SYNC_PUSH_BYTES = 3 << 20, /* segments of one message; the rest goes in the next */
	SYNC_SMALL_BYTES = 4096,   /* the same on a line that has stalled */
};

struct sync_draft {
	struct sync_replica *r;
	struct arena arena;
	struct sync_message m;
	size_t site_cap, scope_cap, stream_cap, digest_cap, note_cap, segment_cap;
	size_t bytes; /* of segments so far */
	bool small;   /* little by little, as the line has stalled */
};

/* Start a message; `room` bounds the streams and digests it will name. */
MUST_CHECK int sync_draft_open(struct sync_draft *d, struct sync_replica *r, size_t room,
                               struct err *err);

/* Make room for so many more streams and digests, before the first is named. */
MUST_CHECK int sync_draft_grow(struct sync_draft *d, size_t room, struct err *err);

/* Free it. */
void sync_draft_close(struct sync_draft *d);

/* Name a stream as we have it; returns its index in the message. */
unsigned sync_draft_stream(struct sync_draft *d, const struct store_stream *stream);

/* Name a scope; returns its index in the message. */
unsigned sync_draft_scope(struct sync_draft *d, int id);
/* Name a stream of the peer's message of which nothing is held here, so that something can be said
 * of it; borrows the scope's name. */
unsigned sync_draft_empty(struct sync_draft *d, const struct sync_message *m, unsigned stream);

/* Say the digests of these scopes as they are now; `wanted` NULL: of all. */
MUST_CHECK int sync_draft_digests(struct sync_draft *d,
                                  bool (*wanted)(void *ctx, const char *scope), void *ctx,
                                  struct err *err);

/* Add what a stream has after record *n, which becomes the last that was added; sets m.more if it
 * doesn't all fit. */
MUST_CHECK int sync_draft_records(struct sync_draft *d, const struct store_stream *stream,
                                  unsigned index, uint64_t *n, struct err *err);

/* The remark that a stream of the peer's doesn't continue, or isn't continued by, what is held
 * here; the peer acts on these words. */
extern const char sync_fork_words[];

/* The remark that what follows is stamped too far ahead; the peer acts on these words, too. */
extern const char sync_clock_words[];
/* Is a remark about where records stand, among others that may be missing, and not about what is in
 * them? */
bool sync_draft_is_of_place(const char *reason);

/* Does a message say that what the peer has of this stream isn't what is here?  *common: how far it
 * says that both go together, at least. */
bool sync_fork_said(const struct sync_message *m, const struct sync_view_stream *view,
                    uint64_t *common);

/* Is what the peer has of a stream, as it says, something else than the first `said` records here,
 * as far as both go?  `said` is what it has been told that we have. */
MUST_CHECK int sync_fork_differs(const struct sync_replica *r, const struct sync_message *m,
                                 const struct store_stream *stream, uint64_t said, bool *yes,
                                 struct err *err);

/* Add a remark about a stream. */
void sync_draft_note(struct sync_draft *d, unsigned index, uint64_t n, const char *reason);

/* One message's segments into this file, round after round until nothing more can be taken (a unit
 * waits for what it has seen).  What can't be taken is told. */
typedef void sync_draft_tell(void *ctx, unsigned stream, uint64_t n, const char *reason);
MUST_CHECK int sync_draft_take(struct sync_replica *r, const struct sync_message *m,
                               sync_draft_tell *tell, void *ctx, int64_t *changes, struct err *err);

/* Is that stream this replica's own, of whichever life? */
bool sync_draft_is_own(const struct sync_replica *r, const struct store_stream *stream);

/* Learn the keys of sites that the hub passes on and vouches for.  A node's id is the hash of its
 * first key, so that is checked. */
MUST_CHECK int sync_draft_keys(struct sync_replica *r, const struct sync_message *m,
                               struct err *err);

/* 1 and the stream of this file that a message names, living in `a`; 0 if nothing is held of it. */
MUST_CHECK int sync_draft_find(const struct sync_replica *r, const struct sync_message *m,
                               unsigned stream, struct arena *a, struct store_stream *out,
                               struct err *err);

/* What a message says of a stream of this file; NULL if nothing. */
const struct sync_view_stream *sync_draft_view(const struct sync_replica *r,
                                               const struct sync_message *m,
                                               const struct store_stream *stream);

/* A hub that says something else each time gets no more lives out of us in one meeting. */
enum { SYNC_LIVES_MAX = 4 };

/*
 * The node's side, before a reply's records are taken: does the hub hold our own streams as we do?
 * Where it doesn't, another file has gone on under our name.  Then a new life begins here and what
 * the hub hasn't got of ours is written again in it (sync/seal/remint.h).  healed[i] is set for
 * streams of the message whose trouble is over by that.
 */
MUST_CHECK int sync_fork_heal(struct sync_exchange *x, const struct sync_message *m, bool *healed,
                              struct err *err);

/* ---- the node's side: what both have (sync/exchange/exchange_have.c) ---- */

/* What the hub has of a stream, and whether with our head. */
uint64_t sync_exchange_hub_has(const struct sync_exchange *x, const struct sync_message *m,
                               const struct store_stream *stream, bool *same_head);

/* Has the hub all of what was written here? */
bool sync_exchange_hub_has_ours(const struct sync_exchange *x, const struct sync_message *m,
                                const struct store_stream *streams, size_t count);

/* What a reply's time says of our clock. */
struct sync_clock_heard sync_exchange_heard(const struct sync_exchange *x,
                                            const struct sync_message *m);

/* How many records of a stream the request said that we have; 0 of one that came since. */
uint64_t sync_exchange_said_of(const struct sync_exchange *x, const struct store_stream *stream);

/* Keep the hub's digests, and hold ours against them where both have the same records. */
MUST_CHECK int sync_exchange_take_digests(struct sync_exchange *x, const struct sync_message *m,
                                          const struct store_stream *streams, size_t count,
                                          struct err *err);

/* Where they differ: begin to look for the rows, or go on with it; *again while it lasts. */
MUST_CHECK int sync_exchange_rift(struct sync_exchange *x, const struct sync_message *m,
                                  const struct store_stream *streams, size_t count, bool *again,
                                  struct err *err);

/*
 * Streams of others that part from the hub's (sync/exchange/parted.c).  What the request says of a
 * stream; what a reply says; is the message's stream one of them; a segment of it forked at
 * `common` (false: it isn't one of them); and what was found is made good.
 */
MUST_CHECK int sync_parted_say(struct sync_exchange *x, struct store_stream *stream,
                               struct err *err);
MUST_CHECK int sync_parted_look(struct sync_exchange *x, const struct sync_message *m,
                                const struct store_stream *streams, size_t count, struct err *err);
bool sync_parted_is(struct sync_exchange *x, const struct sync_message *m, unsigned index);
bool sync_parted_found(struct sync_exchange *x, const struct sync_message *m, unsigned index,
                       uint64_t common);
MUST_CHECK int sync_parted_heal(struct sync_exchange *x, struct err *err);

/*
 * What a hub lacks of others' streams (sync/exchange/back.c).
 *
 * The node, before a reply's records are taken: note what the hub has less of than is here, or
 * other records of its own; of a fork that the hub can't learn from, let go of what is here.
 */
MUST_CHECK int sync_back_see(struct sync_exchange *x, const struct sync_message *m,
                             struct err *err);

/* Add to a request what was noted of a stream. */
MUST_CHECK int sync_back_lend(struct sync_exchange *x, struct sync_draft *d,
                              const struct store_stream *stream, unsigned index, struct err *err);

/* The hub: records that came of this stream fork from those here after `common`.  If it is its own,
 * and the branch isn't one that was cut off before, what is here is written again in a new life. */
MUST_CHECK int sync_back_forked(struct sync_replica *r, const struct sync_message *m,
                                unsigned stream, uint64_t common, struct err *err);

/* Has the node something of a stream of which there is nothing here, and whose records could be
 * proven? */
MUST_CHECK int sync_back_lacks(const struct sync_replica *r, const struct sync_message *m,
                               unsigned stream, bool *yes, struct err *err);

/* ---- what a node has read (sync/merge/told.h) ---- */

struct sync_reads {
	struct sync_read {
		unsigned scope; /* of the message */
		int site;       /* the life of ours that wrote it */
		int64_t stamp;  /* the latest of our stream there */
	} * list;
	size_t count;
	int *forgotten; /* scopes of which it has records of ours that aren't here */
	size_t forgotten_count;
};

/* Which of our streams a request says that it has all of, where a scope has left somebody, and of
 * which it has others than we; before its records are taken.  It lives in `a`. */
MUST_CHECK int sync_told_find(struct sync_replica *r, const struct sync_message *m, struct arena *a,
                              struct sync_reads *out, struct err *err);

/* After that: what the node writes behind what it has said that it has is later. */
MUST_CHECK int sync_told_take(struct sync_replica *r, const struct sync_message *m,
                              const struct sync_reads *reads, struct err *err);

#endif /* SYNC_EXCHANGE_PRIV_H */
