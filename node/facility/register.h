/*
 * node/facility/register.h - the door of record.h for 登记: what a list says of who
 * belongs to the house (roster.c).
 *
 * Somebody who is there is put right where she differs, by what is given; who is
 * not is made.  1: made, 0: she was there.  *rows is raised by the rows written:
 * none if the list says nothing new.
 */
#ifndef NODE_FACILITY_REGISTER_H
#define NODE_FACILITY_REGISTER_H

#include "node/facility/record.h"

/* Known by its name. */
struct facility_class {
	const char *name;
	int64_t kind; /* 0: of a new one what its name tells; else as it is */
};
MUST_CHECK int facility_register_class(struct facility *f, const struct facility_class *in,
                                       int64_t *rows, struct err *err);

struct facility_child {
	const uint8_t *id; /* NULL: somebody new */
	const char *name;
	int64_t sex;
	int64_t birth_date;     /* needed */
	const uint8_t *id_hash; /* STORE_ID bytes (roster_id.c) */
	bool is_shared_hash;    /* by the facility's key, not by this file's alone */
};
MUST_CHECK int facility_register_child(struct facility *f, const struct facility_child *in,
                                       int64_t *rows, struct err *err);

/* Her enrolment, and which class from which day on; `child` and `class_id` are needed. */
struct facility_place {
	int64_t at; /* another class begins on its day */
	const uint8_t *child;
	const uint8_t *class_id;
	int64_t service; /* 0: of a new one full; else as it is */
	int64_t from;    /* 0: of a new one the day of `at`; else as it is */
};
MUST_CHECK int facility_register_place(struct facility *f, const struct facility_place *in,
                                       int64_t *rows, struct err *err);

struct facility_guardian { /* known by child and name */
	const uint8_t *child;
	const char *name;
	const char *relation;
	const char *phone;
	bool is_primary;
};
MUST_CHECK int facility_register_guardian(struct facility *f, const struct facility_guardian *in,
                                          int64_t *rows, struct err *err);

struct facility_allergy {
	const uint8_t *child;
	const char *allergen; /* a name or code of code_set; another word is its own code */
};
MUST_CHECK int facility_register_allergy(struct facility *f, const struct facility_allergy *in,
                                         int64_t *rows, struct err *err);

struct facility_staff { /* known by name and role */
	const char *name;
	int64_t role;
	int64_t sex;
	const char *phone;
	const uint8_t *class_id;
};
MUST_CHECK int facility_register_staff(struct facility *f, const struct facility_staff *in,
                                       int64_t *rows, struct err *err);

#endif /* NODE_FACILITY_REGISTER_H */
