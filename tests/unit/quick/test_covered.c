/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/core/quick/target.h"

/* wg0 has 10.0.0.0/8 and fd00::/16 by its addresses. Which allowed IPs need a route of their own? */
static struct quick_routed routed;
static struct prefix covering[2], rival;
static struct quick_route_facts facts;

static struct prefix prefix(const char *text)
{
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(text, &prefix, NULL), 0);
	return prefix;
}

static void setup(void)
{
	covering[0] = prefix("10.0.0.0/8");
	covering[1] = prefix("fd00::/16");
	facts = (struct quick_route_facts){.name = "wg0",
		.routed = &routed,
		.routed_count = 1,
		.covering = covering,
		.covering_count = 2,
		.rivals = &rival,
		.has_ip4 = true,
		.has_ip6 = true};
}

static size_t routes_of(const char *allowed, const char *other)
{
	struct plan_target target = {0};
	size_t count;

	routed.to = prefix(allowed);
	facts.rival_count = other ? 1 : 0;
	if (other)
		rival = prefix(other);
	quick_target_routes(&target, &facts);
	count = target.world.route_count;
	plan_target_clear(&target);
	return count;
}

START_TEST(test_a_covered_one_needs_none)
{
	ck_assert_uint_eq(routes_of("10.1.0.0/16", NULL), 0);
	ck_assert_uint_eq(routes_of("fd00:1::/32", NULL), 0);
	ck_assert_uint_eq(routes_of("11.1.0.0/16", NULL), 1);
}
END_TEST

START_TEST(test_one_that_would_go_elsewhere_needs_its_own)
{
	ck_assert_uint_eq(routes_of("10.1.2.0/24", "10.1.0.0/16"), 1);
	ck_assert_uint_eq(routes_of("fd00:1:2::/48", "fd00:1::/32"), 1);
}
END_TEST

START_TEST(test_rivals_that_lose_or_are_a_decision)
{
	ck_assert_uint_eq(routes_of("10.1.2.0/24", "10.0.0.0/8"), 0);  /* as long as the cover */
	ck_assert_uint_eq(routes_of("10.1.2.0/24", "0.0.0.0/0"), 0);   /* shorter */
	ck_assert_uint_eq(routes_of("10.1.2.0/24", "10.1.2.0/24"), 0); /* as long as ours would be */
	ck_assert_uint_eq(routes_of("10.1.2.0/24", "10.1.2.3/32"), 0); /* within: it wins either way */
	ck_assert_uint_eq(routes_of("10.1.2.0/24", "10.2.0.0/16"), 0); /* of another network */
}
END_TEST

START_TEST(test_rivals_matter_only_where_something_is_covered)
{
	routed.to = prefix("10.1.2.0/24");
	ck_assert(quick_has_covered(&facts));
	routed.to = prefix("11.1.2.0/24");
	ck_assert(!quick_has_covered(&facts));
	routed.to = prefix("0.0.0.0/0");
	ck_assert(!quick_has_covered(&facts));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("covered");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_a_covered_one_needs_none);
	tcase_add_test(all, test_one_that_would_go_elsewhere_needs_its_own);
	tcase_add_test(all, test_rivals_that_lose_or_are_a_decision);
	tcase_add_test(all, test_rivals_matter_only_where_something_is_covered);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
