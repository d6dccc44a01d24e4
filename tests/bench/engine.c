/*
 * tests/bench/engine.c - seal, merge, codec: changes a second, and the memory of
 * a merge.
 *
 * Bare and merged rows go in by transactions of the same size, with the same
 * pragmas; a merge is all of it: unpack, decode, chain, signature, rights,
 * merge, rows, clocks, digest, the segment itself, commit.
 */
#include "sync/codec/codec.h"
#include "sync/codec/segment.h"
#include "sync/merge/ingest.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SEAL_ROWS = 50000,
	SEAL_BATCH = 1000,
	UNIT_ROWS = 10000, /* of one segment */
	UNITS = 3,         /* of one turn */
};

/* ---- seal ---- */

void
bench_seal_rate(void)
{
	double rates[BENCH_TURNS];
	struct bench_file f;

	bench_open(&f, "seal", env_real(), true, 1);
	for (size_t turn = 0; turn < BENCH_TURNS; turn++) {
		struct bench_row *rows = bench_rows(turn * SEAL_ROWS, SEAL_ROWS);
		double begun;

		for (size_t i = 0; i < SEAL_ROWS; i += SEAL_BATCH)
			bench_insert(&f, rows + i, SEAL_BATCH);
		free(rows);
		bench_settle(&f);
		begun = bench_now();
		rates[turn] = (double)bench_seal(&f) / (bench_now() - begun);
		bench_settle(&f);
	}
	bench_say("seal_per_s", bench_median(rates, BENCH_TURNS), 0);
	bench_close(&f);
}

/* ---- merge ---- */

/* Seal these rows at `from` and give the segment as it travels in a bundle. */
static struct buf
make_segment(struct bench_file *from, const struct bench_row *rows, size_t count)
{
	struct store_stream *list;
	struct store_segment seg;
	struct arena a = { 0 };
	struct buf out = { 0 };
	struct sync_site site;
	size_t streams;
	struct err err;

	bench_insert(from, rows, count);
	bench_seal(from);
	bench_settle(from);
	bench_must(store_stream_list(from->merge, 0, &a, &list, &streams, &err), &err);
	bench_must(store_segment_at(from->merge, list[0].id, list[0].n, &a, &seg, &err), &err);
	memcpy(site.node, from->r.self.node, STORE_NODE_ID);
	memcpy(site.epoch, from->r.self.epoch, STORE_EPOCH);
	sync_segment_write(&out, &seg, &site, store_catalog_scope_of(from->merge, list[0].scope));
	arena_free(&a);
	return out;
}

static void
merge_segment(struct bench_file *to, const struct buf *segment)
{
	struct rd bytes = rd_from(segment->bytes, segment->len);
	struct sync_ingested got;
	struct err err;

	bench_must(sync_ingest_begin(&to->r, &err), &err);
	bench_must(sync_ingest_full(&to->r, &bytes, false, &got, &err), &err);
	bench_must(sync_ingest_end(&to->r, &err), &err);
	if (got.outcome == SYNC_STORED && got.kept_aside == 0)
		return;
	fprintf(stderr, "bench: a segment was not taken: %d %s\n", (int)got.outcome, got.reason);
	exit(1);
}

/* One turn: the same rows bare and merged; seconds of each. */
static void
merge_turn(struct bench_file files[3], size_t turn, double took[2])
{
	took[0] = took[1] = 0;
	for (size_t i = 0; i < UNITS; i++) {
		struct bench_row *rows = bench_rows((turn * UNITS + i) * UNIT_ROWS, UNIT_ROWS);
		struct buf segment = make_segment(&files[0], rows, UNIT_ROWS);
		double begun = bench_now(), between;

		bench_insert(&files[1], rows, UNIT_ROWS);
		between = bench_now();
		merge_segment(&files[2], &segment);
		took[0] += between - begun;
		took[1] += bench_now() - between;
		buf_free(&segment);
		free(rows);
	}
	bench_settle(&files[1]);
	bench_settle(&files[2]);
}

/* The median ratio of speeds; and the speeds, of bare and merged rows a second. */
static double
merge_against_bare(const char *pragma, double rates[2])
{
	double merged[BENCH_TURNS], bare[BENCH_TURNS], ratios[BENCH_TURNS], took[2];
	struct bench_file files[3];

	bench_open(&files[0], "from", env_real(), true, 1);
	bench_open(&files[1], "bare", env_real(), false, 1);
	bench_open(&files[2], "to", env_real(), true, 2);
	bench_pragma(&files[0], "PRAGMA synchronous=OFF");
	bench_pragma(&files[1], pragma);
	bench_pragma(&files[2], pragma);
	for (size_t turn = 0; turn < BENCH_TURNS; turn++) {
		merge_turn(files, turn, took);
		bare[turn] = UNITS * UNIT_ROWS / took[0];
		merged[turn] = UNITS * UNIT_ROWS / took[1];
		ratios[turn] = took[0] / took[1];
	}
	rates[0] = bench_median(bare, BENCH_TURNS);
	rates[1] = bench_median(merged, BENCH_TURNS);
	for (int i = 0; i < 3; i++)
		bench_close(&files[i]);
	return bench_median(ratios, BENCH_TURNS);
}

void
bench_merge(void)
{
	double rates[2];

	bench_say("merge_vs_bare_ratio", merge_against_bare("PRAGMA synchronous=OFF", rates), 2);
	bench_say("merge_per_s", rates[1], 0);
	bench_say("bare_insert_per_s", rates[0], 0);
	/* each transaction flushed to the disk, as a node runs */
	bench_say("merge_vs_bare_full_ratio", merge_against_bare("PRAGMA synchronous=FULL", rates),
	          2);
	bench_say("merge_full_per_s", rates[1], 0);
}

/* ---- codec ---- */

struct names {
	struct arena arena;
	const struct store_schema *schemas[16];
};

static const struct store_schema *
resolve(void *ctx, unsigned no, struct err *err)
{
	(void)err;
	return no < 16 ? ((struct names *)ctx)->schemas[no] : NULL;
}

static int
define(void *ctx, const struct sync_definition *def, struct err *err)
{
	struct names *names = ctx;
	struct store_schema *schema;
	int rc = store_schema_read(def->bytes, def->len, &names->arena, &schema, err);

	if (rc == 0 && def->no < 16)
		names->schemas[def->no] = schema;
	return rc;
}

void
bench_codec(void)
{
	struct names names = { 0 };
	struct sync_codec_schemas schemas = { .resolve = resolve, .define = define, .ctx = &names };
	double encode[BENCH_TURNS], decode[BENCH_TURNS];
	struct bench_row *rows = bench_rows(0, UNIT_ROWS);
	struct bench_file f;
	struct arena a = { 0 };
	struct sync_record *records;
	struct store_segment seg;
	struct sync_site site;
	const char *scope;
	struct buf segment, raw = { 0 };
	struct rd r;
	size_t count;
	struct err err;

	bench_open(&f, "codec", env_real(), true, 1);
	segment = make_segment(&f, rows, UNIT_ROWS);
	r = rd_from(segment.bytes, segment.len);
	bench_must(sync_segment_read(&r, &a, &seg, &site, &scope, &err), &err);
	bench_must(sync_segment_open(&seg, &schemas, &a, &records, &count, &err), &err);
	for (size_t turn = 0; turn < BENCH_TURNS; turn++) {
		struct arena scratch = { 0 };
		struct sync_record *again;
		double begun = bench_now(), between;

		buf_clear(&raw);
		bench_must(sync_codec_encode(records, count, &raw, &err), &err);
		between = bench_now();
		bench_must(sync_codec_decode(&(struct sync_raw){ raw.bytes, raw.len, count },
		                             &schemas, &scratch, &again, &err),
		           &err);
		encode[turn] = (double)count / (between - begun);
		decode[turn] = (double)count / (bench_now() - between);
		arena_free(&scratch);
	}
	bench_say("codec_encode_per_s", bench_median(encode, BENCH_TURNS), 0);
	bench_say("codec_decode_per_s", bench_median(decode, BENCH_TURNS), 0);
	buf_free(&raw);
	buf_free(&segment);
	arena_free(&names.arena);
	arena_free(&a);
	bench_close(&f);
	free(rows);
}

/* ---- memory ---- */

/*
 * Merge so many segments in this process; how much memory it has had at its peak, in KiB.  SQLite's
 * page cache, which grows to its limit by itself, is small here, so that it is full from the start.
 */
static long
merge_all(size_t units)
{
	struct bench_file from, to;
	struct rusage use;

	bench_open(&from, "from", env_real(), true, 1);
	bench_open(&to, "to", env_real(), true, 2);
	bench_pragma(&from, "PRAGMA synchronous=OFF; PRAGMA cache_size=-512");
	bench_pragma(&to, "PRAGMA synchronous=OFF; PRAGMA cache_size=-512");
	for (size_t i = 0; i < units; i++) {
		struct bench_row *rows = bench_rows(i * UNIT_ROWS, UNIT_ROWS);
		struct buf segment = make_segment(&from, rows, UNIT_ROWS);

		merge_segment(&to, &segment);
		bench_settle(&to);
		buf_free(&segment);
		free(rows);
	}
	bench_close(&from);
	bench_close(&to);
	return getrusage(RUSAGE_SELF, &use) == 0 ? use.ru_maxrss : 0;
}

/* In a process of its own, since a peak never falls. */
static long
peak_of(size_t units)
{
	long peak = 0;
	int ends[2], status = 0;
	pid_t pid;

	if (pipe(ends) < 0 || (pid = fork()) < 0) {
		perror("bench");
		exit(1);
	}
	if (pid == 0) {
		peak = merge_all(units);
		_exit(write(ends[1], &peak, sizeof peak) == sizeof peak ? 0 : 1);
	}
	close(ends[1]);
	if (read(ends[0], &peak, sizeof peak) != sizeof peak || waitpid(pid, &status, 0) < 0 ||
	    status != 0 || peak == 0) {
		fprintf(stderr, "bench: the memory of a merge could not be measured\n");
		exit(1);
	}
	close(ends[0]);
	return peak;
}

void
bench_memory(void)
{
	long once = peak_of(2), ten = peak_of(20);

	bench_say("merge_peak_rss_kib", (double)once, 0);
	bench_say("merge_peak_rss_growth", (double)ten / (double)once, 2);
}
