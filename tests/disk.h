/*
 * tests/disk.h - a disk in memory, under SQLite, whose power can be cut at every
 * I/O and whose every call can fail.
 *
 * A disk is a machine's one folder: names are taken as they are, there are no
 * paths.  SQLite reaches it as a VFS of its own name, so a world has as many as
 * it has machines.  Of each file it keeps what programs read, what is durable,
 * and what was written since the last sync, sector by sector and in order; of
 * the folder the same: what was made and deleted since it was last synced.  The
 * folder is synced as SQLite's unix VFS does it: with the first sync of a new
 * journal or WAL, and with a delete that asks for it.
 *
 *     disk_arm(CRASH at n) -> ... -> the power goes at the n-th change: that one
 *     is on its way, and every later call fails without effect -> close what is
 *     open -> disk_reboot(damage, seed): of what was pending some is there, some
 *     not -> open again
 *
 * Chance is the caller's: `host.rand` for SQLite's own draws, a seed for the
 * device's and one for each reboot; and so is time.  One thread.  WAL works for
 * any number of connections of this process: shared memory is on the heap, and
 * is gone once the last connection has closed.  Out of memory aborts.
 */
#ifndef TESTS_DISK_H
#define TESTS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;

/* What SQLite asks of its machine. */
struct disk_host {
	int64_t (*wall_ms)(void *ctx); /* UTC, ms since 1970 */
	void (*rand)(void *ctx, void *bytes, size_t len);
	void (*sleep_us)(void *ctx, int us); /* NULL: nobody waits */
	void *ctx;
};

/* A new, empty disk, known to SQLite as VFS `name` (copied).  disk_free() it. */
struct disk *disk_new(const char *name, const struct disk_host *host);

/* Every connection must be closed.  NULL is allowed. */
void disk_free(struct disk *d);

/* The name for env.vfs; lives as long as the disk. */
const char *disk_vfs(const struct disk *d);

/*
 * SQLite's own generator (randomblob, WAL salts, names of temporary files) is one for the whole
 * process and draws its seed once, from the default VFS: make it draw anew, from this disk's host.
 * Call it where a replay begins.
 */
void disk_seed_sqlite(struct disk *d);

/* Make `to` hold what `from` holds, durably; nothing may be open on `to`.  The copy of a disk in
 * use is what a power cut without loss would leave. */
void disk_copy(struct disk *to, const struct disk *from);

/* A file of `from` as it is there now, durable under another name; false if there is no such one.
 */
bool disk_put(struct disk *to, const char *name, const struct disk *from, const char *as);

/* All disks take and give back their memory by these, a realloc() and a free(): for who makes the
 * program's own allocations fail.  Call it before the first disk. */
void disk_use_memory(void *(*grow)(void *old, size_t bytes), void (*drop)(void *at));

/* ---- the device ---- */

struct disk_device {
	uint64_t seed;
	unsigned lie_permille; /* so many syncs say that they have, and haven't */
	bool in_order;         /* what it hasn't, it has in a cache that empties in order: a sync
	                          that is true is one of all files, and a power cut leaves what
	                          DISK_IN_ORDER leaves, or DISK_KEPT */
	unsigned rot_permille; /* so many reads of what is all on the medium find one bit turned,
	                          for ever: what is read was there before this life or its last
	                          sync */
	uint64_t quota;        /* bytes in all files together; more is SQLITE_FULL; 0: no end */
};

/* From now on; all zero is a good device, which is what a new disk has. */
void disk_set_device(struct disk *d, const struct disk_device *device);

/* ---- faults at a point ---- */

enum disk_fault {
	DISK_CRASH, /* counts changes: create, write, truncate, sync, sync of the folder, delete */
	DISK_ERROR, /* counts every call that can fail: changes, open, read, size, shared memory;
	               not the folder's syncs, whose failure SQLite doesn't hear (store/db.c).
	               A write does half of what it should, first.  A sync that failed leaves its
	               sectors in doubt for ever, as Linux does: later syncs don't know of them */
	DISK_NO_SPACE, /* counts creates and writes; half is written, then SQLITE_FULL */
};

/*
 * From now on count, and at the `at`-th call from 0 that the fault counts let it happen: once, or
 * from then on (`lasting`; a crash always lasts).  At UINT64_MAX it only counts.
 */
void disk_arm(struct disk *d, enum disk_fault fault, uint64_t at, bool lasting);

/* The disk works again, unless its power is off.  True if the fault has happened. */
bool disk_disarm(struct disk *d);

/* What the armed fault has counted until now. */
uint64_t disk_seen(const struct disk *d);

/* ---- power ---- */

enum disk_damage {
	DISK_KEPT,      /* all that was pending: the process died, the machine didn't */
	DISK_LOST,      /* nothing of it */
	DISK_HONEST,    /* each pending sector in one of the states it has had; the folder up to
	                   some operation */
	DISK_REORDERED, /* any subset of the writes, and of the folder's operations */
	DISK_SHORN,     /* so too; and of each 4 KiB page of a write the first 0 to 8 sectors, the
	                   one at the tear sometimes with other bytes than anybody wrote */
	DISK_IN_ORDER,  /* all writes and operations up to one of them, and nothing after it */
};

enum { DISK_DAMAGES = 6 };

/* Cut the power now: every call fails until disk_reboot(). */
void disk_cut(struct disk *d);

/* Is the power off? */
bool disk_is_off(const struct disk *d);

/*
 * The machine starts again with what the seed leaves of what was pending.  Every connection must
 * be closed.  Nothing is armed afterwards.
 */
void disk_reboot(struct disk *d, enum disk_damage damage, uint64_t seed);

/*
 * The process has died: its open files, locks and shared memory are gone with it, what it had
 * written stays.  SQLite's connections must never be used again, not even to close them.
 */
void disk_kill(struct disk *d);

/*
 * Forget what is in memory alone because its sync has failed: every file reads as the medium has
 * it.  It is what a process does that syncs a file and gives up its clean pages before it opens it
 * (store/wal.c); to be called where one starts.
 */
void disk_evict(struct disk *d);

/* ---- looking, and hands on the medium ---- */

/* What has happened since the disk is new, for tests that must have seen it happen. */
struct disk_counts {
	uint64_t changes, syncs, crashes, errors, no_space, lies, rotten; /* of calls */
	uint64_t kept, dropped, torn, undone; /* at reboots: sectors, pages, folder's operations */
};
const struct disk_counts *disk_counts(const struct disk *d);

/* Bytes of a file as programs read it; -1 if there is none. */
int64_t disk_size(const struct disk *d, const char *name);

/* Turn one bit of a file, durably; false if there is no such byte. */
bool disk_flip(struct disk *d, const char *name, uint64_t bit);

/* Delete a file, durably, as somebody with a screwdriver would; false if there is none. */
bool disk_remove(struct disk *d, const char *name);

#endif /* TESTS_DISK_H */
