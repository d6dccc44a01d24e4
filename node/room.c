#include "node/room.h"

#include "node/log.h"

#include <sys/statvfs.h>
#include <unistd.h>

const char room_words[] = "the disk is full: nothing new can be taken until there is room again; "
                          "what was acknowledged is safe";

/* What a look at the disk tells; a disk that can't be looked at is not called full. */
struct view {
	bool known, reserve, inodes;
	int64_t bytes;
};

static struct view
view_of(const char *dir)
{
	char path[IDENTITY_PATH_MAX];
	struct view v = { 0 };
	struct statvfs disk;
	struct err ignored;

	if (statvfs(dir, &disk) < 0 || identity_path(path, dir, "reserve", &ignored) < 0)
		return v;
	v.known = true;
	v.bytes = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
	v.inodes = disk.f_files == 0 || disk.f_favail > 0; /* some have no fixed number of them */
	v.reserve = access(path, F_OK) == 0;
	return v;
}

static bool
is_full(const struct view *v)
{
	int64_t need = v->reserve ? ROOM_LEAST : IDENTITY_RESERVE_BYTES + ROOM_SPARE;

	return v->known && v->bytes < need;
}

bool
room_is_full(const char *dir)
{
	struct view v = view_of(dir);

	return is_full(&v);
}

static void
give_up(struct room *r, int64_t mono_ms, const char *why)
{
	bool gave = identity_use_reserve(r->dir);

	r->look_ms = mono_ms + ROOM_LOOK_MS;
	if (!r->full || gave)
		log_line(
		        LOG_LEVEL_ERROR,
		        "%s: the disk is full (%s): nothing new is taken until there is room; make "
		        "some",
		        r->dir, why);
	r->full = true;
}

/* A quota isn't seen by looking, so the spare bytes are taken, and given back. */
static bool
keep_again(const char *dir)
{
	char path[IDENTITY_PATH_MAX];
	struct err err;

	return identity_path(path, dir, "reserve", &err) == 0 &&
	       identity_keep_reserve(dir, IDENTITY_RESERVE_BYTES + ROOM_SPARE, &err) == 0 &&
	       truncate(path, IDENTITY_RESERVE_BYTES) == 0;
}

/* Keep it again, if that can be; where only inodes are short nothing is decided. */
static bool
take_back(struct room *r, const struct view *v, int64_t mono_ms)
{
	if (!v->inodes && !is_full(v))
		return false;
	r->look_ms = mono_ms + ROOM_LOOK_MS;
	if (!is_full(v) && keep_again(r->dir))
		return true;
	if (!r->full)
		give_up(r, mono_ms, "not even its reserve can be kept");
	return false;
}

void
room_look(struct room *r, int64_t mono_ms)
{
	struct view v;

	if (r->dir == NULL || mono_ms < r->look_ms)
		return;
	v = view_of(r->dir);
	if (!v.known)
		return;
	if (v.reserve && is_full(&v)) {
		give_up(r, mono_ms, "next to nothing is left");
		return;
	}
	if (!v.reserve && !take_back(r, &v, mono_ms))
		return;
	if (r->full)
		log_line(LOG_LEVEL_WARN, "%s: the disk has room again", r->dir);
	r->full = false;
}

void
room_met(struct room *r, int64_t mono_ms, const char *why)
{
	struct view v;

	if (r->dir == NULL)
		return;
	v = view_of(r->dir);
	if (v.known && !v.inodes && v.bytes >= ROOM_LEAST)
		log_line(LOG_LEVEL_WARN, "%s: %s", r->dir, why);
	else
		give_up(r, mono_ms, why);
}

int
room_for(const char *dir, const char *what, int64_t bytes, struct err *err)
{
	struct view v = view_of(dir);
	int64_t left = v.bytes - (v.reserve ? ROOM_SPARE : IDENTITY_RESERVE_BYTES + ROOM_SPARE);

	if (!v.known || left >= bytes)
		return 0;
	return err_set(err, ERR_FULL, "%s may need %lld MB, and the disk has %lld MB to spare",
	               what, (long long)(bytes / 1000000 + 1),
	               (long long)(left < 0 ? 0 : left / 1000000));
}
