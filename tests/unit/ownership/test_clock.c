/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "controller/core/ownership/clock.h"

START_TEST(one_that_is_ahead_of_all)
{
	const int64_t skews_ms[] = {12, 3600000, -40};

	ck_assert_uint_eq(clock_ahead_of(skews_ms, 3, 1), 2);
	ck_assert_uint_eq(clock_ahead_of(skews_ms, 3, 0), CLOCK_NOBODY);
	ck_assert_uint_eq(clock_ahead_of(skews_ms, 3, 2), CLOCK_NOBODY);
}
END_TEST

START_TEST(the_bound_itself_does_no_harm)
{
	const int64_t at[] = {0, CLOCK_AHEAD_MS}, beyond[] = {0, CLOCK_AHEAD_MS + 1};

	ck_assert_uint_eq(clock_ahead_of(at, 2, 1), CLOCK_NOBODY);
	ck_assert_uint_eq(clock_ahead_of(beyond, 2, 1), 0);
}
END_TEST

/* Not the gateways' mistake: all of them agree, or the other one is behind. */
START_TEST(a_controller_or_another_that_is_behind)
{
	const int64_t controller[] = {3600000, 3600020}, other[] = {15, -3600000};

	ck_assert_uint_eq(clock_ahead_of(controller, 2, 1), CLOCK_NOBODY);
	ck_assert_uint_eq(clock_ahead_of(other, 2, 0), CLOCK_NOBODY);
	ck_assert_uint_eq(clock_ahead_of(other, 1, 0), CLOCK_NOBODY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clock");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(all, one_that_is_ahead_of_all);
	tcase_add_test(all, the_bound_itself_does_no_harm);
	tcase_add_test(all, a_controller_or_another_that_is_behind);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
