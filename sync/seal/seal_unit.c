/* sync/seal/seal_unit.c - sealed changes as units of our own streams, one per scope. */
#include "sync/seal/pen_priv.h"
#include "sync/seal/seal_priv.h"

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "seal: out of memory");
}

/* Is the item's row seen in that scope? */
static bool
is_seen_in(const struct item *it, int scope)
{
	bool seen = it->row.scope == scope;

	for (size_t i = 0; i < it->further_count; i++)
		seen = seen || (it->further[i].scope == scope && it->further[i].left == 0);
	return seen;
}

/* All items of one scope as one unit, in parts if it is large. */
static int
write_unit(struct seal *s, struct sync_pen *pen, bool more, struct err *err)
{
	int rc = sync_pen_begin(pen, err);

	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		const struct item *it = &s->items[i];

		if (it->change_count == 0 || !is_seen_in(it, pen->stream.scope))
			continue;
		if (sync_pen_is_full(pen)) {
			pen->more = true;
			rc = sync_pen_write(pen, err);
			if (rc == 0)
				rc = sync_pen_begin(pen, err);
		}
		for (int k = 0; rc == 0 && k < it->change_count; k++) {
			rc = sync_pen_add(pen, &it->changes[k], err);
			s->out->changes++;
		}
	}
	pen->more = more;
	s->out->units += !more;
	return rc == 0 ? sync_pen_write(pen, err) : rc;
}

static int
tell(struct seal *s, uint64_t first, const struct sync_pen *pen, struct err *err)
{
	struct sync_unit unit = {
		.site = s->r->self.id,
		.scope = pen->stream.scope,
		.stream = pen->stream.id,
		.first = first,
		.last = pen->stream.n,
		.sealed_ms = pen->opening.sealed_ms,
	};

	if (s->r->applied == NULL)
		return 0;
	unit.rows = arena_take(&s->arena, s->count, sizeof(struct store_row *));
	if (unit.rows == NULL)
		return no_memory(err);
	for (size_t i = 0; i < s->count; i++)
		if (s->items[i].change_count > 0 && s->items[i].row.scope == unit.scope)
			unit.rows[unit.count++] = &s->items[i].row;
	return unit.count == 0 ? 0 : s->r->applied(s->r->ctx, &unit, err);
}

static int
write_scope(struct seal *s, int scope, bool more, struct err *err)
{
	struct sync_pen pen = { .r = s->r, .arena = &s->arena };
	size_t changes = s->count < SYNC_PEN_RECORDS ? s->count : SYNC_PEN_RECORDS;
	uint64_t first = 0;
	int rc = sync_pen_open(&pen, scope, changes, err);

	first = pen.stream.n + 1;
	if (rc == 0)
		rc = write_unit(s, &pen, more, err);
	if (rc == 0)
		rc = tell(s, first, &pen, err);
	sync_pen_close(&pen);
	return rc;
}

/* At the hub a row goes into the streams of all who see it. */
static int
find_further(struct seal *s, struct err *err)
{
	bool any = false;
	int rc = s->r->is_hub ? store_share_any(s->r->db, &any, err) : 0;

	for (size_t i = 0; rc == 0 && any && i < s->count; i++)
		if (s->items[i].change_count > 0)
			rc = store_share_of_row(s->r->db, &s->items[i].row, &s->arena,
			                        &s->items[i].further, &s->items[i].further_count,
			                        err);
	return rc;
}

/* Write a unit for the scope, unless an earlier item has. */
static int
write_once(struct seal *s, size_t item, int scope, bool more, struct err *err)
{
	for (size_t k = 0; k < item; k++)
		if (s->items[k].change_count > 0 && is_seen_in(&s->items[k], scope))
			return 0;
	return write_scope(s, scope, more, err);
}

int
sync_seal_units(struct seal *s, bool more, struct err *err)
{
	int rc = find_further(s, err);

	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		const struct item *it = &s->items[i];

		if (it->change_count == 0)
			continue;
		rc = write_once(s, i, it->row.scope, more, err);
		for (size_t k = 0; rc == 0 && k < it->further_count; k++)
			if (it->further[k].left == 0)
				rc = write_once(s, i, it->further[k].scope, more, err);
	}
	return rc;
}
