/*
 * store/remote.h - what this file knows of a peer: where it is, whose key it
 * has, when we last spoke, and what it said of each scope's digest.
 */
#ifndef STORE_REMOTE_H
#define STORE_REMOTE_H

#include "store/digest.h"

struct store_remote {
	const char *url; /* "" if none */
	bool enrolled;   /* key and grant are there */
	uint8_t key[32]; /* its public key */
	bool epoch_known;
	uint8_t epoch[STORE_EPOCH]; /* its life when we last spoke */
	const uint8_t *grant;       /* its signed document for us */
	size_t grant_len;
	int64_t last_attempt_ms; /* 0: never */
	int64_t last_success_ms;
	const char *last_error; /* "" if the last attempt went well */
	int64_t clock_offset_ms;
	uint64_t counter; /* of its newest receipt */
};

/* The remote of that name ("hub"); all empty if there is none yet.  Texts and bytes live in `a`. */
MUST_CHECK int store_remote_get(struct store_db *db, const char *name, struct arena *a,
                                struct store_remote *out, struct err *err);

/* Write it whole. */
MUST_CHECK int store_remote_put(struct store_db *db, const char *name,
                                const struct store_remote *remote, struct err *err);

/* Keep the newest receipt (part 1 of a reply and its signature). */
MUST_CHECK int store_remote_set_receipt(struct store_db *db, const char *name, const uint8_t *bytes,
                                        size_t len, struct err *err);

/* What the remote said of a scope when we last spoke; equal_have: both sides then had the same
 * records. */
struct store_remote_digest {
	int scope;
	uint8_t sum[STORE_TERM];
	bool equal_have;
	int64_t at_ms;
};
MUST_CHECK int store_remote_set_digest(struct store_db *db, const char *name,
                                       const struct store_remote_digest *d, struct err *err);

/* What it told before holds no more. */
MUST_CHECK int store_remote_forget_digests(struct store_db *db, const char *name, struct err *err);

/* All of them. */
MUST_CHECK int store_remote_digests(struct store_db *db, const char *name, struct arena *a,
                                    struct store_remote_digest **list, size_t *count,
                                    struct err *err);

#endif /* STORE_REMOTE_H */
