/*
 * tests/crash/folder.h - a real folder whose files live and die like a disk's.
 *
 * What isn't SQLite in a VFS of our own - init, key, settings, anchor, the git
 * archive, and SQLite's unix VFS itself - calls the system.  In this program
 * open(), write(), fsync(), rename() and their like are our own functions
 * (folder_calls.c), for shared libraries as well, because a program's symbols
 * come before theirs.  They do what they are called for in the real folder, and
 * the same in a struct disk, which counts, fails, and knows what is durable; at
 * a reboot the folder is made to hold what the disk is left with.
 *
 * Not followed: what is written by mmap, until it is synced; folders themselves
 * (they are always there); reads, which don't fail.  The lock, the reserve and
 * SQLite's shared memory are nobody's business.
 */
#ifndef TESTS_CRASH_FOLDER_H
#define TESTS_CRASH_FOLDER_H

#include "tests/disk.h"

enum { FOLDER_PATH_MAX = 512 };

/* Follow a new folder, whose path is returned, on this disk. */
const char *folder_open(struct disk *d);

/* Make the folder hold what the disk does; files that have a name keep their inodes. */
void folder_restore(void);

/* Follow it no more, and delete it. */
void folder_close(void);

/* Make `name` another file of the same content, as a copy of the disk would have it. */
void folder_copy_file(const char *name);

/* Give the file these bytes, durably. */
void folder_put(const char *name, const void *bytes, size_t len);

/* The process ends: what it has left open is closed (libgit2 does, when a pack fails). */
void folder_let_go(void);

/* Make all of it durable. */
void folder_sync(void);

/* Delete what a process that has died left. */
void folder_remove(long pid);

#endif /* TESTS_CRASH_FOLDER_H */
