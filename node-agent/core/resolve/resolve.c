/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/resolve/resolve.h"

#include <string.h>

void resolve_init(struct resolve *resolve, uint16_t port, bool forced, int64_t now_ms)
{
	*resolve = (struct resolve){.port = port,
		.forced = forced,
		.ask_ms = now_ms,
		.asked_ms = INT64_MIN,
		.retry_ms = RESOLVE_RETRY_MS,
		.owed_ms = INT64_MIN};
}

static void ask_at(struct resolve *resolve, int64_t at_ms)
{
	if (at_ms < resolve->ask_ms)
		resolve->ask_ms = at_ms;
}

/* ---- what the device says ---- */

static void heard(struct resolve *resolve, const struct resolve_peer *peer, int64_t now_ms)
{
	resolve->owed_ms = INT64_MIN;
	resolve->quiet_ms = now_ms;
	resolve->quiet_tx_bytes = peer->tx_bytes;
}

/* More than persistent keepalives may have sent since the peer was heard: data, or initiations. */
static bool is_more_than_keepalives(
	const struct resolve *resolve, const struct resolve_peer *peer, int64_t now_ms)
{
	uint64_t count =
		peer->keepalive_s ? (uint64_t)(now_ms - resolve->quiet_ms) / 1000 / peer->keepalive_s + 2 : 1;

	return peer->tx_bytes - resolve->quiet_tx_bytes > count * RESOLVE_KEEPALIVE_BYTES;
}

static void sent(struct resolve *resolve, int64_t now_ms)
{
	if (resolve->owed_ms == INT64_MIN)
		resolve->owed_ms = now_ms;
	resolve->sent_ms = now_ms;
}

static void observe_traffic(struct resolve *resolve, const struct resolve_peer *peer, int64_t now_ms)
{
	bool anew = peer->rx_bytes < resolve->rx_bytes || peer->tx_bytes < resolve->tx_bytes;

	if (!resolve->observed || anew) {
		heard(resolve, peer, now_ms);
	} else if (peer->rx_bytes != resolve->rx_bytes) {
		heard(resolve, peer, now_ms);
		resolve->tried = 0;
		resolve->retry_ms = RESOLVE_RETRY_MS;
	} else if (peer->tx_bytes != resolve->tx_bytes && is_more_than_keepalives(resolve, peer, now_ms)) {
		sent(resolve, now_ms);
	}
	resolve->rx_bytes = peer->rx_bytes;
	resolve->tx_bytes = peer->tx_bytes;
}

void resolve_observe(struct resolve *resolve, const struct resolve_peer *peer, int64_t now_ms)
{
	observe_traffic(resolve, peer, now_ms);
	resolve->now = peer->endpoint;
	resolve->has_handshake = peer->has_handshake;
	resolve->handshake_ms = now_ms - peer->handshake_age_ms;
	resolve->observed = true;
}

/* ---- what is to be done ---- */

static bool is_ours(const struct resolve *resolve)
{
	return addr_is_set(&resolve->set.addr) && endpoint_equal(&resolve->set, &resolve->now);
}

static bool is_owed(const struct resolve *resolve, int64_t now_ms)
{
	int64_t patience_ms = resolve->tried ? RESOLVE_TRY_MS : RESOLVE_UNANSWERED_MS;

	return resolve->owed_ms != INT64_MIN && now_ms - resolve->owed_ms >= patience_ms &&
	       now_ms - resolve->sent_ms < RESOLVE_TRY_MS;
}

static bool may_set(const struct resolve *resolve, int64_t now_ms)
{
	if (resolve->forced || !addr_is_set(&resolve->now.addr) || is_ours(resolve))
		return true;
	if (!resolve->has_handshake)
		return true;
	return now_ms - resolve->handshake_ms >= RESOLVE_STALE_MS && is_owed(resolve, now_ms);
}

static size_t find(const struct resolve *resolve, const struct addr *addr)
{
	size_t i = 0;

	while (i < resolve->count && !addr_equal(&resolve->addresses[i], addr))
		i++;
	return i;
}

static enum resolve_action set(struct resolve *resolve, size_t index, int64_t now_ms)
{
	resolve->current = index;
	resolve->set = (struct endpoint){.addr = resolve->addresses[index], .port = resolve->port};
	resolve->now = resolve->set;
	resolve->forced = false;
	if (resolve->owed_ms != INT64_MIN)
		resolve->owed_ms = now_ms; /* it owes an answer from there now */
	return RESOLVE_SET;
}

/* The peer is silent: the next address, and once around all of them a question. */
static enum resolve_action try_next(struct resolve *resolve, int64_t now_ms)
{
	size_t next = resolve->current + 1 < resolve->count ? resolve->current + 1 : 0;

	if (!resolve->tried++ || resolve->tried > resolve->count) {
		ask_at(resolve,
			resolve->asked_ms == INT64_MIN ? now_ms : resolve->asked_ms + resolve->retry_ms);
		if (resolve->retry_ms < RESOLVE_RETRY_MAX_MS)
			resolve->retry_ms *= 2;
	}
	resolve->owed_ms = now_ms;
	if (next == resolve->current || resolve->tried == 1)
		return RESOLVE_NOTHING; /* first what the resolver says */
	return set(resolve, next, now_ms);
}

static bool is_fresh(const struct resolve *resolve)
{
	return resolve->current == resolve->count;
}

static enum resolve_action set_or_try(struct resolve *resolve, int64_t now_ms)
{
	size_t index = find(resolve, &resolve->now.addr);

	if (!resolve->count || !resolve->observed)
		return RESOLVE_NOTHING; /* not before it is known who is there */
	if (addr_is_set(&resolve->now.addr) && index < resolve->count && resolve->now.port == resolve->port) {
		resolve->current = index; /* it is where it shall be, whoever set it */
		resolve->set = resolve->now;
		resolve->forced = false;
		return is_owed(resolve, now_ms) ? try_next(resolve, now_ms) : RESOLVE_NOTHING;
	}
	if (!may_set(resolve, now_ms))
		return RESOLVE_NOTHING;
	return set(resolve, is_fresh(resolve) ? 0 : resolve->current, now_ms);
}

enum resolve_action resolve_step(struct resolve *resolve, int64_t now_ms)
{
	enum resolve_action action = set_or_try(resolve, now_ms);

	if (action != RESOLVE_NOTHING)
		return action;
	if (resolve->asking || now_ms < resolve->ask_ms)
		return RESOLVE_NOTHING;
	resolve->asking = true;
	resolve->asked_ms = now_ms;
	return RESOLVE_ASK;
}

/* ---- answers ---- */

static void answered_nothing(struct resolve *resolve, int64_t now_ms)
{
	resolve->ask_ms = now_ms + resolve->retry_ms;
	resolve->retry_ms *= 2;
	if (resolve->retry_ms > RESOLVE_RETRY_MAX_MS)
		resolve->retry_ms = RESOLVE_RETRY_MAX_MS;
}

void resolve_answer(struct resolve *resolve, const struct addr *addresses, size_t count, int64_t now_ms)
{
	struct addr current = resolve->set.addr;

	resolve->asking = false;
	if (!count) {
		answered_nothing(resolve, now_ms);
		return;
	}
	resolve->count = count < RESOLVE_ADDRESSES_MAX ? count : RESOLVE_ADDRESSES_MAX;
	memcpy(resolve->addresses, addresses, resolve->count * sizeof(*addresses));
	resolve->current = find(resolve, &current);
	resolve->ask_ms = now_ms + RESOLVE_AGE_MS;
	if (!resolve->tried)
		resolve->retry_ms = RESOLVE_RETRY_MS;
}

void resolve_underlay_changed(struct resolve *resolve, int64_t now_ms)
{
	int64_t earliest_ms =
		resolve->asked_ms == INT64_MIN ? now_ms : resolve->asked_ms + RESOLVE_UNDERLAY_MS;

	ask_at(resolve, earliest_ms > now_ms ? earliest_ms : now_ms);
}

struct endpoint resolve_endpoint(const struct resolve *resolve)
{
	if (addr_is_set(&resolve->set.addr) || !resolve->count)
		return resolve->set;
	return (struct endpoint){.addr = resolve->addresses[0], .port = resolve->port};
}
