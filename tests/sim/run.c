/*
 * tests/sim/run.c - one history: chaos, healing, quiet, the last check.
 *
 * Whatever is due first happens first: an event of the plan, an action of a
 * facility's day, a message's arrival, a timer of a machine.  At equal times
 * they go in that order, and machines by number.
 */
#include "tests/sim/check.h"
#include "tests/sim/fault.h"
#include "tests/sim/rand.h"
#include "tests/sim/share.h"
#include "tests/sim/shell.h"
#include "tests/sim/sim.h"
#include "tests/sim/staff.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MINUTE ((int64_t)60000)
#define BACKOFF_CAP_MS ((int64_t)NODE_BACKOFF_MAX_MS)

/* ---- telling ---- */

void
sim_fail(struct sim *s, const char *fmt, ...)
{
	va_list args;

	if (s->result->failed)
		return;
	s->result->failed = true;
	va_start(args, fmt);
	vsnprintf(s->result->why, sizeof s->result->why, fmt, args);
	va_end(args);
	sim_tell(s, "FAILED: %s", s->result->why);
}

bool
sim_must(struct sim *s, int rc, const struct err *err, const char *doing)
{
	if (rc < 0)
		sim_fail(s, "could not %.80s: %s", doing, err->msg);
	return rc >= 0;
}

void
sim_tell(struct sim *s, const char *fmt, ...)
{
	char line[1400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	for (const char *c = line; *c != 0; c++)
		s->result->hash = (s->result->hash ^ (uint8_t)*c) * 0x100000001b3U;
	s->result->hash ^= (uint64_t)s->now;
	if (s->print != NULL)
		fprintf(s->print, "%9.3f %s\n", (double)(s->now - SIM_START_MS) / 1000, line);
}

void
sim_count(struct sim *s, unsigned count)
{
	s->result->counts[count]++;
}

/* ---- what is due ---- */

static int64_t
peer_due(const struct sim_peer *p)
{
	int64_t at = sim_staff_next(p);

	if (!p->exists)
		return INT64_MAX;
	if (!p->open)
		return p->boot_at < at ? p->boot_at : at;
	if (p->tick_at < at)
		at = p->tick_at;
	return p->call.id != 0 && p->call.gives_up_at < at ? p->call.gives_up_at : at;
}

static void
run_peer(struct sim *s, struct sim_peer *p)
{
	struct node_event tick = { .type = NODE_EV_TICK };

	if (sim_staff_next(p) <= s->now)
		sim_staff_act(p);
	else if (!p->open)
		sim_peer_boot(p);
	else if (p->asleep_until > s->now)
		p->tick_at = p->asleep_until;
	else if (p->call.id != 0 && p->call.gives_up_at <= s->now)
		sim_shell_give_up(p);
	else
		sim_peer_step(p, &tick);
}

static void
arrive(struct sim *s)
{
	struct sim_message m = sim_net_take(&s->net);
	struct sim_peer *to = &s->peers[m.to_hub ? 0 : m.node];

	s->now = m.at > s->now ? m.at : s->now;
	if (sim_peer_awake(to))
		sim_shell_hear(to, &m);
	buf_free(&m.bytes);
}

static void
happen(struct sim *s, const struct sim_event *e)
{
	struct sim_peer *p = &s->peers[e->peer];

	if (!p->exists)
		return;
	if (sim_kinds[e->kind].fault)
		sim_fault_do(s, e);
	else if (sim_peer_awake(p))
		sim_staff_do(s, e);
}

/* Power that went while nobody looked. */
static void
notice_cuts(struct sim *s)
{
	for (unsigned i = 0; i < SIM_PEERS; i++)
		if (s->peers[i].exists && disk_is_off(s->peers[i].disk))
			sim_peer_crash(&s->peers[i], s->peers[i].damage, s->now + MINUTE);
}

/* One thing that is due before `until`; false if nothing is. */
static bool
one_thing(struct sim *s, size_t *event, int64_t until)
{
	int64_t at = *event < s->plan->count ? s->plan->events[*event].at : INT64_MAX;
	int64_t message = sim_net_next(&s->net);
	struct sim_peer *first = NULL;

	for (unsigned i = 0; i < SIM_PEERS; i++)
		if (peer_due(&s->peers[i]) < at) {
			first = &s->peers[i];
			at = peer_due(first);
		}
	if (message < at) {
		at = message;
		first = NULL;
	}
	if (at >= until)
		return false;
	s->now = at > s->now ? at : s->now;
	if (first != NULL)
		run_peer(s, first);
	else if (message == at)
		arrive(s);
	else
		happen(s, &s->plan->events[(*event)++]);
	notice_cuts(s);
	return true;
}

/* ---- from beginning to end ---- */

void
sim_folder(pid_t pid, char out[64])
{
	snprintf(out, 64, "%s/yizhan-sim.%ld", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
	         (long)pid);
}

void
sim_sweep(pid_t pid)
{
	char folder[64];

	sim_folder(pid, folder);
	for (unsigned i = 0; i <= SIM_PEERS; i++)
		sim_peer_sweep(folder, i);
	rmdir(folder);
}

static void
begin(struct sim *s)
{
	sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(s->plan->seed | 1), NULL);
	sim_folder(getpid(), s->folder);
	if (mkdir(s->folder, 0700) < 0) {
		sim_fail(s, "no folder can be made: %s", s->folder);
		return;
	}
	sim_peer_make(s, 0);
	for (unsigned i = 0; i < SIM_PLACES && !s->result->failed; i++)
		if ((s->plan->places >> i & 1) != 0) {
			sim_peer_make(s, 1 + i);
			if ((s->plan->second_nodes >> i & 1) != 0)
				sim_peer_make(s, 1 + SIM_PLACES + i);
		}
}

/* Only a meeting makes anything equal, so it is looked at when there has been one. */
static bool
are_equal(struct sim *s, uint32_t *meetings)
{
	uint32_t before = *meetings;

	*meetings = s->result->counts[SIM_DID_MEET];
	return *meetings != before && sim_check_equal(s);
}

/* No new writes: everything has to be everywhere within two meetings and the longest back-off. */
static void
wait_until_equal(struct sim *s, size_t *event)
{
	int64_t healed = s->now;
	uint32_t meetings = s->result->counts[SIM_DID_MEET];
	int64_t bound = healed + 3 * s->plan->interval_ms + 3 * BACKOFF_CAP_MS + 20 * MINUTE;

	while (!s->result->failed && s->now < bound) {
		int64_t until = s->now + 2 * MINUTE;

		while (!s->result->failed && one_thing(s, event, until))
			;
		s->now = until;
		if (!s->result->failed && are_equal(s, &meetings)) {
			sim_count(s, SIM_DID_CONVERGE);
			s->result->heal_ms = s->now - healed;
			return;
		}
	}
	sim_fail(s, "not equal %lld minutes after everything was healed",
	         (long long)(s->now - healed) / MINUTE);
}

/* Nothing is left to say, so nothing is said, by the hub least of all: each of what it passes on
 * would be an answer to itself. */
static void
stay_quiet(struct sim *s, size_t *event)
{
	uint64_t before = sim_share_passed_on(s);
	int64_t until = s->now + 3 * s->plan->interval_ms;

	while (!s->result->failed && one_thing(s, event, until))
		;
	s->now = until;
	if (!s->result->failed && sim_share_passed_on(s) != before)
		sim_fail(s, "everything was equal, and the hub wrote %llu records more",
		         (unsigned long long)(sim_share_passed_on(s) - before));
}

static void
end(struct sim *s)
{
	for (unsigned i = 0; i <= SIM_PEERS; i++)
		sim_peer_free(&s->peers[i]);
	sim_net_close(s);
	sim_acks_free(&s->acks);
	rmdir(s->folder);
}

void
sim_run(const struct sim_plan *plan, FILE *print, struct sim_result *result)
{
	int64_t healing = SIM_START_MS + plan->days * SIM_DAY_MS;
	struct sim *s = calloc(1, sizeof *s);
	size_t event = 0;

	if (s == NULL)
		abort();
	*result = (struct sim_result){ .hash = 0xcbf29ce484222325U };
	s->plan = plan;
	s->print = print;
	s->result = result;
	s->now = SIM_START_MS;
	begin(s);
	while (!result->failed && one_thing(s, &event, healing))
		;
	s->now = healing;
	if (!result->failed)
		sim_fault_heal(s);
	wait_until_equal(s, &event);
	if (!result->failed && plan->has[SIM_SHARE])
		stay_quiet(s, &event);
	if (!result->failed)
		sim_check_end(s);
	result->facility_days = plan->days * sim_plan_places(plan);
	end(s);
	free(s);
}
