/*
 * sync/life.c - lives of a file, in yz_meta:
 *
 *   life_began, life_word      of this file: when its present life began, and why
 *   life_told                  when that word was learnt, if later
 *   hub_went_back              when the hub had forgotten something
 *   receipts                   at a hub: the number of the latest that it gave
 *   life <node id>             at a hub, of each node: epoch (8) and word (u8), big endian ms (8)
 */
#include "sync/life.h"
#include "store/base/buf.h"
#include "store/base/rd.h"
#include "store/base/text.h"
#include "store/held.h"
#include "store/stream.h"
#include "sync/seal/rotate.h"

#include <stdio.h>
#include <string.h>

/* ---- this file's own ---- */

static uint64_t
number(const uint8_t epoch[STORE_EPOCH])
{
	uint64_t n = 0;

	for (int i = 0; i < STORE_EPOCH; i++)
		n = n << 8 | epoch[i];
	return n;
}

/*
 * One that is greater, by a random part of what room there is, so that two copies of a file take
 * different ones.  The room lasts for thousands of lives; without any it begins anew, and then only
 * the order of a change and its second writing is left to chance.
 */
static void
draw_epoch(const struct env *env, uint8_t epoch[STORE_EPOCH])
{
	uint64_t old = number(epoch), room = (UINT64_MAX - old) >> 8, draw;

	env_rand(env, &draw, sizeof draw);
	draw = room < UINT32_MAX ? draw : old + 1 + draw % room;
	for (int i = STORE_EPOCH; i-- > 0; draw >>= 8)
		epoch[i] = (uint8_t)draw;
}

/* Whose heads these will be, where the node's id doesn't tell any more. */
static int
name_key(struct sync_replica *r, struct err *err)
{
	uint8_t key[SYNC_PUBLIC_KEY];
	int rc = sync_rotate_key(r->db, key, err);

	return rc == 1 ? store_catalog_set_site_key(r->db, r->self.id, key, err) : rc;
}

static int
set_word(struct sync_replica *r, enum sync_life_word word, struct err *err)
{
	int rc = store_meta_set_int(r->db, "life_told", sync_replica_now_ms(r), err);

	return rc == 0 ? store_meta_set_int(r->db, "life_word", word, err) : rc;
}

int
sync_life_begin(struct sync_replica *r, enum sync_life_word why, struct err *err)
{
	int rc;

	draw_epoch(store_db_env(r->db), r->self.epoch);
	rc = store_meta_set(r->db, "epoch", r->self.epoch, STORE_EPOCH, err);
	if (rc == 0)
		rc = store_catalog_site(r->db, r->self.node, r->self.epoch, &r->self.id, err);
	if (rc == 0)
		rc = name_key(r, err);
	if (rc == 0)
		rc = store_meta_set_int(r->db, "life_began", sync_replica_now_ms(r), err);
	return rc == 0 ? set_word(r, why, err) : rc;
}

int
sync_life_is_cloned(struct sync_replica *r, struct err *err)
{
	int rc = store_meta_set_int(r->db, "life_began", sync_replica_now_ms(r), err);

	return rc == 0 ? set_word(r, SYNC_LIFE_CLONED, err) : rc;
}

int
sync_life_is_restored(struct sync_replica *r, struct err *err)
{
	int64_t word;
	int rc = store_meta_get_int(r->db, "life_word", SYNC_LIFE_QUIET, &word, err);

	return rc == 0 && word == SYNC_LIFE_COPIED ? set_word(r, SYNC_LIFE_RESTORED, err) : rc;
}

int
sync_life_began(struct store_db *db, int64_t *at_ms, struct err *err)
{
	return store_meta_get_int(db, "life_began", 0, at_ms, err);
}

int
sync_life_hub_went_back(struct sync_replica *r, struct err *err)
{
	return store_meta_set_int(r->db, "hub_went_back", sync_replica_now_ms(r), err);
}

static bool
is_news(int64_t at_ms, int64_t now_ms)
{
	return at_ms != 0 && now_ms - at_ms < SYNC_LIFE_TOLD_MS;
}

int
sync_life_tell(struct store_db *db, int64_t now_ms, struct sync_life_told *out, struct err *err)
{
	int64_t at = 0, word = SYNC_LIFE_QUIET, back = 0;
	int rc = sync_life_began(db, &at, err);

	if (rc == 0) /* a file of before has none */
		rc = store_meta_get_int(db, "life_told", at, &at, err);
	if (rc == 0)
		rc = store_meta_get_int(db, "life_word", SYNC_LIFE_QUIET, &word, err);
	if (rc == 0)
		rc = store_meta_get_int(db, "hub_went_back", 0, &back, err);
	*out = (struct sync_life_told){ .hub_went_back = is_news(back, now_ms) };
	if (is_news(at, now_ms) && word >= SYNC_LIFE_QUIET && word <= SYNC_LIFE_CLONED)
		out->word = (enum sync_life_word)word;
	return rc;
}

const char *
sync_life_name(enum sync_life_word word)
{
	switch (word) {
	case SYNC_LIFE_QUIET:
	case SYNC_LIFE_COPIED:
		break;
	case SYNC_LIFE_RESTORED:
		return "restored";
	case SYNC_LIFE_CLONED:
		return "cloned";
	}
	return NULL;
}

/* ---- a hub's receipts ---- */

/* No hub gives so many between a copy and the day that it is put back; a node that lies can't use
 * up the numbers. */
#define RECEIPTS_LOST_MAX ((uint64_t)1 << 32)

int
sync_life_next_receipt(struct store_db *db, uint64_t *number, struct err *err)
{
	int64_t n;
	int rc = store_meta_get_int(db, "receipts", 0, &n, err);

	*number = (uint64_t)n + 1;
	return rc == 0 ? store_meta_set_int(db, "receipts", n + 1, err) : rc;
}

int
sync_life_receipt(struct sync_replica *r, uint64_t number, struct err *err)
{
	struct sync_life_told told = { 0 };
	int64_t given;
	int rc = store_meta_get_int(r->db, "receipts", 0, &given, err);

	if (rc < 0 || number <= (uint64_t)given || number - (uint64_t)given > RECEIPTS_LOST_MAX)
		return rc;
	rc = store_meta_set_int(r->db, "receipts", (int64_t)number, err);
	if (rc == 0)
		rc = sync_life_tell(r->db, sync_replica_now_ms(r), &told, err);
	/* each of its nodes says so when it first comes: it is told from the first on */
	return rc == 0 && told.word == SYNC_LIFE_QUIET ? set_word(r, SYNC_LIFE_RESTORED, err) : rc;
}

/* ---- a hub's, of its nodes ---- */

struct met {
	uint8_t epoch[STORE_EPOCH];
	enum sync_life_word word;
	int64_t at_ms;
};

enum { NAME_SIZE = 6 + 2 * STORE_NODE_ID };

static void
name_of(char name[NAME_SIZE], const uint8_t node[STORE_NODE_ID])
{
	char hex[2 * STORE_NODE_ID + 1];

	text_hex(hex, node, STORE_NODE_ID);
	snprintf(name, NAME_SIZE, "life %s", hex);
}

/* 1 and what is kept, 0 if nothing (or not what we write). */
static int
read_met(struct store_db *db, const uint8_t node[STORE_NODE_ID], struct met *out, struct err *err)
{
	char name[NAME_SIZE];
	struct buf b = { 0 };
	const uint8_t *epoch;
	struct rd r;
	int rc;

	name_of(name, node);
	rc = store_meta_get(db, name, &b, err);
	r = rd_from(b.bytes, b.len);
	epoch = rd_bytes(&r, STORE_EPOCH);
	*out = (struct met){ .word = rd_u8(&r) };
	out->at_ms = (int64_t)rd_u64(&r);
	if (rc == 0 && rd_done(&r) && out->word <= SYNC_LIFE_CLONED) {
		memcpy(out->epoch, epoch, STORE_EPOCH);
		rc = 1;
	}
	buf_free(&b);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
write_met(struct store_db *db, const uint8_t node[STORE_NODE_ID], const struct met *met,
          struct err *err)
{
	char name[NAME_SIZE];
	struct buf b = { 0 };
	int rc;

	name_of(name, node);
	buf_put(&b, met->epoch, STORE_EPOCH);
	buf_u8(&b, (uint8_t)met->word);
	buf_u64(&b, (uint64_t)met->at_ms);
	rc = buf_check(&b, err);
	if (rc == 0)
		rc = store_meta_set(db, name, b.bytes, b.len, err);
	buf_free(&b);
	return rc;
}

/* A node whose clock was wrong begins a new life, too; nothing of the old one is lost. */
static int
is_corrected(struct sync_replica *r, const struct sync_site *peer, struct met *met, struct err *err)
{
	struct store_stream *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	bool held = false;
	int site = 0, rc = store_catalog_find_site(r->db, peer->node, met->epoch, &site, err);

	if (rc == 0)
		rc = store_stream_list(r->db, 0, &a, &list, &count, err);
	for (size_t i = 0; rc == 0 && i < count && !held; i++)
		if (list[i].site == site)
			rc = store_held_any(r->db, list[i].id, &held, err);
	if (held)
		met->word = SYNC_LIFE_QUIET;
	arena_free(&a);
	return rc;
}

/* With another key a node begins a new life, too: the one before has a key of its own. */
static bool
is_rotated(const struct sync_replica *r, const struct sync_site *peer, const struct met *met)
{
	uint8_t then[SYNC_PUBLIC_KEY], now[SYNC_PUBLIC_KEY];
	struct store_site before = { 0 }, here = { 0 };

	memcpy(before.node, peer->node, STORE_NODE_ID);
	memcpy(before.epoch, met->epoch, STORE_EPOCH);
	memcpy(here.node, peer->node, STORE_NODE_ID);
	memcpy(here.epoch, peer->epoch, STORE_EPOCH);
	return r->key_of != NULL && r->key_of(r->ctx, &before, then) &&
	       r->key_of(r->ctx, &here, now) && memcmp(then, now, sizeof now) != 0;
}

/* A life that comes again after another has come goes on beside that. */
int
sync_life_met(struct sync_replica *r, const struct sync_site *peer, struct err *err)
{
	struct met met;
	int site = 0, there = read_met(r->db, peer->node, &met, err);
	int rc = there < 0 ? there : 0;

	if (rc < 0 || (there == 1 && memcmp(met.epoch, peer->epoch, STORE_EPOCH) == 0))
		return rc;
	if (there == 1) {
		rc = store_catalog_find_site(r->db, peer->node, peer->epoch, &site, err);
		met.word = site != 0 ? SYNC_LIFE_CLONED : SYNC_LIFE_RESTORED;
	}
	if (rc == 0 && there == 1 && site == 0)
		rc = is_corrected(r, peer, &met, err);
	if (rc == 0 && there == 1 && site == 0 && is_rotated(r, peer, &met))
		met.word = SYNC_LIFE_QUIET;
	met.at_ms = sync_replica_now_ms(r);
	memcpy(met.epoch, peer->epoch, STORE_EPOCH);
	return rc < 0 ? rc : write_met(r->db, peer->node, &met, err);
}

int
sync_life_of(struct store_db *db, const uint8_t node[STORE_NODE_ID], int64_t now_ms,
             enum sync_life_word *word, struct err *err)
{
	struct met met;
	int rc = read_met(db, node, &met, err);

	*word = rc == 1 && is_news(met.at_ms, now_ms) ? met.word : SYNC_LIFE_QUIET;
	return rc < 0 ? rc : 0;
}

int
sync_life_epoch(struct store_db *db, const uint8_t node[STORE_NODE_ID], uint8_t epoch[STORE_EPOCH],
                struct err *err)
{
	struct met met;
	int rc = read_met(db, node, &met, err);

	if (rc == 1)
		memcpy(epoch, met.epoch, STORE_EPOCH);
	return rc;
}
