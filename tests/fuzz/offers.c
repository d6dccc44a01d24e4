/*
 * tests/fuzz/offers.c - any query and any header lines at GET /v1/export,
 * /v1/export.ndjson.zst and /v1/snapshot.sqlite.zst: something leaves only for the
 * token that was given out, noted, within the file's bounds, and nothing of another
 * facility.
 *
 * Input: a first byte ('e' for an export or a manifest, 'f' for a file of one,
 * anything else for a snapshot), then query, Authorization, Range, If-Range and
 * If-None-Match, a line each, an empty one for none.  "$" stands for the token, "#"
 * for the name of its snapshot, "~" for that of its set of files.
 */
#include "node/hub/offers.h"
#include "node/hub/hub_schema.h"
#include "store/stmt.h"
#include "tests/fuzz/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARTS = 5 };

static struct peer hub;
static struct sync_key key;
static struct metrics metrics;
static struct offers offers;
static char dir[64];
static char bearer[TOKEN_TEXT], name[KEPT_ETAG], set_name[KEPT_ETAG];
static uint64_t whole, part_len;

static void
leave(void)
{
	char command[96];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	HOLDS(system(command) == 0); // NOLINT(cert-env33-c): a test's own words
}

static void
open_hub(void)
{
	struct token_terms terms = { .scope = "f/F1" };
	struct export_set set;
	struct kept snap;
	struct token token;
	char id[TOKEN_ID];
	struct err err;

	peer_open(&hub, true);
	key = help_key(0);
	HOLDS(hub_schema_migrate(hub.db, &err) == 0);
	peer_write(&hub, "INSERT INTO daily(child, day, facility_id, text) VALUES"
	                 " ('c1', 1, 'F1', '=饭'), ('c2', 2, 'F2', 'CANARY')");
	HOLDS(token_new(hub.db, &terms, IMAGE_NOW_MS, bearer, id, &err) == 0);
	HOLDS(token_check(hub.db, bearer, IMAGE_NOW_MS, &token, &err) == 1);
	snprintf(dir, sizeof dir, "/tmp/yizhan-fuzz.XXXXXX");
	HOLDS(mkdtemp(dir) != NULL);
	HOLDS(atexit(leave) == 0);
	offers = (struct offers){
		.snapshots = { .dir = dir, .db = hub.db, .env = store_db_env(hub.db) },
		.log = hub.db,
		.key = &key,
		.metrics = &metrics
	};
	HOLDS(snapshot_get(&offers.snapshots, &token, &snap, &err) == 0);
	memcpy(name, snap.etag, sizeof name);
	whole = snap.len;
	close(snap.fd);
	HOLDS(export_set_get(&offers.snapshots, &(struct export_ask){ .token = &token }, &set,
	                     &err) == 0);
	HOLDS(set.count == 1);
	memcpy(set_name, set.file.etag, sizeof set_name);
	part_len = set.parts[0].len;
	export_set_close(&set);
}

static void
fill_in(struct buf *out, const char *text)
{
	for (; *text != 0; text++)
		if (*text == '$')
			buf_put(out, bearer, TOKEN_TEXT - 1);
		else if (*text == '#')
			buf_put(out, name, KEPT_ETAG - 1);
		else if (*text == '~')
			buf_put(out, set_name, KEPT_ETAG - 1);
		else
			buf_u8(out, (uint8_t)*text);
}

static int64_t
noted(void)
{
	struct err err;
	int64_t count;

	HOLDS(store_stmt_int(hub.db, "SELECT count(*) FROM hub_export", 0, &count, &err) == 0);
	return count;
}

/* Has what leaves anything of F2?  Packed bytes are looked at by the unit tests. */
static bool
has_canary(const struct http_file *file)
{
	char text[4096];
	ssize_t n = pread(file->fd, text, sizeof text - 1, (off_t)file->offset);

	HOLDS(n >= 0);
	text[n] = 0;
	return strstr(text, "CANARY") != NULL;
}

/* What the first byte asks for. */
static const struct offer {
	char byte;
	const char *path;
	void (*give)(struct offers *o, const struct http_request *request,
	             const struct offers_headers *headers, struct http_response *response);
} offer[] = { { 'e', "/v1/export", offers_export },
	      { 'f', "/v1/export.ndjson.zst", offers_export_file },
	      { 's', "/v1/snapshot.sqlite.zst", offers_snapshot } };

/* What leaves is of that token, and no more than there is. */
static void
check_file(const struct offer *of, const struct http_response *r, const char *authorization)
{
	HOLDS(r->status == 200 || r->status == 206);
	HOLDS(authorization != NULL && strstr(authorization, bearer) != NULL);
	HOLDS(of->byte != 's' || r->file.offset + r->file.len <= whole);
	HOLDS(of->byte != 'f' || r->file.offset + r->file.len <= part_len);
	HOLDS(of->byte != 'e' || !has_canary(&r->file));
	close(r->file.fd);
}

static void
check(const struct offer *of, struct buf part[PARTS])
{
	struct http_request request = {
		.method = "GET", .path = of->path, .query = buf_str(&part[0]), .peer = "unix"
	};
	struct offers_headers headers = {
		.authorization = part[1].len > 0 ? buf_str(&part[1]) : NULL,
		.range = part[2].len > 0 ? buf_str(&part[2]) : NULL,
		.if_range = part[3].len > 0 ? buf_str(&part[3]) : NULL,
		.if_none_match = part[4].len > 0 ? buf_str(&part[4]) : NULL,
	};
	struct http_response r = { 0 };
	int64_t before = noted();
	bool manifest;

	of->give(&offers, &request, &headers, &r);
	manifest = r.type != NULL && strcmp(r.type, "application/json") == 0;
	HOLDS(r.status == 200 || r.status == 206 || r.status == 304 || r.status == 400 ||
	      r.status == 401 || r.status == 403 || r.status == 404 || r.status == 410 ||
	      r.status == 416);
	HOLDS(noted() == before + ((r.status == 200 && !manifest) || r.status == 206));
	HOLDS(r.status != 206 || (of->byte != 'e' && r.file.len > 0));
	HOLDS(r.status != 200 || of->byte != 's' || r.file.len == whole);
	HOLDS(r.status != 200 || of->byte != 'f' || r.file.len == part_len);
	if (r.file.len > 0)
		check_file(of, &r, headers.authorization);
	/* a refusal repeats what was asked */
	HOLDS(strstr(buf_str(&r.body), "CANARY") == NULL ||
	      strstr(request.query, "CANARY") != NULL);
	buf_free(&r.body);
	buf_free(&r.fields);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf part[PARTS] = { 0 };
	const struct offer *of = &offer[size == 0        ? 2
	                                : data[0] == 'e' ? 0
	                                : data[0] == 'f' ? 1
	                                                 : 2];
	struct err err;

	if (hub.db == NULL)
		open_hub();
	data += size > 0;
	size -= size > 0;
	for (int i = 0; i < PARTS; i++) {
		char *line = help_cut(&data, &size, '\n');

		fill_in(&part[i], line);
		free(line);
	}
	check(of, part);
	for (int i = 0; i < PARTS; i++)
		buf_free(&part[i]);
	HOLDS(store_db_exec(hub.db, "DELETE FROM hub_export", &err) == 0);
	return 0;
}
