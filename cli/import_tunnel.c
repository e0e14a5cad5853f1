/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/import_int.h"
#include "common/yaml/plain.h"

enum { LISTEN_PORT_DEFAULT = 51820, SUFFIXES_MAX = 1000 };

static struct import_tunnel *find_tunnel(struct import *import, const char *name)
{
	for (size_t i = 0; i < import->tunnel_count; i++)
		if (!strcmp(import->tunnels[i].name, name))
			return &import->tunnels[i];
	return NULL;
}

static bool is_on(const struct import_tunnel *tunnel, const char *gateway)
{
	for (size_t i = 0; i < tunnel->source_count; i++)
		if (!strcmp(tunnel->sources[i]->gateway, gateway))
			return true;
	return false;
}

/* "wg0" is taken by another key: "wg0-2". */
static void choose_name(struct import *import, const char *wanted, char name[PROTO_INTERFACE_MAX + 1])
{
	text_copy(name, PROTO_INTERFACE_MAX + 1, wanted);
	for (unsigned i = 2; find_tunnel(import, name) && i < SUFFIXES_MAX; i++) {
		char suffix[8];
		size_t room;

		snprintf(suffix, sizeof(suffix), "-%u", i);
		room = PROTO_INTERFACE_MAX - strlen(suffix);
		snprintf(name, PROTO_INTERFACE_MAX + 1, "%.*s%s", (int)room, wanted, suffix);
	}
}

void import_gather_tunnel(struct import *import, const struct import_source *source)
{
	struct import_tunnel *tunnel = find_tunnel(import, source->tunnel);

	if (tunnel && key_equal(&tunnel->sources[0]->public_key, &source->public_key) &&
		!is_on(tunnel, source->gateway) && tunnel->source_count < PROTO_GATEWAYS_MAX) {
		tunnel->sources[tunnel->source_count++] = source;
		return;
	}
	if (import->tunnel_count == PROTO_TUNNELS_MAX) {
		import_tell(import, "%s: left out: a fleet has at most %d tunnels", source->file,
			PROTO_TUNNELS_MAX);
		return;
	}
	tunnel = &import->tunnels[import->tunnel_count];
	choose_name(import, source->tunnel, tunnel->name);
	import->tunnel_count++;
	tunnel->sources[tunnel->source_count++] = source;
	if (strcmp(tunnel->name, source->tunnel))
		import_tell(import,
			"%s: its interface becomes %s: another gateway's %s has another private key, and a "
			"tunnel is one "
			"interface with one key",
			source->file, tunnel->name, source->tunnel);
}

/* ---- settings: those of the first, and of others what differs ---- */

static uint16_t port_of(const struct quick_config *config)
{
	return config->has_listen_port && config->listen_port ? config->listen_port : LISTEN_PORT_DEFAULT;
}

static void put_addresses(struct text *out, const struct quick_config *config)
{
	size_t count =
		config->address_count < PROTO_ADDRESSES_MAX ? config->address_count : PROTO_ADDRESSES_MAX;

	text_add(out, "[");
	for (size_t i = 0; i < count; i++) {
		text_add(out, "%s", i ? ", " : "");
		import_put_prefix(out, &config->addresses[i]);
	}
	text_add(out, "]");
}

static bool same_addresses(const struct quick_config *a, const struct quick_config *b)
{
	if (a->address_count != b->address_count)
		return false;
	for (size_t i = 0; i < a->address_count; i++)
		if (!prefix_equal(&a->addresses[i], &b->addresses[i]))
			return false;
	return true;
}

static const char *table_of(const struct quick_config *config)
{
	switch (config->table) {
	case QUICK_TABLE_OFF:
		return "off";
	case QUICK_TABLE_NAMED:
		return config->table_name;
	default:
		return "auto";
	}
}

static bool table_is_number(const struct quick_config *config)
{
	uint64_t number;

	return config->table != QUICK_TABLE_NAMED ||
	       text_to_u64(config->table_name, 1, UINT32_MAX, &number) >= 0;
}

struct setting {
	char name[16];
	struct text value;
};

enum { SETTINGS_OF_NUMBERS = 6, SETTINGS = SETTINGS_OF_NUMBERS + QUICK_HOOK_COUNT };

static void put_dns(struct text *out, const struct quick_config *config, const struct quick_config *rule)
{
	struct texts dns, of_rule = {0};

	import_dns_of(config, &dns);
	if (rule)
		import_dns_of(rule, &of_rule);
	if (!texts_equal(&dns, &of_rule))
		import_put_texts(out, &dns);
	texts_clear(&dns);
	texts_clear(&of_rule);
}

/* Of another gateway than the first: none is a list, too. */
static void put_hooks(struct text *out, enum quick_hook hook, const struct quick_config *config,
	const struct quick_config *rule)
{
	struct texts lines, of_rule = {0};

	import_hooks_of(config, hook, &lines);
	if (rule)
		import_hooks_of(rule, hook, &of_rule);
	if (!texts_equal(&lines, &of_rule))
		import_put_texts(out, &lines);
	texts_clear(&lines);
	texts_clear(&of_rule);
}

/* In the order that they are written in; an empty value is one that needs no line. */
static void settings_of(
	const struct quick_config *config, const struct quick_config *rule, struct setting settings[SETTINGS])
{
	static const char *const names[SETTINGS] = {"address", "listen_port", "mtu", "table", "fwmark", "dns",
		"pre_up", "post_up", "pre_down", "post_down"};

	for (size_t i = 0; i < SETTINGS; i++) {
		settings[i] = (struct setting){0};
		text_copy(settings[i].name, sizeof(settings[i].name), names[i]);
	}
	if (!rule || !same_addresses(config, rule))
		put_addresses(&settings[0].value, config);
	if (!rule || port_of(config) != port_of(rule))
		text_add(&settings[1].value, "%u", port_of(config));
	if (rule ? config->mtu != rule->mtu && config->mtu : config->mtu)
		text_add(&settings[2].value, "%u", config->mtu);
	if (table_is_number(config) && strcmp(table_of(config), rule ? table_of(rule) : "auto"))
		text_add(&settings[3].value, "%s", table_of(config));
	if (config->fwmark && (!rule || config->fwmark != rule->fwmark))
		text_add(&settings[4].value, "0x%x", config->fwmark);
	put_dns(&settings[5].value, config, rule);
	for (unsigned hook = 0; hook < QUICK_HOOK_COUNT; hook++)
		put_hooks(&settings[SETTINGS_OF_NUMBERS + hook].value, (enum quick_hook)hook, config, rule);
}

static void put_settings(struct text *out, const struct quick_config *config)
{
	struct setting settings[SETTINGS];

	settings_of(config, NULL, settings);
	for (size_t i = 0; i < SETTINGS; i++) {
		if (settings[i].value.length)
			text_add(out, "    %s: %s\n", settings[i].name, settings[i].value.data);
		text_clear(&settings[i].value);
	}
}

static void put_override(
	struct text *out, const struct import_source *source, const struct quick_config *rule, bool *first)
{
	struct setting settings[SETTINGS];
	size_t said = 0;

	settings_of(&source->config, rule, settings);
	for (size_t i = 0; i < SETTINGS; i++) {
		if (settings[i].value.length && !said++) {
			text_add(out, "%s      ", *first ? "    overrides:\n" : "");
			yaml_put_text(out, source->gateway);
			text_add(out, ": { ");
		}
		if (settings[i].value.length)
			text_add(out, "%s%s: %s", said > 1 ? ", " : "", settings[i].name,
				settings[i].value.data);
		if (settings[i].value.length)
			said++;
		text_clear(&settings[i].value);
	}
	if (said) {
		text_add(out, " }\n");
		*first = false;
	}
}

static void tell_settings(
	struct import *import, const struct import_source *source, const struct quick_config *rule)
{
	const struct quick_config *config = &source->config;

	if (!config->has_listen_port || !config->listen_port)
		import_tell(import, "%s: no ListenPort, and a fleet's tunnel has one: %d", source->file,
			LISTEN_PORT_DEFAULT);
	if (!table_is_number(config))
		import_tell(import, "%s: Table = %s: a fleet file takes a number", source->file,
			config->table_name);
	if (config->address_count > PROTO_ADDRESSES_MAX)
		import_tell(import, "%s: only the first %d of %zu addresses: a tunnel has no more",
			source->file, PROTO_ADDRESSES_MAX, config->address_count);
	import_tell_hooks(import, source);
	import_tell_dns(import, source);
	if (rule && rule->mtu && !config->mtu)
		import_tell(import, "%s: no MTU, unlike the other gateways: it gets theirs", source->file);
	if (rule && rule->fwmark && !config->fwmark)
		import_tell(import, "%s: no FwMark, unlike the other gateways: it gets theirs", source->file);
}

static void put_item(struct text *out, const char *before, const char *name)
{
	text_add(out, "%s", before);
	yaml_put_text(out, name);
}

static void put_tunnel(struct import *import, const struct import_tunnel *tunnel)
{
	const struct import_source *rule = tunnel->sources[0];
	struct text *out = &import->result->fleet;
	char key[KEY_TEXT_MAX], path[PROTO_INTERFACE_MAX + 8];
	bool first = true;

	snprintf(path, sizeof(path), "%s.key", tunnel->name);
	import_add_key(import, path, &rule->config.private_key);
	text_add(out, "  ");
	yaml_put_text(out, tunnel->name);
	text_add(out, ":\n    private_key_file: ");
	yaml_put_text(out, path);
	text_add(out, "\n    public_key: \"%s\"\n", key_format(&rule->public_key, key));
	put_settings(out, &rule->config);
	for (size_t i = 0; i < tunnel->source_count; i++)
		put_item(out, i ? ", " : "    gateways: [", tunnel->sources[i]->gateway);
	text_add(out, "]\n");
	tell_settings(import, rule, NULL);
	for (size_t i = 1; i < tunnel->source_count; i++) {
		put_override(out, tunnel->sources[i], &rule->config, &first);
		tell_settings(import, tunnel->sources[i], &rule->config);
	}
	if (tunnel->source_count > 1)
		import_tell(import,
			"%s: has one key on %zu gateways: put it into a virtual endpoint instead of "
			"gateways:, and it moves "
			"between them",
			tunnel->name, tunnel->source_count);
}

void import_put_tunnels(struct import *import)
{
	text_add(&import->result->fleet, "\ntunnels:\n");
	for (size_t i = 0; i < import->tunnel_count; i++)
		put_tunnel(import, &import->tunnels[i]);
}
