/*
 * sync/codec/codec.h - records to bytes by column, and back.
 *
 * The raw body of a segment holds the same records as sync/codec/record.h describes,
 * but by table and kind of change, column by column, so that alike stands
 * beside alike.  The byte table stands in sync/DESIGN.md.
 *
 * Decoding trusts nothing: every length is checked before it is used, the arena
 * bounds what can be allocated, and the caller then verifies the chain before
 * looking at a record.
 */
#ifndef SYNC_CODEC_H
#define SYNC_CODEC_H

#include "sync/codec/record.h"

enum {
	SYNC_RECORDS_MAX = 65536,  /* of one segment */
	SYNC_RAW_MAX = 8 << 20,    /* bytes of a raw body */
	SYNC_STORED_MAX = 1 << 20, /* bytes of a stored (compressed) body */
	/* bytes of one change's values and key: it fits a segment even if nothing of it compresses
	 */
	SYNC_CHANGE_MAX = SYNC_STORED_MAX - (32 << 10),
	SYNC_ARENA_MAX = 96 << 20, /* memory that decoding one segment may take */
};

/* What a change's `schema no` means: the schema; NULL if unknown, or, with *err set, if it couldn't
 * be looked up. */
typedef const struct store_schema *sync_resolve(void *ctx, unsigned no, struct err *err);

/* Append the raw body of these records. */
MUST_CHECK int sync_codec_encode(const struct sync_record *records, size_t count, struct buf *out,
                                 struct err *err);

/*
 * Decode a raw body into `a`.  Values borrow from its bytes where they can.  Definitions in
 * openings are given to `define` (which registers them, so that `resolve` knows them afterwards) in
 * stream order before the changes that use them are decoded.  ERR_CORRUPT on anything that isn't
 * well-formed.
 */
struct sync_raw {
	const uint8_t *bytes;
	size_t len;
	size_t count; /* of records that it must hold */
};
struct sync_codec_schemas {
	sync_resolve *resolve;
	int (*define)(void *ctx, const struct sync_definition *def, struct err *err);
	void *ctx;
};
MUST_CHECK int sync_codec_decode(const struct sync_raw *raw,
                                 const struct sync_codec_schemas *schemas, struct arena *a,
                                 struct sync_record **records, struct err *err);

#endif /* SYNC_CODEC_H */
