/* tests/sim/plan.c - drawing, writing and reading a history. */
#include "tests/sim/plan.h"
#include "tests/sim/rand.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 20000, DAYS_MAX = 3, WHOLE_OF = 8 /* seeds, one has all tables */ };

/* 1 to `most`; small ones more often, because most mistakes need no more than that. */
static unsigned
some(uint64_t *x, unsigned most)
{
	unsigned a = sim_rand_below(x, most), b = sim_rand_below(x, most);

	return 1 + (a < b ? a : b);
}

static enum sim_kind always = SIM_KINDS; /* none */

void
sim_plan_always(enum sim_kind kind)
{
	always = kind;
}

static void
shape(struct sim_plan *plan)
{
	uint64_t x = sim_rand(plan->seed, 0, SIM_USE_SHAPE, 0);
	unsigned count = some(&x, SIM_PLACES);

	plan->days = some(&x, DAYS_MAX);
	plan->places = (1u << count) - 1;
	plan->second_nodes = sim_rand_happens(&x, 400) ? 1u << sim_rand_below(&x, count) : 0;
	plan->interval_ms = (10 + sim_rand_below(&x, 81)) * (int64_t)60000;
	plan->tick_ms = (8 + sim_rand_below(&x, 13)) * (int64_t)60000;
	plan->share = 100 + sim_rand_below(&x, 401);
	plan->whole = sim_rand(plan->seed, 0, SIM_USE_SHAPE, 1) % WHOLE_OF == 0;
	for (int k = 0; k < SIM_KINDS; k++)
		plan->has[k] =
		        sim_rand_happens(&x, sim_kinds[k].per_mille) && sim_kinds[k].off == NULL;
	if (always != SIM_KINDS)
		plan->has[always] = true;
	if (count == 1)
		plan->has[SIM_SHARE] = false;
	if (plan->has[SIM_SHARE])
		plan->has[SIM_CHILD] = true;
	if (plan->has[SIM_ROT]) /* what a hub has lost can't come from who can't read it */
		plan->has[SIM_HUB_RESTORE] = false;
}

/* Working hours draw most of what people do; faults come at any time. */
static int64_t
time_of(uint64_t *x, enum sim_kind kind, int64_t day)
{
	int64_t ms = sim_rand_below(x, SIM_DAY_MS);

	if (kind == SIM_DAY)
		ms = sim_rand_below(x, 3600000); /* planned in the night */
	else if (!sim_kinds[kind].fault && sim_rand_happens(x, 850))
		ms = 7 * 3600000 + sim_rand_below(x, 11 * 3600000);
	return SIM_START_MS + day * SIM_DAY_MS + ms;
}

static void
add(struct sim_plan *plan, enum sim_kind kind, unsigned peer, int64_t at)
{
	if (plan->count == EVENTS_MAX)
		return;
	plan->events[plan->count] = (struct sim_event){
		.id = (uint32_t)plan->count + 1, .kind = kind, .peer = peer, .at = at
	};
	plan->count++;
}

/* About as many as the table says; more on some days than on others. */
static unsigned
how_many(uint64_t *x, enum sim_kind kind)
{
	unsigned mean = sim_kinds[kind].per_day10;

	if (kind == SIM_DAY)
		return 1;
	mean = sim_rand_below(x, 2 * mean + 1);
	return mean / 10 + (sim_rand_below(x, 10) < mean % 10);
}

static void
draw_kind(struct sim_plan *plan, enum sim_kind kind, unsigned peer)
{
	uint64_t x = sim_rand(plan->seed, peer, SIM_USE_PLAN, (uint64_t)kind);

	for (unsigned day = 0; day < plan->days; day++)
		for (unsigned i = how_many(&x, kind) + (kind == always && day == 0); i > 0; i--)
			add(plan, kind, peer, time_of(&x, kind, day));
}

static int
by_time(const void *a, const void *b)
{
	const struct sim_event *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Node peers are 1 + place, and 1 + SIM_PLACES + place for the second of a facility. */
static bool
takes_part(const struct sim_plan *plan, unsigned peer)
{
	if (peer == 0)
		return true;
	if (peer <= SIM_PLACES)
		return (plan->places >> (peer - 1) & 1) != 0;
	return (plan->places & plan->second_nodes) >> (peer - 1 - SIM_PLACES) & 1;
}

void
sim_plan_draw(struct sim_plan *plan, uint64_t seed)
{
	*plan = (struct sim_plan){ .seed = seed };
	plan->events = calloc(EVENTS_MAX, sizeof *plan->events);
	if (plan->events == NULL)
		abort();
	shape(plan);
	for (unsigned peer = 0; peer < SIM_PEERS; peer++)
		for (int k = 0; k < SIM_KINDS; k++)
			if (plan->has[k] && takes_part(plan, peer) &&
			    (sim_kinds[k].whom & (peer == 0 ? SIM_HUB : SIM_NODES)) != 0)
				draw_kind(plan, (enum sim_kind)k, peer);
	qsort(plan->events, plan->count, sizeof *plan->events, by_time);
}

void
sim_plan_copy(struct sim_plan *plan, const struct sim_plan *from)
{
	*plan = *from;
	plan->events = calloc(from->count + 1, sizeof *plan->events);
	if (plan->events == NULL)
		abort();
	memcpy(plan->events, from->events, from->count * sizeof *plan->events);
}

void
sim_plan_free(struct sim_plan *plan)
{
	free(plan->events);
	plan->events = NULL;
	plan->count = 0;
}

unsigned
sim_plan_places(const struct sim_plan *plan)
{
	unsigned count = 0;

	for (unsigned i = 0; i < SIM_PLACES; i++)
		count += plan->places >> i & 1;
	return count;
}

/* ---- as text ---- */

/* Those of format 2 have no line of tables: all were there. */
static const char head[] = "yizhan-sim-trace 3", head_before[] = "yizhan-sim-trace 2";

void
sim_plan_write(FILE *out, const struct sim_plan *plan)
{
	fprintf(out,
	        "%s\ntables %s\nseed %" PRIu64 " days %u\nplaces %u second %u interval %" PRId64
	        " tick %" PRId64 " share %u\nkinds",
	        head, plan->whole ? "all" : "few", plan->seed, plan->days, plan->places,
	        plan->second_nodes, plan->interval_ms, plan->tick_ms, plan->share);
	for (int k = 0; k < SIM_KINDS; k++)
		if (plan->has[k])
			fprintf(out, " %s", sim_kinds[k].name);
	fprintf(out, " .\nevents %zu\n", plan->count);
	for (size_t i = 0; i < plan->count; i++)
		fprintf(out, "%u %" PRId64 " %u %s\n", plan->events[i].id,
		        plan->events[i].at - SIM_START_MS, plan->events[i].peer,
		        sim_kinds[plan->events[i].kind].name);
}

static bool
read_head(FILE *in, struct sim_plan *plan)
{
	char line[64] = "";

	if (fgets(line, sizeof line, in) == NULL)
		return false;
	plan->whole = strncmp(line, head_before, sizeof head_before - 1) == 0;
	if (plan->whole)
		return true;
	if (strncmp(line, head, sizeof head - 1) != 0 || fgets(line, sizeof line, in) == NULL)
		return false;
	plan->whole = strcmp(line, "tables all\n") == 0;
	return plan->whole || strcmp(line, "tables few\n") == 0;
}

static bool
read_kinds(FILE *in, struct sim_plan *plan)
{
	char word[32];

	while (fscanf(in, " %31s", word) == 1 && strcmp(word, ".") != 0) {
		enum sim_kind kind = sim_kind_find(word);

		if (kind == SIM_KINDS)
			return false;
		plan->has[kind] = true;
	}
	return true;
}

static bool
read_events(FILE *in, struct sim_plan *plan, size_t count)
{
	char word[32];

	for (size_t i = 0; i < count; i++) {
		struct sim_event *e = &plan->events[i];

		if (fscanf(in, " %u %" SCNd64 " %u %31s", &e->id, &e->at, &e->peer, word) != 4)
			return false;
		e->at += SIM_START_MS;
		e->kind = sim_kind_find(word);
		if (e->kind == SIM_KINDS || e->peer >= SIM_PEERS)
			return false;
		plan->count++;
	}
	return true;
}

bool
sim_plan_read(FILE *in, struct sim_plan *plan)
{
	size_t count;

	*plan = (struct sim_plan){ 0 };
	if (!read_head(in, plan))
		return false;
	if (fscanf(in,
	           " seed %" SCNu64 " days %u places %u second %u interval %" SCNd64
	           " tick %" SCNd64 " share %u kinds",
	           &plan->seed, &plan->days, &plan->places, &plan->second_nodes, &plan->interval_ms,
	           &plan->tick_ms, &plan->share) != 7 ||
	    !read_kinds(in, plan) || fscanf(in, " events %zu", &count) != 1 || count > EVENTS_MAX)
		return false;
	plan->events = calloc(count + 1, sizeof *plan->events);
	if (plan->events == NULL)
		abort();
	return read_events(in, plan, count);
}
