/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "proto/epoch.h"

START_TEST(later_terms_numbers_and_successions_are_higher)
{
	static const struct epoch rising[] = {{0, 0, 0}, {0, 0, 1}, {0, 1, 0}, {1, 0, 0}, {1, 0, 9},
		{1, 2, 0}, {1, UINT32_MAX, 0}, {UINT32_MAX, 0, 0}};

	for (size_t i = 0; i < sizeof(rising) / sizeof(rising[0]); i++) {
		for (size_t j = 0; j < sizeof(rising) / sizeof(rising[0]); j++) {
			int order = epoch_compare(&rising[i], &rising[j]);

			ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
		}
		ck_assert_int_eq(epoch_is_zero(&rising[i]), i == 0);
	}
}
END_TEST

static const struct {
	struct epoch epoch;
	const char *text;
} texts[] = {
	{{0, 0, 0}, "0.0"},
	{{60000001, 12, 0}, "60000001.12"},
	{{60000001, 12, 3}, "60000001.12.3"},
	{{UINT32_MAX, UINT32_MAX, UINT32_MAX}, "4294967295.4294967295.4294967295"},
};

START_TEST(an_epoch_has_one_text)
{
	char buffer[EPOCH_TEXT_MAX];
	struct epoch epoch;

	ck_assert_str_eq(epoch_format(&texts[_i].epoch, buffer), texts[_i].text);
	ck_assert_int_eq(epoch_parse(texts[_i].text, &epoch, NULL), 0);
	ck_assert_int_eq(epoch_compare(&epoch, &texts[_i].epoch), 0);
}
END_TEST

static const char *const wrong[] = {"", "1", ".", "1.", ".1", "1.2.", "1.2.0", "1.2.3.4", "01.2", "1.02",
	"+1.2", "-1.2", " 1.2", "1.2 ", "1.4294967296", "1.a", "1..2", "4294967295.4294967295.42949672955"};

START_TEST(anything_else_is_refused)
{
	struct epoch epoch = {1, 2, 3};
	struct err err = {0};

	ck_assert_int_eq(epoch_parse(wrong[_i], &epoch, &err), -EINVAL);
	ck_assert_str_eq(err.text, "not an epoch (TERM.N or TERM.N.MINOR)");
	ck_assert_uint_eq(epoch.minor, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("epoch");
	TCase *tcase = tcase_create("epoch");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, later_terms_numbers_and_successions_are_higher);
	tcase_add_loop_test(tcase, an_epoch_has_one_text, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_loop_test(tcase, anything_else_is_refused, 0, sizeof(wrong) / sizeof(wrong[0]));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
