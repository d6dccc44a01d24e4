/*
 * tests/bench/capture.c - what tracking costs whoever writes.
 *
 * The same rows into the same table with the same SQLite, bare and tracked, a
 * transaction here and a transaction there.  Bulk runs with synchronous=OFF,
 * so that no flush of the disk hides the triggers; taps run as a node does.
 */
#include "tests/bench/bench.h"

#include <stdlib.h>

struct shape {
	const char *key;
	size_t rows;  /* of a transaction */
	size_t times; /* transactions of a turn */
	const char *pragma;
};

static double
insert_for(struct bench_file *f, const struct bench_row *rows, size_t count)
{
	double begun = bench_now();

	bench_insert(f, rows, count);
	return bench_now() - begun;
}

static void
compare(const struct shape *shape)
{
	size_t turn_rows = shape->rows * shape->times;
	double ratios[BENCH_TURNS];
	struct bench_file bare, tracked;
	struct err err;

	bench_open(&bare, "bare", env_real(), false, 1);
	bench_open(&tracked, "tracked", env_real(), true, 1);
	bench_pragma(&bare, shape->pragma);
	bench_pragma(&tracked, shape->pragma);
	for (size_t turn = 0; turn < BENCH_TURNS; turn++) {
		struct bench_row *rows = bench_rows(turn * turn_rows, turn_rows);
		double took[2] = { 0 };

		for (size_t i = 0; i < shape->times; i++) {
			const struct bench_row *now = &rows[i * shape->rows];

			took[0] += insert_for(&bare, now, shape->rows);
			took[1] += insert_for(&tracked, now, shape->rows);
		}
		ratios[turn] = took[1] / took[0];
		free(rows);
		bench_must(store_db_exec(tracked.merge, "DELETE FROM yz_log", &err), &err);
		bench_settle(&bare);
		bench_settle(&tracked);
	}
	bench_say(shape->key, bench_median(ratios, BENCH_TURNS), 2);
	bench_close(&bare);
	bench_close(&tracked);
}

void
bench_capture(void)
{
	static const struct shape shapes[] = {
		{ "capture_bulk_ratio", 1000, 20, "PRAGMA synchronous=OFF" },
		{ "capture_tap_ratio", 1, 200, "PRAGMA synchronous=FULL" },
	};

	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
		compare(&shapes[i]);
}
