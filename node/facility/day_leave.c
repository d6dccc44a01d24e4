/*
 * node/facility/day_leave.c - the part of the day that comes from the hub: at
 * half past eight parents ask for leave in their app, which writes at the
 * platform's door, and the facility answers what has come down to it.
 *
 * Who asks is drawn from those whom the day's plan has away with a reason, so
 * that the roll tells the same story.
 */
#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/day_priv.h"
#include "node/facility/record_priv.h"

#include "store/base/json.h"
#include "store/stmt.h"

#include <stdio.h>
#include <string.h>

enum { ASKED_MIN = 8 * 60 + 30, APP_PER_MILLE = 600, ANSWERS_MAX = 64 };

static void
write_line(struct buf *out, const struct day *d, size_t number, const struct facility_absence *away,
           const uint8_t *enrollment)
{
	static const char *const reasons[] = { "发热在家休息", "咳嗽，去看医生", "家里有事" };
	struct dice x = dice_new(d, "leave id", number);
	bool ill = away->reason == ABSENT_ILL;
	struct json j = json_to(out);
	uint8_t id[STORE_ID];
	char key[FACILITY_ID_MAX + 48];

	for (size_t i = 0; i < sizeof id; i++)
		id[i] = (uint8_t)dice_below(&x, 256);
	snprintf(key, sizeof key, "day/%d/%llu/%s/%zu", d->date, (unsigned long long)d->seed,
	         d->f->id, number);
	json_object(&j);
	json_name(&j, "key");
	json_text(&j, key);
	json_name(&j, "table");
	json_text(&j, "leave_request");
	json_name(&j, "op");
	json_text(&j, "upsert");
	json_name(&j, "row");
	json_object(&j);
	json_name(&j, "id");
	json_hex(&j, id, sizeof id);
	json_name(&j, "facility_id");
	json_text(&j, d->f->id);
	json_name(&j, "enrollment_id");
	json_hex(&j, enrollment, STORE_ID);
	json_name(&j, "date_from");
	json_int(&j, d->date);
	json_name(&j, "date_to");
	json_int(&j, d->date);
	json_name(&j, "type");
	json_int(&j, ill ? LEAVE_ILL : LEAVE_PRIVATE);
	json_name(&j, "reason");
	json_text(&j, reasons[ill ? dice_below(&x, 2) : 2]);
	json_name(&j, "source");
	json_int(&j, LEAVE_APP);
	json_name(&j, "at");
	json_int(&j, date_ms(d->date, ASKED_MIN, d->f->offset_min) + dice_below(&x, 300000));
	json_end_object(&j);
	json_end_object(&j);
	buf_u8(out, '\n');
}

/* Does this action tell of a child whose parents ask in the app? */
static bool
asks(const struct day *d, size_t number, const struct facility_action *a)
{
	struct dice x = dice_new(d, "leave", number);

	return a->what == DO_ABSENCE && a->as.absence.reason != ABSENT_NO_NOTICE &&
	       dice_happens(&x, APP_PER_MILLE);
}

int
facility_day_leaves(const struct facility_day *day, struct buf *lines, size_t *count,
                    struct err *err)
{
	struct day d = { .f = day->f, .date = day->date, .seed = day->seed };
	struct record_child who = { 0 };
	struct facility_action *plan = NULL;
	struct arena a = { 0 };
	size_t planned = 0, away = 0;
	int rc = facility_day_plan(d.f, d.date, d.seed, &a, &plan, &planned, err);

	*count = 0;
	for (size_t i = 0; rc == 0 && i < planned; i++) {
		away += plan[i].what == DO_ABSENCE;
		if (!asks(&d, away, &plan[i]))
			continue;
		rc = record_child(d.f, plan[i].as.absence.child, d.date, &who, err);
		if (rc == 0)
			write_line(lines, &d, away, &plan[i].as.absence, who.enrollment);
		*count += rc == 0;
	}
	arena_free(&a);
	return rc == 0 ? buf_check(lines, err) : rc;
}

/* ------------------------------------------------------------------ the answers */

/* What the platform has asked and nobody has answered, the eldest first. */
static int
find_open(struct facility *f, uint8_t ids[ANSWERS_MAX][STORE_ID], size_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        f->db, "SELECT id FROM leave_request WHERE facility_id = ? AND source = ?"
	               " AND review IS NULL AND length(id) = 16 ORDER BY at, id LIMIT ?");
	int rc;

	*count = 0;
	store_stmt_put_text(&s, f->id);
	store_stmt_put_int(&s, LEAVE_APP);
	store_stmt_put_int(&s, ANSWERS_MAX);
	while ((rc = store_stmt_step(&s, err)) == 1 && *count < ANSWERS_MAX) {
		size_t len;
		const uint8_t *id = store_stmt_get_blob(&s, &len);

		memcpy(ids[(*count)++], id, STORE_ID);
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* The director answers; 1 and her id, or 0. */
static int
find_director(struct facility *f, uint8_t id[STORE_ID], struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        f->db, "SELECT id FROM staff WHERE facility_id = ? AND role = ? AND status = 1"
	               " AND length(id) = 16 ORDER BY name, id LIMIT 1");
	int rc;

	store_stmt_put_text(&s, f->id);
	store_stmt_put_int(&s, ROLE_DIRECTOR);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		size_t len;
		const uint8_t *found = store_stmt_get_blob(&s, &len);

		memcpy(id, found, STORE_ID);
	}
	store_stmt_end(&s);
	return rc;
}

int
facility_day_answer(struct facility *f, int64_t at, size_t *count, struct err *err)
{
	struct facility_action answer = { .what = DO_LEAVE_REVIEW };
	uint8_t ids[ANSWERS_MAX][STORE_ID], director[STORE_ID];
	size_t open;
	int rc = find_open(f, ids, &open, err);

	*count = 0;
	if (rc < 0 || open == 0)
		return rc;
	rc = find_director(f, director, err);
	if (rc < 0)
		return rc;
	answer.by = rc == 1 ? director : NULL;
	rc = 0;
	for (size_t i = 0; rc == 0 && i < open; i++) {
		answer.as.leave_review = (struct facility_leave_review){ .at = at,
			                                                 .leave = ids[i],
			                                                 .review = LEAVE_ACCEPTED };
		rc = facility_day_do(f, &answer, err);
		*count += rc == 0;
	}
	return rc;
}
