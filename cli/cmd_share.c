/* cli/cmd_share.c - at the hub: which facilities see a child. */
#include "cli/cmd.h"
#include "cli/table.h"
#include "node/config.h"
#include "node/hub/hub_node.h"
#include "node/role.h"
#include "store/base/json.h"
#include "store/base/text.h"
#include "store/inspect.h"
#include "store/print.h"
#include "store/share.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* What the facility schema shares: a child, and all rows that carry its child_id. */
static const char root[] = "child";

static int
check_hub(const struct cli *cli, struct store_db *db, struct err *err)
{
	struct node_role role;
	int rc = node_role_get(db, &role, err);

	if (rc == 0 && !role.is_hub)
		rc = err_set(err, ERR_INVALID,
		             "%s is a facility's node; yizhan share is for the hub's directory",
		             cli->dir);
	return rc;
}

/* ---- list ---- */

/* A scope that a child is or was seen in. */
struct seen {
	struct store_share_line line; /* at_ms 0: nothing was said, it is the child's own */
	bool own;
};

static void
seen_json(struct json *j, const struct seen *seen)
{
	const struct store_share_line *line = &seen->line;

	json_object(j);
	json_name(j, "table");
	json_text(j, line->table);
	json_name(j, "key");
	store_print_key_json(j, line->key, line->key_len);
	json_name(j, "scope");
	json_text(j, line->scope);
	json_name(j, "own");
	json_bool(j, seen->own);
	json_name(j, "at");
	if (line->at_ms == 0)
		json_null(j);
	else
		json_time(j, line->at_ms);
	json_name(j, "ended");
	if (line->ended_ms == 0)
		json_null(j);
	else
		json_time(j, line->ended_ms);
	json_name(j, "by");
	json_text(j, line->by);
	json_end_object(j);
}

static void
seen_row(struct table *t, const struct seen *seen)
{
	const struct store_share_line *line = &seen->line;
	char at[TEXT_TIME_SIZE];
	struct buf key = { 0 };
	const char *texts[5];

	text_time(at, line->at_ms);
	store_print_key_text(&key, line->key, line->key_len);
	texts[0] = buf_str(&key);
	texts[1] = line->scope;
	texts[2] = line->ended_ms != 0 ? "has left" : seen->own ? "its own" : "sees it";
	texts[3] = line->at_ms == 0 ? "" : at;
	texts[4] = line->by == NULL ? "" : line->by;
	table_row(t, texts);
	buf_free(&key);
}

static int
print_rows(const struct seen *list, size_t count, struct err *err)
{
	static const char *const names[] = { "CHILD", "SCOPE", "STATE", "SINCE", "BY" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; i < count; i++)
		seen_row(t, &list[i]);
	rc = table_print(t, err);
	table_free(t);
	return rc;
}

/* The scope whose own the row is; NULL if the hub doesn't know it. */
static int
own_scope(struct store_db *db, const struct store_share_line *line, const char **own,
          struct err *err)
{
	const struct store_table *table = store_catalog_table_by_name(db, line->table);
	int scope = 0, rc = 0;

	if (table != NULL)
		rc = store_inspect_scope(db, table->id, line->key, line->key_len, &scope, err);
	*own = scope == 0 ? NULL : store_catalog_scope_of(db, scope);
	return rc;
}

/* How many of the lines, from the first on, are of one child. */
static size_t
root_lines(const struct store_share_line *lines, size_t count)
{
	size_t n = 1;

	while (n < count && lines[n].key_len == lines[0].key_len &&
	       strcmp(lines[n].table, lines[0].table) == 0 &&
	       memcmp(lines[n].key, lines[0].key, lines[0].key_len) == 0)
		n++;
	return n;
}

/* Everyone who sees the child of these lines or saw it: its own facility first, if nothing was said
 * of that, then the lines.  Returns how many were put into `list`. */
static size_t
put_seen(struct seen *list, const struct store_share_line *lines, size_t count, const char *own)
{
	bool said = own == NULL;
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		said |= own != NULL && strcmp(lines[i].scope, own) == 0;
	if (!said)
		list[n++] = (struct seen){ { .table = lines[0].table,
			                     .key = lines[0].key,
			                     .key_len = lines[0].key_len,
			                     .scope = own },
			                   true };
	for (size_t i = 0; i < count; i++)
		list[n++] =
		        (struct seen){ lines[i], own != NULL && strcmp(lines[i].scope, own) == 0 };
	return n;
}

static int
find_seen(struct store_db *db, struct arena *a, struct seen **list, size_t *count, struct err *err)
{
	struct store_share_line *lines = NULL;
	size_t total = 0, n;
	int rc = store_share_lines(db, a, &lines, &total, err);

	*count = 0;
	if (rc < 0)
		return rc;
	*list = arena_take(a, 2 * total + 1, sizeof **list); /* each line's child, too */
	if (*list == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the list");
	for (size_t i = 0; i < total; i += n) {
		const char *own;

		n = root_lines(lines + i, total - i);
		rc = own_scope(db, &lines[i], &own, err);
		if (rc < 0)
			return rc;
		*count += put_seen(*list + *count, lines + i, n, own);
	}
	return 0;
}

static int
list(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out, struct err *err)
{
	struct json j = json_to(out);
	struct seen *seen = NULL;
	size_t count = 0;
	int rc = check_hub(cli, db, err);

	if (rc == 0)
		rc = find_seen(db, a, &seen, &count, err);
	if (rc < 0)
		return rc;
	if (!cli->json && count > 0)
		return print_rows(seen, count, err);
	if (!cli->json) {
		buf_printf(out, "no child is shared: each is seen by its own facility alone");
		return 0;
	}
	json_array(&j);
	for (size_t i = 0; i < count; i++)
		seen_json(&j, &seen[i]);
	json_end_array(&j);
	return 0;
}

/* ---- who sees a child ---- */

struct child {
	struct buf key;                 /* canonical */
	char home[STORE_SCOPE_MAX + 1]; /* whose own it is */
	char asked[STORE_SCOPE_MAX + 1];
	struct store_share_line *lines;
	size_t count;
};

static int
find_child(const struct cli *cli, struct store_db *db, struct arena *a, struct child *c,
           struct err *err)
{
	const struct store_table *table = store_catalog_table_by_name(db, root);
	int scope = 0, rc;

	if (table == NULL || table->local == NULL)
		return err_set(err, ERR_NOTFOUND,
		               "there is no table %s here; it is the facility schema's", root);
	rc = store_print_parse_key(table->local, cli->argv[1], &c->key, err);
	if (rc == ERR_INVALID)
		rc = cli_advise(err, "write it as yizhan log and yizhan sql show it");
	if (rc == 0)
		rc = store_inspect_scope(db, table->id, c->key.bytes, c->key.len, &scope, err);
	if (rc == 0 && scope == 0)
		rc = err_set(err, ERR_NOTFOUND,
		             "the hub knows no child %.64s; wait until its facility has synced",
		             cli->argv[1]);
	if (rc == 0)
		text_copy(c->home, sizeof c->home, store_catalog_scope_of(db, scope));
	snprintf(c->asked, sizeof c->asked, "f/%s", cli->argv[2]);
	return rc == 0 ? store_share_lines(db, a, &c->lines, &c->count, err) : rc;
}

/* What was said of the child and that scope; NULL: nothing. */
static const struct store_share_line *
said(const struct child *c, const char *scope)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->lines[i].table, root) == 0 && strcmp(c->lines[i].scope, scope) == 0 &&
		    c->lines[i].key_len == c->key.len &&
		    memcmp(c->lines[i].key, c->key.bytes, c->key.len) == 0)
			return &c->lines[i];
	return NULL;
}

static bool
sees(const struct child *c, const char *scope)
{
	const struct store_share_line *line = said(c, scope);

	return line == NULL ? strcmp(scope, c->home) == 0 : line->ended_ms == 0;
}

/* Whom a transfer takes the child from: its own facility, or, if that has left, who came. */
static const char *
keeper(const struct child *c, const char *but)
{
	if (sees(c, c->home) && strcmp(c->home, but) != 0)
		return c->home;
	for (size_t i = 0; i < c->count; i++)
		if (said(c, c->lines[i].scope) == &c->lines[i] && c->lines[i].ended_ms == 0 &&
		    strcmp(c->lines[i].scope, but) != 0)
			return c->lines[i].scope;
	return NULL;
}

static int
say(struct store_db *db, const struct child *c, const char *scope, bool ends, struct err *err)
{
	int64_t now = env_wall_ms(store_db_env(db));
	struct store_share_line line = { .table = root,
		                         .key = c->key.bytes,
		                         .key_len = c->key.len,
		                         .scope = scope,
		                         .at_ms = now,
		                         .ended_ms = ends ? now : 0,
		                         .by = cli_who() };

	return store_share_say(db, &line, err);
}

static int
add(struct store_db *db, const struct child *c, struct buf *words, struct err *err)
{
	if (sees(c, c->asked)) {
		buf_printf(words, "%s sees that child already", c->asked);
		return 0;
	}
	buf_printf(words, "%s sees it from its next sync on", c->asked);
	return say(db, c, c->asked, false, err);
}

static int
end(struct store_db *db, const struct child *c, struct buf *words, struct err *err)
{
	if (!sees(c, c->asked))
		return err_set(err, ERR_INVALID,
		               "%s doesn't see that child; yizhan share lists who does", c->asked);
	if (keeper(c, c->asked) == NULL)
		return err_set(
		        err, ERR_INVALID,
		        "nobody else sees that child; share it with a facility first, or move "
		        "it there");
	buf_printf(words, "%s keeps what it has, and gets nothing more", c->asked);
	return say(db, c, c->asked, true, err);
}

/* In one transaction: whoever sees the one sees the other. */
static int
move(struct store_db *db, const struct child *c, struct buf *words, struct err *err)
{
	const char *from = keeper(c, c->asked);
	int rc = 0;

	if (from == NULL) {
		buf_printf(words, "%s is the only one that sees that child already", c->asked);
		return 0;
	}
	if (!sees(c, c->asked))
		rc = say(db, c, c->asked, false, err);
	buf_printf(words, "from %s to %s", from, c->asked);
	return rc == 0 ? say(db, c, from, true, err) : rc;
}

static const struct word {
	const char *name;
	bool comes; /* the facility gets the child, so a node of it must be there to get it */
	int (*does)(struct store_db *, const struct child *, struct buf *, struct err *);
} words[] = { { "add", true, add }, { "end", false, end }, { "move", true, move } };

static const struct word *
word_of(const struct cli *cli)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].name, cli->argv[0]) == 0)
			return &words[i];
	return NULL;
}

static int
check_comes(struct store_db *db, struct arena *a, const char *facility, struct err *err)
{
	struct hub_node *list = NULL;
	size_t count = 0;
	int rc = hub_node_list(db, a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (list[i].revoked_ms == 0 && strcmp(list[i].facility, facility) == 0)
			return 0;
	return rc < 0 ? rc
	              : err_set(err, ERR_NOTFOUND,
	                        "no node of facility %.60s is enrolled here; yizhan nodes lists "
	                        "them",
	                        facility);
}

static int
change(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out,
       struct err *err)
{
	struct json j = json_to(out);
	struct child c = { 0 };
	struct buf told = { 0 };
	const struct word *word = word_of(cli);
	int rc = check_hub(cli, db, err);

	assert(word != NULL); /* run() has looked */
	if (rc == 0 && word->comes)
		rc = check_comes(db, a, cli->argv[2], err);
	if (rc == 0)
		rc = find_child(cli, db, a, &c, err);
	if (rc == 0)
		rc = word->does(db, &c, &told, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc == 0 && cli->json) {
		json_object(&j);
		json_name(&j, "key");
		store_print_key_json(&j, c.key.bytes, c.key.len);
		json_name(&j, "done");
		json_text(&j, buf_str(&told));
		json_end_object(&j);
	} else if (rc == 0) {
		buf_printf(out, "%s", buf_str(&told));
	}
	buf_free(&told);
	buf_free(&c.key);
	return rc;
}

static int
run(struct cli *cli)
{
	if (cli->argc == 0 || strcmp(cli->argv[0], "list") == 0)
		return cli->argc > 1 ? cli_usage(cli, "list takes no more words")
		                     : cli_run_sub(cli, list, STORE_READ);
	if (word_of(cli) == NULL)
		return cli_usage(cli, "share can't \"%s\"", cli->argv[0]);
	if (cli->argc != 3)
		return cli_usage(cli, "%s needs the key of a child and a facility's ID",
		                 cli->argv[0]);
	if (!config_is_facility_id(cli->argv[2]))
		return cli_usage(cli, "%.40s is no facility's ID", cli->argv[2]);
	return cli_run_sub(cli, change, STORE_LOCAL);
}

const struct cmd cmd_share = {
	.name = "share",
	.args = "[list | add CHILD FACILITY | end CHILD FACILITY | move CHILD FACILITY]",
	.help = "at the hub: which facilities see a child; transfer one",
	.json = true,
	.max = 3,
	.run = run,
};
