/*
 * tests/sim/mould.h - databases as `yizhan init` makes them, made once for all
 * histories: one of a hub, one of each facility with its roster imported, and
 * one of a node that has nothing yet.
 *
 * Beside the facility's tables they have two that people of the simulator edit:
 * `note(id, facility_id, text, rank, top, a, b)` (top max, a and b one group)
 * and `daily(child, day, facility_id, text, mood)` with a natural key.
 *
 * Each is there twice: whole, and with a third of the facility's tables (small_tables in mould.c).
 * The engine is the same and so is what happens; but each connection reads the schema when it
 * opens, and that was half of what the simulator did.
 */
#ifndef TESTS_SIM_MOULD_H
#define TESTS_SIM_MOULD_H

#include "store/base/err.h"
#include "tests/disk.h"

enum sim_mould { SIM_MOULD_HUB, SIM_MOULD_BARE, SIM_MOULD_PLACE };

/* Make them all, once, in a folder of their own that is gone afterwards. */
MUST_CHECK int sim_mould_make(struct err *err);

/* Which database: `mould` SIM_MOULD_PLACE + i is of facility i. */
struct sim_mould_of {
	unsigned mould;
	bool whole;
};

/* Cast a database.  Durable when it returns. */
MUST_CHECK int sim_mould_cast(struct sim_mould_of which, struct disk *disk, const char *path,
                              struct err *err);

/* Has a database that isn't whole this table of the facility's? */
bool sim_mould_has(const char *table);

/* Copy a database from one disk to another; NULL is the system's VFS. */
MUST_CHECK int sim_mould_copy(const char *from_vfs, const char *from, const char *to_vfs,
                              const char *to, struct err *err);

/* The id of facility `i`. */
const char *sim_mould_facility(unsigned i);

#endif /* TESTS_SIM_MOULD_H */
