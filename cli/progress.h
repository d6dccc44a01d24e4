/*
 * cli/progress.h - how far a long command has come: one line on standard error,
 * over and over on a terminal, every ten seconds in a log.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; /* "nodes written"; borrowed */
	int64_t done, all;
	int64_t told_ms; /* monotonic */
	bool terminal;
};

/* Begin with none of `all` done. */
struct progress progress_begin(const char *what, int64_t all);

/* One more is done; writes if it is time to. */
void progress_step(struct progress *p);

/* Say how many it were in the end. */
void progress_end(struct progress *p);

#endif /* CLI_PROGRESS_H */
