/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/readiness/readiness.h"

enum { NOW_MS = 1000000 };

static struct readiness readiness;
static struct readiness_view view;
static struct standing standing;

static struct readiness_hop hop(enum readiness_hop_kind kind, const char *address)
{
	struct readiness_hop hop = {.kind = kind, .interface = "eth1"};

	ck_assert_int_eq(addr_parse(address, &hop.address, NULL), 0);
	return hop;
}

static void judge(int64_t now_ms)
{
	readiness_judge(&readiness, &view, now_ms, &standing);
}

static void expect_reason(const char *words)
{
	ck_assert_msg(!standing.ready, "ready");
	ck_assert_msg(standing.reason_count > 0 && strstr(standing.reasons[0], words), "%s\nnot\n%s",
		standing.reason_count ? standing.reasons[0] : "no reason", words);
}

/* All is well: a router and a witness that have just answered. */
static void begin(void)
{
	struct readiness_hop hops[] = {
		hop(READINESS_ROUTER, "192.168.1.254"), hop(READINESS_WITNESS, "10.9.0.1")};

	readiness_init(&readiness);
	readiness_ask(&readiness, hops, ARRAY_COUNT(hops), NOW_MS - 10000);
	readiness_answered(&readiness, &hops[0].address, "eth1", NOW_MS - 400);
	readiness_answered(&readiness, &hops[1].address, NULL, NOW_MS - 100);
	view = (struct readiness_view){.standby_ms = NOW_MS - 60000,
		.compared_ms = NOW_MS - 5000,
		.difference = "",
		.link_count = 2,
		.links = {{"eth0", true}, {"eth1", true}},
		.mirrors = true,
		.mirrored_ms = NOW_MS - 1000,
		.mirror_why = "",
		.owner = "gw-a",
		.owner_is_neighbour = true,
		.generation = 7,
		.owner_generation = 7,
		.floor = 7,
		.floor_confirmed = true};
}

START_TEST(below_the_revocation_floor_nobody_is_ready)
{
	view.floor = 8;
	judge(NOW_MS);
	expect_reason("it holds generation 7, below the revocation floor 8");
	view.generation = view.owner_generation = 8;
	judge(NOW_MS);
	ck_assert(standing.ready);
}
END_TEST

START_TEST(a_floor_that_nobody_has_confirmed_is_told)
{
	view.floor_confirmed = false;
	judge(NOW_MS);
	expect_reason("nobody has confirmed the revocation floor since it started");
}
END_TEST

START_TEST(one_that_has_all_is_ready_and_says_since_when_that_is_seen)
{
	judge(NOW_MS);
	ck_assert(standing.ready);
	ck_assert_uint_eq(standing.reason_count, 0);
	ck_assert_uint_eq(standing.proved_ago_ms, 5000); /* the oldest of all observations */
	ck_assert_str_eq(standing.alone, "");
	view.compared_ms = NOW_MS - 10;
	view.mirrored_ms = NOW_MS - 20;
	judge(NOW_MS);
	ck_assert_uint_eq(standing.proved_ago_ms, 400);
}
END_TEST

START_TEST(a_kernel_that_differs_is_named)
{
	view.difference = "wg0: no such key file";
	judge(NOW_MS);
	expect_reason("wg0: no such key file");
}
END_TEST

START_TEST(one_that_forgets_its_sessions_is_not_ready)
{
	view.forgets = true;
	judge(NOW_MS);
	expect_reason("has not forgotten yet the sessions");
	view.forgets = false;
	judge(NOW_MS);
	ck_assert(standing.ready);
}
END_TEST

START_TEST(what_was_seen_before_it_became_a_standby_proves_nothing)
{
	view.standby_ms = NOW_MS - 4999;
	judge(NOW_MS);
	expect_reason("not been found in order yet");
	view.standby_ms = NOW_MS - 5000;
	judge(NOW_MS);
	ck_assert(standing.ready);
	view.compared_ms = READINESS_NEVER;
	judge(NOW_MS);
	expect_reason("not been found in order yet");
	ck_assert_uint_eq(standing.proved_ago_ms, STANDING_NEVER);
}
END_TEST

START_TEST(an_observation_grows_old)
{
	int64_t last_ms = NOW_MS - 5000 + READINESS_COMPARED_MS;
	struct readiness_hop router = hop(READINESS_ROUTER, "192.168.1.254");

	readiness_answered(&readiness, &router.address, "eth1", last_ms);
	judge(last_ms);
	ck_assert(standing.ready);
	judge(last_ms + 1);
	expect_reason("for the last time");
}
END_TEST

START_TEST(an_interface_that_is_down_is_named_once)
{
	view.links[1].usable = false;
	judge(NOW_MS + READINESS_SILENT_MS);
	expect_reason("eth1 is down");
	ck_assert_uint_eq(standing.reason_count, 1); /* that nobody answers there is no news */
}
END_TEST

START_TEST(a_router_must_answer)
{
	struct readiness_hop other = hop(READINESS_ROUTER, "192.168.1.254");

	judge(NOW_MS - 400 + READINESS_SILENT_MS - 1);
	ck_assert(standing.ready);
	judge(NOW_MS - 400 + READINESS_SILENT_MS);
	expect_reason("192.168.1.254, where a route leads, does not answer on eth1");
	readiness_answered(&readiness, &other.address, "eth0", NOW_MS + 10000);
	judge(NOW_MS + 10000);
	expect_reason("192.168.1.254"); /* on another interface: another's */
	readiness_answered(&readiness, &other.address, "eth1", NOW_MS + 10000);
	judge(NOW_MS + 10000);
	ck_assert(standing.ready);
}
END_TEST

START_TEST(one_that_never_answered_is_no_proof)
{
	struct readiness_hop hops[] = {
		hop(READINESS_ROUTER, "192.168.1.254"), hop(READINESS_ROUTER, "fd00::1")};

	readiness_ask(&readiness, hops, ARRAY_COUNT(hops), NOW_MS);
	judge(NOW_MS);
	expect_reason("fd00::1");
	ck_assert_uint_eq(standing.proved_ago_ms, STANDING_NEVER);
	readiness_ask(&readiness, hops, 1, NOW_MS); /* the one that stays is not asked anew */
	judge(NOW_MS);
	ck_assert(standing.ready);
}
END_TEST

START_TEST(hops_at_and_beyond_the_limit)
{
	struct readiness_hop hops[READINESS_HOPS_MAX + 2];
	char text[32];

	for (size_t i = 0; i < ARRAY_COUNT(hops); i++) {
		snprintf(text, sizeof(text), "192.168.1.%zu", i + 1);
		hops[i] = hop(READINESS_ROUTER, text);
	}
	hops[READINESS_HOPS_MAX + 1] = hops[0]; /* twice the same is one */
	readiness_ask(&readiness, hops, READINESS_HOPS_MAX, NOW_MS);
	ck_assert_uint_eq(readiness.hop_count, READINESS_HOPS_MAX);
	ck_assert_uint_eq(readiness.hops_left_out, 0);
	readiness_ask(&readiness, hops, ARRAY_COUNT(hops), NOW_MS);
	ck_assert_uint_eq(readiness.hop_count, READINESS_HOPS_MAX);
	ck_assert_uint_eq(readiness.hops_left_out, 1);
}
END_TEST

START_TEST(connections_must_be_copied)
{
	view.mirrored_ms = READINESS_NEVER;
	view.mirror_why = "connection timed out";
	judge(NOW_MS);
	expect_reason("its copy of gw-a's connections is not whole (connection timed out)");
	view.mirrors = false; /* a kernel without connection tracking */
	judge(NOW_MS);
	ck_assert(standing.ready);
}
END_TEST

START_TEST(an_older_generation_is_a_reason_when_it_stays)
{
	view.owner_generation = 8;
	judge(NOW_MS);
	ck_assert(standing.ready);
	judge(NOW_MS + READINESS_BEHIND_MS - 1);
	ck_assert(standing.ready);
	judge(NOW_MS + READINESS_BEHIND_MS);
	expect_reason("it holds generation 7, and gw-a holds 8");
	view.generation = 8;
	judge(NOW_MS + READINESS_BEHIND_MS);
	ck_assert(standing.ready);
}
END_TEST

START_TEST(without_steering_it_is_ready_and_says_so)
{
	view.owner_is_neighbour = false;
	judge(NOW_MS);
	ck_assert(standing.ready);
	ck_assert_ptr_nonnull(strstr(standing.reasons[0], "gw-a is not known as a neighbour"));
}
END_TEST

START_TEST(who_would_vouch_for_it_without_a_controller)
{
	struct readiness_hop router = hop(READINESS_ROUTER, "192.168.1.254");

	judge(NOW_MS - 100 + READINESS_SILENT_MS);
	ck_assert_ptr_nonnull(strstr(standing.alone, "the witness 10.9.0.1 does not answer"));
	view.witnesses = 1; /* a third member */
	judge(NOW_MS - 100 + READINESS_SILENT_MS);
	ck_assert_str_eq(standing.alone, "");
	view.witnesses = 0;
	readiness_ask(&readiness, &router, 1, NOW_MS);
	judge(NOW_MS);
	ck_assert_ptr_nonnull(strstr(standing.alone, "there is no witness"));
	view.exclusive = true;
	view.witnesses = 1;
	judge(NOW_MS);
	ck_assert_ptr_nonnull(strstr(standing.alone, "isolation: fence"));
}
END_TEST

START_TEST(reasons_have_a_limit)
{
	view.link_count = READINESS_LINKS_MAX;
	for (size_t i = 0; i < READINESS_LINKS_MAX; i++)
		view.links[i] = (struct readiness_link){.name = "eth9", .usable = false};
	judge(NOW_MS);
	ck_assert_uint_eq(standing.reason_count, STANDING_REASONS_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("readiness");
	TCase *tcase = tcase_create("readiness");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_add_test(tcase, below_the_revocation_floor_nobody_is_ready);
	tcase_add_test(tcase, a_floor_that_nobody_has_confirmed_is_told);
	tcase_add_test(tcase, one_that_has_all_is_ready_and_says_since_when_that_is_seen);
	tcase_add_test(tcase, a_kernel_that_differs_is_named);
	tcase_add_test(tcase, one_that_forgets_its_sessions_is_not_ready);
	tcase_add_test(tcase, what_was_seen_before_it_became_a_standby_proves_nothing);
	tcase_add_test(tcase, an_observation_grows_old);
	tcase_add_test(tcase, an_interface_that_is_down_is_named_once);
	tcase_add_test(tcase, a_router_must_answer);
	tcase_add_test(tcase, one_that_never_answered_is_no_proof);
	tcase_add_test(tcase, hops_at_and_beyond_the_limit);
	tcase_add_test(tcase, connections_must_be_copied);
	tcase_add_test(tcase, an_older_generation_is_a_reason_when_it_stays);
	tcase_add_test(tcase, without_steering_it_is_ready_and_says_so);
	tcase_add_test(tcase, who_would_vouch_for_it_without_a_controller);
	tcase_add_test(tcase, reasons_have_a_limit);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
