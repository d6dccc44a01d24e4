/*
 * node/hub/fleet.h - how the nodes of a hub stand, as far as the hub knows: what it
 * notes at each exchange, what a node told of itself (node/report.h), and the one
 * word and the causes that it comes to.
 *
 * The command `yizhan nodes`, the page /fleet and the metrics all say what is decided here.
 *
 *   alarm     silent for 72 h · rows differ though both have the same records · disk full
 *   warning   silent for 26 h · little room on the disk · quarantine · open conflicts ·
 *             clock off by more than a minute · records that the hub lacks for ten minutes
 *   never     enrolled less than 26 h ago, and no exchange yet
 *   in_order  none of these, as far as it was told
 *   revoked   its key opens nothing any more
 *
 * What isn't known is -1, NULL or "" here, and `unknown` or null wherever it is shown; nothing is
 * guessed from silence.
 */
#ifndef NODE_FLEET_H
#define NODE_FLEET_H

#include "node/hub/hub_node.h"
#include "node/report.h"
#include "store/base/json.h"
#include "sync/exchange/level.h"
#include "sync/life.h"

enum {
	FLEET_WARN_MS = 26 * 3600 * 1000,  /* a day, and time for a late start */
	FLEET_ALARM_MS = 72 * 3600 * 1000, /* a weekend, and a day */
	FLEET_CLOCK_MS = 60 * 1000,
	FLEET_BACKLOG_MS = 10 * 60 * 1000,
	FLEET_DISK_LOW = 512 << 20, /* bytes */
};

/* ---- at each exchange ---- */

/* What comes with one: for sync_answer's hook. */
struct fleet_met {
	struct store_db *db; /* the hub's, in the exchange's transaction */
	int64_t now_ms;
	const char *report; /* text that the node signed; NULL: none came */
};

/* Note it; `ctx` is a struct fleet_met. */
MUST_CHECK int fleet_met(void *ctx, const uint8_t node[STORE_NODE_ID],
                         const struct sync_level *level, struct err *err);

/* ---- how they stand ---- */

enum fleet_state { FLEET_ALARM, FLEET_WARNING, FLEET_NEVER, FLEET_IN_ORDER, FLEET_REVOKED };

/* Bits; the first three are alarms. */
enum fleet_cause {
	FLEET_SILENT_LONG = 1 << 0,
	FLEET_DIFFERS = 1 << 1,
	FLEET_DISK_FULL = 1 << 2,
	FLEET_SILENT = 1 << 3,
	FLEET_DISK_IS_LOW = 1 << 4,
	FLEET_QUARANTINE = 1 << 5,
	FLEET_CONFLICTS = 1 << 6,
	FLEET_CLOCK = 1 << 7,
	FLEET_BACKLOG = 1 << 8,
	FLEET_ALARMS = FLEET_SILENT_LONG | FLEET_DIFFERS | FLEET_DISK_FULL,
};
enum { FLEET_CAUSES = 9, FLEET_STATES = 5 };

/* Texts live in the arena. */
struct fleet_node {
	struct hub_node node;
	const char *name;   /* the facility's; "" */
	const char *street; /* its subdistrict; "" */
	bool placed;        /* lat and lon are known */
	int64_t lat_e6, lon_e6;
	int64_t met_ms;  /* last exchange; 0: none */
	int64_t lacking; /* its records that the hub lacked then; -1 */
	enum sync_level_word digest;
	int64_t digest_ms;   /* when both last had the same records; 0: not yet */
	int64_t reported_ms; /* of `report`; 0: it never told */
	struct report report;
	enum sync_life_word life;
	enum fleet_state state;
	unsigned causes;
};

/* What to list; NULL or -1: all. */
struct fleet_filter {
	const char *state;   /* one of the words */
	const char *street;  /* a code whose first nine digits count */
	const char *version; /* "unknown": those that didn't tell */
	int64_t backlog;     /* at least so many records lacking */
	const char *node;    /* first digits of its id */
};

struct fleet {
	struct fleet_node *list; /* gravest first; then the longest silent */
	size_t count;
	size_t of_state[FLEET_STATES]; /* of those listed */
};

/* Read and judge; in one transaction of its own, or the caller's.  Texts live in `a`. */
MUST_CHECK int fleet_read(struct store_db *db, const struct fleet_filter *filter, int64_t now_ms,
                          struct arena *a, struct fleet *out, struct err *err);

/*
 * How many nodes, revoked ones left out, held other rows than the hub when both last had the same
 * records; 0 in a file without a hub's tables.  In a transaction.
 */
MUST_CHECK int fleet_differing(struct store_db *db, int64_t *count, struct err *err);

/* State and causes of what is known; pure. */
void fleet_judge(struct fleet_node *n, int64_t now_ms);

/* "alarm", "warning", "never", "in_order", "revoked"; false if a text is none of them. */
const char *fleet_state_word(enum fleet_state state);
bool fleet_is_state(const char *word);

/* The word of cause number 0.. FLEET_CAUSES - 1: "silent_72h". */
const char *fleet_cause_word(size_t i);

/* "equal", "unequal", "unknown". */
const char *fleet_digest_word(enum sync_level_word digest);

/* Its document; the members are in the manual. */
void fleet_json(struct json *j, const struct fleet_node *n);

#endif /* NODE_FLEET_H */
