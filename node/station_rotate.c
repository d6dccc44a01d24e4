/*
 * node/station_rotate.c - another key for this node (node/station.h).
 *
 *   sealed, and signed with the old key
 *   key.next written      the new key, and the chain that ends with it
 *   ── transaction ──     a new life, what waits written again, yz_meta "key" = the new one
 *   anchor                of the new life
 *   key.next -> key       allowed_signers has a line more
 *
 * Cut before the commit, nothing has happened and key.next is of no account; cut after it, the
 * next opening goes on, because the database names the key that is in key.next.  Nobody needs to
 * be asked: the hub is shown the chain when it doesn't know the key that signs.
 *
 * A database of before the rotation, put back under the key of after it, names another key than
 * `key` holds, or none: its lives get the key that they were signed with, and it goes on as after
 * a rotation.
 */
#include "node/log.h"
#include "node/rotation.h"
#include "node/station.h"
#include "store/base/hash.h"
#include "store/base/text.h"
#include "sync/life.h"
#include "sync/seal/rotate.h"
#include "sync/seal/seal.h"

#include <string.h>

/* ---- the document ---- */

/* Is another stream of the same life among the first `count`? */
static bool
is_split(const struct sync_rotation *done, size_t i, size_t count)
{
	for (size_t k = 0; k < count; k++)
		if (memcmp(done->list[k].epoch, done->list[i].epoch, STORE_EPOCH) == 0)
			return true;
	return false;
}

/* The newest of the list, which are its last.  Of a life all are told or none: where it is told,
 * a stream that isn't says that nothing of it was delivered. */
static void
take_streams(struct rotation *doc, const struct sync_rotation *done)
{
	size_t from = done->count > ROTATION_STREAMS ? done->count - ROTATION_STREAMS : 0;

	for (size_t i = from; i < done->count; i++) {
		struct rotation_stream *stream;

		if (is_split(done, i, from))
			continue;
		stream = &doc->streams[doc->count++];
		memcpy(stream->epoch, done->list[i].epoch, STORE_EPOCH);
		text_copy(stream->scope, sizeof stream->scope, done->list[i].scope);
		stream->n = done->list[i].n;
	}
}

static int
stage(struct station *st, const struct sync_rotation *done, const struct sync_key *next,
      struct err *err)
{
	struct rotation doc = { .at_ms = sync_replica_now_ms(&st->node.r) };
	struct buf chain = { 0 }, bytes = { 0 };
	int rc = identity_load_chain(st->dir, &chain, err);

	memcpy(doc.node, st->node.r.self.node, STORE_NODE_ID);
	take_streams(&doc, done);
	rotation_write(&bytes, &doc, &st->key, next);
	rotation_chain_add(&chain, &bytes);
	if (rc == 0 && chain.len > ROTATION_CHAIN_MAX)
		rc = err_set(err, ERR_INVALID,
		             "this node has had as many keys as can be told; init a new directory "
		             "and enrol that");
	if (rc == 0)
		rc = buf_check(&chain, err);
	if (rc == 0)
		rc = identity_stage_key(st->dir, next, &chain, err);
	buf_free(&bytes);
	buf_free(&chain);
	return rc;
}

/* ---- a rotation ---- */

static int
rotate_in(struct station *st, const struct sync_key *next, struct arena *a, struct err *err)
{
	struct sync_rotation rotation = { .old_key = st->key.public_key,
		                          .new_key = next->public_key };
	struct sync_sealed sealed;
	int rc = sync_seal(&st->node.r, &sealed, err);

	if (rc == 0)
		rc = sync_seal_sign(&st->node.r, &st->key, err);
	if (rc == 0)
		rc = sync_rotate(&st->node.r, &rotation, a, err);
	return rc == 0 ? stage(st, &rotation, next, err) : rc;
}

/* What the database has taken, the directory takes too. */
static int
finish(struct station *st, const struct sync_key *next, struct err *err)
{
	int rc = identity_allow_signer(st->dir, st->node.r.self.node, next->public_key, err);

	if (rc == 0)
		rc = identity_adopt_key(st->dir, err);
	if (rc < 0)
		return rc;
	st->key = st->node.key = *next;
	return station_reload(st, err);
}

static void
draw(struct sync_key *key)
{
	uint8_t seed[SYNC_SEED_KEY];

	hash_random(seed, sizeof seed);
	sync_key_from_seed(key, seed);
	explicit_bzero(seed, sizeof seed);
}

int
station_rotate(struct station *st, struct err *err)
{
	struct store_site self = st->node.r.self;
	struct arena a = { 0 };
	struct sync_key next;
	int rc;

	if (st->is_hub)
		return err_set(err, ERR_INVALID,
		               "a hub's key is what its nodes know it by, and stays");
	if (!st->node.has_hub)
		return err_set(err, ERR_INVALID,
		               "no hub knows this node's key yet, so nothing is gained by another; "
		               "enrol it first");
	draw(&next);
	rc = store_db_begin(st->merge, err);
	if (rc == 0)
		rc = rotate_in(st, &next, &a, err);
	if (rc == 0)
		rc = store_db_commit(st->merge, err);
	if (rc < 0) {
		store_db_rollback(st->merge);
		st->node.r.self = self;
	}
	if (rc == 0)
		rc = station_anchor(st, err);
	if (rc == 0)
		rc = finish(st, &next, err);
	sync_key_wipe(&next);
	arena_free(&a);
	return rc;
}

/* ---- at the opening ---- */

int
station_rotated(struct station *st, bool *went_on, struct err *err)
{
	uint8_t named[SYNC_PUBLIC_KEY];
	struct sync_key next = { 0 };
	struct err ignored;
	int rc = sync_rotate_key(st->merge, named, err);

	*went_on = false;
	if (rc <= 0 || memcmp(named, st->key.public_key, sizeof named) == 0)
		return rc < 0 ? rc : 0;
	if (identity_staged_key(st->dir, &next, &ignored) < 0 ||
	    memcmp(named, next.public_key, sizeof named) != 0) {
		sync_key_wipe(&next);
		return 0;
	}
	/* the power went between the commit and the end */
	rc = station_anchor(st, err);
	if (rc == 0)
		rc = finish(st, &next, err);
	*went_on = rc == 0;
	sync_key_wipe(&next);
	return rc;
}

/* The key that the file's lives were signed with: the one it names, or else the first of the
 * chain.  1, or 0 if that is the one we have. */
static int
key_before(struct station *st, uint8_t key[SYNC_PUBLIC_KEY], struct err *err)
{
	struct buf chain = { 0 };
	struct rotation doc;
	bool follows = false;
	int rc = sync_rotate_key(st->merge, key, err), more = 0;
	bool named = rc == 1;
	struct rd r;

	if (rc == 0)
		memcpy(key, st->key.public_key, SYNC_PUBLIC_KEY);
	if (rc >= 0)
		rc = identity_load_chain(st->dir, &chain, err);
	r = rd_from(chain.bytes, chain.len);
	while (rc == 0 && (more = rotation_chain_next(&r, &doc, err)) == 1) {
		if (!named)
			memcpy(key, doc.old_key, SYNC_PUBLIC_KEY);
		named = true;
		follows |= memcmp(key, doc.old_key, SYNC_PUBLIC_KEY) == 0;
	}
	buf_free(&chain);
	if (rc < 0 || more < 0)
		return rc < 0 ? rc : more;
	if (memcmp(key, st->key.public_key, SYNC_PUBLIC_KEY) == 0)
		return 0;
	if (!follows)
		return err_set(err, ERR_CORRUPT,
		               "%.150s/key is an older key than the database's: put back the "
		               "database of the same time, or the newer key",
		               st->dir);
	return 1;
}

static int
settle_in(struct station *st, struct sync_rotation *rotation, struct arena *a, struct err *err)
{
	struct sync_sealed sealed;
	int rc = sync_seal(&st->node.r, &sealed, err);

	return rc == 0 ? sync_rotate(&st->node.r, rotation, a, err) : rc;
}

int
station_settle_key(struct station *st, struct err *err)
{
	uint8_t before[SYNC_PUBLIC_KEY];
	struct sync_rotation rotation = { .old_key = before, .new_key = st->key.public_key };
	struct store_site self = st->node.r.self;
	struct arena a = { 0 };
	int rc = key_before(st, before, err);

	if (rc <= 0)
		return rc;
	rc = store_db_begin(st->merge, err);
	if (rc == 0)
		rc = settle_in(st, &rotation, &a, err);
	if (rc == 0)
		rc = store_db_commit(st->merge, err);
	if (rc < 0) {
		store_db_rollback(st->merge);
		st->node.r.self = self;
	} else {
		log_line(LOG_LEVEL_WARN,
		         "%s: the database is of before the key was replaced; it goes on under a "
		         "new epoch",
		         st->dir);
	}
	arena_free(&a);
	return rc;
}
