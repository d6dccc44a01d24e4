/*
 * node/core.h - the decisions of a node and of a hub, without any I/O.
 *
 * The shell (node/run.c) and the simulator tell what happened - an event - and
 * do what the answer says: send these bytes, write the anchor first, wake me
 * then.  No thread, socket, file or clock in here; time comes from struct env,
 * rows through the store's handle.
 *
 *   event                         effects
 *   TICK  time has passed         seal what waits, roll up, checkpoint; maybe send: when the
 *                                 interval is over, or something urgent was written
 *   SYNC  somebody wants it now   send
 *   REPLY the hub's answer        take it; maybe send again; met
 *   LOST  no answer               met, with the reason; back off with full jitter
 */
#ifndef NODE_CORE_H
#define NODE_CORE_H

#include "sync/exchange/exchange.h"

enum {
	NODE_SYNC_MS = 30 * 1000, /* between meetings while the line is good; also how long a change
	                             waits for seal */
	NODE_SEAL_CHANGES = 500,  /* so many waiting changes are sealed at once */
	NODE_BACKOFF_MIN_MS = 2000,   /* full jitter: random between 0 and MIN * 2^failures ... */
	NODE_BACKOFF_MAX_MS = 300000, /* ... at most this */
	NODE_STALLS = 2,              /* after so many stalls a push goes up little by little */
	NODE_CHECKPOINT_PAGES = 400,
	NODE_HOUSE_MS = 3600 * 1000, /* between roll-ups */
};

enum node_event_type { NODE_EV_TICK, NODE_EV_SYNC, NODE_EV_REPLY, NODE_EV_LOST };

struct node_event {
	enum node_event_type type;
	const uint8_t *bytes; /* REPLY: the body */
	size_t len;
	const char *words;      /* LOST: why, for a person */
	bool stalled;           /* LOST: there was a line, and it didn't carry all of it */
	bool denied;            /* LOST: the hub is there and doesn't want us */
	int64_t retry_after_ms; /* LOST: somebody there asks to wait so long, of which
	                           NODE_BACKOFF_MAX_MS are believed; 0: nobody does */
};

/* How a meeting ended. */
struct node_met {
	bool ok;
	bool denied;              /* not by the line: the hub refuses this node */
	char words[ERR_MSG_SIZE]; /* why not; or what was refused all the same */
	int64_t sent, received;
	int round_trips;
	struct sync_rejected rejected[SYNC_REJECTED_MAX];
	size_t rejected_count;
	/* what was written here since the last good meeting and may not leave, or was put back */
	struct sync_kept kept[SYNC_KEPT_MAX];
	size_t kept_count;
};

/* What the shell has to do, in this order. */
struct node_effects {
	bool anchor;          /* write the anchor, durably, before sending */
	bool send;            /* post `request` to the hub */
	struct buf request;   /* owned by the effects; node_effects_clear() */
	int64_t wake_mono_ms; /* send a TICK then at the latest */
	int64_t healed; /* streams that couldn't be read and were made good: a disk that forgets */
	bool met;       /* a meeting ended */
	struct node_met meeting;
};

struct node {
	struct sync_replica r; /* hooks set by the shell */
	struct sync_key key;
	bool has_hub; /* enrolled */
	uint8_t hub_key[SYNC_PUBLIC_KEY];
	int64_t interval_ms; /* NODE_SYNC_MS unless configured */

	struct sync_exchange x;
	bool meeting;
	int64_t next_sync_mono_ms;
	int64_t next_house_mono_ms;
	int64_t schema_version; /* of the last look; the triggers fit it */
	int failures;           /* meetings in a row that failed */
	int stalls;             /* since the last good one: how many because the line stalled */
};

/* Over an open STORE_MERGE database: reads who we are and which hub is ours.  `key` is copied. */
MUST_CHECK int node_open(struct node *n, struct store_db *merge, const struct sync_key *key,
                         bool is_hub, struct err *err);

/* Look again which hub is ours (after enrolment). */
MUST_CHECK int node_reload(struct node *n, struct err *err);

/* Free what it owns; the database stays open. */
void node_close(struct node *n);

/*
 * One step.  Negative only if the database failed: then the caller must stop acknowledging.  `fx`
 * is cleared first.
 */
MUST_CHECK int node_step(struct node *n, const struct node_event *ev, struct node_effects *fx,
                         struct err *err);

/* Free the effects' memory. */
void node_effects_clear(struct node_effects *fx);

/* The hub's step: a request of a peer whose signature has been checked. */
struct hub_request {
	uint8_t peer[STORE_NODE_ID];
	const uint8_t *bytes;
	size_t len;
	bool (*may_read)(void *ctx, const uint8_t node[STORE_NODE_ID], const char *scope);
	void *ctx;
	/* As in sync/exchange/exchange.h; NULL: nobody keeps how the node stands. */
	int (*met)(void *ctx, const uint8_t node[STORE_NODE_ID], const struct sync_level *level,
	           struct err *err);
	void *met_ctx;
};

struct hub_effects {
	int status;       /* HTTP: 200, 400 (not well-formed), 403 (names another node) */
	struct buf reply; /* owned; the words of the refusal unless 200 */
	int64_t changes;
	int64_t rejected; /* remarks about what could not be taken */
	bool moved;       /* wake those who watch */
};

/* Negative only if the database failed; a refusal is in `fx`, whose reply is to be freed. */
MUST_CHECK int hub_step(struct node *n, const struct hub_request *rq, struct hub_effects *fx,
                        struct err *err);

#endif /* NODE_CORE_H */
