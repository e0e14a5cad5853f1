/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/flow/mirror.h"
#include "node-agent/core/flow/status.h"
#include "tests/unit/flow/sample.h"

enum { RUN = 77, MAX = 8, START_MS = 1000000 };

static struct flow_mirror *mirror;
static struct flow_scope *scope;
static struct flow_ops ops;
static struct flow_item items[16];
static struct flow_page page;

static void setup(void)
{
	mirror = flow_mirror_new(MAX);
	scope = sample_scope();
	page = (struct flow_page){.run = RUN, .items = items};
}

static void teardown(void)
{
	flow_ops_clear(&ops);
	flow_mirror_free(mirror);
	flow_scope_free(scope);
}

static struct flow *tell(uint16_t port, bool gone)
{
	struct flow_item *item = &items[page.count++];

	*item = (struct flow_item){.flow = sample_flow(port), .gone = gone};
	return &item->flow;
}

/* What was told so far is a page, and taken in. */
static void take(bool from_start, bool more)
{
	page.from_start = from_start;
	page.more = more;
	page.last++;
	flow_mirror_take(mirror, scope, &page, START_MS, &ops);
	page.count = 0;
}

/* "+1 *2 -3": what is to be loaded, updated and deleted, by port, in order. */
static void expect(const char *wanted)
{
	char found[256] = "";

	for (size_t i = 0; i < ops.count; i++) {
		char one[16];

		snprintf(one, sizeof(one), "%s%c%u", i ? " " : "", "+*-"[ops.items[i].kind],
			ops.items[i].flow.original.source_port);
		strncat(found, one, sizeof(found) - strlen(found) - 1);
	}
	ck_assert_str_eq(found, wanted);
	flow_ops_clear(&ops);
}

START_TEST(test_what_is_told_is_loaded)
{
	uint64_t run, last;

	tell(1, false);
	tell(2, false);
	take(true, false);
	expect("+1 +2");
	ck_assert(flow_mirror_is_whole(mirror));
	tell(1, true);
	tell(3, false);
	tell(9, true); /* never told of */
	take(false, false);
	expect("-1 +3");
	ck_assert_uint_eq(flow_mirror_count(mirror), 2);
	flow_mirror_position(mirror, &run, &last);
	ck_assert_uint_eq(run, RUN);
	ck_assert_uint_eq(last, 2);
}
END_TEST

START_TEST(test_only_changes_are_loaded_again)
{
	tell(1, false);
	take(true, false);
	expect("+1");
	tell(1, false)->timeout_s++;
	take(false, false);
	expect("");
	tell(1, false)->tcp_state++;
	take(false, false);
	expect("*1");
	tell(1, false)->reply.destination_port++; /* another connection by the same name */
	take(false, false);
	expect("+1");
}
END_TEST

START_TEST(test_a_whole_list_sweeps_what_it_lacks)
{
	tell(1, false);
	tell(2, false);
	tell(3, false);
	take(true, false);
	expect("+1 +2 +3");
	tell(2, false);
	take(true, true);
	expect("");
	ck_assert(!flow_mirror_is_whole(mirror));
	tell(4, false);
	take(false, false);
	expect("+4 -1 -3");
	ck_assert(flow_mirror_is_whole(mirror));
}
END_TEST

START_TEST(test_what_is_no_flow_of_the_endpoint_is_refused)
{
	tell(1, false);
	take(true, false);
	expect("+1");
	tell(1, false)->reply.destination = sample_addr("192.168.1.77"); /* it was one before */
	tell(2, false)->protocol = 132;
	take(false, false);
	expect("-1");
	ck_assert_uint_eq(flow_mirror_refused(mirror), 2);
	ck_assert_str_eq(flow_mirror_refusal(mirror),
		"a protocol that is not mirrored, or a state that it does not have");
}
END_TEST

START_TEST(test_the_limit)
{
	for (uint16_t port = 1; port <= MAX; port++)
		tell(port, false);
	take(true, false);
	expect("+1 +2 +3 +4 +5 +6 +7 +8");
	ck_assert_uint_eq(flow_mirror_refused(mirror), 0);
	tell(9, false);
	take(false, false);
	expect("");
	ck_assert_uint_eq(flow_mirror_refused(mirror), 1);
	tell(1, true);
	tell(9, false);
	take(false, false);
	expect("-1 +9");
}
END_TEST

static void tick(int64_t after_s)
{
	flow_mirror_hear(mirror, START_MS + after_s * 1000); /* the owner is there */
	flow_mirror_tick(mirror, START_MS + after_s * 1000, &ops);
}

START_TEST(test_entries_are_kept_alive)
{
	tell(1, false)->timeout_s = 1; /* loaded for FLOW_MIRROR_LOAD_MIN_S */
	tell(2, false)->timeout_s = 100;
	take(true, false);
	ck_assert_uint_eq(ops.items[0].flow.timeout_s, FLOW_MIRROR_LOAD_MIN_S);
	expect("+1 +2");
	tick(FLOW_MIRROR_LOAD_MIN_S / 2 - 1);
	expect("");
	tick(FLOW_MIRROR_LOAD_MIN_S / 2);
	expect("*1");
	tick(50); /* two rounds of the first are due */
	expect("*1 *2");
}
END_TEST

START_TEST(test_long_ones_wait_many_rounds)
{
	tell(1, false)->timeout_s = 432000;
	take(true, false);
	expect("+1");
	for (int64_t second = 0; second < 216000; second += 500)
		tick(second);
	expect("");
	tick(216000);
	expect("*1");
}
END_TEST

START_TEST(test_a_silent_owner_keeps_nothing_alive)
{
	tell(1, false)->timeout_s = 2 * FLOW_MIRROR_SILENT_MS / 1000 + 2;
	take(true, false);
	expect("+1");
	flow_mirror_tick(mirror, START_MS + FLOW_MIRROR_SILENT_MS + 1000, &ops);
	expect("");
	tick(FLOW_MIRROR_SILENT_MS / 1000 + 1); /* it is back */
	expect("*1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mirror");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_what_is_told_is_loaded);
	tcase_add_test(tcase, test_only_changes_are_loaded_again);
	tcase_add_test(tcase, test_a_whole_list_sweeps_what_it_lacks);
	tcase_add_test(tcase, test_what_is_no_flow_of_the_endpoint_is_refused);
	tcase_add_test(tcase, test_the_limit);
	tcase_add_test(tcase, test_entries_are_kept_alive);
	tcase_add_test(tcase, test_long_ones_wait_many_rounds);
	tcase_add_test(tcase, test_a_silent_owner_keeps_nothing_alive);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
