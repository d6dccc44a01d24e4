#include "tests/fuzz/house.h"

#include "node/facility/schema.h"
#include "store/stmt.h"
#include "tests/fuzz/image.h"

#include <string.h>

static const char rows_sql[] =
        "INSERT INTO class_group(id, facility_id, name, kind) VALUES"
        " (x'c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1', 'F1', '托小一班', 2),"
        " (x'c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2', 'F1', '托大班', 3);"
        "INSERT INTO child(id, facility_id, name, sex, birth_date) VALUES"
        " (x'01010101010101010101010101010101', 'F1', '安一', 1, 20240501),"
        " (x'02020202020202020202020202020202', 'F1', '白二', 2, 20240901),"
        " (x'03030303030303030303030303030303', 'F1', '陈三', 2, 20230801);"
        "INSERT INTO enrollment(id, facility_id, child_id, class_id, service_type, start_date)"
        " SELECT CAST(substr(id, 1, 15) || x'11' AS BLOB), 'F1', id,"
        " x'c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1', 1, 20250901 FROM child;"
        "INSERT INTO guardian(id, facility_id, child_id, name, relation) VALUES"
        " (x'21212121212121212121212121212121', 'F1', x'01010101010101010101010101010101',"
        " '安妈妈', '母亲');"
        "INSERT INTO staff(id, facility_id, name, role) VALUES"
        " (x'51515151515151515151515151515151', 'F1', '钱老师', 1);";

static const char path[] = "/fuzz-house";
static struct facility the_house;
static struct image image;

struct facility *
house(void)
{
	struct facility *f = &the_house;
	struct store_db *db;
	struct err err;

	if (f->db != NULL)
		return f;
	HOLDS(store_db_open(path, STORE_LOCAL, image_env(), &db, &err) == 0);
	HOLDS(store_db_begin(db, &err) == 0);
	HOLDS(facility_schema_create(db, &err) == 0);
	HOLDS(facility_seed(db, &err) == 0);
	HOLDS(facility_create(db, "F1", "F1", 1, &err) == 0);
	HOLDS(store_db_exec(db, rows_sql, &err) == 0);
	HOLDS(store_db_commit(db, &err) == 0);
	HOLDS(facility_open(f, db, NULL, &err) == 0);
	image_take(&image, path);
	return f;
}

void
house_leave(void)
{
	image_restore(&image);
}

int64_t
house_int(struct facility *f, const char *sql)
{
	int64_t value;
	struct err err;

	HOLDS(store_stmt_int(f->db, sql, -1, &value, &err) == 0);
	return value;
}

int64_t
house_rows(struct facility *f)
{
	static const char sql[] =
	        "SELECT (SELECT count(*) FROM attendance_event) + (SELECT count(*) FROM "
	        "health_check)"
	        " + (SELECT count(*) FROM absence_case) + (SELECT count(*) FROM care_event)"
	        " + (SELECT count(*) FROM meal_intake) + (SELECT count(*) FROM nap_session)"
	        " + (SELECT count(*) FROM symptom_case) + (SELECT count(*) FROM incident)"
	        " + (SELECT count(*) FROM drop_in_visit) + (SELECT count(*) FROM handover)"
	        " + (SELECT count(*) FROM child) + (SELECT count(*) FROM local_batch_key)";

	return house_int(f, sql);
}
