/*
 * node/facility/csv.h - a reader of RFC 4180 text: records of fields, each with
 * the line and column it stands at, so that whoever checks a field can say
 * where it is.
 *
 * Lines end with LF or CRLF; empty lines are passed over.  Strict about quotes:
 * a stray one is an error, because guessing would shift fields.
 */
#ifndef NODE_FACILITY_CSV_H
#define NODE_FACILITY_CSV_H

#include "store/base/arena.h"
#include "store/base/buf.h"

enum { CSV_FIELDS_MAX = 64, CSV_FIELD_MAX = 65536 };

struct csv {
	const uint8_t *at; /* borrowed */
	size_t left;
	int line;
};

struct csv_field {
	const char *text; /* zero-terminated, in the arena; blanks around it are cut off */
	int line;         /* 1.. */
	int column;       /* 1.., counted in fields */
};

struct csv_record {
	struct csv_field fields[CSV_FIELDS_MAX];
	size_t count;
	int line;
};

/* Begin with UTF-8 text, which must outlive the reading. */
struct csv csv_from(const void *text, size_t len);

/* The next record; its texts live in `a`.  1, 0 at the end, ERR_INVALID with line and column. */
MUST_CHECK int csv_next(struct csv *csv, struct arena *a, struct csv_record *out, struct err *err);

/*
 * Append `bytes` as UTF-8: with a byte order mark or valid as UTF-8 as they are (without the mark),
 * else read as GB18030; else ERR_INVALID names line, column and offset of the first byte that is
 * neither.
 */
MUST_CHECK int csv_to_utf8(const void *bytes, size_t len, struct buf *out, struct err *err);

#endif /* NODE_FACILITY_CSV_H */
