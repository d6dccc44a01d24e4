/* tests/node_fleet.c - what a hub knows of its nodes, and what it says of them. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/facility/schema.h"
#include "node/hub/fleet.h"
#include "node/hub/fleet_page.h"
#include "node/hub/hub_schema.h"
#include "store/base/text.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct arena a;

enum { HOUR = 3600 * 1000 };

static void
make(void)
{
	hub_open();
	ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
	ck_assert_msg(facility_schema_create(hub_db, &hub_err) == 0, "%s", hub_err.msg);
	ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
}

static void
unmake(void)
{
	arena_free(&a);
	hub_close();
}

static void
run_sql(const char *sql)
{
	ck_assert_msg(store_db_exec(hub_db, sql, &hub_err) == 0, "%s: %s", sql, hub_err.msg);
}

static struct fleet
all_of(struct fleet_filter filter)
{
	struct fleet fleet;

	ck_assert_msg(fleet_read(hub_db, &filter, hub.now_ms, &a, &fleet, &hub_err) == 0, "%s",
	              hub_err.msg);
	return fleet;
}

static struct fleet_node
only(void)
{
	struct fleet fleet = all_of((struct fleet_filter){ .backlog = -1 });

	ck_assert_uint_eq(fleet.count, 1);
	return fleet.list[0];
}

/* Node comes now, and this is what both sides find. */
static void
meet(const struct store_site *site, enum sync_level_word digest, uint64_t lacking,
     const char *report)
{
	struct fleet_met met = { .db = hub_db, .now_ms = hub.now_ms, .report = report };
	struct sync_level level = { digest, lacking };

	ck_assert_msg(fleet_met(&met, site->node, &level, &hub_err) == 0, "%s", hub_err.msg);
}

START_TEST(what_nobody_told_is_unknown)
{
	struct fleet_node n;
	struct buf out = { 0 };
	struct json j = json_to(&out);

	hub_enrol("F1", 1);
	n = only();
	ck_assert_int_eq(n.state, FLEET_NEVER);
	ck_assert_int_eq(n.lacking, -1);
	ck_assert_int_eq(n.digest, SYNC_LEVEL_UNKNOWN);
	ck_assert(!n.placed);
	fleet_json(&j, &n);
	ck_assert_str_eq(
	        strstr(buf_str(&out), "\"facility\""),
	        "\"facility\":\"F1\",\"name\":\"office\",\"facility_name\":null,\"street\":null,"
	        "\"lat_e6\":null,\"lon_e6\":null,\"state\":\"never\",\"causes\":[],"
	        "\"since\":\"2026-03-02T08:00:00.000Z\",\"revoked\":null,\"grant\":1772438400000,"
	        "\"last_exchange\":null,\"backlog\":null,\"digest\":\"unknown\",\"digest_at\":null,"
	        "\"life\":null,\"reported\":null,\"version\":null,\"format\":null,\"waiting\":null,"
	        "\"oldest_waiting\":null,\"conflicts\":null,\"quarantined\":null,"
	        "\"clock_offset_ms\":null,\"clock_unsure\":null,\"db_bytes\":null,\"disk_free\":"
	        "null,"
	        "\"disk_full\":null,\"differing_scopes\":null,\"hub_life\":null}");
	buf_free(&out);
	/* an old node comes, and tells nothing of itself */
	meet(&(struct store_site){ 0 }, SYNC_LEVEL_EQUAL, 0, NULL); /* a stranger: not listed */
	ck_assert_int_eq(only().state, FLEET_NEVER);
}
END_TEST

/* The limits, each from below and at it; counted from the enrolment while there was no exchange. */
START_TEST(silence_warns_after_26_hours_and_alarms_after_72)
{
	static const struct {
		int64_t after_ms;
		enum fleet_state state;
		unsigned causes;
	} cases[] = { { INT64_C(26) * HOUR - 1, FLEET_IN_ORDER, 0 },
		      { INT64_C(26) * HOUR, FLEET_WARNING, FLEET_SILENT },
		      { INT64_C(72) * HOUR - 1, FLEET_WARNING, FLEET_SILENT },
		      { INT64_C(72) * HOUR, FLEET_ALARM, FLEET_SILENT_LONG } };
	struct store_site site = hub_enrol("F1", 1);
	bool came = _i % 2 == 0;

	if (came)
		meet(&site, SYNC_LEVEL_EQUAL, 0, "version=1");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct fleet_node n;

		hub.now_ms = HUB_START_MS + cases[i].after_ms;
		n = only();
		ck_assert_int_eq(n.state, came || i > 0 ? cases[i].state : FLEET_NEVER);
		ck_assert_uint_eq(n.causes, cases[i].causes);
	}
	ck_assert_int_eq(hub_node_revoke(hub_db, site.node, hub.now_ms, &hub_err), 0);
	ck_assert_int_eq(only().state, FLEET_REVOKED);
	ck_assert_uint_eq(only().causes, 0);
}
END_TEST

START_TEST(each_cause_has_its_state)
{
	static const struct {
		const char *report;
		enum sync_level_word digest;
		unsigned causes;
		enum fleet_state state;
	} cases[] = {
		{ "version=1;disk=536870912;clock=60000;conflicts=0;quarantined=0",
		  SYNC_LEVEL_EQUAL, 0, FLEET_IN_ORDER },
		{ "version=1;disk=536870911", SYNC_LEVEL_EQUAL, FLEET_DISK_IS_LOW, FLEET_WARNING },
		{ "version=1;disk=5;full=1", SYNC_LEVEL_EQUAL, FLEET_DISK_FULL, FLEET_ALARM },
		{ "version=1;quarantined=1", SYNC_LEVEL_EQUAL, FLEET_QUARANTINE, FLEET_WARNING },
		{ "version=1;conflicts=2", SYNC_LEVEL_EQUAL, FLEET_CONFLICTS, FLEET_WARNING },
		{ "version=1;clock=60001", SYNC_LEVEL_EQUAL, FLEET_CLOCK, FLEET_WARNING },
		{ "version=1;clock=-60001", SYNC_LEVEL_EQUAL, FLEET_CLOCK, FLEET_WARNING },
		{ "version=1;unsure=1", SYNC_LEVEL_EQUAL, FLEET_CLOCK, FLEET_WARNING },
		{ "version=1", SYNC_LEVEL_UNEQUAL, FLEET_DIFFERS, FLEET_ALARM },
		{ NULL, SYNC_LEVEL_UNKNOWN, 0, FLEET_IN_ORDER },
	};
	struct store_site site = hub_enrol("F1", 1);

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct fleet_node n;

		run_sql("DELETE FROM hub_seen");
		meet(&site, cases[i].digest, 0, cases[i].report);
		n = only();
		ck_assert_msg(n.causes == cases[i].causes, "case %zu: %u", i, n.causes);
		ck_assert_int_eq(n.state, cases[i].state);
	}
}
END_TEST

/* An exchange that proves nothing leaves what the one before proved, and when. */
START_TEST(digests_keep_their_last_proof)
{
	struct store_site site = hub_enrol("F1", 1);
	struct fleet_node n;

	meet(&site, SYNC_LEVEL_UNEQUAL, 0, "version=1;conflicts=1");
	hub.now_ms += HOUR;
	meet(&site, SYNC_LEVEL_UNKNOWN, 7, NULL);
	n = only();
	ck_assert_int_eq(n.digest, SYNC_LEVEL_UNEQUAL);
	ck_assert_int_eq(n.digest_ms, HUB_START_MS);
	ck_assert_int_eq(n.reported_ms, HUB_START_MS);
	ck_assert_int_eq(n.report.conflicts, 1);
	ck_assert_int_eq(n.met_ms, hub.now_ms);
	ck_assert_int_eq(n.lacking, 7);
	ck_assert_uint_eq(n.causes & FLEET_BACKLOG, 0); /* it is only just behind */
	hub.now_ms += FLEET_BACKLOG_MS;
	ck_assert_uint_eq(only().causes & FLEET_BACKLOG, FLEET_BACKLOG);
	meet(&site, SYNC_LEVEL_EQUAL, 0, NULL);
	ck_assert_int_eq(only().digest, SYNC_LEVEL_EQUAL);
	ck_assert_int_eq(only().digest_ms, hub.now_ms);
}
END_TEST

/* Gravest first, then the longest silent; places and streets from the facility, its public row or
 * the grant. */
START_TEST(rows_are_sorted_filtered_and_placed)
{
	struct enrol_terms terms = { .facility = "F4", .street = "330105001", .automatic = true };
	struct store_site sites[5];
	char code[CODE_TEXT];
	struct fleet fleet;
	int64_t expires;

	for (int i = 1; i <= 3; i++) {
		char facility[16];

		snprintf(facility, sizeof facility, "F%d", i);
		sites[i] = hub_enrol(facility, (uint8_t)i);
	}
	ck_assert_int_eq(enrol_new(&hub, &terms, code, &expires, &hub_err), 0);
	ck_assert_int_eq(hub_ask(code, 4, NULL).state, ENROL_GRANTED);
	run_sql("INSERT INTO facility(facility_id, name, subdistrict_code, lat_e6, lon_e6)"
	        " VALUES ('F1', '一', '330105002', 30300000, 120100000), ('F2', '', NULL, NULL, "
	        "NULL),"
	        " ('F3', '三', '', 99000000, 120000000)");
	run_sql("INSERT INTO facility_public(facility_id, name, subdistrict_code, lat_e6, lon_e6)"
	        " VALUES ('F2', '二', '330105002', 30310000, 120200000)");
	meet(&sites[1], SYNC_LEVEL_EQUAL, 0, "version=1.2");
	meet(&sites[2], SYNC_LEVEL_EQUAL, 12, "version=1.3;conflicts=1");
	hub.now_ms++;
	meet(&sites[3], SYNC_LEVEL_UNEQUAL, 3, "version=1.2");
	fleet = all_of((struct fleet_filter){ .backlog = -1 });
	ck_assert_uint_eq(fleet.count, 4);
	ck_assert_str_eq(fleet.list[0].node.facility, "F3");
	ck_assert_str_eq(fleet.list[1].node.facility, "F2");
	ck_assert_str_eq(fleet.list[2].node.facility, "F4");
	ck_assert_str_eq(fleet.list[3].node.facility, "F1");
	ck_assert(!fleet.list[0].placed); /* not on earth */
	ck_assert(fleet.list[1].placed && fleet.list[1].lat_e6 == 30310000);
	ck_assert_str_eq(fleet.list[1].name, "二");
	ck_assert_str_eq(fleet.list[1].street, "330105002");
	ck_assert_str_eq(fleet.list[2].street, "330105001");
	ck_assert_uint_eq(fleet.of_state[FLEET_ALARM], 1);
	ck_assert_uint_eq(fleet.of_state[FLEET_NEVER], 1);
	ck_assert_uint_eq(
	        all_of((struct fleet_filter){ .backlog = -1, .street = "330105002" }).count, 2);
	/* a code of 12 digits is its street's, the first nine, whichever side names it */
	run_sql("UPDATE facility SET subdistrict_code = '330105002001' WHERE facility_id = 'F1'");
	ck_assert_uint_eq(
	        all_of((struct fleet_filter){ .backlog = -1, .street = "330105002" }).count, 2);
	ck_assert_uint_eq(
	        all_of((struct fleet_filter){ .backlog = -1, .street = "330105002000" }).count, 2);
	ck_assert_uint_eq(
	        all_of((struct fleet_filter){ .backlog = -1, .street = "33010500" }).count, 0);
	ck_assert_uint_eq(all_of((struct fleet_filter){ .backlog = -1, .state = "alarm" }).count,
	                  1);
	ck_assert_uint_eq(all_of((struct fleet_filter){ .backlog = -1, .version = "1.2" }).count,
	                  2);
	ck_assert_uint_eq(
	        all_of((struct fleet_filter){ .backlog = -1, .version = "unknown" }).count, 1);
	ck_assert_uint_eq(all_of((struct fleet_filter){ .backlog = 4 }).count, 1);
	ck_assert_uint_eq(all_of((struct fleet_filter){ .backlog = 0 }).count, 3);
}
END_TEST

/* ---- the page ---- */

static size_t
times(const char *html, const char *what)
{
	size_t n = 0;

	for (const char *at = html; (at = strstr(at, what)) != NULL; at += strlen(what))
		n++;
	return n;
}

static void
page_of(struct fleet_filter filter, size_t page, struct buf *out)
{
	struct fleet fleet = all_of(filter);
	struct fleet_view view = { .lang = PAGE_ZH,
		                   .now_ms = hub.now_ms,
		                   .token = "t",
		                   .admin = "wang",
		                   .filter = filter,
		                   .page = page };

	buf_clear(out);
	fleet_page(&fleet, &view, out);
	ck_assert_int_eq(buf_check(out, &hub_err), 0);
}

/* Nodes all over a district, some grave. */
static void
many(int count)
{
	char sql[1600];

	snprintf(sql, sizeof sql,
	         "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
	         " INSERT INTO hub_node(node, node_key, facility, label, version, doc, since_ms)"
	         " SELECT unhex(printf('%%032X', i)), zeroblob(32), 'F' || i, 'office', 1, x'00',"
	         " %lld FROM n",
	         count, (long long)HUB_START_MS);
	run_sql(sql);
	run_sql("INSERT INTO facility(facility_id, name, subdistrict_code, lat_e6, lon_e6)"
	        " SELECT facility, '成长驿站 ' || facility, '3301050' || (substr(facility, 2) % "
	        "20),"
	        " 30200000 + (substr(facility, 2) * 7919) % 180000,"
	        " 120050000 + (substr(facility, 2) * 104729) % 240000 FROM hub_node");
	snprintf(
	        sql, sizeof sql,
	        "INSERT INTO hub_seen(node, met_ms, lacking, digest, digest_ms, reported_ms, "
	        "report)"
	        " SELECT node, %lld - (substr(facility, 2) %% 7 = 0) * 100000000, 0, 1, %lld, %lld,"
	        " 'version=1.2.3;conflicts=0;quarantined=0;clock=-120;disk=99000000000'"
	        " FROM hub_node",
	        (long long)hub.now_ms, (long long)hub.now_ms, (long long)hub.now_ms);
	run_sql(sql);
}

START_TEST(five_thousand_nodes_are_one_bounded_page)
{
	struct buf out = { 0 };
	size_t marks;

	many(5000);
	page_of((struct fleet_filter){ .backlog = -1 }, 1, &out);
	ck_assert_uint_eq(times(buf_str(&out), "<tr class=\"warning\""), FLEET_PAGE_ROWS);
	ck_assert_uint_eq(times(buf_str(&out), "<tr class"), FLEET_PAGE_ROWS);
	marks = times(buf_str(&out), "<circle ");
	ck_assert_uint_gt(marks, 500);
	ck_assert_uint_le(marks, FLEET_MAP_CELLS);
	ck_assert_msg(out.len < (size_t)256 * 1024, "%zu bytes", out.len);
	ck_assert(strstr(buf_str(&out), "第 1 页，共 50 页") != NULL);
	ck_assert_uint_eq(times(buf_str(&out), "rel=\"next\""), 1);
	ck_assert_uint_eq(times(buf_str(&out), "rel=\"prev\""), 0);
	/* beyond the end is the last, and the number of all is on each */
	page_of((struct fleet_filter){ .backlog = -1 }, 99, &out);
	ck_assert(strstr(buf_str(&out), "第 50 页，共 50 页") != NULL);
	ck_assert_uint_eq(times(buf_str(&out), "rel=\"next\""), 0);
	ck_assert_uint_eq(times(buf_str(&out), "<b>714</b>"), 1);
	ck_assert_uint_eq(times(buf_str(&out), "<b>4286</b>"), 1);
	/* a filter goes along to the next page */
	page_of((struct fleet_filter){ .backlog = 0, .state = "warning" }, 2, &out);
	ck_assert(strstr(buf_str(&out), "第 2 页，共 8 页") != NULL);
	ck_assert(strstr(buf_str(&out), "&amp;backlog=0&amp;page=3\"") != NULL);
	page_of((struct fleet_filter){ .backlog = -1, .street = "nowhere" }, 1, &out);
	ck_assert_uint_eq(times(buf_str(&out), "<tr"), 0);
	buf_free(&out);
}
END_TEST

/* Every cell of the map and every row at its longest: the bound of a page. */
START_TEST(the_fullest_page_is_bounded)
{
	struct buf out = { 0 };

	many(20000);
	run_sql("UPDATE facility SET name = replace(hex(zeroblob(24)), '0', '园'), lat_e6 = "
	        "30000000 +"
	        " (substr(facility_id, 2) / 60 % 36) * 10000, lon_e6 = 120000000 +"
	        " (substr(facility_id, 2) % 60) * 11547");
	run_sql("UPDATE hub_seen SET digest = 2, report = report ||"
	        " ';full=1;unsure=1;back=1;waiting=5' , lacking = 9000000000000000000");
	page_of((struct fleet_filter){ .backlog = -1 }, 1, &out);
	ck_assert_uint_eq(times(buf_str(&out), "<tr class"), FLEET_PAGE_ROWS);
	ck_assert_uint_le(times(buf_str(&out), "<circle "), FLEET_MAP_CELLS);
	ck_assert_msg(out.len < (size_t)512 * 1024, "%zu bytes", out.len);
	buf_free(&out);
}
END_TEST

/* What comes from outside is text, wherever it stands; what isn't known is called so. */
START_TEST(names_are_text_on_the_page)
{
	struct buf out = { 0 };

	hub_enrol("F1", 1);
	run_sql("INSERT INTO facility(facility_id, name, subdistrict_code, lat_e6, lon_e6) VALUES"
	        " ('F1', '<script>1</script>\"&''', '<b>', 30300000, 120100000)");
	page_of((struct fleet_filter){ .backlog = -1 }, 0, &out);
	ck_assert(strstr(buf_str(&out), "<script") == NULL);
	ck_assert(strstr(buf_str(&out), "<td><b>") == NULL);
	/* in the table and in the map */
	ck_assert_uint_eq(times(buf_str(&out), "&lt;script&gt;1&lt;/script&gt;&quot;&amp;&#39;"),
	                  2);
	ck_assert_uint_eq(times(buf_str(&out), "<circle class=\"never\""), 1);
	ck_assert_uint_ge(times(buf_str(&out), "未知"), 5);
	page_of((struct fleet_filter){ .backlog = -1, .version = "\"><script>" }, 1, &out);
	ck_assert(strstr(buf_str(&out), "<script") == NULL);
	buf_free(&out);
}
END_TEST

/* ---- what a node tells ---- */

START_TEST(a_report_is_read_as_it_was_written)
{
	struct report told, read;
	char text[REPORT_TEXT];

	report_clear(&told);
	text_copy(told.version, sizeof told.version, "1.2.3~rc1");
	told.format = 9;
	told.waiting = 14;
	told.oldest_ms = HUB_START_MS;
	told.conflicts = told.quarantined = 0;
	told.clock_known = true;
	told.clock_offset_ms = -240000;
	told.disk_free = INT64_C(1) << 40;
	told.hub_went_back = true;
	ck_assert(report_write(&told, text));
	ck_assert_str_eq(text,
	                 "version=1.2.3~rc1;format=9;waiting=14;oldest=1772438400000;conflicts=0;"
	                 "quarantined=0;clock=-240000;disk=1099511627776;back=1");
	ck_assert_int_eq(report_read(text, &read, &hub_err), 0);
	ck_assert_mem_eq(&read, &told, sizeof read);
	/* what a newer node says besides is passed over */
	ck_assert_int_eq(report_read("version=9;colour=red;disk=5", &read, &hub_err), 0);
	ck_assert_int_eq(read.disk_free, 5);
	ck_assert_int_eq(read.waiting, REPORT_UNKNOWN);
}
END_TEST

START_TEST(what_is_no_report_is_refused)
{
	static const char *const texts[] = {
		"",
		"disk",
		"disk=",
		"disk=x",
		"disk=-1",
		"disk=1 ",
		"disk= 1",
		"disk=+1",
		"disk=1;disk=2",
		"disk=99999999999999999999",
		"full=2",
		"full=yes",
		"version=a b",
		"version=<b>",
		"version=12345678901234567890123456789012",
		"disk=1;",
	};
	char longest[REPORT_TEXT + 1];
	struct report read;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		ck_assert_msg(report_read(texts[i], &read, &hub_err) == ERR_CORRUPT, "%s",
		              texts[i]);
		ck_assert_int_eq(read.disk_free, REPORT_UNKNOWN);
	}
	memset(longest, 'x', REPORT_TEXT);
	memcpy(longest, "a=", 2);
	longest[REPORT_TEXT] = 0;
	ck_assert_int_eq(report_read(longest, &read, &hub_err), ERR_CORRUPT);
	longest[REPORT_TEXT - 1] = 0;
	ck_assert_int_eq(report_read(longest, &read, &hub_err), 0);
}
END_TEST

/* Neither another's, nor changed, nor sent once more with another request. */
START_TEST(a_report_is_its_nodes_and_of_its_request)
{
	struct sync_key key = hub_node_key(1), other = hub_node_key(2);
	char line[REPORT_LINE], text[REPORT_TEXT];

	report_sign(&key, "version=1", "yz=:abc:", line);
	ck_assert_int_eq(report_check(line, key.public_key, "yz=:abc:", text, &hub_err), 0);
	ck_assert_str_eq(text, "version=1");
	ck_assert_int_eq(report_check(line, other.public_key, "yz=:abc:", text, &hub_err),
	                 ERR_DENIED);
	ck_assert_int_eq(report_check(line, key.public_key, "yz=:abd:", text, &hub_err),
	                 ERR_DENIED);
	line[8] = '2';
	ck_assert_int_eq(report_check(line, key.public_key, "yz=:abc:", text, &hub_err),
	                 ERR_DENIED);
	ck_assert_int_eq(report_check("version=1", key.public_key, "yz=:abc:", text, &hub_err),
	                 ERR_DENIED);
	ck_assert_int_eq(report_check("version=1 00", key.public_key, "yz=:abc:", text, &hub_err),
	                 ERR_DENIED);
}
END_TEST

/* ---- what two messages say ---- */

#define NODE_ID                                                                                    \
	{                                                                                          \
		'n'                                                                                \
	}
#define HUB_ID                                                                                     \
	{                                                                                          \
		'h'                                                                                \
	}

/* Site 0 is the node, 1 the hub; a stream is site, scope, n, head. */
START_TEST(digests_are_compared_only_at_equal_records)
{
	struct sync_view_site sites[] = { { .site = { .node = NODE_ID } },
		                          { .site = { .node = HUB_ID } } };
	const char *scopes[] = { "f/F1", "all" };
	struct sync_view_digest one[] = { { 0, { 1 }, 1 }, { 1, { 7 }, 1 } };
	struct sync_view_digest two[] = { { 0, { 2 }, 1 }, { 1, { 7 }, 1 } };
	static const struct {
		struct sync_view_stream asked[2], said[2];
		size_t asked_count, said_count;
		bool same; /* the digests of f/F1 */
		enum sync_level_word word;
		uint64_t lacking;
	} cases[] = {
		/* the receipt names all that the node has */
		{ { { 0, 0, 5, { 9 } } }, { { 0, 0, 5, { 9 } } }, 1, 1, true, SYNC_LEVEL_EQUAL, 0 },
		{ { { 0, 0, 5, { 9 } } },
		  { { 0, 0, 5, { 9 } } },
		  1,
		  1,
		  false,
		  SYNC_LEVEL_UNEQUAL,
		  0 },
		/* the hub lacks some, or has another branch: nothing follows but for `all` */
		{ { { 0, 0, 5, { 9 } } },
		  { { 0, 0, 3, { 8 } } },
		  1,
		  1,
		  false,
		  SYNC_LEVEL_EQUAL,
		  2 },
		{ { { 0, 0, 5, { 9 } } },
		  { { 0, 0, 5, { 8 } } },
		  1,
		  1,
		  false,
		  SYNC_LEVEL_EQUAL,
		  0 },
		/* of its own streams silence says that there is nothing, of others' that they agree
		 */
		{ { { 0, 0, 5, { 9 } } }, { { 0 } }, 1, 0, false, SYNC_LEVEL_EQUAL, 5 },
		{ { { 1, 0, 5, { 9 } } }, { { 0 } }, 1, 0, false, SYNC_LEVEL_UNEQUAL, 0 },
		{ { { 1, 0, 5, { 9 } } }, { { 0 } }, 1, 0, true, SYNC_LEVEL_EQUAL, 0 },
		/* the hub has a stream that the node hasn't yet */
		{ { { 0, 0, 5, { 9 } } },
		  { { 0, 0, 5, { 9 } }, { 1, 0, 1, { 1 } } },
		  1,
		  2,
		  false,
		  SYNC_LEVEL_EQUAL,
		  0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sync_view_stream asked_streams[2], said_streams[2];
		struct sync_message asked = { .self = { .node = NODE_ID },
			                      .sites = sites,
			                      .site_count = 2,
			                      .scopes = scopes,
			                      .scope_count = 2,
			                      .streams = asked_streams,
			                      .stream_count = cases[i].asked_count,
			                      .digests = one,
			                      .digest_count = 2 };
		struct sync_message said = asked;
		struct sync_level level;

		memcpy(asked_streams, cases[i].asked, sizeof asked_streams);
		memcpy(said_streams, cases[i].said, sizeof said_streams);
		said.streams = said_streams;
		said.stream_count = cases[i].said_count;
		said.digests = cases[i].same ? one : two;
		level = sync_level_of(&asked, &said);
		ck_assert_msg(level.word == cases[i].word, "case %zu: %d", i, level.word);
		ck_assert_uint_eq(level.lacking, cases[i].lacking);
	}
}
END_TEST

Suite *
suite_node_fleet(void)
{
	Suite *s = suite_create("node/fleet");
	TCase *hub_case = tcase_create("hub"), *told = tcase_create("told");

	tcase_add_checked_fixture(hub_case, make, unmake);
	tcase_add_test(hub_case, what_nobody_told_is_unknown);
	tcase_add_loop_test(hub_case, silence_warns_after_26_hours_and_alarms_after_72, 0, 2);
	tcase_add_test(hub_case, each_cause_has_its_state);
	tcase_add_test(hub_case, digests_keep_their_last_proof);
	tcase_add_test(hub_case, rows_are_sorted_filtered_and_placed);
	tcase_add_test(hub_case, five_thousand_nodes_are_one_bounded_page);
	tcase_add_test(hub_case, the_fullest_page_is_bounded);
	tcase_add_test(hub_case, names_are_text_on_the_page);
	suite_add_tcase(s, hub_case);
	tcase_add_test(told, a_report_is_read_as_it_was_written);
	tcase_add_test(told, what_is_no_report_is_refused);
	tcase_add_test(told, a_report_is_its_nodes_and_of_its_request);
	tcase_add_test(told, digests_are_compared_only_at_equal_records);
	suite_add_tcase(s, told);
	return s;
}
