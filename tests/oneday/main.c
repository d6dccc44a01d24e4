/*
 * oneday - a facility's working day, written into a real DIR in one go.
 *
 *   oneday DIR
 *
 * The children of DIR's roster have today (node/rehearse.h).  Then whatever the
 * script has in mind can happen on the way to the hub.  Prints 'rows=N units=N'.
 */
#include "node/facility/date.h"
#include "node/rehearse.h"
#include "store/stmt.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEED = 1 };

static void
must(int rc, const struct err *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "oneday: %s\n", err->msg);
	exit(1);
}

static int64_t
count(struct station *st, const char *sql)
{
	struct err err;
	int64_t value;

	must(store_stmt_int(st->local, sql, 0, &value, &err), &err);
	return value;
}

int
main(int argc, char **argv)
{
	static const char rows_sql[] = "SELECT sum(n) FROM yz_stream";
	static const char units_sql[] = "SELECT count(*) FROM yz_segment";
	int64_t rows, units;
	struct station st;
	struct facility f;
	struct err err;

	if (argc != 2) {
		fprintf(stderr, "usage: oneday DIR\n");
		return 2;
	}
	must(station_open(argv[1], env_real(), &st, &err), &err);
	must(rehearse_seal(&st, &err), &err);
	rows = count(&st, rows_sql);
	units = count(&st, units_sql);
	must(facility_open(&f, st.local, NULL, &err), &err);
	must(rehearse_day(&st, &f, date_of(env_wall_ms(env_real()), 8 * 60), SEED, &err), &err);
	units = count(&st, units_sql) - units;
	printf("rows=%lld units=%lld\n", (long long)(count(&st, rows_sql) - rows - units),
	       (long long)units);
	station_close(&st);
	return 0;
}
