/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "node-agent/core/firewall/steer.h"
#include "tests/integration/nft/gateway.h"
#include "tests/integration/nft/suite.h"
#include "tests/integration/nft/wire.h"

/* Two gateways on one segment, each of which steers to the other: what a third one forges must not go to and fro. */
#define MAC_A "02:00:00:00:00:0a"
#define MAC_B "02:00:00:00:00:0b"
#define PARTNER4 "10.9.0.12"
#define PARTNER6 "2001:db8::12"

enum {
	LOOP_MS = 300,
	TRANSPORT = 4,
	UDP_BYTES = 8,
	PAYLOAD_BYTES = 32,
	TTL = 64,
	MORE_FRAGMENTS = 0x20,
	INDEX_BYTE = 0x5a
};
enum { IP4_BYTES = 20, IP6_BYTES = 40, FRAGMENT_BYTES = 8 };

static const uint8_t mac_a[ETH_ALEN] = {2, 0, 0, 0, 0, 0x0a}, mac_b[ETH_ALEN] = {2, 0, 0, 0, 0, 0x0b},
		     stranger[ETH_ALEN] = {2, 0, 0, 0, 0, 0x99};
static const uint16_t ports[] = {DIAL_PORT};
static struct site site;
static struct peer partner;

/* In the namespace where we are. At rest, or: what is not its own goes there. */
static void steer(
	const char *device, bool away, const uint8_t mac[ETH_ALEN], const char *to4, const char *to6)
{
	struct steer_way way = {.port_count = 1,
		.ports = {DIAL_PORT},
		.address_count = 2,
		.addresses = {sample_addr(DIAL4), sample_addr(DIAL6)},
		.to4 = sample_addr(to4),
		.to6 = sample_addr(to6)};
	struct steer how = {.device = device,
		.ifindex = if_nametoindex(device),
		.port_count = 1,
		.ports = ports,
		.way_count = away,
		.ways = &way};
	struct fw_ruleset *ruleset;
	struct nft *nft;
	struct err err = {0};

	memcpy(way.mac, mac, ETH_ALEN);
	ruleset = steer_build(&how);
	ck_assert_msg(nft_open(&nft, &err) == 0, "%s", err.text);
	ck_assert_msg(nft_apply(nft, ruleset, NULL, 0, NULL, &err) == 0, "%s", err.text);
	nft_close(nft);
	fw_ruleset_free(ruleset);
}

static void address(const char *device, const char *mac, const char *ip4, const char *ip6)
{
	run("ip", "link", "set", device, "address", mac, NULL);
	run("ip", "addr", "add", ip4, "dev", device, NULL);
	run("ip", "addr", "add", ip6, "dev", device, "nodad", NULL);
}

static void know(const char *device, const char *ip4, const char *ip6, const char *mac)
{
	run("ip", "neigh", "replace", ip4, "lladdr", mac, "dev", device, "nud", "permanent", NULL);
	run("ip", "neigh", "replace", ip6, "lladdr", mac, "dev", device, "nud", "permanent", NULL);
}

static void setup(void)
{
	site = site_open();
	site_keep_order();
	partner = site_join("wan0");
	address("wan0", MAC_A, GATEWAY4 "/24", GATEWAY6 "/64");
	know("wan0", PARTNER4, PARTNER6, MAC_B);
	site_enter(partner.namespace);
	address("eth0", MAC_B, PARTNER4 "/24", PARTNER6 "/64");
	know("eth0", GATEWAY4, GATEWAY6, MAC_A);
	site_enter(site.gateway);
}

/* As while an endpoint moves, and as if each took the other for its owner. */
static void both_steer(void)
{
	steer("wan0", true, mac_b, PARTNER4, PARTNER6);
	site_enter(partner.namespace);
	steer("eth0", true, mac_a, GATEWAY4, GATEWAY6);
	site_enter(site.gateway);
}

static uint16_t checksum(const uint8_t *bytes, size_t count)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < count; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* A transport packet of a session that nobody knows, unless it was learned. */
static size_t put_udp(uint8_t *at)
{
	memset(at, 0, UDP_BYTES + PAYLOAD_BYTES);
	at[0] = 4711 >> 8;
	at[1] = 4711 & 0xff;
	at[2] = DIAL_PORT >> 8;
	at[3] = DIAL_PORT & 0xff;
	at[5] = UDP_BYTES + PAYLOAD_BYTES;
	at[6] = 0xab; /* IPv6 wants a checksum; nobody on its way looks whether it is right */
	at[UDP_BYTES] = TRANSPORT;
	memset(at + UDP_BYTES + 4, INDEX_BYTE, 4);
	return UDP_BYTES + PAYLOAD_BYTES;
}

static size_t put_ip4(uint8_t *at, bool fragment)
{
	const struct addr from = sample_addr(HOST4), to = sample_addr(DIAL4);
	size_t udp = put_udp(at + IP4_BYTES);
	uint16_t sum;

	memset(at, 0, IP4_BYTES);
	at[0] = 0x45;
	at[3] = (uint8_t)(IP4_BYTES + udp);
	at[6] = fragment ? MORE_FRAGMENTS : 0;
	at[8] = TTL;
	at[9] = IPPROTO_UDP;
	memcpy(at + 12, from.bytes, 4);
	memcpy(at + 16, to.bytes, 4);
	at[IP4_BYTES + 6] = at[IP4_BYTES + 7] = 0;
	sum = checksum(at, IP4_BYTES);
	at[10] = (uint8_t)(sum >> 8);
	at[11] = (uint8_t)sum;
	return IP4_BYTES + udp;
}

static size_t put_ip6(uint8_t *at, bool fragment)
{
	const struct addr from = sample_addr(HOST6), to = sample_addr(DIAL6);
	size_t more = fragment ? FRAGMENT_BYTES : 0, udp = put_udp(at + IP6_BYTES + more);

	memset(at, 0, IP6_BYTES + more);
	at[0] = 0x60;
	at[5] = (uint8_t)(more + udp);
	at[6] = fragment ? IPPROTO_FRAGMENT : IPPROTO_UDP;
	at[7] = TTL;
	memcpy(at + 8, from.bytes, 16);
	memcpy(at + 24, to.bytes, 16);
	if (fragment) {
		at[IP6_BYTES] = IPPROTO_UDP;
		at[IP6_BYTES + 3] = 1; /* more follow */
	}
	return IP6_BYTES + more + udp;
}

/* From the partner's end of the segment, under the address of somebody else: to the first gateway. */
static void forge(bool ip6, bool fragment)
{
	uint8_t frame[256];
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	size_t length;
	int fd;

	memcpy(frame, mac_a, ETH_ALEN);
	memcpy(frame + ETH_ALEN, stranger, ETH_ALEN);
	frame[12] = ip6 ? 0x86 : 0x08;
	frame[13] = ip6 ? 0xdd : 0x00;
	length = ETH_HLEN + (ip6 ? put_ip6 : put_ip4)(frame + ETH_HLEN, fragment);
	site_enter(partner.namespace);
	to.sll_ifindex = (int)if_nametoindex("eth0");
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(sendto(fd, frame, length, 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)length);
	close(fd);
	site_enter(site.gateway);
}

static bool is_forged(const struct wire_packet *packet)
{
	size_t header = packet->protocol == ETH_P_IP ? IP4_BYTES : IP6_BYTES;

	if (packet->protocol != ETH_P_IP && packet->protocol != ETH_P_IPV6)
		return false;
	if (packet->protocol == ETH_P_IPV6 && packet->bytes[6] == IPPROTO_FRAGMENT)
		header += FRAGMENT_BYTES;
	return packet->length == header + UDP_BYTES + PAYLOAD_BYTES &&
	       packet->bytes[header + 2] == DIAL_PORT >> 8 && packet->bytes[header + 3] == (DIAL_PORT & 0xff);
}

/* How often it came to the first gateway, and how often that sent it on. */
static void count(int tap, unsigned *ret_came, unsigned *ret_went)
{
	int64_t end_ms = wire_now_ms() + SOON_MS;
	struct wire_packet packet;

	*ret_came = *ret_went = 0;
	while (wire_now_ms() < end_ms && wire_see(tap, &packet, LOOP_MS)) {
		if (!is_forged(&packet))
			continue;
		*ret_came += !packet.outgoing;
		*ret_went += packet.outgoing;
	}
}

START_TEST(what_is_forged_goes_to_the_partner_once)
{
	int tap = wire_tap("wan0");
	unsigned came, went;

	both_steer();
	forge(_i, false);
	count(tap, &came, &went);
	ck_assert_uint_eq(came, 1);
	ck_assert_uint_eq(went, 1);
	close(tap);
}
END_TEST

/* A handshake of the first gateway's own leaves, at rest: from now on the session is its own. */
static void learn(void)
{
	const struct addr to = sample_addr(PARTNER4);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(DIAL_PORT)};
	uint8_t initiation[148] = {1, 0, 0, 0, INDEX_BYTE, INDEX_BYTE, INDEX_BYTE, INDEX_BYTE};
	int fd = wire_udp(AF_INET, GATEWAY4, DIAL_PORT, 0);

	memcpy(&address.sin_addr, to.bytes, sizeof(address.sin_addr));
	ck_assert_int_eq(
		sendto(fd, initiation, sizeof(initiation), 0, (struct sockaddr *)&address, sizeof(address)),
		(ssize_t)sizeof(initiation));
	close(fd);
}

/* The fragments of a packet stay together with it: the first one alone shows whose session it is. */
START_TEST(packets_of_an_own_session_stay_and_so_do_fragments)
{
	int tap = wire_tap("wan0");
	unsigned came, went;

	steer("wan0", false, mac_b, PARTNER4, PARTNER6);
	learn();
	both_steer();
	forge(_i / 2, _i % 2);
	count(tap, &came, &went);
	ck_assert_uint_eq(came, 1);
	ck_assert_uint_eq(went, 0);
	close(tap);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("steering");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_set_timeout(all, 60);
	tcase_add_loop_test(all, what_is_forged_goes_to_the_partner_once, 0, 2);
	tcase_add_loop_test(all, packets_of_an_own_session_stay_and_so_do_fragments, 0, 4);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
