/*
 * node/facility/today.h - who is expected, here, gone or away on a day, class by
 * class: what the first page shows and the demo's board counts.
 *
 * Reads only; any connection will do.
 */
#ifndef NODE_FACILITY_TODAY_H
#define NODE_FACILITY_TODAY_H

#include "node/facility/record.h"

#include "store/base/arena.h"

/* in the order in which the page lists them within a class */
enum today_state { TODAY_EXPECTED, TODAY_PRESENT, TODAY_LEFT, TODAY_ABSENT, TODAY_STATES };

/* Somebody who may take a child home today. */
struct today_adult {
	uint8_t id[STORE_ID];
	const char *name;
	const char *relation; /* "" if not said */
};

struct today_child {
	uint8_t id[STORE_ID];
	uint8_t enrollment[STORE_ID];
	uint8_t event[STORE_ID]; /* the attendance event that made her state; valid if PRESENT or
	                            LEFT */
	const char *name;
	enum today_state state;
	int64_t in_at, out_at; /* first in, last out; 0: none */
	int card;              /* of the latest morning check; 0: none */
	int reason;            /* of her absence, if there is one; 0: none */
	const char *reason_zh, *reason_en;
	const char *allergies_zh, *allergies_en; /* or "" */
	const struct today_adult *adults;
	size_t adult_count;
};

struct today_counts {
	int64_t enrolled;
	int64_t by_state[TODAY_STATES];
};

struct today_class {
	const uint8_t *id; /* NULL: children without a class */
	const char *name;
	int kind;
	int64_t cap; /* 0: unknown */
	struct today_counts n;
	const struct today_child *children;
};

struct facility_today {
	int date;
	struct today_counts n;
	int64_t checks; /* health checks recorded */
	int64_t visits; /* visits without enrolment */
	const struct today_class *classes;
	size_t class_count;
};

/* Read the whole day; everything lives in `a`. */
MUST_CHECK int facility_today(struct facility *f, int date, struct arena *a,
                              struct facility_today *out, struct err *err);

/* Only how many are here now: children enrolled plus visitors who haven't left. */
MUST_CHECK int facility_present(struct facility *f, int date, int64_t *present, struct err *err);

#endif /* NODE_FACILITY_TODAY_H */
