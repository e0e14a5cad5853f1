/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/core/resolve/resolve.h"

static struct resolve resolve;
static struct resolve_peer peer;
static int64_t now_ms;
static struct addr a, b, c;

static struct addr addr(const char *text)
{
	struct addr result = {0};

	if (addr_parse(text, &result, NULL))
		abort();
	return result;
}

static void setup(void)
{
	now_ms = 1000000;
	a = addr("192.0.2.1");
	b = addr("192.0.2.2");
	c = addr("2001:db8::3");
	peer = (struct resolve_peer){0};
	resolve_init(&resolve, 51820, false, now_ms);
}

static void answer(size_t count, struct addr first, struct addr second)
{
	struct addr list[] = {first, second};

	resolve_answer(&resolve, list, count, now_ms);
}

static enum resolve_action step(void)
{
	enum resolve_action action = resolve_step(&resolve, now_ms);

	if (action == RESOLVE_SET)
		peer.endpoint = resolve.set;
	return action;
}

/* A second in the life of the peer: what was sent and received in it. */
static enum resolve_action second(uint64_t sent, uint64_t received)
{
	now_ms += 1000;
	peer.tx_bytes += sent;
	peer.rx_bytes += received;
	if (peer.has_handshake)
		peer.handshake_age_ms += 1000;
	resolve_observe(&resolve, &peer, now_ms);
	return step();
}

/* Seconds without an answer until something is to be done. */
static enum resolve_action silence(int *seconds)
{
	enum resolve_action action = RESOLVE_NOTHING;

	for (*seconds = 0; action == RESOLVE_NOTHING && *seconds < 10000; ++*seconds)
		action = second(148, 0);
	return action;
}

#define EXPECT_SET(address)                                           \
	do {                                                          \
		ck_assert_int_eq(step(), RESOLVE_SET);                \
		ck_assert(addr_equal(&resolve.set.addr, &(address))); \
		ck_assert_uint_eq(resolve.set.port, 51820);           \
	} while (0)

/* Up and talking at a, one of two. */
static void settle(void)
{
	ck_assert_int_eq(step(), RESOLVE_ASK);
	resolve_observe(&resolve, &peer, now_ms);
	answer(2, a, b);
	EXPECT_SET(a);
	peer.has_handshake = true;
	ck_assert_int_eq(second(148, 92), RESOLVE_NOTHING);
}

START_TEST(it_asks_at_once_and_once)
{
	ck_assert_int_eq(step(), RESOLVE_ASK);
	ck_assert_int_eq(step(), RESOLVE_NOTHING);
	now_ms += 3600000;
	ck_assert_int_eq(step(), RESOLVE_NOTHING);
}
END_TEST

START_TEST(nothing_is_set_before_the_device_was_seen)
{
	ck_assert_int_eq(step(), RESOLVE_ASK);
	answer(1, a, a);
	ck_assert_int_eq(step(), RESOLVE_NOTHING);
	ck_assert(addr_equal(&(struct addr){0}, &resolve.set.addr));
	struct endpoint wanted = resolve_endpoint(&resolve);
	ck_assert(addr_equal(&wanted.addr, &a));
	resolve_observe(&resolve, &peer, now_ms);
	EXPECT_SET(a);
}
END_TEST

START_TEST(a_resolver_that_is_down_is_asked_again_less_and_less)
{
	static const int64_t waits_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};

	ck_assert_int_eq(step(), RESOLVE_ASK);
	for (size_t i = 0; i < sizeof(waits_ms) / sizeof(*waits_ms); i++) {
		answer(0, a, a);
		now_ms += waits_ms[i] - 1;
		ck_assert_int_eq(step(), RESOLVE_NOTHING);
		now_ms++;
		ck_assert_int_eq(step(), RESOLVE_ASK);
	}
	resolve_observe(&resolve, &peer, now_ms);
	answer(1, a, a);
	EXPECT_SET(a);
}
END_TEST

START_TEST(a_good_session_is_asked_for_when_the_answer_is_old)
{
	int seconds = 0;

	settle();
	while (second(148, 92) == RESOLVE_NOTHING)
		seconds++;
	ck_assert_int_ge(seconds, RESOLVE_AGE_MS / 1000 - 3);
	ck_assert_int_le(seconds, RESOLVE_AGE_MS / 1000);
	answer(2, b, a);
	ck_assert_int_eq(step(), RESOLVE_NOTHING); /* a is still one of them */
}
END_TEST

START_TEST(an_old_answer_that_is_gone_is_left)
{
	settle();
	now_ms += RESOLVE_AGE_MS;
	ck_assert_int_eq(step(), RESOLVE_ASK);
	answer(1, b, b);
	EXPECT_SET(b);
	ck_assert_int_eq(second(148, 92), RESOLVE_NOTHING);
}
END_TEST

START_TEST(silence_alone_is_no_reason)
{
	settle();
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(second(0, 0), RESOLVE_NOTHING);
}
END_TEST

START_TEST(what_was_sent_long_ago_is_no_reason)
{
	settle();
	second(148, 0);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(second(0, 0), RESOLVE_NOTHING);
}
END_TEST

START_TEST(keepalives_are_not_answered)
{
	settle();
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(second(0, 0), RESOLVE_NOTHING);
	peer.keepalive_s = 1;
	for (int i = 0; i < 700; i++)
		ck_assert_int_eq(second(32, 0), RESOLVE_NOTHING);
	setup();
	settle();
	peer.keepalive_s = 25;
	for (int i = 0; i < 700; i++)
		ck_assert_int_eq(second(i % 25 ? 0 : 32, 0), RESOLVE_NOTHING);
}
END_TEST

START_TEST(initiations_among_keepalives_are_seen)
{
	int i = 0;

	settle();
	peer.keepalive_s = 1;
	while (i < 100 && second(i % 5 ? 32 : 148, 0) == RESOLVE_NOTHING)
		i++;
	ck_assert_int_ge(i, RESOLVE_UNANSWERED_MS / 1000 - 1);
	ck_assert_int_le(i, RESOLVE_UNANSWERED_MS / 1000 + 6);
}
END_TEST

START_TEST(a_peer_that_owes_an_answer_is_asked_for)
{
	int seconds;

	settle();
	ck_assert_int_eq(silence(&seconds), RESOLVE_ASK);
	ck_assert_int_eq(seconds, RESOLVE_UNANSWERED_MS / 1000 + 1);
	answer(1, b, b);
	EXPECT_SET(b);
}
END_TEST

START_TEST(then_the_next_address_is_tried)
{
	int seconds;

	settle();
	silence(&seconds);
	answer(2, a, b);
	ck_assert_int_eq(silence(&seconds), RESOLVE_SET);
	ck_assert(addr_equal(&resolve.set.addr, &b));
	ck_assert_int_eq(seconds, RESOLVE_TRY_MS / 1000);
	ck_assert_int_eq(silence(&seconds), RESOLVE_SET);
	ck_assert(addr_equal(&resolve.set.addr, &a));
	ck_assert_int_eq(silence(&seconds), RESOLVE_ASK);
}
END_TEST

START_TEST(once_it_answers_it_stays)
{
	int seconds;

	settle();
	silence(&seconds);
	answer(2, a, b);
	ck_assert_int_eq(silence(&seconds), RESOLVE_SET);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(second(148, 92), RESOLVE_NOTHING);
	ck_assert(addr_equal(&resolve.set.addr, &b));
}
END_TEST

START_TEST(questions_for_a_dead_peer_become_rare)
{
	int asked = 0;

	settle();
	for (int i = 0; i < 3600; i++) {
		enum resolve_action action = second(148, 0);

		if (action == RESOLVE_ASK) {
			asked++;
			answer(2, a, b);
		}
	}
	ck_assert_int_le(asked, 3600000 / RESOLVE_RETRY_MAX_MS + 8);
	ck_assert_int_ge(asked, 30);
}
END_TEST

START_TEST(an_endpoint_that_roamed_is_left_alone)
{
	settle();
	peer.endpoint.addr = c;
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(second(148, 92), RESOLVE_NOTHING);
	now_ms += RESOLVE_AGE_MS;
	ck_assert_int_eq(step(), RESOLVE_ASK);
	answer(1, b, b);
	peer.handshake_age_ms = 0;
	ck_assert_int_eq(second(148, 92), RESOLVE_NOTHING);
	for (int i = 0; i < RESOLVE_STALE_MS / 1000 - 2; i++) { /* silent, but not for long enough */
		enum resolve_action action = second(148, 0);

		ck_assert_int_ne(action, RESOLVE_SET);
		if (action == RESOLVE_ASK)
			answer(1, b, b);
	}
	int seconds;
	ck_assert_int_eq(silence(&seconds), RESOLVE_SET);
	ck_assert(addr_equal(&resolve.set.addr, &b));
}
END_TEST

START_TEST(a_roamed_peer_that_sleeps_is_left_alone)
{
	settle();
	peer.endpoint.addr = c;
	second(148, 92);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(second(0, 0), RESOLVE_NOTHING);
}
END_TEST

START_TEST(what_was_there_before_us_is_adopted)
{
	peer = (struct resolve_peer){.endpoint = {.addr = b, .port = 51820}, .has_handshake = true};
	ck_assert_int_eq(step(), RESOLVE_ASK);
	resolve_observe(&resolve, &peer, now_ms);
	answer(2, a, b);
	ck_assert_int_eq(step(), RESOLVE_NOTHING);
	ck_assert(addr_equal(&resolve.set.addr, &b));
	setup();
	peer = (struct resolve_peer){.endpoint = {.addr = c, .port = 51820}, .has_handshake = true};
	ck_assert_int_eq(step(), RESOLVE_ASK);
	resolve_observe(&resolve, &peer, now_ms);
	answer(2, a, b);
	ck_assert_int_eq(step(), RESOLVE_NOTHING);
}
END_TEST

START_TEST(a_name_configured_anew_counts_whatever_is_there)
{
	resolve_init(&resolve, 51820, true, now_ms);
	peer = (struct resolve_peer){.endpoint = {.addr = c, .port = 51820}, .has_handshake = true};
	ck_assert_int_eq(step(), RESOLVE_ASK);
	resolve_observe(&resolve, &peer, now_ms);
	answer(1, a, a);
	EXPECT_SET(a);
	peer.endpoint.addr = c;
	ck_assert_int_eq(second(148, 92), RESOLVE_NOTHING); /* once */
}
END_TEST

START_TEST(another_port_is_another_endpoint)
{
	peer = (struct resolve_peer){.endpoint = {.addr = a, .port = 1}};
	ck_assert_int_eq(step(), RESOLVE_ASK);
	resolve_observe(&resolve, &peer, now_ms);
	answer(1, a, a);
	EXPECT_SET(a);
}
END_TEST

START_TEST(a_changed_underlay_asks_but_not_often)
{
	settle();
	now_ms += RESOLVE_UNDERLAY_MS;
	resolve_underlay_changed(&resolve, now_ms);
	ck_assert_int_eq(step(), RESOLVE_ASK);
	answer(2, a, b);
	ck_assert_int_eq(step(), RESOLVE_NOTHING);
	for (int i = 0; i < RESOLVE_UNDERLAY_MS / 10 - 1; i++) {
		now_ms += 10;
		resolve_underlay_changed(&resolve, now_ms);
		ck_assert_int_eq(step(), RESOLVE_NOTHING);
	}
	now_ms += 10;
	ck_assert_int_eq(step(), RESOLVE_ASK);
}
END_TEST

START_TEST(a_peer_made_anew_owes_nothing)
{
	settle();
	for (int i = 0; i < 10; i++)
		second(148, 0);
	peer.tx_bytes = peer.rx_bytes = 0;
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(second(0, 0), RESOLVE_NOTHING);
}
END_TEST

START_TEST(more_addresses_than_the_limit_are_cut)
{
	struct addr many[RESOLVE_ADDRESSES_MAX + 1];

	for (uint8_t i = 0; i <= RESOLVE_ADDRESSES_MAX; i++) {
		many[i] = a;
		many[i].bytes[3] = i;
	}
	ck_assert_int_eq(step(), RESOLVE_ASK);
	resolve_answer(&resolve, many, RESOLVE_ADDRESSES_MAX, now_ms);
	ck_assert_uint_eq(resolve.count, RESOLVE_ADDRESSES_MAX);
	resolve_answer(&resolve, many, RESOLVE_ADDRESSES_MAX + 1, now_ms);
	ck_assert_uint_eq(resolve.count, RESOLVE_ADDRESSES_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resolve");
	TCase *tests = tcase_create("resolve");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, it_asks_at_once_and_once);
	tcase_add_test(tests, nothing_is_set_before_the_device_was_seen);
	tcase_add_test(tests, a_resolver_that_is_down_is_asked_again_less_and_less);
	tcase_add_test(tests, a_good_session_is_asked_for_when_the_answer_is_old);
	tcase_add_test(tests, an_old_answer_that_is_gone_is_left);
	tcase_add_test(tests, silence_alone_is_no_reason);
	tcase_add_test(tests, what_was_sent_long_ago_is_no_reason);
	tcase_add_test(tests, keepalives_are_not_answered);
	tcase_add_test(tests, initiations_among_keepalives_are_seen);
	tcase_add_test(tests, a_peer_that_owes_an_answer_is_asked_for);
	tcase_add_test(tests, then_the_next_address_is_tried);
	tcase_add_test(tests, once_it_answers_it_stays);
	tcase_add_test(tests, questions_for_a_dead_peer_become_rare);
	tcase_add_test(tests, an_endpoint_that_roamed_is_left_alone);
	tcase_add_test(tests, a_roamed_peer_that_sleeps_is_left_alone);
	tcase_add_test(tests, what_was_there_before_us_is_adopted);
	tcase_add_test(tests, a_name_configured_anew_counts_whatever_is_there);
	tcase_add_test(tests, another_port_is_another_endpoint);
	tcase_add_test(tests, a_changed_underlay_asks_but_not_often);
	tcase_add_test(tests, a_peer_made_anew_owes_nothing);
	tcase_add_test(tests, more_addresses_than_the_limit_are_cut);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
