/* tests/bench/main.c - the report: key=value lines. */
#include "tests/bench/bench.h"

#include <signal.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
bench_must(int rc, const struct err *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "bench: %s\n", err->msg);
	exit(1);
}

double
bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
cmp_double(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

double
bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, cmp_double);
	return values[count / 2];
}

void
bench_say(const char *key, double value, int decimals)
{
	printf("%s=%.*f\n", key, decimals, value);
	fflush(stdout);
}

/* `bench merge` measures that part alone, for a profiler. */
static const struct part {
	const char *name;
	void (*measure)(void);
} parts[] = {
	{ "memory", bench_memory }, /* first: it looks at the process's own memory */
	{ "capture", bench_capture },   { "seal", bench_seal_rate },
	{ "merge", bench_merge },       { "codec", bench_codec },
	{ "month", bench_month },       { "feed", bench_feed },
	{ "snapshot", bench_snapshot }, { "follow", bench_follow },
	{ "herd", bench_herd },         { "pg", bench_pg },
};

int
main(int argc, char **argv)
{
	bool any = false;

	if (sodium_init() < 0) {
		fprintf(stderr, "bench: libsodium does not start\n");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN); /* so that the folder goes when nobody reads on */
	bench_make_folder();
	printf("sqlite_version=%s\n", sqlite3_libversion());
	fflush(stdout);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (argc > 1 && strcmp(argv[1], parts[i].name) != 0)
			continue;
		parts[i].measure();
		any = true;
	}
	if (!any)
		fprintf(stderr, "bench: there is no part %s\n", argv[1]);
	return any ? 0 : 1;
}
