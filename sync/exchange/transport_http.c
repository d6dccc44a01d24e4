/*
 * One thread runs a curl multi handle; others leave requests in a list and wake
 * it.  A struct job belongs to whoever made it until it is in the list, and to
 * the thread from then on.
 *
 * Bytes are counted by curl's debug callback, which sees each head and body as
 * it goes over the line (before TLS): what `noop_sync_bytes` and a facility's
 * bill for data are about.
 *
 * A body that ends with the connection (neither Content-Length nor chunks)
 * can't be told from one that was cut, so it is refused; our hub never sends
 * one.
 */
#include "sync/exchange/transport_http.h"
#include "sync/exchange/transport_http_priv.h"

#include "store/base/env.h"

#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_MS = 20000,
	QUIET_S = 60,
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void
init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---------------------------------------------------------------- the thread */

static void
remove_running(struct transport *t, struct job *job)
{
	struct job **at = &t->running;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	curl_multi_remove_handle(t->multi, job->easy);
}

/* Start what others have left for us. */
static void
start_new(struct transport *t)
{
	struct job *job;

	pthread_mutex_lock(&t->lock);
	job = t->new_jobs;
	t->new_jobs = NULL;
	pthread_mutex_unlock(&t->lock);
	while (job != NULL) {
		struct job *next = job->next;

		if (job->reply->code == TRANSPORT_OK &&
		    curl_multi_add_handle(t->multi, job->easy) != CURLM_OK)
			transport_why(job->reply, TRANSPORT_REFUSED, "the HTTP library refused");
		if (job->reply->code == TRANSPORT_OK) {
			job->next = t->running;
			t->running = job;
		} else {
			transport_deliver(job);
		}
		job = next;
	}
}

static void
finish(struct transport *t, CURL *easy, CURLcode status)
{
	struct job *job;
	long http = 0;
	curl_off_t after = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &job);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &http);
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &after);
	job->reply->status = (int)http;
	job->reply->retry_after_s = after > 86400 ? 86400 : (int)after;
	if (status == CURLE_OK)
		transport_judge(job);
	else
		transport_explain(job, status);
	remove_running(t, job);
	transport_deliver(job);
}

static void
stop_all(struct transport *t)
{
	start_new(t);
	while (t->running != NULL) {
		struct job *job = t->running;

		remove_running(t, job);
		transport_why(job->reply, TRANSPORT_STOPPED, "stopped");
		transport_deliver(job);
	}
}

static void *
run(void *ctx)
{
	struct transport *t = ctx;
	const CURLMsg *msg;
	int count;

	while (!atomic_load(&t->stop)) {
		start_new(t);
		curl_multi_perform(t->multi, &count);
		while ((msg = curl_multi_info_read(t->multi, &count)) != NULL)
			if (msg->msg == CURLMSG_DONE)
				finish(t, msg->easy_handle, msg->data.result);
		curl_multi_poll(t->multi, NULL, 0, t->running == NULL ? 3600000 : 1000, NULL);
	}
	stop_all(t);
	return NULL;
}

/* ---------------------------------------------------------------- the door */

static void
free_transport(struct transport *t)
{
	if (t->multi != NULL)
		curl_multi_cleanup(t->multi);
	pthread_mutex_destroy(&t->lock);
	free(t->pin);
	free(t->ca_file);
	free(t);
}

/* Our own copies of what the caller gave, with the defaults filled in. */
static bool
take_options(struct transport *t, const struct transport_options *options)
{
	t->options = *options;
	t->pin = options->pin == NULL ? NULL : strdup(options->pin);
	t->ca_file = options->ca_file == NULL ? NULL : strdup(options->ca_file);
	t->options.pin = t->pin;
	t->options.ca_file = t->ca_file;
	if (t->options.connect_ms <= 0)
		t->options.connect_ms = CONNECT_MS;
	if (t->options.quiet_s <= 0)
		t->options.quiet_s = QUIET_S;
	if (t->options.max_reply == 0)
		t->options.max_reply = TRANSPORT_REPLY_MAX;
	return (options->pin == NULL) == (t->pin == NULL) &&
	       (options->ca_file == NULL) == (t->ca_file == NULL);
}

int
transport_new(const struct transport_options *options,
              void (*done)(void *ctx, void *tag, struct transport_reply *reply), void *ctx,
              struct transport **out, struct err *err)
{
	struct transport *t = calloc(1, sizeof *t);

	pthread_once(&curl_once, init_curl);
	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	pthread_mutex_init(&t->lock, NULL);
	t->done = done;
	t->ctx = ctx;
	t->multi = curl_multi_init();
	if (!take_options(t, options) || t->multi == NULL) {
		free_transport(t);
		return err_set(err, ERR_NOMEM, "out of memory");
	}
	if (pthread_create(&t->thread, NULL, run, t) != 0) {
		free_transport(t);
		return err_set(err, ERR_IO, "no thread for the transport");
	}
	*out = t;
	return 0;
}

void
transport_free(struct transport *t)
{
	if (t == NULL)
		return;
	atomic_store(&t->stop, true);
	curl_multi_wakeup(t->multi);
	pthread_join(t->thread, NULL);
	free_transport(t);
}

static int
send_job(struct transport *t, const struct transport_request *request, struct waiter *waiter,
         struct err *err)
{
	struct job *job = transport_job(t, request);

	if (job == NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	job->waiter = waiter;
	pthread_mutex_lock(&t->lock);
	job->next = t->new_jobs;
	t->new_jobs = job;
	pthread_mutex_unlock(&t->lock);
	curl_multi_wakeup(t->multi);
	return 0;
}

int
transport_send(struct transport *t, const struct transport_request *request, struct err *err)
{
	return send_job(t, request, NULL, err);
}

int
transport_call(struct transport *t, const struct transport_request *request,
               struct transport_reply **reply, struct err *err)
{
	struct waiter waiter = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL };
	int rc = send_job(t, request, &waiter, err);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&waiter.lock);
	while (waiter.reply == NULL)
		pthread_cond_wait(&waiter.came, &waiter.lock);
	pthread_mutex_unlock(&waiter.lock);
	*reply = waiter.reply;
	return 0;
}
