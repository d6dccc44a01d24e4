/* tests/sim/mould.c - node_init() and a roster, then into memory. */
#include "tests/sim/mould.h"
#include "node/facility/roster.h"
#include "node/facility/samples.h"
#include "node/facility/schema.h"
#include "node/facility/views.h"
#include "node/identity.h"
#include "node/init.h"
#include "store/base/file.h"
#include "store/digest.h"
#include "store/track.h"
#include "tests/sim/plan.h"
#include "tests/sim/rand.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct disk *disks[SIM_MOULD_PLACE + SIM_PLACES][2]; /* [1]: whole */
static struct samples_place places[SIM_PLACES];
static uint64_t draws;
enum { ROSTER_SEED = 2 }; /* one that gives no name twice */

static const char tables[] =
        "CREATE TABLE note(id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)), facility_id TEXT "
        "NOT NULL, text TEXT, rank INTEGER DEFAULT 0, top INTEGER DEFAULT 0, a INTEGER, b INTEGER)"
        " WITHOUT ROWID;"
        "CREATE TABLE daily(child TEXT NOT NULL, day INTEGER NOT NULL, facility_id TEXT NOT NULL,"
        " text TEXT, mood INTEGER, PRIMARY KEY(child, day)) WITHOUT ROWID;";

/*
 * What is left of the facility's tables where they aren't all there: those of the roster and of the
 * commonest things of a day.  Records and events, with groups, max, a natural key and without, of
 * the facility and of the hub alone.
 */
static const char *const small_tables[] = {
	"facility",     "class_group",        "staff",         "child",      "guardian",
	"enrollment",   "class_assignment",   "pickup_auth",   "allergy",    "attendance_event",
	"absence_case", "absence_followup",   "leave_request", "care_event", "health_check",
	"growth_ref",   "growth_measurement", "food_sample",
};

static int64_t
still(void *ctx)
{
	(void)ctx;
	return SIM_START_MS - 3600000;
}

static void
draw(void *ctx, void *bytes, size_t len)
{
	uint8_t *b = bytes;

	(void)ctx;
	while (len-- > 0)
		*b++ = (uint8_t)sim_rand(0, 0, SIM_USE_ENV, ++draws);
}

static const struct env env = { .wall_ms = still, .mono_ms = still, .rand = draw };
static const struct disk_host host = { .wall_ms = still, .rand = draw };

int
sim_mould_copy(const char *from_vfs, const char *from, const char *to_vfs, const char *to,
               struct err *err)
{
	sqlite3 *a = NULL, *b = NULL;
	sqlite3_backup *backup = NULL;
	int status = sqlite3_open_v2(from, &a, SQLITE_OPEN_READWRITE, from_vfs);

	if (status == SQLITE_OK)
		status =
		        sqlite3_open_v2(to, &b, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, to_vfs);
	if (status == SQLITE_OK)
		backup = sqlite3_backup_init(b, "main", a, "main");
	if (backup != NULL) {
		sqlite3_backup_step(backup, -1);
		status = sqlite3_backup_finish(backup);
	}
	sqlite3_close(a);
	sqlite3_close(b);
	return status == SQLITE_OK && backup != NULL
	               ? 0
	               : err_set(err, ERR_IO, "copy %s: %s", from, sqlite3_errstr(status));
}

static int
track(struct store_db *db, bool is_hub, struct err *err)
{
	static const char *const group[] = { "a,b", NULL };
	const struct store_track_spec specs[] = {
		{ .table = "note",
		  .scope = "f/",
		  .scope_column = "facility_id",
		  .max = "top",
		  .groups = group },
		{ .table = "daily", .scope = "f/", .scope_column = "facility_id" },
	};
	int rc = store_db_begin(db, err);

	if (rc == 0)
		rc = store_db_exec(db, tables, err);
	for (size_t i = 0; rc == 0 && i < sizeof specs / sizeof specs[0]; i++)
		rc = store_track_table(db, &specs[i], is_hub, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc < 0)
		store_db_rollback(db);
	return rc;
}

/* The children and staff of a made-up facility; its own row has its kind. */
static int
import(struct store_db *db, unsigned i, struct err *err)
{
	struct roster_options options = { .at = SIM_START_MS - (int64_t)3600000 };
	struct roster_counts counts;
	struct buf roster = { 0 };
	struct facility f;
	int rc;

	samples_get(i, ROSTER_SEED, &places[i], &roster);
	rc = store_db_begin(db, err);
	if (rc == 0)
		rc = facility_create(db, places[i].id, places[i].name, places[i].kind, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc < 0)
		store_db_rollback(db);
	if (rc == 0)
		rc = facility_open(&f, db, NULL, err);
	if (rc == 0)
		rc = roster_import(&f, roster.bytes, roster.len, &options, &counts, err);
	buf_free(&roster);
	return rc;
}

/* A node without anything: not even its own row, which comes from the first one of its facility. */
static int
empty(struct store_db *merge, struct err *err)
{
	return store_db_exec(merge, "DELETE FROM facility; DELETE FROM yz_log", err);
}

static int
fill(const char *path, unsigned mould, struct err *err)
{
	struct store_db *local = NULL, *merge = NULL;
	int left, rc = store_db_open(path, STORE_MERGE, &env, &merge, err);

	if (rc == 0)
		rc = track(merge, mould == SIM_MOULD_HUB, err);
	if (rc == 0 && mould == SIM_MOULD_BARE)
		rc = empty(merge, err);
	if (rc == 0)
		rc = store_db_open(path, STORE_LOCAL, &env, &local, err);
	if (rc == 0 && mould >= SIM_MOULD_PLACE)
		rc = import(local, mould - SIM_MOULD_PLACE, err);
	store_db_close(local);
	if (rc == 0)
		rc = store_db_checkpoint(merge, 0, &left, err);
	store_db_close(merge);
	return rc;
}

/* A copy has another schema version than what it was copied from: seen to once, not by each cast.
 */
static int
settle(const char *vfs, bool is_hub, struct err *err)
{
	struct env there = env;
	struct store_db *db = NULL;
	int left, rc;

	there.vfs = vfs;
	rc = store_db_open("db", STORE_MERGE, &there, &db, err);
	if (rc == 0)
		rc = store_db_begin(db, err);
	if (rc == 0)
		rc = store_track_refresh(db, is_hub, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc == 0)
		rc = store_db_checkpoint(db, 0, &left, err);
	store_db_close(db);
	return rc;
}

bool
sim_mould_has(const char *table)
{
	size_t i = 0, count = sizeof small_tables / sizeof small_tables[0];

	while (i < count && strcmp(small_tables[i], table) != 0)
		i++;
	return i < count;
}

/* The table, and the clocks of the catalogue rows that it had. */
static void
put_removal(struct buf *sql, const char *table)
{
	static const char *const clocks[] = { "yz_clock", "yz_clock_run" };

	for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++)
		buf_printf(
		        sql,
		        "DELETE FROM %s WHERE tbl = (SELECT id FROM yz_table WHERE name = '%s');",
		        clocks[i], table);
	buf_printf(sql, "DROP TABLE %s;", table);
}

/* Without their mark going too, by which they would be made again at the next opening. */
static void
put_views_away(struct buf *sql)
{
	struct facility_views_ask ask = { .is_hub = true, .personal = true };
	struct facility_view *list = NULL;
	struct arena a = { 0 };
	struct err err;
	size_t count = 0;

	if (facility_views_list(ask, &a, &list, &count, &err) < 0)
		abort();
	for (size_t i = 0; i < count; i++)
		buf_printf(sql, "DROP VIEW IF EXISTS %s;", list[i].name);
	arena_free(&a);
}

/* Take the views away and every table of the facility that isn't among the few. */
static int
make_small(const char *path, bool is_hub, struct err *err)
{
	struct store_db *db = NULL;
	struct buf sql = { 0 };
	bool mended;
	int rc = store_db_open(path, STORE_MERGE, &env, &db, err);

	put_views_away(&sql);
	for (size_t i = 0; i < facility_table_count; i++)
		if (!sim_mould_has(facility_tables[i].table))
			put_removal(&sql, facility_tables[i].table);
	if (rc == 0)
		rc = store_db_begin(db, err);
	if (rc == 0)
		rc = store_db_exec(db, buf_str(&sql), err);
	if (rc == 0)
		rc = store_track_refresh(db, is_hub, err);
	if (rc == 0)
		rc = store_digest_mend(db, &mended, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc == 0)
		rc = store_db_exec(db, "VACUUM", err);
	store_db_close(db);
	buf_free(&sql);
	return rc;
}

/* What is kept for bad times costs time and memory here; a hole of that size will do. */
static void
make_reserve(const char *dir)
{
	char path[128];
	int fd;

	snprintf(path, sizeof path, "%s/reserve", dir);
	mkdir(dir, 0700);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && ftruncate(fd, IDENTITY_RESERVE_BYTES) == 0)
		close(fd);
}

static void
take_away(const char *dir)
{
	static const char *const names[] = { "yizhan.db", "yizhan.db-wal",   "yizhan.db-shm",
		                             "key",       "allowed_signers", "anchor",
		                             "node.conf", "reserve" };
	char path[128];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static int
make(const char *folder, unsigned mould, struct err *err)
{
	char dir[64], path[80], name[16];
	struct node_init what = { .dir = dir, .facility = "F1" };
	struct store_site self;
	struct buf none = { 0 };
	int rc;

	snprintf(dir, sizeof dir, "%s/m%u", folder, mould);
	snprintf(path, sizeof path, "%s/yizhan.db", dir);
	if (mould == SIM_MOULD_HUB)
		what.facility = NULL;
	if (mould >= SIM_MOULD_PLACE) {
		samples_get(mould - SIM_MOULD_PLACE, ROSTER_SEED, &places[mould - SIM_MOULD_PLACE],
		            &none);
		buf_free(&none);
		what.facility = places[mould - SIM_MOULD_PLACE].id;
	}
	make_reserve(dir);
	rc = node_init(&what, &env, &self, err);
	if (rc == 0)
		rc = fill(path, mould, err);
	for (int whole = 1; rc == 0 && whole >= 0; whole--) {
		snprintf(name, sizeof name, "mould%u%s", mould, whole ? "" : "s");
		disks[mould][whole] = disk_new(name, &host);
		if (!whole)
			rc = make_small(path, mould == SIM_MOULD_HUB, err);
		if (rc == 0)
			rc = sim_mould_copy(NULL, path, name, "db", err);
		if (rc == 0)
			rc = settle(name, mould == SIM_MOULD_HUB, err);
	}
	take_away(dir);
	return rc;
}

int
sim_mould_make(struct err *err)
{
	char folder[] = "/tmp/yizhan-sim.XXXXXX";
	int rc = 0;

	if (mkdtemp(folder) == NULL)
		return err_set(err, ERR_IO, "no folder can be made in /tmp");
	for (unsigned i = 0; rc == 0 && i < SIM_MOULD_PLACE + SIM_PLACES; i++)
		rc = make(folder, i, err);
	rmdir(folder);
	return rc;
}

int
sim_mould_cast(struct sim_mould_of which, struct disk *disk, const char *path, struct err *err)
{
	return disk_put(disk, path, disks[which.mould][which.whole], "db")
	               ? 0
	               : err_set(err, ERR_IO, "no mould %u", which.mould);
}

const char *
sim_mould_facility(unsigned i)
{
	return places[i].id;
}
