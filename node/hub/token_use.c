#include "node/hub/token_use.h"

#include "node/hub/hub_schema.h"

#include <pthread.h>
#include <string.h>

/* A use that isn't written yet; at_ms 0: a free place. */
struct use {
	char id[TOKEN_ID];
	int64_t at_ms;
};

static struct {
	pthread_mutex_t lock;
	struct use of[TOKEN_USES];
	int64_t kept_ms; /* mono: when they were last written; 0: never */
} uses = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
token_use_note(const char id[TOKEN_ID], int64_t now_ms)
{
	struct use *use = &uses.of[0];

	pthread_mutex_lock(&uses.lock);
	for (size_t i = 0; i < TOKEN_USES; i++) {
		if (strcmp(uses.of[i].id, id) == 0) {
			use = &uses.of[i];
			break;
		}
		if (uses.of[i].at_ms < use->at_ms)
			use = &uses.of[i];
	}
	memcpy(use->id, id, TOKEN_ID);
	use->at_ms = now_ms;
	pthread_mutex_unlock(&uses.lock);
}

/* Take them out; how many. */
static size_t
take(struct use out[TOKEN_USES], int64_t mono_ms, bool now)
{
	size_t count = 0;

	pthread_mutex_lock(&uses.lock);
	if (now || uses.kept_ms == 0 || mono_ms - uses.kept_ms >= TOKEN_USE_KEPT_MS) {
		uses.kept_ms = mono_ms;
		for (size_t i = 0; i < TOKEN_USES; i++)
			if (uses.of[i].at_ms != 0)
				out[count++] = uses.of[i];
		memset(uses.of, 0, sizeof uses.of);
	}
	pthread_mutex_unlock(&uses.lock);
	return count;
}

int
token_use_keep(struct store_db *db, int64_t mono_ms, bool now, struct err *err)
{
	struct use list[TOKEN_USES];
	size_t count = take(list, mono_ms, now);
	struct hub_work work;
	int rc;

	if (count == 0)
		return 0;
	rc = hub_work_begin(&work, db, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct store_stmt s =
		        store_stmt_new(db, "UPDATE hub_token SET used_ms = ?1 WHERE id = ?2"
		                           " AND ifnull(used_ms, 0) < ?1");

		store_stmt_put_int(&s, list[i].at_ms);
		store_stmt_put_text(&s, list[i].id);
		rc = store_stmt_run(&s, err);
	}
	return hub_work_end(&work, rc, err);
}
