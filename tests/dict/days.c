#include "tests/dict/days.h"

#include "node/facility/day.h"
#include "node/facility/roster.h"
#include "node/init.h"
#include "store/base/file.h"
#include "store/stream.h"
#include "sync/codec/codec.h"
#include "sync/codec/pack.h"
#include "sync/seal/seal.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
must(int rc, const struct err *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%s\n", err->msg);
	exit(1);
}

/* ---- time and chance ---- */

static struct days *clock_of; /* SQLite's too, which the triggers read */

static int64_t
wall(void *ctx)
{
	return ((struct days *)ctx)->wall_ms;
}

static int
julian_now(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
	(void)vfs;
	*now = clock_of->wall_ms + 210866760000000; /* ms since the Julian epoch */
	return SQLITE_OK;
}

static uint64_t
draw(struct days *d)
{
	uint64_t z = d->random += 0x9e3779b97f4a7c15u; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void
draw_bytes(void *ctx, void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)bytes)[i] = (uint8_t)(draw(ctx) >> 24);
}

static void
make_env(struct days *d)
{
	static sqlite3_vfs vfs;

	clock_of = d;
	if (vfs.zName == NULL) {
		vfs = *sqlite3_vfs_find(NULL);
		vfs.zName = "days";
		vfs.xCurrentTimeInt64 = julian_now;
		sqlite3_vfs_register(&vfs, 0);
	}
	d->env = (struct env){
		.wall_ms = wall, .mono_ms = wall, .rand = draw_bytes, .vfs = vfs.zName, .ctx = d
	};
}

/* ---- a facility ---- */

static void
seal(struct days *d)
{
	struct sync_sealed sealed;
	struct err err;

	must(store_db_begin(d->merge, &err), &err);
	must(sync_seal(&d->replica, &sealed, &err), &err);
	must(store_db_commit(d->merge, &err), &err);
}

static void
read_roster(struct days *d)
{
	static const char *const rosters[] = { "centre-1", "centre-2", "station-1" };
	struct roster_options opt = { .at = d->wall_ms };
	struct roster_counts counts;
	struct buf text = { 0 };
	struct err err;
	char path[64];

	snprintf(path, sizeof path, "packaging/rosters/%s.csv", rosters[draw(d) % 3]);
	must(file_read(path, ROSTER_BYTES_MAX, &text, &err), &err);
	must(roster_import(&d->facility, text.bytes, text.len, &opt, &counts, &err), &err);
	buf_free(&text);
}

void
days_open(struct days *d, uint64_t seed)
{
	struct store_site self;
	struct node_init init;
	struct err err;
	char facility[16], path[80];

	*d = (struct days){ .dir = "/tmp/yizhan-days.XXXXXX",
		            .random = seed,
		            .wall_ms = 1772400000000 };
	make_env(d);
	if (mkdtemp(d->dir) == NULL)
		exit(1);
	snprintf(facility, sizeof facility, "F%03d", (int)(draw(d) % 1000));
	init = (struct node_init){ .dir = d->dir, .facility = facility };
	must(node_init(&init, &d->env, &self, &err), &err);
	snprintf(path, sizeof path, "%s/yizhan.db", d->dir);
	must(store_db_open(path, STORE_LOCAL, &d->env, &d->local, &err), &err);
	must(store_db_open(path, STORE_MERGE, &d->env, &d->merge, &err), &err);
	must(store_db_exec(d->local, "PRAGMA synchronous=OFF", &err), &err);
	must(store_db_exec(d->merge, "PRAGMA synchronous=OFF", &err), &err);
	must(facility_open(&d->facility, d->local, NULL, &err), &err);
	must(sync_replica_open(&d->replica, d->merge, false, &err), &err);
	read_roster(d);
	seal(d);
}

void
days_play(struct days *d, int date, unsigned taps)
{
	struct arena arena = { 0 };
	struct facility_action *list;
	struct err err;
	size_t count;
	uint64_t left = 1;

	must(facility_day_plan(&d->facility, date, draw(d), &arena, &list, &count, &err), &err);
	for (size_t i = 0; i < count; i++) {
		int64_t now =
		        list[i].as.at + 3 + (int64_t)(draw(d) % 15); /* of a tap to the disk */

		d->wall_ms = now > d->wall_ms ? now : d->wall_ms;
		if (facility_day_do(&d->facility, &list[i], &err) < 0)
			continue; /* refused, as a person would be */
		if (--left > 0)
			continue;
		d->wall_ms += 500 + (int64_t)(draw(d) % 30000);
		seal(d);
		left = taps > 0 ? taps : 1 + draw(d) % (draw(d) % 4 ? 6 : 20);
	}
	seal(d);
	arena_free(&arena);
}

void
days_segments(struct days *d,
              void (*each)(void *ctx, const struct store_segment *seg, const struct buf *raw),
              void *ctx)
{
	struct arena arena = { 0 };
	struct store_stream *streams;
	struct err err;
	size_t count;

	must(store_stream_list(d->merge, 0, &arena, &streams, &count, &err), &err);
	for (size_t i = 0; i < count; i++)
		for (uint64_t n = 1; n <= streams[i].n;) {
			struct store_segment seg;
			struct buf raw = { 0 };

			must(store_segment_at(d->merge, streams[i].id, n, &arena, &seg, &err),
			     &err);
			must(sync_unpack(seg.body, seg.body_len, seg.raw_len, &raw, &err), &err);
			each(ctx, &seg, &raw);
			buf_free(&raw);
			n = seg.last + 1;
		}
	arena_free(&arena);
}

void
days_close(struct days *d)
{
	static const char *const files[] = { "yizhan.db", "yizhan.db-wal", "yizhan.db-shm",
		                             "key",       "node.conf",     "reserve" };

	sync_replica_close(&d->replica);
	store_db_close(d->local);
	store_db_close(d->merge);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char path[128];

		snprintf(path, sizeof path, "%s/%s", d->dir, files[i]);
		unlink(path);
	}
	rmdir(d->dir);
}
