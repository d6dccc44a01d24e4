/* node/facility/page_news.c - announcements and experts' comments on the page
 * (node/facility/news.h). */
#include "node/facility/news.h"
#include "node/facility/page_priv.h"

static void
announcement(struct page *p, const struct news *n)
{
	page_html(p, "<li><strong>");
	page_text(p, n->title);
	page_html(p, "</strong>");
	if (n->district) {
		page_html(p, " · ");
		page_text(p, page_term(p, W_NEWS_DISTRICT));
	}
	if (page_date(n->valid_to).text[0] != 0) {
		page_html(p, " · ");
		page_phrase(p, W_NEWS_UNTIL, page_date(n->valid_to).text, "");
	}
	if (n->content[0] != 0) {
		page_html(p, "<br>");
		page_text(p, n->content);
	}
	page_html(p, "</li>\n");
}

static void
comment(struct page *p, const struct news_comment *c)
{
	page_html(p, "<li><strong>");
	page_text(p, c->child);
	page_html(p, "</strong> ");
	page_phrase(p, W_COMMENT_AGE, page_number(c->month_age).text, "");
	page_text(p, page_term(p, W_COLON));
	page_text(p, c->text);
	if (c->author[0] != 0) {
		page_html(p, " — ");
		page_text(p, c->author);
	}
	page_html(p, "</li>\n");
}

static void
start(struct page *p, const char *id, enum page_word title)
{
	buf_printf(p->out, "<section class=\"news\" aria-labelledby=\"%s\">\n<h2 id=\"%s\">", id,
	           id);
	page_text(p, page_term(p, title));
	page_html(p, "</h2>\n<ul>\n");
}

int
page_news(struct page *p, int date, struct err *err)
{
	struct news_list of = { 0 };
	struct arena a = { 0 };
	int rc = facility_news(p->f, date, &a, &of, err);

	if (rc == 0 && of.count > 0) {
		start(p, "news", W_NEWS);
		for (size_t i = 0; i < of.count; i++)
			announcement(p, &of.list[i]);
		page_html(p, "</ul>\n");
		if (of.more)
			page_paragraph(p, W_NEWS_MORE);
		page_html(p, "</section>\n");
	}
	if (rc == 0 && of.comment_count > 0) {
		start(p, "comments", W_COMMENTS);
		for (size_t i = 0; i < of.comment_count; i++)
			comment(p, &of.comments[i]);
		page_html(p, "</ul>\n");
		if (of.more_comments)
			page_paragraph(p, W_COMMENTS_MORE);
		page_html(p, "</section>\n");
	}
	arena_free(&a);
	return rc;
}
