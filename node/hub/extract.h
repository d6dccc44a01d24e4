/*
 * node/hub/extract.h - what of a table a token may read: which rows, without which
 * columns.  The same for snapshots and exports, and the same as in the feed: a row
 * that was moved to another facility is that one's, whatever its column says.
 */
#ifndef NODE_EXTRACT_H
#define NODE_EXTRACT_H

#include "node/hub/token.h"
#include "store/transfer.h"

enum { EXTRACT_WITHOUT = 16 };

/* A part, and what its pointers point to.  Not to be copied. */
struct extract {
	struct store_part part; /* table and scope column live in the catalogue's cache */
	const char *without[EXTRACT_WITHOUT];
	char scope[STORE_SCOPE_MAX + 1];
	char value[STORE_SCOPE_MAX + 1];
};

/*
 * What `token` may read of that table, if `scope` isn't NULL only of that scope: false if nothing.
 * Never a table that stays in its file (store_schema_stays), the scope `hub`, hashes of PINs and
 * codes; personal columns only if granted.
 */
MUST_CHECK bool extract_of(const struct token *token, const struct store_table *table,
                           const char *scope, struct extract *out);

#endif /* NODE_EXTRACT_H */
