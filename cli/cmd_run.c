/* cli/cmd_run.c - the daemon. */
#include "cli/cmd.h"
#include "node/http/listen.h"
#include "node/run.h"

#include <stdio.h>

static void
say_ready(void *ctx, const char *address)
{
	const struct cli *cli = ctx;

	if (cli->json)
		printf("{\"listen\":\"%s\"}\n", address);
	else
		printf("serving %s on http://%s\n", cli->dir, address);
	fflush(stdout);
}

static int
run(struct cli *cli)
{
	struct run_options options = {
		.dir = cli->dir,
		.listen = cli_option(cli, "listen"),
		.env = env_real(),
		.ready = say_ready,
		.ctx = cli,
	};
	struct err err;

	if (options.listen != NULL && listen_check(options.listen, &err) < 0)
		return cli_usage(cli, "--listen: %s", err.msg);
	if (cli_look(cli, &err) < 0 || run_daemon(&options, &err) < 0)
		return cli_fail(cli, &err);
	return CLI_OK;
}

static const struct cmd_option options[] = {
	{ "listen", "ADDR:PORT", "where to serve; port 0 takes any free one" },
	{ 0 },
};

const struct cmd cmd_run = {
	.name = "run",
	.args = "",
	.help = "serve this facility, or be the hub, until stopped",
	.options = options,
	.json = true,
	.run = run,
};
