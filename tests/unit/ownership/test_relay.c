/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cluster/lease.h"
#include "tests/unit/ownership/pool.h"

/* FAILOVER rules 2 and 7: what members tell of one whom the controller does not hear. gw-c is that one; it is alive by
 * the others' word. */

static struct pool pool;
static const struct epoch last = {.term = 6, .n = 2};

static void begin(bool exclusive)
{
	pool_init_in(&pool, exclusive);
	pool.members[GW_C].alive = false;
	for (size_t i = 0; i < POOL; i++)
		pool.members[i].seat.highest = last;
}

static void setup(void)
{
	begin(false);
}

static struct seat_state said(enum seat_role role, struct epoch released)
{
	return (struct seat_state){.role = role, .epoch = last, .highest = last, .released = released};
}

static void relay(const char *about, enum seat_role role, struct epoch released)
{
	struct seat_state seat = said(role, released);

	pool_relay(&pool, GW_B, about, &seat);
}

START_TEST(test_one_that_has_let_go_is_not_waited_for)
{
	pool_pass(&pool, 5000);
	ck_assert_uint_eq(pool.orders, 0);
	relay("gw-c", SEAT_STANDBY, last);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-a");
	ck_assert_str_eq(pool.last.cause, "unserved");
}
END_TEST

START_TEST(test_one_that_has_fenced_itself_has_let_go)
{
	pool_pass(&pool, 5000);
	relay("gw-c", SEAT_FENCED, (struct epoch){0});
	ck_assert_uint_eq(pool.orders, 1);
}
END_TEST

/* What it released is not what it may be serving under. */
START_TEST(test_a_release_below_the_highest_says_nothing)
{
	struct epoch before = {.term = 6, .n = 1};

	relay("gw-c", SEAT_SERVING, before);
	pool_pass(&pool, 5000);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_str_eq(pool.ownership.why, "waiting for a word from gw-c, or of its death");
}
END_TEST

START_TEST(test_one_that_stands_by_and_released_nothing_is_waited_for)
{
	relay("gw-c", SEAT_STANDBY, (struct epoch){0});
	pool_pass(&pool, 5000);
	ck_assert_uint_eq(pool.orders, 0);
}
END_TEST

/* It serves at gw-a, which dies: nobody else could. */
START_TEST(test_whose_the_highest_is_is_all_that_has_to_be_known)
{
	pool.members[GW_A].alive = false;
	relay("gw-a", SEAT_SERVING, (struct epoch){0});
	pool_pass(&pool, 2000);
	ck_assert_str_eq(pool.ownership.why, "waiting for a word from gw-a, or of its death");
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
}
END_TEST

START_TEST(test_two_that_are_said_to_have_it_are_both_waited_for)
{
	relay("gw-a", SEAT_SERVING, (struct epoch){0});
	relay("gw-c", SEAT_SERVING, (struct epoch){0});
	pool_pass(&pool, 2000);
	ck_assert_uint_eq(pool.orders, 0);
}
END_TEST

START_TEST(test_nobody_is_adopted_or_ordered_for_what_others_say)
{
	relay("gw-c", SEAT_SERVING, (struct epoch){0});
	pool_pass(&pool, 2000);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_RECOVERING);
	ck_assert(!ownership_can_take(&pool.ownership, GW_C, pool.now, NULL));
}
END_TEST

/* The owner has fenced itself, and this controller does not hear it any more. */
START_TEST(test_an_owner_that_let_go_unheard_is_followed)
{
	pool.members[GW_C].alive = true;
	pool_serve(&pool, GW_C, last);
	pool_pass(&pool, 600);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
	pool.members[GW_C].alive = false;
	pool_pass(&pool, 3000);
	relay("gw-c", SEAT_SERVING, (struct epoch){.term = 6, .n = 1});
	ck_assert_uint_eq(pool.orders, 0);
	relay("gw-c", SEAT_FENCED, last);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.cause, "fenced");
	ck_assert_str_eq(pool.last.from, "gw-c");
}
END_TEST

/* `fence`: by its claim, which others passed on. */
START_TEST(test_an_owner_known_by_its_claims_alone_is_followed)
{
	begin(true);
	pool_pass(&pool, 300);
	pool_claim(&pool, GW_C, last, true);
	pool_pass(&pool, 300);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
	relay("gw-c", SEAT_FENCED, last);
	ck_assert_uint_eq(pool.orders, 1); /* not when its lease is over */
	ck_assert_str_eq(pool.last.owner, "gw-a");
}
END_TEST

/* `fence`: while it is listened, one that was overtaken on its way says nothing against the release. */
START_TEST(test_a_claim_from_before_the_release_is_none)
{
	begin(true);
	pool_pass(&pool, 300);
	relay("gw-c", SEAT_FENCED, last);
	pool_claim(&pool, GW_C, last, true);
	pool_pass(&pool, 300);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_RECOVERING);
	pool_pass(&pool, lease_outlast_ms(3000));
	ck_assert_uint_eq(pool.orders, 1);
}
END_TEST

START_TEST(test_its_own_word_counts_for_more)
{
	pool_pass(&pool, 400);
	relay("gw-c", SEAT_FENCED, last);
	pool.members[GW_C].alive = true;
	pool_serve(&pool, GW_C, (struct epoch){.term = 6, .n = 3});
	pool_pass(&pool, 200);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
}
END_TEST

/* The controller hears it: it knows better, whether it serves or stands by. */
START_TEST(test_a_fresh_word_of_its_own_stands)
{
	struct ownership_member *member = &pool.ownership.members[GW_C];

	pool.members[GW_C].alive = true;
	pool_serve(&pool, GW_C, last);
	pool_pass(&pool, 600);
	for (int i = 0; i < 2; i++) {
		relay("gw-c", i == 0 ? SEAT_FENCED : SEAT_STANDBY, last);
		ck_assert_uint_eq(pool.orders, 0);
		ck_assert_int_eq(member->seat.role, SEAT_SERVING);
		ck_assert(epoch_is_zero(&member->seat.released));
	}
	pool.members[GW_C].alive = false;
	pool.now += OWNERSHIP_SPOKEN_MS;
	relay("gw-c", SEAT_FENCED, last);
	ck_assert_uint_eq(pool.orders, 0);
	pool.now++;
	pool_say(&pool, GW_A);
	relay("gw-c", SEAT_FENCED, last);
	ck_assert_uint_eq(pool.orders, 1);
}
END_TEST

START_TEST(test_one_that_is_suspected_does_not_speak_itself)
{
	struct ownership_member *member = &pool.ownership.members[GW_C];

	pool.members[GW_C].alive = true;
	pool_serve(&pool, GW_C, last);
	pool_pass(&pool, 600);
	pool_verdict(&pool, GW_C, VERDICT_SUSPECT);
	relay("gw-c", SEAT_FENCED, last);
	ck_assert_int_eq(epoch_compare(&member->seat.released, &last), 0);
}
END_TEST

/* One that has left the pool, in an earlier life of the controller. */
START_TEST(test_an_unknown_holder_is_waited_for_like_one_that_leaves)
{
	pool_pass(&pool, 600);
	relay("gw-z", SEAT_SERVING, (struct epoch){0});
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_ORPHAN);
	ck_assert_str_eq(pool.ownership.why, "gw-z has left the pool and may serve until its lease is over");
	for (int i = 0; i < 3; i++) { /* that it is told again prolongs nothing */
		pool_pass(&pool, lease_outlast_ms(3000) / 3 - 40);
		relay("gw-z", SEAT_SERVING, (struct epoch){0});
		ck_assert_uint_eq(pool.orders, 0);
	}
	pool_pass(&pool, 3 * 40 + 50);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-a");
}
END_TEST

START_TEST(test_an_unknown_holder_that_has_let_go_is_not_waited_for)
{
	relay("gw-z", SEAT_STANDBY, last);
	pool_pass(&pool, 500);
	ck_assert_uint_eq(pool.orders, 1);
}
END_TEST

/* It is taken into the pool, in the place of gw-c. */
START_TEST(test_an_unknown_holder_that_becomes_a_member_is_waited_for)
{
	struct ownership_config config = pool.ownership.config;
	struct ownership_actions actions = {0};

	relay("gw-z", SEAT_SERVING, (struct epoch){0});
	strcpy(config.members[GW_C], "gw-z");
	ownership_configure(&pool.ownership, &config, pool.now, &actions);
	pool_pass(&pool, 2 * lease_outlast_ms(3000));
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_str_eq(pool.ownership.why, "waiting for a word from gw-z, or of its death");
	pool_verdict(&pool, GW_C, VERDICT_DEAD);
	ck_assert_uint_eq(pool.orders, 1);
}
END_TEST

START_TEST(test_what_a_member_is_said_to_hold_nobody_outside_does)
{
	relay("gw-z", SEAT_SERVING, (struct epoch){0});
	relay("gw-c", SEAT_SERVING, (struct epoch){0});
	pool_pass(&pool, 2 * lease_outlast_ms(3000));
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_str_eq(pool.ownership.why, "waiting for a word from gw-c, or of its death");
}
END_TEST

START_TEST(test_an_unknown_gateway_below_the_owner_is_nothing)
{
	pool.members[GW_C].alive = true;
	pool_serve(&pool, GW_A, (struct epoch){.term = 6, .n = 3});
	pool_pass(&pool, 600);
	relay("gw-z", SEAT_SERVING, (struct epoch){0});
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_uint_eq(pool.orders, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("relay");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_one_that_has_let_go_is_not_waited_for);
	tcase_add_test(all, test_one_that_has_fenced_itself_has_let_go);
	tcase_add_test(all, test_a_release_below_the_highest_says_nothing);
	tcase_add_test(all, test_one_that_stands_by_and_released_nothing_is_waited_for);
	tcase_add_test(all, test_whose_the_highest_is_is_all_that_has_to_be_known);
	tcase_add_test(all, test_two_that_are_said_to_have_it_are_both_waited_for);
	tcase_add_test(all, test_nobody_is_adopted_or_ordered_for_what_others_say);
	tcase_add_test(all, test_an_owner_that_let_go_unheard_is_followed);
	tcase_add_test(all, test_an_owner_known_by_its_claims_alone_is_followed);
	tcase_add_test(all, test_a_claim_from_before_the_release_is_none);
	tcase_add_test(all, test_its_own_word_counts_for_more);
	tcase_add_test(all, test_a_fresh_word_of_its_own_stands);
	tcase_add_test(all, test_one_that_is_suspected_does_not_speak_itself);
	tcase_add_test(all, test_an_unknown_holder_is_waited_for_like_one_that_leaves);
	tcase_add_test(all, test_an_unknown_holder_that_has_let_go_is_not_waited_for);
	tcase_add_test(all, test_an_unknown_holder_that_becomes_a_member_is_waited_for);
	tcase_add_test(all, test_what_a_member_is_said_to_hold_nobody_outside_does);
	tcase_add_test(all, test_an_unknown_gateway_below_the_owner_is_nothing);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
