/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/fleet/sample.h"

/* Every limit: what is at it is taken, one beyond is told. */

/* expected NULL: the fleet is right. Takes the text over. */
static void check_told(char *text, const char *expected)
{
	struct fleet *fleet;
	char *found = sample_read_text("f", text, &fleet);

	if (expected)
		ck_assert_msg(strstr(found, expected) != NULL, "%s", found);
	else
		ck_assert_msg(!strcmp(found, ""), "%s", found);
	fleet_free(fleet);
	free(found);
	free(text);
}

static char *with_gateways(size_t count)
{
	struct text text = {0};

	text_add(&text, "%s", sample_base);
	text_add(&text, "x-end: 1\n");
	/* Behind the base's own two, in place of their section's end. */
	char *at = strstr(text.data, "virtual_endpoints:"), *rest = mem_text(at);

	text.length = (size_t)(at - text.data);
	for (size_t i = 2; i < count; i++)
		text_add(&text, "  g%zu: { address: 10.10.0.%zu }\n", i, i);
	text_add(&text, "%s", rest);
	free(rest);
	return text_take(&text);
}

START_TEST(gateways)
{
	check_told(with_gateways(PROTO_GATEWAYS_MAX), NULL);
	check_told(with_gateways(PROTO_GATEWAYS_MAX + 1), ": more than 64 gateways\n");
}
END_TEST

static void add_tunnel(struct text *text, size_t number)
{
	char key[KEY_TEXT_MAX];

	text_add(text,
		"  t%zu: { private_key_file: k, public_key: \"%s\", listen_port: %zu, gateways: [gw-a] }\n",
		number, sample_key((unsigned)number, key), 1000 + number);
}

static char *with_tunnels(size_t count)
{
	struct text text = {0};

	text_add(&text, "%s", sample_base);
	for (size_t i = 1; i < count; i++)
		add_tunnel(&text, i);
	return text_take(&text);
}

START_TEST(tunnels)
{
	check_told(with_tunnels(PROTO_TUNNELS_MAX), NULL);
	check_told(with_tunnels(PROTO_TUNNELS_MAX + 1), "f:75:3: more than 64 tunnels\n");
}
END_TEST

/* `count` endpoints on gw-a and gw-b, one tunnel each, names of `width` characters. */
static char *with_endpoints(size_t count, int width)
{
	struct text text = {0};

	text_add(&text, "fleet: many\ngateways:\n"
			"  gw-a: { address: 10.9.0.11, interfaces: { wan: eth0 } }\n"
			"  gw-b: { address: 10.9.0.12, interfaces: { wan: eth0 } }\nvirtual_endpoints:\n");
	for (size_t i = 1; i <= count; i++)
		text_add(&text,
			"  e%0*zu: { gateways: [gw-a, gw-b], tunnels: t%zu, dial: { interface: wan, "
			"addresses: "
			"10.20.0.%zu } }\n",
			width - 1, i, i, i);
	text_add(&text, "tunnels:\n");
	for (size_t i = 1; i <= count; i++) {
		char key[KEY_TEXT_MAX];

		text_add(&text, "  t%zu: { private_key_file: k, public_key: \"%s\", listen_port: %zu }\n", i,
			sample_key((unsigned)i, key), 1000 + i);
	}
	return text_take(&text);
}

START_TEST(endpoints_of_a_gateway)
{
	check_told(with_endpoints(PROTO_ENDPOINTS_MAX, 8), NULL);
	check_told(with_endpoints(PROTO_ENDPOINTS_MAX + 1, 8),
		"f:3:3: gateway gw-a is in 17 virtual endpoints, at most 16\n");
}
END_TEST

START_TEST(names_of_endpoints_in_one_beat)
{
	check_told(with_endpoints(PROTO_ENDPOINTS_MAX, 31), NULL);
	check_told(with_endpoints(PROTO_ENDPOINTS_MAX, 32),
		"f:3:3: the names of gateway gw-a's virtual endpoints do "
		"not fit one beat: shorten them by ");
}
END_TEST

static char *with_pool(size_t count)
{
	struct text text = {0};

	text_add(&text, "fleet: pool\ngateways:\n");
	for (size_t i = 1; i <= count; i++)
		text_add(&text, "  g%zu: { address: 10.9.0.%zu, interfaces: { wan: eth0 } }\n", i, i);
	text_add(&text,
		"virtual_endpoints:\n  vpn: { dial: { interface: wan, addresses: 10.9.1.1 }, tunnels: wg0, "
		"gateways: [");
	for (size_t i = 1; i <= count; i++)
		text_add(&text, "%sg%zu", i > 1 ? ", " : "", i);
	text_add(&text, "] }\n%s", strstr(sample_base, "tunnels:\n"));
	return text_take(&text);
}

START_TEST(gateways_of_a_pool)
{
	check_told(with_pool(PROTO_POOL_MAX), NULL);
	check_told(with_pool(PROTO_POOL_MAX + 1), "gateways: 17 are too many: at most 16\n");
}
END_TEST

static char *with_routes(size_t count)
{
	char *base = mem_text(sample_base), *at = strstr(base, "tunnels:\n");
	struct text text = {0};

	text_add_bytes(&text, base, (size_t)(at - base));
	text_add(&text, "    routes:\n");
	for (size_t i = 0; i < count; i++)
		text_add(&text, "      - { to: 172.%zu.%zu.0/24, interface: lan }\n", 16 + (i >> 8), i & 255);
	text_add(&text, "%s", at);
	free(base);
	return text_take(&text);
}

START_TEST(routes_of_an_endpoint)
{
	check_told(with_routes(PROTO_ROUTES_MAX), NULL);
	check_told(with_routes(PROTO_ROUTES_MAX + 1), "routes: 257 are too many: at most 256\n");
}
END_TEST

static char *with_roles(size_t count)
{
	struct text text = {0};

	text_add(&text, "fleet: roles\ngateways:\n  gw-a: { address: 10.9.0.1, interfaces: { ");
	for (size_t i = 0; i < count; i++)
		text_add(&text, "%sr%zu: eth%zu", i ? ", " : "", i, i);
	text_add(&text, " } }\n");
	text_add(&text, "tunnels:\n");
	add_tunnel(&text, 1);
	return text_take(&text);
}

START_TEST(roles_of_a_gateway)
{
	check_told(with_roles(FLEET_ROLES_MAX), NULL);
	check_told(with_roles(FLEET_ROLES_MAX + 1), "interfaces: 17 are too many: at most 16\n");
}
END_TEST

static char *with_name(size_t length)
{
	struct text text = {0};

	text_add(&text, "fleet: %0*d\n%s", (int)length, 0, strchr(sample_base, '\n') + 1);
	return text_take(&text);
}

START_TEST(a_name)
{
	check_told(with_name(PROTO_NAME_MAX), NULL);
	check_told(with_name(PROTO_NAME_MAX + 1), "f:1:8: fleet: expected a name of at most 63 letters");
}
END_TEST

static char *with_path(size_t length)
{
	struct text text = {0};
	char key[KEY_TEXT_MAX];

	text_add(&text, "%speers: { a: { public_key: \"%s\", preshared_key_file: %0*d } }\n", sample_base,
		sample_key(1, key), (int)length, 0);
	return text_take(&text);
}

START_TEST(a_path)
{
	check_told(with_path(PROTO_PATH_MAX), NULL);
	check_told(with_path(PROTO_PATH_MAX + 1), "preshared_key_file: too long: at most 511 bytes\n");
}
END_TEST

static char *with_hooks(size_t count, size_t length)
{
	struct text text = {0};

	text_add(&text, "%s", sample_base);
	add_tunnel(&text, 1);
	text.length = (size_t)(strrchr(text.data, '}') - text.data);
	text_add(&text, ", post_down: [");
	for (size_t i = 0; i < count; i++)
		text_add(&text, "%s/%0*d", i ? ", " : "", (int)length - 1, 0);
	text_add(&text, "] }\n");
	return text_take(&text);
}

START_TEST(hooks)
{
	check_told(with_hooks(PROTO_HOOKS_MAX, 8), NULL);
	check_told(with_hooks(PROTO_HOOKS_MAX + 1, 8), "post_down: 17 are too many: at most 16\n");
	check_told(with_hooks(PROTO_HOOKS_MAX, PROTO_HOOK_MAX), NULL);
	check_told(with_hooks(1, PROTO_HOOK_MAX + 1), "post_down: too long: at most 2047 bytes\n");
}
END_TEST

static char *with_dns(size_t count)
{
	struct text text = {0};

	text_add(&text, "%s", sample_base);
	add_tunnel(&text, 1);
	text.length = (size_t)(strrchr(text.data, '}') - text.data);
	text_add(&text, ", dns: [");
	for (size_t i = 0; i < count; i++)
		text_add(&text, "%s10.50.0.%zu", i ? ", " : "", i + 1);
	text_add(&text, "] }\n");
	return text_take(&text);
}

START_TEST(name_servers)
{
	check_told(with_dns(PROTO_DNS_MAX), NULL);
	check_told(with_dns(PROTO_DNS_MAX + 1), "dns: 17 are too many: at most 16\n");
}
END_TEST

START_TEST(peers)
{
	check_told(sample_with_peers(PROTO_PEERS_MAX), NULL);
	check_told(sample_with_peers(PROTO_PEERS_MAX + 1), ": more than 200000 peers\n");
}
END_TEST

/* 150,000 peers in two tunnels are more than one gateway carries. */
START_TEST(peers_of_a_gateway)
{
	char *all = sample_with_peers(PROTO_PEERS_MAX / 2 + 1), *at = strstr(all, "peers:\n");
	struct text text = {0};

	text_add_bytes(&text, all, (size_t)(at - all));
	add_tunnel(&text, 1);
	text_add(&text, "peers:\n");
	for (at += strlen("peers:\n"); *at; at++) {
		text_add_bytes(&text, at, 1);
		if (*at == '{')
			text_add(&text, " tunnels: [wg0, t1],");
	}
	free(all);
	check_told(text_take(&text), "gateway gw-a would carry 200002 peers, at most 200000\n");
}
END_TEST

static char *with_sharers(size_t count)
{
	struct text text = {0};
	char key[KEY_TEXT_MAX];

	text_add(&text, "%speers:\n", sample_base);
	for (size_t i = 0; i < count; i++)
		text_add(&text,
			"  p%zu: { public_key: \"%s\", allowed_ips: { prefix: 192.168.77.0/24, "
			"priority: %zu } }\n",
			i, sample_key((unsigned)i, key), i);
	return text_take(&text);
}

START_TEST(peers_with_one_prefix)
{
	check_told(with_sharers(PROTO_SHARERS_MAX), NULL);
	check_told(with_sharers(PROTO_SHARERS_MAX + 1), "more than 16 peers share 192.168.77.0/24\n");
}
END_TEST

/* Each pair has a network in common, within one that holds it in a network of the next size, and so on up. */
static char *with_overlaps(size_t count)
{
	struct text text = {0};
	char key[KEY_TEXT_MAX];

	text_add(&text, "%speers:\n", sample_base);
	for (size_t i = 0; i < count; i++)
		text_add(&text,
			"  p%zu: { public_key: \"%s\", allowed_ips: [ 10.%zu.%zu.%zu/32, { prefix: "
			"172.%zu.%zu.%zu/29, priority: %zu } ] }\n",
			i, sample_key((unsigned)i, key), 64 + (i >> 16), i >> 8 & 255, i & 255,
			16 + (i >> 14), i >> 6 & 255, (i >> 1 & 31) * 8, i & 1);
	for (size_t length = 8; length < 29; length++)
		text_add(&text, "  around%zu: { public_key: \"%s\", allowed_ips: 172.16.0.0/%zu }\n", length,
			sample_key((unsigned)(count + length), key), length);
	return text_take(&text);
}

/* Whoever compares each with each is still at it when the time is up. */
START_TEST(peers_that_overlap)
{
	struct fleet *fleet;
	struct desired *desired;
	size_t shares = 0;
	char *text = with_overlaps(100000), *found = sample_read_text("f", text, &fleet);

	ck_assert_msg(fleet != NULL, "%s", found);
	ck_assert_ptr_nonnull(
		strstr(found, ": allowed_ips within which a narrower one of another peer wins: "));
	desired = sample_compile(fleet, "gw-a");
	for (size_t i = 0; i < desired->peer_count; i++)
		shares += desired->peers[i].share_count;
	ck_assert_uint_ge(shares, 100000);
	desired_free(desired);
	fleet_free(fleet);
	free(found);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("limits");
	TCase *tcase = tcase_create("limits");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 150);
	tcase_add_test(tcase, gateways);
	tcase_add_test(tcase, tunnels);
	tcase_add_test(tcase, endpoints_of_a_gateway);
	tcase_add_test(tcase, names_of_endpoints_in_one_beat);
	tcase_add_test(tcase, gateways_of_a_pool);
	tcase_add_test(tcase, routes_of_an_endpoint);
	tcase_add_test(tcase, roles_of_a_gateway);
	tcase_add_test(tcase, a_name);
	tcase_add_test(tcase, a_path);
	tcase_add_test(tcase, hooks);
	tcase_add_test(tcase, name_servers);
	tcase_add_test(tcase, peers);
	tcase_add_test(tcase, peers_of_a_gateway);
	tcase_add_test(tcase, peers_with_one_prefix);
	tcase_add_test(tcase, peers_that_overlap);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
