/*
 * cli/cmd_seats.c - who may give away which seats (node/facility/seats.h): at the hub
 * to grant and take back, at a node to ask and give back, everywhere to list.
 *
 * What writes takes the lock, or knows that a daemon has it: whoever opens a node
 * finds out first whether its file was put back, and then it holds other seats.
 */
#include "cli/seats.h"
#include "node/hub/hub_node.h"
#include "node/role.h"
#include "node/station.h"
#include "store/base/json.h"
#include "store/base/text.h"
#include "sync/life.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A word of the command, at work. */
struct seats_work {
	const struct cli *cli;
	struct store_db *db; /* LOCAL, in a transaction */
	struct node_role role;
	struct buf *out;
};

/* ---- what is given ---- */

static int
read_count(const char *text, int64_t *value, struct err *err)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != 0 || *value < 0 || *value > SEATS_MAX)
		return err_set(err, ERR_INVALID,
		               "%.40s is no number of seats; give one from 0 to %d", text,
		               SEATS_MAX);
	return 0;
}

/* An option's number of seats. */
static int
option_count(const struct cli *cli, const char *name, int64_t missing, int64_t *value,
             struct err *err)
{
	return cli_option_int(cli, name, missing, (int64_t[2]){ 0, SEATS_MAX }, value, err);
}

static struct seats_kind
kind_of(const struct seats_work *w, const char *facility, const char *resource)
{
	const char *period = cli_option(w->cli, "period");

	return (struct seats_kind){ facility, resource, period == NULL ? "" : period };
}

/* ---- what is told ---- */

static void
tell_kind(struct json *j, const struct seats_kind *kind)
{
	json_name(j, "facility");
	json_text(j, kind->facility);
	json_name(j, "resource");
	json_text(j, kind->resource);
	json_name(j, "period");
	json_text(j, kind->period[0] == 0 ? NULL : kind->period);
}

/* {"facility","resource","period",NAME: count}, or the words. */
static void
tell(const struct seats_work *w, const struct seats_kind *kind, const char *name, int64_t count,
     const char *words)
{
	struct json j = json_to(w->out);

	if (!w->cli->json) {
		buf_printf(w->out, "%" PRId64 " seat%s of %s%s%s %s\n", count,
		           count == 1 ? "" : "s", kind->resource, kind->period[0] == 0 ? "" : ", ",
		           kind->period, words);
		return;
	}
	json_object(&j);
	tell_kind(&j, kind);
	json_name(&j, name);
	json_int(&j, count);
	json_end_object(&j);
	buf_u8(w->out, '\n');
}

/* ---- at the hub ---- */

/* Does the node stand for what --to says?  Without it, every one of the facility does. */
static bool
is_meant(const struct hub_node *n, const char *facility, const char *to)
{
	char hex[2 * STORE_NODE_ID + 1];

	text_hex(hex, n->node, STORE_NODE_ID);
	return n->revoked_ms == 0 && strcmp(n->facility, facility) == 0 &&
	       (to == NULL || strncmp(hex, to, strlen(to)) == 0);
}

/* How many nodes are meant, and the last of them. */
static int
find_nodes(const struct seats_work *w, const char *facility, uint8_t node[STORE_NODE_ID],
           size_t *found, struct err *err)
{
	const char *to = cli_option(w->cli, "to");
	struct hub_node *list;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = hub_node_list(w->db, &a, &list, &count, err);

	*found = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (!is_meant(&list[i], facility, to))
			continue;
		memcpy(node, list[i].node, STORE_NODE_ID);
		(*found)++;
	}
	arena_free(&a);
	if (rc == 0 && *found == 0)
		rc = err_set(err, ERR_NOTFOUND,
		             "facility %.60s has no such node; yizhan nodes lists them", facility);
	return rc;
}

/* The life in which the node last came. */
static int
find_life(const struct seats_work *w, uint8_t holder[SEATS_HOLDER], struct err *err)
{
	int rc = sync_life_epoch(w->db, holder, holder + STORE_NODE_ID, err);

	if (rc == 0)
		rc = err_set(err, ERR_INVALID,
		             "this node has never come yet; run yizhan sync there, then grant");
	return rc < 0 ? rc : 0;
}

static int
grant(struct seats_work *w, struct err *err)
{
	const struct cli *cli = w->cli;
	uint8_t holder[SEATS_HOLDER];
	struct seats_grant in = { .kind = kind_of(w, cli->argv[1], cli->argv[2]),
		                  .holder = holder };
	size_t found = 0;
	int rc = option_count(cli, "cap", -1, &in.cap, err);

	if (rc == 0 && cli->argc > 3)
		rc = read_count(cli->argv[3], &in.units, err);
	if (rc == 0)
		rc = find_nodes(w, cli->argv[1], holder, &found, err);
	if (rc == 0 && in.units > 0 && found > 1)
		rc = err_set(err, ERR_INVALID,
		             "facility %.60s has %zu such nodes; name one with --to NODE, yizhan "
		             "nodes lists them",
		             cli->argv[1], found);
	if (rc == 0 && in.units > 0)
		rc = find_life(w, holder, err);
	if (rc == 0)
		rc = seats_grant(w->db, &in, err);
	if (rc == 0)
		tell(w, &in.kind, "granted", in.units, "granted; they go with the next sync");
	return rc;
}

/* Who takes seats without asking, and why. */
static struct seats_take_back
taking(const struct seats_work *w)
{
	return (struct seats_take_back){ .node = "",
		                         .epoch = "",
		                         .reason = cli_option(w->cli, "override"),
		                         .by = cli_who(),
		                         .at = env_wall_ms(env_real()) };
}

/* NODE or NODE/LIFE, first hex digits of each, as `list` shows them. */
static int
read_from(const struct cli *cli, char node[2 * STORE_NODE_ID + 1], char epoch[2 * STORE_EPOCH + 1],
          struct err *err)
{
	const char *from = cli_option(cli, "from");
	size_t len = from == NULL ? 0 : strcspn(from, "/");
	const char *life = from == NULL || from[len] == 0 ? "" : from + len + 1;

	node[0] = epoch[0] = 0;
	if (from == NULL)
		return 0;
	if (len == 0 || len > 2 * (size_t)STORE_NODE_ID || strlen(life) > 2 * (size_t)STORE_EPOCH ||
	    strspn(from, "0123456789abcdef") != len ||
	    strspn(life, "0123456789abcdef") != strlen(life))
		return err_set(err, ERR_INVALID,
		               "--from %.60s is no holder; yizhan seats list shows them", from);
	memcpy(node, from, len);
	node[len] = 0;
	text_copy(epoch, 2 * STORE_EPOCH + 1, life);
	return 0;
}

static int
take_back(struct seats_work *w, struct err *err)
{
	struct seats_take_back in = taking(w);
	char node[2 * STORE_NODE_ID + 1], epoch[2 * STORE_EPOCH + 1];
	int64_t count = 0;
	int rc = read_from(w->cli, node, epoch, err);

	in.kind = kind_of(w, w->cli->argv[1], w->cli->argv[2]);
	in.node = node;
	in.epoch = epoch;
	if (rc == 0)
		rc = option_count(w->cli, "leave", 0, &in.leave, err);
	if (rc == 0)
		rc = seats_take_back(w->db, &in, &count, err);
	if (rc < 0)
		return rc;
	if (in.reason == NULL)
		tell(w, &in.kind, "asked", count,
		     "asked for; who holds them gives them back with "
		     "the next sync but one");
	else
		tell(w, &in.kind, "taken", count,
		     "taken; who held them may book them until the "
		     "next sync there");
	return 0;
}

static int
resume(struct seats_work *w, struct err *err)
{
	struct seats_take_back why = taking(w);
	bool waited = false;
	int64_t count;
	int rc = seats_resume(w->db, &why, &waited, &count, err);

	if (rc < 0)
		return rc;
	if (w->cli->json)
		buf_printf(w->out, "{\"taken\":%" PRId64 "}\n", count);
	else if (!waited && count == 0)
		buf_printf(w->out, "nothing waited: this hub gives out seats already\n");
	else
		buf_printf(w->out,
		           "this hub gives out seats again; %" PRId64 " were an earlier life's\n",
		           count);
	return 0;
}

/* ---- at a node ---- */

static int
ask(struct seats_work *w, struct err *err)
{
	struct seats_ask in = { .kind = kind_of(w, w->role.facility, w->cli->argv[1]),
		                .at = env_wall_ms(env_real()) };
	int rc = read_count(w->cli->argv[2], &in.wanted, err);

	if (rc == 0)
		rc = seats_ask(w->db, &in, err);
	if (rc == 0)
		tell(w, &in.kind, "wanted", in.wanted,
		     "are to be free here; the hub hears of it with the next sync");
	return rc;
}

static int
give_back(struct seats_work *w, struct err *err)
{
	struct seats_kind kind = kind_of(w, w->role.facility, w->cli->argv[1]);
	int64_t most = -1, count = 0;
	int rc = w->cli->argc > 2 ? read_count(w->cli->argv[2], &most, err) : 0;

	if (rc == 0)
		rc = seats_give_back(w->db, &kind, most, &count, err);
	if (rc == 0)
		tell(w, &kind, "returned", count, "given back; they go with the next sync");
	return rc;
}

/* ---- running ---- */

enum where { AT_HUB, AT_NODE, ANYWHERE };
enum { TAKES_MAX = 4 };

static const struct word {
	const char *name;
	enum where where;
	int min, max;                                       /* words, itself included */
	const char *takes[TAKES_MAX];                       /* options */
	int (*does)(struct seats_work *w, struct err *err); /* NULL: it only reads */
	const char *usage;
} words[] = {
	{ "list", ANYWHERE, 1, 2, { "period" }, NULL, "list takes one FACILITY at most" },
	{ "grant",
	  AT_HUB,
	  3,
	  4,
	  { "period", "cap", "to" },
	  grant,
	  "grant needs FACILITY RESOURCE, then how many more" },
	{ "take-back",
	  AT_HUB,
	  3,
	  3,
	  { "period", "from", "leave", "override" },
	  take_back,
	  "take-back needs FACILITY RESOURCE" },
	{ "resume", AT_HUB, 1, 1, { "override" }, resume, "resume takes no more words" },
	{ "ask", AT_NODE, 3, 3, { "period" }, ask, "ask needs RESOURCE and how many" },
	{ "give-back", AT_NODE, 2, 3, { "period" }, give_back, "give-back needs RESOURCE" },
};

static const struct word *
word_of(const struct cli *cli)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].name, cli->argv[0]) == 0)
			return &words[i];
	return NULL;
}

static bool
takes(const struct word *word, const char *option)
{
	for (size_t i = 0; i < TAKES_MAX && word->takes[i] != NULL; i++)
		if (strcmp(word->takes[i], option) == 0)
			return true;
	return false;
}

/* CLI_OK if the word is given what it can use, and all that it needs. */
static int
check_line(const struct cli *cli, const struct word *word)
{
	const char *reason = cli_option(cli, "override");

	if (cli->argc < word->min || cli->argc > word->max)
		return cli_usage(cli, "%s", word->usage);
	for (size_t i = 0; i < cli->given_count; i++)
		if (!takes(word, cli->given[i].name))
			return cli_usage(cli, "%s takes no --%s", word->name, cli->given[i].name);
	if (reason == NULL)
		return word->does == resume ? cli_usage(cli, "resume needs --override REASON")
		                            : CLI_OK;
	if (reason[strspn(reason, " \t\n")] == 0)
		return cli_usage(cli, "the reason behind --override is empty, and it is what is "
		                      "kept");
	if (cli_option(cli, "leave") != NULL)
		return cli_usage(cli, "--override takes all, so it can't --leave any");
	return CLI_OK;
}

static int
do_word(const struct word *word, struct seats_work *w, struct err *err)
{
	int rc = node_role_get(w->db, &w->role, err);

	if (rc == 0 && w->role.is_hub != (word->where == AT_HUB))
		rc = err_set(err, ERR_INVALID, "seats %s is for %s directory; name it with -C DIR",
		             word->name, word->where == AT_HUB ? "the hub's" : "a facility node's");
	if (rc == 0)
		rc = store_db_begin(w->db, err);
	if (rc < 0)
		return rc;
	rc = word->does(w, err);
	if (rc == 0)
		rc = store_db_commit(w->db, err);
	if (rc < 0)
		store_db_rollback(w->db);
	return rc;
}

/* With the lock; or beside a daemon, which has looked whose file it is. */
static int
write_with(const struct word *word, const struct cli *cli, struct buf *out, struct err *err)
{
	struct seats_work w = { .cli = cli, .out = out };
	struct store_db *db = NULL;
	struct station st;
	int rc = cli_look(cli, err);

	if (rc == 0)
		rc = station_open(cli->dir, env_real(), &st, err);
	if (rc == 0) {
		w.db = st.local;
		rc = do_word(word, &w, err);
		station_close(&st);
	} else if (rc == ERR_BUSY) {
		rc = cli_open(cli, STORE_LOCAL, &db, err);
		w.db = db;
		if (rc == 0)
			rc = do_word(word, &w, err);
		store_db_close(db);
	}
	return rc;
}

static int
run(struct cli *cli)
{
	const struct word *word = word_of(cli);
	struct buf out = { 0 };
	struct err err;
	int rc, code;

	if (word == NULL)
		return cli_usage(cli, "seats can't \"%s\"", cli->argv[0]);
	code = check_line(cli, word);
	if (code != CLI_OK)
		return code;
	if (word->does == NULL)
		return cli_run_sub(cli, seats_list_print, STORE_READ);
	rc = write_with(word, cli, &out, &err);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code;
}

static const struct cmd_option options[] = {
	{ "period", "PERIOD", "which day, month ... the seats are for (default: none; list: all)" },
	{ "cap", "N", "grant: how many there are in all; the number only grows" },
	{ "to", "NODE", "grant: to this node, by its first digits (default: the only one)" },
	{ "from", "NODE[/LIFE]", "take-back: from this holder, by first digits (default: all)" },
	{ "leave", "N", "take-back: so many free ones stay with each (default: 0)" },
	{ "override", "REASON", "take-back, resume: don't ask who holds them; the reason is kept" },
	{ 0 },
};

const struct cmd cmd_seats = {
	.name = "seats",
	.args = "list [FACILITY] | grant FACILITY RESOURCE [N] | take-back FACILITY RESOURCE | "
	        "resume | ask RESOURCE N | give-back RESOURCE [N]",
	.help = "seats that can be booked off line: at the hub grant N more or take them back, at "
	        "a "
	        "node ask for them or give them back",
	.options = options,
	.json = true,
	.min = 1,
	.max = 4,
	.run = run,
};
