/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/core/seat/sessions.h"
#include "node-agent/core/seat/wake.h"

enum { START = 1000000 };

static struct wake *wake;
static struct wake_actions actions;
static int64_t now;
static size_t poked, recreated, restored, spins;
static bool looking; /* at the device, each ms */

static void setup(void)
{
	now = START;
	looking = true;
	poked = recreated = restored = 0;
	wake = wake_new(now, 12345);
}

static void teardown(void)
{
	wake_free(wake);
}

static struct wake_peer peer(uint32_t number)
{
	struct wake_peer p = {.tunnel = "wg0",
		.endpoint = {.addr = {.family = AF_INET, .bytes = {192, 0, 2, 1}}, .port = 1},
		.handshake_ms = START - 1000,
		.active_ms = START - 1000 - number,
		.stamp_ns = 5};

	memcpy(p.public_key.bytes, &number, sizeof(number));
	return p;
}

static void add(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct wake_peer p = peer(i);
		ck_assert(wake_add(wake, &p));
	}
}

static bool back(uint32_t number)
{
	struct wake_peer p = peer(number);

	return wake_handshake(wake, "wg0", &p.public_key, 6, now);
}

static void step(void)
{
	wake_step(wake, now, &actions);
	for (size_t i = 0; i < actions.count; i++) {
		poked += actions.items[i].kind == WAKE_POKE;
		recreated += actions.items[i].kind == WAKE_RECREATE;
		restored += actions.items[i].kind == WAKE_RESTORE;
	}
}

static void look(void)
{
	if (looking)
		wake_looked(wake, "wg0", now);
}

static void step_while_due(void)
{
	for (spins = 0; wake_deadline(wake) <= now; spins++) {
		ck_assert_uint_lt(spins, 100);
		step();
	}
}

static void run_until(int64_t until)
{
	for (step_while_due(); now < until; step_while_due()) {
		now++;
		look();
	}
}

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
	setup();
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

int main(void)
{
	Suite *suite = suite_create("wake");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, test_most_recently_active_first);
	tcase_add_test(all, test_only_live_sessions_are_woken);
	tcase_add_test(all, test_nobody_to_wake_is_over);
	tcase_add_test(all, test_at_most_256_in_flight);
	tcase_add_test(all, test_the_silent_ones_do_not_hold_up_the_rest);
	tcase_add_test(all, test_recreates_in_time_unless_it_is_back);
	tcase_add_test(all, test_three_lost_responses_cost_less_than_a_second);
	tcase_add_test(all, test_recreates_only_what_a_look_since_found_silent);
	tcase_add_test(all, test_a_look_is_good_for_one_step);
	tcase_add_test(all, test_a_device_that_cannot_be_read_is_given_up_in_time);
	tcase_add_test(all, test_a_client_far_away_comes_back);
	tcase_add_test(all, test_what_is_late_as_all_are_is_not_begun_anew);
	tcase_add_test(all, test_what_nobody_has_had_time_for_is_not_begun_anew);
	tcase_add_test(all, test_the_lost_ones_do_not_wait_as_the_late_ones_did);
	tcase_add_test(all, test_gives_up);
	tcase_add_test(all, test_who_waits_for_its_turn_is_not_given_up);
	tcase_add_test(all, test_keepalive_goes_back_to_what_is_configured);
	tcase_add_test(all, test_result_for_the_log);
	tcase_add_test(all, test_the_old_stamp_or_none_is_not_back);
	tcase_add_test(all, test_a_removed_peer_is_not_touched);
	tcase_add_test(all, test_who_came_back_in_between_is_not_made_anew);
	tcase_add_test(all, test_many_are_paced_and_all_come_back);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
