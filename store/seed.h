/*
 * store/seed.h - catalogue rows that every replica has from its first day.
 *
 * They come with the program, are written with triggers off, and are the same
 * everywhere without being sent: written by the reserved site 0, at the stamp
 * that their column `version` says.  This gives them their clocks, so that they
 * count in the digest and merge like any row once the hub changes them.
 */
#ifndef STORE_SEED_H
#define STORE_SEED_H

#include "store/catalog.h"

/*
 * Give every row of the tracked `table` that has no clock one of site 0, with the stamp of its
 * column `version` (1 and up).  In a MERGE transaction; the log must not hold these rows.
 */
MUST_CHECK int store_seed_adopt(struct store_db *db, const char *table, struct err *err);

#endif /* STORE_SEED_H */
