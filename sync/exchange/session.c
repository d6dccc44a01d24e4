#include "sync/exchange/session.h"

#include <assert.h>

/* next[state][event]; IDLE (0) means refuse, which is safe because nothing leads back to it but a
 * new meeting. */
static const enum sync_state next[SYNC_STATE_COUNT][SYNC_EVENT_COUNT] = {
	[SYNC_IDLE] = { [SYNC_EV_ASK] = SYNC_ASKED, [SYNC_EV_LOST] = SYNC_FAILED },
	[SYNC_ASKED] = { [SYNC_EV_REPLY] = SYNC_TAKING, [SYNC_EV_LOST] = SYNC_FAILED },
	[SYNC_TAKING] = { [SYNC_EV_MORE] = SYNC_IDLE,
	                  [SYNC_EV_ALL] = SYNC_DONE,
	                  [SYNC_EV_LOST] = SYNC_FAILED },
	[SYNC_DONE] = { [SYNC_EV_ASK] = SYNC_ASKED },
	[SYNC_FAILED] = { [SYNC_EV_ASK] = SYNC_ASKED },
};

int
sync_session_step(enum sync_state *state, enum sync_event event)
{
	enum sync_state to;

	assert(*state < SYNC_STATE_COUNT && event < SYNC_EVENT_COUNT);
	to = next[*state][event];
	if (to == SYNC_IDLE && event != SYNC_EV_MORE)
		return -1;
	if (event == SYNC_EV_MORE && *state != SYNC_TAKING)
		return -1;
	*state = to;
	return (int)to;
}

/* No default: the compiler names the state that someone forgot. */
const char *
sync_state_name(enum sync_state state)
{
	assert(state < SYNC_STATE_COUNT);
	switch (state) {
	case SYNC_IDLE:
		return "idle";
	case SYNC_ASKED:
		return "asked";
	case SYNC_TAKING:
		return "taking";
	case SYNC_DONE:
		return "done";
	case SYNC_FAILED:
		return "failed";
	case SYNC_STATE_COUNT:
		break;
	}
	return "?";
}
