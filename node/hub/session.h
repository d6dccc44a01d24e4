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
#include "node/pace.h"
#include "store/base/buf.h"

enum {
	SESSION_MS = 8 * 3600 * 1000, /* a working day */
	SESSION_TEXT = 65,            /* hex digits and a zero */
	SESSION_TRIES = 10,           /* of one address: looked at in one go ... */
	SESSION_TRY_MS = 6000,        /* ... and then one in so long */
	SESSION_ALL_TRIES = 30,       /* of all that never signed in: the same, since each costs */
	SESSION_ALL_TRY_MS = 1000,    /* 19 MiB and 30 ms of the writing thread */
	SESSION_PEERS = 256, /* addresses that are remembered; the least busy is forgotten */
	SESSION_PEER = 46,   /* an IPv6 address and a zero */
	SESSION_LOG_DAYS = 180,
	SESSION_LOG_REFUSED = 20000, /* refusals that are kept, at the most */
};

/*
 * How many passwords may still be looked at.  Each address has its own (of IPv6 a /64, which is one
 * house), so nobody uses up another's; and those from which nobody ever signed in have some
 * together, so that ever new addresses don't keep the hub busy.  An administrator who comes from
 * where they came before doesn't meet that.
 */
struct session_tries {
	struct pace_spent all;
	struct session_of {
		char peer[SESSION_PEER];
		struct pace_spent spent;
	} of[SESSION_PEERS];
};

/* Take one of `peer`'s, who signed in before (`known`) or never did; 0, or after how many seconds
 * to come again. */
int session_try(struct session_tries *tries, const char *peer, bool known, int64_t mono_ms);

/* Has anybody signed in from there, as the log has it?  1 or 0. */
MUST_CHECK int session_known(struct store_db *db, const char *peer, struct err *err);

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

/* The same of who decided something at the hub's own machine, now; in the caller's transaction or
 * its own. */
MUST_CHECK int session_log_decided(struct store_db *db, const char *who, const char *what,
                                   struct err *err);

/* Texts live in the arena. */
struct session_entry {
	int64_t at_ms;
	const char *admin, *peer;
	const char *what; /* signed in, refused, left, or what was decided about a node's late
	                     records */
};

/* The newest `limit` of the log, newest first. */
MUST_CHECK int session_log(struct store_db *db, int64_t limit, struct arena *a,
                           struct session_entry **list, size_t *count, struct err *err);

/* The same as a JSON array: [{"at","admin","peer","what"}]. */
MUST_CHECK int session_log_json(struct store_db *db, int64_t limit, struct buf *out,
                                struct err *err);

#endif /* NODE_SESSION_H */
