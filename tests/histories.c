#include "tests/histories.h"

#include <stdlib.h>

static int
asked(const char *name, int otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : (int)strtol(text, NULL, 10);
}

int
histories_from(void)
{
	return asked("YZ_FROM", 0);
}

int
histories_count(int usual)
{
	return asked("YZ_HISTORIES", usual);
}
