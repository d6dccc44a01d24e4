/*
 * sync/seal/relay.h - rows as they stand here, said again in a stream of ours with the
 * stamps, sites and causal lengths that they have.
 *
 *   the row here                          what is written
 *   lives, its insert is known            the insert; an update for each other write that shows
 *   lives, its insert hasn't come yet     the updates
 *   is dead                               the delete; an update of its max cells
 *
 * Whoever merges all of them has at least what is here: of a write that no longer shows nothing is
 * said, and a cell of the insert's that was written over has, as the insert's, the value that shows
 * (of a max cell: none), which the write that shows beats anyway.
 *
 * The units are of kind relay.  Their changes are grouped by what their writers had seen, so that
 * who lost against whom unseen is told as if the writers' own units had come; that they came is
 * noted as if they were streams (store/stream.h): a stream of the writer with no records.  A
 * relay's `seen` is always its own and is not what the next unit's "as before" means.
 *
 * The hub may say what anybody wrote; a node only what it wrote itself, in any of its lives: of
 * other writes it says nothing, and said by it they would be kept aside.
 */
#ifndef SYNC_RELAY_H
#define SYNC_RELAY_H

#include "sync/replica.h"

struct sync_relay {
	struct sync_replica *r;
	int scope; /* the stream's; the rows may be of another */
	/* Only what this site wrote with these stamps; 0: what anybody did. */
	int site;
	int64_t from, to;
	/* What those writes had seen (sync/seen.h); NULL: what this file knows of each. */
	const uint8_t *seen;
	size_t seen_len;
	int64_t changes; /* counted here */
};

/*
 * Write them.  `rows` (table and key set, the rest zero) are distinct and in the order of
 * store_row_sort; they are read here.  Rows nobody has heard of are left out, and those
 * whose values aren't what their versions say (changed without capture, or rotten); nothing is
 * written if nothing is left.  In a transaction, with nothing in the log (after sync_ingest_begin,
 * or sync_seal).
 */
MUST_CHECK int sync_relay(struct sync_relay *what, struct store_row **rows, size_t count,
                          struct err *err);

/* Writes of a site that came to a scope by a relay. */
struct sync_heard {
	int site, scope;
	int64_t first, last; /* stamps */
	const uint8_t *seen; /* what they had seen */
	size_t seen_len;
};

/* Note them: whoever writes in that scope from here on has seen them. */
MUST_CHECK int sync_relay_note(struct store_db *db, const struct sync_heard *heard,
                               struct err *err);

#endif /* SYNC_RELAY_H */
