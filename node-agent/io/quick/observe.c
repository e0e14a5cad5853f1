/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/rule.h"
#include "node-agent/io/rtnl/sysctl.h"

int quick_device(struct quick *quick, struct wg **ret_wg)
{
	int r = quick->wg ? 0 : wg_open(quick->name, WG_TIMEOUT_MS, &quick->wg, quick->err);

	if (r >= 0)
		*ret_wg = quick->wg;
	return r;
}

void quick_forget_device(struct quick *quick)
{
	quick->device_known = false;
}

int quick_read_device(struct quick *quick, const struct wg_device **ret_device)
{
	struct wg *wg;
	int r = 0;

	if (!quick->device_known) {
		wg_device_clear(&quick->device);
		r = quick_device(quick, &wg);
		if (r >= 0)
			r = wg_get(wg, &quick->device, quick->err);
		quick->device_known = r >= 0;
	}
	if (r >= 0)
		*ret_device = &quick->device;
	return r;
}

int quick_set_device(struct quick *quick, const struct wg_change *change)
{
	struct wg *wg;
	int r = quick_device(quick, &wg);

	if (r >= 0)
		r = wg_set(wg, change, quick->err);
	if (r < 0 || !quick->device_known || !wg_device_apply(&quick->device, change))
		quick_forget_device(quick);
	return r;
}

/* Can the host have such addresses? A new device inherits from `default`. */
bool quick_family_works(const struct quick *quick, int family)
{
	char key[SYSCTL_KEY_MAX], value[SYSCTL_VALUE_MAX] = "";

	if (family != AF_INET6)
		return true;
	sysctl_device_key(key, sizeof(key), "ipv6", quick->name, "disable_ipv6");
	if (sysctl_read(key, value, sizeof(value), NULL) < 0 &&
		sysctl_read("net/ipv6/conf/default/disable_ipv6", value, sizeof(value), NULL) < 0)
		return false;
	return !strcmp(value, "0");
}

static int observe_link(struct quick *quick, struct plan_world *world)
{
	struct rtnl_link from;
	struct plan_link *link;
	int r = rtnl_link_get(quick->rtnl, quick->name, &from, NULL);

	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return err_set(quick->err, r, "%s: %s", quick->name, strerror(-r));
	link = plan_world_link(world, quick->name);
	link->mtu = from.mtu;
	link->up = from.up;
	link->multicast = from.flags & IFF_MULTICAST;
	return 0;
}

static int observe_addresses(struct quick *quick, struct quick_view *view)
{
	int r = rtnl_address_list(
		quick->rtnl, quick->name, 0, &view->addresses, &view->address_count, quick->err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < view->address_count; i++)
		plan_world_address(&view->world, quick->name, &view->addresses[i].prefix)->peer =
			view->addresses[i].peer;
	return 0;
}

/* Ours are those on the device with our protocol; what hooks made has another. */
static int observe_routes(struct quick *quick, struct plan_world *world)
{
	struct rtnl_route_filter filter = {.protocol = QUICK_PROTOCOL};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;
	int r = rtnl_route_list(quick->rtnl, &filter, &routes, &count, quick->err);

	for (size_t i = 0; r >= 0 && i < count; i++) {
		struct plan_route *route;

		if (strcmp(routes[i].device, quick->name) != 0)
			continue;
		route = plan_world_route(world);
		route->to = routes[i].to;
		text_copy(route->device, sizeof(route->device), routes[i].device);
		route->table = routes[i].table;
		route->metric = routes[i].metric;
	}
	return r;
}

static bool is_narrow(const struct rtnl_rule *rule)
{
	return rule->has_more || addr_is_set(&rule->from.addr) || addr_is_set(&rule->to.addr) ||
	       rule->iif[0] || rule->oif[0] || (rule->has_fwmark && rule->fwmask != UINT32_MAX) ||
	       rule->action != FR_ACT_TO_TBL;
}

static struct quick_rule from_rule(const struct rtnl_rule *rule)
{
	return (struct quick_rule){
		.rule = {.family = (uint8_t)rule->family,
			.invert = rule->invert,
			.has_fwmark = rule->has_fwmark,
			.has_suppress = rule->has_suppress,
			.priority = rule->priority,
			.fwmark = rule->fwmark,
			.table = rule->table,
			.suppress_prefixlength = rule->has_suppress ? rule->suppress_prefixlength : 0},
		.protocol = rule->protocol,
		.narrow = is_narrow(rule)};
}

int quick_list_rules(struct quick *quick, int family, struct quick_rule **ret_rules, size_t *ret_count)
{
	CLEANUP_FREE struct rtnl_rule *rules = NULL;
	size_t count;
	int r = rtnl_rule_list(quick->rtnl, family, &rules, &count, quick->err);

	if (r < 0)
		return r;
	*ret_rules = mem_new(count + 1, sizeof(**ret_rules));
	for (size_t i = 0; i < count; i++)
		(*ret_rules)[i] = from_rule(&rules[i]);
	*ret_count = count;
	return 0;
}

bool quick_has_journalled(const struct quick *quick, const struct plan_rule *rule)
{
	const struct quick_journal *journal = &quick->journal;

	for (size_t i = 0; i < journal->rule_count; i++)
		if (plan_rule_equal(&journal->rules[i], rule))
			return true;
	return false;
}

/* Two tunnels have rules alike but for their priorities: the journal knows ours. */
static int observe_rules(struct quick *quick, struct plan_world *world)
{
	CLEANUP_FREE struct quick_rule *rules = NULL;
	size_t count;
	int r = quick_list_rules(quick, 0, &rules, &count);

	for (size_t i = 0; r >= 0 && i < count; i++)
		if (rules[i].protocol == QUICK_PROTOCOL && quick_has_journalled(quick, &rules[i].rule))
			*plan_world_rule(world) = rules[i].rule;
	return r;
}

static void observe_peer(struct plan_device *device, const struct wg_peer *from)
{
	struct plan_peer *peer = plan_device_peer(device, &from->public_key);

	peer->preshared_key = from->preshared_key;
	peer->endpoint = from->endpoint;
	peer->keepalive_s = from->keepalive_s;
	peer->allowed_ips = from->allowed_ips;
	peer->allowed_ip_count = from->allowed_ip_count;
}

static int observe_device(struct quick *quick, struct quick_view *view)
{
	struct plan_device *device;
	int r;

	if (!view->world.link_count)
		return 0;
	r = quick_read_device(quick, &view->device);
	if (r < 0)
		return r;
	device = plan_world_device(&view->world, quick->name);
	device->public_key = view->device->public_key;
	device->listen_port = view->device->listen_port;
	device->fwmark = view->device->fwmark;
	for (size_t i = 0; i < view->device->peer_count; i++)
		observe_peer(device, &view->device->peers[i]);
	return 0;
}

int quick_observe(struct quick *quick, struct quick_view *ret_view)
{
	struct quick_view view = {0};
	int r = observe_link(quick, &view.world);

	if (r >= 0 && view.world.link_count)
		r = observe_addresses(quick, &view);
	if (r >= 0)
		r = observe_routes(quick, &view.world);
	if (r >= 0)
		r = quick_observe_host_routes(quick, &view.world);
	if (r >= 0)
		r = observe_rules(quick, &view.world);
	if (r >= 0)
		r = observe_device(quick, &view);
	if (r < 0)
		quick_view_clear(&view);
	else
		*ret_view = view;
	return r;
}

void quick_view_clear(struct quick_view *view)
{
	plan_world_clear(&view->world);
	free(view->addresses);
	*view = (struct quick_view){0};
}

const struct plan_device *quick_view_device(const struct quick_view *view)
{
	return view->device ? &view->world.devices[0] : NULL;
}
