/*
 * tests/crash/crash.h - scenarios over production code that are cut, failed and
 * starved at every point.
 *
 * A scenario is a row of steps, each of which is durable once it has returned 0.
 * The loops run it again and again from the same beginning, and at point 0, 1,
 * 2 ... of the victim's disk (or of the program's memory) something happens:
 *
 *   crash          the power goes; what was unsynced is drawn       4 draws a point
 *   error, errors  one call fails, or all from then on
 *   full           no byte can be added any more, until there is room
 *   memory, memories  one allocation gets nothing, or all from then on
 *
 * Then everybody is closed, the disk is mended, everybody opens again, and
 *   - the file is whole: integrity, chains, signatures, digests row by row
 *   - seen() finds a whole number of steps: at least those that had returned 0,
 *     at most one more
 *   - the steps that are missing are done, finish() finds the end as it must be
 *   - the power is cut once more with nothing unsynced left: all is still there
 */
#ifndef TESTS_CRASH_CRASH_H
#define TESTS_CRASH_CRASH_H

#include "node/code.h"
#include "node/core.h"
#include "node/hub/token.h"
#include "node/rights.h"
#include "tests/disk.h"

#include <stdbool.h>

enum { HUB = 0, NODE = 1, OTHER = 2, SCENE_MACHINES = 3 };

struct scene;

/* A node or the hub, on a disk of its own. */
struct machine {
	struct scene *scene;
	struct disk *disk, *base; /* as it runs; as it was when the scene was ready */
	struct env env;
	struct sync_key key;
	struct store_db *local, *merge;
	struct node node;
	bool there, is_hub, has_core;
	bool revoked; /* the hub takes nothing more of it, but keeps aside what it could have */
	char facility[16];
	struct rights rights;
};

struct scenario {
	const char *name;
	const char *recovers; /* what `recovered` counts, in words; NULL: nothing of its own */
	int victim;           /* whose disk */
	int steps;
	void (*prepare)(struct scene *s);                      /* makes the beginning */
	int (*step)(struct scene *s, int no, struct err *err); /* production code */
	int (*seen)(struct scene *s);     /* steps that are there; < 0: half of one */
	void (*finish)(struct scene *s);  /* the end is as it must be; may be NULL */
	bool cold;                        /* a step opens the victim itself */
	void (*restart)(struct scene *s); /* before the victim is opened again; may be NULL */
	void (*stop)(struct scene *s);    /* closes what its steps keep open; may be NULL */
	bool again;  /* a step that wasn't acknowledged is done again even if its work shows: it may
	                not be durable, and doing it twice is doing it once */
	bool slow;   /* its runs are long: a quarter of the points */
	bool folder; /* the victim's disk is a real folder, s->dir (folder.h) */
	const char *const *sql; /* steps that are SQL transactions on the local connection */
	const char *probe;      /* seen() as one number by SQL */
};

struct scene {
	const struct scenario *scenario;
	struct machine m[SCENE_MACHINES];
	int64_t wall_ms, mono_ms;
	uint64_t random;
	struct {
		int64_t wall_ms, mono_ms;
		uint64_t random;
		bool there[SCENE_MACHINES];
	} base;
	int64_t recovered; /* the scenario's own counter, over all runs */

	/* what is known outside of any machine: a code on paper, what came over the line */
	char code[CODE_TEXT], token[TOKEN_ID], child[33];
	uint8_t grant[GRANT_MAX];
	size_t grant_len;
	bool by_rights;  /* the hub asks node/rights, not the scene */
	const char *dir; /* of a scenario with a folder */
	int64_t epoch;   /* of its database at the beginning */
	int note;        /* a scenario's own, between its functions */
};

/* The lists of scenarios, ended by a row without a name. */
extern const struct scenario scenarios_store[];
extern const struct scenario scenarios_schema[];
extern const struct scenario scenarios_seal[];
extern const struct scenario scenarios_sync[];
extern const struct scenario scenarios_remint[];
extern const struct scenario scenarios_node[];
extern const struct scenario scenarios_files[];
extern const struct scenario scenarios_rotate[];
extern const struct scenario scenarios_hub[];

/* ---- scene.c: machines ---- */

/* All disks, new and empty; for the life of the process. */
void scene_init(struct scene *s, const struct scenario *scenario);

/* Make a machine with the tables `note` and `daily` of tests/world.h, open it and make it known to
 * the hub, if there is one.  facility "" makes the hub. */
void scene_add(struct scene *s, int no, const char *facility);

/* The same with a facility's own tables, children and staff. */
void scene_add_facility(struct scene *s, int no, const char *facility);

/* The power of this machine goes, and nothing is lost: the next to open it has a log to replay. */
void scene_cut(struct machine *m);

/* Make the engine's tables and an identity in the file, by production code alone. */
MUST_CHECK int machine_make(struct machine *m, struct err *err);

/* Time has passed: node_step(TICK), without a line. */
MUST_CHECK int scene_tick(struct machine *m, struct err *err);

/* The beginning is ready: close everybody and keep the disks. */
void scene_keep(struct scene *s);

/* Back to the beginning; everybody is open but a cold victim. */
void scene_begin(struct scene *s);

/* Open or close one machine; closing is safe in every state. */
MUST_CHECK int machine_open(struct machine *m, struct err *err);
void machine_close(struct machine *m);
void scene_close(struct scene *s);

/* Open who is closed; fails the run if that fails. */
void scene_open(struct scene *s);

/* A node alone, with six sealed notes and a table `mark` that isn't tracked. */
void scene_six(struct scene *s);

/* ---- doing ---- */

/* A transaction of SQL on the local connection. */
MUST_CHECK int scene_sql(struct machine *m, const char *sql, struct err *err);

/* Seal and sign. */
MUST_CHECK int scene_seal(struct machine *m, struct err *err);

/* Seal, sign; the victim's log must be empty then.  An end for many scenarios. */
void scene_sealed(struct scene *s);

/* One meeting of `m` with the hub; ERR_IO with its words if it did not go well. */
MUST_CHECK int scene_meet(struct scene *s, struct machine *m, struct err *err);

/* May that node read this scope?  As hub_step() asks; ctx is the scene. */
bool scene_may_read(void *ctx, const uint8_t node[STORE_NODE_ID], const char *scope);

/* Meetings of all, until nobody has anything to say; fails the run. */
void scene_settle(struct scene *s);

/* Let time pass. */
void scene_wait(struct scene *s, int64_t ms);

/* ---- looking; each fails the run if it can't look ---- */

int64_t scene_int(struct machine *m, const char *sql);
int64_t scene_number(struct store_db *db, const char *sql);

/* Integrity, chains, digests: all in order? */
void scene_check(struct machine *m);

/* Is all that this node has written acknowledged by the hub? */
bool scene_is_acknowledged(struct machine *m);

/* Same digest of f/F1 and same notes on all machines. */
void scene_same(struct scene *s);

/* ---- run.c ---- */

/* The run has shown a mistake: tell it, how to see it again, and end the process. */
_Noreturn void crash_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* rc must not be negative. */
void crash_must(int rc, const struct err *err, const char *doing);

enum crash_fault {
	CRASH_CUT,
	CRASH_ERROR,
	CRASH_ERRORS,
	CRASH_FULL,
	CRASH_MEMORY,
	CRASH_MEMORIES,
	CRASH_FAULTS
};

/* At how many points, at most (0: at all), a crash or an error; a third as many for what else there
 * is.  And where; -1: at every point, with every draw. */
struct crash_plan {
	int cap;
	int fault;
	int64_t point;
	int draw;
};

/* What came of a scenario; shared between its process and the parent's. */
struct crash_result {
	int64_t points[CRASH_FAULTS]; /* there are */
	int64_t runs[CRASH_FAULTS];
	int64_t undone; /* the step that was cut was not there, and was done again */
	int64_t whole;  /* it was there, though nobody had heard so */
	int64_t logs;   /* reopened with a WAL to replay */
	int64_t recovered;
	int64_t died; /* by abort(): it could not go on, and nothing was half done */
	int64_t ms;
	/* where it is, for whoever finds it dead */
	int fault, draw;
	int64_t point;
	char words[512];
};

/* All loops of a scenario, in this process. */
void crash_run(const struct scenario *scenario, const struct crash_plan *plan,
               struct crash_result *result);

const char *crash_fault_name(int fault);

/* ---- memory.c: malloc, calloc, realloc, strdup and strndup of everything that is linked in ----
 */

void memory_arm(uint64_t at, bool lasting);
bool memory_disarm(void);
uint64_t memory_seen(void);

/* Memory that never fails and isn't counted. */
void *memory_real(void *old, size_t size);
void memory_real_free(void *block);

/* Blocks that are taken and not freed. */
int64_t memory_live(void);

#endif /* TESTS_CRASH_CRASH_H */
