/*
 * tests/store_pg_race.c - eight writers, a reader, and somebody who kills writers.
 *
 * Each writer is a process with a connection.  It writes its units one after
 * another: in one transaction, of one part or two, a row that says that the unit
 * is done and one to five lines of the feed, and it holds the transaction open
 * for a while before it commits.  Killed at any moment, it begins from its first
 * unit again, as a hub does whose nodes send once more what nobody acknowledged.
 *
 * The reader sees everything once: numbers without gaps, each line's hash on
 * that of the one before, units whole and not mixed, each writer's in order.
 */
#include "tests/pg_cluster.h"
#include "tests/suites.h"

#include "store/base/hash.h"
#include "store/pg/batch.h"
#include "store/pg/feed.h"
#include "store/pg/names.h"
#include "store/pg/tables.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WRITERS = 8, UNITS = 30, FACILITIES = 3, LINES_MAX = 5, KILLS = 24, TRIES = 40 };

/* What both sides know: a unit's lines and parts follow from its number. */
struct plan {
	int parts[2]; /* of FACILITIES; the first's row says that it is done */
	int part_count;
	int lines;
};

static struct plan
plan_of(int writer, int unit)
{
	uint8_t seed[2] = { (uint8_t)writer, (uint8_t)unit }, h[HASH_16];
	struct plan p;

	hash_once(h, sizeof h, seed, sizeof seed);
	p.parts[0] = h[0] % FACILITIES;
	p.parts[1] = (p.parts[0] + 1 + h[1] % (FACILITIES - 1)) % FACILITIES;
	p.part_count = 1 + h[2] % 2;
	p.lines = 1 + h[3] % LINES_MAX;
	return p;
}

/* ---- a world of three facilities in three parts ---- */

static char conninfo[2048];

struct place {
	struct store_pg *pg;
	struct store_batch *batch;
	const struct store_schema *schema;
	int scopes[FACILITIES], parts[FACILITIES], site;
};

static void
must(int rc, const struct err *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "race: %d: %s\n", rc, err->msg);
	_exit(1);
}

static void
learn(struct place *p)
{
	struct store_column columns[] = { { .name = "id", .type = "INTEGER", .key = 1 },
		                          { .name = "lines", .type = "INTEGER" } };
	struct store_schema schema = { .table = "race",
		                       .scope_prefix = "all",
		                       .scope_column = -1,
		                       .column_count = 2,
		                       .columns = columns };
	struct buf def = { 0 };
	struct err err;

	must(store_schema_finish(&schema, &err), &err);
	store_schema_write(&def, &schema);
	must(store_pg_learn(p->pg, def.bytes, def.len, &p->schema, &err), &err);
	buf_free(&def);
}

/* The first names of facilities that lie in parts 0, 1 and 2. */
static void
find_scopes(struct place *p)
{
	int found = 0;
	struct err err;

	for (int i = 0; found < FACILITIES; i++) {
		char name[STORE_SCOPE_MAX];

		snprintf(name, sizeof name, "f/F%d", i);
		if (store_pg_part_of(p->pg, name) != found)
			continue;
		must(store_pg_scope(p->pg, name, &p->scopes[found], &err), &err);
		p->parts[found] = found;
		found++;
	}
}

static void
come(struct place *p)
{
	const uint8_t node[STORE_NODE_ID] = { 1 }, epoch[STORE_EPOCH] = { 1 };
	struct err err;

	must(store_pg_open(conninfo, &p->pg, &err), &err);
	must(store_pg_ready(p->pg, &err), &err);
	learn(p);
	find_scopes(p);
	must(store_pg_site(p->pg, node, epoch, &p->site, &err), &err);
	p->batch = store_pg_batch_new(p->pg);
}

static void
go(struct place *p)
{
	store_pg_batch_free(p->batch);
	store_pg_close(p->pg);
}

/* ---- a writer ---- */

struct unit {
	struct place *place;
	struct plan plan;
	int writer, number;
};

/* A row of the unit, new or as it is. */
static int
get_row(const struct unit *u, struct store_row *row, struct buf *key, struct arena *a,
        struct err *err)
{
	struct store_value id = store_value_int((int64_t)u->writer * 1000 + u->number);
	struct store_row *list = row;

	store_value_write(key, &id);
	*row = (struct store_row){ .table = u->place->schema->table_id,
		                   .scope = u->place->scopes[u->plan.parts[0]],
		                   .key = key->bytes,
		                   .key_len = key->len };
	return u->place->batch->get(u->place->batch, &list, 1, a, err);
}

/* The cell lives as long as the row. */
static int
put_row(const struct unit *u, struct store_row *row, struct store_cell *cell, struct err *err)
{
	struct store_row *list = row;

	*cell = (struct store_cell){ .column = u->place->schema->columns[1].id,
		                     .site = u->place->site,
		                     .stamp = u->number,
		                     .value = store_value_int(u->plan.lines) };
	row->cl = 1;
	row->stamp = u->number;
	row->site = u->place->site;
	row->schema = u->place->schema->id;
	row->cell_count = 1;
	row->cells = cell;
	row->changed = row->write_row = true;
	return u->place->batch->put(u->place->batch, &list, 1, err);
}

static int
put_lines(const struct unit *u, int part, struct err *err)
{
	struct store_pg_line lines[LINES_MAX] = { 0 };
	char text[LINES_MAX][48];

	for (int i = 0; i < u->plan.lines; i++) {
		snprintf(text[i], sizeof text[i], "%d %d %d", u->writer, u->number, i);
		lines[i].scope = u->place->scopes[part];
		lines[i].unit[0] = (uint8_t)u->writer;
		lines[i].unit[1] = (uint8_t)u->number;
		lines[i].bytes = (const uint8_t *)text[i];
		lines[i].len = strlen(text[i]);
	}
	return store_pg_feed_append(u->place->pg, u->place->parts[part], lines,
	                            (size_t)u->plan.lines, err);
}

/* Most for a moment, one in eight for long. */
static void
hold(void)
{
	uint8_t chance[2];
	struct timespec pause = { 0 };

	hash_random(chance, sizeof chance);
	pause.tv_nsec = chance[0] * (chance[1] % 8 == 0 ? 120000L : 8000L);
	nanosleep(&pause, NULL);
}

static int
write_unit(struct store_pg *pg, void *ctx, struct err *err)
{
	const struct unit *u = ctx;
	struct store_cell cell;
	struct store_row row;
	struct buf key = { 0 };
	struct arena a = { 0 };
	int rc = get_row(u, &row, &key, &a, err);

	(void)pg;
	if (rc == 0 && !row.known) {
		for (int i = 0; rc == 0 && i < u->plan.part_count; i++)
			rc = put_lines(u, u->plan.parts[i], err);
		if (rc == 0)
			rc = put_row(u, &row, &cell, err);
		hold();
	}
	buf_free(&key);
	arena_free(&a);
	return rc;
}

static void
be_writer(int writer)
{
	struct place p;
	struct err err;

	come(&p);
	for (int number = 1; number <= UNITS; number++) {
		struct unit u = { &p, plan_of(writer, number), writer, number };
		int parts[2];

		for (int i = 0; i < u.plan.part_count; i++)
			parts[i] = p.parts[u.plan.parts[i]];
		must(store_pg_do(p.pg,
		                 &(struct store_pg_work){ .parts = parts,
		                                          .part_count = u.plan.part_count,
		                                          .tries = TRIES,
		                                          .work = write_unit,
		                                          .ctx = &u },
		                 &err),
		     &err);
	}
	go(&p);
	_exit(0);
}

static pid_t
start_writer(int writer)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		be_writer(writer);
	return pid;
}

/* ---- the reader ---- */

struct reading {
	struct place place;
	struct part_read {
		int64_t n;
		uint8_t hash[STORE_PG_FEED_HASH];
		int writer, unit, next; /* the unit that is being read; next 0: none */
		int last[WRITERS];      /* each writer's latest unit here */
	} parts[FACILITIES];
	int seen[WRITERS][UNITS + 1]; /* in how many parts */
};

static void
take_line(struct reading *r, int part, const struct store_pg_line *line)
{
	struct part_read *p = &r->parts[part];
	int writer = line->unit[0], unit = line->unit[1];
	struct plan plan = plan_of(writer, unit);
	uint8_t hash[STORE_PG_FEED_HASH];
	char want[48];

	ck_assert_int_eq(line->n, p->n + 1);
	store_pg_feed_hash(hash, p->hash, line->bytes, line->len);
	ck_assert_mem_eq(hash, line->hash, sizeof hash);
	if (p->next == 0) {
		ck_assert_msg(unit > p->last[writer], "part %d: writer %d's unit %d after its %d",
		              part, writer, unit, p->last[writer]);
		p->writer = writer;
		p->unit = unit;
		p->last[writer] = unit;
		r->seen[writer][unit]++;
	}
	ck_assert_msg(p->writer == writer && p->unit == unit, "part %d: units are mixed", part);
	snprintf(want, sizeof want, "%d %d %d", writer, unit, p->next);
	ck_assert_uint_eq(line->len, strlen(want));
	ck_assert_mem_eq(line->bytes, want, line->len);
	p->next = p->next + 1 == plan.lines ? 0 : p->next + 1;
	p->n = line->n;
	memcpy(p->hash, line->hash, sizeof hash);
}

/* Read on in every part, in pages that cut units; how many lines there were. */
static size_t
read_on(struct reading *r)
{
	size_t total = 0;

	for (int part = 0; part < FACILITIES; part++) {
		struct store_pg_page page = { .part = part, .after = r->parts[part].n, .limit = 7 };
		struct arena a = { 0 };
		struct err err;
		int rc = store_pg_feed_read(r->place.pg, &page, &a, &err);

		ck_assert_msg(rc == 0, "%s", err.msg);
		for (size_t i = 0; i < page.count; i++)
			take_line(r, part, &page.lines[i]);
		total += page.count;
		arena_free(&a);
	}
	return total;
}

/* ---- the race ---- */

struct race {
	pid_t pids[WRITERS];
	int running, kills;
};

/* A writer that ends by itself must have done all; a killed one is followed by another. */
static void
look_after(struct race *race)
{
	for (int writer = 0; writer < WRITERS; writer++) {
		int status;

		if (race->pids[writer] == 0 ||
		    waitpid(race->pids[writer], &status, WNOHANG) != race->pids[writer])
			continue;
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
			race->pids[writer] = start_writer(writer);
			continue;
		}
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		              "writer %d ended with status %d", writer, status);
		race->pids[writer] = 0;
		race->running--;
	}
}

static void
kill_one(struct race *race)
{
	uint8_t chance;

	hash_random(&chance, sizeof chance);
	if (race->kills == KILLS || race->pids[chance % WRITERS] == 0)
		return;
	kill(race->pids[chance % WRITERS], SIGKILL);
	race->kills++;
}

static void
check_end(const struct reading *r)
{
	int64_t units[FACILITIES] = { 0 };
	struct err err;

	for (int writer = 0; writer < WRITERS; writer++)
		for (int unit = 1; unit <= UNITS; unit++) {
			struct plan plan = plan_of(writer, unit);

			ck_assert_msg(r->seen[writer][unit] == plan.part_count,
			              "unit %d of writer %d was seen %d times, not %d", unit,
			              writer, r->seen[writer][unit], plan.part_count);
			units[plan.parts[0]]++;
		}
	for (int part = 0; part < FACILITIES; part++) {
		uint8_t sum[STORE_TERM];
		int64_t live;

		ck_assert_int_eq(r->parts[part].next, 0);
		must(store_pg_verify(r->place.pg, r->place.batch, r->place.scopes[part], &err),
		     &err);
		must(store_pg_digest(r->place.pg, r->place.scopes[part], sum, &live, &err), &err);
		ck_assert_int_eq(live, units[part]);
	}
}

START_TEST(a_reader_sees_every_unit_once_and_in_order)
{
	struct race race = { .running = WRITERS };
	static struct reading r;
	struct store_pg *pg;
	struct err err;
	const struct timespec pause = { .tv_nsec = 2000000 };

	pg_cluster_drop("race");
	snprintf(conninfo, sizeof conninfo, "%s", pg_cluster_namespace("race"));
	must(store_pg_open(conninfo, &pg, &err), &err);
	must(store_pg_make(pg, FACILITIES, &err), &err);
	store_pg_close(pg);
	for (int writer = 0; writer < WRITERS; writer++)
		race.pids[writer] = start_writer(writer);
	come(&r.place);
	for (int turn = 0; race.running > 0; turn++) {
		read_on(&r);
		if (turn % 16 == 15)
			kill_one(&race);
		look_after(&race);
		nanosleep(&pause, NULL);
	}
	while (read_on(&r) > 0)
		continue;
	check_end(&r);
	ck_assert_int_gt(race.kills, 0);
	go(&r.place);
}
END_TEST

Suite *
suite_store_pg_race(void)
{
	Suite *suite = suite_create("store/pg_race");
	TCase *tcase = tcase_create("pg_race");

	tcase_set_timeout(tcase, 120);
	tcase_set_tags(tcase, "postgres");
	tcase_add_unchecked_fixture(tcase, pg_cluster_begin, NULL);
	tcase_add_test(tcase, a_reader_sees_every_unit_once_and_in_order);
	suite_add_tcase(suite, tcase);
	return suite;
}
