/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "net.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/wireguard/implementation.h"
#include "node-agent/io/wireguard/internal.h"
#include "node-agent/io/wireguard/wireguard.h"
#include "sandbox.h"
#include "storm.h"
#include "tests/unit/node-agent-io/wg_sample.h"

/* The kernel's WireGuard itself. Where the kernel has none, this skips. */

static struct err err;

static const struct key private_key = {{8, 2, 3, 0, 5, 6, 7, [31] = 0x40}};

static struct wg *create(const char *name)
{
	struct wg *wg = NULL;

	NET_OK(&err, wg_create(name, "kernel", WG_CREATE_TIMEOUT_MS, &err));
	NET_OK(&err, wg_open(name, WG_TIMEOUT_MS, &wg, &err));
	ck_assert(!wg_is_userspace(wg));
	return wg;
}

static void assert_peers(struct wg *wg, const struct wg_peer_change *peers, size_t count)
{
	struct wg_device device;

	NET_OK(&err, wg_get(wg, &device, &err));
	sample_assert_peers(&device, peers, count);
	wg_device_clear(&device);
}

START_TEST(test_created_listed_removed)
{
	char(*names)[IFNAMSIZ];
	struct wg_device device;
	struct wg *wg = create("wg1");
	size_t count;

	NET_OK(&err, wg_create("wg0", "auto", WG_CREATE_TIMEOUT_MS, &err));
	NET_OK(&err, wg_list(&names, &count, &err));
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(names[0], "wg0");
	ck_assert_str_eq(names[1], "wg1");
	free(names);
	NET_OK(&err, wg_get(wg, &device, &err));
	ck_assert_str_eq(device.name, "wg1");
	ck_assert(!device.userspace && device.ifindex > 0 && device.peer_count == 0);
	wg_device_clear(&device);
	ck_assert_int_eq(wg_create("wg1", "kernel", WG_CREATE_TIMEOUT_MS, &err), -EEXIST);
	NET_OK(&err, wg_remove("wg1", WG_CREATE_TIMEOUT_MS, &err));
	ck_assert_int_eq(wg_get(wg, &device, &err), -ENODEV);
	ck_assert_str_eq(err.text, "wg1: there is no such interface");
	wg_close(wg);
}
END_TEST

START_TEST(test_device_settings)
{
	struct wg_change change = {.flags = WG_SET_PRIVATE_KEY | WG_SET_LISTEN_PORT | WG_SET_FWMARK,
		.private_key = private_key,
		.listen_port = 51820,
		.fwmark = 0xca6c};
	struct wg *wg = create("wg0");
	struct wg_device device;
	struct key public_key;

	NET_OK(&err, wg_set(wg, &change, &err));
	NET_OK(&err, wg_get(wg, &device, &err));
	ck_assert(key_equal(&device.private_key, &private_key));
	ck_assert_int_eq(wg_public_key(&private_key, &public_key), 0);
	ck_assert(key_equal(&device.public_key, &public_key));
	ck_assert_uint_eq(device.listen_port, 51820);
	ck_assert_uint_eq(device.fwmark, 0xca6c);
	wg_device_clear(&device);
	wg_close(wg);
}
END_TEST

START_TEST(test_a_thousand_peers)
{
	struct wg_peer_change *peers = sample_peers_new(1000);
	struct wg_change change = {.flags = WG_REPLACE_PEERS, .peers = peers, .peer_count = 1000};
	struct wg_change one = {.peers = &peers[500], .peer_count = 1};
	struct wg *wg = create("wg0");
	size_t i;

	NET_OK(&err, wg_set(wg, &change, &err));
	assert_peers(wg, peers, 1000);

	/* one among them */
	peers[500].endpoint = sample_endpoint("198.51.100.7:7");
	peers[500].flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_ENDPOINT;
	NET_OK(&err, wg_set(wg, &one, &err));
	assert_peers(wg, peers, 1000);

	/* a takeover: endpoints and keepalives of all */
	change.flags = 0;
	for (i = 0; i < 1000; i++) {
		peers[i].flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_ENDPOINT | WG_PEER_SET_KEEPALIVE;
		peers[i].endpoint.port = (uint16_t)(30000 + i);
		peers[i].keepalive_s = 5;
	}
	NET_OK(&err, wg_set(wg, &change, &err));
	assert_peers(wg, peers, 1000);

	/* half of them go */
	for (i = 0; i < 500; i++)
		peers[i].flags = WG_PEER_REMOVE;
	change.peer_count = 500;
	NET_OK(&err, wg_set(wg, &change, &err));
	assert_peers(wg, peers + 500, 500);

	/* and all others, replaced by three */
	for (i = 0; i < 3; i++)
		peers[i].flags = WG_PEER_REPLACE_ALLOWED_IPS;
	change.flags = WG_REPLACE_PEERS;
	change.peer_count = 3;
	NET_OK(&err, wg_set(wg, &change, &err));
	assert_peers(wg, peers, 3);
	NET_OK(&err, wg_remove("wg0", WG_CREATE_TIMEOUT_MS, &err));
	wg_close(wg);
	sample_peers_free(peers, 1000);
}
END_TEST

/* Longer than a message, in both directions. */
START_TEST(test_peers_with_many_allowed_ips)
{
	struct wg_peer_change *peers = sample_peers_new(3);
	struct wg_change change = {.flags = WG_REPLACE_PEERS, .peers = peers, .peer_count = 3};
	struct prefix *all = sample_prefixes_new(9000);
	struct wg *wg = create("wg0");
	size_t i;

	for (i = 0; i < 3; i++) {
		sample_free(peers[i].allowed_ips);
		peers[i].allowed_ips = mem_copy(all + i * 3000, 3000 * sizeof *all);
		peers[i].allowed_ip_count = 3000;
	}
	NET_OK(&err, wg_set(wg, &change, &err));
	assert_peers(wg, peers, 3);

	/* replaced by fewer: what an earlier part of the change put there stays, what was there before goes */
	peers[1].allowed_ip_count = 2000;
	NET_OK(&err, wg_set(wg, &change, &err));
	assert_peers(wg, peers, 3);
	free(all);
	wg_close(wg);
	sample_peers_free(peers, 3);
}
END_TEST

START_TEST(test_a_prefix_moves_to_who_was_given_it_last)
{
	struct wg_peer_change *peers = sample_peers_new(2);
	struct wg_change change = {.peers = peers, .peer_count = 2};
	struct wg *wg = create("wg0");
	struct wg_device device;

	sample_free(peers[1].allowed_ips);
	peers[1].allowed_ips = mem_copy(peers[0].allowed_ips, 2 * sizeof(struct prefix));
	NET_OK(&err, wg_set(wg, &change, &err));
	NET_OK(&err, wg_get(wg, &device, &err));
	ck_assert_uint_eq(wg_device_peer(&device, &peers[0].public_key)->allowed_ip_count, 0);
	ck_assert_uint_eq(wg_device_peer(&device, &peers[1].public_key)->allowed_ip_count, 2);
	wg_device_clear(&device);
	wg_close(wg);
	sample_peers_free(peers, 2);
}
END_TEST

START_TEST(test_update_only_makes_no_peer)
{
	struct prefix *prefixes = sample_prefixes_new(4000);
	struct wg_peer_change peer = {.public_key = sample_key(7),
		.flags = WG_PEER_UPDATE_ONLY | WG_PEER_REPLACE_ALLOWED_IPS,
		.allowed_ips = prefixes,
		.allowed_ip_count = 4000};
	struct wg_change change = {.peers = &peer, .peer_count = 1};
	struct wg *wg = create("wg0");

	NET_OK(&err, wg_set(wg, &change, &err));
	assert_peers(wg, NULL, 0);
	free(prefixes);
	wg_close(wg);
}
END_TEST

START_TEST(test_a_refused_change_says_so)
{
	struct prefix prefix = {.addr = {AF_INET, {10}}, .length = 33};
	struct wg_peer_change peer = {
		.public_key = sample_key(7), .allowed_ips = &prefix, .allowed_ip_count = 1};
	struct wg_change change = {.peers = &peer, .peer_count = 1};
	struct wg *wg = create("wg0");

	ck_assert_int_eq(wg_set(wg, &change, &err), -EINVAL);
	ck_assert_msg(strstr(err.text, "wg0: cannot change the WireGuard configuration: Invalid argument"),
		"%s", err.text);
	wg_close(wg);
}
END_TEST

static int set_up(const char *name)
{
	struct rtnl_link_change up = {.set = RTNL_LINK_UP | RTNL_LINK_MTU, .mtu = 1400};
	struct rtnl *rtnl = NULL;
	int r;

	strcpy(up.name, name);
	NET_OK(&err, rtnl_open(RTNL_TIMEOUT_MS, &rtnl, &err));
	r = rtnl_link_change(rtnl, &up, &err);
	rtnl_close(rtnl);
	return r;
}

/* The kernel binds the port when the link goes up. */
START_TEST(test_a_taken_port_is_noticed_at_link_up)
{
	struct wg_change change = {.flags = WG_SET_PRIVATE_KEY | WG_SET_LISTEN_PORT,
		.private_key = private_key,
		.listen_port = 1001};
	struct wg *one = create("wg0"), *other = create("wg1");

	NET_OK(&err, wg_set(one, &change, &err));
	NET_OK(&err, set_up("wg0"));
	NET_OK(&err, wg_set(other, &change, &err));
	ck_assert_int_eq(set_up("wg1"), -EADDRINUSE);
	ck_assert_str_eq(err.text, "ip link set wg1 mtu 1400 up: Address already in use");
	wg_close(one);
	wg_close(other);
}
END_TEST

static struct wg_peer first_peer(struct wg *wg)
{
	struct wg_device device;
	struct wg_peer peer;

	NET_OK(&err, wg_get(wg, &device, &err));
	ck_assert_uint_eq(device.peer_count, 1);
	peer = device.peers[0];
	wg_device_clear(&device);
	return peer;
}

static struct wg *create_side(const char *name, const struct key *own, const struct key *other, uint16_t port)
{
	struct wg_peer_change peer = {.flags = 0};
	struct wg_change change = {.flags = WG_SET_PRIVATE_KEY | WG_SET_LISTEN_PORT,
		.private_key = *own,
		.listen_port = port,
		.peers = &peer,
		.peer_count = 1};
	struct wg *wg = create(name);

	ck_assert_int_eq(wg_public_key(other, &peer.public_key), 0);
	NET_OK(&err, wg_set(wg, &change, &err));
	NET_OK(&err, set_up(name));
	return wg;
}

START_TEST(test_endpoint_and_keepalive_start_a_handshake)
{
	const struct key other_key = {{8, 9, [31] = 0x41}};
	struct wg *one = create_side("wg0", &private_key, &other_key, 1001);
	struct wg *other = create_side("wg1", &other_key, &private_key, 1002);
	struct wg_peer_change wake = {
		.flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_ENDPOINT | WG_PEER_SET_KEEPALIVE,
		.keepalive_s = 25};
	struct wg_change change = {.peers = &wake, .peer_count = 1};
	struct endpoint learned = sample_endpoint("127.0.0.1:1001");
	struct wg_peer peer;

	wake.public_key = first_peer(one).public_key;
	wake.endpoint = sample_endpoint("127.0.0.1:1002");
	NET_OK(&err, wg_set(one, &change, &err));
	while (first_peer(one).handshake_s == 0 || first_peer(other).handshake_s == 0)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	peer = first_peer(other);
	ck_assert(endpoint_equal(&peer.endpoint, &learned));
	ck_assert_uint_gt(peer.rx_bytes, 0);
	wg_close(one);
	wg_close(other);
}
END_TEST

START_TEST(test_a_handle_stays_in_its_namespace)
{
	struct wg *wg = create("wg0");

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	assert_peers(wg, NULL, 0);
	wg_close(wg);
}
END_TEST

static void change_a_peer(unsigned number)
{
	static struct wg *other;
	struct wg_peer_change peer = {
		.public_key = sample_key(99999), .flags = number % 2 ? WG_PEER_REMOVE : 0};
	struct wg_change change = {.peers = &peer, .peer_count = 1};

	if (!other && wg_open("wg0", WG_TIMEOUT_MS, &other, NULL) < 0)
		_exit(1);
	(void)wg_set(other, &change, NULL);
}

/* A dump that a change interrupts begins anew, from nothing: every peer is there once, with its addresses once. */
START_TEST(test_reads_are_whole_in_a_storm_of_changes)
{
	struct wg_peer_change *peers = sample_peers_new(1000), coming = {.public_key = sample_key(99999)};
	struct wg_change change = {.peers = peers, .peer_count = 1000};
	struct wg *wg = create("wg0");
	struct wg_device device;
	struct storm *storm;
	unsigned whole = 0;
	int r;

	NET_OK(&err, wg_set(wg, &change, &err));
	storm = storm_start(change_a_peer);
	while (whole < 20) {
		r = wg_get(wg, &device, &err);
		ck_assert_msg(r == 0 || r == -EAGAIN, "%s", err.text);
		if (r < 0) {
			storm_soften(storm);
			continue;
		}
		if (wg_device_peer(&device, &coming.public_key))
			ck_assert_uint_eq(device.peer_count, 1001);
		else
			sample_assert_peers(&device, peers, 1000);
		wg_device_clear(&device);
		whole++;
	}
	storm_end(storm);
	wg_close(wg);
	sample_peers_free(peers, 1000);
}
END_TEST

int main(void)
{
	Suite *suite;
	TCase *all;

	if (wg_implementation_check("kernel", NULL, &err) < 0)
		return sandbox_skip(err.text);
	suite = suite_create("wg-kernel");
	all = tcase_create("all");
	tcase_add_checked_fixture(all, sandbox_enter, NULL);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, test_created_listed_removed);
	tcase_add_test(all, test_device_settings);
	tcase_add_test(all, test_a_thousand_peers);
	tcase_add_test(all, test_peers_with_many_allowed_ips);
	tcase_add_test(all, test_a_prefix_moves_to_who_was_given_it_last);
	tcase_add_test(all, test_update_only_makes_no_peer);
	tcase_add_test(all, test_a_refused_change_says_so);
	tcase_add_test(all, test_a_taken_port_is_noticed_at_link_up);
	tcase_add_test(all, test_endpoint_and_keepalive_start_a_handshake);
	tcase_add_test(all, test_a_handle_stays_in_its_namespace);
	tcase_add_test(all, test_reads_are_whole_in_a_storm_of_changes);
	suite_add_tcase(suite, all);
	return sandbox_main(suite);
}
