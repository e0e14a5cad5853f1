/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/cluster/patience.h"

static struct patience patience;

static uint32_t at(int64_t ms)
{
	struct timing timing = timing_from_interval(50);

	return patience_window_ms(&patience, &timing, ms);
}

static void setup(void)
{
	patience = (struct patience){0};
}

START_TEST(test_158_ms_where_nothing_was_silent)
{
	ck_assert_uint_eq(at(0), 158);
	ck_assert_uint_eq(at(100000000), 158);
	patience_note(&patience, 79, 1000);
	ck_assert_uint_eq(at(1000), 158);
}
END_TEST

START_TEST(test_twice_the_longest_silence)
{
	patience_note(&patience, 200, 1000);
	patience_note(&patience, 150, 2000);
	ck_assert_uint_eq(at(2000), 400);
}
END_TEST

START_TEST(test_a_second_at_most)
{
	patience_note(&patience, 500, 1000);
	ck_assert_uint_eq(at(1000), 1000);
	setup();
	patience_note(&patience, 501, 1000); /* a cut, which no patience covers */
	ck_assert_uint_eq(at(1000), 158);
}
END_TEST

START_TEST(test_an_hour_and_a_bit)
{
	enum { HOUR_MS = 3600 * 1000 };

	patience_note(&patience, 200, 1000);
	ck_assert_uint_eq(at(HOUR_MS + 1000), 400);
	ck_assert_uint_eq(at(HOUR_MS + PATIENCE_PART_MS + 1000), 158);
	patience_note(&patience, 160, HOUR_MS);
	ck_assert_uint_eq(at(HOUR_MS), 400);
	patience_note(&patience, 160, HOUR_MS + PATIENCE_PART_MS + 1000);
	ck_assert_uint_eq(at(HOUR_MS + PATIENCE_PART_MS + 1000), 320);
	ck_assert_uint_eq(at(100 * (int64_t)HOUR_MS), 158);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("patience");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_158_ms_where_nothing_was_silent);
	tcase_add_test(all, test_twice_the_longest_silence);
	tcase_add_test(all, test_a_second_at_most);
	tcase_add_test(all, test_an_hour_and_a_bit);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
