/*
 * store/verdict.h - a person decides a conflict.
 *
 * The decision is a row of yz_verdict, which is tracked in the conflict's scope
 * and closes the entry on every replica of that: writing the shown value once more
 * would log nothing.  The hub says it in every scope that sees the row.  Another value than the
 * shown one is also written to the row, as any program would write it.  Of a group all columns are
 * decided together.
 */
#ifndef STORE_VERDICT_H
#define STORE_VERDICT_H

#include "store/inbox.h"

enum store_take {
	STORE_TAKE_SHOWN, /* what stands is right */
	STORE_TAKE_OTHER, /* what lost is right */
	STORE_TAKE_VALUE, /* neither: this value */
};

struct store_verdict {
	const struct store_conflict *conflict;
	enum store_take take;
	struct store_value value; /* STORE_TAKE_VALUE */
	/* for STORE_TAKE_OTHER of a row that was deleted: the whole row, by column position of the
	   table's local schema, key columns too; NULL otherwise.  If the row is there again, it
	   gets these values, but for max and hub-only columns. */
	const struct store_value *row;
	const char *by; /* who decides, in words */
};

/* The conflict whose id begins with these hex digits; ERR_NOTFOUND if there is none, ERR_INVALID if
 * there are several.  It lives in `a`. */
MUST_CHECK int store_verdict_find(struct store_db *db, const char *hex, struct arena *a,
                                  const struct store_conflict **out, struct err *err);

/*
 * Write it; on a STORE_LOCAL connection, in a transaction.  ERR_INVALID if the conflict is resolved
 * already or about who has left, the table isn't here any more, or the row's own rules refuse the
 * value.
 */
MUST_CHECK int store_verdict_give(struct store_db *db, const struct store_verdict *verdict,
                                  struct err *err);

#endif /* STORE_VERDICT_H */
