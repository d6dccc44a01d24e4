#include "cli/load.h"
#include "cli/progress.h"
#include "node/station.h"
#include "node/status.h"
#include "store/base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	NAP_MS = 20,
	PROBE_MS = 500,
	PROBE_LIMIT_MS = 60000,
	STACK_BYTES = 1 << 20,
};

/* What the threads of a drain share. */
struct herd {
	struct load *l;
	pthread_barrier_t gate; /* passed twice: every installation is open; the clock runs */
	int64_t begun_ms, until_ms;
	pthread_mutex_t lock; /* of progress */
	struct progress progress;
	atomic_bool over; /* for the one that asks how the hub is */
};

struct comer {
	struct herd *herd;
	struct load_node *node;
	pthread_t thread;
};

static int64_t
mono(void)
{
	return env_mono_ms(env_real());
}

static void
add_cost(struct link_cost *sum, const struct link_cost *more)
{
	sum->bytes_out += more->bytes_out;
	sum->bytes_in += more->bytes_in;
	sum->round_trips += more->round_trips;
	sum->took_ms += more->took_ms;
	sum->busy += more->busy;
	sum->refused += more->refused;
	sum->lost += more->lost;
}

/* Has the hub everything, and does it say of every scope what we say? */
static int
look(struct station *st, bool *level, struct err *err)
{
	struct node_status status;
	struct arena a = { 0 };
	int rc = node_status_read(st->merge, NULL, &a, &status, err);

	*level = rc == 0 && node_status_state(&status) == NODE_IN_SYNC;
	arena_free(&a);
	return rc;
}

/* Wait as the node's own rules say after this meeting. */
static void
pause_node(const struct herd *h, const struct station *st, const struct node_met *met)
{
	while (!met->ok && mono() < st->node.next_sync_mono_ms && mono() < h->until_ms &&
	       !h->l->stopped())
		usleep(NAP_MS * 1000);
}

static int
drain(struct herd *h, struct load_node *n, struct station *st, struct err *err)
{
	struct node_met met = { 0 };
	bool level = false;
	int rc = 0;

	while (rc == 0 && !level && mono() < h->until_ms && !h->l->stopped()) {
		struct link_cost cost;

		rc = station_sync(st, &met, &cost, err);
		if (rc == 0)
			add_cost(&n->cost, &cost);
		if (rc == 0 && met.denied)
			rc = err_set(err, ERR_DENIED, "%s", met.words);
		if (rc == 0)
			rc = look(st, &level, err);
		if (rc == 0 && !level)
			pause_node(h, st, &met);
	}
	if (rc == 0 && level)
		n->drained_ms = mono() - h->begun_ms;
	else if (rc == 0)
		rc = err_set(err, ERR_BUSY, "not everything went up in time%s%s",
		             met.words[0] != 0 ? ": " : "", met.words);
	return rc;
}

static void *
come(void *ctx)
{
	struct comer *c = ctx;
	struct load_node *n = c->node;
	struct station st;
	int rc = station_open(n->dir, env_real(), &st, &n->err);

	pthread_barrier_wait(&c->herd->gate); /* all are here */
	pthread_barrier_wait(&c->herd->gate); /* the clock runs */
	if (rc == 0) {
		rc = drain(c->herd, n, &st, &n->err);
		station_close(&st);
	}
	if (rc == 0)
		n->err = (struct err){ 0 };
	pthread_mutex_lock(&c->herd->lock);
	progress_step(&c->herd->progress);
	pthread_mutex_unlock(&c->herd->lock);
	return NULL;
}

/* ---- how is the hub meanwhile? ---- */

static void
unused(void *ctx, void *tag, struct transport_reply *reply)
{
	(void)ctx;
	(void)tag;
	transport_reply_free(reply);
}

static void
probe(struct load *l, struct transport *t)
{
	char base[96];
	struct transport_request request = {
		.method = "GET", .base = base, .path = "/healthz", .timeout_ms = PROBE_LIMIT_MS
	};
	struct transport_reply *reply = NULL;
	int64_t before = mono(), took;
	struct err err;

	snprintf(base, sizeof base, "http://%s", l->address);
	l->asked++;
	if (transport_call(t, &request, &reply, &err) < 0 || reply->code != TRANSPORT_OK ||
	    reply->status != 200)
		l->unanswered++;
	took = mono() - before;
	if (took > l->slowest_answer_ms)
		l->slowest_answer_ms = took;
	transport_reply_free(reply);
}

static void *
ask_how_it_is(void *ctx)
{
	struct herd *h = ctx;
	struct transport *t = NULL;
	struct err err;

	if (transport_new(&(struct transport_options){ 0 }, unused, NULL, &t, &err) < 0)
		return NULL;
	while (!atomic_load(&h->over)) {
		probe(h->l, t);
		usleep(PROBE_MS * 1000);
	}
	transport_free(t);
	return NULL;
}

/* VmHWM, the most memory that the process ever had. */
static int64_t
peak_kib(pid_t pid)
{
	char path[64], line[128];
	long long kib = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtoll(line + 6, NULL, 10);
	fclose(f);
	return kib;
}

/* ---- all at once ---- */

static int
send_all(struct herd *h, struct comer *comers, int64_t limit_ms, struct err *err)
{
	struct load *l = h->l;
	pthread_attr_t attr;
	size_t come_count = 0;
	int rc = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (; rc == 0 && come_count < l->count; come_count += rc == 0) {
		comers[come_count] = (struct comer){ .herd = h, .node = &l->nodes[come_count] };
		if (pthread_create(&comers[come_count].thread, &attr, come, &comers[come_count]) !=
		    0)
			rc = err_set(
			        err, ERR_NOMEM,
			        "this machine gives no more than %zu threads; take fewer nodes",
			        come_count);
	}
	pthread_attr_destroy(&attr);
	if (rc < 0)
		return rc; /* those that wait at the gate end with the process */
	pthread_barrier_wait(&h->gate);
	h->begun_ms = mono();
	h->until_ms = h->begun_ms + limit_ms;
	pthread_barrier_wait(&h->gate);
	for (size_t i = 0; i < l->count; i++)
		pthread_join(comers[i].thread, NULL);
	l->took_ms = mono() - h->begun_ms;
	return 0;
}

int
load_drain(struct load *l, int64_t limit_ms, struct err *err)
{
	struct comer *comers = calloc(l->count, sizeof *comers);
	struct herd h = { .l = l, .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t asking;
	bool asked;
	int rc = 0;

	if (comers == NULL)
		return err_set(err, ERR_NOMEM, "load: out of memory");
	pthread_barrier_init(&h.gate, NULL, (unsigned)l->count + 1);
	h.progress = progress_begin("nodes drained", (int64_t)l->count);
	asked = pthread_create(&asking, NULL, ask_how_it_is, &h) == 0;
	rc = send_all(&h, comers, limit_ms, err);
	atomic_store(&h.over, true);
	if (asked)
		pthread_join(asking, NULL);
	if (rc < 0)
		return rc;
	l->hub_peak_kib = peak_kib(l->hub);
	progress_end(&h.progress);
	pthread_barrier_destroy(&h.gate);
	pthread_mutex_destroy(&h.lock);
	free(comers);
	return 0;
}

int
load_level(struct load *l, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->count && !l->stopped(); i++) {
		struct load_node *n = &l->nodes[i];
		struct node_met met = { 0 };
		struct link_cost cost;
		struct station st;

		if (n->drained_ms < 0)
			continue;
		rc = station_open(n->dir, env_real(), &st, err);
		if (rc < 0)
			break;
		rc = station_sync(&st, &met, &cost, err);
		if (rc == 0)
			rc = look(&st, &n->level, err);
		station_close(&st);
	}
	return rc;
}
