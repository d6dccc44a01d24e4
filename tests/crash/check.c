/* tests/crash/check.c - is a machine's file as it must be, whatever has happened to it? */
#include "tests/crash/crash.h"

#include "store/base/text.h"
#include "store/digest.h"
#include "store/inspect.h"
#include "store/print.h"
#include "store/stmt.h"
#include "sync/verify.h"

#include <stdio.h>
#include <string.h>

int64_t
scene_number(struct store_db *db, const char *sql)
{
	struct err err;
	int64_t value = 0;

	crash_must(store_stmt_int(db, sql, -1, &value, &err), &err, sql);
	return value;
}

int64_t
scene_int(struct machine *m, const char *sql)
{
	return scene_number(m->local, sql);
}

static void
tell_stream(void *ctx, const struct sync_verify_problem *p)
{
	(void)ctx;
	crash_fail("%s: %s", p->where, p->what);
}

static void
tell_breach(void *ctx, const struct store_breach *b)
{
	(void)ctx;
	if (b->damage)
		crash_fail("the file is damaged: %s", b->what);
}

/* A row that was written since the last seal isn't as it was sealed, and rightly so. */
static void
tell_digest(void *ctx, const struct store_digest_fault *f)
{
	struct store_db *db = ctx;
	const struct store_table *t =
	        f->key == NULL ? NULL : store_catalog_table_by_name(db, f->table);
	struct err err;
	bool unsealed = false;

	if (t != NULL)
		crash_must(
		        store_inspect_is_unsealed(db, t->id, f->key, f->key_len, &unsealed, &err),
		        &err, "log");
	if (!unsealed)
		crash_fail("%s: %s", f->table, f->what);
}

void
scene_check(struct machine *m)
{
	struct sync_verify streams = { .tell = tell_stream };
	struct store_digest_verify rows = { .deep = true, .tell = tell_digest };
	struct store_db *db = NULL;
	struct err err;

	crash_must(store_db_open("y.db", STORE_READ, &m->env, &db, &err), &err, "open to read");
	crash_must(store_db_begin(db, &err), &err, "begin to read");
	rows.ctx = db;
	crash_must(sync_verify_streams(db, &streams, &err), &err, "verify streams");
	crash_must(store_digest_verify(db, &rows, &err), &err, "verify digests");
	crash_must(store_inspect_breaches(db, true, tell_breach, NULL, &err), &err, "integrity");
	if (scene_number(db,
	                 "SELECT coalesce(max(stamp), 0) > (SELECT coalesce(max(value), 0) FROM"
	                 " yz_meta WHERE name = 'last_stamp') FROM yz_clock WHERE site ="
	                 " (SELECT id FROM yz_site WHERE node = (SELECT value FROM yz_meta WHERE"
	                 " name = 'node') AND epoch = (SELECT value FROM yz_meta WHERE name ="
	                 " 'epoch'))") != 0)
		crash_fail("a stamp could be given out twice");
	store_db_rollback(db);
	store_db_close(db);
}

static void
digest_of(struct machine *m, char out[2 * STORE_TERM + 1])
{
	struct store_digest d;
	struct err err;
	int id;

	crash_must(store_db_begin(m->merge, &err), &err, "begin");
	crash_must(store_catalog_scope(m->merge, "f/F1", &id, &err), &err, "scope");
	crash_must(store_digest_get(m->merge, id, &d, &err), &err, "digest");
	store_db_rollback(m->merge);
	text_hex(out, d.sum, STORE_TERM);
}

void
scene_same(struct scene *s)
{
	char want[2 * STORE_TERM + 1], got[2 * STORE_TERM + 1];

	digest_of(&s->m[HUB], want);
	for (int i = NODE; i < SCENE_MACHINES; i++) {
		if (!s->m[i].there)
			continue;
		digest_of(&s->m[i], got);
		if (strcmp(want, got) != 0)
			crash_fail("machine %d and the hub have settled and differ: %s, %s", i, got,
			           want);
	}
}

bool
scene_is_acknowledged(struct machine *m)
{
	char sql[256];

	snprintf(sql, sizeof sql,
	         "SELECT count(*) FROM yz_stream s WHERE s.site = %d AND s.n >"
	         " coalesce((SELECT max(n) FROM yz_ack WHERE stream = s.id), 0)",
	         m->node.r.self.id);
	return scene_int(m, "SELECT count(*) FROM yz_log") == 0 && scene_int(m, sql) == 0;
}
