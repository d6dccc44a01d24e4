/*
 * tests/histories.h - how many random histories a law is tried on.
 *
 * A law's loop is its seed: history i is always the same.  YZ_HISTORIES=n tries n of
 * them instead of the law's own number, YZ_FROM=i begins with history i:
 *
 *	YZ_FROM=1000 YZ_HISTORIES=1000 CK_RUN_SUITE=law/seats build/check
 */
#ifndef TESTS_HISTORIES_H
#define TESTS_HISTORIES_H

#include <check.h>

/* `test` on history from, from + 1, ...; `usual` of them if nothing else is asked for. */
#define histories_add(tcase, test, usual)                                                          \
	tcase_add_loop_test(tcase, test, histories_from(),                                         \
	                    histories_from() + histories_count(usual))

int histories_from(void);
int histories_count(int usual);

#endif /* TESTS_HISTORIES_H */
