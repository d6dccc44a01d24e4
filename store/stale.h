/*
 * store/stale.h - a value that somebody wrote into a form, over one that had
 * moved since the form showed it.
 *
 * The row stays as it is, and what the person wrote becomes an open conflict of
 * it (store/inbox.h): as if it had been written without having seen the other,
 * which it was.  It is this file's alone until somebody decides.
 */
#ifndef STORE_STALE_H
#define STORE_STALE_H

#include "store/inbox.h"

struct store_stale {
	const char *scope; /* the row's */
	const char *table;
	const uint8_t *key; /* canonical */
	size_t key_len;
	const char *column;
	struct store_value shown, wrote; /* as the row is; as the person would have it */
};

/* Keep it.  ERR_INVALID if that table or column isn't tracked.  In a transaction that writes. */
MUST_CHECK int store_stale_keep(struct store_db *db, const struct store_stale *stale,
                                struct err *err);

#endif /* STORE_STALE_H */
