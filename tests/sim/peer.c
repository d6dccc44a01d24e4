/* tests/sim/peer.c - making, starting and ending one machine's process. */
#include "tests/sim/peer.h"
#include "node/hub/hub_node.h"
#include "node/role.h"
#include "store/base/file.h"
#include "store/base/text.h"
#include "store/remote.h"
#include "tests/sim/check.h"
#include "tests/sim/medium.h"
#include "tests/sim/mould.h"
#include "tests/sim/rand.h"
#include "tests/sim/shell.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- time and chance, as the product asks for them ---- */

static int64_t
wall(void *ctx)
{
	const struct sim_peer *p = ctx;

	return sim_clock_wall(&p->clock, p->sim->now);
}

static int64_t
mono(void *ctx)
{
	const struct sim_peer *p = ctx;

	return sim_clock_mono(&p->clock, p->sim->now);
}

/* Keyed by time, so that what happened before doesn't shift what is drawn now. */
static void
draw_bytes(void *ctx, void *bytes, size_t len)
{
	const struct sim_peer *p = ctx;
	struct sim *s = p->sim;
	uint8_t *b = bytes;
	uint64_t x;

	if (s->draws_at != s->now) {
		s->draws_at = s->now;
		s->draws = 0;
	}
	x = sim_rand(s->plan->seed, p->no, SIM_USE_ENV, (uint64_t)s->now ^ ++s->draws << 44);
	while (len-- > 0)
		*b++ = (uint8_t)(sim_rand_next(&x) >> 24);
}

/* ---- making ---- */

static void
path_of(const struct sim_peer *p, const char *name, char out[128])
{
	snprintf(out, 128, "%s/%s", p->dir, name);
}

/* node.conf, and an empty file in the folder that stands for the database: its inode is what tells
 * the anchor that this is that file. */
static int
make_files(struct sim_peer *p, struct err *err)
{
	char path[128], conf[160];

	if (mkdir(p->dir, 0700) < 0)
		return err_set(err, ERR_IO, "make %s", p->dir);
	snprintf(conf, sizeof conf, "[node]\nrole = %s\n%s%s%s[sync]\ninterval = %lld\n",
	         p->is_hub ? "hub" : "node", p->is_hub ? "" : "[facility]\nid = ", p->facility,
	         p->is_hub ? "" : "\n", (long long)p->sim->plan->interval_ms / 1000);
	path_of(p, "node.conf", path);
	if (file_replace(path, conf, strlen(conf), err) < 0)
		return err->code;
	path_of(p, "yizhan.db", path);
	return file_replace(path, "", 0, err);
}

int
sim_peer_new_file(const struct sim_peer *p, struct err *err)
{
	char path[128];

	path_of(p, "yizhan.db", path);
	return file_replace(path, "", 0, err); /* by rename, so the inode is a new one */
}

/* The mould's database becomes this node's: its id, its first life. */
static int
become(struct sim_peer *p, const struct sync_key *key, struct err *err)
{
	uint8_t node[STORE_NODE_ID], epoch[STORE_EPOCH];
	char path[128], sql[160], hex[2][2 * STORE_NODE_ID + 1];
	struct store_db *db = NULL;
	int rc;

	sync_node_id(node, key->public_key);
	draw_bytes(p, epoch, sizeof epoch);
	text_hex(hex[0], node, sizeof node);
	text_hex(hex[1], epoch, sizeof epoch);
	snprintf(sql, sizeof sql, "UPDATE yz_site SET node = x'%s', epoch = x'%s'", hex[0], hex[1]);
	path_of(p, "yizhan.db", path);
	rc = store_db_open(path, STORE_MERGE, &p->env, &db, err);
	if (rc == 0)
		rc = store_db_begin(db, err);
	if (rc == 0)
		rc = store_db_exec(db, sql, err);
	if (rc == 0)
		rc = store_meta_set(db, "node", node, sizeof node, err);
	if (rc == 0)
		rc = store_meta_set(db, "epoch", epoch, sizeof epoch, err);
	if (rc == 0)
		rc = node_role_set(db, p->is_hub ? NULL : p->facility, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	store_db_close(db);
	return rc;
}

static struct sim_mould_of
mould_of(const struct sim_peer *p)
{
	struct sim_mould_of which = { .mould = SIM_MOULD_PLACE + p->place,
		                      .whole = p->sim->plan->whole };

	if (p->is_hub)
		which.mould = SIM_MOULD_HUB;
	else if (p->no > SIM_PLACES)
		which.mould = SIM_MOULD_BARE;
	return which;
}

static int
cast(struct sim_peer *p, struct err *err)
{
	struct disk_host host = { .wall_ms = wall, .rand = draw_bytes, .ctx = p };
	char path[128], name[16];
	struct sync_key key;
	int rc;

	snprintf(name, sizeof name, "peer%u", p->no);
	p->disk = disk_new(name, &host);
	p->env = (struct env){ .wall_ms = wall,
		               .mono_ms = mono,
		               .rand = draw_bytes,
		               .vfs = disk_vfs(p->disk),
		               .ctx = p };
	rc = make_files(p, err);
	if (rc == 0)
		rc = identity_make_key(p->dir, &key, err);
	path_of(p, "yizhan.db", path);
	if (rc == 0)
		rc = sim_mould_cast(mould_of(p), p->disk, path, err);
	if (rc == 0)
		rc = become(p, &key, err);
	sync_key_wipe(&key);
	return rc;
}

/* The hub's grant, as enrolling gets it. */
static int
enrol(struct sim_peer *hub, struct sim_peer *p, struct err *err)
{
	struct store_remote remote = { .url = "sim:", .enrolled = true, .last_error = "" };
	struct hub_node_new new = { .hub = &hub->st.key, .label = p->facility };
	struct arena a = { 0 };
	struct hub_node known = { 0 };
	struct grant grant;
	int rc;

	new.grant = &grant;
	new.now_ms = env_wall_ms(&hub->env);
	rc = grant_of_facility(&grant, p->facility, NULL, err);
	memcpy(grant.node_key, p->st.key.public_key, SYNC_PUBLIC_KEY);
	if (rc == 0)
		rc = hub_node_grant(hub->st.merge, &new, err);
	if (rc == 0)
		rc = hub_node_find(hub->st.merge, p->st.node.r.self.node, &a, &known, err);
	memcpy(remote.key, hub->st.key.public_key, sizeof remote.key);
	remote.grant = known.doc;
	remote.grant_len = known.doc_len;
	if (rc > 0)
		rc = store_db_begin(p->st.merge, err);
	if (rc == 0)
		rc = store_remote_put(p->st.merge, "hub", &remote, err);
	if (rc == 0)
		rc = store_db_commit(p->st.merge, err);
	arena_free(&a);
	return rc == 0 ? station_reload(&p->st, err) : rc;
}

void
sim_peer_make(struct sim *s, unsigned no)
{
	struct sim_peer *p = &s->peers[no];
	struct err err;

	*p = (struct sim_peer){ .sim = s, .no = no, .exists = true, .is_hub = no == 0 };
	p->place = no == 0 ? 0 : (no - 1) % SIM_PLACES;
	p->clock = sim_clock_right(s->now);
	snprintf(p->dir, sizeof p->dir, "%s/%u", s->folder, no);
	snprintf(p->facility, sizeof p->facility, "%s",
	         p->is_hub ? "" : sim_mould_facility(p->place));
	if (!sim_must(s, cast(p, &err), &err, "make a machine"))
		return;
	sim_peer_boot(p);
	if (p->open && !p->is_hub && no < SIM_PEERS)
		sim_must(s, enrol(&s->peers[0], p, &err), &err, "enrol");
}

/* ---- starting and ending ---- */

static void
note_epoch(struct sim_peer *p)
{
	const uint8_t *now = p->st.node.r.self.epoch;
	static const uint8_t none[STORE_EPOCH];
	bool same = memcmp(p->epoch, now, STORE_EPOCH) == 0;

	if (memcmp(p->epoch, none, STORE_EPOCH) != 0)
		sim_count(p->sim, same ? SIM_DID_REOPEN_SAME : SIM_DID_NEW_EPOCH);
	if (p->moved && same)
		sim_fail(p->sim, "peer %u: its file is another one, and it goes on as before",
		         p->no);
	p->moved = false;
	if (p->is_hub && memcmp(now, p->sim->hub_life, STORE_EPOCH) > 0)
		p->sim->hub_lost = false; /* in this life it has acknowledged nothing yet */
	memcpy(p->epoch, now, STORE_EPOCH);
	sim_tell(p->sim, "peer %u: open, %s epoch", p->no, same ? "same" : "new");
}

void
sim_peer_boot(struct sim_peer *p)
{
	struct err err;
	int rc;

	sim_clock_boot(&p->clock, p->sim->now);
	rc = station_open(p->dir, &p->env, &p->st, &err);
	p->open = rc == 0;
	if (!sim_peer_bears(p, rc, &err, "start"))
		return;
	p->boot_at = INT64_MAX;
	p->tick_at = p->sim->now + 1000;
	p->nonce[0] = 0;
	if (p->is_hub)
		draw_bytes(p, p->secret, sizeof p->secret);
	note_epoch(p);
	if (!p->restored)
		sim_acks_check(p->sim, p, p);
	if (p->open)
		sim_check_word(p);
}

/* Another life may have begun in a meeting; whatever puts the hub back comes after this. */
static void
note_hub_life(const struct sim_peer *hub)
{
	uint8_t *youngest = hub->sim->hub_life;

	if (memcmp(hub->st.node.r.self.epoch, youngest, STORE_EPOCH) > 0)
		memcpy(youngest, hub->st.node.r.self.epoch, STORE_EPOCH);
}

static void
close_process(struct sim_peer *p)
{
	if (!p->open)
		return;
	if (p->is_hub)
		note_hub_life(p);
	sim_shell_forget(p);
	store_db_close(p->reader);
	store_db_close(p->tablet);
	p->reader = p->tablet = NULL;
	station_close(&p->st);
	p->open = false;
}

void
sim_peer_stop(struct sim_peer *p, int64_t boot_at)
{
	close_process(p);
	p->boot_at = boot_at;
	sim_tell(p->sim, "peer %u: stopped", p->no);
}

void
sim_peer_crash(struct sim_peer *p, enum disk_damage damage, int64_t boot_at)
{
	uint64_t dropped;

	if (!disk_is_off(p->disk))
		disk_cut(p->disk);
	close_process(p);
	dropped = disk_counts(p->disk)->dropped;
	disk_reboot(p->disk, damage,
	            sim_rand(p->sim->plan->seed, p->no, SIM_USE_BOOT, (uint64_t)p->sim->now));
	if (p->lies && disk_counts(p->disk)->dropped > dropped)
		sim_medium_went_back(p);
	p->disk_fails = false;
	p->boot_at = boot_at;
	sim_count(p->sim, SIM_DID_RECOVER);
	sim_tell(p->sim, "peer %u: crashed", p->no);
}

bool
sim_peer_bears(struct sim_peer *p, int rc, const struct err *err, const char *doing)
{
	struct sim *s = p->sim;

	if (rc >= 0)
		return true;
	if (disk_is_off(p->disk)) {
		sim_peer_crash(p, p->damage, s->now + 60000);
		return false;
	}
	if (p->disk_fails && rc != ERR_CORRUPT) {
		sim_count(s, SIM_DID_STOP);
		disk_disarm(p->disk);
		p->disk_fails = false;
		sim_peer_stop(p, s->now + 120000);
		return false;
	}
	sim_fail(s, "peer %u could not %s: %s", p->no, doing, err->msg);
	return false;
}

bool
sim_peer_awake(const struct sim_peer *p)
{
	return p->exists && p->open && p->sim->now >= p->asleep_until;
}

/* ---- the daemon's steps ---- */

static int64_t
true_of(const struct sim_peer *p, int64_t mono_ms)
{
	return p->sim->now + mono_ms - sim_clock_mono(&p->clock, p->sim->now);
}

static void
note_healed(struct sim_peer *p)
{
	sim_count(p->sim, SIM_DID_HEAL_ROT);
	if (!p->rotten)
		sim_fail(p->sim, "peer %u could not read what nobody spoiled", p->no);
}

/* What a step asks of the world around it. */
static void
carry_out(struct sim_peer *p, struct node_effects *fx, int64_t wake)
{
	p->tick_at = p->sim->now + p->sim->plan->tick_ms;
	if (wake < p->tick_at)
		p->tick_at = wake > p->sim->now ? wake : p->sim->now + 1;
	if (fx->healed > 0)
		note_healed(p);
	if (fx->send)
		sim_shell_send(p, &fx->request);
	if (fx->met)
		sim_shell_met(p, &fx->meeting);
	if (p->open)
		sim_check_word(p);
}

void
sim_peer_step(struct sim_peer *p, const struct node_event *ev)
{
	struct node_effects fx = { 0 };
	struct err err = { 0 };
	int rc = node_step(&p->st.node, ev, &fx, &err);
	int64_t wake = 0;

	if (rc == 0)
		rc = station_do(&p->st, &fx, NULL, &err);
	if (rc == 0)
		wake = true_of(p, fx.wake_mono_ms);
	if (sim_peer_bears(p, rc, &err, "take a step") && p->open)
		carry_out(p, &fx, wake);
	node_effects_clear(&fx);
}

static int
copy_files(const struct sim_peer *from, const struct sim_peer *to, struct err *err)
{
	static const char *const names[] = { "key", "anchor", "node.conf", "yizhan.db" };
	char path[128];
	int rc = mkdir(to->dir, 0700) == 0 ? 0 : err_set(err, ERR_IO, "make %s", to->dir);

	for (size_t i = 0; rc == 0 && i < sizeof names / sizeof names[0]; i++) {
		struct buf bytes = { 0 };

		path_of(from, names[i], path);
		rc = file_read(path, 1 << 20, &bytes, err);
		path_of(to, names[i], path);
		if (rc == 0)
			rc = file_replace(path, bytes.bytes, bytes.len, err);
		buf_free(&bytes);
	}
	return rc;
}

void
sim_peer_clone(struct sim_peer *p)
{
	struct sim *s = p->sim;
	struct sim_peer *twin = &s->peers[1 + SIM_PLACES + p->place];
	struct disk_host host = { .wall_ms = wall, .rand = draw_bytes, .ctx = twin };
	char name[16], from[128], to[128];
	struct err err;
	int rc;

	if (twin->exists || p->no > SIM_PLACES)
		return;
	*twin = (struct sim_peer){ .sim = s, .exists = true, .place = p->place };
	twin->no = 1 + SIM_PLACES + p->place;
	twin->clock = p->clock;
	twin->rotten = p->rotten;
	snprintf(twin->dir, sizeof twin->dir, "%s/%u", s->folder, twin->no);
	snprintf(twin->facility, sizeof twin->facility, "%s", p->facility);
	snprintf(name, sizeof name, "peer%u", twin->no);
	twin->disk = disk_new(name, &host);
	twin->env = p->env;
	twin->env.vfs = disk_vfs(twin->disk);
	twin->env.ctx = twin;
	rc = copy_files(p, twin, &err);
	path_of(p, "yizhan.db", from);
	path_of(twin, "yizhan.db", to);
	if (rc == 0)
		rc = sim_mould_copy(p->env.vfs, from, twin->env.vfs, to, &err);
	if (sim_must(s, rc, &err, "clone a machine"))
		sim_peer_boot(twin);
}

void
sim_peer_sweep(const char *folder, unsigned no)
{
	static const char *const names[] = { "key", "anchor", "node.conf", "lock", "yizhan.db" };
	char path[128];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%u/%s", folder, no, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/%u", folder, no);
	rmdir(path);
}

void
sim_peer_free(struct sim_peer *p)
{
	if (!p->exists)
		return;
	close_process(p);
	arena_free(&p->day.arena);
	buf_free(&p->anchor);
	sim_peer_sweep(p->sim->folder, p->no);
	disk_free(p->disk);
	disk_free(p->backup);
	p->exists = false;
}
