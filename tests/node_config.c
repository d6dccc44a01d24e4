/* tests/node_config.c - settings are read, refused with file and line, and written. */
#include "tests/suites.h"

#include "node/config.h"
#include "store/base/file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64], path[128];
static struct config config;
static struct err err;

static void
make_dir(void)
{
	snprintf(dir, sizeof dir, "/tmp/check-config.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/node.conf", dir);
}

static void
remove_dir(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static int
load(const char *text)
{
	ck_assert_int_eq(file_replace(path, text, strlen(text), &err), 0);
	return config_load(dir, &config, &err);
}

START_TEST(a_short_file_has_defaults)
{
	ck_assert_int_eq(load("[facility]\n\tid = F1\n"), 0);
	ck_assert(!config.is_hub);
	ck_assert_str_eq(config.facility_id, "F1");
	ck_assert_str_eq(config.listen, "127.0.0.1:8710");
	ck_assert_str_eq(config.hub_pin, "");
	ck_assert_int_eq(config.sync_interval_s, 30);
	ck_assert_int_eq(load("[node]\n\trole = hub\n"), 0);
	ck_assert(config.is_hub);
	ck_assert_str_eq(config.listen, "127.0.0.1:8700");
}
END_TEST

START_TEST(every_setting_is_read)
{
	ck_assert_int_eq(
	        load("[facility]\n id = F-1_a\n name = \xe5\x90\x91\xe6\x97\xa5\n"
	             "[hub]\n pin = sha256//AAA=\n ca = /etc/ca.pem\n"
	             "[sync]\n interval = 5\n[http]\n listen = 0.0.0.0:80\n hosts = a b\n"),
	        0);
	ck_assert_str_eq(config.facility_name, "\xe5\x90\x91\xe6\x97\xa5");
	ck_assert_str_eq(config.hub_pin, "sha256//AAA=");
	ck_assert_str_eq(config.hub_ca, "/etc/ca.pem");
	ck_assert_int_eq(config.sync_interval_s, 5);
	ck_assert_str_eq(config.listen, "0.0.0.0:80");
	ck_assert_str_eq(config.hosts, "a b");
}
END_TEST

START_TEST(wrong_settings_name_file_and_line)
{
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
		{ "[facility]\n\tid = F1\n\tnmae = x\n", "node.conf:3" },
		{ "[facility]\n\tid = F1\n[hup]\n\turl = x\n", "node.conf:4" },
		{ "[facility]\n\tid = ../x\n", "node.conf:2" },
		{ "[facility]\n\tid = a/b\n", "facility.id" },
		{ "[facility]\n\tname = x\n", "facility.id" },
		{ "[facility]\n\tid = 1234567890123456789012345678901234567890123456789\n",
		  "too long" },
		{ "[node]\n\trole = both\n", "node or hub" },
		{ "[node]\n\trole = hub\n[sync]\n\tinterval = 0\n", "node.conf:4" },
		{ "[node]\n\trole = hub\n[sync]\n\tinterval = soon\n", "node.conf:4" },
		{ "[node\n", "node.conf" },
		/* once taken, and heeded by nobody */
		{ "[node]\n\trole = hub\n[hub]\n\turl = https://h\n", "node.conf:4" },
		{ "[node]\n\trole = hub\n[hub]\n\tkey = 00\n", "node.conf:4" },
		{ "[node]\n\trole = hub\n[archive]\n\tremote = /x\n", "node.conf:4" },
		{ "[facility]\n\tid = F1\n\ttimezone = Asia/Urumqi\n", "node.conf:3" },
		{ "[node]\n\trole = hub\n[hub]\n\tengine = postgres\n", "isn't built yet" },
		{ "[node]\n\trole = hub\n[hub]\n\tpostgres = dbname=y\n", "node.conf:4" },
	};

	ck_assert_int_eq(load(cases[_i].text), ERR_INVALID);
	ck_assert_msg(strstr(err.msg, cases[_i].words) != NULL, "%s", err.msg);
}
END_TEST

START_TEST(a_directory_without_settings_is_none_of_ours)
{
	ck_assert_int_eq(config_load(dir, &config, &err), ERR_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(err.msg, "is not a yizhan directory"));
}
END_TEST

START_TEST(what_is_set_is_read_again)
{
	ck_assert_int_eq(config_set(dir, "facility.id", "F1", &err), 0);
	ck_assert_int_eq(config_set(dir, "facility.name", "a \"b\" #c", &err), 0);
	ck_assert_int_eq(config_set(dir, "hub.pin", "sha256//AAA=", &err), 0);
	ck_assert_int_eq(config_load(dir, &config, &err), 0);
	ck_assert_str_eq(config.facility_name, "a \"b\" #c");
	ck_assert_str_eq(config.hub_pin, "sha256//AAA=");
	ck_assert_int_eq(config_set(dir, "hub.pin", NULL, &err), 0);
	ck_assert_int_eq(config_load(dir, &config, &err), 0);
	ck_assert_str_eq(config.hub_pin, "");
	ck_assert_int_eq(config_set(dir, "core.editor", "x", &err), ERR_INVALID);
}
END_TEST

Suite *
suite_node_config(void)
{
	Suite *suite = suite_create("node/config");
	TCase *tcase = tcase_create("config");

	tcase_add_checked_fixture(tcase, make_dir, remove_dir);
	tcase_add_test(tcase, a_short_file_has_defaults);
	tcase_add_test(tcase, every_setting_is_read);
	tcase_add_loop_test(tcase, wrong_settings_name_file_and_line, 0, 16);
	tcase_add_test(tcase, a_directory_without_settings_is_none_of_ours);
	tcase_add_test(tcase, what_is_set_is_read_again);
	suite_add_tcase(suite, tcase);
	return suite;
}
