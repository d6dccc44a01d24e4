/* node/facility/record_priv.h - what the record_*.c files share: checks with sentences, and bits of
 * SQL. */
#ifndef NODE_FACILITY_RECORD_PRIV_H
#define NODE_FACILITY_RECORD_PRIV_H

#include "node/facility/date.h"
#include "node/facility/record.h"

#include "store/base/arena.h"
#include "store/stmt.h"

/*
 * Is the attendance event a (parameters: date, day start, day end) of the day?  biz_date may be
 * NULL in what other programs wrote; it is then the date of `at`.
 */
#define RECORD_OF_DAY(t)                                                                           \
	"(" t ".biz_date = ? OR (" t ".biz_date IS NULL AND " t ".at >= ? AND " t ".at < ?))"

/* 1 present, 2 left, NULL not come: enrolment e's state; parameters as above. */
#define RECORD_STATE                                                                               \
	"(SELECT a.kind FROM attendance_event a WHERE a.enrollment_id = e.id AND a.kind IN (1, 2)" \
	" AND " RECORD_OF_DAY(                                                                     \
	        "a") " AND NOT EXISTS (SELECT 1 FROM attendance_event r WHERE r.replaces_id = "    \
	             "a.id AND r.facility_id = a.facility_id)"                                     \
	             " ORDER BY a.at DESC, a.kind DESC LIMIT 1)"

/* An enrolled child. */
struct record_child {
	uint8_t enrollment[STORE_ID];
	uint8_t child[STORE_ID];
	uint8_t class_id[STORE_ID];
	bool has_class;
	int state; /* enum of attendance: ATTEND_IN, ATTEND_OUT, 0 not come */
	char name[FACILITY_NAME_MAX];
	int birth_date;
};

/* ERR_INVALID if the facility has declined this request for medicine, or answered it as it was
 * before somebody changed it. */
MUST_CHECK int record_medication_open(struct facility *f, const uint8_t *request, struct err *err);

/* ERR_INVALID if this booking was cancelled or declined. */
MUST_CHECK int record_booking_open(struct facility *f, const uint8_t *booking, struct err *err);

/* The parameters of RECORD_OF_DAY. */
void record_put_day(struct store_stmt *s, const struct facility *f, int date);

/* The next parameter: an id, or NULL for NULL. */
void record_put_id(struct store_stmt *s, const uint8_t *id);

/* The next parameter: NULL for 0. */
void record_put_some(struct store_stmt *s, int64_t value);

/* A new id in f->last_id as the next parameter, then facility_id. */
void record_put_new(struct store_stmt *s, struct facility *f);

/* The usual end of a row: recorded_by; then run it. */
MUST_CHECK int record_finish(struct store_stmt *s, struct facility *f, struct err *err);

/* Is `at` a time of this century?  *date gets its day. */
MUST_CHECK int record_at(const struct facility *f, int64_t at, int *date, struct err *err);

/* Is `value` in low..high?  `what` is its name. */
MUST_CHECK int record_range(const char *what, int64_t value, int64_t low, int64_t high,
                            struct err *err);

/* Is `date` 0 or a date of the calendar? */
MUST_CHECK int record_date(const char *what, int64_t date, struct err *err);

/* Is there a text, UTF-8 and not too long? */
MUST_CHECK int record_text(const char *what, const char *text, bool needed, struct err *err);

/* The enrolled child `child` and her state on `date`; ERR_NOTFOUND says which child isn't here. */
MUST_CHECK int record_child(struct facility *f, const uint8_t *child, int date,
                            struct record_child *out, struct err *err);

/* Children of a class (NULL: all) who are here on `date`, by name.  Free the arena. */
struct record_group {
	struct arena arena;
	int date;
	struct record_child *list;
	size_t count;
};
MUST_CHECK int record_present(struct facility *f, const uint8_t *class_id,
                              struct record_group *group, struct err *err);

/* Does the row `id` exist in `sql` (parameters: id, facility_id)?  Else ERR_NOTFOUND: "no such
 * WHAT". */
MUST_CHECK int record_exists(struct facility *f, const char *sql, const char *what,
                             const uint8_t *id, struct err *err);

/* The sentence of record_exists, and its ERR_NOTFOUND. */
int record_not_here(const struct facility *f, const char *what, const uint8_t *id, struct err *err);

/* ---- node/facility/record_seen.c ---- */

/*
 * Is the row here, and seen by this facility: its own, or of a child who is shared with it or has
 * come to it?  For what is said of a child, which whoever has her goes on with; what is a house's
 * (a place there, what was asked of it, a correction) is asked for by record_exists.  ERR_NOTFOUND;
 * ERR_DENIED if it is of somebody who has left.
 */
struct record_ref {
	const char *table, *what; /* what: its name in the record */
	const uint8_t *id;
};
MUST_CHECK int record_seen(struct facility *f, const struct record_ref *ref, struct err *err);

/* Does a row, whatever its columns say, count in this facility's scope?  Not before it is sealed.
 */
MUST_CHECK int record_counts(struct facility *f, const char *table, const uint8_t *id, bool *yes,
                             struct err *err);

/* Are the findings of a health check such as can be written?  ERR_INVALID names what isn't. */
MUST_CHECK int record_findings(const struct facility_findings *in, struct err *err);
struct record_check {
	int64_t at;
	int date;
	int64_t slot;
	const uint8_t *replaces;
};
/* Write one health check for `who`; its findings have been checked. */
MUST_CHECK int record_put_check(struct facility *f, const struct record_child *who,
                                const struct record_check *when, const struct facility_findings *in,
                                struct err *err);

/* ---- node/facility/record_adult.c ---- */

/* May `adult` take this child home on `date`?  ERR_DENIED says why not. */
MUST_CHECK int record_adult(struct facility *f, const struct record_child *who,
                            const uint8_t *adult, int date, struct err *err);

/* The same of who comes with a code; `adult` gets whose code it is. */
MUST_CHECK int record_adult_by_code(struct facility *f, const struct record_child *who,
                                    const struct facility_pickup *in, uint8_t adult[STORE_ID],
                                    struct err *err);

/*
 * A form over a row that is there: `record` is what was sent, and becomes what is to be written;
 * `was` is what the form had shown.
 */
struct record_field {
	const char *column; /* NULL ends the list */
	bool is_text;       /* else an int64_t, 0 for NULL */
	size_t offset;
};
struct record_form {
	const struct facility *f;
	struct arena *arena;
	const char *table;
	struct buf key; /* canonical; freed by record_form_settle */
	const struct record_field *fields;
	void *record;
	const void *was;
};
/* `row` selects the fields' columns as they are now, if the row is there; it is ended. */
MUST_CHECK int record_form_settle(struct record_form *form, struct store_stmt *row,
                                  struct err *err);

#endif /* NODE_FACILITY_RECORD_PRIV_H */
