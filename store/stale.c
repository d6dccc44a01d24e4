#include "store/stale.h"
#include "store/clock_priv.h"
#include "store/inspect.h"

/* A stamp of ours that no other write has: later ones are above it. */
static int
next_stamp(struct store_db *db, int64_t *stamp, struct err *err)
{
	int64_t now = STORE_STAMP(env_wall_ms(store_db_env(db)), 0), last;
	int rc = store_meta_get_int(db, "last_stamp", 0, &last, err);

	*stamp = now > last ? now : last + 1;
	return rc == 0 ? store_meta_set_int(db, "last_stamp", *stamp, err) : rc;
}

static int
find_table(struct store_db *db, const char *name, const struct store_table **t, struct err *err)
{
	*t = store_catalog_table_by_name(db, name);
	return *t != NULL && (*t)->local != NULL
	               ? 0
	               : err_set(err, ERR_INVALID, "%s is not tracked", name);
}

/* The row and the column; what is known of them goes into `c`. */
static int
about(struct store_db *db, const struct store_stale *stale, struct store_conflict *c,
      struct err *err)
{
	const struct store_table *t;
	struct store_row row = { .key = stale->key, .key_len = stale->key_len };
	int at = -1, rc = find_table(db, stale->table, &t, err);

	if (rc < 0)
		return rc;
	at = store_schema_find(t->local, stale->column);
	if (at < 0)
		return err_set(err, ERR_INVALID, "%s.%s is not tracked", stale->table,
		               stale->column);
	*c = (struct store_conflict){ .table = t->id,
		                      .key = stale->key,
		                      .key_len = stale->key_len,
		                      .state = STORE_CONFLICT_OPEN };
	row.table = t->id;
	c->column = c->shown.column = c->other.column = t->local->columns[at].id;
	c->shown.value = stale->shown;
	c->other.value = stale->wrote;
	rc = store_catalog_scope(db, stale->scope, &c->scope, err);
	if (rc == 0)
		rc = store_clock_look(db, &row, err);
	c->cl = row.cl;
	c->shown.stamp = row.stamp;
	c->shown.site = row.site;
	return rc;
}

/* The loser's version: of a person who says it now, a new one. */
static int
said_now(struct store_db *db, struct store_cell *other, struct err *err)
{
	struct store_site self;
	int rc = store_meta_self(db, &self, err);

	if (rc == 0)
		rc = store_catalog_site(db, self.node, self.epoch, &self.id, err);
	if (rc == 0)
		rc = next_stamp(db, &other->stamp, err);
	other->site = self.id;
	return rc;
}

/* Or that of the row in which it was said; stamp 0 if nothing is known of it. */
static int
said_in(struct store_db *db, const struct store_stale_word *by, struct store_cell *other,
        struct err *err)
{
	const struct store_table *t;
	struct store_row row = { .key = by->key, .key_len = by->key_len };
	int rc = find_table(db, by->table, &t, err);

	if (rc < 0)
		return rc;
	row.table = t->id;
	rc = store_clock_look(db, &row, err);
	other->stamp = row.stamp;
	other->site = row.site;
	return rc;
}

/* Is there an entry already that asks, or has asked, the same? */
static int
is_asked(struct store_db *db, const struct store_conflict *c, bool *yes, struct err *err)
{
	struct store_row row = { .table = c->table, .key = c->key, .key_len = c->key_len };
	struct store_conflict *kept = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_inbox_kept(db, &row, &a, &kept, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		*yes |= kept[i].column == c->column && kept[i].state != STORE_CONFLICT_HIDDEN &&
		        store_value_cmp(&kept[i].other.value, &c->other.value) == 0;
	arena_free(&a);
	return rc;
}

static int
keep_once(struct store_db *db, struct store_conflict *c, struct err *err)
{
	bool waits = false, asked = false;
	int rc = store_inspect_is_unsealed(db, c->table, c->key, c->key_len, &waits, err);

	if (rc == 0 && !waits)
		rc = is_asked(db, c, &asked, err);
	if (rc < 0 || waits || asked || c->other.stamp == 0)
		return rc;
	rc = store_inbox_keep(db, c, err);
	/* a verdict may have come before the entry */
	return rc == 0 ? store_inbox_apply_verdicts(db, err) : rc;
}

int
store_stale_keep(struct store_db *db, const struct store_stale *stale, struct err *err)
{
	struct store_conflict c;
	int rc = about(db, stale, &c, err);

	if (rc < 0)
		return rc;
	rc = stale->by == NULL ? said_now(db, &c.other, err)
	                       : said_in(db, stale->by, &c.other, err);
	if (rc < 0)
		return rc;
	return stale->by == NULL ? store_inbox_keep(db, &c, err) : keep_once(db, &c, err);
}

int
store_stale_let_go(struct store_db *db, const struct store_stale *stale, struct err *err)
{
	struct store_conflict c;
	int rc = about(db, stale, &c, err);

	if (rc == 0)
		rc = said_in(db, stale->by, &c.other, err);
	return rc == 0 ? store_inbox_let_go(db, &c, err) : rc;
}
