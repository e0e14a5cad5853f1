/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/io/fleet/generation.h"

static const char fleet[] = "fleet: edge\n"
			    "gateways:\n"
			    "  gw-a: { address: 10.9.0.11, interfaces: { wan: eth0 } }\n"
			    "  gw-b: { address: 10.9.0.12, interfaces: { wan: ens3 } }\n"
			    "virtual_endpoints:\n"
			    "  vpn:\n"
			    "    gateways: [gw-a, gw-b]\n"
			    "    tunnels: [wg0]\n"
			    "    dial: { interface: wan, addresses: [10.9.0.100] }\n"
			    "tunnels:\n"
			    "  wg0:\n"
			    "    private_key_file: wg0.key\n"
			    "    public_key: \"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\"\n"
			    "    address: [10.50.0.1/24]\n"
			    "    listen_port: 51820\n"
			    "peers:\n"
			    "  alice: { public_key: \"YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=\", "
			    "allowed_ips: [10.50.0.2/32] }\n";

static const struct key secret = {.bytes = {1, 2, 3}};
static struct lines errors, warnings;

static void setup(void)
{
	errors = warnings = (struct lines){0};
}

static void teardown(void)
{
	lines_clear(&errors);
	lines_clear(&warnings);
}

static int make(const char *text, uint64_t number, const char *controller, struct generation **ret)
{
	struct bundle bundle = {0};
	struct generation_maker maker = {.controller = controller, .store = 7, .secret = &secret};
	ck_assert_int_eq(bundle_add(&bundle, "fleet.yaml", text, strlen(text), NULL), 0);
	int r = generation_make(&bundle, number, &maker, ret, &errors, &warnings);
	bundle_clear(&bundle);
	return r;
}

static struct generation *make_good(uint64_t number)
{
	struct generation *generation = NULL;
	int r = make(fleet, number, "ctl", &generation);
	ck_assert_msg(r == 0, "%s", errors.count ? errors.items[0] : "no text");
	return generation;
}

static const struct key *pair_key(const struct generation *generation, size_t gateway, const char *partner)
{
	const struct desired *desired = generation->gateways[gateway].desired;
	for (size_t i = 0; i < desired->partner_count; i++)
		if (strcmp(desired->partners[i].name, partner) == 0)
			return &desired->partners[i].pair_key;
	ck_abort_msg("no partner %s", partner);
}

START_TEST(it_says_who_may_own_what)
{
	struct generation *generation = make_good(3);
	ck_assert_str_eq(generation->fleet, "edge");
	ck_assert_uint_eq(generation->gateway_count, 2);
	ck_assert_uint_eq(generation->gateways[1].desired->generation, 3);
	ck_assert_uint_eq(generation->gateways[1].desired->store, 7);
	ck_assert_uint_eq(generation->endpoint_count, 1);
	ck_assert_str_eq(generation->endpoints[0].config.name, "vpn");
	ck_assert_uint_eq(generation->endpoints[0].config.member_count, 2);
	ck_assert_str_eq(generation->endpoints[0].config.members[1], "gw-b");
	ck_assert_str_eq(generation->endpoints[0].tunnels[0], "wg0");
	ck_assert_ptr_nonnull(generation_find(generation, "gw-b"));
	ck_assert_ptr_null(generation_find(generation, "gw-c"));
	ck_assert_ptr_null(generation_find(NULL, "gw-a"));
	generation_free(generation);
}
END_TEST

START_TEST(a_pair_shares_a_key_and_no_other_has_it)
{
	struct generation *generation = make_good(1);
	const struct key *ab = pair_key(generation, 0, "gw-b"), *ba = pair_key(generation, 1, "gw-a");
	ck_assert(key_equal(ab, ba));
	ck_assert(!key_is_zero(ab));
	ck_assert(key_equal(pair_key(generation, 0, "ctl"), &generation->gateways[0].pair_key));
	ck_assert(!key_equal(&generation->gateways[0].pair_key, &generation->gateways[1].pair_key));
	ck_assert(!key_equal(&generation->gateways[0].pair_key, ab));
	generation_free(generation);
}
END_TEST

START_TEST(the_hash_is_the_content_whatever_the_number)
{
	struct generation *one = make_good(1), *two = make_good(2);
	ck_assert_str_eq(one->hash, two->hash);
	ck_assert_str_ne(one->gateways[0].hash, two->gateways[0].hash);
	ck_assert_str_ne(one->gateways[0].hash, one->gateways[1].hash);
	generation_free(one);
	generation_free(two);
}
END_TEST

static bool any_starts_with(const struct lines *lines, const char *start)
{
	for (size_t i = 0; i < lines->count; i++)
		if (strncmp(lines->items[i], start, strlen(start)) == 0)
			return true;
	return false;
}

START_TEST(every_error_is_told_with_its_place)
{
	struct generation *generation = NULL;
	ck_assert_int_eq(make("fleet: edge\ngatways: {}\ntunels: {}\n", 1, "ctl", &generation), -EINVAL);
	ck_assert(any_starts_with(&errors, "fleet.yaml:2:1: unknown key \"gatways\""));
	ck_assert(any_starts_with(&errors, "fleet.yaml:3:1: unknown key \"tunels\""));
	ck_assert_ptr_null(generation);
}
END_TEST

START_TEST(no_gateway_has_the_controllers_name)
{
	struct generation *generation = NULL;
	ck_assert_int_eq(make(fleet, 1, "gw-b", &generation), -EINVAL);
	ck_assert_uint_eq(errors.count, 1);
	ck_assert_int_eq(strncmp(errors.items[0], "fleet.yaml:4:3: ", 16), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("generation");
	TCase *tests = tcase_create("generation");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, it_says_who_may_own_what);
	tcase_add_test(tests, a_pair_shares_a_key_and_no_other_has_it);
	tcase_add_test(tests, the_hash_is_the_content_whatever_the_number);
	tcase_add_test(tests, every_error_is_told_with_its_place);
	tcase_add_test(tests, no_gateway_has_the_controllers_name);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
