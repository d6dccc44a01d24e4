/*
 * store/lost_priv.h - who gives a table up says why, and who tracks it again or drops it
 * knowingly takes that back.
 */
#ifndef STORE_LOST_PRIV_H
#define STORE_LOST_PRIV_H

#include "store/base/buf.h"
#include "store/lost.h"

MUST_CHECK int store_lost_note(struct store_db *db, const char *table, const char *why,
                               struct err *err);
MUST_CHECK int store_lost_forget(struct store_db *db, const char *table, struct err *err);

/* Append the reason; ERR_NOTFOUND if there is none. */
MUST_CHECK int store_lost_why(struct store_db *db, const char *table, struct buf *why,
                              struct err *err);

#endif /* STORE_LOST_PRIV_H */
