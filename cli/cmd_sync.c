/*
 * cli/cmd_sync.c - meet the hub now: through the daemon if one runs, else by
 * ourselves.
 */
#include "cli/cmd.h"
#include "cli/daemon.h"
#include "node/ctl_words.h"
#include "node/json.h"
#include "node/station.h"
#include "node/status.h"
#include "store/inbox.h"

#include <stdio.h>
#include <string.h>

/* What was written here and is listed. */
struct listed {
	long long kept; /* it may not leave this node */
	long long back; /* it was put back */
};

static struct listed
count_listed(const struct cli *cli)
{
	struct store_quarantined *list = NULL;
	struct listed listed = { 0 };
	struct store_db *db = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	struct err err;
	int rc = cli_open(cli, STORE_READ, &db, &err);

	if (rc == 0)
		rc = store_db_begin(db, &err);
	if (rc == 0)
		rc = store_quarantine_list(db, false, &a, &list, &count, &err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		bool back = list[i].n == STORE_QUARANTINE_UNDONE;

		listed.back += list[i].stream == 0 && back;
		listed.kept += list[i].stream == 0 && !back;
	}
	store_db_close(db);
	arena_free(&a);
	return listed;
}

static void
put_listed(const struct cli *cli, struct buf *out)
{
	struct listed listed = count_listed(cli);

	if (listed.kept > 0)
		buf_printf(out, "%lld change%s here: yizhan -C %s quarantine\n", listed.kept,
		           listed.kept == 1 ? " stays" : "s stay", cli->dir);
	if (listed.back > 0)
		buf_printf(out, "%lld change%s put back here: yizhan -C %s quarantine\n",
		           listed.back, listed.back == 1 ? " was" : "s were", cli->dir);
}

/* A meeting can go well and find what a person has to look at: then that is said, as `yizhan
 * status` says it.  The exit code tells of the meeting. */
static void
put_attention(const struct cli *cli, struct buf *out)
{
	struct store_db *db = NULL;
	struct node_status status;
	struct arena a = { 0 };
	struct err err;
	int rc = cli_open(cli, STORE_READ, &db, &err);

	if (rc == 0)
		rc = node_status_read(db, cli->dir, &a, &status, &err);
	if (rc == 0 && node_status_state(&status) == NODE_ATTENTION) {
		node_status_line(out, &status, env_wall_ms(env_real()));
		buf_u8(out, '\n');
	}
	store_db_close(db);
	arena_free(&a);
}

/* A document of the daemon or of ours, as people like to read it. */
static int
show(const struct cli *cli, const struct node_met *met, struct buf *doc,
     const struct ctl_sync *said)
{
	struct buf out = { 0 };

	if (cli->json) {
		buf_put(&out, doc->bytes, doc->len);
		buf_u8(&out, '\n');
	} else {
		buf_printf(&out,
		           "sent %lld, received %lld changes; %llu bytes out, %llu in; %d round "
		           "trip%s\n",
		           (long long)met->sent, (long long)met->received,
		           (unsigned long long)said->cost.bytes_out,
		           (unsigned long long)said->cost.bytes_in, said->cost.round_trips,
		           said->cost.round_trips == 1 ? "" : "s");
		for (size_t i = 0; i < met->rejected_count; i++)
			buf_printf(&out, "not taken: %s record %llu: %s\n", met->rejected[i].scope,
			           (unsigned long long)met->rejected[i].n, met->rejected[i].reason);
		put_listed(cli, &out);
		put_attention(cli, &out);
	}
	buf_free(doc);
	return cli_print(cli, &out);
}

/* Does the document of an exchange name something that wasn't taken, or may not go? */
static bool
is_partly(const char *doc)
{
	return strstr(doc, "\"rejected\":[]") == NULL;
}

static int
by_ourselves(const struct cli *cli, struct err *err)
{
	struct ctl_sync said = { 0 };
	struct node_met met = { 0 };
	struct buf doc = { 0 };
	struct station st;
	int code, rc = station_open(cli->dir, env_real(), &st, err);
	bool rejected;

	if (rc < 0)
		return rc == ERR_BUSY ? rc : cli_fail(cli, err);
	rc = station_sync(&st, &met, &said.cost, err);
	said.met = &met;
	if (rc == 0 && met.ok)
		ctl_words_sync(&doc, st.merge, &said);
	station_close(&st);
	if (rc < 0)
		return cli_fail(cli, err);
	if (met.denied) {
		err_set(err, ERR_DENIED, "%s", met.words);
		return cli_fail(cli, err);
	}
	if (!met.ok) {
		err_set(err, ERR_IO,
		        "%s; records are kept: sync again when the line is back, or leave it to "
		        "yizhan run",
		        met.words);
		return cli_fail_as(cli, CLI_UNREACHABLE, err);
	}
	rejected = is_partly(buf_str(&doc));
	code = show(cli, &met, &doc, &said);
	return code != CLI_OK ? code : rejected ? CLI_PARTLY : CLI_OK;
}

static long long
number(const struct json_doc *doc, const char *name)
{
	int64_t value;

	return json_doc_int(doc, name, &value) ? (long long)value : 0;
}

/* Is everything that it names as rejected ours, n null?  Nothing else in it has a member n. */
static bool
only_kept(const char *doc)
{
	while ((doc = strstr(doc, "\"n\":")) != NULL) {
		doc += strlen("\"n\":");
		if (strncmp(doc, "null", 4) != 0)
			return false;
	}
	return true;
}

/* The daemon's document in the same words as ours. */
static int
daemon_words(const struct cli *cli, struct buf *answer, int code, struct err *err)
{
	const char *message, *todo;
	struct json_doc *doc;
	struct buf out = { 0 };
	int printed, rc = json_doc_read(answer->bytes, answer->len, answer->len, &doc, err);

	if (rc < 0)
		return cli_fail(cli, err);
	message = json_doc_text_in(doc, "error", "message");
	todo = json_doc_text_in(doc, "error", "do");
	if (message != NULL) {
		err_set(err, ERR_IO, "%.120s; %.120s", message, todo == NULL ? "" : todo);
		json_doc_free(doc);
		return cli_fail_as(cli, code, err);
	}
	buf_printf(&out, "sent %lld, received %lld changes; %lld bytes out, %lld in; ",
	           number(doc, "sent"), number(doc, "received"), number(doc, "bytes_out"),
	           number(doc, "bytes_in"));
	buf_printf(&out, "%lld round trip%s\n", number(doc, "round_trips"),
	           number(doc, "round_trips") == 1 ? "" : "s");
	if (code == CLI_PARTLY && !only_kept(buf_str(answer)))
		buf_printf(&out,
		           "not everything was taken; yizhan sync --json says what and why\n");
	put_listed(cli, &out);
	put_attention(cli, &out);
	json_doc_free(doc);
	printed = cli_print(cli, &out);
	return printed == CLI_OK ? code : printed;
}

/* The exit code follows from what the daemon says. */
static int
by_daemon(const struct cli *cli, struct err *err)
{
	struct buf answer = { 0 };
	int code, rc = cli_daemon_ask(cli, CTL_DO_SYNC, &answer, err);
	const char *text;

	if (rc < 0) {
		buf_free(&answer);
		return cli_fail(cli, err);
	}
	text = buf_str(&answer);
	code = strncmp(text, "{\"error\"", 8) == 0
	               ? strstr(text, "\"code\":\"unreachable\"") != NULL ? CLI_UNREACHABLE
	                                                                  : CLI_FAILED
	       : is_partly(text) ? CLI_PARTLY
	                         : CLI_OK;
	if (!cli->json) {
		code = daemon_words(cli, &answer, code, err);
		buf_free(&answer);
		return code;
	}
	buf_u8(&answer, '\n');
	rc = cli_print(cli, &answer);
	buf_free(&answer);
	return rc == CLI_OK ? code : rc;
}

static int
run(struct cli *cli)
{
	struct err err;
	int code = cli_look(cli, &err);

	if (code < 0)
		return cli_fail(cli, &err);
	code = by_ourselves(cli, &err);
	return code == ERR_BUSY ? by_daemon(cli, &err) : code;
}

const struct cmd cmd_sync = {
	.name = "sync",
	.args = "",
	.help = "exchange with the hub now; a line more says what needs a person, as yizhan status "
	        "does",
	.json = true,
	.run = run,
};
