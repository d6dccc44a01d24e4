/* cli/cmd_status.c - the truth in one line, and in the exit code. */
#include "cli/cmd.h"
#include "node/status.h"

static int
run(struct cli *cli)
{
	struct store_db *db = NULL;
	struct node_status status;
	struct arena a = { 0 };
	struct buf out = { 0 };
	struct json j = json_to(&out);
	int64_t now = env_wall_ms(env_real());
	struct err err;
	int rc, code;

	rc = cli_open(cli, STORE_READ, &db, &err);
	if (rc == 0)
		rc = node_status_read(db, cli->dir, &a, &status, &err);
	store_db_close(db);
	if (rc < 0) {
		arena_free(&a);
		return cli_fail(cli, &err);
	}
	if (cli->json)
		node_status_json(&j, &status, now);
	else
		node_status_line(&out, &status, now);
	buf_u8(&out, '\n');
	code = cli_print(cli, &out);
	if (code == CLI_OK)
		code = node_status_exit(node_status_state(&status));
	buf_free(&out);
	arena_free(&a);
	return code;
}

const struct cmd cmd_status = {
	.name = "status",
	.args = "",
	.help = "say how it stands with the hub, whether the disk is full, and what was put back "
	        "or "
	        "cloned this week; exit code 3: unreachable, 4: needs a person",
	.json = true,
	.run = run,
};
