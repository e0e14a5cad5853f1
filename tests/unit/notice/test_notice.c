/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "node-agent/core/notice/notice.h"

enum { ALL = (1u << STATES) - 1 };

static struct notice notice;

static void setup(void)
{
	notice_init(&notice, ALL);
}

static void expect_told(enum desired_state expected)
{
	enum desired_state state;

	ck_assert(notice_next(&notice, &state));
	ck_assert_int_eq(state, expected);
}

static void expect_nothing(void)
{
	enum desired_state state;

	ck_assert(!notice_next(&notice, &state));
}

START_TEST(the_state_at_the_start_is_told_once)
{
	expect_nothing();
	notice_set(&notice, STATE_STANDBY);
	expect_told(STATE_STANDBY);
	notice_ended(&notice);
	notice_set(&notice, STATE_STANDBY);
	expect_nothing();
}
END_TEST

START_TEST(one_at_a_time_and_the_last_state_only)
{
	notice_set(&notice, STATE_STANDBY);
	expect_told(STATE_STANDBY);
	notice_set(&notice, STATE_UNFIT);
	expect_nothing();
	notice_set(&notice, STATE_OWNER);
	expect_nothing();
	notice_ended(&notice);
	expect_told(STATE_OWNER);
}
END_TEST

START_TEST(what_came_and_went_while_it_ran_is_not_told)
{
	notice_set(&notice, STATE_OWNER);
	expect_told(STATE_OWNER);
	notice_set(&notice, STATE_STANDBY);
	notice_set(&notice, STATE_OWNER);
	notice_ended(&notice);
	expect_nothing();
}
END_TEST

/* It becomes the owner again: that is news, although nothing was told in between. */
START_TEST(states_that_nobody_asked_for_are_passed_over)
{
	notice_init(&notice, 1u << STATE_OWNER);
	notice_set(&notice, STATE_STANDBY);
	expect_nothing();
	notice_set(&notice, STATE_OWNER);
	expect_told(STATE_OWNER);
	notice_ended(&notice);
	notice_set(&notice, STATE_UNFIT);
	expect_nothing();
	notice_set(&notice, STATE_OWNER);
	expect_told(STATE_OWNER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notice");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, the_state_at_the_start_is_told_once);
	tcase_add_test(all, one_at_a_time_and_the_last_state_only);
	tcase_add_test(all, what_came_and_went_while_it_ran_is_not_told);
	tcase_add_test(all, states_that_nobody_asked_for_are_passed_over);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
