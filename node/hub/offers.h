/*
 * node/hub/offers.h - what a hub gives out in one piece: snapshots and exports.
 *
 * They can take as long as all rows of a district need, so they have a thread
 * and a queue of their own; the feed, the nodes and the page don't wait for them.
 * What leaves is a file on the disk first: a slow reader holds neither the
 * database's moment nor this thread.
 */
#ifndef NODE_OFFERS_H
#define NODE_OFFERS_H

#include "node/http/http.h"
#include "node/hub/export_set.h"
#include "node/hub/snapshot.h"
#include "node/metrics.h"
#include "node/station.h"

enum { OFFERS_TIDY_MS = 600000 }; /* between two looks at what is kept */

struct offers {
	struct kept_place snapshots; /* `db` is ours */
	struct store_db *log;        /* where exports are noted */
	const struct sync_key *key;  /* the hub's, borrowed */
	struct metrics *metrics;
	int64_t tidy_ms; /* monotonic: the next look is not before */
};

/* What a request says besides its line; each may be NULL. */
struct offers_headers {
	const char *authorization, *range, *if_range, *if_none_match;
};

/* Open connections of its own on the station's database; *stop, once true, ends what is under way.
 */
MUST_CHECK int offers_open(struct offers *o, struct station *st, const atomic_bool *stop,
                           struct err *err);
void offers_close(struct offers *o);

/* From time to time, by the same thread: old snapshots go, whether somebody asks for new ones or
 * not. */
void offers_tick(struct offers *o, int64_t mono_ms);

/* Answer a request of this lane. */
void offers_serve(struct offers *o, struct http_exchange *x);

/* An answer that could not be made for a reason of the disk or database: 507 with the words if the
 * disk hasn't the room, else 503; the log has the words. */
void offers_sorry(struct http_response *response, const struct err *err);

/*
 * GET /v1/snapshot.sqlite.zst: fill `response`, zeroed by the caller.
 *
 *   name=   the ETag of one that was begun: 410 if it is no longer kept
 *
 *   200 all of it    206 the range that was asked for, of the one that `name` or If-Range names
 *   304 unchanged    400 401 410 416 503
 */
void offers_snapshot(struct offers *o, const struct http_request *request,
                     const struct offers_headers *headers, struct http_response *response);

/*
 * GET /v1/export: a table's rows, for a token that reads everything a view's too; or
 * resources of a type.  Without table and format: the manifest, as offers_manifest().
 *
 *   table=    which            format=  ndjson, the default, or csv (for spreadsheets: no text
 *   scope=    only this one             becomes a formula); or fhir (node/facility/fhir.h)
 *   _type=    with fhir: Patient, Observation, Immunization, Encounter
 *
 * Yz-Cursor says where the feed goes on: it is of the same moment as the rows, so who applies whole
 * rows to tables exported one after the other begins with the first one's.
 *
 *   200   400  a parameter   401   403  not this token's scope   404  no such table or type
 */
void offers_export(struct offers *o, const struct http_request *request,
                   const struct offers_headers *headers, struct http_response *response);

/*
 * The manifest of all tables, with their files, counts and hashes, in the shape of FHIR's bulk
 * export; `query` is told again in it.
 *
 *   since=    a cursor: only what has changed, and the keys of what is gone; 410 as the feed
 *   scope=    only this one
 */
void offers_manifest(struct offers *o, const struct export_ask *ask, const char *query,
                     struct http_response *response);

/*
 * GET /v1/export.ndjson.zst: a file of a manifest, by the url that it gives.
 *
 *   200   206 the range that was asked for   304   400 401 410 416   404 no such file in it
 */
void offers_export_file(struct offers *o, const struct http_request *request,
                        const struct offers_headers *headers, struct http_response *response);

#endif /* NODE_OFFERS_H */
