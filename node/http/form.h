/*
 * node/http/form.h - names and values out of a query or a posted form
 * (application/x-www-form-urlencoded), and out of a Cookie header.
 */
#ifndef NODE_FORM_H
#define NODE_FORM_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;

struct form {
	const char *at; /* borrowed; what is still to be read */
	size_t left;
};

/* Begin with `text`, which must outlive the reading. */
struct form form_from(const char *text, size_t len);

/*
 * The next pair, decoded, each replacing the content of its buffer: 1 if there
 * was one, 0 at the end, ERR_INVALID for a bad escape, a NUL or text that isn't
 * UTF-8.
 */
MUST_CHECK int form_next(struct form *form, struct buf *name, struct buf *value, struct err *err);

/*
 * Put the value of the first pair called `name` into `out` (`size` bytes with
 * its zero): 1 if it is there, 0 if not, ERR_INVALID if the text is malformed
 * or the value too long.
 */
MUST_CHECK int form_get(struct form form, const char *name, char *out, size_t size,
                        struct err *err);

/* Copy a value into `out` (`size` bytes with its zero); ERR_INVALID, which calls it `name`, if it
 * is too long. */
MUST_CHECK int form_copy(char *out, size_t size, const char *name, const char *value,
                         struct err *err);

/*
 * Give every pair of `query` to `take`, in order, until one is refused: what it then says, or that
 * of form_next(), or 0.  What it is given is borrowed until it returns.
 */
typedef int form_take(void *ctx, const char *name, const char *value, struct err *err);
MUST_CHECK int form_each(const char *query, form_take *take, void *ctx, struct err *err);

/* Append a value as it stands in a query. */
void form_put(struct buf *out, const char *value);

enum { FORM_NAMES_MAX = 32 };

/*
 * Is every name given once?  Of a name given twice one program believes the first and another the
 * last.  Also false for more than FORM_NAMES_MAX pairs; what is malformed ends the look, and is
 * left to whoever reads it.
 */
bool form_is_single(struct form form);

/*
 * Put the value of the first cookie called `name` whose value has exactly size - 1 characters into
 * `out`, from a Cookie header (NULL: there is none).  False, and "", if there is none.
 */
bool form_cookie(const char *header, const char *name, char *out, size_t size);

#endif /* NODE_FORM_H */
