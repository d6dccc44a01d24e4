/*
 * tests/golden.h - bytes that must never change: tests/golden/NAME.hex.
 *
 * A file is a sentence behind "# " and the bytes in hex.  After a deliberate
 * change of a format GOLDEN=write build/check writes the bytes anew and keeps
 * the sentences; what `git diff` then shows is the change of the format.
 */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include "store/base/buf.h"

/* Append the bytes of a vector. */
void golden_read(const char *name, struct buf *out);

/* Fail unless these are the bytes of the vector. */
void golden_check(const char *name, const void *bytes, size_t len);

/* Are the vectors being written anew? */
bool golden_writing(void);

#endif /* TESTS_GOLDEN_H */
