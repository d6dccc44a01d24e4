/* cli/cmd_init.c - make a node or a hub. */
#include "cli/cmd.h"
#include "node/config.h"
#include "node/init.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <string.h>

static void
describe(const struct cli *cli, const struct node_init *what, const struct store_site *self,
         struct buf *out)
{
	char node[2 * STORE_NODE_ID + 1], epoch[2 * STORE_EPOCH + 1];
	struct json j = json_to(out);

	text_hex(node, self->node, STORE_NODE_ID);
	text_hex(epoch, self->epoch, STORE_EPOCH);
	if (!cli->json) {
		if (what->facility == NULL)
			buf_printf(out, "hub %s in %s\n", node, what->dir);
		else
			buf_printf(out, "node %s of facility %s in %s\n", node, what->facility,
			           what->dir);
		return;
	}
	json_object(&j);
	json_name(&j, "node");
	json_text(&j, node);
	json_name(&j, "epoch");
	json_text(&j, epoch);
	json_name(&j, "facility");
	json_text(&j, what->facility);
	json_name(&j, "role");
	json_text(&j, what->facility == NULL ? "hub" : "node");
	json_end_object(&j);
	buf_u8(out, '\n');
}

static int
run(struct cli *cli)
{
	struct node_init what = {
		.dir = cli->dir,
		.facility = cli_option(cli, "facility"),
		.name = cli_option(cli, "name"),
		.group = cli_option(cli, "group"),
	};
	bool hub = cli_option(cli, "hub") != NULL;
	struct store_site self;
	struct buf out = { 0 };
	struct err err;
	int code;

	if (hub == (what.facility != NULL))
		return cli_usage(cli, "%s",
		                 hub ? "a hub has no facility"
		                     : "either --facility ID or --hub is needed");
	if (!hub && !config_is_facility_id(what.facility))
		return cli_usage(cli,
		                 "\"%.60s\" can't be a facility's ID, which is 1 to %d of A-Z a-z "
		                 "0-9 - _",
		                 what.facility, CONFIG_ID_MAX);
	if (node_init(&what, env_real(), &self, &err) < 0)
		return cli_fail(cli, &err);
	describe(cli, &what, &self, &out);
	code = cli_print(cli, &out);
	buf_free(&out);
	return code;
}

static const struct cmd_option options[] = {
	{ "facility", "ID", "the facility whose records are kept here" },
	{ "hub", NULL, "make a hub, which facilities' nodes exchange with" },
	{ "name", "NAME", "what people call it; at the facility's first node only" },
	{ "group", "GROUP", "let this Unix group's programs write the database" },
	{ 0 },
};

const struct cmd cmd_init = {
	.name = "init",
	.args = "",
	.help = "make a node for a facility, or a hub",
	.options = options,
	.json = true,
	.run = run,
};
