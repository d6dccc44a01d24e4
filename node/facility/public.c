#include "node/facility/public.h"

#include "store/stmt.h"

/* Both tables have these. */
#define COLUMNS                                                                                    \
	"kind, name, subdistrict_code, lat_e6, lon_e6, is_inclusive, open_min, close_min, phone,"  \
	" address, intro, status"

/* The facilities whose public row is missing, or says something else: IS NOT, since most of it may
 * be unknown. */
#define STALE                                                                                      \
	"SELECT f.facility_id FROM facility f LEFT JOIN facility_public p"                         \
	" ON p.facility_id = f.facility_id WHERE p.facility_id IS NULL"                            \
	" OR f.kind IS NOT p.kind OR f.name IS NOT p.name"                                         \
	" OR f.subdistrict_code IS NOT p.subdistrict_code OR f.lat_e6 IS NOT p.lat_e6"             \
	" OR f.lon_e6 IS NOT p.lon_e6 OR f.is_inclusive IS NOT p.is_inclusive"                     \
	" OR f.open_min IS NOT p.open_min OR f.close_min IS NOT p.close_min"                       \
	" OR f.phone IS NOT p.phone OR f.address IS NOT p.address OR f.intro IS NOT p.intro"       \
	" OR f.status IS NOT p.status"

int
facility_public_stale(struct store_db *db, bool *yes, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, STALE " LIMIT 1");
	int rc = store_stmt_step(&s, err);

	store_stmt_end(&s);
	*yes = rc == 1;
	return rc < 0 ? rc : 0;
}

int
facility_public_keep(struct store_db *db, struct err *err)
{
	/* one statement would insert over a row that is there, and an insert tells every cell */
	static const char correct[] =
	        "UPDATE facility_public SET (" COLUMNS ") = (SELECT " COLUMNS
	        " FROM facility f WHERE f.facility_id = facility_public.facility_id)"
	        " WHERE facility_id IN (" STALE ")";
	static const char add[] =
	        "INSERT INTO facility_public(facility_id, " COLUMNS ") SELECT facility_id, " COLUMNS
	        " FROM facility WHERE facility_id IN (" STALE ")";
	int rc = store_db_exec(db, correct, err);

	return rc == 0 ? store_db_exec(db, add, err) : rc;
}
