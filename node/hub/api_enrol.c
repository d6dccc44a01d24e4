#include "node/hub/api_enrol.h"

#include "node/json.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <string.h>

enum { BODY_MAX = 4096 };

static const char *const members[] = { "code", "key", "name", "facility", "signature", NULL };

/* A sentence if the document can't be a request. */
static const char *
read_ask(const struct json_doc *doc, struct enrol_ask *ask)
{
	const char *key = json_doc_text(doc, "key");
	const char *signature = json_doc_text(doc, "signature");

	ask->code = json_doc_text(doc, "code");
	ask->label = json_doc_text(doc, "name");
	ask->facility = json_doc_text(doc, "facility");
	if (json_doc_stranger(doc, members) != NULL)
		return "the members are code, key, name, facility and signature, nothing "
		       "else";
	if (ask->code == NULL || ask->label == NULL || ask->facility == NULL)
		return "`code`, `name` and `facility` must be strings";
	if (key == NULL || !text_unhex(ask->key, sizeof ask->key, key))
		return "`key` must be 64 hex digits";
	if (signature == NULL || !text_unhex(ask->signature, sizeof ask->signature, signature))
		return "`signature` must be 128 hex digits";
	return NULL;
}

static void
write_words(struct json *j, const uint8_t words[WORDS])
{
	static const char *const names[] = { [WORDS_ZH] = "zh", [WORDS_EN] = "en" };

	json_name(j, "words");
	json_object(j);
	for (int language = WORDS_ZH; language <= WORDS_EN; language++) {
		struct buf text = { 0 };

		words_write(&text, words, (enum words_language)language);
		json_name(j, names[language]);
		json_text(j, buf_str(&text));
		buf_free(&text);
	}
	json_end_object(j);
}

static void
write_answer(const struct enrol_hub *hub, const struct enrol_answer *answer,
             struct http_response *response)
{
	struct json j = json_to(&response->body);

	response->status = 200;
	response->type = "application/json";
	json_object(&j);
	json_name(&j, "state");
	json_text(&j, enrol_state_name(answer->state));
	json_name(&j, "hub");
	json_hex(&j, hub->key->public_key, SYNC_PUBLIC_KEY);
	write_words(&j, answer->words);
	json_name(&j, "grant");
	if (answer->state == ENROL_GRANTED)
		json_hex(&j, answer->grant.bytes, answer->grant.len);
	else
		json_null(&j);
	json_name(&j, "id_key");
	if (answer->state == ENROL_GRANTED)
		json_hex(&j, answer->id_key, sizeof answer->id_key);
	else
		json_null(&j);
	json_end_object(&j);
	buf_u8(&response->body, '\n');
}

void
api_enrol_post(const struct enrol_hub *hub, const struct http_request *request,
               struct http_response *response)
{
	struct enrol_answer answer = { 0 };
	struct json_doc *doc = NULL;
	struct enrol_ask ask;
	const char *wrong;
	struct err err;

	if (json_doc_read(request->body, request->body_len, BODY_MAX, &doc, &err) < 0) {
		http_problem_body(response, 400, err.msg);
		return;
	}
	wrong = read_ask(doc, &ask);
	if (wrong != NULL)
		http_problem_body(response, 400, wrong);
	else if (enrol_answer(hub, &ask, &answer, &err) < 0)
		http_problem_body(response, http_status_of(err.code), err.msg);
	else if (answer.state == ENROL_DENIED)
		http_problem_body(response, 403, answer.reason);
	else
		write_answer(hub, &answer, response);
	http_field(response, "Cache-Control", "no-store");
	buf_free(&answer.grant);
	json_doc_free(doc);
}
