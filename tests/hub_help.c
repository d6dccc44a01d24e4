#include "tests/hub_help.h"

#include "node/grant.h"
#include "node/hub/hub_schema.h"
#include "node/role.h"
#include "store/base/hash.h"
#include "store/base/text.h"
#include "store/stmt.h"

#include <check.h>
#include <string.h>

struct store_db *hub_db;
struct enrol_hub hub;
struct sync_key hub_key;
struct err hub_err;

bool hub_no_chance;

static uint64_t dice;

static int64_t
wall(void *ctx)
{
	(void)ctx;
	return hub.now_ms;
}

static void
roll(void *ctx, void *bytes, size_t len)
{
	uint8_t *out = bytes;

	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		dice = dice * 6364136223846793005u + 1442695040888963407u;
		out[i] = hub_no_chance ? 0 : (uint8_t)(dice >> 56);
	}
}

static const struct env env = { .wall_ms = wall, .mono_ms = wall, .rand = roll };

struct store_db *
hub_other(const char *facility)
{
	static const uint8_t node[STORE_NODE_ID] = "a node of a test";
	uint8_t epoch[STORE_EPOCH];
	struct store_db *db;

	ck_assert_int_eq(store_db_open(":memory:", STORE_LOCAL, &env, &db, &hub_err), 0);
	roll(NULL, epoch, sizeof epoch);
	ck_assert_int_eq(store_meta_set(db, "node", node, sizeof node, &hub_err), 0);
	ck_assert_int_eq(store_meta_set(db, "epoch", epoch, sizeof epoch, &hub_err), 0);
	ck_assert_int_eq(node_role_set(db, facility, &hub_err), 0);
	return db;
}

void
hub_open(void)
{
	ck_assert(hash_init());
	dice = 42;
	hub_no_chance = false;
	hub_key = hub_node_key(0);
	hub_db = hub_other(NULL);
	hub = (struct enrol_hub){ .db = hub_db, .key = &hub_key, .now_ms = HUB_START_MS };
	ck_assert_msg(hub_schema_migrate(hub_db, &hub_err) == 0, "%s", hub_err.msg);
}

void
hub_close(void)
{
	store_db_close(hub_db);
}

struct sync_key
hub_node_key(uint8_t n)
{
	uint8_t seed[SYNC_SEED_KEY];
	struct sync_key key;

	memset(seed, n, sizeof seed);
	sync_key_from_seed(&key, seed);
	return key;
}

void
hub_code(const char *facility, bool automatic, char code[CODE_TEXT])
{
	struct enrol_terms terms = { .facility = facility, .automatic = automatic };
	int64_t expires;

	ck_assert_msg(enrol_new(&hub, &terms, code, &expires, &hub_err) == 0, "%s", hub_err.msg);
	ck_assert_int_eq(expires, hub.now_ms + ENROL_TTL_MS);
}

/* The facility that a code is for; "F1" if the hub doesn't know it. */
static const char *
facility_of(const char *typed)
{
	static char facility[GRANT_FACILITY + 1];
	struct store_stmt s = store_stmt_new(hub_db, "SELECT facility FROM hub_enrolment WHERE"
	                                             " name = substr(?, 1, 4)");

	store_stmt_put_text(&s, typed);
	text_copy(facility, sizeof facility,
	          store_stmt_step(&s, &hub_err) == 1 ? store_stmt_get_text(&s) : "F1");
	store_stmt_end(&s);
	return facility;
}

struct enrol_answer
hub_ask(const char *typed, uint8_t n, struct buf *grant)
{
	struct sync_key key = hub_node_key(n);
	struct enrol_ask ask = { .code = typed, .label = "office", .facility = facility_of(typed) };
	struct enrol_answer answer;
	struct code code = { 0 };

	if (code_read(typed, &code, &hub_err) == 0)
		enrol_sign(&key, &code, &ask);
	ck_assert_msg(enrol_answer(&hub, &ask, &answer, &hub_err) == 0, "%s", hub_err.msg);
	if (grant != NULL)
		*grant = answer.grant;
	else
		buf_free(&answer.grant);
	return answer;
}

struct store_site
hub_enrol(const char *facility, uint8_t n)
{
	struct sync_key key = hub_node_key(n);
	struct store_site site = { .epoch = { n } };
	char code[CODE_TEXT];

	hub_code(facility, true, code);
	ck_assert_int_eq(hub_ask(code, n, NULL).state, ENROL_GRANTED);
	sync_node_id(site.node, key.public_key);
	return site;
}

int64_t
hub_int(const char *sql)
{
	int64_t value;

	ck_assert_msg(store_stmt_int(hub_db, sql, -1, &value, &hub_err) == 0, "%s", hub_err.msg);
	return value;
}

const char *
hub_field(const struct http_response *response, const char *name)
{
	const char *at = (const char *)response->fields.bytes, *limit;

	if (response->fields.len == 0)
		return "";
	limit = at + response->fields.len;
	while (at < limit) {
		const char *value = at + strlen(at) + 1;

		if (strcmp(at, name) == 0)
			return value;
		at = value + strlen(value) + 1;
	}
	return "";
}
