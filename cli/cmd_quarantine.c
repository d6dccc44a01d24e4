/* cli/cmd_quarantine.c - changes that could not be applied, and why; once more, or never. */
#include "cli/cmd.h"
#include "cli/refused.h"
#include "cli/table.h"
#include "node/hub/session.h"
#include "node/station.h"
#include "store/base/text.h"
#include "store/held.h"
#include "store/inbox.h"
#include "store/print.h"
#include "store/stream.h"
#include "sync/merge/late.h"
#include "sync/merge/restore.h"
#include "sync/seal/seal.h"

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
entry_begin_json(struct json *j, struct store_db *db, const struct store_quarantined *q)
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
	json_name(j, "dropped");
	if (q->dropped_ms == 0)
		json_null(j);
	else
		json_time(j, q->dropped_ms);
	json_name(j, "dropped_by");
	json_text(j, q->dropped_ms == 0 ? NULL : q->dropped_by);
}

static void
entry_json(struct json *j, struct store_db *db, const struct store_quarantined *q)
{
	entry_begin_json(j, db, q);
	json_end_object(j);
}

static void
entry_row(struct table *t, struct store_db *db, const struct store_quarantined *q)
{
	char id[24], tries[24], since[TEXT_TIME_SIZE];
	struct buf key = { 0 };
	const char *texts[7];

	snprintf(id, sizeof id, "%lld", (long long)q->id);
	snprintf(tries, sizeof tries, "%lld", (long long)q->tries);
	text_time(since, q->since_ms);
	store_print_key_text(&key, q->key, q->key_len);
	texts[0] = id;
	texts[1] = q->scope == 0 ? "" : store_catalog_scope_of(db, q->scope);
	texts[2] = q->table == 0 ? "(unit)" : store_catalog_table(db, q->table)->name;
	texts[3] = buf_str(&key);
	texts[4] = q->reason;
	texts[5] = q->dropped_ms == 0 ? tries : "dropped";
	texts[6] = since;
	table_row(t, texts);
	buf_free(&key);
}

static int
print_rows(struct store_db *db, const struct store_quarantined *list, size_t count, struct err *err)
{
	static const char *const names[] = { "ID",     "SCOPE", "TABLE", "KEY",
		                             "REASON", "TRIES", "SINCE" };
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
	int rc = store_quarantine_list(db, cli_option(cli, "all") != NULL, a, &list, &count, err);

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

/* The entry that the command line names. */
static int
find(const struct cli *cli, struct store_db *db, struct arena *a,
     const struct store_quarantined **out, struct err *err)
{
	char *end;
	int64_t id = strtoll(cli->argv[1], &end, 10);
	int rc = *end == 0 ? store_quarantine_find(db, id, a, out, err) : ERR_NOTFOUND;

	if (rc == 0 && *out != NULL)
		return 0;
	if (rc < 0 && rc != ERR_NOTFOUND)
		return rc;
	return err_set(err, ERR_NOTFOUND,
	               "the quarantine holds no change %.40s; yizhan quarantine lists them",
	               cli->argv[1]);
}

static int
show_one(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out,
         struct err *err)
{
	const struct store_quarantined *found = NULL;
	struct json j = json_to(out);
	struct sync_refused refused;
	int rc = find(cli, db, a, &found, err);

	if (rc == 0)
		rc = sync_refused_read(db, found, a, &refused, err);
	if (rc == 0 && !cli->json)
		rc = print_rows(db, found, 1, err);
	if (rc < 0 || !cli->json)
		return rc < 0 ? rc : refused_print(&refused, out, err);
	entry_begin_json(&j, db, found);
	refused_json(&j, &refused);
	json_end_object(&j);
	return 0;
}

/* ---- what came after a key was revoked ---- */

static bool
is_late(const struct store_quarantined *q)
{
	return q->stream != 0 && q->table == 0 && strcmp(q->reason, sync_late_words) == 0;
}

/* Who decided about it, and what, stays in the hub's log of its administrators. */
static int
note_late(struct store_db *db, const struct store_quarantined *q, const char *did, struct err *err)
{
	char site[STORE_PRINT_SITE] = "", what[160];

	site_of(db, q, site);
	snprintf(what, sizeof what, "%s what %s wrote of %s and sent after it was revoked", did,
	         site, store_catalog_scope_of(db, q->scope));
	return session_log_decided(db, cli_who(), what, err);
}

/* ---- drop ---- */

/* A row that was written here and may go nowhere: what the others have, or nothing, takes its
 * place.  What others wrote stays in its stream, and unapplied. */
static int
put_back(struct sync_replica *r, const struct store_quarantined *q, const char **words,
         struct err *err)
{
	struct store_row row = { .table = q->table, .key = q->key, .key_len = q->key_len };
	bool is_here = false;
	int rc = 0;

	*words = "dropped: it stays as it is";
	if (is_late(q)) {
		*words = "dropped: what was kept aside is gone from here, and what else comes of "
		         "it goes too";
		rc = store_held_cut(r->db, q->stream, 0, err);
		return rc == 0 ? note_late(r->db, q, "dropped", err) : rc;
	}
	if (q->stream != 0 || q->table == 0 || q->n == STORE_QUARANTINE_UNDONE)
		return 0;
	rc = sync_restore_row(r, &row, &is_here, err);
	if (rc == 0)
		*words = is_here ? "dropped: the row is again as the others have it"
		                 : "dropped: the row is gone from here";
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
drop_in(const struct cli *cli, struct sync_replica *r, struct arena *a, struct buf *out,
        struct err *err)
{
	const struct store_quarantined *q = NULL;
	struct json j = json_to(out);
	const char *words;
	int rc = find(cli, r->db, a, &q, err);

	if (rc == 0 && q->dropped_ms != 0)
		rc = err_set(err, ERR_INVALID,
		             "change %lld was dropped already; nothing is to be done",
		             (long long)q->id);
	if (rc == 0)
		rc = put_back(r, q, &words, err);
	if (rc == 0)
		rc = store_quarantine_drop(r->db, q->id, cli_who(), err);
	if (rc == 0)
		rc = find(cli, r->db, a, &q, err);
	if (rc == 0)
		rc = store_db_commit(r->db, err);
	if (rc == 0 && cli->json)
		entry_json(&j, r->db, q);
	else if (rc == 0)
		buf_printf(out, "%s", words);
	return rc;
}

/* The decision stays written down. */
static int
drop(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out, struct err *err)
{
	struct sync_replica r;
	int rc;

	store_db_rollback(db);                      /* opening has one of its own */
	rc = sync_replica_open(&r, db, false, err); /* a hub's rows are restored alike */
	if (rc < 0)
		return rc;
	rc = store_db_begin(db, err);
	if (rc == 0)
		rc = drop_in(cli, &r, a, out, err);
	sync_replica_close(&r);
	return rc;
}

/* ---- retry ---- */

/* How many of those that were meant still wait. */
static int
count_left(const struct cli *cli, struct store_db *db, size_t *left, struct err *err)
{
	int64_t id = cli->argc > 1 ? strtoll(cli->argv[1], NULL, 10) : STORE_QUARANTINE_ALL;
	struct store_quarantined *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_quarantine_list(db, false, &a, &list, &count, err);

	*left = 0;
	for (size_t i = 0; rc == 0 && i < count; i++)
		*left += id == STORE_QUARANTINE_ALL || list[i].id == id;
	arena_free(&a);
	return rc;
}

static int
wake(const struct cli *cli, struct store_db *db, struct err *err)
{
	const struct store_quarantined *q = NULL;
	int64_t id = STORE_QUARANTINE_ALL;
	struct arena a = { 0 };
	int rc = cli->argc > 1 ? find(cli, db, &a, &q, err) : 0;

	if (q != NULL && q->dropped_ms != 0)
		rc = err_set(err, ERR_INVALID,
		             "change %lld was dropped; what is dropped isn't tried again",
		             (long long)q->id);
	if (q != NULL)
		id = q->id;
	if (rc == 0 && q != NULL && is_late(q))
		rc = note_late(db, q, "let in", err);
	if (rc == 0)
		rc = store_quarantine_wake(db, id, err);
	arena_free(&a);
	return rc;
}

/* The seal tries what was woken. */
static int
by_ourselves(const struct cli *cli, size_t *left, struct err *err)
{
	struct sync_sealed sealed;
	struct station st;
	int rc = station_open(cli->dir, env_real(), &st, err);

	if (rc < 0)
		return rc;
	rc = store_db_begin(st.merge, err);
	if (rc == 0)
		rc = wake(cli, st.merge, err);
	if (rc == 0)
		rc = sync_seal(&st.node.r, &sealed, err);
	if (rc == 0)
		rc = count_left(cli, st.merge, left, err);
	if (rc == 0)
		rc = store_db_commit(st.merge, err);
	if (rc < 0)
		store_db_rollback(st.merge);
	station_close(&st);
	return rc;
}

/* The running one seals before each exchange. */
static int
by_daemon(const struct cli *cli, struct err *err)
{
	struct store_db *db = NULL;
	int rc = cli_open(cli, STORE_LOCAL, &db, err);

	if (rc == 0)
		rc = store_db_begin(db, err);
	if (rc == 0)
		rc = wake(cli, db, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	store_db_close(db);
	return rc;
}

static int
retry(struct cli *cli)
{
	struct buf out = { 0 };
	struct json j = json_to(&out);
	struct err err;
	size_t left = 0;
	bool asked = false;
	int code, rc = cli_look(cli, &err);

	if (rc == 0)
		rc = by_ourselves(cli, &left, &err);
	if (rc == ERR_BUSY) {
		asked = true;
		rc = by_daemon(cli, &err);
	}
	if (rc < 0)
		return cli_fail(cli, &err);
	if (cli->json) {
		json_object(&j);
		json_name(&j, "state");
		json_text(&j, asked ? "asked" : "done");
		json_name(&j, "left");
		if (asked)
			json_null(&j);
		else
			json_int(&j, (int64_t)left);
		json_end_object(&j);
	} else if (asked) {
		buf_printf(&out, "the running yizhan tries again before its next exchange; see "
		                 "yizhan quarantine");
	} else {
		buf_printf(&out,
		           left == 0 ? "applied: nothing of it is in quarantine any more"
		                     : "tried again: %zu still can't be applied; see "
		                       "yizhan quarantine",
		           left);
	}
	buf_u8(&out, '\n');
	code = cli_print(cli, &out);
	return code == CLI_OK && left > 0 ? CLI_PARTLY : code;
}

/* ---- the command ---- */

static int
run(struct cli *cli)
{
	const char *word = cli->argc == 0 ? "list" : cli->argv[0];
	bool is_show = strcmp(word, "show") == 0, is_drop = strcmp(word, "drop") == 0;

	if (strcmp(word, "retry") == 0)
		return retry(cli);
	if (!is_show && !is_drop && strcmp(word, "list") != 0)
		return cli_usage(cli, "quarantine can't \"%s\"", word);
	if ((is_show || is_drop) && cli->argc != 2)
		return cli_usage(cli, "%s needs one ID", word);
	if (!is_show && !is_drop && cli->argc > 1)
		return cli_usage(cli, "list takes no more words");
	if (is_drop)
		return cli_run_sub(cli, drop, STORE_MERGE);
	return cli_run_sub(cli, is_show ? show_one : show_all, STORE_READ);
}

static const struct cmd_option options[] = {
	{ "all", NULL, "list: also what was dropped" },
	{ 0 },
};

const struct cmd cmd_quarantine = {
	.name = "quarantine",
	.args = "[list | show ID | retry [ID] | drop ID]",
	.help = "list the changes that could not be applied, at the hub also what a revoked node "
	        "sent since, with the reason; try them again or let them in, or give them up",
	.options = options,
	.json = true,
	.max = 2,
	.run = run,
};
