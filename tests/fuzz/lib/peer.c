#include "tests/fuzz/peer.h"

#include "store/base/hash.h"
#include "store/digest.h"
#include "store/remote.h"
#include "store/stmt.h"
#include "store/track.h"
#include "sync/codec/segment.h"
#include "sync/seal/seal.h"

#include <string.h>

enum { HUB_KEY = 0, NODE_KEY = 1, WRITERS = 3, LIMIT = 8 << 20 };

static const char hub_path[] = "/fuzz-hub", node_path[] = "/fuzz-node";

static const char schema_sql[] =
        "CREATE TABLE note(id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)), facility_id TEXT "
        "NOT NULL, text TEXT, rank INTEGER DEFAULT 0, top INTEGER DEFAULT 0, a INTEGER, b INTEGER)"
        " WITHOUT ROWID;"
        "CREATE TABLE daily(child TEXT NOT NULL, day INTEGER NOT NULL, facility_id TEXT NOT NULL, "
        "text TEXT, mood INTEGER, PRIMARY KEY(child, day)) WITHOUT ROWID;";

/* ---- rights ---- */

/* Whose node id is it? */
static bool
writer_of(const uint8_t node[STORE_NODE_ID], struct sync_key *key, uint8_t *number)
{
	uint8_t id[STORE_NODE_ID];

	for (unsigned i = 0; i < WRITERS; i++) {
		*key = help_key((uint8_t)i);
		*number = (uint8_t)i;
		sync_node_id(id, key->public_key);
		if (memcmp(id, node, sizeof id) == 0)
			return true;
	}
	return false;
}

static bool
may_write(void *ctx, const struct store_site *site, const char *scope)
{
	struct sync_key key;
	uint8_t number;

	(void)ctx;
	return writer_of(site->node, &key, &number) &&
	       (number == HUB_KEY || (number == NODE_KEY && strcmp(scope, "f/F1") == 0));
}

static bool
key_of(void *ctx, const struct store_site *site, uint8_t out[SYNC_PUBLIC_KEY])
{
	struct sync_key key;
	uint8_t number;

	(void)ctx;
	if (!writer_of(site->node, &key, &number))
		return false;
	memcpy(out, key.public_key, SYNC_PUBLIC_KEY);
	return true;
}

bool
peer_may_read(void *ctx, const uint8_t node[STORE_NODE_ID], const char *scope)
{
	struct sync_key key;
	uint8_t number;

	(void)ctx;
	return writer_of(node, &key, &number) && strcmp(scope, "hub") != 0;
}

/* ---- opening ---- */

static void
track_tables(struct peer *p, bool is_hub)
{
	static const char *const group[] = { "a,b", NULL };
	const struct store_track_spec specs[] = {
		{ .table = "note",
		  .scope = "f/",
		  .scope_column = "facility_id",
		  .max = "top",
		  .groups = group },
		{ .table = "daily", .scope = "f/", .scope_column = "facility_id" },
	};
	struct err err;

	HOLDS(store_db_begin(p->db, &err) == 0);
	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
		HOLDS(store_track_table(p->db, &specs[i], is_hub, &err) == 0);
	HOLDS(store_db_commit(p->db, &err) == 0);
}

static void
introduce(struct peer *p)
{
	struct store_remote hub = { .url = "fuzz:", .last_error = "", .enrolled = true };
	struct sync_key key = help_key(HUB_KEY);
	struct err err;

	memcpy(hub.key, key.public_key, sizeof hub.key);
	HOLDS(store_remote_put(p->db, "hub", &hub, &err) == 0);
}

void
peer_open(struct peer *p, bool is_hub)
{
	struct sync_key key = help_key(is_hub ? HUB_KEY : NODE_KEY);
	const char *path = is_hub ? hub_path : node_path;
	uint8_t node[STORE_NODE_ID], epoch[STORE_EPOCH];
	struct err err;

	memset(p, 0, sizeof *p);
	image_dice(key.public_key[0]);
	HOLDS(store_db_open(path, STORE_MERGE, image_env(), &p->db, &err) == 0);
	HOLDS(store_db_open(path, STORE_LOCAL, image_env(), &p->local, &err) == 0);
	HOLDS(store_db_exec(p->local, schema_sql, &err) == 0);
	env_rand(image_env(), epoch, sizeof epoch);
	sync_node_id(node, key.public_key);
	HOLDS(store_meta_set(p->db, "node", node, sizeof node, &err) == 0);
	HOLDS(store_meta_set(p->db, "epoch", epoch, sizeof epoch, &err) == 0);
	track_tables(p, is_hub);
	if (!is_hub)
		introduce(p);
	HOLDS(node_open(&p->node, p->db, &key, is_hub, &err) == 0);
	p->node.r.may_write = may_write;
	p->node.r.key_of = key_of;
}

void
peer_keep(struct peer *p)
{
	image_take(&p->image, p->node.r.is_hub ? hub_path : node_path);
}

void
peer_restore(struct peer *p)
{
	image_restore(&p->image);
	store_catalog_forget(p->db);
	store_catalog_forget(p->local);
	sync_clock_start(&p->node.r.clock, store_db_env(p->db), 0, 0);
}

void
peer_close(struct peer *p)
{
	if (p->image.door != NULL)
		image_free(&p->image);
	node_close(&p->node);
	store_db_close(p->local);
	store_db_close(p->db);
	memset(p, 0, sizeof *p);
}

void
peer_write(struct peer *p, const char *sql)
{
	struct sync_sealed sealed;
	struct err err;

	HOLDS(store_db_exec(p->local, sql, &err) == 0);
	HOLDS(store_db_begin(p->db, &err) == 0);
	HOLDS(sync_seal(&p->node.r, &sealed, &err) == 0);
	HOLDS(sync_seal_sign(&p->node.r, &p->node.key, &err) == 0);
	HOLDS(store_db_commit(p->db, &err) == 0);
}

/* ---- looking ---- */

int64_t
peer_rows(struct peer *p)
{
	static const char sql[] =
	        "SELECT (SELECT count(*) FROM note) + (SELECT count(*) FROM daily)"
	        " + (SELECT count(*) FROM yz_clock) + (SELECT count(*) FROM yz_stream)"
	        " + (SELECT count(*) FROM yz_segment) + (SELECT count(*) FROM yz_schema)"
	        " + (SELECT count(*) FROM yz_site) + (SELECT count(*) FROM yz_quarantine)"
	        " + (SELECT count(*) FROM yz_conflict) + (SELECT count(*) FROM yz_extra)";
	struct err err;
	int64_t rows;

	HOLDS(store_stmt_int(p->db, sql, 0, &rows, &err) == 0);
	return rows;
}

bool
peer_is_sound(struct peer *p)
{
	struct store_digest_verify verify = { .deep = true };
	struct err err;

	HOLDS(store_digest_verify(p->db, &verify, &err) == 0);
	return verify.faults == 0;
}

/* ---- mending ---- */

/* Where the stream stands at `at`: its head if that is at n, else zeros. */
static struct sync_segment_at
place_of(struct peer *at, const struct sync_site *site, const char *scope, uint64_t n)
{
	struct sync_segment_at place = { .n = n };
	struct store_stream stream;
	struct arena a = { 0 };
	int site_id = 0, scope_id = 0;
	struct err err;

	if (store_catalog_find_site(at->db, site->node, site->epoch, &site_id, &err) == 0 &&
	    store_catalog_find_scope(at->db, scope, &scope_id, &err) == 0 && site_id != 0 &&
	    scope_id != 0 && store_stream_find(at->db, site_id, scope_id, &a, &stream, &err) == 0 &&
	    stream.n == n)
		memcpy(place.head, stream.head, STORE_HEAD);
	arena_free(&a);
	return place;
}

static void
mend_one(struct peer *at, const struct sync_message *m, struct sync_view_segment *view,
         struct arena *a)
{
	const struct sync_view_stream *stream = &m->streams[view->stream];
	const struct sync_site *site = &m->sites[stream->site].site;
	const char *scope = m->scopes[stream->scope];
	struct sync_segment_at place = place_of(at, site, scope, view->n);
	struct help_schemas known = { .arena = { .limit = LIMIT } };
	struct sync_codec_schemas schemas = help_schemas_of(&known);
	struct rd r = rd_from(view->bytes, view->len);
	struct sync_record *records;
	struct store_segment seg;
	struct sync_key key;
	struct buf out = { 0 };
	size_t count;
	uint8_t number, *body;
	struct err err;

	if (sync_segment_read_short(&r, &place, NULL, a, &seg, &err) == 0 &&
	    (body = arena_copy(a, seg.body, seg.body_len)) != NULL) {
		help_mend_pack(body, seg.body_len);
		seg.body = body;
		(void)writer_of(site->node, &key, &number);
		if (sync_segment_prove(&seg, &schemas, a, &records, &count, &err) == 0) {
			sync_sign_head(&key, site, scope, seg.last, seg.head, seg.signature);
			sync_segment_write_short(&out, &seg, NULL);
			buf_put(&out, r.at, r.left);
			view->bytes = arena_copy(a, out.bytes, out.len);
			view->len = out.len;
			HOLDS(view->bytes != NULL);
		}
	}
	buf_free(&out);
	arena_free(&known.arena);
}

void
peer_mend(struct peer *at, struct sync_message *m, struct arena *a)
{
	for (size_t i = 0; i < m->segment_count && i < 8; i++)
		mend_one(at, m, &m->segments[i], a);
}
