/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/difference_part.h"

static void render_key_file(const void *thing, struct text *text)
{
	text_add(text, "%s", ((const struct desired_tunnel *)thing)->private_key_file);
}

/* Public, and what a person compares with `wg show`. */
static void render_public_key(const void *thing, struct text *text)
{
	char buffer[KEY_TEXT_MAX];

	text_add(text, "%s", key_format(&((const struct desired_tunnel *)thing)->public_key, buffer));
}

static void list_address(const void *thing, struct list *list)
{
	const struct desired_tunnel *tunnel = thing;

	for (size_t i = 0; i < tunnel->address_count; i++) {
		const struct prefix *address = &tunnel->addresses[i];
		struct prefix peer = {.addr = tunnel->address_peers[i], .length = address->length};
		char own[PREFIX_TEXT_MAX], far[PREFIX_TEXT_MAX], item[2 * PREFIX_TEXT_MAX + 8];

		if (!addr_is_set(&peer.addr)) {
			list_item(list, prefix_format(address, own, sizeof(own)));
			continue;
		}
		(void)snprintf(item, sizeof(item), "%s peer %s",
			addr_format(&address->addr, own, sizeof(own)),
			prefix_format(&peer, far, sizeof(far)));
		list_item(list, item);
	}
}

static void render_link_local(const void *thing, struct text *text)
{
	text_add(text, ((const struct desired_tunnel *)thing)->link_local ? "true" : "false");
}

static void render_multicast(const void *thing, struct text *text)
{
	switch (((const struct desired_tunnel *)thing)->multicast) {
	case MULTICAST_AS_IT_COMES:
		text_add(text, "as it comes");
		break;
	case MULTICAST_OFF:
		text_add(text, "false");
		break;
	case MULTICAST_ON:
		text_add(text, "true");
		break;
	}
}

static void render_listen_port(const void *thing, struct text *text)
{
	text_add(text, "%u", ((const struct desired_tunnel *)thing)->listen_port);
}

static void render_fwmark(const void *thing, struct text *text)
{
	text_add(text, "0x%x", ((const struct desired_tunnel *)thing)->fwmark);
}

static void render_mtu(const void *thing, struct text *text)
{
	const struct desired_tunnel *tunnel = thing;

	if (tunnel->mtu)
		text_add(text, "%u", tunnel->mtu);
	else
		text_add(text, "automatic");
}

static void render_table(const void *thing, struct text *text)
{
	const struct desired_tunnel *tunnel = thing;

	switch (tunnel->table) {
	case TABLE_AUTO:
		text_add(text, "auto");
		break;
	case TABLE_OFF:
		text_add(text, "off");
		break;
	case TABLE_NUMBER:
		text_add(text, "%u", tunnel->table_number);
		break;
	}
}

static void render_forward(const void *thing, struct text *text)
{
	switch (((const struct desired_tunnel *)thing)->forward.policy) {
	case FORWARD_UNMANAGED:
		text_add(text, "unmanaged");
		break;
	case FORWARD_ACCEPT:
		text_add(text, "accept");
		break;
	case FORWARD_DROP:
		text_add(text, "drop");
		break;
	}
}

static void list_translations(const struct desired_snat *snat, size_t count, struct list *list)
{
	for (size_t i = 0; i < count; i++) {
		char from[PREFIX_TEXT_MAX], item[PREFIX_TEXT_MAX + PROTO_INTERFACE_MAX + 16];

		(void)snprintf(item, sizeof(item), "%s out of %s",
			prefix_format(&snat[i].from, from, sizeof(from)), snat[i].interface);
		list_item(list, item);
	}
}

static void list_snat(const void *thing, struct list *list)
{
	const struct desired_forward *forward = &((const struct desired_tunnel *)thing)->forward;

	list_translations(forward->snat, forward->snat_count, list);
}

static void list_masquerade(const void *thing, struct list *list)
{
	const struct desired_forward *forward = &((const struct desired_tunnel *)thing)->forward;

	list_translations(forward->masquerade, forward->masquerade_count, list);
}

static void render_clamp_mss(const void *thing, struct text *text)
{
	text_add(text, ((const struct desired_tunnel *)thing)->forward.clamp_mss ? "true" : "false");
}

static void list_lines(const struct texts *lines, struct list *list)
{
	for (size_t i = 0; i < lines->count; i++)
		list_item(list, lines->items[i]);
}

static void list_dns(const void *thing, struct list *list)
{
	list_lines(&((const struct desired_tunnel *)thing)->dns, list);
}

static void list_pre_up(const void *thing, struct list *list)
{
	list_lines(&((const struct desired_tunnel *)thing)->hooks[HOOK_PRE_UP], list);
}

static void list_post_up(const void *thing, struct list *list)
{
	list_lines(&((const struct desired_tunnel *)thing)->hooks[HOOK_POST_UP], list);
}

static void list_pre_down(const void *thing, struct list *list)
{
	list_lines(&((const struct desired_tunnel *)thing)->hooks[HOOK_PRE_DOWN], list);
}

static void list_post_down(const void *thing, struct list *list)
{
	list_lines(&((const struct desired_tunnel *)thing)->hooks[HOOK_POST_DOWN], list);
}

static const struct field fields[] = {
	{"private_key_file", .render = render_key_file},
	{"public_key", .render = render_public_key},
	{"address", .list = list_address},
	{"link_local", .render = render_link_local},
	{"multicast", .render = render_multicast},
	{"listen_port", .render = render_listen_port},
	{"fwmark", .render = render_fwmark},
	{"mtu", .render = render_mtu},
	{"table", .render = render_table},
	{"forward", .render = render_forward},
	{"snat", .list = list_snat},
	{"masquerade", .list = list_masquerade},
	{"clamp_mss", .render = render_clamp_mss},
	{"dns", .list = list_dns},
	{"pre_up", .list = list_pre_up},
	{"post_up", .list = list_post_up},
	{"pre_down", .list = list_pre_down},
	{"post_down", .list = list_post_down},
};

static const struct desired_tunnel *find(const struct desired *desired, const char *name)
{
	for (size_t i = 0; i < desired->tunnel_count; i++) {
		if (!strcmp(desired->tunnels[i].name, name))
			return &desired->tunnels[i];
	}
	return NULL;
}

size_t difference_tunnels(const struct desired *from, const struct desired *to, struct text *lines)
{
	size_t count = 0;

	for (size_t i = 0; i < from->tunnel_count; i++) {
		if (find(to, from->tunnels[i].name))
			continue;
		text_add(lines, "- tunnel %s\n", from->tunnels[i].name);
		count++;
	}
	for (size_t i = 0; i < to->tunnel_count; i++) {
		const struct desired_tunnel *tunnel = &to->tunnels[i], *before = find(from, tunnel->name);
		char what[PROTO_INTERFACE_MAX + 16];

		(void)snprintf(what, sizeof(what), "tunnel %s", tunnel->name);
		if (before)
			count += difference_fields(what, fields, ARRAY_COUNT(fields), before, tunnel, lines);
		else
			text_add(lines, "+ %s\n", what), count++;
	}
	return count;
}
