/*
 * cli/cmd_rotate.c - this node signs with another key from now on.
 *
 * The hub isn't asked: it hears of it by the next meeting.  What it hasn't got yet is written
 * again under the new key; what it has stays as it is signed.
 */
#include "cli/cmd.h"
#include "cli/daemon.h"
#include "node/identity.h"
#include "node/station.h"
#include "store/base/json.h"

#include <string.h>

static int
by_ourselves(const struct cli *cli, struct err *err)
{
	struct station st;
	int rc = station_open(cli->dir, env_real(), &st, err);

	if (rc < 0)
		return rc;
	rc = station_rotate(&st, err);
	station_close(&st);
	return rc;
}

static int
by_daemon(const struct cli *cli, struct err *err)
{
	struct buf answer = { 0 };
	int rc = cli_daemon_ask(cli, CTL_DO_ROTATE, &answer, err);

	if (rc == 0 && strncmp(buf_str(&answer), "{\"error\"", 8) == 0)
		rc = err_set(err, ERR_IO, "the running yizhan could not: %.160s", buf_str(&answer));
	buf_free(&answer);
	return rc;
}

static int
say(const struct cli *cli, struct buf *out, struct err *err)
{
	struct json j = json_to(out);
	struct sync_key key;
	int rc = identity_load_key(cli->dir, &key, err);

	if (rc < 0)
		return rc;
	if (cli->json) {
		json_object(&j);
		json_name(&j, "state");
		json_text(&j, "ok");
		json_name(&j, "key");
		json_hex(&j, key.public_key, SYNC_PUBLIC_KEY);
		json_end_object(&j);
		buf_u8(out, '\n');
	} else {
		buf_printf(out, "this node has another key; the hub hears of it by the next "
		                "meeting\n");
	}
	sync_key_wipe(&key);
	return 0;
}

static int
run(struct cli *cli)
{
	struct buf out = { 0 };
	struct err err;
	int code, rc = cli_look(cli, &err);

	if (rc == 0)
		rc = by_ourselves(cli, &err);
	if (rc == ERR_BUSY)
		rc = by_daemon(cli, &err);
	if (rc == 0)
		rc = say(cli, &out, &err);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code;
}

const struct cmd cmd_rotate = {
	.name = "rotate",
	.args = "",
	.help = "replace this node's key; nothing is lost, and nobody needs to be asked",
	.json = true,
	.run = run,
};
