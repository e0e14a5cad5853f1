/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node-agent/core/forwarding/test_packet.h"
#include "node-agent/io/announce/frame.h"
#include "node-agent/io/inject/inject.h"
#include "node-agent/io/nft/catch.h"
#include "tests/integration/nft/site.h"
#include "tests/integration/nft/suite.h"
#include "tests/integration/nft/wire.h"
#include "tests/unit/firewall/sample.h"

/*
 * A packet of one's own goes in by a tunnel, through the kernel's forwarding, and is caught before it leaves by the LAN. The
 * tunnel is a TUN device, as wireguard-go has, and kernel WireGuard where there is some (the virtual machine). Half a second; 5 s of
 * emulation.
 */
#define CLIENT4 "10.50.0.2"
#define CLIENT6 "fd50::2"
#define LAN4 "192.168.1.10"
#define LAN6 "fd01::10"

static struct nft *nft;
static struct inject *inject;

static void setup(void)
{
	struct err err = {0};

	(void)site_open();
	(void)site_join("lan0");
	run("ip", "addr", "add", "192.168.1.1/24", "dev", "lan0", NULL);
	run("ip", "addr", "add", "fd01::1/64", "dev", "lan0", "nodad", NULL);
	write_sysctl("ipv4/ip_forward", "1");
	write_sysctl("ipv6/conf/all/forwarding", "1");
	ck_assert_msg(nft_open(&nft, &err) == 0, "%s", err.text);
	ck_assert_msg(inject_open(&inject, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	inject_close(inject);
	nft_close(nft);
}

static void set_up_tunnel(void)
{
	run("ip", "addr", "add", "10.50.0.1/24", "dev", "wg0", NULL);
	run("ip", "addr", "add", "fd50::1/64", "dev", "wg0", "nodad", NULL);
	run("ip", "link", "set", "wg0", "up", NULL);
}

/* Zeros if it has none. */
static void read_mac(uint8_t mac[6])
{
	struct frame_interface interface = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)frame_interface(fd, "wg0", &interface);
	memcpy(mac, interface.mac, sizeof(interface.mac));
	close(fd);
}

static void send_in(
	enum test_packet_kind kind, const char *from, const char *to, const struct fw_catch *catch)
{
	struct test_packet packet = {.kind = kind, .from = sample_addr(from), .to = sample_addr(to)};
	uint8_t frame[TEST_PACKET_BYTES_MAX];
	struct err err = {0};

	memcpy(packet.token, catch->token, sizeof(packet.token));
	read_mac(packet.mac);
	ck_assert_msg(inject_frame(inject, if_nametoindex("wg0"), frame, test_packet_write(&packet, frame),
			      &err) == 0,
		"%s", err.text);
}

/* How many of the two kinds and families come through to be caught. */
static uint64_t count_through(const char *device)
{
	struct fw_catch catch = {.token = "sixteen bytes..", .device = device};
	uint64_t packets = 0;
	struct err err = {0};

	ck_assert_msg(nft_catch_open(nft, &catch, 1, &err) == 0, "%s", err.text);
	for (int kind = 0; kind < TEST_PACKET_KINDS; kind++) {
		send_in((enum test_packet_kind)kind, CLIENT4, LAN4, &catch);
		send_in((enum test_packet_kind)kind, CLIENT6, LAN6, &catch);
	}
	ck_assert_msg(nft_catch_read(nft, &packets, 1, &err) == 0, "%s", err.text);
	nft_catch_close(nft);
	ck_assert_int_ne(run_status("nft", "list", "table", "inet", FW_CATCH_TABLE, NULL), 0);
	return packets;
}

static bool is_test_packet(const struct wire_packet *packet)
{
	for (size_t i = 0; i + 16 <= packet->length; i++)
		if (!memcmp(packet->bytes + i, "sixteen bytes..", 16))
			return true;
	return false;
}

static void assert_nothing_left(int tap)
{
	struct wire_packet packet;

	while (wire_see(tap, &packet, 0))
		ck_assert_msg(!packet.outgoing || !is_test_packet(&packet), "a test packet left");
}

static void pass_through(void)
{
	int out = wire_tap("lan0"), back = wire_tap("wg0");

	ck_assert_uint_eq(count_through("lan0"), (uint64_t)2 * TEST_PACKET_KINDS);
	ck_assert_uint_eq(count_through("lan1"), 0); /* it leaves, but not by that */
	/* Refused, with an error to the client. */
	free(run_with_input(
		"table inet other { chain forward { type filter hook forward priority 0; iifname wg0 "
		"reject; }; }",
		"nft", "-f", "-", NULL));
	ck_assert_uint_eq(count_through("lan0"), 0);
	run("nft", "delete", "table", "inet", "other", NULL);
	/* Taken in, and the echo answered. */
	free(run_with_input("table ip other { chain in { type nat hook prerouting priority -100; iifname wg0 "
			    "redirect; }; }",
		"nft", "-f", "-", NULL));
	ck_assert_uint_eq(count_through("lan0"), TEST_PACKET_KINDS); /* IPv6 */
	run("nft", "delete", "table", "ip", "other", NULL);
	write_sysctl("ipv4/ip_forward", "0");
	ck_assert_uint_eq(count_through("lan0"), TEST_PACKET_KINDS);
	assert_nothing_left(out);
	assert_nothing_left(back);
	close(out);
	close(back);
}

START_TEST(through_a_tun_device)
{
	run("ip", "tuntap", "add", "wg0", "mode", "tun", NULL);
	set_up_tunnel();
	pass_through();
}
END_TEST

START_TEST(through_kernel_wireguard)
{
	if (run_status("ip", "link", "add", "wg0", "type", "wireguard", NULL)) {
		puts("no kernel WireGuard here");
		return;
	}
	set_up_tunnel();
	pass_through();
}
END_TEST

/* Here an answer that is not caught would be seen on its way to the client. */
START_TEST(through_an_ethernet_interface)
{
	(void)site_join("wg0");
	set_up_tunnel();
	run("ip", "neigh", "add", CLIENT4, "lladdr", "02:00:00:00:00:02", "dev", "wg0", NULL);
	run("ip", "neigh", "add", CLIENT6, "lladdr", "02:00:00:00:00:02", "dev", "wg0", NULL);
	pass_through();
}
END_TEST

START_TEST(the_table_goes_with_its_socket)
{
	struct fw_catch catch = {.device = "lan0"};
	struct err err = {0};

	ck_assert_int_eq(nft_catch_open(nft, &catch, 1, &err), 0);
	ck_assert_int_eq(run_status("nft", "list", "table", "inet", FW_CATCH_TABLE, NULL), 0);
	nft_close(nft);
	ck_assert_msg(nft_open(&nft, &err) == 0, "%s", err.text);
	ck_assert_int_eq(nft_catch_open(nft, &catch, 1, &err), 0);
}
END_TEST

START_TEST(no_such_interface)
{
	uint8_t frame[64] = {0};
	struct err err = {0};

	ck_assert_int_lt(inject_frame(inject, 4711, frame, sizeof(frame), &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "cannot let a packet in"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nft-through");
	TCase *tcase = tcase_create("through");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, through_a_tun_device);
	tcase_add_test(tcase, through_kernel_wireguard);
	tcase_add_test(tcase, through_an_ethernet_interface);
	tcase_add_test(tcase, the_table_goes_with_its_socket);
	tcase_add_test(tcase, no_such_interface);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
