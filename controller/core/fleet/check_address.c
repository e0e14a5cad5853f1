/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/check.h"

/*
 * An address is one thing: a gateway's own, a virtual one that clients dial, a virtual one inside, or a tunnel's. All are
 * sorted, and equal ones of different things are told. A gateway's tunnels may share an address, and all gateways of a
 * tunnel have it: a tunnel's addresses meet only other things.
 */
enum address_kind { ADDRESS_GATEWAY, ADDRESS_DIAL, ADDRESS_INSIDE, ADDRESS_TUNNEL };

struct use {
	struct addr addr;
	enum address_kind kind;
	const char *owner;
	struct fleet_place place;
};

struct uses {
	size_t count, capacity;
	struct use *items;
};

static void add(struct uses *uses, const struct addr *addr, enum address_kind kind, const char *owner,
	const struct fleet_place *place)
{
	uses->items = mem_grow(uses->items, &uses->capacity, uses->count + 1, sizeof(*uses->items));
	uses->items[uses->count++] =
		(struct use){.addr = *addr, .kind = kind, .owner = owner, .place = *place};
}

static void add_endpoint(struct uses *uses, const struct fleet_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->dial_count; i++)
		add(uses, &endpoint->dial[i], ADDRESS_DIAL, endpoint->name, &endpoint->dial_places[i]);
	for (size_t i = 0; i < endpoint->inside_count; i++)
		add(uses, &endpoint->inside[i].address.addr, ADDRESS_INSIDE, endpoint->name,
			&endpoint->inside[i].place);
}

static void add_tunnel(struct uses *uses, const struct fleet_tunnel *tunnel)
{
	const struct fleet_settings *settings = &tunnel->settings;

	for (size_t i = 0; i < settings->address_count; i++)
		add(uses, &settings->addresses[i].addr, ADDRESS_TUNNEL, tunnel->name,
			&settings->address_places[i]);
}

static void collect(struct uses *uses, const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->gateway_count; i++) {
		const struct fleet_gateway *gateway = &fleet->gateways[i];

		for (size_t j = 0; j < gateway->address_count; j++)
			add(uses, &gateway->addresses[j], ADDRESS_GATEWAY, gateway->name,
				&gateway->address_places[j]);
	}
	for (size_t i = 0; i < fleet->endpoint_count; i++)
		add_endpoint(uses, &fleet->endpoints[i]);
	for (size_t i = 0; i < fleet->tunnel_count; i++)
		add_tunnel(uses, &fleet->tunnels[i]);
}

static int compare_places(const struct fleet_place *a, const struct fleet_place *b)
{
	int order = (a->source > b->source) - (a->source < b->source);

	if (!order)
		order = (a->line > b->line) - (a->line < b->line);
	return order ? order : (a->column > b->column) - (a->column < b->column);
}

static int compare_uses(const void *left, const void *right)
{
	const struct use *a = left, *b = right;
	int order = addr_compare(&a->addr, &b->addr);

	return order ? order : compare_places(&a->place, &b->place);
}

static const char *kind_text(enum address_kind kind)
{
	switch (kind) {
	case ADDRESS_GATEWAY:
		return "gateway %s's own address";
	case ADDRESS_DIAL:
		return "the address that clients of virtual endpoint %s dial";
	case ADDRESS_INSIDE:
		return "the inside address of virtual endpoint %s";
	case ADDRESS_TUNNEL:
		return "tunnel %s's address";
	}
	return "%s";
}

static const char *describe(const struct use *use, char *buffer, size_t size)
{
	const char *format = kind_text(use->kind), *gap = strstr(format, "%s");

	(void)snprintf(buffer, size, "%.*s%s%s", (int)(gap - format), format, use->owner, gap + 2);
	return buffer;
}

static void check_meeting(const struct checker *checker, const struct use *first, const struct use *second)
{
	char address[ADDR_TEXT_MAX], what[160], place[PLACE_TEXT_MAX];

	if (first->kind == ADDRESS_TUNNEL && second->kind == ADDRESS_TUNNEL)
		return;
	check_refuse(checker, &second->place, "%s is %s already (%s)",
		addr_format(&second->addr, address, sizeof(address)), describe(first, what, sizeof(what)),
		check_place(checker, &first->place, place));
}

void check_addresses(struct checker *checker)
{
	struct uses uses = {0};

	collect(&uses, checker->fleet);
	if (uses.count)
		qsort(uses.items, uses.count, sizeof(*uses.items), compare_uses);
	for (size_t i = 1; i < uses.count; i++) {
		if (addr_equal(&uses.items[i - 1].addr, &uses.items[i].addr))
			check_meeting(checker, &uses.items[i - 1], &uses.items[i]);
	}
	free(uses.items);
}
