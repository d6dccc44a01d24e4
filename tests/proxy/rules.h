/*
 * tests/proxy/rules.h - what goes wrong on the line: words "name=value", given as
 * arguments or, while it runs, as lines on standard input.
 *
 *   delay.up=MS   each byte arrives so much later       rate.up=N    bytes a second
 *   cut.up=K      both ends are closed after byte K     hole.up=K    what follows byte K vanishes,
 *   flip.up=K     the lowest bit of byte K (from 0)                  and nobody is told
 *
 * and the same with .down; without a value: off.  Up is from the client to the server.  For both:
 *
 *   reply=FILE    answer each HTTP request with these bytes; the server never sees it
 *   twice=1       the server gets every request again on a second connection, whose answers nobody
 *                 hears
 *   save=FILE     keep what comes in of the newest connection, in FILE.up and FILE.down
 *   idle=MS       a connection on which nothing has moved for so long is closed, as a middlebox
 * does drop=N        every Nth connection is reset at once
 *
 * half-open: hole.up=0 and hole.down=0.  One way only: hole.down=0.  Reply lost: cut.down=0.
 */
#ifndef TESTS_PROXY_RULES_H
#define TESTS_PROXY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RULES_PATH = 256, RULES_REPLY_MAX = 1 << 16 };

/* Of one direction; -1: not that. */
struct rules_way {
	int64_t delay, rate, cut, hole, flip;
};

struct rules {
	struct rules_way up, down;
	bool twice;
	int64_t drop, idle;
	char save[RULES_PATH]; /* "": no */
	size_t reply_len;      /* 0: no */
	char reply[RULES_REPLY_MAX];
};

/* Nothing goes wrong. */
void rules_clear(struct rules *rules);

/* Take one word; false if it isn't one of the above. */
bool rules_take(struct rules *rules, const char *word);

#endif /* TESTS_PROXY_RULES_H */
