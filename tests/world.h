/*
 * tests/world.h - a hub and some nodes in one process, on a virtual clock and a
 * line that the test controls: node_step() and hub_step() as they are, real
 * files in a temporary folder.
 *
 * Tracked are `note(id, facility_id, text, rank, top, a, b)` (text and rank lww,
 * top max, a and b one group) and `daily(child, day, facility_id, text, mood)`
 * with its natural key (child, day).  Every random draw comes from the seed.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "node/core.h"

#include <stdbool.h>

enum { WORLD_NODES = 4 };

struct world_peer {
	char path[256];
	struct store_db *local; /* as people and programs write */
	struct store_db *merge;
	struct node node;
	struct sync_key key, old_key;
	char facility[32]; /* "" at the hub */
	bool up;           /* the line */
	int64_t skew_ms;   /* its wall clock - the world's */
	struct env env;    /* its own clock, the world's chance */
	struct world *world;
};

struct world {
	char folder[128];
	int64_t wall_ms, mono_ms;
	uint64_t random;
	struct world_peer hub;
	struct world_peer nodes[WORLD_NODES];
	int node_count;
	int lose_reply;      /* the hub commits, this reply from here on is lost; 0: none */
	bool spoiled;        /* the test lets rows differ that may not: they are mended */
	bool hold_sums;      /* at each step each scope's digest is the sum over its rows */
	bool damage_request; /* its last byte arrives as another one, once */
	bool damage_reply;
	int64_t bytes_a_second; /* of the line, either way; 0: all at once */
	int64_t slowest_ms;     /* what the slowest message took */
	size_t bytes_up, bytes_down;
	int round_trips;
};

/* Make a hub and nodes for these facilities (NULL-terminated), enrolled. */
void world_open(struct world *w, uint64_t seed, const char *const *facilities);

/* Close and remove everything. */
void world_close(struct world *w);

/* A replica that nobody meets: it gets what the test gives it.  Its key and rights are those of no
 * node. */
void world_open_fresh(struct world *w, struct world_peer *p, const char *name);
void world_close_fresh(struct world_peer *p);

/* Keep a peer's file as it is now, under a name; put it back later, as a virtual machine's snapshot
 * is: with everything that is outside of it. */
void world_save(struct world_peer *p, const char *name);
void world_put_back(struct world_peer *p, const char *name);

/* Another node that is a copy of this one, identity and all; its number. */
int world_clone(struct world *w, int i);

/* Node `i` signs with another key from now on, and the hub hears of it. */
void world_rotate(struct world *w, int i);

/* The same of a file that was put back from before that: it goes on under the key that the node
 * has. */
void world_settle_key(struct world *w, int i);

/* Run SQL on a peer's local connection; the test fails if it fails. */
void world_sql(struct world_peer *p, const char *sql);

/* Let time pass. */
void world_wait(struct world *w, int64_t ms);

/* One meeting of node `i` with the hub, to its end; true if it went well. */
bool world_sync(struct world *w, int i);

/* The same, and how it ended. */
void world_meet(struct world *w, int i, struct node_met *met);

/* One tick of node `i`, as its daemon takes them each second, with the meeting that it may begin;
 * true if one went well. */
bool world_tick(struct world *w, int i);

/* Meetings of all nodes, until nobody has anything to say (at most `rounds`). */
void world_settle(struct world *w, int rounds);

/* The digest of a scope at a peer, as hex. */
const char *world_digest(struct world_peer *p, const char *scope, char out[33]);

/* All rows of a query at a peer as text, for comparing dumps.  The caller frees it. */
char *world_dump(struct world_peer *p, const char *sql);

/* One integer of a query at a peer. */
int64_t world_int(struct world_peer *p, const char *sql);

/* Draw from the seed. */
uint32_t world_draw(struct world *w, uint32_t below);

#endif /* TESTS_WORLD_H */
