/*
 * cli/cmd_enrol.c - how a node and a hub become acquainted.
 *
 *   at the hub    enrol new --facility ID [--auto]    a code, to be told to the facility; with
 *                                                     the TLS key of the front (node/pin.h)
 *                 enrol approve|deny|expire WHICH     WHICH: a code, its first group, or a node's
 * id enrol list at the node   enrol CODE URL
 */
#include "cli/hub.h"
#include "cli/qr.h"
#include "node/config.h"
#include "node/ctl.h"
#include "node/ctl_words.h"
#include "node/enrol_node.h"
#include "node/facility/street.h"
#include "node/hub/enrol.h"
#include "node/hub/session.h"
#include "node/identity.h"
#include "node/pin.h"
#include "node/role.h"
#include "store/base/json.h"
#include "store/base/text.h"
#include "sync/exchange/transport_http.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ASK_AGAIN_S = 2, ASK_FOR_S = ENROL_TTL_MS / 1000, RELOAD_MS = 10000 };

static void
put_words(struct buf *out, const uint8_t words[WORDS])
{
	words_write(out, words, WORDS_ZH);
	buf_printf(out, " / ");
	words_write(out, words, WORDS_EN);
}

/* ---- at the hub ---- */

struct at_hub {
	struct store_db *db;
	struct sync_key key;
	struct enrol_hub hub;
};

static int
open_hub(const struct cli *cli, struct at_hub *h, struct err *err)
{
	int rc = cli_hub_open(cli, &h->db, err);

	if (rc == 0)
		rc = identity_load_key(cli->dir, &h->key, err);
	h->hub = (struct enrol_hub){ .db = h->db,
		                     .key = &h->key,
		                     .now_ms = env_wall_ms(env_real()) };
	return rc;
}

static void
close_hub(struct at_hub *h)
{
	store_db_close(h->db);
	sync_key_wipe(&h->key);
}

/* The code as it is told: with the TLS key of the front before this hub, if node.conf names one. */
static int
tell_code(const struct cli *cli, const char *code, char told[CODE_TEXT + PIN_TAIL], struct err *err)
{
	struct config config;
	char tail[PIN_TAIL];
	int rc = config_load(cli->dir, &config, err);

	snprintf(told, CODE_TEXT + PIN_TAIL, "%s", code);
	if (rc == 0 && config.own_pin[0] != 0) {
		rc = pin_tail(config.own_pin, tail, err);
		snprintf(told, CODE_TEXT + PIN_TAIL, "%s.%s", code, tail);
	}
	return rc;
}

static int
print_code(const struct cli *cli, const char *code, const char *expires, struct buf *out,
           struct err *err)
{
	buf_printf(out,
	           "%s\n\nAt the facility, before %s:\n  yizhan -C DIR enrol %s URL-OF-THIS-HUB\n",
	           code, expires, code);
	if (cli_option(cli, "qr") == NULL)
		return 0;
	buf_u8(out, '\n');
	return cli_qr(out, code, err);
}

/* The code is made all the same. */
static int
warn_of_street(const struct cli *cli, struct store_db *db, struct err *err)
{
	const char *street = cli_option(cli, "street");
	char why[STREET_WHY] = "";
	int rc = street == NULL ? 0 : facility_street_doubt(db, street, why, err);

	if (rc == 0 && why[0] != 0)
		cli_warn(cli, why);
	return rc;
}

static int
make_code(const struct cli *cli, struct at_hub *h, struct buf *out, struct err *err)
{
	struct enrol_terms terms = {
		.facility = cli_option(cli, "facility"),
		.street = cli_option(cli, "street"),
		.automatic = cli_option(cli, "auto") != NULL,
	};
	char code[CODE_TEXT], told[CODE_TEXT + PIN_TAIL], expires[TEXT_TIME_SIZE];
	struct json j = json_to(out);
	int64_t expires_ms = 0;
	int rc;

	rc = tell_code(cli, "", told, err); /* a setting that is wrong costs no code */
	if (rc == 0)
		rc = enrol_new(&h->hub, &terms, code, &expires_ms, err);
	if (rc == 0)
		rc = tell_code(cli, code, told, err);
	if (rc == 0)
		rc = warn_of_street(cli, h->db, err);
	if (rc < 0)
		return rc;
	text_time(expires, expires_ms);
	if (!cli->json)
		return print_code(cli, told, expires, out, err);
	json_object(&j);
	json_name(&j, "code");
	json_text(&j, told);
	json_name(&j, "facility");
	json_text(&j, terms.facility);
	json_name(&j, "expires");
	json_text(&j, expires);
	json_end_object(&j);
	buf_u8(out, '\n');
	return 0;
}

static void
put_entry(const struct cli *cli, const struct enrol_entry *e, struct json *j, struct buf *out)
{
	struct buf words = { 0 };

	if (e->asked)
		put_words(&words, e->words);
	if (cli->json) {
		json_object(j);
		json_name(j, "code");
		json_text(j, e->name);
		json_name(j, "facility");
		json_text(j, e->facility);
		json_name(j, "state");
		json_text(j, enrol_state_name(e->state));
		json_name(j, "expires");
		json_time(j, e->expires_ms);
		json_name(j, "node");
		if (e->asked)
			json_hex(j, e->node, STORE_NODE_ID);
		else
			json_null(j);
		json_name(j, "words");
		json_text(j, e->asked ? buf_str(&words) : NULL);
		json_end_object(j);
	} else {
		buf_printf(out, "%s-…  %-12s %-8s %s\n", e->name, e->facility,
		           enrol_state_name(e->state), buf_str(&words));
	}
	buf_free(&words);
}

static int
list(const struct cli *cli, struct at_hub *h, struct buf *out, struct err *err)
{
	struct enrol_entry *entries;
	struct json j = json_to(out);
	struct arena a = { 0 };
	size_t count = 0;
	int rc = enrol_list(&h->hub, &a, &entries, &count, err);

	if (cli->json)
		json_array(&j);
	for (size_t i = 0; rc == 0 && i < count; i++)
		put_entry(cli, &entries[i], &j, out);
	if (cli->json) {
		json_end_array(&j);
		buf_u8(out, '\n');
	} else if (rc == 0 && count == 0) {
		buf_printf(out,
		           "no enrolments; make one with: yizhan -C %s enrol new --facility ID\n",
		           cli->dir);
	}
	arena_free(&a);
	return rc;
}

static int
decide(const struct cli *cli, struct at_hub *h, enum enrol_verdict verdict, struct buf *out,
       struct err *err)
{
	const char *did = verdict == ENROL_APPROVE ? "approved"
	                  : verdict == ENROL_DENY  ? "denied"
	                                           : "expired";
	const char *which = cli->argv[1];
	int shown = 2 * STORE_NODE_ID;
	char what[80];
	int rc = enrol_decide(&h->hub, which, verdict, err);

	/* of a code its first group, which names it and opens nothing */
	if (strlen(which) != (size_t)2 * STORE_NODE_ID)
		shown = 4;
	snprintf(what, sizeof what, "%s enrolment %.*s", did, shown, which);
	if (rc == 0)
		rc = session_log_decided(h->db, cli_who(), what, err);
	if (rc == ERR_NOTFOUND || rc == ERR_INVALID)
		rc = cli_advise(err, "yizhan enrol list names those that wait, yizhan nodes revoke "
		                     "shuts a granted node out");
	if (rc == 0 && !cli->json)
		buf_printf(out, "%s: %s\n", cli->argv[1], did);
	else if (rc == 0)
		buf_printf(out, "{\"state\":\"ok\"}\n");
	return rc;
}

static int
at_hub(const struct cli *cli, struct buf *out, struct err *err)
{
	const char *what = cli->argv[0];
	struct at_hub h = { 0 };
	int rc = open_hub(cli, &h, err);

	if (rc == 0 && strcmp(what, "new") == 0)
		rc = make_code(cli, &h, out, err);
	else if (rc == 0 && strcmp(what, "list") == 0)
		rc = list(cli, &h, out, err);
	else if (rc == 0)
		rc = decide(cli, &h,
		            strcmp(what, "approve") == 0 ? ENROL_APPROVE
		            : strcmp(what, "deny") == 0  ? ENROL_DENY
		                                         : ENROL_EXPIRE,
		            out, err);
	close_hub(&h);
	return rc;
}

/* ---- at the node ---- */

struct at_node {
	const struct cli *cli;
	const char *code, *url;
	struct store_db *db;
	struct sync_key key;
	struct node_role role;
	struct transport *transport;
	char pin[PIN_SIZE]; /* that came with the code; "" if none */
	char name[ENROL_LABEL + 1];
};

/* The detail of a problem document, for a person. */
static int
told_no(const struct transport_reply *reply, struct err *err)
{
	struct buf body = { 0 };
	const char *text, *at, *end;

	buf_put(&body, reply->body.bytes, reply->body.len);
	text = buf_str(&body);
	at = strstr(text, "\"detail\":\"");
	end = at == NULL ? NULL : strchr(at + 10, '"');
	if (end != NULL)
		err_set(err, ERR_DENIED, "the hub says: %.*s%s", (int)(end - at - 10), at + 10,
		        memmem(at, (size_t)(end - at), "; ", 2) != NULL ? ""
		                                                        : "; get a new code there");
	else
		err_set(err, ERR_DENIED, "the hub answered %d; is that a yizhan hub's address",
		        reply->status);
	buf_free(&body);
	return err->code;
}

static int
ask_once(struct at_node *n, struct enrol_news *news, struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/json" };
	struct transport_request request = { .method = "POST",
		                             .base = n->url,
		                             .path = "/v1/enrol",
		                             .headers = headers,
		                             .header_count = 1 };
	struct transport_reply *reply = NULL;
	struct buf body = { 0 };
	struct enrol_self self = { .key = &n->key, .name = n->name, .facility = n->role.facility };
	int rc = enrol_node_ask(&self, n->code, &body, err);

	request.body = &body;
	if (rc == 0)
		rc = transport_call(n->transport, &request, &reply, err);
	if (rc == 0 && reply->code == TRANSPORT_REFUSED)
		rc = err_set(err, ERR_INVALID,
		             "%s; give the hub's address, https://… or http://127.0.0.1:8700",
		             reply->why);
	else if (rc == 0 && reply->code != TRANSPORT_OK)
		rc = err_set(err, ERR_IO, "%s; check the address and that the hub runs",
		             reply->why);
	else if (rc == 0 && reply->status != 200)
		rc = told_no(reply, err);
	if (rc == 0)
		rc = enrol_node_read(&n->key, n->code, reply->body.bytes, reply->body.len, news,
		                     err);
	transport_reply_free(reply);
	buf_free(&body);
	return rc;
}

static int
ask(struct at_node *n, struct enrol_news *news, struct err *err)
{
	struct buf words = { 0 };
	int rc = ask_once(n, news, err);

	if (rc == 0 && !n->cli->json) {
		put_words(&words, news->words);
		fprintf(stderr, "%s\n", buf_str(&words));
		fprintf(stderr, news->granted ? "yizhan enrol list at the hub shows the same eight "
		                                "words, or somebody stood between.\n"
		                              : "The administrator sees the same eight words; "
		                                "waiting for approval at the hub.\n");
	}
	for (int waited = 0; rc == 0 && !news->granted; waited += ASK_AGAIN_S) {
		if (waited > ASK_FOR_S)
			rc = err_set(err, ERR_BUSY,
			             "nobody approved this node in time; ask the administrator, "
			             "then run this again");
		else
			sleep(ASK_AGAIN_S);
		if (rc == 0)
			rc = ask_once(n, news, err);
	}
	buf_free(&words);
	return rc;
}

/* A daemon that runs looks again which hub is its own. */
static void
tell_daemon(const struct cli *cli)
{
	struct buf answer = { 0 };
	char path[CLI_PATH_MAX];
	struct err err;

	if (cli_path(cli, "ctl", path, &err) == 0 &&
	    ctl_ask(path, ctl_words_line(CTL_DO_RELOAD), RELOAD_MS, &answer, &err) < 0 &&
	    err.code != ERR_NOTFOUND)
		fprintf(stderr, "yizhan: the daemon didn't hear of it: %s; restart it\n", err.msg);
	buf_free(&answer);
}

static void
say_granted(const struct cli *cli, const struct enrol_news *news, struct buf *out)
{
	struct json j = json_to(out);

	if (!cli->json) {
		buf_printf(out,
		           "enrolled as a node of %s; its records go up while yizhan run runs, or "
		           "with "
		           "yizhan sync\n",
		           news->grant.facility);
		return;
	}
	json_object(&j);
	json_name(&j, "state");
	json_text(&j, "granted");
	json_name(&j, "facility");
	json_text(&j, news->grant.facility);
	json_name(&j, "hub");
	json_hex(&j, news->hub_key, SYNC_PUBLIC_KEY);
	json_end_object(&j);
	buf_u8(out, '\n');
}

/* The line to a hub that we don't know yet, but whose TLS key the code names, or whose certificate
 * node.conf may know. */
static int
open_line(struct at_node *n, struct err *err)
{
	struct transport_options options = { 0 };
	struct config config;
	int rc = config_load(n->cli->dir, &config, err);

	if (rc == 0)
		rc = pin_of_code(n->code, n->pin, err);
	if (rc < 0)
		return rc;
	options.pin_only = rc == 1 || strcmp(config.hub_ca, CONFIG_CA_NONE) == 0;
	options.pin = rc == 1 ? n->pin : config.hub_pin[0] == 0 ? NULL : config.hub_pin;
	options.ca_file = config.hub_ca[0] == 0 || options.pin_only ? NULL : config.hub_ca;
	return transport_new(&options, NULL, NULL, &n->transport, err);
}

/* What was trusted for the code's sake is from now on, too. */
static int
keep_pin(const struct at_node *n, struct err *err)
{
	int rc = n->pin[0] == 0 ? 0 : config_set(n->cli->dir, "hub.pin", n->pin, err);

	return rc == 0 && n->pin[0] != 0 ? config_set(n->cli->dir, "hub.ca", CONFIG_CA_NONE, err)
	                                 : rc;
}

/* What the hub's list is to call us: the name that people gave at init, as much of it as fits, or
 * the machine's. */
static int
choose_name(const struct cli *cli, char name[ENROL_LABEL + 1], struct err *err)
{
	struct config config;
	int rc = config_load(cli->dir, &config, err);

	if (rc < 0)
		return rc;
	text_copy(name, ENROL_LABEL + 1, config.facility_name);
	if (name[0] == 0)
		gethostname(name, ENROL_LABEL);
	return 0;
}

static int
at_node(const struct cli *cli, struct buf *out, struct err *err)
{
	struct at_node n = { .cli = cli, .code = cli->argv[0], .url = cli->argv[1] };
	struct enrol_news news;
	int rc = cli_open(cli, STORE_MERGE, &n.db, err);

	if (rc == 0)
		rc = choose_name(cli, n.name, err);
	if (rc == 0)
		rc = node_role_get(n.db, &n.role, err);
	if (rc == 0 && n.role.is_hub)
		rc = err_set(err, ERR_INVALID,
		             "%.180s is a hub's directory; a code is used at a facility's node",
		             cli->dir);
	if (rc == 0)
		rc = identity_load_key(cli->dir, &n.key, err);
	if (rc == 0)
		rc = open_line(&n, err);
	if (rc == 0)
		rc = ask(&n, &news, err);
	if (rc == 0 && strcmp(news.grant.facility, n.role.facility) != 0)
		rc = err_set(
		        err, ERR_DENIED,
		        "this code is for facility %.60s, and here is %.60s; get a code for it "
		        "at the hub",
		        news.grant.facility, n.role.facility);
	if (rc == 0)
		rc = keep_pin(&n, err);
	if (rc == 0)
		rc = enrol_node_keep(n.db, n.url, &news, err);
	transport_free(n.transport);
	store_db_close(n.db);
	sync_key_wipe(&n.key);
	if (rc == 0) {
		tell_daemon(cli);
		say_granted(cli, &news, out);
	}
	return rc;
}

/* ---- which ---- */

/* How many operands, itself counted, does a word of the hub's take?  0: it is none. */
static int
hub_args(const char *word)
{
	static const struct {
		const char *word;
		int args;
	} words[] = {
		{ "new", 1 }, { "list", 1 }, { "approve", 2 }, { "deny", 2 }, { "expire", 2 }
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].args;
	return 0;
}

static int
run(struct cli *cli)
{
	const char *facility = cli_option(cli, "facility");
	int args = hub_args(cli->argv[0]);
	struct buf out = { 0 };
	struct err err;
	int rc;

	if (args > 0 && cli->argc != args)
		return cli_usage(cli, "enrol %s takes %s", cli->argv[0],
		                 args == 1 ? "no operand" : "a code or a node's id");
	if (strcmp(cli->argv[0], "new") == 0 && facility == NULL)
		return cli_usage(cli, "new needs --facility ID, whose node it is to be");
	if (facility != NULL && !config_is_facility_id(facility))
		return cli_usage(cli,
		                 "\"%.60s\" can't be a facility's ID, which is 1 to %d of A-Z a-z "
		                 "0-9 - _",
		                 facility, CONFIG_ID_MAX);
	if (args == 0 && cli->argc != 2)
		return cli_usage(
		        cli,
		        "at a node: enrol CODE URL; at a hub: enrol new|list|approve|deny|expire");
	rc = args > 0 ? at_hub(cli, &out, &err) : at_node(cli, &out, &err);
	if (rc < 0) {
		buf_free(&out);
		return cli_fail_as(cli, rc == ERR_IO ? CLI_UNREACHABLE : CLI_FAILED, &err);
	}
	return cli_print(cli, &out);
}

static const struct cmd_option options[] = {
	{ "facility", "ID", "new: whose node it is to be" },
	{ "street", "CODE",
	  "new: its subdistrict, whose shared rows it may read while"
	  " the facility's row names no other" },
	{ "auto", NULL, "new: no approval needed" },
	{ "qr", NULL, "new: the code as a QR code, too" },
	{ 0 },
};

const struct cmd cmd_enrol = {
	.name = "enrol",
	.args = "new|list|approve|deny|expire [WHICH] | CODE URL",
	.help = "make a code at the hub, or use it at a node",
	.options = options,
	.json = true,
	.min = 1,
	.max = 2,
	.run = run,
};
