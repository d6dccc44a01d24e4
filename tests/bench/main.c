/* tests/bench/main.c - the report: key=value lines. */
#include "tests/bench/bench.h"

#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
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

int
main(void)
{
	if (sodium_init() < 0) {
		fprintf(stderr, "bench: libsodium does not start\n");
		return 1;
	}
	printf("sqlite_version=%s\n", sqlite3_libversion());
	fflush(stdout);
	bench_make_folder();
	bench_memory();
	bench_capture();
	bench_engine();
	bench_month();
	return 0;
}
