/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

void quick_texts_add(struct quick_texts *texts, const char *text, size_t length)
{
	char *copy = mem_new(length + 1, 1);

	memcpy(copy, text, length);
	texts->items = mem_grow(texts->items, &texts->capacity, texts->count + 1, sizeof(*texts->items));
	texts->items[texts->count++] = copy;
}

void quick_texts_clear(struct quick_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->items[i]);
	free(texts->items);
	*texts = (struct quick_texts){0};
}

void quick_warning_add(struct quick_texts *warnings, const char *line)
{
	static const char REST[] = "there is more to warn of: mend these first";

	if (warnings->count < QUICK_WARNINGS_MAX)
		quick_texts_add(warnings, line, strlen(line));
	else if (warnings->count == QUICK_WARNINGS_MAX)
		quick_texts_add(warnings, REST, strlen(REST));
}

static void peer_clear(struct quick_peer *peer)
{
	free(peer->host);
	free(peer->service);
	free(peer->allowed_ips);
	mem_wipe(peer, sizeof(*peer));
}

void quick_config_clear(struct quick_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->peer_count; i++)
		peer_clear(&config->peers[i]);
	free(config->peers);
	free(config->addresses);
	free(config->table_name);
	free(config->listen_service);
	quick_texts_clear(&config->dns);
	quick_texts_clear(&config->search);
	quick_texts_clear(&config->warnings);
	for (int i = 0; i < QUICK_HOOK_COUNT; i++)
		quick_texts_clear(&config->hooks[i]);
	mem_wipe(config, sizeof(*config));
}

struct quick_peer *quick_config_peer(struct quick_config *config)
{
	if (config->peer_count == config->peer_capacity) {
		size_t capacity = config->peer_capacity ? config->peer_capacity * 2 : 8;
		struct quick_peer *peers = mem_new(capacity, sizeof(*peers));

		if (config->peer_count)
			memcpy(peers, config->peers, config->peer_count * sizeof(*peers));
		mem_wipe(config->peers, config->peer_count * sizeof(*peers));
		free(config->peers);
		config->peers = peers;
		config->peer_capacity = capacity;
	}
	return &config->peers[config->peer_count++];
}

const char *quick_hook_name(enum quick_hook hook)
{
	switch (hook) {
	case QUICK_PRE_UP:
		return "PreUp";
	case QUICK_POST_UP:
		return "PostUp";
	case QUICK_PRE_DOWN:
		return "PreDown";
	case QUICK_POST_DOWN:
		return "PostDown";
	case QUICK_HOOK_COUNT:
		break;
	}
	return "";
}

char *quick_hook_text(const char *hook, const char *interface)
{
	struct text text = {0};
	const char *found;

	while ((found = strstr(hook, "%i"))) {
		text_add_bytes(&text, hook, (size_t)(found - hook));
		text_add_bytes(&text, interface, strlen(interface));
		hook = found + 2;
	}
	text_add_bytes(&text, hook, strlen(hook));
	return text_take(&text);
}

/* 255.255.240.0 is 20; -EINVAL: its ones are not all in front. */
static int length_of_mask(const struct addr *mask, uint8_t *ret_length)
{
	uint32_t bits = (uint32_t)mask->bytes[0] << 24 | (uint32_t)mask->bytes[1] << 16 |
			(uint32_t)mask->bytes[2] << 8 | mask->bytes[3];
	uint8_t length = 0;

	for (; bits & UINT32_C(1) << 31; bits <<= 1)
		length++;
	*ret_length = length;
	return mask->family == AF_INET && !bits ? 0 : -EINVAL;
}

int quick_address_parse(const char *text, struct prefix *ret_prefix)
{
	const char *slash = strchr(text, '/');
	char address[ADDR_TEXT_MAX] = "";
	struct prefix prefix;
	struct addr mask;

	if (!slash || addr_parse(slash + 1, &mask, NULL) < 0)
		return prefix_parse(text, ret_prefix, NULL);
	if ((size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	if (prefix_parse(address, &prefix, NULL) < 0 || prefix.addr.family != AF_INET ||
		length_of_mask(&mask, &prefix.length) < 0)
		return -EINVAL;
	*ret_prefix = prefix;
	return 0;
}
