#include "tests/sync_sample.h"
#include "sync/codec/record.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_MAX = 8192, UNIT_MS = 30000, MINUTE = 60000 };
enum table {
	ATTENDANCE,
	HEALTH,
	CARE,
	MEAL,
	NAP,
	NAP_CHECK,
	STAFF_IN,
	DISINFECTION,
	REPORT,
	ABSENCE,
	FOLLOWUP,
	HANDOVER,
	FOOD,
	MENU,
	GROWTH,
	DRUG,
};

/* Column names; a * behind one is part of the key. */
static const struct table_text {
	const char *name, *columns;
} tables[SAMPLE_TABLES] = {
	{ "attendance_event",
	  "id* facility_id enrollment_id biz_date kind at by_adult_id temp_dc method class_id "
	  "replaces_id recorded_by" },
	{ "health_check", "id* facility_id enrollment_id biz_date slot temp_dc touch look ask "
	                  "checks symptom_bits card "
	                  "action replaces_id recorded_by" },
	{ "care_event",
	  "id* facility_id enrollment_id kind at biz_date amount code note recorded_by" },
	{ "meal_intake", "enrollment_id* biz_date* meal* facility_id level at recorded_by" },
	{ "nap_session",
	  "enrollment_id* biz_date* facility_id start_at end_at quality recorded_by" },
	{ "nap_check", "id* facility_id at class_id checker exceptions recorded_by" },
	{ "staff_attendance", "id* facility_id staff_id kind at class_id recorded_by" },
	{ "disinfection_log",
	  "id* facility_id biz_date area object method conc_mg_l minutes at recorded_by" },
	{ "daily_report",
	  "child_id* biz_date* facility_id meals_text mood activity_text note published_at "
	  "recorded_by" },
	{ "absence_case",
	  "id* facility_id enrollment_id date_from date_to reason disease_code symptom_bits "
	  "informed_by recorded_by" },
	{ "absence_followup", "id* facility_id absence_id at method result next_date recorded_by" },
	{ "handover",
	  "id* facility_id class_id at from_staff to_staff enrolled present on_leave absent items "
	  "recorded_by" },
	{ "food_sample",
	  "id* facility_id biz_date meal dish grams stored_at disposed_at recorded_by" },
	{ "menu_item", "id* facility_id biz_date meal dish grams_per_child allergens recorded_by" },
	{ "growth_measurement", "id* facility_id child_id biz_date weight_g length_mm posture "
	                        "head_mm method recorded_by" },
	{ "medication_given",
	  "request_id* biz_date* slot* facility_id at dose witness reaction recorded_by" },
};

static const char *const dishes[] = { "小米粥",   "番茄鸡蛋面", "清蒸鲈鱼",   "西兰花炒虾仁",
	                              "南瓜馒头", "酸奶水果",   "香菇鸡丝粥", "胡萝卜牛肉饭" };
static const char *const notes[] = { "上午活动非常专注", "今天喝水较少，请在家补充",
	                             "午睡后情绪稳定",   "吃饭很香",
	                             "和小朋友分享玩具", "户外活动两小时" };

/* ---- chance and ids ---- */

static uint64_t
draw(struct sample *s)
{
	uint64_t z = s->random += 0x9e3779b97f4a7c15u; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t
sample_below(struct sample *s, uint64_t below)
{
	return draw(s) % below;
}

static int64_t
between(struct sample *s, int64_t low, int64_t high)
{
	return low + (int64_t)sample_below(s, (uint64_t)(high - low + 1));
}

static bool
percent(struct sample *s, unsigned share)
{
	return sample_below(s, 100) < share;
}

static void
draw_bytes(struct sample *s, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)draw(s);
}

/* As store/id.h has them: site and run, ms, counter. */
static void
make_id(struct sample *s, uint8_t id[16])
{
	uint64_t ms = (uint64_t)(s->now_ms - s->id_start_ms);

	memcpy(id, s->head, sizeof s->head);
	for (unsigned i = 0; i < 4; i++)
		id[10 + i] = (uint8_t)(ms >> (24 - 8 * i));
	id[14] = (uint8_t)(s->id_counter >> 8);
	id[15] = (uint8_t)s->id_counter++;
}

static void
begin_run(struct sample *s)
{
	draw_bytes(s, s->head + 5, 5);
	s->id_start_ms = s->now_ms - 1700;
	s->id_counter = 0;
}

static void *
take(struct sample *s, size_t count, size_t size)
{
	void *at = arena_take(&s->arena, count, size);

	if (at == NULL)
		abort();
	return at;
}

/* ---- schemas ---- */

static struct store_schema *
make_schema(struct sample *s, const struct table_text *text)
{
	struct store_schema *schema = take(s, 1, sizeof *schema);
	char *columns = arena_copy(&s->arena, text->columns, strlen(text->columns)), *rest = NULL;
	struct err err;
	uint8_t keys = 0;

	schema->table = text->name;
	schema->scope_prefix = "f/";
	schema->columns = take(s, STORE_COLUMNS_MAX, sizeof *schema->columns);
	for (char *name = strtok_r(columns, " ", &rest); name != NULL;
	     name = strtok_r(NULL, " ", &rest)) {
		struct store_column *c = &schema->columns[schema->column_count++];
		size_t len = strlen(name);

		c->name = name;
		c->type = "INTEGER";
		if (name[len - 1] == '*') {
			name[len - 1] = 0;
			c->key = ++keys;
		}
		if (strstr(name, "id") != NULL || strcmp(name, "recorded_by") == 0)
			c->type = "BLOB";
	}
	schema->scope_column = store_schema_find(schema, "facility_id");
	if (store_schema_finish(schema, &err) < 0)
		abort();
	return schema;
}

void
sample_init(struct sample *s, uint64_t seed)
{
	*s = (struct sample){ .random = seed, .now_ms = 1772150400000 }; /* 2026-02-27 */
	snprintf(s->facility, sizeof s->facility, "F%03d", (int)between(s, 1, 208));
	draw_bytes(s, s->head, 5);
	begin_run(s);
	for (size_t i = 0; i < SAMPLE_TABLES; i++)
		s->schemas[i] = make_schema(s, &tables[i]);
	for (size_t i = 0; i < SAMPLE_CLASSES; i++)
		make_id(s, s->classes[i]);
	for (size_t i = 0; i < SAMPLE_STAFF; i++)
		make_id(s, s->staff[i]);
	for (size_t i = 0; i < SAMPLE_CHILDREN; i++, s->now_ms += i % 3 == 0) {
		make_id(s, s->children[i]);
		s->id_counter += 4; /* guardians, pick-ups */
		make_id(s, s->enrollments[i]);
	}
	s->biz_date = 20260301;
	s->now_ms = 1772321400000; /* 2026-03-01 07:30 in Hangzhou */
	s->records = take(s, RECORDS_MAX, sizeof *s->records);
}

void
sample_free(struct sample *s)
{
	arena_free(&s->arena);
}

static const struct store_schema *
resolve(void *ctx, unsigned no, struct err *err)
{
	struct sample *s = ctx;

	(void)err;
	return no >= 1 && no <= SAMPLE_TABLES ? s->schemas[no - 1] : NULL;
}

static int
define(void *ctx, const struct sync_definition *def, struct err *err)
{
	(void)ctx;
	return def->no > SAMPLE_TABLES ? err_set(err, ERR_CORRUPT, "no such schema") : 0;
}

struct sync_codec_schemas
sample_resolver(struct sample *s)
{
	return (struct sync_codec_schemas){ .resolve = resolve, .define = define, .ctx = s };
}

/* ---- records ---- */

static void
begin_unit(struct sample *s)
{
	s->opening = take(s, 1, sizeof *s->opening);
	s->opening->seen_as_before = true;
	s->unit_ms = s->now_ms;
	s->records[s->count++] =
	        (struct sync_record){ .type = SYNC_OPENING, .opening = s->opening };
}

static struct sync_record *
add(struct sample *s, enum table table, enum store_op op, struct store_value *values)
{
	const struct store_schema *schema = s->schemas[table];
	struct sync_record *rec;
	int64_t stamp = STORE_STAMP(s->now_ms, 0);

	if (s->opening == NULL || s->now_ms > s->unit_ms + UNIT_MS)
		begin_unit(s);
	assert(s->count < RECORDS_MAX);
	rec = &s->records[s->count++];
	*rec = (struct sync_record){ .type = SYNC_CHANGE, .schema_no = (unsigned)table + 1 };
	s->last_stamp = stamp > s->last_stamp ? stamp : s->last_stamp + 1;
	rec->change.schema = schema;
	rec->change.op = op;
	rec->change.cl = op == STORE_DELETE ? 2 : 1;
	rec->change.stamp = s->last_stamp;
	rec->change.mask = op == STORE_INSERT ? schema->cells : 0;
	rec->change.values = take(s, schema->column_count, sizeof *values);
	memcpy(rec->change.values, values, schema->column_count * sizeof *values);
	s->opening->changes++;
	s->opening->sealed_ms = s->unit_ms + UNIT_MS + 900 + between(s, 0, 200);
	return rec;
}

#define INT(i) store_value_int(i)
#define TEXT(t) store_value_text(t)
#define ID(p) store_value_blob(p, 16)
#define NIL store_value_null()
#define NEW new_id(s)
#define FACILITY store_value_text(s->facility)
#define BY ID(s->staff[by])
#define AT INT(at)
#define DATE INT(s->biz_date)

static struct store_value
new_id(struct sample *s)
{
	uint8_t *id = take(s, 1, 16);

	make_id(s, id);
	return ID(id);
}

/* A tap: some time later, saved a few ms after it. */
static int64_t
tap(struct sample *s, int64_t least_ms, int64_t most_ms)
{
	int64_t at = s->now_ms += between(s, least_ms, most_ms);

	s->now_ms += between(s, 2, 12);
	return at;
}

static size_t
class_of(size_t child)
{
	return child < 8 ? 0 : child < 38 ? 1 + (child - 8) / 15 : 3;
}

static void
arrival(struct sample *s, size_t child, size_t by)
{
	int64_t at = tap(s, 4000, 90000), temp = between(s, 361, 370);
	bool unwell = percent(s, 4);

	add(s, ATTENDANCE, STORE_INSERT,
	    (struct store_value[]){ NEW, FACILITY, ID(s->enrollments[child]), DATE, INT(1), AT, NIL,
	                            INT(temp), INT(1), ID(s->classes[class_of(child)]), NIL, BY });
	add(s, HEALTH, STORE_INSERT,
	    (struct store_value[]){ NEW, FACILITY, ID(s->enrollments[child]), DATE, INT(1),
	                            INT(temp), INT(1), INT(unwell ? between(s, 1, 31) : 0), INT(0),
	                            INT(0), INT(unwell ? between(s, 1, 4096) : 0),
	                            INT(unwell ? 2 : 1), INT(1), NIL, BY });
}

static void
meal(struct sample *s, int64_t no, const bool *present, size_t by)
{
	int64_t at = tap(s, 20000, 300000);

	for (size_t c = 0; c < SAMPLE_CHILDREN; c++) {
		if (c > 0 && class_of(c) != class_of(c - 1))
			at = tap(s, 20000, 300000);
		if (present[c])
			add(s, MEAL, STORE_INSERT,
			    (struct store_value[]){ ID(s->enrollments[c]), DATE, INT(no), FACILITY,
			                            INT(percent(s, 82) ? 1 : between(s, 2, 5)), AT,
			                            BY });
	}
}

static void
care(struct sample *s, const bool *present, size_t by)
{
	for (size_t c = 0; c < SAMPLE_CHILDREN; c++) {
		int64_t at, kind;

		if (!present[c])
			continue;
		at = tap(s, 2000, 20000);
		kind = between(s, 1, 8);
		add(s, CARE, STORE_INSERT,
		    (struct store_value[]){ NEW, FACILITY, ID(s->enrollments[c]), INT(kind), AT,
		                            DATE, kind <= 2 ? INT(between(s, 5, 24) * 10) : NIL,
		                            kind == 5 ? INT(between(s, 1, 4)) : NIL,
		                            percent(s, 5) ? TEXT(notes[sample_below(s, 6)]) : NIL,
		                            BY });
	}
}

static void
nap(struct sample *s, size_t child, bool end, size_t by)
{
	int64_t at = tap(s, 1000, 12000);
	struct store_value row[] = { ID(s->enrollments[child]),
		                     DATE,
		                     FACILITY,
		                     AT,
		                     end ? AT : NIL,
		                     end ? INT(percent(s, 80) ? 1 : 2) : NIL,
		                     BY };

	add(s, NAP, end ? STORE_UPDATE : STORE_INSERT, row)->change.mask |= end ? 0x30 : 0;
}

static void
naps(struct sample *s, const bool *present, size_t by)
{
	for (size_t c = 0; c < (size_t)2 * SAMPLE_CHILDREN; c++)
		if (present[c % SAMPLE_CHILDREN])
			nap(s, c % SAMPLE_CHILDREN, c >= SAMPLE_CHILDREN, by);
	for (size_t round = 0; round < (size_t)12 * SAMPLE_CLASSES; round++) {
		size_t class = round % SAMPLE_CLASSES;
		int64_t at = tap(s, 20000, 90000);

		add(s, NAP_CHECK, STORE_INSERT,
		    (struct store_value[]){ NEW, FACILITY, AT, ID(s->classes[class]),
		                            ID(s->staff[class + 1]), NIL, BY });
	}
}

/* A draft, three passes of edits to single cells, and at the end it is published. */
static void
report(struct sample *s, size_t child, unsigned pass, size_t by)
{
	int64_t at = tap(s, 3000, 15000);
	struct store_value row[] = { ID(s->children[child]),
		                     DATE,
		                     FACILITY,
		                     TEXT(notes[3]),
		                     INT(between(s, 1, 3)),
		                     TEXT(notes[sample_below(s, 6)]),
		                     percent(s, 10) ? TEXT(notes[1]) : NIL,
		                     pass == 4 ? AT : NIL,
		                     BY };
	static const uint64_t masks[] = { 0, 0x10, 0x20, 0x40, 0x80 };

	add(s, REPORT, pass == 0 ? STORE_INSERT : STORE_UPDATE, row)->change.mask |= masks[pass];
}

static void
reports(struct sample *s, const bool *present, size_t by)
{
	for (unsigned pass = 0; pass < 5; pass++)
		for (size_t c = 0; c < SAMPLE_CHILDREN; c++)
			if (present[c] && (pass == 0 || pass == 4 || percent(s, 70)))
				report(s, c, pass, by);
}

static void
staff(struct sample *s, int64_t kind)
{
	for (size_t by = 0; by < SAMPLE_STAFF; by++) {
		int64_t at = tap(s, 2000, 90000);

		add(s, STAFF_IN, STORE_INSERT,
		    (struct store_value[]){ NEW, FACILITY, BY, INT(kind), AT, NIL, BY });
	}
}

static void
cleaning(struct sample *s, size_t by)
{
	for (int64_t i = 0; i < 28; i++) {
		int64_t at = tap(s, 20000, 120000);

		add(s, DISINFECTION, STORE_INSERT,
		    (struct store_value[]){ NEW, FACILITY, DATE, INT(i / 6 + 1), INT(i % 6 + 1),
		                            INT(between(s, 1, 3)), INT(250),
		                            INT(between(s, 10, 30)), AT, BY });
	}
	for (size_t k = 0; k < (size_t)2 * SAMPLE_CLASSES; k++) {
		int64_t at = tap(s, 20000, 120000);

		add(s, HANDOVER, STORE_INSERT,
		    (struct store_value[]){ NEW, FACILITY, ID(s->classes[k / 2]), AT,
		                            ID(s->staff[k]), ID(s->staff[k + 1]), INT(15),
		                            INT(between(s, 11, 15)), INT(1), INT(1), TEXT("无异常"),
		                            BY });
	}
}

static void
kitchen(struct sample *s, size_t by)
{
	for (int64_t i = 0; i < 9; i++) {
		int64_t at = tap(s, 20000, 120000);
		const char *dish = dishes[sample_below(s, 8)];

		add(s, MENU, STORE_INSERT,
		    (struct store_value[]){ NEW, FACILITY, DATE, INT(i / 3 + 1), TEXT(dish),
		                            INT(between(s, 4, 15) * 10), NIL, BY });
		add(s, FOOD, STORE_INSERT,
		    (struct store_value[]){ NEW, FACILITY, DATE, INT(i / 3 + 1), TEXT(dish),
		                            INT(between(s, 125, 140)), AT, NIL, BY });
	}
}

static void
exceptions(struct sample *s, const bool *present, size_t by)
{
	for (size_t c = 0; c < SAMPLE_CHILDREN; c++) {
		struct store_value id = NEW;
		int64_t at = s->now_ms;

		if (present[c]) {
			if (percent(s, 5))
				add(s, DRUG, STORE_INSERT,
				    (struct store_value[]){ id, DATE, INT(46), FACILITY, AT,
				                            TEXT("5 ml"), ID(s->staff[2]), NIL,
				                            BY });
			continue;
		}
		tap(s, 10000, 90000);
		add(s, ABSENCE, STORE_INSERT,
		    (struct store_value[]){ id, FACILITY, ID(s->enrollments[c]), DATE, NIL,
		                            INT(between(s, 1, 3)), NIL, INT(0), INT(1), BY });
		at = tap(s, 30000, 90000);
		add(s, FOLLOWUP, STORE_INSERT,
		    (struct store_value[]){ NEW, FACILITY, id, AT, INT(1), TEXT("已电话联系家长"),
		                            INT(s->biz_date + 1), BY });
	}
}

static void
leaving(struct sample *s, const bool *present, size_t by)
{
	for (size_t c = 0; c < SAMPLE_CHILDREN; c++) {
		size_t child = c * 23 % SAMPLE_CHILDREN;
		int64_t at;

		if (!present[child])
			continue;
		at = tap(s, 10000, 100000);
		add(s, ATTENDANCE, STORE_INSERT,
		    (struct store_value[]){ NEW, FACILITY, ID(s->enrollments[child]), DATE, INT(2),
		                            AT, NIL, NIL, INT(1), ID(s->classes[class_of(child)]),
		                            NIL, BY });
	}
}

void
sample_day(struct sample *s)
{
	bool present[SAMPLE_CHILDREN];
	int64_t start = s->now_ms;

	s->count = 0;
	s->opening = NULL;
	begin_run(s);
	for (size_t c = 0; c < SAMPLE_CHILDREN; c++)
		present[c] = percent(s, 85);
	staff(s, 1);
	for (size_t c = 0; c < SAMPLE_CHILDREN; c++)
		if (present[c * 37 % SAMPLE_CHILDREN])
			arrival(s, c * 37 % SAMPLE_CHILDREN, 3 + c % 2);
	exceptions(s, present, 4);
	kitchen(s, 14);
	meal(s, 1, present, 5);
	care(s, present, 6);
	care(s, present, 7);
	meal(s, 2, present, 5);
	naps(s, present, 8);
	meal(s, 3, present, 5);
	care(s, present, 6);
	for (size_t c = 0; c < 5; c++)
		add(s, GROWTH, STORE_INSERT,
		    (struct store_value[]){ NEW, FACILITY, ID(s->children[c * 11]), DATE,
		                            INT(between(s, 8000, 15000)), INT(between(s, 700, 950)),
		                            INT(1), NIL, INT(1), ID(s->staff[4]) });
	reports(s, present, 9);
	leaving(s, present, 10);
	cleaning(s, 11);
	staff(s, 2);
	s->now_ms = start + 86400000;
	s->biz_date++;
}
