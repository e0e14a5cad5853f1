/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/allowed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

struct claim {
	struct prefix prefix;
	size_t peer; /* index in the file */
};

static int by_prefix(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = prefix_compare(&a->prefix, &b->prefix);

	return order ? order : (a->peer > b->peer) - (a->peer < b->peer);
}

static int by_peer(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;

	return a->peer != b->peer ? (a->peer > b->peer) - (a->peer < b->peer)
				  : prefix_compare(&a->prefix, &b->prefix);
}

struct keyed {
	const struct quick_peer *peer;
	size_t index;
};

static int by_key(const void *left, const void *right)
{
	const struct keyed *a = left, *b = right;
	int order = memcmp(a->peer->public_key.bytes, b->peer->public_key.bytes, KEY_BYTES);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static bool *find_superseded(const struct quick_config *config)
{
	CLEANUP_FREE struct keyed *keyed = mem_new(config->peer_count + 1, sizeof(*keyed));
	bool *superseded = mem_new(config->peer_count + 1, sizeof(*superseded));

	for (size_t i = 0; i < config->peer_count; i++)
		keyed[i] = (struct keyed){&config->peers[i], i};
	qsort(keyed, config->peer_count, sizeof(*keyed), by_key);
	for (size_t i = 0; i + 1 < config->peer_count; i++)
		if (key_equal(&keyed[i].peer->public_key, &keyed[i + 1].peer->public_key))
			superseded[keyed[i].index] = true;
	return superseded;
}

static void warn_moved(struct quick_texts *warnings, const char *file, const struct quick_config *config,
	const struct claim *from, const struct claim *to)
{
	char prefix[PREFIX_TEXT_MAX], line[1024];
	const struct quick_peer *loser = &config->peers[from->peer], *winner = &config->peers[to->peer];

	if (!warnings || key_equal(&loser->public_key, &winner->public_key))
		return;
	snprintf(line, sizeof(line),
		"%.500s:%u:%u: %s is claimed by the peer of line %u too; the last one has it", file,
		winner->place.line, winner->place.column,
		prefix_format(&from->prefix, prefix, sizeof(prefix)), loser->place.line);
	quick_warning_add(warnings, line);
}

static struct claim *all_claims(const struct quick_config *config, size_t *ret_count)
{
	struct claim *claims;
	size_t count = 0;

	for (size_t i = 0; i < config->peer_count; i++)
		count += config->peers[i].allowed_ip_count;
	claims = mem_new(count + 1, sizeof(*claims));
	count = 0;
	for (size_t i = 0; i < config->peer_count; i++)
		for (size_t j = 0; !config->peers[i].disabled && j < config->peers[i].allowed_ip_count; j++)
			claims[count++] = (struct claim){config->peers[i].allowed_ips[j], i};
	*ret_count = count;
	return claims;
}

void quick_allowed_init(struct quick_allowed *ret_allowed, const struct quick_config *config,
	const char *file, struct quick_texts *warnings)
{
	struct quick_allowed allowed = {.superseded = find_superseded(config)};
	size_t count, kept = 0;
	CLEANUP_FREE struct claim *claims = all_claims(config, &count);

	qsort(claims, count, sizeof(*claims), by_prefix);
	for (size_t i = 0; i < count; i++) {
		bool last = i + 1 == count || !prefix_equal(&claims[i].prefix, &claims[i + 1].prefix);

		if (!last && claims[i].peer != claims[i + 1].peer)
			warn_moved(warnings, file, config, &claims[i], &claims[i + 1]);
		if (last && !allowed.superseded[claims[i].peer])
			claims[kept++] = claims[i];
	}
	qsort(claims, kept, sizeof(*claims), by_peer);
	allowed.prefixes = mem_new(kept + 1, sizeof(*allowed.prefixes));
	allowed.first = mem_new(config->peer_count + 1, sizeof(*allowed.first));
	for (size_t peer = 0, i = 0; peer < config->peer_count; peer++) {
		allowed.first[peer] = i;
		for (; i < kept && claims[i].peer == peer; i++)
			allowed.prefixes[i] = claims[i].prefix;
		allowed.first[peer + 1] = i;
	}
	*ret_allowed = allowed;
}

void quick_allowed_clear(struct quick_allowed *allowed)
{
	if (!allowed)
		return;
	free(allowed->prefixes);
	free(allowed->first);
	free(allowed->superseded);
	*allowed = (struct quick_allowed){0};
}
