/* node/facility/page_priv.h - a page being written, and the pieces that the page*.c files share. */
#ifndef NODE_FACILITY_PAGE_PRIV_H
#define NODE_FACILITY_PAGE_PRIV_H

#include "node/facility/page.h"
#include "node/http/form.h"

struct page {
	struct facility *f;
	const struct page_view *v;
	struct buf *out;
	size_t place; /* of the class being written, 1.. */
};

const char *page_term(const struct page *p, enum page_word w);

/* Everything that isn't ours goes through here, in text and in attributes alike. */
void page_text(struct page *p, const char *s);

/* Our own markup. */
void page_html(struct page *p, const char *html);

/* A phrase with what stands for #1 and #2 in it. */
void page_phrase(struct page *p, enum page_word w, const char *one, const char *two);

/* A paragraph of one word of ours. */
void page_paragraph(struct page *p, enum page_word w);

/* `code`, with a sentence in the view's language as its message. */
int page_refuse(const struct page_view *view, int code, enum page_word why, struct err *err);

struct page_digits {
	char text[24];
};
struct page_digits page_number(int64_t n);

/* A hidden field. */
void page_id(struct page *p, const char *name, const uint8_t id[STORE_ID]);

/* The token and the language, with which every form begins. */
void page_form_fields(struct page *p);

/* "08:15", with the date in front unless it is today. */
void page_time(const struct page *p, int64_t at, char out[32]);

/* "2026-03-02" of 20260302; "" of what is no date. */
struct page_digits page_date(int64_t date);

/* What parents have asked for; nothing if that is nothing. */
MUST_CHECK int page_requests(struct page *p, int date, struct err *err);

/* Is a posted form an answer to a request?  Then: do what it says, as page_tap(), in the caller's
 * transaction. */
bool page_is_answer(struct form form);
MUST_CHECK int page_answer(struct facility *f, const struct page_view *view, struct form form,
                           struct err *err);

/* What was accepted and is for today; nothing if that is nothing. */
MUST_CHECK int page_agreed(struct page *p, int date, struct err *err);

/* Does a posted form say that something was done?  Then: write that, as page_answer(). */
bool page_is_word(struct form form);
MUST_CHECK int page_say(struct facility *f, const struct page_view *view, struct form form,
                        struct err *err);

/* Announcements and experts' comments; nothing of what there is none. */
MUST_CHECK int page_news(struct page *p, int date, struct err *err);

/* What other facilities of the street tell; nothing if that is nothing. */
MUST_CHECK int page_street(struct page *p, int date, struct err *err);

#endif /* NODE_FACILITY_PAGE_PRIV_H */
