/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "controller/core/ownership/holddown.h"

enum { MINUTE_MS = 60 * 1000 };

START_TEST(test_two_losses_are_bad_luck)
{
	struct holddown holddown = {0};

	ck_assert_int_eq(holddown_lose(&holddown, 1000), 0);
	ck_assert_int_eq(holddown_lose(&holddown, 2000), 0);
	ck_assert(!holddown_is_on(&holddown, 2000));
}
END_TEST

START_TEST(test_a_third_within_the_window_begins_it)
{
	struct holddown holddown = {0};

	holddown_lose(&holddown, 1000);
	holddown_lose(&holddown, 2000);
	ck_assert_int_eq(holddown_lose(&holddown, 1000 + HOLDDOWN_WINDOW_MS), HOLDDOWN_FIRST_MS);
	ck_assert(holddown_is_on(&holddown, 1000 + HOLDDOWN_WINDOW_MS + HOLDDOWN_FIRST_MS - 1));
	ck_assert(!holddown_is_on(&holddown, 1000 + HOLDDOWN_WINDOW_MS + HOLDDOWN_FIRST_MS));
}
END_TEST

START_TEST(test_a_third_after_the_window_does_not)
{
	struct holddown holddown = {0};

	holddown_lose(&holddown, 1000);
	holddown_lose(&holddown, 2000);
	ck_assert_int_eq(holddown_lose(&holddown, 1001 + HOLDDOWN_WINDOW_MS), 0);
	ck_assert_int_eq(holddown_lose(&holddown, 2000 + HOLDDOWN_WINDOW_MS), HOLDDOWN_FIRST_MS);
}
END_TEST

START_TEST(test_it_grows_up_to_its_limit_and_is_forgotten_after_quiet)
{
	struct holddown holddown = {0};
	int64_t now_ms = MINUTE_MS, length_ms = 0, expected_ms = HOLDDOWN_FIRST_MS;

	holddown_lose(&holddown, now_ms);
	holddown_lose(&holddown, now_ms);
	for (int i = 0; i < 100; i++) {
		length_ms = holddown_lose(&holddown, now_ms);
		ck_assert_int_eq(length_ms, expected_ms);
		expected_ms = expected_ms * 2 < HOLDDOWN_LONGEST_MS ? expected_ms * 2 : HOLDDOWN_LONGEST_MS;
		now_ms += length_ms + HOLDDOWN_WINDOW_MS; /* the last moment that is not quiet */
	}
	ck_assert_int_eq(length_ms, HOLDDOWN_LONGEST_MS);
	ck_assert_int_eq(holddown_lose(&holddown, now_ms + 1), 0);
}
END_TEST

START_TEST(test_people_forgive)
{
	struct holddown holddown = {0};

	for (int i = 0; i < HOLDDOWN_LOSSES; i++)
		holddown_lose(&holddown, 1000);
	ck_assert(holddown_is_on(&holddown, 1000));
	holddown_forgive(&holddown);
	ck_assert(!holddown_is_on(&holddown, 1000));
	ck_assert_int_eq(holddown_lose(&holddown, 1000), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("holddown");
	TCase *tests = tcase_create("holddown");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, test_two_losses_are_bad_luck);
	tcase_add_test(tests, test_a_third_within_the_window_begins_it);
	tcase_add_test(tests, test_a_third_after_the_window_does_not);
	tcase_add_test(tests, test_it_grows_up_to_its_limit_and_is_forgotten_after_quiet);
	tcase_add_test(tests, test_people_forgive);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
