/* tests/crash/files.c - scenarios on real files: init, settings, anchor, epochs, archive, backup.
 */
#include "tests/crash/crash.h"
#include "tests/crash/folder.h"

#include "node/config.h"
#include "node/identity.h"
#include "node/init.h"
#include "node/station.h"
#include "store/base/buf.h"
#include "store/base/file.h"
#include "store/stmt.h"
#include "sync/archive/archive.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The database's life, as a number that another one hasn't. */
#define EPOCH                                                                                      \
	"SELECT unicode(substr(e, 1, 1)) + 100 * unicode(substr(e, 2, 1)) + 10000 *"               \
	" unicode(substr(e, 3, 1)) + 1000000 * unicode(substr(e, 4, 1)) FROM"                      \
	" (SELECT hex(value) e FROM yz_meta WHERE name = 'epoch')"

static struct store_db *kept; /* a connection that stays open from step to step */

static const struct env *
env_of(struct scene *s)
{
	return &s->m[NODE].env;
}

static const char *
in_dir(struct scene *s, const char *name)
{
	static char path[FOLDER_PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", s->dir, name);
	return path;
}

static bool
is_there(struct scene *s, const char *name)
{
	return access(in_dir(s, name), F_OK) == 0;
}

/* Is there something beside the file that was to become the next one, and didn't? */
static bool
is_half_done(struct scene *s, const char *name)
{
	DIR *d = opendir(s->dir);
	size_t len = strlen(name);
	bool found = false;
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		found = found || (strncmp(e->d_name, name, len) == 0 && e->d_name[len] == '.');
	if (d != NULL)
		closedir(d);
	return found;
}

/* One number out of the database, looked at by nobody who would change it. */
static int64_t
look(struct scene *s, const char *sql)
{
	struct store_db *db = NULL;
	struct err err;
	int64_t value;

	crash_must(store_db_open(in_dir(s, "yizhan.db"), STORE_READ, env_of(s), &db, &err), &err,
	           "look");
	crash_must(store_stmt_int(db, sql, -1, &value, &err), &err, sql);
	store_db_close(db);
	return value;
}

/* ---- init ---- */

static void
prepare_empty(struct scene *s)
{
	(void)s;
}

static int
init_node(struct scene *s, int no, struct err *err)
{
	struct node_init what = { .dir = s->dir, .facility = "F1", .name = "one" };
	struct store_site self;

	(void)no;
	return node_init(&what, env_of(s), &self, err);
}

static int
init_hub(struct scene *s, int no, struct err *err)
{
	struct node_init what = { .dir = s->dir };
	struct store_site self;

	(void)no;
	return node_init(&what, env_of(s), &self, err);
}

/* What has its database has all the rest too; what hasn't may be begun anew. */
static int
init_seen(struct scene *s)
{
	struct station st;
	struct err err;

	if (!is_there(s, "yizhan.db")) {
		s->recovered++;
		return 0;
	}
	crash_must(station_open(s->dir, env_of(s), &st, &err), &err, "open what was made");
	if (!st.is_hub && scene_number(st.local, "SELECT count(*) FROM facility") != 1)
		crash_fail("the facility's own row is not there");
	station_close(&st);
	return 1;
}

/* ---- small files ---- */

static void
prepare_init(struct scene *s)
{
	struct err err;

	crash_must(init_node(s, 0, &err), &err, "init");
}

static int
config_step(struct scene *s, int no, struct err *err)
{
	static const char *const names[] = { "number 1", "number 2", "number 3" };

	return config_set(s->dir, "facility.name", names[no], err);
}

static int
config_seen(struct scene *s)
{
	struct config config;
	struct err err;

	s->recovered += is_half_done(s, "node.conf");
	crash_must(config_load(s->dir, &config, &err), &err, "settings");
	if (strcmp(config.facility_id, "F1") != 0)
		return -1;
	return strcmp(config.facility_name, "one") == 0 ? 0 : config.facility_name[7] - '0';
}

static int
signer_step(struct scene *s, int no, struct err *err)
{
	uint8_t node[STORE_NODE_ID] = { (uint8_t)no }, key[SYNC_PUBLIC_KEY] = { (uint8_t)no };

	return identity_allow_signer(s->dir, node, key, err);
}

static int
signer_seen(struct scene *s)
{
	struct buf text = { 0 };
	struct err err;
	int lines = 0;

	s->recovered += is_half_done(s, "allowed_signers");
	crash_must(file_read(in_dir(s, "allowed_signers"), 1 << 20, &text, &err), &err, "signers");
	for (size_t i = 0; i < text.len; i++)
		lines += text.bytes[i] == '\n';
	if (text.bytes[text.len - 1] != '\n')
		lines = 0; /* less than init had written */
	buf_free(&text);
	return lines - 1;
}

/* ---- a station that is opened, writes, leaves its anchor, closes ---- */

#define WRITE                                                                                      \
	"INSERT INTO class_group(id, facility_id, name, kind) VALUES (randomblob(16), 'F1', 'c', " \
	"2)"

static int
visit(struct scene *s, const char *sql, struct err *err)
{
	struct station st;
	int rc = station_open(s->dir, env_of(s), &st, err);

	if (rc < 0)
		return rc;
	if (sql != NULL)
		rc = store_db_exec(st.local, sql, err);
	if (rc == 0)
		rc = station_anchor(&st, err);
	station_close(&st);
	return rc;
}

static void
prepare_station(struct scene *s)
{
	struct err err;

	prepare_init(s);
	for (int i = 0; i < 3; i++) /* so that the anchor names streams with records */
		crash_must(visit(s, NULL, &err), &err, "visit");
	s->epoch = look(s, EPOCH);
}

static int
visit_step(struct scene *s, int no, struct err *err)
{
	(void)no;
	return visit(s, WRITE, err);
}

/* A cut is no reason for a new epoch. */
static int
visit_seen(struct scene *s)
{
	s->recovered += is_half_done(s, "anchor");
	if (look(s, EPOCH) != s->epoch)
		crash_fail("a new epoch without a reason");
	return (int)look(s, "SELECT count(*) FROM class_group");
}

static void
prepare_lost(struct scene *s)
{
	prepare_station(s);
	unlink(in_dir(s, "anchor"));
	folder_sync();
}

static void
prepare_clone(struct scene *s)
{
	prepare_station(s);
	folder_copy_file("yizhan.db");
}

static void
prepare_restored(struct scene *s)
{
	struct buf old = { 0 };
	struct err err;

	prepare_station(s);
	crash_must(file_read(in_dir(s, "yizhan.db"), 64 << 20, &old, &err), &err, "copy");
	for (int i = 0; i < 2; i++)
		crash_must(visit(s, "UPDATE facility SET name = name || '+'", &err), &err, "go on");
	folder_put("yizhan.db", old.bytes, old.len);
	buf_free(&old);
}

/* Until the epoch is a new one, whoever opens the file makes it one; then it may be written. */
static int
epoch_seen(struct scene *s)
{
	bool is_new = look(s, EPOCH) != s->epoch;
	int rows = (int)look(s, "SELECT count(*) FROM class_group");

	s->recovered += is_new;
	return is_new ? rows : rows == 0 ? 0 : -1;
}

/* ---- the unix VFS itself, on files: a log whose folder or sync fails ---- */

static void
close_kept(struct scene *s)
{
	(void)s;
	store_db_close(kept);
	kept = NULL;
}

static int
keep_open(struct scene *s, struct err *err)
{
	return kept != NULL
	               ? 0
	               : store_db_open(in_dir(s, "yizhan.db"), STORE_LOCAL, env_of(s), &kept, err);
}

static int
tap_step(struct scene *s, int no, struct err *err)
{
	int rc = keep_open(s, err);

	(void)no;
	return rc == 0 ? store_db_exec(kept, WRITE, err) : rc;
}

/* By the connection that stays: one that is closed would take the log into the database. */
static void
tap_restart(struct scene *s)
{
	s->recovered += is_there(s, "yizhan.db-wal");
}

static int
tap_seen(struct scene *s)
{
	struct err err;

	crash_must(keep_open(s, &err), &err, "open");
	return (int)scene_number(kept, "SELECT CASE WHEN r = l THEN r ELSE -1 END FROM (SELECT"
	                               " count(*) r FROM class_group), (SELECT count(*) l FROM"
	                               " yz_log)");
}

/* ---- the archive ---- */

static int
archive(struct scene *s, const char *sql, struct sync_archive_result *result, struct err *err)
{
	struct station st;
	int rc = station_open(s->dir, env_of(s), &st, err);

	if (rc < 0)
		return rc;
	if (sql != NULL)
		rc = store_db_exec(st.local, sql, err);
	if (rc == 0)
		rc = station_archive(&st, result, err);
	station_close(&st);
	return rc;
}

static int
archive_step(struct scene *s, int no, struct err *err)
{
	struct sync_archive_result result;
	char sql[256];

	/* each round has something to say, and says it once */
	snprintf(sql, sizeof sql,
	         "INSERT INTO class_group(id, facility_id, name, kind) SELECT x'%032d', 'F1', 'c',"
	         " 2 WHERE NOT EXISTS(SELECT 1 FROM class_group WHERE id = x'%032d')",
	         no, no);
	return archive(s, sql, &result, err);
}

static int
archive_seen(struct scene *s)
{
	return (int)look(s, "SELECT count(*) FROM yz_archive");
}

static void
tell_archive(void *ctx, const struct sync_archive_problem *p)
{
	(void)ctx;
	crash_fail("archive: %s: %s", p->where, p->what);
}

static void
verify_archive(struct scene *s, size_t commits)
{
	struct sync_archive_check check = { .tell = tell_archive };
	struct store_db *db = NULL;
	struct err err;

	crash_must(store_db_open(in_dir(s, "yizhan.db"), STORE_READ, env_of(s), &db, &err), &err,
	           "open");
	crash_must(sync_archive_verify(db, s->dir, &check, &err), &err, "verify");
	store_db_close(db);
	if (check.commits != commits)
		crash_fail("%zu commits in the archive, not %zu", check.commits, commits);
}

/* The next round makes up for what a cut prevented. */
static void
archive_finish(struct scene *s)
{
	struct sync_archive_result result = { 0 };
	struct err err;

	crash_must(archive(s, NULL, &result, &err), &err, "one more round");
	s->recovered += result.commits > 0;
	verify_archive(s, 2);
}

static void
prepare_archive(struct scene *s)
{
	struct err err;

	prepare_station(s);
	for (int i = 0; i < 2; i++)
		crash_must(archive_step(s, i, &err), &err, "archive");
}

static int
rebuild_step(struct scene *s, int no, struct err *err)
{
	struct sync_archive_result result;
	struct store_db *db = NULL;
	int rc = store_db_open(in_dir(s, "yizhan.db"), STORE_MERGE, env_of(s), &db, err);

	(void)no;
	if (rc == 0)
		rc = sync_archive_rebuild(db, s->dir, &result, err);
	store_db_close(db);
	return rc == 0 ? config_set(s->dir, "facility.name", "number 1", err) : rc;
}

static int
rebuild_seen(struct scene *s)
{
	s->recovered += is_there(s, "archive.git.new/HEAD") || !is_there(s, "archive.git/HEAD");
	return config_seen(s);
}

static void
rebuild_finish(struct scene *s)
{
	verify_archive(s, 2);
}

/* ---- backup ---- */

static int
backup_step(struct scene *s, int no, struct err *err)
{
	struct store_db *db = NULL;
	int rc = store_db_open(in_dir(s, "yizhan.db"), STORE_READ, env_of(s), &db, err);

	(void)no;
	unlink(in_dir(s, "copy.db")); /* one that nobody was told of */
	if (rc == 0)
		rc = store_db_backup(db, in_dir(s, "copy.db"), err);
	store_db_close(db);
	return rc;
}

/* What has its name is whole; a part that was left is made anew. */
static int
backup_seen(struct scene *s)
{
	struct store_db *db = NULL;
	struct err err;
	int64_t good;

	s->recovered += is_there(s, "copy.db.part");
	if (!is_there(s, "copy.db"))
		return 0;
	crash_must(store_db_open(in_dir(s, "copy.db"), STORE_READ, env_of(s), &db, &err), &err,
	           "open the copy");
	crash_must(store_stmt_int(db,
	                          "SELECT (SELECT count(*) FROM facility) = 1 AND (SELECT count(*)"
	                          " FROM pragma_integrity_check WHERE integrity_check = 'ok') = 1",
	                          0, &good, &err),
	           &err, "read the copy");
	store_db_close(db);
	if (!good)
		crash_fail("a copy that has its name isn't whole");
	return 1;
}

const struct scenario scenarios_files[] = {
	{ .name = "init-node",
	  .recovers = "an init that was cut was begun anew",
	  .victim = NODE,
	  .folder = true,
	  .slow = true,
	  .steps = 1,
	  .prepare = prepare_empty,
	  .step = init_node,
	  .seen = init_seen },
	{ .name = "init-hub",
	  .recovers = "an init that was cut was begun anew",
	  .victim = NODE,
	  .folder = true,
	  .slow = true,
	  .steps = 1,
	  .prepare = prepare_empty,
	  .step = init_hub,
	  .seen = init_seen },
	{ .name = "settings",
	  .recovers = "what was to become the next one was left, and not read",
	  .victim = NODE,
	  .again = true,
	  .folder = true,
	  .steps = 3,
	  .prepare = prepare_init,
	  .step = config_step,
	  .seen = config_seen },
	{ .name = "signers",
	  .recovers = "what was to become the next one was left, and not read",
	  .victim = NODE,
	  .again = true,
	  .folder = true,
	  .steps = 3,
	  .prepare = prepare_init,
	  .step = signer_step,
	  .seen = signer_seen },
	{ .name = "anchor",
	  .recovers = "what was to become the next one was left, and not read",
	  .victim = NODE,
	  .folder = true,
	  .slow = true,
	  .steps = 3,
	  .prepare = prepare_station,
	  .step = visit_step,
	  .seen = visit_seen },
	{ .name = "epoch-anchor-lost",
	  .recovers = "a new epoch began",
	  .victim = NODE,
	  .folder = true,
	  .slow = true,
	  .steps = 2,
	  .prepare = prepare_lost,
	  .step = visit_step,
	  .seen = epoch_seen },
	{ .name = "epoch-restored",
	  .recovers = "a new epoch began",
	  .victim = NODE,
	  .folder = true,
	  .slow = true,
	  .steps = 2,
	  .prepare = prepare_restored,
	  .step = visit_step,
	  .seen = epoch_seen },
	{ .name = "epoch-cloned",
	  .recovers = "a new epoch began",
	  .victim = NODE,
	  .folder = true,
	  .slow = true,
	  .steps = 2,
	  .prepare = prepare_clone,
	  .step = visit_step,
	  .seen = epoch_seen },
	{ .name = "tap-on-files",
	  .recovers = "a log was there to be replayed",
	  .victim = NODE,
	  .folder = true,
	  .slow = true,
	  .steps = 3,
	  .prepare = prepare_station,
	  .step = tap_step,
	  .seen = tap_seen,
	  .restart = tap_restart,
	  .stop = close_kept },
	{ .name = "archive-round",
	  .recovers = "a round made up for commits that a cut prevented",
	  .victim = NODE,
	  .folder = true,
	  .slow = true,
	  .steps = 2,
	  .prepare = prepare_station,
	  .step = archive_step,
	  .seen = archive_seen,
	  .finish = archive_finish },
	{ .name = "archive-rebuild",
	  .recovers = "a cut left a half-made repository",
	  .victim = NODE,
	  .again = true,
	  .folder = true,
	  .slow = true,
	  .steps = 1,
	  .prepare = prepare_archive,
	  .step = rebuild_step,
	  .seen = rebuild_seen,
	  .finish = rebuild_finish },
	{ .name = "backup",
	  .recovers = "a part was made anew",
	  .victim = NODE,
	  .again = true,
	  .folder = true,
	  .slow = true,
	  .steps = 1,
	  .prepare = prepare_station,
	  .step = backup_step,
	  .seen = backup_seen },
	{ 0 },
};
