/* node/doctor_priv.h - what the two parts of the examination share. */
#ifndef NODE_DOCTOR_PRIV_H
#define NODE_DOCTOR_PRIV_H

#include "node/doctor.h"
#include "store/db.h"

/* Tell one finding.  One that isn't well and isn't mended has something to do. */
void doctor_say(struct doctor *d, const char *check, enum doctor_state state, const char *todo,
                const char *fmt, ...) PRINTF_LIKE(5, 6);

/* Put right what is safe in the database; tell if somebody runs there, so that it isn't. */
void doctor_mend(struct doctor *d, const char *path);

/* Tables that are lost, and what is missing of the program's own schema (doctor_schema.c).  In a
 * transaction. */
MUST_CHECK int doctor_check_schema(struct doctor *d, struct store_db *db, bool is_hub,
                                   struct err *err);

/* Make anew what can be, on a STORE_MERGE connection; before rows are put right. */
void doctor_mend_schema(struct doctor *d, struct store_db *db, bool is_hub);

/* What lies outside the directory: the clock, the hub, other SQLites.  Ends the transaction that
 * has read. */
MUST_CHECK int doctor_check_world(struct doctor *d, struct store_db *db, bool is_hub,
                                  struct err *err);

#endif /* NODE_DOCTOR_PRIV_H */
