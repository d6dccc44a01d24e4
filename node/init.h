/*
 * node/init.h - make a node's directory: key, database with the facility's
 * tables, settings.
 *
 *   DIR                      0700 (with a group: 3770, so that its members can write the database)
 *     key, allowed_signers   the node's Ed25519 key, and who may sign here
 *     node.conf              settings
 *     anchor                 which file on which machine the database is
 *     reserve                space kept for the day when the disk is full
 *     yizhan.db              comes last, by rename: while it isn't there, nothing is
 */
#ifndef NODE_INIT_H
#define NODE_INIT_H

#include "store/base/env.h"
#include "store/catalog.h"

struct node_init {
	const char *dir;
	const char *facility; /* its ID; NULL makes a hub */
	const char *name;     /* for people; may be NULL */
	const char *group;    /* Unix group that may write the database; NULL: nobody else */
};

/*
 * Make it; `self` is the new site.  ERR_INVALID with a sentence if the ID can't be one, or DIR
 * holds a node already; what was begun is taken away again on error.
 */
MUST_CHECK int node_init(const struct node_init *what, const struct env *env,
                         struct store_site *self, struct err *err);

#endif /* NODE_INIT_H */
