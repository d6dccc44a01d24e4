#include "node/status.h"
#include "node/hub/fleet.h"
#include "node/room.h"
#include "store/base/mutant.h"
#include "store/inbox.h"
#include "store/inspect.h"
#include "store/lost.h"
#include "store/remote.h"
#include "store/stream.h"
#include "sync/clock.h"
#include "sync/reader.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static const char hub_name[] = "hub";

/* ---- the facts ---- */

/* What the hub said of its scopes. */
struct told {
	struct store_remote_digest *list;
	size_t count;
};

static int
read_waiting(struct store_db *db, const struct store_remote *hub, struct node_status *s,
             struct err *err)
{
	int64_t unsealed = 0, unsealed_ms = 0;
	int rc;

	if (s->role.is_hub)
		return 0; /* nobody above it to wait for */
	rc = sync_reader_waiting(db, s->self.node, hub->epoch_known ? hub->epoch : NULL,
	                         &s->waiting, &s->oldest_waiting_ms, err);
	if (rc == 0)
		rc = store_inspect_unsealed(db, &unsealed, &unsealed_ms, err);
	s->waiting += MUT(33) ? 0 : unsealed;
	if (unsealed > 0 && (s->oldest_waiting_ms == 0 || unsealed_ms < s->oldest_waiting_ms))
		s->oldest_waiting_ms = unsealed_ms;
	return rc;
}

/*
 * Does the hub have every record of the scope that was written here?  What others wrote comes only
 * in an exchange, which tells the digests anew; so if both sides had the same then, ours must still
 * be equal to what the hub told.
 */
static int
own_acked(struct store_db *db, const struct store_remote *hub, int scope, bool *all,
          struct err *err)
{
	struct store_stream *list;
	struct store_site self;
	struct arena a = { 0 };
	size_t count = 0;
	uint64_t acked;
	int rc = store_meta_self(db, &self, err);

	if (rc == 0)
		rc = store_stream_list(db, scope, &a, &list, &count, err);
	*all = true;
	for (size_t i = 0; rc == 0 && *all && i < count; i++) {
		const struct store_site *site = store_catalog_site_of(db, list[i].site);

		if (memcmp(site->node, self.node, STORE_NODE_ID) != 0)
			continue;
		rc = store_stream_acked(db, list[i].id, hub->epoch, &acked, err);
		*all = rc == 0 && acked == list[i].n;
	}
	arena_free(&a);
	return rc;
}

static int
compare(struct store_db *db, const struct store_remote *hub, const struct store_remote_digest *told,
        int scope, struct node_status_scope *out, struct err *err)
{
	bool all = false;
	int rc = 0;

	out->hub_known = true;
	memcpy(out->hub_digest, told->sum, STORE_TERM);
	out->uneven = memcmp(out->digest, out->hub_digest, STORE_TERM) != 0;
	if (out->uneven && told->equal_have && hub->epoch_known)
		rc = own_acked(db, hub, scope, &all, err);
	out->differs = all;
	return rc;
}

/* Where a scope differs: those of `all` that are its. */
static int
pick_rifts(struct node_status_scope *out, const struct store_rifts *all, int scope, struct err *err)
{
	out->rifts = arena_take(all->arena, all->count, sizeof *out->rifts);
	if (out->rifts == NULL)
		return err_set(err, ERR_NOMEM, "status: out of memory");
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].scope == scope)
			out->rifts[out->rift_count++] = all->list[i];
	return 0;
}

/* How one scope stands. */
static int
read_scope(struct store_db *db, const struct store_digest *digest, const struct store_rifts *rifts,
           struct node_status_scope *out, struct err *err)
{
	const char *name = store_catalog_scope_of(db, digest->scope);

	out->scope = arena_copy(rifts->arena, name, strlen(name));
	if (out->scope == NULL)
		return err_set(err, ERR_NOMEM, "status: out of memory");
	memcpy(out->digest, digest->sum, STORE_TERM);
	out->rows = digest->rows;
	return pick_rifts(out, rifts, digest->scope, err);
}

/* What is here of each scope; of one that only the hub told of there is nothing. */
static int
list_scopes(struct store_db *db, const struct told *told, struct arena *a,
            struct store_digest **list, size_t *count, struct err *err)
{
	struct store_digest *here = NULL;
	size_t n = 0;
	int rc = store_digest_list(db, a, &here, &n, err);

	if (rc < 0)
		return rc;
	*list = arena_take(a, n + told->count, sizeof **list);
	if (*list == NULL)
		return err_set(err, ERR_NOMEM, "status: out of memory");
	if (n > 0)
		memcpy(*list, here, n * sizeof *here);
	*count = n;
	for (size_t k = 0; k < told->count; k++) {
		size_t i = 0;

		while (i < n && here[i].scope != told->list[k].scope)
			i++;
		if (i == n)
			(*list)[(*count)++].scope = told->list[k].scope;
	}
	return 0;
}

static int
read_scopes(struct store_db *db, const struct store_remote *hub, struct arena *a,
            struct node_status *s, struct err *err)
{
	struct store_rifts rifts = { .open = true, .most = NODE_STATUS_RIFTS, .arena = a };
	struct store_digest *list = NULL;
	struct told told = { 0 };
	int rc = store_remote_digests(db, hub_name, a, &told.list, &told.count, err);

	if (rc == 0)
		rc = list_scopes(db, &told, a, &list, &s->scope_count, err);
	if (rc == 0)
		rc = store_rift_list(db, &rifts, err);
	if (rc < 0)
		return rc;
	s->scopes = arena_take(a, s->scope_count, sizeof *s->scopes);
	if (s->scopes == NULL)
		return err_set(err, ERR_NOMEM, "status: out of memory");
	for (size_t i = 0; rc == 0 && i < s->scope_count; i++) {
		struct node_status_scope *out = &s->scopes[i];

		rc = read_scope(db, &list[i], &rifts, out, err);
		for (size_t k = 0; rc == 0 && k < told.count; k++)
			if (told.list[k].scope == list[i].scope)
				rc = compare(db, hub, &told.list[k], list[i].scope, out, err);
	}
	return rc;
}

/* As a program that starts now would see it; *now_ms: what time that would say it is. */
static int
read_clock(struct store_db *db, const struct store_remote *hub, struct node_status *s,
           int64_t *now_ms, struct err *err)
{
	const struct env *env = store_db_env(db);
	struct sync_clock clock;
	int64_t known;
	int rc = store_meta_get_int(db, SYNC_META_KNOWN, 0, &known, err);

	s->clock_offset_ms = hub->clock_offset_ms;
	s->clock_unsure = sync_clock_doubts(env_wall_ms(env), s->clock_offset_ms, known);
	sync_clock_start(&clock, env, known, s->clock_offset_ms);
	*now_ms = sync_clock_now_ms(&clock, env);
	return rc;
}

static int
read_database(struct store_db *db, struct arena *a, struct node_status *s, struct err *err)
{
	struct store_remote hub = { 0 };
	int64_t now_ms = 0;
	int rc = store_meta_self(db, &s->self, err);

	if (rc == 0)
		rc = store_catalog_site(db, s->self.node, s->self.epoch, &s->self.id, err);
	if (rc == 0)
		rc = node_role_get(db, &s->role, err);
	if (rc == 0)
		rc = store_remote_get(db, hub_name, a, &hub, err);
	if (rc < 0)
		return rc;
	s->hub = hub.url;
	s->last_attempt_ms = hub.last_attempt_ms;
	s->last_success_ms = hub.last_success_ms;
	s->last_error = hub.last_error;
	rc = read_waiting(db, &hub, s, err);
	if (rc == 0)
		rc = read_clock(db, &hub, s, &now_ms, err);
	if (rc == 0)
		rc = sync_life_tell(db, now_ms, &s->life, err);
	if (rc == 0)
		rc = store_inbox_count(db, &s->conflicts, &s->quarantined, err);
	if (rc == 0)
		rc = store_lost_count(db, &s->lost_tables, &s->lost_rows, err);
	if (rc == 0 && s->role.is_hub)
		rc = fleet_differing(db, &s->differing_nodes, err);
	return rc == 0 ? read_scopes(db, &hub, a, s, err) : rc;
}

/* -1 if it isn't there. */
static int64_t
size_of(const char *dir, const char *name)
{
	struct stat st;
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

int64_t
node_status_log_bytes(const char *dir)
{
	int64_t size = size_of(dir, "yizhan.db-wal");

	return size < 0 ? 0 : size;
}

static void
read_disk(const char *dir, struct node_status *s)
{
	struct statvfs disk;

	s->db_bytes = s->disk_free = -1;
	if (dir == NULL)
		return;
	s->db_bytes = size_of(dir, "yizhan.db");
	s->log_bytes = node_status_log_bytes(dir);
	if (s->db_bytes >= 0)
		s->db_bytes += s->log_bytes;
	s->disk_full = room_is_full(dir);
	if (statvfs(dir, &disk) == 0)
		s->disk_free = (int64_t)(disk.f_bavail * disk.f_frsize);
}

int
node_status_read(struct store_db *db, const char *dir, struct arena *a, struct node_status *out,
                 struct err *err)
{
	int rc;

	*out = (struct node_status){ .hub = "", .last_error = "" };
	rc = store_db_begin(db, err);
	if (rc == 0)
		rc = read_database(db, a, out, err);
	store_db_rollback(db); /* it has only read */
	read_disk(dir, out);
	return rc;
}

/* ---- what they come to ---- */

static bool
any_differs(const struct node_status *s)
{
	for (size_t i = 0; i < s->scope_count; i++)
		if (s->scopes[i].differs)
			return true;
	return s->differing_nodes > 0;
}

/*
 * Between two answers of a meeting, and after one that was cut off, what the hub told is known and
 * isn't here yet, or not there: nothing of ours need wait for that.
 */
static bool
any_uneven(const struct node_status *s)
{
	for (size_t i = 0; i < s->scope_count; i++)
		if (s->scopes[i].uneven && !MUT(66))
			return true;
	return false;
}

enum node_state
node_status_state(const struct node_status *s)
{
	if (s->conflicts > 0 || s->quarantined > 0 || s->lost_tables > 0 || any_differs(s) ||
	    s->disk_full)
		return NODE_ATTENTION;
	if (s->role.is_hub)
		return NODE_IN_SYNC;
	if (s->syncing)
		return NODE_SYNCING;
	if (s->last_success_ms == 0)
		return NODE_NEVER_SYNCED;
	if (s->waiting > 0 || any_uneven(s))
		return NODE_WAITING;
	if (s->last_error[0] != 0)
		return NODE_UNREACHABLE;
	return NODE_IN_SYNC;
}

const char *
node_status_word(enum node_state state)
{
	static const char *const words[] = {
		[NODE_ATTENTION] = "attention",       [NODE_SYNCING] = "syncing",
		[NODE_NEVER_SYNCED] = "never_synced", [NODE_WAITING] = "waiting",
		[NODE_UNREACHABLE] = "unreachable",   [NODE_IN_SYNC] = "in_sync",
	};

	return words[state];
}

int
node_status_exit(enum node_state state)
{
	return state == NODE_ATTENTION ? 4 : state == NODE_UNREACHABLE ? 3 : 0;
}
