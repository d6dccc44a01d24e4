/*
 * node/doctor.h - is this installation well?
 *
 *     files     the directory, the key and the settings: there, ours; and what holds records or
 *               says who we are: not open to others
 *     disk      one that can hold a database; room left; the reserve
 *     database  its pages and indexes; rows that break a rule of their table
 *     tables    what is tracked, and what the program itself uses, and somebody took away
 *     capture   the triggers of every tracked table
 *     rows      rows that were changed without capture
 *     seats     of which more than one booking stands; a hub that waits to be told
 *     hub rows  where rows differ from the hub's, or did
 *     clock     against the hub's
 *     hub       does it answer at its address?
 *     sqlite    other SQLites on this machine that are old enough to spoil a WAL
 *
 * Each finding is one line that says what to do; a check without one tells one
 * line that says so.
 */
#ifndef NODE_DOCTOR_H
#define NODE_DOCTOR_H

#include "store/base/env.h"
#include "store/base/err.h"

#include <stdbool.h>

enum doctor_state {
	DOCTOR_WELL,
	DOCTOR_HINT,   /* works, and may not for ever */
	DOCTOR_ILL,    /* a person has to do something */
	DOCTOR_MENDED, /* was ill; the examination has put it right */
};

struct doctor_finding {
	const char *check; /* the word above */
	enum doctor_state state;
	const char *what;
	const char *todo; /* "" if nothing is; never of a hint or an ill one */
};
typedef void doctor_tell(void *ctx, const struct doctor_finding *finding);

struct doctor {
	const char *dir;
	const struct env *env;
	bool mend; /* put right what is safe: permissions, the reserve, triggers */
	doctor_tell *tell;
	void *ctx;
};

/* "well", "hint", "ill", "mended". */
const char *doctor_state_word(enum doctor_state state);

/*
 * Examine DIR and tell what is found.  A part that can't be looked at is a finding, not an error:
 * ERR_NOTFOUND only if DIR holds no node, ERR_NOMEM.
 */
MUST_CHECK int doctor_examine(struct doctor *d, struct err *err);

#endif /* NODE_DOCTOR_H */
