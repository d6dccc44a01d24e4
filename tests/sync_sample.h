/*
 * tests/sync_sample.h - made-up records: the day of a facility with 58 places,
 * and random ones of every kind.
 *
 * The day has the shape that days have: arrivals of two rows, meals and naps of
 * a class at a time, reports edited cell by cell, ids made by yz_id(), stamps a
 * few ms after `at`, a unit every half minute.  Deterministic by seed; no person
 * in it exists.
 */
#ifndef TESTS_SYNC_SAMPLE_H
#define TESTS_SYNC_SAMPLE_H

#include "store/base/arena.h"
#include "sync/codec/codec.h"

enum { SAMPLE_TABLES = 16, SAMPLE_CHILDREN = 58, SAMPLE_STAFF = 17, SAMPLE_CLASSES = 4 };

struct sample {
	struct arena arena; /* everything lives here */
	uint64_t random;
	struct store_schema *schemas[SAMPLE_TABLES]; /* the stream's number is the place + 1 */
	uint8_t enrollments[SAMPLE_CHILDREN][16], children[SAMPLE_CHILDREN][16];
	uint8_t staff[SAMPLE_STAFF][16], classes[SAMPLE_CLASSES][16];
	uint8_t head[10]; /* of ids made now */
	int64_t id_start_ms;
	unsigned id_counter;
	int64_t now_ms, unit_ms;
	int64_t last_stamp;
	int64_t biz_date;
	char facility[16];
	struct sync_record *records;
	size_t count;
	struct sync_opening *opening; /* of the unit in the making; NULL: none */
};

/* A facility with its children, before its first day. */
void sample_init(struct sample *s, uint64_t seed);

/* Free it and all its records. */
void sample_free(struct sample *s);

/* The next day's records, openings included, into s->records and s->count. */
void sample_day(struct sample *s);

/* Random records of every type, kind and value, `count` of them, into the same place. */
void sample_random(struct sample *s, size_t count);

/* A number below `below` (not 0). */
uint64_t sample_below(struct sample *s, uint64_t below);

/* Resolves the sample's schemas by number; ctx is the sample. */
struct sync_codec_schemas sample_resolver(struct sample *s);

/* Append the record bytes of all of them, redacted ones as their leaves: what must survive. */
void sample_write(struct buf *out, const struct sync_record *records, size_t count);

#endif /* TESTS_SYNC_SAMPLE_H */
