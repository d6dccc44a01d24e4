/*
 * tests/sim/main.c - build/sim: histories from seeds, run and counted.
 *
 *   sim --seed S          one, in this process, told as it happens
 *   sim --from A --count N   many, each in a process of its own
 *   sim --replay FILE     one that was written down when it failed
 */
#include "store/base/hash.h"
#include "tests/sim/mould.h"
#include "tests/sim/rand.h"
#include "tests/sim/run_many.h"
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what libsodium draws is keyed, too ---- */

static uint64_t sodium_state;

static const char *
sodium_name(void)
{
	return "sim";
}

static uint32_t
sodium_random(void)
{
	return (uint32_t)(sim_rand_next(&sodium_state) >> 16);
}

static void
sodium_buf(void *const bytes, const size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)bytes)[i] = (uint8_t)sodium_random();
}

static struct randombytes_implementation keyed = { .implementation_name = sodium_name,
	                                           .random = sodium_random,
	                                           .buf = sodium_buf };

/* ---- one ---- */

static int
run_one(const struct sim_plan *plan)
{
	struct sim_result result;

	sim_run(plan, stdout, &result);
	printf("hash %016" PRIx64 ", %u acknowledged, equal %" PRId64 " min after healing\n",
	       result.hash, result.taps, result.heal_ms / 60000);
	printf("seed %" PRIu64 ": %s\n", plan->seed, result.failed ? result.why : "passed");
	return result.failed;
}

static int
replay(const char *path)
{
	FILE *in = fopen(path, "r");
	struct sim_plan plan;
	int status = 2;

	if (in == NULL || !sim_plan_read(in, &plan)) {
		fprintf(stderr, "sim: %s is no trace\n", path);
	} else {
		status = run_one(&plan);
		sim_plan_free(&plan);
	}
	if (in != NULL)
		fclose(in);
	return status;
}

static int
usage(void)
{
	fprintf(stderr, "usage: sim --seed S | --from A --count N | --replay FILE\n");
	return 2;
}

int
main(int argc, char **argv)
{
	uint64_t seed = 0, from = 1, count = 0;
	const char *trace = NULL;
	bool one = false;
	struct err err;

	randombytes_set_implementation(&keyed);
	if (!hash_init())
		return 2;
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage();
		if (strcmp(argv[i], "--seed") == 0) {
			seed = strtoull(argv[i + 1], NULL, 10);
			one = true;
		} else if (strcmp(argv[i], "--from") == 0) {
			from = strtoull(argv[i + 1], NULL, 10);
		} else if (strcmp(argv[i], "--count") == 0) {
			count = strtoull(argv[i + 1], NULL, 10);
		} else if (strcmp(argv[i], "--replay") == 0) {
			trace = argv[i + 1];
		} else {
			return usage();
		}
	}
	if (sim_mould_make(&err) < 0) {
		fprintf(stderr, "sim: %s\n", err.msg);
		return 2;
	}
	if (trace != NULL)
		return replay(trace);
	if (count > 0)
		return sim_run_many(from, count);
	if (one) {
		struct sim_plan plan;
		int status;

		sim_plan_draw(&plan, seed);
		status = run_one(&plan);
		sim_plan_free(&plan);
		return status;
	}
	return usage();
}
