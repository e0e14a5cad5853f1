/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "net.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/wireguard/implementation.h"
#include "node-agent/io/wireguard/userspace.h"
#include "node-agent/io/wireguard/wireguard.h"
#include "sandbox.h"
#include "tests/unit/node-agent-io/wg_sample.h"

/* A real wireguard-go, in a sandbox. */

static struct err err;

static const struct key private_key = {{1, 2, 3, 0, 5, 6, 7, [31] = 0x40}};

/* It answers in the end: on an emulated machine a thousand peers take it seconds. */
enum { PATIENCE_MS = 30000 };

static struct wg *create(const char *name)
{
	struct wg *wg = NULL;

	NET_OK(&err, wg_create(name, "wireguard-go", PATIENCE_MS, &err));
	NET_OK(&err, wg_open(name, PATIENCE_MS, &wg, &err));
	ck_assert(wg_is_userspace(wg));
	return wg;
}

static void wait_a_little(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* ---- life ---- */

START_TEST(test_created_listed_removed)
{
	char(*names)[IFNAMSIZ];
	struct wg_device device;
	struct wg *wg = create("wg1");
	size_t count;

	wg_close(create("wg0"));
	NET_OK(&err, wg_list(&names, &count, &err));
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(names[0], "wg0");
	ck_assert_str_eq(names[1], "wg1");
	free(names);

	NET_OK(&err, wg_get(wg, &device, &err));
	ck_assert_str_eq(device.name, "wg1");
	ck_assert(device.userspace && device.ifindex > 0 && device.peer_count == 0);
	ck_assert(key_is_zero(&device.private_key) && key_is_zero(&device.public_key));
	wg_device_clear(&device);

	ck_assert_int_eq(wg_create("wg1", "wireguard-go", WG_CREATE_TIMEOUT_MS, &err), -EEXIST);
	ck_assert_str_eq(err.text, "wg1: an interface of that name exists already");
	NET_OK(&err, wg_remove("wg1", WG_CREATE_TIMEOUT_MS, &err));
	ck_assert(!userspace_is_live("wg1"));
	ck_assert_int_lt(access("/run/wireguard/wg1.sock", F_OK), 0);
	ck_assert_int_eq(wg_get(wg, &device, &err), -ENODEV);
	ck_assert_str_eq(err.text, "wg1: nobody answers on /var/run/wireguard/wg1.sock");
	ck_assert_int_eq(wg_remove("wg1", WG_CREATE_TIMEOUT_MS, &err), -ENODEV);
	wg_close(wg);
	NET_OK(&err, wg_remove("wg0", WG_CREATE_TIMEOUT_MS, &err));
}
END_TEST

START_TEST(test_it_outlives_who_started_it)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(wg_create("wg0", "wireguard-go", WG_CREATE_TIMEOUT_MS, NULL) == 0 ? 0 : 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	/* what would reach the starter's group does not reach it */
	ck_assert(userspace_is_live("wg0"));
	NET_OK(&err, wg_remove("wg0", WG_CREATE_TIMEOUT_MS, &err));
}
END_TEST

/* The socket's own credentials are those of the starter, which is gone: found by the name, which no other test uses. */
static pid_t daemon_of(const char *name)
{
	char command[64], *found;
	pid_t pid;

	snprintf(command, sizeof command, "pgrep -f %s", name);
	found = sandbox_output(command);
	pid = (pid_t)strtol(found, NULL, 10);
	free(found);
	ck_assert_int_gt(pid, 0);
	return pid;
}

START_TEST(test_a_killed_daemon_and_its_stale_socket)
{
	struct wg_device device;
	struct wg *wg = create("killed0"), *again = NULL;

	ck_assert_int_eq(kill(daemon_of("killed0"), SIGKILL), 0);
	/* A process that ends closes its socket and its device one after the other. */
	while (userspace_is_live("killed0") || if_nametoindex("killed0") != 0)
		wait_a_little();
	ck_assert_int_eq(access("/run/wireguard/killed0.sock", F_OK), 0);
	ck_assert_int_eq(wg_get(wg, &device, &err), -ENODEV);
	ck_assert_int_eq(wg_open("killed0", WG_TIMEOUT_MS, &again, &err), -ENODEV);
	wg_close(wg);
	wg_close(create("killed0"));
	NET_OK(&err, wg_remove("killed0", WG_CREATE_TIMEOUT_MS, &err));
}
END_TEST

START_TEST(test_nothing_there)
{
	struct wg *wg = NULL;

	ck_assert_int_eq(wg_open("wg0", WG_TIMEOUT_MS, &wg, &err), -ENODEV);
	ck_assert_str_eq(err.text, "wg0: there is no such interface");
	ck_assert_int_eq(wg_open("lo", WG_TIMEOUT_MS, &wg, &err), -ENODEV);
	ck_assert_str_eq(err.text, "lo: not a WireGuard interface, and no program answers for it");
	ck_assert_int_eq(wg_open("../../etc/x", WG_TIMEOUT_MS, &wg, &err), -EINVAL);
	ck_assert_int_eq(wg_remove("lo", WG_TIMEOUT_MS, &err), -EINVAL);
}
END_TEST

/* ---- configuration ---- */

START_TEST(test_set_and_get)
{
	struct wg_peer_change *peers = sample_peers_new(3);
	struct wg_change change = {
		.flags = WG_SET_PRIVATE_KEY | WG_SET_LISTEN_PORT | WG_SET_FWMARK | WG_REPLACE_PEERS,
		.private_key = private_key,
		.listen_port = 51820,
		.fwmark = 0xca6c,
		.peers = peers,
		.peer_count = 3};
	struct wg *wg = create("wg0");
	struct wg_device device;
	struct key public_key;

	NET_OK(&err, wg_set(wg, &change, &err));
	NET_OK(&err, wg_get(wg, &device, &err));
	ck_assert_uint_eq(device.listen_port, 51820);
	ck_assert_uint_eq(device.fwmark, 0xca6c);
	ck_assert_int_eq(wg_public_key(&private_key, &public_key), 0);
	ck_assert(key_equal(&device.public_key, &public_key));
	sample_assert_peers(&device, peers, 3);
	wg_device_clear(&device);

	change.flags = WG_SET_PRIVATE_KEY;
	memset(&change.private_key, 0, sizeof change.private_key);
	change.peer_count = 0;
	NET_OK(&err, wg_set(wg, &change, &err));
	NET_OK(&err, wg_get(wg, &device, &err));
	ck_assert(key_is_zero(&device.private_key) && key_is_zero(&device.public_key));
	sample_assert_peers(&device, peers, 3);
	wg_device_clear(&device);
	wg_close(wg);
	sample_peers_free(peers, 3);
}
END_TEST

/* Against another reader and another writer: wg(8). */
START_TEST(test_wg_reads_what_we_set_and_we_what_wg_set)
{
	struct wg_peer_change *peers = sample_peers_new(1);
	struct wg_change change = {
		.flags = WG_SET_LISTEN_PORT, .listen_port = 51820, .peers = peers, .peer_count = 1};
	char key[KEY_TEXT_MAX], psk[KEY_TEXT_MAX], wanted[512], *dump, command[256];
	struct wg *wg = create("wg0");
	struct wg_device device;

	NET_OK(&err, wg_set(wg, &change, &err));
	dump = sandbox_output("wg show wg0 dump");
	snprintf(wanted, sizeof wanted, "%s\t%s\t192.0.2.1:1000\t10.0.0.0/32,fd50::/128\t0\t0\t0\t25",
		key_format(&peers[0].public_key, key), key_format(&peers[0].preshared_key, psk));
	ck_assert_msg(strstr(dump, wanted), "%s\nis not\n%s", dump, wanted);
	free(dump);

	snprintf(command, sizeof command,
		"wg set wg0 fwmark 7 peer %s endpoint [2001:db8::9]:99 persistent-keepalive 0 allowed-ips "
		"10.7.0.0/16",
		key);
	sandbox_run(command);
	NET_OK(&err, wg_get(wg, &device, &err));
	ck_assert_uint_eq(device.fwmark, 7);
	peers[0].endpoint = sample_endpoint("[2001:db8::9]:99");
	peers[0].keepalive_s = 0;
	sample_free(peers[0].allowed_ips);
	peers[0].allowed_ips =
		mem_copy(&(struct prefix){.addr = {AF_INET, {10, 7}}, .length = 16}, sizeof(struct prefix));
	peers[0].allowed_ip_count = 1;
	sample_assert_peers(&device, peers, 1);
	wg_device_clear(&device);
	wg_close(wg);
	sample_peers_free(peers, 1);
}
END_TEST

START_TEST(test_a_thousand_peers)
{
	struct wg_peer_change *peers = sample_peers_new(1000);
	struct wg_change change = {.flags = WG_REPLACE_PEERS, .peers = peers, .peer_count = 1000};
	struct wg_change one = {.peers = &peers[500], .peer_count = 1};
	struct wg *wg = create("wg0");
	struct wg_device device;
	size_t i;

	NET_OK(&err, wg_set(wg, &change, &err));
	NET_OK(&err, wg_get(wg, &device, &err));
	sample_assert_peers(&device, peers, 1000);
	wg_device_clear(&device);

	/* one among them */
	peers[500].endpoint = sample_endpoint("198.51.100.7:7");
	peers[500].flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_ENDPOINT;
	NET_OK(&err, wg_set(wg, &one, &err));
	NET_OK(&err, wg_get(wg, &device, &err));
	sample_assert_peers(&device, peers, 1000);
	wg_device_clear(&device);

	/* a takeover: endpoints and keepalives of all */
	change.flags = 0;
	for (i = 0; i < 1000; i++) {
		peers[i].flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_ENDPOINT | WG_PEER_SET_KEEPALIVE;
		peers[i].endpoint.port = (uint16_t)(30000 + i);
		peers[i].keepalive_s = 5;
	}
	NET_OK(&err, wg_set(wg, &change, &err));
	NET_OK(&err, wg_get(wg, &device, &err));
	peers[0].flags |= WG_PEER_SET_PRESHARED_KEY;
	sample_assert_peers(&device, peers, 1000);
	wg_device_clear(&device);

	/* half of them go */
	for (i = 0; i < 500; i++)
		peers[i].flags = WG_PEER_REMOVE;
	change.peer_count = 500;
	NET_OK(&err, wg_set(wg, &change, &err));
	NET_OK(&err, wg_get(wg, &device, &err));
	sample_assert_peers(&device, peers + 500, 500);
	wg_device_clear(&device);
	wg_close(wg);
	sample_peers_free(peers, 1000);
}
END_TEST

START_TEST(test_update_only_makes_no_peer)
{
	struct wg_peer_change peer = {.public_key = sample_key(7),
		.flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_KEEPALIVE,
		.keepalive_s = 5};
	struct wg_change change = {.peers = &peer, .peer_count = 1};
	struct wg *wg = create("wg0");
	struct wg_device device;

	NET_OK(&err, wg_set(wg, &change, &err));
	NET_OK(&err, wg_get(wg, &device, &err));
	ck_assert_uint_eq(device.peer_count, 0);
	wg_device_clear(&device);
	wg_close(wg);
}
END_TEST

static void set_up(const char *name)
{
	struct rtnl_link_change up = {.set = RTNL_LINK_UP};
	struct rtnl *rtnl = NULL;

	strcpy(up.name, name);
	NET_OK(&err, rtnl_open(RTNL_TIMEOUT_MS, &rtnl, &err));
	NET_OK(&err, rtnl_link_change(rtnl, &up, &err));
	rtnl_close(rtnl);
}

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

/* A device with that private key and port that knows the other's public key. */
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
	set_up(name);
	return wg;
}

/* The takeover's mechanism: an endpoint, and a keepalive from 0 to n, make a handshake at once. */
START_TEST(test_endpoint_and_keepalive_start_a_handshake)
{
	const struct key other_key = {{9, 9, [31] = 0x41}};
	struct wg *one = create_side("wg0", &private_key, &other_key, 1001);
	struct wg *other = create_side("wg1", &other_key, &private_key, 1002);
	struct wg_peer_change wake = {
		.flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_ENDPOINT | WG_PEER_SET_KEEPALIVE,
		.keepalive_s = 25};
	struct wg_change change = {.peers = &wake, .peer_count = 1};
	struct endpoint learned = sample_endpoint("127.0.0.1:1001");
	struct wg_peer peer;

	ck_assert_int_eq(first_peer(one).handshake_s, 0);
	wake.public_key = first_peer(one).public_key;
	wake.endpoint = sample_endpoint("127.0.0.1:1002");
	NET_OK(&err, wg_set(one, &change, &err));
	while (first_peer(one).handshake_s == 0 || first_peer(other).handshake_s == 0)
		wait_a_little();
	peer = first_peer(other);
	ck_assert(endpoint_equal(&peer.endpoint, &learned));
	ck_assert_uint_gt(peer.rx_bytes, 0);
	wg_close(one);
	wg_close(other);
}
END_TEST

START_TEST(test_a_taken_port)
{
	const struct key other_key = {{9, 9, [31] = 0x41}};
	struct wg *one = create_side("wg0", &private_key, &other_key, 1001);
	struct wg *other = create_side("wg1", &other_key, &private_key, 1002);
	struct wg_change change = {.flags = WG_SET_LISTEN_PORT, .listen_port = 1001};

	ck_assert_int_eq(wg_set(other, &change, &err), -EADDRINUSE);
	ck_assert_str_eq(err.text, "wg1: cannot change the WireGuard configuration: Address already in use");
	wg_close(one);
	wg_close(other);
}
END_TEST

int main(void)
{
	Suite *suite;
	TCase *all;

	if (userspace_find("wireguard-go", (char[USERSPACE_PATH_MAX]){0}, NULL) < 0)
		return sandbox_skip("wireguard-go is not installed");
	suite = suite_create("wg-userspace");
	all = tcase_create("all");
	tcase_add_checked_fixture(all, sandbox_enter, NULL);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, test_created_listed_removed);
	tcase_add_test(all, test_it_outlives_who_started_it);
	tcase_add_test(all, test_a_killed_daemon_and_its_stale_socket);
	tcase_add_test(all, test_nothing_there);
	tcase_add_test(all, test_set_and_get);
	tcase_add_test(all, test_wg_reads_what_we_set_and_we_what_wg_set);
	tcase_add_test(all, test_a_thousand_peers);
	tcase_add_test(all, test_update_only_makes_no_peer);
	tcase_add_test(all, test_endpoint_and_keepalive_start_a_handshake);
	tcase_add_test(all, test_a_taken_port);
	suite_add_tcase(suite, all);
	return sandbox_main(suite);
}
