/* node/facility/roster_priv.h - a roster after reading: every value checked and in the form of the
 * tables. */
#ifndef NODE_FACILITY_ROSTER_PRIV_H
#define NODE_FACILITY_ROSTER_PRIV_H

#include "node/facility/roster.h"
#include "node/id_key.h"

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

/* ---- node/facility/roster_id.c ---- */

enum { ROSTER_ID_HASH = 16, ROSTER_KEY_NAME = 4 };

/* With which keys numbers may have been hashed here; the first is the one to hash with. */
struct roster_keys {
	uint8_t key[2][ID_KEY];
	size_t count;
	bool shared; /* the first is the facility's */
};

/* Read them, or draw the first.  In the import's transaction. */
MUST_CHECK int roster_keys_load(struct roster_keys *keys, struct store_db *db, struct err *err);

/* The hash of a number by one of them. */
void roster_id_hash(const struct roster_keys *keys, size_t which, const char *id_no,
                    uint8_t out[ROSTER_ID_HASH]);

#endif /* NODE_FACILITY_ROSTER_PRIV_H */
