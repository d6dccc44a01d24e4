/*
 * tests/law_merge.c - the laws of merging, on random sets of writes.
 *
 * Each sequence is a random set of writes (tests/merge_writes.h), delivered to
 * replicas with other numbers, in other orders, in other transactions, and
 * partly twice.  All must end equal, and equal to what `definition` below says
 * straight from the words of sync/merge/merge.h about the whole set.
 *
 * YZ_SEED=n tries other sequences; a failure prints the seed that shows it
 * again.
 */
#include "tests/merge_writes.h"
#include "tests/pg_cluster.h"
#include "tests/suites.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 4, SEQUENCES = 30000, IN_SQLITE = 200, IN_POSTGRES = 60 };

static uint64_t
first_seed(void)
{
	const char *text = getenv("YZ_SEED");

	return text == NULL ? 20261123 : strtoull(text, NULL, 10);
}

/* ---- what should be there, by definition ---- */

struct expected {
	int64_t cl;
	const struct write *name; /* of the life; NULL: not known */
	const struct write *cells[WORLD_COLUMNS];
};

struct set {
	const struct write *writes;
	size_t count;
	int key;
	struct replica *replica; /* for hashes */
};

static int
compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_versions(const struct write *a, const struct write *b)
{
	int order = compare(a->stamp, b->stamp);

	return order != 0 ? order : compare(a->site, b->site);
}

/* Is `a` a better name of a life than `b`? */
static bool
is_better_name(const struct set *set, const struct write *a, const struct write *b)
{
	int order = compare_versions(a, b);

	if (order == 0 && a->op == STORE_INSERT)
		order = memcmp(world_hash(set->replica, a->schema),
		               world_hash(set->replica, b->schema), STORE_SCHEMA_HASH);
	return order > 0;
}

/* The values of an lww cell, which is one column, or the columns of the group. */
static int
compare_tuples(const struct write *a, const struct write *b, enum world_column column)
{
	int order;

	if (column != HEIGHT && column != WEIGHT)
		return store_value_cmp(&a->values[column], &b->values[column]);
	order = store_value_cmp(&a->values[HEIGHT], &b->values[HEIGHT]);
	return order != 0 ? order : store_value_cmp(&a->values[WEIGHT], &b->values[WEIGHT]);
}

/* Of two writes of a cell that both count, does `a` show? */
static bool
shows(const struct write *a, const struct write *b, enum world_column column)
{
	int version = compare_versions(a, b);
	int value = compare_tuples(a, b, column);

	if (world_is_max(column) && value == 0 && a->stamp != b->stamp)
		return a->stamp < b->stamp;
	if (world_is_max(column))
		return value != 0 ? value > 0 : version > 0;
	return version != 0 ? version > 0 : value > 0;
}

static const struct write *
expected_cell(const struct set *set, int64_t cl, enum world_column column)
{
	const struct write *best = NULL;

	for (size_t i = 0; i < set->count; i++) {
		const struct write *w = &set->writes[i];

		if (w->key != set->key || (w->mask >> column & 1) == 0)
			continue;
		if (!world_is_max(column) && w->cl != cl)
			continue;
		if (best == NULL || shows(w, best, column))
			best = w;
	}
	return best;
}

static struct expected
definition(const struct set *set)
{
	struct expected e = { 0 };

	for (size_t i = 0; i < set->count; i++)
		if (set->writes[i].key == set->key && set->writes[i].cl > e.cl)
			e.cl = set->writes[i].cl;
	for (size_t i = 0; i < set->count; i++) {
		const struct write *w = &set->writes[i];

		if (w->key != set->key || w->cl != e.cl || w->op == STORE_UPDATE)
			continue;
		if (e.name == NULL || is_better_name(set, w, e.name))
			e.name = w;
	}
	for (int c = 0; c < WORLD_COLUMNS; c++)
		e.cells[c] = expected_cell(set, e.cl, (enum world_column)c);
	return e;
}

/* ---- replicas ---- */

static struct replica *replicas[WORLD_NUMBERINGS];

/* What a person would see of the rows, cell by cell in canonical bytes (all our values are short).
 */
struct sight {
	bool live[WORLD_KEYS];
	uint8_t cells[WORLD_KEYS][WORLD_COLUMNS][16];
};

static void
look(struct replica *r, int key, struct sight *sight)
{
	struct store_row row = replica_row(r, key);

	sight->live[key] = store_row_is_live(&row);
	memset(sight->cells[key], 0xff, sizeof sight->cells[key]);
	for (unsigned i = 0; sight->live[key] && i < row.cell_count; i++) {
		const struct store_value *v = &row.cells[i].value;
		uint8_t *at = sight->cells[key][replica_column(r, row.cells[i].column)];
		size_t len = store_value_head(v, at);

		if (v->type == STORE_TEXT || v->type == STORE_BLOB)
			memcpy(at + len, v->bytes, v->len);
	}
}

static bool
looks_equal(const struct sight *a, const struct sight *b, int key)
{
	return a->live[key] == b->live[key] &&
	       memcmp(a->cells[key], b->cells[key], sizeof a->cells[key]) == 0;
}

static void
swap(struct write *a, struct write *b)
{
	struct write kept = *a;

	*a = *b;
	*b = kept;
}

static void
shuffle(struct write *writes, size_t count)
{
	for (size_t i = count; i > 1; i--)
		swap(&writes[i - 1], &writes[merge_chance(i)]);
}

/* One order of delivery, in transactions of any size, some writes twice; NULL or what went wrong.
 */
static const char *
deliver(struct replica *r, const struct write *writes, size_t count)
{
	struct write order[2 * WORLD_WRITES];
	size_t total = count, size;

	memcpy(order, writes, count * sizeof *order);
	while (total < count + count / 3)
		order[total++] = writes[merge_chance(count)];
	shuffle(order, total);
	replica_clear(r);
	for (size_t at = 0; at < total; at += size) {
		struct sight before, after;
		bool wrote[WORLD_KEYS];

		size = 1 + merge_chance(3);
		size = size < total - at ? size : total - at;
		for (int k = 0; k < WORLD_KEYS; k++)
			look(r, k, &before);
		replica_deliver(r, order + at, size, NULL, wrote);
		for (int k = 0; k < WORLD_KEYS; k++) {
			look(r, k, &after);
			if (!wrote[k] && !looks_equal(&before, &after, k))
				return "a row moved that put wasn't told to write";
		}
	}
	return NULL;
}

static bool
is_cell(const struct replica *r, const struct store_cell *cell, const struct write *w,
        enum world_column column)
{
	return cell->stamp == w->stamp && replica_site(r, cell->site) == w->site &&
	       store_value_cmp(&cell->value, &w->values[column]) == 0;
}

static const char *
check_cells(const struct replica *r, const struct store_row *row, const struct expected *e)
{
	unsigned count = 0;

	for (int c = 0; c < WORLD_COLUMNS; c++)
		count += e->cells[c] != NULL;
	if (row->cell_count != count)
		return "another number of cells than by definition";
	for (unsigned i = 0; i < row->cell_count; i++) {
		const struct store_cell *cell = &row->cells[i];
		enum world_column c = replica_column(r, cell->column);

		if (i > 0 && row->cells[i - 1].column >= cell->column)
			return "cells out of order";
		if (e->cells[c] == NULL || !is_cell(r, cell, e->cells[c], c))
			return "a cell isn't that of the definition";
	}
	return NULL;
}

static const char *
check_row(struct replica *r, const struct set *set)
{
	struct store_row row = replica_row(r, set->key);
	struct expected e = definition(set);
	uint8_t term[STORE_TERM];

	if (row.cl != e.cl)
		return "another life than by definition";
	if (row.stamp != (e.name == NULL ? 0 : e.name->stamp) ||
	    replica_site(r, row.site) != (e.name == NULL ? 0 : e.name->site))
		return "another name of the life than by definition";
	if (store_row_is_live(&row) != (e.name != NULL && e.name->op == STORE_INSERT))
		return "alive or dead against the definition";
	if (store_row_is_live(&row) && e.name != NULL &&
	    memcmp(replica_batch(r)->schema(replica_batch(r), row.schema)->hash,
	           world_hash(set->replica, e.name->schema), STORE_SCHEMA_HASH) != 0)
		return "another schema than by definition";
	store_row_term(replica_batch(r), &row, term);
	if (memcmp(term, row.term, STORE_TERM) != 0)
		return "a term that isn't the row's";
	return check_cells(r, &row, &e);
}

/* The laws that people rely on, said once more without the definition. */
static const char *
check_promises(struct replica *r, const struct write *w)
{
	struct store_row row = replica_row(r, w->key);

	if (row.cl < w->cl)
		return "a row woke, or died, without its life";
	for (unsigned i = 0; i < row.cell_count; i++) {
		enum world_column c = replica_column(r, row.cells[i].column);

		if (world_is_max(c) && (w->mask >> c & 1) &&
		    store_value_cmp(&row.cells[i].value, &w->values[c]) < 0)
			return "a revoke was undone";
	}
	return NULL;
}

/* Some write gave both cells of the group. */
static const char *
check_group(struct replica *r, const struct write *writes, size_t count, int key)
{
	struct store_row row = replica_row(r, key);
	const struct store_cell *height = NULL, *weight = NULL;

	for (unsigned i = 0; i < row.cell_count; i++) {
		if (replica_column(r, row.cells[i].column) == HEIGHT)
			height = &row.cells[i];
		if (replica_column(r, row.cells[i].column) == WEIGHT)
			weight = &row.cells[i];
	}
	if (height == NULL && weight == NULL)
		return NULL;
	if (height == NULL || weight == NULL)
		return "half a group";
	for (size_t i = 0; i < count; i++)
		if (writes[i].key == key && (writes[i].mask >> HEIGHT & 1) &&
		    is_cell(r, height, &writes[i], HEIGHT) &&
		    is_cell(r, weight, &writes[i], WEIGHT))
			return NULL;
	return "a group that nobody wrote";
}

static const char *
check_replica(struct replica *r, const struct write *writes, size_t count)
{
	const char *wrong = NULL;

	for (int k = 0; wrong == NULL && k < WORLD_KEYS; k++) {
		struct set set = { writes, count, k, replicas[0] };

		wrong = check_row(r, &set);
		if (wrong == NULL)
			wrong = check_group(r, writes, count, k);
	}
	for (size_t i = 0; wrong == NULL && i < count; i++)
		wrong = check_promises(r, &writes[i]);
	if (wrong == NULL && replica_deliver(r, writes, count, NULL, NULL) != 0)
		wrong = "a second delivery changed something";
	return wrong;
}

/* The digest is the sum of the terms, and the other replica's. */
static const char *
check_digests(struct replica *a, struct replica *b)
{
	static const uint8_t zero[STORE_TERM];
	uint8_t left[STORE_TERM], right[STORE_TERM], sum[STORE_TERM] = { 0 };
	int64_t live_left, live_right, live = 0;

	for (int k = 0; k < WORLD_KEYS; k++) {
		struct store_row row_a = replica_row(a, k), row_b = replica_row(b, k);

		if (memcmp(row_a.term, row_b.term, STORE_TERM) != 0)
			return "terms differ";
		store_digest_move(sum, row_a.term, zero);
		live += store_row_is_live(&row_a);
	}
	replica_digest(a, left, &live_left);
	replica_digest(b, right, &live_right);
	if (memcmp(left, right, STORE_TERM) != 0 || live_left != live_right)
		return "digests differ";
	if (memcmp(left, sum, STORE_TERM) != 0 || live_left != live)
		return "the digest isn't the sum of the terms";
	return NULL;
}

static const char *
run_sequence(struct replica *a, struct replica *b, const struct write *writes, size_t count)
{
	const char *wrong;

	wrong = deliver(a, writes, count);
	if (wrong == NULL)
		wrong = check_replica(a, writes, count);
	if (wrong == NULL)
		wrong = deliver(b, writes, count);
	if (wrong == NULL)
		wrong = check_replica(b, writes, count);
	return wrong == NULL ? check_digests(a, b) : wrong;
}

/* ---- the test ---- */

static void
open_replicas(void)
{
	for (int i = 0; i < WORLD_NUMBERINGS; i++)
		replicas[i] = replica_new(i);
}

static void
close_replicas(void)
{
	for (int i = 0; i < WORLD_NUMBERINGS; i++) {
		replica_free(replicas[i]);
		replicas[i] = NULL;
	}
}

static void
fail_with(uint64_t seed, const char *wrong, const struct write *writes, size_t count)
{
	struct buf text = { 0 };

	world_print(&text, writes, count);
	ck_abort_msg("%s (YZ_SEED=%" PRIu64 "): %s", wrong, seed, buf_str(&text));
}

START_TEST(any_order_any_redelivery_any_numbering)
{
	for (int n = 0; n < SEQUENCES; n++) {
		uint64_t seed = first_seed() + (uint64_t)_i * SEQUENCES + (uint64_t)n;
		struct write writes[WORLD_WRITES];
		size_t count = merge_writes(seed, writes), one = merge_chance(WORLD_NUMBERINGS);
		size_t other = (one + 1 + merge_chance(WORLD_NUMBERINGS - 1)) % WORLD_NUMBERINGS;
		const char *wrong = run_sequence(replicas[one], replicas[other], writes, count);

		if (wrong != NULL)
			fail_with(seed, wrong, writes, count);
	}
}
END_TEST

/*
 * The same in SQLite against memory: the table as some schema has it or not there at all, with
 * columns that can hold all values, or can't.
 */
static const struct {
	const char *type, *constraint;
} declared[] = { { "BLOB", "" }, { "BLOB", "NOT NULL" }, { "INTEGER", "" },
	         { "TEXT", "" }, { "REAL", "NOT NULL" }, { "DECIMAL(5,1)", "" } };

enum { DECLARED = sizeof declared / sizeof declared[0] };

START_TEST(sqlite_holds_what_memory_holds)
{
	int local = _i / DECLARED;
	struct replica *sqlite;

	close_replicas();
	world_declare(declared[_i % DECLARED].type);
	open_replicas();
	sqlite = replica_new_sqlite(local, declared[_i % DECLARED].constraint);
	for (int n = 0; n < IN_SQLITE; n++) {
		uint64_t seed = first_seed() + (uint64_t)n;
		struct write writes[WORLD_WRITES];
		size_t count = merge_writes(seed, writes);
		const char *wrong = run_sequence(sqlite, replicas[merge_chance(WORLD_NUMBERINGS)],
		                                 writes, count);

		if (wrong == NULL && local > 0)
			wrong = replica_check_table(sqlite);
		if (wrong != NULL)
			fail_with(seed, wrong, writes, count);
	}
	replica_free(sqlite);
	world_declare("BLOB");
}
END_TEST

/* The same in PostgreSQL, which has no tables of ours that could refuse something. */
START_TEST(postgres_holds_what_memory_holds)
{
	struct replica *postgres;

	world_engine(WORLD_POSTGRES);
	postgres = replica_new(_i % WORLD_NUMBERINGS);
	world_engine(WORLD_MEMORY);
	for (int n = 0; n < IN_POSTGRES; n++) {
		uint64_t seed = first_seed() + (uint64_t)_i * IN_POSTGRES + (uint64_t)n;
		struct write writes[WORLD_WRITES];
		size_t count = merge_writes(seed, writes);
		const char *wrong = run_sequence(postgres, replicas[merge_chance(WORLD_NUMBERINGS)],
		                                 writes, count);

		if (wrong != NULL)
			fail_with(seed, wrong, writes, count);
	}
	replica_free(postgres);
}
END_TEST

/* ---- what the watch hears ---- */

struct told {
	struct replica *replica;
	unsigned count;
	struct told_pair {
		int winner_column, loser_column, winner_site, loser_site; /* columns: -1 the row */
		int64_t winner_stamp, loser_stamp;
	} pairs[WORLD_WRITES];
};

static void
hear(void *ctx, const struct store_row *row, const struct store_cell *winner,
     const struct store_cell *loser)
{
	struct told *told = ctx;
	struct replica *r = told->replica;
	struct told_pair pair = {
		winner->column == 0 ? -1 : (int)replica_column(r, winner->column),
		loser->column == 0 ? -1 : (int)replica_column(r, loser->column),
		replica_site(r, winner->site),
		replica_site(r, loser->site),
		winner->stamp,
		loser->stamp,
	};
	unsigned at = told->count++;

	ck_assert_int_eq(row->table, 1);
	ck_assert_uint_lt(at, WORLD_WRITES);
	for (; at > 0 && told->pairs[at - 1].loser_column > pair.loser_column; at--)
		told->pairs[at] = told->pairs[at - 1];
	told->pairs[at] = pair;
}

/* An edit of max cells alone leaves no trace of having begun a life: a late loser can't be set
 * against it. */
static bool
leaves_a_trace(const struct write *w)
{
	return w->op != STORE_UPDATE || (w->mask & ~(1U << REVOKED | 1U << SCORE)) != 0;
}

START_TEST(two_writes_tell_the_same_in_either_order)
{
	unsigned heard = 0;

	for (int n = 0; n < SEQUENCES; n++) {
		uint64_t seed = first_seed() + (uint64_t)n;
		struct told first = { .replica = replicas[0] }, second = { .replica = replicas[1] };
		struct write writes[WORLD_WRITES];

		merge_wild_writes(seed, writes);
		writes[1].key = writes[0].key;
		if (writes[0].site == writes[1].site || !leaves_a_trace(&writes[0]) ||
		    !leaves_a_trace(&writes[1]))
			continue;
		replica_clear(replicas[0]);
		replica_clear(replicas[1]);
		replica_deliver(replicas[0], writes, 2, &(struct sync_merge_watch){ hear, &first },
		                NULL);
		swap(&writes[0], &writes[1]);
		replica_deliver(replicas[1], writes, 2, &(struct sync_merge_watch){ hear, &second },
		                NULL);
		heard += first.count;
		if (first.count != second.count ||
		    memcmp(first.pairs, second.pairs, first.count * sizeof *first.pairs) != 0)
			fail_with(seed, "the other order tells something else", writes, 2);
	}
	ck_assert_uint_gt(heard, SEQUENCES / 4);
}
END_TEST

Suite *
suite_law_merge(void)
{
	Suite *suite = suite_create("law/merge");
	TCase *tcase = tcase_create("laws");

	tcase_set_timeout(tcase, 300); /* under sanitizers and valgrind */
	tcase_add_checked_fixture(tcase, open_replicas, close_replicas);
	tcase_add_loop_test(tcase, any_order_any_redelivery_any_numbering, 0, ROUNDS);
	tcase_add_loop_test(tcase, sqlite_holds_what_memory_holds, 0,
	                    (WORLD_LAWFUL + 1) * DECLARED);
	tcase_add_test(tcase, two_writes_tell_the_same_in_either_order);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("laws in postgres");
	tcase_set_timeout(tcase, 300);
	tcase_set_tags(tcase, "postgres");
	tcase_add_unchecked_fixture(tcase, pg_cluster_begin, NULL);
	tcase_add_checked_fixture(tcase, open_replicas, close_replicas);
	tcase_add_loop_test(tcase, postgres_holds_what_memory_holds, 0, WORLD_NUMBERINGS);
	suite_add_tcase(suite, tcase);
	return suite;
}
