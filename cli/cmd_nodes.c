/* cli/cmd_nodes.c - at the hub: which nodes it knows. */
#include "cli/hub.h"
#include "cli/table.h"
#include "node/hub_node.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <string.h>

static void
node_json(struct json *j, const struct hub_node *n)
{
	json_object(j);
	json_name(j, "node");
	json_hex(j, n->node, STORE_NODE_ID);
	json_name(j, "facility");
	json_text(j, n->facility);
	json_name(j, "name");
	json_text(j, n->label);
	json_name(j, "state");
	json_text(j, n->revoked_ms == 0 ? "granted" : "revoked");
	json_name(j, "since");
	json_time(j, n->since_ms);
	json_name(j, "revoked");
	if (n->revoked_ms == 0)
		json_null(j);
	else
		json_time(j, n->revoked_ms);
	json_end_object(j);
}

static void
node_row(struct table *t, const struct hub_node *n)
{
	char node[2 * STORE_NODE_ID + 1], since[TEXT_TIME_SIZE];
	const char *texts[5] = { node, n->facility, n->label,
		                 n->revoked_ms == 0 ? "granted" : "revoked", since };

	text_hex(node, n->node, STORE_NODE_ID);
	text_time(since, n->since_ms);
	table_row(t, texts);
}

static int
print_rows(const struct hub_node *list, size_t count, struct err *err)
{
	static const char *const names[] = { "NODE", "FACILITY", "NAME", "STATE", "SINCE" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; i < count; i++)
		node_row(t, &list[i]);
	rc = table_print(t, err);
	table_free(t);
	return rc;
}

static int
list_nodes(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	struct hub_node *list = NULL;
	struct json j = json_to(out);
	struct arena a = { 0 };
	size_t count = 0;
	int rc = hub_node_list(db, &a, &list, &count, err);

	if (rc == 0 && !cli->json) {
		rc = print_rows(list, count, err);
	} else if (rc == 0) {
		json_array(&j);
		for (size_t i = 0; i < count; i++)
			node_json(&j, &list[i]);
		json_end_array(&j);
		buf_u8(out, '\n');
	}
	arena_free(&a);
	return rc;
}

static int
revoke(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	const char *id = cli->argv[1];
	uint8_t node[STORE_NODE_ID];
	int rc;

	if (!text_unhex(node, sizeof node, id))
		return err_set(err, ERR_INVALID,
		               "\"%.60s\" is no node's id; yizhan nodes lists them", id);
	rc = hub_node_revoke(db, node, env_wall_ms(env_real()), err);
	if (rc == ERR_NOTFOUND)
		return err_set(err, rc, "there is no node %.40s here; yizhan nodes lists them", id);
	if (rc == 0 && cli->json)
		buf_printf(out, "{\"node\":\"%s\",\"state\":\"revoked\"}\n", id);
	else if (rc == 0)
		buf_printf(out, "node %s opens nothing any more\n", id);
	return rc;
}

static int
run(struct cli *cli)
{
	bool is_list = cli->argc == 0 || strcmp(cli->argv[0], "list") == 0;
	struct store_db *db = NULL;
	struct buf out = { 0 };
	struct err err;
	int rc, code;

	if (!is_list && strcmp(cli->argv[0], "revoke") != 0)
		return cli_usage(cli, "nodes can't \"%s\"", cli->argv[0]);
	if (is_list ? cli->argc > 1 : cli->argc != 2)
		return cli_usage(cli,
		                 is_list ? "list takes no more words" : "revoke needs one NODE");
	rc = cli_hub_open(cli, &db, &err);
	if (rc == 0)
		rc = is_list ? list_nodes(cli, db, &out, &err) : revoke(cli, db, &out, &err);
	store_db_close(db);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code;
}

const struct cmd cmd_nodes = {
	.name = "nodes",
	.args = "[list | revoke NODE]",
	.help = "at the hub: list the nodes it knows, or shut one out",
	.json = true,
	.max = 2,
	.run = run,
};
