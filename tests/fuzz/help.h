/*
 * tests/fuzz/help.h - what the fuzz programs share: claims, pieces of the input,
 * and bytes made right again so that the decoders behind a check are reached.
 *
 * Each tests/fuzz/<target>.c is a program of its own: libFuzzer's with clang
 * (`make fuzz`), and with gcc one that runs the files it is given (`make
 * fuzz-replay`).  A target keeps no state from one input to the next.
 */
#ifndef TESTS_FUZZ_HELP_H
#define TESTS_FUZZ_HELP_H

#include "store/base/buf.h"
#include "sync/codec/codec.h"
#include "sync/codec/sign.h"

/* The door of every target. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of the product; says which one doesn't hold and aborts. */
#define HOLDS(claim) ((claim) ? (void)0 : help_broken(__FILE__, __LINE__, #claim))
void help_broken(const char *file, int line, const char *claim) __attribute__((noreturn));

/* The key of made-up writer `n`; the same in every run. */
struct sync_key help_key(uint8_t n);

/* Cut the input in two behind its first byte `mark` (or its end): the first part, as a string of
 * exactly its length that the caller frees; *data and *size become the second. */
char *help_cut(const uint8_t **data, size_t *size, char mark);

/* The rest as such a string.  A NUL inside ends it early. */
char *help_text(const uint8_t *data, size_t size);

/* Make the check of a packed body right (sync/codec/pack.h). */
void help_mend_pack(uint8_t *packed, size_t len);

/*
 * A receiver's schemas: it knows what the openings of the stream have defined, as store/stream
 * does, in rising numbers.  Zero it; free the arena.
 */
enum { HELP_SCHEMAS = 64 };
struct help_schemas {
	struct arena arena;
	unsigned count;
	struct store_schema *list[HELP_SCHEMAS];
};
struct sync_codec_schemas help_schemas_of(struct help_schemas *s);

/* Are these the same bytes? */
bool help_same(const struct buf *a, const void *bytes, size_t len);

#endif /* TESTS_FUZZ_HELP_H */
