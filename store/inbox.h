/*
 * store/inbox.h - what needs a person: conflicts (two people wrote one cell
 * without knowing of each other) and the quarantine (changes that could not be
 * applied, with the reason).
 */
#ifndef STORE_INBOX_H
#define STORE_INBOX_H

#include "store/batch.h"

enum { STORE_CONFLICT_ID = 16 };

enum store_conflict_state {
	STORE_CONFLICT_DECIDED,  /* a person has decided: there is a verdict */
	STORE_CONFLICT_HIDDEN,   /* nothing to decide: it says what is shown, or nothing */
	STORE_CONFLICT_LEFT,     /* at a node: of a row that has left; they decide who see it now */
	STORE_CONFLICT_OPEN,     /* a person is needed */
	STORE_CONFLICT_RESOLVED, /* a later write has seen it; only remembered */
};

/* A write that lost although nobody who wrote later had seen it (sync/merge/rivals.h). */
struct store_conflict {
	uint8_t id[STORE_CONFLICT_ID]; /* the same on every replica: hash of row, column and the
	                                  loser's stamp and node */
	int scope;
	int table;
	const uint8_t *key;
	size_t key_len;
	int column;              /* 0: the row as a whole: a delete met an edit it hadn't seen */
	int64_t cl;              /* the life in which the loser was written; 0: not known */
	struct store_cell shown; /* what stands now; column 0: what names the row's life */
	struct store_cell other; /* what lost; column 0: the first of its cells, which
	                            other.column names (0: it had none) */
	int64_t at_ms;           /* when this replica found it */
	enum store_conflict_state state;
	bool open; /* state is OPEN */
};

/* Keep a loser (sets its id), or write anew what is shown against it and its state. */
MUST_CHECK int store_inbox_keep(struct store_db *db, struct store_conflict *c, struct err *err);

/* A later write has seen it: what people were shown is remembered as resolved. */
MUST_CHECK int store_inbox_let_go(struct store_db *db, const struct store_conflict *c,
                                  struct err *err);

/* All conflicts that were ever shown, newest first, or only open ones. */
MUST_CHECK int store_inbox_list(struct store_db *db, bool only_open, struct arena *a,
                                struct store_conflict **list, size_t *count, struct err *err);

/* What is kept of one row (its table and key): all but what is resolved. */
MUST_CHECK int store_inbox_kept(struct store_db *db, const struct store_row *row, struct arena *a,
                                struct store_conflict **list, size_t *count, struct err *err);

/* Is anything kept of any row? */
MUST_CHECK int store_inbox_any(struct store_db *db, bool *any, struct err *err);

/* A verdict about it has been given here. */
MUST_CHECK int store_inbox_decide(struct store_db *db, const uint8_t id[STORE_CONFLICT_ID],
                                  struct err *err);

/* What a site wrote into a row with one stamp is another site's now, maybe with another stamp
 * (sync/seal/remint.h). */
struct store_inbox_move {
	int table;
	const uint8_t *key;
	size_t key_len;
	int64_t stamp, to_stamp;
	int from, to; /* sites */
};

/* Conflicts that name that write name it so.  With another stamp a loser's id is another, too. */
MUST_CHECK int store_inbox_rename(struct store_db *db, const struct store_inbox_move *move,
                                  struct err *err);

/*
 * Close every open conflict that has a verdict (store/verdict_priv.h), but for one that was said in
 * a scope which the row has left: what it says there is no more said of the row.  At a node those
 * of rows that have left are nobody's to decide here, and open again if they come back.
 */
MUST_CHECK int store_inbox_apply_verdicts(struct store_db *db, struct err *err);

/* Number of open conflicts, and of changes in quarantine. */
MUST_CHECK int store_inbox_count(struct store_db *db, int64_t *conflicts, int64_t *quarantined,
                                 struct err *err);

/* Nothing waits: what was written has been put back, and stays listed until a person drops it. */
enum { STORE_QUARANTINE_UNDONE = 1 };

struct store_quarantined {
	int64_t id;
	int scope;
	int stream; /* 0: a row written here */
	uint64_t n; /* record of the stream; of a row written here 0 (it waits here) or
	               STORE_QUARANTINE_UNDONE */
	int table;  /* 0: the whole unit */
	const uint8_t *key;
	size_t key_len;
	const char *reason;
	int64_t since_ms;
	int64_t tries;
	int64_t dropped_ms; /* when a person said that it is to stay as it is; 0: nobody did */
	const char *dropped_by;
};

/* Keep a change aside with its reason; once per (stream, n, table, key), later calls count tries.
 */
MUST_CHECK int store_quarantine_add(struct store_db *db, const struct store_quarantined *q,
                                    struct err *err);

/* The same, unless the row is listed for the same reason already, whichever record it came by. */
MUST_CHECK int store_quarantine_add_once(struct store_db *db, const struct store_quarantined *q,
                                         struct err *err);

/* Those that wait, or all of them, oldest first. */
MUST_CHECK int store_quarantine_list(struct store_db *db, bool dropped_too, struct arena *a,
                                     struct store_quarantined **list, size_t *count,
                                     struct err *err);

/* One of them, dropped or not; ERR_NOTFOUND if there is none of that id.  It lives in `a`. */
MUST_CHECK int store_quarantine_find(struct store_db *db, int64_t id, struct arena *a,
                                     const struct store_quarantined **out, struct err *err);

/* Is something listed of a row written here (stream 0)?  It went out after all: drop it from the
 * list. */
MUST_CHECK int store_quarantine_has_own(struct store_db *db, int table, const uint8_t *key,
                                        size_t key_len, bool *has, struct err *err);
MUST_CHECK int store_quarantine_take_own(struct store_db *db, int table, const uint8_t *key,
                                         size_t key_len, struct err *err);

/* It was applied after all: no longer in the list. */
MUST_CHECK int store_quarantine_take(struct store_db *db, int64_t id, struct err *err);

/* A person has seen it, and it is to stay as it is: written down, with who and when, and neither
 * counted nor tried again. */
MUST_CHECK int store_quarantine_drop(struct store_db *db, int64_t id, const char *by,
                                     struct err *err);

/*
 * These rows are about to be put: what is in quarantine of those that have changed is to be looked
 * at anew (sync_retry_overwritten), as is what has just come in.
 */
MUST_CHECK int store_quarantine_move(struct store_db *db, struct store_row *const *rows,
                                     size_t count, struct err *err);

/* Up to `max` of those changes, by stream and record; and: this one stays as it is. */
MUST_CHECK int store_quarantine_moved(struct store_db *db, size_t max, struct arena *a,
                                      struct store_quarantined **list, size_t *count,
                                      struct err *err);
MUST_CHECK int store_quarantine_stays(struct store_db *db, int64_t id, struct err *err);

/* The cause of one, or of any, may have changed (a right, a table, a person asks): the next seal
 * tries again (sync/merge/retry.h), and asks once what. 0: nothing. */
enum { STORE_QUARANTINE_ALL = -1 };
MUST_CHECK int store_quarantine_wake(struct store_db *db, int64_t id, struct err *err);
MUST_CHECK int store_quarantine_woken(struct store_db *db, int64_t *id, struct err *err);
/* Will the next seal judge rows written here anew, whose values stand in tables and in no record?
 */
MUST_CHECK int store_quarantine_own_wakes(struct store_db *db, bool *yes, struct err *err);
/* Was this one asked for by its id, whatever else was woken since?  And forget all that were. */
MUST_CHECK int store_quarantine_asked(struct store_db *db, int64_t id, bool *yes, struct err *err);
MUST_CHECK int store_quarantine_answered(struct store_db *db, struct err *err);

#endif /* STORE_INBOX_H */
