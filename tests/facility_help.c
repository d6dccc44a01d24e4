#include "tests/facility_help.h"

#include "node/facility/codes.h"
#include "node/facility/date.h"

#include <check.h>
#include <string.h>

int64_t
help_at(int hour, int minute)
{
	return date_ms(HELP_DATE, hour * 60 + minute, 480);
}

const uint8_t *
help_id(int n)
{
	static uint8_t ids[256][STORE_ID];

	memset(ids[n], n, STORE_ID);
	return ids[n];
}

struct store_db *
help_open(struct facility *f)
{
	struct store_db *db = NULL;
	struct err err = { 0 };
	int rc;

	rc = store_db_open(":memory:", STORE_LOCAL, env_real(), &db, &err);
	ck_assert_msg(rc == 0, "%s", err.msg);
	rc = store_db_begin(db, &err);
	if (rc == 0)
		rc = facility_schema_create(db, &err);
	if (rc == 0)
		rc = facility_seed(db, &err);
	if (rc == 0)
		rc = facility_track(db, false, &err);
	if (rc == 0)
		rc = facility_create(db, "F1", "拱墅测试托育中心", KIND_NURSERY, &err);
	if (rc == 0)
		rc = facility_open(f, db, NULL, &err);
	ck_assert_msg(rc == 0, "%s", err.msg);
	return db;
}

struct store_db *
help_small(struct facility *f)
{
	static const char rows[] =
	        "INSERT INTO class_group(id, facility_id, name, kind) VALUES"
	        " (unhex(replace(hex(zeroblob(16)), '00', 'c1')), 'F1', '托小一班', 2),"
	        " (unhex(replace(hex(zeroblob(16)), '00', 'c2')), 'F1', '托大班', 3);"
	        "INSERT INTO child(id, facility_id, name, sex, birth_date) VALUES"
	        " (unhex(replace(hex(zeroblob(16)), '00', '01')), 'F1', '安一', 1, 20240501),"
	        " (unhex(replace(hex(zeroblob(16)), '00', '02')), 'F1', '白二', 2, 20240901),"
	        " (unhex(replace(hex(zeroblob(16)), '00', '03')), 'F1', '陈三', 2, 20230801);"
	        "INSERT INTO enrollment(id, facility_id, child_id, class_id, service_type, "
	        "start_date) VALUES"
	        " (unhex(replace(hex(zeroblob(16)), '00', '11')), 'F1',"
	        "  unhex(replace(hex(zeroblob(16)), '00', '01')), unhex(replace(hex(zeroblob(16)), "
	        "'00', 'c1')), 1, 20250901),"
	        " (unhex(replace(hex(zeroblob(16)), '00', '12')), 'F1',"
	        "  unhex(replace(hex(zeroblob(16)), '00', '02')), unhex(replace(hex(zeroblob(16)), "
	        "'00', 'c1')), 1, 20250901),"
	        " (unhex(replace(hex(zeroblob(16)), '00', '13')), 'F1',"
	        "  unhex(replace(hex(zeroblob(16)), '00', '03')), unhex(replace(hex(zeroblob(16)), "
	        "'00', 'c2')), 1, 20250901);"
	        "INSERT INTO guardian(id, facility_id, child_id, name, relation) VALUES"
	        " (unhex(replace(hex(zeroblob(16)), '00', '21')), 'F1', "
	        "unhex(replace(hex(zeroblob(16)), '00', '01')), '安妈妈',"
	        "  '母亲');"
	        "INSERT INTO pickup_auth(id, facility_id, child_id, name, revoked, valid_from, "
	        "valid_to) VALUES"
	        " (unhex(replace(hex(zeroblob(16)), '00', '31')), 'F1', "
	        "unhex(replace(hex(zeroblob(16)), '00', '01')), '安外婆',"
	        "  0, NULL, NULL),"
	        " (unhex(replace(hex(zeroblob(16)), '00', '32')), 'F1', "
	        "unhex(replace(hex(zeroblob(16)), '00', '01')), '安舅舅',"
	        "  1, NULL, NULL),"
	        " (unhex(replace(hex(zeroblob(16)), '00', '33')), 'F1', "
	        "unhex(replace(hex(zeroblob(16)), '00', '01')), '安邻居',"
	        "  0, 20260303, 20260303);";
	struct store_db *db = help_open(f);
	struct err err = { 0 };
	int rc = store_db_exec(db, rows, &err);

	ck_assert_msg(rc == 0, "%s", err.msg);
	return db;
}

int64_t
help_int(struct store_db *db, const char *sql)
{
	struct err err = { 0 };
	int64_t value = 0;
	int rc = store_stmt_int(db, sql, -1, &value, &err);

	ck_assert_msg(rc == 0, "%s: %s", sql, err.msg);
	return value;
}

void
help_says(const struct err *err, const char *text)
{
	ck_assert_msg(strstr(err->msg, text) != NULL, "'%s' is not in '%s'", text, err->msg);
}
