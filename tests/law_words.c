/*
 * tests/law_words.c - whatever is said of an allergy, or of an enrolment's status, in whatever
 * order it is said and heard, with whatever clocks: what stands is what a model says that knows
 * nothing of files, only who knew what.
 */
#include "tests/histories.h"
#include "tests/suites.h"
#include "tests/word_world.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 64 };

/* What was said, and by whoever knew what: kept apart from any file. */
static struct model {
	int count;
	int64_t value[WORDS];
	uint64_t knew[WORDS];
	uint64_t hub, nodes[WORD_NODES], saved[WORD_NODES];
} model;

static void
model_say(int node, int64_t value)
{
	model.value[model.count] = value;
	model.knew[model.count] = model.nodes[node];
	model.nodes[node] |= (uint64_t)1 << model.count++;
}

/* The greatest of those that nobody knew who said another; `none` if nobody said anything. */
static int64_t
model_stands(int64_t none)
{
	uint64_t ended = 0;
	int64_t most = INT64_MIN;

	for (int i = 0; i < model.count; i++)
		ended |= model.knew[i];
	for (int i = 0; i < model.count; i++)
		if ((ended >> i & 1) == 0 && model.value[i] > most)
			most = model.value[i];
	return model.count == 0 ? none : most;
}

static void
model_meet(int i)
{
	if (world_draw(&word_world, 6) == 0) { /* the hub has it, the node doesn't hear */
		word_world.lose_reply = 1;
		(void)word_meet(i);
		word_world.lose_reply = 0;
		model.hub |= model.nodes[i];
		return;
	}
	ck_assert(word_meet(i));
	model.hub |= model.nodes[i];
	model.nodes[i] = model.hub;
}

static void
say_something(int node)
{
	bool there = world_int(&word_world.nodes[node], "SELECT count(*) FROM allergy") > 0;
	uint32_t what = world_draw(&word_world, 6);

	if (!there) {
		world_sql(&word_world.nodes[node], word_again[WORD_AGAIN - 1]);
		model_say(node, 1);
	} else if (what < 2) {
		world_sql(&word_world.nodes[node],
		          "UPDATE allergy SET active = 1 WHERE " WORD_NUTS);
		model_say(node, 1);
	} else if (what == 2 && world_int(&word_world.nodes[node], WORD_ACTIVE) == 1) {
		world_sql(&word_world.nodes[node], "UPDATE allergy SET severity = severity IS NOT 2"
		                                   " WHERE " WORD_NUTS);
		model_say(node, 1);
	} else {
		world_sql(&word_world.nodes[node], word_gone[world_draw(&word_world, WORD_GONE)]);
		model_say(node, 0);
	}
}

static void
move_enrollment(int node)
{
	char sql[100];
	int64_t to = 3 + world_draw(&word_world, 4);

	snprintf(sql, sizeof sql, "UPDATE enrollment SET status = %d WHERE id = x'0e'", (int)to);
	world_sql(&word_world.nodes[node], sql);
	model_say(node, to);
}

static void
random_walk(void (*say)(int), int seed)
{
	memset(&model, 0, sizeof model);
	word_world.random = (uint64_t)seed * 7919 + 1;
	for (int step = 0; step < 60 && model.count < WORDS; step++) {
		int node = (int)world_draw(&word_world, WORD_NODES);

		word_world.nodes[node].skew_ms = (int64_t)world_draw(&word_world, 60000) - 30000;
		world_wait(&word_world, world_draw(&word_world, 3000));
		if (world_draw(&word_world, 5) < 2)
			say(node);
		else
			model_meet(node);
	}
	word_meet_all(5);
	for (int i = 0; i < WORD_NODES; i++)
		model.hub |= model.nodes[i];
}

START_TEST(any_order_of_words_and_meetings_about_an_allergy)
{
	random_walk(say_something, _i);
	word_expect_active(model_stands(0));
	word_expect_level();
}
END_TEST

START_TEST(any_order_of_steps_of_an_enrolment)
{
	world_sql(&word_world.nodes[0], "INSERT INTO enrollment(id, facility_id, child_id)"
	                                " VALUES (x'0e', 'F1', x'01')");
	word_meet_all(2);
	random_walk(move_enrollment, _i);
	for (int i = 0; i < WORD_NODES; i++)
		ck_assert_int_eq(world_int(&word_world.nodes[i], "SELECT status FROM enrollment"),
		                 model_stands(3));
	ck_assert_int_eq(world_int(&word_world.hub, "SELECT status FROM enrollment"),
	                 model_stands(3));
	ck_assert_int_eq(world_int(&word_world.hub,
	                           "SELECT max(status) FROM enrollment_step WHERE ended = 0"),
	                 model_stands(3));
	word_expect_level();
}
END_TEST

Suite *
suite_law_words(void)
{
	Suite *suite = suite_create("law/words");
	TCase *tc = tcase_create("words");

	tcase_add_checked_fixture(tc, word_open, word_close);
	histories_add(tc, any_order_of_words_and_meetings_about_an_allergy, 40);
	histories_add(tc, any_order_of_steps_of_an_enrolment, 40);
	suite_add_tcase(suite, tc);
	return suite;
}
