/* node/serve_priv.h - the handlers that node/serve.c calls. */
#ifndef NODE_SERVE_PRIV_H
#define NODE_SERVE_PRIV_H

#include "node/facility/page_words.h"
#include "node/serve.h"

/* At a hub (node/serve_hub.c): POST /v1/sync; GET /v1/watch. */
MUST_CHECK int serve_sync(struct station *st, const struct reader *r, struct http_exchange *x,
                          struct err *err);

/* The long-poll. */
void serve_watch(struct reader *r, struct http_exchange *x);

/* Records by the platform. */
MUST_CHECK int serve_records(struct station *st, struct http_exchange *x, bool *wrote,
                             struct err *err);

/* At a facility's node (node/serve_facility.c): the page, its style, its forms, records as JSON
 * lines. */
void serve_page(struct reader *r, struct http_exchange *x);

/* The style sheet. */
void serve_style(struct http_exchange *x);

/* A form of the page. */
MUST_CHECK int serve_tap(struct station *st, const struct reader *r, struct http_exchange *x,
                         bool *wrote, struct err *err);

/* The same while the disk is full: the page, and why. */
void serve_tap_full(struct station *st, const struct reader *r, struct http_exchange *x);

/* Records as JSON lines. */
MUST_CHECK int serve_batch(struct station *st, struct http_exchange *x, bool *wrote,
                           struct err *err);

/* ---- at both (node/serve_facility.c) ---- */

/* The language of a page's reader: asked for in query or form, else the browser's. */
enum page_lang serve_language(struct http_exchange *x);

/*
 * Does another site's page send this form?  Browsers say which page does, and that page can't
 * change what they say: new ones in Sec-Fetch-Site, over plain HTTP to another machine and in older
 * ones Origin.  Programs send neither.
 */
bool serve_from_elsewhere(struct http_exchange *x);

/* ---- the hub's page (node/serve_fleet.c) ---- */

void serve_fleet(struct reader *r, struct http_exchange *x);
void serve_fleet_style(struct http_exchange *x);

/* The form to sign in. */
void serve_sign_in(const struct reader *r, struct http_exchange *x);

/* Name and password; and out again.  Negative as serve_write(). */
MUST_CHECK int serve_enter(struct station *st, const struct reader *r, struct http_exchange *x,
                           struct err *err);
MUST_CHECK int serve_leave(struct station *st, const struct reader *r, struct http_exchange *x,
                           struct err *err);

#endif /* NODE_SERVE_PRIV_H */
