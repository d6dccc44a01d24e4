/* cli/cmd_quarantine.c - changes that could not be applied, and why. */
#include "cli/cmd.h"
#include "cli/table.h"
#include "store/base/text.h"
#include "store/inbox.h"
#include "store/print.h"
#include "store/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whose stream the change stands in; false for a row of this file. */
static bool
site_of(struct store_db *db, const struct store_quarantined *q, char out[STORE_PRINT_SITE])
{
	struct store_stream *list;
	struct arena a = { 0 };
	struct err err;
	bool found = false;
	size_t count = 0;

	if (q->stream != 0 && store_stream_list(db, 0, &a, &list, &count, &err) == 0)
		for (size_t i = 0; !found && i < count; i++)
			if (list[i].id == q->stream) {
				store_print_site(out, store_catalog_site_of(db, list[i].site));
				found = true;
			}
	arena_free(&a);
	return found;
}

static void
entry_json(struct json *j, struct store_db *db, const struct store_quarantined *q)
{
	char site[STORE_PRINT_SITE];
	bool foreign = site_of(db, q, site);

	json_object(j);
	json_name(j, "id");
	json_int(j, q->id);
	json_name(j, "scope");
	json_text(j, q->scope == 0 ? NULL : store_catalog_scope_of(db, q->scope));
	json_name(j, "site");
	json_text(j, foreign ? site : NULL);
	json_name(j, "n");
	if (foreign)
		json_int(j, (int64_t)q->n);
	else
		json_null(j);
	json_name(j, "table");
	json_text(j, q->table == 0 ? NULL : store_catalog_table(db, q->table)->name);
	json_name(j, "key");
	if (q->key_len == 0)
		json_null(j);
	else
		store_print_key_json(j, q->key, q->key_len);
	json_name(j, "reason");
	json_text(j, q->reason);
	json_name(j, "since");
	json_time(j, q->since_ms);
	json_name(j, "tries");
	json_int(j, q->tries);
	json_end_object(j);
}

static void
entry_row(struct table *t, struct store_db *db, const struct store_quarantined *q)
{
	char id[24], since[TEXT_TIME_SIZE];
	struct buf key = { 0 };
	const char *texts[6];

	snprintf(id, sizeof id, "%lld", (long long)q->id);
	text_time(since, q->since_ms);
	store_print_key_text(&key, q->key, q->key_len);
	texts[0] = id;
	texts[1] = q->scope == 0 ? "" : store_catalog_scope_of(db, q->scope);
	texts[2] = q->table == 0 ? "(unit)" : store_catalog_table(db, q->table)->name;
	texts[3] = buf_str(&key);
	texts[4] = q->reason;
	texts[5] = since;
	table_row(t, texts);
	buf_free(&key);
}

static int
print_rows(struct store_db *db, const struct store_quarantined *list, size_t count, struct err *err)
{
	static const char *const names[] = { "ID", "SCOPE", "TABLE", "KEY", "REASON", "SINCE" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; i < count; i++)
		entry_row(t, db, &list[i]);
	rc = table_print(t, err);
	table_free(t);
	return rc;
}

static void
print_json(struct store_db *db, const struct store_quarantined *list, size_t count, struct buf *out)
{
	struct json j = json_to(out);

	json_array(&j);
	for (size_t i = 0; i < count; i++)
		entry_json(&j, db, &list[i]);
	json_end_array(&j);
}

static int
show_all(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out,
         struct err *err)
{
	struct store_quarantined *list = NULL;
	size_t count = 0;
	int rc = store_quarantine_list(db, a, &list, &count, err);

	if (rc < 0)
		return rc;
	if (!cli->json && count == 0) {
		buf_printf(out, "nothing is in quarantine");
		return 0;
	}
	if (!cli->json)
		return print_rows(db, list, count, err);
	print_json(db, list, count, out);
	return 0;
}

static int
show_one(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out,
         struct err *err)
{
	const struct store_quarantined *found = NULL;
	struct store_quarantined *list = NULL;
	struct json j = json_to(out);
	int64_t id = strtoll(cli->argv[1], NULL, 10);
	size_t count = 0;
	int rc = store_quarantine_list(db, a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (list[i].id == id)
			found = &list[i];
	if (rc < 0)
		return rc;
	if (found == NULL)
		return err_set(err, ERR_NOTFOUND,
		               "the quarantine holds no change %.40s; yizhan quarantine lists them",
		               cli->argv[1]);
	if (!cli->json)
		return print_rows(db, found, 1, err);
	entry_json(&j, db, found);
	return 0;
}

/* The change stays in its stream, and unapplied; nobody is reminded of it any more. */
static int
drop(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out, struct err *err)
{
	int rc = show_one(cli, db, a, out, err);

	if (rc == 0)
		rc = store_quarantine_drop(db, strtoll(cli->argv[1], NULL, 10), err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc == 0 && !cli->json)
		buf_printf(out, "dropped: it stays as it is");
	return rc;
}

static int
run(struct cli *cli)
{
	const char *word = cli->argc == 0 ? "list" : cli->argv[0];
	bool is_show = strcmp(word, "show") == 0, is_drop = strcmp(word, "drop") == 0;

	if (!is_show && !is_drop && strcmp(word, "list") != 0)
		return cli_usage(cli, "quarantine can't \"%s\"", word);
	if ((is_show || is_drop) && cli->argc != 2)
		return cli_usage(cli, "%s needs one ID", word);
	if (!is_show && !is_drop && cli->argc > 1)
		return cli_usage(cli, "list takes no more words");
	if (is_drop)
		return cli_run_sub(cli, drop, STORE_LOCAL);
	return cli_run_sub(cli, is_show ? show_one : show_all, STORE_READ);
}

const struct cmd cmd_quarantine = {
	.name = "quarantine",
	.args = "[list | show ID | drop ID]",
	.help = "list the changes that could not be applied, with the reason; drop what is settled",
	.json = true,
	.max = 2,
	.run = run,
};
