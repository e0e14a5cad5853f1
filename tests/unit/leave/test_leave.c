/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "node-agent/core/leave/leave.h"

enum { START_MS = 5000 };

static struct leave leave;
static int64_t now_ms;

static void setup(void)
{
	now_ms = START_MS;
	leave_init(&leave, now_ms);
}

static unsigned host(bool going_down)
{
	return leave_step(
		&leave, &(struct leave_event){.kind = LEAVE_EVENT_HOST, .going_down = going_down}, now_ms);
}

static unsigned answer(bool going_down)
{
	return leave_step(
		&leave, &(struct leave_event){.kind = LEAVE_EVENT_ANSWER, .going_down = going_down}, now_ms);
}

static unsigned stop(void)
{
	return leave_step(&leave, &(struct leave_event){.kind = LEAVE_EVENT_STOP}, now_ms);
}

static unsigned duty(size_t duties, bool connected)
{
	return leave_step(&leave,
		&(struct leave_event){.kind = LEAVE_EVENT_DUTY, .duties = duties, .connected = connected},
		now_ms);
}

/* To the deadline, and not a millisecond further: nothing may happen before it. */
static unsigned wait_out(int64_t ms)
{
	ck_assert_int_eq(leave_deadline(&leave), now_ms + ms);
	now_ms += ms - 1;
	ck_assert_uint_eq(leave_step(&leave, &(struct leave_event){.kind = LEAVE_EVENT_TICK}, now_ms), 0);
	now_ms++;
	return leave_step(&leave, &(struct leave_event){.kind = LEAVE_EVENT_TICK}, now_ms);
}

START_TEST(an_owner_is_relieved_before_the_host_goes)
{
	duty(1, true);
	ck_assert_uint_eq(host(true), LEAVE_REPORT);
	ck_assert(leave_is_leaving(&leave));
	ck_assert_uint_eq(duty(1, true), 0);
	ck_assert_uint_eq(duty(0, true), LEAVE_LET_GO);
	ck_assert_int_eq(leave.outcome, LEAVE_RELIEVED);
	ck_assert(leave_is_leaving(&leave)); /* it must not be sent anything now */
	ck_assert_int_eq(leave_deadline(&leave), INT64_MAX);
	ck_assert_uint_eq(stop(), LEAVE_EXIT);
}
END_TEST

START_TEST(a_standby_keeps_nobody)
{
	duty(0, true);
	ck_assert_uint_eq(host(true), LEAVE_REPORT | LEAVE_LET_GO);
	ck_assert_int_eq(leave.outcome, LEAVE_RELIEVED);
}
END_TEST

START_TEST(an_agent_that_is_started_anew_moves_nothing)
{
	duty(1, true);
	ck_assert_uint_eq(stop(), LEAVE_ASK);
	ck_assert(!leave_is_leaving(&leave));
	ck_assert_uint_eq(answer(false), LEAVE_EXIT);
	ck_assert(!leave_is_leaving(&leave));
}
END_TEST

START_TEST(one_that_is_stopped_with_its_host_is_relieved_first)
{
	duty(1, true);
	ck_assert_uint_eq(stop(), LEAVE_ASK);
	ck_assert_uint_eq(answer(true), LEAVE_REPORT);
	ck_assert_uint_eq(duty(0, true), LEAVE_LET_GO | LEAVE_EXIT);
}
END_TEST

/* The service manager answered "running" before it heard of what logind says already. */
START_TEST(an_answer_does_not_call_off_what_the_host_said_meanwhile)
{
	duty(1, true);
	ck_assert_uint_eq(stop(), LEAVE_ASK);
	ck_assert_uint_eq(host(true), LEAVE_REPORT);
	ck_assert_uint_eq(answer(false), 0);
	ck_assert(leave_is_leaving(&leave));
	ck_assert_uint_eq(duty(0, true), LEAVE_LET_GO | LEAVE_EXIT);
}
END_TEST

START_TEST(stopped_while_it_leaves_it_goes_on_with_that)
{
	duty(1, true);
	host(true);
	ck_assert_uint_eq(stop(), 0);
	ck_assert_uint_eq(duty(0, true), LEAVE_LET_GO | LEAVE_EXIT);
}
END_TEST

START_TEST(stopped_twice_it_waits_no_longer)
{
	duty(1, true);
	host(true);
	ck_assert_uint_eq(stop(), 0);
	ck_assert_uint_eq(stop(), LEAVE_EXIT);
}
END_TEST

START_TEST(without_an_answer_it_ends)
{
	duty(1, true);
	ck_assert_uint_eq(stop(), LEAVE_ASK);
	ck_assert_uint_eq(wait_out(LEAVE_ASK_MS), LEAVE_EXIT);
	ck_assert(!leave_is_leaving(&leave));
}
END_TEST

START_TEST(called_off_it_stays_and_holds_again)
{
	duty(1, true);
	host(true);
	ck_assert_uint_eq(host(false), LEAVE_REPORT); /* the lock was never given up */
	host(true);
	duty(0, true);
	ck_assert_uint_eq(host(false), LEAVE_REPORT | LEAVE_HOLD);
	ck_assert(!leave_is_leaving(&leave));
	ck_assert_uint_eq(host(true), LEAVE_REPORT | LEAVE_LET_GO);
}
END_TEST

START_TEST(told_twice_is_told_once)
{
	duty(1, true);
	ck_assert_uint_eq(host(false), 0);
	ck_assert_uint_eq(host(true), LEAVE_REPORT);
	now_ms += 100;
	ck_assert_uint_eq(host(true), 0);
	ck_assert_int_eq(leave_deadline(&leave), START_MS + LEAVE_MAX_MS);
}
END_TEST

START_TEST(who_is_not_relieved_in_time_lets_go)
{
	duty(2, true);
	host(true);
	ck_assert_uint_eq(wait_out(LEAVE_MAX_MS), LEAVE_LET_GO);
	ck_assert_int_eq(leave.outcome, LEAVE_LATE);
}
END_TEST

START_TEST(without_a_controller_nobody_is_waited_for)
{
	duty(1, true);
	now_ms += 60000;
	duty(1, false);
	now_ms += LEAVE_ALONE_MS;
	ck_assert_uint_eq(host(true), LEAVE_REPORT | LEAVE_LET_GO);
	ck_assert_int_eq(leave.outcome, LEAVE_UNHEARD);
}
END_TEST

START_TEST(one_that_was_never_there_is_not_waited_for)
{
	duty(1, false);
	now_ms += LEAVE_ALONE_MS;
	ck_assert_uint_eq(host(true), LEAVE_REPORT | LEAVE_LET_GO);
	ck_assert_int_eq(leave.outcome, LEAVE_UNHEARD);
}
END_TEST

START_TEST(a_controller_that_is_lost_may_come_back)
{
	duty(1, true);
	host(true);
	now_ms += 20;
	duty(1, false);
	now_ms += LEAVE_ALONE_MS - 1;
	ck_assert_uint_eq(duty(1, true), 0);
	ck_assert_int_eq(leave_deadline(&leave), START_MS + LEAVE_MAX_MS);
	ck_assert_uint_eq(duty(1, false), 0);
	ck_assert_uint_eq(wait_out(LEAVE_ALONE_MS), LEAVE_LET_GO);
	ck_assert_int_eq(leave.outcome, LEAVE_UNHEARD);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("leave");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, an_owner_is_relieved_before_the_host_goes);
	tcase_add_test(all, a_standby_keeps_nobody);
	tcase_add_test(all, an_agent_that_is_started_anew_moves_nothing);
	tcase_add_test(all, one_that_is_stopped_with_its_host_is_relieved_first);
	tcase_add_test(all, an_answer_does_not_call_off_what_the_host_said_meanwhile);
	tcase_add_test(all, stopped_while_it_leaves_it_goes_on_with_that);
	tcase_add_test(all, stopped_twice_it_waits_no_longer);
	tcase_add_test(all, without_an_answer_it_ends);
	tcase_add_test(all, called_off_it_stays_and_holds_again);
	tcase_add_test(all, told_twice_is_told_once);
	tcase_add_test(all, who_is_not_relieved_in_time_lets_go);
	tcase_add_test(all, without_a_controller_nobody_is_waited_for);
	tcase_add_test(all, one_that_was_never_there_is_not_waited_for);
	tcase_add_test(all, a_controller_that_is_lost_may_come_back);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
