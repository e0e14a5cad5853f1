/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/unit/plan/sample.h"

static struct sample sample;
static struct plan_route way;
static bool has_way;

static bool underlay(const struct addr *to, struct plan_route *ret_way, void *context)
{
	(void)to;
	(void)context;
	if (has_way)
		*ret_way = way;
	return has_way;
}

static void set_way(const char *to, const char *via, const char *device)
{
	has_way = true;
	way = (struct plan_route){.to = prefix(to), .via = addr(via)};
	text_copy(way.device, sizeof(way.device), device);
}

/* The second peer has 192.168.77.0/24 and is in it itself. */
static void setup(void)
{
	sample_init(&sample);
	sample.facts.underlay = underlay;
	sample.peers[1].endpoint = (struct endpoint){.addr = addr("192.168.77.9"), .port = 51820};
	set_way("0.0.0.0/0", "10.9.0.1", "wan");
}

static void teardown(void)
{
	sample_clear(&sample);
}

static bool plans(const char *line)
{
	char text[PLAN_TEXT_MAX];

	for (size_t i = 0; i < sample.plan.count; i++)
		if (!strcmp(plan_op_format(&sample.plan.ops[i], text), line))
			return true;
	return false;
}

static void settle(void)
{
	sample_plan(&sample);
	sample_obey(&sample);
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 0);
}

START_TEST(a_covered_peer_is_reached_over_the_underlay)
{
	sample_plan(&sample);
	ck_assert(plans("ip route replace 192.168.77.9/32 via 10.9.0.1 dev wan"));
	settle();
}
END_TEST

START_TEST(other_peers_need_nothing)
{
	sample.peers[1].endpoint.addr = addr("203.0.113.7");
	sample_plan(&sample);
	ck_assert(!plans("ip route replace 203.0.113.7/32 via 10.9.0.1 dev wan"));
}
END_TEST

START_TEST(it_follows_the_gateway)
{
	settle();
	set_way("0.0.0.0/0", "10.9.0.1", "wwan");
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 1);
	ck_assert(plans("ip route replace 192.168.77.9/32 via 10.9.0.1 dev wwan"));
	set_way("0.0.0.0/0", "10.9.0.2", "wan");
	sample_plan(&sample);
	ck_assert(plans("ip route replace 192.168.77.9/32 via 10.9.0.2 dev wan"));
}
END_TEST

START_TEST(without_a_way_it_leads_nowhere)
{
	has_way = false;
	sample_plan(&sample);
	ck_assert(plans("ip route replace unreachable 192.168.77.9/32"));
	settle();
	set_way("0.0.0.0/0", "10.9.0.1", "wan");
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 1);
	ck_assert(plans("ip route replace 192.168.77.9/32 via 10.9.0.1 dev wan"));
}
END_TEST

START_TEST(the_hosts_own_longer_prefix_wins_by_itself)
{
	set_way("192.168.77.0/25", "10.9.0.1", "wan");
	sample_plan(&sample);
	ck_assert(!plans("ip route replace 192.168.77.9/32 via 10.9.0.1 dev wan"));
	set_way("192.168.77.0/24", "10.9.0.1", "wan");
	sample_plan(&sample);
	ck_assert(plans("ip route replace 192.168.77.9/32 via 10.9.0.1 dev wan"));
}
END_TEST

START_TEST(it_goes_with_its_reason)
{
	settle();
	sample.peers[1].endpoint.addr = addr("203.0.113.7");
	for (size_t i = 0; i < sample.observed.devices[0].peer_count; i++)
		sample.observed.devices[0].peers[i].endpoint = (struct endpoint){0};
	sample_plan(&sample);
	ck_assert(plans("ip route delete 192.168.77.9/32 via 10.9.0.1 dev wan"));
}
END_TEST

START_TEST(where_the_peer_is_now_counts)
{
	settle();
	for (size_t i = 0; i < sample.observed.devices[0].peer_count; i++)
		if (sample.observed.devices[0].peers[i].allowed_ip_count == 2)
			sample.observed.devices[0].peers[i].endpoint.addr = addr("192.168.77.10");
	sample_plan(&sample);
	ck_assert(plans("ip route replace 192.168.77.10/32 via 10.9.0.1 dev wan"));
	ck_assert(plans("ip route delete 192.168.77.9/32 via 10.9.0.1 dev wan"));
}
END_TEST

START_TEST(two_peers_at_one_address_need_one_route)
{
	sample.peers[0].endpoint = sample.peers[1].endpoint;
	sample_plan(&sample);
	ck_assert(plans("ip route replace 192.168.77.9/32 via 10.9.0.1 dev wan"));
	settle();
}
END_TEST

START_TEST(an_automatic_default_route_needs_none)
{
	sample.allowed[2] = prefix("0.0.0.0/0");
	sample_plan(&sample);
	ck_assert(!plans("ip route replace 192.168.77.9/32 via 10.9.0.1 dev wan"));
}
END_TEST

START_TEST(a_table_of_ones_own_has_it_there)
{
	sample.allowed[2] = prefix("0.0.0.0/0");
	sample.tunnel.table = TABLE_NUMBER;
	sample.tunnel.table_number = 99;
	sample_plan(&sample);
	ck_assert(plans("ip route replace 192.168.77.9/32 via 10.9.0.1 dev wan table 99"));
}
END_TEST

START_TEST(a_host_prefix_covers_nothing)
{
	sample.peers[0].endpoint = (struct endpoint){.addr = addr("192.168.77.9"), .port = 1};
	sample.peers[1].endpoint = (struct endpoint){0};
	sample.allowed[2] = prefix("192.168.77.9/32");
	sample_plan(&sample);
	ck_assert(!plans("ip route replace 192.168.77.9/32 via 10.9.0.1 dev wan"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bypass");
	TCase *tests = tcase_create("bypass");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_covered_peer_is_reached_over_the_underlay);
	tcase_add_test(tests, other_peers_need_nothing);
	tcase_add_test(tests, it_follows_the_gateway);
	tcase_add_test(tests, without_a_way_it_leads_nowhere);
	tcase_add_test(tests, the_hosts_own_longer_prefix_wins_by_itself);
	tcase_add_test(tests, it_goes_with_its_reason);
	tcase_add_test(tests, where_the_peer_is_now_counts);
	tcase_add_test(tests, two_peers_at_one_address_need_one_route);
	tcase_add_test(tests, an_automatic_default_route_needs_none);
	tcase_add_test(tests, a_table_of_ones_own_has_it_there);
	tcase_add_test(tests, a_host_prefix_covers_nothing);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
