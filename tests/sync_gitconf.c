/* tests/sync_gitconf.c - settings files are read as git reads them, and complaints name the line.
 */
#include "tests/suites.h"

#include "store/base/buf.h"
#include "store/base/file.h"
#include "sync/archive/gitconf.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static char path[128];
static struct err err;
static struct sync_gitconf *conf;

static void
make_folder(void)
{
	snprintf(folder, sizeof folder, "/tmp/check-gitconf.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/node.conf", folder);
}

static void
remove_folder(void)
{
	sync_gitconf_close(conf);
	conf = NULL;
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0); /* fails if a copy or a lock was left */
}

static void
write_file(const char *text)
{
	ck_assert_int_eq(file_replace(path, text, strlen(text), &err), 0);
}

static void
open_with(const char *text)
{
	sync_gitconf_close(conf);
	conf = NULL;
	write_file(text);
	ck_assert_msg(sync_gitconf_open(path, &conf, &err) == 0, "%s", err.msg);
}

static void
expect_file(const char *want)
{
	struct buf got = { 0 };

	ck_assert_int_eq(file_read(path, SYNC_GITCONF_MAX, &got, &err), 0);
	ck_assert_str_eq(buf_str(&got), want);
	buf_free(&got);
}

/* The message has the file, this line and these words. */
static void
expect_words(int line, const char *words)
{
	char place[160];

	snprintf(place, sizeof place, "%s:%d:", path, line);
	ck_assert_msg(strncmp(err.msg, place, strlen(place)) == 0, "'%s' does not begin with '%s'",
	              err.msg, place);
	ck_assert_msg(strstr(err.msg, words) != NULL, "'%s' does not say '%s'", err.msg, words);
}

static const struct {
	const char *text, *key;
	int64_t want;
	bool good;
} numbers[] = {
	{ "[a]\nb = 17", "a.b", 17, true },
	{ "[a]\nb = -3", "a.b", -3, true },
	{ "[A]\nB = 2k", "a.b", 2048, true },
	{ "[a]\nb = 2m ; two", "A.b", 2 << 20, true },
	{ "[a]\nb = 3g", "a.B", 3LL << 30, true },
	{ "[a] b = 5", "a.b", 5, true },
	{ "[a]\nb = 1\nb = 9", "a.b", 9, true },
	{ "[a \"X.y\"]\nb = 4", "a.X.y.b", 4, true },
	{ "[a \"X.y\"]\nb = 4", "a.x.y.b", -77, true },
	{ "[a]\nc = 1", "a.b", -77, true },
	{ "", "a.b", -77, true },
	{ "[a]\nb = many", "a.b", 0, false },
	{ "[a]\nb = 1x", "a.b", 0, false },
	{ "[a]\nb =", "a.b", 0, false },
	{ "[a]\nb", "a.b", 0, false },
	{ "[a]\nb = 9223372036854775808", "a.b", 0, false },
};

START_TEST(whole_numbers_with_units)
{
	int64_t got = 0;

	open_with(numbers[_i].text);
	ck_assert_int_eq(sync_gitconf_int(conf, numbers[_i].key, -77, &got, &err),
	                 numbers[_i].good ? 0 : ERR_INVALID);
	if (numbers[_i].good)
		ck_assert_int_eq(got, numbers[_i].want);
	else
		expect_words(2, "a.b must be a whole number");
}
END_TEST

static const struct {
	const char *text;
	int want; /* -1: refused */
} switches[] = {
	{ "[a]\nb", 1 },          { "[a]\nb = yes", 1 }, { "[a]\nb = on", 1 },
	{ "[a]\nb = TRUE", 1 },   { "[a]\nb = 1", 1 },   { "[a]\nb = false", 0 },
	{ "[a]\nb = no", 0 },     { "[a]\nb = off", 0 }, { "[a]\nb = 0", 0 },
	{ "[a]\nb =", 0 },        { "[a]\n", 1 },        { "[a]\nb = maybe", -1 },
	{ "[a]\nb = \"on\"", 1 },
};

START_TEST(switches_in_every_spelling)
{
	bool got = false;
	int rc;

	open_with(switches[_i].text);
	rc = sync_gitconf_bool(conf, "a.b", true, &got, &err);
	if (switches[_i].want < 0)
		expect_words(2, "true or false");
	else
		ck_assert_int_eq(got, switches[_i].want);
	ck_assert_int_eq(rc, switches[_i].want < 0 ? ERR_INVALID : 0);
}
END_TEST

static const struct {
	const char *text, *want;
} texts[] = {
	{ "[n]\nname = Sunflower House  # the big one", "Sunflower House" },
	{ "[n]\nname = \" kept # \\\"so\\\" \"", " kept # \"so\" " },
	{ "[n]\nname = one \\\n two", "one  two" },
	{ "[n]\nname = 向日葵", "向日葵" },
	{ "[n]\nname =", "" },
	{ "[n]\nother = x", "unset" },
};

START_TEST(texts_as_git_reads_them)
{
	const char *got = NULL;

	open_with(texts[_i].text);
	ck_assert_int_eq(sync_gitconf_text(conf, "n.name", "unset", &got, &err), 0);
	ck_assert_str_eq(got, texts[_i].want);
}
END_TEST

static int
collect(void *ctx, const char *value, struct err *e)
{
	struct buf *all = ctx;

	buf_printf(all, "<%s>", value);
	return strcmp(value, "stop") == 0 ? err_set(e, ERR_INVALID, "stopped") : 0;
}

START_TEST(lists_keep_the_order_of_the_file)
{
	struct buf all = { 0 };

	open_with("[w]\nurl = b\n[x]\nurl = no\n[w]\nurl = a\n");
	ck_assert_int_eq(sync_gitconf_list(conf, "w.url", collect, &all, &err), 0);
	ck_assert_str_eq(buf_str(&all), "<b><a>");
	buf_clear(&all);
	ck_assert_int_eq(sync_gitconf_list(conf, "w.none", collect, &all, &err), 0);
	ck_assert_str_eq(buf_str(&all), "");
	open_with("[w]\nurl = b\nurl = stop\nurl = c\n");
	ck_assert_int_eq(sync_gitconf_list(conf, "w.url", collect, &all, &err), ERR_INVALID);
	ck_assert_str_eq(buf_str(&all), "<b><stop>");
	buf_free(&all);
}
END_TEST

static const char *const allowed[] = { "node.name", "sync.interval", "remote.*.url", NULL };

static const struct {
	const char *text;
	int line; /* 0: all allowed */
	const char *name;
} unknown[] = {
	{ "[node]\nname = x\n[Sync]\nInterval = 3\n[remote \"o\"]\nurl = y\n", 0, NULL },
	{ "[remote \"a.b\"]\nurl = y\n", 0, NULL },
	{ "# [node]\n[node]\n\n\tname = x\n\tnmae = y\n", 5, "node.nmae" },
	{ "[node]\nname = a \\\n b \\\n c\nnmae = y\n", 5, "node.nmae" },
	{ "[node]\nname = \"a # \\\" \\\\\"\nnmae = y\n", 3, "node.nmae" },
	{ "[node]\nname = x ; \\\nnmae = y\n", 3, "node.nmae" },
	{ "[node] nmae = y\n", 1, "node.nmae" },
	{ "[node]\r\nname = x\\\r\n y\r\nnmae = y\r\n", 4, "node.nmae" },
	{ "[remote]\nurl = y\n", 2, "remote.url" },
	{ "[node]\nname=1\n[remote \"A \\\"]\"]\nkey = y\n", 4, "remote.A \"].key" },
};

START_TEST(an_unknown_key_is_named_with_its_line)
{
	open_with(unknown[_i].text);
	ck_assert_int_eq(sync_gitconf_check(conf, allowed, &err),
	                 unknown[_i].line == 0 ? 0 : ERR_INVALID);
	if (unknown[_i].line != 0)
		expect_words(unknown[_i].line, unknown[_i].name);
}
END_TEST

static const struct {
	const char *text;
	int line;
	const char *words;
} broken[] = {
	{ "[node]\nname = x\n[sync\ninterval = 1\n", 3, "" },
	{ "[node]\n= x\n", 2, "" },
	{ "[node]\nname = x\n[include]\npath = ~/.gitconfig\n", 4, "include" },
	{ "[includeIf \"gitdir:/\"]\npath = other\n", 2, "include" },
};

START_TEST(a_broken_file_is_refused_with_its_line)
{
	write_file(broken[_i].text);
	ck_assert_int_eq(sync_gitconf_open(path, &conf, &err), ERR_INVALID);
	expect_words(broken[_i].line, broken[_i].words);
	ck_assert_ptr_null(conf);
}
END_TEST

/* As a power cut leaves it: libgit2 would take it for the end. */
START_TEST(a_zero_byte_is_refused_with_its_line)
{
	static const char text[] = "[a]\n\tx = 1\n\0\ty = 2\n";
	struct sync_gitconf_pair pair = { "a.x", "3" };
	struct buf got = { 0 };

	ck_assert_int_eq(file_replace(path, text, sizeof text - 1, &err), 0);
	ck_assert_int_eq(sync_gitconf_open(path, &conf, &err), ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "node.conf:3: a zero byte"));
	ck_assert_int_eq(sync_gitconf_set(path, &pair, 1, &err), ERR_INVALID);
	ck_assert_int_eq(file_read(path, SYNC_GITCONF_MAX, &got, &err), 0);
	ck_assert_uint_eq(got.len, sizeof text - 1);
	ck_assert_mem_eq(got.bytes, text, sizeof text - 1);
	buf_free(&got);
}
END_TEST

/* The new section would become a part of the last line's value. */
START_TEST(a_last_line_that_goes_on_is_not_written_behind)
{
	static const char text[] = "[a]\n\tx = 1\\\n";
	const struct sync_gitconf_pair pair = { "b.y", "2" };

	write_file(text);
	ck_assert_int_eq(sync_gitconf_set(path, &pair, 1, &err), ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "node.conf: b.y can't be set"));
	expect_file(text);
}
END_TEST

START_TEST(a_missing_file_is_told_apart)
{
	ck_assert_int_eq(sync_gitconf_open(path, &conf, &err), ERR_NOTFOUND);
	ck_assert_ptr_null(conf);
	write_file("");
}
END_TEST

START_TEST(setting_keeps_all_the_rest)
{
	const struct sync_gitconf_pair pairs[] = { { "node.name", "c d # \"e\"" },
		                                   { "sync.interval", NULL },
		                                   { "node.gone", NULL } };
	const char *got = NULL;

	write_file("# ours\n[node]\n\tname = a ; old\n[sync]\n\tinterval = 3\n\tlimit = 4\n");
	ck_assert_msg(sync_gitconf_set(path, pairs, 3, &err) == 0, "%s", err.msg);
	expect_file("# ours\n[node]\n\tname = \"c d # \\\"e\\\"\"\n[sync]\n\tlimit = 4\n");
	ck_assert_int_eq(sync_gitconf_open(path, &conf, &err), 0);
	ck_assert_int_eq(sync_gitconf_text(conf, "node.name", NULL, &got, &err), 0);
	ck_assert_str_eq(got, "c d # \"e\"");
}
END_TEST

START_TEST(setting_makes_the_file)
{
	const struct sync_gitconf_pair pairs[] = { { "node.facility", "F1" },
		                                   { "node.role", "hub" } };

	ck_assert_msg(sync_gitconf_set(path, pairs, 2, &err) == 0, "%s", err.msg);
	expect_file("[node]\n\tfacility = F1\n\trole = hub\n");
}
END_TEST

START_TEST(a_refused_key_changes_nothing)
{
	const struct sync_gitconf_pair bad[] = { { "node.name", "new" }, { "no-dot", "x" } };
	const struct sync_gitconf_pair twice[] = { { "a.b", "new" } };

	write_file("[node]\n\tname = old\n");
	ck_assert_int_eq(sync_gitconf_set(path, bad, 2, &err), ERR_INVALID);
	expect_file("[node]\n\tname = old\n");
	write_file("[a]\n\tb = 1\n\tb = 2\n");
	ck_assert_int_eq(sync_gitconf_set(path, twice, 1, &err), ERR_INVALID);
	expect_file("[a]\n\tb = 1\n\tb = 2\n");
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

Suite *
suite_sync_gitconf(void)
{
	Suite *suite = suite_create("sync/gitconf");
	TCase *tcase = tcase_create("gitconf");

	tcase_add_checked_fixture(tcase, make_folder, remove_folder);
	tcase_add_loop_test(tcase, whole_numbers_with_units, 0, COUNT(numbers));
	tcase_add_loop_test(tcase, switches_in_every_spelling, 0, COUNT(switches));
	tcase_add_loop_test(tcase, texts_as_git_reads_them, 0, COUNT(texts));
	tcase_add_test(tcase, lists_keep_the_order_of_the_file);
	tcase_add_loop_test(tcase, an_unknown_key_is_named_with_its_line, 0, COUNT(unknown));
	tcase_add_loop_test(tcase, a_broken_file_is_refused_with_its_line, 0, COUNT(broken));
	tcase_add_test(tcase, a_zero_byte_is_refused_with_its_line);
	tcase_add_test(tcase, a_last_line_that_goes_on_is_not_written_behind);
	tcase_add_test(tcase, a_missing_file_is_told_apart);
	tcase_add_test(tcase, setting_keeps_all_the_rest);
	tcase_add_test(tcase, setting_makes_the_file);
	tcase_add_test(tcase, a_refused_key_changes_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
