/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/quick/host_route.h"

/* wg0 with allowed IPs, on a host whose uplink is eth0. Each test says what it has, and what comes of it. */
static struct quick_routed routed[8];
static struct quick_other others[8];
static struct addr endpoints[PLAN_BYPASSES_MAX + 1];
static struct quick_route_facts facts;

static struct prefix prefix(const char *text)
{
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(text, &prefix, NULL), 0);
	return prefix;
}

static struct addr addr(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse(text, &addr, NULL), 0);
	return addr;
}

static void allow(const char *to)
{
	routed[facts.routed_count++] = (struct quick_routed){.to = prefix(to)};
}

static void dial(const char *endpoint)
{
	endpoints[facts.endpoint_count++] = addr(endpoint);
}

static struct quick_other *other(const char *to, const char *via, const char *device)
{
	struct quick_other *other = &others[facts.other_count++];

	*other = (struct quick_other){
		.route = {.to = prefix(to), .table = PLAN_TABLE_MAIN, .unreachable = !device}};
	if (via)
		other->route.via = addr(via);
	text_copy(other->route.device, sizeof(other->route.device), device ? device : "lo");
	return other;
}

static void setup(void)
{
	facts = (struct quick_route_facts){.name = "wg0",
		.mark = 51820,
		.routed = routed,
		.others = others,
		.endpoints = endpoints,
		.has_ip4 = true,
		.has_ip6 = true,
		.host_routes = true};
	other("0.0.0.0/0", "192.0.2.1", "eth0");
	other("192.0.2.0/24", NULL, "eth0");
	other("::/0", "2001:db8::1", "eth0")->route.src = addr("2001:db8::2");
}

/* The routes that shall be, a line each, without the words that all have. */
static void expect(const char *expected)
{
	struct plan_target target = {0};
	struct text found = {0};
	char line[PLAN_TEXT_MAX];

	quick_target_routes(&target, &facts);
	for (size_t i = 0; i < target.world.route_count; i++) {
		struct plan_op op = {.kind = PLAN_ROUTE_SET, .route = target.world.routes[i]};

		text_add(&found, "%s\n", strstr(plan_op_format(&op, line), "replace ") + strlen("replace "));
	}
	ck_assert_str_eq(found.data ? found.data : "", expected);
	text_clear(&found);
	plan_target_clear(&target);
}

START_TEST(halves_of_both_families)
{
	facts.halves = true;
	allow("0.0.0.0/0");
	allow("::/0");
	dial("198.51.100.1");
	dial("2001:db8:51::1");
	expect("0.0.0.0/1 dev wg0\n128.0.0.0/1 dev wg0\n"
	       "::/1 dev wg0 metric 1024\n8000::/1 dev wg0 metric 1024\n"
	       "198.51.100.1/32 via 192.0.2.1 dev eth0 metric 1\n"
	       "2001:db8:51::1/128 via 2001:db8::1 dev eth0 metric 1 src 2001:db8::2\n"
	       "unreachable 198.51.100.1/32 metric 2000000000\n"
	       "unreachable 2001:db8:51::1/128 metric 2000000000\n");
	ck_assert(!quick_needs_mark(&facts, AF_INET) && quick_has_default(&facts, AF_INET));
}
END_TEST

START_TEST(a_half_that_is_there_is_not_made_twice)
{
	facts.halves = true;
	allow("128.0.0.0/1");
	allow("0.0.0.0/0");
	expect("128.0.0.0/1 dev wg0\n0.0.0.0/1 dev wg0\n");
}
END_TEST

START_TEST(without_a_way_it_leads_nowhere)
{
	facts.other_count = 0;
	allow("10.0.0.0/8");
	dial("10.1.2.3");
	expect("10.0.0.0/8 dev wg0\nunreachable 10.1.2.3/32 metric 2000000000\n");
	other("10.0.0.0/7", NULL, NULL);
	expect("10.0.0.0/8 dev wg0\nunreachable 10.1.2.3/32 metric 2000000000\n");
}
END_TEST

START_TEST(what_is_known_better_is_left_alone)
{
	facts.halves = true;
	allow("0.0.0.0/0");
	dial("192.0.2.1");    /* on the LAN */
	dial("198.51.100.1"); /* the user's own host route */
	dial("203.0.113.1");  /* an address of this host */
	other("198.51.100.1/32", "192.0.2.9", "eth0")->route.metric = 50;
	other("203.0.113.1/32", NULL, "lo")->route.table = QUICK_TABLE_LOCAL;
	expect("0.0.0.0/1 dev wg0\n128.0.0.0/1 dev wg0\n");
}
END_TEST

START_TEST(a_table_of_ones_own)
{
	facts.table = QUICK_TABLE_NAMED;
	facts.table_number = 600;
	allow("0.0.0.0/0");
	dial("192.0.2.1");
	dial("198.51.100.1");
	other("198.51.100.0/24", "192.0.2.9", "eth0")->route.table = 600;
	expect("0.0.0.0/0 dev wg0 table 600\n192.0.2.1/32 dev eth0 table 600 metric 1\n"
	       "unreachable 192.0.2.1/32 table 600 metric 2000000000\n");
}
END_TEST

START_TEST(rules_need_none_but_for_what_is_longer)
{
	allow("0.0.0.0/0");
	dial("198.51.100.1");
	expect("0.0.0.0/0 dev wg0 table 51820\n");
	allow("198.51.100.0/24");
	expect("198.51.100.0/24 dev wg0\n0.0.0.0/0 dev wg0 table 51820\n"
	       "198.51.100.1/32 via 192.0.2.1 dev eth0 metric 1\n"
	       "unreachable 198.51.100.1/32 metric 2000000000\n");
	facts.host_routes = false;
	expect("198.51.100.0/24 dev wg0\n0.0.0.0/0 dev wg0 table 51820\n");
}
END_TEST

START_TEST(another_tunnel_with_the_same_endpoint)
{
	struct quick_other *theirs;

	allow("198.51.100.0/24");
	dial("198.51.100.1");
	other("198.51.0.0/25", NULL, "wg1")->kind = QUICK_OTHER_TUNNEL;
	other("198.51.100.0/25", NULL, "wg1")->kind = QUICK_OTHER_TUNNEL;
	expect("198.51.100.0/24 dev wg0\n"); /* it is behind that */
	theirs = other("198.51.100.1/32", "192.0.2.1", "eth0");
	theirs->kind = QUICK_OTHER_HOST_ROUTE;
	theirs->route.metric = 1;
	expect("198.51.100.0/24 dev wg0\n198.51.100.1/32 via 192.0.2.1 dev eth0 metric 2\n"
	       "unreachable 198.51.100.1/32 metric 2000000000\n");
}
END_TEST

START_TEST(endpoints_have_a_limit)
{
	struct plan_target target = {0};

	allow("10.0.0.0/8");
	for (unsigned i = 0; i <= PLAN_BYPASSES_MAX; i++)
		endpoints[facts.endpoint_count++] =
			(struct addr){AF_INET, {10, 1, (uint8_t)(i >> 8), (uint8_t)i}};
	quick_target_routes(&target, &facts);
	ck_assert_uint_eq(target.world.route_count, 1 + 2 * PLAN_BYPASSES_MAX);
	plan_target_clear(&target);
}
END_TEST

START_TEST(all_of_a_family)
{
	allow("0.0.0.0/1");
	ck_assert(!quick_takes_all(&facts, AF_INET));
	allow("128.0.0.0/1");
	ck_assert(quick_takes_all(&facts, AF_INET) && !quick_has_default(&facts, AF_INET));
	allow("::/0");
	ck_assert(quick_takes_all(&facts, AF_INET6));
	facts.has_ip6 = false;
	ck_assert(!quick_takes_all(&facts, AF_INET6));
	routed[0].table = 9;
	ck_assert(!quick_takes_all(&facts, AF_INET));
}
END_TEST

START_TEST(ways_come_first_and_go_last)
{
	struct plan_target target = {0};
	struct plan_world observed = {0};
	struct plan plan;
	char text[PLAN_TEXT_MAX];

	allow("10.0.0.0/8");
	dial("10.1.2.3");
	quick_target_routes(&target, &facts);
	*plan_world_route(&observed) = (struct plan_route){
		.to = prefix("10.9.9.9/32"), .table = PLAN_TABLE_MAIN, .metric = 1, .device = "eth0"};
	plan_init(&plan, &target, &observed);
	quick_order_host_routes(&plan, "wg0");
	ck_assert_uint_eq(plan.count, 4);
	ck_assert_str_eq(plan_op_format(&plan.ops[0], text),
		"ip route replace 10.1.2.3/32 via 192.0.2.1 dev eth0 metric 1");
	ck_assert_str_eq(plan_op_format(&plan.ops[2], text), "ip route replace 10.0.0.0/8 dev wg0");
	ck_assert_str_eq(plan_op_format(&plan.ops[3], text), "ip route delete 10.9.9.9/32 dev eth0 metric 1");
	plan_clear(&plan);
	plan_world_clear(&observed);
	plan_target_clear(&target);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quick host routes");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, halves_of_both_families);
	tcase_add_test(tcase, a_half_that_is_there_is_not_made_twice);
	tcase_add_test(tcase, without_a_way_it_leads_nowhere);
	tcase_add_test(tcase, what_is_known_better_is_left_alone);
	tcase_add_test(tcase, a_table_of_ones_own);
	tcase_add_test(tcase, rules_need_none_but_for_what_is_longer);
	tcase_add_test(tcase, another_tunnel_with_the_same_endpoint);
	tcase_add_test(tcase, endpoints_have_a_limit);
	tcase_add_test(tcase, all_of_a_family);
	tcase_add_test(tcase, ways_come_first_and_go_last);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
