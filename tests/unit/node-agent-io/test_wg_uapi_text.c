/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/wireguard/internal.h"
#include "wg_sample.h"

#define HEX_A "0100000000000000000000000000000000000000000000000000000000000000"
#define HEX_B "0200000000000000000000000000000000000000000000000000000000000000"
#define HEX_C "0300000000000000000000000000000000000000000000000000000000000000"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"

/* ---- writing ---- */

START_TEST(test_change_as_text)
{
	struct prefix prefixes[] = {sample_prefix("10.0.0.1/32"), sample_prefix("fd50::/64")};
	struct wg_peer_change peers[] = {
		{.public_key = {{1}},
			.flags = WG_PEER_UPDATE_ONLY | WG_PEER_REPLACE_ALLOWED_IPS |
				 WG_PEER_SET_PRESHARED_KEY | WG_PEER_SET_ENDPOINT | WG_PEER_SET_KEEPALIVE,
			.endpoint = sample_endpoint("[2001:db8::1]:51820"),
			.keepalive_s = 25,
			.allowed_ips = prefixes,
			.allowed_ip_count = 2},
		{.public_key = {{2}},
			.flags = WG_PEER_REMOVE,
			.allowed_ips = prefixes,
			.allowed_ip_count = 2},
	};
	struct wg_change change = {
		.flags = WG_SET_PRIVATE_KEY | WG_SET_LISTEN_PORT | WG_SET_FWMARK | WG_REPLACE_PEERS,
		.private_key = {{3}},
		.listen_port = 51820,
		.fwmark = 0xffffffff,
		.peers = peers,
		.peer_count = 2};
	struct text text;

	wg_uapi_format(&change, &text);
	ck_assert_str_eq(text.data,
		"set=1\nprivate_key=" HEX_C "\nlisten_port=51820\nfwmark=4294967295\nreplace_peers=true\n"
		"public_key=" HEX_A "\nupdate_only=true\npreshared_key=" ZERO
		"\nendpoint=[2001:db8::1]:51820\n"
		"persistent_keepalive_interval=25\nreplace_allowed_ips=true\nallowed_ip=10.0.0.1/32\n"
		"allowed_ip=fd50::/64\n"
		"public_key=" HEX_B "\nremove=true\n\n");
	wg_uapi_wipe(&text);
	ck_assert_ptr_null(text.data);
}
END_TEST

/* A buffer that moves leaves keys behind. */
START_TEST(test_the_longest_text_fits_where_it_began)
{
	struct prefix prefix = sample_prefix("fd50:aaaa:bbbb:cccc:dddd:eeee:ffff:1111/128");
	struct wg_peer_change peer = {.flags = WG_PEER_UPDATE_ONLY | WG_PEER_REPLACE_ALLOWED_IPS |
					       WG_PEER_SET_PRESHARED_KEY | WG_PEER_SET_ENDPOINT |
					       WG_PEER_SET_KEEPALIVE,
		.endpoint = sample_endpoint("[2001:aaaa:bbbb:cccc:dddd:eeee:ffff:1111]:65535"),
		.keepalive_s = UINT16_MAX,
		.allowed_ips = &prefix,
		.allowed_ip_count = 1};
	struct wg_change change = {.flags = ~0u,
		.listen_port = UINT16_MAX,
		.fwmark = UINT32_MAX,
		.peers = &peer,
		.peer_count = 1};
	struct text text;

	wg_uapi_format(&change, &text);
	ck_assert_uint_eq(text.capacity, 256 + 400 + 12 + PREFIX_TEXT_MAX);
	ck_assert_uint_lt(text.length, text.capacity);
	wg_uapi_wipe(&text);
}
END_TEST

/* ---- reading ---- */

static const char reply[] =
	"private_key=" HEX_C "\nlisten_port=51820\nfwmark=51820\n"
	"public_key=" HEX_B "\npreshared_key=" ZERO "\nprotocol_version=1\nendpoint=192.0.2.1:1\n"
	"last_handshake_time_sec=1700000000\nlast_handshake_time_nsec=999999999\ntx_bytes="
	"18446744073709551615\n"
	"rx_bytes=7\npersistent_keepalive_interval=65535\nallowed_ip=10.0.0.0/8\nallowed_ip=fd50::/64\n"
	"public_key=" HEX_A "\npreshared_key=" HEX_B "\nendpoint=[fe80::1%3]:2\na_later_key=whatever\n"
	"errno=0\n\n";

static void assert_reply(const struct wg_device *device)
{
	const struct wg_peer *a = &device->peers[0], *b = &device->peers[1];
	struct endpoint first = sample_endpoint("192.0.2.1:1"), second = sample_endpoint("[fe80::1%3]:2");

	ck_assert_uint_eq(device->private_key.bytes[0], 3);
	ck_assert_uint_eq(device->listen_port, 51820);
	ck_assert_uint_eq(device->fwmark, 51820);
	ck_assert_uint_eq(device->peer_count, 2);
	ck_assert_uint_eq(a->public_key.bytes[0], 1);
	ck_assert_uint_eq(a->preshared_key.bytes[0], 2);
	ck_assert(endpoint_equal(&a->endpoint, &second));
	ck_assert(endpoint_equal(&b->endpoint, &first));
	ck_assert_int_eq(b->handshake_s, 1700000000);
	ck_assert_uint_eq(b->handshake_ns, 999999999);
	ck_assert_uint_eq(b->tx_bytes, UINT64_MAX);
	ck_assert_uint_eq(b->rx_bytes, 7);
	ck_assert_uint_eq(b->keepalive_s, 65535);
	ck_assert_uint_eq(b->allowed_ip_count, 2);
}

START_TEST(test_reply_in_pieces_of_any_size)
{
	struct wg_device device;
	struct wg_builder builder;
	size_t piece, at, size;

	for (piece = 1; piece <= sizeof reply; piece++) {
		struct wg_uapi_parser parser = {.builder = &builder};
		int r = 0;

		wg_builder_init(&builder, &device);
		for (at = 0; at < sizeof reply - 1; at += size) {
			ck_assert_int_eq(r, 0);
			size = sizeof reply - 1 - at < piece ? sizeof reply - 1 - at : piece;
			r = wg_uapi_parse(&parser, reply + at, size);
		}
		ck_assert_int_eq(r, 1);
		wg_builder_finish(&builder);
		assert_reply(&device);
		wg_device_clear(&device);
	}
}
END_TEST

static int parse(const char *text, size_t size)
{
	struct wg_builder builder;
	struct wg_device device;
	struct wg_uapi_parser parser = {.builder = &builder};
	int r;

	wg_builder_init(&builder, &device);
	r = wg_uapi_parse(&parser, text, size);
	wg_builder_abort(&builder);
	return r;
}

static int parse_text(const char *text)
{
	return parse(text, strlen(text));
}

/* By name as by number; what is no interface here says nothing. */
START_TEST(test_zones_by_name)
{
	static const struct {
		const char *zone;
		bool loopback;
	} zones[] = {{"lo", true}, {"nosuch", false}, {"abcdefghijklmno", false}};

	for (size_t i = 0; i < ARRAY_COUNT(zones); i++) {
		struct wg_builder builder;
		struct wg_device device;
		struct wg_uapi_parser parser = {.builder = &builder};
		char text[256];

		snprintf(text, sizeof text, "public_key=" HEX_A "\nendpoint=[fe80::1%%%s]:2\nerrno=0\n\n",
			zones[i].zone);
		wg_builder_init(&builder, &device);
		ck_assert_int_eq(wg_uapi_parse(&parser, text, strlen(text)), 1);
		wg_builder_finish(&builder);
		ck_assert_uint_eq(device.peers[0].endpoint.port, 2);
		ck_assert_uint_eq(
			device.peers[0].endpoint.scope, zones[i].loopback ? if_nametoindex("lo") : 0);
		wg_device_clear(&device);
	}
}
END_TEST

START_TEST(test_errors_of_the_program)
{
	struct wg_uapi_parser to_set = {0};

	ck_assert_int_eq(parse_text("errno=0\n\n"), 1);
	ck_assert_int_eq(parse_text("errno=-98\n\n"), -EADDRINUSE);
	ck_assert_int_eq(parse_text("errno=22\n\n"), -EINVAL);
	ck_assert_int_eq(wg_uapi_parse(&to_set, "errno=-22\n\n", 11), -EINVAL);
}
END_TEST

START_TEST(test_nonsense_is_refused)
{
	static const char *const nonsense[] = {"\n", "errno=\n\n", "errno=x\n\n", "errno=4096\n\n",
		"errno=--1\n\n", "no equals sign\n", "private_key=00\n", "private_key=" HEX_A "00\n",
		"listen_port=65536\n", "listen_port=-1\n", "fwmark=4294967296\n", "public_key=zz\n",
		"public_key=" HEX_A "\npreshared_key=1\n", "public_key=" HEX_A "\nendpoint=nowhere\n",
		"public_key=" HEX_A "\nendpoint=%\n",
		"public_key=" HEX_A "\nendpoint=[fe80::1%abcdefghijklmnop]:2\n",
		"public_key=" HEX_A "\nendpoint=[fe80::1%4294967296]:2\n",
		"public_key=" HEX_A "\nendpoint=[10.0.0.1%lo]:2\n", "public_key=" HEX_A "\nallowed_ip=10.0.0.0/33\n",
		"public_key=" HEX_A "\nrx_bytes=18446744073709551616\n",
		"public_key=" HEX_A "\nlast_handshake_time_nsec=1000000000\n",
		"public_key=" HEX_A "\npersistent_keepalive_interval=65536\n"};
	size_t i;

	for (i = 0; i < ARRAY_COUNT(nonsense); i++)
		ck_assert_msg(parse_text(nonsense[i]) == -EPROTO, "took %s", nonsense[i]);
	ck_assert_int_eq(parse("a=\0b\n", 5), -EPROTO);
}
END_TEST

START_TEST(test_lines_have_a_limit)
{
	char line[WG_UAPI_LINE_MAX + 3];

	memset(line, 'x', sizeof line);
	line[1] = '=';
	line[WG_UAPI_LINE_MAX] = '\n';
	ck_assert_int_eq(parse(line, WG_UAPI_LINE_MAX + 1), 0);
	line[WG_UAPI_LINE_MAX] = 'x';
	line[WG_UAPI_LINE_MAX + 1] = '\n';
	ck_assert_int_eq(parse(line, WG_UAPI_LINE_MAX + 2), -EMSGSIZE);
	ck_assert_int_eq(parse(line, WG_UAPI_LINE_MAX), 0);
	ck_assert_int_eq(parse(line, WG_UAPI_LINE_MAX + 1), -EMSGSIZE);
}
END_TEST

START_TEST(test_an_endless_reply_has_a_limit)
{
	enum { PIECE = 1 << 16 };
	struct wg_builder builder;
	struct wg_device device;
	struct wg_uapi_parser parser = {.builder = &builder};
	char *piece = malloc(PIECE);
	size_t at, sent;

	for (at = 0; at < PIECE; at += 128) {
		memset(piece + at, 'x', 128);
		piece[at + 1] = '=';
		piece[at + 127] = '\n';
	}
	wg_builder_init(&builder, &device);
	for (sent = 0; sent < WG_UAPI_REPLY_MAX_BYTES; sent += PIECE)
		ck_assert_int_eq(wg_uapi_parse(&parser, piece, PIECE), 0);
	ck_assert_int_eq(wg_uapi_parse(&parser, piece, 1), -EMSGSIZE);
	wg_builder_abort(&builder);
	free(piece);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wg-uapi-text");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 50);
	tcase_add_test(all, test_change_as_text);
	tcase_add_test(all, test_the_longest_text_fits_where_it_began);
	tcase_add_test(all, test_reply_in_pieces_of_any_size);
	tcase_add_test(all, test_errors_of_the_program);
	tcase_add_test(all, test_zones_by_name);
	tcase_add_test(all, test_nonsense_is_refused);
	tcase_add_test(all, test_lines_have_a_limit);
	tcase_add_test(all, test_an_endless_reply_has_a_limit);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
