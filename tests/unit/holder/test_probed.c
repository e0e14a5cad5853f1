/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/holder/world.h"

/* By probes through the tunnel. */

#define LAN "192.168.77.0/24"

enum { DETECTION_MS = HOLDER_PROBE_EVERY_MS + HOLDER_PROBE_FALL * HOLDER_PROBE_TIMEOUT_MS };

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

START_TEST(a_dead_one_loses_it_within_the_detection)
{
	make_pair("192.168.77.1", NULL);
	world_run(&world, _i * 70); /* at any moment between two probes */
	world_kill(&world, "a");
	ck_assert_int_le(world_until(&world, LAN, "b", 10000), DETECTION_MS + 5);
	ck_assert_ptr_nonnull(strstr(world.said.data, "a does not answer the probe of 192.168.77.1\n"));
}
END_TEST

/* Where a ping cannot go until it has the prefix again, a new handshake and some time have to do. */
START_TEST(it_goes_back_after_a_handshake)
{
	int64_t took_ms;

	make_pair("192.168.77.1", "192.168.77.1");
	world_kill(&world, "a");
	world_until(&world, LAN, "b", 10000);
	world_run(&world, 30000); /* its last handshake is still young, but older than its death */
	check_has("b");
	world_revive(&world, "a");
	took_ms = world_until(&world, LAN, "a", 10000);
	ck_assert_int_ge(took_ms, HOLDER_SETTLE_MS);
	ck_assert_int_le(took_ms, HOLDER_SETTLE_MS + 1100);
	world_run(&world, 600000);
	check_has("a");
}
END_TEST

START_TEST(with_an_address_of_its_own_it_is_probed_all_the_time)
{
	make_pair("10.50.0.8", "10.50.0.9");
	world_kill(&world, "b");
	world_run(&world, 10000);
	check_has("a");
	world_kill(&world, "a");
	world_run(&world, 10000);
	check_has("a"); /* b is known to be dead */
	world_revive(&world, "b");
	ck_assert_int_le(world_until(&world, LAN, "b", 10000), 2 * HOLDER_PROBE_EVERY_MS + 505);
	world_revive(&world, "a");
	ck_assert_int_le(world_until(&world, LAN, "a", 10000), HOLDER_SETTLE_MS + 1600);
}
END_TEST

static size_t count_lines(const char *text, const char *what)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		count++;
	return count;
}

/* The router lives and makes handshakes; what is behind it does not. */
START_TEST(returns_that_fail_become_rare)
{
	make_pair("192.168.77.1", NULL);
	world_peer(&world, "a")->network_up = false;
	world_run(&world, 3600 * 1000);
	check_has("b");
	ck_assert_uint_ge(count_lines(world.said.data, "peer a of wg0 has"), 3);
	ck_assert_uint_le(count_lines(world.said.data, "peer a of wg0 has"), 12);
	world_peer(&world, "a")->network_up = true;
	world_until(&world, LAN, "a", HOLDER_RETRY_MAX_MS + 130000);
	world_run(&world, 600000);
	check_has("a");
}
END_TEST

START_TEST(while_the_other_is_dead_too_it_is_not_put_off)
{
	make_pair("192.168.77.1", "192.168.77.2");
	world_kill(&world, "a");
	world_until(&world, LAN, "b", 10000);
	world_kill(&world, "b");
	world_run(&world, 100);
	world_revive(&world, "a");
	ck_assert_int_le(world_until(&world, LAN, "a", 10000), DETECTION_MS + 1000);
}
END_TEST

START_TEST(one_lost_answer_is_none)
{
	make_pair("192.168.77.1", NULL);
	for (int i = 0; i < 20; i++) {
		world_peer(&world, "a")->network_up = false;
		world_run(&world, 1000);
		world_peer(&world, "a")->network_up = true;
		world_run(&world, 1000);
	}
	check_has("a");
	ck_assert_uint_eq(world.holder->moves, 0);
}
END_TEST

START_TEST(a_standby_asks_nobody)
{
	make_pair("192.168.77.1", "10.50.0.9");
	world_peer(&world, "a")->served = world_peer(&world, "b")->served = false;
	world_peer(&world, "a")->network_up = world_peer(&world, "b")->network_up = false;
	world_run(&world, 60000);
	check_has("a");
	ck_assert_uint_eq(world.holder->moves, 0);
	/* It takes over: the preferred one first, and its probe tells. */
	world_peer(&world, "a")->served = world_peer(&world, "b")->served = true;
	world_peer(&world, "b")->network_up = true;
	ck_assert_int_le(world_until(&world, LAN, "b", 10000), DETECTION_MS + 1005);
}
END_TEST

START_TEST(nobody_is_asked_before_he_is_connected)
{
	struct desired_peer *a = world_add(&world, "wg0", "a"), *b = world_add(&world, "wg0", "b");

	world_share(a, LAN, 200, "192.168.77.1", 254);
	world_share(b, LAN, 100, NULL, 254);
	world_start(&world);
	for (size_t i = 0; i < 2; i++)
		world.peers[i] = (struct world_peer){.name = world.peers[i].name,
			.served = true,
			.looked_at = true,
			.handshake_ms = HOLDER_NEVER};
	world_run(&world, 20000);
	world_revive(&world, "a");
	world_revive(&world, "b");
	world_run(&world, 20000);
	check_has("a");
	ck_assert_uint_eq(world.holder->moves, 0);
	world_kill(&world, "a");
	ck_assert_int_le(world_until(&world, LAN, "b", 10000), DETECTION_MS + 5);
}
END_TEST

static bool is_with_b(const struct desired_peer *peer, const struct prefix *prefix, void *context)
{
	(void)prefix;
	(void)context;
	return !strcmp(peer->name, "b");
}

/* a died a while ago, and the agent since: its last handshake is young all the same. */
START_TEST(a_new_agent_does_not_try_who_has_lost_it)
{
	make_pair("192.168.77.1", NULL);
	world_kill(&world, "a");
	holder_free(world.holder);
	world.holder = holder_new(world.desired, NULL, 3, world.now_ms);
	holder_adopt(world.holder, is_with_b, NULL, world.now_ms);
	world_run(&world, 170000);
	check_has("b");
	world_revive(&world, "a");
	world_until(&world, LAN, "a", 10000);
}
END_TEST

static size_t ask_somebody(void)
{
	size_t cursor = 0, claim;

	while ((claim = holder_ask(world.holder, &cursor, world.now_ms)) == HOLDER_NONE) {
		cursor = 0;
		world.now_ms += 5;
	}
	return claim;
}

/* The same two, and one before them: their claims have other numbers. */
static void make_three(struct world *next, const char *probe_of_a)
{
	struct desired_peer *peers[3];

	world_begin(next);
	for (size_t i = 0; i < 3; i++) {
		peers[i] = world_add(next, "wg0", (const char *const[]){"0", "a", "b"}[i]);
		peers[i]->public_key.bytes[0] = (uint8_t)i;
	}
	world_share(peers[0], "192.168.78.0/24", 100, NULL, 254);
	world_share(peers[1], LAN, 200, probe_of_a, 254);
	world_share(peers[2], LAN, 100, NULL, 254);
}

/* Or whoever gets a generation while he is asked would count as silent. */
START_TEST(what_was_asked_is_answered_in_the_next_generation)
{
	struct world same, other;
	size_t claim, then;

	make_pair("192.168.77.1", NULL);
	claim = ask_somebody();
	world.holder->claims[claim].question = 7;
	make_three(&same, "192.168.77.1");
	same.holder = holder_new(same.desired, world.holder, 3, world.now_ms);
	then = holder_asked(same.holder, 7, claim, world.now_ms);
	ck_assert_uint_ne(then, claim);
	ck_assert_uint_ne(then, HOLDER_NONE);
	ck_assert_str_eq(same.holder->peers[same.holder->claims[then].peer].desired->name, "a");
	ck_assert_uint_eq(holder_asked(same.holder, 7, then, world.now_ms), then);
	ck_assert_uint_eq(holder_asked(same.holder, 8, claim, world.now_ms), HOLDER_NONE);
	ck_assert_uint_eq(holder_asked(same.holder, 0, then, world.now_ms), HOLDER_NONE);
	ck_assert_uint_eq(holder_asked(same.holder, 7, 1000, world.now_ms), then);
	ck_assert(same.holder->claims[then].probe.open);
	(void)holder_answer(same.holder, then, true, world.now_ms);
	ck_assert(!same.holder->claims[then].probe.open);
	ck_assert_uint_eq(same.holder->claims[then].probe.run, 0);
	/* What another address is asked is another question. */
	make_three(&other, "192.168.77.2");
	other.holder = holder_new(other.desired, world.holder, 3, world.now_ms);
	ck_assert_uint_eq(holder_asked(other.holder, 7, claim, world.now_ms), HOLDER_NONE);
	world_end(&same);
	world_end(&other);
}
END_TEST

/* Answers to whatever number cost no search of all claims, but for what may have moved with the generation, as long as it may be
 * answered. */
START_TEST(only_what_was_asked_before_the_generation_is_searched)
{
	struct world next;
	size_t claim, then;

	make_pair("192.168.77.1", NULL);
	claim = ask_somebody();
	world.holder->claims[claim].question = 7;
	make_three(&next, "192.168.77.1");
	next.holder = holder_new(next.desired, world.holder, 3, world.now_ms);
	then = holder_asked(next.holder, 7, 1000, world.now_ms + HOLDER_PROBE_TIMEOUT_MS - 1);
	ck_assert_uint_ne(then, HOLDER_NONE);
	ck_assert_uint_eq(
		holder_asked(next.holder, 7, 1000, world.now_ms + HOLDER_PROBE_TIMEOUT_MS), HOLDER_NONE);
	next.holder->claims[then].question = 8; /* asked since: whoever was asked knows which claim it was */
	ck_assert_uint_eq(holder_asked(next.holder, 8, 1000, world.now_ms), HOLDER_NONE);
	ck_assert_uint_eq(holder_asked(next.holder, 8, then, world.now_ms), then);
	world_end(&next);
}
END_TEST

static void check_state(const char *peer, const char *expected)
{
	struct text text = {0};

	for (size_t i = 0; i < world.holder->claim_count; i++)
		if (!strcmp(world.holder->peers[world.holder->claims[i].peer].desired->name, peer))
			holder_say_state(world.holder, i, world.now_ms, &text);
	ck_assert_str_eq(text.data, expected);
	text_clear(&text);
}

START_TEST(it_says_how_each_stands)
{
	make_pair("192.168.77.1", "10.50.0.9");
	check_state("a", "answers the probe of 192.168.77.1");
	check_state("b", "answers the probe of 10.50.0.9");
	world_kill(&world, "a");
	world_until(&world, LAN, "b", 10000);
	check_state("a", "no handshake since it did not answer the probe of 192.168.77.1");
	world_run(&world, 100);
	world_revive(&world, "a");
	world_run(&world, 1000);
	check_state("a", "did not answer the probe of 192.168.77.1; tried again in 9 s");
	world_kill(&world, "b");
	world_until(&world, LAN, "a", 20000);
	check_state("b", "does not answer the probe of 10.50.0.9");
	world_kill(&world, "a");
	world_run(&world, 5000);
	check_state("a", "does not answer the probe of 192.168.77.1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("holder");
	TCase *tcase = tcase_create("by probes");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_dead_one_loses_it_within_the_detection, 0, 10);
	tcase_add_test(tcase, it_goes_back_after_a_handshake);
	tcase_add_test(tcase, with_an_address_of_its_own_it_is_probed_all_the_time);
	tcase_add_test(tcase, returns_that_fail_become_rare);
	tcase_add_test(tcase, while_the_other_is_dead_too_it_is_not_put_off);
	tcase_add_test(tcase, one_lost_answer_is_none);
	tcase_add_test(tcase, a_standby_asks_nobody);
	tcase_add_test(tcase, nobody_is_asked_before_he_is_connected);
	tcase_add_test(tcase, a_new_agent_does_not_try_who_has_lost_it);
	tcase_add_test(tcase, what_was_asked_is_answered_in_the_next_generation);
	tcase_add_test(tcase, only_what_was_asked_before_the_generation_is_searched);
	tcase_add_test(tcase, it_says_how_each_stands);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
