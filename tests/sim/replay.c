/* tests/sim/replay.c - the hub's streams, one segment of one at a time. */
#include "tests/sim/replay.h"
#include "store/digest.h"
#include "store/stream.h"
#include "sync/merge/ingest.h"
#include "sync/reader.h"
#include "tests/sim/rand.h"
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

enum { STREAMS = 256 };

struct replay {
	struct sim *s;
	struct sim_peer *hub, *fresh;
	struct store_stream *streams; /* the hub's */
	size_t count;
	uint64_t has[STREAMS]; /* records given so far */
	bool waits[STREAMS];   /* for what another one gives */
	struct arena arena;
};

/* ---- reading the hub ---- */

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

struct stamps {
	int64_t *list;
	size_t count, room;
};

static void
note_stamp(struct stamps *st, int64_t stamp)
{
	if (st->count == st->room) {
		st->room = st->room * 2 + 1024;
		st->list = realloc(st->list, st->room * sizeof *st->list);
		if (st->list == NULL)
			abort();
	}
	st->list[st->count++] = stamp;
}

/* What a stream's records are held to, from its first on. */
struct rising {
	struct replay *re;
	struct stamps *out;
	int64_t last;
	bool salvaged; /* this unit was written again out of the rows, in their order */
	bool relayed;  /* this one says what others wrote, with their stamps */
};

static void
hold_record(struct rising *x, const struct sync_record *r, uint64_t n)
{
	struct sim *s = x->re->s;

	if (r->type == SYNC_OPENING) {
		x->salvaged = s->plan->has[SIM_ROT] && r->opening->kind == SYNC_REMINT;
		x->relayed = r->opening->kind == SYNC_RELAY;
	}
	if (r->type != SYNC_CHANGE || x->relayed)
		return;
	if (r->change.stamp <= x->last && !x->salvaged)
		sim_fail(s, "record %llu of a stream has no later stamp than the one before it",
		         (unsigned long long)n);
	if (r->change.stamp > x->last)
		x->last = r->change.stamp;
	note_stamp(x->out, r->change.stamp);
}

/* The stamps of a stream rise from record to record; but not where a bit had turned. */
static int
read_stamps(struct replay *re, const struct store_stream *stream, struct stamps *out,
            struct err *err)
{
	struct rising x = { .re = re, .out = out };
	uint64_t n = 1;
	int rc = 0;

	while (rc == 0 && n <= stream->n) {
		struct arena a = { .limit = SYNC_ARENA_MAX };
		struct sync_reader reader;

		rc = sync_reader_open(re->hub->st.merge, stream, n, &a, &reader, err);
		for (size_t i = 0; rc == 0 && i < reader.count; i++)
			hold_record(&x, &reader.records[i], reader.seg.first + i);
		n = rc == 0 ? reader.seg.last + 1 : n;
		arena_free(&a);
	}
	return rc;
}

/* What the hub writes about a child goes into the streams of all who see her, with one stamp. */
static bool
may_say_twice(struct replay *re, const struct store_stream *stream)
{
	const struct store_site *site = store_catalog_site_of(re->hub->st.merge, stream->site);

	return re->s->plan->has[SIM_SHARE] &&
	       memcmp(site->node, re->hub->st.node.r.self.node, STORE_NODE_ID) == 0;
}

/* The stamps of all streams of the i-th one's site. */
static int
stamps_of_site(struct replay *re, size_t i, struct stamps *all, struct err *err)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < re->count; k++)
		if (re->streams[k].site == re->streams[i].site)
			rc = read_stamps(re, &re->streams[k], all, err);
	if (all->count > 0)
		qsort(all->list, all->count, sizeof *all->list, by_value);
	return rc;
}

/* No site gave one stamp twice, in whatever streams. */
static int
check_stamps(struct replay *re, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < re->count; i++) {
		struct stamps all = { 0 };

		rc = stamps_of_site(re, i, &all, err);
		for (size_t k = 1; k < all.count && !may_say_twice(re, &re->streams[i]); k++)
			if (all.list[k] == all.list[k - 1])
				sim_fail(re->s, "a site gave one stamp to two changes");
		free(all.list);
	}
	return rc;
}

/* ---- giving them to the fresh one ---- */

static bool
key_of(void *ctx, const struct store_site *site, uint8_t key[SYNC_PUBLIC_KEY])
{
	struct replay *re = ctx;

	return rights_key_of(&re->hub->st.rights, site, key);
}

/* The next segment of a stream; true if it was taken. */
static bool
give_next(struct replay *re, size_t i, uint64_t from, bool force)
{
	const struct store_stream *stream = &re->streams[i];
	const struct store_site *site = store_catalog_site_of(re->hub->st.merge, stream->site);
	const char *scope = store_catalog_scope_of(re->hub->st.merge, stream->scope);
	struct store_segment seg = { 0 };
	struct sync_ingested got = { 0 };
	struct arena a = { 0 };
	struct buf bytes = { 0 };
	struct sync_site name;
	struct err err;
	struct rd r;
	int rc = store_segment_at(re->hub->st.merge, stream->id, from + 1, &a, &seg, &err);

	if (rc == 0) {
		memcpy(name.node, site->node, STORE_NODE_ID);
		memcpy(name.epoch, site->epoch, STORE_EPOCH);
		sync_segment_write(&bytes, &seg, &name, scope);
		r = rd_from(bytes.bytes, bytes.len);
		rc = sync_ingest_full(&re->fresh->st.node.r, &r, force, &got, &err);
	}
	sim_must(re->s, rc, &err, "replay a segment");
	if (rc == 0 && (got.outcome == SYNC_REFUSED || got.outcome == SYNC_FORK))
		sim_fail(re->s, "replay: records from %llu of %s were refused: %s",
		         (unsigned long long)from + 1, scope, got.reason);
	if (got.outcome == SYNC_STORED)
		re->has[i] = got.n;
	buf_free(&bytes);
	arena_free(&a);
	return got.outcome == SYNC_STORED;
}

/* Any stream that has more to give and doesn't wait for another; STREAMS if there is none. */
static size_t
draw_stream(const struct replay *re, uint64_t *x)
{
	size_t ready[STREAMS], count = 0;

	for (size_t i = 0; i < re->count; i++)
		if (re->has[i] < re->streams[i].n && !re->waits[i])
			ready[count++] = i;
	return count == 0 ? STREAMS : ready[sim_rand_below(x, (uint32_t)count)];
}

/* Those that wait are all that is left: the first of them is taken as it is, as from a peer that
 * can't supply what it waits for. */
static bool
force_one(struct replay *re)
{
	for (size_t i = 0; i < re->count; i++)
		if (re->has[i] < re->streams[i].n && give_next(re, i, re->has[i], true))
			return true;
	return false;
}

static bool
all_given(const struct replay *re)
{
	for (size_t i = 0; i < re->count; i++)
		if (re->has[i] < re->streams[i].n)
			return false;
	return true;
}

/* Now and then one that was given before comes again. */
static void
give_all(struct replay *re)
{
	uint64_t x = sim_rand(re->s->plan->seed, 0, SIM_USE_CHECK, 1);

	while (!all_given(re) && !re->s->result->failed) {
		size_t i = draw_stream(re, &x);
		bool moved = i < STREAMS ? give_next(re, i, re->has[i], false) : force_one(re);

		if (moved)
			memset(re->waits, 0, sizeof re->waits);
		else if (i < STREAMS)
			re->waits[i] = true;
		else
			sim_fail(re->s, "replay: the rest of the segments wait for each other");
		if (i < STREAMS && re->has[i] > 0 && sim_rand_happens(&x, 30))
			give_next(re, i, sim_rand_next(&x) % re->has[i], false);
	}
}

/* ---- comparing ---- */

static void
compare_scopes(struct replay *re)
{
	struct store_digest *list = NULL, other;
	struct arena a = { 0 };
	struct err err;
	size_t count = 0;
	int rc = store_digest_list(re->hub->st.merge, &a, &list, &count, &err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const char *scope = store_catalog_scope_of(re->hub->st.merge, list[i].scope);
		int id;

		/* Who sees a child is carried out at her facilities and the hub, and here is
		 * neither. */
		if (re->s->plan->has[SIM_SHARE] && strncmp(scope, "f/", 2) == 0)
			continue;
		rc = store_db_begin(re->fresh->st.merge, &err);
		if (rc == 0)
			rc = store_catalog_scope(re->fresh->st.merge, scope, &id, &err);
		if (rc == 0)
			rc = store_digest_get(re->fresh->st.merge, id, &other, &err);
		store_db_rollback(re->fresh->st.merge);
		if (rc == 0 && memcmp(list[i].sum, other.sum, STORE_TERM) != 0)
			sim_fail(re->s, "a replay of all segments gives another digest of %s",
			         scope);
	}
	arena_free(&a);
	sim_must(re->s, rc, &err, "compare a replay");
}

void
sim_replay_check(struct sim *s)
{
	struct replay re = { .s = s, .hub = &s->peers[0], .fresh = &s->peers[SIM_PEERS] };
	struct sync_replica *r;
	struct err err;
	int rc;

	sim_peer_make(s, SIM_PEERS);
	if (!re.fresh->open)
		return;
	r = &re.fresh->st.node.r;
	r->may_write = NULL;
	r->key_until = NULL;
	r->key_of = key_of;
	r->applied = NULL;
	r->ctx = &re;
	r->hub_known = true;
	memcpy(r->hub_node, re.hub->st.node.r.self.node, STORE_NODE_ID);
	rc = store_stream_list(re.hub->st.merge, 0, &re.arena, &re.streams, &re.count, &err);
	if (rc == 0 && re.count > STREAMS)
		rc = err_set(&err, ERR_INVALID, "%zu streams", re.count);
	if (rc == 0)
		rc = check_stamps(&re, &err);
	if (rc == 0)
		rc = sync_ingest_begin(r, &err);
	if (rc == 0) {
		give_all(&re);
		rc = sync_ingest_end(r, &err);
	}
	if (sim_must(s, rc, &err, "replay all segments") && !s->result->failed)
		compare_scopes(&re);
	arena_free(&re.arena);
}
