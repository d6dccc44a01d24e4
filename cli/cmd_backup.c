/*
 * cli/cmd_backup.c - a consistent copy of the database while it is in use.
 *
 * The copy gets its name when it is whole.  The key isn't in it: who restores the
 * file in another place becomes another life of the node, by itself.
 */
#include "cli/cmd.h"
#include "store/base/json.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static int
backup(const struct cli *cli, const char *path, int64_t *bytes, struct err *err)
{
	struct store_db *db = NULL;
	struct stat st;
	int rc = cli_open(cli, STORE_READ, &db, err);

	if (rc == 0)
		rc = store_db_backup(db, path, err);
	store_db_close(db);
	if (rc == 0 && stat(path, &st) < 0)
		rc = err_set(err, ERR_IO, "%.180s: %s", path, strerror(errno));
	if (rc == 0)
		*bytes = st.st_size;
	return rc;
}

static int
run(struct cli *cli)
{
	const char *path = cli->argv[0];
	struct buf out = { 0 };
	struct json j = json_to(&out);
	int64_t bytes = 0;
	struct err err;
	int code;

	if (backup(cli, path, &bytes, &err) < 0)
		return cli_fail(cli, &err);
	if (cli->json) {
		json_object(&j);
		json_name(&j, "file");
		json_text(&j, path);
		json_name(&j, "bytes");
		json_int(&j, bytes);
		json_end_object(&j);
		buf_u8(&out, '\n');
	} else {
		buf_printf(&out, "%s: %lld bytes; the key is not in it\n", path, (long long)bytes);
	}
	code = cli_print(cli, &out);
	buf_free(&out);
	return code;
}

const struct cmd cmd_backup = {
	.name = "backup",
	.args = "FILE",
	.help = "copy the database to a new file while it is in use",
	.json = true,
	.min = 1,
	.max = 1,
	.run = run,
};
