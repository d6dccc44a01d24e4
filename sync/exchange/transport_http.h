/*
 * sync/exchange/transport_http.h - bytes to the hub and back over HTTP, by libcurl on a
 * thread of its own.
 *
 * It knows nothing of what it carries.  A reply that comes back as `TRANSPORT_OK`
 * is complete as far as HTTP can tell; whether the hub said it is for signatures
 * to prove.  Everything else is one code and one sentence for a person.
 *
 * Bounds: connecting 20 s; a transfer that moves less than 30 bytes a second for
 * 60 s is given up (a long poll says how long the hub may be silent); a reply's
 * head 32 KiB and body `max_reply`.  Never follows a redirect; https, or http to
 * this machine only; TLS 1.2 or newer.  Connections are kept and used again, so
 * that an exchange in steady state is one round trip.
 */
#ifndef SYNC_TRANSPORT_HTTP_H
#define SYNC_TRANSPORT_HTTP_H

#include "store/base/buf.h"
#include "store/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
	TRANSPORT_REPLY_MAX = 16 << 20,
	TRANSPORT_HEAD_MAX = 32 * 1024,
	TRANSPORT_WHY_SIZE = 200,
};

enum transport_code {
	TRANSPORT_OK,          /* a complete reply; look at its status */
	TRANSPORT_UNREACHABLE, /* no connection, or it broke before or during the reply */
	TRANSPORT_TIMEOUT,     /* connected, then too slow */
	TRANSPORT_UNTRUSTED,   /* its certificate or key isn't the right one */
	TRANSPORT_CUT,         /* the reply's body is not complete, or its end can't be known */
	TRANSPORT_TOO_LARGE,   /* more than max_reply */
	TRANSPORT_PORTAL,      /* a web page or a redirect: somebody else answers */
	TRANSPORT_REFUSED,     /* we don't send this: a bad URL, http to another machine */
	TRANSPORT_STOPPED,     /* transport_free() came first */
};

struct transport;

/* All NULL or 0: the defaults above. */
struct transport_options {
	const char *pin; /* "sha256//...;sha256//...": public keys of which the hub must show one;
	                    or NULL */
	const char *ca_file; /* trust these certificates instead of the system's; or NULL */
	bool pin_only; /* the pin is all that counts: neither authorities nor the name; needs `pin`
	                */
	int connect_ms;
	int quiet_s;      /* how long less than 30 bytes a second are borne */
	size_t max_reply; /* bytes of a body */
};

struct transport_request {
	const char *method; /* GET or POST */
	const char *base;   /* "https://host[:port]", "http://127.0.0.1:8700" or "unix:/path" */
	const char *path;   /* "/v1/sync", with its query */
	const char *const *headers; /* "Name: value" */
	size_t header_count;
	struct buf *body; /* taken over, and empty then; or NULL */
	int timeout_ms;   /* for all of it; 0: none but the bounds above */
	int quiet_s;      /* instead of the option's, for a long poll; or 0 */
	void *tag;        /* given back with the reply */
};

struct transport_reply {
	enum transport_code code;
	char why[TRANSPORT_WHY_SIZE]; /* "" or a sentence, without a full stop */
	int status;                   /* HTTP's; 0 if there was none */
	int retry_after_s;            /* what the peer asked for, or 0 */
	struct buf fields;            /* use transport_header() */
	struct buf body;
	uint64_t bytes_out, bytes_in; /* heads and bodies */
	int64_t took_ms;
};

/*
 * Begin.  `done` is called on the transport's thread for every request sent,
 * once; it owns the reply, and should only pass it on.  The strings of `options`
 * are copied.  The caller owns *t.
 */
MUST_CHECK int transport_new(const struct transport_options *options,
                             void (*done)(void *ctx, void *tag, struct transport_reply *reply),
                             void *ctx, struct transport **t, struct err *err);

/* Give up what is under way (each gets its TRANSPORT_STOPPED) and end the thread.  NULL is allowed.
 */
void transport_free(struct transport *t);

/*
 * Send; returns at once.  All of the request is copied or taken over.  Fails only
 * for want of memory, and then `done` is not called.
 */
MUST_CHECK int transport_send(struct transport *t, const struct transport_request *request,
                              struct err *err);

/*
 * Send and wait for the reply, which the caller owns; for commands.  `tag` is not
 * used and `done` not called.  Fails only for want of memory.
 */
MUST_CHECK int transport_call(struct transport *t, const struct transport_request *request,
                              struct transport_reply **reply, struct err *err);

/* A header's value, its name in any case, or NULL.  Borrowed from the reply. */
const char *transport_header(const struct transport_reply *reply, const char *name);

/* NULL is allowed. */
void transport_reply_free(struct transport_reply *reply);

#endif /* SYNC_TRANSPORT_HTTP_H */
