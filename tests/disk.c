/*
 * tests/disk.c - the medium: files, the folder, what is pending, faults.
 *
 * Pending sectors are whole 512 byte images, taken when the write was made, as a
 * page cache would hand them to the device.  So any choice among the images of a
 * sector, or what was durable before, is a state the sector could have on the
 * medium.
 */
#include "tests/disk.h"
#include "tests/disk_priv.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *(*grow)(void *old, size_t bytes) = realloc;
static void (*drop)(void *at) = free;

void
disk_use_memory(void *(*grow_fn)(void *old, size_t bytes), void (*drop_fn)(void *at))
{
	grow = grow_fn;
	drop = drop_fn;
}

void
disk_dropped(void *at)
{
	drop(at);
}

void *
disk_grown(void *old, size_t bytes)
{
	void *at = grow(old, bytes);

	if (at == NULL)
		abort();
	return at;
}

/* ---- bytes ---- */

void
disk_bytes_reserve(struct disk_bytes *b, uint64_t room)
{
	uint64_t more = b->room == 0 ? DISK_PAGE : b->room;

	if (room <= b->room)
		return;
	while (more < room)
		more *= 2;
	b->at = disk_grown(b->at, more);
	memset(b->at + b->room, 0, more - b->room);
	b->room = more;
}

void
disk_bytes_resize(struct disk_bytes *b, uint64_t size)
{
	disk_bytes_reserve(b, size);
	if (size < b->size)
		memset(b->at + size, 0, b->size - size);
	b->size = size;
}

void
disk_place(struct disk_bytes *b, const struct disk_pending *p)
{
	if (p->is_size) {
		disk_bytes_resize(b, p->where);
		return;
	}
	disk_bytes_reserve(b, (p->where + 1) * DISK_SECTOR);
	memcpy(b->at + p->where * DISK_SECTOR, p->bytes, DISK_SECTOR);
}

/* ---- the folder ---- */

static int
place_of(const struct disk_folder *folder, const char *name)
{
	for (int i = 0; i < folder->count; i++)
		if (strcmp(folder->names[i].name, name) == 0)
			return i;
	return -1;
}

void
disk_folder_set(struct disk_folder *folder, const char *name, struct disk_file *file)
{
	int i = place_of(folder, name);

	if (i >= 0)
		folder->names[i] = folder->names[--folder->count];
	if (file == NULL)
		return;
	assert(folder->count < DISK_FILES_MAX);
	i = folder->count++;
	snprintf(folder->names[i].name, sizeof folder->names[i].name, "%s", name);
	folder->names[i].file = file;
}

void
disk_folder_do(struct disk_folder *folder, const struct disk_folder_op *op)
{
	if (op->gone[0] != 0)
		disk_folder_set(folder, op->gone, NULL);
	disk_folder_set(folder, op->name, op->file);
}

/* `f` gets the name (NULL: the name is nobody's now), and what it was called before is gone. */
void
disk_name(struct disk *d, struct disk_file *f, const char *name, const char *gone)
{
	struct disk_folder_op *op;

	if (d->op_count == d->op_room) {
		d->op_room = d->op_room * 2 + 16;
		d->ops = disk_grown(d->ops, (size_t)d->op_room * sizeof *d->ops);
	}
	op = &d->ops[d->op_count++];
	snprintf(op->name, sizeof op->name, "%s", name);
	snprintf(op->gone, sizeof op->gone, "%s", gone);
	op->file = f;
	op->call = ++d->calls;
	disk_folder_do(&d->now, op);
}

/* Is `b` in the same folder as `a`? */
static bool
are_neighbours(const char *a, const char *b)
{
	const char *end_a = strrchr(a, '/'), *end_b = strrchr(b, '/');
	size_t len_a = end_a == NULL ? 0 : (size_t)(end_a - a);
	size_t len_b = end_b == NULL ? 0 : (size_t)(end_b - b);

	return len_a == len_b && memcmp(a, b, len_a) == 0;
}

void
disk_sync_folder_of(struct disk *d, const char *name)
{
	int kept = 0;

	for (int i = 0; i < d->op_count; i++)
		if (are_neighbours(name, d->ops[i].name))
			disk_folder_do(&d->durable, &d->ops[i]);
		else
			d->ops[kept++] = d->ops[i];
	d->op_count = kept;
	disk_drop_unused(d);
}

void
disk_sync_folder(struct disk *d)
{
	d->durable = d->now;
	d->op_count = 0;
	disk_drop_unused(d);
}

struct disk_file *
disk_find(const struct disk *d, const char *name)
{
	int i = place_of(&d->now, name);

	return i < 0 ? NULL : d->now.names[i].file;
}

struct disk_file *
disk_make(struct disk *d, const char *name)
{
	struct disk_file *f = disk_grown(NULL, sizeof *f);

	memset(f, 0, sizeof *f);
	if (d->file_count == d->file_room) {
		d->file_room = d->file_room * 2 + 8;
		d->files = disk_grown(d->files, d->file_room * sizeof(struct disk_file *));
	}
	d->files[d->file_count++] = f;
	if (name != NULL)
		disk_name(d, f, name, "");
	return f;
}

void
disk_unlink(struct disk *d, const char *name)
{
	disk_name(d, NULL, name, "");
}

static bool
is_named(const struct disk *d, const struct disk_file *f)
{
	for (int i = 0; i < d->now.count; i++)
		if (d->now.names[i].file == f)
			return true;
	for (int i = 0; i < d->durable.count; i++)
		if (d->durable.names[i].file == f)
			return true;
	for (int i = 0; i < d->op_count; i++)
		if (d->ops[i].file == f)
			return true;
	return false;
}

static void
free_file(struct disk_file *f)
{
	disk_dropped(f->now.at);
	disk_dropped(f->durable.at);
	disk_dropped(f->pending);
	disk_dropped(f);
}

void
disk_drop_unused(struct disk *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->file_count; i++) {
		if (d->files[i]->handles > 0 || is_named(d, d->files[i]))
			d->files[kept++] = d->files[i];
		else
			free_file(d->files[i]);
	}
	d->file_count = kept;
}

/* ---- files ---- */

static struct disk_pending *
pend(struct disk *d, struct disk_file *f)
{
	struct disk_pending *p;

	if (f->pending_count == f->pending_room) {
		f->pending_room = f->pending_room * 2 + 16;
		f->pending = disk_grown(f->pending, f->pending_room * sizeof *f->pending);
	}
	p = &f->pending[f->pending_count++];
	memset(p, 0, offsetof(struct disk_pending, bytes));
	p->call = d->calls;
	return p;
}

static void
pend_size(struct disk *d, struct disk_file *f)
{
	struct disk_pending *p = pend(d, f);

	p->is_size = true;
	p->where = f->now.size;
}

void
disk_write(struct disk *d, struct disk_file *f, const void *bytes, uint64_t len, uint64_t at)
{
	uint64_t end = at + len;

	d->calls++;
	if (len == 0)
		return;
	disk_bytes_reserve(&f->now, (end / DISK_SECTOR + 1) * DISK_SECTOR);
	memcpy(f->now.at + at, bytes, len);
	if (end > f->now.size) {
		f->now.size = end;
		pend_size(d, f);
	}
	for (uint64_t s = at / DISK_SECTOR; s * DISK_SECTOR < end; s++) {
		struct disk_pending *p = pend(d, f);
		uint64_t start = s * DISK_SECTOR;

		p->where = s;
		p->from = (uint16_t)(at > start ? at - start : 0);
		p->to = (uint16_t)(end < start + DISK_SECTOR ? end - start : DISK_SECTOR);
		memcpy(p->bytes, f->now.at + start, DISK_SECTOR);
	}
}

void
disk_truncate(struct disk *d, struct disk_file *f, uint64_t size)
{
	d->calls++;
	if (size == f->now.size)
		return;
	disk_bytes_resize(&f->now, size);
	pend_size(d, f);
}

static bool
is_in_doubt(const struct disk_file *f)
{
	for (size_t i = 0; i < f->pending_count; i++)
		if (f->pending[i].doubtful)
			return true;
	return false;
}

/* Doubtful entries whose sector has been written anew since: a sync knows of the later one. */
static void
mark_overtaken(struct disk_file *f)
{
	uint64_t sectors = f->now.room / DISK_SECTOR + f->durable.room / DISK_SECTOR + 1;
	uint8_t *newer = disk_grown(NULL, sectors);

	memset(newer, 0, sectors);
	for (size_t i = f->pending_count; i-- > 0;) {
		struct disk_pending *p = &f->pending[i];

		if (p->is_size)
			continue;
		assert(p->where < sectors);
		p->overtaken = p->doubtful && newer[p->where] != 0;
		newer[p->where] |= !p->doubtful;
	}
	disk_dropped(newer);
}

void
disk_sync_file(struct disk_file *f)
{
	size_t kept = 0;

	if (is_in_doubt(f))
		mark_overtaken(f);
	for (size_t i = 0; i < f->pending_count; i++)
		if (!f->pending[i].doubtful)
			disk_place(&f->durable, &f->pending[i]);
		else if (!f->pending[i].overtaken)
			f->pending[kept++] = f->pending[i];
	f->pending_count = kept;
}

void
disk_sync_all(struct disk *d)
{
	for (size_t i = 0; i < d->file_count; i++)
		disk_sync_file(d->files[i]);
	disk_sync_folder(d);
}

void
disk_doubt_file(struct disk_file *f)
{
	for (size_t i = 0; i < f->pending_count; i++)
		f->pending[i].doubtful = !f->pending[i].is_size; /* sizes are in the journal */
}

void
disk_evict_file(struct disk_file *f)
{
	size_t kept = 0;

	disk_sync_file(f);
	for (size_t i = 0; i < f->pending_count; i++)
		kept += f->pending[i].doubtful;
	assert(kept == f->pending_count); /* what is in doubt is all that a sync leaves */
	if (kept == 0)
		return;
	f->pending_count = 0;
	disk_bytes_reserve(&f->durable, f->now.size);
	f->durable.size = f->now.size;
	if (f->now.size > 0)
		memcpy(f->now.at, f->durable.at, f->now.size);
}

void
disk_evict(struct disk *d)
{
	for (size_t i = 0; i < d->file_count; i++)
		disk_evict_file(d->files[i]);
}

uint64_t
disk_total(const struct disk *d)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < d->file_count; i++)
		sum += d->files[i]->now.size;
	return sum;
}

void
disk_rot(struct disk *d, struct disk_file *f, uint64_t at, uint64_t len)
{
	uint64_t bit;

	if (d->device.rot_permille == 0 || f->pending_count > 0 || len < DISK_SECTOR ||
	    at + len > f->durable.size || disk_draw(&d->random) % 1000 >= d->device.rot_permille)
		return;
	bit = at * 8 + disk_draw(&d->random) % (len * 8);
	f->durable.at[bit / 8] ^= (uint8_t)(1U << bit % 8);
	f->now.at[bit / 8] ^= (uint8_t)(1U << bit % 8);
	d->counts.rotten++;
}

/* ---- faults ---- */

static bool
is_counted(enum disk_fault fault, enum disk_call call)
{
	switch (fault) {
	case DISK_CRASH:
		return call != DISK_LOOKS;
	case DISK_ERROR:
		return call != DISK_NAMES;
	case DISK_NO_SPACE:
		return call == DISK_GROWS;
	}
	return false;
}

enum disk_fate
disk_fate(struct disk *d, enum disk_call call)
{
	if (d->off)
		return DISK_OFF;
	if (call != DISK_LOOKS)
		d->counts.changes++;
	if (!d->armed || !is_counted(d->fault, call))
		return DISK_GO;
	d->seen++;
	if (d->seen - 1 < d->at || (d->seen - 1 > d->at && !d->lasting))
		return DISK_GO;
	d->hit = true;
	if (d->fault == DISK_CRASH) {
		disk_cut(d);
		return DISK_LAST;
	}
	if (d->fault == DISK_ERROR)
		d->counts.errors++;
	else
		d->counts.no_space++;
	return d->fault == DISK_ERROR ? DISK_FAIL : DISK_FULL;
}

void
disk_arm(struct disk *d, enum disk_fault fault, uint64_t at, bool lasting)
{
	d->fault = fault;
	d->at = at;
	d->lasting = lasting;
	d->seen = 0;
	d->hit = false;
	d->armed = true;
}

bool
disk_disarm(struct disk *d)
{
	d->armed = false;
	return d->hit;
}

uint64_t
disk_seen(const struct disk *d)
{
	return d->seen;
}

void
disk_cut(struct disk *d)
{
	d->off = true;
	d->counts.crashes++;
}

static void
let_go_of(struct disk_file *f)
{
	disk_shm_free(f);
	f->handles = f->shared = f->shm_users = 0;
	f->reserved = f->waits = f->exclusive = NULL;
	memset(f->slot_shared, 0, sizeof f->slot_shared);
	memset(f->slot_exclusive, 0, sizeof f->slot_exclusive);
}

void
disk_kill(struct disk *d)
{
	for (size_t i = 0; i < d->file_count; i++)
		let_go_of(d->files[i]);
	d->open_handles = 0;
	disk_drop_unused(d);
}

bool
disk_is_off(const struct disk *d)
{
	return d->off;
}

/* ---- a disk ---- */

struct disk *
disk_new(const char *name, const struct disk_host *host)
{
	struct disk *d = disk_grown(NULL, sizeof *d);
	int status;

	memset(d, 0, sizeof *d);
	assert(strlen(name) < sizeof d->vfs_name && sqlite3_vfs_find(name) == NULL);
	snprintf(d->vfs_name, sizeof d->vfs_name, "%s", name);
	d->host = *host;
	disk_vfs_init(d);
	status = sqlite3_vfs_register(&d->vfs, 0);
	assert(status == SQLITE_OK);
	(void)status;
	return d;
}

static void
clear(struct disk *d)
{
	assert(d->open_handles == 0);
	d->now.count = d->durable.count = d->op_count = 0;
	disk_drop_unused(d);
	d->armed = d->off = false;
}

void
disk_free(struct disk *d)
{
	if (d == NULL)
		return;
	clear(d);
	sqlite3_vfs_unregister(&d->vfs);
	disk_dropped(d->files);
	disk_dropped(d->ops);
	disk_dropped(d);
}

const char *
disk_vfs(const struct disk *d)
{
	return d->vfs_name;
}

void
disk_seed_sqlite(struct disk *d)
{
	sqlite3_vfs *was = sqlite3_vfs_find(NULL);
	uint8_t byte;

	sqlite3_vfs_register(&d->vfs, 1);
	sqlite3_randomness(0, NULL);
	sqlite3_randomness(1, &byte);
	sqlite3_vfs_register(was, 1);
}

void
disk_set_device(struct disk *d, const struct disk_device *device)
{
	d->device = *device;
	d->random = device->seed;
}

/* Into new ones.  What is copied seldom grows much, so there is no room to spare. */
static void
copy_bytes(struct disk_bytes *to, const struct disk_bytes *from)
{
	uint64_t room = (from->size / DISK_SECTOR + 1) * DISK_SECTOR;

	to->at = disk_grown(NULL, room);
	to->room = room;
	to->size = from->size;
	if (from->size > 0)
		memcpy(to->at, from->at, from->size);
	memset(to->at + from->size, 0, room - from->size);
}

void
disk_copy(struct disk *to, const struct disk *from)
{
	clear(to);
	for (int i = 0; i < from->now.count; i++) {
		const struct disk_name *was = &from->now.names[i];
		struct disk_file *f = disk_make(to, was->name);

		copy_bytes(&f->now, &was->file->now);
		copy_bytes(&f->durable, &was->file->now);
	}
	disk_sync_folder(to);
}

bool
disk_put(struct disk *to, const char *name, const struct disk *from, const char *as)
{
	const struct disk_file *was = disk_find(from, as);
	struct disk_file *f;

	if (was == NULL)
		return false;
	f = disk_make(to, name);
	copy_bytes(&f->now, &was->now);
	copy_bytes(&f->durable, &was->now);
	disk_sync_folder(to);
	return true;
}

const struct disk_counts *
disk_counts(const struct disk *d)
{
	return &d->counts;
}

int64_t
disk_size(const struct disk *d, const char *name)
{
	const struct disk_file *f = disk_find(d, name);

	return f == NULL ? -1 : (int64_t)f->now.size;
}

bool
disk_flip(struct disk *d, const char *name, uint64_t bit)
{
	struct disk_file *f = disk_find(d, name);

	if (f == NULL || bit / 8 >= f->now.size)
		return false;
	f->now.at[bit / 8] ^= (uint8_t)(1U << bit % 8);
	if (bit / 8 < f->durable.size)
		f->durable.at[bit / 8] = f->now.at[bit / 8];
	return true;
}

bool
disk_remove(struct disk *d, const char *name)
{
	if (disk_find(d, name) == NULL)
		return false;
	disk_unlink(d, name);
	disk_sync_folder(d);
	return true;
}
