/*
 * cli/cmd_archive.c - the signed history in DIR/archive.git: bring it up to date,
 * list its commits, make it again.
 */
#include "cli/cmd.h"
#include "cli/daemon.h"
#include "cli/table.h"
#include "node/station.h"
#include "store/base/json.h"
#include "store/base/text.h"
#include "sync/archive/archive.h"

#include <stdio.h>
#include <string.h>

/* ---- now and rebuild: only the one who holds the lock ---- */

static void
print_result(const struct cli *cli, bool rebuilt, const struct sync_archive_result *r,
             struct buf *out)
{
	if (cli->json) {
		ctl_words_archive(out, r);
		buf_u8(out, '\n');
	} else if (r->head[0] == 0 && r->commits == 0) {
		buf_printf(out, "nothing to archive yet\n");
	} else {
		buf_printf(out, "%zu %scommit%s, %s %s%s\n", r->commits, rebuilt ? "" : "new ",
		           r->commits == 1 ? "" : "s", r->branch,
		           r->head[0] == 0 ? "has none yet" : "is at ", r->head);
	}
	if (!cli->json && r->unproven > 0)
		buf_printf(out, "%zu days were left as they are; yizhan verify says why\n",
		           r->unproven);
}

static int
by_ourselves(const struct cli *cli, bool rebuild, struct buf *out, struct err *err)
{
	struct sync_archive_result result = { 0 };
	struct station st;
	int rc = station_open(cli->dir, env_real(), &st, err);

	if (rc < 0)
		return rc;
	rc = rebuild ? sync_archive_rebuild(st.merge, cli->dir, &result, err)
	             : station_archive(&st, &result, err);
	station_close(&st);
	if (rc == 0)
		print_result(cli, rebuild, &result, out);
	return rc;
}

/* The daemon's answer is a document; for people what it says is put in our words. */
static int
by_daemon(const struct cli *cli, struct buf *out, struct err *err)
{
	struct buf answer = { 0 };
	int rc = cli_daemon_ask(cli, CTL_DO_ARCHIVE, &answer, err);

	if (rc == 0 && strncmp(buf_str(&answer), "{\"error\"", 8) == 0)
		rc = err_set(err, ERR_IO, "the running yizhan could not; its log says why: %.120s",
		             buf_str(&answer));
	if (rc == 0 && cli->json)
		buf_printf(out, "%s\n", buf_str(&answer));
	else if (rc == 0)
		buf_printf(out, "the running yizhan has brought the archive up to date\n");
	buf_free(&answer);
	return rc;
}

static int
bring_up(const struct cli *cli, bool rebuild, struct buf *out, struct err *err)
{
	int rc = by_ourselves(cli, rebuild, out, err);

	if (rc != ERR_BUSY)
		return rc;
	if (rebuild)
		return err_set(err, ERR_BUSY,
		               "yizhan runs in %s; stop it, then rebuild the archive", cli->dir);
	return by_daemon(cli, out, err);
}

/* ---- log ---- */

static void
entry_json(struct json *j, const struct sync_archive_entry *e)
{
	json_object(j);
	json_name(j, "branch");
	json_text(j, e->branch);
	json_name(j, "no");
	json_int(j, e->no);
	json_name(j, "at");
	json_time(j, e->at_ms);
	json_name(j, "commit");
	json_text(j, e->commit);
	json_name(j, "subject");
	json_text(j, e->subject);
	json_name(j, "streams");
	json_array(j);
	for (size_t i = 0; i < e->bound_count; i++) {
		json_object(j);
		json_name(j, "scope");
		json_text(j, e->bounds[i].scope);
		json_name(j, "from");
		json_int(j, (int64_t)e->bounds[i].before + 1);
		json_name(j, "n");
		json_int(j, (int64_t)e->bounds[i].n);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

static int
print_rows(const struct sync_archive_entry *list, size_t count, struct err *err)
{
	static const char *const names[] = { "AT", "COMMIT", "WHAT" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	char at[TEXT_TIME_SIZE], commit[11];
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = count; i-- > 0;) {
		text_time(at, list[i].at_ms);
		snprintf(commit, sizeof commit, "%.10s", list[i].commit);
		table_row(t, (const char *[]){ at, commit, list[i].subject });
	}
	rc = table_print(t, err);
	table_free(t);
	return rc;
}

static int
show_log(const struct cli *cli, struct buf *out, struct err *err)
{
	struct sync_archive_entry *list = NULL;
	struct store_db *db = NULL;
	struct json j = json_to(out);
	struct arena a = { 0 };
	size_t count = 0;
	int rc = cli_open(cli, STORE_READ, &db, err);

	if (rc == 0)
		rc = sync_archive_log(db, &a, &list, &count, err);
	if (rc == 0 && !cli->json) {
		rc = print_rows(list, count, err);
	} else if (rc == 0) {
		json_array(&j);
		for (size_t i = count; i-- > 0;)
			entry_json(&j, &list[i]);
		json_end_array(&j);
		buf_u8(out, '\n');
	}
	store_db_close(db);
	arena_free(&a);
	return rc;
}

/* ---- the command ---- */

static int
run(struct cli *cli)
{
	const char *word = cli->argv[0];
	struct buf out = { 0 };
	struct err err;
	int rc, code;

	if (strcmp(word, "now") != 0 && strcmp(word, "log") != 0 && strcmp(word, "rebuild") != 0)
		return cli_usage(cli, "archive can't \"%s\"", word);
	rc = cli_look(cli, &err);
	if (rc == 0)
		rc = strcmp(word, "log") == 0 ? show_log(cli, &out, &err)
		                              : bring_up(cli, word[0] == 'r', &out, &err);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code;
}

const struct cmd cmd_archive = {
	.name = "archive",
	.args = "now | log | rebuild",
	.help = "the signed history in archive.git: bring it up to date, list it, make it again",
	.json = true,
	.min = 1,
	.max = 1,
	.run = run,
};
