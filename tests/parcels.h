/*
 * tests/parcels.h - the records of a replica as segments that can be carried
 * about by hand: as they lie there, cut anew, or rolled up, and given to another
 * replica through sync/ingest in any order.
 */
#ifndef TESTS_PARCELS_H
#define TESTS_PARCELS_H

#include "sync/merge/ingest.h"
#include "tests/world.h"

enum { PARCELS_MAX = 400 };

enum parcels_how {
	PARCELS_WHOLE,  /* segment by segment, up to each signature */
	PARCELS_RECUT,  /* from any unit on to any later signature; they overlap */
	PARCELS_ROLLED, /* each stream in one */
	PARCELS_WAYS,
};

/* One segment in the full form. */
struct parcel {
	struct buf bytes;
	int stream; /* at the replica it was packed at */
	uint64_t first, last;
};

struct parcels {
	struct parcel items[PARCELS_MAX];
	size_t count;
};

/* Everything signed that `p` holds. */
void parcels_pack(struct world *w, struct world_peer *p, enum parcels_how how, struct parcels *out);
void parcels_free(struct parcels *ps);

/* Begin, one segment, end.  The test fails if the database does.  `force`: sync/merge/ingest.h. */
struct sync_ingested parcel_deliver(struct world_peer *to, const struct parcel *parcel, bool force);

/* All of them in random order, some twice, those that must wait again and again. */
void parcels_deliver_shuffled(struct world *w, struct world_peer *to, const struct parcels *ps);

/* The same records in the short form of a push, each from anywhere at or before what `to` has. */
void parcels_push_shuffled(struct world *w, struct world_peer *from, struct world_peer *to);

/* Every table of the file, the engine's own too, as text.  The caller frees it. */
char *parcels_dump_file(struct world_peer *p);

#endif /* TESTS_PARCELS_H */
