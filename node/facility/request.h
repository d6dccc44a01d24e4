/*
 * node/facility/request.h - what parents have asked for and nobody has answered yet: leave,
 * medicine, bookings, rights to fetch a child, and courses that they have bought, as the platform
 * wrote them (POST /v1/records at the hub).
 *
 * What staff took themselves, at the door or by telephone, isn't among them: who took it has
 * agreed.  What is over isn't either, nor a right that was revoked.  What was changed after it was
 * answered waits again (answer.h).
 */
#ifndef NODE_FACILITY_REQUEST_H
#define NODE_FACILITY_REQUEST_H

#include "node/facility/record.h"

#include "store/base/arena.h"

/* Their numbers are in SQL. */
enum request_kind {
	REQUEST_LEAVE,
	REQUEST_MEDICINE,
	REQUEST_BOOKING,
	REQUEST_PICKUP,
	REQUEST_ORDER,
	REQUEST_KINDS
};

enum { REQUESTS_LISTED = 50, REQUEST_WORDING = 40 };

/* Texts live in the arena, "" if nothing was said. */
struct request {
	enum request_kind kind;
	uint8_t id[STORE_ID];
	const char *who;               /* the child, or whoever books */
	const char *what_zh, *what_en; /* type of leave, drug and dose, kind of booking, who may
	                                  fetch her, course and places */
	const char *words;             /* of the parent */
	const char *wording;           /* which one it is; to be given back with the answer */
	int64_t from, to;              /* dates; 0: not said */
};

struct requests {
	struct request *list;
	size_t count;    /* at most REQUESTS_LISTED */
	int64_t waiting; /* all there are */
};

/* Those that wait on `date`, of each kind the soonest first; all lives in `a`. */
MUST_CHECK int facility_requests(struct facility *f, int date, struct arena *a,
                                 struct requests *out, struct err *err);

/* An answer of a person who has seen it in the list. */
struct request_answer {
	int64_t at;
	enum request_kind kind;
	const uint8_t *id;
	bool accepts;
	const char *note;    /* "" or NULL: nothing */
	const char *wording; /* as it was in the list; NULL: whatever it is now */
};

/*
 * Answer it, by the door (record.h).  What was answered so already is done.  ERR_NOTFOUND if there
 * is no such request, ERR_BUSY if it was answered otherwise meanwhile, ERR_DENIED if what is asked
 * isn't any more what the person has seen.
 */
MUST_CHECK int facility_request_answer(struct facility *f, const struct request_answer *in,
                                       struct err *err);

#endif /* NODE_FACILITY_REQUEST_H */
