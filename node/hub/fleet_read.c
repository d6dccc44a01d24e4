/* node/hub/fleet_read.c - the nodes of a hub, read, judged and sorted (node/hub/fleet.h). */
#include "node/hub/fleet.h"

#include "node/facility/street.h"
#include "node/grant.h"
#include "store/base/text.h"
#include "store/stmt.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "fleet: out of memory");
}

static int64_t
take_int(struct store_stmt *s, int64_t missing, bool *known)
{
	struct store_value v = store_stmt_get_value(s);

	*known = v.type == STORE_INT;
	return *known ? v.num.i : missing;
}

static bool
on_earth(int64_t lat_e6, int64_t lon_e6)
{
	return lat_e6 >= -90000000 && lat_e6 <= 90000000 && lon_e6 >= -180000000 &&
	       lon_e6 <= 180000000;
}

/* Where it says nothing of its street, the one that its grant lets it read. */
static const char *
street_of_grant(const struct hub_node *node, struct arena *a)
{
	struct grant grant;
	struct err ignored;

	if (grant_reread(node->doc, node->doc_len, &grant, &ignored) == 0)
		for (unsigned i = 0; i < grant.read.count; i++)
			if (strncmp(grant.read.name[i], "s/", 2) == 0)
				return arena_copy(a, grant.read.name[i] + 2,
				                  strlen(grant.read.name[i] + 2));
	return "";
}

static int
read_place(struct store_stmt *s, struct arena *a, struct fleet_node *n, struct err *err)
{
	bool lat = false, lon = false;

	n->name = store_stmt_copy_text(s, a);
	n->street = store_stmt_copy_text(s, a);
	n->lat_e6 = take_int(s, 0, &lat);
	n->lon_e6 = take_int(s, 0, &lon);
	n->placed = lat && lon && on_earth(n->lat_e6, n->lon_e6);
	if (n->street != NULL && n->street[0] == 0)
		n->street = street_of_grant(&n->node, a);
	return n->name == NULL || n->street == NULL ? no_memory(err) : 0;
}

static void
read_seen(struct store_stmt *s, struct fleet_node *n)
{
	struct err ignored;
	int64_t digest;
	bool known;

	n->met_ms = take_int(s, 0, &known);
	n->lacking = take_int(s, -1, &known);
	digest = take_int(s, SYNC_LEVEL_UNKNOWN, &known);
	n->digest = digest == SYNC_LEVEL_EQUAL     ? SYNC_LEVEL_EQUAL
	            : digest == SYNC_LEVEL_UNEQUAL ? SYNC_LEVEL_UNEQUAL
	                                           : SYNC_LEVEL_UNKNOWN;
	n->digest_ms = take_int(s, 0, &known);
	n->reported_ms = take_int(s, 0, &known);
	if (report_read(store_stmt_get_text(s), &n->report, &ignored) < 0)
		n->reported_ms = 0;
}

/* ---- what is asked for ---- */

/* A code of 12 digits names a community (社区) of the street that its first nine name. */
static bool
is_street(const char *street, const char *asked)
{
	return strncmp(street, asked, STREET_DIGITS) == 0;
}

static bool
is_wanted(const struct fleet_node *n, const struct fleet_filter *f)
{
	char id[2 * STORE_NODE_ID + 1];
	const char *version = n->report.version[0] != 0 ? n->report.version : "unknown";

	text_hex(id, n->node.node, STORE_NODE_ID);
	return (f->state == NULL || strcmp(f->state, fleet_state_word(n->state)) == 0) &&
	       (f->street == NULL || is_street(n->street, f->street)) &&
	       (f->version == NULL || strcmp(f->version, version) == 0) &&
	       (f->backlog < 0 || n->lacking >= f->backlog) &&
	       (f->node == NULL || strncasecmp(id, f->node, strlen(f->node)) == 0);
}

/* Room for one more; the list moves. */
static int
grow(struct fleet *fleet, size_t *room, struct arena *a, struct err *err)
{
	struct fleet_node *list;

	if (fleet->count < *room)
		return 0;
	*room = *room == 0 ? FIRST_ROOM : *room * 2;
	list = arena_take(a, *room, sizeof *list);
	if (list == NULL)
		return no_memory(err);
	if (fleet->count > 0)
		memcpy(list, fleet->list, fleet->count * sizeof *list);
	fleet->list = list;
	return 0;
}

/* ---- all of them ---- */

static int
read_one(struct store_db *db, struct store_stmt *s, struct arena *a, struct fleet_node *n,
         struct err *err)
{
	struct store_value node = store_stmt_get_value(s);
	uint8_t id[STORE_NODE_ID] = { 0 };
	int rc;

	if (node.type == STORE_BLOB && node.len == sizeof id)
		memcpy(id, node.bytes, sizeof id);
	rc = hub_node_find(db, id, a, &n->node, err);
	if (rc == 0)
		rc = err_set(err, ERR_CORRUPT, "fleet: a node has no id");
	if (rc == 1)
		rc = read_place(s, a, n, err);
	if (rc == 0)
		read_seen(s, n);
	return rc;
}

static int
by_gravity(const void *a, const void *b)
{
	const struct fleet_node *x = a, *y = b;
	int64_t x_ms = x->met_ms, y_ms = y->met_ms;

	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	if ((x->causes & FLEET_ALARMS) != (y->causes & FLEET_ALARMS))
		return (x->causes & FLEET_ALARMS) > (y->causes & FLEET_ALARMS) ? -1 : 1;
	if (x_ms != y_ms)
		return x_ms < y_ms ? -1 : 1;
	return memcmp(x->node.node, y->node.node, STORE_NODE_ID);
}

static int
read_all(struct store_db *db, const struct fleet_filter *filter, int64_t now_ms, struct arena *a,
         struct fleet *out, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT n.node, coalesce(nullif(f.name, ''), p.name),"
	            " coalesce(nullif(f.subdistrict_code, ''), p.subdistrict_code),"
	            " coalesce(f.lat_e6, p.lat_e6), coalesce(f.lon_e6, p.lon_e6),"
	            " s.met_ms, s.lacking, s.digest, s.digest_ms, s.reported_ms, s.report"
	            " FROM hub_node n LEFT JOIN facility f ON f.facility_id = n.facility"
	            " LEFT JOIN facility_public p ON p.facility_id = n.facility"
	            " LEFT JOIN hub_seen s ON s.node = n.node");
	size_t room = 0;
	int rc = 0;

	while (rc == 0 && (rc = store_stmt_step(&s, err)) == 1) {
		struct fleet_node *n;

		rc = grow(out, &room, a, err);
		if (rc < 0)
			break;
		n = &out->list[out->count];
		*n = (struct fleet_node){ 0 };
		rc = read_one(db, &s, a, n, err);
		if (rc == 0)
			rc = sync_life_of(db, n->node.node, now_ms, &n->life, err);
		if (rc == 0) {
			fleet_judge(n, now_ms);
			out->count += is_wanted(n, filter);
		}
	}
	store_stmt_end(&s);
	return rc;
}

int
fleet_read(struct store_db *db, const struct fleet_filter *filter, int64_t now_ms, struct arena *a,
           struct fleet *out, struct err *err)
{
	bool own = !store_db_in_transaction(db);
	int rc = own ? store_db_begin(db, err) : 0;

	*out = (struct fleet){ 0 };
	if (rc == 0)
		rc = read_all(db, filter, now_ms, a, out, err);
	if (own)
		store_db_rollback(db); /* it has only read */
	if (rc < 0)
		return rc;
	if (out->count > 0)
		qsort(out->list, out->count, sizeof *out->list, by_gravity);
	for (size_t i = 0; i < out->count; i++)
		out->of_state[out->list[i].state]++;
	return 0;
}

/* The file may be one that a program of before made: then nobody has noted anything yet. */
int
fleet_differing(struct store_db *db, int64_t *count, struct err *err)
{
	struct store_stmt s;
	int64_t tables = 0;
	int rc = store_stmt_int(db,
	                        "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
	                        " AND name IN ('hub_node', 'hub_seen')",
	                        0, &tables, err);

	*count = 0;
	if (rc < 0 || tables < 2)
		return rc;
	s = store_stmt_new(db, "SELECT count(*) FROM hub_seen AS s JOIN hub_node AS n USING (node)"
	                       " WHERE s.digest = ? AND n.revoked_ms IS NULL");
	store_stmt_put_int(&s, SYNC_LEVEL_UNEQUAL);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		*count = store_stmt_get_int(&s);
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}
