/* node/http/range.h - which bytes of a file a Range header asks for (RFC 9110, 14). */
#ifndef NODE_RANGE_H
#define NODE_RANGE_H

#include "node/http/http.h"

enum range { RANGE_NONE, RANGE_GOOD, RANGE_BEYOND };

/*
 * "bytes=a-b", "bytes=a-" or "bytes=-n" of a file of `len` bytes, into part->offset and part->len;
 * anything else, several ranges too, is as if it were not there.  `text` may be NULL.
 */
enum range range_read(const char *text, uint64_t len, struct http_file *part);

#endif /* NODE_RANGE_H */
