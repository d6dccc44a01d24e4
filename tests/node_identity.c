/* tests/node_identity.c - the directory's key, lock and signers, and what the anchor decides. */
#include "tests/suites.h"

#include "node/anchor.h"
#include "node/identity.h"
#include "store/base/buf.h"
#include "store/base/file.h"
#include "store/base/hash.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static struct sync_key key;
static struct err err;

static void
make_dir(void)
{
	ck_assert(hash_init());
	snprintf(dir, sizeof dir, "/tmp/check-identity.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
remove_dir(void)
{
	static const char *const names[] = { "key",     "anchor", "lock", "allowed_signers",
		                             "reserve", "db",     "copy" };
	char path[128];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static const char *
in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void
put_file(const char *name, const char *text)
{
	ck_assert_int_eq(file_replace(in_dir(name), text, strlen(text), &err), 0);
}

/* ---------------------------------------------------------------- directory and key */

START_TEST(a_directory_is_made_private_or_refused)
{
	char sub[128];
	struct stat st;

	snprintf(sub, sizeof sub, "%s/sub", dir);
	ck_assert_int_eq(identity_make_dir(sub, &err), 0);
	ck_assert_int_eq(stat(sub, &st), 0);
	ck_assert_int_eq((int)(st.st_mode & 07777), 0700);
	ck_assert_int_eq(identity_make_dir(sub, &err), 0);
	ck_assert_int_eq(chmod(sub, 0777), 0);
	ck_assert_int_eq(identity_make_dir(sub, &err), ERR_INVALID);
	ck_assert_int_eq(rmdir(sub), 0);
	put_file("key", "x");
	ck_assert_int_eq(identity_make_dir(in_dir("key"), &err), ERR_INVALID);
	ck_assert_int_eq(identity_make_dir("/nowhere/at/all", &err), ERR_IO);
}
END_TEST

START_TEST(disks_without_locks_are_named)
{
	ck_assert_ptr_null(identity_bad_disk(0xef53));     /* ext4 */
	ck_assert_ptr_null(identity_bad_disk(0x9123683e)); /* btrfs */
	ck_assert_ptr_nonnull(identity_bad_disk(0x4d44));  /* FAT */
	ck_assert_ptr_nonnull(identity_bad_disk(0x6969));  /* NFS */
}
END_TEST

START_TEST(a_key_comes_back_as_it_was_made)
{
	struct sync_key again;
	struct stat st;

	ck_assert_int_eq(identity_make_key(dir, &key, &err), 0);
	ck_assert_int_eq(stat(in_dir("key"), &st), 0);
	ck_assert_int_eq((int)(st.st_mode & 07777), 0600);
	ck_assert_int_eq(identity_load_key(dir, &again, &err), 0);
	ck_assert_mem_eq(&again, &key, sizeof key);
	ck_assert_int_eq(identity_make_key(dir, &again, &err), ERR_INVALID);
}
END_TEST

START_TEST(damaged_keys_are_refused)
{
	static const char *const files[] = {
		"",
		"\n",
		"0123\n",
		"zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
		/* seed 00..1f with a changed digit in either half */
		"010102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f # "
		"03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8\n",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f # "
		"03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b9\n",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f # 03\n",
	};

	put_file("key", files[_i]);
	ck_assert_int_eq(identity_load_key(dir, &key, &err), ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(err.msg, "/key"));
}
END_TEST

START_TEST(keys_that_others_can_read_or_that_are_missing_are_refused)
{
	ck_assert_int_eq(identity_load_key(dir, &key, &err), ERR_NOTFOUND);
	ck_assert_int_eq(identity_make_key(dir, &key, &err), 0);
	ck_assert_int_eq(chmod(in_dir("key"), 0640), 0);
	ck_assert_int_eq(identity_load_key(dir, &key, &err), ERR_DENIED);
}
END_TEST

/* ---------------------------------------------------------------- lock, signers, reserve */

START_TEST(the_lock_has_one_holder_who_is_named)
{
	char pid[32];
	int fd, again;

	ck_assert_int_eq(identity_lock(dir, &fd, &err), 0);
	ck_assert_int_eq(identity_lock(dir, &again, &err), ERR_BUSY);
	snprintf(pid, sizeof pid, "process, %d", (int)getpid());
	ck_assert_ptr_nonnull(strstr(err.msg, pid));
	close(fd);
	ck_assert_int_eq(identity_lock(dir, &fd, &err), 0);
	close(fd);
	ck_assert_int_eq(identity_lock("/nowhere", &fd, &err), ERR_NOTFOUND);
}
END_TEST

START_TEST(a_holder_that_dies_gives_the_lock_back)
{
	int fd, status;
	pid_t child = fork();

	if (child == 0)
		_exit(identity_lock(dir, &fd, &err) == 0 ? 0 : 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(identity_lock(dir, &fd, &err), 0);
	close(fd);
}
END_TEST

START_TEST(signers_are_listed_once_each_in_the_form_of_ssh)
{
	/* The line that ssh-keygen -y prints for the key of seed 00..1f. */
	static const char want[] =
	        "00000000000000000000000000000000@yizhan namespaces=\"git\" ssh-ed25519 "
	        "AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n";
	uint8_t node[STORE_NODE_ID] = { 0 }, seed[SYNC_SEED_KEY];
	struct buf file = { 0 };

	for (size_t i = 0; i < sizeof seed; i++)
		seed[i] = (uint8_t)i;
	sync_key_from_seed(&key, seed);
	put_file("allowed_signers", "other@x ssh-ed25519 AAAA"); /* no line's end */
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(identity_allow_signer(dir, node, key.public_key, &err), 0);
	ck_assert_int_eq(file_read(in_dir("allowed_signers"), 4096, &file, &err), 0);
	ck_assert_int_eq(strncmp(buf_str(&file), "other@x ssh-ed25519 AAAA\n", 25), 0);
	ck_assert_str_eq(buf_str(&file) + 25, want);
	buf_free(&file);
}
END_TEST

START_TEST(the_reserve_is_kept_and_given_back_once)
{
	struct stat st;

	ck_assert_int_eq(identity_keep_reserve(dir, 1 << 20, &err), 0);
	ck_assert_int_eq(identity_keep_reserve(dir, 1 << 20, &err), 0);
	ck_assert_int_eq(stat(in_dir("reserve"), &st), 0);
	ck_assert_int_eq(st.st_size, 1 << 20);
	ck_assert_int_ge(st.st_blocks, 2048); /* really there, not a hole */
	ck_assert(identity_use_reserve(dir));
	ck_assert(!identity_use_reserve(dir));
}
END_TEST

/* ---------------------------------------------------------------- anchor */

static struct anchor_stream streams[2] = {
	{ .scope = "f/A", .n = 7, .head = { 7 } },
	{ .scope = "all", .n = 3, .head = { 3 } },
};

static struct anchor
sample(void)
{
	return (struct anchor){ .node = { 1 },
		                .epoch = { 2 },
		                .machine = { 3 },
		                .file = "12.34.56",
		                .streams = streams,
		                .count = 2 };
}

START_TEST(an_anchor_comes_back_as_it_was_written)
{
	struct anchor a = sample(), b;

	ck_assert_int_eq(anchor_read(dir, &b, &err), ERR_NOTFOUND);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(anchor_write(dir, &a, &err), 0);
	ck_assert_int_eq(anchor_read(dir, &b, &err), 0);
	ck_assert_uint_eq(b.count, 2);
	ck_assert_mem_eq(b.node, a.node, sizeof a.node);
	ck_assert_mem_eq(b.epoch, a.epoch, sizeof a.epoch);
	ck_assert_mem_eq(b.machine, a.machine, sizeof a.machine);
	ck_assert_str_eq(b.file, a.file);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_str_eq(b.streams[i].scope, a.streams[i].scope);
		ck_assert_uint_eq(b.streams[i].n, a.streams[i].n);
		ck_assert_mem_eq(b.streams[i].head, a.streams[i].head, STORE_HEAD);
	}
	anchor_free(&b);
}
END_TEST

/* A power cut can't leave half a file, but a person or a bad card can. */
START_TEST(an_anchor_cut_anywhere_is_damaged)
{
	struct anchor a = sample(), b;
	struct buf whole = { 0 };

	ck_assert_int_eq(anchor_write(dir, &a, &err), 0);
	ck_assert_int_eq(file_read(in_dir("anchor"), 4096, &whole, &err), 0);
	for (size_t len = 0; len < whole.len; len++) {
		ck_assert_int_eq(file_replace(in_dir("anchor"), whole.bytes, len, &err), 0);
		ck_assert_msg(anchor_read(dir, &b, &err) == ERR_CORRUPT, "accepted %zu bytes", len);
	}
	buf_free(&whole);
}
END_TEST

/* The heads of a database that holds more than the anchor says. */
static int
head_at(void *ctx, const char *scope, uint64_t n, uint8_t head[STORE_HEAD], struct err *e)
{
	(void)e;
	memset(head, 0, STORE_HEAD);
	head[0] = (uint8_t)n;
	if (strcmp(scope, ctx) == 0)
		head[0] ^= 1;
	return strcmp(ctx, "rolled up") == 0 ? 0 : 1;
}

START_TEST(the_anchor_decides)
{
	static const struct {
		enum anchor_verdict verdict;
		const char *what; /* is changed in what is found */
		const char *ctx;
	} cases[] = {
		{ ANCHOR_SAME, "nothing", "" },         { ANCHOR_NEW, "no anchor, no records", "" },
		{ ANCHOR_LOST, "no anchor", "" },       { ANCHOR_OTHER_LIFE, "epoch", "" },
		{ ANCHOR_OTHER_LIFE, "node", "" },      { ANCHOR_COPIED, "machine", "" },
		{ ANCHOR_COPIED, "file", "" },          { ANCHOR_SAME, "more", "" },
		{ ANCHOR_SAME, "more", "rolled up" },   { ANCHOR_MOVED_BACK, "more", "f/A" },
		{ ANCHOR_MOVED_BACK, "less", "" },      { ANCHOR_MOVED_BACK, "other head", "" },
		{ ANCHOR_MOVED_BACK, "no stream", "" }, { ANCHOR_MOVED_BACK, "less and file", "" },
	};
	const char *what = cases[_i].what;
	struct anchor kept = sample(), found = sample();
	struct anchor_stream now[2];
	enum anchor_verdict verdict;
	char ctx[16];

	memcpy(now, streams, sizeof now);
	found.streams = now;
	if (strstr(what, "no records") != NULL)
		now[0].n = now[1].n = 0;
	if (strcmp(what, "epoch") == 0)
		found.epoch[7] = 1;
	if (strcmp(what, "node") == 0)
		found.node[15] = 1;
	if (strcmp(what, "machine") == 0)
		found.machine[0] = 9;
	if (strstr(what, "file") != NULL)
		found.file[0] = '9';
	if (strcmp(what, "more") == 0)
		now[0].n = 9;
	if (strstr(what, "less") != NULL)
		now[1].n = 2;
	if (strcmp(what, "other head") == 0)
		now[1].head[31] = 1;
	if (strcmp(what, "no stream") == 0)
		found.count = 1;
	snprintf(ctx, sizeof ctx, "%s", cases[_i].ctx);
	ck_assert_int_eq(anchor_compare(strncmp(what, "no anchor", 9) == 0 ? NULL : &kept, &found,
	                                head_at, ctx, &verdict, &err),
	                 0);
	ck_assert_msg(verdict == cases[_i].verdict, "%s: %s", what, anchor_verdict_name(verdict));
}
END_TEST

START_TEST(a_copied_file_looks_different_and_the_same_file_the_same)
{
	struct anchor a = { 0 }, b = { 0 }, c = { 0 };
	int fd = open(in_dir("db"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(anchor_look(&a, in_dir("db"), &err), 0);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
	ck_assert_int_eq(anchor_look(&b, in_dir("db"), &err), 0);
	ck_assert_str_eq(a.file, b.file);
	ck_assert_mem_eq(a.machine, b.machine, ANCHOR_MACHINE);
	put_file("copy", "x");
	ck_assert_int_eq(anchor_look(&c, in_dir("copy"), &err), 0);
	ck_assert_str_ne(a.file, c.file);
	ck_assert_int_eq(anchor_look(&c, in_dir("nothing"), &err), ERR_IO);
}
END_TEST

Suite *
suite_node_identity(void)
{
	Suite *suite = suite_create("node/identity");
	TCase *tcase = tcase_create("identity");
	TCase *anchor = tcase_create("anchor");

	tcase_add_checked_fixture(tcase, make_dir, remove_dir);
	tcase_add_test(tcase, a_directory_is_made_private_or_refused);
	tcase_add_test(tcase, disks_without_locks_are_named);
	tcase_add_test(tcase, a_key_comes_back_as_it_was_made);
	tcase_add_loop_test(tcase, damaged_keys_are_refused, 0, 7);
	tcase_add_test(tcase, keys_that_others_can_read_or_that_are_missing_are_refused);
	tcase_add_test(tcase, the_lock_has_one_holder_who_is_named);
	tcase_add_test(tcase, a_holder_that_dies_gives_the_lock_back);
	tcase_add_test(tcase, signers_are_listed_once_each_in_the_form_of_ssh);
	tcase_add_test(tcase, the_reserve_is_kept_and_given_back_once);
	tcase_add_checked_fixture(anchor, make_dir, remove_dir);
	tcase_add_test(anchor, an_anchor_comes_back_as_it_was_written);
	tcase_add_test(anchor, an_anchor_cut_anywhere_is_damaged);
	tcase_add_loop_test(anchor, the_anchor_decides, 0, 14);
	tcase_add_test(anchor, a_copied_file_looks_different_and_the_same_file_the_same);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, anchor);
	return suite;
}
