/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"
#include "node-agent/io/quick/undo.h"

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

static bool may_have_rules(const struct quick *quick, const struct wg_device *device)
{
	return has_default(device) && quick->config.table == QUICK_TABLE_AUTO && device->fwmark &&
	       !quick->spaces.apart;
}

/* By their names, as wg-quick looks for them: what the file and the device say now need not be what they said then. */
static int has_tables(struct quick *quick, bool *ret_has)
{
	static const struct {
		enum fw_family family;
		const char *of;
	} tables[] = {{FW_IP, "wg-quick"}, {FW_IP6, "wg-quick"}, {FW_INET, "holdfast"}};
	char name[FW_NAME_MAX + 1];
	int r = quick->nft ? 0 : nft_open(&quick->nft, quick->err);

	*ret_has = false;
	for (size_t i = 0; r >= 0 && !*ret_has && i < ARRAY_COUNT(tables); i++) {
		snprintf(name, sizeof(name), "%s-%s", tables[i].of, quick->name);
		r = nft_has_table(quick->nft, tables[i].family, name, ret_has, quick->err);
	}
	if (!nft_is_unsupported(r))
		return r;
	*quick->err = (struct err){0}; /* there can be none */
	return 0;
}

/* ---- host routes ---- */

static bool sends_to(const struct wg_device *device, const struct prefix *to)
{
	for (size_t i = 0; i < device->peer_count; i++)
		if (to->length == addr_bits(&to->addr) &&
			addr_equal(&device->peers[i].endpoint.addr, &to->addr))
			return true;
	return false;
}

static bool is_journal_of(struct quick *quick, struct quick_journal *other, void *name)
{
	(void)quick;
	return !strcmp(other->name, name);
}

static bool has_noted(struct quick *quick, struct quick_journal *other, void *route)
{
	(void)quick;
	return quick_has_host_route(other, route);
}

/* Of the devices whose journal is lost, too, or that somebody else made. */
static bool another_sends_to(struct quick *quick, char *name, const struct prefix *to)
{
	CLEANUP_WG_DEVICE struct wg_device device = {0};
	struct rtnl_link link;
	struct wg *wg;
	bool may_be;

	if (!strcmp(name, quick->name) || rtnl_link_get(quick->rtnl, name, &link, NULL) < 0 ||
		quick_journal_visit_others(quick, is_journal_of, name) ||
		wg_open(name, WG_TIMEOUT_MS, &wg, NULL) < 0)
		return false;
	may_be = wg_get(wg, &device, NULL) < 0 || sends_to(&device, to);
	wg_close(wg);
	return may_be;
}

static bool may_be_anothers(struct quick *quick, struct plan_route *route)
{
	CLEANUP_FREE char(*names)[IFNAMSIZ] = NULL;
	size_t count = 0;
	bool found = quick_journal_visit_others(quick, has_noted, route);

	if (!found && wg_list(&names, &count, NULL) < 0)
		return true;
	for (size_t i = 0; i < count && !found; i++)
		found = another_sends_to(quick, names[i], &route->to);
	return found;
}

/* Those to where the device sends, unless another tunnel may have made them. */
static int guess_host_routes(struct quick *quick, const struct wg_device *device)
{
	CLEANUP_FREE struct plan_route *routes = NULL;
	size_t count = 0;
	int r = quick_list_host_routes(quick, &routes, &count);

	for (size_t i = 0; i < count; i++)
		if (sends_to(device, &routes[i].to) && !may_be_anothers(quick, &routes[i]))
			quick_note_host_route(&quick->journal, &routes[i]);
	return r;
}

/* ---- all of it ---- */

static int guess_routing(struct quick *quick)
{
	const struct wg_device *device;
	int r = quick_read_device(quick, &device);

	if (r < 0)
		return r;
	r = has_tables(quick, &quick->journal.firewall);
	if (r >= 0 && may_have_rules(quick, device)) {
		r = guess_rules(quick, AF_INET, device->fwmark);
		if (r >= 0)
			r = guess_rules(quick, AF_INET6, device->fwmark);
	}
	if (r >= 0)
		r = guess_host_routes(quick, device);
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
	quick_spaces_note(quick);
	if (quick->config.dns.count)
		quick_guess_dns(quick);
	return guess_routing(quick);
}
