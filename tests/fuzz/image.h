/*
 * tests/fuzz/image.h - a database in memory that goes back to what it was in a
 * few microseconds, so that no input finds what another one has left.
 *
 * It lies in a file of SQLite's memory VFS, which all connections of the process
 * share by its name ("/..."), with a clock that stands still and no chance.
 */
#ifndef TESTS_FUZZ_IMAGE_H
#define TESTS_FUZZ_IMAGE_H

#include "store/db.h"

#define IMAGE_NOW_MS INT64_C(1772438400000) /* 2026-03-02T08:00:00Z */

/* The environment to open such a file with: clock and dice.  They begin anew with image_dice(). */
const struct env *image_env(void);
void image_dice(uint64_t seed);

struct sqlite3;
struct image {
	struct sqlite3 *door; /* sees the file's bytes */
	unsigned char *bytes; /* as they were */
	int64_t len;
};

/* Keep what the file at `path` holds now.  It must be open elsewhere, without a transaction. */
void image_take(struct image *image, const char *path);

/*
 * Put it back.  Nothing may be read between the last write and this: a connection sees that the
 * file has changed by its change counter.
 */
void image_restore(struct image *image);

/* Let go of it. */
void image_free(struct image *image);

#endif /* TESTS_FUZZ_IMAGE_H */
