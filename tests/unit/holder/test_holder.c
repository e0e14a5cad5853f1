/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/holder/world.h"

/* By handshakes alone. */

#define LAN "192.168.77.0/24"

static struct world world;

static void setup(void)
{
	world_begin(&world);
}

static void teardown(void)
{
	world_end(&world);
}

static void check_has(const char *prefix, const char *name)
{
	ck_assert_str_eq(world_has(&world, prefix), name);
}

static void make_pair(void)
{
	struct desired_peer *a = world_add(&world, "wg0", "a"), *b = world_add(&world, "wg0", "b");

	world_own(a, "10.50.0.8/32");
	world_share(a, LAN, 200, NULL, 254);
	world_own(b, "10.50.0.9/32");
	world_share(b, LAN, 100, NULL, 254);
	world_start(&world);
}

START_TEST(the_highest_priority_has_it)
{
	make_pair();
	check_has(LAN, "a");
	world_run(&world, 600000);
	check_has(LAN, "a");
	check_has("10.50.0.8/32", "a");
	check_has("10.50.0.9/32", "b");
	ck_assert_uint_eq(world.holder->moves, 0);
}
END_TEST

START_TEST(a_dead_one_loses_it_and_gets_it_back)
{
	int64_t took_ms;

	make_pair();
	world_run(&world, 5000);
	world_kill(&world, "a");
	took_ms = world_until(&world, LAN, "b", 300000);
	ck_assert_int_gt(took_ms, HOLDER_LIFE_MS - 6000);
	ck_assert_int_le(took_ms, HOLDER_LIFE_MS);
	check_has("10.50.0.8/32", "a");
	world_run(&world, 5000);
	world_revive(&world, "a");
	took_ms = world_until(&world, LAN, "a", 10000);
	ck_assert_int_ge(took_ms, HOLDER_SETTLE_MS);
	ck_assert_int_le(took_ms, HOLDER_SETTLE_MS + 1100);
	ck_assert_str_eq(world.said.data,
		"190.0 peer b of wg0 has " LAN ": a made no handshake for 190 s\n"
		"198.0 peer a of wg0 has " LAN ": it lives again, and is preferred to b\n");
}
END_TEST

START_TEST(while_none_lives_nothing_moves)
{
	make_pair();
	world_kill(&world, "a");
	world_kill(&world, "b");
	world_run(&world, 400000);
	check_has(LAN, "a");
	world_revive(&world, "b");
	ck_assert_int_le(world_until(&world, LAN, "b", 10000), 1000);
}
END_TEST

START_TEST(one_that_dies_while_it_waits_does_not_get_it)
{
	make_pair();
	world_kill(&world, "a");
	world_until(&world, LAN, "b", 300000);
	world_revive(&world, "a");
	world_run(&world, 2000);
	world_kill(&world, "b");
	/* b is dead to nobody yet, and a has it in time. */
	ck_assert_int_le(world_until(&world, LAN, "a", 10000), 3000);
}
END_TEST

START_TEST(what_is_around_it_takes_its_place)
{
	struct desired_peer *hub = world_add(&world, "wg0", "hub"), *a = world_add(&world, "wg0", "narrow");

	world_share(hub, "192.168.0.0/16", 100, NULL, 254);
	world_share(a, LAN, 100, NULL, 254);
	world_start(&world);
	check_has(LAN, "narrow");
	world_kill(&world, "narrow");
	world_until(&world, LAN, "hub", 300000);
	check_has("192.168.0.0/16", "hub");
	world_revive(&world, "narrow");
	world_until(&world, LAN, "narrow", 10000);
	world_kill(&world, "hub");
	world_run(&world, 400000);
	check_has("192.168.0.0/16", "hub");
	check_has(LAN, "narrow");
}
END_TEST

START_TEST(equals_come_before_what_is_around_from_the_inside_out)
{
	struct desired_peer *outer = world_add(&world, "wg0", "outer"),
			    *inner = world_add(&world, "wg0", "inner"), *a = world_add(&world, "wg0", "a"),
			    *b = world_add(&world, "wg0", "b");

	world_share(outer, "192.0.0.0/8", 900, NULL, 254);
	world_share(inner, "192.168.0.0/16", 1, NULL, 254);
	world_share(a, LAN, 2, NULL, 254);
	world_share(b, LAN, 3, NULL, 254);
	world_start(&world);
	check_has(LAN, "b");
	world_kill(&world, "b");
	world_until(&world, LAN, "a", 300000);
	world_kill(&world, "a");
	world_until(&world, LAN, "inner", 300000);
	world_kill(&world, "inner");
	world_until(&world, LAN, "outer", 300000);
	check_has("192.168.0.0/16", "outer");
	world_revive(&world, "a");
	world_until(&world, LAN, "a", 10000);
	check_has("192.168.0.0/16", "outer");
}
END_TEST

START_TEST(it_moves_to_another_tunnel_only_within_one_table)
{
	struct desired_peer *a = world_add(&world, "wg0", "a"), *b = world_add(&world, "wg0", "b"),
			    *c = world_add(&world, "wg1", "c"), *d = world_add(&world, "wg2", "d");

	world_share(a, LAN, 4, NULL, 254);
	world_share(b, LAN, 3, NULL, 254);
	world_share(c, LAN, 2, NULL, 254);
	world_share(d, LAN, 1, NULL, 0);
	world_start(&world);
	check_has(LAN, "a+d");
	world_kill(&world, "a");
	world_kill(&world, "b");
	world_until(&world, LAN, "c+d", 300000);
	world_kill(&world, "c");
	world_run(&world, 400000);
	check_has(LAN, "c+d");
}
END_TEST

START_TEST(a_metric_of_its_own_is_a_route_of_its_own)
{
	struct desired_peer *a = world_add(&world, "wg0", "a"), *hub = world_add(&world, "wg0", "hub"),
			    *b = world_add(&world, "wg1", "b"), *c = world_add(&world, "wg1", "c");

	world_share(a, LAN, 100, NULL, 254);
	world_share(hub, "192.168.0.0/16", 1, NULL, 254);
	world_share(b, LAN, 100, NULL, 254);
	b->route_metric = 50;
	world_share(c, "192.168.0.0/16", 100, NULL, 254);
	world_start(&world);
	check_has(LAN, "a+b");
	world_kill(&world, "a");
	/* c is preferred to the hub, but b has it in that tunnel. */
	world_until(&world, LAN, "hub+b", 300000);
}
END_TEST

START_TEST(peers_that_another_gateway_serves_do_not_count)
{
	struct desired_peer *a = world_add(&world, "wg0", "a"), *b = world_add(&world, "wg1", "b");

	world_share(a, LAN, 200, NULL, 254);
	world_share(b, LAN, 100, NULL, 254);
	world_start(&world);
	world_run(&world, 2000);
	check_has(LAN, "a");
	world_peer(&world, "a")->served = false;
	ck_assert_int_le(world_until(&world, LAN, "b", 10000), 1000);
	ck_assert_ptr_nonnull(strstr(world.said.data, "a is of wg0, which another gateway serves\n"));
	world_kill(&world, "b");
	world_run(&world, 400000);
	check_has(LAN, "b");
	world_peer(&world, "a")->served = true;
	ck_assert_int_le(world_until(&world, LAN, "a", 10000), 5000);
}
END_TEST

/* A standby knows of handshakes by hearsay: it has them as the owner has, before it takes over. */
START_TEST(a_standby_follows)
{
	make_pair();
	world_peer(&world, "a")->served = world_peer(&world, "b")->served = false;
	world_run(&world, 2000);
	world_kill(&world, "a");
	world_until(&world, LAN, "b", 300000);
	world_peer(&world, "a")->served = world_peer(&world, "b")->served = true;
	world_run(&world, 10000);
	check_has(LAN, "b");
}
END_TEST

/* The first device is read before the second. */
START_TEST(of_whom_nothing_is_known_yet_nothing_is_taken)
{
	struct desired_peer *a = world_add(&world, "wg0", "a"), *b = world_add(&world, "wg1", "b");

	world_share(a, LAN, 200, NULL, 254);
	world_share(b, LAN, 100, NULL, 254);
	world_start(&world);
	world_peer(&world, "a")->looked_at = false;
	world_run(&world, 5000);
	check_has(LAN, "a");
	world_kill(&world, "a");
	world_peer(&world, "a")->handshake_ms = HOLDER_NEVER;
	world_peer(&world, "a")->looked_at = true;
	ck_assert_int_le(world_until(&world, LAN, "b", 10000), 1000);
}
END_TEST

static bool is_with_b(const struct desired_peer *peer, const struct prefix *prefix, void *context)
{
	(void)prefix;
	(void)context;
	return !strcmp(peer->name, "b");
}

START_TEST(a_new_agent_moves_nothing_that_lives)
{
	make_pair();
	holder_adopt(world.holder, is_with_b, NULL, world.now_ms);
	check_has(LAN, "b");
	world_run(&world, HOLDER_SETTLE_MS - 1000);
	check_has(LAN, "b");
	world_until(&world, LAN, "a", 10000);
}
END_TEST

START_TEST(the_next_generation_goes_on_with_it)
{
	struct holder *before;
	struct desired *old, *next;

	make_pair();
	world_kill(&world, "a");
	world_until(&world, LAN, "b", 300000);
	next = desired_copy(world.desired);
	next->peers[0].allowed_ip_count--; /* a lays no claim to its own address any more */
	memmove(next->peers[0].allowed_ips, next->peers[0].allowed_ips + 1, sizeof(struct prefix));
	before = world.holder;
	old = world.desired;
	world.holder = holder_new(next, before, 1, world.now_ms);
	world.desired = next;
	holder_free(before);
	desired_free(old);
	check_has(LAN, "b");
	check_has("10.50.0.8/32", "");
	ck_assert_uint_eq(world.holder->moves, 1);
	world_revive(&world, "a");
	world_until(&world, LAN, "a", 10000);
}
END_TEST

START_TEST(peers_without_claims_have_what_is_theirs)
{
	struct desired_peer *a = world_add(&world, "wg0", "a");
	size_t count;

	world_own(a, "10.50.0.8/32");
	world_start(&world);
	ck_assert_ptr_eq(holder_allowed_ips(world.holder, a, &count), a->allowed_ips);
	ck_assert_ptr_eq(holder_allowed_ips(NULL, a, &count), a->allowed_ips);
	ck_assert_uint_eq(count, 1);
	world_run(&world, 5000);
	ck_assert_int_eq(holder_deadline(world.holder, world.now_ms), INT64_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("holder");
	TCase *tcase = tcase_create("by handshakes");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_highest_priority_has_it);
	tcase_add_test(tcase, a_dead_one_loses_it_and_gets_it_back);
	tcase_add_test(tcase, while_none_lives_nothing_moves);
	tcase_add_test(tcase, one_that_dies_while_it_waits_does_not_get_it);
	tcase_add_test(tcase, what_is_around_it_takes_its_place);
	tcase_add_test(tcase, equals_come_before_what_is_around_from_the_inside_out);
	tcase_add_test(tcase, it_moves_to_another_tunnel_only_within_one_table);
	tcase_add_test(tcase, a_metric_of_its_own_is_a_route_of_its_own);
	tcase_add_test(tcase, peers_that_another_gateway_serves_do_not_count);
	tcase_add_test(tcase, a_standby_follows);
	tcase_add_test(tcase, of_whom_nothing_is_known_yet_nothing_is_taken);
	tcase_add_test(tcase, a_new_agent_moves_nothing_that_lives);
	tcase_add_test(tcase, the_next_generation_goes_on_with_it);
	tcase_add_test(tcase, peers_without_claims_have_what_is_theirs);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
