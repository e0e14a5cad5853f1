/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ownership/pool.h"

/* FAILOVER rule 10: nobody below the revocation floor gets an endpoint. */

static struct pool pool;
static struct err err;

static void hold(uint64_t a, uint64_t b, uint64_t c)
{
	pool.members[GW_A].generation = a;
	pool.members[GW_B].generation = b;
	pool.members[GW_C].generation = c;
}

static void setup(void)
{
	pool_init_served(&pool);
	err = (struct err){0};
	hold(6, 6, 6);
	pool_pass(&pool, 100);
	ck_assert_uint_eq(pool.ownership.owner, GW_A);
}

START_TEST(test_the_next_is_one_that_holds_the_floor)
{
	hold(7, 6, 7);
	pool_floor(&pool, 7);
	pool_pass(&pool, 100);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 100);
	ck_assert_uint_eq(pool.ownership.owner, GW_C); /* although gw-b is preferred */
}
END_TEST

/* It had said that it is fit a moment before the floor rose. */
START_TEST(test_what_was_said_before_the_floor_rose_is_worth_nothing)
{
	hold(7, 6, 6);
	pool_say(&pool, GW_A);
	pool_floor(&pool, 7);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_ORPHAN);
	ck_assert(strstr(pool.ownership.why, "gw-b holds generation 6, below the revocation floor 7"));
	hold(7, 6, 7);
	pool_pass(&pool, 100);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
}
END_TEST

START_TEST(test_nothing_is_moved_there)
{
	hold(7, 6, 7);
	pool_floor(&pool, 7);
	pool_pass(&pool, 100);
	ck_assert_int_eq(pool_move(&pool, GW_B, &err), -ENOTSUP);
	ck_assert_str_eq(err.text, "gw-b holds generation 6, below the revocation floor 7");
	ck_assert_int_eq(pool_move(&pool, GW_C, &err), 0);
}
END_TEST

START_TEST(test_one_that_holds_nothing_is_told_so)
{
	hold(7, 7, 0);
	pool.ownership.members[GW_C].generation = 0;
	pool_floor(&pool, 7);
	pool_pass(&pool, 100);
	ck_assert_int_eq(pool_move(&pool, GW_C, &err), -ENOTSUP);
	ck_assert_str_eq(err.text, "gw-c has no generation yet, and the revocation floor is 7");
}
END_TEST

START_TEST(test_it_never_falls)
{
	pool_floor(&pool, 7);
	pool_floor(&pool, 3);
	ck_assert_uint_eq(pool.ownership.floor, 7);
}
END_TEST

/* It takes the commit up within a moment. */
START_TEST(test_an_owner_that_is_just_applying_keeps_it)
{
	hold(6, 7, 7);
	pool_floor(&pool, 7);
	pool_pass(&pool, OWNERSHIP_BEHIND_MS - 100);
	hold(7, 7, 7);
	pool_pass(&pool, 10000);
	ck_assert_uint_eq(pool.orders + pool.hosts, 0);
	ck_assert_uint_eq(pool.ownership.owner, GW_A);
}
END_TEST

START_TEST(test_an_owner_that_stays_below_is_moved_away_from)
{
	hold(6, 7, 7);
	pool_floor(&pool, 7);
	pool_pass(&pool, OWNERSHIP_BEHIND_MS + 200);
	ck_assert_uint_eq(pool.hosts, 1); /* a planned move */
	pool_pass(&pool, 1000);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	ck_assert_str_eq(pool.ownership.cause, "below-floor");
}
END_TEST

START_TEST(test_an_owner_below_stays_the_owner_while_nobody_else_can)
{
	hold(6, 6, 6);
	pool_floor(&pool, 7);
	pool_pass(&pool, 10000);
	ck_assert_uint_eq(pool.orders + pool.hosts + pool.alarms, 0);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
}
END_TEST

/* Others hear it, this controller does not: by now it has fenced itself, by what they tell it. */
START_TEST(test_an_owner_that_cannot_be_told_is_given_up)
{
	hold(6, 7, 7);
	pool_floor(&pool, 7);
	pool.members[GW_A].alive = false; /* it says nothing more; its verdict stays */
	pool_pass(&pool, OWNERSHIP_BARRED_MS - 200);
	ck_assert_uint_eq(pool.hosts + pool.orders, 0);
	pool_pass(&pool, 400);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	ck_assert_str_eq(pool.last.cause, "below-floor");
}
END_TEST

/* gw-a is back, and serves under the lower epoch; gw-b, which has the order, learns of the floor before it has taken it. */
START_TEST(test_an_order_that_its_target_would_refuse_is_not_repeated)
{
	pool.obedient = false;
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	pool_return(&pool, GW_A);
	ck_assert_uint_eq(pool.orders, 2); /* it is told */
	hold(7, 6, 7);
	pool_floor(&pool, 7);
	pool_pass(&pool, OWNERSHIP_CONFIRM_MS - 50);
	ck_assert_uint_eq(pool.orders, 2);
	hold(7, 7, 7);
	pool_say(&pool, GW_B);
	pool_pass(&pool, 40);
	ck_assert_uint_eq(pool.orders, 3);
	ck_assert_str_eq(pool.last.owner, "gw-b");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("revocation");
	TCase *tcase = tcase_create("revocation");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_the_next_is_one_that_holds_the_floor);
	tcase_add_test(tcase, test_what_was_said_before_the_floor_rose_is_worth_nothing);
	tcase_add_test(tcase, test_nothing_is_moved_there);
	tcase_add_test(tcase, test_one_that_holds_nothing_is_told_so);
	tcase_add_test(tcase, test_it_never_falls);
	tcase_add_test(tcase, test_an_owner_that_is_just_applying_keeps_it);
	tcase_add_test(tcase, test_an_owner_that_stays_below_is_moved_away_from);
	tcase_add_test(tcase, test_an_owner_below_stays_the_owner_while_nobody_else_can);
	tcase_add_test(tcase, test_an_owner_that_cannot_be_told_is_given_up);
	tcase_add_test(tcase, test_an_order_that_its_target_would_refuse_is_not_repeated);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
