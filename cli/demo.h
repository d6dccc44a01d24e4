/*
 * cli/demo.h - a district on this machine: a hub, facilities, a day, an outage,
 * the healing.
 *
 *   demo_district   makes it: processes, folders, enrolment, rosters, the day's plan
 *   demo_leave      plays the parents, who write at the hub
 *   demo_board      shows it while it lives, and adds it up at the end
 *   cmd_demo        tells the story
 */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "cli/demo_proc.h"
#include "cli/demo_relay.h"
#include "node/facility/day.h"
#include "node/facility/samples.h"
#include "node/status.h"
#include "store/inbox.h"

enum { DEMO_PLACES = 12, DEMO_PATH = 256 };

struct demo_place {
	struct samples_place sample;
	char dir[DEMO_PATH], log[DEMO_PATH], address[64];
	pid_t pid;
	struct store_db *db; /* as a tablet's program writes: STORE_LOCAL */
	struct facility facility;
	struct arena arena; /* of the plan */
	struct facility_action *plan;
	size_t planned, done, refused;
	size_t asked, answered; /* leave that parents asked the platform for */
};

struct demo {
	char folder[DEMO_PATH];
	uint64_t seed;
	int date;
	struct demo_place hub; /* no facility, no plan */
	struct demo_place places[DEMO_PLACES];
	int count;
	struct demo_relay *relay;  /* the second facility's line */
	int64_t cut_ms, healed_ms; /* monotonic; 0: not yet */
	int64_t speed;             /* ms of the day in one of ours */
	bool asked;                /* the parents have asked for leave */
	int64_t waited;            /* changes at the second facility when its line came back */
};

/* Make all of it and start it; says what it does.  demo_end() also after an error. */
MUST_CHECK int demo_begin(struct demo *d, int facilities, uint64_t seed, struct err *err);

/* Stop every process, remove the folder. */
void demo_end(struct demo *d);

/* Run `yizhan -C DIR WORDS...` and collect what it prints; its exit code must be one of 0 and
 * `also`. */
MUST_CHECK int demo_do(struct demo_place *p, const char *const *words, int also, struct buf *out,
                       struct err *err);

/* Another connection to a place's file; the caller closes it. */
MUST_CHECK int demo_open(const struct demo_place *p, enum store_mode mode, struct store_db **db,
                         struct err *err);

/* Do every planned action up to this moment of the day (ms UTC). */
MUST_CHECK int demo_play(struct demo_place *p, int64_t until_ms, struct err *err);

/*
 * Half past eight: the parents' app asks the hub for leave, through the platform's door
 * (node/hub/records.h).  Once.
 */
MUST_CHECK int demo_ask_leave(struct demo *d, struct err *err);

/* The facility answers what of it has come down to it. */
MUST_CHECK int demo_answer_leave(struct demo_place *p, int64_t at, struct err *err);

/* Where a board is written: into a log, onto a terminal, over the one before it on a terminal. */
enum demo_screen { DEMO_PLAIN, DEMO_BELOW, DEMO_OVER };

/* One line a facility: present, checks, waiting, state, digest. */
MUST_CHECK int demo_board(struct demo *d, int64_t day_ms, enum demo_screen screen, struct err *err);

/* Do the hub and every facility agree, with nothing waiting? */
MUST_CHECK int demo_agree(struct demo *d, bool *agree, struct err *err);

/* How many changes of a place wait for the hub. */
MUST_CHECK int demo_waiting(struct demo_place *p, int64_t *n, struct err *err);

/* The closing table. */
MUST_CHECK int demo_sum(struct demo *d, struct err *err);

#endif /* CLI_DEMO_H */
