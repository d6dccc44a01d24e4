/* node/facility/seats_list.c - who has which seats (node/facility/seats.h). */
#include "node/facility/seats_priv.h"

#include <assert.h>
#include <string.h>

/* One row for each kind and holder. */
static const char list_sql[] =
        "SELECT q.facility_id, q.resource, ifnull(q.period, ''),"
        " max(q.cap, (SELECT max(m.no) FROM seat_unit m WHERE m.grant_id = q.id)), u.holder,"
        " sum(u.returned IS NULL AND " SEATS_FREE "), sum(NOT " SEATS_FREE "),"
        " sum(u.returned IS NOT NULL AND " SEATS_FREE "),"
        " sum(u.returned IS NULL AND u.recall IS NOT NULL AND " SEATS_FREE "),"
        " ifnull((SELECT a.wanted FROM seat_ask a WHERE a.grant_id = q.id"
        " AND a.holder = u.holder), -1),"
        " sum((SELECT count(*) FROM booking b WHERE b.seat_grant_id = u.grant_id"
        " AND b.seat_no = u.no AND " SEATS_STANDS ") > 1)"
        " FROM seat_quota q JOIN seat_unit u ON u.grant_id = q.id"
        " WHERE typeof(u.holder) = 'blob' AND length(u.holder) = 24 AND ?1 IN ('', q.facility_id)"
        " GROUP BY q.id, u.holder ORDER BY 1, 2, 3, 5";

static void
read_line(struct store_stmt *s, const uint8_t self[SEATS_HOLDER], struct seats_line *line)
{
	size_t len;

	*line = (struct seats_line){ 0 };
	line->kind.facility = store_stmt_get_text(s);
	line->kind.resource = store_stmt_get_text(s);
	line->kind.period = store_stmt_get_text(s);
	line->cap = store_stmt_get_int(s);
	line->holder = store_stmt_get_blob(s, &len);
	assert(len == SEATS_HOLDER); /* by the query */
	line->self = memcmp(line->holder, self, SEATS_HOLDER) == 0;
	line->earlier = !line->self && memcmp(line->holder, self, STORE_NODE_ID) == 0;
	line->free = store_stmt_get_int(s);
	line->used = store_stmt_get_int(s);
	line->returned = store_stmt_get_int(s);
	line->recalled = store_stmt_get_int(s);
	line->wanted = store_stmt_get_int(s);
	line->twice = store_stmt_get_int(s);
}

int
seats_list(struct store_db *db, const char *facility,
           void (*line)(void *ctx, const struct seats_line *line), void *ctx, struct err *err)
{
	uint8_t self[SEATS_HOLDER];
	struct seats_line read;
	struct store_stmt s;
	int rc = seats_self(db, self, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(db, list_sql);
	store_stmt_put_text(&s, facility == NULL ? "" : facility);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		read_line(&s, self, &read);
		line(ctx, &read);
	}
	store_stmt_end(&s);
	return rc;
}

int
seats_twice(struct store_db *db, int64_t *count, struct err *err)
{
	return store_stmt_int(db,
	                      "SELECT count(*) FROM (SELECT 1 FROM booking b WHERE " SEATS_STANDS
	                      " AND b.seat_no IS NOT NULL GROUP BY b.seat_grant_id, b.seat_no"
	                      " HAVING count(*) > 1)",
	                      0, count, err);
}

int
seats_orphans(struct store_db *db, void (*tell)(void *ctx, const struct seats_orphan *orphan),
              void *ctx, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT facility_id, ifnull(resource, ''), ifnull(period, ''), no"
	            " FROM seat_unit WHERE used_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM"
	            " booking b WHERE b.id = used_by) ORDER BY 1, 2, 3, 4");
	int rc;

	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct seats_orphan o = { 0 };

		o.kind.facility = store_stmt_get_text(&s);
		o.kind.resource = store_stmt_get_text(&s);
		o.kind.period = store_stmt_get_text(&s);
		o.no = store_stmt_get_int(&s);
		tell(ctx, &o);
	}
	store_stmt_end(&s);
	return rc;
}
