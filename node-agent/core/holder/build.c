/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/prefix_tree.h"
#include "node-agent/core/holder/internal.h"

/* A claim in the order in which rivals are neighbours. */
struct entry {
	const struct desired_peer *peer;
	const struct desired_share *share;
	size_t claim;
};

/* Where they compete: a routing table, or a tunnel. */
static int compare_rooms(const struct entry *a, const struct entry *b)
{
	if (a->share->table != b->share->table)
		return a->share->table < b->share->table ? -1 : 1;
	return a->share->table ? 0 : strcmp(a->peer->tunnel, b->peer->tunnel);
}

static int compare_rivals(const struct entry *a, const struct entry *b)
{
	int order = compare_rooms(a, b);

	if (!order)
		order = prefix_compare(&a->share->prefix, &b->share->prefix);
	if (!order)
		order = (a->peer->route_metric > b->peer->route_metric) -
			(a->peer->route_metric < b->peer->route_metric);
	return order;
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = compare_rivals(a, b);

	if (!order)
		order = (a->share->priority < b->share->priority) - (a->share->priority > b->share->priority);
	return order ? order : desired_peer_compare(a->peer, b->peer);
}

/* ---- peers and claims ---- */

/* The narrowest of its prefixes around the probe: does nobody else lay claim to that? */
static bool has_own_way(const struct desired_peer *peer, const struct addr *probe)
{
	const struct prefix *narrowest = NULL;

	for (size_t i = 0; i < peer->allowed_ip_count; i++)
		if (prefix_contains(&peer->allowed_ips[i], probe) &&
			(!narrowest || peer->allowed_ips[i].length > narrowest->length))
			narrowest = &peer->allowed_ips[i];
	for (size_t i = 0; narrowest && i < peer->share_count; i++)
		if (prefix_equal(&peer->shares[i].prefix, narrowest))
			return false;
	return narrowest;
}

static void make_claims(struct holder *holder, struct holder_peer *peer, uint32_t random, int64_t now_ms)
{
	static const struct check_rule rule = {.every_ms = HOLDER_PROBE_EVERY_MS,
		.timeout_ms = HOLDER_PROBE_TIMEOUT_MS,
		.fall = HOLDER_PROBE_FALL,
		.rise = HOLDER_PROBE_RISE};

	peer->first = holder->claim_count;
	peer->count = peer->desired->share_count;
	for (size_t i = 0; i < peer->count; i++) {
		struct holder_claim *claim = &holder->claims[holder->claim_count++];

		claim->peer = (size_t)(peer - holder->peers);
		claim->share = &peer->desired->shares[i];
		claim->own_way = has_own_way(peer->desired, &claim->share->probe);
		claim->lives_ms = claim->down_ms = HOLDER_NEVER;
		check_init(&claim->probe, &rule, random + (uint32_t)holder->claim_count * 97, now_ms);
	}
}

static void make_peers(struct holder *holder, const struct desired *desired, uint32_t random, int64_t now_ms)
{
	size_t claims = 0, peers = 0;

	for (size_t i = 0; i < desired->peer_count; i++) {
		claims += desired->peers[i].share_count;
		peers += desired->peers[i].share_count > 0;
	}
	holder->peers = mem_new(peers + 1, sizeof(*holder->peers));
	holder->claims = mem_new(claims + 1, sizeof(*holder->claims));
	for (size_t i = 0; i < desired->peer_count; i++) {
		struct holder_peer *peer = &holder->peers[holder->peer_count];

		if (!desired->peers[i].share_count)
			continue;
		holder->peer_count++;
		peer->desired = &desired->peers[i];
		peer->handshake_ms = HOLDER_NEVER;
		make_claims(holder, peer, random, now_ms);
	}
}

/* ---- prefixes and candidates ---- */

static bool is_candidate(const struct holder *holder, const struct holder_prefix *prefix, size_t peer)
{
	for (size_t i = 0; i < prefix->candidate_count; i++)
		if (holder->claims[prefix->candidates[i]].peer == peer)
			return true;
	return false;
}

static void add_candidate(const struct holder *holder, struct holder_prefix *prefix, size_t claim)
{
	if (prefix->candidate_count < PROTO_SHARERS_MAX &&
		!is_candidate(holder, prefix, holder->claims[claim].peer))
		prefix->candidates[prefix->candidate_count++] = (uint32_t)claim;
}

/* A tunnel where the prefix has another peer, which routes it by another metric, has it already. */
static bool is_taken(const struct entry *room, size_t count, size_t index, const char *tunnel)
{
	size_t first = index;

	while (first && prefix_equal(&room[first - 1].share->prefix, &room[index].share->prefix))
		first--;
	for (size_t i = first; i < count && prefix_equal(&room[i].share->prefix, &room[index].share->prefix);
		i++)
		if (compare_rivals(&room[i], &room[index]) && !strcmp(room[i].peer->tunnel, tunnel))
			return true;
	return false;
}

static void add_around(const struct holder *holder, struct holder_prefix *prefix, const struct entry *room,
	const struct prefix *sorted, const size_t *parents, size_t count, size_t index)
{
	for (size_t around = parents[index];
		around != PREFIX_TREE_ROOT && prefix->candidate_count < PROTO_SHARERS_MAX;
		around = parents[around])
		for (size_t i = around; i < count && i < around + PROTO_SHARERS_MAX &&
					prefix_equal(&sorted[i], &sorted[around]);
			i++)
			if (!is_taken(room, count, index, room[i].peer->tunnel))
				add_candidate(holder, prefix, room[i].claim);
}

/* One run of rivals; returns how many they are. */
static size_t make_prefix(struct holder *holder, const struct entry *room, const struct prefix *sorted,
	const size_t *parents, size_t count, size_t first)
{
	struct holder_prefix *prefix = &holder->prefixes[holder->prefix_count];
	size_t next = first;

	prefix->prefix = sorted[first];
	prefix->metric = room[first].peer->route_metric;
	prefix->since_ms = HOLDER_NEVER;
	while (next < count && !compare_rivals(&room[first], &room[next])) {
		holder->claims[room[next].claim].prefix = holder->prefix_count;
		add_candidate(holder, prefix, room[next++].claim);
	}
	add_around(holder, prefix, room, sorted, parents, count, first);
	holder->prefix_count++;
	return next - first;
}

static void make_room(struct holder *holder, const struct entry *room, size_t count)
{
	struct prefix *sorted = mem_new(count, sizeof(*sorted));
	size_t *parents = mem_new(count, sizeof(*parents));

	for (size_t i = 0; i < count; i++)
		sorted[i] = room[i].share->prefix;
	prefix_tree_parents(sorted, count, parents);
	for (size_t i = 0; i < count;)
		i += make_prefix(holder, room, sorted, parents, count, i);
	free(sorted);
	free(parents);
}

static void make_prefixes(struct holder *holder)
{
	struct entry *entries = mem_new(holder->claim_count + 1, sizeof(*entries));
	size_t next;

	holder->prefixes = mem_new(holder->claim_count + 1, sizeof(*holder->prefixes));
	for (size_t i = 0; i < holder->claim_count; i++) {
		const struct holder_claim *claim = &holder->claims[i];

		entries[i] = (struct entry){holder->peers[claim->peer].desired, claim->share, i};
	}
	if (holder->claim_count)
		qsort(entries, holder->claim_count, sizeof(*entries), compare_entries);
	for (size_t first = 0; first < holder->claim_count; first = next) {
		next = first + 1;
		while (next < holder->claim_count && !compare_rooms(&entries[first], &entries[next]))
			next++;
		make_room(holder, &entries[first], next - first);
	}
	free(entries);
}

/* ---- what goes on ---- */

size_t holder_find_claim(const struct holder *holder, size_t peer, const struct prefix *prefix)
{
	for (size_t i = 0; i < holder->peers[peer].count; i++)
		if (prefix_equal(&holder->claims[holder->peers[peer].first + i].share->prefix, prefix))
			return holder->peers[peer].first + i;
	return HOLDER_NONE;
}

static void keep_claim(struct holder_claim *claim, const struct holder_claim *before)
{
	const struct desired_share *share = claim->share;

	claim->lives = before->lives;
	claim->lives_ms = before->lives_ms;
	if (!addr_equal(&share->probe, &before->share->probe) || claim->own_way != before->own_way)
		return; /* what the other probe said is not said of this one */
	claim->probe = before->probe;
	claim->question = before->question;
	claim->down_ms = before->down_ms;
	claim->elsewhere = before->elsewhere;
	claim->retry_ms = before->retry_ms;
	claim->retry_for_ms = before->retry_for_ms;
}

/* Whoever had it has it still, if he may. */
static void keep_current(struct holder *holder, const struct holder_prefix *before,
	const struct desired_peer *had, const struct holder_claim *claim)
{
	struct holder_prefix *prefix = &holder->prefixes[claim->prefix];

	for (size_t i = 0; i < prefix->candidate_count; i++) {
		const struct holder_claim *candidate = &holder->claims[prefix->candidates[i]];

		if (desired_peer_compare(holder->peers[candidate->peer].desired, had))
			continue;
		prefix->current = i;
		prefix->since_ms = before->since_ms;
	}
}

static void keep_peer(
	struct holder *holder, size_t index, const struct holder *before, const struct holder_peer *old)
{
	struct holder_peer *peer = &holder->peers[index];

	peer->served = old->served;
	peer->observed = old->observed;
	peer->handshake_ms = old->handshake_ms;
	for (size_t i = old->first; i < old->first + old->count; i++) {
		const struct holder_claim *claim = &before->claims[i];
		const struct holder_prefix *prefix = &before->prefixes[claim->prefix];
		size_t now = holder_find_claim(holder, index, &claim->share->prefix);

		if (now == HOLDER_NONE)
			continue;
		keep_claim(&holder->claims[now], claim);
		if (holder->claims[now].question > holder->question_before)
			holder->question_before = holder->claims[now].question;
		keep_current(holder, prefix,
			before->peers[holder_current(before, claim->prefix)->peer].desired,
			&holder->claims[now]);
	}
}

static void keep(struct holder *holder, const struct holder *before)
{
	for (size_t i = 0; i < before->peer_count; i++) {
		size_t now = holder_find(holder, before->peers[i].desired);

		if (now != HOLDER_NONE)
			keep_peer(holder, now, before, &before->peers[i]);
	}
	holder->moves = before->moves;
	holder->verdicts = before->verdicts;
}

struct holder *holder_new(
	const struct desired *desired, const struct holder *before, uint32_t random, int64_t now_ms)
{
	struct holder *holder = mem_new(1, sizeof(*holder));

	holder->began_ms = now_ms;
	make_peers(holder, desired, random, now_ms);
	make_prefixes(holder);
	if (before)
		keep(holder, before);
	holder_refresh(holder);
	return holder;
}

void holder_adopt(struct holder *holder, holder_has *has, void *context, int64_t now_ms)
{
	for (size_t i = 0; i < holder->prefix_count; i++) {
		struct holder_prefix *prefix = &holder->prefixes[i];

		for (size_t j = 0; j < prefix->candidate_count && prefix->candidate_count > 1; j++) {
			const struct holder_claim *claim = &holder->claims[prefix->candidates[j]];

			if (!has(holder->peers[claim->peer].desired, &prefix->prefix, context))
				continue;
			prefix->current = j;
			for (size_t k = 0; k < j; k++)
				holder_probe_was_down(&holder->claims[prefix->candidates[k]], now_ms);
			break;
		}
	}
	holder_refresh(holder);
}

void holder_free(struct holder *holder)
{
	if (!holder)
		return;
	for (size_t i = 0; i < holder->peer_count; i++)
		free(holder->peers[i].allowed_ips);
	free(holder->peers);
	free(holder->claims);
	free(holder->prefixes);
	free(holder);
}
