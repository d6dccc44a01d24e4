/*
 * node/json.h - read small JSON documents; the one door to jansson.
 *
 * For messages of a few members.  Duplicate names, NUL in strings, deep nesting
 * and anything after the document are refused.  Writing is store/base/json.h.
 */
#ifndef NODE_JSON_H
#define NODE_JSON_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_doc;

/* Read an object of at most `max` bytes.  ERR_INVALID says what is wrong and where.  The document
 * is the caller's. */
MUST_CHECK int json_doc_read(const void *bytes, size_t len, size_t max, struct json_doc **doc,
                             struct err *err);

/* NULL is allowed. */
void json_doc_free(struct json_doc *doc);

/* A member that is a string; NULL if it isn't there or is something else.  Borrowed. */
const char *json_doc_text(const struct json_doc *doc, const char *name);

/* The same of an object that is the member `outer`. */
const char *json_doc_text_in(const struct json_doc *doc, const char *outer, const char *name);

/* A member that is a whole number: false if it isn't there or is something else. */
MUST_CHECK bool json_doc_int(const struct json_doc *doc, const char *name, int64_t *value);

/* The first member whose name isn't in `names` (ended by NULL); NULL if there is none.  Borrowed.
 */
const char *json_doc_stranger(const struct json_doc *doc, const char *const *names);

#endif /* NODE_JSON_H */
