#include "tests/fuzz/image.h"

#include "tests/fuzz/help.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* ---- time and chance ---- */

static uint64_t dice;

static int64_t
wall(void *ctx)
{
	(void)ctx;
	return IMAGE_NOW_MS;
}

static void
roll(void *ctx, void *bytes, size_t len)
{
	uint8_t *out = bytes;

	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		dice = dice * 6364136223846793005u + 1442695040888963407u;
		out[i] = (uint8_t)(dice >> 56);
	}
}

/* SQLite's own, which triggers and defaults use. */
static int
julian_now(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
	(void)vfs;
	*now = IMAGE_NOW_MS + 210866760000000; /* ms since the Julian epoch */
	return SQLITE_OK;
}

static int
chance(sqlite3_vfs *vfs, int len, char *out)
{
	(void)vfs;
	memset(out, 7, (size_t)len);
	return len;
}

const struct env *
image_env(void)
{
	static struct env env = { .wall_ms = wall, .mono_ms = wall, .rand = roll };
	static sqlite3_vfs vfs;

	if (vfs.zName == NULL) {
		vfs = *sqlite3_vfs_find("memdb");
		vfs.zName = "image";
		vfs.xCurrentTimeInt64 = julian_now;
		vfs.xRandomness = chance;
		HOLDS(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
		env.vfs = vfs.zName;
	}
	return &env;
}

void
image_dice(uint64_t seed)
{
	dice = seed;
}

/* ---- the file ---- */

/* Its bytes are reached as SQLite itself reaches them, below locks and caches. */
static sqlite3_file *
file_of(const struct image *image)
{
	sqlite3_file *file = NULL;

	HOLDS(sqlite3_file_control(image->door, "main", SQLITE_FCNTL_FILE_POINTER, &file) ==
	      SQLITE_OK);
	return file;
}

void
image_take(struct image *image, const char *path)
{
	sqlite3_file *file;
	sqlite3_int64 len = 0;

	HOLDS(sqlite3_open_v2(path, &image->door, SQLITE_OPEN_READWRITE, image_env()->vfs) ==
	      SQLITE_OK);
	file = file_of(image);
	HOLDS(file->pMethods->xFileSize(file, &len) == SQLITE_OK && len > 0);
	image->len = len;
	image->bytes = malloc((size_t)len);
	HOLDS(image->bytes != NULL);
	HOLDS(file->pMethods->xRead(file, image->bytes, (int)len, 0) == SQLITE_OK);
}

void
image_restore(struct image *image)
{
	sqlite3_file *file = file_of(image);

	HOLDS(file->pMethods->xTruncate(file, image->len) == SQLITE_OK);
	HOLDS(file->pMethods->xWrite(file, image->bytes, (int)image->len, 0) == SQLITE_OK);
}

void
image_free(struct image *image)
{
	sqlite3_close(image->door);
	free(image->bytes);
	*image = (struct image){ 0 };
}
