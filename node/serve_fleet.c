/*
 * node/serve_fleet.c - the hub's own page and the way in (node/serve.h).
 *
 *   GET  /fleet           the page; 303 to the form for whoever isn't signed in
 *   GET  /fleet/signin   the form
 *   POST /fleet/enter     name and password; 303 to the page, with a cookie
 *   POST /fleet/leave     303 to the form; the session is over
 *
 * The cookie is HttpOnly and SameSite=Strict; behind TLS, which a front says in
 * X-Forwarded-Proto, it is Secure and has the prefix __Host-.  Only a program on this
 * machine can be that front, so from elsewhere those lines are not believed.
 */
#include "node/facility/page.h"
#include "node/http/form.h"
#include "node/hub/fleet_page.h"
#include "node/hub/refusal.h"
#include "node/hub/session.h"
#include "node/log.h"
#include "node/serve_priv.h"
#include "store/base/hash.h"
#include "store/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
behind_tls(struct http_exchange *x)
{
	const char *proto = http_header(x, "X-Forwarded-Proto");

	return http_request(x)->loopback && proto != NULL && strcmp(proto, "https") == 0;
}

static const char *
cookie_name(struct http_exchange *x)
{
	return behind_tls(x) ? "__Host-yz_fleet" : "yz_fleet";
}

/* Who asks, as the front says. */
static void
peer_of(struct http_exchange *x, char peer[SESSION_PEER])
{
	const char *said = http_header(x, "X-Forwarded-For");

	if (!http_request(x)->loopback || said == NULL || strlen(said) >= SESSION_PEER ||
	    strspn(said, "0123456789abcdefABCDEF:.") != strlen(said))
		said = http_request(x)->peer;
	text_copy(peer, SESSION_PEER, said);
}

/* The session in the Cookie header; "" if there is none that could be one. */
static void
session_of(struct http_exchange *x, char session[SESSION_TEXT])
{
	form_cookie(http_header(x, "Cookie"), cookie_name(x), session, SESSION_TEXT);
}

static void
add_headers(struct http_response *response)
{
	http_field(response, "Content-Security-Policy", "%s", page_policy);
	http_field(response, "Cache-Control", "no-store");
	http_field(response, "X-Content-Type-Options", "nosniff");
	http_field(response, "Referrer-Policy", "no-referrer");
}

static void
go_to(struct http_exchange *x, const char *path)
{
	struct http_response response = { .status = 303 };

	http_field(&response, "Location", "%s?lang=%s", path,
	           serve_language(x) == PAGE_EN ? "en" : "zh");
	add_headers(&response);
	http_answer(x, &response);
}

/* ---- the page ---- */

/* What the query asks for; the texts of it. */
struct asked {
	char state[16], street[48], version[REPORT_VERSION], backlog[24], page[12];
};

static const char *
or_null(const char *text)
{
	return text[0] == 0 ? NULL : text;
}

/* 400 and a sentence if it can't be. */
static const char *
read_query(const struct http_request *rq, struct asked *q, struct fleet_view *v)
{
	const struct {
		const char *name;
		char *out;
		size_t size;
	} names[] = { { "state", q->state, sizeof q->state },
		      { "street", q->street, sizeof q->street },
		      { "version", q->version, sizeof q->version },
		      { "backlog", q->backlog, sizeof q->backlog },
		      { "page", q->page, sizeof q->page } };
	struct err err;

	*q = (struct asked){ 0 };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (form_get(form_from(rq->query, strlen(rq->query)), names[i].name, names[i].out,
		             names[i].size, &err) < 0)
			return "the query is malformed, or a value of it is too long";
	if (q->state[0] != 0 && !fleet_is_state(q->state))
		return "state: alarm, warning, never, in_order or revoked";
	if (strspn(q->backlog, "0123456789") != strlen(q->backlog) || strlen(q->backlog) > 18)
		return "backlog: a whole number of records";
	if (strspn(q->page, "0123456789") != strlen(q->page) || strlen(q->page) > 9 ||
	    (q->page[0] != 0 && atol(q->page) < 1))
		return "page: a whole number from 1 on";
	v->filter = (struct fleet_filter){ .state = or_null(q->state),
		                           .street = or_null(q->street),
		                           .version = or_null(q->version),
		                           .backlog = q->backlog[0] == 0 ? -1 : atoll(q->backlog) };
	v->page = (size_t)atol(q->page);
	return NULL;
}

static void
answer_fleet(struct reader *r, struct http_exchange *x, const char *admin)
{
	struct http_response response = { .status = 200, .type = "text/html; charset=utf-8" };
	struct fleet_view view = { .lang = serve_language(x),
		                   .now_ms = env_wall_ms(r->station->env),
		                   .token = r->form_token,
		                   .admin = admin };
	struct arena a = { 0 };
	struct asked asked;
	struct fleet fleet;
	struct err err;
	const char *wrong = read_query(http_request(x), &asked, &view);
	int rc = 0;

	if (wrong == NULL)
		rc = fleet_read(r->db, &view.filter, view.now_ms, &a, &fleet, &err);
	if (wrong == NULL && rc == 0)
		fleet_page(&fleet, &view, &response.body);
	arena_free(&a);
	if (wrong != NULL || rc < 0 || response.body.bad) {
		buf_free(&response.body);
		if (rc < 0)
			log_line(LOG_LEVEL_ERROR, "/fleet: %s", err.msg);
		http_problem(x, wrong != NULL ? 400 : 500,
		             wrong != NULL ? wrong : "the page could not be made");
		return;
	}
	add_headers(&response);
	http_answer(x, &response);
}

void
serve_fleet(struct reader *r, struct http_exchange *x)
{
	char session[SESSION_TEXT], admin[ADMIN_NAME];
	struct err err;
	int rc;

	session_of(x, session);
	rc = session_check(r->db, session, env_wall_ms(r->station->env), admin, &err);
	if (rc == 1)
		answer_fleet(r, x, admin);
	else if (rc == 0)
		go_to(x, "/fleet/signin");
	else
		http_problem(x, http_status_of(rc), "the database could not be read");
}

void
serve_fleet_style(struct http_exchange *x)
{
	struct http_response response = { .status = 200, .type = "text/css; charset=utf-8" };

	buf_printf(&response.body, "%s", fleet_page_css());
	http_field(&response, "X-Content-Type-Options", "nosniff");
	http_answer(x, &response);
}

/* ---- in and out ---- */

/* The form, with why the last try failed. */
static void
answer_form(const struct reader *r, struct http_exchange *x, int status, const char *notice)
{
	struct http_response response = { .status = status, .type = "text/html; charset=utf-8" };

	fleet_page_sign_in(serve_language(x), r->form_token, notice, &response.body);
	add_headers(&response);
	http_answer(x, &response);
}

void
serve_sign_in(const struct reader *r, struct http_exchange *x)
{
	answer_form(r, x, 200, NULL);
}

/* Did our own form send this?  If not, it has been answered. */
static bool
is_ours(const struct reader *r, struct http_exchange *x)
{
	const struct http_request *rq = http_request(x);
	char token[sizeof r->form_token];
	struct err err;
	bool has = form_get(form_from(rq->body, rq->body_len), "token", token, sizeof token,
	                    &err) == 1 &&
	           strlen(token) == strlen(r->form_token) &&
	           hash_equal(token, r->form_token, strlen(token));

	if (serve_from_elsewhere(x)) {
		http_problem(x, 403, "the form came from another site");
		return false;
	}
	if (!has)
		answer_form(r, x, 403, fleet_word(serve_language(x), FW_OLD_FORM));
	return has;
}

static void
too_many(const struct reader *r, struct http_exchange *x, int wait_s)
{
	struct http_response response = { .status = 429, .type = "text/html; charset=utf-8" };
	struct buf notice = { 0 };
	char wait[16];

	snprintf(wait, sizeof wait, "%d", wait_s);
	fleet_page_phrase(&notice, fleet_word(serve_language(x), FW_MANY), wait, NULL);
	fleet_page_sign_in(serve_language(x), r->form_token, buf_str(&notice), &response.body);
	buf_free(&notice);
	http_field(&response, "Retry-After", "%d", wait_s);
	http_field(&response, "RateLimit-Policy", "\"signin\";q=%d;w=%d", SESSION_TRIES,
	           SESSION_TRIES * SESSION_TRY_MS / 1000);
	http_field(&response, "RateLimit", "\"signin\";r=0;t=%d", wait_s);
	add_headers(&response);
	http_answer(x, &response);
}

static void
let_in(struct http_exchange *x, const char *session)
{
	struct http_response response = { .status = 303 };

	http_field(&response, "Location", "/fleet?lang=%s",
	           serve_language(x) == PAGE_EN ? "en" : "zh");
	http_field(&response, "Set-Cookie",
	           "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s", cookie_name(x),
	           session, SESSION_MS / 1000, behind_tls(x) ? "; Secure" : "");
	add_headers(&response);
	http_answer(x, &response);
}

/* The database failed: told, and the caller stops if it is the disk. */
static int
failed(struct http_exchange *x, int rc)
{
	http_problem(x, http_status_of(rc), "the hub's database could not take this; try again");
	return rc == ERR_IO || rc == ERR_CORRUPT || rc == ERR_FULL ? rc : 0;
}

int
serve_enter(struct station *st, const struct reader *r, struct http_exchange *x, struct err *err)
{
	const struct http_request *rq = http_request(x);
	struct form form = form_from(rq->body, rq->body_len);
	char name[ADMIN_NAME] = "", password[ADMIN_TYPED] = "", peer[SESSION_PEER],
	     session[SESSION_TEXT];
	struct session_ask ask = { name, password, peer };
	int wait, rc;

	if (!is_ours(r, x))
		return 0;
	if (form_get(form, "name", name, sizeof name, err) < 0 ||
	    form_get(form, "password", password, sizeof password, err) < 0) {
		answer_form(r, x, 403, fleet_word(serve_language(x), FW_WRONG));
		return 0;
	}
	peer_of(x, peer);
	rc = session_known(st->merge, peer, err);
	if (rc < 0)
		return failed(x, rc);
	wait = session_try(&st->tries, peer, rc == 1, env_mono_ms(st->env));
	if (wait > 0) {
		refusal_tell(env_mono_ms(st->env), rq->path, peer, "too many sign-ins");
		too_many(r, x, wait);
		return 0;
	}
	rc = session_begin(st->merge, &ask, env_wall_ms(st->env), session, err);
	if (rc < 0)
		return failed(x, rc);
	log_line(rc == 1 ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "/fleet: %s from %s",
	         rc == 1 ? "an administrator signed in" : "a sign-in was refused", peer);
	if (rc == 1)
		let_in(x, session);
	else
		answer_form(r, x, 403, fleet_word(serve_language(x), FW_WRONG));
	return 0;
}

int
serve_leave(struct station *st, const struct reader *r, struct http_exchange *x, struct err *err)
{
	struct http_response response = { .status = 303 };
	char session[SESSION_TEXT], peer[SESSION_PEER];
	int rc;

	if (!is_ours(r, x))
		return 0;
	session_of(x, session);
	peer_of(x, peer);
	rc = session_end(st->merge, session, peer, env_wall_ms(st->env), err);
	if (rc < 0)
		return failed(x, rc);
	http_field(&response, "Location", "/fleet/signin?lang=%s",
	           serve_language(x) == PAGE_EN ? "en" : "zh");
	http_field(&response, "Set-Cookie", "%s=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict%s",
	           cookie_name(x), behind_tls(x) ? "; Secure" : "");
	add_headers(&response);
	http_answer(x, &response);
	return 0;
}
