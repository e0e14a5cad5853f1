/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/ownership/pool.h"

static struct pool pool;

static void setup(void)
{
	pool_init_served(&pool);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	ck_assert_uint_eq(pool.ownership.owner, GW_A);
}

START_TEST(test_dead_owner_is_replaced_at_once_by_the_next)
{
	struct epoch before = pool.ownership.epoch;

	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	ck_assert_str_eq(pool.last.from, "gw-a");
	ck_assert_str_eq(pool.last.cause, "host-dead");
	ck_assert_uint_eq(pool.last.detect_ms, 158);
	ck_assert_int_gt(epoch_compare(&pool.last.epoch, &before), 0);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_TAKING);
	pool_say(&pool, GW_B);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	ck_assert(ownership_is_served(&pool.ownership));
}
END_TEST

START_TEST(test_suspicion_and_blindness_move_nothing)
{
	pool_verdict(&pool, GW_A, VERDICT_SUSPECT);
	pool_verdict(&pool, GW_A, VERDICT_BLIND);
	pool_pass(&pool, 20000);
	ck_assert_uint_eq(pool.orders + pool.releases, 0);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
}
END_TEST

START_TEST(test_faults_of_standbys_move_nothing)
{
	pool_verdict(&pool, GW_B, VERDICT_DEAD);
	pool_verdict(&pool, GW_C, VERDICT_AGENT_DOWN);
	pool_pass(&pool, 20000);
	pool_return(&pool, GW_B);
	pool_return(&pool, GW_C);
	pool_pass(&pool, 20000);
	ck_assert_uint_eq(pool.orders + pool.releases, 0);
}
END_TEST

START_TEST(test_a_standby_that_is_dead_suspect_or_unfit_is_skipped)
{
	pool.members[GW_B].fit = false;
	pool_say(&pool, GW_B);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_str_eq(pool.last.owner, "gw-c");
	setup();
	pool_verdict(&pool, GW_B, VERDICT_SUSPECT);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_str_eq(pool.last.owner, "gw-c");
}
END_TEST

START_TEST(test_one_that_others_alone_hear_gets_no_order)
{
	pool.members[GW_B].alive = false; /* its verdict stays "alive" */
	pool_pass(&pool, 2000);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_str_eq(pool.last.owner, "gw-c");
}
END_TEST

START_TEST(test_fenced_owner_is_replaced_at_once)
{
	pool_pass(&pool, 60000);
	pool_fence(&pool, GW_A);
	pool.now += 12;
	pool_say(&pool, GW_A);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	ck_assert_str_eq(pool.last.cause, "fenced");
	ck_assert_uint_eq(pool.last.detect_ms, 12); /* since it last said that it serves */
}
END_TEST

START_TEST(test_agent_down_moves_after_the_lease)
{
	pool_verdict(&pool, GW_A, VERDICT_AGENT_DOWN);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_ARMED);
	/* its last word was at pool.now: lease x 1.01 + 100 ms from there */
	pool_pass(&pool, 3030 + 99);
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 1);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	ck_assert_str_eq(pool.last.cause, "agent-down");
}
END_TEST

START_TEST(test_agent_that_comes_back_keeps_it)
{
	pool_verdict(&pool, GW_A, VERDICT_AGENT_DOWN);
	pool_pass(&pool, 2900);
	pool_return(&pool, GW_A);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	pool_pass(&pool, 10000);
	ck_assert_uint_eq(pool.orders, 0);
}
END_TEST

START_TEST(test_host_that_dies_after_its_agent_moves_at_once)
{
	pool_verdict(&pool, GW_A, VERDICT_AGENT_DOWN);
	pool_pass(&pool, 500);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_str_eq(pool.last.cause, "host-dead");
}
END_TEST

START_TEST(test_taker_that_does_not_confirm_is_passed_over)
{
	pool.obedient = false;
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	struct epoch first = pool.last.epoch;
	pool_pass(&pool, OWNERSHIP_CONFIRM_MS - 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	pool_pass(&pool, 1);
	ck_assert_str_eq(pool.last.owner, "gw-c");
	ck_assert_int_gt(epoch_compare(&pool.last.epoch, &first), 0);
	pool_serve(&pool, GW_C, pool.last.epoch);
	pool_pass(&pool, 50);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
}
END_TEST

START_TEST(test_taker_that_is_late_but_alone_is_given_time)
{
	pool_verdict(&pool, GW_C, VERDICT_DEAD);
	pool.obedient = false;
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 3000);
	ck_assert_uint_eq(pool.orders, 1);
	pool_serve(&pool, GW_B, pool.last.epoch);
	pool_pass(&pool, 50);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
}
END_TEST

START_TEST(test_taker_that_dies_is_replaced)
{
	pool.obedient = false;
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_verdict(&pool, GW_B, VERDICT_DEAD);
	ck_assert_str_eq(pool.last.owner, "gw-c");
}
END_TEST

START_TEST(test_nobody_fit_is_an_orphan_with_a_reason_until_somebody_is)
{
	pool.members[GW_B].fit = pool.members[GW_C].fit = false;
	pool_say(&pool, GW_B);
	pool_say(&pool, GW_C);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_ORPHAN);
	ck_assert_str_eq(pool.ownership.why, "gw-a is dead; gw-b could not serve: the test says so; gw-c "
					     "could not serve: the test says so");
	ck_assert_uint_eq(pool.alarms, 1);
	pool_pass(&pool, 5000);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_uint_eq(pool.alarms, 1);
	pool.members[GW_C].fit = true;
	pool_say(&pool, GW_C);
	ck_assert_str_eq(pool.last.owner, "gw-c");
	ck_assert_str_eq(pool.last.cause, "host-dead");
}
END_TEST

START_TEST(test_orphan_whose_owner_returns_serving_is_adopted)
{
	pool.members[GW_B].fit = pool.members[GW_C].fit = false;
	pool_say(&pool, GW_B);
	pool_say(&pool, GW_C);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_return(&pool, GW_A);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	ck_assert_uint_eq(pool.orders, 0);
}
END_TEST

START_TEST(test_a_fenced_owner_gets_it_back_when_it_is_the_only_one)
{
	pool_verdict(&pool, GW_B, VERDICT_DEAD);
	pool_verdict(&pool, GW_C, VERDICT_DEAD);
	pool_fence(&pool, GW_A);
	pool_say(&pool, GW_A);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_ORPHAN);
	pool.members[GW_A].fit = false;
	pool_pass(&pool, 4000);
	ck_assert_uint_eq(pool.orders, 0);
	pool.members[GW_A].fit = true;
	pool_say(&pool, GW_A);
	ck_assert_str_eq(pool.last.owner, "gw-a");
}
END_TEST

START_TEST(test_a_replugged_cable_does_not_steal)
{
	pool_fence(&pool, GW_A);
	pool_pass(&pool, 1000);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	pool.orders = 0;
	pool_stand_by(&pool, GW_A);
	pool_pass(&pool, 60000);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
}
END_TEST

START_TEST(test_an_owner_that_has_forgotten_gets_an_order)
{
	pool_stand_by(&pool, GW_A); /* its host has started anew, faster than anyone noticed */
	pool_say(&pool, GW_A);
	pool_pass(&pool, 49);
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 100);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.cause, "lost");
	ck_assert_str_eq(pool.last.owner, "gw-a");
}
END_TEST

START_TEST(test_one_overtaken_standby_message_is_not_a_loss)
{
	pool_stand_by(&pool, GW_A);
	pool_say(&pool, GW_A);
	pool_serve(&pool, GW_A, pool.ownership.epoch);
	pool_pass(&pool, 500);
	ck_assert_uint_eq(pool.orders, 0);
}
END_TEST

START_TEST(test_a_lower_owner_is_told_again_and_again)
{
	struct epoch old = pool.ownership.epoch;

	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_say(&pool, GW_B);
	pool.obedient = false;
	pool.orders = 0;
	pool_serve(&pool, GW_A, old);
	pool_return(&pool, GW_A);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	pool_pass(&pool, 1000);
	ck_assert_uint_ge(pool.orders, 9);
	ck_assert_uint_le(pool.orders, 12);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	pool_stand_by(&pool, GW_A);
	pool_pass(&pool, 50);
	pool.orders = 0;
	pool_pass(&pool, 1000);
	ck_assert_uint_eq(pool.orders, 0);
}
END_TEST

START_TEST(test_a_higher_owner_is_right)
{
	struct epoch higher = {.term = pool.source.term, .n = pool.source.n, .minor = 2};

	pool.obedient = false;
	pool_serve(&pool, GW_C, higher);
	pool_say(&pool, GW_C);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	pool_say(&pool, GW_A); /* still serves: it is told */
	ck_assert_str_eq(pool.last.owner, "gw-c");
}
END_TEST

START_TEST(test_two_under_one_epoch_get_a_new_one_and_an_alarm)
{
	struct epoch same = pool.ownership.epoch;

	pool.obedient = false;
	pool_serve(&pool, GW_B, same);
	pool_say(&pool, GW_B);
	ck_assert_uint_eq(pool.alarms, 1);
	ck_assert_str_eq(pool.last.owner, "gw-a");
	ck_assert_int_gt(epoch_compare(&pool.last.epoch, &same), 0);
}
END_TEST

START_TEST(test_frozen_moves_nothing_and_thaws)
{
	struct ownership_actions actions = {0};

	ownership_freeze(&pool.ownership, pool.now, &actions);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_FROZEN);
	pool_pass(&pool, 10000);
	ck_assert_uint_eq(pool.orders, 0);
	actions.count = 0;
	ownership_thaw(&pool.ownership, pool.now, &actions);
	pool_take_in(&pool, &actions);
	ck_assert_str_eq(pool.last.owner, "gw-b");
}
END_TEST

START_TEST(test_without_a_term_on_disk_nobody_is_ordered)
{
	struct epoch foreign = {.term = 1000};

	epoch_source_hear(&pool.source, &foreign);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_ORPHAN);
	uint32_t term;
	ck_assert(epoch_source_wants_term(&pool.source, 0, &term));
	epoch_source_claimed(&pool.source, term);
	pool_pass(&pool, 250);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	ck_assert_uint_eq(pool.last.epoch.term, 1001);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failover");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_dead_owner_is_replaced_at_once_by_the_next);
	tcase_add_test(all, test_suspicion_and_blindness_move_nothing);
	tcase_add_test(all, test_faults_of_standbys_move_nothing);
	tcase_add_test(all, test_a_standby_that_is_dead_suspect_or_unfit_is_skipped);
	tcase_add_test(all, test_one_that_others_alone_hear_gets_no_order);
	tcase_add_test(all, test_fenced_owner_is_replaced_at_once);
	tcase_add_test(all, test_agent_down_moves_after_the_lease);
	tcase_add_test(all, test_agent_that_comes_back_keeps_it);
	tcase_add_test(all, test_host_that_dies_after_its_agent_moves_at_once);
	tcase_add_test(all, test_taker_that_does_not_confirm_is_passed_over);
	tcase_add_test(all, test_taker_that_is_late_but_alone_is_given_time);
	tcase_add_test(all, test_taker_that_dies_is_replaced);
	tcase_add_test(all, test_nobody_fit_is_an_orphan_with_a_reason_until_somebody_is);
	tcase_add_test(all, test_orphan_whose_owner_returns_serving_is_adopted);
	tcase_add_test(all, test_a_fenced_owner_gets_it_back_when_it_is_the_only_one);
	tcase_add_test(all, test_a_replugged_cable_does_not_steal);
	tcase_add_test(all, test_an_owner_that_has_forgotten_gets_an_order);
	tcase_add_test(all, test_one_overtaken_standby_message_is_not_a_loss);
	tcase_add_test(all, test_a_lower_owner_is_told_again_and_again);
	tcase_add_test(all, test_a_higher_owner_is_right);
	tcase_add_test(all, test_two_under_one_epoch_get_a_new_one_and_an_alarm);
	tcase_add_test(all, test_frozen_moves_nothing_and_thaws);
	tcase_add_test(all, test_without_a_term_on_disk_nobody_is_ordered);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
