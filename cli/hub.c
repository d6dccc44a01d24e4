#include "cli/hub.h"
#include "node/hub/hub_schema.h"
#include "node/role.h"

#include <string.h>

int
cli_hub_open(const struct cli *cli, struct store_db **db, struct err *err)
{
	struct node_role role;
	int rc = cli_open(cli, STORE_MERGE, db, err);

	if (rc == 0)
		rc = node_role_get(*db, &role, err);
	if (rc == 0 && !role.is_hub)
		rc = err_set(err, ERR_INVALID,
		             "%s is a facility's node; yizhan %s is for the hub's directory",
		             cli->dir, cli->cmd->name);
	return rc == 0 ? hub_schema_migrate(*db, err) : rc;
}

const struct cli_word *
cli_hub_word(const struct cli *cli, const struct cli_word *words, size_t count, int *code)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i].name, cli->argv[0]) != 0)
			continue;
		if (cli->argc == words[i].args)
			return &words[i];
		*code = cli_usage(cli, "%s", words[i].usage);
		return NULL;
	}
	*code = cli_usage(cli, "%s can't \"%s\"", cli->cmd->name, cli->argv[0]);
	return NULL;
}

int
cli_hub_run(const struct cli *cli, const struct cli_word *word)
{
	struct store_db *db = NULL;
	struct buf out = { 0 };
	struct err err;
	int code, rc = cli_hub_open(cli, &db, &err);

	if (rc == 0)
		rc = word->does(cli, db, &out, &err);
	store_db_close(db);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code;
}
