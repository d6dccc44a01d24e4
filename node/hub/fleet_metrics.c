#include "node/hub/fleet_metrics.h"

#include "node/hub/fleet.h"
#include "node/metrics.h"

#include <inttypes.h>

static void
put_states(struct buf *out, const struct fleet *fleet)
{
	metrics_head(out, "yizhan_hub_nodes_state", "gauge", "Nodes by how they stand.");
	for (size_t i = 0; i < FLEET_STATES; i++)
		buf_printf(out, "yizhan_hub_nodes_state{state=\"%s\"} %zu\n",
		           fleet_state_word((enum fleet_state)i), fleet->of_state[i]);
}

static void
put_causes(struct buf *out, const struct fleet *fleet)
{
	metrics_head(out, "yizhan_hub_nodes_cause", "gauge",
	             "Nodes by what is the matter with them; one may count several times.");
	for (size_t i = 0; i < FLEET_CAUSES; i++) {
		size_t count = 0;

		for (size_t k = 0; k < fleet->count; k++)
			count += fleet->list[k].causes >> i & 1;
		buf_printf(out, "yizhan_hub_nodes_cause{cause=\"%s\"} %zu\n", fleet_cause_word(i),
		           count);
	}
}

/* Of the nodes that aren't revoked. */
static void
put_sums(struct buf *out, const struct fleet *fleet, int64_t now_ms)
{
	int64_t silent = 0;
	uint64_t lacking = 0;
	size_t untold = 0;

	for (size_t i = 0; i < fleet->count; i++) {
		const struct fleet_node *n = &fleet->list[i];
		int64_t since = n->met_ms > 0 ? n->met_ms : n->node.since_ms;

		if (n->state == FLEET_REVOKED)
			continue;
		if (now_ms - since > silent)
			silent = now_ms - since;
		lacking += n->lacking > 0 ? (uint64_t)n->lacking : 0;
		untold += n->reported_ms == 0;
	}
	metrics_head(out, "yizhan_hub_nodes_untold", "gauge",
	             "Nodes that have told nothing of themselves.");
	buf_printf(out, "yizhan_hub_nodes_untold %zu\n", untold);
	metrics_head(out, "yizhan_hub_backlog_records", "gauge",
	             "Records that nodes had and the hub lacked after their last exchanges.");
	buf_printf(out, "yizhan_hub_backlog_records %" PRIu64 "\n", lacking);
	metrics_head(out, "yizhan_hub_longest_silence_seconds", "gauge",
	             "Since the node that has been silent longest came, or was enrolled.");
	buf_printf(out, "yizhan_hub_longest_silence_seconds %" PRId64 "\n", silent / 1000);
}

int
fleet_metrics(struct buf *out, struct store_db *db, int64_t now_ms, struct err *err)
{
	struct fleet_filter all = { .backlog = -1 };
	struct arena a = { 0 };
	struct fleet fleet;
	int rc = fleet_read(db, &all, now_ms, &a, &fleet, err);

	if (rc == 0) {
		put_states(out, &fleet);
		put_causes(out, &fleet);
		put_sums(out, &fleet, now_ms);
	}
	arena_free(&a);
	return rc < 0 ? rc : buf_check(out, err);
}
