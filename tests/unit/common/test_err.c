/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

START_TEST(parts_that_are_not_known_are_left_out)
{
	char buffer[2048];
	struct err err;

	ck_assert_int_eq(err_set(&err, -EINVAL, "bad %s", "thing"), -EINVAL);
	ck_assert_str_eq(err_format(&err, buffer, sizeof buffer), "bad thing");
	ck_assert_int_eq(err_at(&err, -ENOENT, "fleet.yaml", 16, 5, "unknown"), -ENOENT);
	ck_assert_str_eq(err_format(&err, buffer, sizeof buffer), "fleet.yaml:16:5: unknown");
	err_at(&err, -1, "fleet.yaml", 16, 0, "unknown");
	ck_assert_str_eq(err_format(&err, buffer, sizeof buffer), "fleet.yaml:16: unknown");
	err_at(&err, -1, "gw-a", 0, 0, "gone");
	ck_assert_str_eq(err_format(&err, buffer, sizeof buffer), "gw-a: gone");
	err_at(&err, -1, NULL, 3, 4, "x");
	ck_assert_str_eq(err_format(&err, buffer, sizeof buffer), "3:4: x");
	ck_assert_str_eq(err_format(&err, buffer, 3), "3:");
}
END_TEST

START_TEST(nobody_needs_to_want_it)
{
	ck_assert_int_eq(err_set(NULL, -1, "x"), -1);
	ck_assert_int_eq(err_at(NULL, -2, "f", 1, 1, "x"), -2);
	ck_assert_int_eq(err_prefix(NULL, -3, "x"), -3);
}
END_TEST

START_TEST(contexts_are_put_in_front)
{
	struct err err;

	err_at(&err, -1, "f", 1, 2, "text");
	ck_assert_int_eq(err_prefix(&err, -5, "%s", "a"), -5);
	ck_assert_str_eq(err.text, "a: text");
	err_prefix(&err, -5, "%s", err.text);
	ck_assert_str_eq(err.text, "a: text: a: text");
	ck_assert_str_eq(err.where, "f");
	err_set(&err, -1, "again: %s", err.text);
	ck_assert_str_eq(err.text, "again: a: text: a: text");
}
END_TEST

START_TEST(long_texts_are_cut)
{
	static char big[4000], buffer[8000];
	struct err err;

	memset(big, 'x', sizeof big - 1);
	err_at(&err, -1, big, 4294967295u, 4294967295u, "%s", big);
	ck_assert_uint_eq(strlen(err.text), ERR_TEXT_MAX - 1);
	ck_assert_uint_eq(strlen(err.where), ERR_WHERE_MAX - 1);
	err_prefix(&err, -1, "%s", big);
	ck_assert_uint_eq(strlen(err.text), ERR_TEXT_MAX - 1);
	err_format(&err, buffer, sizeof buffer);
	ck_assert_ptr_nonnull(strstr(buffer, ":4294967295:4294967295: xxx"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("err");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, parts_that_are_not_known_are_left_out);
	tcase_add_test(tcase, nobody_needs_to_want_it);
	tcase_add_test(tcase, contexts_are_put_in_front);
	tcase_add_test(tcase, long_texts_are_cut);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
