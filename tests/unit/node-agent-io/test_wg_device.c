/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/io/wireguard/internal.h"
#include "wg_sample.h"

START_TEST(test_a_key_named_again_is_the_same_peer)
{
	struct wg_builder builder;
	struct wg_device device;
	struct key key = sample_key(1);

	wg_builder_init(&builder, &device);
	wg_builder_peer(&builder, &key)->keepalive_s = 25;
	ck_assert_uint_eq(wg_builder_peer(&builder, &key)->keepalive_s, 25);
	ck_assert_uint_eq(device.peer_count, 1);
	wg_builder_finish(&builder);
	wg_device_clear(&device);
}
END_TEST

START_TEST(test_peers_are_sorted_and_found)
{
	struct wg_builder builder;
	struct wg_device device;
	struct key key;
	unsigned i;

	wg_builder_init(&builder, &device);
	for (i = 1; i <= 1000; i++) {
		key = sample_key(i);
		wg_builder_peer(&builder, &key)->rx_bytes = i;
	}
	wg_builder_finish(&builder);
	for (i = 1; i < 1000; i++)
		ck_assert_int_lt(
			memcmp(&device.peers[i - 1].public_key, &device.peers[i].public_key, KEY_BYTES), 0);
	for (i = 1; i <= 1000; i++) {
		key = sample_key(i);
		ck_assert_uint_eq(wg_device_peer(&device, &key)->rx_bytes, i);
	}
	key = sample_key(1001);
	ck_assert_ptr_null(wg_device_peer(&device, &key));
	wg_device_clear(&device);
	ck_assert_ptr_null(wg_device_peer(&device, &key));
	wg_device_clear(NULL);
}
END_TEST

START_TEST(test_allowed_ips_lose_their_host_bits)
{
	struct prefix given = sample_prefix("10.1.2.3/8"), wanted = sample_prefix("10.0.0.0/8");
	struct key key = sample_key(1);
	struct wg_builder builder;
	struct wg_device device;

	wg_builder_init(&builder, &device);
	ck_assert_int_eq(wg_builder_allowed_ip(&builder, wg_builder_peer(&builder, &key), &given), 0);
	ck_assert(prefix_equal(&device.peers[0].allowed_ips[0], &wanted));
	wg_builder_abort(&builder);
	ck_assert_uint_eq(device.peer_count, 0);
	ck_assert_ptr_null(device.peers);
}
END_TEST

START_TEST(test_a_restart_forgets)
{
	struct key key = sample_key(1);
	struct wg_builder builder;
	struct wg_device device;

	wg_builder_init(&builder, &device);
	device.listen_port = 51820;
	wg_builder_peer(&builder, &key);
	wg_builder_restart(&builder);
	ck_assert_uint_eq(device.listen_port, 0);
	ck_assert_uint_eq(device.peer_count, 0);
	wg_builder_peer(&builder, &key);
	ck_assert_uint_eq(device.peer_count, 1);
	wg_builder_abort(&builder);
}
END_TEST

START_TEST(test_peers_have_a_limit)
{
	struct wg_builder builder;
	struct wg_device device;
	struct key key;
	unsigned i;

	wg_builder_init(&builder, &device);
	for (i = 1; i <= WG_PEERS_MAX; i++) {
		key = sample_key(i);
		if (!wg_builder_peer(&builder, &key))
			ck_abort_msg("peer %u is refused", i);
	}
	ck_assert_ptr_nonnull(wg_builder_peer(&builder, &key));
	key = sample_key(i);
	ck_assert_ptr_null(wg_builder_peer(&builder, &key));
	wg_builder_abort(&builder);
}
END_TEST

START_TEST(test_allowed_ips_have_a_limit)
{
	struct prefix prefix = sample_prefix("10.0.0.0/8");
	struct key key = sample_key(1);
	struct wg_builder builder;
	struct wg_device device;
	struct wg_peer *peer;
	unsigned i, taken = 0;

	wg_builder_init(&builder, &device);
	peer = wg_builder_peer(&builder, &key);
	for (i = 0; i < WG_ALLOWED_IPS_MAX; i++)
		taken += wg_builder_allowed_ip(&builder, peer, &prefix) == 0;
	ck_assert_uint_eq(taken, WG_ALLOWED_IPS_MAX);
	ck_assert_int_eq(wg_builder_allowed_ip(&builder, peer, &prefix), -E2BIG);
	wg_builder_abort(&builder);
}
END_TEST

/* RFC 7748, section 6.1: Bob. */
START_TEST(test_public_key_of_rfc_7748)
{
	struct key private_key, wanted, found;

	ck_assert_int_eq(key_parse_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
				 &private_key),
		0);
	ck_assert_int_eq(
		key_parse_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", &wanted),
		0);
	ck_assert_int_eq(wg_public_key(&private_key, &found), 0);
	ck_assert(key_equal(&found, &wanted));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wg-device");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 50);
	tcase_add_test(all, test_a_key_named_again_is_the_same_peer);
	tcase_add_test(all, test_peers_are_sorted_and_found);
	tcase_add_test(all, test_allowed_ips_lose_their_host_bits);
	tcase_add_test(all, test_a_restart_forgets);
	tcase_add_test(all, test_peers_have_a_limit);
	tcase_add_test(all, test_allowed_ips_have_a_limit);
	tcase_add_test(all, test_public_key_of_rfc_7748);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
