/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/base/text.h"
#include "node-agent/io/reconcile/reconcile_int.h"
#include "node-agent/io/rtnl/sysctl.h"

/*
 * A plan without its doing: firewall and kernel parameters are tried as far as the kernel lets itself be asked, and IPv6 where it is off is found by
 * looking. Routing netlink has no way to ask whether it would.
 */
struct trial {
	const struct plan_target *target;
	char device[PROTO_INTERFACE_MAX + 1]; /* looked at last: 100,000 routes lead into few devices */
	bool has_ip6;
};

static bool is_tunnel(const struct trial *trial, const char *device)
{
	return plan_world_find_device(&trial->target->world, device);
}

/* A device that is yet to be made gets what others get by default. A kernel without IPv6 has no such parameter. */
static bool reads_disabled(const char *device, char *key, size_t size)
{
	char value[SYSCTL_VALUE_MAX];
	int r = sysctl_read(
		sysctl_device_key(key, size, "ipv6", device, "disable_ipv6"), value, sizeof(value), NULL);

	if (r == -ENOENT)
		r = sysctl_read(sysctl_device_key(key, size, "ipv6", "default", "disable_ipv6"), value,
			sizeof(value), NULL);
	return r < 0 || strcmp(value, "0") != 0;
}

/* addrconf_add_dev(), net/ipv6/addrconf.c, and fib6_nh_init(), net/ipv6/route.c: all but lo. */
static int try_ip6(struct trial *trial, const char *device, const struct prefix *prefix, struct err *err)
{
	char key[SYSCTL_KEY_MAX], text[PREFIX_TEXT_MAX];

	if (prefix->addr.family != AF_INET6 || !device[0] || !strcmp(device, "lo") ||
		(trial->has_ip6 && !strcmp(trial->device, device)))
		return 0;
	trial->has_ip6 = !reads_disabled(device, key, sizeof(key));
	text_copy(trial->device, sizeof(trial->device), device);
	if (trial->has_ip6)
		return 0;
	return err_set(err, -EACCES,
		"%s %s: the kernel would refuse %s, IPv6 is disabled there: sysctl -w %s=0, or take what is "
		"IPv6 there out of the fleet file",
		is_tunnel(trial, device) ? "tunnel" : "interface", device,
		prefix_format(prefix, text, sizeof(text)), key);
}

static int try_operation(struct trial *trial, const struct plan_op *op, struct err *err)
{
	switch (op->kind) {
	case PLAN_SYSCTL_SET:
		return sysctl_try(op->sysctl.key, err);
	case PLAN_ADDRESS_ADD:
		return try_ip6(trial, op->address.device, &op->address.prefix, err);
	case PLAN_ROUTE_SET:
		return try_ip6(trial, op->route.device, &op->route.to, err);
	case PLAN_FIREWALL_LOAD:
	case PLAN_OFFLOAD_SET:
	case PLAN_RULE_DELETE:
	case PLAN_ROUTE_DELETE:
	case PLAN_ADDRESS_DELETE:
	case PLAN_LINK_DELETE:
	case PLAN_LINK_CREATE:
	case PLAN_WIREGUARD_SET:
	case PLAN_LINK_SET:
	case PLAN_RULE_ADD:
		break;
	}
	return 0;
}

/* Devices that are there, without their peers: wireguard-go takes long to tell of many. */
static void see_devices(struct reconcile *reconcile, const struct desired *desired, struct plan_world *world)
{
	struct wg *wg;

	for (size_t i = 0; i < desired->tunnel_count; i++)
		if (reconcile_wg(reconcile, desired->tunnels[i].name, &wg, NULL) >= 0)
			plan_world_device(world, desired->tunnels[i].name);
}

static int try_plan(
	struct reconcile *reconcile, struct reconcile_input *input, struct plan_world *world, struct err *err)
{
	struct underlay underlay = {.reconcile = reconcile, .desired = input->facts.desired};
	struct plan_target target;
	struct trial trial = {.target = &target};
	struct plan plan;
	int r = 0;

	input->facts.observed = world;
	input->facts.underlay = observe_underlay;
	input->facts.underlay_context = &underlay;
	plan_target_init(&target, &input->facts);
	underlay_clear(&underlay);
	observe_sysctls(&target, world);
	plan_init(&plan, &target, world);
	for (size_t i = 0; r >= 0 && i < plan.count; i++)
		r = try_operation(&trial, &plan.ops[i], err);
	plan_clear(&plan);
	plan_target_clear(&target);
	return r;
}

int reconcile_try(struct reconcile *reconcile, const struct reconcile_input *input, struct err *err)
{
	struct reconcile_input mine = *input;
	struct plan_world world = {0};
	int r = nft_try(reconcile->nft, input->ruleset, err);

	if (r >= 0)
		r = observe_links(reconcile, &world, err);
	if (r >= 0)
		r = observe_addresses(reconcile, &world, err);
	if (r >= 0) {
		see_devices(reconcile, input->facts.desired, &world);
		r = try_plan(reconcile, &mine, &world, err);
	}
	plan_world_clear(&world);
	return r;
}
