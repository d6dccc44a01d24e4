/*
 * tests/crash/folder_calls.c - the system's calls, as this program and its
 * libraries find them: done in the real folder, and on the disk that follows it.
 *
 * A call that fails for want of a good disk has done half (a write), all (at the
 * moment when the power goes) or nothing.
 */
#include "tests/crash/folder_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The call may go on (true); else errno is set, and *last says whether to do it all the same. */
static bool
may(enum disk_call call, bool *last)
{
	enum disk_fate fate = disk_fate(folder.disk, call);

	*last = fate == DISK_LAST;
	if (fate == DISK_GO)
		return true;
	errno = fate == DISK_FULL ? ENOSPC : EIO;
	return false;
}

static struct folder_fd *
known(int fd)
{
	static struct folder_fd none;

	return folder.disk == NULL || fd < 0 || fd >= FOLDER_FDS ? &none : &folder.fds[fd];
}

/* ---- open and close ---- */

static void
remember(int fd, const char *name, int flags)
{
	struct stat st;

	if (fd < 0 || fd >= FOLDER_FDS)
		return;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		size_t len = strlen(name);

		snprintf(folder.fds[fd].inside, FOLDER_PATH, "%.*s%sx",
		         (int)(len > 0 && name[len - 1] == '/' ? len - 1 : len), name,
		         len == 0 ? "" : "/");
		return;
	}
	folder.fds[fd].file = disk_find(folder.disk, name);
	if (folder.fds[fd].file == NULL)
		folder.fds[fd].file = disk_make(folder.disk, name);
	folder.fds[fd].file->handles++;
	folder.disk->open_handles++;
	if ((flags & O_TRUNC) != 0)
		disk_truncate(folder.disk, folder.fds[fd].file, 0);
}

static int
open_any(const char *path, int flags, mode_t mode)
{
	const char *name = folder_name(path);
	struct stat st;
	bool makes, last = false;
	int fd;

	if (name == NULL)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	makes = (flags & O_CREAT) != 0 && stat(path, &st) < 0;
	if (!may(makes ? DISK_GROWS : DISK_LOOKS, &last) && !(last && makes))
		return -1;
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	remember(fd, name, flags);
	if (!last)
		return fd;
	close(fd);
	errno = EIO;
	return -1;
}

int
open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode = 0;

	va_start(args, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	return open_any(path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode = 0;

	va_start(args, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	return open_any(path, flags, mode);
}

int
mkstemp(char *path)
{
	static unsigned made;
	char *end = path + strlen(path) - 6;
	int fd;

	do {
		snprintf(end, 7, "%06u", made++ % 1000000);
		fd = open_any(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	} while (fd < 0 && errno == EEXIST);
	return fd;
}

int
mkstemp64(char *path)
{
	return mkstemp(path);
}

int
close(int fd)
{
	struct folder_fd *k = known(fd);

	if (k->file != NULL) {
		k->file->handles--;
		folder.disk->open_handles--;
		disk_drop_unused(folder.disk);
	}
	k->file = NULL;
	k->inside[0] = 0;
	return (int)syscall(SYS_close, fd);
}

/* ---- writing ---- */

static ssize_t
write_at(int fd, const void *bytes, size_t len, off_t at, bool moves)
{
	struct folder_fd *k = known(fd);
	bool last, good = may(DISK_GROWS, &last);
	int why = errno;
	size_t some = good || last ? len : len / 2;
	ssize_t n;

	if (!good && !last && disk_is_off(folder.disk))
		return -1;
	n = syscall(SYS_pwrite64, fd, bytes, some, at);
	if (n > 0) {
		disk_write(folder.disk, k->file, bytes, (uint64_t)n, (uint64_t)at);
		if (moves)
			lseek(fd, at + n, SEEK_SET);
	}
	errno = good ? errno : why;
	return good ? n : -1;
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
	if (known(fd)->file == NULL)
		return syscall(SYS_write, fd, bytes, len);
	return write_at(fd, bytes, len, lseek(fd, 0, SEEK_CUR), true);
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	if (known(fd)->file == NULL)
		return syscall(SYS_pwrite64, fd, bytes, len, at);
	return write_at(fd, bytes, len, at, false);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
	return pwrite(fd, bytes, len, at);
}

int
ftruncate(int fd, off_t size)
{
	struct folder_fd *k = known(fd);
	bool last, good = k->file == NULL || may(DISK_CHANGES, &last);
	int rc;

	if (!good && !last)
		return -1;
	rc = (int)syscall(SYS_ftruncate, fd, size);
	if (k->file != NULL && rc == 0)
		disk_truncate(folder.disk, k->file, (uint64_t)size);
	return good ? rc : -1;
}

int
ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

/* Only the reserve asks for it, which is not to cost memory here. */
int
posix_fallocate(int fd, off_t at, off_t len)
{
	return syscall(SYS_ftruncate, fd, at + len) < 0 ? errno : 0;
}

int
posix_fallocate64(int fd, off_t at, off_t len)
{
	return posix_fallocate(fd, at, len);
}

/* ---- syncing ---- */

int
fsync(int fd)
{
	struct folder_fd *k = known(fd);
	bool last;

	if (k->file == NULL && k->inside[0] == 0)
		return 0; /* nothing of ours: spare the machine the wait */
	if (!may(DISK_CHANGES, &last)) {
		if (k->file != NULL && !disk_is_off(folder.disk))
			disk_doubt_file(k->file);
		return -1;
	}
	if (k->file != NULL) {
		folder_read_back(fd, k->file);
		disk_sync_file(k->file);
	} else {
		disk_sync_folder_of(folder.disk, k->inside);
	}
	return 0;
}

int
fdatasync(int fd)
{
	return fsync(fd);
}

int
posix_fadvise(int fd, off_t at, off_t len, int advice)
{
	(void)at;
	(void)len;
	if (known(fd)->file != NULL && advice == POSIX_FADV_DONTNEED && !disk_is_off(folder.disk))
		folder_evict(fd, known(fd)->file);
	return 0;
}

int
posix_fadvise64(int fd, off_t at, off_t len, int advice)
{
	return posix_fadvise(fd, at, len, advice);
}

/* ---- names ---- */

int
rename(const char *from, const char *to)
{
	const char *was = folder_name(from), *is = folder_name(to);
	struct disk_file *f = was == NULL ? NULL : disk_find(folder.disk, was);
	bool last = false, good = was == NULL || is == NULL || may(DISK_CHANGES, &last);
	int rc;

	if (!good && !last)
		return -1;
	rc = (int)syscall(SYS_rename, from, to);
	if (rc == 0 && f != NULL && is != NULL)
		disk_name(folder.disk, f, is, was);
	else if (rc == 0 && was != NULL && is != NULL)
		folder_moved(was, is);
	return good ? rc : -1;
}

int
link(const char *from, const char *to)
{
	const char *was = folder_name(from), *is = folder_name(to);
	struct disk_file *f = was == NULL ? NULL : disk_find(folder.disk, was);
	bool last = false, good = f == NULL || is == NULL || may(DISK_CHANGES, &last);
	int rc;

	if (!good && !last)
		return -1;
	rc = (int)syscall(SYS_link, from, to);
	if (rc == 0 && f != NULL && is != NULL)
		disk_name(folder.disk, f, is, "");
	return good ? rc : -1;
}

int
unlink(const char *path)
{
	const char *name = folder_name(path);
	bool there = name != NULL && disk_find(folder.disk, name) != NULL, last = false;
	bool good = !there || may(DISK_CHANGES, &last);
	int rc;

	if (!good && !last)
		return -1;
	rc = (int)syscall(SYS_unlink, path);
	if (rc == 0 && there)
		disk_unlink(folder.disk, name);
	return good ? rc : -1;
}

int
remove(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) ? rmdir(path) : unlink(path);
}
