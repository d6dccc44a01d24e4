/* tests/crash/scene.c - a hub and nodes on disks in memory, opened as production opens them. */
#include "tests/crash/crash.h"
#include "tests/crash/folder.h"

#include "node/facility/record.h"
#include "node/facility/schema.h"
#include "node/hub/feed.h"
#include "node/hub/hub_schema.h"
#include "node/role.h"
#include "store/base/hash.h"
#include "store/remote.h"
#include "store/seed.h"
#include "store/stmt.h"
#include "store/track.h"
#include "sync/seal/seal.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char file[] = "y.db";

static const char notes_sql[] =
        "CREATE TABLE note(id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)), facility_id TEXT "
        "NOT NULL, text TEXT, rank INTEGER DEFAULT 0, top INTEGER DEFAULT 0, a INTEGER, b INTEGER)"
        " WITHOUT ROWID;"
        "CREATE TABLE daily(child TEXT NOT NULL, day INTEGER NOT NULL, facility_id TEXT NOT NULL, "
        "text TEXT, mood INTEGER, PRIMARY KEY(child, day)) WITHOUT ROWID;";

/* ---- time and chance ---- */

static int64_t
wall(void *ctx)
{
	return ((struct machine *)ctx)->scene->wall_ms;
}

static int64_t
mono(void *ctx)
{
	return ((struct machine *)ctx)->scene->mono_ms;
}

static uint64_t
step(struct scene *s)
{
	uint64_t z = s->random += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

static void
roll(void *ctx, void *bytes, size_t len)
{
	uint8_t *b = bytes;

	while (len-- > 0)
		*b++ = (uint8_t)(step(((struct machine *)ctx)->scene) >> 24);
}

void
scene_wait(struct scene *s, int64_t ms)
{
	s->wall_ms += ms;
	s->mono_ms += ms;
}

/* SQLite's unix VFS with our time and chance, for a scenario on real files. */
static struct scene *scene_of_files;

static int
files_now(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
	(void)vfs;
	*now = scene_of_files->wall_ms + 210866760000000; /* ms since the Julian epoch */
	return SQLITE_OK;
}

static int
files_rand(sqlite3_vfs *vfs, int len, char *bytes)
{
	(void)vfs;
	roll(&scene_of_files->m[NODE], bytes, (size_t)len);
	return len;
}

static void
use_files(struct scene *s)
{
	static sqlite3_vfs vfs;
	struct machine *m = &s->m[s->scenario->victim];

	scene_of_files = s;
	vfs = *sqlite3_vfs_find(NULL);
	vfs.zName = "files";
	vfs.xCurrentTimeInt64 = files_now;
	vfs.xRandomness = files_rand;
	sqlite3_vfs_register(&vfs, 1);
	m->env.vfs = NULL;
	s->dir = folder_open(m->disk);
}

void
scene_init(struct scene *s, const struct scenario *scenario)
{
	*s = (struct scene){
		.scenario = scenario, .wall_ms = 1772438400000, .mono_ms = 1000, .random = 7
	};
	for (int i = 0; i < SCENE_MACHINES; i++) {
		struct machine *m = &s->m[i];
		struct disk_host host = { .wall_ms = wall, .rand = roll, .ctx = m };
		char name[16];

		m->scene = s;
		snprintf(name, sizeof name, "disk%d", i);
		m->disk = disk_new(name, &host);
		snprintf(name, sizeof name, "base%d", i);
		m->base = disk_new(name, &host);
		m->env = (struct env){ .wall_ms = wall,
			               .mono_ms = mono,
			               .rand = roll,
			               .vfs = disk_vfs(m->disk),
			               .ctx = m };
	}
	disk_seed_sqlite(s->m[scenario->victim].disk);
	if (scenario->folder)
		use_files(s);
}

/* ---- rights ---- */

static struct machine *
machine_of(struct scene *s, const uint8_t node[STORE_NODE_ID])
{
	uint8_t id[STORE_NODE_ID];

	for (int i = 0; i < SCENE_MACHINES; i++) {
		sync_node_id(id, s->m[i].key.public_key);
		if (s->m[i].there && memcmp(id, node, STORE_NODE_ID) == 0)
			return &s->m[i];
	}
	return NULL;
}

static bool
in_scope(const struct machine *m, const char *scope)
{
	return strncmp(scope, "f/", 2) == 0 && strcmp(scope + 2, m->facility) == 0;
}

static bool
may_write(void *ctx, const struct store_site *site, const char *scope)
{
	struct machine *m = ctx, *by = machine_of(m->scene, site->node);

	if (m->is_hub && m->scene->by_rights)
		return rights_may_write(&m->rights, site, scope);
	return by != NULL && !by->revoked && (by->is_hub || in_scope(by, scope));
}

/* Of a revoked node: could it have, before? */
static bool
might_write(void *ctx, const struct store_site *site, const char *scope)
{
	struct machine *m = ctx, *by = machine_of(m->scene, site->node);

	return by != NULL && by->revoked && in_scope(by, scope);
}

bool
scene_may_read(void *ctx, const uint8_t node[STORE_NODE_ID], const char *scope)
{
	struct scene *s = ctx;
	struct machine *m = machine_of(s, node);

	if (s->by_rights)
		return rights_may_read(&s->m[HUB].rights, node, scope);

	return m != NULL && (strcmp(scope, "all") == 0 || in_scope(m, scope));
}

static bool
key_of(void *ctx, const struct store_site *site, uint8_t key[SYNC_PUBLIC_KEY])
{
	struct machine *m = ctx, *by = machine_of(m->scene, site->node);

	if (m->is_hub && m->scene->by_rights)
		return rights_key_of(&m->rights, site, key);
	if (by != NULL)
		memcpy(key, by->key.public_key, SYNC_PUBLIC_KEY);
	return by != NULL;
}

static int
applied(void *ctx, const struct sync_unit *unit, struct err *err)
{
	struct machine *m = ctx;

	return feed_append(m->merge, unit, m->scene->wall_ms, err);
}

/* ---- opening ---- */

int
machine_open(struct machine *m, struct err *err)
{
	int rc = store_db_open(file, STORE_MERGE, &m->env, &m->merge, err);

	if (rc == 0)
		rc = store_db_open(file, STORE_LOCAL, &m->env, &m->local, err);
	if (rc == 0 && m->is_hub)
		rc = hub_schema_migrate(m->merge, err);
	if (rc < 0)
		return rc;
	m->has_core = true;
	rc = node_open(&m->node, m->merge, &m->key, m->is_hub, err);
	m->node.r.may_write = may_write;
	m->node.r.might_write = might_write;
	m->node.r.key_of = key_of;
	m->node.r.applied = m->is_hub ? applied : NULL;
	m->node.r.ctx = m;
	if (rc == 0 && m->is_hub && m->scene->by_rights)
		rc = rights_open(&m->rights, m->merge, true, m->key.public_key, err);
	return rc;
}

void
machine_close(struct machine *m)
{
	if (m->has_core)
		node_close(&m->node);
	m->has_core = false;
	store_db_close(m->local);
	store_db_close(m->merge);
	m->local = m->merge = NULL;
}

void
scene_close(struct scene *s)
{
	for (int i = 0; i < SCENE_MACHINES; i++)
		machine_close(&s->m[i]);
	if (s->scenario->stop != NULL)
		s->scenario->stop(s);
}

void
scene_open(struct scene *s)
{
	struct err err;

	for (int i = 0; i < SCENE_MACHINES; i++)
		if (s->m[i].there && s->m[i].merge == NULL)
			crash_must(machine_open(&s->m[i], &err), &err, "open");
}

/* ---- making ---- */

int
machine_make(struct machine *m, struct err *err)
{
	int no = (int)(m - m->scene->m);
	uint8_t seed[SYNC_SEED_KEY] = { (uint8_t)(no + 1) }, node[STORE_NODE_ID],
	        epoch[STORE_EPOCH] = { 9, (uint8_t)no };
	struct store_db *db = NULL;
	int rc;

	sync_key_from_seed(&m->key, seed);
	sync_node_id(node, m->key.public_key);
	rc = store_db_create(file, &m->env, err);
	if (rc == 0)
		rc = store_db_open(file, STORE_MERGE, &m->env, &db, err);
	if (rc == 0)
		rc = store_meta_set(db, "node", node, sizeof node, err);
	if (rc == 0)
		rc = node_role_set(db, m->is_hub ? NULL : m->facility, err);
	if (rc == 0)
		rc = store_meta_set(db, "epoch", epoch, sizeof epoch, err);
	store_db_close(db);
	return rc;
}

static void
introduce(struct scene *s, struct machine *m)
{
	struct store_remote hub = { .url = "scene:", .last_error = "", .enrolled = true };
	struct err err;

	if (m->is_hub || !s->m[HUB].there)
		return;
	memcpy(hub.key, s->m[HUB].key.public_key, sizeof hub.key);
	crash_must(store_remote_put(m->merge, "hub", &hub, &err), &err, "remote");
	crash_must(node_reload(&m->node, &err), &err, "reload");
}

static struct machine *
add(struct scene *s, int no, const char *facility)
{
	struct machine *m = &s->m[no];
	struct err err;

	m->there = true;
	m->is_hub = facility[0] == 0;
	snprintf(m->facility, sizeof m->facility, "%s", facility);
	crash_must(machine_make(m, &err), &err, "make");
	crash_must(machine_open(m, &err), &err, "open");
	introduce(s, m);
	return m;
}

void
scene_add(struct scene *s, int no, const char *facility)
{
	static const char *const group[] = { "a,b", NULL };
	static const struct store_track_spec specs[] = {
		{ .table = "note",
		  .scope = "f/",
		  .scope_column = "facility_id",
		  .max = "top",
		  .groups = group },
		{ .table = "daily", .scope = "f/", .scope_column = "facility_id" },
		{ .table = "yz_verdict", .scope = "", .scope_column = "scope" },
	};
	struct machine *m = add(s, no, facility);
	struct err err;

	crash_must(store_db_exec(m->local, notes_sql, &err), &err, "tables");
	crash_must(store_db_begin(m->merge, &err), &err, "begin");
	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
		crash_must(store_track_table(m->merge, &specs[i], m->is_hub, &err), &err, "track");
	crash_must(store_db_commit(m->merge, &err), &err, "commit");
}

void
scene_add_facility(struct scene *s, int no, const char *facility)
{
	struct machine *m = add(s, no, facility);
	struct err err;

	crash_must(store_db_begin(m->merge, &err), &err, "begin");
	crash_must(facility_schema_create(m->merge, &err), &err, "schema");
	crash_must(facility_track(m->merge, m->is_hub, &err), &err, "track");
	crash_must(facility_seed(m->merge, &err), &err, "seed");
	for (size_t i = 0; facility_seeded[i] != NULL; i++)
		crash_must(store_seed_adopt(m->merge, facility_seeded[i], &err), &err, "adopt");
	crash_must(store_db_commit(m->merge, &err), &err, "commit");
	if (m->is_hub)
		return;
	crash_must(store_db_begin(m->local, &err), &err, "begin");
	crash_must(facility_create(m->local, facility, "one", 1, &err), &err, "facility");
	crash_must(store_db_commit(m->local, &err), &err, "commit");
	crash_must(scene_seal(m, &err), &err, "seal");
}

void
scene_keep(struct scene *s)
{
	scene_close(s);
	if (s->scenario->folder)
		folder_sync();
	for (int i = 0; i < SCENE_MACHINES; i++)
		disk_copy(s->m[i].base, s->m[i].disk);
	s->base.wall_ms = s->wall_ms;
	s->base.mono_ms = s->mono_ms;
	s->base.random = s->random;
	for (int i = 0; i < SCENE_MACHINES; i++)
		s->base.there[i] = s->m[i].there;
}

void
scene_begin(struct scene *s)
{
	struct machine *victim = &s->m[s->scenario->victim];

	s->wall_ms = s->base.wall_ms;
	s->mono_ms = s->base.mono_ms;
	s->random = s->base.random;
	s->note = 0;
	for (int i = 0; i < SCENE_MACHINES; i++) {
		disk_copy(s->m[i].disk, s->m[i].base);
		s->m[i].there = s->base.there[i];
	}
	if (s->scenario->folder)
		folder_restore();
	disk_seed_sqlite(victim->disk);
	victim->there = victim->there && !s->scenario->cold;
	scene_open(s);
	victim->there = s->base.there[s->scenario->victim];
}

void
scene_cut(struct machine *m)
{
	disk_cut(m->disk);
	machine_close(m);
	disk_reboot(m->disk, DISK_KEPT, 0);
}

/* ---- doing ---- */

int
scene_sql(struct machine *m, const char *sql, struct err *err)
{
	int rc = store_db_begin(m->local, err);

	if (rc == 0)
		rc = store_db_exec(m->local, sql, err);
	if (rc == 0)
		rc = store_db_commit(m->local, err);
	if (rc < 0)
		store_db_rollback(m->local);
	return rc;
}

int
scene_seal(struct machine *m, struct err *err)
{
	struct sync_sealed sealed;
	int rc = store_db_begin(m->merge, err);

	if (rc == 0)
		rc = sync_seal(&m->node.r, &sealed, err);
	if (rc == 0)
		rc = sync_seal_sign(&m->node.r, &m->key, err);
	if (rc == 0)
		rc = store_db_commit(m->merge, err);
	if (rc < 0)
		store_db_rollback(m->merge);
	return rc;
}

int
scene_tick(struct machine *m, struct err *err)
{
	struct node_event ev = { .type = NODE_EV_TICK };
	struct node_effects fx = { 0 };
	int rc = node_step(&m->node, &ev, &fx, err);

	node_effects_clear(&fx);
	return rc;
}

/* The hub's answer as the node hears it; what fails at the hub is its error. */
static int
carry(struct scene *s, struct machine *m, const struct buf *request, struct buf *reply,
      struct node_event *ev, struct err *err)
{
	struct hub_request rq = {
		.bytes = request->bytes, .len = request->len, .may_read = scene_may_read, .ctx = s
	};
	struct hub_effects fx = { 0 };
	int rc;

	memcpy(rq.peer, m->node.r.self.node, STORE_NODE_ID);
	rc = hub_step(&s->m[HUB].node, &rq, &fx, err);
	buf_free(reply);
	*reply = fx.reply;
	*ev = (struct node_event){ .type = NODE_EV_REPLY,
		                   .bytes = reply->bytes,
		                   .len = reply->len };
	if (rc < 0 || fx.status != 200)
		*ev = (struct node_event){ .type = NODE_EV_LOST, .words = "no answer" };
	return rc;
}

int
scene_meet(struct scene *s, struct machine *m, struct err *err)
{
	struct node_event ev = { .type = NODE_EV_SYNC };
	struct node_effects fx = { 0 };
	struct buf reply = { 0 };
	struct err hub_err;
	int rc, hub_rc = 0;

	do {
		rc = node_step(&m->node, &ev, &fx, err);
		if (rc == 0 && fx.send)
			hub_rc = carry(s, m, &fx.request, &reply, &ev, &hub_err);
	} while (rc == 0 && fx.send);
	if (rc == 0 && hub_rc < 0) {
		*err = hub_err;
		rc = hub_rc;
	}
	if (rc == 0 && !(fx.met && fx.meeting.ok))
		rc = err_set(err, ERR_IO, "the meeting did not go well: %s", fx.meeting.words);
	node_effects_clear(&fx);
	buf_free(&reply);
	return rc;
}

void
scene_settle(struct scene *s)
{
	struct err err;

	for (int round = 0; round < 3; round++)
		for (int i = NODE; i < SCENE_MACHINES; i++)
			if (s->m[i].there)
				crash_must(scene_meet(s, &s->m[i], &err), &err, "settle");
}

void
scene_six(struct scene *s)
{
	struct err err;

	scene_add(s, NODE, "F1");
	crash_must(scene_sql(&s->m[NODE],
	                     "INSERT INTO note(id, facility_id, text, top, a, b) VALUES"
	                     " (x'01', 'F1', 'one', 1, 1, 1), (x'02', 'F1', 'two', 2, 2, 2),"
	                     " (x'03', 'F1', 'three', 3, 3, 3), (x'04', 'F1', 'four', 4, 4, 4),"
	                     " (x'05', 'F1', 'five', 5, 5, 5), (x'06', 'F1', 'six', 6, 6, 6)",
	                     &err),
	           &err, "write");
	crash_must(scene_seal(&s->m[NODE], &err), &err, "seal");
	crash_must(store_db_exec(s->m[NODE].local, "CREATE TABLE mark(n)", &err), &err, "mark");
}

void
scene_sealed(struct scene *s)
{
	struct machine *m = &s->m[s->scenario->victim];
	struct err err;

	crash_must(scene_seal(m, &err), &err, "seal");
	if (scene_int(m, "SELECT count(*) FROM yz_log") != 0)
		crash_fail("the log is not empty after a seal");
}
