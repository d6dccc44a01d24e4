/*
 * node/status.h - how it stands: the facts, the one word they come to, and how
 * that is told to programs, people and scripts.
 *
 * The command `yizhan status`, the line on every page and the hub's table of
 * nodes all say what is decided here.
 */
#ifndef NODE_STATUS_H
#define NODE_STATUS_H

#include "node/role.h"
#include "store/base/json.h"
#include "store/rift.h"
#include "sync/life.h"

/* In the order of precedence: the first that holds. */
enum node_state {
	NODE_ATTENTION, /* a person is needed: conflict, quarantine, a table lost, digests differ,
	                   disk full */
	NODE_SYNCING,   /* an exchange is going on */
	NODE_NEVER_SYNCED, /* no exchange has ever succeeded */
	NODE_WAITING, /* changes wait that the hub's present life hasn't got, or the hub's here */
	NODE_UNREACHABLE, /* the last attempt failed, but nothing waits */
	NODE_IN_SYNC,     /* the hub has everything, and the digests are equal */
};

struct node_status_scope {
	const char *scope;
	uint8_t digest[STORE_TERM];
	bool hub_known; /* hub_digest was told */
	uint8_t hub_digest[STORE_TERM];
	bool uneven;  /* hub_digest was told, and is another than ours */
	bool differs; /* although both have the same records: an alarm */
	int64_t rows;
	/* where, as far as it was found */
	struct store_rift *rifts;
	size_t rift_count;
};

enum { NODE_STATUS_RIFTS = 16 }; /* so many are told, of all scopes together */

struct node_status {
	struct store_site self;
	struct node_role role;
	bool syncing; /* set by whoever knows; not in the file */
	int64_t waiting;
	int64_t oldest_waiting_ms; /* 0: nothing waits */
	int64_t last_success_ms;   /* 0: never */
	int64_t last_attempt_ms;   /* 0: never */
	const char *last_error;    /* "" if the last attempt went well */
	int64_t conflicts, quarantined;
	int64_t lost_tables, lost_rows; /* store/lost.h: how many; rows that wait for them */
	int64_t differing_nodes; /* at a hub: of whose rows `differs` was true when they last met */
	int64_t clock_offset_ms; /* the hub's time - our wall clock, when it was last heard */
	bool clock_unsure;       /* ours stands where the time can't be */
	const char *hub;         /* its URL; "" if none */
	size_t scope_count;
	struct node_status_scope *scopes;
	int64_t db_bytes, disk_free; /* -1: not known */
	bool disk_full;              /* so nothing new is taken (node/room.h) */
	int64_t log_bytes;           /* of db_bytes: the log beside the database, 0 if none */
	struct sync_life_told life;  /* what happened to the file, or to the hub's, this week */
};

/* A log of so many bytes isn't only busy: somebody has been reading for long. */
enum { NODE_LOG_LARGE = 64 << 20 };

/* Bytes of the log beside the database in `dir`, 0 if there is none. */
int64_t node_status_log_bytes(const char *dir);

/*
 * Read the facts from an open database without a transaction, and from the disk of `dir` (may be
 * NULL); texts live in `a`.
 */
MUST_CHECK int node_status_read(struct store_db *db, const char *dir, struct arena *a,
                                struct node_status *out, struct err *err);

/* What they come to; pure. */
enum node_state node_status_state(const struct node_status *s);

/* The word of a state: "in_sync". */
const char *node_status_word(enum node_state state);

/* The exit code of `yizhan status`: 0, 3 (unreachable) or 4 (attention). */
int node_status_exit(enum node_state state);

/* The document of `status --json`. */
void node_status_json(struct json *j, const struct node_status *s, int64_t now_ms);

/* One line for people, without its end. */
void node_status_line(struct buf *out, const struct node_status *s, int64_t now_ms);

#endif /* NODE_STATUS_H */
