/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/seat/chair.h"

static struct chair chair;

static void setup(void)
{
	chair_init(&chair);
}

static void serve(uint32_t n)
{
	chair_order(&chair, n, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}

START_TEST(test_an_order_is_carried_out_permit_first_disk_last)
{
	chair_order(&chair, 5, "gw-a");
	ck_assert_str_eq(chair.log, "ATarP");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_eq(chair.disk.highest.n, 5);
	ck_assert_uint_eq(chair.disk.served.n, 5);
	ck_assert_str_eq(chair.seat.order.cause, "test");
	struct seat_state state;
	seat_state_fill(&chair.seat, chair.now, &state);
	ck_assert_str_eq(state.endpoint, "vpn");
	ck_assert_int_eq(state.role, SEAT_SERVING);
	ck_assert_uint_eq(state.permit_left_ms, 3000 - 10);
	ck_assert_uint_eq(state.released.n, 0);
}
END_TEST

START_TEST(test_told_twice_does_it_once)
{
	serve(5);
	chair_order(&chair, 5, "gw-a");
	ck_assert_str_eq(chair.log, "");
	ck_assert_uint_eq(chair.acquired, 1);
}
END_TEST

START_TEST(test_a_higher_epoch_of_its_own_changes_the_number_only)
{
	serve(5);
	chair_order(&chair, 6, "gw-a");
	ck_assert_str_eq(chair.log, "rP");
	ck_assert_uint_eq(chair.seat.epoch.n, 6);
	ck_assert_uint_eq(chair.cleared + chair.resigned, 0);
}
END_TEST

START_TEST(test_another_owner_under_a_higher_epoch_fences_first_and_tells_at_once)
{
	serve(5);
	chair_order(&chair, 6, "gw-b");
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_str_eq(chair.log, "PCrRP");
	ck_assert_uint_eq(chair.disk.released.n, 5);
	ck_assert_uint_eq(chair.disk.highest.n, 6);
	ck_assert_uint_eq(chair.disk.served.n, 0);
}
END_TEST

START_TEST(test_release_and_never_again)
{
	serve(5);
	chair_order(&chair, 5, "");
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_str_eq(chair.log, "CrRP");
	ck_assert_int_eq(chair.why, SEAT_WHY_NONE);
	struct seat_state state;
	seat_state_fill(&chair.seat, chair.now, &state);
	ck_assert_uint_eq(state.released.n, 5);
	ck_assert_uint_eq(state.permit_left_ms, 0);
	chair_order(&chair, 5, "gw-a");
	ck_assert_int_eq(chair.why, SEAT_WHY_SPENT);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	chair_order(&chair, 5, "");
	ck_assert_str_eq(chair.log, "");
	serve(6);
}
END_TEST

START_TEST(test_a_release_of_an_older_epoch_is_late)
{
	serve(5);
	chair_order(&chair, 4, "");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_lower_epochs_are_refused)
{
	chair_order(&chair, 9, "gw-b");
	chair_order(&chair, 8, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_int_eq(chair.why, SEAT_WHY_LOWER);
	serve(10);
	chair_order(&chair, 8, "gw-b");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_equal_epoch_with_another_owner_is_refused_and_alarms)
{
	chair_order(&chair, 9, "gw-b");
	chair_order(&chair, 9, "gw-a");
	ck_assert_int_eq(chair.why, SEAT_WHY_EQUAL);
	ck_assert_uint_eq(chair.alarms, 1);
	setup();
	serve(9);
	chair_order(&chair, 9, "gw-b");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_eq(chair.refused, 1);
	ck_assert_uint_eq(chair.alarms, 1);
	chair_hear(&chair, SEAT_SERVING, 9, 9);
	ck_assert_uint_eq(chair.alarms, 1);
}
END_TEST

static void hear_rival(const char *name)
{
	struct seat_state heard = {.endpoint = "vpn", .role = SEAT_SERVING, .epoch = {.term = 7, .n = 9}};

	heard.highest = heard.epoch;
	chair_step(&chair, (struct seat_event){.kind = SEAT_EVENT_HEARD, .from = name, .heard = &heard});
}

/* Of two owners under one epoch the one whose name sorts higher goes, and never serves under it again. */
START_TEST(test_equal_epoch_names_decide)
{
	serve(9);
	hear_rival("gw-b");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_eq(chair.alarms, 1);
	setup();
	serve(9);
	hear_rival("gw-0");
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_uint_eq(chair.alarms, 1);
	ck_assert_uint_eq(chair.cleared, 1);
	ck_assert_uint_eq(chair.disk.released.n, 9);
	chair_order(&chair, 9, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	chair_order(&chair, 10, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_an_order_heard_of_before_it_comes_is_taken)
{
	chair_hear(&chair, SEAT_STANDBY, 0, 9);
	ck_assert_uint_eq(chair.disk.highest.n, 9);
	serve(9);
}
END_TEST

START_TEST(test_a_higher_owner_heard_in_a_beat_is_right)
{
	serve(5);
	chair_hear(&chair, SEAT_SERVING, 6, 6);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_int_eq(chair.why, SEAT_WHY_LOWER);
	ck_assert_uint_eq(chair.cleared, 1);
}
END_TEST

START_TEST(test_a_lower_owner_heard_in_a_beat_is_not)
{
	serve(5);
	chair_hear(&chair, SEAT_SERVING, 4, 4);
	chair_hear(&chair, SEAT_STANDBY, 4, 5);
	chair_pass(&chair, 5000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_a_higher_epoch_nobody_serves_waits_for_the_own_order)
{
	serve(5);
	chair_hear(&chair, SEAT_STANDBY, 0, 6);
	chair_pass(&chair, SEAT_HIGHER_MS - 1);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	chair_order(&chair, 6, "gw-a");
	chair_pass(&chair, 1000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	chair_hear(&chair, SEAT_STANDBY, 0, 7);
	chair_pass(&chair, SEAT_HIGHER_MS);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
}
END_TEST

START_TEST(test_unfit_or_cut_off_refuses_and_burns_the_epoch)
{
	chair_fit(&chair, false);
	chair_order(&chair, 5, "gw-a");
	ck_assert_int_eq(chair.why, SEAT_WHY_UNFIT);
	ck_assert_uint_eq(chair.disk.highest.n, 5);
	chair_fit(&chair, true);
	chair_order(&chair, 5, "gw-a");
	ck_assert_int_eq(chair.why, SEAT_WHY_SPENT);
	chair_carrier(&chair, false);
	chair_order(&chair, 6, "gw-a");
	ck_assert_int_eq(chair.why, SEAT_WHY_CARRIER);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	chair_carrier(&chair, true);
	serve(7);
}
END_TEST

START_TEST(test_what_cannot_be_done_is_fenced)
{
	serve(5);
	chair_event(&chair, SEAT_EVENT_FAILED);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	ck_assert_int_eq(chair.seat.why, SEAT_WHY_FAILED);
	ck_assert_str_eq(chair.log, "CrRP");
}
END_TEST

START_TEST(test_announces_again_over_the_first_second)
{
	serve(5);
	ck_assert_uint_eq(chair.announced, 1);
	chair_pass(&chair, 50);
	ck_assert_uint_eq(chair.announced, 2);
	chair_pass(&chair, 350);
	ck_assert_uint_eq(chair.announced, 4);
	chair_pass(&chair, 5000);
	ck_assert_uint_eq(chair.announced, SEAT_ANNOUNCE_COUNT);
}
END_TEST

START_TEST(test_no_word_from_a_controller_is_no_reason)
{
	serve(5);
	chair_pass(&chair, 600000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_eq(chair.cleared, 0);
}
END_TEST

START_TEST(test_every_reason_has_words)
{
	for (int why = SEAT_WHY_NONE; why <= SEAT_WHY_EQUAL; why++)
		ck_assert_str_ne(seat_why_text((enum seat_why)why), "unknown");
}
END_TEST

/* The kernel refuses to take the permit away. */
START_TEST(test_what_may_still_pass_is_not_said_to_be_released)
{
	struct seat_state state;
	int64_t until_ms;

	chair_order(&chair, 1, "gw-a");
	chair_pass(&chair, 2000);
	until_ms = chair.kernel_until_ms;
	chair_order(&chair, 1, "");
	chair_step(&chair, (struct seat_event){.kind = SEAT_EVENT_NOT_CLEARED, .up = true});
	seat_state_fill(&chair.seat, chair.now, &state);
	ck_assert_int_eq(state.role, SEAT_SERVING);
	ck_assert_uint_eq(state.epoch.n, 1);
	ck_assert(epoch_is_zero(&state.released));
	ck_assert_uint_eq(state.permit_left_ms, until_ms - chair.now);
	ck_assert_int_le(seat_deadline(&chair.seat), until_ms);
	while (chair.now < until_ms)
		chair_pass(&chair, 1);
	seat_state_fill(&chair.seat, chair.now, &state);
	ck_assert_int_eq(state.role, SEAT_STANDBY);
	ck_assert_uint_eq(state.released.n, 1);
	ck_assert_uint_eq(chair.seat.disk.released.n, 1);
}
END_TEST

/* A guest's permit claims nothing, and who is ordered again serves all the same. */
START_TEST(test_what_claims_nothing_may_be_said_to_be_over)
{
	struct seat_state state;

	chair_order(&chair, 1, "gw-a");
	chair_order(&chair, 1, "");
	chair_step(&chair, (struct seat_event){.kind = SEAT_EVENT_NOT_CLEARED});
	seat_state_fill(&chair.seat, chair.now, &state);
	ck_assert_int_eq(state.role, SEAT_STANDBY);
	chair_step(&chair, (struct seat_event){.kind = SEAT_EVENT_NOT_CLEARED, .up = true});
	chair_order(&chair, 2, "gw-a");
	seat_state_fill(&chair.seat, chair.now, &state);
	ck_assert_int_eq(state.role, SEAT_SERVING);
	ck_assert_uint_eq(state.epoch.n, 2);
	ck_assert_uint_eq(state.released.n, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("orders");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_an_order_is_carried_out_permit_first_disk_last);
	tcase_add_test(all, test_told_twice_does_it_once);
	tcase_add_test(all, test_a_higher_epoch_of_its_own_changes_the_number_only);
	tcase_add_test(all, test_another_owner_under_a_higher_epoch_fences_first_and_tells_at_once);
	tcase_add_test(all, test_release_and_never_again);
	tcase_add_test(all, test_a_release_of_an_older_epoch_is_late);
	tcase_add_test(all, test_lower_epochs_are_refused);
	tcase_add_test(all, test_equal_epoch_with_another_owner_is_refused_and_alarms);
	tcase_add_test(all, test_equal_epoch_names_decide);
	tcase_add_test(all, test_an_order_heard_of_before_it_comes_is_taken);
	tcase_add_test(all, test_a_higher_owner_heard_in_a_beat_is_right);
	tcase_add_test(all, test_a_lower_owner_heard_in_a_beat_is_not);
	tcase_add_test(all, test_a_higher_epoch_nobody_serves_waits_for_the_own_order);
	tcase_add_test(all, test_unfit_or_cut_off_refuses_and_burns_the_epoch);
	tcase_add_test(all, test_what_cannot_be_done_is_fenced);
	tcase_add_test(all, test_announces_again_over_the_first_second);
	tcase_add_test(all, test_no_word_from_a_controller_is_no_reason);
	tcase_add_test(all, test_every_reason_has_words);
	tcase_add_test(all, test_what_may_still_pass_is_not_said_to_be_released);
	tcase_add_test(all, test_what_claims_nothing_may_be_said_to_be_over);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
