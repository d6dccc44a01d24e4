/*
 * node/facility/roster_id.c - the number on an identity paper becomes a hash.
 *
 *   hash   4 bytes that name the key: BLAKE2b-128 of nothing, keyed, cut
 *          12 bytes: BLAKE2b-128 of the number, keyed, cut
 *
 * An enrolled node hashes with its facility's key, which all nodes of the
 * facility have (node/id_key.h).  Before that it draws one of its own, so that a
 * roster can be imported without a line; what it hashed with that is found again
 * after the enrolment, and rewritten at the next import.
 *
 * The name of the key tells two things apart that both look like "another
 * hash": a number that was corrected, and the same number under another key.
 */
#include "node/facility/roster_priv.h"

#include "store/base/hash.h"
#include "store/catalog.h"

#include <string.h>

static const char meta[] = "facility.id_key";

/* The key of this file alone; drawn if there is no other. */
static int
load_own(struct roster_keys *keys, struct store_db *db, struct err *err)
{
	uint8_t *key = keys->key[keys->count];
	struct buf kept = { 0 };
	int rc = store_meta_get(db, meta, &kept, err);

	if (rc == 0 && kept.len != ID_KEY)
		rc = err_set(err, ERR_CORRUPT, "%s has %zu bytes, not %d", meta, kept.len, ID_KEY);
	if (rc == 0) {
		memcpy(key, kept.bytes, ID_KEY);
		keys->count++;
	} else if (rc == ERR_NOTFOUND && keys->count == 0) {
		env_rand(store_db_env(db), key, ID_KEY);
		keys->count++;
		rc = store_meta_set(db, meta, key, ID_KEY, err);
	}
	buf_free(&kept);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
roster_keys_load(struct roster_keys *keys, struct store_db *db, struct err *err)
{
	int rc;

	*keys = (struct roster_keys){ 0 };
	rc = id_key_kept(db, keys->key[0], err);
	if (rc < 0)
		return rc;
	keys->shared = rc == 1;
	keys->count = keys->shared;
	return load_own(keys, db, err);
}

void
roster_id_hash(const struct roster_keys *keys, size_t which, const char *id_no,
               uint8_t out[ROSTER_ID_HASH])
{
	uint8_t name[HASH_16], hash[HASH_16];

	hash_keyed(name, sizeof name, "", 0, keys->key[which]);
	hash_keyed(hash, sizeof hash, id_no, strlen(id_no), keys->key[which]);
	memcpy(out, name, ROSTER_KEY_NAME);
	memcpy(out + ROSTER_KEY_NAME, hash, ROSTER_ID_HASH - ROSTER_KEY_NAME);
}
