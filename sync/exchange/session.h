/*
 * sync/exchange/session.h - one meeting with the hub, without any I/O: what may follow
 * what.
 *
 *           ASK             REPLY            ALL
 *   IDLE ---------> ASKED ---------> TAKING -------> DONE
 *     ^                                |
 *     +-------------- MORE ------------+
 *
 *   LOST leads from any of the first three to FAILED; ASK leads from DONE and FAILED to ASKED
 * again.
 *
 * FAILED costs nothing but time: cursors move only on a proven reply, so the
 * next meeting starts from the last place that both sides have on disk.
 */
#ifndef SYNC_SESSION_H
#define SYNC_SESSION_H

enum sync_state { SYNC_IDLE, SYNC_ASKED, SYNC_TAKING, SYNC_DONE, SYNC_FAILED, SYNC_STATE_COUNT };

enum sync_event {
	SYNC_EV_ASK,   /* a request has left */
	SYNC_EV_REPLY, /* its reply came */
	SYNC_EV_MORE,  /* it was taken and there is more, here or there */
	SYNC_EV_ALL,   /* it was taken and nothing is left */
	SYNC_EV_LOST,  /* no reply, or none that proves itself */
	SYNC_EVENT_COUNT,
};

/* The state after `event`, or -1 if that may not happen now. */
int sync_session_step(enum sync_state *state, enum sync_event event);

/* One lower-case word, for traces and messages. */
const char *sync_state_name(enum sync_state state);

#endif /* SYNC_SESSION_H */
