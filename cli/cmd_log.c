/* cli/cmd_log.c - the newest changes, whoever made them. */
#include "cli/cmd.h"
#include "cli/table.h"
#include "node/role.h"
#include "store/base/text.h"
#include "store/print.h"
#include "sync/history.h"

#include <stdio.h>
#include <string.h>

enum { LIMIT = 50 };

static const char *
op_word(const struct store_change *c)
{
	return c->op == STORE_DELETE ? "delete" : "upsert";
}

static void
number_or_null(struct json *j, uint64_t n)
{
	if (n == 0)
		json_null(j);
	else
		json_int(j, (int64_t)n);
}

static void
entry_json(struct json *j, struct store_db *db, const struct sync_history_entry *e)
{
	const struct store_schema *s = e->change.schema;
	char site[STORE_PRINT_SITE];

	store_print_site(site, store_catalog_site_of(db, e->change.site));
	json_object(j);
	json_name(j, "at");
	json_time(j, STORE_STAMP_MS(e->change.stamp));
	json_name(j, "site");
	json_text(j, site);
	json_name(j, "scope");
	json_text(j, store_catalog_scope_of(db, e->scope));
	json_name(j, "table");
	json_text(j, s->table);
	json_name(j, "key");
	store_print_key_json(j, e->change.key, e->change.key_len);
	json_name(j, "op");
	json_text(j, op_word(&e->change));
	json_name(j, "columns");
	json_array(j);
	for (unsigned i = 0; i < s->column_count; i++)
		if ((e->change.mask >> i & 1) != 0)
			json_text(j, s->columns[i].here);
	json_end_array(j);
	json_name(j, "n");
	number_or_null(j, e->n);
	json_name(j, "unit");
	number_or_null(j, e->unit);
	json_end_object(j);
}

static void
print_json(struct store_db *db, const struct sync_history_list *list, struct buf *out)
{
	struct json j = json_to(out);

	json_array(&j);
	for (size_t i = 0; i < list->count; i++)
		entry_json(&j, db, &list->entries[i]);
	json_end_array(&j);
	buf_u8(out, '\n');
}

static void
entry_row(struct table *t, struct store_db *db, const struct sync_history_entry *e)
{
	const struct store_schema *s = e->change.schema;
	char at[TEXT_TIME_SIZE], site[STORE_PRINT_SITE], n[24] = "waits";
	struct buf key = { 0 }, columns = { 0 };
	const char *texts[7];

	text_time(at, STORE_STAMP_MS(e->change.stamp));
	store_print_site(site, store_catalog_site_of(db, e->change.site));
	site[8] = 0;
	store_print_key_text(&key, e->change.key, e->change.key_len);
	for (unsigned i = 0; e->change.op == STORE_UPDATE && i < s->column_count; i++)
		if ((e->change.mask >> i & 1) != 0)
			buf_printf(&columns, "%s%s", columns.len > 0 ? "," : "",
			           s->columns[i].here);
	if (e->n > 0)
		snprintf(n, sizeof n, "%llu", (unsigned long long)e->n);
	texts[0] = at;
	texts[1] = site;
	texts[2] = store_catalog_scope_of(db, e->scope);
	texts[3] = n;
	texts[4] = s->table;
	texts[5] = e->change.op == STORE_UPDATE   ? buf_str(&columns)
	           : e->change.op == STORE_INSERT ? "new"
	                                          : "deleted";
	texts[6] = buf_str(&key);
	table_row(t, texts);
	buf_free(&key);
	buf_free(&columns);
}

static int
print_table(struct store_db *db, const struct sync_history_list *list, struct err *err)
{
	static const char *const names[] = { "AT", "SITE", "SCOPE", "N", "TABLE", "WHAT", "KEY" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; i < list->count; i++)
		entry_row(t, db, &list->entries[i]);
	rc = table_print(t, err);
	table_free(t);
	return rc;
}

static int
run(struct cli *cli)
{
	struct sync_history_list list = { 0 };
	struct sync_history *h = NULL;
	struct store_db *db = NULL;
	struct node_role role;
	struct buf out = { 0 };
	int64_t limit = LIMIT;
	struct err err;
	int rc, code;

	if (cli_option_int(cli, "limit", LIMIT, (int64_t[]){ 0, INT32_MAX }, &limit, &err) < 0)
		return cli_fail_as(cli, CLI_USAGE, &err);
	rc = cli_open(cli, STORE_MERGE, &db, &err);
	if (rc == 0)
		rc = node_role_get(db, &role, &err);
	if (rc == 0)
		rc = sync_history_begin(db, role.is_hub, &h, &err);
	if (rc == 0)
		rc = sync_history_newest(h, (size_t)limit, &list, &err);
	if (rc == 0 && cli->json)
		print_json(db, &list, &out);
	else if (rc == 0)
		rc = print_table(db, &list, &err);
	sync_history_end(h);
	store_db_close(db);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code;
}

static const struct cmd_option options[] = {
	{ "limit", "N", "so many at most (default: 50, 0: all)" },
	{ 0 },
};

const struct cmd cmd_log = {
	.name = "log",
	.args = "",
	.help = "show the newest changes, newest first",
	.options = options,
	.json = true,
	.run = run,
};
