/*
 * sync/exchange/transport_http_priv.h - a request on its way: transport_http_job.c makes
 * it, and says what became of it; the thread of transport_http.c sees it through.
 */
#ifndef SYNC_TRANSPORT_HTTP_PRIV_H
#define SYNC_TRANSPORT_HTTP_PRIV_H

#include "sync/exchange/transport_http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct job {
	struct job *next;
	struct transport *t;
	CURL *easy;
	struct curl_slist *headers;
	struct buf body;
	struct transport_reply *reply;
	void *tag;
	struct waiter *waiter; /* for transport_call(), else NULL */
	int64_t begun_ms;
	bool delimited; /* the reply says where its body ends */
	bool html;
	bool too_large;
	char what[CURL_ERROR_SIZE];
};

/* Who waits in transport_call(). */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t came;
	struct transport_reply *reply;
};

struct transport {
	struct transport_options options;
	char *pin, *ca_file;
	void (*done)(void *ctx, void *tag, struct transport_reply *reply);
	void *ctx;
	CURLM *multi;
	pthread_t thread;
	pthread_mutex_t lock; /* guards new_jobs */
	struct job *new_jobs; /* newest first */
	struct job *running;  /* the thread's */
	atomic_bool stop;
};

/* Say what became of it, and a sentence without a full stop. */
void transport_why(struct transport_reply *reply, enum transport_code code, const char *why);

/* Turn curl's code into ours and a sentence. */
void transport_explain(struct job *job, CURLcode status);

/* A complete reply: is it one that a hub could have sent?  If not, its code says so. */
void transport_judge(struct job *job);

/* Give the reply to whoever waits for it; the job is gone. */
void transport_deliver(struct job *job);

/* A job from a request, whose body it takes over; one that may not be sent has its reply's code set
 * already.  NULL: no memory. */
struct job *transport_job(struct transport *t, const struct transport_request *request);

#endif /* SYNC_TRANSPORT_HTTP_PRIV_H */
