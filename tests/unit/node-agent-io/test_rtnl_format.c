/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/io/rtnl/internal.h"

static struct prefix prefix(const char *text)
{
	struct prefix result = {0};

	ck_assert_int_eq(prefix_parse(text, &result, NULL), 0);
	return result;
}

static struct addr addr(const char *text)
{
	struct addr result = {0};

	ck_assert_int_eq(addr_parse(text, &result, NULL), 0);
	return result;
}

static void assert_route(const struct rtnl_route *route, enum rtnl_op op, const char *wanted)
{
	char text[512];

	ck_assert_str_eq(rtnl_route_format_request(op, route, text, sizeof text), wanted);
}

START_TEST(test_routes)
{
	struct rtnl_route via = {
		.to = prefix("172.30.0.0/16"), .via = addr("192.168.1.254"), .device = "eth1", .table = 254};
	struct rtnl_route all6 = {.to = prefix("::/0"),
		.device = "wg0",
		.table = 51820,
		.metric = 5,
		.mtu = 1400,
		.src = addr("fd50::1"),
		.onlink = true};
	struct rtnl_route none = {.to = prefix("10.0.0.0/8"), .type = RTN_UNREACHABLE};
	struct rtnl_route mixed = {.to = prefix("10.0.0.0/8"), .via = addr("fe80::1"), .device = "eth0"};

	assert_route(&via, RTNL_ADD, "ip route add 172.30.0.0/16 via 192.168.1.254 dev eth1");
	assert_route(&all6, RTNL_REPLACE,
		"ip -6 route replace default dev wg0 onlink src fd50::1 table 51820 metric 5 mtu 1400");
	assert_route(&none, RTNL_DELETE, "ip route del unreachable 10.0.0.0/8");
	assert_route(&mixed, RTNL_DISCARD, "ip route del 10.0.0.0/8 via inet6 fe80::1 dev eth0");
}
END_TEST

START_TEST(test_addresses)
{
	struct rtnl_address host = {
		.prefix = prefix("10.9.0.100/32"), .device = "lo", .scope = RT_SCOPE_HOST};
	struct rtnl_address virtual = {.prefix = prefix("2001:db8::100/128"),
		.device = "eth0",
		.valid_lft_s = 3,
		.flags = IFA_F_NODAD | IFA_F_NOPREFIXROUTE};
	struct rtnl_address forever = {
		.prefix = prefix("10.0.0.1/24"), .device = "eth0", .valid_lft_s = RTNL_LIFETIME_FOREVER};
	struct rtnl_address peered = {
		.prefix = prefix("10.0.0.1/30"), .peer = prefix("10.0.0.2").addr, .device = "wg0"};
	char text[512];

	ck_assert_str_eq(rtnl_address_format(RTNL_ADD, &host, text, sizeof text),
		"ip addr add 10.9.0.100/32 dev lo scope host");
	ck_assert_str_eq(rtnl_address_format(RTNL_REPLACE, &virtual, text, sizeof text),
		"ip addr replace 2001:db8::100/128 dev eth0 valid_lft 3 preferred_lft 0 nodad noprefixroute");
	ck_assert_str_eq(rtnl_address_format(RTNL_DELETE, &virtual, text, sizeof text),
		"ip addr del 2001:db8::100/128 dev eth0");
	ck_assert_str_eq(rtnl_address_format(RTNL_ADD, &forever, text, sizeof text),
		"ip addr add 10.0.0.1/24 dev eth0 valid_lft forever preferred_lft 0");
	ck_assert_str_eq(rtnl_address_format(RTNL_ADD, &peered, text, sizeof text),
		"ip addr add 10.0.0.1 peer 10.0.0.2/30 dev wg0");
}
END_TEST

START_TEST(test_rules)
{
	struct rtnl_rule mark = {.family = AF_INET,
		.invert = true,
		.has_fwmark = true,
		.fwmark = 51820,
		.table = 51820,
		.has_priority = true,
		.priority = 32765};
	struct rtnl_rule suppress = {.family = AF_INET6, .has_suppress = true};
	struct rtnl_rule source = {.family = AF_INET,
		.from = prefix("10.0.0.0/8"),
		.has_fwmark = true,
		.fwmark = 1,
		.fwmask = 0xf,
		.iif = "wg0",
		.action = FR_ACT_PROHIBIT};
	char text[512];

	ck_assert_str_eq(rtnl_rule_format(RTNL_ADD, &mark, text, sizeof text),
		"ip rule add not fwmark 0xca6c lookup 51820 priority 32765");
	ck_assert_str_eq(rtnl_rule_format(RTNL_ADD, &suppress, text, sizeof text),
		"ip -6 rule add lookup 254 suppress_prefixlength 0");
	ck_assert_str_eq(rtnl_rule_format(RTNL_DELETE, &source, text, sizeof text),
		"ip rule del from 10.0.0.0/8 fwmark 0x1/0xf iif wg0 prohibit");
}
END_TEST

START_TEST(test_links)
{
	struct rtnl_link_change up = {.name = "wg0", .set = RTNL_LINK_UP | RTNL_LINK_MTU, .mtu = 1420};
	struct rtnl_link_change down = {.name = "wg0", .set = RTNL_LINK_DOWN};
	struct rtnl_link_change flag = {.name = "wg0", .set = RTNL_LINK_MULTICAST_ON};
	char text[128];

	ck_assert_str_eq(rtnl_link_format_change(&up, text, sizeof text), "ip link set wg0 mtu 1420 up");
	ck_assert_str_eq(rtnl_link_format_change(&down, text, sizeof text), "ip link set wg0 down");
	ck_assert_str_eq(rtnl_link_format_change(&flag, text, sizeof text), "ip link set wg0 multicast on");
}
END_TEST

START_TEST(test_device_names)
{
	ck_assert(rtnl_is_device_name("wg0"));
	ck_assert(rtnl_is_device_name("eth0.100"));
	ck_assert(rtnl_is_device_name("123456789012345"));
	ck_assert(!rtnl_is_device_name("1234567890123456"));
	ck_assert(!rtnl_is_device_name(""));
	ck_assert(!rtnl_is_device_name(NULL));
	ck_assert(!rtnl_is_device_name("."));
	ck_assert(!rtnl_is_device_name(".."));
	ck_assert(!rtnl_is_device_name("a/b"));
	ck_assert(!rtnl_is_device_name("a b"));
	ck_assert(!rtnl_is_device_name("a:b"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtnl-format");
	TCase *all = tcase_create("all");

	tcase_add_test(all, test_routes);
	tcase_add_test(all, test_addresses);
	tcase_add_test(all, test_rules);
	tcase_add_test(all, test_links);
	tcase_add_test(all, test_device_names);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
