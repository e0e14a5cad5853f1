/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cluster/lease.h"
#include "tests/unit/ownership/pool.h"

/* `isolation: fence`, with a lease of 3 s: nobody new before the last leave has run out, or was given back. */
enum { OUTLAST_MS = 3130 }; /* lease x 1.01 + 100 */

static struct pool pool;
static const struct epoch first = {.term = 7, .n = 1}, second = {.term = 7, .n = 2};

/* Started, listened for a lease, named gw-a; it serves, and has leave. */
static void setup(void)
{
	pool_init_in(&pool, true);
	pool_pass(&pool, OUTLAST_MS + 50);
	ck_assert_str_eq(pool.last.owner, "gw-a");
	ck_assert_uint_eq(pool_claim(&pool, GW_A, first, true), 1);
	pool.orders = pool.events = 0;
}

START_TEST(test_it_waits_a_lease_is_outlasted)
{
	ck_assert_int_eq(lease_outlast_ms(3000), OUTLAST_MS);
	ck_assert_int_eq(lease_outlast_ms(1000), 1110);
	ck_assert_int_eq(lease_outlast_ms(1), 102); /* rounded up */
}
END_TEST

START_TEST(test_a_start_listens_for_a_lease_before_it_names_anybody)
{
	pool_init_in(&pool, true);
	pool_pass(&pool, OUTLAST_MS - 1);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_RECOVERING);
	pool_pass(&pool, 2);
	ck_assert_uint_eq(pool.orders, 1);
}
END_TEST

/* gw-a tells that it serves, and dies while this controller listens; gw-c is not heard, and can have leave under no lower epoch. */
START_TEST(test_a_start_waits_for_whoever_had_leave_alone)
{
	struct epoch before = {.term = 6, .n = 2};

	pool_init_in(&pool, true);
	pool.members[GW_B].seat.highest = before;
	pool.members[GW_C].alive = false;
	pool_serve(&pool, GW_A, before);
	pool_pass(&pool, 200);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, OUTLAST_MS - 201);
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 2);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
}
END_TEST

START_TEST(test_leave_is_for_the_owner_and_its_epoch)
{
	ck_assert_uint_eq(pool_claim(&pool, GW_B, first, true), 0);
	ck_assert_uint_eq(pool_claim(&pool, GW_A, second, true), 0);
	ck_assert_uint_eq(pool_claim(&pool, GW_A, (struct epoch){.term = 6, .n = 9}, true), 0);
	ck_assert_uint_eq(pool_claim(&pool, GW_A, first, true), 1);
}
END_TEST

START_TEST(test_in_hold_nobody_needs_leave)
{
	pool_init(&pool);
	pool_pass(&pool, 600);
	ck_assert_uint_eq(pool_claim(&pool, GW_A, first, true), 0);
}
END_TEST

START_TEST(test_a_dead_owner_is_followed_when_its_leave_has_run_out)
{
	int64_t granted_ms = pool.now;

	pool_pass(&pool, 200);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_ARMED);
	ck_assert_int_eq(ownership_deadline(&pool.ownership), granted_ms + OUTLAST_MS);
	pool_pass(&pool, granted_ms + OUTLAST_MS - pool.now - 1);
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 1);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	ck_assert_str_eq(pool.last.cause, "host-dead");
	ck_assert_uint_eq(
		pool.ownership.members[GW_A].holddown.count, 1); /* lost once, however long it took */
	ck_assert_uint_eq(pool_claim(&pool, GW_A, first, true), 0);
	ck_assert_uint_eq(pool_claim(&pool, GW_B, second, false), 1);
}
END_TEST

START_TEST(test_one_that_was_asked_before_gives_no_longer_leave)
{
	struct claim again = {.epoch = first, .serves = true};
	struct ownership_actions actions = {0};
	struct ownership_event event = {.kind = OWNERSHIP_EVENT_CLAIM, .member = GW_A, .claim = &again};
	int64_t granted_ms = pool.ownership.granted_ms;

	again.nonce = pool.ownership.granted;
	again.terms = pool.ownership.terms;
	ownership_step(&pool.ownership, &event, pool.now + 40, &actions); /* it came by another way, too */
	ck_assert_int_eq(actions.items[0].kind, OWNERSHIP_ACTION_GRANT);
	ck_assert_int_eq(pool.ownership.granted_ms, granted_ms);
}
END_TEST

START_TEST(test_one_who_says_that_it_released_is_followed_at_once)
{
	pool.members[GW_A].seat.released = first;
	pool_fence(&pool, GW_A);
	pool_say(&pool, GW_A);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
}
END_TEST

START_TEST(test_one_who_says_only_that_it_is_fenced_is_not)
{
	pool_fence(&pool, GW_A);
	pool_say(&pool, GW_A);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_ARMED);
}
END_TEST

START_TEST(test_an_owner_that_returns_in_time_stays)
{
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 1000);
	pool_return(&pool, GW_A);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	ck_assert_uint_eq(pool_claim(&pool, GW_A, first, true), 1);
	pool_pass(&pool, 5000);
	ck_assert_uint_eq(pool.orders, 0);
}
END_TEST

START_TEST(test_a_taker_that_has_leave_is_waited_for)
{
	pool.obedient = false;
	pool.members[GW_A].seat.released = first;
	pool_fence(&pool, GW_A);
	pool_say(&pool, GW_A);
	for (int i = 0; i < 40; i++) { /* it has promised something, and may not take it yet */
		ck_assert_uint_eq(pool_claim(&pool, GW_B, second, false), 1);
		pool_pass(&pool, 50);
	}
	ck_assert_uint_eq(pool.orders, 1);
	pool_verdict(&pool, GW_B, VERDICT_DEAD);
	int64_t granted_ms = pool.ownership.granted_ms;
	pool_pass(&pool, granted_ms + OUTLAST_MS - pool.now - 1);
	ck_assert_uint_eq(pool.orders, 1);
	pool_pass(&pool, 1);
	ck_assert_uint_eq(pool.orders, 2);
	ck_assert_str_ne(pool.last.owner, "gw-b");
}
END_TEST

START_TEST(test_a_taker_that_never_asked_is_passed_over_as_ever)
{
	pool.obedient = false;
	pool.members[GW_A].seat.released = first;
	pool_fence(&pool, GW_A);
	pool_say(&pool, GW_A);
	pool_pass(&pool, OWNERSHIP_CONFIRM_MS);
	ck_assert_uint_eq(pool.orders, 2);
	ck_assert_str_eq(pool.last.owner, "gw-c");
}
END_TEST

START_TEST(test_a_controller_that_listens_lets_the_one_who_serves_go_on)
{
	static const struct epoch old = {.term = 6, .n = 9}, older = {.term = 6, .n = 8};

	pool_init_in(&pool, true);
	pool.members[GW_B].alive = false; /* only its claims arrive: others pass them on */
	ck_assert_uint_eq(pool_claim(&pool, GW_B, old, false), 0);
	ck_assert_uint_eq(pool_claim(&pool, GW_B, old, true), 1);
	ck_assert_uint_eq(pool_claim(&pool, GW_C, older, true), 0);
	pool_pass(&pool, 500);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	ck_assert_uint_eq(pool.orders, 0);
}
END_TEST

START_TEST(test_people_cannot_take_it_either)
{
	struct err err;

	pool.ownership.frozen = true;
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_FROZEN);
	ck_assert_int_eq(pool_move(&pool, GW_B, &err), -EBUSY);
	ck_assert_str_eq(err.text, "vpn: gw-a may serve it until its lease is over");
	pool_pass(&pool, OUTLAST_MS);
	ck_assert_int_eq(pool_move(&pool, GW_B, &err), 0);
	ck_assert_str_eq(pool.last.owner, "gw-b");
}
END_TEST

/* A controller that has started, and nobody serves: somebody may have been granted leave just before. */
START_TEST(test_an_owner_that_nobody_knows_has_a_name_too)
{
	struct err err;

	pool.ownership.phase = OWNERSHIP_ORPHAN;
	pool.ownership.owner = OWNERSHIP_NOBODY;
	pool.ownership.settled_ms = pool.now + 1;
	ck_assert_int_eq(pool_move(&pool, GW_B, &err), -EBUSY);
	ck_assert_str_eq(
		err.text, "vpn: a gateway that nobody knows any more may serve it until its lease is over");
}
END_TEST

START_TEST(test_an_owner_that_left_the_pool_is_waited_for)
{
	struct ownership_config config = pool.ownership.config;
	struct ownership_actions actions = {0};

	config.member_count = 2;
	for (size_t i = 0; i < 2; i++)
		memcpy(config.members[i], config.members[i + 1], sizeof(config.members[i]));
	ownership_configure(&pool.ownership, &config, pool.now, &actions);
	ck_assert_int_eq(pool.ownership.vacant_ms, pool.now + OUTLAST_MS);
	ck_assert_str_eq(pool.ownership.leaver, "gw-a");
}
END_TEST

/* A new generation. */
static void configure(uint32_t lease_ms, size_t members)
{
	struct ownership_config config = pool.ownership.config;
	struct ownership_actions actions = {0};

	config.lease_ms = lease_ms;
	config.member_count = members;
	ownership_configure(&pool.ownership, &config, pool.now, &actions);
	pool_take_in(&pool, &actions);
}

static void hold(size_t member)
{
	struct ownership_event event = {.kind = OWNERSHIP_EVENT_HOLDS, .member = member};
	struct ownership_actions actions = {0};

	ownership_step(&pool.ownership, &event, pool.now, &actions);
	pool_take_in(&pool, &actions);
}

START_TEST(test_a_claim_on_other_terms_is_not_answered)
{
	struct claim claim = {.epoch = first, .serves = true, .terms = pool.ownership.terms};
	struct ownership_event event = {.kind = OWNERSHIP_EVENT_CLAIM, .member = GW_A, .claim = &claim};
	struct ownership_actions actions = {0};

	claim.nonce = (struct nonce){.boot = 1, .time_us = 1};
	configure(5000, POOL);
	ownership_step(&pool.ownership, &event, pool.now, &actions);
	ck_assert_uint_eq(actions.count, 0);
	ck_assert_uint_eq(pool_claim(&pool, GW_A, first, true), 1);
}
END_TEST

/* By the promises of the others it may go on for ever, on the terms before. */
START_TEST(test_an_owner_is_waited_for_until_another_has_taken_up_a_change)
{
	configure(1000, POOL);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 10 * OUTLAST_MS);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_ARMED);
	hold(GW_B);
	pool_pass(&pool,
		OUTLAST_MS - 1); /* it may have promised just before, for the longer lease of the two */
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 1);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
}
END_TEST

START_TEST(test_one_that_is_new_settles_nothing)
{
	configure(3000, POOL - 1);
	hold(GW_A);
	pool_pass(&pool, OUTLAST_MS);
	ck_assert_uint_eq(pool_claim(&pool, GW_A, first, true), 1);
	configure(3000, POOL);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	hold(POOL - 1);
	pool_pass(&pool, 2 * OUTLAST_MS);
	ck_assert_uint_eq(pool.orders, 0);
	hold(GW_B);
	pool_pass(&pool, OUTLAST_MS);
	ck_assert_uint_eq(pool.orders, 1);
}
END_TEST

/* One that came with the change before is as good as any other at the next: gateways are replaced one by one. */
START_TEST(test_one_that_came_with_a_settled_change_settles_the_next)
{
	configure(3000, POOL - 1);
	hold(GW_A);
	pool_pass(&pool, OUTLAST_MS);
	ck_assert_uint_eq(pool_claim(&pool, GW_A, first, true), 1);
	configure(3000, POOL);
	pool_return(&pool, GW_C);
	hold(GW_A);
	pool_pass(&pool, OUTLAST_MS);
	ck_assert_uint_eq(pool_claim(&pool, GW_A, first, true), 1);
	configure(1000, POOL);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_verdict(&pool, GW_B, VERDICT_DEAD);
	hold(GW_C);
	pool_pass(&pool, OUTLAST_MS - 1);
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 1);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-c");
}
END_TEST

START_TEST(test_a_change_has_settled_before_the_next)
{
	struct ownership_config config = pool.ownership.config,
				others = {.exclusive = true, .member_count = 1};
	struct err err = {0};

	strcpy(others.members[0], "gw-x");
	ck_assert_int_eq(ownership_check_change(&pool.ownership, &config, pool.now, &err), 0);
	ck_assert_int_eq(ownership_check_change(&pool.ownership, &others, pool.now, &err), -ENOTSUP);
	configure(5000, POOL);
	ck_assert_int_eq(ownership_check_change(&pool.ownership, &config, pool.now, &err), -EBUSY);
	hold(GW_A);
	ck_assert_int_eq(ownership_check_change(&pool.ownership, &config, pool.now, &err), -EBUSY);
	pool_pass(&pool, lease_outlast_ms(5000));
	ck_assert_int_eq(ownership_check_change(&pool.ownership, &config, pool.now, &err), 0);
}
END_TEST

START_TEST(test_the_same_terms_again_are_no_change)
{
	int64_t vacant_ms = pool.now + OUTLAST_MS;

	configure(3000, POOL);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_int_eq(ownership_deadline(&pool.ownership), vacant_ms);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("grant");
	TCase *tcase = tcase_create("grant");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_it_waits_a_lease_is_outlasted);
	tcase_add_test(tcase, test_a_start_listens_for_a_lease_before_it_names_anybody);
	tcase_add_test(tcase, test_a_start_waits_for_whoever_had_leave_alone);
	tcase_add_test(tcase, test_leave_is_for_the_owner_and_its_epoch);
	tcase_add_test(tcase, test_in_hold_nobody_needs_leave);
	tcase_add_test(tcase, test_a_dead_owner_is_followed_when_its_leave_has_run_out);
	tcase_add_test(tcase, test_one_that_was_asked_before_gives_no_longer_leave);
	tcase_add_test(tcase, test_one_who_says_that_it_released_is_followed_at_once);
	tcase_add_test(tcase, test_one_who_says_only_that_it_is_fenced_is_not);
	tcase_add_test(tcase, test_an_owner_that_returns_in_time_stays);
	tcase_add_test(tcase, test_a_taker_that_has_leave_is_waited_for);
	tcase_add_test(tcase, test_a_taker_that_never_asked_is_passed_over_as_ever);
	tcase_add_test(tcase, test_a_controller_that_listens_lets_the_one_who_serves_go_on);
	tcase_add_test(tcase, test_people_cannot_take_it_either);
	tcase_add_test(tcase, test_an_owner_that_nobody_knows_has_a_name_too);
	tcase_add_test(tcase, test_an_owner_that_left_the_pool_is_waited_for);
	tcase_add_test(tcase, test_a_claim_on_other_terms_is_not_answered);
	tcase_add_test(tcase, test_an_owner_is_waited_for_until_another_has_taken_up_a_change);
	tcase_add_test(tcase, test_one_that_is_new_settles_nothing);
	tcase_add_test(tcase, test_one_that_came_with_a_settled_change_settles_the_next);
	tcase_add_test(tcase, test_a_change_has_settled_before_the_next);
	tcase_add_test(tcase, test_the_same_terms_again_are_no_change);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
