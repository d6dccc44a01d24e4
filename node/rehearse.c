#include "node/rehearse.h"
#include "node/facility/day.h"
#include "sync/seal/seal.h"

enum { TAPS_A_SEAL = 25 };

int
rehearse_seal(struct station *st, struct err *err)
{
	struct sync_sealed sealed;
	int rc = store_db_begin(st->merge, err);

	if (rc == 0)
		rc = sync_seal(&st->node.r, &sealed, err);
	if (rc == 0)
		rc = sync_seal_sign(&st->node.r, &st->key, err);
	if (rc == 0)
		rc = store_db_commit(st->merge, err);
	if (rc < 0)
		store_db_rollback(st->merge);
	return rc;
}

int
rehearse_day(struct station *st, struct facility *f, int date, uint64_t seed, struct err *err)
{
	struct facility_action *list;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = facility_day_plan(f, date, seed, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = facility_day_do(f, &list[i], err);
		if (rc == ERR_INVALID || rc == ERR_NOTFOUND || rc == ERR_DENIED)
			rc = 0;
		if (rc == 0 && i % TAPS_A_SEAL == TAPS_A_SEAL - 1)
			rc = rehearse_seal(st, err);
	}
	if (rc == 0)
		rc = rehearse_seal(st, err);
	arena_free(&a);
	return rc;
}
