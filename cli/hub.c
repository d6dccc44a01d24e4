#include "cli/hub.h"
#include "node/hub/hub_schema.h"
#include "node/role.h"

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
