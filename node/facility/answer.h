/*
 * node/facility/answer.h - which answer of the facility stands to what parents have asked for.
 *
 * An answer and what it answers are cells that merge apart: one that was given off line comes
 * together with whatever the platform has changed meanwhile.  So a request has a `wording`, which
 * triggers of schema.sql change with what is asked, and an answer says of which wording it is
 * (`review_of`).  It holds only of that one; else the request waits again.
 *
 * review_of names the time of the answer, too: it is written with each answer, so that of two
 * answers which didn't know of each other the later one's wins in both cells.
 *
 * Rights to fetch a child are written by staff, too, who ask nobody; `asked` marks those of which
 * the platform has said something (node/hub/record_rules.h), and they alone wait.
 */
#ifndef NODE_FACILITY_ANSWER_H
#define NODE_FACILITY_ANSWER_H

#include "node/facility/request.h"

/* Does the answer of a request t hold; that of a booking t, which can only be confirmed
 * anew?  1 or 0, never NULL. */
#define ANSWER_HOLDS(t)                                                                            \
	"(" t ".wording IS NULL OR coalesce(" t ".review_of = " t ".wording || '@' || " t          \
	".reviewed_at, 0))"
#define ANSWER_BOOKING_HOLDS(t)                                                                    \
	"(" t ".wording IS NULL OR " t ".state <> 2 OR " t ".review_of IS " t ".wording)"

/* review_of of the answer that is being written; the parameter is its time. */
#define ANSWER_OF "coalesce(wording, '') || '@' || ?"
#define ANSWER_BOOKING_OF "coalesce(wording, '')"

/* A request as it is. */
struct answer {
	int64_t code;                  /* review; state of a booking */
	bool holds;                    /* that is said of what is asked now */
	char wording[REQUEST_WORDING]; /* "" if nothing was changed yet */
};

/* What is answered in that table; REQUEST_KINDS if nothing is. */
enum request_kind answer_kind(const char *table);

/* Read it, of that facility (NULL: any).  1, or 0 if there is none. */
MUST_CHECK int answer_read(struct store_db *db, enum request_kind kind, const uint8_t id[STORE_ID],
                           const char *facility, struct answer *out, struct err *err);

/* Nobody has answered what is asked now. */
bool answer_waits(enum request_kind kind, const struct answer *is);

#endif /* NODE_FACILITY_ANSWER_H */
