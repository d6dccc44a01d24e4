#include "sync/exchange/plan.h"

#include <assert.h>

enum sync_plan_have
sync_plan_compare(uint64_t n, uint64_t has, enum sync_plan_same same)
{
	if (same != SYNC_SAME_YES)
		return same == SYNC_SAME_NO ? SYNC_HAVE_APART : SYNC_HAVE_UNTOLD;
	return has == n ? SYNC_HAVE_LEVEL : has < n ? SYNC_HAVE_BEHIND : SYNC_HAVE_AHEAD;
}

/* step[peer][have], as in the header. */
static const enum sync_plan_step step[SYNC_PEER_COUNT][SYNC_HAVE_COUNT] = {
	[SYNC_PEER_WRITES] = { [SYNC_HAVE_LEVEL] = SYNC_PLAN_SAY,
	                       [SYNC_HAVE_BEHIND] = SYNC_PLAN_SAY,
	                       [SYNC_HAVE_AHEAD] = SYNC_PLAN_SAY,
	                       [SYNC_HAVE_APART] = SYNC_PLAN_FORK,
	                       [SYNC_HAVE_UNTOLD] = SYNC_PLAN_SAY },
	[SYNC_PEER_WROTE] = { [SYNC_HAVE_LEVEL] = SYNC_PLAN_SAY,
	                      [SYNC_HAVE_BEHIND] = SYNC_PLAN_SEND,
	                      [SYNC_HAVE_AHEAD] = SYNC_PLAN_SAY,
	                      [SYNC_HAVE_APART] = SYNC_PLAN_FORK,
	                      [SYNC_HAVE_UNTOLD] = SYNC_PLAN_SAY },
	[SYNC_PEER_READS] = { [SYNC_HAVE_LEVEL] = SYNC_PLAN_NOTHING,
	                      [SYNC_HAVE_BEHIND] = SYNC_PLAN_SEND,
	                      [SYNC_HAVE_AHEAD] = SYNC_PLAN_SAY,
	                      [SYNC_HAVE_APART] = SYNC_PLAN_FORK,
	                      [SYNC_HAVE_UNTOLD] = SYNC_PLAN_SAY },
};

enum sync_plan_step
sync_plan_step(enum sync_plan_peer peer, enum sync_plan_have have)
{
	assert(peer < SYNC_PEER_COUNT && have < SYNC_HAVE_COUNT);
	return step[peer][have];
}
