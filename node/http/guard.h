/*
 * node/http/guard.h - which requests we look at at all; no socket, no library.
 *
 * The server library (libmicrohttpd 0.9.75) accepts what two programs on one
 * line may understand differently: two Content-Lengths, Content-Length beside
 * Transfer-Encoding, two Hosts, a NUL or a bare CR or LF inside the header
 * block, folded lines, spaces before the colon.  Each of these is how a request
 * is smuggled past a proxy, so none is guessed at: the request is refused and
 * the connection closed.
 *
 * What the library hides is seen in the block itself.  It parses in place and
 * leaves, from the method on, exactly
 *
 *     method NUL target.. NUL version NUL NUL (name NUL value NUL NUL)* NUL NUL
 *
 * where each pair of NULs was a CR LF and the one inside a line was its first
 * colon.  Anything that doesn't have this shape was not written as RFC 9112
 * wants it: a bare LF leaves one NUL, a NUL from outside one too many.  A block
 * made to look right with NULs from outside has another number of fields than
 * the library counted.
 *
 * Not seen here: bare LFs in the framing of a chunked body, and the trailer
 * fields behind it, which nobody reads.  Nor what the library refuses before it
 * shows us a head: a Content-Length that is no number ("+3", "1, 1", one of 23
 * digits), broken chunks, a header line without a colon or with a NUL in its
 * name, a request line of other than three words, HTTP/2.  It answers in its own
 * words, a page of HTML instead of our problem document, and for such a
 * Content-Length it puts its head twice, the second as the body's beginning.  That
 * can't be mended from outside: transmit_error_response_len() of its connection.c
 * (0.9.75, and 1.0 still) is static, makes the response of a fixed text and queues
 * it itself; what it calls on the way is its log alone, which isn't told which
 * connection it is about.  It does what counts: 4xx or 505, Connection: close,
 * nothing of what follows is read, and nobody here hears of the request.
 */
#ifndef NODE_GUARD_H
#define NODE_GUARD_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GUARD_FIELDS = 64,          /* header lines */
	GUARD_HEAD_MAX = 16 * 1024, /* bytes of request line and header lines */
	GUARD_TARGET_MAX = 2048,    /* bytes of the path with its query */
};

struct guard_field {
	const char *name;
	const char *value; /* without the space around it */
};

/* A request's head in parts; all pointers are borrowed from the two strings it was read from. */
struct guard_head {
	const char *path;  /* decoded, valid UTF-8, begins with a slash */
	const char *query; /* as sent, "" if there was none */
	struct guard_field fields[GUARD_FIELDS];
	size_t count;
	bool has_length;
	uint64_t length; /* Content-Length */
	bool chunked;
};

/*
 * The words in which a request is refused: an HTTP status (400, 414, 421 or 431) and one sentence.
 * status 0 means that nothing was wrong.
 */
struct guard_verdict {
	int status;
	const char *why;
};

/* Is `method` one that we serve (GET HEAD POST PUT DELETE)? */
struct guard_verdict guard_method(const char *method);

/*
 * Split the target as it was sent, in place: sets head->path and head->query.
 * Refused: absolute and asterisk form, anything but URI characters, bad or
 * dangerous escapes (%00, %2f, %5c, control characters), dot segments in any
 * spelling, text that isn't UTF-8.
 */
struct guard_verdict guard_target(struct guard_head *head, char *target);

/*
 * Read the block from the version on, in the shape above, in place: sets
 * head->fields.  `counted` is the number of fields that the library saw.
 */
struct guard_verdict guard_block(struct guard_head *head, char *block, size_t len, size_t counted);

/*
 * The rules between fields: exactly one Host, which must be a name of ours; not
 * more than one Authorization, Origin, Range, If-Range, If-None-Match, Last-Event-ID,
 * part of a signature or word of a node about itself (Yz-Grant, Yz-Rotation,
 * Yz-Report); one way to tell the body's length; no body with GET and HEAD.  `hosts`
 * are the names allowed besides the loopback's, separated by spaces; "*" among them
 * allows any IP address (which cannot be rebound), never any name.
 */
struct guard_verdict guard_fields(struct guard_head *head, const char *method, const char *hosts);

/* A head as the library shows it. */
struct guard_raw {
	const char *method;  /* where the block begins */
	const char *version; /* in the same block */
	char *target;   /* a copy of the target as it was sent, to be decoded in place; NULL: no
	                   memory */
	size_t size;    /* of the block, from the method on */
	size_t counted; /* header lines */
};

/*
 * All of the above.  *block becomes a copy of the block, which head->fields point into and the
 * caller frees, whatever the verdict; status 503 if there was no memory for it.
 */
struct guard_verdict guard_request(struct guard_head *head, const struct guard_raw *raw,
                                   const char *hosts, char **block);

/* The value of the field called `name` (any case), or NULL. */
const char *guard_field(const struct guard_head *head, const char *name);

#endif /* NODE_GUARD_H */
