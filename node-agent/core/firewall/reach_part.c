/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/firewall/compose.h"
#include "node-agent/core/firewall/range.h"
#include "node-agent/core/firewall/reach_int.h"

enum { PRIORITY_FORWARD = 0 };

struct reach *reach_new(void)
{
	struct reach *reach = mem_new(1, sizeof(*reach));

	reach->rules = mem_new(1, sizeof(*reach->rules));
	(void)text_copy(reach->rules->scope, sizeof(reach->rules->scope), "groups");
	return reach;
}

void reach_free(struct reach *reach)
{
	if (!reach)
		return;
	for (size_t i = 0; i < reach->set_count; i++)
		free(reach->sets[i].ranges);
	free(reach->sets);
	fw_ruleset_free(reach->rules);
	free(reach);
}

void reach_add_table(struct reach *reach)
{
	fw_add_table(reach->rules, FW_INET, FW_GROUPS_TABLE);
}

struct reach_set *reach_add_set(struct reach *reach, const char *name, enum fw_key key)
{
	struct reach_set *set;

	reach->sets = mem_grow(reach->sets, &reach->set_capacity, reach->set_count + 1, sizeof(*reach->sets));
	set = &reach->sets[reach->set_count++];
	*set = (struct reach_set){.key = key};
	(void)text_copy(set->name, sizeof(set->name), name);
	fw_add_interval_set(&reach->rules->tables[0], set->name, set->key);
	return set;
}

void reach_add_range(struct reach_set *set, const struct addr *first, const struct addr *last)
{
	if (set->count) {
		struct reach_range *before = &set->ranges[set->count - 1];
		struct addr next = before->last;

		if (!range_next(&next) || addr_compare(first, &next) <= 0) {
			if (addr_compare(last, &before->last) > 0)
				before->last = *last;
			return;
		}
	}
	set->ranges = mem_grow(set->ranges, &set->capacity, set->count + 1, sizeof(*set->ranges));
	set->ranges[set->count++] = (struct reach_range){*first, *last};
}

static uint8_t family_of(const struct reach_set *set)
{
	return set->key == FW_KEY_IPV6 ? AF_INET6 : AF_INET;
}

static struct fw_rule *add_from(struct fw_chain *chain, const struct reach_set *set)
{
	struct addr any = {.family = family_of(set)};
	struct fw_rule *rule = fw_add_rule(chain);

	rule_iifname(rule, FW_EQUAL, set->tunnel);
	rule_nfproto(rule, any.family);
	rule_ip_in(rule, FW_SOURCE, &any, set->name);
	return rule;
}

static void add_accept(struct fw_chain *chain, const struct reach *reach, const struct reach_set *set)
{
	struct addr any = {.family = family_of(set)};
	struct fw_rule *rule = add_from(chain, set);

	rule_ip_in(rule, FW_DESTINATION, &any, reach->sets[set->to].name);
	rule_accept(rule);
}

void reach_add_rules(struct reach *reach)
{
	struct fw_chain *chain =
		fw_add_chain(&reach->rules->tables[0], "forward", FW_FILTER, FW_FORWARD, PRIORITY_FORWARD);
	struct fw_rule *established = fw_add_rule(chain);

	rule_established(established);
	rule_accept(established);
	for (size_t i = 0; i < reach->set_count; i++)
		if (reach->sets[i].tunnel[0])
			add_accept(chain, reach, &reach->sets[i]);
	for (size_t i = 0; i < reach->set_count; i++)
		if (reach->sets[i].tunnel[0])
			rule_count_and_drop(add_from(chain, &reach->sets[i]));
}

/* Tunnels and groups give names to sets, and the sets give the rules. */
bool reach_same_rules(const struct reach *a, const struct reach *b)
{
	if (a->set_count != b->set_count)
		return false;
	for (size_t i = 0; i < a->set_count; i++)
		if (strcmp(a->sets[i].name, b->sets[i].name) != 0)
			return false;
	return true;
}
