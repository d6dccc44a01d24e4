/*
 * tests/sim/shrink.c - what of a history does it need to fail?
 *
 * Draws are keyed (rand.h), so what is left behaves as it did.  A smaller plan
 * counts if it fails in whatever way: often the first sentence told is only one
 * of several that the same mistake can lead to.
 */
#include "tests/sim/shrink.h"
#include "tests/sim/run_many.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { RUNS = 500, SECONDS = 60 };

struct shrinking {
	struct sim_plan best;
	char why[400];
	int runs;
	time_t end;
};

/* Does it fail too?  Then it is the best one; `plan` is taken over. */
static bool
take_if_fails(struct shrinking *k, struct sim_plan *plan)
{
	struct sim_result result;

	if (k->runs++ < RUNS && time(NULL) < k->end)
		sim_run_apart(plan, &result);
	else
		result.failed = false;
	if (result.failed) {
		sim_plan_free(&k->best);
		k->best = *plan;
		memcpy(k->why, result.why, sizeof k->why);
		return true;
	}
	sim_plan_free(plan);
	return false;
}

/* The best one without the events for which `drop` says so. */
static bool
without(struct shrinking *k, bool (*drop)(const struct sim_event *e, size_t i, const void *ctx),
        const void *ctx)
{
	struct sim_plan plan;
	size_t count = 0;

	sim_plan_copy(&plan, &k->best);
	for (size_t i = 0; i < plan.count; i++)
		if (!drop(&plan.events[i], i, ctx))
			plan.events[count++] = plan.events[i];
	if (count == plan.count) {
		sim_plan_free(&plan);
		return false;
	}
	plan.count = count;
	return take_if_fails(k, &plan);
}

static void
drop_places(struct shrinking *k)
{
	for (unsigned i = 0; i < SIM_PLACES; i++) {
		struct sim_plan plan;

		if ((k->best.places >> i & 1) == 0 || sim_plan_places(&k->best) == 1)
			continue;
		sim_plan_copy(&plan, &k->best);
		plan.places &= ~(1u << i);
		take_if_fails(k, &plan);
	}
	for (unsigned i = 0; i < SIM_PLACES; i++) {
		struct sim_plan plan;

		if ((k->best.second_nodes >> i & 1) == 0)
			continue;
		sim_plan_copy(&plan, &k->best);
		plan.second_nodes &= ~(1u << i);
		take_if_fails(k, &plan);
	}
}

static bool
is_kind(const struct sim_event *e, size_t i, const void *ctx)
{
	(void)i;
	return e->kind == *(const enum sim_kind *)ctx;
}

static void
drop_kinds(struct shrinking *k, bool faults)
{
	for (int kind = 0; kind < SIM_KINDS; kind++) {
		enum sim_kind this = (enum sim_kind)kind;

		if (sim_kinds[kind].fault == faults)
			without(k, is_kind, &this);
	}
}

struct range {
	size_t from, to;
};

static bool
in_range(const struct sim_event *e, size_t i, const void *ctx)
{
	const struct range *r = ctx;

	(void)e;
	return i >= r->from && i < r->to;
}

/* Zeller's ddmin, without its complements: pieces from large to small. */
static void
drop_events(struct shrinking *k)
{
	for (size_t piece = (k->best.count + 1) / 2; piece > 0 && k->runs < RUNS; piece /= 2)
		for (size_t from = 0; from < k->best.count && time(NULL) < k->end;) {
			struct range r = { from, from + piece };

			if (!without(k, in_range, &r))
				from += piece;
		}
}

static void
write_down(const struct shrinking *k)
{
	char path[64];
	FILE *out;

	mkdir("build", 0777);
	mkdir("build/sim.d", 0777);
	snprintf(path, sizeof path, "build/sim.d/%" PRIu64 ".trace", k->best.seed);
	out = fopen(path, "w");
	if (out == NULL)
		return;
	sim_plan_write(out, &k->best);
	fclose(out);
	printf("  %zu events are enough: build/sim --replay %s\n  %s\n", k->best.count, path,
	       k->why);
}

void
sim_shrink(const struct sim_plan *plan, const char *why)
{
	struct shrinking k = { .end = time(NULL) + SECONDS };

	sim_plan_copy(&k.best, plan);
	snprintf(k.why, sizeof k.why, "%s", why);
	drop_places(&k);
	drop_kinds(&k, true);
	drop_kinds(&k, false);
	drop_events(&k);
	write_down(&k);
	sim_plan_free(&k.best);
}
