#include "store/id.h"
#include "store/base/hash.h"
#include "store/base/mutant.h"
#include "store/catalog.h"
#include "store/db_priv.h"

#include <string.h>

enum { RUN_IDS = 1 << 16, PREFIX = 5, RUN = 4 };

/* Node and epoch as they are now; all zero before `init` has written them. */
static void
begin_run(struct store_db *db)
{
	struct store_site self = { 0 };
	struct err err;
	uint8_t hash[HASH_16], bytes[STORE_NODE_ID + STORE_EPOCH];

	if (store_meta_self(db, &self, &err) < 0)
		self = (struct store_site){ 0 };
	memcpy(bytes, self.node, STORE_NODE_ID);
	memcpy(bytes + STORE_NODE_ID, self.epoch, STORE_EPOCH);
	hash_once(hash, sizeof hash, bytes, sizeof bytes);
	memcpy(db->id_prefix, hash, PREFIX);
	if (!MUT(111))
		env_rand(db->env, db->id_prefix + PREFIX, RUN);
	db->id_ms = env_mono_ms(db->env);
}

void
store_id_next(struct store_db *db, uint8_t id[STORE_ID])
{
	const uint8_t *run = db->id_prefix + PREFIX;
	uint32_t ms, count;

	if (db->id_count % RUN_IDS == 0)
		begin_run(db);
	count = db->id_count++ % RUN_IDS;
	ms = (uint32_t)(env_mono_ms(db->env) - db->id_ms);
	memcpy(id, db->id_prefix, PREFIX);
	id[5] = run[0];
	id[6] = (uint8_t)(0x80 | run[1] >> 4); /* version 8 */
	id[7] = (uint8_t)(run[1] << 4 | run[2] >> 4);
	id[8] = (uint8_t)(0x80 | (run[2] & 15) << 2 | run[3] >> 6); /* variant 10 */
	id[9] = (uint8_t)(run[3] & 63);
	for (unsigned i = 0; i < 4; i++)
		id[10 + i] = (uint8_t)(ms >> (24 - 8 * i));
	id[14] = (uint8_t)(count >> 8);
	id[15] = (uint8_t)count;
}

static void
sql_yz_id(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	uint8_t id[STORE_ID];

	(void)argc;
	(void)argv;
	store_id_next(sqlite3_user_data(ctx), id);
	sqlite3_result_blob(ctx, id, sizeof id, SQLITE_TRANSIENT);
}

int
store_id_register(struct store_db *db)
{
	return sqlite3_create_function(db->handle, "yz_id", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, db,
	                               sql_yz_id, NULL, NULL);
}
