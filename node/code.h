/*
 * node/code.h - the enrolment code: what an administrator reads out, and what
 * proves to a node that it speaks to the right hub.
 *
 *   7F3K-QW9E-0RTY-…     28 characters of Crockford's base32, 7 groups of 4
 *
 *   50 bits   secret; the first 20 of them (the first group) name the enrolment
 *   80 bits   of BLAKE2b of the hub's public key
 *   10 bits   check: any one or two wrong characters are noticed
 *
 * Case, spaces and hyphens don't matter; O is read as 0, I and L as 1.
 */
#ifndef NODE_CODE_H
#define NODE_CODE_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	CODE_CHARS = 28,
	CODE_TEXT = CODE_CHARS + 6 + 1, /* with hyphens and the zero */
	CODE_SECRET = 7,                /* random bytes that code_make takes */
	CODE_HUB = 10,
	CODE_KEY = 32, /* bytes of a public key */
	CODE_NAME = 5, /* the first group and a zero */
};

struct code {
	uint64_t secret; /* 50 bits */
	uint8_t hub[CODE_HUB];
};

/* The code of `secret` (random; 6 of its bits are not used) for the hub with that key. */
void code_make(struct code *code, const uint8_t secret[CODE_SECRET],
               const uint8_t hub_key[CODE_KEY]);

/* Write it with hyphens, for people. */
void code_text(const struct code *code, char out[CODE_TEXT]);

/* Write it without: its one canonical form, which is hashed and signed. */
void code_plain(const struct code *code, char out[CODE_CHARS + 1]);

/* The group that names the enrolment; it tells nothing of the rest of the secret. */
void code_name(const struct code *code, char out[CODE_NAME]);

/* Read what a person typed, up to its end or a dot (node/pin.h).  ERR_INVALID says what is wrong
 * with it. */
MUST_CHECK int code_read(const char *text, struct code *code, struct err *err);

/* Was it made by the hub with this key? */
MUST_CHECK bool code_is_of(const struct code *code, const uint8_t hub_key[CODE_KEY]);

#endif /* NODE_CODE_H */
