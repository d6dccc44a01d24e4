/*
 * node/facility/seats.h - who may give out which place, so that a facility that
 * is off line never promises one twice.
 *
 *   hub                                     a facility's node
 *   seats_grant      capacity, then units
 *                    of it to a holder  --> facility_book    takes one of its own
 *   seats_answer     grants what is asked <-- seats_ask      wants so many free ones
 *   seats_take_back  asks for them      --> seats_settle     gives back what is unused
 *   ... override     takes them, logged     seats_give_back  the same, by itself
 *
 * A unit is a row (grant_id, no) of seat_unit.  grant_id is a hash of facility, resource and
 * period: whoever makes the same capacity twice, be it a hub that was put back, makes the same
 * rows, so that two who use one place meet in one cell and people see a conflict.
 *
 * A holder is a site: node id and epoch.  A file that was put back or copied goes on under a new
 * epoch, which holds nothing until the hub has granted anew.  The same is true of the hub: in a new
 * life it gives out nothing until somebody has said so (seats_resume).
 *
 * A unit is free if no booking has it: neither by its cell used_by nor by the booking's own word.
 *
 * All of these run on a LOCAL connection in the caller's transaction.
 */
#ifndef NODE_FACILITY_SEATS_H
#define NODE_FACILITY_SEATS_H

#include "node/facility/record.h"
#include "store/catalog.h"

#include <stdbool.h>

enum {
	SEATS_HOLDER = STORE_NODE_ID + STORE_EPOCH,
	SEATS_GRANT = 16,    /* bytes of a grant_id */
	SEATS_MAX = 10000,   /* units of one resource */
	SEATS_TEXT_MAX = 64, /* bytes of a resource or a period */
};

/* Which places: texts are borrowed. */
struct seats_kind {
	const char *facility;
	const char *resource; /* drop-in, a class, the id of a session ... */
	const char *period;   /* a day, a month; "" if there is none */
};

/* ERR_INVALID names what can't be. */
MUST_CHECK int seats_check(const struct seats_kind *kind, struct err *err);

/* Their grant_id. */
void seats_grant_id(const struct seats_kind *kind, uint8_t id[SEATS_GRANT]);

/* This file's own site as a holder. */
MUST_CHECK int seats_self(struct store_db *db, uint8_t holder[SEATS_HOLDER], struct err *err);

/* A unit, by its key. */
struct seats_unit {
	uint8_t grant[SEATS_GRANT];
	int64_t no;
};

/* One of this file's own free units: ERR_DENIED, with the sentence for people, if there is none. */
MUST_CHECK int seats_find(struct store_db *db, const struct seats_kind *kind,
                          struct seats_unit *unit, struct err *err);

/* The booking has this unit now. */
MUST_CHECK int seats_use(struct store_db *db, const struct seats_unit *unit,
                         const uint8_t booking[STORE_ID], struct err *err);

/* It no longer has it; another booking that names the same unit gets it. */
MUST_CHECK int seats_leave(struct store_db *db, const uint8_t booking[STORE_ID], struct err *err);

/* ---- at a node ---- */

/* Want `wanted` free units at hand, now and whenever some are used.  ERR_NOTFOUND if the hub gives
 * out nothing of the kind. */
struct seats_ask {
	struct seats_kind kind;
	int64_t wanted;
	int64_t at;
};
MUST_CHECK int seats_ask(struct store_db *db, const struct seats_ask *in, struct err *err);

/* Give back up to `most` free units of our own (-1: all); *back says how many. */
MUST_CHECK int seats_give_back(struct store_db *db, const struct seats_kind *kind, int64_t most,
                               int64_t *back, struct err *err);

/* Is there something for seats_settle() to give back?  Needs no transaction. */
MUST_CHECK int seats_unsettled(struct store_db *db, bool *yes, struct err *err);

/* Give back what the hub asks for and nobody uses. */
MUST_CHECK int seats_settle(struct store_db *db, struct err *err);

/* ---- at the hub ---- */

struct seats_grant {
	struct seats_kind kind;
	int64_t cap;           /* how many there are; -1: as many as before.  It only grows. */
	int64_t units;         /* so many of them go to `to`; may be 0 */
	const uint8_t *holder; /* SEATS_HOLDER bytes; NULL if units is 0 */
};
/* ERR_DENIED if the hub hasn't so many free ones, or is in a new life. */
MUST_CHECK int seats_grant(struct store_db *db, const struct seats_grant *in, struct err *err);

struct seats_take_back {
	struct seats_kind kind;
	const char *node;   /* first hex digits of the holder's node ... */
	const char *epoch;  /* ... and of its epoch; "" for any */
	int64_t leave;      /* so many free ones stay; without an override */
	const char *reason; /* override: don't ask, take; NULL: ask */
	const char *by;     /* override: who says so */
	int64_t at;         /* override: when */
};
/* *count: how many units it is about.  With an override those that are in use come too, and their
 * bookings stand. */
MUST_CHECK int seats_take_back(struct store_db *db, const struct seats_take_back *in,
                               int64_t *count, struct err *err);

/* A hub that was put back or copied gives out seats again, also those that its earlier lives had
 * kept; *count of them.  Logged like an override.  *waited: it gave out none until now; one that
 * gives already still takes what it has learnt of its earlier lives since. */
MUST_CHECK int seats_resume(struct store_db *db, const struct seats_take_back *why, bool *waited,
                            int64_t *count, struct err *err);

/* Was this hub put back, so that it waits for seats_resume() before it gives out seats? */
MUST_CHECK int seats_paused(struct store_db *db, bool *yes, struct err *err);

/* The node has come: is there something for seats_answer() to do?  Needs no transaction. */
MUST_CHECK int seats_asked(struct store_db *db, const uint8_t node[STORE_NODE_ID], bool *yes,
                           struct err *err);

/* Take what was given back, and grant what the node asks for in its present life, as far as there
 * is. */
MUST_CHECK int seats_answer(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                            struct err *err);

/*
 * A booking that the platform has written: if it names a grant, it gets one of the hub's own free
 * units, or the one that it names, or loses it if it is cancelled.  ERR_DENIED if there is none.
 */
MUST_CHECK int seats_confirm(struct store_db *db, const uint8_t booking[STORE_ID], struct err *err);

/* ---- everywhere ---- */

/* What one holder has of one kind; texts and bytes are borrowed until the next. */
struct seats_line {
	struct seats_kind kind;
	int64_t cap;
	const uint8_t *holder; /* SEATS_HOLDER bytes */
	bool self;             /* the holder is this file, in its present life */
	bool earlier;          /* ... or an earlier life of this file */
	int64_t free, used, returned, recalled;
	int64_t wanted; /* -1: nothing was asked */
	int64_t twice;  /* units that more than one booking names */
};
/* For each, by facility, resource, period; `facility` NULL: all. */
MUST_CHECK int seats_list(struct store_db *db, const char *facility,
                          void (*line)(void *ctx, const struct seats_line *line), void *ctx,
                          struct err *err);

/* How many seats more than one booking has. */
MUST_CHECK int seats_twice(struct store_db *db, int64_t *count, struct err *err);

/* A seat that is marked as used by a booking that isn't there: nobody can book it, and nobody
 * comes.  Texts are borrowed until the next. */
struct seats_orphan {
	struct seats_kind kind;
	int64_t no;
};
/* For each, by facility, resource, period. */
MUST_CHECK int seats_orphans(struct store_db *db,
                             void (*tell)(void *ctx, const struct seats_orphan *orphan), void *ctx,
                             struct err *err);

#endif /* NODE_FACILITY_SEATS_H */
