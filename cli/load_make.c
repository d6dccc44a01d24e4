#include "cli/load.h"
#include "cli/progress.h"
#include "node/facility/date.h"
#include "node/facility/roster.h"
#include "node/facility/samples.h"
#include "node/rehearse.h"
#include "node/status.h"
#include "store/base/file.h"
#include "store/base/text.h"
#include "store/stmt.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	MAKERS = 2,
	FILES_A_NODE = 16, /* databases and their logs, lock, line, and what curl holds */
	FILES_MORE = 64,
};

/* ---- the folder and the hub ---- */

static int
run_quietly(const char *const *args, struct buf *out, struct err *err)
{
	int code = demo_run(args, out, err);

	if (code <= 0)
		return code;
	return err_set(err, ERR_IO, "yizhan %s %s %s: exit %d: %.120s", args[0], args[1], args[2],
	               code, buf_str(out));
}

static int
make_folder(struct load *l, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	int rc;

	snprintf(l->folder, sizeof l->folder, "%s/yizhan-load.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	rc = file_look_above(l->folder, err);
	if (rc == 0 && mkdtemp(l->folder) == NULL)
		rc = err_set(err, ERR_IO, "make %.150s: %s", l->folder, strerror(errno));
	else if (rc < 0)
		rc = err_set(err, rc,
		             "no fleet can be made in %.150s: it isn't a directory that can be "
		             "written to; set TMPDIR to one",
		             tmp == NULL ? "/tmp" : tmp);
	if (rc < 0)
		l->folder[0] = 0;
	return rc;
}

static int
make_hub(struct load *l, struct err *err)
{
	const char *const init[] = { "-C", l->hub_dir, "init", "--hub", NULL };
	const char *const serve[] = { "-C", l->hub_dir, "run", "--listen", "127.0.0.1:0", NULL };
	char log[LOAD_PATH + 8];
	struct buf out = { 0 };
	int rc;

	snprintf(l->hub_dir, sizeof l->hub_dir, "%.200s/hub", l->folder);
	snprintf(log, sizeof log, "%s.log", l->hub_dir);
	rc = run_quietly(init, &out, err);
	if (rc == 0)
		rc = demo_start(serve, log, &l->hub, l->address, err);
	buf_free(&out);
	return rc;
}

/* All nodes are open at once, and the hub, our child, has a connection of each. */
static int
allow_files(const struct load *l, struct err *err)
{
	rlim_t need = (rlim_t)l->count * FILES_A_NODE + FILES_MORE;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return err_set(err, ERR_IO, "getrlimit: %s", strerror(errno));
	if (files.rlim_max < need)
		return err_set(err, ERR_INVALID,
		               "%zu nodes need %llu open files and this shell allows %llu; "
		               "ulimit -Hn raises it, or take fewer nodes",
		               l->count, (unsigned long long)need,
		               (unsigned long long)files.rlim_max);
	if (files.rlim_cur < need) {
		files.rlim_cur = need;
		if (setrlimit(RLIMIT_NOFILE, &files) < 0)
			return err_set(err, ERR_IO, "setrlimit: %s", strerror(errno));
	}
	return 0;
}

/* ---- one node ---- */

static int
enrol(struct load *l, struct load_node *n, struct err *err)
{
	const char *const init[] = { "-C", n->dir, "init", "--facility", n->facility, NULL };
	const char *const invite[] = { "-C",         l->hub_dir,  "enrol",  "new",
		                       "--facility", n->facility, "--auto", NULL };
	char code[96], url[96];
	const char *const use[] = { "-C", n->dir, "enrol", code, url, NULL };
	struct buf out = { 0 };
	int rc = run_quietly(init, &out, err);

	buf_clear(&out);
	if (rc == 0)
		rc = run_quietly(invite, &out, err);
	snprintf(code, sizeof code, "%.*s", (int)strcspn(buf_str(&out), "\n"), buf_str(&out));
	snprintf(url, sizeof url, "http://%s", l->address);
	buf_clear(&out);
	if (rc == 0)
		rc = run_quietly(use, &out, err);
	buf_free(&out);
	return rc;
}

/* What is made here is thrown away: a disk that is waited for at each tap would only be slow. */
static int
hurry(struct store_db *db, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "PRAGMA synchronous = OFF");

	return store_stmt_run(&s, err);
}

static int
live(struct load *l, size_t i, struct station *st, struct err *err)
{
	struct roster_options options = { .at = env_wall_ms(env_real()) };
	int today = date_of(options.at, 8 * 60);
	struct samples_place place;
	struct roster_counts counts;
	struct buf roster = { 0 };
	struct facility f = { 0 };
	int rc = hurry(st->local, err);

	if (rc == 0)
		rc = hurry(st->merge, err);
	samples_get((unsigned)i, l->seed, &place, &roster);
	if (rc == 0)
		rc = buf_check(&roster, err);
	if (rc == 0)
		rc = facility_open(&f, st->local, NULL, err);
	if (rc == 0)
		rc = roster_import(&f, roster.bytes, roster.len, &options, &counts, err);
	for (int day = l->days; rc == 0 && day > 0; day--)
		rc = rehearse_day(st, &f, date_add(today, -day), l->seed + i, err);
	buf_free(&roster);
	return rc;
}

static int
make_node(struct load *l, size_t i, struct err *err)
{
	struct load_node *n = &l->nodes[i];
	struct node_status status;
	struct arena a = { 0 };
	struct station st;
	int rc;

	snprintf(n->facility, sizeof n->facility, "L%zu", i + 1);
	snprintf(n->dir, sizeof n->dir, "%.200s/%s", l->folder, n->facility);
	n->drained_ms = -1;
	rc = enrol(l, n, err);
	if (rc == 0)
		rc = station_open(n->dir, env_real(), &st, err);
	if (rc != 0)
		return rc;
	rc = live(l, i, &st, err);
	if (rc == 0)
		rc = node_status_read(st.merge, NULL, &a, &status, err);
	if (rc == 0)
		n->changes = status.waiting;
	arena_free(&a);
	station_close(&st);
	return rc;
}

/* ---- all of them ---- */

struct making {
	struct load *l;
	struct progress progress;
	pthread_mutex_t lock; /* of progress and err */
	atomic_size_t next;
	atomic_bool failed;
	struct err err;
};

static void *
make_some(void *ctx)
{
	struct making *m = ctx;
	struct err err;
	size_t i;

	while ((i = atomic_fetch_add(&m->next, 1)) < m->l->count && !atomic_load(&m->failed)) {
		int rc = m->l->stopped() ? err_set(&err, ERR_BUSY, "stopped; nothing was measured")
		                         : make_node(m->l, i, &err);

		pthread_mutex_lock(&m->lock);
		if (rc == 0)
			progress_step(&m->progress);
		else if (!atomic_exchange(&m->failed, true))
			m->err = err;
		pthread_mutex_unlock(&m->lock);
	}
	return NULL;
}

static int
make_nodes(struct load *l, struct err *err)
{
	struct making m = { .l = l, .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t thread[MAKERS];
	int made = 0;

	m.progress = progress_begin("nodes written", (int64_t)l->count);
	while (made < MAKERS - 1 && pthread_create(&thread[made], NULL, make_some, &m) == 0)
		made++;
	make_some(&m); /* so it goes on with one thread as well */
	while (made > 0)
		pthread_join(thread[--made], NULL);
	progress_end(&m.progress);
	pthread_mutex_destroy(&m.lock);
	if (atomic_load(&m.failed)) {
		*err = m.err;
		return m.err.code;
	}
	return 0;
}

int
load_make(struct load *l, struct err *err)
{
	int rc = allow_files(l, err);

	l->nodes = calloc(l->count, sizeof *l->nodes);
	if (rc == 0 && l->nodes == NULL)
		rc = err_set(err, ERR_NOMEM, "load: out of memory");
	if (rc == 0)
		rc = make_folder(l, err);
	if (rc == 0)
		rc = make_hub(l, err);
	return rc == 0 ? make_nodes(l, err) : rc;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
load_end(struct load *l)
{
	if (l->hub > 0)
		demo_stop(l->hub);
	if (l->folder[0] != 0)
		nftw(l->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(l->nodes);
}
