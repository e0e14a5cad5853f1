/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/repair/way.h"

#include <string.h>

#include "common/base/text.h"

static bool goes_to_same(const struct way *a, const struct way *b)
{
	return addr_equal(&a->to, &b->to) && a->scope == b->scope;
}

bool way_equal(const struct way *a, const struct way *b)
{
	if (!goes_to_same(a, b) || a->reachable != b->reachable)
		return false;
	return !a->reachable || (addr_equal(&a->via, &b->via) && addr_equal(&a->src, &b->src) &&
					a->mtu == b->mtu && !strcmp(a->device, b->device));
}

char *way_format(const struct way *way, char buffer[WAY_TEXT_MAX])
{
	char address[ADDR_TEXT_MAX];
	struct text text = {0};

	if (!way->reachable) {
		text_copy(buffer, WAY_TEXT_MAX, "none");
		return buffer;
	}
	if (addr_is_set(&way->via))
		text_add(&text, "via %s ", addr_format(&way->via, address, sizeof(address)));
	text_add(&text, "dev %s", way->device);
	if (addr_is_set(&way->src))
		text_add(&text, " src %s", addr_format(&way->src, address, sizeof(address)));
	text_add(&text, " mtu %u", way->mtu);
	text_copy(buffer, WAY_TEXT_MAX, text.data);
	text_clear(&text);
	return buffer;
}

const struct way *ways_first_change(
	const struct ways *before, const struct ways *now, const struct way **ret_before)
{
	for (size_t i = 0; i < now->count; i++)
		for (size_t j = 0; j < before->count; j++) {
			if (!goes_to_same(&now->items[i], &before->items[j]))
				continue;
			if (way_equal(&now->items[i], &before->items[j]))
				break;
			*ret_before = &before->items[j];
			return &now->items[i];
		}
	return NULL;
}
