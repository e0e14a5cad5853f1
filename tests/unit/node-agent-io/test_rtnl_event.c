/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/rtnl/internal.h"

/* What the kernel tells unasked, what it knows of neighbours, and how long a list may get. */

static uint8_t buffer[1024];

static struct nlmsghdr *message(void)
{
	return (struct nlmsghdr *)(void *)buffer;
}

static void *start(uint16_t type, size_t header_bytes)
{
	memset(buffer, 0, sizeof buffer);
	mnl_nlmsg_put_header(buffer)->nlmsg_type = type;
	return mnl_nlmsg_put_extra_header(message(), header_bytes);
}

static void put_link(uint16_t type)
{
	struct ifinfomsg *header = start(type, sizeof *header);

	header->ifi_index = 5;
}

static void put_address(uint16_t type)
{
	static const uint8_t bytes[4] = {10, 0, 0, 1};
	struct ifaddrmsg *header = start(type, sizeof *header);

	header->ifa_family = AF_INET;
	mnl_attr_put(message(), IFA_LOCAL, sizeof bytes, bytes);
}

static void put_route(uint16_t type, uint32_t flags)
{
	struct rtmsg *header = start(type, sizeof *header);

	header->rtm_family = AF_INET6;
	header->rtm_flags = flags;
}

static void put_rule(uint16_t type)
{
	struct fib_rule_hdr *header = start(type, sizeof *header);

	header->family = AF_INET;
}

static int kind(void)
{
	struct monitor_event event;

	return monitor_event_parse(message(), &event) < 0 ? -1 : (int)event.kind;
}

START_TEST(test_each_message_is_its_event)
{
	put_link(RTM_NEWLINK);
	ck_assert_int_eq(kind(), MONITOR_LINK);
	put_link(RTM_DELLINK);
	ck_assert_int_eq(kind(), MONITOR_LINK_GONE);
	put_address(RTM_NEWADDR);
	ck_assert_int_eq(kind(), MONITOR_ADDRESS);
	put_address(RTM_DELADDR);
	ck_assert_int_eq(kind(), MONITOR_ADDRESS_GONE);
	put_route(RTM_NEWROUTE, 0);
	ck_assert_int_eq(kind(), MONITOR_ROUTE);
	put_route(RTM_DELROUTE, 0);
	ck_assert_int_eq(kind(), MONITOR_ROUTE_GONE);
	put_rule(RTM_NEWRULE);
	ck_assert_int_eq(kind(), MONITOR_RULE);
	put_rule(RTM_DELRULE);
	ck_assert_int_eq(kind(), MONITOR_RULE_GONE);
}
END_TEST

START_TEST(test_what_is_no_event)
{
	put_route(RTM_NEWROUTE, RTM_F_CLONED);
	ck_assert_int_eq(kind(), -1);
	put_link(RTM_NEWNEIGH);
	ck_assert_int_eq(kind(), -1);
	put_link(RTM_NEWLINK);
	message()->nlmsg_len--;
	ck_assert_int_eq(kind(), -1);
}
END_TEST

static int neighbour(uint16_t state, size_t mac_bytes)
{
	static const uint8_t bytes[] = {2, 0, 0, 0, 0, 1, 9};
	struct ndmsg *header = start(RTM_NEWNEIGH, sizeof *header);
	uint8_t mac[RTNL_MAC_BYTES];
	int r;

	header->ndm_state = state;
	mnl_attr_put(message(), NDA_LLADDR, mac_bytes, bytes);
	r = rtnl_neighbour_parse(message(), mac);
	if (r == 0)
		ck_assert_mem_eq(mac, bytes, sizeof mac);
	return r;
}

START_TEST(test_neighbour)
{
	ck_assert_int_eq(neighbour(NUD_REACHABLE, RTNL_MAC_BYTES), 0);
	ck_assert_int_eq(neighbour(NUD_STALE, RTNL_MAC_BYTES), 0);
	ck_assert_int_eq(neighbour(NUD_INCOMPLETE, RTNL_MAC_BYTES), -ENOENT);
	ck_assert_int_eq(neighbour(NUD_FAILED, RTNL_MAC_BYTES), -ENOENT);
	ck_assert_int_eq(neighbour(NUD_REACHABLE, RTNL_MAC_BYTES - 1), -EAFNOSUPPORT);
	ck_assert_int_eq(neighbour(NUD_REACHABLE, RTNL_MAC_BYTES + 1), -EAFNOSUPPORT);
}
END_TEST

START_TEST(test_neighbour_without_an_address_or_a_header)
{
	struct ndmsg *header = start(RTM_NEWNEIGH, sizeof *header);
	uint8_t mac[RTNL_MAC_BYTES];

	header->ndm_state = NUD_REACHABLE;
	ck_assert_int_eq(rtnl_neighbour_parse(message(), mac), -ENOENT);
	message()->nlmsg_len--;
	ck_assert_int_eq(rtnl_neighbour_parse(message(), mac), -EPROTO);
}
END_TEST

START_TEST(test_lists_have_a_limit)
{
	struct rtnl_list list = {.item_size = 1};
	size_t i, taken = 0;

	for (i = 0; i < RTNL_LIST_MAX; i++)
		taken += rtnl_list_add(&list, "x") == 0;
	ck_assert_uint_eq(taken, RTNL_LIST_MAX);
	ck_assert_int_eq(rtnl_list_add(&list, "x"), -E2BIG);
	ck_assert_uint_eq(list.count, RTNL_LIST_MAX);
	free(list.items);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtnl-event");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 50);
	tcase_add_test(all, test_each_message_is_its_event);
	tcase_add_test(all, test_what_is_no_event);
	tcase_add_test(all, test_neighbour);
	tcase_add_test(all, test_neighbour_without_an_address_or_a_header);
	tcase_add_test(all, test_lists_have_a_limit);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
