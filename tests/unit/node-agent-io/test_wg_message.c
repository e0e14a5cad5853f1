/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/rtnl/attribute.h"
#include "node-agent/io/wireguard/internal.h"
#include "wg_sample.h"

/* ---- encoding ---- */

static uint8_t buffer[WG_MESSAGE_MAX_BYTES];

static struct nlmsghdr *start(void)
{
	struct nlmsghdr *message;

	memset(buffer, 0, sizeof buffer);
	message = mnl_nlmsg_put_header(buffer);
	mnl_nlmsg_put_extra_header(message, sizeof(struct genlmsghdr));
	return message;
}

/* Encode all of it, and decode every message into *ret_device. Returns how many messages it took. */
static unsigned round_trip(const struct wg_change *change, struct wg_device *ret_device)
{
	struct wg_encoder encoder = {.change = change, .name = "wg0"};
	struct wg_builder builder;
	struct nlmsghdr *message;
	unsigned count = 0;
	bool more = true;

	wg_builder_init(&builder, ret_device);
	for (; more; count++) {
		message = start();
		more = wg_encode(&encoder, message);
		ck_assert_uint_le(message->nlmsg_len, WG_MESSAGE_MAX_BYTES);
		ck_assert_int_eq(wg_decode(&builder, message), 0);
	}
	wg_builder_finish(&builder);
	return count;
}

START_TEST(test_takeover_of_one_peer_is_one_small_message)
{
	static const uint8_t wanted[] = {
		0x08, 0x00, 0x02, 0x00, 'w', 'g', '0', 0,                   /* IFNAME */
		0x50, 0x00, 0x08, 0x80,                                     /* PEERS */
		0x4c, 0x00, 0x00, 0x80,                                     /* [0] */
		0x24, 0x00, 0x01, 0x00, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, /* PUBLIC_KEY */
		7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, /* */
		0x08, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x00,             /* FLAGS: UPDATE_ONLY */
		0x14, 0x00, 0x04, 0x00, 0x02, 0x00, 0xca, 0x6c,             /* ENDPOINT: AF_INET, 51820 */
		192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0,                       /* */
		0x06, 0x00, 0x05, 0x00, 0x19, 0x00, 0x00, 0x00,             /* KEEPALIVE: 25 */
	};
	struct wg_peer_change peer = {
		.flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_ENDPOINT | WG_PEER_SET_KEEPALIVE,
		.keepalive_s = 25};
	struct wg_change change = {.peers = &peer, .peer_count = 1};
	struct wg_encoder encoder = {.change = &change, .name = "wg0"};
	struct nlmsghdr *message = start();

	memset(peer.public_key.bytes, 7, KEY_BYTES);
	peer.endpoint = sample_endpoint("192.0.2.1:51820");
	ck_assert(!wg_encode(&encoder, message));
	ck_assert_uint_eq(message->nlmsg_len, MNL_NLMSG_HDRLEN + 4 + sizeof wanted);
	ck_assert_mem_eq(buffer + MNL_NLMSG_HDRLEN + 4, wanted, sizeof wanted);
}
END_TEST

START_TEST(test_takeover_of_500_peers_is_one_message)
{
	struct wg_peer_change *peers = sample_peers_new(500);
	struct wg_change change = {.peers = peers, .peer_count = 500};
	struct wg_device device;
	size_t i;

	for (i = 0; i < 500; i++) {
		peers[i].flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_ENDPOINT | WG_PEER_SET_KEEPALIVE;
		peers[i].allowed_ip_count = 0;
	}
	ck_assert_uint_eq(round_trip(&change, &device), 1);
	sample_assert_peers(&device, peers, 500);
	wg_device_clear(&device);
	sample_peers_free(peers, 500);
}
END_TEST

START_TEST(test_device_settings)
{
	struct wg_change change = {.flags = WG_SET_PRIVATE_KEY | WG_SET_LISTEN_PORT | WG_SET_FWMARK,
		.private_key = sample_key(9),
		.listen_port = 51820,
		.fwmark = 0xca6c};
	struct wg_device device;

	ck_assert_uint_eq(round_trip(&change, &device), 1);
	ck_assert(key_equal(&device.private_key, &change.private_key));
	ck_assert_uint_eq(device.listen_port, 51820);
	ck_assert_uint_eq(device.fwmark, 0xca6c);
	ck_assert_str_eq(device.name, "wg0");
	wg_device_clear(&device);
}
END_TEST

START_TEST(test_10000_peers_in_several_messages)
{
	struct wg_peer_change *peers = sample_peers_new(10000);
	struct wg_change change = {.flags = WG_REPLACE_PEERS, .peers = peers, .peer_count = 10000};
	struct wg_device device;

	ck_assert_uint_lt(round_trip(&change, &device), 45);
	sample_assert_peers(&device, peers, 10000);
	wg_device_clear(&device);
	sample_peers_free(peers, 10000);
}
END_TEST

static const struct nlattr *only_peer(const struct nlmsghdr *message)
{
	const struct nlattr *device[WGDEVICE_A_MAX + 1];

	ck_assert(attribute_table(message, sizeof(struct genlmsghdr), device, ARRAY_COUNT(device)));
	ck_assert_ptr_nonnull(device[WGDEVICE_A_PEERS]);
	return mnl_attr_get_payload(device[WGDEVICE_A_PEERS]);
}

/* Later parts of a peer must neither replace what earlier ones put there nor make a peer that is not to be made. */
START_TEST(test_a_split_peer_continues_without_replace)
{
	struct prefix *prefixes = sample_prefixes_new(5000);
	struct wg_peer_change peer = {.public_key = sample_key(1),
		.flags = WG_PEER_REPLACE_ALLOWED_IPS | WG_PEER_UPDATE_ONLY | WG_PEER_SET_PRESHARED_KEY |
			 WG_PEER_SET_KEEPALIVE,
		.allowed_ips = prefixes,
		.allowed_ip_count = 5000};
	struct wg_change change = {.flags = WG_REPLACE_PEERS, .peers = &peer, .peer_count = 1};
	struct wg_encoder encoder = {.change = &change, .name = "wg0"};
	const struct nlattr *device[WGDEVICE_A_MAX + 1], *table[WGPEER_A_MAX + 1];
	struct nlmsghdr *message = start();
	uint32_t flags = 0;

	ck_assert(wg_encode(&encoder, message));
	attribute_nest(only_peer(message), table, ARRAY_COUNT(table));
	ck_assert(attribute_u32(table[WGPEER_A_FLAGS], &flags));
	ck_assert_uint_eq(flags, WGPEER_F_REPLACE_ALLOWEDIPS | WGPEER_F_UPDATE_ONLY);

	message = start();
	wg_encode(&encoder, message);
	attribute_table(message, sizeof(struct genlmsghdr), device, ARRAY_COUNT(device));
	ck_assert_ptr_null(device[WGDEVICE_A_FLAGS]);
	attribute_nest(only_peer(message), table, ARRAY_COUNT(table));
	ck_assert(attribute_u32(table[WGPEER_A_FLAGS], &flags));
	ck_assert_uint_eq(flags, WGPEER_F_UPDATE_ONLY);
	ck_assert_ptr_nonnull(table[WGPEER_A_PUBLIC_KEY]);
	ck_assert_ptr_nonnull(table[WGPEER_A_ALLOWEDIPS]);
	ck_assert_ptr_null(table[WGPEER_A_PRESHARED_KEY]);
	ck_assert_ptr_null(table[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]);
	free(prefixes);
}
END_TEST

START_TEST(test_split_peers_are_merged)
{
	struct prefix *prefixes = sample_prefixes_new(130560);
	struct wg_peer_change *peers = sample_peers_new(3);
	struct wg_change change = {.peers = peers, .peer_count = 3};
	struct wg_device device;

	sample_free(peers[1].allowed_ips);
	peers[1].allowed_ips = prefixes;
	peers[1].allowed_ip_count = 130560;
	ck_assert_uint_gt(round_trip(&change, &device), 60);
	sample_assert_peers(&device, peers, 3);
	wg_device_clear(&device);
	sample_peers_free(peers, 3);
}
END_TEST

START_TEST(test_removal_sends_nothing_else)
{
	struct wg_peer_change *peers = sample_peers_new(1);
	struct wg_change change = {.peers = peers, .peer_count = 1};
	struct wg_encoder encoder = {.change = &change, .name = "wg0"};
	const struct nlattr *table[WGPEER_A_MAX + 1];
	struct nlmsghdr *message = start();
	uint32_t flags = 0;

	peers[0].flags = WG_PEER_REMOVE;
	ck_assert(!wg_encode(&encoder, message));
	attribute_nest(only_peer(message), table, ARRAY_COUNT(table));
	ck_assert(attribute_u32(table[WGPEER_A_FLAGS], &flags));
	ck_assert_uint_eq(flags, WGPEER_F_REMOVE_ME);
	ck_assert_ptr_null(table[WGPEER_A_ALLOWEDIPS]);
	ck_assert_ptr_null(table[WGPEER_A_ENDPOINT]);
	sample_peers_free(peers, 1);
}
END_TEST

/* ---- decoding what the kernel, or something worse, sends ---- */

struct broken {
	uint16_t family;
	uint8_t length;
	size_t address_bytes, endpoint_bytes, key_bytes;
	int64_t handshake_ns;
	uint16_t endpoint_family;
};

static const struct broken sound = {.family = AF_INET,
	.length = 32,
	.address_bytes = 4,
	.endpoint_bytes = 16,
	.key_bytes = KEY_BYTES,
	.handshake_ns = 999999999,
	.endpoint_family = AF_INET};

/* A dump's message with one peer as the kernel lays it out, but for what is broken about it. */
static int decode_broken(struct broken broken)
{
	const int64_t handshake[2] = {1700000000, broken.handshake_ns};
	uint8_t bytes[64] = {0};
	struct nlmsghdr *message = start();
	struct nlattr *peers, *peer, *ips, *ip;
	struct wg_builder builder;
	struct wg_device device;
	int r;

	mnl_attr_put_u16(message, WGDEVICE_A_LISTEN_PORT, 51820);
	peers = mnl_attr_nest_start(message, WGDEVICE_A_PEERS);
	peer = mnl_attr_nest_start(message, 0);
	mnl_attr_put(message, WGPEER_A_PUBLIC_KEY, broken.key_bytes, bytes);
	mnl_attr_put(message, WGPEER_A_LAST_HANDSHAKE_TIME, sizeof handshake, handshake);
	memcpy(bytes, &broken.endpoint_family, sizeof broken.endpoint_family);
	mnl_attr_put(message, WGPEER_A_ENDPOINT, broken.endpoint_bytes, bytes);
	ips = mnl_attr_nest_start(message, WGPEER_A_ALLOWEDIPS);
	ip = mnl_attr_nest_start(message, 0);
	mnl_attr_put_u16(message, WGALLOWEDIP_A_FAMILY, broken.family);
	mnl_attr_put(message, WGALLOWEDIP_A_IPADDR, broken.address_bytes, bytes);
	mnl_attr_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, broken.length);
	mnl_attr_nest_end(message, ip);
	mnl_attr_nest_end(message, ips);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, peers);
	wg_builder_init(&builder, &device);
	r = wg_decode(&builder, message);
	wg_builder_abort(&builder);
	return r;
}

#define BROKEN(...)                      \
	({                               \
		struct broken b = sound; \
		__VA_ARGS__;             \
		b;                       \
	})

START_TEST(test_malformed_parts_are_refused)
{
	ck_assert_int_eq(decode_broken(sound), 0);
	ck_assert_int_eq(decode_broken(BROKEN(b.length = 33)), -EPROTO);
	ck_assert_int_eq(decode_broken(BROKEN(b.family = AF_UNIX)), -EPROTO);
	ck_assert_int_eq(decode_broken(BROKEN(b.address_bytes = 3)), -EPROTO);
	ck_assert_int_eq(decode_broken(BROKEN(b.family = AF_INET6)), -EPROTO);
	ck_assert_int_eq(decode_broken(BROKEN(b.family = AF_INET6; b.address_bytes = 16; b.length = 128)), 0);
	ck_assert_int_eq(
		decode_broken(BROKEN(b.family = AF_INET6; b.address_bytes = 16; b.length = 129)), -EPROTO);
	ck_assert_int_eq(decode_broken(BROKEN(b.endpoint_bytes = 15)), -EPROTO);
	ck_assert_int_eq(decode_broken(BROKEN(b.endpoint_bytes = 1)), -EPROTO);
	ck_assert_int_eq(decode_broken(BROKEN(b.endpoint_family = AF_INET6)), -EPROTO);
	ck_assert_int_eq(decode_broken(BROKEN(b.endpoint_family = AF_UNIX; b.endpoint_bytes = 28)), -EPROTO);
	ck_assert_int_eq(decode_broken(BROKEN(b.handshake_ns = 1000000000)), -EPROTO);
	ck_assert_int_eq(decode_broken(BROKEN(b.handshake_ns = -1)), -EPROTO);
	ck_assert_int_eq(decode_broken(BROKEN(b.key_bytes = 31)), -EPROTO);
}
END_TEST

/* Cut a whole message at every length, in memory that ends where it ends: the sanitizer sees a read beyond. */
START_TEST(test_truncation_reads_nothing_beyond)
{
	struct wg_peer_change *peers = sample_peers_new(3);
	struct wg_change change = {
		.flags = WG_SET_PRIVATE_KEY | WG_SET_FWMARK, .peers = peers, .peer_count = 3};
	struct wg_encoder encoder = {.change = &change, .name = "wg0"};
	struct nlmsghdr *message = start(), *cut;
	struct wg_builder builder;
	struct wg_device device;
	uint32_t length;

	wg_encode(&encoder, message);
	for (length = MNL_NLMSG_HDRLEN; length <= message->nlmsg_len; length++) {
		cut = malloc(length);
		memcpy(cut, message, length);
		cut->nlmsg_len = length;
		wg_builder_init(&builder, &device);
		(void)wg_decode(&builder, cut);
		ck_assert_uint_le(device.peer_count, 3);
		wg_builder_abort(&builder);
		free(cut);
	}
	sample_peers_free(peers, 3);
}
END_TEST

/* Every byte of a message set to what lengths like least. */
START_TEST(test_lying_lengths_read_nothing_beyond)
{
	static const uint8_t lies[] = {0, 1, 3, 4, 0x7f, 0xff};
	struct wg_peer_change *peers = sample_peers_new(2);
	struct wg_change change = {.flags = WG_SET_PRIVATE_KEY, .peers = peers, .peer_count = 2};
	struct wg_encoder encoder = {.change = &change, .name = "wg0"};
	struct nlmsghdr *message = start(), *copy;
	struct wg_builder builder;
	struct wg_device device;
	size_t at, lie;

	wg_encode(&encoder, message);
	for (at = MNL_NLMSG_HDRLEN; at < message->nlmsg_len; at++) {
		for (lie = 0; lie < sizeof lies; lie++) {
			copy = mem_copy(message, message->nlmsg_len);
			((uint8_t *)copy)[at] = lies[lie];
			wg_builder_init(&builder, &device);
			(void)wg_decode(&builder, copy);
			wg_builder_abort(&builder);
			free(copy);
		}
	}
	sample_peers_free(peers, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wg-message");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 50);
	tcase_add_test(all, test_takeover_of_one_peer_is_one_small_message);
	tcase_add_test(all, test_takeover_of_500_peers_is_one_message);
	tcase_add_test(all, test_device_settings);
	tcase_add_test(all, test_10000_peers_in_several_messages);
	tcase_add_test(all, test_a_split_peer_continues_without_replace);
	tcase_add_test(all, test_split_peers_are_merged);
	tcase_add_test(all, test_removal_sends_nothing_else);
	tcase_add_test(all, test_malformed_parts_are_refused);
	tcase_add_test(all, test_truncation_reads_nothing_beyond);
	tcase_add_test(all, test_lying_lengths_read_nothing_beyond);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
