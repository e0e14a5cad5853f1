/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/integration/nft/gateway.h"
#include "tests/integration/nft/suite.h"
#include "tests/integration/nft/wire.h"

static struct gateway gateway;
static struct host_tools host;

static void setup(void)
{
	gateway = gateway_open();
	host = host_tools_open(&gateway);
}

static void teardown(void)
{
	host_tools_close(&host);
	gateway_close(&gateway);
}

static void fence(void)
{
	ck_assert_int_eq(nft_permit_release(gateway.nft, &gateway.permit), 0);
}

START_TEST(packets_to_a_virtual_address_need_a_permit)
{
	static const char *const addresses[] = {DIAL4, DIAL6};
	gateway_give_host_neighbours(&gateway);
	ck_assert(!host_pings(&host, addresses[_i]));
	gateway_permit(&gateway);
	ck_assert(host_pings(&host, addresses[_i]));
	fence();
	ck_assert(!host_pings(&host, addresses[_i]));
}
END_TEST

/* The way in alone: answers would be fenced on the way out, too. */
START_TEST(datagrams_to_a_virtual_address_need_a_permit)
{
	bool ip4 = _i == 0;
	const char *dial = ip4 ? DIAL4 : DIAL6, *own = ip4 ? GATEWAY4 : GATEWAY6;
	struct endpoint from;
	char text[16];
	gateway_give_host_neighbours(&gateway);
	int server = wire_udp(ip4 ? AF_INET : AF_INET6, NULL, 5353, 0);
	site_enter(gateway.host.namespace);
	int client = wire_udp(ip4 ? AF_INET : AF_INET6, NULL, 7000, 0);
	site_enter(gateway.site.gateway);
	ck_assert_int_eq(wire_send(client, dial, 5353, "fenced"), 0);
	ck_assert_int_eq(wire_send(client, own, 5353, "own"), 0);
	ck_assert(wire_receive(server, text, sizeof text, &from, SOON_MS));
	ck_assert_str_eq(text, "own");
	gateway_permit(&gateway);
	ck_assert_int_eq(wire_send(client, dial, 5353, "permitted"), 0);
	ck_assert(wire_receive(server, text, sizeof text, &from, SOON_MS));
	ck_assert_str_eq(text, "permitted");
	close(server);
	close(client);
}
END_TEST

static bool gateway_knows(const char *address)
{
	char *listed = run_with_input(NULL, "ip", "neigh", "show", address, NULL);
	bool known = *listed != '\0';
	free(listed);
	return known;
}

/* The way in alone: a kernel that takes a question remembers who asked. */
START_TEST(questions_for_a_virtual_address_are_not_heard)
{
	bool ip4 = _i == 0;
	const char *stranger = ip4 ? "10.9.0.55" : "2001:db8::55";
	struct addr dial = sample_addr(ip4 ? DIAL4 : DIAL6), source = sample_addr(stranger);
	ck_assert_int_eq(probe_send(host.probe, "eth0", &dial, &source), 0);
	ck_assert(!host_probes(&host, ip4 ? DIAL4 : DIAL6)); /* the question was dealt with */
	ck_assert(!gateway_knows(stranger));
	gateway_permit(&gateway);
	ck_assert_int_eq(probe_send(host.probe, "eth0", &dial, &source), 0);
	ck_assert(host_probes(&host, ip4 ? DIAL4 : DIAL6));
	ck_assert(gateway_knows(stranger));
}
END_TEST

START_TEST(arp_and_nd_for_a_virtual_address_need_a_permit)
{
	static const char *const addresses[] = {DIAL4, DIAL6};
	ck_assert(!host_probes(&host, addresses[_i]));
	gateway_permit(&gateway);
	ck_assert(host_probes(&host, addresses[_i]));
	fence();
	ck_assert(!host_probes(&host, addresses[_i]));
}
END_TEST

START_TEST(a_guest_serves_but_does_not_announce)
{
	struct fw_permit guest = gateway.permit;
	guest.announces = false;
	ck_assert_int_eq(nft_permit_acquire(gateway.nft, &guest, PERMIT_MS), 0);
	ck_assert(!host_probes(&host, DIAL4));
	ck_assert(!host_probes(&host, DIAL6));
	gateway_give_host_neighbours(&gateway);
	ck_assert(host_pings(&host, DIAL4));
	ck_assert(host_pings(&host, DIAL6));
}
END_TEST

/* What a tunnel sends, whatever its source: from the virtual address, from the gateway's own, from any. */
static void assert_tunnel_sends(uint8_t family, const char *source, int expected)
{
	int tunnel = wire_udp(family, source, DIAL_PORT, DIAL_MARK);
	ck_assert_int_eq(wire_send(tunnel, family == AF_INET ? HOST4 : HOST6, 7000, "tunnel"), expected);
	close(tunnel);
}

START_TEST(a_tunnel_sends_only_with_a_permit)
{
	static const char *const sources[] = {NULL, GATEWAY4, DIAL4, NULL, GATEWAY6, DIAL6};
	uint8_t family = _i < 3 ? AF_INET : AF_INET6;
	struct fw_permit addresses_alone = gateway.permit;
	addresses_alone.mark_count = 0;
	assert_tunnel_sends(family, sources[_i], -EPERM);
	ck_assert_int_eq(nft_permit_acquire(gateway.nft, &addresses_alone, PERMIT_MS), 0);
	assert_tunnel_sends(family, sources[_i], -EPERM);
	fence();
	gateway_permit(&gateway);
	assert_tunnel_sends(family, sources[_i], 0);
	fence();
	assert_tunnel_sends(family, sources[_i], -EPERM);
}
END_TEST

START_TEST(other_users_of_the_mark_or_the_port_are_not_fenced)
{
	int same_mark = wire_udp(AF_INET, NULL, 9000, DIAL_MARK),
	    same_port = wire_udp(AF_INET, NULL, DIAL_PORT, 7);
	ck_assert_int_eq(wire_send(same_mark, HOST4, 7000, "x"), 0);
	ck_assert_int_eq(wire_send(same_port, HOST4, 7000, "x"), 0);
	close(same_mark);
	close(same_port);
}
END_TEST

START_TEST(nothing_leaves_from_a_virtual_address_without_a_permit)
{
	bool ip4 = _i == 0;
	int fd = wire_udp(ip4 ? AF_INET : AF_INET6, ip4 ? DIAL4 : DIAL6, 9000, 0);
	const char *to = ip4 ? HOST4 : HOST6;
	ck_assert_int_eq(wire_send(fd, to, 7000, "x"), -EPERM);
	gateway_permit(&gateway);
	ck_assert_int_eq(wire_send(fd, to, 7000, "x"), 0);
	fence();
	ck_assert_int_eq(wire_send(fd, to, 7000, "x"), -EPERM);
	close(fd);
}
END_TEST

/* Who asks by ARP for `wanted`? Into *ret_sender: the protocol address it names as its own. */
static void see_arp_for(int tap, const char *wanted, struct addr *ret_sender)
{
	struct addr target = sample_addr(wanted);
	struct wire_packet packet;
	struct ether_arp arp;
	do {
		ck_assert_msg(wire_see(tap, &packet, SOON_MS), "no ARP for %s", wanted);
		memcpy(&arp, packet.bytes, sizeof arp);
	} while (packet.protocol != ETH_P_ARP || memcmp(arp.arp_tpa, target.bytes, 4) != 0);
	*ret_sender = (struct addr){.family = AF_INET};
	memcpy(ret_sender->bytes, arp.arp_spa, 4);
}

START_TEST(arp_questions_do_not_name_a_virtual_address)
{
	struct addr sender, dial = sample_addr(DIAL4), own = sample_addr(GATEWAY4);
	struct fw_permit speaks = gateway.permit; /* lets the packet out, not the question */
	speaks.announces = false;
	write_sysctl("ipv4/conf/wan0/arp_announce", "0"); /* the kernel would take the packet's source */
	ck_assert_int_eq(nft_permit_acquire(gateway.nft, &speaks, PERMIT_MS), 0);
	int tap = wire_tap("wan0");
	int fd = wire_udp(AF_INET, DIAL4, 9000, 0), other = wire_udp(AF_INET, GATEWAY4, 9000, 0);
	wire_send(fd, "10.9.0.77", 7000, "x");
	wire_send(other, "10.9.0.78", 7000, "x");
	struct wire_packet packet;
	do {
		ck_assert(wire_see(tap, &packet, SOON_MS));
		struct ether_arp arp;
		memcpy(&arp, packet.bytes, sizeof arp);
		ck_assert_msg(packet.protocol != ETH_P_ARP || memcmp(arp.arp_spa, dial.bytes, 4) != 0,
			"a question named the virtual address");
		if (packet.protocol == ETH_P_ARP && memcmp(arp.arp_spa, own.bytes, 4) == 0)
			break;
	} while (true);
	fence();
	gateway_permit(&gateway);
	wire_send(fd, "10.9.0.79", 7000, "x");
	see_arp_for(tap, "10.9.0.79", &sender);
	ck_assert(addr_equal(&sender, &dial));
	close(tap);
	close(fd);
	close(other);
}
END_TEST

/* The target of the next advertisement that leaves. */
static struct addr see_advertisement(int tap)
{
	struct wire_packet packet;
	do
		ck_assert_msg(wire_see(tap, &packet, SOON_MS), "no advertisement");
	while (packet.protocol != ETH_P_IPV6 || packet.length < 64 || packet.bytes[6] != IPPROTO_ICMPV6 ||
		packet.bytes[40] != ND_NEIGHBOR_ADVERT);
	struct addr target = {.family = AF_INET6};
	memcpy(target.bytes, packet.bytes + 48, 16);
	return target;
}

static void change_mac(const char *mac)
{
	run("ip", "link", "set", "wan0", "address", mac, NULL);
}

/* With ndisc_notify the kernel advertises all addresses of an interface by itself when its MAC changes. */
START_TEST(the_kernel_does_not_advertise_a_virtual_address)
{
	struct addr dial = sample_addr(DIAL6);
	struct fw_permit guest =
		gateway.permit; /* what leaves from the address passes, claims of it do not */
	guest.announces = false;
	ck_assert_int_eq(nft_permit_acquire(gateway.nft, &guest, PERMIT_MS), 0);
	write_sysctl("ipv6/conf/wan0/ndisc_notify", "1");
	run("ip", "addr", "add", "2001:db8::12/64", "dev", "wan0", "nodad", NULL);
	struct addr last = sample_addr(GATEWAY6), target;
	int tap = wire_tap("wan0");
	change_mac("02:00:00:00:00:11");
	do {
		target = see_advertisement(tap);
		ck_assert(!addr_equal(&target, &dial));
	} while (!addr_equal(&target, &last));
	fence();
	gateway_permit(&gateway);
	change_mac("02:00:00:00:00:12");
	do
		target = see_advertisement(tap);
	while (!addr_equal(&target, &dial));
	close(tap);
}
END_TEST

START_TEST(a_host_talks_to_its_own_virtual_address_over_lo)
{
	char text[16];
	struct endpoint from;
	int server = wire_udp(AF_INET, DIAL4, 5353, 0), client = wire_udp(AF_INET, NULL, 0, 0);
	ck_assert_int_eq(wire_send(client, DIAL4, 5353, "hello"), 0);
	ck_assert(wire_receive(server, text, sizeof text, &from, SOON_MS));
	ck_assert_str_eq(text, "hello");
	close(server);
	close(client);
}
END_TEST

enum { SHORT_MS = 300, LONG_MS = 20000, EARLY_MS = 20 /* two jiffies */ };

/* Acquires for a while in which the host was seen to be answered: on a busy machine a longer one. When it began. */
static int64_t acquire_and_answer(int64_t *lease_ms)
{
	for (*lease_ms = SHORT_MS; *lease_ms <= LONG_MS; *lease_ms *= 2) {
		int64_t start = wire_now_ms(); /* before, for we may be held up right after it */
		ck_assert_int_eq(nft_permit_acquire(gateway.nft, &gateway.permit, *lease_ms), 0);
		if (host_pings(&host, DIAL4))
			return start;
		ck_assert_msg(wire_now_ms() - start >= *lease_ms - EARLY_MS, "no answer within a lease");
		ck_assert_int_eq(nft_permit_release(gateway.nft, &gateway.permit), 0);
	}
	ck_abort_msg("no lease is long enough for a ping");
	return 0;
}

START_TEST(the_kernel_fences_by_itself)
{
	int64_t lease_ms;
	gateway_give_host_neighbours(&gateway);
	int64_t start = acquire_and_answer(&lease_ms), end = start + lease_ms + SOON_MS;
	do {
		ck_assert_int_lt(wire_now_ms(), end);
		poll(NULL, 0, 1);
	} while (host_pings(&host, DIAL4));
	ck_assert_int_ge(wire_now_ms() - start, lease_ms - EARLY_MS);
	while (host_pings(&host, DIAL6) ||
		host_probes(&host, DIAL4)) /* a moment later: each table's element has its own time */
		ck_assert_int_lt(wire_now_ms(), end);
	ck_assert_int_eq(nft_permit_renew(gateway.nft, &gateway.permit, PERMIT_MS), -ENOENT);
	ck_assert(!host_pings(&host, DIAL4));
}
END_TEST

/* An emulated machine needs tens of milliseconds to apply a firewall: there the time ends the stream, not the count. */
enum { STREAM_PINGS = 2000, STREAM_PINGS_MIN = 100, STREAM_MS = 10000 };

struct stream {
	int sent, answered;
};

/* Pings at 1 kHz while two firewalls are applied in turn and the lease is renewed. */
static struct stream stream(bool renew)
{
	struct firewall firewall = sample_gateway();
	struct addr dial = sample_addr(DIAL4), other = sample_addr(GATEWAY4);
	struct icmp_answer answer;
	struct err err = {0};
	struct stream stream = {0};
	int fds[ICMP_FDS];
	firewall.tunnel_count = 3;
	struct fw_ruleset *larger = sample_build(&firewall);
	int64_t start = wire_now_ms();
	icmp_fds(host.icmp, fds);
	while (stream.sent < STREAM_PINGS &&
		(stream.sent < STREAM_PINGS_MIN || wire_now_ms() < start + STREAM_MS)) {
		const struct fw_ruleset *ruleset = stream.sent % 2 ? larger : gateway.ruleset;
		ck_assert_int_eq(icmp_send(host.icmp, &dial, "eth0", NULL, (uint16_t)stream.sent), 0);
		ck_assert_msg(nft_apply(gateway.nft, ruleset, NULL, 0, NULL, &err) == 0, "%s", err.text);
		if (renew)
			ck_assert_int_eq(nft_permit_renew(gateway.nft, &gateway.permit, PERMIT_MS), 0);
		stream.sent++;
		while (wire_now_ms() < start + stream.sent)
			wire_wait(fds[0], 1);
		while (icmp_read(host.icmp, &answer) == 1)
			stream.answered++;
	}
	fw_ruleset_free(larger);
	ck_assert_int_eq(icmp_send(host.icmp, &other, "eth0", NULL, 0), 0);
	for (;;) {
		while (icmp_read(host.icmp, &answer) == 1) {
			if (addr_equal(&answer.from, &other))
				return stream;
			stream.answered++;
		}
		ck_assert(wire_wait(fds[0], SOON_MS));
	}
}

START_TEST(applying_and_renewing_lose_no_packet)
{
	gateway_give_host_neighbours(&gateway);
	gateway_permit(&gateway);
	struct stream held = stream(true);
	ck_assert_int_eq(held.answered, held.sent);
}
END_TEST

START_TEST(applying_lets_no_packet_through)
{
	gateway_give_host_neighbours(&gateway);
	ck_assert_int_eq(stream(false).answered, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nft-fence");
	TCase *tcase = tcase_create("fence");
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, packets_to_a_virtual_address_need_a_permit, 0, 2);
	tcase_add_loop_test(tcase, datagrams_to_a_virtual_address_need_a_permit, 0, 2);
	tcase_add_loop_test(tcase, questions_for_a_virtual_address_are_not_heard, 0, 2);
	tcase_add_loop_test(tcase, arp_and_nd_for_a_virtual_address_need_a_permit, 0, 2);
	tcase_add_test(tcase, a_guest_serves_but_does_not_announce);
	tcase_add_loop_test(tcase, a_tunnel_sends_only_with_a_permit, 0, 6);
	tcase_add_test(tcase, other_users_of_the_mark_or_the_port_are_not_fenced);
	tcase_add_loop_test(tcase, nothing_leaves_from_a_virtual_address_without_a_permit, 0, 2);
	tcase_add_test(tcase, arp_questions_do_not_name_a_virtual_address);
	tcase_add_test(tcase, the_kernel_does_not_advertise_a_virtual_address);
	tcase_add_test(tcase, a_host_talks_to_its_own_virtual_address_over_lo);
	tcase_add_test(tcase, the_kernel_fences_by_itself);
	tcase_add_test(tcase, applying_and_renewing_lose_no_packet);
	tcase_add_test(tcase, applying_lets_no_packet_through);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
