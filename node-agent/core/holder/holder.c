/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/holder/internal.h"

size_t holder_find(const struct holder *holder, const struct desired_peer *peer)
{
	size_t low = 0, high = holder->peer_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = desired_peer_compare(holder->peers[middle].desired, peer);

		if (!order)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return HOLDER_NONE;
}

const struct holder_claim *holder_current(const struct holder *holder, size_t prefix)
{
	const struct holder_prefix *of = &holder->prefixes[prefix];

	return &holder->claims[of->candidates[of->current]];
}

void holder_observe(struct holder *holder, size_t peer, bool served, int64_t handshake_ms, int64_t now_ms)
{
	struct holder_peer *of = &holder->peers[peer];
	bool begins = served && (!of->served || of->handshake_ms == HOLDER_NEVER);

	of->served = served;
	for (size_t i = of->first; i < of->first + of->count && begins; i++) {
		holder_probe_inherit(holder, &holder->claims[i], now_ms);
		holder_probe_begin(holder, &holder->claims[i], now_ms);
	}
	of->observed = true;
	if (handshake_ms > of->handshake_ms)
		of->handshake_ms = handshake_ms;
}

/* ---- who lives ---- */

static bool has_session(const struct holder_peer *peer, int64_t now_ms)
{
	return peer->handshake_ms != HOLDER_NEVER && now_ms - peer->handshake_ms < HOLDER_LIFE_MS;
}

static bool lives(const struct holder *holder, const struct holder_claim *claim, int64_t now_ms)
{
	const struct holder_peer *peer = &holder->peers[claim->peer];

	if (holder_is_probed(holder, claim))
		return !claim->probe.down;
	if (!peer->served && claim->elsewhere)
		return false;
	return has_session(peer, now_ms) &&
	       (claim->down_ms == HOLDER_NEVER || peer->handshake_ms > claim->down_ms);
}

static void judge(struct holder *holder, int64_t now_ms)
{
	for (size_t i = 0; i < holder->claim_count; i++) {
		struct holder_claim *claim = &holder->claims[i];
		bool now = lives(holder, claim, now_ms);

		if (now != claim->lives)
			claim->lives_ms = now_ms;
		claim->lives = now;
	}
}

/* ---- who has it ---- */

static const struct holder_claim *candidate(
	const struct holder *holder, const struct holder_prefix *prefix, size_t index)
{
	return &holder->claims[prefix->candidates[index]];
}

static bool is_served(const struct holder *holder, const struct holder_prefix *prefix, size_t index)
{
	return holder->peers[candidate(holder, prefix, index)->peer].served;
}

static bool any_is_served(const struct holder *holder, const struct holder_prefix *prefix)
{
	for (size_t i = 0; i < prefix->candidate_count; i++)
		if (is_served(holder, prefix, i))
			return true;
	return false;
}

/* It has shown that it stays, as far as can be known of who does not have the prefix. */
static bool is_settled(const struct holder_claim *claim, int64_t now_ms)
{
	return now_ms - claim->lives_ms >= HOLDER_SETTLE_MS &&
	       (claim->down_ms == HOLDER_NEVER || now_ms >= claim->retry_ms);
}

/* Back to a preferred one there is no hurry. */
static bool may_have(
	const struct holder *holder, const struct holder_prefix *prefix, size_t index, int64_t now_ms)
{
	const struct holder_claim *claim = candidate(holder, prefix, index);

	if (!claim->lives)
		return false;
	return index >= prefix->current || !candidate(holder, prefix, prefix->current)->lives ||
	       is_settled(claim, now_ms);
}

/* An index of candidates; the current one if there is no better. */
static size_t choose(const struct holder *holder, const struct holder_prefix *prefix, int64_t now_ms)
{
	bool served = any_is_served(holder, prefix);
	size_t fallback = HOLDER_NONE;

	if (!holder->peers[candidate(holder, prefix, prefix->current)->peer].observed)
		return prefix->current;
	for (size_t i = 0; i < prefix->candidate_count; i++) {
		if (served && !is_served(holder, prefix, i))
			continue;
		if (may_have(holder, prefix, i, now_ms))
			return i;
		if (fallback == HOLDER_NONE || i == prefix->current)
			fallback = i;
	}
	return fallback;
}

static enum holder_why why(const struct holder *holder, const struct holder_prefix *prefix)
{
	const struct holder_claim *claim = candidate(holder, prefix, prefix->current);

	if (claim->lives)
		return is_served(holder, prefix, prefix->current) || !any_is_served(holder, prefix)
			       ? HOLDER_PREFERRED
			       : HOLDER_UNSERVED;
	return holder_is_probed(holder, claim) ? HOLDER_UNANSWERED : HOLDER_SILENT;
}

static bool move(struct holder *holder, size_t index, int64_t now_ms, struct holder_move *ret_move)
{
	struct holder_prefix *prefix = &holder->prefixes[index];
	size_t chosen = choose(holder, prefix, now_ms);

	if (chosen == prefix->current)
		return false;
	*ret_move = (struct holder_move){.prefix = index,
		.from = prefix->candidates[prefix->current],
		.to = prefix->candidates[chosen],
		.why = why(holder, prefix)};
	prefix->current = chosen;
	prefix->since_ms = now_ms;
	holder->moves++;
	return true;
}

size_t holder_step(struct holder *holder, int64_t now_ms, struct holder_move *ret_moves, size_t max)
{
	size_t count = 0;

	judge(holder, now_ms);
	for (size_t i = 0; i < holder->prefix_count && count < max; i++)
		if (holder->prefixes[i].candidate_count > 1 && move(holder, i, now_ms, &ret_moves[count]))
			count++;
	for (size_t i = 0; i < count; i++)
		holder_probe_begin(holder, &holder->claims[ret_moves[i].to], now_ms);
	if (count)
		holder_refresh(holder);
	return count;
}

/* ---- when ---- */

static int64_t earlier(int64_t deadline_ms, int64_t at_ms, int64_t now_ms)
{
	return at_ms > now_ms && at_ms < deadline_ms ? at_ms : deadline_ms;
}

/* What time alone will change of a claim. */
static int64_t claim_deadline(const struct holder *holder, const struct holder_claim *claim, int64_t now_ms)
{
	const struct holder_peer *peer = &holder->peers[claim->peer];
	int64_t at_ms = INT64_MAX;

	if (holder_is_probed(holder, claim) && peer->paused)
		return INT64_MAX;
	if (holder_is_probed(holder, claim))
		return check_deadline(&claim->probe);
	if (has_session(peer, now_ms))
		at_ms = earlier(at_ms, peer->handshake_ms + HOLDER_LIFE_MS, now_ms);
	if (claim->down_ms != HOLDER_NEVER && peer->handshake_ms > claim->down_ms)
		at_ms = earlier(at_ms, claim->retry_ms, now_ms);
	return at_ms;
}

int64_t holder_deadline(const struct holder *holder, int64_t now_ms)
{
	int64_t at_ms = INT64_MAX;

	for (size_t i = 0; i < holder->claim_count; i++) {
		const struct holder_claim *claim = &holder->claims[i];
		int64_t own_ms = claim_deadline(holder, claim, now_ms);

		if (own_ms < at_ms)
			at_ms = own_ms;
		if (claim->lives)
			at_ms = earlier(at_ms, claim->lives_ms + HOLDER_SETTLE_MS, now_ms);
	}
	return at_ms;
}
