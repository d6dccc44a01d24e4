/* cli/cmd_token.c - at the hub: who may read and write there from outside. */
#include "cli/hub.h"
#include "cli/table.h"
#include "cli/when.h"
#include "node/config.h"
#include "node/hub/export_log.h"
#include "node/hub/hub_node.h"
#include "node/hub/token.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { EXPORTS_SHOWN = 1000 }; /* the newest */

static bool
is_scope(const char *scope)
{
	return strcmp(scope, "all") == 0 ||
	       (strncmp(scope, "f/", 2) == 0 && config_is_facility_id(scope + 2));
}

static void
print_new(const struct cli *cli, const struct token_terms *terms, const char *text, const char *id,
          struct buf *out)
{
	struct json j = json_to(out);

	if (!cli->json) {
		buf_printf(out, "%s\n\nIt is shown only now. Its id is %s.\n", text, id);
		return;
	}
	json_object(&j);
	json_name(&j, "token");
	json_text(&j, text);
	json_name(&j, "id");
	json_text(&j, id);
	json_name(&j, "expires");
	if (terms->expires_ms == 0)
		json_null(&j);
	else
		json_time(&j, terms->expires_ms);
	json_end_object(&j);
	buf_u8(out, '\n');
}

/* A scope of a facility that nobody has heard of is a slip: its token would read nothing, for ever.
 */
static int
check_facility(struct store_db *db, const char *scope, struct err *err)
{
	bool known = true;
	int rc = strncmp(scope, "f/", 2) != 0 ? 0
	                                      : hub_node_facility_known(db, scope + 2, &known, err);

	if (rc == 0 && !known)
		rc = err_set(err, ERR_NOTFOUND,
		             "no facility %.60s is known here; yizhan nodes lists them, and yizhan "
		             "enrol new makes the code for a new one",
		             scope + 2);
	return rc;
}

static int
make(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	struct token_terms terms = { .scope = cli_option(cli, "scope"),
		                     .tables = cli_option(cli, "tables"),
		                     .personal = cli_option(cli, "personal") != NULL,
		                     .writes = cli_option(cli, "write"),
		                     .name = cli_option(cli, "name") };
	int64_t now = env_wall_ms(env_real());
	char text[TOKEN_TEXT], id[TOKEN_ID];
	bool known = cli_when(cli_option(cli, "expires"), now, &terms.expires_ms);
	int rc = check_facility(db, terms.scope, err);

	assert(known); /* by check_options() */
	if (rc == 0)
		rc = token_new(db, &terms, now, text, id, err);
	if (rc == 0)
		print_new(cli, &terms, text, id, out);
	return rc;
}

static int
revoke(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	const char *id = cli->argv[1];
	int rc = token_revoke(db, id, env_wall_ms(env_real()), err);

	if (rc == ERR_NOTFOUND)
		return err_set(err, rc, "there is no token %.40s; yizhan token list names them",
		               id);
	if (rc == 0 && cli->json)
		buf_printf(out, "{\"id\":\"%s\",\"state\":\"revoked\"}\n", id);
	else if (rc == 0)
		buf_printf(out, "token %s opens nothing any more\n", id);
	return rc;
}

/* The options of `token new`; CLI_OK if they can be. */
static int
check_options(const struct cli *cli)
{
	const char *scope = cli_option(cli, "scope"), *expires = cli_option(cli, "expires");
	int64_t ms;

	if (scope == NULL || !is_scope(scope))
		return cli_usage(cli, "new needs --scope all or --scope f/ID");
	if (!cli_when(expires, 0, &ms))
		return cli_usage(cli,
		                 "--expires %.40s is no time like 90d, 12h, 2027-01-31 or "
		                 "2027-01-31T12:00:00Z",
		                 expires);
	return CLI_OK;
}

static void
export_row(struct table *t, struct store_stmt *s)
{
	char at[TEXT_TIME_SIZE], bytes[24];
	const char *texts[7] = { at };

	text_time(at, store_stmt_get_int(s));
	for (int i = 1; i < 5; i++)
		texts[i] = store_stmt_get_text(s);
	snprintf(bytes, sizeof bytes, "%" PRId64, store_stmt_get_int(s));
	texts[5] = bytes;
	texts[6] = store_stmt_get_int(s) != 0 ? "yes" : "";
	table_row(t, texts);
}

static int
print_exports(struct store_db *db, int64_t limit, struct err *err)
{
	static const char *const names[] = { "AT",     "TOKEN", "WHAT",    "SCOPE",
		                             "TABLES", "BYTES", "PERSONAL" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	struct store_stmt s;
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	s = store_stmt_new(db, "SELECT at_ms, token, what, scope, tables, bytes, personal"
	                       " FROM hub_export ORDER BY no DESC LIMIT ?");
	store_stmt_put_int(&s, limit);
	while ((rc = store_stmt_step(&s, err)) == 1)
		export_row(t, &s);
	store_stmt_end(&s);
	if (rc == 0)
		rc = table_print(t, err);
	table_free(t);
	return rc;
}

static int
exports(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	return cli->json ? export_log_json(db, EXPORTS_SHOWN, out, err)
	                 : print_exports(db, EXPORTS_SHOWN, err);
}

/* The latest of what is known of its use. */
static int64_t
last_use(const struct token_entry *e)
{
	int64_t last = e->used_ms > e->export_ms ? e->used_ms : e->export_ms;

	return last > e->record_ms ? last : e->record_ms;
}

static void
token_row(struct table *t, const struct token_entry *e)
{
	char expires[TEXT_TIME_SIZE] = "never", used[TEXT_TIME_SIZE] = "never";
	const char *texts[] = { e->id,
		                e->name,
		                e->state,
		                e->scope,
		                e->tables[0] != 0 ? e->tables : "all",
		                e->writes,
		                e->personal ? "yes" : "",
		                expires,
		                used };

	if (e->expires_ms != 0)
		text_time(expires, e->expires_ms);
	if (last_use(e) != 0)
		text_time(used, last_use(e));
	table_row(t, texts);
}

static int
print_tokens(const struct token_entry *list, size_t count, struct err *err)
{
	static const char *const names[] = { "ID",     "NAME",     "STATE",   "SCOPE",    "TABLES",
		                             "WRITES", "PERSONAL", "EXPIRES", "LAST USED" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; i < count; i++)
		token_row(t, &list[i]);
	rc = table_print(t, err);
	table_free(t);
	return rc;
}

static int
list_all(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	struct token_entry *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc;

	if (cli->json)
		return token_list_json(db, env_wall_ms(env_real()), out, err);
	rc = token_list(db, env_wall_ms(env_real()), &a, &list, &count, err);
	if (rc == 0 && count == 0)
		buf_printf(out, "there is no token; yizhan token new makes one\n");
	else if (rc == 0)
		rc = print_tokens(list, count, err);
	arena_free(&a);
	return rc;
}

static const struct cli_word words[] = {
	{ "new", 1, make, "new takes no more words" },
	{ "list", 1, list_all, "list takes no more words" },
	{ "revoke", 2, revoke, "revoke needs one ID" },
	{ "exports", 1, exports, "exports takes no more words" },
};

static int
run(struct cli *cli)
{
	int code = CLI_OK;
	const struct cli_word *word =
	        cli_hub_word(cli, words, sizeof words / sizeof words[0], &code);

	if (word == NULL)
		return code;
	code = word->does == make ? check_options(cli) : CLI_OK;
	return code == CLI_OK ? cli_hub_run(cli, word) : code;
}

static const struct cmd_option options[] = {
	{ "name", "NAME", "new: what to call it; revoke takes it, too" },
	{ "scope", "all|f/ID",
	  "new: every facility, or one (of which there is a node, an enrolment code or a row)" },
	{ "tables", "NAMES", "new: only these tables, with commas between them" },
	{ "write", "NAMES",
	  "new: it may also write these tables (POST /v1/records), whose rows the scope reaches: a "
	  "catalogue's, as course, need all" },
	{ "personal", NULL, "new: with names, phones, birth dates and notes, else left out" },
	{ "expires", "WHEN", "new: 90d, 12h, a day or a time in UTC (default: never)" },
	{ 0 },
};

const struct cmd cmd_token = {
	.name = "token",
	.args = "new | list | revoke ID | exports",
	.help = "at the hub: give or take back the right to read or write here from outside, and "
	        "list who has it",
	.options = options,
	.json = true,
	.min = 1,
	.max = 2,
	.run = run,
};
