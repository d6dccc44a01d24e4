/*
 * tests/lint.h - tells the analyzers what err_set() and err_wrap() return.
 *
 * They read one file at a time and therefore think that either may return 0,
 * after which a caller would go on with what was never made.  `make lint` puts
 * this header in front of each file but err.c; no build includes it.
 */
#ifndef TESTS_LINT_H
#define TESTS_LINT_H

#include "store/base/err.h"

static inline int
lint_negative(int code)
{
	if (code >= 0)
		__builtin_unreachable();
	return code;
}

#define err_set(...) lint_negative((err_set)(__VA_ARGS__))
#define err_wrap(...) lint_negative((err_wrap)(__VA_ARGS__))

#endif /* TESTS_LINT_H */
