#include "cli/refused.h"
#include "cli/table.h"
#include "store/base/text.h"
#include "store/print.h"

/* ---- JSON ---- */

static void
values_json(struct json *j, const struct store_change *c)
{
	const struct store_schema *s = c->schema;
	uint64_t bad = 0;

	json_name(j, "values");
	json_object(j);
	for (unsigned i = 0; i < s->column_count; i++) {
		if ((c->mask >> i & 1) == 0)
			continue;
		json_name(j, s->columns[i].here);
		if (!store_print_json(j, &c->values[i]))
			bad |= UINT64_C(1) << i;
	}
	if (bad != 0) {
		json_name(j, "_bad_utf8");
		json_array(j);
		for (unsigned i = 0; i < s->column_count; i++)
			if ((bad >> i & 1) != 0)
				json_text(j, s->columns[i].here);
		json_end_array(j);
	}
	json_end_object(j);
}

static void
change_json(struct json *j, const struct store_change *c)
{
	json_object(j);
	json_name(j, "table");
	json_text(j, c->schema->table);
	json_name(j, "key");
	store_print_key_json(j, c->key, c->key_len);
	json_name(j, "op");
	json_text(j, c->op == STORE_DELETE ? "delete" : "upsert");
	json_name(j, "at");
	if (c->stamp == 0)
		json_null(j);
	else
		json_time(j, STORE_STAMP_MS(c->stamp));
	values_json(j, c);
	json_end_object(j);
}

void
refused_json(struct json *j, const struct sync_refused *r)
{
	json_name(j, "changes");
	if (r->count == 0)
		json_null(j);
	else
		json_array(j);
	for (size_t i = 0; i < r->count; i++)
		change_json(j, &r->changes[i]);
	if (r->count > 0)
		json_end_array(j);
	json_name(j, "why");
	json_text(j, r->count == 0 ? r->why : NULL);
}

/* ---- for people ---- */

static void
cell_row(struct table *t, const struct store_change *c, const char *column,
         const struct store_value *v)
{
	struct buf key = { 0 }, value = { 0 };
	char at[TEXT_TIME_SIZE] = "waits";
	const char *texts[5];

	if (c->stamp != 0)
		text_time(at, STORE_STAMP_MS(c->stamp));
	store_print_key_text(&key, c->key, c->key_len);
	if (v != NULL)
		store_print_text(&value, v);
	texts[0] = c->schema->table;
	texts[1] = buf_str(&key);
	texts[2] = column;
	texts[3] = buf_str(&value);
	texts[4] = at;
	table_row(t, texts);
	buf_free(&key);
	buf_free(&value);
}

/* A new row's empty cells tell nothing, unless it has no others. */
static void
change_rows(struct table *t, const struct store_change *c)
{
	bool any = false;

	for (unsigned i = 0; i < c->schema->column_count; i++) {
		if ((c->mask >> i & 1) == 0 ||
		    (c->op == STORE_INSERT && c->values[i].type == STORE_NULL))
			continue;
		cell_row(t, c, c->schema->columns[i].here, &c->values[i]);
		any = true;
	}
	if (!any)
		cell_row(t, c, c->op == STORE_DELETE ? "(deleted)" : "(an empty row)", NULL);
}

int
refused_print(const struct sync_refused *r, struct buf *out, struct err *err)
{
	static const char *const names[] = { "TABLE", "KEY", "COLUMN", "VALUE", "WRITTEN" };
	struct table *t;
	int rc;

	if (r->count == 0) {
		buf_printf(out, "%s", r->why);
		return 0;
	}
	t = table_new(names, sizeof names / sizeof names[0]);
	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; i < r->count; i++)
		change_rows(t, &r->changes[i]);
	rc = table_print(t, err);
	table_free(t);
	return rc;
}
