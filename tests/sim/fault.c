/* tests/sim/fault.c - each fault as an event. */
#include "tests/sim/fault.h"
#include "node/hub/hub_node.h"
#include "store/remote.h"
#include "store/stmt.h"
#include "tests/sim/medium.h"
#include "tests/sim/rand.h"
#include "tests/sim/sim.h"

#include <string.h>

#define MINUTE ((int64_t)60000)
#define HOUR (60 * MINUTE)

static int64_t
some(uint64_t *x, int64_t most_ms)
{
	return 1 + (int64_t)(sim_rand_next(x) % (uint64_t)most_ms);
}

/* ---- clocks ---- */

static void
step_clock(struct sim_peer *p, uint64_t *x)
{
	int64_t by = sim_rand_happens(x, 500) ? some(x, 20 * HOUR) : -some(x, 60 * HOUR);

	sim_clock_set(&p->clock, p->sim->now, sim_clock_wall(&p->clock, p->sim->now) + by);
	by = sim_clock_wall(&p->clock, p->sim->now) - p->sim->now;
	if (p->is_hub && by > p->sim->hub_ahead_ms)
		p->sim->hub_ahead_ms = by;
}

static void
boot_in_1970(struct sim_peer *p, uint64_t *x)
{
	sim_peer_crash(p, DISK_HONEST, p->sim->now + some(x, 5 * MINUTE));
	sim_clock_set(&p->clock, p->sim->now, 1000);
}

static void
suspend(struct sim_peer *p, uint64_t *x)
{
	int64_t ms = some(x, 8 * HOUR);

	p->asleep_until = p->sim->now + ms;
	sim_clock_slept(&p->clock, ms);
	p->tick_at = p->asleep_until;
	if (p->call.id != 0)
		p->call.gives_up_at += ms;
}

/* ---- disks ---- */

/* The process, or the power, goes in the middle of what is written next. */
static void
cut_soon(struct sim_peer *p, enum disk_damage damage, uint64_t *x)
{
	p->damage = damage;
	disk_arm(p->disk, DISK_CRASH, sim_rand_below(x, 40), true);
}

static void
power(struct sim_peer *p, uint64_t *x)
{
	static const enum disk_damage damages[] = { DISK_LOST, DISK_HONEST, DISK_REORDERED,
		                                    DISK_SHORN };

	cut_soon(p, damages[sim_rand_below(x, 4)], x);
}

static void
fill_disk(struct sim_peer *p, uint64_t *x)
{
	p->disk_fails = true;
	disk_arm(p->disk, DISK_NO_SPACE, sim_rand_below(x, 30), true);
}

/* ---- administrators ---- */

/* The hub signs a new grant; the node takes it. */
static void
regrant(struct sim *s, struct sim_peer *p)
{
	struct sim_peer *hub = &s->peers[0];
	struct hub_node_new new = { .hub = &hub->st.key, .label = "again" };
	struct store_remote remote = { 0 };
	struct arena a = { 0 };
	struct hub_node known = { 0 };
	struct grant grant;
	struct err err;
	int rc = grant_of_facility(&grant, p->facility, NULL, &err);

	new.grant = &grant;
	new.now_ms = env_wall_ms(&hub->env);
	memcpy(grant.node_key, p->st.key.public_key, SYNC_PUBLIC_KEY);
	if (rc == 0)
		rc = hub_node_grant(hub->st.merge, &new, &err);
	if (rc == 0)
		rc = hub_node_find(hub->st.merge, p->st.node.r.self.node, &a, &known, &err);
	if (!sim_peer_bears(hub, rc, &err, "grant anew"))
		goto out;
	rc = store_db_begin(p->st.merge, &err);
	if (rc == 0)
		rc = store_remote_get(p->st.merge, "hub", &a, &remote, &err);
	remote.grant = known.doc;
	remote.grant_len = known.doc_len;
	if (rc == 0)
		rc = store_remote_put(p->st.merge, "hub", &remote, &err);
	if (rc == 0)
		rc = store_db_commit(p->st.merge, &err);
	if (rc == 0)
		rc = station_reload(&p->st, &err);
	if (rc < 0)
		store_db_rollback(p->st.merge);
	sim_peer_bears(p, rc, &err, "take a new grant");
out:
	arena_free(&a);
}

/* As a hub that was restored from before this node was enrolled. */
static void
forget(struct sim *s, const struct sim_peer *p)
{
	struct store_stmt q =
	        store_stmt_new(s->peers[0].st.merge, "DELETE FROM hub_node WHERE node = ?");
	struct err err;

	store_stmt_put_blob(&q, p->st.node.r.self.node, STORE_NODE_ID);
	sim_peer_bears(&s->peers[0], store_stmt_run(&q, &err), &err, "forget a node");
}

/* The folder is carried to a new machine, as it is: the same database in another file. */
static void
move(struct sim_peer *p)
{
	struct err err;

	sim_peer_stop(p, p->sim->now + 5 * MINUTE);
	memset(p->acked, 0, sizeof p->acked);
	p->moved = true;
	sim_must(p->sim, sim_peer_new_file(p, &err), &err, "make a file");
}

/* Take a copy; or put the last one back. */
static void
restore(struct sim_peer *p)
{
	struct disk_host host = { 0 };
	char name[16];

	if (p->backup == NULL) {
		snprintf(name, sizeof name, "backup%u", p->no);
		p->backup = disk_new(name, &host);
		disk_copy(p->backup, p->disk);
		return;
	}
	sim_acks_forgive(p->sim, p);
	p->restored = true;
	p->sim->hub_lost = p->sim->hub_lost || p->is_hub;
	memset(p->acked, 0, sizeof p->acked);
	sim_peer_stop(p, p->sim->now + MINUTE);
	disk_copy(p->disk, p->backup);
}

static void
administer(struct sim *s, struct sim_peer *p, enum sim_kind kind)
{
	switch ((int)kind) {
	case SIM_REGRANT:
		if (sim_peer_awake(&s->peers[0]))
			regrant(s, p);
		break;
	case SIM_FORGET:
		if (sim_peer_awake(&s->peers[0]))
			forget(s, p);
		break;
	case SIM_MOVE:
		move(p);
		break;
	case SIM_FAR_AHEAD:
		sim_clock_set(&p->clock, s->now, s->now + 40 * HOUR);
		break;
	case SIM_CLONE:
		sim_peer_clone(p);
		break;
	default:
		restore(p);
	}
}

/* ---- all of them ---- */

static void
crowd(struct sim *s)
{
	struct node_event sync = { .type = NODE_EV_SYNC };

	for (unsigned i = 1; i < SIM_PEERS; i++)
		if (sim_peer_awake(&s->peers[i]))
			sim_peer_step(&s->peers[i], &sync);
}

/* What waits for the next message, or lasts for a while. */
static bool
to_line(struct sim *s, struct sim_peer *p, enum sim_kind kind, uint64_t *x)
{
	switch ((int)kind) {
	case SIM_LINE_CUT:
		p->line.cut_until = s->now + some(x, 4 * HOUR);
		break;
	case SIM_ONE_WAY:
		p->line.one_way_until = s->now + some(x, 2 * HOUR);
		break;
	case SIM_REPLAY:
		sim_net_replay(s, p, sim_rand_next(x));
		return true;
	case SIM_LOSE_REQUEST:
	case SIM_LOSE_REPLY:
	case SIM_DELAY:
	case SIM_DUPLICATE:
	case SIM_OLD_REPLY:
	case SIM_TRUNCATE:
	case SIM_FLIP:
	case SIM_PORTAL:
	case SIM_GARBLE_REQUEST:
	case SIM_GARBLE_REPLY:
	case SIM_THIEF:
		p->line.fault[kind]++;
		return true;
	default:
		return false;
	}
	sim_count(s, kind);
	return true;
}

static void
to_machine(struct sim *s, struct sim_peer *p, enum sim_kind kind, uint64_t *x)
{
	sim_count(s, kind);
	switch ((int)kind) {
	case SIM_HUB_AWAY:
		sim_peer_stop(p, s->now + some(x, 2 * HOUR));
		break;
	case SIM_RESTART:
		sim_peer_stop(p, s->now + some(x, 10 * MINUTE));
		break;
	case SIM_CROWD:
		crowd(s);
		break;
	case SIM_STEP:
		step_clock(p, x);
		break;
	case SIM_DRIFT:
		sim_clock_drift(&p->clock, s->now, (int64_t)sim_rand_below(x, 1001) - 500);
		break;
	case SIM_YEAR_1970:
		boot_in_1970(p, x);
		break;
	case SIM_SUSPEND:
		suspend(p, x);
		break;
	case SIM_KILL:
		cut_soon(p, DISK_KEPT, x);
		break;
	case SIM_POWER:
		power(p, x);
		break;
	case SIM_DISK_FULL:
		fill_disk(p, x);
		break;
	case SIM_LIE:
		sim_medium_lie(p, x);
		break;
	case SIM_ROT:
		sim_medium_rot(p, x);
		break;
	default:
		administer(s, p, kind);
	}
}

void
sim_fault_do(struct sim *s, const struct sim_event *e)
{
	struct sim_peer *p = &s->peers[e->peer];
	uint64_t x = sim_rand(s->plan->seed, e->peer, SIM_USE_EVENT, e->id);

	sim_tell(s, "event %u: %s at peer %u", e->id, sim_kinds[e->kind].name, e->peer);
	if (!to_line(s, p, e->kind, &x) && sim_peer_awake(p))
		to_machine(s, p, e->kind, &x);
}

/* Woken before its time: it slept less than it was to. */
static void
wake(struct sim_peer *p, int64_t now)
{
	if (p->asleep_until <= now)
		return;
	sim_clock_slept(&p->clock, now - p->asleep_until);
	if (p->call.id != 0)
		p->call.gives_up_at -= p->asleep_until - now;
	p->asleep_until = 0;
	p->tick_at = now;
}

static void
heal_peer(struct sim *s, struct sim_peer *p)
{
	static const struct disk_device good;

	wake(p, s->now);
	disk_disarm(p->disk);
	disk_set_device(p->disk, &good);
	p->disk_fails = p->met = p->lies = false;
	p->line.cut_until = p->line.one_way_until = 0;
	memset(p->line.fault, 0, sizeof p->line.fault);
	p->clock.ppm = 0;
	sim_clock_set(&p->clock, s->now, s->now);
	if (!p->open)
		p->boot_at = s->now;
	if (p->reader != NULL) {
		store_db_close(p->reader);
		p->reader = NULL;
	}
}

void
sim_fault_heal(struct sim *s)
{
	sim_tell(s, "healed");
	s->healed = true;
	for (unsigned i = 0; i < SIM_PEERS; i++)
		if (s->peers[i].exists)
			heal_peer(s, &s->peers[i]);
}
