#include "node/facility/samples.h"
#include "node/facility/samples_priv.h"

#include <stdio.h>
#include <string.h>

enum { DRAWN_CHILDREN = 36, DRAWN_STAFF = 9 };

static const struct {
	struct samples_place place;
	const char *roster;
} made[] = {
	{ { "F1", "小星星托育中心", 1 }, samples_centre_1 },
	{ { "F2", "大运河托育中心", 1 }, samples_centre_2 },
	{ { "S3", "和睦成长驿站", 2 }, samples_station_1 },
};

enum { MADE = sizeof made / sizeof made[0] };

static const char *const family[] = { "王", "李", "张", "刘", "陈", "杨", "黄", "赵",
	                              "吴", "周", "徐", "孙", "马", "朱", "胡", "林" };
static const char *const given[] = { "子涵", "雨桐", "一诺", "浩然", "梓萱", "沐宸",
	                             "若汐", "宇轩", "可馨", "奕辰", "诗琪", "景行",
	                             "乐言", "安然", "思远", "小满", "清和", "知夏" };

enum { FAMILIES = sizeof family / sizeof family[0], GIVEN = sizeof given / sizeof given[0] };

/* splitmix64: small, and the same everywhere. */
static uint32_t
draw(uint64_t *state, uint32_t below)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return (uint32_t)((z ^ z >> 31) >> 16) % below;
}

/* The `i`th person's names: no two of a roster are called alike, or they would be one to it. */
static void
draw_name(uint32_t first, int i, const char **his, const char **own)
{
	enum { NAMES = FAMILIES * GIVEN, STEP = 35 };
	uint32_t at = (first + (uint32_t)i * STEP) % NAMES;

	_Static_assert(STEP % 2 != 0 && STEP % 3 != 0 && NAMES == 2 * 2 * 2 * 2 * 2 * 3 * 3,
	               "the step must visit every name");
	*his = family[at / GIVEN];
	*own = given[at % GIVEN];
}

static void
draw_roster(uint64_t state, struct buf *out)
{
	static const char *const classes[] = { "托小一班,托小班", "托小二班,托小班",
		                               "托大班,托大班" };
	static const char *const roles[] = { "负责人", "保健", "保育", "保育", "保育",
		                             "保育",   "保育", "炊事", "保安" };

	uint32_t first = draw(&state, FAMILIES * GIVEN);
	const char *name, *own;

	buf_printf(out, "类型,姓名,性别,出生日期,班级,班型,岗位,监护人1,关系1,电话1\n");
	for (int i = 0; i < DRAWN_CHILDREN; i++) {
		uint32_t place = draw(&state, 3);

		draw_name(first, i, &name, &own);
		buf_printf(out, "儿童,%s%s,%s,%04u-%02u-%02u,%s,,%s%s,%s,138%08u\n", name, own,
		           i % 2 == 0 ? "男" : "女", place == 2 ? 2023 : 2024, 1 + draw(&state, 12),
		           1 + draw(&state, 28), classes[place], name, given[draw(&state, GIVEN)],
		           i % 3 == 0 ? "父亲" : "母亲", draw(&state, 99999999));
	}
	for (int i = 0; i < DRAWN_STAFF; i++) {
		draw_name(first, DRAWN_CHILDREN + i, &name, &own);
		buf_printf(out, "员工,%s%s,女,,,,%s,,,\n", name, own, roles[i]);
	}
}

void
samples_get(unsigned i, uint64_t seed, struct samples_place *place, struct buf *roster)
{
	if (i < MADE) {
		*place = made[i].place;
		buf_put(roster, made[i].roster, strlen(made[i].roster));
		return;
	}
	*place = (struct samples_place){ .kind = 1 };
	snprintf(place->id, sizeof place->id, "F%u", i + 1);
	snprintf(place->name, sizeof place->name, "第%u托育中心", i + 1);
	draw_roster(seed * 1000003 + i, roster);
}
