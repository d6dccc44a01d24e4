/*
 * node/pin.h - the key of a hub's TLS front, as settings and curl write it and as
 * it travels behind an enrolment code.
 *
 *   sha256//K87oWBWM9UZfyddvDfoxL+8lpNyoUB2ptGtn0fv6G2Q=     hub.pin, http.pin
 *   7F3K-…-Q9RT.K87oWBWM9UZfyddvDfoxL-8lpNyoUB2ptGtn0fv6G2Q  code, dot, the same in base64url
 *
 * It is SHA-256 of the key alone (its SubjectPublicKeyInfo), so a renewed certificate of the
 * same key keeps it.
 */
#ifndef NODE_PIN_H
#define NODE_PIN_H

#include "store/base/err.h"

#include <stdbool.h>

enum {
	PIN_SIZE = 8 + 44 + 1, /* with its zero */
	PIN_TAIL = 43 + 1,     /* likewise */
};

/* The first pin of a setting, for behind a code.  ERR_INVALID if it isn't one. */
MUST_CHECK int pin_tail(const char *setting, char tail[PIN_TAIL], struct err *err);

/* The pin behind what a person typed as a code: 1, or 0 if there is none.  ERR_INVALID if what
 * stands behind the dot isn't one. */
MUST_CHECK int pin_of_code(const char *typed, char pin[PIN_SIZE], struct err *err);

#endif /* NODE_PIN_H */
