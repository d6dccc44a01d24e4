/*
 * tests/crash/rotate.c - a node's key is replaced, on real files, while records wait and no hub is
 * near: write, rotate, write, rotate.
 *
 * Whatever is cut, the directory's key is the one that the database goes on with, each life's
 * records are signed with its own, and no life is taken for a file that was put back.
 */
#include "tests/crash/crash.h"
#include "tests/crash/folder.h"

#include "node/identity.h"
#include "node/init.h"
#include "node/rotation.h"
#include "node/station.h"
#include "store/remote.h"
#include "store/stmt.h"
#include "sync/life.h"
#include "sync/seal/rotate.h"
#include "sync/seal/seal.h"
#include "sync/verify.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Each life has a key, so there is one more of those than rotations. */
#define ROTATIONS                                                                                  \
	"SELECT max(0, count(DISTINCT key) - 1) FROM yz_site WHERE node = (SELECT value FROM "     \
	"yz_meta WHERE name = 'node')"
#define ROWS "SELECT count(*) FROM class_group"
#define WRITE                                                                                      \
	"INSERT INTO class_group(id, facility_id, name, kind) VALUES (randomblob(16), 'F1', 'c', " \
	"2)"

static int
open_station(struct scene *s, struct station *st, struct err *err)
{
	return station_open(s->dir, &s->m[NODE].env, st, err);
}

/* A hub's word for the node; the hub itself is never met. */
static void
enrol(struct scene *s, struct station *st)
{
	struct store_remote hub = { .url = "http://127.0.0.1:1",
		                    .last_error = "",
		                    .enrolled = true };
	uint8_t seed[SYNC_SEED_KEY] = { 7 };
	struct sync_key key;
	struct grant grant;
	struct buf doc = { 0 };
	struct err err;

	(void)s;
	sync_key_from_seed(&key, seed);
	crash_must(grant_of_facility(&grant, "F1", NULL, &err), &err, "grant");
	memcpy(grant.node_key, st->key.public_key, SYNC_PUBLIC_KEY);
	memcpy(grant.node, st->node.r.self.node, STORE_NODE_ID);
	grant_write(&doc, &grant, &key);
	memcpy(hub.key, key.public_key, SYNC_PUBLIC_KEY);
	hub.grant = doc.bytes;
	hub.grant_len = doc.len;
	crash_must(store_remote_put(st->merge, "hub", &hub, &err), &err, "enrol");
	buf_free(&doc);
}

static void
prepare(struct scene *s)
{
	struct node_init what = { .dir = s->dir, .facility = "F1", .name = "one" };
	struct store_site self;
	struct station st;
	struct err err;

	crash_must(node_init(&what, &s->m[NODE].env, &self, &err), &err, "init");
	crash_must(open_station(s, &st, &err), &err, "open");
	enrol(s, &st);
	station_close(&st);
}

/* Written, and signed: it could leave at any time. */
static int
write_one(struct station *st, struct err *err)
{
	struct sync_sealed sealed;
	int rc = store_db_exec(st->local, WRITE, err);

	if (rc == 0)
		rc = store_db_begin(st->merge, err);
	if (rc < 0)
		return rc;
	rc = sync_seal(&st->node.r, &sealed, err);
	if (rc == 0)
		rc = sync_seal_sign(&st->node.r, &st->key, err);
	if (rc == 0)
		rc = store_db_commit(st->merge, err);
	if (rc < 0)
		store_db_rollback(st->merge);
	return rc == 0 ? station_anchor(st, err) : rc;
}

static int
step(struct scene *s, int no, struct err *err)
{
	struct station st;
	int rc = open_station(s, &st, err);

	if (rc < 0)
		return rc;
	rc = no % 2 == 0 ? write_one(&st, err) : station_rotate(&st, err);
	station_close(&st);
	return rc;
}

static int64_t
look(struct scene *s, const char *sql)
{
	struct store_db *db = NULL;
	char path[FOLDER_PATH_MAX];
	struct err err;
	int64_t value;

	snprintf(path, sizeof path, "%s/yizhan.db", s->dir);
	crash_must(store_db_open(path, STORE_READ, &s->m[NODE].env, &db, &err), &err, "look");
	crash_must(store_stmt_int(db, sql, -1, &value, &err), &err, sql);
	store_db_close(db);
	return value;
}

static int
seen(struct scene *s)
{
	int rows = (int)look(s, ROWS), rotations = (int)look(s, ROTATIONS);
	char path[FOLDER_PATH_MAX];

	snprintf(path, sizeof path, "%s/key.next", s->dir);
	s->recovered += rotations > 0 && access(path, F_OK) == 0;
	return rows == rotations || rows == rotations + 1 ? rows + rotations : -1;
}

static void
tell(void *ctx, const struct sync_verify_problem *problem)
{
	(void)ctx;
	crash_fail("%s: %s", problem->where, problem->what);
}

/* The chain leads from the node's id to the key in use. */
static void
check_chain(struct scene *s, struct station *st)
{
	uint8_t node[STORE_NODE_ID], last[SYNC_PUBLIC_KEY] = { 0 };
	struct buf chain = { 0 };
	struct rotation doc;
	struct rd r;
	struct err err;
	int more;

	crash_must(identity_load_chain(s->dir, &chain, &err), &err, "chain");
	r = rd_from(chain.bytes, chain.len);
	for (int i = 0; (more = rotation_chain_next(&r, &doc, &err)) == 1; i++) {
		sync_node_id(node, doc.old_key);
		if (i == 0 ? memcmp(node, st->node.r.self.node, sizeof node) != 0
		           : memcmp(last, doc.old_key, sizeof last) != 0)
			crash_fail("the chain of keys is broken");
		memcpy(last, doc.new_key, sizeof last);
	}
	crash_must(more, &err, "chain");
	if (memcmp(last, st->key.public_key, sizeof last) != 0)
		crash_fail("the chain ends with another key than the one in use");
	buf_free(&chain);
}

static void
finish(struct scene *s)
{
	struct sync_verify verify = { .tell = tell };
	uint8_t named[SYNC_PUBLIC_KEY];
	struct sync_life_told told;
	struct station st;
	struct err err;

	crash_must(open_station(s, &st, &err), &err, "open");
	check_chain(s, &st);
	if (sync_rotate_key(st.merge, named, &err) != 1 ||
	    memcmp(named, st.key.public_key, sizeof named) != 0)
		crash_fail("the database goes on with another key than the directory's");
	crash_must(store_db_begin(st.merge, &err), &err, "begin");
	crash_must(sync_seal_sign(&st.node.r, &st.key, &err), &err, "sign");
	crash_must(sync_verify_streams(st.merge, &verify, &err), &err, "verify");
	crash_must(store_db_commit(st.merge, &err), &err, "commit");
	if (scene_number(st.merge, "SELECT count(*) FROM yz_segment WHERE signature IS NULL") != 0)
		crash_fail("something can't be signed any more");
	crash_must(sync_life_tell(st.merge, s->wall_ms, &told, &err), &err, "life");
	if (told.word != SYNC_LIFE_QUIET)
		crash_fail("a rotation was taken for a file that was put back");
	station_close(&st);
}

const struct scenario scenarios_rotate[] = {
	{ .name = "rotate",
	  .recovers = "the next opening ended a rotation that was cut off",
	  .victim = NODE,
	  .folder = true,
	  .slow = true,
	  .steps = 4,
	  .prepare = prepare,
	  .step = step,
	  .seen = seen,
	  .finish = finish },
	{ 0 },
};
