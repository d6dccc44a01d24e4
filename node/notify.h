/*
 * node/notify.h - telling systemd that we are ready, alive, stopping: the
 * protocol of sd_notify(3), which is one datagram.
 */
#ifndef NODE_NOTIFY_H
#define NODE_NOTIFY_H

/* Send a state, "READY=1" or "STATUS=...".  Does nothing when not started by systemd; failing is no
 * reason to stop. */
void notify_send(const char *state);

/* How often "WATCHDOG=1" is wanted, half of what systemd asks for; 0 if it doesn't. */
int notify_watchdog_ms(void);

#endif /* NODE_NOTIFY_H */
