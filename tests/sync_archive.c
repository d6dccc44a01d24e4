/* tests/sync_archive.c - proof that never changes, data that can; stock git agrees. */
#include "tests/archive_world.h"
#include "tests/suites.h"

#include "store/base/file.h"
#include "store/base/text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct archive_world w;
static struct err err;

#define F1 "f/F-1"

static void
set_up(void)
{
	archive_world_open(&w);
}

static void
tear_down(void)
{
	archive_world_close(&w);
}

static void
unit(const char *scope, int day, unsigned events, unsigned growth)
{
	archive_world_unit(&w, &(struct archive_unit){ scope, day, { events, growth } }, true);
}

/* ---------------------------------------------------------------- rounds */

START_TEST(a_round_is_one_signed_commit_a_person_can_read)
{
	unit(F1, 0, 3, 2);
	unit("all", 0, 1, 0);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	ck_assert_uint_eq(w.result.files, 2);
	ck_assert_uint_eq(w.result.unproven, 0);
	archive_world_expect(&w, "$GIT log --format=%s HEAD", "4 attendance, 2 growth\n");
	archive_world_expect(&w, "$GIT log --format=%an,%cn,%at HEAD",
	                     "Sunflower House,Sunflower House,1772413200\n");
	archive_world_expect(
	        &w, "$GIT log -1 --format=\"%(trailers:key=Stream,key=Records)\" HEAD | sort",
	        "\nRecords: 1-2\nRecords: 1-6\nStream: all\nStream: " F1 "\n");
	archive_world_expect(&w, "$GIT ls-tree --name-only HEAD", "all\nf+F-1\n");
	archive_world_expect(&w, "$GIT show HEAD:f+F-1 | head -2", "stream " F1 "\nrecords 6\n");
	archive_world_expect(
	        &w,
	        "$GIT ls-tree -r --name-only $($GIT for-each-ref --format=\"%(refname)\" "
	        "refs/heads/data)",
	        "2026/03/02/all.yzs\n2026/03/02/f+F-1.yzs\n");
	archive_world_expect_git(&w, 1);
	archive_world_expect_verify(&w, NULL);
}
END_TEST

START_TEST(nothing_new_makes_no_commit)
{
	ck_assert_uint_eq(archive_world_round(&w), 0);
	ck_assert_str_eq(w.result.head, "");
	unit(F1, 0, 1, 0);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	ck_assert_uint_eq(archive_world_round(&w), 0);
	ck_assert_uint_eq(w.result.files, 0);
	archive_world_expect_git(&w, 1);
}
END_TEST

START_TEST(only_signed_records_are_archived)
{
	unit(F1, 0, 1, 0);
	archive_world_unit(&w, &(struct archive_unit){ F1, 0, { 7, 0 } }, false);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	archive_world_expect(&w, "$GIT log --format=%s HEAD", "1 attendance\n");
	unit(F1, 0, 2, 0); /* its signature speaks for the unsigned one before it too */
	ck_assert_uint_eq(archive_world_round(&w), 1);
	archive_world_expect(&w, "$GIT log -1 --format=%s HEAD", "9 attendance\n");
}
END_TEST

START_TEST(commit_times_never_go_back)
{
	unit(F1, 0, 1, 0);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	w.now_ms -= 86400000;
	unit(F1, 0, 1, 0);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	archive_world_expect(&w, "$GIT log --format=%ct HEAD | uniq", "1772413200\n");
	archive_world_expect_verify(&w, NULL);
}
END_TEST

START_TEST(a_clock_set_back_keeps_records_in_order)
{
	unit(F1, 1, 1, 0);
	unit(F1, 0, 1, 0);
	unit(F1, 2, 1, 0);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	ck_assert_uint_eq(w.result.files, 2);
	archive_world_expect_verify(&w, NULL);
}
END_TEST

START_TEST(only_our_own_streams_are_archived)
{
	struct sync_site own = w.site;

	memset(w.site.node, 0xee, sizeof w.site.node);
	unit(F1, 0, 5, 5);
	w.site = own;
	ck_assert_uint_eq(archive_world_round(&w), 0);
	unit(F1, 0, 1, 0);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	archive_world_expect(&w, "$GIT log --format=%s HEAD", "1 attendance\n");
}
END_TEST

START_TEST(a_new_epoch_begins_a_branch_and_leaves_the_old_one)
{
	char old[SYNC_ARCHIVE_ID + 1];

	archive_world_three_days(&w);
	memcpy(old, w.result.head, sizeof old);
	archive_world_new_epoch(&w, 2);
	unit(F1, 3, 2, 0);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	archive_world_expect(&w, "$GIT rev-list --count HEAD", "1\n");
	ck_assert_str_ne(old, w.result.head);
	archive_world_expect_git(&w, 5);
	archive_world_expect_verify(&w, NULL);
	ck_assert_int_eq(sync_archive_rebuild(w.db, w.dir, &w.result, &err), 0);
	archive_world_expect_git(&w, 5);
	archive_world_expect(&w, "$GIT for-each-ref refs/heads | wc -l", "4\n");
	archive_world_expect_verify(&w, NULL);
}
END_TEST

START_TEST(names_that_git_would_refuse_are_cleaned)
{
	static const char *const names[] = { "", " \n ", "<script>", "a\nb", "向日葵" };
	static const char *const shown[] = { "yizhan", "yizhan", "script", "a b", "向日葵" };
	struct sync_archive_job job;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char want[64];

		unit("s/../.git", 0, 1, 0);
		job = archive_world_job(&w);
		job.name = names[i];
		ck_assert_int_eq(sync_archive_now(w.db, &job, &w.result, &err), 0);
		snprintf(want, sizeof want, "%s\n", shown[i]);
		archive_world_expect(&w, "$GIT log -1 --format=%an HEAD | sed s/\\ *$//", want);
	}
	archive_world_expect(&w, "$GIT ls-tree --name-only HEAD", "s+..+.git\n");
	archive_world_expect_git(&w, 5);
}
END_TEST

/* ---------------------------------------------------------------- the same again */

/* The bytes of a commit must never change: archives of today are verified in ten years. */
START_TEST(the_same_world_gives_this_commit)
{
	archive_world_three_days(&w);
	ck_assert_str_eq(w.result.head, "7c5d4f0829262e0599817dcd573d8e56ab86b6cf");
}
END_TEST

START_TEST(deleted_and_rebuilt_the_proof_is_identical)
{
	char head[SYNC_ARCHIVE_ID + 1];
	uint8_t seed[SYNC_SEED_KEY] = { 9 };

	archive_world_three_days(&w);
	sync_key_from_seed(&w.key, seed); /* the key is rotated meanwhile */
	unit(F1, 3, 1, 0);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	memcpy(head, w.result.head, sizeof head);
	sync_key_wipe(&w.key);
	archive_world_expect(&w, "rm -rf archive.git allowed_signers", NULL);
	ck_assert_msg(sync_archive_rebuild(w.db, w.dir, &w.result, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(w.result.head, head);
	ck_assert_uint_eq(w.result.commits, 5);
	archive_world_expect(&w, "wc -l < allowed_signers", "2\n");
	archive_world_expect_git(&w, 5);
	archive_world_expect_verify(&w, "a key that isn't this node's");
	w.rotated = true;
	archive_world_expect_verify(&w, NULL);
}
END_TEST

/* A power cut between row and commit: the repository is as it was before `cut` rounds. */
START_TEST(rows_without_a_commit_are_made_up_for)
{
	char head[SYNC_ARCHIVE_ID + 1];
	int rounds_before = _i;

	for (int i = 0; i < 4; i++) {
		if (i == rounds_before)
			archive_world_expect(&w, "cp -r archive.git before 2>/dev/null || true",
			                     NULL);
		unit(F1, i, 2, 1);
		ck_assert_uint_eq(archive_world_round(&w), 1);
	}
	memcpy(head, w.result.head, sizeof head);
	archive_world_expect(
	        &w, "rm -rf archive.git && { test ! -d before || mv before archive.git; }", NULL);
	ck_assert_uint_eq(archive_world_round(&w), 4 - (size_t)rounds_before);
	ck_assert_str_eq(w.result.head, head);
	archive_world_expect_git(&w, 4);
	archive_world_expect_verify(&w, NULL);
}
END_TEST

START_TEST(half_a_rebuild_is_no_obstacle)
{
	archive_world_three_days(&w);
	archive_world_expect(&w, "mv archive.git archive.git.new", NULL);
	ck_assert_uint_eq(archive_world_round(&w), 4);
	ck_assert_int_eq(sync_archive_rebuild(w.db, w.dir, &w.result, &err), 0);
	archive_world_expect(&w, "test ! -e archive.git.new", NULL);
	archive_world_expect_git(&w, 4);
}
END_TEST

START_TEST(commits_that_the_database_does_not_know_are_kept)
{
	struct sync_archive_job job = archive_world_job(&w);

	archive_world_three_days(&w);
	archive_world_sql(&w, "DELETE FROM yz_archive WHERE no = 4"); /* restored from a backup */
	ck_assert_int_eq(sync_archive_now(w.db, &job, &w.result, &err), ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "doesn't know"));
	ck_assert_int_eq(sync_archive_rebuild(w.db, w.dir, &w.result, &err), ERR_INVALID);
	archive_world_expect_git(&w, 4);
}
END_TEST

START_TEST(many_packs_become_one)
{
	char head[SYNC_ARCHIVE_ID + 1];

	archive_world_three_days(&w);
	memcpy(head, w.result.head, sizeof head);
	archive_world_expect(
	        &w,
	        "cd archive.git && git config remote.usb.url /media/usb && cd objects/pack &&"
	        " for i in $(seq 50); do : > pack-$i.pack; done",
	        NULL);
	ck_assert_uint_eq(archive_world_round(&w), 0);
	archive_world_expect(&w, "ls archive.git/objects/pack/*.pack | wc -l", "1\n");
	archive_world_expect(&w, "$GIT config remote.usb.url", "/media/usb\n");
	archive_world_expect(&w, "$GIT log -1 --format=%s HEAD", "5 growth, 1 attendance\n");
	archive_world_expect_git(&w, 4);
	archive_world_expect_verify(&w, NULL);
}
END_TEST

/* The disk is full, or so: the row is there, the commit isn't. */
START_TEST(a_round_that_could_not_write_is_made_up_for)
{
	struct sync_archive_job job;

	unit(F1, 0, 1, 0);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	archive_world_expect(&w, "cd archive.git/objects && mv pack aside && touch pack", NULL);
	unit(F1, 0, 2, 0);
	job = archive_world_job(&w);
	ck_assert_int_lt(sync_archive_now(w.db, &job, &w.result, &err), 0);
	archive_world_expect(&w, "cd archive.git/objects && rm pack && mv aside pack", NULL);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	archive_world_expect(&w, "$GIT log -1 --format=%s HEAD", "2 attendance\n");
	archive_world_expect_git(&w, 2);
	archive_world_expect_verify(&w, NULL);
}
END_TEST

START_TEST(a_lock_left_by_a_killed_process_is_no_obstacle)
{
	unit(F1, 0, 1, 0);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	unit(F1, 0, 1, 0);
	archive_world_expect(&w,
	                     "cd archive.git && for r in $(git for-each-ref "
	                     "--format=\"%(refname)\"); do : > "
	                     "$r.lock; done &&"
	                     " : > HEAD.lock",
	                     NULL);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	archive_world_expect_git(&w, 2);
}
END_TEST

START_TEST(a_repository_without_its_objects_asks_for_a_rebuild)
{
	struct sync_archive_job job = archive_world_job(&w);

	archive_world_three_days(&w);
	archive_world_expect(&w, "rm archive.git/objects/pack/*", NULL);
	ck_assert_int_lt(sync_archive_now(w.db, &job, &w.result, &err), 0);
	ck_assert_msg(strstr(err.msg, "; run archive rebuild") != NULL, "%s", err.msg);
	ck_assert_int_eq(sync_archive_rebuild(w.db, w.dir, &w.result, &err), 0);
	archive_world_expect_git(&w, 4);
	archive_world_expect_verify(&w, NULL);
}
END_TEST

/* ---------------------------------------------------------------- data that changes */

START_TEST(a_rolled_up_day_takes_the_place_of_its_segments)
{
	char head[SYNC_ARCHIVE_ID + 1];

	archive_world_three_days(&w);
	memcpy(head, w.result.head, sizeof head);
	archive_world_roll_up(&w, F1, 1, 8); /* day 0: the first commit's head is inside now */
	ck_assert_uint_eq(archive_world_round(&w), 0);
	ck_assert_uint_eq(w.result.files, 1);
	archive_world_expect_verify(&w, NULL);
	ck_assert_int_eq(sync_archive_rebuild(w.db, w.dir, &w.result, &err), 0);
	ck_assert_str_eq(w.result.head, head);
	archive_world_expect_git(&w, 4);
	archive_world_expect_verify(&w, NULL);
}
END_TEST

START_TEST(what_was_erased_is_gone_after_a_rebuild)
{
	char head[SYNC_ARCHIVE_ID + 1];
	static const char data_blob[] =
	        "$GIT rev-parse \"data/$($GIT branch --format=\"%(refname:lstrip=3)\""
	        " --list \"data/*\"):2026/03/02/f+F-1.yzs\"";
	struct buf blob = { 0 }, look = { 0 };

	archive_world_three_days(&w);
	memcpy(head, w.result.head, sizeof head);
	ck_assert_int_eq(archive_world_shell(&w, &blob, data_blob), 0);
	archive_world_redact(&w, F1, 3);
	ck_assert_int_eq(sync_archive_rebuild(w.db, w.dir, &w.result, &err), 0);
	ck_assert_str_eq(w.result.head, head);
	buf_printf(&look, "$GIT cat-file -e %.40s", buf_str(&blob));
	ck_assert_int_ne(archive_world_shell(&w, NULL, buf_str(&look)), 0);
	archive_world_expect_git(&w, 4);
	archive_world_expect_verify(&w, NULL);
	buf_free(&blob);
	buf_free(&look);
}
END_TEST

START_TEST(heads_inside_an_erased_day_are_found_again)
{
	archive_world_three_days(&w);
	archive_world_redact(&w, F1, 3);
	archive_world_roll_up(&w, F1, 1, 8);
	ck_assert_uint_eq(archive_world_round(&w), 0);
	archive_world_expect_verify(&w, NULL);
}
END_TEST

START_TEST(erased_records_are_counted_as_such)
{
	unit(F1, 0, 3, 1);
	archive_world_redact(&w, F1, 3);
	ck_assert_uint_eq(archive_world_round(&w), 1);
	archive_world_expect(&w, "$GIT log --format=%s HEAD", "2 attendance, 1 growth, 1 erased\n");
}
END_TEST

START_TEST(rot_in_the_database_does_not_reach_the_archive)
{
	archive_world_three_days(&w);
	archive_world_sql(&w,
	                  "UPDATE yz_segment SET body = zeroblob(length(body)) WHERE first = 1");
	ck_assert_uint_eq(archive_world_round(&w), 0);
	ck_assert_uint_eq(w.result.files, 0);
	ck_assert_uint_eq(w.result.unproven, 2); /* both streams' first day */
	archive_world_expect_verify(&w, "yz_segment");
	unit(F1, 3, 1, 1);
	ck_assert_uint_eq(archive_world_round(&w), 1); /* the proof goes on */
}
END_TEST

START_TEST(a_day_that_lost_its_signature_stays_as_it_was)
{
	archive_world_three_days(&w);
	archive_world_sql(&w, "UPDATE yz_segment SET signature = NULL WHERE first = 9");
	ck_assert_uint_eq(archive_world_round(&w), 0);
	ck_assert_uint_eq(w.result.unproven, 1);
	archive_world_expect(&w,
	                     "$GIT ls-tree -r --name-only $($GIT for-each-ref "
	                     "--format=\"%(refname)\" refs/heads/data)"
	                     " | wc -l",
	                     "4\n");
}
END_TEST

START_TEST(what_can_not_be_read_is_counted_without_names)
{
	unit(F1, 0, 3, 1);
	archive_world_sql(&w, "UPDATE yz_segment SET body = zeroblob(length(body))");
	ck_assert_uint_eq(archive_world_round(&w), 1);
	ck_assert_uint_eq(w.result.unproven, 1);
	archive_world_expect(&w, "$GIT log --format=%s HEAD", "5 records\n");
	archive_world_expect(&w, "$GIT for-each-ref refs/heads/data", "");
	archive_world_expect_git(&w, 1);
}
END_TEST

/* ---------------------------------------------------------------- log and commit_for */

START_TEST(the_log_tells_what_each_commit_brought)
{
	struct sync_archive_entry *list;
	struct arena a = { 0 };
	size_t count;

	archive_world_three_days(&w);
	ck_assert_int_eq(sync_archive_log(w.db, &a, &list, &count, &err), 0);
	ck_assert_uint_eq(count, 4);
	ck_assert_str_eq(list[0].subject, "3 attendance, 1 growth");
	ck_assert_str_eq(list[1].subject, "2 attendance, 1 growth");
	ck_assert_str_eq(list[3].commit, w.result.head);
	ck_assert_str_eq(list[3].branch, w.result.branch);
	ck_assert_uint_eq(list[1].bound_count, 2);
	ck_assert_uint_eq(list[2].bound_count, 1);
	ck_assert_uint_eq(list[2].bounds[0].before, 8);
	ck_assert_uint_eq(list[2].bounds[0].n, 13);
	for (size_t i = 1; i < count; i++)
		ck_assert_int_ge(list[i].at_ms, list[i - 1].at_ms);
	arena_free(&a);
}
END_TEST

static const struct {
	const char *scope;
	uint64_t n;
	size_t commit; /* 0: none */
} covered[] = { { F1, 1, 1 },  { F1, 5, 1 },  { F1, 6, 2 },    { F1, 8, 2 },    { F1, 9, 3 },
	        { F1, 20, 4 }, { F1, 21, 0 }, { "all", 1, 2 }, { "all", 3, 0 }, { "hub", 1, 0 } };

START_TEST(the_first_commit_that_covers_a_record)
{
	struct sync_archive_entry *list;
	struct arena a = { 0 };
	char got[SYNC_ARCHIVE_ID + 1];
	size_t count;
	int rc;

	archive_world_three_days(&w);
	ck_assert_int_eq(sync_archive_log(w.db, &a, &list, &count, &err), 0);
	rc = sync_archive_commit_for(w.db, &w.site, covered[_i].scope, covered[_i].n, got, &err);
	ck_assert_int_eq(rc, covered[_i].commit == 0 ? ERR_NOTFOUND : 0);
	if (rc == 0)
		ck_assert_str_eq(got, list[covered[_i].commit - 1].commit);
	arena_free(&a);
}
END_TEST

START_TEST(allowed_signers_keeps_the_lines_of_others)
{
	static const char others[] = "# ours\nhub namespaces=\"git\" ssh-ed25519 AAAA";
	char path[128];

	snprintf(path, sizeof path, "%s/allowed_signers", w.dir);
	ck_assert_int_eq(file_replace(path, others, strlen(others), &err), 0);
	archive_world_three_days(&w);
	archive_world_expect(&w, "head -1 allowed_signers && wc -l < allowed_signers",
	                     "# ours\n3\n");
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

Suite *
suite_sync_archive(void)
{
	Suite *suite = suite_create("sync/archive");
	TCase *tcase = tcase_create("archive");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60); /* stock git is run many times */
	tcase_add_test(tcase, a_round_is_one_signed_commit_a_person_can_read);
	tcase_add_test(tcase, nothing_new_makes_no_commit);
	tcase_add_test(tcase, only_signed_records_are_archived);
	tcase_add_test(tcase, commit_times_never_go_back);
	tcase_add_test(tcase, a_clock_set_back_keeps_records_in_order);
	tcase_add_test(tcase, only_our_own_streams_are_archived);
	tcase_add_test(tcase, a_new_epoch_begins_a_branch_and_leaves_the_old_one);
	tcase_add_test(tcase, names_that_git_would_refuse_are_cleaned);
	tcase_add_test(tcase, the_same_world_gives_this_commit);
	tcase_add_test(tcase, deleted_and_rebuilt_the_proof_is_identical);
	tcase_add_loop_test(tcase, rows_without_a_commit_are_made_up_for, 0, 4);
	tcase_add_test(tcase, half_a_rebuild_is_no_obstacle);
	tcase_add_test(tcase, commits_that_the_database_does_not_know_are_kept);
	tcase_add_test(tcase, many_packs_become_one);
	tcase_add_test(tcase, a_round_that_could_not_write_is_made_up_for);
	tcase_add_test(tcase, a_lock_left_by_a_killed_process_is_no_obstacle);
	tcase_add_test(tcase, a_repository_without_its_objects_asks_for_a_rebuild);
	tcase_add_test(tcase, a_rolled_up_day_takes_the_place_of_its_segments);
	tcase_add_test(tcase, what_was_erased_is_gone_after_a_rebuild);
	tcase_add_test(tcase, heads_inside_an_erased_day_are_found_again);
	tcase_add_test(tcase, erased_records_are_counted_as_such);
	tcase_add_test(tcase, rot_in_the_database_does_not_reach_the_archive);
	tcase_add_test(tcase, a_day_that_lost_its_signature_stays_as_it_was);
	tcase_add_test(tcase, what_can_not_be_read_is_counted_without_names);
	tcase_add_test(tcase, the_log_tells_what_each_commit_brought);
	tcase_add_loop_test(tcase, the_first_commit_that_covers_a_record, 0, COUNT(covered));
	tcase_add_test(tcase, allowed_signers_keeps_the_lines_of_others);
	suite_add_tcase(suite, tcase);
	return suite;
}
