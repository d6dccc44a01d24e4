/*
 * node/facility/record.c - the facility itself, and the checks all records share.
 */
#include "node/facility/record.h"
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"

#include "store/base/text.h"
#include "store/catalog.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 4000 };

/* ------------------------------------------------------------------ the facility */

static int
check_facility_id(const char *id, struct err *err)
{
	size_t len = strlen(id);

	if (len == 0 || len > FACILITY_ID_MAX)
		return err_set(err, ERR_INVALID,
		               "facility id '%.20s...' must have 1 to %d characters", id,
		               FACILITY_ID_MAX);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)id[i] <= ' ' || id[i] == '/')
			return err_set(err, ERR_INVALID,
			               "facility id '%s' may hold no blank and no '/'", id);
	return 0;
}

int
facility_claim(struct store_db *db, const char *id, struct err *err)
{
	int rc = check_facility_id(id, err);

	return rc < 0 ? rc : store_meta_set(db, "facility", id, strlen(id), err);
}

int
facility_create(struct store_db *db, const char *id, const char *name, int kind, struct err *err)
{
	struct store_stmt s;
	int rc;

	rc = facility_claim(db, id, err);
	if (rc == 0)
		rc = record_range("kind", kind, KIND_NURSERY, KIND_KINDERGARTEN, err);
	if (rc == 0)
		rc = record_text("name", name, false, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "INSERT INTO facility(facility_id, kind, name) VALUES (?1, ?2, ?3)"
	                       " ON CONFLICT(facility_id) DO UPDATE SET kind = ?2, name = ?3"
	                       " WHERE kind IS NOT ?2 OR name IS NOT ?3");
	store_stmt_put_text(&s, id);
	store_stmt_put_int(&s, kind);
	store_stmt_put_text(&s, name == NULL ? "" : name);
	return store_stmt_run(&s, err);
}

static int
own_id(struct facility *f, struct err *err)
{
	struct buf id = { 0 };
	int rc = store_meta_get(f->db, "facility", &id, err);

	if (rc == ERR_NOTFOUND)
		rc = err_set(err, ERR_NOTFOUND,
		             "this is not a facility's database: it has no facility of its own");
	if (rc == 0)
		text_copy(f->id, sizeof f->id, buf_str(&id));
	buf_free(&id);
	return rc;
}

/* Records can't wait for a word to be put right, so one that isn't known counts as most do. */
static void
set_zone(struct facility *f, const char *zone)
{
	text_copy(f->zone, sizeof f->zone, zone);
	f->zone_strange = !date_offset(zone, &f->offset_min);
	if (f->zone_strange)
		f->offset_min = DATE_CHINA_MIN;
}

int
facility_open(struct facility *f, struct store_db *db, const char *id, struct err *err)
{
	struct store_stmt s;
	int rc;

	*f = (struct facility){ .db = db };
	if (id == NULL)
		rc = own_id(f, err);
	else
		rc = check_facility_id(id, err);
	if (rc < 0)
		return rc;
	if (id != NULL)
		text_copy(f->id, sizeof f->id, id);
	s = store_stmt_new(db, "SELECT name, kind, timezone FROM facility WHERE facility_id = ?");
	store_stmt_put_text(&s, f->id);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		text_copy(f->name, sizeof f->name, store_stmt_get_text(&s));
		f->kind = (int)store_stmt_get_int(&s);
		set_zone(f, store_stmt_get_text(&s));
		rc = 0;
	} else if (rc == 0 && id == NULL) {
		f->kind = KIND_NURSERY;
		f->offset_min = DATE_CHINA_MIN;
	} else if (rc == 0) {
		rc = err_set(err, ERR_NOTFOUND, "facility '%s' is not in this database", f->id);
	}
	store_stmt_end(&s);
	if (f->name[0] == 0)
		text_copy(f->name, sizeof f->name, f->id);
	return rc;
}

/* ------------------------------------------------------------------ what all records share */

void
record_put_day(struct store_stmt *s, const struct facility *f, int date)
{
	store_stmt_put_int(s, date);
	store_stmt_put_int(s, date_ms(date, 0, f->offset_min));
	store_stmt_put_int(s, date_ms(date, 24 * 60, f->offset_min));
}

void
record_put_id(struct store_stmt *s, const uint8_t *id)
{
	if (id == NULL)
		store_stmt_put_null(s);
	else
		store_stmt_put_blob(s, id, STORE_ID);
}

void
record_put_some(struct store_stmt *s, int64_t value)
{
	if (value == 0)
		store_stmt_put_null(s);
	else
		store_stmt_put_int(s, value);
}

void
record_put_new(struct store_stmt *s, struct facility *f)
{
	assert(store_db_in_transaction(f->db));
	store_id_next(f->db, f->last_id);
	store_stmt_put_blob(s, f->last_id, STORE_ID);
	store_stmt_put_text(s, f->id);
}

int
record_finish(struct store_stmt *s, struct facility *f, struct err *err)
{
	record_put_id(s, f->by);
	return store_stmt_run(s, err);
}

int
record_at(const struct facility *f, int64_t at, int *date, struct err *err)
{
	*date = 0;
	if (at < date_ms(20000101, 0, 0) || at >= date_ms(21000101, 0, 0))
		return err_set(err, ERR_INVALID,
		               "at: %lld is not a time of this century, in ms since 1970",
		               (long long)at);
	*date = date_of(at, f->offset_min);
	return 0;
}

int
record_range(const char *what, int64_t value, int64_t low, int64_t high, struct err *err)
{
	if (value >= low && value <= high)
		return 0;
	return err_set(err, ERR_INVALID, "%s: %lld is not in %lld to %lld", what, (long long)value,
	               (long long)low, (long long)high);
}

int
record_date(const char *what, int64_t date, struct err *err)
{
	if (date == 0 || (date > 0 && date < 30000000 && date_valid((int)date)))
		return 0;
	return err_set(err, ERR_INVALID, "%s: %lld is not a date like 20260302", what,
	               (long long)date);
}

int
record_text(const char *what, const char *text, bool needed, struct err *err)
{
	size_t len = text == NULL ? 0 : strlen(text);

	if (len == 0 && needed)
		return err_set(err, ERR_INVALID, "%s: is needed", what);
	if (len > TEXT_MAX)
		return err_set(err, ERR_INVALID, "%s: %zu bytes are too many, %d is the limit",
		               what, len, TEXT_MAX);
	if (len > 0 && !text_is_utf8(text, len, NULL))
		return err_set(err, ERR_INVALID, "%s: is not UTF-8", what);
	return 0;
}

/* A row of: enrollment, child, class, state, name, birth date. */
static void
read_child(struct store_stmt *s, struct record_child *out)
{
	uint8_t *const ids[] = { out->enrollment, out->child, out->class_id };
	size_t len = 0;

	for (size_t i = 0; i < 3; i++) {
		const uint8_t *id = store_stmt_get_blob(s, &len);

		memset(ids[i], 0, STORE_ID);
		memcpy(ids[i], id, len < STORE_ID ? len : STORE_ID);
	}
	out->has_class = len == STORE_ID;
	out->state = (int)store_stmt_get_int(s);
	text_copy(out->name, sizeof out->name, store_stmt_get_text(s));
	out->birth_date = (int)store_stmt_get_int(s);
}

int
record_child(struct facility *f, const uint8_t *child, int date, struct record_child *out,
             struct err *err)
{
	char hex[2 * STORE_ID + 1];
	struct store_stmt s;
	int rc;

	if (child == NULL)
		return err_set(err, ERR_INVALID, "child: is needed");
	s = store_stmt_new(f->db, "SELECT e.id, e.child_id, e.class_id, " RECORD_STATE
	                          ", c.name, c.birth_date"
	                          " FROM enrollment e JOIN child c ON c.id = e.child_id"
	                          " WHERE e.child_id = ? AND e.facility_id = ? AND e.status = 3"
	                          " ORDER BY e.start_date DESC, e.id LIMIT 1");
	record_put_day(&s, f, date);
	record_put_id(&s, child);
	store_stmt_put_text(&s, f->id);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		read_child(&s, out);
		rc = 0;
	} else if (rc == 0) {
		text_hex(hex, child, STORE_ID);
		rc = err_set(err, ERR_NOTFOUND, "child: %s is not enrolled at %s", hex, f->id);
	}
	store_stmt_end(&s);
	return rc;
}

int
record_present(struct facility *f, const uint8_t *class_id, struct record_group *group,
               struct err *err)
{
	struct store_stmt s;
	int64_t most;
	int rc;

	group->count = 0;
	rc = store_stmt_int(f->db, "SELECT count(*) FROM enrollment WHERE status = 3", 0, &most,
	                    err);
	if (rc < 0)
		return rc;
	group->list = arena_take(&group->arena, (size_t)most + 1, sizeof *group->list);
	if (group->list == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for %lld children", (long long)most);
	s = store_stmt_new(
	        f->db, "SELECT e.id, e.child_id, e.class_id, " RECORD_STATE ", c.name, c.birth_date"
	               " FROM enrollment e JOIN child c ON c.id = e.child_id"
	               " WHERE e.facility_id = ? AND e.status = 3 AND (? IS NULL OR e.class_id = ?)"
	               " ORDER BY c.name, c.birth_date, e.id");
	record_put_day(&s, f, group->date);
	store_stmt_put_text(&s, f->id);
	record_put_id(&s, class_id);
	record_put_id(&s, class_id);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		read_child(&s, &group->list[group->count]);
		group->count +=
		        group->list[group->count].state == ATTEND_IN && group->count < (size_t)most;
	}
	store_stmt_end(&s);
	return rc;
}

int
record_not_here(const struct facility *f, const char *what, const uint8_t *id, struct err *err)
{
	char hex[2 * STORE_ID + 1];

	text_hex(hex, id, STORE_ID);
	return err_set(err, ERR_NOTFOUND, "%s: there is no %s at %s", what, hex, f->id);
}

int
record_exists(struct facility *f, const char *sql, const char *what, const uint8_t *id,
              struct err *err)
{
	struct store_stmt s;
	int rc;

	if (id == NULL)
		return err_set(err, ERR_INVALID, "%s: is needed", what);
	s = store_stmt_new(f->db, sql);
	record_put_id(&s, id);
	store_stmt_put_text(&s, f->id);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return record_not_here(f, what, id, err);
}
