/* node/facility/day_world.c - what the simulated day starts from: dice, roster, an empty list. */
#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/day_priv.h"

#include "store/stmt.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ dice */

static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

static uint64_t
add_text(uint64_t h, const char *text)
{
	for (; *text != 0; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001b3U;
	return h;
}

struct dice
dice_new(const struct day *d, const char *purpose, size_t number)
{
	uint64_t h = mix(d->seed + 0x9e3779b97f4a7c15U * (uint64_t)d->date);

	h = add_text(add_text(h, d->f->id), purpose);
	return (struct dice){ mix(h + number) };
}

static uint64_t
next(struct dice *x)
{
	x->state += 0x9e3779b97f4a7c15U;
	return mix(x->state);
}

unsigned
dice_below(struct dice *x, unsigned n)
{
	return n == 0 ? 0 : (unsigned)((next(x) >> 32) * n >> 32);
}

bool
dice_happens(struct dice *x, unsigned per_mille)
{
	return dice_below(x, 1000) < per_mille;
}

int
dice_around(struct dice *x, int mean, int deviation)
{
	int sum = 0;

	/* six dice of -1000..1000 have a deviation of 1 414 together */
	for (int i = 0; i < 6; i++)
		sum += (int)dice_below(x, 2001) - 1000;
	if (sum > 3 * 1414)
		sum = 3 * 1414;
	if (sum < -3 * 1414)
		sum = -3 * 1414;
	return mean + sum * deviation / 1414;
}

/* ------------------------------------------------------------------ the list */

struct facility_action *
day_add(struct day *d, enum facility_do what, int minute, const uint8_t *by)
{
	struct facility_action *action;
	struct dice x = dice_new(d, "second", d->count);

	if (d->count == d->room) {
		size_t room = d->room == 0 ? 1024 : 2 * d->room;
		struct facility_action *list = arena_take(d->a, room, sizeof *list);

		if (list == NULL) {
			d->full = true;
			return &d->spare;
		}
		if (d->count > 0)
			memcpy(list, d->list, d->count * sizeof *list);
		d->list = list;
		d->room = room;
	}
	action = &d->list[d->count++];
	*action = (struct facility_action){ .what = what, .by = by };
	action->as.at = date_ms(d->date, minute, d->f->offset_min) + dice_below(&x, 60000);
	return action;
}

bool
day_here(const struct day_child *c, int minute)
{
	return c->in != 0 && c->in < minute && (c->out == 0 || c->out > minute);
}

/* ------------------------------------------------------------------ the roster */

static bool
take_id(struct store_stmt *s, uint8_t out[STORE_ID])
{
	size_t len;
	const uint8_t *id = store_stmt_get_blob(s, &len);

	if (len != STORE_ID)
		return false;
	memcpy(out, id, STORE_ID);
	return true;
}

/* Room for as many rows as the query counts. */
static void *
room_for(struct day *d, const char *sql, size_t size, struct err *err)
{
	int64_t count;
	void *room;

	if (store_stmt_int(d->f->db, sql, 0, &count, err) < 0)
		return NULL;
	room = arena_take(d->a, (size_t)count + 1, size);
	if (room == NULL)
		err_set(err, ERR_NOMEM, "out of memory for %lld rows", (long long)count);
	return room;
}

static const uint8_t *
class_of(const struct day *d, const uint8_t id[STORE_ID], const uint8_t **carer)
{
	for (size_t i = 0; i < d->class_count; i++)
		if (memcmp(d->classes[i].id, id, STORE_ID) == 0) {
			if (carer != NULL)
				*carer = d->classes[i].carer;
			return d->classes[i].id;
		}
	return NULL;
}

static int
load_classes(struct day *d, struct err *err)
{
	struct store_stmt s;
	int rc;

	d->classes = room_for(d, "SELECT count(*) FROM class_group", sizeof *d->classes, err);
	if (d->classes == NULL)
		return err->code;
	s = store_stmt_new(d->f->db, "SELECT id, kind FROM class_group WHERE facility_id = ? AND "
	                             "status = 1 ORDER BY name, kind");
	store_stmt_put_text(&s, d->f->id);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct day_class *c = &d->classes[d->class_count];

		d->class_count += take_id(&s, c->id);
		c->kind = (int)store_stmt_get_int(&s);
	}
	store_stmt_end(&s);
	return rc;
}

/* What a member of staff does all day, if nobody before her does. */
static void
give_work(struct day *d, const struct day_staff *p)
{
	const uint8_t **place = p->role == ROLE_HEALTH     ? &d->health_worker
	                        : p->role == ROLE_COOK     ? &d->cook
	                        : p->role == ROLE_DIRECTOR ? &d->director
	                                                   : NULL;

	for (size_t i = 0; p->role == ROLE_CARER && i < d->class_count; i++)
		if (d->classes[i].id == p->class_id)
			place = &d->classes[i].carer;
	if (place != NULL && *place == NULL)
		*place = p->id;
}

static int
load_staff(struct day *d, struct err *err)
{
	struct store_stmt s;
	int rc;

	d->staff = room_for(d, "SELECT count(*) FROM staff", sizeof *d->staff, err);
	if (d->staff == NULL)
		return err->code;
	s = store_stmt_new(
	        d->f->db,
	        "SELECT id, role, class_id FROM staff WHERE facility_id = ? AND status = 1"
	        " ORDER BY role, name, phone");
	store_stmt_put_text(&s, d->f->id);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct day_staff *p = &d->staff[d->staff_count];
		uint8_t class_id[STORE_ID];

		if (!take_id(&s, p->id))
			continue;
		d->staff_count++;
		p->role = (int)store_stmt_get_int(&s);
		if (take_id(&s, class_id))
			p->class_id = class_of(d, class_id, NULL);
		give_work(d, p);
	}
	store_stmt_end(&s);
	return rc;
}

static int
load_guardians(struct day *d, struct day_child *c, struct err *err)
{
	struct store_stmt s;
	int rc;

	s = store_stmt_new(d->f->db, "SELECT id FROM guardian WHERE child_id = ? ORDER BY "
	                             "is_primary DESC, name LIMIT 4");
	store_stmt_put_blob(&s, c->id, STORE_ID);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		uint8_t *id = arena_take(d->a, STORE_ID, 1);

		if (id != NULL && take_id(&s, id))
			c->guardians[c->guardian_count++] = id;
	}
	store_stmt_end(&s);
	return rc;
}

static int
load_children(struct day *d, struct err *err)
{
	struct store_stmt s;
	int rc;

	d->children = room_for(d, "SELECT count(*) FROM enrollment", sizeof *d->children, err);
	if (d->children == NULL)
		return err->code;
	s = store_stmt_new(
	        d->f->db,
	        "SELECT c.id, e.class_id, c.name, c.sex, c.birth_date, e.service_type"
	        " FROM enrollment e JOIN child c ON c.id = e.child_id"
	        " WHERE e.facility_id = ? AND e.status = 3 ORDER BY c.name, c.birth_date, c.id");
	store_stmt_put_text(&s, d->f->id);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct day_child *c = &d->children[d->child_count];
		uint8_t class_id[STORE_ID];
		const char *name;

		if (!take_id(&s, c->id))
			continue;
		if (take_id(&s, class_id))
			c->class_id = class_of(d, class_id, &c->carer);
		name = store_stmt_get_text(&s);
		c->name = arena_copy(d->a, name, strlen(name));
		c->sex = (int)store_stmt_get_int(&s);
		c->months = date_months((int)store_stmt_get_int(&s), d->date);
		c->service = (int)store_stmt_get_int(&s);
		c->number = d->child_count++;
	}
	store_stmt_end(&s);
	for (size_t i = 0; rc == 0 && i < d->child_count; i++)
		rc = load_guardians(d, &d->children[i], err);
	return rc;
}

int
day_load(struct day *d, struct err *err)
{
	int rc = load_classes(d, err);

	if (rc == 0)
		rc = load_staff(d, err);
	return rc < 0 ? rc : load_children(d, err);
}

int
day_median(struct day *d, const struct day_child *c, int64_t *weight_g, int64_t *length_mm,
           struct err *err)
{
	int months = c->months < 0 ? 0 : c->months > 60 ? 60 : c->months;
	struct store_stmt s;
	int rc;

	s = store_stmt_new(
	        d->f->db,
	        "SELECT (SELECT m_e4 FROM growth_ref WHERE standard = 'who-wfa' AND sex = ?1 AND x "
	        "= ?2),"
	        " (SELECT m_e4 FROM growth_ref WHERE standard = ?3 AND sex = ?1 AND x = ?2)");
	store_stmt_put_int(&s, c->sex == SEX_FEMALE ? 2 : 1);
	store_stmt_put_int(&s, months);
	store_stmt_put_text(&s, months < 24 ? "who-lfa" : "who-hfa");
	rc = store_stmt_step(&s, err);
	*weight_g = *length_mm = 0;
	if (rc == 1) {
		*weight_g = store_stmt_get_int(&s) / 10;    /* kg to four places */
		*length_mm = store_stmt_get_int(&s) / 1000; /* cm to four places */
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}
