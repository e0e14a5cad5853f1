/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/integration/nft/gateway.h"
#include "tests/integration/nft/suite.h"
#include "tests/integration/nft/wire.h"

/*
 * A client of a tunnel, the gateway, and a host on the LAN behind it. The tunnel is a veth pair here: forwarding and
 * translation know an interface by its name only.
 */
#define CLIENT4 "10.50.0.2"
#define CLIENT6 "fd50::2"
#define LAN4 "192.168.1.10"
#define LAN6 "fd01::10"

static struct site site;
static struct peer client, lan;
static struct nft *nft;

static void address_gateway(void)
{
	run("ip", "addr", "add", "10.50.0.1/24", "dev", "wg0", NULL);
	run("ip", "addr", "add", "fd50::1/64", "dev", "wg0", "nodad", NULL);
	run("ip", "addr", "add", "192.168.1.11/24", "dev", "lan0", NULL);
	run("ip", "addr", "add", "192.168.1.1/24", "dev", "lan0", NULL);
	run("ip", "addr", "add", "fd01::11/64", "dev", "lan0", "nodad", NULL);
	run("ip", "addr", "add", "fd01::1/64", "dev", "lan0", "nodad", NULL);
	write_sysctl("ipv4/ip_forward", "1");
	write_sysctl("ipv6/conf/all/forwarding", "1");
}

static void address_peer(const struct peer *peer, const char *const words[5])
{
	site_enter(peer->namespace);
	run("ip", "addr", "add", words[0], "dev", "eth0", NULL);
	run("ip", "addr", "add", words[1], "dev", "eth0", "nodad", NULL);
	site_await_group("eth0", words[4]);
	run("ip", "route", "add", "default", "via", words[2], NULL);
	run("ip", "-6", "route", "add", "default", "via", words[3], NULL);
	site_enter(site.gateway);
}

static void setup(void)
{
	static const char *const client_words[] = {
		CLIENT4 "/24", CLIENT6 "/64", "10.50.0.1", "fd50::1", CLIENT6};
	static const char *const lan_words[] = {LAN4 "/24", LAN6 "/64", "192.168.1.1", "fd01::1", LAN6};
	struct err err = {0};
	site = site_open();
	site_keep_order();
	client = site_join("wg0");
	lan = site_join("lan0");
	address_gateway();
	address_peer(&client, client_words);
	address_peer(&lan, lan_words);
	site_await_group("wg0", "fd50::1");
	site_await_group("lan0", "fd01::1");
	ck_assert_msg(nft_open(&nft, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	nft_close(nft);
}

/* The sample's firewall, changed in its first tunnel, with the permit of an owner. */
static void apply(enum firewall_forward forward, bool behind_endpoint, bool clamp)
{
	struct firewall firewall = sample_gateway();
	struct firewall_tunnel tunnels[2];
	struct nft_seed seed = {sample_permit(), PERMIT_MS};
	struct err err = {0};
	memcpy(tunnels, firewall.tunnels, sizeof tunnels);
	tunnels[0].forward = forward;
	tunnels[0].clamp_mss = clamp;
	firewall.tunnels = tunnels;
	firewall.tunnel_count = 2;
	firewall.endpoint_count = behind_endpoint;
	struct fw_ruleset *ruleset = sample_build(&firewall);
	ck_assert_msg(nft_apply(nft, ruleset, &seed, 1, NULL, &err) == 0, "%s", err.text);
	fw_ruleset_free(ruleset);
}

static int udp_in(const struct peer *peer, uint8_t family, uint16_t port)
{
	site_enter(peer->namespace);
	int fd = wire_udp(family, NULL, port, 0);
	site_enter(site.gateway);
	return fd;
}

/* A datagram from the client to the LAN and one back. What the LAN sees as its sender. */
static struct addr exchange(uint8_t family)
{
	int asks = udp_in(&client, family, 7000), answers = udp_in(&lan, family, 9000);
	struct endpoint from, back;
	char text[16], address[ADDR_TEXT_MAX];
	ck_assert_int_eq(wire_send(asks, family == AF_INET ? LAN4 : LAN6, 9000, "question"), 0);
	ck_assert(wire_receive(answers, text, sizeof text, &from, SOON_MS));
	addr_format(&from.addr, address, sizeof address);
	ck_assert_int_eq(wire_send(answers, address, from.port, "answer"), 0);
	ck_assert(wire_receive(asks, text, sizeof text, &back, SOON_MS));
	ck_assert_str_eq(text, "answer");
	close(asks);
	close(answers);
	return from.addr;
}

static void assert_seen_as(uint8_t family, const char *expected)
{
	struct addr seen = exchange(family), wanted = sample_addr(expected);
	ck_assert(addr_equal(&seen, &wanted));
}

START_TEST(snat_goes_to_the_inside_address)
{
	apply(FIREWALL_FORWARD_ACCEPT, true, false);
	assert_seen_as(AF_INET, "192.168.1.1");
	assert_seen_as(AF_INET6, "fd01::1");
}
END_TEST

START_TEST(without_an_endpoint_it_masquerades)
{
	apply(FIREWALL_FORWARD_ACCEPT, false, false);
	assert_seen_as(AF_INET, "192.168.1.11");
}
END_TEST

START_TEST(dropping_drops_both_ways)
{
	struct endpoint from;
	char text[16];
	apply(FIREWALL_FORWARD_DROP, true, false);
	int outside = udp_in(&client, AF_INET, 7000), inside = udp_in(&lan, AF_INET, 9000);
	ck_assert_int_eq(wire_send(outside, LAN4, 9000, "dropped"), 0);
	ck_assert_int_eq(wire_send(inside, CLIENT4, 7000, "dropped"), 0);
	apply(FIREWALL_FORWARD_ACCEPT, true, false);
	ck_assert_int_eq(wire_send(outside, LAN4, 9000, "passed"), 0);
	ck_assert_int_eq(wire_send(inside, CLIENT4, 7000, "passed"), 0);
	ck_assert(wire_receive(inside, text, sizeof text, &from, SOON_MS));
	ck_assert_str_eq(text, "passed");
	ck_assert(wire_receive(outside, text, sizeof text, &from, SOON_MS));
	ck_assert_str_eq(text, "passed");
	close(outside);
	close(inside);
}
END_TEST

/* The MSS option of the next SYN that leaves. */
static unsigned see_syn_mss(int tap)
{
	struct wire_packet packet;
	for (;;) {
		ck_assert_msg(wire_see(tap, &packet, SOON_MS), "no SYN");
		const uint8_t *tcp = packet.bytes + 20;
		if (packet.protocol != ETH_P_IP || packet.bytes[9] != IPPROTO_TCP || !(tcp[13] & 0x02))
			continue;
		for (size_t i = 20; i + 3 < (size_t)(tcp[12] >> 4) * 4; i += tcp[i] == 1 ? 1 : tcp[i + 1])
			if (tcp[i] == 2)
				return (unsigned)(tcp[i + 2] << 8 | tcp[i + 3]);
		ck_abort_msg("a SYN without MSS");
	}
}

START_TEST(mss_is_clamped_to_the_path)
{
	struct endpoint endpoint = {.addr = sample_addr(LAN4), .port = 9000};
	struct sockaddr_storage to;
	socklen_t length = endpoint_to_sockaddr(&endpoint, &to);
	apply(FIREWALL_FORWARD_ACCEPT, true, true);
	run("ip", "link", "set", "lan0", "mtu", "1300", NULL);
	int tap = wire_tap("lan0");
	site_enter(client.namespace);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, length), -1); /* in progress */
	site_enter(site.gateway);
	ck_assert_uint_eq(see_syn_mss(tap), 1300 - 40);
	close(fd);
	close(tap);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nft-forward");
	TCase *tcase = tcase_create("forward");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, snat_goes_to_the_inside_address);
	tcase_add_test(tcase, without_an_endpoint_it_masquerades);
	tcase_add_test(tcase, dropping_drops_both_ways);
	tcase_add_test(tcase, mss_is_clamped_to_the_path);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
