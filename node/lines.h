/*
 * node/lines.h - a body of JSON lines in, a line of JSON out for each: what
 * POST /api/v1/batch at a node and POST /v1/records at a hub have in common.
 *
 *   {"key":"tablet-1/0815/7",...}
 *   {"key":"tablet-1/0815/7","state":"stored|duplicate|refused","reason":null}
 *
 * A key is chosen by the sender and names the line for ever: a request that is
 * sent again, because its answer was lost, is answered with duplicates and
 * writes nothing.  All lines are one transaction; a refused one leaves the
 * others alone.
 */
#ifndef NODE_LINES_H
#define NODE_LINES_H

#include "store/base/buf.h"
#include "store/db.h"
#include "store/id.h"

enum {
	LINES_BYTES_MAX = 1 << 20, /* of a body */
	LINES_MAX = 5000,          /* lines of a body, not counting empty ones */
	LINES_LINE_MAX = 65536,    /* bytes of a line */
	LINES_KEY_MAX = 100,       /* bytes of a key */
	LINES_KEEP_DAYS = 30,      /* so long a key is known */
};

struct lines_counts {
	int64_t stored, duplicate, refused;
};

/* What becomes of one line; filled in by whoever takes it. */
struct lines_answer {
	char key[4 * LINES_KEY_MAX + 1]; /* "" if there is none that will do */
	bool has_id;
	uint8_t id[STORE_ID]; /* of the row that was written */
};

/* Who takes lines.  In both functions ERR_INVALID, _NOTFOUND and _DENIED refuse the line with the
 * words in `err`; any other error ends all of it. */
struct lines_taker {
	struct store_db *db; /* may write */
	void *ctx;
	/* Was a line with a->key stored before?  1 or 0. */
	int (*seen)(void *ctx, const char *line, struct lines_answer *a, struct err *err);
	/* Write it, and keep its key.  What it has written is undone if it fails. */
	int (*take)(void *ctx, const char *line, struct lines_answer *a, struct err *err);
	const char *forget; /* DELETE of keys older than ?, in ms */
	bool tells_id;      /* answers have a member "id" */
};

/*
 * Take all lines in one transaction of its own, and append the answers.  Negative only if nothing
 * was stored: ERR_INVALID if the body is too large, has too many lines or one that is too long;
 * else the database failed.
 */
MUST_CHECK int lines_take(const struct lines_taker *taker, const void *body, size_t len,
                          struct buf *out, struct lines_counts *counts, struct err *err);

#endif /* NODE_LINES_H */
