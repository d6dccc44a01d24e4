/*
 * node/hub/external_priv.h - a delivery while it is taken in: external.c has its table, rows and
 * entry, external_join.c what they are joined to.
 */
#ifndef NODE_HUB_EXTERNAL_PRIV_H
#define NODE_HUB_EXTERNAL_PRIV_H

#include "node/facility/csv.h"
#include "node/hub/external.h"
#include "store/base/buf.h"

enum { EXTERNAL_SHA256 = 32 };

struct external_taking {
	struct store_db *db;
	const struct external_file *file;
	struct external_done *done;
	struct csv csv;
	struct arena arena; /* the header's texts */
	struct csv_record header;
	char hash[2 * EXTERNAL_SHA256 + 1];
};

/*
 * Make the view v1_external_NAME of the rows that stand, and the delivery's keys in
 * external_delivery_key, anew, and count what was found.  ERR_INVALID if the header hasn't a column
 * that was asked for.
 */
MUST_CHECK int external_join(struct external_taking *t, struct err *err);

/* Append a name in quotes. */
void external_put_name(struct buf *sql, const char *name);

/* Run what was put together, and free it. */
MUST_CHECK int external_exec(struct external_taking *t, struct buf *sql, struct err *err);

#endif /* NODE_HUB_EXTERNAL_PRIV_H */
