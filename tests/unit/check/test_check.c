/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "node-agent/core/check/check.h"

static const struct check_rule rule = {.every_ms = 200, .timeout_ms = 150, .fall = 3, .rise = 5};
static struct check check;
static int64_t now_ms;

static void setup(void)
{
	now_ms = 10000;
	check_init(&check, &rule, 0, now_ms);
}

/* True: that made the difference. */
static bool ask_and_answer(bool good)
{
	bool changed;

	ck_assert(check_ask(&check, now_ms));
	changed = check_answer(&check, good);
	now_ms = check_deadline(&check);
	return changed;
}

static unsigned count_until_changed(bool good)
{
	for (unsigned i = 1; i < 100; i++)
		if (ask_and_answer(good))
			return i;
	return 0;
}

START_TEST(test_it_falls_and_rises)
{
	ck_assert(!check.down);
	ck_assert_uint_eq(count_until_changed(false), rule.fall);
	ck_assert(check.down);
	ck_assert_uint_eq(count_until_changed(true), rule.rise);
	ck_assert(!check.down);
}
END_TEST

START_TEST(test_one_other_answer_begins_anew)
{
	ask_and_answer(false);
	ask_and_answer(false);
	ask_and_answer(true);
	ck_assert_uint_eq(count_until_changed(false), rule.fall);
	for (unsigned i = 1; i < rule.rise; i++)
		ask_and_answer(true);
	ask_and_answer(false);
	ck_assert_uint_eq(count_until_changed(true), rule.rise);
}
END_TEST

START_TEST(test_the_first_question_is_somewhere_within_every)
{
	for (uint32_t random = 0; random < 2 * rule.every_ms; random++) {
		check_init(&check, &rule, random, now_ms);
		ck_assert_int_ge(check_deadline(&check), now_ms);
		ck_assert_int_lt(check_deadline(&check), now_ms + rule.every_ms);
	}
}
END_TEST

START_TEST(test_one_question_at_a_time_and_late_at_its_timeout)
{
	ck_assert(check_ask(&check, now_ms));
	ck_assert(!check_ask(&check, now_ms + 1000));
	ck_assert_int_eq(check_deadline(&check), now_ms + rule.timeout_ms);
	ck_assert(!check_is_late(&check, now_ms + rule.timeout_ms - 1));
	ck_assert(check_is_late(&check, now_ms + rule.timeout_ms));
	check_answer(&check, false);
	ck_assert_int_eq(check_deadline(&check), now_ms + rule.every_ms);
}
END_TEST

START_TEST(test_an_answer_without_a_question_says_nothing)
{
	for (unsigned i = 0; i < 10; i++)
		ck_assert(!check_answer(&check, false));
	ck_assert(!check.down);
}
END_TEST

START_TEST(test_a_loop_that_stood_still_makes_up_for_nothing)
{
	ask_and_answer(true);
	now_ms += 60000;
	ck_assert(check_ask(&check, now_ms));
	check_answer(&check, true);
	ck_assert(!check_ask(&check, now_ms + rule.every_ms - 1));
	ck_assert(check_ask(&check, now_ms + rule.every_ms));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("check");
	TCase *tests = tcase_create("check");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, test_it_falls_and_rises);
	tcase_add_test(tests, test_one_other_answer_begins_anew);
	tcase_add_test(tests, test_the_first_question_is_somewhere_within_every);
	tcase_add_test(tests, test_one_question_at_a_time_and_late_at_its_timeout);
	tcase_add_test(tests, test_an_answer_without_a_question_says_nothing);
	tcase_add_test(tests, test_a_loop_that_stood_still_makes_up_for_nothing);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
