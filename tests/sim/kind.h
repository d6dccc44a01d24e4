/*
 * tests/sim/kind.h - everything that can be made to happen, and what is counted
 * when it, or what the product does about it, has happened.
 *
 * A seed enables some of the kinds; the rest stay out of its history (a swarm
 * finds more than one soup of everything).  A kind whose promise isn't built
 * yet is here with the reason, and no seed enables it.
 */
#ifndef TESTS_SIM_KIND_H
#define TESTS_SIM_KIND_H

#include <stdbool.h>
#include <stdint.h>

enum sim_kind {
	/* people's work */
	SIM_DAY,
	SIM_FRESH,
	SIM_EDIT,
	SIM_GROUP,
	SIM_RAISE,
	SIM_DELETE,
	SIM_DAILY,
	SIM_CORRECT,
	SIM_BULK,
	SIM_HEAVY,
	SIM_READER,
	SIM_AT_HUB,
	SIM_BOTH,
	SIM_RESOLVE,
	SIM_COLUMN,
	SIM_SHARE,
	SIM_CHILD,
	/* the line */
	SIM_LINE_CUT,
	SIM_HUB_AWAY,
	SIM_LOSE_REQUEST,
	SIM_LOSE_REPLY,
	SIM_DELAY,
	SIM_DUPLICATE,
	SIM_REPLAY,
	SIM_OLD_REPLY,
	SIM_TRUNCATE,
	SIM_FLIP,
	SIM_PORTAL,
	SIM_ONE_WAY,
	SIM_GARBLE_REQUEST,
	SIM_GARBLE_REPLY,
	SIM_CROWD,
	/* clocks */
	SIM_STEP,
	SIM_DRIFT,
	SIM_YEAR_1970,
	SIM_SUSPEND,
	/* processes and disks */
	SIM_RESTART,
	SIM_KILL,
	SIM_POWER,
	SIM_DISK_FULL,
	SIM_LIE,
	SIM_ROT,
	/* administrators */
	SIM_MOVE,
	SIM_REGRANT,
	SIM_FORGET,
	SIM_RESTORE,
	SIM_CLONE,
	SIM_HUB_RESTORE,
	SIM_FAR_AHEAD,
	/* somebody with a valid key of another facility */
	SIM_THIEF,
	SIM_KINDS,
};

/* Which of the peers it happens to. */
enum sim_whom { SIM_NODES = 1, SIM_HUB = 2, SIM_ANY = SIM_NODES | SIM_HUB };

struct sim_kind_info {
	const char *name;
	enum sim_whom whom;
	unsigned per_day10; /* tenths of an event a peer and day, on average */
	unsigned per_mille; /* of the seeds that have it */
	bool fault;         /* the shrinker tries to do without it first */
	const char *off;    /* why no seed has it; NULL: seeds have it */
};

/* By kind. */
extern const struct sim_kind_info sim_kinds[SIM_KINDS];

/* The kind of that name, or SIM_KINDS. */
enum sim_kind sim_kind_find(const char *name);

/* What the product did about it; counted behind the kinds. */
enum sim_count {
	SIM_DID_MEET = SIM_KINDS, /* a meeting went well */
	SIM_DID_SECOND_TRIP,      /* one took more than one round trip */
	SIM_DID_TIMEOUT,          /* a request was given up */
	SIM_DID_NONCE,            /* the hub asked for a fresh nonce, and got it */
	SIM_DID_SHOW_GRANT,       /* a hub that had forgotten the node took it in again */
	SIM_DID_REFUSE_REQUEST,   /* the hub refused a damaged request */
	SIM_DID_REFUSE_REPLY,     /* the node refused a damaged, foreign or old reply */
	SIM_DID_BACK_OFF,         /* two failures in a row */
	SIM_DID_RECOVER,          /* a database was opened after a crash */
	SIM_DID_STOP,             /* a process stopped because its disk failed */
	SIM_DID_REFUSE_TAP,       /* the domain refused an action */
	SIM_DID_CONFLICT,         /* an open conflict at the end */
	SIM_DID_REOPEN_SAME,      /* a restart under the same epoch */
	SIM_DID_NEW_EPOCH,        /* a restart under a new one */
	SIM_DID_CONVERGE,         /* all equal in the end */
	SIM_DID_LATE,             /* a reply came for a call that was given up */
	SIM_DID_PULL,             /* a node got records of others */
	SIM_DID_WAIT,             /* the status said that changes wait */
	SIM_DID_IN_SYNC,          /* ... in sync */
	SIM_DID_UNREACHABLE,      /* ... unreachable */
	SIM_DID_ATTENTION,        /* ... attention */
	SIM_DID_UNEVEN, /* with a step or a start its digest wasn't the one that the hub told */
	SIM_DID_CORRECT_CLOCK,  /* stamps were corrected by the hub's time */
	SIM_DID_STAMP_ANEW,     /* records from far ahead were written again by the hub's time */
	SIM_DID_GO_BACK,        /* a disk that lies lost what was committed */
	SIM_DID_GO_BACK_UNSEEN, /* ... and its anchor is of that time too */
	SIM_DID_ROT,            /* a bit of a segment turned */
	SIM_DID_HEAL_ROT,       /* a node made good what it couldn't read */
	SIM_DID_LEAVE_ROT,      /* verify tells of rot that nobody had to read */
	SIM_DID_SHARE,          /* a child is seen by another facility in the end */
	SIM_DID_LEAVE,          /* ... or has left one */
	SIM_DID_PASS_ON,        /* the hub wrote into a facility's scope itself */
	SIM_DID_REFUSE_THIEF,   /* it refused another facility's node who spoke for this one */
	SIM_COUNTS,
};

/* A word for a counter, a kind's or one of the above. */
const char *sim_count_name(unsigned count);

/* Must it have happened in a run of many seeds?  Not what is off. */
bool sim_count_wanted(unsigned count);

#endif /* TESTS_SIM_KIND_H */
