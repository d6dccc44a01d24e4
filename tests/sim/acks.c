/* tests/sim/acks.c - Jepsen's set-full: an acknowledged element may never be missing. */
#include "tests/sim/acks.h"
#include "store/base/text.h"
#include "store/stmt.h"
#include "tests/sim/share.h"
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

void
sim_acks_add(struct sim *s, const struct sim_peer *p, const char *table, const uint8_t id[STORE_ID])
{
	struct sim_acks *acks = &s->acks;
	struct sim_ack *ack;

	if (acks->count == acks->room) {
		acks->room = acks->room * 2 + 256;
		acks->list = realloc(acks->list, acks->room * sizeof *acks->list);
		if (acks->list == NULL)
			abort();
	}
	ack = &acks->list[acks->count++];
	*ack = (struct sim_ack){ .peer = p->no, .table = table };
	memcpy(ack->id, id, STORE_ID);
	s->result->taps++;
}

static bool
is_there(struct sim *s, const struct sim_ack *ack, struct sim_peer *at)
{
	char sql[96];
	struct store_stmt stmt;
	struct err err;
	int rc;

	snprintf(sql, sizeof sql, "SELECT 1 FROM %s WHERE id = ?", ack->table);
	stmt = store_stmt_new(at->st.local, sql);
	store_stmt_put_blob(&stmt, ack->id, STORE_ID);
	rc = store_stmt_step(&stmt, &err);
	store_stmt_end(&stmt);
	return sim_must(s, rc < 0 ? rc : 0, &err, "look for an acknowledged row") && rc == 1;
}

/* A child who has left took it along; the hub has it. */
static bool
may_have_left(struct sim *s, const struct sim_ack *ack, struct sim_peer *at)
{
	return s->plan->has[SIM_SHARE] && !at->is_hub && sim_share_hangs(at, ack->table);
}

void
sim_acks_check(struct sim *s, const struct sim_peer *by, struct sim_peer *at)
{
	char hex[2 * STORE_ID + 1];

	for (size_t i = 0; i < s->acks.count && !s->result->failed; i++) {
		const struct sim_ack *ack = &s->acks.list[i];

		if (ack->peer != by->no || may_have_left(s, ack, at) || is_there(s, ack, at))
			continue;
		text_hex(hex, ack->id, STORE_ID);
		sim_fail(s, "lost: row %s of %s was acknowledged at peer %u and is not at peer %u",
		         hex, ack->table, by->no, at->no);
	}
}

/* Will it come back to `by`, also without `p`?  From the hub, or, what the hub had, from any node.
 */
static bool
is_elsewhere(struct sim *s, const struct sim_ack *ack, const struct sim_peer *p)
{
	const struct sim_peer *by = &s->peers[ack->peer];
	bool there = by != p && !by->restored;

	for (unsigned i = 0; !there && i < SIM_PEERS; i++) {
		struct sim_peer *at = &s->peers[i];

		if (at != p && at->open && (by->is_hub || at->is_hub || at == by))
			there = is_there(s, ack, at);
	}
	return there;
}

void
sim_acks_forgive(struct sim *s, const struct sim_peer *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->acks.count; i++)
		if (is_elsewhere(s, &s->acks.list[i], p))
			s->acks.list[kept++] = s->acks.list[i];
	s->acks.count = kept;
}

void
sim_acks_free(struct sim_acks *acks)
{
	free(acks->list);
	*acks = (struct sim_acks){ 0 };
}
