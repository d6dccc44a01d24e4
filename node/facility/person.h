/*
 * node/facility/person.h - who is meant by an id in recorded_by.
 */
#ifndef NODE_FACILITY_PERSON_H
#define NODE_FACILITY_PERSON_H

#include "store/base/buf.h"
#include "store/db.h"
#include "store/value.h"

/* Append the name of the member of staff with that id; nothing if nobody here has it. */
MUST_CHECK int facility_person_name(struct store_db *db, const struct store_value *id,
                                    struct buf *out, struct err *err);

#endif /* NODE_FACILITY_PERSON_H */
