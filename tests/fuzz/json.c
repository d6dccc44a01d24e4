/*
 * tests/fuzz/json.c - any bytes as a JSON object: refused, or members that are
 * the same after they were written and read again; and any text as a string.
 *
 * Input: the document.
 */
#include "node/json.h"
#include "store/base/json.h"
#include "store/base/text.h"
#include "tests/fuzz/help.h"

#include <string.h>

enum { MAX = 4096, WRITTEN_MAX = 8 * 4096 }; /* escapes make it longer */

static const char *const names[] = { "code", "key", "name", "signature", "at", "state", NULL };

static void
rewrite(const struct json_doc *doc, struct buf *out)
{
	struct json j = json_to(out);
	const char *text;
	int64_t number;

	json_object(&j);
	for (int i = 0; names[i] != NULL; i++) {
		if ((text = json_doc_text(doc, names[i])) != NULL) {
			HOLDS(text_is_utf8(text, strlen(text), NULL));
			HOLDS(!json_doc_int(doc, names[i], &number));
			json_name(&j, names[i]);
			json_text(&j, text);
		}
		if (json_doc_int(doc, names[i], &number)) {
			json_name(&j, names[i]);
			json_int(&j, number);
		}
		(void)json_doc_text_in(doc, names[i], "zh");
	}
	json_end_object(&j);
}

static void
check_doc(const struct json_doc *doc)
{
	struct buf once = { 0 }, twice = { 0 };
	struct json_doc *again;
	const char *stranger = json_doc_stranger(doc, names);
	struct err err;

	for (int i = 0; stranger != NULL && names[i] != NULL; i++)
		HOLDS(strcmp(stranger, names[i]) != 0);
	rewrite(doc, &once);
	HOLDS(json_doc_read(once.bytes, once.len, WRITTEN_MAX, &again, &err) == 0);
	rewrite(again, &twice);
	HOLDS(help_same(&once, twice.bytes, twice.len));
	HOLDS(json_doc_stranger(again, names) == NULL);
	json_doc_free(again);
	buf_free(&once);
	buf_free(&twice);
}

/* Whatever a string holds, what is written for it can be read. */
static void
check_string(const uint8_t *data, size_t size)
{
	struct buf out = { 0 };
	struct json j = json_to(&out);
	struct json_doc *doc;
	struct err err;
	bool whole;

	json_object(&j);
	json_name(&j, "name");
	whole = json_bytes(&j, data, size);
	json_end_object(&j);
	HOLDS(whole == text_is_utf8(data, size, NULL));
	if (size == 0 || memchr(data, 0, size) == NULL) {
		const char *text;

		HOLDS(json_doc_read(out.bytes, out.len, WRITTEN_MAX, &doc, &err) == 0);
		text = json_doc_text(doc, "name");
		HOLDS(!whole || (text != NULL && strlen(text) == size &&
		                 (size == 0 || memcmp(text, data, size) == 0)));
		json_doc_free(doc);
	}
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_doc *doc = NULL;
	struct err err;
	int rc = json_doc_read(data, size, MAX, &doc, &err);

	HOLDS(rc == 0 || (rc == ERR_INVALID && doc == NULL));
	if (rc == 0)
		check_doc(doc);
	json_doc_free(doc);
	if (size <= MAX)
		check_string(data, size);
	return 0;
}
