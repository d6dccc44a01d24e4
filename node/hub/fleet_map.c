/*
 * node/hub/fleet_map.c - where the nodes are, as an SVG (node/hub/fleet_page.h).
 *
 * The box around all of them is laid over a grid of cells, a degree of longitude
 * shortened by the cosine of the middle's latitude.  A mark stands for all nodes of its
 * cell, as large as they are many and coloured by the gravest.  Nothing is fetched: who wants
 * streets has the coordinates.
 */
#include "node/http/html.h"
#include "node/hub/fleet_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CELL = 10, PAD = 14, MARK = 4, MARK_MAX = 9 };

struct cell {
	size_t count;
	enum fleet_state state;
	const struct fleet_node *one;
};

struct frame {
	double lat, lon;     /* middle */
	double shorten;      /* cosine of it */
	double cells_degree; /* cells to a degree of latitude */
};

static bool
is_shown(const struct fleet_node *n)
{
	return n->placed && n->state != FLEET_REVOKED;
}

static struct frame
frame_of(const struct fleet *fleet)
{
	double south = 90, north = -90, west = 180, east = -180, wide, high;
	struct frame f;

	for (size_t i = 0; i < fleet->count; i++) {
		const struct fleet_node *n = &fleet->list[i];
		double lat = (double)n->lat_e6 / 1e6, lon = (double)n->lon_e6 / 1e6;

		if (!is_shown(n))
			continue;
		south = fmin(south, lat);
		north = fmax(north, lat);
		west = fmin(west, lon);
		east = fmax(east, lon);
	}
	f.lat = (south + north) / 2;
	f.lon = (west + east) / 2;
	f.shorten = cos(f.lat * acos(-1.0) / 180);
	wide = fmax((east - west) * f.shorten,
	            1e-3); /* some 100 m, so that one node is a map, too */
	high = fmax(north - south, 1e-3);
	f.cells_degree = fmin((FLEET_MAP_WIDTH - 1) / wide, (FLEET_MAP_HEIGHT - 1) / high);
	return f;
}

static int
clamp(double v, int below)
{
	return v < 0 ? 0 : v >= below ? below - 1 : (int)v;
}

static struct cell *
cell_of(struct cell *cells, const struct frame *f, const struct fleet_node *n)
{
	double east = ((double)n->lon_e6 / 1e6 - f->lon) * f->shorten * f->cells_degree;
	double north = ((double)n->lat_e6 / 1e6 - f->lat) * f->cells_degree;
	int x = clamp(floor(east + FLEET_MAP_WIDTH / 2.0), FLEET_MAP_WIDTH);
	int y = clamp(floor(FLEET_MAP_HEIGHT / 2.0 - north), FLEET_MAP_HEIGHT);

	return &cells[y * FLEET_MAP_WIDTH + x];
}

static size_t
fill(struct cell *cells, const struct fleet *fleet)
{
	struct frame f = frame_of(fleet);
	size_t shown = 0;

	for (size_t i = 0; i < fleet->count; i++) {
		const struct fleet_node *n = &fleet->list[i];
		struct cell *cell;

		if (!is_shown(n))
			continue;
		cell = cell_of(cells, &f, n);
		if (cell->count == 0 || n->state < cell->state)
			*cell = (struct cell){ cell->count, n->state, n };
		cell->count++;
		shown++;
	}
	return shown;
}

static void
put_mark(struct buf *html, size_t place, const struct cell *cell, enum page_lang lang)
{
	size_t radius =
	        MARK + (cell->count - 1 < MARK_MAX - MARK ? cell->count - 1 : MARK_MAX - MARK);

	buf_printf(html, "<circle class=\"%s\" cx=\"%zu\" cy=\"%zu\" r=\"%zu\"><title>",
	           fleet_state_word(cell->state), PAD + place % FLEET_MAP_WIDTH * CELL,
	           PAD + place / FLEET_MAP_WIDTH * CELL, radius);
	if (cell->count == 1)
		html_text(html,
		          cell->one->name[0] != 0 ? cell->one->name : cell->one->node.facility);
	else
		buf_printf(html, "%zu", cell->count);
	buf_printf(html, " · %s</title></circle>\n", fleet_word_state(lang, cell->state));
}

/* The gravest last, so that nothing lies over them. */
static void
put_marks(struct buf *html, const struct cell *cells, enum page_lang lang)
{
	for (int state = FLEET_REVOKED; state >= FLEET_ALARM; state--)
		for (size_t i = 0; i < FLEET_MAP_CELLS; i++)
			if (cells[i].count > 0 && (int)cells[i].state == state)
				put_mark(html, i, &cells[i], lang);
}

void
fleet_page_map(const struct fleet *fleet, enum page_lang lang, struct buf *html)
{
	struct cell *cells = calloc(FLEET_MAP_CELLS, sizeof *cells);
	char with[24], without[24];
	size_t shown;

	if (cells == NULL) {
		html->bad = true;
		return;
	}
	shown = fill(cells, fleet);
	if (shown == 0) {
		buf_printf(html, "<p>%s</p>\n", fleet_word(lang, FW_NO_PLACES));
	} else {
		snprintf(with, sizeof with, "%zu", shown);
		snprintf(without, sizeof without, "%zu",
		         fleet->count - fleet->of_state[FLEET_REVOKED] - shown);
		buf_printf(html,
		           "<svg class=\"map\" viewBox=\"0 0 %d %d\" role=\"img\" "
		           "aria-labelledby=\"map-says\">\n",
		           2 * PAD + (FLEET_MAP_WIDTH - 1) * CELL,
		           2 * PAD + (FLEET_MAP_HEIGHT - 1) * CELL);
		put_marks(html, cells, lang);
		buf_printf(html, "</svg>\n<p id=\"map-says\">");
		fleet_page_phrase(html, fleet_word(lang, FW_MAP_SAYS), with, without);
		buf_printf(html, "</p>\n");
	}
	free(cells);
}
