/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "common/base/mem.h"
#include "node-agent/io/quick/quick_int.h"

/* wg-quick keeps no journal, and ours may be lost. */

static void take_rule(struct quick_journal *journal, const struct quick_rule *rule)
{
	if (rule && journal->rule_count < QUICK_RULES_MAX)
		journal->rules[journal->rule_count++] = rule->rule;
}

static int guess_rules(struct quick *quick, int family, uint32_t mark)
{
	CLEANUP_FREE struct quick_rule *rules = NULL;
	struct quick_pair pair;
	size_t count;
	int r = quick_list_rules(quick, family, &rules, &count);

	if (r < 0)
		return r;
	pair = quick_find_pair(rules, count, mark);
	take_rule(&quick->journal, pair.not_ours);
	take_rule(&quick->journal, pair.suppress);
	return 0;
}

static bool has_default(const struct wg_device *device)
{
	for (size_t i = 0; i < device->peer_count; i++)
		for (size_t j = 0; j < device->peers[i].allowed_ip_count; j++)
			if (!device->peers[i].allowed_ips[j].length)
				return true;
	return false;
}

static bool may_have_tables(const struct quick *quick, const struct wg_device *device)
{
	return has_default(device) && quick->config.table == QUICK_TABLE_AUTO &&
	       (device->fwmark || quick->spaces.apart ||
		       quick->sidecar.default_route == QUICK_DEFAULT_HALVES);
}

static int guess_routing(struct quick *quick)
{
	const struct wg_device *device;
	int r = quick_read_device(quick, &device);

	if (r < 0)
		return r;
	quick->journal.firewall = may_have_tables(quick, device);
	if (quick->journal.firewall && device->fwmark && !quick->spaces.apart) {
		r = guess_rules(quick, AF_INET, device->fwmark);
		if (r >= 0)
			r = guess_rules(quick, AF_INET6, device->fwmark);
	}
	if (r >= 0)
		r = quick_guess_host_routes(quick, device);
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
	journal->foreign = true;
	if (quick->config.dns.count)
		quick_guess_dns(quick);
	return guess_routing(quick);
}
