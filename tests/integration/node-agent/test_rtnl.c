/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "node-agent/io/rtnl/address.h"
#include "node-agent/io/rtnl/link.h"
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

/* ---- links ---- */

START_TEST(test_link_life)
{
	struct rtnl_link_change change = {.name = "br0", .set = RTNL_LINK_UP | RTNL_LINK_MTU, .mtu = 1400};
	struct rtnl_link link, by_index;

	NET_OK(&err, rtnl_link_create(rtnl, "br0", "bridge", &err));
	NET_OK(&err, rtnl_link_get(rtnl, "br0", &link, &err));
	ck_assert_str_eq(link.name, "br0");
	ck_assert_str_eq(link.kind, "bridge");
	ck_assert(!link.up && !link.carrier && link.has_mac);

	NET_OK(&err, rtnl_link_change(rtnl, &change, &err));
	NET_OK(&err, rtnl_link_get_index(rtnl, link.ifindex, &by_index, &err));
	ck_assert(by_index.up);
	ck_assert_uint_eq(by_index.mtu, 1400);

	ck_assert(by_index.flags & IFF_MULTICAST);
	change.set = RTNL_LINK_MULTICAST_OFF;
	NET_OK(&err, rtnl_link_change(rtnl, &change, &err));
	NET_OK(&err, rtnl_link_get(rtnl, "br0", &link, &err));
	ck_assert(link.up && !(link.flags & IFF_MULTICAST));
	change.set = RTNL_LINK_DOWN | RTNL_LINK_MULTICAST_ON;
	NET_OK(&err, rtnl_link_change(rtnl, &change, &err));
	NET_OK(&err, rtnl_link_get(rtnl, "br0", &link, &err));
	ck_assert(!link.up && link.flags & IFF_MULTICAST);

	NET_OK(&err, rtnl_link_delete(rtnl, "br0", &err));
	ck_assert_int_eq(rtnl_link_get(rtnl, "br0", &link, &err), -ENODEV);
	ck_assert_str_eq(err.text, "br0: there is no such interface");
}
END_TEST

START_TEST(test_link_errors_name_the_operation)
{
	struct rtnl_link_change change = {.name = "none0", .set = RTNL_LINK_UP};

	NET_OK(&err, rtnl_link_create(rtnl, "br0", "bridge", &err));
	ck_assert_int_eq(rtnl_link_create(rtnl, "br0", "bridge", &err), -EEXIST);
	ck_assert_str_eq(err.text, "ip link add br0 type bridge: File exists");
	ck_assert_int_eq(rtnl_link_create(rtnl, "x0", "nosuchkind", &err), -EOPNOTSUPP);
	ck_assert_msg(
		strstr(err.text, "ip link add x0 type nosuchkind: Operation not supported"), "%s", err.text);
	ck_assert_int_eq(rtnl_link_delete(rtnl, "none0", &err), -ENODEV);
	ck_assert_str_eq(err.text, "ip link del none0: No such device");
	ck_assert_int_eq(rtnl_link_change(rtnl, &change, &err), -ENODEV);
	ck_assert_str_eq(err.text, "ip link set none0 up: No such device");
	ck_assert_int_eq(rtnl_link_create(rtnl, "much-too-long-a-name", "bridge", &err), -EINVAL);
	ck_assert_int_eq(rtnl_link_create(rtnl, "a/b", "bridge", &err), -EINVAL);
}
END_TEST

START_TEST(test_link_list_by_kind)
{
	struct rtnl_link *links;
	size_t count;

	make_eth1();
	NET_OK(&err, rtnl_link_create(rtnl, "br0", "bridge", &err));
	sandbox_run("ip link set far1 master br0");
	NET_OK(&err, rtnl_link_list(rtnl, "bridge", &links, &count, &err));
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(links[0].name, "br0");
	free(links);
	NET_OK(&err, rtnl_link_list(rtnl, "veth", &links, &count, &err));
	ck_assert_uint_eq(count, 2);
	ck_assert(links[0].master != 0 || links[1].master != 0);
	free(links);
	NET_OK(&err, rtnl_link_list(rtnl, "nosuchkind", &links, &count, &err));
	ck_assert_uint_eq(count, 0);
	free(links);
	NET_OK(&err, rtnl_link_list(rtnl, NULL, &links, &count, &err));
	ck_assert_uint_ge(count, 4);
	free(links);
}
END_TEST

START_TEST(test_carrier_follows_the_cable)
{
	struct rtnl_link_change far_down = {.name = "far1", .set = RTNL_LINK_DOWN};
	struct rtnl_link link;

	make_eth1();
	NET_OK(&err, rtnl_link_get(rtnl, "eth1", &link, &err));
	ck_assert(link.up && link.carrier);
	NET_OK(&err, rtnl_link_change(rtnl, &far_down, &err));
	NET_OK(&err, rtnl_link_get(rtnl, "eth1", &link, &err));
	ck_assert(link.up && !link.carrier);
}
END_TEST

/* ---- addresses ---- */

static struct rtnl_address find_address(const char *device, const char *text)
{
	struct prefix wanted = net_prefix(text);
	struct rtnl_address *addresses, found = {0};
	size_t count, i;

	NET_OK(&err, rtnl_address_list(rtnl, device, 0, &addresses, &count, &err));
	for (i = 0; i < count; i++) {
		if (prefix_equal(&addresses[i].prefix, &wanted))
			found = addresses[i];
	}
	free(addresses);
	return found;
}

START_TEST(test_address_life)
{
	struct rtnl_address address = {.prefix = net_prefix("10.50.0.1/24"), .device = "eth1"}, found;

	make_eth1();
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_ADD, &address, &err));
	found = find_address("eth1", "10.50.0.1/24");
	ck_assert_str_eq(found.device, "eth1");
	ck_assert_uint_eq(found.valid_lft_s, RTNL_LIFETIME_FOREVER);
	ck_assert_uint_eq(found.preferred_lft_s, RTNL_LIFETIME_FOREVER);
	ck_assert(found.flags & IFA_F_PERMANENT);

	ck_assert_int_eq(rtnl_address_request(rtnl, RTNL_ADD, &address, &err), -EEXIST);
	ck_assert_msg(strstr(err.text, "ip addr add 10.50.0.1/24 dev eth1: File exists"), "%s", err.text);

	NET_OK(&err, rtnl_address_request(rtnl, RTNL_DELETE, &address, &err));
	ck_assert_uint_eq(find_address("eth1", "10.50.0.1/24").ifindex, 0);
	ck_assert_int_eq(rtnl_address_request(rtnl, RTNL_DELETE, &address, &err), -EADDRNOTAVAIL);
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_DISCARD, &address, &err));
}
END_TEST

/* The kernel makes its own route to the far end; deleting and listing go by both ends. */
START_TEST(test_address_with_a_peer)
{
	static const char *const ends[][2] = {{"10.51.0.1/30", "10.51.0.2"}, {"fd51::1/64", "fd51::2"}};
	struct rtnl_address address = {.prefix = net_prefix(ends[_i][0]), .device = "eth1"}, found;

	make_eth1();
	address.peer = net_prefix(ends[_i][1]).addr;
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_ADD, &address, &err));
	found = find_address("eth1", ends[_i][0]);
	ck_assert(addr_equal(&found.peer, &address.peer));
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_REPLACE, &address, &err));
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_DELETE, &address, &err));
	ck_assert_uint_eq(find_address("eth1", ends[_i][0]).ifindex, 0);
}
END_TEST

START_TEST(test_address_with_a_lifetime)
{
	struct rtnl_address v4 = {.prefix = net_prefix("10.9.0.100/32"),
		.device = "eth1",
		.valid_lft_s = 100,
		.preferred_lft_s = 100};
	struct rtnl_address v6 = {.prefix = net_prefix("2001:db8::100/128"),
		.device = "eth1",
		.valid_lft_s = 100,
		.flags = IFA_F_NODAD | IFA_F_NOPREFIXROUTE};
	struct rtnl_address found;

	make_eth1();
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_ADD, &v4, &err));
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_ADD, &v6, &err));
	found = find_address("eth1", "10.9.0.100/32");
	ck_assert(found.valid_lft_s > 90 && found.valid_lft_s <= 100);
	found = find_address("eth1", "2001:db8::100/128");
	ck_assert(found.valid_lft_s > 90 && found.valid_lft_s <= 100);
	ck_assert_uint_eq(found.preferred_lft_s, 0);
	ck_assert(found.flags & IFA_F_NODAD && found.flags & IFA_F_DEPRECATED &&
		  !(found.flags & IFA_F_TENTATIVE));

	v4.valid_lft_s = v4.preferred_lft_s = 1000;
	v6.valid_lft_s = 1000;
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_REPLACE, &v4, &err));
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_REPLACE, &v6, &err));
	ck_assert_uint_gt(find_address("eth1", "10.9.0.100/32").valid_lft_s, 900);
	ck_assert_uint_gt(find_address("eth1", "2001:db8::100/128").valid_lft_s, 900);
}
END_TEST

START_TEST(test_virtual_address_on_lo)
{
	struct rtnl_address v4 = {
		.prefix = net_prefix("10.9.0.100/32"), .device = "lo", .scope = RT_SCOPE_HOST};
	struct rtnl_address v6 = {.prefix = net_prefix("2001:db8::100/128"),
		.device = "lo",
		.flags = IFA_F_NODAD,
		.valid_lft_s = RTNL_LIFETIME_FOREVER};
	struct rtnl_address found;

	NET_OK(&err, rtnl_address_request(rtnl, RTNL_REPLACE, &v4, &err));
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_REPLACE, &v6, &err));
	ck_assert_uint_eq(find_address("lo", "10.9.0.100/32").scope, RT_SCOPE_HOST);
	found = find_address("lo", "2001:db8::100/128");
	ck_assert_uint_eq(found.valid_lft_s, RTNL_LIFETIME_FOREVER);
	ck_assert_uint_eq(found.preferred_lft_s, 0);
}
END_TEST

START_TEST(test_address_list_is_restricted)
{
	struct rtnl_address *addresses;
	size_t count, i;

	make_eth1();
	NET_OK(&err, rtnl_address_list(rtnl, "eth1", AF_INET, &addresses, &count, &err));
	ck_assert_uint_eq(count, 1);
	free(addresses);
	NET_OK(&err, rtnl_address_list(rtnl, NULL, AF_INET6, &addresses, &count, &err));
	ck_assert_uint_ge(count, 3);
	for (i = 0; i < count; i++)
		ck_assert_uint_eq(addresses[i].prefix.addr.family, AF_INET6);
	free(addresses);
	ck_assert_int_eq(rtnl_address_list(rtnl, "none0", 0, &addresses, &count, &err), -ENODEV);
	ck_assert_str_eq(err.text, "ip addr show dev none0: No such device");
}
END_TEST

/* ---- the handle ---- */

START_TEST(test_a_handle_stays_in_its_namespace)
{
	struct rtnl_address address = {.prefix = net_prefix("10.1.0.1/24"), .device = "br0"}, *addresses;
	struct rtnl_link link;
	size_t count;

	NET_OK(&err, rtnl_link_create(rtnl, "br0", "bridge", &err));
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	NET_OK(&err, rtnl_link_get(rtnl, "br0", &link, &err));
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_ADD, &address, &err));
	NET_OK(&err, rtnl_address_list(rtnl, "br0", AF_INET, &addresses, &count, &err));
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(addresses[0].device, "br0");
	free(addresses);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtnl");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, open_rtnl, close_rtnl);
	tcase_set_timeout(all, 30);
	tcase_add_test(all, test_link_life);
	tcase_add_test(all, test_link_errors_name_the_operation);
	tcase_add_test(all, test_link_list_by_kind);
	tcase_add_test(all, test_carrier_follows_the_cable);
	tcase_add_test(all, test_address_life);
	tcase_add_loop_test(all, test_address_with_a_peer, 0, 2);
	tcase_add_test(all, test_address_with_a_lifetime);
	tcase_add_test(all, test_virtual_address_on_lo);
	tcase_add_test(all, test_address_list_is_restricted);
	tcase_add_test(all, test_a_handle_stays_in_its_namespace);
	suite_add_tcase(suite, all);
	return sandbox_main(suite);
}
