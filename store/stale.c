#include "store/stale.h"
#include "store/clock_priv.h"

#include <string.h>

/* A stamp of ours that no other write has: later ones are above it. */
static int
next_stamp(struct store_db *db, int64_t *stamp, struct err *err)
{
	int64_t now = STORE_STAMP(env_wall_ms(store_db_env(db)), 0), last;
	int rc = store_meta_get_int(db, "last_stamp", 0, &last, err);

	*stamp = now > last ? now : last + 1;
	return rc == 0 ? store_meta_set_int(db, "last_stamp", *stamp, err) : rc;
}

/* What is known of the row; nothing, if it was never sealed. */
static int
find_row(struct store_db *db, struct store_row *row, struct err *err)
{
	struct store_clocks clocks;
	struct rd ignored;
	int rc;

	store_clock_begin(&clocks, db);
	rc = store_clock_find(&clocks, row, &ignored, err);
	store_clock_end(&clocks);
	return rc < 0 ? rc : 0;
}

int
store_stale_keep(struct store_db *db, const struct store_stale *stale, struct err *err)
{
	const struct store_table *t = store_catalog_table_by_name(db, stale->table);
	int at = t == NULL || t->local == NULL ? -1 : store_schema_find(t->local, stale->column);
	struct store_row row = { .key = stale->key, .key_len = stale->key_len };
	struct store_conflict c = { .key = stale->key,
		                    .key_len = stale->key_len,
		                    .state = STORE_CONFLICT_OPEN };
	struct store_site self;
	int rc;

	if (at < 0)
		return err_set(err, ERR_INVALID, "%s.%s is not tracked", stale->table,
		               stale->column);
	row.table = c.table = t->id;
	c.column = c.shown.column = c.other.column = t->local->columns[at].id;
	c.shown.value = stale->shown;
	c.other.value = stale->wrote;
	rc = store_meta_self(db, &self, err);
	if (rc == 0)
		rc = store_catalog_site(db, self.node, self.epoch, &self.id, err);
	if (rc == 0)
		rc = store_catalog_scope(db, stale->scope, &c.scope, err);
	if (rc == 0)
		rc = find_row(db, &row, err);
	if (rc == 0)
		rc = next_stamp(db, &c.other.stamp, err);
	c.cl = row.cl;
	c.shown.stamp = row.stamp;
	c.shown.site = row.site;
	c.other.site = self.id;
	return rc == 0 ? store_inbox_keep(db, &c, err) : rc;
}
