/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ownership/pool.h"

static struct pool pool;
static struct err err;

static void setup(void)
{
	pool_init_served(&pool);
	err = (struct err){0};
}

static void drain(size_t member)
{
	struct ownership_actions actions = {0};

	ownership_drain(&pool.ownership, member, pool.now, &actions);
	pool_take_in(&pool, &actions);
}

static void resume(size_t member)
{
	struct ownership_actions actions = {0};

	ownership_resume(&pool.ownership, member, pool.now, &actions);
	pool_take_in(&pool, &actions);
}

static void configure(struct ownership_config config)
{
	struct ownership_actions actions = {0};

	ownership_configure(&pool.ownership, &config, pool.now, &actions);
	pool_take_in(&pool, &actions);
}

START_TEST(test_move_hosts_pulls_releases_then_orders)
{
	struct epoch before = pool.ownership.epoch, next;

	pool.obedient = false;
	ck_assert_int_eq(pool_move(&pool, GW_C, &err), 0);
	next = pool.last.next;
	ck_assert_int_gt(epoch_compare(&next, &before), 0);
	ck_assert_uint_eq(pool.hosts, 1);
	ck_assert_int_eq(epoch_compare(&pool.last.epoch, &before), 0);
	ck_assert_str_eq(pool.last.owner, "gw-a");
	ck_assert_str_eq(pool.last.guest, "gw-c");
	pool.members[GW_A].seat.role = SEAT_HOSTING;
	pool_say(&pool, GW_A);
	ck_assert_int_eq(pool.ownership.step, OWNERSHIP_STEP_PULL);
	pool.members[GW_C].seat.role = SEAT_GUEST;
	pool_pass(&pool, OWNERSHIP_HOST_MS + 1000);
	ck_assert_uint_eq(pool.releases, 0);
	pool.members[GW_C].seat.role = SEAT_PULLED;
	pool_say(&pool, GW_C);
	ck_assert_uint_eq(pool.releases, 1);
	ck_assert_int_eq(epoch_compare(&pool.last.epoch, &before), 0);
	ck_assert_str_eq(pool.last.owner, "");
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_MOVING);
	pool_pass(&pool, 100);
	ck_assert_uint_eq(pool.orders, 0);
	pool.members[GW_A].seat.role = SEAT_RELAYING;
	pool.members[GW_A].seat.released = before;
	pool_say(&pool, GW_A);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-c");
	ck_assert_str_eq(pool.last.from, "gw-a");
	ck_assert_str_eq(pool.last.cause, "move");
	ck_assert_uint_eq(pool.last.detect_ms, 0);
	ck_assert_int_eq(epoch_compare(&pool.last.epoch, &next), 0); /* what its guest was promised */
	pool_serve(&pool, GW_C, pool.last.epoch);
	pool_say(&pool, GW_C);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
}
END_TEST

/* A controller that has just started knows the owner by its beats; its sessions come with its first report. */
START_TEST(test_nothing_is_moved_away_from_an_owner_that_has_not_reported)
{
	pool.obedient = false;
	pool.ownership.members[GW_A].fit_known = false;
	ck_assert_int_eq(pool_move(&pool, GW_C, &err), -EBUSY);
	ck_assert(strstr(err.text, "gw-a") && strstr(err.text, "has not reported yet"));
	drain(GW_A);
	ck_assert_uint_eq(pool.hosts, 0);
	pool_say(&pool, GW_A);
	ck_assert_uint_eq(pool.hosts, 1);
	ck_assert_str_eq(pool.last.owner, "gw-a");
}
END_TEST

START_TEST(test_owner_that_cannot_host_releases)
{
	pool.obedient = false;
	ck_assert_int_eq(pool_move(&pool, GW_C, &err), 0);
	pool.events = 0;
	pool_pass(&pool, OWNERSHIP_HOST_MS - 1);
	ck_assert_uint_eq(pool.releases, 0);
	pool_pass(&pool, 1);
	ck_assert_uint_eq(pool.releases, 1);
	ck_assert_uint_eq(pool.events, 1); /* why packets may be lost */
	ck_assert_str_eq(pool.last.owner, "");
}
END_TEST

START_TEST(test_guest_that_does_not_pull_moves_nevertheless)
{
	pool.obedient = false;
	ck_assert_int_eq(pool_move(&pool, GW_C, &err), 0);
	pool.members[GW_A].seat.role = SEAT_HOSTING;
	pool_say(&pool, GW_A);
	pool_pass(&pool, OWNERSHIP_PULL_MS - 1);
	ck_assert_uint_eq(pool.releases, 0);
	pool_pass(&pool, 1);
	ck_assert_uint_eq(pool.releases, 1);
	ck_assert_uint_eq(pool.orders, 0);
}
END_TEST

START_TEST(test_guest_that_dies_calls_it_off)
{
	struct epoch promised;

	pool.obedient = false;
	ck_assert_int_eq(pool_move(&pool, GW_C, &err), 0);
	promised = pool.last.next;
	pool.members[GW_A].seat.role = SEAT_HOSTING;
	pool_say(&pool, GW_A);
	pool_verdict(&pool, GW_C, VERDICT_DEAD);
	ck_assert_uint_eq(pool.releases, 0);
	ck_assert_str_eq(pool.last.owner, "gw-a");
	ck_assert_str_eq(pool.last.guest, "");
	ck_assert_int_gt(
		epoch_compare(&pool.last.epoch, &promised), 0); /* under which it may be serving already */
}
END_TEST

START_TEST(test_host_that_dies_leaves_it_to_its_guest)
{
	pool.obedient = false;
	ck_assert_int_eq(pool_move(&pool, GW_C, &err), 0); /* gw-b would be the next by preference */
	pool.members[GW_A].seat.role = SEAT_HOSTING;
	pool.members[GW_C].seat.role = SEAT_GUEST;
	pool_say(&pool, GW_A);
	pool_say(&pool, GW_C);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-c");
	ck_assert_str_eq(pool.last.cause, "host-dead");
}
END_TEST

START_TEST(test_move_is_refused_with_a_sentence)
{
	ck_assert_int_eq(pool_move(&pool, GW_A, &err), -EALREADY);
	ck_assert_str_eq(err.text, "vpn is on gw-a already");
	pool.members[GW_B].fit = false;
	pool_say(&pool, GW_B);
	ck_assert_int_eq(pool_move(&pool, GW_B, &err), -ENOTSUP);
	ck_assert_str_eq(err.text, "gw-b could not serve: the test says so");
	pool_verdict(&pool, GW_C, VERDICT_DEAD);
	ck_assert_int_eq(pool_move(&pool, GW_C, &err), -EHOSTDOWN);
	ck_assert_str_eq(err.text, "gw-c is dead");
	ck_assert_int_eq(pool_move(&pool, POOL, &err), -ENOENT);
	ck_assert_uint_eq(pool.orders + pool.releases, 0);
	setup();
	drain(GW_B);
	ck_assert_int_eq(pool_move(&pool, GW_B, &err), -ENOTSUP);
	ck_assert_str_eq(err.text, "gw-b is drained");
	pool.obedient = false;
	ck_assert_int_eq(pool_move(&pool, GW_C, &err), 0);
	ck_assert_int_eq(pool_move(&pool, GW_C, &err), -EBUSY);
	ck_assert_str_eq(err.text, "vpn is moving to gw-c already");
}
END_TEST

START_TEST(test_owner_that_dies_while_it_moves)
{
	pool.obedient = false;
	pool_move(&pool, GW_C, &err);
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-c");
	ck_assert_str_eq(pool.last.cause, "host-dead");
}
END_TEST

START_TEST(test_target_that_dies_while_it_moves_leaves_it_with_the_owner)
{
	struct epoch before = pool.ownership.epoch;

	pool.obedient = false;
	pool_move(&pool, GW_C, &err);
	pool_verdict(&pool, GW_C, VERDICT_DEAD);
	ck_assert_str_eq(pool.last.owner, "gw-a");
	ck_assert_int_gt(epoch_compare(&pool.last.epoch, &before), 0);
}
END_TEST

START_TEST(test_owner_that_does_not_release_keeps_it)
{
	pool.obedient = false;
	pool_move(&pool, GW_C, &err);
	pool_pass(&pool, OWNERSHIP_HOST_MS + OWNERSHIP_RELEASE_MS - 1);
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 1);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-a");
}
END_TEST

/* The order is late, and the guest has taken what it was promised: that is the end of the move, too. */
START_TEST(test_guest_that_serves_by_itself_has_it)
{
	pool.obedient = false;
	ck_assert_int_eq(pool_move(&pool, GW_C, &err), 0);
	pool_serve(&pool, GW_C, pool.last.next);
	pool_stand_by(&pool, GW_A);
	pool.members[GW_A].seat.released = pool.ownership.epoch;
	pool_say(&pool, GW_C);
	pool_say(&pool, GW_A);
	pool_pass(&pool, 100);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
	ck_assert_int_eq(epoch_compare(&pool.ownership.epoch, &pool.members[GW_C].seat.epoch), 0);
}
END_TEST

START_TEST(test_target_that_dies_after_the_release_is_replaced)
{
	pool.obedient = false;
	pool_move(&pool, GW_C, &err);
	pool_pass(&pool, OWNERSHIP_HOST_MS);
	pool_verdict(&pool, GW_C, VERDICT_SUSPECT);
	pool_stand_by(&pool, GW_A);
	pool.members[GW_A].seat.released = pool.ownership.epoch;
	pool_say(&pool, GW_A);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-a");
}
END_TEST

START_TEST(test_drain_empties_and_keeps_empty)
{
	drain(GW_A);
	ck_assert_str_eq(pool.last.cause, "drain");
	pool_pass(&pool, 200);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	pool_verdict(&pool, GW_B, VERDICT_DEAD);
	pool_pass(&pool, 100);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
	pool_verdict(&pool, GW_C, VERDICT_DEAD);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_ORPHAN);
	resume(GW_A);
	pool_pass(&pool, 100);
	ck_assert_uint_eq(pool.ownership.owner, GW_A);
}
END_TEST

START_TEST(test_drain_waits_for_somebody_who_can)
{
	pool.members[GW_B].fit = pool.members[GW_C].fit = false;
	pool_pass(&pool, 50);
	drain(GW_A);
	ck_assert_uint_eq(pool.releases, 0);
	ck_assert_uint_eq(pool.events, 2);
	pool_pass(&pool, 3000);
	ck_assert_uint_eq(pool.releases, 0);
	pool.members[GW_C].fit = true;
	pool_pass(&pool, 300);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
}
END_TEST

START_TEST(test_resume_moves_nothing)
{
	drain(GW_A);
	pool_pass(&pool, 300);
	pool.orders = 0;
	resume(GW_A);
	pool_pass(&pool, 60000);
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
}
END_TEST

START_TEST(test_owner_whose_host_goes_down_is_relieved)
{
	pool.members[GW_A].leaving = true;
	pool_say(&pool, GW_A);
	ck_assert_uint_eq(pool.hosts, 1);
	ck_assert_str_eq(pool.last.cause, "leaving");
	pool_pass(&pool, 200);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	ck_assert_uint_eq(pool.alarms, 0);
	ck_assert(!ownership_can_take(&pool.ownership, GW_A, pool.now, &err));
	ck_assert_str_eq(err.text, "gw-a is about to go down");
}
END_TEST

START_TEST(test_who_leaves_gets_nothing_in_this_life_of_its_host)
{
	pool.members[GW_B].leaving = true;
	pool_pass(&pool, 50);
	ck_assert_uint_eq(pool.hosts, 0); /* it owns nothing */
	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 100);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
	pool_verdict(&pool, GW_B, VERDICT_DEAD);
	pool.members[GW_B].leaving = false;
	pool_return(&pool, GW_B);
	ck_assert(ownership_can_take(&pool.ownership, GW_B, pool.now, &err));
	pool_pass(&pool, 3000);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
}
END_TEST

START_TEST(test_who_leaves_waits_for_somebody_who_can)
{
	pool.members[GW_B].leaving = pool.members[GW_C].leaving = true;
	pool_pass(&pool, 50);
	pool.events = 0;
	pool.members[GW_A].leaving = true;
	pool_say(&pool, GW_A);
	ck_assert_uint_eq(pool.hosts, 0);
	ck_assert_uint_eq(pool.events, 2);
	pool_pass(&pool, 1000);
	ck_assert_uint_eq(pool.hosts, 0);
	ck_assert_uint_eq(pool.events, 2);  /* told once */
	pool.members[GW_C].leaving = false; /* called off there */
	pool_pass(&pool, 200);
	ck_assert_uint_eq(pool.ownership.owner, GW_C);
}
END_TEST

START_TEST(test_host_that_stays_up_after_all_keeps_it)
{
	pool.members[GW_B].fit = pool.members[GW_C].fit = false;
	pool_pass(&pool, 50);
	pool.members[GW_A].leaving = true;
	pool_pass(&pool, 500);
	pool.members[GW_A].leaving = false;
	pool_pass(&pool, 50);
	pool.members[GW_B].fit = true;
	pool_pass(&pool, 1000);
	ck_assert_uint_eq(pool.hosts, 0);
	ck_assert_uint_eq(pool.ownership.owner, GW_A);
}
END_TEST

START_TEST(test_unfit_owner_moves_when_another_is_fit)
{
	pool.members[GW_A].fit = false;
	pool_say(&pool, GW_A);
	ck_assert_uint_eq(pool.hosts, 1);
	pool_pass(&pool, 200);
	ck_assert_uint_eq(pool.releases, 1);
	ck_assert_uint_eq(pool.ownership.owner, GW_B);
	ck_assert_str_eq(pool.ownership.cause, "unfit");
}
END_TEST

START_TEST(test_unfit_owner_stays_when_nobody_is_better)
{
	for (size_t i = POOL; i-- > 0;) {
		pool.members[i].fit = false;
		pool_say(&pool, i);
	}
	pool_pass(&pool, 5000);
	ck_assert_uint_eq(pool.orders + pool.releases, 0);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
}
END_TEST

START_TEST(test_preempts_only_if_told_and_after_its_time)
{
	struct ownership_config config = pool.ownership.config;

	pool_verdict(&pool, GW_A, VERDICT_DEAD);
	pool_pass(&pool, 100);
	pool.members[GW_A].seat = (struct seat_state){0};
	config.preempt_ms = 30000;
	configure(config);
	pool_return(&pool, GW_A);
	pool_pass(&pool, 29999);
	ck_assert_uint_eq(pool.releases, 0);
	pool_pass(&pool, 300);
	ck_assert_uint_eq(pool.releases, 1);
	pool_pass(&pool, 300);
	ck_assert_uint_eq(pool.ownership.owner, GW_A);
	ck_assert_str_eq(pool.ownership.cause, "preempt");
}
END_TEST

START_TEST(test_members_keep_what_is_known_in_a_new_order)
{
	struct ownership_config config = pool.ownership.config;

	strcpy(config.members[0], "gw-b");
	strcpy(config.members[1], "gw-a");
	config.member_count = 2;
	configure(config);
	ck_assert_uint_eq(pool.ownership.owner, 1);
	ck_assert_str_eq(pool.ownership.members[1].name, "gw-a");
	ck_assert_int_eq(pool.ownership.members[1].seat.role, SEAT_SERVING);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_STABLE);
	ck_assert_uint_eq(pool.orders + pool.releases, 0);
}
END_TEST

START_TEST(test_owner_that_leaves_the_pool_releases)
{
	struct ownership_config config = pool.ownership.config;

	strcpy(config.members[0], "gw-b");
	strcpy(config.members[1], "gw-c");
	config.member_count = 2;
	pool.obedient = false;
	configure(config);
	ck_assert_uint_eq(pool.releases, 1);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
}
END_TEST

/* gw-a is no member any more: gw-b and gw-c remain, with the numbers that they have from then on. */
static void remove_gw_a(void)
{
	struct ownership_config config = pool.ownership.config;

	strcpy(config.members[0], "gw-b");
	strcpy(config.members[1], "gw-c");
	config.member_count = 2;
	configure(config);
	pool.members[0] = pool.members[1];
	pool.members[1] = pool.members[2];
	pool.members[2].alive = false;
}

START_TEST(test_owner_that_leaves_unreached_keeps_its_lease)
{
	int64_t silent_ms = pool.now;

	pool_verdict(&pool, GW_A, VERDICT_AGENT_DOWN);
	remove_gw_a();
	ck_assert_uint_eq(pool.orders, 0);
	ck_assert_uint_eq(pool.releases, 1);
	ck_assert_int_eq(pool.ownership.phase, OWNERSHIP_ORPHAN);
	ck_assert_ptr_nonnull(strstr(pool.ownership.why, "gw-a has left the pool"));
	ck_assert_int_eq(pool_move(&pool, 1, &err), -EBUSY);
	pool_pass(&pool, silent_ms + 3030 + 100 - 1 - pool.now);
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 2);
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	ck_assert_str_eq(pool.last.cause, "left-pool");
	ck_assert_int_eq(pool_move(&pool, 1, &err), 0);
}
END_TEST

START_TEST(test_silent_owner_that_leaves_keeps_its_lease)
{
	pool.members[GW_A].alive = false;
	pool_pass(&pool, OWNERSHIP_SPOKEN_MS + 50);
	remove_gw_a();
	ck_assert_uint_eq(pool.orders, 0);
	pool_pass(&pool, 3130);
	ck_assert_uint_eq(pool.orders, 1);
}
END_TEST

START_TEST(test_dead_owner_that_leaves_is_followed_at_once)
{
	pool.ownership.members[GW_A].verdict = VERDICT_DEAD;
	pool.members[GW_A].alive = false;
	remove_gw_a();
	ck_assert_uint_eq(pool.orders, 1);
	ck_assert_str_eq(pool.last.owner, "gw-b");
}
END_TEST

START_TEST(test_taker_that_leaves_unreached_may_have_taken_it)
{
	pool.obedient = false;
	ck_assert_int_eq(pool_move(&pool, GW_B, &err), 0);
	pool_stand_by(&pool, GW_A);
	pool.members[GW_A].seat.released = pool.ownership.epoch;
	pool_say(&pool, GW_A);
	ck_assert_str_eq(pool.last.owner, "gw-b");
	pool.members[GW_B].alive = false;
	pool.ownership.members[GW_B].verdict = VERDICT_SUSPECT;

	struct ownership_config config = pool.ownership.config;
	strcpy(config.members[1], "gw-c");
	config.member_count = 2;
	configure(config);
	ck_assert_uint_eq(pool.orders, 1);
	pool.members[1] = pool.members[2];
	pool.members[2].alive = false;
	pool_pass(&pool, 3000);
	ck_assert_uint_eq(pool.orders, 1);
	pool_pass(&pool, 131);
	ck_assert_uint_eq(pool.orders, 2);
	ck_assert_str_eq(pool.last.owner, "gw-a");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("planned");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_move_hosts_pulls_releases_then_orders);
	tcase_add_test(all, test_nothing_is_moved_away_from_an_owner_that_has_not_reported);
	tcase_add_test(all, test_owner_that_cannot_host_releases);
	tcase_add_test(all, test_guest_that_does_not_pull_moves_nevertheless);
	tcase_add_test(all, test_guest_that_dies_calls_it_off);
	tcase_add_test(all, test_host_that_dies_leaves_it_to_its_guest);
	tcase_add_test(all, test_move_is_refused_with_a_sentence);
	tcase_add_test(all, test_owner_that_dies_while_it_moves);
	tcase_add_test(all, test_target_that_dies_while_it_moves_leaves_it_with_the_owner);
	tcase_add_test(all, test_owner_that_does_not_release_keeps_it);
	tcase_add_test(all, test_guest_that_serves_by_itself_has_it);
	tcase_add_test(all, test_target_that_dies_after_the_release_is_replaced);
	tcase_add_test(all, test_drain_empties_and_keeps_empty);
	tcase_add_test(all, test_drain_waits_for_somebody_who_can);
	tcase_add_test(all, test_resume_moves_nothing);
	tcase_add_test(all, test_owner_whose_host_goes_down_is_relieved);
	tcase_add_test(all, test_who_leaves_gets_nothing_in_this_life_of_its_host);
	tcase_add_test(all, test_who_leaves_waits_for_somebody_who_can);
	tcase_add_test(all, test_host_that_stays_up_after_all_keeps_it);
	tcase_add_test(all, test_unfit_owner_moves_when_another_is_fit);
	tcase_add_test(all, test_unfit_owner_stays_when_nobody_is_better);
	tcase_add_test(all, test_preempts_only_if_told_and_after_its_time);
	tcase_add_test(all, test_members_keep_what_is_known_in_a_new_order);
	tcase_add_test(all, test_owner_that_leaves_the_pool_releases);
	tcase_add_test(all, test_owner_that_leaves_unreached_keeps_its_lease);
	tcase_add_test(all, test_silent_owner_that_leaves_keeps_its_lease);
	tcase_add_test(all, test_dead_owner_that_leaves_is_followed_at_once);
	tcase_add_test(all, test_taker_that_leaves_unreached_may_have_taken_it);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
