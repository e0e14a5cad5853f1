/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/firewall/sample.h"

/* Reads tests/unit/firewall/expected/NAME from its second line on: the first is its licence. The caller frees. */
static char *read_expected(const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "tests/unit/firewall/expected/%s", name);
	FILE *file = fopen(path, "r");
	ck_assert_msg(file != NULL, "cannot open %s", path);
	char *text = calloc(1, 65536);
	size_t length = fread(text, 1, 65535, file);
	ck_assert_uint_gt(length, 0);
	fclose(file);
	ck_assert_int_eq(text[0], '#');
	char *begin = strchr(text, '\n') + 1;
	memmove(text, begin, strlen(begin) + 1);
	return text;
}

static void assert_prints(const struct firewall *firewall, const char *name)
{
	struct fw_ruleset *ruleset = sample_build(firewall);
	char *text = fw_ruleset_print(ruleset);
	char *expected = read_expected(name);
	bool same = strcmp(text, expected) == 0;
	if (!same)
		fprintf(stderr, "%s was expected, this was printed:\n%s", name, text);
	ck_assert_msg(same, "not as in %s", name);
	free(expected);
	free(text);
	fw_ruleset_free(ruleset);
}

/* The first without multicast, the second with; nothing else to do for either. */
static void tunnels_are_plain(struct firewall *firewall)
{
	static struct firewall_tunnel plain[2];
	for (size_t i = 0; i < 2; i++)
		plain[i] = (struct firewall_tunnel){
			.interface = firewall->tunnels[i].interface, .no_multicast = i == 0};
	firewall->tunnels = plain;
}

START_TEST(a_gateway_with_everything_prints_as_expected)
{
	struct firewall firewall = sample_gateway();
	assert_prints(&firewall, "everything.nft");
}
END_TEST

START_TEST(a_lone_tunnel_with_a_default_route_has_only_wg_quicks_tables)
{
	struct firewall all = sample_gateway();
	struct firewall_tunnel home = all.tunnels[2];
	home.masquerade_count = 0;
	struct firewall firewall = {.scope = "up home", .tunnels = &home, .tunnel_count = 1};
	assert_prints(&firewall, "wg-quick.nft");
}
END_TEST

START_TEST(one_family_of_default_route_makes_one_table)
{
	struct firewall all = sample_gateway();
	struct firewall_tunnel home = all.tunnels[2];
	home.masquerade_count = 0;
	home.default_ip4 = false;
	struct firewall firewall = {.scope = "up home", .tunnels = &home, .tunnel_count = 1};
	struct fw_ruleset *ruleset = sample_build(&firewall);
	ck_assert_uint_eq(ruleset->count, 1);
	ck_assert_int_eq(ruleset->tables[0].family, FW_IP6);
	fw_ruleset_free(ruleset);
}
END_TEST

START_TEST(a_default_route_without_a_mark_only_guards_addresses)
{
	struct firewall all = sample_gateway();
	struct firewall_tunnel home = all.tunnels[2];
	home.masquerade_count = 0;
	home.fwmark = 0;
	struct firewall firewall = {.scope = "up home", .tunnels = &home, .tunnel_count = 1};
	struct fw_ruleset *ruleset = sample_build(&firewall);
	ck_assert_uint_eq(ruleset->count, 2);
	for (size_t i = 0; i < ruleset->count; i++) {
		ck_assert_uint_eq(ruleset->tables[i].chain_count, 1);
		ck_assert_str_eq(ruleset->tables[i].chains[0].name, "preraw");
	}
	fw_ruleset_free(ruleset);
}
END_TEST

START_TEST(a_tunnel_behind_no_endpoint_masquerades_its_snat)
{
	struct firewall firewall = sample_gateway();
	firewall.endpoint_count = 0;
	firewall.tunnel_count = 1;
	assert_prints(&firewall, "no-endpoint.nft");
}
END_TEST

START_TEST(a_tunnel_made_by_hand_has_a_table_of_its_own)
{
	struct firewall all = sample_gateway();
	struct firewall_tunnel wg = all.tunnels[1];
	const struct firewall_snat snat[] = {{.from = sample_prefix("10.51.0.0/24"),
						     .interface = "lan0",
						     .to = sample_addr("192.168.1.7")},
		{.from = sample_prefix("fd51::/64"), .interface = "lan0", .to = sample_addr("fd01::7")},
		{.from = sample_prefix("fd51::/64"), .interface = "wan0"}};
	wg.clamp_mss = true;
	wg.snat = snat;
	wg.snat_count = 3;
	struct firewall firewall = {
		.scope = "up wg1", .table = "holdfast-wg1", .tunnels = &wg, .tunnel_count = 1};
	assert_prints(&firewall, "by-hand.nft");
	firewall.without = FIREWALL_CLAMPING | FIREWALL_DROPPING | FIREWALL_TRANSLATING;
	struct fw_ruleset *ruleset = sample_build(&firewall);
	ck_assert_uint_eq(ruleset->count, 0);
	fw_ruleset_free(ruleset);
}
END_TEST

START_TEST(what_a_kernel_lacks_is_left_out)
{
	struct firewall all = sample_gateway();
	struct firewall firewall = {.scope = "up home", .tunnels = &all.tunnels[2], .tunnel_count = 1};
	struct fw_ruleset *ruleset;
	firewall.without = FIREWALL_SPOOFING | FIREWALL_TRANSLATING;
	ruleset = sample_build(&firewall);
	ck_assert_uint_eq(ruleset->count, 2);
	ck_assert_uint_eq(ruleset->tables[0].chain_count, 2);
	ck_assert_str_eq(ruleset->tables[0].chains[0].name, "premangle");
	fw_ruleset_free(ruleset);
	firewall.without = FIREWALL_MARKING | FIREWALL_TRANSLATING;
	ruleset = sample_build(&firewall);
	ck_assert_uint_eq(ruleset->count, 2);
	ck_assert_uint_eq(ruleset->tables[1].chain_count, 1);
	ck_assert_str_eq(ruleset->tables[1].chains[0].name, "preraw");
	fw_ruleset_free(ruleset);
	firewall.without = FIREWALL_ALL;
	ruleset = sample_build(&firewall);
	ck_assert_uint_eq(ruleset->count, 0);
	fw_ruleset_free(ruleset);
}
END_TEST

START_TEST(tunnels_without_multicast_pass_none)
{
	struct firewall firewall = sample_gateway();
	firewall.endpoint_count = 0;
	firewall.tunnel_count = 2;
	tunnels_are_plain(&firewall);
	assert_prints(&firewall, "multicast.nft");
}
END_TEST

START_TEST(nothing_to_do_is_an_empty_ruleset)
{
	struct firewall_tunnel tunnel = {.interface = "wg0"};
	struct firewall firewall = {.scope = "agent", .tunnels = &tunnel, .tunnel_count = 1};
	struct fw_ruleset *ruleset = sample_build(&firewall);
	ck_assert_uint_eq(ruleset->count, 0);
	fw_ruleset_free(ruleset);
}
END_TEST

static void assert_refused(const struct firewall *firewall, const char *part)
{
	struct fw_ruleset *ruleset = NULL;
	struct err err = {0};
	ck_assert_int_eq(firewall_build(firewall, &ruleset, &err), -EINVAL);
	ck_assert_msg(strstr(err.text, part) != NULL, "\"%s\" does not say \"%s\"", err.text, part);
	ck_assert_ptr_null(ruleset);
}

START_TEST(snat_without_an_inside_address_is_refused)
{
	struct firewall firewall = sample_gateway();
	struct firewall_endpoint endpoint = firewall.endpoints[0];
	endpoint.inside_count = 1; /* IPv4 only */
	firewall.endpoints = &endpoint;
	assert_refused(&firewall,
		"tunnel wg0: snat out of lan0 needs an inside address of IPv6 on it in endpoint vpn");
}
END_TEST

START_TEST(a_translation_stays_in_its_family)
{
	struct firewall_snat snat = {
		.from = sample_prefix("10.51.0.0/24"), .interface = "lan0", .to = sample_addr("fd01::7")};
	struct firewall_tunnel tunnel = {.interface = "wg0", .snat = &snat, .snat_count = 1};
	struct firewall firewall = {.scope = "up wg0", .tunnels = &tunnel, .tunnel_count = 1};
	assert_refused(&firewall, "snat out of lan0 to an address of another family");
}
END_TEST

START_TEST(a_fenced_tunnel_needs_a_mark_and_a_port)
{
	struct firewall firewall = sample_gateway();
	struct firewall_tunnel tunnels[3];
	memcpy(tunnels, firewall.tunnels, sizeof tunnels);
	firewall.tunnels = tunnels;
	tunnels[1].fwmark = 0;
	assert_refused(&firewall, "endpoint vpn: tunnel wg1 needs a fwmark");
	tunnels[1].fwmark = 1;
	tunnels[1].listen_port = 0;
	assert_refused(&firewall, "endpoint vpn: tunnel wg1 needs a fwmark");
}
END_TEST

START_TEST(an_unknown_tunnel_is_refused)
{
	struct firewall firewall = sample_gateway();
	firewall.tunnel_count = 1;
	assert_refused(&firewall, "endpoint vpn: there is no tunnel wg1");
}
END_TEST

START_TEST(names_of_interfaces_are_checked)
{
	static const char *const bad[] = {"", "sixteen-letters-", "a/b", "a b", "a\"b", "a:b", "a\nb"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct firewall_tunnel tunnel = {.interface = bad[i]};
		struct firewall firewall = {.scope = "agent", .tunnels = &tunnel, .tunnel_count = 1};
		assert_refused(&firewall, "no name of an interface");
	}
	struct firewall_tunnel tunnel = {.interface = "fifteen-letters", .default_ip4 = true};
	struct firewall firewall = {.scope = "agent", .tunnels = &tunnel, .tunnel_count = 1};
	struct fw_ruleset *ruleset = sample_build(&firewall);
	ck_assert_str_eq(ruleset->tables[0].name, "wg-quick-fifteen-letters");
	fw_ruleset_free(ruleset);
}
END_TEST

START_TEST(a_scope_has_a_limit)
{
	char scope[FW_SCOPE_MAX + 2] = {0};
	memset(scope, 's', FW_SCOPE_MAX);
	struct firewall firewall = {.scope = scope};
	fw_ruleset_free(sample_build(&firewall));
	scope[FW_SCOPE_MAX] = 's';
	assert_refused(&firewall, "is too long");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("firewall");
	TCase *tcase = tcase_create("build");
	tcase_add_test(tcase, a_gateway_with_everything_prints_as_expected);
	tcase_add_test(tcase, a_lone_tunnel_with_a_default_route_has_only_wg_quicks_tables);
	tcase_add_test(tcase, one_family_of_default_route_makes_one_table);
	tcase_add_test(tcase, a_default_route_without_a_mark_only_guards_addresses);
	tcase_add_test(tcase, a_tunnel_behind_no_endpoint_masquerades_its_snat);
	tcase_add_test(tcase, tunnels_without_multicast_pass_none);
	tcase_add_test(tcase, nothing_to_do_is_an_empty_ruleset);
	tcase_add_test(tcase, a_tunnel_made_by_hand_has_a_table_of_its_own);
	tcase_add_test(tcase, what_a_kernel_lacks_is_left_out);
	tcase_add_test(tcase, a_translation_stays_in_its_family);
	tcase_add_test(tcase, snat_without_an_inside_address_is_refused);
	tcase_add_test(tcase, a_fenced_tunnel_needs_a_mark_and_a_port);
	tcase_add_test(tcase, an_unknown_tunnel_is_refused);
	tcase_add_test(tcase, names_of_interfaces_are_checked);
	tcase_add_test(tcase, a_scope_has_a_limit);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
