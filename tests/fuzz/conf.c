/*
 * tests/fuzz/conf.c - any bytes as node.conf: refused, or settings within their
 * limits; and setting one of them changes that one and no other.
 *
 * Input: which key to set (1 byte), its new value to the first line feed, the
 * file.
 */
#include "node/config.h"
#include "store/base/file.h"
#include "sync/archive/gitconf.h"
#include "tests/fuzz/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYS = 5 };

static const char *const keys[KEYS] = { "facility.name", "hub.pin", "hub.ca", "http.listen",
	                                "http.hosts" };

static char dir[64], path[96];

/* Each input has its own: libFuzzer ends without calling anybody back. */
static void
make_dir(void)
{
	/* in memory, where a flush takes no time, if there is such a folder */
	snprintf(dir, sizeof dir, "%s/yizhan-fuzz.XXXXXX",
	         access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	HOLDS(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/node.conf", dir);
}

/* Nothing but the file may be left in it. */
static void
remove_dir(void)
{
	HOLDS(unlink(path) == 0);
	HOLDS(rmdir(dir) == 0);
}

/* Without a flush to the disk, which file_replace() would wait for. */
static void
write_file(const uint8_t *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	HOLDS(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static const char *
value_of(const struct config *c, int key)
{
	const char *const values[KEYS] = { c->facility_name, c->hub_pin, c->hub_ca, c->listen,
		                           c->hosts };

	return values[key];
}

static void
check_limits(const struct config *c)
{
	HOLDS(c->is_hub || config_is_facility_id(c->facility_id));
	HOLDS(c->sync_interval_s >= 1 && c->sync_interval_s <= 86400);
	HOLDS(c->listen[0] != 0);
}

/* The same settings but for the one with that number? */
static bool
same_but(const struct config *a, const struct config *b, int key)
{
	for (int i = 0; i < KEYS; i++)
		if (i != key && strcmp(value_of(a, i), value_of(b, i)) != 0)
			return false;
	return a->is_hub == b->is_hub && strcmp(a->facility_id, b->facility_id) == 0 &&
	       a->sync_interval_s == b->sync_interval_s;
}

/* Set one of them; the others stay. */
static void
check_set(const struct config *old, int key, const char *value)
{
	struct config now;
	struct err err;

	if (config_set(dir, keys[key], value, &err) < 0) {
		HOLDS(err.code == ERR_INVALID);
		HOLDS(config_load(dir, &now, &err) == 0);
		HOLDS(same_but(&now, old, KEYS));
		return;
	}
	if (config_load(dir, &now, &err) < 0) { /* the only reason that there may be */
		HOLDS(strlen(value) >= CONFIG_NAME_SIZE);
		return;
	}
	HOLDS(same_but(&now, old, key));
	HOLDS(strcmp(value_of(&now, key), value) == 0 || value[0] == 0);
}

static void
check_reader(void)
{
	struct sync_gitconf *conf = NULL;
	int64_t number;
	bool truth;
	struct err err;
	int rc = sync_gitconf_open(path, &conf, &err);

	HOLDS(rc == 0 || rc == ERR_INVALID);
	if (rc == 0) {
		rc = sync_gitconf_int(conf, "sync.interval", 7, &number, &err);
		HOLDS(rc == 0 || rc == ERR_INVALID);
		rc = sync_gitconf_bool(conf, "sync.interval", true, &truth, &err);
		HOLDS(rc == 0 || rc == ERR_INVALID);
		HOLDS(sync_gitconf_line(conf, "sync.interval") >= 0);
	}
	sync_gitconf_close(conf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config c;
	struct err err;
	char *value;
	int key, rc;

	if (size < 1)
		return 0;
	make_dir();
	key = data[0] % KEYS;
	data++;
	size--;
	value = help_cut(&data, &size, '\n');
	write_file(data, size);
	check_reader();
	rc = config_load(dir, &c, &err);
	HOLDS(rc == 0 || rc == ERR_INVALID);
	HOLDS(rc == 0 || strstr(err.msg, "node.conf") != NULL);
	if (rc == 0) {
		check_limits(&c);
		check_set(&c, key, value);
	}
	remove_dir();
	free(value);
	return 0;
}
