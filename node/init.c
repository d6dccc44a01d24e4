/*
 * node/init.c - the first minute of a node.
 *
 * The database is made under another name and renamed when everything else is
 * on disk, so that a power cut leaves either a node or something that init may
 * begin anew.
 */
#include "node/init.h"
#include "node/config.h"
#include "node/facility/record.h"
#include "node/facility/schema.h"
#include "node/identity.h"
#include "node/role.h"
#include "store/base/buf.h"
#include "store/base/file.h"
#include "store/base/text.h"
#include "store/seed.h"
#include "store/stmt.h"
#include "sync/gitconf.h"
#include "sync/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

struct making {
	const struct node_init *what;
	const struct env *env;
	struct sync_key key;
	struct store_site self;
	gid_t group;
	bool made_dir;
};

static const char *const files[] = { "yizhan.db.new", "yizhan.db.new-wal", "yizhan.db.new-shm",
	                             "key",           "node.conf",         "reserve",
	                             "allowed_signers" };

static void
path_of(const struct making *m, const char *name, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s/%s", m->what->dir, name);
}

static bool
exists(const struct making *m, const char *name)
{
	char path[PATH_SIZE];

	path_of(m, name, path);
	return access(path, F_OK) == 0;
}

static int
fail(struct err *err, const char *doing, const char *path)
{
	return err_set(err, ERR_IO, "%s %s: %s", doing, path, strerror(errno));
}

/* ---- before anything is made ---- */

static int
check_facility(const char *id, struct err *err)
{
	if (config_is_facility_id(id))
		return 0;
	return err_set(err, ERR_INVALID,
	               "\"%.60s\" can't be a facility's ID; give 1 to %d letters, digits, - or _", id,
	               CONFIG_ID_MAX);
}

static int
check_text(const char *what, const char *text, struct err *err)
{
	size_t len = strlen(text), bad;

	for (const char *c = text; *c != 0; c++)
		if ((unsigned char)*c < ' ')
			return err_set(err, ERR_INVALID,
			               "the %s holds a control character; leave it out", what);
	if (len > 200 || !text_is_utf8(text, len, &bad))
		return err_set(err, ERR_INVALID,
		               "the %s isn't at most 200 bytes of UTF-8; give a "
		               "shorter one",
		               what);
	return 0;
}

static int
check(struct making *m, struct err *err)
{
	const struct node_init *what = m->what;
	const struct group *group;
	int rc = what->facility == NULL ? 0 : check_facility(what->facility, err);

	if (rc == 0 && what->name != NULL)
		rc = check_text("name", what->name, err);
	if (rc < 0)
		return rc;
	if (strlen(what->dir) > PATH_SIZE - 64)
		return err_set(err, ERR_INVALID,
		               "the directory's path is too long; choose another");
	if (exists(m, "yizhan.db"))
		return err_set(err, ERR_INVALID,
		               "%s holds a node already; choose another directory, or take this "
		               "one away first",
		               what->dir);
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
	const char *dir = m->what->dir;

	if (mkdir(dir, 0700) == 0)
		m->made_dir = true;
	else if (errno != EEXIST)
		return fail(err, "make the directory", dir);
	if (chmod(dir, 0700) < 0)
		return fail(err, "set the rights of", dir);
	return 0;
}

static int
make_conf(struct making *m, struct err *err)
{
	const struct node_init *what = m->what;
	struct sync_gitconf_pair pairs[3] = { { "node.role", what->facility == NULL ? "hub" : "node" } };
	char path[PATH_SIZE];
	size_t count = 1;

	if (what->facility != NULL)
		pairs[count++] = (struct sync_gitconf_pair){ "facility.id", what->facility };
	if (what->name != NULL)
		pairs[count++] = (struct sync_gitconf_pair){ "facility.name", what->name };
	path_of(m, "node.conf", path);
	return sync_gitconf_set(path, pairs, count, err);
}

static int
fill_meta(struct making *m, struct store_db *db, struct err *err)
{
	int rc;

	sync_node_id(m->self.node, m->key.public_key);
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

/* Verdicts about conflicts travel like records, in the scope of the conflict. */
static const struct store_track_spec verdicts = {
	.table = "yz_verdict", .kind = STORE_RECORD, .scope = "", .scope_column = "scope"
};

/* Tables first, then tracking, then the catalogue: its rows are not ours, so they aren't logged. */
static int
fill_tables(struct making *m, struct store_db *db, struct err *err)
{
	bool is_hub = m->what->facility == NULL;
	int rc = facility_schema_create(db, err);

	if (rc == 0)
		rc = facility_track(db, is_hub, err);
	if (rc == 0)
		rc = store_track_table(db, &verdicts, is_hub, err);
	if (rc == 0)
		rc = facility_seed(db, err);
	for (size_t i = 0; rc == 0 && facility_seeded[i] != NULL; i++)
		rc = store_seed_adopt(db, facility_seeded[i], err);
	return rc;
}

/* The facility's own row is the first record: written as people write, so it is captured. */
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
		rc = facility_create(db, what->facility, what->name != NULL ? what->name : what->facility, 1,
		                     err);
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

static int
make_database(struct making *m, struct err *err)
{
	char path[PATH_SIZE], last[PATH_SIZE];
	int rc;

	path_of(m, "yizhan.db.new", path);
	path_of(m, "yizhan.db", last);
	unlink(path); /* of an init that was cut short */
	rc = fill_database(m, path, err);
	if (rc == 0)
		rc = write_facility(m, path, err);
	if (rc == 0)
		rc = open_to_group(m, path, err);
	if (rc == 0 && rename(path, last) < 0)
		rc = fail(err, "rename to", last);
	return rc;
}

/* ---- all of it ---- */

static void
take_away(const struct making *m)
{
	char path[PATH_SIZE];

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
	rc = identity_make_key(what->dir, &m.key, err);
	if (rc == 0)
		rc = make_conf(&m, err);
	if (rc == 0)
		rc = identity_keep_reserve(what->dir, IDENTITY_RESERVE_BYTES, err);
	if (rc == 0)
		rc = make_database(&m, err);
	if (rc == 0)
		rc = identity_allow_signer(what->dir, m.self.node, m.key.public_key, err);
	if (rc < 0)
		take_away(&m);
	sync_key_wipe(&m.key);
	*self = m.self;
	return rc;
}
