/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/firewall/reach.h"

/* Peers have addresses 10.0.0.x, groups may reach addresses 10.1.0.x; both tunnels have the same networks. */
enum { TRIALS = 200, PEERS_MAX = 12, SPACE = 32, SHORTEST = 27, TUNNELS = 2 };

static const char *const tunnels[TUNNELS] = {"wg0", "wg1"};
static const char *const groups[] = {"admin", "staff", "vendor"};

static struct prefix some_prefix(uint8_t net)
{
	struct prefix prefix = {.addr = {.family = AF_INET, .bytes = {10, net, 0, (uint8_t)(rand() % SPACE)}},
		.length = (uint8_t)(SHORTEST + rand() % (33 - SHORTEST))};

	return prefix_mask(&prefix);
}

static char *some_groups(void)
{
	struct text text = {0};

	for (size_t i = 0; i < ARRAY_COUNT(groups); i++)
		if (rand() % 3 == 0)
			text_add(&text, "%s%s", text.length ? "," : "", groups[i]);
	return text.length ? text_take(&text) : NULL;
}

static void add_groups(struct desired *desired)
{
	desired->groups = mem_new(ARRAY_COUNT(groups), sizeof(*desired->groups));
	for (size_t i = 0; i < ARRAY_COUNT(groups); i++) {
		struct desired_group *group = &desired->groups[desired->group_count++];

		(void)text_copy(group->name, sizeof(group->name), groups[i]);
		group->may_reach = mem_new(1, sizeof(*group->may_reach));
		group->may_reach_count = 1;
		group->may_reach[0] = some_prefix(1);
	}
}

static void add_peers(struct desired *desired, const char *tunnel, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct desired_peer *peer = &desired->peers[desired->peer_count++];

		(void)text_copy(peer->tunnel, sizeof(peer->tunnel), tunnel);
		peer->public_key.bytes[0] = (uint8_t)i;
		peer->groups = some_groups();
		peer->allowed_ips = mem_new(1, sizeof(*peer->allowed_ips));
		peer->allowed_ip_count = 1;
		peer->allowed_ips[0] = some_prefix(0);
	}
}

static struct reach *some_reach(void)
{
	struct desired *desired = desired_new();
	struct reach *reach;
	struct err err = {0};

	desired->tunnels = mem_new(TUNNELS, sizeof(*desired->tunnels));
	desired->peers = mem_new(TUNNELS * PEERS_MAX, sizeof(*desired->peers));
	add_groups(desired);
	for (size_t i = 0; i < TUNNELS; i++) {
		(void)text_copy(desired->tunnels[i].name, sizeof(desired->tunnels[i].name), tunnels[i]);
		desired->tunnel_count++;
		add_peers(desired, tunnels[i], (size_t)rand() % PEERS_MAX);
	}
	ck_assert_msg(reach_from_desired(desired, &reach, &err) == 0, "%s", err.text);
	desired_free(desired);
	return reach;
}

static bool has(const struct reach_set *set, const struct addr *addr)
{
	for (size_t i = 0; i < set->count; i++)
		if (addr_compare(&set->ranges[i].first, addr) <= 0 &&
			addr_compare(addr, &set->ranges[i].last) <= 0)
			return true;
	return false;
}

enum verdict { UNRESTRICTED, DROPS, ACCEPTS };

static enum verdict judge(
	const struct reach *reach, const char *tunnel, const struct addr *from, const struct addr *to)
{
	enum verdict verdict = UNRESTRICTED;

	for (size_t i = 0; i < reach->set_count; i++) {
		const struct reach_set *set = &reach->sets[i];

		if (strcmp(set->tunnel, tunnel) != 0 || !has(set, from))
			continue;
		if (has(&reach->sets[set->to], to))
			return ACCEPTS;
		verdict = DROPS;
	}
	return verdict;
}

/* Ranges rise and do not touch, or the kernel would refuse them. */
static void check_order(const struct reach *reach)
{
	for (size_t i = 0; i < reach->set_count; i++)
		for (size_t j = 1; j < reach->sets[i].count; j++)
			ck_assert_int_lt(addr_compare(&reach->sets[i].ranges[j - 1].last,
						 &reach->sets[i].ranges[j].first),
				0);
}

/* Whoever is restricted afterwards is so as he will be; who was and will not be is restricted still. */
static bool is_between(enum verdict old, enum verdict new, enum verdict now)
{
	if (new != UNRESTRICTED)
		return now == new;
	return (now == UNRESTRICTED) == (old == UNRESTRICTED);
}

static void check_between(const struct reach *from, const struct reach *to, const struct reach *between)
{
	for (size_t t = 0; t < TUNNELS; t++) {
		for (size_t i = 0; i < SPACE * SPACE; i++) {
			struct addr source = {.family = AF_INET, .bytes = {10, 0, 0, (uint8_t)(i % SPACE)}};
			struct addr target = {.family = AF_INET, .bytes = {10, 1, 0, (uint8_t)(i / SPACE)}};
			enum verdict old = judge(from, tunnels[t], &source, &target);
			enum verdict new = judge(to, tunnels[t], &source, &target);
			enum verdict now = judge(between, tunnels[t], &source, &target);

			if (!is_between(old, new, now)) /* an assertion costs more than all of it */
				ck_abort_msg("%s: 10.0.0.%zu to 10.1.0.%zu: %d, between %d and %d",
					tunnels[t], i % SPACE, i / SPACE, now, old, new);
		}
	}
}

/* A group that is there before and after lets reach what it will. */
START_TEST(who_leaves_is_in_bounds_until_he_has)
{
	size_t kept = 0;

	srand(1);
	for (int trial = 0; trial < TRIALS; trial++) {
		struct reach *from = some_reach(), *to = some_reach();
		struct reach *between = reach_between(from, to), *again;

		check_between(from, to, between ? between : to);
		if (between) {
			kept++;
			check_order(between);
			again = reach_between(between, to);
			ck_assert(again && reach_same_rules(between, again));
			check_between(between, to, again);
			reach_free(again);
		}
		ck_assert_ptr_null(reach_between(to, to));
		reach_free(from);
		reach_free(to);
		reach_free(between);
	}
	ck_assert_uint_gt(kept, TRIALS / 2);
}
END_TEST

static struct reach *reach_of(const char *tunnel, const char *group, const char *allowed_ip)
{
	struct desired *desired = desired_new();
	struct reach *reach;

	desired->tunnels = mem_new(1, sizeof(*desired->tunnels));
	desired->tunnel_count = 1;
	(void)text_copy(desired->tunnels[0].name, sizeof(desired->tunnels[0].name), tunnel);
	add_groups(desired);
	desired->peers = mem_new(1, sizeof(*desired->peers));
	add_peers(desired, tunnel, 1);
	free(desired->peers[0].groups);
	desired->peers[0].groups = mem_text(group);
	ck_assert_int_eq(prefix_parse(allowed_ip, desired->peers[0].allowed_ips, NULL), 0);
	ck_assert_int_eq(reach_from_desired(desired, &reach, NULL), 0);
	desired_free(desired);
	return reach;
}

static const struct reach_set *find(const struct reach *reach, const char *name)
{
	for (size_t i = 0; i < reach->set_count; i++)
		if (!strcmp(reach->sets[i].name, name))
			return &reach->sets[i];
	return NULL;
}

/* The last of a group and a tunnel takes their sets and rules with it, but not before. */
START_TEST(the_rules_of_the_last_one_stay_with_it)
{
	struct reach *from = reach_of("wg0", "staff", "::/0"), *to = reach_of("wg1", "admin", "10.0.0.7/32");
	struct reach *between = reach_between(from, to);
	const struct reach_set *left;

	ck_assert_ptr_nonnull(between);
	left = find(between, "from6.wg0.staff");
	ck_assert_ptr_nonnull(left);
	ck_assert_uint_eq(left->count, 1);
	ck_assert_str_eq(left->tunnel, "wg0");
	ck_assert_str_eq(between->sets[left->to].name, "to6.staff");
	ck_assert_ptr_nonnull(find(between, "from4.wg1.admin"));
	/* Nobody of IPv4 leaves. */
	ck_assert_ptr_null(find(between, "from4.wg0.staff"));
	/* Established; accept and drop for each of wg1's two sets, and for the one that is left. */
	ck_assert_uint_eq(between->rules->tables[0].chains[0].count, 1 + 2 * 3);
	reach_free(from);
	reach_free(to);
	reach_free(between);
}
END_TEST

START_TEST(a_peer_without_groups_takes_the_table_with_it)
{
	struct reach *from = reach_of("wg0", "staff", "10.0.0.0/30"),
		     *to = reach_of("wg0", NULL, "10.0.0.0/30");
	struct reach *between = reach_between(from, to);

	ck_assert_uint_eq(to->rules->count, 0);
	ck_assert_ptr_nonnull(between);
	ck_assert_uint_eq(between->rules->count, 1);
	ck_assert_uint_eq(find(between, "from4.wg0.staff")->ranges[0].last.bytes[3], 3);
	ck_assert_ptr_null(reach_between(to, from));
	reach_free(from);
	reach_free(to);
	reach_free(between);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reach");
	TCase *tcase = tcase_create("reach");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, who_leaves_is_in_bounds_until_he_has);
	tcase_add_test(tcase, the_rules_of_the_last_one_stay_with_it);
	tcase_add_test(tcase, a_peer_without_groups_takes_the_table_with_it);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
