/*
 * node/init.c - the first minute of a node.
 *
 * The database is made under another name and renamed when everything else is
 * on disk, so that a power cut leaves either a node or something that init may
 * begin anew.
 */
#include "node/init.h"
#include "node/anchor.h"
#include "node/config.h"
#include "node/engine_tables.h"
#include "node/facility/record.h"
#include "node/facility/schema.h"
#include "node/hub/hub_schema.h"
#include "node/identity.h"
#include "node/role.h"
#include "store/base/buf.h"
#include "store/base/file.h"
#include "store/base/text.h"
#include "store/seed.h"
#include "store/stmt.h"
#include "sync/codec/sign.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 180 };

struct making {
	const struct node_init *what;
	const struct env *env;
	struct sync_key key;
	struct store_site self;
	gid_t group;
	bool made_dir;
};

static const char *const files[] = { "yizhan.db.new",
	                             "yizhan.db.new-journal",
	                             "yizhan.db.new-wal",
	                             "yizhan.db.new-shm",
	                             "allowed_signers",
	                             "anchor",
	                             "key",
	                             "node.conf",
	                             "reserve" };

static void
path_of(const struct making *m, const char *name, char out[IDENTITY_PATH_MAX])
{
	snprintf(out, IDENTITY_PATH_MAX, "%s/%s", m->what->dir, name);
}

static bool
exists(const struct making *m, const char *name)
{
	char path[IDENTITY_PATH_MAX];

	path_of(m, name, path);
	return access(path, F_OK) == 0;
}

static int
fail(struct err *err, const char *doing, const char *path)
{
	return err_set(err, ERR_IO, "%s %s: %s", doing, path, strerror(errno));
}

/* ---- before anything is made ---- */

/* What file_replace() was writing when it was cut short: key.XXXXXX. */
static bool
is_part(const char *name)
{
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		size_t len = strlen(files[i]);

		if (strncmp(name, files[i], len) == 0 && name[len] == '.' &&
		    strlen(name + len) == sizeof ".XXXXXX" - 1)
			return true;
	}
	return false;
}

static bool
is_ours(const char *name)
{
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (strcmp(files[i], name) == 0)
			return true;
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_part(name);
}

static void
remove_parts(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (is_part(entry->d_name))
			unlinkat(dirfd(d), entry->d_name, 0);
	if (d != NULL)
		closedir(d);
}

/* The directory becomes ours alone, with mode 0700, so it must be new, empty or what an init that
 * was cut short left: /etc and a home are in use by others. */
static int
check_dir(const char *dir, struct err *err)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	int rc = 0;

	if (d == NULL)
		return 0; /* identity_make_dir() says why, if it isn't simply new */
	while (rc == 0 && (entry = readdir(d)) != NULL)
		if (!is_ours(entry->d_name))
			rc = err_set(err, ERR_INVALID,
			             "%s is not empty, it holds %.60s; choose a new directory", dir,
			             entry->d_name);
	closedir(d);
	return rc;
}

static bool
is_name(const char *text)
{
	size_t len = strlen(text), bad;

	for (const char *c = text; *c != 0; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return len > 0 && len <= NAME_MAX_BYTES && text_is_utf8(text, len, &bad);
}

static int
check(struct making *m, struct err *err)
{
	const struct node_init *what = m->what;
	const struct group *group;
	int rc;

	if (what->facility != NULL && !config_is_facility_id(what->facility))
		return err_set(
		        err, ERR_INVALID,
		        "\"%.60s\" can't be a facility's ID; give 1 to %d of A-Z a-z 0-9 - _",
		        what->facility, CONFIG_ID_MAX);
	if (what->name != NULL && !is_name(what->name))
		return err_set(
		        err, ERR_INVALID,
		        "the name isn't UTF-8 without control characters; give 1 to %d bytes "
		        "of it",
		        NAME_MAX_BYTES);
	if (strlen(what->dir) > IDENTITY_PATH_MAX - 32)
		return err_set(err, ERR_INVALID,
		               "the directory's path is too long; choose another");
	if (exists(m, "yizhan.db"))
		return err_set(err, ERR_INVALID,
		               "%s holds a node already; choose another directory, or take this "
		               "one away first",
		               what->dir);
	rc = check_dir(what->dir, err);
	if (rc < 0)
		return rc;
	if (what->group == NULL)
		return 0;
	group = getgrnam(what->group);
	if (group == NULL)
		return err_set(err, ERR_INVALID, "there is no group %s here; make it with groupadd",
		               what->group);
	m->group = group->gr_gid;
	return 0;
}

/* ---- the parts ---- */

static int
make_dir(struct making *m, struct err *err)
{
	struct stat st;
	int rc;

	m->made_dir = stat(m->what->dir, &st) < 0;
	rc = identity_make_dir(m->what->dir, err);
	if (rc == 0 && chmod(m->what->dir, 0700) < 0)
		rc = fail(err, "set the rights of", m->what->dir);
	if (rc == 0)
		remove_parts(m->what->dir);
	return rc;
}

/* A key without a database is of an init that was cut short: nobody has ever seen it. */
static int
make_key(struct making *m, struct err *err)
{
	char path[IDENTITY_PATH_MAX];
	int rc;

	path_of(m, "key", path);
	unlink(path);
	rc = identity_make_key(m->what->dir, &m->key, err);
	if (rc < 0)
		return rc;
	sync_node_id(m->self.node, m->key.public_key);
	return identity_allow_signer(m->what->dir, m->self.node, m->key.public_key, err);
}

static int
make_conf(struct making *m, struct err *err)
{
	const struct node_init *what = m->what;
	int rc = config_set(what->dir, "node.role", what->facility == NULL ? "hub" : "node", err);

	if (rc == 0 && what->facility != NULL)
		rc = config_set(what->dir, "facility.id", what->facility, err);
	if (rc == 0 && what->name != NULL)
		rc = config_set(what->dir, "facility.name", what->name, err);
	return rc;
}

static int
fill_meta(struct making *m, struct store_db *db, struct err *err)
{
	int rc;

	env_rand(m->env, m->self.epoch, sizeof m->self.epoch);
	rc = store_meta_set(db, "node", m->self.node, sizeof m->self.node, err);
	if (rc == 0)
		rc = store_meta_set(db, "epoch", m->self.epoch, sizeof m->self.epoch, err);
	if (rc == 0)
		rc = node_role_set(db, m->what->facility, err);
	if (rc == 0)
		rc = store_catalog_site(db, m->self.node, m->self.epoch, &m->self.id, err);
	return rc;
}

/* Tables first, then tracking, then the catalogue: its rows are not ours, so they aren't logged. */
static int
fill_tables(struct making *m, struct store_db *db, struct err *err)
{
	bool is_hub = m->what->facility == NULL;
	int rc = facility_schema_create(db, err);

	if (rc == 0)
		rc = facility_track(db, is_hub, err);
	if (rc == 0)
		rc = engine_tables_track(db, is_hub, err);
	if (rc == 0 && is_hub)
		rc = hub_schema_migrate(db, err);
	if (rc == 0)
		rc = facility_seed(db, err);
	for (size_t i = 0; rc == 0 && facility_seeded[i] != NULL; i++)
		rc = store_seed_adopt(db, facility_seeded[i], err);
	return rc;
}

/*
 * The facility's own row is the first record: written as people write, so it is captured.  Without
 * a name there is nothing to tell, and an insert would overwrite what another node has told.
 */
static int
write_facility(struct making *m, const char *path, struct err *err)
{
	const struct node_init *what = m->what;
	struct store_db *db = NULL;
	int rc;

	if (what->facility == NULL)
		return 0;
	rc = store_db_open(path, STORE_LOCAL, m->env, &db, err);
	if (rc == 0)
		rc = store_db_begin(db, err);
	if (rc == 0)
		rc = what->name == NULL ? facility_claim(db, what->facility, err)
		                        : facility_create(db, what->facility, what->name, 1, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	store_db_close(db);
	return rc;
}

static int
fill_database(struct making *m, const char *path, struct err *err)
{
	struct store_db *db = NULL;
	int rc, left;

	rc = store_db_create(path, m->env, err);
	if (rc == 0)
		rc = store_db_open(path, STORE_MERGE, m->env, &db, err);
	if (rc == 0)
		rc = store_db_begin(db, err);
	if (rc == 0)
		rc = fill_meta(m, db, err);
	if (rc == 0)
		rc = fill_tables(m, db, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc == 0)
		rc = store_db_checkpoint(db, 0, &left, err);
	store_db_close(db);
	return rc;
}

/* Others of the group may write the database and make its -wal and -shm, but, by the sticky bit,
 * not take away or replace what is ours. */
static int
open_to_group(const struct making *m, const char *path, struct err *err)
{
	const char *dir = m->what->dir;

	if (m->what->group == NULL)
		return chmod(path, 0600) == 0 ? 0 : fail(err, "set the rights of", path);
	if (chown(path, (uid_t)-1, m->group) < 0 || chmod(path, 0660) < 0)
		return fail(err, "give the group the right to write", path);
	if (chown(dir, (uid_t)-1, m->group) < 0 || chmod(dir, 03770) < 0)
		return fail(err, "give the group the right to write", dir);
	return 0;
}

/* From now on a copy of the directory is known as one: the anchor names this file. */
static int
make_anchor(const struct making *m, const char *path, struct err *err)
{
	struct anchor anchor = { 0 };
	int rc = anchor_look(&anchor, path, err);

	memcpy(anchor.node, m->self.node, sizeof anchor.node);
	memcpy(anchor.epoch, m->self.epoch, sizeof anchor.epoch);
	if (rc == 0)
		rc = anchor_write(m->what->dir, &anchor, err);
	anchor_free(&anchor);
	return rc;
}

static int
make_database(struct making *m, struct err *err)
{
	char path[IDENTITY_PATH_MAX], last[IDENTITY_PATH_MAX];
	int rc;

	path_of(m, "yizhan.db.new", path);
	path_of(m, "yizhan.db", last);
	unlink(path); /* of an init that was cut short */
	rc = fill_database(m, path, err);
	if (rc == 0)
		rc = write_facility(m, path, err);
	if (rc == 0)
		rc = open_to_group(m, path, err);
	if (rc == 0)
		rc = make_anchor(m, path, err);
	if (rc == 0 && rename(path, last) < 0)
		rc = fail(err, "rename to", last);
	if (rc == 0 && file_sync_folder(last, err) < 0) {
		unlink(last); /* all the rest is taken away, too */
		rc = err->code;
	}
	return rc;
}

/* ---- all of it ---- */

static void
take_away(const struct making *m)
{
	char path[IDENTITY_PATH_MAX];

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		path_of(m, files[i], path);
		unlink(path);
	}
	if (m->made_dir)
		rmdir(m->what->dir);
}

int
node_init(const struct node_init *what, const struct env *env, struct store_site *self,
          struct err *err)
{
	struct making m = { .what = what, .env = env };
	int rc;

	rc = check(&m, err);
	if (rc < 0)
		return rc;
	rc = make_dir(&m, err);
	if (rc < 0)
		return rc;
	rc = make_key(&m, err);
	if (rc == 0)
		rc = make_conf(&m, err);
	if (rc == 0)
		rc = identity_keep_reserve(what->dir, IDENTITY_RESERVE_BYTES, err);
	if (rc == 0)
		rc = make_database(&m, err);
	if (rc < 0)
		take_away(&m);
	sync_key_wipe(&m.key);
	*self = m.self;
	return rc;
}
