#include "node/facility/today.h"
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"

#include "store/stmt.h"

#include <string.h>

/* The newest name of a code, "" if it has none. */
#define NAME_OF(lang, set, code)                                                                   \
	"coalesce((SELECT name_" lang " FROM code_set WHERE set_code = " set                       \
	" AND code = CAST(" code " AS TEXT) ORDER BY version DESC LIMIT 1), '')"

/* What child c is allergic to: names of the codes, or what was written instead of one. */
#define ALLERGIES(lang, between)                                                                   \
	"coalesce((SELECT group_concat(coalesce(nullif(" NAME_OF(                                  \
	        lang, "'allergen'",                                                                \
	        "g.allergen_code") ", ''), g.allergen_code), " between                             \
	                           ") FROM allergy g WHERE g.child_id = c.id AND g.active), '')"

/* As RECORD_OF_DAY, for visits, whose time is called in_at. */
#define VISIT_OF_DAY "(v.biz_date = ? OR (v.biz_date IS NULL AND v.in_at >= ? AND v.in_at < ?))"

enum { ADULTS_MAX = 20 };

struct reading {
	struct facility *f;
	struct arena *a;
	int date;
	bool failed; /* out of memory */
};

static const char *
keep(struct reading *r, const char *text)
{
	const char *kept = arena_copy(r->a, text, strlen(text));

	r->failed |= kept == NULL;
	return kept == NULL ? "" : kept;
}

static void
take_id(struct store_stmt *s, uint8_t out[STORE_ID])
{
	size_t len;
	const uint8_t *id = store_stmt_get_blob(s, &len);

	memset(out, 0, STORE_ID);
	memcpy(out, id, len < STORE_ID ? len : STORE_ID);
}

/* ------------------------------------------------------------------ one child */

/* Guardians, then others with the right to fetch her today; who was revoked isn't among them, nor
 * who must say a code, nor whom the platform names and nobody here has accepted. */
static int
read_adults(struct reading *r, struct today_child *c, struct err *err)
{
	struct today_adult *list = arena_take(r->a, ADULTS_MAX, sizeof *list);
	struct store_stmt s;
	int rc;

	if (list == NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	s = store_stmt_new(
	        r->f->db,
	        "SELECT id, name, coalesce(relation, ''), 1 - is_primary FROM guardian "
	        "WHERE child_id = ?1"
	        " UNION ALL SELECT id, name, coalesce(relation, ''), 2 FROM pickup_auth"
	        " WHERE child_id = ?1 AND revoked = 0 AND code_hash IS NULL"
	        " AND " RECORD_RIGHT_COUNTS("pickup_auth") " AND coalesce(valid_from, 0) <= ?2"
	                                                   " AND coalesce(valid_to, 99999999) >= "
	                                                   "?2 ORDER BY 4, 2, 1 LIMIT ?3");
	store_stmt_put_blob(&s, c->id, STORE_ID);
	store_stmt_put_int(&s, r->date);
	store_stmt_put_int(&s, ADULTS_MAX);
	c->adults = list;
	for (; (rc = store_stmt_step(&s, err)) == 1; c->adult_count++, list++) {
		take_id(&s, list->id);
		list->name = keep(r, store_stmt_get_text(&s));
		list->relation = keep(r, store_stmt_get_text(&s));
	}
	store_stmt_end(&s);
	return rc;
}

/* The event that made her state, and the times around it. */
static int
read_events(struct reading *r, struct today_child *c, struct err *err)
{
	struct store_stmt s;
	int rc;

	s = store_stmt_new(r->f->db,
	                   "SELECT a.kind, a.at, a.id FROM (SELECT ? AS id) e, attendance_event a"
	                   " WHERE a.enrollment_id = e.id AND a.kind IN (1, 2) AND " RECORD_OF_DAY(
	                           "a") " AND NOT EXISTS (SELECT 1 FROM attendance_event r WHERE "
	                                "r.replaces_id = a.id AND r.facility_id = a.facility_id)"
	                                " ORDER BY a.at, 3 - a.kind");
	store_stmt_put_blob(&s, c->enrollment, STORE_ID);
	record_put_day(&s, r->f, r->date);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		int kind = (int)store_stmt_get_int(&s);
		int64_t at = store_stmt_get_int(&s);

		if (kind == ATTEND_IN && c->in_at == 0)
			c->in_at = at;
		if (kind == ATTEND_OUT)
			c->out_at = at;
		c->state = kind == ATTEND_IN ? TODAY_PRESENT : TODAY_LEFT;
		take_id(&s, c->event);
	}
	store_stmt_end(&s);
	return rc;
}

/* ------------------------------------------------------------------ classes */

static const char sql_children
        [] = "SELECT c.id, e.id, c.name,"
             " coalesce((SELECT h.card FROM health_check h WHERE h.enrollment_id = e.id AND "
             "h.slot = 1"
             "  AND " RECORD_OF_DAY(
                     "h") " ORDER BY h.at DESC LIMIT 1), 0),"
                          " coalesce(b.reason, 0), " NAME_OF(
                                  "zh", "'absence_case.reason'",
                                  "b.reason") ","
                                              " " NAME_OF("en", "'absence_case.reason'",
                                                          "b.reason") ","
                                                                      " " ALLERGIES("zh", "'、'") ", " ALLERGIES(
                                                                              "en",
                                                                              "', '") " FROM "
                                                                                      "enrollmen"
                                                                                      "t e JOIN "
                                                                                      "child c "
                                                                                      "ON c.id "
                                                                                      "= "
                                                                                      "e.child_"
                                                                                      "id"
                                                                                      " LEFT "
                                                                                      "JOIN "
                                                                                      "absence_"
                                                                                      "case b "
                                                                                      "ON b.id "
                                                                                      "= "
                                                                                      "(SELECT "
                                                                                      "x.id "
                                                                                      "FROM "
                                                                                      "absence_"
                                                                                      "case x "
                                                                                      "WHERE "
                                                                                      "x."
                                                                                      "enrollmen"
                                                                                      "t_id = "
                                                                                      "e.id"
                                                                                      "  AND "
                                                                                      "x.date_"
                                                                                      "from <= "
                                                                                      "? AND "
                                                                                      "x.date_"
                                                                                      "to >= ? "
                                                                                      "ORDER BY "
                                                                                      "x.id "
                                                                                      "DESC "
                                                                                      "LIMIT 1)"
                                                                                      " WHERE "
                                                                                      "e."
                                                                                      "facility_"
                                                                                      "id = ? "
                                                                                      "AND "
                                                                                      "e.status "
                                                                                      "= 3 AND "
                                                                                      "e.class_"
                                                                                      "id IS ?"
                                                                                      " ORDER "
                                                                                      "BY "
                                                                                      "c.name, "
                                                                                      "c.birth_"
                                                                                      "date, "
                                                                                      "c.id "
                                                                                      "LIMIT ?";

/* Children of one class; all columns but the events. */
static int
read_children(struct reading *r, const uint8_t *class_id, struct today_child *list, int64_t most,
              struct err *err)
{
	struct store_stmt s;
	int rc, count = 0;

	s = store_stmt_new(r->f->db, sql_children);
	record_put_day(&s, r->f, r->date);
	store_stmt_put_int(&s, r->date);
	store_stmt_put_int(&s, r->date);
	store_stmt_put_text(&s, r->f->id);
	record_put_id(&s, class_id);
	store_stmt_put_int(&s, most);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct today_child *c = &list[count];

		take_id(&s, c->id);
		take_id(&s, c->enrollment);
		count++;
		c->name = keep(r, store_stmt_get_text(&s));
		c->card = (int)store_stmt_get_int(&s);
		c->reason = (int)store_stmt_get_int(&s);
		c->reason_zh = keep(r, store_stmt_get_text(&s));
		c->reason_en = keep(r, store_stmt_get_text(&s));
		c->allergies_zh = keep(r, store_stmt_get_text(&s));
		c->allergies_en = keep(r, store_stmt_get_text(&s));
		c->state = c->reason != 0 ? TODAY_ABSENT : TODAY_EXPECTED;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : count;
}

static int
read_class(struct reading *r, struct today_class *k, int64_t most, struct err *err)
{
	struct today_child *list = arena_take(r->a, (size_t)most + 1, sizeof *list);
	int count, rc = 0;

	if (list == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for %lld children", (long long)most);
	count = read_children(r, k->id, list, most, err);
	if (count < 0)
		return count;
	k->children = list;
	k->n.enrolled = count;
	for (int i = 0; rc == 0 && i < count; i++) {
		rc = read_events(r, &list[i], err);
		if (rc == 0 && list[i].state == TODAY_PRESENT)
			rc = read_adults(r, &list[i], err);
		k->n.by_state[list[i].state]++;
	}
	return rc;
}

/* A class and how many are enrolled in it; the last is that of children without one. */
static int
list_classes(struct reading *r, struct today_class *list, int64_t *sizes, struct err *err)
{
	struct store_stmt s;
	int rc, count = 0;

	s = store_stmt_new(
	        r->f->db,
	        "SELECT g.id, g.name, coalesce(g.kind, 0), coalesce(g.cap, 0),"
	        " (SELECT count(*) FROM enrollment e WHERE e.facility_id = ?1 AND e.class_id = g.id"
	        "  AND e.status = 3)"
	        " FROM class_group g WHERE g.facility_id = ?1 AND g.status = 1"
	        " UNION ALL SELECT NULL, '', 99, 0, count(*) FROM enrollment e"
	        " WHERE e.facility_id = ?1 AND e.status = 3 AND e.class_id IS NULL ORDER BY 3, 2, "
	        "1");
	store_stmt_put_text(&s, r->f->id);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct today_class *k = &list[count];
		uint8_t *id = NULL;

		if (!store_stmt_null(&s)) {
			id = arena_take(r->a, STORE_ID, 1);
			r->failed |= id == NULL;
			if (id == NULL)
				break;
			take_id(&s, id);
		} else {
			(void)store_stmt_get_int(&s);
		}
		k->id = id;
		k->name = keep(r, store_stmt_get_text(&s));
		k->kind = (int)store_stmt_get_int(&s);
		k->cap = store_stmt_get_int(&s);
		sizes[count] = store_stmt_get_int(&s);
		count += k->id != NULL || sizes[count] > 0;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : count;
}

static int
read_counts(struct reading *r, struct facility_today *out, struct err *err)
{
	struct store_stmt s;
	int rc;

	s = store_stmt_new(r->f->db, "SELECT (SELECT count(*) FROM enrollment e JOIN health_check "
	                             "h ON h.enrollment_id = e.id"
	                             "  WHERE e.facility_id = ? AND " RECORD_OF_DAY(
	                                     "h") "),"
	                                          " (SELECT count(*) FROM drop_in_visit v WHERE "
	                                          "v.facility_id = ? AND " VISIT_OF_DAY ")");
	store_stmt_put_text(&s, r->f->id);
	record_put_day(&s, r->f, r->date);
	store_stmt_put_text(&s, r->f->id);
	record_put_day(&s, r->f, r->date);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		out->checks = store_stmt_get_int(&s);
		out->visits = store_stmt_get_int(&s);
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

static int
read_day(struct facility *f, int date, struct arena *a, struct facility_today *out, struct err *err)
{
	struct reading r = { .f = f, .a = a, .date = date };
	struct today_class *classes;
	int64_t most, *sizes;
	int count, rc;

	*out = (struct facility_today){ .date = date };
	rc = store_stmt_int(f->db, "SELECT count(*) FROM class_group", 0, &most, err);
	if (rc < 0)
		return rc;
	classes = arena_take(a, (size_t)most + 2, sizeof *classes);
	sizes = arena_take(a, (size_t)most + 2, sizeof *sizes);
	if (classes == NULL || sizes == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for %lld classes", (long long)most);
	count = list_classes(&r, classes, sizes, err);
	if (count < 0)
		return count;
	for (int i = 0; rc == 0 && i < count; i++) {
		rc = read_class(&r, &classes[i], sizes[i], err);
		out->n.enrolled += classes[i].n.enrolled;
		for (int k = 0; k < TODAY_STATES; k++)
			out->n.by_state[k] += classes[i].n.by_state[k];
	}
	out->classes = classes;
	out->class_count = (size_t)count;
	if (rc == 0)
		rc = read_counts(&r, out, err);
	return rc == 0 && r.failed ? err_set(err, ERR_NOMEM, "out of memory for a day") : rc;
}

int
facility_today(struct facility *f, int date, struct arena *a, struct facility_today *out,
               struct err *err)
{
	struct err undo;
	int rc;

	/* one moment for all of it, whether or not the caller has a transaction */
	rc = store_db_exec(f->db, "SAVEPOINT today", err);
	if (rc < 0)
		return rc;
	rc = read_day(f, date, a, out, err);
	if (store_db_exec(f->db, "RELEASE today", rc < 0 ? &undo : err) < 0 && rc == 0)
		rc = err->code;
	return rc;
}

int
facility_present(struct facility *f, int date, int64_t *present, struct err *err)
{
	struct store_stmt s;
	int rc;

	*present = 0;
	s = store_stmt_new(
	        f->db,
	        "SELECT (SELECT count(*) FROM enrollment e WHERE e.facility_id = ? AND e.status = 3"
	        " AND 1 = " RECORD_STATE ") + (SELECT count(*) FROM drop_in_visit v"
	        " WHERE v.facility_id = ? AND " VISIT_OF_DAY
	        " AND v.in_at IS NOT NULL AND v.out_at IS NULL)");
	store_stmt_put_text(&s, f->id);
	record_put_day(&s, f, date);
	store_stmt_put_text(&s, f->id);
	record_put_day(&s, f, date);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		*present = store_stmt_get_int(&s);
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}
