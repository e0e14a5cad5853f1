/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/holder/internal.h"

bool holder_is_unanswered(const struct holder *holder, const struct holder_claim *claim)
{
	return holder_has_probe(claim) && holder->peers[claim->peer].served && claim->down_ms != HOLDER_NEVER;
}

/* Whatever its probe said when it was asked from here is older. */
static void forget(struct holder_claim *claim)
{
	claim->elsewhere = claim->probe.down = false;
	claim->probe.run = 0;
	claim->down_ms = HOLDER_NEVER;
}

static void hear(struct holder_claim *claim, bool unanswered, int64_t now_ms)
{
	if (!unanswered) {
		forget(claim);
	} else if (!claim->elsewhere) {
		claim->elsewhere = true;
		claim->down_ms = now_ms;
		holder_probe_was_down(claim, now_ms);
	}
}

/* The claims that are named, by index. */
static bool *find_named(const struct holder *holder, const struct unanswered_news *news)
{
	bool *named = mem_new(holder->claim_count + 1, sizeof(*named));

	for (size_t i = 0; i < news->count; i++) {
		struct desired_peer wanted = {.public_key = news->items[i].public_key};
		size_t peer, claim = HOLDER_NONE;

		text_copy(wanted.tunnel, sizeof(wanted.tunnel), news->items[i].tunnel);
		peer = holder_find(holder, &wanted);
		if (peer != HOLDER_NONE)
			claim = holder_find_claim(holder, peer, &news->items[i].prefix);
		if (claim != HOLDER_NONE)
			named[claim] = true;
	}
	return named;
}

void holder_hear(struct holder *holder, const struct unanswered_news *news, int64_t now_ms)
{
	bool *named = find_named(holder, news);

	for (size_t i = 0; i < holder->claim_count; i++) {
		struct holder_claim *claim = &holder->claims[i];
		const struct holder_peer *peer = &holder->peers[claim->peer];

		if (!peer->served && holder_has_probe(claim) &&
			unanswered_news_is_of(news, peer->desired->tunnel))
			hear(claim, named[i], now_ms);
	}
	free(named);
}

void holder_probe_inherit(struct holder *holder, struct holder_claim *claim, int64_t now_ms)
{
	if (!claim->elsewhere)
		return;
	claim->elsewhere = false;
	claim->probe.down = claim->own_way; /* elsewhere a handshake since then has to do */
	claim->probe.run = 0;
	holder_probe_was_down(claim, now_ms); /* handshakes that were heard of meanwhile say nothing of it */
	holder->verdicts++;
}
