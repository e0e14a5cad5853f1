/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/seat/chair.h"

static struct chair chair;

static void setup(void)
{
	chair_init(&chair);
	chair_order(&chair, 5, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}

START_TEST(test_is_renewed_from_evidence_six_times_a_lease)
{
	chair_pass(&chair, 30000);
	ck_assert_uint_ge(chair.renewed, 54);
	ck_assert_uint_le(chair.renewed, 60);
	/* contact echoes a time that is 10 ms old: the permit runs from there */
	ck_assert_uint_le(chair.timeout_ms, 3000 - 10);
	ck_assert_uint_ge(chair.timeout_ms, 3000 - 10 - 50);
	ck_assert_int_ge(chair.kernel_until_ms - chair.now, 2300);
}
END_TEST

START_TEST(test_carrier_loss_fences_now)
{
	chair_carrier(&chair, false);
	ck_assert_str_eq(chair.log, "CrRP");
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	ck_assert_int_eq(chair.seat.why, SEAT_WHY_CARRIER);
	ck_assert_int_eq(chair.kernel_until_ms, SEAT_NEVER);
	ck_assert(!seat_underlay_is_ok(&chair.seat, chair.now));
}
END_TEST

START_TEST(test_a_replugged_cable_does_not_steal)
{
	chair_carrier(&chair, false);
	chair_pass(&chair, 100);
	chair_carrier(&chair, true);
	chair_pass(&chair, 60000);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	ck_assert_uint_eq(chair.acquired, 1);
	/* nor does the order that it served under, said again */
	chair_order(&chair, 5, "gw-a");
	ck_assert_int_eq(chair.why, SEAT_WHY_SPENT);
	/* the controller decides */
	chair_order(&chair, 6, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_fenced_stands_by_once_another_owns_it)
{
	chair_carrier(&chair, false);
	chair_hear(&chair, SEAT_SERVING, 6, 6);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
}
END_TEST

START_TEST(test_serves_on_without_anyone_when_there_is_no_witness)
{
	chair.contact = false;
	chair_pass(&chair, 60000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_int_gt(chair.kernel_until_ms, chair.now + 2000);
}
END_TEST

START_TEST(test_serves_on_without_a_standby_while_the_witness_answers)
{
	chair.witness = true;
	chair_pass(&chair, 11000);
	chair.contact = false;
	chair.probed = 0;
	chair_pass(&chair, 60000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_ge(chair.probed, 590);
	ck_assert_uint_le(chair.probed, 610);
	ck_assert_int_gt(chair.kernel_until_ms, chair.now + 2000);
}
END_TEST

START_TEST(test_no_witness_any_more_fences)
{
	chair.witness = true;
	chair_pass(&chair, 11000);
	chair.contact = chair.witness = false;
	int64_t cut = chair.now;
	chair_pass(&chair, 389);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	chair_pass(&chair, 11);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	ck_assert_int_eq(chair.seat.why, SEAT_WHY_WITNESS);
	ck_assert_int_le(chair.now, cut + 400);
}
END_TEST

START_TEST(test_contact_is_enough_without_witness)
{
	chair.witness = true;
	chair_pass(&chair, 11000);
	chair.witness = false;
	chair_pass(&chair, 60000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_a_witness_that_went_before_the_standby_is_none)
{
	chair.witness = true;
	chair_pass(&chair, 11000);
	chair.witness = false;
	chair_pass(&chair, 40000);
	chair.contact = false; /* only the standby has died */
	chair_pass(&chair, 60000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_a_permit_the_kernel_took_away_is_lost)
{
	chair_event(&chair, SEAT_EVENT_PERMIT_LOST);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	ck_assert_int_eq(chair.seat.why, SEAT_WHY_LEASE);
	ck_assert_uint_eq(chair.resigned, 1);
	chair_event(&chair, SEAT_EVENT_PERMIT_LOST);
	ck_assert_uint_eq(chair.resigned, 1);
}
END_TEST

START_TEST(test_stall_shorter_than_the_lease_loses_nothing)
{
	chair_pass(&chair, 1000);
	chair.renewed = 0;
	chair_stall(&chair, 2000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_eq(chair.renewed, 0);
	/* a datagram that was waiting echoes a time from before the stall: no reason to extend */
	chair_step(&chair, (struct seat_event){.kind = SEAT_EVENT_CONTACT, .at_ms = chair.now - 1500});
	ck_assert_uint_eq(chair.renewed, 0);
	chair_step(&chair, (struct seat_event){.kind = SEAT_EVENT_CONTACT, .at_ms = chair.now});
	ck_assert_uint_eq(chair.renewed, 1);
	chair_pass(&chair, 10000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_stall_longer_than_the_lease_is_fenced_at_once)
{
	chair_pass(&chair, 1000);
	chair.renewed = 0;
	chair_stall(&chair, 3001);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	ck_assert_int_eq(chair.seat.why, SEAT_WHY_LEASE);
	ck_assert_uint_eq(chair.renewed, 0);
}
END_TEST

START_TEST(test_stall_without_anyone_waits_300_ms)
{
	chair.contact = false;
	chair_pass(&chair, 5000);
	chair.renewed = 0;
	chair_stall(&chair, 1500);
	chair_pass(&chair, SEAT_QUIET_MS - 1);
	ck_assert_uint_eq(chair.renewed, 0);
	chair_pass(&chair, 1);
	ck_assert_uint_eq(chair.renewed, 1);
}
END_TEST

START_TEST(test_stall_with_a_witness_waits_for_it_too)
{
	chair.witness = true;
	chair_pass(&chair, 11000);
	chair.contact = false;
	chair_pass(&chair, 1000);
	chair.witness = false;
	chair.renewed = 0;
	chair_stall(&chair, 1000);
	chair_pass(&chair, 399);
	ck_assert_uint_eq(chair.renewed, 0);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	chair_pass(&chair, 1);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	ck_assert_int_eq(chair.seat.why, SEAT_WHY_WITNESS);
}
END_TEST

START_TEST(test_evidence_from_the_future_is_none)
{
	chair.contact = false;
	chair_step(&chair, (struct seat_event){.kind = SEAT_EVENT_CONTACT, .at_ms = chair.now + 5000});
	chair_step(&chair, (struct seat_event){.kind = SEAT_EVENT_WITNESS, .at_ms = chair.now + 5000});
	ck_assert_int_le(chair.seat.contact_ms, chair.now);
	ck_assert_int_eq(chair.seat.witness_ms, SEAT_NEVER);
}
END_TEST

START_TEST(test_a_new_lease_counts_from_the_next_renewal)
{
	struct seat_config config = chair.seat.config;

	config.lease_ms = 1000;
	seat_configure(&chair.seat, &config, chair.now);
	chair_pass(&chair, 10000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_le(chair.timeout_ms, 1000);
}
END_TEST

/* The lease runs from its evidence, however late the kernel hears of it. */
START_TEST(test_a_kernel_that_is_told_late_gets_what_is_left)
{
	int64_t until_ms = chair.kernel_until_ms;

	ck_assert_int_gt(until_ms, chair.now + 2000);
	ck_assert_int_eq(chair.now + seat_permit_ms(&chair.seat, chair.now), until_ms);
	ck_assert_int_eq(chair.now + 300 + seat_permit_ms(&chair.seat, chair.now + 300), until_ms);
	ck_assert_uint_eq(seat_permit_ms(&chair.seat, until_ms), 1);
	ck_assert_uint_eq(seat_permit_ms(&chair.seat, until_ms + 5000), 1);
	chair_carrier(&chair, false);
	ck_assert_uint_eq(seat_permit_ms(&chair.seat, chair.now), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lease");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_is_renewed_from_evidence_six_times_a_lease);
	tcase_add_test(all, test_carrier_loss_fences_now);
	tcase_add_test(all, test_a_replugged_cable_does_not_steal);
	tcase_add_test(all, test_fenced_stands_by_once_another_owns_it);
	tcase_add_test(all, test_serves_on_without_anyone_when_there_is_no_witness);
	tcase_add_test(all, test_serves_on_without_a_standby_while_the_witness_answers);
	tcase_add_test(all, test_no_witness_any_more_fences);
	tcase_add_test(all, test_contact_is_enough_without_witness);
	tcase_add_test(all, test_a_witness_that_went_before_the_standby_is_none);
	tcase_add_test(all, test_a_permit_the_kernel_took_away_is_lost);
	tcase_add_test(all, test_stall_shorter_than_the_lease_loses_nothing);
	tcase_add_test(all, test_stall_longer_than_the_lease_is_fenced_at_once);
	tcase_add_test(all, test_stall_without_anyone_waits_300_ms);
	tcase_add_test(all, test_stall_with_a_witness_waits_for_it_too);
	tcase_add_test(all, test_evidence_from_the_future_is_none);
	tcase_add_test(all, test_a_new_lease_counts_from_the_next_renewal);
	tcase_add_test(all, test_a_kernel_that_is_told_late_gets_what_is_left);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
