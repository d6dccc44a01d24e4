#include "node/facility/schema.h"
#include "node/facility/assets_priv.h"
#include "node/facility/schema_mend.h"
#include "node/facility/views.h"

#include "store/stmt.h"

#include <string.h>
#include <strings.h>

/* The line before the one at `at`; NULL if that is the first. */
static const char *
line_before(const char *start, const char *at)
{
	if (at == start)
		return NULL;
	for (at--; at > start && at[-1] != '\n';)
		at--;
	return at;
}

/* SQLite keeps what stands within a CREATE and drops what stands before it. */
void
facility_schema_heading(struct buf *out, const char *table)
{
	static const char comment[] = "--";
	const char *start = facility_asset_schema, *at = start, *from;
	struct buf create = { 0 };

	if (table == NULL) {
		while (strncmp(at, comment, 2) == 0)
			at = strchr(at, '\n') + 1;
		buf_put(out, start, (size_t)(at - start));
		return;
	}
	buf_printf(&create, "\nCREATE TABLE %s(", table);
	at = create.bad ? NULL : strstr(start, buf_str(&create));
	buf_free(&create);
	if (at == NULL)
		return;
	at++;
	from = at;
	for (const char *line = at; (line = line_before(start, line)) != NULL;) {
		if (strncmp(line, comment, 2) != 0)
			break;
		from = line;
	}
	buf_put(out, from, (size_t)(at - from));
}

/* Does `text` say, somewhere, `what` and then this name, whole? */
static bool
says(const char *text, const char *what, const char *name)
{
	size_t what_len = strlen(what), name_len = strlen(name);

	while ((text = strstr(text, what)) != NULL) {
		text += what_len;
		if (strncasecmp(text, name, name_len) == 0 &&
		    strchr("( \n", text[name_len]) != NULL)
			return true;
	}
	return false;
}

bool
facility_owns(const char *name)
{
	return says(facility_asset_schema, "CREATE TABLE ", name) ||
	       says(facility_asset_schema, "CREATE TRIGGER ", name) || facility_views_owns(name);
}

/*
 * What has come since the first schema, as one append-only list of steps like the engine's
 * (store/migrate.c); yz_meta "facility_format" is the number of steps done.  schema.sql has it all.
 */
static const struct step {
	const char *sql;
	const char *tables[4]; /* to be tracked, or tracked anew; ended by NULL */
} steps[] = {
	/* seats */
	{ "CREATE INDEX booking_seat ON booking(seat_grant_id, seat_no);"
	  "ALTER TABLE seat_unit ADD COLUMN recall INTEGER;"
	  "CREATE INDEX seat_unit_used ON seat_unit(used_by) WHERE used_by IS NOT NULL;"
	  "CREATE INDEX seat_unit_moving ON seat_unit(grant_id, no)"
	  " WHERE returned IS NOT NULL OR recall IS NOT NULL;"
	  "CREATE TABLE seat_ask(grant_id BLOB NOT NULL, holder BLOB NOT NULL, facility_id TEXT NOT"
	  " NULL, wanted INTEGER, asked_at INTEGER, most INTEGER, recorded_by BLOB,"
	  " PRIMARY KEY(grant_id, holder)) WITHOUT ROWID;"
	  "CREATE INDEX seat_ask_holder ON seat_ask(holder);"
	  "CREATE TABLE seat_override(id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),"
	  " facility_id TEXT NOT NULL, grant_id BLOB, no INTEGER, holder BLOB, reason TEXT,"
	  " by_name TEXT, at INTEGER, recorded_by BLOB) WITHOUT ROWID;",
	  { "seat_unit", "seat_ask", "seat_override", NULL } },
	/* opening and closing the house */
	{ "CREATE TABLE staff_check(id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),"
	  " facility_id TEXT NOT NULL, staff_id BLOB, at INTEGER, biz_date INTEGER, temp_dc"
	  " INTEGER, symptom_bits INTEGER, fit INTEGER, note TEXT, replaces_id BLOB,"
	  " recorded_by BLOB) WITHOUT ROWID;"
	  "CREATE TABLE house_check(id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),"
	  " facility_id TEXT NOT NULL, kind INTEGER, at INTEGER, biz_date INTEGER, result"
	  " INTEGER, findings TEXT, present_n INTEGER, replaces_id BLOB, recorded_by BLOB)"
	  " WITHOUT ROWID;",
	  { "staff_check", "house_check", NULL } },
	/* the district's views: what they look up, and the catalogues that they read */
	{ "CREATE INDEX attendance_event_date ON attendance_event(coalesce(biz_date, "
	  "CAST(strftime('%Y%m%d', at / 1000, 'unixepoch', '+8 hours') AS INTEGER)), "
	  "facility_id, enrollment_id);"
	  "CREATE INDEX health_check_date ON health_check(coalesce(biz_date, "
	  "CAST(strftime('%Y%m%d', at / 1000, 'unixepoch', '+8 hours') AS INTEGER)), "
	  "facility_id, enrollment_id);"
	  "CREATE INDEX staff_cert_replaced ON staff_cert(replaces_id) WHERE "
	  "replaces_id IS NOT NULL;"
	  "CREATE INDEX staff_attendance_replaced ON staff_attendance(replaces_id) "
	  "WHERE replaces_id IS NOT NULL;"
	  "CREATE INDEX absence_followup_replaced ON absence_followup(replaces_id) "
	  "WHERE replaces_id IS NOT NULL;"
	  "CREATE INDEX health_exam_replaced ON health_exam(replaces_id) WHERE "
	  "replaces_id IS NOT NULL;"
	  "CREATE INDEX nap_check_replaced ON nap_check(replaces_id) WHERE replaces_id "
	  "IS NOT NULL;"
	  "CREATE INDEX food_sample_replaced ON food_sample(replaces_id) WHERE "
	  "replaces_id IS NOT NULL;"
	  "CREATE INDEX disinfection_log_replaced ON disinfection_log(replaces_id) "
	  "WHERE replaces_id IS NOT NULL;"
	  "CREATE INDEX handover_replaced ON handover(replaces_id) WHERE replaces_id IS "
	  "NOT NULL;"
	  "CREATE INDEX feedback_replaced ON feedback(replaces_id) WHERE replaces_id IS "
	  "NOT NULL;"
	  "CREATE INDEX device_event_replaced ON device_event(replaces_id) WHERE "
	  "replaces_id IS NOT NULL;"
	  "CREATE INDEX staff_check_replaced ON staff_check(replaces_id) WHERE "
	  "replaces_id IS NOT NULL;"
	  "CREATE INDEX house_check_replaced ON house_check(replaces_id) WHERE "
	  "replaces_id IS NOT NULL;"
	  "CREATE INDEX health_exam_child ON health_exam(child_id, exam_date);"
	  "CREATE TABLE population(subdistrict_code TEXT NOT NULL, version INTEGER NOT "
	  "NULL, name_zh TEXT, residents INTEGER, under3 INTEGER, source TEXT, PRIMARY "
	  "KEY(subdistrict_code, version)) WITHOUT ROWID;"
	  "CREATE TABLE subsidy_rate(rate_code TEXT NOT NULL, version INTEGER NOT NULL, "
	  "name_zh TEXT, class_kind INTEGER, service_type INTEGER, inclusive_only "
	  "INTEGER NOT NULL DEFAULT 0, min_days INTEGER NOT NULL DEFAULT 1, "
	  "per_month_fen INTEGER NOT NULL DEFAULT 0, per_day_fen INTEGER NOT NULL "
	  "DEFAULT 0, source TEXT, PRIMARY KEY(rate_code, version)) WITHOUT ROWID;",
	  { "population", "subsidy_rate", NULL } },
	/* registrations of one person */
	{ "CREATE TABLE child_alias(alias_id BLOB NOT NULL, child_id BLOB NOT NULL, facility_id"
	  " TEXT NOT NULL, recorded_by BLOB, PRIMARY KEY(alias_id, child_id)) WITHOUT ROWID;"
	  "CREATE INDEX child_id_hash ON child(facility_id, id_hash) WHERE id_hash IS NOT NULL;",
	  { "child_alias", NULL } },
	/* what the facility answers to a request for medicine */
	{ "ALTER TABLE medication_request ADD COLUMN review INTEGER;"
	  "ALTER TABLE medication_request ADD COLUMN review_note TEXT;"
	  "ALTER TABLE medication_request ADD COLUMN reviewed_at INTEGER;",
	  { "medication_request", NULL } },
	/* what was said of an allergy, and the steps of an enrolment */
	{ "CREATE TABLE local_word( "
	  "thing TEXT NOT NULL, "
	  "k1 BLOB NOT NULL, "
	  "k2 TEXT NOT NULL, "
	  "shown INTEGER, "
	  "said BLOB, "
	  "PRIMARY KEY(thing, k1, k2) "
	  ") WITHOUT ROWID;"
	  "CREATE TABLE enrollment_step( "
	  "enrollment_id BLOB NOT NULL, "
	  "said BLOB NOT NULL DEFAULT (randomblob(16)), "
	  "facility_id TEXT NOT NULL, "
	  "child_id BLOB, "
	  "was INTEGER, "
	  "status INTEGER NOT NULL DEFAULT 3, "
	  "ended INTEGER NOT NULL DEFAULT 0, "
	  "recorded_by BLOB, "
	  "PRIMARY KEY(enrollment_id, said) "
	  ") WITHOUT ROWID;"
	  "CREATE TRIGGER enrollment_stepped AFTER INSERT ON enrollment WHEN NOT "
	  "EXISTS (SELECT 1 FROM local_word WHERE thing = '') BEGIN\n"
	  "  UPDATE enrollment_step SET ended = 1 WHERE enrollment_id = NEW.id AND "
	  "ended = 0;\n"
	  "  INSERT INTO enrollment_step(enrollment_id, facility_id, child_id, was, "
	  "status, recorded_by)\n"
	  "  VALUES (NEW.id, coalesce((SELECT CAST(value AS TEXT) FROM yz_meta WHERE "
	  "name = 'facility'), NEW.facility_id), NEW.child_id, NULL, NEW.status, "
	  "NEW.recorded_by);\n"
	  "END;"
	  "CREATE TRIGGER enrollment_stepped_on AFTER UPDATE OF status ON enrollment "
	  "WHEN NOT EXISTS (SELECT 1 FROM local_word WHERE thing = '') BEGIN\n"
	  "  UPDATE enrollment_step SET ended = 1 WHERE enrollment_id = NEW.id AND "
	  "ended = 0;\n"
	  "  INSERT INTO enrollment_step(enrollment_id, facility_id, child_id, was, "
	  "status, recorded_by)\n"
	  "  VALUES (NEW.id, coalesce((SELECT CAST(value AS TEXT) FROM yz_meta WHERE "
	  "name = 'facility'), NEW.facility_id), NEW.child_id, OLD.status, NEW.status, "
	  "NEW.recorded_by);\n"
	  "END;"
	  "CREATE TABLE allergy_word( "
	  "child_id BLOB NOT NULL, "
	  "allergen_code TEXT NOT NULL, "
	  "said BLOB NOT NULL DEFAULT (randomblob(16)), "
	  "facility_id TEXT NOT NULL, "
	  "active INTEGER NOT NULL DEFAULT 1, "
	  "ended INTEGER NOT NULL DEFAULT 0, "
	  "reaction TEXT, "
	  "severity INTEGER, "
	  "recorded_by BLOB, "
	  "PRIMARY KEY(child_id, allergen_code, said) "
	  ") WITHOUT ROWID;"
	  "CREATE TRIGGER allergy_said AFTER INSERT ON allergy WHEN NOT EXISTS (SELECT "
	  "1 FROM local_word WHERE thing = '') BEGIN\n"
	  "  UPDATE allergy_word SET ended = 1 WHERE child_id = NEW.child_id AND "
	  "allergen_code = NEW.allergen_code AND ended = 0;\n"
	  "  INSERT INTO allergy_word(child_id, allergen_code, facility_id, active, "
	  "reaction, severity, recorded_by)\n"
	  "  VALUES (NEW.child_id, NEW.allergen_code, coalesce((SELECT CAST(value AS "
	  "TEXT) FROM yz_meta WHERE name = 'facility'), NEW.facility_id), NEW.active "
	  "<> 0, NEW.reaction, NEW.severity, NEW.recorded_by);\n"
	  "END;"
	  "CREATE TRIGGER allergy_said_again AFTER UPDATE OF reaction, severity, "
	  "active ON allergy WHEN NOT EXISTS (SELECT 1 FROM local_word WHERE thing = "
	  "'') BEGIN\n"
	  "  UPDATE allergy_word SET ended = 1 WHERE child_id = NEW.child_id AND "
	  "allergen_code = NEW.allergen_code AND ended = 0;\n"
	  "  INSERT INTO allergy_word(child_id, allergen_code, facility_id, active, "
	  "reaction, severity, recorded_by)\n"
	  "  VALUES (NEW.child_id, NEW.allergen_code, coalesce((SELECT CAST(value AS "
	  "TEXT) FROM yz_meta WHERE name = 'facility'), NEW.facility_id), NEW.active "
	  "<> 0, NEW.reaction, NEW.severity, NEW.recorded_by);\n"
	  "END;"
	  "CREATE TRIGGER allergy_said_gone AFTER DELETE ON allergy WHEN NOT EXISTS "
	  "(SELECT 1 FROM local_word WHERE thing = '') BEGIN\n"
	  "  UPDATE allergy_word SET ended = 1 WHERE child_id = OLD.child_id AND "
	  "allergen_code = OLD.allergen_code AND ended = 0;\n"
	  "  INSERT INTO allergy_word(child_id, allergen_code, facility_id, active, "
	  "reaction, severity, recorded_by)\n"
	  "  VALUES (OLD.child_id, OLD.allergen_code, coalesce((SELECT CAST(value AS "
	  "TEXT) FROM yz_meta WHERE name = 'facility'), OLD.facility_id), 0, "
	  "OLD.reaction, OLD.severity, OLD.recorded_by);\n"
	  "END;",
	  { "enrollment_step", "allergy_word", NULL } },
	/* what a street's facilities are told of each other */
	{ "CREATE INDEX symptom_case_open ON symptom_case(onset_date, facility_id)"
	  " WHERE closed = 0;"
	  "CREATE TABLE symptom_notice(subdistrict_code TEXT NOT NULL, facility_id TEXT NOT NULL,"
	  " disease_code TEXT NOT NULL, onset_date INTEGER NOT NULL, cases INTEGER,"
	  " confirmed INTEGER, closed INTEGER NOT NULL DEFAULT 0, recorded_by BLOB,"
	  " PRIMARY KEY(subdistrict_code, facility_id, disease_code, onset_date)) WITHOUT ROWID;"
	  "CREATE INDEX symptom_notice_open ON symptom_notice(subdistrict_code) WHERE closed = 0;",
	  { "symptom_notice", NULL } },
	/* what the facility says with its answer to a booking */
	{ "ALTER TABLE booking ADD COLUMN review_note TEXT;", { "booking", NULL } },
	/* of which wording of a request the facility's answer is */
	{ "ALTER TABLE leave_request ADD COLUMN wording TEXT;"
	  "ALTER TABLE leave_request ADD COLUMN review_of TEXT;"
	  "ALTER TABLE medication_request ADD COLUMN wording TEXT;"
	  "ALTER TABLE medication_request ADD COLUMN review_of TEXT;"
	  "ALTER TABLE booking ADD COLUMN wording TEXT;"
	  "ALTER TABLE booking ADD COLUMN review_of TEXT;"
	  "CREATE TRIGGER leave_request_reworded AFTER UPDATE OF enrollment_id,"
	  " date_from, date_to, type, reason ON leave_request\n"
	  "WHEN OLD.enrollment_id IS NOT NEW.enrollment_id OR OLD.date_from IS NOT"
	  " NEW.date_from OR OLD.date_to IS NOT NEW.date_to OR OLD.type IS NOT"
	  " NEW.type OR OLD.reason IS NOT NEW.reason BEGIN\n"
	  "  UPDATE leave_request SET wording = lower(hex(randomblob(8))) WHERE id"
	  " = NEW.id;\n"
	  "END;"
	  "CREATE TRIGGER medication_request_reworded AFTER UPDATE OF child_id,"
	  " drug, dose_text, time_bits, date_from, date_to ON medication_request\n"
	  "WHEN OLD.child_id IS NOT NEW.child_id OR OLD.drug IS NOT NEW.drug OR"
	  " OLD.dose_text IS NOT NEW.dose_text OR OLD.time_bits IS NOT"
	  " NEW.time_bits OR OLD.date_from IS NOT NEW.date_from OR OLD.date_to IS"
	  " NOT NEW.date_to BEGIN\n"
	  "  UPDATE medication_request SET wording = lower(hex(randomblob(8)))"
	  " WHERE id = NEW.id;\n"
	  "END;"
	  "CREATE TRIGGER booking_reworded AFTER UPDATE OF kind, session_id,"
	  " child_id, wanted_at ON booking\n"
	  "WHEN OLD.kind IS NOT NEW.kind OR OLD.session_id IS NOT NEW.session_id OR"
	  " OLD.child_id IS NOT NEW.child_id OR OLD.wanted_at IS NOT NEW.wanted_at"
	  " BEGIN\n"
	  "  UPDATE booking SET wording = lower(hex(randomblob(8))) WHERE id ="
	  " NEW.id;\n"
	  "END;",
	  { "leave_request", "medication_request", "booking", NULL } },
	/* rights to fetch a child that are asked for, bought courses, what the district tells */
	{ "ALTER TABLE pickup_auth ADD COLUMN asked INTEGER;"
	  "ALTER TABLE pickup_auth ADD COLUMN review INTEGER;"
	  "ALTER TABLE pickup_auth ADD COLUMN review_note TEXT;"
	  "ALTER TABLE pickup_auth ADD COLUMN reviewed_at INTEGER;"
	  "ALTER TABLE pickup_auth ADD COLUMN wording TEXT;"
	  "ALTER TABLE pickup_auth ADD COLUMN review_of TEXT;"
	  "CREATE TABLE course_order(id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),"
	  " facility_id TEXT NOT NULL, course_code TEXT, child_id BLOB, buyer_name TEXT,"
	  " phone TEXT, places INTEGER, from_date INTEGER, to_date INTEGER, amount_fen INTEGER,"
	  " state INTEGER, at INTEGER, note TEXT, review INTEGER,"
	  " review_note TEXT, reviewed_at INTEGER, done_at INTEGER,"
	  " recorded_by BLOB, wording TEXT, review_of TEXT) WITHOUT ROWID;"
	  "CREATE TABLE district_announcement(id BLOB NOT NULL PRIMARY KEY"
	  " DEFAULT (randomblob(16)), title TEXT, content TEXT, audience INTEGER, at INTEGER,"
	  " valid_to INTEGER, recorded_by BLOB) WITHOUT ROWID;"
	  "CREATE TRIGGER pickup_auth_reworded AFTER UPDATE OF child_id, name,"
	  " relation, phone, photo_id, valid_from, valid_to, kind ON pickup_auth\n"
	  "WHEN OLD.child_id IS NOT NEW.child_id OR OLD.name IS NOT NEW.name OR"
	  " OLD.relation IS NOT NEW.relation OR OLD.phone IS NOT NEW.phone OR"
	  " OLD.photo_id IS NOT NEW.photo_id OR OLD.valid_from IS NOT"
	  " NEW.valid_from OR OLD.valid_to IS NOT NEW.valid_to OR OLD.kind IS NOT"
	  " NEW.kind BEGIN\n"
	  "  UPDATE pickup_auth SET wording = lower(hex(randomblob(8))) WHERE id"
	  " = NEW.id;\n"
	  "END;"
	  "CREATE TRIGGER course_order_reworded AFTER UPDATE OF course_code,"
	  " child_id, buyer_name, phone, places, from_date, to_date, note ON"
	  " course_order\n"
	  "WHEN OLD.course_code IS NOT NEW.course_code OR OLD.child_id IS NOT"
	  " NEW.child_id OR OLD.buyer_name IS NOT NEW.buyer_name OR OLD.phone IS"
	  " NOT NEW.phone OR OLD.places IS NOT NEW.places OR OLD.from_date IS NOT"
	  " NEW.from_date OR OLD.to_date IS NOT NEW.to_date OR OLD.note IS NOT"
	  " NEW.note BEGIN\n"
	  "  UPDATE course_order SET wording = lower(hex(randomblob(8))) WHERE id"
	  " = NEW.id;\n"
	  "END;",
	  { "pickup_auth", "course_order", "district_announcement", NULL } },
};

enum { STEPS = sizeof steps / sizeof steps[0] };

#define FORMAT_KEY "facility_format"

/* Are the facility's tables in this database? */
static int
is_made(struct store_db *db, bool *yes, struct err *err)
{
	int64_t there;
	int rc = store_stmt_int(
	        db, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'facility'",
	        0, &there, err);

	*yes = there > 0;
	return rc;
}

int
facility_schema_is_current(struct store_db *db, bool is_hub, bool *yes, struct err *err)
{
	int64_t done;
	int rc = store_meta_get_int(db, FORMAT_KEY, 0, &done, err);

	*yes = false;
	return rc < 0 || done != STEPS ? rc : facility_views_are_made(db, is_hub, yes, err);
}

int
facility_schema_create(struct store_db *db, struct err *err)
{
	bool made;
	int rc = is_made(db, &made, err);

	if (rc < 0 || made)
		return rc;
	rc = store_db_exec(db, facility_asset_schema, err);
	if (rc == 0)
		rc = facility_views_make(db, false, err);
	if (rc == 0)
		rc = store_meta_set_int(db, FORMAT_KEY, STEPS, err);
	return rc < 0 ? err_wrap(err, "facility schema") : 0;
}

static int
take_step(struct store_db *db, const struct step *step, bool is_hub, struct err *err)
{
	int rc = store_db_exec(db, step->sql, err);

	for (size_t i = 0; rc == 0 && step->tables[i] != NULL; i++)
		rc = store_track_table(db, facility_table(step->tables[i]), is_hub, err);
	return rc;
}

/* The number of steps done; a file that a newer program has made over is refused. */
static int
look_at_format(struct store_db *db, int64_t *done, struct err *err)
{
	int rc = store_meta_get_int(db, FORMAT_KEY, 0, done, err);

	if (rc < 0 || *done <= STEPS)
		return rc;
	return err_set(err, ERR_INVALID,
	               "this file's facility tables have format %lld, this program knows %d: "
	               "install the newer yizhan again",
	               (long long)*done, STEPS);
}

int
facility_schema_look(struct store_db *db, struct err *err)
{
	int64_t done;

	return look_at_format(db, &done, err);
}

static int
upgrade(struct store_db *db, bool is_hub, struct err *err)
{
	int64_t done;
	bool made = false;
	int rc = look_at_format(db, &done, err);

	if (rc == 0)
		rc = is_made(db, &made, err);
	if (rc < 0 || !made)
		return rc;
	if (done < STEPS) {
		rc = facility_views_drop(db, err);
		for (; rc == 0 && done < STEPS; done++)
			rc = take_step(db, &steps[done], is_hub, err);
		if (rc == 0)
			rc = store_meta_set_int(db, FORMAT_KEY, STEPS, err);
	}
	if (rc == 0)
		rc = facility_views_make(db, is_hub, err);
	return rc == 0 ? facility_schema_settle(db, is_hub, err) : rc;
}

int
facility_schema_upgrade(struct store_db *db, bool is_hub, struct err *err)
{
	int rc = store_db_begin(db, err);

	if (rc == 0)
		rc = upgrade(db, is_hub, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc < 0)
		store_db_rollback(db);
	return rc < 0 ? err_wrap(err, "facility schema") : 0;
}

int
facility_seed(struct store_db *db, struct err *err)
{
	static const char *const seeds[] = { facility_asset_codes, facility_asset_norms,
		                             facility_asset_vaccines, facility_asset_growth };

	for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
		int rc = store_db_exec(db, seeds[i], err);

		if (rc < 0)
			return err_wrap(err, "catalogue seeds");
	}
	return 0;
}
