/* tests/crash/run.c - one scenario through all its points. */
#include "tests/crash/crash.h"
#include "tests/crash/folder.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DRAWS = 4, NAME_BYTES = 32 };

static const char *const fault_names[] = {
	[CRASH_CUT] = "crash", [CRASH_ERROR] = "error",   [CRASH_ERRORS] = "errors",
	[CRASH_FULL] = "full", [CRASH_MEMORY] = "memory", [CRASH_MEMORIES] = "memories",
};

static sigjmp_buf died; /* out of an abort(), which the code may choose; an assertion isn't one */
static volatile sig_atomic_t may_die;
static struct crash_result *result;
static struct scene scene;

const char *
crash_fault_name(int fault)
{
	return fault_names[fault];
}

/* ---- mistakes ---- */

void
crash_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(result->words, sizeof result->words, format, args);
	va_end(args);
	_exit(EXIT_FAILURE);
}

void
crash_must(int rc, const struct err *err, const char *doing)
{
	if (rc < 0)
		crash_fail("%s: %s", doing, err->msg);
}

static void
on_abort(int signal)
{
	(void)signal;
	if (may_die)
		siglongjmp(died, 1);
}

/* ---- a scenario's parts, or what stands for them ---- */

static struct machine *
victim(struct scene *s)
{
	return &s->m[s->scenario->victim];
}

static int
do_step(struct scene *s, int no, struct err *err)
{
	if (s->scenario->step != NULL)
		return s->scenario->step(s, no, err);
	return scene_sql(victim(s), s->scenario->sql[no], err);
}

static int
steps_seen(struct scene *s)
{
	if (s->scenario->seen != NULL)
		return s->scenario->seen(s);
	return (int)scene_int(victim(s), s->scenario->probe);
}

static void
check_all(struct scene *s)
{
	for (int i = 0; i < SCENE_MACHINES; i++)
		if (s->m[i].merge != NULL)
			scene_check(&s->m[i]);
}

/* ---- arming ---- */

static void
arm(struct scene *s, int fault, uint64_t point)
{
	struct disk *d = victim(s)->disk;

	switch (fault) {
	case CRASH_CUT:
		disk_arm(d, DISK_CRASH, point, true);
		break;
	case CRASH_ERROR:
	case CRASH_ERRORS:
		disk_arm(d, DISK_ERROR, point, fault == CRASH_ERRORS);
		break;
	case CRASH_FULL:
		disk_arm(d, DISK_NO_SPACE, point, true);
		break;
	default:
		memory_arm(point, fault == CRASH_MEMORIES);
	}
}

static bool
disarm(struct scene *s)
{
	bool hit = memory_disarm();

	return disk_disarm(victim(s)->disk) || hit;
}

static int64_t
count_points(struct scene *s, int fault)
{
	return (int64_t)(fault >= CRASH_MEMORY ? memory_seen() : disk_seen(victim(s)->disk));
}

/* ---- one run ---- */

/* Which damage a draw stands for; the machine that loses nothing, and all, are always among them.
 */
static enum disk_damage
damage_of(uint64_t point, int draw)
{
	static const enum disk_damage fixed[] = { DISK_KEPT, DISK_LOST, DISK_HONEST };

	if (draw < 3)
		return fixed[draw];
	return point % 2 == 0 ? DISK_SHORN : DISK_REORDERED;
}

/* The process is gone; whatever it held in memory is nobody's any more. */
static void
die(struct scene *s)
{
	may_die = false;
	result->died++;
	memory_disarm();
	for (int i = 0; i < SCENE_MACHINES; i++) {
		disk_kill(s->m[i].disk);
		s->m[i].local = s->m[i].merge = NULL;
		s->m[i].has_core = false;
	}
}

static void
reboot(struct scene *s, enum disk_damage damage, uint64_t seed)
{
	disk_reboot(victim(s)->disk, damage, seed);
	if (s->scenario->folder && damage != DISK_KEPT)
		folder_restore();
}

/* How often a point is tried: a crash with each draw of what is left, an error with and without a
 * power cut after it. */
static int
draws_of(int fault)
{
	return fault == CRASH_CUT ? DRAWS : fault <= CRASH_ERRORS ? 2 : 1;
}

/* Everybody stops; the victim's machine too, if its power is gone, or every second time after
 * another fault: what had been acknowledged then must be on the medium. */
static void
stop(struct scene *s, int fault, uint64_t point, int draw)
{
	struct disk *d = victim(s)->disk;

	if (fault != CRASH_CUT && (draws_of(fault) > 1 ? draw == 1 : point % 2 == 1))
		disk_cut(d);
	scene_close(s);
	if (s->scenario->folder)
		folder_let_go();
	disarm(s);
	if (disk_is_off(d))
		reboot(s, fault == CRASH_CUT ? damage_of(point, draw) : DISK_LOST,
		       point * DRAWS + (uint64_t)draw);
}

static void
start(struct scene *s)
{
	struct disk *d = victim(s)->disk;

	if (!s->scenario->folder) /* there, store/wal.c does it */
		disk_evict(d);
	result->logs += disk_size(d, s->scenario->folder ? "yizhan.db-wal" : "y.db-wal") > 0;
	if (s->scenario->restart != NULL)
		s->scenario->restart(s);
	scene_open(s);
	check_all(s);
}

/* How many steps are there, given how many had returned 0? */
static int
look(struct scene *s, int acked, bool began)
{
	int seen = steps_seen(s);

	if (seen < 0)
		crash_fail("half of step %d is there", acked);
	if (seen < acked)
		crash_fail("%d steps were acknowledged, %d are there", acked, seen);
	if (seen > acked + began)
		crash_fail("%d steps were acknowledged, %d are there", acked, seen);
	result->undone += began && seen == acked;
	result->whole += began && seen > acked;
	return seen;
}

static void
carry_on(struct scene *s, int from)
{
	struct err err;

	for (int i = from; i < s->scenario->steps; i++)
		crash_must(do_step(s, i, &err), &err, "carrying on");
}

/* Nothing that was acknowledged hangs on a sync that nobody made. */
static void
cut_once_more(struct scene *s)
{
	struct disk *d = victim(s)->disk;

	disk_cut(d);
	scene_close(s);
	reboot(s, DISK_LOST, 0);
	scene_open(s);
	check_all(s);
	if (steps_seen(s) != s->scenario->steps)
		crash_fail("at the end %d of %d steps are there", steps_seen(s),
		           s->scenario->steps);
}

static void
finish(struct scene *s)
{
	if (s->scenario->finish != NULL) {
		s->scenario->finish(s);
		check_all(s);
	}
	scene_close(s);
}

/* Steps until one fails, or the process dies of it; how many had returned 0. */
static int
do_steps(struct scene *s, int *rc, struct err *err)
{
	volatile int acked = 0;

	if (sigsetjmp(died, 1) != 0) {
		die(s);
		*rc = ERR_IO;
		return acked;
	}
	may_die = true;
	while (acked < s->scenario->steps && (*rc = do_step(s, acked, err)) >= 0)
		acked++;
	may_die = false;
	return acked;
}

static void
run_once(struct scene *s, int fault, uint64_t point, int draw)
{
	struct err err = { 0 };
	int acked, seen, rc = 0;
	bool hit;

	result->fault = fault;
	result->point = (int64_t)point;
	result->draw = draw;
	scene_begin(s);
	arm(s, fault, point);
	acked = do_steps(s, &rc, &err);
	if (point == UINT64_MAX)
		result->points[fault] = count_points(s, fault);
	stop(s, fault, point, draw);
	hit = point != UINT64_MAX;
	if (!hit && rc < 0)
		crash_fail("step %d fails although nothing is wrong: %s", acked, err.msg);
	start(s);
	seen = look(s, acked, rc < 0);
	carry_on(s, s->scenario->again ? acked : seen);
	cut_once_more(s);
	finish(s);
	result->runs[fault] += hit;
}

/* ---- all runs ---- */

static void
run_point(struct scene *s, int fault, uint64_t point, const struct crash_plan *plan)
{
	int draws = draws_of(fault);
	int64_t live = memory_live(), deaths = result->died;

	for (int draw = 0; draw < draws; draw++)
		if (plan->draw < 0 || plan->draw == draw)
			run_once(s, fault, point, draw);
	if (memory_live() != live && result->died == deaths)
		crash_fail("%lld blocks of memory are not given back",
		           (long long)(memory_live() - live));
}

/* Every point, or as many as the cap allows, evenly, the first and the last among them. */
static void
run_fault(struct scene *s, int fault, const struct crash_plan *plan)
{
	int cap = fault <= CRASH_ERROR ? plan->cap : (plan->cap + 2) / 3;
	int64_t all, take;

	run_once(s, fault, UINT64_MAX, 0);
	all = result->points[fault];
	if (s->scenario->slow)
		cap = (cap + 3) / 4;
	take = cap > 0 && all > cap ? cap : all;
	for (int64_t i = 0; i < take; i++)
		run_point(s, fault, (uint64_t)(take == 1 ? 0 : i * (all - 1) / (take - 1)), plan);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
crash_run(const struct scenario *scenario, const struct crash_plan *plan, struct crash_result *out)
{
	int64_t start = now_ms();

	result = out;
	result->point = -1;
	signal(SIGABRT, on_abort);
	scene_init(&scene, scenario);
	scenario->prepare(&scene);
	scene_keep(&scene);
	for (int fault = 0; fault < CRASH_FAULTS; fault++)
		if (plan->fault == fault && plan->point >= 0)
			run_point(&scene, fault, (uint64_t)plan->point, plan);
		else if (plan->fault < 0 || plan->fault == fault)
			run_fault(&scene, fault, plan);
	folder_close();
	result->recovered = scene.recovered;
	result->ms = now_ms() - start;
}
