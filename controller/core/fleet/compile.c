/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/compile.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/overlap.h"

struct compiler {
	const struct fleet *fleet;
	size_t index;
	const struct fleet_gateway *gateway;
	const struct fleet_issue *issue;
	struct desired *desired;
};

/* The fleet has been checked: each role has an interface. */
static void put_interface(
	const struct compiler *compiler, const struct fleet_reference *role, char to[PROTO_INTERFACE_MAX + 1])
{
	(void)text_copy(to, PROTO_INTERFACE_MAX + 1, fleet_gateway_interface(compiler->gateway, role->name));
}

static void put_snat(
	const struct compiler *compiler, const struct fleet_snat *from, size_t count, struct desired_snat *to)
{
	for (size_t i = 0; i < count; i++) {
		to[i].from = from[i].from;
		put_interface(compiler, &from[i].role, to[i].interface);
	}
}

static void put_forward(
	const struct compiler *compiler, const struct fleet_forward *from, struct desired_forward *to)
{
	to->policy = from->policy;
	to->clamp_mss = from->clamp_mss;
	to->snat_count = from->snat_count;
	put_snat(compiler, from->snat, from->snat_count, to->snat);
	to->masquerade_count = from->masquerade_count;
	put_snat(compiler, from->masquerade, from->masquerade_count, to->masquerade);
}

static void put_tunnel(
	const struct compiler *compiler, const struct fleet_tunnel *tunnel, struct desired_tunnel *to)
{
	const struct fleet_settings *settings = fleet_tunnel_settings(tunnel, compiler->index);

	(void)text_copy(to->name, sizeof(to->name), tunnel->name);
	(void)text_copy(to->private_key_file, sizeof(to->private_key_file), settings->private_key_file);
	to->public_key = tunnel->public_key;
	to->address_count = settings->address_count;
	memcpy(to->addresses, settings->addresses, sizeof(to->addresses));
	memcpy(to->address_peers, settings->address_peers, sizeof(to->address_peers));
	to->link_local = settings->link_local;
	to->multicast = settings->multicast ? MULTICAST_ON : MULTICAST_OFF;
	to->listen_port = settings->listen_port;
	to->fwmark = settings->fwmark;
	to->mtu = settings->mtu;
	to->table = settings->table;
	to->table_number = settings->table_number;
	put_forward(compiler, &settings->forward, &to->forward);
	for (size_t i = 0; i < HOOKS; i++)
		texts_copy(&to->hooks[i], &settings->hooks[i]);
	texts_copy(&to->dns, &settings->dns);
}

static bool is_here(const struct compiler *compiler, const struct fleet_tunnel *tunnel)
{
	return fleet_tunnel_is_on(compiler->fleet, tunnel, compiler->index);
}

static void put_tunnels(const struct compiler *compiler)
{
	const struct fleet *fleet = compiler->fleet;
	struct desired *desired = compiler->desired;

	for (size_t i = 0; i < fleet->tunnel_count; i++)
		desired->tunnel_count += is_here(compiler, &fleet->tunnels[i]);
	if (!desired->tunnel_count)
		return;
	desired->tunnels = mem_new(desired->tunnel_count, sizeof(*desired->tunnels));
	desired->tunnel_count = 0;
	for (size_t i = 0; i < fleet->tunnel_count; i++) {
		if (is_here(compiler, &fleet->tunnels[i]))
			put_tunnel(compiler, &fleet->tunnels[i], &desired->tunnels[desired->tunnel_count++]);
	}
}

static bool may_own(const struct compiler *compiler, const struct fleet_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->gateway_count; i++) {
		if (endpoint->gateways[i].index == compiler->index)
			return true;
	}
	return false;
}

static void put_routes(
	const struct compiler *compiler, const struct fleet_endpoint *endpoint, struct desired_endpoint *to)
{
	to->route_count = endpoint->route_count;
	for (size_t i = 0; i < endpoint->route_count; i++) {
		const struct fleet_route *route = &endpoint->routes[i];

		to->routes[i] = (struct desired_route){.to = route->to,
			.via = route->via,
			.src = route->src,
			.table = route->table,
			.metric = route->metric};
		put_interface(compiler, &route->role, to->routes[i].interface);
	}
}

static void put_checks(
	const struct compiler *compiler, const struct fleet_endpoint *endpoint, struct desired_endpoint *to)
{
	to->check_count = endpoint->check_count;
	for (size_t i = 0; i < endpoint->check_count; i++) {
		to->checks[i] = endpoint->checks[i].check;
		if (endpoint->checks[i].role.name[0])
			put_interface(compiler, &endpoint->checks[i].role, to->checks[i].interface);
	}
}

static void put_lists(const struct fleet_endpoint *endpoint, struct desired_endpoint *to)
{
	to->tunnel_count = endpoint->tunnel_count;
	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		(void)text_copy(to->tunnels[i], sizeof(to->tunnels[i]), endpoint->tunnels[i].name);
	to->pool_count = endpoint->gateway_count;
	for (size_t i = 0; i < endpoint->gateway_count; i++)
		(void)text_copy(to->pool[i], sizeof(to->pool[i]), endpoint->gateways[i].name);
}

static void put_endpoint(
	const struct compiler *compiler, const struct fleet_endpoint *endpoint, struct desired_endpoint *to)
{
	(void)text_copy(to->name, sizeof(to->name), endpoint->name);
	to->isolation = endpoint->isolation;
	to->lease_ms = endpoint->lease_ms;
	put_interface(compiler, &endpoint->dial_role, to->dial_interface);
	to->dial_count = endpoint->dial_count;
	memcpy(to->dial, endpoint->dial, sizeof(to->dial));
	to->witness_count = endpoint->witness_count;
	memcpy(to->witness, endpoint->witness, sizeof(to->witness));
	to->inside_count = endpoint->inside_count;
	for (size_t i = 0; i < endpoint->inside_count; i++) {
		to->inside[i].address = endpoint->inside[i].address;
		put_interface(compiler, &endpoint->inside[i].role, to->inside[i].interface);
	}
	put_routes(compiler, endpoint, to);
	put_checks(compiler, endpoint, to);
	to->notify_count = endpoint->notify_count;
	memcpy(to->notify, endpoint->notify, sizeof(to->notify));
	put_lists(endpoint, to);
}

static void put_endpoints(const struct compiler *compiler)
{
	const struct fleet *fleet = compiler->fleet;
	struct desired *desired = compiler->desired;

	for (size_t i = 0; i < fleet->endpoint_count; i++)
		desired->endpoint_count += may_own(compiler, &fleet->endpoints[i]);
	if (!desired->endpoint_count)
		return;
	desired->endpoints = mem_new(desired->endpoint_count, sizeof(*desired->endpoints));
	desired->endpoint_count = 0;
	for (size_t i = 0; i < fleet->endpoint_count; i++) {
		if (may_own(compiler, &fleet->endpoints[i]))
			put_endpoint(compiler, &fleet->endpoints[i],
				&desired->endpoints[desired->endpoint_count++]);
	}
}

static bool shares_pool(const struct compiler *compiler, size_t other)
{
	const struct fleet *fleet = compiler->fleet;

	for (size_t i = 0; i < fleet->endpoint_count; i++) {
		const struct fleet_endpoint *endpoint = &fleet->endpoints[i];

		for (size_t j = 0; j < endpoint->gateway_count && may_own(compiler, endpoint); j++) {
			if (endpoint->gateways[j].index == other)
				return true;
		}
	}
	return false;
}

static struct desired_partner *add_partner(const struct compiler *compiler, const char *name)
{
	const struct fleet_issue *issue = compiler->issue;
	struct desired_partner *partner = &compiler->desired->partners[compiler->desired->partner_count++];

	(void)text_copy(partner->name, sizeof(partner->name), name);
	if (issue->pair_key)
		issue->pair_key(issue->context, compiler->gateway->name, name, &partner->pair_key);
	return partner;
}

static void put_partners(const struct compiler *compiler)
{
	const struct fleet *fleet = compiler->fleet;

	_Static_assert(PROTO_PARTNERS_MAX >= PROTO_GATEWAYS_MAX, "all others, and the controller");
	compiler->desired->partners = mem_new(PROTO_PARTNERS_MAX, sizeof(struct desired_partner));
	if (compiler->issue->controller)
		add_partner(compiler, compiler->issue->controller)->is_controller = true;
	for (size_t i = 0; i < fleet->gateway_count; i++) {
		const struct fleet_gateway *other = &fleet->gateways[i];
		struct desired_partner *partner;

		if (i == compiler->index || !shares_pool(compiler, i))
			continue;
		partner = add_partner(compiler, other->name);
		partner->address_count = other->address_count;
		memcpy(partner->addresses, other->addresses, sizeof(partner->addresses));
	}
}

static int compare_references(const void *left, const void *right)
{
	return strcmp(
		((const struct fleet_reference *)left)->name, ((const struct fleet_reference *)right)->name);
}

/* "admin,staff"; NULL for none. */
static char *join_groups(const struct fleet_peer *peer)
{
	struct fleet_reference *sorted;
	struct text text = {0};

	if (!peer->group_count)
		return NULL;
	sorted = mem_new(peer->group_count, sizeof(*sorted));
	memcpy(sorted, peer->groups, peer->group_count * sizeof(*sorted));
	qsort(sorted, peer->group_count, sizeof(*sorted), compare_references);
	for (size_t i = 0; i < peer->group_count; i++)
		text_add(&text, "%s%s", i ? "," : "", sorted[i].name);
	free(sorted);
	return text_take(&text);
}

static void put_shares(
	const struct fleet_settings *settings, const struct fleet_peer *peer, struct desired_peer *to)
{
	for (size_t i = 0; i < peer->allowed_ip_count; i++)
		to->share_count += peer->allowed_ips[i].shared;
	if (!to->share_count)
		return;
	to->shares = mem_new(to->share_count, sizeof(*to->shares));
	to->share_count = 0;
	for (size_t i = 0; i < peer->allowed_ip_count; i++) {
		const struct fleet_allowed_ip *from = &peer->allowed_ips[i];

		if (from->shared)
			to->shares[to->share_count++] = (struct desired_share){.prefix = from->prefix,
				.priority = from->priority,
				.probe = from->probe,
				.table = overlap_table(settings, peer, &from->prefix)};
	}
}

static void put_peer(const struct compiler *compiler, const struct fleet_peer *peer,
	const struct fleet_tunnel *tunnel, struct desired_peer *to)
{
	(void)text_copy(to->name, sizeof(to->name), peer->name);
	(void)text_copy(to->tunnel, sizeof(to->tunnel), tunnel->name);
	to->public_key = peer->public_key;
	to->preshared_key_file = mem_text(peer->preshared_key_file);
	to->endpoint = peer->endpoint;
	to->endpoint_host = mem_text(peer->endpoint_host);
	to->endpoint_port = peer->endpoint_port;
	to->keepalive_s = peer->keepalive_s;
	to->unrouted = peer->unrouted;
	to->route_metric = peer->route_metric;
	to->route_table = peer->route_table;
	to->expires_s = peer->expires_s;
	to->groups = join_groups(peer);
	to->allowed_ip_count = peer->allowed_ip_count;
	to->allowed_ips =
		peer->allowed_ip_count ? mem_new(peer->allowed_ip_count, sizeof(*to->allowed_ips)) : NULL;
	for (size_t i = 0; i < peer->allowed_ip_count; i++)
		to->allowed_ips[i] = peer->allowed_ips[i].prefix;
	put_shares(fleet_tunnel_settings(tunnel, compiler->index), peer, to);
}

static void put_peers_of(const struct compiler *compiler, size_t tunnel, size_t *capacity)
{
	const struct fleet *fleet = compiler->fleet;
	struct desired *desired = compiler->desired;

	for (size_t i = 0; i < fleet->peer_count; i++) {
		if (!(fleet->peers[i].on >> tunnel & 1))
			continue;
		desired->peers =
			mem_grow(desired->peers, capacity, desired->peer_count + 1, sizeof(*desired->peers));
		put_peer(compiler, &fleet->peers[i], &fleet->tunnels[tunnel],
			&desired->peers[desired->peer_count++]);
	}
}

static int compare_groups(const void *left, const void *right)
{
	return strcmp(
		((const struct desired_group *)left)->name, ((const struct desired_group *)right)->name);
}

static void put_group(const struct fleet_group *group, struct desired_group *to)
{
	(void)text_copy(to->name, sizeof(to->name), group->name);
	to->may_reach_count = group->may_reach_count;
	if (!group->may_reach_count)
		return;
	to->may_reach = mem_new(group->may_reach_count, sizeof(*to->may_reach));
	memcpy(to->may_reach, group->may_reach, group->may_reach_count * sizeof(*to->may_reach));
}

/* Those that peers of tunnels here are in. */
static void put_groups(const struct compiler *compiler)
{
	const struct fleet *fleet = compiler->fleet;
	struct desired *desired = compiler->desired;
	uint64_t here = 0;
	bool used[PROTO_GROUPS_MAX] = {false};

	for (size_t i = 0; i < fleet->tunnel_count; i++)
		here |= (uint64_t)is_here(compiler, &fleet->tunnels[i]) << i;
	for (size_t i = 0; i < fleet->peer_count; i++)
		for (size_t j = 0; (fleet->peers[i].on & here) && j < fleet->peers[i].group_count; j++)
			used[fleet->peers[i].groups[j].index] = true;
	desired->groups = fleet->group_count ? mem_new(fleet->group_count, sizeof(*desired->groups)) : NULL;
	for (size_t i = 0; i < fleet->group_count; i++)
		if (used[i])
			put_group(&fleet->groups[i], &desired->groups[desired->group_count++]);
	if (desired->group_count)
		qsort(desired->groups, desired->group_count, sizeof(*desired->groups), compare_groups);
}

static int compare_peers(const void *left, const void *right)
{
	return desired_peer_compare(left, right);
}

static void put_peers(const struct compiler *compiler)
{
	struct desired *desired = compiler->desired;
	size_t capacity = 0;

	for (size_t i = 0; i < compiler->fleet->tunnel_count; i++) {
		if (is_here(compiler, &compiler->fleet->tunnels[i]))
			put_peers_of(compiler, i, &capacity);
	}
	if (desired->peer_count)
		qsort(desired->peers, desired->peer_count, sizeof(*desired->peers), compare_peers);
}

static bool has_fence(const struct desired *desired)
{
	for (size_t i = 0; i < desired->endpoint_count; i++)
		if (desired->endpoints[i].isolation == ISOLATION_FENCE)
			return true;
	return false;
}

struct desired *fleet_compile(const struct fleet *fleet, size_t gateway, const struct fleet_issue *issue)
{
	struct compiler compiler = {.fleet = fleet,
		.index = gateway,
		.gateway = &fleet->gateways[gateway],
		.issue = issue,
		.desired = desired_new()};
	struct desired *desired = compiler.desired;

	desired->generation = issue->generation;
	desired->store = issue->store;
	(void)text_copy(desired->fleet, sizeof(desired->fleet), fleet->name);
	(void)text_copy(desired->gateway, sizeof(desired->gateway), compiler.gateway->name);
	desired->address_count = compiler.gateway->address_count;
	memcpy(desired->addresses, compiler.gateway->addresses, sizeof(desired->addresses));
	desired->liveness_ms = fleet->liveness_ms;
	put_tunnels(&compiler);
	put_endpoints(&compiler);
	if (has_fence(desired))
		desired->grant_key = issue->grant_key;
	put_partners(&compiler);
	put_groups(&compiler);
	put_peers(&compiler);
	return desired;
}
