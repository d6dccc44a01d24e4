/* tests/sim/run_many.c - children, sums and the closing line. */
#include "tests/sim/run_many.h"
#include "tests/sim/shrink.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	HANG_S = 60,         /* no history takes a tenth of it */
	TWICE_OF = 20,       /* every so manyth seed runs twice and must give the same hash */
	SEEDS_FOR_ALL = 200, /* with so many nothing that can happen may never have happened */
	JOBS_MAX = 16,
	SHRINK_MAX = 3, /* failures of one run that are made smaller */
};

static void
child(const struct sim_plan *plan, int fd)
{
	struct sim_result result;
	const struct rlimit hang = { HANG_S, HANG_S };
	FILE *words = freopen("/dev/null", "w", stderr);

	setrlimit(RLIMIT_CPU, &hang);
	sim_run(plan, NULL, &result);
	_exit(words != NULL && write(fd, &result, sizeof result) == (ssize_t)sizeof result ? 0 : 1);
}

static void
tell_death(struct sim_result *result, int status)
{
	*result = (struct sim_result){ .failed = true };
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
		snprintf(result->why, sizeof result->why, "not done after %d s of processor time",
		         HANG_S);
	else if (WIFSIGNALED(status))
		snprintf(result->why, sizeof result->why, "the process died: %s",
		         strsignal(WTERMSIG(status)));
	else
		snprintf(result->why, sizeof result->why, "the process ended with status %d",
		         WEXITSTATUS(status));
}

struct sim_child
sim_run_begin(const struct sim_plan *plan)
{
	struct sim_child c = { .pid = -1, .fd = -1 };
	int ends[2];

	if (pipe(ends) < 0)
		return c;
	fflush(NULL);
	c.pid = fork();
	c.fd = ends[0];
	if (c.pid == 0) {
		close(ends[0]);
		child(plan, ends[1]);
	}
	close(ends[1]);
	return c;
}

void
sim_run_end(struct sim_child *c, struct sim_result *result)
{
	ssize_t got = c->pid < 0 ? 0 : read(c->fd, result, sizeof *result);
	int status = 0;

	if (c->fd >= 0)
		close(c->fd);
	if (c->pid >= 0)
		waitpid(c->pid, &status, 0);
	if (got != (ssize_t)sizeof *result) {
		tell_death(result, status);
		sim_sweep(c->pid);
	}
}

void
sim_run_apart(const struct sim_plan *plan, struct sim_result *result)
{
	struct sim_child c = sim_run_begin(plan);

	sim_run_end(&c, result);
}

/* ---- many ---- */

struct sums {
	uint64_t passed, failed, twice;
	uint64_t counts[SIM_COUNTS];
	uint64_t run_days, taps; /* facility-days, those of second runs too */
	int64_t heal_ms;
	double began;
};

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of all children that have ended. */
static double
processor_seconds(void)
{
	struct rusage used;

	getrusage(RUSAGE_CHILDREN, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void
add(struct sums *sums, const struct sim_result *r)
{
	sums->passed += !r->failed;
	sums->failed += r->failed;
	for (int i = 0; i < SIM_COUNTS; i++)
		sums->counts[i] += r->counts[i];
	sums->run_days += r->facility_days;
	sums->taps += r->taps;
	if (r->heal_ms > sums->heal_ms)
		sums->heal_ms = r->heal_ms;
}

/* A seed that is being run. */
struct running {
	struct sim_plan plan;
	struct sim_child child;
};

static void
begin_seed(struct running *r, uint64_t seed)
{
	sim_plan_draw(&r->plan, seed);
	r->child = sim_run_begin(&r->plan);
}

static void
run_twice(const struct sim_plan *plan, struct sums *sums, struct sim_result *result)
{
	struct sim_result again;

	sim_run_apart(plan, &again);
	sums->twice++;
	sums->run_days += again.facility_days;
	if (again.failed)
		*result = again;
	if (again.failed || again.hash == result->hash)
		return;
	result->failed = true;
	snprintf(result->why, sizeof result->why,
	         "two runs of it are not the same: %016" PRIx64 " and %016" PRIx64, result->hash,
	         again.hash);
}

static void
end_seed(struct running *r, struct sums *sums)
{
	struct sim_result result;

	sim_run_end(&r->child, &result);
	if (!result.failed && r->plan.seed % TWICE_OF == 0)
		run_twice(&r->plan, sums, &result);
	add(sums, &result);
	if (result.failed) {
		printf("seed %" PRIu64 ": %s\n", r->plan.seed, result.why);
		if (sums->failed <= SHRINK_MAX)
			sim_shrink(&r->plan, result.why);
	}
	sim_plan_free(&r->plan);
}

static int
print_counts(const struct sums *sums, bool all)
{
	int missing = 0;

	for (unsigned i = 0; i < SIM_COUNTS; i++) {
		bool never = all && sums->counts[i] == 0 && sim_count_wanted(i);

		printf("  %-16s %10" PRIu64 "%s\n", sim_count_name(i), sums->counts[i],
		       never ? "  <- never happened" : "");
		missing += never;
	}
	for (unsigned i = 0; i < SIM_KINDS; i++)
		if (sim_kinds[i].off != NULL)
			printf("  %-16s        off: %s\n", sim_kinds[i].name, sim_kinds[i].off);
	return missing;
}

int
sim_run_many(uint64_t from, uint64_t count)
{
	struct sums sums = { .began = seconds() };
	struct running ring[JOBS_MAX];
	uint64_t jobs = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN), begun = 0;
	double took;
	int missing;

	jobs = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs;
	for (uint64_t i = 0; i < count; i++) {
		for (; begun < count && begun < i + jobs; begun++)
			begin_seed(&ring[begun % jobs], from + begun);
		end_seed(&ring[i % jobs], &sums);
	}
	took = seconds() - sums.began;
	missing = print_counts(&sums, count >= SEEDS_FOR_ALL);
	printf("%" PRIu64 " facility-days, %.1f a second, %.1f a second of processor; %" PRIu64
	       " writes acknowledged; %" PRIu64 " seeds run twice; equal at the latest %" PRId64
	       " min after healing\n",
	       sums.run_days, (double)sums.run_days / took,
	       (double)sums.run_days / processor_seconds(), sums.taps, sums.twice,
	       sums.heal_ms / 60000);
	if (missing > 0)
		printf("%d of the things that can happen never did\n", missing);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", sums.passed,
	       sums.failed + (missing > 0));
	return sums.failed > 0 || missing > 0;
}

int
sim_run_hunt(uint64_t from, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct sim_result result;
		struct sim_plan plan;

		sim_plan_draw(&plan, from + i);
		sim_run_apart(&plan, &result);
		sim_plan_free(&plan);
		if (result.failed) {
			printf("seed %" PRIu64 ": %s\n", from + i, result.why);
			return 1;
		}
	}
	return 0;
}
