/*
 * tests/share_world.h - children whom several facilities see: three facilities A, B and C, two
 * machines at B, and tables that hang on a child.
 *
 * Tracked are `child(id, facility_id, name, note)`, the events `growth(id, facility_id, child_id,
 * grams)` and `allergy(child_id, code, facility_id, note)` with its natural key.
 */
#ifndef TESTS_SHARE_WORLD_H
#define TESTS_SHARE_WORLD_H

#include "tests/world.h"

enum { SHARE_A, SHARE_B, SHARE_C, SHARE_B2 };

void share_world_open(struct world *w);

/* At the hub: the child is seen in a scope, or no more. */
void share_world_say(struct world *w, int child, const char *scope, bool ends);

/* Child 1 of A, with a measurement and an allergy; the hub has all of it. */
void share_world_make_child(struct world *w);

/* Node `i` writes something, drawn, about a child that it has; `step` tells it from others.  What
 * is refused because the child has left an older program writes all the same. */
void share_world_write(struct world *w, int i, int step, bool older);

/* The write is refused, with a sentence that says of what. */
void share_world_expect_refused(struct world_peer *p, const char *sql);

/* Write as a file of an older program does, which doesn't guard what is kept of who has left. */
void share_world_write_past(struct world_peer *p, const char *sql);

/* Both show the same of child 1. */
void share_world_expect_same_child(struct world_peer *x, struct world_peer *y);

/* The node counts in the scope what the hub counts. */
void share_world_expect_digest(struct world *w, int node, const char *scope);

/* Every node counts what the hub counts for it, and nothing was kept aside or is in doubt. */
void share_world_expect_level(struct world *w);

int64_t share_world_conflicts(struct world_peer *p);

/* Records of the hub's own streams of a scope, in its present life. */
int64_t share_world_hub_records(struct world *w, const char *scope);

#endif /* TESTS_SHARE_WORLD_H */
