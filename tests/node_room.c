/* tests/node_room.c - the reserve: when it is given up, when it is kept again, and what is asked
 * before something large.  A disk that is really full: e2e/fault_full.sh. */
#include "tests/suites.h"

#include "node/room.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct room room;
static struct err err;

static void
make_dir(void)
{
	snprintf(dir, sizeof dir, "/tmp/check-room.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	room = (struct room){ .dir = dir };
}

static void
remove_dir(void)
{
	identity_use_reserve(dir);
	rmdir(dir);
}

/* Bytes of the reserve, -1 if it isn't there. */
static long long
reserve(void)
{
	char path[IDENTITY_PATH_MAX];
	struct stat st;

	ck_assert_int_eq(identity_path(path, dir, "reserve", &err), 0);
	return stat(path, &st) == 0 ? (long long)st.st_size : -1;
}

START_TEST(the_reserve_is_kept_where_there_is_room)
{
	room_look(&room, 1);
	ck_assert_int_eq(reserve(), IDENTITY_RESERVE_BYTES);
	ck_assert(!room.full);
	ck_assert(!room_is_full(dir));
}
END_TEST

START_TEST(a_write_without_room_gives_it_up_and_room_brings_it_back)
{
	room_look(&room, 1);
	room_met(&room, 1000, "database or disk is full");
	ck_assert(room.full);
	ck_assert_int_eq(reserve(), -1);
	/* the bytes are for what was acknowledged: not at once */
	room_look(&room, 1000 + ROOM_LOOK_MS - 1);
	ck_assert(room.full);
	ck_assert_int_eq(reserve(), -1);
	room_look(&room, 1000 + ROOM_LOOK_MS);
	ck_assert(!room.full);
	ck_assert_int_eq(reserve(), IDENTITY_RESERVE_BYTES);
	/* once more: the spare bytes that it was tried with are free again */
	room_met(&room, 9000, "database or disk is full");
	room_met(&room, 9001, "database or disk is full");
	ck_assert(room.full);
	ck_assert_int_eq(reserve(), -1);
}
END_TEST

/* By `yizhan doctor --fix`, beside a daemon that runs. */
START_TEST(a_reserve_that_somebody_else_brought_back_will_do)
{
	room_look(&room, 1);
	room_met(&room, 1000, "database or disk is full");
	ck_assert_int_eq(identity_keep_reserve(dir, IDENTITY_RESERVE_BYTES, &err), 0);
	room_look(&room, 1000 + ROOM_LOOK_MS);
	ck_assert(!room.full);
}
END_TEST

START_TEST(a_database_that_is_on_no_disk_is_never_full)
{
	struct room nowhere = { 0 };

	room_met(&nowhere, 1, "database or disk is full");
	room_look(&nowhere, 100000);
	ck_assert(!nowhere.full);
	ck_assert(!room_is_full("/nowhere"));
}
END_TEST

START_TEST(need_and_room_are_named)
{
	ck_assert_int_eq(room_for(dir, "a snapshot", 1, &err), 0);
	ck_assert_int_eq(room_for(dir, "a snapshot", (int64_t)1 << 60, &err), ERR_FULL);
	ck_assert_msg(strstr(err.msg, "a snapshot may need 1152921504607 MB, and the disk has ") ==
	                      err.msg,
	              "%s", err.msg);
}
END_TEST

Suite *
suite_node_room(void)
{
	Suite *s = suite_create("node/room");
	TCase *t = tcase_create("room");

	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, the_reserve_is_kept_where_there_is_room);
	tcase_add_test(t, a_write_without_room_gives_it_up_and_room_brings_it_back);
	tcase_add_test(t, a_reserve_that_somebody_else_brought_back_will_do);
	tcase_add_test(t, a_database_that_is_on_no_disk_is_never_full);
	tcase_add_test(t, need_and_room_are_named);
	suite_add_tcase(s, t);
	return s;
}
