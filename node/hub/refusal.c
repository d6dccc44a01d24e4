#include "node/hub/refusal.h"

#include "node/log.h"

#include <pthread.h>

enum { MINUTE_MS = 60000 };

static struct {
	pthread_mutex_t lock;
	int64_t since_ms; /* of this minute */
	unsigned lines;   /* written in it */
	unsigned untold;  /* since the last line */
} told = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* May a line be written?  *untold is how many were not since the last. */
static int
take_turn(int64_t mono_ms, unsigned *untold)
{
	int mine;

	pthread_mutex_lock(&told.lock);
	if (mono_ms - told.since_ms >= MINUTE_MS || told.since_ms == 0) {
		told.since_ms = mono_ms;
		told.lines = 0;
	}
	mine = told.lines < REFUSAL_LINES;
	told.lines += mine ? 1 : 0;
	*untold = told.untold;
	told.untold = mine ? 0 : told.untold + 1;
	pthread_mutex_unlock(&told.lock);
	return mine;
}

void
refusal_tell(int64_t mono_ms, const char *path, const char *peer, const char *why)
{
	unsigned untold;

	if (!take_turn(mono_ms, &untold))
		return;
	if (untold == 0)
		log_line(LOG_LEVEL_WARN, "refused %s to %s: %s", path, peer, why);
	else
		log_line(LOG_LEVEL_WARN, "refused %s to %s: %s (and %u more before)", path, peer,
		         why, untold);
}
