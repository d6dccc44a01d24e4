/*
 * node/hub/token.h - bearer tokens: who may read what of the hub's records, and
 * who may write some.
 *
 * A token is 32 random bytes in base64url, shown once; the hub keeps its
 * BLAKE2b hash alone.
 */
#ifndef NODE_TOKEN_H
#define NODE_TOKEN_H

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/catalog.h"
#include "store/schema.h"
#include "store/stmt.h"

#include <stdbool.h>

enum {
	TOKEN_TEXT = 44, /* with its zero */
	TOKEN_ID = 17,   /* likewise; names it in lists, opens nothing */
	TOKEN_TABLES = 64,
};

struct token_terms {
	const char *scope;  /* "all": every facility; else f/<facility> */
	const char *tables; /* names with commas between them; NULL: all */
	int64_t expires_ms; /* 0: never */
	bool personal;      /* may read personal columns (node/facility/personal.h) */
	const char *writes; /* tables that it may write, likewise; NULL: none */
	const char *name;   /* what people call it, or NULL; no two that are valid share one */
};

/* What a valid token may do. */
struct token {
	char id[TOKEN_ID];
	char scope[STORE_SCOPE_MAX + 1];
	char tables[TOKEN_TABLES * (STORE_NAME_MAX + 1)]; /* ",a,b,"; "" for all */
	char writes[TOKEN_TABLES * (STORE_NAME_MAX + 1)]; /* ",a,b,"; "" for none */
	bool personal;
};

/*
 * Make one.  ERR_INVALID if the scope is none, if a table isn't known here, or is to be written and
 * the scope doesn't reach its rows, or if the expiry is past.
 */
MUST_CHECK int token_new(struct store_db *db, const struct token_terms *terms, int64_t now_ms,
                         char text[TOKEN_TEXT], char id[TOKEN_ID], struct err *err);

/* Is it valid now?  1 and what it may read, or 0. */
MUST_CHECK int token_check(struct store_db *db, const char *text, int64_t now_ms,
                           struct token *token, struct err *err);

/* The same of a token whose text was shown before, by its id: for whoever stays. */
MUST_CHECK int token_again(struct store_db *db, const char *id, int64_t now_ms, struct token *token,
                           struct err *err);

/* From now on it opens nothing.  ERR_NOTFOUND if there is none of that id or name. */
MUST_CHECK int token_revoke(struct store_db *db, const char *which, int64_t now_ms,
                            struct err *err);

/* Texts live in the arena; times 0: none. */
struct token_entry {
	const char *id, *scope, *state; /* state: valid, expired or revoked */
	const char *name;               /* "" if it has none */
	const char *tables, *writes;    /* "a,b"; "" for all, and for none */
	bool personal;
	int64_t created_ms, expires_ms, revoked_ms;
	/* Its use: a snapshot or an export; a line of POST /v1/records in the last 30 days; shown
	 * for whatever, the feed too, known a minute later (node/hub/token_use.h). */
	int64_t export_ms, record_ms, used_ms;
};

/* All that there ever were, newest first, never the tokens themselves. */
MUST_CHECK int token_list(struct store_db *db, int64_t now_ms, struct arena *a,
                          struct token_entry **list, size_t *count, struct err *err);

/* The same as a JSON array: [{"id","name","scope","tables","writes","personal","created",
 * "expires","revoked","last_export","last_record","last_used","state"}]. */
MUST_CHECK int token_list_json(struct store_db *db, int64_t now_ms, struct buf *out,
                               struct err *err);

/* May it read rows of this scope; of this table? */
MUST_CHECK bool token_reads_scope(const struct token *token, const char *scope);
MUST_CHECK bool token_reads_table(const struct token *token, const char *table);

/* May it write rows of this table, where it reads? */
MUST_CHECK bool token_writes_table(const struct token *token, const char *table);

#endif /* NODE_TOKEN_H */
