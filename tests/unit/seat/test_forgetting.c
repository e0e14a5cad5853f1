/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/seat/chair.h"

/* gw-a has served under 7.1 and released it; its WireGuard takes its time to forget the sessions. */
static struct chair chair;

static void resign(void)
{
	chair.slow = true;
	chair_order(&chair, 1, "gw-a");
	chair_pass(&chair, 2000);
	chair_order(&chair, 1, "");
	ck_assert_uint_eq(chair.resigned, 1);
}

static void setup(void)
{
	chair_init(&chair);
	resign();
}

static void setup_fence(void)
{
	chair_prepare_in(&chair, true);
	chair_start(&chair, NULL, 0);
	chair_carrier(&chair, true);
	chair_fit(&chair, true);
	chair_floor(&chair, 1, 0, true);
	chair_pass(&chair, 3130);
}

static void forgotten(void)
{
	chair_event(&chair, SEAT_EVENT_FORGOTTEN);
}

static void hear_host(uint32_t n)
{
	struct seat_state heard = {.endpoint = "vpn",
		.role = SEAT_HOSTING,
		.epoch = {.term = 7, .n = n},
		.highest = {.term = 7, .n = n}};

	chair_step(
		&chair, (struct seat_event){
				.kind = SEAT_EVENT_HEARD, .from = "gw-b", .heard = &heard, .proven = true});
}

static void grant(void)
{
	chair_step(
		&chair, (struct seat_event){
				.kind = SEAT_EVENT_GRANT, .claim = &chair.claim, .at_ms = chair.claimed_ms});
}

START_TEST(test_an_order_waits_for_sessions_to_be_forgotten)
{
	chair_order(&chair, 2, "gw-a");
	ck_assert_str_eq(chair.log, "P");
	chair_pass(&chair, 5000);       /* longer than the lease that it would have got */
	chair_order(&chair, 2, "gw-a"); /* told twice */
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_uint_eq(chair.acquired, 1);
	forgotten();
	ck_assert_str_eq(chair.log, "ATarP");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	/* as long as evidence of now says */
	ck_assert_uint_gt(chair.timeout_ms, 2900);
	ck_assert_int_eq(chair.kernel_until_ms, chair.seat.permit_until_ms);
	chair_pass(&chair, 4000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_it_is_not_ready_before)
{
	ck_assert(!seat_is_ready(&chair.seat, chair.now));
	forgotten();
	ck_assert_str_eq(chair.log, "");
	ck_assert(seat_is_ready(&chair.seat, chair.now));
	chair_order(&chair, 2, "gw-a");
	ck_assert_str_eq(chair.log, "ATarP");
}
END_TEST

START_TEST(test_a_higher_epoch_ends_the_waiting)
{
	chair_order(&chair, 2, "gw-a");
	chair_order(&chair, 3, "gw-b");
	forgotten();
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_uint_eq(chair.acquired, 1);
	chair_order(&chair, 4, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_another_who_serves_under_that_epoch_ends_the_waiting)
{
	chair_order(&chair, 2, "gw-a");
	chair_hear(&chair, SEAT_SERVING, 2, 2);
	forgotten();
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_uint_eq(chair.acquired, 1);
}
END_TEST

START_TEST(test_a_release_ends_the_waiting)
{
	chair_order(&chair, 2, "gw-a");
	chair_order(&chair, 2, "");
	forgotten();
	ck_assert_uint_eq(chair.acquired, 1);
}
END_TEST

START_TEST(test_who_can_serve_no_more_burns_it)
{
	chair_order(&chair, 2, "gw-a");
	chair_carrier(&chair, false);
	ck_assert_uint_eq(chair.refused, 1);
	ck_assert_int_eq(chair.why, SEAT_WHY_CARRIER);
	chair_carrier(&chair, true);
	forgotten();
	ck_assert_uint_eq(chair.acquired, 1);
}
END_TEST

START_TEST(test_who_relays_forgets_before_it_carries_out_an_order)
{
	forgotten();
	chair_order(&chair, 2, "gw-a");
	chair_order_guest(&chair, 2, "gw-a", "gw-b");
	chair_order(&chair, 2, "");
	ck_assert_int_eq(chair.seat.role, SEAT_RELAYING);
	chair_order(&chair, 4, "gw-a");
	ck_assert_str_eq(chair.log, "PCrORP");
	chair_pass(&chair, 500);
	ck_assert_uint_eq(chair.acquired, 2);
	forgotten();
	ck_assert_str_eq(chair.log, "ATarP");
}
END_TEST

START_TEST(test_a_guest_comes_in_when_its_sessions_are_forgotten)
{
	chair_order_guest(&chair, 2, "gw-b", "gw-a");
	hear_host(2);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	chair.now += 40;
	forgotten();
	ck_assert_str_eq(chair.log, "ATr");
	ck_assert_int_eq(chair.seat.role, SEAT_GUEST);
	ck_assert(!chair.announces);
}
END_TEST

START_TEST(test_a_guest_whose_host_is_silent_stays_outside)
{
	chair_order_guest(&chair, 2, "gw-b", "gw-a");
	hear_host(2);
	chair_pass(&chair, chair.seat.config.timing.contact_ms + 1);
	forgotten();
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	hear_host(2);
	ck_assert_int_eq(chair.seat.role, SEAT_GUEST);
}
END_TEST

START_TEST(test_what_an_earlier_host_said_lets_nobody_in)
{
	chair_order_guest(&chair, 2, "gw-b", "gw-a");
	hear_host(2);
	chair.now += 40;
	chair_order_guest(&chair, 3, "gw-c", "gw-a"); /* which has not been heard hosting */
	forgotten();
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
}
END_TEST

START_TEST(test_what_an_earlier_life_held_is_forgotten_first)
{
	struct seat_disk disk = {.highest = {.term = 7, .n = 1}, .served = {.term = 7, .n = 1}};

	chair_prepare(&chair);
	chair.slow = true;
	chair_start(&chair, &disk, 0);
	chair_carrier(&chair, true);
	chair_fit(&chair, true);
	chair_floor(&chair, 1, 0, true);
	chair_pass(&chair, 500);
	chair_order(&chair, 2, "gw-a");
	ck_assert_uint_eq(chair.acquired, 0);
	forgotten();
	ck_assert_uint_eq(chair.acquired, 1);
}
END_TEST

/* Others would have to wait for leave that it cannot use. */
START_TEST(test_leave_is_asked_for_when_its_sessions_are_forgotten)
{
	chair_order(&chair, 1, "gw-a");
	grant();
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	chair.slow = true;
	chair_order(&chair, 1, "");
	unsigned claimed = chair.claimed;
	chair_order(&chair, 2, "gw-a");
	chair_pass(&chair, 1000);
	ck_assert_uint_eq(chair.claimed, claimed);
	ck_assert_uint_eq(chair.acquired, 1);
	forgotten();
	ck_assert_uint_eq(chair.claimed, claimed + 1);
	ck_assert_uint_eq(chair.claim.epoch.n, 2);
	grant();
	ck_assert_uint_eq(chair.acquired, 2);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_leave_that_is_over_by_then_takes_nothing)
{
	chair_order(&chair, 1, "gw-a");
	grant();
	chair.slow = true;
	chair_order(&chair, 1, "");
	chair_order(&chair, 2, "gw-a");
	grant();
	chair_pass(&chair, 2500);
	forgotten();
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	grant();
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forgetting");
	TCase *hold = tcase_create("hold"), *fence = tcase_create("fence");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(hold, setup, NULL);
	tcase_add_test(hold, test_an_order_waits_for_sessions_to_be_forgotten);
	tcase_add_test(hold, test_it_is_not_ready_before);
	tcase_add_test(hold, test_a_higher_epoch_ends_the_waiting);
	tcase_add_test(hold, test_another_who_serves_under_that_epoch_ends_the_waiting);
	tcase_add_test(hold, test_a_release_ends_the_waiting);
	tcase_add_test(hold, test_who_can_serve_no_more_burns_it);
	tcase_add_test(hold, test_who_relays_forgets_before_it_carries_out_an_order);
	tcase_add_test(hold, test_a_guest_comes_in_when_its_sessions_are_forgotten);
	tcase_add_test(hold, test_a_guest_whose_host_is_silent_stays_outside);
	tcase_add_test(hold, test_what_an_earlier_host_said_lets_nobody_in);
	tcase_add_test(hold, test_what_an_earlier_life_held_is_forgotten_first);
	tcase_add_checked_fixture(fence, setup_fence, NULL);
	tcase_add_test(fence, test_leave_is_asked_for_when_its_sessions_are_forgotten);
	tcase_add_test(fence, test_leave_that_is_over_by_then_takes_nothing);
	suite_add_tcase(suite, hold);
	suite_add_tcase(suite, fence);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
