#include "cli/daemon.h"
#include "node/ctl.h"

#include <time.h>

enum { ANSWER_MS = 10 * 60 * 1000, START_MS = 5000, STEP_MS = 50 };

int
cli_daemon_ask(const struct cli *cli, enum ctl_do what, struct buf *answer, struct err *err)
{
	const struct timespec step = { 0, STEP_MS * 1000000L };
	char path[CLI_PATH_MAX];
	int rc = cli_path(cli, "ctl", path, err);

	if (rc < 0)
		return rc;
	for (int waited = 0; waited <= START_MS; waited += STEP_MS) {
		rc = ctl_ask(path, ctl_words_line(what), ANSWER_MS, answer, err);
		if (rc != ERR_NOTFOUND)
			return rc;
		nanosleep(&step, NULL);
	}
	return err_set(err, ERR_BUSY,
	               "another yizhan has %s locked and doesn't answer; wait until it has ended",
	               cli->dir);
}
