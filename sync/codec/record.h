/*
 * sync/codec/record.h - the records of a stream: changes and unit openings, and the
 * bytes of each that are hashed into the chain.
 *
 * A unit is an opening followed by its changes.  What one seal takes for one
 * scope is one unit; when it exceeds a segment's limits it is several parts,
 * each with an opening of its own, all but the last with `more` set.
 *
 * Record bytes (hashed as they are here; a segment's body holds the same fields
 * by column, sync/codec/codec.h):
 *
 *   opening   u8 0 · u8 kind · u8 flags (1: more) · zig-zag sealed_ms · varint changes
 *             · seen: varint count, per entry: site (24 bytes) · zig-zag stamp
 *             · origin (re-mint): site (24) · scope · varint first, last
 *             · origins (relay): varint count, per entry: site (24)
 *             · definitions: varint count, per entry: varint no · schema definition bytes with
 * length change    u8 op (1 insert, 2 update, 3 delete) · varint schema no · varint origin (relay
 * only: index in origins; else 0) · varint cl · zig-zag stamp · key values, canonical · varint mask
 * (update only) · values of the cells in mask, by position, canonical
 *
 * `seen` says, for this scope, the greatest stamp received of every other site, whole; a unit whose
 * `seen` equals the one before it in the stream says so with a count of 0 and flag 2 ("as before").
 * A relay's `seen` is that of the writes in it: its own, always said, and not what "before" means.
 */
#ifndef SYNC_RECORD_H
#define SYNC_RECORD_H

#include "store/change.h"
#include "store/stream.h"

enum sync_unit_kind { SYNC_PLAIN = 0, SYNC_RELAY = 1, SYNC_REMINT = 2 };

/* A site by its names, as it stands on the wire. */
struct sync_site {
	uint8_t node[STORE_NODE_ID];
	uint8_t epoch[STORE_EPOCH];
};

struct sync_seen {
	struct sync_site site;
	int64_t stamp;
};

struct sync_definition {
	unsigned no; /* how the stream calls it from here on: 1, 2, 3 ... */
	const uint8_t *bytes;
	size_t len;
};

struct sync_opening {
	enum sync_unit_kind kind;
	bool more; /* the unit goes on in the next opening */
	bool seen_as_before;
	int64_t sealed_ms;
	uint32_t changes; /* records that follow in this part */
	size_t seen_count;
	struct sync_seen *seen;
	/* SYNC_REMINT: what is written again here */
	struct sync_site origin_site;
	const char *origin_scope;
	uint64_t origin_first, origin_last;
	/* SYNC_RELAY: who wrote the changes */
	size_t origin_count;
	struct sync_site *origins;
	size_t definition_count;
	struct sync_definition *definitions;
};

enum sync_record_type { SYNC_OPENING, SYNC_CHANGE, SYNC_REDACTED };

struct sync_record {
	enum sync_record_type type;
	struct sync_opening *opening; /* SYNC_OPENING */
	struct store_change change;   /* SYNC_CHANGE; `site` isn't set by the codec, see origin;
	                                 schema as the   caller's resolver gave it */
	unsigned schema_no;           /* SYNC_CHANGE: the stream's number of its schema */
	unsigned origin;              /* SYNC_CHANGE in a relay: index in the opening's origins */
	uint8_t leaf[STORE_HEAD];     /* SYNC_REDACTED: all that is left */
};

/* Append the record bytes above (not for SYNC_REDACTED). */
void sync_record_write(struct buf *out, const struct sync_record *r);

#endif /* SYNC_RECORD_H */
