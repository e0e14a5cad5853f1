/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/firewall/firewall.h"
#include "node-agent/io/quick/quick_int.h"
#include "node-agent/io/rtnl/rule.h"

/* wg-quick keeps no journal, and ours may be lost: what belongs to a tunnel is told by its mark, and by the order in which
 * things are added. What carries the agent's protocol is the agent's. */

static bool is_marked(const struct rtnl_rule *rule, uint32_t mark)
{
	return rule->protocol != PLAN_PROTOCOL && rule->invert && rule->has_fwmark && rule->fwmark == mark &&
	       rule->table == mark;
}

static bool is_suppressing(const struct rtnl_rule *rule)
{
	return rule->protocol != PLAN_PROTOCOL && rule->table == RT_TABLE_MAIN && rule->has_suppress &&
	       rule->suppress_prefixlength == 0 && !rule->has_fwmark;
}

static void take_rule(struct quick_journal *journal, const struct rtnl_rule *rule)
{
	if (journal->rule_count == QUICK_RULES_MAX)
		return;
	journal->rules[journal->rule_count++] = (struct plan_rule){.family = (uint8_t)rule->family,
		.invert = rule->invert,
		.has_fwmark = rule->has_fwmark,
		.has_suppress = rule->has_suppress,
		.priority = rule->priority,
		.fwmark = rule->fwmark,
		.table = rule->table};
}

/* The rule of its mark, and the one that was put right before it: others' tunnels keep theirs. */
static int guess_rules(struct quick *quick, int family, uint32_t mark)
{
	CLEANUP_FREE struct rtnl_rule *rules = NULL;
	size_t count;
	int r = rtnl_rule_list(quick->rtnl, family, &rules, &count, quick->err);

	for (size_t i = 0; r >= 0 && i < count; i++) {
		if (!is_marked(&rules[i], mark))
			continue;
		take_rule(&quick->journal, &rules[i]);
		if (i > 0 && is_suppressing(&rules[i - 1]))
			take_rule(&quick->journal, &rules[i - 1]);
		break;
	}
	return r;
}

static bool has_default(const struct wg_device *device)
{
	for (size_t i = 0; i < device->peer_count; i++)
		for (size_t j = 0; j < device->peers[i].allowed_ip_count; j++)
			if (!device->peers[i].allowed_ips[j].length)
				return true;
	return false;
}

/* Its tables are put under our name, all of them in one transaction, and go with the rest. */
static int take_over_firewall(struct quick *quick, const struct wg_device *device)
{
	struct firewall_tunnel tunnel = {
		.interface = quick->name, .fwmark = device->fwmark, .default_ip4 = true, .default_ip6 = true};
	char scope[FW_SCOPE_MAX + 1];
	struct firewall firewall = {.scope = scope, .tunnels = &tunnel, .tunnel_count = 1};
	struct fw_ruleset *ruleset;
	int r;

	snprintf(scope, sizeof(scope), "up %s", quick->name);
	quick->journal.firewall = true;
	if (quick->options->dry_run)
		return 0;
	r = quick->nft ? 0 : nft_open(&quick->nft, quick->err);
	if (r >= 0)
		r = firewall_build(&firewall, &ruleset, quick->err);
	if (r < 0)
		return r;
	r = nft_apply(quick->nft, ruleset, NULL, 0, NULL, quick->err);
	fw_ruleset_free(ruleset);
	return r;
}

static int guess_default_route(struct quick *quick)
{
	struct wg_device device;
	struct wg *wg;
	int r = quick_device(quick, &wg);

	if (r >= 0)
		r = wg_get(wg, &device, quick->err);
	if (r < 0)
		return r;
	if (device.fwmark && has_default(&device) && quick->config.table == QUICK_TABLE_AUTO) {
		r = guess_rules(quick, AF_INET, device.fwmark);
		if (r >= 0)
			r = guess_rules(quick, AF_INET6, device.fwmark);
		if (r >= 0)
			r = take_over_firewall(quick, &device);
	}
	wg_device_clear(&device);
	return r;
}

/* The mark and the port may have been chosen or not: `save` pins neither. */
int quick_guess_journal(struct quick *quick)
{
	struct quick_journal *journal = &quick->journal;
	struct rtnl_link link;
	int r = rtnl_link_get(quick->rtnl, quick->name, &link, quick->err);

	if (r < 0)
		return r;
	quick_journal_clear(journal);
	journal->stage = QUICK_STAGE_UP;
	journal->link = true;
	journal->ifindex = link.ifindex;
	journal->foreign_rules = true;
	if (quick->config.dns.count)
		quick_guess_dns(quick);
	return guess_default_route(quick);
}
