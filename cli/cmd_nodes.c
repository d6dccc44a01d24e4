/* cli/cmd_nodes.c - at the hub: which nodes it knows. */
#include "cli/hub.h"
#include "cli/table.h"
#include "node/hub/hub_node.h"
#include "store/base/json.h"
#include "store/base/text.h"
#include "sync/life.h"

#include <string.h>

static void
node_json(struct json *j, const struct hub_node *n, const char *life)
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
	json_name(j, "life");
	json_text(j, life);
	json_end_object(j);
}

static void
node_row(struct table *t, const struct hub_node *n, const char *life)
{
	char node[2 * STORE_NODE_ID + 1], since[TEXT_TIME_SIZE];
	const char *texts[6] = { node,     n->facility,
		                 n->label, n->revoked_ms == 0 ? "granted" : "revoked",
		                 since,    life == NULL ? "" : life };

	text_hex(node, n->node, STORE_NODE_ID);
	text_time(since, n->since_ms);
	table_row(t, texts);
}

/* What happened to the node's file this week; NULL if nothing. */
static int
life_of(struct store_db *db, const struct hub_node *n, const char **life, struct err *err)
{
	enum sync_life_word word;
	int rc = sync_life_of(db, n->node, env_wall_ms(store_db_env(db)), &word, err);

	*life = rc < 0 ? NULL : sync_life_name(word);
	return rc;
}

static int
print_rows(struct store_db *db, const struct hub_node *list, size_t count, struct err *err)
{
	static const char *const names[] = { "NODE", "FACILITY", "NAME", "STATE", "SINCE", "LIFE" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	const char *life;
	int rc = 0;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = life_of(db, &list[i], &life, err);
		if (rc == 0)
			node_row(t, &list[i], life);
	}
	if (rc == 0)
		rc = table_print(t, err);
	table_free(t);
	return rc;
}

static int
write_rows(struct store_db *db, const struct hub_node *list, size_t count, struct buf *out,
           struct err *err)
{
	struct json j = json_to(out);
	const char *life;
	int rc = 0;

	json_array(&j);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = life_of(db, &list[i], &life, err);
		if (rc == 0)
			node_json(&j, &list[i], life);
	}
	json_end_array(&j);
	buf_u8(out, '\n');
	return rc;
}

static int
list_nodes(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	struct hub_node *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = hub_node_list(db, &a, &list, &count, err);

	if (rc == 0)
		rc = cli->json ? write_rows(db, list, count, out, err)
		               : print_rows(db, list, count, err);
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
	.help = "at the hub: list the nodes it knows, and which were restored or cloned this week, "
	        "or shut one out",
	.json = true,
	.max = 2,
	.run = run,
};
