/* node/doctor_world.c - seats, the clock, the hub, other SQLites on this machine. */
#include "node/config.h"
#include "node/doctor_priv.h"
#include "node/facility/record.h"
#include "node/facility/seats.h"
#include "store/remote.h"
#include "sync/clock.h"
#include "sync/exchange/transport_http.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

enum { CLOCK_HINT_MS = 60000, CLOCK_ILL_MS = 600000, HUB_WAIT_MS = 20000 };

/* ---- clock ---- */

static void
check_clock(struct doctor *d, const struct store_remote *hub, int64_t known_ms, bool is_hub)
{
	static const char todo[] = "set the clock: timedatectl set-ntp true";
	int64_t off = hub->clock_offset_ms, apart = off < 0 ? -off : off;

	if (sync_clock_doubts(env_wall_ms(d->env), off, known_ms))
		doctor_say(d, "clock", DOCTOR_ILL, todo,
		           is_hub ? "it stands before this program was made; nodes aren't told "
		                    "the time by it"
		                  : "it stands before a time that has been; until the hub tells, "
		                    "records are stamped from the last time known");
	else if (is_hub)
		doctor_say(d, "clock", DOCTOR_WELL, "", "later than this program; nodes go by it");
	else if (hub->last_success_ms == 0)
		doctor_say(d, "clock", DOCTOR_WELL, "", "there was no hub yet to compare it with");
	else if (apart > CLOCK_HINT_MS)
		doctor_say(d, "clock", apart > CLOCK_ILL_MS ? DOCTOR_ILL : DOCTOR_HINT, todo,
		           "it is %lld s %s the hub's; records are put right by that",
		           (long long)apart / 1000, off > 0 ? "behind" : "before");
	else
		doctor_say(d, "clock", DOCTOR_WELL, "", "within a minute of the hub's");
}

/* ---- hub ---- */

static void
ignore(void *ctx, void *tag, struct transport_reply *reply)
{
	(void)ctx;
	(void)tag;
	transport_reply_free(reply);
}

static int
ask(const struct store_remote *hub, const struct config *config, struct transport_reply **reply,
    struct err *err)
{
	struct transport_options options = {
		.pin = config->hub_pin[0] == 0 ? NULL : config->hub_pin,
		.ca_file = config->hub_ca[0] == 0 ? NULL : config->hub_ca,
	};
	struct transport_request request = {
		.method = "GET", .base = hub->url, .path = "/healthz", .timeout_ms = HUB_WAIT_MS
	};
	struct transport *t = NULL;
	int rc = transport_new(&options, ignore, NULL, &t, err);

	if (rc == 0)
		rc = transport_call(t, &request, reply, err);
	transport_free(t);
	return rc;
}

static int
check_hub(struct doctor *d, const struct store_remote *hub, struct err *err)
{
	struct transport_reply *reply = NULL;
	struct config config;
	int rc;

	if (!hub->enrolled) {
		doctor_say(d, "hub", DOCTOR_HINT, "yizhan enrol CODE URL, with a code of the hub's",
		           "this node is enrolled at none; its records stay here");
		return 0;
	}
	if (config_load(d->dir, &config, err) < 0)
		return 0; /* told by the files */
	rc = ask(hub, &config, &reply, err);
	if (rc != 0 && rc != ERR_NOMEM) {
		doctor_say(d, "hub", DOCTOR_ILL,
		           "end other programs on this machine, then yizhan doctor once more",
		           "it can't be asked: %.300s", err->msg);
		return 0;
	}
	if (rc != 0)
		return rc;
	if (reply->code != TRANSPORT_OK)
		doctor_say(d, "hub", DOCTOR_ILL,
		           "look at the line and at the hub; records wait here meanwhile",
		           "%.200s: %s", hub->url, reply->why);
	else if (reply->status != 200)
		doctor_say(d, "hub", DOCTOR_ILL, "ask the hub's administrator",
		           "%.200s answers %d, not 200", hub->url, reply->status);
	else
		doctor_say(d, "hub", DOCTOR_WELL, "", "%.200s answers in %lld ms", hub->url,
		           (long long)reply->took_ms);
	transport_reply_free(reply);
	return 0;
}

/* ---- other SQLites ---- */

/* The version of a library, as SQLite counts (3040001); 0 if it doesn't tell. */
static int
version_of(const char *path)
{
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	int (*number)(void) = NULL;
	int version;

	if (library == NULL)
		return 0;
	*(void **)&number = dlsym(library, "sqlite3_libversion_number");
	version = number == NULL ? 0 : number();
	dlclose(library);
	return version;
}

/* Programs that write records here through such a one are welcome; a checkpoint by it is not. */
static void
check_sqlites(struct doctor *d)
{
	static const char *const places[] = { "/usr/lib/*/libsqlite3.so.0",
		                              "/usr/lib/libsqlite3.so.0",
		                              "/usr/local/lib/libsqlite3.so.0" };
	glob_t found = { 0 };
	bool well = true;

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		glob(places[i], i == 0 ? 0 : GLOB_APPEND, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int v = version_of(found.gl_pathv[i]);

		if (v == 0 || v >= STORE_SQLITE_MIN)
			continue;
		well = false;
		doctor_say(
		        d, "sqlite", DOCTOR_HINT,
		        "let programs that use it on yizhan.db say PRAGMA wal_autocheckpoint=0 "
		        "after opening, and write through POST /api/v1/batch where they can",
		        "%.200s is %d.%d.%d: a checkpoint by it beside the daemon can lose commits",
		        found.gl_pathv[i], v / 1000000, v / 1000 % 1000, v % 1000);
	}
	globfree(&found);
	if (well)
		doctor_say(d, "sqlite", DOCTOR_WELL, "",
		           "no other one here is old enough to do harm");
}

/* ---- seats ---- */

/* Three are named, the others counted: a finding is one line. */
struct orphans {
	struct buf names;
	size_t count;
};

static void
name_orphan(void *ctx, const struct seats_orphan *o)
{
	struct orphans *all = ctx;

	if (all->count++ < 3)
		buf_printf(&all->names, "%s%.40s %.64s%s%.64s no %lld", all->count == 1 ? "" : ", ",
		           o->kind.facility, o->kind.resource, o->kind.period[0] == 0 ? "" : " ",
		           o->kind.period, (long long)o->no);
}

/* *some: there are some. */
static int
check_orphans(struct doctor *d, struct store_db *db, bool *some, struct err *err)
{
	struct orphans all = { 0 };
	int rc = seats_orphans(db, name_orphan, &all, err);

	*some = all.count > 0;
	if (rc == 0 && *some)
		doctor_say(d, "seats", DOCTOR_ILL,
		           "make them free again: yizhan sql \"UPDATE seat_unit SET used_by = NULL "
		           "WHERE used_by NOT IN (SELECT id FROM booking)\"",
		           "%zu seats are marked as booked, by bookings that aren't there: %s%s",
		           all.count, buf_str(&all.names), all.count > 3 ? ", ..." : "");
	buf_free(&all.names);
	return rc;
}

static int
check_seats(struct doctor *d, struct store_db *db, bool is_hub, struct err *err)
{
	bool paused = false, lost = false;
	int64_t twice;
	int rc = seats_twice(db, &twice, err);

	if (rc == 0)
		rc = check_orphans(d, db, &lost, err);
	if (rc == 0 && is_hub)
		rc = seats_paused(db, &paused, err);
	if (rc < 0)
		return rc;
	if (paused)
		doctor_say(d, "seats", DOCTOR_ILL,
		           "let every node sync, then yizhan seats resume --override REASON",
		           "this hub was put back or copied, so it gives out no seats");
	if (twice > 0)
		doctor_say(d, "seats", DOCTOR_ILL,
		           "yizhan seats list says which; cancel all bookings of it but one",
		           "%lld seats have more than one booking", (long long)twice);
	if (!paused && !lost && twice == 0)
		doctor_say(d, "seats", DOCTOR_WELL, "",
		           "none has two bookings, or one that isn't there");
	return 0;
}

/* ---- time zone ---- */

static int
check_zone(struct doctor *d, struct store_db *db, struct err *err)
{
	struct facility f;
	int rc = facility_open(&f, db, NULL, err);

	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc == 0 && f.zone_strange)
		doctor_say(d, "time zone", DOCTOR_ILL,
		           "write it as Asia/Shanghai or +08:00, in timezone of the table facility",
		           "\"%s\" is none that is known here: days begin and end as in China",
		           f.zone);
	return rc;
}

int
doctor_check_world(struct doctor *d, struct store_db *db, bool is_hub, struct err *err)
{
	struct store_remote hub = { 0 };
	struct arena a = { 0 };
	int64_t known = 0;
	int rc = check_seats(d, db, is_hub, err);

	if (rc == 0 && !is_hub)
		rc = check_zone(d, db, err);
	if (rc == 0 && !is_hub)
		rc = store_remote_get(db, "hub", &a, &hub, err);
	if (rc == 0 && !is_hub)
		rc = store_meta_get_int(db, SYNC_META_KNOWN, 0, &known, err);
	store_db_rollback(db); /* it has only read, and the hub may take its time to answer */
	if (rc == 0)
		check_clock(d, &hub, known, is_hub);
	if (rc == 0 && !is_hub)
		rc = check_hub(d, &hub, err);
	arena_free(&a);
	if (rc == 0)
		check_sqlites(d);
	return rc;
}
