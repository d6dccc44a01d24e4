#include "node/config.h"

#include "node/identity.h"
#include "sync/archive/gitconf.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const keys[] = {
	"facility.id",   "facility.name", "node.role",  "hub.pin",  "hub.ca",
	"sync.interval", "http.listen",   "http.hosts", "http.pin", NULL,
};

/* Where each plain text goes, and what it is if absent. */
#define FIELD(member) offsetof(struct config, member), sizeof(((struct config *)0)->member)
static const struct {
	const char *key;
	size_t offset, size;
	const char *missing;
} texts[] = {
	{ "facility.id", FIELD(facility_id), "" }, { "facility.name", FIELD(facility_name), "" },
	{ "hub.pin", FIELD(hub_pin), "" },         { "hub.ca", FIELD(hub_ca), "" },
	{ "http.listen", FIELD(listen), "" },      { "http.hosts", FIELD(hosts), "" },
	{ "http.pin", FIELD(own_pin), "" },
};

/* A reading in progress, so that complaints can name file and line. */
struct reading {
	struct sync_gitconf *conf;
	const char *path;
	struct config *config;
};

static int
complain(const struct reading *r, const char *key, const char *what, struct err *err)
{
	int line = sync_gitconf_line(r->conf, key);

	if (line == 0)
		return err_set(err, ERR_INVALID, "%s: %s: %s", r->path, key, what);
	return err_set(err, ERR_INVALID, "%s:%d: %s: %s", r->path, line, key, what);
}

bool
config_is_facility_id(const char *id)
{
	size_t len = strlen(id);

	return len > 0 && len <= CONFIG_ID_MAX &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
	               len;
}

/* What people who read of plans may try: a sentence of its own says more than "unknown". */
static int
refuse_unbuilt(const struct reading *r, struct err *err)
{
	static const char *const unbuilt[] = { "hub.engine", "hub.postgres" };

	for (size_t i = 0; i < sizeof unbuilt / sizeof unbuilt[0]; i++) {
		const char *value;
		int rc = sync_gitconf_text(r->conf, unbuilt[i], "", &value, err);

		if (rc < 0)
			return rc;
		if (value[0] != 0)
			return complain(r, unbuilt[i],
			                "a hub on PostgreSQL isn't built yet; take this line out, "
			                "and the hub keeps everything in one SQLite file",
			                err);
	}
	return 0;
}

static int
read_texts(const struct reading *r, struct err *err)
{
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const char *value;
		int rc = sync_gitconf_text(r->conf, texts[i].key, texts[i].missing, &value, err);

		if (rc < 0)
			return rc;
		if (strlen(value) >= texts[i].size)
			return complain(r, texts[i].key, "too long", err);
		memcpy((char *)r->config + texts[i].offset, value, strlen(value) + 1);
	}
	return 0;
}

static int
read_role(const struct reading *r, struct err *err)
{
	const char *role;
	int rc = sync_gitconf_text(r->conf, "node.role", "node", &role, err);

	if (rc < 0)
		return rc;
	if (strcmp(role, "node") != 0 && strcmp(role, "hub") != 0)
		return complain(r, "node.role", "must be node or hub", err);
	r->config->is_hub = strcmp(role, "hub") == 0;
	return 0;
}

static int
read_interval(const struct reading *r, struct err *err)
{
	int rc = sync_gitconf_int(r->conf, "sync.interval", 30, &r->config->sync_interval_s, err);

	if (rc < 0)
		return rc;
	if (r->config->sync_interval_s < 1 || r->config->sync_interval_s > 86400)
		return complain(r, "sync.interval", "must be 1 to 86400 seconds", err);
	return 0;
}

static int
check_values(const struct reading *r, struct err *err)
{
	struct config *c = r->config;

	if (!c->is_hub && !config_is_facility_id(c->facility_id))
		return complain(r, "facility.id", "must be 1 to 48 of A-Z a-z 0-9 - _", err);
	if (c->listen[0] == 0)
		snprintf(c->listen, sizeof c->listen, "127.0.0.1:%d", c->is_hub ? 8700 : 8710);
	return 0;
}

/* What can be done about a wrong setting; `err` names file and line. */
static int
advise(const char *path, struct err *err)
{
	const struct err why = *err;

	if (strstr(why.msg, "; ") != NULL)
		return why.code;
	return err_set(err, why.code, "%.140s; put that right, by hand or with git config -f %.60s",
	               why.msg, path);
}

int
config_load(const char *dir, struct config *config, struct err *err)
{
	char path[IDENTITY_PATH_MAX];
	struct reading r = { .path = path, .config = config };
	int rc = identity_path(path, dir, "node.conf", err);

	memset(config, 0, sizeof *config);
	if (rc == 0)
		rc = sync_gitconf_open(path, &r.conf, err);
	if (rc == ERR_NOTFOUND)
		return err_set(err, ERR_NOTFOUND,
		               "%.80s is not a yizhan directory: it has no node.conf; write it "
		               "anew with git config -f %.80s/node.conf facility.id ID",
		               dir, dir);
	if (rc == 0)
		rc = refuse_unbuilt(&r, err);
	if (rc == 0)
		rc = sync_gitconf_check(r.conf, keys, err);
	if (rc == 0)
		rc = read_texts(&r, err);
	if (rc == 0)
		rc = read_role(&r, err);
	if (rc == 0)
		rc = read_interval(&r, err);
	if (rc == 0)
		rc = check_values(&r, err);
	sync_gitconf_close(r.conf);
	return rc == ERR_INVALID ? advise(path, err) : rc;
}

int
config_set(const char *dir, const char *key, const char *value, struct err *err)
{
	char path[IDENTITY_PATH_MAX];
	struct sync_gitconf_pair pair = { key, value };
	int rc = identity_path(path, dir, "node.conf", err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; keys[i] != NULL; i++)
		if (strcasecmp(keys[i], key) == 0)
			return sync_gitconf_set(path, &pair, 1, err);
	return err_set(err, ERR_INVALID, "%s is not a setting", key);
}
