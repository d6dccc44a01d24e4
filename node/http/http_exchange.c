/*
 * node/http/http_exchange.c - what the taker of an exchange does with it, but for
 * the answer itself; and answers that come in pieces.
 *
 * A stream goes to and fro like a request: the I/O thread sends the piece, parks
 * the connection when there is no more of it, and puts the exchange back into its
 * lane.  So nobody waits for a slow reader, no piece is asked for before the last
 * one has left, and one that is idle costs no thread and no turn of the loop.
 */
#include "node/http/http_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct http_exchange *
http_take(struct queue *lane, int timeout_ms)
{
	struct queue_item *item = queue_take(lane, timeout_ms);

	if (item == NULL)
		return NULL;
	assert(item->kind == QUEUE_HTTP);
	return item->what;
}

const struct http_request *
http_request(const struct http_exchange *x)
{
	return &x->request;
}

const char *
http_header(const struct http_exchange *x, const char *name)
{
	return guard_field(&x->head, name);
}

/* ---------------------------------------------------------------- streams */

void
http_stream(struct http_exchange *x, struct http_response *response, void *state,
            void (*drop)(void *state))
{
	struct http_stream *stream = calloc(1, sizeof *stream);

	if (stream == NULL || response->body.bad) {
		free(stream);
		drop(state);
		http_problem_body(response, 503, "there is no memory for a stream now");
		http_answer(x, response);
		return;
	}
	*stream = (struct http_stream){ .piece = response->body, .state = state, .drop = drop };
	response->body = (struct buf){ 0 };
	x->stream = stream;
	http_answer(x, response);
}

void *
http_stream_state(const struct http_exchange *x)
{
	return x->stream == NULL ? NULL : x->stream->state;
}

void
http_stream_put(struct http_exchange *x, struct buf *piece)
{
	assert(x->stream != NULL && piece->len > 0);
	x->stream->ends |= piece->bad;
	buf_free(&x->stream->piece);
	x->stream->piece = *piece;
	x->stream->sent = 0;
	*piece = (struct buf){ 0 };
	http_unpark(x, PIECE);
}

void
http_stream_end(struct http_exchange *x)
{
	assert(x->stream != NULL);
	x->stream->ends = true;
	http_unpark(x, PIECE);
}

/* Back to its taker, with nothing left to send. */
static void
give_back(struct http_exchange *x)
{
	buf_free(&x->stream->piece);
	x->stream->sent = 0;
	http_park(x);
	if (queue_put(x->route.lane, &x->item, 0))
		return;
	x->stream->ends = true; /* nobody takes any more: this is stopping */
	http_unpark(x, PIECE);
}

ssize_t
http_stream_read(struct http_exchange *x, char *out, size_t size)
{
	struct http_stream *stream = x->stream;
	size_t left = stream->piece.len - stream->sent;

	if (atomic_load(&x->phase) == PIECE) {
		atomic_store(&x->phase, ANSWERED);
		x->conn->since_ms = http_now_ms();
		x->conn->moved = stream->piece.len;
	}
	if (left == 0 && stream->ends)
		return -1;
	if (left == 0) {
		give_back(x);
		return 0;
	}
	if (left > size)
		left = size;
	memcpy(out, stream->piece.bytes + stream->sent, left);
	stream->sent += left;
	return (ssize_t)left;
}

void
http_stream_free(struct http_exchange *x)
{
	if (x->stream == NULL)
		return;
	x->stream->drop(x->stream->state);
	buf_free(&x->stream->piece);
	free(x->stream);
	x->stream = NULL;
}
