/* tests/crash/node.c - scenarios of the facility's and the hub's own business. */
#include "tests/crash/crash.h"

#include "node/enrol_node.h"
#include "node/facility/batch.h"
#include "node/facility/roster.h"
#include "node/facility/schema.h"
#include "node/facility/views.h"
#include "node/hub/enrol.h"
#include "node/hub/feed.h"
#include "node/hub/hub_node.h"
#include "node/hub/token.h"
#include "node/rights.h"
#include "store/seed.h"
#include "store/stmt.h"
#include "store/track.h"

#include <stdio.h>
#include <string.h>

/* ---- the tables of a facility, as init makes them ---- */

static void
prepare_bare(struct scene *s)
{
	struct machine *m = &s->m[NODE];
	struct err err;

	snprintf(m->facility, sizeof m->facility, "F1");
	m->there = true;
	crash_must(machine_make(m, &err), &err, "make");
}

static int
make_tables(struct store_db *db, struct err *err)
{
	int rc = facility_schema_create(db, err);

	if (rc == 0)
		rc = facility_track(db, false, err);
	if (rc == 0)
		rc = facility_seed(db, err);
	for (size_t i = 0; rc == 0 && facility_seeded[i] != NULL; i++)
		rc = store_seed_adopt(db, facility_seeded[i], err);
	return rc;
}

static int
tables_step(struct scene *s, int no, struct err *err)
{
	struct store_db *db = no == 0 ? s->m[NODE].merge : s->m[NODE].local;
	int rc = store_db_begin(db, err);

	if (rc == 0)
		rc = no == 0 ? make_tables(db, err) : facility_create(db, "F1", "one", 1, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc < 0)
		store_db_rollback(db);
	return rc;
}

static int
tables_seen(struct scene *s)
{
	struct machine *m = &s->m[NODE];
	int64_t tables = scene_int(m, "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
	                              " AND name NOT LIKE 'yz_%' AND name NOT LIKE 'sqlite_%'");
	int64_t tracked = scene_int(m, "SELECT count(*) FROM yz_table WHERE schema IS NOT NULL");

	if (tables == 0 || tracked == 0)
		return tables == 0 && tracked == 0 ? 0 : -1;
	return tracked < (int64_t)facility_table_count
	               ? -1
	               : 1 + (int)scene_int(m, "SELECT count(*) FROM facility");
}

/* ---- the tables of a program before there were words (node/facility/word.h) ---- */

static void
prepare_wordless(struct scene *s)
{
	static const char drop[] =
	        "DROP TRIGGER allergy_said; DROP TRIGGER allergy_said_again;"
	        "DROP TRIGGER allergy_said_gone; DROP TRIGGER enrollment_stepped;"
	        "DROP TRIGGER enrollment_stepped_on; DROP TABLE allergy_word;"
	        "DROP TABLE enrollment_step; DROP TABLE local_word;"
	        "DROP INDEX symptom_case_open; DROP TABLE symptom_notice;"
	        "ALTER TABLE booking DROP COLUMN review_note;"
	        "DROP TRIGGER leave_request_reworded; DROP TRIGGER booking_reworded;"
	        "DROP TRIGGER medication_request_reworded; DROP TRIGGER pickup_auth_reworded;"
	        "ALTER TABLE leave_request DROP COLUMN wording;"
	        "ALTER TABLE leave_request DROP COLUMN review_of;"
	        "ALTER TABLE medication_request DROP COLUMN wording;"
	        "ALTER TABLE medication_request DROP COLUMN review_of;"
	        "ALTER TABLE booking DROP COLUMN wording;"
	        "ALTER TABLE booking DROP COLUMN review_of;"
	        "ALTER TABLE pickup_auth DROP COLUMN asked;"
	        "ALTER TABLE pickup_auth DROP COLUMN review;"
	        "ALTER TABLE pickup_auth DROP COLUMN review_note;"
	        "ALTER TABLE pickup_auth DROP COLUMN reviewed_at;"
	        "ALTER TABLE pickup_auth DROP COLUMN wording;"
	        "ALTER TABLE pickup_auth DROP COLUMN review_of;"
	        "DROP TABLE course_order; DROP TABLE district_announcement;"
	        "UPDATE yz_meta SET value = 5 WHERE name = 'facility_format'";
	static const char *const since[] = { "allergy_word",         "enrollment_step",
		                             "symptom_notice",       "booking",
		                             "leave_request",        "medication_request",
		                             "pickup_auth",          "course_order",
		                             "district_announcement" };
	struct store_db *db;
	struct err err;

	scene_add_facility(s, NODE, "F1");
	db = s->m[NODE].merge;
	crash_must(store_db_begin(db, &err), &err, "begin");
	for (size_t i = 0; i < sizeof since / sizeof since[0]; i++)
		crash_must(store_track_stop(db, since[i], &err), &err, since[i]);
	crash_must(facility_views_drop(db, &err), &err, "views");
	crash_must(store_db_exec(db, drop, &err), &err, "drop");
	crash_must(store_db_commit(db, &err), &err, "commit");
}

static int
words_step(struct scene *s, int no, struct err *err)
{
	static const char *const said[] = { "INSERT INTO allergy(child_id, allergen_code, "
		                            "facility_id) VALUES (x'01', 'EGG', 'F1')",
		                            "UPDATE allergy SET active = 0" };

	return no == 0 ? facility_schema_upgrade(s->m[NODE].merge, false, err)
	               : scene_sql(&s->m[NODE], said[no - 1], err);
}

static int
words_seen(struct scene *s)
{
	struct machine *m = &s->m[NODE];
	int64_t there = scene_int(m, "SELECT count(*) FROM sqlite_master WHERE name IN"
	                             " ('allergy_word', 'enrollment_step', 'local_word',"
	                             " 'allergy_said', 'allergy_said_again', 'allergy_said_gone',"
	                             " 'enrollment_stepped', 'enrollment_stepped_on',"
	                             " 'v1_allergy_word', 'yz_allergy_word_ai',"
	                             " 'symptom_notice', 'symptom_case_open',"
	                             " 'course_order', 'yz_course_order_ai',"
	                             " 'district_announcement', 'v1_course_order',"
	                             " 'leave_request_reworded', 'medication_request_reworded',"
	                             " 'booking_reworded', 'pickup_auth_reworded',"
	                             " 'course_order_reworded')");

	if (there != 21)
		return there == 0 ? 0 : -1;
	/* each word is there with what it is about */
	return (int)scene_int(m, "SELECT CASE WHEN (SELECT count(*) FROM allergy) = 0 AND n = 0"
	                         " THEN 1 WHEN (SELECT 2 - active FROM allergy) = n THEN 1 + n"
	                         " ELSE -1 END FROM (SELECT count(*) n FROM allergy_word)");
}

static void
words_finish(struct scene *s)
{
	if (scene_int(&s->m[NODE], "SELECT sum(active * 10 + ended) FROM allergy_word") != 11)
		crash_fail("the first word is not ended, or the second is");
	scene_sealed(s);
}

/* ---- people: a roster, taps ---- */

static const char roster[] = "name,birth_date,class\n安一,2024-03-01,小一班\n"
                             "白二,2024-04-01,小一班\n陈三,2023-05-01,大班\n";

static const char roster_later[] = "name,birth_date,class,guardian1,phone1\n"
                                   "安一,2024-03-01,小一班,安妈妈,13900000001\n"
                                   "丁四,2024-06-01,小一班,丁爸爸,13900000002\n";

static void
prepare_facility(struct scene *s)
{
	scene_add_facility(s, NODE, "F1");
}

static int
import(struct scene *s, const char *text, struct err *err)
{
	struct roster_options options = { .at = s->wall_ms };
	struct roster_counts counts;
	struct facility f;
	int rc = facility_open(&f, s->m[NODE].local, NULL, err);

	return rc < 0 ? rc : roster_import(&f, text, strlen(text), &options, &counts, err);
}

static int
roster_step(struct scene *s, int no, struct err *err)
{
	return import(s, no == 0 ? roster : roster_later, err);
}

static int
roster_seen(struct scene *s)
{
	struct machine *m = &s->m[NODE];
	int64_t children = scene_int(m, "SELECT count(*) FROM child");
	int64_t guardians = scene_int(m, "SELECT count(*) FROM guardian");
	int64_t enrolled = scene_int(m, "SELECT count(*) FROM enrollment");

	if (children == 0 && guardians == 0 && enrolled == 0)
		return 0;
	if (enrolled != children)
		return -1;
	if (children == 3 && guardians == 0)
		return 1;
	return children == 4 && guardians == 2 ? 2 : -1;
}

static void
prepare_children(struct scene *s)
{
	struct err err;

	prepare_facility(s);
	crash_must(import(s, roster, &err), &err, "roster");
	crash_must(scene_seal(&s->m[NODE], &err), &err, "seal");
}

/* What POST /api/v1/batch does: two lines with keys of their own, whose answer is the
 * acknowledgement. */
static int
tap_step(struct scene *s, int no, struct err *err)
{
	struct lines_counts counts = { 0 };
	struct buf body = { 0 }, out = { 0 };
	struct facility f;
	int rc = facility_open(&f, s->m[NODE].local, NULL, err);
	int64_t child;

	if (rc == 0)
		rc = store_stmt_int(s->m[NODE].local, "SELECT count(*) FROM child", 0, &child, err);
	for (int i = 0; rc == 0 && i < 2; i++)
		buf_printf(&body,
		           "{\"do\":\"care\",\"key\":\"t/%d/%d\",\"child\":\"%s\",\"at\":%lld,"
		           "\"kind\":%d,\"note\":\"tap\"}\n",
		           no, i, s->child, (long long)s->wall_ms, i + 1);
	if (rc == 0)
		rc = facility_batch_post(&f, body.bytes, body.len, &out, &counts, err);
	if (rc == 0 && counts.stored + counts.duplicate != 2)
		rc = err_set(err, ERR_INVALID, "%s", buf_str(&out));
	s->recovered += counts.duplicate > 0; /* it was there, and is not written twice */
	buf_free(&body);
	buf_free(&out);
	return rc;
}

static void
find_child(struct scene *s)
{
	struct store_stmt st =
	        store_stmt_new(s->m[NODE].local, "SELECT lower(hex(id)) FROM child LIMIT 1");
	struct err err;

	crash_must(store_stmt_step(&st, &err), &err, "child");
	snprintf(s->child, sizeof s->child, "%s", store_stmt_get_text(&st));
	store_stmt_end(&st);
}

static void
prepare_taps(struct scene *s)
{
	prepare_children(s);
	find_child(s);
}

/* The tablet asks again for what it has heard no answer to. */
static void
tap_again(struct scene *s)
{
	struct err err;
	int64_t rows = scene_int(&s->m[NODE], "SELECT count(*) FROM care_event");

	for (int i = 0; i < s->scenario->steps; i++)
		crash_must(tap_step(s, i, &err), &err, "tap again");
	if (scene_int(&s->m[NODE], "SELECT count(*) FROM care_event") != rows)
		crash_fail("a repeated tap was counted twice");
}

#define TAPS                                                                                       \
	"SELECT CASE WHEN n % 2 = 0 AND n = keys THEN n / 2 ELSE -1 END FROM (SELECT (SELECT"      \
	" count(*) FROM care_event) n, (SELECT count(*) FROM local_batch_key) keys)"

/* ---- enrolment ---- */

static struct enrol_hub
the_hub(struct scene *s)
{
	return (struct enrol_hub){ .db = s->m[HUB].merge,
		                   .key = &s->m[HUB].key,
		                   .now_ms = s->wall_ms };
}

static int
new_code(struct scene *s, bool automatic, struct err *err)
{
	struct enrol_terms terms = { .facility = "F1", .automatic = automatic };
	struct enrol_hub hub = the_hub(s);
	int64_t expires;

	return enrol_new(&hub, &terms, s->code, &expires, err);
}

static int
ask(struct scene *s, struct enrol_answer *answer, struct err *err)
{
	struct enrol_ask ask = { .code = s->code, .label = "office", .facility = "F1" };
	struct enrol_hub hub = the_hub(s);
	struct code code = { 0 };
	int rc = code_read(s->code, &code, err);

	enrol_sign(&s->m[NODE].key, &code, &ask);
	return rc == 0 ? enrol_answer(&hub, &ask, answer, err) : rc;
}

/* Ask; anything but `want` is an error. */
static int
ask_for(struct scene *s, enum enrol_state want, struct err *err)
{
	struct enrol_answer answer = { 0 };
	int rc = ask(s, &answer, err);

	buf_free(&answer.grant);
	if (rc == 0 && answer.state != want)
		rc = err_set(err, ERR_DENIED, "%s", answer.reason);
	return rc;
}

static void
prepare_hub_alone(struct scene *s)
{
	uint8_t seed[SYNC_SEED_KEY] = { 2 };

	scene_add_facility(s, HUB, "");
	sync_key_from_seed(&s->m[NODE].key, seed);
}

static int
code_step(struct scene *s, int no, struct err *err)
{
	return new_code(s, no == 1, err);
}

static void
prepare_code(struct scene *s)
{
	struct err err;

	prepare_hub_alone(s);
	crash_must(new_code(s, false, &err), &err, "code");
}

static int
approve_step(struct scene *s, int no, struct err *err)
{
	struct enrol_hub hub = the_hub(s);

	return no == 0 ? ask_for(s, ENROL_WAITING, err)
	               : enrol_decide(&hub, s->code, ENROL_APPROVE, err);
}

#define ENROLLED                                                                                   \
	"SELECT CASE WHEN state = 0 AND nodes = 0 AND grants = 0 THEN 0 WHEN state = 1 AND nodes"  \
	" = 0 AND grants = 0 THEN 1 WHEN state = 2 AND nodes = 1 AND grants = 1 THEN 2 ELSE -1"    \
	" END e FROM hub_enrolment, (SELECT count(*) nodes FROM hub_node), (SELECT count(*) "      \
	"grants"                                                                                   \
	" FROM hub_grant)"

/* A lost answer costs nothing: the same node gets the same one again. */
static void
ask_again(struct scene *s)
{
	struct err err;

	crash_must(ask_for(s, ENROL_GRANTED, &err), &err, "ask again");
	if (scene_int(&s->m[HUB], "SELECT count(*) FROM hub_grant") != 1)
		crash_fail("asking again made another grant");
	s->recovered++;
}

static void
prepare_automatic(struct scene *s)
{
	struct err err;

	prepare_hub_alone(s);
	crash_must(new_code(s, true, &err), &err, "code");
}

static int
automatic_step(struct scene *s, int no, struct err *err)
{
	(void)no;
	return ask_for(s, ENROL_GRANTED, err);
}

/* The node keeps what it was given. */
static void
prepare_granted(struct scene *s)
{
	struct enrol_answer answer = { 0 };
	struct err err;

	scene_add_facility(s, NODE, "F1"); /* before the hub: nobody introduces them */
	scene_add_facility(s, HUB, "");
	crash_must(new_code(s, true, &err), &err, "code");
	crash_must(ask(s, &answer, &err), &err, "ask");
	if (answer.state != ENROL_GRANTED || answer.grant.bytes == NULL)
		crash_fail("no grant: %s", answer.reason);
	memcpy(s->grant, answer.grant.bytes, answer.grant.len);
	s->grant_len = answer.grant.len;
	buf_free(&answer.grant);
}

static int
keep_step(struct scene *s, int no, struct err *err)
{
	static struct enrol_news news;
	struct machine *m = &s->m[NODE];
	int rc;

	if (no == 1)
		return scene_meet(s, m, err);
	news = (struct enrol_news){ .granted = true, .doc_len = s->grant_len };
	memcpy(news.doc, s->grant, s->grant_len);
	memcpy(news.hub_key, s->m[HUB].key.public_key, SYNC_PUBLIC_KEY);
	rc = grant_read(s->grant, s->grant_len, news.hub_key, &news.grant, err);
	if (rc == 0)
		rc = enrol_node_keep(m->merge, "scene:", &news, err);
	return rc == 0 ? node_reload(&m->node, err) : rc;
}

static int
keep_seen(struct scene *s)
{
	struct machine *m = &s->m[NODE];

	if (scene_int(m, "SELECT count(*) FROM yz_remote WHERE name = 'hub' AND key IS NOT NULL AND"
	                 " grant_doc IS NOT NULL AND url <> ''") == 0)
		return scene_int(m, "SELECT count(*) FROM yz_remote WHERE name = 'hub'") == 0 ? 0
		                                                                              : -1;
	return 1 + (scene_int(m, "SELECT count(*) FROM yz_remote WHERE last_success_ms > 0") > 0);
}

static void
prepare_enrolled(struct scene *s)
{
	struct err err;

	prepare_automatic(s);
	crash_must(ask_for(s, ENROL_GRANTED, &err), &err, "ask");
}

static int
revoke_step(struct scene *s, int no, struct err *err)
{
	uint8_t node[STORE_NODE_ID];

	if (no == 1)
		return new_code(s, false, err);
	sync_node_id(node, s->m[NODE].key.public_key);
	return hub_node_revoke(s->m[HUB].merge, node, s->wall_ms, err);
}

/* From now on its key opens nothing. */
static void
revoked_finish(struct scene *s)
{
	struct machine *hub = &s->m[HUB];
	struct store_site site = { .id = 0 };
	struct rights rights;
	struct err err;

	sync_node_id(site.node, s->m[NODE].key.public_key);
	crash_must(rights_open(&rights, hub->merge, true, hub->key.public_key, &err), &err,
	           "rights");
	if (rights_may_write(&rights, &site, "f/F1") || rights_may_read(&rights, site.node, "f/F1"))
		crash_fail("a revoked node has rights");
	s->recovered++;
}

/* ---- tokens and the feed ---- */

static int
token_step(struct scene *s, int no, struct err *err)
{
	struct token_terms terms = { .scope = "all" };
	char text[TOKEN_TEXT];

	if (no < 2)
		return token_new(s->m[HUB].merge, &terms, s->wall_ms, text, s->token, err);
	return token_revoke(s->m[HUB].merge, s->token, s->wall_ms, err);
}

static void
prepare_district(struct scene *s)
{
	struct err err;

	prepare_enrolled(s);
	scene_add_facility(s, NODE, "F1");
	machine_close(&s->m[HUB]);
	s->by_rights = true; /* of what was enrolled, as production looks it up */
	scene_open(s);
	crash_must(import(s, roster, &err), &err, "roster");
	find_child(s);
	scene_settle(s);
}

static int
feed_step(struct scene *s, int no, struct err *err)
{
	return no % 2 == 0 ? tap_step(s, no / 2, err) : scene_meet(s, &s->m[NODE], err);
}

/* The hub's rows and its feed's lines move together, and no honest tap is listed as without right.
 */
static int
feed_seen(struct scene *s)
{
	struct machine *hub = &s->m[HUB];
	int made = (int)scene_int(&s->m[NODE], TAPS);
	int rows = (int)scene_int(hub, "SELECT count(*) FROM care_event");
	int lines = (int)scene_int(hub, "SELECT count(*) FROM hub_feed WHERE tbl = (SELECT id FROM"
	                                " yz_table WHERE name = 'care_event')");

	if (made < 0 || rows != lines || rows % 2 != 0 || rows / 2 > made || rows / 2 < made - 1 ||
	    scene_int(hub, "SELECT count(*) FROM yz_quarantine") != 0)
		return -1;
	if (!scene_is_acknowledged(&s->m[NODE])) {
		s->recovered += rows / 2 == made;
		return 2 * made - 1;
	}
	return rows / 2 == made ? 2 * made : -1;
}

static void
feed_finish(struct scene *s)
{
	static const struct token all = { .scope = "all" };
	struct feed_query query = { .since = "", .limit = FEED_LIMIT_MAX, .token = &all };
	struct machine *hub = &s->m[HUB];
	struct feed_end end;
	struct buf page = { 0 };
	struct err err;
	int64_t last;

	crash_must(store_db_begin(hub->merge, &err), &err, "begin");
	crash_must(feed_page(hub->merge, &query, &page, &end, &err), &err, "page");
	query.since = end.next;
	crash_must(feed_page(hub->merge, &query, &page, &end, &err), &err, "page after the last");
	crash_must(feed_last(hub->merge, &last, &err), &err, "last");
	store_db_rollback(hub->merge);
	if (last != scene_int(hub, "SELECT count(*) FROM hub_feed"))
		crash_fail("the feed's numbers have a gap");
	buf_free(&page);
	scene_settle(s);
	scene_same(s);
}

const struct scenario scenarios_node[] = {
	{ .name = "facility-tables",
	  .victim = NODE,
	  .slow = true,
	  .steps = 2,
	  .prepare = prepare_bare,
	  .step = tables_step,
	  .seen = tables_seen },
	{ .name = "facility-upgrade",
	  .victim = NODE,
	  .slow = true,
	  .steps = 3,
	  .prepare = prepare_wordless,
	  .step = words_step,
	  .seen = words_seen,
	  .finish = words_finish },
	{ .name = "roster",
	  .victim = NODE,
	  .slow = true,
	  .steps = 2,
	  .prepare = prepare_facility,
	  .step = roster_step,
	  .seen = roster_seen },
	{ .name = "taps",
	  .recovers = "a tap that was there was asked again and not counted twice",
	  .victim = NODE,
	  .slow = true,
	  .steps = 3,
	  .prepare = prepare_taps,
	  .step = tap_step,
	  .probe = TAPS,
	  .finish = tap_again },
	{ .name = "enrol-code",
	  .victim = HUB,
	  .slow = true,
	  .steps = 2,
	  .prepare = prepare_hub_alone,
	  .step = code_step,
	  .probe = "SELECT count(*) FROM hub_enrolment" },
	{ .name = "enrol-approve",
	  .recovers = "an answer was given again",
	  .victim = HUB,
	  .slow = true,
	  .steps = 2,
	  .prepare = prepare_code,
	  .step = approve_step,
	  .probe = ENROLLED,
	  .finish = ask_again },
	{ .name = "enrol-automatic",
	  .recovers = "an answer was given again",
	  .victim = HUB,
	  .slow = true,
	  .steps = 1,
	  .prepare = prepare_automatic,
	  .step = automatic_step,
	  .probe = "SELECT CASE e WHEN 0 THEN 0 WHEN 2 THEN 1 ELSE -1 END FROM (" ENROLLED ")",
	  .finish = ask_again },
	{ .name = "enrol-keep",
	  .victim = NODE,
	  .slow = true,
	  .steps = 2,
	  .prepare = prepare_granted,
	  .step = keep_step,
	  .seen = keep_seen },
	{ .name = "revoke",
	  .recovers = "a revoked node had no rights",
	  .victim = HUB,
	  .slow = true,
	  .steps = 2,
	  .prepare = prepare_enrolled,
	  .step = revoke_step,
	  .probe = "SELECT (SELECT count(*) FROM hub_node WHERE revoked_ms > 0) +"
	           " (SELECT count(*) - 1 FROM hub_enrolment)",
	  .finish = revoked_finish },
	{ .name = "token",
	  .victim = HUB,
	  .slow = true,
	  .steps = 3,
	  .prepare = prepare_hub_alone,
	  .step = token_step,
	  .probe = "SELECT count(*) + (count(*) = 2 AND count(revoked_ms) = 1) FROM hub_token" },
	{ .name = "feed",
	  .recovers = "the hub had it and the node asked again",
	  .victim = HUB,
	  .slow = true,
	  .steps = 4,
	  .prepare = prepare_district,
	  .step = feed_step,
	  .seen = feed_seen,
	  .finish = feed_finish },
	{ 0 },
};
