#include "tests/crash/folder.h"
#include "tests/crash/folder_priv.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct folder folder;

/* ---- names ---- */

/* The name in the folder, or NULL if the path isn't in it, or is of no interest. */
const char *
folder_name(const char *path)
{
	const char *name, *end;

	if (folder.disk == NULL || strncmp(path, folder.path, folder.path_len) != 0 ||
	    (path[folder.path_len] != '/' && path[folder.path_len] != 0))
		return NULL;
	name = path + folder.path_len;
	while (*name == '/')
		name++;
	end = name + strlen(name);
	if (strcmp(name, "lock") == 0 || strcmp(name, "reserve") == 0 ||
	    (end - name > 4 && strcmp(end - 4, "-shm") == 0))
		return NULL;
	return name;
}

static void
path_of(const char *name, char out[FOLDER_PATH])
{
	int len = snprintf(out, FOLDER_PATH, "%s/%s", folder.path, name);

	assert(len < FOLDER_PATH);
	(void)len;
}

/* ---- what the real file holds, and the disk's ---- */

/* What came by mmap: the file's bytes are written to the disk as they are. */
void
folder_read_back(int fd, struct disk_file *f)
{
	struct stat st;
	uint8_t *bytes;

	if (fstat(fd, &st) < 0 || st.st_size == 0)
		return;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		return;
	if (f->now.size != (uint64_t)st.st_size ||
	    memcmp(f->now.at, bytes, (size_t)st.st_size) != 0)
		disk_write(folder.disk, f, bytes, (uint64_t)st.st_size, 0);
	munmap(bytes, (size_t)st.st_size);
}

static void
put_file(const char *name, const struct disk_bytes *b)
{
	char path[FOLDER_PATH];
	uint64_t done = 0;
	int fd;

	path_of(name, path);
	for (char *slash = path + folder.path_len + 1; (slash = strchr(slash, '/')) != NULL;
	     *slash++ = '/') {
		*slash = 0;
		syscall(SYS_mkdir, path, 0700);
	}
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert(fd >= 0);
	while (done < b->size) {
		long n = syscall(SYS_pwrite64, fd, b->at + done, b->size - done, done);

		assert(n > 0);
		done += (uint64_t)n;
	}
	syscall(SYS_close, fd);
}

static int
delete_stranger(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	if (type != FTW_D && type != FTW_DP &&
	    disk_find(folder.disk, path + folder.path_len + 1) == NULL)
		syscall(SYS_unlink, path);
	return 0;
}

void
folder_restore(void)
{
	const struct disk_folder *now = &folder.disk->now;

	nftw(folder.path, delete_stranger, 16, FTW_PHYS | FTW_DEPTH);
	for (int i = 0; i < now->count; i++)
		put_file(now->names[i].name, &now->names[i].file->now);
}

void
folder_evict(int fd, struct disk_file *f)
{
	disk_evict_file(f);
	for (uint64_t done = 0; done < f->now.size;) {
		long n = syscall(SYS_pwrite64, fd, f->now.at + done, f->now.size - done, done);

		assert(n > 0);
		done += (uint64_t)n;
	}
}

/* A folder has another name: so have its files, at once and durably. */
static void
move_names(struct disk_folder *in, const char *from, const char *to)
{
	size_t len = strlen(from);

	for (int i = 0; i < in->count; i++) {
		char *name = in->names[i].name, rest[DISK_NAME_MAX];

		if (strncmp(name, from, len) != 0 || name[len] != '/')
			continue;
		snprintf(rest, sizeof rest, "%s", name + len);
		snprintf(name, DISK_NAME_MAX, "%.50s%.200s", to, rest);
	}
}

void
folder_moved(const char *from, const char *to)
{
	struct disk *d = folder.disk;

	disk_sync_folder(d);
	move_names(&d->now, from, to);
	move_names(&d->durable, from, to);
}

/* ---- the folder ---- */

static void
name_of_process(long pid, char out[FOLDER_PATH])
{
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(out, FOLDER_PATH, "%s/yizhan-crash.%ld", tmp, pid);
}

const char *
folder_open(struct disk *d)
{
	name_of_process((long)getpid(), folder.path);
	if (syscall(SYS_mkdir, folder.path, 0700) < 0)
		abort();
	folder.path_len = strlen(folder.path);
	folder.disk = d;
	return folder.path;
}

static int
delete_any(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	return (int)syscall(type == FTW_DP ? SYS_rmdir : SYS_unlink, path);
}

void
folder_let_go(void)
{
	for (int fd = 0; fd < FOLDER_FDS; fd++) {
		if (folder.fds[fd].file != NULL || folder.fds[fd].inside[0] != 0)
			syscall(SYS_close, fd);
		folder.fds[fd] = (struct folder_fd){ 0 };
	}
	disk_kill(folder.disk);
}

void
folder_remove(long pid)
{
	char path[FOLDER_PATH];

	name_of_process(pid, path);
	nftw(path, delete_any, 16, FTW_PHYS | FTW_DEPTH);
}

void
folder_close(void)
{
	if (folder.disk != NULL)
		folder_remove((long)getpid());
	folder.disk = NULL;
}

void
folder_copy_file(const char *name)
{
	struct disk_file *f = disk_find(folder.disk, name);
	char path[FOLDER_PATH], aside[FOLDER_PATH];

	path_of(name, path);
	path_of("aside", aside);
	syscall(SYS_rename, path, aside); /* so that the number isn't given out again */
	put_file(name, &f->now);
	syscall(SYS_unlink, aside);
}

void
folder_put(const char *name, const void *bytes, size_t len)
{
	struct disk_file *f = disk_find(folder.disk, name);

	disk_truncate(folder.disk, f, 0);
	disk_write(folder.disk, f, bytes, len, 0);
	disk_sync_file(f);
	put_file(name, &f->now);
}

void
folder_sync(void)
{
	const struct disk_folder *now = &folder.disk->now;

	for (int i = 0; i < now->count; i++) {
		char path[FOLDER_PATH];
		int fd;

		path_of(now->names[i].name, path);
		fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
		if (fd >= 0)
			folder_read_back(fd, now->names[i].file);
		syscall(SYS_close, fd);
	}
	for (size_t i = 0; i < folder.disk->file_count; i++)
		disk_sync_file(folder.disk->files[i]);
	disk_sync_folder(folder.disk);
}
