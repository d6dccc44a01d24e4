/*
 * tests/sim/main.c - build/sim: histories from seeds, run and counted.
 *
 *   sim --seed S          one, in this process, told as it happens
 *   sim --from A --count N   many, each in a process of its own
 *   sim --with KIND ...   every one of them with such an event (tests/sim/kind.c)
 *   sim --from A --hunt N    until one fails, for tests/sim/mutants.sh
 *   sim --replay FILE     one that was written down when it failed
 */
#include "store/base/hash.h"
#include "tests/sim/mould.h"
#include "tests/sim/rand.h"
#include "tests/sim/run_many.h"
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_BYTES = 1 << 30 };

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

/* ---- the command line ---- */

struct wish {
	const char *seed, *from, *count, *hunt, *replay, *with;
};

static int
usage(void)
{
	fprintf(stderr, "usage: sim [--with KIND] --seed S | --from A --count N |"
	                " --from A --hunt N | --replay FILE\n");
	return 2;
}

static uint64_t
number(const char *text, uint64_t missing)
{
	return text == NULL ? missing : strtoull(text, NULL, 10);
}

static bool
read_wish(int argc, char **argv, struct wish *w)
{
	const struct {
		const char *name;
		const char **value;
	} options[] = { { "--seed", &w->seed },     { "--from", &w->from },
		        { "--count", &w->count },   { "--hunt", &w->hunt },
		        { "--replay", &w->replay }, { "--with", &w->with } };

	for (int i = 1; i < argc; i += 2) {
		size_t k = 0;

		while (k < sizeof options / sizeof options[0] &&
		       strcmp(argv[i], options[k].name) != 0)
			k++;
		if (k == sizeof options / sizeof options[0] || i + 1 == argc)
			return false;
		*options[k].value = argv[i + 1];
	}
	return argc > 1;
}

static int
run_seed(uint64_t seed)
{
	struct sim_plan plan;
	int status;

	sim_plan_draw(&plan, seed);
	status = run_one(&plan);
	sim_plan_free(&plan);
	return status;
}

int
main(int argc, char **argv)
{
	struct wish w = { 0 };
	struct err err;

	if (!read_wish(argc, argv, &w))
		return usage();
	if (w.with != NULL && sim_kind_find(w.with) == SIM_KINDS)
		return usage();
	if (w.with != NULL)
		sim_plan_always(sim_kind_find(w.with));
	setvbuf(stdout, NULL, _IOLBF, 0);
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES); /* what was freed stays ours: each page that the */
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES); /* system takes back and gives anew costs a fault */
	randombytes_set_implementation(&keyed);
	if (!hash_init())
		return 2;
	if (sim_mould_make(&err) < 0) {
		fprintf(stderr, "sim: %s\n", err.msg);
		return 2;
	}
	if (w.replay != NULL)
		return replay(w.replay);
	if (w.hunt != NULL)
		return sim_run_hunt(number(w.from, 1), number(w.hunt, 0));
	if (w.count != NULL)
		return sim_run_many(number(w.from, 1), number(w.count, 0));
	return w.seed != NULL ? run_seed(number(w.seed, 0)) : usage();
}
