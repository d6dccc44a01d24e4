/*
 * node/facility/agreed.h - what was accepted and is for today: medicine to be given, bookings who
 * are to come, courses to be held.  Each is there until somebody has said that it was done; the
 * hub's feed tells the platform.
 *
 * Medicine that staff took at the door is among it: nobody else would remind them.
 */
#ifndef NODE_FACILITY_AGREED_H
#define NODE_FACILITY_AGREED_H

#include "node/facility/record.h"

#include "store/base/arena.h"

/* Their numbers are in SQL. */
enum agreed_kind { AGREED_MEDICINE, AGREED_BOOKING, AGREED_COURSE };

enum { AGREED_LISTED = 50, AGREED_SLOTS = 64 };

/* Texts live in the arena, "" if nothing was said. */
struct agreed {
	enum agreed_kind kind;
	uint8_t id[STORE_ID];
	const char *who;
	const char *what_zh, *what_en; /* drug and dose, kind of booking, course and places */
	const char *words;             /* of the parent */
	int64_t at;                    /* of a booking; 0: not said */
	uint64_t due, given;           /* medicine: a bit for each quarter hour from 06:00 */
	const char *wording;           /* which one was accepted; to be given back with the word */
};

struct agreed_list {
	struct agreed *list;
	size_t count; /* at most AGREED_LISTED */
	bool more;
};

/* That of `date`, medicine first; all lives in `a`. */
MUST_CHECK int facility_agreed(struct facility *f, int date, struct arena *a,
                               struct agreed_list *out, struct err *err);

/* "08:15" of quarter hour `slot`. */
void facility_agreed_time(int slot, char out[8]);

enum agreed_said { AGREED_GIVEN, AGREED_CAME, AGREED_MISSED, AGREED_DONE, AGREED_SAYINGS };

/* What a person says of one that she has seen in the list. */
struct agreed_word {
	int64_t at;
	enum agreed_said said;
	const uint8_t *id;
	int slot;            /* of medicine: which of its times; -1: from `at` */
	int date;            /* the day of the list; 0: that of `at` */
	const char *wording; /* as it was in the list; NULL: whatever it is now */
};

/*
 * Write it, by the door (record.h): a dose as the request has it.  What was said so already is
 * done. ERR_NOTFOUND if there is nothing of this id for today of which that can be said, or it
 * isn't any more what the person has seen: another day's, another wording, another time.
 */
MUST_CHECK int facility_agreed_say(struct facility *f, const struct agreed_word *word,
                                   struct err *err);

#endif /* NODE_FACILITY_AGREED_H */
