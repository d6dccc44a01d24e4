/*
 * store/backup.c - a consistent copy of the database while it is in use.
 *
 * It is made under another name and gets its own when it is whole and on the
 * medium: whoever finds a file of that name finds a backup.
 */
#include "store/base/file.h"
#include "store/db_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
fail(struct err *err, const char *path)
{
	return err_set(err, err_of_system(errno), "%.180s: %s", path, strerror(errno));
}

static int
copy(struct store_db *db, const char *path, struct err *err)
{
	sqlite3_backup *backup;
	sqlite3 *to = NULL;
	int status;

	status = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	backup = status == SQLITE_OK ? sqlite3_backup_init(to, "main", db->handle, "main") : NULL;
	if (backup != NULL) {
		sqlite3_backup_step(backup, -1);
		status = sqlite3_backup_finish(backup);
	} else if (status == SQLITE_OK) {
		status = sqlite3_errcode(to);
	}
	if (status != SQLITE_OK)
		err_set(err, store_db_code(status), "backup to %.180s: %s", path,
		        sqlite3_errmsg(to));
	sqlite3_close(to);
	return status == SQLITE_OK ? 0 : err->code;
}

static int
settle(const char *from, const char *to, struct err *err)
{
	int rc = 0, fd = open(from, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(err, from);
	if (fchmod(fd, 0600) < 0 || fsync(fd) < 0)
		rc = fail(err, from);
	close(fd);
	if (rc == 0 && rename(from, to) < 0)
		rc = fail(err, to);
	return rc == 0 ? file_sync_folder(to, err) : rc;
}

int
store_db_backup(struct store_db *db, const char *path, struct err *err)
{
	char part[PATH_MAX];
	int rc;

	assert(db->env->vfs == NULL);
	if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
		return err_set(err, ERR_INVALID, "the file's path is too long; choose another");
	if (access(path, F_OK) == 0)
		return err_set(err, ERR_INVALID, "%.180s is there already; choose another name",
		               path);
	rc = file_look_above(path, err);
	if (rc < 0)
		return rc;
	unlink(part);
	rc = copy(db, part, err);
	if (rc == 0)
		rc = settle(part, path, err);
	if (rc < 0)
		unlink(part);
	return rc;
}
