#include "node/enrol_node.h"

#include "node/hub/hub_schema.h"
#include "node/json.h"
#include "node/role.h"
#include "store/base/json.h"
#include "store/base/text.h"
#include "store/inbox.h"
#include "store/remote.h"

#include <string.h>

enum { ANSWER_MAX = 64 * 1024 };

int
enrol_node_ask(const struct enrol_self *self, const char *code_typed, struct buf *body,
               struct err *err)
{
	struct enrol_ask ask = { .label = self->name, .facility = self->facility };
	char plain[CODE_CHARS + 1];
	struct json j = json_to(body);
	struct code code;
	int rc;

	rc = code_read(code_typed, &code, err);
	if (rc < 0)
		return rc;
	if (strlen(self->name) > ENROL_LABEL)
		return err_set(err, ERR_INVALID, "the node's name is longer than %d bytes",
		               ENROL_LABEL);
	code_plain(&code, plain);
	enrol_sign(self->key, &code, &ask);
	json_object(&j);
	json_name(&j, "code");
	json_text(&j, plain);
	json_name(&j, "key");
	json_hex(&j, ask.key, sizeof ask.key);
	json_name(&j, "name");
	json_text(&j, ask.label);
	json_name(&j, "facility");
	json_text(&j, ask.facility);
	json_name(&j, "signature");
	json_hex(&j, ask.signature, sizeof ask.signature);
	json_end_object(&j);
	return buf_check(body, err);
}

static int
read_grant(const struct sync_key *key, const char *hex, struct enrol_news *news, struct err *err)
{
	size_t len = strlen(hex) / 2;
	int rc;

	if (len > sizeof news->doc || !text_unhex(news->doc, len, hex))
		return err_set(err, ERR_CORRUPT, "the hub's grant isn't hex, or too long");
	rc = grant_read(news->doc, len, news->hub_key, &news->grant, err);
	if (rc < 0)
		return rc;
	if (memcmp(news->grant.node_key, key->public_key, SYNC_PUBLIC_KEY) != 0)
		return err_set(err, ERR_DENIED, "the hub's grant is for another node");
	news->doc_len = len;
	return 0;
}

static int
read_id_key(const struct sync_key *key, const char *hex, struct enrol_news *news, struct err *err)
{
	uint8_t box[SYNC_BOX];

	if (hex == NULL || !text_unhex(box, sizeof box, hex))
		return err_set(err, ERR_CORRUPT, "the hub's answer has no key of the facility");
	return id_key_open(key, news->hub_key, box, news->id_key, err);
}

static int
read_answer(const struct json_doc *doc, const struct sync_key *key, const struct code *code,
            struct enrol_news *news, struct err *err)
{
	const char *state = json_doc_text(doc, "state");
	const char *hub = json_doc_text(doc, "hub");
	const char *grant = json_doc_text(doc, "grant");
	int rc;

	if (state == NULL || hub == NULL || !text_unhex(news->hub_key, SYNC_PUBLIC_KEY, hub))
		return err_set(err, ERR_CORRUPT, "the answer isn't one of a hub's enrolment");
	if (!code_is_of(code, news->hub_key))
		return err_set(err, ERR_DENIED,
		               "this hub's key isn't the one that the code names: either the "
		               "address is another hub's, or somebody stands between");
	words_of(news->words, news->hub_key, key->public_key, code);
	if (strcmp(state, "waiting") == 0)
		return 0;
	if (strcmp(state, "granted") != 0 || grant == NULL)
		return err_set(err, ERR_CORRUPT, "the answer has an unknown state, or no grant");
	rc = read_grant(key, grant, news, err);
	if (rc == 0)
		rc = read_id_key(key, json_doc_text(doc, "id_key"), news, err);
	news->granted = rc == 0;
	return rc;
}

int
enrol_node_read(const struct sync_key *key, const char *code_typed, const void *body, size_t len,
                struct enrol_news *news, struct err *err)
{
	struct json_doc *doc;
	struct code code;
	int rc;

	memset(news, 0, sizeof *news);
	rc = code_read(code_typed, &code, err);
	if (rc < 0)
		return rc;
	rc = json_doc_read(body, len, ANSWER_MAX, &doc, err);
	if (rc < 0) {
		err->code = ERR_CORRUPT;
		return err_wrap(err, "the hub's answer");
	}
	rc = read_answer(doc, key, &code, news, err);
	json_doc_free(doc);
	return rc;
}

static int
keep(struct store_db *db, const char *url, const struct enrol_news *news, struct arena *a,
     struct err *err)
{
	struct store_remote remote = { 0 };
	struct node_role role;
	struct grant old;
	struct err ignored;
	int rc;

	rc = node_role_get(db, &role, err);
	if (rc == 0)
		rc = store_remote_get(db, "hub", a, &remote, err);
	if (rc < 0)
		return rc;
	if (strcmp(role.facility, news->grant.facility) != 0)
		return err_set(err, ERR_DENIED,
		               "the code is for facility %s and this node was made for %s: ask for "
		               "a code for %s",
		               news->grant.facility, role.facility, role.facility);
	if (remote.enrolled && memcmp(remote.key, news->hub_key, SYNC_PUBLIC_KEY) != 0)
		return err_set(err, ERR_DENIED, "this node belongs to another hub already");
	if (remote.enrolled &&
	    grant_read(remote.grant, remote.grant_len, remote.key, &old, &ignored) == 0 &&
	    old.version > news->grant.version)
		return err_set(err, ERR_DENIED, "this is an older grant than the one that we have");
	remote.url = url;
	remote.enrolled = true;
	memcpy(remote.key, news->hub_key, SYNC_PUBLIC_KEY);
	remote.grant = news->doc;
	remote.grant_len = news->doc_len;
	rc = store_remote_put(db, "hub", &remote, err);
	if (rc == 0)
		rc = store_quarantine_wake(db, STORE_QUARANTINE_ALL, err);
	return rc < 0 ? rc : id_key_keep(db, news->id_key, err);
}

int
enrol_node_keep(struct store_db *db, const char *url, const struct enrol_news *news,
                struct err *err)
{
	struct arena a = { 0 };
	struct hub_work work;
	int rc;

	if (!news->granted)
		return err_set(err, ERR_INVALID, "there is no grant to keep yet");
	rc = hub_work_begin(&work, db, err);
	if (rc < 0)
		return rc;
	rc = keep(db, url, news, &a, err);
	arena_free(&a);
	return hub_work_end(&work, rc, err);
}
