/*
 * node/facility/action_priv.h - the table of records: action.c has it and does them,
 * action_line.c reads and writes them as JSON by it.
 */
#ifndef NODE_FACILITY_ACTION_PRIV_H
#define NODE_FACILITY_ACTION_PRIV_H

#include "node/facility/action.h"

enum field_kind { FIELD_ID, FIELD_INT, FIELD_TEXT, FIELD_EXCEPTIONS, FIELD_WAS };

struct action_field {
	const char *name;
	enum field_kind kind;
	size_t offset;
	int64_t missing; /* what an integer is when it isn't given */
};

struct action_record {
	const char *name;
	const struct action_field
	        *fields; /* of its member of the union, ended by one without a name */
	int (*does)(struct facility *f, const struct facility_action *a, struct err *err);
};

/* By enum facility_do. */
extern const struct action_record action_records[DO_COUNT];

#endif /* NODE_FACILITY_ACTION_PRIV_H */
