#include "store/written.h"
#include "store/clock_priv.h"

int
store_written_each(struct store_db *db, int scope, store_written_page *page, void *ctx,
                   struct err *err)
{
	struct store_clock_walk clocks = { .db = db };
	int rc;

	while ((rc = store_clock_next(&clocks, err)) == 1) {
		struct store_row *rows[STORE_CLOCK_PAGE];
		size_t count = 0;

		for (size_t i = 0; i < clocks.count; i++)
			if (clocks.rows[i]->scope == scope)
				rows[count++] = clocks.rows[i];
		rc = count == 0 ? 0 : page(ctx, rows, count, err);
		if (rc < 0)
			break;
	}
	store_clock_walk_end(&clocks);
	return rc;
}
