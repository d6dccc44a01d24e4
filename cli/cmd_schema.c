/* cli/cmd_schema.c - show the tables as they stand, and how each is tracked; change them. */
#include "cli/alter.h"
#include "node/facility/schema.h"
#include "node/facility/views.h"
#include "node/role.h"
#include "store/base/json.h"
#include "store/catalog.h"
#include "store/inspect.h"
#include "store/stmt.h"

#include <string.h>

static const struct store_schema *
tracked(struct store_db *db, const char *table)
{
	const struct store_table *t = store_catalog_table_by_name(db, table);

	return t == NULL ? NULL : t->local;
}

/* ---- for people ---- */

static void
print_marked(struct buf *out, const struct store_schema *s, const char *title,
             bool (*is)(const struct store_column *))
{
	bool any = false;

	for (unsigned i = 0; i < s->column_count; i++) {
		if (!is(&s->columns[i]))
			continue;
		buf_printf(out, "%s%s", any ? ", " : title, s->columns[i].here);
		any = true;
	}
}

static bool
is_max(const struct store_column *c)
{
	return c->rule == STORE_MAX;
}

static bool
is_hub_only(const struct store_column *c)
{
	return c->hub_only;
}

static void
print_renamed(struct buf *out, const struct store_schema *s)
{
	for (unsigned i = 0; i < s->column_count; i++)
		if (strcmp(s->columns[i].here, s->columns[i].name) != 0)
			buf_printf(out, "; %s travels as %s", s->columns[i].here,
			           s->columns[i].name);
}

static void
print_object(struct buf *out, struct store_db *db, const struct store_object *o)
{
	const struct store_schema *s = strcmp(o->type, "table") == 0 ? tracked(db, o->name) : NULL;

	if (strcmp(o->type, "table") == 0)
		facility_schema_heading(out, o->name);
	if (s != NULL) {
		buf_printf(out, "-- tracked: %s, scope %s",
		           s->kind == STORE_EVENT ? "event" : "record", s->scope_prefix);
		if (s->scope_column >= 0)
			buf_printf(out, " + %s", s->columns[s->scope_column].here);
		print_marked(out, s, "; greatest wins: ", is_max);
		print_marked(out, s, "; only the hub writes: ", is_hub_only);
		print_renamed(out, s);
		buf_u8(out, '\n');
	}
	buf_printf(out, "%s;\n\n", o->sql);
}

/* ---- for programs ---- */

static void
columns_json(struct json *j, const struct store_schema *s)
{
	json_array(j);
	for (unsigned i = 0; i < s->column_count; i++) {
		const struct store_column *c = &s->columns[i];

		json_object(j);
		json_name(j, "name");
		json_text(j, c->here);
		json_name(j, "travels");
		json_text(j, c->name);
		json_name(j, "type");
		json_text(j, c->type);
		json_name(j, "key");
		json_int(j, c->key);
		json_name(j, "rule");
		json_text(j, c->rule == STORE_MAX ? "max" : "lww");
		json_name(j, "group");
		json_int(j, c->group);
		json_name(j, "hub_only");
		json_bool(j, c->hub_only);
		json_end_object(j);
	}
	json_end_array(j);
}

static void
object_json(struct json *j, struct store_db *db, const struct store_object *o)
{
	const struct store_schema *s = strcmp(o->type, "table") == 0 ? tracked(db, o->name) : NULL;

	json_object(j);
	json_name(j, "type");
	json_text(j, o->type);
	json_name(j, "name");
	json_text(j, o->name);
	json_name(j, "sql");
	json_text(j, o->sql);
	json_name(j, "kind");
	json_text(j, s == NULL ? NULL : s->kind == STORE_EVENT ? "event" : "record");
	json_name(j, "scope");
	json_text(j, s == NULL ? NULL : s->scope_prefix);
	json_name(j, "scope_column");
	json_text(j, s == NULL || s->scope_column < 0 ? NULL : s->columns[s->scope_column].here);
	json_name(j, "columns");
	if (s == NULL)
		json_null(j);
	else
		columns_json(j, s);
	json_end_object(j);
}

/* ---- the views of the contract ---- */

/* Is it one of those in a list of words? */
static bool
is_word(const char *words, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = words; (at = strstr(at, name)) != NULL; at++)
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == 0))
			return true;
	return false;
}

/* The names of a view's columns, as the database tells them: {"name":..,"personal":..} each. */
static int
view_columns(struct json *j, struct store_db *db, const struct facility_view *v, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT name FROM pragma_table_info(?)");
	int rc;

	store_stmt_put_text(&s, v->name);
	json_array(j);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		const char *name = store_stmt_get_text(&s);

		json_object(j);
		json_name(j, "name");
		json_text(j, name);
		json_name(j, "personal");
		json_bool(j, v->all_personal || is_word(v->personal, name));
		json_end_object(j);
	}
	json_end_array(j);
	store_stmt_end(&s);
	return rc;
}

static int
view_json(struct json *j, struct store_db *db, const struct facility_view *v, struct err *err)
{
	int rc;

	json_object(j);
	json_name(j, "name");
	json_text(j, v->name);
	json_name(j, "about");
	json_text(j, v->about);
	json_name(j, "only_hub");
	json_bool(j, v->is_hubs);
	json_name(j, "columns");
	rc = view_columns(j, db, v, err);
	json_end_object(j);
	return rc;
}

static void
print_view(struct buf *out, const struct facility_view *v)
{
	for (const char *line = v->about; *line != 0;) {
		size_t len = strcspn(line, "\n");

		buf_printf(out, "-- %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
	if (v->all_personal)
		buf_printf(out, "-- personal: all of it\n");
	else if (v->personal[0] != 0)
		buf_printf(out, "-- personal: %s\n", v->personal);
	buf_printf(out, "%s;\n\n", v->sql);
}

static int
show_views(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	struct facility_views_ask ask = { .personal = true };
	struct facility_view *list;
	struct node_role role;
	struct arena a = { 0 };
	struct json j = json_to(out);
	size_t count;
	int rc = node_role_get(db, &role, err);

	ask.is_hub = rc == 0 && role.is_hub;
	if (rc == 0)
		rc = facility_views_list(ask, &a, &list, &count, err);
	if (rc == 0 && cli->json)
		json_array(&j);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (cli->json)
			rc = view_json(&j, db, &list[i], err);
		else
			print_view(out, &list[i]);
	}
	if (rc == 0 && cli->json) {
		json_end_array(&j);
		buf_u8(out, '\n');
	}
	arena_free(&a);
	return rc;
}

/* ---- the command ---- */

static int
show(const struct cli *cli, struct store_db *db, const char *table, struct buf *out,
     struct err *err)
{
	struct store_object *list;
	struct arena a = { 0 };
	struct json j = json_to(out);
	size_t count;
	int rc = store_inspect_schema(db, table, &a, &list, &count, err);

	if (rc == 0 && table != NULL && count == 0)
		rc = err_set(err, ERR_NOTFOUND,
		             "there is no table %.80s; yizhan schema show lists them all", table);
	if (rc == 0 && cli->json) {
		json_array(&j);
	} else if (rc == 0 && table == NULL) {
		facility_schema_heading(out, NULL);
		buf_u8(out, '\n');
	}
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (cli->json)
			object_json(&j, db, &list[i]);
		else
			print_object(out, db, &list[i]);
	}
	if (rc == 0 && cli->json) {
		json_end_array(&j);
		buf_u8(out, '\n');
	}
	arena_free(&a);
	return rc;
}

static int
run(struct cli *cli)
{
	struct store_db *db = NULL;
	struct buf out = { 0 };
	struct err err;
	bool apply = strcmp(cli->argv[0], "apply") == 0;
	int rc, code;

	if (apply || strcmp(cli->argv[0], "plan") == 0)
		return cli->argc == 2 ? cli_alter(cli, cli->argv[1], apply)
		                      : cli_usage(cli, "which file?");
	if (cli_option(cli, "views") != NULL && cli->argc > 1)
		return cli_usage(cli, "--views shows all of them; leave the table out");
	if (strcmp(cli->argv[0], "show") != 0)
		return cli_usage(cli, "schema can't \"%s\"", cli->argv[0]);
	rc = cli_open(cli, STORE_READ, &db, &err);
	if (rc == 0)
		rc = store_db_begin(db, &err);
	if (rc == 0)
		rc = cli_option(cli, "views") != NULL
		             ? show_views(cli, db, &out, &err)
		             : show(cli, db, cli->argc > 1 ? cli->argv[1] : NULL, &out, &err);
	store_db_close(db);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code;
}

static const struct cmd_option options[] = {
	{ "views", NULL, "show: the v1_* views, the contract for programs that read from outside" },
	{ 0 },
};

const struct cmd cmd_schema = {
	.name = "schema",
	.args = "show [TABLE] | plan FILE | apply FILE",
	.help = "show the tables and how each is tracked; what a file of SQL would change; change "
	        "it",
	.options = options,
	.json = true,
	.min = 1,
	.max = 2,
	.run = run,
};
