/*
 * cli/table.h - rows of text in aligned columns, also where characters are two
 * columns wide; the one home of libsmartcols.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct table;

/* A new table with these column names (copied).  NULL without memory. */
struct table *table_new(const char *const *names, size_t count);

/* Free it; NULL is allowed. */
void table_free(struct table *t);

/* Let the numbers of column `i` end below each other. */
void table_right(struct table *t, size_t i);

/* Add a row of as many texts (copied; NULL is left empty); errors stick until table_print. */
void table_row(struct table *t, const char *const *texts);

/* Print to standard output: a heading line and a line per row, nothing for a table without rows. */
MUST_CHECK int table_print(struct table *t, struct err *err);

#endif /* CLI_TABLE_H */
