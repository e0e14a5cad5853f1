/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long an apply waits, under a virtual clock. Less than a second. */
#include <check.h>
#include <stdlib.h>

#include "controller/core/preparation/preparation.h"

enum { BEGIN_MS = 1000000 };

static struct preparation preparation;

static void setup(void)
{
	preparation_begin(&preparation, BEGIN_MS);
}

START_TEST(a_small_stage_gets_10_s)
{
	ck_assert(!preparation_is_over(&preparation, false, BEGIN_MS + PREPARATION_ANSWER_MS - 1));
	ck_assert(preparation_is_over(&preparation, false, BEGIN_MS + PREPARATION_ANSWER_MS));
	ck_assert_int_eq(
		preparation_so_far_ms(&preparation, BEGIN_MS + PREPARATION_ANSWER_MS), PREPARATION_ANSWER_MS);
}
END_TEST

START_TEST(megabytes_get_more_which_ends)
{
	ck_assert(!preparation_is_over(&preparation, true, BEGIN_MS + PREPARATION_ANSWER_MS));
	ck_assert(!preparation_is_over(&preparation, true, BEGIN_MS + PREPARATION_TAKES_IN_MS - 1));
	ck_assert(preparation_is_over(&preparation, true, BEGIN_MS + PREPARATION_TAKES_IN_MS));
}
END_TEST

/* Sixty-four gateways that answer one every 40 s: each answer is progress, and they are waited for, 42 minutes long. */
START_TEST(every_answer_gives_the_others_more)
{
	int64_t now_ms = BEGIN_MS;

	for (int i = 0; i < 64; i++) {
		now_ms += PREPARATION_TAKES_IN_MS - 10000;
		ck_assert(!preparation_is_over(&preparation, true, now_ms));
		preparation_answer(&preparation, now_ms);
	}
	ck_assert(!preparation_is_over(&preparation, true, now_ms + PREPARATION_TAKES_IN_MS - 1));
	ck_assert(preparation_is_over(&preparation, true, now_ms + PREPARATION_TAKES_IN_MS));
	ck_assert(!preparation_is_over(&preparation, false, now_ms + PREPARATION_ANSWER_MS - 1));
	ck_assert(preparation_is_over(&preparation, false, now_ms + PREPARATION_ANSWER_MS));
	ck_assert_int_eq(preparation_so_far_ms(&preparation, now_ms), now_ms - BEGIN_MS);
}
END_TEST

START_TEST(one_that_is_away_gets_2_s)
{
	int64_t lost_ms = BEGIN_MS + 500;

	ck_assert(
		!preparation_is_over_for(&preparation, lost_ms, false, lost_ms + PREPARATION_RETURN_MS - 1));
	ck_assert(preparation_is_over_for(&preparation, lost_ms, false, lost_ms + PREPARATION_RETURN_MS));
}
END_TEST

START_TEST(one_that_is_away_is_waited_for_while_any_takes_in)
{
	int64_t lost_ms = BEGIN_MS + 500;

	ck_assert(!preparation_is_over_for(&preparation, lost_ms, true, lost_ms + PREPARATION_RETURN_MS));
	ck_assert(!preparation_is_over_for(
		&preparation, lost_ms, true, BEGIN_MS + PREPARATION_TAKES_IN_MS - 1));
	ck_assert(preparation_is_over_for(&preparation, lost_ms, true, BEGIN_MS + PREPARATION_TAKES_IN_MS));
	/* lost at the last moment: it has its 2 s all the same */
	lost_ms = BEGIN_MS + PREPARATION_TAKES_IN_MS;
	ck_assert(!preparation_is_over_for(&preparation, lost_ms, true, lost_ms + PREPARATION_RETURN_MS - 1));
	ck_assert(preparation_is_over_for(&preparation, lost_ms, true, lost_ms + PREPARATION_RETURN_MS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("preparation");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, a_small_stage_gets_10_s);
	tcase_add_test(all, megabytes_get_more_which_ends);
	tcase_add_test(all, every_answer_gives_the_others_more);
	tcase_add_test(all, one_that_is_away_gets_2_s);
	tcase_add_test(all, one_that_is_away_is_waited_for_while_any_takes_in);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
