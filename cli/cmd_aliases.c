/* cli/cmd_aliases.c - children who were registered twice, as they were found and linked. */
#include "cli/cmd.h"
#include "cli/table.h"
#include "node/facility/alias.h"
#include "node/facility/schema.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <inttypes.h>
#include <stdio.h>

enum { ID_TEXT = 2 * STORE_ID + 1 };

static void
alias_json(struct json *j, const struct alias *it)
{
	char child[ID_TEXT], alias[ID_TEXT];

	text_hex(child, it->child, STORE_ID);
	text_hex(alias, it->alias, STORE_ID);
	json_object(j);
	json_name(j, "facility");
	json_text(j, it->facility);
	json_name(j, "child");
	json_text(j, child);
	json_name(j, "name");
	json_text(j, it->name);
	json_name(j, "alias");
	json_text(j, alias);
	json_name(j, "alias_name");
	json_text(j, it->alias_name);
	json_end_object(j);
}

static int
print_rows(const struct alias *list, size_t count, struct err *err)
{
	static const char *const names[] = { "FACILITY", "CHILD", "NAME", "IS ALSO", "NAME" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; i < count; i++) {
		char child[ID_TEXT], alias[ID_TEXT];
		const char *texts[] = { list[i].facility, child, list[i].name, alias,
			                list[i].alias_name };

		text_hex(child, list[i].child, STORE_ID);
		text_hex(alias, list[i].alias, STORE_ID);
		table_row(t, texts);
	}
	rc = table_print(t, err);
	table_free(t);
	return rc;
}

static int
list(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out, struct err *err)
{
	struct json j = json_to(out);
	struct alias *found;
	size_t count;
	int rc = alias_list(db, a, &found, &count, err);

	if (rc < 0)
		return rc;
	if (!cli->json && count > 0)
		return print_rows(found, count, err);
	if (!cli->json) {
		buf_printf(out, "no child is known to have been registered twice");
		return 0;
	}
	json_array(&j);
	for (size_t i = 0; i < count; i++)
		alias_json(&j, &found[i]);
	json_end_array(&j);
	return 0;
}

static int
run(struct cli *cli)
{
	return cli_run_sub(cli, list, STORE_READ);
}

const struct cmd cmd_aliases = {
	.name = "aliases",
	.args = "",
	.help = "children who were registered twice: found by the hash of their number, and linked",
	.json = true,
	.max = 0,
	.run = run,
};
