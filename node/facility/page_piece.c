#include "node/facility/date.h"
#include "node/facility/page_priv.h"
#include "node/http/html.h"

#include "store/base/text.h"

#include <stdio.h>
#include <string.h>

const char *
page_term(const struct page *p, enum page_word w)
{
	return page_word(p->v->lang, w);
}

void
page_text(struct page *p, const char *s)
{
	html_text(p->out, s);
}

void
page_html(struct page *p, const char *html)
{
	buf_put(p->out, html, strlen(html));
}

void
page_phrase(struct page *p, enum page_word w, const char *one, const char *two)
{
	const char *at = page_term(p, w);

	for (const char *hash; (hash = strchr(at, '#')) != NULL; at = hash + 2) {
		buf_put(p->out, at, (size_t)(hash - at));
		page_text(p, hash[1] == '1' ? one : two);
	}
	page_html(p, at);
}

void
page_paragraph(struct page *p, enum page_word w)
{
	page_html(p, "<p>");
	page_text(p, page_term(p, w));
	page_html(p, "</p>\n");
}

int
page_refuse(const struct page_view *view, int code, enum page_word why, struct err *err)
{
	return err_set(err, code, "%s", page_word(view->lang, why));
}

struct page_digits
page_number(int64_t n)
{
	struct page_digits out;

	snprintf(out.text, sizeof out.text, "%lld", (long long)n);
	return out;
}

struct page_digits
page_date(int64_t date)
{
	struct page_digits out = { "" };

	if (date > 0 && date <= 99999999 && date_valid((int)date))
		snprintf(out.text, sizeof out.text, "%04d-%02d-%02d", (int)date / 10000,
		         (int)date / 100 % 100, (int)date % 100);
	return out;
}

void
page_id(struct page *p, const char *name, const uint8_t id[STORE_ID])
{
	char hex[2 * STORE_ID + 1];

	text_hex(hex, id, STORE_ID);
	buf_printf(p->out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", name, hex);
}

void
page_form_fields(struct page *p)
{
	page_html(p, "<input type=\"hidden\" name=\"token\" value=\"");
	page_text(p, p->v->token);
	buf_printf(p->out, "\"><input type=\"hidden\" name=\"lang\" value=\"%s\">",
	           page_term(p, W_LANG));
}

void
page_time(const struct page *p, int64_t at, char out[32])
{
	int minute = date_minute(at, p->f->offset_min), date = date_of(at, p->f->offset_min);

	if (date == date_of(p->v->now_ms, p->f->offset_min))
		snprintf(out, 32, "%02d:%02d", minute / 60, minute % 60);
	else
		snprintf(out, 32, "%04d-%02d-%02d %02d:%02d", date / 10000, date / 100 % 100,
		         date % 100, minute / 60, minute % 60);
}
