/* node/http/range.h - which bytes of a file a Range header asks for (RFC 9110, 14). */
#ifndef NODE_RANGE_H
#define NODE_RANGE_H

#include "node/http/http.h"

/*
 * Answer with a file of `len` bytes, or with the part of it that `text` asks for: "bytes=a-b",
 * "bytes=a-" or "bytes=-n"; anything else, several ranges too, is as if it were not there, and so
 * is NULL.  Sets status (200 or 206), Content-Range, file.offset and file.len; the caller sets
 * file.fd.  False if the file ends before the range begins: that is answered with 416.
 */
bool range_answer(const char *text, uint64_t len, struct http_response *response);

#endif /* NODE_RANGE_H */
