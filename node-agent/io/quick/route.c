/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/quick/host_route.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/firewall.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/keeping.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/parameter.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/rule.h"
#include "node-agent/io/rtnl/sysctl.h"

/* Routes of what the device holds; for default routes and forwarding a mark, rules, the firewall, kernel parameters. */

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

	quick_say(quick, QUICK_STEP, "wg set %s fwmark %u", quick->name, mark);
	return quick->options->dry_run ? 0 : quick_set_device(quick, &change);
}

/* The device's own, if it has one: the file's, a hook's, or ours of before. */
static int choose_mark(struct quick *quick, struct quick_routing *routing)
{
	struct quick_journal *journal = &quick->journal;
	uint32_t live = routing->view.device ? routing->view.device->fwmark : quick->config.fwmark;
	int r = 0;

	if (!quick_routing_needs_mark(routing)) {
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

bool quick_had_rules(const struct quick *quick, uint8_t family, uint32_t mark, struct quick_priorities *ret)
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

static int choose_priorities(struct quick *quick, const struct quick_routing *routing, uint8_t family,
	struct quick_priorities *ret)
{
	CLEANUP_FREE struct rtnl_rule *rules = NULL;
	CLEANUP_FREE struct quick_seen_rule *seen = NULL;
	size_t count;
	int r;

	if (!quick_needs_mark(&routing->facts, family) ||
		quick_had_rules(quick, family, routing->facts.mark, ret))
		return 0;
	r = rtnl_rule_list(quick->rtnl, family, &rules, &count, quick->err);
	if (r < 0)
		return r;
	seen = mem_new(count + 1, sizeof(*seen));
	for (size_t i = 0; i < count; i++)
		seen[i] = (struct quick_seen_rule){rules[i].priority, rules[i].table};
	return quick_choose_priorities(seen, count, ret, quick->err);
}

/* ---- all together ---- */

/* Before anything of it is done: what is there after a SIGKILL, is ours. */
static int note(struct quick *quick, const struct plan_target *target, const struct quick_routing *routing)
{
	struct quick_journal *journal = &quick->journal;

	journal->firewall |= quick_needs_firewall(quick, routing);
	journal->forwards = quick->sidecar.forward.is_wanted;
	journal->silent = quick_wants_silence(quick);
	quick_parameters_note(quick, &target->world);
	for (size_t i = 0; i < target->world.rule_count; i++) {
		bool known = false;

		for (size_t j = 0; j < journal->rule_count; j++)
			known |= plan_rule_equal(&journal->rules[j], &target->world.rules[i]);
		if (!known && journal->rule_count < QUICK_RULES_MAX)
			journal->rules[journal->rule_count++] = target->world.rules[i];
	}
	quick_note_host_routes(quick, target);
	return quick->options->dry_run ? 0 : quick_journal_write(quick);
}

/* After all of it: rules that went are no longer ours, parameters that nothing needs are given back. */
static int settle(struct quick *quick, const struct plan_target *target, const struct quick_routing *routing)
{
	struct quick_journal *journal = &quick->journal;

	journal->firewall = quick_needs_firewall(quick, routing);
	journal->rule_count = 0;
	for (size_t i = 0; i < target->world.rule_count && i < QUICK_RULES_MAX; i++)
		journal->rules[journal->rule_count++] = target->world.rules[i];
	quick_settle_host_routes(quick, target);
	return quick_parameters_give_back(quick, quick_parameters_unneeded(journal));
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

/* Forwarding makes a router of the host, and the kernel then forgets what other routers told it (addrconf.c). */
static void warn_of_advertisements(struct quick *quick)
{
	struct rtnl_route_filter filter = {.family = AF_INET6, .protocol = RTPROT_RA};
	char key[SYSCTL_KEY_MAX], value[SYSCTL_VALUE_MAX];
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;

	if (!quick->journal.parameters[QUICK_FORWARD6].before[0] ||
		rtnl_route_list(quick->rtnl, &filter, &routes, &count, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		sysctl_device_key(key, sizeof(key), "ipv6", routes[i].device, "accept_ra");
		if (routes[i].to.length || sysctl_read(key, value, sizeof(value), NULL) < 0 ||
			strcmp(value, "1") != 0)
			continue;
		quick_say(quick, QUICK_WARNING,
			"the IPv6 default route on %s comes from router advertisements, which a host that "
			"forwards ignores: it goes now; set net.ipv6.conf.%s.accept_ra=2 before",
			routes[i].device, routes[i].device);
		return;
	}
}

static int make(struct quick *quick, struct quick_routing *routing)
{
	static const unsigned parameters = 1u << PLAN_SYSCTL_SET,
			      rest = 1u << PLAN_RULE_DELETE | 1u << PLAN_ROUTE_DELETE | 1u << PLAN_RULE_ADD |
				     1u << PLAN_ROUTE_SET;
	struct plan_target target = {0};
	struct plan plan;
	int r;

	quick_target_routes(&target, &routing->facts);
	quick_parameters_observe(&routing->view.world);
	plan_init(&plan, &target, &routing->view.world);
	quick_order_host_routes(&plan, quick->name);
	r = quick->keeping ? quick_keep_host_routes(quick, &target) : note(quick, &target, routing);
	if (r >= 0)
		r = quick_load_firewall(quick, routing);
	if (r >= 0 && !quick->keeping)
		warn_of_advertisements(quick);
	if (r >= 0)
		r = quick_apply(quick, &plan, parameters);
	if (r >= 0)
		r = explain(quick, &plan, quick_apply(quick, &plan, rest));
	if (r >= 0)
		r = quick->keeping ? quick_keep_settled(quick, &target) : settle(quick, &target, routing);
	plan_clear(&plan);
	plan_target_clear(&target);
	return r;
}

static void warn_of_leak(struct quick *quick, const struct quick_routing *routing)
{
	struct rtnl_route_filter filter = {.family = AF_INET6, .table = RT_TABLE_MAIN};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;

	if (!quick_takes_all(&routing->facts, AF_INET) || quick_takes_all(&routing->facts, AF_INET6) ||
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

static int make_routes(struct quick *quick, bool ahead, struct quick_routing *routing)
{
	bool dry_run = quick->options->dry_run;
	int r = quick_lock_routes(quick);

	if (r >= 0)
		r = quick_routing_look(quick, dry_run, routing);
	if (r >= 0)
		r = quick_look_around(quick, ahead || dry_run, routing);
	if (r >= 0)
		r = quick->keeping ? quick_keep_mark(quick, routing) : choose_mark(quick, routing);
	if (r >= 0)
		r = choose_priorities(quick, routing, AF_INET, &routing->facts.priorities4);
	if (r >= 0)
		r = choose_priorities(quick, routing, AF_INET6, &routing->facts.priorities6);
	if (r >= 0)
		r = make(quick, routing);
	quick_unlock_routes(quick);
	return r;
}

int quick_make_routes(struct quick *quick)
{
	struct quick_routing routing = {0};
	int r = make_routes(quick, false, &routing);

	if (r >= 0 && !quick->keeping)
		warn_of_leak(quick, &routing);
	quick_routing_clear(&routing);
	return r;
}

int quick_make_ways(struct quick *quick)
{
	struct quick_routing routing = {0};
	int r = quick->sidecar.host_routes ? make_routes(quick, true, &routing) : 0;

	quick_routing_clear(&routing);
	return r;
}
