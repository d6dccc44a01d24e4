/*
 * cli/cmd_nodes.c - at the hub: how the nodes stand that it knows (node/hub/fleet.h).
 *
 * Exit code 4 if one of those that are listed is in state alarm or warning.
 */
#include "cli/hub.h"
#include "cli/table.h"
#include "node/hub/fleet.h"
#include "node/hub/hub_key.h"
#include "node/hub/hub_node.h"
#include "node/hub/session.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <stdio.h>
#include <string.h>

static const char unknown[] = "unknown";

/* ---- list ---- */

enum { COLUMNS = 10 };

/* "3d 4h", "5h 12m", "41s": so long ago. */
static void
put_ago(char out[24], int64_t then_ms, int64_t now_ms)
{
	long long s = now_ms > then_ms ? (now_ms - then_ms) / 1000 : 0;

	if (s >= 86400)
		snprintf(out, 24, "%lldd %lldh", s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		snprintf(out, 24, "%lldh %lldm", s / 3600, s % 3600 / 60);
	else if (s >= 60)
		snprintf(out, 24, "%lldm", s / 60);
	else
		snprintf(out, 24, "%llds", s);
}

static void
put_causes(struct buf *out, unsigned causes)
{
	for (size_t i = 0; i < FLEET_CAUSES; i++)
		if ((causes >> i & 1) != 0)
			buf_printf(out, "%s%s", out->len > 0 ? " " : "", fleet_cause_word(i));
}

/* What became of its file, and what it saw become of this one, this week. */
static void
put_life(struct buf *out, const struct fleet_node *n)
{
	const char *life = sync_life_name(n->life);

	if (life != NULL)
		buf_printf(out, "%s", life);
	if (n->report.hub_went_back)
		buf_printf(out, "%ssaw the hub go back", life != NULL ? ", " : "");
}

static void
put_row(struct table *t, const struct fleet_node *n, int64_t now_ms)
{
	char id[2 * STORE_NODE_ID + 1], ago[24] = "never", lacking[24];
	struct buf causes = { 0 }, life = { 0 };
	const char *texts[COLUMNS] = { id,
		                       n->node.facility,
		                       n->name[0] != 0 ? n->name : n->node.label,
		                       n->street[0] != 0 ? n->street : unknown,
		                       fleet_state_word(n->state),
		                       ago,
		                       n->lacking < 0 ? unknown : lacking,
		                       n->report.version[0] != 0 ? n->report.version : unknown };

	text_hex(id, n->node.node, STORE_NODE_ID);
	if (n->met_ms > 0)
		put_ago(ago, n->met_ms, now_ms);
	snprintf(lacking, sizeof lacking, "%lld", (long long)n->lacking);
	put_causes(&causes, n->causes);
	put_life(&life, n);
	texts[COLUMNS - 2] = buf_str(&life);
	texts[COLUMNS - 1] = buf_str(&causes);
	table_row(t, texts);
	buf_free(&life);
	buf_free(&causes);
}

static int
print_table(const struct fleet *fleet, int64_t now_ms, struct err *err)
{
	static const char *const names[COLUMNS] = { "NODE",  "FACILITY", "NAME",    "STREET",
		                                    "STATE", "CAME",     "BACKLOG", "VERSION",
		                                    "LIFE",  "CAUSES" };
	struct table *t = table_new(names, COLUMNS);
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; i < fleet->count; i++)
		put_row(t, &fleet->list[i], now_ms);
	rc = table_print(t, err);
	table_free(t);
	return rc;
}

static void
write_list(const struct fleet *fleet, struct buf *out)
{
	struct json j = json_to(out);

	json_array(&j);
	for (size_t i = 0; i < fleet->count; i++)
		fleet_json(&j, &fleet->list[i]);
	json_end_array(&j);
	buf_u8(out, '\n');
}

static int
list_nodes(const struct cli *cli, struct store_db *db, struct buf *out, bool *needs,
           struct err *err)
{
	int64_t now = env_wall_ms(store_db_env(db)), range[2] = { 0, INT64_MAX };
	struct fleet_filter filter = { .state = cli_option(cli, "state"),
		                       .street = cli_option(cli, "street"),
		                       .version = cli_option(cli, "version") };
	struct arena a = { 0 };
	struct fleet fleet = { 0 };
	int rc = cli_option_int(cli, "backlog", -1, range, &filter.backlog, err);

	if (rc == 0)
		rc = fleet_read(db, &filter, now, &a, &fleet, err);
	if (rc == 0 && cli->json)
		write_list(&fleet, out);
	else if (rc == 0 && fleet.count == 0)
		buf_printf(out, cli->given_count > 0
		                        ? "none; yizhan nodes without a filter lists all\n"
		                        : "none; yizhan enrol new makes a code for one\n");
	else if (rc == 0)
		rc = print_table(&fleet, now, err);
	*needs = rc == 0 && fleet.of_state[FLEET_ALARM] + fleet.of_state[FLEET_WARNING] > 0;
	arena_free(&a);
	return rc;
}

/* ---- one of them ---- */

/* The node that the line names by the first digits of its id, and the whole id. */
static int
find_node(const struct cli *cli, struct store_db *db, struct arena *a, struct hub_node *node,
          char id[2 * STORE_NODE_ID + 1], struct err *err)
{
	int rc = hub_node_named(db, cli->argv[1], a, node, err);

	text_hex(id, node->node, STORE_NODE_ID);
	return rc;
}

/* ---- show ---- */

static void
line_time(struct buf *out, const char *name, int64_t ms, const char *none)
{
	char at[TEXT_TIME_SIZE];

	text_time(at, ms);
	buf_printf(out, "%-22s %s\n", name, ms > 0 ? at : none);
}

static void
line_text(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "%-22s %s\n", name, text[0] != 0 ? text : unknown);
}

static void
line_int(struct buf *out, const char *name, bool known, int64_t value, const char *unit)
{
	buf_printf(out, "%-22s ", name);
	if (known)
		buf_printf(out, "%lld%s\n", (long long)value, unit);
	else
		buf_printf(out, "%s\n", unknown);
}

static void
show_place(struct buf *out, const struct fleet_node *n)
{
	if (n->placed)
		buf_printf(out, "%-22s %.6f, %.6f\n", "latitude, longitude",
		           (double)n->lat_e6 / 1e6, (double)n->lon_e6 / 1e6);
	else
		line_text(out, "latitude, longitude", "");
}

static void
show_report(struct buf *out, const struct fleet_node *n)
{
	const struct report *r = &n->report;
	bool told = n->reported_ms > 0;

	line_time(out, "it told of itself", n->reported_ms, "never");
	line_text(out, "version", r->version);
	line_int(out, "database format", r->format >= 0, r->format, "");
	line_int(out, "changes waiting then", r->waiting >= 0, r->waiting, "");
	line_time(out, "the oldest since", r->oldest_ms > 0 ? r->oldest_ms : 0,
	          r->waiting == 0 ? "-" : unknown);
	line_int(out, "open conflicts", r->conflicts >= 0, r->conflicts, "");
	line_int(out, "in quarantine", r->quarantined >= 0, r->quarantined, "");
	line_int(out, "hub's time - its clock", r->clock_known, r->clock_offset_ms, " ms");
	line_text(out, "its clock", !told ? "" : r->clock_unsure ? "unsure" : "plausible");
	line_int(out, "database", r->db_bytes >= 0, r->db_bytes / 1000000, " MB");
	line_int(out, "room on its disk", r->disk_free >= 0, r->disk_free / 1000000,
	         r->disk_full ? " MB: full, it takes nothing new" : " MB");
	line_int(out, "scopes that differ", r->differing >= 0, r->differing, "");
	line_text(out, "it saw the hub go back",
	          !told              ? ""
	          : r->hub_went_back ? "yes, this week"
	                             : "no");
}

static void
show_text(struct buf *out, const struct fleet_node *n)
{
	char id[2 * STORE_NODE_ID + 1];
	const char *life = sync_life_name(n->life);
	struct buf causes = { 0 };

	text_hex(id, n->node.node, STORE_NODE_ID);
	put_causes(&causes, n->causes);
	line_text(out, "node", id);
	line_text(out, "name", n->node.label);
	buf_printf(out, "%-22s %s %s\n", "facility", n->node.facility, n->name);
	line_text(out, "subdistrict", n->street);
	show_place(out, n);
	buf_printf(out, "%-22s %s%s%s\n", "state", fleet_state_word(n->state),
	           causes.len > 0 ? ": " : "", buf_str(&causes));
	line_time(out, "enrolled", n->node.since_ms, unknown);
	line_time(out, "revoked", n->node.revoked_ms, "-");
	line_int(out, "grant", true, n->node.version, "");
	line_time(out, "last exchange", n->met_ms, "never");
	line_int(out, "backlog, records", n->lacking >= 0, n->lacking, "");
	line_text(out, "digests", fleet_digest_word(n->digest));
	line_time(out, "compared", n->digest_ms, "not yet");
	line_text(out, "life", life == NULL ? "quiet this week" : life);
	show_report(out, n);
	buf_free(&causes);
}

static int
show_node(const struct cli *cli, struct store_db *db, struct buf *out, bool *needs, struct err *err)
{
	char id[2 * STORE_NODE_ID + 1];
	struct fleet_filter filter = { .backlog = -1, .node = id };
	struct json j = json_to(out);
	struct arena a = { 0 };
	struct hub_node node;
	struct fleet fleet = { 0 };
	int rc = find_node(cli, db, &a, &node, id, err);

	if (rc == 0)
		rc = fleet_read(db, &filter, env_wall_ms(store_db_env(db)), &a, &fleet, err);
	if (rc == 0 && fleet.count != 1)
		rc = err_set(err, ERR_CORRUPT, "node %s is listed %zu times", id, fleet.count);
	if (rc == 0 && cli->json) {
		fleet_json(&j, &fleet.list[0]);
		buf_u8(out, '\n');
	} else if (rc == 0) {
		show_text(out, &fleet.list[0]);
	}
	*needs = rc == 0 &&
	         (fleet.list[0].state == FLEET_ALARM || fleet.list[0].state == FLEET_WARNING);
	arena_free(&a);
	return rc;
}

/* ---- revoke ---- */

/* What is decided of one node: `by` does it, and the hub's log of its administrators keeps who
 * did. */
static int
decide(const struct cli *cli, struct store_db *db, char id[2 * STORE_NODE_ID + 1], const char *did,
       int (*by)(struct store_db *, const uint8_t node[STORE_NODE_ID], struct err *),
       struct err *err)
{
	struct arena a = { 0 };
	struct hub_node node;
	char what[80];
	int rc = find_node(cli, db, &a, &node, id, err);

	if (rc == 0)
		rc = by(db, node.node, err);
	snprintf(what, sizeof what, "%s node %.32s", did, id);
	if (rc == 0)
		rc = session_log_decided(db, cli_who(), what, err);
	arena_free(&a);
	return rc;
}

static int
revoke_now(struct store_db *db, const uint8_t node[STORE_NODE_ID], struct err *err)
{
	return hub_node_revoke(db, node, env_wall_ms(env_real()), err);
}

static int
revoke(const struct cli *cli, struct store_db *db, struct buf *out, bool *needs, struct err *err)
{
	char id[2 * STORE_NODE_ID + 1];
	int rc = decide(cli, db, id, "revoked", revoke_now, err);

	*needs = false;
	if (rc == 0)
		buf_printf(out,
		           cli->json ? "{\"node\":\"%s\",\"state\":\"revoked\"}\n"
		                     : "node %s opens nothing any more\n",
		           id);
	return rc;
}

static int
allow(struct store_db *db, const uint8_t node[STORE_NODE_ID], struct err *err)
{
	int rc = hub_key_allow(db, node, err);

	return rc == ERR_NOTFOUND ? err_set(err, ERR_DENIED, "%s", hub_node_revoked_words) : rc;
}

/* The machine with the node's key is gone, and an older copy of it is to go on. */
static int
rekey(const struct cli *cli, struct store_db *db, struct buf *out, bool *needs, struct err *err)
{
	char id[2 * STORE_NODE_ID + 1];
	int rc = decide(cli, db, id, "allowed another key to", allow, err);

	*needs = false;
	if (rc == 0)
		buf_printf(out,
		           cli->json ? "{\"node\":\"%s\",\"state\":\"rekey\"}\n"
		                     : "node %s may replace its key once from an older one: yizhan "
		                       "rotate there\n",
		           id);
	return rc;
}

static const struct word {
	const char *name;
	int args;
	bool filters; /* takes the options */
	int (*does)(const struct cli *, struct store_db *, struct buf *, bool *, struct err *);
	const char *usage;
} words[] = {
	{ "list", 1, true, list_nodes, "list takes no more words" },
	{ "show", 2, false, show_node, "show needs one NODE" },
	{ "revoke", 2, false, revoke, "revoke needs one NODE" },
	{ "rekey", 2, false, rekey, "rekey needs one NODE" },
};

/* CLI_OK if the options and words can be. */
static int
check_line(const struct cli *cli, const struct word *word)
{
	const char *state = cli_option(cli, "state");

	if (word == NULL)
		return cli_usage(cli, "nodes can't \"%s\"", cli->argv[0]);
	if (cli->argc > 0 && cli->argc != word->args)
		return cli_usage(cli, "%s", word->usage);
	if (!word->filters && cli->given_count > 0)
		return cli_usage(cli, "%s takes no --%s", word->name, cli->given[0].name);
	if (state != NULL && !fleet_is_state(state))
		return cli_usage(cli,
		                 "--state is alarm, warning, never, in_order or revoked, not %.40s",
		                 state);
	return CLI_OK;
}

static int
run(struct cli *cli)
{
	const struct word *word = cli->argc == 0 ? &words[0] : NULL;
	struct store_db *db = NULL;
	struct buf out = { 0 };
	bool needs = false;
	struct err err;
	int rc, code;

	for (size_t i = 0; cli->argc > 0 && i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].name, cli->argv[0]) == 0)
			word = &words[i];
	code = check_line(cli, word);
	if (code != CLI_OK || word == NULL)
		return code;
	rc = cli_hub_open(cli, &db, &err);
	if (rc == 0)
		rc = word->does(cli, db, &out, &needs, &err);
	store_db_close(db);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code == CLI_OK && needs ? CLI_ATTENTION : code;
}

static const struct cmd_option options[] = {
	{ "state", "WORD", "list: alarm, warning, never, in_order or revoked" },
	{ "street", "CODE", "list: those of one subdistrict" },
	{ "version", "V", "list: those with this program; unknown: those that didn't tell" },
	{ "backlog", "N", "list: those of which the hub lacks at least N records" },
	{ 0 },
};

const struct cmd cmd_nodes = {
	.name = "nodes",
	.args = "[list | show NODE | revoke NODE | rekey NODE]",
	.help = "at the hub: list the nodes it knows, how they stand and which were restored or "
	        "cloned this week, shut one out, or let an older copy of one replace its key",
	.options = options,
	.json = true,
	.max = 2,
	.run = run,
};
