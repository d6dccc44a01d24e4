/*
 * sync/codec/codec_priv.h - the pieces a body is made of (byte tables: sync/DESIGN.md).
 *
 * Writers trust what they are given; readers mark `r` bad on anything that is
 * not well-formed and may leave nonsense in their results, which nobody looks at
 * then.
 */
#ifndef SYNC_CODEC_PRIV_H
#define SYNC_CODEC_PRIV_H

#include "sync/codec/codec.h"

/* ---- codec_ints.c: a stream of integers ---- */

/* Append `n` integers; `base` (or NULL) is what each may be near to. */
void sync_codec_ints_write(struct buf *out, const int64_t *values, const int64_t *base, size_t n);

/* Read them back; the same base. */
void sync_codec_ints_read(struct rd *r, int64_t *values, const int64_t *base, size_t n);

/* ---- codec_ids.c: the 16-byte blobs of a segment ---- */

/*
 * An id that occurs once, as the whole key of an insert, is new: it is numbered 0
 * and comes in the order of the records.  All others are shared: 1.. in the order of
 * their bytes.
 */
struct sync_codec_ids {
	struct id_entry *entries; /* in the order of first sight */
	size_t count;
	uint32_t *slots; /* hash table: index + 1 */
	size_t slot_count;
};

/* Make room for so many occurrences; false without memory. */
MUST_CHECK bool sync_codec_ids_start(struct sync_codec_ids *ids, size_t occurrences);

/* Count an occurrence, as the whole key of an insert or else, in the record whose stamp is of `ms`.
 */
void sync_codec_ids_add(struct sync_codec_ids *ids, const uint8_t id[16], bool is_new, int64_t ms);

/* All have been counted: number them and append the shared ones. */
void sync_codec_ids_write_shared(struct sync_codec_ids *ids, struct buf *out);

/* The number of an id that was added. */
int64_t sync_codec_ids_number(const struct sync_codec_ids *ids, const uint8_t id[16]);

/* Append the new ones. */
void sync_codec_ids_write_new(struct sync_codec_ids *ids, struct buf *out);

/* Give back memory. */
void sync_codec_ids_free(struct sync_codec_ids *ids);

/* Read the shared ones into `a`: *count entries of 16 bytes, NULL if bad or out of memory. */
uint8_t *sync_codec_ids_read_shared(struct rd *r, struct arena *a, size_t *count);

/* Read `count` new ones, in records of these stamps' ms, likewise. */
uint8_t *sync_codec_ids_read_new(struct rd *r, struct arena *a, const int64_t *ms, size_t count);

/* ---- codec_column.c: the values of one column of one class of records ---- */

struct sync_codec_column {
	struct store_value **values; /* of each row */
	const int64_t *ms;           /* of each row's stamp */
	size_t n;
	/* work space for n of each */
	int64_t *ints, *base;
	struct store_value **some;
};

/* Append the column; ids must hold all 16-byte blobs in it. */
void sync_codec_column_write(struct buf *out, const struct sync_codec_column *c,
                             const struct sync_codec_ids *ids);

/*
 * Read it.  Values borrow from what r reads; a 16-byte blob that is shared points to its place in
 * the list, a new one has no bytes yet (NULL).  Returns how many of the latter.
 */
struct sync_codec_shared {
	const uint8_t *ids; /* 16 bytes each */
	size_t count;
};
size_t sync_codec_column_read(struct rd *r, const struct sync_codec_column *c,
                              const struct sync_codec_shared *shared);

/* ---- codec_opening.c: the openings of a segment ---- */

struct sync_codec_openings {
	struct sync_opening **list;
	const int64_t *following; /* records between each and the next */
	const int64_t *ms;        /* of the last stamp before the next, 0 if none */
	size_t n;
};

/* Append them; ERR_INVALID if they exceed what a reader takes. */
MUST_CHECK int sync_codec_openings_write(struct buf *out, const struct sync_codec_openings *o,
                                         struct err *err);

/* Fill those in the list (zeroed); what they point to lives in `a` or in what r reads. */
MUST_CHECK int sync_codec_openings_read(struct rd *r, const struct sync_codec_openings *o,
                                        struct arena *a, struct err *err);

/* ---- codec_body.c: which records, in which order; the same for both ways ---- */

enum { SYNC_CODEC_VERSION = 1, SYNC_CODEC_REDACTED = 0 };
#define SYNC_CODEC_OPENING UINT32_MAX

/* Changes of one schema, operation and set of columns; or the redacted records. */
struct sync_codec_class {
	unsigned op; /* enum store_op, or SYNC_CODEC_REDACTED */
	unsigned schema_no;
	const struct store_schema *schema;
	uint64_t mask;       /* of the change */
	uint64_t columns;    /* that are sent: key and mask */
	uint64_t fresh;      /* reading: those that hold new ids */
	size_t count, start; /* its rows in body.rows */
	uint32_t next;       /* the class that came after it the last time */
	uint32_t chain;      /* writing: the class before in its bucket, + 1 */
};

struct sync_codec_body {
	size_t count; /* records */
	struct sync_codec_class *classes;
	size_t class_count;
	uint32_t *class_of; /* of each record, or SYNC_CODEC_OPENING */
	uint32_t *rows;     /* records by class */
	int64_t *ms;        /* of each record's stamp; 0 if it has none */
	struct sync_opening **openings;
	int64_t *following; /* of each opening: records to the next */
	int64_t *last_ms;   /* of each opening: the last stamp before the next */
	size_t opening_count;
	/* work space for count of each */
	int64_t *ints, *base, *row_ms;
	struct store_value **values, **some;
};

/* All arrays but classes, in `a`; false without memory. */
MUST_CHECK bool sync_codec_body_make(struct sync_codec_body *b, size_t count, struct arena *a);

/* Append the order of the records (class_of is set). */
void sync_codec_body_write_order(struct sync_codec_body *b, struct buf *out);

/* Read it into class_of, and count the openings. */
void sync_codec_body_read_order(struct sync_codec_body *b, struct rd *r);

/* Sort the records by class into rows, and set each class's count and start. */
void sync_codec_body_sort(struct sync_codec_body *b);

/* Set following and last_ms of the openings; ms is set. */
void sync_codec_body_survey(struct sync_codec_body *b);

/* Point b->values and b->row_ms at one column of a class; `changes` are the body's records. */
struct sync_codec_column sync_codec_body_column(struct sync_codec_body *b,
                                                const struct sync_codec_class *class,
                                                const struct sync_record *records, unsigned column);

#endif /* SYNC_CODEC_PRIV_H */
