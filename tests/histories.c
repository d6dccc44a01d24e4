#include "tests/histories.h"

#include <stdio.h>
#include <stdlib.h>

static int
asked(const char *name, int otherwise)
{
	const char *text = getenv(name);
	char *end = NULL;
	long number = text == NULL ? otherwise : strtol(text, &end, 10);

	if (text != NULL && (end == text || *end != 0 || number < 0 || number > 1000000)) {
		fprintf(stderr, "%s=%s is not a number\n", name, text);
		exit(2);
	}
	return (int)number;
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
