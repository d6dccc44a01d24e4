#include "node/status.h"
#include "node/room.h"
#include "store/base/mutant.h"
#include "store/base/text.h"
#include "store/inbox.h"
#include "store/inspect.h"
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
	if (told->equal_have && hub->epoch_known &&
	    memcmp(out->digest, out->hub_digest, STORE_TERM) != 0)
		rc = own_acked(db, hub, scope, &all, err);
	out->differs = all;
	return rc;
}

static int
read_scopes(struct store_db *db, const struct store_remote *hub, struct arena *a,
            struct node_status *s, struct err *err)
{
	struct store_remote_digest *told = NULL;
	struct store_digest *list = NULL;
	size_t told_count = 0;
	int rc = store_digest_list(db, a, &list, &s->scope_count, err);

	if (rc == 0)
		rc = store_remote_digests(db, hub_name, a, &told, &told_count, err);
	if (rc < 0)
		return rc;
	s->scopes = arena_take(a, s->scope_count, sizeof *s->scopes);
	if (s->scopes == NULL)
		return err_set(err, ERR_NOMEM, "status: out of memory");
	for (size_t i = 0; rc == 0 && i < s->scope_count; i++) {
		struct node_status_scope *out = &s->scopes[i];
		const char *name = store_catalog_scope_of(db, list[i].scope);

		out->scope = arena_copy(a, name, strlen(name));
		if (out->scope == NULL)
			return err_set(err, ERR_NOMEM, "status: out of memory");
		memcpy(out->digest, list[i].sum, STORE_TERM);
		out->rows = list[i].rows;
		for (size_t k = 0; rc == 0 && k < told_count; k++)
			if (told[k].scope == list[i].scope)
				rc = compare(db, hub, &told[k], list[i].scope, out, err);
	}
	return rc;
}

/* As a program that starts now would see it. */
static int
read_clock(struct store_db *db, const struct store_remote *hub, struct node_status *s,
           struct err *err)
{
	int64_t known;
	int rc = store_meta_get_int(db, SYNC_META_KNOWN, 0, &known, err);

	s->clock_offset_ms = hub->clock_offset_ms;
	s->clock_unsure =
	        sync_clock_doubts(env_wall_ms(store_db_env(db)), s->clock_offset_ms, known);
	return rc;
}

static int
read_database(struct store_db *db, struct arena *a, struct node_status *s, struct err *err)
{
	struct store_remote hub = { 0 };
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
		rc = read_clock(db, &hub, s, err);
	if (rc == 0)
		rc = sync_life_tell(db, env_wall_ms(store_db_env(db)), &s->life, err);
	if (rc == 0)
		rc = store_inbox_count(db, &s->conflicts, &s->quarantined, err);
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
	return false;
}

enum node_state
node_status_state(const struct node_status *s)
{
	if (s->conflicts > 0 || s->quarantined > 0 || any_differs(s) || s->disk_full)
		return NODE_ATTENTION;
	if (s->role.is_hub)
		return NODE_IN_SYNC;
	if (s->syncing)
		return NODE_SYNCING;
	if (s->last_success_ms == 0)
		return NODE_NEVER_SYNCED;
	if (s->waiting > 0)
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

/* ---- for programs ---- */

static void
member_time(struct json *j, const char *name, int64_t ms)
{
	json_name(j, name);
	if (ms == 0)
		json_null(j);
	else
		json_time(j, ms);
}

static void
member_text(struct json *j, const char *name, const char *text)
{
	json_name(j, name);
	json_text(j, text[0] == 0 ? NULL : text);
}

static void
member_int(struct json *j, const char *name, bool known, int64_t value)
{
	json_name(j, name);
	if (known)
		json_int(j, value);
	else
		json_null(j);
}

static void
scopes_json(struct json *j, const struct node_status *s)
{
	json_array(j);
	for (size_t i = 0; i < s->scope_count; i++) {
		const struct node_status_scope *scope = &s->scopes[i];

		json_object(j);
		json_name(j, "scope");
		json_text(j, scope->scope);
		json_name(j, "digest");
		json_hex(j, scope->digest, STORE_TERM);
		json_name(j, "hub_digest");
		if (scope->hub_known)
			json_hex(j, scope->hub_digest, STORE_TERM);
		else
			json_null(j);
		json_name(j, "rows");
		json_int(j, scope->rows);
		json_end_object(j);
	}
	json_end_array(j);
}

static int64_t
seconds_since(int64_t then_ms, int64_t now_ms)
{
	return now_ms > then_ms ? (now_ms - then_ms) / 1000 : 0;
}

void
node_status_json(struct json *j, const struct node_status *s, int64_t now_ms)
{
	json_object(j);
	json_name(j, "node");
	json_hex(j, s->self.node, STORE_NODE_ID);
	json_name(j, "epoch");
	json_hex(j, s->self.epoch, STORE_EPOCH);
	member_text(j, "facility", s->role.facility);
	json_name(j, "role");
	json_text(j, s->role.is_hub ? "hub" : "node");
	json_name(j, "state");
	json_text(j, node_status_word(node_status_state(s)));
	json_name(j, "waiting");
	json_int(j, s->waiting);
	member_int(j, "oldest_waiting_s", s->oldest_waiting_ms > 0,
	           seconds_since(s->oldest_waiting_ms, now_ms));
	member_time(j, "last_success", s->last_success_ms);
	member_time(j, "last_attempt", s->last_attempt_ms);
	member_text(j, "last_error", s->last_error);
	json_name(j, "conflicts");
	json_int(j, s->conflicts);
	json_name(j, "quarantined");
	json_int(j, s->quarantined);
	member_int(j, "clock_offset_ms", s->last_success_ms > 0, s->clock_offset_ms);
	json_name(j, "clock_unsure");
	json_bool(j, s->clock_unsure);
	member_text(j, "hub", s->hub);
	json_name(j, "scopes");
	scopes_json(j, s);
	member_int(j, "db_bytes", s->db_bytes >= 0, s->db_bytes);
	member_int(j, "disk_free", s->disk_free >= 0, s->disk_free);
	json_name(j, "disk_full");
	json_bool(j, s->disk_full);
	json_name(j, "life");
	json_text(j, sync_life_name(s->life.word));
	json_name(j, "hub_life");
	json_text(j, s->life.hub_went_back ? "went back" : NULL);
	json_end_object(j);
}

/* ---- for people ---- */

/* "3 minutes ago": the greatest unit that fits. */
static void
put_ago(struct buf *out, int64_t s)
{
	static const struct {
		int64_t s;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (s >= units[i].s || units[i].s == 1) {
			int64_t n = s / units[i].s;

			buf_printf(out, "%lld %s%s ago", (long long)n, units[i].name,
			           n == 1 ? "" : "s");
			return;
		}
}

static void
put_count(struct buf *out, int64_t n, const char *one, const char *many)
{
	buf_printf(out, "%s%lld %s", out->len > 0 ? " · " : "", (long long)n, n == 1 ? one : many);
}

static void
put_needs(struct buf *out, const struct node_status *s)
{
	if (s->disk_full)
		buf_printf(out, "the disk is full, make room: nothing new is taken until then");
	if (s->conflicts > 0)
		put_count(out, s->conflicts, "conflict needs a look", "conflicts need a look");
	if (s->quarantined > 0)
		put_count(out, s->quarantined, "change could not be applied",
		          "changes could not be applied");
	for (size_t i = 0; i < s->scope_count; i++)
		if (s->scopes[i].differs)
			buf_printf(out,
			           "%s%s differs from the hub although both have the same records",
			           out->len > 0 ? " · " : "", s->scopes[i].scope);
}

static void
put_exchange(struct buf *out, const struct node_status *s, int64_t now_ms)
{
	const char *dot = out->len > 0 ? " · " : "";

	if (s->hub[0] == 0)
		buf_printf(out, "%snot enrolled with a hub yet", dot);
	else if (s->last_success_ms == 0)
		buf_printf(out, "%sno exchange with the hub yet", dot);
	else if (node_status_state(s) == NODE_IN_SYNC)
		buf_printf(out, "%sin sync, last exchange ", dot);
	else
		buf_printf(out, "%slast good exchange ", dot);
	if (s->last_success_ms > 0 && s->hub[0] != 0)
		put_ago(out, seconds_since(s->last_success_ms, now_ms));
	if (s->last_error[0] != 0)
		buf_printf(out, " (%s)", s->last_error);
}

static void
put_clock(struct buf *out, const struct node_status *s)
{
	const char *way = s->clock_offset_ms < 0 ? "fast" : "slow";
	int64_t off = (s->clock_offset_ms < 0 ? -s->clock_offset_ms : s->clock_offset_ms) / 1000;

	if (s->clock_unsure)
		buf_printf(out, " · clock unsure: it stands before a time that has been");
	else if (off >= 120)
		buf_printf(out, " · clock %lld min %s", (long long)(off / 60), way);
	else if (off >= 5)
		buf_printf(out, " · clock %lld s %s", (long long)off, way);
}

static void
put_log(struct buf *out, int64_t bytes)
{
	if (bytes >= NODE_LOG_LARGE)
		buf_printf(out,
		           " · the database's log has grown to %lld MB: a program that reads "
		           "doesn't end, close it",
		           (long long)(bytes / 1000000));
}

/* News of a week, after which nobody has to do anything. */
static void
put_life(struct buf *out, const struct sync_life_told *told)
{
	static const char *const words[] = {
		[SYNC_LIFE_RESTORED] = " · was restored to an older state",
		[SYNC_LIFE_CLONED] = " · was cloned: two copies of it are in use",
	};

	if (told->word != SYNC_LIFE_QUIET)
		buf_printf(out, "%s", words[told->word]);
	if (told->hub_went_back)
		buf_printf(out, " · the hub went back to an older state");
}

void
node_status_line(struct buf *out, const struct node_status *s, int64_t now_ms)
{
	struct buf line = { 0 };
	char at[TEXT_TIME_SIZE];

	put_needs(&line, s);
	if (s->role.is_hub) {
		if (line.len == 0)
			buf_printf(&line, "in order");
	} else {
		if (s->waiting > 0) {
			text_time(at, s->oldest_waiting_ms);
			at[16] = 0;
			put_count(&line, s->waiting, "change waiting", "changes waiting");
			buf_printf(&line, " since %s UTC", at);
		}
		put_exchange(&line, s, now_ms);
	}
	put_clock(&line, s);
	put_log(&line, s->log_bytes);
	put_life(&line, &s->life);
	buf_put(out, line.bytes, line.len);
	if (line.bad)
		out->bad = true;
	buf_free(&line);
}
