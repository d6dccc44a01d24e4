/* cli/cmd_token.c - at the hub: who may read its feed. */
#include "cli/hub.h"
#include "node/config.h"
#include "node/token.h"
#include "store/base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* "90d", "12h": so long from now. */
static bool
read_span(const char *text, int64_t now_ms, int64_t *ms)
{
	char *end;
	long n = strtol(text, &end, 10);
	int64_t unit = *end == 'd' ? 86400000 : *end == 'h' ? 3600000 : 0;

	if (end == text || unit == 0 || end[1] != 0 || n < 1 || n > 100000)
		return false;
	*ms = now_ms + n * unit;
	return true;
}

/* A day (its beginning in UTC), or a moment as RFC 3339 writes it in UTC. */
static bool
read_moment(const char *text, int64_t *ms)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ" };

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);

		if (end == NULL || *end != 0)
			continue;
		*ms = (int64_t)timegm(&tm) * 1000;
		return true;
	}
	return false;
}

/* The moment that --expires names, 0 for never; false if it is none. */
static bool
read_expiry(const char *text, int64_t now_ms, int64_t *ms)
{
	*ms = 0;
	return text == NULL || read_span(text, now_ms, ms) || read_moment(text, ms);
}

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

static int
make(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	struct token_terms terms = { .scope = cli_option(cli, "scope"),
		                     .tables = cli_option(cli, "tables") };
	int64_t now = env_wall_ms(env_real());
	char text[TOKEN_TEXT], id[TOKEN_ID];
	bool known = read_expiry(cli_option(cli, "expires"), now, &terms.expires_ms);
	int rc;

	assert(known); /* by check_options() */
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
		return err_set(err, rc, "there is no token %.40s; its id was told when it was made",
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
	if (!read_expiry(expires, 0, &ms))
		return cli_usage(cli,
		                 "--expires %.40s is no time like 90d, 12h, 2027-01-31 or "
		                 "2027-01-31T12:00:00Z",
		                 expires);
	return CLI_OK;
}

static int
run(struct cli *cli)
{
	bool is_new = strcmp(cli->argv[0], "new") == 0;
	struct store_db *db = NULL;
	struct buf out = { 0 };
	struct err err;
	int rc, code;

	if (!is_new && strcmp(cli->argv[0], "revoke") != 0)
		return cli_usage(cli, "token can't \"%s\"", cli->argv[0]);
	if (cli->argc != (is_new ? 1 : 2))
		return cli_usage(cli, is_new ? "new takes no more words" : "revoke needs one ID");
	code = is_new ? check_options(cli) : CLI_OK;
	if (code != CLI_OK)
		return code;
	rc = cli_hub_open(cli, &db, &err);
	if (rc == 0)
		rc = is_new ? make(cli, db, &out, &err) : revoke(cli, db, &out, &err);
	store_db_close(db);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code;
}

static const struct cmd_option options[] = {
	{ "scope", "all|f/ID", "new: every facility, or one" },
	{ "tables", "NAMES", "new: only these tables, with commas between them" },
	{ "expires", "WHEN", "new: 90d, 12h, a day or a time in UTC (default: never)" },
	{ 0 },
};

const struct cmd cmd_token = {
	.name = "token",
	.args = "new | revoke ID",
	.help = "at the hub: give or take back the right to read its feed",
	.options = options,
	.json = true,
	.min = 1,
	.max = 2,
	.run = run,
};
