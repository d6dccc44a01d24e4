/*
 * node/ctl_words.h - what is said over the control socket (node/ctl.h), and the
 * document that `yizhan sync --json` prints.
 */
#ifndef NODE_CTL_WORDS_H
#define NODE_CTL_WORDS_H

#include "node/core.h"
#include "node/link.h"
#include "store/base/json.h"
#include "store/remote.h"

enum ctl_do { CTL_DO_UNKNOWN, CTL_DO_SYNC, CTL_DO_ARCHIVE, CTL_DO_ROTATE, CTL_DO_RELOAD };

/* The call a line makes. */
enum ctl_do ctl_words_read(const char *line);

/* The line of a call. */
const char *ctl_words_line(enum ctl_do what);

/* How a meeting went; `rejected` has what this meeting refused, and with n null what may not leave
 * this node:
 * {"state","sent","received","bytes_out","bytes_in","round_trips","rejected", "took_ms"};
 * {"error":...} if it failed. */
struct ctl_sync {
	const struct node_met *met;
	struct link_cost cost;
};
void ctl_words_sync(struct buf *out, struct store_db *db, const struct ctl_sync *sync);

/* {"branch","head","commits"} of a round of the archive. */
struct sync_archive_result;
void ctl_words_archive(struct buf *out, const struct sync_archive_result *result);

/* {"error":{"code","message","do"}} */
struct ctl_error {
	const char *code; /* a meeting failed: "unreachable", or "denied" by the hub; else "invalid"
	                     or "busy" */
	const char *message; /* what happened */
	const char *todo;    /* what to do */
};
void ctl_words_error(struct buf *out, const struct ctl_error *error);

/* {"state":"ok"} */
void ctl_words_ok(struct buf *out);

#endif /* NODE_CTL_WORDS_H */
