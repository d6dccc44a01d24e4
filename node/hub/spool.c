#include "node/hub/spool.h"

#include "node/room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLUSH = 1 << 16, LOOK_EVERY = 1024 };

int
spool_open(struct spool *sp, const struct kept_place *of, struct err *err)
{
	char folder[KEPT_FOLDER], path[KEPT_PATH];
	int rc;

	*sp = (struct spool){ .of = of, .fd = -1 };
	rc = kept_folder(of, folder, sizeof folder, err);
	if (rc < 0)
		return rc;
	kept_path(path, folder, "export-XXXXXX");
	sp->fd = mkostemp(path, O_CLOEXEC);
	if (sp->fd < 0)
		return err_set(err, err_of_system(errno), "%s: %s", path, strerror(errno));
	unlink(path);
	return 0;
}

int
spool_flush(struct spool *sp, bool all, struct err *err)
{
	int rc = buf_check(&sp->out, err);

	if (rc < 0 || (!all && sp->out.len < FLUSH))
		return rc;
	rc = room_for(sp->of->dir, "an export", (int64_t)sp->out.len, err);
	for (size_t done = 0; rc == 0 && done < sp->out.len;) {
		ssize_t n = write(sp->fd, sp->out.bytes + done, sp->out.len - done);

		if (n < 0 && errno != EINTR)
			rc = err_set(err, err_of_system(errno), "export: %s", strerror(errno));
		done += n < 0 ? 0 : (size_t)n;
	}
	sp->len += sp->out.len;
	buf_clear(&sp->out);
	return rc;
}

int
spool_rows(struct spool *sp, struct store_stmt *s,
           int (*put)(void *ctx, struct store_stmt *s, struct buf *out, struct err *err), void *ctx,
           struct err *err)
{
	const atomic_bool *stop = sp->of->stop;
	int rc;

	while ((rc = store_stmt_step(s, err)) == 1) {
		rc = put(ctx, s, &sp->out, err);
		if (rc == 0)
			rc = spool_flush(sp, false, err);
		if (rc == 0 && ++sp->rows % LOOK_EVERY == 0 && stop != NULL && atomic_load(stop))
			rc = err_set(err, ERR_BUSY, "export: stopping");
		if (rc < 0)
			break;
	}
	return rc;
}

void
spool_close(struct spool *sp)
{
	buf_free(&sp->out);
	if (sp->fd >= 0)
		close(sp->fd);
	sp->fd = -1;
}
