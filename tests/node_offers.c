/* tests/node_offers.c - snapshots and exports: what is in them for whom, in one piece and in parts.
 */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/http/reqsig.h"
#include "node/hub/export_log.h"
#include "node/hub/feed.h"
#include "node/hub/offers.h"
#include "store/base/hash.h"
#include "store/base/text.h"
#include "store/track.h"
#include "sync/codec/pack_file.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64];
static struct metrics metrics;
static struct offers offers;
static struct http_response response;
static atomic_bool stop;
static char all[80], f1[80], f1_personal[80], codes[80];

static void
track(const char *sql, const char *table, const char *scope, const char *column)
{
	struct store_track_spec spec = { .table = table, .scope = scope, .scope_column = column };

	ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
	ck_assert_int_eq(store_db_exec(hub_db, sql, &hub_err), 0);
	ck_assert_msg(store_track_table(hub_db, &spec, true, &hub_err) == 0, "%s", hub_err.msg);
	ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
}

static void
run(const char *sql)
{
	ck_assert_msg(store_db_exec(hub_db, sql, &hub_err) == 0, "%s", hub_err.msg);
}

static void
give_token(char bearer[80], struct token_terms terms)
{
	char text[TOKEN_TEXT], id[TOKEN_ID];

	ck_assert_msg(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err) == 0, "%s",
	              hub_err.msg);
	snprintf(bearer, 80, "Bearer %s", text);
}

static void
begin(void)
{
	hub_open();
	track("CREATE TABLE child(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL, name "
	      "TEXT,"
	      " sex INTEGER, pin_hash BLOB) WITHOUT ROWID",
	      "child", "f/", "facility_id");
	track("CREATE TABLE code(id INTEGER NOT NULL PRIMARY KEY, text TEXT)", "code", "all", NULL);
	track("CREATE TABLE desk(id INTEGER NOT NULL PRIMARY KEY, text TEXT)", "desk", "hub", NULL);
	run("INSERT INTO child VALUES (x'01', 'F1', '=1+1', 2, x'5ec2'), (x'02', 'F1', '小明', 1, "
	    "NULL),"
	    " (x'03', 'F2', 'CANARY', 1, NULL), (x'04', 'F1x', 'CANARY', 1, NULL);"
	    "INSERT INTO code VALUES (1, 'one'); INSERT INTO desk VALUES (1, 'CANARY')");
	give_token(all, (struct token_terms){ .scope = "all", .personal = true });
	give_token(f1, (struct token_terms){ .scope = "f/F1" });
	give_token(f1_personal, (struct token_terms){ .scope = "f/F1", .personal = true });
	give_token(codes, (struct token_terms){ .scope = "all", .tables = "code" });
	snprintf(dir, sizeof dir, "/tmp/yizhan-offers.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	stop = false;
	metrics = (struct metrics){ 0 };
	offers = (struct offers){ .snapshots = { .dir = dir,
		                                 .db = hub_db,
		                                 .env = store_db_env(hub_db),
		                                 .stop = &stop },
		                  .log = hub_db,
		                  .key = &hub_key,
		                  .metrics = &metrics };
}

static void
drop_response(void)
{
	buf_free(&response.fields);
	buf_free(&response.body);
	if (response.file.len > 0)
		close(response.file.fd);
	response = (struct http_response){ 0 };
}

static void
end(void)
{
	char command[128];

	drop_response();
	snprintf(command, sizeof command, "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0); // NOLINT(cert-env33-c): a test's own words
	hub_close();
}

/* ---------------------------------------------------------------- asking */

static void
ask(const char *path, const char *query, struct offers_headers headers)
{
	struct http_request request = {
		.method = "GET", .path = path, .query = query, .peer = "198.51.100.7"
	};

	drop_response();
	if (strcmp(path, "/v1/export") == 0)
		offers_export(&offers, &request, &headers, &response);
	else if (strcmp(path, "/v1/export.ndjson.zst") == 0)
		offers_export_file(&offers, &request, &headers, &response);
	else
		offers_snapshot(&offers, &request, &headers, &response);
}

static void
snapshot(const char *query, struct offers_headers headers)
{
	ask("/v1/snapshot.sqlite.zst", query, headers);
}

static void export(const char *bearer, const char *query)
{
	ask("/v1/export", query, (struct offers_headers){ .authorization = bearer });
}

/* The bytes that would leave, as text. */
static const char *
sent(void)
{
	static struct buf bytes;

	buf_clear(&bytes);
	if (response.file.len > 0) {
		ck_assert_uint_lt(response.file.len, 1 << 20);
		ck_assert_int_eq(pread(response.file.fd, buf_grow(&bytes, response.file.len),
		                       response.file.len, (off_t)response.file.offset),
		                 (ssize_t)response.file.len);
	} else {
		buf_put(&bytes, response.body.bytes, response.body.len);
	}
	return buf_str(&bytes);
}

/* Unpack what would leave, and ask another SQLite, Debian's, for one value. */
static const char *
found(const char *sql)
{
	static char answer[256];
	char path[96], command[700];
	FILE *f;
	size_t len;

	snprintf(path, sizeof path, "%s/got.zst", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	sent();
	{
		uint8_t *bytes = malloc(response.file.len + 1);

		ck_assert_int_eq(pread(response.file.fd, bytes, response.file.len,
		                       (off_t)response.file.offset),
		                 (ssize_t)response.file.len);
		ck_assert_uint_eq(fwrite(bytes, 1, response.file.len, f), response.file.len);
		free(bytes);
	}
	fclose(f);
	snprintf(command, sizeof command,
	         "zstd -dqf %s -o %s/got.sqlite && python3 -c 'import sqlite3, sys\n"
	         "for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]):\n"
	         "  print(*row, sep=\"|\")' %s/got.sqlite \"%s\"",
	         path, dir, dir, sql);
	f = popen(command, "r"); // NOLINT(cert-env33-c): likewise
	ck_assert_ptr_nonnull(f);
	len = fread(answer, 1, sizeof answer - 1, f);
	answer[len] = 0;
	ck_assert_msg(pclose(f) == 0, "%s: %s", sql, answer);
	return answer;
}

static const char *
field(const char *name)
{
	return hub_field(&response, name);
}

/* ---------------------------------------------------------------- what is in it */

START_TEST(a_snapshot_is_what_the_token_may_read)
{
	snapshot("", (struct offers_headers){ .authorization = f1 });
	ck_assert_int_eq(response.status, 200);
	ck_assert_str_eq(response.type, "application/zstd");
	ck_assert_str_eq(found("SELECT group_concat(name) FROM sqlite_master ORDER BY name"),
	                 "yz_snapshot,child\n");
	ck_assert_str_eq(found("SELECT count(*), min(facility_id), max(facility_id) FROM child"),
	                 "2|F1|F1\n");
	ck_assert_str_eq(found("SELECT group_concat(name) FROM pragma_table_info('child')"),
	                 "id,facility_id,sex\n");
	ck_assert_str_eq(found("SELECT value FROM yz_snapshot WHERE name = 'personal'"), "no\n");
	snapshot("", (struct offers_headers){ .authorization = f1_personal });
	ck_assert_str_eq(found("SELECT name FROM child WHERE id = x'02'"), "小明\n");
	ck_assert_str_eq(found("SELECT group_concat(name) FROM pragma_table_info('child')"),
	                 "id,facility_id,name,sex\n");
}
END_TEST

START_TEST(a_token_for_all_never_gets_the_hubs_own)
{
	snapshot("", (struct offers_headers){ .authorization = all });
	ck_assert_str_eq(found("SELECT group_concat(name) FROM sqlite_master"),
	                 "yz_snapshot,child,code,external_delivery,external_delivery_name,"
	                 "external_delivery_key,v1_external_delivery\n");
	ck_assert_str_eq(found("SELECT count(*) FROM child"), "4\n");
	snapshot("", (struct offers_headers){ .authorization = codes });
	ck_assert_str_eq(found("SELECT group_concat(name) FROM sqlite_master"),
	                 "yz_snapshot,code\n");
}
END_TEST

START_TEST(a_snapshot_names_the_cursor_behind_it)
{
	char cursor[FEED_CURSOR];

	ck_assert_int_eq(feed_cursor(hub_db, cursor, &hub_err), 0);
	snapshot("", (struct offers_headers){ .authorization = f1 });
	ck_assert_str_eq(field("Yz-Cursor"), cursor);
	ck_assert_ptr_nonnull(strstr(field("Link"), cursor));
	ck_assert(strncmp(found("SELECT value FROM yz_snapshot WHERE name = 'cursor'"), cursor,
	                  FEED_CURSOR - 1) == 0);
}
END_TEST

/* The digest is of all the bytes, of a part's answer too, and hub and cursor stand for them. */
START_TEST(a_snapshot_is_signed)
{
	static const char what[] = "yizhan-snapshot-1";
	uint8_t sum[32], signature[STORE_SIGNATURE];
	struct buf text = { 0 };
	char digest[REQSIG_DIGEST_SIZE], whole[REQSIG_DIGEST_SIZE], name[64];
	const char *bytes;

	snapshot("", (struct offers_headers){ .authorization = f1 });
	bytes = sent();
	hash_sha256(sum, bytes, (size_t)(response.file.len));
	reqsig_digest_text(digest, sum);
	ck_assert_str_eq(field("Repr-Digest"), digest);
	buf_put(&text, what, strlen(what));
	buf_put(&text, sum, sizeof sum);
	buf_put(&text, field("Yz-Cursor"), FEED_CURSOR - 1);
	ck_assert(text_unhex(signature, sizeof signature, field("Yz-Signature")));
	ck_assert(sync_verify(hub_key.public_key, text.bytes, text.len, signature));
	text.bytes[48]++;
	ck_assert(!sync_verify(hub_key.public_key, text.bytes, text.len, signature));
	buf_free(&text);
	snprintf(whole, sizeof whole, "%s", field("Repr-Digest"));
	snprintf(name, sizeof name, "name=%.32s", field("ETag") + 1);
	snapshot(name, (struct offers_headers){ .authorization = f1, .range = "bytes=0-9" });
	ck_assert_int_eq(response.status, 206);
	ck_assert_str_eq(field("Repr-Digest"), whole);
}
END_TEST

START_TEST(keys_and_values_keep_their_kinds)
{
	run("INSERT INTO child VALUES (x'00ff', 'F1', x'616200', 2.5, NULL), (x'', 'F1', '', -1, "
	    "NULL)");
	snapshot("", (struct offers_headers){ .authorization = f1_personal });
	ck_assert_str_eq(found("SELECT typeof(id), typeof(name), hex(name), typeof(sex) FROM child"
	                       " WHERE id = x'00ff'"),
	                 "blob|blob|616200|real\n");
	ck_assert_str_eq(found("SELECT typeof(name), sex FROM child WHERE id = x''"), "text|-1\n");
	ck_assert_str_eq(
	        found("SELECT group_concat(name) FROM pragma_table_info('child') WHERE pk"),
	        "id\n");
	ck_assert_str_eq(found("PRAGMA integrity_check"), "ok\n");
}
END_TEST

/* ---------------------------------------------------------------- which one it is */

START_TEST(one_that_is_fresh_is_given_again_and_then_a_new_one)
{
	char etag[64];

	snapshot("", (struct offers_headers){ .authorization = f1 });
	snprintf(etag, sizeof etag, "%s", field("ETag"));
	ck_assert_uint_eq(strlen(etag), KEPT_ETAG + 1);
	run("UPDATE child SET sex = 9");
	hub.now_ms += KEPT_FRESH_MS - 1;
	snapshot("", (struct offers_headers){ .authorization = f1 });
	ck_assert_str_eq(field("ETag"), etag);
	snapshot("", (struct offers_headers){ .authorization = f1, .if_none_match = etag });
	ck_assert_int_eq(response.status, 304);
	hub.now_ms += 2;
	snapshot("", (struct offers_headers){ .authorization = f1, .if_none_match = etag });
	ck_assert_int_eq(response.status, 200);
	ck_assert_str_ne(field("ETag"), etag);
	ck_assert_str_eq(found("SELECT max(sex) FROM child"), "9\n");
}
END_TEST

/* The name of the snapshot that was just given. */
static void
name_it(char query[64])
{
	const char *at = strchr(field("Content-Location"), '?');

	ck_assert_ptr_nonnull(at);
	snprintf(query, 64, "%s", at + 1);
}

START_TEST(a_named_one_is_for_who_has_the_same_rights)
{
	char query[64], f2[80];

	give_token(f2, (struct token_terms){ .scope = "f/F2" });
	snapshot("", (struct offers_headers){ .authorization = f1 });
	name_it(query);
	snapshot(query, (struct offers_headers){ .authorization = f1 });
	ck_assert_int_eq(response.status, 200);
	snapshot(query, (struct offers_headers){ .authorization = f2 });
	ck_assert_int_eq(response.status, 410);
	snapshot(query, (struct offers_headers){ .authorization = f1_personal });
	ck_assert_int_eq(response.status, 410);
	snapshot(query, (struct offers_headers){ .authorization = all });
	ck_assert_int_eq(response.status, 410);
	hub.now_ms += KEPT_KEEP_MS + 1;
	snapshot(query, (struct offers_headers){ .authorization = f1 });
	ck_assert_int_eq(response.status, 410);
	ck_assert_ptr_nonnull(strstr(sent(), "begin again at /v1/snapshot.sqlite.zst"));
}
END_TEST

START_TEST(a_hub_in_another_life_keeps_none)
{
	char query[64];

	snapshot("", (struct offers_headers){ .authorization = f1 });
	name_it(query);
	ck_assert_int_eq(store_meta_set(hub_db, "epoch", "NEWEPOCH", 8, &hub_err), 0);
	snapshot(query, (struct offers_headers){ .authorization = f1 });
	ck_assert_int_eq(response.status, 410);
}
END_TEST

/* Files in the folder. */
static int
kept(void)
{
	char path[96];
	struct dirent *e;
	int files = 0;
	DIR *d;

	snprintf(path, sizeof path, "%s/snapshots", dir);
	d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		files += e->d_name[0] != '.';
	closedir(d);
	return files;
}

/* Who asks often throws out only their own. */
START_TEST(not_more_than_a_few_are_kept)
{
	char query[64];

	snapshot("", (struct offers_headers){ .authorization = f1 });
	name_it(query);
	for (int i = 0; i < 2 * KEPT_KEEP; i++) {
		snapshot("", (struct offers_headers){ .authorization = all });
		ck_assert_int_eq(response.status, 200);
		hub.now_ms += KEPT_FRESH_MS;
	}
	ck_assert_int_eq(kept(), KEPT_KEEP + 1);
	snapshot(query, (struct offers_headers){ .authorization = f1 });
	ck_assert_int_eq(response.status, 200);
}
END_TEST

START_TEST(old_ones_go_without_being_asked_for)
{
	char path[96];
	FILE *half;

	snapshot("", (struct offers_headers){ .authorization = f1 });
	hub.now_ms += KEPT_FRESH_MS;
	snapshot("", (struct offers_headers){ .authorization = f1 });
	snprintf(path, sizeof path, "%s/snapshots/new.zst", dir); /* of a daemon that was killed */
	half = fopen(path, "w");
	ck_assert_ptr_nonnull(half);
	fclose(half);
	ck_assert_int_eq(kept(), 3);
	offers_tick(&offers, 1);
	ck_assert_int_eq(kept(), 2);
	hub.now_ms += KEPT_KEEP_MS - 1;
	offers_tick(&offers, OFFERS_TIDY_MS);
	ck_assert_int_eq(kept(), 2);
	offers_tick(&offers, OFFERS_TIDY_MS + 1);
	ck_assert_int_eq(kept(), 1);
	hub.now_ms += KEPT_FRESH_MS;
	offers_tick(&offers, 2 * OFFERS_TIDY_MS + 1);
	ck_assert_int_eq(kept(), 0);
}
END_TEST

START_TEST(packing_stops_when_it_is_told_to)
{
	struct sync_pack_file file = { .stop = &stop };
	FILE *from = tmpfile(), *to = tmpfile();

	ck_assert(from != NULL && to != NULL);
	for (int i = 0; i < 1 << 16; i++)
		fputs("a line of a database\n", from);
	fflush(from);
	file.from = fileno(from);
	file.to = fileno(to);
	stop = true;
	ck_assert_int_eq(sync_pack_file(&file, &hub_err), ERR_BUSY);
	ck_assert_uint_eq(file.len, 0);
	stop = false;
	ck_assert_int_eq(sync_pack_file(&file, &hub_err), 0);
	ck_assert_uint_gt(file.len, 0);
	fclose(from);
	fclose(to);
}
END_TEST

/* ---------------------------------------------------------------- in parts */

START_TEST(parts_of_a_named_one_make_the_whole)
{
	char query[64], etag[64], range[64];
	struct buf whole = { 0 }, sum = { 0 };
	uint64_t len;

	snapshot("", (struct offers_headers){ .authorization = f1 });
	name_it(query);
	snprintf(etag, sizeof etag, "%s", field("ETag"));
	len = response.file.len;
	sent();
	ck_assert_int_eq(pread(response.file.fd, buf_grow(&whole, len), len, 0), (ssize_t)len);
	hub.now_ms += INT64_C(2) * KEPT_FRESH_MS;
	run("UPDATE child SET sex = 7");
	for (uint64_t at = 0; at < len; at += 100) {
		bool by_name = at % 200 == 0;

		snprintf(range, sizeof range, "bytes=%d-%d", (int)at, (int)at + 99);
		snapshot(by_name ? query : "",
		         (struct offers_headers){ .authorization = f1,
		                                  .range = range,
		                                  .if_range = by_name ? NULL : etag });
		ck_assert_int_eq(response.status, 206);
		snprintf(range, sizeof range, "bytes %d-%d/%d", (int)at,
		         (int)(at + 99 < len ? at + 99 : len - 1), (int)len);
		ck_assert_str_eq(field("Content-Range"), range);
		ck_assert_int_eq(pread(response.file.fd, buf_grow(&sum, response.file.len),
		                       response.file.len, (off_t)response.file.offset),
		                 (ssize_t)response.file.len);
	}
	ck_assert_uint_eq(sum.len, whole.len);
	ck_assert_mem_eq(sum.bytes, whole.bytes, whole.len);
	buf_free(&whole);
	buf_free(&sum);
}
END_TEST

START_TEST(ranges_that_fit_nothing)
{
	static const struct {
		const char *range;
		int status;
	} cases[] = {
		{ "bytes=0-0", 206 },
		{ "bytes=5-", 206 },
		{ "bytes=-5", 206 },
		{ "bytes=-999999", 206 },
		{ "bytes=0-99999999", 206 },
		{ "bytes=99999999-", 416 },
		{ "bytes=-0", 416 },
		{ "bytes=5-4", 200 },
		{ "bytes=0-1,3-4", 200 },
		{ "bytes=a-b", 200 },
		{ "lines=1-2", 200 },
		{ "bytes=", 200 },
		{ "bytes=-", 200 },
		{ "bytes=1", 200 },
		{ "bytes=99999999999999999999999-", 200 },
		{ "bytes=1 - 2", 200 },
	};
	char query[64];

	snapshot("", (struct offers_headers){ .authorization = f1 });
	name_it(query);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snapshot(query,
		         (struct offers_headers){ .authorization = f1, .range = cases[i].range });
		ck_assert_msg(response.status == cases[i].status, "%s: %d", cases[i].range,
		              response.status);
	}
	/* without a name, or with that of another one: all of it */
	snapshot("", (struct offers_headers){ .authorization = f1, .range = "bytes=5-" });
	ck_assert_int_eq(response.status, 200);
	snapshot("", (struct offers_headers){ .authorization = f1,
	                                      .range = "bytes=5-",
	                                      .if_range = "\"00000000000000000000000000000000\"" });
	ck_assert_int_eq(response.status, 200);
	snapshot(query, (struct offers_headers){
	                        .authorization = f1, .range = "bytes=5-", .if_range = "W/\"x\"" });
	ck_assert_int_eq(response.status, 200);
}
END_TEST

/* ---------------------------------------------------------------- exports */

START_TEST(an_export_is_what_the_token_may_read)
{
	export(f1_personal, "table=child");
	ck_assert_int_eq(response.status, 200);
	ck_assert_str_eq(response.type, "application/x-ndjson");
	ck_assert_str_eq(sent(),
	                 "{\"id\":\"01\",\"facility_id\":\"F1\",\"name\":\"=1+1\",\"sex\":2}\n"
	                 "{\"id\":\"02\",\"facility_id\":\"F1\",\"name\":\"小明\",\"sex\":1}\n");
	export(f1, "table=child&format=ndjson");
	ck_assert_str_eq(sent(), "{\"id\":\"01\",\"facility_id\":\"F1\",\"sex\":2}\n"
	                         "{\"id\":\"02\",\"facility_id\":\"F1\",\"sex\":1}\n");
	export(all, "table=child&scope=f%2FF2&format=ndjson");
	ck_assert_str_eq(sent(),
	                 "{\"id\":\"03\",\"facility_id\":\"F2\",\"name\":\"CANARY\",\"sex\":1}\n");
	export(codes, "table=code");
	ck_assert_str_eq(sent(), "{\"id\":1,\"text\":\"one\"}\n");
}
END_TEST

/* As a snapshot's: rows and cursor are of one moment, so the feed goes on behind them. */
START_TEST(an_export_names_the_cursor_behind_it)
{
	char cursor[FEED_CURSOR];

	ck_assert_int_eq(feed_cursor(hub_db, cursor, &hub_err), 0);
	export(f1, "table=child");
	ck_assert_str_eq(field("Yz-Cursor"), cursor);
	ck_assert_ptr_nonnull(strstr(field("Link"), cursor));
	export(f1, "table=nowhere");
	ck_assert_str_eq(field("Yz-Cursor"), "");
}
END_TEST

START_TEST(csv_is_for_spreadsheets)
{
	export(f1_personal, "table=child&format=csv");
	ck_assert_str_eq(response.type, "text/csv; charset=utf-8");
	ck_assert_str_eq(sent(), "\xef\xbb\xbfid,facility_id,name,sex\r\n01,F1,'=1+1,2\r\n"
	                         "02,F1,小明,1\r\n");
	run("DELETE FROM child");
	export(f1_personal, "table=child&format=csv");
	ck_assert_str_eq(sent(), "\xef\xbb\xbfid,facility_id,name,sex\r\n");
	export(f1_personal, "table=child");
	ck_assert_int_eq(response.status, 200);
	ck_assert_uint_eq(response.file.len + response.body.len, 0);
}
END_TEST

START_TEST(an_export_of_many_rows_is_whole)
{
	run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
	    " INSERT INTO code SELECT i + 100, 'text ' || i FROM n");
	export(codes, "table=code");
	ck_assert_uint_gt(response.file.len, 1 << 16);
	ck_assert_ptr_nonnull(strstr(sent(), "{\"id\":5100,\"text\":\"text 5000\"}\n"));
}
END_TEST

/* ---------------------------------------------------------------- the manifest */

static char manifest_text[8192];

static void
manifest(const char *bearer, const char *query)
{
	export(bearer, query);
	ck_assert_msg(response.status == 200, "%s: %s", query, sent());
	ck_assert_str_eq(response.type, "application/json");
	ck_assert_uint_lt(strlen(sent()), sizeof manifest_text);
	snprintf(manifest_text, sizeof manifest_text, "%s", sent());
}

/* What SQLite reads at that path of it, as text. */
static const char *
told(const char *path)
{
	static char value[512];
	struct store_stmt s = store_stmt_new(hub_db, "SELECT json_extract(?, ?)");

	store_stmt_put_text(&s, manifest_text);
	store_stmt_put_text(&s, path);
	ck_assert_msg(store_stmt_step(&s, &hub_err) == 1, "%s: %s", path, hub_err.msg);
	snprintf(value, sizeof value, "%s", store_stmt_get_text(&s));
	store_stmt_end(&s);
	return value;
}

/* Ask for a file by the url that it has there. */
static void
fetch(const char *bearer, const char *path, struct offers_headers headers)
{
	char url[512], *query;

	snprintf(url, sizeof url, "%s", told(path));
	query = strchr(url, '?');
	ck_assert_msg(query != NULL, "%s: %s", path, url);
	*query++ = 0;
	headers.authorization = bearer;
	ask(url, query, headers);
}

/* The lines of what would leave, by the program that everybody has. */
static const char *
unpacked(void)
{
	static char lines[4096];
	char path[96], command[128];
	size_t len;
	FILE *f;

	snprintf(path, sizeof path, "%s/part.zst", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	sent();
	ck_assert_uint_eq(fwrite(sent(), 1, (size_t)response.file.len, f), response.file.len);
	fclose(f);
	snprintf(command, sizeof command, "zstd -dqc %s", path);
	f = popen(command, "r"); // NOLINT(cert-env33-c): likewise
	ck_assert_ptr_nonnull(f);
	len = fread(lines, 1, sizeof lines - 1, f);
	lines[len] = 0;
	ck_assert_msg(pclose(f) == 0, "%s", lines);
	return lines;
}

START_TEST(a_manifest_lists_what_the_token_may_read)
{
	char cursor[FEED_CURSOR];

	ck_assert_int_eq(feed_cursor(hub_db, cursor, &hub_err), 0);
	manifest(all, "");
	ck_assert_str_eq(told("$.transactionTime"), "2026-03-02T08:00:00.000Z");
	ck_assert_str_eq(told("$.request"), "/v1/export");
	ck_assert_str_eq(told("$.requiresAccessToken"), "1");
	ck_assert_str_eq(told("$.output[0].type"), "child");
	ck_assert_str_eq(told("$.output[0].count"), "4");
	ck_assert_str_eq(told("$.output[1].type"), "code");
	ck_assert_str_eq(told("$.output[1].count"), "1");
	ck_assert_str_eq(told("$.output[2]"), "");
	ck_assert_str_eq(told("$.deleted"), "[]");
	ck_assert_str_eq(told("$.error"), "[]");
	ck_assert_str_eq(told("$.extension.cursor"), cursor);
	ck_assert_str_eq(field("Yz-Cursor"), cursor);
	ck_assert_str_eq(told("$.extension.expires"), "2026-03-03T08:00:00.000Z");
	manifest(f1, "since=");
	ck_assert_str_eq(told("$.output[0].count"), "2");
	ck_assert_str_eq(told("$.output[1]"), "");
	manifest(codes, "");
	ck_assert_str_eq(told("$.output[0].type"), "code");
	ck_assert_str_eq(told("$.output[1]"), "");
}
END_TEST

START_TEST(its_files_are_the_rows_with_their_hash)
{
	char digest[REQSIG_DIGEST_SIZE], hex[65], rows[256];
	uint8_t sum[32];

	export(f1, "table=child");
	snprintf(rows, sizeof rows, "%s", sent());
	manifest(f1, "");
	fetch(f1, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(response.status, 200);
	ck_assert_str_eq(response.type, "application/zstd");
	ck_assert_str_eq(unpacked(), rows);
	hash_sha256(sum, sent(), (size_t)response.file.len);
	text_hex(hex, sum, sizeof sum);
	ck_assert_str_eq(told("$.output[0].sha256"), hex);
	reqsig_digest_text(digest, sum);
	ck_assert_str_eq(field("Repr-Digest"), digest);
	snprintf(hex, sizeof hex, "%d", (int)response.file.len);
	ck_assert_str_eq(told("$.output[0].bytes"), hex);
	/* the second of two lies behind the first */
	manifest(all, "");
	fetch(all, "$.output[1].url", (struct offers_headers){ 0 });
	ck_assert_uint_gt(response.file.offset, 0);
	ck_assert_str_eq(unpacked(), "{\"id\":1,\"text\":\"one\"}\n");
}
END_TEST

START_TEST(a_set_of_all_rows_is_given_again_while_it_is_fresh)
{
	char first[512];

	manifest(all, "");
	snprintf(first, sizeof first, "%s", told("$.output[0].url"));
	run("DELETE FROM child WHERE id = x'03'");
	hub.now_ms += KEPT_FRESH_MS - 1;
	manifest(all, "");
	ck_assert_str_eq(told("$.output[0].url"), first);
	/* what is only of one scope is made for who asks, and not taken for all */
	manifest(all, "scope=f%2FF1");
	ck_assert_str_eq(told("$.output[0].count"), "2");
	ck_assert_str_eq(told("$.extension.scope"), "f/F1");
	hub.now_ms += 2;
	manifest(all, "");
	ck_assert_str_eq(told("$.output[0].count"), "3");
	ck_assert_str_eq(told("$.extension.scope"), "all");
}
END_TEST

START_TEST(its_files_are_for_who_has_the_same_rights)
{
	char f2[80];

	give_token(f2, (struct token_terms){ .scope = "f/F2" });
	manifest(f1, "");
	fetch(f1, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(response.status, 200);
	fetch(f2, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(response.status, 410);
	fetch(f1_personal, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(response.status, 410);
	fetch(all, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(response.status, 410);
	hub.now_ms += KEPT_KEEP_MS + 1;
	fetch(f1, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(response.status, 410);
	ck_assert_ptr_nonnull(strstr(sent(), "ask for the manifest again"));
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_export"), 1);
}
END_TEST

START_TEST(a_file_goes_on_where_it_was_cut)
{
	struct buf whole = { 0 };
	char etag[80];
	uint64_t len;

	manifest(all, "");
	fetch(all, "$.output[1].url", (struct offers_headers){ 0 });
	len = response.file.len;
	buf_put(&whole, sent(), len);
	snprintf(etag, sizeof etag, "%s", field("ETag"));
	fetch(all, "$.output[1].url", (struct offers_headers){ .range = "bytes=7-" });
	ck_assert_int_eq(response.status, 206);
	ck_assert_uint_eq(response.file.len, len - 7);
	ck_assert_mem_eq(sent(), whole.bytes + 7, len - 7);
	fetch(all, "$.output[1].url",
	      (struct offers_headers){ .range = "bytes=7-", .if_range = "\"other\"" });
	ck_assert_int_eq(response.status, 200);
	fetch(all, "$.output[1].url", (struct offers_headers){ .range = "bytes=99999-" });
	ck_assert_int_eq(response.status, 416);
	fetch(all, "$.output[1].url", (struct offers_headers){ .if_none_match = etag });
	ck_assert_int_eq(response.status, 304);
	ck_assert_uint_eq(response.file.len, 0);
	buf_free(&whole);
}
END_TEST

/* The path of the one file that is kept. */
static void
kept_file(char path[400])
{
	char folder[96];
	struct dirent *e;
	DIR *d;

	snprintf(folder, sizeof folder, "%s/snapshots", dir);
	d = opendir(folder);
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			snprintf(path, 400, "%s/%s", folder, e->d_name);
	closedir(d);
}

/* Its index isn't believed, wherever a byte of it or of its length is another. */
START_TEST(a_spoiled_set_is_given_to_nobody)
{
	char path[400];
	FILE *f;
	long size;

	manifest(f1, "");
	kept_file(path);
	f = fopen(path, "r+");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	for (long at = size - 51; at < size; at++) { /* index and length */
		int was;

		ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
		was = fgetc(f);
		ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
		fputc(was ^ 0x41, f);
		fflush(f);
		fetch(f1, "$.output[0].url", (struct offers_headers){ 0 });
		ck_assert_msg(response.status == 503, "%ld of %ld: %d", at, size, response.status);
		ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
		fputc(was, f);
		fflush(f);
	}
	fclose(f);
	fetch(f1, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(response.status, 200);
	ck_assert_int_eq(truncate(path, 5), 0);
	fetch(f1, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(response.status, 503);
	/* who asks for the manifest gets another one */
	hub.now_ms += 1000;
	manifest(f1, "");
	fetch(f1, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(response.status, 200);
}
END_TEST

START_TEST(not_more_than_a_few_sets_are_kept)
{
	snapshot("", (struct offers_headers){ .authorization = all });
	for (int i = 0; i < 3 * KEPT_KEEP; i++) {
		manifest(all, i % 2 == 0 ? "" : "scope=f%2FF1");
		hub.now_ms += KEPT_FRESH_MS;
	}
	ck_assert_int_eq(kept(), 2 * KEPT_KEEP + 1);
}
END_TEST

/* The feed tells that a child was named: a merged unit of one row. */
static void
tell_name(uint8_t id, const char *scope)
{
	static const uint8_t node[STORE_NODE_ID] = { 0xaa }, epoch[STORE_EPOCH] = { 0xbb };
	static uint64_t no;
	const struct store_table *table = store_catalog_table_by_name(hub_db, "child");
	int at = store_schema_find(table->local, "name");
	struct store_value key_value = store_value_blob(&id, 1);
	struct store_cell cell = { .column = table->local->columns[at].id,
		                   .stamp = 1,
		                   .value = store_value_text("new") };
	struct store_row row = { .table = table->id,
		                 .cl = 1,
		                 .stamp = 1,
		                 .schema = table->local->id,
		                 .changed = true,
		                 .known = true,
		                 .cells = &cell,
		                 .cell_count = 1 };
	struct store_row *rows[] = { &row };
	struct sync_unit unit = { .rows = rows, .count = 1, .first = ++no };
	struct buf key = { 0 };

	store_value_write(&key, &key_value);
	row.key = key.bytes;
	row.key_len = key.len;
	ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
	ck_assert_int_eq(store_catalog_scope(hub_db, scope, &row.scope, &hub_err), 0);
	unit.scope = row.scope;
	ck_assert_int_eq(store_catalog_site(hub_db, node, epoch, &unit.site, &hub_err), 0);
	ck_assert_msg(feed_append(hub_db, &unit, hub.now_ms, &hub_err) == 0, "%s", hub_err.msg);
	ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
	buf_free(&key);
}

/* Two of the same rows at two moments are two: each file says where its own feed goes on. */
START_TEST(a_set_is_named_by_its_cursor_too)
{
	char cursor[FEED_CURSOR], query[80], first[sizeof manifest_text];

	ck_assert_int_eq(feed_cursor(hub_db, cursor, &hub_err), 0);
	tell_name(1, "f/F1");
	snprintf(query, sizeof query, "since=%s", cursor);
	manifest(all, query);
	snprintf(cursor, sizeof cursor, "%s", told("$.extension.cursor"));
	snprintf(first, sizeof first, "%s", manifest_text);
	tell_name(3, "f/F2");
	hub.now_ms += 1000;
	strcat(query, "&scope=f%2FF1");
	manifest(all, query);
	ck_assert_str_eq(told("$.output[0].count"), "1");
	ck_assert_str_ne(told("$.extension.cursor"), cursor);
	snprintf(manifest_text, sizeof manifest_text, "%s", first);
	fetch(all, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(response.status, 200);
	ck_assert_str_eq(field("Yz-Cursor"), cursor);
}
END_TEST

/* Whoever asks often throws out none of another's, and what is empty is not kept at all. */
START_TEST(sets_of_changes_are_each_tokens_own)
{
	char cursor[FEED_CURSOR], query[80], other[80], first[sizeof manifest_text];

	give_token(other, (struct token_terms){ .scope = "all" });
	ck_assert_int_eq(feed_cursor(hub_db, cursor, &hub_err), 0);
	snprintf(query, sizeof query, "since=%s", cursor);
	manifest(all, query);
	ck_assert_str_eq(told("$.output[0]"), "");
	ck_assert_int_eq(kept(), 0);
	tell_name(1, "f/F1");
	manifest(all, query);
	snprintf(first, sizeof first, "%s", manifest_text);
	for (int i = 0; i < 2 * KEPT_KEEP; i++) {
		hub.now_ms += 1000;
		manifest(other, query);
	}
	ck_assert_int_eq(kept(), KEPT_KEEP + 1);
	snprintf(manifest_text, sizeof manifest_text, "%s", first);
	fetch(all, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(response.status, 200);
}
END_TEST

/* ---------------------------------------------------------------- what goes wrong */

START_TEST(wrong_requests_are_problems_and_leak_nothing)
{
	static const struct {
		const char *path, *query;
		int status;
		const char *says;
	} cases[] = {
		{ "/v1/export", "format=csv", 400, "table: is needed with a format" },
		{ "/v1/export", "table=", 400, "no name is given" },
		{ "/v1/export", "since=1", 400, "this isn't a cursor" },
		{ "/v1/export", "since=%ff", 400, "" },
		{ "/v1/export", "since=000000000000000000000000000000000000000000000001", 410,
		  "another life of this hub's feed" },
		{ "/v1/export", "since=1&table=child", 400, "since: goes with the manifest" },
		{ "/v1/export", "since=1&format=ndjson", 400, "table: is needed with a format" },
		{ "/v1/export", "since=1&format=fhir&_type=Patient", 400,
		  "goes with the manifest" },
		{ "/v1/export", "scope=f%2FF2", 403, "reads f/F1, not f/F2" },
		{ "/v1/export.ndjson.zst", "", 400, "take the url of a file from the manifest" },
		{ "/v1/export.ndjson.zst", "table=child", 400, "name and table are needed" },
		{ "/v1/export.ndjson.zst", "name=../../key&table=child", 400, "only name, table" },
		{ "/v1/export.ndjson.zst", "op=upsert", 400, "only name, table and op=delete" },
		{ "/v1/export.ndjson.zst", "name=00000000000000000000000000000000&table=child", 410,
		  "no longer kept" },
		{ "/v1/export", "table=child&format=xml", 400, "format=xml isn't offered here" },
		{ "/v1/export", "table=child&format=fhir", 400, "one of Patient, Observation" },
		{ "/v1/export", "_type=Patient&format=fhir&table=child", 400,
		  "goes with format=fhir" },
		{ "/v1/export", "_type=Patient", 400, "goes with format=fhir" },
		{ "/v1/export", "_type=Claim&format=fhir", 404, "Patient, Observation, Imm" },
		{ "/v1/export", "_type=Patient,Observation&format=fhir", 400,
		  "one type at a time is offered; ask once for each of Patient, Observation" },
		{ "/v1/export", "_type=Encounter&format=fhir", 404, "doesn't read all of" },
		{ "/v1/export", "table=child&limit=1", 400, "no parameter limit" },
		{ "/v1/export", "table=%zz", 400, "" },
		{ "/v1/export", "table=nowhere", 404, "no table nowhere that this token reads" },
		{ "/v1/export", "table=code", 404, "that this token reads" },
		{ "/v1/export", "table=desk", 404, "that this token reads" },
		{ "/v1/export", "table=hub_token", 404, "that this token reads" },
		{ "/v1/export", "table=yz_log", 404, "that this token reads" },
		{ "/v1/export", "table=sqlite_master", 404, "that this token reads" },
		{ "/v1/export", "table=child&scope=f%2FF2", 403, "reads f/F1, not f/F2" },
		{ "/v1/export", "table=child&scope=all", 403, "not all" },
		{ "/v1/export", "table=child&scope=hub", 403, "not hub" },
		{ "/v1/snapshot.sqlite.zst", "name=1", 400, "isn't the name of a snapshot" },
		{ "/v1/snapshot.sqlite.zst", "name=../../key", 400, "isn't the name" },
		{ "/v1/snapshot.sqlite.zst", "name=00000000000000000000000000000000", 410,
		  "no longer kept" },
		{ "/v1/snapshot.sqlite.zst", "since=", 400, "no parameter since" },
		{ "/v1/snapshot.sqlite.zst", "name=%ff", 400, "" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ask(cases[i].path, cases[i].query, (struct offers_headers){ .authorization = f1 });
		ck_assert_msg(response.status == cases[i].status, "%s: %d", cases[i].query,
		              response.status);
		ck_assert_str_eq(response.type, "application/problem+json");
		ck_assert_uint_eq(response.file.len, 0);
		ck_assert_msg(strstr(sent(), cases[i].says) != NULL, "%s: %s", cases[i].query,
		              sent());
		ck_assert_ptr_null(strstr(sent(), "CANARY"));
		ck_assert_ptr_null(strstr(sent(), dir));
	}
	for (int i = 0; i < 3; i++) {
		static const char *const paths[] = { "/v1/export", "/v1/export.ndjson.zst",
			                             "/v1/snapshot.sqlite.zst" };
		const char *path = paths[i];

		ask(path, "table=child", (struct offers_headers){ 0 });
		ck_assert_int_eq(response.status, 401);
		ask(path, "table=child", (struct offers_headers){ .authorization = "Bearer x" });
		ck_assert_int_eq(response.status, 401);
		ck_assert_str_eq(field("WWW-Authenticate"), "Bearer");
	}
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_export"), 0);
}
END_TEST

START_TEST(every_export_is_noted_before_it_leaves)
{
	struct buf log = { 0 };

	snapshot("", (struct offers_headers){ .authorization = f1 });
	export(f1_personal, "table=child&format=csv");
	manifest(f1, "");
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_export"), 2);
	fetch(f1, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(export_log_json(hub_db, 10, &log, &hub_err), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&log),
	                             "\"peer\":\"198.51.100.7\",\"what\":\"export csv\","
	                             "\"scope\":\"f/F1\",\"tables\":\"child\","
	                             "\"personal\":true,\"bytes\":"));
	ck_assert_ptr_nonnull(strstr(buf_str(&log), "\"what\":\"snapshot "));
	ck_assert_ptr_nonnull(strstr(buf_str(&log), "\"what\":\"export ndjson.zst\","
	                                            "\"scope\":\"f/F1\",\"tables\":\"child\""));
	buf_free(&log);
	run("DROP TABLE hub_export");
	snapshot("", (struct offers_headers){ .authorization = f1 });
	ck_assert_int_eq(response.status, 503);
	ck_assert_uint_eq(response.file.len, 0);
	export(f1, "table=child");
	ck_assert_int_eq(response.status, 503);
	ck_assert_uint_eq(response.file.len, 0);
	manifest(f1, "");
	fetch(f1, "$.output[0].url", (struct offers_headers){ 0 });
	ck_assert_int_eq(response.status, 503);
	ck_assert_uint_eq(response.file.len, 0);
}
END_TEST

START_TEST(a_hub_that_stops_waits_for_none)
{
	stop = true;
	snapshot("", (struct offers_headers){ .authorization = f1 });
	ck_assert_int_eq(response.status, 503);
	ck_assert_str_eq(field("Retry-After"), "60");
	export(f1, "");
	ck_assert_int_eq(response.status, 503);
	stop = false;
	snapshot("", (struct offers_headers){ .authorization = f1 });
	ck_assert_int_eq(response.status, 200);
}
END_TEST

Suite *
suite_node_offers(void)
{
	Suite *s = suite_create("node/offers");
	TCase *t = tcase_create("snapshot");

	tcase_set_timeout(t, 60); /* other programs look at what was made */
	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_snapshot_is_what_the_token_may_read);
	tcase_add_test(t, a_token_for_all_never_gets_the_hubs_own);
	tcase_add_test(t, a_snapshot_names_the_cursor_behind_it);
	tcase_add_test(t, a_snapshot_is_signed);
	tcase_add_test(t, keys_and_values_keep_their_kinds);
	tcase_add_test(t, one_that_is_fresh_is_given_again_and_then_a_new_one);
	tcase_add_test(t, a_named_one_is_for_who_has_the_same_rights);
	tcase_add_test(t, a_hub_in_another_life_keeps_none);
	tcase_add_test(t, not_more_than_a_few_are_kept);
	tcase_add_test(t, old_ones_go_without_being_asked_for);
	tcase_add_test(t, packing_stops_when_it_is_told_to);
	tcase_add_test(t, parts_of_a_named_one_make_the_whole);
	tcase_add_test(t, ranges_that_fit_nothing);
	suite_add_tcase(s, t);

	t = tcase_create("export");
	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, an_export_is_what_the_token_may_read);
	tcase_add_test(t, csv_is_for_spreadsheets);
	tcase_add_test(t, an_export_names_the_cursor_behind_it);
	tcase_add_test(t, an_export_of_many_rows_is_whole);
	tcase_add_test(t, wrong_requests_are_problems_and_leak_nothing);
	tcase_add_test(t, every_export_is_noted_before_it_leaves);
	tcase_add_test(t, a_hub_that_stops_waits_for_none);
	suite_add_tcase(s, t);

	t = tcase_create("manifest");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_manifest_lists_what_the_token_may_read);
	tcase_add_test(t, its_files_are_the_rows_with_their_hash);
	tcase_add_test(t, a_set_of_all_rows_is_given_again_while_it_is_fresh);
	tcase_add_test(t, its_files_are_for_who_has_the_same_rights);
	tcase_add_test(t, a_file_goes_on_where_it_was_cut);
	tcase_add_test(t, a_spoiled_set_is_given_to_nobody);
	tcase_add_test(t, not_more_than_a_few_sets_are_kept);
	tcase_add_test(t, a_set_is_named_by_its_cursor_too);
	tcase_add_test(t, sets_of_changes_are_each_tokens_own);
	suite_add_tcase(s, t);
	return s;
}
