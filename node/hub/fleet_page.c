/* node/hub/fleet_page.c - the hub's page (node/hub/fleet_page.h). */
#include "node/hub/fleet_page.h"

#include "node/http/form.h"
#include "node/http/html.h"
#include "store/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* node/web/assets.S */
extern const char web_asset_fleet_css[];

const char *
fleet_page_css(void)
{
	return web_asset_fleet_css;
}

/* ---- pieces ---- */

struct page {
	const struct fleet_view *v;
	struct buf *out;
};

static const char *
word(const struct page *p, enum fleet_word w)
{
	return fleet_word(p->v->lang, w);
}

/* Our own markup and words. */
static void
put(struct page *p, const char *html)
{
	buf_put(p->out, html, strlen(html));
}

void
fleet_page_phrase(struct buf *html, const char *phrase, const char *one, const char *two)
{
	for (const char *hash; (hash = strchr(phrase, '#')) != NULL; phrase = hash + 2) {
		const char *text = hash[1] == '1' ? one : two;

		buf_put(html, phrase, (size_t)(hash - phrase));
		html_text(html, text == NULL ? "" : text);
	}
	buf_put(html, phrase, strlen(phrase));
}

static void
put_time(struct page *p, int64_t ms)
{
	char at[TEXT_TIME_SIZE];

	text_time(at, ms);
	at[10] = ' ';
	at[16] = 0; /* minutes do */
	put(p, at);
}

static void
put_head(struct page *p)
{
	put(p, "<!DOCTYPE html>\n<html lang=\"");
	put(p, word(p, FW_LANG));
	put(p, "\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
	       "content=\"width=device-width, initial-scale=1\">\n<title>");
	put(p, word(p, FW_TITLE));
	put(p,
	    " · yizhan</title>\n<link rel=\"stylesheet\" href=\"/fleet.css\">\n</head>\n<body>\n");
}

static void
put_hidden(struct page *p)
{
	buf_printf(p->out, "<input type=\"hidden\" name=\"token\" value=\"%s\">", p->v->token);
	buf_printf(p->out, "<input type=\"hidden\" name=\"lang\" value=\"%s\">\n",
	           p->v->lang == PAGE_EN ? "en" : "zh");
}

/* ---- which part of it ---- */

static size_t
pages_of(const struct fleet *fleet)
{
	return fleet->count == 0 ? 1 : (fleet->count + FLEET_PAGE_ROWS - 1) / FLEET_PAGE_ROWS;
}

static size_t
page_of(const struct fleet *fleet, const struct fleet_view *v)
{
	size_t pages = pages_of(fleet);

	return v->page < 1 ? 1 : v->page > pages ? pages : v->page;
}

/* A value in a query. */
static void
put_escaped(struct page *p, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(p->out, "&amp;%s=", name);
	form_put(p->out, value);
}

/* The address of this page, filter and all, with another page, language or state. */
static void
put_address(struct page *p, const char *lang, const char *state, size_t page)
{
	const struct fleet_filter *f = &p->v->filter;
	char backlog[24];

	buf_printf(p->out, "/fleet?lang=%s", lang);
	put_escaped(p, "state", state);
	put_escaped(p, "street", f->street);
	put_escaped(p, "version", f->version);
	snprintf(backlog, sizeof backlog, "%" PRId64, f->backlog);
	put_escaped(p, "backlog", f->backlog < 0 ? NULL : backlog);
	if (page > 1)
		buf_printf(p->out, "&amp;page=%zu", page);
}

static const char *
own_lang(const struct page *p)
{
	return p->v->lang == PAGE_EN ? "en" : "zh";
}

/* ---- the top ---- */

static void
put_header(struct page *p, const struct fleet *fleet)
{
	buf_printf(p->out, "<a class=\"skip\" href=\"#list\">%s</a>\n<header>\n<h1>%s</h1>\n<p>",
	           word(p, FW_SKIP), word(p, FW_TITLE));
	put_time(p, p->v->now_ms);
	put(p, " UTC</p>\n<p>");
	fleet_page_phrase(p->out, word(p, FW_SIGNED_IN), p->v->admin, NULL);
	put(p, "</p>\n<a href=\"");
	put_address(p, p->v->lang == PAGE_EN ? "zh" : "en", p->v->filter.state,
	            page_of(fleet, p->v));
	buf_printf(p->out, "\" lang=\"%s\">%s</a>\n<form method=\"post\" action=\"/fleet/leave\">",
	           word(p, FW_OTHER_CODE), word(p, FW_OTHER_LANG));
	put_hidden(p);
	buf_printf(p->out, "<button>%s</button></form>\n</header>\n<main>\n", word(p, FW_LEAVE));
}

static void
put_counts(struct page *p, const struct fleet *fleet)
{
	buf_printf(p->out, "<ul class=\"counts\" aria-label=\"%s\">\n", word(p, FW_STATES));
	for (size_t i = 0; i < FLEET_STATES; i++) {
		enum fleet_state state = (enum fleet_state)i;

		buf_printf(p->out, "<li class=\"%s\"><a href=\"", fleet_state_word(state));
		put_address(p, own_lang(p), fleet_state_word(state), 1);
		buf_printf(p->out, "\">%s</a><b>%zu</b></li>\n",
		           fleet_word_state(p->v->lang, state), fleet->of_state[i]);
	}
	put(p, "</ul>\n");
}

static void
put_input(struct page *p, enum fleet_word label, const char *name, const char *value)
{
	buf_printf(p->out, "<label>%s<input name=\"%s\" value=\"", word(p, label), name);
	html_text(p->out, value == NULL ? "" : value);
	put(p, "\"></label>\n");
}

static void
put_filter(struct page *p)
{
	const struct fleet_filter *f = &p->v->filter;
	char backlog[24];

	snprintf(backlog, sizeof backlog, "%" PRId64, f->backlog);
	buf_printf(p->out,
	           "<h2>%s</h2>\n<form method=\"get\" action=\"/fleet\">\n<input type=\"hidden\" "
	           "name=\"lang\" value=\"%s\">\n<label>%s<select name=\"state\"><option "
	           "value=\"\">%s</option>",
	           word(p, FW_FILTER), own_lang(p), word(p, FW_STATE), word(p, FW_ALL));
	for (size_t i = 0; i < FLEET_STATES; i++) {
		const char *state = fleet_state_word((enum fleet_state)i);

		buf_printf(p->out, "<option value=\"%s\"%s>%s</option>", state,
		           f->state != NULL && strcmp(f->state, state) == 0 ? " selected" : "",
		           fleet_word_state(p->v->lang, (enum fleet_state)i));
	}
	put(p, "</select></label>\n");
	put_input(p, FW_STREET, "street", f->street);
	put_input(p, FW_VERSION, "version", f->version);
	put_input(p, FW_BACKLOG_MIN, "backlog", f->backlog < 0 ? "" : backlog);
	buf_printf(p->out, "<button>%s</button>\n</form>\n", word(p, FW_SHOW));
}

/* ---- the list ---- */

static void
cell_text(struct page *p, const char *text)
{
	put(p, "<td>");
	html_text(p->out, text[0] != 0 ? text : word(p, FW_UNKNOWN));
	put(p, "</td>");
}

static void
cell_number(struct page *p, bool known, int64_t n, const char *unit)
{
	if (known)
		buf_printf(p->out, "<td class=\"n\">%" PRId64 "%s</td>", n, unit);
	else
		cell_text(p, "");
}

static void
put_needs(struct page *p, const struct fleet_node *n)
{
	const char *comma = "";

	put(p, "<td>");
	for (size_t i = 0; i < FLEET_CAUSES; i++)
		if ((n->causes >> i & 1) != 0) {
			buf_printf(p->out, "%s%s", comma, fleet_word_cause(p->v->lang, i));
			comma = " · ";
		}
	if (n->life != SYNC_LIFE_QUIET) {
		buf_printf(p->out, "%s%s", comma,
		           word(p, n->life == SYNC_LIFE_CLONED ? FW_CLONED : FW_RESTORED));
		comma = " · ";
	}
	if (n->report.hub_went_back)
		buf_printf(p->out, "%s%s", comma, word(p, FW_HUB_BACK));
	put(p, "</td>");
}

static void
put_row(struct page *p, const struct fleet_node *n)
{
	char id[2 * STORE_NODE_ID + 1];
	const struct report *r = &n->report;

	text_hex(id, n->node.node, STORE_NODE_ID);
	buf_printf(p->out, "<tr class=\"%s\"><td class=\"state\">%s</td>",
	           fleet_state_word(n->state), fleet_word_state(p->v->lang, n->state));
	put_needs(p, n);
	put(p, "<th scope=\"row\">");
	html_text(p->out, n->name[0] != 0 ? n->name : n->node.label);
	put(p, " ");
	html_text(p->out, n->node.facility);
	buf_printf(p->out, "</th><td><code>%.8s</code></td>", id);
	cell_text(p, n->street);
	put(p, "<td>");
	if (n->met_ms > 0)
		put_time(p, n->met_ms);
	else
		put(p, word(p, FW_NEVER_CAME));
	put(p, "</td>");
	cell_number(p, n->lacking >= 0, n->lacking, "");
	buf_printf(p->out, "<td>%s</td>",
	           word(p, n->digest == SYNC_LEVEL_EQUAL     ? FW_EQUAL
	                   : n->digest == SYNC_LEVEL_UNEQUAL ? FW_UNEQUAL
	                                                     : FW_UNKNOWN));
	cell_number(p, r->clock_known, r->clock_offset_ms / 1000, " s");
	cell_number(p, r->disk_free >= 0, r->disk_free / 1000000, " MB");
	cell_text(p, r->version);
	put(p, "</tr>\n");
}

static void
put_table(struct page *p, const struct fleet *fleet)
{
	static const enum fleet_word heads[] = { FW_STATE,  FW_NEEDS, FW_FACILITY, FW_NODE,
		                                 FW_STREET, FW_CAME,  FW_BACKLOG,  FW_DIGEST,
		                                 FW_CLOCK,  FW_DISK,  FW_VERSION };
	size_t from = (page_of(fleet, p->v) - 1) * FLEET_PAGE_ROWS;

	if (fleet->count == 0) {
		buf_printf(p->out, "<p id=\"list\">%s</p>\n", word(p, FW_NONE));
		return;
	}
	buf_printf(p->out,
	           "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"list\">"
	           "<table>\n<caption id=\"list\">%s</caption>\n<thead><tr>",
	           word(p, FW_TABLE));
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
		buf_printf(p->out, "<th scope=\"col\">%s</th>", word(p, heads[i]));
	put(p, "</tr></thead>\n<tbody>\n");
	for (size_t i = from; i < fleet->count && i < from + FLEET_PAGE_ROWS; i++)
		put_row(p, &fleet->list[i]);
	put(p, "</tbody>\n</table></div>\n");
}

static void
put_pager(struct page *p, const struct fleet *fleet)
{
	size_t page = page_of(fleet, p->v), pages = pages_of(fleet);
	char here[24], all[24];

	if (pages == 1)
		return;
	snprintf(here, sizeof here, "%zu", page);
	snprintf(all, sizeof all, "%zu", pages);
	buf_printf(p->out, "<nav aria-label=\"%s\">\n", word(p, FW_PAGES));
	if (page > 1) {
		put(p, "<a rel=\"prev\" href=\"");
		put_address(p, own_lang(p), p->v->filter.state, page - 1);
		buf_printf(p->out, "\">%s</a>\n", word(p, FW_EARLIER));
	}
	fleet_page_phrase(p->out, word(p, FW_PAGE), here, all);
	if (page < pages) {
		put(p, "\n<a rel=\"next\" href=\"");
		put_address(p, own_lang(p), p->v->filter.state, page + 1);
		buf_printf(p->out, "\">%s</a>", word(p, FW_LATER));
	}
	put(p, "\n</nav>\n");
}

void
fleet_page(const struct fleet *fleet, const struct fleet_view *view, struct buf *html)
{
	struct page p = { view, html };

	put_head(&p);
	put_header(&p, fleet);
	put_counts(&p, fleet);
	put_filter(&p);
	buf_printf(html, "<h2>%s</h2>\n", word(&p, FW_MAP));
	fleet_page_map(fleet, view->lang, html);
	put_table(&p, fleet);
	put_pager(&p, fleet);
	put(&p, "</main>\n</body>\n</html>\n");
}

/* ---- the way in ---- */

void
fleet_page_sign_in(enum page_lang lang, const char *token, const char *notice, struct buf *html)
{
	struct fleet_view view = { .lang = lang, .token = token };
	struct page p = { &view, html };

	put_head(&p);
	buf_printf(html,
	           "<header><h1>%s</h1>\n<a href=\"/fleet/signin?lang=%s\" lang=\"%s\">%s</a>"
	           "</header>\n<main>\n<h2>%s</h2>\n",
	           word(&p, FW_TITLE), lang == PAGE_EN ? "zh" : "en", word(&p, FW_OTHER_CODE),
	           word(&p, FW_OTHER_LANG), word(&p, FW_SIGN_IN));
	if (notice != NULL) {
		put(&p, "<p class=\"notice\" role=\"alert\">");
		html_text(html, notice);
		put(&p, "</p>\n");
	}
	put(&p, "<form class=\"sign-in\" method=\"post\" action=\"/fleet/enter\">\n");
	put_hidden(&p);
	buf_printf(html,
	           "<label>%s<input name=\"name\" autocomplete=\"username\" required></label>\n"
	           "<label>%s<input name=\"password\" type=\"password\" "
	           "autocomplete=\"current-password\" required></label>\n"
	           "<button class=\"main\">%s</button>\n</form>\n<p>%s</p>\n"
	           "</main>\n</body>\n</html>\n",
	           word(&p, FW_NAME), word(&p, FW_PASSWORD), word(&p, FW_ENTER), word(&p, FW_HOW));
}
