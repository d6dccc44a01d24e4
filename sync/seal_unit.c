/* sync/seal_unit.c - sealed changes as units of our own streams, one per scope. */
#include "sync/pen_priv.h"
#include "sync/seal_priv.h"

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "seal: out of memory");
}

/* All items of one scope as one unit, in parts if it is large. */
static int
write_unit(struct seal *s, struct sync_pen *pen, bool more, struct err *err)
{
	int rc = sync_pen_begin(pen, err);

	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		const struct item *it = &s->items[i];

		if (it->change_count == 0 || it->row.scope != pen->stream.scope)
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
	return s->r->applied(s->r->ctx, &unit, err);
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

int
sync_seal_units(struct seal *s, bool more, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		bool first = s->items[i].change_count > 0;

		for (size_t k = 0; first && k < i; k++)
			if (s->items[k].change_count > 0 &&
			    s->items[k].row.scope == s->items[i].row.scope)
				first = false;
		if (first)
			rc = write_scope(s, s->items[i].row.scope, more, err);
	}
	return rc;
}
