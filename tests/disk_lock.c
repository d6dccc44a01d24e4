/*
 * tests/disk_lock.c - SQLite's locks on a file of the disk, and the shared memory
 * beside a WAL: among the connections of one process, which is all there is.
 */
#include "tests/disk_priv.h"

#include <assert.h>
#include <string.h>

static struct disk_handle *
handle_of(sqlite3_file *file)
{
	return (struct disk_handle *)file;
}

static bool
is_free(const void *owner, const struct disk_handle *h)
{
	return owner == NULL || owner == h;
}

static int
lock_shared(struct disk_handle *h)
{
	if (!is_free(h->f->waits, h) || !is_free(h->f->exclusive, h))
		return SQLITE_BUSY;
	h->f->shared++;
	h->level = SQLITE_LOCK_SHARED;
	return SQLITE_OK;
}

/* From SHARED or RESERVED; who has to wait for readers keeps new ones out meanwhile. */
static int
lock_exclusive(struct disk_handle *h)
{
	struct disk_file *f = h->f;

	if (!is_free(f->reserved, h) || !is_free(f->waits, h))
		return SQLITE_BUSY;
	f->waits = h;
	h->level = SQLITE_LOCK_PENDING;
	if (f->shared > 1)
		return SQLITE_BUSY;
	f->exclusive = h;
	h->level = SQLITE_LOCK_EXCLUSIVE;
	return SQLITE_OK;
}

int
disk_lock(sqlite3_file *file, int level)
{
	struct disk_handle *h = handle_of(file);

	if (level <= h->level)
		return SQLITE_OK;
	if (disk_is_off(h->d))
		return SQLITE_IOERR_LOCK;
	if (level == SQLITE_LOCK_SHARED)
		return lock_shared(h);
	assert(h->level >= SQLITE_LOCK_SHARED);
	if (level == SQLITE_LOCK_EXCLUSIVE)
		return lock_exclusive(h);
	if (!is_free(h->f->reserved, h) || !is_free(h->f->waits, h))
		return SQLITE_BUSY;
	h->f->reserved = h;
	h->level = SQLITE_LOCK_RESERVED;
	return SQLITE_OK;
}

static void
let_go(const void **owner, const struct disk_handle *h)
{
	if (*owner == h)
		*owner = NULL;
}

int
disk_unlock(sqlite3_file *file, int level)
{
	struct disk_handle *h = handle_of(file);

	if (level >= h->level)
		return SQLITE_OK;
	let_go(&h->f->exclusive, h);
	let_go(&h->f->waits, h);
	let_go(&h->f->reserved, h);
	if (level == SQLITE_LOCK_NONE)
		h->f->shared--;
	h->level = level;
	return SQLITE_OK;
}

int
disk_is_reserved(sqlite3_file *file, int *is)
{
	*is = handle_of(file)->f->reserved != NULL;
	return SQLITE_OK;
}

/* ---- shared memory ---- */

static void
add_regions(struct disk_file *f, int count, int size)
{
	f->shm = disk_grown(f->shm, (size_t)count * sizeof(uint8_t *));
	while (f->shm_count < count) {
		uint8_t *region = disk_grown(NULL, (size_t)size);

		memset(region, 0, (size_t)size);
		f->shm[f->shm_count++] = region;
	}
}

int
disk_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **at)
{
	struct disk_handle *h = handle_of(file);
	struct disk_file *f = h->f;

	*at = NULL;
	if (disk_fate(h->d, DISK_LOOKS) != DISK_GO)
		return SQLITE_IOERR_SHMMAP;
	if (!h->uses_shm) {
		h->uses_shm = true;
		f->shm_users++;
	}
	if (region >= f->shm_count && extend == 0)
		return SQLITE_OK;
	if (region >= f->shm_count)
		add_regions(f, region + 1, size);
	*at = f->shm[region];
	return SQLITE_OK;
}

static bool
slot_is_free(const struct disk_handle *h, int slot, bool exclusive)
{
	int others = h->f->slot_shared[slot] - (h->shm_shared >> slot & 1);

	return is_free(h->f->slot_exclusive[slot], h) && (!exclusive || others == 0);
}

static void
slot_take(struct disk_handle *h, int slot, bool exclusive)
{
	uint16_t bit = (uint16_t)(1U << slot);

	if (exclusive) {
		h->f->slot_exclusive[slot] = h;
		h->shm_exclusive |= bit;
	} else if ((h->shm_shared & bit) == 0) {
		h->f->slot_shared[slot]++;
		h->shm_shared |= bit;
	}
}

static void
slot_release(struct disk_handle *h, int slot)
{
	uint16_t bit = (uint16_t)(1U << slot);

	if (h->shm_exclusive & bit)
		h->f->slot_exclusive[slot] = NULL;
	if (h->shm_shared & bit)
		h->f->slot_shared[slot]--;
	h->shm_exclusive &= (uint16_t)~bit;
	h->shm_shared &= (uint16_t)~bit;
}

int
disk_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	struct disk_handle *h = handle_of(file);
	bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;

	assert(offset >= 0 && offset + n <= DISK_SHM_SLOTS);
	if ((flags & SQLITE_SHM_UNLOCK) != 0) {
		for (int i = offset; i < offset + n; i++)
			slot_release(h, i);
		return SQLITE_OK;
	}
	if (disk_is_off(h->d))
		return SQLITE_IOERR_SHMLOCK;
	for (int i = offset; i < offset + n; i++)
		if (!slot_is_free(h, i, exclusive))
			return SQLITE_BUSY;
	for (int i = offset; i < offset + n; i++)
		slot_take(h, i, exclusive);
	return SQLITE_OK;
}

void
disk_shm_barrier(sqlite3_file *file)
{
	(void)file; /* one thread */
}

void
disk_shm_free(struct disk_file *f)
{
	for (int i = 0; i < f->shm_count; i++)
		disk_dropped(f->shm[i]);
	disk_dropped(f->shm);
	f->shm = NULL;
	f->shm_count = 0;
}

int
disk_shm_unmap(sqlite3_file *file, int also_delete)
{
	struct disk_handle *h = handle_of(file);
	struct disk_file *f = h->f;

	(void)also_delete;
	for (int i = 0; i < DISK_SHM_SLOTS; i++)
		slot_release(h, i);
	if (!h->uses_shm)
		return SQLITE_OK;
	h->uses_shm = false;
	if (--f->shm_users > 0)
		return SQLITE_OK;
	disk_shm_free(f);
	return SQLITE_OK;
}
