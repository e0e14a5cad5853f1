/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "common/base/mem.h"
#include "node-agent/core/holder/internal.h"

/* Its claims are sorted as its allowed IPs are. */
static const struct holder_claim *find_claim(
	const struct holder *holder, const struct holder_peer *peer, const struct prefix *prefix, size_t *at)
{
	while (*at < peer->count &&
		prefix_compare(&holder->claims[peer->first + *at].share->prefix, prefix) < 0)
		(*at)++;
	if (*at == peer->count || !prefix_equal(&holder->claims[peer->first + *at].share->prefix, prefix))
		return NULL;
	return &holder->claims[peer->first + *at];
}

/* Of what it claims, all but what another has just now. */
static void take_own(struct holder *holder, struct holder_peer *peer, size_t capacity)
{
	size_t at = 0;

	free(peer->allowed_ips);
	peer->allowed_ips = mem_new(capacity, sizeof(*peer->allowed_ips));
	peer->allowed_ip_count = 0;
	for (size_t i = 0; i < peer->desired->allowed_ip_count; i++) {
		const struct prefix *prefix = &peer->desired->allowed_ips[i];
		const struct holder_claim *claim = find_claim(holder, peer, prefix, &at);

		if (!claim || holder_current(holder, claim->prefix)->peer == claim->peer)
			peer->allowed_ips[peer->allowed_ip_count++] = *prefix;
	}
}

/* The peer that has a prefix which it does not claim itself, but one around it. HOLDER_NONE: whoever has it claims it. */
static size_t holds_around(const struct holder *holder, size_t prefix)
{
	const struct holder_claim *claim = holder_current(holder, prefix);

	return claim->prefix == prefix ? HOLDER_NONE : claim->peer;
}

void holder_refresh(struct holder *holder)
{
	size_t *around = mem_new(holder->peer_count + 1, sizeof(*around));
	size_t peer;

	for (size_t i = 0; i < holder->prefix_count; i++)
		if ((peer = holds_around(holder, i)) != HOLDER_NONE)
			around[peer]++;
	for (size_t i = 0; i < holder->peer_count; i++)
		take_own(holder, &holder->peers[i], holder->peers[i].desired->allowed_ip_count + around[i]);
	for (size_t i = 0; i < holder->prefix_count; i++)
		if ((peer = holds_around(holder, i)) != HOLDER_NONE)
			holder->peers[peer].allowed_ips[holder->peers[peer].allowed_ip_count++] =
				holder->prefixes[i].prefix;
	free(around);
}

const struct prefix *holder_allowed_ips(
	const struct holder *holder, const struct desired_peer *peer, size_t *ret_count)
{
	size_t index = holder && peer->share_count ? holder_find(holder, peer) : HOLDER_NONE;

	*ret_count = index == HOLDER_NONE ? peer->allowed_ip_count : holder->peers[index].allowed_ip_count;
	return index == HOLDER_NONE ? peer->allowed_ips : holder->peers[index].allowed_ips;
}
