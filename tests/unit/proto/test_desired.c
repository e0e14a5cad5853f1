/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/date.h"
#include "common/base/mem.h"
#include "proto/desired.h"
#include "proto/desired_text.h"
#include "tests/unit/proto/sample.h"

static struct desired *load(void)
{
	struct desired *desired = NULL;
	struct err err = {0};
	size_t size;
	char *text = sample_text("desired.json", &size);

	ck_assert_msg(!desired_decode(text, size, &desired, &err), "%s", err.text);
	free(text);
	return desired;
}

START_TEST(the_fields_of_the_head_arrive)
{
	struct desired *desired = load();

	ck_assert_uint_eq(desired->generation, 7);
	ck_assert_uint_eq(desired->store, 0x5d41402abc4b2a76);
	ck_assert_str_eq(desired->gateway, "gw-a");
	ck_assert_uint_eq(desired->address_count, 2);
	ck_assert_uint_eq(desired->partner_count, 2);
	ck_assert(desired->partners[0].is_controller && !desired->partners[1].is_controller);
	ck_assert(!key_is_zero(&desired->partners[1].pair_key));
	desired_free(desired);
}
END_TEST

START_TEST(the_fields_of_a_tunnel_arrive)
{
	struct desired *desired = load();
	const struct desired_tunnel *tunnel = &desired->tunnels[0];

	ck_assert_str_eq(tunnel->name, "wg0");
	ck_assert_uint_eq(tunnel->address_count, 3);
	ck_assert(!addr_is_set(&tunnel->address_peers[0]) && addr_is_set(&tunnel->address_peers[2]));
	ck_assert_uint_eq(tunnel->addresses[2].addr.bytes[3], 1);
	ck_assert_uint_eq(tunnel->addresses[2].length, 32);
	ck_assert_uint_eq(tunnel->address_peers[2].bytes[3], 2);
	ck_assert_int_eq(tunnel->multicast, MULTICAST_ON);
	ck_assert(tunnel->link_local);
	ck_assert_uint_eq(tunnel->listen_port, 51820);
	ck_assert_uint_eq(tunnel->fwmark, 0x48460000);
	ck_assert_int_eq(tunnel->table, TABLE_AUTO);
	ck_assert_int_eq(tunnel->forward.policy, FORWARD_ACCEPT);
	ck_assert_uint_eq(tunnel->forward.snat_count, 1);
	ck_assert_str_eq(tunnel->forward.snat[0].interface, "eth1");
	ck_assert_uint_eq(tunnel->forward.masquerade_count, 1);
	ck_assert_uint_eq(tunnel->forward.masquerade[0].from.length, 64);
	ck_assert_str_eq(tunnel->forward.masquerade[0].interface, "eth0");
	ck_assert(tunnel->forward.clamp_mss);
	desired_free(desired);
}
END_TEST

START_TEST(the_fields_of_an_endpoint_arrive)
{
	struct desired *desired = load();
	const struct desired_endpoint *endpoint = &desired->endpoints[0];

	ck_assert_str_eq(endpoint->name, "vpn");
	ck_assert_int_eq(endpoint->isolation, ISOLATION_HOLD);
	ck_assert_uint_eq(endpoint->lease_ms, 3000);
	ck_assert_str_eq(endpoint->dial_interface, "eth0");
	ck_assert_uint_eq(endpoint->dial_count, 2);
	ck_assert_uint_eq(endpoint->witness_count, 1);
	ck_assert_uint_eq(endpoint->inside[0].address.length, 24);
	ck_assert(addr_is_set(&endpoint->routes[0].via) && !addr_is_set(&endpoint->routes[0].src));
	ck_assert_str_eq(endpoint->tunnels[0], "wg0");
	ck_assert_str_eq(endpoint->pool[1], "gw-b");
	desired_free(desired);
}
END_TEST

static const struct desired_peer *find_peer(const struct desired *desired, const char *name)
{
	for (size_t i = 0; i < desired->peer_count; i++) {
		if (!strcmp(desired->peers[i].name, name))
			return &desired->peers[i];
	}
	ck_abort_msg("no peer %s", name);
}

START_TEST(the_fields_of_peers_arrive)
{
	struct desired *desired = load();

	ck_assert_ptr_null(find_peer(desired, "alice")->preshared_key_file);
	ck_assert_uint_eq(find_peer(desired, "alice")->allowed_ip_count, 2);
	ck_assert_str_eq(find_peer(desired, "bob")->preshared_key_file, "psk/bob");
	ck_assert_uint_eq(find_peer(desired, "site1")->endpoint.port, 51820);
	ck_assert_uint_eq(find_peer(desired, "site1")->keepalive_s, 25);
	ck_assert_str_eq(find_peer(desired, "bob")->endpoint_host, "bob.example.net");
	ck_assert_uint_eq(find_peer(desired, "bob")->endpoint_port, 51820);
	ck_assert_uint_eq(find_peer(desired, "site1")->route_metric, 200);
	ck_assert_uint_eq(find_peer(desired, "site1")->route_table, 100);
	ck_assert(find_peer(desired, "bob")->unrouted && !find_peer(desired, "alice")->unrouted);
	desired_free(desired);
}
END_TEST

/* Nothing said of it is not the same as off. */
START_TEST(multicast_has_three_values)
{
	static const char *const values[] = {NULL, "false", "true"};
	static const enum desired_multicast meant[] = {MULTICAST_AS_IT_COMES, MULTICAST_OFF, MULTICAST_ON};
	char *text = sample_with("desired.json", "tunnels.0.multicast", values[_i]), *again;
	struct desired *desired = NULL, *back = NULL;

	ck_assert_int_eq(desired_decode(text, strlen(text), &desired, NULL), 0);
	ck_assert_int_eq(desired->tunnels[0].multicast, meant[_i]);
	again = desired_encode(desired);
	ck_assert_int_eq(desired_decode(again, strlen(again), &back, NULL), 0);
	ck_assert_int_eq(back->tunnels[0].multicast, meant[_i]);
	desired_free(desired);
	desired_free(back);
	free(text);
	free(again);
}
END_TEST

START_TEST(hooks_are_lines_in_order)
{
	char *text =
		sample_with("desired.json", "tunnels.0.post_up", "[\"ip link | cat\", \"\\tsecond %i\"]");
	struct desired *desired = NULL, *copy;
	char *again;

	ck_assert_int_eq(desired_decode(text, strlen(text), &desired, NULL), 0);
	ck_assert(desired_tunnel_has_hooks(&desired->tunnels[0]));
	copy = desired_copy(desired);
	desired_free(desired);
	ck_assert_uint_eq(copy->tunnels[0].hooks[HOOK_POST_UP].count, 2);
	ck_assert_str_eq(copy->tunnels[0].hooks[HOOK_POST_UP].items[0], "ip link | cat");
	ck_assert_uint_eq(copy->tunnels[0].dns.count, 2);
	ck_assert_str_eq(copy->tunnels[0].dns.items[1], "corp.example");
	ck_assert_str_eq(copy->tunnels[0].hooks[HOOK_POST_UP].items[1], "\tsecond %i");
	ck_assert_uint_eq(copy->tunnels[0].hooks[HOOK_PRE_DOWN].count, 0);
	again = desired_encode(copy);
	ck_assert_ptr_nonnull(strstr(again, "\"post_up\":[\"ip link | cat\""));
	ck_assert_ptr_null(strstr(again, "pre_down"));
	desired_free(copy);
	free(again);
	free(text);
}
END_TEST

/* They become lines of a file, and words of a program's. */
START_TEST(what_is_no_server_or_domain_is_refused)
{
	static const char *const wrong[] = {
		"[\"a\\nnameserver 10.6.6.6\"]", "[\"\"]", "[\"10.0.0.1/24\"]", "[\"a b\"]", "[\"-x\"]"};
	char *text = sample_with("desired.json", "tunnels.0.dns", wrong[_i]);
	struct desired *desired = NULL;

	ck_assert_int_eq(desired_decode(text, strlen(text), &desired, NULL), -EINVAL);
	free(text);
}
END_TEST

START_TEST(what_is_no_line_is_no_hook)
{
	static const char *const wrong[] = {
		"[\"a\\nb\"]", "[\"\"]", "[\"\\u001b[2J\"]", "[\"\\u007f\"]", "[1]", "\"a\""};
	char *text = sample_with("desired.json", "tunnels.0.pre_down", wrong[_i]);
	struct desired *desired = NULL;

	ck_assert_int_eq(desired_decode(text, strlen(text), &desired, NULL), -EINVAL);
	free(text);
}
END_TEST

START_TEST(peers_that_are_routed_differently_differ)
{
	struct desired *desired = sample_desired(1, 1), *copy = desired_copy(desired);

	ck_assert(desired_peer_equal(&desired->peers[0], &copy->peers[0]));
	copy->peers[0].unrouted = true;
	ck_assert(!desired_peer_equal(&desired->peers[0], &copy->peers[0]));
	copy->peers[0].unrouted = false;
	copy->peers[0].route_metric = 1;
	ck_assert(!desired_peer_equal(&desired->peers[0], &copy->peers[0]));
	copy->peers[0].route_metric = 0;
	copy->peers[0].route_table = 1;
	ck_assert(!desired_peer_equal(&desired->peers[0], &copy->peers[0]));
	desired_free(desired);
	desired_free(copy);
}
END_TEST

START_TEST(a_copy_is_equal_and_its_own)
{
	struct desired *desired = load(), *copy = desired_copy(desired);
	char *before = desired_encode(desired), *after;

	desired_free(desired);
	after = desired_encode(copy);
	ck_assert_str_eq(before, after);
	desired_free(copy);
	free(before);
	free(after);
}
END_TEST

/* Peers are written without jansson, and have to be what it would write: the text is hashed on both sides. */
static void check_canonical(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	char *canonical;

	ck_assert_ptr_nonnull(json);
	canonical = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	ck_assert_str_eq(text, canonical);
	json_decref(json);
	free(canonical);
}

START_TEST(the_text_of_peers_is_canonical)
{
	static const char *const paths[] = {"psk/a", "", "psk/\"\\/{", "psk/\x01\n\x7f", "psk/\xc3\xa4",
		"psk/\xff\xc3", "\"peers\":[]", "{"};
	struct desired *desired = load();

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *text;

		free(desired->peers[0].preshared_key_file);
		desired->peers[0].preshared_key_file = mem_text(paths[i]);
		text = desired_encode(desired);
		check_canonical(text);
		free(text);
	}
	desired_free(desired);
}
END_TEST

START_TEST(the_text_of_peers_is_the_same_in_two_parts)
{
	struct desired *desired = load();
	char *whole = desired_encode(desired), *peers = desired_peers_encode(desired),
	     *with = desired_encode_with(desired, peers);

	ck_assert_str_eq(whole, with);
	ck_assert_ptr_nonnull(strstr(whole, peers));
	desired_free(desired);
	free(whole);
	free(peers);
	free(with);
}
END_TEST

START_TEST(peers_are_equal_if_each_is)
{
	struct desired *a = sample_desired(1, 3), *b = sample_desired(2, 3), *fewer = sample_desired(1, 2);

	ck_assert(desired_peers_equal(a, b));
	ck_assert(!desired_peers_equal(a, fewer) && !desired_peers_equal(fewer, a));
	b->peers[2].keepalive_s = 1;
	ck_assert(!desired_peers_equal(a, b));
	desired_free(a);
	desired_free(b);
	desired_free(fewer);
}
END_TEST

START_TEST(the_smallest_state_travels)
{
	struct desired *desired = sample_desired(1, 0), *back = NULL;
	char *text = desired_encode(desired), *again;

	ck_assert_int_eq(desired_decode(text, strlen(text), &back, NULL), 0);
	again = desired_encode(back);
	ck_assert_str_eq(text, again);
	desired_free(desired);
	desired_free(back);
	free(text);
	free(again);
}
END_TEST

static const struct {
	const char *path, *value, *error;
} wrong[] = {
	{"generation", "-1", "generation: expected a number from 0 to 9223372036854775807, found -1"},
	{"generation", "1.5", "generation: expected a number from 0 to 9223372036854775807, found 1.5"},
	{"store", "\"5d41\"", "store: "},
	{"gateway", "\"gw a\"", "gateway: expected a name, found \"gw a\""},
	{"liveness_ms", "0", "liveness_ms: expected a number from 1 to 4294967295, found 0"},
	{"addresses.0", "\"gw-a\"", "addresses[0]: "},
	{"tunnels.0.name", "\"wg0123456789abcd\"", "tunnels[0].name: expected a name"},
	{"tunnels.0.private_key_file", "\"\"", "tunnels[0]: private_key_file is empty"},
	{"tunnels.0.addresses.2.local", "null", "tunnels[0].addresses[2].local: missing"},
	{"tunnels.0.addresses.2.peer", "\"10.51.0.2/33\"", "tunnels[0].addresses[2].peer: "},
	{"tunnels.0.addresses.2.peer", "\"fd51::2/128\"",
		"tunnels[0].addresses[2]: local and peer are of different families"},
	{"tunnels.0.multicast", "1", "tunnels[0].multicast: "},
	{"tunnels.0.link_local", "\"yes\"", "tunnels[0].link_local: "},
	{"peers.0.unrouted", "0", "peers[0].unrouted: "},
	{"peers.0.route_metric", "4294967296",
		"peers[0].route_metric: expected a number from 0 to 4294967295, found 4294967296"},
	{"peers.0.route_table", "-1",
		"peers[0].route_table: expected a number from 0 to 4294967295, found -1"},
	{"tunnels.0.listen_port", "0", "tunnels[0].listen_port: expected a number from 1 to 65535, found 0"},
	{"tunnels.0.fwmark", "0", "tunnels[0].fwmark: expected a number from 1 to 4294967295, found 0"},
	{"tunnels.0.table", "\"main\"", "tunnels[0].table: "},
	{"tunnels.0.table", "\"number\"", "tunnels[0].table_number: missing"},
	{"tunnels.0.forward.policy", "\"reject\"", "tunnels[0].forward.policy: "},
	{"tunnels.0.forward.snat.0.from", "\"10.0.0.0/33\"", "tunnels[0].forward.snat[0].from: "},
	{"tunnels.0.forward.masquerade.0.from", "null", "tunnels[0].forward.masquerade[0].from: missing"},
	{"tunnels.0.forward.masquerade.0.interface", "\"eth 0\"",
		"tunnels[0].forward.masquerade[0].interface: "},
	{"tunnels.0.forward.clamp_mss", "1", "tunnels[0].forward.clamp_mss: "},
	{"endpoints.0.isolation", "\"none\"", "endpoints[0].isolation: "},
	{"endpoints.0.lease_ms", "0",
		"endpoints[0].lease_ms: expected a number from 1 to 4294967295, found 0"},
	{"endpoints.0.tunnels.0", "\"wg9\"", "endpoints[0]: there is no tunnel wg9"},
	{"endpoints.0.pool", "[\"gw-a\", \"gw-a\"]", "endpoints[0].pool[1]: is there twice"},
	{"endpoints.0.routes.0.to", "null", "endpoints[0].routes[0].to: missing"},
	{"partners.0.pair_key", "\"00ff\"", "partners[0]: pair_key is not 64 lower-case hex digits"},
	{"peers.0.tunnel", "\"wg9\"", "peers[0]: there is no tunnel wg9"},
	{"peers.0.public_key", "\"////\"", "peers[0].public_key: "},
	{"peers.1.endpoint_host", "\"192.0.2.1\"", "peers[1]: endpoint_host is not the name of a host"},
	{"peers.1.endpoint_port", "0", "peers[1].endpoint_port: expected a number from 1 to 65535, found 0"},
	{"peers.1.endpoint", "\"192.0.2.1:1\"", "peers[1]: endpoint and endpoint_host exclude each other"},
	{"peers.0.keepalive_s", "65536",
		"peers[0].keepalive_s: expected a number from 0 to 65535, found 65536"},
	{"peers.0.preshared_key_file", "\"\"", "peers[0]: preshared_key_file is empty"},
	{"peers.0.allowed_ips", "[\"10.0.0.1/24\"]",
		"peers[0].allowed_ips[0]: has bits set beyond its length"},
	{"peers.0.allowed_ips", "[\"10.0.0.1/32\", \"10.0.0.1/32\"]",
		"peers[0].allowed_ips[1]: not in rising order"},
	{"peers.0.allowed_ips", "[\"fd00::/64\", \"10.0.0.1/32\"]",
		"peers[0].allowed_ips[1]: not in rising order"},
	{"peers.1.groups", "[\"staff\", \"admin\"]", "peers[1].groups[1]: not in rising order"},
	{"peers.1.groups", "[\"staff\", \"staff\"]", "peers[1].groups[1]: not in rising order"},
	{"peers.1.groups", "[\"a,b\"]", "peers[1].groups[0]: "},
	{"peers.1.expires_s", "-1", "peers[1].expires_s: "},
	{"peers.1.expires_s", "253402300800", "peers[1].expires_s: expected a number from 0 to 253402300799"},
	{"groups.0.name", "\"zoo\"", "groups[1]: not in rising order"},
	{"groups.1.may_reach", "[\"192.168.1.1/24\"]",
		"groups[1].may_reach[0]: has bits set beyond its length"},
	{"groups.0.may_reach", "[\"::/0\", \"0.0.0.0/0\"]", "groups[0].may_reach[1]: not in rising order"},
	{"peers.2.shares.0.prefix", "\"192.168.78.0/24\"", "peers[2].shares[0]: is none of allowed_ips"},
	{"peers.2.shares.0.priority", "65536",
		"peers[2].shares[0].priority: expected a number from 0 to 65535, found 65536"},
	{"peers.2.shares.0.probe", "\"gateway\"", "peers[2].shares[0].probe: "},
	{"peers.2.shares.0.table", "0", "peers[2].shares[0].table: expected a number from 1 to "},
	{"peers.2.shares",
		"[{\"prefix\": \"10.50.0.8/32\", \"priority\": 1}, "
		"{\"prefix\": \"10.50.0.8/32\", \"priority\": 2}]",
		"peers[2].shares[1]: not in rising order"},
	{"peers.0.shares", "[{\"prefix\": \"10.0.0.0/8\", \"priority\": 1}]",
		"peers[0].shares[0]: is none of allowed_ips"},
};

START_TEST(a_wrong_value_is_refused_by_its_place)
{
	struct desired *desired = NULL;
	struct err err = {0};
	char *text = sample_with("desired.json", wrong[_i].path, wrong[_i].value);

	ck_assert_int_eq(desired_decode(text, strlen(text), &desired, &err), -EINVAL);
	ck_assert_msg(!strncmp(err.text, wrong[_i].error, strlen(wrong[_i].error)), "%s\nnot\n%s", err.text,
		wrong[_i].error);
	ck_assert_ptr_null(desired);
	free(text);
}
END_TEST

/* One more is among the wrong values. */
START_TEST(the_last_end_that_can_be_written_is_read)
{
	struct desired *desired = NULL;
	char *text = sample_with("desired.json", "peers.1.expires_s", "253402300799");

	ck_assert_int_eq(desired_decode(text, strlen(text), &desired, NULL), 0);
	ck_assert_int_eq(desired->peers[1].expires_s, DATE_MAX_S);
	desired_free(desired);
	free(text);
}
END_TEST

START_TEST(a_malformed_pair_key_is_not_told)
{
	struct desired *desired;
	struct err err = {0};
	char *text = sample_with("desired.json", "partners.0.pair_key", "\"5ec4e7\"");

	ck_assert_int_eq(desired_decode(text, strlen(text), &desired, &err), -EINVAL);
	ck_assert_ptr_null(strstr(err.text, "5ec4e7"));
	free(text);
}
END_TEST

START_TEST(peers_out_of_order_are_refused)
{
	struct desired *desired = sample_desired(1, 3), *back;
	struct err err = {0};
	char *text;

	desired->peers[1].public_key = sample_key(7);
	text = desired_encode(desired);
	ck_assert_int_eq(desired_decode(text, strlen(text), &back, &err), -EINVAL);
	ck_assert_str_eq(err.text, "peers[2]: not in rising order of tunnel and public key");
	desired_free(desired);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("desired");
	TCase *tcase = tcase_create("desired");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, the_fields_of_the_head_arrive);
	tcase_add_test(tcase, the_fields_of_a_tunnel_arrive);
	tcase_add_test(tcase, the_fields_of_an_endpoint_arrive);
	tcase_add_test(tcase, the_fields_of_peers_arrive);
	tcase_add_loop_test(tcase, multicast_has_three_values, 0, 3);
	tcase_add_test(tcase, hooks_are_lines_in_order);
	tcase_add_loop_test(tcase, what_is_no_line_is_no_hook, 0, 6);
	tcase_add_loop_test(tcase, what_is_no_server_or_domain_is_refused, 0, 5);
	tcase_add_test(tcase, peers_that_are_routed_differently_differ);
	tcase_add_test(tcase, a_copy_is_equal_and_its_own);
	tcase_add_test(tcase, the_text_of_peers_is_canonical);
	tcase_add_test(tcase, the_text_of_peers_is_the_same_in_two_parts);
	tcase_add_test(tcase, peers_are_equal_if_each_is);
	tcase_add_test(tcase, the_smallest_state_travels);
	tcase_add_loop_test(tcase, a_wrong_value_is_refused_by_its_place, 0, ARRAY_COUNT(wrong));
	tcase_add_test(tcase, the_last_end_that_can_be_written_is_read);
	tcase_add_test(tcase, a_malformed_pair_key_is_not_told);
	tcase_add_test(tcase, peers_out_of_order_are_refused);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
