/*
 * sync/merge/names_priv.h - what the schemas of a stream are called in a segment on its
 * way in.
 *
 * A stream numbers the schemas that it uses and defines each once.  A segment's
 * own definitions count while it is decoded, but nothing is registered before its
 * records are proven.
 */
#ifndef SYNC_NAMES_PRIV_H
#define SYNC_NAMES_PRIV_H

#include "sync/codec/codec.h"

enum { SYNC_NAMES_MAX = 256 }; /* of one segment */

struct sync_names {
	struct store_db *db;
	int stream;          /* its number here; 0: not here yet */
	struct arena *arena; /* holds what is defined */
	struct sync_name {
		unsigned no;
		const struct store_schema *schema;
		const uint8_t *def; /* NULL: known to the catalogue */
		size_t def_len;
	} list[SYNC_NAMES_MAX]; /* defined by this segment, or looked up for it */
	size_t count;
};

/* For the codec; borrows `names`. */
struct sync_codec_schemas sync_names_schemas(struct sync_names *names);

/* The segment is proven: register what it defines in names->stream, and let its changes point to
 * the registered schemas. */
MUST_CHECK int sync_names_learn(struct sync_names *names, struct sync_record *records, size_t count,
                                struct err *err);

#endif /* SYNC_NAMES_PRIV_H */
