/*
 * cli/main.c - the command line: which command, which directory, which options.
 *
 *     yizhan [-C DIR] COMMAND [OPTIONS] [OPERANDS]
 */
#include "cli/cmd.h"
#include "store/base/hash.h"

#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * In the order of the usage text: the day-to-day ones first.  One a line, so that two additions
 * don't meet.
 */
/* clang-format off */
const struct cmd *const cli_commands[] = {
	&cmd_demo,
	&cmd_load,
	&cmd_init,
	&cmd_run,
	&cmd_enrol,
	&cmd_sync,
	&cmd_status,
	&cmd_sql,
	&cmd_log,
	&cmd_history,
	&cmd_conflicts,
	&cmd_quarantine,
	&cmd_track,
	&cmd_schema,
	&cmd_verify,
	&cmd_doctor,
	&cmd_import,
	&cmd_export,
	&cmd_archive,
	&cmd_backup,
	&cmd_token,
	&cmd_nodes,
	&cmd_admin,
	&cmd_seats,
	&cmd_share,
	&cmd_help,
	NULL,
};
/* clang-format on */

static const struct cmd *
find_command(const char *name)
{
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		if (strcmp(cli_commands[i]->name, name) == 0)
			return cli_commands[i];
	return NULL;
}

/* ---- options ---- */

enum { OPT_JSON = 1000, OPT_HELP, OPT_FIRST };

/* getopt's table for a command; an option's value is OPT_FIRST + its place. */
static void
fill_options(struct option *list, const struct cmd *cmd)
{
	const struct cmd_option *own = cmd->options;
	size_t n = 0;

	if (cmd->json)
		list[n++] = (struct option){ "json", no_argument, NULL, OPT_JSON };
	list[n++] = (struct option){ "help", no_argument, NULL, OPT_HELP };
	for (size_t i = 0; own != NULL && own[i].name != NULL; i++)
		list[n++] = (struct option){ own[i].name,
			                     own[i].arg == NULL ? no_argument : required_argument,
			                     NULL, OPT_FIRST + (int)i };
	list[n] = (struct option){ 0 };
}

static int
show_help(const struct cli *cli)
{
	struct buf out = { 0 };
	int code;

	if (cli->cmd == NULL)
		cli_help_all(&out);
	else
		cli_help_command(&out, cli->cmd);
	code = cli_print(cli, &out);
	buf_free(&out);
	return code;
}

/* Take the options behind the command's name; CLI_OK with cli->argc, argv left to the operands. */
static int
parse_options(struct cli *cli, int argc, char **argv, bool *done)
{
	struct option list[CLI_OPTIONS_MAX + 3];
	int opt;

	fill_options(list, cli->cmd);
	optind = 0; /* GNU: begin anew, and forget the "+" of the first round */
	while ((opt = getopt_long(argc, argv, ":", list, NULL)) != -1) {
		if (opt == '?')
			return cli_usage(cli, "there is no option %s", argv[optind - 1]);
		if (opt == ':')
			return cli_usage(cli, "the option %s needs a value", argv[optind - 1]);
		if (opt == OPT_HELP) {
			*done = true;
			return show_help(cli);
		}
		if (opt == OPT_JSON)
			continue;
		if (cli->given_count == CLI_OPTIONS_MAX)
			return cli_usage(cli, "more than %d options", CLI_OPTIONS_MAX);
		cli->given[cli->given_count++] =
		        (struct cli_given){ cli->cmd->options[opt - OPT_FIRST].name,
			                    optarg == NULL ? "" : optarg };
	}
	cli->argc = argc - optind;
	cli->argv = argv + optind;
	return CLI_OK;
}

static int
run_command(struct cli *cli, int argc, char **argv)
{
	const struct cmd *cmd = cli->cmd;
	bool done = false;
	int code = parse_options(cli, argc, argv, &done);

	if (code != CLI_OK || done)
		return code;
	if (cli->argc < cmd->min)
		return cli_usage(cli, "too few words: it takes %s", cmd->args);
	if (cmd->max >= 0 && cli->argc > cmd->max)
		return cli_usage(cli, "\"%s\" is one word too many", cli->argv[cmd->max]);
	return cmd->run(cli);
}

/* ---- the program ---- */

/* Is there a --json behind the command's name?  Asked before parsing, so that also a wrong command
 * line is answered in the form that was wanted. */
static bool
wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

/* The options before the command. */
static int
parse_global(struct cli *cli, int argc, char **argv, bool *done)
{
	static const struct option list[] = {
		{ "directory", required_argument, NULL, 'C' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, OPT_JSON },
		{ 0 },
	};
	int opt;

	opterr = 0; /* our own sentences */
	while ((opt = getopt_long(argc, argv, "+:C:h", list, NULL)) != -1) {
		switch (opt) {
		case 'C':
			cli->dir = optarg;
			break;
		case 'h':
			*done = true;
			return show_help(cli);
		case OPT_JSON:
			break;
		case ':':
			return cli_usage(cli, "the option %s needs a value", argv[optind - 1]);
		default:
			return cli_usage(cli, "there is no option %s before the command",
			                 argv[optind - 1]);
		}
	}
	return CLI_OK;
}

/* The widths of Chinese characters are known only under a UTF-8 locale. */
static void
choose_locale(void)
{
	if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX < 4)
		setlocale(LC_CTYPE, "C.UTF-8");
}

int
main(int argc, char **argv)
{
	struct cli cli = { .dir = getenv("YIZHAN_DIR"), .json = wants_json(argc, argv) };
	bool done = false;
	int code, first;

	if (!hash_init()) {
		fprintf(stderr, "yizhan: libsodium doesn't start; is it installed?\n");
		return CLI_FAILED;
	}
	choose_locale();
	if (cli.dir == NULL || cli.dir[0] == 0)
		cli.dir = ".";
	code = parse_global(&cli, argc, argv, &done);
	if (code != CLI_OK || done)
		return code;
	first = optind;
	if (first == argc)
		return cli_usage(&cli, "there is no command");
	cli.cmd = find_command(argv[first]);
	if (cli.cmd == NULL)
		return cli_usage(&cli, "there is no command \"%s\"", argv[first]);
	return run_command(&cli, argc - first, argv + first);
}
