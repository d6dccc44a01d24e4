/* tests/store_pg_head.c - what a part's head keeps in order: undone, waited for, tried again. */
#include "tests/pg_help.h"
#include "tests/suites.h"

#include "store/pg/feed.h"
#include "store/pg/tables.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
append(int part, const char *text, size_t count)
{
	struct store_pg_line lines[8];

	for (size_t i = 0; i < count; i++)
		lines[i] = (struct store_pg_line){ .scope = 1,
			                           .bytes = (const uint8_t *)text,
			                           .len = strlen(text) };
	pg_must(store_pg_feed_append(pg_hub, part, lines, count, &pg_err));
}

START_TEST(what_is_undone_gives_no_number)
{
	const int part = 3;
	struct store_pg_page page = { .part = part, .after = 1, .limit = 100 };
	struct arena a = { 0 };

	pg_must(store_pg_take(pg_hub, &part, 1, &pg_err));
	append(part, "first", 2);
	store_pg_head(pg_hub, part)->last_stamp = 77;
	store_pg_head(pg_hub, part)->hub_n = 5;
	pg_must(store_pg_leave(pg_hub, &pg_err));
	pg_must(store_pg_take(pg_hub, &part, 1, &pg_err));
	append(part, "undone", 3);
	store_pg_undo(pg_hub);
	pg_must(store_pg_take(pg_hub, &part, 1, &pg_err));
	ck_assert_int_eq(store_pg_head(pg_hub, part)->next, 3);
	ck_assert_int_eq(store_pg_head(pg_hub, part)->last_stamp, 77);
	ck_assert_int_eq(store_pg_head(pg_hub, part)->hub_n, 5);
	ck_assert_ptr_null(store_pg_head(pg_hub, part + 1));
	append(part, "second", 1);
	pg_must(store_pg_leave(pg_hub, &pg_err));
	pg_must(store_pg_feed_read(pg_hub, &page, &a, &pg_err));
	ck_assert_uint_eq(page.count, 2);
	ck_assert_int_eq(page.lines[1].n, 3);
	ck_assert_mem_eq(page.lines[1].bytes, "second", 6);
	pg_cluster_exec(pg_own, "DELETE FROM yz_feed WHERE n = 2");
	pg_refused(store_pg_feed_read(pg_hub, &page, &a, &pg_err), ERR_CORRUPT, "no line 2");
	arena_free(&a);
}
END_TEST

/* A second hub's transaction on the same part. */
static void
append_as_second(int part)
{
	struct store_pg_line line = { .scope = 1, .bytes = (const uint8_t *)"second", .len = 6 };
	struct store_pg *mine;

	if (store_pg_open(pg_conninfo, &mine, &pg_err) < 0 || store_pg_ready(mine, &pg_err) < 0 ||
	    store_pg_take(mine, &part, 1, &pg_err) < 0 ||
	    store_pg_feed_append(mine, part, &line, 1, &pg_err) < 0 ||
	    store_pg_leave(mine, &pg_err) < 0)
		_exit(1);
	store_pg_close(mine);
	_exit(0);
}

/* What a sequence would do wrong: the second would have number 2 committed before 1 is. */
START_TEST(the_second_waits_until_the_first_has_left)
{
	struct store_pg_page page = { .part = 2, .limit = 9 };
	struct arena a = { 0 };
	pid_t second;
	int status;

	pg_must(store_pg_take(pg_hub, &page.part, 1, &pg_err));
	append(page.part, "first", 1);
	second = fork();
	if (second == 0)
		append_as_second(page.part);
	while (pg_number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
	                 " AND query LIKE '%yz_part_head%'") == 0)
		ck_assert_int_eq(waitpid(second, &status, WNOHANG), 0);
	pg_must(store_pg_leave(pg_hub, &pg_err));
	ck_assert_int_eq(waitpid(second, &status, 0), second);
	ck_assert_int_eq(status, 0);
	pg_must(store_pg_feed_read(pg_hub, &page, &a, &pg_err));
	ck_assert_uint_eq(page.count, 2);
	ck_assert_mem_eq(page.lines[0].bytes, "first", 5);
	ck_assert_mem_eq(page.lines[1].bytes, "second", 6);
	arena_free(&a);
}
END_TEST

struct interrupted {
	int calls, cuts;
	int part;
};

/* The server ends our connection, as one that restarts does, in the middle. */
static int
append_and_be_cut(struct store_pg *by, void *ctx, struct err *failure)
{
	struct interrupted *i = ctx;
	struct store_pg_line line = { .scope = 1, .bytes = (const uint8_t *)"x", .len = 1 };
	int rc;

	i->calls++;
	rc = store_pg_feed_append(by, i->part, &line, 1, failure);
	if (rc == 0 && i->calls <= i->cuts)
		pg_cluster_exec(pg_own, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		                        " WHERE pid <> pg_backend_pid() AND state LIKE 'idle in%'"
		                        " AND query LIKE '%yz_feed%'");
	return rc;
}

START_TEST(work_goes_on_after_a_cut_connection)
{
	struct interrupted i = { .cuts = 2, .part = 1 };
	struct store_pg_work work = {
		.parts = &i.part, .part_count = 1, .tries = 5, .work = append_and_be_cut, .ctx = &i
	};

	pg_must(store_pg_do(pg_hub, &work, &pg_err));
	ck_assert_int_eq(i.calls, 3);
	ck_assert_int_eq(pg_number("SELECT count(*) FROM yz_feed"), 1);
	ck_assert_int_eq(pg_number("SELECT next FROM yz_part_head WHERE part = 1"), 2);
	i = (struct interrupted){ .cuts = 9, .part = 1 };
	work.tries = 2;
	ck_assert_int_eq(store_pg_do(pg_hub, &work, &pg_err), ERR_BUSY);
	ck_assert_int_eq(i.calls, 2);
}
END_TEST

Suite *
suite_store_pg_head(void)
{
	Suite *suite = suite_create("store/pg_head");
	TCase *tcase = tcase_create("pg_head");

	tcase_set_timeout(tcase, 30);
	tcase_set_tags(tcase, "postgres");
	tcase_add_unchecked_fixture(tcase, pg_cluster_begin, NULL);
	tcase_add_checked_fixture(tcase, pg_begin, pg_end);
	tcase_add_test(tcase, what_is_undone_gives_no_number);
	tcase_add_test(tcase, the_second_waits_until_the_first_has_left);
	tcase_add_test(tcase, work_goes_on_after_a_cut_connection);
	suite_add_tcase(suite, tcase);
	return suite;
}
