/*
 * store/verdict_priv.h - a verdict as rows of yz_verdict.
 *
 *   conflict   the conflict's id, 16 bytes; and behind it, in a file that knows of shared rows,
 *              the name of the scope
 *
 * Who sees a shared row has its conflicts under one id, and each decides for itself: without the
 * scope the rows of two facilities would have one key.  Where nothing is shared the bare id says as
 * much, and programs of before know nothing else.
 *
 * A facility's verdict closes the entry at its own nodes and at the hub, which is told all.  The
 * other facility's stays its own to decide, unless the verdict wrote another value: that is a write
 * that had seen both.  The hub decides for everybody: a row for each scope in which the row counts.
 */
#ifndef STORE_VERDICT_PRIV_H
#define STORE_VERDICT_PRIV_H

#include "store/verdict.h"

/* Say it of this conflict, which is decided here then. */
MUST_CHECK int store_verdict_write(struct store_db *db, const struct store_verdict *v,
                                   const struct store_conflict *c, struct err *err);

#endif /* STORE_VERDICT_PRIV_H */
