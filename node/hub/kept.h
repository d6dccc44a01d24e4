/*
 * node/hub/kept.h - the files that a hub keeps to give out: DIR/snapshots/.
 *
 * A file's name says all about it, so nothing else has to be kept and a restart
 * forgets nothing:
 *
 *   <terms 16><made, ms 16><cursor 48><etag 32><sha-256 64>.zst      hex digits
 *
 * terms: hash of what kind of file it is, of the hub's epoch and of what the token
 * may read, so that tokens with the same rights share one and nobody else is given it.
 * Of the same terms a few are kept, so that who asks often throws out only their own.
 * etag names it, sha-256 proves it; of what bytes each kind says.
 */
#ifndef NODE_KEPT_H
#define NODE_KEPT_H

#include "node/hub/feed.h"
#include "node/identity.h"

#include <stdatomic.h>

enum {
	KEPT_FRESH_MS = 600000,      /* so long one is given out again */
	KEPT_KEEP_MS = 24 * 3600000, /* so long one that was begun can be resumed */
	KEPT_KEEP = 8,               /* files of the same terms */
	KEPT_TERMS = 17,             /* hex digits and a zero */
	KEPT_ETAG = 33,              /* likewise */
	KEPT_SHA256 = 32,
	KEPT_FOLDER = IDENTITY_PATH_MAX + 16,
	KEPT_PATH = KEPT_FOLDER + 256,
};

/* Where they are, and what they are made of. */
struct kept_place {
	const char *dir;         /* DIR */
	struct store_db *db;     /* reads */
	const struct env *env;   /* for the time */
	const atomic_bool *stop; /* ends the making of one; may be NULL */
};

struct kept {
	char etag[KEPT_ETAG];
	char cursor[FEED_CURSOR];
	uint8_t sha256[KEPT_SHA256];
	int64_t made_ms;
	uint64_t len;
	int fd; /* the caller's to close */
};

/* Which files of `kind` this token may have. */
MUST_CHECK int kept_terms(const struct kept_place *of, const struct token *token, const char *kind,
                          char terms[KEPT_TERMS], struct err *err);

/* One of these terms that is still kept, of that etag, or (NULL) fresh: 1, or 0. */
MUST_CHECK int kept_find(const struct kept_place *of, const char *terms, const char *etag,
                         struct kept *out, struct err *err);

/* The file at `path`, in the folder and open as made->fd, is complete: give it its name, which says
 * what its bytes are, so the medium has them before. */
MUST_CHECK int kept_keep(const struct kept_place *of, const char *terms, const char *path,
                         const struct kept *made, struct err *err);

/* Delete what is too old, too much, or was left unfinished; before one of the terms `more` (or
 * NULL) is made, one more of those. */
MUST_CHECK int kept_tidy(const struct kept_place *of, const char *more, struct err *err);

/* Where all this is; made if it isn't there. */
MUST_CHECK int kept_folder(const struct kept_place *of, char *path, size_t size, struct err *err);

/* A file in it. */
void kept_path(char path[KEPT_PATH], const char *folder, const char *name);

/* Does the text look like an etag of one? */
bool kept_is_etag(const char *text);

#endif /* NODE_KEPT_H */
