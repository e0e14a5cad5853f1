/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/unit/firewall/sample.h"

static struct desired_tunnel tunnels[2];
static struct desired_endpoint endpoint;
static struct desired_peer peers[2];
static struct prefix allowed[2];
static struct desired desired;

static void fill_tunnels(void)
{
	memset(tunnels, 0, sizeof tunnels);
	for (size_t i = 0; i < 2; i++) {
		text_copy(tunnels[i].name, sizeof tunnels[i].name, i ? "wg1" : "wg0");
		tunnels[i].fwmark = 0x51 + (uint32_t)i;
		tunnels[i].listen_port = (uint16_t)(51820 + i);
	}
	tunnels[0].address_count = 1;
	tunnels[0].addresses[0] = sample_prefix("10.50.0.1/24");
	tunnels[0].forward.snat_count = 1;
	tunnels[0].forward.snat[0].from = sample_prefix("10.50.0.0/24");
	text_copy(tunnels[0].forward.snat[0].interface, 16, "lan0");
}

static void fill_endpoint(void)
{
	memset(&endpoint, 0, sizeof endpoint);
	text_copy(endpoint.name, sizeof endpoint.name, "vpn");
	endpoint.dial_count = 2;
	endpoint.dial[0] = sample_addr("10.9.0.100");
	endpoint.dial[1] = sample_addr("2001:db8::100");
	endpoint.inside_count = 1;
	endpoint.inside[0].address = sample_prefix("192.168.1.1/24");
	text_copy(endpoint.inside[0].interface, 16, "lan0");
	endpoint.tunnel_count = 1;
	text_copy(endpoint.tunnels[0], 16, "wg0");
}

static void setup(void)
{
	fill_tunnels();
	fill_endpoint();
	memset(peers, 0, sizeof peers);
	allowed[0] = sample_prefix("0.0.0.0/0");
	allowed[1] = sample_prefix("::/0");
	text_copy(peers[0].tunnel, sizeof peers[0].tunnel, "wg0");
	text_copy(peers[1].tunnel, sizeof peers[1].tunnel, "wg1");
	peers[0].allowed_ips = allowed;
	peers[0].allowed_ip_count = 1;
	peers[1].allowed_ips = allowed;
	memset(&desired, 0, sizeof desired);
	desired.tunnels = tunnels;
	desired.tunnel_count = 2;
	desired.endpoints = &endpoint;
	desired.endpoint_count = 1;
	desired.peers = peers;
	desired.peer_count = 2;
}

START_TEST(a_permit_names_all_that_an_endpoint_serves)
{
	struct fw_permit permit;
	ck_assert_int_eq(fw_permit_of(&desired, "vpn", &permit), 0);
	ck_assert_uint_eq(permit.address_count, 3);
	struct addr inside = sample_addr("192.168.1.1");
	ck_assert(addr_equal(&permit.addresses[2], &inside));
	ck_assert_uint_eq(permit.mark_count, 1);
	ck_assert_uint_eq(permit.marks[0], 0x51);
	ck_assert(permit.announces);
}
END_TEST

START_TEST(an_unknown_endpoint_or_tunnel_gives_no_permit)
{
	struct fw_permit permit;
	ck_assert_int_eq(fw_permit_of(&desired, "other", &permit), -ENOENT);
	desired.tunnel_count = 0;
	ck_assert_int_eq(fw_permit_of(&desired, "vpn", &permit), -ENOENT);
}
END_TEST

START_TEST(a_permit_has_room_for_its_limits_and_no_more)
{
	struct fw_permit permit = {0};
	struct addr address = sample_addr("10.0.0.0");
	for (size_t i = 0; i < FW_PERMIT_ADDRESSES_MAX; i++) {
		address.bytes[3] = (uint8_t)i;
		ck_assert_int_eq(fw_permit_add_address(&permit, &address), 0);
		ck_assert_int_eq(fw_permit_add_address(&permit, &address), 0); /* a duplicate takes no room */
	}
	address.bytes[2] = 1;
	ck_assert_int_eq(fw_permit_add_address(&permit, &address), -E2BIG);
	for (uint32_t i = 0; i < FW_PERMIT_MARKS_MAX; i++)
		ck_assert_int_eq(fw_permit_add_mark(&permit, i + 1), 0);
	ck_assert_int_eq(fw_permit_add_mark(&permit, 1), 0);
	ck_assert_int_eq(fw_permit_add_mark(&permit, 1000), -E2BIG);
}
END_TEST

START_TEST(permits_are_compared_by_all_they_permit)
{
	struct fw_permit a = sample_permit(), b = sample_permit();
	ck_assert(fw_permit_equal(&a, &b));
	b.announces = false;
	ck_assert(!fw_permit_equal(&a, &b));
	b = a;
	b.marks[1]++;
	ck_assert(!fw_permit_equal(&a, &b));
	b = a;
	b.addresses[0].bytes[3]++;
	ck_assert(!fw_permit_equal(&a, &b));
}
END_TEST

static char *print_desired(void)
{
	struct fw_ruleset *ruleset = NULL;
	struct err err = {0};
	ck_assert_msg(firewall_from_desired(&desired, &ruleset, &err) == 0, "%s", err.text);
	char *text = fw_ruleset_print(ruleset);
	fw_ruleset_free(ruleset);
	return text;
}

static void assert_says(const char *phrase, bool expected)
{
	char *text = print_desired();
	ck_assert_msg((strstr(text, phrase) != NULL) == expected, "\"%s\" in:\n%s", phrase, text);
	free(text);
}

START_TEST(a_desired_state_becomes_a_firewall)
{
	assert_says(
		"meta mark 0x00000051 udp sport 51820 ip saddr != 10.9.0.100 ip saddr set 10.9.0.100", true);
	assert_says("ip saddr 10.50.0.0/24 oifname \"lan0\" snat ip to 192.168.1.1", true);
	assert_says("table ip wg-quick-wg0", true);
	assert_says("wg-quick-wg1", false);
	assert_says("table ip6 wg-quick", false);
	assert_says("\"wg1\" counter drop", false);
	assert_says("masquerade", false);
	assert_says("maxseg", false);
	tunnels[1].forward.masquerade_count = 1;
	tunnels[1].forward.masquerade[0].from = sample_prefix("fd51::/64");
	text_copy(tunnels[1].forward.masquerade[0].interface, 16, "wan0");
	assert_says("ip6 saddr fd51::/64 oifname \"wan0\" masquerade", true);
	tunnels[1].forward.clamp_mss = true;
	assert_says("oifname \"wg1\" tcp flags syn / syn,rst tcp option maxseg size set rt mtu", true);
	assert_says("\"wg0\" tcp flags", false);
	tunnels[1].forward.policy = FORWARD_DROP;
	assert_says("iifname \"wg1\" counter drop", true);
	peers[1].allowed_ip_count = 2;
	assert_says("table ip6 wg-quick-wg1", true);
	tunnels[1].table = TABLE_NUMBER;
	assert_says("table ip6 wg-quick-wg1", false);
}
END_TEST

START_TEST(wg_quicks_tables_are_for_default_routes_that_are_made)
{
	assert_says("table ip wg-quick-wg0", true);
	peers[0].unrouted = true;
	assert_says("wg-quick-wg0", false);
	peers[0].unrouted = false;
	peers[0].route_table = 100;
	assert_says("wg-quick-wg0", false);
}
END_TEST

START_TEST(multicast_is_dropped_where_it_is_off_and_said_to_be)
{
	assert_says("multicast", false);
	tunnels[0].multicast = MULTICAST_ON;
	tunnels[1].multicast = MULTICAST_OFF;
	assert_says("oifname \"wg1\" ip6 daddr ff00::/8 drop", true);
	assert_says("iifname \"wg1\" ip daddr 224.0.0.0/4 drop", true);
	assert_says("oifname \"wg0\" ip6 daddr", false);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("permit");
	TCase *tcase = tcase_create("permit");
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, a_permit_names_all_that_an_endpoint_serves);
	tcase_add_test(tcase, an_unknown_endpoint_or_tunnel_gives_no_permit);
	tcase_add_test(tcase, a_permit_has_room_for_its_limits_and_no_more);
	tcase_add_test(tcase, permits_are_compared_by_all_they_permit);
	tcase_add_test(tcase, a_desired_state_becomes_a_firewall);
	tcase_add_test(tcase, wg_quicks_tables_are_for_default_routes_that_are_made);
	tcase_add_test(tcase, multicast_is_dropped_where_it_is_off_and_said_to_be);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
