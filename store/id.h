/*
 * store/id.h - ids for new rows: 16 bytes, a UUIDv8 (RFC 9562).
 *
 *   bytes 0-4   site prefix: the first 40 bits of BLAKE2b(node || epoch)
 *   bytes 5-9   version and variant nibbles over the run: 32 random bits, drawn anew
 *               at every open and after 65 536 ids (clones must not make equal ids)
 *   bytes 10-13 ms / 1 since the run began, 32 bits, big endian
 *   bytes 14-15 counter of the run
 *
 * The prefix comes first because a push then touches pages of its own at the
 * hub; what is constant costs nothing on the wire.
 */
#ifndef STORE_ID_H
#define STORE_ID_H

#include "store/db.h"

enum { STORE_ID = 16 };

/* The next id of this connection; the same as the SQL function yz_id(). */
void store_id_next(struct store_db *db, uint8_t id[STORE_ID]);

#endif /* STORE_ID_H */
