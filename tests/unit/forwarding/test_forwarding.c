/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/core/forwarding/forwarding.h"
#include "tests/unit/trace/sample.h"

static struct loaded_ruleset ruleset;
static struct forwarding_way way;
static char why[FORWARDING_WHY_MAX];

static struct forwarding_way way_between(const char *client, const char *host)
{
	struct forwarding_way made = {.tunnel = {.name = "wg0", .index = 7, .forwarding = true},
		.inside = {.name = "eth1", .index = 3, .forwarding = true}};

	ck_assert_int_eq(addr_parse(client, &made.client, NULL), 0);
	ck_assert_int_eq(addr_parse(host, &made.host, NULL), 0);
	return made;
}

static void setup(void)
{
	ruleset = (struct loaded_ruleset){0};
	way = way_between("10.50.0.2", "192.168.1.10");
	why[0] = '\0';
}

static void teardown(void)
{
	loaded_clear(&ruleset);
}

static struct loaded_chain *forward(uint32_t family, uint32_t policy)
{
	struct loaded_table *table = loaded_add_table(&ruleset, family, "filter");

	return sample_base(table, "FORWARD", NF_INET_FORWARD, 0, policy);
}

static bool works(void)
{
	return forwarding_works(&ruleset, &way, why);
}

START_TEST(test_nothing_is_in_the_way)
{
	ck_assert(works());
	forward(NFPROTO_IPV4, NF_ACCEPT);
	ck_assert(works());
}
END_TEST

START_TEST(test_docker_drops_by_default)
{
	forward(NFPROTO_IPV4, NF_DROP);
	ck_assert(!works());
	ck_assert_str_eq(
		why, "what comes in by wg0 is not forwarded to eth1: ip filter FORWARD, policy drops it");
}
END_TEST

START_TEST(test_the_other_family_is_not_meant)
{
	forward(NFPROTO_IPV4, NF_DROP);
	way = way_between("fd50::2", "2001:db8:1::10");
	ck_assert(works());
	forward(NFPROTO_IPV6, NF_DROP);
	ck_assert(!works());
	ck_assert_ptr_nonnull(strstr(why, "ip6 filter FORWARD"));
}
END_TEST

static void allow(struct loaded_chain *chain, uint32_t key, const char *device)
{
	struct loaded_rule *rule = sample_empty_rule(&ruleset, chain);

	sample_meta(rule, key, NFT_CMP_EQ, device, strlen(device) + 1);
	sample_verdict(rule, NF_ACCEPT, NULL);
}

START_TEST(test_allowed_both_ways)
{
	struct loaded_chain *chain = forward(NFPROTO_IPV4, NF_DROP);

	allow(chain, NFT_META_IIFNAME, "wg0");
	ck_assert(!works());
	ck_assert_ptr_nonnull(strstr(why, "what comes in by eth1 is not forwarded to wg0")); /* the answers */
	allow(chain, NFT_META_OIFNAME, "wg0");
	ck_assert(works());
}
END_TEST

/* Who lets some ports pass may mean just that. */
START_TEST(test_a_rule_for_ports_leaves_it_open)
{
	struct loaded_chain *chain = forward(NFPROTO_IPV4, NF_DROP);
	struct loaded_rule *rule = sample_empty_rule(&ruleset, chain);
	static const uint8_t port[] = {0, 80};

	sample_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	sample_compare(rule, NFT_CMP_EQ, port, sizeof(port));
	sample_verdict(rule, NF_ACCEPT, NULL);
	allow(chain, NFT_META_OIFNAME, "wg0");
	ck_assert(works());
}
END_TEST

START_TEST(test_forwarding_is_off)
{
	way.inside.forwarding = false;
	ck_assert(!works());
	ck_assert_str_eq(why, "IPv4 is not forwarded from eth1: net.ipv4.ip_forward is 0");
	way = way_between("fd50::2", "2001:db8:1::10");
	way.tunnel.forwarding = false;
	ck_assert(!works());
	ck_assert_str_eq(why, "IPv6 is not forwarded from wg0: net.ipv6.conf.all.forwarding is 0");
}
END_TEST

START_TEST(test_reverse_path_filter)
{
	way.tunnel.strict = true;
	ck_assert(!works());
	ck_assert_ptr_nonnull(strstr(why, "rp_filter is strict (1) on wg0"));
	way = way_between("fd50::2", "2001:db8:1::10"); /* IPv6 has none */
	way.tunnel.strict = true;
	ck_assert(works());
}
END_TEST

/* Test packets say something where the rules certainly let one of them through. */
START_TEST(test_provable)
{
	struct loaded_chain *chain;
	struct loaded_rule *rule;
	static const uint8_t ports[][2] = {{0, 80}, {443 >> 8, 443 & 0xff}};

	ck_assert(forwarding_is_provable(&ruleset, &way));
	chain = forward(NFPROTO_IPV4, NF_DROP);
	ck_assert(!forwarding_is_provable(&ruleset, &way));
	for (size_t i = 0; i < 2; i++) {
		rule = sample_empty_rule(&ruleset, chain);
		sample_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
		sample_compare(rule, NFT_CMP_EQ, ports[i], sizeof(ports[i]));
		sample_verdict(rule, NF_ACCEPT, NULL);
		ck_assert_int_eq(
			forwarding_is_provable(&ruleset, &way), i == 1); /* UDP to port 443 is one of them */
	}
	way = way_between("fd50::2", "2001:db8:1::10");
	ck_assert(forwarding_is_provable(&ruleset, &way));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forwarding");
	TCase *tests = tcase_create("forwarding");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_nothing_is_in_the_way);
	tcase_add_test(tests, test_docker_drops_by_default);
	tcase_add_test(tests, test_the_other_family_is_not_meant);
	tcase_add_test(tests, test_allowed_both_ways);
	tcase_add_test(tests, test_a_rule_for_ports_leaves_it_open);
	tcase_add_test(tests, test_forwarding_is_off);
	tcase_add_test(tests, test_reverse_path_filter);
	tcase_add_test(tests, test_provable);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
