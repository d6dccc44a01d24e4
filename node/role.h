/*
 * node/role.h - who this directory is, as its database tells.
 */
#ifndef NODE_ROLE_H
#define NODE_ROLE_H

#include "store/catalog.h"

struct node_role {
	bool is_hub;
	char facility[STORE_SCOPE_MAX + 1]; /* "" at a hub */
	char scope[STORE_SCOPE_MAX + 1];    /* "f/<facility>", or "hub" */
};

/* Read it. */
MUST_CHECK int node_role_get(struct store_db *db, struct node_role *role, struct err *err);

/* Write it, at the making. */
MUST_CHECK int node_role_set(struct store_db *db, const char *facility, struct err *err);

#endif /* NODE_ROLE_H */
