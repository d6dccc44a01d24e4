/*
 * node/facility/day_house.c - what the house does all day: staff, kitchen,
 * meals and naps by class, cleaning, hand-over; and a station's visitors.
 */
#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/day_priv.h"

#include "store/stmt.h"

#include <string.h>

#define AT(hour, minute) ((hour)*60 + (minute))

enum {
	MEAL_ODD_PER_MILLE = 170,
	NAP_ODD_PER_MILLE = 80,
	ROUND_ODD_PER_MILLE = 60,
	ROUND_MIN = 12,
	STAFF_ODD_PER_MILLE = 15, /* who has a cough and works */
	HOUSE_ODD_PER_MILLE = 60,
};

/* ------------------------------------------------------------------ staff, house, cleaning */

/* What she says of her own health, right after she came. */
static void
plan_staff_check(struct day *d, size_t number, int minute)
{
	struct dice x = dice_new(d, "own health", number);
	struct facility_action *e = day_add(d, DO_STAFF_CHECK, minute, d->staff[number].id);

	e->as.staff_check.staff = d->staff[number].id;
	e->as.staff_check.temp_dc = dice_around(&x, 364, 2);
	if (dice_happens(&x, STAFF_ODD_PER_MILLE)) {
		e->as.staff_check.symptom_bits = SYMPTOM_COUGH;
		e->as.staff_check.note = "戴口罩上岗";
	}
}

static void
plan_staff(struct day *d)
{
	for (size_t i = 0; i < d->staff_count; i++) {
		struct dice x = dice_new(d, "staff", i);
		struct facility_action *e;
		int minute;

		if (dice_happens(&x, 40))
			continue; /* off today */
		minute = AT(7, 0) + (int)dice_below(&x, 30);
		plan_staff_check(d, i, minute + 1);
		e = day_add(d, DO_CLOCK, minute, d->staff[i].id);
		e->as.clock.staff = d->staff[i].id;
		e->as.clock.kind = CLOCK_IN;
		e->as.clock.method = METHOD_CARD;
		e = day_add(d, DO_CLOCK, AT(17, 45) + (int)dice_below(&x, 45), d->staff[i].id);
		e->as.clock.staff = d->staff[i].id;
		e->as.clock.kind = CLOCK_OUT;
		e->as.clock.method = METHOD_CARD;
	}
}

/* The rounds before the first child and after the last one. */
static void
plan_house_checks(struct day *d)
{
	static const char *const found[] = { "活动区门把手松动，已报修", "盥洗区地面有水，已擦干",
		                             "户外沙池有落叶，已清理" };
	struct dice x = dice_new(d, "house", 0);
	int closing = AT(18, 20);
	struct facility_action *e;

	for (size_t i = 0; i < d->child_count; i++)
		if (d->children[i].out + 3 > closing)
			closing = d->children[i].out + 3;
	e = day_add(d, DO_HOUSE_CHECK, AT(7, 5) + (int)dice_below(&x, 10), d->director);
	e->as.house_check.kind = HOUSE_OPENING;
	if (dice_happens(&x, HOUSE_ODD_PER_MILLE)) {
		e->as.house_check.result = CHECK_TO_MEND;
		e->as.house_check.findings = found[dice_below(&x, 3)];
	}
	e = day_add(d, DO_HOUSE_CHECK, closing, d->director);
	e->as.house_check.kind = HOUSE_CLOSING;
}

static void
clean(struct day *d, int minute, const struct day_class *c, struct facility_cleaning what)
{
	struct facility_action *e =
	        day_add(d, DO_CLEANING, minute, c == NULL ? d->health_worker : c->carer);

	what.at = e->as.at;
	what.class_id = c == NULL ? NULL : c->id;
	e->as.cleaning = what;
}

static void
plan_cleaning(struct day *d)
{
	static const struct facility_cleaning airing = {
		.area = AREA_PLAY, .object = OBJECT_AIR, .method = CLEAN_AIRING, .minutes = 20
	};
	static const struct facility_cleaning evening[] = {
		{ .area = AREA_PLAY,
		  .object = OBJECT_TABLES,
		  .method = CLEAN_CHLORINE,
		  .conc_mg_l = 250,
		  .minutes = 30 },
		{ .area = AREA_PLAY,
		  .object = OBJECT_TOYS,
		  .method = CLEAN_CHLORINE,
		  .conc_mg_l = 250,
		  .minutes = 30 },
		{ .area = AREA_WASH,
		  .object = OBJECT_TOILETS,
		  .method = CLEAN_CHLORINE,
		  .conc_mg_l = 500,
		  .minutes = 30 },
		{ .area = AREA_PLAY,
		  .object = OBJECT_HANDLES,
		  .method = CLEAN_CHLORINE,
		  .conc_mg_l = 250,
		  .minutes = 30 },
		{ .area = AREA_REST, .object = OBJECT_AIR, .method = CLEAN_UV, .minutes = 60 },
	};
	static const struct facility_cleaning common[] = {
		{ .area = AREA_FOOD,
		  .object = OBJECT_TABLEWARE,
		  .method = CLEAN_STEAM,
		  .minutes = 10 },
		{ .area = AREA_COMMON,
		  .object = OBJECT_FLOORS,
		  .method = CLEAN_CHLORINE,
		  .conc_mg_l = 250,
		  .minutes = 30 },
		{ .area = AREA_COMMON,
		  .object = OBJECT_HANDLES,
		  .method = CLEAN_CHLORINE,
		  .conc_mg_l = 250,
		  .minutes = 30 },
		{ .area = AREA_WASH, .object = OBJECT_TOWELS, .method = CLEAN_BOIL, .minutes = 15 },
	};

	for (size_t i = 0; i < d->class_count; i++) {
		clean(d, AT(7, 10), &d->classes[i], airing);
		clean(d, AT(12, 0), &d->classes[i], airing);
		for (size_t k = 0; k < sizeof evening / sizeof evening[0]; k++)
			clean(d, AT(17, 35) + (int)(5 * k), &d->classes[i], evening[k]);
	}
	for (size_t k = 0; k < sizeof common / sizeof common[0]; k++)
		clean(d, AT(17, 40) + (int)(5 * k), NULL, common[k]);
}

static void
plan_handover(struct day *d)
{
	for (size_t i = 0; i < d->class_count; i++) {
		const uint8_t *carer = d->classes[i].carer;
		struct facility_action *e = day_add(d, DO_HANDOVER, AT(13, 0), carer);

		e->as.handover.class_id = d->classes[i].id;
		e->as.handover.from = carer;
		e = day_add(d, DO_HANDOVER, AT(17, 40), carer);
		e->as.handover.class_id = d->classes[i].id;
		e->as.handover.from = carer;
		e->as.handover.items = "班内物品齐全";
	}
}

/* ------------------------------------------------------------------ kitchen */

static const struct dish {
	int meal;
	int per_child_g;
	const char *names[3]; /* one of them, by the day */
} dishes[] = {
	{ MEAL_BREAKFAST, 120, { "小米粥", "牛奶燕麦", "南瓜粥" } },
	{ MEAL_BREAKFAST, 40, { "奶香馒头", "鸡蛋饼", "红枣发糕" } },
	{ MEAL_SNACK, 50, { "苹果片", "香蕉", "蒸梨" } },
	{ MEAL_LUNCH, 90, { "软米饭", "二米饭", "番茄鸡蛋面" } },
	{ MEAL_LUNCH, 50, { "清蒸鲈鱼", "肉末豆腐", "胡萝卜炖牛肉" } },
	{ MEAL_LUNCH, 60, { "清炒西兰花", "上海青", "冬瓜虾皮" } },
	{ MEAL_LUNCH, 80, { "番茄蛋汤", "菠菜猪肝汤", "紫菜虾皮汤" } },
	{ MEAL_AFTERNOON, 100, { "酸奶", "小馄饨", "银耳羹" } },
	{ MEAL_AFTERNOON, 40, { "蓝莓", "橙子", "草莓" } },
};

static void
plan_kitchen(struct day *d)
{
	struct dice x = dice_new(d, "menu", 0);
	unsigned turn = dice_below(&x, 3);

	for (size_t i = 0; i < sizeof dishes / sizeof dishes[0]; i++) {
		const char *name = dishes[i].names[(turn + i) % 3];
		struct facility_action *e = day_add(d, DO_MENU, AT(7, 15), d->cook);

		e->as.menu.meal = dishes[i].meal;
		e->as.menu.dish = name;
		e->as.menu.per_child_g = dishes[i].per_child_g;
		e = day_add(d, DO_SAMPLE,
		            dishes[i].meal == MEAL_AFTERNOON ? AT(14, 50) : AT(10, 50), d->cook);
		e->as.sample.meal = dishes[i].meal;
		e->as.sample.dish = name;
		e->as.sample.weight_g = dice_around(&x, 140, 6);
	}
}

/* What was kept for more than 48 hours is thrown away in the evening. */
static int
plan_disposal(struct day *d, struct err *err)
{
	int64_t evening = date_ms(d->date, AT(17, 50), d->f->offset_min);
	struct store_stmt s;
	int rc;

	s = store_stmt_new(
	        d->f->db,
	        "SELECT id FROM food_sample a WHERE facility_id = ? AND replaces_id IS NULL"
	        " AND stored_at < ? AND NOT EXISTS"
	        " (SELECT 1 FROM food_sample r WHERE r.facility_id = a.facility_id AND "
	        "r.replaces_id = a.id)"
	        " ORDER BY stored_at, dish LIMIT 40");
	store_stmt_put_text(&s, d->f->id);
	store_stmt_put_int(&s, evening - 2 * (int64_t)DATE_DAY_MS);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		size_t len;
		const uint8_t *found = store_stmt_get_blob(&s, &len);
		uint8_t *id = len == STORE_ID ? arena_copy(d->a, found, len) : NULL;

		if (id != NULL)
			day_add(d, DO_SAMPLE, AT(17, 50), d->cook)->as.sample.replaces = id;
	}
	store_stmt_end(&s);
	return rc;
}

/* ------------------------------------------------------------------ classes */

/* Some of those here at `minute`: with their code from 1 + below(codes), plus `base`. */
static void
draw_exceptions(struct day *d, struct facility_batch *b, int minute, struct dice *x,
                const int odds[3])
{
	struct facility_exception *list = arena_take(d->a, d->child_count + 1, sizeof *list);

	if (list == NULL) {
		d->full = true;
		return;
	}
	b->exceptions = list;
	for (size_t i = 0; i < d->child_count; i++) {
		struct day_child *c = &d->children[i];

		if ((b->class_id != NULL && c->class_id != b->class_id) ||
		    !day_here(c, minute - 2) || !day_here(c, minute + 2))
			continue;
		if (dice_happens(x, (unsigned)odds[0]))
			list[b->exception_count++] = (struct facility_exception){
				.child = c->id,
				.code = odds[1] + (int)dice_below(x, (unsigned)odds[2])
			};
	}
}

static void
plan_meal(struct day *d, size_t class_no, int meal, int minute)
{
	static const int odds[3] = { MEAL_ODD_PER_MILLE, EAT_MOST, 4 };
	struct dice x = dice_new(d, "meal", class_no * 10 + (size_t)meal);
	struct facility_action *e;

	minute += (int)dice_below(&x, 15);
	e = day_add(d, DO_MEAL, minute, d->classes[class_no].carer);
	e->as.batch.class_id = d->classes[class_no].id;
	e->as.batch.meal = meal;
	draw_exceptions(d, &e->as.batch, minute, &x, odds);
}

static void
plan_nap(struct day *d, size_t class_no)
{
	static const int quality[3] = { NAP_ODD_PER_MILLE, 2, 2 },
	                 seen[3] = { ROUND_ODD_PER_MILLE, 1, 3 };
	const struct day_class *c = &d->classes[class_no];
	struct dice x = dice_new(d, "nap", class_no);
	int start = AT(12, 16) + (int)dice_below(&x, 12),
	    end = AT(14, 15) + (int)dice_below(&x, 12);
	struct facility_action *e = day_add(d, DO_NAP_START, start, c->carer);

	e->as.batch.class_id = c->id;
	for (int minute = start + ROUND_MIN; minute < end - 5;
	     minute += ROUND_MIN - 2 + (int)dice_below(&x, 5)) {
		e = day_add(d, DO_NAP_ROUND, minute, c->carer);
		e->as.batch.class_id = c->id;
		if (dice_happens(&x, 120))
			draw_exceptions(d, &e->as.batch, minute, &x, seen);
	}
	e = day_add(d, DO_NAP_END, end, c->carer);
	e->as.batch.class_id = c->id;
	draw_exceptions(d, &e->as.batch, end, &x, quality);
}

/* The health worker's tour: one child a class is looked at more closely. */
static void
plan_tour(struct day *d, size_t class_no, int minute)
{
	struct dice x = dice_new(d, "tour", class_no * 2000 + (size_t)minute);
	size_t start = dice_below(&x, (unsigned)d->child_count);

	for (size_t k = 0; k < d->child_count; k++) {
		struct day_child *c = &d->children[(start + k) % d->child_count];
		struct facility_action *e;

		if (c->class_id != d->classes[class_no].id || !day_here(c, minute) ||
		    !day_here(c, minute + 1))
			continue;
		e = day_add(d, DO_CHECK, minute, d->health_worker);
		e->as.check.child = c->id;
		e->as.check.slot = SLOT_DAY;
		e->as.check.found.temp_dc = dice_around(&x, 366, 2);
		e->as.check.found.touch = TOUCH_NORMAL;
		return;
	}
}

int
day_plan_house(struct day *d, struct err *err)
{
	bool station = d->f->kind == KIND_STATION || d->f->kind == KIND_MODEL_STATION;

	plan_staff(d);
	if (d->staff_count > 0)
		plan_house_checks(d);
	plan_cleaning(d);
	for (size_t i = 0; i < d->class_count; i++) {
		if (!station)
			plan_meal(d, i, MEAL_BREAKFAST, AT(8, 46));
		plan_meal(d, i, MEAL_SNACK, AT(10, 0));
		plan_meal(d, i, MEAL_LUNCH, AT(11, 16));
		plan_meal(d, i, MEAL_AFTERNOON, AT(15, 0));
		plan_nap(d, i);
		plan_tour(d, i, AT(11, 2));
		plan_tour(d, i, AT(15, 50));
	}
	if (d->child_count > 0)
		plan_handover(d);
	if (station)
		return 0;
	plan_kitchen(d);
	return plan_disposal(d, err);
}

/* ------------------------------------------------------------------ a station's visitors */

static const char *
made_up_name(struct day *d, struct dice *x)
{
	static const char *const family[] = { "赵", "钱", "孙", "李", "周", "吴", "郑", "王" };
	static const char *const given[] = { "乐乐", "豆豆", "果果", "安安",
		                             "多多", "点点", "可可", "暖暖" };
	const char *a = family[dice_below(x, 8)], *b = given[dice_below(x, 8)];
	struct buf whole = { 0 };
	const char *name;

	buf_printf(&whole, "%s%s", a, b);
	name = arena_copy(d->a, whole.bytes, whole.len);
	buf_free(&whole);
	if (name == NULL) {
		d->full = true;
		return "";
	}
	return name;
}

static void
plan_visit(struct day *d, struct dice *x, int kind, int minute, const uint8_t *session)
{
	struct facility_action *e = day_add(d, DO_VISIT, minute, d->director), *end;
	uint8_t *visit = arena_take(d->a, STORE_ID, 1);

	if (visit == NULL) {
		d->full = true;
		return;
	}
	e->keep = visit;
	e->as.visit.kind = kind;
	e->as.visit.child_name = made_up_name(d, x);
	e->as.visit.month_age = 8 + (int)dice_below(x, 28);
	e->as.visit.session = session;
	end = day_add(d, DO_VISIT_END,
	              minute + (kind == VISIT_DROP_IN ? 120 : 45) + (int)dice_below(x, 60),
	              d->director);
	end->as.visit_end.visit = visit;
}

int
day_plan_station(struct day *d, struct err *err)
{
	struct dice x = dice_new(d, "visits", 0);
	unsigned plays = 10 + dice_below(&x, 16), drop_ins = dice_below(&x, 6),
	         families = 10 + dice_below(&x, 6);
	struct facility_action *e;
	uint8_t *session;

	for (unsigned i = 0; i < plays; i++)
		plan_visit(d, &x, VISIT_PLAY, AT(9, 0) + (int)dice_below(&x, 420), NULL);
	for (unsigned i = 0; i < drop_ins; i++)
		plan_visit(d, &x, VISIT_DROP_IN, AT(9, 0) + (int)dice_below(&x, 240), NULL);
	if (!dice_happens(&x, 450))
		return 0; /* no group today */
	session = arena_take(d->a, STORE_ID, 1);
	if (session == NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	e = day_add(d, DO_SESSION, AT(10, 0), d->director);
	e->keep = session;
	e->as.session.kind = 1;
	e->as.session.title = "亲子绘本共读";
	e->as.session.minutes = 60;
	e->as.session.cap = 15;
	e->as.session.place = "活动区";
	for (unsigned i = 0; i < families; i++)
		plan_visit(d, &x, VISIT_SESSION, AT(10, 1) + (int)dice_below(&x, 8), session);
	return 0;
}
