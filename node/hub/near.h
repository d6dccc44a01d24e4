/*
 * node/hub/near.h - facilities by their distance from a place (近处的机构), over
 * what everybody may know of a facility (facility_public).
 *
 * Distances are along a great circle of a sphere with the earth's mean radius,
 * 6 371 008.8 m (IUGG 1980, R1), by the haversine formula (R. W. Sinnott, "Virtues
 * of the Haversine", Sky and Telescope 68, 1984): a = sin²(Δφ/2) + cos φ1 cos φ2
 * sin²(Δλ/2), d = 2 R asin √a; within 0.6 % of the ellipsoid's.  Both places are in the
 * coordinates in which facilities gave theirs.
 */
#ifndef NODE_HUB_NEAR_H
#define NODE_HUB_NEAR_H

#include "store/base/arena.h"
#include "store/stmt.h"

/* Degrees; north and east are positive. */
struct near_place {
	double lat, lon;
};

enum { NEAR_KM_MAX = 100, NEAR_LIMIT_MAX = 200 };

/* Metres between two places. */
double near_metres(struct near_place a, struct near_place b);

/* Read "30.3,120.15": degrees, at most 12 digits each, without exponents.  ERR_INVALID with a
 * sentence. */
MUST_CHECK int near_read_place(const char *text, struct near_place *out, struct err *err);

/* Read kilometres, more than 0 and at most NEAR_KM_MAX.  ERR_INVALID with a sentence. */
MUST_CHECK int near_read_km(const char *text, double *km, struct err *err);

struct near_facility {
	const char *facility_id, *name, *subdistrict_code, *phone, *address,
	        *intro; /* NULL: not told */
	struct near_place place;
	double metres;
	/* NULL values are NEAR_NOT_TOLD */
	int64_t kind, is_inclusive, open_min, close_min;
};

#define NEAR_NOT_TOLD INT64_MIN

/* What is asked. */
struct near_query {
	struct near_place from;
	double km;
};

/* What is found, the nearest first; of equal distance by their id. */
struct near_found {
	struct near_facility *list; /* in the arena */
	size_t count;
};

/*
 * The open facilities within a distance of a place.  Whose place isn't told, or can't be one, is
 * none of them.  They live in `a`.
 */
MUST_CHECK int near_find(struct store_db *db, const struct near_query *query, struct arena *a,
                         struct near_found *out, struct err *err);

#endif /* NODE_HUB_NEAR_H */
