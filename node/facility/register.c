/*
 * node/facility/register.c - who belongs to the house: classes, children
 * with their places, guardians and allergies, staff.
 *
 * A list that is taken in tells of everybody, each time.  So every statement
 * writes only where something differs: what says nothing new changes no row, and
 * leaves nothing to be sent.
 */
#include "node/facility/register.h"

#include "node/facility/codes.h"
#include "node/facility/record_priv.h"

#include <stdio.h>
#include <string.h>

/* Run a write and add its rows. */
static int
run(struct facility *f, struct store_stmt *s, int64_t *rows, struct err *err)
{
	int rc = store_stmt_run(s, err);

	if (rc == 0)
		*rows += store_stmt_changes(f->db);
	return rc;
}

/* A query of one id, left in f->last_id: 1 found, 0 not. */
static int
find(struct facility *f, struct store_stmt *s, struct err *err)
{
	size_t len;
	int rc = store_stmt_step(s, err);

	if (rc == 1) {
		const uint8_t *found = store_stmt_get_blob(s, &len);

		memset(f->last_id, 0, STORE_ID);
		memcpy(f->last_id, found, len < STORE_ID ? len : STORE_ID);
	}
	store_stmt_end(s);
	return rc;
}

/* ------------------------------------------------------------------ classes */

/* What the name of a class tells about its kind; 0: nothing. */
static int
kind_of(const char *name)
{
	static const struct {
		const char *part;
		int kind;
	} parts[] = { { "乳", CLASS_INFANT },
		      { "小", CLASS_YOUNGER },
		      { "大", CLASS_OLDER },
		      { "混", CLASS_MIXED } };

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (strstr(name, parts[i].part) != NULL)
			return parts[i].kind;
	return 0;
}

static int
add_class(struct facility *f, const struct facility_class *in, int64_t *rows, struct err *err)
{
	int kind = in->kind == 0 ? kind_of(in->name) : (int)in->kind, rc;
	char cap[32], ratio[32];
	struct store_stmt s;

	snprintf(cap, sizeof cap, "class_cap.%d", kind);
	snprintf(ratio, sizeof ratio, "class_ratio.%d", kind);
	s = store_stmt_new(
	        f->db,
	        "INSERT INTO class_group(id, facility_id, name, kind, cap, ratio_n, recorded_by) "
	        "VALUES (?, ?, ?, ?,"
	        " (SELECT value FROM norm_param WHERE param = ? ORDER BY version DESC LIMIT 1),"
	        " (SELECT value FROM norm_param WHERE param = ? ORDER BY version DESC LIMIT 1), "
	        "?)");
	record_put_new(&s, f);
	store_stmt_put_text(&s, in->name);
	record_put_some(&s, kind);
	store_stmt_put_text(&s, cap);
	store_stmt_put_text(&s, ratio);
	record_put_id(&s, f->by);
	rc = run(f, &s, rows, err);
	return rc < 0 ? rc : 1;
}

int
facility_register_class(struct facility *f, const struct facility_class *in, int64_t *rows,
                        struct err *err)
{
	struct store_stmt s;
	int rc;

	rc = record_text("name", in->name, true, err);
	if (rc == 0)
		rc = record_range("kind", in->kind, 0, CLASS_MIXED, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "SELECT id FROM class_group WHERE facility_id = ? AND name = ? AND status = 1"
	        " ORDER BY id LIMIT 1");
	store_stmt_put_text(&s, f->id);
	store_stmt_put_text(&s, in->name);
	rc = find(f, &s, err);
	if (rc == 0)
		return add_class(f, in, rows, err);
	if (rc < 0 || in->kind == 0)
		return rc < 0 ? rc : 0;
	s = store_stmt_new(f->db,
	                   "UPDATE class_group SET kind = ?1 WHERE id = ?2 AND kind IS NOT ?1");
	store_stmt_put_int(&s, in->kind);
	store_stmt_put_blob(&s, f->last_id, STORE_ID);
	return run(f, &s, rows, err);
}

/* ------------------------------------------------------------------ a child */

/*
 * What id_hash becomes, with ?4 the one told and ?6 whether its key is the facility's: a hash by
 * the same key is a corrected number, one by another key gives way to the facility's only, of its
 * own child (?7).  So two nodes can't take turns, nor two facilities that share her.
 */
#define NEW_HASH                                                                                   \
	"CASE WHEN ?4 IS NULL THEN id_hash"                                                        \
	" WHEN id_hash IS NULL OR (?6 AND facility_id = ?7) THEN ?4"                               \
	" WHEN substr(id_hash, 1, 4) = substr(?4, 1, 4) THEN ?4 ELSE id_hash END"

static int
check_child(const struct facility_child *in, struct err *err)
{
	int rc = record_text("name", in->name, true, err);

	if (rc == 0)
		rc = record_range("sex", in->sex, 0, SEX_FEMALE, err);
	if (rc == 0 && in->birth_date == 0)
		rc = err_set(err, ERR_INVALID, "birth_date: is needed");
	return rc < 0 ? rc : record_date("birth_date", in->birth_date, err);
}

int
facility_register_child(struct facility *f, const struct facility_child *in, int64_t *rows,
                        struct err *err)
{
	struct store_stmt s;
	int rc = check_child(in, err);

	if (rc < 0)
		return rc;
	if (in->id != NULL) {
		memmove(f->last_id, in->id, STORE_ID);
		s = store_stmt_new(
		        f->db, "UPDATE child SET name = ?1, sex = coalesce(?2, sex),"
		               " birth_date = ?3, id_hash = " NEW_HASH
		               " WHERE id = ?5 AND (name IS NOT ?1 OR birth_date IS NOT ?3"
		               " OR sex IS NOT coalesce(?2, sex) OR id_hash IS NOT " NEW_HASH ")");
	} else {
		store_id_next(f->db, f->last_id);
		s = store_stmt_new(f->db, "INSERT INTO child(name, sex, birth_date, id_hash, "
		                          "id, facility_id, recorded_by)"
		                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
	}
	store_stmt_put_text(&s, in->name);
	record_put_some(&s, in->sex);
	store_stmt_put_int(&s, in->birth_date);
	record_put_id(&s, in->id_hash);
	store_stmt_put_blob(&s, f->last_id, STORE_ID);
	if (in->id != NULL) {
		store_stmt_put_int(&s, in->is_shared_hash);
		store_stmt_put_text(&s, f->id);
	} else {
		store_stmt_put_text(&s, f->id);
		record_put_id(&s, f->by);
	}
	rc = run(f, &s, rows, err);
	return rc < 0 ? rc : in->id == NULL;
}

static int
put_assignment(struct facility *f, const struct facility_place *in, int from, int64_t *rows,
               struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        f->db,
	        "INSERT INTO class_assignment(enrollment_id, from_date, facility_id, class_id, "
	        "recorded_by)"
	        " VALUES (?, ?, ?, ?, ?) ON CONFLICT(enrollment_id, from_date) DO UPDATE"
	        " SET class_id = excluded.class_id WHERE class_id IS NOT excluded.class_id");

	store_stmt_put_blob(&s, f->last_id, STORE_ID);
	store_stmt_put_int(&s, from);
	store_stmt_put_text(&s, f->id);
	store_stmt_put_blob(&s, in->class_id, STORE_ID);
	record_put_id(&s, f->by);
	return run(f, &s, rows, err);
}

static int
add_place(struct facility *f, const struct facility_place *in, int date, int64_t *rows,
          struct err *err)
{
	int from = in->from == 0 ? date : (int)in->from, rc;
	struct store_stmt s = store_stmt_new(
	        f->db, "INSERT INTO enrollment(id, facility_id, child_id, class_id, service_type,"
	               " start_date, status, recorded_by) VALUES (?, ?, ?, ?, ?, ?, 3, ?)");

	record_put_new(&s, f);
	store_stmt_put_blob(&s, in->child, STORE_ID);
	store_stmt_put_blob(&s, in->class_id, STORE_ID);
	store_stmt_put_int(&s, in->service == 0 ? SERVICE_FULL : in->service);
	store_stmt_put_int(&s, from);
	record_put_id(&s, f->by);
	rc = run(f, &s, rows, err);
	if (rc == 0)
		rc = put_assignment(f, in, from, rows, err);
	return rc < 0 ? rc : 1;
}

/* The enrolment f->last_id, which is there: her class, from `date` on, and the rest. */
static int
correct_place(struct facility *f, const struct facility_place *in, int date, int64_t *rows,
              struct err *err)
{
	int64_t before = *rows;
	struct store_stmt s = store_stmt_new(
	        f->db, "UPDATE enrollment SET class_id = ?1 WHERE id = ?2 AND class_id IS NOT ?1");
	int rc;

	store_stmt_put_blob(&s, in->class_id, STORE_ID);
	store_stmt_put_blob(&s, f->last_id, STORE_ID);
	rc = run(f, &s, rows, err);
	if (rc == 0 && *rows > before)
		rc = put_assignment(f, in, date, rows, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "UPDATE enrollment SET service_type = coalesce(?1, service_type),"
	                          " start_date = coalesce(?2, start_date) WHERE id = ?3"
	                          " AND (service_type IS NOT coalesce(?1, service_type)"
	                          " OR start_date IS NOT coalesce(?2, start_date))");
	record_put_some(&s, in->service);
	record_put_some(&s, in->from);
	store_stmt_put_blob(&s, f->last_id, STORE_ID);
	return run(f, &s, rows, err);
}

int
facility_register_place(struct facility *f, const struct facility_place *in, int64_t *rows,
                        struct err *err)
{
	struct store_stmt s;
	int date, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		rc = record_range("service", in->service, 0, SERVICE_DROP_IN, err);
	if (rc == 0)
		rc = record_date("from", in->from, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "SELECT id FROM enrollment WHERE child_id = ? AND facility_id = ? AND status = 3"
	        " ORDER BY start_date DESC, id LIMIT 1");
	store_stmt_put_blob(&s, in->child, STORE_ID);
	store_stmt_put_text(&s, f->id);
	rc = find(f, &s, err);
	if (rc < 0)
		return rc;
	return rc == 0 ? add_place(f, in, date, rows, err) : correct_place(f, in, date, rows, err);
}

int
facility_register_guardian(struct facility *f, const struct facility_guardian *in, int64_t *rows,
                           struct err *err)
{
	struct store_stmt s;
	int rc, found;

	rc = record_text("name", in->name, true, err);
	if (rc == 0)
		rc = record_text("relation", in->relation, false, err);
	if (rc == 0)
		rc = record_text("phone", in->phone, false, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "SELECT id FROM guardian WHERE child_id = ? AND name = ? ORDER BY id LIMIT 1");
	store_stmt_put_blob(&s, in->child, STORE_ID);
	store_stmt_put_text(&s, in->name);
	found = find(f, &s, err);
	if (found < 0)
		return found;
	if (found == 1) {
		s = store_stmt_new(
		        f->db,
		        "UPDATE guardian SET relation = coalesce(?1, relation), phone = "
		        "coalesce(?2, phone),"
		        " is_primary = ?3 WHERE id = ?4 AND (relation IS NOT coalesce(?1, relation)"
		        " OR phone IS NOT coalesce(?2, phone) OR is_primary IS NOT ?3)");
	} else {
		store_id_next(f->db, f->last_id);
		s = store_stmt_new(f->db, "INSERT INTO guardian(relation, phone, is_primary, id, "
		                          "facility_id, child_id, name,"
		                          " recorded_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	}
	store_stmt_put_text(&s, in->relation);
	store_stmt_put_text(&s, in->phone);
	store_stmt_put_int(&s, in->is_primary);
	store_stmt_put_blob(&s, f->last_id, STORE_ID);
	if (found == 0) {
		store_stmt_put_text(&s, f->id);
		store_stmt_put_blob(&s, in->child, STORE_ID);
		store_stmt_put_text(&s, in->name);
		record_put_id(&s, f->by);
	}
	rc = run(f, &s, rows, err);
	return rc < 0 ? rc : found == 0;
}

int
facility_register_allergy(struct facility *f, const struct facility_allergy *in, int64_t *rows,
                          struct err *err)
{
	int64_t before = *rows;
	struct store_stmt s;
	int rc = record_text("allergen", in->allergen, true, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "INSERT INTO allergy(child_id, allergen_code, facility_id, recorded_by)"
	        " SELECT ?1, coalesce((SELECT code FROM code_set WHERE set_code = 'allergen'"
	        "  AND (name_zh = ?2 OR lower(name_en) = lower(?2) OR code = upper(?2)) LIMIT 1), "
	        "?2), ?3, ?4"
	        " WHERE true ON CONFLICT(child_id, allergen_code) DO NOTHING");
	store_stmt_put_blob(&s, in->child, STORE_ID);
	store_stmt_put_text(&s, in->allergen);
	store_stmt_put_text(&s, f->id);
	record_put_id(&s, f->by);
	rc = run(f, &s, rows, err);
	return rc < 0 ? rc : *rows > before;
}

/* ------------------------------------------------------------------ staff */

static int
find_staff(struct facility *f, const struct facility_staff *in, struct err *err)
{
	struct store_stmt s;
	int rc = record_text("name", in->name, true, err);

	if (rc == 0)
		rc = record_range("role", in->role, ROLE_DIRECTOR, ROLE_OFFICE, err);
	if (rc == 0)
		rc = record_text("phone", in->phone, false, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "SELECT id FROM staff WHERE facility_id = ? AND name = ? AND "
	                          "role = ? ORDER BY id LIMIT 1");
	store_stmt_put_text(&s, f->id);
	store_stmt_put_text(&s, in->name);
	store_stmt_put_int(&s, in->role);
	return find(f, &s, err);
}

int
facility_register_staff(struct facility *f, const struct facility_staff *in, int64_t *rows,
                        struct err *err)
{
	int found = find_staff(f, in, err), rc;
	struct store_stmt s;

	if (found < 0)
		return found;
	if (found == 1) {
		s = store_stmt_new(
		        f->db,
		        "UPDATE staff SET sex = coalesce(?1, sex), phone = coalesce(?2, phone),"
		        " class_id = coalesce(?3, class_id) WHERE id = ?4 AND (sex IS NOT "
		        "coalesce(?1, sex)"
		        " OR phone IS NOT coalesce(?2, phone) OR class_id IS NOT coalesce(?3, "
		        "class_id))");
	} else {
		store_id_next(f->db, f->last_id);
		s = store_stmt_new(f->db, "INSERT INTO staff(sex, phone, class_id, id, "
		                          "facility_id, name, role, recorded_by)"
		                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	}
	record_put_some(&s, in->sex);
	store_stmt_put_text(&s, in->phone);
	record_put_id(&s, in->class_id);
	store_stmt_put_blob(&s, f->last_id, STORE_ID);
	if (found == 0) {
		store_stmt_put_text(&s, f->id);
		store_stmt_put_text(&s, in->name);
		store_stmt_put_int(&s, in->role);
		record_put_id(&s, f->by);
	}
	rc = run(f, &s, rows, err);
	return rc < 0 ? rc : found == 0;
}
