/* cli/demo_board.c - what the demo shows: the board while the day goes on, and the sums at its end.
 */
#include "cli/demo.h"
#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/schema.h"
#include "store/base/text.h"
#include "store/stmt.h"
#include "sync/history.h"

#include <stdio.h>
#include <string.h>

/* ---- facts ---- */

static int
count_today(struct demo *d, struct demo_place *p, const char *sql, int64_t *n, struct err *err)
{
	struct store_stmt s = store_stmt_new(p->db, sql);
	int rc;

	store_stmt_put_int(&s, d->date);
	rc = store_stmt_step(&s, err);
	*n = rc == 1 ? store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* Who has come and not gone: the station's visitors count as well. */
static int
count_present(struct demo *d, struct demo_place *p, int64_t *n, struct err *err)
{
	return count_today(
	        d, p,
	        "SELECT (SELECT coalesce(sum(CASE kind WHEN 1 THEN 1 WHEN 2 THEN -1 ELSE 0 END), 0)"
	        " FROM attendance_event WHERE biz_date = ?1)"
	        " + (SELECT count(*) FROM drop_in_visit WHERE biz_date = ?1 AND out_at IS NULL)",
	        n, err);
}

/* The hub's digest of a place's scope as it is at the hub itself. */
static int
equal_at_hub(struct demo *d, const struct node_status *here, const char *scope, bool *equal,
             struct err *err)
{
	struct node_status hub;
	struct arena a = { 0 };
	int rc = node_status_read(d->hub.db, NULL, &a, &hub, err);

	*equal = false;
	for (size_t i = 0; rc == 0 && i < hub.scope_count; i++)
		for (size_t k = 0; k < here->scope_count; k++)
			if (strcmp(hub.scopes[i].scope, scope) == 0 &&
			    strcmp(here->scopes[k].scope, scope) == 0)
				*equal = memcmp(hub.scopes[i].digest, here->scopes[k].digest,
				                STORE_TERM) == 0;
	arena_free(&a);
	return rc;
}

struct facts {
	int64_t present, checks, waiting;
	enum node_state state;
	bool equal;
};

static int
look(struct demo *d, struct demo_place *p, struct facts *f, struct err *err)
{
	char scope[STORE_SCOPE_MAX + 1];
	struct node_status status;
	struct arena a = { 0 };
	int rc = node_status_read(p->db, NULL, &a, &status, err);

	snprintf(scope, sizeof scope, "f/%s", p->sample.id);
	if (rc == 0) {
		f->waiting = status.waiting;
		f->state = node_status_state(&status);
		rc = equal_at_hub(d, &status, scope, &f->equal, err);
	}
	arena_free(&a);
	if (rc == 0)
		rc = count_present(d, p, &f->present, err);
	if (rc == 0)
		rc = count_today(d, p, "SELECT count(*) FROM health_check WHERE biz_date = ?",
		                 &f->checks, err);
	return rc;
}

int
demo_waiting(struct demo_place *p, int64_t *n, struct err *err)
{
	struct node_status status;
	struct arena a = { 0 };
	int rc = node_status_read(p->db, NULL, &a, &status, err);

	*n = rc == 0 ? status.waiting : 0;
	arena_free(&a);
	return rc;
}

/* ---- the board ---- */

int
demo_board(struct demo *d, int64_t day_ms, enum demo_screen screen, struct err *err)
{
	const char *clear = screen == DEMO_PLAIN ? "" : "\033[K";
	int minute = date_minute(day_ms, 8 * 60);
	int rc = 0;

	if (screen == DEMO_OVER)
		printf("\033[%dA", d->count + 2);
	printf("%s%02d:%02d%s\n", clear, minute / 60, minute % 60,
	       d->cut_ms != 0 && d->healed_ms == 0 ? "  the line of facility 2 is DOWN" : "");
	printf("%s  %-6s%8s%8s%9s  %-13s %s\n", clear, "", "present", "checks", "waiting", "state",
	       "digest");
	for (int i = 0; rc == 0 && i < d->count; i++) {
		struct facts f = { 0 };

		rc = look(d, &d->places[i], &f, err);
		/* digests are of what is sealed: with changes waiting, equal ones say nothing yet
		 */
		printf("%s  %-6s%8lld%8lld%9lld  %-13s %s\n", clear, d->places[i].sample.id,
		       (long long)f.present, (long long)f.checks, (long long)f.waiting,
		       node_status_word(f.state), f.equal && f.waiting == 0 ? "✓" : "…");
	}
	fflush(stdout);
	return rc;
}

int
demo_agree(struct demo *d, bool *agree, struct err *err)
{
	int rc = 0;

	*agree = true;
	for (int i = 0; rc == 0 && i < d->count; i++) {
		struct facts f = { 0 };

		rc = look(d, &d->places[i], &f, err);
		if (f.waiting > 0 || !f.equal ||
		    (f.state != NODE_IN_SYNC && f.state != NODE_ATTENTION))
			*agree = false;
	}
	return rc;
}

/* ---- the sums ---- */

/* Rows of a table at a facility, and its rows at the hub. */
static int
count_rows(struct demo_place *p, const char *table, const char *facility, int64_t *n,
           struct err *err)
{
	struct buf sql = { 0 };
	struct store_stmt s;
	int rc;

	buf_printf(&sql, "SELECT count(*) FROM %s WHERE facility_id = ?",
	           table); /* names of our own schema */
	s = store_stmt_new(p->db, buf_str(&sql));
	store_stmt_put_text(&s, facility);
	rc = store_stmt_step(&s, err);
	*n = rc == 1 ? store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	buf_free(&sql);
	return rc < 0 ? rc : 0;
}

static int
sum_table(struct demo *d, const char *table, bool *same, struct err *err)
{
	int64_t here = 0, there = 0;
	int rc = 0;

	for (int i = 0; rc == 0 && i < d->count; i++) {
		int64_t a, b;

		rc = count_rows(&d->places[i], table, d->places[i].sample.id, &a, err);
		if (rc == 0)
			rc = count_rows(&d->hub, table, d->places[i].sample.id, &b, err);
		here += rc == 0 ? a : 0;
		there += rc == 0 ? b : 0;
	}
	if (rc == 0 && here + there > 0)
		printf("  %-24s%10lld%12lld  %s\n", table, (long long)here, (long long)there,
		       here == there ? "" : "DIFFERENT");
	if (here != there)
		*same = false;
	return rc;
}

static int
sum_tables(struct demo *d, bool *same, struct err *err)
{
	int rc = 0;

	printf("\n  %-24s%10s%12s\n", "rows", "here", "at the hub");
	for (size_t i = 0; rc == 0 && i < facility_table_count; i++) {
		const struct store_track_spec *spec = &facility_tables[i];

		if (spec->scope_column != NULL && strcmp(spec->scope_column, "facility_id") == 0)
			rc = sum_table(d, spec->table, same, err);
	}
	return rc;
}

/* How many changes a place's segments hold: its own, which went up, and those that came down. */
static int
count_changes(const struct demo_place *p, size_t *changes, struct err *err)
{
	struct sync_history_list list = { 0 };
	struct sync_history *h = NULL;
	struct store_db *db = NULL;
	int rc = demo_open(p, STORE_MERGE, &db, err);

	if (rc == 0)
		rc = sync_history_begin(db, false, &h, err);
	if (rc == 0)
		rc = sync_history_newest(h, 0, &list, err);
	*changes = list.count;
	sync_history_end(h);
	store_db_close(db);
	return rc;
}

/* Changes and bytes of the second facility, whose line we own. */
static int
sum_wire(struct demo *d, struct err *err)
{
	uint64_t up, down;
	size_t changes;
	int rc;

	if (d->relay == NULL)
		return 0;
	rc = count_changes(&d->places[1], &changes, err);
	demo_relay_bytes(d->relay, &up, &down);
	if (rc == 0)
		printf("  on the wire of %s      %10llu bytes up, %llu down: %.1f a change, all "
		       "headers counted\n",
		       d->places[1].sample.id, (unsigned long long)up, (unsigned long long)down,
		       (double)(up + down) / (double)(changes > 0 ? changes : 1));
	return rc;
}

/* What the day asked for and the records' door refused, such as a medicine that was given; and
 * whether all that came from above was answered. */
static bool
sum_actions(const struct demo *d)
{
	size_t done = 0, refused = 0, asked = 0, answered = 0;

	for (int i = 0; i < d->count; i++) {
		asked += d->places[i].asked;
		answered += d->places[i].answered;
		done += d->places[i].done;
		refused += d->places[i].refused;
	}
	printf("  actions of the day      %10zu, %zu of them refused\n", done, refused);
	printf("  leave asked at the hub  %10zu, %zu answered at the facilities\n", asked,
	       answered);
	return asked == answered;
}

/* How long the line was away, by the day's clock, and what waited behind it. */
static void
sum_outage(const struct demo *d)
{
	int64_t minutes = (d->healed_ms - d->cut_ms) * d->speed / 60000;

	if (d->cut_ms == 0 || d->healed_ms == 0)
		printf("  longest outage survived       none\n");
	else
		printf("  longest outage survived %3lld h %02lld min, %lld changes waited\n",
		       (long long)(minutes / 60), (long long)(minutes % 60), (long long)d->waited);
}

/* Archive and verify as an administrator would. */
static int
prove(struct demo_place *p, const char *name, struct err *err)
{
	static const char *const archive[] = { "archive", "now", NULL }, *const verify[] = {
		"verify", NULL
	};
	struct buf out = { 0 };
	int64_t commits;
	int rc = demo_do(p, archive, 0, &out, err);

	buf_clear(&out);
	if (rc == 0)
		rc = demo_do(p, verify, 0, &out, err);
	if (rc == 0)
		rc = store_stmt_int(p->db, "SELECT count(*) FROM yz_archive", 0, &commits, err);
	if (rc == 0)
		printf("  %-6s%3lld proof commit%s verified; %s", name, (long long)commits,
		       commits == 1 ? " " : "s", buf_str(&out));
	buf_free(&out);
	return rc;
}

static int
sum_proof(struct demo *d, struct err *err)
{
	int rc = prove(&d->hub, "hub", err);

	for (int i = 0; rc == 0 && i < d->count; i++)
		rc = prove(&d->places[i], d->places[i].sample.id, err);
	return rc;
}

int
demo_sum(struct demo *d, struct err *err)
{
	bool same = true, agree = false;
	int64_t open = 0;
	int rc = sum_tables(d, &same, err);

	if (rc == 0)
		rc = demo_agree(d, &agree, err);
	if (rc == 0)
		rc = store_stmt_int(d->hub.db,
		                    "SELECT count(*) FROM yz_conflict WHERE state = 'open'", 0,
		                    &open, err);
	if (rc < 0)
		return rc;
	printf("\n  digests                 %s\n", agree ? "equal everywhere" : "NOT EQUAL");
	printf("  open conflicts          %10lld\n", (long long)open);
	same = sum_actions(d) && same;
	sum_outage(d);
	rc = sum_wire(d, err);
	if (rc == 0)
		rc = sum_proof(d, err);
	if (rc == 0 && (!same || !agree || open > 0))
		rc = err_set(err, ERR_INVALID, "the district did not converge");
	return rc;
}
