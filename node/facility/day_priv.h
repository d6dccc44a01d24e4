/* node/facility/day_priv.h - the roster as the simulated day sees it, its dice, and the list it
 * fills. */
#ifndef NODE_FACILITY_DAY_PRIV_H
#define NODE_FACILITY_DAY_PRIV_H

#include "node/facility/day.h"

/* splitmix64: small, and the same on every machine. */
struct dice {
	uint64_t state;
};

struct day_child {
	uint8_t id[STORE_ID];
	const uint8_t *class_id; /* NULL: none */
	const char *name;
	int sex, months, service;
	const uint8_t *carer;        /* staff of her class, NULL if nobody */
	const uint8_t *guardians[4]; /* who fetches her */
	size_t guardian_count;

	/* today, in minutes; 0: not at all */
	int in, out;
	bool sick;
	size_t number; /* in the list, for her own dice */
};

struct day_class {
	uint8_t id[STORE_ID];
	int kind;
	const uint8_t *carer;
};

struct day_staff {
	uint8_t id[STORE_ID];
	int role;
	const uint8_t *class_id;
};

struct day {
	struct facility *f;
	struct arena *a;
	int date;
	uint64_t seed;

	struct day_class *classes;
	size_t class_count;
	struct day_child *children;
	size_t child_count;
	struct day_staff *staff;
	size_t staff_count;
	const uint8_t *health_worker, *cook, *director; /* NULL if there is none */

	struct facility_action *list;
	size_t count, room;
	bool full;                    /* out of memory */
	struct facility_action spare; /* what is written to then */
};

/* Dice of their own for each purpose and person, so that one more child changes nobody else's day.
 */
struct dice dice_new(const struct day *d, const char *purpose, size_t number);

/* 0..n-1 */
unsigned dice_below(struct dice *x, unsigned n);

/* Happens in `per_mille` of 1 000. */
bool dice_happens(struct dice *x, unsigned per_mille);

/* About a normal with this mean and deviation, within three deviations. */
int dice_around(struct dice *x, int mean, int deviation);

/* Read classes, children and staff, by name. */
MUST_CHECK int day_load(struct day *d, struct err *err);

/* Median weight and length of a child of this age and sex, from growth_ref; 0 if it knows none. */
MUST_CHECK int day_median(struct day *d, const struct day_child *c, int64_t *weight_g,
                          int64_t *length_mm, struct err *err);

/*
 * The next action, at a second of this minute.  Set it before the next call, which may move it.
 * Never NULL.
 */
struct facility_action *day_add(struct day *d, enum facility_do what, int minute,
                                const uint8_t *by);

/* The parts of a plan. */
MUST_CHECK int day_plan_children(struct day *d, struct err *err);
MUST_CHECK int day_plan_house(struct day *d, struct err *err);
MUST_CHECK int day_plan_station(struct day *d, struct err *err);

/* Is she here at this minute? */
bool day_here(const struct day_child *c, int minute);

#endif /* NODE_FACILITY_DAY_PRIV_H */
