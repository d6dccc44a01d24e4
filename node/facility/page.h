/*
 * node/facility/page.h - the facility's first page: what parents have asked for,
 * what the street tells, who is expected, here, gone or away, with buttons for
 * each; and what a pressed one does.
 *
 *   GET /          page_today()   text/html
 *   POST /tap      page_tap()     0: 303 to "/"; else the page again with the words, and its status
 *   GET /app.css   page_css()     text/css
 *
 * Complete without JavaScript: every button is a form.  Nothing inline and
 * nothing from outside, so this policy may be sent with it:
 *   Content-Security-Policy: default-src 'none'; style-src 'self'; form-action 'self'; base-uri
 * 'none'; frame-ancestors 'none'
 *
 * No socket, clock or session in here: they come as values.
 */
#ifndef NODE_FACILITY_PAGE_H
#define NODE_FACILITY_PAGE_H

#include "node/facility/page_words.h"
#include "node/facility/record.h"
#include "node/status.h"

#include "store/base/buf.h"

extern const char page_policy[]; /* the value of the header above */

/* What a page is made for; all borrowed. */
struct page_view {
	enum page_lang lang;
	int64_t now_ms;                   /* UTC: which day it is, and the times of taps */
	const char *token;                /* put into every form, and asked back by page_tap */
	const struct node_status *status; /* NULL: no line of sync state */
	const char *notice;               /* why the last tap wasn't saved; NULL or "" if it was */
};

/* The first language of an Accept-Language header (NULL: none) that we have; zh unless it asks for
 * English first. */
enum page_lang page_lang_of(const char *accept_language);

/* "zh", "zh-CN", "en" of a query's lang=; else what the header says. */
enum page_lang page_lang_choose(const char *query_lang, const char *accept_language);

/* Append the page. */
MUST_CHECK int page_today(struct facility *f, const struct page_view *view, struct buf *html,
                          struct err *err);

/* Append what somebody at another machine gets instead: one sentence, nothing of the facility. */
void page_elsewhere(enum page_lang lang, struct buf *html);

/*
 * Do what a posted form says, in a transaction of its own on a LOCAL connection.  Repeating it is
 * harmless: who is here already has arrived, what is answered so is answered.  On refusal
 * `err->msg` is a sentence in the view's language for view.notice: ERR_DENIED (403: token or right
 * to fetch), ERR_INVALID (400), ERR_NOTFOUND (404); others are faults (500).
 */
MUST_CHECK int page_tap(struct facility *f, const struct page_view *view, const char *body,
                        size_t len, struct err *err);

/* The style sheet, zero-terminated, of ever-lasting memory. */
const char *page_css(void);

#endif /* NODE_FACILITY_PAGE_H */
