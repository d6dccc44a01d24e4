/*
 * tests/disk_damage.c - what a power cut leaves: a draw from all that was pending.
 *
 * Each draw hangs on the seed, the file, the write and the page alone, so the
 * same seed leaves the same disk.
 */
#include "tests/disk.h"
#include "tests/disk_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_SECTORS = DISK_PAGE / DISK_SECTOR };

uint64_t
disk_draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

/* A draw that belongs to (seed, a, b). */
static uint64_t
draw_of(uint64_t seed, uint64_t a, uint64_t b)
{
	uint64_t state = seed ^ a * 0xd1342543de82ef95U;

	state = disk_draw(&state) ^ b * 0xaef17502108ef2d9U;
	return disk_draw(&state);
}

/* Other bytes than anybody wrote, where the write wrote. */
static void
tear(struct disk_pending *p, uint64_t seed)
{
	for (unsigned i = p->from; i < p->to; i++)
		p->bytes[i] = (uint8_t)disk_draw(&seed);
}

/* Shorn: does the sector reach the medium?  The one at the tear may reach it as garbage. */
static bool
survives_shorn(struct disk *d, struct disk_pending *p, uint64_t seed)
{
	uint64_t page = p->where / PAGE_SECTORS, in_page = p->where % PAGE_SECTORS;
	uint64_t draw = draw_of(seed, p->call, page), whole = draw_of(seed, p->call, UINT64_MAX);
	uint64_t first = draw % (PAGE_SECTORS + 1);

	if (whole % 3 == 0)
		return true;
	if (whole % 3 == 1)
		return false;
	if (in_page == first && draw >> 32 & 1) {
		tear(p, draw);
		d->counts.torn++;
		return true;
	}
	return in_page < first;
}

static bool
survives(struct disk *d, struct disk_pending *p, enum disk_damage damage, uint64_t seed)
{
	switch (damage) {
	case DISK_KEPT:
		return true;
	case DISK_LOST:
		return false;
	case DISK_HONEST:
		return draw_of(seed, p->call, p->where + p->is_size) & 1;
	case DISK_REORDERED:
		return draw_of(seed, p->call, 0) & 1;
	case DISK_IN_ORDER:
		return p->call <= d->last_kept;
	case DISK_SHORN:
		return p->is_size ? draw_of(seed, p->call, 0) & 1 : survives_shorn(d, p, seed);
	}
	return true;
}

static void
damage_file(struct disk *d, struct disk_file *f, enum disk_damage damage, uint64_t seed)
{
	struct disk_bytes *b = &f->durable;

	for (size_t i = 0; i < f->pending_count; i++) {
		if (!survives(d, &f->pending[i], damage, seed)) {
			d->counts.dropped++;
			continue;
		}
		disk_place(b, &f->pending[i]);
		d->counts.kept++;
	}
	f->pending_count = 0;
	if (b->room > b->size)
		memset(b->at + b->size, 0, b->room - b->size); /* sectors beyond the end */
	disk_bytes_resize(&f->now, 0);
	disk_bytes_resize(&f->now, b->size);
	if (b->size > 0)
		memcpy(f->now.at, b->at, b->size);
}

/* Which write or operation of those pending is the last to reach the medium; maybe none does. */
static uint64_t
last_in_order(const struct disk *d, uint64_t seed)
{
	uint64_t first = d->calls + 1;

	for (size_t i = 0; i < d->file_count; i++)
		if (d->files[i]->pending_count > 0 && d->files[i]->pending[0].call < first)
			first = d->files[i]->pending[0].call;
	if (d->op_count > 0 && d->ops[0].call < first)
		first = d->ops[0].call;
	return first - 1 + draw_of(seed, 3, 3) % (d->calls - first + 2);
}

/* How many of the folder's operations, from the first, may be there at all. */
static int
ops_that_may(const struct disk *d, enum disk_damage damage, uint64_t seed)
{
	if (damage == DISK_HONEST)
		return (int)(draw_of(seed, 1, 1) % (uint64_t)(d->op_count + 1));
	return damage == DISK_LOST ? 0 : d->op_count;
}

static bool
op_survives(const struct disk *d, enum disk_damage damage, uint64_t seed, int i)
{
	if (damage == DISK_IN_ORDER)
		return d->ops[i].call <= d->last_kept;
	if (damage == DISK_REORDERED || damage == DISK_SHORN)
		return draw_of(seed, 2, (uint64_t)i) & 1;
	return true;
}

static void
damage_folder(struct disk *d, enum disk_damage damage, uint64_t seed)
{
	int may = ops_that_may(d, damage, seed);

	d->now = d->durable;
	for (int i = 0; i < d->op_count; i++) {
		if (i < may && op_survives(d, damage, seed, i))
			disk_folder_do(&d->now, &d->ops[i]);
		else
			d->counts.undone++;
	}
	disk_sync_folder(d);
}

void
disk_reboot(struct disk *d, enum disk_damage damage, uint64_t seed)
{
	assert(d->open_handles == 0);
	if (d->device.in_order && damage != DISK_KEPT)
		damage = DISK_IN_ORDER;
	d->last_kept = last_in_order(d, seed);
	for (size_t i = 0; i < d->file_count; i++)
		damage_file(d, d->files[i], damage, draw_of(seed, i, 7));
	damage_folder(d, damage, seed);
	d->off = d->armed = false;
}
