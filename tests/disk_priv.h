/* tests/disk_priv.h - what the three parts of the disk share: device, VFS, locks. */
#ifndef TESTS_DISK_PRIV_H
#define TESTS_DISK_PRIV_H

#include "tests/disk.h"

#include <sqlite3.h>

enum {
	DISK_SECTOR = 512,
	DISK_PAGE = 4096,
	DISK_NAME_MAX = 256,
	DISK_FILES_MAX = 256,
	DISK_SHM_SLOTS = SQLITE_SHM_NLOCK,
};

/* Bytes that grow and are zero where nobody wrote. */
struct disk_bytes {
	uint8_t *at;
	uint64_t size, room;
};

/* One sector as a write left it, or (is_size) the file's size as a call left it. */
struct disk_pending {
	uint64_t where;    /* number of the sector; or the size */
	uint64_t call;     /* which write it belongs to */
	uint16_t from, to; /* the bytes of the sector that the write meant */
	bool is_size;
	bool overtaken; /* doubtful, and written anew since */
	bool doubtful;  /* a sync of it has failed: no later sync knows of it */
	uint8_t bytes[DISK_SECTOR];
};

struct disk_file {
	int handles; /* open ones */
	struct disk_bytes now, durable;
	struct disk_pending *pending;
	size_t pending_count, pending_room;

	/* SQLite's locks on the file, and its shared memory */
	int shared;
	const void *reserved, *waits, *exclusive; /* which handle */
	uint8_t **shm;
	int shm_count, shm_users;
	int slot_shared[DISK_SHM_SLOTS];
	const void *slot_exclusive[DISK_SHM_SLOTS];
};

struct disk_name {
	char name[DISK_NAME_MAX];
	struct disk_file *file;
};

struct disk_folder {
	struct disk_name names[DISK_FILES_MAX];
	int count;
};

/* A name made or (file NULL) deleted since its folder was synced; a rename also takes one away. */
struct disk_folder_op {
	char name[DISK_NAME_MAX];
	struct disk_file *file;
	char gone[DISK_NAME_MAX]; /* "" if none */
	uint64_t call;
};

struct disk {
	sqlite3_vfs vfs;
	char vfs_name[64];
	struct disk_host host;
	struct disk_device device;
	uint64_t random;    /* the device's */
	uint64_t last_kept; /* at a reboot in order: the number of the last call that is there */

	struct disk_folder now, durable;
	struct disk_folder_op *ops;
	int op_count, op_room;
	struct disk_file **files; /* all of them, named or not */
	size_t file_count, file_room;

	enum disk_fault fault;
	uint64_t at, seen;
	bool armed, lasting, hit, off;
	uint64_t calls; /* writes and operations of the folder, each with its number */
	int open_handles;
	struct disk_counts counts;
};

/* What a call finds: it may go on, it fails, or the power goes while it is on its way. */
enum disk_fate { DISK_GO, DISK_FAIL, DISK_FULL, DISK_OFF, DISK_LAST };

/* What a call is, for who counts it. */
enum disk_call { DISK_LOOKS, DISK_CHANGES, DISK_GROWS, DISK_NAMES };

/* Count a call and say how it goes.  DISK_LAST: do it, unsynced, and fail: the power is off now. */
enum disk_fate disk_fate(struct disk *d, enum disk_call call);

/* disk.c: the medium. */
void *disk_grown(void *old, size_t bytes); /* never NULL */
void disk_dropped(void *at);
struct disk_file *disk_find(const struct disk *d, const char *name);
struct disk_file *disk_make(struct disk *d, const char *name); /* NULL: without a name */
void disk_folder_set(struct disk_folder *folder, const char *name, struct disk_file *file);
void disk_unlink(struct disk *d, const char *name);
void disk_name(struct disk *d, struct disk_file *f, const char *name, const char *gone);
void disk_folder_do(struct disk_folder *folder, const struct disk_folder_op *op);
void disk_sync_folder(struct disk *d);
void disk_sync_folder_of(struct disk *d, const char *name); /* and of its neighbours */
void disk_write(struct disk *d, struct disk_file *f, const void *bytes, uint64_t len, uint64_t at);
void disk_truncate(struct disk *d, struct disk_file *f, uint64_t size);
void disk_sync_file(struct disk_file *f);
void disk_sync_all(struct disk *d);
void disk_doubt_file(struct disk_file *f);
void disk_evict_file(struct disk_file *f);
uint64_t disk_total(const struct disk *d);
void disk_rot(struct disk *d, struct disk_file *f, uint64_t at, uint64_t len);
void disk_drop_unused(struct disk *d);

/* disk_damage.c */
uint64_t disk_draw(uint64_t *state);

/* disk_bytes: sizes; grown bytes are zero, cut ones forgotten. */
void disk_bytes_resize(struct disk_bytes *b, uint64_t size);
void disk_bytes_reserve(struct disk_bytes *b, uint64_t room);
void disk_place(struct disk_bytes *b, const struct disk_pending *p);

/* disk_vfs.c */
void disk_vfs_init(struct disk *d);

/* An open file, as SQLite holds it. */
struct disk_handle {
	sqlite3_file base;
	struct disk *d;
	struct disk_file *f;
	int level; /* SQLITE_LOCK_* */
	bool sync_folder, uses_shm;
	uint16_t shm_shared, shm_exclusive; /* masks of slots */
};

/* disk_lock.c: the methods of sqlite3_io_methods. */
int disk_lock(sqlite3_file *file, int level);
int disk_unlock(sqlite3_file *file, int level);
int disk_is_reserved(sqlite3_file *file, int *is);
int disk_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **at);
int disk_shm_lock(sqlite3_file *file, int offset, int n, int flags);
void disk_shm_free(struct disk_file *f);
void disk_shm_barrier(sqlite3_file *file);
int disk_shm_unmap(sqlite3_file *file, int also_delete);

#endif /* TESTS_DISK_PRIV_H */
