#include "cli/progress.h"
#include "store/base/env.h"

#include <stdio.h>
#include <unistd.h>

enum { TERMINAL_MS = 200, LOG_MS = 10000 };

static void
tell(struct progress *p, const char *end)
{
	fprintf(stderr, "%s%lld of %lld %s%s", p->terminal ? "\r" : "", (long long)p->done,
	        (long long)p->all, p->what, end);
	fflush(stderr);
	p->told_ms = env_mono_ms(env_real());
}

struct progress
progress_begin(const char *what, int64_t all)
{
	return (struct progress){ .what = what,
		                  .all = all,
		                  .told_ms = env_mono_ms(env_real()),
		                  .terminal = isatty(STDERR_FILENO) != 0 };
}

void
progress_step(struct progress *p)
{
	p->done++;
	if (env_mono_ms(env_real()) - p->told_ms >= (p->terminal ? TERMINAL_MS : LOG_MS))
		tell(p, p->terminal ? "" : "\n");
}

void
progress_end(struct progress *p)
{
	tell(p, "\n");
}
