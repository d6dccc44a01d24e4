/* cli/cmd_quarantine.c - changes that could not be applied, and why. */
#include "cli/cmd.h"
#include "cli/table.h"
#include "store/base/text.h"
#include "store/inbox.h"
#include "store/print.h"
#include "store/stream.h"

#include <errno.h>
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

/* All entries, or the one with this id (0: all) as a single object. */
static int
show(const struct cli *cli, struct store_db *db, int64_t id, struct buf *out, struct err *err)
{
	struct store_quarantined *list, *first;
	struct json j = json_to(out);
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_quarantine_list(db, &a, &list, &count, err);

	first = list;
	for (size_t i = 0; rc == 0 && id != 0 && i < count; i++)
		if (list[i].id == id)
			first = &list[i];
	if (rc == 0 && id != 0 && (count == 0 || first->id != id))
		rc = err_set(err, ERR_NOTFOUND,
		             "the quarantine holds no change %lld; yizhan quarantine lists them",
		             (long long)id);
	if (rc == 0 && id != 0)
		count = 1;
	if (rc == 0 && !cli->json) {
		rc = print_rows(db, first, count, err);
	} else if (rc == 0) {
		if (id == 0)
			json_array(&j);
		for (size_t i = 0; i < count; i++)
			entry_json(&j, db, &first[i]);
		if (id == 0)
			json_end_array(&j);
		buf_u8(out, '\n');
	}
	arena_free(&a);
	return rc;
}

static int
run(struct cli *cli)
{
	const char *word = cli->argc == 0 ? "list" : cli->argv[0];
	bool one = strcmp(word, "show") == 0;
	struct store_db *db = NULL;
	struct buf out = { 0 };
	struct err err;
	int64_t id = 0;
	int rc, code;

	if (!one && strcmp(word, "list") != 0)
		return cli_usage(cli, "quarantine can't \"%s\"", word);
	if (cli->argc != (one ? 2 : cli->argc == 0 ? 0 : 1))
		return cli_usage(cli, one ? "show needs one ID" : "list takes no more words");
	if (one) {
		char *end;

		id = strtoll(cli->argv[1], &end, 10);
		if (*end != 0 || id < 1)
			return cli_usage(cli, "\"%s\" is not an ID of the list", cli->argv[1]);
	}
	rc = cli_open(cli, STORE_READ, &db, &err);
	if (rc == 0)
		rc = store_db_begin(db, &err);
	if (rc == 0)
		rc = show(cli, db, id, &out, &err);
	store_db_close(db);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code;
}

const struct cmd cmd_quarantine = {
	.name = "quarantine",
	.args = "[list | show ID]",
	.help = "list the changes that could not be applied, with the reason",
	.json = true,
	.max = 2,
	.run = run,
};
