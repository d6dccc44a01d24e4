/*
 * store/inbox.h - what needs a person: conflicts (two people wrote one cell
 * without knowing of each other) and the quarantine (changes that could not be
 * applied, with the reason).
 */
#ifndef STORE_INBOX_H
#define STORE_INBOX_H

#include "store/batch.h"

enum { STORE_CONFLICT_ID = 16 };

struct store_conflict {
	uint8_t id[STORE_CONFLICT_ID]; /* the same on every replica: hash of row, column and both
	                                  versions */
	int scope;
	int table;
	const uint8_t *key;
	size_t key_len;
	int column;              /* 0: a delete met an edit it hadn't seen */
	struct store_cell shown; /* what won */
	struct store_cell other; /* what lost */
	int64_t at_ms;           /* when this replica found it */
	bool open;
};

/* Keep a loser as an open conflict, unless it is known already or a verdict about it is. */
MUST_CHECK int store_inbox_add(struct store_db *db, const struct store_loser *loser,
                               struct err *err);

/* All conflicts, newest first, or only open ones. */
MUST_CHECK int store_inbox_list(struct store_db *db, bool only_open, struct arena *a,
                                struct store_conflict **list, size_t *count, struct err *err);

/* Open conflicts of one row (its table and key), of whatever column; for closing them when a later
 * write has seen both. */
MUST_CHECK int store_inbox_of(struct store_db *db, const struct store_row *row, struct arena *a,
                              struct store_conflict **list, size_t *count, struct err *err);

/* Close one. */
MUST_CHECK int store_inbox_close(struct store_db *db, const uint8_t id[STORE_CONFLICT_ID],
                                 struct err *err);

/* What a site wrote into a row with one stamp is another site's now (sync/remint.h). */
struct store_inbox_move {
	int table;
	const uint8_t *key;
	size_t key_len;
	int64_t stamp;
	int from, to; /* sites */
};

/* Conflicts that name that write get the name, and the id, that other replicas find. */
MUST_CHECK int store_inbox_rename(struct store_db *db, const struct store_inbox_move *move,
                                  struct err *err);

/* Close every open conflict that has a row in yz_verdict. */
MUST_CHECK int store_inbox_apply_verdicts(struct store_db *db, struct err *err);

/* Number of open conflicts, and of changes in quarantine. */
MUST_CHECK int store_inbox_count(struct store_db *db, int64_t *conflicts, int64_t *quarantined,
                                 struct err *err);

struct store_quarantined {
	int64_t id;
	int scope;
	int stream; /* 0: a local row that is not ours */
	uint64_t n;
	int table; /* 0: the whole unit */
	const uint8_t *key;
	size_t key_len;
	const char *reason;
	int64_t since_ms;
	int64_t tries;
};

/* Keep a change aside with its reason; once per (stream, n, table, key), later calls count tries.
 */
MUST_CHECK int store_quarantine_add(struct store_db *db, const struct store_quarantined *q,
                                    struct err *err);

/* All of them, oldest first. */
MUST_CHECK int store_quarantine_list(struct store_db *db, struct arena *a,
                                     struct store_quarantined **list, size_t *count,
                                     struct err *err);

/* Drop what seal listed of a row written here (stream 0); *was says that there was something. */
MUST_CHECK int store_quarantine_take_own(struct store_db *db, int table, const uint8_t *key,
                                         size_t key_len, bool *was, struct err *err);

/* Forget one entry: a person has seen it, and it is to stay as it is.  ERR_NOTFOUND if there is
 * none of that id. */
MUST_CHECK int store_quarantine_drop(struct store_db *db, int64_t id, struct err *err);

#endif /* STORE_INBOX_H */
