/*
 * node/facility/record.h - the one door through which facility records are
 * written: by the page's forms, by POST /api/v1/batch, by the simulated day; and,
 * with register.h, by the roster import.
 *
 * Each function checks what it is given, names the value it refuses
 * (ERR_INVALID, ERR_NOTFOUND, ERR_DENIED), and writes its rows on a LOCAL
 * connection inside the caller's transaction.  It checks before it writes; still
 * a caller that goes on after an error does so from a savepoint.
 *
 * `at` always comes from the caller, ms UTC.  Ids are 16 bytes, borrowed, NULL
 * for "not given"; so are texts; a number of 0 is "not given" and stored as NULL
 * unless its comment says otherwise.  The id of the row that a call is about is
 * left in facility.last_id.
 */
#ifndef NODE_FACILITY_RECORD_H
#define NODE_FACILITY_RECORD_H

#include "node/facility/tries.h"
#include "store/id.h"

#include <stddef.h>
#include <stdint.h>

enum { FACILITY_ID_MAX = 62, FACILITY_NAME_MAX = 64 };

/* A facility in its database; a plain value. */
struct facility {
	struct store_db *db; /* borrowed */
	char id[FACILITY_ID_MAX + 1];
	char name[3 * FACILITY_NAME_MAX];
	int kind;
	int offset_min;    /* of its time zone, east of UTC */
	bool zone_strange; /* it isn't known here: Asia/Shanghai stands for it */
	char zone[64];
	const uint8_t *by; /* staff id of who records, borrowed; NULL: nobody signed in */
	struct facility_tries *tries; /* wrong codes, borrowed; NULL: nobody counts */
	uint8_t last_id[STORE_ID];
};

/*
 * Remember in this file (yz_meta "facility") whose it is.  Writes no row: what a second node of a
 * facility knows of it comes from the first (DESIGN.md F13).  In a transaction.
 */
MUST_CHECK int facility_claim(struct store_db *db, const char *id, struct err *err);

/*
 * The same, and make or correct the facility's own row.  An insert writes every cell, those it
 * doesn't name too: so this is for who knows the facility's name.  In a transaction.
 */
MUST_CHECK int facility_create(struct store_db *db, const char *id, const char *name, int kind,
                               struct err *err);

/*
 * Open the facility `id`; or with NULL this file's own, which needs no row yet (it is then a
 * nursery).  One without a name is called by its id.  ERR_NOTFOUND if there is none.
 */
MUST_CHECK int facility_open(struct facility *f, struct store_db *db, const char *id,
                             struct err *err);

/* What was seen of a child in a check; all zero but touch is "nothing found". */
struct facility_findings {
	int64_t temp_dc;
	int64_t touch;                                         /* stored as it is */
	int64_t look_bits, ask_bits, check_bits, symptom_bits; /* stored as they are */
	int64_t card;   /* 0: green, yellow with findings, red with medicine */
	int64_t action; /* 0: joins the class */
	const char *note;
};

/* 入园 + 晨检: arrival and morning check, two rows. Refused if the child is here already. */
struct facility_arrival {
	int64_t at;
	const uint8_t *child;
	int64_t method;
	struct facility_findings found;
};
MUST_CHECK int facility_arrival(struct facility *f, const struct facility_arrival *in,
                                struct err *err);

/*
 * 离园: `adult` (pickup_auth or guardian) must have the right today: ERR_DENIED if revoked, over or
 * of another child.  Who comes with a code (facility_pickup_code) is found by it: ERR_DENIED if it
 * is wrong, over, or was used; a right that has a code is none without it.  Wrong ones are counted
 * in f->tries and told in the log; ERR_DENIED, however right it is, after too many of them.
 */
struct facility_pickup {
	int64_t at;
	const uint8_t *child;
	const uint8_t *adult;
	const char *code;
	int64_t method; /* 0: by hand, or the parents' code */
};
MUST_CHECK int facility_pickup(struct facility *f, const struct facility_pickup *in,
                               struct err *err);

/*
 * 临时接送码: somebody may take the child home once, who knows these six digits; the parents have
 * them from who calls this, and the file keeps a hash (record_adult.c).  Refused while another code
 * of hers is the same.
 */
struct facility_pickup_code {
	int64_t at;
	const uint8_t *child;
	const char *name; /* who will come */
	const char *relation;
	const char *phone;
	const char *code;
	int64_t to; /* YYYYMMDD, the last day on which it opens; 0: the day of `at` */
};
MUST_CHECK int facility_pickup_code(struct facility *f, const struct facility_pickup_code *in,
                                    struct err *err);

/* 更正: strike out an arrival or departure. */
struct facility_strike {
	int64_t at;
	const uint8_t *event;
};
MUST_CHECK int facility_strike(struct facility *f, const struct facility_strike *in,
                               struct err *err);

/* 缺勤: a child is away; one open case a child and day, which a second call corrects.  Illness must
 * be named (disease). */
struct facility_absence {
	int64_t at; /* its date is the default of `from` and `to` */
	const uint8_t *child;
	int64_t from, to; /* YYYYMMDD */
	int64_t reason;
	const char *disease;
	int64_t symptom_bits;
	const char *informed_by;
	const char *hospital;
	const struct facility_absence *was; /* as a form had shown it: what the person left alone,
	                                       and what has moved since, stays; or NULL */
};
MUST_CHECK int facility_absence(struct facility *f, const struct facility_absence *in,
                                struct err *err);

/* 追踪: a call after an absent child. */
struct facility_followup {
	int64_t at;
	const uint8_t *absence;
	int64_t method;
	const char *result;
	int64_t next_date;
};
MUST_CHECK int facility_followup(struct facility *f, const struct facility_followup *in,
                                 struct err *err);

/* 请假: leave that is asked for at the door or by telephone; the parents' app asks at the hub. */
struct facility_leave {
	int64_t at; /* its date is the default of `from` and `to` */
	const uint8_t *child;
	int64_t from, to; /* YYYYMMDD */
	int64_t type;
	const char *reason;
	int64_t source; /* 0: at the door */
};
MUST_CHECK int facility_leave(struct facility *f, const struct facility_leave *in, struct err *err);

/* 审批: the facility's answer to a request, whoever took it. */
struct facility_leave_review {
	int64_t at;
	const uint8_t *leave;
	int64_t review; /* leave_request.review */
	const char *note;
};
MUST_CHECK int facility_leave_review(struct facility *f, const struct facility_leave_review *in,
                                     struct err *err);

/* 午检/全日观察: a check other than on arrival. */
struct facility_check {
	int64_t at;
	const uint8_t *child;
	int64_t slot;
	const uint8_t *replaces;
	struct facility_findings found;
};
MUST_CHECK int facility_check(struct facility *f, const struct facility_check *in, struct err *err);

/* 异常登记: open a case of sickness. */
struct facility_case {
	int64_t at;
	const uint8_t *child;
	const char *disease;
	int64_t symptom_bits;
	int64_t confirmed;
	int64_t isolated_at, notified_at;
	const char *note;
};
MUST_CHECK int facility_case(struct facility *f, const struct facility_case *in, struct err *err);

/* 病愈返托: the case is over; its street hears so, too.  Doing it again changes nothing. */
struct facility_case_close {
	int64_t at;
	const uint8_t *sick;        /* the case */
	const uint8_t *certificate; /* the examination that lets her come back; NULL: as it is */
};
MUST_CHECK int facility_case_close(struct facility *f, const struct facility_case_close *in,
                                   struct err *err);

/* 用药委托: medicine handed over, accepted by who records. */
struct facility_medication {
	int64_t at;
	const uint8_t *child;
	const char *drug;
	const char *dose;
	int64_t time_bits;
	int64_t from, to;
	const uint8_t *signature;
};
MUST_CHECK int facility_medication(struct facility *f, const struct facility_medication *in,
                                   struct err *err);

/* 用药答复: the facility's answer to a request, whoever took it; what was declined isn't given. */
struct facility_medication_review {
	int64_t at;
	const uint8_t *request;
	int64_t review; /* as leave_request.review */
	const char *note;
};
MUST_CHECK int facility_medication_review(struct facility *f,
                                          const struct facility_medication_review *in,
                                          struct err *err);

/* 喂药: one dose of a request; refused if this slot (quarter hour from 06:00, 0...) is given
 * already today. */
struct facility_medication_given {
	int64_t at;
	const uint8_t *request;
	int64_t slot; /* -1: from `at` */
	const char *dose;
	const uint8_t *witness;
	const char *reaction;
};
MUST_CHECK int facility_medication_given(struct facility *f,
                                         const struct facility_medication_given *in,
                                         struct err *err);

/* 生长测量. */
struct facility_growth {
	int64_t at;
	const uint8_t *child;
	int64_t weight_g, length_mm, head_mm;
	int64_t posture; /* 0: lying under 24 months, else standing */
	const uint8_t *replaces;
};
MUST_CHECK int facility_growth(struct facility *f, const struct facility_growth *in,
                               struct err *err);

/* One child of a batch for whom it was otherwise. */
struct facility_exception {
	const uint8_t *child;
	int64_t code;
	const char *note;
};

/* A whole class (or with NULL the whole facility), those present at `at`, but for exceptions. */
struct facility_batch {
	int64_t at;
	const uint8_t *class_id;
	int64_t meal;  /* meals */
	int64_t level; /* meals; 0: all eaten */
	const struct facility_exception *exceptions;
	size_t exception_count;
};

/* 进食: how the class ate; an exception's code is her level. */
MUST_CHECK int facility_meal_batch(struct facility *f, const struct facility_batch *in,
                                   struct err *err);

/* 入睡 and 起床; an exception's code for _end is her quality (0: good). */
MUST_CHECK int facility_nap_start(struct facility *f, const struct facility_batch *in,
                                  struct err *err);
MUST_CHECK int facility_nap_end(struct facility *f, const struct facility_batch *in,
                                struct err *err);

/* 午睡巡视: a round through a class, one row, and one for each exception (code: nap_check.code). */
MUST_CHECK int facility_nap_round(struct facility *f, const struct facility_batch *in,
                                  struct err *err);

/* 照护事件. */
struct facility_care {
	int64_t at;
	const uint8_t *child;
	int64_t kind;
	int64_t amount;
	int64_t code;
	const char *note;
};
MUST_CHECK int facility_care(struct facility *f, const struct facility_care *in, struct err *err);

/* 食谱: a dish of a meal on the date of `at`. */
struct facility_menu {
	int64_t at;
	int64_t meal;
	const char *dish;
	int64_t per_child_g;
	const char *allergens;
};
MUST_CHECK int facility_menu(struct facility *f, const struct facility_menu *in, struct err *err);

/* 留样: food kept back; with `replaces` its disposal. */
struct facility_sample {
	int64_t at;
	int64_t meal;
	const char *dish;
	int64_t weight_g;
	const uint8_t *replaces;
};
MUST_CHECK int facility_sample(struct facility *f, const struct facility_sample *in,
                               struct err *err);

/* 消毒/通风. */
struct facility_cleaning {
	int64_t at;
	const uint8_t *class_id;
	int64_t area, object, method;
	int64_t conc_mg_l, minutes;
};
MUST_CHECK int facility_cleaning(struct facility *f, const struct facility_cleaning *in,
                                 struct err *err);

/* 交接班: the counts are taken from what is recorded. */
struct facility_handover {
	int64_t at;
	const uint8_t *class_id;
	const uint8_t *from, *to;
	const char *items;
};
MUST_CHECK int facility_handover(struct facility *f, const struct facility_handover *in,
                                 struct err *err);

/* 伤害/事故/隐患. */
struct facility_incident {
	int64_t at;
	int64_t kind, severity;
	const uint8_t *child;
	const char *place;
	const char *text;
	int64_t notified_at;
};
MUST_CHECK int facility_incident(struct facility *f, const struct facility_incident *in,
                                 struct err *err);

/* 日报: a child's report of the day of `at`; what isn't given stays as it was. */
struct facility_report {
	int64_t at;
	const uint8_t *child;
	int64_t mood;
	const char *meals;
	int64_t nap_min;
	const char *activity;
	const char *note;
	int64_t publish;                   /* 1: published at `at` */
	const struct facility_report *was; /* as facility_absence.was; or NULL */
};
MUST_CHECK int facility_report(struct facility *f, const struct facility_report *in,
                               struct err *err);

/* 员工考勤. */
struct facility_clock {
	int64_t at;
	const uint8_t *staff;
	int64_t kind;
	int64_t method;
};
MUST_CHECK int facility_clock(struct facility *f, const struct facility_clock *in, struct err *err);

/* 员工晨检: what a member of staff says of her own health before work.  Who may not work today
 * needs a symptom, a temperature or a note. */
struct facility_staff_check {
	int64_t at;
	const uint8_t *staff;
	int64_t temp_dc;
	int64_t symptom_bits; /* as of a child; stored as they are */
	int64_t unfit;        /* 1: may not work today */
	const char *note;
	const uint8_t *replaces;
};
MUST_CHECK int facility_staff_check(struct facility *f, const struct facility_staff_check *in,
                                    struct err *err);

/* 开园检查/闭园检查: a round through the house.  What isn't in order must be named; how many
 * children are here is taken from what is recorded. */
struct facility_house_check {
	int64_t at;
	int64_t kind;         /* HOUSE_OPENING, HOUSE_CLOSING */
	int64_t result;       /* inspection.result; 0: in order */
	const char *findings; /* needed if it isn't */
	const uint8_t *replaces;
};
MUST_CHECK int facility_house_check(struct facility *f, const struct facility_house_check *in,
                                    struct err *err);

/* 到访: a visit begins; facility_visit_end ends it. */
struct facility_visit {
	int64_t at;
	int64_t kind;
	const uint8_t *child;
	const char *child_name;
	int64_t month_age;
	const char *adult_name;
	const uint8_t *session;
};
MUST_CHECK int facility_visit(struct facility *f, const struct facility_visit *in, struct err *err);

struct facility_visit_end {
	int64_t at;
	const uint8_t *visit;
};
MUST_CHECK int facility_visit_end(struct facility *f, const struct facility_visit_end *in,
                                  struct err *err);

/* 活动: a session with places. */
struct facility_session {
	int64_t at; /* when it starts */
	int64_t kind;
	const char *title;
	int64_t minutes;
	int64_t cap;
	const char *place;
};
MUST_CHECK int facility_session(struct facility *f, const struct facility_session *in,
                                struct err *err);

/*
 * 预约: a place for a family, of the units that this file holds (node/facility/seats.h). ERR_DENIED
 * if none is left here.
 */
struct facility_book {
	int64_t at;
	int64_t kind;         /* booking.kind; 0: of a session, or drop-in care */
	const char *resource; /* as the hub gave it out; NULL: the session's id in hex digits */
	const char *period;
	const uint8_t *session;
	const uint8_t *child;
	const char *guardian_name;
	const char *phone;
	int64_t wanted_at;
	const char *note;
};
MUST_CHECK int facility_book(struct facility *f, const struct facility_book *in, struct err *err);

/* 取消预约: who booked doesn't want it any more; the place is free again. */
struct facility_book_cancel {
	int64_t at;
	const uint8_t *booking;
	const char *note; /* what the facility says; NULL: what it said is left as it is */
};
MUST_CHECK int facility_book_cancel(struct facility *f, const struct facility_book_cancel *in,
                                    struct err *err);

/* 预约答复: the facility confirms a booking or declines it, which makes the place free again; or it
 * says whether they came. */
struct facility_book_review {
	int64_t at;
	const uint8_t *booking;
	int64_t state;    /* booking.state: 2 confirmed, 3 came, 5 did not come, 6 declined */
	const char *note; /* NULL: what the facility said is left as it is */
};
MUST_CHECK int facility_book_review(struct facility *f, const struct facility_book_review *in,
                                    struct err *err);

#endif /* NODE_FACILITY_RECORD_H */
