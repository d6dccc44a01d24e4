/*
 * cli/alter.c - run a schema file and tell what it does.
 *
 * A plan is not a guess: the file is run as `apply` runs it, in a transaction that
 * is rolled back.  Nobody else writes meanwhile, as while it is applied.  A running
 * daemon needs no word of it: the triggers are made in the same transaction, and
 * its own connections see the new schema with their next statement.
 */
#include "cli/alter.h"
#include "cli/track.h"
#include "node/facility/schema.h"
#include "node/role.h"
#include "store/alter.h"
#include "store/base/file.h"
#include "store/base/json.h"

#include <string.h>

enum { FILE_MAX = 1 << 20, WORDS_MAX = 64 };

/* ---- a line "-- yizhan track TABLE ..." ---- */

static size_t
split(char *line, char *words[WORDS_MAX])
{
	size_t count = 0;
	char *rest = NULL;

	for (char *w = strtok_r(line, " \t\r", &rest); w != NULL && count < WORDS_MAX;
	     w = strtok_r(NULL, " \t\r", &rest))
		words[count++] = w;
	return count;
}

/* The option of `track` that this word begins; NULL if none. */
static const struct cmd_option *
option_of(const char *word)
{
	const struct cmd_option *o = cmd_track.options;

	if (strncmp(word, "--", 2) != 0)
		return NULL;
	while (o->name != NULL && strcmp(o->name, word + 2) != 0)
		o++;
	return o->name == NULL ? NULL : o;
}

/* Options with their values as words of their own. */
static int
read_words(struct cli *said, char *words[], size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct cmd_option *o = option_of(words[i]);

		if (o == NULL || said->given_count == CLI_OPTIONS_MAX)
			return err_set(err, ERR_INVALID, "track has no word %.60s here", words[i]);
		if (o->arg != NULL && i + 1 == count)
			return err_set(err, ERR_INVALID, "the option %s needs a value", words[i]);
		said->given[said->given_count++] =
		        (struct cli_given){ o->name, o->arg == NULL ? "" : words[++i] };
	}
	return 0;
}

static int
obey(void *ctx, struct store_db *db, const char *line, struct err *err)
{
	struct cli said = { .cmd = &cmd_track };
	char *words[WORDS_MAX], *copy;
	struct arena a = { 0 };
	size_t count;
	int rc = 0;

	(void)ctx;
	copy = arena_copy(&a, line, strlen(line));
	if (copy == NULL)
		return err_set(err, ERR_NOMEM, "schema: out of memory");
	count = split(copy, words);
	said.argc = 1;
	said.argv = words + 1;
	if (count < 2 || strcmp(words[0], "track") != 0)
		rc = err_set(err, ERR_INVALID,
		             "\"-- yizhan %.60s\" isn't understood; say: -- yizhan track TABLE, "
		             "and its options",
		             line);
	if (rc == 0)
		rc = read_words(&said, words + 2, count - 2, err);
	if (rc == 0)
		rc = cli_track(&said, db, err);
	arena_free(&a);
	return rc;
}

/* ---- for programs ---- */

static void
names_json(struct json *j, const char *title, const struct store_alter_name *n)
{
	json_name(j, title);
	json_array(j);
	for (; n != NULL; n = n->next)
		json_text(j, n->name);
	json_end_array(j);
}

static void
renamed_json(struct json *j, const struct store_alter_name *n)
{
	json_name(j, "renamed");
	json_array(j);
	for (; n != NULL; n = n->next) {
		json_object(j);
		json_name(j, "from");
		json_text(j, n->from);
		json_name(j, "to");
		json_text(j, n->name);
		json_name(j, "travels");
		json_text(j, n->travels);
		json_end_object(j);
	}
	json_end_array(j);
}

static void
table_json(struct json *j, const struct store_alter_table *t)
{
	json_object(j);
	json_name(j, "table");
	json_text(j, t->table);
	json_name(j, "is");
	json_text(j, t->is_gone ? "gone" : t->is_new ? "new" : "altered");
	json_name(j, "tracked");
	json_bool(j, t->tracked);
	names_json(j, "added", t->added);
	names_json(j, "dropped", t->dropped);
	renamed_json(j, t->renamed);
	json_name(j, "changes");
	json_int(j, t->changes);
	json_name(j, "kept");
	json_int(j, t->kept);
	json_name(j, "waiting");
	json_int(j, t->waiting);
	json_end_object(j);
}

static void
tell_json(const struct store_alter *alter, bool apply, struct buf *out)
{
	struct json j = json_to(out);

	json_object(&j);
	json_name(&j, "applied");
	json_bool(&j, apply);
	json_name(&j, "tables");
	json_array(&j);
	for (const struct store_alter_table *t = alter->tables; t != NULL; t = t->next)
		table_json(&j, t);
	json_end_array(&j);
	json_name(&j, "others");
	json_int(&j, alter->others);
	json_end_object(&j);
	buf_u8(out, '\n');
}

/* ---- for people ---- */

static void
print_names(struct buf *out, const char *table, const struct store_alter_name *list,
            const char *sentence)
{
	if (list == NULL)
		return;
	buf_printf(out, "%s: ", table);
	for (const struct store_alter_name *n = list; n != NULL; n = n->next)
		buf_printf(out, "%s%s", n == list ? "" : ", ", n->name);
	buf_printf(out, " %s%s\n", list->next == NULL ? "is " : "are ", sentence);
}

static void
print_whole(struct buf *out, const struct store_alter_table *t)
{
	if (t->is_gone)
		buf_printf(out, "%s: dropped\n", t->table);
	else if (t->is_new)
		buf_printf(out, "%s: a new table, %s\n", t->table,
		           t->tracked ? "tracked" : "not tracked: its rows stay in this file");
	else if (!t->tracked)
		buf_printf(out, "%s: not tracked: what it holds stays in this file\n", t->table);
}

static void
print_table(struct buf *out, const struct store_alter_table *t)
{
	print_whole(out, t);
	print_names(out, t->table, t->added,
	            t->tracked ? "new; nodes without it keep its cells and pass them on" : "new");
	for (const struct store_alter_name *n = t->renamed; n != NULL; n = n->next)
		buf_printf(out, "%s: %s is called %s here; it travels as %s, as before\n", t->table,
		           n->from, n->name, n->travels);
	print_names(out, t->table, t->dropped, "dropped");
	if (t->kept > 0)
		buf_printf(out,
		           "%s: the dropped cells of %lld rows stay beside it, and travel on\n",
		           t->table, (long long)t->kept);
	if (t->waiting > 0)
		buf_printf(out, "%s: cells of %lld rows that waited for this take their place\n",
		           t->table, (long long)t->waiting);
	if (t->tracked)
		buf_printf(out, "%s: %lld changes to be sent\n", t->table, (long long)t->changes);
}

static void
tell(const struct store_alter *alter, bool apply, struct buf *out)
{
	for (const struct store_alter_table *t = alter->tables; t != NULL; t = t->next)
		print_table(out, t);
	if (alter->others > 0)
		buf_printf(out, "views, indexes and triggers: %u statements\n", alter->others);
	buf_printf(out, "%s\n",
	           apply ? "done" : "nothing was changed; yizhan schema apply does it");
}

/* ---- the command ---- */

static int
run_file(struct store_db *db, const char *sql, struct store_alter *alter, struct err *err)
{
	struct store_alter_file file = { .sql = sql, .is_fixed = facility_owns, .obey = obey };
	struct node_role role;
	int rc = node_role_get(db, &role, err);

	file.is_hub = rc == 0 && role.is_hub;
	return rc == 0 ? store_alter_run(db, &file, alter, err) : rc;
}

static int
read_file(const char *path, struct buf *text, struct err *err)
{
	int rc = file_read(path, FILE_MAX, text, err);

	if (rc == ERR_NOTFOUND)
		rc = cli_advise(err, "look at the path");
	if (rc == 0 && memchr(text->bytes, 0, text->len) != NULL)
		rc = err_set(err, ERR_INVALID, "%s is no text; give a file of SQL", path);
	return rc;
}

int
cli_alter(const struct cli *cli, const char *path, bool apply)
{
	struct buf text = { 0 }, out = { 0 };
	struct store_alter alter = { 0 };
	struct store_db *db = NULL;
	struct err err;
	int rc, code;

	rc = read_file(path, &text, &err);
	if (rc == 0)
		rc = cli_open(cli, STORE_MERGE, &db, &err);
	if (rc == 0)
		rc = store_db_begin(db, &err);
	if (rc == 0)
		rc = run_file(db, buf_str(&text), &alter, &err);
	if (rc == 0 && cli->json)
		tell_json(&alter, apply, &out);
	else if (rc == 0)
		tell(&alter, apply, &out);
	if (rc == 0 && apply)
		rc = store_db_commit(db, &err);
	store_db_close(db);
	store_alter_free(&alter);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&text);
	buf_free(&out);
	return code;
}
