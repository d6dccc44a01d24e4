/*
 * node/serve.h - what each path of the HTTP server does, and in which lane: the
 * writing thread's or a reader's.
 *
 *   hub    POST /v1/sync        write   an exchange, signed by an enrolled node
 *          POST /v1/enrol       write   a node asks to be known
 *          GET  /v1/watch       read    long-poll: tell me when something moved, signed
 *          GET  /v1/changes     read    the feed, with a token; waits if asked to
 *          POST /v1/records     write   records by the platform, with a token
 *          GET  /snippets       read    programs that take what the hub offers, to be copied
 *          GET  /fleet, /fleet.css, /fleet/signin   read    the hub's page (node/serve_fleet.c)
 *          POST /fleet/enter, /fleet/leave           write   in and out of it
 *          GET  /v1/snapshot.sqlite.zst, /v1/export   offers   (node/hub/offers.h)
 *   node   GET  /, /app.css     read    the facility's page
 *          POST /tap            write   a form of that page
 *          POST /api/v1/batch   write   records as JSON lines; this machine only
 *   both   GET  /healthz, /metrics, /openapi.json   read
 */
#ifndef NODE_SERVE_H
#define NODE_SERVE_H

#include "node/http/http.h"
#include "node/station.h"

struct follow;

/* A reader's own view of the installation: other threads have other databases. */
struct reader {
	struct station *station; /* constant parts only: facility, name, is_hub, env, key, watch */
	struct store_db *db;     /* STORE_READ */
	struct rights rights;
	struct follow *follow; /* at a hub: who waits for the feed; or NULL */
	const uint8_t *secret; /* for nonces; 32 bytes */
	char form_token[33];   /* goes with every form of the page */
};

/* Open a reader on the station's database. */
MUST_CHECK int reader_open(struct reader *r, struct station *st, const uint8_t secret[32],
                           struct err *err);

/* Close its database. */
void reader_close(struct reader *r);

enum serve_lane { SERVE_READ, SERVE_WRITE, SERVE_OFFERS, SERVE_LANES };

/* A path, which is there for one method (and HEAD beside GET). */
struct serve_place {
	const char *method, *path;
	bool at_hub, at_node;
	enum serve_lane lane;
	size_t body_max;
};

/* All of them. */
const struct serve_place *serve_places(size_t *count);

/* Which of the lanes serves this request of a hub or node; a lane of NULL if there is nothing at
 * the path. */
struct http_route serve_route(bool is_hub, const char *method, const char *path,
                              struct queue *const lanes[SERVE_LANES]);

/* Serve a request of the reading lane: answered, or kept by the list of who watches or follows. */
void serve_read(struct reader *r, struct http_exchange *x);

/*
 * Serve a request of the writing lane; always answered.  Negative if the database failed: then the
 * caller stops, because nothing may be acknowledged any more.  *wrote says that local records were
 * written.
 */
MUST_CHECK int serve_write(struct station *st, const struct reader *r, struct http_exchange *x,
                           bool *wrote, struct err *err);

#endif /* NODE_SERVE_H */
