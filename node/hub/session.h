/*
 * node/hub/session.h - who is signed in at the hub's page, and who tried.
 *
 * A session is 32 random bytes in the browser's cookie; the hub keeps their hash,
 * so a copy of the file signs nobody in.  It ends after SESSION_MS, when its
 * administrator is revoked or given a new password, or when they leave.
 */
#ifndef NODE_SESSION_H
#define NODE_SESSION_H

#include "node/hub/admin.h"
#include "store/base/buf.h"

enum {
	SESSION_MS = 8 * 3600 * 1000, /* a working day */
	SESSION_TEXT = 65,            /* hex digits and a zero */
	SESSION_TRIES = 10,           /* passwords that are looked at in one go ... */
	SESSION_TRY_MS = 6000,        /* ... and then one in so long */
	SESSION_LOG_DAYS = 180,
};

/* How many passwords may still be looked at: of all who try, since each costs 19 MiB and 30 ms of
 * the writing thread.  Zeroed: all. */
struct session_tries {
	int64_t spent_ms; /* as long as the spent ones take to come back */
	int64_t at_ms;    /* mono: when that was so */
};

/* Take one; 0, or after how many seconds to come again. */
int session_try(struct session_tries *tries, int64_t mono_ms);

/* Who tries, and from where; borrowed. */
struct session_ask {
	const char *name, *password;
	const char *peer;
};

/* Look at a name and a password and write down what came of it: 1 and a new session, or 0. */
MUST_CHECK int session_begin(struct store_db *db, const struct session_ask *ask, int64_t now_ms,
                             char session[SESSION_TEXT], struct err *err);

/* Whose session is it?  1 and the name, or 0. */
MUST_CHECK int session_check(struct store_db *db, const char *session, int64_t now_ms,
                             char name[ADMIN_NAME], struct err *err);

/* End it, if it is one. */
MUST_CHECK int session_end(struct store_db *db, const char *session, const char *peer,
                           int64_t now_ms, struct err *err);

/* Write down what somebody did, in the caller's transaction. */
MUST_CHECK int session_log_add(struct store_db *db, const struct session_ask *ask, const char *what,
                               int64_t now_ms, struct err *err);

/* Append the newest `limit` tries as a JSON array, newest first: [{"at","admin","peer","what"}];
 * what: signed in, refused, left, or what was decided about a node's late records. */
MUST_CHECK int session_log_json(struct store_db *db, int64_t limit, struct buf *out,
                                struct err *err);

#endif /* NODE_SESSION_H */
