/*
 * cli/cmd_verify.c - hold everything this file claims against everything it has:
 * chains and signatures, digests, rows, the archive.
 *
 * Rows that merged past CHECK or FOREIGN KEY are listed (cli/breach.h), but they
 * are no damage: somebody wrote them rightly, on a replica that knew more or less
 * than this one.
 */
#include "cli/breach.h"
#include "cli/cmd.h"
#include "node/role.h"
#include "store/base/json.h"
#include "store/digest.h"
#include "store/inspect.h"
#include "store/lost.h"
#include "store/print.h"
#include "store/rift.h"
#include "sync/archive/archive.h"
#include "sync/verify.h"

#include <string.h>

struct verifying {
	struct store_db *db;
	bool is_hub;
	struct buf problems; /* JSON, or lines */
	struct json json;
	struct buf again; /* the same, of what was written again in a later life */
	struct json again_json;
	bool as_json;
	struct breaches *breaches;
	int64_t damage; /* problems that make it not ok */
	int64_t streams, records, rows, orphans;
	size_t scope_count;
	struct store_digest *scopes;
	bool *scope_bad;
};

static void
add(struct verifying *v, const char *what, const char *where, const char *todo)
{
	struct json *j = &v->json;

	if (!v->as_json) {
		buf_printf(&v->problems, "%s: %s; %s\n", where, what, todo);
		return;
	}
	json_object(j);
	json_name(j, "what");
	json_text(j, what);
	json_name(j, "where");
	json_text(j, where);
	json_name(j, "do");
	json_text(j, todo);
	json_end_object(j);
}

/* ---- what the parts tell ---- */

static void
tell_stream(void *ctx, const struct sync_verify_problem *p)
{
	struct verifying *v = ctx;

	v->damage++;
	add(v, p->what, p->where, p->todo);
}

static void
tell_archive(void *ctx, const struct sync_archive_problem *p)
{
	struct verifying *v = ctx;

	v->damage++;
	add(v, p->what, p->where, p->todo);
}

static void
tell_again(void *ctx, const char *scope, uint64_t first, uint64_t last)
{
	struct verifying *v = ctx;
	struct json *j = &v->again_json;

	if (!v->as_json) {
		buf_printf(&v->again,
		           "%s: records %llu-%llu of an earlier life were written again in a later "
		           "one, which names them\n",
		           scope, (unsigned long long)first, (unsigned long long)last);
		return;
	}
	json_object(j);
	json_name(j, "scope");
	json_text(j, scope);
	json_name(j, "first");
	json_int(j, (int64_t)first);
	json_name(j, "last");
	json_int(j, (int64_t)last);
	json_end_object(j);
}

static void
tell_breach(void *ctx, const struct store_breach *b)
{
	struct verifying *v = ctx;

	if (b->damage) {
		v->damage++;
		add(v, b->what, "the database file", "restore a backup");
		return;
	}
	v->orphans += b->rows;
	breaches_add(v->breaches, b);
}

static void
tell_scope(struct verifying *v, const char *scope)
{
	for (size_t i = 0; i < v->scope_count; i++)
		if (strcmp(store_catalog_scope_of(v->db, v->scopes[i].scope), scope) == 0)
			v->scope_bad[i] = true;
}

/* What a person can do here about a row: what the table's triggers refuse isn't advice. */
static const char *
advice(const struct verifying *v, const struct store_table *t)
{
	const struct store_schema *local = t == NULL ? NULL : t->local;

	if (local != NULL && store_schema_is_hubs(local) && !v->is_hub)
		return "only the hub may write this table: yizhan doctor --fix puts back what "
		       "its records say, if any do; or restore a backup";
	if (local != NULL && local->kind == STORE_EVENT)
		return "rows of this table are never changed: yizhan doctor --fix puts back what "
		       "its records say, if any do; or restore a backup";
	return "yizhan doctor --fix logs what stands there as a change, and puts back a row that "
	       "is "
	       "gone; or restore a backup";
}

/* A row that was written since the last seal isn't as it was sealed, and rightly so. */
static void
tell_digest(void *ctx, const struct store_digest_fault *f)
{
	struct verifying *v = ctx;
	const struct store_table *t = NULL;
	struct buf where = { 0 };
	struct err err;
	bool unsealed = false;

	if (f->key == NULL) {
		tell_scope(v, f->table);
		buf_printf(&where, "scope %s", f->table);
	} else {
		t = store_catalog_table_by_name(v->db, f->table);
		if (t != NULL &&
		    store_inspect_is_unsealed(v->db, t->id, f->key, f->key_len, &unsealed, &err) ==
		            0 &&
		    unsealed)
			return;
		buf_printf(&where, "%s ", f->table);
		store_print_key_text(&where, f->key, f->key_len);
	}
	v->damage++;
	add(v, f->what, buf_str(&where), advice(v, t));
	buf_free(&where);
}

/* Where the rows are not the hub's, although both have the same records. */
static void
tell_rift(struct verifying *v, const struct store_rift *rift)
{
	const char *scope = store_catalog_scope_of(v->db, rift->scope);
	struct buf where = { 0 };

	buf_printf(&where, "scope %s, ", scope);
	store_rift_where(&where, &rift->range);
	tell_scope(v, scope);
	v->damage++;
	add(v, rift->cause, buf_str(&where),
	    "both sides have said these rows again and still differ: compare them with the hub's, "
	    "and "
	    "write anew what is right");
	buf_free(&where);
}

/* Rows whose table is gone are in no digest's way: their terms stand as they did. */
static void
tell_lost(void *ctx, const struct store_lost *lost)
{
	struct verifying *v = ctx;
	struct buf where = { 0 };

	buf_printf(&where, "table %s", lost->table);
	v->damage++;
	add(v, lost->why, buf_str(&where),
	    "what is written there is not captured, and what comes in for it waits: yizhan doctor "
	    "says how it comes back");
	buf_free(&where);
}

/* ---- the parts ---- */

static int
check_rifts(struct verifying *v, struct arena *a, struct err *err)
{
	struct store_rifts rifts = { .open = true, .most = 100, .arena = a };
	int rc = store_rift_list(v->db, &rifts, err);

	for (size_t i = 0; rc == 0 && i < rifts.count; i++)
		tell_rift(v, &rifts.list[i]);
	return rc;
}

static int
check_digests(struct verifying *v, bool deep, struct arena *a, struct err *err)
{
	struct store_digest_verify rows = { .deep = deep, .tell = tell_digest, .ctx = v };
	int rc = store_digest_list(v->db, a, &v->scopes, &v->scope_count, err);

	if (rc < 0)
		return rc;
	v->scope_bad = arena_take(a, v->scope_count, sizeof *v->scope_bad);
	if (v->scope_bad == NULL)
		return err_set(err, ERR_NOMEM, "verify: out of memory");
	rc = store_digest_verify(v->db, &rows, err);
	v->rows = rows.rows;
	return rc;
}

static int
check_database(struct verifying *v, bool deep, struct arena *a, struct err *err)
{
	struct sync_verify streams = { .tell = tell_stream, .ctx = v };
	int rc = sync_verify_streams(v->db, &streams, err);

	v->streams = streams.streams;
	v->records = streams.records;
	if (rc == 0)
		rc = check_digests(v, deep, a, err);
	if (rc == 0)
		rc = check_rifts(v, a, err);
	if (rc == 0)
		rc = store_lost_list(v->db, tell_lost, v, err);
	return rc == 0 ? store_inspect_breaches(v->db, deep, tell_breach, v, err) : rc;
}

/* Commits may be signed with any key that the node has had. */
static bool
is_key(void *ctx, const struct sync_site *site, const uint8_t key[SYNC_PUBLIC_KEY])
{
	const struct verifying *v = ctx;
	uint8_t node[STORE_NODE_ID];
	struct err err;

	sync_node_id(node, key);
	return memcmp(node, site->node, sizeof node) == 0 ||
	       store_catalog_is_node_key(v->db, site->node, key, &err) == 1;
}

static int
check_archive(struct verifying *v, const char *dir, struct err *err)
{
	struct sync_archive_check check = {
		.tell = tell_archive, .is_key = is_key, .again = tell_again, .ctx = v
	};

	return sync_archive_verify(v->db, dir, &check, err);
}

/* ---- the answer ---- */

static void
answer_json(struct verifying *v, struct buf *out)
{
	struct json j = json_to(out);

	json_object(&j);
	json_name(&j, "ok");
	json_bool(&j, v->damage == 0);
	json_name(&j, "streams");
	json_int(&j, v->streams);
	json_name(&j, "records");
	json_int(&j, v->records);
	json_name(&j, "rows");
	json_int(&j, v->rows);
	json_name(&j, "orphans");
	json_int(&j, v->orphans);
	json_name(&j, "digests");
	json_array(&j);
	for (size_t i = 0; i < v->scope_count; i++) {
		json_object(&j);
		json_name(&j, "scope");
		json_text(&j, store_catalog_scope_of(v->db, v->scopes[i].scope));
		json_name(&j, "ok");
		json_bool(&j, !v->scope_bad[i]);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_name(&j, "problems");
	json_array(&j);
	buf_put(out, v->problems.bytes, v->problems.len);
	json_end_array(&j);
	json_name(&j, "again");
	json_array(&j);
	buf_put(out, v->again.bytes, v->again.len);
	json_end_array(&j);
	json_end_object(&j);
	buf_u8(out, '\n');
}

static void
answer_text(struct verifying *v, struct buf *out)
{
	buf_put(out, v->problems.bytes, v->problems.len);
	buf_printf(out, "%s: %lld records in %lld streams, %lld rows, %zu scopes",
	           v->damage == 0 ? "in order" : "NOT in order", (long long)v->records,
	           (long long)v->streams, (long long)v->rows, v->scope_count);
	if (v->orphans > 0)
		buf_printf(out, ", %lld %s a rule of the table", (long long)v->orphans,
		           v->orphans == 1 ? "row that breaks" : "rows that break");
	buf_u8(out, '\n');
	buf_put(out, v->again.bytes, v->again.len);
}

static int
verify(struct cli *cli, struct verifying *v, struct arena *a, struct buf *out, struct err *err)
{
	bool deep = cli_option(cli, "deep") != NULL;
	struct node_role role = { 0 };
	int rc = cli_open(cli, STORE_READ, &v->db, err);

	if (rc == 0)
		rc = node_role_get(v->db, &role, err);
	v->is_hub = role.is_hub;
	if (rc == 0)
		rc = store_db_begin(v->db, err);
	if (rc == 0)
		rc = check_database(v, deep, a, err);
	if (v->db != NULL)
		store_db_rollback(v->db); /* it has only read */
	if (rc == 0)
		rc = breaches_tell(v->breaches, cli, v->is_hub, v->json.follows, &v->problems, err);
	v->json.follows |= v->problems.len > 0;
	if (rc == 0)
		rc = check_archive(v, cli->dir, err);
	if (rc == 0)
		rc = store_db_begin(v->db, err); /* names of scopes */
	if (rc == 0 && v->as_json)
		answer_json(v, out);
	else if (rc == 0)
		answer_text(v, out);
	return rc;
}

static int
run(struct cli *cli)
{
	struct verifying v = { .as_json = cli->json };
	struct arena a = { 0 };
	struct buf out = { 0 };
	struct err err;
	int rc, code;

	v.json = json_to(&v.problems);
	v.again_json = json_to(&v.again);
	v.breaches = breaches_new();
	rc = v.breaches == NULL ? err_set(&err, ERR_NOMEM, "verify: out of memory")
	                        : verify(cli, &v, &a, &out, &err);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	if (code == CLI_OK && v.damage > 0)
		code = CLI_FAILED;
	store_db_close(v.db);
	breaches_free(v.breaches);
	buf_free(&v.problems);
	buf_free(&v.again);
	buf_free(&out);
	arena_free(&a);
	return code;
}

static const struct cmd_option options[] = {
	{ "deep", NULL, "also compare every row with what was written, and read every index" },
	{ 0 },
};

const struct cmd cmd_verify = {
	.name = "verify",
	.args = "",
	.help = "prove chains, signatures, digests and archive; list rows that break a rule",
	.options = options,
	.json = true,
	.run = run,
};
