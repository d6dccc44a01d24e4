/*
 * tests/proxy/way.h - one direction of a connection: bytes wait here until they
 * are due, and what the rules say happens to them.
 *
 * A byte's place is counted from the beginning of the connection, over all
 * requests on it.
 */
#ifndef TESTS_PROXY_WAY_H
#define TESTS_PROXY_WAY_H

#include "tests/proxy/rules.h"

enum { WAY_HELD_MAX = 1 << 18 }; /* bytes that wait; then the sender has to */

struct way_chunk {
	struct way_chunk *next;
	int64_t due_ms;
	size_t len, done;
	char bytes[];
};

struct way {
	struct rules_way rules;
	struct way_chunk *first, *last;
	size_t held;
	uint64_t taken;   /* bytes that came in */
	uint64_t given;   /* bytes that went out */
	int64_t ready_ms; /* by the rate: not before this */
	bool ended;       /* no more will come */
	bool cut;         /* and here the connection is to be broken */
};

/* Set up for a new connection. */
void way_open(struct way *way, const struct rules_way *rules);
void way_close(struct way *way);

/* Does it want to read? */
bool way_wants(const struct way *way);

/* Bytes came in.  The test program ends if there is no memory. */
void way_take(struct way *way, const char *bytes, size_t len, int64_t now_ms);

/*
 * Write what is due to `fd`, which doesn't block, and to `twin` if that isn't -1
 * (what it doesn't take is lost).  Returns the bytes written, -1 if the other
 * side is gone.
 */
long way_give(struct way *way, int fd, int twin, int64_t now_ms);

/* Milliseconds until something is due; -1 if nothing waits. */
int way_wait(const struct way *way, int64_t now_ms);

/* Everything that will ever come has gone out. */
bool way_done(const struct way *way);

#endif /* TESTS_PROXY_WAY_H */
