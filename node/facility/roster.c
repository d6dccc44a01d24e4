/*
 * node/facility/roster.c - from checked rows through the door of record.h.
 *
 * What is written, and that the same file twice changes no row, is the door's
 * affair; here it is found who of the file is who of the house.
 *
 * Who is matched by id_no goes first: then a child with the same name and birth
 * date as another, but another number, is not taken for her.
 *
 * The number on the paper is kept nowhere, only its keyed hash (roster_id.c).
 */
#include "node/facility/roster.h"
#include "node/facility/record_priv.h"
#include "node/facility/register.h"
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
	int64_t at;
	int64_t written; /* rows */
	struct roster_counts *out;
};

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

/* ------------------------------------------------------------------ who is who */

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

/* Also who is shared with this facility, or has come to it: she has her first one's name in her
 * row, and would be registered twice. */
static int
match_by_name(struct import *im, size_t i, struct err *err)
{
	const struct roster_row *row = &im->rows[i];
	struct store_stmt s;
	size_t len;
	int rc = 0;

	s = store_stmt_new(im->f->db, "SELECT id, facility_id = ?1 FROM child WHERE name = ?2 AND "
	                              "birth_date = ?3 ORDER BY facility_id <> ?1, id");
	store_stmt_put_text(&s, im->f->id);
	store_stmt_put_text(&s, row->name);
	store_stmt_put_int(&s, row->birth_date);
	while (rc >= 0 && !im->known[i] && (rc = store_stmt_step(&s, err)) == 1) {
		const uint8_t *id = store_stmt_get_blob(&s, &len);

		if (len != STORE_ID || taken(im, id))
			continue;
		memcpy(im->ids[i], id, STORE_ID);
		rc = 0;
		im->known[i] = store_stmt_get_int(&s) != 0;
		if (!im->known[i])
			rc = record_counts(im->f, "child", im->ids[i], &im->known[i], err);
	}
	store_stmt_end(&s);
	return rc;
}

/* ------------------------------------------------------------------ through the door */

static int
put_allergies(struct import *im, const uint8_t child[STORE_ID], const char *list, struct err *err)
{
	static const char *const none[] = { "", "无", "没有", "none", "no", "-" };
	char word[FACILITY_NAME_MAX];
	const struct facility_allergy one = { .child = child, .allergen = word };
	int rc = 0;

	while (rc >= 0 && list != NULL && *list != 0) {
		bool is_none = false;

		roster_cut_word(&list, word);
		for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
			is_none |= strcmp(word, none[i]) == 0;
		if (!is_none)
			rc = facility_register_allergy(im->f, &one, &im->written, err);
	}
	return rc < 0 ? rc : 0;
}

/* The class of a row, left in `id`. */
static int
put_class(struct import *im, const struct roster_row *row, uint8_t id[STORE_ID], struct err *err)
{
	const struct facility_class in = { .name = row->class_name, .kind = row->class_kind };
	int rc = facility_register_class(im->f, &in, &im->written, err);

	if (rc < 0)
		return rc;
	im->out->classes_added += rc;
	memcpy(id, im->f->last_id, STORE_ID);
	return 0;
}

static int
put_child(struct import *im, size_t i, struct err *err)
{
	const struct roster_row *row = &im->rows[i];
	uint8_t hash[ROSTER_ID_HASH];
	const struct facility_child in = { .id = im->known[i] ? im->ids[i] : NULL,
		                           .name = row->name,
		                           .sex = row->sex,
		                           .birth_date = row->birth_date,
		                           .id_hash = row->id_no == NULL ? NULL : hash,
		                           .is_shared_hash = im->keys.shared };
	int rc;

	if (row->id_no != NULL)
		roster_id_hash(&im->keys, 0, row->id_no, hash);
	rc = facility_register_child(im->f, &in, &im->written, err);
	if (rc < 0)
		return rc;
	memcpy(im->ids[i], im->f->last_id, STORE_ID);
	im->known[i] = true;
	return 0;
}

/* The first of the file is the primary one. */
static int
put_guardians(struct import *im, size_t i, struct err *err)
{
	int rc = 0;

	for (size_t g = 0; rc >= 0 && g < ROSTER_GUARDIANS; g++) {
		const struct roster_guardian *who = &im->rows[i].guardians[g];
		const struct facility_guardian in = { .child = im->ids[i],
			                              .name = who->name,
			                              .relation = who->relation,
			                              .phone = who->phone,
			                              .is_primary = g == 0 };

		if (who->name != NULL)
			rc = facility_register_guardian(im->f, &in, &im->written, err);
	}
	return rc < 0 ? rc : 0;
}

static int
import_child(struct import *im, size_t i, struct err *err)
{
	const struct roster_row *row = &im->rows[i];
	uint8_t class_id[STORE_ID];
	const struct facility_place place = { .at = im->at,
		                              .child = im->ids[i],
		                              .class_id = class_id,
		                              .service = row->service,
		                              .from = row->start_date };
	int rc;

	rc = put_class(im, row, class_id, err);
	if (rc == 0)
		rc = put_child(im, i, err);
	if (rc == 0)
		rc = facility_register_place(im->f, &place, &im->written, err);
	if (rc >= 0)
		rc = put_guardians(im, i, err);
	return rc < 0 ? rc : put_allergies(im, im->ids[i], row->allergy, err);
}

static int
import_staff(struct import *im, size_t i, struct err *err)
{
	const struct roster_row *row = &im->rows[i];
	uint8_t class_id[STORE_ID];
	const struct facility_staff in = { .name = row->name,
		                           .role = row->role,
		                           .sex = row->sex,
		                           .phone = row->phone,
		                           .class_id = row->class_name == NULL ? NULL : class_id };
	int rc = 0;

	if (row->class_name != NULL)
		rc = put_class(im, row, class_id, err);
	if (rc == 0)
		rc = facility_register_staff(im->f, &in, &im->written, err);
	if (rc < 0)
		return rc;
	im->known[i] = rc == 0;
	memcpy(im->ids[i], im->f->last_id, STORE_ID);
	return 0;
}

/* ------------------------------------------------------------------ all of it */

static int
import_row(struct import *im, size_t i, struct err *err)
{
	int64_t before = im->written;
	bool was_known;
	int rc = 0;

	if (!im->rows[i].staff && !im->known[i])
		rc = match_by_name(im, i, err);
	was_known = im->known[i];
	if (rc == 0)
		rc = im->rows[i].staff ? import_staff(im, i, err) : import_child(im, i, err);
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
	else if (im->written > before)
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
		rc = roster_keys_load(&im->keys, im->f->db, err);
	for (size_t i = 0; rc == 0 && i < im->count; i++)
		rc = match_by_id_no(im, i, err);
	for (size_t i = 0; rc == 0 && i < im->count; i++)
		rc = import_row(im, i, err);
	if (rc == 0 && !opt->dry_run)
		rc = store_db_commit(im->f->db, err);
	store_db_rollback(im->f->db);
	im->out->rows = im->written;
	return rc;
}

int
roster_import(struct facility *f, const void *bytes, size_t len, const struct roster_options *opt,
              struct roster_counts *out, struct err *err)
{
	struct import im = { .f = f, .at = opt->at, .out = out };
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
