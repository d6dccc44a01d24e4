/*
 * tests/fuzz/csv.c - any bytes as a table: refused, or fields that are the same
 * after they were written and read again, by both readers.
 *
 * Input: the bytes of a file.
 */
#include "node/facility/csv.h"
#include "store/base/csvio.h"
#include "store/base/text.h"
#include "tests/fuzz/help.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 16 << 20 };

static struct csvio_field fields[CSVIO_FIELDS_MAX];

static void
put_record(struct buf *out, const struct csv_record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		csvio_put(out, record->fields[i].text, strlen(record->fields[i].text));
	}
	buf_put(out, "\r\n", 2);
}

/* Read a roster's way and write; the last code. */
static int
rewrite(const void *bytes, size_t len, struct buf *out)
{
	struct csv csv = csv_from(bytes, len);
	struct arena a = { .limit = LIMIT };
	static struct csv_record record;
	struct err err;
	int rc;

	while ((rc = csv_next(&csv, &a, &record, &err)) == 1) {
		HOLDS(record.count >= 1 && record.count <= CSV_FIELDS_MAX);
		put_record(out, &record);
	}
	HOLDS(rc == 0 || rc == ERR_INVALID || rc == ERR_NOMEM);
	arena_free(&a);
	return rc;
}

/* Read as tables are imported and write; the last code. */
static int
rewrite_io(const void *bytes, size_t len, struct buf *out)
{
	struct csvio_reader r = csvio_from(bytes, len);
	struct arena a = { .limit = LIMIT };
	struct err err;
	size_t count;
	int rc;

	while ((rc = csvio_next(&r, &a, fields, &count, &err)) == 1) {
		for (size_t i = 0; i < count; i++) {
			if (i > 0)
				buf_u8(out, ',');
			if (fields[i].len > 0 || fields[i].quoted)
				csvio_put(out, fields[i].text, fields[i].len);
		}
		buf_put(out, "\r\n", 2);
	}
	HOLDS(rc == 0 || rc == ERR_INVALID || rc == ERR_NOMEM);
	arena_free(&a);
	return rc;
}

static void
check_io(const uint8_t *data, size_t size)
{
	struct buf once = { 0 }, twice = { 0 };

	if (rewrite_io(data, size, &once) == 0) {
		HOLDS(rewrite_io(once.bytes, once.len, &twice) == 0);
		HOLDS(help_same(&once, twice.bytes, twice.len));
	}
	buf_free(&once);
	buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = { 0 }, once = { 0 }, twice = { 0 };
	struct err err;
	int rc = csv_to_utf8(data, size, &text, &err);

	HOLDS(rc == 0 || rc == ERR_INVALID);
	check_io(data, size);
	if (rc == 0) {
		HOLDS(text_is_utf8(text.bytes, text.len, NULL));
		if (rewrite(text.bytes, text.len, &once) == 0) {
			HOLDS(rewrite(once.bytes, once.len, &twice) == 0);
			HOLDS(help_same(&once, twice.bytes, twice.len));
		}
	}
	buf_free(&text);
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
