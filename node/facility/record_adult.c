/*
 * node/facility/record_adult.c - who may take a child home: her guardians, who
 * has a right, and who knows a code that was given out for once.
 *
 *   pickup_auth.code_hash   4 bytes that name the key, 12 of the keyed hash of
 *                           "pickup/<the row's id>/<the code>" (roster_id.c)
 *
 * A million codes are tried in a second, so the key is the one that no record,
 * feed or export holds: whoever reads the row at the platform knows nothing of
 * the code.  The facility's other nodes have the key from their enrolment; one
 * that made a code before its own can't be understood by them, and that is said.
 *
 * Nothing stores "used": the code is used while a departure stands that names
 * its row.  One struck out as a slip gives it back; and where two stations that
 * don't hear of each other each let somebody in with it, both departures show.
 */
#include "node/facility/codes.h"
#include "node/facility/record_priv.h"
#include "node/facility/roster_priv.h"
#include "node/log.h"

#include "store/base/hash.h"
#include "store/base/text.h"

#include <stdio.h>
#include <string.h>

enum { CODE_DIGITS = 6, CODE_DAYS = 7, CODE_HASH = ROSTER_ID_HASH };

int
record_adult(struct facility *f, const struct record_child *who, const uint8_t *adult, int date,
             struct err *err)
{
	char name[FACILITY_NAME_MAX];
	bool revoked, over, by_code, asked;
	struct store_stmt s;
	int rc;

	s = store_stmt_new(
	        f->db,
	        "SELECT name, revoked, coalesce(valid_from, 0),"
	        " coalesce(valid_to, 99999999), code_hash IS NOT NULL,"
	        " NOT " RECORD_RIGHT_COUNTS(
	                "pickup_auth") " FROM pickup_auth WHERE id = ? AND child_id = ?"
	                               " UNION ALL SELECT name, 0, 0, 99999999, 0, 0 FROM guardian"
	                               " WHERE id = ? AND child_id = ?");
	record_put_id(&s, adult);
	record_put_id(&s, who->child);
	record_put_id(&s, adult);
	record_put_id(&s, who->child);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		text_copy(name, sizeof name, store_stmt_get_text(&s));
		revoked = store_stmt_get_int(&s) != 0;
		over = store_stmt_get_int(&s) > date;
		over |= store_stmt_get_int(&s) < date;
		by_code = store_stmt_get_int(&s) != 0;
		asked = store_stmt_get_int(&s) != 0;
		rc = 0;
		if (revoked)
			rc = err_set(err, ERR_DENIED,
			             "%s may not take %s home: the right was revoked", name,
			             who->name);
		else if (over)
			rc = err_set(err, ERR_DENIED,
			             "%s may not take %s home today: the right is for other days",
			             name, who->name);
		else if (asked)
			rc = err_set(err, ERR_DENIED,
			             "%s may not take %s home: the platform asks for it, and "
			             "nobody here has accepted",
			             name, who->name);
		else if (by_code)
			rc = err_set(err, ERR_DENIED,
			             "%s may take %s home with the code alone: ask for it", name,
			             who->name);
	} else if (rc == 0) {
		rc = err_set(err, ERR_DENIED, "adult: nobody with this id may take %s home",
		             who->name);
	}
	store_stmt_end(&s);
	return rc;
}

/* ------------------------------------------------------------------ codes */

static int
check_code(const char *code, struct err *err)
{
	if (code != NULL && strlen(code) == CODE_DIGITS &&
	    strspn(code, "0123456789") == CODE_DIGITS)
		return 0;
	return err_set(err, ERR_INVALID, "code: is not %d digits", CODE_DIGITS);
}

static void
hash_code(const struct roster_keys *keys, size_t which, const uint8_t *id, const char *code,
          uint8_t hash[CODE_HASH])
{
	char hex[2 * STORE_ID + 1], whole[sizeof hex + 32];

	text_hex(hex, id, STORE_ID);
	snprintf(whole, sizeof whole, "pickup/%s/%.16s", hex, code);
	roster_id_hash(keys, which, whole, hash);
}

/* A right that is opened by a code. */
struct right {
	uint8_t id[STORE_ID];
	char name[FACILITY_NAME_MAX];
	bool revoked, used;
	bool asked; /* the platform has changed whose it is, and nobody here has accepted */
	int from, to;
	bool foreign; /* no code of hers fits, and one was made with a key that isn't here */
};

/* Does this row's code open it?  Says so if only its maker could tell. */
static bool
opens(const struct roster_keys *keys, const uint8_t *id, const char *code, const uint8_t *hash,
      bool *foreign)
{
	uint8_t want[CODE_HASH];

	for (size_t i = 0; i < keys->count; i++) {
		hash_code(keys, i, id, code, want);
		if (hash_equal(want, hash, ROSTER_KEY_NAME))
			return hash_equal(want, hash, CODE_HASH);
	}
	*foreign = true;
	return false;
}

/* The latest of this child's rights that the code opens: 1, or 0. */
static int
find_right(struct facility *f, const uint8_t *child, const char *code, struct right *right,
           struct err *err)
{
	struct roster_keys keys;
	struct store_stmt s;
	int rc = roster_keys_load(&keys, f->db, err);

	*right = (struct right){ 0 };
	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        f->db,
	        "SELECT p.id, p.code_hash, p.name, p.revoked, coalesce(p.valid_from, 0),"
	        " coalesce(p.valid_to, 99999999), EXISTS (SELECT 1 FROM enrollment e"
	        "  JOIN attendance_event a ON a.enrollment_id = e.id WHERE e.child_id = p.child_id"
	        "  AND a.kind = 2 AND a.by_adult_id = p.id AND NOT EXISTS"
	        "  (SELECT 1 FROM attendance_event r WHERE r.replaces_id = a.id"
	        "  AND r.facility_id = a.facility_id)), NOT " RECORD_RIGHT_COUNTS(
	                "p") " FROM pickup_auth p WHERE p.child_id = ? AND length(p.id) = 16"
	                     " AND length(p.code_hash) = 16 ORDER BY p.valid_to DESC, p.id");
	record_put_id(&s, child);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		size_t len;
		const uint8_t *id = store_stmt_get_blob(&s, &len);

		memcpy(right->id, id, STORE_ID);
		if (!opens(&keys, right->id, code, store_stmt_get_blob(&s, &len), &right->foreign))
			continue;
		text_copy(right->name, sizeof right->name, store_stmt_get_text(&s));
		right->revoked = store_stmt_get_int(&s) != 0;
		right->from = (int)store_stmt_get_int(&s);
		right->to = (int)store_stmt_get_int(&s);
		right->used = store_stmt_get_int(&s) != 0;
		right->asked = store_stmt_get_int(&s) != 0;
		break;
	}
	store_stmt_end(&s);
	explicit_bzero(&keys, sizeof keys);
	return rc;
}

/* Counted, and told to who reads the log. */
static void
count_wrong(struct facility *f, const struct record_child *who)
{
	char hex[2 * STORE_ID + 1];
	int left;

	if (f->tries == NULL)
		return;
	left = facility_tries_wrong(f->tries, who->child, env_mono_ms(store_db_env(f->db)));
	text_hex(hex, who->child, STORE_ID);
	log_line(LOG_LEVEL_WARN, "a wrong pick-up code for child %s; %d more are looked at now",
	         hex, left);
}

static int
check_tries(const struct facility *f, const struct record_child *who, struct err *err)
{
	int wait = f->tries == NULL ? 0
	                            : facility_tries_wait(f->tries, who->child,
	                                                  env_mono_ms(store_db_env(f->db)));

	return wait == 0 ? 0
	                 : err_set(err, ERR_DENIED,
	                           "code: too many wrong ones for %s; no code opens for %d "
	                           "minutes: call the parents, and choose who has a right",
	                           who->name, wait);
}

int
record_adult_by_code(struct facility *f, const struct record_child *who,
                     const struct facility_pickup *in, uint8_t adult[STORE_ID], struct err *err)
{
	int date = date_of(in->at, f->offset_min), rc = check_code(in->code, err);
	struct right right;

	if (rc == 0)
		rc = check_tries(f, who, err);
	if (rc == 0)
		rc = find_right(f, who->child, in->code, &right, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		count_wrong(f, who);
	if (rc == 0 && right.foreign)
		return err_set(err, ERR_DENIED,
		               "code: opens nothing for %s here; one of hers was made at another "
		               "station before its enrolment: make a new one",
		               who->name);
	if (rc == 0 || (in->adult != NULL && memcmp(in->adult, right.id, STORE_ID) != 0))
		return err_set(err, ERR_DENIED, "code: is wrong: nobody may take %s home with it",
		               who->name);
	if (right.revoked)
		return err_set(err, ERR_DENIED, "code: %s's code for %s was revoked", right.name,
		               who->name);
	if (right.asked)
		return err_set(err, ERR_DENIED,
		               "code: %s's right for %s was changed by the platform, and nobody "
		               "here has accepted that",
		               right.name, who->name);
	if (right.to < date || right.from > date)
		return err_set(err, ERR_DENIED,
		               "code: %s's code for %s is for other days and opens nothing today",
		               right.name, who->name);
	if (right.used)
		return err_set(err, ERR_DENIED,
		               "code: %s's code for %s was used already: it counts once",
		               right.name, who->name);
	memcpy(adult, right.id, STORE_ID);
	return 0;
}

static int
check_pickup_code(const struct facility_pickup_code *in, int date, int to, struct err *err)
{
	int rc = check_code(in->code, err);

	if (rc == 0)
		rc = record_text("name", in->name, true, err);
	if (rc == 0)
		rc = record_text("relation", in->relation, false, err);
	if (rc == 0)
		rc = record_text("phone", in->phone, false, err);
	if (rc == 0)
		rc = record_date("to", in->to, err);
	if (rc == 0 && (to < date || to > date_add(date, CODE_DAYS)))
		rc = err_set(err, ERR_INVALID, "to: %d is not one of the next %d days", to,
		             CODE_DAYS);
	return rc;
}

int
facility_pickup_code(struct facility *f, const struct facility_pickup_code *in, struct err *err)
{
	struct record_child who = { 0 };
	uint8_t hash[CODE_HASH];
	struct roster_keys keys;
	struct right right = { 0 };
	struct store_stmt s;
	int date, to = 0, rc;

	rc = record_at(f, in->at, &date, err);
	if (rc == 0)
		to = in->to == 0 ? date : (int)in->to;
	if (rc == 0)
		rc = check_pickup_code(in, date, to, err);
	if (rc == 0)
		rc = record_child(f, in->child, date, &who, err);
	if (rc == 0)
		rc = find_right(f, in->child, in->code, &right, err);
	if (rc == 1 && right.to >= date)
		rc = err_set(err, ERR_INVALID, "code: is %s's for %s already: draw another",
		             right.name, who.name);
	if (rc >= 0)
		rc = roster_keys_load(&keys, f->db, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "INSERT INTO pickup_auth(id, facility_id, child_id, name,"
	                          " relation, phone, valid_from, valid_to, kind, code_hash,"
	                          " recorded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	record_put_new(&s, f);
	hash_code(&keys, 0, f->last_id, in->code, hash);
	explicit_bzero(&keys, sizeof keys);
	record_put_id(&s, who.child);
	store_stmt_put_text(&s, in->name);
	store_stmt_put_text(&s, in->relation);
	store_stmt_put_text(&s, in->phone);
	store_stmt_put_int(&s, date);
	store_stmt_put_int(&s, to);
	store_stmt_put_int(&s, PICKUP_ONCE);
	store_stmt_put_blob(&s, hash, sizeof hash);
	return record_finish(&s, f, err);
}
