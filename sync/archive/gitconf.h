/*
 * sync/archive/gitconf.h - one settings file in git-config format, read and changed.
 *
 *     [node]
 *             name = Sunflower House
 *     [sync]
 *             interval = 30       ; k, m, g multiply by 1024, 1024^2, 1024^3
 *     [remote "origin"]
 *             url = https://hub.example
 *
 * A key is written "section.name" or "section.subsection.name"; section and name
 * don't mind case, the subsection does.  Exactly the file named is read: neither
 * ~/.gitconfig nor a system file, and a file that includes others is refused.
 * Every complaint names file and line.
 */
#ifndef SYNC_GITCONF_H
#define SYNC_GITCONF_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SYNC_GITCONF_MAX = 1 << 20 }; /* a larger file is refused */

struct sync_gitconf;

/* One key to write; a NULL value takes the key away. */
struct sync_gitconf_pair {
	const char *key;
	const char *value;
};

/*
 * Read the file at `path`.  ERR_NOTFOUND if there is none, ERR_INVALID with "path:line" if it isn't
 * git-config format or includes another.  The caller owns *conf; one thread at a time.
 */
MUST_CHECK int sync_gitconf_open(const char *path, struct sync_gitconf **conf, struct err *err);

/* Release it, and every string got from it; NULL is allowed. */
void sync_gitconf_close(struct sync_gitconf *conf);

/*
 * ERR_INVALID with "path:line: ..." for the first key that `allowed` doesn't name.  `allowed` ends
 * with NULL and is in lower case; a '*' for the subsection allows any: "remote.*.url".
 */
MUST_CHECK int sync_gitconf_check(struct sync_gitconf *conf, const char *const *allowed,
                                  struct err *err);

/*
 * Get a key's last value; `missing` (which may be NULL) if it isn't there.  The text is borrowed
 * from `conf`.
 */
MUST_CHECK int sync_gitconf_text(struct sync_gitconf *conf, const char *key, const char *missing,
                                 const char **value, struct err *err);

/* The same for a whole number with an optional k, m or g; ERR_INVALID with "path:line" if it is
 * none. */
MUST_CHECK int sync_gitconf_int(struct sync_gitconf *conf, const char *key, int64_t missing,
                                int64_t *value, struct err *err);

/* The same for true, yes, on, 1 or the bare key, against false, no, off, 0 or nothing after the
 * '='. */
MUST_CHECK int sync_gitconf_bool(struct sync_gitconf *conf, const char *key, bool missing,
                                 bool *value, struct err *err);

/* All values of a key in the order of the file, given to `each` one by one; a negative result of it
 * ends the walk. */
MUST_CHECK int sync_gitconf_list(struct sync_gitconf *conf, const char *key,
                                 int (*each)(void *ctx, const char *value, struct err *err),
                                 void *ctx, struct err *err);

/* The line of a key's last value, for complaints about what it says; 0 if it isn't in the file. */
int sync_gitconf_line(const struct sync_gitconf *conf, const char *key);

/*
 * Set (or with NULL remove; absent is fine) these keys in the file at `path`, made if it isn't
 * there; comments, order and all other keys stay as they are.  All of them or none, on disk when it
 * returns.  ERR_INVALID for a key that isn't one, or that stands in the file more than once.
 */
MUST_CHECK int sync_gitconf_set(const char *path, const struct sync_gitconf_pair *pairs,
                                size_t count, struct err *err);

#endif /* SYNC_GITCONF_H */
