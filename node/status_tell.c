/* node/status_tell.c - how it stands, for programs and for people (node/status.h). */
#include "node/status.h"
#include "store/base/text.h"

#include <stdio.h>
#include <string.h>

/* ---- for programs ---- */

static void
rifts_json(struct json *j, const struct node_status_scope *scope)
{
	struct buf where = { 0 };

	json_array(j);
	for (size_t i = 0; i < scope->rift_count; i++) {
		const struct store_rift *rift = &scope->rifts[i];

		buf_clear(&where);
		store_rift_where(&where, &rift->range);
		json_object(j);
		json_name(j, "where");
		json_text(j, buf_str(&where));
		json_name(j, "what");
		json_text(j, rift->cause);
		json_name(j, "rows");
		json_int(j, rift->rows_here);
		json_name(j, "hub_rows");
		json_int(j, rift->rows_there);
		json_name(j, "at");
		json_time(j, rift->at_ms);
		json_end_object(j);
	}
	json_end_array(j);
	buf_free(&where);
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
		json_name(j, "rifts");
		rifts_json(j, scope);
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
	json_member_text(j, "facility", s->role.facility);
	json_name(j, "role");
	json_text(j, s->role.is_hub ? "hub" : "node");
	json_name(j, "state");
	json_text(j, node_status_word(node_status_state(s)));
	json_name(j, "waiting");
	json_int(j, s->waiting);
	json_member_int(j, "oldest_waiting_s", s->oldest_waiting_ms > 0,
	                seconds_since(s->oldest_waiting_ms, now_ms));
	json_member_time(j, "last_success", s->last_success_ms);
	json_member_time(j, "last_attempt", s->last_attempt_ms);
	json_member_text(j, "last_error", s->last_error);
	json_name(j, "conflicts");
	json_int(j, s->conflicts);
	json_name(j, "quarantined");
	json_int(j, s->quarantined);
	json_name(j, "lost_tables");
	json_int(j, s->lost_tables);
	json_name(j, "lost_rows");
	json_int(j, s->lost_rows);
	json_member_int(j, "clock_offset_ms", s->last_success_ms > 0, s->clock_offset_ms);
	json_name(j, "clock_unsure");
	json_bool(j, s->clock_unsure);
	json_member_text(j, "hub", s->hub);
	json_name(j, "scopes");
	scopes_json(j, s);
	json_member_int(j, "db_bytes", s->db_bytes >= 0, s->db_bytes);
	json_member_int(j, "disk_free", s->disk_free >= 0, s->disk_free);
	json_name(j, "disk_full");
	json_bool(j, s->disk_full);
	json_name(j, "life");
	json_text(j, sync_life_name(s->life.word));
	json_name(j, "hub_life");
	json_text(j, s->life.hub_went_back ? "went back" : NULL);
	json_member_int(j, "differing_nodes", s->role.is_hub, s->differing_nodes);
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
put_difference(struct buf *out, const struct node_status_scope *scope)
{
	buf_printf(out, "%s%s differs from the hub although both have the same records",
	           out->len > 0 ? " · " : "", scope->scope);
	if (scope->rift_count == 0)
		return;
	buf_printf(out, ", ");
	store_rift_where(out, &scope->rifts[0].range);
	buf_printf(out, ": %s", scope->rifts[0].cause);
	if (scope->rift_count > 1)
		buf_printf(out, ", and at %zu more places", scope->rift_count - 1);
}

/* Nothing of ours waits, and yet the digests aren't the same.  Which side has more nobody can tell
 * by them. */
static void
put_uneven(struct buf *out, const struct node_status *s)
{
	bool told = false;

	for (size_t i = 0; s->waiting == 0 && i < s->scope_count; i++) {
		if (!s->scopes[i].uneven || s->scopes[i].differs)
			continue;
		if (!told && out->len > 0)
			buf_printf(out, " · ");
		buf_printf(out, told ? ", %s" : "not exchanged to the end yet: %s",
		           s->scopes[i].scope);
		told = true;
	}
}

static void
put_lost(struct buf *out, const struct node_status *s)
{
	put_count(out, s->lost_tables, "table is lost", "tables are lost");
	if (s->lost_rows > 0)
		buf_printf(out, " and %lld %s for %s", (long long)s->lost_rows,
		           s->lost_rows == 1 ? "row waits" : "rows wait",
		           s->lost_tables == 1 ? "it" : "them");
	buf_printf(out, ", see yizhan doctor");
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
	if (s->lost_tables > 0)
		put_lost(out, s);
	for (size_t i = 0; i < s->scope_count; i++)
		if (s->scopes[i].differs)
			put_difference(out, &s->scopes[i]);
	if (s->differing_nodes > 0)
		put_count(out, s->differing_nodes,
		          "node differs from this hub although both have the same records, "
		          "yizhan nodes says which",
		          "nodes differ from this hub although both have the same records, "
		          "yizhan nodes says which");
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
		put_uneven(&line, s);
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
