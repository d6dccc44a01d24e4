/* cli/seats_list.c - `yizhan seats list`. */
#include "cli/seats.h"
#include "cli/table.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NODE_DIGITS = 12, LIFE_DIGITS = 8, COLUMNS = 10, COUNT_SIZE = 24 };

struct listing {
	struct json j;
	struct table *t;    /* or NULL: JSON */
	const char *period; /* NULL: all of them */
	size_t count;
};

static const char *
words_of(const struct seats_line *line)
{
	return line->self ? "this one" : line->earlier ? "an earlier life of this one" : "";
}

static void
put_count(struct json *j, const char *name, int64_t count)
{
	json_name(j, name);
	if (count < 0)
		json_null(j);
	else
		json_int(j, count);
}

static void
put_json(struct json *j, const struct seats_line *line)
{
	json_object(j);
	json_name(j, "facility");
	json_text(j, line->kind.facility);
	json_name(j, "resource");
	json_text(j, line->kind.resource);
	json_name(j, "period");
	json_text(j, line->kind.period[0] == 0 ? NULL : line->kind.period);
	put_count(j, "cap", line->cap);
	json_name(j, "node");
	json_hex(j, line->holder, STORE_NODE_ID);
	json_name(j, "epoch");
	json_hex(j, line->holder + STORE_NODE_ID, STORE_EPOCH);
	json_name(j, "here");
	json_text(j, line->self ? "now" : line->earlier ? "earlier" : NULL);
	put_count(j, "free", line->free);
	put_count(j, "used", line->used);
	put_count(j, "returned", line->returned);
	put_count(j, "recalled", line->recalled);
	put_count(j, "wanted", line->wanted);
	put_count(j, "twice", line->twice);
	json_end_object(j);
}

static void
put_row(struct table *t, const struct seats_line *line)
{
	const int64_t counts[] = { line->cap,      line->free,   line->used,
		                   line->recalled, line->wanted, line->twice };
	char texts[6][COUNT_SIZE], node[2 * STORE_NODE_ID + 1], epoch[2 * STORE_EPOCH + 1];
	char holder[NODE_DIGITS + 1 + LIFE_DIGITS + 1];

	text_hex(node, line->holder, STORE_NODE_ID);
	text_hex(epoch, line->holder + STORE_NODE_ID, STORE_EPOCH);
	snprintf(holder, sizeof holder, "%.*s/%.*s", NODE_DIGITS, node, LIFE_DIGITS, epoch);
	for (int i = 0; i < 6; i++) {
		texts[i][0] = 0;
		if (counts[i] > 0 || (i < 3 && counts[i] == 0))
			snprintf(texts[i], COUNT_SIZE, "%" PRId64, counts[i]);
	}
	table_row(t, (const char *[]){ line->kind.facility, line->kind.resource, line->kind.period,
	                               texts[0], holder, texts[1], texts[2], texts[3], texts[4],
	                               texts[5], words_of(line) });
}

static void
put_line(void *ctx, const struct seats_line *line)
{
	struct listing *l = ctx;

	if (l->period != NULL && strcmp(l->period, line->kind.period) != 0)
		return;
	l->count++;
	if (l->t != NULL)
		put_row(l->t, line);
	else
		put_json(&l->j, line);
}

static int
list_json(struct store_db *db, const struct cli *cli, struct buf *out, struct err *err)
{
	struct listing l = { .j = json_to(out), .period = cli_option(cli, "period") };
	int rc;

	json_array(&l.j);
	rc = seats_list(db, cli->argv[1], put_line, &l, err);
	json_end_array(&l.j);
	return rc;
}

static int
list_table(struct store_db *db, const struct cli *cli, struct buf *out, struct err *err)
{
	static const char *const names[] = { "FACILITY", "RESOURCE", "PERIOD", "OF",
		                             "HOLDER",   "FREE",     "USED",   "WANTED BACK",
		                             "ASKED",    "TWICE",    "WHO" };
	struct listing l = { .t = table_new(names, sizeof names / sizeof names[0]),
		             .period = cli_option(cli, "period") };
	int rc;

	if (l.t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 5; i < COLUMNS; i++)
		table_right(l.t, i);
	table_right(l.t, 3);
	rc = seats_list(db, cli->argv[1], put_line, &l, err);
	if (rc == 0 && l.count == 0)
		buf_printf(out, "no seats are given out");
	else if (rc == 0)
		rc = table_print(l.t, err);
	table_free(l.t);
	return rc;
}

int
seats_list_print(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out,
                 struct err *err)
{
	(void)a;
	return cli->json ? list_json(db, cli, out, err) : list_table(db, cli, out, err);
}
