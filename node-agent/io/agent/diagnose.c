/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/io/clock.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/nft/obstacle.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/sysctl.h"

enum { RP_FILTER_STRICT = 1 }; /* ip-sysctl.rst: 0 off, 1 strict, 2 loose */

static int read_rp_filter(const char *device)
{
	char key[SYSCTL_KEY_MAX], value[SYSCTL_VALUE_MAX];

	sysctl_device_key(key, sizeof(key), "ipv4", device, "rp_filter");
	return sysctl_read(key, value, sizeof(value), NULL) < 0 ? 0 : atoi(value);
}

/* The kernel takes the larger of the device's own and that of all. */
static bool is_strict(const char *device)
{
	int all = read_rp_filter("all"), own = read_rp_filter(device);

	return (all > own ? all : own) == RP_FILTER_STRICT;
}

/* Routes back lead through the tunnel only where its own table is asked, and reverse path filtering does not ask. */
static void warn_of_strict(const char *tunnel, struct health *health)
{
	health_warning(health,
		"rp_filter is strict (1) on %s, whose routes are not in the main table: what arrives through "
		"it is dropped; set net.ipv4.conf.%s.rp_filter=2",
		tunnel, tunnel);
}

static void check_tunnel(const struct desired_tunnel *tunnel, struct health *health)
{
	if (tunnel->table != TABLE_AUTO && is_strict(tunnel->name))
		warn_of_strict(tunnel->name, health);
}

/* Docker, ufw and firewalld drop what they do not know. */
static void check_forwarding(
	const struct agent *agent, const struct desired_tunnel *tunnel, struct health *health)
{
	char chain[NFT_OBSTACLE_MAX];

	if (tunnel->forward.policy == FORWARD_UNMANAGED ||
		nft_find_obstacle(reconcile_nft(agent->reconcile), tunnel->name, chain) < 0 || !chain[0])
		return;
	health_warning(health,
		"another firewall's chain (%s) drops what it does not know, and no rule there names %s: "
		"allow it there (Docker: in DOCKER-USER; ufw: ufw route allow in on %s; firewalld: a zone)",
		chain, tunnel->name, tunnel->name);
}

static bool is_one(const char *device, const char *name)
{
	char key[SYSCTL_KEY_MAX], value[SYSCTL_VALUE_MAX];

	sysctl_device_key(key, sizeof(key), "ipv6", device, name);
	return sysctl_read(key, value, sizeof(value), NULL) >= 0 && atoi(value) == 1;
}

static bool has_ipv6(const struct desired_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->dial_count; i++)
		if (endpoint->dial[i].family == AF_INET6)
			return true;
	return false;
}

/* RFC 9637: nobody is there, so only a default route leads to it. */
static bool leaves_by_ipv6(const struct agent *agent)
{
	struct rtnl_route_query query = {0};
	struct rtnl_route route;

	return addr_parse("3fff:fff::1", &query.to, NULL) >= 0 &&
	       rtnl_route_lookup(reconcile_rtnl(agent->reconcile), &query, &route, NULL) >= 0;
}

/* A router that forwards takes no default route from another's advertisements, unless told to (ip-sysctl.rst). */
static void check_advertisements(
	const struct agent *agent, const struct desired_endpoint *endpoint, struct health *health)
{
	const char *device = endpoint->dial_interface;

	if (!device[0] || !has_ipv6(endpoint) || leaves_by_ipv6(agent) || !is_one(device, "forwarding") ||
		!is_one(device, "accept_ra"))
		return;
	health_warning(health,
		"IPv6 is forwarded, so %s ignores router advertisements (accept_ra=1), and there is no IPv6 "
		"default route: set net.ipv6.conf.%s.accept_ra=2, or the route",
		device, device);
}

/* Clients dial the outer interface from everywhere; strict drops those whose way back leaves by another. */
static void check_endpoint(
	const struct agent *agent, const struct desired_endpoint *endpoint, struct health *health)
{
	const struct way *way = agent->underlay.ways.count ? &agent->underlay.ways.items[0] : NULL;

	if (!way || !way->reachable || !endpoint->dial_interface[0] ||
		!strcmp(way->device, endpoint->dial_interface) || !is_strict(endpoint->dial_interface))
		return;
	health_warning(health,
		"rp_filter is strict (1) on %s, and the default route leaves by %s: clients' packets are "
		"dropped; "
		"set net.ipv4.conf.%s.rp_filter=2",
		endpoint->dial_interface, way->device, endpoint->dial_interface);
}

static void check_kept(const struct agent *agent, const struct tunnel *tunnel, struct health *health)
{
	const struct quick_kept *kept = &tunnel->kept;
	bool alone = config_is_alone(agent->config); /* then these are reasons */

	if (repair_is_fought(&tunnel->repair, clock_now_ms()))
		health_warning(health,
			"somebody undoes what is repaired of %s again and again: see the events (networkd, "
			"NetworkManager, a DHCP client?)",
			tunnel->name);
	if (kept->state == QUICK_KEPT_LOST && !alone)
		health_warning(health, "the link of %s is gone: holdfast up %s, or holdfast down %s",
			tunnel->name, tunnel->name, tunnel->name);
	else if (tunnel->failure[0] && !alone)
		health_warning(health, "%s: %s", tunnel->name, tunnel->failure);
	if (kept->needs_mark && kept->mark != kept->rules_mark)
		health_warning(health,
			"%s marks its packets with %u, but its rules go by %u: they may come back into it; "
			"wg set %s fwmark %u",
			tunnel->name, kept->mark, kept->rules_mark, tunnel->name, kept->rules_mark);
	if (kept->has_other_table && tunnel_is_in(tunnel, NULL) && is_strict(tunnel->name))
		warn_of_strict(tunnel->name, health);
}

static void check_names(const struct agent *agent, struct health *health)
{
	const char *name;
	size_t unresolved = names_unresolved(agent, &name);

	if (unresolved == 1)
		health_warning(health, "%s, where a peer is, could not be resolved yet", name);
	else if (unresolved)
		health_warning(
			health, "%zu names of peers could not be resolved yet, such as %s", unresolved, name);
}

void agent_diagnose(const struct agent *agent, struct health *health)
{
	const struct desired *desired = agent->held.desired;

	if (repair_is_fought(&agent->repair, clock_now_ms()))
		health_warning(health,
			"somebody undoes what is repaired here again and again: see the events (networkd, "
			"NetworkManager, a DHCP client?)");
	agent_certificate_warn(agent, health);
	check_names(agent, health);
	standing_diagnose(agent, health);
	checking_diagnose(agent, health);
	if (tunnels_left_out(agent)[0])
		health_warning(health, "more than %d tunnels of `holdfast up`: not kept are %s",
			(int)QUICK_KEPT_MAX, tunnels_left_out(agent));
	for (size_t i = 0; i < tunnels_count(agent); i++)
		check_kept(agent, tunnels_at(agent, i), health);
	for (size_t i = 0; desired && i < desired->tunnel_count; i++) {
		check_tunnel(&desired->tunnels[i], health);
		check_forwarding(agent, &desired->tunnels[i], health);
	}
	for (size_t i = 0; desired && i < desired->endpoint_count; i++) {
		check_endpoint(agent, &desired->endpoints[i], health);
		check_advertisements(agent, &desired->endpoints[i], health);
	}
}
