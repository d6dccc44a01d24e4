/* node/doctor_mend.c - what doctor --fix puts right in the database (node/doctor.h). */
#include "node/doctor_priv.h"
#include "node/identity.h"
#include "node/role.h"
#include "store/track.h"
#include "sync/exchange/rift.h"

#include <unistd.h>

static const char again[] =
        "end the programs that use the file, then yizhan doctor --fix; if it says the same, "
        "restore a backup, or ask for help with this sentence";

/* ---- triggers ---- */

static void
note_table(void *ctx, const char *table, const char *what)
{
	struct buf *names = ctx;

	(void)what;
	buf_printf(names, "%s%s", names->len == 0 ? "" : ", ", table);
}

/* Make the triggers anew where they don't stand; `names` gets the tables. */
static int
make_triggers(struct store_db *db, struct buf *names, struct err *err)
{
	struct node_role role;
	int rc = node_role_get(db, &role, err);

	if (rc == 0)
		rc = store_db_begin(db, err);
	if (rc == 0)
		rc = store_track_look(db, role.is_hub, note_table, names, err);
	if (rc == 0)
		rc = store_track_refresh(db, role.is_hub, err);
	return rc == 0 ? store_db_commit(db, err) : rc;
}

static void
mend_triggers(struct doctor *d, struct store_db *db)
{
	struct buf names = { 0 };
	struct err err;
	int rc = make_triggers(db, &names, &err);

	if (rc < 0) {
		store_db_rollback(db);
		doctor_say(d, "capture", DOCTOR_ILL, again, "the triggers could not be made: %s",
		           err.msg);
	} else if (names.len > 0) {
		doctor_say(d, "capture", DOCTOR_MENDED, "",
		           "%.400s: triggers made anew; what they missed is logged",
		           buf_str(&names));
	}
	buf_free(&names);
}

/* ---- rows ---- */

struct righted {
	int64_t logged, restored;
};

/* Page by page. */
static int
right_scope(struct sync_replica *r, int scope, struct righted *sum, struct err *err)
{
	struct store_range range = store_range_all();
	struct arena keys = { 0 };
	struct buf from = { 0 };
	int rc;

	do {
		struct store_range_rows rows = {
			.scope = scope, .range = range, .most = SYNC_RIFT_SAID, .arena = &keys
		};
		struct sync_rift_right right = { .tries = SYNC_RIFT_TRIES };

		rc = store_range_rows(r->db, &rows, err);
		if (rc == 0)
			rc = sync_rift_put_right(r, &rows, &right, err);
		sum->logged += right.logged;
		sum->restored += right.restored;
		/* the next page begins with a key of this one */
		buf_clear(&from);
		buf_put(&from, rows.next.key, rows.next.key_len);
		if (rc == 0)
			rc = buf_check(&from, err);
		range.from = (struct store_place){ rows.next.table, from.bytes, from.len };
		arena_free(&keys);
	} while (rc == 0 && range.from.table[0] != 0);
	buf_free(&from);
	return rc;
}

static int
right_scopes(struct sync_replica *r, struct righted *sum, struct err *err)
{
	struct store_digest *list;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_db_begin(r->db, err);

	if (rc == 0)
		rc = store_digest_list(r->db, &a, &list, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = right_scope(r, list[i].scope, sum, err);
	arena_free(&a);
	return rc == 0 ? store_db_commit(r->db, err) : rc;
}

static void
mend_rows(struct doctor *d, struct store_db *db)
{
	struct sync_replica r = { 0 };
	struct righted sum = { 0 };
	struct node_role role;
	struct err err;
	int rc = node_role_get(db, &role, &err);

	if (rc == 0)
		rc = sync_replica_open(&r, db, role.is_hub, &err);
	if (rc == 0)
		rc = right_scopes(&r, &sum, &err);
	if (rc < 0) {
		store_db_rollback(db);
		doctor_say(d, "rows", DOCTOR_ILL, again, "they could not be put right: %s",
		           err.msg);
	} else if (sum.logged + sum.restored > 0) {
		doctor_say(d, "rows", DOCTOR_MENDED, "",
		           "%lld that were changed past capture are logged as changes, %lld are "
		           "again what their records say",
		           (long long)sum.logged, (long long)sum.restored);
	}
	sync_replica_close(&r);
}

/* Where a daemon holds the lock it sees to the triggers itself, within seconds. */
void
doctor_mend(struct doctor *d, const char *path)
{
	struct store_db *db = NULL;
	struct node_role role;
	struct err err;
	int lock, rc = identity_lock(d->dir, &lock, &err);

	if (rc == ERR_BUSY) {
		doctor_say(d, "database", DOCTOR_HINT,
		           "if rows are told as ill, stop yizhan run, then yizhan doctor --fix",
		           "a daemon runs here: it makes missing triggers itself, but rows are "
		           "put right only without it");
		return;
	}
	if (rc < 0) {
		doctor_say(d, "database", DOCTOR_ILL, again, "it can't be mended: %s", err.msg);
		return;
	}
	rc = store_db_open(path, STORE_MERGE, d->env, &db, &err);
	if (rc == 0) {
		mend_triggers(d, db);
		if (node_role_get(db, &role, &err) == 0)
			doctor_mend_schema(d, db, role.is_hub);
		mend_rows(d, db);
	} else {
		doctor_say(d, "database", DOCTOR_ILL, again, "it can't be mended: %s", err.msg);
	}
	store_db_close(db);
	close(lock);
}
