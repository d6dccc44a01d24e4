/*
 * node/facility/page_request.c - what parents have asked for (node/facility/request.h), with two
 * buttons each, and what a pressed one does.
 */
#include "node/facility/page_priv.h"
#include "node/facility/record_priv.h"
#include "node/facility/request.h"

#include "store/base/text.h"

#include <string.h>

/* What the forms call them. */
static const char *const kinds[REQUEST_KINDS] = { "leave", "medicine", "booking", "pickup",
	                                          "order" };

enum { NOTE_CHARS = 200, NOTE_MAX = 4 * NOTE_CHARS + 1 };

/* ------------------------------------------------------------------ the list */

static void
when(struct page *p, const struct request *r)
{
	if (r->from == 0 && r->to == 0)
		return;
	page_html(p, " · ");
	page_text(p, page_date(r->from).text);
	if (r->to != r->from && r->to != 0) {
		page_html(p, " – ");
		page_text(p, page_date(r->to).text);
	}
}

/* A button; whose request it answers is in it for whoever can't see where it stands. */
static void
button(struct page *p, const char *what, enum page_word label, const struct request *r)
{
	buf_printf(p->out, "<button name=\"do\" value=\"%s\">", what);
	page_text(p, page_term(p, label));
	page_html(p, "<span class=\"vh\"> ");
	page_text(p, r->who);
	page_html(p, "</span></button>");
}

static void
answer_form(struct page *p, const struct request *r)
{
	/* the return key presses the first button: who has typed why she declines doesn't accept */
	page_html(p, "<form method=\"post\" action=\"/tap#requests\"><button disabled "
	             "hidden></button>");
	page_form_fields(p);
	buf_printf(p->out, "<input type=\"hidden\" name=\"of\" value=\"%s\">", kinds[r->kind]);
	page_id(p, "request", r->id);
	page_html(p, "<input type=\"hidden\" name=\"wording\" value=\"");
	page_text(p, r->wording);
	page_html(p, "\">");
	buf_printf(p->out, "<input name=\"note\" maxlength=\"%d\" aria-label=\"", NOTE_CHARS);
	page_phrase(p, W_ANSWER_NOTE_OF, r->who, "");
	page_html(p, "\" placeholder=\"");
	page_text(p, page_term(p, W_ANSWER_NOTE));
	page_html(p, "\">");
	button(p, "accept", W_ACCEPT, r);
	button(p, "decline", W_DECLINE, r);
	page_html(p, "</form>\n");
}

static void
request(struct page *p, const struct request *r)
{
	static const enum page_word names[REQUEST_KINDS] = { W_LEAVE, W_MEDICINE, W_BOOKING,
		                                             W_RIGHT, W_COURSE };

	page_html(p, "<li><p class=\"name\">");
	page_text(p, r->who);
	page_html(p, "<small>");
	page_text(p, page_term(p, names[r->kind]));
	page_html(p, "</small></p>\n<p class=\"facts\">");
	page_text(p, p->v->lang == PAGE_EN ? r->what_en : r->what_zh);
	when(p, r);
	if (r->words[0] != 0) {
		page_html(p, "<br>");
		page_phrase(p, W_QUOTE, r->words, "");
	}
	page_html(p, "</p>\n");
	answer_form(p, r);
	page_html(p, "</li>\n");
}

int
page_requests(struct page *p, int date, struct err *err)
{
	struct requests r = { 0 };
	struct arena a = { 0 };
	int rc = facility_requests(p->f, date, &a, &r, err);

	if (rc == 0 && r.count > 0) {
		page_html(p, "<section aria-labelledby=\"requests\">\n<h2 id=\"requests\">");
		page_text(p, page_term(p, W_REQUESTS));
		page_html(p, " <span>");
		page_phrase(p, W_REQUESTS_COUNT, page_number(r.waiting).text, "");
		page_html(p, "</span></h2>\n<ul class=\"children\">\n");
		for (size_t i = 0; i < r.count; i++)
			request(p, &r.list[i]);
		page_html(p, "</ul>\n");
		if (r.waiting > (int64_t)r.count) {
			page_html(p, "<p>");
			page_phrase(p, W_REQUESTS_REST,
			            page_number(r.waiting - (int64_t)r.count).text, "");
			page_html(p, "</p>\n");
		}
		page_html(p, "</section>\n");
	}
	arena_free(&a);
	return rc;
}

/* ------------------------------------------------------------------ the answer */

bool
page_is_answer(struct form form)
{
	char what[16];
	struct err ignored;

	return form_get(form, "do", what, sizeof what, &ignored) == 1 &&
	       (strcmp(what, "accept") == 0 || strcmp(what, "decline") == 0);
}

/* An answer as it was sent. */
struct sent {
	struct request_answer is;
	uint8_t id[STORE_ID];
	char note[NOTE_MAX], wording[REQUEST_WORDING];
};

static bool
read_kind(struct form form, enum request_kind *kind, struct err *err)
{
	char of[16];

	if (form_get(form, "of", of, sizeof of, err) != 1)
		return false;
	for (int i = 0; i < REQUEST_KINDS; i++)
		if (strcmp(of, kinds[i]) == 0) {
			*kind = (enum request_kind)i;
			return true;
		}
	return false;
}

static bool
read_answer(struct form form, struct sent *sent, struct err *err)
{
	char hex[2 * STORE_ID + 1], what[16];

	sent->note[0] = sent->wording[0] = 0;
	if (form_get(form, "request", hex, sizeof hex, err) != 1 ||
	    !text_unhex(sent->id, STORE_ID, hex) ||
	    form_get(form, "do", what, sizeof what, err) != 1 ||
	    form_get(form, "note", sent->note, sizeof sent->note, err) < 0 ||
	    form_get(form, "wording", sent->wording, sizeof sent->wording, err) < 0)
		return false;
	sent->is.id = sent->id;
	sent->is.note = sent->note;
	sent->is.wording = sent->wording;
	sent->is.accepts = strcmp(what, "accept") == 0;
	return read_kind(form, &sent->is.kind, err);
}

/* Only spaces are no reason. */
static bool
is_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == 0;
}

int
page_answer(struct facility *f, const struct page_view *view, struct form form, struct err *err)
{
	struct sent sent = { .is = { .at = view->now_ms } };
	int date, rc;

	if (!read_answer(form, &sent, err))
		return page_refuse(view, ERR_INVALID, W_BAD_FORM, err);
	if (!sent.is.accepts && is_blank(sent.note))
		return page_refuse(view, ERR_INVALID, W_WHY_DECLINED, err);
	rc = record_at(f, view->now_ms, &date, err);
	if (rc == ERR_INVALID)
		return page_refuse(view, rc, W_BAD_CLOCK, err);
	if (rc == 0)
		rc = facility_request_answer(f, &sent.is, err);
	if (rc == ERR_NOTFOUND)
		return page_refuse(view, rc, W_NO_REQUEST, err);
	if (rc == ERR_BUSY)
		return page_refuse(view, ERR_INVALID, W_ANSWERED, err);
	if (rc == ERR_DENIED)
		return page_refuse(view, ERR_INVALID, W_REWORDED, err);
	return rc == ERR_INVALID ? page_refuse(view, rc, W_NOT_SAVED, err) : rc;
}
