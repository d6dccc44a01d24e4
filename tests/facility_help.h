/* tests/facility_help.h - a facility in memory for the facility_* suites. */
#ifndef TESTS_FACILITY_HELP_H
#define TESTS_FACILITY_HELP_H

#include "node/facility/record.h"
#include "node/facility/schema.h"
#include "store/stmt.h"

/* 2026-03-02, a Monday, 00:00 at the facility; and minute `m` of it. */
enum { HELP_DATE = 20260302 };
int64_t help_at(int hour, int minute);

/* An id whose bytes are all `n`. */
const uint8_t *help_id(int n);

/* A database in memory with the schema, the seeds, all tables tracked, and the facility F1; a
 * transaction is open. */
struct store_db *help_open(struct facility *f);

/* The same with two classes (ids 0xc1, 0xc2) and three children (ids 1, 2 in 0xc1, 3 in 0xc2),
 * enrolments 0x11.. */
struct store_db *help_small(struct facility *f);

/* The integer that `sql` gives. */
int64_t help_int(struct store_db *db, const char *sql);

/* Is `text` in `err.msg`?  Says both if not. */
void help_says(const struct err *err, const char *text);

#endif /* TESTS_FACILITY_HELP_H */
