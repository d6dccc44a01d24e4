/*
 * store/base/csvio.h - tables as CSV (RFC 4180), written so that they can be
 * read again without loss.
 *
 * NULL is an empty field without quotes, an empty text is "".  For spreadsheets
 * there is a second form, which can't be read back: with a byte order mark, and
 * with an apostrophe before text that a spreadsheet would take for a formula.
 */
#ifndef STORE_BASE_CSVIO_H
#define STORE_BASE_CSVIO_H

#include "store/base/arena.h"
#include "store/base/buf.h"

enum { CSVIO_FIELDS_MAX = 2000 };

/* Append a field's text, quoted if need be; an empty one becomes "". */
void csvio_put(struct buf *out, const void *bytes, size_t len);

/* The same for spreadsheets. */
void csvio_put_safe(struct buf *out, const void *bytes, size_t len);

struct csvio_field {
	const char *text; /* zero-terminated, in the arena */
	size_t len;
	bool quoted;
};

struct csvio_reader {
	const uint8_t *at; /* borrowed */
	size_t left;
	int line; /* of the next record, from 1 */
};

/* Begin; the text must outlive the reader. */
struct csvio_reader csvio_from(const void *text, size_t len);

/*
 * Read the next record into `fields` (room for CSVIO_FIELDS_MAX); texts live in `a`.  1, 0 at the
 * end, or ERR_INVALID with the line for a stray quote or too many fields.
 */
MUST_CHECK int csvio_next(struct csvio_reader *r, struct arena *a, struct csvio_field *fields,
                          size_t *count, struct err *err);

#endif /* STORE_BASE_CSVIO_H */
