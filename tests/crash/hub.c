/*
 * tests/crash/hub.c - scenarios of what comes to a hub by other doors than a node's stream: the
 * platform's records, a department's table, what a revoked node still sends, a snapshot that is
 * made to be fetched, the time a token was last shown.
 */
#include "tests/crash/crash.h"
#include "tests/crash/folder.h"

#include "node/hub/enrol.h"
#include "node/hub/external.h"
#include "node/hub/records.h"
#include "node/hub/snapshot.h"
#include "node/hub/token_use.h"
#include "node/init.h"
#include "store/base/hash.h"
#include "store/inbox.h"
#include "store/stmt.h"
#include "sync/exchange/exchange.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the platform writes: POST /v1/records ---- */

static void
prepare_platform(struct scene *s)
{
	static const char node[] =
	        "INSERT INTO hub_node(node, node_key, facility, label, version, doc,"
	        " since_ms) VALUES (zeroblob(16), zeroblob(32), 'F1', '', 1, x'',"
	        " 1)";
	struct token_terms terms = { .scope = "f/F1", .writes = "leave_request" };
	char text[TOKEN_TEXT];
	struct err err;

	scene_add_facility(s, HUB, "");
	crash_must(store_db_exec(s->m[HUB].merge, node, &err), &err, "a node of F1");
	crash_must(token_new(s->m[HUB].merge, &terms, s->wall_ms, text, s->token, &err), &err,
	           "token");
}

/* One request of two lines, whose answer is the acknowledgement. */
static int
platform_step(struct scene *s, int no, struct err *err)
{
	struct lines_counts counts = { 0 };
	struct buf body = { 0 }, out = { 0 };
	struct token token;
	struct records by = { .db = s->m[HUB].local, .token = &token };
	int rc = token_again(s->m[HUB].merge, s->token, s->wall_ms, &token, err);

	if (rc == 0)
		rc = err_set(err, ERR_DENIED, "the token is gone");
	for (int i = 0; rc == 1 && i < 2; i++)
		buf_printf(&body,
		           "{\"key\":\"app/%d/%d\",\"table\":\"leave_request\",\"op\":\"upsert\","
		           "\"row\":{\"id\":\"%032x\",\"facility_id\":\"F1\",\"reason\":\"r\"}}\n",
		           no, i, (unsigned)(1 + no * 2 + i));
	if (rc == 1)
		rc = records_take(&by, body.bytes, body.len, &out, &counts, err);
	if (rc == 0 && counts.stored + counts.duplicate != 2)
		rc = err_set(err, ERR_INVALID, "%s", buf_str(&out));
	s->recovered += counts.duplicate > 0;
	buf_free(&body);
	buf_free(&out);
	return rc;
}

/* The platform says again what it has heard no answer to. */
static void
platform_again(struct scene *s)
{
	struct machine *hub = &s->m[HUB];
	int64_t rows = scene_int(hub, "SELECT count(*) FROM leave_request");
	struct err err;

	for (int i = 0; i < s->scenario->steps; i++)
		crash_must(platform_step(s, i, &err), &err, "say again");
	if (scene_int(hub, "SELECT count(*) FROM leave_request") != rows)
		crash_fail("a line that was said again was stored twice");
	scene_sealed(s); /* and what is stored goes down */
}

/* ---- a department's table ---- */

static void
prepare_external(struct scene *s)
{
	scene_add_facility(s, HUB, "");
}

/* Ever more lines, and another column each time. */
static int
external_step(struct scene *s, int no, struct err *err)
{
	struct external_file file = { .name = "licences",
		                      .source = "department",
		                      .date = 20260301 + no,
		                      .now_ms = s->wall_ms };
	struct external_done done;
	struct buf csv = { 0 };
	int rc;

	buf_printf(&csv, "code,c%d\n", no);
	for (int i = 0; i < 40 * (no + 1); i++)
		buf_printf(&csv, "%03d,of %d\n", i, no);
	file.bytes = csv.bytes;
	file.len = csv.len;
	rc = external_import(s->m[HUB].merge, &file, &done, err);
	s->recovered += rc == 0 && done.same;
	buf_free(&csv);
	return rc;
}

/* What stands is all of one delivery, under its own columns. */
static int
external_seen(struct scene *s)
{
	struct machine *hub = &s->m[HUB];
	int64_t no = scene_int(hub, "SELECT count(*) FROM external_delivery");
	char sql[240];

	if (no == 0)
		return scene_int(hub, "SELECT count(*) FROM sqlite_master WHERE name LIKE"
		                      " '%external_licences'") == 0
		               ? 0
		               : -1;
	snprintf(sql, sizeof sql,
	         "SELECT count(*) = %lld AND min(c%lld) = 'of %lld' AND max(c%lld) = 'of %lld'"
	         " FROM external_licences",
	         (long long)no * 40, (long long)no - 1, (long long)no - 1, (long long)no - 1,
	         (long long)no - 1);
	return scene_int(hub, sql) == 1 ? (int)no : -1;
}

/* Delivered once more it is the same delivery. */
static void
external_again(struct scene *s)
{
	struct err err;

	crash_must(external_step(s, s->scenario->steps - 1, &err), &err, "deliver again");
	if (external_seen(s) != s->scenario->steps)
		crash_fail("a delivery that came again is another one");
}

/* ---- what a revoked node still sends ---- */

static void
prepare_late(struct scene *s)
{
	struct err err;

	scene_add(s, HUB, "");
	scene_add(s, NODE, "F1");
	scene_add(s, OTHER, "F1");
	crash_must(scene_sql(&s->m[NODE],
	                     "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a')",
	                     &err),
	           &err, "write");
	scene_settle(s);
	for (int i = 2; i < 5; i++) {
		char sql[120];

		snprintf(sql, sizeof sql,
		         "INSERT INTO note(id, facility_id, text) VALUES (x'0%d', 'F1', 'late')",
		         i);
		scene_wait(s, 60000);
		crash_must(scene_sql(&s->m[NODE], sql, &err), &err, "write");
		crash_must(scene_seal(&s->m[NODE], &err), &err, "seal");
	}
	s->m[NODE].revoked = true;
}

/* It comes, and is refused; what it had to say is kept aside. */
static int
come_late(struct scene *s, int64_t *bytes, struct err *err)
{
	struct node_event sync = { .type = NODE_EV_SYNC };
	struct node_event lost = { .type = NODE_EV_LOST, .words = "refused", .denied = true };
	struct sync_late late = { .r = &s->m[HUB].node.r };
	struct machine *m = &s->m[NODE];
	struct node_effects fx = { 0 };
	int rc;

	m->node.failures = 0; /* all of it, not a little to try the line */
	memcpy(late.peer, m->node.r.self.node, STORE_NODE_ID);
	rc = node_step(&m->node, &sync, &fx, err);
	if (rc == 0)
		rc = sync_exchange_late(&late, fx.request.bytes, fx.request.len, err);
	if (rc == 0)
		rc = node_step(&m->node, &lost, &fx, err);
	node_effects_clear(&fx);
	*bytes = late.bytes;
	return rc;
}

static int
late_step(struct scene *s, int no, struct err *err)
{
	struct machine *hub = &s->m[HUB];
	int64_t id, bytes;
	int rc;

	if (no == 0)
		return come_late(s, &bytes, err);
	if (no == 1) {
		rc = store_stmt_int(hub->merge, "SELECT max(id) FROM yz_quarantine", 0, &id, err);
		return rc == 0 ? store_quarantine_wake(hub->merge, id, err) : rc;
	}
	return scene_meet(s, &s->m[OTHER], err); /* the hub looks before it answers */
}

/* Kept aside as a whole, asked for by a person, then merged as a whole. */
static int
late_seen(struct scene *s)
{
	struct machine *hub = &s->m[HUB];
	int64_t held = scene_int(hub, "SELECT count(*) FROM yz_held");
	int64_t listed = scene_int(hub, "SELECT count(*) FROM yz_quarantine");
	int64_t notes = scene_int(hub, "SELECT count(*) FROM note");

	if (notes == 4)
		return held == 0 && listed == 0 ? 3 : -1;
	if (notes != 1)
		return -1;
	if (held == 0)
		return listed == 0 ? 0 : -1;
	if (listed != 1)
		return -1;
	return scene_int(hub, "SELECT count(*) FROM yz_meta WHERE name = 'retry' AND value <> 0") ==
	                       1
	               ? 2
	               : 1;
}

/* Sent again, all of it is known; the other node has it, too. */
static void
late_finish(struct scene *s)
{
	struct err err;
	int64_t bytes;

	crash_must(come_late(s, &bytes, &err), &err, "come again");
	if (bytes != 0)
		crash_fail("what was let in is kept aside again");
	s->recovered++;
	crash_must(scene_meet(s, &s->m[OTHER], &err), &err, "meet");
	if (scene_int(&s->m[OTHER], "SELECT count(*) FROM note") != 4)
		crash_fail("the other node hasn't what was let in");
}

/* ---- when a token was last shown ---- */

static void
prepare_use(struct scene *s)
{
	struct token_terms terms = { .scope = "all" };
	char text[TOKEN_TEXT];
	struct err err;

	scene_add_facility(s, HUB, "");
	crash_must(token_new(s->m[HUB].merge, &terms, s->wall_ms, text, s->token, &err), &err,
	           "token");
}

static int
use_step(struct scene *s, int no, struct err *err)
{
	token_use_note(s->token, s->base.wall_ms + no + 1);
	return token_use_keep(s->m[HUB].merge, s->mono_ms, true, err);
}

static int
use_seen(struct scene *s)
{
	int64_t used = scene_int(&s->m[HUB], "SELECT ifnull(used_ms, 0) FROM hub_token");

	return used == 0 ? 0 : (int)(used - s->base.wall_ms);
}

/* ---- a snapshot that is made to be fetched ---- */

static void
prepare_hub_folder(struct scene *s)
{
	struct node_init what = { .dir = s->dir };
	struct store_site self;
	struct err err;

	crash_must(node_init(&what, &s->m[NODE].env, &self, &err), &err, "init");
}

/* Is it the name of a snapshot that is whole? */
static bool
is_whole(const char *name)
{
	size_t len = strlen(name);

	return len > 100 && strcmp(name + len - 4, ".zst") == 0;
}

static struct store_db *
open_hub(struct scene *s, enum store_mode mode, struct err *err)
{
	char path[FOLDER_PATH_MAX];
	struct store_db *db = NULL;

	snprintf(path, sizeof path, "%s/yizhan.db", s->dir);
	return store_db_open(path, mode, &s->m[NODE].env, &db, err) == 0 ? db : NULL;
}

/* One that nobody was told of: made, it is there to stay, found it need not be. */
static void
forget_snapshots(struct scene *s)
{
	char path[FOLDER_PATH_MAX], file[FOLDER_PATH_MAX + 256];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof path, "%s/snapshots", s->dir);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(file, sizeof file, "%s/%s", path, e->d_name);
		if (is_whole(e->d_name))
			unlink(file);
	}
	if (d != NULL)
		closedir(d);
}

static int
snapshot_step(struct scene *s, int no, struct err *err)
{
	static const struct token all = { .scope = "all" };
	struct store_db *db = open_hub(s, STORE_READ, err);
	struct snapshots of = { .dir = s->dir, .db = db, .env = &s->m[NODE].env };
	struct snapshot snap;
	int rc;

	(void)no;
	if (db == NULL)
		return err->code;
	forget_snapshots(s);
	rc = snapshot_get(&of, &all, &snap, err);
	if (rc == 0)
		close(snap.fd);
	store_db_close(db);
	return rc;
}

/* Files in the folder that have a snapshot's name, and others. */
static void
count_files(struct scene *s, int *whole, int *parts)
{
	char path[FOLDER_PATH_MAX];
	struct dirent *e;
	DIR *d;

	*whole = *parts = 0;
	snprintf(path, sizeof path, "%s/snapshots", s->dir);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		*whole += is_whole(e->d_name);
		*parts += e->d_name[0] != '.' && !is_whole(e->d_name);
	}
	if (d != NULL)
		closedir(d);
}

/* What its name says of a file's bytes. */
static void
check_sum(const struct snapshot *snap)
{
	struct hash_sha256 h;
	uint8_t bytes[4096], sum[SNAPSHOT_SHA256];
	uint64_t len = 0;
	ssize_t n;

	hash_sha256_start(&h);
	while ((n = read(snap->fd, bytes, sizeof bytes)) > 0) {
		hash_sha256_add(&h, bytes, (size_t)n);
		len += (uint64_t)n;
	}
	hash_sha256_end(&h, sum);
	if (len != snap->len || memcmp(sum, snap->sha256, sizeof sum) != 0)
		crash_fail("a snapshot that has its name isn't whole");
}

/* Whole under its name, or not there; what was left of one goes with the next. */
static int
snapshot_seen(struct scene *s)
{
	static const struct token all = { .scope = "all" };
	struct snapshots of = { .dir = s->dir, .env = &s->m[NODE].env };
	struct snapshot snap;
	struct err err;
	int whole, parts, rc;

	count_files(s, &whole, &parts);
	s->recovered += parts > 0;
	of.db = open_hub(s, STORE_READ, &err);
	crash_must(of.db == NULL ? err.code : 0, &err, "open the hub");
	rc = snapshot_find(&of, &all, NULL, &snap, &err);
	crash_must(rc, &err, "find");
	if (rc == 1)
		check_sum(&snap);
	if (rc == 1)
		close(snap.fd);
	store_db_close(of.db);
	if (rc != whole)
		crash_fail("%d snapshots are there and %d are found", whole, rc);
	count_files(s, &whole, &parts);
	if (parts > 0)
		crash_fail("%d files are left over", parts);
	return rc;
}

const struct scenario scenarios_hub[] = {
	{ .name = "records-platform",
	  .recovers = "a line that was there was said again and not stored twice",
	  .victim = HUB,
	  .slow = true,
	  .steps = 3,
	  .prepare = prepare_platform,
	  .step = platform_step,
	  .probe = "SELECT CASE WHEN n % 2 = 0 AND n = keys THEN n / 2 ELSE -1 END FROM (SELECT"
	           " (SELECT count(*) FROM leave_request) n, (SELECT count(*) FROM hub_record_key)"
	           " keys)",
	  .finish = platform_again },
	{ .name = "external",
	  .recovers = "a delivery that stood was known when it came again",
	  .victim = HUB,
	  .slow = true,
	  .steps = 3,
	  .prepare = prepare_external,
	  .step = external_step,
	  .seen = external_seen,
	  .finish = external_again },
	{ .name = "late-records",
	  .recovers = "what was let in was known when it came again",
	  .victim = HUB,
	  .steps = 3,
	  .prepare = prepare_late,
	  .step = late_step,
	  .seen = late_seen,
	  .finish = late_finish },
	{ .name = "token-use",
	  .victim = HUB,
	  .slow = true,
	  .steps = 3,
	  .prepare = prepare_use,
	  .step = use_step,
	  .seen = use_seen },
	{ .name = "snapshot",
	  .recovers = "what was left of one was tidied away",
	  .victim = NODE,
	  .again = true,
	  .folder = true,
	  .slow = true,
	  .steps = 1,
	  .prepare = prepare_hub_folder,
	  .step = snapshot_step,
	  .seen = snapshot_seen },
	{ 0 },
};
