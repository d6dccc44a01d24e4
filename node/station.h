/*
 * node/station.h - an installation, opened: its folder, key, databases and core,
 * for the daemon and for commands that do the daemon's work while it isn't
 * running.
 *
 * Whoever holds the lock seals, merges and writes the anchor; nobody else.
 */
#ifndef NODE_STATION_H
#define NODE_STATION_H

#include "node/core.h"
#include "node/facility/tries.h"
#include "node/hub/session.h"
#include "node/identity.h"
#include "node/metrics.h"
#include "node/rights.h"
#include "node/room.h"

struct watch;
struct link;
struct queue;

/* What station_publish() keeps. */
enum { STATION_DERIVED = 4 };

struct station {
	char dir[IDENTITY_PATH_MAX];
	char facility[64]; /* "" at a hub */
	char name[128];
	bool is_hub;
	int lock_fd;
	const struct env *env;
	struct sync_key key;
	struct store_db *local; /* as people write */
	struct store_db *merge; /* as the engine writes */
	struct node node;
	uint64_t anchored;                  /* records of our own that the anchor covers */
	uint8_t anchored_life[STORE_EPOCH]; /* and the life that wrote them */
	struct rights rights;
	struct metrics metrics;           /* any thread may count */
	struct session_tries tries;       /* hub: passwords looked at */
	struct facility_tries code_tries; /* node: pick-up codes looked at */
	struct watch *watch;              /* hub: told of every unit; or NULL */
	bool fed; /* hub: the feed may have grown; whoever tells of it sets it back */
	struct room room;
	bool unpublished[STATION_DERIVED]; /* hub: it couldn't be written, and the log has said so
	                                    */
};

/*
 * Open DIR and take its lock.  ERR_NOTFOUND if it isn't an installation, ERR_BUSY (naming the
 * process) if a daemon runs.  Compares the anchor with the database first: a copy, a restored or an
 * older file gets a new epoch here, with a word in the log.  On success the caller owns what *st
 * holds.
 */
MUST_CHECK int station_open(const char *dir, const struct env *env, struct station *st,
                            struct err *err);

/* Seal, checkpoint, close, give back the lock. */
void station_close(struct station *st);

/* Look again which hub is ours and what it grants (after enrolment). */
MUST_CHECK int station_reload(struct station *st, struct err *err);

/* Write the anchor as the database is now; durable when it returns. */
MUST_CHECK int station_anchor(struct station *st, struct err *err);

/* The same, if something of our own has come since: before a hub's answer leaves. */
MUST_CHECK int station_keep_anchor(struct station *st, struct err *err);

/* Do what an effect of node_step() asks: anchor, then send.  `l` NULL: there is no line (sends
 * nothing). */
MUST_CHECK int station_do(struct station *st, struct node_effects *fx, struct link *l,
                          struct err *err);

/* Make the line to our hub; *l stays NULL if we aren't enrolled. */
MUST_CHECK int station_link(struct station *st, struct queue *queue, struct link **l,
                            struct err *err);

/* One whole meeting with the hub, waiting for it; *met tells how it went, *cost what it took. */
struct link_cost;
MUST_CHECK int station_sync(struct station *st, struct node_met *met, struct link_cost *cost,
                            struct err *err);

/*
 * Sign with another key from now on, whether there is a line or not: what the hub isn't known to
 * hold is written again under it.  Not while a meeting is on.  ERR_INVALID at a hub, and before
 * the node is enrolled.
 */
MUST_CHECK int station_rotate(struct station *st, struct err *err);

/* Used by station_open(): end a rotation that was cut off, which then is *went_on; */
MUST_CHECK int station_rotated(struct station *st, bool *went_on, struct err *err);
/* and let a database that is older than our key go on under it. */
MUST_CHECK int station_settle_key(struct station *st, struct err *err);

/*
 * After a meeting, what it means for the facility's tables: the hub grants the seats that the node
 * that came asks for; a node (`came` NULL) gives back those that the hub asks for
 * (node/facility/seats.h), and links registrations of one person (node/facility/alias.h).  What is
 * written goes with the next meeting; if it fails, the next makes up for it, and the log says why.
 */
void station_met(struct station *st, const uint8_t came[STORE_NODE_ID]);

/*
 * At the hub, before each seal: what follows from what facilities and the district have written
 * meanwhile, by whatever door: the streets of grants (node/hub/street.h), facility_public
 * (node/facility/public.h), symptom_notice (node/facility/street.h).  Writes nothing if nothing has
 * changed.  If it fails the next call makes up for it, and the log says why, once.
 */
void station_publish(struct station *st);

/* At the hub, with each tick: which tokens were shown since (node/hub/token_use.h), once a minute
 * or
 * (`leaving`) at once.  If it fails the log says so; it is what people look at and no more. */
void station_note_uses(struct station *st, bool leaving);

/*
 * One round of the archive: what our own streams have grown by becomes a signed commit.  Nothing is
 * lost if it fails; the next round makes up for it, and the log says why.
 */
struct sync_archive_result;
MUST_CHECK int station_archive(struct station *st, struct sync_archive_result *result,
                               struct err *err);

/*
 * How long until the hourly round of the archive is due (0: it is).  Counted from the last that any
 * process began, which the file keeps, so that a node which never runs for an hour has its rounds
 * as well; the first hour begins with the first question.
 */
MUST_CHECK int station_archive_wait(struct station *st, int64_t *wait_ms, struct err *err);

#endif /* NODE_STATION_H */
