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
	struct store_value shown, wrote;   /* as the row is; as the person would have it */
	const struct store_stale_word *by; /* NULL: the person has just said it, here */
};

/*
 * The row, new with it, in which somebody said what the row above doesn't show.  Its version is the
 * loser's, so that every replica that keeps the entry knows it by one id, and a verdict closes all.
 */
struct store_stale_word {
	const char *table;
	const uint8_t *key; /* canonical */
	size_t key_len;
};

/* Keep it.  ERR_INVALID if that table or column isn't tracked.  In a transaction that writes.
 * Said in a row: nothing is kept while that row, or the one it is about, waits to be sealed (the
 * seal would close it), nor if a conflict of that column and value is kept already. */
MUST_CHECK int store_stale_keep(struct store_db *db, const struct store_stale *stale,
                                struct err *err);

/* What was said in a row is no longer in question: resolved, if it was kept. */
MUST_CHECK int store_stale_let_go(struct store_db *db, const struct store_stale *stale,
                                  struct err *err);

#endif /* STORE_STALE_H */
