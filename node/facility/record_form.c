/*
 * node/facility/record_form.c - a form that was opened before the row moved.
 *
 * A form sends all its fields, and with them what it showed.  Of a field that
 * the person left alone the row keeps what it has now; what was changed is
 * written, unless the row has moved there since: then the row stays as it is,
 * and what the person wrote is a conflict to be decided (store/stale.h).
 */
#include "node/facility/record_priv.h"
#include "store/base/mutant.h"

#include "store/stale.h"

#include <stdio.h>
#include <string.h>

static struct store_value
value_of(const struct record_field *field, const void *record)
{
	const void *at = (const char *)record + field->offset;
	const char *text;
	int64_t i;

	if (field->is_text) {
		memcpy(&text, at, sizeof text);
		return text == NULL ? store_value_null() : store_value_text(text);
	}
	memcpy(&i, at, sizeof i);
	return i == 0 ? store_value_null() : store_value_int(i);
}

/* Let the record say what the row has. */
static int
take_value(const struct record_field *field, void *record, const struct store_value *v,
           struct arena *a, struct err *err)
{
	void *at = (char *)record + field->offset;
	int64_t i = v->type == STORE_INT ? v->num.i : 0;
	const char *text = NULL;

	if (!field->is_text) {
		memcpy(at, &i, sizeof i);
		return 0;
	}
	if (v->type == STORE_TEXT) {
		text = arena_copy(a, v->bytes, v->len);
		if (text == NULL)
			return err_set(err, ERR_NOMEM, "out of memory");
	}
	memcpy(at, &text, sizeof text);
	return 0;
}

static int
settle(const struct record_form *form, const struct record_field *field,
       const struct store_value *now, struct err *err)
{
	struct store_value wrote = value_of(field, form->record);
	struct store_value was = value_of(field, form->was);
	char scope[FACILITY_ID_MAX + 3];
	struct store_stale stale = { .scope = scope,
		                     .table = form->table,
		                     .key = form->key.bytes,
		                     .key_len = form->key.len,
		                     .column = field->column,
		                     .shown = *now,
		                     .wrote = wrote };
	bool changed = store_value_cmp(&wrote, &was) != 0, moved = store_value_cmp(now, &was) != 0;
	int rc = 0;

	snprintf(scope, sizeof scope, "f/%s", form->f->id);
	if (store_value_cmp(&wrote, now) == 0 || (changed && !moved) || MUT(117))
		return 0;
	if (changed)
		rc = store_stale_keep(form->f->db, &stale, err);
	return rc == 0 ? take_value(field, form->record, now, form->arena, err) : rc;
}

int
record_form_settle(struct record_form *form, struct store_stmt *row, struct err *err)
{
	int rc = store_stmt_step(row, err);

	for (const struct record_field *f = form->fields; rc == 1 && f->column != NULL; f++) {
		struct store_value now = store_stmt_get_value(row);

		if (settle(form, f, &now, err) < 0)
			rc = err->code;
	}
	store_stmt_end(row);
	buf_free(&form->key);
	return rc < 0 ? rc : 0;
}
