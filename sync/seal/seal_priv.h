/*
 * sync/seal/seal_priv.h - a seal while it goes on, shared by its parts: net effect of
 * a row (seal_effect.c), what no write may change (seal_undo.c), merging and
 * order (seal.c), units and segments (seal_unit.c).
 */
#ifndef SYNC_SEAL_PRIV_H
#define SYNC_SEAL_PRIV_H

#include "store/inbox.h"
#include "store/log.h"
#include "store/share.h"
#include "sync/seal/seal.h"

/* What a write to a row did that no write may do. */
enum sync_undo {
	SYNC_UNDO_NOTHING,
	SYNC_UNDO_SCOPE, /* the row says another scope than it has been in so far */
	SYNC_UNDO_EVENT, /* an event was written again */
	SYNC_UNDO_LOST,  /* likewise, and what it was is in no segment of this file */
};

/* One row on its way. */
struct item {
	struct store_log_row *log;
	struct store_row row;
	struct store_change changes[2]; /* an update of max cells may have to go before a delete */
	int change_count;
	bool was_held, is_held;      /* listed in quarantine, by an earlier seal or by this one */
	struct store_share *further; /* at the hub: what else than its own scope sees the row */
	size_t further_count;
	enum sync_undo undo;
};

struct seal {
	struct sync_replica *r;
	struct arena arena;
	struct item *items;
	size_t count;
	size_t rewritten; /* items that are */
	int64_t last_stamp;
	bool shares; /* a row of yz_share was written */
	bool left;   /* a node, whose scope somebody may have left */
	struct sync_sealed *out;
};

/* Put what was written here on the list of what needs a person, and let the replica know. */
MUST_CHECK int sync_seal_list(struct seal *s, const struct store_quarantined *q, struct err *err);

/* What has happened to the row since the last seal: fills it->changes (none, one, or an update and
 * a delete). */
MUST_CHECK int sync_seal_effect(struct seal *s, struct item *it, struct err *err);

/*
 * The scope of the row, as its values say it; of a row that is known already, the one it has been
 * in so far; it->undo if its values say another.
 */
MUST_CHECK int sync_seal_scope(struct seal *s, struct item *it, struct err *err);

/* An event that is there stays as it is; it->undo if its row doesn't. */
void sync_seal_look_at_event(struct seal *s, struct item *it);

/* Let events that were written again be what they were, out of the segments. */
MUST_CHECK int sync_seal_undo_events(struct seal *s, struct err *err);

/* Why an undone write may not leave this file either; NULL if what is left of it may. */
const char *sync_seal_undo_holds(const struct seal *s, const struct item *it);

/* List what was undone, for a person. */
MUST_CHECK int sync_seal_tell_undone(struct seal *s, const struct item *it, struct err *err);

/* Can no segment hold what the item changes?  Then `reason` says so to a person. */
bool sync_seal_too_large(const struct item *it, char *reason, size_t size);

/* A stamp for a change made at this time, later than all so far. */
int64_t sync_seal_stamp(struct seal *s, int64_t at_ms);

/* All items with changes as records: one unit per scope, `more` of it to come in the next part. */
MUST_CHECK int sync_seal_units(struct seal *s, bool more, struct err *err);

#endif /* SYNC_SEAL_PRIV_H */
