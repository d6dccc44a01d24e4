/*
 * tests/crash/main.c - every scenario in a process of its own, some at a time.
 *
 * build/crash                        all of them
 * build/crash --scenario NAME        one; --list names them
 *   --fault F --point N --damage D   one run of it, as a failure's line says
 * --cap N      at most N points for a crash and an error, N/3 for each other fault, evenly,
 *              of which a slow scenario gets a quarter (0: every point)
 * --jobs N     processes at a time
 *
 * A scenario fails if a run shows a mistake, if its process dies, or if what it
 * is for never happened: no step undone, none found whole, no log replayed, its
 * own recovery never run.
 */
#include "tests/crash/crash.h"
#include "tests/crash/folder.h"

#include "store/base/hash.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SCENARIOS_MAX = 96, CAP = 32 };

static const struct scenario *const lists[] = { scenarios_store, scenarios_schema, scenarios_seal,
	                                        scenarios_sync,  scenarios_remint, scenarios_node,
	                                        scenarios_files, scenarios_rotate, scenarios_hub };

static const struct scenario *scenarios[SCENARIOS_MAX];
static int scenario_count;
static struct crash_result *results; /* shared with the children */
static pid_t pids[SCENARIOS_MAX];
static int passed, failed;
static int64_t runs;

static void
collect(const char *only)
{
	for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++)
		for (const struct scenario *s = lists[l]; s->name != NULL; s++)
			if (only == NULL || strcmp(only, s->name) == 0)
				scenarios[scenario_count++] = s;
}

/* What a scenario is for and did not do; NULL if it did it all. */
static const char *
missing(const struct scenario *s, const struct crash_result *r)
{
	if (r->undone == 0)
		return "no step was ever undone and done again";
	if (r->whole == 0 && r->runs[CRASH_CUT] >= 4 * r->points[CRASH_CUT])
		return "no step was ever found whole that nobody had heard of";
	if (r->logs == 0 && !s->folder)
		return "no log was ever replayed";
	if (s->recovers != NULL && r->recovered == 0)
		return s->recovers;
	return NULL;
}

static void
tell_row(const struct scenario *s, const struct crash_result *r)
{
	printf("%-22s", s->name);
	for (int f = 0; f < CRASH_FAULTS; f++) {
		char cell[32];

		snprintf(cell, sizeof cell, "%lld/%lld", (long long)r->runs[f],
		         (long long)r->points[f]);
		printf(" %10s", cell);
		runs += r->runs[f];
	}
	printf(" %6lld %6lld %6lld %6lld %6lld %6lld\n", (long long)r->undone, (long long)r->whole,
	       (long long)r->logs, (long long)r->recovered, (long long)r->died, (long long)r->ms);
}

static void
tell(int i, int status, bool in_part)
{
	const struct scenario *s = scenarios[i];
	const struct crash_result *r = &results[i];
	const char *lacks = in_part ? NULL : missing(s, r);

	tell_row(s, r);
	if (status == 0 && lacks == NULL) {
		passed++;
		return;
	}
	failed++;
	if (status == 0) {
		printf("FAILED %s: never happened: %s\n", s->name, lacks);
		return;
	}
	printf("FAILED %s: %s (status %d)\n", s->name, r->words[0] != 0 ? r->words : "it died",
	       status);
	printf("  build/crash --scenario %s --fault %s --point %lld --damage %d\n", s->name,
	       crash_fault_name(r->fault), (long long)r->point, r->draw);
}

static void
begin(int i, const struct crash_plan *plan)
{
	fflush(stdout);
	pids[i] = fork();
	if (pids[i] != 0)
		return;
	if (plan->point < 0 && freopen("/dev/null", "w", stderr) == NULL)
		exit(EXIT_FAILURE); /* a thousand warnings of what was broken on purpose */
	crash_run(scenarios[i], plan, &results[i]);
	exit(EXIT_SUCCESS);
}

static void
reap(bool in_part)
{
	int status, i = 0;
	pid_t pid = wait(&status);

	while (i < scenario_count && pids[i] != pid)
		i++;
	folder_remove((long)pid);
	if (i < scenario_count)
		tell(i, status, in_part);
}

static void
run_all(const struct crash_plan *plan, int jobs)
{
	int begun = 0, ended = 0;

	printf("%-22s", "runs/points");
	for (int f = 0; f < CRASH_FAULTS; f++)
		printf(" %10s", crash_fault_name(f));
	printf(" %6s %6s %6s %6s %6s %6s\n", "undone", "whole", "logs", "recov.", "died", "ms");
	while (ended < scenario_count) {
		if (begun < scenario_count && begun - ended < jobs) {
			begin(begun++, plan);
			continue;
		}
		reap(plan->point >= 0 || plan->fault >= 0);
		ended++;
	}
	printf("%lld runs\n%d passed, %d failed\n", (long long)runs, passed, failed);
}

static int
fault_by_name(const char *name)
{
	for (int f = 0; f < CRASH_FAULTS; f++)
		if (strcmp(name, crash_fault_name(f)) == 0)
			return f;
	fprintf(stderr, "crash: no such fault: %s\n", name);
	exit(2);
}

static const struct option options[] = {
	{ "scenario", required_argument, NULL, 's' }, { "fault", required_argument, NULL, 'f' },
	{ "point", required_argument, NULL, 'p' },    { "damage", required_argument, NULL, 'd' },
	{ "cap", required_argument, NULL, 'c' },      { "jobs", required_argument, NULL, 'j' },
	{ "list", no_argument, NULL, 'l' },           { 0 },
};

int
main(int argc, char **argv)
{
	struct crash_plan plan = { .cap = CAP, .fault = -1, .point = -1, .draw = -1 };
	const char *only = NULL;
	bool list = false;
	int jobs = 2, c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			only = optarg;
			break;
		case 'f':
			plan.fault = fault_by_name(optarg);
			break;
		case 'p':
			plan.point = strtoll(optarg, NULL, 10);
			break;
		case 'd':
			plan.draw = (int)strtol(optarg, NULL, 10);
			break;
		case 'c':
			plan.cap = (int)strtol(optarg, NULL, 10);
			break;
		case 'j':
			jobs = (int)strtol(optarg, NULL, 10);
			break;
		case 'l':
			list = true;
			break;
		default:
			return 2;
		}
	}
	collect(only);
	for (int i = 0; list && i < scenario_count; i++)
		puts(scenarios[i]->name);
	if (list)
		return EXIT_SUCCESS;
	if (!hash_init())
		return EXIT_FAILURE;
	disk_use_memory(memory_real, memory_real_free);
	results = mmap(NULL, sizeof *results * SCENARIOS_MAX, PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED || scenario_count == 0)
		return 2;
	run_all(&plan, jobs);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
