/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <string.h>

#include "tests/unit/holder/world.h"

/* Of two gateways that may serve a tunnel, the one that does not hears of the other's probes. */

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

static void check_has(const char *name)
{
	ck_assert_str_eq(world_has(&world, LAN), name);
}

static void make_pair(const char *probe_of_a, const char *probe_of_b)
{
	struct desired_peer *a = world_add(&world, "wg0", "a"), *b = world_add(&world, "wg0", "b");

	world_own(a, "10.50.0.8/32");
	world_share(a, LAN, 200, probe_of_a, 254);
	world_own(b, "10.50.0.9/32");
	world_share(b, LAN, 100, probe_of_b, 254);
	world_start(&world);
	world_run(&world, 3000);
}

/* a's probe, of a gateway that serves them. */
static void hear(bool unanswered)
{
	struct unanswered item = {.tunnel = "wg0", .public_key = world.desired->peers[0].public_key};
	struct unanswered_news news = {
		.tunnel_count = 1, .tunnels = {"wg0"}, .count = unanswered, .items = &item};

	ck_assert_int_eq(prefix_parse(LAN, &item.prefix, NULL), 0);
	holder_hear(world.holder, &news, world.now_ms);
}

static void set_served(bool served)
{
	world_peer(&world, "a")->served = world_peer(&world, "b")->served = served;
}

static bool is_unanswered(size_t claim)
{
	return holder_is_unanswered(world.holder, &world.holder->claims[claim]);
}

/* By handshakes a lives, since it goes on making them. */
START_TEST(a_standby_goes_by_what_it_hears)
{
	make_pair(_i ? "10.50.0.8" : "192.168.77.1", "10.50.0.9");
	set_served(false);
	world_run(&world, 2000);
	hear(true);
	world_until(&world, LAN, "b", 1005);
	world_run(&world, 600000);
	check_has("b");
	ck_assert_uint_eq(world.holder->moves, 1);
	hear(false);
	ck_assert_int_ge(world_until(&world, LAN, "a", 10000), HOLDER_SETTLE_MS);
}
END_TEST

START_TEST(who_takes_over_goes_on_with_what_it_has_heard)
{
	make_pair(_i ? "10.50.0.8" : "192.168.77.1", "10.50.0.9");
	set_served(false);
	world_run(&world, 2000);
	world_kill(&world, "a");
	hear(true);
	world_until(&world, LAN, "b", 1005);
	ck_assert(!is_unanswered(0)); /* it has asked nobody */
	set_served(true);
	world_run(&world, 60000);
	check_has("b");
	ck_assert_uint_eq(world.holder->moves, 1); /* not even to try */
	ck_assert(is_unanswered(0) && !is_unanswered(1));
	world_revive(&world, "a");
	ck_assert_int_le(world_until(&world, LAN, "a", 20000), HOLDER_SETTLE_MS + 2005);
	world_run(&world, 1000);
	ck_assert(!is_unanswered(0));
}
END_TEST

/* Its network is, its WireGuard is not, and goes on making handshakes. */
START_TEST(who_takes_over_does_not_believe_handshakes_that_it_heard_of)
{
	make_pair("192.168.77.1", "10.50.0.9");
	set_served(false);
	world_run(&world, 2000);
	world_peer(&world, "a")->network_up = false;
	hear(true);
	world_until(&world, LAN, "b", 1005);
	world_run(&world, 300000);
	set_served(true);
	world_run(&world, HOLDER_RETRY_MS);
	check_has("b");
	ck_assert_uint_eq(world.holder->moves, 1);
}
END_TEST

static void set_paused(bool paused)
{
	for (size_t i = 0; i < 2; i++)
		holder_pause(world.holder, i, paused);
}

/* Its answers come to the next owner. */
START_TEST(a_tunnel_that_is_moved_away_is_not_judged)
{
	make_pair(_i ? "10.50.0.8" : "192.168.77.1", "10.50.0.9");
	world_kill(&world, "a");
	world_run(&world, 700); /* one is missing already */
	set_paused(true);
	world_run(&world, 10000);
	check_has("a");
	ck_assert(!is_unanswered(0));
	ck_assert_int_gt(holder_deadline(world.holder, world.now_ms), world.now_ms);
	set_paused(false);
	ck_assert_int_gt(world_until(&world, LAN, "b", 3000), 1000); /* as if it had just begun */
}
END_TEST

START_TEST(what_is_told_changes_when_it_is_told)
{
	uint64_t verdicts;

	make_pair("192.168.77.1", "10.50.0.9");
	verdicts = world.holder->verdicts;
	world_kill(&world, "a");
	world_until(&world, LAN, "b", 10000);
	ck_assert_uint_eq(world.holder->verdicts, verdicts + 1);
	ck_assert(is_unanswered(0));
	world_run(&world, 60000);
	ck_assert_uint_eq(world.holder->verdicts, verdicts + 1);
	world_revive(&world, "a");
	world_until(&world, LAN, "a", 20000);
	world_run(&world, 1000);
	ck_assert_uint_eq(world.holder->verdicts, verdicts + 2);
	ck_assert(!is_unanswered(0));
}
END_TEST

/* Nobody is told of his own questions, nor of tunnels that are not named, nor of who is not there. */
START_TEST(what_does_not_concern_it_changes_nothing)
{
	struct unanswered item = {.tunnel = "wg1", .public_key = {{77}}};
	struct unanswered_news of_another = {
		.tunnel_count = 1, .tunnels = {"wg1"}, .count = 1, .items = &item};

	make_pair("192.168.77.1", "10.50.0.9");
	hear(true);
	world_run(&world, 5000);
	check_has("a");
	set_served(false);
	world_run(&world, 2000);
	hear(true);
	world_run(&world, 2000);
	check_has("b");
	holder_hear(world.holder, &of_another, world.now_ms);
	world_run(&world, 10000);
	check_has("b");
	ck_assert_uint_eq(world.holder->moves, 1);
}
END_TEST

/* One that served until now is a standby of who knows better. */
START_TEST(who_served_before_forgets_what_it_found)
{
	make_pair("10.50.0.8", "10.50.0.9");
	world_kill(&world, "a");
	world_until(&world, LAN, "b", 10000);
	set_served(false);
	world_run(&world, 2000);
	check_has("b");
	hear(false);
	world_until(&world, LAN, "a", HOLDER_SETTLE_MS + 1005);
}
END_TEST

START_TEST(it_says_whose_word_that_is)
{
	struct text text = {0};

	make_pair("192.168.77.1", "10.50.0.9");
	set_served(false);
	world_run(&world, 2000);
	hear(true);
	holder_say_state(world.holder, 0, world.now_ms, &text);
	ck_assert_str_eq(
		text.data, "does not answer the probe of 192.168.77.1 from the gateway that serves it");
	text_clear(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("holder");
	TCase *tcase = tcase_create("by what is heard");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_standby_goes_by_what_it_hears, 0, 2);
	tcase_add_loop_test(tcase, who_takes_over_goes_on_with_what_it_has_heard, 0, 2);
	tcase_add_test(tcase, who_takes_over_does_not_believe_handshakes_that_it_heard_of);
	tcase_add_loop_test(tcase, a_tunnel_that_is_moved_away_is_not_judged, 0, 2);
	tcase_add_test(tcase, what_is_told_changes_when_it_is_told);
	tcase_add_test(tcase, what_does_not_concern_it_changes_nothing);
	tcase_add_test(tcase, who_served_before_forgets_what_it_found);
	tcase_add_test(tcase, it_says_whose_word_that_is);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
