/*
 * node/hub/admin.h - who may sign in at the hub's own page, /fleet.
 *
 * A password is made here, 100 random bits as 20 characters of Crockford's
 * base32, and shown once; the hub keeps its argon2id hash.  So nobody's habit of
 * choosing passwords counts, and guessing is out of reach even of who has the
 * file; the slow hash stands for the day on which people may choose.
 */
#ifndef NODE_ADMIN_H
#define NODE_ADMIN_H

#include "store/base/arena.h"
#include "store/stmt.h"

#include <stdbool.h>

enum {
	ADMIN_NAME = 33,     /* bytes of a name, with its zero */
	ADMIN_PASSWORD = 24, /* XXXXX-XXXXX-XXXXX-XXXXX and a zero */
	ADMIN_TYPED = 64,    /* what somebody may have typed */
};

/*
 * Make an administrator, or a new password for one: then the old one, and who is signed in with
 * it, opens nothing any more.  `expires_ms` 0: never.  ERR_INVALID if the name can't be one or
 * the expiry is past.
 */
MUST_CHECK int admin_new(struct store_db *db, const char *name, int64_t expires_ms, int64_t now_ms,
                         char password[ADMIN_PASSWORD], struct err *err);

/* From now on the name opens nothing, signed in or not.  ERR_NOTFOUND if there is none. */
MUST_CHECK int admin_revoke(struct store_db *db, const char *name, int64_t now_ms, struct err *err);

/* Is it that one's password, now?  1 or 0; takes as long whether there is such a name or not. */
MUST_CHECK int admin_check(struct store_db *db, const char *name, const char *typed, int64_t now_ms,
                           struct err *err);

/* Texts live in the arena; times 0: none. */
struct admin_entry {
	const char *name;
	int64_t created_ms, expires_ms, revoked_ms;
	int64_t came_ms; /* last signed in */
};

/* All that there ever were, by name. */
MUST_CHECK int admin_list(struct store_db *db, struct arena *a, struct admin_entry **list,
                          size_t *count, struct err *err);

#endif /* NODE_ADMIN_H */
