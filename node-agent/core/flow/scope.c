/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/flow/scope.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/flow/status.h"

struct range {
	struct addr first, last;
};

struct flow_scope {
	struct range *networks; /* sorted, disjoint */
	size_t network_count, capacity;
	struct addr *own; /* sorted */
	size_t own_count;
};

static struct range range_of(const struct prefix *prefix)
{
	struct range range = {.first = prefix_mask(prefix).addr};
	size_t bits = addr_bits(&range.first);

	range.last = range.first;
	for (size_t bit = prefix->length; bit < bits; bit++)
		range.last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return range;
}

static void add_network(struct flow_scope *scope, const struct prefix *prefix)
{
	if (!addr_is_set(&prefix->addr) || !prefix->length)
		return;
	scope->networks = mem_grow(
		scope->networks, &scope->capacity, scope->network_count + 1, sizeof(*scope->networks));
	scope->networks[scope->network_count++] = range_of(prefix);
}

static void add_host(struct flow_scope *scope, const struct addr *addr)
{
	struct prefix host = addr_to_prefix(addr);

	add_network(scope, &host);
}

static void add_tunnel(struct flow_scope *scope, const struct desired *desired, const char *name)
{
	for (size_t i = 0; i < desired->tunnel_count; i++) {
		const struct desired_tunnel *tunnel = &desired->tunnels[i];

		for (size_t j = 0; !strcmp(tunnel->name, name) && j < tunnel->address_count; j++) {
			if (addr_is_set(&tunnel->address_peers[j]))
				add_host(scope, &tunnel->address_peers[j]);
			else
				add_network(scope, &tunnel->addresses[j]);
			add_host(scope, &tunnel->addresses[j].addr);
		}
	}
	for (size_t i = 0; i < desired->peer_count; i++) {
		const struct desired_peer *peer = &desired->peers[i];

		for (size_t j = 0; !strcmp(peer->tunnel, name) && j < peer->allowed_ip_count; j++)
			add_network(scope, &peer->allowed_ips[j]);
	}
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return addr_compare(&left->first, &right->first);
}

static int compare_addrs(const void *a, const void *b)
{
	return addr_compare(a, b);
}

/* What overlaps becomes one, so that a look-up need not go back. */
static void merge_networks(struct flow_scope *scope)
{
	size_t kept = 0;

	if (!scope->network_count)
		return;
	qsort(scope->networks, scope->network_count, sizeof(*scope->networks), compare_ranges);
	for (size_t i = 1; i < scope->network_count; i++) {
		struct range *last = &scope->networks[kept];
		const struct range *next = &scope->networks[i];

		if (addr_compare(&next->first, &last->last) > 0)
			scope->networks[++kept] = *next;
		else if (addr_compare(&next->last, &last->last) > 0)
			last->last = next->last;
	}
	scope->network_count = kept + 1;
}

static bool is_inside(const struct flow_scope *scope, const struct addr *addr)
{
	size_t low = 0, high = scope->network_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addr_compare(addr, &scope->networks[middle].first) < 0)
			high = middle;
		else if (addr_compare(addr, &scope->networks[middle].last) > 0)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

static bool is_of_tunnel(const struct desired *desired, const char *name, const struct addr *addr)
{
	for (size_t i = 0; i < desired->tunnel_count; i++) {
		const struct desired_tunnel *tunnel = &desired->tunnels[i];

		for (size_t j = 0; !strcmp(tunnel->name, name) && j < tunnel->address_count; j++)
			if (addr_equal(&tunnel->addresses[j].addr, addr))
				return true;
	}
	return false;
}

/* With the endpoint. An underlay's address does not, though an allowed IP may well have it in its network. */
static bool does_move(
	const struct desired *desired, const struct desired_endpoint *endpoint, const struct addr *addr)
{
	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		if (is_of_tunnel(desired, endpoint->tunnels[i], addr))
			return true;
	for (size_t i = 0; i < endpoint->inside_count; i++)
		if (addr_equal(&endpoint->inside[i].address.addr, addr))
			return true;
	return false;
}

static void add_own(struct flow_scope *scope, const struct desired *desired,
	const struct desired_endpoint *endpoint, const struct addr *own, size_t count)
{
	scope->own = mem_new(count + 1, sizeof(*scope->own));
	for (size_t i = 0; i < count; i++)
		if (!does_move(desired, endpoint, &own[i]))
			scope->own[scope->own_count++] = own[i];
	if (scope->own_count)
		qsort(scope->own, scope->own_count, sizeof(*scope->own), compare_addrs);
}

struct flow_scope *flow_scope_new(const struct desired *desired, const struct desired_endpoint *endpoint,
	const struct addr *own, size_t own_count)
{
	struct flow_scope *scope = mem_new(1, sizeof(*scope));

	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		add_tunnel(scope, desired, endpoint->tunnels[i]);
	for (size_t i = 0; i < endpoint->inside_count; i++)
		add_host(scope, &endpoint->inside[i].address.addr);
	merge_networks(scope);
	add_own(scope, desired, endpoint, own, own_count);
	return scope;
}

void flow_scope_free(struct flow_scope *scope)
{
	if (!scope)
		return;
	free(scope->networks);
	free(scope->own);
	free(scope);
}

static bool is_own(const struct flow_scope *scope, const struct addr *addr)
{
	return scope->own_count &&
	       bsearch(addr, scope->own, scope->own_count, sizeof(*scope->own), compare_addrs);
}

/* Of one host, which packets may have been forwarded from or to: not "any", loopback, multicast, broadcast. */
static bool is_host(const struct addr *addr)
{
	static const struct addr any6 = {.family = AF_INET6},
				 loopback6 = {.family = AF_INET6, .bytes = {[15] = 1}};

	if (addr->family == AF_INET)
		return addr->bytes[0] != 0 && addr->bytes[0] != 127 && addr->bytes[0] < 224;
	return addr->family == AF_INET6 && addr->bytes[0] != 0xff && !addr_equal(addr, &any6) &&
	       !addr_equal(addr, &loopback6) && !addr_is_link_local(addr);
}

static bool is_protocol(const struct flow *flow)
{
	switch (flow->protocol) {
	case FLOW_TCP:
		return flow->tcp_state > 0 && flow->tcp_state <= FLOW_TCP_STATE_MAX;
	case FLOW_UDP:
		return flow->tcp_state == 0;
	case FLOW_ICMP:
		return flow->tcp_state == 0 && flow->original.source.family == AF_INET;
	case FLOW_ICMP6:
		return flow->tcp_state == 0 && flow->original.source.family == AF_INET6;
	default: /* a number of the wire, no enum */
		return false;
	}
}

/* The reply goes back the way it came, but for what was translated. */
static bool is_straight(const struct flow *flow)
{
	bool source = addr_equal(&flow->original.source, &flow->reply.destination);
	bool destination = addr_equal(&flow->original.destination, &flow->reply.source);

	return (source || flow->status & FLOW_STATUS_SRC_NAT) &&
	       (destination || flow->status & FLOW_STATUS_DST_NAT);
}

const char *flow_scope_refuse(const struct flow_scope *scope, const struct flow *flow)
{
	const struct addr *ends[] = {&flow->original.source, &flow->original.destination, &flow->reply.source,
		&flow->reply.destination};
	bool inside = false;

	for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
		if (!is_host(ends[i]) || ends[i]->family != ends[0]->family)
			return "an address that no flow has";
		if (is_own(scope, ends[i]))
			return "a flow of this gateway's own";
		inside |= is_inside(scope, ends[i]);
	}
	if (!inside)
		return "a flow of no tunnel of the endpoint";
	if (!is_protocol(flow))
		return "a protocol that is not mirrored, or a state that it does not have";
	if (!(flow->status & FLOW_STATUS_SEEN_REPLY))
		return "a flow that was never answered";
	if (flow->status & ~(uint32_t)FLOW_STATUS_MASK || !is_straight(flow))
		return "a status that its addresses do not bear out";
	/* Answers to a gateway's own address reach nobody else. */
	if (flow->status & FLOW_STATUS_SRC_NAT && !is_inside(scope, &flow->reply.destination))
		return "translated to an address that does not move";
	return flow->timeout_s > FLOW_TIMEOUT_MAX_S ? "a timeout beyond any of the kernel's" : NULL;
}
