/*
 * tests/fuzz/message.c - any bytes as a request and as a reply: refused, or a
 * message that is written as it was read; and a reply counts only with the hub's
 * signature over it and over the request that it answers.
 *
 * Input: a message; as a reply its signature is made right.
 */
#include "sync/exchange/message.h"
#include "tests/fuzz/help.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 4 << 20 };

/* In ranges, so that who uses them need not look. */
static void
check_indexes(const struct sync_message *m)
{
	for (size_t i = 0; i < m->stream_count; i++)
		HOLDS(m->streams[i].site < m->site_count && m->streams[i].scope < m->scope_count);
	for (size_t i = 0; i < m->digest_count; i++)
		HOLDS(m->digests[i].scope < m->scope_count);
	for (size_t i = 0; i < m->note_count; i++)
		HOLDS(m->notes[i].stream < m->stream_count);
	for (size_t i = 0; i < m->segment_count; i++)
		HOLDS(m->segments[i].stream < m->stream_count);
	for (size_t i = 0; i < m->question_count; i++)
		HOLDS(m->questions[i].scope < m->scope_count);
	HOLDS(m->question_count <= SYNC_MESSAGE_QUESTIONS &&
	      m->answer_count <= SYNC_MESSAGE_QUESTIONS);
	for (size_t i = 0; i < m->scope_count; i++)
		HOLDS(strlen(m->scopes[i]) <= STORE_SCOPE_MAX);
}

static int
read(const uint8_t *bytes, size_t len, bool is_reply, struct arena *a, struct sync_message *m)
{
	struct buf out = { 0 };
	struct err err;
	int rc = sync_message_read(bytes, len, is_reply, a, m, &err);

	HOLDS(rc == 0 || rc == ERR_CORRUPT);
	if (rc == 0) {
		check_indexes(m);
		sync_message_write_part1(&out, m);
		HOLDS(help_same(&out, bytes, m->part1_len));
		if (is_reply)
			buf_put(&out, m->signature, STORE_SIGNATURE);
		sync_message_write_part2(&out, m);
		HOLDS(help_same(&out, bytes, len));
	}
	buf_free(&out);
	return rc;
}

/* Nobody but the hub makes a receipt, and for one request. */
static void
check_receipt(uint8_t *bytes, struct sync_message *m)
{
	static const uint8_t asked[HASH_32] = { 1 }, other[HASH_32] = { 2 };
	struct sync_key hub = help_key(0), node = help_key(1);

	HOLDS(!sync_message_proven(m, other, hub.public_key));
	sync_message_sign(&hub, asked, m->part1, m->part1_len, m->signature);
	HOLDS(sync_message_proven(m, asked, hub.public_key));
	HOLDS(!sync_message_proven(m, other, hub.public_key));
	HOLDS(!sync_message_proven(m, asked, node.public_key));
	bytes[m->part1_len / 2] ^= 1;
	HOLDS(!sync_message_proven(m, asked, hub.public_key));
	bytes[m->part1_len / 2] ^= 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { .limit = LIMIT };
	struct sync_message m;
	uint8_t *copy = malloc(size + 1);

	HOLDS(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	(void)read(copy, size, false, &a, &m);
	arena_free(&a);
	if (read(copy, size, true, &a, &m) == 0)
		check_receipt(copy, &m);
	arena_free(&a);
	free(copy);
	return 0;
}
