#include "sync/replica.h"
#include "store/base/text.h"
#include "sync/look.h"

#include <string.h>

int
sync_replica_open(struct sync_replica *r, struct store_db *db, bool is_hub, struct err *err)
{
	int rc;

	*r = (struct sync_replica){ .db = db, .is_hub = is_hub };
	sync_clock_start(&r->clock, store_db_env(db), 0, 0);
	rc = store_meta_self(db, &r->self, err);
	if (rc == 0)
		rc = store_db_begin(db, err);
	if (rc == 0)
		rc = store_catalog_site(db, r->self.node, r->self.epoch, &r->self.id, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc < 0) {
		store_db_rollback(db);
		return rc;
	}
	r->batch = store_batch_sqlite_new(db);
	return r->batch == NULL ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

void
sync_replica_close(struct sync_replica *r)
{
	sync_look_end(r);
	store_batch_sqlite_free(r->batch);
	r->batch = NULL;
}

void
sync_replica_keep(struct sync_replica *r, int scope, const char *reason)
{
	const char *name = scope == 0 ? "" : store_catalog_scope_of(r->db, scope);
	struct sync_kept *k = r->kept;

	for (; k < r->kept + r->kept_count; k++)
		if (strcmp(k->scope, name) == 0 && strcmp(k->reason, reason) == 0)
			return;
	if (r->kept_count == SYNC_KEPT_MAX)
		return;
	text_copy(k->scope, sizeof k->scope, name);
	text_copy(k->reason, sizeof k->reason, reason);
	r->kept_count++;
}

int64_t
sync_replica_now_ms(const struct sync_replica *r)
{
	return sync_clock_now_ms(&r->clock, store_db_env(r->db));
}
