#include "sync/exchange/message.h"

#include <string.h>

enum { FORMAT = 1, FLAG_MORE = 1, CLOCK_BITS = 48 };

static const char receipt_tag[] = "yizhan-receipt-1";

static void
put_sites(struct buf *out, const struct sync_message *m)
{
	buf_varint(out, m->site_count);
	for (size_t i = 0; i < m->site_count; i++) {
		buf_put(out, &m->sites[i].site, sizeof m->sites[i].site);
		buf_u8(out, m->sites[i].has_key);
		if (m->sites[i].has_key)
			buf_put(out, m->sites[i].key, SYNC_PUBLIC_KEY);
	}
	buf_varint(out, m->scope_count);
	for (size_t i = 0; i < m->scope_count; i++)
		buf_lenbytes(out, m->scopes[i], strlen(m->scopes[i]));
}

void
sync_message_write_part1(struct buf *out, const struct sync_message *m)
{
	buf_u8(out, FORMAT);
	buf_u8(out, m->more ? FLAG_MORE : 0);
	buf_put(out, &m->self, sizeof m->self);
	buf_put(out, m->peer_epoch, STORE_EPOCH);
	buf_zigzag(out, m->now_ms);
	buf_varint(out, m->counter);
	put_sites(out, m);
	buf_varint(out, m->stream_count);
	for (size_t i = 0; i < m->stream_count; i++) {
		buf_varint(out, m->streams[i].site);
		buf_varint(out, m->streams[i].scope);
		buf_varint(out, m->streams[i].n);
		buf_put(out, m->streams[i].head, SYNC_HEAD_SHORT);
	}
	buf_varint(out, m->digest_count);
	for (size_t i = 0; i < m->digest_count; i++) {
		buf_varint(out, m->digests[i].scope);
		buf_put(out, m->digests[i].sum, STORE_TERM);
		buf_varint(out, m->digests[i].rows);
	}
	buf_varint(out, m->note_count);
	for (size_t i = 0; i < m->note_count; i++) {
		buf_varint(out, m->notes[i].stream);
		buf_varint(out, m->notes[i].n);
		buf_lenbytes(out, m->notes[i].reason, strlen(m->notes[i].reason));
	}
}

static void
put_place(struct buf *out, const struct store_place *place)
{
	buf_lenbytes(out, place->table, strlen(place->table));
	buf_lenbytes(out, place->key, place->key_len);
}

/* Of either only one side has any; in steady state neither. */
static void
put_questions(struct buf *out, const struct sync_message *m)
{
	if (m->question_count > 0)
		buf_varint(out, m->question_count);
	for (size_t i = 0; i < m->question_count; i++) {
		buf_varint(out, m->questions[i].scope);
		buf_u8(out, m->questions[i].anew);
		put_place(out, &m->questions[i].range.from);
		put_place(out, &m->questions[i].range.until);
	}
	if (m->answer_count > 0)
		buf_varint(out, m->answer_count);
	for (size_t i = 0; i < m->answer_count; i++) {
		buf_varint(out, m->answers[i].rows);
		buf_put(out, m->answers[i].sum, STORE_TERM);
	}
}

void
sync_message_write_part2(struct buf *out, const struct sync_message *m)
{
	buf_varint(out, m->segment_count);
	for (size_t i = 0; i < m->segment_count; i++) {
		buf_varint(out, m->segments[i].stream);
		buf_varint(out, m->segments[i].n);
		buf_lenbytes(out, m->segments[i].bytes, m->segments[i].len);
	}
	put_questions(out, m);
}

static void
signed_hash(const uint8_t asked[HASH_32], const uint8_t *part1, size_t len, uint8_t out[HASH_32])
{
	struct hash h;

	hash_start(&h, HASH_32);
	hash_add(&h, receipt_tag, sizeof receipt_tag - 1);
	hash_add(&h, asked, HASH_32);
	hash_add(&h, part1, len);
	hash_end(&h, out);
}

void
sync_message_sign(const struct sync_key *key, const uint8_t asked[HASH_32], const uint8_t *part1,
                  size_t len, uint8_t signature[STORE_SIGNATURE])
{
	uint8_t hash[HASH_32];

	signed_hash(asked, part1, len, hash);
	sync_sign(key, hash, sizeof hash, signature);
}

bool
sync_message_proven(const struct sync_message *m, const uint8_t asked[HASH_32],
                    const uint8_t key[SYNC_PUBLIC_KEY])
{
	uint8_t hash[HASH_32];

	signed_hash(asked, m->part1, m->part1_len, hash);
	return sync_verify(key, hash, sizeof hash, m->signature);
}

/* ---- reading ---- */

struct reading {
	struct rd r;
	struct arena *arena;
	bool spent; /* the arena: not the message's fault */
};

/* A count of things of at least `least` bytes each: more can't be there. */
static size_t
read_count(struct rd *r, size_t least)
{
	uint64_t count = rd_varint(r);

	if (count > r->left / least || count > SYNC_MESSAGE_STREAMS)
		r->bad = true;
	return r->bad ? 0 : (size_t)count;
}

/* What came of taking room from the arena. */
static void *
taken(struct reading *in, void *p)
{
	if (p == NULL)
		in->r.bad = in->spent = true;
	return p;
}

static void *
take(struct reading *in, size_t count, size_t size)
{
	return taken(in, arena_take(in->arena, count, size));
}

static unsigned
read_index(struct rd *r, size_t count)
{
	uint64_t i = rd_varint(r);

	if (i >= count)
		r->bad = true;
	return r->bad ? 0 : (unsigned)i;
}

static void
copy_bytes(struct rd *r, void *out, size_t len)
{
	const uint8_t *bytes = rd_bytes(r, len);

	if (bytes != NULL)
		memcpy(out, bytes, len);
}

static const char *
read_text(struct reading *in, size_t max)
{
	size_t len;
	const uint8_t *bytes = rd_lenbytes(&in->r, &len);

	if (in->r.bad || len > max || memchr(bytes, 0, len) != NULL) {
		in->r.bad = true;
		return "";
	}
	return taken(in, arena_copy(in->arena, bytes, len));
}

static void
read_names(struct reading *in, struct sync_message *m)
{
	struct rd *r = &in->r;

	m->site_count = read_count(r, sizeof(struct sync_site) + 1);
	m->sites = take(in, m->site_count, sizeof *m->sites);
	for (size_t i = 0; !r->bad && i < m->site_count; i++) {
		uint8_t has_key;

		copy_bytes(r, &m->sites[i].site, sizeof m->sites[i].site);
		has_key = rd_u8(r);
		m->sites[i].has_key = has_key == 1;
		if (has_key > 1)
			r->bad = true;
		if (has_key == 1)
			copy_bytes(r, m->sites[i].key, SYNC_PUBLIC_KEY);
	}
	m->scope_count = read_count(r, 1);
	m->scopes = take(in, m->scope_count, sizeof(char *));
	for (size_t i = 0; !r->bad && i < m->scope_count; i++)
		m->scopes[i] = read_text(in, STORE_SCOPE_MAX);
}

static void
read_views(struct reading *in, struct sync_message *m)
{
	struct rd *r = &in->r;

	m->stream_count = read_count(r, 3 + SYNC_HEAD_SHORT);
	m->streams = take(in, m->stream_count, sizeof *m->streams);
	for (size_t i = 0; !r->bad && i < m->stream_count; i++) {
		m->streams[i].site = read_index(r, m->site_count);
		m->streams[i].scope = read_index(r, m->scope_count);
		m->streams[i].n = rd_varint(r);
		copy_bytes(r, m->streams[i].head, SYNC_HEAD_SHORT);
	}
	m->digest_count = read_count(r, 2 + STORE_TERM);
	m->digests = take(in, m->digest_count, sizeof *m->digests);
	for (size_t i = 0; !r->bad && i < m->digest_count; i++) {
		m->digests[i].scope = read_index(r, m->scope_count);
		copy_bytes(r, m->digests[i].sum, STORE_TERM);
		m->digests[i].rows = rd_varint(r);
	}
	m->note_count = read_count(r, 3);
	m->notes = take(in, m->note_count, sizeof *m->notes);
	for (size_t i = 0; !r->bad && i < m->note_count; i++) {
		m->notes[i].stream = read_index(r, m->stream_count);
		m->notes[i].n = rd_varint(r);
		m->notes[i].reason = read_text(in, 255);
	}
}

static void
read_part1(struct reading *in, struct sync_message *m)
{
	struct rd *r = &in->r;
	uint8_t flags;

	if (rd_u8(r) != FORMAT)
		r->bad = true;
	flags = rd_u8(r);
	m->more = flags == FLAG_MORE;
	if (flags > FLAG_MORE)
		r->bad = true;
	copy_bytes(r, &m->self, sizeof m->self);
	copy_bytes(r, m->peer_epoch, STORE_EPOCH);
	m->now_ms = rd_zigzag(r);
	/* what no stamp could hold; differences of two clocks don't run over then */
	if (m->now_ms < 0 || m->now_ms >> CLOCK_BITS != 0)
		r->bad = true;
	m->counter = rd_varint(r);
	if (!r->bad)
		read_names(in, m);
	if (!r->bad)
		read_views(in, m);
}

static void
read_part2(struct reading *in, struct sync_message *m)
{
	struct rd *r = &in->r;

	m->segment_count = read_count(r, 3);
	m->segments = take(in, m->segment_count, sizeof *m->segments);
	for (size_t i = 0; !r->bad && i < m->segment_count; i++) {
		m->segments[i].stream = read_index(r, m->stream_count);
		m->segments[i].n = rd_varint(r);
		m->segments[i].bytes = rd_lenbytes(r, &m->segments[i].len);
	}
}

/* How many there are of what is left out when there is none. */
static size_t
read_some(struct rd *r, size_t least)
{
	size_t count = read_count(r, least);

	if (count == 0 || count > SYNC_MESSAGE_QUESTIONS)
		r->bad = true;
	return r->bad ? 0 : count;
}

static void
read_place(struct reading *in, struct store_place *place)
{
	place->table = read_text(in, STORE_NAME_MAX);
	place->key = rd_lenbytes(&in->r, &place->key_len);
}

static void
read_questions(struct reading *in, struct sync_message *m)
{
	struct rd *r = &in->r;

	m->question_count = read_some(r, 6);
	m->questions = take(in, m->question_count, sizeof *m->questions);
	for (size_t i = 0; !r->bad && i < m->question_count; i++) {
		struct sync_view_question *q = &m->questions[i];
		uint8_t anew;

		q->scope = read_index(r, m->scope_count);
		anew = rd_u8(r);
		q->anew = anew == 1;
		if (anew > 1)
			r->bad = true;
		read_place(in, &q->range.from);
		read_place(in, &q->range.until);
	}
}

static void
read_answers(struct reading *in, struct sync_message *m)
{
	struct rd *r = &in->r;

	m->answer_count = read_some(r, 1 + STORE_TERM);
	m->answers = take(in, m->answer_count, sizeof *m->answers);
	for (size_t i = 0; !r->bad && i < m->answer_count; i++) {
		m->answers[i].rows = rd_varint(r);
		copy_bytes(r, m->answers[i].sum, STORE_TERM);
	}
}

int
sync_message_read(const uint8_t *bytes, size_t len, bool is_reply, struct arena *a,
                  struct sync_message *m, struct err *err)
{
	struct reading in = { .r = rd_from(bytes, len), .arena = a };

	*m = (struct sync_message){ .part1 = bytes };
	if (len > SYNC_MESSAGE_MAX)
		return err_set(err, ERR_CORRUPT, "message of %zu bytes is over %d", len,
		               SYNC_MESSAGE_MAX);
	read_part1(&in, m);
	m->part1_len = len - in.r.left;
	if (is_reply)
		copy_bytes(&in.r, m->signature, STORE_SIGNATURE);
	if (!in.r.bad)
		read_part2(&in, m);
	if (!in.r.bad && in.r.left > 0 && is_reply)
		read_answers(&in, m);
	else if (!in.r.bad && in.r.left > 0)
		read_questions(&in, m);
	if (in.spent)
		return err_set(err, ERR_NOMEM, "message: out of memory");
	if (!rd_done(&in.r))
		return err_set(err, ERR_CORRUPT, "message of %zu bytes is not well-formed", len);
	return 0;
}
