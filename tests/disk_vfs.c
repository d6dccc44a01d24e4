/* tests/disk_vfs.c - the disk as SQLite's VFS: each method asks for its fate, then acts. */
#include "tests/disk_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define JULIAN_EPOCH_MS INT64_C(210866760000000)

static struct disk_handle *
handle_of(sqlite3_file *file)
{
	return (struct disk_handle *)file;
}

static struct disk *
disk_of(sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

/* ---- an open file ---- */

static int
on_close(sqlite3_file *file)
{
	struct disk_handle *h = handle_of(file);
	struct disk *d = h->d;

	disk_shm_unmap(file, 0);
	disk_unlock(file, SQLITE_LOCK_NONE);
	h->f->handles--;
	d->open_handles--;
	disk_drop_unused(d);
	return SQLITE_OK;
}

static int
on_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
	struct disk_handle *h = handle_of(file);
	const struct disk_bytes *b = &h->f->now;
	uint64_t want = (uint64_t)len, from = (uint64_t)at, have;

	if (disk_fate(h->d, DISK_LOOKS) != DISK_GO)
		return SQLITE_IOERR_READ;
	have = from >= b->size ? 0 : b->size - from < want ? b->size - from : want;
	if (have == want)
		disk_rot(h->d, h->f, from, want);
	if (have > 0)
		memcpy(bytes, b->at + from, have);
	memset((uint8_t *)bytes + have, 0, want - have);
	return have == want ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

/* What a write may still add under the quota. */
static uint64_t
room_for(const struct disk_handle *h, uint64_t len, uint64_t at)
{
	uint64_t quota = h->d->device.quota, grows, left, total;

	if (quota == 0 || at + len <= h->f->now.size)
		return len;
	grows = at + len - h->f->now.size;
	total = disk_total(h->d);
	left = total >= quota ? 0 : quota - total;
	if (grows <= left)
		return len;
	return grows - left >= len ? 0 : len - (grows - left);
}

static int
on_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	struct disk_handle *h = handle_of(file);
	enum disk_fate fate = disk_fate(h->d, DISK_GROWS);
	uint64_t want = (uint64_t)len, can;

	if (fate == DISK_OFF)
		return SQLITE_IOERR_WRITE;
	can = fate == DISK_FAIL || fate == DISK_FULL ? want / 2 : room_for(h, want, (uint64_t)at);
	disk_write(h->d, h->f, bytes, can, (uint64_t)at);
	if (fate == DISK_GO && can == want)
		return SQLITE_OK;
	if (fate == DISK_GO)
		h->d->counts.no_space++;
	return fate == DISK_GO || fate == DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int
on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct disk_handle *h = handle_of(file);
	enum disk_fate fate = disk_fate(h->d, DISK_CHANGES);

	if (fate == DISK_GO || fate == DISK_LAST)
		disk_truncate(h->d, h->f, (uint64_t)size);
	return fate == DISK_GO ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

/* Does a sync, this once, only say that it has? */
static bool
lies(struct disk *d)
{
	if (d->device.lie_permille == 0 || disk_draw(&d->random) % 1000 >= d->device.lie_permille)
		return false;
	d->counts.lies++;
	return true;
}

/* Sync a file, or (NULL) the folder: one that lies does nothing, one in order is of everything. */
static void
sync_one(struct disk *d, struct disk_file *f)
{
	if (lies(d))
		return;
	if (d->device.in_order)
		disk_sync_all(d);
	else if (f != NULL)
		disk_sync_file(f);
	else
		disk_sync_folder(d);
}

static int
on_sync(sqlite3_file *file, int flags)
{
	struct disk_handle *h = handle_of(file);
	enum disk_fate fate = disk_fate(h->d, DISK_CHANGES);

	(void)flags;
	if (fate == DISK_FAIL)
		disk_doubt_file(h->f);
	if (fate != DISK_GO)
		return SQLITE_IOERR_FSYNC;
	h->d->counts.syncs++;
	sync_one(h->d, h->f);
	if (!h->sync_folder)
		return SQLITE_OK;
	h->sync_folder = false;
	fate = disk_fate(h->d, DISK_NAMES);
	if (fate == DISK_GO)
		sync_one(h->d, NULL);
	return fate == DISK_GO ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

static int
on_size(sqlite3_file *file, sqlite3_int64 *size)
{
	struct disk_handle *h = handle_of(file);

	if (disk_fate(h->d, DISK_LOOKS) != DISK_GO)
		return SQLITE_IOERR_FSTAT;
	*size = (sqlite3_int64)h->f->now.size;
	return SQLITE_OK;
}

static int
on_control(sqlite3_file *file, int op, void *arg)
{
	(void)file;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int
on_sector_size(sqlite3_file *file)
{
	(void)file;
	return DISK_PAGE;
}

static int
on_characteristics(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = disk_lock,
	.xUnlock = disk_unlock,
	.xCheckReservedLock = disk_is_reserved,
	.xFileControl = on_control,
	.xSectorSize = on_sector_size,
	.xDeviceCharacteristics = on_characteristics,
	.xShmMap = disk_shm_map,
	.xShmLock = disk_shm_lock,
	.xShmBarrier = disk_shm_barrier,
	.xShmUnmap = disk_shm_unmap,
};

/* ---- the folder ---- */

static int
on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	struct disk *d = disk_of(vfs);
	struct disk_handle *h = handle_of(file);
	struct disk_file *f = name == NULL ? NULL : disk_find(d, name);
	bool makes = f == NULL && name != NULL && (flags & SQLITE_OPEN_CREATE) != 0;
	enum disk_fate fate = disk_fate(d, makes ? DISK_GROWS : DISK_LOOKS);

	memset(h, 0, sizeof *h);
	if ((f == NULL && name != NULL && !makes) ||
	    (fate != DISK_GO && !(makes && fate == DISK_LAST)))
		return fate == DISK_FULL ? SQLITE_FULL : SQLITE_CANTOPEN;
	if (f == NULL)
		f = disk_make(d, name);
	if (fate != DISK_GO)
		return SQLITE_CANTOPEN;
	h->base.pMethods = &methods;
	h->d = d;
	h->f = f;
	/* as the unix VFS: by the flag, whether or not the file was there */
	h->sync_folder = (flags & SQLITE_OPEN_CREATE) != 0 &&
	                 (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL |
	                           SQLITE_OPEN_SUPER_JOURNAL)) != 0;
	f->handles++;
	d->open_handles++;
	if (out_flags != NULL)
		*out_flags = flags;
	return SQLITE_OK;
}

static int
on_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	struct disk *d = disk_of(vfs);
	enum disk_fate fate = disk_fate(d, DISK_CHANGES);

	if (fate != DISK_GO && fate != DISK_LAST)
		return SQLITE_IOERR_DELETE;
	if (disk_find(d, name) == NULL)
		return fate == DISK_GO ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
	disk_unlink(d, name);
	if (fate == DISK_GO && sync_folder != 0) {
		fate = disk_fate(d, DISK_NAMES);
		if (fate == DISK_GO)
			sync_one(d, NULL);
	}
	return fate == DISK_GO ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

static int
on_access(sqlite3_vfs *vfs, const char *name, int flags, int *is)
{
	struct disk *d = disk_of(vfs);
	const struct disk_file *f = disk_find(d, name);

	if (disk_fate(d, DISK_LOOKS) != DISK_GO)
		return SQLITE_IOERR_ACCESS;
	/* as the unix VFS has it: an empty journal or WAL isn't there */
	*is = f != NULL && (flags != SQLITE_ACCESS_EXISTS || f->now.size > 0);
	return SQLITE_OK;
}

static int
on_full_name(sqlite3_vfs *vfs, const char *name, int room, char *out)
{
	(void)vfs;
	return snprintf(out, (size_t)room, "%s", name) < room ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int
on_rand(sqlite3_vfs *vfs, int len, char *bytes)
{
	const struct disk_host *host = &disk_of(vfs)->host;

	host->rand(host->ctx, bytes, (size_t)len);
	return len;
}

static int
on_sleep(sqlite3_vfs *vfs, int us)
{
	const struct disk_host *host = &disk_of(vfs)->host;

	if (host->sleep_us != NULL)
		host->sleep_us(host->ctx, us);
	return us;
}

static int
on_now(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
	const struct disk_host *host = &disk_of(vfs)->host;

	*now = host->wall_ms(host->ctx) + JULIAN_EPOCH_MS;
	return SQLITE_OK;
}

static int
on_last_error(sqlite3_vfs *vfs, int room, char *words)
{
	(void)vfs;
	if (room > 0)
		words[0] = 0;
	return 0;
}

void
disk_vfs_init(struct disk *d)
{
	d->vfs = (sqlite3_vfs){
		.iVersion = 2,
		.szOsFile = sizeof(struct disk_handle),
		.mxPathname = DISK_NAME_MAX - 16, /* room for -journal and the like */
		.zName = d->vfs_name,
		.pAppData = d,
		.xOpen = on_open,
		.xDelete = on_delete,
		.xAccess = on_access,
		.xFullPathname = on_full_name,
		.xRandomness = on_rand,
		.xSleep = on_sleep,
		.xGetLastError = on_last_error,
		.xCurrentTimeInt64 = on_now,
	};
}
