/*
 * tests/sync_vectors.h - one record of every kind, with fixed content: what the
 * golden vectors are made of.
 */
#ifndef TESTS_SYNC_VECTORS_H
#define TESTS_SYNC_VECTORS_H

#include "store/base/arena.h"
#include "sync/codec/codec.h"

/* In the order of a stream, so that they make a body together. */
enum {
	VECTOR_PLAIN,
	VECTOR_INSERT,
	VECTOR_UPDATE,
	VECTOR_DELETE,
	VECTOR_RELAY,
	VECTOR_RELAYED,
	VECTOR_REMINT,
	VECTOR_REMINTED,
	VECTOR_REDACTED,
	VECTORS
};

/* tests/golden/NAME.hex of each but the last, which has no bytes of its own. */
extern const char *const vector_names[VECTOR_REDACTED];

struct vectors {
	struct arena arena;
	struct store_schema schema;
	struct store_column columns[6];
	struct store_value values[6], updated[6];
	uint8_t id[16], other[16];
	struct buf definition;
	struct sync_definition definitions[1];
	struct sync_seen seen[2];
	struct sync_site origins[2];
	struct sync_opening plain, relay, remint;
	struct sync_record records[VECTORS];
};

/* Make them; free with vectors_free. */
void vectors_make(struct vectors *v);

/* Free them. */
void vectors_free(struct vectors *v);

/* Resolves schema 1; ctx is the vectors. */
struct sync_codec_schemas vectors_resolver(struct vectors *v);

#endif /* TESTS_SYNC_VECTORS_H */
