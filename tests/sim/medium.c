/* tests/sim/medium.c - a disk begins to lie; a bit of a segment turns. */
#include "tests/sim/medium.h"
#include "store/base/file.h"
#include "tests/sim/acks.h"
#include "tests/sim/rand.h"
#include "tests/sim/sim.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { LIE_PERMILLE = 800, ANCHOR_MAX = 1 << 20, CUT_WITHIN = 400 };

static void
anchor_path(const struct sim_peer *p, char path[128])
{
	snprintf(path, 128, "%s/anchor", p->dir);
}

/* What the hub alone has lost can't come back from a machine that can't read it. */
static bool
is_only_hope(const struct sim_peer *p)
{
	return p->is_hub && p->sim->plan->has[SIM_ROT];
}

void
sim_medium_lie(struct sim_peer *p, uint64_t *x)
{
	struct disk_device liar = { .seed = sim_rand_next(x),
		                    .lie_permille = LIE_PERMILLE,
		                    .in_order = true };
	char path[128];
	struct err err;

	if (is_only_hope(p))
		return;
	anchor_path(p, path);
	buf_clear(&p->anchor);
	sim_must(p->sim, file_read(path, ANCHOR_MAX, &p->anchor, &err), &err, "read an anchor");
	p->lies = true;
	disk_set_device(p->disk, &liar);
	p->damage = DISK_LOST; /* what is lost is what such a disk loses */
	disk_arm(p->disk, DISK_CRASH, sim_rand_below(x, CUT_WITHIN), true);
}

void
sim_medium_went_back(struct sim_peer *p)
{
	struct sim *s = p->sim;
	uint64_t x = sim_rand(s->plan->seed, p->no, SIM_USE_LIE, (uint64_t)s->now);
	char path[128];
	struct err err;

	sim_count(s, SIM_DID_GO_BACK);
	sim_acks_forgive(s, p);
	p->restored = true;
	s->hub_lost = s->hub_lost || p->is_hub;
	memset(p->acked, 0, sizeof p->acked);
	if (!sim_rand_happens(&x, 500))
		return;
	anchor_path(p, path);
	sim_must(s, file_replace(path, p->anchor.bytes, p->anchor.len, &err), &err,
	         "put an anchor back");
	sim_count(s, SIM_DID_GO_BACK_UNSEEN);
}

/* ---- rot ---- */

static int
turn_bit(sqlite3_blob *body, uint64_t *x)
{
	uint64_t bit = sim_rand_next(x) % (8 * (uint64_t)sqlite3_blob_bytes(body));
	uint8_t byte = 0;
	int status = sqlite3_blob_read(body, &byte, 1, (int)(bit / 8));

	byte ^= (uint8_t)(1U << bit % 8);
	return status == SQLITE_OK ? sqlite3_blob_write(body, &byte, 1, (int)(bit / 8)) : status;
}

static int
spoil_segment(sqlite3 *db, uint64_t *x)
{
	sqlite3_stmt *q = NULL;
	sqlite3_blob *body = NULL;
	int status = sqlite3_prepare_v2(db,
	                                "SELECT id FROM yz_segment WHERE length(body) > 0 ORDER BY"
	                                " (id * ?1) % 1009, id LIMIT 1",
	                                -1, &q, NULL);

	if (status == SQLITE_OK)
		status = sqlite3_bind_int(q, 1, 1 + (int)sim_rand_below(x, 1008));
	if (status == SQLITE_OK)
		status = sqlite3_step(q);
	if (status == SQLITE_ROW)
		status = sqlite3_blob_open(db, "main", "yz_segment", "body",
		                           sqlite3_column_int64(q, 0), 1, &body);
	sqlite3_finalize(q);
	if (body != NULL)
		status = turn_bit(body, x);
	sqlite3_blob_close(body);
	return status;
}

void
sim_medium_rot(struct sim_peer *p, uint64_t *x)
{
	char path[128];
	sqlite3 *db = NULL;
	int status;

	snprintf(path, sizeof path, "%s/yizhan.db", p->dir);
	status = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, disk_vfs(p->disk));
	if (status == SQLITE_OK)
		status = spoil_segment(db, x);
	sqlite3_close(db);
	if (status != SQLITE_OK) /* no segment yet; or the disk is full, or off */
		return;
	p->rotten = true;
	sim_count(p->sim, SIM_DID_ROT);
}
