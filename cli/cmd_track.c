/* cli/cmd_track.c - let a table's changes travel. */
#include "cli/track.h"
#include "node/role.h"
#include "store/base/json.h"
#include "store/inspect.h"
#include "store/track.h"

#include <string.h>

/* What the options say; the spec borrows from `groups` and `role`. */
struct wanted {
	struct store_track_spec spec;
	struct node_role role;
	const char *groups[CLI_OPTIONS_MAX + 1];
};

/* The scope: as said, else by facility_id, else the own facility's. */
static int
choose_scope(const struct cli *cli, struct store_db *db, const struct node_role *role,
             struct store_track_spec *spec, struct err *err)
{
	const char *prefix = cli_option(cli, "scope-prefix");
	int rc;

	spec->scope = cli_option(cli, "scope");
	spec->scope_column = cli_option(cli, "scope-column");
	if (spec->scope != NULL)
		return 0;
	if (spec->scope_column == NULL) {
		rc = store_inspect_has_column(db, spec->table, "facility_id", err);
		if (rc < 0)
			return rc;
		if (rc == 1)
			spec->scope_column = "facility_id";
	}
	if (spec->scope_column != NULL)
		spec->scope = prefix != NULL ? prefix : "f/";
	else
		spec->scope = role->scope;
	return 0;
}

static void
read_options(const struct cli *cli, struct wanted *w)
{
	w->spec.table = cli->argv[0];
	w->spec.kind = cli_option(cli, "event") != NULL ? STORE_EVENT : STORE_RECORD;
	w->spec.max = cli_option(cli, "max");
	w->spec.hub_only = cli_option(cli, "hub-only");
	w->spec.urgent = cli_option(cli, "urgent") != NULL;
	for (size_t i = 0; i < CLI_OPTIONS_MAX; i++)
		w->groups[i] = cli_option_nth(cli, "group", i);
	w->spec.groups = w->groups[0] == NULL ? NULL : w->groups;
}

static const char scope_twice[] = "--scope is the whole scope: it goes without --scope-column and "
                                  "--scope-prefix";

static bool
is_scope_twice(const struct cli *cli)
{
	return cli_option(cli, "scope") != NULL &&
	       (cli_option(cli, "scope-column") != NULL || cli_option(cli, "scope-prefix") != NULL);
}

static int
track(const struct cli *cli, struct store_db *db, struct wanted *w, struct err *err)
{
	int rc;

	read_options(cli, w);
	rc = node_role_get(db, &w->role, err);
	if (rc == 0)
		rc = choose_scope(cli, db, &w->role, &w->spec, err);
	if (rc == 0)
		rc = store_track_table(db, &w->spec, w->role.is_hub, err);
	return rc;
}

int
cli_track(const struct cli *cli, struct store_db *db, struct err *err)
{
	struct wanted w = { 0 };

	if (is_scope_twice(cli))
		return err_set(err, ERR_INVALID, "%s", scope_twice);
	return track(cli, db, &w, err);
}

/* What it is now, before the transaction ends: the scope's text lives only so long. */
static void
describe(const struct cli *cli, const struct store_track_spec *spec, struct buf *out)
{
	const char *kind = spec->kind == STORE_EVENT ? "event" : "record";
	const char *column = spec->scope_column;
	struct json j = json_to(out);

	if (!cli->json) {
		buf_printf(out, "%s is tracked as %s table, scope %s%s%s\n", spec->table, kind,
		           spec->scope, column == NULL ? "" : " + ", column == NULL ? "" : column);
		return;
	}
	json_object(&j);
	json_name(&j, "table");
	json_text(&j, spec->table);
	json_name(&j, "kind");
	json_text(&j, kind);
	json_name(&j, "scope");
	json_text(&j, spec->scope);
	json_name(&j, "scope_column");
	json_text(&j, column);
	json_end_object(&j);
	buf_u8(out, '\n');
}

static int
run(struct cli *cli)
{
	struct wanted w = { 0 };
	struct store_db *db = NULL;
	struct buf out = { 0 };
	struct err err;
	int rc, code = CLI_FAILED;

	if (is_scope_twice(cli))
		return cli_usage(cli, "%s", scope_twice);
	rc = cli_open(cli, STORE_LOCAL, &db, &err);
	if (rc == 0)
		rc = store_db_begin(db, &err);
	if (rc == 0)
		rc = track(cli, db, &w, &err);
	if (rc == 0)
		rc = store_db_commit(db, &err);
	if (rc == 0)
		describe(cli, &w.spec, &out);
	store_db_close(db);
	if (rc == ERR_NOTFOUND || rc == ERR_INVALID)
		rc = cli_advise(&err, "yizhan schema show lists the tables and their columns");
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code;
}

static const struct cmd_option options[] = {
	{ "event", NULL, "rows are only added: corrections are new rows" },
	{ "scope", "SCOPE", "all its rows belong to this scope: all, or f/ID" },
	{ "scope-column", "COLUMN", "the column that names a row's scope (default: facility_id)" },
	{ "scope-prefix", "PREFIX", "what stands before that column's value (default: f/)" },
	{ "max", "COLUMNS", "columns in which the greater value wins" },
	{ "hub-only", "COLUMNS", "columns that only the hub may write" },
	{ "urgent", NULL, "its changes go to the hub at once" },
	{ "group", "COLUMNS", "columns that travel and win together; may be repeated" },
	{ 0 },
};

const struct cmd cmd_track = {
	.name = "track",
	.args = "TABLE",
	.help = "let the changes of a table travel between nodes",
	.options = options,
	.json = true,
	.min = 1,
	.max = 1,
	.run = run,
};
