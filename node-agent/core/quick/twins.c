/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/quick/read_int.h"

static int by_key_and_place(const void *left, const void *right)
{
	struct quick_peer *const *a = left, *const *b = right;
	int order = memcmp((*a)->public_key.bytes, (*b)->public_key.bytes, KEY_BYTES);

	return order ? order : (*a > *b) - (*a < *b);
}

static void inherit(struct quick_peer *later, const struct quick_peer *earlier)
{
	if (!later->host && earlier->host) {
		later->host = mem_text(earlier->host);
		later->service = mem_text(earlier->service);
		later->endpoint = earlier->endpoint;
		later->endpoint_place = earlier->endpoint_place;
	}
	if (!later->has_preshared_key && earlier->has_preshared_key) {
		later->has_preshared_key = true;
		later->preshared_key = earlier->preshared_key;
	}
	if (!later->has_keepalive && earlier->has_keepalive) {
		later->has_keepalive = true;
		later->keepalive_s = earlier->keepalive_s;
	}
}

void quick_inherit_twins(struct quick_config *config)
{
	struct quick_peer **peers = mem_new(config->peer_count + 1, sizeof(*peers));

	for (size_t i = 0; i < config->peer_count; i++)
		peers[i] = &config->peers[i];
	qsort(peers, config->peer_count, sizeof(struct quick_peer *), by_key_and_place);
	for (size_t i = 0; i + 1 < config->peer_count; i++)
		if (key_equal(&peers[i]->public_key, &peers[i + 1]->public_key))
			inherit(peers[i + 1], peers[i]);
	free(peers);
}
