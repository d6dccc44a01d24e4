/*
 * tests/fuzz/tap.c - any bytes as a posted form of the facility's page: refused
 * with a sentence and nothing has changed, or done; and no tap without the
 * page's token.
 *
 * Input: u8 0: the form as it is; else the form behind a right token.
 */
#include "node/facility/page.h"
#include "tests/fuzz/house.h"

#include <string.h>

#define TOKEN "0123456789abcdef0123456789abcdef"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct page_view view = { .lang = PAGE_EN, .now_ms = HOUSE_NOW_MS, .token = TOKEN };
	struct facility *f = house();
	int64_t before = house_rows(f);
	struct buf form = { 0 };
	struct err err = { 0 };
	int rc;

	if (size < 1)
		return 0;
	if (data[0] != 0)
		buf_put(&form, "token=" TOKEN "&", sizeof "token=" TOKEN);
	buf_put(&form, data + 1, size - 1);
	rc = page_tap(f, &view, (const char *)form.bytes, form.len, &err);
	HOLDS(rc == 0 || rc == ERR_DENIED || rc == ERR_INVALID || rc == ERR_NOTFOUND);
	HOLDS(rc == 0 || err.msg[0] != 0);
	HOLDS(rc == 0 || house_rows(f) == before);
	HOLDS(rc < 0 || data[0] != 0 || memmem(data, size, TOKEN, sizeof TOKEN - 1) != NULL ||
	      memchr(data, '%', size) != NULL);
	HOLDS(!store_db_in_transaction(f->db));
	if (rc == 0) {
		HOLDS(page_tap(f, &view, (const char *)form.bytes, form.len, &err) != ERR_NOMEM);
		house_leave();
	}
	buf_free(&form);
	return 0;
}
