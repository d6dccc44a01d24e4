/* cli/cli.c - what every command needs: options, paths, the database, output and complaints. */
#include "cli/cmd.h"
#include "node/facility/schema.h"
#include "node/log.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- options ---- */

const char *
cli_option(const struct cli *cli, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < cli->given_count; i++)
		if (strcmp(cli->given[i].name, name) == 0)
			value = cli->given[i].value;
	return value;
}

const char *
cli_option_nth(const struct cli *cli, const char *name, size_t nth)
{
	for (size_t i = 0; i < cli->given_count; i++)
		if (strcmp(cli->given[i].name, name) == 0 && nth-- == 0)
			return cli->given[i].value;
	return NULL;
}

int
cli_option_int(const struct cli *cli, const char *name, int64_t missing, int64_t range[2],
               int64_t *value, struct err *err)
{
	const char *text = cli_option(cli, name);
	char *end;

	*value = missing;
	if (text == NULL)
		return 0;
	errno = 0;
	*value = strtoll(text, &end, 10);
	if (errno == 0 && end != text && *end == 0 && *value >= range[0] && *value <= range[1])
		return 0;
	return err_set(err, ERR_INVALID,
	               "--%s %s is not a number that can be; give one from %lld to %lld", name,
	               text, (long long)range[0], (long long)range[1]);
}

/* ---- places ---- */

int
cli_path(const struct cli *cli, const char *name, char *out, struct err *err)
{
	int len = snprintf(out, CLI_PATH_MAX, "%s/%s", cli->dir, name);

	if (len < 0 || len >= CLI_PATH_MAX)
		return err_set(err, ERR_INVALID, "the path of %s is too long; give a shorter -C",
		               name);
	return 0;
}

static int
open_as_of_now(const char *path, enum store_mode mode, struct store_db **db, struct err *err)
{
	int rc = store_db_open(path, mode, env_real(), db, err);

	if (rc < 0 || !store_db_is_old(*db))
		return rc;
	/* what is to be read is asked for in words of this program's format */
	store_db_close(*db);
	rc = store_db_open(path, STORE_MERGE, env_real(), db, err);
	store_db_close(*db);
	*db = NULL;
	return rc == 0 ? store_db_open(path, mode, env_real(), db, err) : rc;
}

int
cli_open(const struct cli *cli, enum store_mode mode, struct store_db **db, struct err *err)
{
	char path[CLI_PATH_MAX];
	struct stat st;
	int rc;

	*db = NULL;
	if (stat(cli->dir, &st) < 0)
		return err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_IO,
		               "%s: %s; -C DIR names the directory of a node", cli->dir,
		               strerror(errno));
	rc = cli_path(cli, "yizhan.db", path, err);
	if (rc < 0)
		return rc;
	if (stat(path, &st) < 0 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND,
		               "%s holds no node; make one with yizhan -C %s init --facility ID",
		               cli->dir, cli->dir);
	rc = open_as_of_now(path, mode, db, err);
	if (rc == 0)
		rc = facility_schema_look(*db, err);
	if (rc < 0) {
		store_db_close(*db);
		*db = NULL;
	}
	return rc;
}

int
cli_look(const struct cli *cli, struct err *err)
{
	struct store_db *db = NULL;
	int rc = cli_open(cli, STORE_READ, &db, err);

	store_db_close(db);
	return rc == ERR_FULL ? 0 : rc; /* the station makes room (node/room.h) */
}

/* ---- output ---- */

int
cli_print(const struct cli *cli, struct buf *out)
{
	struct err err;
	int rc = buf_check(out, &err);

	if (rc == 0 && out->len > 0 &&
	    (fwrite(out->bytes, 1, out->len, stdout) != out->len || fflush(stdout) != 0))
		rc = err_set(&err, ERR_IO, "the output can't be written: %s; look at where it goes",
		             strerror(errno));
	buf_free(out);
	return rc < 0 ? cli_fail(cli, &err) : CLI_OK;
}

static const struct code_words {
	int code;
	const char *word, *todo;
} code_words[] = {
	{ ERR_NOMEM, "out_of_memory", "free some memory and try again" },
	{ ERR_IO, "io", "look at the disk's free space and the file's permissions" },
	{ ERR_FULL, "disk_full", "make room on the disk and try again" },
	{ ERR_CORRUPT, "corrupt", "run yizhan doctor, and restore a backup if it agrees" },
	{ ERR_INVALID, "invalid", NULL },
	{ ERR_NOTFOUND, "not_found", NULL },
	{ ERR_BUSY, "busy", "try again in a moment" },
	{ ERR_DENIED, "denied", "ask whoever runs the hub" },
};

static const struct code_words *
words_of(int code)
{
	size_t i = 0;

	while (i + 1 < sizeof code_words / sizeof code_words[0] && code_words[i].code != code)
		i++;
	return &code_words[i];
}

/* The words behind the message's last "; ", cut off there; NULL if it has none. */
static const char *
split_advice(char *message)
{
	char *at = NULL;

	for (char *next = message; (next = strstr(next, "; ")) != NULL; next += 2)
		at = next;
	if (at == NULL)
		return NULL;
	*at = 0;
	return at + 2;
}

int
cli_advise(struct err *err, const char *todo)
{
	char why[ERR_MSG_SIZE];
	int room = (int)(sizeof err->msg - sizeof "; " - strlen(todo));

	text_copy(why, sizeof why, err->msg);
	if (split_advice(why) == NULL)
		err_set(err, err->code, "%.*s; %s", room, why, todo);
	return err->code;
}

static void
tell(const struct cli *cli, const char *word, const char *message, const char *todo)
{
	struct buf out = { 0 };
	struct json j = json_to(&out);

	if (!cli->json) {
		/* a message may quote what a peer or a file said */
		log_escape(&out, message);
		buf_printf(&out, "; ");
		log_escape(&out, todo);
		fprintf(stderr, "yizhan%s%s: %s\n", cli->cmd == NULL ? "" : " ",
		        cli->cmd == NULL ? "" : cli->cmd->name, buf_str(&out));
		buf_free(&out);
		return;
	}
	json_object(&j);
	json_name(&j, "error");
	json_object(&j);
	json_name(&j, "code");
	json_text(&j, word);
	json_name(&j, "message");
	json_text(&j, message);
	json_name(&j, "do");
	json_text(&j, todo);
	json_end_object(&j);
	json_end_object(&j);
	printf("%s\n", buf_str(&out));
	buf_free(&out);
}

void
cli_warn(const struct cli *cli, const char *sentence)
{
	struct buf out = { 0 };

	log_escape(&out, sentence);
	fprintf(stderr, "yizhan %s: warning: %s\n", cli->cmd->name, buf_str(&out));
	buf_free(&out);
}

int
cli_fail_as(const struct cli *cli, int exit_code, const struct err *err)
{
	const struct code_words *words = words_of(err->code);
	const char *todo;
	char message[ERR_MSG_SIZE], general[64];

	text_copy(message, sizeof message, err->msg);
	todo = split_advice(message);
	if (todo == NULL)
		todo = words->todo;
	if (todo == NULL) {
		snprintf(general, sizeof general, "see yizhan help %s",
		         cli->cmd == NULL ? "" : cli->cmd->name);
		todo = general;
	}
	tell(cli, exit_code == CLI_UNREACHABLE ? "unreachable" : words->word, message, todo);
	return exit_code;
}

int
cli_fail(const struct cli *cli, const struct err *err)
{
	return cli_fail_as(cli, CLI_FAILED, err);
}

int
cli_usage(const struct cli *cli, const char *fmt, ...)
{
	char message[ERR_MSG_SIZE];
	struct buf todo = { 0 };
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof message, fmt, args);
	va_end(args);
	if (cli->cmd == NULL) {
		buf_printf(&todo, "yizhan help lists the commands");
	} else {
		buf_printf(&todo, "usage: ");
		cli_help_line(&todo, cli->cmd); /* as long as it is */
	}
	tell(cli, "usage", message, buf_str(&todo));
	buf_free(&todo);
	return CLI_USAGE;
}

/* ---- one word of a command ---- */

int
cli_run_sub(const struct cli *cli, cli_sub *sub, enum store_mode mode)
{
	struct store_db *db = NULL;
	struct arena a = { 0 };
	struct buf out = { 0 };
	struct err err;
	int rc, code;

	rc = cli_open(cli, mode, &db, &err);
	if (rc == 0)
		rc = store_db_begin(db, &err);
	if (rc == 0)
		rc = sub(cli, db, &a, &out, &err);
	if (out.len > 0)
		buf_u8(&out, '\n');
	store_db_close(db);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	arena_free(&a);
	return code;
}

const char *
cli_who(void)
{
	const struct passwd *user = getpwuid(geteuid());

	return user == NULL ? "" : user->pw_name;
}
