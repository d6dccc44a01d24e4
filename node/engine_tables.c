#include "node/engine_tables.h"

#include "store/track.h"

static const struct store_track_spec tables[] = {
	/* verdicts about conflicts, in the scope of who decides; the hub's in each that sees the
	   row */
	{ .table = "yz_verdict", .kind = STORE_RECORD, .scope = "", .scope_column = "scope" },
	/* who sees a child beside its own facility: each is told of itself, by the hub */
	{ .table = "yz_share",
	  .kind = STORE_RECORD,
	  .scope = "",
	  .scope_column = "scope",
	  .hub_only = "at,ended,by" },
};

int
engine_tables_track(struct store_db *db, bool is_hub, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof tables / sizeof tables[0]; i++) {
		const struct store_table *known = store_catalog_table_by_name(db, tables[i].table);

		if (known == NULL || known->local == NULL)
			rc = store_track_table(db, &tables[i], is_hub, err);
	}
	return rc;
}
