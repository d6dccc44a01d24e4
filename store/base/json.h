/*
 * store/base/json.h - write JSON, straight into a buf.
 *
 *     struct json j = json_to(&out);
 *     json_object(&j);
 *     json_name(&j, "rows");
 *     json_int(&j, 3);
 *     json_end_object(&j);
 *
 * The writer puts the commas; that names and values alternate and that what is
 * opened is closed is the caller's business.  Out of memory sticks to the buf.
 */
#ifndef STORE_BASE_JSON_H
#define STORE_BASE_JSON_H

#include "store/base/buf.h"

struct json {
	struct buf *out; /* borrowed */
	bool follows;    /* a value stands before: the next one begins with a comma */
};

/* Begin a document at the end of `out`, which must outlive the writer. */
struct json json_to(struct buf *out);

/* Open and close an object or an array; either is a value. */
void json_object(struct json *j);
void json_end_object(struct json *j);
void json_array(struct json *j);
void json_end_array(struct json *j);

/* The name of the object's next member. */
void json_name(struct json *j, const char *name);

/* A whole number. */
void json_int(struct json *j, int64_t value);

/*
 * The shortest decimal that reads back as the same double, always with a point or an exponent; NaN
 * is null, the infinities 9e999 and -9e999 (which parsers read as such).
 */
void json_real(struct json *j, double value);

/* true or false. */
void json_bool(struct json *j, bool value);

/* null. */
void json_null(struct json *j);

/* A string; NULL is null. */
void json_text(struct json *j, const char *text);

/* A string of `len` bytes; each byte that isn't part of well-formed UTF-8 becomes U+FFFD, and then
 * the result is false. */
bool json_bytes(struct json *j, const void *bytes, size_t len);

/* A string of lower-case hex digits. */
void json_hex(struct json *j, const void *bytes, size_t len);

/* A string as RFC 3339 UTC of ms since 1970. */
void json_time(struct json *j, int64_t ms);

/* A member, its name and its value, that is null where nothing is known: unless `known`, for the
 * time 0, for NULL or an empty text. */
void json_member_int(struct json *j, const char *name, bool known, int64_t value);
void json_member_bool(struct json *j, const char *name, bool known, bool value);
void json_member_time(struct json *j, const char *name, int64_t ms);
void json_member_text(struct json *j, const char *name, const char *text);

/* Append the digits that json_real writes. */
void json_real_text(struct buf *out, double value);

#endif /* STORE_BASE_JSON_H */
