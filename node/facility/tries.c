#include "node/facility/tries.h"

#include <string.h>

static const struct pace of_child = { FACILITY_TRIES, FACILITY_TRY_MS };

int
facility_tries_wait(const struct facility_tries *tries, const uint8_t child[STORE_ID],
                    int64_t mono_ms)
{
	for (size_t i = 0; i < FACILITY_TRIES_CHILDREN; i++) {
		int64_t wait = pace_wait_ms(&tries->of[i].spent, &of_child, mono_ms);

		if (wait > 0 && memcmp(tries->of[i].child, child, STORE_ID) == 0)
			return (int)((wait + 59999) / 60000);
	}
	return 0;
}

int
facility_tries_wrong(struct facility_tries *tries, const uint8_t child[STORE_ID], int64_t mono_ms)
{
	struct facility_tried *one = &tries->of[0];

	for (size_t i = 0; i < FACILITY_TRIES_CHILDREN; i++) {
		struct facility_tried *of = &tries->of[i];

		if (pace_spent_ms(&of->spent, mono_ms) < pace_spent_ms(&one->spent, mono_ms))
			one = of;
		if (pace_spent_ms(&of->spent, mono_ms) > 0 &&
		    memcmp(of->child, child, STORE_ID) == 0) {
			one = of;
			break;
		}
	}
	if (memcmp(one->child, child, STORE_ID) != 0)
		one->spent = (struct pace_spent){ 0 };
	memcpy(one->child, child, STORE_ID);
	pace_spend(&one->spent, &of_child, mono_ms);
	return (int)pace_left(&one->spent, &of_child, mono_ms);
}
