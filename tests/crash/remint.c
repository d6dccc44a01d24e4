/* tests/crash/remint.c - scenarios of a node whose file was put back, with all that is around it.
 */
#include "tests/crash/crash.h"

#define LOST "SELECT count(*) FROM note WHERE text LIKE 'lost%'"
#define LIVES                                                                                      \
	"SELECT count(DISTINCT site) FROM yz_stream WHERE site IN (SELECT id FROM yz_site WHERE"   \
	" node = (SELECT value FROM yz_meta WHERE name = 'node'))"
#define LAST_W                                                                                     \
	"SELECT coalesce(max(CAST(substr(text, 2) AS INTEGER)), 0) FROM note WHERE text LIKE 'w%'"

static void
write_at(struct scene *s, int no, const char *sql)
{
	struct err err;

	crash_must(scene_sql(&s->m[no], sql, &err), &err, sql);
}

/* A hub that has what the node's file has forgotten.  The third disk holds the snapshot. */
static void
prepare_put_back(struct scene *s)
{
	struct machine *node = &s->m[NODE];
	struct err err;

	scene_add(s, HUB, "");
	scene_add(s, NODE, "F1");
	write_at(s, NODE,
	         "INSERT INTO note(id, facility_id, text, top) VALUES (x'01', 'F1', 'one', 1)");
	scene_settle(s);
	scene_wait(s, 60000);
	machine_close(node);
	disk_copy(s->m[OTHER].disk, node->disk);
	crash_must(machine_open(node, &err), &err, "open");
	for (int i = 0; i < 3; i++) {
		write_at(s, NODE,
		         "INSERT INTO note(id, facility_id, text) VALUES (randomblob(16), 'F1', "
		         "'lost'"
		         " || (SELECT count(*) FROM note))");
		crash_must(scene_seal(node, &err), &err, "seal");
	}
	scene_settle(s);
	scene_wait(s, 60000);
	machine_close(node);
	disk_copy(node->disk, s->m[OTHER].disk);
	crash_must(machine_open(node, &err), &err, "open");
}

/* By twos: something is written, and there is a meeting, the first of which begins a new life. */
static int
remint_step(struct scene *s, int no, struct err *err)
{
	static const char *const sql[] = {
		"INSERT INTO note(id, facility_id, text) VALUES (x'11', 'F1', 'w1'), (x'12', 'F1', "
		"'x')",
		"UPDATE note SET text = 'w2', top = 7 WHERE id = x'11'; DELETE FROM note WHERE id "
		"= "
		"x'12'",
	};

	return no % 2 == 0 ? scene_sql(&s->m[NODE], sql[no / 2], err)
	                   : scene_meet(s, &s->m[NODE], err);
}

static int
remint_seen(struct scene *s)
{
	struct machine *node = &s->m[NODE], *hub = &s->m[HUB];
	int made = (int)scene_int(node, LAST_W), arrived = (int)scene_int(hub, LAST_W);

	if (made < 0 || arrived < 0 || arrived > made || arrived < made - 1)
		return -1;
	if (scene_is_acknowledged(node))
		return arrived == made ? 2 * made : -1;
	s->recovered += made == 1 && scene_int(node, LIVES) > 1;
	return 2 * made - 1;
}

static void
remint_finish(struct scene *s)
{
	scene_settle(s);
	scene_same(s);
	if (scene_int(&s->m[NODE], LOST) != 3 || scene_int(&s->m[HUB], LOST) != 3)
		crash_fail("what the hub had kept didn't come back");
	if (scene_int(&s->m[NODE], LIVES) < 2)
		crash_fail("no new life began");
	if (!scene_is_acknowledged(&s->m[NODE]))
		crash_fail("the node still waits after meetings without a fault");
	if (scene_int(&s->m[NODE], "SELECT count(*) FROM yz_conflict") != 0)
		crash_fail("a record conflicts with itself");
}

const struct scenario scenarios_remint[] = {
	{ .name = "remint-node",
	  .recovers = "a new life had begun and was gone on with",
	  .victim = NODE,
	  .steps = 4,
	  .prepare = prepare_put_back,
	  .step = remint_step,
	  .seen = remint_seen,
	  .finish = remint_finish },
	{ .name = "remint-hub",
	  .recovers = "a new life had begun and was gone on with",
	  .victim = HUB,
	  .steps = 4,
	  .prepare = prepare_put_back,
	  .step = remint_step,
	  .seen = remint_seen,
	  .finish = remint_finish },
	{ 0 },
};
