/*
 * cli/load.h - a fleet that comes back: a hub and many nodes on this machine, each
 * with days of records that nobody has fetched, all at the same instant.
 *
 *   load_make     folders, keys, enrolment, rosters, the days: as real as a facility's,
 *                 but not kept safe from a power cut
 *   load_drain    every node a thread: meet the hub, wait as the node's own rules say,
 *                 again, until the hub has everything; meanwhile somebody asks the hub
 *                 how it is
 *   load_level    once more, one after the other: does every node hold what the hub holds?
 *   cmd_load      tells it
 */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "cli/demo_proc.h"
#include "node/link.h"

#include <stdbool.h>

enum { LOAD_PATH = 256, LOAD_NODES_MAX = 5000, LOAD_DAYS_MAX = 60 };

struct load_node {
	char dir[LOAD_PATH];
	char facility[32];
	int64_t changes;       /* of its own, made before the hub heard of any */
	int64_t drained_ms;    /* from the start until the hub had everything; -1: it never had */
	struct link_cost cost; /* until then */
	bool level;            /* its digests are the hub's */
	struct err err;        /* what ended it, if anything did */
};

struct load {
	char folder[LOAD_PATH], hub_dir[LOAD_PATH], address[64];
	pid_t hub;
	int days;
	uint64_t seed;
	size_t count;
	struct load_node *nodes;
	bool (*stopped)(void); /* asked now and then: a person has had enough */

	/* what the drain showed */
	int64_t took_ms;           /* until the last node was done */
	int64_t asked, unanswered; /* GET /healthz, twice a second */
	int64_t slowest_answer_ms;
	int64_t hub_peak_kib; /* the hub's memory, at most */
};

/* Make hub and nodes, with a line of progress on standard error; load_end() also after an error. */
MUST_CHECK int load_make(struct load *l, struct err *err);

/* Let them all come.  Gives up on a node after `limit_ms`.  ERR_NOMEM if threads can't be had. */
MUST_CHECK int load_drain(struct load *l, int64_t limit_ms, struct err *err);

/* Meet the hub once more with each; sets `level`. */
MUST_CHECK int load_level(struct load *l, struct err *err);

/* Stop the hub, remove the folder. */
void load_end(struct load *l);

#endif /* CLI_LOAD_H */
