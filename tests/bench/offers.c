/*
 * tests/bench/offers.c - what the central platform gets: lines of the feed a
 * second, and the snapshot of a million rows while somebody writes.
 */
#include "node/hub/hub_schema.h"
#include "node/hub/snapshot.h"
#include "tests/bench/bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FEED_ROWS = 200000,
	FEED_UNIT = 1000,
	SNAPSHOT_ROWS = 1000000,
	SNAPSHOT_UNIT = 20000,
};

static const struct token everything = { .scope = "all", .personal = true };

/* ---- the feed ---- */

/* struct sync_replica's `applied` */
static int
feed(void *ctx, const struct sync_unit *unit, struct err *err)
{
	struct bench_file *f = ctx;

	return feed_append(f->merge, unit, env_wall_ms(f->env), err);
}

static void
fill(struct bench_file *f, size_t rows, size_t unit)
{
	for (size_t from = 0; from < rows; from += unit) {
		struct bench_row *some = bench_rows(from, unit);

		bench_insert(f, some, unit);
		bench_seal(f);
		free(some);
	}
	bench_settle(f);
}

/* All of it, a page after the other; lines. */
static int64_t
read_feed(struct bench_file *f, const struct token *token)
{
	struct feed_query query = { .limit = FEED_LIMIT_MAX, .token = token };
	struct feed_end end = { .more = true };
	char since[FEED_CURSOR] = "";
	struct buf page = { 0 };
	int64_t lines = 0;
	struct err err;

	query.since = since;
	while (end.more) {
		buf_clear(&page);
		bench_must(feed_page(f->local, &query, &page, &end, &err), &err);
		memcpy(since, end.next, sizeof since);
		lines += end.lines;
	}
	buf_free(&page);
	return lines;
}

static double
feed_rate(struct bench_file *f, const struct token *token)
{
	double rates[BENCH_TURNS];

	for (size_t turn = 0; turn < BENCH_TURNS; turn++) {
		double begun = bench_now();
		int64_t lines = read_feed(f, token);

		if (lines != FEED_ROWS) {
			fprintf(stderr, "bench: the feed has %lld lines\n", (long long)lines);
			exit(1);
		}
		rates[turn] = (double)lines / (bench_now() - begun);
	}
	return bench_median(rates, BENCH_TURNS);
}

void
bench_feed(void)
{
	static const struct token narrow = { .scope = "all" };
	struct bench_file f;
	struct err err;

	bench_open(&f, "feed", env_real(), true, 1);
	bench_pragma(&f, "PRAGMA synchronous=OFF");
	bench_must(hub_schema_migrate(f.merge, &err), &err);
	f.r.applied = feed;
	f.r.ctx = &f;
	fill(&f, FEED_ROWS, FEED_UNIT);
	bench_say("feed_per_s", feed_rate(&f, &everything), 0);
	bench_say("feed_without_personal_per_s", feed_rate(&f, &narrow), 0);
	bench_close(&f);
}

/* ---- a snapshot ---- */

/* Who writes meanwhile, a row a transaction. */
struct writer {
	struct bench_file *f;
	atomic_bool stop;
	int64_t count;
	double longest;
};

static void *
write_on(void *ctx)
{
	struct writer *w = ctx;

	while (!atomic_load(&w->stop)) {
		struct bench_row *row = bench_rows(SNAPSHOT_ROWS + (size_t)w->count, 1);
		double begun = bench_now(), took;

		bench_insert(w->f, row, 1);
		took = bench_now() - begun;
		w->longest = took > w->longest ? took : w->longest;
		w->count++;
		free(row);
		usleep(1000);
	}
	return NULL;
}

static void
remove_snapshots(const char *folder)
{
	char command[400];

	snprintf(command, sizeof command, "rm -rf '%s/snapshots'", folder);
	if (system(command) != 0) // NOLINT(cert-env33-c): the run's own folder
		fprintf(stderr, "bench: %s stays\n", folder);
}

void
bench_snapshot(void)
{
	struct bench_file f;
	struct kept_place of = { .env = env_real() };
	struct kept made;
	struct writer w = { .f = &f };
	char folder[256];
	pthread_t thread;
	double begun;
	struct err err;

	bench_open(&f, "snapshot", env_real(), true, 1);
	bench_must(hub_schema_migrate(f.merge, &err), &err);
	bench_pragma(&f, "PRAGMA synchronous=OFF");
	fill(&f, SNAPSHOT_ROWS, SNAPSHOT_UNIT);
	bench_pragma(&f, "PRAGMA synchronous=FULL");
	bench_must(store_db_open(f.path, STORE_READ, env_real(), &of.db, &err), &err);
	snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(f.path, '/') - f.path), f.path);
	of.dir = folder;
	if (pthread_create(&thread, NULL, write_on, &w) != 0)
		exit(1);
	begun = bench_now();
	bench_must(snapshot_get(&of, &everything, &made, &err), &err);
	begun = bench_now() - begun;
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	bench_say("snapshot_1m_s", begun, 2);
	bench_say("snapshot_1m_mib", (double)made.len / (1 << 20), 1);
	bench_say("snapshot_1m_writes_meanwhile_per_s", (double)w.count / begun, 0);
	bench_say("snapshot_1m_longest_write_ms", w.longest * 1000, 0);
	close(made.fd);
	store_db_close(of.db);
	remove_snapshots(folder);
	bench_close(&f);
}
