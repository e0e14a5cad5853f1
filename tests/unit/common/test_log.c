/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io/log.h"

static int ends[2];
static char said[65536];

static void open_pipe(void)
{
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	log_set_output(ends[1], true);
	log_set_level(LEVEL_INFO);
}

static void close_pipe(void)
{
	close(ends[0]);
	close(ends[1]);
}

/* What was logged since the last call. */
static const char *hear(void)
{
	ssize_t got = read(ends[0], said, sizeof said - 1);

	said[got > 0 ? got : 0] = '\0';
	return said;
}

START_TEST(lines_are_key_value)
{
	struct endpoint endpoint;
	struct prefix prefix;
	struct err err;

	endpoint_parse("[2001:db8::1]:7", &endpoint, NULL);
	prefix_parse("10.0.0.0/8", &prefix, NULL);
	err_at(&err, -1, "f.yaml", 1, 2, "bad");
	log_notice(
		"seat", "takeover", log_text("endpoint", "vpn"), log_u64("epoch", 42), log_i64("left", -1));
	ck_assert_str_eq(hear(), "<5>takeover endpoint=vpn epoch=42 left=-1\n");
	log_info("a", "b");
	ck_assert_str_eq(hear(), "<6>b\n");
	log_error("a", "b", log_addr("at", &endpoint.addr), log_endpoint("to", &endpoint),
		log_prefix("net", &prefix), log_bool("up", false), log_err(&err), log_errno(-ENOENT));
	ck_assert_str_eq(hear(),
		"<3>b at=2001:db8::1 to=[2001:db8::1]:7 net=10.0.0.0/8 up=no error=\"f.yaml:1:2: bad\" "
		"error=\"No such file or directory\"\n");
	log_info("a", "b", log_text("absent", NULL), log_text("empty", ""));
	ck_assert_str_eq(hear(), "<6>b empty=\"\"\n");
}
END_TEST

START_TEST(values_cannot_forge_lines)
{
	log_info("a", "b", log_text("v", "x\n<0>evil \"q\" \\ \x1b[m=\x7f"));
	ck_assert_str_eq(hear(), "<6>b v=\"x\\n<0>evil \\\"q\\\" \\\\ \\x1b[m=\\x7f\"\n");
	log_info(
		"a", "b", log_text("v", "x=y"), log_text("w", "\""), log_text("x", "\\"), log_text("y", " "));
	ck_assert_str_eq(hear(), "<6>b v=\"x=y\" w=\"\\\"\" x=\"\\\\\" y=\" \"\n");
	log_info("a", "b", log_text("v", "\xc3\xa4"));
	ck_assert_str_eq(hear(), "<6>b v=\xc3\xa4\n");
}
END_TEST

START_TEST(without_journal_lines_have_a_time)
{
	int hour, minute, second, ms, end = 0;

	log_set_output(ends[1], false);
	log_warning("a", "b");
	ck_assert_int_eq(
		sscanf(hear(), "%2d:%2d:%2d.%3d warning b%n", &hour, &minute, &second, &ms, &end), 4);
	ck_assert_int_gt(end, 0);
}
END_TEST

START_TEST(levels_are_per_module)
{
	struct err err;

	log_debug("wg", "x");
	ck_assert_str_eq(hear(), "");
	ck_assert_int_eq(log_configure("warning,wg=debug", &err), 0);
	log_debug("wg", "x");
	ck_assert_str_eq(hear(), "<7>x module=wg\n");
	log_info("seat", "x");
	ck_assert_str_eq(hear(), "");
	ck_assert(log_wants("seat", LEVEL_WARNING));
	ck_assert_int_eq(log_configure("info,wg=loud", &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "loud"));
	ck_assert(!log_wants("seat", LEVEL_INFO));
	ck_assert_int_eq(log_configure("info,=debug", &err), -EINVAL);
	ck_assert_int_eq(log_configure("INFO", &err), 0);
	ck_assert(!log_wants("wg", LEVEL_DEBUG));
}
END_TEST

START_TEST(thirty_two_modules_have_levels)
{
	char name[16];

	for (int i = 0; i < 32; i++) {
		snprintf(name, sizeof name, "m%d", i);
		ck_assert_int_eq(log_set_module_level(name, LEVEL_DEBUG), 0);
	}
	ck_assert_int_eq(log_set_module_level("m32", LEVEL_DEBUG), -ENOSPC);
	ck_assert_int_eq(log_set_module_level("m31", LEVEL_ERROR), 0);
}
END_TEST

START_TEST(repeated_lines_are_counted)
{
	for (int i = 0; i < 5; i++)
		log_limited(LEVEL_WARNING, "api", "bad-datagram", "10.0.0.1", log_u64("i", (uint64_t)i));
	log_limited(LEVEL_WARNING, "api", "bad-datagram", "10.0.0.2");
	ck_assert_str_eq(hear(), "<4>bad-datagram i=0\n<4>bad-datagram\n");
	log_flush();
	ck_assert_str_eq(hear(), "<4>bad-datagram key=10.0.0.1 suppressed=4\n");
	log_flush();
	ck_assert_str_eq(hear(), "");
}
END_TEST

START_TEST(the_table_of_limits_is_finite)
{
	char key[16];

	log_limited(LEVEL_WARNING, "api", "x", "first");
	log_limited(LEVEL_WARNING, "api", "x", "first");
	hear();
	for (int i = 0; i < 64; i++) {
		snprintf(key, sizeof key, "k%d", i);
		log_limited(LEVEL_WARNING, "api", "x", key);
	}
	ck_assert_ptr_nonnull(strstr(hear(), "key=first suppressed=1\n"));
}
END_TEST

START_TEST(a_full_pipe_does_not_block)
{
	for (int i = 0; i < 5000; i++)
		log_info("a", "b", log_text("filler", "0123456789012345678901234567890123456789"));
	hear();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, open_pipe, close_pipe);
	tcase_add_test(tcase, lines_are_key_value);
	tcase_add_test(tcase, values_cannot_forge_lines);
	tcase_add_test(tcase, without_journal_lines_have_a_time);
	tcase_add_test(tcase, levels_are_per_module);
	tcase_add_test(tcase, thirty_two_modules_have_levels);
	tcase_add_test(tcase, repeated_lines_are_counted);
	tcase_add_test(tcase, the_table_of_limits_is_finite);
	tcase_add_test(tcase, a_full_pipe_does_not_block);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
