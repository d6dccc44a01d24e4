/*
 * sync/merge/law_priv.h - what of a change its writer may say.
 *
 *   the writer may write the scope (its grant)              else the whole unit is kept aside
 *   it says only what it wrote itself, unless it is the hub  likewise
 *   an inserted row's scope column names the stream's scope; one in the key does so always
 *   a changed row belongs to the stream's scope, or is seen in it, too (sync/merge/share.h)
 *   a verdict's key names the stream's scope or none (store/verdict_priv.h)
 *   (of these three the hub is free: it says who sees a row)
 *   a row that is the hub's, and a column that only the hub may write, come from the hub (an insert
 *   may carry the column's default)
 *   an event is inserted and no more: its max columns may grow, where two devices met in one row
 *
 * The first two are asked of a unit (sync/merge/apply.c), the others here, of each change.  Where
 * the hub has another row than the writer shows, it writes it again as it is here
 * (sync/seal/seal_back.c), so that the writer converges.
 */
#ifndef SYNC_LAW_PRIV_H
#define SYNC_LAW_PRIV_H

#include "sync/merge/apply_priv.h"

/* What the table here says of a change's schema; set the unit, zero the rest, and keep it for the
 * changes of that unit. */
struct sync_law {
	struct sync_apply *u;
	const struct store_schema *schema, *rules;
	bool by_hub;          /* the hub says it */
	bool is_verdict;      /* a row of yz_verdict */
	int scope_at;         /* the scope column, by position in `schema`; -1: none */
	uint64_t hub_columns; /* by position in `schema` */
	uint64_t growing;     /* likewise: max columns */
	/* the last row whose scope was the stream's: the next mostly says it with the same bytes */
	const uint8_t *scope_bytes;
	size_t scope_len;
	bool shared; /* of the latest change: its row may be another scope's */
};

/* Does the hub say it? */
bool sync_law_is_hubs(const struct sync_apply *u);

/*
 * Take out of the change what may not be applied to its row, and *reason says why; NULL if all of
 * it may.  Of an insert, which says all cells of its schema, what is taken out becomes NULL; where
 * nothing may be applied, its mask is empty.  At the hub law->u->wrong has what is to be answered.
 */
MUST_CHECK int sync_law_judge(struct sync_law *law, struct store_change *c,
                              const struct store_row *row, const char **reason, struct err *err);

#endif /* SYNC_LAW_PRIV_H */
