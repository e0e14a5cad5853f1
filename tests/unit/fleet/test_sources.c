/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/fleet/sample.h"

/* A fleet of several files. */

#define ALICE "K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA="
#define BOB "gbY32PzSxtpjWeaWMROhFw3nleS3JbhNHgtM/Z7FjOk="

static struct fleet_source source(const char *name, const char *text)
{
	return (struct fleet_source){.name = name, .text = text, .size = strlen(text)};
}

static void check_told(const struct fleet_source *sources, size_t count, const char *expected)
{
	struct fleet *fleet;
	char *found = sample_read(sources, count, &fleet);

	ck_assert_str_eq(found, expected);
	fleet_free(fleet);
	free(found);
}

START_TEST(peers_come_from_their_own_files)
{
	struct fleet_source sources[] = {source("fleet.yaml", sample_base),
		source("peers.d/alice.yaml", "peers:\n  alice: { public_key: \"" ALICE "\" }\n"),
		source("peers.d/bob.yaml",
			"x-why: { a: [b] }\npeers:\n  bob: { public_key: \"" BOB "\" }\n")};
	struct fleet *fleet;
	char *found = sample_read(sources, ARRAY_COUNT(sources), &fleet);

	ck_assert_str_eq(found, "");
	ck_assert_uint_eq(fleet->peer_count, 2);
	ck_assert_str_eq(fleet->peers[1].name, "bob");
	ck_assert_str_eq(fleet->sources[fleet->peers[1].place.source], "peers.d/bob.yaml");
	ck_assert_uint_eq(fleet->peers[1].place.line, 3);
	fleet_free(fleet);
	free(found);
}
END_TEST

START_TEST(an_include_may_bring_the_tunnel_an_endpoint_names)
{
	static const char main_file[] =
		"fleet: edge\n"
		"gateways: { gw-a: { address: 10.9.0.11, interfaces: { wan: eth0 } }, gw-b: { address: "
		"10.9.0.12, "
		"interfaces: { wan: eth0 } } }\n"
		"virtual_endpoints: { vpn: { gateways: [gw-a, gw-b], tunnels: [wg0], dial: { interface: wan, "
		"addresses: 10.9.0.100 } } }\n"
		"include: tunnels.yaml\n";
	struct fleet_source sources[] = {source("fleet.yaml", main_file),
		source("tunnels.yaml", "tunnels: { wg0: { private_key_file: k, public_key: \"" BOB
				       "\", listen_port: 1 } }\n")};

	check_told(sources, 2, "");
}
END_TEST

START_TEST(what_is_there_twice_is_told_with_both_places)
{
	struct fleet_source sources[] = {source("fleet.yaml", sample_base),
		source("a.yaml", "peers:\n"
				 "  alice: { public_key: \"" ALICE
				 "\", allowed_ips: [10.50.0.2/32, 10.50.0.3/32] }\n"),
		source("b.yaml", "gateways:\n"
				 "  gw-a: { address: 10.9.0.13 }\n"
				 "virtual_endpoints:\n"
				 "  vpn: {}\n"
				 "tunnels:\n"
				 "  wg0: {}\n"
				 "peers:\n"
				 "  alice: { public_key: \"" BOB "\", allowed_ips: 10.50.0.3/32 }\n"
				 "  anna: { public_key: \"" ALICE "\" }\n")};

	check_told(sources, ARRAY_COUNT(sources),
		"b.yaml:2:3: gateway gw-a is there already, at fleet.yaml:3:3\n"
		"b.yaml:4:3: virtual endpoint vpn is there already, at fleet.yaml:6:3\n"
		"b.yaml:6:3: tunnel wg0 is there already, at fleet.yaml:11:3\n"
		"b.yaml:8:3: peer alice is there already, at a.yaml:2:3\n"
		"b.yaml:8:85: allowed_ips: 10.50.0.3/32 belongs to peer alice already (a.yaml:2:100), with "
		"the same "
		"priority 100; of peers that share a prefix each needs its own, and the highest that lives "
		"has it\n"
		"b.yaml:9:23: public_key: peers alice and anna have the same one (a.yaml:2:24); in one "
		"tunnel a key "
		"is one peer\n");
}
END_TEST

START_TEST(only_the_fleet_file_says_who_it_is)
{
	struct fleet_source sources[] = {source("fleet.yaml", sample_base),
		source("more.yaml", "fleet: other\ndefaults: { lease: 1s }\nincldue: x\n")};

	check_told(sources, 2,
		"more.yaml:1:1: \"fleet\" belongs into the fleet file itself, fleet.yaml\n"
		"more.yaml:2:1: \"defaults\" belongs into the fleet file itself, fleet.yaml\n"
		"more.yaml:3:1: unknown key \"incldue\"; did you mean \"include\"?\n");
}
END_TEST

/* Or everything that it defines would be called unknown. */
START_TEST(a_file_that_is_not_yaml_hides_what_depends_on_it)
{
	struct fleet_source sources[] = {
		source("fleet.yaml", "fleet: edge\nlisten: 1\nvirtual_endpoints: { vpn: { tunnels: [wg0], "
				     "gateways: [gw-a], dial: { interface: wan, addresses: 10.9.0.1 } } }\n"),
		source("gateways.yaml", "gateways: [\n")};
	struct fleet *fleet;
	char *found = sample_read(sources, 2, &fleet);

	ck_assert_ptr_nonnull(strstr(found, "fleet.yaml:2:1: unknown key \"listen\""));
	ck_assert_ptr_nonnull(strstr(found, "gateways.yaml:2:1: "));
	ck_assert_ptr_null(strstr(found, "gw-a"));
	free(found);
}
END_TEST

START_TEST(no_files_are_no_fleet)
{
	struct diagnostics diagnostics = {0};
	struct fleet *fleet = NULL;

	ck_assert_int_eq(fleet_read(NULL, 0, &fleet, &diagnostics), -EINVAL);
	ck_assert_str_eq(diagnostics.items[0].text, "no files");
	ck_assert_int_eq(fleet_read(NULL, FLEET_SOURCES_MAX + 1, &fleet, &diagnostics), -EINVAL);
	ck_assert_ptr_null(fleet);
	diagnostics_clear(&diagnostics);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sources");
	TCase *tcase = tcase_create("sources");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, peers_come_from_their_own_files);
	tcase_add_test(tcase, an_include_may_bring_the_tunnel_an_endpoint_names);
	tcase_add_test(tcase, what_is_there_twice_is_told_with_both_places);
	tcase_add_test(tcase, only_the_fleet_file_says_who_it_is);
	tcase_add_test(tcase, a_file_that_is_not_yaml_hides_what_depends_on_it);
	tcase_add_test(tcase, no_files_are_no_fleet);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
