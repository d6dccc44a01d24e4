/* node/facility/roster_priv.h - a roster after reading: every value checked and in the form of the
 * tables. */
#ifndef NODE_FACILITY_ROSTER_PRIV_H
#define NODE_FACILITY_ROSTER_PRIV_H

#include "node/facility/roster.h"

#include "store/base/arena.h"

enum { ROSTER_GUARDIANS = 4 };

struct roster_guardian {
	const char *name; /* NULL: none */
	const char *relation;
	const char *phone;
};

/* Texts are NULL and numbers 0 where the cell was empty. */
struct roster_row {
	int line;
	bool staff;
	const char *name;
	int sex;
	int birth_date;
	const char *class_name;
	int class_kind;
	const char *id_no; /* without blanks, upper case */
	int start_date;
	int service;
	struct roster_guardian guardians[ROSTER_GUARDIANS];
	const char *allergy;
	int role;
	const char *phone;
};

/* Read and check a whole file; `rows` live in `a`. */
MUST_CHECK int roster_read(const void *bytes, size_t len, struct arena *a, struct roster_row **rows,
                           size_t *count, struct err *err);

/* Cut the first word off a list of words; whole characters, as many as a name has. */
void roster_cut_word(const char **list, char word[FACILITY_NAME_MAX]);

#endif /* NODE_FACILITY_ROSTER_PRIV_H */
