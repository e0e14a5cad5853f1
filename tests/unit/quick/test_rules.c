/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/quick/rules.h"

enum { OURS = 158, AGENT = 157, M = 51820, N = 51821 };

static struct quick_rule suppress(uint32_t priority, uint8_t protocol)
{
	return (struct quick_rule){
		.rule = {.family = 2, .priority = priority, .has_suppress = true, .table = 254},
		.protocol = protocol};
}

static struct quick_rule marked(uint32_t priority, uint32_t mark, uint8_t protocol)
{
	return (struct quick_rule){.rule = {.family = 2,
					   .priority = priority,
					   .invert = true,
					   .has_fwmark = true,
					   .fwmark = mark,
					   .table = mark},
		.protocol = protocol};
}

static struct quick_rule look_up(uint32_t priority, uint32_t table)
{
	return (struct quick_rule){.rule = {.family = 2, .priority = priority, .table = table}};
}

/* Where the pair of M is found, and where ours go; -1: not found. */
struct pair_case {
	const char *what;
	struct quick_rule rules[10];
	size_t count;
	int suppress, not_ours;
	struct quick_priorities ours;
};

static void check(const struct pair_case *c)
{
	struct quick_pair pair = quick_find_pair(c->rules, c->count, M);
	struct quick_priorities got = {0};

	ck_assert_msg(
		(pair.suppress ? pair.suppress - c->rules : -1) == c->suppress, "%s: suppress", c->what);
	ck_assert_msg(
		(pair.not_ours ? pair.not_ours - c->rules : -1) == c->not_ours, "%s: not ours", c->what);
	ck_assert_int_eq(quick_replace_priorities(c->rules, c->count, &pair, &got, NULL), 0);
	ck_assert_msg(got.suppress == c->ours.suppress && got.not_ours == c->ours.not_ours, "%s: %u %u",
		c->what, got.suppress, got.not_ours);
}

START_TEST(a_pair_is_told_by_mark_and_order)
{
	struct quick_rule narrow = suppress(32764, 0);
	narrow.narrow = true;
	const struct pair_case cases[] = {
		{"alone", {look_up(0, 255), suppress(32764, 0), marked(32765, M, 0), look_up(32766, 254)}, 4,
			1, 2, {32764, 32765}},
		{"before another tunnel",
			{look_up(0, 255), suppress(32762, 0), marked(32763, M, 0), suppress(32764, 0),
				marked(32765, N, 0), look_up(32766, 254)},
			6, 1, 2, {32762, 32763}},
		{"after another tunnel",
			{look_up(0, 255), suppress(32762, 0), marked(32763, N, 0), suppress(32764, 0),
				marked(32765, M, 0), look_up(32766, 254)},
			6, 3, 4, {32764, 32765}},
		{"another tunnel's `down` took all that suppress",
			{look_up(0, 255), marked(32763, N, 0), marked(32765, M, 0), look_up(32766, 254)}, 4,
			-1, 2, {32764, 32765}},
		{"all at 0, reversed",
			{look_up(0, 255), look_up(0, 99), marked(0, N, 0), suppress(0, 0), marked(0, M, 0),
				suppress(0, 0), look_up(32766, 254)},
			7, 5, 4, {32764, 32765}},
		{"ours already",
			{look_up(0, 255), suppress(32764, OURS), marked(32765, M, OURS), look_up(32766, 254)},
			4, 1, 2, {32764, 32765}},
		{"the agent's",
			{look_up(0, 255), suppress(32764, AGENT), marked(32765, M, AGENT),
				look_up(32766, 254)},
			4, -1, -1, {32762, 32763}},
		{"of one source only", {look_up(0, 255), narrow, marked(32765, M, 0), look_up(32766, 254)}, 4,
			-1, 2, {32764, 32765}},
		{"none", {look_up(0, 255), look_up(32766, 254)}, 2, -1, -1, {32764, 32765}},
		{"nothing at all", {look_up(0, 0)}, 0, -1, -1, {32764, 32765}},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		check(&cases[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quick-rules");
	TCase *tcase = tcase_create("rules");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, a_pair_is_told_by_mark_and_order);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
