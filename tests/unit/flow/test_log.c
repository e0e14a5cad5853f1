/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/core/flow/log.h"
#include "tests/unit/flow/sample.h"

enum { RUN = 77, MAX = 8, GONE_MAX = 4, PAGE = 100 };

static struct flow_log *log_;
static struct flow_page page;

static void setup(void)
{
	log_ = flow_log_new(RUN, MAX, GONE_MAX);
	page = (struct flow_page){0};
}

static void teardown(void)
{
	flow_page_clear(&page);
	flow_log_free(log_);
}

static void put(uint16_t port)
{
	struct flow flow = sample_flow(port);

	ck_assert(flow_log_put(log_, &flow));
}

static void put_fleeting(uint16_t port)
{
	struct flow flow = sample_fleeting(port);

	ck_assert(flow_log_put(log_, &flow));
}

static void remove_it(uint16_t port)
{
	struct flow flow = sample_flow(port);

	ck_assert(flow_log_remove(log_, &flow));
}

static void ask(uint64_t after, size_t max)
{
	flow_page_clear(&page);
	flow_log_page(log_, RUN, after, max, &page);
}

/* "1 2 -3": ports, in the order of the page; those that are gone with a sign. */
static void expect(const char *wanted)
{
	char found[256] = "";

	for (size_t i = 0; i < page.count; i++) {
		char one[16];

		snprintf(one, sizeof(one), "%s%s%u", i ? " " : "", page.items[i].gone ? "-" : "",
			page.items[i].flow.original.source_port);
		strncat(found, one, sizeof(found) - strlen(found) - 1);
	}
	ck_assert_str_eq(found, wanted);
}

START_TEST(test_each_change_is_told_once)
{
	uint64_t after;

	put(1);
	put(2);
	put(3);
	ask(0, PAGE);
	expect("1 2 3");
	after = page.last;
	ask(after, PAGE);
	expect("");
	ck_assert_uint_eq(page.last, after);
	remove_it(2);
	put(4);
	ask(after, PAGE);
	expect("-2 4");
	put(2);
	ask(after, PAGE);
	expect("4 2");
	ck_assert(!page.from_start && !page.more);
}
END_TEST

START_TEST(test_only_news_is_news)
{
	struct flow flow = sample_flow(1);

	ck_assert(flow_log_put(log_, &flow));
	flow.timeout_s++;
	ck_assert(!flow_log_put(log_, &flow));
	flow.tcp_state++;
	ck_assert(flow_log_put(log_, &flow));
	ck_assert(flow_log_remove(log_, &flow));
	ck_assert(!flow_log_remove(log_, &flow));
	flow.zone = 9; /* another flow */
	ck_assert(!flow_log_remove(log_, &flow));
}
END_TEST

START_TEST(test_news_without_a_state)
{
	struct flow flow = sample_flow(1), short_flow = sample_flow(1);

	short_flow.tcp_state = 0;
	ck_assert(!flow_log_complete(log_, &short_flow));
	ck_assert(flow_log_put(log_, &flow));
	ck_assert(flow_log_complete(log_, &short_flow));
	ck_assert(flow_equal(&flow, &short_flow));
}
END_TEST

START_TEST(test_pages)
{
	for (uint16_t port = 1; port <= 5; port++)
		put(port);
	flow_log_page(log_, 0, 0, 2, &page);
	ck_assert(page.from_start && page.more);
	expect("1 2");
	remove_it(1);
	ask(page.last, 2);
	ck_assert(!page.from_start && page.more);
	expect("3 4");
	ask(page.last, 2);
	ck_assert(!page.more);
	expect("5 -1");
}
END_TEST

START_TEST(test_another_life_is_told_everything)
{
	put(1);
	put(2);
	remove_it(1);
	flow_log_page(log_, RUN + 1, 2, PAGE, &page);
	ck_assert(page.from_start && page.run == RUN);
	expect("2");
	flow_page_clear(&page);
	flow_log_page(log_, RUN, 99, PAGE, &page); /* a change that was never made */
	ck_assert(page.from_start);
	expect("2");
}
END_TEST

START_TEST(test_who_asks_after_what_is_forgotten_is_told_everything)
{
	uint64_t after;

	for (uint16_t port = 1; port <= 6; port++)
		put(port);
	after = flow_log_last(log_);
	for (uint16_t port = 1; port <= GONE_MAX; port++)
		remove_it(port);
	ask(after, PAGE);
	ck_assert(!page.from_start);
	expect("-1 -2 -3 -4");
	remove_it(5);
	ask(after, PAGE);
	ck_assert(page.from_start);
	expect("6");
	ask(page.last, PAGE);
	ck_assert(!page.from_start && !page.count);
}
END_TEST

START_TEST(test_full_it_drops_the_fleeting_then_the_oldest)
{
	put(1);
	put_fleeting(2);
	for (uint16_t port = 3; port <= MAX; port++)
		put(port);
	ck_assert_uint_eq(flow_log_dropped(log_), 0);
	put(20);
	ck_assert_uint_eq(flow_log_dropped(log_), 1);
	ask(0, PAGE);
	expect("1 3 4 5 6 7 8 -2 20");
	put(21);
	ck_assert_uint_eq(flow_log_dropped(log_), 2);
	ck_assert_uint_eq(flow_log_count(log_), MAX);
	ask(0, PAGE);
	expect("3 4 5 6 7 8 -2 20 -1 21");
	put(2); /* it comes back, now ASSURED */
	ck_assert_uint_eq(flow_log_count(log_), MAX);
	ask(0, PAGE);
	expect("4 5 6 7 8 20 -1 21 -3 2");
}
END_TEST

START_TEST(test_a_look_drops_nothing)
{
	struct flow flow = sample_flow(20);

	for (uint16_t port = 1; port < MAX; port++)
		put(port);
	flow_log_look_begin(log_);
	for (uint16_t port = 1; port < MAX; port++) {
		struct flow known = sample_flow(port);

		ck_assert(!flow_log_see(log_, &known));
	}
	ck_assert(flow_log_see(log_, &flow));
	flow.original.source_port = 21;
	ck_assert(!flow_log_see(log_, &flow));
	flow_log_look_end(log_);
	ck_assert_uint_eq(flow_log_untold(log_), 1);
	ck_assert_uint_eq(flow_log_dropped(log_), 0);
	ask(0, PAGE);
	expect("1 2 3 4 5 6 7 20");
}
END_TEST

START_TEST(test_a_look_finds_what_is_gone)
{
	struct flow flow = sample_flow(2);
	uint64_t after;

	put(1);
	put(2);
	put(3);
	after = flow_log_last(log_);
	ck_assert(!flow_log_is_whole(log_));
	flow_log_look_begin(log_);
	ck_assert(!flow_log_put(log_, &flow));
	put(4); /* news, meanwhile */
	flow_log_look_end(log_);
	ck_assert(flow_log_is_whole(log_));
	ask(after, PAGE);
	expect("4 -1 -3");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_each_change_is_told_once);
	tcase_add_test(tcase, test_only_news_is_news);
	tcase_add_test(tcase, test_news_without_a_state);
	tcase_add_test(tcase, test_pages);
	tcase_add_test(tcase, test_another_life_is_told_everything);
	tcase_add_test(tcase, test_who_asks_after_what_is_forgotten_is_told_everything);
	tcase_add_test(tcase, test_full_it_drops_the_fleeting_then_the_oldest);
	tcase_add_test(tcase, test_a_look_drops_nothing);
	tcase_add_test(tcase, test_a_look_finds_what_is_gone);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
