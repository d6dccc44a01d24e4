/*
 * tests/bench/bench.h - what the measurements share: files to measure on, rows
 * to write, a watch, and the lines of the report.
 *
 * Two things are always compared in one process, in turns, and what is told is
 * the median of the turns' ratios: a noisy machine then slows both sides.  A
 * figure never fails the run; what could not be measured does.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include "store/id.h"
#include "sync/replica.h"

enum { BENCH_TURNS = 7 }; /* odd: a median is one of them */

/* Say what went wrong and end: for everything that is not a figure. */
void bench_must(int rc, const struct err *err);

/* Seconds from some origin. */
double bench_now(void);

/* The median of `count` values, which are sorted. */
double bench_median(double *values, size_t count);

/* One line of the report. */
void bench_say(const char *key, double value, int decimals);

/* Make the run's folder in TMPDIR or /tmp (a real disk, as a node has it); it goes when the program
 * ends. */
void bench_make_folder(void);

/* A database as a node has it, in the run's folder. */
struct bench_file {
	char path[256];
	const struct env *env;
	struct store_db *local, *merge;
	struct sync_replica r; /* only if tracked */
	struct sync_key key;
};

/* Make the file NAME with the facility's tables, tracked or bare; `key_no` chooses its key. */
void bench_open(struct bench_file *f, const char *name, const struct env *env, bool tracked,
                uint8_t key_no);

/* Close and remove it. */
void bench_close(struct bench_file *f);

/* Checkpoint; nothing stays in the WAL. */
void bench_settle(struct bench_file *f);

/* Bytes of the database file alone. */
int64_t bench_size(const struct bench_file *f);

/* PRAGMA on both connections. */
void bench_pragma(struct bench_file *f, const char *sql);

/* A care event. */
struct bench_row {
	uint8_t id[STORE_ID];
	uint8_t enrollment[STORE_ID];
	uint8_t by[STORE_ID];
	int64_t kind, at, biz_date, amount, code;
};

/* `count` rows that follow row `from`: ids rise as those of store/id.h do.  The caller frees. */
struct bench_row *bench_rows(size_t from, size_t count);

/* Insert in one transaction, as a program would. */
void bench_insert(struct bench_file *f, const struct bench_row *rows, size_t count);

/* Seal what waits and sign it, in one transaction; how many changes. */
int64_t bench_seal(struct bench_file *f);

/* The measurements; each prints its lines. */
void bench_memory(void);
void bench_capture(void);
void bench_seal_rate(void);
void bench_merge(void);
void bench_codec(void);
void bench_month(void);
void bench_herd(void);
void bench_feed(void);
void bench_snapshot(void);
void bench_follow(void);
void bench_pg(void);

#endif /* TESTS_BENCH_BENCH_H */
