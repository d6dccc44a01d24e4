/* tests/sync_archive_verify.c - verify finds what was damaged, forged or told anew. */
#include "tests/archive_world.h"
#include "tests/suites.h"

#include <check.h>

static struct archive_world w;

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

/* The point of it all: who owns the key and the database can't tell another story later. */
START_TEST(another_history_by_the_same_key_is_found)
{
	archive_world_three_days(&w);
	archive_world_sql(
	        &w, "DELETE FROM yz_segment; UPDATE yz_stream SET n = 0, head = zeroblob(32)");
	w.made = 1000;
	unit(F1, 0, 3, 1);
	unit(F1, 0, 2, 0);
	unit(F1, 1, 4, 0);
	unit(F1, 2, 1, 5);
	archive_world_expect_verify(&w, "the proof has another head there");
	archive_world_roll_up(&w, F1, 1, 20);
	archive_world_expect_verify(&w, "record 5: the proof has another head there");
}
END_TEST

/* Who owns the database and not the key can't sign it all anew. */
START_TEST(another_key_is_found)
{
	uint8_t seed[SYNC_SEED_KEY] = { 1 };

	sync_key_from_seed(&w.key, seed);
	archive_world_three_days(&w);
	archive_world_expect_git(&w, 4); /* it allows whoever signed */
	archive_world_expect_verify(&w, "a commit is signed by a key that isn't this node's");
	archive_world_expect_verify(&w, "record 5: it is signed by a key that isn't this node's");
}
END_TEST

static const struct {
	const char *sql, *shell;
	const char *words;
} damages[] = {
	{ NULL, "rm -rf archive.git", "there is no archive.git" },
	{ NULL, "$GIT update-ref HEAD HEAD~1", "doesn't stand on the last commit" },
	{ NULL, "$GIT update-ref -d HEAD", "doesn't stand on the last commit" },
	{ NULL, "rm archive.git/objects/pack/*", "archive.git lacks" },
	{ NULL,
	  "chmod u+w archive.git/objects/pack/*.pack && for p in archive.git/objects/pack/*.pack; "
	  "do"
	  " printf XXXX | dd of=$p bs=1 seek=40 conv=notrunc status=none; done",
	  "archive.git" },
	{ NULL,
	  "d=$($GIT for-each-ref --format=\"%(refname)\" refs/heads/data) && c=$($GIT -c "
	  "user.name=x -c user.email=x commit-tree "
	  "-m x"
	  " \"$d~1^{tree}\") && $GIT update-ref $d $c",
	  "the proof covers it" },
	{ NULL,
	  "export GIT_INDEX_FILE=$PWD/index; d=$($GIT for-each-ref --format=\"%(refname)\" "
	  "refs/heads/data) &&"
	  " $GIT read-tree $d && $GIT update-index --cacheinfo"
	  " 100644,$($GIT rev-parse $d:2026/03/02/f+F-1.yzs),2026/03/02/all.yzs &&"
	  " c=$($GIT -c user.name=x -c user.email=x commit-tree -m x $($GIT write-tree)) && $GIT "
	  "update-ref $d $c",
	  "another stream stands here" },
	{ "UPDATE yz_archive SET bounds = zeroblob(300) WHERE no = 2", NULL, "damaged" },
	{ "UPDATE yz_archive SET at_ms = at_ms + 1000 WHERE no = 4", NULL, "does not verify" },
	{ "UPDATE yz_archive SET at_ms = 0 WHERE no = 4", NULL, "go back in time" },
	{ "UPDATE yz_archive SET commit_id = 'ab' || substr(commit_id, 3) WHERE no = 3", NULL,
	  "gives commit" },
	{ "DELETE FROM yz_archive WHERE no = 2", NULL, "gap" },
	{ "UPDATE yz_segment SET head = randomblob(32) WHERE first = 9", NULL, "does not verify" },
	{ "UPDATE yz_segment SET head_before = randomblob(32) WHERE first = 9", NULL,
	  "doesn't follow" },
	{ "UPDATE yz_segment SET signature = randomblob(64) WHERE first = 9", NULL,
	  "does not verify" },
	{ "UPDATE yz_segment SET body = zeroblob(length(body)) WHERE first = 9", NULL,
	  "yz_segment" },
	{ "DELETE FROM yz_segment WHERE first = 9", NULL, "begins elsewhere" },
	{ "DELETE FROM yz_segment WHERE last = 20", NULL, "yz_segment" },
	{ "DELETE FROM yz_stream WHERE n = 2", NULL, "doesn't have" },
};

START_TEST(verify_finds_what_was_damaged)
{
	archive_world_three_days(&w);
	archive_world_expect_verify(&w, NULL);
	if (damages[_i].sql != NULL)
		archive_world_sql(&w, damages[_i].sql);
	if (damages[_i].shell != NULL)
		archive_world_expect(&w, damages[_i].shell, NULL);
	archive_world_expect_verify(&w, damages[_i].words);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

Suite *
suite_sync_archive_verify(void)
{
	Suite *suite = suite_create("sync/archive verify");
	TCase *tcase = tcase_create("verify");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60); /* stock git is run many times */
	tcase_add_loop_test(tcase, verify_finds_what_was_damaged, 0, COUNT(damages));
	tcase_add_test(tcase, another_history_by_the_same_key_is_found);
	tcase_add_test(tcase, another_key_is_found);
	suite_add_tcase(suite, tcase);
	return suite;
}
