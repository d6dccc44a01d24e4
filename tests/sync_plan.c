/* What goes to the peer of one stream: every line of the table in sync/exchange/plan.h, and what it
 * rests on. */
#include "sync/exchange/plan.h"
#include "tests/suites.h"

#include <check.h>

static const struct {
	uint64_t n, has;
	enum sync_plan_same same;
	enum sync_plan_have have;
} lies[] = {
	{ 0, 0, SYNC_SAME_YES, SYNC_HAVE_LEVEL },     { 7, 7, SYNC_SAME_YES, SYNC_HAVE_LEVEL },
	{ 7, 6, SYNC_SAME_YES, SYNC_HAVE_BEHIND },    { 7, 0, SYNC_SAME_YES, SYNC_HAVE_BEHIND },
	{ 7, 8, SYNC_SAME_YES, SYNC_HAVE_AHEAD },     { 7, 7, SYNC_SAME_NO, SYNC_HAVE_APART },
	{ 7, 3, SYNC_SAME_NO, SYNC_HAVE_APART },      { 7, 9, SYNC_SAME_NO, SYNC_HAVE_APART },
	{ 7, 3, SYNC_SAME_UNTOLD, SYNC_HAVE_UNTOLD }, { 7, 7, SYNC_SAME_UNTOLD, SYNC_HAVE_UNTOLD },
};

START_TEST(how_two_lie_to_each_other)
{
	ck_assert_int_eq(sync_plan_compare(lies[_i].n, lies[_i].has, lies[_i].same), lies[_i].have);
}
END_TEST

static const enum sync_plan_step steps[SYNC_PEER_COUNT][SYNC_HAVE_COUNT] = {
	/* level, behind, ahead, apart, untold */
	[SYNC_PEER_WRITES] = { SYNC_PLAN_SAY, SYNC_PLAN_SAY, SYNC_PLAN_SAY, SYNC_PLAN_FORK,
	                       SYNC_PLAN_SAY },
	[SYNC_PEER_WROTE] = { SYNC_PLAN_SAY, SYNC_PLAN_SEND, SYNC_PLAN_SAY, SYNC_PLAN_FORK,
	                      SYNC_PLAN_SAY },
	[SYNC_PEER_READS] = { SYNC_PLAN_NOTHING, SYNC_PLAN_SEND, SYNC_PLAN_SAY, SYNC_PLAN_FORK,
	                      SYNC_PLAN_SAY },
};

START_TEST(what_goes_to_whom)
{
	for (int have = 0; have < SYNC_HAVE_COUNT; have++)
		ck_assert_int_eq(sync_plan_step((enum sync_plan_peer)_i, (enum sync_plan_have)have),
		                 steps[_i][have]);
}
END_TEST

/* Nothing is sent to who would have to forget something first. */
START_TEST(only_who_is_behind_is_sent_to)
{
	for (int peer = 0; peer < SYNC_PEER_COUNT; peer++)
		for (int have = 0; have < SYNC_HAVE_COUNT; have++)
			ck_assert(have == SYNC_HAVE_BEHIND ||
			          sync_plan_step((enum sync_plan_peer)peer,
			                         (enum sync_plan_have)have) != SYNC_PLAN_SEND);
}
END_TEST

Suite *
suite_sync_plan(void)
{
	Suite *suite = suite_create("sync/plan");
	TCase *tc = tcase_create("plan");

	tcase_add_loop_test(tc, how_two_lie_to_each_other, 0, (int)(sizeof lies / sizeof lies[0]));
	tcase_add_loop_test(tc, what_goes_to_whom, 0, SYNC_PEER_COUNT);
	tcase_add_test(tc, only_who_is_behind_is_sent_to);
	suite_add_tcase(suite, tc);
	return suite;
}
