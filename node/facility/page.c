#include "node/facility/page.h"
#include "node/facility/assets_priv.h"
#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/page_priv.h"
#include "node/facility/today.h"

#include "store/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char page_policy[] = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri "
                           "'none'; frame-ancestors 'none'";

const char *
page_css(void)
{
	return facility_asset_css;
}

/* ------------------------------------------------------------------ language */

enum page_lang
page_lang_of(const char *accept_language)
{
	const char *best = "", *at = accept_language == NULL ? "" : accept_language;
	double weight = 0;

	while (*at != 0) {
		const char *q;
		size_t len;
		double w = 1;

		at += strspn(at, " ,\t");
		len = strcspn(at, ",");
		q = memmem(at, len, "q=", 2);
		if (q != NULL)
			w = strtod(q + 2, NULL);
		if (w > weight &&
		    (strncasecmp(at, "en", 2) == 0 || strncasecmp(at, "zh", 2) == 0)) {
			weight = w;
			best = at;
		}
		at += len;
	}
	return strncasecmp(best, "en", 2) == 0 ? PAGE_EN : PAGE_ZH;
}

enum page_lang
page_lang_choose(const char *query_lang, const char *accept_language)
{
	if (query_lang != NULL && strncasecmp(query_lang, "en", 2) == 0)
		return PAGE_EN;
	if (query_lang != NULL && strncasecmp(query_lang, "zh", 2) == 0)
		return PAGE_ZH;
	return page_lang_of(accept_language);
}

/* ------------------------------------------------------------------ head */

/* Anything that needs a person: two writers, something set aside, or unequal records. */
static void
attention_words(struct page *p, const struct node_status *s)
{
	bool differs = false;

	for (size_t i = 0; i < s->scope_count; i++)
		differs |= s->scopes[i].differs;
	if (differs)
		page_text(p, page_term(p, W_SYNC_DIFFERS));
	else if (s->lost_tables > 0)
		page_phrase(p, W_SYNC_LOST, page_number(s->lost_tables).text, "");
	else
		page_phrase(p, W_SYNC_ATTENTION, page_number(s->conflicts).text,
		            page_number(s->quarantined).text);
}

/* The words of the line of sync state: what is true, and since when. */
static void
sync_words(struct page *p, const struct node_status *s, enum node_state state)
{
	char time[32];

	page_time(p, s->oldest_waiting_ms, time);
	switch (state) {
	case NODE_ATTENTION:
		attention_words(p, s);
		break;
	case NODE_SYNCING:
		page_text(p, page_term(p, W_SYNC_SYNCING));
		break;
	case NODE_NEVER_SYNCED:
		page_phrase(p, W_SYNC_NEVER, page_number(s->waiting).text, "");
		break;
	case NODE_WAITING:
		if (s->waiting > 0)
			page_phrase(p, W_SYNC_WAITING, page_number(s->waiting).text, time);
		else
			page_text(p, page_term(p, W_SYNC_UNEVEN));
		break;
	case NODE_UNREACHABLE:
		page_text(p, page_term(p, W_SYNC_UNREACHABLE));
		break;
	case NODE_IN_SYNC:
		page_text(p, page_term(p, W_SYNC_IN_SYNC));
		break;
	}
	if (s->last_success_ms == 0)
		return;
	page_time(p, s->last_success_ms, time);
	page_html(p, " · ");
	page_phrase(p, W_SYNC_LAST, time, "");
}

static void
sync_line(struct page *p)
{
	const struct node_status *s = p->v->status;
	enum node_state state;

	if (s == NULL)
		return;
	state = node_status_state(s);
	buf_printf(p->out, "<p class=\"sync %s\" role=\"status\">", node_status_word(state));
	sync_words(p, s, state);
	page_html(p, "</p>\n");
}

static void
zone_line(struct page *p)
{
	if (!p->f->zone_strange)
		return;
	page_html(p, "<p class=\"notice\" role=\"alert\">");
	page_phrase(p, W_ZONE, p->f->zone, "");
	page_html(p, "</p>\n");
}

static void
head(struct page *p, int date)
{
	const char *days = page_term(p, W_WEEKDAYS);
	size_t len = strlen(days) / 7;

	buf_printf(
	        p->out,
	        "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
	        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
	        page_term(p, W_LANG));
	page_text(p, page_term(p, W_TODAY));
	page_html(p, " · ");
	page_text(p, p->f->name);
	page_html(p, "</title>\n<link rel=\"stylesheet\" href=\"/app.css\">\n</head>\n<body>\n<a "
	             "class=\"skip\" href=\"#main\">");
	page_text(p, page_term(p, W_SKIP));
	page_html(p, "</a>\n<header>\n<h1>");
	page_text(p, p->f->name);
	buf_printf(p->out,
	           "</h1>\n<p>%04d-%02d-%02d %.*s</p>\n<a href=\"/?lang=%s\" lang=\"%s\" "
	           "hreflang=\"%s\">",
	           date / 10000, date / 100 % 100, date % 100, (int)len,
	           days + len * (size_t)(date_weekday(date) - 1), page_term(p, W_OTHER_LANG_CODE),
	           page_term(p, W_OTHER_LANG_CODE), page_term(p, W_OTHER_LANG_CODE));
	page_text(p, page_term(p, W_OTHER_LANG));
	page_html(p, "</a>\n</header>\n");
	zone_line(p);
	sync_line(p);
}

static void
count(struct page *p, enum page_word name, int64_t n)
{
	page_html(p, "<div><dt>");
	page_text(p, page_term(p, name));
	buf_printf(p->out, "</dt><dd>%lld</dd></div>\n", (long long)n);
}

static void
counts(struct page *p, const struct facility_today *t)
{
	page_html(p, "<dl class=\"counts\">\n");
	count(p, W_ENROLLED, t->n.enrolled);
	count(p, W_EXPECTED, t->n.by_state[TODAY_EXPECTED]);
	count(p, W_PRESENT, t->n.by_state[TODAY_PRESENT]);
	count(p, W_LEFT, t->n.by_state[TODAY_LEFT]);
	count(p, W_ABSENT, t->n.by_state[TODAY_ABSENT]);
	if (t->visits > 0 || p->f->kind == KIND_STATION || p->f->kind == KIND_MODEL_STATION)
		count(p, W_VISITS, t->visits);
	page_html(p, "</dl>\n");
}

/* ------------------------------------------------------------------ a child */

/* Every form begins so; its buttons are called "do". */
static void
form_start(struct page *p, const struct today_child *c)
{
	/* the redirect inherits the fragment, so that whoever taps stays with her class */
	buf_printf(p->out, "<form method=\"post\" action=\"/tap#class-%zu\">", p->place);
	page_form_fields(p);
	page_id(p, "child", c->id);
}

/* A button; the child's name is in it for whoever can't see where it stands. */
static void
button(struct page *p, const char *what, const char *class, enum page_word label,
       const struct today_child *c)
{
	buf_printf(p->out, "<button%s name=\"do\" value=\"%s\">", class, what);
	page_text(p, page_term(p, label));
	page_html(p, "<span class=\"vh\"> ");
	page_text(p, c->name);
	page_html(p, "</span></button>");
}

static void
select_start(struct page *p, const char *name, enum page_word label, const struct today_child *c)
{
	buf_printf(p->out, "<select name=\"%s\" aria-label=\"", name);
	page_text(p, page_term(p, label));
	page_html(p, " ");
	page_text(p, c->name);
	page_html(p, "\">");
}

static void
absence_form(struct page *p, const struct today_child *c)
{
	form_start(p, c);
	select_start(p, "reason", W_REASON, c);
	for (int i = 0; i < page_reason_count; i++) {
		buf_printf(p->out, "<option value=\"%s\">", page_reasons[i].value);
		page_text(p, page_reasons[i].text[p->v->lang]);
		page_html(p, "</option>");
	}
	page_html(p, "</select>");
	button(p, "absence", "", W_MARK_ABSENT, c);
	page_html(p, "</form>\n");
}

static void
pickup_form(struct page *p, const struct today_child *c)
{
	char hex[2 * STORE_ID + 1];

	form_start(p, c);
	select_start(p, "adult", W_BY_WHOM, c);
	page_html(p, "<option value=\"\">");
	page_text(p, page_term(p, W_NOT_SAID));
	page_html(p, "</option>");
	for (size_t i = 0; i < c->adult_count; i++) {
		text_hex(hex, c->adults[i].id, STORE_ID);
		buf_printf(p->out, "<option value=\"%s\">", hex);
		page_text(p, c->adults[i].name);
		page_html(p, " ");
		page_text(p, c->adults[i].relation);
		page_html(p, "</option>");
	}
	page_html(p, "</select>");
	button(p, "pickup", " class=\"main\"", W_PICKUP, c);
	page_id(p, "event", c->event);
	button(p, "strike", "", W_UNDO, c);
	page_html(p, "</form>\n");
}

static void
undo_form(struct page *p, const struct today_child *c)
{
	form_start(p, c);
	page_id(p, "event", c->event);
	button(p, "strike", "", W_UNDO, c);
	page_html(p, "</form>\n");
}

static void
fact_time(struct page *p, enum page_word label, int64_t at)
{
	char time[32];

	if (at == 0)
		return;
	page_time(p, at, time);
	page_text(p, page_term(p, label));
	page_text(p, time);
	page_html(p, " ");
}

static void
facts(struct page *p, const struct today_child *c)
{
	const char *allergies = p->v->lang == PAGE_EN ? c->allergies_en : c->allergies_zh;
	bool card = c->state != TODAY_EXPECTED && c->state != TODAY_ABSENT && c->card > CARD_GREEN;

	page_html(p, "<p class=\"facts\">");
	if (c->state == TODAY_PRESENT || c->state == TODAY_LEFT) {
		fact_time(p, W_IN_AT, c->in_at);
		fact_time(p, W_OUT_AT, c->state == TODAY_LEFT ? c->out_at : 0);
	}
	if (c->state == TODAY_ABSENT)
		page_text(p, p->v->lang == PAGE_EN ? c->reason_en : c->reason_zh);
	if (card) {
		page_html(p, "<span class=\"warn\">");
		page_text(p, page_term(p, c->card == CARD_RED ? W_CARD_RED : W_CARD_YELLOW));
		page_html(p, "</span> ");
	}
	if (allergies[0] != 0) {
		page_html(p, "<span class=\"warn\">");
		page_text(p, page_term(p, W_ALLERGY));
		page_text(p, allergies);
		page_html(p, "</span>");
	}
	page_html(p, "</p>\n");
}

static void
child(struct page *p, const struct today_child *c)
{
	static const char *const classes[TODAY_STATES] = { "expected", "present", "left",
		                                           "absent" };
	static const enum page_word states[TODAY_STATES] = { W_EXPECTED, W_PRESENT, W_LEFT,
		                                             W_ABSENT };

	buf_printf(p->out, "<li class=\"%s\"><p class=\"name\">", classes[c->state]);
	page_text(p, c->name);
	page_html(p, "<small>");
	page_text(p, page_term(p, states[c->state]));
	page_html(p, "</small></p>\n");
	facts(p, c);
	if (c->state != TODAY_PRESENT) {
		form_start(p, c);
		button(p, "arrival", c->state == TODAY_EXPECTED ? " class=\"main\"" : "", W_ARRIVE,
		       c);
		page_html(p, "</form>\n");
	}
	if (c->state == TODAY_EXPECTED)
		absence_form(p, c);
	if (c->state == TODAY_PRESENT)
		pickup_form(p, c);
	if (c->state == TODAY_LEFT)
		undo_form(p, c);
	page_html(p, "</li>\n");
}

/* ------------------------------------------------------------------ classes */

static const char *
class_name(const struct page *p, const struct today_class *k)
{
	return k->id == NULL ? page_term(p, W_NO_CLASS) : k->name;
}

static void
class_links(struct page *p, const struct facility_today *t)
{
	page_html(p, "<nav aria-label=\"");
	page_text(p, page_term(p, W_CLASSES));
	page_html(p, "\"><ul>\n");
	for (size_t i = 0; i < t->class_count; i++) {
		buf_printf(p->out, "<li><a href=\"#class-%zu\">", i + 1);
		page_text(p, class_name(p, &t->classes[i]));
		page_html(p, "</a></li>\n");
	}
	page_html(p, "<li><a href=\"#absent\">");
	page_text(p, page_term(p, W_ABSENT_TITLE));
	page_html(p, "</a></li>\n</ul></nav>\n");
}

static void
class_section(struct page *p, const struct today_class *k)
{
	buf_printf(p->out, "<section aria-labelledby=\"class-%zu\">\n<h2 id=\"class-%zu\">",
	           p->place, p->place);
	page_text(p, class_name(p, k));
	page_html(p, " <span>");
	page_phrase(p, W_CLASS_COUNT, page_number(k->n.by_state[TODAY_PRESENT]).text,
	            page_number(k->n.enrolled).text);
	page_html(p, "</span></h2>\n<ul class=\"children\">\n");
	for (int state = 0; state < TODAY_STATES; state++)
		for (int64_t i = 0; i < k->n.enrolled; i++)
			if (k->children[i].state == (enum today_state)state)
				child(p, &k->children[i]);
	page_html(p, "</ul>\n</section>\n");
}

static void
absent_row(struct page *p, const struct today_class *k, const struct today_child *c)
{
	page_html(p, "<tr><td>");
	page_text(p, c->name);
	page_html(p, "</td><td>");
	page_text(p, class_name(p, k));
	page_html(p, "</td><td>");
	page_text(p, p->v->lang == PAGE_EN ? c->reason_en : c->reason_zh);
	page_html(p, "</td></tr>\n");
}

static void
absent(struct page *p, const struct facility_today *t)
{
	page_html(p, "<section aria-labelledby=\"absent\">\n<h2 id=\"absent\">");
	page_text(p, page_term(p, W_ABSENT_TITLE));
	page_html(p, "</h2>\n");
	if (t->n.by_state[TODAY_ABSENT] == 0) {
		page_html(p, "<p>");
		page_text(p, page_term(p, W_NONE_ABSENT));
		page_html(p, "</p>\n</section>\n");
		return;
	}
	page_html(p, "<table>\n<thead><tr><th scope=\"col\">");
	page_text(p, page_term(p, W_NAME));
	page_html(p, "</th><th scope=\"col\">");
	page_text(p, page_term(p, W_CLASS));
	page_html(p, "</th><th scope=\"col\">");
	page_text(p, page_term(p, W_REASON));
	page_html(p, "</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < t->class_count; i++)
		for (int64_t k = 0; k < t->classes[i].n.enrolled; k++)
			if (t->classes[i].children[k].state == TODAY_ABSENT)
				absent_row(p, &t->classes[i], &t->classes[i].children[k]);
	page_html(p, "</tbody>\n</table>\n</section>\n");
}

static int
body(struct page *p, const struct facility_today *t, struct err *err)
{
	int rc;

	page_html(p, "<main id=\"main\" tabindex=\"-1\">\n");
	if (p->v->notice != NULL && p->v->notice[0] != 0) {
		page_html(p, "<p class=\"notice\" role=\"alert\">");
		page_text(p, p->v->notice);
		page_html(p, "</p>\n");
	}
	counts(p, t);
	rc = page_requests(p, t->date, err);
	if (rc == 0)
		rc = page_agreed(p, t->date, err);
	if (rc == 0)
		rc = page_news(p, t->date, err);
	if (rc == 0)
		rc = page_street(p, t->date, err);
	if (t->n.enrolled == 0) {
		page_html(p, "<p>");
		page_text(p, page_term(p, W_NOBODY));
		page_html(p, "</p>\n");
	} else {
		class_links(p, t);
		for (p->place = 1; p->place <= t->class_count; p->place++)
			class_section(p, &t->classes[p->place - 1]);
		absent(p, t);
	}
	page_html(p, "</main>\n<footer>");
	page_text(p, page_term(p, W_SAVED_HERE));
	page_html(p, "</footer>\n</body>\n</html>\n");
	return rc;
}

int
page_today(struct facility *f, const struct page_view *view, struct buf *html, struct err *err)
{
	struct page p = { .f = f, .v = view, .out = html };
	struct arena a = { 0 };
	struct facility_today t;
	int rc = facility_today(f, date_of(view->now_ms, f->offset_min), &a, &t, err);

	if (rc == 0) {
		head(&p, t.date);
		rc = body(&p, &t, err);
		if (rc == 0)
			rc = buf_check(html, err);
	}
	arena_free(&a);
	return rc;
}

void
page_elsewhere(enum page_lang lang, struct buf *html)
{
	buf_printf(html,
	           "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
	           "<title>403</title>\n</head>\n<body>\n<p>%s</p>\n</body>\n</html>\n",
	           page_word(lang, W_LANG), page_word(lang, W_ELSEWHERE));
}
