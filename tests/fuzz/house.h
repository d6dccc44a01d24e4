/*
 * tests/fuzz/house.h - a small facility in memory, for the targets that write
 * records: two classes, three children, a guardian, a colleague.
 */
#ifndef TESTS_FUZZ_HOUSE_H
#define TESTS_FUZZ_HOUSE_H

#include "node/facility/record.h"
#include "tests/fuzz/help.h"

#define HOUSE_NOW_MS INT64_C(1772410500000) /* Monday, 2026-03-02, 08:15 at the facility */

/* It, as it was made.  No transaction is open. */
struct facility *house(void);

/* An input has changed it: the next one shall find it as it was. */
void house_leave(void);

/* The integer that a query gives. */
int64_t house_int(struct facility *f, const char *sql);

/* Rows of all tables in which records are kept. */
int64_t house_rows(struct facility *f);

#endif /* TESTS_FUZZ_HOUSE_H */
