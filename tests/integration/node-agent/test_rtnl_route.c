/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/rule.h"
#include "sandbox.h"

static struct rtnl *rtnl;
static struct err err;

static void open_rtnl(void)
{
	sandbox_enter();
	NET_OK(&err, rtnl_open(RTNL_TIMEOUT_MS, &rtnl, &err));
}

static void close_rtnl(void)
{
	rtnl_close(rtnl);
	rtnl = NULL;
}

/* eth1 (192.168.1.1/24, fd01::1/64) with a cable to far1. */
static void make_eth1(void)
{
	sandbox_run("ip link add eth1 type veth peer name far1");
	sandbox_run("ip link set far1 up");
	sandbox_run("ip link set eth1 up");
	sandbox_run("ip addr add 192.168.1.1/24 dev eth1");
	sandbox_run("ip -6 addr add fd01::1/64 dev eth1 nodad");
}

/* ---- routes ---- */

static size_t count_routes(const struct rtnl_route_filter *filter, struct rtnl_route *first)
{
	struct rtnl_route *routes;
	size_t count;

	NET_OK(&err, rtnl_route_list(rtnl, filter, &routes, &count, &err));
	if (count && first)
		*first = routes[0];
	free(routes);
	return count;
}

START_TEST(test_route_life)
{
	struct rtnl_route route = {.to = net_prefix("172.30.0.0/16"),
		.via = net_addr("192.168.1.254"),
		.device = "eth1",
		.table = 100,
		.metric = 7,
		.mtu = 1300,
		.protocol = 98,
		.src = net_addr("192.168.1.1")};
	struct rtnl_route_filter filter = {.table = 100, .protocol = 98};
	struct rtnl_route found;

	make_eth1();
	ck_assert_uint_eq(count_routes(&filter, NULL), 0);
	NET_OK(&err, rtnl_route_request(rtnl, RTNL_ADD, &route, &err));
	ck_assert_uint_eq(count_routes(&filter, &found), 1);
	ck_assert(prefix_equal(&found.to, &route.to) && addr_equal(&found.via, &route.via) &&
		  addr_equal(&found.src, &route.src));
	ck_assert_str_eq(found.device, "eth1");
	ck_assert_uint_eq(found.table, 100);
	ck_assert_uint_eq(found.metric, 7);
	ck_assert_uint_eq(found.mtu, 1300);
	ck_assert_uint_eq(found.type, RTN_UNICAST);
	filter.protocol = 99;
	ck_assert_uint_eq(count_routes(&filter, NULL), 0);

	ck_assert_int_eq(rtnl_route_request(rtnl, RTNL_ADD, &route, &err), -EEXIST);
	route.via = net_addr("192.168.1.253");
	NET_OK(&err, rtnl_route_request(rtnl, RTNL_REPLACE, &route, &err));
	filter.protocol = 98;
	ck_assert_uint_eq(count_routes(&filter, &found), 1);
	ck_assert(addr_equal(&found.via, &route.via));

	/* what the list gave deletes it */
	NET_OK(&err, rtnl_route_request(rtnl, RTNL_DELETE, &found, &err));
	ck_assert_uint_eq(count_routes(&filter, NULL), 0);
	ck_assert_int_eq(rtnl_route_request(rtnl, RTNL_DELETE, &found, &err), -ESRCH);
	NET_OK(&err, rtnl_route_request(rtnl, RTNL_DISCARD, &found, &err));
}
END_TEST

START_TEST(test_route_of_ipv6_and_of_both_families)
{
	struct rtnl_route v6 = {.to = net_prefix("fd99::/64"), .device = "eth1", .table = 100};
	struct rtnl_route v4 = {.to = net_prefix("0.0.0.0/0"), .device = "eth1", .table = 100};
	struct rtnl_route none = {
		.to = net_prefix("::/0"), .type = RTN_UNREACHABLE, .table = 100, .metric = 9};
	struct rtnl_route_filter filter = {.table = 100};
	struct rtnl_route found;

	make_eth1();
	NET_OK(&err, rtnl_route_request(rtnl, RTNL_ADD, &v6, &err));
	NET_OK(&err, rtnl_route_request(rtnl, RTNL_ADD, &v4, &err));
	NET_OK(&err, rtnl_route_request(rtnl, RTNL_ADD, &none, &err));
	ck_assert_uint_eq(count_routes(&filter, &found), 3);
	ck_assert_uint_eq(found.to.addr.family, AF_INET);
	ck_assert_uint_eq(found.to.length, 0);
	ck_assert_uint_eq(found.scope, RT_SCOPE_LINK);
	filter.type = RTN_UNREACHABLE;
	ck_assert_uint_eq(count_routes(&filter, &found), 1);
	filter.type = 0;
	filter.family = AF_INET6;
	ck_assert_uint_eq(count_routes(&filter, &found), 2);
	NET_OK(&err, rtnl_route_request(rtnl, RTNL_DELETE, &none, &err));
	NET_OK(&err, rtnl_route_request(rtnl, RTNL_DELETE, &v6, &err));
	ck_assert_uint_eq(count_routes(&filter, &found), 0);
}
END_TEST

START_TEST(test_route_errors_name_the_operation)
{
	struct rtnl_route route = {
		.to = net_prefix("172.30.0.0/16"), .via = net_addr("10.1.1.1"), .device = "eth1"};

	make_eth1();
	ck_assert_int_eq(rtnl_route_request(rtnl, RTNL_ADD, &route, &err), -ENETUNREACH);
	ck_assert_str_eq(err.text,
		"ip route add 172.30.0.0/16 via 10.1.1.1 dev eth1: Network is unreachable (Nexthop "
		"has invalid gateway)");
	route.onlink = true;
	NET_OK(&err, rtnl_route_request(rtnl, RTNL_ADD, &route, &err));
	strcpy(route.device, "none0");
	ck_assert_int_eq(rtnl_route_request(rtnl, RTNL_ADD, &route, &err), -ENODEV);
	ck_assert_str_eq(
		err.text, "ip route add 172.30.0.0/16 via 10.1.1.1 dev none0 onlink: No such device");
	route.to.length = 33;
	ck_assert_int_eq(rtnl_route_request(rtnl, RTNL_ADD, &route, &err), -EINVAL);
}
END_TEST

START_TEST(test_lookup_as_the_mark_says)
{
	struct rtnl_route_query query = {.to = net_addr("203.0.113.9")};
	struct rtnl_route route;

	make_eth1();
	ck_assert_int_eq(rtnl_route_lookup(rtnl, &query, &route, &err), -ENETUNREACH);
	ck_assert_str_eq(err.text, "ip route get 203.0.113.9 mark 0x0: Network is unreachable");
	sandbox_run("ip route add default via 192.168.1.254 dev eth1 mtu 1280");
	sandbox_run("ip link add br0 type bridge");
	sandbox_run("ip addr add 10.7.0.1/24 dev br0");
	sandbox_run("ip link set br0 up");
	sandbox_run("ip route add default dev br0 table 100");
	sandbox_run("ip rule add fwmark 0x64 lookup 100");

	NET_OK(&err, rtnl_route_lookup(rtnl, &query, &route, &err));
	ck_assert_str_eq(route.device, "eth1");
	ck_assert_uint_eq(route.mtu, 1280);
	ck_assert_uint_eq(route.table, RT_TABLE_MAIN);
	ck_assert(addr_equal(&route.src, &(struct addr){AF_INET, {192, 168, 1, 1}}));
	ck_assert(addr_equal(&route.via, &(struct addr){AF_INET, {192, 168, 1, 254}}));

	query.mark = 0x64;
	NET_OK(&err, rtnl_route_lookup(rtnl, &query, &route, &err));
	ck_assert_str_eq(route.device, "br0");
	ck_assert_uint_eq(route.table, 100);

	query = (struct rtnl_route_query){.to = net_addr("192.168.1.1"), .from = net_addr("192.168.1.1")};
	NET_OK(&err, rtnl_route_lookup(rtnl, &query, &route, &err));
	ck_assert_uint_eq(route.type, RTN_LOCAL);

	query = (struct rtnl_route_query){.to = net_addr("2001:db8::9")};
	ck_assert_int_eq(rtnl_route_lookup(rtnl, &query, &route, &err), -ENETUNREACH);
	query = (struct rtnl_route_query){.to = net_addr("fd01::9")};
	NET_OK(&err, rtnl_route_lookup(rtnl, &query, &route, &err));
	ck_assert_str_eq(route.device, "eth1");
	query = (struct rtnl_route_query){0};
	ck_assert_int_eq(rtnl_route_lookup(rtnl, &query, &route, &err), -EINVAL);
}
END_TEST

START_TEST(test_multipath_is_told)
{
	struct rtnl_route_filter filter = {.table = 100};
	struct rtnl_route found = {0};

	make_eth1();
	sandbox_run("ip route add 10.0.0.0/8 table 100 nexthop via 192.168.1.2 dev eth1 nexthop via "
		    "192.168.1.3 dev eth1");
	ck_assert_uint_eq(count_routes(&filter, &found), 1);
	ck_assert(found.multipath);
	ck_assert_str_eq(found.device, "eth1");
	ck_assert(addr_equal(&found.via, &(struct addr){AF_INET, {192, 168, 1, 2}}));
}
END_TEST

/* ---- rules ---- */

static const struct rtnl_rule not_marked = {.family = AF_INET,
	.invert = true,
	.has_fwmark = true,
	.fwmark = 51820,
	.table = 51820,
	.has_priority = true,
	.priority = 32765};
static const struct rtnl_rule suppress = {.family = AF_INET,
	.has_suppress = true,
	.table = RT_TABLE_MAIN,
	.has_priority = true,
	.priority = 32764};

static size_t count_rules(int family)
{
	struct rtnl_rule *rules;
	size_t count;

	NET_OK(&err, rtnl_rule_list(rtnl, family, &rules, &count, &err));
	free(rules);
	return count;
}

START_TEST(test_rule_life)
{
	struct rtnl_rule *rules;
	size_t count;

	NET_OK(&err, rtnl_rule_request(rtnl, RTNL_ADD, &not_marked, &err));
	NET_OK(&err, rtnl_rule_request(rtnl, RTNL_ADD, &suppress, &err));
	NET_OK(&err, rtnl_rule_list(rtnl, AF_INET, &rules, &count, &err));
	ck_assert_uint_eq(count, 5);
	ck_assert_uint_eq(rules[1].priority, 32764);
	ck_assert(rules[1].has_suppress && rules[1].suppress_prefixlength == 0 && !rules[1].has_more);
	ck_assert_uint_eq(rules[2].priority, 32765);
	ck_assert(rules[2].invert && rules[2].fwmark == 51820 && rules[2].fwmask == UINT32_MAX);
	ck_assert_uint_eq(rules[2].table, 51820);
	ck_assert(!rules[3].has_suppress && !rules[3].has_fwmark);

	ck_assert_int_eq(rtnl_rule_request(rtnl, RTNL_ADD, &suppress, &err), -EEXIST);
	NET_OK(&err, rtnl_rule_request(rtnl, RTNL_REPLACE, &suppress, &err));
	ck_assert_uint_eq(count_rules(AF_INET), 5);

	/* what the list gave deletes it */
	NET_OK(&err, rtnl_rule_request(rtnl, RTNL_DELETE, &rules[1], &err));
	NET_OK(&err, rtnl_rule_request(rtnl, RTNL_DELETE, &rules[2], &err));
	ck_assert_uint_eq(count_rules(AF_INET), 3);
	ck_assert_int_eq(rtnl_rule_request(rtnl, RTNL_DELETE, &suppress, &err), -ENOENT);
	ck_assert_str_eq(err.text,
		"ip rule del lookup 254 suppress_prefixlength 0 priority 32764: No such file or directory");
	NET_OK(&err, rtnl_rule_request(rtnl, RTNL_DISCARD, &suppress, &err));
	free(rules);
}
END_TEST

/* Two tunnels: taking down one leaves the other's rule that looks the same. */
START_TEST(test_only_our_own_rule_goes)
{
	struct rtnl_rule other = suppress;
	struct rtnl_rule *rules;
	size_t count;

	other.priority = 32762;
	NET_OK(&err, rtnl_rule_request(rtnl, RTNL_ADD, &suppress, &err));
	NET_OK(&err, rtnl_rule_request(rtnl, RTNL_ADD, &other, &err));
	NET_OK(&err, rtnl_rule_request(rtnl, RTNL_DELETE, &suppress, &err));
	NET_OK(&err, rtnl_rule_list(rtnl, AF_INET, &rules, &count, &err));
	ck_assert_uint_eq(count, 4);
	ck_assert_uint_eq(rules[1].priority, 32762);
	free(rules);
}
END_TEST

START_TEST(test_rules_of_both_families_and_of_others)
{
	struct rtnl_rule v6 = not_marked, *rules;
	size_t count, i;
	bool more = false;

	v6.family = AF_INET6;
	v6.from = net_prefix("fd50::/64");
	NET_OK(&err, rtnl_rule_request(rtnl, RTNL_ADD, &v6, &err));
	sandbox_run("ip rule add ipproto 6 dport 80 lookup 100 priority 5");
	NET_OK(&err, rtnl_rule_list(rtnl, 0, &rules, &count, &err));
	ck_assert_uint_eq(count, 4 + 3);
	for (i = 0; i < count; i++) {
		ck_assert_int_eq(rules[i].family, i < 4 ? AF_INET : AF_INET6);
		if (rules[i].priority == 5)
			more = rules[i].has_more;
		else
			ck_assert(!rules[i].has_more);
	}
	ck_assert(more);
	free(rules);
	v6.to = net_prefix("10.0.0.0/8");
	ck_assert_int_eq(rtnl_rule_request(rtnl, RTNL_ADD, &v6, &err), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtnl-route");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, open_rtnl, close_rtnl);
	tcase_set_timeout(all, 30);
	tcase_add_test(all, test_route_life);
	tcase_add_test(all, test_route_of_ipv6_and_of_both_families);
	tcase_add_test(all, test_route_errors_name_the_operation);
	tcase_add_test(all, test_lookup_as_the_mark_says);
	tcase_add_test(all, test_multipath_is_told);
	tcase_add_test(all, test_rule_life);
	tcase_add_test(all, test_only_our_own_rule_goes);
	tcase_add_test(all, test_rules_of_both_families_and_of_others);
	suite_add_tcase(suite, all);
	return sandbox_main(suite);
}
