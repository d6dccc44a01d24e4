/*
 * node/hub/export_log.h - what was given out, when, to which token: hub_export.
 *
 * A line is written, durably, before the first byte leaves.  The feed is not in
 * it: a token reads that all the time.
 */
#ifndef NODE_EXPORT_LOG_H
#define NODE_EXPORT_LOG_H

#include "node/hub/token.h"

struct export_entry {
	const struct token *token;
	const char *peer;   /* the address that asked, as the server sees it */
	const char *what;   /* "snapshot <etag>", "export csv" ... */
	const char *scope;  /* the scope that was given out */
	const char *tables; /* names with commas between them; "" for all that the token reads */
	uint64_t bytes;     /* that leave if the line holds */
};

/* Write one; `db` is a connection that may write, outside of a transaction or in one. */
MUST_CHECK int export_log_add(struct store_db *db, const struct export_entry *entry, int64_t now_ms,
                              struct err *err);

/* Append the newest `limit` as a JSON array, newest first:
 * [{"at","token","peer","what","scope","tables","personal","bytes"}]. */
MUST_CHECK int export_log_json(struct store_db *db, int64_t limit, struct buf *out,
                               struct err *err);

#endif /* NODE_EXPORT_LOG_H */
