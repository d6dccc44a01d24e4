/*
 * sync/exchange/exchange.h - a request, its answer, and what a node takes from it.
 *
 * Steady state is one round trip that pushes and pulls:
 *
 *   node                                      hub
 *   seal, sign, say what I have,
 *   push own records                      ->  seal, take what is new
 *                                         <-  say what differs, receipts, digests,
 *                                             push what the node lacks
 *   take it, compare digests,
 *   keep the receipt
 *
 * Further rounds only while they move something: there is more than one message holds, a
 * life began (fork.c), the hub lacks what others wrote (back.c), a stream goes on otherwise there
 * (parted.c), or digests differ at equal records (rift.h).
 *
 * Acknowledged is what a proven reply says the hub's present life holds.
 */
#ifndef SYNC_EXCHANGE_H
#define SYNC_EXCHANGE_H

#include "sync/exchange/level.h"
#include "sync/exchange/message.h"
#include "sync/exchange/session.h"
#include "sync/replica.h"

struct sync_rift;

enum { SYNC_REJECTED_MAX = 16, SYNC_LENT_MAX = 16, SYNC_PARTED_MAX = 8 };

/* A stream of another's, of which the hub lacks something that is here. */
struct sync_lent {
	int stream;
	uint64_t has;   /* by its latest reply */
	uint64_t began; /* the request before brought what comes after that */
	uint64_t from;  /* the next one, after that */
	bool recalled;  /* that place is an earlier meeting's */
};

struct sync_rejected {
	char scope[STORE_SCOPE_MAX + 1];
	uint64_t n;
	char reason[160];
};

/* Another's stream that goes on otherwise at the hub (sync/exchange/parted.c). */
struct sync_parted {
	int stream;
	uint64_t low, high; /* so much both have; so much the hub hasn't got as it is here */
	uint64_t n;         /* so much of it we say that we have; when found: what both have */
	bool found;
};

/* The node's side of one meeting; zero it, set the first four, and keep it until the meeting ends.
 */
struct sync_exchange {
	struct sync_replica *r;
	const struct sync_key *key;
	uint8_t hub_key[SYNC_PUBLIC_KEY];
	bool small; /* push little by little: the line has stalled under more */
	bool probe; /* the first push is small: nobody knows whether there is a line */

	enum sync_state state;
	uint8_t asked[HASH_32];                 /* hash of the request's part 1 */
	struct sync_clock_at asked_at, came_at; /* the request went out; its reply was there */
	struct arena said_arena;
	struct said {
		int stream;
		uint64_t n;
	} * said; /* what the request said we have */
	size_t said_count;
	bool more_to_push;
	bool healed;    /* by the latest reply: a new life began, and is to be told to the hub */
	bool hold;      /* by the latest reply: a fork, but it isn't known yet where */
	bool reborn;    /* by the latest reply: the hub is in another life than it was known by */
	bool went_back; /* by the latest reply: that, or it has less than it had acknowledged */
	int lives;      /* begun in this meeting */
	bool moved;     /* by the latest reply: either side has what it hadn't */
	bool level;     /* both sides have the same records now */
	/* a scope whose digests differ at equal have (0: none), the hub's, and the look for the
	 * rows that do: one a meeting, into one scope */
	int differs;
	uint8_t hubs_digest[STORE_TERM];
	struct sync_rift *look; /* NULL: none is going on */
	int look_scope;         /* 0: there was none yet */
	bool look_differs;      /* its digests did by the latest reply */
	struct sync_lent lent[SYNC_LENT_MAX];
	size_t lent_count;
	bool lent_moved; /* by the latest reply: there is something else to lend than before */
	int cuts;        /* of others' streams, in this meeting */
	struct sync_parted parted[SYNC_PARTED_MAX];
	size_t parted_count;
	bool parted_healed; /* by the latest reply: one of them was cut back */

	/* told */
	int64_t sent, received; /* changes acknowledged; changes merged */
	int round_trips;
	struct sync_rejected rejected[SYNC_REJECTED_MAX];
	size_t rejected_count;
};

/* Seal, sign and append the request.  Opens its own transaction. */
MUST_CHECK int sync_exchange_ask(struct sync_exchange *x, struct buf *request, struct err *err);

/*
 * Take a reply (own transaction): records, receipts, digests, clock.  *again says that another
 * round is needed. ERR_DENIED if it isn't proven to be the hub's answer to what was asked: nothing
 * has changed then.
 */
MUST_CHECK int sync_exchange_take(struct sync_exchange *x, const uint8_t *reply, size_t len,
                                  bool *again, struct err *err);

/* Free what the meeting holds. */
void sync_exchange_end(struct sync_exchange *x);

/* The hub's side, for a peer whose request has been authenticated as that node's. */
struct sync_answer {
	struct sync_replica *r;
	const struct sync_key *key;
	uint8_t peer[STORE_NODE_ID];
	/* May that node read this scope? */
	bool (*may_read)(void *ctx, const uint8_t node[STORE_NODE_ID], const char *scope);
	void *ctx;
	/* Called once the reply is made, in the transaction that took what came: to keep how the
	 * node stands together with what it brought.  NULL: nobody keeps that. */
	int (*met)(void *ctx, const uint8_t node[STORE_NODE_ID], const struct sync_level *level,
	           struct err *err);
	void *met_ctx;
	/* told */
	int64_t changes;  /* merged from it */
	int64_t rejected; /* remarks about what could not be taken */
	bool moved;       /* records were taken: others may want to hear */
};

/* Take what a request brings and append the reply (own transaction).  ERR_CORRUPT if it isn't
 * well-formed. */
MUST_CHECK int sync_exchange_answer(struct sync_answer *h, const uint8_t *request, size_t len,
                                    struct buf *reply, struct err *err);

/*
 * Of a request that a node sent whose key was revoked: what is of its own streams, in scopes that
 * it might write, is held aside (sync/merge/late_priv.h; own transaction).  Nothing else is taken,
 * and there is no reply.
 */
struct sync_late {
	struct sync_replica *r;
	uint8_t peer[STORE_NODE_ID];
	/* told */
	int64_t bytes; /* held of it that were not before */
	char why[160]; /* of the last that isn't held: why not; "" if all are */
};

/* ERR_CORRUPT if the request isn't well-formed, ERR_DENIED if it names another node. */
MUST_CHECK int sync_exchange_late(struct sync_late *late, const uint8_t *request, size_t len,
                                  struct err *err);

#endif /* SYNC_EXCHANGE_H */
