/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/fleet.h"

#include <stdlib.h>
#include <string.h>

static void free_client(struct fleet_client *client)
{
	texts_clear(&client->dns);
	free(client->routes);
}

static void free_settings(struct fleet_settings *settings)
{
	for (size_t i = 0; i < HOOKS; i++)
		texts_clear(&settings->hooks[i]);
	texts_clear(&settings->dns);
}

void fleet_settings_copy(struct fleet_settings *to, const struct fleet_settings *from)
{
	*to = *from;
	for (size_t i = 0; i < HOOKS; i++)
		texts_copy(&to->hooks[i], &from->hooks[i]);
	texts_copy(&to->dns, &from->dns);
}

static void free_tunnel(struct fleet_tunnel *tunnel)
{
	for (size_t i = 0; i < tunnel->override_count; i++)
		free_settings(&tunnel->overrides[i].settings);
	free_settings(&tunnel->settings);
	free(tunnel->overrides);
	free(tunnel->gateways);
	free_client(&tunnel->client);
}

static void free_group(struct fleet_group *group)
{
	free(group->may_reach);
	free_client(&group->client);
}

static void free_peer(struct fleet_peer *peer)
{
	free(peer->preshared_key_file);
	free(peer->endpoint_host);
	free(peer->allowed_ips);
	free(peer->tunnels);
	free(peer->groups);
}

static void free_items(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->endpoint_count; i++)
		free(fleet->endpoints[i].routes);
	for (size_t i = 0; i < fleet->tunnel_count; i++)
		free_tunnel(&fleet->tunnels[i]);
	for (size_t i = 0; i < fleet->group_count; i++)
		free_group(&fleet->groups[i]);
	for (size_t i = 0; i < fleet->peer_count; i++)
		free_peer(&fleet->peers[i]);
	for (size_t i = 0; i < fleet->source_count; i++)
		free(fleet->sources[i]);
}

void fleet_free(struct fleet *fleet)
{
	if (!fleet)
		return;
	free_items(fleet);
	free(fleet->gateways);
	free(fleet->endpoints);
	free(fleet->tunnels);
	free(fleet->groups);
	free(fleet->peers);
	free(fleet->sources);
	free(fleet);
}

const struct fleet_gateway *fleet_find_gateway(const struct fleet *fleet, const char *name)
{
	for (size_t i = 0; i < fleet->gateway_count; i++) {
		if (!strcmp(fleet->gateways[i].name, name))
			return &fleet->gateways[i];
	}
	return NULL;
}

const struct fleet_endpoint *fleet_find_endpoint(const struct fleet *fleet, const char *name)
{
	for (size_t i = 0; i < fleet->endpoint_count; i++) {
		if (!strcmp(fleet->endpoints[i].name, name))
			return &fleet->endpoints[i];
	}
	return NULL;
}

const struct fleet_reference *fleet_tunnel_gateways(
	const struct fleet *fleet, const struct fleet_tunnel *tunnel, size_t *ret_count)
{
	const struct fleet_endpoint *endpoint;

	if (tunnel->endpoint == FLEET_NO_ENDPOINT) {
		*ret_count = tunnel->gateway_count;
		return tunnel->gateways;
	}
	endpoint = &fleet->endpoints[tunnel->endpoint];
	*ret_count = endpoint->gateway_count;
	return endpoint->gateways;
}

bool fleet_tunnel_is_on(const struct fleet *fleet, const struct fleet_tunnel *tunnel, size_t gateway)
{
	size_t count;
	const struct fleet_reference *gateways = fleet_tunnel_gateways(fleet, tunnel, &count);

	for (size_t i = 0; i < count; i++) {
		if (gateways[i].index == gateway)
			return true;
	}
	return false;
}

const struct fleet_settings *fleet_tunnel_settings(const struct fleet_tunnel *tunnel, size_t gateway)
{
	for (size_t i = 0; i < tunnel->override_count; i++) {
		if (tunnel->overrides[i].gateway.index == gateway)
			return &tunnel->overrides[i].settings;
	}
	return &tunnel->settings;
}

const char *fleet_gateway_interface(const struct fleet_gateway *gateway, const char *role)
{
	for (size_t i = 0; i < gateway->interface_count; i++) {
		if (!strcmp(gateway->interfaces[i].role, role))
			return gateway->interfaces[i].name;
	}
	return NULL;
}

static void override_client(struct fleet_client *client, const struct fleet_client *by)
{
	if (by->has_dns) {
		client->has_dns = true;
		client->dns = by->dns;
	}
	if (by->has_mtu) {
		client->has_mtu = true;
		client->mtu = by->mtu;
	}
	if (by->has_routes) {
		client->has_routes = true;
		client->routes = by->routes;
		client->route_count = by->route_count;
	}
	if (by->has_keepalive) {
		client->has_keepalive = true;
		client->keepalive_s = by->keepalive_s;
	}
}

struct fleet_client fleet_client_of(
	const struct fleet *fleet, const struct fleet_tunnel *tunnel, const struct fleet_peer *peer)
{
	struct fleet_client client = tunnel->client;

	for (size_t i = 0; i < peer->group_count; i++)
		override_client(&client, &fleet->groups[peer->groups[i].index].client);
	return client;
}
