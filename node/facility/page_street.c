/* node/facility/page_street.c - what the page says of other facilities' cases
 * (node/facility/street.h). */
#include "node/facility/page_priv.h"
#include "node/facility/street.h"

static enum page_word
how_many(const struct street_notice *n)
{
	return n->cases >= 5 ? W_STREET_MORE : n->cases >= 3 ? W_STREET_SOME : W_STREET_FEW;
}

static enum page_word
how_sure(const struct street_notice *n)
{
	return n->confirmed == 3 ? W_CONFIRMED : n->confirmed == 2 ? W_CLINICAL : W_SUSPECTED;
}

static void
line(struct page *p, const struct street_notice *n)
{
	page_html(p, "<li>");
	page_text(p, n->facility[0] == 0 ? page_term(p, W_STREET_HOME) : n->facility);
	page_text(p, page_term(p, W_COLON));
	page_html(p, "<strong>");
	page_text(p, p->v->lang == PAGE_EN ? n->disease_en : n->disease_zh);
	page_html(p, "</strong> ");
	page_phrase(p, how_many(n), page_date(n->onset_date).text, page_term(p, how_sure(n)));
	page_html(p, "</li>\n");
}

int
page_street(struct page *p, int date, struct err *err)
{
	struct street_notices of = { 0 };
	struct arena a = { 0 };
	int rc = facility_street_list(p->f, date, &a, &of, err);

	if (rc == 0 && of.count > 0) {
		page_html(p, "<section class=\"street\" aria-labelledby=\"street\">\n"
		             "<h2 id=\"street\">");
		page_text(p, page_term(p, W_STREET));
		page_html(p, "</h2>\n<ul>\n");
		for (size_t i = 0; i < of.count; i++)
			line(p, &of.list[i]);
		page_html(p, "</ul>\n");
		if (of.more)
			page_paragraph(p, W_STREET_OLDER);
		page_html(p, "</section>\n");
	}
	arena_free(&a);
	return rc;
}
