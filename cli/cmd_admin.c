/* cli/cmd_admin.c - at the hub: who may sign in at its page, /fleet. */
#include "cli/hub.h"
#include "cli/table.h"
#include "cli/when.h"
#include "node/hub/session.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <string.h>

enum { LOG_SHOWN = 1000 }; /* the newest */

static void
put_time(struct json *j, const char *name, int64_t ms)
{
	json_name(j, name);
	if (ms == 0)
		json_null(j);
	else
		json_time(j, ms);
}

static int
make(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	int64_t now = env_wall_ms(env_real()), expires = 0;
	char password[ADMIN_PASSWORD];
	struct json j = json_to(out);
	int rc;

	if (!cli_when(cli_option(cli, "expires"), now, &expires))
		return err_set(err, ERR_INVALID,
		               "--expires %.40s is no time; write 90d, 12h, 2027-01-31 or "
		               "2027-01-31T12:00:00Z",
		               cli_option(cli, "expires"));
	rc = admin_new(db, cli->argv[1], expires, now, password, err);
	if (rc < 0)
		return rc == ERR_INVALID ? cli_advise(err, "choose another") : rc;
	if (!cli->json) {
		buf_printf(out, "%s\n\nIt is shown only now: the password of %s at /fleet.\n",
		           password, cli->argv[1]);
		return 0;
	}
	json_object(&j);
	json_name(&j, "name");
	json_text(&j, cli->argv[1]);
	json_name(&j, "password");
	json_text(&j, password);
	put_time(&j, "expires", expires);
	json_end_object(&j);
	buf_u8(out, '\n');
	return 0;
}

static int
revoke(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	int rc = admin_revoke(db, cli->argv[1], env_wall_ms(env_real()), err);

	if (rc == 0 && cli->json)
		buf_printf(out, "{\"name\":\"%s\",\"state\":\"revoked\"}\n", cli->argv[1]);
	else if (rc == 0)
		buf_printf(out, "%s is signed out, and can't sign in any more\n", cli->argv[1]);
	return rc;
}

static void
put_json(const struct admin_entry *list, size_t count, struct buf *out)
{
	struct json j = json_to(out);

	json_array(&j);
	for (size_t i = 0; i < count; i++) {
		json_object(&j);
		json_name(&j, "name");
		json_text(&j, list[i].name);
		put_time(&j, "created", list[i].created_ms);
		put_time(&j, "expires", list[i].expires_ms);
		put_time(&j, "revoked", list[i].revoked_ms);
		put_time(&j, "signed_in", list[i].came_ms);
		json_end_object(&j);
	}
	json_end_array(&j);
	buf_u8(out, '\n');
}

static int
print_table(const struct admin_entry *list, size_t count, struct err *err)
{
	static const char *const names[] = { "NAME", "CREATED", "EXPIRES", "REVOKED", "SIGNED IN" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; i < count; i++) {
		int64_t times[4] = { list[i].created_ms, list[i].expires_ms, list[i].revoked_ms,
			             list[i].came_ms };
		char at[4][TEXT_TIME_SIZE] = { 0 };
		const char *texts[5] = { list[i].name, at[0], at[1], at[2], at[3] };

		for (int k = 0; k < 4; k++)
			if (times[k] != 0)
				text_time(at[k], times[k]);
		table_row(t, texts);
	}
	rc = table_print(t, err);
	table_free(t);
	return rc;
}

static int
list_all(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	struct admin_entry *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = admin_list(db, &a, &list, &count, err);

	if (rc == 0 && cli->json)
		put_json(list, count, out);
	else if (rc == 0)
		rc = print_table(list, count, err);
	arena_free(&a);
	return rc;
}

static int
print_log(const struct session_entry *list, size_t count, struct err *err)
{
	static const char *const names[] = { "AT", "WHO", "FROM", "WHAT" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; i < count; i++) {
		char at[TEXT_TIME_SIZE];
		const char *texts[] = { at, list[i].admin, list[i].peer, list[i].what };

		text_time(at, list[i].at_ms);
		table_row(t, texts);
	}
	rc = table_print(t, err);
	table_free(t);
	return rc;
}

static int
show_log(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	struct session_entry *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc;

	if (cli->json)
		return session_log_json(db, LOG_SHOWN, out, err);
	rc = session_log(db, LOG_SHOWN, &a, &list, &count, err);
	if (rc == 0 && count == 0)
		buf_printf(out, "nobody has tried to sign in\n");
	else if (rc == 0)
		rc = print_log(list, count, err);
	arena_free(&a);
	return rc;
}

static const struct cli_word words[] = {
	{ "new", 2, make, "new needs one NAME" },
	{ "list", 1, list_all, "list takes no more words" },
	{ "revoke", 2, revoke, "revoke needs one NAME" },
	{ "log", 1, show_log, "log takes no more words" },
};

static int
run(struct cli *cli)
{
	int code = CLI_OK;
	const struct cli_word *word =
	        cli_hub_word(cli, words, sizeof words / sizeof words[0], &code);

	if (word == NULL)
		return code;
	if (word->does != make && cli_option(cli, "expires") != NULL)
		return cli_usage(cli, "%s takes no --expires", word->name);
	return cli_hub_run(cli, word);
}

static const struct cmd_option options[] = {
	{ "expires", "WHEN", "new: 90d, 12h, a day or a time in UTC (default: never)" },
	{ 0 },
};

const struct cmd cmd_admin = {
	.name = "admin",
	.args = "new NAME | list | revoke NAME | log",
	.help = "at the hub: who may look at its page /fleet; new makes a password, log tells who "
	        "came and what they decided",
	.options = options,
	.json = true,
	.min = 1,
	.max = 2,
	.run = run,
};
