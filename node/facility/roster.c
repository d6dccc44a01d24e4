/*
 * node/facility/roster.c - from checked rows to the tables.
 *
 * Every statement writes only where something differs, so that the same file
 * twice changes no row, and logs nothing to be sent.
 *
 * Who is matched by id_no goes first: then a child with the same name and birth
 * date as another, but another number, is not taken for her.
 *
 * The number on the paper is kept nowhere, only its keyed hash (roster_id.c).
 */
#include "node/facility/roster.h"
#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/record_priv.h"
#include "node/facility/roster_priv.h"

#include "store/catalog.h"

#include <stdio.h>
#include <string.h>

/* One import under way. */
struct import {
	struct facility *f;
	const struct roster_row *rows;
	uint8_t (*ids)[STORE_ID]; /* of the child or staff each row is, once known */
	bool *known;
	size_t count;
	struct roster_keys keys;
	int date;
	struct roster_counts *out;
};

/* Run a write and count its rows; *touched tells whether there were any. */
static int
run(struct import *im, struct store_stmt *s, bool *touched, struct err *err)
{
	int rc = store_stmt_run(s, err);

	if (rc == 0 && store_stmt_changes(im->f->db) > 0) {
		im->out->rows += store_stmt_changes(im->f->db);
		*touched = true;
	}
	return rc;
}

/* Run a query for one id: 1 found, 0 not. */
static int
find(struct store_stmt *s, uint8_t id[STORE_ID], struct err *err)
{
	size_t len;
	int rc = store_stmt_step(s, err);

	if (rc == 1) {
		const uint8_t *found = store_stmt_get_blob(s, &len);

		memset(id, 0, STORE_ID);
		memcpy(id, found, len < STORE_ID ? len : STORE_ID);
	}
	store_stmt_end(s);
	return rc;
}

/* ------------------------------------------------------------------ classes */

/* What the name of a class tells about its kind, if nobody said. */
static int
kind_of(const struct roster_row *row)
{
	static const struct {
		const char *part;
		int kind;
	} parts[] = { { "乳", CLASS_INFANT },
		      { "小", CLASS_YOUNGER },
		      { "大", CLASS_OLDER },
		      { "混", CLASS_MIXED } };

	for (size_t i = 0; row->class_kind == 0 && i < sizeof parts / sizeof parts[0]; i++)
		if (strstr(row->class_name, parts[i].part) != NULL)
			return parts[i].kind;
	return row->class_kind;
}

static int
add_class(struct import *im, const struct roster_row *row, uint8_t id[STORE_ID], struct err *err)
{
	int kind = kind_of(row);
	char cap[32], ratio[32];
	struct store_stmt s;
	bool touched;

	snprintf(cap, sizeof cap, "class_cap.%d", kind);
	snprintf(ratio, sizeof ratio, "class_ratio.%d", kind);
	s = store_stmt_new(
	        im->f->db,
	        "INSERT INTO class_group(id, facility_id, name, kind, cap, ratio_n, recorded_by) "
	        "VALUES (?, ?, ?, ?,"
	        " (SELECT value FROM norm_param WHERE param = ? ORDER BY version DESC LIMIT 1),"
	        " (SELECT value FROM norm_param WHERE param = ? ORDER BY version DESC LIMIT 1), "
	        "?)");
	record_put_new(&s, im->f);
	memcpy(id, im->f->last_id, STORE_ID);
	store_stmt_put_text(&s, row->class_name);
	record_put_some(&s, kind);
	store_stmt_put_text(&s, cap);
	store_stmt_put_text(&s, ratio);
	record_put_id(&s, im->f->by);
	im->out->classes_added++;
	return run(im, &s, &touched, err);
}

static int
the_class(struct import *im, const struct roster_row *row, uint8_t id[STORE_ID], bool *touched,
          struct err *err)
{
	struct store_stmt s;
	int rc;

	s = store_stmt_new(
	        im->f->db,
	        "SELECT id FROM class_group WHERE facility_id = ? AND name = ? AND status = 1"
	        " ORDER BY id LIMIT 1");
	store_stmt_put_text(&s, im->f->id);
	store_stmt_put_text(&s, row->class_name);
	rc = find(&s, id, err);
	if (rc == 0)
		return add_class(im, row, id, err);
	if (rc < 0 || row->class_kind == 0)
		return rc < 0 ? rc : 0;
	s = store_stmt_new(im->f->db,
	                   "UPDATE class_group SET kind = ?1 WHERE id = ?2 AND kind IS NOT ?1");
	store_stmt_put_int(&s, row->class_kind);
	store_stmt_put_blob(&s, id, STORE_ID);
	return run(im, &s, touched, err);
}

/* ------------------------------------------------------------------ a child */

/* Is this child another row's? */
static bool
taken(const struct import *im, const uint8_t id[STORE_ID])
{
	for (size_t i = 0; i < im->count; i++)
		if (im->known[i] && memcmp(im->ids[i], id, STORE_ID) == 0)
			return true;
	return false;
}

static int
find_by_hash(struct import *im, size_t i, size_t key, struct err *err)
{
	uint8_t hash[ROSTER_ID_HASH];
	struct store_stmt s;

	roster_id_hash(&im->keys, key, im->rows[i].id_no, hash);
	s = store_stmt_new(
	        im->f->db,
	        "SELECT id FROM child WHERE facility_id = ? AND id_hash = ? ORDER BY id LIMIT 1");
	store_stmt_put_text(&s, im->f->id);
	store_stmt_put_blob(&s, hash, sizeof hash);
	return find(&s, im->ids[i], err);
}

static int
match_by_id_no(struct import *im, size_t i, struct err *err)
{
	int rc = 0;

	if (im->rows[i].staff || im->rows[i].id_no == NULL)
		return 0;
	for (size_t key = 0; rc == 0 && key < im->keys.count; key++)
		rc = find_by_hash(im, i, key, err);
	im->known[i] = rc == 1;
	return rc < 0 ? rc : 0;
}

static int
match_by_name(struct import *im, size_t i, struct err *err)
{
	const struct roster_row *row = &im->rows[i];
	struct store_stmt s;
	size_t len;
	int rc = 0;

	s = store_stmt_new(im->f->db, "SELECT id FROM child WHERE facility_id = ? AND name = ? AND "
	                              "birth_date = ? ORDER BY id");
	store_stmt_put_text(&s, im->f->id);
	store_stmt_put_text(&s, row->name);
	store_stmt_put_int(&s, row->birth_date);
	while (!im->known[i] && (rc = store_stmt_step(&s, err)) == 1) {
		const uint8_t *id = store_stmt_get_blob(&s, &len);

		if (len != STORE_ID || taken(im, id))
			continue;
		memcpy(im->ids[i], id, STORE_ID);
		im->known[i] = true;
		rc = 0;
	}
	store_stmt_end(&s);
	return rc;
}

/*
 * What id_hash becomes, with ?4 from the file and ?6 whether our key is the facility's: a hash by
 * our key is a corrected number, one by another key gives way to the facility's only.  So two nodes
 * can't take turns.
 */
#define NEW_HASH                                                                                   \
	"CASE WHEN ?4 IS NULL THEN id_hash WHEN id_hash IS NULL OR ?6 THEN ?4"                     \
	" WHEN substr(id_hash, 1, 4) = substr(?4, 1, 4) THEN ?4 ELSE id_hash END"

static int
put_child(struct import *im, size_t i, bool *touched, struct err *err)
{
	const struct roster_row *row = &im->rows[i];
	uint8_t hash[ROSTER_ID_HASH];
	struct store_stmt s;

	if (row->id_no != NULL)
		roster_id_hash(&im->keys, 0, row->id_no, hash);
	if (im->known[i]) {
		s = store_stmt_new(im->f->db,
		                   "UPDATE child SET name = ?1, sex = coalesce(?2, sex),"
		                   " birth_date = ?3, id_hash = " NEW_HASH
		                   " WHERE id = ?5 AND (name IS NOT ?1 OR birth_date IS NOT ?3"
		                   " OR sex IS NOT coalesce(?2, sex) OR id_hash IS NOT " NEW_HASH
		                   ")");
	} else {
		s = store_stmt_new(im->f->db, "INSERT INTO child(name, sex, birth_date, id_hash, "
		                              "id, facility_id, recorded_by)"
		                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
		store_id_next(im->f->db, im->ids[i]);
	}
	store_stmt_put_text(&s, row->name);
	record_put_some(&s, row->sex);
	store_stmt_put_int(&s, row->birth_date);
	if (row->id_no != NULL)
		store_stmt_put_blob(&s, hash, sizeof hash);
	else
		store_stmt_put_null(&s);
	store_stmt_put_blob(&s, im->ids[i], STORE_ID);
	if (im->known[i]) {
		store_stmt_put_int(&s, im->keys.shared);
	} else {
		store_stmt_put_text(&s, im->f->id);
		record_put_id(&s, im->f->by);
	}
	return run(im, &s, touched, err);
}

static int
put_assignment(struct import *im, const uint8_t enrollment[STORE_ID],
               const uint8_t class_id[STORE_ID], int from, struct err *err)
{
	struct store_stmt s;
	bool touched;

	s = store_stmt_new(
	        im->f->db,
	        "INSERT INTO class_assignment(enrollment_id, from_date, facility_id, class_id, "
	        "recorded_by)"
	        " VALUES (?, ?, ?, ?, ?) ON CONFLICT(enrollment_id, from_date) DO UPDATE"
	        " SET class_id = excluded.class_id WHERE class_id IS NOT excluded.class_id");
	store_stmt_put_blob(&s, enrollment, STORE_ID);
	store_stmt_put_int(&s, from);
	store_stmt_put_text(&s, im->f->id);
	store_stmt_put_blob(&s, class_id, STORE_ID);
	record_put_id(&s, im->f->by);
	return run(im, &s, &touched, err);
}

static int
add_enrollment(struct import *im, size_t i, const uint8_t class_id[STORE_ID], struct err *err)
{
	const struct roster_row *row = &im->rows[i];
	int from = row->start_date == 0 ? im->date : row->start_date;
	uint8_t enrollment[STORE_ID];
	struct store_stmt s;
	bool touched;
	int rc;

	s = store_stmt_new(im->f->db, "INSERT INTO enrollment(id, facility_id, child_id, class_id, "
	                              "service_type, start_date,"
	                              " status, recorded_by) VALUES (?, ?, ?, ?, ?, ?, 3, ?)");
	record_put_new(&s, im->f);
	memcpy(enrollment, im->f->last_id, STORE_ID);
	store_stmt_put_blob(&s, im->ids[i], STORE_ID);
	store_stmt_put_blob(&s, class_id, STORE_ID);
	store_stmt_put_int(&s, row->service == 0 ? SERVICE_FULL : row->service);
	store_stmt_put_int(&s, from);
	record_put_id(&s, im->f->by);
	rc = run(im, &s, &touched, err);
	return rc < 0 ? rc : put_assignment(im, enrollment, class_id, from, err);
}

static int
put_enrollment(struct import *im, size_t i, const uint8_t class_id[STORE_ID], bool *touched,
               struct err *err)
{
	const struct roster_row *row = &im->rows[i];
	uint8_t enrollment[STORE_ID];
	bool moved = false;
	struct store_stmt s;
	int rc;

	s = store_stmt_new(
	        im->f->db,
	        "SELECT id FROM enrollment WHERE child_id = ? AND facility_id = ? AND status = 3"
	        " ORDER BY start_date DESC, id LIMIT 1");
	store_stmt_put_blob(&s, im->ids[i], STORE_ID);
	store_stmt_put_text(&s, im->f->id);
	rc = find(&s, enrollment, err);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		*touched = true;
		return add_enrollment(im, i, class_id, err);
	}
	s = store_stmt_new(
	        im->f->db,
	        "UPDATE enrollment SET class_id = ?1 WHERE id = ?2 AND class_id IS NOT ?1");
	store_stmt_put_blob(&s, class_id, STORE_ID);
	store_stmt_put_blob(&s, enrollment, STORE_ID);
	rc = run(im, &s, &moved, err);
	if (rc == 0 && moved)
		rc = put_assignment(im, enrollment, class_id, im->date, err);
	*touched |= moved;
	if (rc < 0)
		return rc;
	s = store_stmt_new(im->f->db,
	                   "UPDATE enrollment SET service_type = coalesce(?1, service_type),"
	                   " start_date = coalesce(?2, start_date) WHERE id = ?3"
	                   " AND (service_type IS NOT coalesce(?1, service_type)"
	                   " OR start_date IS NOT coalesce(?2, start_date))");
	record_put_some(&s, row->service);
	record_put_some(&s, row->start_date);
	store_stmt_put_blob(&s, enrollment, STORE_ID);
	return run(im, &s, touched, err);
}

/* Guardians are known by their names; the first of the file is the primary one. */
static int
put_guardian(struct import *im, const uint8_t child[STORE_ID], const struct roster_guardian *g,
             bool primary, struct err *err)
{
	uint8_t id[STORE_ID];
	struct store_stmt s;
	bool touched;
	int rc;

	s = store_stmt_new(
	        im->f->db,
	        "SELECT id FROM guardian WHERE child_id = ? AND name = ? ORDER BY id LIMIT 1");
	store_stmt_put_blob(&s, child, STORE_ID);
	store_stmt_put_text(&s, g->name);
	rc = find(&s, id, err);
	if (rc < 0)
		return rc;
	if (rc == 1) {
		s = store_stmt_new(
		        im->f->db,
		        "UPDATE guardian SET relation = coalesce(?1, relation), phone = "
		        "coalesce(?2, phone),"
		        " is_primary = ?3 WHERE id = ?4 AND (relation IS NOT coalesce(?1, relation)"
		        " OR phone IS NOT coalesce(?2, phone) OR is_primary IS NOT ?3)");
	} else {
		s = store_stmt_new(im->f->db,
		                   "INSERT INTO guardian(relation, phone, is_primary, id, "
		                   "facility_id, child_id, name,"
		                   " recorded_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
		store_id_next(im->f->db, id);
	}
	store_stmt_put_text(&s, g->relation);
	store_stmt_put_text(&s, g->phone);
	store_stmt_put_int(&s, primary);
	store_stmt_put_blob(&s, id, STORE_ID);
	if (rc == 0) {
		store_stmt_put_text(&s, im->f->id);
		store_stmt_put_blob(&s, child, STORE_ID);
		store_stmt_put_text(&s, g->name);
		record_put_id(&s, im->f->by);
	}
	return run(im, &s, &touched, err);
}

/* One allergen; a word that code_set doesn't know is its own code. */
static int
put_allergen(struct import *im, const uint8_t child[STORE_ID], const char *word, struct err *err)
{
	struct store_stmt s;
	bool touched;

	s = store_stmt_new(
	        im->f->db,
	        "INSERT INTO allergy(child_id, allergen_code, facility_id, recorded_by)"
	        " SELECT ?1, coalesce((SELECT code FROM code_set WHERE set_code = 'allergen'"
	        "  AND (name_zh = ?2 OR lower(name_en) = lower(?2) OR code = upper(?2)) LIMIT 1), "
	        "?2), ?3, ?4"
	        " WHERE true ON CONFLICT(child_id, allergen_code) DO NOTHING");
	store_stmt_put_blob(&s, child, STORE_ID);
	store_stmt_put_text(&s, word);
	store_stmt_put_text(&s, im->f->id);
	record_put_id(&s, im->f->by);
	return run(im, &s, &touched, err);
}

static int
put_allergies(struct import *im, const uint8_t child[STORE_ID], const char *list, struct err *err)
{
	static const char *const none[] = { "", "无", "没有", "none", "no", "-" };
	char word[FACILITY_NAME_MAX];
	int rc = 0;

	while (rc == 0 && list != NULL && *list != 0) {
		bool is_none = false;

		roster_cut_word(&list, word);
		for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
			is_none |= strcmp(word, none[i]) == 0;
		if (!is_none)
			rc = put_allergen(im, child, word, err);
	}
	return rc;
}

static int
import_child(struct import *im, size_t i, bool *touched, struct err *err)
{
	const struct roster_row *row = &im->rows[i];
	uint8_t class_id[STORE_ID];
	int rc;

	rc = the_class(im, row, class_id, touched, err);
	if (rc == 0)
		rc = put_child(im, i, touched, err);
	if (rc == 0)
		rc = put_enrollment(im, i, class_id, touched, err);
	im->known[i] = true;
	for (size_t g = 0; rc == 0 && g < ROSTER_GUARDIANS; g++)
		if (row->guardians[g].name != NULL)
			rc = put_guardian(im, im->ids[i], &row->guardians[g], g == 0, err);
	return rc < 0 ? rc : put_allergies(im, im->ids[i], row->allergy, err);
}

/* ------------------------------------------------------------------ staff */

static int
import_staff(struct import *im, size_t i, bool *touched, struct err *err)
{
	const struct roster_row *row = &im->rows[i];
	uint8_t class_id[STORE_ID];
	struct store_stmt s;
	int rc = 0, found;

	if (row->class_name != NULL)
		rc = the_class(im, row, class_id, touched, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(im->f->db, "SELECT id FROM staff WHERE facility_id = ? AND name = ? AND "
	                              "role = ? ORDER BY id LIMIT 1");
	store_stmt_put_text(&s, im->f->id);
	store_stmt_put_text(&s, row->name);
	store_stmt_put_int(&s, row->role);
	found = find(&s, im->ids[i], err);
	if (found < 0)
		return found;
	if (found == 1) {
		im->known[i] = true;
		s = store_stmt_new(
		        im->f->db,
		        "UPDATE staff SET sex = coalesce(?1, sex), phone = coalesce(?2, phone),"
		        " class_id = coalesce(?3, class_id) WHERE id = ?4 AND (sex IS NOT "
		        "coalesce(?1, sex)"
		        " OR phone IS NOT coalesce(?2, phone) OR class_id IS NOT coalesce(?3, "
		        "class_id))");
	} else {
		s = store_stmt_new(im->f->db, "INSERT INTO staff(sex, phone, class_id, id, "
		                              "facility_id, name, role, recorded_by)"
		                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
		store_id_next(im->f->db, im->ids[i]);
	}
	record_put_some(&s, row->sex);
	store_stmt_put_text(&s, row->phone);
	record_put_id(&s, row->class_name == NULL ? NULL : class_id);
	store_stmt_put_blob(&s, im->ids[i], STORE_ID);
	if (found == 0) {
		store_stmt_put_text(&s, im->f->id);
		store_stmt_put_text(&s, row->name);
		store_stmt_put_int(&s, row->role);
		record_put_id(&s, im->f->by);
	}
	return run(im, &s, touched, err);
}

/* ------------------------------------------------------------------ all of it */

static int
import_row(struct import *im, size_t i, struct err *err)
{
	int64_t rows = im->out->rows;
	bool touched = false, was_known;
	int rc = 0;

	if (!im->rows[i].staff && !im->known[i])
		rc = match_by_name(im, i, err);
	was_known = im->known[i];
	if (rc == 0)
		rc = im->rows[i].staff ? import_staff(im, i, &touched, err)
		                       : import_child(im, i, &touched, err);
	if (rc < 0)
		return err_wrap(err, "line %d", im->rows[i].line);
	if (im->rows[i].staff) {
		im->out->staff++;
		was_known = im->known[i];
	} else {
		im->out->children++;
	}
	if (!was_known)
		im->out->added++;
	else if (im->out->rows > rows)
		im->out->changed++;
	else
		im->out->same++;
	return 0;
}

static int
import_rows(struct import *im, const struct roster_options *opt, struct err *err)
{
	int rc = store_db_begin(im->f->db, err);

	if (rc == 0)
		rc = record_at(im->f, opt->at, &im->date, err);
	if (rc == 0)
		rc = roster_keys_load(&im->keys, im->f->db, err);
	for (size_t i = 0; rc == 0 && i < im->count; i++)
		rc = match_by_id_no(im, i, err);
	for (size_t i = 0; rc == 0 && i < im->count; i++)
		rc = import_row(im, i, err);
	if (rc == 0 && !opt->dry_run)
		rc = store_db_commit(im->f->db, err);
	store_db_rollback(im->f->db);
	return rc;
}

int
roster_import(struct facility *f, const void *bytes, size_t len, const struct roster_options *opt,
              struct roster_counts *out, struct err *err)
{
	struct import im = { .f = f, .out = out };
	struct arena a = { 0 };
	struct roster_row *rows;
	int rc;

	*out = (struct roster_counts){ 0 };
	rc = roster_read(bytes, len, &a, &rows, &im.count, err);
	if (rc == 0) {
		im.rows = rows;
		im.ids = arena_take(&a, im.count, sizeof *im.ids);
		im.known = arena_take(&a, im.count, sizeof *im.known);
		if (im.ids == NULL || im.known == NULL)
			rc = err_set(err, ERR_NOMEM, "out of memory for %zu rows", im.count);
	}
	if (rc == 0)
		rc = import_rows(&im, opt, err);
	arena_free(&a);
	return rc;
}
