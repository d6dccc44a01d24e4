/*
 * tests/fuzz/value.c - any bytes as three values: refused, or values whose
 * canonical bytes they are, in a total order.
 *
 * Input: values end to end.
 */
#include "store/value.h"
#include "tests/fuzz/help.h"

#include <string.h>

enum { VALUES = 3 };

static int
sign_of(int x)
{
	return (x > 0) - (x < 0);
}

static void
check_order(const struct store_value v[VALUES], const struct buf bytes[VALUES])
{
	for (int i = 0; i < VALUES; i++)
		for (int k = 0; k < VALUES; k++) {
			int cmp = store_value_cmp(&v[i], &v[k]);

			HOLDS(sign_of(cmp) == -sign_of(store_value_cmp(&v[k], &v[i])));
			HOLDS((cmp == 0) == help_same(&bytes[i], bytes[k].bytes, bytes[k].len));
			for (int m = 0; m < VALUES; m++)
				HOLDS(cmp > 0 || store_value_cmp(&v[k], &v[m]) > 0 ||
				      store_value_cmp(&v[i], &v[m]) <= 0);
		}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_value v[VALUES];
	struct buf bytes[VALUES] = { { 0 } };
	struct rd r = rd_from(data, size);
	uint8_t head[STORE_VALUE_HEAD];
	int count = 0;

	for (; count < VALUES && r.left > 0; count++) {
		const uint8_t *start = r.at;

		v[count] = store_value_read(&r);
		if (r.bad)
			break;
		store_value_write(&bytes[count], &v[count]);
		HOLDS(help_same(&bytes[count], start, (size_t)(r.at - start)));
		HOLDS(store_value_head(&v[count], head) <= bytes[count].len);
	}
	if (count == VALUES)
		check_order(v, bytes);
	for (int i = 0; i < VALUES; i++)
		buf_free(&bytes[i]);
	return 0;
}
