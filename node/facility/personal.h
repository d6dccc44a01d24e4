/*
 * node/facility/personal.h - which columns say who somebody is: names, phones,
 * birth dates, numbers of papers, and free text about a person.
 *
 * A token reads them only if it was made with `--personal`.  Ids and codes stay:
 * rows of one child can be put together without knowing who she is.
 */
#ifndef NODE_FACILITY_PERSONAL_H
#define NODE_FACILITY_PERSONAL_H

/* The personal columns of that table, ended by NULL; NULL if it has none that we know of. */
const char *const *facility_personal(const char *table);

#endif /* NODE_FACILITY_PERSONAL_H */
