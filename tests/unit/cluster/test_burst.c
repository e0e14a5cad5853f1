/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/cluster/burst.h"

static struct burst burst;
static struct timing timing;

static void setup(void)
{
	timing = timing_from_interval(50);
	burst_reset(&burst);
}

enum { ANY = 1000 };

/* Runs it on time until all probes are out; returns how many those were. */
static uint32_t send_all(void)
{
	uint32_t sent = 0;

	while (burst.probe_ms != INT64_MAX) {
		uint32_t due = burst_due(&burst, &timing, 0, ANY, burst.probe_ms);
		ck_assert_uint_le(due, 1);
		sent += due;
	}
	return sent;
}

START_TEST(test_eight_probes_four_ms_apart)
{
	burst_begin(&burst, &timing, false, 1000);
	ck_assert_uint_eq(send_all(), 8);
	ck_assert_int_eq(burst.concludes_ms, 1000 + 28 + 20);
}
END_TEST

START_TEST(test_a_lone_observer_sends_sixteen)
{
	burst_begin(&burst, &timing, true, 1000);
	ck_assert_uint_eq(send_all(), 16);
	ck_assert_int_eq(burst.concludes_ms, 1000 + 60 + 25);
	ck_assert(!burst_go_on_alone(&burst, &timing, 1085));
}
END_TEST

START_TEST(test_one_that_nobody_confirms_goes_on)
{
	burst_begin(&burst, &timing, false, 1000);
	send_all();
	ck_assert(burst_go_on_alone(&burst, &timing, 1048));
	ck_assert_uint_eq(send_all(), 8);
	ck_assert_int_eq(burst.concludes_ms, 1048 + 28 + 25);
}
END_TEST

START_TEST(test_a_late_loop_makes_up_for_it)
{
	burst_begin(&burst, &timing, false, 1000);
	burst_due(&burst, &timing, 0, ANY, 1000);
	ck_assert_uint_eq(burst_due(&burst, &timing, 0, ANY, 1003), 0);
	ck_assert_uint_eq(burst_due(&burst, &timing, 0, ANY, 1013), 3);
	ck_assert_uint_eq(burst_due(&burst, &timing, 0, ANY, 1100), 4);
	ck_assert_int_eq(burst.concludes_ms, 1120);
}
END_TEST

START_TEST(test_what_may_not_be_sent_yet_is_sent_later)
{
	burst_begin(&burst, &timing, false, 1000);
	ck_assert_uint_eq(burst_due(&burst, &timing, 0, 0, 1000), 0);
	ck_assert_int_eq(burst.probe_ms, 1004);
	ck_assert_uint_eq(burst_due(&burst, &timing, 0, 3, 1032), 3);
	ck_assert_int_eq(burst.concludes_ms, INT64_MAX);
	ck_assert_uint_eq(burst_due(&burst, &timing, 0, ANY, 1100), 5);
	ck_assert_int_eq(burst.concludes_ms, 1120);
}
END_TEST

START_TEST(test_waits_for_a_slow_path_but_not_for_ever)
{
	burst_begin(&burst, &timing, false, 1000);
	burst_due(&burst, &timing, 90, ANY, 1028);
	ck_assert_int_eq(burst.concludes_ms, 1118);
	burst_begin(&burst, &timing, false, 2000);
	burst_due(&burst, &timing, 60000, ANY, 2028);
	ck_assert_int_eq(burst.concludes_ms, 3028);
}
END_TEST

START_TEST(test_what_answered_stays_until_the_next)
{
	burst_begin(&burst, &timing, false, 1000);
	burst.agent_answered = true;
	burst_end(&burst, 1010);
	ck_assert(burst.agent_answered && !burst.running);
	ck_assert_int_eq(burst.ended_ms, 1010);
	burst_begin(&burst, &timing, false, 2000);
	ck_assert(!burst.agent_answered);
	ck_assert_int_eq(burst.ended_ms, 1010);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("burst");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_eight_probes_four_ms_apart);
	tcase_add_test(all, test_a_lone_observer_sends_sixteen);
	tcase_add_test(all, test_one_that_nobody_confirms_goes_on);
	tcase_add_test(all, test_a_late_loop_makes_up_for_it);
	tcase_add_test(all, test_what_may_not_be_sent_yet_is_sent_later);
	tcase_add_test(all, test_waits_for_a_slow_path_but_not_for_ever);
	tcase_add_test(all, test_what_answered_stays_until_the_next);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
