/*
 * tests/dict/train.c - makes the dictionary of sync/pack from simulated days.
 *
 *   train OUT        write a new dictionary to the file OUT
 *   train            print what days that it hasn't seen take, with the one compiled in
 *
 * A released dictionary never changes: what is trained later gets the next number.
 */
#include "tests/dict/days.h"

#include "store/base/file.h"
#include "store/base/hash.h"
#include "store/stream.h"
#include "sync/codec/codec.h"

#define ZDICT_STATIC_LINKING_ONLY /* for the trainer that searches its parameters */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zdict.h>

enum { FACILITIES = 24, DAYS = 2, SIZE = 8 << 10, SAMPLES_MAX = 1 << 16, LEVEL = 12 };
enum { UNSEEN = 1000, UNSEEN_COUNT = 6 }; /* seeds that training never uses */

struct samples {
	struct buf bytes;
	size_t lens[SAMPLES_MAX];
	unsigned count;
};

static void
add_sample(void *ctx, const struct store_segment *seg, const struct buf *raw)
{
	struct samples *s = ctx;

	(void)seg;
	if (s->count == SAMPLES_MAX)
		return;
	buf_put(&s->bytes, raw->bytes, raw->len);
	s->lens[s->count++] = raw->len;
}

static int
train(const char *path)
{
	static struct samples samples;
	static uint8_t dictionary[SIZE];
	ZDICT_fastCover_params_t how = { .d = 6,
		                         .steps = 8,
		                         .zParams = { .compressionLevel = LEVEL } };
	struct err err;
	size_t len;

	for (uint64_t seed = 1; seed <= FACILITIES; seed++) {
		struct days d;

		days_open(&d, seed);
		for (int day = 0; day < DAYS; day++)
			days_play(&d, 20260303 + day, 0);
		days_segments(&d, add_sample, &samples);
		days_close(&d);
	}
	len = ZDICT_optimizeTrainFromBuffer_fastCover(dictionary, sizeof dictionary,
	                                              samples.bytes.bytes, samples.lens,
	                                              samples.count, &how);
	if (ZDICT_isError(len)) {
		fprintf(stderr, "train: %s\n", ZDICT_getErrorName(len));
		return 1;
	}
	printf("samples=%u sample_bytes=%zu dictionary_bytes=%zu\n", samples.count,
	       samples.bytes.len, len);
	buf_free(&samples.bytes);
	if (file_replace(path, dictionary, len, &err) == 0)
		return 0;
	fprintf(stderr, "%s\n", err.msg);
	return 1;
}

struct sum {
	size_t segments, records, raw, packed;
};

static void
add_sum(void *ctx, const struct store_segment *seg, const struct buf *raw)
{
	struct sum *sum = ctx;

	sum->segments++;
	sum->records += (size_t)(seg->last - seg->first) + 1;
	sum->raw += raw->len;
	sum->packed += seg->body_len;
}

/* Units of so many taps. */
static void
measure(unsigned taps)
{
	struct sum all = { 0 };

	for (uint64_t seed = UNSEEN; seed < UNSEEN + UNSEEN_COUNT; seed++) {
		struct sum first = { 0 }, now = { 0 };
		struct days d;

		days_open(&d, seed);
		days_segments(&d, add_sum, &first);
		days_play(&d, 20260303, 0); /* so that the day's tables are known */
		first = (struct sum){ 0 };
		days_segments(&d, add_sum, &first);
		days_play(&d, 20260304, taps);
		days_segments(&d, add_sum, &now);
		days_close(&d);
		all.segments += now.segments - first.segments;
		all.records += now.records - first.records;
		all.raw += now.raw - first.raw;
		all.packed += now.packed - first.packed;
	}
	all.records -= all.segments; /* openings */
	printf("taps=%u segments=%zu changes=%zu bytes_per_segment=%.1f raw_per_change=%.2f "
	       "packed_per_change=%.2f\n",
	       taps, all.segments, all.records, (double)all.packed / (double)all.segments,
	       (double)all.raw / (double)all.records, (double)all.packed / (double)all.records);
}

int
main(int argc, char **argv)
{
	if (!hash_init())
		return 1;
	if (argc == 2)
		return train(argv[1]);
	measure(1);
	measure(5);
	measure(10);
	measure(2000);
	return 0;
}
