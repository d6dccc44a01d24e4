#include "node/hub/near.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MEAN_RADIUS_M 6371008.8
#define DEGREE (M_PI / 180)

enum { NUMBER_MAX = 14 /* characters: a sign, 12 digits, a point */, E6 = 1000000 };

double
near_metres(struct near_place a, struct near_place b)
{
	double dlat = sin((b.lat - a.lat) * DEGREE / 2), dlon = sin((b.lon - a.lon) * DEGREE / 2);
	double h = dlat * dlat + cos(a.lat * DEGREE) * cos(b.lat * DEGREE) * dlon * dlon;

	return 2 * MEAN_RADIUS_M * asin(sqrt(fmin(1, h))); /* rounding may come past 1 */
}

/* ---- numbers of a query ---- */

/* Digits with a sign and a point; the C library would also read "inf", "0x1p3" and "1e9". */
static bool
read_number(const char *text, size_t len, double *value)
{
	char copy[NUMBER_MAX + 1], *end;

	if (len == 0 || len > NUMBER_MAX)
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	if (strspn(copy, "0123456789.-") != len || copy[len - 1] < '0' || copy[len - 1] > '9')
		return false;
	*value = strtod(copy, &end);
	return *end == 0;
}

int
near_read_place(const char *text, struct near_place *out, struct err *err)
{
	const char *comma = strchr(text, ',');

	if (comma == NULL || !read_number(text, (size_t)(comma - text), &out->lat) ||
	    !read_number(comma + 1, strlen(comma + 1), &out->lon))
		return err_set(err, ERR_INVALID,
		               "near=%.40s: latitude and longitude in degrees, near=30.31,120.15",
		               text);
	if (fabs(out->lat) > 90 || fabs(out->lon) > 180)
		return err_set(err, ERR_INVALID,
		               "near=%.40s: there is no such place; latitude goes from -90 to 90, "
		               "longitude from -180 to 180, and latitude is first",
		               text);
	return 0;
}

int
near_read_km(const char *text, double *km, struct err *err)
{
	if (!read_number(text, strlen(text), km) || *km <= 0 || *km > NEAR_KM_MAX)
		return err_set(err, ERR_INVALID,
		               "within=%.20s: kilometres, more than 0 and up to %d", text,
		               NEAR_KM_MAX);
	return 0;
}

/* ---- finding them ---- */

static const char *
take_text(struct store_stmt *s, struct arena *a, bool *good)
{
	bool null = store_stmt_null(s);
	const char *kept = store_stmt_copy_text(s, a);

	if (null)
		return NULL;
	*good = *good && kept != NULL;
	return kept;
}

static int64_t
take_int(struct store_stmt *s)
{
	bool null = store_stmt_null(s);
	int64_t value = store_stmt_get_int(s);

	return null ? NEAR_NOT_TOLD : value;
}

static bool
read_row(struct store_stmt *s, struct near_place from, struct arena *a, struct near_facility *f)
{
	bool good = true;

	f->facility_id = take_text(s, a, &good);
	f->place.lat = (double)store_stmt_get_int(s) / E6;
	f->place.lon = (double)store_stmt_get_int(s) / E6;
	f->name = take_text(s, a, &good);
	f->subdistrict_code = take_text(s, a, &good);
	f->phone = take_text(s, a, &good);
	f->address = take_text(s, a, &good);
	f->intro = take_text(s, a, &good);
	f->kind = take_int(s);
	f->is_inclusive = take_int(s);
	f->open_min = take_int(s);
	f->close_min = take_int(s);
	f->metres = near_metres(from, f->place);
	return good;
}

static int
by_distance(const void *a, const void *b)
{
	const struct near_facility *one = a, *two = b;

	if (one->metres != two->metres)
		return one->metres < two->metres ? -1 : 1;
	return strcmp(one->facility_id, two->facility_id);
}

/* All that lie in the band of latitudes, of which those too far east or west are left out. */
static int
read_rows(struct store_stmt *s, const struct near_query *query, struct arena *a,
          struct near_found *out, struct err *err)
{
	int rc;

	while ((rc = store_stmt_step(s, err)) == 1) {
		struct near_facility *f = &out->list[out->count];

		if (!read_row(s, query->from, a, f))
			return err_set(err, ERR_NOMEM, "facilities: out of memory");
		out->count += f->metres <= query->km * 1000;
	}
	return rc;
}

/* Room for as many as there are. */
static int
make_room(struct store_db *db, struct arena *a, struct near_found *out, struct err *err)
{
	int64_t all = 0;
	int rc = store_stmt_int(db, "SELECT count(*) FROM facility_public", 0, &all, err);

	*out = (struct near_found){ 0 };
	if (rc < 0)
		return rc;
	out->list = arena_take(a, (size_t)all + 1, sizeof *out->list);
	return out->list != NULL ? 0 : err_set(err, ERR_NOMEM, "facilities: out of memory");
}

static int
find(struct store_db *db, const struct near_query *query, struct arena *a, struct near_found *out,
     struct err *err)
{
	double band = query->km * 1000 / MEAN_RADIUS_M / DEGREE * E6 + 1;
	struct store_stmt s;
	int rc = make_room(db, a, out, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        db, "SELECT facility_id, lat_e6, lon_e6, name, subdistrict_code, phone, address,"
	            " intro, kind, is_inclusive, open_min, close_min FROM facility_public"
	            " WHERE coalesce(status, 1) = 1 AND lat_e6 BETWEEN ? AND ?"
	            " AND lat_e6 BETWEEN -90000000 AND 90000000"
	            " AND lon_e6 BETWEEN -180000000 AND 180000000");
	store_stmt_put_int(&s, (int64_t)(query->from.lat * E6 - band));
	store_stmt_put_int(&s, (int64_t)(query->from.lat * E6 + band));
	rc = read_rows(&s, query, a, out, err);
	store_stmt_end(&s);
	return rc;
}

int
near_find(struct store_db *db, const struct near_query *query, struct arena *a,
          struct near_found *out, struct err *err)
{
	int rc = store_db_begin(db, err); /* so that there are as many as were counted */

	if (rc < 0)
		return rc;
	rc = find(db, query, a, out, err);
	store_db_rollback(db);
	if (rc == 0 && out->count > 0)
		qsort(out->list, out->count, sizeof *out->list, by_distance);
	return rc;
}
