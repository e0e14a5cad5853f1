/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/seat/chair.h"

static struct chair chair;

static void setup(void)
{
	chair_prepare(&chair);
}

static void ready(void)
{
	chair_carrier(&chair, true);
	chair_fit(&chair, true);
	chair_floor(&chair, 1, 0, true);
}

START_TEST(test_nothing_happens_before_the_start)
{
	ready();
	chair_pass(&chair, 1000);
	ck_assert_uint_eq(chair.probed + chair.reported, 0);
	ck_assert_int_eq(seat_deadline(&chair.seat), INT64_MAX);
}
END_TEST

START_TEST(test_first_ever_stands_by)
{
	chair_start(&chair, NULL, 0);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_uint_eq(chair.cleared + chair.resigned, 0);
	ready();
	chair_order(&chair, 1, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_adopts_what_the_kernel_holds_and_extends_it_on_contact)
{
	struct seat_disk disk = {.highest = {7, 5, 0}, .served = {7, 5, 0}, .released = {7, 3, 0}};

	chair_start(&chair, &disk, 2000);
	ready();
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_eq(chair.seat.epoch.n, 5);
	chair_pass(&chair, 49);
	ck_assert_uint_eq(chair.acquired + chair.taken + chair.cleared + chair.resigned + chair.announced, 0);
	chair_pass(&chair, 20000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_ge(chair.renewed, 30);
	ck_assert_uint_eq(chair.acquired + chair.taken + chair.cleared + chair.resigned, 0);
}
END_TEST

START_TEST(test_adopted_alone_waits_before_it_extends)
{
	struct seat_disk disk = {.highest = {7, 5, 0}, .served = {7, 5, 0}};

	chair.contact = false;
	chair_start(&chair, &disk, 1000);
	ready();
	chair_pass(&chair, SEAT_QUIET_MS - 1);
	ck_assert_uint_eq(chair.renewed, 0);
	chair_pass(&chair, 300);
	ck_assert_uint_eq(chair.renewed, 1);
	chair_pass(&chair, 20000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_adopted_too_late_is_fenced_when_it_runs_out)
{
	struct seat_disk disk = {.highest = {7, 5, 0}, .served = {7, 5, 0}};

	chair.contact = false;
	chair_start(&chair, &disk, 200);
	ready();
	chair_pass(&chair, 250);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	ck_assert_int_eq(chair.seat.why, SEAT_WHY_LEASE);
}
END_TEST

START_TEST(test_a_permit_of_an_unknown_epoch_is_cleared)
{
	struct seat_disk disk = {.highest = {7, 5, 0}};

	chair_start(&chair, &disk, 2000);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_str_eq(chair.log, "CrRP");
	setup();
	chair_start(&chair, NULL, 2000);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_uint_eq(chair.cleared, 1);
}
END_TEST

START_TEST(test_a_higher_epoch_on_disk_clears_it_too)
{
	struct seat_disk disk = {.highest = {7, 6, 0}, .served = {7, 5, 0}};

	chair_start(&chair, &disk, 2000);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_uint_eq(chair.cleared, 1);
}
END_TEST

START_TEST(test_after_a_reboot_no_old_epoch_is_served)
{
	struct seat_disk disk = {.highest = {7, 5, 0}, .served = {7, 5, 0}};

	chair_start(&chair, &disk, 0);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	ready();
	chair_order(&chair, 5, "gw-a");
	ck_assert_int_eq(chair.why, SEAT_WHY_SPENT);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	chair_order(&chair, 6, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_what_was_released_stays_released)
{
	struct seat_disk disk = {.highest = {7, 5, 0}, .served = {7, 5, 0}, .released = {7, 5, 0}};

	chair_start(&chair, &disk, 2000);
	ck_assert_int_ne(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_eq(chair.cleared, 1);
}
END_TEST

START_TEST(test_highest_seen_never_falls)
{
	struct seat_disk disk = {.highest = {9, 1, 0}};

	chair_start(&chair, &disk, 0);
	ready();
	chair_order(&chair, 5, "gw-a"); /* 7.5, of a restored controller */
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_uint_eq(chair.seat.disk.highest.term, 9);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("start");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_nothing_happens_before_the_start);
	tcase_add_test(all, test_first_ever_stands_by);
	tcase_add_test(all, test_adopts_what_the_kernel_holds_and_extends_it_on_contact);
	tcase_add_test(all, test_adopted_alone_waits_before_it_extends);
	tcase_add_test(all, test_adopted_too_late_is_fenced_when_it_runs_out);
	tcase_add_test(all, test_a_permit_of_an_unknown_epoch_is_cleared);
	tcase_add_test(all, test_a_higher_epoch_on_disk_clears_it_too);
	tcase_add_test(all, test_after_a_reboot_no_old_epoch_is_served);
	tcase_add_test(all, test_what_was_released_stays_released);
	tcase_add_test(all, test_highest_seen_never_falls);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
