#include "node/id_key.h"

#include "store/base/buf.h"
#include "store/base/hash.h"
#include "store/catalog.h"

#include <string.h>

static const char meta[] = "facility.hub_id_key";

/* A function of the seed for this purpose alone; Ed25519 itself uses SHA-512 of it. */
static void
derive(const struct sync_key *hub, const char *facility, uint8_t key[ID_KEY])
{
	static const char purpose[] = "yizhan-id-key-1";
	uint8_t root[HASH_32];

	hash_keyed(root, sizeof root, purpose, sizeof purpose - 1, hub->seed);
	hash_keyed(key, ID_KEY, facility, strlen(facility), root);
	explicit_bzero(root, sizeof root);
}

int
id_key_seal(const struct sync_key *hub, const char *facility,
            const uint8_t node_key[SYNC_PUBLIC_KEY], const uint8_t nonce[SYNC_BOX_NONCE],
            uint8_t box[SYNC_BOX], struct err *err)
{
	uint8_t key[ID_KEY];
	bool good;

	derive(hub, facility, key);
	good = sync_box_close(hub, node_key, nonce, key, box);
	explicit_bzero(key, sizeof key);
	return good ? 0 : err_set(err, ERR_DENIED, "the node's key is no Ed25519 key");
}

int
id_key_open(const struct sync_key *node, const uint8_t hub_key[SYNC_PUBLIC_KEY],
            const uint8_t box[SYNC_BOX], uint8_t key[ID_KEY], struct err *err)
{
	if (sync_box_open(node, hub_key, box, key))
		return 0;
	return err_set(err, ERR_DENIED,
	               "the facility's key isn't from this hub, or for another node");
}

int
id_key_keep(struct store_db *db, const uint8_t key[ID_KEY], struct err *err)
{
	return store_meta_set(db, meta, key, ID_KEY, err);
}

int
id_key_kept(struct store_db *db, uint8_t key[ID_KEY], struct err *err)
{
	struct buf kept = { 0 };
	int rc = store_meta_get(db, meta, &kept, err);

	if (rc == 0 && kept.len == ID_KEY)
		memcpy(key, kept.bytes, ID_KEY);
	else if (rc == 0)
		rc = err_set(err, ERR_CORRUPT, "%s has %zu bytes, not %d", meta, kept.len, ID_KEY);
	buf_free(&kept);
	return rc == ERR_NOTFOUND ? 0 : rc < 0 ? rc : 1;
}
