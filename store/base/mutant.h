/*
 * store/base/mutant.h - mistakes made on purpose, to see whether the tests find
 * them.
 *
 * MUT(n) is 0 in every build that anybody runs, and leaves no code behind.  A
 * build with -DYIZHAN_MUTANT has all of them, and makes the one whose number the
 * environment variable YIZHAN_MUTANT holds.  tests/sim/mutants.txt says what each
 * is; tests/sim/mutants.sh runs the tests against them.
 */
#ifndef STORE_BASE_MUTANT_H
#define STORE_BASE_MUTANT_H

#ifdef YIZHAN_MUTANT
#include <stdlib.h>

static inline int
mutant_chosen(void)
{
	static int chosen = -1;
	const char *text;

	if (chosen < 0) {
		text = getenv("YIZHAN_MUTANT");
		chosen = text == NULL ? 0 : atoi(text);
	}
	return chosen;
}

#define MUT(n) (mutant_chosen() == (n))
#else
#define MUT(n) 0
#endif

#endif /* STORE_BASE_MUTANT_H */
