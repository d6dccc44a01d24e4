/*
 * node/facility/word.h - what people said of one thing without knowing of each other.
 *
 * An allergy is active, or not; an enrolment has a status.  Both are cells, and of two cells that
 * were written without knowing of each other the later one shows.  That is wrong here: an
 * allergy that somebody tells must not go because somebody else, with a later clock, struck out the
 * one that he knew; and a child who has left doesn't come back by a slip at another desk.  So each
 * write is also a row of its own, by triggers that run in any program (schema.sql):
 *
 *   allergy_word     active     1 wins
 *   enrollment_step  status     the one that is further on wins
 *
 * A word ends those that its file has.  So what stands is a function of the rows that a replica
 * has, in whatever order they came: the greatest of the words that nobody has ended.  Of one file's
 * words only the last is left; several are left if their writers knew nothing of each other.
 *
 * After a meeting the cell is written to fit, without saying a word of our own: what the program
 * concludes is not what somebody has said, and whoever strikes out all words that there are must
 * not find another.  If that writing crosses such a word and is later, it is taken back.  What a
 * person said and the row doesn't show is an open conflict of it.
 *
 * Only of things of which several words are left is the cell changed.  What a program wrote
 * that is older than these tables says no word, and stands as it did.
 */
#ifndef NODE_FACILITY_WORD_H
#define NODE_FACILITY_WORD_H

#include "store/base/err.h"
#include "store/db.h"

#include <stdbool.h>

/* May there be something for word_settle() to do?  Needs no transaction. */
MUST_CHECK int word_unsettled(struct store_db *db, bool *yes, struct err *err);

/*
 * Let each such cell say what stands, keep an open conflict for what doesn't, and close those that
 * are in question no more; on a STORE_LOCAL connection, in the caller's transaction.  A child who
 * has left the facility is let be (store/share.h).  What has just been written, or waits to be
 * sealed, gets its conflict with the next call after the seal.
 */
MUST_CHECK int word_settle(struct store_db *db, struct err *err);

#endif /* NODE_FACILITY_WORD_H */
