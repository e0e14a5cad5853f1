/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/rtnl/attribute.h"
#include "node-agent/io/rtnl/internal.h"

/* What a request says is what an answer says: the same attributes, so a request that is parsed gives back what was
 * asked for. The integration tests ask the kernel itself. */

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

static uint8_t buffer[4096];

static struct nlmsghdr *message(void)
{
	return (struct nlmsghdr *)(void *)buffer;
}

static void clear(void)
{
	memset(buffer, 0, sizeof buffer);
}

START_TEST(test_address_there_and_back)
{
	struct rtnl_address wanted = {.prefix = prefix("fd50::1/64"),
		.ifindex = 7,
		.scope = RT_SCOPE_LINK,
		.flags = IFA_F_NODAD | IFA_F_NOPREFIXROUTE,
		.valid_lft_s = 3,
		.preferred_lft_s = 0};
	struct rtnl_address found;

	clear();
	rtnl_address_put(buffer, RTNL_REPLACE, &wanted);
	ck_assert_uint_eq(message()->nlmsg_type, RTM_NEWADDR);
	ck_assert_int_eq(rtnl_address_parse(message(), &found), 0);
	ck_assert_mem_eq(&found, &wanted, sizeof found);
}
END_TEST

START_TEST(test_address_with_a_peer)
{
	struct rtnl_address wanted = {.prefix = prefix("10.51.0.1/30"),
		.peer = addr("10.51.0.2"),
		.ifindex = 7,
		.valid_lft_s = RTNL_LIFETIME_FOREVER,
		.preferred_lft_s = RTNL_LIFETIME_FOREVER};
	struct rtnl_address found;

	clear();
	rtnl_address_put(buffer, RTNL_ADD, &wanted);
	ck_assert_int_eq(rtnl_address_parse(message(), &found), 0);
	ck_assert_mem_eq(&found, &wanted, sizeof found);
}
END_TEST

START_TEST(test_multicast_alone_changes_nothing_else)
{
	struct rtnl_link_change change = {.name = "wg0", .set = RTNL_LINK_MULTICAST_OFF};
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message());

	clear();
	rtnl_link_put_change(buffer, &change);
	ck_assert_uint_eq(header->ifi_change, IFF_MULTICAST);
	ck_assert_uint_eq(header->ifi_flags, 0);
	change.set = RTNL_LINK_MULTICAST_ON | RTNL_LINK_UP;
	clear();
	rtnl_link_put_change(buffer, &change);
	ck_assert_uint_eq(header->ifi_change, IFF_MULTICAST | IFF_UP);
	ck_assert_uint_eq(header->ifi_flags, IFF_MULTICAST | IFF_UP);
}
END_TEST

START_TEST(test_route_there_and_back)
{
	struct rtnl_route wanted = {.to = prefix("172.30.0.0/16"),
		.via = addr("192.168.1.254"),
		.src = addr("192.168.1.1"),
		.ifindex = 3,
		.table = 51820,
		.metric = 10,
		.mtu = 1400,
		.protocol = 98,
		.scope = RT_SCOPE_SITE,
		.type = RTN_UNICAST,
		.onlink = true};
	struct rtnl_route found;

	clear();
	rtnl_route_put(buffer, RTNL_ADD, &wanted);
	ck_assert_uint_eq(message()->nlmsg_type, RTM_NEWROUTE);
	ck_assert_int_eq(rtnl_route_parse(message(), &found), 0);
	ck_assert_mem_eq(&found, &wanted, sizeof found);
}
END_TEST

START_TEST(test_route_with_a_gateway_of_the_other_family)
{
	struct rtnl_route wanted = {.to = prefix("10.0.0.0/8"), .via = addr("fe80::1"), .ifindex = 3};
	struct rtnl_route found;

	clear();
	rtnl_route_put(buffer, RTNL_ADD, &wanted);
	ck_assert_int_eq(rtnl_route_parse(message(), &found), 0);
	ck_assert(addr_equal(&found.via, &wanted.via));
	ck_assert_uint_eq(found.table, RT_TABLE_MAIN);
	ck_assert_uint_eq(found.protocol, RTPROT_BOOT);
	ck_assert_uint_eq(found.type, RTN_UNICAST);
	ck_assert_uint_eq(found.scope, RT_SCOPE_UNIVERSE);
}
END_TEST

START_TEST(test_rule_there_and_back)
{
	struct rtnl_rule wanted = {.family = AF_INET6,
		.priority = 100,
		.has_priority = true,
		.invert = true,
		.has_fwmark = true,
		.fwmark = 51820,
		.fwmask = UINT32_MAX,
		.from = prefix("fd50::/64"),
		.iif = "wg0",
		.oif = "eth0",
		.table = 51820,
		.has_suppress = true,
		.suppress_prefixlength = 0,
		.action = FR_ACT_TO_TBL,
		.protocol = 98};
	struct rtnl_rule found;

	clear();
	rtnl_rule_put(buffer, RTNL_ADD, &wanted);
	ck_assert_uint_eq(message()->nlmsg_type, RTM_NEWRULE);
	ck_assert_int_eq(rtnl_rule_parse(message(), &found), 0);
	ck_assert_mem_eq(&found, &wanted, sizeof found);
}
END_TEST

static void put_link(unsigned char family, uint32_t flags)
{
	static const uint8_t mac[] = {2, 0, 0, 0, 0, 1};
	struct ifinfomsg *header;
	struct nlattr *info;

	clear();
	mnl_nlmsg_put_header(buffer)->nlmsg_type = RTM_NEWLINK;
	header = mnl_nlmsg_put_extra_header(message(), sizeof *header);
	header->ifi_family = family;
	header->ifi_index = 5;
	header->ifi_type = ARPHRD_ETHER;
	header->ifi_flags = flags;
	mnl_attr_put_strz(message(), IFLA_IFNAME, "eth0");
	mnl_attr_put_u32(message(), IFLA_MTU, 1500);
	mnl_attr_put_u32(message(), IFLA_MASTER, 9);
	mnl_attr_put_u8(message(), IFLA_OPERSTATE, 6);
	mnl_attr_put(message(), IFLA_ADDRESS, sizeof mac, mac);
	info = mnl_attr_nest_start(message(), IFLA_LINKINFO);
	mnl_attr_put_strz(message(), IFLA_INFO_KIND, "veth");
	mnl_attr_nest_end(message(), info);
}

START_TEST(test_link)
{
	struct rtnl_link link;

	put_link(AF_UNSPEC, IFF_UP | 1 << 16);
	ck_assert_int_eq(rtnl_link_parse(message(), &link), 0);
	ck_assert_str_eq(link.name, "eth0");
	ck_assert_str_eq(link.kind, "veth");
	ck_assert_uint_eq(link.ifindex, 5);
	ck_assert_uint_eq(link.mtu, 1500);
	ck_assert_uint_eq(link.master, 9);
	ck_assert(link.up && link.carrier && link.has_mac);
	ck_assert_uint_eq(link.mac[5], 1);

	put_link(AF_UNSPEC, IFF_UP);
	ck_assert_int_eq(rtnl_link_parse(message(), &link), 0);
	ck_assert(link.up && !link.carrier);

	put_link(AF_BRIDGE, IFF_UP);
	ck_assert_int_eq(rtnl_link_parse(message(), &link), -EPROTO);
}
END_TEST

/* Every parser gets every message, cut at every length and with lies at every byte. */
static void feed_all(const struct nlmsghdr *cut)
{
	struct rtnl_link link;
	struct rtnl_address address;
	struct rtnl_route route;
	struct rtnl_rule rule;
	char why[NETLINK_WHY_MAX];

	(void)rtnl_link_parse(cut, &link);
	(void)rtnl_address_parse(cut, &address);
	(void)rtnl_route_parse(cut, &route);
	(void)rtnl_rule_parse(cut, &rule);
	(void)netlink_error(cut, why);
}

static void torture(void)
{
	static const uint8_t lies[] = {0, 1, 3, 4, 2, 10, 0x7f, 0xff};
	uint32_t length = message()->nlmsg_len, cut_at, at;
	struct nlmsghdr *cut;
	size_t lie;

	for (cut_at = MNL_NLMSG_HDRLEN; cut_at <= length; cut_at++) {
		cut = mem_copy(buffer, cut_at);
		cut->nlmsg_len = cut_at;
		feed_all(cut);
		free(cut);
	}
	for (at = 4; at < length; at++) {
		for (lie = 0; lie < sizeof lies; lie++) {
			cut = mem_copy(buffer, length);
			((uint8_t *)cut)[at] = lies[lie];
			feed_all(cut);
			free(cut);
		}
	}
}

static void put_multipath(void)
{
	struct rtnl_route route = {.to = prefix("10.0.0.0/8")};
	const struct addr via = addr("192.0.2.1");
	struct nlattr *nest, *gateway;
	struct rtnexthop *hop;
	int i;

	clear();
	rtnl_route_put(buffer, RTNL_ADD, &route);
	nest = mnl_attr_nest_start(message(), RTA_MULTIPATH);
	for (i = 0; i < 2; i++) {
		hop = mnl_nlmsg_get_payload_tail(message());
		hop->rtnh_ifindex = 7 + i;
		message()->nlmsg_len += sizeof *hop;
		gateway = mnl_nlmsg_get_payload_tail(message());
		attribute_put_addr(message(), RTA_GATEWAY, &via);
		hop->rtnh_len = (unsigned short)(sizeof *hop + gateway->nla_len);
	}
	mnl_attr_nest_end(message(), nest);
}

START_TEST(test_multipath_shows_its_first_hop)
{
	struct rtnl_route route;
	struct addr via = addr("192.0.2.1");

	put_multipath();
	ck_assert_int_eq(rtnl_route_parse(message(), &route), 0);
	ck_assert(route.multipath);
	ck_assert_uint_eq(route.ifindex, 7);
	ck_assert(addr_equal(&route.via, &via));
}
END_TEST

START_TEST(test_broken_messages_read_nothing_beyond)
{
	struct rtnl_address address = {.prefix = prefix("fd50::1/64"), .ifindex = 7, .valid_lft_s = 3};
	struct rtnl_route route = {.to = prefix("10.0.0.0/8"),
		.via = addr("fe80::1"),
		.src = addr("10.0.0.1"),
		.ifindex = 3,
		.mtu = 1400};
	struct rtnl_rule rule = {
		.family = AF_INET, .has_fwmark = true, .from = prefix("10.0.0.0/8"), .iif = "wg0"};

	put_link(AF_UNSPEC, IFF_UP);
	torture();
	clear();
	rtnl_address_put(buffer, RTNL_ADD, &address);
	torture();
	clear();
	rtnl_route_put(buffer, RTNL_ADD, &route);
	torture();
	clear();
	rtnl_rule_put(buffer, RTNL_ADD, &rule);
	torture();
	put_multipath();
	torture();
}
END_TEST

/* Takes a byte off the first attribute of the type, among those that follow the header or lie in a nest of them. */
static void shorten(size_t header_bytes, uint16_t nest, uint16_t type)
{
	struct nlattr *attribute;
	bool found = false;

	mnl_attr_for_each(attribute, message(), header_bytes)
	{
		struct nlattr *inner;

		if (!nest && mnl_attr_get_type(attribute) == type && !found) {
			attribute->nla_len--;
			found = true;
		}
		if (!nest || mnl_attr_get_type(attribute) != nest)
			continue;
		mnl_attr_for_each_nested(inner, attribute)
		{
			if (mnl_attr_get_type(inner) == type)
				inner->nla_len--;
			found |= mnl_attr_get_type(inner) == type;
		}
	}
	ck_assert(found);
}

static int short_rule(uint16_t type)
{
	const struct rtnl_rule rule = {.family = AF_INET,
		.from = prefix("10.0.0.0/8"),
		.to = prefix("10.0.0.0/8"),
		.has_priority = true,
		.has_fwmark = true,
		.has_suppress = true,
		.table = 99,
		.protocol = 158};
	struct rtnl_rule found;

	clear();
	rtnl_rule_put(buffer, RTNL_ADD, &rule);
	ck_assert_int_eq(rtnl_rule_parse(message(), &found), 0);
	shorten(sizeof(struct fib_rule_hdr), 0, type);
	return rtnl_rule_parse(message(), &found);
}

static int short_route(const char *via, uint16_t nest, uint16_t type)
{
	const struct rtnl_route route = {.to = prefix("10.0.0.0/8"),
		.via = addr(via),
		.src = addr("10.0.0.1"),
		.ifindex = 3,
		.table = 1000,
		.metric = 7,
		.mtu = 1400};
	struct rtnl_route found;

	clear();
	rtnl_route_put(buffer, RTNL_ADD, &route);
	ck_assert_int_eq(rtnl_route_parse(message(), &found), 0);
	shorten(sizeof(struct rtmsg), nest, type);
	return rtnl_route_parse(message(), &found);
}

static int short_address(uint16_t type)
{
	const struct rtnl_address address = {.prefix = prefix("fd50::1/64"),
		.peer = addr("fd50::2"),
		.ifindex = 7,
		.flags = IFA_F_NODAD,
		.valid_lft_s = 3};
	struct rtnl_address found;

	clear();
	rtnl_address_put(buffer, RTNL_ADD, &address);
	ck_assert_int_eq(rtnl_address_parse(message(), &found), 0);
	shorten(sizeof(struct ifaddrmsg), 0, type);
	return rtnl_address_parse(message(), &found);
}

static int short_link(uint16_t type, size_t size_bytes)
{
	static const uint8_t bytes[8];
	struct ifinfomsg *header;
	struct rtnl_link found;

	clear();
	header = mnl_nlmsg_put_extra_header(mnl_nlmsg_put_header(buffer), sizeof *header);
	header->ifi_index = 7;
	header->ifi_type = ARPHRD_ETHER;
	mnl_attr_put(message(), type, size_bytes, bytes);
	ck_assert_int_eq(rtnl_link_parse(message(), &found), 0);
	shorten(sizeof *header, 0, type);
	return rtnl_link_parse(message(), &found);
}

/* A rule whose FRA_SRC cannot be read is not one for everybody. */
START_TEST(test_what_is_too_short_is_malformed)
{
	static const uint16_t of_rule[] = {FRA_SRC, FRA_DST, FRA_PRIORITY, FRA_FWMARK, FRA_FWMASK,
		FRA_SUPPRESS_PREFIXLEN, FRA_TABLE, FRA_PROTOCOL};
	static const uint16_t of_route[] = {
		RTA_DST, RTA_PREFSRC, RTA_OIF, RTA_TABLE, RTA_PRIORITY, RTA_GATEWAY};
	static const uint16_t of_address[] = {IFA_LOCAL, IFA_ADDRESS, IFA_FLAGS, IFA_CACHEINFO};

	for (size_t i = 0; i < ARRAY_COUNT(of_rule); i++)
		ck_assert_int_eq(short_rule(of_rule[i]), -EPROTO);
	for (size_t i = 0; i < ARRAY_COUNT(of_route); i++)
		ck_assert_int_eq(short_route("10.0.0.2", 0, of_route[i]), -EPROTO);
	ck_assert_int_eq(short_route("fe80::1", 0, RTA_VIA), -EPROTO);
	ck_assert_int_eq(short_route("10.0.0.2", RTA_METRICS, RTAX_MTU), -EPROTO);
	for (size_t i = 0; i < ARRAY_COUNT(of_address); i++)
		ck_assert_int_eq(short_address(of_address[i]), -EPROTO);
	ck_assert_int_eq(short_link(IFLA_MTU, 4), -EPROTO);
	ck_assert_int_eq(short_link(IFLA_MASTER, 4), -EPROTO);
	ck_assert_int_eq(short_link(IFLA_OPERSTATE, 1), -EPROTO);
	ck_assert_int_eq(short_link(IFLA_ADDRESS, RTNL_MAC_BYTES), -EPROTO);
}
END_TEST

/* The header tells of a prefix that no attribute has. */
START_TEST(test_a_length_without_its_prefix_is_malformed)
{
	struct fib_rule_hdr *of_rule;
	struct rtmsg *of_route;
	struct rtnl_route route;
	struct rtnl_rule rule;

	clear();
	of_rule = mnl_nlmsg_put_extra_header(mnl_nlmsg_put_header(buffer), sizeof *of_rule);
	of_rule->family = AF_INET;
	ck_assert_int_eq(rtnl_rule_parse(message(), &rule), 0);
	of_rule->src_len = 8;
	ck_assert_int_eq(rtnl_rule_parse(message(), &rule), -EPROTO);
	clear();
	of_route = mnl_nlmsg_put_extra_header(mnl_nlmsg_put_header(buffer), sizeof *of_route);
	of_route->rtm_family = AF_INET6;
	ck_assert_int_eq(rtnl_route_parse(message(), &route), 0);
	of_route->rtm_dst_len = 64;
	ck_assert_int_eq(rtnl_route_parse(message(), &route), -EPROTO);
}
END_TEST

static struct nlmsgerr *put_error(int code, uint16_t flags)
{
	struct nlmsgerr *error;

	clear();
	mnl_nlmsg_put_header(buffer)->nlmsg_type = NLMSG_ERROR;
	message()->nlmsg_flags = flags;
	error = mnl_nlmsg_put_extra_header(message(), sizeof *error);
	error->error = code;
	error->msg.nlmsg_len = sizeof error->msg;
	return error;
}

START_TEST(test_errors_carry_the_kernels_words)
{
	char why[NETLINK_WHY_MAX], words[NETLINK_WHY_MAX + 2];

	put_error(-ENETUNREACH, 0);
	ck_assert_int_eq(netlink_error(message(), why), -ENETUNREACH);
	ck_assert_str_eq(why, "");

	put_error(-EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED);
	mnl_attr_put_strz(message(), NLMSGERR_ATTR_MSG, "Nexthop has invalid gateway");
	ck_assert_int_eq(netlink_error(message(), why), -EINVAL);
	ck_assert_str_eq(why, "Nexthop has invalid gateway");

	/* the request is repeated in front of the words */
	put_error(-EINVAL, NLM_F_ACK_TLVS)->msg.nlmsg_len = sizeof(struct nlmsghdr) + 8;
	mnl_nlmsg_put_extra_header(message(), 8);
	mnl_attr_put_strz(message(), NLMSGERR_ATTR_MSG, "words");
	ck_assert_int_eq(netlink_error(message(), why), -EINVAL);
	ck_assert_str_eq(why, "words");

	/* the length of the request is a lie */
	put_error(-EINVAL, NLM_F_ACK_TLVS)->msg.nlmsg_len = UINT32_MAX;
	ck_assert_int_eq(netlink_error(message(), why), -EINVAL);

	memset(words, 'x', sizeof words);
	words[sizeof words - 1] = '\0';
	put_error(-EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED);
	mnl_attr_put_strz(message(), NLMSGERR_ATTR_MSG, words);
	ck_assert_int_eq(netlink_error(message(), why), -EINVAL);
	ck_assert_uint_eq(strlen(why), NETLINK_WHY_MAX - 1);

	put_error(1, 0);
	ck_assert_int_eq(netlink_error(message(), why), -EPROTO);
}
END_TEST

START_TEST(test_the_longest_requests_fit)
{
	struct rtnl_route route = {.to = prefix("fd50::/64"),
		.via = addr("fe80::1"),
		.src = addr("fd50::1"),
		.ifindex = 3,
		.table = 51820,
		.metric = 10,
		.mtu = 1400,
		.protocol = 98};
	struct rtnl_rule rule = {.family = AF_INET6,
		.priority = 100,
		.has_priority = true,
		.has_fwmark = true,
		.from = prefix("fd50::/64"),
		.to = prefix("fd51::/64"),
		.iif = "123456789012345",
		.oif = "123456789012345",
		.has_suppress = true,
		.protocol = 98};

	clear();
	rtnl_route_put(buffer, RTNL_ADD, &route);
	ck_assert_uint_le(message()->nlmsg_len, RTNL_REQUEST_MAX);
	clear();
	rtnl_rule_put(buffer, RTNL_ADD, &rule);
	ck_assert_uint_le(message()->nlmsg_len, RTNL_REQUEST_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtnl-message");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 50);
	tcase_add_test(all, test_address_there_and_back);
	tcase_add_test(all, test_address_with_a_peer);
	tcase_add_test(all, test_multicast_alone_changes_nothing_else);
	tcase_add_test(all, test_route_there_and_back);
	tcase_add_test(all, test_route_with_a_gateway_of_the_other_family);
	tcase_add_test(all, test_rule_there_and_back);
	tcase_add_test(all, test_link);
	tcase_add_test(all, test_multipath_shows_its_first_hop);
	tcase_add_test(all, test_broken_messages_read_nothing_beyond);
	tcase_add_test(all, test_what_is_too_short_is_malformed);
	tcase_add_test(all, test_a_length_without_its_prefix_is_malformed);
	tcase_add_test(all, test_errors_carry_the_kernels_words);
	tcase_add_test(all, test_the_longest_requests_fit);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
