/*
 * The writing thread: whatever changes the databases happens here, one thing after
 * the other.
 */
#include "node/ctl.h"
#include "node/ctl_words.h"
#include "node/hub/follow.h"
#include "node/log.h"
#include "node/notify.h"
#include "node/run_priv.h"
#include "node/status.h"
#include "sync/archive/archive.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WATCH_AGAIN_MS = 5000 }; /* after a watch that failed */

/* ---- meetings ---- */

static void
answer_calls(struct daemon *d, const struct node_met *met)
{
	struct ctl_sync said = { .met = met };

	link_cost(d->link, &said.cost);
	for (size_t i = 0; i < d->call_count; i++) {
		struct buf line = { 0 };

		ctl_words_sync(&line, d->station.merge, &said);
		ctl_answer(d->calls[i], &line);
	}
	d->call_count = 0;
}

/* Once no meeting is on: what is under way is signed with the key that we have. */
static void
rotate(struct daemon *d)
{
	struct buf line = { 0 }, chain = { 0 };
	struct err err;
	int rc;

	if (d->rotate == NULL || d->station.node.meeting)
		return;
	rc = station_rotate(&d->station, &err);
	if (rc == 0)
		rc = identity_load_chain(d->options->dir, &chain, &err);
	if (rc == 0 && d->link != NULL)
		rc = link_show(d->link, &chain, &err);
	if (rc < 0)
		ctl_words_error(&line, &(struct ctl_error){ rc == ERR_INVALID ? "invalid" : "busy",
		                                            err.msg, "try again" });
	else
		ctl_words_ok(&line);
	ctl_answer(d->rotate, &line);
	d->rotate = NULL;
	buf_free(&chain);
}

/* Hear of news at once instead of at the next interval. */
static int
watch(struct daemon *d, struct err *err)
{
	struct store_remote hub;
	struct arena a = { 0 };
	int rc;

	if (d->watching || d->link == NULL || run_mono(d) < d->watch_after_ms ||
	    d->station.node.meeting || d->station.node.failures > 0)
		return 0;
	rc = store_remote_get(d->station.merge, "hub", &a, &hub, err);
	if (rc == 0 && hub.counter > 0) {
		rc = link_watch(d->link, hub.counter, err);
		d->watching = rc == 0;
	}
	arena_free(&a);
	return rc;
}

/*
 * What ends by itself doesn't end the daemon: a full disk, and a database that somebody else holds
 * for long.  What was tried is undone and has been answered for; it is tried again later.
 */
static int
outlive(struct daemon *d, int rc, const struct err *err)
{
	if (rc == ERR_FULL)
		room_met(&d->station.room, run_mono(d), err->msg);
	else if (rc == ERR_BUSY)
		log_line(LOG_LEVEL_WARN, "%s", err->msg);
	else
		return rc;
	return 0;
}

/*
 * A step that failed for such a reason, or for want of an anchor, without which nothing may be
 * sent: the meeting is lost, and the next step is not at once.  That it is lost may not find room
 * either; then only this process knows.
 */
static int
step_failed(struct daemon *d, int rc, struct node_effects *fx, struct err *err)
{
	struct err why = *err;
	struct node_event lost = { .type = NODE_EV_LOST, .words = why.msg };
	bool no_anchor = rc == ERR_IO && fx->anchor;

	if (no_anchor && !d->station.node.meeting)
		log_line(LOG_LEVEL_WARN, "%s", why.msg);
	rc = no_anchor ? 0 : outlive(d, rc, err);
	if (rc == 0 && d->station.node.meeting)
		rc = outlive(d, node_step(&d->station.node, &lost, fx, err), err);
	if (fx->wake_mono_ms < run_mono(d) + RUN_TICK_MS)
		fx->wake_mono_ms = run_mono(d) + RUN_TICK_MS;
	return rc;
}

static int
step(struct daemon *d, const struct node_event *ev, struct err *err)
{
	struct node_effects fx = { 0 };
	int rc = node_step(&d->station.node, ev, &fx, err);

	if (rc == 0)
		rc = station_do(&d->station, &fx, d->link, err);
	if (rc < 0)
		rc = step_failed(d, rc, &fx, err);
	d->wake_ms = fx.wake_mono_ms;
	if (rc == 0 && fx.met) {
		metrics_add(&d->station.metrics,
		            fx.meeting.ok ? METRIC_EXCHANGES_OK : METRIC_EXCHANGES_FAILED, 1);
		metrics_add(&d->station.metrics, METRIC_SENT, (uint64_t)fx.meeting.sent);
		metrics_add(&d->station.metrics, METRIC_RECEIVED, (uint64_t)fx.meeting.received);
		metrics_add(&d->station.metrics, METRIC_REJECTED, fx.meeting.rejected_count);
		if (!fx.meeting.ok)
			log_line(LOG_LEVEL_WARN, "sync: %s", fx.meeting.words);
		else
			station_met(&d->station, NULL);
		d->sated = d->sated || fx.meeting.sent > 0 || fx.meeting.received > 0;
		answer_calls(d, &fx.meeting);
	}
	node_effects_clear(&fx);
	rotate(d);
	return rc == 0 ? watch(d, err) : rc;
}

static int
take_reply(struct daemon *d, struct link_call *call, struct err *err)
{
	struct node_event ev;
	int rc = link_result(call, &ev, err);

	if (rc == 0)
		return 0; /* sent again */
	if (rc > 0 && call->watch) {
		d->watching = false;
		if (ev.type == NODE_EV_LOST)
			d->watch_after_ms = run_mono(d) + WATCH_AGAIN_MS;
		/* 204: nobody wrote anything; just ask again */
		rc = ev.type == NODE_EV_SYNC && call->reply->status == 200 ? step(d, &ev, err)
		                                                           : watch(d, err);
	} else if (rc > 0) {
		rc = step(d, &ev, err);
	}
	link_drop(call);
	return rc;
}

/* ---- control calls ---- */

/* The line is made when there is a hub: at the start, or after `enrol`. */
int
run_make_link(struct daemon *d, struct err *err)
{
	int rc = 0;

	if (d->link == NULL && !d->station.is_hub)
		rc = station_reload(&d->station, err);
	if (rc == 0 && d->link == NULL && d->station.node.has_hub)
		rc = station_link(&d->station, d->lanes[SERVE_WRITE], &d->link, err);
	return rc;
}

static const struct ctl_error *
why_no_sync(const struct daemon *d)
{
	static const struct ctl_error hub = { "invalid", "this is the hub: nodes come to it",
		                              "sync at a facility's node" };
	static const struct ctl_error alone = {
		"invalid", "this node is not enrolled at a hub",
		"get a code at the hub and run: yizhan enrol CODE URL"
	};
	static const struct ctl_error many = { "busy", "too many callers wait already",
		                               "try again" };

	return d->station.is_hub ? &hub : d->link == NULL ? &alone : &many;
}

static int
call_sync(struct daemon *d, struct ctl_call *call, struct err *err)
{
	struct node_event ev = { .type = NODE_EV_SYNC };
	struct buf line = { 0 };
	int rc = run_make_link(d, err);

	if (rc < 0)
		return rc;
	if (d->link == NULL || d->call_count == RUN_CALLS) {
		ctl_words_error(&line, why_no_sync(d));
		ctl_answer(call, &line);
		return 0;
	}
	d->calls[d->call_count++] = call;
	return d->station.node.meeting ? 0 : step(d, &ev, err);
}

/* A failure costs nothing but time, so it is only told. */
static void
archive(struct daemon *d, struct buf *line)
{
	struct sync_archive_result result;
	struct err err;
	int rc = station_archive(&d->station, &result, &err);

	if (rc < 0)
		log_line(LOG_LEVEL_WARN, "archive: %s", err.msg);
	if (line != NULL && rc < 0)
		ctl_words_error(line, &(struct ctl_error){
		                              "busy", err.msg,
		                              "nothing is lost; the next round makes up for it" });
	else if (line != NULL)
		ctl_words_archive(line, &result);
}

/* A disk that is full, or a program that holds the database, doesn't end the daemon: then the hour
 * begins now. */
static int64_t
archive_wait(struct daemon *d)
{
	int64_t wait = NODE_HOUSE_MS;
	struct err err;

	if (station_archive_wait(&d->station, &wait, &err) < 0)
		log_line(LOG_LEVEL_WARN, "archive: %s", err.msg);
	return wait;
}

static int
take_call(struct daemon *d, struct ctl_call *call, struct err *err)
{
	struct buf line = { 0 };
	enum ctl_do what = ctl_words_read(ctl_line(call));

	if (what == CTL_DO_SYNC)
		return call_sync(d, call, err);
	if (what == CTL_DO_RELOAD) {
		int rc = run_make_link(d, err);

		ctl_words_ok(&line);
		ctl_answer(call, &line);
		return rc;
	}
	if (what == CTL_DO_ROTATE && d->rotate == NULL) {
		int rc = run_make_link(d, err);

		d->rotate = call;
		rotate(d);
		return rc;
	}
	if (what == CTL_DO_ARCHIVE)
		archive(d, &line);
	else
		ctl_words_error(&line,
		                &(struct ctl_error){ "invalid", "the daemon doesn't know this call",
		                                     "use the yizhan of the same version" });
	ctl_answer(call, &line);
	return 0;
}

/* ---- the loop ---- */

static int
take_item(struct daemon *d, struct queue_item *item, struct err *err)
{
	struct node_event ev = { .type = NODE_EV_TICK };
	bool wrote = false;
	int rc;

	switch (item->kind) {
	case QUEUE_HTTP:
		rc = serve_write(&d->station, &d->writer, item->what, &wrote, err);
		return rc == 0 && wrote ? step(d, &ev, err) : rc;
	case QUEUE_CTL:
		return take_call(d, item->what, err);
	case QUEUE_REPLY:
		return take_reply(d, item->what, err);
	case QUEUE_EVENT:
		break;
	}
	return 0;
}

/* After a real turn of this thread, not by a timer. */
static void
feed_watchdog(struct daemon *d)
{
	int every = notify_watchdog_ms();

	if (every > 0 && run_mono(d) - d->fed_ms >= every) {
		d->fed_ms = run_mono(d);
		notify_send("WATCHDOG=1");
	}
}

/* Once each time that it has grown. */
static void
tell_large_log(struct daemon *d)
{
	int64_t bytes = node_status_log_bytes(d->options->dir);
	bool large = bytes >= NODE_LOG_LARGE;

	if (large && !d->large_log)
		log_line(LOG_LEVEL_WARN,
		         "the database's log has grown to %lld MB: a program that reads doesn't "
		         "end, close it",
		         (long long)(bytes / 1000000));
	d->large_log = large;
}

/* After a meeting a node is small again: it shares its machine with whatever else the facility
 * runs there.  A hub is never idle for long, and its machine is its own. */
static void
slim(struct daemon *d)
{
	if (!d->sated || d->station.node.meeting)
		return;
	d->sated = false;
	store_db_slim(d->station.local);
	store_db_slim(d->station.merge);
	malloc_trim(0);
}

/* What was merged or sealed in this turn is committed. */
static void
tell_followers(struct daemon *d)
{
	if (d->station.fed)
		follow_grown(d->reader.follow);
	d->station.fed = false;
}

/* How long may the writer sleep?  At most a tick. */
static int
sleep_ms(struct daemon *d)
{
	int64_t wait = d->wake_ms - run_mono(d);

	if (wait < 0)
		return 0;
	return wait > RUN_TICK_MS ? RUN_TICK_MS : (int)wait;
}

static int
take_tick(struct daemon *d, struct err *err)
{
	struct node_event tick = { .type = NODE_EV_TICK };
	int rc;

	if (d->station.is_hub) {
		station_publish(&d->station);
		station_note_uses(&d->station, false);
	}
	rc = step(d, &tick, err);
	slim(d);
	tell_large_log(d);
	room_look(&d->station.room, run_mono(d));
	return rc;
}

int
run_write(struct daemon *d, const volatile sig_atomic_t *stop, struct err *err)
{
	int64_t ticked = 0, archive_at = run_mono(d) + archive_wait(d);
	int rc = 0;

	while (rc == 0 && *stop == 0) {
		struct queue_item *item = queue_take(d->lanes[SERVE_WRITE], sleep_ms(d));

		if (item != NULL)
			rc = outlive(d, take_item(d, item, err), err);
		if (rc == 0 && (item == NULL || run_mono(d) - ticked >= RUN_TICK_MS)) {
			rc = take_tick(d, err);
			ticked = run_mono(d);
		}
		if (rc == 0 && run_mono(d) >= archive_at) {
			archive(d, NULL);
			archive_at = run_mono(d) + NODE_HOUSE_MS;
		}
		tell_followers(d);
		feed_watchdog(d);
	}
	if (rc == 0 && d->station.is_hub)
		station_note_uses(&d->station, true);
	return rc;
}
