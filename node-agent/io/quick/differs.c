/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/firewall.h"
#include "node-agent/io/quick/handover.h"
#include "node-agent/io/quick/parameter.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/rtnl/sysctl.h"

/* A tunnel is taken over as it runs, and that may not be what its file says. */
enum { TOLD_MAX = 20, DIFFERENCE_MAX = PLAN_TEXT_MAX + 64 };

struct telling {
	struct quick *quick;
	size_t count;
};

static void __attribute__((format(printf, 2, 3))) tell(struct telling *telling, const char *format, ...)
{
	char text[DIFFERENCE_MAX];
	va_list arguments;

	if (telling->count++ >= TOLD_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	quick_say(telling->quick, QUICK_WARNING, "%s differs from what runs: %s", telling->quick->path, text);
}

/* ---- the device ---- */

static const char *peer_difference(unsigned flags)
{
	if (flags & PLAN_PEER_ADD)
		return "is not there";
	if (flags & PLAN_PEER_ALLOWED_IPS)
		return "has other AllowedIPs";
	if (flags & PLAN_PEER_PRESHARED_KEY)
		return "has another PresharedKey";
	if (flags & PLAN_PEER_KEEPALIVE)
		return "has another PersistentKeepalive";
	return "has no Endpoint";
}

static void tell_wireguard(struct telling *telling, const struct plan_wireguard *op)
{
	char key[KEY_TEXT_MAX];

	if (op->set_private_key)
		tell(telling, "PrivateKey");
	if (op->set_listen_port)
		tell(telling, "ListenPort");
	if (op->set_fwmark)
		tell(telling, "FwMark");
	for (size_t i = 0; i < op->change_count; i++)
		tell(telling, "peer %s %s", key_format(&op->changes[i].peer.public_key, key),
			peer_difference(op->changes[i].flags));
}

static void tell_plan(struct telling *telling, const struct plan *plan)
{
	static const unsigned others =
		1u << PLAN_ADDRESS_DELETE | 1u << PLAN_ADDRESS_ADD | 1u << PLAN_LINK_SET;
	char text[PLAN_TEXT_MAX];

	for (size_t i = 0; i < plan->count; i++)
		if (plan->ops[i].kind == PLAN_WIREGUARD_SET)
			tell_wireguard(telling, &plan->ops[i].wireguard);
		else if (others & 1u << plan->ops[i].kind)
			tell(telling, "a reload will `%s'", plan_op_format(&plan->ops[i], text));
}

static void tell_strangers(struct telling *telling, const struct plan_device *live)
{
	const struct quick_memory *memory = &telling->quick->journal.memory;
	char key[KEY_TEXT_MAX];

	for (size_t i = 0; i < live->peer_count; i++)
		if (!quick_memory_find(memory, &live->peers[i].public_key))
			tell(telling, "peer %s runs, and stays", key_format(&live->peers[i].public_key, key));
}

/* What a reload would change, without asking anybody for names: endpoints may have roamed anyway. */
static void tell_device(struct telling *telling, const struct quick_view *view)
{
	struct quick *quick = telling->quick;
	CLEANUP_FREE struct endpoint *endpoints = mem_new(quick->config.peer_count + 1, sizeof(*endpoints));
	struct quick_facts facts = {.name = quick->name,
		.config = &quick->config,
		.sidecar = &quick->sidecar,
		.allowed = &quick->allowed,
		.memory = &quick->journal.memory,
		.endpoints = endpoints,
		.live = quick_view_device(view),
		.public_key = &quick->public_key,
		.mtu = quick->config.mtu ? quick->config.mtu : view->world.links[0].mtu,
		.comes_with_multicast = quick->wg && wg_is_userspace(quick->wg),
		.has_ip4 = true,
		.has_ip6 = quick_family_works(quick, AF_INET6)};
	struct plan_target target = {0};
	struct plan plan;

	for (size_t i = 0; i < quick->config.peer_count; i++)
		if (!quick->config.peers[i].disabled)
			endpoints[i] = quick->config.peers[i].endpoint;
	quick_target_device(&target, &facts);
	plan_init(&plan, &target, &view->world);
	tell_plan(telling, &plan);
	plan_clear(&plan);
	plan_target_clear(&target);
	tell_strangers(telling, facts.live);
}

/* ---- routes, rules, tables ---- */

static void tell_own_table(struct telling *telling)
{
	if (telling->quick->sidecar.forward.is_wanted)
		tell(telling, "`forward' of %.200s is not in force", telling->quick->sidecar_path);
	if (quick_wants_silence(telling->quick))
		tell(telling, "`multicast: false' of %.200s drops none yet", telling->quick->sidecar_path);
}

static void tell_routes(struct telling *telling, const struct quick_handover *handover)
{
	const struct plan_world *target = &handover->target.world;
	char text[PLAN_TEXT_MAX];

	for (size_t i = 0; i < target->route_count; i++) {
		const struct plan_op op = {.kind = PLAN_ROUTE_SET, .route = target->routes[i]};

		if (!quick_handover_has_route(handover, &target->routes[i]))
			tell(telling, "there is no such route: `%s'", plan_op_format(&op, text));
	}
}

static bool has_rule(const struct quick_handover *handover, uint8_t family, bool suppress)
{
	for (size_t i = 0; i < handover->rule_count; i++)
		if (handover->ours[i].rule.family == family &&
			handover->ours[i].rule.has_suppress == suppress)
			return true;
	return false;
}

static void tell_default_route(struct telling *telling, const struct quick_handover *handover, uint8_t family)
{
	const struct quick_route_facts *facts = &handover->routing.facts;
	const char *word = family == AF_INET6 ? "-6 " : "";

	if (!quick_needs_mark(facts, family))
		return;
	if (!has_rule(handover, family, false))
		tell(telling, "no `ip %srule' sends packets without the mark %u to table %u", word,
			facts->mark, facts->mark);
	if (!has_rule(handover, family, true))
		tell(telling, "no `ip %srule' says `lookup main suppress_prefixlength 0' right before it",
			word);
	if (!(family == AF_INET6 ? handover->has_table6 : handover->has_table4))
		tell(telling,
			"there is no table `ip%s wg-quick-%s' in nftables (rules that iptables has stay: "
			"`iptables-save')",
			family == AF_INET6 ? "6" : "", facts->name);
}

static void tell_mark(struct telling *telling, const struct quick_handover *handover)
{
	const char *key = quick_parameter_key(QUICK_VALID_MARK);
	char value[SYSCTL_VALUE_MAX];

	if (quick_routing_needs_mark(&handover->routing) && !handover->routing.view.device->fwmark)
		tell(telling, "its packets have no mark, which default routes need");
	if (quick_needs_mark(&handover->routing.facts, AF_INET) &&
		sysctl_read(key, value, sizeof(value), NULL) >= 0 && strcmp(value, "1") != 0)
		tell(telling, "%s is %s, and a default route needs 1", key, value);
}

void quick_say_differences(struct quick *quick, const struct quick_handover *handover)
{
	struct telling telling = {.quick = quick};

	tell_device(&telling, &handover->routing.view);
	tell_mark(&telling, handover);
	tell_routes(&telling, handover);
	tell_own_table(&telling);
	tell_default_route(&telling, handover, AF_INET);
	tell_default_route(&telling, handover, AF_INET6);
	if (telling.count > TOLD_MAX)
		quick_say(quick, QUICK_WARNING, "%zu more such differences", telling.count - TOLD_MAX);
	if (telling.count)
		quick_say(quick, QUICK_WARNING,
			"%s is adopted as it runs; `holdfast up %s` makes it what the file says", quick->name,
			quick->name);
}
