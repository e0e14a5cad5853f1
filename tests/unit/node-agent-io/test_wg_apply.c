/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "node-agent/io/wireguard/internal.h"
#include "wg_sample.h"

/* A device of `count` peers, each with 10.0.0.N/32. */
static struct wg_device device_of(unsigned count)
{
	struct wg_builder builder;
	struct wg_device device;

	wg_builder_init(&builder, &device);
	for (unsigned i = 1; i <= count; i++) {
		struct key key = sample_key(i);
		struct prefix prefix = {
			.addr = {.family = AF_INET, .bytes = {10, 0, 0, (uint8_t)i}}, .length = 32};

		ck_assert_int_eq(
			wg_builder_allowed_ip(&builder, wg_builder_peer(&builder, &key), &prefix), 0);
	}
	wg_builder_finish(&builder);
	return device;
}

static void apply(struct wg_device *device, const struct wg_peer_change *peers, size_t count)
{
	struct wg_change change = {.peers = peers, .peer_count = count};

	ck_assert(wg_device_apply(device, &change));
}

static void assert_holds(
	const struct wg_device *device, unsigned number, size_t count, const char *const *texts)
{
	struct key key = sample_key(number);
	const struct wg_peer *peer = wg_device_peer(device, &key);

	ck_assert_ptr_nonnull(peer);
	ck_assert_uint_eq(peer->allowed_ip_count, count);
	for (size_t i = 0; i < count; i++) {
		struct prefix wanted = sample_prefix(texts[i]);
		bool found = false;

		for (size_t j = 0; j < peer->allowed_ip_count; j++)
			found |= prefix_equal(&peer->allowed_ips[j], &wanted);
		ck_assert_msg(found, "%s", texts[i]);
	}
}

START_TEST(test_peers_come_and_go)
{
	struct wg_device device = device_of(100);
	struct wg_peer_change changes[] = {
		{.public_key = sample_key(7), .flags = WG_PEER_REMOVE},
		{.public_key = sample_key(101), .flags = WG_PEER_SET_KEEPALIVE, .keepalive_s = 25},
		{.public_key = sample_key(102), .flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_KEEPALIVE},
		{.public_key = sample_key(103), .flags = WG_PEER_REMOVE},
	};
	struct key gone = sample_key(7), come = sample_key(101), never = sample_key(102);

	apply(&device, changes, 4);
	ck_assert_uint_eq(device.peer_count, 100);
	ck_assert_ptr_null(wg_device_peer(&device, &gone));
	ck_assert_ptr_null(wg_device_peer(&device, &never));
	ck_assert_uint_eq(wg_device_peer(&device, &come)->keepalive_s, 25);
	for (unsigned i = 1; i <= 100; i++) {
		struct key key = sample_key(i);

		ck_assert_int_eq(wg_device_peer(&device, &key) != NULL, i != 7);
	}
	wg_device_clear(&device);
}
END_TEST

START_TEST(test_what_is_set_is_set)
{
	struct wg_device device = device_of(2);
	struct wg_peer_change change = {.public_key = sample_key(1),
		.flags = WG_PEER_SET_PRESHARED_KEY | WG_PEER_SET_ENDPOINT,
		.preshared_key = sample_key(9),
		.endpoint = sample_endpoint("192.0.2.1:51820"),
		.keepalive_s = 9};
	struct wg_change mark = {.flags = WG_SET_FWMARK, .fwmark = 51820};
	struct key key = sample_key(1);

	apply(&device, &change, 1);
	ck_assert(key_equal(&wg_device_peer(&device, &key)->preshared_key, &change.preshared_key));
	ck_assert(endpoint_equal(&wg_device_peer(&device, &key)->endpoint, &change.endpoint));
	ck_assert_uint_eq(wg_device_peer(&device, &key)->keepalive_s, 0);
	ck_assert(wg_device_apply(&device, &mark));
	ck_assert_uint_eq(device.fwmark, 51820);
	wg_device_clear(&device);
}
END_TEST

/* The last peer that is given a prefix has it, as in the kernel. */
START_TEST(test_prefixes_move)
{
	struct wg_device device = device_of(3);
	struct prefix first[] = {sample_prefix("10.0.0.2/32"), sample_prefix("10.9.1.2/16")};
	struct prefix second[] = {
		sample_prefix("10.9.0.0/16"), sample_prefix("10.0.0.3/32"), sample_prefix("10.0.0.3/32")};
	struct wg_peer_change changes[] = {
		{.public_key = sample_key(1), .allowed_ips = first, .allowed_ip_count = 2},
		{.public_key = sample_key(3),
			.flags = WG_PEER_REPLACE_ALLOWED_IPS,
			.allowed_ips = second,
			.allowed_ip_count = 3},
	};

	apply(&device, changes, 2);
	assert_holds(&device, 1, 2, (const char *const[]){"10.0.0.1/32", "10.0.0.2/32"});
	assert_holds(&device, 2, 0, NULL);
	assert_holds(&device, 3, 2, (const char *const[]){"10.9.0.0/16", "10.0.0.3/32"});
	changes[1].allowed_ip_count = 0;
	apply(&device, &changes[1], 1);
	assert_holds(&device, 3, 0, NULL);
	wg_device_clear(&device);
}
END_TEST

START_TEST(test_what_only_the_device_knows)
{
	static const unsigned flags[] = {WG_SET_PRIVATE_KEY, WG_SET_LISTEN_PORT, WG_REPLACE_PEERS};
	struct wg_device device = device_of(1);
	struct wg_peer_change *peers = sample_peers_new(WG_APPLY_PEERS_MAX + 1);
	struct wg_change many = {.peers = peers, .peer_count = WG_APPLY_PEERS_MAX + 1};

	for (size_t i = 0; i < 3; i++) {
		struct wg_change change = {.flags = flags[i]};

		ck_assert(!wg_device_apply(&device, &change));
	}
	ck_assert(!wg_device_apply(&device, &many));
	ck_assert_uint_eq(device.peer_count, 1);
	many.peer_count--;
	ck_assert(wg_device_apply(&device, &many));
	sample_assert_peers(&device, peers, WG_APPLY_PEERS_MAX);
	sample_peers_free(peers, WG_APPLY_PEERS_MAX + 1);
	wg_device_clear(&device);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wg-apply");
	TCase *all = tcase_create("all");

	tcase_add_test(all, test_peers_come_and_go);
	tcase_add_test(all, test_what_is_set_is_set);
	tcase_add_test(all, test_prefixes_move);
	tcase_add_test(all, test_what_only_the_device_knows);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
