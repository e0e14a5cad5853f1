/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "node-agent/core/holder/internal.h"

static const struct desired_peer *peer_of(const struct holder *holder, size_t claim)
{
	return holder->peers[holder->claims[claim].peer].desired;
}

void holder_say(const struct holder *holder, const struct holder_move *move, struct text *text)
{
	const struct desired_peer *from = peer_of(holder, move->from), *to = peer_of(holder, move->to);
	const struct holder_claim *left = &holder->claims[move->from];
	char prefix[PREFIX_TEXT_MAX], probe[ADDR_TEXT_MAX];

	text_add(text, "peer %s of %s has %s: ", to->name, to->tunnel,
		prefix_format(&holder->prefixes[move->prefix].prefix, prefix, sizeof(prefix)));
	switch (move->why) {
	case HOLDER_SILENT:
		if (holder->peers[left->peer].handshake_ms == HOLDER_NEVER)
			text_add(text, "%s has made no handshake", from->name);
		else
			text_add(text, "%s made no handshake for %d s", from->name, HOLDER_LIFE_MS / 1000);
		return;
	case HOLDER_UNANSWERED:
		text_add(text, "%s does not answer the probe of %s", from->name,
			addr_format(&left->share->probe, probe, sizeof(probe)));
		return;
	case HOLDER_UNSERVED:
		text_add(text, "%s is of %s, which another gateway serves", from->name, from->tunnel);
		return;
	case HOLDER_PREFERRED:
		text_add(text, "it lives again, and is preferred to %s", from->name);
		return;
	}
}

void holder_say_state(const struct holder *holder, size_t index, int64_t now_ms, struct text *text)
{
	const struct holder_claim *claim = &holder->claims[index];
	const struct holder_peer *peer = &holder->peers[claim->peer];
	char probe[ADDR_TEXT_MAX];

	addr_format(&claim->share->probe, probe, sizeof(probe));
	if (!peer->served && claim->elsewhere)
		text_add(text, "does not answer the probe of %s from the gateway that serves it", probe);
	else if (holder_is_probed(holder, claim))
		text_add(text,
			claim->probe.down ? "does not answer the probe of %s" : "answers the probe of %s",
			probe);
	else if (peer->handshake_ms == HOLDER_NEVER)
		text_add(text, "no handshake");
	else if (claim->down_ms != HOLDER_NEVER && peer->handshake_ms <= claim->down_ms)
		text_add(text, "no handshake since it did not answer the probe of %s", probe);
	else if (claim->down_ms != HOLDER_NEVER && now_ms < claim->retry_ms)
		text_add(text, "did not answer the probe of %s; tried again in %" PRId64 " s", probe,
			(claim->retry_ms - now_ms + 999) / 1000);
	else
		text_add(text, "handshake %" PRId64 " s ago", (now_ms - peer->handshake_ms) / 1000);
}
