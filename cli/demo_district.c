#include "cli/demo.h"
#include "node/config.h"
#include "node/facility/date.h"
#include "node/facility/roster.h"
#include "store/base/file.h"
#include "store/base/text.h"
#include "store/stmt.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 16 };

int
demo_do(struct demo_place *p, const char *const *words, int also, struct buf *out, struct err *err)
{
	const char *args[WORDS_MAX + 3] = { "-C", p->dir };
	int code;

	for (int i = 0; i < WORDS_MAX && words[i] != NULL; i++)
		args[i + 2] = words[i];
	code = demo_run(args, out, err);
	if (code < 0 || code == 0 || code == also)
		return code;
	return err_set(err, ERR_IO, "yizhan -C %s %s: exit %d: %.120s", p->dir, words[0], code,
	               buf_str(out));
}

static int
do_quietly(struct demo_place *p, const char *const *words, struct err *err)
{
	struct buf out = { 0 };
	int rc = demo_do(p, words, 0, &out, err);

	buf_free(&out);
	return rc;
}

/* ---- making ---- */

static int
start(struct demo_place *p, struct err *err)
{
	const char *const args[] = { "-C", p->dir, "run", "--listen", "127.0.0.1:0", NULL };

	return demo_start(args, p->log, &p->pid, p->address, err);
}

static int
make_place(struct demo *d, struct demo_place *p, const char *name, struct err *err)
{
	const char *const hub[] = { "init", "--hub", NULL };
	const char *const node[] = { "init",   "--facility",   p->sample.id,
		                     "--name", p->sample.name, NULL };
	int rc;

	if (snprintf(p->dir, sizeof p->dir, "%s/%s", d->folder, name) >= (int)sizeof p->dir ||
	    snprintf(p->log, sizeof p->log, "%s.log", p->dir) >= (int)sizeof p->log)
		return err_set(err, ERR_INVALID, "%s: the path is too long", d->folder);
	rc = do_quietly(p, p->sample.id[0] == 0 ? hub : node, err);
	if (rc == 0)
		rc = config_set(p->dir, "sync.interval", "1", err);
	return rc == 0 ? start(p, err) : rc;
}

int
demo_open(const struct demo_place *p, enum store_mode mode, struct store_db **db, struct err *err)
{
	char path[DEMO_PATH + 16];

	snprintf(path, sizeof path, "%s/yizhan.db", p->dir);
	return store_db_open(path, mode, env_real(), db, err);
}

/* The code is the first line that `enrol new` prints. */
static int
enrol(struct demo *d, struct demo_place *p, struct err *err)
{
	const char *const make[] = { "enrol", "new", "--facility", p->sample.id, "--auto", NULL };
	char url[96], code[96] = "";
	const char *const use[] = { "enrol", code, url, NULL };
	struct buf out = { 0 };
	int rc = demo_do(&d->hub, make, 0, &out, err);

	if (rc == 0)
		snprintf(code, sizeof code, "%.*s", (int)strcspn(buf_str(&out), "\n"),
		         buf_str(&out));
	buf_free(&out);
	if (rc < 0)
		return rc;
	if (d->relay != NULL && p == &d->places[1])
		snprintf(url, sizeof url, "http://127.0.0.1:%u", demo_relay_port(d->relay));
	else
		snprintf(url, sizeof url, "http://%s", d->hub.address);
	return do_quietly(p, use, err);
}

static int
set_kind(struct demo_place *p, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        p->db, "UPDATE facility SET kind = ? WHERE facility_id = ? AND kind <> ?");

	store_stmt_put_int(&s, p->sample.kind);
	store_stmt_put_text(&s, p->sample.id);
	store_stmt_put_int(&s, p->sample.kind);
	return store_stmt_run(&s, err);
}

static int
fill(struct demo *d, struct demo_place *p, const struct buf *roster, struct err *err)
{
	struct roster_options options = { .at = env_wall_ms(env_real()) };
	struct roster_counts counts;
	int rc = demo_open(p, STORE_LOCAL, &p->db, err);

	if (rc == 0)
		rc = set_kind(p, err);
	if (rc == 0)
		rc = facility_open(&p->facility, p->db, NULL, err);
	if (rc == 0)
		rc = roster_import(&p->facility, roster->bytes, roster->len, &options, &counts,
		                   err);
	if (rc == 0)
		rc = facility_day_plan(&p->facility, d->date, d->seed, &p->arena, &p->plan,
		                       &p->planned, err);
	if (rc == 0)
		printf("  %-4s %-24s http://%-16s %3lld children, %2lld staff, %4zu things to do "
		       "today\n",
		       p->sample.id, p->sample.name, p->address, (long long)counts.children,
		       (long long)counts.staff, p->planned);
	return rc;
}

static int
add_place(struct demo *d, unsigned i, struct err *err)
{
	struct demo_place *p = &d->places[i];
	struct buf roster = { 0 };
	int rc;

	samples_get(i, d->seed, &p->sample, &roster);
	rc = buf_check(&roster, err);
	if (rc == 0)
		rc = make_place(d, p, p->sample.id, err);
	d->count = (int)i + 1;
	if (rc == 0)
		rc = enrol(d, p, err);
	if (rc == 0)
		rc = fill(d, p, &roster, err);
	buf_free(&roster);
	return rc;
}

int
demo_begin(struct demo *d, int facilities, uint64_t seed, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	int rc;

	*d = (struct demo){ .seed = seed };
	snprintf(d->folder, sizeof d->folder, "%s/yizhan-demo.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	rc = file_look_above(d->folder, err);
	if (rc < 0)
		return err_set(err, rc,
		               "no district can be made in %.150s: it isn't a directory that can "
		               "be written to; set TMPDIR to one",
		               tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(d->folder) == NULL)
		return err_set(err, ERR_IO, "make %s: %s", d->folder, strerror(errno));
	d->date = date_of(env_wall_ms(env_real()), 8 * 60);
	printf("A district in %s\n", d->folder);
	rc = make_place(d, &d->hub, "hub", err);
	if (rc == 0)
		rc = demo_open(&d->hub, STORE_LOCAL, &d->hub.db, err);
	if (rc == 0)
		printf("  hub                           http://%s\n", d->hub.address);
	if (rc == 0 && facilities > 1)
		rc = demo_relay_open(d->hub.address, &d->relay, err);
	for (int i = 0; rc == 0 && i < facilities; i++)
		rc = add_place(d, (unsigned)i, err);
	return rc;
}

/* ---- the day ---- */

int
demo_play(struct demo_place *p, int64_t until_ms, struct err *err)
{
	while (p->done < p->planned && p->plan[p->done].as.at <= until_ms) {
		int rc = facility_day_do(&p->facility, &p->plan[p->done], err);

		if (rc == ERR_INVALID || rc == ERR_NOTFOUND || rc == ERR_DENIED)
			p->refused++;
		else if (rc < 0)
			return rc;
		p->done++;
	}
	return 0;
}

/* ---- the end ---- */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
end_place(struct demo_place *p)
{
	if (p->pid > 0)
		demo_stop(p->pid);
	store_db_close(p->db);
	arena_free(&p->arena);
}

void
demo_end(struct demo *d)
{
	for (int i = 0; i < d->count; i++)
		end_place(&d->places[i]);
	demo_relay_close(d->relay);
	end_place(&d->hub);
	if (d->folder[0] != 0)
		nftw(d->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
