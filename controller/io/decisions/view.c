/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "controller/io/decisions/state.h"

/* What others may see of the decisions. */

size_t decisions_count(const struct decisions *decisions)
{
	return decisions->count;
}

const struct ownership *decisions_ownership(const struct decisions *decisions, size_t index)
{
	return &decisions->items[index]->ownership;
}

const struct decisions_endpoint *decisions_endpoint(const struct decisions *decisions, size_t index)
{
	return &decisions->items[index]->setup;
}

const struct ownership *decisions_find(const struct decisions *decisions, const char *endpoint)
{
	const struct decided *decided = decided_find(decisions, endpoint);
	return decided ? &decided->ownership : NULL;
}

const struct ownership *decisions_of_tunnel(const struct decisions *decisions, const char *tunnel)
{
	for (size_t i = 0; i < decisions->count; i++) {
		const struct decided *decided = decisions->items[i];
		for (size_t j = 0; j < decided->setup.tunnel_count; j++)
			if (strcmp(decided->setup.tunnels[j], tunnel) == 0)
				return &decided->ownership;
	}
	return NULL;
}

bool decisions_owns(const struct decisions *decisions, const struct ownership *endpoint, const char *gateway)
{
	(void)decisions;
	return endpoint->owner != OWNERSHIP_NOBODY &&
	       strcmp(endpoint->config.members[endpoint->owner], gateway) == 0;
}

int64_t decisions_owned_since(const struct decisions *decisions, size_t index)
{
	return decisions->items[index]->owned_since_ms;
}

uint32_t decisions_term(const struct decisions *decisions)
{
	return decisions->source.term;
}

uint64_t decisions_order_count(const struct decisions *decisions)
{
	return decisions->order_count;
}

uint64_t decisions_grant_count(const struct decisions *decisions)
{
	return decisions->grant_count;
}
