#include "node/facility/page.h"
#include "node/facility/assets_priv.h"
#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/today.h"
#include "node/http/html.h"

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

/* ------------------------------------------------------------------ pieces */

/* A page being written. */
struct page {
	struct facility *f;
	const struct page_view *v;
	struct buf *out;
	size_t place; /* of the class being written, 1.. */
};

static const char *
word(const struct page *p, enum page_word w)
{
	return page_word(p->v->lang, w);
}

/* Everything that isn't ours goes through here, in text and in attributes alike. */
static void
text(struct page *p, const char *s)
{
	html_text(p->out, s);
}

/* Our own markup. */
static void
put(struct page *p, const char *html)
{
	buf_put(p->out, html, strlen(html));
}

/* A phrase with what stands for #1 and #2 in it. */
static void
phrase(struct page *p, enum page_word w, const char *one, const char *two)
{
	const char *at = word(p, w);

	for (const char *hash; (hash = strchr(at, '#')) != NULL; at = hash + 2) {
		buf_put(p->out, at, (size_t)(hash - at));
		text(p, hash[1] == '1' ? one : two);
	}
	put(p, at);
}

struct number {
	char text[24];
};

static struct number
number(int64_t n)
{
	struct number out;

	snprintf(out.text, sizeof out.text, "%lld", (long long)n);
	return out;
}

static void
put_id(struct page *p, const char *name, const uint8_t id[STORE_ID])
{
	char hex[2 * STORE_ID + 1];

	text_hex(hex, id, STORE_ID);
	buf_printf(p->out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", name, hex);
}

/* "08:15", with the date in front unless it is today. */
static void
clock_time(const struct page *p, int64_t at, char out[32])
{
	int minute = date_minute(at, p->f->offset_min), date = date_of(at, p->f->offset_min);

	if (date == date_of(p->v->now_ms, p->f->offset_min))
		snprintf(out, 32, "%02d:%02d", minute / 60, minute % 60);
	else
		snprintf(out, 32, "%04d-%02d-%02d %02d:%02d", date / 10000, date / 100 % 100,
		         date % 100, minute / 60, minute % 60);
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
		text(p, word(p, W_SYNC_DIFFERS));
	else
		phrase(p, W_SYNC_ATTENTION, number(s->conflicts).text, number(s->quarantined).text);
}

/* The words of the line of sync state: what is true, and since when. */
static void
sync_words(struct page *p, const struct node_status *s, enum node_state state)
{
	char time[32];

	clock_time(p, s->oldest_waiting_ms, time);
	switch (state) {
	case NODE_ATTENTION:
		attention_words(p, s);
		break;
	case NODE_SYNCING:
		text(p, word(p, W_SYNC_SYNCING));
		break;
	case NODE_NEVER_SYNCED:
		phrase(p, W_SYNC_NEVER, number(s->waiting).text, "");
		break;
	case NODE_WAITING:
		phrase(p, W_SYNC_WAITING, number(s->waiting).text, time);
		break;
	case NODE_UNREACHABLE:
		text(p, word(p, W_SYNC_UNREACHABLE));
		break;
	case NODE_IN_SYNC:
		text(p, word(p, W_SYNC_IN_SYNC));
		break;
	}
	if (s->last_success_ms == 0)
		return;
	clock_time(p, s->last_success_ms, time);
	put(p, " · ");
	phrase(p, W_SYNC_LAST, time, "");
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
	put(p, "</p>\n");
}

static void
head(struct page *p, int date)
{
	const char *days = word(p, W_WEEKDAYS);
	size_t len = strlen(days) / 7;

	buf_printf(
	        p->out,
	        "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
	        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
	        word(p, W_LANG));
	text(p, word(p, W_TODAY));
	put(p, " · ");
	text(p, p->f->name);
	put(p, "</title>\n<link rel=\"stylesheet\" href=\"/app.css\">\n</head>\n<body>\n<a "
	       "class=\"skip\" href=\"#main\">");
	text(p, word(p, W_SKIP));
	put(p, "</a>\n<header>\n<h1>");
	text(p, p->f->name);
	buf_printf(p->out,
	           "</h1>\n<p>%04d-%02d-%02d %.*s</p>\n<a href=\"/?lang=%s\" lang=\"%s\" "
	           "hreflang=\"%s\">",
	           date / 10000, date / 100 % 100, date % 100, (int)len,
	           days + len * (size_t)(date_weekday(date) - 1), word(p, W_OTHER_LANG_CODE),
	           word(p, W_OTHER_LANG_CODE), word(p, W_OTHER_LANG_CODE));
	text(p, word(p, W_OTHER_LANG));
	put(p, "</a>\n</header>\n");
	sync_line(p);
}

static void
count(struct page *p, enum page_word name, int64_t n)
{
	put(p, "<div><dt>");
	text(p, word(p, name));
	buf_printf(p->out, "</dt><dd>%lld</dd></div>\n", (long long)n);
}

static void
counts(struct page *p, const struct facility_today *t)
{
	put(p, "<dl class=\"counts\">\n");
	count(p, W_ENROLLED, t->n.enrolled);
	count(p, W_EXPECTED, t->n.by_state[TODAY_EXPECTED]);
	count(p, W_PRESENT, t->n.by_state[TODAY_PRESENT]);
	count(p, W_LEFT, t->n.by_state[TODAY_LEFT]);
	count(p, W_ABSENT, t->n.by_state[TODAY_ABSENT]);
	if (t->visits > 0 || p->f->kind == KIND_STATION || p->f->kind == KIND_MODEL_STATION)
		count(p, W_VISITS, t->visits);
	put(p, "</dl>\n");
}

/* ------------------------------------------------------------------ a child */

/* Every form begins so; its buttons are called "do". */
static void
form_start(struct page *p, const struct today_child *c)
{
	/* the redirect inherits the fragment, so that whoever taps stays with her class */
	buf_printf(p->out,
	           "<form method=\"post\" action=\"/tap#class-%zu\">"
	           "<input type=\"hidden\" name=\"token\" value=\"",
	           p->place);
	text(p, p->v->token);
	buf_printf(p->out, "\"><input type=\"hidden\" name=\"lang\" value=\"%s\">",
	           word(p, W_LANG));
	put_id(p, "child", c->id);
}

/* A button; the child's name is in it for whoever can't see where it stands. */
static void
button(struct page *p, const char *what, const char *class, enum page_word label,
       const struct today_child *c)
{
	buf_printf(p->out, "<button%s name=\"do\" value=\"%s\">", class, what);
	text(p, word(p, label));
	put(p, "<span class=\"vh\"> ");
	text(p, c->name);
	put(p, "</span></button>");
}

static void
select_start(struct page *p, const char *name, enum page_word label, const struct today_child *c)
{
	buf_printf(p->out, "<select name=\"%s\" aria-label=\"", name);
	text(p, word(p, label));
	put(p, " ");
	text(p, c->name);
	put(p, "\">");
}

static void
absence_form(struct page *p, const struct today_child *c)
{
	form_start(p, c);
	select_start(p, "reason", W_REASON, c);
	for (int i = 0; i < page_reason_count; i++) {
		buf_printf(p->out, "<option value=\"%s\">", page_reasons[i].value);
		text(p, page_reasons[i].text[p->v->lang]);
		put(p, "</option>");
	}
	put(p, "</select>");
	button(p, "absence", "", W_MARK_ABSENT, c);
	put(p, "</form>\n");
}

static void
pickup_form(struct page *p, const struct today_child *c)
{
	char hex[2 * STORE_ID + 1];

	form_start(p, c);
	select_start(p, "adult", W_BY_WHOM, c);
	put(p, "<option value=\"\">");
	text(p, word(p, W_NOT_SAID));
	put(p, "</option>");
	for (size_t i = 0; i < c->adult_count; i++) {
		text_hex(hex, c->adults[i].id, STORE_ID);
		buf_printf(p->out, "<option value=\"%s\">", hex);
		text(p, c->adults[i].name);
		put(p, " ");
		text(p, c->adults[i].relation);
		put(p, "</option>");
	}
	put(p, "</select>");
	button(p, "pickup", " class=\"main\"", W_PICKUP, c);
	put_id(p, "event", c->event);
	button(p, "strike", "", W_UNDO, c);
	put(p, "</form>\n");
}

static void
undo_form(struct page *p, const struct today_child *c)
{
	form_start(p, c);
	put_id(p, "event", c->event);
	button(p, "strike", "", W_UNDO, c);
	put(p, "</form>\n");
}

static void
fact_time(struct page *p, enum page_word label, int64_t at)
{
	char time[32];

	if (at == 0)
		return;
	clock_time(p, at, time);
	text(p, word(p, label));
	text(p, time);
	put(p, " ");
}

static void
facts(struct page *p, const struct today_child *c)
{
	const char *allergies = p->v->lang == PAGE_EN ? c->allergies_en : c->allergies_zh;
	bool card = c->state != TODAY_EXPECTED && c->state != TODAY_ABSENT && c->card > CARD_GREEN;

	put(p, "<p class=\"facts\">");
	if (c->state == TODAY_PRESENT || c->state == TODAY_LEFT) {
		fact_time(p, W_IN_AT, c->in_at);
		fact_time(p, W_OUT_AT, c->state == TODAY_LEFT ? c->out_at : 0);
	}
	if (c->state == TODAY_ABSENT)
		text(p, p->v->lang == PAGE_EN ? c->reason_en : c->reason_zh);
	if (card) {
		put(p, "<span class=\"warn\">");
		text(p, word(p, c->card == CARD_RED ? W_CARD_RED : W_CARD_YELLOW));
		put(p, "</span> ");
	}
	if (allergies[0] != 0) {
		put(p, "<span class=\"warn\">");
		text(p, word(p, W_ALLERGY));
		text(p, allergies);
		put(p, "</span>");
	}
	put(p, "</p>\n");
}

static void
child(struct page *p, const struct today_child *c)
{
	static const char *const classes[TODAY_STATES] = { "expected", "present", "left",
		                                           "absent" };
	static const enum page_word states[TODAY_STATES] = { W_EXPECTED, W_PRESENT, W_LEFT,
		                                             W_ABSENT };

	buf_printf(p->out, "<li class=\"%s\"><p class=\"name\">", classes[c->state]);
	text(p, c->name);
	put(p, "<small>");
	text(p, word(p, states[c->state]));
	put(p, "</small></p>\n");
	facts(p, c);
	if (c->state != TODAY_PRESENT) {
		form_start(p, c);
		button(p, "arrival", c->state == TODAY_EXPECTED ? " class=\"main\"" : "", W_ARRIVE,
		       c);
		put(p, "</form>\n");
	}
	if (c->state == TODAY_EXPECTED)
		absence_form(p, c);
	if (c->state == TODAY_PRESENT)
		pickup_form(p, c);
	if (c->state == TODAY_LEFT)
		undo_form(p, c);
	put(p, "</li>\n");
}

/* ------------------------------------------------------------------ classes */

static const char *
class_name(const struct page *p, const struct today_class *k)
{
	return k->id == NULL ? word(p, W_NO_CLASS) : k->name;
}

static void
class_links(struct page *p, const struct facility_today *t)
{
	put(p, "<nav aria-label=\"");
	text(p, word(p, W_CLASSES));
	put(p, "\"><ul>\n");
	for (size_t i = 0; i < t->class_count; i++) {
		buf_printf(p->out, "<li><a href=\"#class-%zu\">", i + 1);
		text(p, class_name(p, &t->classes[i]));
		put(p, "</a></li>\n");
	}
	put(p, "<li><a href=\"#absent\">");
	text(p, word(p, W_ABSENT_TITLE));
	put(p, "</a></li>\n</ul></nav>\n");
}

static void
class_section(struct page *p, const struct today_class *k)
{
	buf_printf(p->out, "<section aria-labelledby=\"class-%zu\">\n<h2 id=\"class-%zu\">",
	           p->place, p->place);
	text(p, class_name(p, k));
	put(p, " <span>");
	phrase(p, W_CLASS_COUNT, number(k->n.by_state[TODAY_PRESENT]).text,
	       number(k->n.enrolled).text);
	put(p, "</span></h2>\n<ul class=\"children\">\n");
	for (int state = 0; state < TODAY_STATES; state++)
		for (int64_t i = 0; i < k->n.enrolled; i++)
			if (k->children[i].state == (enum today_state)state)
				child(p, &k->children[i]);
	put(p, "</ul>\n</section>\n");
}

static void
absent_row(struct page *p, const struct today_class *k, const struct today_child *c)
{
	put(p, "<tr><td>");
	text(p, c->name);
	put(p, "</td><td>");
	text(p, class_name(p, k));
	put(p, "</td><td>");
	text(p, p->v->lang == PAGE_EN ? c->reason_en : c->reason_zh);
	put(p, "</td></tr>\n");
}

static void
absent(struct page *p, const struct facility_today *t)
{
	put(p, "<section aria-labelledby=\"absent\">\n<h2 id=\"absent\">");
	text(p, word(p, W_ABSENT_TITLE));
	put(p, "</h2>\n");
	if (t->n.by_state[TODAY_ABSENT] == 0) {
		put(p, "<p>");
		text(p, word(p, W_NONE_ABSENT));
		put(p, "</p>\n</section>\n");
		return;
	}
	put(p, "<table>\n<thead><tr><th scope=\"col\">");
	text(p, word(p, W_NAME));
	put(p, "</th><th scope=\"col\">");
	text(p, word(p, W_CLASS));
	put(p, "</th><th scope=\"col\">");
	text(p, word(p, W_REASON));
	put(p, "</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < t->class_count; i++)
		for (int64_t k = 0; k < t->classes[i].n.enrolled; k++)
			if (t->classes[i].children[k].state == TODAY_ABSENT)
				absent_row(p, &t->classes[i], &t->classes[i].children[k]);
	put(p, "</tbody>\n</table>\n</section>\n");
}

static void
body(struct page *p, const struct facility_today *t)
{
	put(p, "<main id=\"main\" tabindex=\"-1\">\n");
	if (p->v->notice != NULL && p->v->notice[0] != 0) {
		put(p, "<p class=\"notice\" role=\"alert\">");
		text(p, p->v->notice);
		put(p, "</p>\n");
	}
	counts(p, t);
	if (t->n.enrolled == 0) {
		put(p, "<p>");
		text(p, word(p, W_NOBODY));
		put(p, "</p>\n");
	} else {
		class_links(p, t);
		for (p->place = 1; p->place <= t->class_count; p->place++)
			class_section(p, &t->classes[p->place - 1]);
		absent(p, t);
	}
	put(p, "</main>\n<footer>");
	text(p, word(p, W_SAVED_HERE));
	put(p, "</footer>\n</body>\n</html>\n");
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
		body(&p, &t);
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
