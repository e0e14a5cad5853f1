/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node-agent/io/announce/announce.h"
#include "tests/integration/nft/gateway.h"
#include "tests/integration/nft/suite.h"
#include "tests/integration/nft/wire.h"

static struct gateway gateway;
static struct host_tools host;
static struct announce *announce;
static int tap; /* at the host */

static void setup(void)
{
	struct err err = {0};
	gateway = gateway_open();
	host = host_tools_open(&gateway);
	ck_assert_msg(announce_open(&announce, &err) == 0, "%s", err.text);
	site_enter(gateway.host.namespace);
	tap = wire_tap("eth0");
	site_enter(gateway.site.gateway);
}

static void teardown(void)
{
	close(tap);
	announce_close(announce);
	host_tools_close(&host);
	gateway_close(&gateway);
}

START_TEST(an_ipv4_address_is_announced_by_an_arp_request)
{
	struct addr dial = sample_addr(DIAL4);
	struct wire_packet packet;
	struct ether_arp arp;
	static const uint8_t nobody[6];
	ck_assert_int_eq(announce_send(announce, "wan0", &dial, true), 0);
	do
		ck_assert(wire_see(tap, &packet, SOON_MS));
	while (packet.protocol != ETH_P_ARP);
	memcpy(&arp, packet.bytes, sizeof arp);
	ck_assert_int_eq(ntohs(arp.ea_hdr.ar_op), ARPOP_REQUEST);
	ck_assert_mem_eq(arp.arp_spa, dial.bytes, 4);
	ck_assert_mem_eq(arp.arp_tpa, dial.bytes, 4);
	ck_assert_mem_eq(arp.arp_sha, packet.source_mac, 6);
	ck_assert_mem_eq(arp.arp_tha, nobody, 6);
}
END_TEST

static uint16_t checksum_of(const struct wire_packet *packet)
{
	size_t length = packet->length - 40;
	uint32_t sum = (uint32_t)length + IPPROTO_ICMPV6;
	for (size_t i = 8; i < packet->length; i += 2)
		sum += (uint32_t)(packet->bytes[i] << 8 | packet->bytes[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

START_TEST(an_ipv6_address_is_announced_by_an_advertisement)
{
	struct addr dial = sample_addr(DIAL6), all_nodes = sample_addr("ff02::1");
	struct wire_packet packet;
	bool is_router = _i;
	ck_assert_int_eq(announce_send(announce, "wan0", &dial, is_router), 0);
	do
		ck_assert(wire_see(tap, &packet, SOON_MS));
	while (packet.protocol != ETH_P_IPV6 || packet.bytes[40] != ND_NEIGHBOR_ADVERT);
	ck_assert_uint_eq(packet.bytes[7], 255);
	ck_assert_mem_eq(packet.bytes + 8, dial.bytes, 16);
	ck_assert_mem_eq(packet.bytes + 24, all_nodes.bytes, 16);
	ck_assert_uint_eq(packet.bytes[44], is_router ? 0xa0 : 0x20); /* router, override; not solicited */
	ck_assert_mem_eq(packet.bytes + 48, dial.bytes, 16);
	ck_assert_uint_eq(packet.bytes[64], ND_OPT_TARGET_LINKADDR);
	ck_assert_mem_eq(packet.bytes + 66, packet.source_mac, 6);
	ck_assert_uint_eq(checksum_of(&packet), 0xffff);
}
END_TEST

/* Until the host has taken in what was announced. */
static void await_ping(const char *address)
{
	int64_t end = wire_now_ms() + SOON_MS;
	while (!host_pings(&host, address))
		ck_assert_msg(wire_now_ms() < end, "the host does not follow");
}

/* A host that believed in another gateway follows. */
START_TEST(a_neighbour_follows_an_announcement)
{
	const char *text = _i ? DIAL6 : DIAL4;
	struct addr dial = sample_addr(text);
	gateway_permit(&gateway);
	site_enter(gateway.host.namespace);
	run("ip", "neigh", "replace", text, "lladdr", "02:00:00:00:00:99", "nud", "reachable", "dev", "eth0",
		NULL);
	site_enter(gateway.site.gateway);
	ck_assert(!host_pings(&host, text));
	ck_assert_int_eq(announce_send(announce, "wan0", &dial, true), 0);
	await_ping(text);
}
END_TEST

START_TEST(what_cannot_be_announced_is_said)
{
	struct addr dial = sample_addr(DIAL4), nothing = {0};
	ck_assert_int_eq(announce_send(announce, "none0", &dial, true), -ENODEV);
	ck_assert_int_eq(announce_send(announce, "a-name-of-sixteen", &dial, true), -ENODEV);
	ck_assert_int_eq(announce_send(announce, "", &dial, true), -ENODEV);
	ck_assert_int_eq(announce_send(announce, "lo", &dial, true), -EPROTONOSUPPORT);
	ck_assert_int_eq(announce_send(announce, "wan0", &nothing, true), -EAFNOSUPPORT);
	run("ip", "link", "set", "wan0", "down", NULL);
	ck_assert_int_eq(announce_send(announce, "wan0", &dial, true), -ENETDOWN);
}
END_TEST

/* A standby asks for the address that is its own too, through its own fence. */
START_TEST(a_standby_probes_for_the_owner)
{
	bool ip4 = _i == 0;
	struct addr dial = sample_addr(ip4 ? DIAL4 : DIAL6), own = sample_addr(ip4 ? GATEWAY4 : GATEWAY6);
	struct addr nobody = {0};
	struct probe_answer answer;
	struct probe *probe;
	struct err err = {0};
	int fds[PROBE_FDS];
	int64_t before_ms = wire_now_ms();
	site_enter(gateway.host.namespace);
	run("ip", "addr", "add", ip4 ? DIAL4 "/32" : DIAL6 "/128", "dev", "eth0", ip4 ? NULL : "nodad", NULL);
	if (!ip4)
		site_await_group("eth0", DIAL6);
	site_enter(gateway.site.gateway);
	ck_assert_msg(probe_open(&probe, &err) == 0, "%s", err.text);
	probe_fds(probe, fds);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(probe_read(probe, &answer), 0);
		ck_assert_int_eq(probe_send(probe, "wan0", &dial, i ? &nobody : &own), 0);
		ck_assert(wire_wait(fds[ip4 ? 0 : 1], SOON_MS));
		ck_assert_int_eq(probe_read(probe, &answer), 1);
		ck_assert(addr_equal(&answer.address, &dial));
		ck_assert_int_ge(answer.received_us / 1000, before_ms - 1);
		ck_assert_int_le(answer.received_us / 1000, wire_now_ms() + 1);
	}
	ck_assert_int_eq(probe_send(probe, "none0", &dial, NULL), -ENODEV);
	probe_close(probe);
}
END_TEST

START_TEST(only_answers_wake_a_probe)
{
	struct addr own = sample_addr(GATEWAY4), target = sample_addr(HOST4);
	struct probe_answer answer;
	struct probe *probe;
	struct err err = {0};
	int fds[PROBE_FDS];
	ck_assert_msg(probe_open(&probe, &err) == 0, "%s", err.text);
	probe_fds(probe, fds);
	ck_assert_int_eq(announce_send(announce, "wan0", &own, false), 0);
	ck_assert(!host_probes(&host, DIAL4)); /* questions come in, our kernel's answers go out */
	ck_assert(!wire_wait(fds[0], 0));
	ck_assert_int_eq(probe_send(probe, "wan0", &target, &own), 0);
	ck_assert(wire_wait(fds[0], SOON_MS));
	ck_assert_int_eq(probe_read(probe, &answer), 1);
	ck_assert(addr_equal(&answer.address, &target));
	probe_close(probe);
}
END_TEST

START_TEST(icmp_says_what_did_not_leave)
{
	struct addr nowhere = sample_addr("198.51.100.1"), local = sample_addr("fe80::1"), nothing = {0};
	struct addr source = sample_addr(GATEWAY4), to = sample_addr(HOST4);
	struct icmp_answer answer;
	struct icmp *icmp;
	struct err err = {0};
	int fds[ICMP_FDS];
	ck_assert_msg(icmp_open(&icmp, &err) == 0, "%s", err.text);
	icmp_fds(icmp, fds);
	ck_assert_int_eq(icmp_send(icmp, &nowhere, NULL, NULL, 1), -ENETUNREACH);
	ck_assert_int_eq(icmp_send(icmp, &nowhere, "none0", NULL, 1), -ENODEV);
	ck_assert_int_eq(icmp_send(icmp, &nothing, NULL, NULL, 1), -EAFNOSUPPORT);
	ck_assert_int_eq(icmp_send(icmp, &local, "wan0", NULL, 1), 0);
	ck_assert_int_eq(icmp_send(icmp, &to, "", &source, 65535), 0);
	ck_assert(wire_wait(fds[0], SOON_MS));
	ck_assert_int_eq(icmp_read(icmp, &answer), 1);
	ck_assert_uint_eq(answer.sequence, 65535);
	ck_assert(addr_equal(&answer.from, &to));
	ck_assert_int_eq(icmp_read(icmp, &answer), 0);
	icmp_close(icmp);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nft-announce");
	TCase *tcase = tcase_create("announce");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, an_ipv4_address_is_announced_by_an_arp_request);
	tcase_add_loop_test(tcase, an_ipv6_address_is_announced_by_an_advertisement, 0, 2);
	tcase_add_loop_test(tcase, a_neighbour_follows_an_announcement, 0, 2);
	tcase_add_test(tcase, what_cannot_be_announced_is_said);
	tcase_add_loop_test(tcase, a_standby_probes_for_the_owner, 0, 2);
	tcase_add_test(tcase, only_answers_wake_a_probe);
	tcase_add_test(tcase, icmp_says_what_did_not_leave);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
