/*
 * sync/seal/seal_effect.c - what has happened to a row between two seals.
 *
 * The log says which rows were touched, not what they hold: values are read from
 * the rows now, so several entries of one row fold to their net effect, and a
 * nested trigger of the application can't make log and row disagree.
 *
 *   in the clock   in the table   net effect
 *   dead/unknown   there          insert   cl + 1, every cell
 *   alive          there          update   the columns touched, groups whole; all of them after a
 * REPLACE alive          gone           delete   cl + 1 dead/unknown   gone           nothing
 *
 * The change then goes through the same sync_merge as a foreign one.  Only max
 * cells need care: the table already holds the new value, so the old one is put
 * back into the row's state first.  It is known if the row went, or was replaced,
 * before anybody had changed that column; else it is unset there: the triggers see
 * to it that a max column never falls, so a changed one has risen.
 */
#include "store/base/mutant.h"
#include "sync/codec/codec.h"
#include "sync/seal/seal_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "seal: out of memory");
}

static struct store_cell *
find_cell(struct store_row *row, int column)
{
	for (unsigned i = 0; i < row->cell_count; i++)
		if (row->cells[i].column == column)
			return &row->cells[i];
	return NULL;
}

static const struct store_cell_kept *
find_kept(const struct store_log_row *log, unsigned column)
{
	for (size_t i = 0; i < log->kept_count; i++)
		if (log->kept[i].column == column)
			return &log->kept[i];
	return NULL;
}

static const struct store_value *
kept_value(const struct store_log_row *log, unsigned column)
{
	const struct store_cell_kept *kept = find_kept(log, column);

	return kept == NULL ? NULL : &kept->value;
}

/* Put the old values of max cells back into the row's state (see the top). */
static void
restore_max(struct item *it)
{
	const struct store_schema *schema = it->log->schema;

	for (unsigned i = 0; i < schema->column_count; i++) {
		struct store_cell *cell = find_cell(&it->row, schema->columns[i].id);
		const struct store_cell_kept *kept = find_kept(it->log, i);
		bool touched = (it->log->mask >> i & 1) != 0;

		if (cell == NULL || schema->columns[i].rule != STORE_MAX || it->row.cl % 2 == 0)
			continue;
		if (kept != NULL && kept->unchanged)
			cell->value = kept->first;
		else if (touched || kept != NULL || it->log->inserted || !it->log->present)
			cell->value = store_value_null();
	}
}

static struct store_change *
add_change(struct seal *s, struct item *it, enum store_op op, int64_t cl, uint64_t mask)
{
	struct store_change *c = &it->changes[it->change_count++];

	*c = (struct store_change){
		.schema = it->log->schema,
		.op = op,
		.cl = cl,
		.site = s->r->self.id,
		.mask = mask,
		.values = it->log->values,
		.key = it->log->key,
		.key_len = it->log->key_len,
	};
	return c;
}

static uint64_t
max_columns(const struct store_schema *schema)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < schema->column_count; i++)
		if (schema->columns[i].rule == STORE_MAX && schema->columns[i].key == 0)
			mask |= (uint64_t)1 << i;
	return mask;
}

/* A key alone as values by position (deletes carry nothing else). */
static int
key_values(struct seal *s, struct item *it, struct store_value **values, struct err *err)
{
	const struct store_schema *schema = it->log->schema;
	struct rd r = rd_from(it->log->key, it->log->key_len);

	*values = arena_take(&s->arena, schema->column_count, sizeof **values);
	if (*values == NULL)
		return no_memory(err);
	for (unsigned i = 0; i < schema->column_count; i++)
		(*values)[i] = store_value_null();
	for (unsigned k = 0; k < schema->key_count; k++)
		(*values)[schema->keys[k]] = store_value_read(&r);
	assert(rd_done(&r));
	return 0;
}

/* The row is gone: its max cells may have risen before it went. */
static int
end_life(struct seal *s, struct item *it, struct err *err)
{
	uint64_t risen = it->log->mask & max_columns(it->log->schema);
	struct store_value *values;
	int rc = key_values(s, it, &values, err);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < it->log->schema->column_count; i++) {
		const struct store_value *kept = kept_value(it->log, i);

		if ((risen >> i & 1) != 0 && kept != NULL)
			values[i] = *kept;
		else
			risen &= ~((uint64_t)1 << i);
	}
	if (risen != 0)
		add_change(s, it, STORE_UPDATE, it->row.cl, risen)->values = values;
	add_change(s, it, STORE_DELETE, it->row.cl + 1, 0)->values = values;
	return 0;
}

/* A REPLACE, or delete and insert, in one seal: the greater of the old and the new max value is
 * what is written. */
static int
keep_greater(struct seal *s, struct item *it, struct err *err)
{
	const struct store_schema *schema = it->log->schema;
	struct store_value *values = it->log->values;

	for (unsigned i = 0; i < schema->column_count; i++) {
		const struct store_value *kept = kept_value(it->log, i);

		if (schema->columns[i].rule != STORE_MAX || kept == NULL ||
		    store_value_cmp(kept, &values[i]) <= 0)
			continue;
		if (values == it->log->values) {
			values = arena_take(&s->arena, schema->column_count, sizeof *values);
			if (values == NULL)
				return no_memory(err);
			memcpy(values, it->log->values, schema->column_count * sizeof *values);
		}
		values[i] = *kept;
	}
	it->changes[0].values = values;
	return 0;
}

int
sync_seal_effect(struct seal *s, struct item *it, struct err *err)
{
	const struct store_schema *schema = it->log->schema;
	bool alive = it->row.cl % 2 == 1;
	uint64_t mask = it->log->inserted ? schema->cells
	                                  : (MUT(12) ? it->log->mask
	                                             : store_schema_widen(schema, it->log->mask)) &
	                                            schema->cells;

	if (it->log->present && !alive) {
		add_change(s, it, STORE_INSERT, it->row.cl + 1, schema->cells);
		return 0;
	}
	if (!alive)
		return 0;
	restore_max(it);
	if (!it->log->present)
		return end_life(s, it, err);
	if (mask == 0)
		return 0;
	add_change(s, it, STORE_UPDATE, it->row.cl, mask);
	return it->log->inserted ? keep_greater(s, it, err) : 0;
}

bool
sync_seal_too_large(const struct item *it, char *reason, size_t size)
{
	const struct store_schema *schema = it->log->schema;

	for (int i = 0; i < it->change_count; i++) {
		const struct store_change *c = &it->changes[i];
		size_t total = c->key_len;

		for (unsigned k = 0; k < schema->column_count; k++) {
			size_t len = (c->mask >> k & 1) != 0 ? c->values[k].len : 0;

			total += len;
			if (len <= STORE_VALUE_MAX)
				continue;
			snprintf(reason, size,
			         "%s holds %zu bytes, more than the %d that can be sent; the row's "
			         "change stays here until it is shorter",
			         schema->columns[k].name, len, STORE_VALUE_MAX);
			return true;
		}
		if (total > SYNC_CHANGE_MAX) {
			snprintf(reason, size,
			         "its values are %zu bytes together, more than the %d that can be "
			         "sent; the row's change stays here until they are fewer",
			         total, SYNC_CHANGE_MAX);
			return true;
		}
	}
	return false;
}
