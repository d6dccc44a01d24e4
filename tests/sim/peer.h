/*
 * tests/sim/peer.h - one machine: its clocks, its disk, the process on it
 * (struct station, as the daemon opens it), and the people in front of it.
 */
#ifndef TESTS_SIM_PEER_H
#define TESTS_SIM_PEER_H

#include "node/facility/action.h"
#include "node/http/reqsig.h"
#include "node/station.h"
#include "tests/disk.h"
#include "tests/sim/clock.h"
#include "tests/sim/net.h"

struct sim;

/* A request under way, as node/link.c keeps it. */
struct sim_call {
	uint64_t id; /* 0: none */
	int64_t gives_up_at;
	struct buf body;
	struct reqsig_headers headers;
	bool again; /* sent once more with the nonce that the hub gave */
	bool shown; /* and once more with our grant */
};

/* Today's actions of a facility. */
struct sim_day {
	struct arena arena;
	struct facility_action *list;
	size_t count, at;
	uint32_t event;
};

struct sim_peer {
	struct sim *sim;
	unsigned no; /* 0: the hub */
	unsigned place;
	bool exists, is_hub;
	char dir[96];
	char facility[16]; /* "" at the hub */
	struct env env;
	struct sim_clock clock;
	struct disk *disk;

	bool open; /* the process runs */
	struct station st;
	struct store_db *tablet;    /* the second one of two */
	struct store_db *reader;    /* somebody who reads for long; NULL: nobody */
	int64_t boot_at;            /* when it isn't open: it starts then */
	enum disk_damage damage;    /* what the next power cut does */
	bool disk_fails;            /* calls may fail: errors are to be expected */
	int64_t asleep_until;       /* suspended */
	int64_t tick_at;            /* true time */
	uint8_t epoch[STORE_EPOCH]; /* of the last life */

	uint8_t secret[32]; /* of the hub's nonces */
	char nonce[REQSIG_NONCE_MAX + 1];
	uint64_t calls;
	int losses;                     /* meetings in a row */
	bool met;                       /* and well, since everything was healed */
	struct disk *backup;            /* an older copy; NULL: none */
	bool lies;                      /* its disk */
	struct buf anchor;              /* as it was when it began to */
	bool rotten;                    /* a bit of a segment has turned */
	bool moved;                     /* since the last start: it has to notice */
	bool restored;                  /* from it: what it lacks comes from the hub, in time */
	uint8_t hub_epoch[STORE_EPOCH]; /* the hub's life that acknowledged: */
	uint64_t acked[16];             /* what the hub acknowledged of our streams */
	/* when it last asked: its estimate of the time - the hub's, and their clocks */
	int64_t time_error;
	struct sim_clock clocks_asked[2];
	struct sim_call call;
	struct sim_line line;
	struct sim_day day;
	bool has_column; /* the next version's */
};

/* Make machine `no`: folder, key, database, enrolled at the hub (peer 0, made first). */
void sim_peer_make(struct sim *s, unsigned no);

/* Start the process; it is open if that went well. */
void sim_peer_boot(struct sim_peer *p);

/* End the process, as one that was asked to; it starts again at `boot_at`. */
void sim_peer_stop(struct sim_peer *p, int64_t boot_at);

/* The process, or the machine, is gone at once: the disk keeps what `damage` leaves. */
void sim_peer_crash(struct sim_peer *p, enum disk_damage damage, int64_t boot_at);

/*
 * Something of this machine returned `rc`: true if it went well, or was refused by a rule (`rule`).
 * A failure that its disk explains crashes or stops it; any other fails the run.
 */
bool sim_peer_bears(struct sim_peer *p, int rc, const struct err *err, const char *doing);

/* Time has passed: a tick, or an event for node_step(); what it asks for is done. */
void sim_peer_step(struct sim_peer *p, const struct node_event *ev);

/* Is its process there to do something now? */
bool sim_peer_awake(const struct sim_peer *p);

/* Another empty file stands for the database now: another inode, as after a copy. */
MUST_CHECK int sim_peer_new_file(const struct sim_peer *p, struct err *err);

/* A copy of this machine's disk and files, as a second machine that is switched on too. */
void sim_peer_clone(struct sim_peer *p);

/* Remove what machine `no` has in that folder. */
void sim_peer_sweep(const char *folder, unsigned no);

/* Close everything and free it. */
void sim_peer_free(struct sim_peer *p);

#endif /* TESTS_SIM_PEER_H */
