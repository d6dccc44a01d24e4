#include "node/facility/late_codes.h"
#include "node/facility/codes.h"

#include "store/stmt.h"

/* set_code, code, version, name_zh, name_en, sort, source; as in seeds/codes.sql. */
#define LATE                                                                                       \
	"VALUES ('booking.state', '6', 20261130, '已拒绝', 'declined', 6, 'yizhan'),"           \
	" ('course_order.state', '1', 20261130, '已购', 'bought', 1, 'yizhan'),"                 \
	" ('course_order.state', '2', 20261130, '已退', 'given back', 2, 'yizhan')"
_Static_assert(BOOKING_DECLINED == 6 && COURSE_BOUGHT == 1 && COURSE_GIVEN_BACK == 2, "as in LATE");

#define UNNAMED                                                                                    \
	"(" LATE ") AS l WHERE NOT EXISTS (SELECT 1 FROM code_set c"                               \
	" WHERE c.set_code = l.column1 AND c.code = l.column2)"

int
facility_late_codes_stale(struct store_db *db, bool *yes, struct err *err)
{
	int64_t unnamed = 0;
	int rc = store_stmt_int(db, "SELECT EXISTS (SELECT 1 FROM " UNNAMED ")", 0, &unnamed, err);

	*yes = unnamed != 0;
	return rc;
}

int
facility_late_codes_keep(struct store_db *db, struct err *err)
{
	return store_db_exec(db,
	                     "INSERT INTO code_set(set_code, code, version, name_zh, name_en, sort,"
	                     " source) SELECT * FROM " UNNAMED,
	                     err);
}
