/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import_int.h"
#include "common/base/mem.h"
#include "common/yaml/plain.h"

enum { TOLD_MAX = 1024, PLACEHOLDER_FIRST = 11 };

void import_tell(struct import *import, const char *format, ...)
{
	char line[TOLD_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	quick_texts_add(&import->result->told, line, strlen(line));
}

void import_add_key(struct import *import, const char *path, const struct key *key)
{
	struct import_result *result = import->result;

	result->keys =
		mem_grow(result->keys, &result->key_capacity, result->key_count + 1, sizeof(*result->keys));
	result->keys[result->key_count++] = (struct import_key){mem_text(path), key};
}

void import_put_prefix(struct text *out, const struct prefix *prefix)
{
	char buffer[PREFIX_TEXT_MAX];
	const char *quote = prefix->addr.family == AF_INET6 ? "\"" : "";

	text_add(out, "%s%s%s", quote, prefix_format(prefix, buffer, sizeof(buffer)), quote);
}

static bool is_first_of_gateway(const struct import_source *sources, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(sources[i].gateway, sources[index].gateway))
			return false;
	return true;
}

/* A wg-quick file does not tell a gateway's own address, and a fleet file needs it: one of TEST-NET-1 (RFC 5737), which is
 * nobody's. */
static void put_gateways(struct import *import, const struct import_source *sources, size_t count)
{
	struct text *out = &import->result->fleet;
	unsigned host = PLACEHOLDER_FIRST;

	text_add(out, "gateways:\n");
	for (size_t i = 0; i < count; i++) {
		if (!is_first_of_gateway(sources, i))
			continue;
		text_add(out, "  ");
		yaml_put_text(out, sources[i].gateway);
		text_add(out, ": { address: 192.0.2.%u } # to be changed\n", host);
		import_tell(import,
			"%s: its address is not known from a wg-quick file: replace 192.0.2.%u by its own",
			sources[i].gateway, host++);
	}
}

static void put_told(
	struct text *out, const struct import_source *sources, size_t count, const struct quick_texts *told)
{
	text_add(out, "# Made by 'holdfast import' of");
	for (size_t i = 0; i < count; i++)
		text_add(out, " %s", sources[i].file);
	text_add(out, ".\n");
	for (size_t i = 0; i < told->count; i++)
		text_add(out, "%s# - %s\n", i ? "" : "#\n# Not carried over, or to be looked at:\n",
			told->items[i]);
	text_add(out, "\n");
}

static void gather(struct import *import, const struct import_source *sources, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < sources[i].notes.told.count; j++)
			import_tell(import, "%s", sources[i].notes.told.items[j]);
		import_gather_tunnel(import, &sources[i]);
	}
	for (size_t i = 0; i < import->tunnel_count; i++)
		for (size_t j = 0; j < import->tunnels[i].source_count; j++)
			import_gather_peers(import, i, import->tunnels[i].sources[j]);
}

void import_make(const char *label, const struct import_source *sources, size_t count,
	struct import_result *ret_result)
{
	struct import *import = mem_new(1, sizeof(*import));
	struct text body;

	*ret_result = (struct import_result){0};
	import->result = ret_result;
	import->last = &import->first;
	gather(import, sources, count);
	text_add(&ret_result->fleet, "fleet: ");
	yaml_put_text(&ret_result->fleet, label);
	text_add(&ret_result->fleet, "\n\n");
	put_gateways(import, sources, count);
	import_put_tunnels(import);
	import_put_peers(import);
	body = ret_result->fleet;
	ret_result->fleet = (struct text){0};
	put_told(&ret_result->fleet, sources, count, &ret_result->told);
	text_add_bytes(&ret_result->fleet, body.data, body.length);
	text_clear(&body);
	import_free_peers(import);
	free(import);
}

void import_result_clear(struct import_result *result)
{
	for (size_t i = 0; i < result->key_count; i++)
		free(result->keys[i].path);
	free(result->keys);
	quick_texts_clear(&result->told);
	text_clear(&result->fleet);
}
