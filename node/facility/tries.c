#include "node/facility/tries.h"

#include <string.h>

/* As long as the spent ones take to come back. */
static int64_t
spent_ms(const struct facility_tried *one, int64_t mono_ms)
{
	return one->back_ms > mono_ms ? one->back_ms - mono_ms : 0;
}

int
facility_tries_wait(const struct facility_tries *tries, const uint8_t child[STORE_ID],
                    int64_t mono_ms)
{
	const int64_t most = (int64_t)(FACILITY_TRIES - 1) * FACILITY_TRY_MS;

	for (size_t i = 0; i < FACILITY_TRIES_CHILDREN; i++) {
		int64_t spent = spent_ms(&tries->of[i], mono_ms);

		if (spent > most && memcmp(tries->of[i].child, child, STORE_ID) == 0)
			return (int)((spent - most - 1) / 60000) + 1;
	}
	return 0;
}

int
facility_tries_wrong(struct facility_tries *tries, const uint8_t child[STORE_ID], int64_t mono_ms)
{
	struct facility_tried *one = &tries->of[0];
	int64_t spent;

	for (size_t i = 0; i < FACILITY_TRIES_CHILDREN; i++) {
		struct facility_tried *of = &tries->of[i];

		if (spent_ms(of, mono_ms) < spent_ms(one, mono_ms))
			one = of;
		if (spent_ms(of, mono_ms) > 0 && memcmp(of->child, child, STORE_ID) == 0) {
			one = of;
			break;
		}
	}
	if (memcmp(one->child, child, STORE_ID) != 0)
		one->back_ms = 0;
	memcpy(one->child, child, STORE_ID);
	spent = spent_ms(one, mono_ms) + FACILITY_TRY_MS;
	one->back_ms = mono_ms + spent;
	spent = (spent + FACILITY_TRY_MS - 1) / FACILITY_TRY_MS;
	return spent < FACILITY_TRIES ? FACILITY_TRIES - (int)spent : 0;
}
