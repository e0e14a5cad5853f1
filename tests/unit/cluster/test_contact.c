/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/cluster/contact.h"

enum { ME = 77, LIFE = 1001, NEXT_LIFE = 1002 };

#define MS INT64_C(1000)

static struct contact contact;

static void setup(void)
{
	struct timing timing = timing_from_interval(50);

	contact_init(&contact, &timing, ME);
}

static enum contact_fate receive(uint64_t boot, uint64_t seq, int64_t echoed_us, int64_t at_us)
{
	struct datagram_head head = {.boot = boot, .seq = seq, .time_us = (uint64_t)at_us};

	if (echoed_us >= 0)
		head.echo = (struct datagram_echo){.boot = ME, .time_us = (uint64_t)echoed_us, .held_us = 0};
	return contact_receive(&contact, &head, at_us);
}

START_TEST(test_nothing_heard_is_none)
{
	ck_assert_int_eq(contact_state(&contact, 1000 * MS), CONTACT_NONE);
	ck_assert(!contact_is_made(&contact, 1000 * MS));
	ck_assert_int_eq(contact_deadline(&contact, 1000 * MS), INT64_MAX);
	ck_assert_uint_eq(contact_echo(&contact, 1000 * MS).boot, 0);
}
END_TEST

START_TEST(test_hearing_without_echo_is_one_way_and_counts_for_nothing)
{
	ck_assert_int_eq(receive(LIFE, 1, -1, 100 * MS), CONTACT_UNPROVEN);
	ck_assert_int_eq(contact_state(&contact, 120 * MS), CONTACT_ONE_WAY);
	ck_assert_int_eq(contact.heard_us, CONTACT_NEVER);
	ck_assert_uint_eq(contact_echo(&contact, 120 * MS).boot, LIFE);
	ck_assert_uint_eq(contact_echo(&contact, 120 * MS).held_us, 20 * MS);
	ck_assert_int_eq(contact_deadline(&contact, 120 * MS), 210 * MS);
	ck_assert_int_eq(contact_state(&contact, 210 * MS), CONTACT_NONE);
}
END_TEST

START_TEST(test_recent_echo_is_contact_for_160_ms)
{
	ck_assert_int_eq(receive(LIFE, 1, 90 * MS, 100 * MS), CONTACT_TAKEN);
	ck_assert_int_eq(contact_state(&contact, 100 * MS), CONTACT_TWO_WAY);
	ck_assert_int_eq(contact.evidence_us, 90 * MS);
	ck_assert_int_eq(contact_state(&contact, 210 * MS - 1), CONTACT_TWO_WAY);
	ck_assert_int_eq(contact_deadline(&contact, 100 * MS), 210 * MS);
	ck_assert_int_eq(contact_state(&contact, 210 * MS), CONTACT_SUSPECT);
	ck_assert(contact_is_made(&contact, 260 * MS));
	ck_assert_int_eq(contact_deadline(&contact, 210 * MS), 260 * MS + 1);
	ck_assert(!contact_is_made(&contact, 260 * MS + 1));
}
END_TEST

START_TEST(test_old_echo_proves_nothing)
{
	ck_assert_int_eq(receive(LIFE, 1, 90 * MS, 90 * MS + 320 * MS + 1), CONTACT_UNPROVEN);
	ck_assert_int_eq(receive(LIFE, 2, 90 * MS, 90 * MS + 320 * MS), CONTACT_TAKEN);
	/* of the proven life it still counts as heard, but not as contact */
	ck_assert_int_eq(receive(LIFE, 3, 90 * MS, 600 * MS), CONTACT_TAKEN);
	ck_assert_int_eq(contact_state(&contact, 600 * MS), CONTACT_ONE_WAY);
	ck_assert(!contact_is_made(&contact, 600 * MS));
}
END_TEST

START_TEST(test_echo_of_the_future_or_of_another_boot_proves_nothing)
{
	ck_assert_int_eq(receive(LIFE, 1, 200 * MS, 100 * MS), CONTACT_UNPROVEN);
	struct datagram_head head = {.boot = LIFE, .seq = 2, .echo = {.boot = ME + 1, .time_us = 90 * MS}};
	ck_assert_int_eq(contact_receive(&contact, &head, 100 * MS), CONTACT_UNPROVEN);
	head.echo = (struct datagram_echo){.boot = ME, .time_us = UINT64_MAX};
	ck_assert_int_eq(contact_receive(&contact, &head, 100 * MS), CONTACT_UNPROVEN);
}
END_TEST

START_TEST(test_replays_are_worthless)
{
	receive(LIFE, 100, 90 * MS, 100 * MS);
	ck_assert_int_eq(receive(LIFE, 100, 90 * MS, 140 * MS), CONTACT_REPLAY);
	ck_assert_int_eq(contact.heard_us, 100 * MS);
	ck_assert_int_eq(receive(LIFE, 99, 90 * MS, 141 * MS), CONTACT_TAKEN);
	ck_assert_int_eq(receive(LIFE, 99, 90 * MS, 142 * MS), CONTACT_REPLAY);
	ck_assert_int_eq(receive(LIFE, 37, 90 * MS, 143 * MS), CONTACT_TAKEN);
	ck_assert_int_eq(receive(LIFE, 36, 90 * MS, 143 * MS), CONTACT_REPLAY);
	ck_assert_int_eq(receive(LIFE, 1000, 90 * MS, 144 * MS), CONTACT_TAKEN);
	ck_assert_int_eq(receive(LIFE, 101, 90 * MS, 145 * MS), CONTACT_REPLAY);
	ck_assert_uint_eq(contact.replayed, 4);
	ck_assert_uint_eq(contact.taken, 4);
}
END_TEST

START_TEST(test_what_was_held_back_is_stale)
{
	struct datagram_head head = {.boot = LIFE, .seq = 1, .time_us = 7000 * MS};

	head.echo = (struct datagram_echo){.boot = ME, .time_us = 90 * MS};
	ck_assert_int_eq(contact_receive(&contact, &head, 100 * MS), CONTACT_TAKEN);
	head = (struct datagram_head){.boot = LIFE, .seq = 2, .time_us = 7050 * MS};
	ck_assert_int_eq(contact_receive(&contact, &head, 150 * MS + 320 * MS), CONTACT_TAKEN);
	head = (struct datagram_head){.boot = LIFE, .seq = 3, .time_us = 7060 * MS};
	ck_assert_int_eq(contact_receive(&contact, &head, 160 * MS + 330 * MS), CONTACT_STALE);
	ck_assert_int_eq(contact.heard_us, 470 * MS);
	/* its clock stood still for ten seconds: it proves that it is on time all the same */
	head = (struct datagram_head){.boot = LIFE, .seq = 4, .time_us = 7100 * MS};
	head.echo = (struct datagram_echo){.boot = ME, .time_us = 10190 * MS};
	ck_assert_int_eq(contact_receive(&contact, &head, 10200 * MS), CONTACT_TAKEN);
	head = (struct datagram_head){.boot = LIFE, .seq = 5, .time_us = 7150 * MS};
	ck_assert_int_eq(contact_receive(&contact, &head, 10250 * MS), CONTACT_TAKEN);
}
END_TEST

START_TEST(test_a_late_datagram_is_not_echoed)
{
	receive(LIFE, 100, 90 * MS, 100 * MS);
	receive(LIFE, 99, 90 * MS, 110 * MS);
	ck_assert_uint_eq(contact_echo(&contact, 120 * MS).time_us, 100 * MS);
	ck_assert_uint_eq(contact_echo(&contact, 120 * MS).held_us, 20 * MS);
}
END_TEST

START_TEST(test_a_new_life_takes_over_only_by_proof)
{
	receive(LIFE, 5, 90 * MS, 100 * MS);
	ck_assert_int_eq(receive(NEXT_LIFE, 1, -1, 120 * MS), CONTACT_UNPROVEN);
	ck_assert_uint_eq(contact_echo(&contact, 121 * MS).boot, LIFE);
	ck_assert_int_eq(receive(NEXT_LIFE, 2, 110 * MS, 130 * MS), CONTACT_TAKEN);
	ck_assert_uint_eq(contact.boot, NEXT_LIFE);
	ck_assert_uint_eq(contact_echo(&contact, 131 * MS).boot, NEXT_LIFE);
	ck_assert_int_eq(receive(LIFE, 6, 125 * MS, 132 * MS), CONTACT_STALE);
	ck_assert_int_eq(contact.heard_us, 130 * MS);
}
END_TEST

START_TEST(test_a_newcomer_is_echoed_once_the_old_life_is_silent)
{
	receive(LIFE, 5, 90 * MS, 100 * MS);
	receive(NEXT_LIFE, 1, -1, 205 * MS);
	ck_assert_uint_eq(contact_echo(&contact, 209 * MS).boot, LIFE);
	ck_assert_uint_eq(contact_echo(&contact, 210 * MS).boot, NEXT_LIFE);
	ck_assert_int_eq(contact_state(&contact, 211 * MS), CONTACT_ONE_WAY);
}
END_TEST

START_TEST(test_rtt_leaves_out_the_time_it_was_held)
{
	struct datagram_head head = {.boot = LIFE, .seq = 1};

	head.echo = (struct datagram_echo){.boot = ME, .time_us = 100 * MS, .held_us = 40 * MS};
	contact_receive(&contact, &head, 142 * MS);
	ck_assert_uint_eq(contact.rtt_us, 2000);
	ck_assert_uint_eq(contact_wait_ms(&contact), 8);
	head.seq = 2;
	head.echo = (struct datagram_echo){.boot = ME, .time_us = 200 * MS, .held_us = 50 * MS};
	contact_receive(&contact, &head, 260 * MS);
	ck_assert_uint_eq(contact.rtt_us, 3000);
}
END_TEST

START_TEST(test_rtt_is_not_measured_of_one_that_was_overtaken)
{
	receive(LIFE, 2, 98 * MS, 100 * MS);
	ck_assert_uint_eq(contact.rtt_us, 2000);
	ck_assert_int_eq(receive(LIFE, 1, 50 * MS, 300 * MS), CONTACT_TAKEN);
	ck_assert_uint_eq(contact.rtt_us, 2000);
}
END_TEST

START_TEST(test_who_was_heard_lately_may_hear_me)
{
	ck_assert(!contact_may_hear(&contact, 100 * MS));
	receive(LIFE, 1, 90 * MS, 100 * MS);
	ck_assert(contact_may_hear(&contact, 420 * MS));
	ck_assert(!contact_may_hear(&contact, 420 * MS + 1));
}
END_TEST

START_TEST(test_two_who_start_at_once_find_each_other)
{
	struct contact a, b;
	struct timing timing = timing_from_interval(50);

	contact_init(&a, &timing, 1);
	contact_init(&b, &timing, 2);
	/* b's clock is 7 s ahead; a sends at 0, b answers at 10 ms, a at 20 ms */
	struct datagram_head head = {.boot = 1, .seq = 1, .time_us = 0, .echo = contact_echo(&a, 0)};
	ck_assert_int_eq(contact_receive(&b, &head, 7000 * MS + 1), CONTACT_UNPROVEN);
	head = (struct datagram_head){
		.boot = 2, .seq = 1, .time_us = 7010 * MS, .echo = contact_echo(&b, 7010 * MS)};
	ck_assert_int_eq(contact_receive(&a, &head, 10 * MS + 1), CONTACT_TAKEN);
	head = (struct datagram_head){
		.boot = 1, .seq = 2, .time_us = 20 * MS, .echo = contact_echo(&a, 20 * MS)};
	ck_assert_int_eq(contact_receive(&b, &head, 7020 * MS + 1), CONTACT_TAKEN);
	ck_assert(contact_is_made(&a, 20 * MS) && contact_is_made(&b, 7021 * MS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("contact");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_nothing_heard_is_none);
	tcase_add_test(all, test_hearing_without_echo_is_one_way_and_counts_for_nothing);
	tcase_add_test(all, test_recent_echo_is_contact_for_160_ms);
	tcase_add_test(all, test_old_echo_proves_nothing);
	tcase_add_test(all, test_echo_of_the_future_or_of_another_boot_proves_nothing);
	tcase_add_test(all, test_replays_are_worthless);
	tcase_add_test(all, test_what_was_held_back_is_stale);
	tcase_add_test(all, test_a_late_datagram_is_not_echoed);
	tcase_add_test(all, test_a_new_life_takes_over_only_by_proof);
	tcase_add_test(all, test_a_newcomer_is_echoed_once_the_old_life_is_silent);
	tcase_add_test(all, test_rtt_leaves_out_the_time_it_was_held);
	tcase_add_test(all, test_rtt_is_not_measured_of_one_that_was_overtaken);
	tcase_add_test(all, test_who_was_heard_lately_may_hear_me);
	tcase_add_test(all, test_two_who_start_at_once_find_each_other);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
