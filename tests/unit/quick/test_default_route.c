/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/quick/allowed.h"
#include "node-agent/core/quick/default_route.h"
#include "node-agent/core/quick/read.h"
#include "node-agent/core/quick/resolv_conf.h"

START_TEST(marks_skip_tables_in_use)
{
	static const uint32_t used[] = {51821, 254, 51820, 51820, 51823};

	ck_assert_uint_eq(quick_free_mark(NULL, 0), 51820);
	ck_assert_uint_eq(quick_free_mark(used, ARRAY_COUNT(used)), 51822);
}
END_TEST

struct priorities_case {
	struct quick_seen_rule rules[8];
	size_t count;
	uint32_t suppress, not_ours;
};

START_TEST(priorities_are_those_the_kernel_picks)
{
	static const struct priorities_case cases[] = {
		{{{0, 255}, {32766, 254}, {32767, 253}}, 3, 32764, 32765},
		/* a second tunnel comes before the first */
		{{{0, 255}, {32764, 254}, {32765, 51820}, {32766, 254}}, 4, 32762, 32763},
		/* somebody else's */
		{{{0, 255}, {5000, 99}, {32766, 254}}, 3, 4998, 4999},
		/* a rule of priority 0: the kernel would put both there, in the wrong order */
		{{{0, 255}, {0, 99}, {32766, 254}}, 3, 32764, 32765},
		/* no room before the first: as early as there is any */
		{{{0, 255}, {1, 99}, {32766, 254}}, 3, 2, 3},
		{{{0, 255}, {2, 99}, {4, 99}, {32766, 254}}, 4, 5, 6},
		/* the local table was moved: it stays before ours */
		{{{100, 255}, {32766, 254}}, 2, 32764, 32765},
		{{{10, 77}, {100, 255}, {102, 78}, {32766, 254}}, 4, 103, 104},
		/* nothing at all */
		{{{0, 0}}, 0, 32764, 32765},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct quick_priorities got;

		ck_assert_int_eq(quick_choose_priorities(cases[i].rules, cases[i].count, &got, NULL), 0);
		ck_assert_msg(got.suppress == cases[i].suppress && got.not_ours == cases[i].not_ours,
			"%zu: %u %u", i, got.suppress, got.not_ours);
	}
}
END_TEST

START_TEST(priorities_may_run_out)
{
	struct quick_seen_rule *rules = mem_new(32767, sizeof(*rules));
	struct quick_priorities got = {7, 7};
	struct err err;

	for (uint32_t i = 0; i < 32767; i++)
		rules[i] = (struct quick_seen_rule){i, i ? 254 : 255};
	ck_assert_int_eq(quick_choose_priorities(rules, 32767, &got, &err), -ENOSPC);
	ck_assert_uint_eq(got.suppress, 7);
	free(rules);
}
END_TEST

/* ---- who gets which allowed IP ---- */

#define ONE "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
#define TWO "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="

START_TEST(a_prefix_goes_to_the_last_that_claims_it)
{
	static const char text[] = "[Peer]\nPublicKey=" ONE "\nAllowedIPs=10.1.0.0/16,10.2.0.0/16\n"
				   "[Peer]\nPublicKey=" TWO "\nAllowedIPs=10.2.0.0/16,10.3.0.0/16\n"
				   "[Peer]\nPublicKey=" ONE "\nAllowedIPs=10.3.0.0/16\n";
	struct quick_config config;
	struct quick_allowed allowed;
	struct err err;

	ck_assert_int_eq(quick_read("f", text, strlen(text), &config, &err), 0);
	quick_allowed_init(&allowed, &config, "f", &config.warnings);
	ck_assert_uint_eq(allowed.first[1], 0); /* superseded: replaced by the third */
	ck_assert(allowed.superseded[0] && !allowed.superseded[1] && !allowed.superseded[2]);
	ck_assert_uint_eq(allowed.first[2], 1);
	ck_assert_uint_eq(allowed.prefixes[0].addr.bytes[1], 2);
	ck_assert_uint_eq(allowed.first[3], 2);
	ck_assert_uint_eq(allowed.prefixes[1].addr.bytes[1], 3);
	ck_assert_uint_eq(config.warnings.count, 2);
	ck_assert_str_eq(config.warnings.items[0],
		"f:4:1: 10.2.0.0/16 is claimed by the peer of line 1 too; the last one has it");
	quick_allowed_clear(&allowed);
	quick_config_clear(&config);
}
END_TEST

/* ---- resolv.conf ---- */

static char *with(const char *text, const char *interface, const char *server)
{
	struct quick_texts servers = {0}, search = {0};
	char *added;

	quick_texts_add(&servers, server, strlen(server));
	quick_texts_add(&search, "lan", 3);
	added = quick_resolv_conf_add(text, interface, &servers, &search);
	quick_texts_clear(&servers);
	quick_texts_clear(&search);
	return added;
}

START_TEST(name_servers_go_in_any_order)
{
	static const char before[] = "# mine\nnameserver 192.0.2.53\noptions edns0";
	CLEANUP_FREE char *one = with(before, "wg0", "10.0.0.1");
	CLEANUP_FREE char *two = with(one, "wg1", "10.1.0.1");
	CLEANUP_FREE char *again = with(two, "wg1", "10.1.0.1");
	CLEANUP_FREE char *only_two = quick_resolv_conf_remove(two, "wg0");
	CLEANUP_FREE char *only_one = quick_resolv_conf_remove(two, "wg1");
	CLEANUP_FREE char *none = quick_resolv_conf_remove(only_two, "wg1");
	CLEANUP_FREE char *other = with(before, "wg1", "10.1.0.1");

	ck_assert_str_eq(one, "# holdfast wg0 begins\nnameserver 10.0.0.1\nsearch lan\n# holdfast wg0 ends\n"
			      "#holdfast wg0: # mine\n#holdfast wg0: nameserver 192.0.2.53\n"
			      "#holdfast wg0: options edns0");
	ck_assert_str_eq(again, two);
	ck_assert_str_eq(only_one, one);
	ck_assert_str_eq(only_two, other);
	ck_assert_str_eq(none, before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quick-default_route");
	TCase *tests = tcase_create("decisions");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, marks_skip_tables_in_use);
	tcase_add_test(tests, priorities_are_those_the_kernel_picks);
	tcase_add_test(tests, priorities_may_run_out);
	tcase_add_test(tests, a_prefix_goes_to_the_last_that_claims_it);
	tcase_add_test(tests, name_servers_go_in_any_order);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
