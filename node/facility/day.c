/*
 * node/facility/day.c - a child's day, and the list made of all of them.
 *
 * The model (a nursery): 85 % of the children come; most between half past
 * seven and a quarter to nine, a third of them in one quarter of an hour.  Four
 * in a hundred arrive with something to see, three with medicine.  Each present
 * child has nine care events, three or four meals, a nap, a check after it, a
 * report with two edits; a third go home between half past four and five.  Three
 * in a hundred are fetched by somebody who has a code for that day alone.
 *
 * Everything is decided before anything is done: who is here at which minute is
 * known when a meal's exceptions are drawn, so that they name children who will
 * be there.
 */
#include "node/facility/day.h"
#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/day_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(hour, minute) ((hour)*60 + (minute))

enum {
	PRESENT_PER_MILLE = 850,
	SICK_PER_MILLE = 550, /* of those away; then private, then no notice */
	PRIVATE_PER_MILLE = 300,
	ODD_PER_MILLE = 40, /* arrivals with something to see */
	DRUG_PER_MILLE = 30,
	HOME_EARLY_PER_MILLE = 300, /* of those odd */
	BUMP_PER_MILLE = 5,
	ONCE_PER_MILLE = 30, /* fetched by somebody who has a code for today */
};

/* One step of a histogram: until when, and how many of 100. */
struct step {
	int until;
	int share;
};

static const struct step arrivals[] = { { AT(7, 45), 10 }, { AT(8, 0), 20 },  { AT(8, 15), 30 },
	                                { AT(8, 30), 25 }, { AT(8, 45), 10 }, { AT(9, 30), 5 } };
static const struct step pickups[] = {
	{ AT(17, 0), 46 }, { AT(17, 30), 38 }, { AT(18, 0), 13 }, { AT(20, 0), 3 }
};

static int
draw(struct dice *x, const struct step *steps, size_t count, int from)
{
	int roll = (int)dice_below(x, 100);

	for (size_t i = 0; i < count; i++) {
		if (roll < steps[i].share)
			return from + 1 + (int)dice_below(x, (unsigned)(steps[i].until - from - 1));
		roll -= steps[i].share;
		from = steps[i].until;
	}
	return from;
}

/* ------------------------------------------------------------------ coming and going */

static const struct sight {
	int look, symptoms, temp_dc;
	const char *disease;
} sights[] = {
	{ LOOK_COUGH, SYMPTOM_COUGH | SYMPTOM_NOSE, 0, NULL },
	{ LOOK_LISTLESS | LOOK_PALE, SYMPTOM_FEVER, 381, "ILI" },
	{ LOOK_RASH, SYMPTOM_RASH, 0, "OTH" },
	{ LOOK_INJURY, 0, 0, NULL },
	{ LOOK_THROAT, SYMPTOM_THROAT | SYMPTOM_FEVER, 376, "HA" },
	{ LOOK_COUGH, SYMPTOM_NOSE, 0, NULL },
};

static void
plan_medicine(struct day *d, struct day_child *c)
{
	static const struct {
		const char *drug, *dose;
	} drugs[] = { { "布洛芬混悬液", "3 ml" },
		      { "小儿止咳糖浆", "5 ml" },
		      { "蒙脱石散", "半袋" } };
	struct dice x = dice_new(d, "drug", c->number);
	size_t which = dice_below(&x, 3);
	struct facility_action *ask = day_add(d, DO_MEDICATION, c->in, d->health_worker), *give;
	uint8_t *request = arena_take(d->a, STORE_ID, 1);

	if (request == NULL) {
		d->full = true;
		return;
	}
	ask->as.medication.child = c->id;
	ask->as.medication.drug = drugs[which].drug;
	ask->as.medication.dose = drugs[which].dose;
	ask->as.medication.time_bits = (int64_t)1 << 22;
	ask->keep = request;
	if (c->out != 0 && c->out < AT(11, 40))
		return;
	give = day_add(d, DO_MEDICATION_GIVEN, AT(11, 33), d->health_worker);
	give->as.given.request = request;
	give->as.given.slot = 22;
	give->as.given.dose = drugs[which].dose;
	give->as.given.witness = c->carer;
}

static void
plan_odd(struct day *d, struct day_child *c, struct facility_arrival *in)
{
	struct dice x = dice_new(d, "odd", c->number);
	const struct sight *s = &sights[dice_below(&x, sizeof sights / sizeof sights[0])];
	struct facility_action *sick;

	in->found.look_bits = s->look;
	in->found.symptom_bits = s->symptoms;
	in->found.action = ACTION_WATCH;
	if (s->temp_dc != 0) {
		in->found.temp_dc = s->temp_dc + (int64_t)dice_below(&x, 6);
		in->found.touch = TOUCH_FEVER;
		in->found.action = ACTION_TELL;
	}
	if (s->disease == NULL)
		return;
	c->sick = true;
	sick = day_add(d, DO_CASE, c->in + 6, d->health_worker);
	sick->as.sick.child = c->id;
	sick->as.sick.disease = s->disease;
	sick->as.sick.symptom_bits = s->symptoms;
	sick->as.sick.notified_at = sick->as.at + 5 * (int64_t)DATE_MINUTE_MS;
	if (dice_happens(&x, HOME_EARLY_PER_MILLE))
		c->out = AT(9, 50) + (int)dice_below(&x, 40);
}

static void
plan_away(struct day *d, struct day_child *c)
{
	struct dice x = dice_new(d, "away", c->number);
	struct facility_action *away = day_add(d, DO_ABSENCE, AT(8, 46) + (int)dice_below(&x, 14),
	                                       c->carer),
	                       *call;
	uint8_t *absence = arena_take(d->a, STORE_ID, 1);
	unsigned why = dice_below(&x, 1000);

	if (absence == NULL) {
		d->full = true;
		return;
	}
	away->as.absence.child = c->id;
	away->as.absence.reason = why < SICK_PER_MILLE                       ? ABSENT_ILL
	                          : why < SICK_PER_MILLE + PRIVATE_PER_MILLE ? ABSENT_PRIVATE
	                                                                     : ABSENT_NO_NOTICE;
	if (away->as.absence.reason == ABSENT_ILL) {
		away->as.absence.symptom_bits =
		        SYMPTOM_FEVER | (dice_happens(&x, 500) ? SYMPTOM_COUGH : 0);
		away->as.absence.disease = dice_happens(&x, 100) ? "HFMD" : "ILI";
	}
	away->as.absence.informed_by = away->as.absence.reason == ABSENT_NO_NOTICE ? NULL : "母亲";
	away->keep = absence;
	if (dice_happens(&x, 300))
		return;
	call = day_add(d, DO_FOLLOWUP, AT(9, 5) + (int)dice_below(&x, 35), d->health_worker);
	call->as.followup.absence = absence;
	call->as.followup.method = 1;
	call->as.followup.result =
	        away->as.absence.reason == ABSENT_ILL ? "在家休息，明日再联系" : "已联系家长";
}

static void
plan_coming(struct day *d, struct day_child *c)
{
	struct dice x = dice_new(d, "arrival", c->number);
	struct facility_action *in;
	bool drug;

	c->in = draw(&x, arrivals, sizeof arrivals / sizeof arrivals[0], AT(7, 30));
	c->out = c->service == SERVICE_HALF
	                 ? AT(11, 45) + (int)dice_below(&x, 30)
	                 : draw(&x, pickups, sizeof pickups / sizeof pickups[0], AT(16, 30));
	in = day_add(d, DO_ARRIVAL, c->in, d->health_worker);
	in->as.arrival.child = c->id;
	in->as.arrival.found.temp_dc = dice_around(&x, 366, 2);
	in->as.arrival.found.touch = TOUCH_NORMAL;
	drug = dice_happens(&x, DRUG_PER_MILLE);
	if (drug)
		in->as.arrival.found.check_bits = CHECK_MEDICINE;
	if (dice_happens(&x, ODD_PER_MILLE))
		plan_odd(d, c,
		         &in->as.arrival); /* adds an action: `in` must not be used after it */
	if (drug)
		plan_medicine(d, c);
}

/* The mother has rung up: somebody else comes today, and says six digits.  NULL: nobody does. */
static const char *
plan_code(struct day *d, struct day_child *c)
{
	static const struct {
		const char *name, *relation;
	} others[] = { { "林阿姨", "邻居" }, { "舅舅", "舅舅" }, { "小姑", "姑姑" } };
	struct dice x = dice_new(d, "code", c->number);
	int minute = c->out - 30 - (int)dice_below(&x, 90);
	size_t who = dice_below(&x, 3);
	struct facility_action *e;
	char digits[7], *code;

	snprintf(digits, sizeof digits, "%06u", dice_below(&x, 1000000));
	code = dice_happens(&x, ONCE_PER_MILLE) ? arena_copy(d->a, digits, 6) : NULL;
	if (code == NULL)
		return NULL;
	e = day_add(d, DO_PICKUP_CODE, minute > c->in ? minute : c->in + 1, c->carer);
	e->as.pickup_code.child = c->id;
	e->as.pickup_code.name = others[who].name;
	e->as.pickup_code.relation = others[who].relation;
	e->as.pickup_code.code = code;
	return code;
}

static void
plan_going(struct day *d, struct day_child *c)
{
	struct dice x = dice_new(d, "pickup", c->number);
	const char *code = plan_code(d, c);
	struct facility_action *out = day_add(d, DO_PICKUP, c->out, c->carer);

	out->as.pickup.child = c->id;
	out->as.pickup.code = code;
	if (code == NULL && c->guardian_count > 0)
		out->as.pickup.adult = c->guardians[dice_below(&x, (unsigned)c->guardian_count)];
}

/* ------------------------------------------------------------------ through the day */

static void
care(struct day *d, struct day_child *c, int minute, int kind, int64_t amount)
{
	struct dice x = dice_new(d, "care", c->number * 1000 + (size_t)minute);
	struct facility_action *e;

	minute += (int)dice_below(&x, 20);
	if (!day_here(c, minute))
		return;
	e = day_add(d, DO_CARE, minute, c->carer);
	e->as.care.child = c->id;
	e->as.care.kind = kind;
	e->as.care.amount = amount == 0 ? 0 : dice_around(&x, (int)amount, (int)amount / 6);
	if (kind == CARE_MOOD)
		e->as.care.code = dice_happens(&x, 850) ? 1 + (int)dice_below(&x, 2)
		                                        : 3 + (int)dice_below(&x, 2);
	if (kind == CARE_ACTIVITY && dice_happens(&x, 150))
		e->as.care.note = dice_happens(&x, 500) ? "活动非常专注" : "愿意和同伴一起玩";
}

static void
plan_care(struct day *d, struct day_child *c)
{
	int diaper = c->months < 24 ? CARE_NAPPY : CARE_TOILET;

	care(d, c, AT(9, 10), CARE_WATER, 70);
	care(d, c, AT(9, 30), diaper, 0);
	care(d, c, AT(9, 40), CARE_OUTDOORS, 60);
	care(d, c, AT(10, 15), CARE_ACTIVITY, 30);
	care(d, c, AT(10, 35), CARE_WATER, 70);
	care(d, c, AT(15, 15), CARE_WATER, 70);
	care(d, c, AT(15, 25), diaper, 0);
	care(d, c, AT(15, 40), CARE_ACTIVITY, 40);
	care(d, c, AT(16, 0), CARE_MOOD, 0);
	if (c->months >= 12)
		return;
	care(d, c, AT(9, 50), CARE_MILK, 150);
	care(d, c, AT(11, 0), CARE_NAPPY, 0);
	care(d, c, AT(14, 40), CARE_MILK, 160);
	care(d, c, AT(16, 10), CARE_NAPPY, 0);
}

static void
plan_report(struct day *d, struct day_child *c)
{
	static const char *const meals[] = { "早点、午餐、午点都吃完了", "午餐吃得多半",
		                             "今天胃口一般" };
	static const char *const acts[] = { "户外追泡泡，跑得很稳", "叠高六块积木", "跟着音乐拍手",
		                            "会自己用勺子" };
	struct dice x = dice_new(d, "report", c->number);
	int minute = AT(16, 0) + (int)dice_below(&x, 25);
	struct facility_action *r;

	if (!day_here(c, AT(16, 0)))
		return;
	r = day_add(d, DO_REPORT, minute, c->carer);
	r->as.report.child = c->id;
	r->as.report.mood = 1 + (int)dice_below(&x, 2);
	r->as.report.meals = meals[dice_below(&x, 3)];
	r->as.report.nap_min = dice_around(&x, 110, 15);
	r = day_add(d, DO_REPORT, minute + 2, c->carer);
	r->as.report.child = c->id;
	r->as.report.activity = acts[dice_below(&x, 4)];
	if (dice_happens(&x, 200))
		r->as.report.note = "明天请多带一套衣服";
	r = day_add(d, DO_REPORT, AT(16, 30) + (int)dice_below(&x, 30), c->carer);
	r->as.report.child = c->id;
	r->as.report.publish = 1;
}

/* On the last quarter days everybody is measured, else every twentieth child. */
static int
plan_growth(struct day *d, struct day_child *c, struct err *err)
{
	int month = d->date / 100 % 100, day = d->date % 100;
	bool all = month % 3 == 0 && day == 25;
	struct dice x = dice_new(d, "growth", c->number);
	struct facility_action *g;
	int64_t weight, length;
	int rc;

	if ((!all && c->number % 20 != (size_t)day % 20) || !day_here(c, AT(10, 0)))
		return 0;
	rc = day_median(d, c, &weight, &length, err);
	if (rc < 0 || weight == 0 || length == 0)
		return rc;
	g = day_add(d, DO_GROWTH, AT(10, 0) + (int)dice_below(&x, 60), d->health_worker);
	g->as.growth.child = c->id;
	g->as.growth.weight_g = (int64_t)dice_around(&x, (int)weight, (int)weight / 11) / 50 * 50;
	g->as.growth.length_mm = dice_around(&x, (int)length, (int)length / 28);
	if (c->months < 24)
		g->as.growth.head_mm = dice_around(&x, 455, 12);
	return 0;
}

static void
plan_noon_check(struct day *d, struct day_child *c)
{
	struct dice x = dice_new(d, "noon", c->number);
	int minute = AT(14, 30) + (int)dice_below(&x, 15);
	struct facility_action *e;

	if (!day_here(c, minute))
		return;
	e = day_add(d, DO_CHECK, minute, d->health_worker);
	e->as.check.child = c->id;
	e->as.check.slot = SLOT_NOON;
	e->as.check.found.temp_dc = dice_around(&x, c->sick ? 374 : 366, 2);
	e->as.check.found.touch = TOUCH_NORMAL;
	if (c->sick)
		e->as.check.found.symptom_bits = SYMPTOM_COUGH;
}

static void
plan_bump(struct day *d, struct day_child *c)
{
	struct dice x = dice_new(d, "bump", c->number);
	struct facility_action *e;

	if (!dice_happens(&x, BUMP_PER_MILLE) || !day_here(c, AT(10, 30)))
		return;
	e = day_add(d, DO_INCIDENT, AT(10, 30), c->carer);
	e->as.incident.child = c->id;
	e->as.incident.kind = 1;
	e->as.incident.severity = 1;
	e->as.incident.place = "户外";
	e->as.incident.text = "跑动时摔倒，右膝轻微擦伤，已冷敷并告知家长";
	e->as.incident.notified_at = e->as.at + 10 * (int64_t)DATE_MINUTE_MS;
}

int
day_plan_children(struct day *d, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < d->child_count; i++) {
		struct day_child *c = &d->children[i];
		struct dice x = dice_new(d, "comes", i);

		if (!dice_happens(&x, PRESENT_PER_MILLE)) {
			plan_away(d, c);
			continue;
		}
		plan_coming(d, c);
		plan_care(d, c);
		plan_noon_check(d, c);
		plan_report(d, c);
		plan_bump(d, c);
		rc = plan_growth(d, c, err);
		plan_going(d, c);
	}
	return rc;
}

/* ------------------------------------------------------------------ the plan */

/* By time; of equal ones the earlier planned first, which the place in memory tells. */
static int
compare(const void *a, const void *b)
{
	const struct facility_action *const *x = a, *const *y = b;

	if ((*x)->as.at != (*y)->as.at)
		return (*x)->as.at < (*y)->as.at ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

static int
sort(struct day *d, struct err *err)
{
	const struct facility_action **order =
	        arena_take(d->a, d->count + 1, sizeof(struct facility_action *));
	struct facility_action *sorted = arena_take(d->a, d->count + 1, sizeof *sorted);

	if (d->full || order == NULL || sorted == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for a day of %zu actions", d->count);
	for (size_t i = 0; i < d->count; i++)
		order[i] = &d->list[i];
	qsort(order, d->count, sizeof(struct facility_action *), compare);
	for (size_t i = 0; i < d->count; i++)
		sorted[i] = *order[i];
	d->list = sorted;
	return 0;
}

/* The day, its dice and its place in memory are the caller's: one more parameter than usual. */
/* NOLINTBEGIN(readability-function-size) */
int
facility_day_plan(struct facility *f, int date, uint64_t seed, struct arena *a,
                  struct facility_action **list, size_t *count, struct err *err)
{
	struct day d = { .f = f, .a = a, .date = date, .seed = seed };
	int rc;

	if (!date_valid(date))
		return err_set(err, ERR_INVALID, "date: %d is not a date like 20260302", date);
	rc = day_load(&d, err);
	if (rc == 0)
		rc = day_plan_children(&d, err);
	if (rc == 0)
		rc = day_plan_house(&d, err);
	if (rc == 0 && (f->kind == KIND_STATION || f->kind == KIND_MODEL_STATION))
		rc = day_plan_station(&d, err);
	if (rc == 0)
		rc = sort(&d, err);
	*list = d.list;
	*count = d.count;
	return rc;
}

/* NOLINTEND(readability-function-size) */

int
facility_day_do(struct facility *f, const struct facility_action *action, struct err *err)
{
	int rc = store_db_begin(f->db, err);

	if (rc == 0)
		rc = facility_do(f, action, err);
	if (rc == 0)
		rc = store_db_commit(f->db, err);
	if (rc < 0)
		store_db_rollback(f->db);
	return rc;
}
