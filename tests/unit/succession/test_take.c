/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/succession/heir.h"

/* When this gateway takes it, and what keeps it from that. */
static struct heir heir;

static void setup(void)
{
	heir_init(&heir);
}

static void lose_controller(void)
{
	heir.controller = heir.tls = false;
}

START_TEST(test_owner_and_controller_die_at_once)
{
	int64_t died_ms = heir.now;

	lose_controller();
	heir_bury(&heir);
	heir_pass(&heir, 2000);
	ck_assert_uint_eq(heir.taken, 1);
	ck_assert_int_ge(heir.taken_ms - died_ms, SUCCESSION_LEADER_MS - 50);
	ck_assert_int_le(heir.taken_ms - died_ms, 550);
	ck_assert_str_eq(heir.last.from, "gw-a");
	ck_assert_uint_eq(heir.last.detect_ms, (uint32_t)(heir.taken_ms - died_ms));
}
END_TEST

START_TEST(test_controller_is_long_dead)
{
	lose_controller();
	heir_pass(&heir, 60000);
	ck_assert_uint_eq(heir.probes + heir.asked_leader + heir.asked_witness + heir.persisted, 0);
	int64_t died_ms = heir.now;
	heir_bury(&heir);
	heir_pass(&heir, 2000);
	ck_assert_uint_eq(heir.taken, 1);
	ck_assert_int_le(heir.taken_ms - died_ms, 350);
}
END_TEST

START_TEST(test_nothing_while_moves_are_frozen)
{
	lose_controller();
	heir.view.frozen = true;
	heir_bury(&heir);
	heir_pass(&heir, 60000);
	ck_assert_uint_eq(heir.taken + heir.probes + heir.asked_leader + heir.persisted, 0);
	heir.view.frozen = false;
	heir_step(&heir, (struct succession_event){.kind = SUCCESSION_EVENT_TICK});
	heir_pass(&heir, 1000);
	ck_assert_uint_eq(heir.taken, 1);
}
END_TEST

START_TEST(test_nothing_while_a_controller_is_heard)
{
	heir.tls = false;
	heir_bury(&heir);
	heir_pass(&heir, 60000);
	ck_assert_uint_eq(heir.taken + heir.probes + heir.asked_leader + heir.persisted, 0);
}
END_TEST

START_TEST(test_nothing_while_one_answers_over_tls)
{
	heir.controller = false;
	heir_bury(&heir);
	heir_pass(&heir, 60000);
	ck_assert_uint_gt(heir.asked_leader, 100);
	ck_assert_uint_eq(heir.taken, 0);
	heir.tls = false;
	heir_pass(&heir, 700);
	ck_assert_uint_eq(heir.taken, 1);
}
END_TEST

/* A report goes out once a second: that no answer came lately says nothing, unless one was asked for. */
START_TEST(test_its_silence_counts_from_a_question)
{
	heir.controller = false;
	heir_pass(&heir, 900);
	heir.tls = false;
	int64_t asked_ms = heir.now;
	heir_bury(&heir);
	heir_pass(&heir, 2000);
	ck_assert_uint_eq(heir.taken, 1);
	ck_assert_int_ge(heir.taken_ms - asked_ms, SUCCESSION_ANSWER_MS);
}
END_TEST

START_TEST(test_nothing_while_a_member_has_one)
{
	lose_controller();
	heir.third_has_one = true;
	heir_bury(&heir);
	heir_pass(&heir, 60000);
	ck_assert_uint_eq(heir.taken, 0);
	heir.third_has_one = false;
	heir_pass(&heir, 100);
	ck_assert_uint_eq(heir.taken, 1);
}
END_TEST

/* It had one when it was last heard, and died. */
START_TEST(test_the_word_of_one_who_is_gone_does_not_last)
{
	lose_controller();
	heir.third_has_one = true;
	heir_bury(&heir);
	heir_pass(&heir, 1000);
	heir.third = false;
	heir_pass(&heir, SUCCESSION_LEADER_MS - 50);
	ck_assert_uint_eq(heir.taken, 0);
	heir_pass(&heir, 100);
	ck_assert_uint_eq(heir.taken, 1);
}
END_TEST

START_TEST(test_nothing_without_a_witness)
{
	lose_controller();
	heir.third = heir.witness = false;
	heir_bury(&heir);
	heir_pass(&heir, 60000);
	ck_assert_uint_gt(heir.asked_witness, 100);
	ck_assert_uint_eq(heir.taken, 0);
}
END_TEST

START_TEST(test_a_witness_that_comes_back_has_to_stay)
{
	lose_controller();
	heir.third = heir.witness = false;
	heir_bury(&heir);
	heir_pass(&heir, 5000);
	heir.witness = true;
	heir_pass(&heir, SUCCESSION_LEADER_MS - 10);
	ck_assert_uint_eq(heir.taken, 0);
	heir_pass(&heir, 200);
	ck_assert_uint_eq(heir.taken, 1);
}
END_TEST

START_TEST(test_only_from_the_dead)
{
	static const enum verdict_kind kinds[] = {
		VERDICT_ALIVE, VERDICT_SUSPECT, VERDICT_AGENT_DOWN, VERDICT_BLIND, VERDICT_UNKNOWN};

	lose_controller();
	heir_verdict(&heir, kinds[_i]);
	heir_pass(&heir, 60000);
	ck_assert_uint_eq(heir.taken + heir.probes + heir.persisted, 0);
}
END_TEST

/* One that says that it serves no more was told so, or has its reasons: that is the controller's affair. */
START_TEST(test_nothing_of_one_who_let_go)
{
	heir_hear(&heir, "gw-a", SEAT_STANDBY, heir.view.highest);
	lose_controller();
	heir_bury(&heir);
	heir_pass(&heir, 60000);
	ck_assert_uint_eq(heir.taken, 0);
}
END_TEST

/* It has fenced itself because it is below the revocation floor, and without a controller it stays there. */
START_TEST(test_of_one_who_let_go_below_the_floor)
{
	lose_controller();
	heir_pass(&heir, 2000);
	heir.view.floor = GENERATION;
	for (int ms = 0; ms < 1000; ms += 50) {
		struct seat_state heard = {.role = SEAT_FENCED, .epoch = {7, OWNER_EPOCH_N, 0}};

		heir_step(&heir, (struct succession_event){.kind = SUCCESSION_EVENT_HEARD,
					 .from = "gw-a",
					 .heard = &heard,
					 .generation = _i ? GENERATION : GENERATION - 1});
		heir_pass(&heir, 50);
	}
	ck_assert_uint_eq(heir.taken, _i ? 0 : 1); /* one that holds the floor may serve again */
}
END_TEST

START_TEST(test_nothing_when_somebody_else_has_it)
{
	lose_controller();
	heir_bury(&heir);
	heir_hear(&heir, "gw-c", SEAT_SERVING, (struct epoch){7, OWNER_EPOCH_N, 18});
	heir.third = false;
	heir_pass(&heir, 60000);
	ck_assert_uint_eq(heir.taken, 0);
}
END_TEST

START_TEST(test_nothing_while_it_could_not_serve)
{
	lose_controller();
	heir.view.ready = false;
	heir_bury(&heir);
	heir_pass(&heir, 60000);
	ck_assert_uint_eq(heir.taken + heir.probes + heir.persisted, 0);
	heir.view.ready = true;
	heir_pass(&heir, 400);
	ck_assert_uint_eq(heir.taken, 1);
}
END_TEST

START_TEST(test_a_stall_begins_anew)
{
	lose_controller();
	heir_bury(&heir);
	heir_pass(&heir, 100);
	heir.now += 5000;
	heir_step(&heir, (struct succession_event){.kind = SUCCESSION_EVENT_STALLED});
	heir_pass(&heir, SUCCESSION_LEADER_MS - 10);
	ck_assert_uint_eq(heir.taken, 0);
	heir_pass(&heir, 200);
	ck_assert_uint_eq(heir.taken, 1);
}
END_TEST

/* gw-c is no better than gw-b, unless it holds what came later. */
START_TEST(test_who_holds_the_newer_generation_comes_first)
{
	lose_controller();
	heir.third_generation = GENERATION + 1;
	heir_pass(&heir, 1000);
	int64_t died_ms = heir.now;
	heir_bury(&heir);
	heir_pass(&heir, 2000);
	ck_assert_uint_eq(heir.taken, 1);
	ck_assert_int_ge(heir.taken_ms - died_ms, 300 + SUCCESSION_TURN_MS);
	ck_assert_int_le(heir.taken_ms - died_ms, 350 + SUCCESSION_TURN_MS);
}
END_TEST

/* A new generation of a pool that this gateway has left, or whose owner has. */
START_TEST(test_nothing_outside_the_pool)
{
	struct succession_config config = heir.succession.config;

	config.member_count = 2;
	config.members[_i][0] = 'x';
	succession_configure(&heir.succession, &config);
	lose_controller();
	heir_bury(&heir);
	heir_pass(&heir, 60000);
	ck_assert_uint_eq(heir.taken, 0);
}
END_TEST

/* A refusal costs the epoch, and there is no hurry to be refused again. */
START_TEST(test_refused_it_waits_before_it_tries_again)
{
	lose_controller();
	heir_bury(&heir);
	heir_pass(&heir, 600);
	ck_assert_uint_eq(heir.taken, 1);
	struct epoch first = heir.last.epoch;
	heir.view.ready = true;
	heir_pass(&heir, SUCCESSION_AGAIN_MS - 700);
	ck_assert_uint_eq(heir.taken, 1);
	heir_pass(&heir, 1000);
	ck_assert_uint_eq(heir.taken, 2);
	ck_assert_int_gt(epoch_compare(&heir.last.epoch, &first), 0);
}
END_TEST

static Suite *take_suite(void)
{
	Suite *suite = suite_create("succession-take");
	TCase *tcase = tcase_create("take");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_owner_and_controller_die_at_once);
	tcase_add_test(tcase, test_controller_is_long_dead);
	tcase_add_test(tcase, test_nothing_while_moves_are_frozen);
	tcase_add_test(tcase, test_nothing_while_a_controller_is_heard);
	tcase_add_test(tcase, test_nothing_while_one_answers_over_tls);
	tcase_add_test(tcase, test_its_silence_counts_from_a_question);
	tcase_add_test(tcase, test_nothing_while_a_member_has_one);
	tcase_add_test(tcase, test_the_word_of_one_who_is_gone_does_not_last);
	tcase_add_test(tcase, test_nothing_without_a_witness);
	tcase_add_test(tcase, test_a_witness_that_comes_back_has_to_stay);
	tcase_add_loop_test(tcase, test_only_from_the_dead, 0, 5);
	tcase_add_test(tcase, test_nothing_of_one_who_let_go);
	tcase_add_loop_test(tcase, test_of_one_who_let_go_below_the_floor, 0, 2);
	tcase_add_test(tcase, test_nothing_when_somebody_else_has_it);
	tcase_add_test(tcase, test_nothing_while_it_could_not_serve);
	tcase_add_test(tcase, test_a_stall_begins_anew);
	tcase_add_test(tcase, test_who_holds_the_newer_generation_comes_first);
	tcase_add_loop_test(tcase, test_nothing_outside_the_pool, 0, 2);
	tcase_add_test(tcase, test_refused_it_waits_before_it_tries_again);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(take_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
