/*
 * node/hub/refusal.h - requests that were turned away at the hub's door, in its log:
 * who came, to what, and why not.
 *
 * A stranger decides how many there are, so only REFUSAL_LINES a minute are
 * written; the next line that is says how many weren't.  A nonce that is too old
 * is no refusal: every node comes with one after a long silence.
 */
#ifndef NODE_REFUSAL_H
#define NODE_REFUSAL_H

#include <stdint.h>

enum { REFUSAL_LINES = 10 };

/* Tell of one, from any thread; `mono_ms` is now.  The three words are those of a stranger and may
 * hold anything. */
void refusal_tell(int64_t mono_ms, const char *path, const char *peer, const char *why);

#endif /* NODE_REFUSAL_H */
