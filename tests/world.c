#include "tests/world.h"

#include "node/status.h"
#include "store/base/file.h"
#include "store/base/text.h"
#include "store/range.h"
#include "store/remote.h"
#include "store/stmt.h"
#include "store/track.h"
#include "sync/seal/rotate.h"
#include "sync/seal/seal.h"

#include <check.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char schema_sql[] =
        "CREATE TABLE note(id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)), facility_id TEXT "
        "NOT NULL, text TEXT,"
        " rank INTEGER DEFAULT 0, top INTEGER DEFAULT 0, a INTEGER, b INTEGER) WITHOUT ROWID;"
        "CREATE TABLE daily(child TEXT NOT NULL, day INTEGER NOT NULL, facility_id TEXT NOT NULL, "
        "text TEXT, mood INTEGER,"
        " PRIMARY KEY(child, day)) WITHOUT ROWID;";

static void
must(int rc, const struct err *err)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err->msg : "");
}

/* ---- time and chance ---- */

static int64_t
wall(void *ctx)
{
	const struct world_peer *p = ctx;

	return p->world->wall_ms + p->skew_ms;
}

static int64_t
mono(void *ctx)
{
	return ((const struct world_peer *)ctx)->world->mono_ms;
}

/* The hub's, the nodes', and the last for a replica that nobody meets. */
enum { PEERS = WORLD_NODES + 2 };

/* SQLite's own clock, which the capture triggers read: the same virtual one. */
static struct clock {
	sqlite3_vfs vfs; /* the first member: julian_now() gets it */
	char name[16];
	const struct world *world;
	const struct world_peer *peer;
} clocks[PEERS];

static int
julian_now(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
	const struct clock *c = (const struct clock *)vfs;

	*now = c->world->wall_ms + c->peer->skew_ms + 210866760000000; /* since the Julian epoch */
	return SQLITE_OK;
}

static const char *
virtual_clock(const struct world *w, const struct world_peer *p)
{
	unsigned no = PEERS - 1;
	struct clock *c;

	if (p == &w->hub)
		no = 0;
	for (unsigned i = 0; i < WORLD_NODES; i++)
		if (p == &w->nodes[i])
			no = 1 + i;
	c = &clocks[no];
	c->world = w;
	c->peer = p;
	if (c->vfs.zName == NULL) {
		snprintf(c->name, sizeof c->name, "world%u", no);
		c->vfs = *sqlite3_vfs_find(NULL);
		c->vfs.zName = c->name;
		c->vfs.xCurrentTimeInt64 = julian_now;
		ck_assert_int_eq(sqlite3_vfs_register(&c->vfs, 0), SQLITE_OK);
	}
	return c->name;
}

static uint64_t
step(struct world *w)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

static void
draw_bytes(void *ctx, void *bytes, size_t len)
{
	uint8_t *b = bytes;

	while (len-- > 0)
		*b++ = (uint8_t)(step(ctx) >> 24);
}

static void
draw_for(void *ctx, void *bytes, size_t len)
{
	draw_bytes(((struct world_peer *)ctx)->world, bytes, len);
}

uint32_t
world_draw(struct world *w, uint32_t below)
{
	return (uint32_t)(step(w) >> 16) % below;
}

/* ---- rights ---- */

static struct world_peer *
peer_of(struct world *w, const uint8_t node[STORE_NODE_ID])
{
	struct world_peer *all[WORLD_NODES + 1] = { &w->hub };

	for (int i = 0; i < w->node_count; i++)
		all[i + 1] = &w->nodes[i];
	for (int i = 0; i <= w->node_count; i++)
		if (memcmp(all[i]->node.r.self.node, node, STORE_NODE_ID) == 0)
			return all[i];
	return NULL;
}

static bool
in_scope(const struct world_peer *p, const char *scope)
{
	return strncmp(scope, "f/", 2) == 0 && strcmp(scope + 2, p->facility) == 0;
}

static bool
may_write(void *ctx, const struct store_site *site, const char *scope)
{
	struct world *w = ((struct world_peer *)ctx)->world;
	struct world_peer *p = peer_of(w, site->node);

	return p == &w->hub || (p != NULL && in_scope(p, scope));
}

static bool
may_read(void *ctx, const uint8_t node[STORE_NODE_ID], const char *scope)
{
	struct world_peer *p = peer_of(ctx, node);

	/* all of them are of whatever street there is */
	return p != NULL &&
	       (strcmp(scope, "all") == 0 || strncmp(scope, "s/", 2) == 0 || in_scope(p, scope));
}

/* A site that has a key of its own was a node's before its key was replaced. */
static bool
key_of(void *ctx, const struct store_site *site, uint8_t key[SYNC_PUBLIC_KEY])
{
	struct world_peer *p = ctx, *of = peer_of(p->world, site->node);
	struct err err;

	if (store_catalog_site_key(p->merge, site->id, key, &err) == 1)
		return true;
	if (of != NULL)
		memcpy(key, of->key.public_key, SYNC_PUBLIC_KEY);
	return of != NULL;
}

/* ---- opening ---- */

static void
track_tables(struct world_peer *p, bool is_hub)
{
	static const char *const group[] = { "a,b", NULL };
	struct store_track_spec specs[] = {
		{ .table = "note",
		  .scope = "f/",
		  .scope_column = "facility_id",
		  .max = "top",
		  .groups = group },
		{ .table = "daily", .scope = "f/", .scope_column = "facility_id" },
		{ .table = "yz_verdict", .scope = "", .scope_column = "scope" },
	};
	struct err err;

	must(store_db_begin(p->merge, &err), &err);
	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
		must(store_track_table(p->merge, &specs[i], is_hub, &err), &err);
	must(store_db_commit(p->merge, &err), &err);
}

static void
make_identity(struct world_peer *p)
{
	uint8_t seed[SYNC_SEED_KEY], node[STORE_NODE_ID], epoch[STORE_EPOCH];
	struct err err;

	draw_bytes(p->world, seed, sizeof seed);
	draw_bytes(p->world, epoch, sizeof epoch);
	sync_key_from_seed(&p->key, seed);
	sync_node_id(node, p->key.public_key);
	must(store_meta_set(p->merge, "node", node, sizeof node, &err), &err);
	must(store_meta_set(p->merge, "epoch", epoch, sizeof epoch, &err), &err);
}

static void
set_env(const struct world *w, struct world_peer *p)
{
	p->env = (struct env){ .wall_ms = wall,
		               .mono_ms = mono,
		               .rand = draw_for,
		               .vfs = virtual_clock(w, p),
		               .ctx = p };
}

static void
open_files(struct world_peer *p)
{
	struct err err;

	must(store_db_open(p->path, STORE_MERGE, &p->env, &p->merge, &err), &err);
	must(store_db_open(p->path, STORE_LOCAL, &p->env, &p->local, &err), &err);
	must(store_db_exec(p->local, "PRAGMA synchronous=OFF", &err), &err);
	must(store_db_exec(p->merge, "PRAGMA synchronous=OFF", &err), &err);
}

static void
start(struct world_peer *p, bool is_hub)
{
	struct err err;

	must(node_open(&p->node, p->merge, &p->key, is_hub, &err), &err);
	p->node.r.may_write = may_write;
	p->node.r.key_of = key_of;
	p->node.r.ctx = p;
}

static void
open_peer(struct world *w, struct world_peer *p, const char *name, const char *facility,
          bool is_hub)
{
	struct err err;

	*p = (struct world_peer){ .world = w, .up = true };
	snprintf(p->path, sizeof p->path, "%s/%s.db", w->folder, name);
	snprintf(p->facility, sizeof p->facility, "%s", facility);
	set_env(w, p);
	must(store_db_create(p->path, &p->env, &err), &err);
	open_files(p);
	must(store_db_exec(p->local, schema_sql, &err), &err);
	make_identity(p);
	track_tables(p, is_hub);
	start(p, is_hub);
}

static void
introduce(struct world *w, struct world_peer *p)
{
	struct store_remote hub = { .url = "world:", .last_error = "", .enrolled = true };
	struct err err;

	memcpy(hub.key, w->hub.key.public_key, sizeof hub.key);
	must(store_remote_put(p->merge, "hub", &hub, &err), &err);
	must(node_reload(&p->node, &err), &err);
}

void
world_open(struct world *w, uint64_t seed, const char *const *facilities)
{
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	*w = (struct world){ .random = seed, .wall_ms = 1772400000000, .mono_ms = 1000 };
	snprintf(w->folder, sizeof w->folder, "%s/yizhan-world.XXXXXX", tmp);
	ck_assert_ptr_nonnull(mkdtemp(w->folder));
	open_peer(w, &w->hub, "hub", "", true);
	for (int i = 0; facilities[i] != NULL; i++) {
		char name[16];

		ck_assert_int_lt(i, WORLD_NODES);
		snprintf(name, sizeof name, "node%d", i);
		open_peer(w, &w->nodes[i], name, facilities[i], false);
		w->node_count++;
		introduce(w, &w->nodes[i]);
	}
}

static void
close_files(struct world_peer *p)
{
	node_close(&p->node);
	store_db_close(p->local);
	store_db_close(p->merge);
}

static void
close_peer(struct world_peer *p)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	close_files(p);
	for (int i = 0; i < 3; i++) {
		char path[300];

		snprintf(path, sizeof path, "%s%s", p->path, ends[i]);
		unlink(path);
	}
}

void
world_open_fresh(struct world *w, struct world_peer *p, const char *name)
{
	open_peer(w, p, name, "", false);
}

void
world_close_fresh(struct world_peer *p)
{
	close_peer(p);
}

static void
forget_saved(const struct world *w)
{
	DIR *dir = opendir(w->folder);
	struct dirent *entry;
	char path[600];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", w->folder, entry->d_name);
		if (strstr(entry->d_name, ".saved") != NULL)
			unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
}

void
world_close(struct world *w)
{
	for (int i = 0; i < w->node_count; i++)
		close_peer(&w->nodes[i]);
	close_peer(&w->hub);
	forget_saved(w);
	rmdir(w->folder);
}

/* ---- files that are put back, and copied ---- */

static void
copy_file(const char *from, const char *to)
{
	struct buf bytes = { 0 };
	struct err err;

	must(file_read(from, 1 << 28, &bytes, &err), &err);
	must(file_replace(to, bytes.bytes, bytes.len, &err), &err);
	buf_free(&bytes);
}

static void
saved_path(const struct world *w, const char *name, char path[300])
{
	snprintf(path, 300, "%s/%s.saved", w->folder, name);
}

void
world_save(struct world_peer *p, const char *name)
{
	char path[300];
	struct err err;
	int left;

	must(store_db_checkpoint(p->merge, 0, &left, &err), &err);
	saved_path(p->world, name, path);
	copy_file(p->path, path);
}

void
world_put_back(struct world_peer *p, const char *name)
{
	bool is_hub = p->node.r.is_hub;
	struct sync_key key = p->key;
	char path[300];

	close_files(p); /* it wipes the node's key, not ours */
	saved_path(p->world, name, path);
	copy_file(path, p->path);
	open_files(p);
	p->key = key;
	start(p, is_hub);
}

/* ---- another key ---- */

/* The streams that the hub has of a node are the old key's. */
static void
tell_hub(struct world *w, const struct world_peer *p, const uint8_t key[SYNC_PUBLIC_KEY])
{
	struct store_stream *list;
	struct arena a = { 0 };
	uint8_t known[SYNC_PUBLIC_KEY];
	struct err err;
	size_t count;

	must(store_db_begin(w->hub.merge, &err), &err);
	must(store_stream_list(w->hub.merge, 0, &a, &list, &count, &err), &err);
	for (size_t i = 0; i < count; i++) {
		const struct store_site *site = store_catalog_site_of(w->hub.merge, list[i].site);

		if (memcmp(site->node, p->node.r.self.node, STORE_NODE_ID) == 0 &&
		    store_catalog_site_key(w->hub.merge, list[i].site, known, &err) == 0)
			must(store_catalog_set_site_key(w->hub.merge, list[i].site, key, &err),
			     &err);
	}
	must(store_db_commit(w->hub.merge, &err), &err);
	arena_free(&a);
}

static void
go_on(struct world_peer *p, const uint8_t old_key[SYNC_PUBLIC_KEY],
      const uint8_t new_key[SYNC_PUBLIC_KEY], const struct sync_key *sign)
{
	struct sync_rotation rotation = { .old_key = old_key, .new_key = new_key };
	struct sync_sealed sealed;
	struct arena a = { 0 };
	struct err err;

	must(store_db_begin(p->merge, &err), &err);
	must(sync_seal(&p->node.r, &sealed, &err), &err);
	if (sign != NULL)
		must(sync_seal_sign(&p->node.r, sign, &err), &err);
	must(sync_rotate(&p->node.r, &rotation, &a, &err), &err);
	must(store_db_commit(p->merge, &err), &err);
	arena_free(&a);
}

void
world_rotate(struct world *w, int i)
{
	struct world_peer *p = &w->nodes[i];
	uint8_t seed[SYNC_SEED_KEY];
	struct sync_key next;

	draw_bytes(w, seed, sizeof seed);
	sync_key_from_seed(&next, seed);
	tell_hub(w, p, p->key.public_key);
	go_on(p, p->key.public_key, next.public_key, &p->key);
	p->old_key = p->key;
	p->key = p->node.key = next;
}

void
world_settle_key(struct world *w, int i)
{
	struct world_peer *p = &w->nodes[i];

	go_on(p, p->old_key.public_key, p->key.public_key, NULL);
}

int
world_clone(struct world *w, int i)
{
	struct world_peer *from = &w->nodes[i], *to = &w->nodes[w->node_count];
	char path[sizeof to->path];

	ck_assert_int_lt(w->node_count, WORLD_NODES);
	*to = (struct world_peer){ .world = w, .up = true, .key = from->key };
	snprintf(path, sizeof path, "%s/clone%d.db", w->folder, w->node_count);
	memcpy(to->path, path, sizeof path);
	memcpy(to->facility, from->facility, sizeof to->facility);
	world_save(from, "clone");
	copy_file(from->path, to->path);
	set_env(w, to);
	open_files(to);
	start(to, false);
	return w->node_count++;
}

/* ---- doing things ---- */

void
world_sql(struct world_peer *p, const char *sql)
{
	struct err err;
	int rc = store_db_exec(p->local, sql, &err);

	ck_assert_msg(rc == 0, "%s: %s", sql, rc < 0 ? err.msg : "");
}

void
world_wait(struct world *w, int64_t ms)
{
	w->wall_ms += ms;
	w->mono_ms += ms;
}

static void
tell_fault(void *ctx, const struct store_digest_fault *f)
{
	const struct world_peer *p = ctx;

	ck_abort_msg("%s: %s: %s", p->path, f->table, f->what);
}

/* A meeting mends a sum that isn't right, and says so: here it is found where it goes wrong. */
static void
hold_sums(struct world *w, struct world_peer *p)
{
	struct store_digest_verify verify = { .tell = tell_fault, .ctx = p };
	struct err err;

	if (w->hold_sums && !w->spoiled)
		must(store_digest_verify(p->merge, &verify, &err), &err);
}

/* So many bytes are on their way. */
static void
travel(struct world *w, size_t len)
{
	int64_t ms = w->bytes_a_second == 0 ? 0 : (int64_t)len * 1000 / w->bytes_a_second;

	world_wait(w, ms);
	w->slowest_ms = ms > w->slowest_ms ? ms : w->slowest_ms;
}

/* The hub's answer to a request as the node will hear it; its bytes live in `reply`. */
static struct node_event
carry(struct world *w, struct world_peer *p, const struct buf *request, struct buf *reply)
{
	struct node_event lost = { .type = NODE_EV_LOST, .words = "the line is down" };
	struct hub_request rq = {
		.bytes = request->bytes, .len = request->len, .may_read = may_read, .ctx = w
	};
	struct hub_effects hub;
	struct err err;
	bool lose = w->lose_reply == 1;

	if (!p->up)
		return lost;
	memcpy(rq.peer, p->node.r.self.node, STORE_NODE_ID);
	if (w->damage_request)
		request->bytes[request->len - 1] ^= 1;
	w->damage_request = false;
	travel(w, request->len);
	must(hub_step(&w->hub.node, &rq, &hub, &err), &err);
	hold_sums(w, &w->hub);
	if (w->damage_reply)
		hub.reply.bytes[hub.reply.len - 1] ^= 1;
	w->damage_reply = false;
	travel(w, hub.reply.len);
	w->bytes_up += request->len;
	w->bytes_down += hub.reply.len;
	w->round_trips++;
	*reply = hub.reply;
	w->lose_reply -= w->lose_reply > 0;
	if (hub.status != 200 || lose)
		return lost;
	return (struct node_event){ .type = NODE_EV_REPLY,
		                    .bytes = reply->bytes,
		                    .len = reply->len };
}

/* What can be looked into part by part is the digest, on both sides. */
static void
hold_ranges(struct world_peer *p, const char *scope)
{
	struct store_range_part all = { .range = store_range_all() };
	struct err err;
	char sum[33], kept[33];
	int id;

	world_digest(p, scope, kept);
	must(store_catalog_find_scope(p->merge, scope, &id, &err), &err);
	must(store_range_sum(p->merge, id, &all, &err), &err);
	text_hex(sum, all.sum, STORE_TERM);
	ck_assert_msg(strcmp(sum, kept) == 0, "%s: ranges of %s add up to %s, not to %s", p->path,
	              scope, sum, kept);
}

/* Nothing had to be mended. */
static void
hold_level(struct world *w, struct world_peer *p)
{
	struct arena a = { 0 };
	struct store_rifts rifts = { .most = 1, .arena = &a };
	struct buf where = { 0 };
	struct err err;

	must(store_rift_list(p->local, &rifts, &err), &err);
	if (rifts.count > 0)
		store_rift_where(&where, &rifts.list[0].range);
	ck_assert_msg(w->spoiled || rifts.count == 0,
	              "%s: not the hub's rows at equal records, %s: %s", p->path, buf_str(&where),
	              rifts.count > 0 ? rifts.list[0].cause : "");
	buf_free(&where);
	arena_free(&a);
}

/* After every meeting of every test: nothing had to be mended, and who says that it is in sync has
 * the hub's rows. */
static void
hold_to_its_word(struct world *w, struct world_peer *p)
{
	struct node_status s;
	struct arena a = { 0 };
	struct err err;
	char here[33], there[33];

	hold_level(w, p);
	must(node_status_read(p->local, NULL, &a, &s, &err), &err);
	s.role.is_hub = false; /* the world has no meta "facility" to tell by */
	for (size_t i = 0; node_status_state(&s) == NODE_IN_SYNC && i < s.scope_count; i++) {
		if (!s.scopes[i].hub_known)
			continue;
		text_hex(here, s.scopes[i].digest, STORE_TERM);
		ck_assert_msg(strcmp(here, world_digest(&w->hub, s.scopes[i].scope, there)) == 0,
		              "%s: in_sync, but %s is %s here and %s at the hub", p->path,
		              s.scopes[i].scope, here, there);
		hold_ranges(p, s.scopes[i].scope);
		hold_ranges(&w->hub, s.scopes[i].scope);
	}
	arena_free(&a);
}

/* After every step of every test: nobody says in_sync beside another digest than the hub told.
 * What was told is asked of the file itself, since a scope that the status forgets is what this is
 * to find. */
static void
hold_to_the_told(struct world_peer *p)
{
	struct node_status s;
	struct arena a = { 0 };
	struct err err;

	if (world_int(p, "SELECT count(*) FROM yz_remote_digest AS r LEFT JOIN yz_digest AS d "
	                 "USING (scope) WHERE r.sum IS NOT coalesce(d.sum, zeroblob(16))") == 0)
		return;
	must(node_status_read(p->local, NULL, &a, &s, &err), &err);
	s.role.is_hub = false; /* the world has no meta "facility" to tell by */
	ck_assert_msg(node_status_state(&s) != NODE_IN_SYNC,
	              "%s: in_sync, with another digest than the hub told", p->path);
	arena_free(&a);
}

/* From this event on, to the end of the meeting that it begins. */
static bool
step_from(struct world *w, int i, struct node_event ev, struct node_met *met)
{
	struct world_peer *p = &w->nodes[i];
	struct node_effects fx = { 0 };
	struct buf reply = { 0 };
	struct err err;
	bool ok;

	do {
		must(node_step(&p->node, &ev, &fx, &err), &err);
		hold_sums(w, p);
		hold_to_the_told(p);
		buf_free(&reply);
		if (fx.send)
			ev = carry(w, p, &fx.request, &reply);
	} while (fx.send);
	ok = fx.met && fx.meeting.ok;
	if (fx.met)
		hold_to_its_word(w, p);
	if (met != NULL)
		*met = fx.meeting;
	node_effects_clear(&fx);
	return ok;
}

bool
world_sync(struct world *w, int i)
{
	return step_from(w, i, (struct node_event){ .type = NODE_EV_SYNC }, NULL);
}

void
world_meet(struct world *w, int i, struct node_met *met)
{
	step_from(w, i, (struct node_event){ .type = NODE_EV_SYNC }, met);
}

bool
world_tick(struct world *w, int i)
{
	return step_from(w, i, (struct node_event){ .type = NODE_EV_TICK }, NULL);
}

void
world_settle(struct world *w, int rounds)
{
	while (rounds-- > 0)
		for (int i = 0; i < w->node_count; i++)
			ck_assert_msg(world_sync(w, i), "node %d could not meet the hub", i);
}

/* ---- looking ---- */

const char *
world_digest(struct world_peer *p, const char *scope, char out[33])
{
	struct store_digest d;
	struct err err;
	int id;

	must(store_db_begin(p->merge, &err), &err);
	must(store_catalog_scope(p->merge, scope, &id, &err), &err);
	must(store_digest_get(p->merge, id, &d, &err), &err);
	must(store_db_commit(p->merge, &err), &err);
	text_hex(out, d.sum, STORE_TERM);
	return out;
}

/* The values of the statement's row, in hex, as a line. */
static void
dump_row(struct store_stmt *s, struct buf *out)
{
	for (int i = 0; i < store_stmt_columns(s); i++) {
		struct store_value v = store_stmt_get_value(s);
		struct buf bytes = { 0 };

		store_value_write(&bytes, &v);
		buf_hex(out, bytes.bytes, bytes.len);
		buf_u8(out, ' ');
		buf_free(&bytes);
	}
	buf_printf(out, "\n");
}

char *
world_dump(struct world_peer *p, const char *sql)
{
	struct store_stmt s = store_stmt_new(p->local, sql);
	struct buf out = { 0 };
	struct err err;
	int rc;

	while ((rc = store_stmt_step(&s, &err)) == 1)
		dump_row(&s, &out);
	must(rc, &err);
	store_stmt_end(&s);
	buf_u8(&out, 0);
	return (char *)out.bytes;
}

int64_t
world_int(struct world_peer *p, const char *sql)
{
	struct err err;
	int64_t value;

	must(store_stmt_int(p->local, sql, -1, &value, &err), &err);
	return value;
}
