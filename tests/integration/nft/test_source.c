/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/integration/nft/gateway.h"
#include "tests/integration/nft/suite.h"
#include "tests/integration/nft/wire.h"

/* What a tunnel sends leaves from the address clients dial, with right checksums. */
static struct gateway gateway;

static void setup(void)
{
	gateway = gateway_open();
	gateway_permit(&gateway);
}

static void teardown(void)
{
	gateway_close(&gateway);
}

/* Transmit checksum offload: then the stack leaves the sum of the pseudo header for the device to complete. */
static void set_offload(const char *interface, bool on)
{
	struct ethtool_value value = {.cmd = ETHTOOL_STXCSUM, .data = on};
	struct ifreq request = {.ifr_data = (char *)&value};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
	ck_assert_msg(ioctl(fd, SIOCETHTOOL, &request) == 0, "ethtool: %m");
	close(fd);
}

/* The next UDP packet that leaves with that source port. */
static void see_udp(int tap, uint16_t port, struct wire_packet *packet, struct addr *ret_source)
{
	for (;;) {
		ck_assert_msg(wire_see(tap, packet, SOON_MS), "no packet");
		bool ip4 = packet->protocol == ETH_P_IP, ip6 = packet->protocol == ETH_P_IPV6;
		size_t header = ip4 ? 20 : 40;
		if (!ip4 && !ip6)
			continue;
		if (packet->bytes[ip4 ? 9 : 6] != IPPROTO_UDP ||
			(packet->bytes[header] << 8 | packet->bytes[header + 1]) != port)
			continue;
		*ret_source = (struct addr){.family = ip4 ? AF_INET : AF_INET6};
		memcpy(ret_source->bytes, packet->bytes + (ip4 ? 12 : 8), ip4 ? 4 : 16);
		return;
	}
}

static void assert_leaves_from(
	uint8_t family, const char *bound, uint32_t mark, const char *expected, bool offload)
{
	struct wire_packet packet;
	struct addr source, wanted = sample_addr(expected);
	int tap = wire_tap("wan0");
	int fd = wire_udp(family, bound, DIAL_PORT, mark);
	ck_assert_int_eq(wire_send(fd, family == AF_INET ? HOST4 : HOST6, 7000, "odd length!"), 0);
	see_udp(tap, DIAL_PORT, &packet, &source);
	ck_assert(addr_equal(&source, &wanted));
	ck_assert_int_eq(packet.checksum_pending, offload);
	ck_assert_msg(wire_udp_checksum_ok(&packet), "a wrong checksum");
	close(fd);
	close(tap);
}

START_TEST(a_tunnel_sends_from_the_dialled_address)
{
	bool offload = _i % 2;
	set_offload("wan0", offload);
	if (_i < 2) {
		assert_leaves_from(AF_INET, NULL, DIAL_MARK, DIAL4, offload);
		assert_leaves_from(AF_INET, GATEWAY4, DIAL_MARK, DIAL4, offload);
		assert_leaves_from(AF_INET, DIAL4, DIAL_MARK, DIAL4, offload);
	} else {
		assert_leaves_from(AF_INET6, NULL, DIAL_MARK, DIAL6, offload);
		assert_leaves_from(AF_INET6, GATEWAY6, DIAL_MARK, DIAL6, offload);
		assert_leaves_from(AF_INET6, DIAL6, DIAL_MARK, DIAL6, offload);
	}
}
END_TEST

START_TEST(a_second_dialled_address_is_kept)
{
	run("ip", "addr", "add", "10.9.0.101/32", "dev", "lo", "scope", "host", NULL);
	assert_leaves_from(AF_INET, "10.9.0.101", DIAL_MARK, "10.9.0.101", true);
}
END_TEST

START_TEST(others_keep_their_source)
{
	assert_leaves_from(AF_INET, NULL, 0, GATEWAY4, true);
	assert_leaves_from(AF_INET6, NULL, 0, GATEWAY6, true);
}
END_TEST

/* The host's own stack takes it, both ways: a client behind a NAT that knows only the dialled address. */
START_TEST(a_connected_client_hears_the_answer)
{
	bool ip4 = _i == 0;
	const char *dial = ip4 ? DIAL4 : DIAL6, *own = ip4 ? HOST4 : HOST6;
	struct sockaddr_storage to;
	struct endpoint endpoint = {.addr = sample_addr(dial), .port = DIAL_PORT}, from;
	char text[32];
	set_offload("wan0", false);
	site_enter(gateway.host.namespace);
	int client = wire_udp(ip4 ? AF_INET : AF_INET6, own, 7000, 0);
	socklen_t length = endpoint_to_sockaddr(&endpoint, &to);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&to, length), 0);
	site_enter(gateway.site.gateway);
	int tunnel = wire_udp(ip4 ? AF_INET : AF_INET6, NULL, DIAL_PORT, DIAL_MARK);
	ck_assert_int_eq(send(client, "question", 8, 0), 8);
	ck_assert(wire_receive(tunnel, text, sizeof text, &from, SOON_MS));
	ck_assert_str_eq(text, "question");
	ck_assert_int_eq(wire_send(tunnel, own, 7000, "answer"), 0);
	ck_assert(wire_receive(client, text, sizeof text, &from, SOON_MS));
	ck_assert_str_eq(text, "answer");
	close(client);
	close(tunnel);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nft-source");
	TCase *tcase = tcase_create("source");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_tunnel_sends_from_the_dialled_address, 0, 4);
	tcase_add_test(tcase, a_second_dialled_address_is_kept);
	tcase_add_test(tcase, others_keep_their_source);
	tcase_add_loop_test(tcase, a_connected_client_hears_the_answer, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
