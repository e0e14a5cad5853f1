/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "cli/import_int.h"
#include "common/base/host.h"
#include "common/base/mem.h"
#include "common/yaml/plain.h"
#include "proto/desired.h"

static bool is_known_public(const struct quick_config *config, const struct key *key)
{
	for (size_t i = 0; i < config->peer_count; i++)
		if (key_equal(&config->peers[i].public_key, key))
			return true;
	return false;
}

/* A key ends with a '='. A fleet file has no secrets: a command with one in it that is not known for public stays out. */
static bool has_secret(const struct quick_config *config, const char *line)
{
	enum { LENGTH = KEY_TEXT_MAX - 1 };
	char text[KEY_TEXT_MAX];
	bool secret = false;
	struct key key;

	for (const char *end = strchr(line, '='); end && !secret; end = strchr(end + 1, '=')) {
		if (end - line < LENGTH - 1)
			continue;
		memcpy(text, end + 1 - LENGTH, LENGTH);
		text[LENGTH] = '\0';
		secret = key_parse(text, &key, NULL) >= 0 && !is_known_public(config, &key);
	}
	key_wipe(&key);
	mem_wipe(text, sizeof(text));
	return secret;
}

static const char *why_left_out(const struct quick_config *config, const char *line, size_t before)
{
	if (before == PROTO_HOOKS_MAX)
		return "a tunnel of a fleet has at most 16 of them";
	if (!desired_hook_is_line(line))
		return "it is longer than 2047 bytes, or has control characters in it";
	if (has_secret(config, line))
		return "there may be a secret key in it: let it read a file of the gateway";
	return NULL;
}

void import_hooks_of(const struct quick_config *config, enum quick_hook hook, struct texts *ret_lines)
{
	const struct quick_texts *from = &config->hooks[hook];

	*ret_lines = (struct texts){0};
	for (size_t i = 0; i < from->count; i++) {
		const char *why = why_left_out(config, from->items[i], ret_lines->count);

		if (!why)
			texts_add(ret_lines, from->items[i]);
	}
}

void import_tell_hooks(struct import *import, const struct import_source *source)
{
	for (unsigned hook = 0; hook < QUICK_HOOK_COUNT; hook++) {
		const struct quick_texts *from = &source->config.hooks[hook];
		size_t kept = 0;

		for (size_t i = 0; i < from->count; i++) {
			const char *why = why_left_out(&source->config, from->items[i], kept);

			kept += !why;
			if (why)
				import_tell(import, "%s: %s number %zu is left out: %s", source->file,
					quick_hook_name((enum quick_hook)hook), i + 1, why);
		}
	}
}

static void take_dns(const struct quick_texts *from, struct texts *to)
{
	struct addr server;

	for (size_t i = 0; i < from->count && to->count < PROTO_DNS_MAX; i++)
		if (addr_parse(from->items[i], &server, NULL) >= 0 || host_is_name(from->items[i]))
			texts_add(to, from->items[i]);
}

/* wg-quick does nothing with domains alone. */
void import_dns_of(const struct quick_config *config, struct texts *ret_dns)
{
	*ret_dns = (struct texts){0};
	take_dns(&config->dns, ret_dns);
	if (ret_dns->count)
		take_dns(&config->search, ret_dns);
}

void import_tell_dns(struct import *import, const struct import_source *source)
{
	const struct quick_config *config = &source->config;
	struct texts taken;

	import_dns_of(config, &taken);
	if (taken.count < config->dns.count + config->search.count)
		import_tell(import,
			"%s: only %zu of %zu in DNS are kept: at most %d, at least one server, no zone",
			source->file, taken.count, config->dns.count + config->search.count, PROTO_DNS_MAX);
	texts_clear(&taken);
}

void import_put_texts(struct text *out, const struct texts *texts)
{
	text_add(out, "[");
	for (size_t i = 0; i < texts->count; i++) {
		text_add(out, "%s", i ? ", " : "");
		yaml_put_text(out, texts->items[i]);
	}
	text_add(out, "]");
}
