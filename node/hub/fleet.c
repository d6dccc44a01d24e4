/* node/hub/fleet.c - what is noted at each exchange, and what it comes to (node/hub/fleet.h). */
#include "node/hub/fleet.h"

#include "store/stmt.h"

#include <string.h>

int
fleet_met(void *ctx, const uint8_t node[STORE_NODE_ID], const struct sync_level *level,
          struct err *err)
{
	const struct fleet_met *met = ctx;
	bool told = level->word != SYNC_LEVEL_UNKNOWN;
	struct store_stmt s = store_stmt_new(
	        met->db, "INSERT INTO hub_seen(node, met_ms, lacking, digest, digest_ms, "
	                 "reported_ms, report)"
	                 " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT(node) DO UPDATE SET"
	                 " met_ms = excluded.met_ms, lacking = excluded.lacking,"
	                 /* nothing follows from an exchange after which both had other records */
	                 " digest = iif(excluded.digest_ms IS NULL, digest, excluded.digest),"
	                 " digest_ms = coalesce(excluded.digest_ms, digest_ms),"
	                 " reported_ms = coalesce(excluded.reported_ms, reported_ms),"
	                 " report = coalesce(excluded.report, report)");

	store_stmt_put_blob(&s, node, STORE_NODE_ID);
	store_stmt_put_int(&s, met->now_ms);
	store_stmt_put_int(&s, level->lacking > INT64_MAX ? INT64_MAX : (int64_t)level->lacking);
	store_stmt_put_int(&s, level->word);
	if (told)
		store_stmt_put_int(&s, met->now_ms);
	else
		store_stmt_put_null(&s);
	if (met->report != NULL) {
		store_stmt_put_int(&s, met->now_ms);
		store_stmt_put_text(&s, met->report);
	} else {
		store_stmt_put_null(&s);
		store_stmt_put_null(&s);
	}
	return store_stmt_run(&s, err);
}

/* ---- what it comes to ---- */

static unsigned
causes_of_report(const struct report *r)
{
	unsigned causes = 0;

	if (r->disk_full)
		causes |= FLEET_DISK_FULL;
	else if (r->disk_free >= 0 && r->disk_free < FLEET_DISK_LOW)
		causes |= FLEET_DISK_IS_LOW;
	if (r->quarantined > 0)
		causes |= FLEET_QUARANTINE;
	if (r->conflicts > 0)
		causes |= FLEET_CONFLICTS;
	if (r->clock_unsure || (r->clock_known && (r->clock_offset_ms > FLEET_CLOCK_MS ||
	                                           r->clock_offset_ms < -FLEET_CLOCK_MS)))
		causes |= FLEET_CLOCK;
	return causes;
}

void
fleet_judge(struct fleet_node *n, int64_t now_ms)
{
	/* who was enrolled and never came is silent since then */
	int64_t silent = now_ms - (n->met_ms > 0 ? n->met_ms : n->node.since_ms);

	n->causes = n->reported_ms > 0 ? causes_of_report(&n->report) : 0;
	if (silent >= FLEET_ALARM_MS)
		n->causes |= FLEET_SILENT_LONG;
	else if (silent >= FLEET_WARN_MS)
		n->causes |= FLEET_SILENT;
	if (n->digest == SYNC_LEVEL_UNEQUAL)
		n->causes |= FLEET_DIFFERS;
	if (n->met_ms > 0 && n->lacking > 0 && silent >= FLEET_BACKLOG_MS)
		n->causes |= FLEET_BACKLOG;
	if (n->node.revoked_ms != 0) {
		n->causes = 0;
		n->state = FLEET_REVOKED;
	} else if ((n->causes & FLEET_ALARMS) != 0) {
		n->state = FLEET_ALARM;
	} else if (n->causes != 0) {
		n->state = FLEET_WARNING;
	} else {
		n->state = n->met_ms == 0 ? FLEET_NEVER : FLEET_IN_ORDER;
	}
}

/* ---- words ---- */

static const char *const states[FLEET_STATES] = {
	[FLEET_ALARM] = "alarm",       [FLEET_WARNING] = "warning", [FLEET_NEVER] = "never",
	[FLEET_IN_ORDER] = "in_order", [FLEET_REVOKED] = "revoked",
};

const char *
fleet_state_word(enum fleet_state state)
{
	return states[state];
}

bool
fleet_is_state(const char *word)
{
	for (size_t i = 0; i < FLEET_STATES; i++)
		if (strcmp(states[i], word) == 0)
			return true;
	return false;
}

const char *
fleet_cause_word(size_t i)
{
	static const char *const words[FLEET_CAUSES] = {
		"silent_72h", "digest_differs", "disk_full", "silent_26h", "disk_low",
		"quarantine", "conflicts",      "clock",     "backlog",
	};

	return words[i];
}

const char *
fleet_digest_word(enum sync_level_word digest)
{
	switch (digest) {
	case SYNC_LEVEL_UNKNOWN:
		break;
	case SYNC_LEVEL_EQUAL:
		return "equal";
	case SYNC_LEVEL_UNEQUAL:
		return "unequal";
	}
	return "unknown";
}

/* ---- the document ---- */

static void
put_report(struct json *j, const struct fleet_node *n)
{
	const struct report *r = &n->report;
	bool told = n->reported_ms > 0;

	json_member_time(j, "reported", n->reported_ms);
	json_member_text(j, "version", r->version);
	json_member_int(j, "format", r->format >= 0, r->format);
	json_member_int(j, "waiting", r->waiting >= 0, r->waiting);
	json_member_time(j, "oldest_waiting", r->oldest_ms > 0 ? r->oldest_ms : 0);
	json_member_int(j, "conflicts", r->conflicts >= 0, r->conflicts);
	json_member_int(j, "quarantined", r->quarantined >= 0, r->quarantined);
	json_member_int(j, "clock_offset_ms", r->clock_known, r->clock_offset_ms);
	json_member_bool(j, "clock_unsure", told, r->clock_unsure);
	json_member_int(j, "db_bytes", r->db_bytes >= 0, r->db_bytes);
	json_member_int(j, "disk_free", r->disk_free >= 0, r->disk_free);
	json_member_bool(j, "disk_full", told, r->disk_full);
	json_member_int(j, "differing_scopes", r->differing >= 0, r->differing);
	json_name(j, "hub_life");
	json_text(j, told && r->hub_went_back ? "went back" : NULL);
}

void
fleet_json(struct json *j, const struct fleet_node *n)
{
	json_object(j);
	json_name(j, "node");
	json_hex(j, n->node.node, STORE_NODE_ID);
	json_name(j, "facility");
	json_text(j, n->node.facility);
	json_name(j, "name");
	json_text(j, n->node.label);
	json_member_text(j, "facility_name", n->name);
	json_member_text(j, "street", n->street);
	json_member_int(j, "lat_e6", n->placed, n->lat_e6);
	json_member_int(j, "lon_e6", n->placed, n->lon_e6);
	json_name(j, "state");
	json_text(j, fleet_state_word(n->state));
	json_name(j, "causes");
	json_array(j);
	for (size_t i = 0; i < FLEET_CAUSES; i++)
		if ((n->causes >> i & 1) != 0)
			json_text(j, fleet_cause_word(i));
	json_end_array(j);
	json_member_time(j, "since", n->node.since_ms);
	json_member_time(j, "revoked", n->node.revoked_ms);
	json_name(j, "grant");
	json_int(j, n->node.version);
	json_member_time(j, "last_exchange", n->met_ms);
	json_member_int(j, "backlog", n->lacking >= 0, n->lacking);
	json_name(j, "digest");
	json_text(j, fleet_digest_word(n->digest));
	json_member_time(j, "digest_at", n->digest_ms);
	json_name(j, "life");
	json_text(j, sync_life_name(n->life));
	put_report(j, n);
	json_end_object(j);
}
