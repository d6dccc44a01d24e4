/*
 * oneday - a facility's working day, written into a real DIR in one go.
 *
 *   oneday DIR
 *
 * The children of DIR's roster have today as node/facility/day plans it, each
 * tap in a transaction of its own; after every 25 of them the node seals and
 * signs, as it would every half minute while they come in.  Then whatever the
 * script has in mind can happen on the way to the hub.  Prints 'rows=N units=N'.
 */
#include "node/facility/date.h"
#include "node/facility/day.h"
#include "node/station.h"
#include "store/stmt.h"
#include "sync/seal/seal.h"

#include <stdio.h>
#include <stdlib.h>

enum { TAPS_A_SEAL = 25, SEED = 1 };

static void
must(int rc, const struct err *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "oneday: %s\n", err->msg);
	exit(1);
}

static void
seal(struct station *st)
{
	struct sync_sealed sealed;
	struct err err;

	must(store_db_begin(st->merge, &err), &err);
	must(sync_seal(&st->node.r, &sealed, &err), &err);
	must(sync_seal_sign(&st->node.r, &st->key, &err), &err);
	must(store_db_commit(st->merge, &err), &err);
}

static int64_t
count(struct station *st, const char *sql)
{
	struct err err;
	int64_t value;

	must(store_stmt_int(st->local, sql, 0, &value, &err), &err);
	return value;
}

/* Somebody else has written meanwhile: refusals are part of a day. */
static void
act(struct facility *f, const struct facility_action *action)
{
	struct err err;
	int rc = facility_day_do(f, action, &err);

	if (rc != ERR_INVALID && rc != ERR_NOTFOUND && rc != ERR_DENIED)
		must(rc, &err);
}

int
main(int argc, char **argv)
{
	static const char rows_sql[] = "SELECT sum(n) FROM yz_stream";
	static const char units_sql[] = "SELECT count(*) FROM yz_segment";
	struct facility_action *list;
	struct arena a = { 0 };
	int64_t rows, units;
	struct station st;
	struct facility f;
	struct err err;
	size_t taps;

	if (argc != 2) {
		fprintf(stderr, "usage: oneday DIR\n");
		return 2;
	}
	must(station_open(argv[1], env_real(), &st, &err), &err);
	seal(&st);
	rows = count(&st, rows_sql);
	units = count(&st, units_sql);
	must(facility_open(&f, st.local, NULL, &err), &err);
	must(facility_day_plan(&f, date_of(env_wall_ms(env_real()), 8 * 60), SEED, &a, &list, &taps,
	                       &err),
	     &err);
	for (size_t i = 0; i < taps; i++) {
		act(&f, &list[i]);
		if (i % TAPS_A_SEAL == TAPS_A_SEAL - 1)
			seal(&st);
	}
	seal(&st);
	units = count(&st, units_sql) - units;
	printf("rows=%lld units=%lld\n", (long long)(count(&st, rows_sql) - rows - units),
	       (long long)units);
	arena_free(&a);
	station_close(&st);
	return 0;
}
