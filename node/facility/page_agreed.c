/*
 * node/facility/page_agreed.c - what was accepted and is for today (node/facility/agreed.h), with
 * the buttons that say that it was done.
 */
#include "node/facility/agreed.h"
#include "node/facility/page_priv.h"
#include "node/facility/record_priv.h"
#include "node/facility/request.h"

#include "store/base/text.h"

#include <stdlib.h>
#include <string.h>

/* By enum agreed_said: what the forms call them, and what their buttons say. */
static const struct {
	const char *value;
	enum page_word label;
} sayings[AGREED_SAYINGS] = {
	[AGREED_GIVEN] = { "given", W_GIVEN },
	[AGREED_CAME] = { "came", W_CAME },
	[AGREED_MISSED] = { "missed", W_MISSED },
	[AGREED_DONE] = { "done", W_DONE },
};

/* ------------------------------------------------------------------ the list */

static void
form_start(struct page *p, int day, const struct agreed *one)
{
	page_html(p, "<form method=\"post\" action=\"/tap#agreed\">");
	page_form_fields(p);
	page_id(p, "agreed", one->id);
	buf_printf(p->out, "<input type=\"hidden\" name=\"day\" value=\"%d\">", day);
	page_html(p, "<input type=\"hidden\" name=\"wording\" value=\"");
	page_text(p, one->wording);
	page_html(p, "\">");
}

/* A button; whose it is, is in it for whoever can't see where it stands. */
static void
button(struct page *p, enum agreed_said said, const char *time, const struct agreed *one)
{
	buf_printf(p->out, "<button%s name=\"do\" value=\"%s\">",
	           said == AGREED_MISSED ? "" : " class=\"main\"", sayings[said].value);
	page_phrase(p, time == NULL ? sayings[said].label : W_GIVEN_OF, time, "");
	page_html(p, "<span class=\"vh\"> ");
	page_text(p, one->who);
	page_html(p, "</span></button>");
}

/* "08:00 12:00" of the bits. */
static void
times(struct page *p, enum page_word phrase, uint64_t bits)
{
	struct buf text = { 0 };
	char time[8];

	if (bits == 0)
		return;
	for (int slot = 0; slot < AGREED_SLOTS; slot++)
		if ((bits >> slot & 1) != 0) {
			facility_agreed_time(slot, time);
			buf_printf(&text, "%s%s", text.len == 0 ? "" : " ", time);
		}
	page_html(p, "<br>");
	page_phrase(p, phrase, buf_str(&text), "");
	buf_free(&text);
}

/* One form a dose that is due: which one was given is in the form that says so. */
static void
doses(struct page *p, int day, const struct agreed *one)
{
	uint64_t left = one->due & ~one->given;
	char time[8];

	for (int slot = 0; slot < AGREED_SLOTS; slot++)
		if ((left >> slot & 1) != 0) {
			form_start(p, day, one);
			buf_printf(p->out, "<input type=\"hidden\" name=\"slot\" value=\"%d\">",
			           slot);
			facility_agreed_time(slot, time);
			button(p, AGREED_GIVEN, time, one);
			page_html(p, "</form>\n");
		}
	if (one->due == 0) {
		form_start(p, day, one);
		button(p, AGREED_GIVEN, NULL, one);
		page_html(p, "</form>\n");
	}
}

static void
facts(struct page *p, const struct agreed *one)
{
	char time[32];

	page_html(p, "<p class=\"facts\">");
	page_text(p, p->v->lang == PAGE_EN ? one->what_en : one->what_zh);
	if (one->at != 0) {
		page_time(p, one->at, time);
		page_html(p, " · ");
		page_text(p, time);
	}
	if (one->words[0] != 0) {
		page_html(p, "<br>");
		page_phrase(p, W_QUOTE, one->words, "");
	}
	times(p, W_DUE_AT, one->due & ~one->given);
	times(p, W_GIVEN_AT, one->given);
	if (one->due != 0 && (one->due & ~one->given) == 0) {
		page_html(p, " · ");
		page_text(p, page_term(p, W_ALL_GIVEN));
	}
	page_html(p, "</p>\n");
}

static void
item(struct page *p, int day, const struct agreed *one)
{
	static const enum page_word names[] = { W_MEDICINE, W_BOOKING, W_COURSE };

	page_html(p, "<li><p class=\"name\">");
	page_text(p, one->who);
	page_html(p, "<small>");
	page_text(p, page_term(p, names[one->kind]));
	page_html(p, "</small></p>\n");
	facts(p, one);
	if (one->kind == AGREED_MEDICINE) {
		doses(p, day, one);
	} else {
		form_start(p, day, one);
		button(p, one->kind == AGREED_BOOKING ? AGREED_CAME : AGREED_DONE, NULL, one);
		if (one->kind == AGREED_BOOKING)
			button(p, AGREED_MISSED, NULL, one);
		page_html(p, "</form>\n");
	}
	page_html(p, "</li>\n");
}

int
page_agreed(struct page *p, int date, struct err *err)
{
	struct agreed_list of = { 0 };
	struct arena a = { 0 };
	int rc = facility_agreed(p->f, date, &a, &of, err);

	if (rc == 0 && of.count > 0) {
		page_html(p, "<section aria-labelledby=\"agreed\">\n<h2 id=\"agreed\">");
		page_text(p, page_term(p, W_AGREED));
		page_html(p, "</h2>\n<ul class=\"children\">\n");
		for (size_t i = 0; i < of.count; i++)
			item(p, date, &of.list[i]);
		page_html(p, "</ul>\n");
		if (of.more)
			page_paragraph(p, W_AGREED_MORE);
		page_html(p, "</section>\n");
	}
	arena_free(&a);
	return rc;
}

/* ------------------------------------------------------------------ it was done */

static int
find_saying(struct form form)
{
	struct err ignored;
	char what[16];

	if (form_get(form, "do", what, sizeof what, &ignored) != 1)
		return -1;
	for (int i = 0; i < AGREED_SAYINGS; i++)
		if (strcmp(what, sayings[i].value) == 0)
			return i;
	return -1;
}

bool
page_is_word(struct form form)
{
	return find_saying(form) >= 0;
}

/* Digits of a form's field, as many as a day has at most; `value` stays if it is empty or missing.
 */
static bool
read_number(struct form form, const char *name, int *value, struct err *err)
{
	char digits[9] = "";

	if (form_get(form, name, digits, sizeof digits, err) < 0 ||
	    strspn(digits, "0123456789") != strlen(digits))
		return false;
	if (digits[0] != 0)
		*value = (int)strtol(digits, NULL, 10);
	return true;
}

/* What the form says; its texts live in `sent`. */
struct sent {
	struct agreed_word word;
	uint8_t id[STORE_ID];
	char wording[REQUEST_WORDING];
};

static bool
read_word(struct form form, struct sent *sent, struct err *err)
{
	struct agreed_word *word = &sent->word;
	char hex[2 * STORE_ID + 1];

	sent->wording[0] = 0;
	word->slot = -1;
	if (form_get(form, "agreed", hex, sizeof hex, err) != 1 ||
	    !text_unhex(sent->id, STORE_ID, hex) || !read_number(form, "slot", &word->slot, err) ||
	    !read_number(form, "day", &word->date, err) ||
	    form_get(form, "wording", sent->wording, sizeof sent->wording, err) < 0)
		return false;
	word->id = sent->id;
	word->wording = sent->wording;
	word->said = (enum agreed_said)find_saying(form);
	return word->slot < AGREED_SLOTS;
}

int
page_say(struct facility *f, const struct page_view *view, struct form form, struct err *err)
{
	struct sent sent = { .word.at = view->now_ms };
	int date, rc;

	if (!read_word(form, &sent, err))
		return page_refuse(view, ERR_INVALID, W_BAD_FORM, err);
	rc = record_at(f, view->now_ms, &date, err);
	if (rc == ERR_INVALID)
		return page_refuse(view, rc, W_BAD_CLOCK, err);
	if (rc == 0)
		rc = facility_agreed_say(f, &sent.word, err);
	if (rc == ERR_NOTFOUND)
		return page_refuse(view, rc, W_NOT_AGREED, err);
	return rc == ERR_INVALID ? page_refuse(view, rc, W_NOT_SAVED, err) : rc;
}
