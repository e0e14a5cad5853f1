/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/access.h"
#include "controller/core/fleet/counts.h"
#include "tests/unit/fleet/sample.h"

static char *two_gateways(void)
{
	return sample_text("tests/unit/fleet/right/two-gateways.yaml");
}

/* Both gateways of a fleet. */
struct side {
	struct desired *gateways[2];
	struct access_side side;
};

static void compile(struct side *side, char *text)
{
	struct fleet *fleet;
	char *found = sample_read_text("fleet.yaml", text, &fleet);

	ck_assert_msg(fleet != NULL, "%s", found);
	side->gateways[0] = sample_compile(fleet, "gw-a");
	side->gateways[1] = sample_compile(fleet, "gw-b");
	side->side =
		(struct access_side){.gateways = (const struct desired *const *)side->gateways, .count = 2};
	fleet_free(fleet);
	free(found);
	free(text);
}

static void clear(struct side *side)
{
	desired_free(side->gateways[0]);
	desired_free(side->gateways[1]);
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

static void say(
	const struct desired_peer *from, const struct desired_peer *to, unsigned changes, void *context)
{
	static const char letters[] = "+-<>~"; /* by the bit of enum access_change */
	struct text *text = context;

	ck_assert_uint_ne(changes, 0);
	ck_assert((from == NULL) == (changes == ACCESS_ADMITTED));
	ck_assert((to == NULL) == (changes == ACCESS_REMOVED));
	text_add(text, "%s", to ? to->name : from->name);
	for (size_t i = 0; i < sizeof(letters) - 1; i++)
		if (changes >> i & 1)
			text_add(text, "%c", letters[i]);
	text_add(text, " ");
}

static void check_found(const struct access_side *from, const struct access_side *to, const char *expected)
{
	struct text text = {0};

	access_compare(from, to, say, &text);
	ck_assert_str_eq(text.data ? text.data : "", expected);
	text_clear(&text);
}

static void check(const struct access_side *from, const struct access_side *to, const char *expected)
{
	check_found(from, to, expected);
	ck_assert(access_narrows(from, to) == (strpbrk(expected, "-<") != NULL));
}

static const struct {
	const char *old, *new, *there, *back; /* what is found on the way there, and on the way back */
} changes[] = {
	{"fleet: edge", "fleet: rim", "", ""},
	{"mtu: 1400", "mtu: 1380", "", ""},
	{"preshared_key_file: psk/bob", "preshared_key_file: psk/bob, disabled: true", "bob- ", "bob+ "},
	{"bob: ", "robert: ", "robert~ ", "bob~ "},
	{"persistent_keepalive: 25", "persistent_keepalive: 5", "site1~ ", "site1~ "},
	{"10.50.0.3/32", "10.50.0.4/32", "bob<>~ ", "bob<>~ "},
	{"10.50.0.3/32", "10.50.1.0/24, 10.50.0.3/32", "bob>~ ", "bob<~ "},
	{"192.168.77.0/24", "192.168.77.0/25", "site1<~ ", "site1>~ "},
	{"192.168.77.0/24", "192.168.0.0/16", "site1>~ ", "site1<~ "},
	{", \"fd50::2/128\"", "", "alice<~ ", "alice>~ "},
	{", preshared_key_file: psk/bob", "", "bob>~ ", "bob<~ "},
	{"psk/bob", "psk/bob2", "bob<>~ ", "bob<>~ "},
	/* The same name with another key is another peer. */
	{"gbY32PzSxtpjWeaWMROhFw3nleS3JbhNHgtM/Z7FjOk=", "jB7LCg7sjqzhC/8dr2tqKdkCGzBmkZ5dHU5sJkoy0Wk=",
		"bob- bob+ ", "bob+ bob- "},
};

START_TEST(both_ways)
{
	struct side before, after;
	char *text = replace(two_gateways(), changes[_i].old, changes[_i].new);

	compile(&before, two_gateways());
	compile(&after, text);
	check(&before.side, &after.side, changes[_i].there);
	check(&after.side, &before.side, changes[_i].back);
	clear(&before);
	clear(&after);
}
END_TEST

/* What the groups of the peers let them reach, and until when: no session ends by it, but the floor rises. */
static const struct {
	const char *old, *new;
	bool narrows, back; /* on the way there, and on the way back */
} reaches[] = {
	{"staff: { may_reach: [192.168.1.0/24, ", "staff: { may_reach: [192.168.1.0/25, ", true, false},
	{"staff: { may_reach: [192.168.1.0/24, ", "staff: { may_reach: [192.168.0.0/16, ", false, true},
	{"192.168.1.0/24, \"fd01::/64\"", "192.168.1.0/24", true, false},
	{"may_reach: 192.168.9.9", "may_reach: []", true, false},
	{"may_reach: 192.168.9.9", "may_reach: 192.168.9.8", true, true},
	{"may_reach: 192.168.9.9", "may_reach: any", false, true},
	/* Nobody is in it. */
	{"parked: { may_reach: [] }", "parked: { may_reach: any }", false, false},
	{"groups: [staff, admin]", "groups: [staff]", true, false},
	{"groups: [staff, admin]", "groups: [admin]", false, false},
	/* Of both families everything is as much as of no group. */
	{"groups: [staff, admin]", "groups: []", false, false},
	{"groups: [staff, admin]", "groups: [parked]", true, false},
	{"groups: []", "groups: [contractors]", true, false},
	{"groups: contractors", "groups: [contractors, staff]", false, true},
	{"expires: 2027-03-31 }", "expires: 2027-03-30 }", true, false},
	{"groups: contractors, expires: 2027-03-31", "groups: contractors", false, true},
};

START_TEST(who_may_reach_less_is_narrowed)
{
	struct side before, after;

	compile(&before, sample_text("tests/unit/fleet/right/groups.yaml"));
	compile(&after,
		replace(sample_text("tests/unit/fleet/right/groups.yaml"), reaches[_i].old, reaches[_i].new));
	ck_assert_int_eq(access_narrows(&before.side, &after.side), reaches[_i].narrows);
	ck_assert_int_eq(access_narrows(&after.side, &before.side), reaches[_i].back);
	ck_assert(!access_narrows(&before.side, &before.side));
	clear(&before);
	clear(&after);
}
END_TEST

/* Whom a rollback lets reach more has to be named; who reaches less loses no session. */
START_TEST(who_may_reach_more_is_widened)
{
	struct side before, after;

	compile(&before, sample_text("tests/unit/fleet/right/groups.yaml"));
	compile(&after, replace(sample_text("tests/unit/fleet/right/groups.yaml"), "groups: [staff, admin]",
				"groups: [staff]"));
	check_found(&before.side, &after.side, "root~ root~ ");
	check_found(&after.side, &before.side, "root>~ root>~ ");
	clear(&before);
	clear(&after);
}
END_TEST

/* The peers are the same: what their group lets them reach is not. */
START_TEST(whose_group_grows_is_widened)
{
	struct side before, after;

	compile(&before, sample_text("tests/unit/fleet/right/groups.yaml"));
	compile(&after, replace(sample_text("tests/unit/fleet/right/groups.yaml"), "may_reach: 192.168.9.9",
				"may_reach: []"));
	check_found(&before.side, &after.side, "");
	check_found(&after.side, &before.side, "bob> ");
	clear(&before);
	clear(&after);
}
END_TEST

START_TEST(another_tunnel_is_another_peer)
{
	struct side before, after;

	compile(&before, two_gateways());
	compile(&after, replace(replace(two_gateways(), "tunnels: [wg0]", "tunnels: [wg1]"), "wg0:", "wg1:"));
	check(&before.side, &after.side, "alice- bob- site1- alice+ bob+ site1+ ");
	clear(&before);
	clear(&after);
}
END_TEST

START_TEST(from_nothing_and_to_nothing)
{
	const struct access_side nothing = {0};
	struct side side;

	compile(&side, two_gateways());
	check(&nothing, &side.side, "alice+ bob+ site1+ ");
	check(&side.side, &nothing, "alice- bob- site1- ");
	check(&nothing, &nothing, "");
	clear(&side);
}
END_TEST

START_TEST(a_gateway_more_changes_nobody)
{
	struct side side;
	struct access_side one;

	compile(&side, two_gateways());
	one = (struct access_side){.gateways = side.side.gateways, .count = 1};
	check(&one, &side.side, "");
	check(&side.side, &one, "");
	clear(&side);
}
END_TEST

enum { BOB_IS_OVER_S = 1800000000 }; /* 2027-01-15T08:00:00Z */

/* Without a time everybody is a peer: a gateway whose clock is wrong lets him in. */
START_TEST(who_is_expired_is_no_peer_at_a_time)
{
	struct side with, without;

	compile(&with, replace(two_gateways(), "psk/bob }", "psk/bob, expires: 2027-01-15T08:00:00Z }"));
	compile(&without, replace(two_gateways(), "psk/bob }", "psk/bob, disabled: true }"));
	check(&with.side, &without.side, "bob- ");
	with.side.now_s = without.side.now_s = BOB_IS_OVER_S - 1;
	check(&with.side, &without.side, "bob- ");
	with.side.now_s = without.side.now_s = BOB_IS_OVER_S;
	check(&with.side, &without.side, "");
	check(&without.side, &with.side, "");
	clear(&with);
	clear(&without);
}
END_TEST

static void check_counts(char *text, size_t added, size_t changed, size_t removed, size_t other)
{
	struct side before, after;
	struct fleet_counts counts;

	compile(&before, two_gateways());
	compile(&after, text);
	fleet_count(&before.side, &after.side, &counts);
	ck_assert_uint_eq(counts.added, added);
	ck_assert_uint_eq(counts.changed, changed);
	ck_assert_uint_eq(counts.removed, removed);
	ck_assert_uint_eq(counts.other, other);
	clear(&before);
	clear(&after);
}

START_TEST(each_change_counts_once)
{
	check_counts(two_gateways(), 0, 0, 0, 0);
	check_counts(replace(two_gateways(), "psk/bob", "psk/bob2"), 0, 1, 0, 0);
	check_counts(replace(two_gateways(), "psk/bob }", "psk/bob, disabled: true }"), 0, 0, 1, 0);
	check_counts(replace(two_gateways(), "gbY32PzSxtpjWeaWMROhFw3nleS3JbhNHgtM/Z7FjOk=",
			     "jB7LCg7sjqzhC/8dr2tqKdkCGzBmkZ5dHU5sJkoy0Wk="),
		1, 0, 1, 0);
	/* The same line on both gateways; another one on each. */
	check_counts(replace(two_gateways(), "listen_port: 51820", "listen_port: 51821"), 0, 0, 0, 1);
	check_counts(replace(two_gateways(), "liveness: 25ms", "liveness: 50ms"), 0, 0, 0, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access");
	TCase *tcase = tcase_create("access");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, both_ways, 0, ARRAY_COUNT(changes));
	tcase_add_loop_test(tcase, who_may_reach_less_is_narrowed, 0, ARRAY_COUNT(reaches));
	tcase_add_test(tcase, who_may_reach_more_is_widened);
	tcase_add_test(tcase, whose_group_grows_is_widened);
	tcase_add_test(tcase, another_tunnel_is_another_peer);
	tcase_add_test(tcase, from_nothing_and_to_nothing);
	tcase_add_test(tcase, a_gateway_more_changes_nobody);
	tcase_add_test(tcase, who_is_expired_is_no_peer_at_a_time);
	tcase_add_test(tcase, each_change_counts_once);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
