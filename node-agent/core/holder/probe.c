/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/holder/internal.h"

bool holder_has_probe(const struct holder_claim *claim)
{
	return addr_is_set(&claim->share->probe);
}

/* Before its first handshake nothing could answer. */
bool holder_is_probed(const struct holder *holder, const struct holder_claim *claim)
{
	const struct holder_peer *peer = &holder->peers[claim->peer];

	return holder_has_probe(claim) && peer->served && peer->handshake_ms != HOLDER_NEVER &&
	       (claim->own_way || holder_current(holder, claim->prefix) == claim);
}

void holder_probe_begin(struct holder *holder, struct holder_claim *claim, int64_t now_ms)
{
	if (!holder_has_probe(claim) || claim->own_way || holder_current(holder, claim->prefix) != claim)
		return; /* one with a way of its own goes on as it was */
	claim->probe.open = claim->probe.down = false;
	claim->probe.run = 0;
	claim->probe.next_ms = now_ms;
}

void holder_pause(struct holder *holder, size_t peer, bool paused)
{
	struct holder_peer *of = &holder->peers[peer];

	for (size_t i = of->first; i < of->first + of->count && paused && !of->paused; i++)
		holder->claims[i].probe.run = 0;
	of->paused = paused;
}

size_t holder_ask(struct holder *holder, size_t *cursor, int64_t now_ms)
{
	while (*cursor < holder->claim_count) {
		size_t i = (*cursor)++;
		struct holder_claim *claim = &holder->claims[i];

		if (!holder_has_probe(claim))
			continue;
		if (!holder_is_probed(holder, claim) || holder->peers[claim->peer].paused) {
			claim->probe.open = false;
			continue;
		}
		if (check_is_late(&claim->probe, now_ms))
			(void)holder_answer(holder, i, false, now_ms);
		if (check_ask(&claim->probe, now_ms))
			return i;
	}
	return HOLDER_NONE;
}

/* Anybody who hears our questions may send answers to any number: they must not cost a search each. */
static bool may_have_moved(const struct holder *holder, uint64_t question, int64_t now_ms)
{
	return question <= holder->question_before && now_ms - holder->began_ms < HOLDER_PROBE_TIMEOUT_MS;
}

size_t holder_asked(const struct holder *holder, uint64_t question, size_t hint, int64_t now_ms)
{
	if (!question)
		return HOLDER_NONE;
	if (hint < holder->claim_count && holder->claims[hint].question == question)
		return hint;
	if (!may_have_moved(holder, question, now_ms))
		return HOLDER_NONE;
	for (size_t i = 0; i < holder->claim_count; i++)
		if (holder->claims[i].question == question)
			return i;
	return HOLDER_NONE;
}

/* A return that did not last makes the next one wait longer. */
static void put_off(const struct holder *holder, struct holder_claim *claim, int64_t now_ms)
{
	int64_t held_since_ms = holder->prefixes[claim->prefix].since_ms;
	bool failed = claim->retry_for_ms && held_since_ms != HOLDER_NEVER &&
		      now_ms - held_since_ms < HOLDER_TRUST_MS;

	claim->down_ms = now_ms;
	claim->retry_for_ms = failed ? claim->retry_for_ms * 2 : HOLDER_RETRY_MS;
	if (claim->retry_for_ms > HOLDER_RETRY_MAX_MS)
		claim->retry_for_ms = HOLDER_RETRY_MAX_MS;
	claim->retry_ms = now_ms + claim->retry_for_ms;
}

bool holder_answer(struct holder *holder, size_t index, bool good, int64_t now_ms)
{
	struct holder_claim *claim = &holder->claims[index];
	bool changed = check_answer(&claim->probe, good), unanswered = holder_is_unanswered(holder, claim);

	if (changed && claim->probe.down)
		put_off(holder, claim, now_ms);
	else if (good && !claim->probe.down)
		claim->down_ms = HOLDER_NEVER;
	holder->verdicts += unanswered != holder_is_unanswered(holder, claim);
	return changed;
}

void holder_probe_was_down(struct holder_claim *claim, int64_t now_ms)
{
	if (!holder_has_probe(claim) || claim->own_way)
		return;
	claim->down_ms = now_ms;
	claim->retry_for_ms = HOLDER_RETRY_MS;
	claim->retry_ms = now_ms + HOLDER_RETRY_MS;
}
