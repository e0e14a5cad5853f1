/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ownership/pool.h"

/* First and second choices: members whose checks fail, and members that flap. */

static struct pool pool;
static struct err err;

static void setup(void)
{
	pool_init_served(&pool);
	err = (struct err){0};
}

static void impair(size_t member, const char *why)
{
	pool.members[member].impaired = why;
	pool_say(&pool, member);
}

static void power_cut(size_t member)
{
	pool_verdict(&pool, member, VERDICT_DEAD);
	pool_pass(&pool, 100);
	pool_stand_by(&pool, member);
	pool_return(&pool, member);
	pool_pass(&pool, 1000);
}

START_TEST(test_an_impaired_owner_is_followed_by_one_that_is_not)
{
	pool.ownership.config.doubt_ms = 1000;
	impair(GW_A, "ping 192.168.1.10 does not answer");
	pool_pass(&pool, 900);
	ck_assert_uint_eq(pool.hosts, 0); /* the others may find the same */
	pool_pass(&pool, 500);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	ck_assert_str_eq(pool.ownership.cause, "impaired");
	ck_assert_uint_eq(pool.releases, 1); /* a planned move */
}
END_TEST

START_TEST(test_a_dead_target_moves_nothing)
{
	pool.ownership.config.doubt_ms = 1000;
	for (size_t i = 0; i < POOL; i++) {
		impair(i, "ping 192.168.1.10 does not answer");
		pool_pass(&pool, 200);
	}
	pool_pass(&pool, 10000);
	ck_assert_uint_eq(pool.ownership.owner, GW_A);
	ck_assert_uint_eq(pool.orders + pool.hosts, 0);
}
END_TEST

START_TEST(test_an_impaired_member_is_passed_over)
{
	impair(GW_B, "ping 192.168.1.10 does not answer");
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 500);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
}
END_TEST

START_TEST(test_an_impaired_member_is_better_than_none)
{
	impair(GW_B, "ping 192.168.1.10 does not answer");
	pool_verdict(&pool, GW_C, VERDICT_DEAD);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 500);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	ck_assert(!ownership_is_first_choice(&pool.ownership, GW_B, pool.now, &err));
	ck_assert_str_eq(err.text, "gw-b is a second choice: ping 192.168.1.10 does not answer");
}
END_TEST

START_TEST(test_who_loses_it_three_times_is_held_down)
{
	struct ownership_config config = pool.ownership.config;
	struct ownership_actions actions = {0};

	config.preempt_ms = 1000;
	ownership_configure(&pool.ownership, &config, pool.now, &actions);
	for (int i = 0; i < HOLDDOWN_LOSSES; i++) {
		pool_pass(&pool, 2000);
		ck_assert_uint_eq(pool.ownership.owner, GW_A); /* it came back */
		power_cut(GW_A);
	}
	pool_pass(&pool, 20000);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	ck_assert(!ownership_is_first_choice(&pool.ownership, GW_A, pool.now, &err));
	pool_pass(&pool, HOLDDOWN_FIRST_MS);
	ck_assert_uint_eq(pool.ownership.owner, GW_A);
}
END_TEST

static void hold_down(size_t member)
{
	for (int i = 0; i < HOLDDOWN_LOSSES; i++)
		holddown_lose(&pool.ownership.members[member].holddown, pool.now);
}

START_TEST(test_who_is_held_down_is_passed_over_but_better_than_none)
{
	hold_down(GW_B);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 500);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
	pool_verdict(&pool, GW_C, VERDICT_DEAD);
	pool_pass(&pool, 500);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
}
END_TEST

START_TEST(test_a_fault_that_is_over_is_less_than_one_that_is_there)
{
	hold_down(GW_C);
	impair(GW_B, "ping 192.168.1.10 does not answer");
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 500);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
}
END_TEST

START_TEST(test_people_may_move_it_there_and_that_forgives)
{
	hold_down(GW_B);
	ck_assert_int_eq(pool_move(&pool, GW_B, &err), 0);
	pool_pass(&pool, 500);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	ck_assert(ownership_is_first_choice(&pool.ownership, GW_B, pool.now, &err));
}
END_TEST

START_TEST(test_a_planned_move_is_no_fault)
{
	for (int i = 0; i < 2 * HOLDDOWN_LOSSES; i++) {
		ck_assert_int_eq(pool_move(&pool, i % 2 ? GW_A : GW_B, &err), 0);
		pool_pass(&pool, 500);
	}
	ck_assert(ownership_is_first_choice(&pool.ownership, GW_A, pool.now, &err));
	ck_assert(ownership_is_first_choice(&pool.ownership, GW_B, pool.now, &err));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("choice");
	TCase *tests = tcase_create("choice");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, test_an_impaired_owner_is_followed_by_one_that_is_not);
	tcase_add_test(tests, test_a_dead_target_moves_nothing);
	tcase_add_test(tests, test_an_impaired_member_is_passed_over);
	tcase_add_test(tests, test_an_impaired_member_is_better_than_none);
	tcase_add_test(tests, test_who_loses_it_three_times_is_held_down);
	tcase_add_test(tests, test_who_is_held_down_is_passed_over_but_better_than_none);
	tcase_add_test(tests, test_a_fault_that_is_over_is_less_than_one_that_is_there);
	tcase_add_test(tests, test_people_may_move_it_there_and_that_forgives);
	tcase_add_test(tests, test_a_planned_move_is_no_fault);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
