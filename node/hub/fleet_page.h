/*
 * node/hub/fleet_page.h - /fleet, the hub's page, as HTML that needs no script.
 *
 * A page has FLEET_PAGE_ROWS rows and a map of at most FLEET_MAP_CELLS marks, so
 * its size is bounded whatever the number of nodes.
 */
#ifndef NODE_FLEET_PAGE_H
#define NODE_FLEET_PAGE_H

#include "node/hub/fleet_words.h"

enum {
	FLEET_PAGE_ROWS = 100,
	FLEET_MAP_WIDTH = 60, /* cells; a mark stands for all nodes of one */
	FLEET_MAP_HEIGHT = 36,
	FLEET_MAP_CELLS = FLEET_MAP_WIDTH * FLEET_MAP_HEIGHT,
};

/* Borrowed. */
struct fleet_view {
	enum page_lang lang;
	int64_t now_ms;
	const char *token; /* goes with each form */
	const char *admin; /* who looks */
	struct fleet_filter filter;
	size_t page; /* 1..; beyond the end is the last */
};

/* The style sheet of it. */
const char *fleet_page_css(void);

/* Append the page of these nodes, which the view's filter has let through. */
void fleet_page(const struct fleet *fleet, const struct fleet_view *view, struct buf *html);

/* Append the form to sign in, with why the last try failed; `notice` NULL: there was none. */
void fleet_page_sign_in(enum page_lang lang, const char *token, const char *notice,
                        struct buf *html);

/* Append the map alone: an SVG, the gravest marks on top. */
void fleet_page_map(const struct fleet *fleet, enum page_lang lang, struct buf *html);

/* A phrase with what stands for #1 and #2 in it; both may be NULL. */
void fleet_page_phrase(struct buf *html, const char *phrase, const char *one, const char *two);

#endif /* NODE_FLEET_PAGE_H */
