/* tests/sim/share.c - the hub's word about a child, edits of her, and who has her in the end. */
#include "tests/sim/share.h"
#include "node/facility/schema.h"
#include "store/base/text.h"
#include "store/share.h"
#include "store/stmt.h"
#include "store/stream.h"
#include "tests/sim/mould.h"
#include "tests/sim/rand.h"

#include <stdio.h>
#include <string.h>

enum { CHILDREN = 3 /* of a facility, the first ones by id */ };

/* ---- finding ---- */

/* The id of a facility's child number `n` in this file: 1, or 0. */
static int
find_child(struct store_db *db, const char *facility, unsigned n, uint8_t id[STORE_ID],
           struct err *err)
{
	struct store_stmt q = store_stmt_new(
	        db, "SELECT id FROM child WHERE facility_id = ? ORDER BY id LIMIT 1 OFFSET ?");
	size_t len = 0;
	int rc;

	store_stmt_put_text(&q, facility);
	store_stmt_put_int(&q, n);
	rc = store_stmt_step(&q, err);
	if (rc == 1) {
		const uint8_t *bytes = store_stmt_get_blob(&q, &len);

		if (len == STORE_ID)
			memcpy(id, bytes, STORE_ID);
	}
	store_stmt_end(&q);
	return rc < 0 ? rc : len == STORE_ID;
}

/* A facility that takes part. */
static unsigned
draw_place(const struct sim *s, uint64_t *x)
{
	unsigned i = sim_rand_below(x, SIM_PLACES);

	while ((s->plan->places >> i & 1) == 0)
		i = (i + 1) % SIM_PLACES;
	return i;
}

/* ---- saying ---- */

struct word {
	uint8_t id[STORE_ID];
	struct buf key; /* of the id, canonical */
	unsigned own, other;
	bool sees[2]; /* her own facility, and the other one */
};

static void
scope_of(unsigned place, char out[32])
{
	snprintf(out, 32, "f/%s", sim_mould_facility(place));
}

/* Who sees her now, as the hub has said. */
static int
read_word(struct store_db *db, struct word *w, struct err *err)
{
	struct store_share_line *list = NULL;
	struct arena a = { 0 };
	char scopes[2][32];
	size_t count = 0;
	int rc = store_share_lines(db, &a, &list, &count, err);

	scope_of(w->own, scopes[0]);
	scope_of(w->other, scopes[1]);
	w->sees[0] = true;
	for (size_t i = 0; rc == 0 && i < count; i++)
		for (int k = 0; k < 2; k++)
			if (list[i].key_len == w->key.len &&
			    memcmp(list[i].key, w->key.bytes, w->key.len) == 0 &&
			    strcmp(list[i].scope, scopes[k]) == 0)
				w->sees[k] = list[i].ended_ms == 0;
	arena_free(&a);
	return rc;
}

static int
say(struct sim_peer *hub, const struct word *w, unsigned which, bool ends, struct err *err)
{
	int64_t now = env_wall_ms(&hub->env);
	char scope[32];
	struct store_share_line line = { .table = "child",
		                         .key = w->key.bytes,
		                         .key_len = w->key.len,
		                         .scope = scope,
		                         .at_ms = now,
		                         .ended_ms = ends ? now : 0,
		                         .by = "sim" };

	scope_of(which == 0 ? w->own : w->other, scope);
	sim_tell(hub->sim, "hub: child %02x%02x of %s: %s %s", w->id[0], w->id[1],
	         sim_mould_facility(w->own), ends ? "left" : "seen in", scope);
	return store_share_say(hub->st.local, &line, err);
}

/* The other way round than it is for one of the two; but somebody sees her. */
static int
turn(struct sim_peer *hub, struct word *w, unsigned which, struct err *err)
{
	int rc = store_db_begin(hub->st.local, err);
	bool lonely = false;

	if (rc == 0)
		rc = read_word(hub->st.local, w, err);
	lonely = w->sees[which] && !w->sees[1 - which];
	if (rc == 0 && lonely)
		rc = say(hub, w, 1 - which, false, err);
	if (rc == 0)
		rc = say(hub, w, which, w->sees[which], err);
	if (rc == 0)
		rc = store_db_commit(hub->st.local, err);
	if (rc < 0)
		store_db_rollback(hub->st.local);
	return rc;
}

void
sim_share_say(struct sim *s, uint64_t *x)
{
	struct sim_peer *hub = &s->peers[0];
	struct word w = { .own = draw_place(s, x), .other = draw_place(s, x) };
	unsigned n = sim_rand_below(x, CHILDREN), which = sim_rand_happens(x, 350) ? 0 : 1;
	struct store_value v = { .type = STORE_BLOB, .bytes = w.id, .len = STORE_ID };
	struct err err;
	int rc;

	if (w.own == w.other)
		return;
	rc = find_child(hub->st.local, sim_mould_facility(w.own), n, w.id, &err);
	if (rc == 1) {
		store_value_write(&w.key, &v);
		rc = turn(hub, &w, which, &err);
	}
	buf_free(&w.key);
	sim_peer_bears(hub, rc, &err, "say who sees a child");
}

/* ---- writing ---- */

bool
sim_share_edit(struct sim_peer *p, struct store_db *db, uint64_t *x, char *sql, size_t size)
{
	const char *place =
	        sim_mould_facility(sim_rand_happens(x, 500) ? p->place : draw_place(p->sim, x));
	unsigned n = sim_rand_below(x, CHILDREN), number = sim_rand_below(x, 1000);
	uint8_t id[STORE_ID];
	char hex[2 * STORE_ID + 1];
	struct err err;

	if (find_child(db, place, n, id, &err) != 1)
		return false;
	text_hex(hex, id, STORE_ID);
	if (number % 4 == 0)
		snprintf(sql, size, "UPDATE child SET note = 'n%u' WHERE id = x'%s'", number, hex);
	else if (number % 4 == 1)
		snprintf(sql, size,
		         "INSERT INTO growth_measurement(facility_id, child_id, weight_g)"
		         " VALUES('%s', x'%s', %u)",
		         p->facility, hex, 9000 + number);
	else if (number % 4 == 2)
		snprintf(sql, size,
		         "INSERT INTO allergy(child_id, allergen_code, facility_id, severity)"
		         " VALUES(x'%s', 'a%u', '%s', %u)"
		         " ON CONFLICT DO UPDATE SET severity = excluded.severity",
		         hex, number % 3, p->facility, number);
	else
		snprintf(sql, size,
		         "DELETE FROM allergy WHERE child_id = x'%s' AND allergen_code = 'a%u'",
		         hex, number % 3);
	return true;
}

/* ---- looking ---- */

bool
sim_share_hangs(struct sim_peer *at, const char *table)
{
	struct store_stmt q = store_stmt_new(
	        at->st.local, "SELECT 1 FROM pragma_table_info(?) WHERE name = 'child_id'");
	struct err err;
	int rc;

	store_stmt_put_text(&q, table);
	rc = store_stmt_step(&q, &err);
	store_stmt_end(&q);
	return rc == 1 || strcmp(table, "child") == 0;
}

/* What the file has of her in one table, hashed. */
static int
hash_child(struct sim_peer *p, const char *table, const uint8_t *key, size_t len,
           uint8_t out[HASH_16], struct err *err)
{
	char sql[128];
	struct store_stmt q;
	struct hash h;
	int rc;

	snprintf(sql, sizeof sql, "SELECT * FROM %s WHERE %s = ? ORDER BY 1, 2", table,
	         strcmp(table, "child") == 0 ? "id" : "child_id");
	q = store_stmt_new(p->st.local, sql);
	hash_start(&h, HASH_16);
	store_stmt_put_blob(&q, key, len);
	while ((rc = store_stmt_step(&q, err)) == 1)
		for (int i = 0, columns = store_stmt_columns(&q); i < columns; i++) {
			struct store_value v = store_stmt_get_value(&q);
			struct buf bytes = { 0 };

			store_value_write(&bytes, &v);
			hash_add(&h, bytes.bytes, bytes.len);
			buf_free(&bytes);
		}
	store_stmt_end(&q);
	hash_end(&h, out);
	return rc;
}

/* The blob that a canonical key of one blob holds: it ends with it. */
static const uint8_t *
id_of(const struct store_share_line *line)
{
	return line->key + line->key_len - STORE_ID;
}

static void
compare_child(struct sim_peer *hub, struct sim_peer *p, const struct store_share_line *line)
{
	uint8_t here[HASH_16], there[HASH_16];
	struct err err;

	for (size_t i = 0; i < facility_table_count && !p->sim->result->failed; i++) {
		const char *table = facility_tables[i].table;
		int rc;

		if ((!p->sim->plan->whole && !sim_mould_has(table)) || !sim_share_hangs(hub, table))
			continue;
		rc = hash_child(p, table, id_of(line), STORE_ID, here, &err);
		if (rc == 0)
			rc = hash_child(hub, table, id_of(line), STORE_ID, there, &err);
		if (sim_must(p->sim, rc, &err, "read what is known of a child") &&
		    memcmp(here, there, HASH_16) != 0)
			sim_fail(p->sim,
			         "peer %u sees a child and has not what the hub has of her in %s",
			         p->no, table);
	}
}

void
sim_share_check(struct sim *s)
{
	struct sim_peer *hub = &s->peers[0];
	struct store_share_line *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	struct err err;
	int rc = store_share_lines(hub->st.local, &a, &list, &count, &err);

	for (size_t k = 0; rc == 0 && k < count; k++)
		for (unsigned i = 1; i < SIM_PEERS; i++) {
			struct sim_peer *p = &s->peers[i];

			if (!p->exists || list[k].key_len < STORE_ID ||
			    strcmp(list[k].scope + 2, p->facility) != 0)
				continue;
			if (list[k].ended_ms == 0)
				compare_child(hub, p, &list[k]);
			sim_count(s, list[k].ended_ms == 0 ? SIM_DID_SHARE : SIM_DID_LEAVE);
		}
	if (sim_share_passed_on(s) > 0)
		sim_count(s, SIM_DID_PASS_ON);
	arena_free(&a);
	sim_must(s, rc, &err, "read who sees whom");
}

uint64_t
sim_share_passed_on(struct sim *s)
{
	struct sim_peer *hub = &s->peers[0];
	struct store_stream *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	uint64_t records = 0;
	struct err err;
	int rc = store_stream_list(hub->st.merge, 0, &a, &list, &count, &err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (list[i].site == hub->st.node.r.self.id)
			records += list[i].n;
	arena_free(&a);
	sim_must(s, rc, &err, "count what the hub has passed on");
	return records;
}
