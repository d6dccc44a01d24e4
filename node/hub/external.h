/*
 * node/hub/external.h - tables of the district's departments, as they deliver them: a CSV file
 * becomes the table external_NAME.
 *
 * All of a table is one delivery, told by its source, the day it speaks of and the
 * SHA-256 of its bytes.  The next one replaces its rows and columns whole; what
 * came before stays listed in external_delivery.  Cells are text as they were
 * written (a code's leading zeros matter), an empty one is NULL; yz_line is the
 * line of the file.  The tables are the hub's: never tracked, never sent to nodes.
 *
 * The view v1_external_NAME has the rows with source and day; if a column names a
 * facility or a street, by a header that we know (external_join.c) or because it was
 * said, it is joined: yz_facility_id, yz_street.  v1_facility_external sets all
 * deliveries beside the facilities.
 */
#ifndef NODE_HUB_EXTERNAL_H
#define NODE_HUB_EXTERNAL_H

#include "store/db.h"

enum {
	EXTERNAL_NAME_MAX = 40,
	EXTERNAL_BYTES_MAX = 256 << 20,
	EXTERNAL_COLUMN_MAX = 120, /* bytes of a column's name */
};

struct external_file {
	const char *name;   /* a-z, 0-9, _; begins with a letter */
	const char *source; /* who delivers it */
	int date;           /* YYYYMMDD: the day it speaks of */
	bool personal; /* it may say who somebody is: only for tokens that read personal columns */
	const void *bytes; /* UTF-8, with or without mark, or GB18030; line 1 names the columns */
	size_t len;
	const char *facility_column; /* the one with a facility's ID, USCC or filing number, */
	const char *street_column;   /* and with a street's code or name; NULL: of a known name */
	int64_t now_ms;
	bool dry_run; /* check and count, but write nothing */
};

/* A column by which rows are joined, and how many are. */
struct external_joined {
	char column[EXTERNAL_COLUMN_MAX + 1]; /* "": none names it */
	int64_t rows;
};

struct external_done {
	int64_t no;   /* of the delivery; in a dry run of the one it would be */
	int64_t rows; /* that stand after it */
	int64_t columns;
	int64_t replaces; /* number of the delivery that stood before; 0: none */
	bool same;        /* this delivery stands already: only how it is joined was made anew */
	struct external_joined facility, street;
};

/*
 * Take a delivery in, in one transaction of its own.  ERR_INVALID, with line and column where there
 * is one: the name, the header or a line isn't good, a column that was said isn't there, or what
 * stands is of a later day.
 */
MUST_CHECK int external_import(struct store_db *db, const struct external_file *file,
                               struct external_done *out, struct err *err);

#endif /* NODE_HUB_EXTERNAL_H */
