/*
 * node/words.h - the eight words by which two people, one at the hub and one at
 * the facility, see that nobody stands between their machines.
 *
 * Each stands for 8 of 64 bits of BLAKE2b(hub key || node key || code); the list
 * has 256 things that a child knows, in Chinese and English.
 */
#ifndef NODE_WORDS_H
#define NODE_WORDS_H

#include "node/code.h"
#include "store/base/buf.h"

enum { WORDS = 8, WORDS_LIST = 256 };

enum words_language { WORDS_ZH, WORDS_EN };

/* The words, as numbers in the list, of this hub, this node and this code. */
void words_of(uint8_t words[WORDS], const uint8_t hub_key[CODE_KEY],
              const uint8_t node_key[CODE_KEY], const struct code *code);

/* One word of the list.  Lives for ever. */
const char *words_word(uint8_t number, enum words_language language);

/* Append all eight, with spaces between them. */
void words_write(struct buf *out, const uint8_t words[WORDS], enum words_language language);

#endif /* NODE_WORDS_H */
