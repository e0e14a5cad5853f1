/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/quick/read.h"
#include "node-agent/core/quick/sidecar.h"

#define ONE "9GaK3g4Tb/3yFsNWxymBQ2ezeTNUtab/cNlqRMUW3S4="
#define TWO "n5HtbW+1lpiTdz2IBPu/Z6CAQhwNiLSbY0gRmULfHV0="
#define PSK "+64EGwLEHtD9ik77A5vHgN1q9KHwxCD0JWGucF3aQ/4="

static const char plain[] = "[Interface]\n[Peer]\nPublicKey = " ONE "\n[Peer]\nPublicKey = " TWO "\n";

/* The complaint about a sidecar of this .conf; "" if there is none. */
static char *complaint(const char *conf, const char *yaml, struct quick_sidecar *ret_sidecar)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];
	struct quick_config config;
	struct err err = {0};
	int r;

	ck_assert_int_eq(quick_read("wg0.conf", conf, strlen(conf), &config, &err), 0);
	*ret_sidecar = (struct quick_sidecar){0};
	r = quick_sidecar_read("wg0.yaml", yaml, strlen(yaml), ret_sidecar, &err);
	if (r >= 0)
		r = quick_sidecar_join(ret_sidecar, "wg0.yaml", &config, &err);
	quick_config_clear(&config);
	return mem_text(r < 0 ? err_format(&err, line, sizeof(line)) : "");
}

static void read_right(const char *conf, const char *yaml, struct quick_sidecar *ret_sidecar)
{
	CLEANUP_FREE char *found = complaint(conf, yaml, ret_sidecar);

	ck_assert_str_eq(found, "");
}

static const struct quick_sidecar_peer *peer_of(const struct quick_sidecar *sidecar, const char *text)
{
	struct key key;

	ck_assert_int_eq(key_parse(text, &key, NULL), 0);
	return quick_sidecar_find(sidecar, &key);
}

START_TEST(an_empty_one_says_nothing)
{
	struct quick_sidecar sidecar;

	read_right(plain, "# nothing yet\n", &sidecar);
	ck_assert_ptr_null(sidecar.private_key_file);
	ck_assert_ptr_null(peer_of(&sidecar, ONE));
	quick_sidecar_clear(&sidecar);
	read_right(plain, "peers:\nx-mine: 1\n", &sidecar);
	quick_sidecar_clear(&sidecar);
}
END_TEST

START_TEST(key_files)
{
	struct quick_sidecar sidecar;

	read_right(plain,
		"private_key_file: wg0.key\npeers:\n  " TWO ": { preshared_key_file: /etc/psk }\n  " ONE
		": {}\n",
		&sidecar);
	ck_assert_str_eq(sidecar.private_key_file, "wg0.key");
	ck_assert_str_eq(peer_of(&sidecar, TWO)->preshared_key_file, "/etc/psk");
	ck_assert_ptr_null(peer_of(&sidecar, ONE)->preshared_key_file);
	ck_assert_ptr_null(peer_of(&sidecar, PSK));
	quick_sidecar_clear(&sidecar);
}
END_TEST

START_TEST(the_interface)
{
	struct quick_sidecar sidecar;
	char text[PREFIX_TEXT_MAX];

	read_right("[Interface]\nPrivateKey = " PSK "\nAddress = 10.50.0.1/24\n",
		"address: [10.50.0.1/32, { local: 10.50.0.1, peer: 10.50.0.2/24 }, { local: \"fd50::1\", "
		"peer: "
		"\"fd50::2\" }]\n"
		"link_local: true\nmulticast: no\n",
		&sidecar);
	ck_assert(sidecar.link_local && sidecar.has_multicast && !sidecar.multicast);
	ck_assert_uint_eq(sidecar.address_count, 3);
	ck_assert(!addr_is_set(&sidecar.addresses[0].peer));
	ck_assert_str_eq(prefix_format(&sidecar.addresses[1].prefix, text, sizeof(text)), "10.50.0.1/24");
	ck_assert_str_eq(addr_format(&sidecar.addresses[1].peer, text, sizeof(text)), "10.50.0.2");
	ck_assert_str_eq(prefix_format(&sidecar.addresses[2].prefix, text, sizeof(text)), "fd50::1/128");
	quick_sidecar_clear(&sidecar);
	read_right(plain, "address: 10.50.0.1/24\nprivate_key_file: a\nlink_local: true\n", &sidecar);
	ck_assert_uint_eq(sidecar.address_count, 1);
	ck_assert(!sidecar.has_multicast);
	quick_sidecar_clear(&sidecar);
}
END_TEST

START_TEST(name_servers)
{
	struct quick_sidecar sidecar;

	read_right("[Interface]\nDNS = 10.0.0.1\n",
		"dns_required: false\ndns_domains: [corp.example, ~_tcp.Lan., \"~10.in-addr.arpa\"]\n",
		&sidecar);
	ck_assert(sidecar.dns_optional);
	ck_assert_uint_eq(sidecar.dns_domains.count, 3);
	ck_assert_str_eq(sidecar.dns_domains.items[0], "corp.example");
	ck_assert_str_eq(sidecar.dns_domains.items[1], "_tcp.Lan.");
	ck_assert_str_eq(sidecar.dns_domains.items[2], "10.in-addr.arpa");
	quick_sidecar_clear(&sidecar);
	read_right(plain, "dns_required: true\n", &sidecar);
	ck_assert(!sidecar.dns_optional);
	quick_sidecar_clear(&sidecar);
}
END_TEST

START_TEST(forwarding)
{
	struct quick_sidecar sidecar;
	const struct quick_forward *forward = &sidecar.forward;
	char text[PREFIX_TEXT_MAX];

	read_right(plain, "multicast: no\n", &sidecar);
	ck_assert(!forward->is_wanted);
	read_right(plain, "forward: {}\n", &sidecar);
	ck_assert(forward->is_wanted && !forward->drop && !forward->clamp_mss && !forward->snat_count);
	read_right(plain,
		"forward:\n  default: drop\n  clamp_mss: true\n"
		"  masquerade: { from: 10.50.0.9/24, interface: eth0.7 }\n"
		"  snat: [ { from: \"fd50::/64\", interface: eth1, to: \"fd01::7\" } ]\n",
		&sidecar);
	ck_assert(forward->drop && forward->clamp_mss);
	ck_assert_uint_eq(forward->snat_count, 2);
	ck_assert_str_eq(addr_format(&forward->snat[0].to, text, sizeof(text)), "fd01::7");
	ck_assert_str_eq(prefix_format(&forward->snat[1].from, text, sizeof(text)), "10.50.0.0/24");
	ck_assert_str_eq(forward->snat[1].interface, "eth0.7");
	ck_assert(!addr_is_set(&forward->snat[1].to));
	ck_assert(quick_forward_translates(forward, AF_INET6) && quick_forward_translates(forward, AF_INET));
	quick_sidecar_clear(&sidecar);
}
END_TEST

START_TEST(default_routes)
{
	struct quick_sidecar sidecar;

	read_right(plain, "", &sidecar);
	ck_assert(sidecar.default_route == QUICK_DEFAULT_RULES && !sidecar.host_routes);
	read_right(plain, "default_route: rules\nhost_routes: true\n", &sidecar);
	ck_assert(sidecar.default_route == QUICK_DEFAULT_RULES && sidecar.host_routes);
	read_right(plain, "default_route: halves\n", &sidecar);
	ck_assert(sidecar.default_route == QUICK_DEFAULT_HALVES && sidecar.host_routes);
	read_right("[Interface]\nTable = 9\n", "host_routes: true\ndefault_route: rules\n", &sidecar);
	ck_assert(sidecar.host_routes);
	quick_sidecar_clear(&sidecar);
}
END_TEST

/* A list of so many. */
static char *masquerades(size_t count)
{
	struct text text = {0};

	text_add(&text, "forward: { masquerade: [");
	for (size_t i = 0; i < count; i++)
		text_add(&text, "%s{ from: 10.%zu.0.0/16, interface: eth0 }", i ? ", " : "", i);
	text_add(&text, "] }\n");
	return text_take(&text);
}

START_TEST(as_many_translations_as_in_a_fleet)
{
	CLEANUP_FREE char *most = masquerades(QUICK_SNAT_MAX), *beyond = masquerades(QUICK_SNAT_MAX + 1),
			  *found;
	struct quick_sidecar sidecar;

	read_right(plain, most, &sidecar);
	ck_assert_uint_eq(sidecar.forward.snat_count, QUICK_SNAT_MAX);
	quick_sidecar_clear(&sidecar);
	found = complaint(plain, beyond, &sidecar);
	ck_assert_str_eq(found, "wg0.yaml:1:24: forward: masquerade: 17 are too many: at most 16");
}
END_TEST

START_TEST(namespaces)
{
	struct quick_sidecar sidecar;

	read_right(plain, "namespace: vpn.1\nsocket_namespace: /proc/1/ns/net\n", &sidecar);
	ck_assert_str_eq(sidecar.namespace, "vpn.1");
	ck_assert_str_eq(sidecar.socket_namespace, "/proc/1/ns/net");
	quick_sidecar_clear(&sidecar);
	ck_assert_ptr_null(sidecar.namespace);
}
END_TEST

START_TEST(routes_of_peers)
{
	struct quick_sidecar sidecar;
	const struct quick_sidecar_peer *one, *two;

	read_right(plain,
		"peers:\n  " ONE ": { route_metric: 200, route_table: 4294967295 }\n  " TWO
		": { route: false, disabled: true }\n",
		&sidecar);
	one = peer_of(&sidecar, ONE);
	two = peer_of(&sidecar, TWO);
	ck_assert(!one->unrouted && !one->disabled && two->unrouted && two->disabled);
	ck_assert_uint_eq(one->route_metric, 200);
	ck_assert_uint_eq(one->route_table, UINT32_MAX);
	ck_assert_uint_eq(two->route_metric, 0);
	quick_sidecar_clear(&sidecar);
}
END_TEST

static const struct wrong {
	const char *conf, *yaml, *complaint;
} wrongs[] = {
	{plain, "\nprivate_key_fiel: a\n",
		"wg0.yaml:2:1: unknown key \"private_key_fiel\"; did you mean \"private_key_file\"?"},
	{plain, "- a\n", "wg0.yaml:1:1: expected a mapping (key: value), found a list"},
	{plain, "private_key_file:\n", "wg0.yaml:1:18: private_key_file: expected text, found nothing"},
	{"[Interface]\nPrivateKey = " PSK "\n", "private_key_file: a\n",
		"wg0.yaml:1:1: private_key_file: the .conf has a PrivateKey: one of them has to go"},
	{plain, "forward: accept\n",
		"wg0.yaml:1:10: forward: expected a mapping (key: value), found \"accept\""},
	{plain, "forward: { default: deny }\n",
		"wg0.yaml:1:21: forward: default: expected accept or drop, found \"deny\""},
	{plain, "forward: { masquerade: { from: 10.0.0.0/8 } }\n",
		"wg0.yaml:1:24: forward: masquerade: missing \"interface\""},
	{plain, "forward: { masquerade: { from: 10.0.0.0/8, interface: a/b } }\n",
		"wg0.yaml:1:55: forward: masquerade: interface: \"a/b\" is no name for an interface"},
	{plain, "forward: { masquerade: { from: 10.0.0.0/8, interface: eth0, to: 10.0.0.1 } }\n",
		"wg0.yaml:1:61: forward: masquerade: unknown key \"to\"; known here: from, interface"},
	{plain, "forward: { snat: { from: 10.0.0.0/8, interface: eth0 } }\n",
		"wg0.yaml:1:18: forward: snat: missing \"to\""},
	{plain, "forward: { snat: { from: 10.0.0.0/8, interface: eth0, to: \"fd01::1\" } }\n",
		"wg0.yaml:1:59: forward: snat: to: fd01::1 and from are of different families"},
	{plain, "multicast: both\n", "wg0.yaml:1:12: multicast: expected true or false, found \"both\""},
	{plain, "link_local: 1\n", "wg0.yaml:1:13: link_local: expected true or false, found \"1\""},
	{plain, "address: [10.0.0.1, 10.0.0.300]\n",
		"wg0.yaml:1:21: address: \"10.0.0.300\" is not an address or prefix such as 10.0.0.0/8 or "
		"2001:db8::/32"},
	{plain, "address: [10.0.0.1, 10.0.0.1/32]\n", "wg0.yaml:1:21: address: it is there twice"},
	{plain, "address: { local: 10.0.0.1 }\n", "wg0.yaml:1:10: missing \"peer\""},
	{plain, "address: { local: 10.0.0.1, peer: \"fd00::1\" }\n",
		"wg0.yaml:1:35: peer: fd00::1 and local are of different families"},
	{plain, "address: { local: 10.0.0.1, peer: 10.0.0.1/24 }\n",
		"wg0.yaml:1:35: peer: 10.0.0.1/24 is local itself"},
	{plain, "address: { local: 10.0.0.1, peer: 10.0.0.2, broadcast: 10.0.0.3 }\n",
		"wg0.yaml:1:45: unknown key \"broadcast\"; known here: local, peer"},
	{"[Interface]\nAddress = 10.0.0.1/24\n", "address: 10.0.0.1/24\n",
		"wg0.yaml:1:10: address: the .conf has this one"},
	{plain, "default_route: thirds\n",
		"wg0.yaml:1:16: default_route: expected rules or halves, found \"thirds\""},
	{plain, "host_routes: 2\n", "wg0.yaml:1:14: host_routes: expected true or false, found \"2\""},
	{plain, "host_routes: false\ndefault_route: halves\n",
		"wg0.yaml:1:14: host_routes: with default_route: halves the endpoints need them"},
	{"[Interface]\nTable = off\n", "\ndefault_route: halves\n",
		"wg0.yaml:2:1: default_route: the .conf has a Table: only with Table = auto there is one to "
		"make"},
	{plain, "dns_required: maybe\n",
		"wg0.yaml:1:15: dns_required: expected true or false, found \"maybe\""},
	{plain, "dns_domains: corp.example\n",
		"wg0.yaml:1:14: dns_domains: the .conf has no name servers (DNS) to ask for them"},
	{plain, "dns_domains: [a, b c]\n",
		"wg0.yaml:1:18: dns_domains: \"b c\" is not a domain such as corp.example"},
	{plain, "dns_domains: [a, \"~\"]\n",
		"wg0.yaml:1:18: dns_domains: \"~\" is not a domain such as corp.example"},
	{plain, "dns_domains: [a, -b]\n",
		"wg0.yaml:1:18: dns_domains: \"-b\" is not a domain such as corp.example"},
	{plain, "dns_domains: [a, \"~.\"]\n",
		"wg0.yaml:1:18: dns_domains: \"~.\" is not a domain such as corp.example"},
	{plain, "dns_domains: [a..b]\n",
		"wg0.yaml:1:15: dns_domains: \"a..b\" is not a domain such as corp.example"},
	{plain, "dns_domains: [{ a: b }]\n", "wg0.yaml:1:15: dns_domains: expected text, found a mapping"},
	{plain, "namespace: ..\n",
		"wg0.yaml:1:12: namespace: expected a name (as of `ip netns add`) or an absolute path, found "
		"\"..\""},
	{plain, "namespace: a\nsocket_namespace: a/b\n",
		"wg0.yaml:2:19: socket_namespace: expected a name (as of `ip netns add`) or an absolute "
		"path, "
		"found \"a/b\""},
	{plain, "socket_namespace:\n", "wg0.yaml:1:18: socket_namespace: expected text, found nothing"},
	{plain, "peers: [a]\n", "wg0.yaml:1:8: peers: expected a mapping (key: value), found a list"},
	{plain, "peers:\n  alice: {}\n",
		"wg0.yaml:2:3: peers: not a WireGuard key: expected 44 characters of base64 that end in '='"},
	{plain, "peers:\n  " ONE ": { preshared_key: a }\n",
		"wg0.yaml:2:51: unknown key \"preshared_key\"; known here: "
		"preshared_key_file, disabled, route, route_metric, route_table"},
	{plain, "peers:\n  " ONE ": {}\n  " ONE ": {}\n",
		"wg0.yaml:3:3: key \"" ONE "\" is here for the second time; the first is in line 2"},
	{plain, "peers:\n  " ONE ": {}\n  " PSK ": {}\n",
		"wg0.yaml:3:3: peers: the .conf has no peer with this public key"},
	{plain, "peers:\n  " ONE ": { disabled: maybe }\n",
		"wg0.yaml:2:61: disabled: expected true or false, found \"maybe\""},
	{plain, "peers:\n  " ONE ": { route: 7 }\n",
		"wg0.yaml:2:58: route: expected true or false, found \"7\""},
	{plain, "peers:\n  " ONE ": { route_metric: 0 }\n",
		"wg0.yaml:2:65: route_metric: expected a number from 1 to 4294967295, found \"0\""},
	{plain, "peers:\n  " ONE ": { route_table: 4294967296 }\n",
		"wg0.yaml:2:64: route_table: expected a number from 1 to 4294967295, found "
		"\"4294967296\""},
	{plain, "peers:\n  " ONE ":\n    route: false\n    route_table: 5\n",
		"wg0.yaml:4:18: route_table: with route: false there is no route"},
	{"[Peer]\nPublicKey = " ONE "\nPresharedKey = " PSK "\n",
		"peers:\n  " ONE ": { preshared_key_file: a }\n",
		"wg0.yaml:2:3: preshared_key_file: the .conf has a PresharedKey for this peer: one of them "
		"has to go"},
};

START_TEST(wrong_ones)
{
	const struct wrong *wrong = &wrongs[_i];
	struct quick_sidecar sidecar;
	CLEANUP_FREE char *found = complaint(wrong->conf, wrong->yaml, &sidecar);

	ck_assert_str_eq(found, wrong->complaint);
	quick_sidecar_clear(&sidecar);
}
END_TEST

/* ---- limits: at them, and one beyond ---- */

static char *path_of(size_t length)
{
	struct text text = {0};

	text_add(&text, "private_key_file: ");
	for (size_t i = 0; i < length; i++)
		text_add(&text, "a");
	return text_take(&text);
}

START_TEST(a_path_has_a_limit)
{
	CLEANUP_FREE char *at = path_of(QUICK_KEY_PATH_MAX), *beyond = path_of(QUICK_KEY_PATH_MAX + 1);
	struct quick_sidecar sidecar;
	CLEANUP_FREE char *found = complaint(plain, beyond, &sidecar);

	ck_assert_str_eq(found, "wg0.yaml:1:19: private_key_file: too long: at most 511 bytes");
	quick_sidecar_clear(&sidecar);
	read_right(plain, at, &sidecar);
	quick_sidecar_clear(&sidecar);
}
END_TEST

START_TEST(a_namespace_has_a_limit)
{
	char yaml[512], name[QUICK_NAMESPACE_MAX + 2];
	struct quick_sidecar sidecar;
	CLEANUP_FREE char *found = NULL;

	memset(name, 'n', sizeof(name));
	name[QUICK_NAMESPACE_MAX] = '\0';
	snprintf(yaml, sizeof(yaml), "namespace: %s\n", name);
	read_right(plain, yaml, &sidecar);
	quick_sidecar_clear(&sidecar);
	snprintf(yaml, sizeof(yaml), "namespace: %sn\n", name);
	found = complaint(plain, yaml, &sidecar);
	ck_assert_str_eq(found, "wg0.yaml:1:12: namespace: too long: at most 255 bytes");
}
END_TEST

static char *peers_of(size_t count)
{
	struct text text = {0};

	text_add(&text, "peers:\n");
	for (uint32_t i = 0; i < count; i++) {
		struct key key = {0};
		char line[KEY_TEXT_MAX];

		memcpy(key.bytes, &i, sizeof(i));
		key.bytes[4] = 1;
		text_add(&text, "  %s: {}\n", key_format(&key, line));
	}
	return text_take(&text);
}

static char *addresses_of(unsigned count)
{
	struct text text = {0};

	text_add(&text, "address:\n");
	for (unsigned i = 0; i < count; i++)
		text_add(&text, "- 10.0.0.%u\n", i);
	return text_take(&text);
}

START_TEST(addresses_have_a_limit)
{
	CLEANUP_FREE char *at = addresses_of(QUICK_SIDECAR_ADDRESSES_MAX);
	CLEANUP_FREE char *beyond = addresses_of(QUICK_SIDECAR_ADDRESSES_MAX + 1);
	struct quick_sidecar sidecar;
	CLEANUP_FREE char *found = complaint(plain, beyond, &sidecar);

	ck_assert_str_eq(found, "wg0.yaml:2:1: address: 17 are too many: at most 16");
	read_right(plain, at, &sidecar);
	ck_assert_uint_eq(sidecar.address_count, QUICK_SIDECAR_ADDRESSES_MAX);
	quick_sidecar_clear(&sidecar);
}
END_TEST

START_TEST(domains_have_a_limit)
{
	static const char conf[] = "[Interface]\nDNS = 10.0.0.1\n";
	struct text text = {0};
	struct quick_sidecar sidecar;
	CLEANUP_FREE char *found = NULL;

	text_add(&text, "dns_domains:\n");
	for (unsigned i = 0; i < QUICK_DNS_MAX; i++)
		text_add(&text, "- d%u.example\n", i);
	read_right(conf, text.data, &sidecar);
	ck_assert_uint_eq(sidecar.dns_domains.count, QUICK_DNS_MAX);
	quick_sidecar_clear(&sidecar);
	text_add(&text, "- d.example\n");
	found = complaint(conf, text.data, &sidecar);
	ck_assert_str_eq(found, "wg0.yaml:2:1: dns_domains: 65 are too many: at most 64");
	text_clear(&text);
	text_add(&text, "dns_domains: ");
	for (unsigned i = 0; i < QUICK_NAME_MAX; i++)
		text_add(&text, "a");
	read_right(conf, text.data, &sidecar);
	quick_sidecar_clear(&sidecar);
	text_add(&text, "a");
	free(found);
	found = complaint(conf, text.data, &sidecar);
	ck_assert_str_eq(found, "wg0.yaml:1:14: dns_domains: too long: at most 255 bytes");
	text_clear(&text);
}
END_TEST

START_TEST(peers_have_a_limit)
{
	CLEANUP_FREE char *at = peers_of(QUICK_SIDECAR_PEERS_MAX);
	CLEANUP_FREE char *beyond = peers_of(QUICK_SIDECAR_PEERS_MAX + 1);
	struct quick_sidecar sidecar;
	struct err err;

	ck_assert_int_eq(quick_sidecar_read("wg0.yaml", at, strlen(at), &sidecar, &err), 0);
	ck_assert_uint_eq(sidecar.peer_count, QUICK_SIDECAR_PEERS_MAX);
	quick_sidecar_clear(&sidecar);
	ck_assert_int_eq(quick_sidecar_read("wg0.yaml", beyond, strlen(beyond), &sidecar, &err), -E2BIG);
	ck_assert_str_eq(err.text, "peers: 100001 are too many: at most 100000");
}
END_TEST

START_TEST(the_file_has_a_limit)
{
	CLEANUP_FREE char *text = mem_new(QUICK_SIDECAR_MAX_BYTES + 2, 1);
	struct quick_sidecar sidecar;
	struct err err;

	memset(text, '#', QUICK_SIDECAR_MAX_BYTES + 1);
	ck_assert_int_eq(quick_sidecar_read("wg0.yaml", text, QUICK_SIDECAR_MAX_BYTES, &sidecar, &err), 0);
	quick_sidecar_clear(&sidecar);
	ck_assert_int_eq(
		quick_sidecar_read("wg0.yaml", text, QUICK_SIDECAR_MAX_BYTES + 1, &sidecar, &err), -E2BIG);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quick sidecar");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, an_empty_one_says_nothing);
	tcase_add_test(tcase, key_files);
	tcase_add_test(tcase, the_interface);
	tcase_add_test(tcase, name_servers);
	tcase_add_test(tcase, default_routes);
	tcase_add_test(tcase, forwarding);
	tcase_add_test(tcase, as_many_translations_as_in_a_fleet);
	tcase_add_test(tcase, namespaces);
	tcase_add_test(tcase, routes_of_peers);
	tcase_add_loop_test(tcase, wrong_ones, 0, ARRAY_COUNT(wrongs));
	tcase_add_test(tcase, a_path_has_a_limit);
	tcase_add_test(tcase, a_namespace_has_a_limit);
	tcase_add_test(tcase, addresses_have_a_limit);
	tcase_add_test(tcase, domains_have_a_limit);
	tcase_add_test(tcase, peers_have_a_limit);
	tcase_add_test(tcase, the_file_has_a_limit);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
