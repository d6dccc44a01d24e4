#include "node/station.h"
#include "node/anchor.h"
#include "node/config.h"
#include "node/engine_tables.h"
#include "node/facility/schema.h"
#include "node/hub/feed.h"
#include "node/hub/hub_schema.h"
#include "node/hub/watch.h"
#include "node/link.h"
#include "node/log.h"
#include "node/report.h"
#include "store/base/mutant.h"
#include "store/base/text.h"
#include "store/remote.h"
#include "sync/archive/archive.h"
#include "sync/life.h"
#include "sync/seal/seal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEND_TIMEOUT_MS = 120000 };

/* ---- the engine's hooks ---- */

/* A unit was sealed or merged at a hub: the feed takes it, and those who wait hear of it. */
static int
applied(void *ctx, const struct sync_unit *unit, struct err *err)
{
	struct station *st = ctx;
	const struct store_site *by = store_catalog_site_of(st->merge, unit->site);
	int64_t receipts;
	int rc = feed_append(st->merge, unit, env_wall_ms(st->env), err);

	st->fed = true;
	if (rc < 0 || st->watch == NULL)
		return rc;
	rc = store_meta_get_int(st->merge, "receipts", 0, &receipts, err);
	if (rc == 0)
		watch_moved(st->watch, store_catalog_scope_of(st->merge, unit->scope), by->node,
		            (uint64_t)receipts,
		            (struct watch_rights){ rights_may_read, &st->rights });
	return rc;
}

static bool
may_write(void *ctx, const struct store_site *site, const char *scope)
{
	return rights_may_write(&((struct station *)ctx)->rights, site, scope);
}

static bool
might_write(void *ctx, const struct store_site *site, const char *scope)
{
	return rights_might_write(&((struct station *)ctx)->rights, site, scope);
}

static bool
key_of(void *ctx, const struct store_site *site, uint8_t key[SYNC_PUBLIC_KEY])
{
	struct station *st = ctx;
	struct err err;

	return rights_key_of(&st->rights, site, key) ||
	       store_catalog_site_key(st->merge, site->id, key, &err) == 1;
}

static uint64_t
key_until(void *ctx, const struct store_site *site, const char *scope)
{
	return rights_key_until(&((struct station *)ctx)->rights, site, scope);
}

/* ---- the anchor ---- */

/* Our own streams of this life, as the anchor keeps them. */
static int
own_streams(struct station *st, struct anchor *out, struct err *err)
{
	struct store_stream *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_stream_list(st->merge, 0, &a, &list, &count, err);

	out->streams = calloc(count + 1, sizeof *out->streams);
	if (out->streams == NULL) {
		arena_free(&a);
		return rc < 0 ? rc : err_set(err, ERR_NOMEM, "anchor: out of memory");
	}
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct anchor_stream *stream = &out->streams[out->count];

		if (list[i].site != st->node.r.self.id || list[i].n == 0)
			continue;
		text_copy(stream->scope, sizeof stream->scope,
		          store_catalog_scope_of(st->merge, list[i].scope));
		stream->n = list[i].n;
		memcpy(stream->head, list[i].head, STORE_HEAD);
		out->count++;
	}
	arena_free(&a);
	return rc;
}

static int
look(struct station *st, struct anchor *out, struct err *err)
{
	char path[IDENTITY_PATH_MAX];
	int rc;

	*out = (struct anchor){ 0 };
	rc = identity_path(path, st->dir, "yizhan.db", err);
	if (rc == 0)
		rc = anchor_look(out, path, err);
	memcpy(out->node, st->node.r.self.node, STORE_NODE_ID);
	memcpy(out->epoch, st->node.r.self.epoch, STORE_EPOCH);
	return rc == 0 ? own_streams(st, out, err) : rc;
}

static uint64_t
records_of(const struct anchor *anchor)
{
	uint64_t n = 0;

	for (size_t i = 0; i < anchor->count; i++)
		n += anchor->streams[i].n;
	return n;
}

int
station_anchor(struct station *st, struct err *err)
{
	struct anchor now;
	int rc = look(st, &now, err);

	if (rc == 0)
		rc = anchor_write(st->dir, &now, err);
	if (rc == 0) {
		st->anchored = records_of(&now);
		memcpy(st->anchored_life, now.epoch, STORE_EPOCH);
	}
	anchor_free(&now);
	return rc;
}

int
station_keep_anchor(struct station *st, struct err *err)
{
	struct anchor now = { 0 };
	int rc = own_streams(st, &now, err);
	bool same = rc == 0 && records_of(&now) == st->anchored &&
	            memcmp(st->anchored_life, st->node.r.self.epoch, STORE_EPOCH) == 0;

	anchor_free(&now);
	return rc < 0 || same ? rc : station_anchor(st, err);
}

static int
head_at(void *ctx, const char *scope, uint64_t n, uint8_t head[STORE_HEAD], struct err *err)
{
	struct station *st = ctx;
	struct store_stream stream;
	struct store_segment seg = { 0 };
	struct arena a = { 0 };
	int id, rc;

	rc = store_catalog_scope(st->merge, scope, &id, err);
	if (rc == 0)
		rc = store_stream_find(st->merge, st->node.r.self.id, id, &a, &stream, err);
	if (rc == 0)
		rc = store_segment_at(st->merge, stream.id, n, &a, &seg, err);
	if (rc == 0 && seg.last == n)
		memcpy(head, seg.head, STORE_HEAD);
	rc = rc == 0 ? seg.last == n : rc == ERR_NOTFOUND ? 0 : rc;
	arena_free(&a);
	return rc;
}

/*
 * A life that was seen twice, or went back, is over; what follows is written as another site.  A
 * copy may as well have been carried to a new machine, so that isn't called anything yet.
 */
static int
new_epoch(struct station *st, enum anchor_verdict why, struct err *err)
{
	enum sync_life_word word = why == ANCHOR_COPIED ? SYNC_LIFE_COPIED : SYNC_LIFE_RESTORED;
	struct store_site self = st->node.r.self;
	int rc = store_db_begin(st->merge, err);

	if (rc == 0)
		rc = sync_life_begin(&st->node.r, word, err);
	if (rc == 0)
		rc = store_db_commit(st->merge, err);
	if (rc < 0) {
		store_db_rollback(st->merge);
		st->node.r.self = self;
		return rc;
	}
	log_line(LOG_LEVEL_WARN, "%s: the database is %s; it goes on under a new epoch", st->dir,
	         anchor_verdict_name(why));
	return 0;
}

static int
check_anchor(struct station *st, struct err *err)
{
	struct anchor kept, found = { 0 };
	enum anchor_verdict verdict = ANCHOR_LOST;
	int rc = anchor_read(st->dir, &kept, err);
	bool there = rc == 0;

	if (rc < 0 && rc != ERR_NOTFOUND && rc != ERR_CORRUPT)
		return rc;
	rc = look(st, &found, err);
	if (rc == 0)
		rc = anchor_compare(there ? &kept : NULL, &found, head_at, st, &verdict, err);
	anchor_free(&found);
	if (there)
		anchor_free(&kept);
	if (rc == 0 && verdict != ANCHOR_SAME && verdict != ANCHOR_NEW && !MUT(22))
		rc = new_epoch(st, verdict, err);
	return rc == 0 ? station_anchor(st, err) : rc;
}

/* ---- opening ---- */

/* A file that an older program made. */
static int
track_engine(struct station *st, struct err *err)
{
	int rc = store_db_begin(st->merge, err);

	if (rc == 0)
		rc = engine_tables_track(st->merge, st->is_hub, err);
	if (rc == 0)
		rc = store_db_commit(st->merge, err);
	if (rc < 0)
		store_db_rollback(st->merge);
	return rc;
}

static int
open_databases(struct station *st, struct err *err)
{
	char path[IDENTITY_PATH_MAX];
	int rc = identity_path(path, st->dir, "yizhan.db", err);

	if (rc == 0)
		rc = store_db_open(path, STORE_MERGE, st->env, &st->merge, err);
	if (rc == 0 && st->is_hub)
		rc = hub_schema_migrate(st->merge, err);
	if (rc == 0)
		rc = facility_schema_upgrade(st->merge, st->is_hub, err);
	if (rc == 0)
		rc = track_engine(st, err);
	if (rc == 0)
		rc = store_db_open(path, STORE_LOCAL, st->env, &st->local, err);
	return rc;
}

static int
open_core(struct station *st, struct err *err)
{
	int rc = node_open(&st->node, st->merge, &st->key, st->is_hub, err);
	bool went_on = false;

	st->node.r.may_write = may_write;
	st->node.r.might_write = might_write;
	st->node.r.key_of = key_of;
	st->node.r.key_until = key_until;
	st->node.r.applied = st->is_hub ? applied : NULL;
	st->node.r.ctx = st;
	if (rc == 0)
		rc = station_reload(st, err);
	if (rc == 0 && !st->is_hub)
		rc = station_rotated(st, &went_on, err);
	if (rc == 0 && !st->is_hub && !went_on)
		rc = station_settle_key(st, err);
	return rc == 0 && !went_on ? check_anchor(st, err) : rc;
}

int
station_open(const char *dir, const struct env *env, struct station *st, struct err *err)
{
	struct config config;
	int rc;

	*st = (struct station){ .env = env, .lock_fd = -1 };
	text_copy(st->dir, sizeof st->dir, dir);
	rc = config_load(dir, &config, err);
	if (rc < 0)
		return rc;
	st->is_hub = config.is_hub;
	text_copy(st->facility, sizeof st->facility, config.facility_id);
	text_copy(st->name, sizeof st->name, config.facility_name);
	rc = identity_lock(dir, &st->lock_fd, err);
	if (rc == 0 && env->vfs == NULL) { /* else the database isn't on this disk */
		st->room.dir = st->dir;
		room_look(&st->room, env_mono_ms(env));
	}
	if (rc == 0)
		rc = identity_load_key(dir, &st->key, err);
	if (rc == 0)
		rc = open_databases(st, err);
	if (rc == 0)
		rc = open_core(st, err);
	st->node.interval_ms = config.sync_interval_s * 1000;
	if (rc < 0)
		station_close(st);
	return rc;
}

int
station_reload(struct station *st, struct err *err)
{
	int rc = node_reload(&st->node, err);

	return rc == 0 ? rights_open(&st->rights, st->merge, st->is_hub, st->key.public_key, err)
	               : rc;
}

static void
leave_tidy(struct station *st)
{
	struct sync_sealed sealed;
	struct err err;
	int left, rc = store_db_begin(st->merge, &err);

	if (rc == 0)
		rc = sync_seal(&st->node.r, &sealed, &err);
	if (rc == 0)
		rc = store_db_commit(st->merge, &err);
	if (rc < 0)
		store_db_rollback(st->merge);
	if (rc == 0)
		rc = store_db_checkpoint(st->merge, 0, &left, &err);
	if (rc < 0)
		log_line(LOG_LEVEL_WARN, "%s: on leaving: %s", st->dir, err.msg);
}

void
station_close(struct station *st)
{
	if (st->node.r.batch != NULL) {
		leave_tidy(st);
		node_close(&st->node);
	}
	store_db_close(st->local);
	store_db_close(st->merge);
	sync_key_wipe(&st->key);
	if (st->lock_fd >= 0)
		close(st->lock_fd);
	*st = (struct station){ .lock_fd = -1 };
}

/* ---- the line ---- */

/* How this node stands goes with the first request of a meeting, and once more where that showed
 * that the hub went back.  Where it can't be read the meeting goes on without: records are worth
 * more than what is said of them. */
static bool
tell_hub(struct station *st, char text[REPORT_TEXT])
{
	struct node_status status;
	struct arena a = { 0 };
	struct report report;
	int64_t format = 0;
	struct err err;
	bool told = (st->node.x.round_trips == 1 || st->node.x.went_back) && !st->is_hub &&
	            node_status_read(st->merge, st->dir, &a, &status, &err) == 0 &&
	            store_meta_get_int(st->merge, "format", 0, &format, &err) == 0;

	if (told)
		report_of_status(&report, &status, format);
	arena_free(&a);
	return told && report_write(&report, text);
}

int
station_do(struct station *st, struct node_effects *fx, struct link *l, struct err *err)
{
	char report[REPORT_TEXT];
	int rc = 0;

	if (fx->healed > 0)
		log_line(LOG_LEVEL_WARN,
		         "%s: records of %lld streams could not be read any more; they were "
		         "written again, or come again from the hub: look at the disk",
		         st->dir, (long long)fx->healed);
	if (fx->anchor)
		rc = station_anchor(st, err);
	if (rc == 0 && fx->send && l != NULL)
		rc = link_post(l, &fx->request, tell_hub(st, report) ? report : NULL, err);
	return rc;
}

int
station_link(struct station *st, struct queue *queue, struct link **l, struct err *err)
{
	struct link_options options = { .key = &st->key, .queue = queue, .env = st->env };
	struct buf nonce = { 0 }, chain = { 0 };
	struct store_remote hub;
	struct config config;
	struct arena a = { 0 };
	int rc = store_remote_get(st->merge, "hub", &a, &hub, err);

	*l = NULL;
	if (rc == 0 && hub.enrolled) {
		rc = config_load(st->dir, &config, err);
		if (rc == 0 && store_meta_get(st->merge, "nonce", &nonce, err) == 0)
			options.nonce = buf_str(&nonce);
		options.base = hub.url;
		options.grant = hub.grant;
		options.grant_len = hub.grant_len;
		options.pin = config.hub_pin[0] == 0 ? NULL : config.hub_pin;
		options.pin_only = strcmp(config.hub_ca, CONFIG_CA_NONE) == 0;
		options.ca_file = config.hub_ca[0] == 0 || options.pin_only ? NULL : config.hub_ca;
		memcpy(options.hub_key, hub.key, sizeof options.hub_key);
		options.chain = &chain;
		if (rc == 0)
			rc = identity_load_chain(st->dir, &chain, err);
		if (rc == 0)
			rc = link_new(&options, l, err);
	}
	buf_free(&chain);
	buf_free(&nonce);
	arena_free(&a);
	return rc;
}

/* Steps until the meeting has ended. */
static int
meet(struct station *st, struct queue *queue, struct link *l, struct node_effects *fx,
     struct err *err)
{
	struct node_event ev = { .type = NODE_EV_SYNC };
	int rc = node_step(&st->node, &ev, fx, err);

	while (rc == 0 && !fx->met) {
		struct queue_item *item;
		struct link_call *call;

		rc = station_do(st, fx, l, err);
		item = rc == 0 ? queue_take(queue, SEND_TIMEOUT_MS) : NULL;
		if (rc == 0 && item == NULL) {
			ev = (struct node_event){ .type = NODE_EV_LOST,
				                  .words = "hub unreachable: timeout" };
			rc = node_step(&st->node, &ev, fx, err);
			continue;
		}
		if (item == NULL)
			break;
		call = item->what;
		rc = link_result(call, &ev, err);
		if (rc == 0) {
			fx->send = fx->anchor = false; /* it was sent again; wait on */
			continue;
		}
		if (rc > 0)
			rc = node_step(&st->node, &ev, fx, err);
		link_drop(call);
	}
	return rc;
}

int
station_sync(struct station *st, struct node_met *met, struct link_cost *cost, struct err *err)
{
	struct queue *queue = queue_new();
	struct node_effects fx = { 0 };
	struct link *l = NULL;
	int rc;

	*cost = (struct link_cost){ 0 };
	if (queue == NULL)
		return err_set(err, ERR_NOMEM, "sync: out of memory");
	rc = station_link(st, queue, &l, err);
	if (rc == 0 && l == NULL)
		rc = err_set(err, ERR_INVALID,
		             "this node is not enrolled at a hub; get a code there and run yizhan "
		             "-C %s enrol"
		             " CODE URL",
		             st->dir);
	if (rc == 0)
		rc = meet(st, queue, l, &fx, err);
	if (rc == ERR_FULL)
		room_met(&st->room, env_mono_ms(st->env), err->msg);
	if (rc == 0) {
		*met = fx.meeting;
		link_cost(l, cost);
		if (met->ok)
			station_met(st, NULL);
		/* the next command's first request is then fresh already */
		rc = store_meta_set(st->merge, "nonce", link_nonce(l), strlen(link_nonce(l)), err);
	}
	node_effects_clear(&fx);
	queue_close(queue);
	link_free(l);
	queue_free(queue);
	return rc;
}

/* In yz_meta: when the last round of the archive began. */
static const char archived_ms[] = "archived_ms";

int
station_archive(struct station *st, struct sync_archive_result *result, struct err *err)
{
	struct sync_archive_job job = {
		.dir = st->dir,
		.key = &st->key,
		.name = st->name[0] != 0 ? st->name
		        : st->is_hub     ? "hub"
		                         : st->facility,
		.now_ms = sync_replica_now_ms(&st->node.r),
	};
	struct sync_sealed sealed;
	int rc = store_db_begin(st->merge, err);

	if (rc == 0)
		rc = sync_seal(&st->node.r, &sealed, err);
	if (rc == 0)
		rc = sync_seal_sign(&st->node.r, &st->key, err);
	if (rc == 0)
		rc = store_meta_set_int(st->merge, archived_ms, env_wall_ms(st->env), err);
	if (rc == 0)
		rc = store_db_commit(st->merge, err);
	if (rc < 0)
		store_db_rollback(st->merge);
	return rc < 0 ? rc : sync_archive_now(st->merge, &job, result, err);
}

int
station_archive_wait(struct station *st, int64_t *wait_ms, struct err *err)
{
	int64_t now = env_wall_ms(st->env), last;
	int rc = store_db_begin(st->merge, err);

	*wait_ms = NODE_HOUSE_MS;
	if (rc < 0)
		return rc;
	rc = store_meta_get_int(st->merge, archived_ms, -1, &last, err);
	if (rc == 0 && (last < 0 || last > now)) /* never; or the clock was set back since */
		rc = store_meta_set_int(st->merge, archived_ms, now, err);
	else if (rc == 0)
		*wait_ms = now - last < NODE_HOUSE_MS ? NODE_HOUSE_MS - (now - last) : 0;
	if (rc == 0)
		rc = store_db_commit(st->merge, err);
	if (rc < 0)
		store_db_rollback(st->merge);
	return rc;
}
