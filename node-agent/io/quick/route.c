/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/firewall/firewall.h"
#include "node-agent/io/quick/quick_int.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/rule.h"
#include "node-agent/io/rtnl/sysctl.h"

/* Routes of what the device holds; for default routes a mark, rules, the firewall and a kernel parameter. */

struct routing {
	struct quick_view view;
	struct quick_route_facts facts;
	struct prefix *allowed, *covering; /* owned */
};

static void routing_clear(struct routing *routing)
{
	quick_view_clear(&routing->view);
	free(routing->allowed);
	free(routing->covering);
}

/* ---- what the device holds ---- */

static void take_live_allowed(struct routing *routing)
{
	const struct wg_device *device = &routing->view.device;
	size_t count = 0;

	for (size_t i = 0; i < device->peer_count; i++)
		count += device->peers[i].allowed_ip_count;
	routing->allowed = mem_new(count + 1, sizeof(*routing->allowed));
	for (size_t i = 0; i < device->peer_count; i++)
		for (size_t j = 0; j < device->peers[i].allowed_ip_count; j++)
			routing->allowed[routing->facts.allowed_count++] = device->peers[i].allowed_ips[j];
}

/* What a dry run would find: the file's own, and the connected routes that its addresses will make. */
static void take_file_allowed(struct quick *quick, struct routing *routing)
{
	size_t count = quick->config.peer_count ? quick->allowed.first[quick->config.peer_count] : 0;

	routing->allowed =
		count ? mem_copy(quick->allowed.prefixes, count * sizeof(*routing->allowed)) : NULL;
	routing->facts.allowed_count = count;
	routing->covering = quick_connected(&quick->config, &routing->facts.covering_count);
}

static int take_covering(struct quick *quick, struct routing *routing)
{
	struct rtnl_route_filter filter = {.table = RT_TABLE_MAIN, .ifindex = quick->journal.ifindex};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;
	int r = rtnl_route_list(quick->rtnl, &filter, &routes, &count, quick->err);

	if (r < 0)
		return r;
	routing->covering = mem_new(count + 1, sizeof(*routing->covering));
	for (size_t i = 0; i < count; i++)
		if (routes[i].protocol != QUICK_PROTOCOL)
			routing->covering[routing->facts.covering_count++] = routes[i].to;
	return 0;
}

static int look(struct quick *quick, struct routing *routing)
{
	int r = quick_observe(quick, &routing->view);

	if (r < 0)
		return r;
	routing->facts.name = quick->name;
	routing->facts.table = quick->config.table;
	routing->facts.table_number = quick->table_number;
	routing->facts.has_ip4 = quick_family_works(quick, AF_INET);
	routing->facts.has_ip6 = quick_family_works(quick, AF_INET6);
	if (!routing->view.has_device || quick->options->dry_run) {
		take_file_allowed(quick, routing);
		r = 0;
	} else {
		take_live_allowed(routing);
		r = take_covering(quick, routing);
	}
	routing->facts.allowed = routing->allowed;
	routing->facts.covering = routing->covering;
	return r;
}

/* ---- the mark ---- */

static int free_mark(struct quick *quick, uint32_t *ret_mark)
{
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	CLEANUP_FREE uint32_t *tables = NULL;
	struct rtnl_route_filter all = {0};
	size_t count, used = 0;
	int r = rtnl_route_list(quick->rtnl, &all, &routes, &count, quick->err);

	if (r < 0)
		return r;
	tables = mem_new(count + 1, sizeof(*tables));
	for (size_t i = 0; i < count; i++)
		if (routes[i].table >= QUICK_MARK_FIRST)
			tables[used++] = routes[i].table;
	*ret_mark = quick_free_mark(tables, used);
	return 0;
}

static int set_mark(struct quick *quick, uint32_t mark)
{
	struct wg_change change = {.flags = WG_SET_FWMARK, .fwmark = mark};
	struct wg *wg;
	int r;

	quick_say(quick, QUICK_STEP, "wg set %s fwmark %u", quick->name, mark);
	if (quick->options->dry_run)
		return 0;
	r = quick_device(quick, &wg);
	return r < 0 ? r : wg_set(wg, &change, quick->err);
}

static bool needs_mark(const struct routing *routing)
{
	return quick_needs_mark(&routing->facts, AF_INET) || quick_needs_mark(&routing->facts, AF_INET6);
}

/* The device's own, if it has one: the file's, a hook's, or ours of before. */
static int choose_mark(struct quick *quick, struct routing *routing)
{
	struct quick_journal *journal = &quick->journal;
	uint32_t live = routing->view.has_device ? routing->view.device.fwmark : quick->config.fwmark;
	int r = 0;

	if (!needs_mark(routing)) {
		bool chosen = journal->mark && journal->mark == live && !quick->config.has_fwmark;

		journal->mark = 0;
		return chosen ? set_mark(quick, 0) : 0;
	}
	if (live) {
		if (journal->mark != live)
			journal->mark = 0;
		routing->facts.mark = live;
		return 0;
	}
	if (!journal->mark)
		r = free_mark(quick, &journal->mark);
	if (r < 0)
		return r;
	routing->facts.mark = journal->mark;
	return set_mark(quick, journal->mark);
}

/* ---- the rules ---- */

static bool had_before(const struct quick *quick, uint8_t family, uint32_t mark, struct quick_priorities *ret)
{
	bool not_ours = false, suppress = false;

	for (size_t i = 0; i < quick->journal.rule_count; i++) {
		const struct plan_rule *rule = &quick->journal.rules[i];

		if (rule->family != family)
			continue;
		if (rule->invert && rule->fwmark == mark) {
			ret->not_ours = rule->priority;
			not_ours = true;
		} else if (rule->has_suppress) {
			ret->suppress = rule->priority;
			suppress = true;
		}
	}
	return not_ours && suppress;
}

static int choose_priorities(
	struct quick *quick, const struct routing *routing, uint8_t family, struct quick_priorities *ret)
{
	CLEANUP_FREE struct rtnl_rule *rules = NULL;
	CLEANUP_FREE struct quick_seen_rule *seen = NULL;
	size_t count;
	int r;

	if (!quick_needs_mark(&routing->facts, family) || had_before(quick, family, routing->facts.mark, ret))
		return 0;
	r = rtnl_rule_list(quick->rtnl, family, &rules, &count, quick->err);
	if (r < 0)
		return r;
	seen = mem_new(count + 1, sizeof(*seen));
	for (size_t i = 0; i < count; i++)
		seen[i] = (struct quick_seen_rule){rules[i].priority, rules[i].table};
	return quick_choose_priorities(seen, count, ret, quick->err);
}

/* ---- the firewall ---- */

static int firewall_ruleset(struct quick *quick, const struct routing *routing, struct fw_ruleset **ret)
{
	CLEANUP_FREE struct prefix *addresses = mem_new(routing->view.address_count + 1, sizeof(*addresses));
	struct firewall_tunnel tunnel = {.interface = quick->name,
		.fwmark = routing->facts.mark,
		.addresses = addresses,
		.address_count = routing->view.address_count,
		.default_ip4 = quick_needs_mark(&routing->facts, AF_INET),
		.default_ip6 = quick_needs_mark(&routing->facts, AF_INET6)};
	char scope[FW_SCOPE_MAX + 1];
	struct firewall firewall = {.scope = scope, .tunnels = &tunnel, .tunnel_count = 1};

	snprintf(scope, sizeof(scope), "up %s", quick->name);
	for (size_t i = 0; i < routing->view.address_count; i++)
		addresses[i] = routing->view.addresses[i].prefix;
	return firewall_build(&firewall, ret, quick->err);
}

static int load_firewall(struct quick *quick, const struct routing *routing)
{
	struct fw_ruleset *ruleset = NULL;
	bool changed = false;
	int r;

	if (!quick->journal.firewall)
		return 0;
	if (quick->options->dry_run) {
		quick_say(quick, QUICK_STEP, "nft add tables wg-quick-%s", quick->name);
		return 0;
	}
	r = quick->nft ? 0 : nft_open(&quick->nft, quick->err);
	if (r >= 0)
		r = firewall_ruleset(quick, routing, &ruleset);
	if (r >= 0)
		r = nft_apply(quick->nft, ruleset, NULL, 0, &changed, quick->err);
	if (r >= 0 && changed)
		quick_say(quick, QUICK_STEP, "nft add tables wg-quick-%s", quick->name);
	fw_ruleset_free(ruleset);
	return r;
}

/* ---- all together ---- */

/* Before anything of it is done: what is there after a SIGKILL, is ours. */
static int note(struct quick *quick, const struct plan_target *target, const struct routing *routing)
{
	static const char key[] = "net/ipv4/conf/all/src_valid_mark";
	struct quick_journal *journal = &quick->journal;
	char value[SYSCTL_VALUE_MAX] = "";

	journal->firewall |= needs_mark(routing);
	journal->needs_valid_mark = quick_needs_mark(&routing->facts, AF_INET);
	if (journal->needs_valid_mark && !journal->valid_mark[0] &&
		sysctl_read(key, value, sizeof(value), NULL) >= 0 && strcmp(value, "1") != 0)
		text_copy(journal->valid_mark, sizeof(journal->valid_mark), value);
	for (size_t i = 0; i < target->world.rule_count; i++) {
		bool known = false;

		for (size_t j = 0; j < journal->rule_count; j++)
			known |= plan_rule_equal(&journal->rules[j], &target->world.rules[i]);
		if (!known && journal->rule_count < QUICK_RULES_MAX)
			journal->rules[journal->rule_count++] = target->world.rules[i];
	}
	return quick->options->dry_run ? 0 : quick_journal_write(quick);
}

/* After all of it: rules that went are no longer ours. */
static void settle(struct quick *quick, const struct plan_target *target, const struct routing *routing)
{
	struct quick_journal *journal = &quick->journal;

	journal->firewall = needs_mark(routing);
	journal->rule_count = 0;
	for (size_t i = 0; i < target->world.rule_count && i < QUICK_RULES_MAX; i++)
		journal->rules[journal->rule_count++] = target->world.rules[i];
}

static void observe_valid_mark(struct plan_world *world)
{
	static const char key[] = "net/ipv4/conf/all/src_valid_mark";
	char value[SYSCTL_VALUE_MAX];

	if (sysctl_read(key, value, sizeof(value), NULL) >= 0)
		plan_world_sysctl(world, key, value);
}

/* Whose route is in the way? */
static int explain(struct quick *quick, const struct plan *plan, int r)
{
	struct rtnl_route_filter all = {0};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	char text[RTNL_ROUTE_TEXT_MAX];
	struct err err = *quick->err;
	size_t count;

	if (r != -EEXIST || rtnl_route_list(quick->rtnl, &all, &routes, &count, NULL) < 0)
		return r;
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_route *wanted = &plan->ops[i].route;

		if (plan->ops[i].kind != PLAN_ROUTE_SET)
			continue;
		for (size_t j = 0; j < count; j++)
			if (routes[j].table == wanted->table && routes[j].metric == wanted->metric &&
				prefix_equal(&routes[j].to, &wanted->to) &&
				strcmp(routes[j].device, quick->name) != 0)
				return err_set(quick->err, r, "%.300s (there is: %s)", err.text,
					rtnl_route_format(&routes[j], text, sizeof(text)));
	}
	return r;
}

static int make(struct quick *quick, struct routing *routing)
{
	static const unsigned parameters = 1u << PLAN_SYSCTL_SET,
			      rest = 1u << PLAN_RULE_DELETE | 1u << PLAN_ROUTE_DELETE | 1u << PLAN_RULE_ADD |
				     1u << PLAN_ROUTE_SET;
	struct plan_target target = {0};
	struct plan plan;
	int r;

	quick_target_routes(&target, &routing->facts);
	observe_valid_mark(&routing->view.world);
	plan_init(&plan, &target, &routing->view.world);
	r = note(quick, &target, routing);
	if (r >= 0)
		r = quick_apply(quick, &plan, parameters);
	if (r >= 0)
		r = load_firewall(quick, routing);
	if (r >= 0)
		r = explain(quick, &plan, quick_apply(quick, &plan, rest));
	if (r >= 0)
		settle(quick, &target, routing);
	plan_clear(&plan);
	plan_target_clear(&target);
	return r;
}

static void warn_of_leak(struct quick *quick, const struct routing *routing)
{
	struct rtnl_route_filter filter = {.family = AF_INET6, .table = RT_TABLE_MAIN};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;

	if (!quick_needs_mark(&routing->facts, AF_INET) || quick_needs_mark(&routing->facts, AF_INET6) ||
		rtnl_route_list(quick->rtnl, &filter, &routes, &count, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (!routes[i].to.length && routes[i].type != RTN_UNREACHABLE) {
			quick_say(quick, QUICK_WARNING,
				"IPv6 does not go through %s (no ::/0 in AllowedIPs) but has a default route "
				"of its own: "
				"what is sent over IPv6 leaves in the open",
				quick->name);
			return;
		}
}

int quick_make_routes(struct quick *quick)
{
	struct routing routing = {0};
	int r = quick_lock_routes(quick);

	if (r >= 0)
		r = look(quick, &routing);
	if (r >= 0)
		r = choose_mark(quick, &routing);
	if (r >= 0)
		r = choose_priorities(quick, &routing, AF_INET, &routing.facts.priorities4);
	if (r >= 0)
		r = choose_priorities(quick, &routing, AF_INET6, &routing.facts.priorities6);
	if (r >= 0)
		r = make(quick, &routing);
	quick_unlock_routes(quick);
	if (r >= 0)
		warn_of_leak(quick, &routing);
	routing_clear(&routing);
	return r;
}
