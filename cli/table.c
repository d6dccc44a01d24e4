#include "cli/table.h"
#include "node/log.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table {
	struct libscols_table *handle;
	size_t count;
	bool bad;
};

struct table *
table_new(const char *const *names, size_t count)
{
	struct table *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->handle = scols_new_table();
	t->count = count;
	if (t->handle != NULL)
		scols_table_enable_noencoding(t->handle, 1); /* table_row() does more */
	for (size_t i = 0; t->handle != NULL && i < count; i++)
		if (scols_table_new_column(t->handle, names[i], 0, 0) == NULL)
			t->bad = true;
	if (t->handle == NULL || t->bad) {
		table_free(t);
		return NULL;
	}
	return t;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	scols_unref_table(t->handle);
	free(t);
}

void
table_right(struct table *t, size_t i)
{
	scols_column_set_flags(scols_table_get_column(t->handle, i), SCOLS_FL_RIGHT);
}

/* What people and other machines wrote is shown as it is, but may neither paint nor turn the line:
 * the library would let U+202E and its like through. */
static int
set_text(struct libscols_line *line, size_t i, const char *text)
{
	struct buf safe = { 0 };
	int status;

	log_escape(&safe, text);
	status = scols_line_set_data(line, i, buf_str(&safe)) != 0 || safe.bad;
	buf_free(&safe);
	return status;
}

void
table_row(struct table *t, const char *const *texts)
{
	struct libscols_line *line = scols_table_new_line(t->handle, NULL);

	if (line == NULL) {
		t->bad = true;
		return;
	}
	for (size_t i = 0; i < t->count; i++)
		if (texts[i] != NULL && set_text(line, i, texts[i]) != 0)
			t->bad = true;
}

int
table_print(struct table *t, struct err *err)
{
	if (t->bad)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	if (scols_table_is_empty(t->handle))
		return 0;
	if (scols_print_table(t->handle) != 0 || fflush(stdout) != 0)
		return err_set(err, ERR_IO,
		               "the output can't be written: %s; look at where it goes",
		               strerror(errno));
	return 0;
}
