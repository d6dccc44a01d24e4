/*
 * store/wal.c - the log that is read at the start is the one that the medium has.
 *
 * Two holes in what SQLite promises, both shown by the crash loops:
 *
 * - A sync that failed.  Linux then calls the pages clean although the medium
 *   doesn't hold them.  Whoever opens the file next finds them in memory, believes
 *   in a commit that nobody has, appends to the log, syncs what was appended, and
 *   loses that with the power, because a log is read up to its first gap.  So
 *   before a log is opened it is synced and its clean pages are given up: what
 *   is then read comes from the medium.  Nothing is written, so a power cut now
 *   can't hurt.  (Writing the log anew, byte for byte, was tried: a card that
 *   tears what it writes then destroys what it had.)
 *
 * - The folder.  SQLite syncs it with the log's first sync, but goes on if that
 *   fails: the log's name would be gone after a power cut, and with it what had
 *   been acknowledged.  Once the log is there we do it, and listen.
 *
 * A database in a VFS of somebody's own (env.vfs) has neither pages nor folder.
 */
#include "store/base/file.h"
#include "store/base/mutant.h"
#include "store/db_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nobody locks the log itself, so closing this descriptor drops no lock of SQLite's. */
int
store_wal_settle(const char *path, const struct env *env, struct err *err)
{
	size_t size = strlen(path) + sizeof "-wal";
	char *log;
	int fd, rc = 0;

	if (env->vfs != NULL || MUT(48))
		return 0;
	log = malloc(size);
	if (log == NULL)
		return err_set(err, ERR_NOMEM, "open %s: out of memory", path);
	snprintf(log, size, "%s-wal", path);
	fd = open(log, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && fsync(fd) < 0)
		rc = err_set(err, ERR_IO, "sync %s: %s", log, strerror(errno));
	if (fd >= 0) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
	free(log);
	return rc;
}

int
store_wal_keep_name(const char *path, const struct env *env, struct err *err)
{
	return env->vfs != NULL ? 0 : file_sync_folder(path, err);
}
