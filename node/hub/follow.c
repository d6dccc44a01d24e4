#include "node/hub/follow.h"
#include "node/hub/token_use.h"

#include "store/base/text.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEP_MS = 250 }; /* between two looks at who has waited long enough */

struct follower {
	struct http_exchange *x; /* ours while it is parked */
	char token[TOKEN_ID];
	char since[FEED_CURSOR];
	char scope[STORE_SCOPE_MAX + 1]; /* that it reads; "" for all */
	int64_t limit, timeout_ms, until_ms;
	bool events, parked, due;
	atomic_bool gone; /* the client has left: any thread says so, we free it */
};

struct follow {
	struct follow_options is;
	struct follower **list;
	size_t count, cap;
	size_t at, unseen; /* where the round goes on, and how many it has yet to look at */
	int64_t seq;       /* the feed as far as we have looked who it concerns */
	int64_t swept_ms;
	bool look;
	struct queue_item news;
	atomic_bool told; /* `news` is in the queue */
};

struct follow *
follow_new(const struct follow_options *options)
{
	struct follow *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->is = *options;
	f->news.kind = QUEUE_EVENT;
	f->look = true;
	return f;
}

size_t
follow_count(const struct follow *f)
{
	return f->count;
}

static int64_t
now(const struct follow *f)
{
	return env_mono_ms(f->is.env);
}

static void
forget(struct follow *f, size_t at)
{
	free(f->list[at]);
	f->list[at] = f->list[--f->count];
}

/* http_stream()'s `drop`. */
static void
mark_gone(void *state)
{
	atomic_store(&((struct follower *)state)->gone, true);
}

/* ---------------------------------------------------------------- who may wait */

/* How many of this token do. */
static size_t
waiting_of(const struct follow *f, const char *token)
{
	size_t same = 0;

	for (size_t i = 0; i < f->count; i++)
		same += strcmp(f->list[i]->token, token) == 0;
	return same;
}

/* How many more of this token's may wait, for clients that read it (the IETF's RateLimit fields).
 * `t` is when to look again: nobody knows when one ends. */
static void
tell_left(struct http_response *response, size_t waiting)
{
	size_t left = waiting < FOLLOW_PER_TOKEN ? FOLLOW_PER_TOKEN - waiting : 0;

	http_field(response, "RateLimit-Policy", "\"waiting\";q=%d;qu=\"concurrent-requests\"",
	           FOLLOW_PER_TOKEN);
	if (left > 0)
		http_field(response, "RateLimit", "\"waiting\";r=%zu", left);
	else
		http_field(response, "RateLimit", "\"waiting\";r=0;t=%d", FOLLOW_AGAIN_S);
}

/* 0, or the status that says why not; with words. */
static int
refusal(const struct follow *f, size_t same, struct err *why)
{
	if (same >= FOLLOW_PER_TOKEN) {
		err_set(why, ERR_BUSY,
		        "this token has %d requests waiting, as many as one may have: end some, or "
		        "read with feed=normal",
		        FOLLOW_PER_TOKEN);
		return 429;
	}
	if (f->count >= f->is.most) {
		err_set(why, ERR_BUSY,
		        "%zu requests wait here, as many as this hub's connections and open files "
		        "(ulimit -n) allow: read with feed=normal",
		        f->count);
		return 503;
	}
	return 0;
}

static struct follower *
add(struct follow *f, const struct changes_asked *asked, struct http_exchange *x)
{
	struct follower *w = calloc(1, sizeof *w);

	if (w != NULL && f->count == f->cap) {
		size_t cap = f->cap * 2 + 64;
		struct follower **list = realloc(f->list, cap * sizeof(struct follower *));

		if (list == NULL) {
			free(w);
			return NULL;
		}
		f->list = list;
		f->cap = cap;
	}
	if (w == NULL)
		return NULL;
	w->x = x;
	w->limit = asked->limit;
	w->timeout_ms = asked->timeout_ms;
	w->events = asked->feed == CHANGES_EVENTSOURCE;
	text_copy(w->token, sizeof w->token, asked->token.id);
	if (asked->scope[0] != 0)
		text_copy(w->scope, sizeof w->scope, asked->scope);
	else if (strcmp(asked->token.scope, "all") != 0)
		text_copy(w->scope, sizeof w->scope, asked->token.scope);
	f->list[f->count++] = w;
	return w;
}

/* ---------------------------------------------------------------- the first page */

/* Nothing to tell yet: it waits. */
static void
park(struct follow *f, struct follower *w, const char *next)
{
	text_copy(w->since, sizeof w->since, next);
	w->until_ms = now(f) + (w->events ? FOLLOW_BEAT_MS : w->timeout_ms);
	w->parked = true;
	w->due = false;
}

static void
begin_stream(struct follower *w, struct http_response *response, const char *next)
{
	struct buf first = { 0 };

	buf_printf(&first, "retry: %d\n\n", FOLLOW_RETRY_MS);
	buf_put(&first, response->body.bytes, response->body.len);
	first.bad |= response->body.bad;
	buf_free(&response->body);
	response->body = first;
	text_copy(w->since, sizeof w->since, next);
	http_stream(w->x, response, w, mark_gone);
}

/* The first page is there; it waits for more if it is to. */
static void
go_on(struct follow *f, struct http_exchange *x, const struct changes_asked *asked,
      struct http_response *response, const struct feed_end *end)
{
	bool events = asked->feed == CHANGES_EVENTSOURCE;
	struct follower *w;
	struct err why;
	size_t same;
	int status;

	if (!events && (asked->feed == CHANGES_NORMAL || end->lines > 0 || end->more)) {
		http_answer(x, response);
		return;
	}
	same = waiting_of(f, asked->token.id);
	status = refusal(f, same, &why);
	w = status == 0 ? add(f, asked, x) : NULL;
	if (w == NULL) {
		buf_clear(&response->fields);
		http_problem_body(response, status == 0 ? 503 : status,
		                  status == 0 ? "there is no memory for it now" : why.msg);
		http_field(response, "Retry-After", "%d", FOLLOW_AGAIN_S);
		if (status == 429)
			tell_left(response, same);
		http_answer(x, response);
	} else if (events) {
		tell_left(response, same + 1);
		begin_stream(w, response, end->next);
	} else {
		buf_free(&response->body);
		buf_free(&response->fields);
		park(f, w, end->next);
	}
}

void
follow_serve(struct follow *f, struct http_exchange *x)
{
	struct changes_request request = {
		.query = http_request(x)->query,
		.authorization = http_header(x, "Authorization"),
		.last_event_id = http_header(x, "Last-Event-ID"),
	};
	struct http_response response = { 0 };
	struct changes_asked asked;
	struct feed_end end;
	struct err err;

	metrics_add(f->is.metrics, METRIC_FEED_PAGES, 1);
	if (f->count == 0 && feed_last(f->is.db, &f->seq, &err) < 0)
		f->seq = 0;
	if (strcmp(http_request(x)->method, "HEAD") == 0)
		api_changes_get(f->is.db, &request, env_wall_ms(f->is.env), &response);
	else if (api_changes_ask(f->is.db, &request, env_wall_ms(f->is.env), &asked, &response) ==
	                 0 &&
	         api_changes_page(f->is.db, &asked, &response, &end) == 0) {
		go_on(f, x, &asked, &response, &end);
		return;
	}
	http_answer(x, &response);
}

/* ---------------------------------------------------------------- the next ones */

/* What it asked for, as its token may read it now. */
static int
ask_again(const struct follow *f, const struct follower *w, struct changes_asked *asked,
          struct http_response *response)
{
	struct err err;
	int rc;

	*asked = (struct changes_asked){ .limit = w->limit, .timeout_ms = w->timeout_ms };
	asked->feed = w->events ? CHANGES_EVENTSOURCE : CHANGES_LONGPOLL;
	text_copy(asked->since, sizeof asked->since, w->since);
	text_copy(asked->scope, sizeof asked->scope, w->scope);
	rc = token_again(f->is.db, w->token, env_wall_ms(f->is.env), &asked->token, &err);
	if (rc == 1) {
		token_use_note(w->token, env_wall_ms(f->is.env));
		return 0;
	}
	http_problem_body(response, rc == 0 ? 401 : http_status_of(rc),
	                  rc == 0 ? "this token is no longer valid" : err.msg);
	return ERR_DENIED;
}

/* It is a stream's turn to get the page, or to end. */
static void
feed_stream(struct follow *f, struct follower *w, struct http_response *response,
            const struct feed_end *end)
{
	w->parked = false;
	if (response->status != 200) {
		http_stream_end(w->x);
	} else {
		metrics_add(f->is.metrics, METRIC_FEED_PAGES, 1);
		text_copy(w->since, sizeof w->since, end->next);
		http_stream_put(w->x, &response->body);
	}
	buf_free(&response->body);
	buf_free(&response->fields);
}

/* Look for the page that follows: give it, or wait on.  `now_or_never`: also an empty one.  True if
 * `w` is no longer in need of us, a long-poll that was answered. */
static bool
serve(struct follow *f, struct follower *w, bool now_or_never)
{
	struct http_response response = { 0 };
	struct changes_asked asked;
	struct feed_end end = { 0 };
	bool refused = ask_again(f, w, &asked, &response) < 0 ||
	               api_changes_page(f->is.db, &asked, &response, &end) < 0;

	w->due = false;
	if (!refused && end.lines == 0 && !end.more && !now_or_never) {
		text_copy(w->since, sizeof w->since, end.next);
		buf_free(&response.body);
		buf_free(&response.fields);
		return false;
	}
	if (w->events) {
		feed_stream(f, w, &response, &end);
		return false;
	}
	if (!refused)
		metrics_add(f->is.metrics, METRIC_FEED_PAGES, 1);
	http_answer(w->x, &response);
	return true;
}

void
follow_again(struct follow *f, struct http_exchange *x)
{
	struct follower *w = http_stream_state(x);

	park(f, w, w->since);
	serve(f, w, false);
}

/* ---------------------------------------------------------------- news */

void
follow_grown(struct follow *f)
{
	if (!atomic_exchange(&f->told, true) && !queue_put(f->is.lane, &f->news, 0))
		atomic_store(&f->told, false); /* this is stopping */
}

void
follow_news(struct follow *f)
{
	atomic_store(&f->told, false);
	f->look = true;
}

/* feed_scopes()'s `tell`. */
static void
mark_due(void *ctx, const char *scope)
{
	struct follow *f = ctx;

	for (size_t i = 0; i < f->count; i++)
		if (f->list[i]->scope[0] == 0 || strcmp(f->list[i]->scope, scope) == 0)
			f->list[i]->due = true;
	f->unseen = f->count;
}

/* Whose time is over gets an empty page, which is a comment for a stream; what is gone goes. */
static void
sweep(struct follow *f)
{
	size_t before = f->count;

	for (size_t i = f->count; i-- > 0;) {
		struct follower *w = f->list[i];

		if (atomic_load(&w->gone) ||
		    (w->parked && w->until_ms <= now(f) && serve(f, w, true)))
			forget(f, i);
	}
	if (f->count != before && f->unseen > 0)
		f->unseen = f->count; /* the last ones have moved forward */
}

/* Look at one of the round: true if that took a page. */
static bool
look_at(struct follow *f)
{
	struct follower *w;

	f->at = f->at < f->count ? f->at : 0;
	w = f->list[f->at];
	if (!w->parked || !w->due) {
		f->at++;
		return false;
	}
	if (serve(f, w, false))
		forget(f, f->at); /* another one is here now */
	else
		f->at++;
	return true;
}

/* Some of those that are due. */
static void
serve_due(struct follow *f)
{
	for (int left = FOLLOW_BATCH; left > 0 && f->unseen > 0 && f->count > 0; f->unseen--)
		left -= look_at(f);
	if (f->count == 0)
		f->unseen = 0;
}

bool
follow_turn(struct follow *f)
{
	struct err err;

	if (f->look && f->count > 0)
		f->look = feed_scopes(f->is.db, &f->seq, mark_due, f, &err) < 0;
	serve_due(f);
	if (now(f) - f->swept_ms >= SWEEP_MS) {
		f->swept_ms = now(f);
		f->look = true; /* should ever a word of the writer's be lost */
		sweep(f);
	}
	return f->unseen > 0;
}

/* ---------------------------------------------------------------- the end */

void
follow_end(struct follow *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->count; i++) {
		struct follower *w = f->list[i];

		if (!w->parked)
			continue;
		w->parked = false;
		if (w->events)
			http_stream_end(w->x);
		else
			http_problem(w->x, 503,
			             "this service is stopping; go on from the same cursor");
	}
}

void
follow_free(struct follow *f)
{
	if (f == NULL)
		return;
	while (f->count > 0)
		forget(f, f->count - 1);
	free(f->list);
	free(f);
}
