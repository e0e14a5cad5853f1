/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/firewall/reach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/firewall/range.h"
#include "node-agent/core/firewall/reach_int.h"

enum { HASH_DIGITS = 8 };

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

/* Sorted by prefix: one that lies in another comes right after it, and is in it already. */
static void fill_to(struct reach_set *set, const struct desired_group *group, uint8_t family)
{
	for (size_t i = 0; i < group->may_reach_count; i++) {
		const struct prefix *prefix = &group->may_reach[i];
		struct addr last = range_last(prefix);

		if (prefix->addr.family == family)
			reach_add_range(set, &prefix->addr, &last);
	}
}

static struct reach_set *add_set(
	struct maker *maker, size_t family, const char *kind, const char *tunnel, const char *group)
{
	char kind_of_family[16], name[FW_NAME_MAX + 1];

	(void)snprintf(kind_of_family, sizeof(kind_of_family), "%s%c", kind, family ? '6' : '4');
	name_set(name, kind_of_family, tunnel, group);
	return reach_add_set(maker->reach, name, family ? FW_KEY_IPV6 : FW_KEY_IPV4);
}

static size_t add_to(struct maker *maker, size_t family, const struct desired_group *group)
{
	fill_to(add_set(maker, family, "to", "", group->name), group, families[family]);
	return maker->reach->set_count - 1;
}

static size_t add_from(struct maker *maker, size_t family, const struct pair *pair)
{
	struct reach_set *set = add_set(maker, family, "from", pair->tunnel, pair->group->name);

	(void)text_copy(set->tunnel, sizeof(set->tunnel), pair->tunnel);
	set->to = maker->to[family][pair->group - maker->desired->groups];
	return maker->reach->set_count - 1;
}

/* ---- who is in what ---- */

static struct pair *pairs_of(const struct maker *maker, size_t tunnel)
{
	return &maker->pairs[tunnel * maker->desired->group_count];
}

static void join(const struct maker *maker, size_t tunnel, const struct desired_peer *peer)
{
	struct pair *pairs = pairs_of(maker, tunnel);

	for (size_t g = 0; g < maker->desired->group_count; g++)
		pairs[g].joined |= desired_peer_is_in(peer, maker->desired->groups[g].name);
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
				join(maker, t, &desired->peers[first + i]);
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
		if (pairs[g].joined && desired_peer_is_in(peer, pairs[g].group->name))
			reach_add_range(&maker->reach->sets[pairs[g].from[maker->family]], first, last);
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

/* ---- all of it ---- */

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

	reach_add_table(maker->reach);
	for (size_t f = 0; f < ARRAY_COUNT(families); f++) {
		for (size_t g = 0; g < desired->group_count; g++)
			maker->to[f][g] = add_to(maker, f, &desired->groups[g]);
		for (size_t i = 0; i < maker->pair_count; i++) {
			struct pair *pair = &maker->pairs[i];

			if (pair->joined)
				pair->from[f] = add_from(maker, f, pair);
		}
		for (size_t t = 0; t < desired->tunnel_count; t++)
			fill_from(maker, t, f);
	}
	reach_add_rules(maker->reach);
}

int reach_from_desired(const struct desired *desired, struct reach **ret_reach, struct err *err)
{
	struct maker maker = {.desired = desired, .reach = reach_new()};
	int r;

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
