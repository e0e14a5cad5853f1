/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/firewall/reach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/firewall/compose.h"
#include "node-agent/core/firewall/range.h"

enum { PRIORITY_FORWARD = 0, HASH_DIGITS = 8 };

/* FNV-1a. */
enum { HASH_START = 0x811c9dc5, HASH_FACTOR = 16777619 };

static const uint8_t families[] = {AF_INET, AF_INET6};

/* Peers of one tunnel that are in one group. */
struct pair {
	const char *tunnel;
	const struct desired_group *group;
	size_t from[ARRAY_COUNT(families)]; /* its sets */
	bool joined;                        /* by a peer */
};

struct maker {
	const struct desired *desired;
	struct reach *reach;
	size_t pair_count; /* groups of a tunnel, tunnel by tunnel */
	struct pair *pairs;
	size_t *to[ARRAY_COUNT(families)]; /* by group: its set */
	size_t tunnel, family;             /* being flattened */
};

static bool is_member(const char *groups, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = groups; at;) {
		size_t end = strcspn(at, ",");

		if (end == length && !strncmp(at, name, length))
			return true;
		at = at[end] ? at + end + 1 : NULL;
	}
	return false;
}

static uint32_t hash_of(const char *tunnel, const char *group)
{
	uint32_t hash = (uint32_t)HASH_START;

	for (; *tunnel; tunnel++)
		hash = (hash ^ (uint8_t)*tunnel) * HASH_FACTOR;
	for (hash *= HASH_FACTOR; *group; group++)
		hash = (hash ^ (uint8_t)*group) * HASH_FACTOR;
	return hash;
}

/* As long names as FW_NAME_MAX allows, the rest told apart by a hash of the whole. */
static void name_set(char name[FW_NAME_MAX + 1], const char *kind, const char *tunnel, const char *group)
{
	char whole[PROTO_INTERFACE_MAX + PROTO_NAME_MAX + 16];
	int length = snprintf(whole, sizeof(whole), "%s.%s%s%s", kind, tunnel, tunnel[0] ? "." : "", group);

	if (length <= FW_NAME_MAX)
		(void)text_copy(name, FW_NAME_MAX + 1, whole);
	else
		(void)snprintf(name, FW_NAME_MAX + 1, "%.*s_%08x", FW_NAME_MAX - HASH_DIGITS - 1, whole,
			hash_of(tunnel, group));
}

static size_t add_set(
	struct maker *maker, size_t family, const char *kind, const char *tunnel, const char *group)
{
	struct reach *reach = maker->reach;
	struct reach_set *set = &reach->sets[reach->set_count];
	char name[16];

	(void)snprintf(name, sizeof(name), "%s%c", kind, family ? '6' : '4');
	set->key = family ? FW_KEY_IPV6 : FW_KEY_IPV4;
	name_set(set->name, name, tunnel, group);
	fw_add_interval_set(&reach->rules->tables[0], set->name, set->key);
	return reach->set_count++;
}

/* Rising, as they come; what touches is one range. */
static void add_range(struct reach_set *set, const struct addr *first, const struct addr *last)
{
	if (set->count) {
		struct reach_range *before = &set->ranges[set->count - 1];
		struct addr next = before->last;

		if (!range_next(&next) || addr_compare(first, &next) <= 0) {
			if (addr_compare(last, &before->last) > 0)
				before->last = *last;
			return;
		}
	}
	set->ranges = mem_grow(set->ranges, &set->capacity, set->count + 1, sizeof(*set->ranges));
	set->ranges[set->count++] = (struct reach_range){*first, *last};
}

/* ---- who is in what ---- */

static struct pair *pairs_of(const struct maker *maker, size_t tunnel)
{
	return &maker->pairs[tunnel * maker->desired->group_count];
}

static void join(const struct maker *maker, size_t tunnel, const char *groups)
{
	struct pair *pairs = pairs_of(maker, tunnel);

	for (size_t g = 0; g < maker->desired->group_count; g++)
		pairs[g].joined |= is_member(groups, maker->desired->groups[g].name);
}

/* Peers are sorted by tunnel. */
static size_t peers_of(const struct desired *desired, const char *tunnel, size_t *ret_first)
{
	size_t first = 0, end;

	while (first < desired->peer_count && strcmp(desired->peers[first].tunnel, tunnel) != 0)
		first++;
	for (end = first; end < desired->peer_count && !strcmp(desired->peers[end].tunnel, tunnel);)
		end++;
	*ret_first = first;
	return end - first;
}

static void join_all(struct maker *maker)
{
	const struct desired *desired = maker->desired;

	for (size_t t = 0; t < desired->tunnel_count; t++) {
		size_t first, count = peers_of(desired, desired->tunnels[t].name, &first);

		for (size_t g = 0; g < desired->group_count; g++)
			pairs_of(maker, t)[g] = (struct pair){
				.tunnel = desired->tunnels[t].name, .group = &desired->groups[g]};
		for (size_t i = 0; i < count; i++) {
			if (desired->peers[first + i].groups)
				join(maker, t, desired->peers[first + i].groups);
		}
	}
	for (size_t i = 0; i < maker->pair_count; i++)
		if (maker->pairs[i].joined)
			return;
	maker->pair_count = 0;
}

/* ---- elements ---- */

static void tell(const struct addr *first, const struct addr *last, const void *whose, void *context)
{
	struct maker *maker = context;
	const struct desired_peer *peer = whose;
	struct pair *pairs = pairs_of(maker, maker->tunnel);

	for (size_t g = 0; peer->groups && g < maker->desired->group_count; g++) {
		if (pairs[g].joined && is_member(peer->groups, pairs[g].group->name))
			add_range(&maker->reach->sets[pairs[g].from[maker->family]], first, last);
	}
}

static void fill_from(struct maker *maker, size_t tunnel, size_t family)
{
	const struct desired *desired = maker->desired;
	size_t first, peers = peers_of(desired, desired->tunnels[tunnel].name, &first), count = 0,
		      capacity = 0;
	struct range_claim *claims = NULL;

	for (size_t p = first; p < first + peers; p++) {
		const struct desired_peer *peer = &desired->peers[p];

		for (size_t i = 0; i < peer->allowed_ip_count; i++) {
			if (peer->allowed_ips[i].addr.family != families[family])
				continue;
			claims = mem_grow(claims, &capacity, count + 1, sizeof(*claims));
			claims[count++] = (struct range_claim){peer->allowed_ips[i], peer};
		}
	}
	maker->tunnel = tunnel;
	maker->family = family;
	range_flatten(claims, count, tell, maker);
	free(claims);
}

/* Sorted by prefix: one that lies in another comes right after it, and is in it already. */
static void fill_to(struct reach_set *set, const struct desired_group *group, uint8_t family)
{
	for (size_t i = 0; i < group->may_reach_count; i++) {
		const struct prefix *prefix = &group->may_reach[i];
		struct addr last = range_last(prefix);

		if (prefix->addr.family == family)
			add_range(set, &prefix->addr, &last);
	}
}

/* ---- rules ---- */

static struct fw_rule *add_from(
	struct maker *maker, struct fw_chain *chain, const struct pair *pair, size_t family)
{
	static const struct addr any[] = {{.family = AF_INET}, {.family = AF_INET6}};
	struct fw_rule *rule = fw_add_rule(chain);

	rule_iifname(rule, FW_EQUAL, pair->tunnel);
	rule_nfproto(rule, families[family]);
	rule_ip_in(rule, FW_SOURCE, &any[family], maker->reach->sets[pair->from[family]].name);
	return rule;
}

static void add_accept(struct maker *maker, struct fw_chain *chain, const struct pair *pair, size_t family)
{
	static const struct addr any[] = {{.family = AF_INET}, {.family = AF_INET6}};
	size_t group = (size_t)(pair->group - maker->desired->groups);
	struct fw_rule *rule = add_from(maker, chain, pair, family);

	rule_ip_in(rule, FW_DESTINATION, &any[family], maker->reach->sets[maker->to[family][group]].name);
	rule_accept(rule);
}

static void add_rules(struct maker *maker)
{
	struct fw_chain *chain = fw_add_chain(
		&maker->reach->rules->tables[0], "forward", FW_FILTER, FW_FORWARD, PRIORITY_FORWARD);
	struct fw_rule *established = fw_add_rule(chain);

	rule_established(established);
	rule_accept(established);
	for (size_t i = 0; i < maker->pair_count; i++)
		for (size_t f = 0; maker->pairs[i].joined && f < ARRAY_COUNT(families); f++)
			add_accept(maker, chain, &maker->pairs[i], f);
	for (size_t i = 0; i < maker->pair_count; i++)
		for (size_t f = 0; maker->pairs[i].joined && f < ARRAY_COUNT(families); f++)
			rule_count_and_drop(add_from(maker, chain, &maker->pairs[i], f));
}

static int check(const struct maker *maker, struct err *err)
{
	size_t joined = 0;

	for (size_t i = 0; i < maker->pair_count; i++)
		joined += maker->pairs[i].joined;
	if (joined > REACH_PAIRS_MAX)
		return err_set(err, -EINVAL, "%zu pairs of tunnel and group are too many: at most %d", joined,
			REACH_PAIRS_MAX);
	return 0;
}

/* Two sets of one name would be one to the kernel. */
static int check_names(const struct reach *reach, struct err *err)
{
	for (size_t i = 0; i < reach->set_count; i++)
		for (size_t j = 0; j < i; j++)
			if (!strcmp(reach->sets[i].name, reach->sets[j].name))
				return err_set(err, -EINVAL,
					"the names of two groups are too long to be told apart as %s: "
					"shorten one",
					reach->sets[i].name);
	return 0;
}

static void make(struct maker *maker)
{
	const struct desired *desired = maker->desired;

	fw_add_table(maker->reach->rules, FW_INET, FW_GROUPS_TABLE);
	for (size_t f = 0; f < ARRAY_COUNT(families); f++) {
		for (size_t g = 0; g < desired->group_count; g++) {
			maker->to[f][g] = add_set(maker, f, "to", "", desired->groups[g].name);
			fill_to(&maker->reach->sets[maker->to[f][g]], &desired->groups[g], families[f]);
		}
		for (size_t i = 0; i < maker->pair_count; i++) {
			struct pair *pair = &maker->pairs[i];

			if (pair->joined)
				pair->from[f] = add_set(maker, f, "from", pair->tunnel, pair->group->name);
		}
		for (size_t t = 0; t < desired->tunnel_count; t++)
			fill_from(maker, t, f);
	}
	add_rules(maker);
}

int reach_from_desired(const struct desired *desired, struct reach **ret_reach, struct err *err)
{
	struct maker maker = {.desired = desired, .reach = mem_new(1, sizeof(struct reach))};
	int r;

	maker.reach->rules = mem_new(1, sizeof(*maker.reach->rules));
	(void)text_copy(maker.reach->rules->scope, sizeof(maker.reach->rules->scope), "groups");
	maker.reach->sets = mem_new(REACH_SETS_MAX, sizeof(*maker.reach->sets));
	maker.pair_count = desired->tunnel_count * desired->group_count;
	maker.pairs = mem_new(maker.pair_count, sizeof(*maker.pairs));
	for (size_t f = 0; f < ARRAY_COUNT(families); f++)
		maker.to[f] = mem_new(desired->group_count, sizeof(*maker.to[f]));
	join_all(&maker);
	r = check(&maker, err);
	if (!r && maker.pair_count) {
		make(&maker);
		r = check_names(maker.reach, err);
	}
	for (size_t f = 0; f < ARRAY_COUNT(families); f++)
		free(maker.to[f]);
	free(maker.pairs);
	if (r)
		reach_free(maker.reach);
	else
		*ret_reach = maker.reach;
	return r;
}

void reach_free(struct reach *reach)
{
	if (!reach)
		return;
	for (size_t i = 0; i < reach->set_count; i++)
		free(reach->sets[i].ranges);
	free(reach->sets);
	fw_ruleset_free(reach->rules);
	free(reach);
}

/* Tunnels and groups give names to sets, and the sets give the rules. */
bool reach_same_rules(const struct reach *a, const struct reach *b)
{
	if (a->set_count != b->set_count)
		return false;
	for (size_t i = 0; i < a->set_count; i++)
		if (strcmp(a->sets[i].name, b->sets[i].name) != 0)
			return false;
	return true;
}
