#include "node/doctor.h"
#include "node/config.h"
#include "node/doctor_priv.h"
#include "node/identity.h"
#include "node/role.h"
#include "store/base/text.h"
#include "store/digest.h"
#include "store/inspect.h"
#include "store/print.h"
#include "store/rift.h"
#include "store/track.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { ROOM_HINT = 256 << 20, ROOM_ILL = 32 << 20, ROWS_TOLD = 20, RIFTS_TOLD = 8 };

const char *
doctor_state_word(enum doctor_state state)
{
	static const char *const words[] = { "well", "hint", "ill", "mended" };

	return words[state];
}

void
doctor_say(struct doctor *d, const char *check, enum doctor_state state, const char *todo,
           const char *fmt, ...)
{
	struct doctor_finding finding = { .check = check, .state = state, .todo = todo };
	char what[512];
	va_list args;

	assert(state == DOCTOR_WELL || state == DOCTOR_MENDED || todo[0] != 0);
	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	for (char *c = what; *c != 0; c++)
		if (*c == '\n')
			*c = ' '; /* SQLite tells damage on lines of its own */
	finding.what = what;
	d->tell(d->ctx, &finding);
}

/* ---- files ---- */

/* What others may not do with what the program has made.  A group of writers (init --group) has the
 * directory and the database; to read who signs and what the settings are harms nobody. */
static const struct private
{
	const char *name; /* "": the directory */
	unsigned allowed;
}
private[] = {
	{ "", 0770 },
	{ "key", 0600 },
	{ "yizhan.db", 0660 },
	{ "yizhan.db-wal", 0660 },
	{ "yizhan.db-shm", 0660 },
	{ "node.conf", 0644 },
	{ "anchor", 0644 },
	{ "allowed_signers", 0644 },
	{ "archive.git", 0770 },
};

/* True if it is so now. */
static bool
keep_private(struct doctor *d, const struct private *p)
{
	char path[IDENTITY_PATH_MAX], todo[IDENTITY_PATH_MAX + 32];
	struct err ignored;
	struct stat st;

	if (p->name[0] == 0)
		snprintf(path, sizeof path, "%s", d->dir);
	else if (identity_path(path, d->dir, p->name, &ignored) < 0)
		return true;
	if (stat(path, &st) < 0)
		return true; /* not made yet, or another check tells that it is missing */
	if ((st.st_mode & 0777 & ~p->allowed) == 0)
		return true;
	/* a directory for a group has more bits, and needs them: they stay */
	if (d->mend && chmod(path, st.st_mode & (p->allowed | 07000)) == 0) {
		doctor_say(d, "files", DOCTOR_MENDED, "",
		           "%.300s was open to others: mode %o, now %o", path, st.st_mode & 0777,
		           st.st_mode & p->allowed);
		return true;
	}
	if (S_ISDIR(st.st_mode))
		snprintf(todo, sizeof todo, "chmod o-rwx %s", path);
	else
		snprintf(todo, sizeof todo, "chmod %o %s", st.st_mode & p->allowed, path);
	doctor_say(d, "files", DOCTOR_ILL, todo, "%.300s is open to others: mode %o", path,
	           st.st_mode & 0777);
	return false;
}

static void
check_files(struct doctor *d)
{
	struct config config;
	struct sync_key key = { 0 };
	struct err err;
	bool well = true;

	for (size_t i = 0; i < sizeof private / sizeof private[0]; i++)
		well &= keep_private(d, &private[i]);
	if (well && identity_load_key(d->dir, &key, &err) < 0) {
		doctor_say(d, "files", DOCTOR_ILL,
		           "put it back from a copy of the directory; without one, yizhan init a "
		           "new directory and enrol that",
		           "%s", err.msg);
		well = false;
	}
	sync_key_wipe(&key);
	if (config_load(d->dir, &config, &err) < 0) {
		doctor_say(d, "files", DOCTOR_ILL, "correct the file", "%s", err.msg);
		well = false;
	}
	if (well)
		doctor_say(d, "files", DOCTOR_WELL, "", "key and settings are there and private");
}

/* ---- disk ---- */

static bool
check_reserve(struct doctor *d, int64_t room)
{
	char path[IDENTITY_PATH_MAX];
	struct err err;

	if (identity_path(path, d->dir, "reserve", &err) < 0 || access(path, F_OK) == 0)
		return true;
	if (d->mend && room > ROOM_HINT &&
	    identity_keep_reserve(d->dir, IDENTITY_RESERVE_BYTES, &err) == 0) {
		doctor_say(d, "disk", DOCTOR_MENDED, "",
		           "the reserve for a full disk is kept again");
		return true;
	}
	doctor_say(d, "disk", DOCTOR_HINT, "make room, then yizhan doctor --fix",
	           "the reserve for a full disk has been used");
	return false;
}

static void
check_disk(struct doctor *d)
{
	struct statvfs room;
	struct statfs type;
	int64_t bytes;
	const char *why;

	if (statfs(d->dir, &type) < 0 || statvfs(d->dir, &room) < 0) {
		doctor_say(d, "disk", DOCTOR_ILL, "look at the disk", "%.300s: %s", d->dir,
		           strerror(errno));
		return;
	}
	bytes = (int64_t)(room.f_bavail * room.f_frsize);
	why = identity_bad_disk((unsigned long)type.f_type);
	if (why != NULL)
		doctor_say(d, "disk", DOCTOR_ILL, "move the directory to a local disk",
		           "it can't hold a database safely: %s", why);
	if ((room.f_flag & ST_RDONLY) != 0)
		doctor_say(d, "disk", DOCTOR_ILL,
		           "look at the system's log: a card that turns read-only is dying",
		           "it is mounted read-only");
	if (bytes < ROOM_HINT)
		doctor_say(d, "disk", bytes < ROOM_ILL ? DOCTOR_ILL : DOCTOR_HINT,
		           "make room: old files of other programs first", "%lld MB are left",
		           (long long)(bytes >> 20));
	if (check_reserve(d, bytes) && why == NULL && (room.f_flag & ST_RDONLY) == 0 &&
	    bytes >= ROOM_HINT)
		doctor_say(d, "disk", DOCTOR_WELL, "", "%lld MB are left",
		           (long long)(bytes >> 20));
}

/* ---- the database ---- */

struct looking {
	struct doctor *d;
	struct store_db *db;
	int64_t found;
};

static void
tell_breach(void *ctx, const struct store_breach *breach)
{
	struct looking *l = ctx;

	l->found++;
	if (breach->damage)
		doctor_say(
		        l->d, "database", DOCTOR_ILL,
		        "restore a backup on a sound disk; what the hub has comes back by itself",
		        "the file is damaged: %.300s", breach->what);
	else
		doctor_say(l->d, "database", DOCTOR_HINT,
		           "look at the rows with yizhan sql and correct what is wrong",
		           "%s: %.300s", breach->table, breach->what);
}

static void
tell_uncaptured(void *ctx, const char *table, const char *what)
{
	struct looking *l = ctx;

	l->found++;
	doctor_say(l->d, "capture", DOCTOR_ILL,
	           "start yizhan run, or yizhan doctor --fix: the triggers are made anew and what "
	           "they missed is logged",
	           "table %s: %.300s", table, what);
}

/* What was written since the last seal isn't as it was sealed, and rightly so. */
static void
tell_row(void *ctx, const struct store_digest_fault *f)
{
	struct looking *l = ctx;
	const struct store_table *t = store_catalog_table_by_name(l->db, f->table);
	struct buf key = { 0 };
	struct err ignored;
	bool unsealed = false;

	if (f->key != NULL && t != NULL &&
	    store_inspect_is_unsealed(l->db, t->id, f->key, f->key_len, &unsealed, &ignored) == 0 &&
	    unsealed)
		return;
	if (++l->found > ROWS_TOLD)
		return;
	if (f->key != NULL)
		store_print_key_text(&key, f->key, f->key_len);
	doctor_say(l->d, "rows", DOCTOR_ILL, "yizhan verify --deep lists all and says what to do",
	           "%s %.100s: %.200s", f->table, f->key == NULL ? "" : buf_str(&key), f->what);
	buf_free(&key);
}

static int
look_at_tables(struct looking *l, bool is_hub, struct err *err)
{
	struct store_digest_verify rows = { .deep = true, .tell = tell_row, .ctx = l };
	int rc;

	l->found = 0;
	rc = store_track_look(l->db, is_hub, tell_uncaptured, l, err);
	if (rc == 0 && l->found == 0)
		doctor_say(l->d, "capture", DOCTOR_WELL, "",
		           "every tracked table has its triggers");
	l->found = 0;
	if (rc == 0)
		rc = store_digest_verify(l->db, &rows, err);
	if (rc == 0 && l->found > ROWS_TOLD)
		doctor_say(l->d, "rows", DOCTOR_ILL, "yizhan verify --deep", "%lld rows in all",
		           (long long)l->found);
	if (rc == 0 && l->found == 0)
		doctor_say(l->d, "rows", DOCTOR_WELL, "", "%lld rows are as they were written",
		           (long long)rows.rows);
	return rc;
}

/* Where rows were not the hub's: what still is so, and the latest that was put right. */
static int
look_at_rifts(struct looking *l, struct err *err)
{
	struct arena a = { 0 };
	struct store_rifts rifts = { .most = RIFTS_TOLD, .arena = &a };
	struct buf where = { 0 };
	int rc = store_rift_list(l->db, &rifts, err);

	for (size_t i = 0; rc == 0 && i < rifts.count; i++) {
		const struct store_rift *rift = &rifts.list[i];
		char at[TEXT_TIME_SIZE];

		buf_clear(&where);
		store_rift_where(&where, &rift->range);
		text_time(at, rift->at_ms);
		if (rift->mended_ms == 0)
			doctor_say(l->d, "hub rows", DOCTOR_ILL,
			           "compare them with the hub's, and write anew what is right",
			           "since %s not the hub's, %.200s: %.100s", at, buf_str(&where),
			           rift->cause);
		else
			doctor_say(l->d, "hub rows", DOCTOR_HINT,
			           "if it happens again look at the disk, and at programs that "
			           "write to the file",
			           "equal again; at %s they were not, %.200s: %.100s", at,
			           buf_str(&where), rift->cause);
	}
	buf_free(&where);
	arena_free(&a);
	return rc;
}

static int
look_at_file(struct looking *l, struct err *err)
{
	int rc = store_inspect_breaches(l->db, true, tell_breach, l, err);

	if (rc == 0 && l->found == 0)
		doctor_say(l->d, "database", DOCTOR_WELL, "", "every page and index is whole");
	return rc;
}

static int
check_database(struct doctor *d, struct err *err)
{
	struct looking l = { .d = d };
	char path[IDENTITY_PATH_MAX];
	struct node_role role;
	int rc = identity_path(path, d->dir, "yizhan.db", err);

	if (rc < 0)
		return rc;
	if (d->mend)
		doctor_mend(d, path);
	rc = store_db_open(path, STORE_READ, d->env, &l.db, err);
	if (rc == 0)
		rc = look_at_file(&l, err);
	if (rc == 0)
		rc = store_db_begin(l.db, err);
	if (rc == 0)
		rc = node_role_get(l.db, &role, err);
	if (rc == 0)
		rc = doctor_check_schema(d, l.db, role.is_hub, err);
	if (rc == 0)
		rc = look_at_tables(&l, role.is_hub, err);
	if (rc == 0 && !role.is_hub)
		rc = look_at_rifts(&l, err);
	if (rc == 0)
		rc = doctor_check_world(d, l.db, role.is_hub, err);
	store_db_close(l.db);
	if (rc == 0 || rc == ERR_NOMEM)
		return rc;
	doctor_say(d, "database", DOCTOR_ILL,
	           "restore a backup, or ask for help with this sentence", "it can't be read: %s",
	           err->msg);
	return 0;
}

int
doctor_examine(struct doctor *d, struct err *err)
{
	char path[IDENTITY_PATH_MAX];
	int rc = identity_path(path, d->dir, "yizhan.db", err);

	if (rc < 0)
		return rc;
	if (access(path, F_OK) < 0)
		return err_set(err, ERR_NOTFOUND,
		               "%.300s is no yizhan directory; give the right one with -C", d->dir);
	check_files(d);
	check_disk(d);
	return check_database(d, err);
}
