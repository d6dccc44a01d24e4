/*
 * sync/seen.h - what a unit's writer had received of every other site of the
 * scope: the vector that tells concurrent writes from later ones.
 *
 * Bytes (kept in yz_stream and yz_seen): per entry, rising by site: site (24) and zig-zag stamp.
 */
#ifndef SYNC_SEEN_H
#define SYNC_SEEN_H

#include "sync/codec/record.h"

/* What this file has received of every site but the stream's own in its scope, rising by site. */
MUST_CHECK int sync_seen_now(struct store_db *db, const struct store_stream *own, struct arena *a,
                             struct sync_seen **list, size_t *count, struct err *err);

/* Put a vector in its order: rising by site. */
void sync_seen_sort(struct sync_seen *list, size_t count);

/* Append the bytes of a vector. */
void sync_seen_write(struct buf *out, const struct sync_seen *list, size_t count);

/* The vector in these bytes, in `a`; what is damaged is left out. */
MUST_CHECK int sync_seen_read(const uint8_t *bytes, size_t len, struct arena *a,
                              struct sync_seen **list, size_t *count, struct err *err);

/* Does the vector in these bytes cover that stamp of that site?  Damaged bytes cover nothing. */
bool sync_seen_covers(const uint8_t *bytes, size_t len, const struct store_site *site,
                      int64_t stamp);

#endif /* SYNC_SEEN_H */
