/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "node-agent/core/seat/sessions.h"
#include "tests/unit/seat/sleepers.h"

START_TEST(test_most_recently_active_first)
{
	struct wake_peer old = peer(9), recent = peer(3);

	wake_add(wake, &old);
	wake_add(wake, &recent);
	step();
	ck_assert_uint_eq(actions.count, 2);
	ck_assert_int_eq(actions.items[0].kind, WAKE_POKE);
	ck_assert_uint_eq(actions.items[0].peer->public_key.bytes[0], 3);
	ck_assert_uint_eq(actions.items[0].keepalive_s, WAKE_KEEPALIVE_S);
}
END_TEST

START_TEST(test_only_live_sessions_are_woken)
{
	struct wake_peer p = peer(1);

	p.handshake_ms = START - SESSION_LIFE_MS;
	ck_assert(!wake_add(wake, &p));
	p.handshake_ms++;
	ck_assert(wake_add(wake, &p));
	ck_assert(!wake_add(wake, &p));
	p = peer(2);
	p.endpoint.addr.family = 0;
	ck_assert(!wake_add(wake, &p));
	ck_assert_uint_eq(wake_result(wake, now).sessions, 1);
}
END_TEST

START_TEST(test_nobody_to_wake_is_over)
{
	ck_assert(wake_result(wake, now).over);
	ck_assert_int_eq(wake_deadline(wake), INT64_MAX);
	step();
	ck_assert_uint_eq(actions.count, 0);
}
END_TEST

START_TEST(test_at_most_256_in_flight)
{
	add(1000);
	run_until(START + 10);
	ck_assert_uint_eq(poked, 256);
	for (uint32_t i = 0; i < 100; i++)
		ck_assert(back(i));
	run_until(START + 11);
	ck_assert_uint_eq(poked, 356);
	run_until(START + 499);
	ck_assert_uint_eq(poked, 356);
	ck_assert_uint_eq(recreated, 0);
	run_until(START + 500);
	ck_assert_uint_eq(poked, 356 + 156);
}
END_TEST

START_TEST(test_the_silent_ones_do_not_hold_up_the_rest)
{
	add(1000);
	run_until(START + 1600);
	ck_assert_uint_eq(poked, 1000);
}
END_TEST

START_TEST(test_gives_up)
{
	add(3);
	run_until(START + WAKE_GIVE_UP_MS - 1000);
	ck_assert_uint_eq(recreated, 3 * (WAKE_TRIES_MAX - 1));
	ck_assert(!wake_result(wake, now).over);
	run_until(START + WAKE_GIVE_UP_MS);
	struct wake_result result = wake_result(wake, now);
	ck_assert(result.over);
	ck_assert_uint_eq(result.given_up, 3);
	ck_assert_uint_eq(result.back, 0);
	ck_assert_int_eq(result.first_ms, -1);
	ck_assert_uint_eq(restored, 3);
	ck_assert_int_eq(wake_deadline(wake), INT64_MAX);
}
END_TEST

/* 8,000 of them do not have their first try within WAKE_GIVE_UP_MS. */
START_TEST(test_who_waits_for_its_turn_is_not_given_up)
{
	add(8000);
	for (; now < START + WAKE_GIVE_UP_MS; now += 100) {
		look();
		step_while_due();
	}
	ck_assert_uint_eq(poked, 30 * WAKE_OUTSTANDING_MAX);
	ck_assert_uint_eq(wake_result(wake, now).given_up, 0);
	step_while_due();
	ck_assert_uint_eq(wake_result(wake, now).given_up, WAKE_OUTSTANDING_MAX);
	for (; now < START + WAKE_GIVE_UP_MS + 1000; now += 100) {
		look();
		step_while_due();
	}
	ck_assert_uint_eq(poked, 8000);
	ck_assert(back(7999));
	for (; now <= START + 2 * WAKE_GIVE_UP_MS + 1000; now += 100) {
		look();
		step_while_due();
	}
	ck_assert(wake_result(wake, now).over);
	ck_assert_uint_eq(wake_result(wake, now).back, 1);
	ck_assert_int_eq(wake_deadline(wake), INT64_MAX);
}
END_TEST

START_TEST(test_keepalive_goes_back_to_what_is_configured)
{
	struct wake_peer with = peer(1), without = peer(2);

	with.keepalive_s = 17;
	wake_add(wake, &with);
	wake_add(wake, &without);
	step();
	ck_assert_uint_eq(actions.items[0].keepalive_s, 17);
	back(1);
	back(2);
	ck_assert_int_le(wake_deadline(wake), now);
	step();
	ck_assert_uint_eq(actions.count, 1);
	ck_assert_int_eq(actions.items[0].kind, WAKE_RESTORE);
	ck_assert_uint_eq(actions.items[0].peer->public_key.bytes[0], 2);
	ck_assert_uint_eq(actions.items[0].keepalive_s, 0);
}
END_TEST

START_TEST(test_result_for_the_log)
{
	add(3);
	step();
	now += 12;
	back(1);
	now += 3;
	back(0);
	ck_assert(!back(0));
	struct wake_result result = wake_result(wake, now + 100);
	ck_assert(!result.over);
	ck_assert_uint_eq(result.back, 2);
	ck_assert_int_eq(result.first_ms, 12);
	ck_assert_int_eq(result.took_ms, 115);
	now += 40;
	back(2);
	result = wake_result(wake, now + 1000);
	ck_assert(result.over);
	ck_assert_int_eq(result.took_ms, 55);
}
END_TEST

START_TEST(test_the_old_stamp_or_none_is_not_back)
{
	struct wake_peer p = peer(0);

	add(1);
	step();
	ck_assert(!wake_handshake(wake, "wg0", &p.public_key, 5, now));
	ck_assert(!wake_handshake(wake, "wg0", &p.public_key, 0, now));
	ck_assert(!wake_handshake(wake, "wg1", &p.public_key, 6, now));
	ck_assert(wake_handshake(wake, "wg0", &p.public_key, 6, now));
}
END_TEST

START_TEST(test_a_removed_peer_is_not_touched)
{
	struct wake_peer p = peer(0);

	add(2);
	step();
	wake_remove(wake, "wg0", &p.public_key);
	wake_remove(wake, "wg0", &p.public_key);
	ck_assert(!back(0));
	run_until(START + 20000);
	for (size_t i = 0; i < actions.count; i++)
		ck_assert_uint_ne(actions.items[i].peer->public_key.bytes[0], 0);
	ck_assert_uint_eq(wake_result(wake, now).sessions, 1);
	ck_assert_uint_eq(restored, 1);
}
END_TEST

START_TEST(test_many_are_paced_and_all_come_back)
{
	uint32_t next = 0;

	add(5000);
	for (int i = 0; i < 2000 && !wake_result(wake, now).over; i++) {
		run_until(now + 2);
		for (; next < poked && next < 5000; next++)
			back(next);
	}
	struct wake_result result = wake_result(wake, now);
	ck_assert(result.over);
	ck_assert_uint_eq(result.back, 5000);
	ck_assert_uint_eq(recreated, 0);
	ck_assert_int_lt(result.took_ms, 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wake");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, sleepers_begin, sleepers_end);
	tcase_add_test(all, test_most_recently_active_first);
	tcase_add_test(all, test_only_live_sessions_are_woken);
	tcase_add_test(all, test_nobody_to_wake_is_over);
	tcase_add_test(all, test_at_most_256_in_flight);
	tcase_add_test(all, test_the_silent_ones_do_not_hold_up_the_rest);
	tcase_add_test(all, test_gives_up);
	tcase_add_test(all, test_who_waits_for_its_turn_is_not_given_up);
	tcase_add_test(all, test_keepalive_goes_back_to_what_is_configured);
	tcase_add_test(all, test_result_for_the_log);
	tcase_add_test(all, test_the_old_stamp_or_none_is_not_back);
	tcase_add_test(all, test_a_removed_peer_is_not_touched);
	tcase_add_test(all, test_many_are_paced_and_all_come_back);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
