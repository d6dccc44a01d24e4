#include "node/run.h"
#include "node/ctl.h"
#include "node/hub/follow.h"
#include "node/hub/watch.h"
#include "node/log.h"
#include "node/notify.h"
#include "node/run_priv.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	FILES = 8192,
	FILES_KEPT = 64,
	STOP_GRACE_MS = 3000,
};

static volatile sig_atomic_t stop_signal;

static void
on_signal(int signal)
{
	stop_signal = signal;
}

/* ---- the other threads ---- */

static void *
reading_thread(void *ctx)
{
	struct daemon *d = ctx;
	bool more = false;

	while (!queue_closed(d->lanes[SERVE_READ])) {
		struct queue_item *item = queue_take(d->lanes[SERVE_READ], more ? 0 : RUN_TICK_MS);

		if (item != NULL && item->kind == QUEUE_HTTP)
			serve_read(&d->reader, item->what);
		else if (item != NULL)
			follow_news(d->reader.follow);
		if (d->station.watch != NULL)
			watch_tick(d->station.watch, run_mono(d));
		more = d->reader.follow != NULL && follow_turn(d->reader.follow);
	}
	return NULL;
}

static void *
offering_thread(void *ctx)
{
	struct daemon *d = ctx;

	while (!queue_closed(d->lanes[SERVE_OFFERS])) {
		struct http_exchange *x = http_take(d->lanes[SERVE_OFFERS], RUN_TICK_MS);

		if (x != NULL)
			offers_serve(&d->offers, x);
		offers_tick(&d->offers, run_mono(d));
	}
	return NULL;
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
		rc = run_make_link(d, err);
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
		rc = run_write(d, &stop_signal, err);
	}
	stop(d);
	free(d);
	return rc;
}
