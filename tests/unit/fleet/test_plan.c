/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/plan.h"
#include "tests/unit/fleet/sample.h"

enum { NOW_S = 1800000000 }; /* 2027-01-15T08:00:00Z */

static char *two_gateways(void)
{
	return sample_text("tests/unit/fleet/right/two-gateways.yaml");
}

/* Takes the text over. */
static struct fleet *read(char *text)
{
	struct fleet *fleet;
	char *found = sample_read_text("fleet.yaml", text, &fleet);

	ck_assert_msg(fleet != NULL, "%s", found);
	free(found);
	free(text);
	return fleet;
}

/* The text with the first `old` replaced. Takes the text over. */
static char *replace(char *text, const char *old, const char *new)
{
	char *at = strstr(text, old);
	struct text result = {0};

	ck_assert_msg(at != NULL, "no %s", old);
	text_add_bytes(&result, text, (size_t)(at - text));
	text_add(&result, "%s%s", new, at + strlen(old));
	free(text);
	return text_take(&result);
}

/* "gw-a 2, gw-b 1; costs bob removed; admits carol; +1 ~0 -1 o0" */
static char *describe(const struct fleet_plan *plan)
{
	const struct fleet_counts *counts = &plan->counts;
	struct text text = {0};

	for (size_t i = 0; i < plan->gateway_count; i++)
		text_add(&text, "%s%s%s %zu, ", plan->gateways[i].name,
			plan->gateways[i].is_new ? " new" : "", plan->gateways[i].leaves ? " leaves" : "",
			plan->gateways[i].count);
	for (size_t i = 0; i < plan->cost_count; i++)
		text_add(
			&text, "costs %s %s, ", plan->costs[i].peer, fleet_plan_why_text(plan->costs[i].why));
	for (size_t i = 0; i < plan->admitted_count; i++)
		text_add(&text, "%s %s, ", plan->admitted[i].widened ? "widens" : "admits",
			plan->admitted[i].peer);
	text_add(&text, "%s", plan->controller);
	text_add(
		&text, "+%zu ~%zu -%zu o%zu", counts->added, counts->changed, counts->removed, counts->other);
	return text_take(&text);
}

static void check(struct fleet *from, struct fleet *to, const char *expected)
{
	struct fleet_plan plan;
	char *found;

	fleet_plan_make(from, to, NOW_S, SIZE_MAX, &plan);
	found = describe(&plan);
	ck_assert_str_eq(found, expected);
	ck_assert(fleet_plan_is_empty(&plan) == (strcmp(expected, "gw-a 0, gw-b 0, +0 ~0 -0 o0") == 0));
	free(found);
	fleet_plan_clear(&plan);
	fleet_free(from);
	fleet_free(to);
}

static const struct {
	const char *old, *new, *expected;
} changes[] = {
	{"fleet: edge", "fleet: edge", "gw-a 0, gw-b 0, +0 ~0 -0 o0"},
	{"mtu: 1400", "mtu: 1380", "gw-a 0, gw-b 1, +0 ~0 -0 o1"},
	{"psk/bob }", "psk/bob, disabled: true }", "gw-a 1, gw-b 1, costs bob removed, +0 ~0 -1 o0"},
	{"psk/bob", "psk/bob2", "gw-a 1, gw-b 1, costs bob another pre-shared key, widens bob, +0 ~1 -0 o0"},
	{", preshared_key_file: psk/bob", "",
		"gw-a 1, gw-b 1, costs bob another pre-shared key, widens bob, +0 ~1 -0 o0"},
	{"192.168.77.0/24", "192.168.77.0/25", "gw-a 1, gw-b 1, costs site1 narrowed, +0 ~1 -0 o0"},
	{"192.168.77.0/24", "192.168.76.0/23", "gw-a 1, gw-b 1, widens site1, +0 ~1 -0 o0"},
	{"psk/bob }", "psk/bob, expires: 2027-01-15T08:00:01Z }", "gw-a 1, gw-b 1, +0 ~1 -0 o0"},
	{"psk/bob }", "psk/bob, expires: 2027-01-15T08:00:00Z }",
		"gw-a 1, gw-b 1, costs bob removed, +0 ~0 -1 o0"},
	/* Another key under the same name. */
	{"gbY32PzSxtpjWeaWMROhFw3nleS3JbhNHgtM/Z7FjOk=", "jB7LCg7sjqzhC/8dr2tqKdkCGzBmkZ5dHU5sJkoy0Wk=",
		"gw-a 2, gw-b 2, costs bob another key, admits bob, +1 ~0 -1 o0"},
	{"preempt: never", "preempt: 30s",
		"gw-a 0, gw-b 0, ~ virtual endpoint vpn: preempt never -> 30s\n+0 ~0 -0 o1"},
	/* The tunnel's own key: everybody in it. */
	{"X4LDvyoueTRbmD0krGvriprmvGdab5d0A/1K/Tgqpxw=", "jB7LCg7sjqzhC/8dr2tqKdkCGzBmkZ5dHU5sJkoy0Wk=",
		"gw-a 1, gw-b 1, costs alice the tunnel has another key, costs bob the tunnel has another "
		"key, "
		"costs site1 the tunnel has another key, +0 ~0 -0 o1"},
	/* Where they all dial. */
	{"listen_port: 51820", "listen_port: 51821",
		"gw-a 1, gw-b 1, costs alice the tunnel has another port, costs bob the tunnel has another "
		"port, "
		"costs site1 the tunnel has another port, +0 ~0 -0 o1"},
	/* On one of the gateways. */
	{"mtu: 1400", "mtu: 1400, listen_port: 51821",
		"gw-a 0, gw-b 1, costs alice the tunnel has another port, costs bob the tunnel has another "
		"port, "
		"costs site1 the tunnel has another port, +0 ~0 -0 o1"},
};

START_TEST(what_it_costs_and_whom_it_lets_in)
{
	check(read(two_gateways()), read(replace(two_gateways(), changes[_i].old, changes[_i].new)),
		changes[_i].expected);
}
END_TEST

/* Whoever is over is no peer of any gateway: it can only come back. */
static char *with_bob_over(void)
{
	return replace(two_gateways(), "psk/bob }", "psk/bob, expires: 2027-01-01 }");
}

START_TEST(who_is_expired_is_no_peer)
{
	const char *nothing = "gw-a 0, gw-b 0, +0 ~0 -0 o0";

	check(NULL, read(with_bob_over()), "gw-a new 4, gw-b new 4, admits alice, admits site1, +2 ~0 -0 o2");
	check(read(with_bob_over()), read(replace(two_gateways(), "psk/bob }", "psk/bob, disabled: true }")),
		nothing);
	check(read(with_bob_over()), read(replace(with_bob_over(), "psk/bob", "psk/bob2")), nothing);
	check(read(with_bob_over()), read(two_gateways()), "gw-a 1, gw-b 1, admits bob, +1 ~0 -0 o0");
	/* The tunnel's new key costs only those who are in it. */
	check(read(with_bob_over()),
		read(replace(with_bob_over(), "X4LDvyoueTRbmD0krGvriprmvGdab5d0A/1K/Tgqpxw=",
			"jB7LCg7sjqzhC/8dr2tqKdkCGzBmkZ5dHU5sJkoy0Wk=")),
		"gw-a 1, gw-b 1, costs alice the tunnel has another key, costs site1 the tunnel has another "
		"key, "
		"+0 ~0 -0 o1");
}
END_TEST

/* In the order of names, whatever the keys are and whatever is found first. */
START_TEST(what_it_costs_is_told_by_name)
{
	char *text = replace(two_gateways(), "listen_port: 51820", "listen_port: 51821");

	check(read(two_gateways()), read(replace(text, "psk/bob }", "psk/bob, disabled: true }")),
		"gw-a 2, gw-b 2, costs alice the tunnel has another port, costs bob removed, "
		"costs site1 the tunnel has another port, +0 ~0 -1 o1");
}
END_TEST

START_TEST(the_first_fleet)
{
	check(NULL, read(two_gateways()),
		"gw-a new 5, gw-b new 5, admits alice, admits bob, admits site1, +3 ~0 -0 o2");
}
END_TEST

START_TEST(a_gateway_leaves)
{
	char *text = replace(two_gateways(), "gateways: [gw-a, gw-b]", "gateways: [gw-a]");

	text = replace(text, "    overrides: { gw-b: { mtu: 1400 } }\n", "");
	text = replace(text,
		"  gw-b: { address: [10.9.0.12, \"2001:db8::12\"], interfaces: { wan: ens3, lan: ens4 } }\n",
		"");
	check(read(two_gateways()), read(text), "gw-a 1, gw-b leaves 5, +0 ~0 -0 o3");
}
END_TEST

START_TEST(only_so_many_lines_are_kept)
{
	struct fleet *fleet = read(two_gateways());
	struct fleet_plan plan;

	fleet_plan_make(NULL, fleet, NOW_S, 3, &plan);
	ck_assert_uint_eq(plan.gateways[0].count, 5);
	ck_assert_uint_eq(plan.gateways[0].shown, 3);
	ck_assert_str_eq(plan.gateways[0].lines,
		"+ tunnel wg0\n+ virtual endpoint vpn\n+ peer alice in wg0 [10.50.0.2/32, fd50::2/128]\n");
	fleet_plan_clear(&plan);
	fleet_plan_make(NULL, fleet, NOW_S, 0, &plan);
	ck_assert_uint_eq(plan.gateways[0].count, 5);
	ck_assert_str_eq(plan.gateways[0].lines, "");
	fleet_plan_clear(&plan);
	fleet_free(fleet);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tcase = tcase_create("plan");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, what_it_costs_and_whom_it_lets_in, 0, ARRAY_COUNT(changes));
	tcase_add_test(tcase, who_is_expired_is_no_peer);
	tcase_add_test(tcase, what_it_costs_is_told_by_name);
	tcase_add_test(tcase, the_first_fleet);
	tcase_add_test(tcase, a_gateway_leaves);
	tcase_add_test(tcase, only_so_many_lines_are_kept);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
