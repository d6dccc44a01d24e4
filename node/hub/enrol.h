/*
 * node/hub/enrol.h - how a node becomes known to a hub: the hub's side.
 *
 *               ask by the right code         approve
 *      OPEN ---------------------------> WAITING -------> GRANTED
 *       | |  (automatic: straight to GRANTED)  | deny        | its node is revoked
 *       | +-- time or tries are up --> CLOSED   +-------> DENIED  +--> REVOKED
 *       +---- expire, also of WAITING --> EXPIRED
 *
 * A code is for one node: the first that comes with it.  The same node may ask
 * again as often as it likes and gets the same answer; another one is refused.
 * A wrong code that names an enrolment costs one of its tries.  Whoever is refused for the
 * code's sake hears the same sentence, whether the code never was, is used up or
 * too old.  A node that can't have what the right code offers (it was made for
 * another facility, was revoked, or belongs elsewhere) is told so and leaves the
 * code as it was.
 */
#ifndef NODE_ENROL_H
#define NODE_ENROL_H

#include "node/code.h"
#include "node/id_key.h"
#include "node/words.h"
#include "store/base/arena.h"
#include "store/db.h"
#include "sync/codec/sign.h"

enum {
	ENROL_TTL_MS = 10 * 60 * 1000,
	ENROL_TRIES = 5,
	ENROL_LABEL = 64, /* bytes of the name that a node gives itself */
};

/* On disk: fixed numbers. */
enum enrol_state {
	ENROL_OPEN = 0,
	ENROL_WAITING = 1,
	ENROL_GRANTED = 2,
	ENROL_DENIED = 3,
	ENROL_CLOSED = 4,
	ENROL_EXPIRED = 5,
	ENROL_REVOKED = 6, /* never on disk: what GRANTED comes to when hub_node says so */
};

/* Whose hub, and when; borrowed by every call below. */
struct enrol_hub {
	struct store_db *db;
	const struct sync_key *key;
	int64_t now_ms;
};

struct enrol_terms {
	const char *facility;
	const char *street; /* subdistrict whose rows it may read, or NULL */
	bool automatic;     /* no approval */
	int64_t ttl_ms;     /* 0: ENROL_TTL_MS */
};

/* Make a code.  ERR_INVALID if the facility's ID can't be one. */
MUST_CHECK int enrol_new(const struct enrol_hub *hub, const struct enrol_terms *terms,
                         char code[CODE_TEXT], int64_t *expires_ms, struct err *err);

/*
 * What a node says: its code, its key, its name, the facility that it was made for, signed with
 * enrol_sign().
 */
struct enrol_ask {
	const char *code;
	uint8_t key[SYNC_PUBLIC_KEY];
	const char *label;
	const char *facility;
	uint8_t signature[STORE_SIGNATURE];
};

/* state: ENROL_GRANTED, ENROL_WAITING or, for any refusal, ENROL_DENIED. */
struct enrol_answer {
	enum enrol_state state;
	char reason[240]; /* a sentence if refused */
	uint8_t words[WORDS];
	struct buf grant;         /* the caller's to free */
	uint8_t id_key[SYNC_BOX]; /* with a grant: the facility's key, for this node */
};

/*
 * Answer a node.  A refusal is an answer, not an error.  Verifies the signature before anything
 * else is looked at.
 */
MUST_CHECK int enrol_answer(const struct enrol_hub *hub, const struct enrol_ask *ask,
                            struct enrol_answer *answer, struct err *err);

/* Sign what is asked, all but `ask->code`, which was read as `code`; sets ask->key and signature.
 */
void enrol_sign(const struct sync_key *node, const struct code *code, struct enrol_ask *ask);

/* Is it signed by the key that it names? */
MUST_CHECK bool enrol_signed(const struct enrol_ask *ask, const struct code *code);

/*
 * Decide about the enrolment that `which` names: a code, its first group, or a node id in hex.
 * ERR_NOTFOUND if there is none, ERR_INVALID if it isn't in a state for that.
 */
enum enrol_verdict { ENROL_APPROVE, ENROL_DENY, ENROL_EXPIRE };
MUST_CHECK int enrol_decide(const struct enrol_hub *hub, const char *which,
                            enum enrol_verdict verdict, struct err *err);

/* Texts live in the arena. */
struct enrol_entry {
	const char *name; /* first group of the code */
	const char *facility;
	bool automatic;
	enum enrol_state state;
	int64_t created_ms, expires_ms;
	int64_t tries; /* left */
	bool asked;    /* the next three are known */
	uint8_t node[STORE_NODE_ID];
	uint8_t words[WORDS];
	const char *label;
};

/* All that were made, newest first. */
MUST_CHECK int enrol_list(const struct enrol_hub *hub, struct arena *a, struct enrol_entry **list,
                          size_t *count, struct err *err);

/* One lower-case word: open, waiting, granted, denied, closed, expired, revoked. */
const char *enrol_state_name(enum enrol_state state);

#endif /* NODE_ENROL_H */
