/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/ownership/pool.h"

static struct pool pool;

static void setup(void)
{
	pool_init(&pool);
}

START_TEST(test_first_owner_is_the_preferred_one)
{
	pool_pass(&pool, 499);
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 1);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-a");
	ck_assert_str_eq(pool.last.cause, "first");
	ck_assert_str_eq(pool.last.from, "");
	ck_assert_uint_eq(pool.last.epoch.term, 7);
	ck_assert_uint_eq(pool.last.epoch.n, 1);
}
END_TEST

START_TEST(test_first_owner_is_waited_for_a_little)
{
	pool.members[GW_A].fit = false;
	pool_pass(&pool, 2900);
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 150);
	ck_assert_str_eq(pool.last.owner, "gw-b");
}
END_TEST

START_TEST(test_what_is_served_is_adopted_without_an_order)
{
	pool_serve(&pool, GW_B, (struct epoch){.term = 6, .n = 9});
	pool_serve(&pool, GW_C, (struct epoch){.term = 6, .n = 4});
	pool_pass(&pool, 490);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_RECOVERING);
	struct err err;
	ck_assert_int_eq(pool_move(&pool, GW_B, &err), -EBUSY);
	pool_stand_by(&pool, GW_C);
	pool_pass(&pool, 10);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_str_eq(pool.ownership.standing.owner, "gw-b");
	ck_assert_uint_eq(pool.ownership.standing.epoch.n, 9);
}
END_TEST

START_TEST(test_next_epoch_is_above_what_was_heard)
{
	pool_serve(&pool, GW_B, (struct epoch){.term = 80, .n = 9});
	pool_pass(&pool, 500);
	pool_verdict(&pool, GW_B, VERDICT_DEAD);
	uint32_t term = 0;
	ck_assert(epoch_source_wants_term(&pool.source, 0, &term));
	epoch_source_claimed(&pool.source, term);
	pool_pass(&pool, 250);
	ck_assert_uint_eq(pool.last.epoch.term, 81);
	ck_assert_str_eq(pool.last.owner, "gw-a");
}
END_TEST

START_TEST(test_nobody_is_named_while_somebody_may_serve_unheard)
{
	pool.members[GW_C].alive = false;
	pool_pass(&pool, 5000);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_RECOVERING);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_str_eq(pool.ownership.why, "waiting for a word from gw-c, or of its death");
	pool_verdict(&pool, GW_C, VERDICT_BLIND);
	pool_pass(&pool, 1000);
	ck_assert_uint_eq(pool.orders, 0);
	pool_verdict(&pool, GW_C, VERDICT_DEAD);
	ck_assert_str_eq(pool.last.owner, "gw-a");
}
END_TEST

/* gw-a tells that it serves, and dies before the controller has listened to the end; gw-c is cut off from the controller alone. */
START_TEST(test_who_held_the_highest_epoch_is_all_that_has_to_be_known)
{
	pool.members[GW_B].seat.highest = (struct epoch){.term = 6, .n = 2};
	pool.members[GW_C].alive = false;
	pool_serve(&pool, GW_A, (struct epoch){.term = 6, .n = 2});
	pool_pass(&pool, 200);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 250);
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 50);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	ck_assert_str_eq(pool.last.cause, "unserved");
}
END_TEST

/* gw-b has heard of a later one: gw-c may serve under that. */
START_TEST(test_who_held_a_lower_epoch_says_nothing_of_the_highest)
{
	pool.members[GW_B].seat.highest = (struct epoch){.term = 6, .n = 3};
	pool.members[GW_C].alive = false;
	pool_serve(&pool, GW_A, (struct epoch){.term = 6, .n = 2});
	pool_pass(&pool, 200);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 5000);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_str_eq(pool.ownership.why, "waiting for a word from gw-c, or of its death");
}
END_TEST

/* gw-a is dead before it could speak; gw-c is cut off from the controller alone. */
START_TEST(test_an_epoch_that_is_recalled_tells_who_is_waited_for)
{
	struct epoch before = {.term = 6, .n = 1}, last = {.term = 6, .n = 2};

	ownership_recall_epoch(&pool.ownership, "gw-c", &before);
	ownership_recall_epoch(&pool.ownership, "gw-a", &last);
	pool.members[GW_B].seat.highest = last;
	pool.members[GW_C].alive = false;
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 500);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
}
END_TEST

START_TEST(test_an_owner_that_is_recalled_and_lives_keeps_it)
{
	struct epoch last = {.term = 6, .n = 2};

	ownership_recall_epoch(&pool.ownership, "gw-c", &last);
	pool.members[GW_A].seat.highest = pool.members[GW_B].seat.highest = last;
	pool.members[GW_C].alive = false;
	pool_pass(&pool, 5000);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_str_eq(pool.ownership.why, "waiting for a word from gw-c, or of its death");
}
END_TEST

/* gw-b has just booted, and knows of no later epoch yet than the one under which it served last. */
START_TEST(test_who_served_before_it_booted_is_not_taken_for_the_last)
{
	struct epoch before = {.term = 6, .n = 2}, last = {.term = 6, .n = 3};

	pool_serve(&pool, GW_B, before);
	pool_fence(&pool, GW_B);
	pool.members[GW_A].alive = pool.members[GW_C].alive = false;
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 2000);
	ck_assert_uint_eq(pool.orders, 0);
	ownership_recall_epoch(&pool.ownership, "gw-b", &before);
	ownership_recall_epoch(&pool.ownership, "gw-c", &last);
	pool_pass(&pool, 2000);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_str_eq(pool.ownership.why, "waiting for a word from gw-c, or of its death");
}
END_TEST

START_TEST(test_an_unheard_agent_is_waited_for_a_lease)
{
	pool.members[GW_C].alive = false;
	pool_pass(&pool, 600);
	pool_verdict(&pool, GW_C, VERDICT_AGENT_DOWN); /* last sign: 158 ms ago */
	pool_pass(&pool, 2900);
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 600);
	ck_assert_uint_eq(pool.orders, 1);
}
END_TEST

START_TEST(test_unserved_after_a_restart_goes_to_the_next_without_waiting)
{
	for (size_t i = 0; i < POOL; i++)
		pool.members[i].seat.highest = (struct epoch){.term = 6, .n = 2};
	pool.members[GW_A].fit = false;
	pool_pass(&pool, 500);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	ck_assert_str_eq(pool.last.cause, "unserved");
}
END_TEST

START_TEST(test_a_fenced_owner_is_not_the_next)
{
	pool_serve(&pool, GW_A, (struct epoch){.term = 6, .n = 2});
	pool_fence(&pool, GW_A);
	pool.members[GW_A].fit = false;
	pool_pass(&pool, 500);
	ck_assert_str_eq(pool.last.owner, "gw-b");
}
END_TEST

START_TEST(test_waits_for_the_term)
{
	epoch_source_init(&pool.source, 6);
	pool_pass(&pool, 1500);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_RECOVERING);
	uint32_t term = 0;
	epoch_source_wants_term(&pool.source, 0, &term);
	epoch_source_claimed(&pool.source, term);
	pool_pass(&pool, 50);
	ck_assert_uint_eq(pool.orders, 1);
}
END_TEST

START_TEST(test_all_dead_is_an_orphan)
{
	for (size_t i = 0; i < POOL; i++)
		pool_verdict(&pool, i, VERDICT_DEAD);
	pool_pass(&pool, 1000);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_ORPHAN);
	ck_assert_str_eq(pool.ownership.why, "gw-a is dead; gw-b is dead; gw-c is dead");
	pool_return(&pool, GW_C);
	ck_assert_str_eq(pool.last.owner, "gw-c");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recovery");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_first_owner_is_the_preferred_one);
	tcase_add_test(all, test_first_owner_is_waited_for_a_little);
	tcase_add_test(all, test_what_is_served_is_adopted_without_an_order);
	tcase_add_test(all, test_next_epoch_is_above_what_was_heard);
	tcase_add_test(all, test_nobody_is_named_while_somebody_may_serve_unheard);
	tcase_add_test(all, test_who_held_the_highest_epoch_is_all_that_has_to_be_known);
	tcase_add_test(all, test_who_held_a_lower_epoch_says_nothing_of_the_highest);
	tcase_add_test(all, test_an_epoch_that_is_recalled_tells_who_is_waited_for);
	tcase_add_test(all, test_an_owner_that_is_recalled_and_lives_keeps_it);
	tcase_add_test(all, test_who_served_before_it_booted_is_not_taken_for_the_last);
	tcase_add_test(all, test_an_unheard_agent_is_waited_for_a_lease);
	tcase_add_test(all, test_unserved_after_a_restart_goes_to_the_next_without_waiting);
	tcase_add_test(all, test_a_fenced_owner_is_not_the_next);
	tcase_add_test(all, test_waits_for_the_term);
	tcase_add_test(all, test_all_dead_is_an_orphan);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
