/*
 * tests/word_world.h - nodes that say of one allergy, and of one enrolment, what they know
 * (node/facility/word.h), and settle it after each meeting as their daemon does.
 */
#ifndef TESTS_WORD_WORLD_H
#define TESTS_WORD_WORLD_H

#include "tests/world.h"

enum { WORD_NODES = 3 };

/* The world of the test that is running; failures are said by word_must. */
extern struct world word_world;
extern struct err word_err;

void word_must(int rc);

/* A hub and nodes of these facilities (NULL-terminated), or WORD_NODES of one, with the tables of
 * children, allergies and enrolments. */
void word_open_facilities(const char *const *ids);
void word_open(void);
void word_close(void);

/* What a node does after a meeting; a meeting with that, true if it went well; some rounds of
 * meetings, which have to. */
void word_after(int i);
bool word_meet(int i);
void word_meet_all(int rounds);

/* The allergy that is spoken of. */
#define WORD_NUTS "child_id = x'01' AND allergen_code = 'NUTS'"
#define WORD_ACTIVE "SELECT coalesce((SELECT active FROM allergy WHERE " WORD_NUTS "), 0)"

/* Open conflicts about allergies. */
#define WORD_OPEN                                                                                  \
	"SELECT count(*) FROM yz_conflict c JOIN yz_table t ON t.id = c.tbl WHERE"                 \
	" t.name = 'allergy' AND c.state = 'open'"

/* Statements by which it is told, even if it has been already; and struck out. */
enum { WORD_AGAIN = 5, WORD_GONE = 3 };
extern const char *const word_again[WORD_AGAIN]; /* the last one needs no row */
extern const char *const word_gone[WORD_GONE];

/* Is it active (1) or not, at every node and the hub?  Are all of F1 level with the hub, and
 * nothing waits? */
void word_expect_active(int64_t want);
void word_expect_level(void);

#endif /* TESTS_WORD_WORLD_H */
