#include "node/hub/enrol.h"

#include "node/hub/hub_node.h"
#include "node/hub/hub_schema.h"
#include "store/base/hash.h"
#include "store/base/text.h"
#include "store/stmt.h"

#include <stdio.h>
#include <string.h>

enum { DRAWS = 16, KEPT_DAYS = 7 };

static const char not_this_code[] = "the hub doesn't know this code, or it was used or is too old: "
                                    "ask its administrator for a new one";

/* An enrolment as stored. */
struct enrolment {
	char name[CODE_NAME];
	uint8_t hash[HASH_32];
	char facility[GRANT_FACILITY + 1];
	char street[GRANT_FACILITY + 1]; /* "" if none */
	bool automatic;
	int64_t created_ms, expires_ms, asked_ms;
	int64_t tries;
	enum enrol_state state;
	bool asked;
	uint8_t key[SYNC_PUBLIC_KEY];
	uint8_t words[WORDS];
	char label[ENROL_LABEL + 1];
};

/* ---------------------------------------------------------------- the table */

#define COLUMNS                                                                                    \
	"name, hash, facility, street, automatic, created_ms, expires_ms, asked_ms, tries, state," \
	" node_key, words, label"

static void
read_enrolment(struct store_stmt *s, struct enrolment *e)
{
	const uint8_t *bytes;
	size_t len;

	memset(e, 0, sizeof *e);
	text_copy(e->name, sizeof e->name, store_stmt_get_text(s));
	bytes = store_stmt_get_blob(s, &len);
	if (len == sizeof e->hash)
		memcpy(e->hash, bytes, len);
	text_copy(e->facility, sizeof e->facility, store_stmt_get_text(s));
	text_copy(e->street, sizeof e->street, store_stmt_get_text(s));
	e->automatic = store_stmt_get_int(s) != 0;
	e->created_ms = store_stmt_get_int(s);
	e->expires_ms = store_stmt_get_int(s);
	e->asked_ms = store_stmt_get_int(s);
	e->tries = store_stmt_get_int(s);
	e->state = (enum enrol_state)store_stmt_get_int(s);
	bytes = store_stmt_get_blob(s, &len);
	e->asked = len == sizeof e->key;
	if (e->asked)
		memcpy(e->key, bytes, len);
	bytes = store_stmt_get_blob(s, &len);
	if (len == sizeof e->words)
		memcpy(e->words, bytes, len);
	text_copy(e->label, sizeof e->label, store_stmt_get_text(s));
}

/* 1 if there is one of that name, else 0. */
static int
find(struct store_db *db, const char *name, struct enrolment *e, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT " COLUMNS " FROM hub_enrolment WHERE name = ?");
	int rc;

	memset(e, 0, sizeof *e);
	store_stmt_put_text(&s, name);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		read_enrolment(&s, e);
	store_stmt_end(&s);
	return rc;
}

static void
put_optional(struct store_stmt *s, const char *text)
{
	if (text[0] == 0)
		store_stmt_put_null(s);
	else
		store_stmt_put_text(s, text);
}

static int
insert(struct store_db *db, const struct enrolment *e, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT INTO hub_enrolment(name, hash, facility, street, automatic, created_ms,"
	            " expires_ms, tries, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");

	store_stmt_put_text(&s, e->name);
	store_stmt_put_blob(&s, e->hash, sizeof e->hash);
	store_stmt_put_text(&s, e->facility);
	put_optional(&s, e->street);
	store_stmt_put_int(&s, e->automatic);
	store_stmt_put_int(&s, e->created_ms);
	store_stmt_put_int(&s, e->expires_ms);
	store_stmt_put_int(&s, e->tries);
	store_stmt_put_int(&s, e->state);
	return store_stmt_run(&s, err);
}

/* Write what may change. */
static int
update(struct store_db *db, const struct enrolment *e, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE hub_enrolment SET tries = ?, state = ?, node_key = ?, words = ?,"
	            " label = ?, asked_ms = ? WHERE name = ?");

	store_stmt_put_int(&s, e->tries);
	store_stmt_put_int(&s, e->state);
	if (e->asked) {
		store_stmt_put_blob(&s, e->key, sizeof e->key);
		store_stmt_put_blob(&s, e->words, sizeof e->words);
	} else {
		store_stmt_put_null(&s);
		store_stmt_put_null(&s);
	}
	store_stmt_put_text(&s, e->label);
	store_stmt_put_int(&s, e->asked_ms);
	store_stmt_put_text(&s, e->name);
	return store_stmt_run(&s, err);
}

/* ---------------------------------------------------------------- a new code */

static void
hash_code(uint8_t out[HASH_32], const struct code *code)
{
	char plain[CODE_CHARS + 1];

	code_plain(code, plain);
	hash_once(out, HASH_32, plain, CODE_CHARS);
}

/* Forget enrolments that nobody came for, so that names don't run out. */
static int
sweep(const struct enrol_hub *hub, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        hub->db, "DELETE FROM hub_enrolment WHERE node_key IS NULL AND expires_ms < ?");

	store_stmt_put_int(&s, hub->now_ms - (int64_t)KEPT_DAYS * 24 * 3600 * 1000);
	return store_stmt_run(&s, err);
}

/* Draw a code whose name is free. */
static int
draw(const struct enrol_hub *hub, struct code *code, struct enrolment *e, struct err *err)
{
	uint8_t secret[CODE_SECRET];
	struct enrolment other;
	int rc = 1;

	for (int i = 0; rc == 1 && i < DRAWS; i++) {
		env_rand(store_db_env(hub->db), secret, sizeof secret);
		code_make(code, secret, hub->key->public_key);
		code_name(code, e->name);
		rc = find(hub->db, e->name, &other, err);
	}
	hash_code(e->hash, code);
	return rc == 1 ? err_set(err, ERR_BUSY, "too many codes are open; expire some first") : rc;
}

int
enrol_new(const struct enrol_hub *hub, const struct enrol_terms *terms, char text[CODE_TEXT],
          int64_t *expires_ms, struct err *err)
{
	struct enrolment e = { .automatic = terms->automatic, .tries = ENROL_TRIES };
	struct hub_work work;
	struct grant grant;
	struct code code;
	int rc;

	rc = grant_of_facility(&grant, terms->facility, terms->street, err);
	if (rc == 0)
		rc = hub_work_begin(&work, hub->db, err);
	if (rc < 0)
		return rc;
	text_copy(e.facility, sizeof e.facility, terms->facility);
	text_copy(e.street, sizeof e.street, terms->street == NULL ? "" : terms->street);
	e.created_ms = hub->now_ms;
	e.expires_ms = hub->now_ms + (terms->ttl_ms == 0 ? ENROL_TTL_MS : terms->ttl_ms);
	rc = sweep(hub, err);
	if (rc == 0)
		rc = draw(hub, &code, &e, err);
	if (rc == 0)
		rc = insert(hub->db, &e, err);
	if (rc == 0)
		code_text(&code, text);
	*expires_ms = e.expires_ms;
	return hub_work_end(&work, rc, err);
}

/* ---------------------------------------------------------------- the answer */

static int
refuse(struct enrol_answer *answer, const char *reason)
{
	answer->state = ENROL_DENIED;
	text_copy(answer->reason, sizeof answer->reason, reason);
	return 0;
}

/* Enrol the node that asked. */
static int
issue(const struct enrol_hub *hub, struct enrolment *e, struct err *err)
{
	struct grant grant;
	struct hub_node_new new = {
		.hub = hub->key, .grant = &grant, .label = e->label, .now_ms = hub->now_ms
	};
	int rc;

	rc = grant_of_facility(&grant, e->facility, e->street[0] == 0 ? NULL : e->street, err);
	if (rc < 0)
		return rc;
	memcpy(grant.node_key, e->key, SYNC_PUBLIC_KEY);
	rc = hub_node_grant(hub->db, &new, err);
	if (rc == 0)
		e->state = ENROL_GRANTED;
	return rc;
}

/* The key of the node's facility, which none but the node can take out. */
static int
give_id_key(const struct enrol_hub *hub, const struct enrolment *e, struct enrol_answer *answer,
            struct err *err)
{
	uint8_t nonce[SYNC_BOX_NONCE];

	env_rand(store_db_env(hub->db), nonce, sizeof nonce);
	return id_key_seal(hub->key, e->facility, e->key, nonce, answer->id_key, err);
}

/* The newest grant of the node that this enrolment is for. */
static int
give_grant(const struct enrol_hub *hub, const struct enrolment *e, struct enrol_answer *answer,
           struct err *err)
{
	uint8_t node[STORE_NODE_ID];
	struct hub_node known = { 0 };
	struct arena a = { 0 };
	int rc;

	rc = hub_node_id(hub->db, e->key, node, err);
	if (rc == 0)
		rc = hub_node_find(hub->db, node, &a, &known, err);
	if (rc == 0 || (rc == 1 && known.revoked_ms != 0)) {
		rc = refuse(answer, hub_node_revoked_words);
	} else if (rc == 1) {
		answer->state = ENROL_GRANTED;
		buf_put(&answer->grant, known.doc, known.doc_len);
		rc = buf_check(&answer->grant, err);
		if (rc == 0)
			rc = give_id_key(hub, e, answer, err);
	}
	arena_free(&a);
	return rc;
}

static int
tell(const struct enrol_hub *hub, const struct enrolment *e, struct enrol_answer *answer,
     struct err *err)
{
	switch (e->state) {
	case ENROL_WAITING:
		answer->state = ENROL_WAITING;
		return 0;
	case ENROL_GRANTED:
		return give_grant(hub, e, answer, err);
	case ENROL_DENIED:
		return refuse(answer, "the hub's administrator has refused this node");
	case ENROL_OPEN:
	case ENROL_CLOSED:
	case ENROL_EXPIRED:
	case ENROL_REVOKED:
		break;
	}
	return refuse(answer, not_this_code);
}

/*
 * Could this node have what the code offers?  Asked before anything is given or used up: a key that
 * once has a grant is bound to its facility.  A refusal is in the answer.
 */
static int
check_fit(const struct enrol_hub *hub, const struct enrolment *e, const struct enrol_ask *ask,
          struct enrol_answer *answer, struct err *err)
{
	uint8_t node[STORE_NODE_ID];
	int rc;

	if (strcmp(ask->facility, e->facility) != 0) {
		answer->state = ENROL_DENIED;
		snprintf(answer->reason, sizeof answer->reason,
		         "this code is for facility %s, and the node was made for %.62s; use one "
		         "for that facility",
		         e->facility, ask->facility);
		return 0;
	}
	rc = hub_node_id(hub->db, ask->key, node, err);
	if (rc == 0)
		rc = hub_node_fit(hub->db, node, e->facility, err);
	return rc == ERR_DENIED ? refuse(answer, err->msg) : rc;
}

/* The first that comes with the right code: it is theirs from now on, if they fit. */
static int
bind(const struct enrol_hub *hub, struct enrolment *e, const struct enrol_ask *ask,
     struct enrol_answer *answer, struct err *err)
{
	int rc = check_fit(hub, e, ask, answer, err);

	if (rc < 0 || answer->state == ENROL_DENIED)
		return rc;
	memcpy(e->key, ask->key, SYNC_PUBLIC_KEY);
	memcpy(e->words, answer->words, WORDS);
	text_copy(e->label, sizeof e->label, ask->label);
	e->asked = true;
	e->asked_ms = hub->now_ms;
	e->state = ENROL_WAITING;
	if (e->automatic)
		rc = issue(hub, e, err);
	return rc == 0 ? update(hub->db, e, err) : rc;
}

static int
miss(const struct enrol_hub *hub, struct enrolment *e, struct enrol_answer *answer, struct err *err)
{
	if (e->tries > 0)
		e->tries--;
	if (e->tries == 0 && e->state == ENROL_OPEN)
		e->state = ENROL_CLOSED;
	refuse(answer, not_this_code);
	return update(hub->db, e, err);
}

/* It will be printed on somebody's terminal. */
static bool
text_fits(const char *text, size_t max)
{
	size_t len = strlen(text), bad;

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return len <= max && text_is_utf8(text, len, &bad);
}

static int
answer_in(const struct enrol_hub *hub, const struct enrol_ask *ask, const struct code *code,
          struct enrol_answer *answer, struct err *err)
{
	char name[CODE_NAME];
	uint8_t hash[HASH_32];
	struct enrolment e;
	int rc;

	code_name(code, name);
	hash_code(hash, code);
	rc = find(hub->db, name, &e, err);
	if (rc < 0)
		return rc;
	if (rc == 0 || (!e.asked && (e.state != ENROL_OPEN || hub->now_ms >= e.expires_ms)))
		return refuse(answer, not_this_code);
	if (!hash_equal(hash, e.hash, sizeof hash) ||
	    (e.asked && memcmp(e.key, ask->key, SYNC_PUBLIC_KEY) != 0))
		return miss(hub, &e, answer, err);
	if (!e.asked)
		rc = bind(hub, &e, ask, answer, err);
	if (rc < 0 || answer->state == ENROL_DENIED)
		return rc;
	return tell(hub, &e, answer, err);
}

int
enrol_answer(const struct enrol_hub *hub, const struct enrol_ask *ask, struct enrol_answer *answer,
             struct err *err)
{
	struct hub_work work;
	struct code code;
	struct err why;
	int rc;

	memset(answer, 0, sizeof *answer);
	if (!text_fits(ask->label, ENROL_LABEL))
		return refuse(answer, "a node's name has at most 64 bytes of UTF-8 without control "
		                      "characters");
	if (!text_fits(ask->facility, GRANT_FACILITY))
		return refuse(answer, "a facility's ID has at most 48 bytes of UTF-8 without "
		                      "control characters");
	if (code_read(ask->code, &code, &why) < 0)
		return refuse(answer, why.msg);
	if (!enrol_signed(ask, &code))
		return refuse(answer, "the request isn't signed by the key that it names");
	if (!code_is_of(&code, hub->key->public_key))
		return refuse(answer, "this code was made by another hub");
	words_of(answer->words, hub->key->public_key, ask->key, &code);
	rc = hub_work_begin(&work, hub->db, err);
	if (rc == 0)
		rc = hub_work_end(&work, answer_in(hub, ask, &code, answer, err), err);
	return rc;
}

/* ---------------------------------------------------------------- the administrator */

/* The newest enrolment that the node with this id has asked for: 1, or 0. */
static int
find_by_node(struct store_db *db, const uint8_t node[STORE_NODE_ID], struct enrolment *e,
             struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT " COLUMNS
	                                         " FROM hub_enrolment WHERE node_key IS NOT NULL"
	                                         " ORDER BY asked_ms DESC");
	uint8_t id[STORE_NODE_ID];
	int rc;

	memset(e, 0, sizeof *e);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		read_enrolment(&s, e);
		sync_node_id(id, e->key);
		if (memcmp(id, node, sizeof id) == 0)
			break;
	}
	store_stmt_end(&s);
	return rc;
}

/* The first group of a whole code, or of itself; "" if it is neither. */
static void
name_of(const char *which, char name[CODE_NAME])
{
	struct code code;
	struct err ignored;

	name[0] = 0;
	if (code_read(which, &code, &ignored) == 0) {
		code_name(&code, name);
	} else if (strlen(which) == CODE_NAME - 1) {
		for (int i = 0; i < CODE_NAME; i++)
			name[i] = which[i] >= 'a' && which[i] <= 'z' ? (char)(which[i] - 'a' + 'A')
			                                             : which[i];
	}
}

/* What a person may have typed: a code, its first group, or a node's id. */
static int
find_named(struct store_db *db, const char *which, struct enrolment *e, struct err *err)
{
	uint8_t node[STORE_NODE_ID];
	char name[CODE_NAME];
	int rc;

	if (text_unhex(node, sizeof node, which)) {
		rc = find_by_node(db, node, e, err);
	} else {
		name_of(which, name);
		rc = find(db, name, e, err);
	}
	if (rc == 0)
		rc = err_set(err, ERR_NOTFOUND,
		             "no enrolment is called %.40s: see `yizhan enrol list`", which);
	return rc < 0 ? rc : 0;
}

/* How it stands now; on disk is how it was last written. */
static int
stands(const struct enrol_hub *hub, const struct enrolment *e, enum enrol_state *state,
       struct err *err)
{
	struct store_stmt s;
	int rc;

	*state = e->state == ENROL_OPEN && hub->now_ms >= e->expires_ms ? ENROL_CLOSED : e->state;
	if (e->state != ENROL_GRANTED)
		return 0;
	/* a key that was replaced is still its node's */
	s = store_stmt_new(hub->db, "SELECT 1 FROM hub_node WHERE revoked_ms IS NOT NULL AND"
	                            " (node_key = ?1"
	                            " OR node = (SELECT node FROM hub_key WHERE key = ?1))");
	store_stmt_put_blob(&s, e->key, sizeof e->key);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	if (rc == 1)
		*state = ENROL_REVOKED;
	return rc < 0 ? rc : 0;
}

static int
decide(const struct enrol_hub *hub, struct enrolment *e, enum enrol_verdict verdict,
       struct err *err)
{
	bool may = e->state == ENROL_WAITING || (e->state == ENROL_OPEN && verdict == ENROL_EXPIRE);
	enum enrol_state state;
	int rc = stands(hub, e, &state, err);

	if (rc == 0 && !may)
		rc = err_set(err, ERR_INVALID, "enrolment %s is %s%s", e->name,
		             enrol_state_name(state),
		             state == ENROL_OPEN ? ": no node has come with its code yet" : "");
	if (rc < 0)
		return rc;
	if (verdict == ENROL_APPROVE)
		rc = issue(hub, e, err);
	else
		e->state = verdict == ENROL_DENY ? ENROL_DENIED : ENROL_EXPIRED;
	return rc == 0 ? update(hub->db, e, err) : rc;
}

int
enrol_decide(const struct enrol_hub *hub, const char *which, enum enrol_verdict verdict,
             struct err *err)
{
	struct hub_work work;
	struct enrolment e;
	int rc;

	rc = hub_work_begin(&work, hub->db, err);
	if (rc < 0)
		return rc;
	rc = find_named(hub->db, which, &e, err);
	if (rc == 0)
		rc = decide(hub, &e, verdict, err);
	return hub_work_end(&work, rc, err);
}

static int
fill_entry(struct enrol_entry *out, const struct enrolment *e, const struct enrol_hub *hub,
           struct arena *a, struct err *err)
{
	*out = (struct enrol_entry){
		.name = arena_copy(a, e->name, strlen(e->name)),
		.facility = arena_copy(a, e->facility, strlen(e->facility)),
		.label = arena_copy(a, e->label, strlen(e->label)),
		.automatic = e->automatic,
		.created_ms = e->created_ms,
		.expires_ms = e->expires_ms,
		.tries = e->tries,
		.asked = e->asked,
	};
	if (e->asked)
		sync_node_id(out->node, e->key);
	memcpy(out->words, e->words, WORDS);
	if (a->spent)
		return err_set(err, ERR_NOMEM, "enrolments: out of memory");
	return stands(hub, e, &out->state, err);
}

int
enrol_list(const struct enrol_hub *hub, struct arena *a, struct enrol_entry **list, size_t *count,
           struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        hub->db, "SELECT " COLUMNS " FROM hub_enrolment ORDER BY created_ms DESC, name");
	int64_t all;
	int rc;

	*count = 0;
	*list = NULL;
	rc = store_stmt_int(hub->db, "SELECT count(*) FROM hub_enrolment", 0, &all, err);
	if (rc == 0)
		*list = arena_take(a, (size_t)all, sizeof **list);
	if (rc == 0 && *list == NULL)
		rc = err_set(err, ERR_NOMEM, "enrolments: out of memory");
	while (rc == 0 && *count < (size_t)all && (rc = store_stmt_step(&s, err)) == 1) {
		struct enrolment e;

		read_enrolment(&s, &e);
		rc = fill_entry(&(*list)[(*count)++], &e, hub, a, err);
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

const char *
enrol_state_name(enum enrol_state state)
{
	static const char *const names[] = { "open",   "waiting", "granted", "denied",
		                             "closed", "expired", "revoked" };

	return (unsigned)state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}
