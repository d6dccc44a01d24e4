/*
 * store/print.h - values and keys as people and other programs see them:
 * in JSON, and as plain text (6.2 of the interfaces: the manual, "Values").
 *
 *   value    JSON             text
 *   integer  number           digits
 *   real     shortest number  the same
 *   text     string           as it is
 *   blob     hex string       hex digits
 *   NULL     null             nothing
 *   key      the bare value, or an array for several columns; text a/b
 */
#ifndef STORE_PRINT_H
#define STORE_PRINT_H

#include "store/base/json.h"
#include "store/catalog.h"
#include "store/stmt.h"

/* A value; false if it is text that isn't well-formed UTF-8 (shown with U+FFFD). */
bool store_print_json(struct json *j, const struct store_value *v);

/* The same as plain text; a text's bytes are given as they are. */
void store_print_text(struct buf *out, const struct store_value *v);

/* The row that a statement stands on, as an object; columns whose text isn't well-formed UTF-8 are
 * named in a last member, _bad_utf8. */
void store_print_row_json(struct json *j, struct store_stmt *s);

/* A canonical key. */
void store_print_key_json(struct json *j, const uint8_t *key, size_t len);
void store_print_key_text(struct buf *out, const uint8_t *key, size_t len);

/* A site: 32 hex digits of the node, "-", 16 of its epoch. */
enum { STORE_PRINT_SITE = 2 * STORE_NODE_ID + 1 + 2 * STORE_EPOCH + 1 };
void store_print_site(char out[STORE_PRINT_SITE], const struct store_site *site);

/*
 * Read a key as a person writes it: hex for blob columns, columns separated by '/' (the last takes
 * what is left).  Appends the canonical key; ERR_INVALID with a sentence that names the column.
 */
MUST_CHECK int store_print_parse_key(const struct store_schema *schema, const char *text,
                                     struct buf *key, struct err *err);

/*
 * Read a value for a column of this declared type as the table would take it: "36.6" for REAL
 * becomes a real, hex digits for BLOB a blob.  Text is borrowed, blob bytes are put into `a`.
 */
MUST_CHECK int store_print_parse_value(const char *type, const char *text, struct arena *a,
                                       struct store_value *out, struct err *err);

#endif /* STORE_PRINT_H */
