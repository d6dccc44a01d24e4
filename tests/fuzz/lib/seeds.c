/*
 * tests/fuzz/lib/seeds.c - make tests/fuzz/seeds anew.
 *
 *     build/fuzz-seeds tests/fuzz/seeds
 *
 * The same program makes the same files each time: keys, clocks and dice are
 * fixed.
 */
#include "tests/fuzz/seeds.h"

#include "store/base/file.h"
#include "store/base/hash.h"
#include "tests/fuzz/help.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder;
static int written;

static void
path_of(char *out, size_t size, const char *target, const char *name)
{
	int len = snprintf(out, size, "%s/%s/%s", folder, target, name);

	HOLDS(len > 0 && (size_t)len < size);
}

/* Is it the first time that this target is named? */
static bool
is_first(const char *target)
{
	enum { TARGETS = 40 };
	static const char *seen[TARGETS];
	size_t i = 0;

	for (; i < TARGETS && seen[i] != NULL; i++)
		if (strcmp(seen[i], target) == 0)
			return false;
	HOLDS(i < TARGETS);
	seen[i] = target;
	return true;
}

/* Take away the seeds of a target that were made, before the first one is made anew. */
static void
clear(const char *target)
{
	char path[512];
	struct dirent *entry;
	DIR *dir;

	if (!is_first(target))
		return;
	path_of(path, sizeof path, target, "");
	HOLDS(mkdir(path, 0755) == 0 || errno == EEXIST);
	dir = opendir(path);
	HOLDS(dir != NULL);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || strncmp(entry->d_name, "found-", 6) == 0 ||
		    strncmp(entry->d_name, "deep-", 5) == 0)
			continue;
		path_of(path, sizeof path, target, entry->d_name);
		HOLDS(unlink(path) == 0);
	}
	closedir(dir);
}

void
seeds_put(const char *target, const char *name, const struct buf *bytes)
{
	char path[512];
	struct err err;

	clear(target);
	path_of(path, sizeof path, target, name);
	HOLDS(!bytes->bad);
	HOLDS(file_replace(path, bytes->bytes, bytes->len, &err) == 0);
	HOLDS(chmod(path, 0644) == 0);
	written++;
}

void
seeds_put_text(const char *target, const char *name, const char *text)
{
	struct buf bytes = { 0 };

	buf_put(&bytes, text, strlen(text));
	seeds_put(target, name, &bytes);
	buf_free(&bytes);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: fuzz-seeds FOLDER\n");
		return 2;
	}
	folder = argv[1];
	HOLDS(hash_init());
	seeds_records();
	seeds_meetings();
	seeds_signed();
	seeds_texts();
	printf("%d seeds\n", written);
	return 0;
}
