/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/seat/sleepers.h"

/* When a peer is made anew, and when it is not. */

START_TEST(test_recreates_in_time_unless_it_is_back)
{
	add(2);
	step();
	now += 20;
	ck_assert(back(0));
	run_until(START + WAKE_RECREATE_MS - 1);
	ck_assert_uint_eq(recreated, 0);
	run_until(START + WAKE_RECREATE_MS + WAKE_JITTER_MS);
	ck_assert_uint_eq(recreated, 1);
	ck_assert_uint_eq(actions.items[0].peer->public_key.bytes[0], 1);
	ck_assert_uint_eq(actions.items[0].keepalive_s, WAKE_KEEPALIVE_S);
}
END_TEST

/* 195 ms are the worst of noticing, see docs/failure-model.md. */
START_TEST(test_three_lost_responses_cost_less_than_a_second)
{
	add(1);
	run_until(START + 1000 - 195);
	ck_assert_uint_eq(poked, 1);
	ck_assert_uint_eq(recreated, 3);
}
END_TEST

START_TEST(test_recreates_only_what_a_look_since_found_silent)
{
	add(2);
	step();
	looking = false;
	wake_looked(wake, "wg0", START + WAKE_RECREATE_MS - 1);
	run_until(START + 3000);
	ck_assert_uint_eq(recreated, 0);
	ck_assert(back(0)); /* completed after the last look, and seen in the next one */
	wake_looked(wake, "wg1", now);
	run_until(START + 3001);
	ck_assert_uint_eq(recreated, 0);
	now += WAKE_COMING_MS;
	wake_looked(wake, "wg0", now - 2);
	step_while_due();
	ck_assert_uint_eq(recreated, 0); /* the other one may be about to come, too */
	wake_looked(wake, "wg0", now - 1);
	ck_assert_int_le(wake_deadline(wake), now);
	step();
	ck_assert_uint_eq(recreated, 1);
	run_until(START + 10000);
	ck_assert_uint_eq(recreated, 1);
}
END_TEST

/* They had no turn, since as many are in flight as may be; when they have one, that look is history. */
START_TEST(test_a_look_is_good_for_one_step)
{
	looking = false;
	add(2 * WAKE_OUTSTANDING_MAX);
	run_until(START + 700);
	ck_assert_uint_eq(poked, 2 * WAKE_OUTSTANDING_MAX);
	wake_looked(wake, "wg0", START + 699);
	run_until(START + 2400);
	ck_assert_uint_eq(recreated, 0);
	for (uint32_t i = 0; i < WAKE_OUTSTANDING_MAX; i++)
		ck_assert(back(i));
	now += WAKE_COMING_MS + 1;
	wake_looked(wake, "wg0", now - 1);
	run_until(now + 1);
	ck_assert_uint_eq(recreated, WAKE_OUTSTANDING_MAX);
	ck_assert_uint_ge(actions.items[0].peer->public_key.bytes[1], 1); /* of the second 256 */
}
END_TEST

START_TEST(test_a_device_that_cannot_be_read_is_given_up_in_time)
{
	add(1);
	looking = false;
	run_until(START + WAKE_GIVE_UP_MS - 1);
	ck_assert_uint_eq(recreated, 0);
	ck_assert(!wake_result(wake, now).over);
	run_until(START + WAKE_GIVE_UP_MS);
	ck_assert_uint_eq(wake_result(wake, now).given_up, 1);
}
END_TEST

/* A client that answers each try after that time, unless another try has made the answer void; -1: it is never back. */
static int64_t back_from(int64_t rtt_ms)
{
	int64_t asked_ms = START, back_ms = -1;
	size_t tries = 0;

	wake_free(wake);
	sleepers_begin();
	add(1);
	while (back_ms < 0 && !wake_result(wake, now).over) {
		run_until(now + 1);
		if (poked + recreated > tries)
			asked_ms = now;
		tries = poked + recreated;
		if (now - asked_ms >= rtt_ms && back(0))
			back_ms = now - START;
	}
	return back_ms;
}

START_TEST(test_a_client_far_away_comes_back)
{
	for (int64_t rtt_ms = 1; rtt_ms <= 7000; rtt_ms += rtt_ms < 1000 ? 3 : 250) {
		int64_t back_ms = back_from(rtt_ms);
		ck_assert_int_ge(back_ms, rtt_ms);
		ck_assert_int_lt(back_ms, rtt_ms < WAKE_RECREATE_MS ? WAKE_RECREATE_MS : 3 * rtt_ms + 1000);
	}
}
END_TEST

/* Processors that have other work to do: the last of 200 is back a second after its poke, and none was lost. */
START_TEST(test_what_is_late_as_all_are_is_not_begun_anew)
{
	add(200);
	for (uint32_t i = 0; i < 200; i++) {
		run_until(now + 5);
		ck_assert(back(i));
	}
	ck_assert_uint_eq(recreated, 0);
	ck_assert(wake_result(wake, now).over);
}
END_TEST

/* Put off, and meanwhile it is back: to make it anew would end its session, and it counts as back already. */
START_TEST(test_who_came_back_in_between_is_not_made_anew)
{
	struct wake_peer gone = peer(1);
	struct wake_action anew;

	add(2);
	run_until(START + WAKE_RECREATE_MS + WAKE_JITTER_MS);
	ck_assert_uint_eq(recreated, 2);
	anew = (struct wake_action){.kind = WAKE_RECREATE, .peer = actions.items[0].peer};
	ck_assert(wake_action_stands(wake, &anew));
	ck_assert(back(anew.peer->public_key.bytes[0]));
	ck_assert(!wake_action_stands(wake, &anew));
	anew.kind = WAKE_RESTORE;
	ck_assert(wake_action_stands(wake, &anew));
	wake_remove(wake, "wg0", &gone.public_key);
	anew = (struct wake_action){.kind = WAKE_RECREATE, .peer = &gone};
	ck_assert(!wake_action_stands(wake, &anew));
}
END_TEST

/* No processor has had time for any of them: nothing is begun anew for half a second, and then it has twice as long. */
START_TEST(test_what_nobody_has_had_time_for_is_not_begun_anew)
{
	add(WAKE_FEW + 1);
	run_until(START + WAKE_IN_FLIGHT_MS - 1);
	ck_assert_uint_eq(recreated, 0);
	run_until(START + WAKE_IN_FLIGHT_MS);
	ck_assert_uint_eq(recreated, WAKE_FEW + 1);
	run_until(now + 2 * WAKE_IN_FLIGHT_MS - 1);
	ck_assert_uint_eq(recreated, WAKE_FEW + 1);
	run_until(now + 1);
	ck_assert_uint_eq(recreated, 2 * (WAKE_FEW + 1));
}
END_TEST

/* They queue for 400 ms and then nobody comes any more: who was lost is not waited for as long again. */
START_TEST(test_the_lost_ones_do_not_wait_as_the_late_ones_did)
{
	add(101);
	for (uint32_t i = 0; i < 100; i++) {
		run_until(now + 4);
		back(i);
	}
	ck_assert_uint_eq(recreated, 0);
	run_until(now + WAKE_COMING_MS);
	ck_assert_uint_eq(recreated, 1);
	run_until(now + WAKE_RECREATE_MS + WAKE_JITTER_MS);
	ck_assert_uint_eq(recreated, 2);
}
END_TEST

static void tell(bool answered)
{
	for (size_t i = 0; i < actions.count; i++)
		wake_told(wake, &actions.items[i], answered, now);
}

/* Others had the loop, or the device was being read. */
START_TEST(test_a_poke_counts_from_when_it_was_sent)
{
	telling = false;
	add(1);
	step();
	run_until(START + 2 * WAKE_RECREATE_MS);
	ck_assert_uint_eq(recreated, 0); /* a look in between found it silent, and no wonder */
	telling = true;
	tell(true);
	run_until(now + WAKE_RECREATE_MS - 1);
	ck_assert_uint_eq(recreated, 0);
	run_until(now + 1 + WAKE_JITTER_MS);
	ck_assert_uint_eq(recreated, 1);
}
END_TEST

/* A device that answered others before the message went, and was found silent, was not silent about that. */
START_TEST(test_a_look_before_it_was_sent_says_nothing)
{
	telling = false;
	add(1);
	step();
	wake_answers(wake, "wg0", now);
	now += WAKE_RECREATE_MS + WAKE_JITTER_MS;
	look();
	tell(true);
	step();
	ck_assert_uint_eq(recreated, 0);
}
END_TEST

/* As a program that hangs is asked again only after SILENCE_FIRST_MS, which is more than WAKE_RECREATE_MS. */
START_TEST(test_what_was_not_answered_counts_from_when_the_device_answers)
{
	telling = false;
	add(1);
	step();
	now += 150;
	tell(false);
	telling = true;
	run_until(now + 250);
	ck_assert_uint_eq(recreated, 0);
	wake_answers(wake, "wg1", now);
	run_until(now + 1000);
	ck_assert_uint_eq(recreated, 0); /* another's */
	wake_answers(wake, "wg0", now);
	run_until(now + WAKE_RECREATE_MS - 1);
	ck_assert_uint_eq(recreated, 0);
	run_until(now + 1 + WAKE_JITTER_MS);
	ck_assert_uint_eq(recreated, 1);
}
END_TEST

START_TEST(test_whoever_was_made_anew_in_vain_waits_as_well)
{
	add(1);
	step();
	telling = false;
	run_until(START + WAKE_RECREATE_MS + WAKE_JITTER_MS);
	ck_assert_uint_eq(recreated, 1);
	tell(false);
	run_until(now + 2 * WAKE_RECREATE_MS);
	ck_assert_uint_eq(recreated, 1);
	wake_answers(wake, "wg0", now);
	run_until(now + WAKE_RECREATE_MS + WAKE_JITTER_MS);
	ck_assert_uint_eq(recreated, 2);
}
END_TEST

/* The handshake that the hanging program made in the end is seen in the first look that it answers. */
START_TEST(test_back_before_it_is_known_to_have_been_told)
{
	telling = false;
	add(1);
	step();
	tell(false);
	now += 400;
	ck_assert(back(0));
	wake_answers(wake, "wg0", now);
	tell(true); /* and no try any more */
	run_until(now + 1000);
	ck_assert_uint_eq(recreated, 0);
	ck_assert(wake_result(wake, now).over);
}
END_TEST

/* A try that came late leaves it as much time as any other. */
START_TEST(test_it_is_given_up_by_when_it_was_sent)
{
	telling = looking = false;
	add(1);
	step();
	now += 5000;
	tell(true);
	run_until(START + WAKE_GIVE_UP_MS + 4999);
	ck_assert_uint_eq(wake_result(wake, now).given_up, 0);
	run_until(now + 1);
	ck_assert_uint_eq(wake_result(wake, now).given_up, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wake again");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, sleepers_begin, sleepers_end);
	tcase_add_test(all, test_recreates_in_time_unless_it_is_back);
	tcase_add_test(all, test_three_lost_responses_cost_less_than_a_second);
	tcase_add_test(all, test_recreates_only_what_a_look_since_found_silent);
	tcase_add_test(all, test_a_look_is_good_for_one_step);
	tcase_add_test(all, test_a_device_that_cannot_be_read_is_given_up_in_time);
	tcase_add_test(all, test_a_client_far_away_comes_back);
	tcase_add_test(all, test_what_is_late_as_all_are_is_not_begun_anew);
	tcase_add_test(all, test_who_came_back_in_between_is_not_made_anew);
	tcase_add_test(all, test_a_poke_counts_from_when_it_was_sent);
	tcase_add_test(all, test_a_look_before_it_was_sent_says_nothing);
	tcase_add_test(all, test_what_was_not_answered_counts_from_when_the_device_answers);
	tcase_add_test(all, test_whoever_was_made_anew_in_vain_waits_as_well);
	tcase_add_test(all, test_back_before_it_is_known_to_have_been_told);
	tcase_add_test(all, test_it_is_given_up_by_when_it_was_sent);
	tcase_add_test(all, test_what_nobody_has_had_time_for_is_not_begun_anew);
	tcase_add_test(all, test_the_lost_ones_do_not_wait_as_the_late_ones_did);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
