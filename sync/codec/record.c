/*
 * sync/codec/record.c - the one byte form of a record that is hashed (sync/codec/record.h).
 *
 * There is no reader: on the way in, records come from the columns of a body and
 * are written again here, so that what was hashed is what was decoded.
 */
#include "sync/codec/record.h"

#include <assert.h>
#include <string.h>

enum { OPENING = 0, FLAG_MORE = 1, FLAG_SEEN_AS_BEFORE = 2 };

static void
put_site(struct buf *out, const struct sync_site *site)
{
	buf_put(out, site->node, STORE_NODE_ID);
	buf_put(out, site->epoch, STORE_EPOCH);
}

static void
put_origins(struct buf *out, const struct sync_opening *o)
{
	switch (o->kind) {
	case SYNC_PLAIN:
		break;
	case SYNC_REMINT:
		put_site(out, &o->origin_site);
		buf_lenbytes(out, o->origin_scope, strlen(o->origin_scope));
		buf_varint(out, o->origin_first);
		buf_varint(out, o->origin_last);
		break;
	case SYNC_RELAY:
		buf_varint(out, o->origin_count);
		for (size_t i = 0; i < o->origin_count; i++)
			put_site(out, &o->origins[i]);
		break;
	}
}

static void
write_opening(struct buf *out, const struct sync_opening *o)
{
	unsigned flags =
	        (o->more ? FLAG_MORE : 0u) | (o->seen_as_before ? FLAG_SEEN_AS_BEFORE : 0u);

	buf_u8(out, OPENING);
	buf_u8(out, (uint8_t)o->kind);
	buf_u8(out, (uint8_t)flags);
	buf_zigzag(out, o->sealed_ms);
	buf_varint(out, o->changes);
	buf_varint(out, o->seen_count);
	for (size_t i = 0; i < o->seen_count; i++) {
		put_site(out, &o->seen[i].site);
		buf_zigzag(out, o->seen[i].stamp);
	}
	put_origins(out, o);
	buf_varint(out, o->definition_count);
	for (size_t i = 0; i < o->definition_count; i++) {
		buf_varint(out, o->definitions[i].no);
		buf_lenbytes(out, o->definitions[i].bytes, o->definitions[i].len);
	}
}

static void
write_change(struct buf *out, const struct sync_record *r)
{
	const struct store_change *c = &r->change;

	buf_u8(out, (uint8_t)c->op);
	buf_varint(out, r->schema_no);
	buf_varint(out, r->origin);
	buf_varint(out, (uint64_t)c->cl);
	buf_zigzag(out, c->stamp);
	store_schema_key(c->schema, c->values, out);
	if (c->op == STORE_UPDATE)
		buf_varint(out, c->mask);
	for (uint64_t left = c->mask; left != 0; left &= left - 1)
		store_value_write(out, &c->values[__builtin_ctzll(left)]);
}

void
sync_record_write(struct buf *out, const struct sync_record *r)
{
	assert(r->type != SYNC_REDACTED);
	if (r->type == SYNC_OPENING)
		write_opening(out, r->opening);
	else
		write_change(out, r);
}
