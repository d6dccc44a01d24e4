/* cli/cmd_help.c - the texts that come out of the command table. */
#include "cli/cmd.h"

#include <string.h>

static const char global_options[] =
        "  -C DIR      the node's directory (default: $YIZHAN_DIR, else the current one)\n"
        "  --help      this text, or a command's\n"
        "  --json      one JSON document on standard output, also for errors\n";

static const char exit_codes[] =
        "Exit codes: 0 in order, 1 error, 2 wrong command line, 3 the peer "
        "can't be reached, 4 needs a person, 5 partly done.\n";

void
cli_help_line(struct buf *out, const struct cmd *cmd)
{
	buf_printf(out, "yizhan [-C DIR] %s", cmd->name);
	for (size_t i = 0; cmd->options != NULL && cmd->options[i].name != NULL; i++)
		buf_printf(out, cmd->options[i].arg == NULL ? " [--%s]" : " [--%s %s]",
		           cmd->options[i].name, cmd->options[i].arg);
	if (cmd->json)
		buf_printf(out, " [--json]");
	if (cmd->args[0] != 0)
		buf_printf(out, " %s", cmd->args);
}

void
cli_help_all(struct buf *out)
{
	buf_printf(out, "usage: yizhan [-C DIR] COMMAND ...\n\n");
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		buf_printf(out, "  %-11s %s\n", cli_commands[i]->name, cli_commands[i]->help);
	buf_printf(out, "\n%s\n%s", global_options, exit_codes);
}

void
cli_help_command(struct buf *out, const struct cmd *cmd)
{
	buf_printf(out, "usage: ");
	cli_help_line(out, cmd);
	buf_printf(out, "\n\n  %s\n", cmd->help);
	for (size_t i = 0; cmd->options != NULL && cmd->options[i].name != NULL; i++) {
		const struct cmd_option *o = &cmd->options[i];

		buf_printf(out, "%s  --%s %s\n              %s\n", i == 0 ? "\n" : "", o->name,
		           o->arg == NULL ? "" : o->arg, o->help);
	}
}

/* scdoc takes '_' and '*' for emphasis. */
static void
put_scdoc(struct buf *out, const char *text)
{
	for (; *text != 0; text++)
		buf_printf(out, strchr("_*#\\<>", *text) != NULL ? "\\%c" : "%c", *text);
}

void
cli_help_manual(struct buf *out)
{
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		const struct cmd *cmd = cli_commands[i];

		buf_printf(out, "*%s* ", cmd->name);
		put_scdoc(out, cmd->args);
		buf_printf(out, "\n\t");
		put_scdoc(out, cmd->help);
		buf_printf(out, ".\n");
		for (size_t k = 0; cmd->options != NULL && cmd->options[k].name != NULL; k++) {
			buf_printf(out, "\n\t*--%s*", cmd->options[k].name);
			if (cmd->options[k].arg != NULL)
				buf_printf(out, " _%s_", cmd->options[k].arg);
			buf_printf(out, ": ");
			put_scdoc(out, cmd->options[k].help);
			buf_printf(out, ".\n");
		}
		buf_printf(out, "\n");
	}
}

static int
run(struct cli *cli)
{
	struct buf out = { 0 };
	int code;

	if (cli_option(cli, "manual") != NULL)
		cli_help_manual(&out);
	else if (cli->argc == 0)
		cli_help_all(&out);
	for (size_t i = 0; cli->argc == 1 && cli_commands[i] != NULL; i++)
		if (strcmp(cli_commands[i]->name, cli->argv[0]) == 0)
			cli_help_command(&out, cli_commands[i]);
	if (out.len == 0 && !out.bad)
		return cli_usage(cli, "there is no command \"%s\"", cli->argv[0]);
	code = cli_print(cli, &out);
	buf_free(&out);
	return code;
}

static const struct cmd_option options[] = {
	{ "manual", NULL, "print the list of commands as it stands in the manual page" },
	{ 0 },
};

const struct cmd cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.help = "say how a command is used",
	.options = options,
	.max = 1,
	.run = run,
};
