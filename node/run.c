#include "node/run.h"
#include "node/config.h"
#include "node/ctl.h"
#include "node/ctl_words.h"
#include "node/hub/follow.h"
#include "node/hub/offers.h"
#include "node/hub/watch.h"
#include "node/link.h"
#include "node/log.h"
#include "node/notify.h"
#include "node/serve.h"
#include "node/status.h"
#include "sync/archive/archive.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	TICK_MS = 1000, /* the longest sleep of the writing thread */
	FILES = 8192,
	FILES_KEPT = 64,
	STOP_GRACE_MS = 3000,
	WATCH_AGAIN_MS = 5000, /* after a watch that failed */
	CALLS = 32,
};

struct daemon {
	const struct run_options *options;
	struct station station;
	struct config config;
	struct queue *lanes[SERVE_LANES];
	struct http_server *server;
	struct ctl *ctl;
	struct link *link;
	struct reader reader; /* the reading thread's */
	struct reader writer; /* what serve_write needs of one: nonces and form token */
	struct offers offers; /* the third thread's, at a hub */
	atomic_bool stopping; /* ends what that one is at */
	pthread_t reading, offering;
	bool reading_runs, offering_runs;
	uint8_t secret[32];
	unsigned connections;          /* that the server may hold */
	struct ctl_call *calls[CALLS]; /* that wait for the meeting to end */
	size_t call_count;
	bool watching, large_log;
	int64_t watch_after_ms, wake_ms, fed_ms;
};

static volatile sig_atomic_t stop_signal;

static void
on_signal(int signal)
{
	stop_signal = signal;
}

static int64_t
mono(const struct daemon *d)
{
	return env_mono_ms(d->options->env);
}

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

/* Hear of news at once instead of at the next interval. */
static int
watch(struct daemon *d, struct err *err)
{
	struct store_remote hub;
	struct arena a = { 0 };
	int rc;

	if (d->watching || d->link == NULL || mono(d) < d->watch_after_ms ||
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
		room_met(&d->station.room, mono(d), err->msg);
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
	if (fx->wake_mono_ms < mono(d) + TICK_MS)
		fx->wake_mono_ms = mono(d) + TICK_MS;
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
			station_seats(&d->station, NULL);
		answer_calls(d, &fx.meeting);
	}
	node_effects_clear(&fx);
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
			d->watch_after_ms = mono(d) + WATCH_AGAIN_MS;
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
static int
make_link(struct daemon *d, struct err *err)
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
	int rc = make_link(d, err);

	if (rc < 0)
		return rc;
	if (d->link == NULL || d->call_count == CALLS) {
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
		int rc = make_link(d, err);

		ctl_words_ok(&line);
		ctl_answer(call, &line);
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

/* ---- the two loops ---- */

static void *
reading_thread(void *ctx)
{
	struct daemon *d = ctx;
	bool more = false;

	while (!queue_closed(d->lanes[SERVE_READ])) {
		struct queue_item *item = queue_take(d->lanes[SERVE_READ], more ? 0 : TICK_MS);

		if (item != NULL && item->kind == QUEUE_HTTP)
			serve_read(&d->reader, item->what);
		else if (item != NULL)
			follow_news(d->reader.follow);
		if (d->station.watch != NULL)
			watch_tick(d->station.watch, mono(d));
		more = d->reader.follow != NULL && follow_turn(d->reader.follow);
	}
	return NULL;
}

static void *
offering_thread(void *ctx)
{
	struct daemon *d = ctx;

	while (!queue_closed(d->lanes[SERVE_OFFERS])) {
		struct http_exchange *x = http_take(d->lanes[SERVE_OFFERS], TICK_MS);

		if (x != NULL)
			offers_serve(&d->offers, x);
		offers_tick(&d->offers, mono(d));
	}
	return NULL;
}

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

	if (every > 0 && mono(d) - d->fed_ms >= every) {
		d->fed_ms = mono(d);
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
	int64_t wait = d->wake_ms - mono(d);

	if (wait < 0)
		return 0;
	return wait > TICK_MS ? TICK_MS : (int)wait;
}

static int
write_loop(struct daemon *d, struct err *err)
{
	struct node_event tick = { .type = NODE_EV_TICK };
	int64_t ticked = 0, archive_at = mono(d) + archive_wait(d);
	int rc = 0;

	while (rc == 0 && stop_signal == 0) {
		struct queue_item *item = queue_take(d->lanes[SERVE_WRITE], sleep_ms(d));

		if (item != NULL)
			rc = outlive(d, take_item(d, item, err), err);
		if (rc == 0 && (item == NULL || mono(d) - ticked >= TICK_MS)) {
			if (d->station.is_hub)
				station_publish(&d->station);
			rc = step(d, &tick, err);
			ticked = mono(d);
			tell_large_log(d);
			room_look(&d->station.room, mono(d));
		}
		if (rc == 0 && mono(d) >= archive_at) {
			archive(d, NULL);
			archive_at = mono(d) + NODE_HOUSE_MS;
		}
		tell_followers(d);
		feed_watchdog(d);
	}
	return rc;
}

/* ---- start and stop ---- */

static struct http_route
route(void *ctx, const char *method, const char *path)
{
	struct daemon *d = ctx;

	return serve_route(d->station.is_hub, method, path, d->lanes);
}

static void
answered(void *ctx, int status)
{
	metrics_http(&((struct daemon *)ctx)->station.metrics, status);
}

/* How many connections may the server hold?  Databases, archive, control calls and our own line to
 * the hub are to find a file when strangers hold all of those. */
static unsigned
raise_files(void)
{
	struct rlimit limit;
	rlim_t spare;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return HTTP_CONNECTIONS;
	if (limit.rlim_cur < FILES) {
		limit.rlim_cur = limit.rlim_max < FILES ? limit.rlim_max : FILES;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	spare = limit.rlim_cur / 2 > FILES_KEPT ? limit.rlim_cur - FILES_KEPT : limit.rlim_cur / 4;
	return spare < HTTP_CONNECTIONS ? (unsigned)spare : HTTP_CONNECTIONS;
}

static void
catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	stop_signal = 0;
	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

static int
start_thread(pthread_t *thread, void *(*run)(void *), struct daemon *d, bool *runs, struct err *err)
{
	*runs = pthread_create(thread, NULL, run, d) == 0;
	return *runs ? 0 : err_set(err, ERR_NOMEM, "can't start a thread");
}

static int
start_listening(struct daemon *d, struct err *err)
{
	struct http_options http = {
		.listen = d->options->listen != NULL ? d->options->listen : d->config.listen,
		.hosts = d->config.hosts,
		.connections = d->connections,
		.route = route,
		.answered = answered,
		.ctx = d,
	};
	char path[IDENTITY_PATH_MAX];
	int rc = http_start(&http, &d->server, err);

	if (rc == 0)
		rc = identity_path(path, d->options->dir, "ctl", err);
	if (rc == 0)
		rc = ctl_start(path, d->lanes[SERVE_WRITE], &d->ctl, err);
	if (rc == 0)
		rc = start_thread(&d->reading, reading_thread, d, &d->reading_runs, err);
	if (rc == 0 && d->station.is_hub)
		rc = start_thread(&d->offering, offering_thread, d, &d->offering_runs, err);
	return rc;
}

static int
make_queues(struct daemon *d, struct err *err)
{
	bool good = true;

	for (int i = 0; i < SERVE_LANES; i++) {
		d->lanes[i] = queue_new();
		good &= d->lanes[i] != NULL;
	}
	d->station.watch = d->station.is_hub ? watch_new() : NULL;
	good &= !d->station.is_hub || d->station.watch != NULL;
	return good ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

/* Half of the connections are for those who follow the feed, half for nodes and everybody else. */
static int
make_follow(struct daemon *d, struct err *err)
{
	struct follow_options options = {
		.db = d->reader.db,
		.env = d->options->env,
		.metrics = &d->station.metrics,
		.lane = d->lanes[SERVE_READ],
		.most = d->connections / 2,
	};

	d->reader.follow = follow_new(&options);
	return d->reader.follow != NULL ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

static int
start(struct daemon *d, struct err *err)
{
	int rc = config_load(d->options->dir, &d->config, err);

	if (rc == 0)
		rc = station_open(d->options->dir, d->options->env, &d->station, err);
	if (rc < 0)
		return rc;
	env_rand(d->options->env, d->secret, sizeof d->secret);
	rc = make_queues(d, err);
	if (rc == 0)
		rc = reader_open(&d->reader, &d->station, d->secret, err);
	if (rc == 0 && d->station.is_hub)
		rc = make_follow(d, err);
	if (rc == 0 && d->station.is_hub)
		rc = offers_open(&d->offers, &d->station, &d->stopping, err);
	if (rc == 0) {
		d->writer = d->reader;
		rc = make_link(d, err);
	}
	return rc == 0 ? start_listening(d, err) : rc;
}

static void
drop_items(struct queue *q)
{
	struct queue_item *item;

	while (q != NULL && (item = queue_take(q, 0)) != NULL)
		if (item->kind == QUEUE_REPLY)
			link_drop(item->what);
		else if (item->kind == QUEUE_HTTP && http_stream_state(item->what) != NULL)
			http_stream_end(item->what);
		else if (item->kind == QUEUE_HTTP)
			http_problem(item->what, 503, "this node is stopping; try again");
}

static void
stop(struct daemon *d)
{
	notify_send("STOPPING=1");
	atomic_store(&d->stopping, true);
	for (int i = 0; i < SERVE_LANES; i++)
		if (d->lanes[i] != NULL)
			queue_close(d->lanes[i]);
	if (d->reading_runs)
		pthread_join(d->reading, NULL);
	if (d->offering_runs)
		pthread_join(d->offering, NULL);
	for (int i = 0; i < SERVE_LANES; i++)
		drop_items(d->lanes[i]);
	watch_free(d->station.watch);
	d->station.watch = NULL;
	follow_end(d->reader.follow);
	http_stop(d->server, STOP_GRACE_MS);
	follow_free(d->reader.follow);
	d->reader.follow = NULL;
	ctl_stop(d->ctl);
	link_free(d->link);
	drop_items(d->lanes[SERVE_WRITE]);
	reader_close(&d->reader);
	offers_close(&d->offers);
	station_close(&d->station);
	for (int i = 0; i < SERVE_LANES; i++)
		queue_free(d->lanes[i]);
}

int
run_daemon(const struct run_options *options, struct err *err)
{
	struct daemon *d = calloc(1, sizeof *d);
	int rc;

	if (d == NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	d->options = options;
	d->station.lock_fd = -1;
	d->connections = raise_files();
	catch_signals();
	rc = start(d, err);
	if (rc == 0) {
		if (options->ready != NULL)
			options->ready(options->ctx, http_address(d->server));
		notify_send("READY=1");
		rc = write_loop(d, err);
	}
	stop(d);
	free(d);
	return rc;
}
