/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/explain/lookup.h"

#include <check.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "node-agent/core/explain/words.h"
#include "tests/unit/explain/sample.h"

static struct explain_facts facts;
static struct explain_way *way;
static struct explain_choice choice;

static void setup(void)
{
	facts = (struct explain_facts){0};
	way = &facts.inner;
	way->to = sample_addr("10.60.0.1");
}

static void teardown(void)
{
	explain_facts_clear(&facts);
}

static uint32_t choose(uint32_t mark)
{
	choice = explain_choose(&facts, way, mark);
	return choice.rule ? choice.rule->priority : 0;
}

START_TEST(test_longest_prefix_then_metric)
{
	sample_rule(&facts, 10, RT_TABLE_MAIN);
	sample_route(way, "0.0.0.0/0", "eth0", RT_TABLE_MAIN);
	sample_route(way, "10.60.0.0/16", "eth1", RT_TABLE_MAIN)->metric = 20;
	sample_route(way, "10.60.0.0/16", "wg0", RT_TABLE_MAIN)->metric = 10;
	sample_route(way, "10.60.0.1/32", "eth2", 77);
	ck_assert_uint_eq(choose(0), 10);
	ck_assert_str_eq(choice.route->device, "wg0");
}
END_TEST

/* As wg-quick leaves it. */
START_TEST(test_default_route_in_a_table)
{
	struct explain_rule *rule = sample_rule(&facts, 32764, RT_TABLE_MAIN);

	rule->has_suppress = true;
	rule = sample_rule(&facts, 32765, 51820);
	rule->invert = rule->has_fwmark = true;
	rule->fwmark = 51820;
	rule->fwmask = UINT32_MAX;
	sample_rule(&facts, 32766, RT_TABLE_MAIN);
	sample_route(way, "0.0.0.0/0", "eth0", RT_TABLE_MAIN);
	sample_route(way, "0.0.0.0/0", "wg0", 51820);
	ck_assert_uint_eq(choose(0), 32765);
	ck_assert_str_eq(choice.route->device, "wg0");
	ck_assert_uint_eq(choose(51820), 32766);
	sample_route(way, "10.60.0.0/24", "eth1", RT_TABLE_MAIN);
	ck_assert_uint_eq(choose(0), 32764);
}
END_TEST

START_TEST(test_selectors)
{
	struct explain_rule *rule = sample_rule(&facts, 10, 77);

	sample_rule(&facts, 20, RT_TABLE_MAIN);
	sample_route(way, "0.0.0.0/0", "eth0", RT_TABLE_MAIN);
	sample_route(way, "0.0.0.0/0", "wg0", 77);
	ck_assert_uint_eq(choose(0), 10);
	rule->from = sample_prefix("10.50.0.0/16"); /* the source is not chosen yet */
	ck_assert_uint_eq(choose(0), 20);
	way->from = sample_addr("10.50.0.2");
	ck_assert_uint_eq(choose(0), 10);
	rule->to = sample_prefix("10.61.0.0/16");
	ck_assert_uint_eq(choose(0), 20);
	rule->to = sample_prefix("10.60.0.0/16");
	text_copy(rule->iif, sizeof(rule->iif), "eth1");
	ck_assert_uint_eq(choose(0), 20);
	text_copy(way->iif, sizeof(way->iif), "eth1");
	ck_assert_uint_eq(choose(0), 10);
	text_copy(rule->iif, sizeof(rule->iif), "lo");
	ck_assert_uint_eq(choose(0), 20);
	way->iif[0] = '\0';
	ck_assert_uint_eq(choose(0), 10);
	rule->has_fwmark = true;
	rule->fwmark = 0x100;
	rule->fwmask = 0xf00;
	ck_assert_uint_eq(choose(0x2ff), 20);
	ck_assert_uint_eq(choose(0x1ff), 10);
	rule->family = AF_INET6;
	ck_assert_uint_eq(choose(0x1ff), 20);
}
END_TEST

START_TEST(test_what_refuses)
{
	struct explain_rule *rule = sample_rule(&facts, 10, 0);

	rule->action = FR_ACT_PROHIBIT;
	sample_rule(&facts, 20, RT_TABLE_MAIN);
	sample_route(way, "0.0.0.0/0", "eth0", RT_TABLE_MAIN);
	ck_assert_uint_eq(choose(0), 10);
	ck_assert_ptr_null(choice.route);
	facts.rules[0].action = FR_ACT_NOP;
	ck_assert_uint_eq(choose(0), 20);
}
END_TEST

START_TEST(test_throw)
{
	sample_rule(&facts, 10, 77);
	sample_rule(&facts, 20, RT_TABLE_MAIN);
	sample_route(way, "10.0.0.0/8", NULL, 77)->type = RTN_THROW;
	sample_route(way, "0.0.0.0/0", "eth0", RT_TABLE_MAIN);
	ck_assert_uint_eq(choose(0), 20);
}
END_TEST

START_TEST(test_selectors_not_known_here)
{
	sample_rule(&facts, 10, 77)->has_more = true;
	sample_rule(&facts, 20, RT_TABLE_MAIN);
	sample_route(way, "0.0.0.0/0", "eth0", RT_TABLE_MAIN);
	ck_assert_uint_eq(choose(0), 20);
	ck_assert_uint_eq(choice.unknown->priority, 10);
}
END_TEST

START_TEST(test_nothing)
{
	ck_assert_uint_eq(choose(0), 0);
	sample_rule(&facts, 20, RT_TABLE_MAIN);
	ck_assert_uint_eq(choose(0), 0);
	ck_assert_ptr_null(explain_route_into(way, "wg0"));
}
END_TEST

START_TEST(test_words)
{
	char text[EXPLAIN_WORDS_MAX];
	struct explain_rule *rule = sample_rule(&facts, 32764, RT_TABLE_MAIN);
	struct explain_route *route = sample_route(way, "10.0.0.0/8", "eth0", 51820);

	rule->has_suppress = true;
	ck_assert_str_eq(
		explain_rule_format(rule, text), "32764: from all lookup main suppress_prefixlength 0");
	rule->has_suppress = false;
	rule->invert = rule->has_fwmark = true;
	rule->fwmark = 0xca6c;
	rule->fwmask = 0xffff;
	rule->from = sample_prefix("10.0.0.0/8");
	ck_assert_str_eq(explain_rule_format(rule, text),
		"32764: not from 10.0.0.0/8 fwmark 0xca6c/0xffff lookup main");
	route->via = sample_addr("192.0.2.1");
	route->metric = 5;
	ck_assert_str_eq(
		explain_route_format(route, text), "10.0.0.0/8 via 192.0.2.1 dev eth0 table 51820 metric 5");
	route = sample_route(way, "0.0.0.0/0", NULL, RT_TABLE_MAIN);
	route->type = RTN_BLACKHOLE;
	ck_assert_str_eq(explain_route_format(route, text), "blackhole default");
	ck_assert_str_eq(explain_age_format(119, text), "119 s");
	ck_assert_str_eq(explain_age_format(120, text), "2 min");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("lookup");
	TCase *tcase = tcase_create("lookup");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_longest_prefix_then_metric);
	tcase_add_test(tcase, test_default_route_in_a_table);
	tcase_add_test(tcase, test_selectors);
	tcase_add_test(tcase, test_what_refuses);
	tcase_add_test(tcase, test_throw);
	tcase_add_test(tcase, test_selectors_not_known_here);
	tcase_add_test(tcase, test_nothing);
	tcase_add_test(tcase, test_words);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
