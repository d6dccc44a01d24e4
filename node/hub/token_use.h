/*
 * node/hub/token_use.h - when each token was last shown, of reading above all.
 *
 * Readers ask a thousand times a minute and mustn't write; so they note it in memory, and the
 * writing thread keeps it once a minute: one row for each token that was shown in it.  A hub that
 * dies in between has forgotten a minute of it.
 */
#ifndef NODE_TOKEN_USE_H
#define NODE_TOKEN_USE_H

#include "node/hub/token.h"

enum {
	TOKEN_USE_KEPT_MS = 60 * 1000,
	TOKEN_USES =
	        64, /* tokens in a minute; of more the one that was shown longest ago is lost */
};

/* It was shown and is valid.  From any thread. */
void token_use_note(const char id[TOKEN_ID], int64_t now_ms);

/* Keep what was noted since, if it is time (`mono_ms`) or `now`; in the caller's transaction or its
 * own.  Writes nothing if nothing was. */
MUST_CHECK int token_use_keep(struct store_db *db, int64_t mono_ms, bool now, struct err *err);

#endif /* NODE_TOKEN_USE_H */
