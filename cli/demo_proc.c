#include "cli/demo_proc.h"
#include "store/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 24 };

/* In the child: become the program; children end with the demo, whatever happens to it. */
static void
become(const char *const *args, int out, int log)
{
	const char *argv[ARGS_MAX + 2] = { "yizhan" };
	union {
		const char **given;
		char **taken; /* execv changes nothing, whatever its prototype says */
	} list = { argv };
	size_t n = 0;

	while (n < ARGS_MAX && args[n] != NULL) {
		argv[n + 1] = args[n];
		n++;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(out, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execv("/proc/self/exe", list.taken);
	_exit(127);
}

static int
spawn(const char *const *args, const char *log_path, pid_t *pid, int *from, struct err *err)
{
	int ends[2], log = -1;

	if (pipe2(ends, O_CLOEXEC) < 0) /* another thread may fork meanwhile */
		return err_set(err, ERR_IO, "pipe: %s", strerror(errno));
	if (log_path != NULL)
		log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	*pid = fork();
	if (*pid == 0)
		become(args, ends[1], log_path == NULL ? ends[1] : log);
	close(ends[1]);
	if (log >= 0)
		close(log);
	*from = ends[0];
	if (*pid < 0) {
		close(ends[0]);
		return err_set(err, ERR_IO, "fork: %s", strerror(errno));
	}
	return 0;
}

static int
end_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
demo_run(const char *const *args, struct buf *out, struct err *err)
{
	char chunk[4096];
	pid_t pid;
	ssize_t n;
	int from, rc = spawn(args, NULL, &pid, &from, err);

	if (rc < 0)
		return rc;
	while ((n = read(from, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			buf_put(out, chunk, (size_t)n);
	close(from);
	return end_of(pid);
}

/* The daemon's first line, up to its end. */
static bool
first_line(int from, char *line, size_t size)
{
	size_t used = 0;

	while (used + 1 < size) {
		ssize_t n = read(from, line + used, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || line[used] == '\n')
			break;
		used++;
	}
	line[used] = 0;
	return used > 0;
}

int
demo_start(const char *const *args, const char *log, pid_t *pid, char address[64], struct err *err)
{
	char line[512], *at;
	int from, rc = spawn(args, log, pid, &from, err);

	if (rc < 0)
		return rc;
	at = first_line(from, line, sizeof line) ? strstr(line, "http://") : NULL;
	close(from);
	if (at == NULL) {
		end_of(*pid);
		return err_set(err, ERR_IO, "a daemon did not start; its log is %s", log);
	}
	text_copy(address, 64, at + strlen("http://"));
	return 0;
}

int
demo_stop(pid_t pid)
{
	kill(pid, SIGTERM);
	return end_of(pid);
}
